// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * detector.c - which nodes are heard of, and how well
 */
#include "detector.h"

#include <string.h>

/* A path is degraded from there on, and well again below half of it. */
#define LOSS_PERMILLE	100
#define LOST_MIN	3	/* beats; soon after a start one is much */
#define SLOWER		8	/* times the best, */
#define SLOW_US		2000	/* and not below this */

/* No beat interval is longer, so nobody's is believed to be. */
#define INTERVAL_MS_MAX	60000

static uint16_t bit(uint8_t node)
{
	return node < RBLK_DETECTOR_NODES ? 1U << node : 0;
}

static uint64_t patience_us(const struct rblk_detector *d)
{
	return (uint64_t)d->interval_ms * d->misses * 1000;
}

void rblk_detector_start(struct rblk_detector *d, uint8_t self, uint32_t interval_ms,
			 uint32_t misses)
{
	memset(d, 0, sizeof(*d));
	d->self = self;
	d->interval_ms = interval_ms;
	d->misses = misses;
}

void rblk_detector_watch(struct rblk_detector *d, uint8_t node, uint8_t paths,
			 uint64_t now_us)
{
	struct rblk_detector_peer *peer;
	uint8_t i;

	if (node >= RBLK_DETECTOR_NODES || node == d->self)
		return;
	peer = &d->peer[node];
	if (!paths) {
		d->nodes &= ~bit(node);
		memset(peer, 0, sizeof(*peer));
		return;
	}
	if (!(d->nodes & bit(node)))
		peer->since_us = now_us;
	d->nodes |= bit(node);
	for (i = 0; i < RBLK_DETECTOR_PATHS; i++) {
		bool used = paths >> i & 1;

		if (used != peer->path[i].used)
			memset(&peer->path[i], 0, sizeof(peer->path[i]));
		peer->path[i].used = used;
	}
}

/*
 * It hears this node, or there would be no session, and its beats follow. It has not failed
 * before they could have come: it must not be switched off while it comes back.
 */
void rblk_detector_restarted(struct rblk_detector *d, uint8_t node, uint64_t now_us)
{
	struct rblk_detector_path *path;
	uint8_t i;

	if (!(d->nodes & bit(node)))
		return;
	d->peer[node].silent = 0;
	d->peer[node].since_us = now_us;
	for (i = 0; i < RBLK_DETECTOR_PATHS; i++) {
		path = &d->peer[node].path[i];
		path->heard = 0;
		path->came = 0;
		path->nr_came = 0;
	}
}

/* ---- what is thought of a node */

static uint64_t heard_us(const struct rblk_detector_peer *peer)
{
	uint64_t latest = 0;
	uint8_t i;

	for (i = 0; i < RBLK_DETECTOR_PATHS; i++)
		if (peer->path[i].both_us > latest)
			latest = peer->path[i].both_us;
	return latest;
}

static bool is_alive(const struct rblk_detector *d, uint8_t node, uint64_t now_us)
{
	uint64_t heard = heard_us(&d->peer[node]);

	return heard && now_us - heard < patience_us(d);
}

static uint16_t alive_nodes(const struct rblk_detector *d, uint64_t now_us)
{
	uint16_t alive = 0;
	uint8_t node;

	for (node = 0; node < RBLK_DETECTOR_NODES; node++)
		if (d->nodes & bit(node) && is_alive(d, node, now_us))
			alive |= bit(node);
	return alive;
}

enum rblk_detector_state rblk_detector_state(const struct rblk_detector *d,
					     uint8_t node, uint64_t now_us)
{
	unsigned int agree = 1, asked = 1;
	uint16_t alive;
	uint8_t other;

	if (node == d->self)
		return RBLK_DETECTOR_ALIVE;
	if (!(d->nodes & bit(node)))
		return RBLK_DETECTOR_UNKNOWN;
	alive = alive_nodes(d, now_us);
	if (alive & bit(node))
		return RBLK_DETECTOR_ALIVE;
	if (now_us - d->peer[node].since_us < patience_us(d))
		return RBLK_DETECTOR_UNKNOWN;
	for (other = 0; other < RBLK_DETECTOR_NODES; other++) {
		if (!(alive & bit(other)))
			continue;
		asked++;
		agree += !!(d->peer[other].silent & bit(node));
	}
	return 2 * agree > asked ? RBLK_DETECTOR_FAILED : RBLK_DETECTOR_SUSPECT;
}

static uint64_t first_after(uint64_t now_us, uint64_t at, uint64_t wake)
{
	return at > now_us && at < wake ? at : wake;
}

uint64_t rblk_detector_wake_us(const struct rblk_detector *d, uint64_t now_us)
{
	uint64_t wake = UINT64_MAX;
	uint8_t node;

	for (node = 0; node < RBLK_DETECTOR_NODES; node++) {
		const struct rblk_detector_peer *peer = &d->peer[node];

		if (!(d->nodes & bit(node)))
			continue;
		wake = first_after(now_us, peer->since_us + patience_us(d), wake);
		wake = first_after(now_us, heard_us(peer) + patience_us(d), wake);
	}
	return wake;
}

/* ---- how well */

/* Beats that should have come since the last one are lost as well. */
static uint32_t overdue(const struct rblk_detector *d,
			const struct rblk_detector_peer *peer,
			const struct rblk_detector_path *p, uint64_t now_us)
{
	uint32_t interval = peer->interval_ms ? peer->interval_ms : d->interval_ms;
	uint64_t nr = (now_us - p->heard_us) / (1000ULL * interval + !interval);

	/* The one that is due now may be on its way. */
	nr -= !!nr;
	return nr > RBLK_DETECTOR_WINDOW ? RBLK_DETECTOR_WINDOW : nr;
}

/* One that is degraded has to become much better to be called well. */
static bool is_degraded(const struct rblk_detector_path *p, uint32_t lost,
			uint32_t loss_permille)
{
	uint64_t ease = p->degraded ? 2 : 1;

	return (lost * ease >= LOST_MIN && loss_permille * ease >= LOSS_PERMILLE) ||
	       (p->rtt_us * ease >= SLOW_US &&
		p->rtt_us * ease / SLOWER >= p->best_rtt_us);
}

void rblk_detector_health(const struct rblk_detector *d, uint8_t node, uint8_t path,
			  uint64_t now_us, struct rblk_detector_health *health)
{
	const struct rblk_detector_path *p;
	uint32_t lost = 0, of;

	memset(health, 0, sizeof(*health));
	if (!(d->nodes & bit(node)) || path >= RBLK_DETECTOR_PATHS)
		return;
	p = &d->peer[node].path[path];
	health->works = p->both_us && now_us - p->both_us < patience_us(d);
	health->rtt_us = p->rtt_us;
	health->jitter_us = p->jitter_us;
	if (p->heard) {
		of = overdue(d, &d->peer[node], p, now_us);
		lost = p->nr_came - __builtin_popcountll(p->came) + of;
		of += p->nr_came;
		health->loss_permille = 1000 * lost / of;
	}
	if (!p->used)
		return;
	health->degraded = is_degraded(p, lost, health->loss_permille) ||
			   (!health->works && is_alive(d, node, now_us));
}

/* ---- beats out */

void rblk_detector_send(struct rblk_detector *d, uint8_t node, uint8_t path,
			uint64_t now_us, struct rblk_detector_beat *beat)
{
	struct rblk_detector_health health;
	struct rblk_detector_path *p;

	memset(beat, 0, sizeof(*beat));
	if (!(d->nodes & bit(node)) || path >= RBLK_DETECTOR_PATHS)
		return;
	p = &d->peer[node].path[path];
	rblk_detector_health(d, node, path, now_us, &health);
	p->degraded = health.degraded;
	p->seq++;
	p->sent_us[p->seq % RBLK_DETECTOR_WINDOW] = now_us;
	beat->path = path;
	beat->silent = d->nodes & ~alive_nodes(d, now_us);
	beat->interval_ms = d->interval_ms;
	beat->seq = p->seq;
	beat->sent_us = now_us;
	beat->echo = p->heard;
	if (!p->heard)
		return;
	beat->echo_us = p->heard_sent_us;
	beat->held_us = now_us - p->heard_us > UINT32_MAX ?
			UINT32_MAX : now_us - p->heard_us;
}

/* ---- beats in */

/* Which beats came: the window moves on to the newest. */
static void count(struct rblk_detector_path *p, uint32_t seq)
{
	uint32_t ahead = seq - p->heard, bits = RBLK_DETECTOR_WINDOW;

	if (!p->heard || ahead >= bits) {
		/* The first, or after a long silence: that is no loss. */
		p->came = 1;
		p->nr_came = 1;
		return;
	}
	p->came = p->came << ahead | 1;
	p->nr_came = p->nr_came + ahead > bits ? bits : p->nr_came + ahead;
}

/* As in TCP (RFC 6298): an eighth and a quarter of what is new. */
static void measure(struct rblk_detector_path *p, uint64_t rtt)
{
	uint32_t sample = rtt > UINT32_MAX ? UINT32_MAX : rtt;
	uint32_t apart;

	sample += !sample;
	if (!p->rtt_us) {
		p->rtt_us = sample;
		p->best_rtt_us = sample;
		p->jitter_us = sample / 2;
		return;
	}
	apart = p->rtt_us > sample ? p->rtt_us - sample : sample - p->rtt_us;
	p->jitter_us = (3ULL * p->jitter_us + apart) / 4;
	p->rtt_us = (7ULL * p->rtt_us + sample) / 8;
	if (sample < p->best_rtt_us)
		p->best_rtt_us = sample;
}

/*
 * Only what this node's clock says is used: when that beat was sent is looked up
 * here. How long the peer kept it comes from the peer, and is less than all of it.
 */
static void echo(struct rblk_detector *d, struct rblk_detector_path *p,
		 const struct rblk_detector_beat *beat, uint64_t now_us)
{
	uint64_t sent, took;

	if (!beat->echo || beat->echo > p->seq ||
	    p->seq - beat->echo >= RBLK_DETECTOR_WINDOW)
		return;
	sent = p->sent_us[beat->echo % RBLK_DETECTOR_WINDOW];
	if (sent != beat->echo_us || sent > now_us)
		return;
	took = now_us - sent;
	/* It hears this node no more, if it heard nothing newer. */
	if (took < patience_us(d))
		p->both_us = now_us;
	if (beat->held_us <= took)
		measure(p, took - beat->held_us);
}

void rblk_detector_receive(struct rblk_detector *d, uint8_t node,
			   const struct rblk_detector_beat *beat, uint64_t now_us)
{
	struct rblk_detector_path *p;
	uint32_t behind;

	if (!(d->nodes & bit(node)) || beat->path >= RBLK_DETECTOR_PATHS ||
	    !beat->seq || !d->peer[node].path[beat->path].used)
		return;
	p = &d->peer[node].path[beat->path];
	if (beat->seq <= p->heard) {
		/* Overtaken by a later one: it came all the same. */
		behind = p->heard - beat->seq;
		if (behind < RBLK_DETECTOR_WINDOW && behind < p->nr_came)
			p->came |= 1ULL << behind;
		return;
	}
	count(p, beat->seq);
	p->heard = beat->seq;
	p->heard_sent_us = beat->sent_us;
	p->heard_us = now_us;
	d->peer[node].silent = beat->silent & ~(bit(node) | bit(d->self));
	d->peer[node].interval_ms = beat->interval_ms < INTERVAL_MS_MAX ?
				    beat->interval_ms : INTERVAL_MS_MAX;
	echo(d, p, beat, now_us);
}

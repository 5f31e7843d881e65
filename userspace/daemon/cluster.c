// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cluster.c - the other nodes' daemons: datagrams to and from them
 */
#include "cluster.h"

#include "log.h"
#include "text.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define KEY_LABEL	"rblk datagram 1"	/* the NUL counts */
#define NUMBER_LABEL	"rblk cluster 1"
#define MIN_BYTES	(RBLK_BEAT_HEADER_BYTES + RBLK_BEAT_MAC_BYTES)
#define MAX_HELLOS	3	/* answers per beat: no storm out of replays */

_Static_assert(RBLK_MAX_NODES == RBLK_DETECTOR_NODES, "by node id");

static const char *const drop_names[] = {
	[RBLK_CLUSTER_TRUNCATED] = "truncated",
	[RBLK_CLUSTER_OVERSIZED] = "oversized",
	[RBLK_CLUSTER_FORGED] = "forged",
	[RBLK_CLUSTER_MALFORMED] = "malformed",
	[RBLK_CLUSTER_STRANGER] = "stranger",
	[RBLK_CLUSTER_REPEATED] = "repeated",
	[RBLK_CLUSTER_NO_SESSION] = "no_session",
};

const char *rblk_cluster_drop_name(enum rblk_cluster_drop drop)
{
	return drop_names[drop];
}

/* ---- configuration ---- */

void rblk_cluster_stop(struct rblk_cluster *c)
{
	if (c->mac)
		gnutls_hmac_deinit(c->mac, NULL);
	c->mac = NULL;
	explicit_bzero(c->key, sizeof(c->key));
}

/* Of what is sent and of what came: the key is set up once. */
static void make_mac(const struct rblk_cluster *c, const uint8_t *bytes, size_t n,
		     uint8_t mac[RBLK_BEAT_MAC_BYTES])
{
	if (gnutls_hmac(c->mac, bytes, n) < 0)
		__builtin_trap();
	gnutls_hmac_output(c->mac, mac);
}

static void derive_key(struct rblk_cluster *c, const char *name,
		       const unsigned char *key, size_t key_len)
{
	uint8_t digest[RBLK_BEAT_MAC_BYTES];
	char text[sizeof(NUMBER_LABEL) + RBLK_NAME_SIZE];

	rblk_cluster_stop(c);
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_len, KEY_LABEL,
			     sizeof(KEY_LABEL), c->key) < 0 ||
	    gnutls_hmac_init(&c->mac, GNUTLS_MAC_SHA256, c->key, sizeof(c->key)) < 0)
		__builtin_trap();
	rblk_text_format(text, sizeof(text), NUMBER_LABEL " %s", name);
	gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), digest);
	memcpy(&c->number, digest, sizeof(c->number));
}

static uint8_t paths_of(const struct rblk_config_node *self,
			const struct rblk_config_node *n)
{
	return n == self ? 0 : 1 | (self->address2 && n->address2 ? 2 : 0);
}

static void configure_node(struct rblk_cluster *c, uint8_t id, uint8_t paths)
{
	struct rblk_cluster_node *n = &c->node[id];

	if (paths && !n->paths)
		rblk_session_start(&n->session, c->ops->random(c->ctx));
	n->paths = paths;
	n->degraded &= paths;
	rblk_detector_watch(&c->detector, id, paths, c->ops->now_us(c->ctx));
}

void rblk_cluster_configure(struct rblk_cluster *c,
			    const struct rblk_config *config,
			    const struct rblk_config_node *self,
			    const unsigned char *key, size_t key_len, bool on)
{
	uint8_t paths[RBLK_MAX_NODES] = { 0 };
	unsigned int i;

	derive_key(c, config->cluster, key, key_len);
	if (!c->on || c->self != self->id)
		rblk_detector_start(&c->detector, self->id, config->beat_ms,
				    config->beat_misses);
	if (c->detector.interval_ms != config->beat_ms)
		c->beat_us = 0;
	c->self = self->id;
	c->detector.interval_ms = config->beat_ms;
	c->detector.misses = config->beat_misses;
	c->on = on;
	for (i = 0; c->on && i < config->nodes_n; i++) {
		const struct rblk_config_node *n = &config->nodes[i];

		paths[n->id] = paths_of(self, n);
		rblk_text_copy(c->name[n->id], RBLK_NAME_SIZE, n->name);
	}
	for (i = 0; i < RBLK_MAX_NODES; i++)
		configure_node(c, i, paths[i]);
}

/* ---- out ---- */

/* On the networks of @paths, as it is: who gets it twice drops one as a replay. */
static void send_datagram(struct rblk_cluster *c, uint8_t node, uint8_t paths,
			  struct rblk_beat_writer *w)
{
	size_t n = rblk_beat_end(w);
	unsigned int path;

	make_mac(c, w->bytes, n, w->bytes + n);
	for (path = 0; path < RBLK_DETECTOR_PATHS; path++)
		if (paths & (1U << path) &&
		    !c->ops->send(c->ctx, node, path, w->bytes,
				  n + RBLK_BEAT_MAC_BYTES))
			c->unsent++;
}

static void send_hello(struct rblk_cluster *c, uint8_t node, uint8_t paths)
{
	struct rblk_session_header h;
	struct rblk_beat_writer w;

	rblk_session_hello(&c->node[node].session, c->self, node, &h);
	rblk_beat_begin(&w, c->number, &h);
	send_datagram(c, node, paths, &w);
}

static void send_beat(struct rblk_cluster *c, uint8_t node, unsigned int path)
{
	struct rblk_beat_body held = { .type = RBLK_BEAT_HELD };
	struct rblk_beat_body body = { .type = RBLK_BEAT_BEAT };
	struct rblk_session_header h;
	struct rblk_beat_writer w;

	rblk_session_stamp(&c->node[node].session, c->self, node, &h);
	rblk_beat_begin(&w, c->number, &h);
	rblk_detector_send(&c->detector, node, path, c->ops->now_us(c->ctx),
			   &body.beat);
	held.held = c->ops->held(c->ctx, node);
	rblk_beat_add(&w, &body);
	rblk_beat_add(&w, &held);
	send_datagram(c, node, 1U << path, &w);
}

static void send_beats(struct rblk_cluster *c, uint8_t node)
{
	struct rblk_cluster_node *n = &c->node[node];
	unsigned int path;

	if (!rblk_session_is_open(&n->session)) {
		send_hello(c, node, n->paths);
		return;
	}
	for (path = 0; path < RBLK_DETECTOR_PATHS; path++)
		if (n->paths & (1U << path))
			send_beat(c, node, path);
}

static void flush_node(struct rblk_cluster *c, uint8_t node)
{
	struct rblk_cluster_node *n = &c->node[node];

	if (n->has_out)
		send_datagram(c, node, n->paths, &n->out);
	n->has_out = false;
}

void rblk_cluster_flush(struct rblk_cluster *c)
{
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		flush_node(c, i);
}

void rblk_cluster_put(struct rblk_cluster *c, uint8_t node,
		      const struct rblk_beat_body *body)
{
	struct rblk_cluster_node *n = &c->node[node];
	struct rblk_session_header h;

	if (node >= RBLK_MAX_NODES || !n->paths ||
	    !rblk_session_is_open(&n->session))
		return;
	if (n->has_out && rblk_beat_add(&n->out, body))
		return;
	flush_node(c, node);
	rblk_session_stamp(&n->session, c->self, node, &h);
	rblk_beat_begin(&n->out, c->number, &h);
	n->has_out = rblk_beat_add(&n->out, body);
}

/* ---- in ---- */

static bool is_genuine(const struct rblk_cluster *c, const uint8_t *bytes,
		       size_t n)
{
	uint8_t mac[RBLK_BEAT_MAC_BYTES];

	n -= sizeof(mac);
	make_mac(c, bytes, n, mac);
	return gnutls_memcmp(mac, bytes + n, sizeof(mac)) == 0;
}

static void take_bodies(struct rblk_cluster *c, uint8_t from,
			struct rblk_beat_reader *r)
{
	struct rblk_beat_body body;

	c->node[from].counter = r->h.counter;
	while (rblk_beat_next(r, &body)) {
		if (body.type == RBLK_BEAT_BEAT)
			rblk_detector_receive(&c->detector, from, &body.beat,
					      c->ops->now_us(c->ctx));
		else
			c->ops->told(c->ctx, from, &body);
	}
}

/* The session decides whether what is genuine is of now. */
static bool is_of_now(struct rblk_cluster *c, const struct rblk_session_header *h,
		      bool *is_new)
{
	struct rblk_cluster_node *n = &c->node[h->from];

	*is_new = false;
	switch (rblk_session_receive(&n->session, h, c->ops->random(c->ctx))) {
	case RBLK_SESSION_OK:
		return true;
	case RBLK_SESSION_NEW:
		*is_new = true;
		if (n->hellos++ < MAX_HELLOS)
			send_hello(c, h->from, n->paths);
		return true;
	case RBLK_SESSION_REPLAYED:
		c->dropped[RBLK_CLUSTER_REPEATED]++;
		return false;
	case RBLK_SESSION_UNKNOWN:
		break;
	}
	c->dropped[RBLK_CLUSTER_NO_SESSION]++;
	if (n->hellos++ < MAX_HELLOS)
		send_hello(c, h->from, n->paths);
	return false;
}

void rblk_cluster_receive(struct rblk_cluster *c, const uint8_t *bytes, size_t n)
{
	struct rblk_beat_reader r;
	bool is_new;

	/* not configured yet */
	if (!c->mac)
		return;
	if (n < MIN_BYTES) {
		c->dropped[RBLK_CLUSTER_TRUNCATED]++;
	} else if (n > RBLK_BEAT_MAX_BYTES) {
		c->dropped[RBLK_CLUSTER_OVERSIZED]++;
	} else if (!is_genuine(c, bytes, n)) {
		c->dropped[RBLK_CLUSTER_FORGED]++;
	} else if (rblk_beat_open(&r, bytes, n, c->number) != RBLK_BEAT_OK ||
		   rblk_beat_check(&r) != RBLK_BEAT_OK) {
		c->dropped[RBLK_CLUSTER_MALFORMED]++;
	} else if (r.h.to != c->self || r.h.from >= RBLK_MAX_NODES ||
		   !c->node[r.h.from].paths) {
		c->dropped[RBLK_CLUSTER_STRANGER]++;
	} else if (is_of_now(c, &r.h, &is_new)) {
		if (is_new) {
			rblk_detector_restarted(&c->detector, r.h.from,
						c->ops->now_us(c->ctx));
			/* it waits to hear that this session is the one */
			send_beats(c, r.h.from);
			c->ops->met(c->ctx, r.h.from);
		}
		take_bodies(c, r.h.from, &r);
	}
}

/* ---- time ---- */

enum rblk_detector_state rblk_cluster_state(const struct rblk_cluster *c,
					    uint8_t node)
{
	return rblk_detector_state(&c->detector, node, c->ops->now_us(c->ctx));
}

static const char *state_name(enum rblk_detector_state state)
{
	static const char *const names[] = {
		[RBLK_DETECTOR_UNKNOWN] = "unknown",
		[RBLK_DETECTOR_ALIVE] = "alive",
		[RBLK_DETECTOR_SUSPECT] = "suspect",
		[RBLK_DETECTOR_FAILED] = "failed",
	};

	return names[state];
}

static void log_path(struct rblk_cluster *c, uint8_t node, unsigned int path,
		     uint64_t now)
{
	struct rblk_cluster_node *n = &c->node[node];
	struct rblk_detector_health h;

	if (!(n->paths & (1U << path)))
		return;
	rblk_detector_health(&c->detector, node, path, now, &h);
	if (h.degraded == !!(n->degraded & (1U << path)))
		return;
	n->degraded ^= 1U << path;
	rblk_log(h.degraded ? RBLK_LOG_WARNING : RBLK_LOG_INFO, NULL,
		 c->name[node], "network %u is %s: %s, %u.%u %% of heartbeats lost, round trip %u us",
		 path + 1, h.degraded ? "degraded" : "well again",
		 h.works ? "works" : "does not work", h.loss_permille / 10,
		 h.loss_permille % 10, h.rtt_us);
}

/* Say what changed since it was said last. True: a node is not heard of any more. */
static bool log_changes(struct rblk_cluster *c, uint64_t now)
{
	unsigned int i, path;
	bool lost = false;

	for (i = 0; i < RBLK_MAX_NODES; i++) {
		struct rblk_cluster_node *n = &c->node[i];
		enum rblk_detector_state state;

		if (!n->paths)
			continue;
		for (path = 0; path < RBLK_DETECTOR_PATHS; path++)
			log_path(c, i, path, now);
		state = rblk_detector_state(&c->detector, i, now);
		if (state == n->state)
			continue;
		lost |= n->state == RBLK_DETECTOR_ALIVE;
		n->state = state;
		c->changed = true;
		rblk_log(state == RBLK_DETECTOR_ALIVE ? RBLK_LOG_INFO :
			 RBLK_LOG_WARNING, NULL, c->name[i], "heartbeats: %s",
			 state_name(state));
	}
	return lost;
}

static void send_all_beats(struct rblk_cluster *c)
{
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (c->node[i].paths)
			send_beats(c, i);
}

uint64_t rblk_cluster_tick(struct rblk_cluster *c)
{
	uint64_t now = c->ops->now_us(c->ctx), wake;
	uint64_t interval = 1000ULL * c->detector.interval_ms;
	unsigned int i;

	if (!c->on)
		return UINT64_MAX;
	if (now >= c->beat_us) {
		for (i = 0; i < RBLK_MAX_NODES; i++)
			c->node[i].hellos = 0;
		send_all_beats(c);
		/* in step with the clock, unless it was missed altogether */
		c->beat_us = c->beat_us + interval > now ?
			     c->beat_us + interval : now + interval;
	}
	/* it takes a majority to say that it failed: do not let them wait for the next */
	if (log_changes(c, now))
		send_all_beats(c);
	wake = rblk_detector_wake_us(&c->detector, now);
	return wake < c->beat_us ? wake : c->beat_us;
}

/* ---- status ---- */

static json_t *show_path(const struct rblk_cluster *c, uint8_t node,
			 unsigned int path, uint64_t now)
{
	struct rblk_detector_health h;

	rblk_detector_health(&c->detector, node, path, now, &h);
	return json_pack("{s:i,s:b,s:b,s:o,s:i,s:i}", "network", (int)path + 1,
			 "works", h.works, "degraded", h.degraded, "rtt_us",
			 h.rtt_us ? json_integer(h.rtt_us) : json_null(),
			 "jitter_us", (int)h.jitter_us, "loss_permille",
			 (int)h.loss_permille);
}

static json_t *show_node(const struct rblk_cluster *c, uint8_t node, uint64_t now)
{
	json_t *paths = json_array();
	unsigned int path;

	for (path = 0; path < RBLK_DETECTOR_PATHS; path++)
		if (c->node[node].paths & (1U << path))
			json_array_append_new(paths,
					      show_path(c, node, path, now));
	return json_pack("{s:i,s:s,s:s,s:b,s:o}", "id", (int)node, "node",
			 c->name[node], "state",
			 state_name(rblk_detector_state(&c->detector, node, now)),
			 "session", rblk_session_is_open(&c->node[node].session),
			 "paths", paths);
}

json_t *rblk_cluster_show(const struct rblk_cluster *c)
{
	json_t *nodes = json_array(), *dropped = json_object();
	uint64_t now = c->ops->now_us(c->ctx);
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (c->node[i].paths)
			json_array_append_new(nodes, show_node(c, i, now));
	for (i = 0; i < __RBLK_CLUSTER_DROPS; i++)
		json_object_set_new(dropped, drop_names[i],
				    json_integer(c->dropped[i]));
	return json_pack("{s:b,s:i,s:i,s:o,s:o,s:I}", "on", c->on, "interval_ms",
			 (int)c->detector.interval_ms, "misses",
			 (int)c->detector.misses, "nodes", nodes, "dropped",
			 dropped, "unsent", (json_int_t)c->unsent);
}

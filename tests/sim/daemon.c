// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * daemon.c - what surrounds the daemon's core: datagrams, the store, fence agents, and
 * the kernel's state as a view
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define CLUSTER		0x72626c6b
#define HELLO_APART	(10 * MS)
#define AGENT_TIMEOUT	(2 * SECOND)

static const uint8_t uuid[RBLK_BEAT_UUID_BYTES] = "one resource";

static struct daemon *daemon_of(struct world *w, uint8_t node)
{
	return &w->node[node].daemon;
}

static uint64_t random64(struct world *w)
{
	return random_below(w, 1ULL << 32) << 32 | random_below(w, 1ULL << 32);
}

/* ---- datagrams out */

static void post_packet(struct world *w, uint8_t from, uint8_t to,
			const struct rblk_beat_writer *out, size_t nr, uint64_t delay)
{
	struct event *e = post(w, w->now + delay, EV_PACKET, to);

	e->peer = from;
	e->sent_at = w->now;
	e->nr = nr;
	e->bytes = malloc(nr);
	if (!e->bytes)
		abort();
	memcpy(e->bytes, out->bytes, nr);
}

static void send(struct world *w, uint8_t from, uint8_t to, struct rblk_beat_writer *out)
{
	size_t nr = rblk_beat_end(out) + RBLK_BEAT_MAC_BYTES;
	uint64_t delay = 100 + random_below(w, 900);

	if (net_is_cut(w, from, to))
		return;
	if (w->lossy) {
		if (chance(w, 30))
			return;
		delay += random_below(w, chance(w, 10) ? 3 * SECOND : 80 * MS);
		if (chance(w, 20))
			post_packet(w, from, to, out, nr,
				    delay + random_below(w, 2 * SECOND));
	}
	post_packet(w, from, to, out, nr, delay);
}

static void begin(struct world *w, uint8_t node, uint8_t to, struct rblk_beat_writer *out)
{
	struct rblk_session_header h;

	rblk_session_stamp(&daemon_of(w, node)->session[to], node, to, &h);
	rblk_beat_begin(out, CLUSTER, &h);
}

static void send_hello(struct world *w, uint8_t node, uint8_t to)
{
	struct rblk_session_header h;
	struct rblk_beat_writer out;

	rblk_session_hello(&daemon_of(w, node)->session[to], node, to, &h);
	rblk_beat_begin(&out, CLUSTER, &h);
	send(w, node, to, &out);
}

static void send_body(struct world *w, uint8_t node, uint8_t to,
		      struct rblk_beat_body *body)
{
	struct rblk_beat_writer out;

	if (!rblk_session_is_open(&daemon_of(w, node)->session[to]))
		return;
	memcpy(body->uuid, uuid, sizeof(uuid));
	begin(w, node, to, &out);
	if (!rblk_beat_add(&out, body))
		abort();
	send(w, node, to, &out);
}

static void send_msg(struct world *w, const struct rblk_arbiter_msg *msg)
{
	struct rblk_beat_body body = { .type = RBLK_BEAT_ARBITER, .arbiter = *msg };

	if (msg->to < w->nodes)
		send_body(w, msg->from, msg->to, &body);
}

/* ---- the view */

/* An admin has a node vote again that lost its register: as 'rblk readmit'. */
static void see_voters(struct world *w, uint8_t node, struct rblk_policy_view *v)
{
	struct daemon *d = daemon_of(w, node);
	uint16_t voters = d->arbiter.known.voters;
	uint8_t i;

	for (i = 0; i < w->nodes && !v->voter; i++)
		if (!(voters & BIT(i)) || v->peer[i].told.flags & RBLK_POLICY_MUTE)
			v->voter = BIT(i);
	v->voter_joins = !(voters & v->voter);
}

static void see(struct world *w, uint8_t node, struct rblk_policy_view *v)
{
	struct daemon *d = daemon_of(w, node);
	const struct kernel *k = &w->node[node].kernel;
	uint64_t now = local_us(w, node);
	uint8_t i;

	memset(v, 0, sizeof(*v));
	v->arbiter = &d->arbiter;
	v->up = true;
	v->busy = d->busy;
	v->failures = d->failures;
	v->primary = k->primary;
	v->data_good = w->data & BIT(node) && !k->inconsistent;
	v->exact = !k->unclean;
	v->looked_ms = now / 1000;
	v->acks = k->acks;
	v->leased = k->leased;
	v->lease_until_ms = k->lease_until_ms;
	v->in_sync = k->in_sync;
	v->data_gen = k->len ? k->data[k->len - 1].gen : 0;
	v->data_seq = k->len;
	v->last_seq = k->len;
	v->request = d->request;
	v->asked_by = d->asked_by;
	v->random = random_below(w, 1ULL << 32);
	v->beat = d->beats;
	for (i = 0; i < w->nodes; i++) {
		struct rblk_policy_peer *p = &v->peer[i];
		const struct link *l = &k->link[i];
		enum rblk_detector_state state;

		if (i == node)
			continue;
		state = rblk_detector_state(&d->detector, i, now);
		p->alive = state == RBLK_DETECTOR_ALIVE;
		p->failed = state == RBLK_DETECTOR_FAILED;
		if (p->alive)
			p->told = d->told[i];
		p->connected = l->up;
		p->up_to_date = l->up && l->up_to_date;
		p->is_primary = l->up && l->primary_there;
		p->diverged = l->up && l->diverged;
		/* A flush that is on its way counts as an operation that it lacks. */
		p->acked_seq = l->durable_acked >= k->durable ? l->acked : 0;
		p->fence = d->fence[i];
	}
	see_voters(w, node, v);
}

/* ---- what the arbiter says */

static void write_store(struct world *w, uint8_t node)
{
	struct daemon *d = daemon_of(w, node);
	uint64_t takes = 200 + random_below(w, 3 * MS);

	if (w->now < w->node[node].slow_until)
		takes = random_below(w, 500 * MS);
	if (d->writes++)
		return;		/* the next one is written with what is newest then */
	d->writing = d->arbiter.store;
	post(w, w->now + takes, EV_STORED, node)->epoch = d->epoch;
}

static void stop(struct world *w, uint8_t node)
{
	if (SIM_RULE(STOP_FIRST) && w->node[node].kernel.primary)
		kernel_set_lease(w, node, 0);
}

static void obey(struct world *w, uint8_t node, const struct rblk_arbiter_out *out)
{
	struct daemon *d = daemon_of(w, node);
	unsigned int i;

	if (out->stop)
		stop(w, node);
	if (out->persist)
		write_store(w, node);
	/* With one vote that counts, a record may be chosen before it is durable. */
	for (i = 0; i < out->nr_learned; i++) {
		if (!d->writes || !SIM_RULE(DURABLE_ACCEPT))
			check_learned(w, node, &out->learned[i]);
		else if (d->nr_learned < sizeof(d->learned) / sizeof(d->learned[0]))
			d->learned[d->nr_learned++] = out->learned[i];
	}
	for (i = 0; i < out->nr; i++) {
		if (!d->writes || !SIM_RULE(DURABLE_ACCEPT))
			send_msg(w, &out->msg[i]);
		else if (d->nr_held < sizeof(d->held) / sizeof(d->held[0]))
			d->held[d->nr_held++] = out->msg[i];
	}
}

static void stored(struct world *w, uint8_t node)
{
	struct daemon *d = daemon_of(w, node);
	unsigned int i;

	w->node[node].disk = d->writing;
	w->node[node].has_store = true;
	if (d->writes > 1) {
		d->writes = 0;
		write_store(w, node);
		return;
	}
	d->writes = 0;
	for (i = 0; i < d->nr_held; i++)
		send_msg(w, &d->held[i]);
	d->nr_held = 0;
	for (i = 0; i < d->nr_learned; i++)
		check_learned(w, node, &d->learned[i]);
	d->nr_learned = 0;
	daemon_look(w, node);
}

/* ---- fence agents */

static void run_agent(struct world *w, uint8_t node, uint8_t target)
{
	struct daemon *d = daemon_of(w, node);
	uint64_t takes = 50 * MS + random_below(w, 300 * MS);
	enum agent_mode mode = w->node[node].agent;
	struct event *e;

	say(w, node, "fences %c", 'A' + target);
	check_fences(w, node, target);
	rblk_arbiter_fence(&d->arbiter, target);
	d->fence[target] = RBLK_POLICY_FENCE_RUNS;
	if (!SIM_RULE(FENCE_CONFIRMED))
		rblk_arbiter_fence_confirmed(&d->arbiter, target);
	if (mode != AGENT_FAILS && mode != AGENT_HANGS) {
		e = post(w, w->now + (mode == AGENT_LATE ? 4 * takes : takes),
			 EV_FENCE_DO, node);
		e->peer = target;
		takes = mode == AGENT_LATE ? 2 * takes :
			takes + random_below(w, mode == AGENT_SLOW ? 4 * SECOND : 50 * MS);
	}
	e = post(w, w->now + (mode == AGENT_HANGS ? AGENT_TIMEOUT : takes + 1),
		 EV_FENCE_SAY, node);
	e->peer = target;
	e->epoch = d->epoch;
	e->a = mode == AGENT_WORKS || mode == AGENT_SLOW;
}

static void agent_said(struct world *w, uint8_t node, uint8_t target, bool works)
{
	struct daemon *d = daemon_of(w, node);
	bool counts = works && rblk_arbiter_fence_confirmed(&d->arbiter, target);

	say(w, node, "the fence of %c %s", 'A' + target,
	    counts ? "is confirmed" : works ? "does not count" : "failed");
	d->fence[target] = counts ? RBLK_POLICY_FENCE_DONE : RBLK_POLICY_FENCE_FAILED;
	daemon_look(w, node);
}

/* ---- what the policy says */

static const char *const change_names[] = {
	"refresh", "promote", "demote", "drop", "add", "add voter", "delete voter", "hold",
	"count acks",
};

static void act(struct world *w, uint8_t node, const struct rblk_policy_out *out)
{
	struct daemon *d = daemon_of(w, node);
	struct rblk_arbiter_out said;
	struct event *e;
	uint8_t i;

	if (out->stop)
		stop(w, node);
	d->shun = out->shun;
	for (i = 0; i < w->nodes; i++)
		if (d->shun & BIT(i))
			kernel_cut_link(w, node, i);
	if (out->set_lease && w->node[node].kernel.primary)
		kernel_set_lease(w, node, out->lease_until_ms);
	if (out->kernel != RBLK_POLICY_KERNEL_NONE) {
		d->busy = true;
		e = post(w, w->now + 100 + random_below(w, chance(w, 10) ? 300 * MS :
							3 * MS), EV_JOB, node);
		e->epoch = d->epoch;
		e->job = malloc(sizeof(*out));
		if (!e->job)
			abort();
		*e->job = *out;
	}
	if (out->propose) {
		say(w, node, "proposes to %s %x", change_names[out->change], out->mask);
		rblk_arbiter_propose(&d->arbiter, out->change, out->mask,
				     local_ms(w, node), &said);
		obey(w, node, &said);
	}
	if (out->renew) {
		rblk_arbiter_renew(&d->arbiter, local_ms(w, node), &said);
		obey(w, node, &said);
	}
	for (i = 0; i < w->nodes; i++)
		if (out->fence & BIT(i))
			run_agent(w, node, i);
	if (out->handover != RBLK_POLICY_HANDOVER_NONE) {
		struct rblk_beat_body body = {
			.type = RBLK_BEAT_HANDOVER,
			.handover = { out->handover, out->handover_reason },
		};

		send_body(w, node, out->handover_to, &body);
		if (out->handover != RBLK_POLICY_HANDOVER_ASK)
			d->asked_by = RBLK_POLICY_NOBODY;
	}
	if (out->done) {
		say(w, node, "done with the admin's request: %s",
		    rblk_policy_reason_text(out->done_reason));
		d->request = RBLK_POLICY_WANT_NOTHING;
	}
}

/* What is not stored yet must not be relied on. */
void daemon_look(struct world *w, uint8_t node)
{
	struct daemon *d = daemon_of(w, node);
	struct rblk_policy_view v;
	struct rblk_policy_out out;
	uint64_t at;
	int i;

	if (!d->up || (d->writes && SIM_RULE(DURABLE_ACCEPT)) ||
	    w->now < w->node[node].paused_until)
		return;
	for (i = 0; i < 4; i++) {
		see(w, node, &v);
		rblk_policy_step(&d->policy, &v, local_ms(w, node), &out);
		d->beats = false;
		act(w, node, &out);
		if (d->writes || !(out.propose || out.renew))
			break;
	}
	at = global_of_ms(w, node, out.wake_at_ms);
	if (d->wake_at > w->now && d->wake_at <= at)
		return;
	d->wake_at = at;
	post(w, at, EV_WAKE, node)->epoch = d->epoch;
}

/* ---- datagrams in */

/* It does not hear this node: what it asks for would never reach it. */
static bool is_deaf(struct world *w, uint8_t node, uint8_t from)
{
	enum rblk_detector_state state =
		rblk_detector_state(&daemon_of(w, node)->detector, from,
				    local_us(w, node));

	return state == RBLK_DETECTOR_SUSPECT || state == RBLK_DETECTOR_FAILED;
}

static void take_body(struct world *w, uint8_t node, uint8_t from, uint64_t counter,
		      const struct rblk_beat_body *body)
{
	struct daemon *d = daemon_of(w, node);
	struct rblk_arbiter_out out;

	switch ((enum rblk_beat_type)body->type) {
	case RBLK_BEAT_BEAT:
		rblk_detector_receive(&d->detector, from, &body->beat, local_us(w, node));
		break;
	case RBLK_BEAT_RESOURCE:
		if (counter < d->told_by[from])
			break;
		d->told_by[from] = counter;
		d->told[from] = body->told;
		break;
	case RBLK_BEAT_ARBITER:
		if (body->arbiter.type == RBLK_ARBITER_LEASE && is_deaf(w, node, from))
			break;
		rblk_arbiter_receive(&d->arbiter, &body->arbiter, local_ms(w, node), &out);
		obey(w, node, &out);
		break;
	case RBLK_BEAT_HELD:
		if (counter < d->holds_by[from])
			break;
		d->holds_by[from] = counter;
		d->holds[from] = body->held;
		d->holds_is_new[from] = true;
		break;
	case RBLK_BEAT_HANDOVER:
		if (body->handover.what == RBLK_POLICY_HANDOVER_ASK)
			d->asked_by = from;
		else if (body->handover.what == RBLK_POLICY_HANDOVER_REFUSED &&
			 d->request == RBLK_POLICY_WANT_PROMOTE)
			d->request = RBLK_POLICY_WANT_NOTHING;
		break;
	}
}

static void packet(struct world *w, const struct event *e)
{
	struct daemon *d = daemon_of(w, e->node);
	enum rblk_session_verdict verdict;
	struct rblk_beat_reader r;
	struct rblk_beat_body body;

	if (!d->up || rblk_beat_open(&r, e->bytes, e->nr, CLUSTER) != RBLK_BEAT_OK ||
	    rblk_beat_check(&r) != RBLK_BEAT_OK)
		return;
	verdict = rblk_session_receive(&d->session[e->peer], &r.h, random64(w));
	if (!SIM_RULE(SESSION) && verdict != RBLK_SESSION_NEW)
		verdict = RBLK_SESSION_OK;
	if (verdict == RBLK_SESSION_UNKNOWN && w->now >= d->hello_at[e->peer]) {
		d->hello_at[e->peer] = w->now + HELLO_APART;
		send_hello(w, e->node, e->peer);
	}
	if (verdict == RBLK_SESSION_UNKNOWN || verdict == RBLK_SESSION_REPLAYED)
		return;
	if (e->sent_at < d->started) {
		broken(w, "what was sent before a start was acted upon",
		       "%c, from %c", 'A' + e->node, 'A' + e->peer);
		return;
	}
	if (verdict == RBLK_SESSION_NEW) {
		rblk_detector_restarted(&d->detector, e->peer, local_us(w, e->node));
		memset(&d->told[e->peer], 0, sizeof(d->told[0]));
		d->told_by[e->peer] = 0;
		d->holds_by[e->peer] = 0;
		d->holds_is_new[e->peer] = false;
		d->met_at[e->peer] = w->now;
		send_hello(w, e->node, e->peer);
	}
	while (!w->broken && rblk_beat_next(&r, &body))
		take_body(w, e->node, e->peer, r.h.counter, &body);
	daemon_look(w, e->node);
}

/* It has what this node said last, and would say now. */
static bool knows(const struct daemon *d, uint8_t peer, uint64_t hash)
{
	return d->holds_is_new[peer] && d->holds[peer] == d->told_hash && hash == d->told_hash;
}

static void beat(struct world *w, uint8_t node)
{
	struct daemon *d = daemon_of(w, node);
	struct rblk_beat_body body, told = { .type = RBLK_BEAT_RESOURCE };
	struct rblk_beat_body held = { .type = RBLK_BEAT_HELD };
	uint64_t hash;
	struct rblk_beat_writer out;
	struct rblk_policy_view v;
	uint8_t i;

	d->beats = true;
	see(w, node, &v);
	rblk_policy_tell(&d->policy, &v, &told.told);
	memcpy(told.uuid, uuid, sizeof(uuid));
	hash = rblk_beat_hash(uuid, &told.told);
	for (i = 0; i < w->nodes; i++) {
		if (i == node)
			continue;
		if (!rblk_session_is_open(&d->session[i])) {
			send_hello(w, node, i);
			continue;
		}
		memset(&body, 0, sizeof(body));
		body.type = RBLK_BEAT_BEAT;
		rblk_detector_send(&d->detector, i, 0, local_us(w, node), &body.beat);
		held.held = v.peer[i].alive ? rblk_beat_hash(uuid, &d->told[i]) : 0;
		begin(w, node, i, &out);
		if (!rblk_beat_add(&out, &body) || !rblk_beat_add(&out, &held) ||
		    (!knows(d, i, hash) && !rblk_beat_add(&out, &told)))
			abort();
		d->holds_is_new[i] = false;
		send(w, node, i, &out);
	}
	d->told_hash = hash;
	post(w, w->now + (uint64_t)(INTERVAL_MS * MS / w->node[node].rate), EV_BEAT,
	     node)->epoch = d->epoch;
	daemon_look(w, node);
}

/* ---- start, stop, events */

void daemon_start(struct world *w, uint8_t node)
{
	struct rblk_policy_config c = {
		.self = node, .data = w->data,
		.synchronous = w->data & ~w->asynchronous,
		.fenceable = w->fenceable, .interval_ms = INTERVAL_MS,
		.grace_ms = GRACE_MS, .min_in_sync = w->min_in_sync,
		.acks = w->node[node].acks,
	};
	struct daemon *d = daemon_of(w, node);
	enum rblk_policy_request request = d->request;
	uint32_t epoch = d->epoch;
	uint8_t i;

	say(w, node, "the daemon starts");
	memset(d, 0, sizeof(*d));
	d->up = true;
	d->epoch = epoch;
	d->started = w->now;
	d->asked_by = RBLK_POLICY_NOBODY;
	d->shun = BIT(NODES) - 1;	/* until the first step says whom */
	/* The very first request of all is made before anybody is up. */
	if (w->now < SECOND)
		d->request = request;
	rblk_arbiter_start(&d->arbiter, node, w->node[node].has_store ?
			   &w->node[node].disk : NULL, LEASE_MS, MARGIN_MS,
			   local_ms(w, node));
	if (!SIM_RULE(WORD_AFTER_START))
		d->arbiter.grant_term = 0;
	rblk_policy_start(&d->policy, &c);
	rblk_detector_start(&d->detector, node, INTERVAL_MS, MISSES);
	for (i = 0; i < w->nodes; i++) {
		rblk_detector_watch(&d->detector, i, 1, local_us(w, node));
		rblk_session_start(&d->session[i], random64(w));
	}
	post(w, w->now + random_below(w, 20 * MS), EV_BEAT, node)->epoch = d->epoch;
}

void daemon_stop(struct world *w, uint8_t node)
{
	struct daemon *d = daemon_of(w, node);

	if (!d->up)
		return;
	say(w, node, "the daemon dies");
	/* A write that was under way may have come through. */
	if (d->writes && chance(w, 50)) {
		w->node[node].disk = d->writing;
		w->node[node].has_store = true;
	}
	d->up = false;
	d->shun = 0;
	d->epoch++;
}

void daemon_event(struct world *w, const struct event *e)
{
	struct daemon *d = daemon_of(w, e->node);

	if (e->kind == EV_PACKET) {
		packet(w, e);
		return;
	}
	if (e->kind == EV_FENCE_DO) {
		/* Even if who asked for it is gone. */
		machine_off(w, e->peer, true, w->now + 300 * MS +
			    random_below(w, 2 * SECOND));
		return;
	}
	if (!d->up || d->epoch != e->epoch)
		return;
	if (e->kind == EV_BEAT) {
		beat(w, e->node);
	} else if (e->kind == EV_WAKE) {
		d->wake_at = 0;
		daemon_look(w, e->node);
	} else if (e->kind == EV_STORED) {
		stored(w, e->node);
	} else if (e->kind == EV_FENCE_SAY) {
		agent_said(w, e->node, e->peer, e->a);
	} else if (e->kind == EV_JOB) {
		d->busy = false;
		if (!kernel_job(w, e->node, e->job)) {
			say(w, e->node, "the kernel refuses");
			d->failures++;
		}
		if (!w->broken)
			daemon_look(w, e->node);
	}
}

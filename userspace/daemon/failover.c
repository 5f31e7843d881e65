// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover.c - life of an automatic resource, its steps, requests of an admin
 */
#include "failover.h"

#include "exitcode.h"
#include "ident.h"
#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define MAX_STEPS	16	/* of one resource in a row; then others have a turn */

static uint64_t now_of(const struct rblk_engine *e)
{
	return e->ops->boottime_us(e->ctx) / 1000;
}

/* Other nodes tell of resources in the order in which they are listed here as well. */
static struct rblk_failover *find(struct rblk_engine *e,
				  bool (*is)(const struct rblk_failover *f, const void *what),
				  const void *what)
{
	struct rblk_failover *last = e->found_last, *f;

	for (f = last; f; f = f->next)
		if (is(f, what))
			goto found;
	for (f = e->failovers; f != last; f = f->next)
		if (is(f, what))
			goto found;
	return NULL;
found:
	e->found_last = f->next;
	return f;
}

static bool has_name(const struct rblk_failover *f, const void *name)
{
	return strcmp(f->name, name) == 0;
}

static bool has_uuid(const struct rblk_failover *f, const void *uuid)
{
	return memcmp(f->uuid, uuid, sizeof(f->uuid)) == 0;
}

struct rblk_failover *rblk_failover_find(struct rblk_engine *e, const char *name)
{
	return find(e, has_name, name);
}

void rblk_failover_due(struct rblk_engine *e, const char *name)
{
	struct rblk_failover *f;

	for (f = e->failovers; f; f = f->next) {
		if (name && strcmp(f->name, name) != 0)
			continue;
		f->is_due = true;
		f->is_stale = true;
	}
}

/* ---- configuration ---- */

static uint16_t synchronous(const struct rblk_config_resource *r, uint8_t self)
{
	uint16_t mask = 0;
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (i != self && r->members & (1U << i) && r->protocol[i] != 'A')
			mask |= 1U << i;
	return mask;
}

static uint16_t fenceable(const struct rblk_config *c, uint8_t self)
{
	uint16_t mask = 0;
	size_t i;

	for (i = 0; i < c->nodes_n; i++)
		if (c->nodes[i].id != self && c->nodes[i].fences_n)
			mask |= 1U << c->nodes[i].id;
	return mask;
}

static struct rblk_policy_config policy_config(const struct rblk_engine *e,
					       const struct rblk_config_resource *r)
{
	static const enum rblk_policy_strategy strategies[] = {
		[RBLK_CONFIG_MOST_UP_TO_DATE] = RBLK_POLICY_MOST_UP_TO_DATE,
		[RBLK_CONFIG_SUCCESSOR] = RBLK_POLICY_SUCCESSOR,
		[RBLK_CONFIG_ELECTION] = RBLK_POLICY_ELECTION,
	};
	struct rblk_policy_config c = {
		.self = e->node->id, .data = r->members,
		.synchronous = synchronous(r, e->node->id),
		.fenceable = fenceable(e->config, e->node->id),
		.acks = r->acks, .min_in_sync = r->failover.min_in_sync,
		.strategy = strategies[r->failover.promotion],
		.nr_successors = r->failover.successors_n,
		.interval_ms = e->config->beat_ms,
		.grace_ms = rblk_config_detect_ms(e->config),
	};

	memcpy(c.successor, r->failover.successors, sizeof(c.successor));
	return c;
}

static bool is_mine(const struct rblk_engine *e,
		    const struct rblk_config_resource *r)
{
	return rblk_config_decides(r) &&
	       (r->members | r->witnesses) & (1U << e->node->id);
}

static const struct rblk_failover_arbiter *keeper(const struct rblk_config_resource *r)
{
	return r->failover.arbiter == RBLK_CONFIG_ETCD ? &rblk_failover_etcd :
							 &rblk_failover_builtin;
}

static void add(struct rblk_engine *e, const struct rblk_config_resource *r)
{
	struct rblk_failover *f = rblk_xcalloc(1, sizeof(*f));
	struct rblk_policy_config config = policy_config(e, r);

	rblk_text_copy(f->name, sizeof(f->name), r->name);
	rblk_ident_uuid(e->config->cluster, r->name, f->uuid);
	f->lease_ms = r->failover.lease_ms;
	f->margin_ms = r->failover.margin_ms;
	f->store = rblk_xcalloc(1, sizeof(*f->store));
	f->store->fd = -1;
	f->arbiter.self = e->node->id;
	f->view.asked_by = RBLK_POLICY_NOBODY;
	f->shun = UINT16_MAX;		/* until the first step says whom */
	f->view.arbiter = &f->arbiter;
	f->keeper = keeper(r);
	f->keeper->open(f, e);
	rblk_policy_start(&f->policy, &config);
	f->is_due = true;
	f->is_stale = true;
	f->next = e->failovers;
	e->failovers = f;
}

/*
 * Leases change with the next one: a voter grants none that is longer than its own. What
 * stayed as it was is left alone: the configuration is read again for each
 * resource that is created or brought up.
 */
static void follow(struct rblk_failover *f, struct rblk_engine *e,
		   const struct rblk_config_resource *r)
{
	struct rblk_policy_config config = policy_config(e, r);
	uint16_t voters = r->members | r->witnesses;

	if (memcmp(&config, &f->policy.config, sizeof(config)) != 0 ||
	    voters != f->voters || r->members != f->data) {
		f->is_due = true;
		f->is_stale = true;
	}
	f->voters = voters;
	f->data = r->members;
	f->lease_ms = r->failover.lease_ms;
	f->margin_ms = r->failover.margin_ms;
	f->arbiter.lease = f->lease_ms;
	f->arbiter.margin = f->margin_ms;
	f->policy.config = config;
	/* 'rblk create' may have mended it, and had this read again */
	if (f->arbiter.mute && !f->writing)
		f->keeper->open_again(f, e);
}

static void answer(struct rblk_failover *f, struct rblk_outcome out)
{
	struct rblk_call *call = f->request.call;

	f->request = (struct rblk_failover_request){ .want = RBLK_POLICY_WANT_NOTHING };
	if (!call)
		return;
	rblk_call_result(call, f->name, &out);
	rblk_call_release(call);
}

/* What is being written is closed by whoever writes it. */
static void drop(struct rblk_failover *f)
{
	struct rblk_outcome over = rblk_outcome_say(RBLK_EXIT_REFUSED,
						    "is not automatic any more");

	answer(f, over);
	if (f->voter.call) {
		rblk_call_result(f->voter.call, f->name, &over);
		rblk_call_release(f->voter.call);
	}
	if (!f->writing) {
		rblk_ballot_close(f->store);
		free(f->store);
	}
	free(f);
}

/*
 * It is manual now, or has another arbiter, says the configuration, but the module
 * still needs leases: all goes on as it was until 'rblk adjust'. Else its I/O would stop because somebody
 * had the configuration read again.
 */
static bool is_in_use(struct rblk_failover *f, struct rblk_engine *e,
		      const struct rblk_config_resource *r)
{
	if (!r || !rblk_engine_find(e, f->name))
		return false;
	f->is_stale = true;
	rblk_failover_look(f, e, now_of(e));
	return f->view.leased;
}

void rblk_failover_configure(struct rblk_engine *e)
{
	struct rblk_failover **at = &e->failovers, *f;
	const struct rblk_config_resource *r;
	size_t i;

	while ((f = *at)) {
		r = rblk_config_resource(e->config, f->name);
		if ((r && is_mine(e, r) && f->keeper == keeper(r)) ||
		    is_in_use(f, e, r)) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		e->found_last = NULL;
		drop(f);
	}
	for (i = 0; i < e->config->resources_n; i++) {
		r = &e->config->resources[i];
		if (!is_mine(e, r))
			continue;
		if (!rblk_failover_find(e, r->name))
			add(e, r);
		follow(rblk_failover_find(e, r->name), e, r);
	}
}

void rblk_failover_stop(struct rblk_engine *e)
{
	struct rblk_failover *f;

	e->found_last = NULL;
	while ((f = e->failovers)) {
		e->failovers = f->next;
		drop(f);
	}
}

/* ---- a step ---- */

static void hand_over(struct rblk_failover *f, struct rblk_engine *e,
		      const struct rblk_policy_out *out)
{
	struct rblk_beat_body body = { .type = RBLK_BEAT_HANDOVER };

	if (out->handover == RBLK_POLICY_HANDOVER_NONE)
		return;
	memcpy(body.uuid, f->uuid, sizeof(body.uuid));
	body.handover.what = out->handover;
	body.handover.reason = out->handover_reason;
	rblk_cluster_put(&e->cluster, out->handover_to, &body);
	if (out->handover != RBLK_POLICY_HANDOVER_ASK)
		f->view.asked_by = RBLK_POLICY_NOBODY;
}

static const char *details(const struct rblk_failover *f)
{
	return f->arbiter.mute ? f->mute_why : f->failure;
}

static void tell_admin(struct rblk_failover *f, const struct rblk_policy_out *out)
{
	if (out->done_reason != RBLK_POLICY_FINE)
		answer(f, rblk_outcome_say(RBLK_EXIT_REFUSED, "%s%s%s",
				rblk_policy_reason_text(out->done_reason),
				*details(f) ? ": " : "", details(f)));
	else if (f->request.want == RBLK_POLICY_WANT_PROMOTE)
		answer(f, rblk_outcome_say(RBLK_EXIT_OK, "primary, generation %llu",
				(unsigned long long)f->arbiter.known.gen));
	else
		answer(f, rblk_outcome_say(RBLK_EXIT_OK, "backup"));
}

static void check_limit(struct rblk_failover *f, uint64_t now)
{
	if (f->request.want == RBLK_POLICY_WANT_NOTHING ||
	    now < f->request.until_ms)
		return;
	answer(f, rblk_outcome_say(RBLK_EXIT_TIMEOUT, "not in time; waits: %s%s%s",
				   rblk_policy_reason_text(f->waits),
				   *details(f) ? ": " : "", details(f)));
}

static void perform(struct rblk_failover *f, struct rblk_engine *e,
		    const struct rblk_policy_out *out)
{
	if (out->stop)
		rblk_failover_stop_kernel(f, e);
	rblk_failover_shun(f, e, f->keeper->shun(f, e, out->shun));
	if (out->set_lease && !f->stopping)
		rblk_failover_set_lease(f, e, out->lease_until_ms);
	rblk_failover_act(f, e, out);
	if (out->propose)
		f->keeper->propose(f, e, out->change, out->mask);
	if (out->renew)
		f->keeper->renew(f, e);
	rblk_failover_fence(f, e, out->fence);
	hand_over(f, e, out);
	if (out->done)
		tell_admin(f, out);
	rblk_failover_note(f, e, out->notes, out->note_node);
	if (out->waits != f->waits && out->waits != RBLK_POLICY_FINE)
		rblk_log(RBLK_LOG_DEBUG, f->name, NULL, "waits: %s",
			 rblk_policy_reason_text(out->waits));
	f->waits = out->waits;
	f->waits_for = out->waits_for;
	f->copies = out->copies;
	f->copies_needed = out->copies_needed;
	f->wake_ms = out->wake_at_ms;
}

static void step(struct rblk_failover *f, struct rblk_engine *e)
{
	uint64_t now = now_of(e);
	struct rblk_policy_out out;

	f->is_due = false;
	check_limit(f, now);
	rblk_failover_look(f, e, now);
	rblk_policy_step(&f->policy, &f->view, now, &out);
	f->view.beat = false;
	perform(f, e, &out);
	rblk_failover_copy_over(f, e, now);
	if (rblk_failover_is_settled(f))
		rblk_failover_go_on_with_voter(f, e, now);
}

/* A lease that nobody could end is over when its time is. */
static void pass_lease(struct rblk_failover *f, struct rblk_engine *e,
		       uint64_t now)
{
	if (!f->stopping || now <= f->lease_set_ms)
		return;
	f->stopping = false;
	rblk_failover_settle(f, e);
	f->is_due = true;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t run_one(struct rblk_failover *f, struct rblk_engine *e)
{
	uint64_t now = now_of(e), wake;
	unsigned int steps = 0;

	pass_lease(f, e, now);
	f->keeper->pass_time(f, e, now);
	if (now >= f->wake_ms)
		f->is_due = true;
	while (f->is_due && rblk_failover_is_settled(f)) {
		step(f, e);
		if (++steps == MAX_STEPS)
			return now + 1;
	}
	wake = f->keeper->pass_time(f, e, now);
	if (f->stopping)
		wake = earlier(wake, f->lease_set_ms + 1);
	if (f->request.want != RBLK_POLICY_WANT_NOTHING)
		wake = earlier(wake, f->request.until_ms);
	/* unsettled: whoever settles it runs this again */
	return rblk_failover_is_settled(f) ? earlier(wake, f->wake_ms) : wake;
}

uint64_t rblk_failover_run(struct rblk_engine *e)
{
	struct rblk_failover *f;
	uint64_t wake = UINT64_MAX, now = now_of(e);

	for (f = e->failovers; f; f = f->next) {
		if (f->is_due || now >= f->run_ms)
			f->run_ms = run_one(f, e);
		wake = earlier(wake, f->run_ms);
	}
	return wake;
}

/* ---- others, and the admin ---- */

/*
 * With etcd hearing of a node counts as contact: those are told of each time, and are
 * in nobody's sums.
 */
static bool is_summed(const struct rblk_failover *f)
{
	return f->keeper == &rblk_failover_builtin;
}

uint64_t rblk_failover_held(const struct rblk_engine *e, uint8_t node)
{
	const struct rblk_failover *f;
	uint64_t sum = 0;

	for (f = e->failovers; f; f = f->next)
		if (is_summed(f) && f->told_nodes & (1U << node))
			sum += rblk_beat_hash(f->uuid, &f->view.peer[node].told);
	return sum;
}

/* Nodes that said, since this node's last beat, that they have all it ever said to them. */
static uint16_t nodes_that_know(struct rblk_engine *e)
{
	uint64_t sum[RBLK_MAX_NODES] = { 0 };
	const struct rblk_failover *f;
	uint16_t nodes = 0;
	unsigned int i;

	for (f = e->failovers; f; f = f->next)
		for (i = 0; i < RBLK_MAX_NODES; i++)
			if (is_summed(f) && f->tells && f->voters & (1U << i))
				sum[i] += f->told_hash;
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		if (e->held[i].is_new && e->held[i].sum == sum[i])
			nodes |= 1U << i;
		e->held[i].is_new = false;
	}
	return nodes;
}

static void tell(struct rblk_failover *f, struct rblk_engine *e, uint16_t know)
{
	struct rblk_beat_body body = { .type = RBLK_BEAT_RESOURCE };
	uint16_t to = f->voters;
	unsigned int i;
	uint64_t hash;

	memcpy(body.uuid, f->uuid, sizeof(body.uuid));
	rblk_policy_tell(&f->policy, &f->view, &body.told);
	hash = rblk_beat_hash(f->uuid, &body.told);
	if (is_summed(f) && f->tells && hash == f->told_hash)
		to &= ~know;
	f->tells = true;
	f->told_hash = hash;
	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (to & (1U << i))
			rblk_cluster_put(&e->cluster, i, &body);
}

void rblk_failover_beat(struct rblk_engine *e)
{
	uint16_t know = nodes_that_know(e);
	struct rblk_failover *f;

	for (f = e->failovers; f; f = f->next) {
		f->is_due = true;
		f->view.beat = true;
		rblk_failover_ask_fresh(f, e);
		/* what is not durable is not told */
		if (rblk_failover_is_settled(f))
			tell(f, e, know);
	}
}

/*
 * A primary that does not hear this node gets no answer to what it asks. This node's
 * word would only keep others from taking its place, as long as it asks.
 */
static bool is_deaf(const struct rblk_engine *e, uint8_t node)
{
	enum rblk_detector_state state = rblk_cluster_state(&e->cluster, node);

	return state == RBLK_DETECTOR_SUSPECT || state == RBLK_DETECTOR_FAILED;
}

static void take_handover(struct rblk_failover *f, struct rblk_engine *e,
			  uint8_t node, const struct rblk_beat_handover *h)
{
	switch ((enum rblk_policy_handover)h->what) {
	case RBLK_POLICY_HANDOVER_ASK:
		f->view.asked_by = node;
		break;
	case RBLK_POLICY_HANDOVER_REFUSED:
		if (f->request.want == RBLK_POLICY_WANT_PROMOTE &&
		    h->reason < __RBLK_POLICY_REASON_END)
			answer(f, rblk_outcome_say(RBLK_EXIT_REFUSED,
				"%s is primary and does not hand over: %s",
				rblk_engine_peer_name(e, node),
				rblk_policy_reason_text(h->reason)));
		break;
	case RBLK_POLICY_HANDOVER_OK:
	case RBLK_POLICY_HANDOVER_NONE:
		break;
	}
}

static void take_held(struct rblk_engine *e, uint8_t node, uint64_t sum)
{
	uint64_t counter = e->cluster.node[node].counter;

	/* overtaken by what it said later */
	if (counter < e->held[node].counter)
		return;
	e->held[node] = (struct rblk_engine_held){
		.sum = sum, .counter = counter, .is_new = true,
	};
}

void rblk_failover_told(struct rblk_engine *e, uint8_t node,
			const struct rblk_beat_body *body)
{
	struct rblk_failover *f;

	if (node >= RBLK_MAX_NODES)
		return;
	if (body->type == RBLK_BEAT_HELD) {
		take_held(e, node, body->held);
		return;
	}
	f = find(e, has_uuid, body->uuid);
	if (!f)
		return;
	switch ((enum rblk_beat_type)body->type) {
	case RBLK_BEAT_RESOURCE:
		/* overtaken by what it said later */
		if (e->cluster.node[node].counter < f->told_by[node])
			break;
		f->told_by[node] = e->cluster.node[node].counter;
		if (memcmp(&f->view.peer[node].told, &body->told,
			   sizeof(body->told)) != 0)
			f->is_due = true;
		f->view.peer[node].told = body->told;
		f->told_nodes |= 1U << node;
		f->keeper->heard(f, node);
		break;
	case RBLK_BEAT_ARBITER:
		if (body->arbiter.type == RBLK_ARBITER_LEASE && is_deaf(e, node))
			break;
		f->keeper->receive(f, e, &body->arbiter);
		break;
	case RBLK_BEAT_HANDOVER:
		take_handover(f, e, node, &body->handover);
		f->is_due = true;
		f->is_stale = true;	/* is it open? */
		break;
	case RBLK_BEAT_BEAT:
	case RBLK_BEAT_HELD:
		break;
	}
}

void rblk_failover_ask(struct rblk_failover *f, struct rblk_engine *e,
		       enum rblk_policy_request want, uint32_t flags,
		       uint64_t limit_ms, struct rblk_call *call)
{
	struct rblk_outcome out;

	if (f->request.want != RBLK_POLICY_WANT_NOTHING) {
		out = rblk_outcome_say(RBLK_EXIT_REFUSED,
				       "another request is under way; it ends within %llu s",
				       (unsigned long long)
				       (f->request.until_ms - now_of(e)) / 1000);
		rblk_call_result(call, f->name, &out);
		return;
	}
	f->failure[0] = '\0';
	f->request = (struct rblk_failover_request){
		.want = want, .from = rblk_failover_newest(f)->primary,
		.flags = flags, .until_ms = now_of(e) + limit_ms, .call = call,
	};
	rblk_call_hold(call);
	f->is_due = true;
	f->is_stale = true;
}

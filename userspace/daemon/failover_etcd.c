// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover_etcd.c - the arbiter etcd: its register is a key there
 *
 * core/shared.c decides what is asked and what an answer means. One request of a
 * resource is under way at a time. While it changes the record the policy does not
 * look, as long as a request may take at most; while it renews a lease, or only
 * looks, it does. An etcd that does not answer leaves the arbiter mute.
 */
#include "failover.h"

#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static uint64_t now_of(const struct rblk_engine *e)
{
	return e->ops->boottime_us(e->ctx) / 1000;
}

static void draw(const struct rblk_engine *e, uint8_t nonce[RBLK_SHARED_NONCE_BYTES])
{
	uint64_t half[2] = { e->ops->token(e->ctx), e->ops->token(e->ctx) };

	memcpy(nonce, half, sizeof(half));
}

static bool is_idle(const struct rblk_failover *f)
{
	return !f->etcd.call && f->etcd.shared.request == RBLK_SHARED_NOTHING &&
	       !f->stopping && !f->dirty;
}

/* ---- what failed ---- */

static void become_mute(struct rblk_failover *f, const char *why)
{
	f->arbiter.mute = true;
	rblk_text_copy(f->mute_why, sizeof(f->mute_why), why);
	if (!f->etcd.is_down)
		rblk_log(RBLK_LOG_ERROR, f->name, NULL, "etcd: %s", why);
	f->etcd.is_down = true;
}

static void conclude(struct rblk_failover *f, struct rblk_engine *e,
		     const struct rblk_arbiter_out *out)
{
	uint8_t i;

	if (out->stop)
		rblk_failover_stop_kernel(f, e);
	for (i = 0; i < out->nr_learned; i++)
		rblk_failover_log_record(f, e, &out->learned[i]);
	if (!f->etcd.waits)
		f->dirty = false;
	f->is_due = true;
}

/* @final: another endpoint would say the same. */
static void failed(struct rblk_failover *f, struct rblk_engine *e, const char *why,
		   bool final)
{
	uint64_t now = now_of(e);
	struct rblk_arbiter_out out;

	rblk_shared_unknown(&f->etcd.shared, &f->arbiter, now, &out);
	conclude(f, e, &out);
	f->etcd.endpoint++;
	f->etcd.failures++;
	rblk_log(RBLK_LOG_DEBUG, f->name, NULL, "etcd: %s", why);
	if (final || f->etcd.failures > e->config->etcd.endpoints_n)
		become_mute(f, why);
	f->etcd.look_ms = f->etcd.failures < e->config->etcd.endpoints_n && !final ?
			  now : now + e->config->beat_ms;
}

/* ---- requests ---- */

static void ask(struct rblk_failover *f, struct rblk_engine *e)
{
	const struct rblk_shared *s = &f->etcd.shared;
	char *key = rblk_etcd_key(e->config->cluster, f->name);
	uint8_t bytes[RBLK_SHARED_BYTES];
	struct rblk_etcd_call *call;

	if (!e->config->etcd.endpoints_n) {
		failed(f, e, "the configuration does not say any more where it is", true);
		free(key);
		return;
	}
	call = rblk_etcd_new_call(&e->config->etcd, f->etcd.endpoint,
				  e->config->beat_ms);
	rblk_text_copy(call->resource, sizeof(call->resource), f->name);
	if (!++e->etcd_calls)
		e->etcd_calls++;
	call->id = e->etcd_calls;
	f->etcd.call = call->id;
	f->etcd.asked_ms = now_of(e);
	f->etcd.swaps = s->request == RBLK_SHARED_WRITE;
	if (f->etcd.swaps) {
		rblk_shared_put(bytes, f->uuid, &s->next);
		rblk_etcd_ask_to_swap(call, key, s->revision, bytes, sizeof(bytes));
	} else {
		rblk_etcd_ask_to_read(call, key);
	}
	free(key);
	e->ops->ask_etcd(e->ctx, call);
}

static void propose_now(struct rblk_failover *f, struct rblk_engine *e)
{
	uint8_t nonce[RBLK_SHARED_NONCE_BYTES];
	struct rblk_arbiter_out out;

	f->etcd.waits = false;
	draw(e, nonce);
	rblk_shared_propose(&f->etcd.shared, &f->arbiter, f->etcd.change,
			    f->etcd.mask, nonce, now_of(e), &out);
	if (out.stop)
		rblk_failover_stop_kernel(f, e);
	if (f->etcd.shared.request != RBLK_SHARED_NOTHING)
		return;
	f->dirty = false;
	f->is_due = true;
}

/* The kernel has stopped, or did not have to; nothing else is under way. */
static void settle(struct rblk_failover *f, struct rblk_engine *e)
{
	if (f->etcd.call)
		return;
	if (f->etcd.waits && f->etcd.shared.request == RBLK_SHARED_NOTHING)
		propose_now(f, e);
	if (f->etcd.shared.request != RBLK_SHARED_NOTHING && !f->stopping)
		ask(f, e);
}

static void propose(struct rblk_failover *f, struct rblk_engine *e,
		    enum rblk_arbiter_change change, uint16_t mask)
{
	f->dirty = true;
	f->etcd.waits = true;
	f->etcd.change = change;
	f->etcd.mask = mask;
	rblk_failover_settle(f, e);
}

static void renew(struct rblk_failover *f, struct rblk_engine *e)
{
	uint8_t nonce[RBLK_SHARED_NONCE_BYTES];

	if (!is_idle(f))
		return;
	draw(e, nonce);
	if (rblk_shared_renew(&f->etcd.shared, &f->arbiter, nonce, now_of(e)))
		ask(f, e);
}

/* ---- answers ---- */

/* This node promised more than the register knows of: it lost writes. */
static bool is_behind_node(struct rblk_failover *f, struct rblk_engine *e,
			   const struct rblk_shared_value *value)
{
	const struct rblk_engine_resource *r = rblk_engine_find(e, f->name);

	return r && rblk_policy_gen_of(r->record.generation) > value->store.record.gen;
}

static void take(struct rblk_failover *f, struct rblk_engine *e,
		 const struct rblk_shared_value *value, uint64_t revision)
{
	uint64_t now = now_of(e);
	struct rblk_arbiter_out out;

	if (!rblk_shared_answer(&f->etcd.shared, &f->arbiter, value, revision, now,
				&out)) {
		conclude(f, e, &out);
		become_mute(f, "its register is older than what was read before: was etcd restored from a backup?");
		f->etcd.look_ms = now + e->config->beat_ms;
		return;
	}
	if (f->mute_why[0])
		rblk_log(RBLK_LOG_INFO, f->name, NULL, "etcd answers");
	f->mute_why[0] = '\0';
	f->etcd.is_down = false;
	f->etcd.failures = 0;
	f->etcd.look_ms = now + e->config->beat_ms;
	conclude(f, e, &out);
	/* somebody wrote in between, and it still leads: once more, at once */
	if (value && f->etcd.swaps && f->arbiter.lead_term)
		renew(f, e);
}

static void answer(struct rblk_failover *f, struct rblk_engine *e,
		   const struct rblk_etcd_call *call)
{
	char *key = rblk_etcd_key(e->config->cluster, f->name);
	struct rblk_shared_value value;
	struct rblk_etcd_reply reply;
	enum rblk_arbiter_slot err;
	char why[640];
	const char *wrong;

	wrong = rblk_etcd_parse(call->answer, call->length, key, f->etcd.swaps, &reply);
	free(key);
	if (wrong) {
		rblk_text_format(why, sizeof(why), "%s: bad answer: %s", call->url,
				 wrong);
		failed(f, e, why, false);
		return;
	}
	if (f->etcd.cluster && f->etcd.cluster != reply.cluster) {
		rblk_text_format(why, sizeof(why),
				 "%s is of etcd cluster %llx; until now it was %llx: the endpoints must be of one",
				 call->url, (unsigned long long)reply.cluster,
				 (unsigned long long)f->etcd.cluster);
		failed(f, e, why, false);
		return;
	}
	f->etcd.cluster = reply.cluster;
	if (reply.swapped) {
		take(f, e, NULL, reply.revision);
		return;
	}
	if (!reply.found) {
		rblk_text_format(why, sizeof(why),
				 "it has no register: run 'rblk create %s', or 'rblk create --register %s' if there is data",
				 f->name, f->name);
		failed(f, e, why, true);
		return;
	}
	err = rblk_shared_get(reply.value, reply.n, f->uuid, &value);
	if (err != RBLK_ARBITER_SLOT_OK) {
		rblk_text_format(why, sizeof(why), "its register is %s",
				 err == RBLK_ARBITER_SLOT_FOREIGN ?
				 "another resource's" : rblk_arbiter_slot_strerror(err));
		failed(f, e, why, true);
		return;
	}
	if (is_behind_node(f, e, &value)) {
		failed(f, e, "its register is older than this node's data: was etcd restored from a backup?",
		       true);
		return;
	}
	take(f, e, &value, reply.revision);
}

void rblk_failover_etcd_answered(struct rblk_engine *e, struct rblk_etcd_call *call)
{
	struct rblk_failover *f = rblk_failover_find(e, call->resource);

	if (f && f->etcd.call == call->id) {
		f->etcd.call = 0;
		f->etcd.known_ms = f->etcd.asked_ms;
		if (call->ok)
			answer(f, e, call);
		else
			failed(f, e, call->why, false);
		rblk_failover_settle(f, e);
	}
	rblk_etcd_free_call(call);
}

/* ---- the rest ---- */

static void open_it(struct rblk_failover *f, struct rblk_engine *e)
{
	f->retry_ms = 0;
	f->etcd.look_ms = 0;
	if (f->etcd.started && rblk_engine_find(e, f->name))
		return;
	/* what is not up may begin anew: 'rblk create' wrote another register */
	memset(&f->etcd, 0, sizeof(f->etcd));
	f->dirty = false;
	f->etcd.started = true;
	rblk_shared_start(&f->etcd.shared, &f->arbiter, e->node->id, f->lease_ms,
			  f->margin_ms);
	rblk_text_copy(f->mute_why, sizeof(f->mute_why), "it has not answered yet");
}

static void receive(struct rblk_failover *f, struct rblk_engine *e,
		    const struct rblk_arbiter_msg *msg)
{
	(void)f;
	(void)e;
	(void)msg;
}

/* Whoever is heard of may have started since it was switched off. */
static void heard(struct rblk_failover *f, uint8_t node)
{
	struct rblk_arbiter_out out = { .nr = 0 };

	rblk_arbiter_contact(&f->arbiter, node, &out);
}

/*
 * A peer may have become primary since the register was read last, and rightly: its
 * link is ended only when the register, asked now, does not know it.
 */
static uint16_t shun(struct rblk_failover *f, struct rblk_engine *e, uint16_t nodes)
{
	uint16_t news = nodes & ~f->shun & f->linked;
	uint64_t now = now_of(e);

	if (news && !f->etcd.doubt_ms) {
		f->etcd.doubt_ms = now;
		f->etcd.look_ms = now;
	}
	if (news && f->etcd.known_ms < f->etcd.doubt_ms &&
	    now - f->etcd.doubt_ms < e->config->beat_ms)
		return nodes & ~news;
	f->etcd.doubt_ms = 0;
	return nodes;
}

/*
 * A node that does not lead looks, to know when a lease was last renewed. One that
 * leads renews when the policy says so; by another endpoint if one has failed.
 */
static uint64_t pass_time(struct rblk_failover *f, struct rblk_engine *e, uint64_t now)
{
	if (!is_idle(f) || (f->arbiter.lead_term && !f->etcd.failures))
		return UINT64_MAX;
	if (now < f->etcd.look_ms)
		return f->etcd.look_ms;
	if (f->arbiter.lead_term) {
		renew(f, e);
		return UINT64_MAX;
	}
	rblk_shared_look(&f->etcd.shared);
	ask(f, e);
	return UINT64_MAX;
}

const struct rblk_failover_arbiter rblk_failover_etcd = {
	.name = "etcd",
	.open = open_it,
	.open_again = open_it,
	.propose = propose,
	.renew = renew,
	.settle = settle,
	.receive = receive,
	.heard = heard,
	.shun = shun,
	.pass_time = pass_time,
};

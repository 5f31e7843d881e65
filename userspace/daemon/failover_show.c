// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover_show.c - status, and the record of what happened
 */
#include "failover.h"

#include "log.h"
#include "text.h"

#include <string.h>

/* ---- the record ---- */

static const char *name_of(const struct rblk_engine *e, uint8_t node)
{
	return node < RBLK_MAX_NODES ? rblk_engine_peer_name(e, node) : NULL;
}

static void keep(struct rblk_failover *f, struct rblk_engine *e)
{
	int rc = rblk_history_add(e->state_dir, f->name, &f->record,
				  name_of(e, f->record.from),
				  name_of(e, f->record.to));

	if (rc < 0)
		rblk_log(RBLK_LOG_WARNING, f->name, NULL,
			 "the record of this failover is not kept: %s",
			 strerror(-rc));
}

const struct rblk_arbiter_record *
rblk_failover_newest(const struct rblk_failover *f)
{
	return f->arbiter.known.version > f->arbiter.store.record.version ?
	       &f->arbiter.known : &f->arbiter.store.record;
}

/* The register chose this node, the module refused, and nobody was promoted since. */
static bool is_retry(const struct rblk_failover *f)
{
	const struct rblk_history_record *r = &f->record;

	return r->kind && r->given_up_ms && r->generation &&
	       r->generation == rblk_failover_newest(f)->gen;
}

/* This node is primary by the register, and is promoted anew. */
static const char *why_again(const struct rblk_failover *f,
			     const struct rblk_history_record *before)
{
	if (before->promoted_ms)
		return "its term had ended, and nobody took its place";
	return f->view.primary ? "its daemon started anew, the module had gone on" :
				 "it came back, and nobody had taken its place";
}

/* A new attempt: what is remembered of the one before is in its file. */
static void begin(struct rblk_failover *f, struct rblk_engine *e, bool failed,
		  uint8_t node)
{
	bool asked = f->request.want == RBLK_POLICY_WANT_PROMOTE;
	struct rblk_history_record *r = &f->record, before = *r;

	if (!failed && !asked && is_retry(f)) {
		*r = (struct rblk_history_record){
			.kind = before.kind, .from = before.from, .to = before.to,
			.detected_ms = before.detected_ms,
			.fenced_ms = before.fenced_ms,
		};
		rblk_text_copy(r->reason, sizeof(r->reason),
			       "tried again, as the module had refused");
		return;
	}
	*r = (struct rblk_history_record){
		.from = failed ? node : asked ? f->request.from :
			rblk_failover_newest(f)->primary,
		.to = e->node->id,
	};
	if (failed) {
		r->kind = "failover";
		rblk_text_format(r->reason, sizeof(r->reason),
				 "%s failed: it was not heard of",
				 rblk_engine_peer_name(e, node));
		return;
	}
	r->kind = r->from != RBLK_ARBITER_NOBODY && r->from != r->to ?
		  "switchover" : "promotion";
	rblk_text_copy(r->reason, sizeof(r->reason), asked ?
		       "an admin asked for it" : r->from == r->to ?
		       why_again(f, &before) : "nobody was primary");
}

static bool is_over(const struct rblk_history_record *r)
{
	return !r->kind || r->promoted_ms || r->given_up_ms;
}

/* What was detected and led to nothing here is no failover of this node's. */
static void give_up(struct rblk_failover *f, struct rblk_engine *e, uint64_t now)
{
	struct rblk_history_record *r = &f->record;
	size_t used = strlen(r->reason);

	if (!r->decided_ms) {
		r->kind = NULL;
		return;
	}
	r->given_up_ms = now;
	if (r->chosen_ms && f->failure[0])
		rblk_text_format(r->reason + used, sizeof(r->reason) - used,
				 "; the module refused: %s", f->failure);
	keep(f, e);
}

void rblk_failover_note(struct rblk_failover *f, struct rblk_engine *e,
			uint8_t notes, uint8_t node)
{
	uint64_t now = e->ops->realtime_ms(e->ctx);
	struct rblk_history_record *r = &f->record;

	if (!notes)
		return;
	if ((is_over(r) && notes & ~RBLK_POLICY_NOTE_GIVEN_UP) ||
	    notes & RBLK_POLICY_NOTE_DETECTED)
		begin(f, e, notes & RBLK_POLICY_NOTE_DETECTED, node);
	if (!r->kind)
		return;
	if (notes & RBLK_POLICY_NOTE_DETECTED)
		r->detected_ms = now;
	if (notes & RBLK_POLICY_NOTE_DECIDED)
		r->decided_ms = now;
	if (notes & RBLK_POLICY_NOTE_FENCED)
		r->fenced_ms = now;
	if (notes & RBLK_POLICY_NOTE_CHOSEN) {
		r->chosen_ms = now;
		r->generation = f->arbiter.known.gen;
	}
	if (notes & RBLK_POLICY_NOTE_PROMOTED) {
		r->promoted_ms = now;
		rblk_log(RBLK_LOG_INFO, f->name, NULL, "primary: %s", r->reason);
		keep(f, e);
	}
	if (notes & RBLK_POLICY_NOTE_GIVEN_UP && !is_over(r))
		give_up(f, e, now);
}

void rblk_failover_first_write(struct rblk_failover *f, struct rblk_engine *e,
			       uint64_t boottime_ns)
{
	struct rblk_history_record *r = &f->record;
	uint64_t ago_ms = (e->ops->boottime_us(e->ctx) - boottime_ns / 1000) /
			  1000;

	if (!r->promoted_ms || r->first_write_ms)
		return;
	r->first_write_ms = e->ops->realtime_ms(e->ctx) - ago_ms;
	keep(f, e);
}

/* ---- status ---- */

static json_t *node_list(const struct rblk_engine *e, uint16_t nodes)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (nodes & (1U << i))
			json_array_append_new(list,
				json_string(rblk_engine_peer_name(e, i)));
	return list;
}

static json_t *show_record(const struct rblk_failover *f, const struct rblk_engine *e,
			   const struct rblk_arbiter_record *r)
{
	bool votes = f->keeper == &rblk_failover_builtin;

	return json_pack("{s:I,s:I,s:I,s:s?,s:o,s:o,s:o,s:o,s:s?}", "version",
			 (json_int_t)r->version, "generation",
			 (json_int_t)r->gen, "term", (json_int_t)r->term, "primary", name_of(e, r->primary),
			 "in_sync", node_list(e, r->insync), "fenced",
			 node_list(e, r->fenced), "voters",
			 votes ? node_list(e, r->voters) : json_null(), "acks",
			 r->acks ? json_integer(r->acks) : json_string("all"), "holder",
			 r->acks ? name_of(e, r->holder) : NULL);
}

static json_t *show_waiting(const struct rblk_failover *f,
			    const struct rblk_engine *e)
{
	if (f->waits == RBLK_POLICY_FINE)
		return json_null();
	if (f->waits == RBLK_POLICY_ACKS_TOO_FEW && f->copies_needed)
		return json_pack("{s:s,s:o,s:i,s:i}", "what",
				 rblk_policy_reason_text(f->waits), "nodes",
				 node_list(e, f->waits_for), "copies", f->copies,
				 "copies_needed", f->copies_needed);
	return json_pack("{s:s,s:o}", "what", rblk_policy_reason_text(f->waits),
			 "nodes", node_list(e, f->waits_for));
}

/* The lease that this voter confirmed last, as long as its word stands. */
static json_t *show_confirmed(const struct rblk_failover *f,
			      const struct rblk_engine *e, uint64_t now)
{
	const struct rblk_arbiter *a = &f->arbiter;

	if (a->mute || !a->grant_term || a->grant_until <= now)
		return json_null();
	return json_pack("{s:s?,s:I}", "node", name_of(e, a->grant_holder),
			 "left_ms", (json_int_t)(a->grant_until - now));
}

json_t *rblk_failover_show(struct rblk_failover *f, struct rblk_engine *e)
{
	uint64_t now = e->ops->boottime_us(e->ctx) / 1000;
	uint64_t until = f->view.lease_until_ms;
	bool leads = f->arbiter.lead_term != 0;

	return json_pack("{s:s,s:s,s:o,s:s?,s:b,s:b,s:o,s:o,s:o,s:o,s:s?}", "resource",
			 f->name, "arbiter", f->keeper->name, "register",
			 f->arbiter.mute ? json_null() :
			 show_record(f, e, rblk_failover_newest(f)), "mute",
			 f->arbiter.mute ? f->mute_why : NULL, "witness",
			 !(f->data & (1U << e->node->id)), "leads", leads,
			 "lease_left_ms", !leads ? json_null() :
			 json_integer(until > now ? (json_int_t)(until - now) : 0),
			 "confirmed", show_confirmed(f, e, now),
			 "waiting", show_waiting(f, e), "voters_configured",
			 node_list(e, f->voters), "module_said",
			 f->failure[0] ? f->failure : NULL);
}

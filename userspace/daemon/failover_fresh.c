// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover_fresh.c - a store that was just created begins to vote
 *
 * A machine that was installed anew looks like one that is new, and has forgotten what
 * it promised. So a node with a new store is mute until every other voter said, since
 * this start, that it is new as well: then nobody has voted yet. It asks by a PREPARE of
 * ballot 0, which only a voter that never promised anything answers by a PROMISE.
 *
 * Two nodes may hear of each other at different times: one that has begun goes on
 * telling a node that it was new when that node, in its present session, was.
 */
#include "failover.h"

#include "log.h"
#include "text.h"

#include <string.h>

/* Durable mark of a node that has begun; below every ballot. */
#define BEGUN	1

bool rblk_failover_is_untouched(const struct rblk_arbiter_store *s)
{
	return s->promised <= BEGUN && !s->accepted && s->record.version == 1;
}

static uint16_t others(const struct rblk_failover *f)
{
	return f->kept.record.voters & ~(1U << f->arbiter.self);
}

static void explain(struct rblk_failover *f, struct rblk_engine *e)
{
	uint16_t missing = others(f) & ~f->new_too;
	size_t len;
	unsigned int i;

	rblk_text_format(f->mute_why, sizeof(f->mute_why),
			 "its register is new; it votes once all other voters have said that theirs are new as well; missing:");
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		len = strlen(f->mute_why);
		if (missing & (1U << i))
			rblk_text_format(f->mute_why + len,
					 sizeof(f->mute_why) - len, " %s",
					 rblk_engine_peer_name(e, i));
	}
	if (f->voted)
		rblk_text_copy(f->mute_why, sizeof(f->mute_why),
			       "its register is new, but others have voted already: a node that lost its register must not vote until it was removed from the voters and added again");
}

void rblk_failover_begin_fresh(struct rblk_failover *f, struct rblk_engine *e,
			       const struct rblk_arbiter_store *kept)
{
	f->fresh = true;
	f->kept = *kept;
	f->new_too = 0;
	f->voted = false;
	explain(f, e);
}

/* All are new: begin, and remember that for the next start. */
static void begin(struct rblk_failover *f, struct rblk_engine *e)
{
	struct rblk_arbiter_out out = { .persist = true };

	f->fresh = false;
	f->kept.promised = BEGUN;
	rblk_arbiter_start(&f->arbiter, f->arbiter.self, &f->kept, f->lease_ms,
			   f->margin_ms, e->ops->boottime_us(e->ctx) / 1000);
	f->mute_why[0] = '\0';
	rblk_log(RBLK_LOG_INFO, f->name, NULL,
		 "all voters are new: this node votes from now on");
	rblk_failover_obey(f, e, &out);
}

static void heard_new(struct rblk_failover *f, struct rblk_engine *e, uint8_t node)
{
	f->new_too |= 1U << node;
	if (!f->fresh)
		return;
	explain(f, e);
	if (!(others(f) & ~f->new_too))
		begin(f, e);
}

static void say(struct rblk_failover *f, struct rblk_engine *e, uint8_t node,
		enum rblk_arbiter_type type)
{
	struct rblk_beat_body body = { .type = RBLK_BEAT_ARBITER };

	memcpy(body.uuid, f->uuid, sizeof(body.uuid));
	body.arbiter.type = type;
	body.arbiter.from = f->arbiter.self;
	body.arbiter.to = node;
	if (type == RBLK_ARBITER_PROMISE)
		body.arbiter.record = f->kept.record;
	else if (type == RBLK_ARBITER_REFUSED)
		body.arbiter.other = f->arbiter.store.promised;
	rblk_cluster_put(&e->cluster, node, &body);
}

void rblk_failover_ask_fresh(struct rblk_failover *f, struct rblk_engine *e)
{
	unsigned int i;

	if (!f->fresh || f->voted)
		return;
	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (others(f) & ~f->new_too & (1U << i))
			say(f, e, i, RBLK_ARBITER_PREPARE);
}

/* @node asks whether anybody has voted. Asking, it says that it has not. */
static void asked(struct rblk_failover *f, struct rblk_engine *e, uint8_t node)
{
	if (f->fresh || rblk_failover_is_untouched(&f->arbiter.store))
		heard_new(f, e, node);
	if (f->fresh || f->new_too & (1U << node))
		say(f, e, node, RBLK_ARBITER_PROMISE);
	else if (!f->arbiter.mute)
		say(f, e, node, RBLK_ARBITER_REFUSED);
}

/* What a node said before it started anew counts no more. */
void rblk_failover_met(struct rblk_engine *e, uint8_t node)
{
	struct rblk_failover *f;

	e->held[node] = (struct rblk_engine_held){ .is_new = false };
	for (f = e->failovers; f; f = f->next) {
		f->new_too &= ~(1U << node);
		f->told_by[node] = 0;
		rblk_failover_ask_fresh(f, e);
	}
}

bool rblk_failover_is_about_fresh(struct rblk_failover *f, struct rblk_engine *e,
				  const struct rblk_arbiter_msg *msg)
{
	if (msg->from >= RBLK_MAX_NODES || msg->ballot ||
	    (msg->type != RBLK_ARBITER_PREPARE &&
	     msg->type != RBLK_ARBITER_PROMISE &&
	     msg->type != RBLK_ARBITER_REFUSED))
		return false;
	if (msg->type == RBLK_ARBITER_PREPARE) {
		asked(f, e, msg->from);
	} else if (f->fresh && msg->type == RBLK_ARBITER_PROMISE &&
		   msg->record.version == 1 &&
		   msg->record.voters == f->kept.record.voters) {
		heard_new(f, e, msg->from);
	} else if (f->fresh && msg->type == RBLK_ARBITER_REFUSED) {
		f->voted = true;
		explain(f, e);
	}
	return true;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover_readmit.c - how a node that lost its store votes again
 *
 * Two changes of members: it leaves the voters, then it joins them. The policy makes the
 * rounds, and more of them when messages get lost.
 */
#include "failover.h"

#include "exitcode.h"
#include "text.h"

#include <string.h>

#define LIMIT_MS	30000

static void answer(struct rblk_failover *f, struct rblk_outcome out)
{
	struct rblk_call *call = f->readmit.call;

	memset(&f->readmit, 0, sizeof(f->readmit));
	f->view.readmit = 0;
	rblk_call_result(call, f->name, &out);
	rblk_call_release(call);
}

void rblk_failover_go_on_readmitting(struct rblk_failover *f,
				     struct rblk_engine *e, uint64_t now_ms)
{
	const struct rblk_arbiter_record *r = &f->arbiter.known;
	bool votes = r->voters & (1U << f->readmit.node);

	if (!f->readmit.call)
		return;
	f->wake_ms = now_ms + 200 < f->wake_ms ? now_ms + 200 : f->wake_ms;
	if (!votes)
		f->readmit.removed = true;
	if (!f->arbiter.lead_term) {
		answer(f, rblk_outcome_say(RBLK_EXIT_REFUSED,
					   "this node is not primary any more"));
	} else if (f->readmit.removed && votes) {
		answer(f, rblk_outcome_say(RBLK_EXIT_OK, "%s votes again",
				rblk_engine_peer_name(e, f->readmit.node)));
	} else if (now_ms >= f->readmit.until_ms) {
		answer(f, rblk_outcome_say(RBLK_EXIT_TIMEOUT,
				"not in time: a majority of the voters besides %s has to be there; it is %s now",
				rblk_engine_peer_name(e, f->readmit.node),
				votes ? "still a voter" : "no voter"));
	} else {
		f->view.readmit = 1U << f->readmit.node;
		f->view.readmit_joins = f->readmit.removed;
	}
}

void rblk_failover_readmit(struct rblk_failover *f, struct rblk_engine *e,
			   uint8_t node, struct rblk_call *call)
{
	const struct rblk_arbiter_record *r = rblk_failover_newest(f);
	struct rblk_outcome out = { .code = RBLK_EXIT_REFUSED };

	if (f->keeper != &rblk_failover_builtin)
		rblk_text_format(out.text, sizeof(out.text),
				 "has no voters: %s keeps its register",
				 f->keeper->name);
	else if (!f->arbiter.lead_term)
		rblk_text_format(out.text, sizeof(out.text),
				 "only the primary can do that: here it is %s",
				 r->primary == RBLK_ARBITER_NOBODY ? "nobody" :
				 rblk_engine_peer_name(e, r->primary));
	else if (f->readmit.call)
		rblk_text_format(out.text, sizeof(out.text),
				 "that is under way for %s",
				 rblk_engine_peer_name(e, f->readmit.node));
	else if ((node == e->node->id && r->voters & (1U << node)) ||
		 !(f->voters & (1U << node)))
		rblk_text_format(out.text, sizeof(out.text),
				 "%s is not another voter of it",
				 rblk_engine_peer_name(e, node));
	else if (__builtin_popcount(r->voters) < 3 && r->voters & (1U << node))
		rblk_text_format(out.text, sizeof(out.text),
				 "of two voters none can be removed without its vote: add a witness first");
	else
		out.code = RBLK_EXIT_OK;
	if (out.code) {
		rblk_call_result(call, f->name, &out);
		return;
	}
	f->readmit.call = call;
	f->readmit.node = node;
	f->readmit.until_ms = e->ops->boottime_us(e->ctx) / 1000 + LIMIT_MS;
	rblk_call_hold(call);
	f->is_due = true;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover_voters.c - who votes: rblk dismiss, rblk readmit
 *
 * A node that goes for good leaves the voters. One that lost its store leaves them, then
 * joins them; one that is new only joins. The policy makes the rounds, and more of them
 * when messages get lost.
 */
#include "failover.h"

#include "exitcode.h"
#include "text.h"

#include <string.h>

#define LIMIT_MS	30000

static void answer(struct rblk_failover *f, struct rblk_outcome out)
{
	struct rblk_call *call = f->voter.call;

	memset(&f->voter, 0, sizeof(f->voter));
	f->view.voter = 0;
	rblk_call_result(call, f->name, &out);
	rblk_call_release(call);
}

void rblk_failover_go_on_with_voter(struct rblk_failover *f,
				    struct rblk_engine *e, uint64_t now_ms)
{
	const struct rblk_arbiter_record *r = &f->arbiter.known;
	const char *name = rblk_engine_peer_name(e, f->voter.node);
	bool votes = r->voters & (1U << f->voter.node);
	bool settled = r->voters == r->voters_before;

	if (!f->voter.call)
		return;
	f->wake_ms = now_ms + 200 < f->wake_ms ? now_ms + 200 : f->wake_ms;
	if (!votes)
		f->voter.removed = true;
	if (!f->arbiter.lead_term) {
		answer(f, rblk_outcome_say(RBLK_EXIT_REFUSED,
					   "this node is not primary any more"));
	} else if (f->voter.joins && f->voter.removed && votes) {
		answer(f, rblk_outcome_say(RBLK_EXIT_OK, "%s votes now", name));
	} else if (!f->voter.joins && f->voter.removed && settled) {
		answer(f, rblk_outcome_say(RBLK_EXIT_OK,
				"%s does not vote any more; take it out of the configuration of all nodes",
				name));
	} else if (now_ms >= f->voter.until_ms) {
		answer(f, rblk_outcome_say(RBLK_EXIT_TIMEOUT,
				"not in time: a majority of the voters besides %s has to be there; it is %s now",
				name, votes ? "still a voter" : "no voter"));
	} else {
		f->view.voter = 1U << f->voter.node;
		f->view.voter_joins = f->voter.joins && f->voter.removed;
	}
}

/* Return: false, and why it cannot be */
static bool may_change(const struct rblk_failover *f,
		       const struct rblk_engine *e, uint8_t node, bool joins,
		       struct rblk_outcome *out)
{
	const struct rblk_arbiter_record *r = rblk_failover_newest(f);
	const char *name = rblk_engine_peer_name(e, node);
	bool votes = r->voters & (1U << node);

	*out = (struct rblk_outcome){ .code = RBLK_EXIT_OK };
	if (f->keeper != &rblk_failover_builtin)
		*out = rblk_outcome_say(RBLK_EXIT_REFUSED,
			"has no voters: %s keeps its register", f->keeper->name);
	else if (!f->arbiter.lead_term)
		*out = rblk_outcome_say(RBLK_EXIT_REFUSED,
			"only the primary can do that: here it is %s",
			r->primary == RBLK_ARBITER_NOBODY ? "nobody" :
			rblk_engine_peer_name(e, r->primary));
	else if (f->voter.call)
		*out = rblk_outcome_say(RBLK_EXIT_REFUSED,
			"that is under way for %s",
			rblk_engine_peer_name(e, f->voter.node));
	else if (joins ? (votes && node == e->node->id) || !(f->voters & (1U << node)) :
			 !votes || node == e->node->id)
		*out = rblk_outcome_say(RBLK_EXIT_REFUSED,
			"%s is not another voter of it", name);
	else if (!joins && r->insync & (1U << node))
		*out = rblk_outcome_say(RBLK_EXIT_REFUSED,
			"%s is in sync: writes wait for it; run 'rblk down %s' on it first",
			name, f->name);
	else if (votes && __builtin_popcount(r->voters) < 3)
		*out = rblk_outcome_say(RBLK_EXIT_REFUSED,
			"of two voters none can be removed without its vote: add a witness first");
	return !out->code;
}

void rblk_failover_change_voter(struct rblk_failover *f, struct rblk_engine *e,
				uint8_t node, bool joins, struct rblk_call *call)
{
	struct rblk_outcome out;

	if (!may_change(f, e, node, joins, &out)) {
		rblk_call_result(call, f->name, &out);
		return;
	}
	f->voter.call = call;
	f->voter.node = node;
	f->voter.joins = joins;
	f->voter.until_ms = e->ops->boottime_us(e->ctx) / 1000 + LIMIT_MS;
	rblk_call_hold(call);
	f->is_due = true;
}

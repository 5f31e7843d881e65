// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover_fence.c - who is to be switched off, and who is off
 *
 * A node is switched off once for all resources that want it. But a run counts only
 * for those that asked before it began: it may have been off, and be back.
 */
#include "failover.h"

#include "exitcode.h"
#include "log.h"
#include "text.h"

#include <string.h>

static void start_run(struct rblk_engine *e, uint8_t node)
{
	const struct rblk_config_node *n = rblk_config_node_by_id(e->config, node);
	struct rblk_engine_fence *run = &e->fence[node];

	run->runs = true;
	run->run++;
	/* it is tried again and again: the first time is news */
	rblk_log(*run->text ? RBLK_LOG_DEBUG : RBLK_LOG_WARNING, NULL,
		 rblk_engine_peer_name(e, node), "is being switched off");
	if (n && n->fences_n)
		e->ops->fence(e->ctx, n);
	else
		rblk_failover_fence_ended(e, node, false,
					  "there is no fence in the configuration");
}

/* The next run counts: one that is under way began before. */
static void ask_for(struct rblk_failover *f, struct rblk_engine *e, uint8_t node)
{
	rblk_arbiter_fence(&f->arbiter, node);
	f->fence_run[node] = e->fence[node].run + 1;
	f->view.peer[node].fence = RBLK_POLICY_FENCE_RUNS;
}

void rblk_failover_fence(struct rblk_failover *f, struct rblk_engine *e,
			 uint16_t nodes)
{
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++) {
		if (!(nodes & (1U << i)))
			continue;
		ask_for(f, e, i);
		if (!e->fence[i].runs)
			start_run(e, i);
	}
}

static void conclude(struct rblk_failover *f, struct rblk_engine *e, uint8_t node,
		     bool off)
{
	struct rblk_policy_peer *p = &f->view.peer[node];

	off = off && rblk_arbiter_fence_confirmed(&f->arbiter, node);
	p->fence = off ? RBLK_POLICY_FENCE_DONE : RBLK_POLICY_FENCE_FAILED;
	f->fence_run[node] = 0;
	f->is_due = true;
	(void)e;
}

bool rblk_failover_fence_is_wanted(const struct rblk_engine *e, uint8_t node)
{
	const struct rblk_failover *f;

	if (e->fence[node].call)
		return true;
	for (f = e->failovers; f; f = f->next)
		if (f->fence_run[node] && f->arbiter.fencing & (1U << node))
			return true;
	return false;
}

/* For all resources it counts as if they had asked; without any it is just done. */
void rblk_failover_fence_for(struct rblk_engine *e, uint8_t node,
			     struct rblk_call *call)
{
	struct rblk_failover *f;

	rblk_call_hold(call);
	e->fence[node].call = call;
	for (f = e->failovers; f; f = f->next)
		if (f->voters & (1U << node))
			ask_for(f, e, node);
	if (!e->fence[node].runs)
		start_run(e, node);
}

static void tell_admin(struct rblk_engine *e, uint8_t node, bool off,
		       const char *text)
{
	struct rblk_call *call = e->fence[node].call;
	struct rblk_outcome out =
		rblk_outcome_say(off ? RBLK_EXIT_OK : RBLK_EXIT_REFUSED,
				 "%s%s", off ? "switched off " :
				 "could not be switched off: ", text);

	if (!call)
		return;
	e->fence[node].call = NULL;
	rblk_call_result(call, rblk_engine_peer_name(e, node), &out);
	rblk_call_release(call);
}

void rblk_failover_fence_ended(struct rblk_engine *e, uint8_t node, bool off,
			       const char *text)
{
	struct rblk_engine_fence *run = &e->fence[node];
	struct rblk_failover *f;
	bool again = false;

	run->runs = false;
	rblk_log(off ? RBLK_LOG_INFO : strcmp(run->text, text) == 0 ?
		 RBLK_LOG_DEBUG : RBLK_LOG_ERROR, NULL,
		 rblk_engine_peer_name(e, node), "%s: %s",
		 off ? "is off" : "could not be switched off", text);
	rblk_text_copy(run->text, sizeof(run->text), off ? "" : text);
	for (f = e->failovers; f; f = f->next) {
		if (!f->fence_run[node])
			continue;
		if (f->fence_run[node] <= run->run)
			conclude(f, e, node, off);
		else
			again = true;
	}
	if (again)
		start_run(e, node);
	else
		tell_admin(e, node, off, text);
}

void rblk_failover_fence_confirmed(struct rblk_engine *e, uint8_t node)
{
	struct rblk_failover *f;

	rblk_log(RBLK_LOG_WARNING, NULL, rblk_engine_peer_name(e, node),
		 "is off, says an admin");
	for (f = e->failovers; f; f = f->next) {
		if (!(f->voters & (1U << node)))
			continue;
		rblk_arbiter_fence(&f->arbiter, node);
		conclude(f, e, node, true);
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * ackpolicy.c - the one place that decides when a write is complete.
 */
#include "ackpolicy.h"

/* Peers that an operation may have to wait for. */
static u16 waited_for(const struct rblk_ack_policy *policy)
{
	return policy->wait_received | policy->wait_applied;
}

void rblk_ackpolicy_choose(struct rblk_ack_policy *policy,
			   const struct rblk_ack_peers *peers)
{
	u16 from = peers->in_sync ? peers->in_sync & ~peers->copied :
				    peers->joined;
	u16 sent = peers->in_sync ? peers->sent : 0;

	policy->wait_received = (peers->received | sent) & from;
	policy->wait_applied = peers->applied & from;
}

unsigned int rblk_ackpolicy_nodes(const struct rblk_ack_policy *policy)
{
	return 1 + hweight16(waited_for(policy));
}

bool rblk_ackpolicy_is_too_few(const struct rblk_ack_policy *policy)
{
	return rblk_ackpolicy_nodes(policy) < policy->min;
}

/* Those of them that have it as safely as their protocol promises. */
static u16 satisfied(const struct rblk_ack_policy *policy,
		     const struct rblk_ack_state *state)
{
	u16 in_memory = policy->wait_received & ~policy->wait_applied;

	if (state->durable)
		return (state->applied | state->covered) & waited_for(policy);
	return (state->applied & policy->wait_applied) |
	       ((state->received | state->applied) & in_memory);
}

/* How many peers are enough, out of @all. */
static unsigned int enough(const struct rblk_ack_policy *policy,
			   unsigned int all)
{
	return policy->acks && policy->acks < all ? policy->acks : all;
}

/* The peers store it, and no disk here: are they enough? */
static bool stored_elsewhere(const struct rblk_ack_policy *policy,
			     const struct rblk_ack_state *state)
{
	u16 stored = state->applied | (state->durable ? state->covered : 0);
	unsigned int all = hweight16(waited_for(policy));
	unsigned int need = enough(policy, all);

	if (need < all)
		need++;
	return hweight16(stored & waited_for(policy)) >= need &&
	       stored & policy->level;
}

enum rblk_verdict rblk_ackpolicy_verdict(const struct rblk_ack_policy *policy,
					 const struct rblk_ack_state *state)
{
	unsigned int all = hweight16(waited_for(policy));
	unsigned int have = hweight16(satisfied(policy, state));

	if (state->local == RBLK_LOCAL_PENDING || have < enough(policy, all))
		return RBLK_VERDICT_WAIT;
	if (state->local == RBLK_LOCAL_FAILED)
		return RBLK_VERDICT_FAIL;
	if (rblk_ackpolicy_is_too_few(policy))
		return RBLK_VERDICT_WAIT;
	if (state->local == RBLK_LOCAL_DONE)
		return RBLK_VERDICT_COMPLETE;
	if (!policy->level)
		return RBLK_VERDICT_FAIL;
	return stored_elsewhere(policy, state) ? RBLK_VERDICT_COMPLETE :
						 RBLK_VERDICT_WAIT;
}

bool rblk_ackpolicy_is_stuck(const struct rblk_ack_policy *policy,
			     const struct rblk_ack_state *state,
			     u16 streaming)
{
	struct rblk_ack_state best = *state;

	best.received |= streaming;
	best.applied |= streaming;
	return state->local != RBLK_LOCAL_PENDING &&
	       rblk_ackpolicy_verdict(policy, &best) == RBLK_VERDICT_WAIT;
}

bool rblk_ackpolicy_must_copy(const struct rblk_ack_policy *policy,
			      u16 streaming)
{
	unsigned int all = hweight16(waited_for(policy));

	if (!streaming)
		return false;
	return (streaming & ~waited_for(policy)) || enough(policy, all) < all;
}

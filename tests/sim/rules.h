/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules.h - lets the simulator break one rule at a time: of the arbiter, of the policy,
 * or of what surrounds them. It is included before everything else when
 * userspace/core is compiled for it.
 */
#ifndef RBLK_SIM_RULES_H
#define RBLK_SIM_RULES_H

#define SIM_RULES(RULE)					\
	/* of the arbiter */				\
	RULE(ROUND_BEFORE_FENCE_VOTE)			\
	RULE(CONTACT_CLEARS_FENCED)			\
	RULE(LEASE_WAIT)				\
	RULE(MAJORITY)					\
	RULE(ONLY_IN_SYNC)				\
	/* of the policy */				\
	RULE(ADD_UP_TO_DATE)				\
	RULE(DROP_CHOSEN)				\
	RULE(DISCARD_IF_PASSED_OVER)			\
	/* of the policy, where a write is not on all nodes in sync */ \
	RULE(ENOUGH_COPIES)				\
	RULE(MOST_UP_TO_DATE)				\
	RULE(DROP_LEVEL)				\
	RULE(DROP_UNCOUNTED)				\
	RULE(JOIN_UNASKED)				\
	RULE(ACKS_LEVEL)				\
	/* of the daemon around them */			\
	RULE(DURABLE_ACCEPT)				\
	RULE(OWN_STORE)					\
	RULE(MARGIN)					\
	RULE(FENCE_CONFIRMED)				\
	RULE(SESSION)					\
	/* of the kernel; without GENERATION nothing is shunned either */ \
	RULE(LEASE_AT_COMPLETION)			\
	RULE(WAIT_FOR_IN_SYNC)				\
	RULE(MIN_UNDER_WAY)				\
	RULE(GENERATION)				\
	RULE(DURABLE_BEFORE_FORGET)

/*
 * What breaks without these takes so much at once that no bearable number of random
 * schedules is sure to have it. directed.c aims at them.
 */
#define SIM_RARE_RULES(RULE)				\
	RULE(WORD_AFTER_START)				\
	RULE(FENCE_OF_TERM)				\
	RULE(WORD_OF_NODE)				\
	RULE(STOP_FIRST)				\
	RULE(SHUN)					\
	RULE(COPIES_SETTLED)				\
	RULE(COPIES_EXACT)				\
	RULE(ACKS_CHOSEN)

/*
 * What these keep from happening another rule catches before it does harm: MIN_UNDER_WAY.
 * Nodes that are left in sync can be promoted, though. test_policy_lead shows what they do.
 */
#define SIM_COVERED_RULES(RULE)				\
	RULE(MIN_IN_SYNC)

enum sim_rule {
	RULE_NONE,
#define SIM_RULE_ENUM(name)	RULE_##name,
	SIM_RULES(SIM_RULE_ENUM)
	OFTEN_NEEDED,
	SIM_RARE_RULES(SIM_RULE_ENUM)
	SIM_COVERED_RULES(SIM_RULE_ENUM)
	RULES,
};

extern enum sim_rule sim_broken;

#define SIM_RULE(name)		(sim_broken != RULE_##name)
#define RBLK_ARBITER_RULE(name)	SIM_RULE(name)
#define RBLK_POLICY_RULE(name)	SIM_RULE(name)

#endif /* RBLK_SIM_RULES_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules.h - lets the checker break one rule of userspace/core/arbiter.c at a time.
 * It is included before everything else when that file is compiled for it.
 */
#ifndef RBLK_MODEL_RULES_H
#define RBLK_MODEL_RULES_H

enum model_rule {
	RULE_NONE,
	/* of the core */
	RULE_ROUND_BEFORE_FENCE_VOTE,
	RULE_CONTACT_CLEARS_FENCED,
	RULE_LEASE_WAIT,
	RULE_MAJORITY,
	RULE_ONLY_IN_SYNC,
	RULE_FENCE_OF_TERM,
	RULE_WORD_OF_NODE,
	/* of what surrounds it */
	RULE_DURABLE_ACCEPT,
	RULE_INSTANCE,
	RULE_MARGIN,
	RULE_WORD_AFTER_START,
};

extern enum model_rule model_broken;

#define RBLK_ARBITER_RULE(name)	(model_broken != RULE_##name)

#endif /* RBLK_MODEL_RULES_H */

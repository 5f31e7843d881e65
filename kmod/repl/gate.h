/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gate.h - may application I/O pass now?
 */
#ifndef RBLK_REPL_GATE_H
#define RBLK_REPL_GATE_H

#include <linux/types.h>

enum rblk_gate_verdict {
	RBLK_GATE_PASS,
	RBLK_GATE_HOLD,
	RBLK_GATE_FAIL,
};

/**
 * struct rblk_gate - what stands between the application and the log
 * @primary: this node may write
 * @settling: a promotion waits for its peers' answers: writes wait too, so
 *	that none is acknowledged that a synchronous peer does not have
 * @suspended: held by the admin
 * @draining: being demoted; new writes are refused
 * @dead: torn down, everything fails
 *
 * Protected by the log's lock.
 */
struct rblk_gate {
	bool primary;
	bool settling;
	bool suspended;
	bool draining;
	bool dead;
};

/**
 * rblk_gate_verdict - may a write pass?
 * @gate: under its lock
 *
 * Return: pass, hold until the gate changes, or fail.
 */
static inline enum rblk_gate_verdict
rblk_gate_verdict(const struct rblk_gate *gate)
{
	if (gate->dead || !gate->primary || gate->draining)
		return RBLK_GATE_FAIL;
	if (gate->settling || gate->suspended)
		return RBLK_GATE_HOLD;
	return RBLK_GATE_PASS;
}

#endif /* RBLK_REPL_GATE_H */

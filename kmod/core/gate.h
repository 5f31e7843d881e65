/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gate.h - may application I/O come in now, and may it end now?
 *
 * A resource that needs a lease completes nothing as primary without one: not
 * what comes in, and not what came in while there was one. So both ends ask. Time
 * is CLOCK_BOOTTIME, which goes on while the machine sleeps, as that of the nodes
 * that gave the lease does.
 */
#ifndef RBLK_CORE_GATE_H
#define RBLK_CORE_GATE_H

#include "env.h"

#define RBLK_GATE_NO_LEASE_NEEDED	U64_MAX

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
 * @forced: the demotion is one by force: what would be held ends
 * @dead: torn down, everything fails
 * @too_few: fewer nodes are in sync than new writes need
 * @too_few_error: then they fail, and are not held
 * @leased: as primary it needs a lease
 * @lease_error: without one requests fail, and are not held
 * @lease_ns: where the lease of this term ends; 0: there is none
 * @until_ns: the same, or RBLK_GATE_NO_LEASE_NEEDED: what is compared with
 *	the time
 *
 * Protected by the log's lock; @until_ns is also read without.
 */
struct rblk_gate {
	bool primary;
	bool settling;
	bool suspended;
	bool draining;
	bool forced;
	bool dead;
	bool too_few;
	bool too_few_error;
	bool leased;
	bool lease_error;
	u64 lease_ns;
	u64 until_ns;
};

/**
 * rblk_gate_needs_until - until when requests may complete
 * @gate: any
 *
 * Return: what @until_ns has to be.
 */
static inline u64 rblk_gate_needs_until(const struct rblk_gate *gate)
{
	return gate->primary && gate->leased ? gate->lease_ns :
					       RBLK_GATE_NO_LEASE_NEEDED;
}

/**
 * rblk_gate_is_ending - does what would be held end, with an error?
 * @gate: any
 */
static inline bool rblk_gate_is_ending(const struct rblk_gate *gate)
{
	return gate->dead || gate->forced;
}

/**
 * rblk_gate_lease - may a request that came in complete now?
 * @gate: any
 * @now_ns: CLOCK_BOOTTIME; 0 will do where no lease is needed
 *
 * Return: pass, hold until there is a lease, or fail.
 */
static inline enum rblk_gate_verdict
rblk_gate_lease(const struct rblk_gate *gate, u64 now_ns)
{
	if (now_ns < gate->until_ns)
		return RBLK_GATE_PASS;
	if (gate->lease_error || rblk_gate_is_ending(gate))
		return RBLK_GATE_FAIL;
	return RBLK_GATE_HOLD;
}

/**
 * rblk_gate_write - may a write come in now?
 * @gate: any
 * @now_ns: as for rblk_gate_lease()
 *
 * Return: pass, hold until the gate changes, or fail.
 */
static inline enum rblk_gate_verdict
rblk_gate_write(const struct rblk_gate *gate, u64 now_ns)
{
	enum rblk_gate_verdict lease;

	if (gate->dead || !gate->primary || gate->draining)
		return RBLK_GATE_FAIL;
	lease = rblk_gate_lease(gate, now_ns);
	if (lease == RBLK_GATE_FAIL ||
	    (gate->too_few && gate->too_few_error))
		return RBLK_GATE_FAIL;
	if (gate->settling || gate->suspended || gate->too_few)
		return RBLK_GATE_HOLD;
	return lease;
}

#endif /* RBLK_CORE_GATE_H */

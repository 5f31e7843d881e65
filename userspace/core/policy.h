/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h - what a node does next about one resource, with failover = auto
 *
 * Level-triggered: rblk_policy_step() looks at what the kernel, the detector, the
 * arbiter, the fence agents and the admin say *now* and tells what to do now. Nothing
 * that was said once must be remembered by the caller, and a step more or less changes
 * nothing. What it remembers is only when it last tried something.
 *
 * It decides what to attempt; whether that is safe the arbiter's rules decide, but for
 * three things that are decided here: a write waits for a node before that node is
 * proposed to join; a node that leaves is waited for until that is chosen; and a node's
 * own branch of history is given up only when the chosen record passed it over.
 *
 * Pure: no I/O, clock or allocation. Times are milliseconds of CLOCK_BOOTTIME.
 */
#ifndef RBLK_POLICY_H
#define RBLK_POLICY_H

#include "arbiter.h"

#include <stdbool.h>
#include <stdint.h>

#define RBLK_POLICY_NODES	RBLK_ARBITER_NODES
#define RBLK_POLICY_NOBODY	RBLK_ARBITER_NOBODY

/* The rules that tests/sim breaks, as RBLK_ARBITER_RULE. */
#ifndef RBLK_POLICY_RULE
#define RBLK_POLICY_RULE(name)	true
#endif

enum rblk_policy_strategy {
	RBLK_POLICY_MOST_UP_TO_DATE,	/* then by node id */
	RBLK_POLICY_SUCCESSOR,		/* as listed, then the others by node id */
	RBLK_POLICY_ELECTION,		/* who is first to ask */
};

/**
 * struct rblk_policy_config - what is configured
 * @self: this node
 * @data: nodes that hold data; the other voters are witnesses
 * @synchronous: peers that a write of this node may wait for: protocol B and C
 * @fenceable: nodes that an agent can switch off, or an admin confirms
 * @acks: 0: a write waits for all of @synchronous that are in sync; else for any so
 *	many of them. What holds is what the record says; the leader has it changed
 * @min_in_sync: nodes, this one included, below which no node is dropped; 0: none
 * @strategy: who is promoted
 * @successor: for RBLK_POLICY_SUCCESSOR: node ids
 * @nr_successors: of them
 * @interval_ms: of beats; a lease is renewed as often
 * @grace_ms: how long a peer's link may be down, or a peer not follow, before it
 *	is dropped from the in-sync set; failed nodes are dropped at once
 *
 * Lease and margin are the arbiter's.
 */
struct rblk_policy_config {
	uint8_t self;
	uint16_t data;
	uint16_t synchronous;
	uint16_t fenceable;
	uint8_t acks;
	uint8_t min_in_sync;
	enum rblk_policy_strategy strategy;
	uint8_t successor[RBLK_POLICY_NODES];
	uint8_t nr_successors;
	uint32_t interval_ms;
	uint32_t grace_ms;
};

/* What a node says of itself in a resource; bits of @flags below. */
#define RBLK_POLICY_IS_PRIMARY	0x01	/* its kernel is primary */
#define RBLK_POLICY_LEADS	0x02	/* it was promoted in @term, and knows it */
#define RBLK_POLICY_CANDIDATE	0x04	/* it could be promoted if it is in sync */
#define RBLK_POLICY_MUTE	0x08	/* its arbiter does not vote */
#define RBLK_POLICY_EXACT	0x10	/* it holds no more than it says: it did not crash */
/*
 * EXACT, and since it heard that the record's primary leads it looked at what it holds:
 * that is all that it can have confirmed to a primary before
 */
#define RBLK_POLICY_SETTLED	0x20

/**
 * struct rblk_policy_told - what a node says of itself, in its beats
 * @flags: RBLK_POLICY_*
 * @primary: of the record that it accepted last
 * @version: of that
 * @term: of that
 * @data_gen: generation (of the kernel) of the last operation that it holds
 * @data_seq: the last operation that it holds
 */
struct rblk_policy_told {
	uint8_t flags;
	uint8_t primary;
	uint64_t version;
	uint64_t term;
	uint64_t data_gen;
	uint64_t data_seq;
};

enum rblk_policy_fence {
	RBLK_POLICY_FENCE_NONE,
	RBLK_POLICY_FENCE_RUNS,
	RBLK_POLICY_FENCE_FAILED,
	RBLK_POLICY_FENCE_DONE,	/* rblk_arbiter_fence_confirmed() took it */
};

/**
 * struct rblk_policy_peer - what is known of another node
 * @alive: the detector hears it
 * @failed: the detector says it failed
 * @told: what it said last; all zero when it is not alive or said nothing
 * @connected: the kernel's link to it is up, or about to be
 * @up_to_date: as primary: it follows, and was sent everything. As backup: this
 *	node follows it
 * @is_primary: the kernel at the other end is primary
 * @diverged: the kernel says that both hold what the other lacks, or that this
 *	node has more than that primary
 * @acked_seq: as primary: up to where it acknowledged as its protocol asks. Flushes have
 *	numbers as well: so what was flushed up to there is durable at the peer
 * @fence: of the agent that is to switch it off
 */
struct rblk_policy_peer {
	bool alive;
	bool failed;
	struct rblk_policy_told told;
	bool connected;
	bool up_to_date;
	bool is_primary;
	bool diverged;
	uint64_t acked_seq;
	enum rblk_policy_fence fence;
};

enum rblk_policy_request {
	RBLK_POLICY_WANT_NOTHING,
	RBLK_POLICY_WANT_PROMOTE,	/* this node, now */
	RBLK_POLICY_WANT_DEMOTE,	/* nobody shall be primary until somebody asks */
	RBLK_POLICY_WANT_AWAY,		/* if primary: any other node shall be */
};

/**
 * struct rblk_policy_view - how things are now
 * @arbiter: the resource's; out->stop and out->persist are the caller's business
 * @up: the resource is up in the kernel, and all below was asked of it just now
 * @busy: an action that a step told (@kernel) is under way
 * @failures: how many such actions failed since the start
 * @primary: the kernel is primary
 * @data_good: this node's data is consistent, clean or not, and no disk of it failed
 * @opened: a volume is open for writing
 * @exact: its position is all that it holds, and all that it received is applied
 * @looked_ms: when the kernel was asked for all this
 * @acks: the kernel's writes wait for so many; 0: all
 * @leased: the kernel completes under a lease only
 * @lease_until_ms: until when it has one, as last set; 0: none
 * @in_sync: nodes that the kernel's writes wait for, as the kernel says; 0: not set
 * @data_gen: generation of its last operation; see rblk_policy_generation()
 * @data_seq: the last operation that it holds
 * @last_seq: highest number that was given to an operation: what a peer acknowledged,
 *	plus what it lags behind
 * @request: of an admin, until rblk_policy_out.done or it timed out
 * @stays_away: this node is not to be promoted by itself: it is being evicted
 * @voter: a node that is to join the voters or to leave them, as a bit mask: this node,
 *	which leads, proposes it
 * @voter_joins: join
 * @asked_by: node that asked to take over, RBLK_POLICY_NOBODY; until it was answered
 * @random: a new number with each step
 * @beat: this node's beats leave now: so may what is due soon, for all resources
 * @peer: by node id
 *
 * @up_to_date, @acked_seq, @in_sync, @last_seq are of one answer of the kernel.
 */
struct rblk_policy_view {
	const struct rblk_arbiter *arbiter;
	bool up;
	bool busy;
	uint32_t failures;
	bool primary;
	bool data_good;
	bool exact;
	uint64_t looked_ms;
	uint8_t acks;
	bool opened;
	bool leased;
	uint64_t lease_until_ms;
	uint16_t in_sync;
	uint64_t data_gen;
	uint64_t data_seq;
	uint64_t last_seq;
	enum rblk_policy_request request;
	bool stays_away;
	uint16_t voter;
	bool voter_joins;
	uint8_t asked_by;
	uint32_t random;
	bool beat;
	struct rblk_policy_peer peer[RBLK_POLICY_NODES];
};

/* One at a time; the next comes when the view says that this one is over. */
enum rblk_policy_kernel {
	RBLK_POLICY_KERNEL_NONE,
	/*
	 * @generation, @in_sync, leased but without a lease: it may be lost before this
	 * is done. @set_lease follows.
	 */
	RBLK_POLICY_KERNEL_PROMOTE,
	RBLK_POLICY_KERNEL_DEMOTE,	/* what is in flight ends first */
	RBLK_POLICY_KERNEL_DEMOTE_FORCE,/* what is held fails */
	RBLK_POLICY_KERNEL_IN_SYNC,	/* set @in_sync */
	RBLK_POLICY_KERNEL_ACKS,	/* set @acks; as backup as well */
	RBLK_POLICY_KERNEL_DISCARD,	/* own branch, towards @peer */
};

enum rblk_policy_handover {
	RBLK_POLICY_HANDOVER_NONE,
	RBLK_POLICY_HANDOVER_ASK,	/* make me primary */
	RBLK_POLICY_HANDOVER_OK,	/* nobody is primary now */
	RBLK_POLICY_HANDOVER_REFUSED,
};

/* Why something is refused, or what is waited for. */
enum rblk_policy_reason {
	RBLK_POLICY_FINE,
	RBLK_POLICY_IS_MUTE,		/* the arbiter's store is missing or not its own */
	RBLK_POLICY_NO_MAJORITY,	/* of voters is heard of; @nodes are missing */
	RBLK_POLICY_IN_USE,		/* a volume is open */
	RBLK_POLICY_NOT_IN_SYNC,	/* it may lack acknowledged writes */
	RBLK_POLICY_NOT_FOLLOWING,	/* it does not follow just now */
	RBLK_POLICY_DATA_BAD,		/* inconsistent, or no disk */
	RBLK_POLICY_NOT_PRIMARY,
	RBLK_POLICY_MIN_IN_SYNC,	/* @nodes are lost, and too few would be left */
	RBLK_POLICY_ACKS_TOO_FEW,	/* copies are known, to say who has everything */
	RBLK_POLICY_FOR_FENCE,		/* of @nodes */
	RBLK_POLICY_FOR_OLD_LEASE,	/* that of the primary before, to run out */
	RBLK_POLICY_FOR_VOTES,		/* a round is under way */
	RBLK_POLICY_FOR_LEASE,		/* as primary, to be confirmed by voters */
	RBLK_POLICY_FOR_DROP,		/* of @nodes from the in-sync set */
	RBLK_POLICY_FOR_RESYNC,		/* of @nodes */
	RBLK_POLICY_FOR_BETTER,		/* @nodes are to be promoted first */
	RBLK_POLICY_FOR_VERDICT,	/* it is not yet certain that @nodes failed */
	RBLK_POLICY_FOR_PRIMARY,	/* @nodes: primary by the arbiter, not yet seen as such */
	RBLK_POLICY_FOR_KERNEL,		/* the module is at it */
	RBLK_POLICY_FOR_ADMIN,		/* nobody is to be primary until an admin says who */
	RBLK_POLICY_TIMED_OUT,
	__RBLK_POLICY_REASON_END,
};

/* Moments of a failover, for its record; bits of @notes. */
#define RBLK_POLICY_NOTE_DETECTED	0x01	/* @note_node, the primary, failed */
#define RBLK_POLICY_NOTE_DECIDED	0x02	/* this node tries to be promoted */
#define RBLK_POLICY_NOTE_FENCED		0x04	/* @note_node is off */
#define RBLK_POLICY_NOTE_CHOSEN		0x08	/* the arbiter promoted this node */
#define RBLK_POLICY_NOTE_PROMOTED	0x10	/* so did the kernel, and it has a lease */
#define RBLK_POLICY_NOTE_GIVEN_UP	0x20	/* nobody need be, or the kernel refused */

/**
 * struct rblk_policy_out - what to do now
 * @stop: the kernel completes under a lease only, and that ends now (0); before
 *	anything else
 * @shun: nodes that the kernel is not connected to as long as a step says so: links
 *	are ended and none begins. A node that is about to take the old primary's place
 *	does not let its data be overwritten by it. Before the first step: all
 * @set_lease: the kernel completes under a lease only, until @lease_until_ms
 * @lease_until_ms: see there
 * @kernel: an action that may take a while
 * @generation: of it
 * @in_sync: of it
 * @acks: of it
 * @peer: of it
 * @propose: rblk_arbiter_propose(@change, @mask)
 * @change: of it
 * @mask: of it
 * @renew: rblk_arbiter_renew()
 * @fence: nodes: rblk_arbiter_fence(), then run the agent
 * @handover: send this to @handover_to
 * @handover_to: see there; @asked_by was answered if it is OK or REFUSED
 * @handover_reason: if REFUSED
 * @done: the admin's request is over: @done_reason is RBLK_POLICY_FINE, or why not
 * @done_reason: see there
 * @notes: RBLK_POLICY_NOTE_*, each once
 * @note_node: whom they are about
 * @waits: what for, for the status; RBLK_POLICY_FINE: for nothing
 * @waits_for: nodes that it is about
 * @copies: if it waits for RBLK_POLICY_ACKS_TOO_FEW: so many are known,
 * @copies_needed: and so many are enough
 * @wake_at_ms: step again then, if nothing happens before
 *
 * In this order. A round's messages and the store are as rblk_arbiter says; step
 * again after each event, and after each round that ended.
 */
struct rblk_policy_out {
	bool stop;
	uint16_t shun;
	bool set_lease;
	uint64_t lease_until_ms;
	enum rblk_policy_kernel kernel;
	uint64_t generation;
	uint16_t in_sync;
	uint8_t acks;
	uint8_t peer;
	bool propose;
	enum rblk_arbiter_change change;
	uint16_t mask;
	bool renew;
	uint16_t fence;
	enum rblk_policy_handover handover;
	uint8_t handover_to;
	enum rblk_policy_reason handover_reason;
	bool done;
	enum rblk_policy_reason done_reason;
	uint8_t notes;
	uint8_t note_node;
	enum rblk_policy_reason waits;
	uint16_t waits_for;
	uint8_t copies;
	uint8_t copies_needed;
	uint64_t wake_at_ms;
};

/**
 * struct rblk_policy - when what was tried; the caller only keeps it
 * @config: see there; may be changed between two steps
 * @round_ends_ms: the round that runs is given up then
 * @given_up: ballot of the last round that was given up; others may begin rounds, too
 * @next_round_ms: none is begun before
 * @tries: rounds in a row that led to nothing
 * @led: the arbiter's, when the round began: what shows that it was of use
 * @renewed_ms: when leases were last asked for
 * @renewed_term: for which term
 * @lease_term: term of the lease that the kernel has
 * @last: the kernel's last action
 * @failures: see struct rblk_policy_view, at the last step
 * @hold_off_ms: after a failed action, none before
 * @bad_ms: by node: since when it has been lost, or not following; 0: it is well
 * @joining: nodes that the kernel was asked to wait for, to be added
 * @join_seq: by node: what it must have acknowledged before it is added; 0: not known.
 *	All are one higher
 * @vacant_ms: since when a new primary has been wanted; 0: there is one
 * @vacant_version: the record that this is about
 * @fence_ms: by node: none is asked for before
 * @asked_ms: when the primary was asked to hand over
 * @asked_since_ms: when it was asked first
 * @notes: made about this failover
 * @note_node: see struct rblk_policy_out
 * @stay_back_ms: not to be promoted before: it stepped down, or its kernel refused
 * @idle_ms: since when the primary has been alive and not leading
 * @doubt_ms: since when it has not been known whether it was promoted
 * @shunned: nodes whose links showed them to be primary when this node was about to
 *	be promoted
 * @heard_term: the last one whose primary was heard to lead; this node, or another
 * @heard_ms: when that was
 * @dropping: nodes that are about to be dropped where not all have all,
 * @drop_seq: and what those who stay must have acknowledged before; 0: not known.
 *	One higher
 * @acks_seq: likewise, before more acknowledgments are promised
 * @guest_ms: since when who asked to take over has been about to be in sync; 0: nobody
 */
struct rblk_policy {
	struct rblk_policy_config config;
	uint64_t round_ends_ms;
	uint64_t given_up;
	uint64_t next_round_ms;
	uint32_t tries;
	uint32_t led;
	uint64_t renewed_ms;
	uint64_t renewed_term;
	uint64_t lease_term;
	enum rblk_policy_kernel last;
	uint32_t failures;
	uint64_t hold_off_ms;
	uint64_t bad_ms[RBLK_POLICY_NODES];
	uint16_t joining;
	uint64_t join_seq[RBLK_POLICY_NODES];
	uint64_t vacant_ms;
	uint64_t vacant_version;
	uint64_t fence_ms[RBLK_POLICY_NODES];
	uint64_t asked_ms;
	uint64_t asked_since_ms;
	uint8_t notes;
	uint8_t note_node;
	uint64_t stay_back_ms;
	uint64_t idle_ms;
	uint64_t doubt_ms;
	uint16_t shunned;
	uint64_t heard_term;
	uint64_t heard_ms;
	uint16_t dropping;
	uint64_t drop_seq;
	uint64_t acks_seq;
	uint64_t guest_ms;
};

/**
 * rblk_policy_start - a daemon starts; the kernel may be primary already
 * @p: filled in
 * @config: what is configured
 */
void rblk_policy_start(struct rblk_policy *p, const struct rblk_policy_config *config);

/**
 * rblk_policy_step - what to do now
 * @p: the policy
 * @view: how things are
 * @now_ms: the time; it never goes back
 * @out: filled in
 *
 * The caller does all of @out before the next step, and takes none while the
 * arbiter's store is being written: what is not durable is not relied upon.
 */
void rblk_policy_step(struct rblk_policy *p, const struct rblk_policy_view *view,
		      uint64_t now_ms, struct rblk_policy_out *out);

/**
 * rblk_policy_tell - what this node says of itself in its beats
 * @p: the policy
 * @view: how things are
 * @told: filled in
 */
void rblk_policy_tell(const struct rblk_policy *p, const struct rblk_policy_view *view,
		      struct rblk_policy_told *told);

/**
 * rblk_policy_generation - the kernel's generation of a promotion
 * @gen: of the arbiter's record
 * @random: two promotions that the arbiter did not decide still differ
 * @node: who is promoted
 *
 * Return: above all of lower @gen; the remainder by 16 is the node.
 */
static inline uint64_t rblk_policy_generation(uint64_t gen, uint32_t random, uint8_t node)
{
	return gen << 24 | (uint64_t)(random & 0xfffff) << 4 | (node & 0xf);
}

/** rblk_policy_gen_of - the record's generation of a kernel's generation */
static inline uint64_t rblk_policy_gen_of(uint64_t generation)
{
	return generation >> 24;
}

/**
 * rblk_policy_reason_text - in words
 * @reason: a reason
 *
 * Return: a constant text, as it stands after "waits: " or "refused: ".
 */
const char *rblk_policy_reason_text(enum rblk_policy_reason reason);

#endif /* RBLK_POLICY_H */

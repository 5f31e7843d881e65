/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arbiter.h - the arbiter's register: who is primary, and who has all data
 *
 * Documentation/arbiter.rst is the specification; this is it as a pure machine:
 * an event goes in, struct rblk_arbiter_out says what to do. No I/O, no clock, no
 * allocation. Time comes as an argument, in any unit, and never goes back between
 * two starts of a node.
 *
 * The caller obeys three rules for each struct rblk_arbiter_out, in this order:
 *  - stop: the kernel completes nothing more as primary, before anything else;
 *  - persist: the store is durable before any message leaves, and before anything is
 *    done because of what the struct says now: a fence vote may make it true at once;
 *  - then the messages are sent. They may be lost, doubled, late, out of order.
 */
#ifndef RBLK_ARBITER_H
#define RBLK_ARBITER_H

#include <stdbool.h>
#include <stdint.h>

#define RBLK_ARBITER_NODES	16
#define RBLK_ARBITER_NOBODY	0xff

/*
 * The rules that tests/model breaks, one by one, to see that each is needed.
 * Everybody else gets them all.
 */
#ifndef RBLK_ARBITER_RULE
#define RBLK_ARBITER_RULE(name)	true
#endif

/**
 * struct rblk_arbiter_record - the value of the register
 * @version: raised by every change
 * @gen: generation of the last promotion
 * @term: ballot of the round that asked for it. Two starts of a node may ask for
 *	the same @gen, of which one is chosen; @term tells them apart.
 * @primary: who was promoted with @gen, or RBLK_ARBITER_NOBODY
 * @idle: there is no primary because an admin wants none; else a node that is
 *	in sync may ask to be it
 * @insync: nodes that hold every acknowledged write
 * @fenced: nodes that were off when they were last passed over
 * @voters: who votes on the next version
 * @voters_before: who voted on this one; differs after a change of members
 * @acks: 0: what was acknowledged is on all of @insync; N: on N + 1 of them, or
 *	all if they are fewer
 * @holder: if @acks is not 0: a node of @insync that has all that was acknowledged,
 *	whatever the others have: it was the last one whose kernel was primary
 *
 * Sets of nodes are bit masks. @primary is in @insync; no node is both in
 * @insync and @fenced.
 */
struct rblk_arbiter_record {
	uint64_t version;
	uint64_t gen;
	uint64_t term;
	uint8_t primary;
	bool idle;
	uint16_t insync;
	uint16_t fenced;
	uint16_t voters;
	uint16_t voters_before;
	uint8_t acks;
	uint8_t holder;
};

/**
 * struct rblk_arbiter_store - what a voter keeps durably
 * @promised: no ballot below this is answered any more
 * @accepted: ballot of @record
 * @record: the value accepted last
 */
struct rblk_arbiter_store {
	uint64_t promised;
	uint64_t accepted;
	struct rblk_arbiter_record record;
};

enum rblk_arbiter_type {
	RBLK_ARBITER_PREPARE = 1,
	RBLK_ARBITER_PROMISE,
	RBLK_ARBITER_ACCEPT,
	RBLK_ARBITER_ACCEPTED,
	RBLK_ARBITER_REFUSED,	/* @ballot: what it was asked, @other: promised */
	RBLK_ARBITER_LEASE,	/* @other: term; @sent, @lease */
	RBLK_ARBITER_GRANT,	/* the same */
};

/**
 * struct rblk_arbiter_msg - what nodes tell each other
 * @type: enum rblk_arbiter_type
 * @from: sender
 * @to: receiver
 * @ballot: of the round
 * @other: PROMISE: ballot of @record; else see the type
 * @sent: LEASE: the sender's time; GRANT: the same, as it came
 * @lease: LEASE, GRANT: for how long
 * @record: PROMISE: what was accepted; ACCEPT: what to accept
 */
struct rblk_arbiter_msg {
	uint8_t type;
	uint8_t from;
	uint8_t to;
	uint64_t ballot;
	uint64_t other;
	uint64_t sent;
	uint64_t lease;
	struct rblk_arbiter_record record;
};

enum rblk_arbiter_change {
	RBLK_ARBITER_REFRESH,		/* change nothing: a full round */
	RBLK_ARBITER_PROMOTE,		/* this node; keep those of the mask in sync */
	/* this node, after its kernel stopped; mask 0: nobody shall follow it */
	RBLK_ARBITER_DEMOTE,
	RBLK_ARBITER_DROP,		/* the mask leaves the in-sync set */
	RBLK_ARBITER_ADD,		/* the mask, which has all data, joins it */
	RBLK_ARBITER_ADD_VOTER,		/* one */
	RBLK_ARBITER_DEL_VOTER,		/* one */
	RBLK_ARBITER_HOLD,		/* this node, promoted, has all that was acknowledged */
	RBLK_ARBITER_ACKS,		/* the mask is the new number */
};

enum rblk_arbiter_result {
	RBLK_ARBITER_NONE,		/* nothing ended */
	RBLK_ARBITER_CHOSEN,		/* the change is in known */
	RBLK_ARBITER_AGAIN,		/* something else came between: try again */
	RBLK_ARBITER_NOT_ALLOWED,	/* known forbids the change */
};

/**
 * struct rblk_arbiter_out - what an event leads to
 * @stop: stop the kernel first, if it is primary: this node leads no more
 * @persist: write the store before sending
 * @nr: messages in @msg
 * @nr_learned: records in @learned
 * @result: of the round that this node ran
 * @learned: became known as chosen, in this order
 * @msg: to send
 */
struct rblk_arbiter_out {
	bool stop;
	bool persist;
	uint8_t nr;
	uint8_t nr_learned;
	enum rblk_arbiter_result result;
	struct rblk_arbiter_record learned[2];
	struct rblk_arbiter_msg msg[RBLK_ARBITER_NODES];
};

enum rblk_arbiter_phase {
	RBLK_ARBITER_IDLE,
	RBLK_ARBITER_PREPARING,
	RBLK_ARBITER_ACCEPTING,
};

/**
 * struct rblk_arbiter - a node
 * @self: its id
 * @mute: its store is not its own: it neither votes nor proposes
 * @lease: how long a lease is
 * @margin: how much longer a voter waits: how far clocks may part in that time
 * @store: see there; all else is forgotten when the node stops
 * @grant_term: term for which this voter gave its word, 0: none; that of @store
 * @grant_holder: to whom
 * @grant_until: until when it stands
 * @phase: of the round that this node runs
 * @change: what that round is to change
 * @mask: of it
 * @repeat: the round only completes what another began
 * @solo: the round counts the vote of a fenced node
 * @ballot: of the round; the highest one seen when idle
 * @base_ballot: of @value while preparing
 * @value: newest record that was promised on, then the record to be accepted
 * @votes: who promised, then who accepted
 * @agreed: who promised with @base_ballot
 * @known: the newest record that this node knows to be chosen
 * @pending: the record that this node last asked to accept, @has_pending
 * @has_pending: and it is not known whether it was chosen
 * @learned: @known is no guess: it was learned since the start
 * @led: rounds of this node that ended with @known learned
 * @insync: every write must be on these nodes before it is acknowledged
 * @synced: this node led both voters through a full round since it started
 * @fencing: fences asked for; contact with the node takes it out
 * @fenced: confirmed to be off, and not heard of since the fence was asked for
 * @fence_term: if the node was primary when the fence was asked for: its term
 * @lead_term: term in which this node may be primary, 0: none
 * @granted_until: by voter, until when its grant counts here
 */
struct rblk_arbiter {
	uint8_t self;
	bool mute;
	uint64_t lease;
	uint64_t margin;
	struct rblk_arbiter_store store;

	uint64_t grant_term;
	uint8_t grant_holder;
	uint64_t grant_until;

	enum rblk_arbiter_phase phase;
	enum rblk_arbiter_change change;
	uint16_t mask;
	bool repeat;
	bool solo;
	uint64_t ballot;
	uint64_t base_ballot;
	struct rblk_arbiter_record value;
	uint16_t votes;
	uint16_t agreed;

	struct rblk_arbiter_record known;
	struct rblk_arbiter_record pending;
	bool has_pending;
	bool learned;
	uint32_t led;
	uint16_t insync;

	bool synced;
	uint16_t fencing;
	uint16_t fenced;
	uint64_t fence_term[RBLK_ARBITER_NODES];

	uint64_t lead_term;
	uint64_t granted_until[RBLK_ARBITER_NODES];
};

/**
 * rblk_arbiter_start - a node starts
 * @a: filled in
 * @self: its id
 * @store: what it kept; NULL when that is damaged, missing or not its own: then
 *	it is mute until a change of members takes it in
 * @lease: how long a lease is, the same on all nodes
 * @margin: see struct rblk_arbiter
 * @now: its clock
 *
 * It may have given its word before: it keeps it as if that was just now.
 */
void rblk_arbiter_start(struct rblk_arbiter *a, uint8_t self,
			const struct rblk_arbiter_store *store, uint64_t lease,
			uint64_t margin, uint64_t now);

/**
 * rblk_arbiter_propose - begin a round; one that runs is given up
 * @a: the node
 * @change: what to change
 * @mask: nodes that it concerns
 * @now: its clock
 * @out: what to do
 *
 * ADD: from the call on, a write waits for those nodes (@insync), and before
 * it they must have all that was acknowledged. DEMOTE: the kernel has stopped.
 * With @acks in the record the caller sees that what was acknowledged is on as many
 * nodes of the new @insync as the record claims, and of the old: control-plane.rst.
 */
void rblk_arbiter_propose(struct rblk_arbiter *a, enum rblk_arbiter_change change,
			  uint16_t mask, uint64_t now,
			  struct rblk_arbiter_out *out);

/**
 * rblk_arbiter_receive - a message came
 * @a: the node
 * @msg: from a node that was authenticated as msg->from
 * @now: its clock
 * @out: what to do
 */
void rblk_arbiter_receive(struct rblk_arbiter *a,
			  const struct rblk_arbiter_msg *msg, uint64_t now,
			  struct rblk_arbiter_out *out);

/**
 * rblk_arbiter_renew - a primary asks its voters for another lease
 * @a: the node
 * @now: its clock
 * @out: what to do
 */
void rblk_arbiter_renew(struct rblk_arbiter *a, uint64_t now,
			struct rblk_arbiter_out *out);

/**
 * rblk_arbiter_contact - a node was heard of
 * @a: the node
 * @from: who
 * @out: what to do; it must be empty, or what was said so far
 *
 * rblk_arbiter_receive() does it for each message. It ends what a fence of @from
 * stands for.
 */
void rblk_arbiter_contact(struct rblk_arbiter *a, uint8_t from,
			  struct rblk_arbiter_out *out);

/**
 * rblk_arbiter_fence - a fence of @node is being asked for
 * @a: the node
 * @node: who is to be switched off; call this before the agent is run
 */
void rblk_arbiter_fence(struct rblk_arbiter *a, uint8_t node);

/**
 * rblk_arbiter_fence_confirmed - the agent says that @node is off
 * @a: the node
 * @node: it was switched off after rblk_arbiter_fence()
 *
 * Return: whether it counts. If not, the node was heard of meanwhile: ask again.
 */
bool rblk_arbiter_fence_confirmed(struct rblk_arbiter *a, uint8_t node);

/**
 * rblk_arbiter_lease_until - until when the kernel may complete as primary
 * @a: the node
 *
 * Return: a time of the node's clock, 0 when it may not at all.
 */
uint64_t rblk_arbiter_lease_until(const struct rblk_arbiter *a);

/**
 * rblk_arbiter_copies - on how many nodes in sync is what was acknowledged?
 * @r: a record
 *
 * Return: at least on so many.
 */
unsigned int rblk_arbiter_copies(const struct rblk_arbiter_record *r);

/**
 * rblk_arbiter_is_partial - may a node in sync lack what was acknowledged?
 * @r: a record
 */
bool rblk_arbiter_is_partial(const struct rblk_arbiter_record *r);

/**
 * rblk_arbiter_record_is_valid - could this record be in a register
 * @r: a record from a disk or a message
 *
 * Return: false when it breaks a rule of struct rblk_arbiter_record.
 */
bool rblk_arbiter_record_is_valid(const struct rblk_arbiter_record *r);

#endif /* RBLK_ARBITER_H */

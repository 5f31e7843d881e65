/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shared.h - an arbiter whose register is kept elsewhere, where all nodes reach it
 *
 * The store that keeps it (etcd) can read a value with its revision, and replace the
 * value if it still has a given revision. Each node runs the machine of arbiter.h as
 * the only voter; what that one would make durable on a disk is a write to the store.
 * Nothing is relied on before the store said that the write was made.
 * Documentation/arbiter.rst, "etcd", says why this is safe.
 *
 * Pure: no I/O, no clock, no allocation. One request is under way at a time.
 */
#ifndef RBLK_SHARED_H
#define RBLK_SHARED_H

#include "arbiter.h"
#include "arbiter_store.h"

/* The rules that tests break, as RBLK_ARBITER_RULE. */
#ifndef RBLK_SHARED_RULE
#define RBLK_SHARED_RULE(name)	true
#endif

#define RBLK_SHARED_BYTES	(RBLK_ARBITER_SLOT_BYTES + 16)
#define RBLK_SHARED_NONCE_BYTES	RBLK_ARBITER_ID_BYTES

/**
 * struct rblk_shared_value - what the store keeps
 * @store: as a voter's; its record names no voters but the node that reads it
 * @serial: raised by one with each write, renewals of a lease included
 * @lease: in milliseconds; how long the lease may be that the writer takes
 * @nonce: random, of the write: by it a node knows its own
 */
struct rblk_shared_value {
	struct rblk_arbiter_store store;
	uint64_t serial;
	uint32_t lease;
	uint8_t nonce[RBLK_SHARED_NONCE_BYTES];
};

enum rblk_shared_request {
	RBLK_SHARED_NOTHING,
	RBLK_SHARED_READ,
	RBLK_SHARED_WRITE,	/* .next, if the revision is still .revision */
};

/**
 * struct rblk_shared - a node, besides its struct rblk_arbiter
 * @revision: of the newest value that was read or written, 0: none since the start
 * @serial: of that
 * @request: the one under way
 * @changes: it is of a round; else it renews a lease, or only looks
 * @gave_up: with that round this node gave up its lead
 * @sent: when it began
 * @next: what a write is to write
 * @before: the arbiter before that round
 */
struct rblk_shared {
	uint64_t revision;
	uint64_t serial;
	enum rblk_shared_request request;
	bool changes;
	bool gave_up;
	uint64_t sent;
	struct rblk_shared_value next;
	struct rblk_arbiter before;
};

/**
 * rblk_shared_start - a node starts; it is mute until the register was read
 * @s: filled in
 * @a: filled in
 * @self: the node's id
 * @lease: how long a lease is, in milliseconds, as all times here
 * @margin: and how far two clocks may part in that time
 */
void rblk_shared_start(struct rblk_shared *s, struct rblk_arbiter *a, uint8_t self,
		       uint64_t lease, uint64_t margin);

/**
 * rblk_shared_propose - begin a round
 * @s: the node; no request is under way
 * @a: its arbiter
 * @change: as in rblk_arbiter_propose()
 * @mask: likewise
 * @nonce: random, RBLK_SHARED_NONCE_BYTES
 * @now: its clock
 * @out: @out->stop: stop the kernel before the request is sent. @out->result: if
 *	nothing is to be sent
 *
 * From here until the answer @a shows what may not be: the policy does not look.
 *
 * Return: what to send.
 */
enum rblk_shared_request
rblk_shared_propose(struct rblk_shared *s, struct rblk_arbiter *a,
		    enum rblk_arbiter_change change, uint16_t mask,
		    const uint8_t *nonce, uint64_t now, struct rblk_arbiter_out *out);

/**
 * rblk_shared_renew - a primary wants another lease
 * @s: the node; no request is under way
 * @a: its arbiter
 * @nonce: random
 * @now: its clock
 *
 * Return: what to send.
 */
enum rblk_shared_request
rblk_shared_renew(struct rblk_shared *s, struct rblk_arbiter *a, const uint8_t *nonce,
		  uint64_t now);

/**
 * rblk_shared_look - read the register
 * @s: the node; no request is under way
 *
 * Whoever may be promoted looks as often as leases are renewed: a primary's lease
 * counts from when it was last seen renewed.
 *
 * Return: what to send.
 */
enum rblk_shared_request rblk_shared_look(struct rblk_shared *s);

/**
 * rblk_shared_answer - the request was answered
 * @s: the node
 * @a: its arbiter
 * @value: what the store has; NULL: it is what this node wrote just now
 * @revision: of it
 * @now: its clock
 * @out: what to do
 *
 * Return: false when the store has what is older than what it had: it lost writes.
 * Then @a is mute.
 */
bool rblk_shared_answer(struct rblk_shared *s, struct rblk_arbiter *a,
			const struct rblk_shared_value *value, uint64_t revision,
			uint64_t now, struct rblk_arbiter_out *out);

/**
 * rblk_shared_unknown - the request was not answered
 * @s: the node
 * @a: its arbiter
 * @now: its clock
 * @out: what to do
 *
 * A write may have been made, or may be made yet. This node lives by both.
 */
void rblk_shared_unknown(struct rblk_shared *s, struct rblk_arbiter *a, uint64_t now,
			 struct rblk_arbiter_out *out);

/**
 * rblk_shared_put - a value as bytes
 * @bytes: RBLK_SHARED_BYTES
 * @uuid: of the resource
 * @value: to write
 */
void rblk_shared_put(uint8_t *bytes, const uint8_t *uuid,
		     const struct rblk_shared_value *value);

/**
 * rblk_shared_get - bytes as a value
 * @bytes: what was read
 * @n: how many
 * @uuid: of the resource that it must be of
 * @value: filled in when they are good
 *
 * Return: RBLK_ARBITER_SLOT_OK, or why they are not.
 */
enum rblk_arbiter_slot rblk_shared_get(const uint8_t *bytes, size_t n,
				       const uint8_t *uuid,
				       struct rblk_shared_value *value);

#endif /* RBLK_SHARED_H */

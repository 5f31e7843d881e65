/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * beat.h - the datagrams between daemons, as bytes
 *
 * A header, then bodies, each with type and length, then the MAC, which is
 * computed and verified by the caller: over all bytes before it. Nothing is
 * decoded before that. Documentation/control-plane.rst is the format.
 *
 * Pure: no I/O, clock or allocation.
 */
#ifndef RBLK_BEAT_H
#define RBLK_BEAT_H

#include "arbiter.h"
#include "detector.h"
#include "policy.h"
#include "session.h"

#include <stddef.h>

#define RBLK_BEAT_MAX_BYTES	1400	/* of a datagram, with its MAC */
#define RBLK_BEAT_HEADER_BYTES	48
#define RBLK_BEAT_MAC_BYTES	32
#define RBLK_BEAT_UUID_BYTES	16

enum rblk_beat_type {
	RBLK_BEAT_BEAT = 1,
	RBLK_BEAT_RESOURCE,	/* what the sender says of itself in a resource */
	RBLK_BEAT_ARBITER,	/* a message of a resource's arbiter */
	RBLK_BEAT_HANDOVER,
	RBLK_BEAT_HELD = 6,	/* what the sender knows of the receiver's resources */
};

/**
 * struct rblk_beat_handover - a switchover, asked for or answered
 * @what: see enum rblk_policy_handover
 * @reason: why it is refused, else 0; an enum rblk_policy_reason
 */
struct rblk_beat_handover {
	uint8_t what;
	uint8_t reason;
};

/**
 * struct rblk_beat_body - one of a datagram's bodies
 * @type: enum rblk_beat_type
 * @uuid: of the resource; all 0 with RBLK_BEAT_BEAT and RBLK_BEAT_HELD
 * @beat: RBLK_BEAT_BEAT
 * @told: RBLK_BEAT_RESOURCE
 * @arbiter: RBLK_BEAT_ARBITER; @from and @to are the datagram's
 * @handover: RBLK_BEAT_HANDOVER
 * @held: RBLK_BEAT_HELD: a sum of rblk_beat_hash()
 */
struct rblk_beat_body {
	uint8_t type;
	uint8_t uuid[RBLK_BEAT_UUID_BYTES];
	union {
		struct rblk_detector_beat beat;
		struct rblk_policy_told told;
		struct rblk_arbiter_msg arbiter;
		struct rblk_beat_handover handover;
		uint64_t held;
	};
};

/**
 * struct rblk_beat_writer - a datagram that is being put together
 * @bytes: it
 * @nr: how many so far, without the MAC
 * @batch: where the batch of leases or grants is that the next one may join, 0: none
 */
struct rblk_beat_writer {
	uint8_t bytes[RBLK_BEAT_MAX_BYTES];
	size_t nr;
	size_t batch;
};

/**
 * rblk_beat_begin - begin a datagram
 * @w: filled in
 * @cluster: number that tells this cluster from others; the key does so for certain
 * @h: its session's header
 */
void rblk_beat_begin(struct rblk_beat_writer *w, uint64_t cluster,
		     const struct rblk_session_header *h);

/**
 * rblk_beat_add - add a body
 * @w: the datagram
 * @body: it; leases and grants of one time share their head
 *
 * Return: false if it does not fit: then @w is as it was.
 */
bool rblk_beat_add(struct rblk_beat_writer *w, const struct rblk_beat_body *body);

/**
 * rblk_beat_end - finish a datagram
 * @w: the datagram
 *
 * The caller puts the MAC of the first bytes after them.
 *
 * Return: how many bytes come before the MAC; with it RBLK_BEAT_MAC_BYTES more.
 */
size_t rblk_beat_end(struct rblk_beat_writer *w);

enum rblk_beat_error {
	RBLK_BEAT_OK,
	RBLK_BEAT_SIZE,		/* too short, too long, not as long as it says */
	RBLK_BEAT_MAGIC,	/* not a datagram of rblk */
	RBLK_BEAT_VERSION,	/* of another version */
	RBLK_BEAT_CLUSTER,	/* of another cluster */
	RBLK_BEAT_NODE,		/* from or to a node that cannot be */
	RBLK_BEAT_BODY,		/* a body that cannot be */
	__RBLK_BEAT_END,
};

/**
 * struct rblk_beat_reader - a datagram that is being read
 * @bytes: it, without the MAC
 * @nr: how many
 * @at: the next body
 * @entry: the next entry of a batch at @at
 * @h: its session's header
 */
struct rblk_beat_reader {
	const uint8_t *bytes;
	size_t nr;
	size_t at;
	uint16_t entry;
	struct rblk_session_header h;
};

/**
 * rblk_beat_open - read a datagram's header; before or after the MAC was verified
 * @r: filled in
 * @bytes: all of the datagram; they stay while it is read
 * @nr: how many
 * @cluster: this cluster's number
 *
 * It is needed to know whose key it is. Nothing is to be believed before
 * the MAC was verified: the last RBLK_BEAT_MAC_BYTES, of all before them.
 *
 * Return: RBLK_BEAT_OK, or what is wrong.
 */
enum rblk_beat_error rblk_beat_open(struct rblk_beat_reader *r, const uint8_t *bytes,
				    size_t nr, uint64_t cluster);

/**
 * rblk_beat_check - are all bodies well-formed
 * @r: just opened; it stays so
 *
 * A datagram is acted upon as a whole or not at all. Bodies of a type that is not
 * known are skipped: a later version may send them.
 *
 * Return: RBLK_BEAT_OK, or what is wrong.
 */
enum rblk_beat_error rblk_beat_check(const struct rblk_beat_reader *r);

/**
 * rblk_beat_next - the next body
 * @r: the datagram, checked
 * @body: filled in
 *
 * Return: false when there is none.
 */
bool rblk_beat_next(struct rblk_beat_reader *r, struct rblk_beat_body *body);

/**
 * rblk_beat_hash - a short form of what a node says of itself in a resource
 * @uuid: of the resource
 * @told: what it says
 *
 * Sums of these tell whether all of it arrived and still holds, in any order, so that it need
 * not be said again.
 *
 * Return: a number; for different things hardly ever the same.
 */
uint64_t rblk_beat_hash(const uint8_t uuid[RBLK_BEAT_UUID_BYTES],
			const struct rblk_policy_told *told);

/**
 * rblk_beat_strerror - in words
 * @err: what a function above returned
 *
 * Return: a constant text.
 */
const char *rblk_beat_strerror(enum rblk_beat_error err);

#endif /* RBLK_BEAT_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arbiter_store.h - what a voter keeps, as bytes
 *
 * The store has two slots, written in turn: slot serial % 2. A write that a crash
 * tore leaves the other. Documentation/arbiter.rst is the format.
 */
#ifndef RBLK_ARBITER_STORE_H
#define RBLK_ARBITER_STORE_H

#include "arbiter.h"

#include <stddef.h>

#define RBLK_ARBITER_SLOT_BYTES	512
#define RBLK_ARBITER_ID_BYTES	16

enum rblk_arbiter_slot {
	RBLK_ARBITER_SLOT_OK,
	RBLK_ARBITER_SLOT_ABSENT,	/* no slot, or not all of it */
	RBLK_ARBITER_SLOT_VERSION,	/* of a format that this one does not know */
	RBLK_ARBITER_SLOT_DAMAGED,	/* its checksum differs */
	RBLK_ARBITER_SLOT_FOREIGN,	/* of another instance, node or resource */
	RBLK_ARBITER_SLOT_INVALID,	/* impossible */
	__RBLK_ARBITER_SLOT_END,
};

/**
 * struct rblk_arbiter_owner - whose store it is
 * @instance: random, drawn anew by every start of the node; kept outside of the
 *	store as well
 * @instance_before: read as well: a start that was interrupted leaves both; else
 *	the same as @instance
 * @resource: uuid of the resource
 * @node: id of the node
 */
struct rblk_arbiter_owner {
	uint8_t instance[RBLK_ARBITER_ID_BYTES];
	uint8_t instance_before[RBLK_ARBITER_ID_BYTES];
	uint8_t resource[RBLK_ARBITER_ID_BYTES];
	uint8_t node;
};

/**
 * rblk_arbiter_slot_put - write a slot
 * @slot: RBLK_ARBITER_SLOT_BYTES, to go into slot @serial % 2
 * @owner: whose
 * @serial: one above the last one written
 * @store: what to keep
 */
void rblk_arbiter_slot_put(uint8_t *slot, const struct rblk_arbiter_owner *owner,
			   uint64_t serial, const struct rblk_arbiter_store *store);

/**
 * rblk_arbiter_slot_get - read a slot
 * @slot: what was read
 * @bytes: how much of it
 * @owner: whose it must be
 * @serial: set when it is good
 * @store: set when it is good
 *
 * Return: RBLK_ARBITER_SLOT_OK, or why it is not.
 */
enum rblk_arbiter_slot
rblk_arbiter_slot_get(const uint8_t *slot, size_t bytes,
		      const struct rblk_arbiter_owner *owner, uint64_t *serial,
		      struct rblk_arbiter_store *store);

/**
 * rblk_arbiter_store_get - read a store: both slots
 * @slots: slot 0, then slot 1
 * @bytes: how much there is
 * @owner: whose it must be
 * @serial: set when it is good
 * @store: set to what the newer good slot says
 *
 * The newer slot may be torn: nobody was told of it. But a slot that was written
 * whole by somebody else, or is impossible, is no crash: then the store is not
 * used at all.
 *
 * Return: RBLK_ARBITER_SLOT_OK, or why this node does not vote.
 */
enum rblk_arbiter_slot
rblk_arbiter_store_get(const uint8_t *slots, size_t bytes,
		       const struct rblk_arbiter_owner *owner, uint64_t *serial,
		       struct rblk_arbiter_store *store);

/**
 * rblk_arbiter_slot_strerror - in words
 * @err: what a function above returned
 *
 * Return: a text that completes "the arbiter's store: ".
 */
const char *rblk_arbiter_slot_strerror(enum rblk_arbiter_slot err);

#endif /* RBLK_ARBITER_STORE_H */

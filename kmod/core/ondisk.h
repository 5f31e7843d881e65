/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ondisk.h - the metadata of a volume, as blocks on a disk and as native
 * values. Documentation/ondisk.rst is the format.
 *
 * Every block has 4 KiB and begins with the same head: magic, version, kind,
 * serial, its own place, whose it is, and a crc32c of all of it. A block that
 * is torn, flipped, misplaced or of an earlier life of the disk is therefore
 * never taken for a good one. Struct layouts stay in ondisk.c: everybody else
 * sees native values, and only after they were checked.
 */
#ifndef RBLK_CORE_ONDISK_H
#define RBLK_CORE_ONDISK_H

#include "env.h"
#include "lineage.h"
#include "../uapi/rblk.h"

#define RBLK_ONDISK_BLOCK	4096U
#define RBLK_ONDISK_VERSION	1
#define RBLK_ONDISK_HEAD_BYTES	(128U << 10)	/* superblocks and positions */
#define RBLK_ONDISK_COPY_BYTES	(64U << 10)	/* from one copy to the other */
#define RBLK_ONDISK_ALIGN	(1U << 20)	/* of the data, when it follows */
#define RBLK_ONDISK_SLOTS	(RBLK_MAX_NODES - 1)
#define RBLK_ONDISK_BODY	4032U		/* bytes after the head */
#define RBLK_ONDISK_BODY_BITS	(RBLK_ONDISK_BODY * 8)

#define RBLK_ONDISK_BIT_SHIFT_MIN	12	/* 4 KiB per bit */
#define RBLK_ONDISK_BIT_SHIFT_MAX	20	/* 1 MiB */
#define RBLK_ONDISK_BIT_SHIFT		16	/* default: 64 KiB */
#define RBLK_ONDISK_EXTENT_SHIFT_MIN	20	/* 1 MiB per extent */
#define RBLK_ONDISK_EXTENT_SHIFT_MAX	30	/* 1 GiB */
#define RBLK_ONDISK_EXTENT_SHIFT	22	/* default: 4 MiB ... */
#define RBLK_ONDISK_EXTENT_SHIFT_BIG	24	/* ... to 16 MiB, by the disk's size */
#define RBLK_ONDISK_RING_MIN		32U	/* blocks */
#define RBLK_ONDISK_RING_MAX		4096U
#define RBLK_ONDISK_RING		64U	/* default */
#define RBLK_ONDISK_BYTES_MAX		(1ULL << 62)

/* One transaction of the activity log. */
#define RBLK_ONDISK_UPDATES	64U
#define RBLK_ONDISK_CONTEXT	768U
#define RBLK_ONDISK_NO_EXTENT	U32_MAX
#define RBLK_ONDISK_ACTIVE_MAX	16384U	/* slots of the active set */
#define RBLK_ONDISK_PAST	16U	/* terms before the last one */

enum rblk_ondisk_error {
	RBLK_ONDISK_OK,
	RBLK_ONDISK_ABSENT,	/* no metadata of ours */
	RBLK_ONDISK_VERSION_UNKNOWN,
	RBLK_ONDISK_DAMAGED,	/* the checksum differs */
	RBLK_ONDISK_MISPLACED,	/* good, but of another place */
	RBLK_ONDISK_FOREIGN,	/* good, but of another member or kind */
	RBLK_ONDISK_INVALID,	/* good checksum, impossible content */
	RBLK_ONDISK_CLASH,	/* two good copies that cannot both be true */
	RBLK_ONDISK_TOO_SMALL,	/* no room for metadata and data */
	__RBLK_ONDISK_END,
};

/** rblk_ondisk_strerror - "no rblk metadata", ... */
const char *rblk_ondisk_strerror(enum rblk_ondisk_error err);

/**
 * struct rblk_geometry - where everything is
 * @layout: RBLK_METADATA_START, _END or _APART
 * @bit_shift: log2 of the bytes that a bit of a bitmap stands for
 * @extent_shift: log2 of an activity log extent's bytes
 * @ring_blocks: of the activity log
 * @disk_bytes: size of the disk that holds the data
 * @meta_bytes: size of the device that holds the metadata: @disk_bytes, except
 *	with RBLK_METADATA_APART
 * @data_bytes: size of the volume, a multiple of 4096
 * @data_at: where it begins on the disk
 * @head_at: the superblocks' area, on the metadata's device, as all below
 * @ring_at: the activity log
 * @bitmap_at: the first slot's bitmap
 * @slot_bytes: one slot's
 *
 * The first seven determine the rest: see rblk_ondisk_lay_out(). With
 * @data_bytes 0 it becomes as large as there is room.
 */
struct rblk_geometry {
	u8 layout;
	u8 bit_shift;
	u8 extent_shift;
	u32 ring_blocks;
	u64 disk_bytes;
	u64 meta_bytes;
	u64 data_bytes;
	u64 data_at;
	u64 head_at;
	u64 ring_at;
	u64 bitmap_at;
	u64 slot_bytes;
};

/**
 * rblk_ondisk_lay_out - fill in the rest of a geometry
 * @geo: its first seven members are given; any values
 *
 * Return: OK, TOO_SMALL, or INVALID for values that are not allowed.
 */
enum rblk_ondisk_error rblk_ondisk_lay_out(struct rblk_geometry *geo);

/**
 * rblk_ondisk_head_at - where the superblocks are on a device of @bytes
 * @layout: of the volume
 * @bytes: size of the device that holds the metadata
 *
 * Return: a byte offset, U64_MAX if the device is too small for any.
 */
u64 rblk_ondisk_head_at(u8 layout, u64 bytes);

/**
 * rblk_ondisk_extent_shift - the default for a disk of @bytes
 * @bytes: > 0
 *
 * So large that all of it can be active at once, within bounds: what is active
 * is compared after a crash.
 *
 * Return: log2 of an extent's bytes.
 */
u8 rblk_ondisk_extent_shift(u64 bytes);

/** rblk_ondisk_super_at - byte offset of superblock copy 0 or 1 */
static inline u64 rblk_ondisk_super_at(u64 head_at, unsigned int copy)
{
	return head_at + copy * RBLK_ONDISK_COPY_BYTES;
}

/** rblk_ondisk_position_at - byte offset of position record 0 or 1 */
static inline u64 rblk_ondisk_position_at(u64 head_at, unsigned int copy)
{
	return rblk_ondisk_super_at(head_at, copy) + RBLK_ONDISK_BLOCK;
}

/** rblk_ondisk_map_blocks - blocks of bits in a slot's bitmap */
u64 rblk_ondisk_map_blocks(const struct rblk_geometry *geo);

/** rblk_ondisk_index_blocks - blocks of its index, which come first */
u64 rblk_ondisk_index_blocks(const struct rblk_geometry *geo);

enum rblk_in_sync {
	RBLK_IN_SYNC_UNKNOWN,
	RBLK_IN_SYNC_YES,
	RBLK_IN_SYNC_NO,
	__RBLK_IN_SYNC_END,
};

enum rblk_slot_state {
	RBLK_SLOT_FREE,		/* of no node */
	RBLK_SLOT_CLEAN,	/* the node lacks nothing; its blocks say nothing */
	RBLK_SLOT_BITS,		/* the index says which blocks hold bits */
	RBLK_SLOT_FULL,		/* everything may differ; its blocks say nothing */
	__RBLK_SLOT_END,
};

/**
 * struct rblk_slot - whom a bitmap is about
 * @node: its id; 0 while free
 * @state: enum rblk_slot_state
 */
struct rblk_slot {
	u8 node;
	u8 state;
};

/**
 * struct rblk_record - what a node keeps of a resource, on each of its volumes
 * @serial: counts the changes of it
 * @promised: highest generation promised
 * @data: enum rblk_data: NEW, CONSISTENT or INCONSISTENT
 * @in_sync: enum rblk_in_sync
 * @clean: nothing was changed on the volumes since: @lineage is exact
 * @led: this node was primary in the last term of @lineage
 * @lineage: of the data; without @clean its seq is a lower bound, and may be
 *	below its last terms
 */
struct rblk_record {
	u64 serial;
	u64 promised;
	u8 data;
	u8 in_sync;
	bool clean;
	bool led;
	struct rblk_lineage lineage;
};

/**
 * struct rblk_seen - how far a primary's activity log had come, as a backup saw it
 * @gen: generation of that primary; 0: of none
 * @serial: its newest transaction, of the same volume, that was durable before
 *	what this node got from it
 */
struct rblk_seen {
	u64 gen;
	u64 serial;
};

/**
 * struct rblk_ondisk_super - a superblock
 * @set: the resource's uuid, the same on all nodes
 * @member: this disk's, made by "rblk create": another one each time
 * @name: of the resource
 * @node_id: of the node that the disk belongs to
 * @volume: id of the volume in the resource
 * @created_s: when, seconds since 1970
 * @geo: where everything is
 * @record: of the resource
 * @slot: of the bitmaps; no node twice
 * @seen: of the primary that wrote this disk last
 */
struct rblk_ondisk_super {
	u8 set[RBLK_UUID_SIZE];
	u8 member[RBLK_UUID_SIZE];
	char name[RBLK_NAME_SIZE];
	u8 node_id;
	u8 volume;
	u64 created_s;
	struct rblk_geometry geo;
	struct rblk_record record;
	struct rblk_slot slot[RBLK_ONDISK_SLOTS];
	struct rblk_seen seen;
};

/**
 * rblk_ondisk_put_super - write a superblock
 * @block: RBLK_ONDISK_BLOCK bytes
 * @super: valid
 * @copy: 0 or 1
 */
void rblk_ondisk_put_super(void *block, const struct rblk_ondisk_super *super,
			   unsigned int copy);

/**
 * rblk_ondisk_get_super - read one
 * @block: RBLK_ONDISK_BLOCK bytes of anything
 * @place: the byte offset that they were read from
 * @super: filled when OK
 *
 * Return: OK, ABSENT, VERSION_UNKNOWN, DAMAGED, FOREIGN, MISPLACED, INVALID.
 */
enum rblk_ondisk_error rblk_ondisk_get_super(const void *block, u64 place,
					     struct rblk_ondisk_super *super);

/**
 * rblk_ondisk_pick_super - which of the two copies is true
 * @err: what reading each gave
 * @super: both; only those that were OK are looked at
 * @pick: set to 0 or 1 when OK
 *
 * A change is written to copy 0, then to copy 1, each durable before the next
 * step, and it is acted upon only after both. So of two good copies the newer
 * one is true, and if one is torn or damaged the other one is not older than
 * anything that was acted upon.
 *
 * Return: OK; or why there is no answer.
 */
enum rblk_ondisk_error
rblk_ondisk_pick_super(const enum rblk_ondisk_error err[2],
		       const struct rblk_ondisk_super *super[2],
		       unsigned int *pick);

/**
 * struct rblk_position - a backup's durable position on one disk
 * @serial: counts; the newer of the two records is the one with the higher
 * @base: serial of the record in the superblock that it goes on from
 * @seq: every operation up to here is durable on this disk
 * @seen: of the primary that sent them
 */
struct rblk_position {
	u64 serial;
	u64 base;
	u64 seq;
	struct rblk_seen seen;
};

/**
 * rblk_ondisk_put_position - write a position record
 * @block: RBLK_ONDISK_BLOCK bytes
 * @place: where it will be
 * @member: whose
 * @position: what it says
 */
void rblk_ondisk_put_position(void *block, u64 place,
			      const u8 member[RBLK_UUID_SIZE],
			      const struct rblk_position *position);

/**
 * rblk_ondisk_get_position - read one
 * @block: RBLK_ONDISK_BLOCK bytes of anything
 * @place: where they were read from
 * @member: whose it must be
 * @position: filled when OK
 *
 * Return: as rblk_ondisk_get_super().
 */
enum rblk_ondisk_error
rblk_ondisk_get_position(const void *block, u64 place,
			 const u8 member[RBLK_UUID_SIZE],
			 struct rblk_position *position);

/**
 * struct rblk_update - a slot of the active set changes
 * @slot: below RBLK_ONDISK_ACTIVE_MAX
 * @extent: that it holds now, or RBLK_ONDISK_NO_EXTENT
 */
struct rblk_update {
	u16 slot;
	u32 extent;
};

/**
 * struct rblk_transaction - one block of the activity log's ring
 * @serial: counts; transaction n lies in block n modulo the ring's size
 * @nr_slots: of the active set; the same in every transaction of a life
 * @context_first: first slot that @context restates
 * @nr_updates: used in @update
 * @nr_context: used in @context
 * @gen: generation of the primary that wrote it
 * @base: by node id: if that node has everything up to here, then all in which it
 *	may differ is in active extents; U64_MAX: it may differ anywhere
 * @past: the terms before, newest first, each with its last transaction; gen 0:
 *	no more
 * @update: changes, in order
 * @context: what these slots hold after the changes
 */
struct rblk_transaction {
	u64 serial;
	u16 nr_slots;
	u16 context_first;
	u16 nr_updates;
	u16 nr_context;
	u64 gen;
	u64 base[RBLK_MAX_NODES];
	struct rblk_seen past[RBLK_ONDISK_PAST];
	struct rblk_update update[RBLK_ONDISK_UPDATES];
	u32 context[RBLK_ONDISK_CONTEXT];
};

/**
 * rblk_ondisk_put_transaction - write a block of the ring
 * @block: RBLK_ONDISK_BLOCK bytes
 * @place: where it will be
 * @member: whose
 * @tx: valid
 */
void rblk_ondisk_put_transaction(void *block, u64 place,
				 const u8 member[RBLK_UUID_SIZE],
				 const struct rblk_transaction *tx);

/**
 * rblk_ondisk_get_transaction - read one
 * @block: RBLK_ONDISK_BLOCK bytes of anything
 * @place: where they were read from
 * @member: whose it must be
 * @tx: filled when OK
 *
 * Return: as rblk_ondisk_get_super().
 */
enum rblk_ondisk_error
rblk_ondisk_get_transaction(const void *block, u64 place,
			    const u8 member[RBLK_UUID_SIZE],
			    struct rblk_transaction *tx);

enum rblk_bits_kind {
	RBLK_BITS_INDEX,	/* bit n: block n of the map holds bits */
	RBLK_BITS_MAP,		/* bit n: this piece of the volume may differ */
};

/**
 * rblk_ondisk_put_bits - write a block of a bitmap or of its index
 * @block: RBLK_ONDISK_BLOCK bytes
 * @place: where it will be
 * @member: whose
 * @kind: which
 * @bits: RBLK_ONDISK_BODY bytes, little-endian bit order
 */
void rblk_ondisk_put_bits(void *block, u64 place,
			  const u8 member[RBLK_UUID_SIZE],
			  enum rblk_bits_kind kind, const void *bits);

/**
 * rblk_ondisk_get_bits - read one
 * @block: RBLK_ONDISK_BLOCK bytes of anything
 * @place: where they were read from
 * @member: whose it must be
 * @kind: which it must be
 * @bits: RBLK_ONDISK_BODY bytes, filled when OK
 *
 * Return: as rblk_ondisk_get_super().
 */
enum rblk_ondisk_error
rblk_ondisk_get_bits(const void *block, u64 place,
		     const u8 member[RBLK_UUID_SIZE],
		     enum rblk_bits_kind kind, void *bits);

#endif /* RBLK_CORE_ONDISK_H */

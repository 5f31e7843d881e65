/* SPDX-License-Identifier: GPL-2.0 */
/*
 * extent.h - the set of ranges in flight on one volume, and overlap look-up.
 *
 * A hash of 1 MiB zones: an extent of at most one zone is filed under the zone
 * it starts in, so it can reach only into the next; a look-up reads the zones
 * its range touches and the one before. Longer extents (discards, range locks)
 * sit on one short list that every look-up reads. No tree, no rebalancing:
 * the cost is the number of requests in flight near by.
 *
 * No locks: the caller serializes.
 */
#ifndef RBLK_CORE_EXTENT_H
#define RBLK_CORE_EXTENT_H

#include "env.h"

#define RBLK_EXTENT_ZONE_SHIFT	11	/* 2048 sectors of 512 bytes */
#define RBLK_EXTENT_ZONES	64	/* hash buckets, a power of two */

/**
 * struct rblk_extent - a range in flight, embedded in its owner
 * @node: in its zone's list, or in @wide of the set; unhashed when in none
 * @sector: first 512-byte sector
 * @nr_sects: length, > 0 while in a set
 * @shared: its owner reads, or has written: others may read it
 */
struct rblk_extent {
	struct hlist_node node;
	u64 sector;
	u64 nr_sects;
	bool shared;
};

/**
 * struct rblk_extents - the extents in flight on one volume
 * @zone: by hash of the starting zone
 * @wide: extents longer than one zone
 * @count: extents in the set
 */
struct rblk_extents {
	struct hlist_head zone[RBLK_EXTENT_ZONES];
	struct hlist_head wide;
	u32 count;
};

/**
 * rblk_extents_init - an empty set
 * @set: what becomes one
 */
void rblk_extents_init(struct rblk_extents *set);

/**
 * rblk_extents_find - some extent that overlaps a range
 * @set: where to look
 * @sector: first sector of the range
 * @nr_sects: length of the range
 *
 * Return: an overlapping extent, or NULL. An empty range overlaps nothing.
 */
struct rblk_extent *rblk_extents_find(const struct rblk_extents *set,
				      u64 sector, u64 nr_sects);

/**
 * rblk_extents_find_unshared - some extent that overlaps a range, and is not shared
 * @set: where to look
 * @sector: first sector of the range
 * @nr_sects: length of the range
 *
 * Return: an overlapping extent, or NULL. An empty range overlaps nothing.
 */
struct rblk_extent *rblk_extents_find_unshared(const struct rblk_extents *set,
					       u64 sector, u64 nr_sects);

/**
 * rblk_extents_insert - add an extent; overlap is the caller's business
 * @set: where to
 * @ext: in no set, not empty
 */
void rblk_extents_insert(struct rblk_extents *set, struct rblk_extent *ext);

/**
 * rblk_extents_remove - take an extent out
 * @set: the set that it is in
 * @ext: in @set, or unhashed: then nothing happens
 */
void rblk_extents_remove(struct rblk_extents *set, struct rblk_extent *ext);

#endif /* RBLK_CORE_EXTENT_H */

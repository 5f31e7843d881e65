// SPDX-License-Identifier: GPL-2.0
/*
 * extent.c - the set of ranges in flight on one volume, and overlap look-up.
 */
#include "extent.h"

#define ZONE_SECTS	(1ULL << RBLK_EXTENT_ZONE_SHIFT)
#define HASH_BITS	6

static_assert(RBLK_EXTENT_ZONES == 1 << HASH_BITS);

static u64 zone_of(u64 sector)
{
	return sector >> RBLK_EXTENT_ZONE_SHIFT;
}

/* Hashed, because filesystems place their hot blocks at regular distances. */
static u32 bucket_of(u64 zone)
{
	return hash_64(zone, HASH_BITS);
}

/* Both are not empty; neither sum is formed, so that none can wrap. */
static bool overlaps(const struct rblk_extent *ext, u64 sector, u64 nr_sects)
{
	if (ext->sector < sector)
		return sector - ext->sector < ext->nr_sects;
	return ext->sector - sector < nr_sects;
}

static struct rblk_extent *find_in(const struct hlist_head *head, u64 sector,
				   u64 nr_sects, bool share)
{
	struct rblk_extent *ext;

	hlist_for_each_entry(ext, head, node) {
		if (overlaps(ext, sector, nr_sects) && !(share && ext->shared))
			return ext;
	}
	return NULL;
}

static struct rblk_extent *find_in_all_zones(const struct rblk_extents *set,
					     u64 sector, u64 nr_sects,
					     bool share)
{
	struct rblk_extent *ext;
	u32 i;

	for (i = 0; i < RBLK_EXTENT_ZONES; i++) {
		ext = find_in(&set->zone[i], sector, nr_sects, share);
		if (ext)
			return ext;
	}
	return NULL;
}

void rblk_extents_init(struct rblk_extents *set)
{
	u32 i;

	for (i = 0; i < RBLK_EXTENT_ZONES; i++)
		INIT_HLIST_HEAD(&set->zone[i]);
	INIT_HLIST_HEAD(&set->wide);
	set->count = 0;
}

static struct rblk_extent *find(const struct rblk_extents *set, u64 sector,
				u64 nr_sects, bool share)
{
	struct rblk_extent *ext;
	u64 zone, last;

	if (!nr_sects || !set->count)
		return NULL;

	ext = find_in(&set->wide, sector, nr_sects, share);
	if (ext)
		return ext;

	last = nr_sects - 1 > U64_MAX - sector ? U64_MAX : sector + nr_sects - 1;
	last = zone_of(last);
	zone = zone_of(sector);
	if (zone)
		zone--;		/* an extent that starts there may reach in */
	if (last - zone >= RBLK_EXTENT_ZONES)
		return find_in_all_zones(set, sector, nr_sects, share);

	for (; zone <= last; zone++) {
		ext = find_in(&set->zone[bucket_of(zone)], sector, nr_sects,
			      share);
		if (ext)
			return ext;
	}
	return NULL;
}

struct rblk_extent *rblk_extents_find(const struct rblk_extents *set,
				      u64 sector, u64 nr_sects)
{
	return find(set, sector, nr_sects, false);
}

struct rblk_extent *rblk_extents_find_unshared(const struct rblk_extents *set,
					       u64 sector, u64 nr_sects)
{
	return find(set, sector, nr_sects, true);
}

void rblk_extents_insert(struct rblk_extents *set, struct rblk_extent *ext)
{
	struct hlist_head *head = &set->wide;

	if (ext->nr_sects <= ZONE_SECTS)
		head = &set->zone[bucket_of(zone_of(ext->sector))];
	hlist_add_head(&ext->node, head);
	set->count++;
}

void rblk_extents_remove(struct rblk_extents *set, struct rblk_extent *ext)
{
	if (hlist_unhashed(&ext->node))
		return;
	hlist_del_init(&ext->node);
	set->count--;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bitmap.h - a set of blocks of one volume, in memory only where it is not
 * empty.
 *
 * One bit stands for 2^shift sectors. Bits are kept in pages of 4 KiB (2 GiB
 * of the volume at 64 KiB per bit), and a page is there only while it has a bit
 * set. When a page cannot be had, all of its bits count as set: a set may hold
 * more than was put into it, never less. So putting something in cannot fail,
 * in any context; taking something out can, and then says so.
 *
 * Pages that changed are marked, so that whoever keeps the set on disk knows
 * what to write.
 *
 * No locks: the caller serializes. What is kept for a peer is serialized by the
 * log's lock.
 */
#ifndef RBLK_CORE_BITMAP_H
#define RBLK_CORE_BITMAP_H

#include "env.h"

#define RBLK_BITMAP_PAGE_BYTES	4096
#define RBLK_BITMAP_PAGE_BITS	(RBLK_BITMAP_PAGE_BYTES * 8)
#define RBLK_BITMAP_SHIFT	7	/* 64 KiB per bit */

/**
 * struct rblk_bitmap_mem - where pages come from
 * @alloc: RBLK_BITMAP_PAGE_BYTES of zeroes, without waiting; NULL: none
 * @free: gives them back
 */
struct rblk_bitmap_mem {
	void *(*alloc)(void);
	void (*free)(void *page);
};

/**
 * struct rblk_bitmap - see above
 * @page: by number: NULL, RBLK_BITMAP_FULL, or its words
 * @changed: by number of the page: it changed since rblk_bitmap_take_changed()
 * @mem: where pages come from
 * @size_sects: of the volume
 * @nr_bits: that the volume has
 * @count: bits set
 * @nr_pages: in @page and @changed
 * @nr_real: of them, those that take memory
 * @shift: log2 of the sectors of a bit
 */
struct rblk_bitmap {
	unsigned long **page;
	unsigned long *changed;
	const struct rblk_bitmap_mem *mem;
	u64 size_sects;
	u64 nr_bits;
	u64 count;
	u32 nr_pages;
	u32 nr_real;
	u8 shift;
};

/**
 * rblk_bitmap_nr_pages - how many pages a volume's bitmap has at most
 * @size_sects: of the volume, at most 2^53
 * @shift: log2 of the sectors of a bit
 */
u32 rblk_bitmap_nr_pages(u64 size_sects, u8 shift);

/**
 * rblk_bitmap_init - an empty set
 * @map: what becomes one
 * @page: rblk_bitmap_nr_pages() pointers, all NULL; owned by the caller
 * @changed: as many bits, all 0; owned by the caller
 * @size_sects: of the volume
 * @shift: log2 of the sectors of a bit
 * @mem: where pages come from
 */
void rblk_bitmap_init(struct rblk_bitmap *map, unsigned long **page,
		      unsigned long *changed, u64 size_sects, u8 shift,
		      const struct rblk_bitmap_mem *mem);

/**
 * rblk_bitmap_set - add every block that a range touches
 * @map: where to
 * @sector: first sector of the range
 * @nr_sects: its length; what lies beyond the volume is ignored
 */
void rblk_bitmap_set(struct rblk_bitmap *map, u64 sector, u64 nr_sects);

/**
 * rblk_bitmap_clear - take out every block that lies wholly in a range
 * @map: where from
 * @sector: first sector of the range
 * @nr_sects: its length; the volume's last block may be a short one
 *
 * Return: false when some stay in for want of memory.
 */
bool rblk_bitmap_clear(struct rblk_bitmap *map, u64 sector, u64 nr_sects);

/**
 * rblk_bitmap_next - the next blocks that are in the set
 * @map: where to look
 * @from: first sector to look at, a multiple of the sectors of a bit
 * @max_sects: the most sectors wanted, a multiple of the sectors of a bit
 * @nr_sects: set to the length of what was found
 *
 * Return: their first sector; U64_MAX when there is none.
 */
u64 rblk_bitmap_next(const struct rblk_bitmap *map, u64 from, u64 max_sects,
		     u64 *nr_sects);

/**
 * rblk_bitmap_touches - is any block of a range in the set?
 * @map: where to look
 * @sector: first sector of the range
 * @nr_sects: its length; what lies beyond the volume is ignored
 */
bool rblk_bitmap_touches(const struct rblk_bitmap *map, u64 sector,
			 u64 nr_sects);

/**
 * rblk_bitmap_sects - sectors of the volume that are in the set
 * @map: any; a short last block counts as a long one
 */
static inline u64 rblk_bitmap_sects(const struct rblk_bitmap *map)
{
	return map->count << map->shift;
}

/**
 * rblk_bitmap_bytes - memory that the set takes
 * @map: any
 */
static inline u64 rblk_bitmap_bytes(const struct rblk_bitmap *map)
{
	return sizeof(*map) + map->nr_pages * sizeof(*map->page) +
	       BITS_TO_LONGS(map->nr_pages) * sizeof(*map->changed) +
	       (u64)map->nr_real * RBLK_BITMAP_PAGE_BYTES;
}

/**
 * rblk_bitmap_set_all - every block; takes no memory
 * @map: any
 */
void rblk_bitmap_set_all(struct rblk_bitmap *map);

/**
 * rblk_bitmap_clear_all - no block; gives all pages back
 * @map: any
 */
void rblk_bitmap_clear_all(struct rblk_bitmap *map);

/**
 * rblk_bitmap_merge - add all of another set, which is empty then
 * @map: where to
 * @from: of the same volume, with the same shift and the same memory
 */
void rblk_bitmap_merge(struct rblk_bitmap *map, struct rblk_bitmap *from);

/**
 * rblk_bitmap_take_changed - a page that changed since it was last taken
 * @map: where to look
 * @from: first page to look at
 *
 * Return: its number, unmarked; @map->nr_pages when there is none.
 */
u32 rblk_bitmap_take_changed(struct rblk_bitmap *map, u32 from);

/**
 * rblk_bitmap_copy_page - what is to be written for a page
 * @map: of which
 * @number: of the page
 * @words: RBLK_BITMAP_PAGE_BYTES, filled
 */
void rblk_bitmap_copy_page(const struct rblk_bitmap *map, u32 number,
			   unsigned long *words);

#endif /* RBLK_CORE_BITMAP_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * bitmap.c - the kernel's memory for core/bitmap.h and core/lack.h.
 */
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bitmap.h"

static_assert(RBLK_BITMAP_PAGE_BYTES <= PAGE_SIZE);

/* Also under a spinlock, and for a write under reclaim: never waits. */
static void *alloc_page_of_bits(void)
{
	return (void *)get_zeroed_page(GFP_NOWAIT | __GFP_NOWARN);
}

static void free_page_of_bits(void *page)
{
	free_page((unsigned long)page);
}

static const struct rblk_bitmap_mem kernel_mem = {
	.alloc = alloc_page_of_bits,
	.free = free_page_of_bits,
};

static void destroy(struct rblk_bitmap *map)
{
	if (!map)
		return;
	rblk_bitmap_clear_all(map);
	kvfree(map->page);
	kvfree(map->changed);
	kfree(map);
}

static struct rblk_bitmap *create(u64 size_sects)
{
	u32 nr_pages = rblk_bitmap_nr_pages(size_sects, RBLK_BITMAP_SHIFT);
	struct rblk_bitmap *map = kzalloc(sizeof(*map), GFP_KERNEL);
	unsigned long *changed;
	unsigned long **page;

	if (!map)
		return NULL;
	page = kvcalloc(nr_pages, sizeof(*page), GFP_KERNEL);
	changed = kvcalloc(BITS_TO_LONGS(nr_pages), sizeof(long), GFP_KERNEL);
	rblk_bitmap_init(map, page, changed, size_sects, RBLK_BITMAP_SHIFT,
			 &kernel_mem);
	if (page && changed)
		return map;
	destroy(map);
	return NULL;
}

int rblk_bitmap_create_all(struct rblk_bitmap *maps[RBLK_BITMAPS_OF_PEER],
			   u64 size_sects)
{
	int i, err = 0;

	for (i = 0; i < RBLK_BITMAPS_OF_PEER; i++) {
		maps[i] = create(size_sects);
		if (!maps[i])
			err = -ENOMEM;
	}
	if (err)
		rblk_bitmap_destroy_all(maps);
	return err;
}

void rblk_bitmap_destroy_all(struct rblk_bitmap *maps[RBLK_BITMAPS_OF_PEER])
{
	int i;

	for (i = 0; i < RBLK_BITMAPS_OF_PEER; i++) {
		destroy(maps[i]);
		maps[i] = NULL;
	}
}

void rblk_bitmap_swap_all(struct rblk_lack *lack, u8 volume,
			  struct rblk_bitmap *maps[RBLK_BITMAPS_OF_PEER])
{
	swap(lack->lacks[volume], maps[0]);
	swap(lack->undurable[0][volume], maps[1]);
	swap(lack->undurable[1][volume], maps[2]);
}

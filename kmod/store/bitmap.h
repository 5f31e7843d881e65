/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bitmap.h - the kernel's memory for core/bitmap.h and core/lack.h.
 */
#ifndef RBLK_STORE_BITMAP_H
#define RBLK_STORE_BITMAP_H

#include "../core/lack.h"

#define RBLK_BITMAPS_OF_PEER	3	/* lacks, and two that are undurable */

/**
 * rblk_bitmap_create_all - the empty sets of one volume and one peer
 * @maps: filled
 * @size_sects: of the volume
 *
 * A page of 4 KiB is needed for each 2 GiB of the volume in which something
 * is set, and 24 bytes for each 2 GiB in any case.
 *
 * Return: 0 or -ENOMEM.
 */
int rblk_bitmap_create_all(struct rblk_bitmap *maps[RBLK_BITMAPS_OF_PEER],
			   u64 size_sects);

/**
 * rblk_bitmap_destroy_all - give them back, with what they hold
 * @maps: created, or NULL
 */
void rblk_bitmap_destroy_all(struct rblk_bitmap *maps[RBLK_BITMAPS_OF_PEER]);

/**
 * rblk_bitmap_swap_all - exchange the sets of a volume
 * @lack: of the peer, under its lock
 * @volume: id of the volume
 * @maps: what goes in; comes back as what was there
 */
void rblk_bitmap_swap_all(struct rblk_lack *lack, u8 volume,
			  struct rblk_bitmap *maps[RBLK_BITMAPS_OF_PEER]);

#endif /* RBLK_STORE_BITMAP_H */

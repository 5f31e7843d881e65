// SPDX-License-Identifier: GPL-2.0
/*
 * lack.c - what a peer lacks: the memory of a node about one peer's data.
 */
#include "lack.h"

void rblk_lack_init(struct rblk_lack *lack)
{
	lack->base = U64_MAX;
}

u64 rblk_lack_base(const struct rblk_lack *lack)
{
	return max(lack->base, lack->recorded);
}

static void clear_all(struct rblk_bitmap **maps)
{
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (maps[i])
			rblk_bitmap_clear_all(maps[i]);
}

static void merge_all(struct rblk_bitmap **maps, struct rblk_bitmap **from)
{
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (maps[i] && from[i])
			rblk_bitmap_merge(maps[i], from[i]);
}

static void empty_undurable(struct rblk_lack *lack, int which)
{
	clear_all(lack->undurable[which]);
	lack->undurable_last[which] = 0;
}

void rblk_lack_forget(struct rblk_lack *lack, u64 base)
{
	clear_all(lack->lacks);
	empty_undurable(lack, 0);
	empty_undurable(lack, 1);
	lack->lacks_last = 0;
	lack->base = base;
	lack->recorded = 0;
	lack->partial_gen = 0;
	lack->coarse = false;
}

void rblk_lack_restore(struct rblk_lack *lack, u64 base)
{
	rblk_lack_forget(lack, base);
	lack->coarse = true;
}

void rblk_lack_reach(struct rblk_lack *lack, u64 base)
{
	lack->base = min(lack->base, base);
}

void rblk_lack_missed(struct rblk_lack *lack, u8 volume, u64 sector,
		      u64 nr_sects, u64 seq)
{
	struct rblk_bitmap *map = lack->lacks[volume];

	lack->lacks_last = max(lack->lacks_last, seq);
	if (map)
		rblk_bitmap_set(map, sector, nr_sects);
}

void rblk_lack_applied(struct rblk_lack *lack, u8 volume, u64 sector,
		       u64 nr_sects, u64 seq)
{
	struct rblk_bitmap *map = lack->undurable[lack->young][volume];
	u64 *last = &lack->undurable_last[lack->young];

	if (seq <= lack->recorded || !nr_sects)
		return;
	*last = max(*last, seq);
	if (map)
		rblk_bitmap_set(map, sector, nr_sects);
}

void rblk_lack_recorded(struct rblk_lack *lack, u64 seq)
{
	int i;

	if (seq <= lack->recorded)
		return;
	lack->recorded = seq;
	/* Each turn empties one of the two, or ends. */
	for (i = 0; i < 2; i++) {
		int old = !lack->young;

		if (lack->undurable_last[old] > seq)
			break;
		if (lack->undurable_last[old])
			empty_undurable(lack, old);
		if (!lack->undurable_last[lack->young])
			break;
		lack->young = old;
	}
}

void rblk_lack_returned(struct rblk_lack *lack, u64 seq, bool consistent)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (lack->undurable_last[i] <= seq)
			continue;
		lack->lacks_last = max(lack->lacks_last,
				       lack->undurable_last[i]);
		merge_all(lack->lacks, lack->undurable[i]);
		lack->undurable_last[i] = 0;
		lack->coarse = true;
	}
	if (!consistent || lack->lacks_last > seq)
		return;
	/* It has them, and may lose them until it has recorded them. */
	if (rblk_lack_sects(lack)) {
		merge_all(lack->undurable[lack->young], lack->lacks);
		lack->undurable_last[lack->young] =
			max(lack->undurable_last[lack->young], seq);
	}
	lack->lacks_last = 0;
	lack->partial_gen = 0;
}

void rblk_lack_begin(struct rblk_lack *lack, u64 seq, u64 gen, bool everything)
{
	int i;

	if (everything) {
		rblk_lack_restore(lack, seq);
		for (i = 0; i < RBLK_MAX_VOLUMES; i++)
			if (lack->lacks[i])
				rblk_bitmap_set_all(lack->lacks[i]);
	}
	/*
	 * Its position will be @seq at once, whatever it had not made durable
	 * of what it had: that counts as lacking. It is there all the same.
	 */
	if (rblk_lack_undurable_sects(lack) > rblk_lack_sects(lack))
		lack->coarse = true;
	for (i = 0; i < 2; i++) {
		merge_all(lack->lacks, lack->undurable[i]);
		lack->undurable_last[i] = 0;
	}
	lack->base = seq;
	lack->lacks_last = max(lack->lacks_last, seq);
	lack->partial_gen = gen;
}

void rblk_lack_end(struct rblk_lack *lack)
{
	lack->partial_gen = 0;
	lack->coarse = false;
	lack->lacks_last = 0;
}

bool rblk_lack_confirmed(struct rblk_lack *lack, u8 volume, u64 sector,
			 u64 nr_sects)
{
	struct rblk_bitmap *map = lack->lacks[volume];

	return !map || rblk_bitmap_clear(map, sector, nr_sects);
}

static bool touches(const struct rblk_bitmap *map, u64 sector, u64 nr_sects)
{
	return map && rblk_bitmap_touches(map, sector, nr_sects);
}

bool rblk_lack_touches(const struct rblk_lack *lack, u8 volume, u64 sector,
		       u64 nr_sects)
{
	return touches(lack->lacks[volume], sector, nr_sects) ||
	       touches(lack->undurable[0][volume], sector, nr_sects) ||
	       touches(lack->undurable[1][volume], sector, nr_sects);
}

static u64 sects_of_all(struct rblk_bitmap *const *maps)
{
	u64 sects = 0;
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (maps[i])
			sects += rblk_bitmap_sects(maps[i]);
	return sects;
}

u64 rblk_lack_sects(const struct rblk_lack *lack)
{
	return sects_of_all(lack->lacks);
}

u64 rblk_lack_undurable_sects(const struct rblk_lack *lack)
{
	return sects_of_all(lack->undurable[0]) +
	       sects_of_all(lack->undurable[1]);
}

static u64 bytes_of_all(struct rblk_bitmap *const *maps)
{
	u64 bytes = 0;
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (maps[i])
			bytes += rblk_bitmap_bytes(maps[i]);
	return bytes;
}

u64 rblk_lack_bytes(const struct rblk_lack *lack)
{
	return bytes_of_all(lack->lacks) + bytes_of_all(lack->undurable[0]) +
	       bytes_of_all(lack->undurable[1]);
}

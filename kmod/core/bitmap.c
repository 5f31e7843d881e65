// SPDX-License-Identifier: GPL-2.0
/*
 * bitmap.c - a set of blocks of one volume, in memory only where it is not
 * empty.
 */
#include "bitmap.h"

/* A page that could not be had, or never had to be: all of its bits are set. */
#define FULL	((unsigned long *)1)

#define WORD_BITS	((u32)BITS_PER_LONG)

static bool is_real(const unsigned long *page)
{
	return page && page != FULL;
}

/* The last page may have fewer bits than the others. */
static u32 bits_of_page(const struct rblk_bitmap *map, u32 number)
{
	u64 first = (u64)number * RBLK_BITMAP_PAGE_BITS;

	return min_t(u64, map->nr_bits - first, RBLK_BITMAP_PAGE_BITS);
}

static u32 weigh(const unsigned long *page)
{
	u32 i, weight = 0;

	for (i = 0; i < RBLK_BITMAP_PAGE_BITS / WORD_BITS; i++)
		weight += hweight_long(page[i]);
	return weight;
}

static bool is_empty(const unsigned long *page)
{
	return find_next_bit(page, RBLK_BITMAP_PAGE_BITS, 0) ==
	       RBLK_BITMAP_PAGE_BITS;
}

/* The bits of word @word that lie in @first .. @end - 1. */
static unsigned long mask_of(u32 word, u32 first, u32 end)
{
	unsigned long mask = ~0UL;

	if (first > word * WORD_BITS)
		mask &= ~0UL << (first - word * WORD_BITS);
	if (end < (word + 1) * WORD_BITS)
		mask &= ~(~0UL << (end - word * WORD_BITS));
	return mask;
}

static void set_in_page(struct rblk_bitmap *map, u32 number, u32 first, u32 end)
{
	unsigned long *page = map->page[number];
	unsigned long added;
	u32 word;

	if (page == FULL)
		return;
	if (!page)
		page = map->mem->alloc();
	__set_bit(number, map->changed);
	if (!page) {
		map->page[number] = FULL;
		map->count += bits_of_page(map, number);
		return;
	}
	if (!map->page[number])
		map->nr_real++;
	map->page[number] = page;
	for (word = first / WORD_BITS; word * WORD_BITS < end; word++) {
		added = mask_of(word, first, end) & ~page[word];
		page[word] |= added;
		map->count += hweight_long(added);
	}
}

/* Give a full page words of its own. */
static unsigned long *spell_out(struct rblk_bitmap *map, u32 number)
{
	unsigned long *page = map->mem->alloc();
	u32 word, bits = bits_of_page(map, number);

	if (!page)
		return NULL;
	for (word = 0; word * WORD_BITS < bits; word++)
		page[word] = mask_of(word, 0, bits);
	map->page[number] = page;
	map->nr_real++;
	return page;
}

static void drop_page(struct rblk_bitmap *map, u32 number)
{
	if (is_real(map->page[number])) {
		map->mem->free(map->page[number]);
		map->nr_real--;
	}
	map->page[number] = NULL;
}

static bool clear_in_page(struct rblk_bitmap *map, u32 number, u32 first,
			  u32 end)
{
	unsigned long *page = map->page[number];
	unsigned long removed;
	u32 word;

	if (!page)
		return true;
	if (page == FULL && !first && end == bits_of_page(map, number)) {
		map->count -= end;
		drop_page(map, number);
		__set_bit(number, map->changed);
		return true;
	}
	if (page == FULL)
		page = spell_out(map, number);
	if (!page)
		return false;
	__set_bit(number, map->changed);
	for (word = first / WORD_BITS; word * WORD_BITS < end; word++) {
		removed = mask_of(word, first, end) & page[word];
		page[word] &= ~removed;
		map->count -= hweight_long(removed);
	}
	if (is_empty(page))
		drop_page(map, number);
	return true;
}

u32 rblk_bitmap_nr_pages(u64 size_sects, u8 shift)
{
	u64 bits = (size_sects + (1ULL << shift) - 1) >> shift;

	return (bits + RBLK_BITMAP_PAGE_BITS - 1) / RBLK_BITMAP_PAGE_BITS;
}

void rblk_bitmap_init(struct rblk_bitmap *map, unsigned long **page,
		      unsigned long *changed, u64 size_sects, u8 shift,
		      const struct rblk_bitmap_mem *mem)
{
	map->page = page;
	map->changed = changed;
	map->mem = mem;
	map->size_sects = size_sects;
	map->nr_bits = (size_sects + (1ULL << shift) - 1) >> shift;
	map->count = 0;
	map->nr_real = 0;
	map->nr_pages = rblk_bitmap_nr_pages(size_sects, shift);
	map->shift = shift;
}

void rblk_bitmap_set(struct rblk_bitmap *map, u64 sector, u64 nr_sects)
{
	u64 bit, end;
	u32 number, in_page;

	if (!nr_sects || sector >= map->size_sects)
		return;
	nr_sects = min(nr_sects, map->size_sects - sector);
	bit = sector >> map->shift;
	end = ((sector + nr_sects - 1) >> map->shift) + 1;
	for (; bit < end; bit += in_page) {
		u32 first = bit % RBLK_BITMAP_PAGE_BITS;

		number = bit / RBLK_BITMAP_PAGE_BITS;
		in_page = min_t(u64, end - bit, RBLK_BITMAP_PAGE_BITS - first);
		set_in_page(map, number, first, first + in_page);
	}
}

bool rblk_bitmap_clear(struct rblk_bitmap *map, u64 sector, u64 nr_sects)
{
	bool all = true;
	u64 bit, end;
	u32 in_page;

	if (!nr_sects || sector >= map->size_sects)
		return true;
	nr_sects = min(nr_sects, map->size_sects - sector);
	bit = (sector + (1ULL << map->shift) - 1) >> map->shift;
	end = (sector + nr_sects) >> map->shift;
	if (sector + nr_sects == map->size_sects)
		end = map->nr_bits;
	for (; bit < end; bit += in_page) {
		u32 first = bit % RBLK_BITMAP_PAGE_BITS;

		in_page = min_t(u64, end - bit, RBLK_BITMAP_PAGE_BITS - first);
		all &= clear_in_page(map, bit / RBLK_BITMAP_PAGE_BITS, first,
				     first + in_page);
	}
	return all;
}

/* The first bit at or after @bit that is set, or is not; nr_bits if none. */
static u64 find_bit(const struct rblk_bitmap *map, u64 bit, u64 end, bool set)
{
	while (bit < end) {
		u32 number = bit / RBLK_BITMAP_PAGE_BITS;
		u32 bits = bits_of_page(map, number);
		u32 at = bit % RBLK_BITMAP_PAGE_BITS;
		const unsigned long *page = map->page[number];

		if (is_real(page))
			at = set ? find_next_bit(page, bits, at) :
				   find_next_zero_bit(page, bits, at);
		else if (set == !page)
			at = bits;
		bit = (u64)number * RBLK_BITMAP_PAGE_BITS + at;
		if (at < bits)
			break;
	}
	return min(bit, end);
}

u64 rblk_bitmap_next(const struct rblk_bitmap *map, u64 from, u64 max_sects,
		     u64 *nr_sects)
{
	u64 first, end;

	*nr_sects = 0;
	if (!map->count || from >= map->size_sects)
		return U64_MAX;
	first = find_bit(map, from >> map->shift, map->nr_bits, true);
	if (first == map->nr_bits)
		return U64_MAX;
	end = min(map->nr_bits, first + (max_sects >> map->shift));
	end = find_bit(map, first, end, false);
	*nr_sects = min(end << map->shift, map->size_sects) -
		    (first << map->shift);
	return first << map->shift;
}

bool rblk_bitmap_touches(const struct rblk_bitmap *map, u64 sector,
			 u64 nr_sects)
{
	u64 end;

	if (!map->count || !nr_sects || sector >= map->size_sects)
		return false;
	nr_sects = min(nr_sects, map->size_sects - sector);
	end = ((sector + nr_sects - 1) >> map->shift) + 1;
	return find_bit(map, sector >> map->shift, end, true) < end;
}

void rblk_bitmap_set_all(struct rblk_bitmap *map)
{
	u32 i;

	for (i = 0; i < map->nr_pages; i++) {
		drop_page(map, i);
		map->page[i] = FULL;
		__set_bit(i, map->changed);
	}
	map->count = map->nr_bits;
}

void rblk_bitmap_clear_all(struct rblk_bitmap *map)
{
	u32 i;

	/* Without a bit there is no page. */
	for (i = 0; map->count && i < map->nr_pages; i++) {
		if (!map->page[i])
			continue;
		drop_page(map, i);
		__set_bit(i, map->changed);
	}
	map->count = 0;
}

static void merge_page(struct rblk_bitmap *map, u32 number, unsigned long *from)
{
	unsigned long *page = map->page[number];
	u32 i;

	__set_bit(number, map->changed);
	if (!page && from != FULL) {
		map->page[number] = from;
		map->nr_real++;
		map->count += weigh(from);
		return;
	}
	if (page == FULL || from == FULL) {
		if (is_real(page))
			map->count -= weigh(page);
		if (page != FULL)
			map->count += bits_of_page(map, number);
		drop_page(map, number);
		map->page[number] = FULL;
	} else {
		for (i = 0; i < RBLK_BITMAP_PAGE_BITS / WORD_BITS; i++) {
			map->count += hweight_long(from[i] & ~page[i]);
			page[i] |= from[i];
		}
	}
	if (is_real(from))
		map->mem->free(from);
}

void rblk_bitmap_merge(struct rblk_bitmap *map, struct rblk_bitmap *from)
{
	u32 i;

	for (i = 0; from->count && i < from->nr_pages; i++) {
		if (!from->page[i])
			continue;
		if (is_real(from->page[i]))
			from->nr_real--;
		merge_page(map, i, from->page[i]);
		from->page[i] = NULL;
		__set_bit(i, from->changed);
	}
	from->count = 0;
}

u32 rblk_bitmap_take_changed(struct rblk_bitmap *map, u32 from)
{
	u32 number = find_next_bit(map->changed, map->nr_pages, from);

	if (number < map->nr_pages)
		__clear_bit(number, map->changed);
	return number;
}

void rblk_bitmap_copy_page(const struct rblk_bitmap *map, u32 number,
			   unsigned long *words)
{
	u32 word, bits = bits_of_page(map, number);

	memset(words, 0, RBLK_BITMAP_PAGE_BYTES);
	if (is_real(map->page[number]))
		memcpy(words, map->page[number], RBLK_BITMAP_PAGE_BYTES);
	else if (map->page[number])
		for (word = 0; word * WORD_BITS < bits; word++)
			words[word] = mask_of(word, 0, bits);
}

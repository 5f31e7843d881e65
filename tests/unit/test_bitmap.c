// SPDX-License-Identifier: GPL-2.0-or-later
/* Sets of blocks, against an array of bools; memory runs out at random. */
#include "cmocka_all.h"
#include "bitmap.h"
#include "prng.h"

#define SHIFT	3
#define BITS	(2 * RBLK_BITMAP_PAGE_BITS + 1000)
#define SECTS	(((u64)BITS << SHIFT) - 5)	/* the last block is short */
#define PAGES	3

static u64 rnd;
static u32 live_pages;
static u32 refuse_one_in;	/* 0: never */

static void *alloc_page(void)
{
	if (refuse_one_in && prng_below(&rnd, refuse_one_in) == 0)
		return NULL;
	live_pages++;
	return calloc(1, RBLK_BITMAP_PAGE_BYTES);
}

static void free_page(void *page)
{
	live_pages--;
	free(page);
}

static const struct rblk_bitmap_mem mem = { alloc_page, free_page };

struct set {
	struct rblk_bitmap map;
	unsigned long *page[PAGES];
	unsigned long changed[1];
	bool model[BITS];
};

static struct set *new_set(void)
{
	struct set *set = calloc(1, sizeof(*set));

	assert_int_equal(rblk_bitmap_nr_pages(SECTS, SHIFT), PAGES);
	rblk_bitmap_init(&set->map, set->page, set->changed, SECTS, SHIFT,
			 &mem);
	return set;
}

static void free_set(struct set *set)
{
	rblk_bitmap_clear_all(&set->map);
	assert_int_equal(set->map.count, 0);
	free(set);
}

static void model_set(struct set *set, u64 sector, u64 nr_sects)
{
	u64 i;

	for (i = sector; i < sector + nr_sects && i < SECTS; i++)
		set->model[i >> SHIFT] = true;
}

static void model_clear(struct set *set, u64 sector, u64 nr_sects)
{
	u64 bit, first, last;

	for (bit = 0; bit < BITS; bit++) {
		first = bit << SHIFT;
		last = min((bit + 1) << SHIFT, SECTS) - 1;
		if (first >= sector && last < sector + nr_sects)
			set->model[bit] = false;
	}
}

/* Some of a range was cleared, and some could not be. */
static void model_clear_some(struct set *set, u64 sector, u64 nr_sects)
{
	u64 bit, found;

	for (bit = sector >> SHIFT;
	     bit < BITS && bit << SHIFT < sector + nr_sects; bit++)
		if (rblk_bitmap_next(&set->map, bit << SHIFT, 1 << SHIFT,
				     &found) != bit << SHIFT)
			set->model[bit] = false;
}

/* The map holds what the model does; without @exact, maybe more. */
static void compare(const struct set *set, bool exact)
{
	u64 bit = 0, count = 0, at, nr_sects, sector = 0;
	u32 i, real = 0;

	while (bit < BITS) {
		at = rblk_bitmap_next(&set->map, sector, 1 << (SHIFT + 4),
				      &nr_sects);
		if (at == U64_MAX)
			at = (u64)BITS << SHIFT;
		for (; bit < at >> SHIFT; bit++)
			assert_false(set->model[bit]);
		for (; (bit << SHIFT) < at + nr_sects && bit < BITS; bit++) {
			count++;
			if (exact)
				assert_true(set->model[bit]);
		}
		sector = bit << SHIFT;
	}
	assert_int_equal(count, set->map.count);
	for (i = 0; i < PAGES; i++)
		real += (unsigned long)set->page[i] > 1; /* 1: full */
	assert_int_equal(real, set->map.nr_real);
	if (!set->map.count)
		assert_null(set->page[0] ?: set->page[1] ?: set->page[2]);
}

static void compare_touches(const struct set *set, u64 sector, u64 nr_sects)
{
	bool any = false;
	u64 i;

	for (i = sector; i < sector + nr_sects && i < SECTS && !any; i++)
		any = set->model[i >> SHIFT];
	assert_int_equal(rblk_bitmap_touches(&set->map, sector, nr_sects),
			 any);
}

static u64 random_range(u64 *sector)
{
	u64 nr_sects = 1 + prng_below(&rnd, 1 << prng_below(&rnd, 17));

	*sector = prng_below(&rnd, SECTS + 20);
	if (prng_below(&rnd, 8) == 0)
		nr_sects = SECTS;
	return nr_sects;
}

static void test_like_the_model(void **state)
{
	struct set *set;
	u64 seed, sector, nr_sects;
	u32 i;

	(void)state;
	refuse_one_in = 0;
	for (seed = 1; seed <= 20; seed++) {
		rnd = seed;
		set = new_set();
		for (i = 0; i < 60; i++) {
			nr_sects = random_range(&sector);
			if (prng_below(&rnd, 2)) {
				rblk_bitmap_set(&set->map, sector, nr_sects);
				model_set(set, sector, nr_sects);
			} else {
				assert_true(rblk_bitmap_clear(&set->map, sector,
							      nr_sects));
				model_clear(set, sector, nr_sects);
			}
			nr_sects = random_range(&sector);
			compare_touches(set, sector, nr_sects);
			if (i % 4 == 0)
				compare(set, true);
		}
		compare(set, true);
		free_set(set);
		assert_int_equal(live_pages, 0);
	}
}

static void test_without_memory_it_holds_more(void **state)
{
	struct set *set, *other;
	u64 seed, sector, nr_sects, stayed = 0, more = 0, bit, model_count;
	u32 i;

	(void)state;
	for (seed = 1; seed <= 40; seed++) {
		rnd = seed;
		refuse_one_in = 3;
		set = new_set();
		other = new_set();
		for (i = 0; i < 20; i++) {
			nr_sects = random_range(&sector);
			switch (prng_below(&rnd, 4)) {
			case 0:
				rblk_bitmap_set(&set->map, sector, nr_sects);
				model_set(set, sector, nr_sects);
				break;
			case 1:
				if (rblk_bitmap_clear(&set->map, sector,
						      nr_sects)) {
					model_clear(set, sector, nr_sects);
				} else {
					model_clear_some(set, sector, nr_sects);
					stayed++;
				}
				break;
			case 2:
				rblk_bitmap_set(&other->map, sector, nr_sects);
				model_set(other, sector, nr_sects);
				break;
			default:
				rblk_bitmap_merge(&set->map, &other->map);
				for (bit = 0; bit < BITS; bit++) {
					set->model[bit] |= other->model[bit];
					other->model[bit] = false;
				}
				compare(other, true);
				break;
			}
			compare(set, false);
		}
		model_count = 0;
		for (bit = 0; bit < BITS; bit++)
			model_count += set->model[bit];
		more += set->map.count > model_count;
		free_set(set);
		free_set(other);
		assert_int_equal(live_pages, 0);
	}
	assert_true(stayed > 10);
	assert_true(more > 10);
}

static void test_merge_is_a_union(void **state)
{
	struct set *a = new_set(), *b = new_set();
	u64 bit;

	(void)state;
	refuse_one_in = 0;
	rblk_bitmap_set(&a->map, 0, 8);
	rblk_bitmap_set(&a->map, 800, 16);
	rblk_bitmap_set(&b->map, 808, 16);
	rblk_bitmap_set(&b->map, SECTS - 1, 1);
	model_set(a, 0, 8);
	model_set(a, 800, 24);
	model_set(a, SECTS - 1, 1);
	rblk_bitmap_merge(&a->map, &b->map);
	compare(a, true);
	assert_int_equal(b->map.count, 0);

	rblk_bitmap_set_all(&b->map);
	rblk_bitmap_merge(&a->map, &b->map);
	for (bit = 0; bit < BITS; bit++)
		a->model[bit] = true;
	compare(a, true);
	assert_int_equal(live_pages, 0);
	free_set(a);
	free_set(b);
}

static void test_full_takes_no_memory(void **state)
{
	struct set *set = new_set();
	u64 nr_sects;

	(void)state;
	refuse_one_in = 0;
	rblk_bitmap_set_all(&set->map);
	assert_int_equal(set->map.count, BITS);
	assert_int_equal(live_pages, 0);
	assert_int_equal(rblk_bitmap_next(&set->map, 0, 1 << 30, &nr_sects), 0);
	assert_int_equal(nr_sects, SECTS);
	assert_true(rblk_bitmap_clear(&set->map, 0, SECTS));
	assert_int_equal(set->map.count, 0);
	assert_int_equal(live_pages, 0);
	assert_int_equal(rblk_bitmap_next(&set->map, 0, 1 << 30, &nr_sects),
			 U64_MAX);
	free_set(set);
}

static void test_changed_pages_are_marked(void **state)
{
	unsigned long *words = calloc(1, RBLK_BITMAP_PAGE_BYTES);
	struct set *set = new_set();

	(void)state;
	refuse_one_in = 0;
	assert_int_equal(rblk_bitmap_take_changed(&set->map, 0), PAGES);
	rblk_bitmap_set(&set->map, SECTS - 1, 1);
	assert_int_equal(rblk_bitmap_take_changed(&set->map, 0), 2);
	assert_int_equal(rblk_bitmap_take_changed(&set->map, 0), PAGES);
	rblk_bitmap_copy_page(&set->map, 2, words);
	assert_true(test_bit(999, words));
	assert_int_equal(find_next_bit(words, RBLK_BITMAP_PAGE_BITS, 0), 999);
	rblk_bitmap_set_all(&set->map);
	assert_int_equal(rblk_bitmap_take_changed(&set->map, 0), 0);
	assert_int_equal(rblk_bitmap_take_changed(&set->map, 1), 1);
	rblk_bitmap_copy_page(&set->map, 2, words);
	assert_int_equal(find_next_zero_bit(words, RBLK_BITMAP_PAGE_BITS, 0),
			 1000);
	free_set(set);
	free(words);
}

static void test_64_tib_is_cheap_to_make(void **state)
{
	u64 sects = 64ULL << 31;
	u32 pages = rblk_bitmap_nr_pages(sects, RBLK_BITMAP_SHIFT);
	unsigned long **page = calloc(pages, sizeof(*page));
	unsigned long *changed = calloc(BITS_TO_LONGS(pages), sizeof(long));
	struct rblk_bitmap map;
	u64 nr_sects;

	(void)state;
	refuse_one_in = 0;
	assert_int_equal(pages, 32768);
	rblk_bitmap_init(&map, page, changed, sects, RBLK_BITMAP_SHIFT, &mem);
	rblk_bitmap_set(&map, sects - 8, 8);
	assert_int_equal(live_pages, 1);
	assert_int_equal(rblk_bitmap_next(&map, 0, 512, &nr_sects),
			 sects - 128);
	assert_int_equal(nr_sects, 128);
	rblk_bitmap_clear_all(&map);
	assert_int_equal(live_pages, 0);
	free(page);
	free(changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_the_model),
		cmocka_unit_test(test_without_memory_it_holds_more),
		cmocka_unit_test(test_merge_is_a_union),
		cmocka_unit_test(test_full_takes_no_memory),
		cmocka_unit_test(test_changed_pages_are_marked),
		cmocka_unit_test(test_64_tib_is_cheap_to_make),
	};

	return cmocka_run_group_tests_name("bitmap", tests, NULL, NULL);
}

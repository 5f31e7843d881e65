// SPDX-License-Identifier: GPL-2.0-or-later
/* Overlap look-up, against a list that is searched one by one. */
#include "cmocka_all.h"
#include "extent.h"
#include "prng.h"

#define ZONE	(1ULL << RBLK_EXTENT_ZONE_SHIFT)
#define LIVE	96

typedef unsigned __int128 u128;

static bool really_overlap(u64 a, u64 a_sects, u64 b, u64 b_sects)
{
	return a_sects && b_sects && (u128)a < (u128)b + b_sects &&
	       (u128)b < (u128)a + a_sects;
}

static struct rblk_extents *new_set(void)
{
	struct rblk_extents *set = malloc(sizeof(*set));

	memset(set, 0xa5, sizeof(*set));
	rblk_extents_init(set);
	return set;
}

static void test_empty_set(void **state)
{
	struct rblk_extents *set = new_set();

	(void)state;
	assert_null(rblk_extents_find(set, 0, 1));
	assert_null(rblk_extents_find(set, 0, U64_MAX));
	assert_int_equal(set->count, 0);
	free(set);
}

static void test_neighbours_do_not_overlap(void **state)
{
	struct rblk_extents *set = new_set();
	struct rblk_extent ext = { .sector = 100, .nr_sects = 8 };

	(void)state;
	rblk_extents_insert(set, &ext);
	assert_null(rblk_extents_find(set, 92, 8));
	assert_null(rblk_extents_find(set, 108, 8));
	assert_ptr_equal(rblk_extents_find(set, 92, 9), &ext);
	assert_ptr_equal(rblk_extents_find(set, 107, 1), &ext);
	assert_ptr_equal(rblk_extents_find(set, 0, 1000), &ext);
	assert_ptr_equal(rblk_extents_find(set, 103, 1), &ext);
	assert_null(rblk_extents_find(set, 103, 0));
	free(set);
}

static void test_remove_is_harmless_twice(void **state)
{
	struct rblk_extents *set = new_set();
	struct rblk_extent one = { .sector = 5, .nr_sects = 1 };
	struct rblk_extent two = { .sector = 5, .nr_sects = 1 };
	struct rblk_extent never = { .sector = 5, .nr_sects = 1 };

	(void)state;
	rblk_extents_insert(set, &one);
	rblk_extents_insert(set, &two);
	assert_int_equal(set->count, 2);
	rblk_extents_remove(set, &one);
	rblk_extents_remove(set, &one);
	rblk_extents_remove(set, &never);
	assert_int_equal(set->count, 1);
	assert_ptr_equal(rblk_extents_find(set, 5, 1), &two);
	rblk_extents_remove(set, &two);
	assert_int_equal(set->count, 0);
	assert_null(rblk_extents_find(set, 5, 1));
	free(set);
}

static void test_shared_is_passed_over(void **state)
{
	struct rblk_extents *set = new_set();
	struct rblk_extent written = { .sector = 5, .nr_sects = 2, .shared = true };
	struct rblk_extent wide = { .sector = ZONE, .nr_sects = 500 * ZONE, .shared = true };
	struct rblk_extent written_to = { .sector = 6, .nr_sects = 2 };

	(void)state;
	rblk_extents_insert(set, &written_to);
	rblk_extents_insert(set, &written);
	rblk_extents_insert(set, &wide);
	assert_ptr_equal(rblk_extents_find(set, 5, 1), &written);
	assert_null(rblk_extents_find_unshared(set, 5, 1));
	assert_ptr_equal(rblk_extents_find_unshared(set, 5, 2), &written_to);
	assert_ptr_equal(rblk_extents_find(set, 300 * ZONE, 1), &wide);
	assert_null(rblk_extents_find_unshared(set, 300 * ZONE, 1));
	assert_ptr_equal(rblk_extents_find_unshared(set, 0, U64_MAX), &written_to);
	free(set);
}

/* From the end of a zone, as far into the next ones as the length allows. */
static void test_reaches_into_next_zone(void **state)
{
	struct rblk_extents *set = new_set();
	u64 zone;

	(void)state;
	for (zone = 0; zone < 200; zone++) {
		struct rblk_extent ext = {
			.sector = zone * ZONE + ZONE - 1,
			.nr_sects = ZONE + zone % 4 };
		u64 last = ext.sector + ext.nr_sects - 1;

		rblk_extents_insert(set, &ext);
		assert_ptr_equal(rblk_extents_find(set, last, 1), &ext);
		assert_null(rblk_extents_find(set, last + 1, 1));
		rblk_extents_remove(set, &ext);
	}
	free(set);
}

static void test_wide_extent_is_found_everywhere(void **state)
{
	struct rblk_extents *set = new_set();
	struct rblk_extent ext = { .sector = 3 * ZONE, .nr_sects = 5000 * ZONE };

	(void)state;
	rblk_extents_insert(set, &ext);
	assert_ptr_equal(rblk_extents_find(set, 3 * ZONE, 1), &ext);
	assert_ptr_equal(rblk_extents_find(set, 4000 * ZONE + 7, 1), &ext);
	assert_ptr_equal(rblk_extents_find(set, 5003 * ZONE - 1, 1), &ext);
	assert_null(rblk_extents_find(set, 5003 * ZONE, 1));
	assert_null(rblk_extents_find(set, 3 * ZONE - 1, 1));
	free(set);
}

static void test_wide_range_finds_one_sector(void **state)
{
	struct rblk_extents *set = new_set();
	u64 zones;

	(void)state;
	for (zones = 1; zones < 300; zones++) {
		struct rblk_extent ext = {
			.sector = 7 * ZONE + zones * ZONE - 1, .nr_sects = 1 };

		rblk_extents_insert(set, &ext);
		assert_ptr_equal(rblk_extents_find(set, 7 * ZONE, zones * ZONE),
				 &ext);
		assert_null(rblk_extents_find(set, 7 * ZONE, zones * ZONE - 1));
		rblk_extents_remove(set, &ext);
	}
	free(set);
}

static void test_ranges_that_would_wrap(void **state)
{
	struct rblk_extents *set = new_set();
	struct rblk_extent low = { .sector = 0, .nr_sects = 8 };
	struct rblk_extent high = { .sector = U64_MAX - 7, .nr_sects = 8 };

	(void)state;
	rblk_extents_insert(set, &low);
	assert_null(rblk_extents_find(set, U64_MAX - 3, 100));
	assert_null(rblk_extents_find(set, 8, U64_MAX));
	rblk_extents_insert(set, &high);
	assert_ptr_equal(rblk_extents_find(set, 8, U64_MAX), &high);
	assert_ptr_equal(rblk_extents_find(set, U64_MAX, 1), &high);
	assert_null(rblk_extents_find(set, 8, U64_MAX - 15));
	free(set);
}

/* Few sectors, many zones, multiples of a hash's worth of zones, the end. */
static u64 some_sector(u64 *rnd)
{
	switch (prng_below(rnd, 4)) {
	case 0:
		return prng_below(rnd, 4 * ZONE);
	case 1:
		return prng_below(rnd, 300) * ZONE - prng_below(rnd, 2) * 4;
	case 2:
		return prng_below(rnd, 3) * ZONE * RBLK_EXTENT_ZONES +
		       prng_below(rnd, ZONE);
	default:
		return U64_MAX - 3 * ZONE + prng_below(rnd, 3 * ZONE);
	}
}

static u64 some_length(u64 *rnd)
{
	switch (prng_below(rnd, 6)) {
	case 0:
		return ZONE - 1 + prng_below(rnd, 3);
	case 1:
		return 1 + prng_below(rnd, 100 * ZONE);
	case 2:
		return 1 + prng_below(rnd, ZONE);
	default:
		return 1 + prng_below(rnd, 64);
	}
}

static void check_find(const struct rblk_extents *set,
		       struct rblk_extent *const *live, u32 nr_live, u64 sector,
		       u64 nr_sects)
{
	struct rblk_extent *found = rblk_extents_find(set, sector, nr_sects);
	bool expected = false, known = false;
	u32 i;

	for (i = 0; i < nr_live; i++) {
		expected |= really_overlap(live[i]->sector, live[i]->nr_sects,
					   sector, nr_sects);
		known |= live[i] == found;
	}
	assert_int_equal(!!found, expected);
	if (found) {
		assert_true(known);
		assert_true(really_overlap(found->sector, found->nr_sects,
					   sector, nr_sects));
	}
	assert_int_equal(set->count, nr_live);
}

/*
 * The bool is whether extents are kept apart, as a resource keeps writes, or
 * may overlap, as in a set of reads.
 */
static void run_random(u64 seed, bool apart, u32 density)
{
	struct rblk_extents *set = new_set();
	struct rblk_extent *live[LIVE];
	u32 nr_live = 0, step, hits = 0;
	u64 rnd = seed;

	for (step = 0; step < 20000; step++) {
		u64 sector = some_sector(&rnd);
		u64 nr_sects = some_length(&rnd);

		check_find(set, live, nr_live, sector, nr_sects);
		if (rblk_extents_find(set, sector, nr_sects)) {
			hits++;
			if (apart)
				nr_sects = 0;
		}
		if (nr_sects && nr_live < density) {
			struct rblk_extent *ext = calloc(1, sizeof(*ext));

			ext->sector = sector;
			ext->nr_sects = nr_sects;
			rblk_extents_insert(set, ext);
			live[nr_live++] = ext;
		} else if (nr_live) {
			u32 victim = prng_below(&rnd, nr_live);

			rblk_extents_remove(set, live[victim]);
			assert_true(hlist_unhashed(&live[victim]->node));
			free(live[victim]);
			live[victim] = live[--nr_live];
		}
	}
	assert_in_range(hits, 500, 19500);
	while (nr_live--) {
		rblk_extents_remove(set, live[nr_live]);
		free(live[nr_live]);
	}
	assert_int_equal(set->count, 0);
	free(set);
}

static void test_random_against_list(void **state)
{
	u64 seed;

	(void)state;
	for (seed = 1; seed <= 4; seed++) {
		run_random(seed, true, LIVE);
		run_random(seed, false, LIVE);
		run_random(seed, false, 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_set),
		cmocka_unit_test(test_neighbours_do_not_overlap),
		cmocka_unit_test(test_remove_is_harmless_twice),
		cmocka_unit_test(test_shared_is_passed_over),
		cmocka_unit_test(test_reaches_into_next_zone),
		cmocka_unit_test(test_wide_extent_is_found_everywhere),
		cmocka_unit_test(test_wide_range_finds_one_sector),
		cmocka_unit_test(test_ranges_that_would_wrap),
		cmocka_unit_test(test_random_against_list),
	};

	return cmocka_run_group_tests_name("extent", tests, NULL, NULL);
}

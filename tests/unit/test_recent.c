// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a backup's data changed last: two backups got the operations of a primary up to
 * positions of their own, one takes over. In no place may the other differ that the memory of
 * it does not name; and no more is named than was touched lately.
 */
#include "cmocka_all.h"
#include "prng.h"
#include "recent.h"

#define VOLUMES	2
#define BLOCKS	200
#define SECTS	(1ULL << RBLK_BITMAP_SHIFT)

struct sim {
	u64 rnd;
	struct rblk_recent recent;
	struct rblk_lack lack;
	u64 begin, last;
	u64 touched[VOLUMES][BLOCKS];	/* last operation in each block */
};

static void *alloc_page(void)
{
	return calloc(1, RBLK_BITMAP_PAGE_BYTES);
}

static const struct rblk_bitmap_mem mem = { alloc_page, free };

static struct rblk_bitmap *new_map(void)
{
	struct rblk_bitmap *map = calloc(1, sizeof(*map));

	rblk_bitmap_init(map, calloc(1, sizeof(void *)), calloc(1, sizeof(long)),
			 BLOCKS * SECTS, RBLK_BITMAP_SHIFT, &mem);
	return map;
}

static void free_map(struct rblk_bitmap *map)
{
	rblk_bitmap_clear_all(map);
	free(map->page);
	free(map->changed);
	free(map);
}

static void start(struct sim *s, u64 seed, u64 seq)
{
	int i;

	memset(s, 0, sizeof(*s));
	s->rnd = seed;
	for (i = 0; i < VOLUMES; i++) {
		s->lack.lacks[i] = new_map();
		s->lack.undurable[0][i] = new_map();
		s->lack.undurable[1][i] = new_map();
	}
	rblk_lack_init(&s->lack);
	s->recent.op = calloc(RBLK_RECENT_OPS, sizeof(*s->recent.op));
	rblk_recent_restart(&s->recent, seq);
	s->begin = s->last = seq;
}

static void end(struct sim *s)
{
	int i;

	for (i = 0; i < VOLUMES; i++) {
		free_map(s->lack.lacks[i]);
		free_map(s->lack.undurable[0][i]);
		free_map(s->lack.undurable[1][i]);
	}
	free(s->recent.op);
}

static void operation(struct sim *s)
{
	u8 volume = prng_below(&s->rnd, VOLUMES);
	/* a few blocks far more often than the others */
	u64 limit = prng_below(&s->rnd, 50) ? 10 : BLOCKS;
	u64 block = prng_below(&s->rnd, limit);
	u64 nr = min(prng_below(&s->rnd, 3), BLOCKS - block), i;

	s->last++;
	rblk_recent_add(&s->recent, s->last, volume, block * SECTS, nr * SECTS);
	for (i = block; i < block + nr; i++)
		s->touched[volume][i] = s->last;
}

static void operations(struct sim *s, u64 nr)
{
	while (nr--)
		operation(s);
}

static bool is_lacking(struct sim *s, int volume, int block)
{
	return rblk_bitmap_touches(s->lack.lacks[volume], block * SECTS, 1);
}

/*
 * A peer that had everything up to @has comes back with that, or with less: @seq. Named
 * as lacking is what was touched after that, and no more if it has what it had.
 */
static void check(struct sim *s, u64 has, u64 seq)
{
	int v, b;

	rblk_lack_forget(&s->lack, s->last);
	rblk_recent_recall(&s->recent, has, &s->lack);
	rblk_lack_returned(&s->lack, seq, true);
	for (v = 0; v < VOLUMES; v++)
		for (b = 0; b < BLOCKS; b++) {
			bool differs = s->touched[v][b] > seq;

			if (differs && !is_lacking(s, v, b))
				fail_msg("block %d of volume %d was touched by %llu and is not named for who is at %llu",
					 b, v, s->touched[v][b], seq);
			if (!differs && seq == has && is_lacking(s, v, b))
				fail_msg("block %d of volume %d is named for who is at %llu",
					 b, v, seq);
		}
	assert_false(s->lack.coarse && seq == has);
}

/* From which position on is it known what a peer at @has lacks? */
static u64 base_for(struct sim *s, u64 has)
{
	rblk_lack_forget(&s->lack, s->last);
	rblk_recent_recall(&s->recent, has, &s->lack);
	return rblk_lack_base(&s->lack);
}

static void test_all_that_may_differ_is_named(void **state)
{
	static const u64 lengths[] = {
		1, 7, RBLK_RECENT_OPS - 1, RBLK_RECENT_OPS, RBLK_RECENT_OPS + 1,
		3 * RBLK_RECENT_OPS + 5,
	};
	struct sim s;
	u64 i, n, base, has;

	(void)state;
	for (i = 0; i < 30; i++) {
		start(&s, i, prng_below(&(u64){ i }, 100000));
		operations(&s, lengths[i % ARRAY_SIZE(lengths)]);
		base = base_for(&s, s.last);
		assert_int_equal(s.last - base, min(s.last - s.begin,
						    (u64)RBLK_RECENT_OPS));
		check(&s, base, base);
		for (n = 0; n < 20; n++) {
			has = base + prng_below(&s.rnd, s.last - base + 1);
			assert_int_equal(base_for(&s, has), base);
			check(&s, has, has);
			check(&s, s.last, s.last);
			/* what it had was not durable */
			if (has > base)
				check(&s, has, has - 1);
			if (has > base)
				check(&s, has, base);
		}
		end(&s);
	}
}

/* What this node wrote since it took over is not lost on the way. */
static void test_what_is_known_stays(void **state)
{
	struct sim s;

	(void)state;
	start(&s, 1, 50);
	operations(&s, 500);
	rblk_lack_forget(&s.lack, s.last);
	rblk_lack_missed(&s.lack, 1, (BLOCKS - 1) * SECTS, 8, s.last + 1);
	rblk_recent_recall(&s.recent, s.last, &s.lack);
	rblk_lack_returned(&s.lack, s.last, true);
	assert_true(is_lacking(&s, 1, BLOCKS - 1));
	assert_int_equal(rblk_lack_sects(&s.lack), SECTS);
	end(&s);
}

static void test_goes_on_only_where_it_ended(void **state)
{
	struct sim s;

	(void)state;
	start(&s, 2, 1000);
	operations(&s, 100);
	/* another primary, the same data */
	rblk_recent_go_on(&s.recent, s.last);
	operations(&s, 100);
	assert_int_equal(base_for(&s, s.last), 1000);
	check(&s, 1000, 1000);

	/* from somewhere else, or a copy */
	s.last = 5000;
	rblk_recent_go_on(&s.recent, s.last);
	assert_int_equal(base_for(&s, s.last), 5000);
	operations(&s, 3);
	assert_int_equal(base_for(&s, s.last), 5000);
	rblk_recent_restart(&s.recent, s.last);
	assert_int_equal(base_for(&s, s.last), s.last);
	end(&s);
}

/* Too far back, or beyond: nothing is known. */
static void test_other_positions(void **state)
{
	struct sim s;

	(void)state;
	start(&s, 3, 10);
	operations(&s, RBLK_RECENT_OPS + 20);
	assert_int_equal(base_for(&s, 29), s.last);
	assert_int_equal(base_for(&s, 30), 30);
	assert_int_equal(base_for(&s, s.last), 30);
	assert_int_equal(base_for(&s, s.last + 1), s.last);
	assert_int_equal(rblk_lack_sects(&s.lack), 0);
	end(&s);
}

/* All places above a position, each once, however few are asked for at a time. */
static void test_spans(void **state)
{
	struct rblk_span span[7];
	u64 from, seq, touched[VOLUMES][BLOCKS], i;
	struct sim s;
	int v, nr, max, n;

	(void)state;
	start(&s, 5, 70);
	operations(&s, 900);
	assert_true(rblk_recent_remembers(&s.recent, 70, s.last));
	assert_false(rblk_recent_remembers(&s.recent, 69, s.last));
	assert_false(rblk_recent_remembers(&s.recent, 70, s.last - 1));
	for (max = 1; max <= 7; max++) {
		memset(touched, 0, sizeof(touched));
		from = 70 + prng_below(&s.rnd, 900);
		for (v = 0; v < VOLUMES; v++) {
			seq = from;
			do {
				nr = rblk_recent_spans(&s.recent, v, &seq, span, max);
				assert_in_range(nr, 0, max);
				for (n = 0; n < nr; n++)
					for (i = 0; i < span[n].nr_sects / SECTS; i++)
						touched[v][span[n].sector / SECTS + i]++;
			} while (nr == max);
			assert_int_equal(seq, s.last);
			for (i = 0; i < BLOCKS; i++)
				assert_int_equal(touched[v][i] > 0,
						 s.touched[v][i] > from);
		}
	}
	seq = 69;
	assert_int_equal(rblk_recent_spans(&s.recent, 0, &seq, span, 7), -ESTALE);
	end(&s);
}

static void test_without_room(void **state)
{
	struct sim s;

	(void)state;
	start(&s, 4, 10);
	free(s.recent.op);
	s.recent.op = NULL;
	operations(&s, 20);
	assert_int_equal(base_for(&s, s.last), s.last);
	assert_int_equal(base_for(&s, s.last - 1), s.last);
	assert_int_equal(rblk_lack_sects(&s.lack), 0);
	assert_false(rblk_recent_remembers(&s.recent, s.last, s.last));
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_may_differ_is_named),
		cmocka_unit_test(test_what_is_known_stays),
		cmocka_unit_test(test_goes_on_only_where_it_ended),
		cmocka_unit_test(test_other_positions),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_without_room),
	};

	return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}

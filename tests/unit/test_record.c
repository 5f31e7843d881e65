// SPDX-License-Identifier: GPL-2.0-or-later
/* What a node concludes from several volumes' records, and from a crash. */
#include "cmocka_all.h"
#include "record.h"

#define NR_VOLUMES	3

static struct rblk_record record(u64 serial, u8 data, bool clean, u64 seq)
{
	struct rblk_record r = {
		.serial = serial, .promised = serial, .data = data,
		.clean = clean, .lineage = { 1, seq, { { 1, 1 } } },
	};

	if (data == RBLK_DATA_NEW)
		r.lineage = (struct rblk_lineage) { 0 };
	return r;
}

static enum rblk_record_note merge(const struct rblk_record *volume, u32 nr,
				   struct rblk_record *sum)
{
	const struct rblk_record *all[8];
	u32 i;

	for (i = 0; i < nr; i++)
		all[i] = &volume[i];
	return rblk_record_merge(all, nr, sum);
}

static void test_equal(void **state)
{
	struct rblk_record v[2] = {
		record(5, RBLK_DATA_CONSISTENT, true, 70),
		record(5, RBLK_DATA_CONSISTENT, true, 70),
	};
	struct rblk_record sum;

	(void)state;
	assert_int_equal(merge(v, 2, &sum), RBLK_RECORD_EQUAL);
	assert_true(sum.clean && sum.serial == 5 && sum.lineage.seq == 70);
	assert_int_equal(rblk_record_data(&sum), RBLK_DATA_CONSISTENT);

	/* each volume has its own durable position: the lowest holds for all */
	v[0].clean = false;
	v[1].clean = false;
	v[1].lineage.seq = 65;
	assert_int_equal(merge(v, 2, &sum), RBLK_RECORD_EQUAL);
	assert_true(!sum.clean && sum.lineage.seq == 65);
	assert_int_equal(rblk_record_data(&sum), RBLK_DATA_UNCLEAN);

	/* one says clean, one does not */
	v[0].clean = true;
	merge(v, 2, &sum);
	assert_false(sum.clean);
}

/*
 * Each change that a node makes, cut off when any subset of its volumes has
 * it: the result is the state before or the one after, and the promise is the
 * higher one; "clean" never survives the beginning of anything.
 */
static void test_halfway(void **state)
{
	static const struct {
		u8 data_before, data_after;
		bool clean_before, clean_after;
	} changes[] = {
		{ RBLK_DATA_NEW, RBLK_DATA_CONSISTENT, false, false },
		{ RBLK_DATA_CONSISTENT, RBLK_DATA_CONSISTENT, true, false },
		{ RBLK_DATA_CONSISTENT, RBLK_DATA_CONSISTENT, false, true },
		{ RBLK_DATA_CONSISTENT, RBLK_DATA_INCONSISTENT, false, false },
		{ RBLK_DATA_INCONSISTENT, RBLK_DATA_CONSISTENT, false, false },
	};
	u32 c, mask, i;

	(void)state;
	for (c = 0; c < ARRAY_SIZE(changes); c++) {
		for (mask = 0; mask < 1 << NR_VOLUMES; mask++) {
			struct rblk_record v[NR_VOLUMES], sum;
			bool all = mask == (1 << NR_VOLUMES) - 1;

			for (i = 0; i < NR_VOLUMES; i++)
				v[i] = mask >> i & 1 ?
					record(8, changes[c].data_after,
					       changes[c].clean_after, 90) :
					record(7, changes[c].data_before,
					       changes[c].clean_before, 90);
			assert_int_equal(merge(v, NR_VOLUMES, &sum),
					 mask && !all ? RBLK_RECORD_HALFWAY :
							RBLK_RECORD_EQUAL);
			assert_int_equal(sum.data, all ? changes[c].data_after :
						   changes[c].data_before);
			assert_int_equal(sum.clean,
					 all ? changes[c].clean_after :
					 !mask && changes[c].clean_before);
			assert_true(sum.promised == (mask ? 8 : 7));
			assert_true(sum.serial == (mask ? 8 : 7));
		}
	}
}

static void test_stale_and_new_volumes(void **state)
{
	struct rblk_record v[2] = {
		record(50, RBLK_DATA_CONSISTENT, true, 70),
		record(10, RBLK_DATA_CONSISTENT, true, 20),
	};
	struct rblk_record sum;

	(void)state;
	assert_int_equal(merge(v, 2, &sum), RBLK_RECORD_STALE);
	assert_int_equal(sum.data, RBLK_DATA_INCONSISTENT);
	assert_true(sum.promised == 50);

	/* a volume that was added */
	v[1] = record(1, RBLK_DATA_NEW, false, 0);
	assert_int_equal(merge(v, 2, &sum), RBLK_RECORD_STALE);
	assert_int_equal(sum.data, RBLK_DATA_NEW);
	assert_true(sum.promised == 50 && !sum.lineage.nr_terms);
}

/* The position has not reached the terms that were agreed on. */
static void test_history_ahead(void **state)
{
	struct rblk_record r = {
		.serial = 3, .promised = 9, .data = RBLK_DATA_CONSISTENT,
		.lineage = { 3, 150, { { 2, 101 }, { 5, 151 }, { 9, 300 } } },
	};
	struct rblk_record sum;

	(void)state;
	merge(&r, 1, &sum);
	assert_true(sum.lineage.nr_terms == 2 && sum.lineage.seq == 150);
	assert_true(rblk_lineage_is_valid(&sum.lineage));
	r.lineage.seq = 149;
	merge(&r, 1, &sum);
	assert_true(sum.lineage.nr_terms == 1 && sum.lineage.seq == 149);
	/* before all that is known: nothing can be said of it */
	r.lineage.seq = 99;
	merge(&r, 1, &sum);
	assert_true(sum.lineage.nr_terms == 0 && sum.lineage.seq == 0);
	assert_int_equal(sum.data, RBLK_DATA_INCONSISTENT);
}

static void test_data(void **state)
{
	struct rblk_record r = record(3, RBLK_DATA_INCONSISTENT, false, 4);

	(void)state;
	assert_int_equal(rblk_record_data(&r), RBLK_DATA_INCONSISTENT);
	r = record(3, RBLK_DATA_NEW, false, 0);
	assert_int_equal(rblk_record_data(&r), RBLK_DATA_NEW);
}

static void test_promote_clean(void **state)
{
	struct rblk_lineage l = { 1, 70, { { 2, 1 } } };

	(void)state;
	assert_int_equal(rblk_record_promote(&l, RBLK_DATA_CONSISTENT, true, 2),
			 -EINVAL);
	assert_true(l.nr_terms == 1 && l.seq == 70);
	assert_int_equal(rblk_record_promote(&l, RBLK_DATA_CONSISTENT, true, 3),
			 0);
	assert_true(l.nr_terms == 2 && l.seq == 70 &&
		    l.term[1].first_seq == 71);
	l = (struct rblk_lineage) { 0 };
	assert_int_equal(rblk_record_promote(&l, RBLK_DATA_NEW, false, 1), 0);
	assert_true(l.nr_terms == 1 && l.seq == 0 && l.term[0].first_seq == 1);
}

/*
 * After a crash no peer is ever the same as the promoted node, at any
 * position, with or without a clean end of its own.
 */
static void test_promote_unclean(void **state)
{
	u64 recorded, seq;
	int led;

	(void)state;
	for (recorded = 0; recorded < 20; recorded++) {
		for (led = 0; led < 2; led++) {
			struct rblk_lineage mine = { 1, recorded, { { 2, 1 } } };

			assert_int_equal(rblk_record_promote(&mine,
							     RBLK_DATA_UNCLEAN,
							     led, 3), 0);
			assert_true(rblk_lineage_is_valid(&mine));
			for (seq = 0; seq < 40; seq++) {
				struct rblk_lineage peer = {
					1, seq, { { 2, 1 } } };
				enum rblk_relation r;

				r = rblk_lineage_compare(&mine, &peer, NULL);
				/* what it named itself it has; what it was
				 * sent it may have lost
				 */
				assert_int_equal(r, led || seq <= recorded ?
						 RBLK_PEER_BEHIND :
						 recorded ? RBLK_FORKED :
						 RBLK_UNRELATED);
			}
		}
	}
}

static void test_promote_at_the_end(void **state)
{
	struct rblk_lineage l = { 1, U64_MAX - RBLK_RECORD_GAP, { { 2, 1 } } };

	(void)state;
	assert_int_equal(rblk_record_promote(&l, RBLK_DATA_UNCLEAN, true, 3),
			 -EOVERFLOW);
	assert_true(l.nr_terms == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_halfway),
		cmocka_unit_test(test_stale_and_new_volumes),
		cmocka_unit_test(test_history_ahead),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_promote_clean),
		cmocka_unit_test(test_promote_unclean),
		cmocka_unit_test(test_promote_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

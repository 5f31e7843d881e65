// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_latency.c - percentiles of histograms
 */
#include "test.h"

#include "latency.h"

static void nothing_counted(void **state)
{
	uint64_t counts[RBLK_LATENCY_BUCKETS] = { 0 };

	(void)state;
	assert_true(rblk_latency_percentile_us(counts, 50) < 0);
	assert_int_equal(rblk_latency_count(counts), 0);
}

static void one_bucket(void **state)
{
	uint64_t counts[RBLK_LATENCY_BUCKETS] = { [11] = 100 };

	(void)state;
	/* 1024 .. 2047 ns, evenly spread */
	assert_true(rblk_latency_percentile_us(counts, 50) == 1.536);
	assert_true(rblk_latency_percentile_us(counts, 100) == 2.048);
	assert_int_equal(rblk_latency_count(counts), 100);
}

static void a_slow_few(void **state)
{
	uint64_t counts[RBLK_LATENCY_BUCKETS] = { [11] = 98, [21] = 2 };
	double p50 = rblk_latency_percentile_us(counts, 50);
	double p99 = rblk_latency_percentile_us(counts, 99);

	(void)state;
	assert_true(p50 > 1.024 && p50 < 2.048);
	assert_true(p99 > 1048 && p99 < 2098);
}

static void beyond_the_last(void **state)
{
	uint64_t counts[RBLK_LATENCY_BUCKETS] = {
		[0] = 1, [RBLK_LATENCY_BUCKETS - 1] = 1
	};

	(void)state;
	assert_true(rblk_latency_percentile_us(counts, 50) == 0);
	assert_true(rblk_latency_percentile_us(counts, 99) >= 17179869.184);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_counted),
		cmocka_unit_test(one_bucket),
		cmocka_unit_test(a_slow_few),
		cmocka_unit_test(beyond_the_last),
	};

	return RUN(tests);
}

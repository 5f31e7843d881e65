// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * latency.c - what a histogram of powers of two says
 */
#include "latency.h"

uint64_t rblk_latency_count(const uint64_t counts[RBLK_LATENCY_BUCKETS])
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < RBLK_LATENCY_BUCKETS; i++)
		n += counts[i];
	return n;
}

double rblk_latency_percentile_us(const uint64_t counts[RBLK_LATENCY_BUCKETS],
				  double percent)
{
	double wanted = rblk_latency_count(counts) * percent / 100;
	double low_ns, before = 0;
	int i;

	if (wanted <= 0)
		return -1;
	for (i = 0; i < RBLK_LATENCY_BUCKETS - 1; i++) {
		if (before + counts[i] >= wanted)
			break;
		before += counts[i];
	}
	if (i == 0)
		return 0;
	low_ns = (double)(1ULL << (i - 1));
	if (counts[i] == 0)	/* rounding */
		return low_ns / 1000;
	return low_ns * (1 + (wanted - before) / counts[i]) / 1000;
}

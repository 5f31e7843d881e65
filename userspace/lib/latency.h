/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * latency.h - what a histogram of powers of two says. Pure.
 */
#ifndef RBLK_LATENCY_H
#define RBLK_LATENCY_H

#include <rblk.h>
#include <stdint.h>

/* How many it counted. */
uint64_t rblk_latency_count(const uint64_t counts[RBLK_LATENCY_BUCKETS]);

/*
 * The time that @percent of them did not exceed, in microseconds; negative
 * when there is none. Within a bucket they are taken as evenly spread, so the
 * answer is in the right power of two, no more.
 */
double rblk_latency_percentile_us(const uint64_t counts[RBLK_LATENCY_BUCKETS],
				  double percent);

#endif

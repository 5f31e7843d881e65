/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stats.h - how long writes take, by stage, counted per CPU.
 */
#ifndef RBLK_STATS_H
#define RBLK_STATS_H

#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/percpu.h>

#include "uapi/rblk.h"

/* From admission until ... */
enum rblk_stage {
	RBLK_STAGE_LOCAL,	/* the local leg ended */
	RBLK_STAGE_SENT,	/* a peer's sender took it up */
	RBLK_STAGE_RECEIVED,	/* a peer said that it has it */
	RBLK_STAGE_APPLIED,	/* a peer said that it is on its device */
	RBLK_STAGE_COMPLETE,	/* it was reported to the application */
	RBLK_NR_STAGES,
};

/** struct rblk_latency - histograms of one CPU */
struct rblk_latency {
	u64 count[RBLK_NR_STAGES][RBLK_LATENCY_BUCKETS];
};

/**
 * rblk_latency_add - count one write
 * @latency: per CPU
 * @stage: that it reached
 * @since_ns: when it was admitted, CLOCK_MONOTONIC
 *
 * Return: the nanoseconds since then.
 */
static inline u64 rblk_latency_add(struct rblk_latency __percpu *latency,
				   enum rblk_stage stage, u64 since_ns)
{
	u64 ns = ktime_get_ns() - since_ns;
	int bucket = min(fls64(ns), RBLK_LATENCY_BUCKETS - 1);

	this_cpu_inc(latency->count[stage][bucket]);
	return ns;
}

/**
 * rblk_latency_sum - one histogram over all CPUs
 * @latency: per CPU
 * @stage: which
 * @sum: RBLK_LATENCY_BUCKETS counts
 *
 * Return: the number of buckets up to the last that is not 0.
 */
static inline int rblk_latency_sum(struct rblk_latency __percpu *latency,
				   enum rblk_stage stage, u64 *sum)
{
	int bucket, cpu, used = 0;

	for (bucket = 0; bucket < RBLK_LATENCY_BUCKETS; bucket++) {
		sum[bucket] = 0;
		for_each_possible_cpu(cpu)
			sum[bucket] += per_cpu_ptr(latency, cpu)
				->count[stage][bucket];
		if (sum[bucket])
			used = bucket + 1;
	}
	return used;
}

#endif /* RBLK_STATS_H */

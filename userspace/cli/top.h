/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top.h - what happened between two looks at a resource. Pure.
 */
#ifndef RBLK_TOP_H
#define RBLK_TOP_H

#include "kmsg.h"

#include <jansson.h>
#include <stdio.h>

struct rblk_top_volumes {
	double read_ops, read_bytes;	/* all of them per second */
	double write_ops, write_bytes;
	double flush_ops;
};

struct rblk_top_peer {
	const struct rblk_kpeer *now;
	double sent_bytes, received_bytes;
	double applied_ops;
};

struct rblk_top {
	const struct rblk_kstate *now;
	double seconds;
	struct rblk_top_volumes volumes;
	struct rblk_top_peer peers[RBLK_MAX_NODES];
	uint64_t latency[RBLK_LAT_MAX + 1][RBLK_LATENCY_BUCKETS];
};

/*
 * Compare. @before may be NULL, or of a resource that was taken down and
 * brought up since: what it counted then is no part of it.
 */
void rblk_top_compare(struct rblk_top *top, const struct rblk_kstate *before,
		      const struct rblk_kstate *now, double seconds);

void rblk_top_print(const struct rblk_top *top, FILE *to);
json_t *rblk_top_json(const struct rblk_top *top);

#endif

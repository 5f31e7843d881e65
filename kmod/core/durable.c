// SPDX-License-Identifier: GPL-2.0
/*
 * durable.c - up to which operation everything is durable on this node.
 */
#include "durable.h"

void rblk_durable_restart(struct rblk_durable *durable, u64 seq, u64 volatiles)
{
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		struct rblk_durable_volume *volume = &durable->volume[i];

		if (!(volatiles & (1ULL << i))) {
			memset(volume, 0, sizeof(*volume));
		} else if (durable->seq != seq) {
			volume->written = seq;
			volume->flushed = 0;
		}
	}
	durable->seq = seq;
}

void rblk_durable_written(struct rblk_durable *durable, u8 volume, u64 seq,
			  u64 applied)
{
	struct rblk_durable_volume *v = &durable->volume[volume];

	/* Nothing was volatile there: what came before is durable. */
	if (v->written <= v->flushed)
		v->flushed = max(v->flushed, min(applied, seq - 1));
	v->written = max(v->written, seq);
}

void rblk_durable_flushed(struct rblk_durable *durable, u8 volume, u64 seq)
{
	durable->volume[volume].flushed =
		max(durable->volume[volume].flushed, seq);
}

u64 rblk_durable_position(struct rblk_durable *durable, u64 applied)
{
	u64 position = applied;
	int i;

	durable->seq = applied;
	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		const struct rblk_durable_volume *volume = &durable->volume[i];

		if (volume->written > volume->flushed)
			position = min(position, volume->flushed);
	}
	return position;
}

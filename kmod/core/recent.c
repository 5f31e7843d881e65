// SPDX-License-Identifier: GPL-2.0
/*
 * recent.c - where a backup's data changed last.
 */
#include "recent.h"

void rblk_recent_restart(struct rblk_recent *recent, u64 seq)
{
	recent->base = seq;
	recent->last = seq;
}

void rblk_recent_go_on(struct rblk_recent *recent, u64 seq)
{
	if (recent->last != seq)
		rblk_recent_restart(recent, seq);
}

void rblk_recent_add(struct rblk_recent *recent, u64 seq, u8 volume,
		     u64 sector, u32 nr_sects)
{
	struct rblk_recent_op *op;

	if (!recent->op)
		return;
	rblk_recent_go_on(recent, seq - 1);
	op = &recent->op[seq % RBLK_RECENT_OPS];
	op->volume = volume;
	op->sector = sector;
	op->nr_sects = nr_sects;
	recent->last = seq;
	if (recent->last - recent->base > RBLK_RECENT_OPS)
		recent->base = recent->last - RBLK_RECENT_OPS;
}

void rblk_recent_recall(const struct rblk_recent *recent, u64 seq,
			struct rblk_lack *lack)
{
	const struct rblk_recent_op *op;
	u64 i;

	if (!recent->op || seq < recent->base || seq > recent->last)
		return;
	for (i = recent->base + 1; i <= recent->last; i++) {
		op = &recent->op[i % RBLK_RECENT_OPS];
		if (i <= seq)
			rblk_lack_applied(lack, op->volume, op->sector,
					  op->nr_sects, i);
		else
			rblk_lack_missed(lack, op->volume, op->sector,
					 op->nr_sects, i);
	}
	rblk_lack_reach(lack, recent->base);
}

bool rblk_recent_remembers(const struct rblk_recent *recent, u64 from, u64 seq)
{
	return recent->op && recent->last == seq && recent->base <= from;
}

int rblk_recent_spans(const struct rblk_recent *recent, u8 volume, u64 *seq,
		      struct rblk_span *span, int max)
{
	const struct rblk_recent_op *op;
	int nr = 0;

	if (!recent->op || *seq < recent->base)
		return -ESTALE;
	while (*seq < recent->last && nr < max) {
		op = &recent->op[++*seq % RBLK_RECENT_OPS];
		if (op->volume != volume || !op->nr_sects)
			continue;
		span[nr].sector = op->sector;
		span[nr++].nr_sects = op->nr_sects;
	}
	return nr;
}

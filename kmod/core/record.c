// SPDX-License-Identifier: GPL-2.0
/*
 * record.c - what a node may conclude from what its disks say.
 */
#include "record.h"

/* Of the history only what the position reaches is there. */
static void cut_history(struct rblk_record *record)
{
	struct rblk_lineage *l = &record->lineage;

	while (l->nr_terms && l->term[l->nr_terms - 1].first_seq > l->seq + 1)
		l->nr_terms--;
	if (l->nr_terms)
		return;
	/* So far back that its beginning is not known any more, or nothing. */
	l->seq = 0;
	if (record->data == RBLK_DATA_CONSISTENT)
		record->data = RBLK_DATA_INCONSISTENT;
}

enum rblk_record_note
rblk_record_merge(const struct rblk_record *const *volume, u32 nr,
		  struct rblk_record *sum)
{
	const struct rblk_record *lowest = volume[0];
	u64 highest = 0, promised = 0;
	bool clean = true;
	u32 i;

	for (i = 0; i < nr; i++) {
		if (volume[i]->serial < lowest->serial)
			lowest = volume[i];
		highest = max(highest, volume[i]->serial);
		promised = max(promised, volume[i]->promised);
		clean = clean && volume[i]->clean;
	}
	*sum = *lowest;
	sum->serial = highest;
	sum->promised = promised;
	sum->clean = clean && lowest->serial == highest;
	for (i = 0; i < nr; i++)
		if (volume[i]->serial == lowest->serial)
			sum->lineage.seq = min(sum->lineage.seq,
					       volume[i]->lineage.seq);
	cut_history(sum);
	if (highest == lowest->serial)
		return RBLK_RECORD_EQUAL;
	if (highest - lowest->serial == 1)
		return RBLK_RECORD_HALFWAY;
	if (sum->data == RBLK_DATA_CONSISTENT)
		sum->data = RBLK_DATA_INCONSISTENT;
	return RBLK_RECORD_STALE;
}

enum rblk_data rblk_record_data(const struct rblk_record *record)
{
	if (record->data == RBLK_DATA_CONSISTENT && !record->clean)
		return RBLK_DATA_UNCLEAN;
	return record->data;
}

int rblk_record_promote(struct rblk_lineage *lineage, enum rblk_data data,
			bool led, u64 gen)
{
	struct rblk_lineage next = *lineage;
	bool unclean = data == RBLK_DATA_UNCLEAN;
	int err;

	if (next.seq >= U64_MAX - 2 * RBLK_RECORD_GAP)
		return -EOVERFLOW;
	if (unclean && led)
		next.seq += RBLK_RECORD_GAP;
	err = rblk_lineage_begin(&next, gen);
	if (err)
		return err;
	if (unclean && !led)
		next.seq++;
	*lineage = next;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * record.h - what a node may conclude from what its disks say after it was
 * away, and what a promotion makes of it.
 *
 * All volumes of a resource carry the resource's record. A change is written
 * to every volume, durably, before it is acted upon. So after a crash some may
 * carry the change and others not, and then nobody acted upon it.
 */
#ifndef RBLK_CORE_RECORD_H
#define RBLK_CORE_RECORD_H

#include "ondisk.h"

/*
 * A primary that ended without notice does not know its last seq. Its next
 * term begins this far above the last one that it recorded, so that no seq
 * names two operations.
 */
#define RBLK_RECORD_GAP	(1ULL << 40)

enum rblk_record_note {
	RBLK_RECORD_EQUAL,	/* all volumes say the same */
	RBLK_RECORD_HALFWAY,	/* the last change had not reached all of them */
	RBLK_RECORD_STALE,	/* a volume missed more: it was away */
};

/**
 * rblk_record_merge - one record out of those of all volumes
 * @volume: their records; in each, lineage.seq is what its superblock or its
 *	position record says, whichever is higher
 * @nr: how many, > 0
 * @sum: set to what holds for the resource
 *
 * The record with the lowest serial rules: what the others have more was not
 * acted upon. The promise is the highest. The position is the lowest, because
 * each volume speaks for itself. Clean is what is clean everywhere, at the
 * same serial. Terms above the position are left out. Data whose records are
 * further apart than one interrupted change is inconsistent.
 *
 * Return: how they differ.
 */
enum rblk_record_note
rblk_record_merge(const struct rblk_record *const *volume, u32 nr,
		  struct rblk_record *sum);

/**
 * rblk_record_data - what the node can say of its data
 * @record: merged
 *
 * Return: as @data, but RBLK_DATA_UNCLEAN for consistent data without clean
 * end.
 */
enum rblk_data rblk_record_data(const struct rblk_record *record);

/**
 * rblk_record_promote - the lineage with which a promotion begins
 * @lineage: of the data, with its position; changed when 0 is returned
 * @data: what the node can say of it
 * @led: it was primary in the last term
 * @gen: the new generation
 *
 * Unclean data may hold more than its position says, so no peer may ever seem
 * to have the same. A node that led names everything that its last term may
 * have named as its own. One that followed cannot say that; it begins with an
 * operation that nobody else has.
 *
 * Return: 0, or -EINVAL when @gen is not above the last term's, -EOVERFLOW when
 * seq would run out.
 */
int rblk_record_promote(struct rblk_lineage *lineage, enum rblk_data data,
			bool led, u64 gen);

#endif /* RBLK_CORE_RECORD_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recent.h - where a backup's data changed last.
 *
 * When the primary is gone one of its backups takes over, and the others may
 * have stopped an operation or two before that one: each got what was on its
 * way to it. Nobody kept the data of these operations, but their places are
 * enough: a backup that has everything up to a position, and took over from
 * the same primary as this node, differs from it only there.
 *
 * So a backup keeps the places of the last RBLK_RECENT_OPS operations. They are
 * numbered without a gap, which is why a ring of places is enough. If it is the
 * other one that took over, with less, these places are what it is told.
 *
 * The promise, after rblk_recent_recall(): a peer that had a prefix of this node's
 * data, and may have lost some of it since, down to rblk_lack_base(), differs
 * from it in no place that the memory of it does not name.
 *
 * No locks: the caller serializes.
 */
#ifndef RBLK_CORE_RECENT_H
#define RBLK_CORE_RECENT_H

#include "env.h"
#include "lack.h"
#include "wire.h"

#define RBLK_RECENT_OPS	4096	/* more than a disk or an application has in flight */

/**
 * struct rblk_recent_op - the place of an operation
 * @sector: first sector of its range
 * @nr_sects: length of its range; 0: a flush
 * @volume: id of the volume
 */
struct rblk_recent_op {
	u64 sector;
	u32 nr_sects;
	u8 volume;
};

/**
 * struct rblk_recent - see above
 * @op: RBLK_RECENT_OPS of them, by seq; NULL: nothing is remembered
 * @base: the operations above this position are there,
 * @last: up to this one
 */
struct rblk_recent {
	struct rblk_recent_op *op;
	u64 base;
	u64 last;
};

/**
 * rblk_recent_restart - what was before @seq is not known
 * @recent: any
 * @seq: position of this node's data
 */
void rblk_recent_restart(struct rblk_recent *recent, u64 seq);

/**
 * rblk_recent_go_on - the next operation comes after @seq
 * @recent: any
 * @seq: position of this node's data, which holds all that came before, in
 *	order, and nothing else
 *
 * What is remembered is kept if it ends there.
 */
void rblk_recent_go_on(struct rblk_recent *recent, u64 seq);

/**
 * rblk_recent_add - an operation came
 * @recent: any
 * @seq: its number, the next one
 * @volume: id of the volume
 * @sector: first sector of its range
 * @nr_sects: length of its range; 0: a flush
 */
void rblk_recent_add(struct rblk_recent *recent, u64 seq, u8 volume,
		     u64 sector, u32 nr_sects);

/**
 * rblk_recent_recall - a peer shows up with a prefix of what came here
 * @recent: up to where this node, which holds all of it, took over
 * @seq: position of the peer
 * @lack: memory of the peer, which begins where @recent ends; what the peer lacks
 *	or may lose again is added, if it is known
 */
void rblk_recent_recall(const struct rblk_recent *recent, u64 seq,
			struct rblk_lack *lack);

/**
 * rblk_recent_remembers - is it known where all operations in between went?
 * @recent: any
 * @from: the operations above this position,
 * @seq: up to this node's own
 */
bool rblk_recent_remembers(const struct rblk_recent *recent, u64 from, u64 seq);

/**
 * rblk_recent_spans - the places of the next operations
 * @recent: any
 * @volume: id of the volume that is asked about
 * @seq: in: the operations above this; out: all up to here were looked at
 * @span: set
 * @max: so many at most
 *
 * Return: how many; -ESTALE when those above @seq are not remembered any more.
 */
int rblk_recent_spans(const struct rblk_recent *recent, u8 volume, u64 *seq,
		      struct rblk_span *span, int max);

#endif /* RBLK_CORE_RECENT_H */

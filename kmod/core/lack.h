/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lack.h - what a peer lacks: the memory of a node about one peer's data.
 *
 * Operations in the log need no memory: the log is one. What leaves the log is
 * put into one of these sets of blocks:
 *
 *   lacks      the peer was not sent it, or is not known to have it
 *   undurable  the peer applied it, but may lose it again with a volatile cache,
 *              or would not know after a crash that it did not
 *
 * There are two undurable sets. What is added goes into the younger; once the
 * peer's recorded position has passed all that the older holds, that one is
 * emptied and they change places. So both become empty without a list of
 * operations.
 *
 * The promise: if the peer comes back at a position of at least
 * rblk_lack_base(), all blocks in which it may differ from this node are in
 * these sets, or belong to operations above its position that are in the log.
 * A peer below that position needs everything.
 *
 * Blocks are taken out of @lacks only when the peer confirmed that this very
 * data is durable there (rblk_lack_confirmed()), when it turns out to have had
 * them all along (rblk_lack_returned()), or when all that is known becomes
 * meaningless (rblk_lack_forget()).
 *
 * No locks: the caller serializes (with the log's lock).
 */
#ifndef RBLK_CORE_LACK_H
#define RBLK_CORE_LACK_H

#include "bitmap.h"
#include "../uapi/rblk.h"

/**
 * struct rblk_lack - see above
 * @lacks: by volume; NULL: no such volume
 * @undurable: likewise; [@young] is the younger of the two
 * @young: 0 or 1
 * @lacks_last: highest seq that was put into @lacks
 * @undurable_last: highest seq in each of the two; 0: empty
 * @base: the lowest position for which the sets were complete at first;
 *	U64_MAX: for none
 * @recorded: highest seq that the peer's metadata says to be durable
 * @partial_gen: the peer's data is inconsistent because this node began to
 *	overwrite it, as primary of that generation, and @lacks is what is left to
 *	do; 0: it did not
 * @coarse: most of @lacks may be equal after all: compare before copying
 */
struct rblk_lack {
	struct rblk_bitmap *lacks[RBLK_MAX_VOLUMES];
	struct rblk_bitmap *undurable[2][RBLK_MAX_VOLUMES];
	u8 young;
	u64 lacks_last;
	u64 undurable_last[2];
	u64 base;
	u64 recorded;
	u64 partial_gen;
	bool coarse;
};

/**
 * rblk_lack_init - nothing is known of the peer
 * @lack: zeroed; the caller sets the bitmaps
 */
void rblk_lack_init(struct rblk_lack *lack);

/**
 * rblk_lack_base - the lowest position from which the sets are complete
 * @lack: any
 *
 * What the peer once had recorded is not in the sets any more: if it comes
 * back without that (another disk, an old snapshot), it needs everything.
 */
u64 rblk_lack_base(const struct rblk_lack *lack);

/**
 * rblk_lack_forget - from here on, remember what comes after @base
 * @lack: any; its sets are emptied
 * @base: position of this node
 *
 * Said when this node's data was written by somebody else meanwhile: what the
 * peer got of that is not known.
 */
void rblk_lack_forget(struct rblk_lack *lack, u64 base);

/**
 * rblk_lack_restore - go on from what disks remembered
 * @lack: any; its sets are emptied
 * @base: the lowest position for which what comes now is complete
 *
 * The caller adds with rblk_lack_missed() what may differ.
 */
void rblk_lack_restore(struct rblk_lack *lack, u64 base);

/**
 * rblk_lack_reach - the sets are complete from a lower position on
 * @lack: any; the caller added what belongs there
 * @base: the position
 */
void rblk_lack_reach(struct rblk_lack *lack, u64 base);

/**
 * rblk_lack_missed - an operation leaves the log that the peer may not have
 * @lack: of that peer
 * @volume: id of the volume
 * @sector: first sector of its range
 * @nr_sects: length of its range; 0: a flush, nothing to remember
 * @seq: its seq
 */
void rblk_lack_missed(struct rblk_lack *lack, u8 volume, u64 sector,
		      u64 nr_sects, u64 seq);

/**
 * rblk_lack_applied - an operation leaves the log that the peer applied
 * @lack: of that peer
 * @volume: id of the volume
 * @sector: first sector of its range
 * @nr_sects: length of its range
 * @seq: its seq
 */
void rblk_lack_applied(struct rblk_lack *lack, u8 volume, u64 sector,
		       u64 nr_sects, u64 seq);

/**
 * rblk_lack_recorded - the peer's metadata says that all up to @seq is durable
 * @lack: of that peer
 * @seq: the position; going back is no news
 */
void rblk_lack_recorded(struct rblk_lack *lack, u64 seq);

/**
 * rblk_lack_returned - the peer comes back with a position
 * @lack: of that peer; @seq is at least rblk_lack_base()
 * @seq: its position
 * @consistent: its data is whole, not in the middle of being overwritten
 *
 * What it had applied and may have lost again, it lacks; most of that is still
 * there, and all of it in blocks that were written in part. If its data is whole and
 * everything in @lacks is part of it, it lacks nothing: its acknowledgments
 * were lost, or it got the data elsewhere.
 */
void rblk_lack_returned(struct rblk_lack *lack, u64 seq, bool consistent);

/**
 * rblk_lack_begin - its blocks are being overwritten out of order from now on
 * @lack: of that peer
 * @seq: the position that it will have at the end, at least
 * @gen: generation of this node: the last term of the peer's history from now on
 * @everything: nothing is known of its data: it lacks every block, as far as it
 *	does not turn out to be equal
 */
void rblk_lack_begin(struct rblk_lack *lack, u64 seq, u64 gen, bool everything);

/**
 * rblk_lack_end - all is confirmed; its data is whole again
 * @lack: of that peer
 */
void rblk_lack_end(struct rblk_lack *lack);

/**
 * rblk_lack_confirmed - the peer has this node's data of a range, durably
 * @lack: of that peer
 * @volume: id of the volume
 * @sector: first sector of the range
 * @nr_sects: its length
 *
 * Return: false when some of it stays in for want of memory.
 */
bool rblk_lack_confirmed(struct rblk_lack *lack, u8 volume, u64 sector,
			 u64 nr_sects);

/**
 * rblk_lack_touches - may the peer lack, or lose again, anything in a range?
 * @lack: of that peer
 * @volume: id of the volume
 * @sector: first sector of the range
 * @nr_sects: its length
 */
bool rblk_lack_touches(const struct rblk_lack *lack, u8 volume, u64 sector,
		       u64 nr_sects);

/**
 * rblk_lack_sects - how much the peer lacks
 * @lack: of that peer
 *
 * Return: sectors of blocks in @lacks, over all volumes.
 */
u64 rblk_lack_sects(const struct rblk_lack *lack);

/**
 * rblk_lack_undurable_sects - how much the peer may lose again
 * @lack: of that peer
 *
 * Return: sectors of blocks in @undurable, over all volumes; those in both of
 * the sets count twice.
 */
u64 rblk_lack_undurable_sects(const struct rblk_lack *lack);

/**
 * rblk_lack_bytes - memory that the sets take
 * @lack: of that peer
 */
u64 rblk_lack_bytes(const struct rblk_lack *lack);

#endif /* RBLK_CORE_LACK_H */

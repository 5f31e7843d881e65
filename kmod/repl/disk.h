/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk.h - the disk below a volume, and what becomes of it when it fails.
 *
 *             write or read fails, peers have the data
 *   OK, used ------------------------------------------> FAILED, away
 *      |      a write fails, and no peer can step in
 *      +-----------------------------------------------> FAILED, used
 *
 *   FAILED, DETACHED -- another one --> below a backup: OK, the data inconsistent
 *                                       below a primary: FILLING, away --> OK
 *
 * A disk that is away gets no more requests: the peers that are level carry the
 * volume. The last copy is not thrown away: where no peer has it all, the disk
 * stays in use, the application gets the error, and the node never calls the
 * data good again. A disk that is FILLING gets what is written and is not read:
 * see refill.h. Nothing that once failed is trusted in anything: a disk
 * becomes OK again only by getting every block anew.
 */
#ifndef RBLK_REPL_DISK_H
#define RBLK_REPL_DISK_H

#include <linux/blk_types.h>

#include "../volume.h"

/**
 * rblk_disk_is_away - the volume's data is found at peers only
 * @volume: any; a glance unless the log's lock is held
 */
static inline bool rblk_disk_is_away(const struct rblk_volume *volume)
{
	return READ_ONCE(volume->away);
}

/**
 * rblk_disk_is_good - nothing that it was to store ever failed
 * @volume: any; a glance unless the log's lock is held
 */
static inline bool rblk_disk_is_good(const struct rblk_volume *volume)
{
	return READ_ONCE(volume->disk_state) == RBLK_DISK_OK;
}

/**
 * rblk_disk_takes_writes - is what is written sent to the disk?
 * @volume: any; a glance unless the log's lock is held
 */
static inline bool rblk_disk_takes_writes(const struct rblk_volume *volume)
{
	return !rblk_disk_is_away(volume) ||
	       READ_ONCE(volume->disk_state) == RBLK_DISK_FILLING;
}

/**
 * rblk_disk_any_bad - has a volume a disk that is not good?
 * @res: the resource; a glance unless the log's lock is held
 */
bool rblk_disk_any_bad(struct rblk_resource *res);

/**
 * rblk_disk_any_away - is the data of a volume found at peers only?
 * @res: the resource; a glance unless the log's lock is held
 */
bool rblk_disk_any_away(struct rblk_resource *res);

/**
 * rblk_disk_failed_locked - a request to the disk failed
 * @volume: of a resource whose log lock is held
 * @op: of the request
 * @sector: its first, counted from the data's start
 * @status: what the disk said
 *
 * Queues the volume's disk_work. Context: any.
 */
void rblk_disk_failed_locked(struct rblk_volume *volume, enum req_op op,
			     u64 sector, blk_status_t status);

/**
 * rblk_disk_hangs_locked - a request to the disk takes too long
 * @volume: of a resource whose log lock is held
 *
 * As rblk_disk_failed_locked(), but for a last copy: that is waited for.
 *
 * Return: true when the disk is given up, now or before.
 */
bool rblk_disk_hangs_locked(struct rblk_volume *volume);

#endif /* RBLK_REPL_DISK_H */

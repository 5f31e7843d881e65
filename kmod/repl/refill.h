/* SPDX-License-Identifier: GPL-2.0 */
/*
 * refill.h - a new disk below a primary gets every block from a peer.
 *
 *   lock a range -> READ from a peer that is level -> write here -> unlock -> next
 *
 * The application goes on meanwhile: it reads from peers, and what it writes
 * goes to them and to this disk. A range is not written by both at once, and a
 * READ comes after all that was reported: so what is copied is what the volume
 * holds. Without a peer that is level it waits. The disk counts as nothing until
 * all of it is there: whatever ends a refill early, a full copy is due.
 */
#ifndef RBLK_REPL_REFILL_H
#define RBLK_REPL_REFILL_H

#include <linux/bio.h>
#include <linux/workqueue.h>

#include "write.h"

#define RBLK_REFILL_PAGES	64	/* of one chunk */

struct rblk_refill_buf;

enum rblk_refill_step {
	RBLK_REFILL_IDLE,	/* no chunk is under way */
	RBLK_REFILL_LOCK,	/* its range is to be locked */
	RBLK_REFILL_READING,
	RBLK_REFILL_READ,
	RBLK_REFILL_WRITING,
	RBLK_REFILL_WRITTEN,
};

/**
 * struct rblk_refill - see above; all of it is the work's, and its bio's
 * @work: takes the next step
 * @complete: everything is there, or this node is primary no more; false: call it
 *	again, soon
 * @next: first sector that is not copied
 * @step: of the chunk under way; this and the next two: the log's lock, to others
 * @since_ns: when its write was submitted, CLOCK_MONOTONIC
 * @orphan: the disk was given up and still has it: its range is unlocked
 * @buf: its pages, and the bio
 * @range: its range; @waiter waits for it
 * @waiter: see @range
 */
struct rblk_refill {
	struct delayed_work work;
	bool (*complete)(struct rblk_volume *volume);
	u64 next;
	enum rblk_refill_step step;
	u64 since_ns;
	bool orphan;
	struct rblk_refill_buf *buf;
	struct rblk_range range;
	struct rblk_waiter waiter;
};

/** rblk_refill_init - none is under way; @refill is in a volume */
void rblk_refill_init(struct rblk_refill *refill);

/**
 * rblk_refill_prepare - get what it needs
 * @refill: not under way
 *
 * Return: 0 or -ENOMEM.
 */
int rblk_refill_prepare(struct rblk_refill *refill);

/**
 * rblk_refill_start - begin with the first block
 * @volume: prepared; its disk is FILLING
 * @complete: see struct rblk_refill; in process context, may sleep
 */
void rblk_refill_start(struct rblk_volume *volume,
		       bool (*complete)(struct rblk_volume *volume));

/**
 * rblk_refill_stop - end it
 * @refill: of a volume whose disk is FILLING no more, or that lets nothing in,
 *	and that is drained; harmless when none is under way
 *
 * Not from @complete.
 */
void rblk_refill_stop(struct rblk_refill *refill);

/**
 * rblk_refill_waits_locked - does the disk owe the end of a chunk's write?
 * @volume: its resource's log lock is held
 * @since_ns: submitted before that, CLOCK_MONOTONIC
 */
bool rblk_refill_waits_locked(const struct rblk_volume *volume, u64 since_ns);

/**
 * rblk_refill_orphan_locked - nobody waits for that write any more
 * @volume: its resource's log lock is held; its disk was given up
 */
void rblk_refill_orphan_locked(struct rblk_volume *volume);

#endif /* RBLK_REPL_REFILL_H */

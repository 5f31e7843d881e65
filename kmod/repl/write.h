/* SPDX-License-Identifier: GPL-2.0 */
/*
 * write.h - the life of one write on the primary.
 *
 *   admitted -> in the log, range locked; local leg and peer legs in parallel
 *            -> on the local disk: others may read the range
 *            -> reported to the application (the policy is content)
 *            -> applied by every streaming peer -> trimmed and freed
 *
 * A write may be held before it is admitted: by the gate, by a full log, or
 * by an overlapping range in flight.
 */
#ifndef RBLK_REPL_WRITE_H
#define RBLK_REPL_WRITE_H

#include <linux/bio.h>
#include <linux/ktime.h>

#include "log.h"
#include "../core/extent.h"

struct rblk_resource;
struct rblk_volume;

/**
 * struct rblk_waiter - somebody who waits for a range to become free
 * @link: in the range's list of waiters
 * @wake: called under the log's lock when the range is free; not under any
 *	promise that it stays so
 * @reads: it reads the range only: it shares it with others that do, and with
 *	writes that the local disk has
 */
struct rblk_waiter {
	struct list_head link;
	bool reads;
	void (*wake)(struct rblk_waiter *waiter);
};

/**
 * struct rblk_range - a locked range of a volume
 * @extent: in the volume's set while locked
 * @waiters: of struct rblk_waiter; protected by the log's lock
 */
struct rblk_range {
	struct rblk_extent extent;
	struct list_head waiters;
};

#define RBLK_LOCAL_VECS	4	/* a copy of so many pages needs no own bio */

/**
 * struct rblk_write - one operation
 * @link: in the log's held list, or on its way to be freed
 * @flush_link: a FLUSH: in the log's list of them until it is reported
 * @waiter: when it waits for a range
 * @range: its own, locked from admission until it is reported
 * @volume: where it writes
 * @bio: the application's; NULL once reported
 * @bvec: its data's pages: the application's or, if @copy, ours
 * @iter: its data's place in @bvec
 * @copy: the bio that holds a copy of the data; NULL when not copied
 * @kept: a copy that was made when a link was lost, for when it comes back
 * @seq: place in the order
 * @dep: highest seq reported when it was admitted
 * @gen: generation it was written in
 * @admit_ns: when, CLOCK_MONOTONIC
 * @start_jiffies: for iostat
 * @state: how far it is; its masks are of peers
 * @op: enum rblk_op
 * @flags: of its frame
 * @reported: told to the application
 * @reserved: its copy's bytes are counted in the log
 * @in_disk: the backing device has it, or had
 * @orphan: the device was given up and still has it; nobody waits for that
 * @left: an orphan left the log: freed when it ends
 * @active: it is a user of its extents in the activity log
 * @status: of the local leg
 * @zeroes_work: for a backing device that cannot zero by itself after all
 * @local: the local leg, but for a long copy
 * @local_vec: pages of a short copy
 */
struct rblk_write {
	struct list_head link;
	struct list_head flush_link;
	struct rblk_waiter waiter;
	struct rblk_range range;
	struct rblk_volume *volume;
	struct bio *bio;
	struct bio_vec *bvec;
	struct bvec_iter iter;
	struct bio *copy;
	struct bio *kept;
	u64 seq;
	u64 dep;
	u64 gen;
	u64 admit_ns;
	unsigned long start_jiffies;
	struct rblk_ack_state state;
	u8 op;
	u16 flags;
	bool reported;
	bool reserved;
	bool active;
	bool in_disk;
	bool orphan;
	bool left;
	blk_status_t status;
	struct work_struct zeroes_work;
	struct bio local;
	struct bio_vec local_vec[RBLK_LOCAL_VECS];
};

/** rblk_write_init - the module's pools; Return: 0 or -ENOMEM */
int rblk_write_init(void);

/** rblk_write_exit - give the pools back */
void rblk_write_exit(void);

/**
 * rblk_write_alloc - memory for a write
 *
 * Context: process; may wait, but never for ever.
 * Return: zeroed, in no list.
 */
struct rblk_write *rblk_write_alloc(void);

/**
 * rblk_write_free - give it back, its copy included
 * @write: in no list
 */
void rblk_write_free(struct rblk_write *write);

/**
 * rblk_write_alloc_copy - a bio for a copy of its data
 * @write: not in the log
 * @nr_vecs: room for so many pages, which it does not have yet
 * @gfp: how to look for memory
 *
 * Return: the bio, or NULL when @gfp does not let it wait.
 */
struct bio *rblk_write_alloc_copy(const struct rblk_write *write,
				  unsigned int nr_vecs, gfp_t gfp);

/**
 * rblk_write_end_local - the local leg has ended
 * @write: in the log
 * @status: how
 *
 * Context: any.
 */
void rblk_write_end_local(struct rblk_write *write, blk_status_t status);

/** rblk_write_local_endio - the same, as the end of a bio whose private it is */
void rblk_write_local_endio(struct bio *clone);

/**
 * rblk_write_acked - a peer acknowledged
 * @res: the resource
 * @node: id of the peer
 * @ack: decoded, in itself consistent
 *
 * Return: NULL, or why the peer cannot be telling the truth.
 */
const char *rblk_write_acked(struct rblk_resource *res, u8 node,
			     const struct rblk_ack *ack);

/**
 * rblk_write_rejudge - judge every operation again, after the policy changed
 * @res: the resource
 *
 * What was held before it came in is tried again as well.
 */
void rblk_write_rejudge(struct rblk_resource *res);

/**
 * rblk_write_keep - a link is lost: copy and keep what its peer has not applied
 * @res: the resource
 * @node: id of the peer, still streaming, but nobody sends or receives
 *
 * So that the log can send it when the peer comes back. If not all of it can be
 * copied at once, none is kept. The caller judges all operations afterwards.
 *
 * Context: process; does not wait.
 */
void rblk_write_keep(struct rblk_resource *res, u8 node);

/**
 * rblk_write_give_way - memory is short: keep nothing for peers that are away
 * @res: the resource
 *
 * What was kept is remembered as what they lack.
 *
 * Context: any.
 */
void rblk_write_give_way(struct rblk_resource *res);

/**
 * rblk_range_lock - lock a range of a volume, or wait for it
 * @volume: of a resource whose log lock is held
 * @range: not locked
 * @sector: first
 * @nr_sects: > 0
 * @waiter: enlisted when the range is taken; says whether it may be shared
 *
 * Return: true when locked.
 */
bool rblk_range_lock(struct rblk_volume *volume, struct rblk_range *range,
		     u64 sector, u64 nr_sects, struct rblk_waiter *waiter);

/**
 * rblk_range_share - let others read the range, and wake those who wait for that
 * @volume: of a resource whose log lock is held
 * @range: locked
 */
void rblk_range_share(struct rblk_volume *volume, struct rblk_range *range);

/**
 * rblk_range_unlock - unlock, and wake who waits
 * @volume: of a resource whose log lock is held
 * @range: locked
 */
void rblk_range_unlock(struct rblk_volume *volume, struct rblk_range *range);

#endif /* RBLK_REPL_WRITE_H */

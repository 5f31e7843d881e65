/* SPDX-License-Identifier: GPL-2.0 */
/*
 * apply.h - a backup carries out what its primary sent.
 *
 * Operations wait in the order they came. The first of them starts when
 * everything it depends on is applied and no range in flight overlaps its own;
 * dependencies only grow along the order, so nothing behind it could start
 * earlier. What has been received is applied even when the link is lost: it may
 * have been acknowledged.
 */
#ifndef RBLK_REPL_APPLY_H
#define RBLK_REPL_APPLY_H

#include <linux/bio.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../core/durable.h"
#include "../core/extent.h"
#include "../core/order.h"
#include "../core/recent.h"
#include "../core/wire.h"
#include "../store/super.h"

struct rblk_apply;
struct rblk_volume;

#define RBLK_APPLY_WINDOW	65536		/* operations not yet applied */
#define RBLK_APPLY_BYTES_MAX	(32U << 20)	/* data not yet applied */
#define RBLK_RECORD_SECTS	(16U << 11)	/* until a flush is recorded */
#define RBLK_RECORD_OP_SECTS	8U		/* an operation counts as that many */

/**
 * struct rblk_applier_ops - how the applier reports
 * @progress: something was received or applied and should be acknowledged;
 *	any context
 * @room: the data in flight fell below its bound, or all is applied; any context
 * @copied: resync data was applied; any context
 * @answer: a READ is through; it belongs to whom it is given to, who frees it;
 *	any context
 * @failed: a request to a backing device failed; sectors count from the data's
 *	start; any context
 */
struct rblk_applier_ops {
	void (*progress)(void *owner);
	void (*room)(void *owner);
	void (*copied)(void *owner, void *token);
	void (*answer)(void *owner, struct rblk_apply *apply);
	void (*failed)(void *owner, struct rblk_volume *volume, enum req_op op,
		       u64 sector, blk_status_t status);
};

/**
 * struct rblk_applier - a resource's backup side
 * @lock: protects everything below; taken with interrupts off; inside the
 *	log's lock
 * @order: what may start, what is applied
 * @waiting: received, not started; of struct rblk_apply
 * @extents: per volume, of operations that started
 * @epoch: counts restarts: an operation of an earlier one is refused
 * @bytes: data received and not yet applied
 * @nr_pending: operations received and not yet finished
 * @covered: what is durable, by volume
 * @durable: highest seq known to be durable
 * @recorded: highest seq that every volume's metadata says; U64_MAX without
 *	metadata
 * @received_sects: ever received; an operation is RBLK_RECORD_OP_SECTS at least
 * @recent: where the last operations went
 * @full: @room is owed
 * @failed: a backing device failed: nothing more is applied
 * @start_work: starts what became ready
 * @idle: woken when @nr_pending falls to 0
 * @ops: how it reports
 * @owner: to whom
 */
struct rblk_applier {
	spinlock_t lock; /* see @lock above */
	struct rblk_order order;
	struct list_head waiting;
	struct rblk_extents *extents;
	u32 epoch;
	u32 bytes;
	u32 nr_pending;
	struct rblk_durable covered;
	u64 durable;
	u64 recorded;
	u64 received_sects;
	struct rblk_recent recent;
	bool full;
	bool failed;
	struct work_struct start_work;
	wait_queue_head_t idle;
	const struct rblk_applier_ops *ops;
	void *owner;
};

/**
 * struct rblk_apply - one received operation
 * @link: in the applier's waiting list
 * @applier: whose it is
 * @volume: where it goes
 * @extent: its range
 * @epoch: the applier's that it belongs to
 * @seq: 0 for resync data, which is outside the order
 * @dep: may start when everything up to here is applied
 * @op: enum rblk_op
 * @flags: of its frame
 * @gen: generation of the primary that sent it
 * @logged: what that told of its activity log
 * @floor: FLUSH and FUA: what was applied when it started
 * @records: FLUSH: it leaves the position on the disk, by @flush
 * @flush: for that
 * @token: resync data: for @copied of the ops; kmalloc'd
 * @recorded: FLUSH with @token: called when @flush succeeded; any context
 * @inspect: instead of writing @bio, read it, and call this with what is there;
 *	in process context
 * @is_read: a READ: instead of writing @bio, read it, for @answer of the ops
 * @read_id: its name on the link
 * @zeroes_work: zeroing where the device cannot; @inspect
 * @bio: its data; last, the bio set's front pad
 */
struct rblk_apply {
	struct list_head link;
	struct rblk_applier *applier;
	struct rblk_volume *volume;
	struct rblk_extent extent;
	u32 epoch;
	u64 seq;
	u64 dep;
	u8 op;
	u16 flags;
	u64 gen;
	u64 logged;
	u64 floor;
	bool records;
	struct rblk_super_flush flush;
	void *token;
	void (*recorded)(struct rblk_apply *apply);
	void (*inspect)(struct rblk_apply *apply);
	bool is_read;
	u64 read_id;
	struct work_struct zeroes_work;
	struct bio bio;
};

/** rblk_apply_init - the module's pools; Return: 0 or -ENOMEM */
int rblk_apply_init(void);

/** rblk_apply_exit - give the pools back */
void rblk_apply_exit(void);

/**
 * rblk_applier_create - an applier that has everything <= 0
 * @applier: zeroed
 * @ops: how it reports
 * @owner: passed to @ops
 *
 * Return: 0 or -ENOMEM.
 */
int rblk_applier_create(struct rblk_applier *applier,
			const struct rblk_applier_ops *ops, void *owner);

/**
 * rblk_applier_destroy - free what it holds
 * @applier: idle; harmless on one that was never created
 */
void rblk_applier_destroy(struct rblk_applier *applier);

/**
 * rblk_applier_restart - expect operations after @seq
 * @applier: idle
 * @seq: position of this node's data
 * @volatiles: bit mask of the volumes whose device has a volatile cache
 *
 * Return: the new epoch, for operations to come.
 */
u32 rblk_applier_restart(struct rblk_applier *applier, u64 seq, u64 volatiles);

/**
 * rblk_applier_go_on - as rblk_applier_restart(), with the same data as before
 * @applier: idle; where the last operations went is still true
 * @seq: position of this node's data
 * @volatiles: bit mask of the volumes whose device has a volatile cache
 *
 * Return: the new epoch, for operations to come.
 */
u32 rblk_applier_go_on(struct rblk_applier *applier, u64 seq, u64 volatiles);

/**
 * rblk_applier_remember - keep from now on where the last operations went
 * @applier: any; harmless if it does already
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int rblk_applier_remember(struct rblk_applier *applier);

/**
 * rblk_applier_remembers - is it known where the last operations went?
 * @applier: idle
 * @from: those above this position,
 * @seq: up to that of this node's data, which is consistent
 */
bool rblk_applier_remembers(struct rblk_applier *applier, u64 from, u64 seq);

/** rblk_applier_spans - see rblk_recent_spans(); any context */
int rblk_applier_spans(struct rblk_applier *applier, u8 volume, u64 *seq,
		       struct rblk_span *span, int max);

/**
 * rblk_applier_recall - what a peer may lack of what came here last
 * @applier: idle since this node took over, and it remembered then
 * @seq: position of the peer, which has a prefix of this node's data
 * @lack: memory of the peer; the log's lock is held
 */
void rblk_applier_recall(struct rblk_applier *applier, u64 seq,
			 struct rblk_lack *lack);

/** rblk_applier_is_idle - nothing received is unapplied */
bool rblk_applier_is_idle(struct rblk_applier *applier);

/**
 * rblk_applier_has_room - may more data be read from the socket?
 * @applier: after false, ops->room is called once there is
 */
bool rblk_applier_has_room(struct rblk_applier *applier);

/**
 * rblk_applier_fill_ack - the positions and the selective acks
 * @applier: any
 * @ack: filled
 */
void rblk_applier_fill_ack(struct rblk_applier *applier, struct rblk_ack *ack);

/**
 * rblk_apply_alloc - room for an operation and its data
 * @applier: whose it will be
 * @volume: where it goes
 * @frame: checked: its range lies within @volume
 * @epoch: of the applier when whoever sent this began to be followed
 *
 * Context: process, may wait for memory.
 * Return: the operation; its bio has pages for @frame->length bytes.
 */
struct rblk_apply *rblk_apply_alloc(struct rblk_applier *applier,
				    struct rblk_volume *volume,
				    const struct rblk_frame *frame, u32 epoch);

/** rblk_apply_free - free an operation that was not submitted, or a READ's */
void rblk_apply_free(struct rblk_apply *apply);

/**
 * rblk_apply_submit - the operation is complete: start it, now or in its turn
 * @apply: allocated, data in place; no longer the caller's
 *
 * Return: 0; -EINVAL or -ENOSPC as rblk_order_receive(), -ESTALE when the
 * applier was restarted since (then it is freed).
 */
int rblk_apply_submit(struct rblk_apply *apply);

#endif /* RBLK_REPL_APPLY_H */

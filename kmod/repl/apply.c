// SPDX-License-Identifier: GPL-2.0
/*
 * apply.c - a backup carries out what its primary sent.
 */
#include <linux/blkdev.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "apply.h"
#include "keep.h"
#include "../core/actlog.h"
#include "../fault.h"
#include "../resource.h"
#include "../store/pages.h"
#include "../trace.h"
#include "../volume.h"

#define POOL_APPLIES	64

static struct bio_set apply_bios;

/*
 * Not the queue of the pumps: when memory is short each queue has one thread
 * for certain, and a receiving pump may wait in it for pages that come back
 * only once an operation that waits is started.
 */
static struct workqueue_struct *starters;

int rblk_apply_init(void)
{
	int err;

	starters = alloc_workqueue("rblk_apply", WQ_MEM_RECLAIM | WQ_HIGHPRI, 0);
	if (!starters)
		return -ENOMEM;
	err = bioset_init(&apply_bios, POOL_APPLIES,
			  offsetof(struct rblk_apply, bio), BIOSET_NEED_BVECS);
	if (err)
		destroy_workqueue(starters);
	return err;
}

void rblk_apply_exit(void)
{
	bioset_exit(&apply_bios);
	destroy_workqueue(starters);
}

/* @remember: what becomes of the places of the last operations */
static u32 restart(struct rblk_applier *applier, u64 seq, u64 volatiles,
		   void (*remember)(struct rblk_recent *recent, u64 seq))
{
	unsigned long irq;
	u32 epoch;

	spin_lock_irqsave(&applier->lock, irq);
	WARN_ON_ONCE(applier->nr_pending);
	rblk_order_init(&applier->order, applier->order.done,
			RBLK_APPLY_WINDOW, seq);
	rblk_durable_restart(&applier->covered, seq, volatiles);
	applier->durable = rblk_durable_position(&applier->covered, seq);
	/* A node with a disk that is not good follows nobody: see core/plan.c. */
	applier->failed = false;
	remember(&applier->recent, seq);
	epoch = ++applier->epoch;
	spin_unlock_irqrestore(&applier->lock, irq);
	return epoch;
}

u32 rblk_applier_restart(struct rblk_applier *applier, u64 seq, u64 volatiles)
{
	return restart(applier, seq, volatiles, rblk_recent_restart);
}

u32 rblk_applier_go_on(struct rblk_applier *applier, u64 seq, u64 volatiles)
{
	return restart(applier, seq, volatiles, rblk_recent_go_on);
}

int rblk_applier_remember(struct rblk_applier *applier)
{
	struct rblk_recent_op *op;

	if (applier->recent.op)
		return 0;
	op = kvcalloc(RBLK_RECENT_OPS, sizeof(*op), GFP_KERNEL);
	if (!op)
		return -ENOMEM;
	spin_lock_irq(&applier->lock);
	applier->recent.op = op;
	rblk_recent_restart(&applier->recent, applier->order.received);
	spin_unlock_irq(&applier->lock);
	return 0;
}

bool rblk_applier_remembers(struct rblk_applier *applier, u64 from, u64 seq)
{
	unsigned long irq;
	bool remembers;

	spin_lock_irqsave(&applier->lock, irq);
	remembers = rblk_recent_remembers(&applier->recent, from, seq);
	spin_unlock_irqrestore(&applier->lock, irq);
	return remembers;
}

int rblk_applier_spans(struct rblk_applier *applier, u8 volume, u64 *seq,
		       struct rblk_span *span, int max)
{
	unsigned long irq;
	int nr;

	spin_lock_irqsave(&applier->lock, irq);
	nr = rblk_recent_spans(&applier->recent, volume, seq, span, max);
	spin_unlock_irqrestore(&applier->lock, irq);
	return nr;
}

void rblk_applier_recall(struct rblk_applier *applier, u64 seq,
			 struct rblk_lack *lack)
{
	unsigned long irq;

	spin_lock_irqsave(&applier->lock, irq);
	rblk_recent_recall(&applier->recent, seq, lack);
	spin_unlock_irqrestore(&applier->lock, irq);
}

bool rblk_applier_is_idle(struct rblk_applier *applier)
{
	return !READ_ONCE(applier->nr_pending);
}

bool rblk_applier_has_room(struct rblk_applier *applier)
{
	unsigned long irq;
	bool room;

	if (READ_ONCE(applier->bytes) < RBLK_APPLY_BYTES_MAX)
		return true;
	spin_lock_irqsave(&applier->lock, irq);
	room = applier->bytes < RBLK_APPLY_BYTES_MAX;
	applier->full = !room;
	spin_unlock_irqrestore(&applier->lock, irq);
	return room;
}

void rblk_applier_fill_ack(struct rblk_applier *applier, struct rblk_ack *ack)
{
	unsigned long irq;

	spin_lock_irqsave(&applier->lock, irq);
	ack->received = applier->order.received;
	ack->applied = applier->order.applied;
	ack->durable = applier->durable;
	/* As much of it as this node would know after a crash. */
	ack->recorded = min(applier->durable, applier->recorded);
	if (rblk_fault(RBLK_FAULT_ACK_RECEIVED))
		ack->applied = ack->received;
	ack->nr_ranges = rblk_order_selective(&applier->order, ack->range,
					      RBLK_WIRE_RANGES_MAX);
	spin_unlock_irqrestore(&applier->lock, irq);
}

void rblk_apply_free(struct rblk_apply *apply)
{
	kfree(apply->token);
	rblk_pages_free(&apply->bio);
	bio_put(&apply->bio);
}

static blk_opf_t bio_flags(const struct rblk_frame *frame)
{
	blk_opf_t opf;

	switch (frame->op) {
	case RBLK_OP_DISCARD:
		return REQ_OP_WRITE_ZEROES;
	case RBLK_OP_WRITE_ZEROES:
		opf = REQ_OP_WRITE_ZEROES;
		if (frame->flags & RBLK_FRAME_ZEROES_NOUNMAP)
			opf |= REQ_NOUNMAP;
		return opf;
	case RBLK_OP_FLUSH:
		return REQ_OP_WRITE | REQ_PREFLUSH;
	default:
		opf = REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;
		if (frame->flags & RBLK_FRAME_FUA &&
		    !rblk_fault(RBLK_FAULT_NO_FUA))
			opf |= REQ_FUA;
		if (frame->flags & RBLK_FRAME_PREFLUSH)
			opf |= REQ_PREFLUSH;
		return opf;
	}
}

struct rblk_apply *rblk_apply_alloc(struct rblk_applier *applier,
				    struct rblk_volume *volume,
				    const struct rblk_frame *frame, u32 epoch)
{
	struct rblk_apply *apply;
	struct bio *bio;

	bio = bio_alloc_bioset(volume->backing.bdev,
			       DIV_ROUND_UP(frame->length, PAGE_SIZE),
			       bio_flags(frame), GFP_NOIO, &apply_bios);
	apply = container_of(bio, struct rblk_apply, bio);
	memset(apply, 0, offsetof(struct rblk_apply, bio));
	apply->applier = applier;
	apply->volume = volume;
	apply->epoch = epoch;
	apply->extent.sector = frame->sector;
	apply->extent.nr_sects = frame->nr_sects;
	apply->seq = frame->seq;
	apply->dep = frame->dep;
	apply->op = frame->op;
	apply->flags = frame->flags;
	apply->gen = frame->gen;
	apply->logged = frame->logged;
	bio->bi_iter.bi_sector = frame->sector;
	if (frame->op == RBLK_OP_WRITE)
		rblk_pages_fill(bio, frame->length, RBLK_PAGES_APPLY);
	else
		bio->bi_iter.bi_size = frame->nr_sects << SECTOR_SHIFT;
	return apply;
}

static struct rblk_extents *extents_of(struct rblk_apply *apply)
{
	return &apply->applier->extents[apply->volume->id];
}

/*
 * Does a flush leave the position on the disk? That of a resync always does, for
 * its trace; another when enough came since the last one, or when the primary's
 * activity log went on. One that only flushes costs no write.
 */
static bool begin_record_locked(struct rblk_apply *apply)
{
	struct rblk_volume *volume = apply->volume;
	u64 received_sects = apply->applier->received_sects;

	if (apply->op != RBLK_OP_FLUSH || !volume->super)
		return false;
	if (apply->seq &&
	    received_sects - volume->recorded_sects < RBLK_RECORD_SECTS &&
	    volume->seen.gen == volume->recorded_seen.gen &&
	    volume->seen.serial == volume->recorded_seen.serial)
		return false;
	volume->recorded_sects = received_sects;
	volume->recorded_seen = volume->seen;
	return true;
}

/* Take the operations off @waiting that may start now. */
static void pick_ready_locked(struct rblk_applier *applier,
			      struct list_head *ready)
{
	struct rblk_apply *apply, *tmp;

	lockdep_assert_held(&applier->lock);
	list_for_each_entry_safe(apply, tmp, &applier->waiting, link) {
		/* Once one failed, what depends on it only fails as well. */
		if (!rblk_order_may_start(&applier->order, apply->dep) &&
		    !applier->failed && !rblk_fault(RBLK_FAULT_NO_DEP_KEPT))
			break;
		if (rblk_extents_find(extents_of(apply), apply->extent.sector,
				      apply->extent.nr_sects) &&
		    !rblk_fault(RBLK_FAULT_NO_HOLD))
			break;
		if (apply->extent.nr_sects)
			rblk_extents_insert(extents_of(apply), &apply->extent);
		apply->floor = applier->order.applied;
		apply->flush.seen = apply->volume->seen;
		apply->records = begin_record_locked(apply);
		if (!apply->volume->applying++)
			apply->volume->applying_ns = ktime_get_ns();
		list_move_tail(&apply->link, ready);
	}
}

/* What @apply, which succeeded, makes durable, or leaves to a flush. */
static void note_durable_locked(struct rblk_applier *applier,
				const struct rblk_apply *apply)
{
	struct rblk_durable *covered = &applier->covered;
	u64 applied = applier->order.applied;
	bool is_flush = apply->op == RBLK_OP_FLUSH;

	if (apply->volume->backing.volatile_cache) {
		if (is_flush || apply->flags & RBLK_FRAME_PREFLUSH)
			rblk_durable_flushed(covered, apply->volume->id,
					     apply->floor);
		if (apply->seq && !is_flush &&
		    !(apply->flags & RBLK_FRAME_FUA))
			rblk_durable_written(covered, apply->volume->id,
					     apply->seq, applied);
	}
	applier->durable = rblk_durable_position(covered, applied);
}

static void *take_token(struct rblk_apply *apply)
{
	void *token = apply->token;

	apply->token = NULL;
	return token;
}

/* What was in flight leaves. Return: @room is due. */
static bool release_locked(struct rblk_apply *apply)
{
	struct rblk_applier *applier = apply->applier;

	rblk_extents_remove(extents_of(apply), &apply->extent);
	apply->volume->applying--;
	apply->volume->applying_ns = ktime_get_ns();
	applier->bytes -= apply->op == RBLK_OP_WRITE ?
			  apply->extent.nr_sects << SECTOR_SHIFT : 0;
	if (!applier->full || applier->bytes >= RBLK_APPLY_BYTES_MAX / 2)
		return false;
	applier->full = false;
	return true;
}

/* Return: nothing is pending any more. */
static bool leave_locked(struct rblk_applier *applier)
{
	if (--applier->nr_pending)
		return false;
	wake_up_all(&applier->idle);
	return true;
}

static void finish(struct rblk_apply *apply, blk_status_t status)
{
	struct rblk_applier *applier = apply->applier;
	bool room, idle, more;
	unsigned long irq;

	trace_rblk_apply_end(apply->volume->res->name, apply->volume->id,
			     apply->seq, apply->op, apply->extent.sector,
			     apply->extent.nr_sects << SECTOR_SHIFT,
			     blk_status_to_errno(status));
	/* Destroying an idle applier waits for us to be through with it. */
	rcu_read_lock();
	spin_lock_irqsave(&applier->lock, irq);
	room = release_locked(apply);
	if (status)
		applier->failed = true;
	else if (apply->seq)
		rblk_order_applied(&applier->order, apply->seq);
	if (!status) {
		note_durable_locked(applier, apply);
		if (apply->records)
			rblk_keep_recorded(apply->volume, apply->floor);
	}
	idle = leave_locked(applier);
	more = !list_empty(&applier->waiting);
	spin_unlock_irqrestore(&applier->lock, irq);

	if (status)
		applier->ops->failed(applier->owner, apply->volume,
				     apply->inspect ? REQ_OP_READ :
						      REQ_OP_WRITE,
				     apply->extent.sector, status);
	else if (apply->token)
		applier->ops->copied(applier->owner, take_token(apply));
	else
		applier->ops->progress(applier->owner);
	if (room || idle)
		applier->ops->room(applier->owner);
	if (more)
		queue_work(starters, &applier->start_work);
	rcu_read_unlock();
	rblk_apply_free(apply);
}

/*
 * A READ is through. Its answer is on its way before the applier counts as idle:
 * what is agreed on then comes after it in the stream.
 */
static void finish_read(struct rblk_apply *apply, blk_status_t status)
{
	struct rblk_applier *applier = apply->applier;
	bool room, idle, more;
	unsigned long irq;

	rcu_read_lock();
	spin_lock_irqsave(&applier->lock, irq);
	room = release_locked(apply);
	spin_unlock_irqrestore(&applier->lock, irq);
	apply->bio.bi_status = status;
	applier->ops->answer(applier->owner, apply);

	spin_lock_irqsave(&applier->lock, irq);
	idle = leave_locked(applier);
	more = !list_empty(&applier->waiting);
	spin_unlock_irqrestore(&applier->lock, irq);
	if (room || idle)
		applier->ops->room(applier->owner);
	if (more)
		queue_work(starters, &applier->start_work);
	rcu_read_unlock();
}

static void read_endio(struct bio *bio)
{
	finish_read(bio->bi_private, bio->bi_status);
}

static void flush_done(struct rblk_super_flush *flush, blk_status_t status)
{
	struct rblk_apply *apply = container_of(flush, struct rblk_apply,
						flush);

	if (apply->recorded && !status)
		apply->recorded(apply);
	finish(apply, status);
}

/* Return: there is nothing left to do for @apply. */
static bool make_mistake(struct rblk_apply *apply, bool zeroes)
{
	struct bio *bio = &apply->bio;

	if (zeroes)
		return rblk_fault(RBLK_FAULT_LOSE_ZEROES);
	if (apply->op != RBLK_OP_WRITE)
		return rblk_fault(RBLK_FAULT_NO_FLUSH);
	if (rblk_fault_at(RBLK_FAULT_TEAR, apply->seq) &&
	    apply->extent.nr_sects > 1)
		bio->bi_iter.bi_size = SECTOR_SIZE;
	if (rblk_fault_at(RBLK_FAULT_MISPLACE, apply->seq) &&
	    apply->extent.sector + apply->extent.nr_sects + 8 <=
	    apply->volume->backing.size_sects)
		bio->bi_iter.bi_sector += 8;
	return rblk_fault_at(RBLK_FAULT_LOSE_WRITE, apply->seq);
}

/* The device cannot zero by itself: write zeroes, at the caller's pace. */
static void zeroes_work(struct work_struct *work)
{
	struct rblk_apply *apply = container_of(work, struct rblk_apply,
						zeroes_work);
	int err;

	err = rblk_backing_zero(&apply->volume->backing, apply->extent.sector,
				apply->extent.nr_sects,
				!(apply->flags & RBLK_FRAME_ZEROES_NOUNMAP));
	finish(apply, errno_to_blk_status(err));
}

static bool is_zeroing(const struct rblk_apply *apply)
{
	return apply->op == RBLK_OP_DISCARD ||
	       apply->op == RBLK_OP_WRITE_ZEROES;
}

static void queue_zeroes(struct rblk_apply *apply)
{
	INIT_WORK(&apply->zeroes_work, zeroes_work);
	queue_work(starters, &apply->zeroes_work);
}

static void apply_endio(struct bio *bio)
{
	struct rblk_apply *apply = bio->bi_private;

	/* Some devices find out only when they try. */
	if (bio->bi_status == BLK_STS_NOTSUPP && is_zeroing(apply))
		queue_zeroes(apply);
	else
		finish(apply, bio->bi_status);
}

static void inspect_work(struct work_struct *work)
{
	struct rblk_apply *apply = container_of(work, struct rblk_apply,
						zeroes_work);

	apply->inspect(apply);
	finish(apply, BLK_STS_OK);
}

static void inspect_endio(struct bio *bio)
{
	struct rblk_apply *apply = bio->bi_private;

	if (bio->bi_status) {
		finish(apply, bio->bi_status);
		return;
	}
	INIT_WORK(&apply->zeroes_work, inspect_work);
	queue_work(starters, &apply->zeroes_work);
}

/* Read instead of writing. */
static void read_data(struct rblk_apply *apply)
{
	struct bio *bio = &apply->bio;

	bio->bi_opf = REQ_OP_READ;
	bio->bi_end_io = apply->is_read ? read_endio : inspect_endio;
	bio->bi_private = apply;
	rblk_backing_submit(&apply->volume->backing, bio);
}

static void start(struct rblk_apply *apply)
{
	struct bio *bio = &apply->bio;
	bool zeroes = is_zeroing(apply);

	trace_rblk_apply_start(apply->volume->res->name, apply->volume->id,
			       apply->seq, apply->op, apply->extent.sector,
			       apply->extent.nr_sects << SECTOR_SHIFT,
			       READ_ONCE(apply->applier->nr_pending));
	if (READ_ONCE(apply->applier->failed)) {
		if (apply->is_read)
			finish_read(apply, BLK_STS_IOERR);
		else
			finish(apply, BLK_STS_IOERR);
		return;
	}
	if (apply->inspect || apply->is_read) {
		read_data(apply);
		return;
	}
	if (make_mistake(apply, zeroes)) {
		finish(apply, BLK_STS_OK);
		return;
	}
	if (zeroes && bdev_write_zeroes_sectors(bio->bi_bdev) <
		      apply->extent.nr_sects) {
		queue_zeroes(apply);
		return;
	}
	if (apply->records) {
		apply->flush.seq = apply->floor;
		apply->flush.done = flush_done;
		rblk_super_flush(apply->volume->super, &apply->flush);
		return;
	}
	bio->bi_end_io = apply_endio;
	bio->bi_private = apply;
	rblk_backing_submit(&apply->volume->backing, bio);
}

static void start_ready(struct rblk_applier *applier)
{
	struct rblk_apply *apply, *tmp;
	LIST_HEAD(ready);
	unsigned long irq;

	spin_lock_irqsave(&applier->lock, irq);
	pick_ready_locked(applier, &ready);
	spin_unlock_irqrestore(&applier->lock, irq);
	list_for_each_entry_safe(apply, tmp, &ready, link)
		start(apply);
}

static void start_work(struct work_struct *work)
{
	start_ready(container_of(work, struct rblk_applier, start_work));
}

int rblk_apply_submit(struct rblk_apply *apply)
{
	struct rblk_applier *applier = apply->applier;
	unsigned long irq;
	int err = 0;

	spin_lock_irqsave(&applier->lock, irq);
	if (apply->epoch != applier->epoch &&
	    !rblk_fault(RBLK_FAULT_OLD_GENERATION))
		err = -ESTALE;
	else if (apply->seq)
		err = rblk_order_receive(&applier->order, apply->seq,
					 apply->dep);
	if (!err) {
		applier->nr_pending++;
		if (apply->op == RBLK_OP_WRITE)
			applier->bytes += apply->extent.nr_sects << SECTOR_SHIFT;
		list_add_tail(&apply->link, &applier->waiting);
		rblk_actlog_saw(&apply->volume->seen, apply->gen,
				apply->logged);
		if (apply->seq) {
			rblk_recent_add(&applier->recent, apply->seq,
					apply->volume->id, apply->extent.sector,
					apply->extent.nr_sects);
			applier->received_sects +=
				max_t(u32, apply->extent.nr_sects,
				      RBLK_RECORD_OP_SECTS);
		}
	}
	spin_unlock_irqrestore(&applier->lock, irq);
	if (err) {
		rblk_apply_free(apply);
		return err;
	}
	start_ready(applier);
	return 0;
}

int rblk_applier_create(struct rblk_applier *applier,
			const struct rblk_applier_ops *ops, void *owner)
{
	unsigned long *done;
	int i;

	done = kvcalloc(BITS_TO_LONGS(RBLK_APPLY_WINDOW), sizeof(long),
			GFP_KERNEL);
	applier->extents = kvcalloc(RBLK_MAX_VOLUMES,
				    sizeof(*applier->extents), GFP_KERNEL);
	if (!done || !applier->extents) {
		kvfree(done);
		kvfree(applier->extents);
		applier->extents = NULL;
		return -ENOMEM;
	}
	spin_lock_init(&applier->lock);
	rblk_order_init(&applier->order, done, RBLK_APPLY_WINDOW, 0);
	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		rblk_extents_init(&applier->extents[i]);
	INIT_LIST_HEAD(&applier->waiting);
	init_waitqueue_head(&applier->idle);
	INIT_WORK(&applier->start_work, start_work);
	applier->ops = ops;
	applier->owner = owner;
	applier->recorded = U64_MAX;
	return 0;
}

void rblk_applier_destroy(struct rblk_applier *applier)
{
	if (!applier->extents)
		return;
	synchronize_rcu(); /* see finish() */
	cancel_work_sync(&applier->start_work);
	kvfree(applier->order.done);
	kvfree(applier->recent.op);
	kvfree(applier->extents);
	applier->extents = NULL;
}

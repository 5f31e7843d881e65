// SPDX-License-Identifier: GPL-2.0
/*
 * admit.c - a write comes in: the only place where one enters the order.
 */
#include <linux/blkdev.h>

#include "active.h"
#include "admit.h"
#include "disk.h"
#include "lease.h"
#include "write.h"
#include "../fault.h"
#include "../resource.h"
#include "../store/pages.h"
#include "../store/pressure.h"
#include "../trace.h"
#include "../volume.h"

/* Give the write pages of its own; disk and peers are all served from them. */
static void copy_data(struct rblk_write *write)
{
	struct block_device *bdev = write->volume->backing.bdev;
	unsigned int bytes = write->iter.bi_size;
	unsigned int nr_vecs = DIV_ROUND_UP(bytes, PAGE_SIZE);
	struct bvec_iter from = write->iter, to;
	struct bio *copy = &write->local;

	if (nr_vecs <= ARRAY_SIZE(write->local_vec))
		bio_init(copy, bdev, write->local_vec, nr_vecs,
			 write->bio->bi_opf);
	else
		copy = rblk_write_alloc_copy(write, nr_vecs,
					     GFP_NOWAIT | __GFP_NOWARN);
	if (!copy) {
		rblk_pressure_begin();
		copy = rblk_write_alloc_copy(write, nr_vecs, GFP_NOIO);
		rblk_pressure_end();
	}
	copy->bi_iter.bi_sector = from.bi_sector;
	rblk_pages_fill(copy, bytes, RBLK_PAGES_COPY);
	to = copy->bi_iter;
	bio_copy_data_iter(copy, &to, write->bio, &from);
	write->copy = copy;
	write->bvec = copy->bi_io_vec;
	write->iter = copy->bi_iter;
}

static void list_waiter_wake(struct rblk_waiter *waiter)
{
	struct rblk_write *write = container_of(waiter, struct rblk_write,
						waiter);
	struct rblk_resource *res = write->volume->res;

	list_add_tail(&write->link, &res->log.held);
	queue_work(res->wq, &res->retry_work);
}

static u8 frame_op(const struct bio *bio)
{
	switch (bio_op(bio)) {
	case REQ_OP_DISCARD:
		return RBLK_OP_DISCARD;
	case REQ_OP_WRITE_ZEROES:
		return RBLK_OP_WRITE_ZEROES;
	default:
		return bio->bi_iter.bi_size ? RBLK_OP_WRITE : RBLK_OP_FLUSH;
	}
}

static u16 frame_flags(const struct bio *bio, u8 op)
{
	u16 flags = 0;

	if (op == RBLK_OP_WRITE && bio->bi_opf & REQ_FUA)
		flags |= RBLK_FRAME_FUA;
	if (op == RBLK_OP_WRITE && bio->bi_opf & REQ_PREFLUSH)
		flags |= RBLK_FRAME_PREFLUSH;
	if (op == RBLK_OP_WRITE_ZEROES && bio->bi_opf & REQ_NOUNMAP)
		flags |= RBLK_FRAME_ZEROES_NOUNMAP;
	return flags;
}

static struct rblk_write *alloc_write(struct rblk_volume *volume,
				      struct bio *bio)
{
	struct rblk_write *write = rblk_write_alloc();

	write->waiter.wake = list_waiter_wake;
	write->volume = volume;
	write->bio = bio;
	write->iter = bio->bi_iter;
	write->op = frame_op(bio);
	write->flags = frame_flags(bio, write->op);
	write->state.durable = write->op == RBLK_OP_FLUSH ||
			       write->flags & RBLK_FRAME_FUA;
	if (write->op == RBLK_OP_WRITE)
		write->bvec = bio->bi_io_vec;
	write->start_jiffies = bio_start_io_acct(bio);
	return write;
}

enum admission { ADMITTED, HELD, REFUSED, COPY_FIRST };

/* Return: what the gate says. Who meets it without a lease tells. */
static enum rblk_gate_verdict ask_gate_locked(struct rblk_resource *res)
{
	const struct rblk_gate *gate = &res->log.gate;
	u64 now_ns = 0;

	if (unlikely(gate->until_ns != RBLK_GATE_NO_LEASE_NEEDED))
		now_ns = ktime_get_boottime_ns();
	if (unlikely(rblk_gate_lease(gate, now_ns) != RBLK_GATE_PASS))
		rblk_lease_miss_locked(res);
	return rblk_gate_write(gate, now_ns);
}

static enum admission hold_locked(struct rblk_log *log, struct rblk_write *write)
{
	list_add_tail(&write->link, &log->held);
	return HELD;
}

/* The one place where a write enters the order. */
static enum admission admit_locked(struct rblk_log *log,
				   struct rblk_write *write)
{
	u64 nr_sects = bio_sectors(write->bio);

	switch (ask_gate_locked(write->volume->res)) {
	case RBLK_GATE_FAIL:
		return REFUSED;
	case RBLK_GATE_HOLD:
		return hold_locked(log, write);
	case RBLK_GATE_PASS:
		break;
	}
	if (!write->reserved && !rblk_log_has_room(log))
		return hold_locked(log, write);
	if (log->must_copy && write->op == RBLK_OP_WRITE && !write->copy) {
		write->reserved = true;
		log->copied_bytes += write->iter.bi_size;
		return COPY_FIRST;
	}
	/* A write that reserved its copy may find the ring full meanwhile. */
	if (log->last + 1 - log->first >= log->size)
		return hold_locked(log, write);
	if (nr_sects) {
		switch (rblk_active_admit(write)) {
		case RBLK_ACTLOG_GO:
			break;
		case RBLK_ACTLOG_WAIT:
		case RBLK_ACTLOG_FULL:
			return hold_locked(log, write);
		case RBLK_ACTLOG_FAILED:
			return REFUSED;
		}
	}
	if (nr_sects && !rblk_range_lock(write->volume, &write->range,
					 write->bio->bi_iter.bi_sector,
					 nr_sects, &write->waiter))
		return HELD;
	rblk_log_append(log, write);
	trace_rblk_write_admit(write->volume->res->name, write->volume->id,
			       write->seq, write->op, write->iter.bi_sector,
			       write->iter.bi_size, log->last + 1 - log->first);
	return ADMITTED;
}

static void refuse(struct rblk_write *write)
{
	struct bio *bio = write->bio;
	struct rblk_volume *volume = write->volume;

	bio_end_io_acct(bio, write->start_jiffies);
	bio_io_error(bio);
	percpu_ref_put(&volume->io);
	rblk_write_free(write);
}

static void submit_local(struct rblk_write *write)
{
	struct bio *bio = write->copy;
	int err = 0;

	if (!rblk_disk_takes_writes(write->volume)) {
		rblk_write_end_local(write, BLK_STS_IOERR);
		return;
	}
	if (!bio) {
		bio = &write->local;
		err = bio_init_clone(write->volume->backing.bdev, bio,
				     write->bio, GFP_NOIO);
	}
	/*
	 * What a device reads back after a discard is its own affair; after
	 * zeroing it is not. Replicas must read the same, so discards are
	 * carried out as zeroing that may deallocate.
	 */
	if (write->op == RBLK_OP_DISCARD)
		bio->bi_opf = REQ_OP_WRITE_ZEROES |
			      (bio->bi_opf & ~REQ_OP_MASK);
	bio->bi_end_io = rblk_write_local_endio;
	bio->bi_private = write;
	if (err) {
		bio->bi_status = errno_to_blk_status(err);
		bio_endio(bio);
		return;
	}
	if (rblk_fault(RBLK_FAULT_LOCAL_NO_FLUSH)) {
		bio->bi_opf &= ~(REQ_PREFLUSH | REQ_FUA);
		if (write->op == RBLK_OP_FLUSH) {
			bio_endio(bio);
			return;
		}
	}
	WRITE_ONCE(write->in_disk, true);
	rblk_backing_submit(&write->volume->backing, bio);
}

/*
 * Admit @write, or hold it, or refuse it. @was_held: it counts as held, and
 * is copied elsewhere: what waits here behind it may hold the very pages.
 */
static void admit(struct rblk_write *write, bool was_held)
{
	struct rblk_resource *res = write->volume->res;
	struct rblk_log *log = &res->log;
	enum admission admission;
	u16 streaming, idle = 0, soon = 0;
	unsigned long irq;

	for (;;) {
		spin_lock_irqsave(&log->lock, irq);
		admission = admit_locked(log, write);
		if (was_held && admission == COPY_FIRST) {
			list_add_tail(&write->link, &log->uncopied);
			queue_work(res->copy_wq, &res->copy_work);
			spin_unlock_irqrestore(&log->lock, irq);
			return;
		}
		if (was_held)
			log->nr_held--;
		was_held = admission == HELD;
		if (was_held)
			log->nr_held++;
		if (admission == REFUSED && write->reserved)
			log->copied_bytes -= write->iter.bi_size;
		if (admission == REFUSED)
			rblk_active_leave(write);
		streaming = log->streaming;
		if (admission == ADMITTED) {
			idle = rblk_log_idle_peers(log);
			/* Nobody waits for those: with what comes next. */
			if (write->op == RBLK_OP_FLUSH)
				soon = write->state.covered & streaming;
		}
		spin_unlock_irqrestore(&log->lock, irq);
		if (admission != COPY_FIRST)
			break;
		copy_data(write);
	}
	if (admission == REFUSED)
		refuse(write);
	if (admission != ADMITTED)
		return;
	/*
	 * The write may be reported only after its local leg, so it is still
	 * ours here. Network first: that leg is the longer one.
	 */
	if (streaming)
		res->send(res, streaming & ~soon, idle & ~soon, soon);
	submit_local(write);
}

void rblk_admit_submit(struct rblk_volume *volume, struct bio *bio)
{
	admit(alloc_write(volume, bio), false);
}

void rblk_admit_retry_work(struct work_struct *work)
{
	struct rblk_resource *res = container_of(work, struct rblk_resource,
						 retry_work);
	struct rblk_write *write, *tmp;
	LIST_HEAD(held);

	spin_lock_irq(&res->log.lock);
	list_splice_init(&res->log.held, &held);
	spin_unlock_irq(&res->log.lock);
	list_for_each_entry_safe(write, tmp, &held, link)
		admit(write, true);
}

void rblk_admit_copy_work(struct work_struct *work)
{
	struct rblk_resource *res = container_of(work, struct rblk_resource,
						 copy_work);
	struct rblk_log *log = &res->log;
	struct rblk_write *write;

	spin_lock_irq(&log->lock);
	while ((write = list_first_entry_or_null(&log->uncopied,
						 struct rblk_write, link))) {
		list_del(&write->link);
		spin_unlock_irq(&log->lock);
		copy_data(write);
		spin_lock_irq(&log->lock);
		list_add_tail(&write->link, &log->held);
		queue_work(res->wq, &res->retry_work);
	}
	spin_unlock_irq(&log->lock);
}

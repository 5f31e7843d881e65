// SPDX-License-Identifier: GPL-2.0
/*
 * refill.c - a new disk below a primary gets every block from a peer.
 */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "disk.h"
#include "read.h"
#include "refill.h"
#include "../resource.h"
#include "../volume.h"

#define SOON	(HZ / 10)	/* when something else is in the way */
#define LATER	HZ		/* when no peer has the data */

/**
 * struct rblk_refill_buf - one chunk's memory
 * @bio: used for reading, then for writing
 * @vec: its pages
 * @page: the same
 */
struct rblk_refill_buf {
	struct bio bio;
	struct bio_vec vec[RBLK_REFILL_PAGES];
	struct page *page[RBLK_REFILL_PAGES];
};

static void go_on(struct rblk_volume *volume, unsigned long delay)
{
	mod_delayed_work(volume->res->resync_wq, &volume->refill.work, delay);
}

static bool is_filling(struct rblk_volume *volume)
{
	return READ_ONCE(volume->disk_state) == RBLK_DISK_FILLING;
}

static void range_wake(struct rblk_waiter *waiter)
{
	struct rblk_refill *refill = container_of(waiter, struct rblk_refill,
						  waiter);

	go_on(container_of(refill, struct rblk_volume, refill), 0);
}

/* Return: false when it has to be waited for. */
static bool lock_range(struct rblk_volume *volume)
{
	struct rblk_refill *refill = &volume->refill;
	u64 left = volume->backing.size_sects - refill->next;
	u64 nr_sects = min_t(u64, left,
			     RBLK_REFILL_PAGES * (PAGE_SIZE >> SECTOR_SHIFT));
	bool locked;

	spin_lock_irq(&volume->res->log.lock);
	locked = rblk_range_lock(volume, &refill->range, refill->next, nr_sects,
				 &refill->waiter);
	spin_unlock_irq(&volume->res->log.lock);
	return locked;
}

static void chunk_endio(struct bio *bio)
{
	struct rblk_volume *volume = bio->bi_private;
	struct rblk_refill *refill = &volume->refill;

	refill->step = refill->step == RBLK_REFILL_READING ?
		       RBLK_REFILL_READ : RBLK_REFILL_WRITTEN;
	go_on(volume, 0);
}

static struct bio *prepare_bio(struct rblk_volume *volume,
			       struct block_device *bdev, blk_opf_t opf)
{
	const struct rblk_extent *extent = &volume->refill.range.extent;
	struct rblk_refill_buf *buf = volume->refill.buf;
	u32 bytes = extent->nr_sects << SECTOR_SHIFT;
	struct bio *bio = &buf->bio;
	int i;

	bio_init(bio, bdev, buf->vec, RBLK_REFILL_PAGES, opf);
	for (i = 0; bytes; i++) {
		u32 len = min_t(u32, bytes, PAGE_SIZE);

		__bio_add_page(bio, buf->page[i], len, 0);
		bytes -= len;
	}
	bio->bi_iter.bi_sector = extent->sector;
	bio->bi_end_io = chunk_endio;
	bio->bi_private = volume;
	return bio;
}

/* The disk is away: what is read from the volume comes from a peer. */
static void read_chunk(struct rblk_volume *volume)
{
	struct bio *bio = prepare_bio(volume, volume->disk->part0,
				      REQ_OP_READ);

	volume->refill.step = RBLK_REFILL_READING;
	percpu_ref_get(&volume->io); /* the read's own */
	rblk_read_submit(volume, bio);
}

static void write_chunk(struct rblk_volume *volume)
{
	struct bio *bio = &volume->refill.buf->bio;

	bio_uninit(bio);
	bio = prepare_bio(volume, volume->backing.bdev, REQ_OP_WRITE);
	spin_lock_irq(&volume->res->log.lock);
	volume->refill.since_ns = ktime_get_ns();
	volume->refill.step = RBLK_REFILL_WRITING;
	spin_unlock_irq(&volume->res->log.lock);
	rblk_backing_submit(&volume->backing, bio);
}

static void end_chunk(struct rblk_volume *volume)
{
	struct rblk_refill *refill = &volume->refill;

	bio_uninit(&refill->buf->bio);
	spin_lock_irq(&volume->res->log.lock);
	if (!refill->orphan)
		rblk_range_unlock(volume, &refill->range);
	refill->orphan = false;
	refill->step = RBLK_REFILL_IDLE;
	spin_unlock_irq(&volume->res->log.lock);
	percpu_ref_put(&volume->io);
}

bool rblk_refill_waits_locked(const struct rblk_volume *volume, u64 since_ns)
{
	const struct rblk_refill *refill = &volume->refill;

	lockdep_assert_held(&volume->res->log.lock);
	return refill->step == RBLK_REFILL_WRITING && !refill->orphan &&
	       refill->since_ns <= since_ns;
}

void rblk_refill_orphan_locked(struct rblk_volume *volume)
{
	struct rblk_refill *refill = &volume->refill;

	lockdep_assert_held(&volume->res->log.lock);
	if (refill->step != RBLK_REFILL_WRITING || refill->orphan)
		return;
	refill->orphan = true;
	rblk_range_unlock(volume, &refill->range);
}

/* A write here failed: this disk is no better than the one before. */
static void give_up(struct rblk_volume *volume, blk_status_t status)
{
	spin_lock_irq(&volume->res->log.lock);
	rblk_disk_failed_locked(volume, REQ_OP_WRITE,
				volume->refill.range.extent.sector, status);
	spin_unlock_irq(&volume->res->log.lock);
}

static void begin_chunk(struct rblk_volume *volume)
{
	struct rblk_refill *refill = &volume->refill;

	if (!is_filling(volume))
		return;
	if (refill->next == volume->backing.size_sects ||
	    !READ_ONCE(volume->res->log.gate.primary)) {
		if (!refill->complete(volume))
			go_on(volume, SOON);
		return;
	}
	if (!percpu_ref_tryget_live(&volume->io)) {
		go_on(volume, SOON);
		return;
	}
	refill->step = RBLK_REFILL_LOCK;
	if (lock_range(volume))
		read_chunk(volume);
}

static void refill_work(struct work_struct *work)
{
	struct rblk_refill *refill = container_of(to_delayed_work(work),
						  struct rblk_refill, work);
	struct rblk_volume *volume = container_of(refill, struct rblk_volume,
						  refill);
	blk_status_t status = refill->buf->bio.bi_status;

	switch (refill->step) {
	case RBLK_REFILL_IDLE:
		begin_chunk(volume);
		break;
	case RBLK_REFILL_LOCK:
		if (lock_range(volume))
			read_chunk(volume);
		break;
	case RBLK_REFILL_READ:
		if (!status && is_filling(volume)) {
			write_chunk(volume);
			break;
		}
		end_chunk(volume);
		go_on(volume, LATER);
		break;
	case RBLK_REFILL_WRITTEN:
		if (status)
			give_up(volume, status);
		else
			refill->next += refill->range.extent.nr_sects;
		end_chunk(volume);
		go_on(volume, 0);
		break;
	case RBLK_REFILL_READING:
	case RBLK_REFILL_WRITING:
		break; /* the end of it comes here again */
	}
}

void rblk_refill_init(struct rblk_refill *refill)
{
	INIT_DELAYED_WORK(&refill->work, refill_work);
	refill->step = RBLK_REFILL_IDLE;
	INIT_LIST_HEAD(&refill->range.waiters);
	refill->waiter.wake = range_wake;
}

static void free_buf(struct rblk_refill *refill)
{
	int i;

	if (!refill->buf)
		return;
	for (i = 0; i < RBLK_REFILL_PAGES; i++)
		if (refill->buf->page[i])
			__free_page(refill->buf->page[i]);
	kfree(refill->buf);
	refill->buf = NULL;
}

int rblk_refill_prepare(struct rblk_refill *refill)
{
	int i;

	refill->buf = kzalloc(sizeof(*refill->buf), GFP_KERNEL);
	for (i = 0; refill->buf && i < RBLK_REFILL_PAGES; i++) {
		refill->buf->page[i] = alloc_page(GFP_KERNEL);
		if (!refill->buf->page[i])
			free_buf(refill);
	}
	return refill->buf ? 0 : -ENOMEM;
}

void rblk_refill_start(struct rblk_volume *volume,
		       bool (*complete)(struct rblk_volume *volume))
{
	volume->refill.complete = complete;
	volume->refill.next = 0;
	go_on(volume, 0);
}

void rblk_refill_stop(struct rblk_refill *refill)
{
	cancel_delayed_work_sync(&refill->work);
	WARN_ON_ONCE(refill->step != RBLK_REFILL_IDLE);
	free_buf(refill);
}

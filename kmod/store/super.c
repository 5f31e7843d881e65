// SPDX-License-Identifier: GPL-2.0
/*
 * super.c - the superblocks and position records of one volume.
 */
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "mdio.h"
#include "super.h"
#include "../core/actlog.h"

static int errno_of(enum rblk_ondisk_error err)
{
	switch (err) {
	case RBLK_ONDISK_OK:
		return 0;
	case RBLK_ONDISK_ABSENT:
		return -ENODATA;
	case RBLK_ONDISK_VERSION_UNKNOWN:
		return -EMEDIUMTYPE;
	case RBLK_ONDISK_TOO_SMALL:
		return -ENOSPC;
	case RBLK_ONDISK_DAMAGED:
	case RBLK_ONDISK_MISPLACED:
	case RBLK_ONDISK_FOREIGN:
	case RBLK_ONDISK_INVALID:
	case RBLK_ONDISK_CLASH:
	case __RBLK_ONDISK_END:
		break;
	}
	return -EUCLEAN;
}

static int explain(enum rblk_ondisk_error err, struct netlink_ext_ack *extack)
{
	if (err == RBLK_ONDISK_ABSENT)
		NL_SET_ERR_MSG(extack, "no rblk metadata there: run 'rblk create'");
	else if (err == RBLK_ONDISK_VERSION_UNKNOWN)
		NL_SET_ERR_MSG(extack, "metadata of another version: use a newer rblk");
	else if (err == RBLK_ONDISK_CLASH)
		NL_SET_ERR_MSG(extack, "superblocks that contradict each other: 'rblk md examine'");
	else if (err)
		NL_SET_ERR_MSG(extack, "metadata damaged, both copies: 'rblk md examine'");
	return errno_of(err);
}

/* Read both copies; @super->disk is set to the one that holds. */
static int read_copies(struct rblk_super *super, u64 head_at,
		       struct netlink_ext_ack *extack)
{
	const struct rblk_ondisk_super *both[2] = { };
	struct rblk_ondisk_super *copy;
	enum rblk_ondisk_error err[2];
	unsigned int i, pick = 0;
	int ret = 0;

	copy = kcalloc(2, sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	for (i = 0; i < 2; i++) {
		u64 at = rblk_ondisk_super_at(head_at, i);

		both[i] = &copy[i];
		/* A copy that cannot be read is a damaged one. */
		if (rblk_mdio_read(super->bdev, at, super->page))
			err[i] = RBLK_ONDISK_DAMAGED;
		else
			err[i] = rblk_ondisk_get_super(page_address(super->page),
						       at, &copy[i]);
	}
	ret = explain(rblk_ondisk_pick_super(err, both, &pick), extack);
	if (!ret) {
		super->disk = copy[pick];
		if (err[!pick])
			pr_warn("%s/%u: superblock copy %u: %s; the other one holds\n",
				copy[pick].name, copy[pick].volume, !pick,
				rblk_ondisk_strerror(err[!pick]));
	}
	kfree(copy);
	return ret;
}

/* The higher of what the superblock and what the position records say. */
static int read_positions(struct rblk_super *super)
{
	struct rblk_record *record = &super->disk.record;
	struct rblk_position position;
	unsigned int i;
	u64 at;

	for (i = 0; i < 2; i++) {
		at = rblk_ondisk_position_at(super->disk.geo.head_at, i);
		/* One that cannot be read may have been the newest: no harm. */
		if (rblk_mdio_read(super->bdev, at, super->page) ||
		    rblk_ondisk_get_position(page_address(super->page), at,
					     super->disk.member, &position))
			continue;
		super->serial = max(super->serial, position.serial);
		if (position.base != record->serial)
			continue;
		record->lineage.seq = max(record->lineage.seq, position.seq);
		rblk_actlog_saw(&super->disk.seen, position.seen.gen,
				position.seen.serial);
	}
	return 0;
}

static int check(const struct rblk_super *super,
		 const struct rblk_super_want *want, u64 disk_bytes,
		 u64 meta_bytes, struct netlink_ext_ack *extack)
{
	const struct rblk_ondisk_super *disk = &super->disk;
	const struct rblk_geometry *geo = &disk->geo;

	if (memcmp(disk->set, want->set, sizeof(disk->set)))
		NL_SET_ERR_MSG(extack, "metadata of another resource or cluster");
	else if (disk->node_id != want->node_id)
		NL_SET_ERR_MSG(extack, "metadata of another node: a clone, or a moved disk?");
	else if (disk->volume != want->volume)
		NL_SET_ERR_MSG(extack, "metadata of another volume of this resource");
	else if (geo->layout != want->layout)
		NL_SET_ERR_MSG(extack, "metadata with another layout than configured");
	else if (geo->data_at + geo->data_bytes > disk_bytes ||
		 geo->head_at + RBLK_ONDISK_HEAD_BYTES > meta_bytes ||
		 (geo->layout != RBLK_METADATA_END &&
		  meta_bytes < geo->bitmap_at +
		  RBLK_ONDISK_SLOTS * geo->slot_bytes))
		NL_SET_ERR_MSG(extack, "the device is smaller than it was: enlarge it");
	else
		return 0;
	return geo->layout == want->layout &&
	       !memcmp(disk->set, want->set, sizeof(disk->set)) &&
	       disk->node_id == want->node_id && disk->volume == want->volume ?
	       -ENOSPC : -EMEDIUMTYPE;
}

static int open_device(struct rblk_super *super, struct rblk_backing *backing,
		       const struct rblk_super_want *want, void *holder,
		       struct netlink_ext_ack *extack)
{
	super->data_bdev = backing->bdev;
	super->bdev = backing->bdev;
	if (want->layout == RBLK_METADATA_APART) {
		super->handle = rblk_handle_open(want->path, holder);
		if (IS_ERR(super->handle)) {
			int err = PTR_ERR(super->handle);

			super->handle = NULL;
			NL_SET_ERR_MSG(extack, "cannot open the metadata's device");
			return err;
		}
		super->bdev = rblk_handle_bdev(super->handle);
	}
	if (bdev_read_only(super->bdev)) {
		NL_SET_ERR_MSG(extack, "the metadata's device is read-only");
		return -EROFS;
	}
	if (bdev_logical_block_size(super->bdev) > RBLK_ONDISK_BLOCK) {
		NL_SET_ERR_MSG(extack, "the metadata's device has blocks above 4096 bytes");
		return -EINVAL;
	}
	return 0;
}

static int load(struct rblk_super *super, struct rblk_backing *backing,
		const struct rblk_super_want *want,
		struct netlink_ext_ack *extack)
{
	u64 disk_bytes = bdev_nr_bytes(super->data_bdev);
	u64 meta_bytes = bdev_nr_bytes(super->bdev);
	u64 head_at = rblk_ondisk_head_at(want->layout, meta_bytes);
	int err;

	if (head_at == U64_MAX)
		return explain(RBLK_ONDISK_ABSENT, extack);
	err = read_copies(super, head_at, extack);
	if (err)
		return err;
	err = check(super, want, disk_bytes, meta_bytes, extack);
	if (err)
		return err;
	err = read_positions(super);
	if (err)
		return err;
	backing->data_sect = super->disk.geo.data_at >> SECTOR_SHIFT;
	backing->size_sects = super->disk.geo.data_bytes >> SECTOR_SHIFT;
	return 0;
}

/* Become busy with what waits: the record to come serves it. */
static bool take_waiting(struct rblk_super *super, struct rblk_position *next)
{
	struct rblk_super_flush *flush;

	lockdep_assert_held(&super->lock);
	if (super->busy || super->changing || list_empty(&super->waiting))
		return false;
	super->busy = true;
	next->seq = super->disk.record.lineage.seq;
	next->seen = super->disk.seen;
	list_for_each_entry(flush, &super->waiting, link) {
		next->seq = max(next->seq, flush->seq);
		rblk_actlog_saw(&next->seen, flush->seen.gen,
				flush->seen.serial);
	}
	/* A later flush may have seen less: it began no earlier all the same. */
	list_splice_init(&super->waiting, &super->running);
	next->serial = ++super->serial;
	next->base = super->disk.record.serial;
	return true;
}

/* Who changes superblocks goes first, and waits for no work to be run. */
static void next_or_idle(struct rblk_super *super)
{
	unsigned long irq;

	spin_lock_irqsave(&super->lock, irq);
	super->busy = false;
	if (super->changing)
		wake_up_all(&super->idle);
	else if (!list_empty(&super->waiting))
		queue_work(super->wq, &super->next_work);
	spin_unlock_irqrestore(&super->lock, irq);
}

/* The record, or the flush before it, has ended. */
static void record_ended(struct rblk_super *super, blk_status_t status)
{
	struct rblk_super_flush *flush, *tmp;
	LIST_HEAD(ended);
	unsigned long irq;

	/* Closing an idle one waits for us to be through with it. */
	rcu_read_lock();
	spin_lock_irqsave(&super->lock, irq);
	list_splice_init(&super->running, &ended);
	spin_unlock_irqrestore(&super->lock, irq);
	list_for_each_entry_safe(flush, tmp, &ended, link) {
		flush->serial = super->serial; /* no other begins while busy */
		flush->done(flush, status);
	}
	next_or_idle(super);
	rcu_read_unlock();
}

static void record_endio(struct bio *bio)
{
	struct rblk_super *super = bio->bi_private;
	blk_status_t status = bio->bi_status;

	bio_uninit(bio); /* it is used again */
	record_ended(super, status);
}

/* @super is busy, and @position is what it is busy with. */
static void submit_record(struct rblk_super *super,
			  const struct rblk_position *position)
{
	struct bio *bio = &super->record_bio;
	u64 at = rblk_ondisk_position_at(super->disk.geo.head_at,
					 position->serial & 1);
	blk_opf_t opf = REQ_OP_WRITE | REQ_SYNC | REQ_META | REQ_FUA;

	rblk_ondisk_put_position(page_address(super->record_page), at,
				 super->disk.member, position);
	if (super->bdev == super->data_bdev) {
		opf |= REQ_PREFLUSH;
	} else {
		int err = rblk_mdio_flush(super->data_bdev);

		if (err) {
			record_ended(super, errno_to_blk_status(err));
			return;
		}
	}
	bio_init(bio, super->bdev, &super->record_vec, 1, opf);
	bio->bi_iter.bi_sector = at >> SECTOR_SHIFT;
	__bio_add_page(bio, super->record_page, RBLK_ONDISK_BLOCK, 0);
	bio->bi_end_io = record_endio;
	bio->bi_private = super;
	submit_bio_noacct(bio);
}

static void next_work(struct work_struct *work)
{
	struct rblk_super *super = container_of(work, struct rblk_super,
						next_work);
	struct rblk_position position;
	bool taken;

	spin_lock_irq(&super->lock);
	taken = take_waiting(super, &position);
	spin_unlock_irq(&super->lock);
	if (taken)
		submit_record(super, &position);
}

void rblk_super_flush(struct rblk_super *super, struct rblk_super_flush *flush)
{
	struct rblk_position position;
	bool mine = false;

	spin_lock_irq(&super->lock);
	list_add_tail(&flush->link, &super->waiting);
	/* With a device of its own the data's is flushed, which sleeps. */
	if (super->handle)
		queue_work(super->wq, &super->next_work);
	else
		mine = take_waiting(super, &position);
	spin_unlock_irq(&super->lock);
	if (mine)
		submit_record(super, &position);
}

u64 rblk_super_stored(struct rblk_super *super)
{
	u64 serial;

	if (!super)
		return 0;
	spin_lock_irq(&super->lock);
	serial = super->serial;
	spin_unlock_irq(&super->lock);
	return serial;
}

static bool become_busy(struct rblk_super *super)
{
	bool was;

	spin_lock_irq(&super->lock);
	was = super->busy;
	super->busy = true;
	super->changing = was;
	spin_unlock_irq(&super->lock);
	return !was;
}

int rblk_super_write(struct rblk_super *super, const struct rblk_record *record,
		     const struct rblk_seen *seen)
{
	struct rblk_ondisk_super *disk = &super->disk;
	unsigned int copy;
	int err = 0;

	/* Ends: records under way end, or the device never answers. */
	wait_event(super->idle, become_busy(super));
	disk->record = *record;
	disk->seen = *seen;
	if (super->bdev != super->data_bdev)
		err = rblk_mdio_flush(super->data_bdev);
	for (copy = 0; copy < 2 && !err; copy++) {
		rblk_ondisk_put_super(page_address(super->page), disk, copy);
		err = rblk_mdio_write(super->bdev,
				      rblk_ondisk_super_at(disk->geo.head_at,
							   copy),
				      super->page, !copy);
	}
	next_or_idle(super);
	return err;
}

struct rblk_super *rblk_super_open(struct rblk_backing *backing,
				   const struct rblk_super_want *want,
				   void *holder, struct workqueue_struct *wq,
				   struct netlink_ext_ack *extack)
{
	struct rblk_super *super = kzalloc(sizeof(*super), GFP_KERNEL);
	int err = -ENOMEM;

	if (!super)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&super->lock);
	INIT_LIST_HEAD(&super->waiting);
	INIT_LIST_HEAD(&super->running);
	INIT_WORK(&super->next_work, next_work);
	init_waitqueue_head(&super->idle);
	super->wq = wq;
	super->page = alloc_page(GFP_KERNEL);
	super->record_page = alloc_page(GFP_KERNEL);
	if (!super->page || !super->record_page)
		goto err_close;
	err = open_device(super, backing, want, holder, extack);
	if (!err)
		err = load(super, backing, want, extack);
	if (err)
		goto err_close;
	return super;

err_close:
	rblk_super_close(super);
	return ERR_PTR(err);
}

void rblk_super_close(struct rblk_super *super)
{
	if (!super)
		return;
	synchronize_rcu(); /* see record_ended() */
	cancel_work_sync(&super->next_work);
	WARN_ON_ONCE(!list_empty(&super->waiting));
	if (super->handle)
		rblk_handle_close(super->handle);
	if (super->page)
		__free_page(super->page);
	if (super->record_page)
		__free_page(super->record_page);
	kfree(super);
}

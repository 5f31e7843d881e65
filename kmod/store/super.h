/* SPDX-License-Identifier: GPL-2.0 */
/*
 * super.h - the superblocks and position records of one volume.
 *
 * Both superblock copies are written at each change, one after the other, each
 * durable before the next; what changed may be acted upon after that. The
 * position record takes the place of the empty flush that a backup is asked
 * for: it carries PREFLUSH and FUA, so it costs no request of its own. Flushes
 * that arrive while one is under way share the next.
 */
#ifndef RBLK_STORE_SUPER_H
#define RBLK_STORE_SUPER_H

#include <linux/bio.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "backing.h"
#include "../core/ondisk.h"

/**
 * struct rblk_super_flush - somebody who waits for a flush
 * @link: in @waiting or @running
 * @seq: what is durable on this disk when it succeeded
 * @seen: of the primary's activity log until then
 * @serial: of the record that says so; set before @done
 * @done: called once, in any context
 */
struct rblk_super_flush {
	struct list_head link;
	u64 seq;
	struct rblk_seen seen;
	u64 serial;
	void (*done)(struct rblk_super_flush *flush, blk_status_t status);
};

/**
 * struct rblk_super - see above
 * @handle: of the device that is for metadata alone, or NULL
 * @bdev: where the metadata is
 * @data_bdev: where the data is
 * @page: for superblocks; who changes them is alone
 * @disk: what both copies say
 *
 * @lock: protects all below, and what the flushes point to
 * @waiting: flushes to come
 * @running: those that the record under way serves
 * @busy: a record is under way, or superblocks are being changed
 * @changing: somebody waits until they can be
 * @serial: of the last position record
 * @record_page: the block under way
 * @record_bio: carries it
 * @record_vec: its page
 * @next_work: starts the next record
 * @wq: for it
 * @idle: woken when @busy falls, for @changing
 */
struct rblk_super {
	struct rblk_bdev_handle *handle;
	struct block_device *bdev;
	struct block_device *data_bdev;
	struct page *page;
	struct rblk_ondisk_super disk;

	spinlock_t lock; /* see @lock above */
	struct list_head waiting;
	struct list_head running;
	bool busy;
	bool changing;
	u64 serial;
	struct page *record_page;
	struct bio record_bio;
	struct bio_vec record_vec;
	struct work_struct next_work;
	struct workqueue_struct *wq;
	wait_queue_head_t idle;
};

struct netlink_ext_ack;

/**
 * struct rblk_super_want - whose metadata it must be
 * @layout: RBLK_METADATA_*, not NONE
 * @path: of the metadata's own device, for RBLK_METADATA_APART
 * @set: the resource's uuid
 * @node_id: of this node
 * @volume: id of the volume
 */
struct rblk_super_want {
	u8 layout;
	const char *path;
	const u8 *set;
	u8 node_id;
	u8 volume;
};

/**
 * rblk_super_open - read a volume's metadata, or say why not
 * @backing: open; its data area is set
 * @want: whose it must be
 * @holder: who claims the metadata's own device
 * @wq: for its works
 * @extack: gets the reason of a refusal
 *
 * The record that is found has the position that the position records add, and
 * @disk.seen what they say of that.
 *
 * Context: process; sleeps.
 * Return: the metadata, or an ERR_PTR: -ENODATA (none), -EUCLEAN (damaged),
 * -EMEDIUMTYPE (of another version, resource, node or volume), -ENOSPC (the
 * disk shrank), or what I/O gave.
 */
struct rblk_super *rblk_super_open(struct rblk_backing *backing,
				   const struct rblk_super_want *want,
				   void *holder, struct workqueue_struct *wq,
				   struct netlink_ext_ack *extack);

/**
 * rblk_super_close - give it back
 * @super: no flush under way; or NULL
 */
void rblk_super_close(struct rblk_super *super);

/**
 * rblk_super_write - change both superblocks
 * @super: not being written by another
 * @record: the resource's
 * @seen: of the primary's activity log of this volume
 *
 * What the data's device had completed is durable before.
 *
 * Context: process; sleeps. Needs no memory.
 * Return: 0 when durable; or an error: then either may be there.
 */
int rblk_super_write(struct rblk_super *super, const struct rblk_record *record,
		     const struct rblk_seen *seen);

/**
 * rblk_super_flush - flush, and record the position
 * @super: any
 * @flush: @seq, @seen and @done are set; owned by @super until @done
 *
 * Context: process; does not sleep for I/O.
 */
void rblk_super_flush(struct rblk_super *super, struct rblk_super_flush *flush);

/**
 * rblk_super_stored - how many position records there have been
 * @super: any, or NULL
 *
 * Return: at least the serial of the last that is durable; 0 without metadata.
 */
u64 rblk_super_stored(struct rblk_super *super);

#endif /* RBLK_STORE_SUPER_H */

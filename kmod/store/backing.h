/* SPDX-License-Identifier: GPL-2.0 */
/*
 * backing.h - the block device under a volume: claimed for us alone.
 */
#ifndef RBLK_STORE_BACKING_H
#define RBLK_STORE_BACKING_H

#include <linux/blkdev.h>

#include "../compat/bdev.h"
#include "../uapi/rblk.h"

/**
 * struct rblk_backing - a claimed block device
 * @handle: keeps it open and exclusive
 * @bdev: the device behind @handle
 * @data_sect: where the data begins on it
 * @size_sects: 512-byte sectors of data
 * @volatile_cache: writes need a flush to be durable
 * @path: as given, for messages and status
 */
struct rblk_backing {
	struct rblk_bdev_handle *handle;
	struct block_device *bdev;
	sector_t data_sect;
	sector_t size_sects;
	bool volatile_cache;
	char path[RBLK_DISK_SIZE];
};

struct netlink_ext_ack;

/**
 * rblk_backing_open - claim a block device
 * @backing: filled on success
 * @path: of the device
 * @holder: who claims it, for the exclusive open
 * @extack: gets the reason of a refusal; may be NULL
 *
 * Context: process; sleeps.
 * Return: 0; -ENOENT, -ENOTBLK, -EBUSY (in use), -EROFS, or another errno.
 */
int rblk_backing_open(struct rblk_backing *backing, const char *path,
		      void *holder, struct netlink_ext_ack *extack);

/**
 * rblk_backing_submit - submit a bio whose sector counts from the data's start
 * @backing: open; the bio's device
 * @bio: complete
 */
static inline void rblk_backing_submit(const struct rblk_backing *backing,
				       struct bio *bio)
{
	bio->bi_iter.bi_sector += backing->data_sect;
	submit_bio_noacct(bio);
}

/**
 * rblk_backing_zero - zero a range, by writing zeroes if need be
 * @backing: open
 * @sector: first sector, counted from the data's start
 * @nr_sects: how many
 * @may_unmap: the range may be deallocated
 *
 * Context: process; sleeps.
 * Return: 0 or -EIO and the like.
 */
static inline int rblk_backing_zero(const struct rblk_backing *backing,
				    sector_t sector, sector_t nr_sects,
				    bool may_unmap)
{
	return blkdev_issue_zeroout(backing->bdev, backing->data_sect + sector,
				    nr_sects, GFP_NOIO,
				    may_unmap ? 0 : BLKDEV_ZERO_NOUNMAP);
}

/**
 * rblk_backing_close - give the device back
 * @backing: opened by rblk_backing_open(); harmless when not open
 */
void rblk_backing_close(struct rblk_backing *backing);

#endif /* RBLK_STORE_BACKING_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bdev.h - the newest kernel's way to hold a block device and to describe a
 * disk, for kernels that lack it.
 */
#ifndef RBLK_COMPAT_BDEV_H
#define RBLK_COMPAT_BDEV_H

#include <linux/blkdev.h>

#define RBLK_MAX_ZEROES_SECTS	131072U	/* 64 MiB in one request */

#ifdef RBLK_HAVE_BDEV_FILE
#define rblk_bdev_handle file

static inline struct block_device *rblk_handle_bdev(struct rblk_bdev_handle *handle)
{
	return file_bdev(handle);
}

static inline struct rblk_bdev_handle *
rblk_handle_open(const char *path, void *holder)
{
	return bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE,
				      holder, NULL);
}

static inline void rblk_handle_close(struct rblk_bdev_handle *handle)
{
	bdev_fput(handle);
}
#else
#define rblk_bdev_handle block_device

#define RBLK_HANDLE_MODE (FMODE_READ | FMODE_WRITE | FMODE_EXCL)

static inline struct block_device *rblk_handle_bdev(struct rblk_bdev_handle *handle)
{
	return handle;
}

static inline struct rblk_bdev_handle *
rblk_handle_open(const char *path, void *holder)
{
	return blkdev_get_by_path(path, RBLK_HANDLE_MODE, holder);
}

static inline void rblk_handle_close(struct rblk_bdev_handle *handle)
{
	blkdev_put(handle, RBLK_HANDLE_MODE);
}
#endif

/*
 * The arguments of a disk's open and release, and the disk among them. Newer
 * kernels do not tell a release whether the opener could write.
 */
#ifdef RBLK_HAVE_DISK_OPEN
#define RBLK_OPEN_ARGS		struct gendisk *disk, blk_mode_t mode
#define RBLK_RELEASE_ARGS	struct gendisk *disk
#define RBLK_OPENED_DISK	disk
#define RBLK_RELEASED_WRITER	false
#else
#define RBLK_OPEN_ARGS		struct block_device *bdev, fmode_t mode
#define RBLK_RELEASE_ARGS	struct gendisk *disk, fmode_t mode
#define RBLK_OPENED_DISK	(bdev->bd_disk)
#define RBLK_RELEASED_WRITER	(mode & FMODE_WRITE)
#define BLK_OPEN_WRITE		FMODE_WRITE
#endif

/** rblk_bdev_mapping - the page cache of @bdev */
static inline struct address_space *rblk_bdev_mapping(struct block_device *bdev)
{
#ifdef RBLK_HAVE_BD_MAPPING
	return bdev->bd_mapping;
#else
	return bdev->bd_inode->i_mapping;
#endif
}

/**
 * rblk_compat_alloc_disk - a disk stacked on @lower
 * @lower: the backing device, whose limits bound the disk's
 * @max_sects: longest request wanted, in sectors
 * @block_bytes: logical block size, no less than @lower's
 *
 * The disk has a volatile write cache, honours FUA and wants stable pages. It
 * discards and zeroes as far as @lower zeroes, because replicas must read the
 * same after either.
 *
 * Return: the disk, or an ERR_PTR.
 */
static inline struct gendisk *
rblk_compat_alloc_disk(struct block_device *lower, unsigned int max_sects,
		       unsigned int block_bytes)
{
	unsigned int zeroes = min(bdev_write_zeroes_sectors(lower),
				  RBLK_MAX_ZEROES_SECTS);
	struct gendisk *disk;
#ifdef RBLK_HAVE_QUEUE_LIMITS
	struct queue_limits lim;

	blk_set_stacking_limits(&lim);
	lim.max_hw_sectors = max_sects;
	queue_limits_stack_bdev(&lim, lower, 0, "rblk");
	lim.max_hw_sectors = min(lim.max_hw_sectors, max_sects);
	lim.max_sectors = lim.max_hw_sectors;
	lim.features &= ~BLK_FEAT_NOWAIT;
	lim.features |= BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA |
			BLK_FEAT_STABLE_WRITES;
	lim.max_write_zeroes_sectors = zeroes;
	lim.max_hw_discard_sectors = zeroes;
	lim.max_secure_erase_sectors = 0;
	lim.logical_block_size = block_bytes;
	lim.physical_block_size = max(lim.physical_block_size, block_bytes);
	lim.io_min = max(lim.io_min, lim.physical_block_size);
	lim.discard_granularity = max(lim.discard_granularity,
				      lim.physical_block_size);
	disk = blk_alloc_disk(&lim, NUMA_NO_NODE);
#else
	struct request_queue *q;

	disk = blk_alloc_disk(NUMA_NO_NODE);
	if (!disk)
		return ERR_PTR(-ENOMEM);
	q = disk->queue;
	blk_set_stacking_limits(&q->limits);
	blk_queue_max_hw_sectors(q, max_sects);
	disk_stack_limits(disk, lower, 0);
	blk_queue_write_cache(q, true, true);
	blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, q);
	blk_queue_max_write_zeroes_sectors(q, zeroes);
	blk_queue_max_discard_sectors(q, zeroes);
	blk_queue_max_secure_erase_sectors(q, 0);
	blk_queue_logical_block_size(q, block_bytes);
	/* What zeroes without discarding has none, and discards want one. */
	q->limits.discard_granularity = max(q->limits.discard_granularity,
					    q->limits.physical_block_size);
#endif
	return disk;
}

#endif /* RBLK_COMPAT_BDEV_H */

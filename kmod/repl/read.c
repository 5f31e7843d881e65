// SPDX-License-Identifier: GPL-2.0
/*
 * read.c - reads go to the backing device.
 *
 * A read has no place in the order: while a write is in flight, either state
 * of its blocks may be seen, as on any disk.
 *
 * The application's bio itself is sent on, with its completion diverted to
 * here: a clone would cost more than all the rest. What it was is put back
 * before it is completed.
 */
#include <linux/blkdev.h>
#include <linux/mempool.h>
#include <linux/slab.h>

#include "read.h"
#include "../resource.h"
#include "../volume.h"

#define POOL_READS	64

/**
 * struct rblk_read - a read on its way
 * @volume: holds a reference for it
 * @bdev: that the bio was for
 * @end_io: of the bio
 * @private: of the bio
 * @bytes: to read
 * @start_jiffies: for iostat
 */
struct rblk_read {
	struct rblk_volume *volume;
	struct block_device *bdev;
	bio_end_io_t *end_io;
	void *private;
	u32 bytes;
	unsigned long start_jiffies;
};

static struct kmem_cache *read_cache;
static mempool_t read_pool;

int rblk_read_init(void)
{
	int err;

	read_cache = KMEM_CACHE(rblk_read, 0);
	if (!read_cache)
		return -ENOMEM;
	err = mempool_init_slab_pool(&read_pool, POOL_READS, read_cache);
	if (err)
		kmem_cache_destroy(read_cache);
	return err;
}

void rblk_read_exit(void)
{
	mempool_exit(&read_pool);
	kmem_cache_destroy(read_cache);
}

static void read_endio(struct bio *bio)
{
	struct rblk_read *read = bio->bi_private;
	struct rblk_volume *volume = read->volume;

	this_cpu_inc(volume->stats->read_ops);
	this_cpu_add(volume->stats->read_bytes, read->bytes);
	if (bio->bi_status)
		this_cpu_inc(volume->stats->errors);
	bio_end_io_acct_remapped(bio, read->start_jiffies, read->bdev);
	bio->bi_bdev = read->bdev;
	bio->bi_end_io = read->end_io;
	bio->bi_private = read->private;
	mempool_free(read, &read_pool);
	/* Not bio_endio(): that has been through with it. */
	bio->bi_end_io(bio);
	percpu_ref_put(&volume->io);
}

void rblk_read_submit(struct rblk_volume *volume, struct bio *bio)
{
	struct rblk_read *read;

	if (READ_ONCE(volume->res->log.gate.dead)) {
		bio_io_error(bio);
		percpu_ref_put(&volume->io);
		return;
	}
	read = mempool_alloc(&read_pool, GFP_NOIO);
	read->volume = volume;
	read->bdev = bio->bi_bdev;
	read->end_io = bio->bi_end_io;
	read->private = bio->bi_private;
	read->bytes = bio->bi_iter.bi_size;
	read->start_jiffies = bio_start_io_acct(bio);
	bio->bi_end_io = read_endio;
	bio->bi_private = read;
	bio_set_dev(bio, volume->backing.bdev);
	rblk_backing_submit(&volume->backing, bio);
}

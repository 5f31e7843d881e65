// SPDX-License-Identifier: GPL-2.0
/*
 * mdio.c - read and write one block of metadata.
 */
#include <linux/bio.h>

#include "mdio.h"
#include "../core/ondisk.h"

static int transfer(struct block_device *bdev, u64 at, struct page *page,
		    blk_opf_t opf)
{
	struct bio_vec bvec;
	struct bio bio;
	int err;

	bio_init(&bio, bdev, &bvec, 1, opf | REQ_SYNC | REQ_META);
	bio.bi_iter.bi_sector = at >> SECTOR_SHIFT;
	__bio_add_page(&bio, page, RBLK_ONDISK_BLOCK, 0);
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return err;
}

int rblk_mdio_read(struct block_device *bdev, u64 at, struct page *page)
{
	return transfer(bdev, at, page, REQ_OP_READ);
}

int rblk_mdio_write(struct block_device *bdev, u64 at, struct page *page,
		    bool preflush)
{
	return transfer(bdev, at, page, REQ_OP_WRITE | REQ_FUA |
			(preflush ? REQ_PREFLUSH : 0));
}

int rblk_mdio_flush(struct block_device *bdev)
{
	struct bio bio;
	int err;

	bio_init(&bio, bdev, NULL, 0, REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC);
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return err;
}

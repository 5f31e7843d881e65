/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mdio.h - read and write one block of metadata.
 */
#ifndef RBLK_STORE_MDIO_H
#define RBLK_STORE_MDIO_H

#include <linux/blkdev.h>

/**
 * rblk_mdio_read - read a block
 * @bdev: from where
 * @at: byte offset, a multiple of 4096
 * @page: filled in its first 4 KiB
 *
 * Context: process, sleeps. Needs no memory.
 * Return: 0 or -EIO and the like.
 */
int rblk_mdio_read(struct block_device *bdev, u64 at, struct page *page);

/**
 * rblk_mdio_write - write a block; durable when it returns 0
 * @bdev: to where
 * @at: byte offset, a multiple of 4096
 * @page: its first 4 KiB
 * @preflush: what the device completed before becomes durable first
 *
 * Context: process, sleeps. Needs no memory.
 * Return: 0 or -EIO and the like.
 */
int rblk_mdio_write(struct block_device *bdev, u64 at, struct page *page,
		    bool preflush);

/**
 * rblk_mdio_flush - make durable what a device completed
 * @bdev: the device
 *
 * Context: process, sleeps. Needs no memory.
 * Return: 0 or -EIO and the like.
 */
int rblk_mdio_flush(struct block_device *bdev);

#endif /* RBLK_STORE_MDIO_H */

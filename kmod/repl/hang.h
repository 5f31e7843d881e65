/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hang.h - a backing device that does not answer in time counts as failed.
 *
 * Its requests cannot be taken back, and their pages stay the device's until it
 * answers. So with a time limit no request of an application goes to the
 * device with the application's pages: data is copied first, reads have pages of
 * their own. What is given up is an *orphan*: it holds the volume and its own
 * pages until it ends, and nobody else knows it.
 */
#ifndef RBLK_REPL_HANG_H
#define RBLK_REPL_HANG_H

#include <linux/workqueue.h>

struct rblk_resource;

/**
 * rblk_hang_work - look whether a device hangs, and look again later
 * @work: the resource's hang_work
 */
void rblk_hang_work(struct work_struct *work);

/**
 * rblk_hang_watch - begin to look, or to look at other times
 * @res: its configuration lock is held, or nobody else knows it yet
 */
void rblk_hang_watch(struct rblk_resource *res);

#endif /* RBLK_REPL_HANG_H */

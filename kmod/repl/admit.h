/* SPDX-License-Identifier: GPL-2.0 */
/*
 * admit.h - a write comes in: it is admitted, held or refused.
 */
#ifndef RBLK_REPL_ADMIT_H
#define RBLK_REPL_ADMIT_H

#include <linux/bio.h>
#include <linux/workqueue.h>

struct rblk_volume;

/**
 * rblk_admit_submit - take an application's write, flush, discard or zeroing
 * @volume: its volume, with a reference for the bio
 * @bio: already split to the disk's limits
 *
 * Context: process, as ->submit_bio.
 */
void rblk_admit_submit(struct rblk_volume *volume, struct bio *bio);

/**
 * rblk_admit_copy_work - copy what was held, for the next retry
 * @work: the resource's copy_work
 *
 * May wait for pages that only admitting and completing others frees: nothing
 * else may have to wait for it.
 */
void rblk_admit_copy_work(struct work_struct *work);

/**
 * rblk_admit_retry_work - admit what was held
 * @work: the resource's retry_work
 */
void rblk_admit_retry_work(struct work_struct *work);

#endif /* RBLK_REPL_ADMIT_H */

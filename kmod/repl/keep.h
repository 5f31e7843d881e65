/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keep.h - what a node keeps of a resource on its disks.
 *
 * The record (core/record.h) is on every volume. Whatever it says is durable
 * before it has an effect: a promotion, a promise to a peer, following a
 * primary, being copied to. The memory's state changes first, then
 * rblk_keep_save() brings the disks up to it, then the effect is allowed.
 *
 * Without metadata all of this does nothing and succeeds.
 */
#ifndef RBLK_REPL_KEEP_H
#define RBLK_REPL_KEEP_H

#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "../core/record.h"

struct rblk_resource;
struct rblk_volume;
struct netlink_ext_ack;

/**
 * struct rblk_keep - see above
 * @mutex: one change of the disks at a time; no volume goes away meanwhile.
 *	Inside the configuration lock, outside the log's
 * @saved: what the disks say; under @mutex
 * @failing: the last change did not reach all disks; under @mutex
 *
 * Protected by the log's lock:
 * @clean: nothing is changed on the volumes, and nothing is in flight
 * @led: this node was primary in the last term of its lineage
 * @led_gen: generation in which this node wrote its disks before it was restarted;
 *	0: another node did since, or it is primary again
 * @next_gen: generation of a promotion under way, or 0
 * @next: the lineage that it begins with
 *
 * @work: saves, for those who may not sleep
 */
struct rblk_keep {
	struct mutex mutex; /* see @mutex above */
	struct rblk_record saved;
	bool failing;
	bool clean;
	bool led;
	u64 led_gen;
	u64 next_gen;
	struct rblk_lineage next;
	struct work_struct work;
};

/** rblk_keep_init - of a new resource */
void rblk_keep_init(struct rblk_keep *keep);

/**
 * rblk_keep_is_on - do this resource's volumes have metadata?
 * @res: its configuration lock or its @mutex is held
 */
bool rblk_keep_is_on(struct rblk_resource *res);

/**
 * rblk_keep_load - conclude from all volumes what the node has
 * @res: its configuration lock is held; no link, not primary
 *
 * Sets data, lineage, promise. The caller restarts the applier.
 */
void rblk_keep_load(struct rblk_resource *res);

/**
 * rblk_keep_save - bring the disks up to what memory says
 * @res: its log's lock is not held
 * @position: also when only the position changed
 *
 * Context: process; sleeps.
 * Return: 0 when every volume has it, durably; or an error.
 */
int rblk_keep_save(struct rblk_resource *res, bool position);

/** rblk_keep_save_soon - the same, from any context, with nobody to wait */
void rblk_keep_save_soon(struct rblk_resource *res);

/** rblk_keep_work - bound as work */
void rblk_keep_work(struct work_struct *work);

/**
 * rblk_keep_recorded - a volume's position is on its disk
 * @volume: under the applier's lock
 * @seq: the position
 */
void rblk_keep_recorded(struct rblk_volume *volume, u64 seq);

#endif /* RBLK_REPL_KEEP_H */

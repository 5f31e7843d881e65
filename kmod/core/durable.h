/* SPDX-License-Identifier: GPL-2.0 */
/*
 * durable.h - up to which operation everything is durable on this node.
 *
 * What a device without a volatile cache has completed is durable. On another,
 * a flush covers what had completed when it started, on that device alone. So
 * the position is the lowest over all volumes that have something applied
 * which no flush of theirs covers. It may lag behind the truth (a volume is
 * known only by its last operation and its last flush), never run ahead.
 *
 * No locks: the caller serializes.
 */
#ifndef RBLK_CORE_DURABLE_H
#define RBLK_CORE_DURABLE_H

#include "env.h"
#include "../uapi/rblk.h"

/**
 * struct rblk_durable_volume - a volume whose device has a volatile cache
 * @written: highest seq that was carried out there and is not durable by itself
 * @flushed: everything up to here is durable there
 */
struct rblk_durable_volume {
	u64 written;
	u64 flushed;
};

/**
 * struct rblk_durable - see above
 * @volume: by id; all 0 where the device has no volatile cache
 * @seq: this node's position, as last told
 */
struct rblk_durable {
	struct rblk_durable_volume volume[RBLK_MAX_VOLUMES];
	u64 seq;
};

/**
 * rblk_durable_restart - this node's data is at @seq from now on
 * @durable: zeroed, or in use
 * @seq: the position
 * @volatiles: bit mask of the volumes whose device has a volatile cache
 *
 * If it was elsewhere before, others than the operations told here wrote it,
 * and nothing of it is known to be durable on a volatile device.
 */
void rblk_durable_restart(struct rblk_durable *durable, u64 seq,
			  u64 volatiles);

/**
 * rblk_durable_written - an operation was carried out on a volatile device
 * @durable: in use
 * @volume: id of the volume
 * @seq: the operation, one that is not durable by itself
 * @applied: up to where everything is applied now
 */
void rblk_durable_written(struct rblk_durable *durable, u8 volume, u64 seq,
			  u64 applied);

/**
 * rblk_durable_flushed - a flush of a device has ended
 * @durable: in use
 * @volume: id of the volume
 * @seq: everything up to here had been applied when it started
 */
void rblk_durable_flushed(struct rblk_durable *durable, u8 volume, u64 seq);

/**
 * rblk_durable_position - up to where everything is durable on all volumes
 * @durable: in use
 * @applied: up to where everything is applied
 *
 * Return: the position, at most @applied.
 */
u64 rblk_durable_position(struct rblk_durable *durable, u64 applied);

#endif /* RBLK_CORE_DURABLE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * swap.h - a volume's disk goes, and another one comes, while it is up.
 *
 * Nothing is in flight on the volume at the moment of the change: what the
 * application submits then is parked, for as long as what was in flight takes.
 */
#ifndef RBLK_SWAP_H
#define RBLK_SWAP_H

struct netlink_ext_ack;
struct rblk_volume;
struct rblk_volume_config;

/**
 * rblk_swap_detach - use a volume's disk no more, and give it back
 * @volume: its resource's configuration lock is held
 * @extack: gets the reason of a refusal
 *
 * The application of a primary goes on through its peers.
 *
 * Return: 0; -EALREADY, -EBUSY (the last copy, or in use for a resync); -ETIMEDOUT: it is
 * not used any more, but what it was asked before has not ended.
 */
int rblk_swap_detach(struct rblk_volume *volume,
		     struct netlink_ext_ack *extack);

/**
 * rblk_swap_attach - another disk for a volume whose disk failed or is detached
 * @volume: its resource's configuration lock is held
 * @config: @path, @metadata and @metadata_path are set
 * @extack: gets the reason of a refusal
 *
 * It is not trusted in anything. A backup's data is inconsistent from here on,
 * and the primary copies all of it. A primary fills it from its peers.
 *
 * Return: 0; -EALREADY, -EBUSY, -EINVAL, -ENOSPC, -ETIMEDOUT, or as
 * rblk_volume_create(). Nothing has changed then.
 */
int rblk_swap_attach(struct rblk_volume *volume,
		     struct rblk_volume_config *config,
		     struct netlink_ext_ack *extack);

#endif /* RBLK_SWAP_H */

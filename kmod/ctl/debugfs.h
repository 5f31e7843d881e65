/* SPDX-License-Identifier: GPL-2.0 */
/*
 * debugfs.h - what is in flight and what it waits for; how long writes take.
 *
 * /sys/kernel/debug/rblk/NAMESPACE-RESOURCE/in_flight and latency, for root.
 */
#ifndef RBLK_CTL_DEBUGFS_H
#define RBLK_CTL_DEBUGFS_H

struct rblk_resource;

/** rblk_debugfs_init - make the top directory */
void rblk_debugfs_init(void);

/** rblk_debugfs_exit - remove everything */
void rblk_debugfs_exit(void);

/** rblk_debugfs_add - show a resource */
void rblk_debugfs_add(struct rblk_resource *res);

/** rblk_debugfs_remove - stop showing it; waits for readers */
void rblk_debugfs_remove(struct rblk_resource *res);

#endif /* RBLK_CTL_DEBUGFS_H */

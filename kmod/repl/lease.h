/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lease.h - what the end of a primary's lease means beside the gate.
 */
#ifndef RBLK_REPL_LEASE_H
#define RBLK_REPL_LEASE_H

#include <linux/workqueue.h>

struct rblk_resource;

/**
 * rblk_lease_miss_locked - a request met a primary without a lease
 * @res: its log's lock is held
 *
 * Told once per lease. An idle resource needs no timer: nobody is told, and
 * nobody has to be.
 */
void rblk_lease_miss_locked(struct rblk_resource *res);

/**
 * rblk_lease_work - tell user space
 * @work: the resource's lease_work
 */
void rblk_lease_work(struct work_struct *work);

/**
 * rblk_lease_sync - what found a lease that was set back since has ended
 *
 * Who completes a request looks at the lease and ends the request in one
 * section of RCU. Context: process; sleeps.
 */
void rblk_lease_sync(void);

#endif /* RBLK_REPL_LEASE_H */

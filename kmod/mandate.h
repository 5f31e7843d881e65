/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mandate.h - what user space lets a primary do: its lease and its in-sync set.
 */
#ifndef RBLK_MANDATE_H
#define RBLK_MANDATE_H

#include <linux/types.h>

struct netlink_ext_ack;
struct rblk_resource;

/**
 * struct rblk_mandate - the options of it, and what ends with a demotion
 * @leased: as primary it completes nothing without a lease
 * @lease_error: without one requests fail, and are not held
 * @min_in_sync: writes need so many nodes; 0: any number
 * @min_in_sync_error: with fewer new ones fail, and are not held
 * @lease_ns: of a term: where the lease ends, CLOCK_BOOTTIME; 0: none
 * @in_sync: of a term: nodes that are waited for; 0: those that are connected
 */
struct rblk_mandate {
	bool leased;
	bool lease_error;
	u8 min_in_sync;
	bool min_in_sync_error;
	u64 lease_ns;
	u16 in_sync;
};

/**
 * rblk_mandate_get_locked - as it is now
 * @res: its log's lock is held
 * @mandate: filled
 */
void rblk_mandate_get_locked(const struct rblk_resource *res,
			     struct rblk_mandate *mandate);

/**
 * rblk_mandate_get - as it is now
 * @res: its configuration lock is held
 * @mandate: filled
 */
void rblk_mandate_get(struct rblk_resource *res, struct rblk_mandate *mandate);

/**
 * rblk_mandate_check - may it be set?
 * @res: its configuration lock is held
 * @mandate: what is to be set
 * @extack: gets the reason of a refusal
 *
 * Return: 0, or -EINVAL.
 */
int rblk_mandate_check(const struct rblk_resource *res,
		       const struct rblk_mandate *mandate,
		       struct netlink_ext_ack *extack);

/**
 * rblk_mandate_set - change it, for operations in flight as well
 * @res: its configuration lock is held
 * @mandate: checked
 *
 * Afterwards nothing completes by what was set before.
 */
void rblk_mandate_set(struct rblk_resource *res,
		      const struct rblk_mandate *mandate);

/**
 * rblk_mandate_init_locked - set it without any consequences: nothing is up yet
 * @res: its log's lock is held
 * @mandate: as the resource begins
 */
void rblk_mandate_init_locked(struct rblk_resource *res,
			      const struct rblk_mandate *mandate);

/**
 * rblk_mandate_begin_locked - this node becomes primary
 * @res: its log's lock is held
 * @mandate: checked
 */
void rblk_mandate_begin_locked(struct rblk_resource *res,
			       const struct rblk_mandate *mandate);

/**
 * rblk_mandate_end_locked - this node is not primary any more
 * @res: its log's lock is held
 *
 * Reads that waited for a lease are to be tried again.
 */
void rblk_mandate_end_locked(struct rblk_resource *res);

#endif /* RBLK_MANDATE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ending.h - the end of a resource, which a disk may hold up.
 */
#ifndef RBLK_CTL_ENDING_H
#define RBLK_CTL_ENDING_H

struct netlink_ext_ack;
struct rblk_resource;

/**
 * rblk_ending_begin - end a resource
 * @res: dead, and out of its namespace's list; its last reference is taken over
 * @extack: says what is waited for
 *
 * Context: process; sleeps for seconds at most.
 * Return: 0, or -EINPROGRESS: a thread goes on until the disks have answered.
 */
int rblk_ending_begin(struct rblk_resource *res,
		      struct netlink_ext_ack *extack);

#endif /* RBLK_CTL_ENDING_H */

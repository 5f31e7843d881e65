/* SPDX-License-Identifier: GPL-2.0 */
/*
 * netlink.h - the generic netlink family.
 */
#ifndef RBLK_CTL_NETLINK_H
#define RBLK_CTL_NETLINK_H

/** rblk_netlink_init - serve requests; Return: 0 or a negative errno */
int rblk_netlink_init(void);

/** rblk_netlink_exit - no request is served any more */
void rblk_netlink_exit(void);

#endif /* RBLK_CTL_NETLINK_H */

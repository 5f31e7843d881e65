/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fill.h - objects as netlink attributes.
 */
#ifndef RBLK_CTL_FILL_H
#define RBLK_CTL_FILL_H

struct rblk_peer;
struct rblk_resource;
struct rblk_volume;
struct sk_buff;

/** rblk_fill_resource - a RESOURCE nest; Return: 0 or -EMSGSIZE */
int rblk_fill_resource(struct sk_buff *skb, struct rblk_resource *res);

/** rblk_fill_volume - a VOLUME nest; under RCU; Return: 0 or -EMSGSIZE */
int rblk_fill_volume(struct sk_buff *skb, struct rblk_volume *volume);

/** rblk_fill_peer - a PEER nest; under RCU; Return: 0 or -EMSGSIZE */
int rblk_fill_peer(struct sk_buff *skb, struct rblk_peer *peer);

/** rblk_fill_all - name, resource, volumes, peers; Return: 0 or -EMSGSIZE */
int rblk_fill_all(struct sk_buff *skb, struct rblk_resource *res);

#endif /* RBLK_CTL_FILL_H */

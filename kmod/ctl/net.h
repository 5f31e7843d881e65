/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net.h - the resources of a network namespace.
 */
#ifndef RBLK_CTL_NET_H
#define RBLK_CTL_NET_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>

struct net;
struct rblk_resource;

/**
 * struct rblk_net - per namespace
 * @lock: protects @resources; before a resource's configuration lock
 * @resources: of struct rblk_resource
 * @serial: of the last event
 */
struct rblk_net {
	struct mutex lock; /* protects @resources */
	struct list_head resources;
	atomic64_t serial;
};

/** rblk_net_of - the namespace's part */
struct rblk_net *rblk_net_of(struct net *net);

/** rblk_net_init - start serving namespaces; Return: 0 or a negative errno */
int rblk_net_init(void);

/** rblk_net_exit - end every resource in every namespace */
void rblk_net_exit(void);

#endif /* RBLK_CTL_NET_H */

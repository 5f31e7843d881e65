// SPDX-License-Identifier: GPL-2.0
/*
 * net.c - the resources of a network namespace.
 */
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "debugfs.h"
#include "net.h"
#include "../resource.h"

static unsigned int net_id;

struct rblk_net *rblk_net_of(struct net *net)
{
	return net_generic(net, net_id);
}

static int __net_init net_init(struct net *net)
{
	struct rblk_net *rnet = rblk_net_of(net);

	mutex_init(&rnet->lock);
	INIT_LIST_HEAD(&rnet->resources);
	return 0;
}

static void __net_exit net_exit(struct net *net)
{
	struct rblk_net *rnet = rblk_net_of(net);
	struct rblk_resource *res, *tmp;

	/* Nobody else can reach this namespace any more. */
	list_for_each_entry_safe(res, tmp, &rnet->resources, node) {
		list_del(&res->node);
		rblk_debugfs_remove(res);
		rblk_resource_destroy(res);
	}
	mutex_destroy(&rnet->lock);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit = net_exit,
	.id = &net_id,
	.size = sizeof(struct rblk_net),
};

int rblk_net_init(void)
{
	return register_pernet_subsys(&net_ops);
}

void rblk_net_exit(void)
{
	unregister_pernet_subsys(&net_ops);
}

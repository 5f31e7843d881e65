// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - load and unload.
 */
#include <linux/module.h>
#include <net/genetlink.h>

#include "ctl/debugfs.h"
#include "ctl/net.h"
#include "ctl/netlink.h"
#include "resource.h"
#include "net/sock.h"
#include "repl/apply.h"
#include "repl/chunk.h"
#include "repl/read.h"
#include "repl/write.h"
#include "store/pages.h"

static int __init rblk_init(void)
{
	int err;

	err = rblk_pages_init();
	if (err)
		return err;
	err = rblk_sock_init();
	if (err)
		goto err_pages;
	err = rblk_read_init();
	if (err)
		goto err_sock;
	err = rblk_write_init();
	if (err)
		goto err_read;
	err = rblk_apply_init();
	if (err)
		goto err_write;
	err = rblk_chunk_init();
	if (err)
		goto err_apply;
	err = rblk_resource_init();
	if (err)
		goto err_chunk;
	rblk_debugfs_init();
	err = rblk_net_init();
	if (err)
		goto err_debugfs;
	err = rblk_netlink_init();
	if (err)
		goto err_net;
	return 0;

err_net:
	rblk_net_exit();
err_debugfs:
	rblk_debugfs_exit();
	rblk_resource_exit();
err_chunk:
	rblk_chunk_exit();
err_apply:
	rblk_apply_exit();
err_write:
	rblk_write_exit();
err_read:
	rblk_read_exit();
err_sock:
	rblk_sock_exit();
err_pages:
	rblk_pages_exit();
	return err;
}

static void __exit rblk_exit(void)
{
	rblk_netlink_exit();
	rblk_net_exit();
	rblk_debugfs_exit();
	rblk_resource_exit();
	rblk_chunk_exit();
	rblk_apply_exit();
	rblk_write_exit();
	rblk_read_exit();
	rblk_sock_exit();
	rblk_pages_exit();
}

module_init(rblk_init);
module_exit(rblk_exit);

MODULE_DESCRIPTION("Replicated block devices");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY("rblk");
MODULE_SOFTDEP("pre: libcrc32c");

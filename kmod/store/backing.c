// SPDX-License-Identifier: GPL-2.0
/*
 * backing.c - the block device under a volume.
 */
#include <linux/err.h>
#include <linux/netlink.h>
#include <linux/string.h>

#include "backing.h"

static void explain(int err, struct netlink_ext_ack *extack)
{
	switch (err) {
	case -ENOENT:
		NL_SET_ERR_MSG(extack, "backing device does not exist");
		break;
	case -ENOTBLK:
		NL_SET_ERR_MSG(extack, "backing device is not a block device");
		break;
	case -EBUSY:
		NL_SET_ERR_MSG(extack, "backing device is in use: unmount it or stop its user");
		break;
	case -EROFS:
	case -EACCES:
		NL_SET_ERR_MSG(extack, "backing device is read-only");
		break;
	default:
		NL_SET_ERR_MSG(extack, "backing device cannot be opened");
		break;
	}
}

int rblk_backing_open(struct rblk_backing *backing, const char *path,
		      void *holder, struct netlink_ext_ack *extack)
{
	struct rblk_bdev_handle *handle;

	handle = rblk_handle_open(path, holder);
	if (IS_ERR(handle)) {
		explain(PTR_ERR(handle), extack);
		return PTR_ERR(handle);
	}
	backing->handle = handle;
	backing->bdev = rblk_handle_bdev(handle);
	if (bdev_read_only(backing->bdev)) {
		explain(-EROFS, extack);
		rblk_backing_close(backing);
		return -EROFS;
	}
	backing->data_sect = 0;
	backing->size_sects = bdev_nr_sectors(backing->bdev);
	if (!backing->size_sects) {
		NL_SET_ERR_MSG(extack, "backing device has no size");
		rblk_backing_close(backing);
		return -ENXIO;
	}
	backing->volatile_cache = bdev_write_cache(backing->bdev);
	strscpy(backing->path, path, sizeof(backing->path));
	return 0;
}

void rblk_backing_close(struct rblk_backing *backing)
{
	if (!backing->handle)
		return;
	rblk_handle_close(backing->handle);
	backing->handle = NULL;
	backing->bdev = NULL;
}

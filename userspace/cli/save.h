/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * save.h - archive what this node's volumes hold, before it is given up
 */
#ifndef RBLK_SAVE_H
#define RBLK_SAVE_H

#include "kmsg.h"

/*
 * Write an archive of all volumes of @state, a backup that nobody writes to,
 * to @path, which must not exist. It is there whole and durable, or not at all.
 * 0, or an exit code after a message.
 */
int rblk_save(const struct rblk_kstate *state, const struct rblk_kpeer *winner,
	      const char *path);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork.h - how two nodes' data parted, in words
 */
#ifndef RBLK_FORK_H
#define RBLK_FORK_H

#include "kmsg.h"

#define RBLK_FORK_SIZE	512

/*
 * @reason as the kernel gave it, and where a fork is known: who wrote what after
 * it, as primary since when. @me: name of this node. Returns @buf.
 */
const char *rblk_fork_explain(char *buf, size_t size, const char *me,
			      const struct rblk_kpeer *peer,
			      const char *reason);

#endif

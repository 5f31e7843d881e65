/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.h - the shell towards the module: requests and events
 */
#ifndef RBLK_KERNEL_H
#define RBLK_KERNEL_H

#include "engine.h"

#include <uv.h>

struct rblk_kernel {
	struct rblk_engine *engine;
	struct rblk_genl requests;
	struct rblk_genl events;
	uv_poll_t poll;
	bool is_open;
};

/* Nothing happens if it is open already. */
int rblk_kernel_open(struct rblk_kernel *k, uv_loop_t *loop,
		     struct rblk_engine *engine, struct rblk_genl_error *err);
void rblk_kernel_close(struct rblk_kernel *k);

#endif

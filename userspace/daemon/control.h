/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.h - the shell towards the command: one JSON request per line
 */
#ifndef RBLK_CONTROL_H
#define RBLK_CONTROL_H

#include "engine.h"

#include <uv.h>

struct rblk_control {
	uv_loop_t *loop;
	struct rblk_engine *engine;
	uv_pipe_t server;
	struct rblk_control_client *first;
	unsigned int clients;
	bool open;
};

/* Listen in @run_dir; 0 or a negative errno. */
int rblk_control_open(struct rblk_control *c, uv_loop_t *loop,
		      struct rblk_engine *engine, const char *run_dir);
void rblk_control_close(struct rblk_control *c);

#endif

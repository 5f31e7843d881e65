/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jobs.h - requests to the module that may wait, beside the loop
 *
 * A promotion waits for a backlog to be applied, a detach for a command that
 * somebody else has under way. Each resource has a queue of its own, in order,
 * and a thread while there is something in it.
 */
#ifndef RBLK_JOBS_H
#define RBLK_JOBS_H

#include "engine.h"

#include <uv.h>

struct rblk_jobs_queue;

struct rblk_jobs {
	struct rblk_engine *engine;
	uv_async_t ended;
	uv_mutex_t mutex;		/* protects what follows, and the queues */
	struct rblk_jobs_queue *queues;
	struct rblk_job *done;		/* newest first */
};

int rblk_jobs_open(struct rblk_jobs *jobs, uv_loop_t *loop,
		   struct rblk_engine *engine);

/* Have @job done; rblk_job_done() is called from the loop. */
void rblk_jobs_submit(struct rblk_jobs *jobs, struct rblk_job *job);

#endif

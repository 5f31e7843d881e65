/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fence.h - switch nodes off, by the fence agents of the configuration
 *
 * An agent is told "off", and when it says that it did that it is asked for the
 * status. Only if that is off as well the node counts as off. Agents speak the
 * protocol of the fence-agents packages: name=value lines on standard input, exit
 * code 0 for done; for a status 0 is on and 2 is off.
 */
#ifndef RBLK_FENCE_H
#define RBLK_FENCE_H

#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define RBLK_FENCE_PAUSE_MS	1000	/* before an agent is run again */

/* Ends a run: is the node off, and how that went, in words. */
typedef void (*rblk_fence_done_fn)(void *ctx, uint8_t node, bool off,
				   const char *text);

/* Is it still to be done. Asked before an agent is told to switch a node off. */
typedef bool (*rblk_fence_wanted_fn)(void *ctx, uint8_t node);

struct rblk_fence_run;

/**
 * struct rblk_fences - the nodes that are being switched off
 * @loop: of the daemon
 * @done: called at the end of each run
 * @wanted: NULL: always
 * @ctx: for both
 * @runs: under way, at most one per node
 */
struct rblk_fences {
	uv_loop_t *loop;
	rblk_fence_done_fn done;
	rblk_fence_wanted_fn wanted;
	void *ctx;
	struct rblk_fence_run *runs;
};

/**
 * rblk_fences_init - nobody is being switched off
 * @f: filled in
 * @loop: of the daemon
 * @done: see struct rblk_fences
 * @wanted: likewise
 * @ctx: for both
 */
void rblk_fences_init(struct rblk_fences *f, uv_loop_t *loop,
		      rblk_fence_done_fn done, rblk_fence_wanted_fn wanted,
		      void *ctx);

/**
 * rblk_fences_start - switch a node off
 * @f: it does it
 * @node: whom; what it says is copied
 *
 * First waits for node->fence_delay_ms. Then level by level: all of a level must be
 * off, each after at most 1 + retries attempts. A level that needs a person fails, and
 * says so: who confirms does it elsewhere. Ends in one call of @done, from the loop;
 * early when it is not wanted any more, but an agent that runs is not interrupted. If
 * a run for this node is under way nothing is started.
 */
void rblk_fences_start(struct rblk_fences *f,
		       const struct rblk_config_node *node);

/**
 * rblk_fences_close - leave all nodes alone, as far as that is still possible
 * @f: it
 *
 * Agents are killed, and nothing is reported. What they did is done.
 */
void rblk_fences_close(struct rblk_fences *f);

#endif

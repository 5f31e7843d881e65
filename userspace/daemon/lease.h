/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lease.h - the shell that tells the module of leases
 *
 * A thread with a socket of its own: neither the loop nor the jobs of a resource,
 * which may wait for minutes, hold a lease up.
 */
#ifndef RBLK_LEASE_H
#define RBLK_LEASE_H

#include "engine.h"

#include <uv.h>

/**
 * struct rblk_leases - the thread and what it is to do
 * @engine: gets rblk_failover_lease_set()
 * @ended: wakes the loop
 * @turn_ends: what is to be told is handed over together, at the end of the loop's turn
 * @mutex: protects what follows
 * @wanted: signals @todo
 * @todo: what the module is to be told, one per resource
 * @done: what it was told
 * @stop: the thread is to end
 * @thread: it
 */
struct rblk_leases {
	struct rblk_engine *engine;
	uv_async_t ended;
	uv_prepare_t turn_ends;
	uv_mutex_t mutex;
	uv_cond_t wanted;
	struct rblk_lease_item *todo;
	struct rblk_lease_item *done;
	bool stop;
	uv_thread_t thread;
};

/**
 * rblk_leases_open - start the thread
 * @l: filled in
 * @loop: libuv's
 * @engine: gets the answers
 *
 * Return: 0 or a negative errno.
 */
int rblk_leases_open(struct rblk_leases *l, uv_loop_t *loop,
		     struct rblk_engine *engine);

/**
 * rblk_leases_set - tell the module, in this turn of the loop; that there is none: now
 * @l: the thread
 * @resource: of which resource
 * @until_ms: CLOCK_BOOTTIME; 0: there is no lease
 *
 * Replaces what it was not told yet. Answered by rblk_failover_lease_set().
 */
void rblk_leases_set(struct rblk_leases *l, const char *resource,
		     uint64_t until_ms);

/**
 * rblk_leases_close - end the thread
 * @l: the thread
 */
void rblk_leases_close(struct rblk_leases *l);

#endif

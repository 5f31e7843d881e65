// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * run.c - what goes on by itself: heartbeats, and resources that fail over
 *
 * Each report of a shell ends here. Whatever follows from it is done at once, and
 * what falls due later wakes the engine.
 */
#include "engine.h"

#include "failover.h"
#include "log.h"
#include "sockopt.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* ---- what the cluster can have done ---- */

static uint64_t cluster_now(void *ctx)
{
	struct rblk_engine *e = ctx;

	return e->ops->boottime_us(e->ctx);
}

static uint64_t cluster_random(void *ctx)
{
	struct rblk_engine *e = ctx;

	return e->ops->token(e->ctx);
}

static bool cluster_send(void *ctx, uint8_t node, unsigned int path,
			 const uint8_t *bytes, size_t n)
{
	struct rblk_engine *e = ctx;
	const struct rblk_config_node *to = rblk_config_node_by_id(e->config,
								   node);

	return to && e->ops->send(e->ctx, path, path ? &to->addr2 : &to->addr,
				  bytes, n);
}

static void cluster_told(void *ctx, uint8_t node,
			 const struct rblk_beat_body *body)
{
	rblk_failover_told(ctx, node, body);
}

static void cluster_met(void *ctx, uint8_t node)
{
	rblk_failover_met(ctx, node);
}

static uint64_t cluster_held(void *ctx, uint8_t node)
{
	return rblk_failover_held(ctx, node);
}

static const struct rblk_cluster_ops cluster_ops = {
	.now_us = cluster_now, .random = cluster_random, .send = cluster_send,
	.told = cluster_told, .met = cluster_met,
	.held = cluster_held,
};

/* ---- configuration ---- */

static void listen_on(struct rblk_engine *e, unsigned int path,
		      const struct sockaddr_storage *addr)
{
	static const struct sockaddr_storage nowhere;
	char name[80];
	int rc;

	if (memcmp(&e->udp_addr[path], addr ? addr : &nowhere,
		   sizeof(nowhere)) == 0)
		return;
	rc = e->ops->listen_udp(e->ctx, path, addr);
	if (rc == 0)
		e->udp_addr[path] = addr ? *addr : nowhere;
	else
		rblk_log(RBLK_LOG_ERROR, NULL, NULL,
			 "cannot receive heartbeats on %s: %s",
			 rblk_sockopt_name(addr, rblk_sockopt_len(addr), name,
					   sizeof(name)), strerror(-rc));
}

/* Also on a node that votes on nothing: the others want to hear of it. */
static bool is_automatic(const struct rblk_engine *e)
{
	size_t i;

	for (i = 0; i < e->config->resources_n; i++)
		if (e->config->resources[i].failover.automatic)
			return true;
	return e->failovers;
}

void rblk_engine_follow(struct rblk_engine *e)
{
	bool on;

	rblk_failover_configure(e);
	on = is_automatic(e);
	e->cluster.ops = &cluster_ops;
	e->cluster.ctx = e;
	rblk_cluster_configure(&e->cluster, e->config, e->node, e->key,
			       e->key_len, on);
	listen_on(e, 0, on ? &e->node->addr : NULL);
	listen_on(e, 1, on && e->node->address2 ? &e->node->addr2 : NULL);
	rblk_engine_run(e);
}

/* ---- running ---- */

static uint64_t run_once(struct rblk_engine *e)
{
	uint64_t beat_us = e->cluster.beat_us;
	uint64_t wake_us = rblk_cluster_tick(&e->cluster);
	uint64_t wake_ms;

	if (e->cluster.beat_us != beat_us)
		rblk_failover_beat(e);
	if (e->cluster.changed)
		rblk_failover_due(e, NULL);
	e->cluster.changed = false;
	wake_ms = rblk_failover_run(e);
	rblk_cluster_flush(&e->cluster);
	if (wake_ms < wake_us / 1000)
		wake_us = wake_ms * 1000;
	return wake_us;
}

void rblk_engine_run(struct rblk_engine *e)
{
	if (!e->cluster.on && !e->failovers) {
		e->wake_us = 0;		/* else the last time would stay due */
		return;
	}
	/* called by what it calls: once more, afterwards */
	e->run_again = true;
	if (e->is_running)
		return;
	e->is_running = true;
	while (e->run_again) {
		e->run_again = false;
		e->wake_us = run_once(e);
	}
	e->is_running = false;
	rblk_engine_schedule(e);
}

void rblk_engine_datagram(struct rblk_engine *e, const uint8_t *bytes, size_t n)
{
	rblk_cluster_receive(&e->cluster, bytes, n);
	rblk_engine_run(e);
}

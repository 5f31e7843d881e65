/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view.h - one look at all resources: what the kernel says, and what the
 * daemon knows of links that are not connected. Printing it is pure.
 */
#ifndef RBLK_VIEW_H
#define RBLK_VIEW_H

#include "kmsg.h"

#include <jansson.h>
#include <stdio.h>

struct rblk_view {
	struct rblk_kstate *states;
	size_t n;
	bool daemon_runs;
	bool daemon_unknown;		/* not permitted to ask */
	const json_t *links;		/* "results" of the daemon, or NULL */
	const json_t *failover;		/* likewise; one per automatic resource */
	const json_t *cluster;		/* heartbeats, or NULL */
};

enum rblk_health {
	RBLK_HEALTHY,
	RBLK_DEGRADED,		/* works, but with less protection */
	RBLK_FAILED,		/* does not work here, or must not be relied on */
};

/* The daemon's entry for a link, or NULL. */
const json_t *rblk_view_link(const struct rblk_view *view,
			     const char *resource, unsigned int peer);

/* The daemon's entry for a resource that fails over automatically, or NULL. */
const json_t *rblk_view_failover(const struct rblk_view *view,
				 const char *resource);

/* By the kernel alone, and by all that is known. */
enum rblk_health rblk_view_health(const struct rblk_kstate *state);
enum rblk_health rblk_view_worst(const struct rblk_view *view,
				 const struct rblk_kstate *state);
/* Of those on which this node only votes; @only: a name, or NULL. */
bool rblk_view_is_witness(const struct rblk_view *view, const char *resource);
enum rblk_health rblk_view_worst_witness(const struct rblk_view *view,
					 const char *only);
const char *rblk_health_name(enum rblk_health health);

/* Each line: what is wrong and what to do. NULL after the last one. */
#define RBLK_MAX_ADVICE	8
struct rblk_advice {
	char text[RBLK_MAX_ADVICE][512];
	size_t n;
};
void rblk_view_advise(const struct rblk_view *view,
		      const struct rblk_kstate *state,
		      struct rblk_advice *advice);

/* How long a resync takes from now on; false: nobody knows. */
bool rblk_view_eta(const struct rblk_kpeer *p, uint64_t *seconds);
/* "12 MiB left, 3 MiB/s, 0:00:04 to go", or that it is paused. */
void rblk_view_print_rate(const struct rblk_kpeer *p, FILE *to);

/* Lines of status: of a resource, of those that are not up here, of the nodes. */
void rblk_view_print_failover(const struct rblk_view *view,
			      const char *resource, FILE *to);
void rblk_view_print_witness(const struct rblk_view *view, const char *only,
			     FILE *to);
void rblk_view_print_cluster(const struct rblk_view *view, FILE *to);

/* One record of rblk.history/1. */
void rblk_view_print_record(const json_t *record, FILE *to);

void rblk_view_print(const struct rblk_view *view, FILE *to);
json_t *rblk_view_json(const struct rblk_view *view);

/* Objects of one event or of one state, shared with rblk.event/1. */
json_t *rblk_json_resource(const struct rblk_kresource *r);
json_t *rblk_json_volume(const struct rblk_kvolume *v);
json_t *rblk_json_peer(const struct rblk_kpeer *p);

/* count, p50_us and p99_us of each stage of a write. */
json_t *rblk_json_latency(const uint64_t (*counts)[RBLK_LATENCY_BUCKETS]);

#endif

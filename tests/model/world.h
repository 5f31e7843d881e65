/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world.h - the arbiter's core with all that may happen to it: nodes that crash,
 * restart, come back with an old store, are switched off; messages that are lost,
 * doubled, late, out of order; clocks that drift.
 *
 * Messages are a set that only grows: each may be delivered at any time, again,
 * or never. One that could not matter any more is taken out.
 *
 * A clock ticks by itself, and is never more than one tick ahead of another: over
 * any span two clocks part by two ticks at most, which is the margin. All times
 * are kept relative to their clock, so time does not make states differ.
 */
#ifndef RBLK_MODEL_WORLD_H
#define RBLK_MODEL_WORLD_H

#include "rules.h"
#include "arbiter.h"

#include <stddef.h>

#define NODES		3
#define MSGS		64
#define VERSIONS	16
#define PACKED_MAX	1024

#define LEASE		1
#define MARGIN		2

enum what {
	TICK,
	DELIVER,	/* a: index of the message */
	CRASH,
	START,
	RESTORE,
	FENCE_ASK,	/* a asks that b is switched off */
	FENCE_DO,
	FENCE_SAY,
	PROPOSE,	/* a; b: change, c: mask */
	RENEW,
	WRITE,
	EVENTS,
};

struct event {
	uint8_t what, a, b, c;
};

/* Which of it happens, and how often at most. */
struct limits {
	const char *name;
	uint8_t nodes;
	uint8_t data;		/* who holds data; all vote */
	uint8_t depth;
	uint8_t time;
	uint8_t often[EVENTS];
	uint8_t voter_changes;
	uint8_t refusals;	/* else a refusal is always lost */
	/* What has happened before, as world_say(); DELIVER: type, from, to. */
	const struct event *before;
	uint8_t nr_before;
};

struct node {
	struct rblk_arbiter arbiter;
	struct rblk_arbiter_store disk;
	bool up;
	bool restored;
	uint8_t data;
	uint64_t clock;
};

struct world {
	struct node node[NODES];
	uint8_t fence[NODES][NODES];	/* 0, or the event that comes next */
	uint8_t nr_msgs;
	struct rblk_arbiter_msg msg[MSGS];
	uint8_t used[EVENTS];
	/* what an observer outside knows */
	uint16_t chosen[VERSIONS];	/* record by version, 0: not seen yet */
	uint8_t led[VERSIONS];		/* node + 1 by generation */
	uint8_t acked;
	const char *broken;
};

void world_first(struct world *w, const struct limits *lim);

/* All that may happen next. Returns how many. */
unsigned int world_events(const struct world *w, const struct limits *lim,
			  struct event *list, unsigned int max);

/* It happens. Then w->broken names the invariant that does not hold, or is NULL. */
void world_step(struct world *w, const struct limits *lim, struct event event);

/* As few bytes as possible, the same for worlds without a difference. */
size_t world_pack(struct world *w, const struct limits *lim, uint8_t *bytes);
void world_unpack(struct world *w, const struct limits *lim, const uint8_t *bytes);

void world_say(const struct world *w, const struct limits *lim, struct event event,
	       char *text, size_t size);

#endif /* RBLK_MODEL_WORLD_H */

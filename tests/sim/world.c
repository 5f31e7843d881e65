// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * world.c - the queue of what happens, clocks, the network, faults
 */
#include "sim.h"

#include "prng.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t random_below(struct world *w, uint64_t limit)
{
	__u64 state = w->random, got = prng_below(&state, limit);

	w->random = state;
	return got;
}

bool chance(struct world *w, unsigned int percent)
{
	return random_below(w, 100) < percent;
}

void say(const struct world *w, int node, const char *format, ...)
{
	va_list args;

	if (!w->trace)
		return;
	printf("%8.3f ", w->now / 1e6);
	if (node >= 0)
		printf("%c: ", 'A' + node);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* ---- clocks */

uint64_t local_us(const struct world *w, uint8_t node)
{
	return w->node[node].offset + (uint64_t)(w->now * w->node[node].rate);
}

uint64_t local_ms(const struct world *w, uint8_t node)
{
	return local_us(w, node) / 1000;
}

/* The first moment at which the node's clock says that. */
uint64_t global_of_ms(const struct world *w, uint8_t node, uint64_t ms)
{
	const struct node *n = &w->node[node];

	if (ms * 1000 <= local_us(w, node))
		return w->now;
	return (uint64_t)((ms * 1000 - n->offset) / n->rate) + 2;
}

/* ---- the queue: a heap */

static bool is_before(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void swap(struct event *a, struct event *b)
{
	struct event c = *a;

	*a = *b;
	*b = c;
}

static void sift_up(struct event *q, size_t i)
{
	for (; i && is_before(&q[i], &q[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&q[i], &q[(i - 1) / 2]);
}

static void sift_down(struct event *q, size_t nr)
{
	size_t i = 0, child;

	for (;;) {
		child = 2 * i + 1;
		if (child >= nr)
			return;
		if (child + 1 < nr && is_before(&q[child + 1], &q[child]))
			child++;
		if (!is_before(&q[child], &q[i]))
			return;
		swap(&q[i], &q[child]);
		i = child;
	}
}

/* What is returned may be filled in until the next post; but for @at. */
struct event *post(struct world *w, uint64_t at, enum event_kind kind, uint8_t node)
{
	struct event *e;
	size_t i;

	if (w->nr_events == w->max_events) {
		w->max_events = w->max_events ? 2 * w->max_events : 256;
		w->queue = realloc(w->queue, w->max_events * sizeof(*e));
		if (!w->queue)
			abort();
	}
	i = w->nr_events++;
	e = &w->queue[i];
	memset(e, 0, sizeof(*e));
	e->at = at > w->now ? at : w->now;
	e->order = w->order++;
	e->kind = kind;
	e->node = node;
	sift_up(w->queue, i);
	/* It moved: its number finds it on the way to the top. */
	for (;; i = (i - 1) / 2)
		if (w->queue[i].order == w->order - 1)
			return &w->queue[i];
}

static struct event take(struct world *w)
{
	struct event e = w->queue[0];

	w->queue[0] = w->queue[--w->nr_events];
	sift_down(w->queue, w->nr_events);
	return e;
}

/* ---- the network */

bool net_is_cut(const struct world *w, uint8_t from, uint8_t to)
{
	return w->cut[from][to];
}

static void cut_one(struct world *w, uint8_t from, uint8_t to, int change)
{
	if (from == to)
		return;
	w->cut[from][to] += change;
	if (change > 0 && w->cut[from][to] == 1)
		w->cut_since[from][to] = w->now;
}

static void cut(struct world *w, const struct fault *f, int change)
{
	uint8_t i;

	for (i = 0; i < w->nodes; i++) {
		if (f->a != f->b && i != f->b)
			continue;
		cut_one(w, f->a, i, change);
		if (f->kind != FAULT_ONE_WAY)
			cut_one(w, i, f->a, change);
	}
}

/* ---- machines */

static void boot(struct world *w, uint8_t node)
{
	if (w->node[node].on)
		return;
	say(w, node, "boots");
	w->node[node].on = true;
	w->node[node].paused_until = 0;
	kernel_boot(w, node);
	daemon_start(w, node);
}

void machine_off(struct world *w, uint8_t node, bool power, uint64_t back_at)
{
	struct node *n = &w->node[node];
	struct kernel *k = &n->kernel;
	uint32_t kept;

	post(w, back_at, EV_BOOT, node);
	if (!n->on)
		return;
	say(w, node, power ? "loses power" : "crashes");
	daemon_stop(w, node);
	kernel_stop(w, node);
	n->on = false;
	k->unclean = true;
	if (!power || k->len == k->durable)
		return;
	kept = k->durable + random_below(w, k->len - k->durable + 1);
	if (kept < k->len) {
		say(w, node, "lost operations %u to %u", kept, k->len - 1);
		n->lost_at = w->now;
		k->len = kept;
	}
}

/* ---- faults */

static const char *const fault_names[FAULT_KINDS] = {
	[FAULT_CRASH] = "crash of", [FAULT_POWER] = "power cut of",
	[FAULT_DAEMON] = "death of the daemon of", [FAULT_PAUSE] = "pause of",
	[FAULT_CUT] = "network cut of", [FAULT_ONE_WAY] = "one-way cut from",
	[FAULT_FLAP] = "flapping network of", [FAULT_LOSSY] = "lossy network",
	[FAULT_SLOW_DISK] = "slow disk of", [FAULT_STORE] = "lost register of",
	[FAULT_AGENT] = "fence agents of",
	[FAULT_ASK_PROMOTE] = "admin promotes", [FAULT_ASK_AWAY] = "admin evicts",
	[FAULT_SLOW_LINK] = "slow link from", [FAULT_ACKS] = "acks configured at",
};

static const char *const agent_names[AGENT_MODES] = {
	"work", "fail", "hang", "are late", "are slow",
};

void fault_text(const struct fault *f, char *text, size_t size)
{
	int n = snprintf(text, size, "%7.3f s: %s %c", f->at / 1e6, fault_names[f->kind],
			 'A' + f->a);

	if (f->kind == FAULT_AGENT)
		n += snprintf(text + n, size - n, " %s", agent_names[f->b % AGENT_MODES]);
	else if ((f->kind == FAULT_CUT || f->kind == FAULT_ONE_WAY ||
		  f->kind == FAULT_FLAP || f->kind == FAULT_SLOW_LINK) && f->a != f->b)
		n += snprintf(text + n, size - n, " and %c", 'A' + f->b);
	snprintf(text + n, size - n, ", for %.3f s", f->us / 1e6);
}

void world_plan(struct world *w, uint64_t seed)
{
	static const uint8_t often[FAULT_KINDS] = {
		[FAULT_CRASH] = 3, [FAULT_POWER] = 3, [FAULT_DAEMON] = 3,
		[FAULT_PAUSE] = 2, [FAULT_CUT] = 4, [FAULT_ONE_WAY] = 3,
		[FAULT_FLAP] = 1, [FAULT_LOSSY] = 2, [FAULT_SLOW_DISK] = 2,
		[FAULT_STORE] = 1, [FAULT_AGENT] = 3, [FAULT_ASK_PROMOTE] = 2, [FAULT_ASK_AWAY] = 1,
		[FAULT_SLOW_LINK] = 2, [FAULT_ACKS] = 1,
	};
	unsigned int i, total = 0, kind, at;
	struct fault *f;

	w->random = seed * 0x9e3779b97f4a7c15ULL + 1;
	for (i = 0; i < FAULT_KINDS; i++)
		total += often[i];
	switch (random_below(w, 5)) {
	case 0:
		w->nodes = 2;
		w->data = 3;
		w->fenceable = 3;
		break;
	case 1:
	case 2:
		w->nodes = 3;
		w->data = 3;
		w->fenceable = chance(w, 50) ? 3 : 0;
		break;
	default:
		w->nodes = 3;
		w->data = 7;
		w->fenceable = chance(w, 50) ? 7 : 0;
		break;
	}
	w->min_in_sync = chance(w, 15) ? 2 : 0;
	w->acks = w->data == 7 && chance(w, 60) ? 1 : 0;
	w->nr_faults = 1 + random_below(w, 9);
	for (i = 0; i < w->nr_faults; i++) {
		f = &w->fault[i];
		at = random_below(w, total);
		for (kind = 0; at >= often[kind]; kind++)
			at -= often[kind];
		f->kind = kind;
		f->a = random_below(w, w->nodes);
		f->b = random_below(w, w->nodes);
		f->at = 1500 * MS + random_below(w, FAULTS_END - 2000 * MS);
		/* Some are close together. */
		if (i && chance(w, 40))
			f->at = w->fault[i - 1].at + random_below(w, 400 * MS);
		if (f->at > FAULTS_END - 100 * MS)
			f->at = FAULTS_END - 100 * MS;
		f->us = 20 * MS + random_below(w, chance(w, 50) ? 800 * MS : 5 * SECOND);
		if (f->kind == FAULT_AGENT) {
			f->b = random_below(w, AGENT_MODES);
			f->us = FAULTS_END;
		}
		if (f->at + f->us > FAULTS_END)
			f->us = FAULTS_END - f->at;
	}
	if (w->data == 7 && !w->acks && chance(w, 50))
		w->asynchronous = BIT(random_below(w, w->nodes));
}

/*
 * Of three voters one, and not the last one in sync: those who are left could not mend
 * that, but an admin by force.
 */
/* Is there another whose data is good, whatever is chosen of what was asked for? */
static bool is_the_last(const struct world *w, uint8_t node)
{
	uint16_t others = check_newest(w)->insync & ~BIT(node);
	uint8_t i;

	for (i = 0; i < w->nodes; i++) {
		others &= w->node[i].disk.record.insync &
			  w->node[i].daemon.arbiter.store.record.insync;
		if (w->node[i].kernel.inconsistent)
			others &= ~BIT(i);
	}
	return !others;
}

static void lose_store(struct world *w, const struct fault *f)
{
	struct node *n = &w->node[f->a];

	machine_off(w, f->a, false, f->at + f->us);
	if (w->nodes < 3 || w->lost_a_store || is_the_last(w, f->a))
		return;
	w->lost_a_store = true;
	/* A store that is not of this instance is not used. */
	if (SIM_RULE(OWN_STORE))
		n->has_store = false;
	else
		n->disk = w->first;
}

static void fault_begins(struct world *w, const struct fault *f)
{
	struct node *n = &w->node[f->a];
	char text[100];

	fault_text(f, text, sizeof(text));
	say(w, -1, "---- %s", text + 11);
	switch (f->kind) {
	case FAULT_CRASH:
	case FAULT_POWER:
		machine_off(w, f->a, f->kind == FAULT_POWER, f->at + f->us);
		break;
	case FAULT_STORE:
		lose_store(w, f);
		break;
	case FAULT_DAEMON:
		if (n->daemon.up) {
			daemon_stop(w, f->a);
			post(w, w->now + f->us / 4, EV_DAEMON_START, f->a);
		}
		break;
	case FAULT_PAUSE:
		n->paused_until = f->at + f->us;
		break;
	case FAULT_CUT:
	case FAULT_ONE_WAY:
	case FAULT_FLAP:
		cut(w, f, 1);
		break;
	case FAULT_LOSSY:
		w->lossy++;
		break;
	case FAULT_SLOW_DISK:
		n->slow_until = f->at + f->us;
		break;
	case FAULT_AGENT:
		n->agent = f->b % AGENT_MODES;
		break;
	case FAULT_SLOW_LINK:
		w->slow[f->a][f->b]++;
		break;
	case FAULT_ACKS:
		n->acks = w->asynchronous ? 0 : f->b % 2;
		n->daemon.policy.config.acks = n->acks;
		break;
	case FAULT_ASK_PROMOTE:
		if (n->daemon.up && w->data & BIT(f->a))
			n->daemon.request = RBLK_POLICY_WANT_PROMOTE;
		break;
	case FAULT_ASK_AWAY:
		if (n->daemon.up)
			n->daemon.request = RBLK_POLICY_WANT_AWAY;
		break;
	case FAULT_KINDS:
		break;
	}
	if (n->daemon.up)
		daemon_look(w, f->a);
}

static void fault_ends(struct world *w, const struct fault *f)
{
	if (f->kind == FAULT_CUT || f->kind == FAULT_ONE_WAY || f->kind == FAULT_FLAP)
		cut(w, f, -1);
	else if (f->kind == FAULT_LOSSY)
		w->lossy--;
	else if (f->kind == FAULT_SLOW_LINK)
		w->slow[f->a][f->b]--;
	else if (f->kind == FAULT_AGENT)
		w->node[f->a].agent = AGENT_WORKS;
}

/* A flapping network is cut, and cut again. */
static void post_faults(struct world *w)
{
	unsigned int i;
	uint64_t at;

	for (i = 0; i < w->nr_faults; i++) {
		struct fault *f = &w->fault[i];
		uint64_t step = f->kind == FAULT_FLAP ? 350 * MS : f->us;

		if (f->off)
			continue;
		for (at = f->at; at < f->at + f->us; at += 2 * step) {
			post(w, at, EV_FAULT, f->a)->a = i;
			post(w, at + step < f->at + f->us ? at + step : f->at + f->us,
			     EV_FAULT_ENDS, f->a)->a = i;
		}
	}
}

/* ---- all of it */

static void begin(struct world *w)
{
	struct rblk_arbiter_store first = {
		.promised = 0x100, .accepted = 0x100,
		.record = {
			.version = 1, .gen = 1, .primary = RBLK_ARBITER_NOBODY,
			.idle = true, .insync = w->data,
			.voters = BIT(w->nodes) - 1, .voters_before = BIT(w->nodes) - 1,
		},
	};
	uint8_t i;

	for (i = 0; i < w->nodes; i++) {
		struct node *n = &w->node[i];
		double off = (double)random_below(w, 2001) / 1000 - 1;

		/* Within the margin for the span of a lease and a margin. */
		n->rate = 1 + off * 0.03;
		if (!SIM_RULE(MARGIN))
			n->rate = 1 + off * BEYOND_MARGIN;
		n->offset = SECOND + random_below(w, 1000 * SECOND);
		n->disk = first;
		n->has_store = true;
		n->acks = w->acks;
	}
	w->first = first;
	w->chosen[1] = first.record;
	for (i = 0; i < w->nodes; i++)
		post(w, random_below(w, 300 * MS), EV_BOOT, i);
	w->node[0].daemon.request = RBLK_POLICY_WANT_PROMOTE;
	post(w, 0, EV_NET, 0);
	post(w, FAULTS_END + WELL_WITHIN, EV_END, 0);
}

/* A node that stands still gets what is for it later. */
static bool is_delayed(struct world *w, struct event *e)
{
	const struct node *n = &w->node[e->node];
	struct event *later;
	uint64_t order;

	if (w->now >= n->paused_until)
		return false;
	switch (e->kind) {
	case EV_FAULT: case EV_FAULT_ENDS: case EV_BOOT: case EV_NET:
	case EV_END: case EV_FENCE_DO: case EV_DAEMON_START:
		return false;
	case EV_PACKET: case EV_BEAT: case EV_WAKE: case EV_STORED: case EV_JOB:
	case EV_FENCE_SAY: case EV_APP: case EV_LOCAL: case EV_FRAME: case EV_ACK:
	case EV_FLUSH: case EV_SYNCED:
		break;
	}
	later = post(w, n->paused_until, e->kind, e->node);
	order = later->order;
	e->at = later->at;
	*later = *e;
	later->order = order;
	return true;
}

static void happen(struct world *w, struct event *e)
{
	switch (e->kind) {
	case EV_FAULT:
		fault_begins(w, &w->fault[e->a]);
		break;
	case EV_FAULT_ENDS:
		fault_ends(w, &w->fault[e->a]);
		break;
	case EV_BOOT:
		boot(w, e->node);
		break;
	case EV_DAEMON_START:
		if (w->node[e->node].on && !w->node[e->node].daemon.up)
			daemon_start(w, e->node);
		break;
	case EV_NET:
		kernel_net(w);
		post(w, w->now + 20 * MS, EV_NET, 0);
		break;
	case EV_APP: case EV_LOCAL: case EV_FRAME: case EV_ACK: case EV_FLUSH:
	case EV_SYNCED:
		kernel_event(w, e);
		break;
	case EV_PACKET: case EV_BEAT: case EV_WAKE: case EV_STORED: case EV_JOB:
	case EV_FENCE_DO: case EV_FENCE_SAY:
		daemon_event(w, e);
		break;
	case EV_END:
		check_end(w);
		break;
	}
}

void world_run(struct world *w, uint64_t seed)
{
	struct event e;

	w->random = seed ^ 0x5bd1e995;
	begin(w);
	post_faults(w);
	while (!w->broken && !w->well && w->nr_events) {
		e = take(w);
		w->now = e.at;
		if (is_delayed(w, &e))
			continue;
		happen(w, &e);
		free(e.bytes);
		free(e.job);
		if (!w->broken)
			check_all(w);
		if (w->now > FAULTS_END + SECOND && e.kind == EV_NET)
			w->well = check_well(w);
	}
	while (w->nr_events) {
		e = take(w);
		free(e.bytes);
		free(e.job);
	}
	free(w->queue);
	w->queue = NULL;
	w->max_events = 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * world.c - what may happen, and what must hold
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(n)		(1U << (n))
#define BALLOT(round, node)	((uint64_t)(round) << 8 | (node))

enum model_rule model_broken;

/* ---- records have numbers */

#define RECORDS	8192

static struct rblk_arbiter_record record[RECORDS];
static unsigned int nr_records;
static uint16_t record_slot[2 * RECORDS];

static uint16_t number_of(const struct rblk_arbiter_record *r)
{
	struct rblk_arbiter_record key;
	uint64_t hash;
	unsigned int at;

	memset(&key, 0, sizeof(key));
	key.version = r->version;
	key.gen = r->gen;
	key.term = r->term;
	key.primary = r->primary;
	key.idle = r->idle;
	key.insync = r->insync;
	key.fenced = r->fenced;
	key.voters = r->voters;
	key.voters_before = r->voters_before;
	hash = key.version + key.gen * 31 + key.term * 1009 + key.primary * 7 + key.idle * 3 +
	       key.insync * 8191 + key.fenced * 131071 + key.voters * 257 +
	       key.voters_before * 65537;
	hash *= 0x9e3779b97f4a7c15ULL;
	for (at = hash >> 50; ; at = (at + 1) % (2 * RECORDS)) {
		if (!record_slot[at])
			break;
		if (!memcmp(&record[record_slot[at]], &key, sizeof(key)))
			return record_slot[at];
	}
	if (++nr_records >= RECORDS) {
		fprintf(stderr, "more than %d records: raise RECORDS\n", RECORDS);
		exit(2);
	}
	record[nr_records] = key;
	record_slot[at] = nr_records;
	return nr_records;
}

/* ---- what must hold */

static bool active(const struct node *n)
{
	return n->up && n->clock < rblk_arbiter_lease_until(&n->arbiter);
}

static void check_learned(struct world *w, const struct rblk_arbiter_record *r)
{
	uint16_t number = number_of(r);
	const struct rblk_arbiter_record *before;

	if (r->version >= VERSIONS || r->gen >= VERSIONS) {
		fprintf(stderr, "more than %d versions: raise VERSIONS\n", VERSIONS);
		exit(2);
	}
	if (!rblk_arbiter_record_is_valid(r))
		w->broken = "a record that was chosen is not valid";
	if (w->chosen[r->version] && w->chosen[r->version] != number)
		w->broken = "two values were chosen for one version";
	w->chosen[r->version] = number;
	if (!r->version || !w->chosen[r->version - 1])
		return;
	before = &record[w->chosen[r->version - 1]];
	if (r->gen == before->gen)
		return;
	if (r->gen < before->gen)
		w->broken = "the generation went back";
	else if (!(before->insync & BIT(r->primary)))
		w->broken = "a node was promoted that is not in sync";
}

static void check_all(struct world *w, const struct limits *lim)
{
	const struct rblk_arbiter_record *newest = NULL;
	unsigned int i, primaries = 0;

	for (i = 0; i < VERSIONS; i++)
		if (w->chosen[i])
			newest = &record[w->chosen[i]];
	for (i = 0; i < lim->nodes; i++) {
		struct node *n = &w->node[i];

		if (active(n)) {
			primaries++;
			if (n->data < w->acked)
				w->broken = "a primary lacks an acknowledged write";
		}
		if (newest && newest->insync & BIT(i) && n->data < w->acked)
			w->broken = "a node in sync lacks an acknowledged write";
	}
	if (primaries > 1)
		w->broken = "two nodes may complete writes as primary";
}

/* ---- what happens */

static void post(struct world *w, const struct rblk_arbiter_msg *msg)
{
	unsigned int i;

	for (i = 0; i < w->nr_msgs; i++)
		if (!memcmp(&w->msg[i], msg, sizeof(*msg)))
			return;
	if (w->nr_msgs == MSGS) {
		fprintf(stderr, "more than %d messages: raise MSGS\n", MSGS);
		exit(2);
	}
	w->msg[w->nr_msgs++] = *msg;
}

static void check_led(struct world *w, uint8_t who)
{
	const struct rblk_arbiter *a = &w->node[who].arbiter;

	if (w->led[a->known.gen])
		w->broken = "a generation was used twice";
	w->led[a->known.gen] = who + 1;
}

/* What the daemon does with what the core says. */
static void obey(struct world *w, const struct limits *lim, uint8_t who,
		 uint64_t lead_before, const struct rblk_arbiter_out *out)
{
	struct node *n = &w->node[who];
	bool lies = model_broken == RULE_DURABLE_ACCEPT &&
		    n->arbiter.store.accepted != n->disk.accepted;
	unsigned int i;

	if (out->persist && !lies)
		n->disk = n->arbiter.store;
	for (i = 0; i < out->nr_learned; i++)
		check_learned(w, &out->learned[i]);
	if (n->arbiter.lead_term && n->arbiter.lead_term != lead_before)
		check_led(w, who);
	for (i = 0; i < out->nr; i++) {
		if (out->msg[i].to >= lim->nodes)
			continue;
		if (out->msg[i].type != RBLK_ARBITER_REFUSED || lim->refusals)
			post(w, &out->msg[i]);
	}
}

static void stop(struct world *w, uint8_t who)
{
	unsigned int i;

	w->node[who].up = false;
	for (i = 0; i < NODES; i++)
		if (w->fence[who][i] == FENCE_SAY)
			w->fence[who][i] = 0;
}

static void start(struct world *w, uint8_t who)
{
	struct node *n = &w->node[who];
	bool own = !n->restored || model_broken == RULE_INSTANCE;

	n->up = true;
	rblk_arbiter_start(&n->arbiter, who, own ? &n->disk : NULL, LEASE,
			   model_broken == RULE_MARGIN ? MARGIN - 1 : MARGIN,
			   n->clock);
	if (model_broken == RULE_WORD_AFTER_START)
		n->arbiter.grant_term = 0;
}

static struct rblk_arbiter_record first_record(const struct limits *lim)
{
	struct rblk_arbiter_record r = {
		.version = 1,
		.gen = 1,
		.term = BALLOT(1, 0),
		.primary = 0,
		.insync = lim->data,
		.voters = BIT(lim->nodes) - 1,
		.voters_before = BIT(lim->nodes) - 1,
	};

	return r;
}

static struct rblk_arbiter_store first_disk(const struct limits *lim)
{
	struct rblk_arbiter_store store = {
		.promised = BALLOT(1, 0),
		.accepted = BALLOT(1, 0),
		.record = first_record(lim),
	};

	return store;
}

/* Node 0 has just been promoted; nobody has given it a lease yet. */
static void first(struct world *w, const struct limits *lim)
{
	unsigned int i;

	memset(w, 0, sizeof(*w));
	for (i = 0; i < lim->nodes; i++) {
		struct node *n = &w->node[i];

		n->clock = 16;
		n->disk = first_disk(lim);
		start(w, i);
		n->arbiter.grant_term = 0;
		n->arbiter.synced = lim->nodes == 2;
		n->arbiter.insync = n->disk.record.insync;
	}
	w->node[0].arbiter.lead_term = BALLOT(1, 0);
	w->chosen[1] = number_of(&w->node[0].disk.record);
	w->led[1] = 1;
}

static void write_all(struct world *w, uint8_t who)
{
	unsigned int i;

	w->acked++;
	for (i = 0; i < NODES; i++)
		if (w->node[who].arbiter.insync & BIT(i))
			w->node[i].data = w->acked;
}

void world_step(struct world *w, const struct limits *lim, struct event e)
{
	struct node *n = &w->node[e.what == DELIVER ? 0 : e.a];
	struct rblk_arbiter_msg msg;
	struct rblk_arbiter_out out;
	uint64_t lead_before;
	unsigned int i;

	w->broken = NULL;
	if (e.what != DELIVER && e.what != TICK && e.what != FENCE_DO &&
	    e.what != FENCE_SAY)
		w->used[e.what]++;
	switch ((enum what)e.what) {
	case TICK:
		n->clock++;
		break;
	case DELIVER:
		msg = w->msg[e.a];
		n = &w->node[msg.to];
		lead_before = n->arbiter.lead_term;
		rblk_arbiter_receive(&n->arbiter, &msg, n->clock, &out);
		obey(w, lim, msg.to, lead_before, &out);
		break;
	case CRASH:
		stop(w, e.a);
		break;
	case START:
		start(w, e.a);
		break;
	case RESTORE:
		n->disk = first_disk(lim);
		n->restored = true;
		break;
	case FENCE_ASK:
		rblk_arbiter_fence(&n->arbiter, e.b);
		w->fence[e.a][e.b] = FENCE_DO;
		break;
	case FENCE_DO:
		/* it works even when the one who asked is gone by now */
		w->fence[e.a][e.b] = n->up ? FENCE_SAY : 0;
		stop(w, e.b);
		break;
	case FENCE_SAY:
		w->fence[e.a][e.b] = 0;
		rblk_arbiter_fence_confirmed(&n->arbiter, e.b);
		break;
	case PROPOSE:
		if (e.b == RBLK_ARBITER_ADD)
			for (i = 0; i < NODES; i++)
				if (e.c & BIT(i) && w->node[i].data < n->data)
					w->node[i].data = n->data;
		lead_before = n->arbiter.lead_term;
		rblk_arbiter_propose(&n->arbiter, e.b, e.c, n->clock, &out);
		obey(w, lim, e.a, lead_before, &out);
		break;
	case RENEW:
		rblk_arbiter_renew(&n->arbiter, n->clock, &out);
		obey(w, lim, e.a, n->arbiter.lead_term, &out);
		break;
	case WRITE:
		write_all(w, e.a);
		break;
	case EVENTS:
		break;
	}
	check_all(w, lim);
}

static struct event as_it_is(const struct world *w, struct event e)
{
	unsigned int i;

	for (i = 0; e.what == DELIVER && i < w->nr_msgs; i++)
		if (w->msg[i].type == e.a && w->msg[i].from == e.b &&
		    w->msg[i].to == e.c)
			return (struct event){ DELIVER, i, 0, 0 };
	if (e.what == DELIVER) {
		fprintf(stderr, "what is said to have happened before cannot\n");
		exit(2);
	}
	return e;
}

void world_first(struct world *w, const struct limits *lim)
{
	unsigned int i;

	first(w, lim);
	for (i = 0; i < lim->nr_before; i++)
		world_step(w, lim, as_it_is(w, lim->before[i]));
	memset(w->used, 0, sizeof(w->used));
}

/* ---- what may happen */

struct list {
	struct event *event;
	unsigned int nr, max;
};

static void add(struct list *l, enum what what, uint8_t a, uint8_t b, uint8_t c)
{
	if (l->nr < l->max)
		l->event[l->nr++] = (struct event){ what, a, b, c };
}

static bool all_up(const struct world *w, uint16_t set)
{
	unsigned int i;

	for (i = 0; i < NODES; i++)
		if (set & BIT(i) && !w->node[i].up)
			return false;
	return true;
}

static void add_proposals(const struct world *w, const struct limits *lim,
			  uint8_t who, struct list *l)
{
	const struct rblk_arbiter *a = &w->node[who].arbiter;
	uint16_t up = 0;
	unsigned int i;

	if (a->mute || !(lim->data & BIT(who)))
		return;
	add(l, PROPOSE, who, RBLK_ARBITER_REFRESH, 0);
	for (i = 0; i < lim->nodes; i++)
		if (w->node[i].up)
			up |= BIT(i);
	if (!a->lead_term)
		add(l, PROPOSE, who, RBLK_ARBITER_PROMOTE, up);
	else
		add(l, PROPOSE, who, RBLK_ARBITER_DEMOTE, 0);
	for (i = 0; i < lim->nodes; i++) {
		if (i == who || !a->lead_term || !(lim->data & BIT(i)))
			continue;
		if (a->insync & BIT(i))
			add(l, PROPOSE, who, RBLK_ARBITER_DROP, BIT(i));
		else if (w->node[i].up)
			add(l, PROPOSE, who, RBLK_ARBITER_ADD, BIT(i));
	}
	for (i = 0; i < lim->nodes && lim->voter_changes; i++) {
		if (a->store.record.voters & BIT(i))
			add(l, PROPOSE, who, RBLK_ARBITER_DEL_VOTER, BIT(i));
		else
			add(l, PROPOSE, who, RBLK_ARBITER_ADD_VOTER, BIT(i));
	}
}

static void add_fences(const struct world *w, const struct limits *lim, uint8_t who,
		       struct list *l)
{
	unsigned int i;

	for (i = 0; i < lim->nodes; i++) {
		if (w->fence[who][i])
			add(l, w->fence[who][i], who, i, 0);
		else if (i != who && w->node[who].up && lim->data & BIT(who) &&
			 w->used[FENCE_ASK] < lim->often[FENCE_ASK])
			add(l, FENCE_ASK, who, i, 0);
	}
}

static bool may_tick(const struct world *w, const struct limits *lim, uint8_t who)
{
	unsigned int i;

	if (!lim->time)
		return false;
	for (i = 0; i < lim->nodes; i++)
		if (w->node[who].clock > w->node[i].clock)
			return false;
	return true;
}

unsigned int world_events(const struct world *w, const struct limits *lim,
			  struct event *event, unsigned int max)
{
	struct list l = { event, 0, max };
	unsigned int i;

	for (i = 0; i < w->nr_msgs; i++)
		if (w->node[w->msg[i].to].up)
			add(&l, DELIVER, i, 0, 0);
	for (i = 0; i < lim->nodes; i++) {
		const struct node *n = &w->node[i];

		if (may_tick(w, lim, i))
			add(&l, TICK, i, 0, 0);
		add_fences(w, lim, i, &l);
		if (!n->up) {
			if (w->used[START] < lim->often[START])
				add(&l, START, i, 0, 0);
			if (w->used[RESTORE] < lim->often[RESTORE])
				add(&l, RESTORE, i, 0, 0);
			continue;
		}
		if (w->used[CRASH] < lim->often[CRASH])
			add(&l, CRASH, i, 0, 0);
		if (w->used[PROPOSE] < lim->often[PROPOSE])
			add_proposals(w, lim, i, &l);
		if (n->arbiter.lead_term && w->used[RENEW] < lim->often[RENEW])
			add(&l, RENEW, i, 0, 0);
		if (w->used[WRITE] < lim->often[WRITE] && active(n) &&
		    all_up(w, n->arbiter.insync))
			add(&l, WRITE, i, 0, 0);
	}
	return l.nr;
}

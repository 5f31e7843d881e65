// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pack.c - a world as few bytes; and in words
 *
 * What cannot matter any more is forgotten first, so that worlds are told apart by
 * what can.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(n)	(1U << (n))
#define NEVER	0

/* One list of the members serves both directions. */
struct io {
	uint8_t *at;
	bool out;
};

static void byte(struct io *io, uint64_t *value)
{
	if (io->out) {
		if (*value > 0xff) {
			fprintf(stderr, "a value does not fit into a byte\n");
			exit(2);
		}
		*io->at = *value;
	} else {
		*value = *io->at;
	}
	io->at++;
}

#define BYTE(io, lvalue) do {					\
		uint64_t _value = (lvalue);			\
		byte(io, &_value);				\
		(lvalue) = _value;				\
	} while (0)

static void ballot(struct io *io, uint64_t *b)
{
	uint64_t value = (*b >> 8) << 2 | (*b & 3);

	byte(io, &value);
	*b = (value >> 2) << 8 | (value & 3);
}

/* As what is left of it; past or none: 0. */
static void deadline(struct io *io, uint64_t *until, uint64_t now)
{
	uint64_t left = *until > now ? *until - now : 0;

	byte(io, &left);
	*until = left ? now + left : NEVER;
}

static void record(struct io *io, struct rblk_arbiter_record *r)
{
	uint64_t primary = r->primary & 3, sets;

	BYTE(io, r->version);
	BYTE(io, r->gen);
	ballot(io, &r->term);
	sets = primary | r->insync << 2 | (uint64_t)r->fenced << 5;
	byte(io, &sets);
	r->primary = (sets & 3) == 3 ? RBLK_ARBITER_NOBODY : sets & 3;
	r->insync = sets >> 2 & 7;
	r->fenced = sets >> 5;
	sets = r->voters | r->voters_before << 3 | r->idle << 6;
	byte(io, &sets);
	r->voters = sets & 7;
	r->voters_before = sets >> 3 & 7;
	r->idle = sets >> 6;
}

static void forget(struct node *n, const struct limits *lim)
{
	struct rblk_arbiter *a = &n->arbiter;
	unsigned int i;

	(void)lim;
	if (!a->grant_term || a->grant_until <= n->clock) {
		a->grant_term = 0;
		a->grant_until = NEVER;
		a->grant_holder = RBLK_ARBITER_NOBODY;
	}
	if (a->phase == RBLK_ARBITER_IDLE) {
		memset(&a->value, 0, sizeof(a->value));
		a->change = a->mask = a->votes = a->agreed = a->base_ballot = 0;
		a->repeat = a->solo = false;
		if (a->ballot <= a->store.promised)
			a->ballot = 0;
	} else if (a->phase == RBLK_ARBITER_ACCEPTING) {
		a->base_ballot = a->agreed = 0;
	}
	if (!a->lead_term) {
		memset(&a->known, 0, sizeof(a->known));
		memset(&a->pending, 0, sizeof(a->pending));
		a->has_pending = false;
		a->insync = 0;
	} else if (!a->has_pending) {
		memset(&a->pending, 0, sizeof(a->pending));
	}
	for (i = 0; i < NODES; i++) {
		if (!((a->fencing | a->fenced) & BIT(i)))
			a->fence_term[i] = 0;
		if (a->granted_until[i] <= n->clock)
			a->granted_until[i] = NEVER;
	}
}

static void store(struct io *io, struct rblk_arbiter_store *s)
{
	ballot(io, &s->promised);
	ballot(io, &s->accepted);
	record(io, &s->record);
}

static void round_of(struct io *io, struct rblk_arbiter *a)
{
	uint64_t flags = a->phase | a->change << 2 | a->repeat << 5 | a->solo << 6;

	byte(io, &flags);
	a->phase = flags & 3;
	a->change = flags >> 2 & 7;
	a->repeat = flags >> 5 & 1;
	a->solo = flags >> 6 & 1;
	ballot(io, &a->ballot);
	if (a->phase == RBLK_ARBITER_IDLE)
		return;
	BYTE(io, a->mask);
	ballot(io, &a->base_ballot);
	BYTE(io, a->votes);
	BYTE(io, a->agreed);
	record(io, &a->value);
}

static void leading(struct io *io, struct rblk_arbiter *a, uint64_t now)
{
	unsigned int i;

	ballot(io, &a->lead_term);
	if (!a->lead_term)
		return;
	record(io, &a->known);
	BYTE(io, a->has_pending);
	if (a->has_pending)
		record(io, &a->pending);
	BYTE(io, a->insync);
	for (i = 0; i < NODES; i++)
		deadline(io, &a->granted_until[i], now);
}

static void node(struct io *io, struct node *n, uint8_t self)
{
	struct rblk_arbiter *a = &n->arbiter;
	uint64_t flags = n->up | n->restored << 1 | n->data << 2 |
			 (uint64_t)a->synced << 5 | (uint64_t)a->mute << 6;
	uint64_t holder = a->grant_holder & 3;
	unsigned int i;

	if (io->out && !n->up)
		flags &= 0x1f;
	byte(io, &flags);
	n->up = flags & 1;
	n->restored = flags >> 1 & 1;
	n->data = flags >> 2 & 7;
	store(io, &n->disk);
	if (!n->up)
		return;
	a->self = self;
	a->lease = LEASE;
	a->margin = model_broken == RULE_MARGIN ? MARGIN - 1 : MARGIN;
	a->synced = flags >> 5 & 1;
	a->mute = flags >> 6 & 1;
	if (model_broken == RULE_DURABLE_ACCEPT || a->mute)
		store(io, &a->store);
	else
		a->store = n->disk;
	ballot(io, &a->grant_term);
	byte(io, &holder);
	a->grant_holder = holder == 3 ? RBLK_ARBITER_NOBODY : holder;
	deadline(io, &a->grant_until, n->clock);
	round_of(io, a);
	leading(io, a, n->clock);
	flags = a->fencing | a->fenced << 4;
	byte(io, &flags);
	a->fencing = flags & 7;
	a->fenced = flags >> 4;
	for (i = 0; i < NODES; i++)
		if ((a->fencing | a->fenced) & BIT(i))
			ballot(io, &a->fence_term[i]);
}

/* Would it change anything, now or ever? */
static bool matters(const struct world *w, const struct rblk_arbiter_msg *msg)
{
	const struct node *to = &w->node[msg->to], *from = &w->node[msg->from];
	const struct rblk_arbiter *a = &to->arbiter;

	switch ((enum rblk_arbiter_type)msg->type) {
	case RBLK_ARBITER_PREPARE:
		return msg->ballot >= to->disk.promised && from->up &&
		       from->arbiter.ballot == msg->ballot;
	case RBLK_ARBITER_ACCEPT:
		return msg->ballot > to->disk.accepted &&
		       msg->ballot >= to->disk.promised;
	case RBLK_ARBITER_PROMISE:
		return to->up && a->phase == RBLK_ARBITER_PREPARING &&
		       a->ballot == msg->ballot && !(a->votes & BIT(msg->from));
	case RBLK_ARBITER_ACCEPTED:
		return to->up && a->phase == RBLK_ARBITER_ACCEPTING &&
		       a->ballot == msg->ballot && !(a->votes & BIT(msg->from));
	case RBLK_ARBITER_REFUSED:
		return to->up && a->phase != RBLK_ARBITER_IDLE &&
		       a->ballot == msg->ballot;
	case RBLK_ARBITER_LEASE:
		return from->up && from->arbiter.lead_term == msg->other &&
		       msg->sent + msg->lease > from->clock;
	case RBLK_ARBITER_GRANT:
		return to->up && a->lead_term == msg->other &&
		       a->granted_until[msg->from] < msg->sent + msg->lease &&
		       msg->sent + msg->lease > to->clock;
	}
	return false;
}

static bool has_record(const struct rblk_arbiter_msg *msg)
{
	return msg->type == RBLK_ARBITER_PROMISE || msg->type == RBLK_ARBITER_ACCEPT;
}

static void message(struct io *io, struct world *w, struct rblk_arbiter_msg *msg)
{
	uint64_t head = msg->type | msg->from << 3 | msg->to << 5, age;
	const struct node *asker;

	byte(io, &head);
	msg->type = head & 7;
	msg->from = head >> 3 & 3;
	msg->to = head >> 5;
	ballot(io, &msg->ballot);
	ballot(io, &msg->other);
	if (has_record(msg))
		record(io, &msg->record);
	if (msg->type != RBLK_ARBITER_LEASE && msg->type != RBLK_ARBITER_GRANT)
		return;
	asker = &w->node[msg->type == RBLK_ARBITER_LEASE ? msg->from : msg->to];
	age = asker->clock - msg->sent;
	byte(io, &age);
	msg->sent = asker->clock - age;
	msg->lease = LEASE;
}

static int by_content(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct rblk_arbiter_msg));
}

static void tidy(struct world *w, const struct limits *lim)
{
	uint64_t slowest = w->node[0].clock;
	unsigned int i, kept = 0;

	for (i = 1; i < lim->nodes; i++)
		if (w->node[i].clock < slowest)
			slowest = w->node[i].clock;
	for (i = 0; i < lim->nodes; i++)
		if (w->node[i].up)
			forget(&w->node[i], lim);
	for (i = 0; i < w->nr_msgs; i++)
		if (matters(w, &w->msg[i]))
			w->msg[kept++] = w->msg[i];
	w->nr_msgs = kept;
	qsort(w->msg, w->nr_msgs, sizeof(w->msg[0]), by_content);
}

static void everything(struct io *io, struct world *w, const struct limits *lim)
{
	uint64_t slowest = UINT64_MAX, ahead;
	unsigned int i, j;

	for (i = 0; i < lim->nodes && io->out; i++)
		if (w->node[i].clock < slowest)
			slowest = w->node[i].clock;
	for (i = 0; i < lim->nodes; i++) {
		ahead = w->node[i].clock - slowest;
		byte(io, &ahead);
		if (!io->out)
			w->node[i].clock = 16 + ahead;
	}
	for (i = 0; i < lim->nodes; i++)
		node(io, &w->node[i], i);
	for (i = 0; i < lim->nodes; i++) {
		for (j = 0; j < lim->nodes; j++)
			if (i != j)
				BYTE(io, w->fence[i][j]);
	}
	BYTE(io, w->nr_msgs);
	for (i = 0; i < w->nr_msgs; i++)
		message(io, w, &w->msg[i]);
	for (i = CRASH; i < EVENTS; i++)
		BYTE(io, w->used[i]);
	for (i = 1; i < VERSIONS; i++) {
		uint64_t low = w->chosen[i] & 0xff, high = w->chosen[i] >> 8;
		uint64_t led = w->led[i];

		byte(io, &low);
		byte(io, &high);
		byte(io, &led);
		w->chosen[i] = low | high << 8;
		w->led[i] = led;
		if (!w->chosen[i] && !led)
			break;
	}
	BYTE(io, w->acked);
}

size_t world_pack(struct world *w, const struct limits *lim, uint8_t *bytes)
{
	struct io io = { bytes, true };

	tidy(w, lim);
	everything(&io, w, lim);
	return io.at - bytes;
}

void world_unpack(struct world *w, const struct limits *lim, const uint8_t *bytes)
{
	struct io io = { (uint8_t *)bytes, false };

	memset(w, 0, sizeof(*w));
	everything(&io, w, lim);
}

/* ---- in words */

static const char name[] = "ABC";

static void say_record(const struct rblk_arbiter_record *r, char *text, size_t size)
{
	static const char *const set[] = {
		"nobody", "A", "B", "A+B", "C", "A+C", "B+C", "A+B+C",
	};

	snprintf(text, size, "version %llu (generation %llu, primary %s, in sync %s, fenced %s, voters %s)",
		 (unsigned long long)r->version, (unsigned long long)r->gen,
		 r->primary == RBLK_ARBITER_NOBODY ? "nobody" :
		 set[BIT(r->primary)], set[r->insync & 7], set[r->fenced & 7],
		 set[r->voters & 7]);
}

static void say_message(const struct rblk_arbiter_msg *msg, char *text, size_t size)
{
	static const char *const type[] = {
		[RBLK_ARBITER_PREPARE] = "prepare",
		[RBLK_ARBITER_PROMISE] = "promise",
		[RBLK_ARBITER_ACCEPT] = "accept",
		[RBLK_ARBITER_ACCEPTED] = "accepted",
		[RBLK_ARBITER_REFUSED] = "refused",
		[RBLK_ARBITER_LEASE] = "request for a lease",
		[RBLK_ARBITER_GRANT] = "grant of a lease",
	};
	char what[160] = "";

	if (has_record(msg))
		say_record(&msg->record, what, sizeof(what));
	snprintf(text, size, "%c gets %c's %s, ballot %llu%c %s", name[msg->to],
		 name[msg->from], type[msg->type],
		 (unsigned long long)(msg->ballot ? msg->ballot : msg->other) >> 8,
		 name[(msg->ballot ? msg->ballot : msg->other) & 3], what);
}

void world_say(const struct world *w, const struct limits *lim, struct event e,
	       char *text, size_t size)
{
	static const char *const change[] = {
		[RBLK_ARBITER_REFRESH] = "that nothing changes",
		[RBLK_ARBITER_PROMOTE] = "its promotion",
		[RBLK_ARBITER_DEMOTE] = "its demotion",
		[RBLK_ARBITER_DROP] = "that one leaves the in-sync set:",
		[RBLK_ARBITER_ADD] = "that one joins the in-sync set:",
		[RBLK_ARBITER_ADD_VOTER] = "a new voter:",
		[RBLK_ARBITER_DEL_VOTER] = "to take the vote from:",
	};
	char a = name[e.a % NODES], b = name[e.b % NODES], who[2] = "";

	(void)lim;
	switch ((enum what)e.what) {
	case TICK:
		snprintf(text, size, "%c's clock ticks", a);
		break;
	case DELIVER:
		say_message(&w->msg[e.a], text, size);
		break;
	case CRASH:
		snprintf(text, size, "%c crashes", a);
		break;
	case START:
		snprintf(text, size, "%c starts", a);
		break;
	case RESTORE:
		snprintf(text, size, "%c's store is replaced by an old copy", a);
		break;
	case FENCE_ASK:
		snprintf(text, size, "%c asks that %c is switched off", a, b);
		break;
	case FENCE_DO:
		snprintf(text, size, "%c is switched off, as %c asked", b, a);
		break;
	case FENCE_SAY:
		snprintf(text, size, "%c hears that %c was switched off", a, b);
		break;
	case PROPOSE:
		if (e.b >= RBLK_ARBITER_DROP)
			who[0] = name[__builtin_ctz(e.c)];
		snprintf(text, size, "%c proposes %s %s", a, change[e.b], who);
		break;
	case RENEW:
		snprintf(text, size, "%c asks for a lease", a);
		break;
	case WRITE:
		snprintf(text, size, "%c acknowledges a write", a);
		break;
	case EVENTS:
		break;
	}
}

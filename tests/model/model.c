// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model.c - every state that the arbiter's core can get into, breadth first
 *
 *   model            the bounded configurations: nothing may break; then each rule
 *                    is broken, and it must show
 *   model NAME...    only these
 *   RBLK_MODEL_DEPTH=N   N steps instead, and everything may happen once more
 *
 * A violation is told as the shortest sequence of events that leads to it.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the states that were seen */

struct state {
	size_t at;		/* of its bytes */
	uint32_t parent;
	struct event event;	/* that led here from it */
};

static struct {
	struct state *state;
	uint32_t nr, room;
	uint8_t *bytes;
	size_t used, size;
	uint32_t *slot;		/* number + 1 */
	uint32_t slots;
} seen;

static void *grown(void *old, size_t bytes)
{
	void *new = realloc(old, bytes);

	if (!new) {
		fprintf(stderr, "no memory for %zu MiB of states\n", bytes >> 20);
		exit(2);
	}
	return new;
}

static uint64_t hash_of(const uint8_t *bytes, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325ULL, word;

	for (; size >= 8; size -= 8, bytes += 8) {
		memcpy(&word, bytes, 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	for (; size; size--)
		hash = (hash ^ *bytes++) * 0x100000001b3ULL;
	hash *= 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

static size_t size_of(uint32_t number)
{
	size_t end = number + 1 < seen.nr ? seen.state[number + 1].at : seen.used;

	return end - seen.state[number].at;
}

static uint32_t *slot_of(const uint8_t *bytes, size_t size)
{
	uint32_t at = hash_of(bytes, size) & (seen.slots - 1);

	for (; seen.slot[at]; at = (at + 1) & (seen.slots - 1)) {
		uint32_t number = seen.slot[at] - 1;

		if (size_of(number) == size &&
		    !memcmp(seen.bytes + seen.state[number].at, bytes, size))
			break;
	}
	return &seen.slot[at];
}

static void more_slots(void)
{
	uint32_t i;

	seen.slots = seen.slots ? 2 * seen.slots : 1 << 16;
	free(seen.slot);
	seen.slot = calloc(seen.slots, sizeof(*seen.slot));
	if (!seen.slot)
		exit(2);
	for (i = 0; i < seen.nr; i++)
		*slot_of(seen.bytes + seen.state[i].at, size_of(i)) = i + 1;
}

static void remember(const uint8_t *bytes, size_t size, uint32_t parent,
		     struct event event)
{
	uint32_t *slot;

	if (2 * seen.nr >= seen.slots)
		more_slots();
	slot = slot_of(bytes, size);
	if (*slot)
		return;
	if (seen.nr == seen.room) {
		seen.room = seen.room ? 2 * seen.room : 1 << 16;
		seen.state = grown(seen.state, seen.room * sizeof(*seen.state));
	}
	if (seen.used + size > seen.size) {
		seen.size = seen.size ? 2 * seen.size : 1 << 24;
		seen.bytes = grown(seen.bytes, seen.size);
	}
	memcpy(seen.bytes + seen.used, bytes, size);
	seen.state[seen.nr] = (struct state){ seen.used, parent, event };
	seen.used += size;
	*slot = ++seen.nr;
}

static void forget_all(void)
{
	seen.nr = 0;
	seen.used = 0;
	if (seen.slot)
		memset(seen.slot, 0, seen.slots * sizeof(*seen.slot));
}

/* ---- the search */

struct verdict {
	const char *broken;
	uint32_t parent;
	struct event event;
	uint32_t states;
	uint64_t steps;
	unsigned int depth;
	bool complete;		/* no state is left whose next ones are not known */
};

static void search(const struct limits *lim, struct verdict *v)
{
	uint32_t number, next_level = 1;
	uint8_t bytes[PACKED_MAX];
	struct event list[256];
	struct world from, to;
	unsigned int i, nr;

	memset(v, 0, sizeof(*v));
	forget_all();
	world_first(&to, lim);
	remember(bytes, world_pack(&to, lim, bytes), 0, (struct event){ 0 });
	for (number = 0; number < seen.nr; number++) {
		if (number == next_level) {
			next_level = seen.nr;
			v->depth++;
		}
		if (v->depth == lim->depth)
			break;
		world_unpack(&from, lim, seen.bytes + seen.state[number].at);
		nr = world_events(&from, lim, list, 256);
		for (i = 0; i < nr; i++) {
			to = from;
			world_step(&to, lim, list[i]);
			v->steps++;
			if (to.broken) {
				v->broken = to.broken;
				v->parent = number;
				v->event = list[i];
				v->states = seen.nr;
				v->depth++;
				return;
			}
			remember(bytes, world_pack(&to, lim, bytes), number,
				 list[i]);
		}
	}
	v->states = seen.nr;
	v->complete = number == seen.nr;
}

static void tell(const struct limits *lim, const struct verdict *v)
{
	uint32_t way[256], number = v->parent;
	unsigned int nr = 0, step = 1;
	struct world w;
	char text[256];

	while (number && nr < 256) {
		way[nr++] = number;
		number = seen.state[number].parent;
	}
	while (nr--) {
		number = way[nr];
		world_unpack(&w, lim,
			     seen.bytes + seen.state[seen.state[number].parent].at);
		world_say(&w, lim, seen.state[number].event, text, sizeof(text));
		printf("    %2u. %s\n", step++, text);
	}
	world_unpack(&w, lim, seen.bytes + seen.state[v->parent].at);
	world_say(&w, lim, v->event, text, sizeof(text));
	printf("    %2u. %s\n    then: %s\n", step, text, v->broken);
}

/* ---- what is searched */

#define OFTEN(rounds, crashes, fences, leases, writes) {		\
		[PROPOSE] = rounds, [CRASH] = crashes, [START] = 9,	\
		[FENCE_ASK] = fences, [RENEW] = leases, [WRITE] = writes }

/* B had A fenced; A is back, and primary again, by C's vote. B has not heard of it. */
static const struct event fenced_and_back[] = {
	{ FENCE_ASK, 1, 0, 0 },
	{ FENCE_DO, 1, 0, 0 },
	{ FENCE_SAY, 1, 0, 0 },
	{ START, 0, 0, 0 },
	{ PROPOSE, 0, RBLK_ARBITER_PROMOTE, 7 },
	{ DELIVER, RBLK_ARBITER_PREPARE, 0, 2 },
	{ DELIVER, RBLK_ARBITER_PROMISE, 2, 0 },
	{ DELIVER, RBLK_ARBITER_ACCEPT, 0, 2 },
	{ DELIVER, RBLK_ARBITER_ACCEPTED, 2, 0 },
};

#define FENCED_AND_BACK	\
	fenced_and_back, sizeof(fenced_and_back) / sizeof(fenced_and_back[0])

static const struct limits bounded[] = {
	{ "two", 2, 3, 40, 0, OFTEN(3, 1, 2, 0, 0), 0, 0 },
	{ "two-lease", 2, 3, 40, 1, OFTEN(1, 2, 1, 2, 1), 0, 1 },
	{ "two-writes", 2, 3, 40, 0, OFTEN(2, 1, 1, 1, 1), 0, 1 },
	{ "witness", 3, 3, 40, 0, OFTEN(2, 2, 0, 0, 0), 0, 1 },
	{ "witness-fence", 3, 3, 40, 0, OFTEN(1, 1, 1, 1, 1), 0, 1 },
	{ "witness-lease", 3, 3, 40, 1, OFTEN(1, 1, 0, 2, 1), 0, 0 },
	{ "witness-voters", 3, 3, 40, 0, OFTEN(2, 0, 0, 1, 1), 1, 0 },
	{ "three", 3, 7, 40, 0, OFTEN(2, 1, 0, 1, 1), 0, 0 },
	{ "three-restored", 3, 7, 40, 0,
	  { [PROPOSE] = 2, [CRASH] = 1, [START] = 1, [RESTORE] = 1 }, 0, 0 },
	{ "witness-back", 3, 3, 40, 0, OFTEN(2, 0, 0, 2, 0), 0, 0, FENCED_AND_BACK },
	{ "three-lease", 3, 7, 40, 1, OFTEN(1, 0, 0, 2, 1), 0, 0 },
};

struct mutant {
	enum model_rule rule;
	struct limits lim;
};

static const struct mutant mutants[] = {
	{ RULE_ROUND_BEFORE_FENCE_VOTE,
	  { "no-round-before-fence-vote", 2, 3, 40, 0, OFTEN(2, 1, 2, 0, 0), 0, 0 } },
	{ RULE_CONTACT_CLEARS_FENCED,
	  { "contact-clears-nothing", 2, 3, 40, 0, OFTEN(4, 0, 2, 0, 0), 0, 0 } },
	{ RULE_LEASE_WAIT,
	  { "no-lease-wait", 3, 3, 40, 0, OFTEN(1, 0, 0, 2, 0), 0, 0 } },
	{ RULE_MAJORITY,
	  { "quorum-of-one", 2, 3, 40, 0, OFTEN(2, 0, 0, 0, 0), 0, 0 } },
	{ RULE_DURABLE_ACCEPT,
	  { "accept-not-durable", 3, 7, 40, 0, OFTEN(2, 1, 0, 0, 0), 0, 0 } },
	{ RULE_INSTANCE,
	  { "restored-store-votes", 3, 7, 40, 0,
	    { [PROPOSE] = 2, [CRASH] = 1, [START] = 1, [RESTORE] = 1 }, 0, 0 } },
	{ RULE_ONLY_IN_SYNC,
	  { "promotes-anybody", 3, 7, 40, 0, OFTEN(2, 0, 0, 0, 0), 0, 0 } },
	{ RULE_MARGIN,
	  { "margin-too-short", 3, 3, 40, 1, OFTEN(1, 0, 0, 2, 0), 0, 0 } },
	{ RULE_WORD_AFTER_START,
	  { "word-forgotten", 3, 3, 40, 0, OFTEN(1, 1, 0, 2, 0), 0, 0 } },
	{ RULE_FENCE_OF_TERM,
	  { "fence-of-any-term", 3, 3, 40, 0, OFTEN(2, 0, 0, 2, 0), 0, 0,
	    FENCED_AND_BACK } },
};

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1;
}

static double cpu_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static bool check_bounded(struct limits lim)
{
	const char *deeper = getenv("RBLK_MODEL_DEPTH");
	double start = cpu_s();
	struct verdict v;
	unsigned int i;

	model_broken = RULE_NONE;
	if (deeper) {
		lim.depth = atoi(deeper);
		for (i = 0; i < EVENTS; i++)
			lim.often[i] += !!lim.often[i];
	}
	search(&lim, &v);
	printf("%s %s: %u states, %llu steps, depth %u%s (%.1f s)\n",
	       v.broken ? "FAIL" : "ok", lim.name, v.states,
	       (unsigned long long)v.steps, v.depth,
	       v.complete ? ", all there are" : "", cpu_s() - start);
	if (v.broken)
		tell(&lim, &v);
	fflush(stdout);
	return !v.broken;
}

static bool check_mutant(const struct mutant *m)
{
	double start = cpu_s();
	struct verdict v;

	model_broken = m->rule;
	search(&m->lim, &v);
	if (v.broken)
		printf("ok %s: found after %u states, depth %u: %s (%.1f s)\n",
		       m->lim.name, v.states, v.depth, v.broken, cpu_s() - start);
	else
		printf("FAIL %s: not found in %u states, depth %u%s (%.1f s)\n",
		       m->lim.name, v.states, v.depth,
		       v.complete ? ", all there are" : "", cpu_s() - start);
	if (v.broken && getenv("RBLK_MODEL_TRACES"))
		tell(&m->lim, &v);
	fflush(stdout);
	return v.broken;
}

int main(int argc, char **argv)
{
	unsigned int i, passed = 0, failed = 0;

	for (i = 0; i < sizeof(bounded) / sizeof(bounded[0]); i++)
		if (wanted(bounded[i].name, argc, argv))
			check_bounded(bounded[i]) ? passed++ : failed++;
	for (i = 0; i < sizeof(mutants) / sizeof(mutants[0]); i++)
		if (wanted(mutants[i].lim.name, argc, argv))
			check_mutant(&mutants[i]) ? passed++ : failed++;
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}

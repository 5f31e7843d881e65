// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every short history of three nodes (history.h) is walked through, and many long
 * ones by chance.
 *
 * Rules can be broken, to see that the checks would notice. RBLK_HISTORY_STEPS
 * sets the length of the short ones, of which a failure prints the shortest that
 * shows it; RBLK_HISTORY_WALKS the number of the others.
 */
#include <stdio.h>
#include <stdlib.h>

#include "history.h"

static const char * const kind_names[NR_KINDS] = {
	"connect", "disconnect", "write", "write and crash", "flush",
	"flush without a record", "crash",
	"boot", "promote", "demote", "down", "lose disk", "save image",
	"set disk back", "admin's copy",
};

/* Worlds that were seen, with how many steps were left. */
#define SLOTS_LOG2	23
static struct slot {
	u64 hash;
	u8 left;
} *seen;
static u64 nr_worlds;

static u64 hash_of(const struct world *w)
{
	const u64 *word = (const u64 *)w;
	u64 hash = 0;

	BUILD_BUG_ON(sizeof(*w) % sizeof(u64));
	for (size_t i = 0; i < sizeof(*w) / sizeof(u64); i++)
		hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15ULL ^ hash >> 29;
	return hash | 1;
}

/* Return: it was seen before with as many steps left. */
static bool was_seen(const struct world *w, u8 left)
{
	u64 hash = hash_of(w), i = hash >> (64 - SLOTS_LOG2);

	while (seen[i].hash && seen[i].hash != hash)
		i = (i + 1) % (1 << SLOTS_LOG2);
	if (seen[i].hash && seen[i].left >= left)
		return true;
	if (!seen[i].hash)
		assert_true(++nr_worlds < 1 << SLOTS_LOG2);
	seen[i].hash = hash;
	seen[i].left = left;
	return false;
}

static struct step path[STEPS_MAX];

static bool explore(const struct world *w, u8 taken, u8 left);

static bool try_step(const struct world *w, u8 taken, u8 left,
		     struct step step)
{
	struct world next = *w;

	if (!take_step(&next, &step) && !wrong)
		return false;
	path[taken] = step;
	return wrong || (left > 1 && explore(&next, taken + 1, left - 1));
}

/* Return: something went wrong: @path leads there. */
static bool explore(const struct world *w, u8 taken, u8 left)
{
	if (was_seen(w, left))
		return false;
	for (u8 kind = 0; kind < NR_KINDS; kind++)
		for (u8 a = 0; a < NODES; a++) {
			bool pair = kind == CONNECT || kind == DISCONNECT ||
				    kind == COPY;
			u8 masks = kind == CONNECT ? NR_CUTS :
				   kind == CRASH ? 1 << w->nr_ops :
				   kind == WRITE || kind == WRITE_CRASH ||
				   kind == FLUSH || kind == FLUSH_UNRECORDED ?
				   1 << NODES : 1;

			for (u8 b = 0; b < (pair ? NODES : 1); b++)
				for (u8 mask = 0; mask < masks; mask++) {
					if (pair && (b == a || (kind == CONNECT && b < a)))
						continue;
					if (try_step(w, taken, left,
						     (struct step) { kind, a, b, mask }))
						return true;
				}
		}
	return false;
}

/*
 * What to break, and where to begin looking: what shows only after a long
 * history would take minutes to find.
 */
static const struct mistake {
	const char *name;
	u8 nr_steps;
	struct step step[6];
} mistakes[NR_BROKEN] = {
	[NOTHING_BROKEN] = { "nothing" },
	[COMPARES_POSITIONS_ONLY] = { "compares positions only" },
	[TAKES_UNCLEAN_FOR_EXACT] = { "takes unclean for exact" },
	[PROMOTES_UNCLEAN_AS_EXACT] = { "promotes unclean as exact" },
	[PROMOTES_FOLLOWER_AS_LEADER] = { "promotes a follower as a leader" },
	[PROMOTES_BEFORE_THE_DISK_SAYS_SO] = {
		"promotes before the disk says so" },
	[FOLLOWS_BEFORE_THE_DISK_SAYS_SO] = {
		"follows before the disk says so", 3,
		{ { WRITE, 0 }, { DOWN, 1 }, { BOOT, 1 } } },
	[COPIES_BEFORE_THE_DISK_SAYS_SO] = {
		"copies before the disk says so", 4,
		{ { CRASH, 1 }, { BOOT, 1 }, { PROMOTE, 1 }, { DEMOTE, 0 } } },
	[TRUSTS_OLD_MEMORY] = {
		"trusts old memory", 2, { { PROMOTE, 1 }, { WRITE, 1 } } },
	[CATCHING_UP_IS_WHOLE] = { "is whole before it caught up" },
	[USES_A_GENERATION_TWICE] = { "uses a generation twice" },
	[RESUMES_ANY_COPY] = {
		"resumes any copy", 4,
		{ { WRITE, 0, 0, 2 }, { PROMOTE, 1 },
		  { CONNECT, 1, 2, CUT_IN_THE_MIDDLE }, { DEMOTE, 1 } } },
	[RESUMES_WHAT_IT_GAVE_UP] = {
		"resumes what it gave up", 6,
		{ { WRITE, 0, 0, 2 }, { PROMOTE, 1 },
		  { CONNECT, 1, 2, CUT_IN_THE_MIDDLE }, { DEMOTE, 0 },
		  { PROMOTE, 0 }, { CONNECT, 0, 2, CUT_IN_THE_MIDDLE } } },
	[BELIEVES_A_DISK_THAT_WAS_SET_BACK] = {
		"believes a disk that was set back", 6,
		{ { WRITE, 0, 0, 4 }, { PROMOTE, 2 },
		  { CONNECT, 1, 2, CUT_UNHEARD }, { DOWN, 1 },
		  { SAVE_IMAGE, 1 }, { BOOT, 1 } } },
};

/* Return: how many steps it takes until something is wrong; 0: more. */
static u8 shortest(enum broken which, u8 most)
{
	const struct mistake *mistake = &mistakes[which];
	u8 first = mistake->nr_steps, steps;
	struct world w;

	broken = which;
	wrong = NULL;
	begin(&w);
	for (steps = 0; steps < first; steps++) {
		assert_true(take_step(&w, &mistake->step[steps]) && !wrong);
		path[steps] = mistake->step[steps];
	}
	for (steps = 1; steps <= most; steps++) {
		nr_worlds = 0;
		seen = calloc(1 << SLOTS_LOG2, sizeof(*seen));
		assert_non_null(seen);
		explore(&w, first, steps);
		free(seen);
		if (wrong)
			return first + steps;
	}
	return 0;
}

static void print_path(u8 steps)
{
	for (int i = 0; i < steps; i++)
		print_message("  %s %u %u mask %#x\n", kind_names[path[i].kind],
			      path[i].a, path[i].b, path[i].mask);
	print_message("  %s\n", wrong);
}

static void test_histories(void **state)
{
	const char *text = getenv("RBLK_HISTORY_STEPS");
	u8 most = text ? atoi(text) : 6, steps;

	(void)state;
	assert_true(most && most <= STEPS_MAX);
	steps = shortest(NOTHING_BROKEN, most);
	if (steps) {
		print_path(steps);
		fail_msg("wrong after %u steps", steps);
	}
	print_message("%llu worlds in %u steps\n", (unsigned long long)nr_worlds, most);
	/* The check is worth nothing if what it looks at never comes up. */
	for (int i = 0; i < 4; i++)
		assert_true(seen_plan[i] && seen_sync[i]);
	assert_true(seen_lost_in_cache && seen_outbid);
}

/* xorshift64, Marsaglia 2003 */
static u32 any(u32 below)
{
	static u64 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (x >> 32) % below;
}

static u8 walk(void)
{
	struct world w;
	u8 steps = 0;

	begin(&w);
	for (int tries = 0; tries < 200 && steps < STEPS_MAX && !wrong; tries++) {
		struct world next = w;
		struct step step = { any(NR_KINDS), any(NODES), any(NODES) };

		if (step.b == step.a)
			continue;
		step.mask = any(step.kind == CONNECT ? NR_CUTS : 1 << NODES);
		if (!take_step(&next, &step) && !wrong)
			continue;
		path[steps++] = step;
		w = next;
	}
	return steps;
}

static void test_long_histories(void **state)
{
	const char *text = getenv("RBLK_HISTORY_WALKS");
	u32 n = text ? atoi(text) : 1000000;

	(void)state;
	broken = NOTHING_BROKEN;
	wrong = NULL;
	while (n--) {
		u8 steps = walk();

		if (wrong) {
			print_path(steps);
			fail_msg("wrong after %u steps", steps);
		}
	}
}

static void test_broken_rules(void **state)
{
	(void)state;
	for (int i = NOTHING_BROKEN + 1; i < NR_BROKEN; i++) {
		u8 steps = shortest(i, 5);

		if (!steps)
			fail_msg("nobody notices: %s", mistakes[i].name);
		if (getenv("RBLK_HISTORY_STEPS")) {
			print_message("%s: %u steps\n", mistakes[i].name, steps);
			print_path(steps);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histories),
		cmocka_unit_test(test_long_histories),
		cmocka_unit_test(test_broken_rules),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sim.c - runs schedules, shows the one that fails as short as it can be made, and
 * sees that each broken rule is found
 *
 *   sim [--seed N] [--count N]        schedules N, N+1, ...
 *   sim --seed N --trace              one, told
 *   sim --rules [--count N]           breaks each rule: found within so many?
 *   sim --break RULE ...              with that rule broken
 *   sim --directed [--count N]        each rare rule by schedules that aim at it
 *   sim --direct RULE ...             such schedules
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Directed schedules that must pass, beyond those up to the one that finds a rule. */
#define WITH_ALL_RULES	500

enum sim_rule sim_broken;

static const char *const rule_names[RULES] = {
#define NAME(name)	[RULE_##name] = #name,
	SIM_RULES(NAME)
	SIM_RARE_RULES(NAME)
	SIM_COVERED_RULES(NAME)
};

static struct world world;
static const struct directed *direction;	/* NULL: any schedule */

struct totals {
	uint64_t schedules, failovers, asynchronous, completed, slowest;
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* As planned, but for those faults of @off. */
static bool run(uint64_t seed, const bool *off, bool trace)
{
	unsigned int i;

	memset(&world, 0, sizeof(world));
	world_plan(&world, seed);
	if (direction)
		direction->plan(&world);
	for (i = 0; off && i < world.nr_faults; i++)
		world.fault[i].off = off[i];
	world.trace = trace;
	world_run(&world, seed);
	return !world.broken;
}

/* Leave out what it fails without, as long as it fails the same way. */
static void shrink(uint64_t seed, bool *off)
{
	const char *what = world.broken;
	unsigned int i, nr = world.nr_faults;
	bool less = true;

	while (less) {
		less = false;
		for (i = 0; i < nr; i++) {
			if (off[i])
				continue;
			off[i] = true;
			if (!run(seed, off, false) && world.broken == what)
				less = true;
			else
				off[i] = false;
		}
	}
}

static void tell(uint64_t seed)
{
	bool off[FAULTS_MAX] = { false };
	char text[100];
	unsigned int i;

	run(seed, off, false);
	shrink(seed, off);
	run(seed, off, false);
	printf("seed %llu: %s: %s\n", (unsigned long long)seed, world.broken, world.why);
	printf("  %u nodes, data %x, fenceable %x, min-in-sync %u, acks %u, protocol A %x; what it takes:\n",
	       world.nodes, world.data, world.fenceable, world.min_in_sync, world.acks,
	       world.asynchronous);
	for (i = 0; i < world.nr_faults; i++) {
		if (off[i])
			continue;
		fault_text(&world.fault[i], text, sizeof(text));
		printf("  %s\n", text);
	}
	printf("  told by: sim --seed %llu --trace%s%s%s%s\n", (unsigned long long)seed,
	       direction ? " --direct " : "",
	       direction ? rule_names[direction->rule] : "", sim_broken ? " --break " : "", sim_broken ? rule_names[sim_broken] : "");
}

static void tell_all(uint64_t seed)
{
	bool off[FAULTS_MAX] = { false };

	if (run(seed, off, false)) {
		run(seed, off, true);
		printf("seed %llu: all is well\n", (unsigned long long)seed);
		return;
	}
	shrink(seed, off);
	run(seed, off, true);
}

/* Returns how many schedules it took, 0: none failed. */
static uint64_t search(uint64_t first, uint64_t count, struct totals *t)
{
	uint64_t seed, took;

	for (seed = first; seed < first + count; seed++) {
		bool good = run(seed, NULL, false);

		t->schedules++;
		t->failovers += world.failovers;
		t->asynchronous += world.of_asynchronous;
		t->completed += world.completed;
		took = world.now > FAULTS_END ? world.now - FAULTS_END : 0;
		if (took > t->slowest)
			t->slowest = took;
		if (!good)
			return seed - first + 1;
	}
	return 0;
}

static int break_each(uint64_t first, uint64_t count)
{
	unsigned int rule, failed = 0;
	double start;

	for (rule = 1; rule < OFTEN_NEEDED; rule++) {
		struct totals t = { 0 };
		uint64_t found;

		sim_broken = rule;
		start = seconds();
		found = search(first, count, &t);
		if (found)
			printf("ok without %s: %s (schedule %llu, %.1f s)\n",
			       rule_names[rule], world.broken, (unsigned long long)found,
			       seconds() - start);
		else
			printf("FAIL without %s nothing is found in %llu schedules\n",
			       rule_names[rule], (unsigned long long)count);
		failed += !found;
		fflush(stdout);
	}
	printf("%u passed, %u failed\n", OFTEN_NEEDED - 1 - failed, failed);
	return failed != 0;
}

/* What is meant to find each rare rule: something without it, nothing with it. */
static int direct_each(uint64_t first, uint64_t count)
{
	unsigned int failed = 0, nr = 0;
	uint64_t found;

	for (direction = directed; direction->plan; direction++, nr++) {
		struct totals t = { 0 };

		sim_broken = direction->rule;
		found = search(first, count, &t);
		if (!found) {
			printf("FAIL without %s nothing is found in %llu schedules for it\n",
			       rule_names[direction->rule], (unsigned long long)count);
			failed++;
			continue;
		}
		printf("ok without %s: %s (schedule %llu of those for it)\n",
		       rule_names[direction->rule], world.broken,
		       (unsigned long long)found);
		fflush(stdout);
		sim_broken = RULE_NONE;
		found = search(first, found + WITH_ALL_RULES, &t);
		if (found) {
			tell(first + found - 1);
			failed++;
		}
	}
	printf("%u passed, %u failed\n", nr - failed, failed);
	return failed != 0;
}

static enum sim_rule rule_of(const char *name)
{
	unsigned int i;

	for (i = 1; i < RULES; i++)
		if (rule_names[i] && !strcmp(rule_names[i], name))
			return i;
	fprintf(stderr, "no rule %s\n", name);
	exit(2);
}

static const struct directed *direction_of(const char *name)
{
	const struct directed *d;

	for (d = directed; d->plan; d++)
		if (!strcmp(rule_names[d->rule], name))
			return d;
	fprintf(stderr, "no schedules for the rule %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, count = 1000, found;
	bool trace = false, rules = false, direct = false;
	struct totals t = { 0 };
	double start = seconds();
	int i;

	for (i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--trace")) {
			trace = true;
		} else if (!strcmp(argv[i], "--rules")) {
			rules = true;
		} else if (!strcmp(argv[i], "--seed") && *value) {
			seed = strtoull(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--count") && *value) {
			count = strtoull(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--break") && *value) {
			sim_broken = rule_of(argv[++i]);
		} else if (!strcmp(argv[i], "--directed")) {
			direct = true;
		} else if (!strcmp(argv[i], "--direct") && *value) {
			direction = direction_of(argv[++i]);
		} else {
			fprintf(stderr, "sim [--seed N] [--count N] [--trace] "
				"[--rules] [--break RULE] [--directed] "
				"[--direct RULE]\n");
			return 2;
		}
	}
	if (trace) {
		tell_all(seed);
		return 0;
	}
	if (rules)
		return break_each(seed, count);
	if (direct)
		return direct_each(seed, count);
	found = search(seed, count, &t);
	if (found)
		tell(seed + found - 1);
	printf("%s %llu schedules, %llu promotions, %llu of them of protocol A, %llu requests completed; "
	       "well again after at most %.1f s; %.1f s of CPU\n", found ? "FAIL" : "ok",
	       (unsigned long long)t.schedules, (unsigned long long)t.failovers,
	       (unsigned long long)t.asynchronous,
	       (unsigned long long)t.completed, t.slowest / 1e6, seconds() - start);
	return found != 0;
}

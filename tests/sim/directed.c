// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * directed.c - schedules for rules whose absence takes much at once to show
 *
 * Each tells what has to happen in which order; when exactly is left to the seed. A is
 * primary from the first second on. All must be well with the rule, and not without.
 */
#include "sim.h"

static struct fault *add(struct world *w, enum fault_kind kind, uint8_t a, uint8_t b,
			 uint64_t at, uint64_t us)
{
	struct fault *f = &w->fault[w->nr_faults++];

	*f = (struct fault){ .kind = kind, .a = a, .b = b, .at = at, .us = us };
	return f;
}

static uint64_t between(struct world *w, uint64_t least, uint64_t most)
{
	return (least + random_below(w, most - least)) * MS;
}

static uint64_t begin(struct world *w, uint8_t nodes, uint16_t data, uint16_t fenceable)
{
	w->nodes = nodes;
	w->data = data;
	w->fenceable = fenceable;
	w->min_in_sync = 0;
	w->acks = 0;
	w->asynchronous = 0;
	w->nr_faults = 0;
	return between(w, 2000, 2500);
}

/*
 * A's daemon starts anew and has itself promoted; before the lease of the new term is
 * confirmed A is cut off. Its kernel goes on under the lease of the old one.
 */
static void word_of_node(struct world *w)
{
	uint64_t at = begin(w, 3, 7, 0), down = between(w, 4, 12);

	add(w, FAULT_DAEMON, 0, 0, at, 4 * down);
	add(w, FAULT_CUT, 0, 0, at + down + between(w, 20, 300), 2 * SECOND);
}

/*
 * A is cut off for as long as its lease and somewhat more. Another node's promotion is
 * accepted by that node alone; A, back and with a new lease, completes that round.
 */
static void stop_first(struct world *w)
{
	uint64_t at = begin(w, 3, 7, 0);

	add(w, FAULT_CUT, 0, 0, at, between(w, 550, 1000));
	add(w, FAULT_LOSSY, 0, 0, at + between(w, 300, 700), 2 * SECOND);
}

/*
 * A is cut off, and back while B's promotion is accepted and B does not hear of it yet.
 * If they were connected A would copy over what only B has.
 */
static void shun(struct world *w)
{
	uint64_t at = begin(w, 3, 3, 0);

	add(w, FAULT_CUT, 0, 0, at, between(w, 600, 1000));
	add(w, FAULT_SLOW_DISK, 2, 2, at + between(w, 300, 600), SECOND);
}

/*
 * A is cut off, and the daemons of all others start anew before they miss it: they do not
 * remember the leases that they confirmed.
 */
static void word_after_start(struct world *w)
{
	uint64_t at = begin(w, 3, chance(w, 50) ? 3 : 7, 0);
	uint8_t i;

	add(w, FAULT_CUT, 0, 0, at, 2 * SECOND);
	for (i = 1; i < 3; i++)
		add(w, FAULT_DAEMON, i, i, at + between(w, 1, 100),
		    4 * between(w, 1, 12));
}

/*
 * A crashes, and B, alone, has it switched off, too; that leads to nothing, as B is in the
 * smaller part. A comes back, is connected to B, and leads anew as soon as it hears C,
 * but B's daemon hears nothing of that. Then A is cut off from all: what B had
 * switched off was an A of another term.
 */
static void fence_of_term(struct world *w)
{
	uint64_t at = begin(w, 3, 7, 7), back = at + between(w, 750, 1000);
	uint64_t joins = back + between(w, 0, 60), hears = back + between(w, 150, 350);

	add(w, FAULT_CRASH, 0, 0, at, back - at);
	add(w, FAULT_CUT, 1, 0, at - 10 * MS, joins - at + 10 * MS);
	add(w, FAULT_CUT, 1, 2, at - 10 * MS, joins - at + between(w, 70, 140));
	add(w, FAULT_ONE_WAY, 2, 0, at, hears - at);
	add(w, FAULT_ONE_WAY, 0, 1, hears - 20 * MS + between(w, 0, 80), 2 * SECOND);
	add(w, FAULT_CUT, 0, 0, hears + between(w, 60, 250), 2 * SECOND);
}

/*
 * A's daemon dies, and its kernel goes on under its lease. B, which is to take its place,
 * gets nothing any more; C does, and what it says of that is lost until B is promoted.
 */
static void copies_settled(struct world *w)
{
	uint64_t at = begin(w, 3, 7, 0);

	w->acks = 1;
	add(w, FAULT_DAEMON, 0, 0, at, 4 * SECOND);
	add(w, FAULT_ONE_WAY, 2, 1, at + between(w, 360, 480), between(w, 120, 280));
}

/*
 * B gets all late; C has it, and loses it with its power. A, which has it, is off when C
 * is back.
 */
static void copies_exact(struct world *w)
{
	uint64_t at = begin(w, 3, 7, 0);

	w->acks = 1;
	add(w, FAULT_SLOW_LINK, 0, 1, at - 500 * MS, SECOND);
	add(w, FAULT_POWER, 2, 2, at, between(w, 100, 400));
	add(w, FAULT_CRASH, 0, 0, at + between(w, 0, 20), 4 * SECOND);
}

/*
 * B gets all late. Fewer acknowledgments are configured, the voters take long to write
 * that down, and A dies.
 */
static void acks_chosen(struct world *w)
{
	uint64_t at = begin(w, 3, 7, 0);

	add(w, FAULT_SLOW_LINK, 0, 1, at - 500 * MS, SECOND);
	add(w, FAULT_SLOW_DISK, 1, 1, at, SECOND);
	add(w, FAULT_SLOW_DISK, 2, 2, at, SECOND);
	add(w, FAULT_ACKS, 0, 1, at, SECOND);
	add(w, FAULT_CRASH, 0, 0, at + between(w, 20, 300), 4 * SECOND);
}

const struct directed directed[] = {
	{ RULE_WORD_AFTER_START, word_after_start },
	{ RULE_FENCE_OF_TERM, fence_of_term },
	{ RULE_WORD_OF_NODE, word_of_node },
	{ RULE_STOP_FIRST, stop_first },
	{ RULE_SHUN, shun },
	{ RULE_COPIES_SETTLED, copies_settled },
	{ RULE_COPIES_EXACT, copies_exact },
	{ RULE_ACKS_CHOSEN, acks_chosen },
	{ RULE_NONE, NULL },
};

// SPDX-License-Identifier: GPL-2.0-or-later
/* The durable position, against a model of devices that lose their cache. */
#include "cmocka_all.h"
#include "durable.h"
#include "order.h"
#include "prng.h"

#define VOLUMES	3
#define OPS	200
#define WINDOW	64

enum kind { WRITE, FUA, FLUSH, PREFLUSH };

struct op {
	enum kind kind;
	u8 volume;
	u64 floor;
	bool started, ended, durable;
	bool covered[OPS + 1];	/* a flush: what had ended when it started */
};

struct sim {
	u64 rnd;
	u64 volatiles;
	struct rblk_order order;
	unsigned long done[BITS_TO_LONGS(WINDOW)];
	struct rblk_durable durable;
	struct op op[OPS + 1];
	u64 position;
};

static bool is_volatile(const struct sim *sim, const struct op *op)
{
	return sim->volatiles >> op->volume & 1;
}

static bool flushes(const struct op *op)
{
	return op->kind == FLUSH || op->kind == PREFLUSH;
}

static void start(struct sim *sim, struct op *op)
{
	u64 i;

	op->started = true;
	op->floor = sim->order.applied;
	for (i = 1; i <= OPS; i++)
		op->covered[i] = sim->op[i].ended &&
				 sim->op[i].volume == op->volume;
}

/* What the applier does when an operation ends. */
static void end(struct sim *sim, u64 seq)
{
	struct op *op = &sim->op[seq];
	u64 i, position;

	op->ended = true;
	op->durable = !is_volatile(sim, op) || op->kind == FUA ||
		      op->kind == FLUSH;
	for (i = 1; flushes(op) && i <= OPS; i++)
		sim->op[i].durable |= op->covered[i];

	rblk_order_applied(&sim->order, seq);
	if (is_volatile(sim, op)) {
		if (flushes(op))
			rblk_durable_flushed(&sim->durable, op->volume,
					     op->floor);
		if (op->kind == WRITE || op->kind == PREFLUSH)
			rblk_durable_written(&sim->durable, op->volume, seq,
					     sim->order.applied);
	}
	position = rblk_durable_position(&sim->durable, sim->order.applied);
	assert_true(position >= sim->position);
	assert_true(position <= sim->order.applied);
	sim->position = position;
	for (i = 1; i <= position; i++)
		assert_true(sim->op[i].durable);
}

static void step(struct sim *sim)
{
	u64 seq = sim->order.applied + 1;
	struct op *op;

	seq += prng_below(&sim->rnd, 16);
	if (seq > OPS)
		return;
	while (sim->order.received < seq)
		rblk_order_receive(&sim->order, sim->order.received + 1, 0);
	op = &sim->op[seq];
	if (op->ended)
		return;
	if (op->started)
		end(sim, seq);
	else
		start(sim, op);
}

static void set_up(struct sim *sim, u64 seed)
{
	u64 i;

	memset(sim, 0, sizeof(*sim));
	sim->rnd = seed;
	sim->volatiles = prng_below(&sim->rnd, 1 << VOLUMES);
	rblk_order_init(&sim->order, sim->done, WINDOW, 0);
	rblk_durable_restart(&sim->durable, 0, sim->volatiles);
	for (i = 1; i <= OPS; i++) {
		sim->op[i].volume = prng_below(&sim->rnd, VOLUMES);
		sim->op[i].kind = prng_below(&sim->rnd, 8);
		if (sim->op[i].kind > PREFLUSH)
			sim->op[i].kind = WRITE;
	}
}

static void test_never_ahead_never_back(void **state)
{
	struct sim *sim = malloc(sizeof(*sim));
	u64 seed, moved = 0, lagged = 0;

	(void)state;
	for (seed = 1; seed <= 300; seed++) {
		set_up(sim, seed);
		while (sim->order.applied < OPS) {
			u64 was = sim->position;

			step(sim);
			moved += sim->position != was;
			lagged += sim->position < sim->order.applied;
		}
	}
	assert_true(moved > 1000);
	assert_true(lagged > 1000);
	free(sim);
}

/*
 * A FLUSH depends on what had been reported: of that nothing is lost by this
 * node if its position says so, whether or not the FLUSH comes to it.
 */
static void test_covered_flush_loses_nothing(void **state)
{
	struct sim *sim = malloc(sizeof(*sim));
	u64 seed, i, dep, covered = 0, asked = 0;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		set_up(sim, seed);
		while (sim->order.applied < OPS) {
			step(sim);
			for (dep = 0, i = 1; i <= OPS; i++)
				if (sim->op[i].ended)
					dep = i;
			if (sim->position < dep) {
				asked++;
				continue;
			}
			covered++;
			for (i = 1; i <= dep; i++)
				assert_true(sim->op[i].ended &&
					    sim->op[i].durable);
		}
	}
	assert_true(covered > 1000);
	assert_true(asked > 1000);
	free(sim);
}

static void test_flushing_all_volumes_is_enough(void **state)
{
	struct sim *sim = malloc(sizeof(*sim));
	u64 seed;
	u8 i;

	(void)state;
	for (seed = 1; seed <= 50; seed++) {
		set_up(sim, seed);
		while (sim->order.applied < OPS)
			step(sim);
		for (i = 0; i < VOLUMES; i++)
			if (sim->volatiles >> i & 1)
				rblk_durable_flushed(&sim->durable, i, OPS);
		assert_int_equal(rblk_durable_position(&sim->durable, OPS),
				 OPS);
	}
	free(sim);
}

/* The mistake that this replaced: one volume without a cache spoke for all. */
static void test_one_volume_does_not_speak_for_another(void **state)
{
	struct rblk_durable durable = { 0 };

	(void)state;
	rblk_durable_restart(&durable, 0, 1 << 1);
	rblk_durable_written(&durable, 1, 1, 1);
	/* operation 2 ends on volume 0, which has no cache */
	assert_int_equal(rblk_durable_position(&durable, 2), 0);
	rblk_durable_flushed(&durable, 1, 2);
	assert_int_equal(rblk_durable_position(&durable, 2), 2);
}

static void test_restart(void **state)
{
	struct rblk_durable durable = { 0 };

	(void)state;
	rblk_durable_restart(&durable, 0, 1);
	rblk_durable_written(&durable, 0, 1, 1);
	assert_int_equal(rblk_durable_position(&durable, 3), 0);
	/* the same position: what was known stays known */
	rblk_durable_restart(&durable, 3, 1);
	assert_int_equal(rblk_durable_position(&durable, 3), 0);
	rblk_durable_flushed(&durable, 0, 3);
	rblk_durable_restart(&durable, 3, 1);
	assert_int_equal(rblk_durable_position(&durable, 3), 3);
	/* another one: written as a primary, or by a resync */
	rblk_durable_restart(&durable, 9, 1);
	assert_int_equal(rblk_durable_position(&durable, 9), 0);
	rblk_durable_flushed(&durable, 0, 9);
	assert_int_equal(rblk_durable_position(&durable, 9), 9);
	/* a device without a cache */
	rblk_durable_restart(&durable, 12, 0);
	assert_int_equal(rblk_durable_position(&durable, 12), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_ahead_never_back),
		cmocka_unit_test(test_covered_flush_loses_nothing),
		cmocka_unit_test(test_flushing_all_volumes_is_enough),
		cmocka_unit_test(test_one_volume_does_not_speak_for_another),
		cmocka_unit_test(test_restart),
	};

	return cmocka_run_group_tests_name("durable", tests, NULL, NULL);
}

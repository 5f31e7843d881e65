// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pace of a resync, in a simulated pipe: pieces are served one after the
 * other at some rate, and come back some time after. The application's writes
 * wait behind what is being served.
 */
#include "cmocka_all.h"
#include "pace.h"
#include "prng.h"

#define MS		1000000ULL
#define SEC		1000000000ULL
#define MIB		(1ULL << 20)
#define PIECE		(256U << 10)
#define PIECES		65536
#define FOREVER		RBLK_PACE_FOREVER

struct sim {
	struct rblk_pace pace;
	struct rblk_pace_app app;
	u64 now_ns;
	u64 rate;		/* of the pipe, bytes per second */
	u64 delay_ns;		/* until a piece that was served is back */
	u64 free_ns;		/* when the pipe has served all */
	struct rblk_pace_trip trip[PIECES];
	u64 back_ns[PIECES];
	u32 first, last;	/* of those in flight */
	u64 most;		/* in flight at once */
	u64 write_every_ns;	/* 0: the application is idle */
	u64 write_next_ns;
	u64 write_ns;		/* what a write takes by itself */
	u64 writes, slow;	/* slower than twice that */
	u64 seed;
};

static void sim_start(struct sim *sim, u64 rate, u64 delay_ns)
{
	memset(sim, 0, sizeof(*sim));
	sim->now_ns = 5 * SEC + 7;
	sim->free_ns = sim->now_ns;
	sim->rate = rate;
	sim->delay_ns = delay_ns;
	sim->seed = 42;
}

static void sim_begin(struct sim *sim)
{
	sim->app.resyncs = 1;
	rblk_pace_begin(&sim->pace, &sim->app, sim->now_ns);
}

static u64 serve(struct sim *sim, u64 bytes)
{
	sim->free_ns = max(sim->free_ns, sim->now_ns) + bytes * SEC / sim->rate;
	return sim->free_ns;
}

static void sim_write(struct sim *sim)
{
	u64 queue_ns = sim->free_ns > sim->now_ns ? sim->free_ns - sim->now_ns : 0;
	u64 own_ns = sim->write_ns - prng_below(&sim->seed, sim->write_ns / 2);

	sim->writes++;
	sim->slow += own_ns + queue_ns > 2 * sim->write_ns;
	rblk_pace_wrote(&sim->app, sim->now_ns - own_ns - queue_ns, sim->now_ns);
	sim->write_next_ns = sim->now_ns + sim->write_every_ns;
}

/* Let time pass; @pieces: of them a resync starts what it may. */
static void sim_run(struct sim *sim, u64 ns, bool resync)
{
	const u64 end_ns = sim->now_ns + ns;

	while (sim->now_ns < end_ns) {
		u64 next_ns = end_ns, wait_ns = FOREVER;

		while (sim->first != sim->last &&
		       sim->back_ns[sim->first % PIECES] <= sim->now_ns)
			rblk_pace_back(&sim->pace,
				       &sim->trip[sim->first++ % PIECES],
				       sim->now_ns);
		if (sim->write_every_ns && sim->write_next_ns <= sim->now_ns)
			sim_write(sim);
		while (resync && !(wait_ns = rblk_pace_wait(&sim->pace, &sim->app,
							    sim->now_ns))) {
			rblk_pace_start(&sim->pace,
					&sim->trip[sim->last % PIECES], PIECE,
					sim->now_ns);
			sim->back_ns[sim->last++ % PIECES] =
				serve(sim, PIECE) + sim->delay_ns;
			assert_true(sim->last - sim->first < PIECES);
		}
		sim->most = max(sim->most, sim->pace.in_flight);
		assert_true(wait_ns != FOREVER || !resync ||
			    sim->pace.in_flight);
		if (wait_ns != FOREVER)
			next_ns = min(next_ns, sim->now_ns + wait_ns);
		if (sim->first != sim->last)
			next_ns = min(next_ns, sim->back_ns[sim->first % PIECES]);
		if (sim->write_every_ns)
			next_ns = min(next_ns, sim->write_next_ns);
		sim->now_ns = max(next_ns, sim->now_ns + 1);
	}
}

/* Bytes per second of a resync, over @ns. */
static u64 sim_rate(struct sim *sim, u64 ns)
{
	u64 was = sim->pace.delivered;

	sim_run(sim, ns, true);
	return (sim->pace.delivered - was) * 1000 / (ns / MS);
}

static void test_idle_fills_the_pipe(void **state)
{
	static const u64 rates[] = { 1 * MIB, 10 * MIB, 100 * MIB, 1200 * MIB,
				     5000 * MIB };
	static const u64 delays[] = { MS / 20, MS, 20 * MS, 100 * MS };
	static struct sim sim;
	unsigned int i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		for (j = 0; j < ARRAY_SIZE(delays); j++) {
			u64 bdp = rates[i] * (delays[j] / 1000) / 1000000;

			sim_start(&sim, rates[i], delays[j]);
			sim_begin(&sim);
			sim_run(&sim, 3 * SEC, true);
			assert_true(sim_rate(&sim, 20 * SEC) * 10 > rates[i] * 9);
			/* It does not only queue. */
			assert_true(sim.most <=
				    max(2 * RBLK_PACE_MIN_BYTES,
					3 * bdp + 4 * PIECE));
		}
	}
}

static void test_pipe_changes(void **state)
{
	static struct sim sim;

	(void)state;
	sim_start(&sim, 100 * MIB, 20 * MS);
	sim_begin(&sim);
	sim_run(&sim, 3 * SEC, true);
	sim.rate = 1000 * MIB;
	sim_run(&sim, 3 * SEC, true);
	assert_true(sim_rate(&sim, 10 * SEC) > 900 * MIB);
	sim.rate = 10 * MIB;
	sim.delay_ns = MS;
	sim_run(&sim, 30 * SEC, true);
	assert_true(sim_rate(&sim, 10 * SEC) > 9 * MIB);
	assert_true(sim.pace.in_flight <= 1 * MIB);
}

static void test_busy_application_is_spared(void **state)
{
	static const u64 rates[] = { 400 * MIB, 1000 * MIB };
	static struct sim sim;
	unsigned int i;
	u64 rate;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		sim_start(&sim, rates[i], MS / 2);
		sim.write_ns = MS / 5;
		sim.write_every_ns = MS / 4;
		sim_run(&sim, 2 * SEC, false);
		assert_int_equal(sim.slow, 0);
		sim_begin(&sim);
		sim_run(&sim, 5 * SEC, true);
		sim.writes = 0;
		sim.slow = 0;
		rate = sim_rate(&sim, 30 * SEC);
		assert_true(sim.slow * 100 <= sim.writes);
		assert_true(rate >= 2 * RBLK_PACE_FLOOR);
		/* It goes away: all is the resync's again. */
		sim.write_every_ns = 0;
		sim_run(&sim, 3 * SEC, true);
		assert_true(sim_rate(&sim, 10 * SEC) * 10 > rates[i] * 9);
	}
}

/* Each piece delays ten writes: it must not stop for that. */
static void test_floor(void **state)
{
	static struct sim sim;

	(void)state;
	sim_start(&sim, 100 * MIB, MS / 2);
	sim.write_ns = MS / 5;
	sim.write_every_ns = MS / 4;
	sim_run(&sim, 2 * SEC, false);
	sim_begin(&sim);
	sim_run(&sim, 5 * SEC, true);
	assert_in_range(sim_rate(&sim, 30 * SEC), RBLK_PACE_FLOOR * 9 / 10,
			2 * RBLK_PACE_FLOOR);
}

/* Writes that a resync does not delay do not slow it down. */
static void test_harmless(void **state)
{
	static struct sim sim;

	(void)state;
	sim_start(&sim, 1000 * MIB, MS);
	sim.write_ns = 40 * MS;
	sim.write_every_ns = MS / 2;
	sim_run(&sim, 2 * SEC, false);
	sim_begin(&sim);
	sim_run(&sim, 3 * SEC, true);
	assert_true(sim_rate(&sim, 20 * SEC) > 800 * MIB);
	assert_int_equal(sim.slow, 0);
}

/* Also when the application was there only after the resync. */
static void test_learns_meanwhile(void **state)
{
	static struct sim sim;

	(void)state;
	sim_start(&sim, 200 * MIB, MS / 2);
	sim_begin(&sim);
	sim_run(&sim, 2 * SEC, true);
	sim.write_ns = MS / 5;
	sim.write_every_ns = MS / 4;
	sim_run(&sim, 10 * SEC, true);
	assert_true(sim.app.level_ns <= 2 * sim.write_ns);
	sim.writes = 0;
	sim.slow = 0;
	sim_run(&sim, 30 * SEC, true);
	assert_true(sim.slow * 100 <= sim.writes);
}

static void test_cancel(void **state)
{
	struct rblk_pace_trip trip;
	static struct sim sim;

	(void)state;
	sim_start(&sim, MIB, MS);
	sim_begin(&sim);
	rblk_pace_start(&sim.pace, &trip, PIECE, sim.now_ns);
	assert_int_equal(sim.pace.in_flight, PIECE);
	rblk_pace_cancel(&sim.pace, &trip);
	assert_int_equal(sim.pace.in_flight, 0);
	assert_int_equal(sim.pace.delivered, 0);
}

static void test_rate(void **state)
{
	struct rblk_pace_rate rate;
	u64 now_ns = 3 * SEC, end_ns;

	(void)state;
	rblk_pace_rate_begin(&rate, now_ns);
	assert_int_equal(rblk_pace_rate_get(&rate, now_ns), 0);
	for (end_ns = now_ns + 20 * SEC; now_ns < end_ns; now_ns += 10 * MS) {
		rblk_pace_rate_add(&rate, MIB, now_ns);
		if (now_ns > 4 * SEC)
			assert_in_range(rblk_pace_rate_get(&rate, now_ns),
					97 * MIB, 103 * MIB);
	}
	assert_in_range(rblk_pace_rate_get(&rate, now_ns + 2 * SEC), 1 * MIB,
			70 * MIB);
	assert_int_equal(rblk_pace_rate_get(&rate, now_ns + 5 * SEC), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_fills_the_pipe),
		cmocka_unit_test(test_pipe_changes),
		cmocka_unit_test(test_busy_application_is_spared),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_learns_meanwhile),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

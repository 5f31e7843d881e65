// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_detector.c - which nodes are heard of, and how well
 */
#include "test.h"

#include "detector.h"

#include <stdbool.h>
#include <string.h>

#define NODES	3
#define MS	1000ULL
#define STEP_MS	100

/* Three detectors, and a network that may be cut in each direction. */
static struct rblk_detector d[NODES];
static bool cut[NODES][NODES][2];
static uint64_t now, offset[NODES], delay_us;

static uint64_t clock_of(int node)
{
	return now + offset[node];
}

static void begin(int nodes)
{
	int i, j;

	now = 1000000 * MS;
	delay_us = 200;
	memset(cut, 0, sizeof(cut));
	for (i = 0; i < nodes; i++) {
		offset[i] = i * 777777777ULL;
		rblk_detector_start(&d[i], i, STEP_MS, 3);
		for (j = 0; j < nodes; j++)
			rblk_detector_watch(&d[i], j, 1, clock_of(i));
	}
}

static void beat(int from, int to, int path)
{
	struct rblk_detector_beat b;

	rblk_detector_send(&d[from], to, path, clock_of(from), &b);
	now += delay_us;
	if (!cut[from][to][path])
		rblk_detector_receive(&d[to], from, &b, clock_of(to));
}

static void run(int nodes, uint64_t ms)
{
	uint64_t end = now + ms * MS;
	int i, j, path;

	while (now < end) {
		uint64_t next = now + STEP_MS * MS;

		for (i = 0; i < nodes; i++)
			for (j = 0; j < nodes; j++)
				for (path = 0; i != j && path < 2; path++)
					if (d[i].peer[j].path[path].used)
						beat(i, j, path);
		now = next;
	}
}

static enum rblk_detector_state state_of(int at, int node)
{
	return rblk_detector_state(&d[at], node, clock_of(at));
}

static void unknown_alive_failed(void **state)
{
	(void)state;
	begin(2);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_UNKNOWN);
	assert_int_equal(state_of(0, 0), RBLK_DETECTOR_ALIVE);
	assert_int_equal(state_of(0, 5), RBLK_DETECTOR_UNKNOWN);
	run(2, 1000);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_ALIVE);
	cut[1][0][0] = true;
	run(2, 200);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_ALIVE);
	run(2, 200);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_FAILED);
	cut[1][0][0] = false;
	run(2, 200);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_ALIVE);
}

/* One that never was heard of is not called failed before its time. */
static void never_heard(void **state)
{
	(void)state;
	begin(2);
	cut[1][0][0] = true;
	run(2, 200);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_UNKNOWN);
	run(2, 200);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_FAILED);
}

/* It speaks, but it does not hear. */
static void one_way(void **state)
{
	(void)state;
	begin(2);
	run(2, 1000);
	cut[0][1][0] = true;
	run(2, 300);
	assert_int_equal(state_of(1, 0), RBLK_DETECTOR_FAILED);
	run(2, 400);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_FAILED);
}

/* A third node that hears it contradicts. */
static void suspected_only(void **state)
{
	(void)state;
	begin(3);
	run(3, 1000);
	cut[0][1][0] = cut[1][0][0] = true;
	run(3, 1000);
	assert_int_equal(state_of(1, 0), RBLK_DETECTOR_SUSPECT);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_SUSPECT);
	assert_int_equal(state_of(2, 0), RBLK_DETECTOR_ALIVE);
	cut[0][2][0] = true;
	run(3, 1000);
	assert_int_equal(state_of(1, 0), RBLK_DETECTOR_FAILED);
	assert_int_equal(state_of(2, 0), RBLK_DETECTOR_FAILED);
}

static void second_path(void **state)
{
	struct rblk_detector_health h[2];
	int i, j;

	(void)state;
	begin(2);
	for (i = 0; i < 2; i++)
		for (j = 0; j < 2; j++)
			rblk_detector_watch(&d[i], j, 3, clock_of(i));
	run(2, 1000);
	cut[0][1][0] = cut[1][0][0] = true;
	run(2, 1000);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_ALIVE);
	for (i = 0; i < 2; i++)
		rblk_detector_health(&d[0], 1, i, clock_of(0), &h[i]);
	assert_false(h[0].works);
	assert_true(h[0].degraded);
	assert_true(h[1].works);
	assert_false(h[1].degraded);
}

/* Before it fails: every third beat is lost. */
static void degraded_before_it_fails(void **state)
{
	struct rblk_detector_health h;
	int i;

	(void)state;
	begin(2);
	run(2, 10000);
	rblk_detector_health(&d[0], 1, 0, clock_of(0), &h);
	assert_true(h.works);
	assert_false(h.degraded);
	assert_int_equal(h.loss_permille, 0);
	for (i = 0; i < 60; i++) {
		cut[1][0][0] = i % 3 == 0;
		run(2, STEP_MS);
		assert_int_equal(state_of(0, 1), RBLK_DETECTOR_ALIVE);
	}
	rblk_detector_health(&d[0], 1, 0, clock_of(0), &h);
	assert_true(h.degraded);
	assert_in_range(h.loss_permille, 250, 400);
}

/* How often it turns, while what is lost goes round the limit. */
static unsigned int turns(unsigned int (*lose)(unsigned int i), unsigned int beats)
{
	struct rblk_detector_health h;
	unsigned int i, n = 0;
	bool was = false;

	begin(2);
	run(2, 10000);
	for (i = 0; i < beats; i++) {
		cut[1][0][0] = lose(i);
		run(2, STEP_MS);
		rblk_detector_health(&d[0], 1, 0, clock_of(0), &h);
		n += h.degraded != was;
		was = h.degraded;
	}
	return n;
}

static unsigned int every_tenth(unsigned int i)
{
	return i % 10 == 0;
}

static unsigned int every_tenth_for_a_while(unsigned int i)
{
	return i < 300 && i % 10 == 0;
}

static void degraded_does_not_flap(void **state)
{
	(void)state;
	assert_int_equal(turns(every_tenth, 600), 1);
	assert_int_equal(turns(every_tenth_for_a_while, 600), 2);
}

/* Round the limit of the round-trip time as well. */
static void slow_does_not_flap(void **state)
{
	struct rblk_detector_health h;
	unsigned int i, n = 0;
	bool was = false;

	(void)state;
	begin(2);
	run(2, 5000);
	for (i = 0; i < 600; i++) {
		delay_us = i / 20 % 2 ? 2200 : 900;
		run(2, STEP_MS);
		rblk_detector_health(&d[0], 1, 0, clock_of(0), &h);
		n += h.degraded != was;
		was = h.degraded;
	}
	assert_int_equal(n, 1);
	assert_true(was);
	delay_us = 200;
	run(2, 10000);
	rblk_detector_health(&d[0], 1, 0, clock_of(0), &h);
	assert_false(h.degraded);
}

/* One of three is a third, and no sign of anything. */
static void one_lost_soon_after_a_start(void **state)
{
	struct rblk_detector_health h;

	(void)state;
	begin(2);
	run(2, 200);
	cut[1][0][0] = true;
	run(2, STEP_MS);
	cut[1][0][0] = false;
	run(2, STEP_MS);
	rblk_detector_health(&d[0], 1, 0, clock_of(0), &h);
	assert_in_range(h.loss_permille, 200, 500);
	assert_false(h.degraded);
}

static void measures(void **state)
{
	struct rblk_detector_health h;

	(void)state;
	begin(2);
	run(2, 5000);
	rblk_detector_health(&d[0], 1, 0, clock_of(0), &h);
	/* there and back, whatever the clocks say and however long it was kept */
	assert_in_range(h.rtt_us, 390, 410);
	assert_in_range(h.jitter_us, 0, 40);
	delay_us = 9000;
	run(2, 5000);
	rblk_detector_health(&d[0], 1, 0, clock_of(0), &h);
	assert_in_range(h.rtt_us, 17000, 19000);
	assert_true(h.degraded);
}

/* The beats' numbers begin anew: that is no loss and no replay. */
static void peer_starts_again(void **state)
{
	struct rblk_detector_health h;

	(void)state;
	begin(2);
	run(2, 20000);
	rblk_detector_start(&d[1], 1, STEP_MS, 3);
	rblk_detector_watch(&d[1], 0, 1, clock_of(1));
	rblk_detector_restarted(&d[0], 1, clock_of(0));
	run(2, 300);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_ALIVE);
	assert_int_equal(state_of(1, 0), RBLK_DETECTOR_ALIVE);
	rblk_detector_health(&d[0], 1, 0, clock_of(0), &h);
	assert_int_equal(h.loss_permille, 0);
}

/*
 * A node that failed begins a session: it is on its way back, and did not fail again
 * before it could have been heard of.
 */
static void returning_is_no_failure(void **state)
{
	(void)state;
	begin(2);
	run(2, 1000);
	cut[0][1][0] = cut[1][0][0] = true;
	run(2, 5000);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_FAILED);
	rblk_detector_restarted(&d[0], 1, clock_of(0));
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_UNKNOWN);
	run(2, 2 * STEP_MS);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_UNKNOWN);
	/* nothing came all the same */
	run(2, 2 * STEP_MS);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_FAILED);
	rblk_detector_restarted(&d[0], 1, clock_of(0));
	cut[0][1][0] = cut[1][0][0] = false;
	run(2, 2 * STEP_MS);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_ALIVE);
	/* and one that was heard of is not forgotten for that, nor missed sooner */
	cut[0][1][0] = cut[1][0][0] = true;
	run(2, 2 * STEP_MS);
	rblk_detector_restarted(&d[0], 1, clock_of(0));
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_ALIVE);
	run(2, 2 * STEP_MS);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_UNKNOWN);
	run(2, 2 * STEP_MS);
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_FAILED);
}

static void wakes_in_time(void **state)
{
	uint64_t at;

	(void)state;
	begin(2);
	run(2, 1000);
	cut[1][0][0] = true;
	at = rblk_detector_wake_us(&d[0], clock_of(0));
	assert_true(at > clock_of(0));
	assert_int_equal(rblk_detector_state(&d[0], 1, at - 1), RBLK_DETECTOR_ALIVE);
	assert_int_equal(rblk_detector_state(&d[0], 1, at), RBLK_DETECTOR_FAILED);
}

/* Whatever a peer may say. */
static void strange_beats(void **state)
{
	struct rblk_detector_beat b;
	uint64_t random = 1;
	unsigned int i, j;

	(void)state;
	begin(3);
	for (i = 0; i < 100000; i++) {
		struct rblk_detector_health h;

		for (j = 0; j < sizeof(b); j++) {
			random = random * 6364136223846793005ULL + 1;
			((uint8_t *)&b)[j] = random >> 56 & (i % 3 ? 3 : 255);
		}
		rblk_detector_receive(&d[0], i % 20, &b, clock_of(0));
		rblk_detector_health(&d[0], i % 20, i % 3, clock_of(0), &h);
		assert_true(h.loss_permille <= 1000);
		now += i % 7 * MS;
	}
	rblk_detector_watch(&d[0], 1, 0, clock_of(0));
	assert_int_equal(state_of(0, 1), RBLK_DETECTOR_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_alive_failed),
		cmocka_unit_test(never_heard),
		cmocka_unit_test(one_way),
		cmocka_unit_test(suspected_only),
		cmocka_unit_test(second_path),
		cmocka_unit_test(degraded_before_it_fails),
		cmocka_unit_test(degraded_does_not_flap),
		cmocka_unit_test(slow_does_not_flap),
		cmocka_unit_test(one_lost_soon_after_a_start),
		cmocka_unit_test(measures),
		cmocka_unit_test(peer_starts_again),
		cmocka_unit_test(returning_is_no_failure),
		cmocka_unit_test(wakes_in_time),
		cmocka_unit_test(strange_beats),
	};

	return RUN(tests);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_session.c - nothing that was recorded earlier is acted upon
 */
#include "test.h"

#include "session.h"

#include <stdbool.h>

struct node {
	struct rblk_session s;
	uint8_t id;
	uint64_t random;
};

static uint64_t draw(struct node *n)
{
	n->random = n->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return n->random;
}

static void start(struct node *n, uint8_t id, uint64_t seed)
{
	n->id = id;
	n->random = seed;
	rblk_session_start(&n->s, draw(n));
}

/* What a node sends with each beat. */
static struct rblk_session_header beat(struct node *n)
{
	struct rblk_session_header h;

	if (rblk_session_is_open(&n->s))
		rblk_session_stamp(&n->s, n->id, !n->id, &h);
	else
		rblk_session_hello(&n->s, n->id, !n->id, &h);
	return h;
}

static struct rblk_session_header hello(struct node *n)
{
	struct rblk_session_header h;

	rblk_session_hello(&n->s, n->id, !n->id, &h);
	return h;
}

static enum rblk_session_verdict get(struct node *n, struct rblk_session_header h)
{
	return rblk_session_receive(&n->s, &h, draw(n));
}

/* @h comes to @to, and all answers that it leads to are exchanged. Returns the first. */
static enum rblk_session_verdict talk(struct node *to, struct node *from,
				      struct rblk_session_header h)
{
	enum rblk_session_verdict first = get(to, h), v = first;
	int answers = 0;

	while (v == RBLK_SESSION_UNKNOWN) {
		struct node *other = to;

		assert_true(++answers < 4);
		v = get(from, hello(to));
		to = from;
		from = other;
	}
	return first;
}

static void open_both(struct node *a, struct node *b)
{
	talk(b, a, beat(a));
	get(b, beat(a));
	get(a, beat(b));
	assert_int_equal(get(b, beat(a)), RBLK_SESSION_OK);
	assert_int_equal(get(a, beat(b)), RBLK_SESSION_OK);
}

static void begins(void **state)
{
	struct rblk_session_header first;
	struct node a, b;

	(void)state;
	start(&a, 0, 1);
	start(&b, 1, 2);
	assert_false(rblk_session_is_open(&a.s));
	first = beat(&a);
	assert_int_equal(first.to_token, 0);
	assert_int_equal(get(&b, first), RBLK_SESSION_UNKNOWN);
	/* B's answer names A's token: A may believe it. */
	assert_int_equal(get(&a, hello(&b)), RBLK_SESSION_NEW);
	assert_true(rblk_session_is_open(&a.s));
	assert_false(rblk_session_is_open(&b.s));
	assert_int_equal(get(&b, beat(&a)), RBLK_SESSION_NEW);
	assert_int_equal(get(&a, beat(&b)), RBLK_SESSION_OK);
}

static void both_at_once(void **state)
{
	struct rblk_session_header from_a, from_b;
	struct node a, b;

	(void)state;
	start(&a, 0, 1);
	start(&b, 1, 2);
	from_a = beat(&a);
	from_b = beat(&b);
	assert_int_equal(get(&a, from_b), RBLK_SESSION_UNKNOWN);
	assert_int_equal(get(&b, from_a), RBLK_SESSION_UNKNOWN);
	from_a = hello(&a);
	from_b = hello(&b);
	assert_int_equal(get(&a, from_b), RBLK_SESSION_NEW);
	assert_int_equal(get(&b, from_a), RBLK_SESSION_NEW);
	assert_int_equal(get(&a, beat(&b)), RBLK_SESSION_OK);
	assert_int_equal(get(&b, beat(&a)), RBLK_SESSION_OK);
}

static void nothing_twice(void **state)
{
	struct rblk_session_header h[100];
	struct node a, b;
	int i;

	(void)state;
	start(&a, 0, 1);
	start(&b, 1, 2);
	open_both(&a, &b);
	for (i = 0; i < 100; i++)
		h[i] = beat(&a);
	/* out of order, but each once */
	for (i = 98; i >= 40; i--)
		assert_int_equal(get(&b, h[i]), RBLK_SESSION_OK);
	for (i = 40; i < 99; i++)
		assert_int_equal(get(&b, h[i]), RBLK_SESSION_REPLAYED);
	assert_int_equal(get(&b, h[99]), RBLK_SESSION_OK);
	assert_int_equal(get(&b, h[99]), RBLK_SESSION_REPLAYED);
	/* 63 behind may come late, 64 not: nobody remembers whether it came */
	assert_int_equal(get(&b, h[36]), RBLK_SESSION_OK);
	assert_int_equal(get(&b, h[36]), RBLK_SESSION_REPLAYED);
	assert_int_equal(get(&b, h[35]), RBLK_SESSION_REPLAYED);
}

static void not_from_before_the_receivers_start(void **state)
{
	struct rblk_session_header old[3];
	struct node a, b;
	int i;

	(void)state;
	start(&a, 0, 1);
	start(&b, 1, 2);
	old[0] = beat(&a);
	open_both(&a, &b);
	old[1] = beat(&a);
	assert_int_equal(get(&b, old[1]), RBLK_SESSION_OK);
	old[2] = beat(&a);		/* on its way */
	start(&b, 1, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(talk(&b, &a, old[i]), RBLK_SESSION_UNKNOWN);
	open_both(&a, &b);
	for (i = 0; i < 3; i++)
		assert_int_not_equal(get(&b, old[i]), RBLK_SESSION_OK);
	open_both(&a, &b);
}

static void not_from_before_the_senders_start(void **state)
{
	struct rblk_session_header old;
	struct node a, b;

	(void)state;
	start(&a, 0, 1);
	start(&b, 1, 2);
	open_both(&a, &b);
	old = beat(&a);
	start(&a, 0, 3);
	open_both(&a, &b);
	assert_true(talk(&b, &a, old) >= RBLK_SESSION_REPLAYED);
	open_both(&a, &b);
}

/* Replays cause answers; the session that there is goes on under them. */
static void replays_do_not_disturb(void **state)
{
	struct rblk_session_header old[8];
	struct node a, b;
	int i;

	(void)state;
	start(&a, 0, 1);
	for (i = 0; i < 8; i++) {
		start(&b, 1, 10 + i);
		old[i] = beat(&b);
		open_both(&a, &b);
	}
	for (i = 0; i < 64; i++) {
		assert_int_not_equal(get(&a, old[i % 8]), RBLK_SESSION_OK);
		assert_int_equal(get(&a, beat(&b)), RBLK_SESSION_OK);
		assert_int_equal(get(&b, beat(&a)), RBLK_SESSION_OK);
	}
	/* and if each is answered, it settles again */
	for (i = 0; i < 64; i++)
		talk(&a, &b, old[i % 8]);
	open_both(&a, &b);
}

/*
 * Each sends two datagrams at the same moment, so that those of the former session
 * cross each handshake; and a HELLO is sent once per round at most. That must not
 * begin sessions for ever.
 */
static void crossing_beats_settle(void **state)
{
	struct rblk_session_header from_a[2], from_b[2];
	struct node a, b;
	int i, j, good = 0;

	(void)state;
	start(&a, 0, 1);
	start(&b, 1, 2);
	open_both(&a, &b);
	from_a[0] = beat(&a);
	start(&b, 1, 3);
	talk(&b, &a, from_a[0]);
	for (i = 0; i < 20; i++) {
		int sent_a = 0, sent_b = 0;

		for (j = 0; j < 2; j++) {
			from_a[j] = beat(&a);
			from_b[j] = beat(&b);
		}
		for (j = 0, good = 0; j < 2; j++) {
			enum rblk_session_verdict at_b = get(&b, from_a[j]), at_a;

			if (at_b == RBLK_SESSION_UNKNOWN && !sent_b++ &&
			    get(&a, hello(&b)) == RBLK_SESSION_UNKNOWN && !sent_a++)
				get(&b, hello(&a));
			at_a = get(&a, from_b[j]);
			if (at_a == RBLK_SESSION_UNKNOWN && !sent_a++ &&
			    get(&b, hello(&a)) == RBLK_SESSION_UNKNOWN && !sent_b++)
				get(&a, hello(&b));
			good += at_a == RBLK_SESSION_OK && at_b == RBLK_SESSION_OK;
		}
	}
	assert_int_equal(good, 2);
}

static void token_of_zero_is_none(void **state)
{
	struct rblk_session_header h = { .from = 1, .counter = 1 };
	struct rblk_session s;

	(void)state;
	rblk_session_start(&s, 0);
	assert_int_equal(rblk_session_receive(&s, &h, 0), RBLK_SESSION_REPLAYED);
	h.from_token = 9;
	assert_int_equal(rblk_session_receive(&s, &h, 0), RBLK_SESSION_UNKNOWN);
	assert_false(rblk_session_is_open(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins),
		cmocka_unit_test(both_at_once),
		cmocka_unit_test(nothing_twice),
		cmocka_unit_test(not_from_before_the_receivers_start),
		cmocka_unit_test(not_from_before_the_senders_start),
		cmocka_unit_test(replays_do_not_disturb),
		cmocka_unit_test(crossing_beats_settle),
		cmocka_unit_test(token_of_zero_is_none),
	};

	return RUN(tests);
}

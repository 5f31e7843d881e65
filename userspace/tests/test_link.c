// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_link.c - backoff, and the life of a link
 */
#include "test.h"

#include "link.h"

#include <string.h>

static void backoff_grows_and_ends(void **state)
{
	struct rblk_backoff b = { 0 };
	uint32_t want[] = { 200, 400, 800, 1600, 3200, 5000, 5000, 5000 };
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++)		/* this random means no jitter */
		assert_int_equal(rblk_backoff_next_ms(&b, want[i] / 4),
				 want[i]);
	rblk_backoff_reset(&b);
	assert_int_equal(rblk_backoff_next_ms(&b, 50), 200);
}

static void jitter_is_bounded(void **state)
{
	uint32_t random;

	(void)state;
	for (random = 0; random < 5000; random++) {
		struct rblk_backoff b = { 0 };
		uint32_t ms = rblk_backoff_next_ms(&b, random * 2654435761u);

		assert_in_range(ms, 150, 250);
		ms = rblk_backoff_long_ms(&b, random * 2654435761u);
		assert_in_range(ms, 3750, 6250);
	}
}

static void active_retries(void **state)
{
	struct rblk_link l;

	(void)state;
	rblk_link_init(&l, true, 1000);
	assert_true(rblk_link_is_due(&l, 1000));
	rblk_link_tried(&l);
	assert_int_equal(l.state, RBLK_LINK_TRYING);
	assert_false(rblk_link_is_due(&l, 9999));
	rblk_link_failed(&l, 2000, 50, false, "Connection refused");
	assert_int_equal(l.state, RBLK_LINK_WAIT);
	assert_int_equal(l.due_ms, 2200);
	assert_string_equal(l.reason, "Connection refused");
	rblk_link_enable(&l, 2050);		/* rblk connect */
	assert_true(rblk_link_is_due(&l, 2050));
	rblk_link_tried(&l);
	rblk_link_attached(&l, 2100);
	rblk_link_observed(&l, 2200, 50, RBLK_CONN_UP, "");
	assert_int_equal(l.state, RBLK_LINK_UP);
	assert_string_equal(l.reason, "");
}

/* A loss is retried at once, a refusal by the peer's kernel later. */
static void loss_and_refusal(void **state)
{
	struct rblk_link l;

	(void)state;
	rblk_link_init(&l, true, 0);
	rblk_link_tried(&l);
	rblk_link_attached(&l, 10);
	rblk_link_observed(&l, 20, 1250, RBLK_CONN_DOWN, "sizes differ");
	assert_int_equal(l.state, RBLK_LINK_WAIT);
	assert_int_equal(l.due_ms, 5020);
	assert_string_equal(l.reason, "sizes differ");
	rblk_link_tried(&l);
	rblk_link_attached(&l, 6000);
	rblk_link_observed(&l, 6001, 0, RBLK_CONN_UP, "");
	rblk_link_observed(&l, 7000, 50, RBLK_CONN_DOWN, "reset");
	assert_int_equal(l.due_ms, 7200);
}

/* "down" from before the socket was handed over changes nothing. */
static void late_down(void **state)
{
	struct rblk_link l;

	(void)state;
	rblk_link_init(&l, true, 0);
	rblk_link_tried(&l);
	rblk_link_observed(&l, 5, 0, RBLK_CONN_DOWN, "old");
	assert_int_equal(l.state, RBLK_LINK_TRYING);
	assert_string_equal(l.reason, "");
}

static void admin_has_the_last_word(void **state)
{
	struct rblk_link l;

	(void)state;
	rblk_link_init(&l, true, 0);
	rblk_link_disable(&l);
	assert_false(rblk_link_is_due(&l, UINT64_MAX - 1));
	rblk_link_failed(&l, 1, 0, false, "x");
	rblk_link_attached(&l, 1);
	rblk_link_observed(&l, 1, 0, RBLK_CONN_UP, "");
	assert_int_equal(l.state, RBLK_LINK_OFF);
	assert_string_equal(l.reason, "disconnected by the administrator");
	rblk_link_enable(&l, 7);
	assert_true(rblk_link_is_due(&l, 7));
}

static void passive_knocks_once(void **state)
{
	struct rblk_link l;

	(void)state;
	rblk_link_init(&l, false, 100);
	assert_int_equal(l.state, RBLK_LINK_IDLE);
	assert_true(rblk_link_is_due(&l, 100));
	rblk_link_tried(&l);
	rblk_link_will_be_called(&l);
	assert_int_equal(l.state, RBLK_LINK_IDLE);
	assert_false(rblk_link_is_due(&l, UINT64_MAX - 1));
	assert_string_equal(l.reason, "waiting for the peer to connect");
	rblk_link_attached(&l, 150);
	rblk_link_observed(&l, 160, 0, RBLK_CONN_UP, "");
	rblk_link_observed(&l, 200, 0, RBLK_CONN_DOWN, "reset");
	assert_false(rblk_link_is_due(&l, 1199));
	assert_true(rblk_link_is_due(&l, 1200));
	rblk_link_tried(&l);
	rblk_link_failed(&l, 1300, 0, false, "refused");
	assert_false(rblk_link_is_due(&l, UINT64_MAX - 1));
}

static void knocked_at(void **state)
{
	struct rblk_link l;

	(void)state;
	rblk_link_init(&l, true, 0);
	rblk_link_tried(&l);
	rblk_link_failed(&l, 0, 0, true, "not up");
	assert_false(rblk_link_is_due(&l, 1000));
	assert_false(rblk_link_knocked(&l, 1000));
	assert_true(rblk_link_is_due(&l, 1000));
	rblk_link_tried(&l);
	rblk_link_attached(&l, 1100);
	assert_false(rblk_link_knocked(&l, 1200));	/* it was under way */
	rblk_link_observed(&l, 1300, 0, RBLK_CONN_UP, "");
	assert_true(rblk_link_knocked(&l, 60000));	/* the peer lost it */
}

static void reasons_are_harmless(void **state)
{
	struct rblk_link l;
	char longer[400];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[399] = '\0';
	rblk_link_init(&l, true, 0);
	rblk_link_failed(&l, 0, 0, false, "a\nb\033[2J");
	assert_string_equal(l.reason, "a?b?[2J");
	rblk_link_failed(&l, 0, 0, false, longer);
	assert_int_equal(strlen(l.reason), RBLK_REASON_SIZE - 1);
}

/* Each retry is refused as the one before: one line in the log. */
static void refusals_are_said_once(void **state)
{
	struct rblk_link l;

	(void)state;
	rblk_link_init(&l, true, 0);
	rblk_link_attached(&l, 0);
	rblk_link_observed(&l, 1, 0, RBLK_CONN_DOWN,
			   "two primaries, this one of the lower generation: demote it; after seq 1 a has 2 operations of its own, b 3");
	assert_true(rblk_link_is_news(&l));
	rblk_link_attached(&l, 2);
	rblk_link_observed(&l, 3, 0, RBLK_CONN_DOWN,
			   "b says: two primaries, the peer of the lower generation: demote the peer; after seq 1 a has 4");
	assert_false(rblk_link_is_news(&l));
	rblk_link_attached(&l, 4);
	rblk_link_observed(&l, 5, 0, RBLK_CONN_DOWN, "volume 1 exists only on a");
	assert_true(rblk_link_is_news(&l));
	assert_false(rblk_link_is_news(&l));
	/* what is refused after it was up is another story */
	rblk_link_attached(&l, 6);
	rblk_link_observed(&l, 7, 0, RBLK_CONN_UP, "");
	rblk_link_observed(&l, 8, 0, RBLK_CONN_DOWN, "volume 1 exists only on a");
	assert_true(rblk_link_is_news(&l));
}

static void two_hosts(void **state)
{
	struct rblk_link l;
	char other[64];

	(void)state;
	rblk_link_init(&l, false, 0);
	assert_false(rblk_link_came_from(&l, 5000, "a", other, sizeof(other)));
	rblk_link_attached(&l, 5000);
	assert_false(rblk_link_came_from(&l, 6000, "a", other, sizeof(other)));
	rblk_link_attached(&l, 6000);
	assert_true(rblk_link_came_from(&l, 7000, "b", other, sizeof(other)));
	assert_string_equal(other, "a");
	rblk_link_attached(&l, 7000);
	/* not again and again */
	assert_false(rblk_link_came_from(&l, 8000, "a", other, sizeof(other)));
	rblk_link_attached(&l, 66000);
	assert_false(rblk_link_came_from(&l, 66500, "b", other, sizeof(other)));
	rblk_link_attached(&l, 67500);
	assert_true(rblk_link_came_from(&l, 68000, "a", other, sizeof(other)));
	/* it may have moved */
	rblk_link_attached(&l, 200000);
	assert_false(rblk_link_came_from(&l, 300000, "b", other, sizeof(other)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_grows_and_ends),
		cmocka_unit_test(jitter_is_bounded),
		cmocka_unit_test(active_retries),
		cmocka_unit_test(loss_and_refusal),
		cmocka_unit_test(late_down),
		cmocka_unit_test(admin_has_the_last_word),
		cmocka_unit_test(passive_knocks_once),
		cmocka_unit_test(knocked_at),
		cmocka_unit_test(reasons_are_harmless),
		cmocka_unit_test(refusals_are_said_once),
		cmocka_unit_test(two_hosts),
	};

	return RUN(tests);
}

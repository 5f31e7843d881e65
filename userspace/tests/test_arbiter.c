// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_arbiter.c - each rule of the register, shown by one course of events
 *
 * tests/model walks through all of them; here one says what a rule is for.
 */
#include "policy_bench.h"

#include "arbiter.h"

#define QUEUE	256

/* Up to three nodes; what they send arrives at once unless the way is cut. */
static struct rblk_arbiter n[3];
static struct rblk_arbiter_out out;
static struct rblk_arbiter_msg queue[QUEUE];
static unsigned int queued;
static bool cut[3][3], stopped[3];
static enum rblk_arbiter_result result[3];
static uint64_t now;

static void take(uint8_t node)
{
	unsigned int i;

	if (out.stop)
		stopped[node] = true;
	if (out.result != RBLK_ARBITER_NONE)
		result[node] = out.result;
	for (i = 0; i < out.nr; i++) {
		assert_true(queued < QUEUE);
		queue[queued++] = out.msg[i];
	}
}

static void deliver(void)
{
	unsigned int i;

	for (i = 0; i < queued; i++) {
		struct rblk_arbiter_msg m = queue[i];

		if (m.to > 2 || cut[m.from][m.to])
			continue;
		rblk_arbiter_receive(&n[m.to], &m, now, &out);
		take(m.to);
	}
	queued = 0;
}

static void begin(unsigned int nodes, uint16_t data)
{
	struct rblk_arbiter_store s = {
		.promised = 0x100, .accepted = 0x100,
		.record = {
			.version = 1, .gen = 1, .primary = RBLK_ARBITER_NOBODY,
			.insync = data, .voters = BIT(nodes) - 1,
			.voters_before = BIT(nodes) - 1,
		},
	};
	unsigned int i;

	now = 100000;
	memset(cut, 0, sizeof(cut));
	memset(stopped, 0, sizeof(stopped));
	memset(result, 0, sizeof(result));
	for (i = 0; i < nodes; i++)
		rblk_arbiter_start(&n[i], i, &s, LEASE_MS, MARGIN_MS, now);
}

static enum rblk_arbiter_result propose(uint8_t node, enum rblk_arbiter_change change,
					uint16_t mask)
{
	result[node] = RBLK_ARBITER_NONE;
	rblk_arbiter_propose(&n[node], change, mask, now, &out);
	take(node);
	deliver();
	return result[node];
}

static void renew(uint8_t node)
{
	rblk_arbiter_renew(&n[node], now, &out);
	take(node);
	deliver();
}

static void cut_off(uint8_t node, bool off)
{
	uint8_t i;

	for (i = 0; i < 3; i++)
		cut[node][i] = cut[i][node] = off;
}

/* @node is promoted and has a lease. */
static void lead(uint8_t node, uint16_t mask)
{
	assert_int_equal(propose(node, RBLK_ARBITER_PROMOTE, mask), RBLK_ARBITER_CHOSEN);
	assert_true(n[node].lead_term);
	renew(node);
	assert_int_equal(rblk_arbiter_lease_until(&n[node]), now + LEASE_MS);
}

/* The daemon of @node dies and starts: its store is all that it knows. */
static void restart(uint8_t node)
{
	struct rblk_arbiter_store s = n[node].store;

	rblk_arbiter_start(&n[node], node, &s, LEASE_MS, MARGIN_MS, now);
}

static void minority_chooses_nothing(void **state)
{
	(void)state;
	begin(3, ALL);
	cut_off(A, true);
	assert_int_equal(propose(A, RBLK_ARBITER_PROMOTE, ALL), RBLK_ARBITER_NONE);
	assert_int_equal(n[A].lead_term, 0);
	cut_off(A, false);
	lead(A, ALL);
	cut_off(A, true);
	now += LEASE_MS / 2;
	renew(A);
	assert_int_equal(rblk_arbiter_lease_until(&n[A]), now + LEASE_MS / 2);
}

static void only_in_sync_is_promoted(void **state)
{
	(void)state;
	begin(3, TWO);
	assert_int_equal(propose(C, RBLK_ARBITER_PROMOTE, ALL), RBLK_ARBITER_NOT_ALLOWED);
	assert_int_equal(n[A].store.record.primary, RBLK_ARBITER_NOBODY);
	lead(A, ALL);
	assert_int_equal(n[A].known.insync, TWO);
}

static void lease_is_waited_for(void **state)
{
	(void)state;
	begin(3, ALL);
	lead(A, ALL);
	cut_off(A, true);
	propose(B, RBLK_ARBITER_PROMOTE, BIT(B) | BIT(C));
	assert_int_equal(n[B].lead_term, 0);
	now += LEASE_MS + MARGIN_MS - 1;
	propose(B, RBLK_ARBITER_PROMOTE, BIT(B) | BIT(C));
	assert_int_equal(n[B].lead_term, 0);
	now++;
	/* The first attempts may have left a record behind: it is settled first. */
	propose(B, RBLK_ARBITER_REFRESH, 0);
	assert_int_equal(propose(B, RBLK_ARBITER_PROMOTE, BIT(B) | BIT(C)),
			 RBLK_ARBITER_CHOSEN);
	assert_int_equal(rblk_arbiter_lease_until(&n[A]), 100000 + LEASE_MS);
}

/* The daemon alone started anew: its kernel goes on under the old lease. */
static void word_is_given_to_a_node_not_a_term(void **state)
{
	(void)state;
	begin(3, ALL);
	lead(A, ALL);
	restart(A);
	now += 100;
	assert_int_equal(propose(A, RBLK_ARBITER_PROMOTE, ALL), RBLK_ARBITER_CHOSEN);
	cut_off(A, true);
	now += 100;
	propose(B, RBLK_ARBITER_PROMOTE, BIT(B) | BIT(C));
	assert_int_equal(n[B].lead_term, 0);
	assert_int_equal(n[C].store.record.primary, A);
}

/* A voter that starts again may have given its word just before. */
static void word_outlives_the_voter(void **state)
{
	(void)state;
	begin(3, ALL);
	lead(A, ALL);
	cut_off(A, true);
	restart(B);
	restart(C);
	propose(B, RBLK_ARBITER_PROMOTE, BIT(B) | BIT(C));
	assert_int_equal(n[B].lead_term, 0);
}

/*
 * A was switched off, and before that was confirmed it was back and led again: in a
 * term that nobody asked the fence about.
 */
static void fence_ends_only_the_term_it_was_asked_about(void **state)
{
	(void)state;
	begin(3, ALL);
	lead(A, ALL);
	rblk_arbiter_fence(&n[B], A);
	now += LEASE_MS + MARGIN_MS;
	/* B does not hear of it, but C does. */
	cut[A][B] = cut[B][A] = true;
	restart(A);
	lead(A, ALL);
	assert_true(rblk_arbiter_fence_confirmed(&n[B], A));
	/* From C it learns of the new term. */
	propose(B, RBLK_ARBITER_REFRESH, 0);
	propose(B, RBLK_ARBITER_PROMOTE, BIT(B) | BIT(C));
	assert_int_equal(n[B].lead_term, 0);
	assert_int_equal(n[C].store.record.primary, A);
}

static void fence_of_the_term_replaces_the_wait(void **state)
{
	(void)state;
	begin(3, ALL);
	lead(A, ALL);
	cut_off(A, true);
	rblk_arbiter_fence(&n[B], A);
	assert_true(rblk_arbiter_fence_confirmed(&n[B], A));
	assert_int_equal(propose(B, RBLK_ARBITER_PROMOTE, BIT(B) | BIT(C)),
			 RBLK_ARBITER_CHOSEN);
	assert_int_equal(n[B].known.fenced, BIT(A));
	assert_int_equal(n[B].known.insync, BIT(B) | BIT(C));
}

static void contact_voids_a_fence(void **state)
{
	(void)state;
	begin(2, TWO);
	propose(B, RBLK_ARBITER_REFRESH, 0);
	lead(A, TWO);
	rblk_arbiter_fence(&n[B], A);
	renew(A);
	assert_false(rblk_arbiter_fence_confirmed(&n[B], A));
	rblk_arbiter_fence(&n[B], A);
	assert_true(rblk_arbiter_fence_confirmed(&n[B], A));
	renew(A);
	assert_int_equal(n[B].fenced, 0);
}

static void fence_vote_needs_a_round_of_both_before(void **state)
{
	(void)state;
	begin(2, TWO);
	cut_off(A, true);
	rblk_arbiter_fence(&n[B], A);
	assert_true(rblk_arbiter_fence_confirmed(&n[B], A));
	assert_int_equal(propose(B, RBLK_ARBITER_PROMOTE, BIT(B)), RBLK_ARBITER_NONE);

	cut_off(A, false);
	assert_int_equal(propose(B, RBLK_ARBITER_REFRESH, 0), RBLK_ARBITER_CHOSEN);
	cut_off(A, true);
	rblk_arbiter_fence(&n[B], A);
	assert_true(rblk_arbiter_fence_confirmed(&n[B], A));
	assert_int_equal(propose(B, RBLK_ARBITER_PROMOTE, BIT(B)), RBLK_ARBITER_CHOSEN);
}

/* Who may no longer be primary if a round is chosen stops before it asks. */
static void stops_before_it_asks(void **state)
{
	(void)state;
	begin(3, ALL);
	lead(A, ALL);
	rblk_arbiter_propose(&n[A], RBLK_ARBITER_DEMOTE, BIT(B), now, &out);
	assert_true(out.stop);
	assert_int_equal(n[A].lead_term, 0);
	assert_int_equal(rblk_arbiter_lease_until(&n[A]), 0);

	/* A kernel may run on from before a start of the daemon. */
	begin(3, ALL);
	lead(A, ALL);
	restart(A);
	rblk_arbiter_propose(&n[A], RBLK_ARBITER_DEMOTE, BIT(B), now, &out);
	assert_true(out.stop);

	/* Likewise if the round only completes one that makes C primary. */
	begin(3, ALL);
	lead(B, ALL);
	restart(B);
	n[B].store.record.primary = C;
	n[B].store.accepted += 0x100;
	stopped[B] = false;
	propose(B, RBLK_ARBITER_REFRESH, 0);
	assert_true(stopped[B]);
}

static void voters_come_and_go_one_by_one(void **state)
{
	(void)state;
	begin(3, ALL);
	lead(A, ALL);
	assert_int_equal(propose(A, RBLK_ARBITER_DEL_VOTER, BIT(C)), RBLK_ARBITER_CHOSEN);
	assert_int_equal(n[A].known.voters, TWO);
	assert_int_equal(n[A].known.voters_before, ALL);
	/* Not before the last change is settled. */
	assert_int_equal(propose(A, RBLK_ARBITER_DEL_VOTER, BIT(B)),
			 RBLK_ARBITER_NOT_ALLOWED);
	assert_int_equal(propose(A, RBLK_ARBITER_ADD_VOTER, BIT(C)),
			 RBLK_ARBITER_NOT_ALLOWED);
	assert_int_equal(propose(A, RBLK_ARBITER_REFRESH, 0), RBLK_ARBITER_CHOSEN);
	assert_int_equal(n[A].known.voters_before, TWO);
	assert_int_equal(propose(A, RBLK_ARBITER_ADD_VOTER, BIT(C)), RBLK_ARBITER_CHOSEN);
	assert_int_equal(n[A].known.voters, ALL);
}

static void node_without_a_store_votes_when_taken_in(void **state)
{
	(void)state;
	begin(3, ALL);
	lead(A, ALL);
	rblk_arbiter_start(&n[C], C, NULL, LEASE_MS, MARGIN_MS, now);
	assert_true(n[C].mute);
	assert_int_equal(propose(C, RBLK_ARBITER_REFRESH, 0), RBLK_ARBITER_NOT_ALLOWED);
	propose(A, RBLK_ARBITER_REFRESH, 0);
	assert_true(n[C].mute);
	propose(A, RBLK_ARBITER_DEL_VOTER, BIT(C));
	propose(A, RBLK_ARBITER_REFRESH, 0);
	propose(A, RBLK_ARBITER_ADD_VOTER, BIT(C));
	assert_false(n[C].mute);
	assert_int_equal(n[C].store.record.voters, ALL);
}

/*
 * A write is on two of three nodes in sync. Whoever is promoted passes nobody over, and has
 * all only when it says so; before, it changes nobody's standing.
 */
static void promoted_is_not_yet_holder(void **state)
{
	(void)state;
	begin(3, ALL);
	lead(A, ALL);
	assert_int_equal(propose(A, RBLK_ARBITER_ACKS, 1), RBLK_ARBITER_CHOSEN);
	assert_int_equal(n[A].known.holder, A);
	assert_true(rblk_arbiter_is_partial(&n[A].known));
	assert_int_equal(rblk_arbiter_copies(&n[A].known), 2);
	assert_int_equal(propose(A, RBLK_ARBITER_DEMOTE, ALL), RBLK_ARBITER_CHOSEN);
	propose(B, RBLK_ARBITER_REFRESH, 0);
	lead(B, BIT(B));
	assert_int_equal(n[B].known.insync, ALL);
	assert_int_equal(n[B].known.holder, A);
	assert_int_equal(propose(B, RBLK_ARBITER_DROP, BIT(A)), RBLK_ARBITER_NOT_ALLOWED);
	assert_int_equal(propose(B, RBLK_ARBITER_ACKS, 0), RBLK_ARBITER_NOT_ALLOWED);
	assert_int_equal(propose(B, RBLK_ARBITER_HOLD, BIT(B)), RBLK_ARBITER_CHOSEN);
	assert_int_equal(n[B].known.holder, B);
	assert_int_equal(propose(B, RBLK_ARBITER_DROP, BIT(A)), RBLK_ARBITER_CHOSEN);
	/* the two that are left have all: who is promoted does */
	assert_false(rblk_arbiter_is_partial(&n[B].known));
	propose(B, RBLK_ARBITER_DEMOTE, ALL);
	propose(C, RBLK_ARBITER_REFRESH, 0);
	lead(C, BIT(C));
	assert_int_equal(n[C].known.holder, C);
	assert_int_equal(n[C].known.insync, BIT(C));
	assert_int_equal(propose(C, RBLK_ARBITER_ACKS, 0), RBLK_ARBITER_CHOSEN);
	assert_int_equal(n[C].known.holder, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minority_chooses_nothing),
		cmocka_unit_test(only_in_sync_is_promoted),
		cmocka_unit_test(lease_is_waited_for),
		cmocka_unit_test(word_is_given_to_a_node_not_a_term),
		cmocka_unit_test(word_outlives_the_voter),
		cmocka_unit_test(fence_ends_only_the_term_it_was_asked_about),
		cmocka_unit_test(fence_of_the_term_replaces_the_wait),
		cmocka_unit_test(contact_voids_a_fence),
		cmocka_unit_test(fence_vote_needs_a_round_of_both_before),
		cmocka_unit_test(stops_before_it_asks),
		cmocka_unit_test(voters_come_and_go_one_by_one),
		cmocka_unit_test(node_without_a_store_votes_when_taken_in),
		cmocka_unit_test(promoted_is_not_yet_holder),
	};

	break_a_rule();
	return RUN(tests);
}

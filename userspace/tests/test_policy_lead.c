// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_policy_lead.c - what a primary does: its lease, the in-sync set, stepping down
 */
#include "policy_bench.h"

static struct bench b;

/* ---- the lease */

static void renews_once_per_interval(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	bench_look(&b);
	assert_true(b.out.renew);
	bench_pass(&b, INTERVAL_MS - 1);
	assert_false(b.out.renew);
	/* the next beat comes before that */
	assert_int_equal(b.out.wake_at_ms, b.now + 1 + INTERVAL_MS / 8);
	bench_pass(&b, 1);
	assert_true(b.out.renew);
}

/* Beats go out together; leases go with them, unless they were renewed just now. */
static void renews_with_the_beats(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	bench_look(&b);
	b.v.beat = true;
	bench_pass(&b, INTERVAL_MS / 2 - 1);
	assert_false(b.out.renew);
	bench_pass(&b, 1);
	assert_true(b.out.renew);
}

/* A majority's word is what counts, and of that the shortest. */
static void lease_is_what_a_majority_granted(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.a.granted_until[A] = b.now + 900;
	b.a.granted_until[B] = b.now + 700;
	b.a.granted_until[C] = b.now + 100;
	bench_look(&b);
	assert_true(b.out.set_lease);
	assert_int_equal(b.out.lease_until_ms, b.now + 700);
	b.a.granted_until[B] = b.now + 50;
	b.v.lease_until_ms = b.now + 700;
	bench_look(&b);
	assert_true(b.out.set_lease);
	assert_int_equal(b.out.lease_until_ms, b.now + 100);
}

/* Promoted anew, with the kernel under the lease of the term before. */
static void lease_of_the_term_before_runs_on(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	bench_look(&b);
	b.a.lead_term = b.a.known.term = b.a.store.record.term = TERM + 0x100;
	memset(b.a.granted_until, 0, sizeof(b.a.granted_until));
	bench_pass(&b, 10);
	assert_false(b.out.set_lease);
	assert_true(b.out.renew);
	expect_wait(&b, RBLK_POLICY_FOR_LEASE, 0);
}

static void without_a_majority_it_says_so(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	bench_fail(&b, B);
	bench_fail(&b, C);
	bench_pass(&b, LEASE_MS);
	assert_int_equal(b.out.waits, RBLK_POLICY_NO_MAJORITY);
	assert_int_equal(b.out.waits_for, BIT(B) | BIT(C));
}

/* ---- the in-sync set */

/* It accepted another's promotion and heard no more of it. */
static void leader_finds_out_whether_it_still_is(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.a.store.record.version++;
	b.a.store.record.term++;
	b.a.store.record.primary = B;
	b.v.peer[B].told.version++;
	b.v.peer[B].told.term++;
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_REFRESH, 0);
}

static void all_is_well_and_nothing_is_done(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	bench_look(&b);
	bench_pass(&b, 50);
	assert_false(b.out.propose);
	assert_false(b.out.stop);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	assert_int_equal(b.out.fence, 0);
	assert_int_equal(b.out.shun, 0);
	assert_int_equal(b.out.waits, RBLK_POLICY_FINE);
}

static void lost_link_gets_its_grace(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	bench_unlink(&b, B);
	bench_look(&b);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_FOR_DROP, BIT(B));
	bench_pass(&b, GRACE_MS - 1);
	assert_false(b.out.propose);
	bench_pass(&b, 1);
	expect_proposal(&b, RBLK_ARBITER_DROP, BIT(B));
}

/* Back in time: its grace begins anew. */
static void link_that_returns_is_well(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	bench_unlink(&b, B);
	bench_look(&b);
	b.v.peer[B].connected = b.v.peer[B].up_to_date = true;
	bench_pass(&b, GRACE_MS - 1);
	bench_unlink(&b, B);
	bench_pass(&b, 1);
	assert_false(b.out.propose);
}

static void failed_or_diverged_is_dropped_at_once(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	bench_fail(&b, B);
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_DROP, BIT(B));

	bench_begin(&b, A, ALL, ALL, A);
	b.v.peer[C].up_to_date = false;
	b.v.peer[C].diverged = true;
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_DROP, BIT(C));
}

/* Writes wait for a lost node until it is chosen that it is out; and not longer. */
static void writes_wait_until_the_drop_is_chosen(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	bench_fail(&b, B);
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	b.a.phase = RBLK_ARBITER_PREPARING;
	bench_pass(&b, 10);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);

	r = b.a.known;
	r.version++;
	r.insync &= ~BIT(B);
	bench_choose(&b, &r);
	bench_pass(&b, 10);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_IN_SYNC);
	assert_int_equal(b.out.in_sync, BIT(A) | BIT(C));
}

static void min_in_sync_keeps_what_is_left(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.p.config.min_in_sync = 3;
	bench_fail(&b, B);
	bench_look(&b);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_MIN_IN_SYNC, BIT(B));

	b.p.config.min_in_sync = 2;
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_DROP, BIT(B));

	bench_begin(&b, A, ALL, ALL, A);
	b.p.config.min_in_sync = 2;
	bench_fail(&b, B);
	bench_fail(&b, C);
	bench_look(&b);
	assert_false(b.out.propose);
}

/* It can only come back by way of outside; what is under way waits for it. */
static void min_in_sync_lets_a_branch_be_given_up(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, A, TWO, ALL, A);
	b.p.config.min_in_sync = 2;
	b.v.peer[B].up_to_date = false;
	b.v.peer[B].diverged = true;
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_DROP, BIT(B));
	r = b.a.known;
	r.version++;
	r.insync = BIT(A);
	bench_choose(&b, &r);
	bench_pass(&b, 10);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	assert_int_equal(b.v.in_sync, TWO);
}

/* It was about to join, and writes were let in because of it: they wait for it. */
static void min_in_sync_counts_who_was_joining(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.p.config.min_in_sync = 2;
	r = b.a.known;
	r.insync = BIT(A);
	bench_choose(&b, &r);
	bench_unlink(&b, B);
	bench_fail(&b, C);
	b.v.in_sync = BIT(A) | BIT(B);
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	expect_wait(&b, RBLK_POLICY_MIN_IN_SYNC, BIT(B));
	/* Somebody else will do. */
	b.v.peer[C] = (struct rblk_policy_peer){
		.alive = true, .connected = true, .up_to_date = true, .acked_seq = 40,
	};
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_IN_SYNC);
	assert_int_equal(b.out.in_sync, BIT(A) | BIT(C));
}

/* First writes wait for it, then it has what was written until then, then it joins. */
static void node_joins_when_it_has_everything(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	r = b.a.known;
	r.insync = BIT(A) | BIT(C);
	bench_choose(&b, &r);
	b.v.in_sync = BIT(A) | BIT(C);
	b.v.last_seq = 50;
	b.v.peer[B].acked_seq = 50;
	bench_look(&b);
	assert_false(b.out.propose);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_IN_SYNC);
	assert_int_equal(b.out.in_sync, ALL);
	expect_wait(&b, RBLK_POLICY_FOR_RESYNC, BIT(B));

	b.v.busy = true;
	b.v.in_sync = ALL;
	bench_pass(&b, 10);
	assert_false(b.out.propose);

	b.v.busy = false;
	b.v.peer[B].acked_seq = 48;
	bench_pass(&b, 10);
	assert_false(b.out.propose);
	/* New writes do not put it off, but the old ones must be there. */
	b.v.last_seq = 60;
	b.v.peer[B].acked_seq = 49;
	bench_pass(&b, 10);
	assert_false(b.out.propose);
	b.v.peer[B].acked_seq = 50;
	bench_pass(&b, 10);
	expect_proposal(&b, RBLK_ARBITER_ADD, BIT(B));
}

static void asynchronous_peer_never_joins(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.p.config.synchronous = BIT(A) | BIT(C);
	r = b.a.known;
	r.insync = BIT(A) | BIT(C);
	bench_choose(&b, &r);
	b.v.in_sync = BIT(A) | BIT(C);
	bench_look(&b);
	assert_false(b.out.propose);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
}

static void asynchronous_member_leaves(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.v.in_sync = ALL;
	bench_look(&b);
	assert_false(b.out.propose);
	b.p.config.synchronous = BIT(A) | BIT(C);
	bench_look(&b);
	/* waited for until that is chosen */
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	expect_proposal(&b, RBLK_ARBITER_DROP, BIT(B));
}

static void one_action_of_the_kernel_at_a_time(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.v.in_sync = BIT(A);
	b.v.busy = true;
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	b.v.busy = false;
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_IN_SYNC);
	/* It failed: not again at once. */
	b.v.failures = 1;
	bench_pass(&b, 10);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	bench_pass(&b, 2 * INTERVAL_MS);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_IN_SYNC);
}

/* ---- voters */

/* It leaves, that is settled, it joins, that is settled. */
static void node_without_a_register_is_readmitted(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.v.voter = BIT(C);
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_DEL_VOTER, BIT(C));
	/* A message was lost: again. */
	b.a.phase = RBLK_ARBITER_PREPARING;
	bench_pass(&b, 2000);
	bench_pass(&b, 2000);
	expect_proposal(&b, RBLK_ARBITER_DEL_VOTER, BIT(C));

	r = b.a.known;
	r.version++;
	r.voters = TWO;
	bench_choose(&b, &r);
	b.v.voter_joins = true;
	bench_pass(&b, 10);
	expect_proposal(&b, RBLK_ARBITER_REFRESH, 0);
	r.version++;
	r.voters_before = TWO;
	bench_choose(&b, &r);
	bench_pass(&b, 10);
	expect_proposal(&b, RBLK_ARBITER_ADD_VOTER, BIT(C));
	r.version++;
	r.voters = ALL;
	bench_choose(&b, &r);
	bench_pass(&b, 10);
	expect_proposal(&b, RBLK_ARBITER_REFRESH, 0);
}

/* ---- fences */

static void two_voters_fence_for_the_vote(void **state)
{
	(void)state;
	bench_begin(&b, A, TWO, TWO, A);
	b.p.config.fenceable = TWO;
	b.v.peer[B].alive = false;
	bench_look(&b);
	assert_int_equal(b.out.fence, 0);
	bench_fail(&b, B);
	bench_look(&b);
	assert_int_equal(b.out.fence, BIT(B));
	b.v.peer[B].fence = RBLK_POLICY_FENCE_RUNS;
	bench_pass(&b, 10);
	assert_int_equal(b.out.fence, 0);
	/* A fence that failed is not repeated at once. */
	b.v.peer[B].fence = RBLK_POLICY_FENCE_FAILED;
	bench_pass(&b, 1000);
	assert_int_equal(b.out.fence, 0);
	bench_pass(&b, 5000);
	assert_int_equal(b.out.fence, BIT(B));
	b.a.fenced = BIT(B);
	b.v.peer[B].fence = RBLK_POLICY_FENCE_DONE;
	bench_pass(&b, 5000);
	assert_int_equal(b.out.fence, 0);
}

/* Without a round of both since the start the vote would not count. */
static void no_fence_before_a_round_of_both(void **state)
{
	(void)state;
	bench_begin(&b, A, TWO, TWO, A);
	b.p.config.fenceable = TWO;
	b.a.synced = false;
	bench_fail(&b, B);
	bench_look(&b);
	assert_int_equal(b.out.fence, 0);
}

static void with_three_voters_nobody_is_fenced_for_a_vote(void **state)
{
	(void)state;
	bench_begin(&b, A, TWO, ALL, A);
	b.p.config.fenceable = TWO;
	bench_fail(&b, B);
	bench_look(&b);
	assert_int_equal(b.out.fence, 0);
}

/* ---- stepping down */

static void switchover(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.v.asked_by = B;
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_DEMOTE);
	assert_false(b.out.propose);
	assert_int_equal(b.out.handover, RBLK_POLICY_HANDOVER_NONE);

	b.v.primary = false;
	b.v.in_sync = 0;
	bench_pass(&b, 10);
	expect_proposal(&b, RBLK_ARBITER_DEMOTE, BIT(B) | BIT(C));
	assert_int_equal(b.out.handover, RBLK_POLICY_HANDOVER_NONE);

	r = b.a.known;
	r.version++;
	r.primary = RBLK_ARBITER_NOBODY;
	bench_choose(&b, &r);
	b.a.lead_term = 0;
	bench_tell(&b);
	bench_pass(&b, 10);
	assert_int_equal(b.out.handover, RBLK_POLICY_HANDOVER_OK);
	assert_int_equal(b.out.handover_to, B);
	/* It does not stand itself: who asked goes first. */
	b.v.asked_by = RBLK_POLICY_NOBODY;
	bench_pass(&b, 10 * INTERVAL_MS);
	assert_false(b.out.propose && b.out.change == RBLK_ARBITER_PROMOTE);
}

static void expect_refusal(enum rblk_policy_reason reason)
{
	bench_look(&b);
	assert_int_not_equal(b.out.kernel, RBLK_POLICY_KERNEL_DEMOTE);
	assert_int_equal(b.out.handover, RBLK_POLICY_HANDOVER_REFUSED);
	assert_int_equal(b.out.handover_to, B);
	assert_int_equal(b.out.handover_reason, reason);
}

static void switchover_is_refused(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.v.asked_by = B;
	b.v.opened = true;
	expect_refusal(RBLK_POLICY_IN_USE);

	b.v.opened = false;
	b.v.peer[B].up_to_date = false;
	expect_refusal(RBLK_POLICY_NOT_FOLLOWING);

	r = b.a.known;
	r.insync &= ~BIT(B);
	bench_choose(&b, &r);
	expect_refusal(RBLK_POLICY_NOT_IN_SYNC);

	/* The kernel found it open after all. */
	bench_begin(&b, A, ALL, ALL, A);
	b.v.asked_by = B;
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_DEMOTE);
	b.v.failures = 1;
	expect_refusal(RBLK_POLICY_IN_USE);

	/* And a backup cannot hand over what it does not have. */
	bench_begin(&b, A, ALL, ALL, C);
	b.v.asked_by = B;
	expect_refusal(RBLK_POLICY_NOT_PRIMARY);
}

/* A leads, and no write waits for B: it is of protocol A. */
static void begin_with_guest(void)
{
	struct rblk_arbiter_record r;

	bench_begin(&b, A, ALL, ALL, A);
	b.p.config.synchronous = BIT(A) | BIT(C);
	r = b.a.known;
	r.insync = BIT(A) | BIT(C);
	bench_choose(&b, &r);
	b.v.in_sync = BIT(A) | BIT(C);
	b.v.last_seq = 50;
	b.v.peer[B].acked_seq = 48;
	b.v.asked_by = B;
}

/* It is made one that writes wait for, then it is in sync, then it takes over. */
static void asynchronous_peer_takes_over(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	begin_with_guest();
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_IN_SYNC);
	assert_int_equal(b.out.in_sync, ALL);
	assert_int_equal(b.out.handover, RBLK_POLICY_HANDOVER_NONE);
	expect_wait(&b, RBLK_POLICY_FOR_RESYNC, BIT(B));
	b.v.in_sync = ALL;
	bench_pass(&b, 10);
	assert_false(b.out.propose);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	b.v.peer[B].acked_seq = 50;
	bench_pass(&b, 10);
	expect_proposal(&b, RBLK_ARBITER_ADD, BIT(B));
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);

	r = b.a.known;
	r.version++;
	r.insync = ALL;
	bench_choose(&b, &r);
	bench_pass(&b, 10);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_DEMOTE);
	assert_false(b.out.propose);

	/* If it does not ask any more, it is as before. */
	b.v.asked_by = RBLK_POLICY_NOBODY;
	bench_pass(&b, 10);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	expect_proposal(&b, RBLK_ARBITER_DROP, BIT(B));
}

static void asynchronous_peer_is_refused(void **state)
{
	(void)state;
	begin_with_guest();
	b.v.opened = true;
	expect_refusal(RBLK_POLICY_IN_USE);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);

	begin_with_guest();
	b.v.peer[B].up_to_date = false;
	expect_refusal(RBLK_POLICY_NOT_IN_SYNC);

	/* It never gets level. */
	begin_with_guest();
	b.v.in_sync = ALL;
	bench_look(&b);
	bench_pass(&b, 19 * INTERVAL_MS);
	assert_int_equal(b.out.handover, RBLK_POLICY_HANDOVER_NONE);
	b.now += INTERVAL_MS;
	expect_refusal(RBLK_POLICY_TIMED_OUT);
}

/* And it asks: the primary can have it in sync. */
static void asynchronous_peer_asks(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	r = b.a.known;
	r.insync = BIT(A) | BIT(C);
	bench_choose(&b, &r);
	b.v.request = RBLK_POLICY_WANT_PROMOTE;
	bench_look(&b);
	assert_false(b.out.done);
	assert_false(b.out.propose);
	assert_int_equal(b.out.handover, RBLK_POLICY_HANDOVER_ASK);
	assert_int_equal(b.out.handover_to, A);
}

static void evict_needs_an_heir(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.v.request = RBLK_POLICY_WANT_AWAY;
	b.v.peer[B].up_to_date = b.v.peer[C].up_to_date = false;
	bench_look(&b);
	assert_true(b.out.done);
	assert_int_equal(b.out.done_reason, RBLK_POLICY_NOT_IN_SYNC);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);

	b.v.peer[C].up_to_date = true;
	bench_look(&b);
	assert_false(b.out.done);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_DEMOTE);
	b.v.primary = false;
	b.v.in_sync = 0;
	bench_pass(&b, 10);
	expect_proposal(&b, RBLK_ARBITER_DEMOTE, BIT(B) | BIT(C));
}

static void evict_of_a_backup_is_done(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	b.v.request = RBLK_POLICY_WANT_AWAY;
	bench_look(&b);
	assert_true(b.out.done);
	assert_int_equal(b.out.done_reason, RBLK_POLICY_FINE);
}

/* Nobody is to follow: the others see that from the mask. */
static void demote_leaves_nobody(void **state)
{
	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	b.v.request = RBLK_POLICY_WANT_DEMOTE;
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_DEMOTE);
	b.v.primary = false;
	b.v.in_sync = 0;
	bench_pass(&b, 10);
	expect_proposal(&b, RBLK_ARBITER_DEMOTE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renews_once_per_interval),
		cmocka_unit_test(renews_with_the_beats),
		cmocka_unit_test(lease_is_what_a_majority_granted),
		cmocka_unit_test(lease_of_the_term_before_runs_on),
		cmocka_unit_test(without_a_majority_it_says_so),
		cmocka_unit_test(leader_finds_out_whether_it_still_is),
		cmocka_unit_test(all_is_well_and_nothing_is_done),
		cmocka_unit_test(lost_link_gets_its_grace),
		cmocka_unit_test(link_that_returns_is_well),
		cmocka_unit_test(failed_or_diverged_is_dropped_at_once),
		cmocka_unit_test(writes_wait_until_the_drop_is_chosen),
		cmocka_unit_test(min_in_sync_keeps_what_is_left),
		cmocka_unit_test(min_in_sync_lets_a_branch_be_given_up),
		cmocka_unit_test(min_in_sync_counts_who_was_joining),
		cmocka_unit_test(node_joins_when_it_has_everything),
		cmocka_unit_test(asynchronous_peer_never_joins),
		cmocka_unit_test(asynchronous_member_leaves),
		cmocka_unit_test(asynchronous_peer_takes_over),
		cmocka_unit_test(asynchronous_peer_is_refused),
		cmocka_unit_test(asynchronous_peer_asks),
		cmocka_unit_test(one_action_of_the_kernel_at_a_time),
		cmocka_unit_test(node_without_a_register_is_readmitted),
		cmocka_unit_test(two_voters_fence_for_the_vote),
		cmocka_unit_test(no_fence_before_a_round_of_both),
		cmocka_unit_test(with_three_voters_nobody_is_fenced_for_a_vote),
		cmocka_unit_test(switchover),
		cmocka_unit_test(switchover_is_refused),
		cmocka_unit_test(evict_needs_an_heir),
		cmocka_unit_test(evict_of_a_backup_is_done),
		cmocka_unit_test(demote_leaves_nobody),
	};

	break_a_rule();
	return RUN(tests);
}

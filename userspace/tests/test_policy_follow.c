// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_policy_follow.c - what a backup does: who is promoted, when, and whom it passes over
 */
#include "policy_bench.h"

static struct bench b;

/* Node @self of three with data; A led and failed, and its lease is over. */
static void begin_vacant(uint8_t self)
{
	bench_begin(&b, self, ALL, ALL, A);
	bench_fail(&b, A);
	bench_no_word(&b);
	bench_look(&b);
}

static void promotes(uint16_t keep)
{
	expect_proposal(&b, RBLK_ARBITER_PROMOTE, keep);
	assert_true(b.p.notes & RBLK_POLICY_NOTE_DECIDED);
}

/* ---- is there a vacancy? */

static void living_primary_is_left_alone(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_pass(&b, 10000);
	assert_false(b.out.propose);
	assert_int_equal(b.out.waits, RBLK_POLICY_FINE);
	/* Its link is down: that is for the primary to deal with. */
	bench_unlink(&b, A);
	bench_pass(&b, 10000);
	assert_false(b.out.propose);
}

static void suspicion_is_no_verdict(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_no_word(&b);
	b.v.peer[A].alive = false;
	bench_pass(&b, 10000);
	assert_false(b.out.propose);
	assert_int_equal(b.out.notes, 0);
	expect_wait(&b, RBLK_POLICY_FOR_VERDICT, BIT(A));
}

static void failure_is_noted_once(void **state)
{
	(void)state;
	begin_vacant(B);
	assert_true(b.out.notes & RBLK_POLICY_NOTE_DETECTED);
	assert_int_equal(b.out.note_node, A);
	bench_pass(&b, 1);
	assert_false(b.out.notes & RBLK_POLICY_NOTE_DETECTED);
}

/* It is alive and its daemon started anew: it gets the time to have itself promoted. */
static void primary_that_does_not_lead_gets_time(void **state)
{
	uint64_t patience = 2 * (LEASE_MS + MARGIN_MS);

	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_no_word(&b);
	b.v.peer[A].told.flags &= ~RBLK_POLICY_LEADS;
	bench_look(&b);
	expect_wait(&b, RBLK_POLICY_FOR_PRIMARY, BIT(A));
	bench_pass(&b, patience - 1);
	assert_int_equal(b.p.vacant_ms, 0);
	bench_pass(&b, 1);
	assert_int_equal(b.p.vacant_ms, b.now);

	/* And none if it cannot: its disk is gone. */
	bench_begin(&b, B, ALL, ALL, A);
	b.v.peer[A].told.flags = 0;
	bench_look(&b);
	assert_int_equal(b.p.vacant_ms, b.now);
}

/* It is back, without its register: nobody but another can have it vote again. */
static void primary_without_a_register_is_replaced(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_no_word(&b);
	bench_unlink(&b, A);
	b.v.peer[A].told = (struct rblk_policy_told){ .flags = RBLK_POLICY_MUTE };
	bench_look(&b);
	assert_int_equal(b.p.vacant_ms, b.now);
}

static void admin_wants_nobody(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	r = b.a.known;
	r.version++;
	r.primary = RBLK_ARBITER_NOBODY;
	r.idle = true;
	bench_choose(&b, &r);
	bench_no_word(&b);
	bench_tell(&b);
	b.v.peer[A].is_primary = false;
	bench_pass(&b, 10000);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_FOR_ADMIN, 0);
	b.v.request = RBLK_POLICY_WANT_PROMOTE;
	bench_look(&b);
	promotes(ALL);
}

/* Somebody stepped down for somebody: who did not ask waits some beats. */
static void handover_is_for_who_asked(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	r = b.a.known;
	r.version++;
	r.primary = RBLK_ARBITER_NOBODY;
	bench_choose(&b, &r);
	bench_no_word(&b);
	bench_tell(&b);
	b.v.peer[A].told.flags = 0;
	b.v.peer[A].is_primary = false;
	bench_look(&b);
	assert_false(b.out.propose);
	b.v.request = RBLK_POLICY_WANT_PROMOTE;
	bench_look(&b);
	promotes(ALL);
}

/* ---- who? */

static void only_who_is_in_sync_stands(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	r = b.a.known;
	r.insync = BIT(A) | BIT(C);
	bench_choose(&b, &r);
	bench_fail(&b, A);
	bench_no_word(&b);
	bench_look(&b);
	bench_pass(&b, 10000);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_NOT_IN_SYNC, BIT(B));

	b.v.request = RBLK_POLICY_WANT_PROMOTE;
	bench_look(&b);
	assert_true(b.out.done);
	assert_int_equal(b.out.done_reason, RBLK_POLICY_NOT_IN_SYNC);
	assert_false(b.out.propose);
}

/* A led and failed, its lease is over; nothing was done about it yet. */
static void begin_unseen(uint8_t self, uint16_t data)
{
	bench_begin(&b, self, data, ALL, A);
	bench_fail(&b, A);
	bench_no_word(&b);
}

static void never_asks(void)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		bench_pass(&b, INTERVAL_MS);
		assert_false(b.out.propose && b.out.change == RBLK_ARBITER_PROMOTE);
	}
}

static void who_cannot_does_not_stand(void **state)
{
	(void)state;
	begin_unseen(B, ALL);
	b.v.data_good = false;
	never_asks();
	expect_wait(&b, RBLK_POLICY_DATA_BAD, BIT(B));

	begin_unseen(B, ALL);
	b.v.stays_away = true;
	never_asks();
	/* But if an admin says so. */
	b.v.request = RBLK_POLICY_WANT_PROMOTE;
	bench_look(&b);
	promotes(BIT(B) | BIT(C));

	begin_unseen(B, ALL);
	b.a.mute = true;
	never_asks();
	expect_wait(&b, RBLK_POLICY_IS_MUTE, BIT(B));

	/* A witness has nothing to be primary of. */
	begin_unseen(C, TWO);
	never_asks();
}

static void most_up_to_date_goes_first(void **state)
{
	(void)state;
	begin_vacant(B);
	promotes(BIT(B) | BIT(C));

	/* C has more. */
	bench_begin(&b, B, ALL, ALL, A);
	bench_fail(&b, A);
	bench_no_word(&b);
	b.v.peer[C].told.data_seq++;
	bench_look(&b);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_FOR_BETTER, BIT(C));
	assert_int_equal(b.out.wake_at_ms, b.now + INTERVAL_MS + INTERVAL_MS / 8);
	/* It does not take it: then this node after all. */
	bench_pass(&b, 2 * INTERVAL_MS);
	promotes(BIT(B));

	/* More of an older generation is less. */
	bench_begin(&b, B, ALL, ALL, A);
	bench_fail(&b, A);
	bench_no_word(&b);
	b.v.peer[C].told.data_seq += 100;
	b.v.peer[C].told.data_gen--;
	bench_look(&b);
	promotes(BIT(B) | BIT(C));

	/* And less of a newer one is more. */
	b.p.round_ends_ms = 0;
	b.v.peer[C].told.data_seq = 1;
	b.v.peer[C].told.data_gen += 2;
	bench_look(&b);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_FOR_BETTER, BIT(C));

	/* The same: the lower number. */
	begin_vacant(C);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_FOR_BETTER, BIT(B));
	/* Unless that one cannot. */
	bench_begin(&b, C, ALL, ALL, A);
	bench_fail(&b, A);
	bench_no_word(&b);
	b.v.peer[B].told.flags = 0;
	bench_look(&b);
	promotes(BIT(B) | BIT(C));
}

static void successors_go_in_their_order(void **state)
{
	static const uint8_t order[] = { C, B };

	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	b.p.config.strategy = RBLK_POLICY_SUCCESSOR;
	memcpy(b.p.config.successor, order, sizeof(order));
	b.p.config.nr_successors = 2;
	bench_fail(&b, A);
	bench_no_word(&b);
	/* Even if it has less: it is in sync. */
	b.v.peer[C].told.data_seq--;
	bench_look(&b);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_FOR_BETTER, BIT(C));

	/* Listed before not listed. */
	b.p.config.nr_successors = 1;
	b.p.config.successor[0] = B;
	b.v.peer[C].told.data_seq++;
	bench_look(&b);
	promotes(BIT(B) | BIT(C));
}

static void election_waits_for_nobody(void **state)
{
	(void)state;
	bench_begin(&b, C, ALL, ALL, A);
	b.p.config.strategy = RBLK_POLICY_ELECTION;
	bench_fail(&b, A);
	bench_no_word(&b);
	b.v.peer[B].told.data_seq++;
	bench_look(&b);
	promotes(BIT(C));
}

/* A member of which nothing is known yet may have more. */
static void who_was_not_heard_yet_is_waited_for(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_fail(&b, A);
	bench_no_word(&b);
	bench_unlink(&b, C);
	b.v.peer[C].alive = false;
	memset(&b.v.peer[C].told, 0, sizeof(b.v.peer[C].told));
	bench_look(&b);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_FOR_VERDICT, BIT(C));
}

/* ---- whom does it pass over, and when? */

static void lost_members_are_passed_over(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_fail(&b, A);
	bench_no_word(&b);
	bench_unlink(&b, C);
	bench_look(&b);
	promotes(BIT(B));
}

/* It could only give up what it has more; that is not known to be acknowledged. */
static void who_is_ahead_is_passed_over(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	b.p.config.strategy = RBLK_POLICY_ELECTION;
	bench_fail(&b, A);
	bench_no_word(&b);
	b.v.peer[C].told.data_seq++;
	bench_look(&b);
	promotes(BIT(B));
}

/* Its own kernel is primary: what that has under way was to wait for all. */
static void promoted_anew_passes_over_nobody(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, B);
	b.a.lead_term = 0;
	bench_fail(&b, C);
	bench_no_word(&b);
	bench_look(&b);
	promotes(ALL);
}

/* Connected and not in sync: it does not become so by a promotion. */
static void promotion_adds_nobody(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	r = b.a.known;
	r.insync = BIT(A) | BIT(B);
	bench_choose(&b, &r);
	bench_fail(&b, A);
	bench_no_word(&b);
	bench_look(&b);
	promotes(BIT(B));
}

static void word_to_the_old_primary_stands(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_fail(&b, A);
	bench_word(&b, A);
	bench_look(&b);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_FOR_OLD_LEASE, BIT(A));
	bench_pass(&b, LEASE_MS + MARGIN_MS - 1);
	assert_false(b.out.propose);
	bench_pass(&b, 1);
	promotes(BIT(B) | BIT(C));
}

/* Unless it is off for certain. */
static void fence_replaces_the_wait(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	b.p.config.fenceable = ALL;
	bench_fail(&b, A);
	bench_word(&b, A);
	bench_look(&b);
	assert_int_equal(b.out.fence, BIT(A));
	assert_false(b.out.propose);
	b.a.fenced = BIT(A);
	bench_pass(&b, 10);
	promotes(BIT(B) | BIT(C));
	assert_true(b.p.notes & RBLK_POLICY_NOTE_FENCED);
}

static void majority_is_needed(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_fail(&b, A);
	bench_fail(&b, C);
	bench_no_word(&b);
	bench_look(&b);
	bench_pass(&b, 10000);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_NO_MAJORITY, BIT(A) | BIT(C));
}

static void of_two_the_other_must_be_off(void **state)
{
	(void)state;
	bench_begin(&b, B, TWO, TWO, A);
	b.p.config.fenceable = TWO;
	bench_fail(&b, A);
	bench_no_word(&b);
	bench_look(&b);
	/* If the primary is alive it shall be the one that fences. */
	assert_int_equal(b.out.fence, 0);
	assert_false(b.out.propose);
	bench_pass(&b, 2 * INTERVAL_MS);
	assert_int_equal(b.out.fence, BIT(A));
	assert_false(b.out.propose);
	b.v.peer[A].fence = RBLK_POLICY_FENCE_RUNS;
	bench_pass(&b, 100);
	assert_int_equal(b.out.fence, 0);
	assert_int_equal(b.out.waits, RBLK_POLICY_FOR_FENCE);
	b.v.peer[A].fence = RBLK_POLICY_FENCE_DONE;
	b.a.fenced = BIT(A);
	bench_pass(&b, 100);
	promotes(BIT(B));
}

/* After a start, alone: it cannot know what the other did last. */
static void of_two_none_alone_after_a_start(void **state)
{
	(void)state;
	bench_begin(&b, B, TWO, TWO, A);
	b.p.config.fenceable = TWO;
	b.a.synced = false;
	bench_fail(&b, A);
	bench_no_word(&b);
	bench_look(&b);
	bench_pass(&b, 10000);
	assert_int_equal(b.out.fence, 0);
	b.a.fenced = BIT(A);
	bench_pass(&b, 10000);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_NO_MAJORITY, BIT(A));
}

/* ---- links to primaries that are none */

/* The old primary is about to be passed over: it must not copy over this node first. */
static void old_primary_is_shunned_before_the_promotion(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_no_word(&b);
	b.v.peer[A].failed = true;
	b.v.peer[A].alive = false;
	bench_look(&b);
	assert_int_equal(b.out.shun & BIT(A), BIT(A));
	/* The link first. */
	assert_false(b.out.propose);
	bench_unlink(&b, A);
	memset(&b.v.peer[A].told, 0, sizeof(b.v.peer[A].told));
	bench_pass(&b, 10);
	assert_int_equal(b.out.shun & BIT(A), BIT(A));
	promotes(BIT(B) | BIT(C));
	/* As long as the round may be chosen. */
	b.a.phase = RBLK_ARBITER_ACCEPTING;
	b.a.change = RBLK_ARBITER_PROMOTE;
	b.v.peer[A].alive = true;
	b.v.peer[A].failed = false;
	bench_tell(&b);
	bench_pass(&b, 10);
	assert_int_equal(b.out.shun, BIT(A));
	b.a.phase = RBLK_ARBITER_IDLE;
	bench_pass(&b, 10);
	assert_int_equal(b.out.shun, 0);
}

/*
 * Only a link showed that it is primary; what it said of itself is older. When that link is
 * gone nothing shows it any more, and it could come back and copy over this node.
 */
static void who_was_seen_to_be_primary_stays_shunned(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_no_word(&b);
	bench_fail(&b, A);
	b.v.peer[C].is_primary = true;
	bench_look(&b);
	assert_false(b.out.propose);
	assert_int_equal(b.out.shun & BIT(C), BIT(C));
	bench_unlink(&b, C);
	bench_pass(&b, 10);
	assert_int_equal(b.out.shun & BIT(C), BIT(C));
	promotes(BIT(B));
	b.a.phase = RBLK_ARBITER_ACCEPTING;
	b.a.change = RBLK_ARBITER_PROMOTE;
	b.v.peer[A].alive = true;
	b.v.peer[A].failed = false;
	bench_tell(&b);
	bench_pass(&b, 10);
	assert_int_equal(b.out.shun & BIT(C), BIT(C));
	b.a.phase = RBLK_ARBITER_IDLE;
	bench_pass(&b, 10);
	bench_pass(&b, 10);
	assert_int_equal(b.out.shun, 0);
}

/* Its kernel is primary, and the register names another. */
static void primary_that_the_register_does_not_name_is_shunned(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_look(&b);
	assert_int_equal(b.out.shun, 0);
	b.v.peer[C].told.flags |= RBLK_POLICY_IS_PRIMARY;
	bench_look(&b);
	assert_int_equal(b.out.shun, BIT(C));
	/* What it said before the newest record does not count, without a link. */
	b.v.peer[C].told.flags &= ~RBLK_POLICY_IS_PRIMARY;
	b.v.peer[C].told.version--;
	bench_look(&b);
	assert_int_equal(b.out.shun, 0);
	b.v.peer[C].connected = false;
	bench_look(&b);
	assert_int_equal(b.out.shun, BIT(C));
	/* It is not known what it is: not before it says so. */
	bench_unlink(&b, C);
	memset(&b.v.peer[C].told, 0, sizeof(b.v.peer[C].told));
	bench_look(&b);
	assert_int_equal(b.out.shun, BIT(C));
}

/* ---- promoted */

static void chosen_then_the_kernel_then_a_lease(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	begin_vacant(B);
	promotes(BIT(B) | BIT(C));
	r = b.a.known;
	r.version++;
	r.gen++;
	r.term = TERM + 0x101;
	r.primary = B;
	r.insync = BIT(B) | BIT(C);
	bench_choose(&b, &r);
	b.a.lead_term = r.term;
	bench_tell(&b);
	b.v.random = 7;
	bench_pass(&b, 10);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_PROMOTE);
	assert_int_equal(b.out.generation, rblk_policy_generation(GEN + 1, 7, B));
	assert_int_equal(b.out.in_sync, BIT(B) | BIT(C));
	assert_true(b.out.renew);
	assert_false(b.out.set_lease);
	assert_true(b.out.notes & RBLK_POLICY_NOTE_CHOSEN);

	b.v.primary = b.v.leased = true;
	b.v.in_sync = BIT(B) | BIT(C);
	b.a.granted_until[B] = b.a.granted_until[C] = b.now + LEASE_MS;
	bench_pass(&b, 10);
	assert_true(b.out.set_lease);
	assert_true(b.out.notes & RBLK_POLICY_NOTE_PROMOTED);
}

/* Somebody else, at once; and not this node again for a while. */
static void kernel_refuses(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	begin_vacant(B);
	r = b.a.known;
	r.version++;
	r.gen++;
	r.term = TERM + 0x101;
	r.primary = B;
	r.insync = BIT(B) | BIT(C);
	bench_choose(&b, &r);
	b.a.lead_term = r.term;
	bench_tell(&b);
	bench_pass(&b, 10);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_PROMOTE);
	b.v.failures = 1;
	bench_pass(&b, 10);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	expect_proposal(&b, RBLK_ARBITER_DEMOTE, BIT(A) | BIT(C));
	assert_true(b.out.notes & RBLK_POLICY_NOTE_GIVEN_UP);

	r.version++;
	r.primary = RBLK_ARBITER_NOBODY;
	bench_choose(&b, &r);
	b.a.lead_term = 0;
	bench_tell(&b);
	bench_pass(&b, 10 * INTERVAL_MS);
	assert_false(b.out.propose);
	bench_pass(&b, 20 * INTERVAL_MS);
	promotes(BIT(B) | BIT(C));
}

/* Its disk failed between the question and the answer. */
static void chosen_too_late(void **state)
{
	struct rblk_arbiter_record r;

	(void)state;
	begin_vacant(B);
	r = b.a.known;
	r.version++;
	r.gen++;
	r.term = TERM + 0x101;
	r.primary = B;
	bench_choose(&b, &r);
	b.a.lead_term = r.term;
	b.v.data_good = false;
	bench_pass(&b, 10);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	expect_proposal(&b, RBLK_ARBITER_DEMOTE, BIT(A) | BIT(C));
}

/* ---- a kernel that is primary without this daemon's doing */

static void stops_before_it_asks(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, B);
	b.a.lead_term = 0;
	b.a.learned = false;
	bench_look(&b);
	assert_false(b.out.stop);	/* the register's last word: this node */
	assert_true(b.out.propose);

	bench_begin(&b, B, ALL, ALL, A);
	b.v.primary = b.v.leased = true;
	b.v.lease_until_ms = b.now + 300;
	b.a.learned = false;
	bench_look(&b);
	assert_true(b.out.stop);
	expect_proposal(&b, RBLK_ARBITER_REFRESH, 0);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	b.a.learned = true;
	b.v.lease_until_ms = 0;
	bench_pass(&b, 1000);
	assert_false(b.out.stop);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_DEMOTE_FORCE);
}

/* ---- its own branch */

static void begin_diverged(uint16_t insync)
{
	struct rblk_arbiter_record r;

	bench_begin(&b, B, ALL, ALL, A);
	r = b.a.known;
	r.gen = GEN + 1;
	r.insync = insync;
	bench_choose(&b, &r);
	bench_tell(&b);
	b.v.peer[A].diverged = true;
	b.v.peer[A].up_to_date = false;
}

static void branch_is_given_up_if_passed_over(void **state)
{
	(void)state;
	begin_diverged(BIT(A) | BIT(C));
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_DISCARD);
	assert_int_equal(b.out.peer, A);

	/* In sync: all that it has may be all that there is. */
	begin_diverged(ALL);
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);

	/* Of the generation itself: the primary has it. */
	begin_diverged(BIT(A) | BIT(C));
	b.v.data_gen = rblk_policy_generation(GEN + 1, 0, A);
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);

	/* A record that may not have been chosen is no reason. */
	begin_diverged(BIT(A) | BIT(C));
	b.a.learned = false;
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	expect_proposal(&b, RBLK_ARBITER_REFRESH, 0);

	/* Towards a node that only claims to be primary: no. */
	begin_diverged(BIT(A) | BIT(C));
	b.v.peer[A].is_primary = false;
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
}

/* ---- rounds */

static void one_round_at_a_time(void **state)
{
	(void)state;
	begin_vacant(B);
	promotes(BIT(B) | BIT(C));
	b.a.phase = RBLK_ARBITER_PREPARING;
	bench_pass(&b, 50);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_FOR_VOTES, BIT(A) | BIT(C));
	/* It led to nothing: some time passes, by chance. */
	b.a.phase = RBLK_ARBITER_IDLE;
	b.v.random = 20;
	bench_pass(&b, 1);
	assert_false(b.out.propose);
	bench_pass(&b, 30);
	promotes(BIT(B) | BIT(C));
}

static void who_knows_less_asks(void **state)
{
	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	bench_look(&b);
	assert_false(b.out.propose);
	b.v.peer[C].told.version++;
	bench_pass(&b, 10);
	expect_proposal(&b, RBLK_ARBITER_REFRESH, 0);
}

/* ---- what it says of itself */

static void tells(void **state)
{
	struct rblk_policy_told t;

	(void)state;
	bench_begin(&b, A, ALL, ALL, A);
	rblk_policy_tell(&b.p, &b.v, &t);
	assert_int_equal(t.flags, RBLK_POLICY_IS_PRIMARY | RBLK_POLICY_LEADS |
			 RBLK_POLICY_CANDIDATE);
	assert_int_equal(t.primary, A);
	assert_int_equal(t.version, 5);
	assert_int_equal(t.data_seq, 40);
	bench_begin(&b, B, ALL, ALL, A);
	b.v.stays_away = true;
	rblk_policy_tell(&b.p, &b.v, &t);
	assert_int_equal(t.flags, 0);
	b.a.mute = true;
	rblk_policy_tell(&b.p, &b.v, &t);
	assert_int_equal(t.flags, RBLK_POLICY_MUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(living_primary_is_left_alone),
		cmocka_unit_test(suspicion_is_no_verdict),
		cmocka_unit_test(failure_is_noted_once),
		cmocka_unit_test(primary_that_does_not_lead_gets_time),
		cmocka_unit_test(primary_without_a_register_is_replaced),
		cmocka_unit_test(admin_wants_nobody),
		cmocka_unit_test(handover_is_for_who_asked),
		cmocka_unit_test(only_who_is_in_sync_stands),
		cmocka_unit_test(who_cannot_does_not_stand),
		cmocka_unit_test(most_up_to_date_goes_first),
		cmocka_unit_test(successors_go_in_their_order),
		cmocka_unit_test(election_waits_for_nobody),
		cmocka_unit_test(who_was_not_heard_yet_is_waited_for),
		cmocka_unit_test(lost_members_are_passed_over),
		cmocka_unit_test(who_is_ahead_is_passed_over),
		cmocka_unit_test(promoted_anew_passes_over_nobody),
		cmocka_unit_test(promotion_adds_nobody),
		cmocka_unit_test(word_to_the_old_primary_stands),
		cmocka_unit_test(fence_replaces_the_wait),
		cmocka_unit_test(majority_is_needed),
		cmocka_unit_test(of_two_the_other_must_be_off),
		cmocka_unit_test(of_two_none_alone_after_a_start),
		cmocka_unit_test(old_primary_is_shunned_before_the_promotion),
		cmocka_unit_test(who_was_seen_to_be_primary_stays_shunned),
		cmocka_unit_test(primary_that_the_register_does_not_name_is_shunned),
		cmocka_unit_test(chosen_then_the_kernel_then_a_lease),
		cmocka_unit_test(kernel_refuses),
		cmocka_unit_test(chosen_too_late),
		cmocka_unit_test(stops_before_it_asks),
		cmocka_unit_test(branch_is_given_up_if_passed_over),
		cmocka_unit_test(one_round_at_a_time),
		cmocka_unit_test(who_knows_less_asks),
		cmocka_unit_test(tells),
	};

	break_a_rule();
	return RUN(tests);
}

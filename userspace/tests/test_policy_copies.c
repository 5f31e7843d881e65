// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The policy where a write is not on all nodes in sync: who is promoted, who may leave and
 * join, and what a change of acks waits for.
 */
#include "policy_bench.h"

/* A, B and C hold data, acks = 1; A led last. */
static void begin(struct bench *b, uint8_t self, uint8_t primary)
{
	struct rblk_arbiter_record r;

	bench_begin(b, self, ALL, ALL, primary);
	r = b->a.known;
	r.acks = 1;
	r.holder = A;
	bench_choose(b, &r);
	b->p.config.acks = 1;
	b->v.acks = 1;
	b->v.exact = true;
	b->v.looked_ms = b->now;
	bench_tell(b);
	b->v.peer[A].told.flags |= RBLK_POLICY_EXACT;
	b->v.peer[B].told.flags |= RBLK_POLICY_EXACT;
	b->v.peer[C].told.flags |= RBLK_POLICY_EXACT;
}

static void look_until_its_turn(struct bench *b)
{
	int i;

	bench_look(b);
	for (i = 0; i < 30 && !b->out.propose; i++)
		bench_pass(b, INTERVAL_MS);
}

static void lose_primary(struct bench *b)
{
	begin(b, B, A);
	bench_look(b);
	bench_fail(b, A);
}

static void one_copy_of_three_is_too_few(void **state)
{
	struct bench b;

	(void)state;
	lose_primary(&b);
	bench_fail(&b, C);
	b.a.known.voters = TWO;
	look_until_its_turn(&b);
	assert_false(b.out.propose && b.out.change == RBLK_ARBITER_PROMOTE);
	expect_wait(&b, RBLK_POLICY_ACKS_TOO_FEW, BIT(A) | BIT(C));
	assert_int_equal(b.out.copies, 1);
	assert_int_equal(b.out.copies_needed, 2);
}

static void two_copies_are_enough(void **state)
{
	struct bench b;

	(void)state;
	lose_primary(&b);
	look_until_its_turn(&b);
	expect_proposal(&b, RBLK_ARBITER_PROMOTE, BIT(B) | BIT(C));
}

/* Its data may be more than it can say, or less than it confirmed. */
static void copy_that_crashed_tells_nothing(void **state)
{
	struct bench b;

	(void)state;
	lose_primary(&b);
	b.v.peer[C].told.flags &= ~RBLK_POLICY_EXACT;
	look_until_its_turn(&b);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_ACKS_TOO_FEW, BIT(A) | BIT(C));
	lose_primary(&b);
	b.v.exact = false;
	look_until_its_turn(&b);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_ACKS_TOO_FEW, BIT(A) | BIT(B));
}

static void who_has_less_does_not_stand(void **state)
{
	struct bench b;

	(void)state;
	lose_primary(&b);
	b.v.peer[C].told.data_seq++;
	look_until_its_turn(&b);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_FOR_BETTER, BIT(C));
	/* more operations of an earlier generation are less */
	b.v.peer[C].told.data_gen--;
	look_until_its_turn(&b);
	expect_proposal(&b, RBLK_ARBITER_PROMOTE, BIT(B) | BIT(C));
}

/* The one that led last has all, alone as well, whatever its position says. */
static void holder_needs_nobody(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, A, A);
	b.a.lead_term = 0;
	b.v.primary = false;
	b.v.exact = false;
	bench_fail(&b, B);
	b.v.peer[C].told.data_seq++;
	b.v.peer[C].told.flags &= ~RBLK_POLICY_EXACT;
	look_until_its_turn(&b);
	assert_true(b.out.propose);
	assert_int_equal(b.out.change, RBLK_ARBITER_PROMOTE);
}

/* B was promoted by the register just now. */
static void elect(struct bench *b)
{
	begin(b, B, B);
	b->v.primary = false;
	b->v.in_sync = 0;
	bench_unlink(b, A);
	bench_fail(b, A);
	bench_look(b);
	bench_pass(b, 2);
	b->v.looked_ms = b->now;
	bench_pass(b, 2);
}

static void chosen_is_not_enough(void **state)
{
	struct bench b;

	(void)state;
	elect(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	assert_false(b.out.propose);
	expect_wait(&b, RBLK_POLICY_ACKS_TOO_FEW, BIT(A) | BIT(C));
	/* of another promotion */
	b.v.peer[C].told.flags |= RBLK_POLICY_SETTLED;
	b.v.peer[C].told.term = TERM - 1;
	bench_look(&b);
	assert_false(b.out.propose && b.out.change == RBLK_ARBITER_HOLD);
	b.v.peer[C].told.term = TERM;
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_HOLD, BIT(B));
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
}

static void then_the_kernel(void **state)
{
	struct rblk_arbiter_record r;
	struct bench b;

	(void)state;
	elect(&b);
	r = b.a.known;
	r.holder = B;
	r.version++;
	/* accepted here, and not known to be chosen */
	b.a.store.record = r;
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	bench_choose(&b, &r);
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_PROMOTE);
	assert_int_equal(b.out.in_sync, ALL);
}

static void promoted_with_less_gives_way(void **state)
{
	struct bench b;

	(void)state;
	elect(&b);
	b.v.peer[C].told.flags |= RBLK_POLICY_SETTLED;
	b.v.peer[C].told.data_seq++;
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_DEMOTE, BIT(C));
}

/* What it looked at before it heard who leads may have become more since. */
static void tells_what_it_holds_after_it_heard(void **state)
{
	struct rblk_policy_told told;
	struct bench b;

	(void)state;
	begin(&b, C, B);
	b.v.peer[B].told.flags &= ~RBLK_POLICY_LEADS;
	bench_look(&b);
	bench_pass(&b, 5);
	b.v.looked_ms = b.now;
	rblk_policy_tell(&b.p, &b.v, &told);
	assert_int_equal(told.flags & RBLK_POLICY_SETTLED, 0);
	b.v.peer[B].told.flags |= RBLK_POLICY_LEADS;
	bench_look(&b);
	rblk_policy_tell(&b.p, &b.v, &told);
	assert_int_equal(told.flags & RBLK_POLICY_SETTLED, 0);
	bench_pass(&b, 5);
	b.v.looked_ms = b.now;
	rblk_policy_tell(&b.p, &b.v, &told);
	assert_int_equal(told.flags & RBLK_POLICY_SETTLED, RBLK_POLICY_SETTLED);
	b.v.exact = false;
	rblk_policy_tell(&b.p, &b.v, &told);
	assert_int_equal(told.flags & RBLK_POLICY_EXACT, 0);
	assert_int_equal(told.flags & RBLK_POLICY_SETTLED, 0);
}

/*
 * Its round was given up, and its own voter did not accept it: it may be chosen all the same,
 * by a round of somebody else. Until it is known the primary must not copy over this node.
 */
static void given_up_may_be_chosen(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, B, ALL, ALL, A);
	b.v.peer[A].is_primary = true;
	b.a.pending = b.a.known;
	b.a.pending.version++;
	b.a.pending.term += 0x100;
	b.a.pending.primary = B;
	b.a.has_pending = true;
	bench_look(&b);
	assert_int_equal(b.out.shun, BIT(A));
	assert_false(b.out.propose);
	bench_pass(&b, 5 * INTERVAL_MS);
	assert_int_equal(b.out.shun, BIT(A));
	assert_true(b.out.propose);
	assert_int_equal(b.out.change, RBLK_ARBITER_REFRESH);
	b.a.has_pending = false;
	bench_pass(&b, 10);
	assert_int_equal(b.out.shun, 0);
}

/* C is lost. Its acknowledgments count no more, then B has to be level, then it leaves. */
static void who_stays_is_level_first(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, A, A);
	b.v.peer[B].acked_seq = 38;
	bench_fail(&b, C);
	bench_look(&b);
	assert_false(b.out.propose);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_IN_SYNC);
	assert_int_equal(b.out.in_sync, TWO);
	b.v.in_sync = TWO;
	bench_look(&b);
	assert_false(b.out.propose);
	b.v.last_seq = 60;
	b.v.peer[B].acked_seq = 39;
	bench_look(&b);
	assert_false(b.out.propose);
	b.v.peer[B].acked_seq = 40;
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_DROP, BIT(C));
}

/* Nobody is left: what is under way waits until that is chosen. */
static void too_few_stay(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, A, A);
	bench_fail(&b, B);
	bench_fail(&b, C);
	b.a.known.voters = b.a.store.record.voters = BIT(A);
	b.a.known.voters_before = b.a.store.record.voters_before = BIT(A);
	bench_look(&b);
	assert_false(b.out.propose);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_ACKS);
	assert_int_equal(b.out.acks, 0);
	b.v.acks = 0;
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_DROP, BIT(B) | BIT(C));
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
}

/* A, B are in sync and acks is 1: an acknowledgment of C alone must not do. */
static void who_joins_is_not_asked(void **state)
{
	struct rblk_arbiter_record r;
	struct bench b;

	(void)state;
	begin(&b, A, A);
	r = b.a.known;
	r.insync = TWO;
	bench_choose(&b, &r);
	b.v.in_sync = TWO;
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	expect_proposal(&b, RBLK_ARBITER_ADD, BIT(C));
	/* only A is: then for one more, and it is waited for */
	begin(&b, A, A);
	r.insync = BIT(A);
	bench_choose(&b, &r);
	b.v.in_sync = BIT(A);
	bench_look(&b);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_IN_SYNC);
	assert_int_equal(__builtin_popcount(b.out.in_sync), 2);
	assert_false(b.out.propose);
}

static void fewer_acks_are_chosen_first(void **state)
{
	struct rblk_arbiter_record r;
	struct bench b;

	(void)state;
	begin(&b, A, A);
	r = b.a.known;
	r.acks = 0;
	r.holder = 0;
	bench_choose(&b, &r);
	b.v.acks = 0;
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_ACKS, 1);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_NONE);
	r.acks = 1;
	r.version++;
	bench_choose(&b, &r);
	bench_pass(&b, 1);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_ACKS);
	assert_int_equal(b.out.acks, 1);
}

static void more_acks_are_waited_for_first(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, A, A);
	b.p.config.acks = 0;
	b.v.peer[C].acked_seq = 39;
	bench_look(&b);
	assert_false(b.out.propose);
	assert_int_equal(b.out.kernel, RBLK_POLICY_KERNEL_ACKS);
	assert_int_equal(b.out.acks, 0);
	b.v.acks = 0;
	bench_look(&b);
	assert_false(b.out.propose);
	b.v.peer[C].acked_seq = 40;
	bench_look(&b);
	expect_proposal(&b, RBLK_ARBITER_ACKS, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_copy_of_three_is_too_few),
		cmocka_unit_test(two_copies_are_enough),
		cmocka_unit_test(copy_that_crashed_tells_nothing),
		cmocka_unit_test(who_has_less_does_not_stand),
		cmocka_unit_test(holder_needs_nobody),
		cmocka_unit_test(chosen_is_not_enough),
		cmocka_unit_test(then_the_kernel),
		cmocka_unit_test(promoted_with_less_gives_way),
		cmocka_unit_test(tells_what_it_holds_after_it_heard),
		cmocka_unit_test(given_up_may_be_chosen),
		cmocka_unit_test(who_stays_is_level_first),
		cmocka_unit_test(too_few_stay),
		cmocka_unit_test(who_joins_is_not_asked),
		cmocka_unit_test(fewer_acks_are_chosen_first),
		cmocka_unit_test(more_acks_are_waited_for_first),
	};

	break_a_rule();
	return RUN(tests);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The completion rule, over all states of three peers, against its words. */
#include "cmocka_all.h"
#include "ackpolicy.h"

#define PEERS	3
#define MASKS	(1U << PEERS)

typedef void each_fn(const struct rblk_ack_policy *policy,
		     const struct rblk_ack_state *state);

/* Node ids low and high: a mask that is cut off at 8 bits must show. */
static void for_each_policy(each_fn *each, const struct rblk_ack_state *state)
{
	static const u32 levels[] = { 0, 1, 2, 4, 6, 7 };
	u32 received, applied, shift, level;
	u8 acks, min;

	for (shift = 0; shift <= 13; shift += 13)
		for (received = 0; received < MASKS; received++)
			for (applied = 0; applied < MASKS; applied++)
				for (level = 0; level < ARRAY_SIZE(levels); level++)
				for (acks = 0; acks <= PEERS + 1; acks++)
				for (min = 0; min <= (acks ? 0 : PEERS); min += PEERS) {
					struct rblk_ack_policy policy = {
						received << shift,
						applied << shift,
						levels[level] << shift, acks,
						min };
					struct rblk_ack_state s = *state;

					s.received <<= shift;
					s.applied <<= shift;
					s.covered <<= shift;
					each(&policy, &s);
				}
}

static void for_each_state(each_fn *each)
{
	static const enum rblk_local locals[] = {
		RBLK_LOCAL_PENDING, RBLK_LOCAL_DONE, RBLK_LOCAL_FAILED,
		RBLK_LOCAL_GONE };
	u32 local, durable, received, applied, covered;

	for (local = 0; local < ARRAY_SIZE(locals); local++)
		for (durable = 0; durable < 2; durable++)
			for (received = 0; received < MASKS; received++)
				for (applied = 0; applied < MASKS; applied++)
					for (covered = 0; covered < MASKS;
					     covered++) {
						struct rblk_ack_state state = {
							locals[local], durable,
							received, applied,
							covered };

						for_each_policy(each, &state);
					}
}

/* The rule as the documentation words it, peer by peer. */
static enum rblk_verdict by_the_book(const struct rblk_ack_policy *policy,
				     const struct rblk_ack_state *state)
{
	int waited = 0, content = 0, stored = 0, level = 0, peer, claimed;

	for (peer = 0; peer < 16; peer++) {
		bool c = policy->wait_applied >> peer & 1;
		bool b = !c && policy->wait_received >> peer & 1;
		bool applied = state->applied >> peer & 1;
		bool received = applied || state->received >> peer & 1;
		bool covered = state->covered >> peer & 1;
		bool has = applied || (state->durable && covered);

		level += has && policy->level >> peer & 1;
		stored += has && (b || c);
		if (!b && !c)
			continue;
		waited++;
		if (state->durable)
			content += applied || covered;
		else if (c)
			content += applied;
		else
			content += received;
	}
	if (state->local == RBLK_LOCAL_PENDING)
		return RBLK_VERDICT_WAIT;
	if (content < waited && (policy->acks == 0 || content < policy->acks))
		return RBLK_VERDICT_WAIT;
	if (state->local == RBLK_LOCAL_FAILED)
		return RBLK_VERDICT_FAIL;
	if (1 + waited < policy->min)
		return RBLK_VERDICT_WAIT;
	if (state->local == RBLK_LOCAL_DONE)
		return RBLK_VERDICT_COMPLETE;
	if (!policy->level)
		return RBLK_VERDICT_FAIL;
	/* as many disks as with this one, as far as there are so many */
	claimed = policy->acks && policy->acks < waited ? policy->acks + 1 :
							  waited;
	return stored >= claimed && level ? RBLK_VERDICT_COMPLETE :
					    RBLK_VERDICT_WAIT;
}

static void check_verdict(const struct rblk_ack_policy *policy,
			  const struct rblk_ack_state *state)
{
	assert_int_equal(rblk_ackpolicy_verdict(policy, state),
			 by_the_book(policy, state));
}

static void test_verdict(void **state)
{
	(void)state;
	for_each_state(check_verdict);
}

/* More acks never make a completed operation wait again. */
static void check_monotonic(const struct rblk_ack_policy *policy,
			    const struct rblk_ack_state *state)
{
	u32 bit;

	if (rblk_ackpolicy_verdict(policy, state) == RBLK_VERDICT_WAIT)
		return;
	for (bit = 0; bit < 16; bit++) {
		struct rblk_ack_state more = *state;

		more.received |= 1U << bit;
		assert_int_not_equal(rblk_ackpolicy_verdict(policy, &more),
				     RBLK_VERDICT_WAIT);
		more.applied |= 1U << bit;
		assert_int_not_equal(rblk_ackpolicy_verdict(policy, &more),
				     RBLK_VERDICT_WAIT);
	}
}

static void test_acks_only_help(void **state)
{
	(void)state;
	for_each_state(check_monotonic);
}

/*
 * Without a copy, nothing may end before each streaming peer has the data.
 * Only streaming peers can have sent an ack.
 */
static bool can_end_early(const struct rblk_ack_policy *policy, u32 streaming,
			  u32 shift)
{
	u32 received, applied, local, durable;

	for (received = 0; received < MASKS; received++)
		for (applied = 0; applied < MASKS; applied++)
			for (local = RBLK_LOCAL_DONE; local <= RBLK_LOCAL_GONE;
			     local++)
				for (durable = 0; durable < 2; durable++) {
					struct rblk_ack_state state = {
						local, durable,
						(received << shift) & streaming,
						(applied << shift) & streaming,
						0 };
					u32 have = state.received | state.applied;

					if ((streaming & ~have) &&
					    rblk_ackpolicy_verdict(policy, &state) !=
					    RBLK_VERDICT_WAIT)
						return true;
				}
	return false;
}

static void check_must_copy(const struct rblk_ack_policy *policy,
			    const struct rblk_ack_state *state)
{
	u32 need = policy->wait_received | policy->wait_applied;
	u32 shift = need & 0xe000 ? 13 : 0;
	u32 mask;

	(void)state;
	for (mask = 0; mask < MASKS; mask++) {
		u32 streaming = mask << shift;
		bool early = can_end_early(policy, streaming, shift);
		bool copy = rblk_ackpolicy_must_copy(policy, streaming);

		if (early)
			assert_true(copy);
		else if (!streaming || !(need & ~streaming))
			assert_false(copy);
	}
}

static void test_must_copy(void **state)
{
	static const struct rblk_ack_state none;

	(void)state;
	for_each_policy(check_must_copy, &none);
}

static void test_examples(void **state)
{
	/* A: node 1; B: node 2; C: node 3 */
	struct rblk_ack_policy all = { 1 << 2, 1 << 3, 0, 0 };
	struct rblk_ack_policy any = { 1 << 2, 1 << 3, 0, 1 };
	struct rblk_ack_policy alone = { 0, 0, 0, 2 };
	struct rblk_ack_state s = { RBLK_LOCAL_DONE, false, 1 << 2, 0, 0 };

	(void)state;
	assert_int_equal(rblk_ackpolicy_verdict(&all, &s), RBLK_VERDICT_WAIT);
	assert_int_equal(rblk_ackpolicy_verdict(&any, &s), RBLK_VERDICT_COMPLETE);
	assert_int_equal(rblk_ackpolicy_verdict(&alone, &s),
			 RBLK_VERDICT_COMPLETE);
	s.durable = true;
	assert_int_equal(rblk_ackpolicy_verdict(&any, &s), RBLK_VERDICT_WAIT);
	/* what is durable there anyway; for node 1 nobody waits */
	s.covered = 1 << 1;
	assert_int_equal(rblk_ackpolicy_verdict(&any, &s), RBLK_VERDICT_WAIT);
	s.covered = 1 << 2;
	assert_int_equal(rblk_ackpolicy_verdict(&any, &s), RBLK_VERDICT_COMPLETE);
	assert_int_equal(rblk_ackpolicy_verdict(&all, &s), RBLK_VERDICT_WAIT);
	s.durable = false;
	assert_int_equal(rblk_ackpolicy_verdict(&all, &s), RBLK_VERDICT_WAIT);
	s.covered = 0;
	s.applied = 1 << 3;
	assert_int_equal(rblk_ackpolicy_verdict(&all, &s), RBLK_VERDICT_COMPLETE);
	s.local = RBLK_LOCAL_PENDING;
	assert_int_equal(rblk_ackpolicy_verdict(&all, &s), RBLK_VERDICT_WAIT);
	s.local = RBLK_LOCAL_FAILED;
	assert_int_equal(rblk_ackpolicy_verdict(&all, &s), RBLK_VERDICT_FAIL);

	assert_false(rblk_ackpolicy_must_copy(&all, 1 << 2 | 1 << 3));
	assert_true(rblk_ackpolicy_must_copy(&all, 1 << 1 | 1 << 2 | 1 << 3));
	assert_true(rblk_ackpolicy_must_copy(&any, 1 << 2 | 1 << 3));
	assert_false(rblk_ackpolicy_must_copy(&alone, 0));
	assert_true(rblk_ackpolicy_must_copy(&alone, 1 << 1));
}

/* The local disk is gone: what an acknowledgment claims the peers must hold. */
static void test_without_disk(void **state)
{
	/* A: node 1; B: node 2; C: node 3; all have what came before */
	struct rblk_ack_policy all = { 1 << 2, 1 << 3, 7 << 1, 0 };
	struct rblk_ack_policy any = { 1 << 2, 1 << 3, 7 << 1, 1 };
	struct rblk_ack_policy lazy = { 0, 0, 1 << 1, 0 };
	struct rblk_ack_policy behind = { 0, 1 << 3, 0, 0 };
	struct rblk_ack_state s = { RBLK_LOCAL_GONE, false, 1 << 2, 1 << 3, 0 };

	(void)state;
	/* in B's memory is not on B's disk */
	assert_int_equal(rblk_ackpolicy_verdict(&all, &s), RBLK_VERDICT_WAIT);
	s.applied |= 1 << 2;
	assert_int_equal(rblk_ackpolicy_verdict(&all, &s), RBLK_VERDICT_COMPLETE);
	/* one more in the place of this node */
	assert_int_equal(rblk_ackpolicy_verdict(&any, &s), RBLK_VERDICT_COMPLETE);
	s.applied = 1 << 3;
	assert_int_equal(rblk_ackpolicy_verdict(&any, &s), RBLK_VERDICT_WAIT);
	/* somebody must have it even if nobody is waited for otherwise */
	assert_int_equal(rblk_ackpolicy_verdict(&lazy, &s), RBLK_VERDICT_WAIT);
	s.applied = 1 << 1;
	assert_int_equal(rblk_ackpolicy_verdict(&lazy, &s), RBLK_VERDICT_COMPLETE);
	/* who lacks what came before is no copy */
	s.applied = 1 << 3;
	assert_int_equal(rblk_ackpolicy_verdict(&behind, &s), RBLK_VERDICT_FAIL);
}

/*
 * With an in-sync set a write is reported only when every member of it has it,
 * connected or not, and also by protocol A; only one that is being copied to does not
 * count.
 */
static void test_in_sync(void **state)
{
	u32 b, c, joined, in_sync, copied, peer, wait;
	struct rblk_ack_policy policy = { 0 };

	(void)state;
	for (b = 0; b < MASKS; b++)
	for (c = 0; c < MASKS; c++)
	for (joined = 0; joined < MASKS; joined++)
	for (in_sync = 0; in_sync < 2 * MASKS; in_sync++)
	for (copied = 0; copied < MASKS; copied++) {
		/* this node is the bit above the peers */
		u32 a = ~(b | c) & (MASKS - 1);
		struct rblk_ack_peers peers = { b & ~c, c, a, joined, in_sync,
						copied };
		u32 nodes = 1;

		rblk_ackpolicy_choose(&policy, &peers);
		for (peer = 0; peer < PEERS + 1; peer++) {
			bool from = in_sync ? in_sync >> peer & 1 &&
					      !(copied >> peer & 1) :
					      joined >> peer & 1;

			wait = policy.wait_applied >> peer & 1;
			assert_int_equal(wait, from && c >> peer & 1);
			wait = policy.wait_received >> peer & 1;
			/* protocol A: only as a member */
			from = from && peer < PEERS &&
			       (in_sync || (b | c) >> peer & 1);
			assert_int_equal(wait, from && !(c >> peer & 1));
			nodes += from;
		}
		assert_int_equal(rblk_ackpolicy_nodes(&policy), nodes);
	}
}

/* A member that is copied to and one that left: this node alone is too few, until one is back. */
static void test_too_few(void **state)
{
	struct rblk_ack_peers peers = { 0, 1 << 1 | 1 << 2, 0, 1 << 2, 1 << 0 | 1 << 2, 1 << 2 };
	struct rblk_ack_policy policy = { .min = 2 };
	struct rblk_ack_state s = { RBLK_LOCAL_DONE, false, 0, 1 << 2, 0 };

	(void)state;
	rblk_ackpolicy_choose(&policy, &peers);
	assert_true(rblk_ackpolicy_is_too_few(&policy));
	assert_int_equal(rblk_ackpolicy_verdict(&policy, &s), RBLK_VERDICT_WAIT);
	assert_true(rblk_ackpolicy_is_stuck(&policy, &s, 1 << 2));
	peers.copied = 0;
	rblk_ackpolicy_choose(&policy, &peers);
	assert_false(rblk_ackpolicy_is_too_few(&policy));
	assert_int_equal(rblk_ackpolicy_verdict(&policy, &s), RBLK_VERDICT_COMPLETE);
}

/* Stuck is what no acknowledgment of those that are there can end. */
static void check_stuck(const struct rblk_ack_policy *policy,
			const struct rblk_ack_state *state)
{
	u32 mask, more;

	for (mask = 0; mask < MASKS; mask++) {
		bool stuck = rblk_ackpolicy_is_stuck(policy, state, mask);
		bool ends = false;

		if (state->local == RBLK_LOCAL_PENDING) {
			assert_false(stuck);
			continue;
		}
		for (more = 0; more < MASKS; more++) {
			struct rblk_ack_state s = *state;

			s.received |= more & mask;
			s.applied |= more & mask;
			ends |= rblk_ackpolicy_verdict(policy, &s) !=
				RBLK_VERDICT_WAIT;
		}
		assert_int_equal(stuck, !ends);
	}
}

static void test_stuck(void **state)
{
	struct rblk_ack_state s = { 0 };
	u32 local, applied, durable;

	(void)state;
	for (local = RBLK_LOCAL_PENDING; local <= RBLK_LOCAL_GONE; local++)
		for (durable = 0; durable < 2; durable++)
			for (applied = 0; applied < MASKS; applied++) {
				s.local = local;
				s.durable = durable;
				s.applied = applied;
				for_each_policy(check_stuck, &s);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_acks_only_help),
		cmocka_unit_test(test_must_copy),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_without_disk),
		cmocka_unit_test(test_in_sync),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_stuck),
	};

	return cmocka_run_group_tests_name("ackpolicy", tests, NULL, NULL);
}

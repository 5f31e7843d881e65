// SPDX-License-Identifier: GPL-2.0-or-later
/* Every row of the handshake, seen from both ends. */
#include "cmocka_all.h"
#include "plan.h"
#include "wire.h"

/* Histories in all relations to each other; some differ only in name. */
static const struct rblk_lineage histories[] = {
	{ 0 },
	{ 1, 0, { { 1, 1 } } },
	{ 1, 0, { { 2, 1 } } },
	{ 1, 10, { { 1, 1 } } },
	{ 1, 20, { { 1, 1 } } },
	{ 2, 20, { { 1, 1 }, { 4, 21 } } },
	{ 2, 20, { { 1, 1 }, { 2, 16 } } },
	{ 2, 20, { { 1, 1 }, { 3, 16 } } },
	{ 2, 30, { { 1, 1 }, { 3, 16 } } },
	{ 1, 20, { { 2, 1 } } },
	{ 1, 30, { { 3, 16 } } },
	{ 1, 50, { { 4, 41 } } },
};

static const enum rblk_role roles[] = { RBLK_ROLE_BACKUP, RBLK_ROLE_PRIMARY };
static const enum rblk_data data_states[] = { RBLK_DATA_NEW, RBLK_DATA_CONSISTENT,
					RBLK_DATA_INCONSISTENT,
					RBLK_DATA_UNCLEAN };
static const u64 promises[] = { 4, 5, 6 };

#define SELVES	(ARRAY_SIZE(histories) * ARRAY_SIZE(roles) * \
		 ARRAY_SIZE(data_states) * ARRAY_SIZE(promises))

static void nth_self(u32 n, struct rblk_self *self)
{
	self->lineage = histories[n % ARRAY_SIZE(histories)];
	n /= ARRAY_SIZE(histories);
	self->role = roles[n % ARRAY_SIZE(roles)];
	n /= ARRAY_SIZE(roles);
	self->data = data_states[n % ARRAY_SIZE(data_states)];
	n /= ARRAY_SIZE(data_states);
	self->promised = promises[n];
	self->no_disk = false;
}

typedef void each_fn(const struct rblk_self *mine, const struct rblk_self *peer,
		     const struct rblk_plan *plan, const struct rblk_plan *theirs);

static void for_each_row(each_fn *each)
{
	struct rblk_self mine, peer;
	struct rblk_plan plan, theirs;
	u32 i, j;

	for (i = 0; i < SELVES; i++) {
		nth_self(i, &mine);
		for (j = 0; j < SELVES; j++) {
			nth_self(j, &peer);
			memset(&plan, 0xee, sizeof(plan));
			rblk_plan_handshake(&mine, &peer, &plan);
			rblk_plan_handshake(&peer, &mine, &theirs);
			each(&mine, &peer, &plan, &theirs);
		}
	}
}

/* The generation of the operation with this seq, 0 if there is none known. */
static u64 gen_at(const struct rblk_lineage *lineage, u64 seq)
{
	u64 gen = 0;
	u32 i;

	for (i = 0; i < lineage->nr_terms && seq <= lineage->seq; i++) {
		if (lineage->term[i].first_seq <= seq)
			gen = lineage->term[i].gen;
	}
	return gen;
}

/* It holds what its lineage says and nothing else, as far as @other can tell. */
static bool is_exact(const struct rblk_self *self, const struct rblk_self *other)
{
	u32 a = self->lineage.nr_terms, b = other->lineage.nr_terms;

	if (self->data == RBLK_DATA_CONSISTENT)
		return true;
	return self->data == RBLK_DATA_UNCLEAN && a && b &&
	       other->role == RBLK_ROLE_PRIMARY &&
	       !memcmp(&self->lineage.term[a - 1], &other->lineage.term[b - 1],
		       sizeof(struct rblk_term));
}

/* The same operations, named one by one, but for those that one forgot. */
static bool same_data(const struct rblk_self *a, const struct rblk_self *b)
{
	u64 from = max(a->lineage.term[0].first_seq, b->lineage.term[0].first_seq);
	u64 seq;

	if (!is_exact(a, b) || !is_exact(b, a) ||
	    !a->lineage.nr_terms || !b->lineage.nr_terms)
		return false;
	if (a->lineage.seq != b->lineage.seq)
		return false;
	for (seq = from; seq <= a->lineage.seq; seq++) {
		if (gen_at(&a->lineage, seq) != gen_at(&b->lineage, seq))
			return false;
	}
	return true;
}

static bool is_stale_primary(const struct rblk_self *self,
			     const struct rblk_self *other)
{
	return self->role == RBLK_ROLE_PRIMARY &&
	       self->promised < other->promised;
}

static void check_action(const struct rblk_self *mine,
			 const struct rblk_self *peer,
			 const struct rblk_plan *plan,
			 const struct rblk_plan *theirs)
{
	bool i_lead = mine->role == RBLK_ROLE_PRIMARY;
	bool peer_leads = peer->role == RBLK_ROLE_PRIMARY;
	enum rblk_plan_action want = RBLK_PLAN_IDLE;

	(void)theirs;
	if ((i_lead && peer_leads) || is_stale_primary(mine, peer) ||
	    is_stale_primary(peer, mine))
		want = RBLK_PLAN_REFUSE;
	else if (i_lead && same_data(mine, peer))
		want = RBLK_PLAN_STREAM;
	else if (peer_leads && same_data(mine, peer))
		want = RBLK_PLAN_FOLLOW;
	assert_int_equal(plan->action, want);
}

static void test_action(void **state)
{
	(void)state;
	for_each_row(check_action);
}

static void check_agreement(const struct rblk_self *mine,
			    const struct rblk_self *peer,
			    const struct rblk_plan *plan,
			    const struct rblk_plan *theirs)
{
	static const enum rblk_plan_action answer[] = {
		[RBLK_PLAN_REFUSE] = RBLK_PLAN_REFUSE,
		[RBLK_PLAN_IDLE] = RBLK_PLAN_IDLE,
		[RBLK_PLAN_STREAM] = RBLK_PLAN_FOLLOW,
		[RBLK_PLAN_FOLLOW] = RBLK_PLAN_STREAM,
	};

	(void)mine;
	(void)peer;
	assert_int_equal(theirs->action, answer[plan->action]);
	assert_int_equal(plan->repl == RBLK_REPL_UPTODATE,
			 theirs->repl == RBLK_REPL_UPTODATE);
}

static void test_both_sides_agree(void **state)
{
	(void)state;
	for_each_row(check_agreement);
}

/* What the header says of the peer's data. */
static enum rblk_repl repl_by_the_book(const struct rblk_self *mine,
				       const struct rblk_self *peer)
{
	bool mine_ok = mine->data & 1 && mine->lineage.nr_terms;
	bool peer_ok = peer->data & 1 && peer->lineage.nr_terms;
	bool mine_vague = mine_ok && !is_exact(mine, peer);
	bool peer_vague = peer_ok && !is_exact(peer, mine);
	bool peer_behind = !peer_ok, peer_ahead = !mine_ok, apart = false;
	bool primary = mine->role == RBLK_ROLE_PRIMARY;
	bool follower = peer->role == RBLK_ROLE_PRIMARY;
	enum rblk_relation relation;

	if (same_data(mine, peer))
		return RBLK_REPL_UPTODATE;
	if (mine_ok && peer_ok) {
		relation = rblk_lineage_compare(&mine->lineage, &peer->lineage,
						NULL);
		peer_behind = relation == RBLK_PEER_BEHIND;
		peer_ahead = relation == RBLK_PEER_AHEAD;
		apart = !peer_behind && !peer_ahead && relation != RBLK_SAME;
		if (!apart && peer_vague && (mine_vague || !peer_ahead))
			peer_behind = true;
		if (!apart && mine_vague && (peer_vague || !peer_behind))
			peer_ahead = true;
	}
	/* What the backup has and the primary never had sets them apart. */
	if (primary)
		apart |= peer_ahead && !peer_behind;
	if (follower)
		apart |= peer_behind && !peer_ahead;
	if (apart)
		return RBLK_REPL_DIVERGED;
	if (peer_behind && (primary || !peer_ahead))
		return RBLK_REPL_BEHIND;
	return RBLK_REPL_UNKNOWN;
}

static void check_repl(const struct rblk_self *mine,
		       const struct rblk_self *peer,
		       const struct rblk_plan *plan,
		       const struct rblk_plan *theirs)
{
	(void)theirs;
	if (plan->action == RBLK_PLAN_REFUSE)
		assert_int_equal(plan->repl, RBLK_REPL_UNKNOWN);
	else
		assert_int_equal(plan->repl, repl_by_the_book(mine, peer));
	if (plan->repl == RBLK_REPL_UPTODATE)
		assert_true(same_data(mine, peer));
}

static void test_repl(void **state)
{
	(void)state;
	for_each_row(check_repl);
}

/* After a crash nobody is up to date but with who sent what it wrote. */
static void test_unclean(void **state)
{
	struct rblk_self mine = {
		.role = RBLK_ROLE_PRIMARY, .data = RBLK_DATA_CONSISTENT,
		.promised = 4, .lineage = { 2, 20, { { 1, 1 }, { 4, 21 } } },
	};
	struct rblk_self peer = {
		.data = RBLK_DATA_UNCLEAN, .promised = 4,
		.lineage = { 1, 20, { { 1, 1 } } },
	};
	struct rblk_plan plan;

	(void)state;
	/* it followed generation 1, whose memory is gone */
	rblk_plan_handshake(&mine, &peer, &plan);
	assert_int_equal(plan.action, RBLK_PLAN_IDLE);
	assert_int_equal(plan.repl, RBLK_REPL_BEHIND);
	/* it followed this very primary */
	peer.lineage = mine.lineage;
	rblk_plan_handshake(&mine, &peer, &plan);
	assert_int_equal(plan.action, RBLK_PLAN_STREAM);
	/* which has become a backup since: it may have forgotten */
	mine.role = RBLK_ROLE_BACKUP;
	rblk_plan_handshake(&mine, &peer, &plan);
	assert_int_equal(plan.action, RBLK_PLAN_IDLE);
	assert_int_equal(plan.repl, RBLK_REPL_BEHIND);
}

/* A backup without a disk takes nothing, a primary without one sends all the same. */
static void check_no_disk(const struct rblk_self *mine,
			  const struct rblk_self *peer,
			  const struct rblk_plan *plan,
			  const struct rblk_plan *theirs)
{
	static const struct rblk_memory memory = { .log_from = 1 };
	struct rblk_self lost = *mine;
	struct rblk_plan mine_lost, peer_sees;
	bool leads = mine->role == RBLK_ROLE_PRIMARY;

	lost.no_disk = true;
	rblk_plan_handshake(&lost, peer, &mine_lost);
	rblk_plan_handshake(peer, &lost, &peer_sees);
	if (leads || plan->action == RBLK_PLAN_REFUSE) {
		assert_memory_equal(&mine_lost, plan, sizeof(*plan));
		assert_memory_equal(&peer_sees, theirs, sizeof(*theirs));
	} else {
		assert_int_equal(mine_lost.action, RBLK_PLAN_IDLE);
		assert_int_equal(peer_sees.action, RBLK_PLAN_IDLE);
		assert_int_equal(peer_sees.repl, RBLK_REPL_BEHIND);
		assert_int_equal(rblk_plan_sync(peer, &lost, &memory),
				 RBLK_SYNC_NONE);
	}
	/* what it cannot read it cannot copy */
	if (rblk_plan_sync(&lost, peer, &memory))
		assert_int_equal(rblk_plan_sync(&lost, peer, &memory),
				 RBLK_SYNC_LOG);
}

static void test_no_disk(void **state)
{
	(void)state;
	for_each_row(check_no_disk);
}

static void check_reason(const struct rblk_self *mine,
			 const struct rblk_self *peer,
			 const struct rblk_plan *plan,
			 const struct rblk_plan *theirs)
{
	size_t length = strlen(plan->reason);

	(void)theirs;
	assert_int_equal(length == 0, plan->repl == RBLK_REPL_UPTODATE);
	assert_true(length < RBLK_WIRE_TEXT_MAX);
	assert_true(length < RBLK_REASON_SIZE);

	/* Who is told to demote, is the one that must. */
	if (is_stale_primary(mine, peer))
		assert_true(strstr(plan->reason, "demote it") ||
			    strstr(plan->reason, "demote this node"));
	else if (is_stale_primary(peer, mine))
		assert_non_null(strstr(plan->reason, "demote the peer"));
}

static void test_reason(void **state)
{
	(void)state;
	for_each_row(check_reason);
}

/* What is never overwritten without being asked for. */
static bool is_precious(const struct rblk_self *mine,
			const struct rblk_self *peer)
{
	u64 seq;

	if (peer->data == RBLK_DATA_INCONSISTENT)
		return false;
	if (peer->data == RBLK_DATA_NEW || peer->lineage.seq > mine->lineage.seq)
		return true;
	for (seq = 1; seq <= peer->lineage.seq; seq++) {
		if (gen_at(&peer->lineage, seq) && gen_at(&mine->lineage, seq) &&
		    gen_at(&mine->lineage, seq) != gen_at(&peer->lineage, seq))
			return true;
	}
	return false;
}

static void check_one_sync(const struct rblk_self *mine,
			   const struct rblk_self *peer,
			   const struct rblk_memory *memory)
{
	enum rblk_sync sync = rblk_plan_sync(mine, peer, memory);
	bool whole = is_exact(peer, mine);
	u64 seq = peer->lineage.seq;

	if (sync == RBLK_SYNC_NONE)
		return;
	assert_int_equal(mine->role, RBLK_ROLE_PRIMARY);
	assert_int_equal(mine->data, RBLK_DATA_CONSISTENT);
	assert_int_equal(peer->role, RBLK_ROLE_BACKUP);
	assert_true(peer->promised <= mine->promised);
	assert_false(is_precious(mine, peer));
	/* what a crash may have left is not overwritten unasked */
	assert_true(whole || peer->data == RBLK_DATA_INCONSISTENT);
	/* in order only what is whole, and only if nothing is left out */
	if (sync == RBLK_SYNC_LOG)
		assert_true(whole && seq + 1 >= memory->log_from);
	if (sync == RBLK_SYNC_BITMAP)
		assert_true(seq >= memory->base &&
			    (whole || memory->partial_gen ==
			     peer->lineage.term[peer->lineage.nr_terms - 1].gen));
}

static u32 syncs[RBLK_SYNC_FULL + 1];

static void check_sync(const struct rblk_self *mine,
		       const struct rblk_self *peer,
		       const struct rblk_plan *plan,
		       const struct rblk_plan *theirs)
{
	struct rblk_memory memory = { };
	u64 i;

	(void)theirs;
	for (i = 0; i < 27; i++) {
		memory.log_from = mine->lineage.seq + 1 - min(mine->lineage.seq,
							      i % 3 * 5);
		memory.base = i / 3 % 3 == 2 ? U64_MAX :
			      mine->lineage.seq * (i / 3 % 3) / 2;
		memory.partial_gen = i / 9 ? 5 - i / 9 : 0;
		if (plan->action != RBLK_PLAN_IDLE)
			continue;
		check_one_sync(mine, peer, &memory);
		syncs[rblk_plan_sync(mine, peer, &memory)]++;
	}
}

static void test_sync(void **state)
{
	(void)state;
	for_each_row(check_sync);
	assert_true(syncs[RBLK_SYNC_NONE] && syncs[RBLK_SYNC_LOG] &&
		    syncs[RBLK_SYNC_BITMAP] && syncs[RBLK_SYNC_FULL]);
}

static void test_sync_by_example(void **state)
{
	struct rblk_self mine = {
		.role = RBLK_ROLE_PRIMARY, .data = RBLK_DATA_CONSISTENT,
		.promised = 2,
		.lineage = { 2, 100, { { 1, 1 }, { 2, 51 } } },
	};
	struct rblk_self peer = {
		.role = RBLK_ROLE_BACKUP, .data = RBLK_DATA_CONSISTENT,
		.promised = 2,
		.lineage = { 2, 90, { { 1, 1 }, { 2, 51 } } },
	};
	struct rblk_memory memory = { .log_from = 91, .base = 50 };

	(void)state;
#define SYNC	rblk_plan_sync(&mine, &peer, &memory)
	assert_int_equal(SYNC, RBLK_SYNC_LOG);
	memory.log_from = 92;
	assert_int_equal(SYNC, RBLK_SYNC_BITMAP);
	memory.base = 91;
	assert_int_equal(SYNC, RBLK_SYNC_FULL);
	/* somebody began to overwrite it, not this node */
	peer.data = RBLK_DATA_INCONSISTENT;
	memory.base = 50;
	memory.log_from = 91;
	assert_int_equal(SYNC, RBLK_SYNC_FULL);
	memory.partial_gen = 2;
	assert_int_equal(SYNC, RBLK_SYNC_BITMAP);
	/* it did, and somebody else went on */
	memory.partial_gen = 1;
	assert_int_equal(SYNC, RBLK_SYNC_FULL);
	memory.partial_gen = 2;
	/* another disk was attached: no set knows what it lacks */
	memory.base = 0;
	peer.lineage.seq = 0;
	assert_int_equal(SYNC, RBLK_SYNC_FULL);
	/* a disk of unknown content is somebody's data */
	peer.data = RBLK_DATA_NEW;
	peer.lineage = (struct rblk_lineage) { 0 };
	assert_int_equal(SYNC, RBLK_SYNC_NONE);
	/* writes that the primary never had */
	peer.data = RBLK_DATA_CONSISTENT;
	peer.lineage = (struct rblk_lineage) { 1, 60, { { 1, 1 } } };
	assert_int_equal(SYNC, RBLK_SYNC_NONE);
#undef SYNC
}

/*
 * What may be given up: only by a backup, only to a primary, only where there
 * is a branch. Once it is, the primary copies over it without being asked.
 */
static void test_set_back(void **state)
{
	struct rblk_self mine = { .role = RBLK_ROLE_PRIMARY,
				  .data = RBLK_DATA_CONSISTENT,
				  .lineage = histories[4] };
	struct rblk_self peer = { .data = RBLK_DATA_UNCLEAN,
				  .lineage = histories[3] };

	(void)state;
	assert_true(rblk_plan_was_set_back(&mine, &peer, 11));
	assert_false(rblk_plan_was_set_back(&mine, &peer, 10));
	assert_false(rblk_plan_was_set_back(&mine, &peer, 0));
	/* what has no position, or an older one on purpose */
	peer.data = RBLK_DATA_INCONSISTENT;
	assert_false(rblk_plan_was_set_back(&mine, &peer, 11));
	peer.data = RBLK_DATA_CONSISTENT;
	assert_true(rblk_plan_was_set_back(&mine, &peer, 11));
	mine.role = RBLK_ROLE_BACKUP;
	assert_false(rblk_plan_was_set_back(&mine, &peer, 11));
}

/* Alpha led from 51 on and crashed; bravo had it up to 70 and was promoted. */
static void test_parted(void **state)
{
	struct rblk_self bravo = {
		.role = RBLK_ROLE_PRIMARY, .data = RBLK_DATA_CONSISTENT,
		.promised = 33,
		.lineage = { 3, 90, { { 1, 1 }, { 16, 51 }, { 33, 71 } } },
	};
	struct rblk_self alpha = {
		.role = RBLK_ROLE_BACKUP, .data = RBLK_DATA_UNCLEAN,
		.promised = 16,
		.lineage = { 2, 50, { { 1, 1 }, { 16, 51 } } },
	};
	struct rblk_memory memory = { .log_from = 91, .base = 70, .told = true };

	(void)state;
	assert_true(rblk_plan_parted(&bravo, &alpha) == 70);
	/* An admin has to say so, as long as it may hold what nobody else has. */
	assert_int_equal(rblk_plan_sync(&bravo, &alpha, &memory),
			 RBLK_SYNC_NONE);
	alpha.data = RBLK_DATA_INCONSISTENT;
	assert_int_equal(rblk_plan_sync(&bravo, &alpha, &memory),
			 RBLK_SYNC_BITMAP);
	memory.told = false;
	assert_int_equal(rblk_plan_sync(&bravo, &alpha, &memory),
			 RBLK_SYNC_FULL);
	/* Bravo had nothing of that term. */
	bravo.lineage = (struct rblk_lineage){
		2, 90, { { 1, 1 }, { 33, 41 } } };
	assert_true(rblk_plan_parted(&bravo, &alpha) == 40);
	/* It has not written anything yet. */
	bravo.lineage = (struct rblk_lineage){
		3, 70, { { 1, 1 }, { 16, 51 }, { 33, 71 } } };
	assert_true(rblk_plan_parted(&bravo, &alpha) == 70);
	bravo.lineage = (struct rblk_lineage){ 1, 90, { { 7, 60 } } };
	assert_true(rblk_plan_parted(&bravo, &alpha) == 0);
	alpha.lineage.nr_terms = 0;
	alpha.lineage.seq = 0;
	assert_true(rblk_plan_parted(&bravo, &alpha) == 0);
}

static void test_discard(void **state)
{
	struct rblk_self primary = {
		.role = RBLK_ROLE_PRIMARY, .data = RBLK_DATA_CONSISTENT,
		.promised = 2,
		.lineage = { 2, 100, { { 1, 1 }, { 2, 51 } } },
	};
	struct rblk_self mine = {
		.role = RBLK_ROLE_BACKUP, .data = RBLK_DATA_CONSISTENT,
		.promised = 2,
		.lineage = { 1, 60, { { 1, 1 } } },
	};
	struct rblk_memory memory = { .log_from = 1, .base = 0 };
	struct rblk_self was = mine;

	(void)state;
#define REFUSED	rblk_plan_refuse_discard(&mine, &primary)
	assert_null(REFUSED);
	mine.data = RBLK_DATA_INCONSISTENT;
	assert_int_equal(rblk_plan_sync(&primary, &mine, &memory),
			 RBLK_SYNC_FULL);
	assert_non_null(REFUSED);
	mine = was;
	/* the primary has written nothing yet: all that is above is a branch */
	primary.lineage.seq = 50;
	assert_null(REFUSED);
	mine.data = RBLK_DATA_INCONSISTENT;
	assert_int_equal(rblk_plan_sync(&primary, &mine, &memory),
			 RBLK_SYNC_FULL);
	mine = was;
	primary.lineage.seq = 100;
	/* a prefix of the primary's, and the same */
	mine.lineage.seq = 50;
	assert_non_null(REFUSED);
	mine.lineage = primary.lineage;
	assert_non_null(REFUSED);
	/* nothing in common */
	mine.lineage = (struct rblk_lineage) { 1, 60, { { 17, 30 } } };
	assert_non_null(REFUSED);
	mine = was;
	mine.role = RBLK_ROLE_PRIMARY;
	assert_non_null(REFUSED);
	mine = was;
	primary.role = RBLK_ROLE_BACKUP;
	assert_non_null(REFUSED);
	primary.role = RBLK_ROLE_PRIMARY;
	primary.data = RBLK_DATA_INCONSISTENT;
	assert_non_null(REFUSED);
	primary.data = RBLK_DATA_UNCLEAN;
	assert_non_null(REFUSED);
#undef REFUSED
}

/* Who was promoted in vain, and is a backup again, holds up nobody. */
static void test_binds(void **state)
{
	struct rblk_self self = { .role = RBLK_ROLE_BACKUP };
	u64 id;

	(void)state;
	for (id = 0; id < RBLK_MAX_NODES; id++) {
		self.promised = 5 * RBLK_MAX_NODES + id;
		self.role = RBLK_ROLE_BACKUP;
		assert_false(rblk_plan_binds(&self, id));
		assert_true(rblk_plan_binds(&self, (id + 1) % RBLK_MAX_NODES));
		self.role = RBLK_ROLE_PRIMARY;
		assert_true(rblk_plan_binds(&self, id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_action),
		cmocka_unit_test(test_both_sides_agree),
		cmocka_unit_test(test_repl),
		cmocka_unit_test(test_unclean),
		cmocka_unit_test(test_no_disk),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_sync_by_example),
		cmocka_unit_test(test_set_back),
		cmocka_unit_test(test_discard),
		cmocka_unit_test(test_parted),
		cmocka_unit_test(test_binds),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}

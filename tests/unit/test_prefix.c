// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a backup may hold: a model of a primary and its backups, made of the
 * module's own rules (extent, order, ackpolicy, the ack's bytes), driven by
 * random events: writes are admitted, sent, received, started, completed out
 * of order, acknowledged late, reported. A crash may come after any event.
 *
 * Prefix: an operation that a backup has started, and so may hold after a
 * crash, depends on all that the primary had reported when it was admitted;
 * all of these are applied there. Promise: what is reported is where its
 * policy says. Replicas: in the end all hold the same.
 *
 * Broken rules can be switched on, to see that the checks would notice.
 */
#include "cmocka_all.h"
#include "ackpolicy.h"
#include "extent.h"
#include "order.h"
#include "prng.h"
#include "wire.h"

#define PEERS		3
#define OPS		160
#define WINDOW		32
#define SECTORS		96
#define ACKS_QUEUED	8

enum broken {
	NOTHING_BROKEN,
	BACKUP_IGNORES_DEP,
	PRIMARY_SENDS_NO_DEP,
	PRIMARY_FORGETS_MISSED,		/* which reported ones the peer lacks */
	DEP_IS_ONE_TOO_LOW,
	PRIMARY_ALLOWS_OVERLAP,
	BACKUP_ACKS_RECEIVED_AS_APPLIED,
	PRIMARY_WAITS_FOR_NOBODY,
};

struct op {
	struct rblk_extent extent;
	struct rblk_ack_state state;
	u64 dep;
	u64 admitted_at, reported_at;	/* steps; 0: not yet */
	bool local_done;
};

enum stage { ABSENT, SENT, WAITING, STARTED, APPLIED };

struct backup {
	struct rblk_order order;
	unsigned long done[BITS_TO_LONGS(WINDOW)];
	struct rblk_extents in_flight;
	struct rblk_extent extent[OPS + 1];
	enum stage stage[OPS + 1];
	u64 dep[OPS + 1];		/* as sent to this peer */
	u32 image[SECTORS];		/* by sector: the last write to it */
	u8 ack[ACKS_QUEUED][RBLK_WIRE_ACK_MAX];
	u32 ack_length[ACKS_QUEUED];
	u32 nr_acks;
	/* the primary's view of it */
	u64 next, missed, known_applied, known_received;
};

struct sim {
	u64 rnd;
	enum broken broken;
	bool in_order;			/* backups start in order only */
	struct rblk_ack_policy policy;
	struct rblk_extents in_flight;
	struct op op[OPS + 1];
	u64 last, reported, step;
	u32 nr_reported;
	u32 image[SECTORS];
	struct backup backup[PEERS];
	/* what was seen */
	u32 out_of_order, waited, prefix_broken, promise_broken, replica_broken;
};

static u32 bit(u32 peer)
{
	return 1U << peer;
}

/* Is @before something that the application knew when it issued @after? */
static bool depends(const struct sim *sim, u64 after, u64 before)
{
	const struct op *b = &sim->op[before];

	return b->reported_at && b->reported_at < sim->op[after].admitted_at;
}

static void check_prefix(struct sim *sim, const struct backup *backup, u64 seq)
{
	u64 before;

	for (before = 1; before < seq; before++) {
		if (depends(sim, seq, before) &&
		    backup->stage[before] != APPLIED)
			sim->prefix_broken++;
	}
}

/* The state after a crash now, whatever of the started writes got through. */
static void check_crash(struct sim *sim, const struct backup *backup)
{
	u64 seq;

	for (seq = 1; seq <= sim->last; seq++) {
		if (backup->stage[seq] >= STARTED)
			check_prefix(sim, backup, seq);
	}
}

static void check_promise(struct sim *sim, u64 seq)
{
	const struct op *op = &sim->op[seq];
	u32 waited_for = 0, kept = 0, i;

	for (i = 0; i < PEERS; i++) {
		bool b = sim->policy.wait_received & bit(i);
		bool c = sim->policy.wait_applied & bit(i);
		enum stage stage = sim->backup[i].stage[seq];

		if (!b && !c)
			continue;
		waited_for++;
		kept += stage >= (c || op->state.durable ? APPLIED : WAITING);
	}
	if (!op->local_done)
		sim->promise_broken++;
	if (kept < waited_for &&
	    (!sim->policy.acks || kept < sim->policy.acks))
		sim->promise_broken++;
}

static void write_image(u32 *image, const struct rblk_extent *extent, u64 seq,
			u32 *swapped)
{
	u64 i;

	for (i = extent->sector; i < extent->sector + extent->nr_sects; i++) {
		if (image[i] > seq)
			++*swapped;
		image[i] = seq;
	}
}

/* Events. Each does nothing when there is nothing for it to do. */

static void admit(struct sim *sim)
{
	struct op *op = &sim->op[sim->last + 1];
	u64 nr_sects = 1 + prng_below(&sim->rnd, 6);
	u64 sector = prng_below(&sim->rnd, SECTORS - nr_sects);

	if (sim->last == OPS)
		return;
	if (sim->broken != PRIMARY_ALLOWS_OVERLAP &&
	    rblk_extents_find(&sim->in_flight, sector, nr_sects))
		return;
	op->extent.sector = sector;
	op->extent.nr_sects = nr_sects;
	rblk_extents_insert(&sim->in_flight, &op->extent);
	op->state.durable = prng_below(&sim->rnd, 8) == 0;
	op->dep = sim->reported;
	op->admitted_at = sim->step;
	sim->last++;
}

static void report(struct sim *sim, u64 seq)
{
	struct op *op = &sim->op[seq];
	u32 i;

	check_promise(sim, seq);
	op->reported_at = sim->step;
	sim->nr_reported++;
	sim->reported = max(sim->reported, seq);
	rblk_extents_remove(&sim->in_flight, &op->extent);
	for (i = 0; i < PEERS; i++) {
		struct backup *backup = &sim->backup[i];

		if (!(op->state.applied & bit(i)) &&
		    sim->broken != PRIMARY_FORGETS_MISSED)
			backup->missed = max(backup->missed, seq);
	}
}

static void judge(struct sim *sim)
{
	static const struct rblk_ack_policy nobody;
	const struct rblk_ack_policy *policy = &sim->policy;
	u64 seq;

	if (sim->broken == PRIMARY_WAITS_FOR_NOBODY)
		policy = &nobody;
	for (seq = 1; seq <= sim->last; seq++) {
		struct op *op = &sim->op[seq];

		if (!op->reported_at &&
		    rblk_ackpolicy_verdict(policy, &op->state) ==
		    RBLK_VERDICT_COMPLETE)
			report(sim, seq);
	}
}

static void end_local(struct sim *sim)
{
	u64 seq = 1 + prng_below(&sim->rnd, OPS);
	struct op *op = &sim->op[seq];

	if (seq > sim->last || op->local_done)
		return;
	write_image(sim->image, &op->extent, seq, &sim->replica_broken);
	op->local_done = true;
	op->state.local = RBLK_LOCAL_DONE;
	judge(sim);
}

static void send_one(struct sim *sim, struct backup *backup)
{
	u64 seq = backup->next;
	u64 dep;

	if (seq > sim->last || seq - backup->known_applied > WINDOW)
		return;
	dep = min(sim->op[seq].dep, backup->missed);
	if (sim->broken == PRIMARY_SENDS_NO_DEP)
		dep = 0;
	if (sim->broken == DEP_IS_ONE_TOO_LOW && dep)
		dep--;
	backup->dep[seq] = dep;
	backup->stage[seq] = SENT;
	backup->next++;
}

static void receive_one(struct sim *sim, struct backup *backup)
{
	u64 seq = backup->order.received + 1;
	int err;

	if (seq > sim->last || backup->stage[seq] != SENT)
		return;
	err = rblk_order_receive(&backup->order, seq, backup->dep[seq]);
	if (err && sim->broken)
		return;
	assert_int_equal(err, 0);
	backup->stage[seq] = WAITING;
	backup->extent[seq].sector = sim->op[seq].extent.sector;
	backup->extent[seq].nr_sects = sim->op[seq].extent.nr_sects;
}

static void start_some(struct sim *sim, struct backup *backup)
{
	u64 seq;

	for (seq = 1; seq <= backup->order.received; seq++) {
		struct rblk_extent *extent = &backup->extent[seq];

		if (backup->stage[seq] != WAITING)
			continue;
		if ((sim->broken != BACKUP_IGNORES_DEP &&
		     !rblk_order_may_start(&backup->order, backup->dep[seq])) ||
		    rblk_extents_find(&backup->in_flight, extent->sector,
				      extent->nr_sects)) {
			sim->waited++;
			if (sim->in_order)
				return;
			continue;
		}
		if (!sim->in_order && prng_below(&sim->rnd, 2))
			continue;
		rblk_extents_insert(&backup->in_flight, extent);
		backup->stage[seq] = STARTED;
		check_prefix(sim, backup, seq);
	}
}

static void end_one(struct sim *sim, struct backup *backup)
{
	u64 window = backup->order.received - backup->order.applied;
	u64 seq = backup->order.applied + 1;

	if (!window)
		return;
	seq += prng_below(&sim->rnd, window);
	if (backup->stage[seq] != STARTED)
		return;
	rblk_extents_remove(&backup->in_flight, &backup->extent[seq]);
	write_image(backup->image, &backup->extent[seq], seq,
		    &sim->replica_broken);
	backup->stage[seq] = APPLIED;
	sim->out_of_order += !rblk_order_applied(&backup->order, seq);
}

static void send_ack(struct sim *sim, struct backup *backup)
{
	struct rblk_ack ack = {
		.received = backup->order.received,
		.applied = backup->order.applied,
	};

	if (backup->nr_acks == ACKS_QUEUED)
		return;
	ack.nr_ranges = rblk_order_selective(&backup->order, ack.range,
					     prng_below(&sim->rnd, 4));
	if (sim->broken == BACKUP_ACKS_RECEIVED_AS_APPLIED) {
		ack.applied = ack.received;
		ack.nr_ranges = 0;
	}
	backup->ack_length[backup->nr_acks] =
		rblk_wire_put_ack(backup->ack[backup->nr_acks], &ack);
	backup->nr_acks++;
}

static void receive_ack(struct sim *sim, u32 peer)
{
	struct backup *backup = &sim->backup[peer];
	struct rblk_ack ack;
	u64 seq;
	u32 i;

	if (!backup->nr_acks)
		return;
	assert_int_equal(rblk_wire_get_ack(backup->ack[0],
					   backup->ack_length[0], &ack),
			 RBLK_WIRE_OK);
	backup->nr_acks--;
	memmove(backup->ack[0], backup->ack[1],
		backup->nr_acks * sizeof(backup->ack[0]));
	memmove(&backup->ack_length[0], &backup->ack_length[1],
		backup->nr_acks * sizeof(backup->ack_length[0]));

	assert_true(ack.applied >= backup->known_applied);
	for (seq = backup->known_received + 1; seq <= ack.received; seq++)
		sim->op[seq].state.received |= bit(peer);
	for (seq = backup->known_applied + 1; seq <= ack.applied; seq++)
		sim->op[seq].state.applied |= bit(peer);
	for (i = 0; i < ack.nr_ranges; i++) {
		for (seq = ack.range[i].first; seq <= ack.range[i].last; seq++)
			sim->op[seq].state.applied |= bit(peer);
	}
	backup->known_received = ack.received;
	backup->known_applied = ack.applied;
	judge(sim);
}

static void one_event(struct sim *sim)
{
	u32 peer = prng_below(&sim->rnd, PEERS);
	struct backup *backup = &sim->backup[peer];

	sim->step++;
	switch (prng_below(&sim->rnd, 9)) {
	case 0:
		admit(sim);
		break;
	case 1:
		end_local(sim);
		break;
	case 2:
		send_one(sim, backup);
		break;
	case 3:
		receive_one(sim, backup);
		break;
	case 4:
	case 5:
		start_some(sim, backup);
		break;
	case 6:
		end_one(sim, backup);
		break;
	case 7:
		send_ack(sim, backup);
		break;
	default:
		receive_ack(sim, peer);
		break;
	}
	if (prng_below(&sim->rnd, 512) == 0)
		check_crash(sim, backup);
}

static void set_up(struct sim *sim, u64 seed, enum broken broken)
{
	u32 i;

	memset(sim, 0, sizeof(*sim));
	sim->rnd = seed;
	sim->broken = broken;
	sim->in_order = prng_below(&sim->rnd, 2);
	sim->policy.acks = prng_below(&sim->rnd, PEERS + 1);
	rblk_extents_init(&sim->in_flight);
	for (i = 0; i < PEERS; i++) {
		struct backup *backup = &sim->backup[i];
		u32 protocol = prng_below(&sim->rnd, 3);

		if (protocol == 1)
			sim->policy.wait_received |= bit(i);
		if (protocol == 2)
			sim->policy.wait_applied |= bit(i);
		backup->next = 1;
		rblk_extents_init(&backup->in_flight);
		rblk_order_init(&backup->order, backup->done, WINDOW, 0);
	}
}

/* A peer that every completion waits for never has to wait for anything. */
static void check_free_peers(const struct sim *sim)
{
	u64 seq;
	u32 i;

	if (sim->policy.acks)
		return;
	for (i = 0; i < PEERS; i++) {
		for (seq = 1; seq <= OPS; seq++) {
			if (sim->policy.wait_applied & bit(i))
				assert_int_equal(sim->backup[i].dep[seq], 0);
		}
	}
}

static void add_up(struct sim *sum, const struct sim *sim)
{
	sum->out_of_order += sim->out_of_order;
	sum->waited += sim->waited;
	sum->prefix_broken += sim->prefix_broken;
	sum->promise_broken += sim->promise_broken;
	sum->replica_broken += sim->replica_broken;
}

static void run(struct sim *sum, u64 seeds, enum broken broken)
{
	struct sim *sim = malloc(sizeof(*sim));
	u64 seed;
	u32 i;

	memset(sum, 0, sizeof(*sum));
	for (seed = 1; seed <= seeds; seed++) {
		bool at_rest = false;

		set_up(sim, seed, broken);
		while (!at_rest && sim->step < 200000) {
			one_event(sim);
			at_rest = sim->nr_reported == OPS;
			for (i = 0; i < PEERS; i++)
				at_rest &= sim->backup[i].order.applied == OPS;
		}
		if (!at_rest)
			fail_msg("seed %llu: stuck", seed);
		for (i = 0; i < PEERS; i++) {
			check_crash(sim, &sim->backup[i]);
			if (memcmp(sim->image, sim->backup[i].image,
				   sizeof(sim->image)))
				sim->replica_broken++;
		}
		if (!broken)
			check_free_peers(sim);
		add_up(sum, sim);
	}
	free(sim);
}

static void test_rules_hold(void **state)
{
	struct sim *sum = malloc(sizeof(*sum));

	(void)state;
	run(sum, 200, NOTHING_BROKEN);
	assert_int_equal(sum->prefix_broken, 0);
	assert_int_equal(sum->promise_broken, 0);
	assert_int_equal(sum->replica_broken, 0);
	/* and were put to the test */
	assert_true(sum->out_of_order > 1000);
	assert_true(sum->waited > 1000);
	free(sum);
}

/* Which check notices a broken rule. */
static void assert_noticed(enum broken broken, bool prefix, bool promise,
			   bool replica)
{
	struct sim *sum = malloc(sizeof(*sum));

	run(sum, 20, broken);
	if (prefix)
		assert_true(sum->prefix_broken > 0);
	if (promise)
		assert_true(sum->promise_broken > 0);
	if (replica)
		assert_true(sum->replica_broken > 0);
	free(sum);
}

static void test_ignored_dep_is_noticed(void **state)
{
	(void)state;
	assert_noticed(BACKUP_IGNORES_DEP, true, false, false);
}

static void test_missing_dep_is_noticed(void **state)
{
	(void)state;
	assert_noticed(PRIMARY_SENDS_NO_DEP, true, false, false);
	assert_noticed(PRIMARY_FORGETS_MISSED, true, false, false);
	assert_noticed(DEP_IS_ONE_TOO_LOW, true, false, false);
}

static void test_overlap_is_noticed(void **state)
{
	(void)state;
	assert_noticed(PRIMARY_ALLOWS_OVERLAP, false, false, true);
}

static void test_false_acks_are_noticed(void **state)
{
	(void)state;
	assert_noticed(BACKUP_ACKS_RECEIVED_AS_APPLIED, false, true, false);
	assert_noticed(PRIMARY_WAITS_FOR_NOBODY, false, true, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_hold),
		cmocka_unit_test(test_ignored_dep_is_noticed),
		cmocka_unit_test(test_missing_dep_is_noticed),
		cmocka_unit_test(test_overlap_is_noticed),
		cmocka_unit_test(test_false_acks_are_noticed),
	};

	return cmocka_run_group_tests_name("prefix", tests, NULL, NULL);
}

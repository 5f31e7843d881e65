// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_shared.c - an arbiter whose register is kept elsewhere: step by step, then
 * three nodes in random worlds where requests are lost, late and doubled, clocks part,
 * nodes crash and are fenced. Each rule is broken once, and that must be seen.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum rule {
	RULE_ALL, RULE_LEASE_WAIT, RULE_FROM_ASKING, RULE_LIVE_BY_BOTH, RULE_COMPARE,
};

static enum rule broken_rule;
#define RBLK_SHARED_RULE(name)	(broken_rule != RULE_##name)

#include "../core/shared.c"

#define NODES		3
#define LEASE		200
#define MARGIN		10
#define TIMEOUT		120
#define FLYING		64
#define STEPS		6000

static const uint8_t uuid[16] = "resource";

static const struct rblk_shared_value first = {
	.serial = 1,
	.lease = LEASE,
	.store.record = {
		.version = 1, .primary = RBLK_ARBITER_NOBODY, .insync = 7,
		.voters = 1, .voters_before = 1,
	},
};

/* ---- step by step */

static uint8_t nonce[RBLK_SHARED_NONCE_BYTES];
static struct rblk_shared s;
static struct rblk_arbiter a;
static struct rblk_arbiter_out out;

static void begin(uint8_t self)
{
	broken_rule = RULE_ALL;
	rblk_shared_start(&s, &a, self, LEASE, MARGIN);
	assert_true(a.mute);
	assert_int_equal(rblk_shared_look(&s), RBLK_SHARED_READ);
	assert_true(rblk_shared_answer(&s, &a, &first, 10, 1000, &out));
	assert_false(a.mute);
}

static enum rblk_shared_request propose(enum rblk_arbiter_change change, uint16_t mask,
					uint64_t now)
{
	nonce[0]++;
	return rblk_shared_propose(&s, &a, change, mask, nonce, now, &out);
}

static void lead(void)
{
	begin(0);
	assert_int_equal(propose(RBLK_ARBITER_PROMOTE, 7, 1000), RBLK_SHARED_WRITE);
	assert_true(rblk_shared_answer(&s, &a, NULL, 11, 1020, &out));
	assert_int_equal(out.result, RBLK_ARBITER_CHOSEN);
	assert_int_equal(a.known.primary, 0);
	assert_int_equal(a.known.gen, 1);
	assert_true(a.lead_term);
}

static void lease_counts_from_asking(void **state)
{
	(void)state;
	lead();
	assert_int_equal(rblk_arbiter_lease_until(&a), 1000 + LEASE);
	nonce[0]++;
	assert_int_equal(rblk_shared_renew(&s, &a, nonce, 1100), RBLK_SHARED_WRITE);
	assert_int_equal(s.next.serial, 3);
	assert_true(rblk_shared_answer(&s, &a, NULL, 12, 1190, &out));
	assert_int_equal(rblk_arbiter_lease_until(&a), 1100 + LEASE);
	assert_int_equal(out.result, RBLK_ARBITER_NONE);
}

static void renewal_that_is_not_answered_gives_nothing(void **state)
{
	(void)state;
	lead();
	rblk_shared_renew(&s, &a, nonce, 1100);
	rblk_shared_unknown(&s, &a, 1150, &out);
	assert_int_equal(rblk_arbiter_lease_until(&a), 1000 + LEASE);
	assert_false(out.stop);
	/* and then it says that it does not lead */
	rblk_shared_renew(&s, &a, nonce, 1160);
	rblk_shared_unknown(&s, &a, 1000 + LEASE, &out);
	assert_true(out.stop);
	assert_int_equal(a.lead_term, 0);
}

/* The write was made, its answer lost, and it was sent again. */
static void own_write_is_known_by_its_nonce(void **state)
{
	struct rblk_shared_value v;

	(void)state;
	begin(0);
	propose(RBLK_ARBITER_PROMOTE, 7, 1000);
	v = s.next;
	assert_true(rblk_shared_answer(&s, &a, &v, 11, 1020, &out));
	assert_int_equal(out.result, RBLK_ARBITER_CHOSEN);
	assert_true(a.lead_term);
}

/* A start before this one had the same thought, in every number. */
static void write_of_a_former_start_is_not_own(void **state)
{
	struct rblk_shared_value v;

	(void)state;
	begin(0);
	propose(RBLK_ARBITER_PROMOTE, 7, 1000);
	v = s.next;
	v.nonce[0]++;
	assert_true(rblk_shared_answer(&s, &a, &v, 11, 1020, &out));
	assert_int_equal(out.result, RBLK_ARBITER_AGAIN);
	assert_int_equal(a.lead_term, 0);
	assert_int_equal(a.known.primary, 0);
}

static void another_was_first(void **state)
{
	struct rblk_shared_value v = first;

	(void)state;
	begin(0);
	propose(RBLK_ARBITER_PROMOTE, 7, 1000);
	v.serial++;
	v.store.promised = v.store.accepted = 0x101;
	v.store.record = (struct rblk_arbiter_record){
		.version = 2, .gen = 1, .term = 0x101, .primary = 1, .insync = 7,
		.voters = 2, .voters_before = 2,
	};
	assert_true(rblk_shared_answer(&s, &a, &v, 11, 1020, &out));
	assert_int_equal(out.result, RBLK_ARBITER_AGAIN);
	assert_int_equal(a.lead_term, 0);
	assert_int_equal(a.known.primary, 1);
	assert_int_equal(a.insync, 7);
	/* and it is not passed over while its lease may run */
	assert_int_equal(propose(RBLK_ARBITER_PROMOTE, 7, 1020 + LEASE + MARGIN - 1),
			 RBLK_SHARED_NOTHING);
	assert_int_equal(propose(RBLK_ARBITER_PROMOTE, 7, 1020 + LEASE + MARGIN),
			 RBLK_SHARED_WRITE);
}

/* It was configured with a longer lease than this node. */
static void longer_lease_of_the_writer_counts(void **state)
{
	struct rblk_shared_value v = first;

	(void)state;
	begin(0);
	v.serial++;
	v.lease = 3 * LEASE;
	v.store.record.primary = 1;
	v.store.record.gen = v.store.record.term = 1;
	rblk_shared_look(&s);
	assert_true(rblk_shared_answer(&s, &a, &v, 11, 1020, &out));
	assert_int_equal(a.grant_until, 1020 + 3 * LEASE + MARGIN);
}

static void fenced_primary_is_passed_over_at_once(void **state)
{
	struct rblk_shared_value v = first;

	(void)state;
	begin(0);
	v.serial++;
	v.store.record.primary = 1;
	v.store.record.gen = v.store.record.term = 1;
	v.store.record.version = 2;
	rblk_shared_look(&s);
	assert_true(rblk_shared_answer(&s, &a, &v, 11, 1020, &out));
	rblk_arbiter_fence(&a, 1);
	assert_true(rblk_arbiter_fence_confirmed(&a, 1));
	assert_int_equal(propose(RBLK_ARBITER_PROMOTE, 1, 1021), RBLK_SHARED_WRITE);
	assert_int_equal(s.next.store.record.fenced, 2);
	/* heard of again, the round undone: it stays so */
	rblk_arbiter_contact(&a, 1, &out);
	rblk_shared_unknown(&s, &a, 1050, &out);
	assert_int_equal(a.fenced, 0);
}

/* A change that may have been made: in sync are those of both. */
static void lives_by_both(void **state)
{
	(void)state;
	lead();
	assert_int_equal(propose(RBLK_ARBITER_DROP, 4, 1010), RBLK_SHARED_WRITE);
	rblk_shared_unknown(&s, &a, 1040, &out);
	assert_int_equal(out.result, RBLK_ARBITER_AGAIN);
	assert_int_equal(a.insync, 7);
	assert_true(a.has_pending);
	assert_int_equal(propose(RBLK_ARBITER_DROP, 6, 1041), RBLK_SHARED_WRITE);
	assert_true(rblk_shared_answer(&s, &a, NULL, 12, 1050, &out));
	assert_false(a.has_pending);
	assert_int_equal(a.insync, 1);
}

static void store_that_went_back_is_not_believed(void **state)
{
	(void)state;
	lead();
	rblk_shared_look(&s);
	assert_false(rblk_shared_answer(&s, &a, &first, 10, 1030, &out));
	assert_true(a.mute);
	rblk_shared_look(&s);
	assert_false(rblk_shared_answer(&s, &a, &first, 99, 1030, &out));
	/* what was made durable once must be there */
	assert_int_equal(propose(RBLK_ARBITER_DROP, 4, 1031), RBLK_SHARED_NOTHING);
	assert_int_equal(out.result, RBLK_ARBITER_NOT_ALLOWED);
}

static void voters_are_not_changed(void **state)
{
	(void)state;
	lead();
	assert_int_equal(propose(RBLK_ARBITER_DEL_VOTER, 2, 1010), RBLK_SHARED_NOTHING);
	assert_int_equal(out.result, RBLK_ARBITER_NOT_ALLOWED);
}

static void bytes(void **state)
{
	uint8_t b[RBLK_SHARED_BYTES + 1] = { 0 };
	struct rblk_shared_value v = first, got;
	size_t i;

	(void)state;
	memset(v.nonce, 0xa5, sizeof(v.nonce));
	rblk_shared_put(b, uuid, &v);
	memset(&got, 0, sizeof(got));
	assert_int_equal(rblk_shared_get(b, RBLK_SHARED_BYTES, uuid, &got),
			 RBLK_ARBITER_SLOT_OK);
	assert_int_equal(got.serial, v.serial);
	assert_int_equal(got.lease, v.lease);
	assert_memory_equal(got.nonce, v.nonce, sizeof(v.nonce));
	assert_int_equal(got.store.record.insync, 7);
	for (i = 0; i < RBLK_SHARED_BYTES; i++) {
		b[i] ^= 0x10;
		assert_int_not_equal(rblk_shared_get(b, RBLK_SHARED_BYTES, uuid, &got),
				     RBLK_ARBITER_SLOT_OK);
		b[i] ^= 0x10;
	}
	for (i = 0; i < RBLK_SHARED_BYTES; i++)
		assert_int_equal(rblk_shared_get(b, i, uuid, &got),
				 RBLK_ARBITER_SLOT_ABSENT);
	assert_int_equal(rblk_shared_get(b, RBLK_SHARED_BYTES + 1, uuid, &got),
			 RBLK_ARBITER_SLOT_DAMAGED);
	b[0] = 0;
	assert_int_equal(rblk_shared_get(b, RBLK_SHARED_BYTES, (const uint8_t *)"another one....",
					 &got), RBLK_ARBITER_SLOT_DAMAGED);
}

/* ---- random worlds */

struct flight {
	bool used;
	uint8_t node;
	uint32_t id;
	enum rblk_shared_request request;
	uint64_t compare;
	struct rblk_shared_value value;
	uint64_t arrives;
	uint64_t replies;	/* 0: not there yet */
	bool applied;
	uint64_t revision;
};

struct member {
	struct rblk_shared s;
	struct rblk_arbiter a;
	double rate;
	uint64_t offset;
	uint32_t id;		/* of the request under way, 0: none */
	uint64_t timeout;
	uint64_t cut_until;	/* no request reaches the store */
	uint64_t slow_until;	/* answers take long */
	uint64_t lease_until;	/* of the kernel, by its clock */
	uint64_t lease_term;
	uint16_t in_sync;	/* nodes that its writes wait for */
	uint64_t renewed;
};

static struct {
	uint64_t t;
	uint64_t random;
	struct rblk_shared_value kept;
	uint64_t revision;
	struct flight flight[FLYING];
	struct member m[NODES];
	uint32_t ids;
	uint32_t promotions;
	const char *broken;
} w;

static uint32_t below(uint32_t limit)
{
	w.random = w.random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (w.random >> 33) % limit;
}

static uint64_t local(const struct member *m)
{
	return m->offset + (uint64_t)(w.t * m->rate);
}

static void fill_nonce(uint8_t *bytes)
{
	size_t i;

	for (i = 0; i < RBLK_SHARED_NONCE_BYTES; i++)
		bytes[i] = below(256);
}

/* On the way: mostly little. */
static uint64_t delay(bool slow)
{
	if (slow)
		return 50 + below(60);
	return 1 + below(below(8) ? 10 : below(8) ? 100 : 400);
}

static void post(struct member *m, bool again)
{
	size_t i;

	for (i = 0; i < FLYING; i++) {
		struct flight *f = &w.flight[i];

		if (f->used)
			continue;
		*f = (struct flight){
			.used = true, .node = m - w.m, .id = m->id,
			.request = m->s.request, .compare = m->s.revision,
			.value = m->s.next,
			.arrives = w.t + delay(false),
		};
		break;
	}
	if (!again && !below(10))
		post(m, true);
}

static void send(struct member *m)
{
	m->id = ++w.ids;
	m->timeout = local(m) + TIMEOUT;
	if (below(12) && w.t >= m->cut_until)
		post(m, false);
}

static void check_write(const struct rblk_arbiter_record *was,
			const struct rblk_arbiter_record *is)
{
	if (is->version == was->version ? is->term != was->term ||
	    is->insync != was->insync : is->version != was->version + 1)
		w.broken = "a version has two values";
	if (is->gen != was->gen && (is->gen != was->gen + 1 ||
				    !(was->insync & 1U << is->primary)))
		w.broken = "who was promoted was not in sync";
}

static void arrive(struct flight *f)
{
	f->replies = w.t + delay(w.t < w.m[f->node].slow_until);
	if (f->request == RBLK_SHARED_WRITE &&
	    (f->compare == w.revision || broken_rule == RULE_COMPARE)) {
		check_write(&w.kept.store.record, &f->value.store.record);
		w.promotions += f->value.store.record.gen != w.kept.store.record.gen;
		w.kept = f->value;
		w.revision++;
		f->applied = true;
	}
	f->revision = w.revision;
	f->value = w.kept;
}

/* After each answer, and when none came: the kernel follows, as the policy has it. */
static void follow(struct member *m, const struct rblk_arbiter_out *o)
{
	uint64_t until = rblk_arbiter_lease_until(&m->a);

	if (o->stop)
		m->lease_until = 0;
	if (!m->a.lead_term)
		return;
	if (m->lease_term != m->a.lead_term || until > m->lease_until)
		m->lease_until = until;
	m->lease_term = m->a.lead_term;
	m->in_sync = m->a.insync;
}

static void reply(struct flight *f)
{
	struct member *m = &w.m[f->node];
	struct rblk_arbiter_out o;

	f->used = false;
	if (f->id != m->id || !below(12))
		return;
	m->id = 0;
	if (!rblk_shared_answer(&m->s, &m->a, f->applied ? NULL : &f->value,
				f->revision, local(m), &o) &&
	    broken_rule != RULE_COMPARE)
		w.broken = "the store seemed to go back";
	follow(m, &o);
}

static void restart(struct member *m, bool machine)
{
	rblk_shared_start(&m->s, &m->a, m - w.m, LEASE, MARGIN);
	m->id = 0;
	m->renewed = 0;
	if (machine)
		m->lease_until = 0;
}

static void fence(struct member *m)
{
	uint8_t node = below(NODES);

	if (&w.m[node] == m)
		return;
	rblk_arbiter_fence(&m->a, node);
	restart(&w.m[node], true);
	rblk_arbiter_fence_confirmed(&m->a, node);
}

static enum rblk_shared_request act(struct member *m)
{
	static const enum rblk_arbiter_change changes[] = {
		RBLK_ARBITER_PROMOTE, RBLK_ARBITER_PROMOTE, RBLK_ARBITER_DROP,
		RBLK_ARBITER_ADD, RBLK_ARBITER_REFRESH, RBLK_ARBITER_DEMOTE,
	};
	enum rblk_arbiter_change change = changes[below(6)];
	enum rblk_shared_request request;
	uint8_t bytes[RBLK_SHARED_NONCE_BYTES];
	struct rblk_arbiter_out o;
	uint16_t mask = 1U << below(NODES);

	fill_nonce(bytes);
	if (m->a.lead_term && local(m) - m->renewed >= 50) {
		m->renewed = local(m);
		return rblk_shared_renew(&m->s, &m->a, bytes, local(m));
	}
	if (m->a.grant_term && m->a.grant_until <= local(m) && !below(3))
		change = RBLK_ARBITER_PROMOTE;
	else if (below(20))
		return below(5) ? RBLK_SHARED_NOTHING : rblk_shared_look(&m->s);
	if (change == RBLK_ARBITER_DEMOTE && (below(4) || !m->a.lead_term))
		return RBLK_SHARED_NOTHING;
	if (change == RBLK_ARBITER_PROMOTE && m->a.lead_term)
		return RBLK_SHARED_NOTHING;
	if (change == RBLK_ARBITER_ADD)
		m->in_sync |= mask;
	request = rblk_shared_propose(&m->s, &m->a, change, mask, bytes, local(m), &o);
	if (o.stop)
		m->lease_until = 0;
	return request;
}

static void check(void)
{
	const struct rblk_arbiter_record *r = &w.kept.store.record;
	struct member *leads = NULL;
	size_t i;

	for (i = 0; i < NODES; i++) {
		struct member *m = &w.m[i];

		if (m->lease_until <= local(m))
			continue;
		if (leads)
			w.broken = "two have a lease";
		leads = m;
		if (m->lease_term == r->term && r->insync & ~m->in_sync)
			w.broken = "a write need not be on all who are in sync";
	}
}

static void step(void)
{
	struct rblk_arbiter_out o;
	size_t i;

	w.t++;
	for (i = 0; i < FLYING; i++) {
		struct flight *f = &w.flight[i];

		if (f->used && !f->replies && f->arrives <= w.t)
			arrive(f);
		else if (f->used && f->replies && f->replies <= w.t)
			reply(f);
	}
	for (i = 0; i < NODES; i++) {
		struct member *m = &w.m[i];

		if (m->id && local(m) >= m->timeout) {
			m->id = 0;
			rblk_shared_unknown(&m->s, &m->a, local(m), &o);
			follow(m, &o);
		}
		if (!below(1000))
			m->cut_until = w.t + below(600);
		if (!below(1000))
			m->slow_until = w.t + below(1000);
		if (!below(3000))
			restart(m, below(2));
		if (!below(4000))
			fence(m);
		if (!m->id && act(m) != RBLK_SHARED_NOTHING)
			send(m);
	}
	check();
}

static const char *world(uint64_t seed)
{
	size_t i;

	memset(&w, 0, sizeof(w));
	w.random = seed * 2 + 1;
	w.kept = first;
	w.revision = 5;
	for (i = 0; i < NODES; i++) {
		w.m[i].rate = 1 + (below(5) - 2.0) / 100;
		w.m[i].offset = 1000 + below(100000);
		restart(&w.m[i], true);
	}
	while (w.t < STEPS && !w.broken)
		step();
	return w.broken;
}

static void random_worlds(void **state)
{
	uint32_t promotions = 0;
	uint64_t seed;

	(void)state;
	broken_rule = RULE_ALL;
	for (seed = 1; seed <= 1000; seed++) {
		if (world(seed))
			fail_msg("seed %llu, at %llu: %s", (unsigned long long)seed,
				 (unsigned long long)w.t, w.broken);
		promotions += w.promotions;
	}
	assert_true(promotions > 5000);
}

static void broken_rules_are_seen(void **state)
{
	static const struct {
		enum rule rule;
		const char *name;
	} rules[] = {
		{ RULE_LEASE_WAIT, "LEASE_WAIT" }, { RULE_FROM_ASKING, "FROM_ASKING" },
		{ RULE_LIVE_BY_BOTH, "LIVE_BY_BOTH" }, { RULE_COMPARE, "COMPARE" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		uint64_t seed = 1;

		broken_rule = rules[i].rule;
		while (seed <= 300 && !world(seed))
			seed++;
		if (seed > 300)
			print_error("%s is broken, and nothing shows it\n", rules[i].name);
		else
			print_message("%s: seed %llu: %s\n", rules[i].name,
				      (unsigned long long)seed, w.broken);
		assert_true(seed <= 300);
	}
	broken_rule = RULE_ALL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lease_counts_from_asking),
		cmocka_unit_test(renewal_that_is_not_answered_gives_nothing),
		cmocka_unit_test(own_write_is_known_by_its_nonce),
		cmocka_unit_test(write_of_a_former_start_is_not_own),
		cmocka_unit_test(another_was_first),
		cmocka_unit_test(longer_lease_of_the_writer_counts),
		cmocka_unit_test(fenced_primary_is_passed_over_at_once),
		cmocka_unit_test(lives_by_both),
		cmocka_unit_test(store_that_went_back_is_not_believed),
		cmocka_unit_test(voters_are_not_changed),
		cmocka_unit_test(bytes),
		cmocka_unit_test(random_worlds),
		cmocka_unit_test(broken_rules_are_seen),
	};

	return RUN(tests);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_bench.h - one node with a register and a view that a test can turn at will
 *
 * The register is as after a round that ended well: version 5, generation 2.
 */
#ifndef RBLK_POLICY_BENCH_H
#define RBLK_POLICY_BENCH_H

#include "test.h"

#include "policy.h"

#include <stdlib.h>
#include <string.h>

#define A		0
#define B		1
#define C		2
#define BIT(n)		(1U << (n))
#define ALL		0x7
#define TWO		0x3
#define INTERVAL_MS	100
#define GRACE_MS	300
#define LEASE_MS	600
#define MARGIN_MS	100
#define GEN		2
#define TERM		0x300

struct bench {
	struct rblk_arbiter a;
	struct rblk_policy p;
	struct rblk_policy_view v;
	struct rblk_policy_out out;
	uint64_t now;
};

static inline void bench_look(struct bench *b)
{
	rblk_policy_step(&b->p, &b->v, b->now, &b->out);
}

static inline void bench_pass(struct bench *b, uint64_t ms)
{
	b->now += ms;
	bench_look(b);
}

/* Chosen, and known to be. */
static inline void bench_choose(struct bench *b, const struct rblk_arbiter_record *r)
{
	b->a.store.record = *r;
	b->a.known = *r;
	b->a.insync = r->insync;
	b->a.learned = true;
	b->a.phase = RBLK_ARBITER_IDLE;
	b->a.led++;
}

/* What the other nodes say fits with the register. */
static inline void bench_tell(struct bench *b)
{
	const struct rblk_arbiter_record *r = &b->a.known;
	uint8_t i;

	for (i = 0; i < 3; i++) {
		struct rblk_policy_told *told = &b->v.peer[i].told;

		memset(told, 0, sizeof(*told));
		if (!b->v.peer[i].alive)
			continue;
		told->primary = r->primary;
		told->version = r->version;
		told->term = r->term;
		told->data_gen = b->v.data_gen;
		told->data_seq = b->v.data_seq;
		if (b->p.config.data & BIT(i))
			told->flags = RBLK_POLICY_CANDIDATE;
		if (i == r->primary)
			told->flags |= RBLK_POLICY_IS_PRIMARY | RBLK_POLICY_LEADS;
	}
}

/* Node @self of A, B, C; @data hold data; @voters vote; all is well, @primary leads. */
static inline void bench_begin(struct bench *b, uint8_t self, uint16_t data,
			       uint16_t voters, uint8_t primary)
{
	struct rblk_policy_config c = {
		.self = self, .data = data, .synchronous = data,
		.interval_ms = INTERVAL_MS, .grace_ms = GRACE_MS,
	};
	struct rblk_arbiter_store s = {
		.promised = TERM, .accepted = TERM,
		.record = {
			.version = 5, .gen = GEN, .term = TERM, .primary = primary,
			.insync = data, .voters = voters, .voters_before = voters,
		},
	};
	uint8_t i;

	memset(b, 0, sizeof(*b));
	b->now = 1000000;
	rblk_policy_start(&b->p, &c);
	rblk_arbiter_start(&b->a, self, &s, LEASE_MS, MARGIN_MS, b->now);
	bench_choose(b, &s.record);
	b->a.synced = true;
	b->v.arbiter = &b->a;
	b->v.up = true;
	b->v.data_good = data & BIT(self);
	b->v.asked_by = RBLK_POLICY_NOBODY;
	b->v.data_gen = rblk_policy_generation(GEN, 0, primary);
	b->v.data_seq = 40;
	b->v.last_seq = 40;
	for (i = 0; i < 3; i++) {
		struct rblk_policy_peer *peer = &b->v.peer[i];

		if (i == self || !((data | voters) & BIT(i)))
			continue;
		peer->alive = true;
		if (!(data & BIT(i) && data & BIT(self)))
			continue;
		peer->connected = true;
		peer->up_to_date = self == primary || i == primary;
		peer->is_primary = i == primary;
		peer->acked_seq = 40;
	}
	if (self == primary) {
		b->a.lead_term = TERM;
		for (i = 0; i < 3; i++)
			if (voters & BIT(i))
				b->a.granted_until[i] = b->now + LEASE_MS;
		b->v.primary = true;
		b->v.leased = true;
		b->v.lease_until_ms = b->now + LEASE_MS;
		b->v.in_sync = data;
	}
	bench_tell(b);
}

/* Nothing comes from it any more, on no way. */
static inline void bench_fail(struct bench *b, uint8_t node)
{
	struct rblk_policy_peer *peer = &b->v.peer[node];

	memset(peer, 0, sizeof(*peer));
	peer->failed = true;
}

static inline void bench_unlink(struct bench *b, uint8_t node)
{
	b->v.peer[node].connected = false;
	b->v.peer[node].up_to_date = false;
	b->v.peer[node].is_primary = false;
}

/* A voter's word to the old primary, as if given just now. */
static inline void bench_word(struct bench *b, uint8_t holder)
{
	b->a.grant_holder = holder;
	b->a.grant_term = b->a.known.term;
	b->a.grant_until = b->now + LEASE_MS + MARGIN_MS;
}

static inline void bench_no_word(struct bench *b)
{
	b->a.grant_term = 0;
}

/* The change that the register was asked for, and nothing else. */
static inline void expect_proposal(const struct bench *b, enum rblk_arbiter_change change,
				   uint16_t mask)
{
	assert_true(b->out.propose);
	assert_int_equal(b->out.change, change);
	assert_int_equal(b->out.mask, mask);
}

static inline void expect_wait(const struct bench *b, enum rblk_policy_reason reason,
			       uint16_t nodes)
{
	assert_int_equal(b->out.waits, reason);
	assert_int_equal(b->out.waits_for, nodes);
}

#ifdef RBLK_SIM_RULES_H
/* Compiled with tests/sim/rules.h: BREAK names the rule to do without. */
enum sim_rule sim_broken;

static inline void break_a_rule(void)
{
	static const char *const names[RULES] = {
#define NAME(name)	[RULE_##name] = #name,
		SIM_RULES(NAME)
		SIM_RARE_RULES(NAME)
		SIM_COVERED_RULES(NAME)
	};
	const char *which = getenv("BREAK");
	unsigned int i;

	for (i = 1; which && i < RULES; i++)
		if (names[i] && !strcmp(names[i], which))
			sim_broken = i;
}
#else
static inline void break_a_rule(void)
{
}
#endif

#endif /* RBLK_POLICY_BENCH_H */

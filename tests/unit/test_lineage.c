// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lineages against the truth: three nodes whose data is an explicit list of
 * operations. Every operation has a serial number of its own, so two that are
 * named alike but are not the same would show.
 */
#include "cmocka_all.h"
#include "lineage.h"
#include "prng.h"

#define NODES		3
#define OPS_MAX		512
#define DEPTH		6

struct node {
	struct rblk_lineage lineage;
	u64 gen;		/* as primary, else 0 */
	u64 promised;
	u32 nr_ops;
	u32 op[OPS_MAX];	/* serial of the operation with seq index + 1 */
	u64 op_gen[OPS_MAX];
};

struct cluster {
	u64 last_gen;
	u32 last_serial;
	struct node node[NODES];
};

static bool same_ops(const struct node *a, const struct node *b)
{
	return a->nr_ops == b->nr_ops &&
	       !memcmp(a->op, b->op, a->nr_ops * sizeof(a->op[0]));
}

static void append(struct node *node, u64 gen, u32 serial)
{
	struct rblk_lineage *lineage = &node->lineage;

	if (!lineage->nr_terms ||
	    lineage->term[lineage->nr_terms - 1].gen != gen)
		assert_int_equal(rblk_lineage_begin(lineage, gen), 0);
	node->op[node->nr_ops] = serial;
	node->op_gen[node->nr_ops] = gen;
	lineage->seq = ++node->nr_ops;
}

static void promote(struct cluster *cluster, u32 who)
{
	struct node *node = &cluster->node[who];

	node->gen = node->promised = ++cluster->last_gen;
	assert_int_equal(rblk_lineage_begin(&node->lineage, node->gen), 0);
}

/* Of the nodes in @reach, those follow that hold the same and promised no more. */
static void write_op(struct cluster *cluster, u32 who, u32 reach)
{
	struct node *primary = &cluster->node[who];
	u32 serial = ++cluster->last_serial;
	u32 i;

	for (i = 0; i < NODES; i++) {
		struct node *node = &cluster->node[i];

		if (i == who || !(reach >> i & 1) ||
		    node->promised > primary->gen || !same_ops(node, primary))
			continue;
		node->promised = primary->gen;
		node->gen = 0;
		append(node, primary->gen, serial);
	}
	append(primary, primary->gen, serial);
}

static void copy_all(struct cluster *cluster, u32 from, u32 to)
{
	struct node *source = &cluster->node[from];
	struct node *target = &cluster->node[to];

	*target = *source;
	target->gen = 0;
}

static enum rblk_relation mirrored(enum rblk_relation relation)
{
	switch (relation) {
	case RBLK_PEER_BEHIND:
		return RBLK_PEER_AHEAD;
	case RBLK_PEER_AHEAD:
		return RBLK_PEER_BEHIND;
	case RBLK_SAME:
	case RBLK_FORKED:
	case RBLK_UNRELATED:
	case RBLK_BOTH_NEW:
		break;
	}
	return relation;
}

static u32 common_ops(const struct node *a, const struct node *b)
{
	u32 nr = 0;

	while (nr < a->nr_ops && nr < b->nr_ops && a->op[nr] == b->op[nr])
		nr++;
	return nr;
}

static enum rblk_relation true_relation(const struct node *mine,
					const struct node *peer)
{
	u32 common = common_ops(mine, peer);

	if (!mine->lineage.nr_terms && !peer->lineage.nr_terms)
		return RBLK_BOTH_NEW;
	if (!peer->lineage.nr_terms)
		return RBLK_PEER_BEHIND;
	if (!mine->lineage.nr_terms)
		return RBLK_PEER_AHEAD;
	if (mine->nr_ops == common && peer->nr_ops == common)
		return RBLK_SAME;
	if (peer->nr_ops == common)
		return RBLK_PEER_BEHIND;
	if (mine->nr_ops == common)
		return RBLK_PEER_AHEAD;
	return common ? RBLK_FORKED : RBLK_UNRELATED;
}

/* Whether what both still remember settles the question. */
static bool is_known(const struct node *a, const struct node *b)
{
	u64 from_a = a->lineage.nr_terms ? a->lineage.term[0].first_seq : 1;
	u64 from_b = b->lineage.nr_terms ? b->lineage.term[0].first_seq : 1;

	if (from_a == 1 && from_b == 1)
		return true;
	if (!a->lineage.nr_terms || !b->lineage.nr_terms)
		return false;
	return common_ops(a, b) >= max(from_a, from_b);
}

static u32 seen[RBLK_BOTH_NEW + 1];
static u32 unknown;

static void check_pair(const struct node *mine, const struct node *peer)
{
	enum rblk_relation want = true_relation(mine, peer);
	enum rblk_relation got;
	u64 fork_seq = 12345, mirrored_seq = 54321;

	got = rblk_lineage_compare(&mine->lineage, &peer->lineage, &fork_seq);
	assert_int_equal(rblk_lineage_compare(&peer->lineage, &mine->lineage,
					      &mirrored_seq), mirrored(got));
	assert_int_equal(rblk_lineage_compare(&mine->lineage, &peer->lineage,
					      NULL), got);
	seen[got]++;
	if (got == RBLK_UNRELATED && !is_known(mine, peer)) {
		unknown++;
		return;
	}
	assert_int_equal(got, want);
	if (got == RBLK_PEER_BEHIND || got == RBLK_PEER_AHEAD ||
	    got == RBLK_FORKED) {
		assert_int_equal(fork_seq, common_ops(mine, peer));
		assert_int_equal(mirrored_seq, fork_seq);
	}
}

static void check_cluster(const struct cluster *cluster)
{
	u32 i, j;

	for (i = 0; i < NODES; i++) {
		const struct node *node = &cluster->node[i];
		const struct rblk_lineage *lineage = &node->lineage;
		u64 gen = node->nr_ops ? node->op_gen[node->nr_ops - 1] : 0;

		assert_true(rblk_lineage_is_valid(lineage));
		assert_int_equal(lineage->seq, node->nr_ops);
		if (gen != rblk_lineage_gen(lineage))
			fail_msg("generation %llu, not %llu",
				 rblk_lineage_gen(lineage), gen);
		for (j = 0; j < NODES; j++)
			check_pair(node, &cluster->node[j]);
	}
}

/* Every history of DEPTH steps, the first being the promotion of node 0. */
static void explore(const struct cluster *before, u32 depth)
{
	struct cluster *after = malloc(sizeof(*after));
	u32 who, other, reach;

	check_cluster(before);
	for (who = 0; depth && who < NODES; who++) {
		*after = *before;
		promote(after, who);
		explore(after, depth - 1);

		for (reach = 0; reach < 1U << NODES; reach++) {
			if (!before->node[who].gen || reach >> who & 1)
				continue;
			*after = *before;
			write_op(after, who, reach);
			explore(after, depth - 1);
		}

		for (other = 0; other < NODES; other++) {
			if (other == who)
				continue;
			*after = *before;
			copy_all(after, who, other);
			explore(after, depth - 1);
		}
	}
	free(after);
}

static void test_all_short_histories(void **state)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	u32 i;

	(void)state;
	memset(seen, 0, sizeof(seen));
	unknown = 0;
	check_cluster(cluster);
	promote(cluster, 0);
	explore(cluster, DEPTH - 1);
	for (i = 0; i < ARRAY_SIZE(seen); i++)
		assert_true(seen[i]);
	assert_int_equal(unknown, 0);
	free(cluster);
}

static void random_step(struct cluster *cluster, u64 *rnd)
{
	u32 who = prng_below(rnd, NODES);
	u32 dice = prng_below(rnd, 100);

	if (dice < 40)
		promote(cluster, who);
	else if (dice < 96 && cluster->node[who].gen)
		write_op(cluster, who, prng_below(rnd, 10) ? 7 : prng_next(rnd));
	else if (dice >= 96)
		copy_all(cluster, who, (who + 1 + prng_below(rnd, 2)) % NODES);
}

/* Long enough for terms to be forgotten, on both sides or on one. */
static void test_random_long_histories(void **state)
{
	struct cluster *cluster = malloc(sizeof(*cluster));
	u32 i, step, truncated = 0;
	u64 rnd;

	(void)state;
	memset(seen, 0, sizeof(seen));
	unknown = 0;
	for (i = 0; i < 300; i++) {
		rnd = i;
		memset(cluster, 0, sizeof(*cluster));
		promote(cluster, 0);
		for (step = 0; step < OPS_MAX - 1; step++) {
			random_step(cluster, &rnd);
			check_cluster(cluster);
		}
		truncated += cluster->node[0].lineage.nr_terms &&
			     cluster->node[0].lineage.term[0].first_seq > 1;
	}
	assert_true(truncated > 50);
	assert_true(unknown > 100);
	assert_true(seen[RBLK_FORKED] > 1000);
	free(cluster);
}

static const struct rblk_lineage good = {
	.nr_terms = 3, .seq = 30, .term = { { 2, 1 }, { 5, 11 }, { 9, 31 } },
};

static void test_invalid(void **state)
{
	struct rblk_lineage bad;

	(void)state;
	assert_true(rblk_lineage_is_valid(&good));
#define REFUSED(change) do {				\
		bad = good;				\
		change;					\
		assert_false(rblk_lineage_is_valid(&bad)); \
	} while (0)
	REFUSED(bad.nr_terms = 0);
	REFUSED(bad.nr_terms = RBLK_LINEAGE_MAX + 1);
	REFUSED(bad.nr_terms = U32_MAX);
	REFUSED(bad.nr_terms = 4);
	REFUSED(bad.seq = 29);
	REFUSED(bad.seq = 0);
	REFUSED(bad.seq = U64_MAX);
	REFUSED(bad.term[0].gen = 0);
	REFUSED(bad.term[0].first_seq = 0);
	REFUSED(bad.term[1].gen = 2);
	REFUSED(bad.term[1].gen = 1);
	REFUSED(bad.term[2].gen = 5);
	REFUSED(bad.term[1].first_seq = 1);
	REFUSED(bad.term[1].first_seq = 31);
	REFUSED(bad.term[2].first_seq = 11);
	REFUSED(bad.term[2].first_seq = 32);
#undef REFUSED
	bad = good;
	bad.seq = U64_MAX - 1;
	assert_true(rblk_lineage_is_valid(&bad));
	memset(&bad, 0, sizeof(bad));
	assert_true(rblk_lineage_is_valid(&bad));
}

/* One term too many, and all of them good. */
static void test_too_many_terms(void **state)
{
	struct rblk_lineage *bad = malloc(sizeof(*bad) + sizeof(bad->term[0]));
	struct rblk_term *term = (void *)bad + offsetof(struct rblk_lineage, term);
	u32 i;

	(void)state;
	for (i = 0; i <= RBLK_LINEAGE_MAX; i++) {
		term[i].gen = i + 1;
		term[i].first_seq = i + 1;
	}
	bad->seq = 1000;
	bad->nr_terms = RBLK_LINEAGE_MAX;
	assert_true(rblk_lineage_is_valid(bad));
	bad->nr_terms = RBLK_LINEAGE_MAX + 1;
	assert_false(rblk_lineage_is_valid(bad));
	free(bad);
}

static void test_begin(void **state)
{
	struct rblk_lineage lineage = { 0 };
	u64 gen;

	(void)state;
	assert_int_equal(rblk_lineage_begin(&lineage, 0), -EINVAL);
	assert_int_equal(rblk_lineage_begin(&lineage, 3), 0);
	assert_int_equal(lineage.nr_terms, 1);
	assert_int_equal(lineage.term[0].gen, 3);
	assert_int_equal(lineage.term[0].first_seq, 1);
	assert_int_equal(rblk_lineage_begin(&lineage, 3), -EINVAL);
	assert_int_equal(rblk_lineage_begin(&lineage, 2), -EINVAL);
	assert_int_equal(lineage.nr_terms, 1);

	/* An empty term is replaced. */
	assert_int_equal(rblk_lineage_begin(&lineage, 7), 0);
	assert_int_equal(lineage.nr_terms, 1);
	assert_int_equal(lineage.term[0].gen, 7);
	assert_int_equal(lineage.term[0].first_seq, 1);

	/* The oldest are forgotten, an empty one still replaced. */
	for (gen = 8; gen < 8 + 2 * RBLK_LINEAGE_MAX; gen++) {
		lineage.seq += 2;
		assert_int_equal(rblk_lineage_begin(&lineage, gen), 0);
		assert_true(rblk_lineage_is_valid(&lineage));
	}
	gen--;
	assert_int_equal(lineage.nr_terms, RBLK_LINEAGE_MAX);
	assert_int_equal(lineage.term[RBLK_LINEAGE_MAX - 1].gen, gen);
	assert_int_equal(lineage.term[0].gen, gen + 1 - RBLK_LINEAGE_MAX);
	assert_int_equal(lineage.term[0].first_seq,
			 lineage.seq + 1 - 2 * (RBLK_LINEAGE_MAX - 1));
	assert_int_equal(rblk_lineage_begin(&lineage, 1000), 0);
	assert_int_equal(lineage.term[0].gen, gen + 1 - RBLK_LINEAGE_MAX);
	assert_int_equal(lineage.term[RBLK_LINEAGE_MAX - 1].gen, 1000);
}

static void test_generation(void **state)
{
	struct rblk_lineage lineage = good;

	(void)state;
	assert_int_equal(rblk_lineage_gen(&lineage), 5);
	lineage.seq = 31;
	assert_int_equal(rblk_lineage_gen(&lineage), 9);
	lineage = (struct rblk_lineage){ 1, 10, { { 5, 11 } } };
	assert_int_equal(rblk_lineage_gen(&lineage), 0);
	lineage = (struct rblk_lineage){ 0 };
	assert_int_equal(rblk_lineage_gen(&lineage), 0);
}

/* The same generation from two beginnings: its name proves nothing. */
static void test_generation_used_twice(void **state)
{
	struct rblk_lineage a = { 1, 20, { { 5, 1 } } };
	struct rblk_lineage b = { 1, 20, { { 5, 11 } } };
	struct rblk_lineage c = { 2, 20, { { 2, 1 }, { 5, 11 } } };
	struct rblk_lineage d = { 2, 20, { { 2, 1 }, { 5, 12 } } };
	u64 seq = 0;

	(void)state;
	assert_int_equal(rblk_lineage_compare(&a, &b, &seq), RBLK_UNRELATED);
	assert_int_equal(rblk_lineage_compare(&a, &c, &seq), RBLK_UNRELATED);
	assert_int_equal(rblk_lineage_compare(&c, &d, &seq), RBLK_FORKED);
	assert_int_equal(seq, 10);
}

static void test_forgotten_front(void **state)
{
	struct rblk_lineage whole = { 3, 40, { { 1, 1 }, { 2, 11 }, { 4, 21 } } };
	struct rblk_lineage tail = { 1, 50, { { 4, 21 } } };
	struct rblk_lineage later = { 1, 50, { { 6, 41 } } };
	struct rblk_lineage empty = { 1, 20, { { 4, 21 } } };
	struct rblk_lineage clean = { 1, 0, { { 4, 1 } } };
	struct rblk_lineage new = { 0 };
	u64 seq = 0;

	(void)state;
	assert_int_equal(rblk_lineage_compare(&whole, &tail, &seq),
			 RBLK_PEER_AHEAD);
	assert_int_equal(seq, 40);
	assert_int_equal(rblk_lineage_compare(&whole, &later, NULL),
			 RBLK_UNRELATED);
	assert_int_equal(rblk_lineage_compare(&whole, &empty, &seq),
			 RBLK_PEER_BEHIND);
	assert_int_equal(seq, 20);
	assert_int_equal(rblk_lineage_compare(&new, &whole, &seq),
			 RBLK_PEER_AHEAD);
	assert_int_equal(seq, 0);
	assert_int_equal(rblk_lineage_compare(&new, &tail, NULL),
			 RBLK_UNRELATED);
	assert_int_equal(rblk_lineage_compare(&clean, &tail, NULL),
			 RBLK_UNRELATED);
	assert_int_equal(rblk_lineage_compare(&tail, &new, NULL),
			 RBLK_UNRELATED);
}

/* A promotion without a write after it is no difference. */
static void test_empty_term_is_no_difference(void **state)
{
	struct rblk_lineage a = { 2, 10, { { 1, 1 }, { 5, 11 } } };
	struct rblk_lineage b = { 1, 10, { { 1, 1 } } };
	struct rblk_lineage c = { 2, 10, { { 1, 1 }, { 6, 11 } } };
	struct rblk_lineage d = { 2, 12, { { 1, 1 }, { 6, 11 } } };
	struct rblk_lineage e = { 1, 0, { { 1, 1 } } };
	struct rblk_lineage f = { 1, 0, { { 2, 1 } } };

	(void)state;
	assert_int_equal(rblk_lineage_compare(&a, &b, NULL), RBLK_SAME);
	assert_int_equal(rblk_lineage_compare(&a, &c, NULL), RBLK_SAME);
	assert_int_equal(rblk_lineage_compare(&a, &d, NULL), RBLK_PEER_AHEAD);
	assert_int_equal(rblk_lineage_compare(&e, &f, NULL), RBLK_SAME);
	assert_int_equal(rblk_lineage_compare(&f, &b, NULL), RBLK_PEER_AHEAD);
}

/* Any valid input, though no history could have made the pair. */
static void test_random_pairs(void **state)
{
	struct rblk_lineage pair[2];
	u64 rnd = 1, fork_seq;
	u32 round, i, j;

	(void)state;
	for (round = 0; round < 200000; round++) {
		for (i = 0; i < 2; i++) {
			u64 gen = 0, seq = 0;

			pair[i].nr_terms = prng_below(&rnd, 8) ?
				prng_below(&rnd, 4) : prng_below(&rnd, 33);
			for (j = 0; j < pair[i].nr_terms; j++) {
				gen += 1 + prng_below(&rnd, 2);
				seq += 1 + prng_below(&rnd, 2);
				pair[i].term[j].gen = gen;
				pair[i].term[j].first_seq = seq;
			}
			pair[i].seq = j ? seq - 1 + prng_below(&rnd, 4) : 0;
			assert_true(rblk_lineage_is_valid(&pair[i]));
			assert_int_equal(rblk_lineage_compare(&pair[i], &pair[i], NULL),
					 pair[i].nr_terms ? RBLK_SAME : RBLK_BOTH_NEW);
		}
		assert_int_equal(rblk_lineage_compare(&pair[0], &pair[1], &fork_seq),
				 mirrored(rblk_lineage_compare(&pair[1], &pair[0], NULL)));
		assert_true(fork_seq <= pair[0].seq && fork_seq <= pair[1].seq);
	}
}

/* Above what is known, and never what another node would take. */
static void test_next_gen(void **state)
{
	u64 highest, gen;
	u8 a;

	(void)state;
	for (highest = 0; highest < 50; highest++)
		for (a = 0; a < RBLK_MAX_NODES; a++) {
			gen = rblk_lineage_next_gen(highest, a);
			assert_true(gen > highest &&
				    gen <= highest + RBLK_MAX_NODES);
			assert_int_equal(gen % RBLK_MAX_NODES, a);
		}
}

static void test_plausible(void **state)
{
	(void)state;
	assert_true(rblk_lineage_is_plausible(0, 0));
	assert_true(rblk_lineage_is_plausible(9, 3));
	assert_true(rblk_lineage_is_plausible(16, 16 + RBLK_GEN_LEAP));
	assert_false(rblk_lineage_is_plausible(16, 17 + RBLK_GEN_LEAP));
	assert_false(rblk_lineage_is_plausible(0, U64_MAX));
	assert_true(rblk_lineage_is_plausible(U64_MAX, U64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_gen),
		cmocka_unit_test(test_plausible),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_too_many_terms),
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_generation),
		cmocka_unit_test(test_generation_used_twice),
		cmocka_unit_test(test_forgotten_front),
		cmocka_unit_test(test_empty_term_is_no_difference),
		cmocka_unit_test(test_random_pairs),
		cmocka_unit_test(test_all_short_histories),
		cmocka_unit_test(test_random_long_histories),
	};

	return cmocka_run_group_tests_name("lineage", tests, NULL, NULL);
}

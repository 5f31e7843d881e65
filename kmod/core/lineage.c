// SPDX-License-Identifier: GPL-2.0
/*
 * lineage.c - which operations a node's data went through, and how two nodes'
 * data relate.
 */
#include "lineage.h"

static bool same_term(const struct rblk_term *a, const struct rblk_term *b)
{
	return a->gen == b->gen && a->first_seq == b->first_seq;
}

/* No operation was forgotten from the front. */
static bool is_complete(const struct rblk_lineage *lineage)
{
	return lineage->nr_terms && lineage->term[0].first_seq == 1;
}

/* Index of the term that equals @term, nr_terms if there is none. */
static u32 find_term(const struct rblk_lineage *lineage,
		     const struct rblk_term *term)
{
	u32 i;

	for (i = 0; i < lineage->nr_terms; i++) {
		if (same_term(&lineage->term[i], term))
			break;
	}
	return i;
}

/* The last seq that is known to belong to the first @nr_terms terms. */
static u64 end_of(const struct rblk_lineage *lineage, u32 nr_terms)
{
	if (nr_terms < lineage->nr_terms)
		return lineage->term[nr_terms].first_seq - 1;
	return lineage->seq;
}

/*
 * The last operation that both name alike; both have terms.
 *
 * Terms are forgotten only from the front, so the front of one of the two is
 * a term of the other, or nothing is known to be common. From there on they
 * agree term by term until the first that differs. A term of the same
 * generation that starts elsewhere differs: that generation was used twice,
 * and its name says nothing.
 *
 * Return: false when no operation, and not even the empty beginning, is
 * known to be common.
 */
static bool find_common(const struct rblk_lineage *a,
			const struct rblk_lineage *b, u64 *seq)
{
	u32 i = find_term(a, &b->term[0]);
	u32 j = 0;

	if (i == a->nr_terms) {
		i = 0;
		j = find_term(b, &a->term[0]);
	}
	if (j == b->nr_terms) {
		*seq = 0;
		return is_complete(a) && is_complete(b);
	}

	while (i < a->nr_terms && j < b->nr_terms &&
	       same_term(&a->term[i], &b->term[j])) {
		i++;
		j++;
	}
	*seq = min(end_of(a, i), end_of(b, j));
	return true;
}

/* At least one of the two has no terms. */
static enum rblk_relation compare_new(const struct rblk_lineage *mine,
				      const struct rblk_lineage *peer)
{
	if (!mine->nr_terms && !peer->nr_terms)
		return RBLK_BOTH_NEW;
	if (is_complete(mine))
		return RBLK_PEER_BEHIND;
	if (is_complete(peer))
		return RBLK_PEER_AHEAD;
	return RBLK_UNRELATED;
}

bool rblk_lineage_is_valid(const struct rblk_lineage *lineage)
{
	const struct rblk_term *term = lineage->term;
	u32 i;

	if (!lineage->nr_terms)
		return !lineage->seq;
	if (lineage->nr_terms > RBLK_LINEAGE_MAX)
		return false;
	if (!term[0].gen || !term[0].first_seq || lineage->seq == U64_MAX)
		return false;
	for (i = 1; i < lineage->nr_terms; i++) {
		if (term[i].gen <= term[i - 1].gen ||
		    term[i].first_seq <= term[i - 1].first_seq)
			return false;
	}
	return lineage->seq >= term[i - 1].first_seq - 1;
}

u64 rblk_lineage_next_gen(u64 highest, u8 node_id)
{
	u64 gen = (highest & ~(u64)(RBLK_MAX_NODES - 1)) | node_id;

	return gen > highest ? gen : gen + RBLK_MAX_NODES;
}

int rblk_lineage_begin(struct rblk_lineage *lineage, u64 gen)
{
	struct rblk_term *term = lineage->term;
	u32 nr = lineage->nr_terms;

	if (!gen || (nr && gen <= term[nr - 1].gen))
		return -EINVAL;

	if (nr && term[nr - 1].first_seq > lineage->seq) {
		nr--;
	} else if (nr == RBLK_LINEAGE_MAX) {
		nr--;
		memmove(&term[0], &term[1], nr * sizeof(term[0]));
	}
	term[nr].gen = gen;
	term[nr].first_seq = lineage->seq + 1;
	term[nr].since_s = 0;
	lineage->nr_terms = nr + 1;
	return 0;
}

void rblk_lineage_date(struct rblk_lineage *lineage, u64 since_s)
{
	if (lineage->nr_terms)
		lineage->term[lineage->nr_terms - 1].since_s = since_s;
}

void rblk_lineage_truncate(struct rblk_lineage *lineage)
{
	while (lineage->nr_terms &&
	       lineage->term[lineage->nr_terms - 1].first_seq >
	       lineage->seq + 1)
		lineage->nr_terms--;
	if (!lineage->nr_terms)
		lineage->seq = 0;
}

struct rblk_term rblk_lineage_term_of(const struct rblk_lineage *lineage,
				      u64 seq)
{
	u32 i = lineage->nr_terms;

	while (i--) {
		if (lineage->term[i].first_seq <= seq)
			return lineage->term[i];
	}
	return (struct rblk_term) { .gen = 0 };
}

enum rblk_relation rblk_lineage_compare(const struct rblk_lineage *mine,
					const struct rblk_lineage *peer,
					u64 *fork_seq)
{
	enum rblk_relation relation;
	u64 common = 0;

	if (!mine->nr_terms || !peer->nr_terms)
		relation = compare_new(mine, peer);
	else if (!find_common(mine, peer, &common))
		relation = RBLK_UNRELATED;
	else if (common == mine->seq && common == peer->seq)
		relation = RBLK_SAME;
	else if (common == peer->seq)
		relation = RBLK_PEER_BEHIND;
	else if (common == mine->seq)
		relation = RBLK_PEER_AHEAD;
	else if (common)
		relation = RBLK_FORKED;
	else
		relation = RBLK_UNRELATED;

	if (fork_seq)
		*fork_seq = common;
	return relation;
}

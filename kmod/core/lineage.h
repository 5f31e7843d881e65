/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lineage.h - which operations a node's data went through, and how two nodes'
 * data relate.
 *
 * As in PostgreSQL's timelines and Raft's log terms: every operation is named
 * (generation, seq); seq never restarts. A lineage lists, for each generation
 * that wrote, the first seq it wrote; with the position (the last seq) it
 * names every operation that the data contains. Two lineages agree up to the
 * last operation that they name alike.
 */
#ifndef RBLK_CORE_LINEAGE_H
#define RBLK_CORE_LINEAGE_H

#include "env.h"
#include "../uapi/rblk.h"

#define RBLK_LINEAGE_MAX	32

/**
 * struct rblk_term - one generation of a history
 * @gen: the generation, > 0
 * @first_seq: the first seq that it wrote, > 0
 * @since_s: when its primary was promoted, by that node's clock, in seconds
 *	since 1970; 0: unknown. For people: nothing is decided by it.
 */
struct rblk_term {
	u64 gen;
	u64 first_seq;
	u64 since_s;
};

/**
 * struct rblk_lineage - the history of a node's data
 * @nr_terms: 0 when the data is new, without any history
 * @seq: the last operation, 0 when there is no term; its generation is that of the last term whose
 *	first_seq <= @seq. At least (first_seq of the last term) - 1: a term may
 *	still be empty.
 * @term: ascending in both gen (strictly) and first_seq (strictly, because an
 *	empty term is replaced by the next). Only the newest RBLK_LINEAGE_MAX
 *	are kept: older ones are forgotten from the front.
 */
struct rblk_lineage {
	u32 nr_terms;
	u64 seq;
	struct rblk_term term[RBLK_LINEAGE_MAX];
};

enum rblk_relation {
	RBLK_SAME,		/* the same operations */
	RBLK_PEER_BEHIND,	/* peer's operations are a prefix of mine */
	RBLK_PEER_AHEAD,	/* mine are a prefix of the peer's */
	RBLK_FORKED,		/* each holds operations the other lacks */
	RBLK_UNRELATED,		/* no common operation is known */
	RBLK_BOTH_NEW,		/* neither has a history */
};

/**
 * rblk_lineage_is_valid - the invariants above, for input from disk or wire
 * @lineage: any bytes
 *
 * Return: true when they hold. All other functions rely on it.
 */
bool rblk_lineage_is_valid(const struct rblk_lineage *lineage);

/**
 * rblk_lineage_next_gen - a generation that nobody else uses
 * @highest: that is known to have been promised
 * @node_id: of the node that is going to be promoted
 *
 * Nodes that do not hear of each other may be promoted at the same time. Their
 * generations must differ, or their histories would seem to be one: the
 * remainder by RBLK_MAX_NODES is the node's id.
 *
 * Return: the next one for this node above @highest.
 */
u64 rblk_lineage_next_gen(u64 highest, u8 node_id);

/* How far a node may be ahead in generations: 2^36 promotions. */
#define RBLK_GEN_LEAP	(1ULL << 40)

/**
 * rblk_lineage_is_plausible - may promotions have led to a generation?
 * @promised: the highest that this node promised
 * @gen: what a peer says it promised, or wrote with
 *
 * Who believed in any generation could be brought to promise the last one, and
 * could then never be promoted again.
 *
 * Return: true unless @gen is more than RBLK_GEN_LEAP above @promised.
 */
static inline bool rblk_lineage_is_plausible(u64 promised, u64 gen)
{
	return gen <= promised || gen - promised <= RBLK_GEN_LEAP;
}

/**
 * rblk_lineage_begin - a primary starts writing at seq + 1
 * @lineage: of its data
 * @gen: its generation
 *
 * An empty last term is replaced. Terms beyond the maximum are forgotten from
 * the front.
 *
 * Return: 0, or -EINVAL when @gen is 0 or not above the last term's.
 */
int rblk_lineage_begin(struct rblk_lineage *lineage, u64 gen);

/**
 * rblk_lineage_date - say when the last term began
 * @lineage: begun just now
 * @since_s: the time, in seconds since 1970
 */
void rblk_lineage_date(struct rblk_lineage *lineage, u64 since_s);

/**
 * rblk_lineage_truncate - forget generations that wrote only after the position
 * @lineage: whose position may be far below its last terms: of a primary's
 *	lineage, with the position of a backup that is catching up
 */
void rblk_lineage_truncate(struct rblk_lineage *lineage);

/**
 * rblk_lineage_term_of - who wrote an operation
 * @lineage: of the data
 * @seq: of the operation, at most the position
 *
 * Return: its term; all zero if there is no such operation or it was forgotten.
 */
struct rblk_term rblk_lineage_term_of(const struct rblk_lineage *lineage,
				      u64 seq);

/** rblk_lineage_gen - generation of the operation at the position */
static inline u64 rblk_lineage_gen(const struct rblk_lineage *lineage)
{
	return rblk_lineage_term_of(lineage, lineage->seq).gen;
}

/** rblk_lineage_last_gen - generation of the last term, 0 if there is none */
static inline u64 rblk_lineage_last_gen(const struct rblk_lineage *lineage)
{
	return lineage->nr_terms ? lineage->term[lineage->nr_terms - 1].gen : 0;
}

/**
 * rblk_lineage_compare - how the peer's data relates to mine
 * @mine: valid
 * @peer: valid
 * @fork_seq: if not NULL, set to the last common seq for PEER_BEHIND,
 *	PEER_AHEAD and FORKED
 *
 * One new and one old lineage are PEER_BEHIND or PEER_AHEAD with fork_seq 0
 * only if the old one starts at seq 1 and is complete; the new one then lacks
 * everything. (Its device's content is unknown all the same: who acts on this
 * must not assume it equal to anything.) A forgotten front counts as common
 * only when a kept term of both agrees. A term without operations is no
 * difference.
 *
 * Return: the relation.
 */
enum rblk_relation rblk_lineage_compare(const struct rblk_lineage *mine,
					const struct rblk_lineage *peer,
					u64 *fork_seq);

#endif /* RBLK_CORE_LINEAGE_H */

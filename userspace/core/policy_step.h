/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_step.h - what the policy's files share; nobody else includes it
 */
#ifndef RBLK_POLICY_STEP_H
#define RBLK_POLICY_STEP_H

#include "policy.h"

/* Rounds that lead to nothing are further and further apart: up to so many doublings. */
#define TRIES_MAX	5
/* In beat intervals: how far apart candidates of neighbouring ranks begin, */
#define RANK_BEATS	2
/* how long those who did not ask let the one who did go first, */
#define HANDOVER_BEATS	5
/* how long a node that stepped down, or was refused by its kernel, stays back, */
#define STAY_BACK_BEATS	20
/* how long it waits before it asks whether it was promoted, */
#define DOUBT_BEATS	5
/* and how long a switchover may take from asking on. */
#define ASK_BEATS	20
#define ASK_AGAIN_MS	200
/* A fence that failed is tried again then. */
#define FENCE_AGAIN_MS	5000
/* What a round may take at least, in ms: two writes to a slow disk. */
#define ROUND_MS	200

struct step {
	struct rblk_policy *p;
	const struct rblk_policy_view *v;
	const struct rblk_arbiter *a;
	const struct rblk_policy_config *c;
	struct rblk_policy_out *out;
	uint64_t now;
	struct rblk_arbiter_record r;	/* the newest that is known of */
	bool guess;			/* it may not have been chosen */
	uint16_t alive;			/* this node included */
	bool stands;			/* it is this node's turn to be promoted */
};

static inline uint16_t bit(uint8_t node)
{
	return node < RBLK_POLICY_NODES ? 1U << node : 0;
}

static inline int count(uint16_t set)
{
	return __builtin_popcount(set);
}

/* The next beat comes within that time; it is what usually leads to the next step. */
static inline uint64_t rblk_policy_after_beat_ms(const struct step *s)
{
	return s->c->interval_ms + s->c->interval_ms / 8;
}

/* policy_step.c */
void rblk_policy_wake(struct step *s, uint64_t at);
void rblk_policy_waits(struct step *s, enum rblk_policy_reason reason, uint16_t nodes);
void rblk_policy_note(struct step *s, uint8_t what);
bool rblk_policy_leads(const struct rblk_arbiter *a);
bool rblk_policy_is_well(const struct step *s, uint8_t node);
uint16_t rblk_policy_nodes_that(const struct step *s,
				bool (*is)(const struct step *s, uint8_t node),
				uint16_t of);
bool rblk_policy_is_connected(const struct step *s, uint8_t node);
bool rblk_policy_is_enough(const struct step *s, uint16_t set);
bool rblk_policy_has_two_voters(const struct step *s);
bool rblk_policy_may_fence_vote(const struct step *s);
uint16_t rblk_policy_fenced(const struct step *s);
bool rblk_policy_may_be_promoted(const struct step *s);
uint16_t rblk_policy_maybe_primaries(const struct step *s);
bool rblk_policy_may_be_chosen(const struct step *s);
bool rblk_policy_asks_for_promotion(const struct step *s);
void rblk_policy_end_round(struct step *s);
void rblk_policy_propose(struct step *s, enum rblk_arbiter_change change, uint16_t mask);
void rblk_policy_learn_more(struct step *s);
void rblk_policy_fence(struct step *s, uint8_t node);
void rblk_policy_fence_for_vote(struct step *s);
struct rblk_arbiter_record rblk_policy_newest(const struct rblk_arbiter *a);

/* policy_copies.c */
uint8_t rblk_policy_more_acks(uint8_t a, uint8_t b);
bool rblk_policy_holds(const struct rblk_arbiter_record *r, uint8_t node);
bool rblk_policy_has_more(const struct rblk_policy_told *a, const struct rblk_policy_told *b);
unsigned int rblk_policy_copies_needed(const struct step *s);
uint16_t rblk_policy_copies(const struct step *s, uint8_t flags);
uint16_t rblk_policy_ahead(const struct step *s, uint8_t flags);
bool rblk_policy_holder_votes(const struct step *s);
void rblk_policy_wait_for_copies(struct step *s, uint16_t copies);
void rblk_policy_hear(struct step *s);
void rblk_policy_prove(struct step *s);

/* policy_lead.c */
void rblk_policy_lead(struct step *s);
uint16_t rblk_policy_wanted_in_sync(const struct step *s);
uint8_t rblk_policy_wanted_acks(const struct step *s);
bool rblk_policy_set_acks(struct step *s);
bool rblk_policy_wants_to_leave(struct step *s);
void rblk_policy_leave(struct step *s);
void rblk_policy_refuse_to_leave(struct step *s, enum rblk_policy_reason reason);
void rblk_policy_done(struct step *s, enum rblk_policy_reason reason);
void rblk_policy_answer(struct step *s, enum rblk_policy_handover what,
			enum rblk_policy_reason reason);
bool rblk_policy_asks(const struct step *s);

/* policy_follow.c */
enum rblk_policy_reason rblk_policy_why_not(const struct step *s);
void rblk_policy_follow(struct step *s);

#endif /* RBLK_POLICY_STEP_H */

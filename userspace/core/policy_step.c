// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy_step.c - what the policy knows; rounds; fences
 */
#include "policy_step.h"

void rblk_policy_wake(struct step *s, uint64_t at)
{
	if (at > s->now && at < s->out->wake_at_ms)
		s->out->wake_at_ms = at;
}

/* The first thing that is waited for is what the status says. */
void rblk_policy_waits(struct step *s, enum rblk_policy_reason reason, uint16_t nodes)
{
	if (s->out->waits != RBLK_POLICY_FINE)
		return;
	s->out->waits = reason;
	s->out->waits_for = nodes;
}

void rblk_policy_note(struct step *s, uint8_t what)
{
	s->out->notes |= what & ~s->p->notes;
	s->p->notes |= what;
	s->out->note_node = s->p->note_node;
}

/* ---- what it knows */

struct rblk_arbiter_record rblk_policy_newest(const struct rblk_arbiter *a)
{
	return a->known.version > a->store.record.version ? a->known :
							    a->store.record;
}

bool rblk_policy_leads(const struct rblk_arbiter *a)
{
	return a->lead_term;
}

bool rblk_policy_is_well(const struct step *s, uint8_t node)
{
	return s->v->peer[node].connected && s->v->peer[node].up_to_date;
}

uint16_t rblk_policy_nodes_that(const struct step *s,
				bool (*is)(const struct step *s, uint8_t node),
				uint16_t of)
{
	uint16_t set = 0;
	uint8_t node;

	for (node = 0; node < RBLK_POLICY_NODES; node++)
		if (of & bit(node) && node != s->c->self && is(s, node))
			set |= bit(node);
	return set;
}

bool rblk_policy_is_connected(const struct step *s, uint8_t node)
{
	return s->v->peer[node].connected;
}

static bool is_majority(uint16_t set, uint16_t voters)
{
	return 2 * count(set & voters) > count(voters);
}

/* Could a round succeed, or a lease be confirmed, with so many? */
bool rblk_policy_is_enough(const struct step *s, uint16_t set)
{
	return is_majority(set, s->r.voters) && is_majority(set, s->r.voters_before);
}

bool rblk_policy_has_two_voters(const struct step *s)
{
	return count(s->r.voters) == 2 && s->r.voters == s->r.voters_before;
}

/* Would the arbiter count the vote of a node that is off? */
bool rblk_policy_may_fence_vote(const struct step *s)
{
	return rblk_policy_has_two_voters(s) &&
	       (s->a->synced || !RBLK_POLICY_RULE(ROUND_BEFORE_FENCE_VOTE));
}

/* The fence votes that the arbiter would count. */
uint16_t rblk_policy_fenced(const struct step *s)
{
	return rblk_policy_may_fence_vote(s) ? s->a->fenced : 0;
}

bool rblk_policy_may_be_promoted(const struct step *s)
{
	return s->v->data_good && s->c->data & bit(s->c->self) && !s->a->mute &&
	       s->now >= s->p->stay_back_ms;
}

/*
 * Nodes whose kernel may be primary: it says so, or it is not known before a link
 * begins. What a node said before the newest record is outdated: it may be since, or
 * be no more, if a link shows better.
 */
uint16_t rblk_policy_maybe_primaries(const struct step *s)
{
	uint16_t set = 0;
	uint8_t node;

	for (node = 0; node < RBLK_POLICY_NODES; node++) {
		const struct rblk_policy_peer *peer = &s->v->peer[node];

		if (!(s->c->data & bit(node)) || node == s->c->self)
			continue;
		if (peer->is_primary ||
		    (peer->told.version < s->r.version && !peer->connected) ||
		    (peer->told.flags & RBLK_POLICY_IS_PRIMARY &&
		     (!peer->connected || peer->told.version >= s->r.version)))
			set |= bit(node);
	}
	return set;
}

/* Is there a round that may promote this node; it may still be chosen when given up. */
bool rblk_policy_asks_for_promotion(const struct step *s)
{
	return s->a->phase != RBLK_ARBITER_IDLE &&
	       s->a->change == RBLK_ARBITER_PROMOTE;
}

/* Was this node's promotion asked for, and may it still be chosen? */
bool rblk_policy_may_be_chosen(const struct step *s)
{
	return rblk_policy_asks_for_promotion(s) ||
	       (s->a->has_pending && s->a->pending.primary == s->c->self &&
		s->a->pending.version > s->a->known.version &&
		s->a->pending.version >= s->r.version &&
		s->a->pending.term != s->a->lead_term);
}

/* ---- rounds */

static uint64_t round_ms(const struct step *s)
{
	uint64_t ms = 2ULL * s->c->interval_ms;

	ms = ms < ROUND_MS ? ROUND_MS : ms;
	return ms << (s->p->tries < TRIES_MAX ? s->p->tries : TRIES_MAX);
}

/* A round is over, or was given up: the next may begin at once if it was of use. */
void rblk_policy_end_round(struct step *s)
{
	struct rblk_policy *p = s->p;
	uint64_t span;

	if (!p->round_ends_ms)
		return;
	if (s->a->phase != RBLK_ARBITER_IDLE && s->now < p->round_ends_ms) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_VOTES, s->r.voters & ~bit(s->c->self));
		rblk_policy_wake(s, p->round_ends_ms);
		return;
	}
	p->round_ends_ms = 0;
	if (s->a->phase != RBLK_ARBITER_IDLE)
		p->given_up = s->a->ballot;
	if (s->a->led != p->led) {
		p->tries = 0;
		p->next_round_ms = 0;
		return;
	}
	/* Two that collide must not do so for ever. */
	span = s->c->interval_ms / 4 + 1;
	span <<= p->tries < TRIES_MAX ? p->tries : TRIES_MAX;
	p->next_round_ms = s->now + 1 + s->v->random % span;
	p->tries++;
}

void rblk_policy_propose(struct step *s, enum rblk_arbiter_change change, uint16_t mask)
{
	struct rblk_policy *p = s->p;

	if (s->out->propose || p->round_ends_ms)
		return;
	if (s->now < p->next_round_ms) {
		rblk_policy_wake(s, p->next_round_ms);
		return;
	}
	s->out->propose = true;
	s->out->change = change;
	s->out->mask = mask;
	p->led = s->a->led;
	p->round_ends_ms = s->now + round_ms(s);
	rblk_policy_wake(s, p->round_ends_ms);
}

/*
 * May this node have been promoted without knowing it? Meanwhile it lets no primary in. Others
 * ask as well, so not at once.
 */
static bool is_long_in_doubt(struct step *s)
{
	uint64_t patience = (uint64_t)DOUBT_BEATS * s->c->interval_ms;
	struct rblk_policy *p = s->p;

	if (s->a->phase != RBLK_ARBITER_IDLE || !rblk_policy_may_be_chosen(s)) {
		p->doubt_ms = 0;
		return false;
	}
	if (p->doubt_ms && s->now - p->doubt_ms >= patience) {
		p->doubt_ms = s->now;
		return true;
	}
	if (!p->doubt_ms)
		p->doubt_ms = s->now;
	rblk_policy_wake(s, p->doubt_ms + patience);
	return false;
}

/*
 * Somebody knows of more, or a record of this node was not chosen, or the members'
 * change is not settled: a round that changes nothing finds out.
 */
void rblk_policy_learn_more(struct step *s)
{
	uint8_t node;
	bool more = s->r.voters != s->r.voters_before;

	/* Was it chosen what this node last asked for, or what another asked it for? */
	if (rblk_policy_leads(s->a) && (s->a->has_pending || s->guess))
		more = true;
	if (is_long_in_doubt(s))
		more = true;
	/* A round that was given up may still end: another one ends it for certain. */
	if (s->a->phase != RBLK_ARBITER_IDLE && s->a->ballot == s->p->given_up)
		more = true;
	/* What this node accepted itself is what a promotion builds on. */
	if (s->r.version != s->a->store.record.version)
		more = true;
	for (node = 0; node < RBLK_POLICY_NODES; node++) {
		const struct rblk_policy_told *told = &s->v->peer[node].told;

		if (s->alive & bit(node) && node != s->c->self &&
		    (told->version > s->r.version ||
		     (told->version == s->r.version && told->term != s->r.term &&
		      s->guess)))
			more = true;
	}
	/* Before a fence vote counts, both voters were in one round. */
	if (rblk_policy_has_two_voters(s) && !s->a->synced && !(s->r.voters & ~s->alive))
		more = true;
	if (more && rblk_policy_is_enough(s, s->alive | rblk_policy_fenced(s)))
		rblk_policy_propose(s, RBLK_ARBITER_REFRESH, 0);
}

/* ---- fences */

void rblk_policy_fence(struct step *s, uint8_t node)
{
	const struct rblk_policy_peer *peer = &s->v->peer[node];

	if (s->a->fenced & bit(node)) {
		if (node == s->p->note_node)
			rblk_policy_note(s, RBLK_POLICY_NOTE_FENCED);
		return;
	}
	if (!(s->c->fenceable & bit(node)))
		return;
	if (peer->fence == RBLK_POLICY_FENCE_RUNS) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_FENCE, bit(node));
		return;
	}
	rblk_policy_waits(s, RBLK_POLICY_FOR_FENCE, bit(node));
	if (s->now < s->p->fence_ms[node]) {
		rblk_policy_wake(s, s->p->fence_ms[node]);
		return;
	}
	s->out->fence |= bit(node);
	s->p->fence_ms[node] = s->now + FENCE_AGAIN_MS;
}

/*
 * A vote is missing. With two voters a fence is what replaces it; and only if that
 * would count.
 */
void rblk_policy_fence_for_vote(struct step *s)
{
	uint16_t missing = s->r.voters & ~s->alive & ~s->a->fenced;
	uint8_t node;

	if (!rblk_policy_may_fence_vote(s))
		return;
	for (node = 0; node < RBLK_POLICY_NODES; node++)
		if (missing & bit(node) && s->v->peer[node].failed)
			rblk_policy_fence(s, node);
}

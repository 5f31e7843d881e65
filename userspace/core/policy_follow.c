// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy_follow.c - what a backup does: be promoted, or give up its own branch
 */
#include "policy_step.h"

/* ---- the backup */

/* Does the node hold more than the other; the same: does it have the lower id? */
static bool is_before(const struct step *s, uint8_t node, const struct rblk_policy_told *mine)
{
	const struct rblk_policy_told *told = &s->v->peer[node].told;
	uint8_t i;

	/* Who has less could only give way. */
	if (rblk_arbiter_is_partial(&s->r) && rblk_policy_has_more(told, mine))
		return true;
	if (rblk_arbiter_is_partial(&s->r) && rblk_policy_has_more(mine, told))
		return false;
	if (s->c->strategy == RBLK_POLICY_ELECTION)
		return false;
	if (s->c->strategy == RBLK_POLICY_SUCCESSOR) {
		for (i = 0; i < s->c->nr_successors; i++) {
			if (s->c->successor[i] == s->c->self)
				return false;
			if (s->c->successor[i] == node)
				return true;
		}
		return node < s->c->self;
	}
	if (rblk_policy_has_more(told, mine))
		return true;
	return !rblk_policy_has_more(mine, told) && node < s->c->self;
}

/* Nodes that are to be promoted rather than this one. */
static uint16_t better(const struct step *s)
{
	struct rblk_policy_told mine;
	uint16_t set = 0;
	uint8_t node;

	rblk_policy_tell(s->p, s->v, &mine);
	for (node = 0; node < RBLK_POLICY_NODES; node++)
		if (node != s->c->self && node != s->r.primary &&
		    s->alive & s->r.insync & bit(node) &&
		    s->v->peer[node].told.flags & RBLK_POLICY_CANDIDATE &&
		    is_before(s, node, &mine))
			set |= bit(node);
	return set;
}

/*
 * Nodes in sync that have what this one lacks: its disk lost it with the power. Where not
 * all have all, it is still the one that has, unless enough others know better.
 */
static uint16_t ahead(const struct step *s)
{
	uint16_t copies = rblk_policy_copies(s, RBLK_POLICY_EXACT) & ~bit(s->c->self);

	if (!rblk_arbiter_is_partial(&s->r))
		return rblk_policy_ahead(s, RBLK_POLICY_CANDIDATE);
	if (s->r.holder == s->c->self &&
	    (unsigned int)count(copies) < rblk_policy_copies_needed(s))
		return 0;
	return rblk_policy_ahead(s, RBLK_POLICY_EXACT | RBLK_POLICY_CANDIDATE);
}

/* Nodes that this one would have to give way to, promoted. */
static uint16_t has_to_wait_for(const struct step *s)
{
	if (!rblk_arbiter_is_partial(&s->r) || s->v->primary ||
	    !RBLK_POLICY_RULE(MOST_UP_TO_DATE))
		return 0;
	return ahead(s) & ~bit(s->r.primary);
}

/* Nodes in sync of which it is not known what they have, nor that they failed. */
static uint16_t unheard(const struct step *s)
{
	uint16_t set = 0;
	uint8_t node;

	for (node = 0; node < RBLK_POLICY_NODES; node++)
		if (node != s->c->self && s->r.insync & s->c->data & bit(node) &&
		    !s->v->peer[node].failed && !s->v->peer[node].told.version)
			set |= bit(node);
	return set;
}

/*
 * Is a primary wanted? One that is alive and does not lead may be about to be promoted
 * anew; it gets as long as its own lease could have lasted.
 */
static bool is_vacant(struct step *s)
{
	const struct rblk_policy_peer *peer;
	uint64_t patience = 2 * (s->a->lease + s->a->margin);

	if (s->r.primary == RBLK_POLICY_NOBODY)
		return !s->r.idle || s->v->request == RBLK_POLICY_WANT_PROMOTE;
	if (s->r.primary == s->c->self)
		return true;
	peer = &s->v->peer[s->r.primary];
	if (peer->failed) {
		s->p->idle_ms = 0;
		return true;
	}
	if (!peer->alive) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_VERDICT, bit(s->r.primary));
		return false;
	}
	/* It lost its register: it cannot lead again before somebody else had it vote. */
	if (peer->told.flags & RBLK_POLICY_MUTE)
		return true;
	if (!peer->told.term || peer->told.flags & RBLK_POLICY_LEADS ||
	    peer->told.term != s->r.term) {
		s->p->idle_ms = 0;
		return false;
	}
	if (!s->p->idle_ms)
		s->p->idle_ms = s->now;
	rblk_policy_waits(s, RBLK_POLICY_FOR_PRIMARY, bit(s->r.primary));
	rblk_policy_wake(s, s->p->idle_ms + patience);
	return !(peer->told.flags & (RBLK_POLICY_CANDIDATE | RBLK_POLICY_IS_PRIMARY)) ||
	       s->now - s->p->idle_ms >= patience;
}

/* How long after the vacancy was seen this node may try. */
static uint64_t turn_ms(const struct step *s, uint16_t others)
{
	uint64_t beats = (uint64_t)RANK_BEATS * count(others);

	if (s->r.primary == s->c->self || s->v->request == RBLK_POLICY_WANT_PROMOTE)
		return 0;
	if (s->r.primary == RBLK_POLICY_NOBODY)
		beats += HANDOVER_BEATS;
	else if (rblk_policy_has_two_voters(s))
		/* The primary, if it is alive, switches this node off first. */
		beats += RANK_BEATS;
	return beats * s->c->interval_ms;
}

static void see_vacancy(struct step *s)
{
	const uint8_t over = RBLK_POLICY_NOTE_PROMOTED | RBLK_POLICY_NOTE_GIVEN_UP;
	struct rblk_policy *p = s->p;

	if (p->vacant_ms && p->vacant_version == s->r.version)
		return;
	p->vacant_ms = s->now;
	p->vacant_version = s->r.version;
	if (s->r.primary != RBLK_POLICY_NOBODY && s->r.primary != s->c->self) {
		p->notes = 0;
		p->note_node = s->r.primary;
		rblk_policy_note(s, RBLK_POLICY_NOTE_DETECTED);
		return;
	}
	/* After an attempt that is over this is another. */
	if (p->notes & over)
		p->notes = 0;
	if (!p->notes)
		p->note_node = s->c->self;
}

/*
 * Are too few copies known for this node to become more than the register's primary? That
 * it may be all the same for the node that has all to vote again.
 */
static bool knows_too_few(const struct step *s)
{
	if (rblk_policy_holds(&s->r, s->c->self) ||
	    (s->alive & bit(s->r.holder) && !rblk_policy_holder_votes(s)))
		return false;
	return (unsigned int)count(rblk_policy_copies(s, RBLK_POLICY_EXACT)) <
	       rblk_policy_copies_needed(s);
}

enum rblk_policy_reason rblk_policy_why_not(const struct step *s)
{
	if (s->a->mute)
		return RBLK_POLICY_IS_MUTE;
	if (!s->v->data_good || !(s->c->data & bit(s->c->self)))
		return RBLK_POLICY_DATA_BAD;
	if (RBLK_POLICY_RULE(ONLY_IN_SYNC) && !(s->r.insync & bit(s->c->self)))
		return RBLK_POLICY_NOT_IN_SYNC;
	if (knows_too_few(s))
		return RBLK_POLICY_ACKS_TOO_FEW;
	return RBLK_POLICY_FINE;
}

static uint16_t nodes_that_connect(const struct step *s)
{
	return rblk_policy_nodes_that(s, rblk_policy_is_connected, s->c->data);
}

/* It is this node's turn: fence the old primary, if any, and ask. */
static void try_promotion(struct step *s)
{
	uint8_t old = s->r.primary;
	uint16_t keep = s->r.insync;
	bool word;

	/*
	 * What a kernel has under way waits for all: for the leader to change. Else who is
	 * lost is passed over, and who has more: it could only give that up.
	 */
	if (!s->v->primary)
		keep &= nodes_that_connect(s) & ~ahead(s);
	if (old == s->c->self || old >= RBLK_POLICY_NODES)
		old = RBLK_POLICY_NOBODY;
	else if (s->v->peer[old].failed &&
		 (!rblk_policy_has_two_voters(s) || rblk_policy_may_fence_vote(s)))
		rblk_policy_fence(s, old);
	if (s->out->shun & nodes_that_connect(s))
		return;
	if (!rblk_policy_is_enough(s, s->alive | rblk_policy_fenced(s))) {
		rblk_policy_fence_for_vote(s);
		rblk_policy_waits(s, RBLK_POLICY_NO_MAJORITY, s->r.voters & ~s->alive);
		return;
	}
	word = s->a->grant_term && s->a->grant_until > s->now &&
	       s->a->grant_holder != s->c->self && old != RBLK_POLICY_NOBODY;
	/* Who may lack something passes nobody over, and so says of nobody that he is off. */
	if (word && (!(s->a->fenced & bit(s->a->grant_holder)) ||
		     rblk_arbiter_is_partial(&s->r))) {
		/* The other voters gave theirs at about the same time. */
		s->out->waits = RBLK_POLICY_FOR_OLD_LEASE;
		s->out->waits_for = bit(s->a->grant_holder);
		rblk_policy_wake(s, s->a->grant_until);
		return;
	}
	rblk_policy_note(s, RBLK_POLICY_NOTE_DECIDED);
	rblk_policy_propose(s, RBLK_ARBITER_PROMOTE, keep | bit(s->c->self));
}

static void stand(struct step *s)
{
	enum rblk_policy_reason no = rblk_policy_why_not(s);
	uint16_t others = better(s);
	uint64_t turn;

	see_vacancy(s);
	if (no != RBLK_POLICY_FINE || s->now < s->p->stay_back_ms ||
	    (s->v->stays_away && s->v->request != RBLK_POLICY_WANT_PROMOTE)) {
		if (no == RBLK_POLICY_ACKS_TOO_FEW)
			rblk_policy_wait_for_copies(s,
				rblk_policy_copies(s, RBLK_POLICY_EXACT));
		rblk_policy_waits(s, no, bit(s->c->self));
		/* Whoever else can should not have to wait for this node. */
		if (s->r.primary == s->c->self && !s->v->busy && !s->a->mute &&
		    !s->v->primary)
			rblk_policy_propose(s, RBLK_ARBITER_DEMOTE,
				s->c->data & ~bit(s->c->self));
		return;
	}
	if (unheard(s) && !s->v->primary &&
	    s->now - s->p->vacant_ms < s->a->lease + s->a->margin) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_VERDICT, unheard(s));
		return;
	}
	if (s->r.primary == s->c->self && !s->v->primary && ahead(s)) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_BETTER, ahead(s));
		rblk_policy_propose(s, RBLK_ARBITER_DEMOTE, ahead(s));
		return;
	}
	if (has_to_wait_for(s)) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_BETTER, has_to_wait_for(s));
		return;
	}
	turn = s->p->vacant_ms + turn_ms(s, others);
	if (s->now < turn) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_BETTER, others);
		rblk_policy_wake(s, turn);
		return;
	}
	s->stands = true;
	if (!s->v->primary)
		s->out->shun = rblk_policy_maybe_primaries(s) | s->p->shunned;
	try_promotion(s);
}

/*
 * What this node has and the primary lacks was never acknowledged, if the chosen
 * record passed this node over and its data is of a generation before that.
 */
static void discard(struct step *s)
{
	const struct rblk_policy_peer *peer;

	if (s->r.primary >= RBLK_POLICY_NODES || s->r.primary == s->c->self)
		return;
	peer = &s->v->peer[s->r.primary];
	if (!peer->connected || !peer->is_primary || !peer->diverged)
		return;
	if (!s->a->learned || s->guess) {
		rblk_policy_propose(s, RBLK_ARBITER_REFRESH, 0);
		return;
	}
	if (RBLK_POLICY_RULE(DISCARD_IF_PASSED_OVER) &&
	    (s->r.insync & bit(s->c->self) ||
	     rblk_policy_gen_of(s->v->data_gen) >= s->r.gen))
		return;
	if (!s->v->busy && s->now >= s->p->hold_off_ms) {
		s->out->kernel = RBLK_POLICY_KERNEL_DISCARD;
		s->out->peer = s->r.primary;
	}
}

/* Nobody is to be promoted now: what comes next is another failover. */
static void end_notes(struct step *s)
{
	struct rblk_policy *p = s->p;

	/* A round that was asked may still promote this node. */
	if (rblk_policy_asks_for_promotion(s))
		return;
	if (p->notes && !(p->notes & RBLK_POLICY_NOTE_PROMOTED))
		rblk_policy_note(s, RBLK_POLICY_NOTE_GIVEN_UP);
	p->notes = 0;
}

void rblk_policy_follow(struct step *s)
{
	if (is_vacant(s)) {
		stand(s);
		return;
	}
	end_notes(s);
	s->p->vacant_ms = 0;
	if (s->r.primary == RBLK_POLICY_NOBODY)
		rblk_policy_waits(s, RBLK_POLICY_FOR_ADMIN, 0);
	else if (!rblk_policy_holds(&s->r, s->r.primary))
		rblk_policy_waits(s, RBLK_POLICY_FOR_PRIMARY, bit(s->r.primary));
	discard(s);
}

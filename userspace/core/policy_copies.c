// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy_copies.c - who has everything, where a write is not on all nodes in sync
 *
 * A record with acks = N says: what was acknowledged is on N + 1 of its n nodes in sync.
 * Of n - N of them one has it, and who has the most of those has all of it. But what a
 * node holds says something only when it cannot confirm more to the old primary. So a
 * node is promoted by the register first, which ends the old one's lease; then the others
 * say what they hold; and only when that is enough the kernel is promoted. Until then
 * the record's holder is the former primary: it has all, whatever the others say.
 */
#include "policy_step.h"

/* 0 is all of them. */
uint8_t rblk_policy_more_acks(uint8_t a, uint8_t b)
{
	return !a || !b ? 0 : a > b ? a : b;
}

/* Has the node, in sync, by the record all that was acknowledged? */
bool rblk_policy_holds(const struct rblk_arbiter_record *r, uint8_t node)
{
	return !rblk_arbiter_is_partial(r) || r->holder == node;
}

bool rblk_policy_has_more(const struct rblk_policy_told *a, const struct rblk_policy_told *b)
{
	if (a->data_gen != b->data_gen)
		return a->data_gen > b->data_gen;
	return a->data_seq > b->data_seq;
}

unsigned int rblk_policy_copies_needed(const struct step *s)
{
	unsigned int needed = count(s->r.insync) - rblk_arbiter_copies(&s->r) + 1;

	return RBLK_POLICY_RULE(ENOUGH_COPIES) ? needed : 1;
}

/* Nodes in sync, this one among them, that say all of @flags; SETTLED: of this promotion. */
uint16_t rblk_policy_copies(const struct step *s, uint8_t flags)
{
	struct rblk_policy_told mine;
	uint16_t set = 0;
	uint8_t node;

	rblk_policy_tell(s->p, s->v, &mine);
	for (node = 0; node < RBLK_POLICY_NODES; node++) {
		const struct rblk_policy_told *told = node == s->c->self ? &mine :
						      &s->v->peer[node].told;

		if (s->alive & s->r.insync & bit(node) && (told->flags & flags) == flags &&
		    (!(flags & RBLK_POLICY_SETTLED) || told->term == s->r.term))
			set |= bit(node);
	}
	return set;
}

/* Those of them that hold more than this node. */
uint16_t rblk_policy_ahead(const struct step *s, uint8_t flags)
{
	uint16_t copies = rblk_policy_copies(s, flags), set = 0;
	struct rblk_policy_told mine;
	uint8_t node;

	rblk_policy_tell(s->p, s->v, &mine);
	for (node = 0; node < RBLK_POLICY_NODES; node++)
		if (node != s->c->self && copies & bit(node) &&
		    rblk_policy_has_more(&s->v->peer[node].told, &mine))
			set |= bit(node);
	return set;
}

void rblk_policy_wait_for_copies(struct step *s, uint16_t copies)
{
	rblk_policy_waits(s, RBLK_POLICY_ACKS_TOO_FEW, s->r.insync & ~copies);
	s->out->copies = count(copies);
	s->out->copies_needed = rblk_policy_copies_needed(s);
}

/*
 * Whoever leads was chosen: nobody else's kernel completes anything from now on. What
 * this node holds when it looks again is all that it ever confirmed.
 */
void rblk_policy_hear(struct step *s)
{
	const struct rblk_policy_told *told = &s->v->peer[s->r.primary & 0xf].told;
	struct rblk_policy *p = s->p;

	if (s->r.primary >= RBLK_POLICY_NODES || p->heard_term == s->r.term)
		return;
	if (s->r.primary == s->c->self ? s->a->lead_term != s->r.term :
	    !(told->flags & RBLK_POLICY_LEADS) || told->term != s->r.term)
		return;
	p->heard_term = s->r.term;
	p->heard_ms = s->now;
	rblk_policy_wake(s, s->now + 1);
}

/* Whoever lost its register, or does not vote, cannot be promoted before it votes again. */
bool rblk_policy_holder_votes(const struct step *s)
{
	return s->r.voters & s->r.voters_before & bit(s->r.holder) &&
	       !(rblk_policy_copies(s, RBLK_POLICY_MUTE) & bit(s->r.holder));
}

/* The holder has all. Those who could tell are too few, or do not. */
static bool must_give_way(const struct step *s)
{
	const struct rblk_policy_told *told = &s->v->peer[s->r.holder].told;

	if (!(rblk_policy_copies(s, RBLK_POLICY_CANDIDATE) & bit(s->r.holder)) ||
	    told->term != s->r.term || !rblk_policy_holder_votes(s))
		return false;
	return (unsigned int)count(rblk_policy_copies(s, RBLK_POLICY_EXACT)) <
	       rblk_policy_copies_needed(s) ||
	       s->now - s->p->heard_ms >= s->a->lease + s->a->margin;
}

/* Promoted by the register: does this node have all that was acknowledged? */
void rblk_policy_prove(struct step *s)
{
	uint8_t flags = RBLK_POLICY_RULE(COPIES_SETTLED) ? RBLK_POLICY_SETTLED :
							   RBLK_POLICY_EXACT;
	uint16_t copies = rblk_policy_copies(s, flags);
	uint16_t ahead = rblk_policy_ahead(s, flags);
	bool enough = (unsigned int)count(copies) >= rblk_policy_copies_needed(s);

	if (!RBLK_POLICY_RULE(MOST_UP_TO_DATE))
		ahead = 0;
	if (!enough && must_give_way(s))
		ahead = bit(s->r.holder);
	else if (!enough)
		ahead = 0;
	if (ahead) {
		s->p->stay_back_ms = s->now + (uint64_t)STAY_BACK_BEATS * s->c->interval_ms;
		rblk_policy_note(s, RBLK_POLICY_NOTE_GIVEN_UP);
		rblk_policy_waits(s, RBLK_POLICY_FOR_BETTER, ahead);
		rblk_policy_propose(s, RBLK_ARBITER_DEMOTE, ahead);
	} else if (enough) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_VOTES, s->r.voters & ~bit(s->c->self));
		rblk_policy_propose(s, RBLK_ARBITER_HOLD, bit(s->c->self));
	} else {
		rblk_policy_wait_for_copies(s, copies);
	}
}

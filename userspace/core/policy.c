// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy.c - what a node does next about one resource, with failover = auto
 *
 * rblk_policy_step() is the whole on one screen. policy_step.c has what it knows, rounds
 * and fences; policy_lead.c the leader, policy_follow.c the backup; policy_copies.c who
 * has everything, where not all have.
 */
#include "policy_step.h"

#include <string.h>

/* ---- what an admin asked for */

static void ask_primary(struct step *s)
{
	struct rblk_policy *p = s->p;

	if (!p->asked_since_ms)
		p->asked_since_ms = s->now;
	if (s->now - p->asked_since_ms >= (uint64_t)ASK_BEATS * s->c->interval_ms + 2000) {
		rblk_policy_done(s, RBLK_POLICY_TIMED_OUT);
		return;
	}
	rblk_policy_waits(s, RBLK_POLICY_FOR_PRIMARY, bit(s->r.primary));
	if (p->asked_ms && s->now - p->asked_ms < ASK_AGAIN_MS) {
		rblk_policy_wake(s, p->asked_ms + ASK_AGAIN_MS);
		return;
	}
	p->asked_ms = s->now;
	s->out->handover = RBLK_POLICY_HANDOVER_ASK;
	s->out->handover_to = s->r.primary;
}

static void serve_promote(struct step *s)
{
	enum rblk_policy_reason no = rblk_policy_why_not(s);
	bool other = s->r.primary < RBLK_POLICY_NODES && s->r.primary != s->c->self &&
		     s->v->peer[s->r.primary].alive;

	if (rblk_policy_leads(s->a)) {
		if (s->v->primary)
			rblk_policy_done(s, RBLK_POLICY_FINE);
		return;
	}
	/* Whether this node may be in sync is the primary's to say. */
	if (no != RBLK_POLICY_FINE && !(no == RBLK_POLICY_NOT_IN_SYNC && other))
		rblk_policy_done(s, no);
	else if (other)
		ask_primary(s);
}

static void serve(struct step *s)
{
	bool other = s->r.primary != RBLK_POLICY_NOBODY && s->r.primary != s->c->self;

	if (s->v->request != RBLK_POLICY_WANT_PROMOTE)
		s->p->asked_since_ms = 0;
	switch (s->v->request) {
	case RBLK_POLICY_WANT_NOTHING:
		break;
	case RBLK_POLICY_WANT_PROMOTE:
		s->p->stay_back_ms = 0;
		serve_promote(s);
		break;
	case RBLK_POLICY_WANT_DEMOTE:
		if (other)
			rblk_policy_done(s, RBLK_POLICY_NOT_PRIMARY);
		else if (s->r.primary == RBLK_POLICY_NOBODY && !s->v->primary)
			rblk_policy_done(s, RBLK_POLICY_FINE);
		break;
	case RBLK_POLICY_WANT_AWAY:
		if (s->r.primary != s->c->self && !s->v->primary)
			rblk_policy_done(s, RBLK_POLICY_FINE);
		break;
	}
	if (!rblk_policy_asks(s))
		return;
	if (other)
		rblk_policy_answer(s, RBLK_POLICY_HANDOVER_REFUSED, RBLK_POLICY_NOT_PRIMARY);
	else if (s->r.primary == RBLK_POLICY_NOBODY && !s->v->primary)
		rblk_policy_answer(s, RBLK_POLICY_HANDOVER_OK, RBLK_POLICY_FINE);
}

/* ---- the kernel's role */

/* Promoted by the arbiter, not by the kernel yet. */
static void take_office(struct step *s)
{
	if (s->v->busy) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_KERNEL, 0);
		return;
	}
	if (!rblk_policy_may_be_promoted(s)) {
		rblk_policy_note(s, RBLK_POLICY_NOTE_GIVEN_UP);
		rblk_policy_propose(s, RBLK_ARBITER_DEMOTE, s->c->data & ~bit(s->c->self));
		return;
	}
	/* refused just now, and an admin insists: not at once again */
	if (s->now < s->p->hold_off_ms) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_KERNEL, 0);
		rblk_policy_wake(s, s->p->hold_off_ms);
		return;
	}
	/* What may not be chosen proves nothing. */
	if (!rblk_policy_holds(&s->a->known, s->c->self)) {
		rblk_policy_prove(s);
		return;
	}
	if (rblk_policy_set_acks(s)) {
		rblk_policy_waits(s, RBLK_POLICY_FOR_KERNEL, 0);
		return;
	}
	s->out->kernel = RBLK_POLICY_KERNEL_PROMOTE;
	s->out->generation = rblk_policy_generation(s->a->known.gen, s->v->random,
						    s->c->self);
	s->out->in_sync = rblk_policy_wanted_in_sync(s);
	rblk_policy_waits(s, RBLK_POLICY_FOR_KERNEL, 0);
}

/*
 * The kernel is primary and this start of the daemon did not see it promoted. If the
 * register says the same, all goes on under the lease that there is.
 */
static void reclaim(struct step *s)
{
	bool away = s->a->mute;
	uint8_t node;

	for (node = 0; away && node < RBLK_POLICY_NODES; node++)
		if (s->v->peer[node].told.flags & RBLK_POLICY_LEADS)
			break;
	away = away && node < RBLK_POLICY_NODES;
	if (s->r.primary == s->c->self && !away)
		return;
	if (!s->v->leased || s->v->lease_until_ms)
		s->out->stop = true;
	if (!away && (!s->a->learned || s->guess)) {
		rblk_policy_propose(s, RBLK_ARBITER_REFRESH, 0);
		return;
	}
	if (!s->v->busy && s->now >= s->p->hold_off_ms)
		s->out->kernel = RBLK_POLICY_KERNEL_DEMOTE_FORCE;
}

/*
 * A primary that the register does not know of must not copy over this node's data;
 * nor must the one that is to be replaced. That a link showed it to be primary is not seen
 * any more when the link was ended because of that.
 */
static void shun_primaries(struct step *s)
{
	if (s->v->primary || s->a->mute || !RBLK_POLICY_RULE(SHUN) ||
	    !RBLK_POLICY_RULE(GENERATION))
		return;
	s->out->shun = rblk_policy_maybe_primaries(s);
	if (rblk_policy_may_be_chosen(s))
		s->out->shun |= s->p->shunned;
	else
		s->out->shun &= ~bit(s->r.primary);
}

static bool shows_primary(const struct step *s, uint8_t node)
{
	return s->v->peer[node].is_primary;
}

static void remember_shunned(struct step *s)
{
	if (!s->stands && !rblk_policy_may_be_chosen(s))
		s->p->shunned = 0;
	s->p->shunned |= rblk_policy_nodes_that(s, shows_primary, s->out->shun);
}

/* An action failed: not again at once; and if it was a promotion, somebody else. */
static void count_failures(struct step *s)
{
	struct rblk_policy *p = s->p;

	if (s->v->failures == p->failures)
		return;
	p->failures = s->v->failures;
	p->hold_off_ms = s->now + 2ULL * s->c->interval_ms;
	if (p->last == RBLK_POLICY_KERNEL_PROMOTE)
		p->stay_back_ms = s->now + (uint64_t)STAY_BACK_BEATS * s->c->interval_ms;
	if (p->last == RBLK_POLICY_KERNEL_DEMOTE)
		rblk_policy_refuse_to_leave(s, RBLK_POLICY_IN_USE);
}

static void look(struct step *s)
{
	uint8_t node;

	s->r = rblk_policy_newest(s->a);
	s->guess = !s->a->learned || s->a->known.version != s->r.version ||
		   s->a->known.term != s->r.term;
	s->alive = bit(s->c->self);
	for (node = 0; node < RBLK_POLICY_NODES; node++)
		if (s->v->peer[node].alive)
			s->alive |= bit(node);
	s->out->wake_at_ms = s->now + rblk_policy_after_beat_ms(s);
	s->out->peer = RBLK_POLICY_NOBODY;
	s->out->handover_to = RBLK_POLICY_NOBODY;
	s->out->note_node = RBLK_POLICY_NOBODY;
}

void rblk_policy_step(struct rblk_policy *p, const struct rblk_policy_view *view,
		      uint64_t now_ms, struct rblk_policy_out *out)
{
	struct step s = {
		.p = p, .v = view, .a = view->arbiter, .c = &p->config,
		.out = out, .now = now_ms,
	};

	memset(out, 0, sizeof(*out));
	look(&s);
	rblk_policy_end_round(&s);
	if (view->up) {
		count_failures(&s);
		if (s.a->mute)
			rblk_policy_waits(&s, RBLK_POLICY_IS_MUTE, bit(p->config.self));
		shun_primaries(&s);
		rblk_policy_hear(&s);
		serve(&s);
		if (rblk_policy_leads(s.a)) {
			if (rblk_policy_wants_to_leave(&s))
				rblk_policy_leave(&s);
			else if (!view->primary)
				take_office(&s);
			rblk_policy_lead(&s);
		} else {
			p->dropping = 0;
			if (view->primary)
				reclaim(&s);
			if (s.r.primary == p->config.self && rblk_policy_wants_to_leave(&s))
				rblk_policy_leave(&s);
			else
				rblk_policy_follow(&s);
		}
	}
	if (!s.a->mute)
		rblk_policy_learn_more(&s);
	if (out->kernel != RBLK_POLICY_KERNEL_NONE)
		p->last = out->kernel;
	remember_shunned(&s);
}

void rblk_policy_tell(const struct rblk_policy *p, const struct rblk_policy_view *view,
		      struct rblk_policy_told *told)
{
	const struct rblk_arbiter *a = view->arbiter;
	struct rblk_arbiter_record r = rblk_policy_newest(a);

	memset(told, 0, sizeof(*told));
	told->primary = r.primary;
	told->version = r.version;
	told->term = r.term;
	told->data_gen = view->data_gen;
	told->data_seq = view->data_seq;
	if (view->primary)
		told->flags |= RBLK_POLICY_IS_PRIMARY;
	if (rblk_policy_leads(a))
		told->flags |= RBLK_POLICY_LEADS;
	if (a->mute)
		told->flags |= RBLK_POLICY_MUTE;
	if (view->up && view->data_good && p->config.data & bit(p->config.self) &&
	    !a->mute && !view->stays_away)
		told->flags |= RBLK_POLICY_CANDIDATE;
	if (!view->up || !view->data_good || a->mute ||
	    (!view->exact && RBLK_POLICY_RULE(COPIES_EXACT)))
		return;
	told->flags |= RBLK_POLICY_EXACT;
	if (p->heard_term && p->heard_term == r.term && view->looked_ms > p->heard_ms)
		told->flags |= RBLK_POLICY_SETTLED;
}

void rblk_policy_start(struct rblk_policy *p, const struct rblk_policy_config *config)
{
	memset(p, 0, sizeof(*p));
	p->config = *config;
	p->note_node = RBLK_POLICY_NOBODY;
}

static const char *const reasons[__RBLK_POLICY_REASON_END] = {
	[RBLK_POLICY_FINE] = "nothing",
	[RBLK_POLICY_IS_MUTE] = "its arbiter cannot be asked",
	[RBLK_POLICY_NO_MAJORITY] = "no majority of the voters is heard of",
	[RBLK_POLICY_IN_USE] = "a volume is open",
	[RBLK_POLICY_NOT_IN_SYNC] = "it may lack acknowledged writes",
	[RBLK_POLICY_NOT_FOLLOWING] = "it does not follow the primary",
	[RBLK_POLICY_DATA_BAD] = "its data is inconsistent, or it has no disk",
	[RBLK_POLICY_NOT_PRIMARY] = "it is not the primary",
	[RBLK_POLICY_MIN_IN_SYNC] = "too few nodes would be in sync",
	[RBLK_POLICY_ACKS_TOO_FEW] =
		"enough copies to know which has every acknowledged write (acks)",
	[RBLK_POLICY_FOR_FENCE] = "a node to be switched off",
	[RBLK_POLICY_FOR_OLD_LEASE] = "the former primary's lease to run out",
	[RBLK_POLICY_FOR_VOTES] = "the voters' answers",
	[RBLK_POLICY_FOR_LEASE] = "the voters to confirm the lease",
	[RBLK_POLICY_FOR_DROP] = "a lost node to return, or to leave the in-sync set",
	[RBLK_POLICY_FOR_RESYNC] = "a node to be brought level",
	[RBLK_POLICY_FOR_BETTER] = "another node to be promoted first",
	[RBLK_POLICY_FOR_VERDICT] = "certainty that a node failed",
	[RBLK_POLICY_FOR_PRIMARY] = "the primary to take its place",
	[RBLK_POLICY_FOR_KERNEL] = "the module",
	[RBLK_POLICY_FOR_ADMIN] = "an admin to say who is to be primary",
	[RBLK_POLICY_TIMED_OUT] = "it took too long",
};

const char *rblk_policy_reason_text(enum rblk_policy_reason reason)
{
	return reason < __RBLK_POLICY_REASON_END ? reasons[reason] : "?";
}

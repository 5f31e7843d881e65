// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy_lead.c - what the node does that was promoted
 */
#include "policy_step.h"

/* ---- the leader */

static void renew(struct step *s)
{
	struct rblk_policy *p = s->p;
	uint64_t until = rblk_arbiter_lease_until(s->a);
	uint64_t ago = s->now - p->renewed_ms;

	/* with the beats if possible: leases of many resources share their datagrams */
	if (p->renewed_term != s->a->lead_term || ago >= s->c->interval_ms ||
	    (s->v->beat && ago >= s->c->interval_ms / 2)) {
		s->out->renew = true;
		p->renewed_term = s->a->lead_term;
		p->renewed_ms = s->now;
	}
	rblk_policy_wake(s, p->renewed_ms + rblk_policy_after_beat_ms(s));
	if (!s->v->primary)
		return;
	/* A lease of a former term runs until this one's is longer. */
	if (until > s->v->lease_until_ms ||
	    (until < s->v->lease_until_ms && p->lease_term == s->a->lead_term)) {
		s->out->set_lease = true;
		s->out->lease_until_ms = until;
		p->lease_term = s->a->lead_term;
	}
	if (until > s->now)
		rblk_policy_note(s, RBLK_POLICY_NOTE_PROMOTED);
	else
		rblk_policy_waits(s, rblk_policy_is_enough(s, s->alive | rblk_policy_fenced(s)) ?
			 RBLK_POLICY_FOR_LEASE : RBLK_POLICY_NO_MAJORITY,
		      s->r.voters & ~s->alive);
}

/* Which of those that writes wait for are lost. */
static uint16_t find_lost(struct step *s, uint16_t members)
{
	struct rblk_policy *p = s->p;
	uint16_t lost = 0, bad = 0;
	uint8_t node;

	for (node = 0; node < RBLK_POLICY_NODES; node++) {
		const struct rblk_policy_peer *peer = &s->v->peer[node];

		if (node == s->c->self || !(members & bit(node)) || rblk_policy_is_well(s, node)) {
			p->bad_ms[node] = 0;
			continue;
		}
		bad |= bit(node);
		if (!p->bad_ms[node])
			p->bad_ms[node] = s->now;
		if (peer->failed || peer->diverged ||
		    s->now - p->bad_ms[node] >= s->c->grace_ms)
			lost |= bit(node);
		else
			rblk_policy_wake(s, p->bad_ms[node] + s->c->grace_ms);
	}
	if (bad)
		rblk_policy_waits(s, RBLK_POLICY_FOR_DROP, bad);
	return lost;
}

/* As many as there are others with the data is all. */
static uint8_t configured_acks(const struct step *s)
{
	uint16_t others = s->c->data & s->c->synchronous & ~bit(s->c->self);

	return s->c->acks < count(others) ? s->c->acks : 0;
}

/*
 * Where the record counts acknowledgments, what comes next depends on what was chosen:
 * a round that changes nothing finds out.
 */
static bool is_unsettled(const struct step *s)
{
	return s->a->has_pending && (s->a->known.acks || s->a->pending.acks);
}

/* As many as anything says that may be chosen, and as is configured. */
static uint8_t promised_acks(const struct step *s)
{
	const struct rblk_arbiter *a = s->a;
	uint8_t acks = rblk_policy_more_acks(a->known.acks, configured_acks(s));

	if (!RBLK_POLICY_RULE(ACKS_CHOSEN))
		return configured_acks(s);
	if (a->has_pending)
		acks = rblk_policy_more_acks(acks, a->pending.acks);
	if (a->phase != RBLK_ARBITER_IDLE && a->change == RBLK_ARBITER_ACKS)
		acks = rblk_policy_more_acks(acks, a->mask);
	return acks;
}

static bool is_diverged(const struct step *s, uint8_t node)
{
	return s->v->peer[node].diverged;
}

/*
 * A node that writes need not wait for, by its protocol, and that asks to take over: it is
 * in sync first, as long as it asks.
 */
static uint16_t guest(const struct step *s)
{
	if (s->v->opened)
		return 0;
	return rblk_policy_nodes_that(s, rblk_policy_is_well, bit(s->v->asked_by) &
				      s->c->data & ~s->c->synchronous);
}

/* Those of them that follow and acknowledged what was numbered below that. */
static uint16_t find_level(const struct step *s, uint16_t of, uint64_t seq)
{
	uint16_t well = rblk_policy_nodes_that(s, rblk_policy_is_well, of), set = 0;
	uint8_t node;

	for (node = 0; node < RBLK_POLICY_NODES; node++)
		if (well & bit(node) && s->v->peer[node].acked_seq + 1 >= seq)
			set |= bit(node);
	return set;
}

/* Are so many of the other members level as must be for so many acknowledgments? */
static bool are_level(const struct step *s, uint16_t members, uint8_t acks, uint64_t seq)
{
	int others = count(members & ~bit(s->c->self));
	int level = count(find_level(s, members, seq));

	return level >= (acks && acks < others ? acks : others);
}

/* Those who leave, or may have left: nothing that is acknowledged may rely on them. */
static uint16_t leaving(const struct step *s)
{
	const struct rblk_arbiter *a = s->a;
	uint16_t set = s->p->dropping;

	if (a->has_pending)
		set |= ~a->pending.insync;
	if (a->phase != RBLK_ARBITER_IDLE && a->change == RBLK_ARBITER_DROP)
		set |= a->mask;
	return RBLK_POLICY_RULE(DROP_UNCOUNTED) ? set & a->known.insync : 0;
}

/*
 * What was acknowledged must be on as many of those who stay. So no acknowledgment of
 * one who leaves may count any more, and then those who stay have to be level.
 */
static bool may_leave(struct step *s, uint16_t members, uint16_t lost)
{
	struct rblk_policy *p = s->p;

	if (p->dropping != lost)
		p->drop_seq = 0;
	p->dropping = lost;
	if (s->v->busy || s->v->acks != rblk_policy_wanted_acks(s) ||
	    s->v->in_sync != rblk_policy_wanted_in_sync(s))
		return false;
	if (!p->drop_seq)
		p->drop_seq = s->v->last_seq + 1;
	return are_level(s, members & ~lost, promised_acks(s), p->drop_seq);
}

static void drop(struct step *s)
{
	uint16_t members = s->a->insync & s->c->data;
	uint16_t lost = find_lost(s, members);

	if (is_unsettled(s))
		return;
	if (s->a->known.acks)
		members = s->a->known.insync;
	/* Writes need not wait for those once they are out. */
	lost |= s->c->data & ~s->c->synchronous & ~bit(s->c->self) & ~guest(s);
	lost &= members;
	if (RBLK_POLICY_RULE(MIN_IN_SYNC) && lost &&
	    s->c->min_in_sync > count(members & ~lost)) {
		s->out->waits = RBLK_POLICY_MIN_IN_SYNC;
		s->out->waits_for = lost;
		/*
		 * One with a branch of its own gives it up only when it is out, and
		 * comes back then. The kernel goes on waiting for it.
		 */
		lost = rblk_policy_nodes_that(s, is_diverged, lost);
	}
	if (!lost || !rblk_arbiter_is_partial(&s->a->known) || !RBLK_POLICY_RULE(DROP_LEVEL))
		s->p->dropping = 0;
	else if (!may_leave(s, members, lost))
		lost = 0;
	if (lost)
		rblk_policy_propose(s, RBLK_ARBITER_DROP, lost);
}

static uint16_t nodes_outside(const struct step *s)
{
	return rblk_policy_nodes_that(s, rblk_policy_is_connected,
				      s->c->data & ~s->a->known.insync);
}

/*
 * With fewer acknowledgments than there are others in sync one of a node that joins must
 * not take the place of theirs before it is in. Nor need it: it may lack as much as they.
 */
static bool joins_unasked(const struct step *s)
{
	uint8_t acks = rblk_policy_wanted_acks(s);

	return acks && acks < count(s->a->known.insync) && RBLK_POLICY_RULE(JOIN_UNASKED);
}

/*
 * Nodes outside that follow, and are to be waited for: for no more than that the kernel,
 * which waits for so many, waits for all.
 */
static uint16_t find_joining(const struct step *s)
{
	uint16_t set = rblk_policy_nodes_that(s, rblk_policy_is_well,
					      s->c->data & ~s->a->known.insync &
					      (s->c->synchronous | guest(s)));
	uint8_t acks = rblk_policy_wanted_acks(s);
	uint16_t new = set & ~s->a->insync;

	while (acks && !joins_unasked(s) && new &&
	       count(s->a->insync | new) - 1 > acks && RBLK_POLICY_RULE(JOIN_UNASKED))
		new &= new - 1;
	return (set & s->a->insync) | new;
}

/* Does it have, since writes wait for it, all that was written until then? */
static bool has_joined(const struct step *s, uint8_t node)
{
	struct rblk_policy *p = s->p;

	if (!RBLK_POLICY_RULE(ADD_UP_TO_DATE))
		return true;
	if (s->v->busy || !(s->v->in_sync & bit(node)) != joins_unasked(s))
		return false;
	if (!p->join_seq[node])
		p->join_seq[node] = s->v->last_seq + 1;
	return s->v->peer[node].acked_seq + 1 >= p->join_seq[node];
}

/*
 * First the kernel waits for the node with each write, then the node acknowledges
 * all that was written until then; only then it is proposed.
 */
static void add(struct step *s)
{
	struct rblk_policy *p = s->p;
	uint16_t ready = 0, outside = nodes_outside(s);
	uint8_t node;

	p->joining = find_joining(s);
	for (node = 0; node < RBLK_POLICY_NODES; node++) {
		if (!(p->joining & bit(node)))
			p->join_seq[node] = 0;
		else if (has_joined(s, node))
			ready |= bit(node);
	}
	if (ready && !is_unsettled(s))
		rblk_policy_propose(s, RBLK_ARBITER_ADD, ready);
	if (outside)
		rblk_policy_waits(s, RBLK_POLICY_FOR_RESYNC, outside);
}

/* Nodes leave the kernel's set only when that is chosen, and enter before. */
uint16_t rblk_policy_wanted_in_sync(const struct step *s)
{
	uint16_t set = s->a->insync;

	if (joins_unasked(s))
		return (s->a->known.insync & ~leaving(s)) | bit(s->c->self);
	if (!RBLK_POLICY_RULE(DROP_CHOSEN) && s->out->propose &&
	    s->out->change == RBLK_ARBITER_DROP)
		set &= ~s->out->mask;
	return set | s->p->joining | bit(s->c->self);
}

/* After each change a round that changes nothing settles it: rblk_policy_learn_more(). */
static void change_voters(struct step *s)
{
	const struct rblk_arbiter_record *r = &s->a->known;
	bool votes = r->voters & s->v->voter;

	if (s->v->voter && r->voters == r->voters_before && votes != s->v->voter_joins)
		rblk_policy_propose(s, votes ? RBLK_ARBITER_DEL_VOTER :
				    RBLK_ARBITER_ADD_VOTER, s->v->voter);
}

/*
 * What the kernel has under way was let in for as many nodes as min-in-sync asks for,
 * one that was about to join among them. It waits until others are there.
 */
static bool would_be_too_few(struct step *s, uint16_t set)
{
	if (!RBLK_POLICY_RULE(MIN_IN_SYNC) || count(set) >= s->c->min_in_sync ||
	    count(s->v->in_sync) < s->c->min_in_sync)
		return false;
	rblk_policy_waits(s, RBLK_POLICY_MIN_IN_SYNC, s->v->in_sync & ~set);
	return true;
}

/* If too few would be left, nothing is acknowledged before it is chosen that they leave. */
uint8_t rblk_policy_wanted_acks(const struct step *s)
{
	int others = count(s->a->known.insync & ~leaving(s)) - 1;
	uint8_t acks = promised_acks(s);

	return leaving(s) && acks > others ? 0 : acks;
}

/* Return: does the kernel have to be told? */
bool rblk_policy_set_acks(struct step *s)
{
	uint8_t acks = rblk_policy_wanted_acks(s);

	if (s->v->acks == acks)
		return false;
	if (!s->v->busy && s->now >= s->p->hold_off_ms) {
		s->out->kernel = RBLK_POLICY_KERNEL_ACKS;
		s->out->acks = acks;
	}
	return true;
}

/*
 * More acknowledgments are waited for before they are promised, fewer after that. One
 * thing at a time: those who are waited for change while the larger number is.
 */
static void set_in_sync(struct step *s)
{
	uint16_t set = rblk_policy_wanted_in_sync(s);
	uint8_t acks = rblk_policy_wanted_acks(s);

	if (rblk_policy_more_acks(acks, s->v->acks) == acks && rblk_policy_set_acks(s))
		return;
	if (s->v->busy || s->now < s->p->hold_off_ms)
		return;
	if (s->v->in_sync == set) {
		rblk_policy_set_acks(s);
		return;
	}
	if (would_be_too_few(s, set))
		return;
	s->out->kernel = RBLK_POLICY_KERNEL_IN_SYNC;
	s->out->in_sync = set;
}

/* What the record says of acknowledgments follows the configuration. */
static void change_acks(struct step *s)
{
	uint8_t have = s->a->known.acks, want = configured_acks(s);
	struct rblk_policy *p = s->p;

	if (have == want || is_unsettled(s)) {
		p->acks_seq = 0;
		return;
	}
	if (rblk_policy_more_acks(have, want) == want && RBLK_POLICY_RULE(ACKS_LEVEL)) {
		if (s->v->busy || s->v->acks != want)
			return;
		if (!p->acks_seq)
			p->acks_seq = s->v->last_seq + 1;
		if (!are_level(s, s->a->known.insync, want, p->acks_seq))
			return;
	}
	rblk_policy_propose(s, RBLK_ARBITER_ACKS, want);
}

void rblk_policy_lead(struct step *s)
{
	/* also of a kernel that need not be promoted, as it went on */
	rblk_policy_note(s, RBLK_POLICY_NOTE_CHOSEN);
	renew(s);
	if (!s->v->primary) {
		/* One that cannot vote may be the one that has all. */
		change_voters(s);
		return;
	}
	drop(s);
	add(s);
	change_acks(s);
	change_voters(s);
	rblk_policy_fence_for_vote(s);
	set_in_sync(s);
}

/* ---- stepping down */

/* Who of those in sync could take over at once? */
static uint16_t heirs(const struct step *s)
{
	return rblk_policy_nodes_that(s, rblk_policy_is_well,
				      s->a->known.insync & s->c->data & s->alive);
}

void rblk_policy_done(struct step *s, enum rblk_policy_reason reason)
{
	s->out->done = true;
	s->out->done_reason = reason;
}

void rblk_policy_answer(struct step *s, enum rblk_policy_handover what,
		   enum rblk_policy_reason reason)
{
	s->out->handover = what;
	s->out->handover_to = s->v->asked_by;
	s->out->handover_reason = reason;
}

bool rblk_policy_asks(const struct step *s)
{
	return s->v->asked_by < RBLK_POLICY_NODES;
}

void rblk_policy_refuse_to_leave(struct step *s, enum rblk_policy_reason reason)
{
	if (rblk_policy_asks(s))
		rblk_policy_answer(s, RBLK_POLICY_HANDOVER_REFUSED, reason);
	if (s->v->request == RBLK_POLICY_WANT_DEMOTE ||
	    s->v->request == RBLK_POLICY_WANT_AWAY)
		rblk_policy_done(s, reason);
}

/* Is who asks about to be in sync, and not for too long? It asks again. */
static bool is_joining(struct step *s)
{
	uint64_t patience = (uint64_t)ASK_BEATS * s->c->interval_ms;
	struct rblk_policy *p = s->p;

	if (!(guest(s) & ~s->a->known.insync)) {
		p->guest_ms = 0;
		return false;
	}
	if (!p->guest_ms)
		p->guest_ms = s->now;
	if (s->now - p->guest_ms >= patience) {
		p->guest_ms = 0;
		rblk_policy_refuse_to_leave(s, RBLK_POLICY_TIMED_OUT);
		return true;
	}
	rblk_policy_waits(s, RBLK_POLICY_FOR_RESYNC, guest(s));
	rblk_policy_wake(s, p->guest_ms + patience);
	return true;
}

/* Is somebody else to be primary, or nobody; and may that be? */
bool rblk_policy_wants_to_leave(struct step *s)
{
	enum rblk_policy_reason no = RBLK_POLICY_FINE;
	bool away = s->v->request == RBLK_POLICY_WANT_AWAY;

	if (!rblk_policy_asks(s) && !away && s->v->request != RBLK_POLICY_WANT_DEMOTE)
		return false;
	if (!s->v->primary)
		return true;
	if (is_joining(s))
		return false;
	if (s->v->opened)
		no = RBLK_POLICY_IN_USE;
	else if (rblk_policy_asks(s) && !(s->a->known.insync & bit(s->v->asked_by)))
		no = RBLK_POLICY_NOT_IN_SYNC;
	else if (rblk_policy_asks(s) && !(heirs(s) & bit(s->v->asked_by)))
		no = RBLK_POLICY_NOT_FOLLOWING;
	else if (away && !heirs(s))
		no = RBLK_POLICY_NOT_IN_SYNC;
	if (no != RBLK_POLICY_FINE)
		rblk_policy_refuse_to_leave(s, no);
	return no == RBLK_POLICY_FINE;
}

/* The kernel stops first: what it wrote is then on all nodes in sync. */
void rblk_policy_leave(struct step *s)
{
	uint16_t mask = s->c->data & ~bit(s->c->self);

	if (s->v->primary) {
		if (!s->v->busy && s->now >= s->p->hold_off_ms)
			s->out->kernel = RBLK_POLICY_KERNEL_DEMOTE;
		rblk_policy_waits(s, RBLK_POLICY_FOR_KERNEL, 0);
		return;
	}
	if (s->v->busy)
		return;
	if (s->v->request == RBLK_POLICY_WANT_DEMOTE)
		mask = 0;
	s->p->stay_back_ms = s->now + (uint64_t)STAY_BACK_BEATS * s->c->interval_ms;
	rblk_policy_propose(s, RBLK_ARBITER_DEMOTE, mask);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * arbiter.c - the arbiter's register: voter, proposer, lease, fence votes
 *
 * CASPaxos: a change is a round of two phases, prepare and accept. The first reads
 * what may have been chosen and locks older rounds out, the second writes.
 */
#include "arbiter.h"

#include <string.h>

/* A ballot is a round number and, in the low byte, who runs it. */
#define BALLOT_SHIFT	8

static uint16_t bit(uint8_t node)
{
	return node < RBLK_ARBITER_NODES ? 1U << node : 0;
}

static int count(uint16_t set)
{
	return __builtin_popcount(set);
}

static uint8_t proposer_of(uint64_t ballot)
{
	return ballot & ((1U << BALLOT_SHIFT) - 1);
}

static bool same(const struct rblk_arbiter_record *a,
		 const struct rblk_arbiter_record *b)
{
	return a->version == b->version && a->gen == b->gen && a->term == b->term &&
	       a->primary == b->primary && a->idle == b->idle &&
	       a->insync == b->insync && a->fenced == b->fenced && a->voters == b->voters &&
	       a->voters_before == b->voters_before && a->acks == b->acks &&
	       a->holder == b->holder;
}

unsigned int rblk_arbiter_copies(const struct rblk_arbiter_record *r)
{
	int nodes = count(r->insync);

	return r->acks && r->acks + 1 < nodes ? r->acks + 1 : nodes;
}

bool rblk_arbiter_is_partial(const struct rblk_arbiter_record *r)
{
	return rblk_arbiter_copies(r) < (unsigned int)count(r->insync);
}

bool rblk_arbiter_record_is_valid(const struct rblk_arbiter_record *r)
{
	if (!r->voters || !r->voters_before)
		return false;
	if (count(r->voters ^ r->voters_before) > 1)
		return false;
	if (r->insync & r->fenced)
		return false;
	if (r->acks >= RBLK_ARBITER_NODES ||
	    (r->acks ? !(r->insync & bit(r->holder)) : r->holder))
		return false;
	if (r->primary == RBLK_ARBITER_NOBODY)
		return true;
	return !r->idle && r->gen && r->term && (r->insync & bit(r->primary));
}

/* ---- who is enough */

static bool majority(uint16_t votes, uint16_t voters)
{
	if (!RBLK_ARBITER_RULE(MAJORITY))
		return votes & voters;
	return 2 * count(votes & voters) > count(voters);
}

static bool quorum(uint16_t votes, const struct rblk_arbiter_record *r)
{
	return majority(votes, r->voters) && majority(votes, r->voters_before);
}

/*
 * The vote of a node that is off may be counted by one node only, or two could
 * both count it and never meet. So there must be no third voter.
 */
static uint16_t fence_votes(const struct rblk_arbiter *a,
			    const struct rblk_arbiter_record *r)
{
	if (RBLK_ARBITER_RULE(ROUND_BEFORE_FENCE_VOTE) && !a->synced)
		return 0;
	if (count(r->voters) != 2 || r->voters != r->voters_before ||
	    !(r->voters & bit(a->self)))
		return 0;
	return a->fenced & r->voters;
}

/* ---- messages */

static struct rblk_arbiter_msg *send(struct rblk_arbiter *a,
				     struct rblk_arbiter_out *out, uint8_t type,
				     uint8_t to)
{
	struct rblk_arbiter_msg *msg = &out->msg[out->nr++];

	memset(msg, 0, sizeof(*msg));
	msg->type = type;
	msg->from = a->self;
	msg->to = to;
	return msg;
}

/* To all voters but this node, old and new ones. */
static uint16_t others(const struct rblk_arbiter *a,
		       const struct rblk_arbiter_record *r)
{
	return (r->voters | r->voters_before) & ~bit(a->self);
}

/* ---- the voter */

static bool may_promise(const struct rblk_arbiter *a, uint64_t ballot)
{
	return !a->mute && ballot >= a->store.promised;
}

static void promise(struct rblk_arbiter *a, uint64_t ballot,
		    struct rblk_arbiter_out *out)
{
	a->store.promised = ballot;
	out->persist = true;
}

/*
 * While this voter's word stands, only the one who has it may change who is
 * primary and who votes: it gave the lease up before it asked. Or it is off.
 */
static bool word_forbids(const struct rblk_arbiter *a, uint64_t ballot,
			 const struct rblk_arbiter_record *r, uint64_t now)
{
	if (!RBLK_ARBITER_RULE(LEASE_WAIT))
		return false;
	if (!a->grant_term || a->grant_until <= now)
		return false;
	if (proposer_of(ballot) == a->grant_holder)
		return false;
	if (r->primary == a->grant_holder &&
	    r->voters == a->store.record.voters)
		return false;
	return !(r->fenced & bit(a->grant_holder)) ||
	       r->gen <= a->store.record.gen;
}

/* A node without a store is taken in by the change that makes it a voter. */
static bool takes_in(const struct rblk_arbiter *a,
		     const struct rblk_arbiter_record *r)
{
	return a->mute && !a->store.promised && (r->voters & bit(a->self)) &&
	       !(r->voters_before & bit(a->self));
}

static bool may_accept(const struct rblk_arbiter *a, uint64_t ballot,
		       const struct rblk_arbiter_record *r, uint64_t now)
{
	if (a->mute && !takes_in(a, r))
		return false;
	return ballot >= a->store.promised && !word_forbids(a, ballot, r, now);
}

/*
 * The word is given to a node: when it is promoted anew, its kernel may still be
 * under the lease of the term before.
 */
static void accept(struct rblk_arbiter *a, uint64_t ballot,
		   const struct rblk_arbiter_record *r,
		   struct rblk_arbiter_out *out)
{
	a->mute = false;
	a->store.promised = ballot;
	a->store.accepted = ballot;
	a->store.record = *r;
	out->persist = true;
	if (r->primary != a->grant_holder)
		a->grant_term = 0;
	else if (a->grant_term && RBLK_ARBITER_RULE(WORD_OF_NODE))
		a->grant_term = r->term;
	else if (r->term != a->grant_term)
		a->grant_term = 0;
}

static bool grant(struct rblk_arbiter *a, uint8_t holder, uint64_t term,
		  uint64_t lease, uint64_t now)
{
	if (a->mute || lease > a->lease || !term ||
	    a->store.record.primary != holder || a->store.record.term != term)
		return false;
	a->grant_holder = holder;
	a->grant_term = term;
	a->grant_until = now + lease + a->margin;
	return true;
}

/* ---- the proposer */

static void stop_leading(struct rblk_arbiter *a, struct rblk_arbiter_out *out)
{
	if (a->lead_term)
		out->stop = true;
	a->lead_term = 0;
	memset(a->granted_until, 0, sizeof(a->granted_until));
}

static void end_round(struct rblk_arbiter *a, enum rblk_arbiter_result result,
		      struct rblk_arbiter_out *out)
{
	a->phase = RBLK_ARBITER_IDLE;
	a->solo = false;
	out->result = result;
}

/* No older round of this node can be chosen any more, if it was not. */
static void learn(struct rblk_arbiter *a, const struct rblk_arbiter_record *r,
		  struct rblk_arbiter_out *out)
{
	a->known = *r;
	a->learned = true;
	a->has_pending = false;
	a->insync = r->insync;
	out->learned[out->nr_learned++] = *r;
	if (a->lead_term && (r->primary != a->self || r->term != a->lead_term))
		stop_leading(a, out);
}

/*
 * The primary that is passed over is off: it was switched off after this node had
 * seen its term, so it was that term's start, and none since, that ended.
 */
static uint16_t fenced_primary(const struct rblk_arbiter *a,
			       const struct rblk_arbiter_record *r)
{
	if (r->primary >= RBLK_ARBITER_NODES ||
	    (RBLK_ARBITER_RULE(FENCE_OF_TERM) &&
	     a->fence_term[r->primary] != r->term))
		return 0;
	return a->fenced & bit(r->primary);
}

static bool may_change_voters(const struct rblk_arbiter *a,
			      const struct rblk_arbiter_record *r)
{
	return count(a->mask) == 1 && r->voters == r->voters_before &&
	       (r->primary == RBLK_ARBITER_NOBODY || a->lead_term);
}

/*
 * Where a node in sync may lack something nobody leaves by a promotion: of so many
 * nodes it takes so many to know what was acknowledged. Who is promoted need not have it.
 */
static void apply_promotion(const struct rblk_arbiter *a, struct rblk_arbiter_record *r)
{
	if (!rblk_arbiter_is_partial(r)) {
		r->fenced = (r->fenced | fenced_primary(a, r)) & ~bit(a->self);
		r->insync = ((r->insync & a->mask) | bit(a->self)) & ~r->fenced;
		r->holder = r->acks ? a->self : 0;
	}
	r->primary = a->self;
	r->idle = false;
	r->gen++;
	r->term = a->ballot;
}

/* What the round makes of the record; false: that is not allowed. */
static bool apply(const struct rblk_arbiter *a, struct rblk_arbiter_record *r)
{
	bool leads = a->lead_term && r->primary == a->self &&
		     r->term == a->lead_term;
	bool holds = leads && (!r->acks || r->holder == a->self);
	bool settled = r->voters == r->voters_before;

	r->voters_before = r->voters;
	switch (a->change) {
	case RBLK_ARBITER_REFRESH:
		r->version += !settled;
		return true;
	case RBLK_ARBITER_PROMOTE:
		if (RBLK_ARBITER_RULE(ONLY_IN_SYNC) &&
		    !(r->insync & bit(a->self)))
			return false;
		apply_promotion(a, r);
		break;
	case RBLK_ARBITER_DEMOTE:
		if (r->primary != a->self)
			return false;
		r->primary = RBLK_ARBITER_NOBODY;
		r->idle = !a->mask;
		break;
	case RBLK_ARBITER_DROP:
		if (!holds || a->mask & bit(a->self))
			return false;
		r->insync &= ~a->mask;
		break;
	case RBLK_ARBITER_ADD:
		if (!holds)
			return false;
		r->insync |= a->mask;
		r->fenced &= ~a->mask;
		break;
	case RBLK_ARBITER_ADD_VOTER:
		if (!settled || !may_change_voters(a, r) || r->voters & a->mask)
			return false;
		r->voters |= a->mask;
		break;
	case RBLK_ARBITER_DEL_VOTER:
		if (!settled || !may_change_voters(a, r) ||
		    !(r->voters & a->mask) || r->voters == a->mask)
			return false;
		r->voters &= ~a->mask;
		break;
	case RBLK_ARBITER_HOLD:
		if (!leads || !r->acks)
			return false;
		r->holder = a->self;
		break;
	case RBLK_ARBITER_ACKS:
		if (!holds || a->mask >= RBLK_ARBITER_NODES)
			return false;
		r->acks = a->mask;
		r->holder = r->acks ? a->self : 0;
		break;
	}
	r->version++;
	return true;
}

static void check_accepted(struct rblk_arbiter *a, struct rblk_arbiter_out *out)
{
	uint16_t fenced = fence_votes(a, &a->value);

	if (!quorum(a->votes | fenced, &a->value))
		return;
	if (count(a->value.voters) == 2 && !(a->value.voters & ~a->votes))
		a->synced = true;
	learn(a, &a->value, out);
	a->led++;
	if (!a->repeat && a->change == RBLK_ARBITER_PROMOTE) {
		a->lead_term = a->value.term;
		memset(a->granted_until, 0, sizeof(a->granted_until));
	}
	end_round(a, a->repeat ? RBLK_ARBITER_AGAIN : RBLK_ARBITER_CHOSEN, out);
}

/*
 * From here on the value may be chosen, whether this node hears of it or not. So it
 * lives by the old record and the new one.
 */
static void ask_to_accept(struct rblk_arbiter *a, uint64_t now,
			  struct rblk_arbiter_out *out)
{
	struct rblk_arbiter_msg *msg;
	uint8_t node;

	a->phase = RBLK_ARBITER_ACCEPTING;
	a->votes = 0;
	a->pending = a->value;
	a->has_pending = true;
	a->insync |= a->value.insync;
	/* A kernel may run on from before a start of the daemon. */
	if (a->value.primary != a->self)
		out->stop = true;
	if (a->value.primary != a->self || a->value.term != a->lead_term)
		stop_leading(a, out);
	for (node = 0; node < RBLK_ARBITER_NODES; node++) {
		if (!(others(a, &a->value) & bit(node)))
			continue;
		msg = send(a, out, RBLK_ARBITER_ACCEPT, node);
		msg->ballot = a->ballot;
		msg->record = a->value;
	}
	if (may_accept(a, a->ballot, &a->value, now)) {
		accept(a, a->ballot, &a->value, out);
		a->votes |= bit(a->self);
	}
	check_accepted(a, out);
}

static void check_promised(struct rblk_arbiter *a, uint64_t now,
			   struct rblk_arbiter_out *out)
{
	uint16_t fenced = fence_votes(a, &a->value);

	if (!quorum(a->votes | fenced, &a->value))
		return;
	a->solo = !quorum(a->votes, &a->value);
	/* Nothing is built on what may not have been chosen. */
	a->repeat = !quorum(a->agreed | fenced, &a->value);
	if (!a->repeat) {
		bool expected = same(&a->value, &a->store.record);

		learn(a, &a->value, out);
		if ((a->change == RBLK_ARBITER_PROMOTE && !expected) ||
		    !apply(a, &a->value)) {
			a->led++;
			end_round(a, RBLK_ARBITER_NOT_ALLOWED, out);
			return;
		}
	}
	ask_to_accept(a, now, out);
}

static void take_promise(struct rblk_arbiter *a, uint8_t from, uint64_t accepted,
			 const struct rblk_arbiter_record *r)
{
	a->votes |= bit(from);
	if (accepted > a->base_ballot) {
		a->base_ballot = accepted;
		a->value = *r;
		a->agreed = 0;
	}
	if (accepted == a->base_ballot && same(r, &a->value))
		a->agreed |= bit(from);
}

void rblk_arbiter_propose(struct rblk_arbiter *a, enum rblk_arbiter_change change,
			  uint16_t mask, uint64_t now,
			  struct rblk_arbiter_out *out)
{
	uint64_t highest;
	uint8_t node;

	memset(out, 0, sizeof(*out));
	if (a->mute) {
		out->result = RBLK_ARBITER_NOT_ALLOWED;
		return;
	}
	if (change == RBLK_ARBITER_DEMOTE || change == RBLK_ARBITER_PROMOTE)
		stop_leading(a, out);
	if (change == RBLK_ARBITER_DEMOTE)
		out->stop = true;
	if (change == RBLK_ARBITER_ADD && a->lead_term)
		a->insync |= mask;
	highest = a->ballot > a->store.promised ? a->ballot : a->store.promised;
	a->ballot = (((highest >> BALLOT_SHIFT) + 1) << BALLOT_SHIFT) | a->self;
	a->change = change;
	a->mask = mask;
	a->phase = RBLK_ARBITER_PREPARING;
	a->repeat = false;
	a->solo = false;
	a->base_ballot = a->store.accepted;
	a->value = a->store.record;
	a->votes = 0;
	a->agreed = 0;
	for (node = 0; node < RBLK_ARBITER_NODES; node++)
		if (others(a, &a->value) & bit(node))
			send(a, out, RBLK_ARBITER_PREPARE, node)->ballot =
				a->ballot;
	promise(a, a->ballot, out);
	take_promise(a, a->self, a->store.accepted, &a->store.record);
	/* A node that votes alone asks nobody to accept: the room is enough. */
	if (quorum(a->votes | fence_votes(a, &a->value), &a->value))
		out->nr = 0;
	check_promised(a, now, out);
}

/* ---- contact and fences */

/*
 * Whoever is heard of may have started again since it was switched off. Then its
 * vote is its own, and a round that counted it is void.
 */
void rblk_arbiter_contact(struct rblk_arbiter *a, uint8_t from,
			  struct rblk_arbiter_out *out)
{
	if (!RBLK_ARBITER_RULE(CONTACT_CLEARS_FENCED))
		return;
	if (a->fenced & bit(from) && a->solo && a->phase != RBLK_ARBITER_IDLE)
		end_round(a, RBLK_ARBITER_AGAIN, out);
	a->fencing &= ~bit(from);
	a->fenced &= ~bit(from);
}

void rblk_arbiter_fence(struct rblk_arbiter *a, uint8_t node)
{
	if (node >= RBLK_ARBITER_NODES || node == a->self)
		return;
	a->fencing |= bit(node);
	a->fenced &= ~bit(node);
	a->fence_term[node] = a->store.record.primary == node ?
			      a->store.record.term : 0;
}

bool rblk_arbiter_fence_confirmed(struct rblk_arbiter *a, uint8_t node)
{
	if (!(a->fencing & bit(node)))
		return false;
	a->fencing &= ~bit(node);
	a->fenced |= bit(node);
	return true;
}

/* ---- leases */

void rblk_arbiter_renew(struct rblk_arbiter *a, uint64_t now,
			struct rblk_arbiter_out *out)
{
	struct rblk_arbiter_msg *msg;
	uint8_t node;

	memset(out, 0, sizeof(*out));
	if (!a->lead_term)
		return;
	for (node = 0; node < RBLK_ARBITER_NODES; node++) {
		if (fence_votes(a, &a->known) & bit(node))
			a->granted_until[node] = now + a->lease;
		if (!((others(a, &a->known) |
		       (a->has_pending ? others(a, &a->pending) : 0)) & bit(node)))
			continue;
		msg = send(a, out, RBLK_ARBITER_LEASE, node);
		msg->other = a->lead_term;
		msg->sent = now;
		msg->lease = a->lease;
	}
	if (grant(a, a->self, a->lead_term, a->lease, now))
		a->granted_until[a->self] = now + a->lease;
}

uint64_t rblk_arbiter_lease_until(const struct rblk_arbiter *a)
{
	uint64_t until = 0;
	uint16_t votes;
	uint8_t i, node;

	if (!a->lead_term)
		return 0;
	/* The latest of the voters' times that enough of them reach. */
	for (i = 0; i < RBLK_ARBITER_NODES; i++) {
		if (a->granted_until[i] <= until)
			continue;
		votes = 0;
		for (node = 0; node < RBLK_ARBITER_NODES; node++)
			if (a->granted_until[node] >= a->granted_until[i])
				votes |= bit(node);
		if (quorum(votes, &a->known) &&
		    (!a->has_pending || quorum(votes, &a->pending)))
			until = a->granted_until[i];
	}
	return until;
}

/* ---- messages in */

static void refuse(struct rblk_arbiter *a, const struct rblk_arbiter_msg *msg,
		   struct rblk_arbiter_out *out)
{
	struct rblk_arbiter_msg *reply;

	if (a->mute)
		return;
	reply = send(a, out, RBLK_ARBITER_REFUSED, msg->from);
	reply->ballot = msg->ballot;
	reply->other = a->store.promised;
}

static void receive_prepare(struct rblk_arbiter *a,
			    const struct rblk_arbiter_msg *msg,
			    struct rblk_arbiter_out *out)
{
	struct rblk_arbiter_msg *reply;

	if (!may_promise(a, msg->ballot)) {
		refuse(a, msg, out);
		return;
	}
	promise(a, msg->ballot, out);
	reply = send(a, out, RBLK_ARBITER_PROMISE, msg->from);
	reply->ballot = msg->ballot;
	reply->other = a->store.accepted;
	reply->record = a->store.record;
}

static void receive_accept(struct rblk_arbiter *a,
			   const struct rblk_arbiter_msg *msg, uint64_t now,
			   struct rblk_arbiter_out *out)
{
	if (!may_accept(a, msg->ballot, &msg->record, now)) {
		refuse(a, msg, out);
		return;
	}
	accept(a, msg->ballot, &msg->record, out);
	send(a, out, RBLK_ARBITER_ACCEPTED, msg->from)->ballot = msg->ballot;
}

static void receive_lease(struct rblk_arbiter *a,
			  const struct rblk_arbiter_msg *msg, uint64_t now,
			  struct rblk_arbiter_out *out)
{
	struct rblk_arbiter_msg *reply;

	if (!grant(a, msg->from, msg->other, msg->lease, now))
		return;
	reply = send(a, out, RBLK_ARBITER_GRANT, msg->from);
	reply->other = msg->other;
	reply->sent = msg->sent;
	reply->lease = msg->lease;
}

static void receive_grant(struct rblk_arbiter *a,
			  const struct rblk_arbiter_msg *msg, uint64_t now)
{
	uint64_t until = msg->sent + msg->lease;

	if (!a->lead_term || msg->other != a->lead_term || msg->sent > now ||
	    msg->lease > a->lease)
		return;
	if (a->granted_until[msg->from] < until)
		a->granted_until[msg->from] = until;
}

static void receive_refused(struct rblk_arbiter *a,
			    const struct rblk_arbiter_msg *msg,
			    struct rblk_arbiter_out *out)
{
	/* A later round of this node must be above what it met. */
	if (a->phase == RBLK_ARBITER_IDLE || msg->ballot != a->ballot)
		return;
	end_round(a, RBLK_ARBITER_AGAIN, out);
	if (msg->other > a->ballot)
		a->ballot = msg->other;
}

void rblk_arbiter_receive(struct rblk_arbiter *a,
			  const struct rblk_arbiter_msg *msg, uint64_t now,
			  struct rblk_arbiter_out *out)
{
	memset(out, 0, sizeof(*out));
	if (msg->to != a->self || msg->from == a->self ||
	    msg->from >= RBLK_ARBITER_NODES)
		return;
	rblk_arbiter_contact(a, msg->from, out);
	switch ((enum rblk_arbiter_type)msg->type) {
	case RBLK_ARBITER_PREPARE:
		receive_prepare(a, msg, out);
		break;
	case RBLK_ARBITER_PROMISE:
		if (a->phase != RBLK_ARBITER_PREPARING ||
		    msg->ballot != a->ballot ||
		    !rblk_arbiter_record_is_valid(&msg->record))
			break;
		take_promise(a, msg->from, msg->other, &msg->record);
		check_promised(a, now, out);
		break;
	case RBLK_ARBITER_ACCEPT:
		if (rblk_arbiter_record_is_valid(&msg->record))
			receive_accept(a, msg, now, out);
		break;
	case RBLK_ARBITER_ACCEPTED:
		if (a->phase != RBLK_ARBITER_ACCEPTING ||
		    msg->ballot != a->ballot)
			break;
		a->votes |= bit(msg->from);
		check_accepted(a, out);
		break;
	case RBLK_ARBITER_REFUSED:
		receive_refused(a, msg, out);
		break;
	case RBLK_ARBITER_LEASE:
		receive_lease(a, msg, now, out);
		break;
	case RBLK_ARBITER_GRANT:
		receive_grant(a, msg, now);
		break;
	}
}

void rblk_arbiter_start(struct rblk_arbiter *a, uint8_t self,
			const struct rblk_arbiter_store *store, uint64_t lease,
			uint64_t margin, uint64_t now)
{
	memset(a, 0, sizeof(*a));
	a->self = self;
	a->lease = lease;
	a->margin = margin;
	a->grant_holder = RBLK_ARBITER_NOBODY;
	a->mute = !store;
	if (!store)
		return;
	a->store = *store;
	a->known = store->record;
	if (store->record.primary == RBLK_ARBITER_NOBODY)
		return;
	a->grant_holder = store->record.primary;
	a->grant_term = store->record.term;
	a->grant_until = now + lease + margin;
}

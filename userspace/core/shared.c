// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shared.c - an arbiter whose register is kept elsewhere, where all nodes reach it
 */
#include "shared.h"

#include "rblk_shim.h"

#include <string.h>

#define SLOT_NODE	0xff	/* in a slot, where a voter's store has its node */
#define SLOT_NONCE	24	/* and where it has the instance */

/* Behind the slot; Documentation/arbiter.rst is the format. */
struct value_rest {
	__le32 lease;
	u8 zero[8];
	__le32 crc;		/* of all before it, the slot included */
} __packed;

static_assert(sizeof(struct value_rest) == RBLK_SHARED_BYTES - RBLK_ARBITER_SLOT_BYTES);

static uint16_t bit(uint8_t node)
{
	return 1U << node;
}

void rblk_shared_start(struct rblk_shared *s, struct rblk_arbiter *a, uint8_t self,
		       uint64_t lease, uint64_t margin)
{
	memset(s, 0, sizeof(*s));
	rblk_arbiter_start(a, self, NULL, lease, margin, 0);
}

static void give_up_lead(struct rblk_arbiter *a)
{
	a->lead_term = 0;
	memset(a->granted_until, 0, sizeof(a->granted_until));
}

/*
 * As before the round. But no ballot is used twice, a lead that was given up is, and
 * what was heard of nodes and fences meanwhile stands.
 */
static void undo(struct rblk_shared *s, struct rblk_arbiter *a)
{
	struct rblk_arbiter after = *a;

	*a = s->before;
	a->ballot = after.ballot;
	a->mute = after.mute;
	a->fencing = after.fencing;
	a->fenced = after.fenced;
	memcpy(a->fence_term, after.fence_term, sizeof(a->fence_term));
	if (s->gave_up)
		give_up_lead(a);
}

static void check_lease(struct rblk_arbiter *a, uint64_t now, struct rblk_arbiter_out *out)
{
	if (!a->lead_term || rblk_arbiter_lease_until(a) > now)
		return;
	give_up_lead(a);
	out->stop = true;
}

/* ---- requests */

static enum rblk_shared_request ask_to_write(struct rblk_shared *s,
					     const struct rblk_arbiter *a,
					     const uint8_t *nonce, bool changes,
					     uint64_t now)
{
	s->request = RBLK_SHARED_WRITE;
	s->changes = changes;
	s->sent = now;
	s->next.store = a->store;
	s->next.serial = s->serial + 1;
	s->next.lease = a->lease;
	memcpy(s->next.nonce, nonce, sizeof(s->next.nonce));
	return s->request;
}

static enum rblk_shared_request ask_to_read(struct rblk_shared *s, bool changes)
{
	s->request = RBLK_SHARED_READ;
	s->changes = changes;
	return s->request;
}

enum rblk_shared_request
rblk_shared_propose(struct rblk_shared *s, struct rblk_arbiter *a,
		    enum rblk_arbiter_change change, uint16_t mask,
		    const uint8_t *nonce, uint64_t now, struct rblk_arbiter_out *out)
{
	enum rblk_arbiter_result result;
	bool stop;

	memset(out, 0, sizeof(*out));
	/* members are not the register's business here */
	if (a->mute || change == RBLK_ARBITER_ADD_VOTER ||
	    change == RBLK_ARBITER_DEL_VOTER) {
		out->result = RBLK_ARBITER_NOT_ALLOWED;
		return RBLK_SHARED_NOTHING;
	}
	/* What may yet be written is outrun by a write only. */
	if (change == RBLK_ARBITER_REFRESH && !a->has_pending)
		return ask_to_read(s, true);
	s->before = *a;
	rblk_arbiter_propose(a, change, mask, now, out);
	result = out->result;
	stop = out->stop;
	s->gave_up = stop;
	memset(out, 0, sizeof(*out));
	out->stop = stop;
	if (result == RBLK_ARBITER_CHOSEN)
		return ask_to_write(s, a, nonce, true, now);
	undo(s, a);
	a->led += result == RBLK_ARBITER_NOT_ALLOWED;
	out->result = result == RBLK_ARBITER_NONE ? RBLK_ARBITER_AGAIN : result;
	return RBLK_SHARED_NOTHING;
}

enum rblk_shared_request
rblk_shared_renew(struct rblk_shared *s, struct rblk_arbiter *a, const uint8_t *nonce,
		  uint64_t now)
{
	if (!a->lead_term)
		return RBLK_SHARED_NOTHING;
	return ask_to_write(s, a, nonce, false, now);
}

enum rblk_shared_request rblk_shared_look(struct rblk_shared *s)
{
	return ask_to_read(s, false);
}

/* ---- answers */

/*
 * Whoever is primary may have asked for its lease just before this was seen, and not
 * after: another write changes the revision, and with that the time starts anew.
 */
static void give_word(struct rblk_arbiter *a, uint64_t lease, uint64_t now)
{
	const struct rblk_arbiter_record *r = &a->store.record;

	/* the writer's lease may be longer, when its configuration is another one */
	if (lease < a->lease)
		lease = a->lease;

	a->grant_holder = r->primary;
	a->grant_term = r->primary == RBLK_ARBITER_NOBODY ? 0 : r->term;
	a->grant_until = now + lease + a->margin;
	if (!RBLK_SHARED_RULE(LEASE_WAIT))
		a->grant_term = 0;
}

static void take(struct rblk_shared *s, struct rblk_arbiter *a,
		 const struct rblk_shared_value *value, uint64_t revision, uint64_t now,
		 struct rblk_arbiter_out *out)
{
	bool is_news = revision != s->revision;
	struct rblk_arbiter_record *r = &a->store.record;

	a->mute = false;
	if (!is_news)
		return;
	s->revision = revision;
	s->serial = value->serial;
	/* a write that compares an older revision is not made any more */
	a->has_pending = false;
	a->phase = RBLK_ARBITER_IDLE;
	a->store = value->store;
	r->voters = bit(a->self);
	r->voters_before = r->voters;
	a->insync = r->insync;
	if (!a->learned || a->known.version != r->version || a->known.term != r->term)
		out->learned[out->nr_learned++] = *r;
	a->known = *r;
	a->learned = true;
	give_word(a, value->lease, now);
	if (a->lead_term && (r->primary != a->self || r->term != a->lead_term)) {
		give_up_lead(a);
		out->stop = true;
	}
}

/* The write was made. The lease counts from when it was asked for. */
static void written(struct rblk_shared *s, struct rblk_arbiter *a, uint64_t revision,
		    uint64_t now, struct rblk_arbiter_out *out)
{
	struct rblk_arbiter_out nobody_to_tell;

	s->revision = revision;
	s->serial = s->next.serial;
	a->mute = false;
	a->has_pending = false;
	a->phase = RBLK_ARBITER_IDLE;
	a->insync = a->known.insync;
	give_word(a, s->next.lease, now);
	if (a->lead_term)
		rblk_arbiter_renew(a, RBLK_SHARED_RULE(FROM_ASKING) ? s->sent : now,
				   &nobody_to_tell);
	if (a->granted_until[a->self] > s->sent + s->next.lease &&
	    RBLK_SHARED_RULE(FROM_ASKING))
		a->granted_until[a->self] = s->sent + s->next.lease;
	if (!s->changes)
		return;
	out->learned[out->nr_learned++] = a->known;
	out->result = RBLK_ARBITER_CHOSEN;
}

static bool is_mine(const struct rblk_shared *s, const struct rblk_shared_value *value)
{
	return !value || !memcmp(value->nonce, s->next.nonce, sizeof(value->nonce));
}

bool rblk_shared_answer(struct rblk_shared *s, struct rblk_arbiter *a,
			const struct rblk_shared_value *value, uint64_t revision,
			uint64_t now, struct rblk_arbiter_out *out)
{
	enum rblk_shared_request request = s->request;

	memset(out, 0, sizeof(*out));
	s->request = RBLK_SHARED_NOTHING;
	/* it may have been made although the store says no: when it was sent twice */
	if (request == RBLK_SHARED_WRITE && is_mine(s, value)) {
		written(s, a, revision, now, out);
		return true;
	}
	if (request == RBLK_SHARED_WRITE && s->changes)
		undo(s, a);
	if (s->changes)
		out->result = RBLK_ARBITER_AGAIN;
	if (revision < s->revision || value->serial < s->serial ||
	    (revision == s->revision && value->serial != s->serial) ||
	    value->store.record.version < a->known.version) {
		a->mute = true;
		check_lease(a, now, out);
		return false;
	}
	take(s, a, value, revision, now, out);
	if (request == RBLK_SHARED_READ && s->changes) {
		a->led++;
		out->result = RBLK_ARBITER_CHOSEN;
	}
	return true;
}

void rblk_shared_unknown(struct rblk_shared *s, struct rblk_arbiter *a, uint64_t now,
			 struct rblk_arbiter_out *out)
{
	struct rblk_arbiter_record asked = a->store.record;
	enum rblk_arbiter_change change = a->change;

	memset(out, 0, sizeof(*out));
	if (s->changes && s->request != RBLK_SHARED_NOTHING)
		out->result = RBLK_ARBITER_AGAIN;
	if (s->request == RBLK_SHARED_WRITE && s->changes) {
		undo(s, a);
		a->has_pending = true;
		a->pending = asked;
		if (RBLK_SHARED_RULE(LIVE_BY_BOTH))
			a->insync |= asked.insync;
		/* this round is not over until another one outruns it */
		a->phase = RBLK_ARBITER_ACCEPTING;
		a->change = change;
	}
	s->request = RBLK_SHARED_NOTHING;
	check_lease(a, now, out);
}

/* ---- bytes */

static u32 crc_of(const uint8_t *bytes)
{
	return ~crc32c(~0U, bytes, RBLK_SHARED_BYTES - sizeof(u32));
}

void rblk_shared_put(uint8_t *bytes, const uint8_t *uuid,
		     const struct rblk_shared_value *value)
{
	struct rblk_arbiter_owner owner = { .node = SLOT_NODE };
	struct value_rest rest = { .lease = cpu_to_le32(value->lease) };

	memcpy(owner.instance, value->nonce, sizeof(owner.instance));
	memcpy(owner.resource, uuid, sizeof(owner.resource));
	rblk_arbiter_slot_put(bytes, &owner, value->serial, &value->store);
	memcpy(bytes + RBLK_ARBITER_SLOT_BYTES, &rest, sizeof(rest));
	rest.crc = cpu_to_le32(crc_of(bytes));
	memcpy(bytes + RBLK_ARBITER_SLOT_BYTES, &rest, sizeof(rest));
}

enum rblk_arbiter_slot rblk_shared_get(const uint8_t *bytes, size_t n,
				       const uint8_t *uuid,
				       struct rblk_shared_value *value)
{
	struct rblk_arbiter_owner owner = { .node = SLOT_NODE };
	struct value_rest rest;

	if (n < RBLK_SHARED_BYTES)
		return RBLK_ARBITER_SLOT_ABSENT;
	memcpy(&rest, bytes + RBLK_ARBITER_SLOT_BYTES, sizeof(rest));
	if (n > RBLK_SHARED_BYTES || le32_to_cpu(rest.crc) != crc_of(bytes))
		return RBLK_ARBITER_SLOT_DAMAGED;
	memcpy(owner.instance, bytes + SLOT_NONCE, sizeof(owner.instance));
	memcpy(owner.instance_before, owner.instance, sizeof(owner.instance));
	memcpy(owner.resource, uuid, sizeof(owner.resource));
	memcpy(value->nonce, owner.instance, sizeof(value->nonce));
	value->lease = le32_to_cpu(rest.lease);
	return rblk_arbiter_slot_get(bytes, RBLK_ARBITER_SLOT_BYTES, &owner,
				     &value->serial, &value->store);
}

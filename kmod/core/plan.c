// SPDX-License-Identifier: GPL-2.0
/*
 * plan.c - what a handshake leads to: one table.
 */
#include "plan.h"

/* Who is primary. Two primaries are refused before the table is read. */
enum roles {
	ROLES_BACKUPS,
	ROLES_MINE,
	ROLES_PEER,
	NR_ROLES,
};

/* How the peer's data stands to mine. */
enum standing {
	STANDING_SAME,
	STANDING_BEHIND,	/* the peer's is a prefix of mine */
	STANDING_AHEAD,		/* mine is a prefix of the peer's */
	STANDING_APART,		/* forked, unrelated */
	STANDING_PEER_VOID,	/* only mine is worth comparing */
	STANDING_MINE_VOID,	/* only the peer's is */
	STANDING_BOTH_VOID,
	STANDING_PEER_VAGUE,	/* the peer may hold more than it can say */
	STANDING_MINE_VAGUE,	/* this node may */
	STANDING_BOTH_VAGUE,
	NR_STANDINGS,
};

static const struct rblk_plan plans[NR_ROLES][NR_STANDINGS] = {
	[ROLES_BACKUPS] = {
		[STANDING_SAME] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UPTODATE, "" },
		[STANDING_BEHIND] = {
			RBLK_PLAN_IDLE, RBLK_REPL_BEHIND,
			"the peer missed writes that this node has" },
		[STANDING_AHEAD] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UNKNOWN,
			"this node missed writes that the peer has" },
		[STANDING_APART] = {
			RBLK_PLAN_IDLE, RBLK_REPL_DIVERGED,
			"the peer and this node each have writes that the other never had" },
		[STANDING_PEER_VOID] = {
			RBLK_PLAN_IDLE, RBLK_REPL_BEHIND,
			"the peer has no complete data" },
		[STANDING_MINE_VOID] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UNKNOWN,
			"this node has no complete data" },
		[STANDING_BOTH_VOID] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UNKNOWN,
			"neither the peer nor this node has complete data" },
		[STANDING_PEER_VAGUE] = {
			RBLK_PLAN_IDLE, RBLK_REPL_BEHIND,
			"the peer ended without notice: its data may differ" },
		[STANDING_MINE_VAGUE] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UNKNOWN,
			"this node ended without notice: its data may differ" },
		[STANDING_BOTH_VAGUE] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UNKNOWN,
			"both nodes ended without notice: their data may differ" },
	},
	[ROLES_MINE] = {
		[STANDING_SAME] = {
			RBLK_PLAN_STREAM, RBLK_REPL_UPTODATE, "" },
		[STANDING_BEHIND] = {
			RBLK_PLAN_IDLE, RBLK_REPL_BEHIND,
			"the peer missed writes: it needs a resync" },
		[STANDING_AHEAD] = {
			RBLK_PLAN_IDLE, RBLK_REPL_DIVERGED,
			"the peer has writes that this primary never had" },
		[STANDING_APART] = {
			RBLK_PLAN_IDLE, RBLK_REPL_DIVERGED,
			"the peer has writes that this primary never had" },
		[STANDING_PEER_VOID] = {
			RBLK_PLAN_IDLE, RBLK_REPL_BEHIND,
			"the peer has no complete data: it needs a resync" },
		[STANDING_MINE_VOID] = {
			RBLK_PLAN_IDLE, RBLK_REPL_DIVERGED,
			"the peer has data, and this primary's is not complete" },
		[STANDING_BOTH_VOID] = {
			RBLK_PLAN_IDLE, RBLK_REPL_BEHIND,
			"the peer has no complete data: it needs a resync" },
		[STANDING_PEER_VAGUE] = {
			RBLK_PLAN_IDLE, RBLK_REPL_BEHIND,
			"the peer ended without notice, its data may differ: it needs a resync" },
		[STANDING_MINE_VAGUE] = {
			RBLK_PLAN_IDLE, RBLK_REPL_DIVERGED,
			"the peer has data, and this primary's is not complete" },
		[STANDING_BOTH_VAGUE] = {
			RBLK_PLAN_IDLE, RBLK_REPL_BEHIND,
			"the peer ended without notice, its data may differ: it needs a resync" },
	},
	[ROLES_PEER] = {
		[STANDING_SAME] = {
			RBLK_PLAN_FOLLOW, RBLK_REPL_UPTODATE, "" },
		[STANDING_BEHIND] = {
			RBLK_PLAN_IDLE, RBLK_REPL_DIVERGED,
			"this node has writes that the primary never had" },
		[STANDING_AHEAD] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UNKNOWN,
			"this node missed writes: it needs a resync" },
		[STANDING_APART] = {
			RBLK_PLAN_IDLE, RBLK_REPL_DIVERGED,
			"this node has writes that the primary never had" },
		[STANDING_PEER_VOID] = {
			RBLK_PLAN_IDLE, RBLK_REPL_DIVERGED,
			"this node has data, and the primary's is not complete" },
		[STANDING_MINE_VOID] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UNKNOWN,
			"this node has no complete data: it needs a resync" },
		[STANDING_BOTH_VOID] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UNKNOWN,
			"this node has no complete data: it needs a resync" },
		[STANDING_PEER_VAGUE] = {
			RBLK_PLAN_IDLE, RBLK_REPL_DIVERGED,
			"this node has data, and the primary's is not complete" },
		[STANDING_MINE_VAGUE] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UNKNOWN,
			"this node ended without notice, its data may differ: it needs a resync" },
		[STANDING_BOTH_VAGUE] = {
			RBLK_PLAN_IDLE, RBLK_REPL_UNKNOWN,
			"this node ended without notice, its data may differ: it needs a resync" },
	},
};

/* Its lineage says what its data is, or at least what it has. */
static bool is_comparable(const struct rblk_self *self)
{
	return (self->data == RBLK_DATA_CONSISTENT ||
		self->data == RBLK_DATA_UNCLEAN) && self->lineage.nr_terms;
}

bool rblk_plan_is_vague(const struct rblk_self *self,
			const struct rblk_self *other)
{
	const struct rblk_term *a, *b;

	if (self->data != RBLK_DATA_UNCLEAN)
		return false;
	if (other->role != RBLK_ROLE_PRIMARY || !self->lineage.nr_terms ||
	    !other->lineage.nr_terms)
		return true;
	a = &self->lineage.term[self->lineage.nr_terms - 1];
	b = &other->lineage.term[other->lineage.nr_terms - 1];
	return a->gen != b->gen || a->first_seq != b->first_seq;
}

/* @ahead, same or behind as far as both can say. */
static enum standing vague_standing(enum standing known, bool mine, bool peer)
{
	if (mine && peer)
		return STANDING_BOTH_VAGUE;
	if (peer)
		return known == STANDING_AHEAD ? known : STANDING_PEER_VAGUE;
	if (mine)
		return known == STANDING_BEHIND ? known : STANDING_MINE_VAGUE;
	return known;
}

static enum standing standing_of(const struct rblk_self *mine,
				 const struct rblk_self *peer)
{
	bool mine_ok = is_comparable(mine);
	bool peer_ok = is_comparable(peer);
	bool mine_vague = rblk_plan_is_vague(mine, peer);
	bool peer_vague = rblk_plan_is_vague(peer, mine);

	if (!mine_ok)
		return peer_ok ? STANDING_MINE_VOID : STANDING_BOTH_VOID;
	if (!peer_ok)
		return STANDING_PEER_VOID;

	switch (rblk_lineage_compare(&mine->lineage, &peer->lineage, NULL)) {
	case RBLK_SAME:
		return vague_standing(STANDING_SAME, mine_vague, peer_vague);
	case RBLK_PEER_BEHIND:
		return vague_standing(STANDING_BEHIND, mine_vague, peer_vague);
	case RBLK_PEER_AHEAD:
		return vague_standing(STANDING_AHEAD, mine_vague, peer_vague);
	case RBLK_FORKED:
	case RBLK_UNRELATED:
	case RBLK_BOTH_NEW:
		break;
	}
	return STANDING_APART;
}

static const char *reason_to_refuse(const struct rblk_self *mine,
				    const struct rblk_self *peer)
{
	bool i_lead = mine->role == RBLK_ROLE_PRIMARY;
	bool peer_leads = peer->role == RBLK_ROLE_PRIMARY;

	if (i_lead && mine->promised < peer->promised)
		return peer_leads ?
			"two primaries, this one of the lower generation: demote it" :
			"the peer promised to follow a higher generation: demote this node";
	if (peer_leads && peer->promised < mine->promised)
		return i_lead ?
			"two primaries, the peer of the lower generation: demote the peer" :
			"this node promised to follow a higher generation: demote the peer";
	if (i_lead && peer_leads)
		return "two primaries of the same generation: demote one of them";
	return NULL;
}

bool rblk_plan_binds(const struct rblk_self *self, u8 node_id)
{
	/* The remainder says whose generation it is. */
	return self->role == RBLK_ROLE_PRIMARY ||
	       self->promised % RBLK_MAX_NODES != node_id;
}

/* Nothing can be sent to a backup without a disk. */
static bool diskless_backup(const struct rblk_self *mine,
			    const struct rblk_self *peer,
			    struct rblk_plan *plan)
{
	bool me = mine->no_disk && mine->role == RBLK_ROLE_BACKUP;
	bool it = peer->no_disk && peer->role == RBLK_ROLE_BACKUP;

	if (!me && !it)
		return false;
	plan->action = RBLK_PLAN_IDLE;
	plan->repl = it ? RBLK_REPL_BEHIND : RBLK_REPL_UNKNOWN;
	plan->reason = it ? "a disk of the peer failed: it has to be replaced" :
			    "a disk of this node failed: it has to be replaced";
	return true;
}

void rblk_plan_handshake(const struct rblk_self *mine,
			 const struct rblk_self *peer, struct rblk_plan *plan)
{
	const char *refuse = reason_to_refuse(mine, peer);
	enum roles roles = ROLES_BACKUPS;

	if (refuse) {
		plan->action = RBLK_PLAN_REFUSE;
		plan->repl = RBLK_REPL_UNKNOWN;
		plan->reason = refuse;
		return;
	}

	if (diskless_backup(mine, peer, plan))
		return;
	if (mine->role == RBLK_ROLE_PRIMARY)
		roles = ROLES_MINE;
	else if (peer->role == RBLK_ROLE_PRIMARY)
		roles = ROLES_PEER;
	*plan = plans[roles][standing_of(mine, peer)];
}

u64 rblk_plan_parted(const struct rblk_self *mine,
		     const struct rblk_self *peer)
{
	struct rblk_lineage theirs = peer->lineage;
	u64 seq = 0;

	/* Its last term may have gone on for any time. */
	if (!theirs.nr_terms || !mine->lineage.nr_terms)
		return 0;
	theirs.seq = U64_MAX - 1;
	switch (rblk_lineage_compare(&mine->lineage, &theirs, &seq)) {
	case RBLK_FORKED:
		return seq;
	case RBLK_PEER_AHEAD:
		return mine->lineage.seq;
	case RBLK_SAME:
	case RBLK_PEER_BEHIND:
	case RBLK_UNRELATED:
	case RBLK_BOTH_NEW:
		break;
	}
	return 0;
}

const char *rblk_plan_refuse_discard(const struct rblk_self *mine,
				     const struct rblk_self *peer)
{
	if (mine->role == RBLK_ROLE_PRIMARY)
		return "this node is primary: demote it first";
	if (peer->role != RBLK_ROLE_PRIMARY)
		return "the peer is not primary: promote the node whose data is to stay";
	if (!is_comparable(peer) || peer->data != RBLK_DATA_CONSISTENT)
		return "the primary's data is not complete: nothing could replace this node's";
	if (!is_comparable(mine))
		return "this node's data is new or inconsistent: there is nothing to discard";

	switch (rblk_lineage_compare(&mine->lineage, &peer->lineage, NULL)) {
	case RBLK_FORKED:
	case RBLK_PEER_BEHIND:
		return NULL;
	case RBLK_UNRELATED:
	case RBLK_BOTH_NEW:
		return "no history in common: 'rblk resync --full' on the primary overwrites";
	case RBLK_SAME:
	case RBLK_PEER_AHEAD:
		break;
	}
	return "there is no fork: the primary has all that this node wrote";
}

bool rblk_plan_was_set_back(const struct rblk_self *mine,
			    const struct rblk_self *peer, u64 recorded)
{
	return mine->role == RBLK_ROLE_PRIMARY && is_comparable(peer) &&
	       peer->lineage.seq < recorded;
}

enum rblk_sync rblk_plan_sync(const struct rblk_self *mine,
			      const struct rblk_self *peer,
			      const struct rblk_memory *memory)
{
	bool consistent = peer->data == RBLK_DATA_CONSISTENT ||
			  peer->data == RBLK_DATA_UNCLEAN;
	u64 seq = peer->lineage.seq;
	enum rblk_relation relation;

	if (mine->role != RBLK_ROLE_PRIMARY || !is_comparable(mine) ||
	    mine->data != RBLK_DATA_CONSISTENT ||
	    peer->role == RBLK_ROLE_PRIMARY ||
	    peer->promised > mine->promised || peer->no_disk ||
	    peer->data == RBLK_DATA_NEW || !peer->lineage.nr_terms ||
	    rblk_plan_is_vague(peer, mine))
		return RBLK_SYNC_NONE;
	relation = rblk_lineage_compare(&mine->lineage, &peer->lineage, NULL);
	if (relation == RBLK_UNRELATED || relation == RBLK_BOTH_NEW)
		return RBLK_SYNC_NONE;
	if (mine->no_disk)
		return consistent && relation == RBLK_PEER_BEHIND &&
		       seq + 1 >= memory->log_from ?
		       RBLK_SYNC_LOG : RBLK_SYNC_NONE;
	if (!consistent && memory->told)
		return RBLK_SYNC_BITMAP;
	if (!consistent)
		return memory->partial_gen && seq && seq >= memory->base &&
		       rblk_lineage_last_gen(&peer->lineage) ==
		       memory->partial_gen &&
		       (relation == RBLK_SAME ||
			relation == RBLK_PEER_BEHIND) ?
		       RBLK_SYNC_BITMAP : RBLK_SYNC_FULL;
	if (relation != RBLK_PEER_BEHIND)
		return RBLK_SYNC_NONE;
	if (seq + 1 >= memory->log_from)
		return RBLK_SYNC_LOG;
	return seq >= memory->base ? RBLK_SYNC_BITMAP : RBLK_SYNC_FULL;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * agree.c - what two nodes that described themselves to each other do.
 */
#include "active.h"
#include "agree.h"
#include "disk.h"
#include "tell.h"
#include "../fault.h"
#include "../resource.h"
#include "../volume.h"

/* What was sent again covers what an unclean end may have left. */
static void note_whole_locked(struct rblk_resource *res)
{
	lockdep_assert_held(&res->log.lock);
	if (res->data == RBLK_DATA_UNCLEAN &&
	    READ_ONCE(res->applier.order.applied) >= res->whole_at)
		WRITE_ONCE(res->data, RBLK_DATA_CONSISTENT);
}

void rblk_agree_progress(struct rblk_resource *res)
{
	unsigned long irq;

	if (likely(READ_ONCE(res->data) != RBLK_DATA_UNCLEAN))
		return;
	spin_lock_irqsave(&res->log.lock, irq);
	note_whole_locked(res);
	spin_unlock_irqrestore(&res->log.lock, irq);
}

/* What this node says of itself; as a backup its applier is idle. */
static void describe_self(struct rblk_resource *res, struct rblk_self *self)
{
	lockdep_assert_held(&res->log.lock);
	self->role = res->log.gate.primary ? RBLK_ROLE_PRIMARY :
					     RBLK_ROLE_BACKUP;
	self->data = res->data;
	/* A primary's disk that failed and is used is the last copy. */
	self->no_disk = res->log.gate.primary ? rblk_disk_any_away(res) :
						rblk_disk_any_bad(res);
	self->promised = res->promised;
	self->lineage = res->lineage;
	if (res->log.gate.primary)
		self->lineage.seq = res->log.last;
	else if (res->data != RBLK_DATA_NEW)
		self->lineage.seq = READ_ONCE(res->applier.order.applied);
	/* Catching up: the primary's lineage, as far as it is here. */
	rblk_lineage_truncate(&self->lineage);
}

/* Put together what this node says, and keep what follows for the peer. */
void rblk_agree_describe(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;

	describe_self(res, &peer->mine);
	if (res->log.gate.primary)
		rblk_log_retain(&res->log, peer->node_id);
	peer->negotiating = true;
}

bool rblk_agree_is_set_back(struct rblk_peer *peer,
			    const struct rblk_hello *hello)
{
	struct rblk_seen seen = {
		.gen = rblk_lineage_last_gen(&hello->self.lineage),
	};
	struct rblk_resource *res = peer->res;
	const struct rblk_volume *volume;
	u32 i;

	lockdep_assert_held(&res->log.lock);
	peer->saw_more = false;
	/* The remainder says whose generation it is. */
	if (seen.gen % RBLK_MAX_NODES != res->node_id)
		return false;
	/* In a term that goes on, memory knows, whatever the disk still takes. */
	if (res->log.gate.primary && seen.gen == res->log.gen)
		return false;
	for (i = 0; i < hello->nr_volumes; i++) {
		volume = res->volume[hello->volume[i].id];
		seen.serial = hello->volume[i].logged;
		if (!rblk_active_is_set_back(volume, &seen))
			continue;
		peer->saw_more = true;
		pr_warn("%s/%u: this node's disk was set back: %s saw transaction %llu of the activity log of generation %llu, the disk holds fewer. %s is compared in full\n",
			res->name, volume->id, peer->name, seen.serial,
			seen.gen, peer->name);
	}
	if (peer->saw_more && peer->lack.base != U64_MAX)
		rblk_lack_forget(&peer->lack, res->log.last);
	return peer->saw_more;
}

void rblk_agree_note_stored(struct rblk_peer *peer,
			    const struct rblk_hello *hello)
{
	const struct rblk_hello_volume *volume;
	u32 i;

	lockdep_assert_held(&peer->res->log.lock);
	peer->lost_copy = false;
	/* Whole data is known by its position; a new disk is copied to in full. */
	if (hello->self.data != RBLK_DATA_INCONSISTENT || hello->self.no_disk)
		return;
	for (i = 0; i < hello->nr_volumes; i++) {
		volume = &hello->volume[i];
		if (volume->stored < peer->stored[volume->id])
			peer->lost_copy = true;
	}
	if (!peer->lost_copy)
		return;
	memset(peer->stored, 0, sizeof(peer->stored));
	rblk_lack_forget(&peer->lack, peer->res->log.last);
}

/* Another peer whose operations this node applies, or NULL. */
static struct rblk_peer *other_leader(struct rblk_peer *peer)
{
	struct rblk_peer *other;
	int i;

	lockdep_assert_held(&peer->res->log.lock);
	if (rblk_fault(RBLK_FAULT_OLD_GENERATION))
		return NULL;
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		other = peer->res->peer[i];
		if (other && other != peer && other->following)
			return other;
	}
	return NULL;
}

/*
 * One order of operations comes from one node. A higher generation takes over
 * once all that came from the lower one is applied; what still comes from there
 * is of an earlier epoch, and leave_former_leaders() ends that link.
 */
static bool may_follow_locked(struct rblk_peer *peer)
{
	struct rblk_peer *other = other_leader(peer);
	struct rblk_resource *res = peer->res;

	if (other && other->theirs.promised >= peer->theirs.promised)
		return false;
	res->promised = max(res->promised, peer->theirs.promised);
	if (!rblk_applier_is_idle(&res->applier))
		return false;
	if (other)
		other->following = false;
	return true;
}

/* Return: NULL, or why what the primary announced cannot be. */
static const char *check_catchup(struct rblk_peer *peer)
{
	struct rblk_self mine;

	describe_self(peer->res, &mine);
	if ((mine.data == RBLK_DATA_CONSISTENT ||
	     mine.data == RBLK_DATA_UNCLEAN) &&
	    rblk_lineage_compare(&mine.lineage, &peer->theirs.lineage, NULL) ==
	    RBLK_PEER_AHEAD)
		return NULL;
	return "protocol error: this node's data is no prefix of the primary's";
}

/* What a STATE frame says beside the sender's description. */
const char *rblk_agree_announced(struct rblk_peer *peer,
				 const struct rblk_state *state)
{
	struct rblk_resource *res = peer->res;
	/* What a former primary wants of this node's data is not done. */
	bool leads = !res->log.gate.primary &&
		     state->self.role == RBLK_ROLE_PRIMARY &&
		     state->self.promised >= res->promised &&
		     may_follow_locked(peer);

	if (leads && state->assume_clean && res->data == RBLK_DATA_NEW &&
	    state->self.lineage.seq == 0) {
		res->data = RBLK_DATA_CONSISTENT;
		res->lineage = state->self.lineage;
		rblk_applier_restart(&res->applier, 0,
				     rblk_volumes_volatile(res->volume));
	}
	peer->copied_to = leads && state->resync;
	peer->catching_up = leads && state->catchup;
	if (peer->catching_up)
		return check_catchup(peer);
	if (peer->copied_to)
		res->data = RBLK_DATA_INCONSISTENT;
	return NULL;
}

/*
 * A new resource was declared clean by its first promotion: a peer that is
 * new as well, and has missed nothing because its first write is still kept
 * for it, may take part from the start.
 */
bool rblk_agree_may_declare_clean(struct rblk_peer *peer)
{
	return peer->res->clean_start && !peer->following &&
	       peer->theirs.role == RBLK_ROLE_BACKUP &&
	       peer->theirs.data == RBLK_DATA_NEW &&
	       peer->mine.role == RBLK_ROLE_PRIMARY &&
	       peer->mine.lineage.seq == 0;
}

/*
 * An offer overrides the table: the primary said how it brings this peer level,
 * and the peer follows: from its own position, or with data that is
 * inconsistent until the end.
 */
static void override_by_offer(struct rblk_peer *peer, struct rblk_plan *plan)
{
	bool i_lead = peer->mine.role == RBLK_ROLE_PRIMARY;
	const struct rblk_self *theirs = &peer->theirs;
	u64 retain = peer->res->log.cursor[peer->node_id].retain;

	if (plan->action == RBLK_PLAN_REFUSE)
		return;
	if (i_lead && peer->offer == RBLK_SYNC_LOG &&
	    (theirs->data == RBLK_DATA_CONSISTENT ||
	     theirs->data == RBLK_DATA_UNCLEAN) &&
	    theirs->lineage.seq + 1 == retain) {
		plan->action = RBLK_PLAN_STREAM;
		plan->repl = RBLK_REPL_CATCHUP;
		plan->reason = "";
	} else if (i_lead && peer->offer && peer->offer != RBLK_SYNC_LOG &&
		   theirs->data == RBLK_DATA_INCONSISTENT) {
		plan->action = RBLK_PLAN_STREAM;
		plan->repl = RBLK_REPL_RESYNC;
		plan->reason = "";
	} else if (!i_lead && (peer->copied_to || peer->catching_up)) {
		plan->action = RBLK_PLAN_FOLLOW;
		plan->repl = RBLK_REPL_UPTODATE;
		plan->reason = "";
	}
}

/* What the peer lacks is written over, from now on. */
static void begin_resync_locked(struct rblk_peer *peer)
{
	struct rblk_log *log = &peer->res->log;
	u64 theirs = peer->theirs.lineage.seq;
	u64 mine = peer->mine.lineage.seq;
	u64 parted = rblk_tell_counts(peer);

	/* What it has beyond, this node lacks as well as the other way round. */
	if (parted)
		theirs = parted;
	peer->told = false;
	if (peer->offer == RBLK_SYNC_BITMAP) {
		rblk_lack_returned(&peer->lack, theirs, false);
		rblk_log_remember_rest(log, peer->node_id, theirs);
	}
	if (peer->offer == RBLK_SYNC_FULL)
		memset(peer->stored, 0, sizeof(peer->stored));
	rblk_lack_begin(&peer->lack, mine, peer->res->log.gen,
			peer->offer == RBLK_SYNC_FULL);
	rblk_log_copy(log, peer->node_id);
	rblk_log_stream(log, peer->node_id, mine);
	rblk_resync_begin(peer, peer->lack.coarse);
}

static void stream_locked(struct rblk_peer *peer, enum rblk_repl repl)
{
	struct rblk_log *log = &peer->res->log;
	bool catchup = repl == RBLK_REPL_CATCHUP;
	u64 seq = peer->mine.lineage.seq;

	/* What it confirms from now on is not to be recalled. */
	peer->recalls = false;
	if (repl == RBLK_REPL_RESYNC) {
		begin_resync_locked(peer);
		return;
	}
	if (catchup)
		seq = peer->theirs.lineage.seq;
	rblk_lack_returned(&peer->lack, seq, true);
	rblk_log_stream(log, peer->node_id, seq);
	if (catchup) {
		rblk_log_is_consistent(log, peer->node_id);
		WRITE_ONCE(peer->join_seq, log->last);
		return;
	}
	rblk_log_join(log, peer->node_id);
	rblk_log_set_level(log, peer->node_id);
	WRITE_ONCE(peer->join_seq, 0);
	/* What was reported during the handshake is on its way. */
	if (!rblk_log_has_all(log, peer->node_id)) {
		peer->repl = RBLK_REPL_CATCHUP;
		WRITE_ONCE(peer->join_seq,
			   log->cursor[peer->node_id].missed);
	}
}

/* Take over the primary's lineage, and its position but for catching up. */
static void follow_locked(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;
	u64 seq = peer->theirs.lineage.seq;

	if (peer->catching_up)
		seq = peer->mine.lineage.seq;
	res->followed = true;
	/* The volumes change from here on, and the primary knows by what. */
	res->keep.clean = false;
	res->keep.led = false;
	res->keep.led_gen = 0;
	/* All that it may hold above its position is sent again, up to here. */
	res->whole_at = peer->theirs.lineage.seq;
	res->lineage = peer->theirs.lineage;
	res->lineage.seq = seq;
	/* What is copied is no operation that others got as well. */
	peer->epoch = peer->copied_to ?
		rblk_applier_restart(&res->applier, seq,
				     rblk_volumes_volatile(res->volume)) :
		rblk_applier_go_on(&res->applier, seq,
				   rblk_volumes_volatile(res->volume));
	note_whole_locked(res);
	peer->acked_applied = seq;
	/* The primary does not know yet what is durable here. */
	WRITE_ONCE(peer->ack_due, true);
}

/*
 * The same words on both nodes, because the refusal of one is shown by the other.
 * Return: @reason, or more than that where the two have forked.
 */
static const char *explain_locked(struct rblk_peer *peer, const char *reason)
{
	const struct rblk_lineage *mine = &peer->mine.lineage;
	const struct rblk_lineage *theirs = &peer->theirs.lineage;
	u64 fork;

	/* Else a position is a lower bound, or says nothing. */
	if (peer->mine.data != RBLK_DATA_CONSISTENT ||
	    peer->theirs.data != RBLK_DATA_CONSISTENT)
		return reason;
	switch (rblk_lineage_compare(mine, theirs, &fork)) {
	case RBLK_FORKED:
	case RBLK_PEER_BEHIND:
	case RBLK_PEER_AHEAD:
		break;
	case RBLK_SAME:
	case RBLK_UNRELATED:
	case RBLK_BOTH_NEW:
		return reason;
	}
	peer->fork = (struct rblk_fork){
		.known = true,
		.seq = fork,
		.gen = rblk_lineage_term_of(mine, fork).gen,
		.mine = mine->seq - fork,
		.theirs = theirs->seq - fork,
	};
	if (peer->fork.mine)
		peer->fork.mine_since_s =
			rblk_lineage_term_of(mine, fork + 1).since_s;
	if (peer->fork.theirs)
		peer->fork.theirs_since_s =
			rblk_lineage_term_of(theirs, fork + 1).since_s;
	scnprintf(peer->fork_text, sizeof(peer->fork_text),
		  "%s; after seq %llu %s has %llu operations of its own, %s %llu",
		  reason, fork, peer->res->node_name, peer->fork.mine,
		  peer->name, peer->fork.theirs);
	return peer->fork_text;
}

/*
 * The same disk would have what it had recorded. It is brought level as any
 * that is behind, but whoever runs it should know. Return: @reason, or that.
 */
static const char *note_set_back_locked(struct rblk_peer *peer,
					const struct rblk_plan *plan)
{
	u64 recorded = peer->lack.recorded;

	/* The answer to an offer, which is what this led to. */
	if (plan->repl == RBLK_REPL_CATCHUP)
		return plan->reason;
	if (plan->repl == RBLK_REPL_RESYNC)
		return peer->set_back ? peer->fork_text : plan->reason;
	peer->set_back = peer->lost_copy ||
			 rblk_plan_was_set_back(&peer->mine, &peer->theirs,
						recorded);
	if (!peer->set_back)
		return plan->reason;
	if (peer->lost_copy)
		strscpy(peer->fork_text,
			"its disk was set back to an earlier moment of a resync (an old snapshot, a clone, another disk?)",
			sizeof(peer->fork_text));
	else
		scnprintf(peer->fork_text, sizeof(peer->fork_text),
			  "its disk was set back: it is at seq %llu, and had all up to %llu (an old snapshot, a clone, another disk?)",
			  peer->theirs.lineage.seq, recorded);
	pr_warn("%s %s: %s\n", peer->res->name, peer->name, peer->fork_text);
	return peer->fork_text;
}

/* The peer followed the same primary before, and got as far as it says. */
static void recall_locked(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;

	if (!peer->recalls || !res->log.gate.primary ||
	    peer->theirs.data != RBLK_DATA_CONSISTENT)
		return;
	switch (rblk_lineage_compare(&peer->mine.lineage,
				     &peer->theirs.lineage, NULL)) {
	case RBLK_SAME:
	case RBLK_PEER_BEHIND:
		peer->recalls = false;
		rblk_applier_recall(&res->applier, peer->theirs.lineage.seq,
				    &peer->lack);
		break;
	case RBLK_PEER_AHEAD:
	case RBLK_FORKED:
	case RBLK_UNRELATED:
	case RBLK_BOTH_NEW:
		break;
	}
}

/* This node, which is primary, takes a generation above the peer's. */
static void outbid_locked(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;

	if (peer->theirs.promised <= res->promised)
		return;
	res->promised = rblk_lineage_next_gen(peer->theirs.promised,
					      res->node_id);
	rblk_keep_save_soon(res);
	pr_info("%s: goes on as generation %llu, above a promotion of %s\n",
		res->name, res->promised, peer->name);
}

/*
 * The backup was promoted without the primary hearing of it, and is none any more:
 * the primary takes a higher generation, and both meet when they are connected again.
 * What it writes goes on to be of the term that it began. Not where it is decided
 * elsewhere who is primary: this one may have been replaced.
 */
static bool was_promoted_apart_locked(struct rblk_peer *peer)
{
	const struct rblk_self *mine = &peer->mine, *theirs = &peer->theirs;

	if (theirs->role == RBLK_ROLE_PRIMARY)
		return !rblk_plan_binds(mine, peer->res->node_id);
	if (mine->role != RBLK_ROLE_PRIMARY || peer->res->log.peers.in_sync ||
	    rblk_plan_binds(theirs, peer->node_id))
		return false;
	outbid_locked(peer);
	return true;
}

/* Start doing what both descriptions lead to. Return: a reason to end. */
const char *rblk_agree_settle(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;
	struct rblk_plan plan;

	recall_locked(peer);
	rblk_plan_handshake(&peer->mine, &peer->theirs, &plan);
	override_by_offer(peer, &plan);
	peer->repl = plan.repl;
	peer->fork.known = false;
	if (plan.action == RBLK_PLAN_REFUSE ||
	    plan.repl == RBLK_REPL_DIVERGED)
		plan.reason = explain_locked(peer, plan.reason);
	else
		plan.reason = note_set_back_locked(peer, &plan);
	if (plan.action == RBLK_PLAN_REFUSE && was_promoted_apart_locked(peer))
		return "the backup was promoted apart from the primary, which goes above that";
	if (plan.action == RBLK_PLAN_REFUSE)
		return plan.reason;
	if (plan.action == RBLK_PLAN_FOLLOW && !may_follow_locked(peer))
		return "this node still follows another primary";

	peer->negotiating = false;
	peer->following = plan.action == RBLK_PLAN_FOLLOW;
	if (plan.action == RBLK_PLAN_STREAM)
		stream_locked(peer, plan.repl);
	else
		rblk_log_unstream(&res->log, peer->node_id);
	if (peer->theirs.promised > res->promised &&
	    rblk_plan_binds(&peer->theirs, peer->node_id))
		res->promised = peer->theirs.promised;
	if (peer->following)
		follow_locked(peer);
	strscpy(peer->reason, plan.reason, sizeof(peer->reason));
	return NULL;
}

void rblk_agree_begin_offer(struct rblk_peer *peer, enum rblk_sync offer)
{
	struct rblk_log *log = &peer->res->log;

	peer->offer = offer;
	/* The peer may begin and this node not hear of it. */
	if (offer == RBLK_SYNC_FULL)
		peer->lack.partial_gen = 0;
	rblk_agree_describe(peer);
	if (offer == RBLK_SYNC_LOG)
		log->cursor[peer->node_id].retain =
			peer->theirs.lineage.seq + 1;
}

/*
 * The handshake left a peer behind: offer what brings it level, once. Return:
 * how; the caller sends it.
 */
enum rblk_sync rblk_agree_offer(struct rblk_peer *peer)
{
	enum rblk_sync offered = peer->offer;
	struct rblk_log *log = &peer->res->log;
	struct rblk_memory memory = {
		.base = rblk_lack_base(&peer->lack),
		.partial_gen = peer->lack.partial_gen,
		.told = rblk_tell_counts(peer),
	};
	enum rblk_sync offer;

	peer->offer = RBLK_SYNC_NONE;
	if (offered || !log->gate.primary || peer->negotiating ||
	    peer->conn != RBLK_CONN_UP || log->streaming & BIT(peer->node_id))
		return RBLK_SYNC_NONE;
	memory.log_from = rblk_log_holds_from(log);
	offer = rblk_plan_sync(&peer->mine, &peer->theirs, &memory);
	if (offer)
		rblk_agree_begin_offer(peer, offer);
	return offer;
}

const char *rblk_agree_refuse_discard(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;
	struct rblk_self mine;

	if (peer->conn != RBLK_CONN_UP && !res->log.gate.primary)
		return "the peer is not connected: nobody knows whether there is a fork";
	if (peer->negotiating)
		return "the link is being negotiated: try again";
	if (peer->following)
		return "there is no fork: this node follows the peer";
	if (other_leader(peer))
		return "this node follows another primary";
	if (!rblk_applier_is_idle(&res->applier))
		return "operations of a former primary are still being applied: try again";
	/* It may have followed another one since it was described to this one. */
	describe_self(res, &mine);
	return rblk_plan_refuse_discard(&mine, &peer->theirs);
}

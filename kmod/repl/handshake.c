// SPDX-License-Identifier: GPL-2.0
/*
 * handshake.c - two nodes describe themselves and agree on what they do.
 */
#include <linux/netlink.h>
#include <linux/slab.h>

#include "active.h"
#include "agree.h"
#include "handshake.h"
#include "link.h"
#include "tell.h"
#include "write.h"
#include "../fault.h"
#include "../resource.h"
#include "../volume.h"

static void fill_volumes(struct rblk_resource *res, struct rblk_hello *hello)
{
	struct rblk_hello_volume *v;
	int i;

	hello->features = RBLK_FEATURE_ZEROES | RBLK_FEATURE_LOGGED |
			  RBLK_FEATURE_ACTIVE;
	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		struct rblk_volume *volume = res->volume[i];
		struct block_device *bdev;

		if (!volume)
			continue;
		bdev = volume->backing.bdev; /* NULL: detached */
		if (!bdev || bdev_write_zeroes_sectors(bdev) < RBLK_MAX_IO_SECTS)
			hello->features &= ~RBLK_FEATURE_ZEROES;
		v = &hello->volume[hello->nr_volumes++];
		v->id = i;
		v->size_sects = volume->backing.size_sects;
		v->logged = rblk_active_saw(volume, &hello->self.lineage);
		v->stored = rblk_super_stored(volume->super);
		v->logical_shift =
			ilog2(volume->block_bytes);
		v->physical_shift =
			ilog2(max(bdev ? bdev_physical_block_size(bdev) : 0,
				  volume->block_bytes));
	}
}

static int put_hello(struct rblk_peer *peer)
{
	struct rblk_frame head = { .type = RBLK_MSG_HELLO };
	struct rblk_resource *res = peer->res;
	struct rblk_outq_frame *frame;
	struct rblk_hello *hello;

	frame = rblk_outq_alloc(RBLK_WIRE_HELLO_MAX, GFP_KERNEL);
	hello = kzalloc(sizeof(*hello), GFP_KERNEL);
	if (!frame || !hello) {
		kfree(frame);
		kfree(hello);
		return -ENOMEM;
	}
	hello->version_min = RBLK_WIRE_VERSION_MIN;
	hello->version_max = RBLK_WIRE_VERSION_MAX;
	memcpy(hello->uuid, res->uuid, sizeof(hello->uuid));
	hello->from = res->node_id;
	hello->to = peer->node_id;
	hello->self = peer->mine;
	fill_volumes(res, hello);
	head.length = rblk_wire_put_hello(frame->bytes +
					  sizeof(struct rblk_msg_hdr), hello);
	rblk_outq_put(&peer->outq, frame, &head);
	kfree(hello);
	return 0;
}

static int put_state(struct rblk_peer *peer, bool assume_clean,
		     enum rblk_sync offer)
{
	struct rblk_frame head = { .type = RBLK_MSG_STATE };
	struct rblk_outq_frame *frame;
	struct rblk_state *state;

	frame = rblk_outq_alloc(RBLK_WIRE_STATE_MAX, GFP_NOIO);
	state = kzalloc(sizeof(*state), GFP_NOIO);
	if (!frame || !state) {
		kfree(frame);
		kfree(state);
		return -ENOMEM;
	}
	state->self = peer->mine;
	state->assume_clean = assume_clean;
	state->resync = offer == RBLK_SYNC_BITMAP || offer == RBLK_SYNC_FULL;
	state->catchup = offer == RBLK_SYNC_LOG;
	head.length = rblk_wire_put_state(frame->bytes +
					  sizeof(struct rblk_msg_hdr), state);
	rblk_outq_put(&peer->outq, frame, &head);
	kfree(state);
	return 0;
}

static bool applier_is_idle(struct rblk_resource *res)
{
	return rblk_applier_is_idle(&res->applier);
}

int rblk_handshake_start(struct rblk_peer *peer, int fd,
			 struct netlink_ext_ack *extack)
{
	struct rblk_resource *res = peer->res;
	int err;

	lockdep_assert_held(&res->conf);
	if (!rblk_link_is_down(peer)) {
		NL_SET_ERR_MSG(extack, "link is up already");
		return -EALREADY;
	}
	flush_work(&peer->down_work);
	if (!wait_event_timeout(res->applier.idle, applier_is_idle(res),
				msecs_to_jiffies(RBLK_HELLO_TIMEOUT_MS))) {
		NL_SET_ERR_MSG(extack, "operations of the former primary are still being applied");
		return -EBUSY;
	}
	err = rblk_sock_adopt(&peer->sock, fd, &peer->binding, extack);
	if (err)
		return err;

	spin_lock_irq(&res->log.lock);
	peer->failing = false;
	peer->greeted = false;
	peer->following = false;
	peer->copied_to = false;
	peer->catching_up = false;
	peer->offer = RBLK_SYNC_NONE;
	WRITE_ONCE(peer->join_seq, 0);
	peer->nr_owed = 0;
	peer->ack_due = false;
	peer->acked_applied = 0;
	peer->reason[0] = '\0';
	rblk_agree_describe(peer);
	rblk_link_set_conn_locked(peer, RBLK_CONN_HELLO);
	spin_unlock_irq(&res->log.lock);

	/* What a resync left behind while the last link went down. */
	rblk_outq_purge(&peer->outq);
	err = put_hello(peer);
	peer->binding.owner = peer;
	rblk_sock_bind(&peer->sock, &peer->binding);
	rblk_link_expect_agreement(peer);
	res->kick(res, BIT(peer->node_id));
	queue_work(res->wq, &peer->recv_work);
	if (err)
		rblk_link_fail(peer, "out of memory");
	return 0;
}

/*
 * What was agreed on must outlive a crash before it has an effect. Return: NULL,
 * or why the link must end.
 */
static const char *keep_agreement(struct rblk_peer *peer)
{
	if (rblk_keep_save(peer->res, peer->following))
		return "writing this node's metadata failed: see its kernel log";
	return NULL;
}

/* Agree, and offer a peer that is behind what it needs. Return: why not. */
static const char *settle_locked(struct rblk_peer *peer, enum rblk_sync *offer)
{
	const char *reason = rblk_agree_settle(peer);

	if (reason)
		return reason;
	rblk_link_set_conn_locked(peer, RBLK_CONN_UP);
	*offer = rblk_agree_offer(peer);
	return NULL;
}

static void send_offer(struct rblk_peer *peer, enum rblk_sync offer)
{
	if (put_state(peer, false, offer))
		rblk_link_fail(peer, "out of memory");
	rblk_link_expect_agreement(peer);
	peer->res->kick(peer->res, BIT(peer->node_id));
}

/* One volume on both nodes. Return: NULL, or how they differ, in @text. */
static const char *compare_volume(struct rblk_peer *peer,
				  const struct rblk_volume *volume,
				  const struct rblk_hello_volume *theirs,
				  char *text, size_t size)
{
	u64 bytes = (u64)volume->backing.size_sects << SECTOR_SHIFT;
	u32 block = volume->block_bytes;
	u32 block_there = 1U << theirs->logical_shift;

	if (volume->backing.size_sects != theirs->size_sects)
		scnprintf(text, size,
			  "volume %u is %llu bytes on %s, %llu bytes on %s: make them the same size",
			  volume->id, bytes, peer->res->node_name,
			  theirs->size_sects << SECTOR_SHIFT, peer->name);
	else if (block != block_there)
		scnprintf(text, size,
			  "volume %u has blocks of %u bytes on %s, of %u bytes on %s: set block-size = %uB",
			  volume->id, block, peer->res->node_name, block_there,
			  peer->name, max(block, block_there));
	else
		return NULL;
	return text;
}

static const char *volume_mismatch(struct rblk_peer *peer,
				   const struct rblk_hello *hello,
				   char *text, size_t size)
{
	struct rblk_resource *res = peer->res;
	u32 i, theirs = 0;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		const struct rblk_hello_volume *v = &hello->volume[theirs];
		struct rblk_volume *volume = res->volume[i];
		bool here = volume;
		bool there = theirs < hello->nr_volumes && v->id == i;

		if (here != there) {
			scnprintf(text, size, "volume %u exists only on %s", i,
				  here ? res->node_name : peer->name);
			return text;
		}
		if (!here)
			continue;
		theirs++;
		if (compare_volume(peer, volume, v, text, size))
			return text;
	}
	return NULL;
}

/* Primaries that @peer has taken over from are followed no longer. */
static void leave_former_leaders(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;
	struct rblk_peer *other;
	bool former;
	int i;

	if (peer->theirs.role != RBLK_ROLE_PRIMARY ||
	    rblk_fault(RBLK_FAULT_OLD_GENERATION))
		return;
	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		other = READ_ONCE(res->peer[i]);
		if (!other || other == peer)
			continue;
		spin_lock_irq(&res->log.lock);
		former = other->greeted &&
			 other->theirs.role == RBLK_ROLE_PRIMARY &&
			 other->theirs.promised < res->promised;
		spin_unlock_irq(&res->log.lock);
		if (former)
			rblk_link_fail(other, "%s is primary of a higher generation",
				       peer->name);
	}
	rcu_read_unlock();
}

/* Keep what the peer says of itself. Return: NULL, or why it is not believed. */
static const char *note_theirs_locked(struct rblk_peer *peer,
				      const struct rblk_self *self)
{
	const struct rblk_lineage *lineage = &self->lineage;
	u64 gen = self->promised;

	lockdep_assert_held(&peer->res->log.lock);
	if (lineage->nr_terms)
		gen = max(gen, lineage->term[lineage->nr_terms - 1].gen);
	if (!rblk_lineage_is_plausible(peer->res->promised, gen))
		return "the peer names a generation that no promotions can have led to";
	peer->theirs = *self;
	return NULL;
}

/* Writes may have waited for it, or for one node more. */
static void note_settled(struct rblk_resource *res)
{
	if (READ_ONCE(res->log.gate.primary))
		rblk_write_rejudge(res);
	wake_up_all(&res->settled);
}

const char *rblk_handshake_hello(struct rblk_peer *peer,
				 const struct rblk_hello *hello)
{
	struct rblk_resource *res = peer->res;
	char text[RBLK_WIRE_TEXT_MAX];
	enum rblk_sync offer = RBLK_SYNC_NONE;
	const char *reason;
	bool declare = false, set_back;

	if (peer->conn != RBLK_CONN_HELLO || peer->greeted)
		return "protocol error: a second HELLO";
	if (rblk_wire_pick_version(hello->version_min, hello->version_max) < 0)
		return "no common protocol version: upgrade the older node";
	if (memcmp(hello->uuid, res->uuid, sizeof(res->uuid)))
		return "the peer's resource is a different one (its uuid differs)";
	if (hello->from != peer->node_id || hello->to != res->node_id)
		return "the peer's node ids differ from this node's configuration";
	reason = volume_mismatch(peer, hello, text, sizeof(text));
	if (reason) {
		rblk_link_refuse(peer, reason);
		return NULL;
	}

	spin_lock_irq(&res->log.lock);
	peer->greeted = true;
	peer->takes_zeroes = hello->features & RBLK_FEATURE_ZEROES;
	peer->takes_logged = hello->features & RBLK_FEATURE_LOGGED;
	peer->takes_active = hello->features & RBLK_FEATURE_ACTIVE;
	peer->told = false;
	peer->told_volumes = 0;
	set_back = rblk_agree_is_set_back(peer, hello);
	rblk_agree_note_stored(peer, hello);
	reason = note_theirs_locked(peer, &hello->self);
	if (!reason && rblk_agree_may_declare_clean(peer)) {
		declare = true;
		rblk_link_set_conn_locked(peer, RBLK_CONN_UP);
	} else if (!reason) {
		reason = settle_locked(peer, &offer);
	}
	spin_unlock_irq(&res->log.lock);
	if (set_back)
		res->notify->peer(peer, "a disk here was set back: the peer is compared in full");
	if (!reason)
		reason = keep_agreement(peer);
	if (declare && !reason) {
		rblk_link_expect_agreement(peer);
		if (put_state(peer, true, RBLK_SYNC_NONE))
			reason = "out of memory";
	}
	if (offer && !reason)
		send_offer(peer, offer);
	if (!reason)
		rblk_tell(peer);
	note_settled(res);
	leave_former_leaders(peer);
	if (!reason)
		res->notify->peer(peer, peer->reason);
	return reason;
}

const char *rblk_handshake_state(struct rblk_peer *peer,
				 const struct rblk_state *state)
{
	struct rblk_resource *res = peer->res;
	enum rblk_sync offer = RBLK_SYNC_NONE;
	const char *reason;
	bool answer;

	if (!peer->greeted)
		return "protocol error: STATE before HELLO";
	spin_lock_irq(&res->log.lock);
	answer = !peer->negotiating;
	reason = note_theirs_locked(peer, &state->self);
	/* On an idle link a backup may say that its own branch is given up. */
	if (!reason && answer && res->log.gate.primary &&
	    state->self.role == RBLK_ROLE_BACKUP &&
	    (res->log.streaming & BIT(peer->node_id) || peer->resync.active ||
	     state->self.data != RBLK_DATA_INCONSISTENT))
		reason = "protocol error: STATE out of turn";
	if (!reason)
		reason = rblk_agree_announced(peer, state);
	if (!reason && answer)
		rblk_agree_describe(peer);
	if (!reason)
		reason = settle_locked(peer, &offer);
	spin_unlock_irq(&res->log.lock);
	if (!reason)
		reason = keep_agreement(peer);
	if (!reason && answer && put_state(peer, false, RBLK_SYNC_NONE))
		reason = "out of memory";
	if (offer && !reason)
		send_offer(peer, offer);
	if (!reason)
		rblk_tell(peer);
	note_settled(res);
	if (!reason && peer->copied_to)
		res->notify->resource(res, "a resync of this node's data begins");
	leave_former_leaders(peer);
	if (!reason)
		res->notify->peer(peer, peer->reason);
	return reason;
}

void rblk_handshake_again(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;
	bool clean, up;

	lockdep_assert_held(&res->conf);
	if (rblk_link_is_down(peer))
		return;
	spin_lock_irq(&res->log.lock);
	up = peer->conn == RBLK_CONN_UP && !peer->negotiating &&
	     !peer->resync.active;
	if (up) {
		rblk_log_unstream(&res->log, peer->node_id);
		peer->following = false;
		rblk_agree_describe(peer);
	}
	clean = rblk_agree_may_declare_clean(peer);
	spin_unlock_irq(&res->log.lock);
	if (!up) {
		rblk_link_fail(peer, "the role changed during the handshake or a resync");
		return;
	}
	rblk_read_unstreamed(peer, false);
	if (put_state(peer, clean, RBLK_SYNC_NONE))
		rblk_link_fail(peer, "out of memory");
	rblk_link_expect_agreement(peer);
	res->kick(res, BIT(peer->node_id));
}

const char *rblk_handshake_copied(struct rblk_peer *peer)
{
	struct rblk_frame head = {
		.type = RBLK_MSG_RESYNC_ACK,
		.flags = RBLK_FRAME_LAST,
	};
	struct rblk_resource *res = peer->res;
	struct rblk_outq_frame *frame;

	if (!peer->copied_to)
		return "protocol error: the end of a copy that was not announced";
	frame = rblk_outq_alloc(0, GFP_NOIO);
	if (!frame)
		return "out of memory";
	spin_lock_irq(&res->log.lock);
	peer->copied_to = false;
	res->data = RBLK_DATA_CONSISTENT;
	spin_unlock_irq(&res->log.lock);
	/* All of it is flushed before any disk says so. */
	if (rblk_keep_save(res, true)) {
		spin_lock_irq(&res->log.lock);
		res->data = RBLK_DATA_INCONSISTENT;
		spin_unlock_irq(&res->log.lock);
		kfree(frame);
		return "writing this node's metadata failed: see its kernel log";
	}
	rblk_outq_put(&peer->outq, frame, &head);
	res->notify->resource(res, "the data is a complete copy now");
	return NULL;
}

static int check_resync(struct rblk_peer *peer, bool force,
			struct netlink_ext_ack *extack)
{
	if (!peer->res->log.gate.primary) {
		NL_SET_ERR_MSG(extack, "only the primary can copy its data");
		return -EPERM;
	}
	if (peer->conn != RBLK_CONN_UP) {
		NL_SET_ERR_MSG(extack, "the peer is not connected");
		return -ENOTCONN;
	}
	if (peer->resync.active || peer->offer) {
		NL_SET_ERR_MSG(extack, "a resync is running already");
		return -EALREADY;
	}
	if (peer->negotiating) {
		NL_SET_ERR_MSG(extack, "the link is being negotiated: try again");
		return -EBUSY;
	}
	if (peer->repl == RBLK_REPL_DIVERGED && !force) {
		NL_SET_ERR_MSG(extack, "the peer diverged: FORCE overwrites what only it has");
		return -EPERM;
	}
	return 0;
}

int rblk_handshake_resync(struct rblk_peer *peer, u32 flags,
			  struct netlink_ext_ack *extack)
{
	bool known = flags & RBLK_FLAG_KNOWN;
	enum rblk_sync how = known ? RBLK_SYNC_BITMAP : RBLK_SYNC_FULL;
	struct rblk_resource *res = peer->res;
	int err;

	lockdep_assert_held(&res->conf);
	spin_lock_irq(&res->log.lock);
	err = check_resync(peer, flags & RBLK_FLAG_FORCE, extack);
	if (!err && res->log.streaming & BIT(peer->node_id)) {
		NL_SET_ERR_MSG(extack, "the peer is up to date");
		err = -EALREADY;
	}
	if (!err && known && !rblk_tell_counts(peer)) {
		NL_SET_ERR_MSG(extack, "it is not known where the peer differs: add --full");
		err = -ENODATA;
	}
	if (!err)
		rblk_agree_begin_offer(peer, how);
	spin_unlock_irq(&res->log.lock);
	if (!err)
		send_offer(peer, how);
	return err;
}

/*
 * Data that is inconsistent is what the primary copies over by itself, also
 * after the next handshake, if this link ends first.
 */
int rblk_handshake_discard(struct rblk_peer *peer, struct netlink_ext_ack *extack)
{
	struct rblk_resource *res = peer->res;
	const char *refusal;
	enum rblk_data was;
	bool up;
	int err;

	lockdep_assert_held(&res->conf);
	spin_lock_irq(&res->log.lock);
	refusal = rblk_agree_refuse_discard(peer);
	was = res->data;
	if (!refusal)
		res->data = RBLK_DATA_INCONSISTENT;
	spin_unlock_irq(&res->log.lock);
	if (refusal) {
		/* A constant, which NL_SET_ERR_MSG() takes only literally. */
		if (extack)
			extack->_msg = refusal;
		return -EPERM;
	}

	err = rblk_keep_save(res, false);
	spin_lock_irq(&res->log.lock);
	if (err && res->data == RBLK_DATA_INCONSISTENT && !peer->copied_to)
		res->data = was;
	up = !err && peer->conn == RBLK_CONN_UP && !peer->failing &&
	     !peer->negotiating && !peer->following;
	if (up)
		rblk_agree_describe(peer);
	spin_unlock_irq(&res->log.lock);
	if (err) {
		NL_SET_ERR_MSG(extack, "writing this node's metadata failed: see its kernel log");
		return err;
	}
	pr_notice("%s %s: what only this node wrote is given up\n", res->name,
		  peer->name);
	if (!up)
		return 0;
	if (put_state(peer, false, RBLK_SYNC_NONE))
		rblk_link_fail(peer, "out of memory");
	rblk_link_expect_agreement(peer);
	res->kick(res, BIT(peer->node_id));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * fill.c - objects as netlink attributes.
 *
 * Values are copied under the log's lock, so one nest is of one moment, and
 * put into the message after it is dropped. No lock is taken that a command in
 * progress holds: status answers while a promotion or a removal waits.
 */
#include <linux/rcupdate.h>
#include <net/netlink.h>

#include "fill.h"
#include "../peer.h"
#include "../resource.h"
#include "../stats.h"
#include "../volume.h"
#include "../repl/link.h"
#include "../repl/write.h"

static int put_u64(struct sk_buff *skb, int attr, u64 value, int pad)
{
	return nla_put_u64_64bit(skb, attr, value, pad);
}

static u32 count_openers(struct rblk_resource *res)
{
	u32 openers = 0;
	int i;

	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		struct rblk_volume *volume = READ_ONCE(res->volume[i]);

		if (volume)
			openers += READ_ONCE(volume->openers);
	}
	rcu_read_unlock();
	return openers;
}

static int put_mandate(struct sk_buff *skb, const struct rblk_mandate *mandate,
		       u64 first_write_ns)
{
	if (nla_put_u8(skb, RBLK_RES_LEASED, mandate->leased) ||
	    put_u64(skb, RBLK_RES_LEASE_UNTIL_NS, mandate->lease_ns,
		    RBLK_RES_PAD) ||
	    nla_put_u8(skb, RBLK_RES_LEASE_ERROR, mandate->lease_error) ||
	    nla_put_u32(skb, RBLK_RES_IN_SYNC, mandate->in_sync) ||
	    nla_put_u8(skb, RBLK_RES_MIN_IN_SYNC, mandate->min_in_sync) ||
	    nla_put_u8(skb, RBLK_RES_MIN_IN_SYNC_ERROR,
		       mandate->min_in_sync_error) ||
	    put_u64(skb, RBLK_RES_FIRST_WRITE_NS, first_write_ns,
		    RBLK_RES_PAD))
		return -EMSGSIZE;
	return 0;
}

int rblk_fill_resource(struct sk_buff *skb, struct rblk_resource *res)
{
	struct rblk_log *log = &res->log;
	u64 copied_bytes, held, promised, seq, seq_gen, received, first_write_ns;
	struct rblk_mandate mandate;
	enum rblk_held_by held_by;
	enum rblk_role role;
	enum rblk_data data;
	struct nlattr *nest;
	bool suspended;
	u32 in_flight, ops;
	u8 acks;

	spin_lock_irq(&log->lock);
	role = log->gate.primary ? RBLK_ROLE_PRIMARY : RBLK_ROLE_BACKUP;
	data = res->data;
	promised = res->promised;
	suspended = log->gate.suspended;
	acks = log->policy.acks;
	rblk_mandate_get_locked(res, &mandate);
	first_write_ns = log->gate.primary ? log->first_write_ns : 0;
	/* It is never below the position: that is read first. */
	seq = log->gate.primary ? log->last :
				  READ_ONCE(res->applier.order.applied);
	received = log->gate.primary ? log->last :
				       READ_ONCE(res->applier.order.received);
	/* The lineage is as of the last handshake: the position went on since. */
	seq_gen = rblk_lineage_term_of(&res->lineage, seq).gen;
	ops = log->last + 1 - log->first;
	copied_bytes = log->copied_bytes;
	in_flight = log->nr_incomplete;
	held = rblk_log_held(log, &held_by);
	spin_unlock_irq(&log->lock);

	nest = nla_nest_start(skb, RBLK_A_RESOURCE);
	if (!nest ||
	    nla_put_u8(skb, RBLK_RES_NODE_ID, res->node_id) ||
	    nla_put_string(skb, RBLK_RES_NODE_NAME, res->node_name) ||
	    nla_put(skb, RBLK_RES_UUID, RBLK_UUID_SIZE, res->uuid) ||
	    put_u64(skb, RBLK_RES_GENERATION, promised, RBLK_RES_PAD) ||
	    nla_put_u8(skb, RBLK_RES_ACKS, acks) ||
	    put_u64(skb, RBLK_RES_LOG_BYTES, log->max_bytes, RBLK_RES_PAD) ||
	    nla_put_u32(skb, RBLK_RES_LOG_OPS, log->size) ||
	    nla_put_u8(skb, RBLK_RES_ROLE, role) ||
	    nla_put_u8(skb, RBLK_RES_DATA, data) ||
	    nla_put_u8(skb, RBLK_RES_SUSPENDED, suspended) ||
	    put_u64(skb, RBLK_RES_SEQ, seq, RBLK_RES_PAD) ||
	    put_u64(skb, RBLK_RES_SEQ_GENERATION, seq_gen, RBLK_RES_PAD) ||
	    put_u64(skb, RBLK_RES_RECEIVED_SEQ, received, RBLK_RES_PAD) ||
	    nla_put_u32(skb, RBLK_RES_LOG_OPS_USED, ops) ||
	    put_u64(skb, RBLK_RES_LOG_BYTES_USED, copied_bytes, RBLK_RES_PAD) ||
	    put_u64(skb, RBLK_RES_HELD, held, RBLK_RES_PAD) ||
	    (held && nla_put_u8(skb, RBLK_RES_HELD_BY, held_by)) ||
	    nla_put_u32(skb, RBLK_RES_IN_FLIGHT, in_flight) ||
	    nla_put_u8(skb, RBLK_RES_READ_FROM_BACKUP,
		       READ_ONCE(res->read_from_backup)) ||
	    nla_put_u8(skb, RBLK_RES_DATA_CRC, READ_ONCE(res->data_crc)) ||
	    nla_put_u8(skb, RBLK_RES_ZERO_DETECT,
		       READ_ONCE(res->zero_detect)) ||
	    nla_put_u8(skb, RBLK_RES_PASS_DISK_ERRORS,
		       READ_ONCE(res->pass_disk_errors)) ||
	    nla_put_u32(skb, RBLK_RES_DISK_TIMEOUT_MS,
			READ_ONCE(res->disk_timeout_ms)) ||
	    nla_put_u32(skb, RBLK_RES_OPENERS, count_openers(res)) ||
	    put_mandate(skb, &mandate, first_write_ns))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int rblk_fill_volume(struct sk_buff *skb, struct rblk_volume *volume)
{
	struct rblk_volume_stats sum;
	struct nlattr *nest;
	u64 size = (u64)volume->backing.size_sects << SECTOR_SHIFT;

	rblk_volume_sum_stats(volume, &sum);
	nest = nla_nest_start(skb, RBLK_A_VOLUME);
	if (!nest ||
	    nla_put_u8(skb, RBLK_VOL_ID, volume->id) ||
	    nla_put_u32(skb, RBLK_VOL_MINOR, volume->minor) ||
	    nla_put_string(skb, RBLK_VOL_DISK, volume->backing.path) ||
	    nla_put_u8(skb, RBLK_VOL_METADATA, volume->metadata) ||
	    (*volume->metadata_path &&
	     nla_put_string(skb, RBLK_VOL_METADATA_DISK,
			    volume->metadata_path)) ||
	    put_u64(skb, RBLK_VOL_SIZE_BYTES, size, RBLK_VOL_PAD) ||
	    nla_put_u8(skb, RBLK_VOL_DISK_STATE,
		       READ_ONCE(volume->disk_state)) ||
	    nla_put_u32(skb, RBLK_VOL_BLOCK_SIZE, volume->block_bytes) ||
	    nla_put_u32(skb, RBLK_VOL_OPENERS, READ_ONCE(volume->openers)) ||
	    put_u64(skb, RBLK_VOL_READ_OPS, sum.read_ops, RBLK_VOL_PAD) ||
	    put_u64(skb, RBLK_VOL_READ_BYTES, sum.read_bytes, RBLK_VOL_PAD) ||
	    put_u64(skb, RBLK_VOL_WRITE_OPS, sum.write_ops, RBLK_VOL_PAD) ||
	    put_u64(skb, RBLK_VOL_WRITE_BYTES, sum.write_bytes, RBLK_VOL_PAD) ||
	    put_u64(skb, RBLK_VOL_FLUSH_OPS, sum.flush_ops, RBLK_VOL_PAD) ||
	    put_u64(skb, RBLK_VOL_ERRORS, sum.errors, RBLK_VOL_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* A peer at one moment. */
struct peer_view {
	enum rblk_conn_state conn;
	enum rblk_repl repl;
	enum rblk_role role;
	u8 protocol;
	struct rblk_cursor cursor;
	u64 lag_ops;
	u64 lag_ms;
	u64 copied_bytes;
	u64 to_copy_bytes;
	u64 lacks_bytes;
	u64 undurable_bytes;
	u64 memory_bytes;
	u64 copy_rate;
	bool paused;
	struct rblk_fork fork;
	char reason[RBLK_REASON_SIZE];
};

static void view_lag_locked(const struct rblk_peer *peer,
			    struct peer_view *view)
{
	const struct rblk_log *log = &peer->res->log;
	const struct rblk_write *oldest;

	if (!log->gate.primary || log->last <= view->cursor.applied)
		return;
	view->lag_ops = log->last - view->cursor.applied;
	oldest = rblk_log_find(log, view->cursor.applied + 1);
	if (oldest)
		view->lag_ms = div_u64(ktime_get_ns() - oldest->admit_ns,
				       NSEC_PER_MSEC);
}

static void view_peer(struct rblk_peer *peer, struct peer_view *view)
{
	struct rblk_log *log = &peer->res->log;

	memset(view, 0, sizeof(*view));
	spin_lock_irq(&log->lock);
	view->conn = peer->conn;
	view->repl = peer->repl;
	view->role = peer->theirs.role;
	view->protocol = peer->protocol;
	view->cursor = log->cursor[peer->node_id];
	view_lag_locked(peer, view);
	if (peer->resync.active) {
		view->copied_bytes = peer->resync.done_sects << SECTOR_SHIFT;
		view->to_copy_bytes = peer->resync.total_sects << SECTOR_SHIFT;
		view->copy_rate = rblk_pace_rate_get(&peer->resync.rate,
						     ktime_get_ns());
	}
	view->paused = peer->resync.paused;
	view->fork = peer->fork;
	view->memory_bytes = rblk_lack_bytes(&peer->lack);
	if (log->gate.primary) {
		view->lacks_bytes = rblk_lack_sects(&peer->lack) <<
				    SECTOR_SHIFT;
		view->undurable_bytes =
			rblk_lack_undurable_sects(&peer->lack) << SECTOR_SHIFT;
	}
	/* A peer that is gone has all it ever had, and nothing newer. */
	if (view->conn == RBLK_CONN_DOWN && view->lag_ops &&
	    view->repl == RBLK_REPL_UPTODATE)
		view->repl = RBLK_REPL_BEHIND;
	strscpy(view->reason, peer->reason, sizeof(view->reason));
	spin_unlock_irq(&log->lock);
}

static int put_fork(struct sk_buff *skb, const struct rblk_fork *fork)
{
	if (!fork->known)
		return 0;
	if (put_u64(skb, RBLK_PEER_FORK_SEQ, fork->seq, RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_FORK_GENERATION, fork->gen,
		    RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_FORK_MINE_OPS, fork->mine, RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_FORK_THEIRS_OPS, fork->theirs,
		    RBLK_PEER_PAD))
		return -EMSGSIZE;
	if ((fork->mine_since_s &&
	     put_u64(skb, RBLK_PEER_FORK_MINE_SINCE_S, fork->mine_since_s,
		     RBLK_PEER_PAD)) ||
	    (fork->theirs_since_s &&
	     put_u64(skb, RBLK_PEER_FORK_THEIRS_SINCE_S, fork->theirs_since_s,
		     RBLK_PEER_PAD)))
		return -EMSGSIZE;
	return 0;
}

int rblk_fill_peer(struct sk_buff *skb, struct rblk_peer *peer)
{
	struct peer_view view;
	const struct rblk_cursor *cursor = &view.cursor;
	struct nlattr *nest;
	u64 sent;

	view_peer(peer, &view);
	sent = cursor->next ? cursor->next - 1 : 0;
	nest = nla_nest_start(skb, RBLK_A_PEER);
	if (!nest ||
	    nla_put_u8(skb, RBLK_PEER_NODE_ID, peer->node_id) ||
	    nla_put_string(skb, RBLK_PEER_NODE_NAME, peer->name) ||
	    nla_put_u8(skb, RBLK_PEER_PROTOCOL, view.protocol) ||
	    nla_put_u8(skb, RBLK_PEER_CONN, view.conn) ||
	    nla_put_u8(skb, RBLK_PEER_REPL, view.repl) ||
	    (view.conn == RBLK_CONN_UP &&
	     nla_put_u8(skb, RBLK_PEER_ROLE, view.role)) ||
	    (*view.reason &&
	     nla_put_string(skb, RBLK_PEER_REASON, view.reason)) ||
	    put_u64(skb, RBLK_PEER_SENT_SEQ, sent, RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_RECEIVED_SEQ, cursor->received,
		    RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_APPLIED_SEQ, cursor->applied,
		    RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_DURABLE_SEQ, cursor->durable,
		    RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_LAG_OPS, view.lag_ops, RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_LAG_BYTES,
		    cursor->sent_bytes - cursor->acked_bytes, RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_LAG_MS, view.lag_ms, RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_SENT_BYTES, READ_ONCE(peer->sent_bytes),
		    RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_RECEIVED_BYTES,
		    READ_ONCE(peer->received_bytes), RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_LACKS_BYTES, view.lacks_bytes,
		    RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_UNDURABLE_BYTES, view.undurable_bytes,
		    RBLK_PEER_PAD) ||
	    put_u64(skb, RBLK_PEER_MEMORY_BYTES, view.memory_bytes,
		    RBLK_PEER_PAD) ||
	    nla_put_u8(skb, RBLK_PEER_RESYNC_PAUSED, view.paused) ||
	    put_fork(skb, &view.fork) ||
	    (view.to_copy_bytes &&
	     (put_u64(skb, RBLK_PEER_RESYNC_DONE_BYTES, view.copied_bytes,
		      RBLK_PEER_PAD) ||
	      put_u64(skb, RBLK_PEER_RESYNC_TOTAL_BYTES, view.to_copy_bytes,
		      RBLK_PEER_PAD) ||
	      put_u64(skb, RBLK_PEER_RESYNC_RATE, view.copy_rate,
		      RBLK_PEER_PAD))))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int fill_volumes(struct sk_buff *skb, struct rblk_resource *res)
{
	struct nlattr *nest = nla_nest_start(skb, RBLK_A_VOLUMES);
	int i, err = 0;

	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_VOLUMES && !err; i++) {
		struct rblk_volume *volume = READ_ONCE(res->volume[i]);

		if (volume)
			err = rblk_fill_volume(skb, volume);
	}
	rcu_read_unlock();
	nla_nest_end(skb, nest);
	return err;
}

static int fill_peers(struct sk_buff *skb, struct rblk_resource *res)
{
	struct nlattr *nest = nla_nest_start(skb, RBLK_A_PEERS);
	int i, err = 0;

	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_NODES && !err; i++) {
		struct rblk_peer *peer = READ_ONCE(res->peer[i]);

		if (peer)
			err = rblk_fill_peer(skb, peer);
	}
	rcu_read_unlock();
	nla_nest_end(skb, nest);
	return err;
}

static int fill_latency(struct sk_buff *skb, struct rblk_resource *res)
{
	static const int attr[RBLK_NR_STAGES] = {
		[RBLK_STAGE_LOCAL] = RBLK_LAT_LOCAL,
		[RBLK_STAGE_SENT] = RBLK_LAT_SENT,
		[RBLK_STAGE_RECEIVED] = RBLK_LAT_RECEIVED,
		[RBLK_STAGE_APPLIED] = RBLK_LAT_APPLIED,
		[RBLK_STAGE_COMPLETE] = RBLK_LAT_COMPLETE,
	};
	struct nlattr *nest = nla_nest_start(skb, RBLK_A_LATENCY);
	u64 sum[RBLK_LATENCY_BUCKETS];
	int stage, used;

	if (!nest)
		return -EMSGSIZE;
	for (stage = 0; stage < RBLK_NR_STAGES; stage++) {
		used = rblk_latency_sum(res->latency, stage, sum);
		if (nla_put(skb, attr[stage], used * sizeof(*sum), sum))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int rblk_fill_all(struct sk_buff *skb, struct rblk_resource *res)
{
	int err;

	if (nla_put_string(skb, RBLK_A_NAME, res->name))
		return -EMSGSIZE;
	err = rblk_fill_resource(skb, res);
	if (!err)
		err = fill_volumes(skb, res);
	if (!err)
		err = fill_peers(skb, res);
	if (!err)
		err = fill_latency(skb, res);
	return err;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * peer.h - another node of a resource, and the link to it.
 */
#ifndef RBLK_PEER_H
#define RBLK_PEER_H

#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "core/wire.h"
#include "net/outq.h"
#include "net/sock.h"
#include "repl/read.h"
#include "repl/resync.h"

struct rblk_resource;
struct rblk_apply;
struct netlink_ext_ack;

#define RBLK_RX_AHEAD	(32U << 10)	/* read at once for what is short */
#define RBLK_TX_FRAMES	32	/* operations in one batch */
#define RBLK_TX_VECS	(RBLK_TX_FRAMES * 4 + BIO_MAX_VECS)

/**
 * struct rblk_tx - the sending half of a link
 * @mutex: one sender at a time: whoever submits, or send_work
 * @page: headers and acks of the batch
 * @bvec: the batch: what @head and @data iterate over
 * @head: bytes to be copied into the socket
 * @data: then: pages to be referenced by the socket
 * @sent: control frames in the batch, freed when it is through
 * @answer: a READ whose data is in the batch; likewise
 * @frames: headers used in @page
 * @vecs: used in @bvec
 * @bytes: of the whole batch
 * @op: its operations: their seqs, and where in the batch they end
 * @ops: how many
 * @ops_handed: of them, entirely in the socket
 */
struct rblk_tx {
	struct mutex mutex; /* protects this struct and writing to the socket */
	struct page *page;
	struct bio_vec *bvec;
	struct iov_iter head;
	struct iov_iter data;
	struct list_head sent;
	struct rblk_apply *answer;
	u32 frames;
	u32 vecs;
	u32 bytes;
	struct {
		u64 seq;
		u32 end;
	} op[RBLK_TX_FRAMES];
	u32 ops;
	u32 ops_handed;
};

enum rblk_rx_state {
	RBLK_RX_HEADER,
	RBLK_RX_CTRL,	/* payload into @buf */
	RBLK_RX_DATA,	/* payload into @apply's pages, or @read's */
	RBLK_RX_PAUSED,	/* a complete frame waits until the applier is idle */
};

/**
 * struct rblk_rx - the receiving half; only recv_work touches it
 * @state: what comes next
 * @hdr: the header being read
 * @frame: decoded
 * @iter: where the next bytes go
 * @vec: for @iter when it is not a data iterator
 * @buf: RBLK_WIRE_CTRL_MAX bytes
 * @apply: operation whose data is being read
 * @read: or this node's own read that is being answered
 * @ahead: RBLK_RX_AHEAD bytes: many short frames are read at once
 * @ahead_at: the next byte in it
 * @ahead_end: behind its last
 * @drained: the socket was empty when it was last read
 */
struct rblk_rx {
	enum rblk_rx_state state;
	struct rblk_msg_hdr hdr;
	struct rblk_frame frame;
	struct iov_iter iter;
	struct kvec vec;
	void *buf;
	struct rblk_apply *apply;
	struct rblk_read *read;
	void *ahead;
	u32 ahead_at;
	u32 ahead_end;
	bool drained;
};

/**
 * rblk_rx_expect_header - start reading a frame
 * @rx: its frame before this one is dealt with
 */
static inline void rblk_rx_expect_header(struct rblk_rx *rx)
{
	rx->state = RBLK_RX_HEADER;
	rx->vec.iov_base = &rx->hdr;
	rx->vec.iov_len = sizeof(rx->hdr);
	iov_iter_kvec(&rx->iter, ITER_DEST, &rx->vec, 1, sizeof(rx->hdr));
}

/**
 * struct rblk_fork - where this node's data and a peer's parted
 * @known: it was found in the last handshake; else nothing here counts
 * @seq: the last operation that both have
 * @gen: its generation; 0: unknown
 * @mine: how many this node has of its own
 * @theirs: how many the peer has
 * @mine_since_s: when the primary of the first of those was promoted, seconds
 *	since 1970; 0: unknown
 * @theirs_since_s: likewise
 */
struct rblk_fork {
	bool known;
	u64 seq;
	u64 gen;
	u64 mine;
	u64 theirs;
	u64 mine_since_s;
	u64 theirs_since_s;
};

/**
 * struct rblk_peer - see above
 * @res: its resource, which outlives it
 * @node_id: 0..15
 * @name: for the log and the status
 * @protocol: 'A', 'B' or 'C': how this node, as primary, waits for it
 *
 * Protected by the log's lock:
 * @conn: state of the link
 * @failing: the link is being torn down
 * @greeted: its HELLO arrived; @plan and @theirs are valid
 * @negotiating: this node's description is out, the answer is not here
 * @following: this node applies what the peer sends
 * @epoch: of the applier since then
 * @copied_to: the peer announced a resync of this node
 * @recalls: since this node took over the peer has not shown what it has, and it is
 *	known where the last operations from the primary before went
 * @catching_up: the peer announced what this node missed, in order
 * @offer: what this node told the peer, which has not answered: how it is going
 *	to bring it level
 * @join_seq: catching up: it joins, if it has not, and is level, once it applied
 *	this; 0: not catching up
 * @takes_zeroes: its devices zero by themselves; changes before it streams
 * @takes_logged: may be told of the activity log; likewise
 * @takes_active: may be sent ACTIVE; likewise
 * @told: it told where it may differ, and @lack has that
 * @told_base: for a node that has everything up to here
 * @told_volumes: of these volumes so far
 * @saw_more: it saw more of this node's activity log than is on the disk
 * @repl: what is known of the peer's data
 * @mine: what this node last said of itself
 * @theirs: what the peer last said
 * @reason: why it is not connected
 * @fork: how the two nodes' data parted, when it was last found to have
 * @fork_text: that in words, behind the reason
 * @set_back: its data is less than it once was; @fork_text says so
 * @lost_copy: of what it confirmed of a resync it may have less
 *
 * Hints between works, read and written without a lock:
 * @want_applied: the primary waits for what is being applied
 * @receiving: recv_work is under way and will send acknowledgments
 * @ack_due: acknowledgments to send
 * @acked_applied: position that the last ack carried
 * @rx_waits: recv_work left because the applier was full or busy
 *
 * @sock: valid while @conn is not DOWN; sending under tx.mutex
 * @binding: its callbacks
 * @tx: sending half
 * @rx: receiving half
 * @resync: a full copy to the peer
 * @send_work: runs the sending pump
 * @again_work: so does it, after memory was lacking, or when nothing came to send with
 * @recv_work: runs the receiving pump
 * @down_work: ends the link
 * @stall_work: watches for what is due
 * @outq: control frames to send
 * @resync: overwriting its data out of order
 * @lack: what it lacks; protected by the log's lock
 * @stored: by volume, the record that its last flush of a resync told of; likewise
 * @reads: what this node, without a disk, asks it for
 * @answers: what it asked for, to be sent; of struct rblk_apply; the log's lock
 * @nr_owed: how many it asked for that are not in the socket; likewise
 * @sent_bytes: handed to sockets so far
 * @received_bytes: read from sockets so far
 * @agreeing: what stall_work was set to watch
 * @last_progress: acknowledgments when it was set
 */
struct rblk_peer {
	struct rblk_resource *res;
	u8 node_id;
	u8 protocol;
	char name[RBLK_NAME_SIZE];

	enum rblk_conn_state conn;
	enum rblk_repl repl;
	bool failing;
	bool greeted;
	bool negotiating;
	bool following;
	u32 epoch;
	bool copied_to;
	bool recalls;
	bool takes_zeroes;
	bool takes_logged;
	bool takes_active;
	bool told;
	u64 told_base;
	u64 told_volumes;
	bool saw_more;
	bool catching_up;
	enum rblk_sync offer;
	u64 join_seq;
	struct rblk_self mine;
	struct rblk_self theirs;
	char reason[RBLK_REASON_SIZE];
	struct rblk_fork fork;
	char fork_text[RBLK_REASON_SIZE];
	bool set_back;
	bool lost_copy;

	bool ack_due;
	u64 acked_applied;
	bool want_applied;
	bool receiving;
	bool rx_waits;

	struct rblk_sock sock;
	struct rblk_sock_binding binding;
	struct rblk_outq outq;
	struct rblk_tx tx;
	struct rblk_rx rx;
	struct rblk_resync resync;
	struct rblk_lack lack;
	u64 stored[RBLK_MAX_VOLUMES];
	struct rblk_reads reads;
	struct list_head answers;
	u32 nr_owed;
	u64 sent_bytes;
	u64 received_bytes;
	u64 last_progress;
	bool agreeing;

	struct work_struct send_work;
	struct delayed_work again_work;
	struct work_struct recv_work;
	struct work_struct down_work;
	struct delayed_work stall_work;
};

/**
 * rblk_peer_create - add a node to a resource
 * @res: its configuration lock is held
 * @node_id: free, not this node's
 * @name: may be empty
 * @protocol: 'A', 'B' or 'C'
 * @extack: gets the reason of a refusal
 *
 * Return: 0, -EEXIST, -EINVAL, -ENOMEM.
 */
int rblk_peer_create(struct rblk_resource *res, u8 node_id, const char *name,
		     u8 protocol, struct netlink_ext_ack *extack);

/**
 * rblk_peer_destroy - remove a node
 * @peer: its resource's configuration lock is held; its link may be up
 * @reason: for both sides, when it is
 */
void rblk_peer_destroy(struct rblk_peer *peer, const char *reason);

/**
 * rblk_peer_add_volume - remember what each peer lacks of a new volume
 * @res: its configuration lock is held; no link is up
 * @volume: id of the volume
 * @size_sects: of the volume
 *
 * Return: 0 or -ENOMEM.
 */
int rblk_peer_add_volume(struct rblk_resource *res, u8 volume, u64 size_sects);

/**
 * rblk_peer_remove_volume - undo it; harmless when nothing was added
 * @res: its configuration lock is held; the log holds nothing of the volume
 * @volume: id of the volume
 */
void rblk_peer_remove_volume(struct rblk_resource *res, u8 volume);

#endif /* RBLK_PEER_H */

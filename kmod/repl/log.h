/* SPDX-License-Identifier: GPL-2.0 */
/*
 * log.h - the replication log: the operations, in seq order, that are not yet
 * complete or that some streaming peer has not yet applied.
 *
 * A ring of pointers, indexed by seq, holds the entries first..last. Each peer
 * reads it through a cursor at its own pace. An entry leaves from the front
 * when it has been reported to the application and every peer that streams has
 * applied it.
 *
 *   first            cursor.applied     cursor.next        last
 *     |  applied by all  |  sent, in flight  |  not yet sent  |
 *
 * For a peer whose link was lost the log keeps what it has not applied, as long
 * as half of the log is free for the others: if it comes back before that, it
 * gets just these, in order. What leaves the log that some peer is not known to
 * have for good is remembered as what that peer lacks (core/lack.h).
 *
 * Handshakes retain: from the moment this node told a peer its position until
 * the peer's answer is known, entries above that position stay, so a peer with
 * the same position can stream on from there without stopping I/O.
 *
 * One lock covers all of it, the gate and the role: every decision about an
 * operation is made at one moment. It is held for a few instructions, taken
 * with interrupts off (the local leg completes in interrupt context), and
 * never while anything is allocated, sent or submitted.
 */
#ifndef RBLK_REPL_LOG_H
#define RBLK_REPL_LOG_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "../core/ackpolicy.h"
#include "../core/gate.h"
#include "../core/lack.h"
#include "../core/pace.h"
#include "../core/wire.h"
#include "../uapi/rblk.h"

#define RBLK_LOG_OPS_MIN	64
#define RBLK_LOG_OPS_MAX	65536
#define RBLK_LOG_OPS_DEFAULT	32768
#define RBLK_LOG_BYTES_DEFAULT	(64ULL << 20)

struct rblk_write;

/**
 * struct rblk_cursor - one peer's place in the log
 * @next: the next seq to send
 * @handed: highest seq that is entirely in the socket: only what is may be
 *	acknowledged, for until then its pages are read; written by the sender
 * @received: highest seq the peer has received, and all below
 * @applied: highest seq the peer has applied, and all below
 * @durable: highest seq that is durable there, and all below
 * @recorded: highest seq that its metadata says is durable
 * @missed: highest seq reported to the application before this peer had
 *	applied it: what later operations sent to it depend on
 * @retain: entries from here on are kept for its handshake; 0: none
 * @keep: entries from here on are kept until it comes back; 0: none
 * @sent_bytes: data bytes of operations handed to the socket
 * @acked_bytes: of those, applied
 * @progress: counts acknowledgments; a stalled peer's stands still
 */
struct rblk_cursor {
	u64 next;
	u64 handed;
	u64 received;
	u64 applied;
	u64 durable;
	u64 recorded;
	u64 missed;
	u64 retain;
	u64 keep;
	u64 sent_bytes;
	u64 acked_bytes;
	u64 progress;
};

/**
 * struct rblk_log - see above
 * @lock: protects everything here and the entries' shared members
 * @ring: @size pointers, slot seq % @size
 * @size: a power of two
 * @first: oldest entry; @last + 1 when empty
 * @last: newest seq assigned
 * @reported: highest seq reported to the application
 * @gen: generation that new entries get
 * @copied_bytes: data copied for entries, reserved ones included
 * @max_bytes: bound of @copied_bytes; beyond, writes are held
 * @nr_incomplete: entries not yet reported
 * @gate: may requests come in, and end?
 * @lease_missed: something waits for a lease, or failed for want of one
 * @peers: what follows from which peers there are and how they are connected
 * @policy: whom completions wait for: chosen from @peers
 * @first_write_ns: when the first write of this term was reported; 0: not yet
 * @streaming: peers that are being sent entries
 * @keeping: peers that entries are kept for until they come back
 * @known: peers with a memory in @lack
 * @saving: how often entries' data is being copied after a lost link: no
 *	uncopied one is reported
 * @must_copy: new entries' data must be copied
 * @stable_data: copy whatever is sent: it carries a checksum
 * @read_node: the peer that reads were last sent to; meaningless at first
 * @read_floor: what such a peer must have applied before it reads
 * @cursor: by node id
 * @lack: by node id: what that peer lacks; bound by the peer
 * @held: writes that wait for the gate, for room, or that were released from
 *	an overlap, in order of arrival
 * @uncopied: held writes on their way to a copy of their data, room reserved
 * @flushes: FLUSH entries not yet reported
 * @held_reads: reads that wait for a lease, of struct rblk_read
 * @nr_held: held anywhere, overlaps and reads included; not what is in the log
 * @app: what its writes take
 * @idle: woken when @nr_incomplete falls to 0, and when the log is empty
 */
struct rblk_log {
	spinlock_t lock; /* see the comment at the top of this file */
	struct rblk_write **ring;
	u32 size;
	u64 first;
	u64 last;
	u64 reported;
	u64 gen;
	u64 copied_bytes;
	u64 max_bytes;
	u32 nr_incomplete;
	struct rblk_gate gate;
	bool lease_missed;
	struct rblk_ack_peers peers;
	struct rblk_ack_policy policy;
	u64 first_write_ns;
	u16 streaming;
	u16 keeping;
	u16 known;
	u8 saving;
	bool must_copy;
	bool stable_data;
	u8 read_node;
	u64 read_floor;
	struct rblk_cursor cursor[RBLK_MAX_NODES];
	struct rblk_lack *lack[RBLK_MAX_NODES];
	struct list_head held;
	struct list_head uncopied;
	struct list_head flushes;
	struct list_head held_reads;
	u64 nr_held;
	struct rblk_pace_app app;
	wait_queue_head_t idle;
};

/**
 * rblk_log_init - an empty log
 * @log: zeroed
 * @size: operations, a power of two between RBLK_LOG_OPS_MIN and _MAX
 * @max_bytes: bound of copied data
 *
 * Return: 0 or -ENOMEM.
 */
int rblk_log_init(struct rblk_log *log, u32 size, u64 max_bytes);

/**
 * rblk_log_exit - free the ring
 * @log: empty; harmless on one that was never initialized
 */
void rblk_log_exit(struct rblk_log *log);

/**
 * rblk_log_restart - continue after @seq, with generation @gen
 * @log: empty, under its lock
 * @seq: position of this node's data
 * @gen: generation of the entries to come
 */
void rblk_log_restart(struct rblk_log *log, u64 seq, u64 gen);

/**
 * rblk_log_has_room - may one more operation enter?
 * @log: under its lock
 */
bool rblk_log_has_room(const struct rblk_log *log);

/**
 * rblk_log_append - give a write its seq and dep and put it last
 * @log: under its lock, with room
 * @write: not in any log
 */
void rblk_log_append(struct rblk_log *log, struct rblk_write *write);

/**
 * rblk_log_find - the entry @seq
 * @log: under its lock
 * @seq: any
 *
 * Return: the entry, or NULL when it is not (or no longer) there.
 */
struct rblk_write *rblk_log_find(const struct rblk_log *log, u64 seq);

/**
 * rblk_log_next - the next entry to send to a peer, and step over it
 * @log: under its lock
 * @node: id of a streaming peer
 * @dep: set to what this peer must have applied before it starts the entry
 *
 * Return: the entry, or NULL when everything is sent.
 */
struct rblk_write *rblk_log_next(struct rblk_log *log, u8 node, u64 *dep);

/**
 * rblk_log_idle_peers - whose links carry nothing
 * @log: under its lock, not empty
 *
 * Return: of the peers that completions wait for, those that have received
 * everything that they were sent.
 */
u16 rblk_log_idle_peers(const struct rblk_log *log);

/**
 * rblk_log_trim - take finished entries off the front
 * @log: under its lock
 * @freed: they are appended to this list by their @link; the caller frees them
 *	after dropping the lock
 *
 * Return: true when room was made.
 */
bool rblk_log_trim(struct rblk_log *log, struct list_head *freed);

/**
 * rblk_log_retain - keep what comes from now on for a peer's handshake
 * @log: under its lock
 * @node: id of the peer
 *
 * Return: the position that the peer must have to stream on from here.
 */
u64 rblk_log_retain(struct rblk_log *log, u8 node);

/**
 * rblk_log_release - end retaining; the peer does not stream
 * @log: under its lock
 * @node: id of the peer
 */
void rblk_log_release(struct rblk_log *log, u8 node);

/**
 * rblk_log_know - remember from now on what a peer lacks, or stop it
 * @log: under its lock
 * @node: id of the peer, not streaming
 * @lack: its memory, which knows nothing yet; NULL: stop
 */
void rblk_log_know(struct rblk_log *log, u8 node, struct rblk_lack *lack);

/**
 * rblk_log_keep - keep what a peer has not applied until it comes back
 * @log: under its lock
 * @node: id of the peer
 * @seq: the first entry that it has not applied. Those whose data is not here
 *	any more are left out if it has received them; if it has not, or while
 *	memory is short, none is kept
 */
void rblk_log_keep(struct rblk_log *log, u8 node, u64 seq);

/**
 * rblk_log_forget - keep nothing for peers that are away, from now on
 * @log: under its lock; to be trimmed
 */
void rblk_log_forget(struct rblk_log *log);

/**
 * rblk_log_holds_from - from where on every entry is here with its data
 * @log: under its lock
 *
 * Return: the lowest such seq; last + 1 when there is none.
 */
u64 rblk_log_holds_from(const struct rblk_log *log);

/**
 * rblk_log_remember_rest - a peer is not going to be sent entries in the log
 * @log: under its lock
 * @node: id of the peer
 * @seq: those above this position
 */
void rblk_log_remember_rest(struct rblk_log *log, u8 node, u64 seq);

/**
 * rblk_log_stream - start sending to a peer that has everything <= @seq
 * @log: under its lock; entries above @seq are retained
 * @node: id of the peer
 * @seq: its position, or the one from which a copy brings it level
 *
 * Without an in-sync set completions do not wait for it until it joins.
 */
void rblk_log_stream(struct rblk_log *log, u8 node, u64 seq);

/**
 * rblk_log_join - a peer that streams has all, or has what comes from now on
 * @log: under its lock
 * @node: id of the peer; until rblk_log_unstream()
 */
void rblk_log_join(struct rblk_log *log, u8 node);

/**
 * rblk_log_has_joined - do completions wait for it, as its protocol says?
 * @log: under its lock
 * @node: id of the peer
 */
bool rblk_log_has_joined(const struct rblk_log *log, u8 node);

/**
 * rblk_log_copy - a peer is being copied to, out of order
 * @log: under its lock
 * @node: id of the peer, which promised durably that it is inconsistent
 *
 * It stays so while it is away, until it joins, or streams consistent data.
 */
void rblk_log_copy(struct rblk_log *log, u8 node);

/**
 * rblk_log_is_consistent - a peer that was copied to has consistent data again
 * @log: under its lock
 * @node: id of the peer
 */
void rblk_log_is_consistent(struct rblk_log *log, u8 node);

/**
 * rblk_log_set_level - a peer that streams has, or is being sent, every operation
 * @log: under its lock
 * @node: id of the peer; until rblk_log_unstream()
 */
void rblk_log_set_level(struct rblk_log *log, u8 node);

/**
 * rblk_log_unstream - stop sending to a peer; nothing waits for it any more
 * @log: under its lock
 * @node: id of the peer
 */
void rblk_log_unstream(struct rblk_log *log, u8 node);

/**
 * rblk_log_set_protocol - what completions that wait for a peer wait for
 * @log: under its lock
 * @node: id of the peer, streaming or not
 * @protocol: 'A', 'B' or 'C'; 0: it is no peer any more
 */
void rblk_log_set_protocol(struct rblk_log *log, u8 node, u8 protocol);

/**
 * rblk_log_set_in_sync - whom completions wait for, connected or not
 * @log: under its lock; all operations are to be judged again
 * @nodes: bits 1 << node id; 0: those that are connected
 */
void rblk_log_set_in_sync(struct rblk_log *log, u16 nodes);

/**
 * rblk_log_set_min_in_sync - how many nodes writes need
 * @log: under its lock; what is held is to be tried again, all is to be judged
 * @min: this one included; 0: any number
 */
void rblk_log_set_min_in_sync(struct rblk_log *log, u8 min);

/**
 * rblk_log_has_all - does a peer have everything that was reported?
 * @log: under its lock
 * @node: id of a peer that streams
 *
 * Where completions wait for N of the peers only, none has to: who promotes
 * then asks enough of them.
 */
bool rblk_log_has_all(const struct rblk_log *log, u8 node);

/**
 * rblk_log_set_acks - how many synchronous peers a completion waits for
 * @log: under its lock
 * @acks: 0 all, N any N
 */
void rblk_log_set_acks(struct rblk_log *log, u8 acks);

/**
 * rblk_log_set_stable_data - copy all data that is sent, or only what must be
 * @log: under its lock
 * @stable: true when the application must not be able to change it
 */
void rblk_log_set_stable_data(struct rblk_log *log, bool stable);

/**
 * rblk_log_lease - may a request of the primary complete now?
 * @log: its lock need not be held; then a change may go unnoticed for a moment
 *
 * Return: pass where no lease is needed: that costs a load and a compare.
 */
static inline enum rblk_gate_verdict rblk_log_lease(const struct rblk_log *log)
{
	if (likely(READ_ONCE(log->gate.until_ns) == RBLK_GATE_NO_LEASE_NEEDED))
		return RBLK_GATE_PASS;
	return rblk_gate_lease(&log->gate, ktime_get_boottime_ns());
}

/**
 * rblk_log_held - how many requests are held, and what for
 * @log: under its lock
 * @by: set to the first reason that applies, if any is held
 *
 * Return: those that did not come in yet, and those that ended here but may not
 * be reported.
 */
u64 rblk_log_held(const struct rblk_log *log, enum rblk_held_by *by);

#endif /* RBLK_REPL_LOG_H */

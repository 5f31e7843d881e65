/* SPDX-License-Identifier: GPL-2.0 */
/*
 * resync.h - the blocks that a peer lacks are written over, out of order.
 *
 * The primary makes the peer follow from now on (STATE with @resync: its data
 * is inconsistent until the end) and walks what the peer lacks (core/lack.h;
 * a full copy is the case that it lacks everything) in chunks. A chunk's range
 * is locked while it is read, and unlocked at the moment its place in the stream
 * is fixed: no operation that is admitted later is sent before a chunk that is
 * ready. So a chunk and a write of the same blocks cannot cross, and no other
 * ordering is needed.
 *
 *   lock range -> read -> ready, unlock -> sent -> applied there -> confirmed
 *
 * What was applied may still be in a volatile cache. So from time to time a
 * flush is sent; what had been applied before is confirmed when it is
 * acknowledged, and only then does the peer no longer lack it. Whatever ends
 * the link before, the rest is done after the next one.
 *
 * When the peer may have most of it (a full copy), a chunk's digests are sent
 * first, and then only the blocks that it says differ. A chunk that is all zeroes
 * is sent as that, so that what is thin stays thin.
 *
 * How many are on their way at once, core/pace.h says.
 *
 * A chunk may hold what operations wrote that the peer has not applied yet.
 * So its data is a state that the primary had only once it has applied
 * everything that was in the log when the last chunk was confirmed: the end
 * is announced no earlier. Until then completions do not wait for the peer.
 */
#ifndef RBLK_REPL_RESYNC_H
#define RBLK_REPL_RESYNC_H

#include <linux/bio.h>
#include <linux/workqueue.h>

#include "write.h"
#include "../core/pace.h"

struct rblk_peer;

#define RBLK_RESYNC_CHUNK_SECTS	512	/* 256 KiB */
#define RBLK_RESYNC_UNCONFIRMED	2048	/* chunks under way, or not confirmed */
#define RBLK_RESYNC_FLUSH_AT	32	/* so many are worth a flush ... */
#define RBLK_RESYNC_FLUSH_SECTS	4096	/* ... if they are 2 MiB */

/**
 * struct rblk_resync_chunk - a piece on its way
 * @link: in one of the lists of struct rblk_resync
 * @peer: to whom
 * @volume: of which
 * @range: locked until it is ready
 * @waiter: when its range is taken
 * @parent: of which this is a part that differs, or NULL
 * @parts: of this chunk that are under way; one more while some are to come
 * @differ: its blocks that differ, as the peer says, without those parts
 * @trip: from here to the peer's answer
 * @digest: its digests are sent, not its data
 * @zeroes: it is all zeroes
 * @bio: its data; last, the bio set's front pad
 */
struct rblk_resync_chunk {
	struct list_head link;
	struct rblk_peer *peer;
	struct rblk_volume *volume;
	struct rblk_range range;
	struct rblk_waiter waiter;
	struct rblk_resync_chunk *parent;
	u32 parts;
	u64 differ;
	struct rblk_pace_trip trip;
	bool digest;
	bool zeroes;
	struct bio bio;
};

/**
 * struct rblk_resync_range - a range that the peer applied
 * @sector: first sector
 * @nr_sects: length
 */
struct rblk_resync_range {
	u64 sector;
	u32 nr_sects;
};

/**
 * struct rblk_resync - one peer's resync
 *
 * Protected by the log's lock:
 * @active: under way
 * @paused: by the admin: no chunk starts, whatever link it is
 * @flushing: a flush was sent
 * @last_sent: the end was announced
 * @by_digest: the peer may have much of it: ask before sending
 * @volume: being walked
 * @next_sect: in it
 * @retry: chunks whose range became free
 * @ready: chunks to send
 * @sending: a chunk that is not yet entirely in the socket
 * @sent: chunks to be acknowledged
 * @digesting: chunks that were read, to be digested
 * @differing: chunks whose answer is that something differs
 * @split: chunks whose parts are under way
 * @in_flight: chunks anywhere
 * @applied: ranges of @volume that the peer applied, to be confirmed
 * @nr_applied: how many
 * @nr_flushed: the first so many are covered by the flush that was sent
 * @unflushed_sects: applied since a flush was sent
 * @done_sects: applied
 * @total_sects: what the peer lacked at the start
 * @pace: how much may be in flight
 * @wait_ns: until the pace is asked again; RBLK_PACE_FOREVER: when a chunk
 *	comes back
 * @rate: how fast @done_sects grows
 * @end_seq: all is confirmed; the end may be announced when the peer has
 *	applied everything up to here; 0: not yet known
 *
 * @fail: ends the link, with a reason; bound by the peer
 * @work: keeps the window full
 * @drained: woken when @in_flight falls to 0, or a stopped chunk comes back
 */
struct rblk_resync {
	bool active;
	bool paused;
	bool flushing;
	bool last_sent;
	bool by_digest;
	u8 volume;
	u64 next_sect;
	struct list_head retry;
	struct list_head ready;
	struct list_head sending;
	struct list_head sent;
	struct list_head digesting;
	struct list_head differing;
	struct list_head split;
	u32 in_flight;
	struct rblk_resync_range *applied;
	u32 nr_applied;
	u32 nr_flushed;
	u64 unflushed_sects;
	u64 done_sects;
	u64 total_sects;
	struct rblk_pace pace;
	u64 wait_ns;
	struct rblk_pace_rate rate;
	u64 end_seq;
	void (*fail)(struct rblk_peer *peer, const char *reason);
	struct delayed_work work;
	wait_queue_head_t drained;
};

/**
 * rblk_resync_setup - prepare a new peer's part
 * @resync: zeroed
 * @fail: ends the peer's link
 */
void rblk_resync_setup(struct rblk_resync *resync,
		       void (*fail)(struct rblk_peer *peer,
				    const char *reason));

/**
 * rblk_resync_begin - the peer follows now: start with what it lacks
 * @peer: streaming; its resource's log lock is held
 * @by_digest: compare first, and send only what differs
 */
void rblk_resync_begin(struct rblk_peer *peer, bool by_digest);

/**
 * rblk_resync_pause - let no chunk start, or go on
 * @peer: whose resync, or the one to come
 * @pause: stop, instead of going on
 *
 * What is under way comes to its end and is confirmed. Writes go on to the
 * peer. It outlasts links.
 */
void rblk_resync_pause(struct rblk_peer *peer, bool pause);

/**
 * rblk_resync_stop - the link is lost: stop, wait for its reads
 * @peer: not streaming any more, every operation judged since
 */
void rblk_resync_stop(struct rblk_peer *peer);

/**
 * rblk_resync_next - the next chunk to send
 * @peer: its resource's log lock is held
 *
 * Return: a chunk, now being sent, or NULL.
 */
struct rblk_resync_chunk *rblk_resync_next(struct rblk_peer *peer);

/**
 * rblk_resync_handed - what was being sent is entirely in the socket
 * @peer: whose tx.mutex is held
 */
void rblk_resync_handed(struct rblk_peer *peer);

/**
 * rblk_resync_advance - the peer applied more operations
 * @peer: any; costs next to nothing unless its resync, or its catching up with
 *	the log, waits for this
 */
void rblk_resync_advance(struct rblk_peer *peer);

/**
 * rblk_resync_acked - the peer applied a chunk, flushed, or has it all
 * @peer: that sent @frame, a RESYNC_ACK
 * @frame: checked
 *
 * Return: NULL, or why the peer cannot be telling the truth.
 */
const char *rblk_resync_acked(struct rblk_peer *peer,
			      const struct rblk_frame *frame);

/**
 * rblk_resync_compared - the peer compared a chunk's digests
 * @peer: that sent @frame, a DIFF
 * @frame: checked
 * @differ: its blocks that differ
 *
 * Return: NULL, or why the peer cannot be telling the truth.
 */
const char *rblk_resync_compared(struct rblk_peer *peer,
				 const struct rblk_frame *frame, u64 differ);

#endif /* RBLK_REPL_RESYNC_H */

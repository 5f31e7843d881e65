/* SPDX-License-Identifier: GPL-2.0 */
/*
 * actlog.h - the activity log: where this node may differ after a crash.
 *
 * A volume is divided into extents. Before the first write to one, a transaction
 * says on disk that it is active; writes to active extents cost nothing. An
 * extent gives its slot up only when nothing uses it, a flush covered what was
 * written to it, and the caller says that no peer lacks anything in it.
 *
 * A transaction changes some slots and restates others in turn, so the last
 * few blocks of the ring say what every slot holds. What is on disk may name
 * more extents than matter, never fewer:
 *
 *   vacant -> pending (somebody enters) -> writing (in the transaction under
 *   way) -> active (durable) -> vacant
 *
 * No locks: the caller serializes. No memory of its own.
 */
#ifndef RBLK_CORE_ACTLOG_H
#define RBLK_CORE_ACTLOG_H

#include "env.h"
#include "ondisk.h"

/**
 * struct rblk_actlog_slot - one extent
 * @epoch: flushes that had begun when its last user left
 * @extent: its number; RBLK_ONDISK_NO_EXTENT while vacant
 * @users: operations that entered it and did not leave
 * @next: slot with the same hash
 * @link: next vacant or next pending slot
 * @state: see above
 * @recent: it was entered since the hand passed
 * @stated: replay: a transaction said what it holds
 */
struct rblk_actlog_slot {
	u64 epoch;
	u32 extent;
	u32 users;
	u16 next;
	u16 link;
	u8 state;
	bool recent;
	bool stated;
};

/**
 * struct rblk_actlog - see above
 * @slot: @nr_slots of them
 * @head: hash heads, 1 << @hash_bits
 * @serial: of the last transaction that is durable
 * @flush_begun: flushes begun
 * @flush_done: the youngest of them that succeeded
 * @nr_slots: size of the active set
 * @nr_vacant: vacant ones
 * @to_restate: slots that no transaction restated since rblk_actlog_begin()
 * @restate: slot that the next transaction restates first
 * @window: slots that the transaction under way restates
 * @hand: slot that rblk_actlog_vacate() looks at next
 * @vacant: first vacant slot
 * @pending: first pending slot
 * @pending_last: where the next one is put
 * @hash_bits: log2 of the heads
 * @writing: a transaction is under way
 * @failed: the last one failed, or the flush that was to make room
 */
struct rblk_actlog {
	struct rblk_actlog_slot *slot;
	u16 *head;
	u64 serial;
	u64 flush_begun;
	u64 flush_done;
	u32 nr_slots;
	u32 nr_vacant;
	u32 to_restate;
	u32 restate;
	u32 window;
	u32 hand;
	u16 vacant;
	u16 pending;
	u16 pending_last;
	u8 hash_bits;
	bool writing;
	bool failed;
};

/** rblk_actlog_nr_slots - slots for a volume with so many extents */
u32 rblk_actlog_nr_slots(u64 nr_extents);

/** rblk_actlog_hash_bits - log2 of the heads for so many slots */
u8 rblk_actlog_hash_bits(u32 nr_slots);

/**
 * rblk_actlog_init - nothing is active
 * @log: what becomes one
 * @slot: rblk_actlog_nr_slots() of them; owned by the caller
 * @head: 1 << rblk_actlog_hash_bits() of them; owned by the caller
 * @nr_slots: > 0
 */
void rblk_actlog_init(struct rblk_actlog *log, struct rblk_actlog_slot *slot,
		      u16 *head, u32 nr_slots);

/**
 * rblk_actlog_begin - all slots are restated before anything may be written
 * @log: loaded or new
 *
 * Said when a term begins: whatever the ring held before, from then on it is
 * complete.
 */
void rblk_actlog_begin(struct rblk_actlog *log);

enum rblk_actlog_answer {
	RBLK_ACTLOG_GO,		/* all of it is active: write */
	RBLK_ACTLOG_WAIT,	/* until a transaction was written, then ask again */
	RBLK_ACTLOG_FULL,	/* no slot: nothing was entered */
	RBLK_ACTLOG_FAILED,	/* the transaction failed: leave, if it entered */
};

/**
 * rblk_actlog_enter - an operation is going to write
 * @log: of its volume
 * @first: first extent that it touches
 * @last: last one
 *
 * With GO and WAIT it counts as their user until rblk_actlog_leave().
 */
enum rblk_actlog_answer rblk_actlog_enter(struct rblk_actlog *log, u32 first,
					  u32 last);

/** rblk_actlog_ask - may an operation that entered these extents go on? */
enum rblk_actlog_answer rblk_actlog_ask(const struct rblk_actlog *log,
					u32 first, u32 last);

/** rblk_actlog_leave - what was written is complete, here and in every sense */
void rblk_actlog_leave(struct rblk_actlog *log, u32 first, u32 last);

/** rblk_actlog_is_short - few are vacant: a flush and rblk_actlog_vacate() help */
bool rblk_actlog_is_short(const struct rblk_actlog *log);

/**
 * rblk_actlog_flush_begin - a flush of the backing device begins
 * @log: of the volume
 *
 * Return: its number, for rblk_actlog_flushed().
 */
u64 rblk_actlog_flush_begin(struct rblk_actlog *log);

/** rblk_actlog_flushed - flush number @flush succeeded */
void rblk_actlog_flushed(struct rblk_actlog *log, u64 flush);

/**
 * rblk_actlog_vacate - make room
 * @log: of the volume
 * @may_leave: does nobody need this extent any more?
 * @arg: for it
 * @looks: at how many slots to look
 *
 * What was entered since the hand passed last stays for another round.
 *
 * Return: how many slots became vacant.
 */
u32 rblk_actlog_vacate(struct rblk_actlog *log,
		       bool (*may_leave)(void *arg, u32 extent), void *arg,
		       u32 looks);

/**
 * rblk_actlog_prepare - what the next transaction says
 * @log: no transaction under way
 * @tx: filled, but for its term and what it says of peers
 *
 * Return: false when there is nothing to say.
 */
bool rblk_actlog_prepare(struct rblk_actlog *log, struct rblk_transaction *tx);

/**
 * rblk_actlog_written - the transaction under way has ended
 * @log: of the volume
 * @tx: what was prepared
 * @ok: it is durable; otherwise its block may hold anything
 */
void rblk_actlog_written(struct rblk_actlog *log,
			 const struct rblk_transaction *tx, bool ok);

/**
 * rblk_actlog_saw - a backup got something that came after a transaction
 * @seen: of the volume
 * @gen: generation of the primary
 * @serial: newest transaction that was durable there; 0: not told
 *
 * Return: true when that is news.
 */
bool rblk_actlog_saw(struct rblk_seen *seen, u64 gen, u64 serial);

/**
 * struct rblk_actlog_terms - what a ring knows of the terms that wrote it
 * @now: the last one, with its last transaction; gen 0: none
 * @past: those before, newest first; gen 0: no more
 */
struct rblk_actlog_terms {
	struct rblk_seen now;
	struct rblk_seen past[RBLK_ONDISK_PAST];
};

/**
 * rblk_actlog_next_term - another term begins to write
 * @terms: of the ring
 * @gen: its generation
 * @serial: the last transaction of the term before
 */
void rblk_actlog_next_term(struct rblk_actlog_terms *terms, u64 gen, u64 serial);

/**
 * rblk_actlog_is_set_back - is a ring older than what a backup saw of it?
 * @terms: of the ring
 * @seen: by the backup, of a term of this node
 *
 * A write to an extent is sent only when a transaction with that extent is
 * durable, and carries that transaction's number or a higher one. So whoever
 * has a write outside of what the ring calls active saw a number above it. Of a
 * term that the ring does not know, nothing can be said for it.
 */
bool rblk_actlog_is_set_back(const struct rblk_actlog_terms *terms,
			     const struct rblk_seen *seen);

#define RBLK_ACTLOG_DAMAGED	U64_MAX

/**
 * rblk_actlog_run - which transactions of a ring say what is active
 * @serial: of the transaction in each block; 0: none; RBLK_ACTLOG_DAMAGED:
 *	there may have been one
 * @nr_blocks: of the ring
 * @first: set to the first of them
 * @last: set to the last of them; 0: the ring is empty
 *
 * These are the newest one and those before it without a gap. A damaged block
 * where the next one belongs was being written, so nobody counted on it.
 *
 * Return: false if another block is damaged: it may have been newer.
 */
bool rblk_actlog_run(const u64 *serial, u32 nr_blocks, u64 *first, u64 *last);

/**
 * rblk_actlog_replay - take over what a transaction says, in order
 * @log: new
 * @tx: good
 * @nr_extents: that the volume has
 *
 * Return: false if it cannot be of this volume.
 */
bool rblk_actlog_replay(struct rblk_actlog *log,
			const struct rblk_transaction *tx, u32 nr_extents);

/**
 * rblk_actlog_replayed - all transactions were taken over
 * @log: from now on in use
 * @first: serial of the first one
 * @last: of the last one
 *
 * Return: true if they said what every slot holds. Otherwise anything may
 * have been active.
 */
bool rblk_actlog_replayed(struct rblk_actlog *log, u64 first, u64 last);

/**
 * rblk_actlog_next - the extents that are active
 * @log: any
 * @slot: where to go on; begins with 0
 *
 * Return: the next one; RBLK_ONDISK_NO_EXTENT after the last.
 */
u32 rblk_actlog_next(const struct rblk_actlog *log, u32 *slot);

#endif /* RBLK_CORE_ACTLOG_H */

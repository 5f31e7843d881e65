/* SPDX-License-Identifier: GPL-2.0 */
/*
 * active.h - the activity log of a volume: I/O around core/actlog.h.
 *
 * A write to extents that are active goes at once. Otherwise it is held, before
 * it gets its place in the order, until a transaction with them is durable;
 * all that wait share it. Neither the disk nor a peer gets it before. A write
 * counts as user of its extents until it leaves the log, so until what a peer
 * lacks of it is remembered in the peer's sets.
 *
 * Volumes without metadata have none, and nothing waits.
 */
#ifndef RBLK_REPL_ACTIVE_H
#define RBLK_REPL_ACTIVE_H

#include <linux/workqueue.h>

#include "../core/actlog.h"
#include "../core/wire.h"

struct page;
struct rblk_resource;
struct rblk_volume;
struct rblk_write;

/**
 * struct rblk_active - see above
 * @volume: that it belongs to
 * @log: which extents are active; the log's lock, as all up to @tidy
 * @silent: nodes that may lack something outside of active extents
 * @floor: operations up to here may lack their extents in it
 * @stuck: nothing could be made vacant since an operation left
 * @tidy: empty it as far as nobody needs it
 * @known: what the disk said when it was opened was complete
 * @terms: which terms wrote it, up to which transaction
 * @base: what it said of each node
 * @busy_ns: since when the disk is waited for; 0: it is not; without a lock
 * @work: makes room, writes transactions
 * @tx: the one under way; the work's alone, as @page
 * @page: its block
 */
struct rblk_active {
	struct rblk_volume *volume;
	struct rblk_actlog log;
	u16 silent;
	bool stuck;
	bool tidy;
	bool known;
	u64 floor;
	struct rblk_actlog_terms terms;
	u64 base[RBLK_MAX_NODES];
	u64 busy_ns;
	struct work_struct work;
	struct rblk_transaction *tx;
	struct page *page;
};

/**
 * rblk_active_open - read a volume's activity log
 * @volume: its metadata is open; sets its @active
 *
 * Damage is no error: then anything may differ.
 *
 * Context: process; sleeps.
 * Return: 0 or -ENOMEM.
 */
int rblk_active_open(struct rblk_volume *volume);

/** rblk_active_close - nothing uses it any more */
void rblk_active_close(struct rblk_volume *volume);

/**
 * rblk_active_admit - may this write be admitted?
 * @write: its volume's log lock is held; it has data
 *
 * With WAIT and FULL it is held: held writes are tried again when there is news.
 */
enum rblk_actlog_answer rblk_active_admit(struct rblk_write *write);

/** rblk_active_leave - a write leaves the log, or is refused; the lock is held */
void rblk_active_leave(struct rblk_write *write);

/** rblk_active_begin - a term begins; the log's lock is held */
void rblk_active_begin(struct rblk_resource *res);

/**
 * rblk_active_restore - remember of a peer what the disks say
 * @res: about to be primary again; its log's lock is held
 * @node: id of the peer
 *
 * Return: false if the disks do not speak for it.
 */
bool rblk_active_restore(struct rblk_resource *res, u8 node);

/**
 * rblk_active_base - for whom the disks still speak
 * @res: its log's lock is held
 * @node: id of a peer
 *
 * Return: if that node has everything up to here, all in which this node may
 * differ from it is in active extents; U64_MAX: it may differ anywhere.
 */
u64 rblk_active_base(const struct rblk_resource *res, u8 node);

/** rblk_active_nr - how many extents are active; the log's lock is not needed */
u32 rblk_active_nr(const struct rblk_volume *volume);

/** rblk_active_slots - how many slots there are */
u32 rblk_active_slots(const struct rblk_volume *volume);

/**
 * rblk_active_spans - where a volume may differ
 * @volume: has an activity log; the log's lock is held
 * @slot: where to go on; begins with 0
 * @span: filled
 * @max: how many fit
 *
 * Return: how many there are; 0 is no end, @slot is.
 */
u32 rblk_active_spans(const struct rblk_volume *volume, u32 *slot,
		      struct rblk_span *span, u32 max);

/**
 * rblk_active_saw - what this node saw of a primary's activity log
 * @volume: whose; its resource's log is not locked
 * @lineage: that this node's data has
 *
 * Return: the number of the newest transaction that the primary of the last
 * term told; 0: none.
 */
u64 rblk_active_saw(struct rblk_volume *volume,
		    const struct rblk_lineage *lineage);

/** rblk_active_found - the last transaction of the ring, as it was found */
u64 rblk_active_found(const struct rblk_volume *volume);

/**
 * rblk_active_serial - the newest transaction that is durable
 * @volume: the log's lock is held
 *
 * Return: 0 where nothing is logged; of a disk that is not written any more, one
 * more than it has.
 */
u64 rblk_active_serial(const struct rblk_volume *volume);

/**
 * rblk_active_is_set_back - did a peer see more of the log than is on the disk?
 * @volume: the log's lock is held
 * @seen: by the peer
 */
bool rblk_active_is_set_back(const struct rblk_volume *volume,
			     const struct rblk_seen *seen);

/**
 * rblk_active_tidy - make vacant, on disk too, what nobody needs
 * @res: was primary; nothing is in flight
 *
 * Context: process; sleeps.
 */
void rblk_active_tidy(struct rblk_resource *res);

/**
 * rblk_active_replaced - the disk of a primary's volume is another one now
 * @volume: its resource's log lock is held
 *
 * The log says all anew, and speaks for a peer only where it lacks nothing.
 */
void rblk_active_replaced(struct rblk_volume *volume);

/**
 * rblk_active_waits - is a write of the log not through yet?
 * @volume: any
 * @since_ns: begun before that, CLOCK_MONOTONIC
 */
bool rblk_active_waits(const struct rblk_volume *volume, u64 since_ns);

#endif /* RBLK_REPL_ACTIVE_H */

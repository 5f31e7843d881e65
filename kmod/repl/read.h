/* SPDX-License-Identifier: GPL-2.0 */
/*
 * read.h - reads go to the backing device, or to a peer when it is away.
 *
 *   local read fails, or the disk is away
 *     -> queued for a peer that is level -> sent -> answered
 *          ^                                 |
 *          +--- it failed there, or its link is lost; no peer left: an error
 */
#ifndef RBLK_REPL_READ_H
#define RBLK_REPL_READ_H

#include <linux/bio.h>

#include "../core/wire.h"

struct rblk_peer;
struct rblk_volume;

/**
 * struct rblk_read - a read on its way
 * @link: in a list of struct rblk_reads
 * @volume: holds a reference for it
 * @bio: the application's
 * @iter: its data's place in @bio
 * @bdev: that the bio was for
 * @end_io: of the bio
 * @private: of the bio
 * @id: its name on the link
 * @dep: what a peer must have applied before
 * @tried: peers that could not read it
 * @term: generation of the primary with a lease that it came to; 0: none
 * @through: bio_endio() called us: it is through with the bio
 * @ended: it only waits for a lease to be completed
 * @status: then, how
 * @start_jiffies: for iostat
 */
struct rblk_read {
	struct list_head link;
	struct rblk_volume *volume;
	struct bio *bio;
	struct bvec_iter iter;
	struct block_device *bdev;
	bio_end_io_t *end_io;
	void *private;
	u64 id;
	u64 dep;
	u16 tried;
	u64 term;
	bool through;
	bool ended;
	blk_status_t status;
	unsigned long start_jiffies;
};

/**
 * struct rblk_reads - reads that one peer is to answer; the log's lock
 * @queued: to be sent
 * @sent: to be answered
 * @nr_sent: how many
 * @last_id: given to the last one
 */
struct rblk_reads {
	struct list_head queued;
	struct list_head sent;
	u32 nr_sent;
	u64 last_id;
};

/** rblk_read_init - the module's pool; Return: 0 or -ENOMEM */
int rblk_read_init(void);

/** rblk_read_exit - give the pool back */
void rblk_read_exit(void);

/** rblk_reads_init - none */
void rblk_reads_init(struct rblk_reads *reads);

/**
 * rblk_read_submit - take an application's read
 * @volume: its volume, with a reference for the bio
 * @bio: already split to the disk's limits
 *
 * Context: process, as ->submit_bio.
 */
void rblk_read_submit(struct rblk_volume *volume, struct bio *bio);

/**
 * rblk_read_retry_work - go on with reads that waited for a lease
 * @work: the resource's read_work
 */
void rblk_read_retry_work(struct work_struct *work);

/**
 * rblk_read_may_send - is there a read that can be sent now?
 * @peer: its resource's log lock is held
 */
bool rblk_read_may_send(struct rblk_peer *peer);

/**
 * rblk_read_next - the next read to send to a peer
 * @peer: any
 * @frame: filled: its header
 *
 * It is sent only behind all operations that it depends on.
 *
 * Return: false when there is none, or enough are unanswered.
 */
bool rblk_read_next(struct rblk_peer *peer, struct rblk_frame *frame);

/**
 * rblk_read_answered - a peer answers a read
 * @peer: that sent @frame
 * @frame: its header, checked
 *
 * Return: the read, no longer the peer's; NULL when it was not asked for.
 */
struct rblk_read *rblk_read_answered(struct rblk_peer *peer,
				     const struct rblk_frame *frame);

/**
 * rblk_read_fill - where the data goes
 * @read: answered
 * @iter: set to its pages
 */
void rblk_read_fill(struct rblk_read *read, struct iov_iter *iter);

/**
 * rblk_read_end - a read is answered entirely
 * @read: no longer anybody's
 *
 * Context: any.
 */
void rblk_read_end(struct rblk_read *read);

/**
 * rblk_read_elsewhere - a peer could not read it: ask another, or fail
 * @read: no longer the peer's
 * @node: id of that peer
 *
 * Context: any.
 */
void rblk_read_elsewhere(struct rblk_read *read, u8 node);

/**
 * rblk_read_unstreamed - ask others what a peer will not be asked any more
 * @peer: not streaming any more
 * @lost: nor will it answer: nobody sends or receives
 */
void rblk_read_unstreamed(struct rblk_peer *peer, bool lost);

/**
 * rblk_read_waits_locked - does the disk owe an answer?
 * @volume: its resource's log lock is held
 * @since_ns: to a read submitted before that, CLOCK_MONOTONIC
 */
bool rblk_read_waits_locked(struct rblk_volume *volume, u64 since_ns);

/**
 * rblk_read_orphan_locked - wait for the disk no more
 * @volume: its resource's log lock is held
 * @reads: gets what was waited for, for rblk_read_elsewhere_all()
 */
void rblk_read_orphan_locked(struct rblk_volume *volume,
			     struct list_head *reads);

/**
 * rblk_read_elsewhere_all - ask peers, or fail
 * @reads: nobody's
 */
void rblk_read_elsewhere_all(struct list_head *reads);

#endif /* RBLK_REPL_READ_H */

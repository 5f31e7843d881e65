// SPDX-License-Identifier: GPL-2.0
/*
 * resync.c - the blocks that a peer lacks are written over, out of order.
 */
#include <linux/blkdev.h>
#include <linux/ktime.h>

#include "chunk.h"
#include "../peer.h"
#include "../resource.h"
#include "../volume.h"

#define NO_MEMORY_NS	(100 * NSEC_PER_MSEC)

/* Is there room for one more chunk? If not, @wait_ns may say when to ask. */
static bool has_room_locked(struct rblk_peer *peer, u64 now_ns)
{
	struct rblk_resync *resync = &peer->resync;

	if (!resync->active || resync->paused ||
	    resync->in_flight + resync->nr_applied >= RBLK_RESYNC_UNCONFIRMED)
		return false;
	resync->wait_ns = rblk_pace_wait(&resync->pace, &peer->res->log.app,
					 now_ns);
	return !resync->wait_ns;
}

static void enter_window_locked(struct rblk_resync *resync, u32 nr_sects,
				u64 now_ns, struct rblk_pace_trip *trip)
{
	resync->in_flight++;
	rblk_pace_start(&resync->pace, trip, nr_sects << SECTOR_SHIFT, now_ns);
}

static void leave_window_locked(struct rblk_resync *resync,
				const struct rblk_pace_trip *trip)
{
	rblk_pace_cancel(&resync->pace, trip);
	if (!--resync->in_flight)
		wake_up_all(&resync->drained);
}

/*
 * The next piece of the walk, or NULL when there is none, or no room; -ENOMEM
 * when there is no memory.
 */
static struct rblk_resync_chunk *next_chunk(struct rblk_peer *peer)
{
	struct rblk_resync *resync = &peer->resync;
	struct rblk_log *log = &peer->res->log;
	struct rblk_resync_chunk *chunk;
	u64 sector = U64_MAX, nr_sects = 0, was;
	u64 now_ns = ktime_get_ns();
	struct rblk_pace_trip trip;
	struct rblk_bitmap *lacks;

	spin_lock_irq(&log->lock);
	was = resync->next_sect;
	resync->wait_ns = RBLK_PACE_FOREVER;
	if (resync->volume < RBLK_MAX_VOLUMES && has_room_locked(peer, now_ns)) {
		lacks = peer->lack.lacks[resync->volume];
		if (lacks)
			sector = rblk_bitmap_next(lacks, resync->next_sect,
						  RBLK_RESYNC_CHUNK_SECTS,
						  &nr_sects);
	}
	if (sector != U64_MAX) {
		enter_window_locked(resync, nr_sects, now_ns, &trip);
		resync->next_sect = round_up(sector + nr_sects,
					     1ULL << lacks->shift);
	}
	spin_unlock_irq(&log->lock);
	if (sector == U64_MAX)
		return NULL;
	chunk = rblk_chunk_alloc(peer, peer->res->volume[resync->volume], sector,
				 nr_sects);
	if (!chunk) {
		spin_lock_irq(&log->lock);
		leave_window_locked(resync, &trip);
		resync->next_sect = was;
		spin_unlock_irq(&log->lock);
		return ERR_PTR(-ENOMEM);
	}
	chunk->trip = trip;
	chunk->digest = resync->by_digest;
	return chunk;
}

/* Return: 0, or -ENOMEM: try again later. */
static int fill_window(struct rblk_peer *peer)
{
	struct rblk_resync_chunk *chunk;

	while ((chunk = next_chunk(peer))) {
		if (IS_ERR(chunk))
			return PTR_ERR(chunk);
		rblk_chunk_start(chunk);
	}
	return 0;
}

/* The peer has this node's data of a chunk; to be confirmed. */
static void note_range_locked(struct rblk_resync *resync,
			      const struct rblk_resync_chunk *chunk)
{
	struct rblk_resync_range *range;

	/* There is room: see has_room_locked(). */
	range = &resync->applied[resync->nr_applied++];
	range->sector = chunk->range.extent.sector;
	range->nr_sects = chunk->range.extent.nr_sects;
	resync->unflushed_sects += range->nr_sects;
	resync->done_sects += range->nr_sects;
	rblk_pace_rate_add(&resync->rate, (u64)range->nr_sects << SECTOR_SHIFT,
			   ktime_get_ns());
}

/* One part less; the last takes the chunk to @done. */
static void put_split_locked(struct rblk_resync *resync,
			     struct rblk_resync_chunk *chunk,
			     struct list_head *done)
{
	if (--chunk->parts)
		return;
	list_move_tail(&chunk->link, done);
	note_range_locked(resync, chunk);
}

/* The first run of blocks that differ: where it ends. */
static u32 run_end(u64 differ, u32 first)
{
	u64 rest = ~(differ >> first);

	return rest ? first + __ffs64(rest) : 64;
}

/* Start the first part of a chunk that differs. Return: 0 or -ENOMEM. */
static int send_part(struct rblk_resync_chunk *chunk)
{
	struct rblk_peer *peer = chunk->peer;
	struct rblk_log *log = &peer->res->log;
	u32 first = __ffs64(chunk->differ);
	u32 end = run_end(chunk->differ, first);
	u32 from = first * RBLK_WIRE_DIGESTED_SECTS;
	u32 to = min_t(u32, end * RBLK_WIRE_DIGESTED_SECTS,
		       chunk->range.extent.nr_sects);
	struct rblk_resync_chunk *part;

	part = rblk_chunk_alloc(peer, chunk->volume,
				chunk->range.extent.sector + from, to - from);
	if (!part)
		return -ENOMEM;
	part->parent = chunk;
	chunk->differ &= ~GENMASK_ULL(end - 1, first);
	spin_lock_irq(&log->lock);
	chunk->parts++;
	enter_window_locked(&peer->resync, to - from, ktime_get_ns(),
			    &part->trip);
	spin_unlock_irq(&log->lock);
	rblk_chunk_start(part);
	return 0;
}

/*
 * Send the data of the blocks that differ. The chunk stays meanwhile, with its
 * place in the pool: it is a part of its own until all others are under way.
 * Return: 0, or -ENOMEM: try again later.
 */
static int send_parts(struct rblk_resync_chunk *chunk)
{
	struct rblk_peer *peer = chunk->peer;
	struct rblk_log *log = &peer->res->log;
	LIST_HEAD(done);
	int err = 0;

	while (chunk->differ && !err)
		err = send_part(chunk);
	spin_lock_irq(&log->lock);
	list_move_tail(&chunk->link, err ? &peer->resync.differing :
					   &peer->resync.split);
	if (!err)
		put_split_locked(&peer->resync, chunk, &done);
	spin_unlock_irq(&log->lock);
	rblk_chunk_free_all(peer, &done);
	return err;
}

static void put_control(struct rblk_peer *peer, u16 flags, u8 volume)
{
	struct rblk_frame head = {
		.type = RBLK_MSG_RESYNC,
		.flags = flags,
		.volume = volume,
	};
	struct rblk_outq_frame *frame = rblk_outq_alloc(0, GFP_NOIO);

	if (!frame) {
		peer->resync.fail(peer, "out of memory");
		return;
	}
	rblk_outq_put(&peer->outq, frame, &head);
	queue_work(peer->res->wq, &peer->send_work);
}

/* Is anything of the volume left that the walk did not pass? */
static bool is_walked_locked(struct rblk_peer *peer)
{
	struct rblk_bitmap *lacks = peer->lack.lacks[peer->resync.volume];
	u64 nr_sects;

	return !lacks || rblk_bitmap_next(lacks, peer->resync.next_sect,
					  RBLK_RESYNC_CHUNK_SECTS,
					  &nr_sects) == U64_MAX;
}

/* Return: all volumes are confirmed. */
static bool next_volume_locked(struct rblk_peer *peer)
{
	struct rblk_resync *resync = &peer->resync;

	while (resync->volume < RBLK_MAX_VOLUMES && !resync->in_flight &&
	       !resync->nr_applied && is_walked_locked(peer)) {
		struct rblk_bitmap *lacks = peer->lack.lacks[resync->volume];

		resync->next_sect = 0;
		/* What could not be taken out for want of memory: once more. */
		if (lacks && lacks->count)
			break;
		resync->volume++;
	}
	return resync->volume == RBLK_MAX_VOLUMES;
}

/* So much was applied that was not confirmed. */
static bool is_worth_a_flush(const struct rblk_resync *resync)
{
	return resync->nr_applied >= RBLK_RESYNC_UNCONFIRMED / 2 ||
	       (resync->nr_applied >= RBLK_RESYNC_FLUSH_AT &&
		resync->unflushed_sects >= RBLK_RESYNC_FLUSH_SECTS);
}

/* Is it time for a flush? Then it is going to be sent. */
static bool begin_flush_locked(struct rblk_peer *peer)
{
	struct rblk_resync *resync = &peer->resync;

	if (!resync->active || resync->flushing || !resync->nr_applied)
		return false;
	if (!is_worth_a_flush(resync) &&
	    (resync->in_flight ||
	     (!resync->paused && !is_walked_locked(peer))))
		return false;
	resync->flushing = true;
	resync->unflushed_sects = 0;
	resync->nr_flushed = resync->nr_applied;
	return true;
}

/* All is confirmed: may the end be announced? @joined: completions wait for it now. */
static bool begin_end_locked(struct rblk_peer *peer, bool *joined)
{
	struct rblk_resync *resync = &peer->resync;
	struct rblk_log *log = &peer->res->log;

	if (!resync->active || resync->last_sent)
		return false;
	if (!resync->end_seq) {
		/* From here on completions wait for it. */
		rblk_log_join(log, peer->node_id);
		*joined = true;
		WRITE_ONCE(resync->end_seq, max(log->last, 1ULL));
	}
	resync->last_sent = log->cursor[peer->node_id].applied >=
			    min(resync->end_seq, log->last);
	return resync->last_sent;
}

/*
 * Go on with chunks that came back from somewhere. Return: 0, or -ENOMEM: try
 * again later.
 */
static int start_waiting(struct rblk_peer *peer)
{
	struct rblk_resync *resync = &peer->resync;
	struct rblk_resync_chunk *chunk, *tmp;
	LIST_HEAD(retry);
	LIST_HEAD(digesting);
	LIST_HEAD(differing);
	int err = 0;

	spin_lock_irq(&peer->res->log.lock);
	if (resync->active) {
		list_splice_init(&resync->retry, &retry);
		list_splice_init(&resync->digesting, &digesting);
		list_splice_init(&resync->differing, &differing);
	}
	spin_unlock_irq(&peer->res->log.lock);
	list_for_each_entry_safe(chunk, tmp, &retry, link)
		rblk_chunk_start(chunk);
	list_for_each_entry_safe(chunk, tmp, &digesting, link)
		rblk_chunk_send_digests(chunk);
	list_for_each_entry_safe(chunk, tmp, &differing, link)
		err = send_parts(chunk) ?: err;
	return err;
}

static void resync_work(struct work_struct *work)
{
	struct rblk_peer *peer = container_of(to_delayed_work(work),
					      struct rblk_peer, resync.work);
	struct rblk_resync *resync = &peer->resync;
	struct rblk_log *log = &peer->res->log;
	bool flush, last, again, joined = false;
	u64 wait_ns;
	u8 volume;
	int err;

	err = start_waiting(peer);
	do {
		err = fill_window(peer) ?: err;
		spin_lock_irq(&log->lock);
		last = next_volume_locked(peer) && begin_end_locked(peer, &joined);
		volume = resync->volume;
		wait_ns = err ? NO_MEMORY_NS : resync->wait_ns;
		again = resync->active && volume < RBLK_MAX_VOLUMES &&
			!wait_ns && !resync->in_flight && !resync->nr_applied;
		flush = volume < RBLK_MAX_VOLUMES && begin_flush_locked(peer);
		spin_unlock_irq(&log->lock);
	} while (again);
	if (joined) /* it may have been one node too few */
		rblk_write_rejudge(peer->res);
	if (flush)
		put_control(peer, RBLK_FRAME_FLUSH, volume);
	if (last)
		put_control(peer, RBLK_FRAME_LAST, 0);
	if (wait_ns != RBLK_PACE_FOREVER && wait_ns)
		queue_delayed_work(peer->res->resync_wq, &resync->work,
				   nsecs_to_jiffies(wait_ns) + 1);
}

void rblk_resync_setup(struct rblk_resync *resync,
		       void (*fail)(struct rblk_peer *peer,
				    const char *reason))
{
	INIT_LIST_HEAD(&resync->retry);
	INIT_LIST_HEAD(&resync->ready);
	INIT_LIST_HEAD(&resync->sending);
	INIT_LIST_HEAD(&resync->sent);
	INIT_LIST_HEAD(&resync->digesting);
	INIT_LIST_HEAD(&resync->differing);
	INIT_LIST_HEAD(&resync->split);
	INIT_DELAYED_WORK(&resync->work, resync_work);
	init_waitqueue_head(&resync->drained);
	resync->fail = fail;
}

static void deactivate_locked(struct rblk_peer *peer)
{
	if (peer->resync.active)
		peer->res->log.app.resyncs--;
	peer->resync.active = false;
}

void rblk_resync_pause(struct rblk_peer *peer, bool pause)
{
	spin_lock_irq(&peer->res->log.lock);
	peer->resync.paused = pause;
	if (peer->resync.active)
		rblk_chunk_go_on(peer);
	spin_unlock_irq(&peer->res->log.lock);
}

void rblk_resync_begin(struct rblk_peer *peer, bool by_digest)
{
	struct rblk_resync *resync = &peer->resync;
	struct rblk_log *log = &peer->res->log;

	lockdep_assert_held(&log->lock);
	resync->active = true;
	log->app.resyncs++;
	rblk_pace_begin(&resync->pace, &log->app, ktime_get_ns());
	rblk_pace_rate_begin(&resync->rate, ktime_get_ns());
	resync->by_digest = by_digest;
	resync->flushing = false;
	resync->unflushed_sects = 0;
	resync->last_sent = false;
	resync->volume = 0;
	resync->next_sect = 0;
	resync->nr_applied = 0;
	resync->nr_flushed = 0;
	resync->done_sects = 0;
	resync->total_sects = rblk_lack_sects(&peer->lack);
	resync->end_seq = 0;
	rblk_chunk_go_on(peer);
}

/* Take what nobody works on. Return: true when no chunk is left after it. */
static bool take_leftovers(struct rblk_peer *peer, struct list_head *chunks)
{
	struct rblk_resync *resync = &peer->resync;
	bool none;

	spin_lock_irq(&peer->res->log.lock);
	list_splice_init(&resync->retry, chunks);
	list_splice_init(&resync->ready, chunks);
	list_splice_init(&resync->sending, chunks);
	list_splice_init(&resync->sent, chunks);
	list_splice_init(&resync->digesting, chunks);
	list_splice_init(&resync->differing, chunks);
	list_splice_init(&resync->split, chunks);
	none = !resync->in_flight;
	spin_unlock_irq(&peer->res->log.lock);
	return none || !list_empty(chunks);
}

void rblk_resync_stop(struct rblk_peer *peer)
{
	struct rblk_resync *resync = &peer->resync;

	spin_lock_irq(&peer->res->log.lock);
	deactivate_locked(peer);
	spin_unlock_irq(&peer->res->log.lock);
	cancel_delayed_work_sync(&resync->work);
	/* Ends: reads end, and ranges in the way belong to operations. */
	for (;;) {
		LIST_HEAD(chunks);

		wait_event(resync->drained, take_leftovers(peer, &chunks));
		if (list_empty(&chunks))
			break;
		rblk_chunk_free_all(peer, &chunks);
	}
}

struct rblk_resync_chunk *rblk_resync_next(struct rblk_peer *peer)
{
	struct rblk_resync_chunk *chunk;

	lockdep_assert_held(&peer->res->log.lock);
	if (!peer->resync.active)
		return NULL;
	chunk = list_first_entry_or_null(&peer->resync.ready,
					 struct rblk_resync_chunk, link);
	if (chunk)
		list_move_tail(&chunk->link, &peer->resync.sending);
	return chunk;
}

void rblk_resync_handed(struct rblk_peer *peer)
{
	struct rblk_resync *resync = &peer->resync;
	unsigned long irq;

	spin_lock_irqsave(&peer->res->log.lock, irq);
	list_splice_tail_init(&resync->sending, &resync->sent);
	spin_unlock_irqrestore(&peer->res->log.lock, irq);
}

/*
 * Two steps: once it has applied what there was when it began, completions wait
 * for it; once it has applied what had completed without it, it is level.
 */
static void catch_up(struct rblk_peer *peer)
{
	struct rblk_log *log = &peer->res->log;
	u64 *applied = &log->cursor[peer->node_id].applied;
	bool joined = false, level = false;

	spin_lock_irq(&log->lock);
	if (peer->join_seq && *applied >= peer->join_seq &&
	    !rblk_log_has_joined(log, peer->node_id)) {
		rblk_log_join(log, peer->node_id);
		peer->join_seq = log->last;
		joined = true;
	}
	if (peer->join_seq && *applied >= peer->join_seq) {
		peer->join_seq = 0;
		peer->repl = RBLK_REPL_UPTODATE;
		rblk_log_set_level(log, peer->node_id);
		level = true;
	}
	spin_unlock_irq(&log->lock);
	if (joined)
		rblk_write_rejudge(peer->res);
	if (level)
		peer->res->notify->peer(peer, "caught up");
}

void rblk_resync_advance(struct rblk_peer *peer)
{
	if (READ_ONCE(peer->join_seq))
		catch_up(peer);
	if (READ_ONCE(peer->resync.end_seq) && READ_ONCE(peer->resync.active))
		rblk_chunk_go_on(peer);
}

/* Return: the sent chunk that @frame answers, taken off, or NULL. */
static struct rblk_resync_chunk *
take_acked_locked(struct rblk_peer *peer, const struct rblk_frame *frame,
		  bool digest)
{
	struct rblk_resync_chunk *chunk;

	list_for_each_entry(chunk, &peer->resync.sent, link) {
		if (chunk->digest != digest ||
		    chunk->volume->id != frame->volume ||
		    chunk->range.extent.sector != frame->sector ||
		    chunk->range.extent.nr_sects != frame->nr_sects)
			continue;
		list_del(&chunk->link);
		return chunk;
	}
	return NULL;
}

static const char *completed(struct rblk_peer *peer)
{
	struct rblk_log *log = &peer->res->log;
	bool over;

	spin_lock_irq(&log->lock);
	over = peer->resync.active && peer->resync.last_sent;
	if (over) {
		deactivate_locked(peer);
		peer->repl = RBLK_REPL_UPTODATE;
		rblk_log_set_level(log, peer->node_id);
		peer->theirs.data = RBLK_DATA_CONSISTENT;
		peer->reason[0] = '\0';
		rblk_lack_end(&peer->lack);
	}
	spin_unlock_irq(&log->lock);
	if (!over)
		return "protocol error: claims a resync that is not complete";
	peer->res->notify->peer(peer, "resync complete");
	return NULL;
}

/*
 * The flush that was sent is through: what was applied before is durable, and the
 * peer's record @stored will be there as long as it is.
 */
static const char *flushed(struct rblk_peer *peer, u8 volume, u64 stored)
{
	struct rblk_resync *resync = &peer->resync;
	struct rblk_log *log = &peer->res->log;
	struct rblk_resync_range *range = resync->applied;
	bool expected;
	u32 i;

	spin_lock_irq(&log->lock);
	expected = resync->active && resync->flushing &&
		   resync->volume == volume;
	for (i = 0; expected && i < resync->nr_flushed; i++)
		rblk_lack_confirmed(&peer->lack, volume, range[i].sector,
				    range[i].nr_sects);
	if (expected) {
		resync->nr_applied -= resync->nr_flushed;
		memmove(range, range + resync->nr_flushed,
			resync->nr_applied * sizeof(*range));
		resync->nr_flushed = 0;
		resync->flushing = false;
		peer->stored[volume] = stored;
		log->cursor[peer->node_id].progress++;
	}
	spin_unlock_irq(&log->lock);
	if (!expected)
		return "protocol error: acknowledged a flush that was not sent";
	rblk_chunk_go_on(peer);
	return NULL;
}

/* The peer has all of a chunk, or of a part. */
static void note_applied_locked(struct rblk_peer *peer,
				struct rblk_resync_chunk *chunk,
				struct list_head *done)
{
	list_add_tail(&chunk->link, done);
	if (chunk->parent)
		put_split_locked(&peer->resync, chunk->parent, done);
	else
		note_range_locked(&peer->resync, chunk);
}

/* An answer to a chunk: all of it is there, or some blocks differ. */
static const char *answered(struct rblk_peer *peer,
			    const struct rblk_frame *frame, bool digest,
			    u64 differ)
{
	struct rblk_log *log = &peer->res->log;
	struct rblk_resync_chunk *chunk;
	LIST_HEAD(done);

	spin_lock_irq(&log->lock);
	chunk = take_acked_locked(peer, frame, digest);
	if (chunk)
		rblk_pace_back(&peer->resync.pace, &chunk->trip,
			       ktime_get_ns());
	if (chunk && differ) {
		chunk->differ = differ;
		chunk->parts = 1;
		list_add_tail(&chunk->link, &peer->resync.differing);
	} else if (chunk) {
		note_applied_locked(peer, chunk, &done);
	}
	log->cursor[peer->node_id].progress++;
	spin_unlock_irq(&log->lock);
	if (!chunk)
		return "protocol error: acknowledged resync data that was not sent";
	rblk_chunk_free_all(peer, &done);
	rblk_chunk_go_on(peer);
	return NULL;
}

const char *rblk_resync_compared(struct rblk_peer *peer,
				 const struct rblk_frame *frame, u64 differ)
{
	return answered(peer, frame, true, differ);
}

const char *rblk_resync_acked(struct rblk_peer *peer,
			      const struct rblk_frame *frame)
{
	if (frame->flags & RBLK_FRAME_LAST)
		return completed(peer);
	if (frame->flags & RBLK_FRAME_FLUSH)
		return flushed(peer, frame->volume, frame->logged);
	return answered(peer, frame, false, 0);
}

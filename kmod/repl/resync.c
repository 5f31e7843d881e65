// SPDX-License-Identifier: GPL-2.0
/*
 * resync.c - the blocks that a peer lacks are written over, out of order.
 */
#include <linux/blkdev.h>

#include "digest.h"
#include "disk.h"
#include "resync.h"
#include "../peer.h"
#include "../resource.h"
#include "../store/pages.h"
#include "../volume.h"

#define NO_MEMORY_WAIT	(HZ / 10)

static struct bio_set resync_bios;

int rblk_resync_init(void)
{
	return bioset_init(&resync_bios, 2 * RBLK_RESYNC_WINDOW,
			   offsetof(struct rblk_resync_chunk, bio),
			   BIOSET_NEED_BVECS);
}

void rblk_resync_exit(void)
{
	bioset_exit(&resync_bios);
}

/* Off every list and unlocked. */
static void free_chunk(struct rblk_resync_chunk *chunk)
{
	rblk_pages_free(&chunk->bio);
	bio_put(&chunk->bio);
}

static void free_chunks(struct rblk_peer *peer, struct list_head *chunks)
{
	struct rblk_log *log = &peer->res->log;
	struct rblk_resync_chunk *chunk, *tmp;
	unsigned long irq;
	u32 freed = 0;

	list_for_each_entry_safe(chunk, tmp, chunks, link) {
		free_chunk(chunk);
		freed++;
	}
	spin_lock_irqsave(&log->lock, irq);
	peer->resync.in_flight -= freed;
	if (!peer->resync.in_flight)
		wake_up_all(&peer->resync.drained);
	spin_unlock_irqrestore(&log->lock, irq);
}

/* Any context; the work may be waiting for memory, or be under way. */
static void go_on(struct rblk_peer *peer)
{
	mod_delayed_work(peer->res->wq, &peer->resync.work, 0);
}

static void chunk_wake(struct rblk_waiter *waiter)
{
	struct rblk_resync_chunk *chunk =
		container_of(waiter, struct rblk_resync_chunk, waiter);
	struct rblk_peer *peer = chunk->peer;

	list_add_tail(&chunk->link, &peer->resync.retry);
	if (peer->resync.active)
		go_on(peer);
	else
		wake_up_all(&peer->resync.drained);
}

static void chunk_read_endio(struct bio *bio)
{
	struct rblk_resync_chunk *chunk = bio->bi_private;
	struct rblk_peer *peer = chunk->peer;
	struct rblk_log *log = &peer->res->log;
	unsigned long irq;

	if (bio->bi_status)
		peer->resync.fail(peer, "resync: reading a volume failed");
	if (!chunk->digest)
		chunk->zeroes = rblk_digest_is_zero(bio);
	spin_lock_irqsave(&log->lock, irq);
	if (bio->bi_status)
		rblk_disk_failed_locked(chunk->volume, REQ_OP_READ,
					chunk->range.extent.sector,
					bio->bi_status);
	/*
	 * Both at one moment: see the comment at the top of resync.h. Digests
	 * may go out later: what the peer has applied before it compares is
	 * written here as well, and makes both the same where it is.
	 */
	list_add_tail(&chunk->link, chunk->digest ? &peer->resync.digesting :
						    &peer->resync.ready);
	rblk_range_unlock(chunk->volume, &chunk->range);
	if (!peer->resync.active)
		wake_up_all(&peer->resync.drained);
	else if (chunk->digest)
		go_on(peer);
	else
		queue_work(peer->res->wq, &peer->send_work);
	spin_unlock_irqrestore(&log->lock, irq);
}

/*
 * Never waits: a chunk's memory comes back when it is acknowledged, and the
 * thread that would wait here may be the only one to read that. A resync has
 * time; a write may need the memory.
 */
static struct rblk_resync_chunk *alloc_chunk(struct rblk_peer *peer,
					     struct rblk_volume *volume,
					     u64 sector, u32 nr_sects)
{
	struct rblk_resync_chunk *chunk;
	u32 bytes = nr_sects << SECTOR_SHIFT;
	struct bio *bio;

	bio = bio_alloc_bioset(volume->backing.bdev,
			       DIV_ROUND_UP(bytes, PAGE_SIZE), REQ_OP_READ,
			       GFP_NOWAIT | __GFP_NOWARN, &resync_bios);
	if (!bio)
		return NULL;
	if (!rblk_pages_try(bio, bytes)) {
		bio_put(bio);
		return NULL;
	}
	chunk = container_of(bio, struct rblk_resync_chunk, bio);
	memset(chunk, 0, offsetof(struct rblk_resync_chunk, bio));
	INIT_LIST_HEAD(&chunk->range.waiters);
	chunk->waiter.wake = chunk_wake;
	chunk->peer = peer;
	chunk->volume = volume;
	chunk->range.extent.sector = sector;
	chunk->range.extent.nr_sects = nr_sects;
	bio->bi_iter.bi_sector = sector;
	bio->bi_end_io = chunk_read_endio;
	bio->bi_private = chunk;
	return chunk;
}

static void start_chunk(struct rblk_resync_chunk *chunk)
{
	struct rblk_log *log = &chunk->peer->res->log;
	struct rblk_extent want = chunk->range.extent;
	bool locked, away;

	spin_lock_irq(&log->lock);
	locked = rblk_range_lock(chunk->volume, &chunk->range, want.sector,
				 want.nr_sects, &chunk->waiter);
	away = rblk_disk_is_away(chunk->volume);
	spin_unlock_irq(&log->lock);
	if (locked && away) /* writes that were acknowledged may be missing */
		bio_io_error(&chunk->bio);
	else if (locked)
		rblk_backing_submit(&chunk->volume->backing, &chunk->bio);
}

/* Count one more chunk; false when the window is full. */
static bool enter_window(struct rblk_resync *resync)
{
	if (!resync->active || resync->in_flight >= RBLK_RESYNC_WINDOW ||
	    resync->in_flight + resync->nr_applied >= RBLK_RESYNC_UNCONFIRMED)
		return false;
	resync->in_flight++;
	return true;
}

static void leave_window(struct rblk_resync *resync)
{
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
	struct rblk_bitmap *lacks;
	u64 sector = U64_MAX, nr_sects = 0, was;

	spin_lock_irq(&log->lock);
	was = resync->next_sect;
	if (resync->volume < RBLK_MAX_VOLUMES && enter_window(resync)) {
		lacks = peer->lack.lacks[resync->volume];
		if (lacks)
			sector = rblk_bitmap_next(lacks, resync->next_sect,
						  RBLK_RESYNC_CHUNK_SECTS,
						  &nr_sects);
		if (sector == U64_MAX)
			leave_window(resync);
		else
			resync->next_sect = round_up(sector + nr_sects,
						     1ULL << lacks->shift);
	}
	spin_unlock_irq(&log->lock);
	if (sector == U64_MAX)
		return NULL;
	chunk = alloc_chunk(peer, peer->res->volume[resync->volume], sector,
			    nr_sects);
	if (!chunk) {
		spin_lock_irq(&log->lock);
		leave_window(resync);
		resync->next_sect = was;
		spin_unlock_irq(&log->lock);
		return ERR_PTR(-ENOMEM);
	}
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
		start_chunk(chunk);
	}
	return 0;
}

static void send_digests(struct rblk_resync_chunk *chunk)
{
	struct rblk_frame head = {
		.type = RBLK_MSG_DIGEST,
		.volume = chunk->volume->id,
		.sector = chunk->range.extent.sector,
		.nr_sects = chunk->range.extent.nr_sects,
	};
	struct rblk_peer *peer = chunk->peer;
	struct rblk_log *log = &peer->res->log;
	struct rblk_outq_frame *frame;

	head.length = rblk_wire_nr_digests(head.nr_sects) *
		      RBLK_WIRE_DIGEST_BYTES;
	frame = rblk_outq_alloc(head.length, GFP_NOIO);
	if (frame)
		rblk_digest_blocks(&chunk->bio, frame->bytes +
						sizeof(struct rblk_msg_hdr));
	rblk_pages_free(&chunk->bio);
	chunk->bio.bi_vcnt = 0;
	spin_lock_irq(&log->lock);
	list_add_tail(&chunk->link, &peer->resync.sent);
	spin_unlock_irq(&log->lock);
	if (!frame) {
		peer->resync.fail(peer, "out of memory");
		return;
	}
	rblk_outq_put(&peer->outq, frame, &head);
	queue_work(peer->res->wq, &peer->send_work);
}

/* The peer has this node's data of a chunk; to be confirmed. */
static void note_range_locked(struct rblk_resync *resync,
			      const struct rblk_resync_chunk *chunk)
{
	struct rblk_resync_range *range;

	/* There is room: see enter_window(). */
	range = &resync->applied[resync->nr_applied++];
	range->sector = chunk->range.extent.sector;
	range->nr_sects = chunk->range.extent.nr_sects;
	resync->done_sects += range->nr_sects;
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

	part = alloc_chunk(peer, chunk->volume,
			   chunk->range.extent.sector + from, to - from);
	if (!part)
		return -ENOMEM;
	part->parent = chunk;
	chunk->differ &= ~GENMASK_ULL(end - 1, first);
	spin_lock_irq(&log->lock);
	chunk->parts++;
	peer->resync.in_flight++;
	spin_unlock_irq(&log->lock);
	start_chunk(part);
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
	free_chunks(peer, &done);
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

/* Is it time for a flush? Then it is going to be sent. */
static bool begin_flush_locked(struct rblk_peer *peer)
{
	struct rblk_resync *resync = &peer->resync;

	if (!resync->active || resync->flushing || !resync->nr_applied)
		return false;
	if (resync->nr_applied < RBLK_RESYNC_FLUSH_AT &&
	    (resync->in_flight || !is_walked_locked(peer)))
		return false;
	resync->flushing = true;
	resync->nr_flushed = resync->nr_applied;
	return true;
}

/* All is confirmed: may the end be announced? */
static bool begin_end_locked(struct rblk_peer *peer)
{
	struct rblk_resync *resync = &peer->resync;
	struct rblk_log *log = &peer->res->log;

	if (!resync->active || resync->last_sent)
		return false;
	if (!resync->end_seq) {
		/* From here on completions wait for it. */
		peer->joined = true;
		rblk_log_set_protocol(log, peer->node_id, peer->protocol);
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
		start_chunk(chunk);
	list_for_each_entry_safe(chunk, tmp, &digesting, link)
		send_digests(chunk);
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
	bool flush, last, again;
	u8 volume;
	int err;

	err = start_waiting(peer);
	do {
		err = fill_window(peer) ?: err;
		spin_lock_irq(&log->lock);
		last = next_volume_locked(peer) && begin_end_locked(peer);
		volume = resync->volume;
		again = resync->active && volume < RBLK_MAX_VOLUMES && !err &&
			!resync->in_flight && !resync->nr_applied;
		flush = volume < RBLK_MAX_VOLUMES && begin_flush_locked(peer);
		spin_unlock_irq(&log->lock);
	} while (again);
	if (flush)
		put_control(peer, RBLK_FRAME_FLUSH, volume);
	if (last)
		put_control(peer, RBLK_FRAME_LAST, 0);
	if (err)
		queue_delayed_work(peer->res->wq, &resync->work, NO_MEMORY_WAIT);
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

void rblk_resync_begin(struct rblk_peer *peer, bool by_digest)
{
	struct rblk_resync *resync = &peer->resync;

	lockdep_assert_held(&peer->res->log.lock);
	resync->active = true;
	resync->by_digest = by_digest;
	resync->flushing = false;
	resync->last_sent = false;
	resync->volume = 0;
	resync->next_sect = 0;
	resync->nr_applied = 0;
	resync->nr_flushed = 0;
	resync->done_sects = 0;
	resync->total_sects = rblk_lack_sects(&peer->lack);
	resync->end_seq = 0;
	go_on(peer);
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
	resync->active = false;
	spin_unlock_irq(&peer->res->log.lock);
	cancel_delayed_work_sync(&resync->work);
	/* Ends: reads end, and ranges in the way belong to operations. */
	for (;;) {
		LIST_HEAD(chunks);

		wait_event(resync->drained, take_leftovers(peer, &chunks));
		if (list_empty(&chunks))
			break;
		free_chunks(peer, &chunks);
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
	bool level = false;

	spin_lock_irq(&log->lock);
	if (peer->join_seq && *applied >= peer->join_seq && !peer->joined) {
		peer->joined = true;
		rblk_log_set_protocol(log, peer->node_id, peer->protocol);
		peer->join_seq = log->last;
	}
	if (peer->join_seq && *applied >= peer->join_seq) {
		peer->join_seq = 0;
		peer->repl = RBLK_REPL_UPTODATE;
		rblk_log_set_level(log, peer->node_id);
		level = true;
	}
	spin_unlock_irq(&log->lock);
	if (level)
		peer->res->notify->peer(peer, "caught up");
}

void rblk_resync_advance(struct rblk_peer *peer)
{
	if (READ_ONCE(peer->join_seq))
		catch_up(peer);
	if (READ_ONCE(peer->resync.end_seq) && READ_ONCE(peer->resync.active))
		go_on(peer);
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
		peer->resync.active = false;
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

/* The flush that was sent is through: what was applied before is durable. */
static const char *flushed(struct rblk_peer *peer, u8 volume)
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
		log->cursor[peer->node_id].progress++;
	}
	spin_unlock_irq(&log->lock);
	if (!expected)
		return "protocol error: acknowledged a flush that was not sent";
	go_on(peer);
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
	free_chunks(peer, &done);
	go_on(peer);
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
		return flushed(peer, frame->volume);
	return answered(peer, frame, false, 0);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * chunk.c - a piece of a resync, until it may be sent.
 */
#include <linux/blkdev.h>

#include "chunk.h"
#include "digest.h"
#include "disk.h"
#include "../peer.h"
#include "../resource.h"
#include "../store/pages.h"
#include "../volume.h"

#define RESERVE	16	/* chunks: progress when memory is short */

static struct bio_set resync_bios;

int rblk_chunk_init(void)
{
	return bioset_init(&resync_bios, RESERVE,
			   offsetof(struct rblk_resync_chunk, bio),
			   BIOSET_NEED_BVECS);
}

void rblk_chunk_exit(void)
{
	bioset_exit(&resync_bios);
}

/* Off every list and unlocked. */
static void free_chunk(struct rblk_resync_chunk *chunk)
{
	rblk_pages_free(&chunk->bio);
	bio_put(&chunk->bio);
}

void rblk_chunk_free_all(struct rblk_peer *peer, struct list_head *chunks)
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
void rblk_chunk_go_on(struct rblk_peer *peer)
{
	mod_delayed_work(peer->res->resync_wq, &peer->resync.work, 0);
}

static void chunk_wake(struct rblk_waiter *waiter)
{
	struct rblk_resync_chunk *chunk =
		container_of(waiter, struct rblk_resync_chunk, waiter);
	struct rblk_peer *peer = chunk->peer;

	list_add_tail(&chunk->link, &peer->resync.retry);
	if (peer->resync.active)
		rblk_chunk_go_on(peer);
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
		rblk_chunk_go_on(peer);
	else
		queue_work(peer->res->wq, &peer->send_work);
	spin_unlock_irqrestore(&log->lock, irq);
}

struct rblk_resync_chunk *rblk_chunk_alloc(struct rblk_peer *peer,
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
	chunk->waiter.reads = true;
	chunk->peer = peer;
	chunk->volume = volume;
	chunk->range.extent.sector = sector;
	chunk->range.extent.nr_sects = nr_sects;
	bio->bi_iter.bi_sector = sector;
	bio->bi_end_io = chunk_read_endio;
	bio->bi_private = chunk;
	return chunk;
}

void rblk_chunk_start(struct rblk_resync_chunk *chunk)
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

void rblk_chunk_send_digests(struct rblk_resync_chunk *chunk)
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


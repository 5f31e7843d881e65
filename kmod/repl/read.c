// SPDX-License-Identifier: GPL-2.0
/*
 * read.c - reads go to the backing device, or to a peer when it is away.
 *
 * A read has no place in the order: while a write is in flight, either state
 * of its blocks may be seen, as on any disk.
 *
 * The application's bio itself is sent on, with its completion diverted to
 * here: a clone would cost more than all the rest. What it was is put back
 * before it is completed.
 *
 * Where the primary needs a lease, a read is looked at twice: before it is sent
 * on, and before it is completed. What the disk read in between may be old by
 * then: another node may be primary.
 */
#include <linux/blkdev.h>
#include <linux/mempool.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "disk.h"
#include "lease.h"
#include "read.h"
#include "../peer.h"
#include "../resource.h"
#include "../store/pages.h"

#define POOL_READS	64

/**
 * struct bounce - a read with the disk that has pages of its own
 * @link: in the volume's list, unless an orphan; the log's lock
 * @read: whose it is; NULL: an orphan's
 * @volume: an orphan holds a reference for it
 * @since_ns: when it was submitted
 * @bio: last, the bio set's front pad
 */
struct bounce {
	struct list_head link;
	struct rblk_read *read;
	struct rblk_volume *volume;
	u64 since_ns;
	struct bio bio;
};

static struct bio_set bounce_bios;
static struct kmem_cache *read_cache;
static mempool_t read_pool;

int rblk_read_init(void)
{
	int err;

	read_cache = KMEM_CACHE(rblk_read, 0);
	if (!read_cache)
		return -ENOMEM;
	err = mempool_init_slab_pool(&read_pool, POOL_READS, read_cache);
	if (err)
		goto err_destroy_cache;
	err = bioset_init(&bounce_bios, POOL_READS,
			  offsetof(struct bounce, bio), BIOSET_NEED_BVECS);
	if (err)
		goto err_exit_pool;
	return 0;

err_exit_pool:
	mempool_exit(&read_pool);
err_destroy_cache:
	kmem_cache_destroy(read_cache);
	return err;
}

void rblk_read_exit(void)
{
	bioset_exit(&bounce_bios);
	mempool_exit(&read_pool);
	kmem_cache_destroy(read_cache);
}

void rblk_reads_init(struct rblk_reads *reads)
{
	INIT_LIST_HEAD(&reads->queued);
	INIT_LIST_HEAD(&reads->sent);
}

static void complete_read(struct rblk_read *read, blk_status_t status)
{
	struct rblk_volume *volume = read->volume;
	struct bio *bio = read->bio;
	bool through;

	this_cpu_inc(volume->stats->read_ops);
	this_cpu_add(volume->stats->read_bytes, read->iter.bi_size);
	if (status)
		this_cpu_inc(volume->stats->errors);
	bio->bi_status = status;
	bio_end_io_acct_remapped(bio, read->start_jiffies, read->bdev);
	bio->bi_bdev = read->bdev;
	bio->bi_end_io = read->end_io;
	bio->bi_private = read->private;
	through = read->through;
	mempool_free(read, &read_pool);
	/* Not twice: it counts what a split bio consists of. */
	if (through)
		bio->bi_end_io(bio);
	else
		bio_endio(bio);
	percpu_ref_put(&volume->io);
}

/* May it go on? What came to a primary is not answered by a backup. */
static enum rblk_gate_verdict judge_locked(struct rblk_log *log,
					   const struct rblk_read *read)
{
	lockdep_assert_held(&log->lock);
	if (log->gate.dead)
		return RBLK_GATE_FAIL;
	if (read->term && (!log->gate.primary || log->gen != read->term))
		return RBLK_GATE_FAIL;
	return rblk_log_lease(log);
}

/* Return: whether it goes on, or fails; if not it is held. */
static enum rblk_gate_verdict may_go_on(struct rblk_read *read)
{
	struct rblk_resource *res = read->volume->res;
	struct rblk_log *log = &res->log;
	enum rblk_gate_verdict verdict;
	unsigned long irq;

	spin_lock_irqsave(&log->lock, irq);
	verdict = judge_locked(log, read);
	if (rblk_log_lease(log) != RBLK_GATE_PASS)
		rblk_lease_miss_locked(res);
	if (verdict == RBLK_GATE_HOLD) {
		list_add_tail(&read->link, &log->held_reads);
		log->nr_held++;
	}
	spin_unlock_irqrestore(&log->lock, irq);
	return verdict;
}

/* A look without the lock: where no lease is needed, a load and two compares. */
static bool passes(const struct rblk_read *read)
{
	const struct rblk_log *log = &read->volume->res->log;
	u64 until_ns = READ_ONCE(log->gate.until_ns);

	if (until_ns == RBLK_GATE_NO_LEASE_NEEDED)
		return !read->term;
	return ktime_get_boottime_ns() < until_ns &&
	       (!read->term || read->term == READ_ONCE(log->gen));
}

static void finish(struct rblk_read *read, blk_status_t status)
{
	enum rblk_gate_verdict verdict = RBLK_GATE_PASS;

	rcu_read_lock(); /* see rblk_lease_sync() */
	if (unlikely(!passes(read))) {
		read->ended = true;
		read->status = status;
		verdict = may_go_on(read);
	}
	if (verdict == RBLK_GATE_FAIL)
		status = BLK_STS_IOERR;
	if (verdict != RBLK_GATE_HOLD)
		complete_read(read, status);
	rcu_read_unlock();
}

/* A peer that has all data and did not fail this read, or NULL. */
static struct rblk_peer *pick_peer_locked(struct rblk_log *log,
					  const struct rblk_read *read)
{
	u16 level = log->policy.level & ~read->tried;
	struct rblk_resource *res = read->volume->res;

	return level ? res->peer[__ffs(level)] : NULL;
}

/*
 * What one read saw of a write in flight, the next must see as well, wherever
 * it is answered: from a change on, all that was in flight then comes first.
 */
static u64 dep_of_locked(struct rblk_log *log, u8 node)
{
	if (log->read_node != node) {
		log->read_node = node;
		log->read_floor = log->last;
	}
	return max(log->reported, log->read_floor);
}

/* Queue it for a peer, or fail it. */
static void fetch(struct rblk_read *read)
{
	struct rblk_resource *res = read->volume->res;
	struct rblk_log *log = &res->log;
	struct rblk_peer *peer = NULL;
	unsigned long irq;

	spin_lock_irqsave(&log->lock, irq);
	if (log->gate.primary)
		peer = pick_peer_locked(log, read);
	if (peer) {
		read->dep = dep_of_locked(log, peer->node_id);
		read->id = ++peer->reads.last_id;
		list_add_tail(&read->link, &peer->reads.queued);
		queue_work(res->send_wq, &peer->send_work);
	}
	spin_unlock_irqrestore(&log->lock, irq);
	if (!peer)
		finish(read, BLK_STS_IOERR);
}

static void end_local(struct rblk_read *read, blk_status_t status)
{
	struct rblk_log *log = &read->volume->res->log;
	unsigned long irq;

	if (likely(!status)) {
		finish(read, BLK_STS_OK);
		return;
	}
	spin_lock_irqsave(&log->lock, irq);
	rblk_disk_failed_locked(read->volume, REQ_OP_READ,
				read->iter.bi_sector, status);
	spin_unlock_irqrestore(&log->lock, irq);
	fetch(read);
}

static void read_endio(struct bio *bio)
{
	struct rblk_read *read = bio->bi_private;

	read->through = true;
	end_local(read, bio->bi_status);
}

static void bounce_endio(struct bio *bio)
{
	struct bounce *bounce = container_of(bio, struct bounce, bio);
	struct rblk_volume *volume = bounce->volume;
	struct rblk_log *log = &volume->res->log;
	blk_status_t status = bio->bi_status;
	struct rblk_read *read;
	unsigned long irq;

	spin_lock_irqsave(&log->lock, irq);
	read = bounce->read;
	if (read)
		list_del(&bounce->link);
	spin_unlock_irqrestore(&log->lock, irq);
	if (read && !status) {
		struct bvec_iter to = read->iter;
		struct bvec_iter from = { .bi_size = to.bi_size };

		bio_copy_data_iter(read->bio, &to, bio, &from);
	}
	rblk_pages_free(bio);
	bio_put(bio);
	if (read)
		end_local(read, status);
	else
		percpu_ref_put(&volume->io);
}

/*
 * With a limit to the disk's time: what it has may have to be left to it. Return:
 * false when memory is short; then that read waits for the disk in any case.
 */
static bool submit_bounced(struct rblk_read *read)
{
	struct rblk_volume *volume = read->volume;
	struct rblk_log *log = &volume->res->log;
	u32 bytes = read->iter.bi_size;
	struct bounce *bounce;
	struct bio *bio;

	bio = bio_alloc_bioset(volume->backing.bdev,
			       DIV_ROUND_UP(bytes, PAGE_SIZE),
			       REQ_OP_READ | (read->bio->bi_opf &
					      (REQ_SYNC | REQ_META | REQ_PRIO)),
			       GFP_NOWAIT | __GFP_NOWARN, &bounce_bios);
	if (!bio)
		return false;
	if (!rblk_pages_try(bio, bytes)) {
		bio_put(bio);
		return false;
	}
	bounce = container_of(bio, struct bounce, bio);
	bounce->read = read;
	bounce->volume = volume;
	bounce->since_ns = ktime_get_ns();
	bio->bi_iter.bi_sector = read->iter.bi_sector;
	bio->bi_end_io = bounce_endio;
	spin_lock_irq(&log->lock);
	list_add_tail(&bounce->link, &volume->bounces);
	spin_unlock_irq(&log->lock);
	rblk_backing_submit(&volume->backing, bio);
	return true;
}

bool rblk_read_waits_locked(struct rblk_volume *volume, u64 since_ns)
{
	const struct bounce *oldest;

	lockdep_assert_held(&volume->res->log.lock);
	oldest = list_first_entry_or_null(&volume->bounces, struct bounce,
					  link);
	return oldest && oldest->since_ns <= since_ns;
}

void rblk_read_orphan_locked(struct rblk_volume *volume,
			     struct list_head *reads)
{
	struct bounce *bounce, *tmp;

	lockdep_assert_held(&volume->res->log.lock);
	list_for_each_entry_safe(bounce, tmp, &volume->bounces, link) {
		list_add_tail(&bounce->read->link, reads);
		bounce->read = NULL;
		list_del(&bounce->link);
		percpu_ref_get(&volume->io); /* until it ends */
	}
}

void rblk_read_elsewhere_all(struct list_head *reads)
{
	struct rblk_read *read, *tmp;

	list_for_each_entry_safe(read, tmp, reads, link)
		fetch(read);
}

/* Send it on: to the disk, or to a peer. */
static void start(struct rblk_read *read)
{
	struct rblk_volume *volume = read->volume;
	struct bio *bio = read->bio;

	if (unlikely(rblk_disk_is_away(volume))) {
		fetch(read);
		return;
	}
	if (unlikely(READ_ONCE(volume->res->disk_timeout_ms)) &&
	    submit_bounced(read))
		return;
	bio->bi_end_io = read_endio;
	bio->bi_private = read;
	bio_set_dev(bio, volume->backing.bdev);
	rblk_backing_submit(&volume->backing, bio);
}

/* One that came to a primary whose lease has run out, as it seems. */
static void start_leased(struct rblk_read *read)
{
	switch (may_go_on(read)) {
	case RBLK_GATE_PASS:
		start(read);
		break;
	case RBLK_GATE_FAIL:
		complete_read(read, BLK_STS_IOERR);
		break;
	case RBLK_GATE_HOLD:
		break;
	}
}

void rblk_read_retry_work(struct work_struct *work)
{
	struct rblk_resource *res = container_of(work, struct rblk_resource,
						 read_work);
	struct rblk_read *read, *tmp;
	LIST_HEAD(held);

	spin_lock_irq(&res->log.lock);
	list_splice_init(&res->log.held_reads, &held);
	list_for_each_entry(read, &held, link)
		res->log.nr_held--;
	spin_unlock_irq(&res->log.lock);
	list_for_each_entry_safe(read, tmp, &held, link) {
		if (read->ended)
			finish(read, read->status);
		else
			start_leased(read);
	}
}

void rblk_read_submit(struct rblk_volume *volume, struct bio *bio)
{
	struct rblk_log *log = &volume->res->log;
	struct rblk_read *read;

	if (READ_ONCE(log->gate.dead)) {
		bio_io_error(bio);
		percpu_ref_put(&volume->io);
		return;
	}
	read = mempool_alloc(&read_pool, GFP_NOIO);
	read->volume = volume;
	read->bio = bio;
	read->iter = bio->bi_iter;
	read->bdev = bio->bi_bdev;
	read->end_io = bio->bi_end_io;
	read->private = bio->bi_private;
	read->tried = 0;
	read->term = 0;
	if (unlikely(READ_ONCE(log->gate.until_ns) !=
		     RBLK_GATE_NO_LEASE_NEEDED))
		read->term = READ_ONCE(log->gen);
	read->ended = false;
	read->through = false;
	read->start_jiffies = bio_start_io_acct(bio);
	if (likely(passes(read)))
		start(read);
	else
		start_leased(read);
}

bool rblk_read_may_send(struct rblk_peer *peer)
{
	const struct rblk_log *log = &peer->res->log;
	const struct rblk_read *read;

	lockdep_assert_held(&log->lock);
	read = list_first_entry_or_null(&peer->reads.queued, struct rblk_read,
					link);
	return read && peer->reads.nr_sent < RBLK_WIRE_READS_MAX &&
	       log->streaming & BIT(peer->node_id) &&
	       read->dep < log->cursor[peer->node_id].next;
}

bool rblk_read_next(struct rblk_peer *peer, struct rblk_frame *frame)
{
	struct rblk_log *log = &peer->res->log;
	struct rblk_read *read;
	unsigned long irq;
	bool may;

	if (list_empty_careful(&peer->reads.queued))
		return false;
	spin_lock_irqsave(&log->lock, irq);
	may = rblk_read_may_send(peer);
	if (may) {
		read = list_first_entry(&peer->reads.queued, struct rblk_read,
					link);
		list_move_tail(&read->link, &peer->reads.sent);
		peer->reads.nr_sent++;
		*frame = (struct rblk_frame) {
			.type = RBLK_MSG_READ,
			.seq = read->id,
			.dep = read->dep,
			.volume = read->volume->id,
			.sector = read->iter.bi_sector,
			.nr_sects = read->iter.bi_size >> SECTOR_SHIFT,
		};
	}
	spin_unlock_irqrestore(&log->lock, irq);
	return may;
}

static bool is_answer(const struct rblk_read *read,
		      const struct rblk_frame *frame)
{
	return read->id == frame->seq && read->volume->id == frame->volume &&
	       read->iter.bi_sector == frame->sector &&
	       read->iter.bi_size >> SECTOR_SHIFT == frame->nr_sects;
}

struct rblk_read *rblk_read_answered(struct rblk_peer *peer,
				     const struct rblk_frame *frame)
{
	struct rblk_log *log = &peer->res->log;
	struct rblk_read *read;

	spin_lock_irq(&log->lock);
	list_for_each_entry(read, &peer->reads.sent, link) {
		if (!is_answer(read, frame))
			continue;
		list_del(&read->link);
		peer->reads.nr_sent--;
		log->cursor[peer->node_id].progress++;
		spin_unlock_irq(&log->lock);
		return read;
	}
	spin_unlock_irq(&log->lock);
	return NULL;
}

void rblk_read_fill(struct rblk_read *read, struct iov_iter *iter)
{
	const struct bio_vec *bvec = __bvec_iter_bvec(read->bio->bi_io_vec,
						      read->iter);
	struct bvec_iter left = read->iter;
	struct bio_vec bv;
	u32 nr_vecs = 0;

	for_each_bvec(bv, read->bio->bi_io_vec, left, read->iter)
		nr_vecs++;
	iov_iter_bvec(iter, ITER_DEST, bvec, nr_vecs, read->iter.bi_size);
	iter->iov_offset = read->iter.bi_bvec_done;
}

void rblk_read_end(struct rblk_read *read)
{
	finish(read, BLK_STS_OK);
}

void rblk_read_elsewhere(struct rblk_read *read, u8 node)
{
	read->tried |= BIT(node);
	fetch(read);
}

void rblk_read_unstreamed(struct rblk_peer *peer, bool lost)
{
	struct rblk_log *log = &peer->res->log;
	LIST_HEAD(reads);

	spin_lock_irq(&log->lock);
	if (lost) {
		list_splice_init(&peer->reads.sent, &reads);
		peer->reads.nr_sent = 0;
	}
	list_splice_tail_init(&peer->reads.queued, &reads);
	spin_unlock_irq(&log->lock);
	rblk_read_elsewhere_all(&reads);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * write.c - the life of an admitted write: the only place where one completes.
 */
#include <linux/blkdev.h>
#include <linux/mempool.h>
#include <linux/slab.h>

#include "active.h"
#include "disk.h"
#include "lease.h"
#include "write.h"
#include "../fault.h"
#include "../resource.h"
#include "../stats.h"
#include "../store/pages.h"
#include "../store/pressure.h"
#include "../trace.h"
#include "../volume.h"

#define POOL_WRITES	64	/* writes that can always be allocated */

static struct kmem_cache *write_cache;
static mempool_t write_pool;
static struct bio_set copy_bios;

static void *alloc_one(gfp_t gfp, void *unused)
{
	return rblk_fault(RBLK_FAULT_NO_MEMORY) ? NULL :
	       kmem_cache_alloc(write_cache, gfp);
}

static void free_one(void *write, void *unused)
{
	kmem_cache_free(write_cache, write);
}

int rblk_write_init(void)
{
	int err = -ENOMEM;

	write_cache = KMEM_CACHE(rblk_write, SLAB_HWCACHE_ALIGN);
	if (!write_cache)
		return err;
	err = mempool_init(&write_pool, POOL_WRITES, alloc_one, free_one, NULL);
	if (err)
		goto err_destroy_cache;
	err = bioset_init(&copy_bios, POOL_WRITES, 0, BIOSET_NEED_BVECS);
	if (err)
		goto err_exit_pool;
	return 0;

err_exit_pool:
	mempool_exit(&write_pool);
err_destroy_cache:
	kmem_cache_destroy(write_cache);
	return err;
}

void rblk_write_exit(void)
{
	bioset_exit(&copy_bios);
	mempool_exit(&write_pool);
	kmem_cache_destroy(write_cache);
}

static void free_copy(struct bio *copy)
{
	if (!copy)
		return;
	rblk_pages_free(copy);
	bio_put(copy);
}

void rblk_write_free(struct rblk_write *write)
{
	if (write->copy)
		rblk_pages_free(write->copy);
	if (write->copy && write->copy != &write->local)
		bio_put(write->copy);
	else if (write->copy || write->local.bi_end_io)
		bio_uninit(&write->local);
	free_copy(write->kept);
	mempool_free(write, &write_pool);
}

struct rblk_write *rblk_write_alloc(void)
{
	struct rblk_write *write = mempool_alloc(&write_pool,
						 GFP_NOWAIT | __GFP_NOWARN);

	if (!write) {
		rblk_pressure_begin();
		write = mempool_alloc(&write_pool, GFP_NOIO);
		rblk_pressure_end();
	}
	memset(write, 0, offsetof(struct rblk_write, local));
	write->local.bi_end_io = NULL;
	INIT_LIST_HEAD(&write->range.waiters);
	return write;
}

struct bio *rblk_write_alloc_copy(const struct rblk_write *write,
				  unsigned int nr_vecs, gfp_t gfp)
{
	return bio_alloc_bioset(write->volume->backing.bdev, nr_vecs,
				write->bio->bi_opf, gfp, &copy_bios);
}

static void free_writes(struct list_head *writes)
{
	struct rblk_write *write, *tmp;

	list_for_each_entry_safe(write, tmp, writes, link)
		rblk_write_free(write);
}

/* Call one of the tracepoints for writes. */
static __always_inline void
trace_of(void (*trace)(const char *res, u8 volume, u64 seq, u8 op, u64 sector,
		       u32 bytes, int arg),
	 const struct rblk_write *write, int arg)
{
	trace(write->volume->res->name, write->volume->id, write->seq,
	      write->op, write->iter.bi_sector, write->iter.bi_size, arg);
}

bool rblk_range_lock(struct rblk_volume *volume, struct rblk_range *range,
		     u64 sector, u64 nr_sects, struct rblk_waiter *waiter)
{
	struct rblk_extents *set = &volume->extents;
	struct rblk_extent *other;

	lockdep_assert_held(&volume->res->log.lock);
	other = waiter->reads ?
		rblk_extents_find_unshared(set, sector, nr_sects) :
		rblk_extents_find(set, sector, nr_sects);
	if (other && !rblk_fault(RBLK_FAULT_NO_HOLD)) {
		list_add_tail(&waiter->link,
			      &container_of(other, struct rblk_range,
					    extent)->waiters);
		return false;
	}
	range->extent.sector = sector;
	range->extent.nr_sects = nr_sects;
	range->extent.shared = waiter->reads;
	rblk_extents_insert(set, &range->extent);
	return true;
}

void rblk_range_share(struct rblk_volume *volume, struct rblk_range *range)
{
	struct rblk_waiter *waiter, *tmp;

	lockdep_assert_held(&volume->res->log.lock);
	range->extent.shared = true;
	list_for_each_entry_safe(waiter, tmp, &range->waiters, link) {
		if (!waiter->reads)
			continue;
		list_del(&waiter->link);
		waiter->wake(waiter);
	}
}

void rblk_range_unlock(struct rblk_volume *volume, struct rblk_range *range)
{
	struct rblk_waiter *waiter, *tmp;

	lockdep_assert_held(&volume->res->log.lock);
	rblk_extents_remove(&volume->extents, &range->extent);
	list_for_each_entry_safe(waiter, tmp, &range->waiters, link) {
		list_del(&waiter->link);
		waiter->wake(waiter);
	}
}

static void count_completed(struct rblk_write *write)
{
	struct rblk_volume_stats __percpu *stats = write->volume->stats;

	if (write->op == RBLK_OP_FLUSH) {
		this_cpu_inc(stats->flush_ops);
	} else {
		this_cpu_inc(stats->write_ops);
		this_cpu_add(stats->write_bytes,
			     write->range.extent.nr_sects << SECTOR_SHIFT);
	}
	if (write->status)
		this_cpu_inc(stats->errors);
}

/* Report @write upwards: move its bio to @done, release its range. */
static void report_locked(struct rblk_log *log, struct rblk_write *write,
			  struct bio_list *done)
{
	struct bio *bio = write->bio;
	unsigned long lacking = log->streaming & ~write->state.applied;
	u64 took_ns;
	int node;

	write->reported = true;
	write->bio = NULL;
	if (write->op == RBLK_OP_FLUSH)
		list_del(&write->flush_link);
	took_ns = rblk_latency_add(write->volume->res->latency,
				   RBLK_STAGE_COMPLETE, write->admit_ns);
	rblk_pace_wrote(&log->app, write->admit_ns, write->admit_ns + took_ns);
	trace_of(trace_rblk_write_report, write,
		 blk_status_to_errno(write->status));
	if (write->seq > log->reported)
		log->reported = write->seq;
	if (unlikely(!log->first_write_ns) && write->op != RBLK_OP_FLUSH &&
	    !write->status)
		log->first_write_ns = ktime_get_boottime_ns();
	for_each_set_bit(node, &lacking, RBLK_MAX_NODES)
		log->cursor[node].missed = max(log->cursor[node].missed,
					       write->seq);
	if (write->range.extent.nr_sects)
		rblk_range_unlock(write->volume, &write->range);
	count_completed(write);
	bio_end_io_acct(bio, write->start_jiffies);
	bio->bi_status = write->status;
	bio_list_add(done, bio);
	if (!--log->nr_incomplete)
		wake_up_all(&log->idle);
}

/*
 * An uncopied write's pages belong to the application: it may be reported only
 * when every peer that is being sent them has them, and not while they are
 * being copied.
 */
static bool pages_in_use(const struct rblk_log *log,
			 const struct rblk_write *write)
{
	return write->op == RBLK_OP_WRITE && !write->copy &&
	       (log->saving || log->streaming & ~write->state.received);
}

/* Return: whether the lease allows that @write is reported; it may fail. */
static bool has_lease(struct rblk_log *log, struct rblk_write *write)
{
	enum rblk_gate_verdict lease = rblk_log_lease(log);

	if (likely(lease == RBLK_GATE_PASS))
		return true;
	rblk_lease_miss_locked(write->volume->res);
	if (lease == RBLK_GATE_HOLD)
		return false;
	write->status = write->status ?: BLK_STS_IOERR;
	return true;
}

static void judge_locked(struct rblk_log *log, struct rblk_write *write,
			 struct bio_list *done)
{
	if (write->reported)
		return;
	/* What a disk took before it failed, nobody will read there. */
	if (write->state.local == RBLK_LOCAL_DONE &&
	    rblk_disk_is_away(write->volume))
		write->state.local = RBLK_LOCAL_GONE;
	switch (rblk_ackpolicy_verdict(&log->policy, &write->state)) {
	case RBLK_VERDICT_WAIT:
		if (!rblk_gate_is_ending(&log->gate) ||
		    !rblk_ackpolicy_is_stuck(&log->policy, &write->state,
					     log->streaming))
			return;
		fallthrough;
	case RBLK_VERDICT_FAIL:
		write->status = write->status ?: BLK_STS_IOERR;
		break;
	case RBLK_VERDICT_COMPLETE:
		write->status = BLK_STS_OK;
		break;
	}
	if (!pages_in_use(log, write) && has_lease(log, write))
		report_locked(log, write, done);
}

static void end_bios(struct bio_list *done)
{
	struct bio *bio;

	while ((bio = bio_list_pop(done))) {
		struct rblk_volume *volume = bio->bi_bdev->bd_disk->private_data;

		bio_endio(bio);
		percpu_ref_put(&volume->io);
	}
}

/* Trim after judging; what was held for room may go on. */
static void trim_locked(struct rblk_resource *res, struct list_head *freed)
{
	if (!rblk_log_trim(&res->log, freed))
		return;
	if (!list_empty(&res->log.held))
		queue_work(res->wq, &res->retry_work);
	if (res->log.first > res->log.last)
		wake_up_all(&res->log.idle);
}

/* The device that was given up has ended it; @left: and nobody knows it. */
static void end_orphan(struct rblk_volume *volume, struct rblk_write *left)
{
	if (left)
		rblk_write_free(left);
	percpu_ref_put(&volume->io);
}

void rblk_write_end_local(struct rblk_write *write, blk_status_t status)
{
	struct rblk_resource *res = write->volume->res;
	struct bio_list done = BIO_EMPTY_LIST;
	LIST_HEAD(freed);
	unsigned long irq;

	rcu_read_lock(); /* see rblk_lease_sync() */
	spin_lock_irqsave(&res->log.lock, irq);
	if (unlikely(write->orphan)) {
		struct rblk_volume *volume = write->volume;
		struct rblk_write *left = write->left ? write : NULL;

		write->orphan = false;
		spin_unlock_irqrestore(&res->log.lock, irq);
		rcu_read_unlock();
		end_orphan(volume, left);
		return;
	}
	write->status = status;
	/* One that was not sent there because the disk is away is no news. */
	if (status)
		rblk_disk_failed_locked(write->volume, REQ_OP_WRITE,
					write->iter.bi_sector, status);
	write->state.local = rblk_disk_is_away(write->volume) ?
			     RBLK_LOCAL_GONE :
			     status ? RBLK_LOCAL_FAILED : RBLK_LOCAL_DONE;
	rblk_latency_add(res->latency, RBLK_STAGE_LOCAL, write->admit_ns);
	trace_of(trace_rblk_write_local, write,
		 blk_status_to_errno(write->status));
	judge_locked(&res->log, write, &done);
	/* It may wait for a node that a resync of this very range has to bring. */
	if (!write->reported && write->state.local == RBLK_LOCAL_DONE &&
	    write->range.extent.nr_sects)
		rblk_range_share(write->volume, &write->range);
	trim_locked(res, &freed);
	spin_unlock_irqrestore(&res->log.lock, irq);
	end_bios(&done);
	rcu_read_unlock();
	free_writes(&freed);
}

static void zeroes_work(struct work_struct *work)
{
	struct rblk_write *write = container_of(work, struct rblk_write,
						zeroes_work);
	int err;

	err = rblk_backing_zero(&write->volume->backing, write->iter.bi_sector,
				write->iter.bi_size >> SECTOR_SHIFT,
				!(write->flags & RBLK_FRAME_ZEROES_NOUNMAP));
	rblk_write_end_local(write, errno_to_blk_status(err));
}

void rblk_write_local_endio(struct bio *clone)
{
	struct rblk_write *write = clone->bi_private;

	/*
	 * Some devices find out only when they try that they cannot zero. Its
	 * peers may have done it by now, so it cannot be refused.
	 */
	if (clone->bi_status == BLK_STS_NOTSUPP &&
	    (write->op == RBLK_OP_DISCARD ||
	     write->op == RBLK_OP_WRITE_ZEROES)) {
		INIT_WORK(&write->zeroes_work, zeroes_work);
		queue_work(write->volume->res->wq, &write->zeroes_work);
		return;
	}
	rblk_write_end_local(write, clone->bi_status);
}

static void mark_one(struct rblk_log *log, struct rblk_write *write, u8 node,
		     bool applied)
{
	struct rblk_latency __percpu *latency = write->volume->res->latency;

	if (!(write->state.received & BIT(node))) {
		write->state.received |= BIT(node);
		rblk_latency_add(latency, RBLK_STAGE_RECEIVED, write->admit_ns);
		trace_of(trace_rblk_write_received, write, node);
	}
	if (applied && !(write->state.applied & BIT(node))) {
		write->state.applied |= BIT(node);
		log->cursor[node].acked_bytes += write->iter.bi_size;
		rblk_latency_add(latency, RBLK_STAGE_APPLIED, write->admit_ns);
		trace_of(trace_rblk_write_applied, write, node);
	}
}

/* Mark seqs first..last as received, and as applied, by @node; judge them. */
static void mark_locked(struct rblk_log *log, u8 node, u64 first, u64 last,
			bool applied, struct bio_list *done)
{
	struct rblk_write *write;
	u64 seq;

	for (seq = max(first, log->first); seq <= min(last, log->last); seq++) {
		write = rblk_log_find(log, seq);
		mark_one(log, write, node, applied);
		judge_locked(log, write, done);
	}
}

/* @node has everything up to @durable for good: flushes of that need no more. */
static void cover_locked(struct rblk_log *log, u8 node, u64 durable,
			 struct bio_list *done)
{
	struct rblk_write *write, *tmp;

	list_for_each_entry_safe(write, tmp, &log->flushes, flush_link) {
		if (write->dep > durable)
			break;
		write->state.covered |= BIT(node);
		judge_locked(log, write, done);
	}
}

static const char *check_ack(const struct rblk_cursor *cursor,
			     const struct rblk_ack *ack)
{
	if (ack->received > READ_ONCE(cursor->handed))
		return "acknowledged an operation that was not sent";
	if (ack->received < cursor->received ||
	    ack->applied < cursor->applied ||
	    ack->durable < cursor->durable ||
	    ack->recorded < cursor->recorded)
		return "took back an acknowledgment";
	return NULL;
}

const char *rblk_write_acked(struct rblk_resource *res, u8 node,
			     const struct rblk_ack *ack)
{
	struct rblk_log *log = &res->log;
	struct rblk_cursor *cursor = &log->cursor[node];
	struct bio_list done = BIO_EMPTY_LIST;
	const char *lie = NULL;
	LIST_HEAD(freed);
	unsigned long irq;
	u32 i;

	rcu_read_lock(); /* see rblk_lease_sync() */
	spin_lock_irqsave(&log->lock, irq);
	if (!(log->streaming & BIT(node)))
		goto out_unlock;
	lie = check_ack(cursor, ack);
	if (lie)
		goto out_unlock;
	mark_locked(log, node, cursor->received + 1, ack->received, false,
		    &done);
	mark_locked(log, node, cursor->applied + 1, ack->applied, true, &done);
	for (i = 0; i < ack->nr_ranges; i++)
		mark_locked(log, node, ack->range[i].first,
			    ack->range[i].last, true, &done);
	cursor->received = ack->received;
	cursor->applied = ack->applied;
	if (ack->durable > cursor->durable)
		cover_locked(log, node, ack->durable, &done);
	cursor->durable = ack->durable;
	cursor->recorded = ack->recorded;
	cursor->progress++;
	trim_locked(res, &freed);
out_unlock:
	spin_unlock_irqrestore(&log->lock, irq);
	end_bios(&done);
	rcu_read_unlock();
	free_writes(&freed);
	return lie;
}

void rblk_write_rejudge(struct rblk_resource *res)
{
	struct rblk_log *log = &res->log;
	struct bio_list done = BIO_EMPTY_LIST;
	LIST_HEAD(freed);
	unsigned long irq;
	u64 seq;

	rcu_read_lock(); /* see rblk_lease_sync() */
	spin_lock_irqsave(&log->lock, irq);
	for (seq = log->first; seq <= log->last; seq++)
		judge_locked(log, rblk_log_find(log, seq), &done);
	trim_locked(res, &freed);
	if (!list_empty(&log->held))
		queue_work(res->wq, &res->retry_work);
	spin_unlock_irqrestore(&log->lock, irq);
	end_bios(&done);
	rcu_read_unlock();
	free_writes(&freed);
}

/* The next entry from @seq on whose pages are the application's, or NULL. */
static struct rblk_write *next_uncopied(struct rblk_log *log, u64 seq)
{
	struct rblk_write *write;

	for (; seq <= log->last; seq++) {
		write = rblk_log_find(log, seq);
		if (write && write->op == RBLK_OP_WRITE && !write->copy &&
		    !write->kept && !write->reported)
			return write;
	}
	return NULL;
}

/* Return: a copy of its data, or NULL. */
static struct bio *save_data(const struct rblk_write *write)
{
	struct bvec_iter from = write->iter, to;
	struct bio *copy;

	copy = bio_alloc_bioset(NULL, DIV_ROUND_UP(from.bi_size, PAGE_SIZE),
				REQ_OP_WRITE, GFP_NOWAIT | __GFP_NOWARN,
				&copy_bios);
	if (!copy)
		return NULL;
	if (!rblk_pages_try(copy, from.bi_size)) {
		bio_put(copy);
		return NULL;
	}
	to = copy->bi_iter;
	bio_copy_data_iter(copy, &to, write->bio, &from);
	return copy;
}

void rblk_write_keep(struct rblk_resource *res, u8 node)
{
	struct rblk_log *log = &res->log;
	struct rblk_write *write;
	struct bio *copy;
	u64 seq;

	spin_lock_irq(&log->lock);
	log->saving++; /* none of them is reported, and freed, meanwhile */
	seq = log->cursor[node].applied + 1;
	while ((write = next_uncopied(log, seq)) && rblk_log_has_room(log) &&
	       !rblk_pressure_is_on()) {
		spin_unlock_irq(&log->lock);
		copy = save_data(write);
		spin_lock_irq(&log->lock);
		if (!copy)
			break;
		seq = write->seq + 1;
		if (write->kept) { /* for another peer, meanwhile */
			free_copy(copy);
			continue;
		}
		write->reserved = true;
		log->copied_bytes += write->iter.bi_size;
		WRITE_ONCE(write->kept, copy);
	}
	log->saving--;
	/* At this moment, before another write is let in uncopied. */
	rblk_log_keep(log, node, log->cursor[node].applied + 1);
	spin_unlock_irq(&log->lock);
}

void rblk_write_give_way(struct rblk_resource *res)
{
	unsigned long irq;
	LIST_HEAD(freed);

	spin_lock_irqsave(&res->log.lock, irq);
	rblk_log_forget(&res->log);
	trim_locked(res, &freed);
	spin_unlock_irqrestore(&res->log.lock, irq);
	free_writes(&freed);
}

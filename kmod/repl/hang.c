// SPDX-License-Identifier: GPL-2.0
/*
 * hang.c - a backing device that does not answer in time counts as failed.
 */
#include <linux/jiffies.h>
#include <linux/rcupdate.h>

#include "active.h"
#include "disk.h"
#include "hang.h"
#include "read.h"
#include "refill.h"
#include "write.h"
#include "../peer.h"
#include "../resource.h"
#include "../volume.h"

#define LOOKS_PER_TIMEOUT	4

static u64 timeout_ns(const struct rblk_resource *res)
{
	return READ_ONCE(res->disk_timeout_ms) * (u64)NSEC_PER_MSEC;
}

static bool is_with_disk(const struct rblk_volume *volume,
			 const struct rblk_write *write)
{
	return write->volume == volume && READ_ONCE(write->in_disk) &&
	       write->state.local == RBLK_LOCAL_PENDING;
}

/* Is a write, a read or the activity log waited for since before @since_ns? */
static bool primary_waits_locked(struct rblk_volume *volume, u64 since_ns)
{
	const struct rblk_log *log = &volume->res->log;
	const struct rblk_write *write;
	u64 seq;

	lockdep_assert_held(&log->lock);
	for (seq = log->first; seq <= log->last; seq++) {
		write = rblk_log_find(log, seq);
		if (write->admit_ns > since_ns)
			break;
		if (is_with_disk(volume, write))
			return true;
	}
	return rblk_read_waits_locked(volume, since_ns) ||
	       rblk_refill_waits_locked(volume, since_ns) ||
	       rblk_active_waits(volume, since_ns);
}

/* Something is being applied, and nothing has ended since before @since_ns. */
static bool backup_waits(struct rblk_volume *volume, u64 since_ns)
{
	struct rblk_applier *applier = &volume->res->applier;
	unsigned long irq;
	bool waits;

	spin_lock_irqsave(&applier->lock, irq);
	waits = volume->applying && volume->applying_ns <= since_ns;
	spin_unlock_irqrestore(&applier->lock, irq);
	return waits;
}

/* Requests that can do without the device are no longer the device's. */
static void orphan_writes_locked(struct rblk_volume *volume)
{
	struct rblk_log *log = &volume->res->log;
	struct rblk_write *write;
	u64 seq;

	lockdep_assert_held(&log->lock);
	for (seq = log->first; seq <= log->last; seq++) {
		write = rblk_log_find(log, seq);
		if (!is_with_disk(volume, write))
			continue;
		/* Admitted before there was a limit: its pages are lent. */
		if (write->op == RBLK_OP_WRITE && !write->copy)
			continue;
		write->orphan = true;
		write->state.local = RBLK_LOCAL_GONE;
		percpu_ref_get(&volume->io); /* until it ends */
	}
}

static void stop_following(struct rblk_resource *res)
{
	struct rblk_peer *peer;
	int i;

	WRITE_ONCE(res->applier.failed, true);
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		peer = READ_ONCE(res->peer[i]);
		if (peer && READ_ONCE(peer->following))
			queue_work(res->wq, &peer->recv_work);
	}
}

/* Under RCU: the volume stays. */
static void look_at(struct rblk_volume *volume, u64 since_ns)
{
	struct rblk_resource *res = volume->res;
	struct rblk_log *log = &res->log;
	bool primary, hangs = false;
	LIST_HEAD(reads);

	spin_lock_irq(&log->lock);
	primary = log->gate.primary;
	/* Also what a disk has that was given up: nobody needs to wait for that. */
	if (primary)
		hangs = primary_waits_locked(volume, since_ns);
	else if (rblk_disk_is_good(volume))
		hangs = backup_waits(volume, since_ns) ||
			rblk_read_waits_locked(volume, since_ns);
	if (hangs)
		hangs = rblk_disk_hangs_locked(volume);
	if (hangs) {
		orphan_writes_locked(volume);
		rblk_read_orphan_locked(volume, &reads);
		rblk_refill_orphan_locked(volume);
	}
	spin_unlock_irq(&log->lock);
	if (!hangs)
		return;
	if (!primary)
		stop_following(res);
	rblk_read_elsewhere_all(&reads);
	rblk_write_rejudge(res);
}

void rblk_hang_work(struct work_struct *work)
{
	struct rblk_resource *res = container_of(to_delayed_work(work),
						 struct rblk_resource,
						 hang_work);
	u64 limit_ns = timeout_ns(res);
	u64 now_ns = ktime_get_ns();
	int i;

	if (!limit_ns || now_ns < limit_ns)
		return;
	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		struct rblk_volume *volume = READ_ONCE(res->volume[i]);

		if (volume)
			look_at(volume, now_ns - limit_ns);
	}
	rcu_read_unlock();
	rblk_hang_watch(res);
}

void rblk_hang_watch(struct rblk_resource *res)
{
	u32 ms = READ_ONCE(res->disk_timeout_ms) / LOOKS_PER_TIMEOUT;

	if (ms && !READ_ONCE(res->log.gate.dead))
		mod_delayed_work(res->wq, &res->hang_work,
				 msecs_to_jiffies(ms));
}

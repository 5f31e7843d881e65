// SPDX-License-Identifier: GPL-2.0
/*
 * resource.c - one replicated stream: create, promote, demote, destroy.
 */
#include <linux/kobject.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "peer.h"
#include "resource.h"
#include "stats.h"
#include "volume.h"
#include "repl/active.h"
#include "repl/admit.h"
#include "repl/agree.h"
#include "repl/disk.h"
#include "repl/handshake.h"
#include "repl/hang.h"
#include "repl/lease.h"
#include "repl/link.h"
#include "repl/read.h"
#include "repl/recv.h"
#include "repl/send.h"
#include "repl/write.h"

#define SETTLE_TIMEOUT_MS	10000	/* for peers to answer a promotion */
#define DRAIN_TIMEOUT_MS	60000	/* for the next operation in flight to end */
#define CLOSE_TIMEOUT_MS	1000	/* for a passing opener (udev) to close */

/*
 * One queue for all resources, so that an idle one costs no thread. No work
 * waits for what only another, not yet running, could bring about.
 */
static struct workqueue_struct *works;

/* Sends while the submitter goes on: on a processor of its own if it can. */
static struct workqueue_struct *senders;

/* Copies what was held, and so may wait for what all others free. */
static struct workqueue_struct *copiers;

/* Resyncs: digests take long, and frames for them may wait for memory. */
static struct workqueue_struct *resyncers;

/* Those not freed yet. */
static atomic_t nr_resources = ATOMIC_INIT(0);

int rblk_resource_init(void)
{
	works = alloc_workqueue("rblk", WQ_MEM_RECLAIM, 0);
	if (!works)
		return -ENOMEM;
	senders = alloc_workqueue("rblk_send", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!senders)
		goto err_works;
	copiers = alloc_workqueue("rblk_copy", WQ_MEM_RECLAIM, 0);
	if (!copiers)
		goto err_senders;
	resyncers = alloc_workqueue("rblk_resync",
				    WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!resyncers)
		goto err_copiers;
	return 0;

err_copiers:
	destroy_workqueue(copiers);
err_senders:
	destroy_workqueue(senders);
err_works:
	destroy_workqueue(works);
	return -ENOMEM;
}

void rblk_resource_exit(void)
{
	/* Ends: what still holds one is a task that pulls its plug now. */
	wait_var_event(&nr_resources, !atomic_read(&nr_resources));
	destroy_workqueue(resyncers);
	destroy_workqueue(copiers);
	destroy_workqueue(senders);
	destroy_workqueue(works);
}

static void applier_failed(void *owner, struct rblk_volume *volume,
			   enum req_op op, u64 sector, blk_status_t status)
{
	struct rblk_resource *res = owner;
	struct rblk_peer *peer;
	unsigned long irq;
	int i;

	spin_lock_irqsave(&res->log.lock, irq);
	rblk_disk_failed_locked(volume, op, sector, status);
	spin_unlock_irqrestore(&res->log.lock, irq);
	/* Who sends to this node is told by the work that may wait. */
	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		peer = READ_ONCE(res->peer[i]);
		if (peer && READ_ONCE(peer->following))
			queue_work(res->wq, &peer->recv_work);
	}
	rcu_read_unlock();
}

static void applier_progressed(void *owner)
{
	rblk_agree_progress(owner);
	rblk_recv_progress(owner);
}

static const struct rblk_applier_ops applier_ops = {
	.progress = applier_progressed,
	.room = rblk_recv_room,
	.copied = rblk_recv_copied,
	.answer = rblk_recv_answer,
	.failed = applier_failed,
};

static void give_way(struct rblk_keeper *keeper)
{
	rblk_write_give_way(container_of(keeper, struct rblk_resource, keeper));
}

static void free_work(struct work_struct *work)
{
	struct rblk_resource *res = container_of(work, struct rblk_resource,
						 free_work);

	rblk_pressure_remove(&res->keeper);
	rblk_applier_destroy(&res->applier);
	rblk_log_exit(&res->log);
	free_percpu(res->latency);
	mutex_destroy(&res->keep.mutex);
	mutex_destroy(&res->conf);
	kfree(res);
	if (atomic_dec_and_test(&nr_resources))
		wake_up_var(&nr_resources);
}

/* Freeing waits, and who drops the last reference may not. */
static void queue_free(struct kref *ref)
{
	struct rblk_resource *res = container_of(ref, struct rblk_resource,
						 ref);

	queue_work(res->wq, &res->free_work);
}

void rblk_resource_put(struct rblk_resource *res)
{
	kref_put(&res->ref, queue_free);
}

static void set_options_locked(struct rblk_resource *res,
			       const struct rblk_resource_config *config)
{
	struct rblk_log *log = &res->log;
	bool stable;

	lockdep_assert_held(&log->lock);
	WRITE_ONCE(res->read_from_backup, config->read_from_backup);
	WRITE_ONCE(res->data_crc, config->data_crc);
	WRITE_ONCE(res->zero_detect, config->zero_detect);
	WRITE_ONCE(res->pass_disk_errors, config->pass_disk_errors);
	log->max_bytes = config->log_bytes;
	rblk_log_set_acks(log, config->acks);
	WRITE_ONCE(res->disk_timeout_ms, config->disk_timeout_ms);
	/* What a disk that hangs has must not be the application's. */
	stable = config->data_crc || config->disk_timeout_ms;
	rblk_log_set_stable_data(log, stable);
}

struct rblk_resource *
rblk_resource_create(struct net *net, const struct rblk_resource_config *config,
		     const struct rblk_notify *notify)
{
	struct rblk_resource *res = kzalloc(sizeof(*res), GFP_KERNEL);
	int err = -ENOMEM;

	if (!res)
		return ERR_PTR(-ENOMEM);
	atomic_inc(&nr_resources);
	kref_init(&res->ref);
	INIT_WORK(&res->free_work, free_work);
	res->wq = works;
	res->send_wq = senders;
	res->copy_wq = copiers;
	res->resync_wq = resyncers;
	mutex_init(&res->conf);
	init_waitqueue_head(&res->settled);
	INIT_WORK(&res->retry_work, rblk_admit_retry_work);
	INIT_WORK(&res->copy_work, rblk_admit_copy_work);
	INIT_WORK(&res->read_work, rblk_read_retry_work);
	INIT_WORK(&res->lease_work, rblk_lease_work);
	INIT_DELAYED_WORK(&res->hang_work, rblk_hang_work);
	rblk_keep_init(&res->keep);
	res->net = net;
	res->notify = notify;
	res->kick = rblk_send_kick;
	res->send = rblk_send_admitted;
	res->put = rblk_resource_put;
	strscpy(res->name, config->name, sizeof(res->name));
	strscpy(res->node_name, config->node_name, sizeof(res->node_name));
	memcpy(res->uuid, config->uuid, sizeof(res->uuid));
	res->node_id = config->node_id;
	res->promised = config->generation;
	res->latency = alloc_percpu(struct rblk_latency);
	if (!res->latency)
		goto err_put;
	err = rblk_log_init(&res->log, config->log_ops, config->log_bytes);
	if (err)
		goto err_put;
	spin_lock_irq(&res->log.lock);
	set_options_locked(res, config);
	rblk_mandate_init_locked(res, &config->mandate);
	spin_unlock_irq(&res->log.lock);
	err = rblk_applier_create(&res->applier, &applier_ops, res);
	if (err)
		goto err_put;
	res->keeper.give_way = give_way;
	rblk_pressure_add(&res->keeper);
	rblk_hang_watch(res);
	return res;

err_put:
	rblk_resource_put(res);
	return ERR_PTR(err);
}

void rblk_resource_configure(struct rblk_resource *res,
			     const struct rblk_resource_config *config)
{
	lockdep_assert_held(&res->conf);
	spin_lock_irq(&res->log.lock);
	set_options_locked(res, config);
	spin_unlock_irq(&res->log.lock);
	/* Judges what is in flight, and what was held for room. */
	rblk_write_rejudge(res);
	rblk_hang_watch(res);
	res->notify->resource(res, "options changed");
}

/*
 * Is a volume open so that the role cannot change? Who only reads may stay if
 * a backup may be read.
 */
static bool is_in_use(struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		const struct rblk_volume *volume = res->volume[i];

		if (!volume)
			continue;
		if (READ_ONCE(res->read_from_backup) ?
		    READ_ONCE(volume->writers) : READ_ONCE(volume->openers))
			return true;
	}
	return false;
}

static bool is_idle(struct rblk_resource *res)
{
	return !READ_ONCE(res->log.nr_incomplete);
}

/* Let what is held be judged by the gate again. */
static void retry_held(struct rblk_resource *res)
{
	queue_work(res->wq, &res->retry_work);
	queue_work(res->wq, &res->read_work);
}

static bool has_volume(struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i])
			return true;
	return false;
}

/* Partitions and links of a disk depend on the role: tell udev. */
static void announce_disks(struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		struct rblk_volume *volume = res->volume[i];

		if (!volume)
			continue;
		set_bit(GD_NEED_PART_SCAN, &volume->disk->state);
		kobject_uevent(&disk_to_dev(volume->disk)->kobj, KOBJ_CHANGE);
	}
}

/* Peers that a promotion asks, or waits for: with an in-sync set, only those. */
static u16 peers_of(const struct rblk_mandate *mandate)
{
	return mandate->in_sync ?: U16_MAX;
}

static int check_promotion(struct rblk_resource *res, u64 gen, u32 flags,
			   const struct rblk_mandate *mandate,
			   struct netlink_ext_ack *extack)
{
	bool force = flags & RBLK_FLAG_FORCE;
	int i;

	if (res->log.gate.primary) {
		NL_SET_ERR_MSG(extack, "this node is primary already");
		return -EALREADY;
	}
	if (!has_volume(res)) {
		NL_SET_ERR_MSG(extack, "the resource has no volume");
		return -ENODEV;
	}
	if (is_in_use(res)) {
		NL_SET_ERR_MSG(extack, "a volume is still open from before: close it first");
		return -EBUSY;
	}
	if (rblk_disk_any_bad(res)) {
		NL_SET_ERR_MSG(extack, "a backing device failed: its data is out of date");
		return -EUCLEAN;
	}
	if (gen <= res->promised) {
		NL_SET_ERR_MSG(extack, "the generation is not above the one promised");
		return -EINVAL;
	}
	if (res->data == RBLK_DATA_INCONSISTENT && !force) {
		NL_SET_ERR_MSG(extack, "the data is inconsistent: a copy was not finished");
		return -EUCLEAN;
	}
	if (res->data == RBLK_DATA_NEW && !force &&
	    !(flags & RBLK_FLAG_ASSUME_CLEAN)) {
		NL_SET_ERR_MSG(extack, "the data is new: --assume-clean or --force, see its help");
		return -EUCLEAN;
	}
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		struct rblk_peer *peer = res->peer[i];

		if (!peer || peer->conn != RBLK_CONN_UP ||
		    peer->theirs.role != RBLK_ROLE_PRIMARY || force ||
		    !(peers_of(mandate) & BIT(i)))
			continue;
		NL_SET_ERR_MSG(extack, "another node is primary: demote it first");
		return -EBUSY;
	}
	return 0;
}

static bool applier_is_idle(struct rblk_resource *res)
{
	return rblk_applier_is_idle(&res->applier);
}

/* Wait until all that was received is applied, as long as that advances. */
static bool drain_applier(struct rblk_resource *res)
{
	u64 applied;

	do {
		applied = READ_ONCE(res->applier.order.applied);
		if (wait_event_timeout(res->applier.idle, applier_is_idle(res),
				       msecs_to_jiffies(DRAIN_TIMEOUT_MS)))
			return true;
	} while (READ_ONCE(res->applier.order.applied) != applied);
	return false;
}

static bool has_settled(struct rblk_resource *res, u16 peers)
{
	bool settled = true;
	int i;

	spin_lock_irq(&res->log.lock);
	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (peers & BIT(i) && res->peer[i] && res->peer[i]->negotiating)
			settled = false;
	spin_unlock_irq(&res->log.lock);
	return settled;
}

/* Tell every connected peer what this node is now; hear the answers of @peers. */
static void renegotiate_all(struct rblk_resource *res, u16 peers)
{
	int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (res->peer[i])
			rblk_handshake_again(res->peer[i]);
	/* A link that does not answer is ended by its own timeout. */
	wait_event_timeout(res->settled, has_settled(res, peers),
			   msecs_to_jiffies(SETTLE_TIMEOUT_MS));
}

static void forget_pages(struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i] && READ_ONCE(res->volume[i]->openers))
			rblk_volume_forget_pages(res->volume[i]);
}

/*
 * What the peers got from another primary meanwhile is not known here: from
 * now on it is. Those that do not come at once may have what this node has. If that
 * @is_whole, all that came before @seq and nothing else, they may show what they have.
 */
static void remember_from_locked(struct rblk_resource *res, u64 seq,
				 bool is_whole)
{
	bool recalls = res->followed && is_whole &&
		       rblk_applier_remembers(&res->applier, seq, seq);
	struct rblk_log *log = &res->log;
	int i;

	for (i = 0; i < RBLK_MAX_NODES; i++) {
		if (!log->lack[i])
			continue;
		if (res->followed || (log->lack[i]->base == U64_MAX &&
				      !rblk_active_restore(res, i)))
			rblk_lack_forget(log->lack[i], seq);
		if (res->peer[i]) {
			res->peer[i]->recalls = recalls;
			res->peer[i]->told = false;
			res->peer[i]->told_volumes = 0;
		}
		rblk_log_keep(log, i, seq + 1);
	}
	res->followed = false;
	res->keep.led_gen = 0;
}

static void become_primary_locked(struct rblk_resource *res, u64 gen,
				  u32 flags, const struct rblk_mandate *mandate)
{
	bool is_whole = res->data == RBLK_DATA_CONSISTENT;
	struct rblk_log *log = &res->log;

	/* Forced, other new nodes have something else: they need a copy. */
	res->clean_start = res->data == RBLK_DATA_NEW &&
			   flags & RBLK_FLAG_ASSUME_CLEAN;
	res->lineage = res->keep.next;
	res->data = RBLK_DATA_CONSISTENT;
	res->promised = gen;
	res->keep.next_gen = 0;
	res->keep.clean = false;
	res->keep.led = true;
	rblk_log_restart(log, res->lineage.seq, gen);
	remember_from_locked(res, res->lineage.seq, is_whole);
	rblk_active_begin(res);
	log->gate.settling = true;
	rblk_mandate_begin_locked(res, mandate);
}

/* Another node became primary, and this one follows it, meanwhile. */
static bool follows_locked(struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (res->peer[i] && res->peer[i]->following &&
		    res->peer[i]->theirs.role == RBLK_ROLE_PRIMARY)
			return true;
	return false;
}

/* The promotion is on every disk before it has an effect. */
static int keep_promotion(struct rblk_resource *res, u64 gen, u32 flags,
			  const struct rblk_mandate *mandate,
			  struct netlink_ext_ack *extack)
{
	struct rblk_keep *keep = &res->keep;
	int err;

	spin_lock_irq(&res->log.lock);
	keep->next = res->lineage;
	if (res->data != RBLK_DATA_NEW)
		keep->next.seq = res->applier.order.applied;
	rblk_lineage_truncate(&keep->next);
	err = rblk_record_promote(&keep->next, res->data, keep->led, gen);
	if (!err) {
		rblk_lineage_date(&keep->next, ktime_get_real_seconds());
		keep->next_gen = gen;
	}
	spin_unlock_irq(&res->log.lock);
	if (err) {
		NL_SET_ERR_MSG(extack, "the generation is not above that of the data");
		return err;
	}
	err = rblk_keep_save(res, false);
	if (err)
		NL_SET_ERR_MSG(extack, "writing the metadata failed: see the kernel log");
	spin_lock_irq(&res->log.lock);
	if (!err && follows_locked(res)) {
		NL_SET_ERR_MSG(extack, "another node became primary meanwhile");
		err = -EBUSY;
	}
	if (err)
		keep->next_gen = 0;
	else
		become_primary_locked(res, gen, flags, mandate);
	spin_unlock_irq(&res->log.lock);
	/* What the disks say of a promotion that did not happen is undone. */
	if (err)
		rblk_keep_save(res, false);
	return err;
}

int rblk_resource_promote(struct rblk_resource *res, u64 gen, u32 flags,
			  const struct rblk_mandate *mandate,
			  struct netlink_ext_ack *extack)
{
	int err, i;

	lockdep_assert_held(&res->conf);
	err = check_promotion(res, gen, flags, mandate, extack);
	if (err)
		return err;
	/* Nothing of a former primary may be applied from here on. */
	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (res->peer[i] && READ_ONCE(res->peer[i]->following) &&
		    res->peer[i]->theirs.role == RBLK_ROLE_PRIMARY)
			rblk_link_close(res->peer[i], "another node is promoted in its place");
	if (!drain_applier(res)) {
		NL_SET_ERR_MSG(extack, "operations of the former primary are still being applied");
		return -ETIMEDOUT;
	}
	/* Nothing changes below its readers any more, nobody writes yet. */
	forget_pages(res);
	err = keep_promotion(res, gen, flags, mandate, extack);
	if (err)
		return err;
	renegotiate_all(res, peers_of(mandate));
	spin_lock_irq(&res->log.lock);
	res->log.gate.settling = false;
	spin_unlock_irq(&res->log.lock);
	retry_held(res);
	pr_info("%s: role( backup -> primary ) generation %llu\n", res->name,
		gen);
	announce_disks(res);
	res->notify->resource(res, "promoted");
	return 0;
}

static bool is_closed(struct rblk_resource *res)
{
	return !is_in_use(res);
}

static bool is_written_back(struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i] &&
		    !rblk_volume_is_written_back(res->volume[i]))
			return false;
	return true;
}

/*
 * A writer that closed may have left dirty pages to those who go on reading:
 * wait until they are written, as long as that advances.
 */
static bool write_back(struct rblk_resource *res)
{
	u64 last;
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i] && READ_ONCE(res->volume[i]->openers))
			rblk_volume_write_back(res->volume[i]);
	do {
		last = READ_ONCE(res->log.last);
		if (wait_event_timeout(res->settled, is_written_back(res),
				       msecs_to_jiffies(DRAIN_TIMEOUT_MS)))
			return true;
	} while (READ_ONCE(res->log.last) != last);
	return false;
}

static bool log_is_empty(struct rblk_resource *res)
{
	return READ_ONCE(res->log.first) > READ_ONCE(res->log.last);
}

/* Wait until every peer has applied everything, as long as that advances. */
static bool hand_over(struct rblk_resource *res)
{
	u64 first;

	do {
		first = READ_ONCE(res->log.first);
		if (wait_event_timeout(res->log.idle, log_is_empty(res),
				       msecs_to_jiffies(DRAIN_TIMEOUT_MS)))
			return true;
	} while (READ_ONCE(res->log.first) != first);
	return false;
}

/* As hand_over(), but give up peers that hang. */
static bool hand_over_by_force(struct rblk_resource *res)
{
	unsigned long timeout = msecs_to_jiffies(RBLK_HELLO_TIMEOUT_MS);
	int i;

	if (wait_event_timeout(res->log.idle, log_is_empty(res), timeout))
		return true;
	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (res->peer[i])
			rblk_link_close(res->peer[i], "demoted by force");
	return wait_event_timeout(res->log.idle, log_is_empty(res), timeout);
}

/* Nothing is in flight: from here on the position is exact, until it is not. */
static void keep_clean_end(struct rblk_resource *res)
{
	bool ends, tidies;

	spin_lock_irq(&res->log.lock);
	/* This node was primary until now: its activity log need say no more. */
	tidies = res->keep.led && res->log.gen;
	ends = res->data == RBLK_DATA_CONSISTENT && !res->log.gate.primary &&
	       !res->keep.clean;
	if (ends)
		res->keep.clean = true;
	spin_unlock_irq(&res->log.lock);
	if (!ends)
		return;
	if (tidies)
		rblk_active_tidy(res);
	if (!rblk_keep_save(res, false))
		return;
	spin_lock_irq(&res->log.lock);
	res->keep.clean = false;
	spin_unlock_irq(&res->log.lock);
}

int rblk_resource_demote(struct rblk_resource *res, u32 flags,
			 struct netlink_ext_ack *extack)
{
	bool force = flags & RBLK_FLAG_FORCE;

	lockdep_assert_held(&res->conf);
	if (!res->log.gate.primary) {
		NL_SET_ERR_MSG(extack, "this node is a backup already");
		return -EALREADY;
	}
	if (!force && !wait_event_timeout(res->settled, is_closed(res),
					  msecs_to_jiffies(CLOSE_TIMEOUT_MS))) {
		NL_SET_ERR_MSG(extack, "a volume is open: unmount it or stop what uses it");
		return -EBUSY;
	}
	if (!force && !res->log.gate.suspended && !write_back(res)) {
		NL_SET_ERR_MSG(extack, "what was written to a volume does not get to its disk");
		return -ETIMEDOUT;
	}
	spin_lock_irq(&res->log.lock);
	res->log.gate.draining = true;
	res->log.gate.forced = force;
	rblk_log_forget(&res->log);
	spin_unlock_irq(&res->log.lock);
	/* What was kept is remembered instead; by force, what is stuck fails. */
	rblk_write_rejudge(res);
	retry_held(res);
	if (force ? !hand_over_by_force(res) : !hand_over(res)) {
		spin_lock_irq(&res->log.lock);
		res->log.gate.draining = false;
		res->log.gate.forced = false;
		spin_unlock_irq(&res->log.lock);
		NL_SET_ERR_MSG(extack, "operations in flight do not end");
		return -ETIMEDOUT;
	}
	spin_lock_irq(&res->log.lock);
	res->lineage.seq = res->log.last;
	/* Its disk lacks something that it and its peers have a name for. */
	if (rblk_disk_any_bad(res))
		res->data = RBLK_DATA_INCONSISTENT;
	rblk_mandate_end_locked(res);
	spin_unlock_irq(&res->log.lock);
	retry_held(res); /* reads that waited for a lease */
	rblk_applier_restart(&res->applier, res->lineage.seq,
			     rblk_volumes_volatile(res->volume));
	keep_clean_end(res);
	renegotiate_all(res, U16_MAX);
	pr_info("%s: role( primary -> backup )\n", res->name);
	announce_disks(res);
	res->notify->resource(res, "demoted");
	return 0;
}

int rblk_resource_suspend(struct rblk_resource *res,
			  struct netlink_ext_ack *extack)
{
	bool was;

	lockdep_assert_held(&res->conf);
	spin_lock_irq(&res->log.lock);
	was = res->log.gate.suspended;
	res->log.gate.suspended = true;
	spin_unlock_irq(&res->log.lock);
	if (was) {
		NL_SET_ERR_MSG(extack, "I/O is suspended already");
		return -EALREADY;
	}
	if (!wait_event_timeout(res->log.idle, is_idle(res),
				msecs_to_jiffies(DRAIN_TIMEOUT_MS))) {
		rblk_resource_resume(res);
		NL_SET_ERR_MSG(extack, "operations in flight do not end");
		return -ETIMEDOUT;
	}
	res->notify->resource(res, "suspended");
	return 0;
}

void rblk_resource_resume(struct rblk_resource *res)
{
	lockdep_assert_held(&res->conf);
	spin_lock_irq(&res->log.lock);
	res->log.gate.suspended = false;
	spin_unlock_irq(&res->log.lock);
	retry_held(res);
	res->notify->resource(res, "resumed");
}

void rblk_resource_destroy(struct rblk_resource *res)
{
	int i;

	mutex_lock(&res->conf);
	spin_lock_irq(&res->log.lock);
	res->log.gate.dead = true;
	spin_unlock_irq(&res->log.lock);
	retry_held(res);
	rblk_write_rejudge(res); /* what is stuck fails */
	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (res->peer[i])
			rblk_peer_destroy(res->peer[i],
					  "the resource was taken down");
	/*
	 * Who found the resource before is to learn that it is dead, and not to
	 * wait for this lock as long as a disk that hangs.
	 */
	mutex_unlock(&res->conf);
	wait_event(res->applier.idle, applier_is_idle(res));
	keep_clean_end(res);
	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i])
			rblk_volume_drain(res->volume[i]);
	mutex_lock(&res->conf);
	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i])
			rblk_volume_destroy(res->volume[i]);
	cancel_delayed_work_sync(&res->hang_work);
	cancel_work_sync(&res->copy_work);
	cancel_work_sync(&res->retry_work);
	cancel_work_sync(&res->read_work);
	cancel_work_sync(&res->lease_work);
	cancel_work_sync(&res->keep.work);
	mutex_unlock(&res->conf);
	rblk_resource_put(res);
}

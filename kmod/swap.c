// SPDX-License-Identifier: GPL-2.0
/*
 * swap.c - a volume's disk goes, and another one comes, while it is up.
 */
#include <linux/netlink.h>
#include <linux/slab.h>

#include "peer.h"
#include "resource.h"
#include "swap.h"
#include "volume.h"
#include "repl/active.h"
#include "repl/disk.h"
#include "repl/link.h"
#include "repl/write.h"
#include "store/mdio.h"

#define DRAIN_TIMEOUT_MS	10000	/* for what is in flight to end */

static void let_in(struct rblk_volume *volume)
{
	struct rblk_log *log = &volume->res->log;
	struct bio_list parked;
	struct bio *bio;

	percpu_ref_resurrect(&volume->io);
	spin_lock_irq(&log->lock);
	WRITE_ONCE(volume->parking, false);
	parked = volume->parked;
	bio_list_init(&volume->parked);
	spin_unlock_irq(&log->lock);
	while ((bio = bio_list_pop(&parked)))
		submit_bio_noacct(bio);
}

/* Return: nothing is in flight, and nothing comes in until let_in(). */
static bool drain(struct rblk_volume *volume)
{
	lockdep_assert_held(&volume->res->conf);
	spin_lock_irq(&volume->res->log.lock);
	WRITE_ONCE(volume->parking, true);
	spin_unlock_irq(&volume->res->log.lock);
	reinit_completion(&volume->io_drained);
	percpu_ref_kill(&volume->io);
	if (wait_for_completion_timeout(&volume->io_drained,
					msecs_to_jiffies(DRAIN_TIMEOUT_MS)) &&
	    !(READ_ONCE(volume->hung) && rblk_active_waits(volume, U64_MAX)))
		return true;
	let_in(volume);
	return false;
}

static bool applier_is_idle(struct rblk_resource *res)
{
	return rblk_applier_is_idle(&res->applier);
}

/* Of a backup: apply nothing any more. The daemon connects again. */
static int stop_applying(struct rblk_resource *res, const char *reason,
			 struct netlink_ext_ack *extack)
{
	int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (res->peer[i])
			rblk_link_close(res->peer[i], reason);
	if (wait_event_timeout(res->applier.idle, applier_is_idle(res),
			       msecs_to_jiffies(DRAIN_TIMEOUT_MS)))
		return 0;
	NL_SET_ERR_MSG(extack, "a disk does not answer: not all that was received is applied");
	return -ETIMEDOUT;
}

static bool resync_runs(const struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (res->peer[i] && (res->peer[i]->resync.active ||
				     res->peer[i]->resync.in_flight))
			return true;
	return false;
}

/* Nothing may be in flight that cannot end. */
static int check_gate(struct rblk_resource *res, struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&res->log.lock);
	if (!res->log.gate.suspended)
		return 0;
	NL_SET_ERR_MSG(extack, "I/O is suspended: resume it first");
	return -EBUSY;
}

/* From here on its disk is not used any more. */
static int leave_disk(struct rblk_volume *volume, struct netlink_ext_ack *extack)
{
	struct rblk_resource *res = volume->res;
	struct rblk_log *log = &res->log;
	int err;

	spin_lock_irq(&log->lock);
	err = check_gate(res, extack);
	if (!err && log->gate.primary && !rblk_disk_is_away(volume) &&
	    !log->policy.level) {
		NL_SET_ERR_MSG(extack, "this disk is the last copy: no peer has all data");
		err = -EBUSY;
	}
	if (!err && log->gate.primary && resync_runs(res)) {
		NL_SET_ERR_MSG(extack, "a resync reads this disk: wait, or disconnect the peer");
		err = -EBUSY;
	}
	if (!err) {
		WRITE_ONCE(volume->disk_state, RBLK_DISK_DETACHED);
		WRITE_ONCE(volume->away, true);
	}
	spin_unlock_irq(&log->lock);
	return err;
}

/* Operations that stay in the log use no extents of a log that goes. */
static void forget_active(struct rblk_volume *volume)
{
	struct rblk_log *log = &volume->res->log;
	struct rblk_write *write;
	u64 seq;

	lockdep_assert_held(&log->lock);
	for (seq = log->first; seq <= log->last; seq++) {
		write = rblk_log_find(log, seq);
		if (write->volume == volume)
			rblk_active_leave(write);
	}
}

/* Give its disk back. It is drained, and its applier idle. */
static void close_disk(struct rblk_volume *volume)
{
	struct rblk_resource *res = volume->res;

	rblk_refill_stop(&volume->refill);
	mutex_lock(&res->keep.mutex);
	spin_lock_irq(&res->log.lock);
	forget_active(volume);
	if (volume->active)
		volume->ring_serial = volume->active->log.serial;
	spin_unlock_irq(&res->log.lock);
	if (volume->linked)
		bd_unlink_disk_holder(volume->backing.bdev, volume->disk);
	volume->linked = false;
	rblk_volume_close_disk(volume);
	volume->hung = false;
	mutex_unlock(&res->keep.mutex);
}

int rblk_swap_detach(struct rblk_volume *volume,
		     struct netlink_ext_ack *extack)
{
	struct rblk_resource *res = volume->res;
	int err = 0;

	lockdep_assert_held(&res->conf);
	if (!volume->backing.handle) {
		NL_SET_ERR_MSG(extack, "the volume's disk is detached already");
		return -EALREADY;
	}
	if (!res->log.gate.primary)
		err = stop_applying(res, "a disk is being detached", extack);
	if (!err)
		err = leave_disk(volume, extack);
	if (err)
		return err;
	/* The disk itself is to know that it lacks what comes. */
	rblk_keep_save(res, false);
	rblk_write_rejudge(res);
	if (!drain(volume)) {
		NL_SET_ERR_MSG(extack, "not used any more, but requests to it have not ended yet");
		return -ETIMEDOUT;
	}
	close_disk(volume);
	let_in(volume);
	pr_notice("%s/%u: disk( -> detached ) %s\n", res->name, volume->id,
		  volume->backing.path);
	res->notify->volume(volume, "the disk was detached");
	return 0;
}

/*
 * A backup's data is from here on what the primary makes of it. Its position
 * is none, so that no memory of what it once had is relied on.
 */
static void doubt_all_locked(struct rblk_resource *res)
{
	lockdep_assert_held(&res->log.lock);
	res->keep.clean = false;
	if (res->data == RBLK_DATA_NEW)
		return;
	res->data = RBLK_DATA_INCONSISTENT;
	res->lineage.seq = 0;
	rblk_lineage_truncate(&res->lineage);
	res->keep.led = false;
	res->keep.led_gen = 0;
	res->whole_at = U64_MAX;
}

/* A disk counts from here on: that of a backup as one that has nothing. */
static bool count_disk(struct rblk_volume *volume)
{
	struct rblk_resource *res = volume->res;
	bool counts, doubts;

	spin_lock_irq(&res->log.lock);
	counts = volume->disk_state == RBLK_DISK_FILLING;
	doubts = counts && !res->log.gate.primary;
	if (counts) {
		WRITE_ONCE(volume->disk_state, RBLK_DISK_OK);
		WRITE_ONCE(volume->away, false);
	}
	if (doubts)
		doubt_all_locked(res);
	spin_unlock_irq(&res->log.lock);
	if (doubts)
		rblk_applier_restart(&res->applier, res->lineage.seq,
				     rblk_volumes_volatile(res->volume));
	return counts;
}

/* Who waited for a node with a disk is to hear of it: connect anew. */
static void tell_peers(struct rblk_resource *res, const char *reason)
{
	int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (res->peer[i] &&
		    !(READ_ONCE(res->log.streaming) & BIT(i)))
			rblk_link_refuse(res->peer[i], reason);
}

/* All of a new disk is here, or no more will be. False: look again, soon. */
static bool filled(struct rblk_volume *volume)
{
	struct rblk_resource *res = volume->res;
	int err;

	/* Whoever holds it may be waiting for this work to end. */
	if (!mutex_trylock(&res->conf))
		return false;
	/* Else what was read from a peer might not be read here yet. */
	if (res->log.gate.dead || !drain(volume)) {
		mutex_unlock(&res->conf);
		return false;
	}
	err = rblk_mdio_flush(volume->backing.bdev);
	if (err) {
		spin_lock_irq(&res->log.lock);
		rblk_disk_failed_locked(volume, REQ_OP_WRITE, 0,
					errno_to_blk_status(err));
		spin_unlock_irq(&res->log.lock);
	}
	if (!err && count_disk(volume)) {
		rblk_keep_save(res, true);
		pr_notice("%s/%u: disk( filling -> ok ) %s\n", res->name,
			  volume->id, volume->backing.path);
		res->notify->volume(volume, "the new disk is complete");
		tell_peers(res, "a new disk is complete");
	}
	let_in(volume);
	mutex_unlock(&res->conf);
	return true;
}

static int check_disk(const struct rblk_volume *volume,
		      const struct rblk_volume *fresh,
		      struct netlink_ext_ack *extack)
{
	if (fresh->backing.size_sects < volume->backing.size_sects) {
		NL_SET_ERR_MSG(extack, "less room for data than the volume has: enlarge it");
		return -ENOSPC;
	}
	if (fresh->backing.size_sects > volume->backing.size_sects) {
		NL_SET_ERR_MSG(extack, "more room than the volume has: 'rblk create --size'");
		return -EINVAL;
	}
	return 0;
}

static int check_attach(struct rblk_volume *volume,
			const struct rblk_volume_config *config,
			struct netlink_ext_ack *extack)
{
	struct rblk_resource *res = volume->res;
	int err = 0;

	spin_lock_irq(&res->log.lock);
	if (rblk_disk_is_good(volume) ||
	    volume->disk_state == RBLK_DISK_FILLING) {
		NL_SET_ERR_MSG(extack, "the volume has its disk: detach it first");
		err = -EALREADY;
	} else if (res->log.gate.primary && !rblk_disk_is_away(volume)) {
		NL_SET_ERR_MSG(extack, "the last copy: first connect a peer that has all data");
		err = -EBUSY;
	} else if (!config->metadata != !volume->metadata) {
		NL_SET_ERR_MSG(extack, "metadata or none: that is fixed while it is up");
		err = -EINVAL;
	} else if (res->log.gate.primary && resync_runs(res)) {
		NL_SET_ERR_MSG(extack, "a resync is being ended: try again");
		err = -EBUSY;
	} else {
		err = check_gate(res, extack);
	}
	spin_unlock_irq(&res->log.lock);
	return err;
}

/* What it brings is taken over, but for what it says of data. */
static void take_over(struct rblk_volume *volume, struct rblk_volume *fresh)
{
	struct rblk_resource *res = volume->res;

	volume->backing = fresh->backing;
	volume->super = fresh->super;
	volume->active = fresh->active;
	volume->metadata = fresh->metadata;
	memcpy(volume->metadata_path, fresh->metadata_path,
	       sizeof(volume->metadata_path));
	/* It goes on above all that peers were told of: see rblk_active_serial(). */
	if (volume->active) {
		volume->active->volume = volume;
		volume->active->log.serial = max(volume->active->log.serial,
						 volume->ring_serial + 1);
	}
	volume->linked = !bd_link_disk_holder(volume->backing.bdev,
					      volume->disk);
	if (!volume->super)
		return;
	mutex_lock(&res->keep.mutex);
	res->keep.saved.serial = max(res->keep.saved.serial,
				     volume->super->disk.record.serial);
	res->keep.failing = true; /* this one says something else */
	spin_lock_irq(&res->log.lock);
	res->promised = max(res->promised, volume->super->disk.record.promised);
	spin_unlock_irq(&res->log.lock);
	mutex_unlock(&res->keep.mutex);
}

/* The new disk is there: say what it is. Return: it fills from a peer. */
static bool begin_with(struct rblk_volume *volume)
{
	struct rblk_resource *res = volume->res;
	bool fills;

	spin_lock_irq(&res->log.lock);
	fills = res->log.gate.primary;
	volume->disk_reason[0] = '\0';
	WRITE_ONCE(volume->away, fills);
	WRITE_ONCE(volume->disk_state,
		   fills ? RBLK_DISK_FILLING : RBLK_DISK_OK);
	if (fills)
		rblk_active_replaced(volume);
	else
		doubt_all_locked(res);
	spin_unlock_irq(&res->log.lock);
	if (!fills)
		rblk_applier_restart(&res->applier, res->lineage.seq,
				     rblk_volumes_volatile(res->volume));
	return fills;
}

static int replace_disk(struct rblk_volume *volume, struct rblk_volume *fresh,
			struct netlink_ext_ack *extack)
{
	struct rblk_resource *res = volume->res;
	bool fills;
	int err = 0;

	if (!res->log.gate.primary)
		err = stop_applying(res, "a disk is being attached", extack);
	if (err)
		return err;
	if (!drain(volume)) {
		NL_SET_ERR_MSG(extack, "requests in flight do not end: try again");
		return -ETIMEDOUT;
	}
	close_disk(volume);
	if (res->log.gate.primary)
		err = rblk_refill_prepare(&volume->refill);
	if (!err) {
		take_over(volume, fresh);
		fills = begin_with(volume);
	}
	let_in(volume);
	if (err)
		return err;
	err = rblk_keep_save(res, true);
	if (err) {
		spin_lock_irq(&res->log.lock);
		rblk_disk_failed_locked(volume, REQ_OP_WRITE, 0,
					errno_to_blk_status(err));
		spin_unlock_irq(&res->log.lock);
		NL_SET_ERR_MSG(extack, "writing its metadata failed: see the kernel log");
	} else if (fills) {
		rblk_refill_start(volume, filled);
	}
	pr_notice("%s/%u: disk( -> %s ) %s\n", res->name, volume->id,
		  err ? "failed" : fills ? "filling" : "ok",
		  volume->backing.path);
	res->notify->volume(volume, "a disk was attached");
	return err;
}

int rblk_swap_attach(struct rblk_volume *volume,
		     struct rblk_volume_config *config,
		     struct netlink_ext_ack *extack)
{
	struct rblk_resource *res = volume->res;
	struct rblk_volume *fresh;
	int err;

	lockdep_assert_held(&res->conf);
	err = check_attach(volume, config, extack);
	if (err)
		return err;
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;
	fresh->res = res;
	fresh->id = volume->id;
	config->block_bytes = volume->block_bytes;
	err = rblk_volume_open_disk(fresh, config, volume, extack);
	if (err)
		goto out_free;
	err = check_disk(volume, fresh, extack);
	if (!err)
		err = replace_disk(volume, fresh, extack);
	/* Taken over, it is not this one's any more. */
	if (err && volume->backing.handle != fresh->backing.handle)
		rblk_volume_close_disk(fresh);
out_free:
	kfree(fresh);
	return err;
}

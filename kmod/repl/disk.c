// SPDX-License-Identifier: GPL-2.0
/*
 * disk.c - the disk below a volume, and what becomes of it when it fails.
 */
#include "disk.h"
#include "../resource.h"

static bool any(struct rblk_resource *res,
		bool (*is)(const struct rblk_volume *volume))
{
	bool found = false;
	int i;

	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_VOLUMES && !found; i++) {
		struct rblk_volume *volume = READ_ONCE(res->volume[i]);

		found = volume && is(volume);
	}
	rcu_read_unlock();
	return found;
}

static bool is_bad(const struct rblk_volume *volume)
{
	return !rblk_disk_is_good(volume);
}

bool rblk_disk_any_bad(struct rblk_resource *res)
{
	return any(res, is_bad);
}

bool rblk_disk_any_away(struct rblk_resource *res)
{
	return any(res, rblk_disk_is_away);
}

static const char *op_name(enum req_op op)
{
	return op == REQ_OP_READ ? "reading" : "writing";
}

bool rblk_disk_hangs_locked(struct rblk_volume *volume)
{
	struct rblk_resource *res = volume->res;
	struct rblk_log *log = &res->log;

	lockdep_assert_held(&log->lock);
	if (volume->hung)
		return true;
	if (log->gate.primary && !rblk_disk_is_away(volume) &&
	    (!log->policy.level || res->pass_disk_errors))
		return false;
	WRITE_ONCE(volume->hung, true);
	/* It failed before, or is being detached. */
	if (!rblk_disk_takes_writes(volume))
		return true;
	WRITE_ONCE(volume->disk_state, RBLK_DISK_FAILED);
	WRITE_ONCE(volume->away, true);
	scnprintf(volume->disk_reason, sizeof(volume->disk_reason),
		  "volume %u: the backing device %s did not answer for %u ms (disk-timeout): it is not used any more",
		  volume->id, volume->backing.path, res->disk_timeout_ms);
	queue_work(res->wq, &volume->disk_work);
	return true;
}

void rblk_disk_failed_locked(struct rblk_volume *volume, enum req_op op,
			     u64 sector, blk_status_t status)
{
	struct rblk_resource *res = volume->res;
	struct rblk_log *log = &res->log;
	bool filling = volume->disk_state == RBLK_DISK_FILLING;
	bool first = filling || rblk_disk_is_good(volume);
	bool away = filling || !log->gate.primary ||
		    (log->policy.level && !res->pass_disk_errors);

	lockdep_assert_held(&log->lock);
	if (op == REQ_OP_READ && !away)
		return;
	if (!first && (volume->away || !away))
		return;
	WRITE_ONCE(volume->disk_state, RBLK_DISK_FAILED);
	WRITE_ONCE(volume->away, away);
	scnprintf(volume->disk_reason, sizeof(volume->disk_reason),
		  "volume %u: %s sector %llu of the backing device %s failed: error %d%s",
		  volume->id, op_name(op), sector, volume->backing.path,
		  -blk_status_to_errno(status),
		  away ? ": it is not used any more" : "");
	queue_work(res->wq, &volume->disk_work);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * keep.c - what a node keeps of a resource on its disks.
 */
#include <linux/slab.h>

#include "disk.h"
#include "keep.h"
#include "../resource.h"
#include "../volume.h"
#include "../store/super.h"

void rblk_keep_init(struct rblk_keep *keep)
{
	mutex_init(&keep->mutex);
	INIT_WORK(&keep->work, rblk_keep_work);
}

bool rblk_keep_is_on(struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i] && res->volume[i]->super)
			return true;
	return false;
}

static void say_note(struct rblk_resource *res, enum rblk_record_note note)
{
	switch (note) {
	case RBLK_RECORD_EQUAL:
		break;
	case RBLK_RECORD_HALFWAY:
		pr_info("%s: the last change of its metadata had not reached every volume: it does not count\n",
			res->name);
		break;
	case RBLK_RECORD_STALE:
		pr_warn("%s: the metadata of its volumes is of different times: a volume is new, or was away\n",
			res->name);
		break;
	}
}

/* All volumes' metadata says this position. */
static void note_recorded(struct rblk_resource *res, u64 seq)
{
	int i;

	spin_lock_irq(&res->applier.lock);
	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		struct rblk_volume *volume = res->volume[i];

		if (!volume || !volume->super)
			continue;
		volume->recorded = seq;
		volume->recorded_sects = res->applier.received_sects;
	}
	res->applier.recorded = seq;
	spin_unlock_irq(&res->applier.lock);
}

void rblk_keep_load(struct rblk_resource *res)
{
	const struct rblk_record *record[RBLK_MAX_VOLUMES];
	struct rblk_keep *keep = &res->keep;
	enum rblk_record_note note;
	u32 i, nr = 0;

	lockdep_assert_held(&res->conf);
	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i] && res->volume[i]->super)
			record[nr++] = &res->volume[i]->super->disk.record;
	if (!nr)
		return;
	mutex_lock(&keep->mutex);
	note = rblk_record_merge(record, nr, &keep->saved);
	/* Whatever comes next is written to all of them. */
	keep->failing = note != RBLK_RECORD_EQUAL;
	say_note(res, note);
	spin_lock_irq(&res->log.lock);
	res->data = rblk_record_data(&keep->saved);
	res->promised = max(res->promised, keep->saved.promised);
	res->lineage = keep->saved.lineage;
	res->whole_at = U64_MAX;
	keep->clean = keep->saved.clean;
	keep->led = keep->saved.led;
	keep->led_gen = keep->led && res->lineage.nr_terms &&
			keep->saved.data == RBLK_DATA_CONSISTENT ?
		res->lineage.term[res->lineage.nr_terms - 1].gen : 0;
	spin_unlock_irq(&res->log.lock);
	note_recorded(res, res->lineage.seq);
	mutex_unlock(&keep->mutex);
}

/* What the disks should say. Return: where this node's data is. */
static u64 snapshot_locked(struct rblk_resource *res,
			   struct rblk_record *record)
{
	struct rblk_keep *keep = &res->keep;
	bool primary = res->log.gate.primary;

	lockdep_assert_held(&res->log.lock);
	memset(record, 0, sizeof(*record));
	record->promised = max(res->promised, keep->next_gen);
	record->data = res->data == RBLK_DATA_UNCLEAN ? RBLK_DATA_CONSISTENT :
							res->data;
	record->clean = keep->clean;
	record->led = keep->led;
	record->lineage = res->lineage;
	/* As primary: where it began, a lower bound. */
	if (!primary && res->data != RBLK_DATA_NEW)
		record->lineage.seq = READ_ONCE(res->applier.order.applied);
	if (keep->next_gen) {
		record->data = RBLK_DATA_CONSISTENT;
		record->lineage = keep->next;
		record->clean = false;
		record->led = true;
	}
	/* What failed to be written is missing, whatever the history says. */
	if (rblk_disk_any_bad(res) && record->data == RBLK_DATA_CONSISTENT)
		record->data = RBLK_DATA_INCONSISTENT;
	if (record->data != RBLK_DATA_CONSISTENT)
		record->clean = false;
	return record->lineage.seq;
}

static bool is_saved(const struct rblk_record *want,
		     const struct rblk_record *saved)
{
	const struct rblk_lineage *a = &want->lineage, *b = &saved->lineage;

	return want->promised == saved->promised && want->data == saved->data &&
	       want->clean == saved->clean && want->led == saved->led &&
	       (!want->clean || a->seq == b->seq) &&
	       a->nr_terms == b->nr_terms &&
	       !memcmp(a->term, b->term, a->nr_terms * sizeof(a->term[0]));
}

static int write_all(struct rblk_resource *res,
		     const struct rblk_record *record)
{
	int i, err = 0;

	for (i = 0; i < RBLK_MAX_VOLUMES && !err; i++) {
		struct rblk_volume *volume = res->volume[i];
		struct rblk_seen seen;

		if (volume) {
			spin_lock_irq(&res->applier.lock);
			seen = volume->seen;
			spin_unlock_irq(&res->applier.lock);
		}
		/* One that hangs would hold up all others. */
		if (volume && volume->super && !READ_ONCE(volume->hung))
			err = rblk_super_write(volume->super, record,
					       &seen);
		/* A disk that failed may take it or not. */
		if (err && !rblk_disk_is_good(volume))
			err = 0;
		if (err)
			pr_err("%s/%u: writing the metadata of %s failed: error %d\n",
			       res->name, volume->id, volume->backing.path,
			       -err);
	}
	return err;
}

int rblk_keep_save(struct rblk_resource *res, bool position)
{
	struct rblk_keep *keep = &res->keep;
	struct rblk_record record;
	int err = 0;
	u64 seq;

	mutex_lock(&keep->mutex);
	if (!rblk_keep_is_on(res))
		goto out_unlock;
	spin_lock_irq(&res->log.lock);
	seq = snapshot_locked(res, &record);
	spin_unlock_irq(&res->log.lock);
	if (position || keep->failing || !is_saved(&record, &keep->saved)) {
		/* Also after a failure: some disk may have that serial. */
		record.serial = ++keep->saved.serial;
		err = write_all(res, &record);
		keep->failing = err;
		if (!err) {
			keep->saved = record;
			note_recorded(res, seq);
		}
	}
out_unlock:
	mutex_unlock(&keep->mutex);
	return err;
}

void rblk_keep_save_soon(struct rblk_resource *res)
{
	queue_work(res->wq, &res->keep.work);
}

void rblk_keep_work(struct work_struct *work)
{
	struct rblk_resource *res = container_of(work, struct rblk_resource,
						 keep.work);

	rblk_keep_save(res, false);
}

void rblk_keep_recorded(struct rblk_volume *volume, u64 seq)
{
	struct rblk_resource *res = volume->res;
	u64 lowest = U64_MAX;
	int i;

	lockdep_assert_held(&res->applier.lock);
	volume->recorded = max(volume->recorded, seq);
	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		struct rblk_volume *other = READ_ONCE(res->volume[i]);

		if (other && other->super)
			lowest = min(lowest, other->recorded);
	}
	rcu_read_unlock();
	res->applier.recorded = lowest;
}

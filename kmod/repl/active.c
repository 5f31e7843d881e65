// SPDX-License-Identifier: GPL-2.0
/*
 * active.c - the activity log of a volume: I/O around core/actlog.h.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "active.h"
#include "disk.h"
#include "write.h"
#include "../peer.h"
#include "../resource.h"
#include "../store/mdio.h"
#include "../volume.h"

#define LOOKS	256U	/* slots that are looked at under the lock at once */

static const struct rblk_geometry *geo_of(const struct rblk_active *active)
{
	return &active->volume->super->disk.geo;
}

static u8 shift_of(const struct rblk_active *active)
{
	return geo_of(active)->extent_shift - SECTOR_SHIFT;
}

static u32 nr_extents(const struct rblk_active *active)
{
	u8 shift = geo_of(active)->extent_shift;

	return (geo_of(active)->data_bytes + (1ULL << shift) - 1) >> shift;
}

static u64 block_at(const struct rblk_active *active, u64 serial)
{
	u32 block;

	div_u64_rem(serial, geo_of(active)->ring_blocks, &block);
	return geo_of(active)->ring_at + (u64)block * RBLK_ONDISK_BLOCK;
}

static void retry_held(struct rblk_active *active)
{
	struct rblk_resource *res = active->volume->res;

	queue_work(res->wq, &res->retry_work);
}

/* ---- admission */

static void extents_of(const struct rblk_active *active,
		       const struct rblk_write *write, u32 *first, u32 *last)
{
	u64 sector = write->iter.bi_sector;
	u32 nr_sects = write->iter.bi_size >> SECTOR_SHIFT;

	*first = sector >> shift_of(active);
	*last = (sector + nr_sects - 1) >> shift_of(active);
}

enum rblk_actlog_answer rblk_active_admit(struct rblk_write *write)
{
	struct rblk_active *active = write->volume->active;
	enum rblk_actlog_answer answer;
	u32 first, last;

	/* What the disk does not get, it need not remember. */
	if (!active || !rblk_disk_takes_writes(write->volume))
		return RBLK_ACTLOG_GO;
	lockdep_assert_held(&write->volume->res->log.lock);
	extents_of(active, write, &first, &last);
	if (write->active) {
		answer = rblk_actlog_ask(&active->log, first, last);
		if (answer == RBLK_ACTLOG_FAILED)
			rblk_active_leave(write);
		return answer;
	}
	answer = rblk_actlog_enter(&active->log, first, last);
	write->active = answer == RBLK_ACTLOG_GO || answer == RBLK_ACTLOG_WAIT;
	if (answer != RBLK_ACTLOG_GO &&
	    !(answer == RBLK_ACTLOG_FULL && active->stuck))
		queue_work(write->volume->res->wq, &active->work);
	return answer;
}

void rblk_active_leave(struct rblk_write *write)
{
	struct rblk_active *active = write->volume->active;
	u32 first, last;

	if (!write->active)
		return;
	lockdep_assert_held(&write->volume->res->log.lock);
	extents_of(active, write, &first, &last);
	rblk_actlog_leave(&active->log, first, last);
	write->active = false;
	active->stuck = false;
}

/* ---- making room */

/* Does no peer, of those that the log speaks for, lack anything in there? */
static bool may_leave(void *arg, u32 extent)
{
	struct rblk_active *active = arg;
	const struct rblk_log *log = &active->volume->res->log;
	unsigned long nodes = log->known & ~active->silent;
	u8 shift = shift_of(active);
	int node;

	for_each_set_bit(node, &nodes, RBLK_MAX_NODES)
		if (rblk_lack_touches(log->lack[node], active->volume->id,
				      (u64)extent << shift, 1ULL << shift))
			return false;
	return true;
}

/* Two rounds: the first one makes all of them old. */
static u32 vacate(struct rblk_active *active, u32 wanted)
{
	struct rblk_log *log = &active->volume->res->log;
	u32 looked, vacated = 0;
	bool enough = false;

	for (looked = 0; looked < 2 * active->log.nr_slots && !enough;
	     looked += LOOKS) {
		spin_lock_irq(&log->lock);
		vacated += rblk_actlog_vacate(&active->log, may_leave, active,
					      LOOKS);
		enough = active->log.nr_vacant >= wanted;
		spin_unlock_irq(&log->lock);
		cond_resched();
	}
	return vacated;
}

/* Those that lack something: from the next transaction on, anything. */
static void fall_silent(struct rblk_active *active)
{
	struct rblk_volume *volume = active->volume;
	struct rblk_log *log = &volume->res->log;
	unsigned long nodes;
	u16 was;
	int node;

	spin_lock_irq(&log->lock);
	was = active->silent;
	nodes = log->known & ~was;
	for_each_set_bit(node, &nodes, RBLK_MAX_NODES)
		if (rblk_lack_touches(log->lack[node], volume->id, 0,
				      volume->backing.size_sects))
			active->silent |= BIT(node);
	nodes = active->silent & ~was;
	spin_unlock_irq(&log->lock);
	for_each_set_bit(node, &nodes, RBLK_MAX_NODES)
		pr_notice("%s/%u: node %d lacks more than the activity log covers: after a crash here it is compared in full\n",
			  volume->res->name, volume->id, node);
}

static int make_room(struct rblk_active *active, bool tidy)
{
	struct rblk_resource *res = active->volume->res;
	u32 nr_slots = active->log.nr_slots;
	u32 wanted = tidy ? nr_slots : nr_slots / 4;
	u32 vacated;
	u64 flush;
	int err;

	spin_lock_irq(&res->log.lock);
	flush = rblk_actlog_flush_begin(&active->log);
	spin_unlock_irq(&res->log.lock);
	err = rblk_mdio_flush(active->volume->super->data_bdev);
	if (err)
		return err;
	spin_lock_irq(&res->log.lock);
	rblk_actlog_flushed(&active->log, flush);
	active->stuck = true; /* until somebody leaves */
	spin_unlock_irq(&res->log.lock);
	vacated = vacate(active, wanted);
	if (tidy || nr_slots == nr_extents(active))
		return 0;
	if (vacated <= nr_slots / 16) {
		fall_silent(active);
		vacated += vacate(active, wanted);
	}
	/* What is kept for a peer that is away uses its extents. */
	if (!vacated)
		res->keeper.give_way(&res->keeper);
	return 0;
}

/* ---- writing */

static bool prepare(struct rblk_active *active)
{
	struct rblk_log *log = &active->volume->res->log;
	struct rblk_transaction *tx = active->tx;
	u8 id = active->volume->id;
	bool any;
	int node;

	spin_lock_irq(&log->lock);
	any = rblk_actlog_prepare(&active->log, tx);
	tx->gen = log->gen;
	memcpy(tx->past, active->terms.past, sizeof(tx->past));
	for (node = 0; node < RBLK_MAX_NODES; node++) {
		struct rblk_lack *lack = log->lack[node];

		tx->base[node] = U64_MAX;
		if (!lack)
			continue;
		if (log->first > active->floor &&
		    !rblk_lack_touches(lack, id, 0,
				       active->volume->backing.size_sects))
			active->silent &= ~BIT(node);
		/* A write that failed is missing here, whoever has it. */
		if (!(active->silent & BIT(node)) &&
		    rblk_disk_is_good(active->volume))
			tx->base[node] = rblk_lack_base(lack);
	}
	spin_unlock_irq(&log->lock);
	return any;
}

static int write_prepared(struct rblk_active *active)
{
	struct rblk_super *super = active->volume->super;
	struct rblk_log *log = &active->volume->res->log;
	u64 at = block_at(active, active->tx->serial);
	int err;

	rblk_ondisk_put_transaction(page_address(active->page), at,
				    super->disk.member, active->tx);
	err = rblk_mdio_write(super->bdev, at, active->page, false);
	spin_lock_irq(&log->lock);
	rblk_actlog_written(&active->log, active->tx, !err);
	active->terms.now.serial = active->log.serial;
	spin_unlock_irq(&log->lock);
	retry_held(active);
	return err;
}

/* Return: is there room to be made, and how? */
static bool begin_turn(struct rblk_active *active, bool *tidy)
{
	struct rblk_log *log = &active->volume->res->log;
	bool room;

	spin_lock_irq(&log->lock);
	active->log.failed = false;
	*tidy = active->tidy;
	room = *tidy || (rblk_actlog_is_short(&active->log) && !active->stuck);
	spin_unlock_irq(&log->lock);
	return room;
}

/* What was made vacant is to be so on disk: say it all. */
static void end_tidy(struct rblk_active *active)
{
	struct rblk_log *log = &active->volume->res->log;

	spin_lock_irq(&log->lock);
	active->tidy = false;
	rblk_actlog_begin(&active->log);
	spin_unlock_irq(&log->lock);
}

static void active_work(struct work_struct *work)
{
	struct rblk_active *active = container_of(work, struct rblk_active,
						  work);
	struct rblk_volume *volume = active->volume;
	int err = 0;
	bool tidy;

	do {
		WRITE_ONCE(active->busy_ns, ktime_get_ns());
		if (begin_turn(active, &tidy))
			err = make_room(active, tidy);
		if (tidy)
			end_tidy(active);
	} while (!err && prepare(active) && !(err = write_prepared(active)));
	WRITE_ONCE(active->busy_ns, 0);
	if (err) {
		pr_err_ratelimited("%s/%u: the activity log cannot be written, error %d: writes that need it fail\n",
				   volume->res->name, volume->id, -err);
		spin_lock_irq(&volume->res->log.lock);
		active->log.failed = true;
		spin_unlock_irq(&volume->res->log.lock);
	}
	retry_held(active);
}

/* ---- reading */

/* Return: the serial, 0, or RBLK_ACTLOG_DAMAGED; @tx is filled with the first. */
static u64 read_block(struct rblk_active *active, u64 at)
{
	const struct rblk_super *super = active->volume->super;

	if (rblk_mdio_read(super->bdev, at, active->page))
		return RBLK_ACTLOG_DAMAGED;
	switch (rblk_ondisk_get_transaction(page_address(active->page), at,
					    super->disk.member, active->tx)) {
	case RBLK_ONDISK_OK:
		return block_at(active, active->tx->serial) == at ?
		       active->tx->serial : RBLK_ACTLOG_DAMAGED;
	case RBLK_ONDISK_ABSENT:
	case RBLK_ONDISK_FOREIGN:
		return 0;
	case RBLK_ONDISK_VERSION_UNKNOWN:
	case RBLK_ONDISK_DAMAGED:
	case RBLK_ONDISK_MISPLACED:
	case RBLK_ONDISK_INVALID:
	case RBLK_ONDISK_CLASH:
	case RBLK_ONDISK_TOO_SMALL:
	case __RBLK_ONDISK_END:
		break;
	}
	return RBLK_ACTLOG_DAMAGED;
}

/* Return: is it known what is active? */
static bool replay(struct rblk_active *active, u64 *serial)
{
	u32 i, nr_blocks = geo_of(active)->ring_blocks;
	u64 first, last, n;
	bool good;

	for (i = 0; i < nr_blocks; i++)
		serial[i] = read_block(active, block_at(active, i));
	good = rblk_actlog_run(serial, nr_blocks, &first, &last);
	for (n = first; last && n <= last; n++) {
		if (read_block(active, block_at(active, n)) != n ||
		    !rblk_actlog_replay(&active->log, active->tx,
					nr_extents(active)))
			good = false;
	}
	if (last) {
		active->terms.now.gen = active->tx->gen;
		active->terms.now.serial = last;
		memcpy(active->terms.past, active->tx->past,
		       sizeof(active->terms.past));
		memcpy(active->base, active->tx->base, sizeof(active->base));
	}
	if (!rblk_actlog_replayed(&active->log, first, last))
		good = false;
	return good && last;
}

static void free_active(struct rblk_active *active)
{
	kvfree(active->log.slot);
	kvfree(active->log.head);
	kfree(active->tx);
	if (active->page)
		__free_page(active->page);
	kfree(active);
}

static struct rblk_active *alloc_active(struct rblk_volume *volume)
{
	struct rblk_active *active = kzalloc(sizeof(*active), GFP_KERNEL);
	struct rblk_actlog_slot *slot;
	u32 nr_slots;
	u16 *head;

	if (!active)
		return NULL;
	active->volume = volume;
	active->silent = U16_MAX;
	INIT_WORK(&active->work, active_work);
	nr_slots = rblk_actlog_nr_slots(nr_extents(active));
	slot = kvcalloc(nr_slots, sizeof(*slot), GFP_KERNEL);
	head = kvcalloc(1U << rblk_actlog_hash_bits(nr_slots), sizeof(*head),
			GFP_KERNEL);
	active->tx = kzalloc(sizeof(*active->tx), GFP_KERNEL);
	active->page = alloc_page(GFP_KERNEL);
	if (slot && head && active->tx && active->page) {
		rblk_actlog_init(&active->log, slot, head, nr_slots);
		return active;
	}
	active->log.slot = slot;
	active->log.head = head;
	free_active(active);
	return NULL;
}

int rblk_active_open(struct rblk_volume *volume)
{
	struct rblk_active *active;
	u64 *serial;

	if (!volume->super)
		return 0;
	active = alloc_active(volume);
	if (!active)
		return -ENOMEM;
	serial = kvcalloc(geo_of(active)->ring_blocks, sizeof(*serial),
			  GFP_KERNEL);
	if (!serial) {
		free_active(active);
		return -ENOMEM;
	}
	active->known = replay(active, serial);
	kvfree(serial);
	volume->active = active;
	return 0;
}

void rblk_active_close(struct rblk_volume *volume)
{
	if (!volume->active)
		return;
	cancel_work_sync(&volume->active->work);
	free_active(volume->active);
	volume->active = NULL;
}

/* ---- terms */

void rblk_active_begin(struct rblk_resource *res)
{
	int i;

	lockdep_assert_held(&res->log.lock);
	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		struct rblk_volume *volume = res->volume[i];
		struct rblk_active *active;

		if (!volume || !volume->active)
			continue;
		active = volume->active;
		rblk_actlog_begin(&active->log);
		rblk_actlog_next_term(&active->terms, res->log.gen,
				      active->log.serial);
		active->known = false; /* from here on, memory knows */
		queue_work(res->wq, &active->work);
	}
}

u64 rblk_active_saw(struct rblk_volume *volume,
		    const struct rblk_lineage *lineage)
{
	struct rblk_applier *applier = &volume->res->applier;
	struct rblk_seen seen;

	spin_lock_irq(&applier->lock);
	seen = volume->seen;
	spin_unlock_irq(&applier->lock);
	return seen.gen == rblk_lineage_last_gen(lineage) ? seen.serial : 0;
}

u64 rblk_active_found(const struct rblk_volume *volume)
{
	return volume->active->terms.now.serial;
}

u64 rblk_active_serial(const struct rblk_volume *volume)
{
	u64 serial = volume->active ? volume->active->log.serial :
				      volume->ring_serial;

	/* A disk that does not get this is to be found out if it comes back. */
	return serial && !rblk_disk_takes_writes(volume) ? serial + 1 : serial;
}

bool rblk_active_is_set_back(const struct rblk_volume *volume,
			     const struct rblk_seen *seen)
{
	return volume->active &&
	       rblk_actlog_is_set_back(&volume->active->terms, seen);
}

bool rblk_active_waits(const struct rblk_volume *volume, u64 since_ns)
{
	u64 busy_ns = volume->active ? READ_ONCE(volume->active->busy_ns) : 0;

	return busy_ns && busy_ns <= since_ns;
}

void rblk_active_replaced(struct rblk_volume *volume)
{
	struct rblk_resource *res = volume->res;
	struct rblk_active *active = volume->active;

	lockdep_assert_held(&res->log.lock);
	if (!active)
		return;
	rblk_actlog_begin(&active->log);
	rblk_actlog_next_term(&active->terms, res->log.gen, active->log.serial);
	active->known = false;
	/* What is in the log now has no extents in it. */
	active->floor = res->log.last;
	queue_work(res->wq, &active->work);
}

/* Return: the position from which on all disks speak for @node, or U64_MAX. */
static u64 base_of(const struct rblk_resource *res, u8 node)
{
	u64 base = 0;
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		const struct rblk_volume *volume = res->volume[i];

		if (!volume)
			continue;
		if (!volume->active || !volume->active->known ||
		    volume->active->terms.now.gen != res->keep.led_gen)
			return U64_MAX;
		base = max(base, volume->active->base[node]);
	}
	return base;
}

u64 rblk_active_base(const struct rblk_resource *res, u8 node)
{
	lockdep_assert_held(&res->log.lock);
	return res->keep.led_gen ? base_of(res, node) : U64_MAX;
}

u32 rblk_active_nr(const struct rblk_volume *volume)
{
	const struct rblk_actlog *log = &volume->active->log;

	return log->nr_slots - READ_ONCE(log->nr_vacant);
}

u32 rblk_active_slots(const struct rblk_volume *volume)
{
	return volume->active->log.nr_slots;
}

u32 rblk_active_spans(const struct rblk_volume *volume, u32 *slot,
		      struct rblk_span *span, u32 max)
{
	const struct rblk_active *active = volume->active;
	u64 size = volume->backing.size_sects;
	u32 extent, nr = 0;

	lockdep_assert_held(&volume->res->log.lock);
	while (nr < max) {
		extent = rblk_actlog_next(&active->log, slot);
		if (extent == RBLK_ONDISK_NO_EXTENT)
			break;
		span[nr].sector = (u64)extent << shift_of(active);
		span[nr].nr_sects = min(1ULL << shift_of(active),
					size - span[nr].sector);
		nr++;
	}
	return nr;
}

bool rblk_active_restore(struct rblk_resource *res, u8 node)
{
	struct rblk_lack *lack = res->log.lack[node];
	u64 base = base_of(res, node);
	u32 extent, slot;
	int i;

	lockdep_assert_held(&res->log.lock);
	if (!res->keep.led_gen || base == U64_MAX ||
	    (res->peer[node] && res->peer[node]->saw_more))
		return false;
	rblk_lack_restore(lack, base);
	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		struct rblk_volume *volume = res->volume[i];
		struct rblk_active *active;

		if (!volume)
			continue;
		active = volume->active;
		active->silent &= ~BIT(node);
		slot = 0;
		while ((extent = rblk_actlog_next(&active->log, &slot)) !=
		       RBLK_ONDISK_NO_EXTENT)
			rblk_lack_missed(lack, i,
					 (u64)extent << shift_of(active),
					 1ULL << shift_of(active),
					 res->lineage.seq);
	}
	return true;
}

void rblk_active_tidy(struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		struct rblk_volume *volume = res->volume[i];

		if (!volume || !volume->active)
			continue;
		spin_lock_irq(&res->log.lock);
		volume->active->tidy = true;
		spin_unlock_irq(&res->log.lock);
		queue_work(res->wq, &volume->active->work);
		flush_work(&volume->active->work);
	}
}

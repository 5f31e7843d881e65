// SPDX-License-Identifier: GPL-2.0
/*
 * actlog.c - the activity log: where this node may differ after a crash.
 */
#include "actlog.h"

#define NIL	U16_MAX

enum state { VACANT, PENDING, WRITING, ACTIVE };

u32 rblk_actlog_nr_slots(u64 nr_extents)
{
	return min_t(u64, max_t(u64, nr_extents, 1), RBLK_ONDISK_ACTIVE_MAX);
}

u8 rblk_actlog_hash_bits(u32 nr_slots)
{
	u8 bits = 1;

	while (1U << bits < nr_slots)
		bits++;
	return bits;
}

static u16 *head_of(const struct rblk_actlog *log, u32 extent)
{
	return &log->head[hash_64(extent, log->hash_bits)];
}

static u16 find(const struct rblk_actlog *log, u32 extent)
{
	u16 i = *head_of(log, extent);

	while (i != NIL && log->slot[i].extent != extent)
		i = log->slot[i].next;
	return i;
}

static void hash_in(struct rblk_actlog *log, u16 i)
{
	u16 *head = head_of(log, log->slot[i].extent);

	log->slot[i].next = *head;
	*head = i;
}

static void hash_out(struct rblk_actlog *log, u16 i)
{
	u16 *at = head_of(log, log->slot[i].extent);

	while (*at != i)
		at = &log->slot[*at].next;
	*at = log->slot[i].next;
}

static void make_vacant(struct rblk_actlog *log, u16 i)
{
	struct rblk_actlog_slot *slot = &log->slot[i];

	slot->state = VACANT;
	slot->extent = RBLK_ONDISK_NO_EXTENT;
	slot->users = 0;
	slot->link = log->vacant;
	log->vacant = i;
	log->nr_vacant++;
}

static void make_pending(struct rblk_actlog *log, u16 i)
{
	log->slot[i].state = PENDING;
	log->slot[i].link = NIL;
	if (log->pending == NIL)
		log->pending = i;
	else
		log->slot[log->pending_last].link = i;
	log->pending_last = i;
}

void rblk_actlog_init(struct rblk_actlog *log, struct rblk_actlog_slot *slot,
		      u16 *head, u32 nr_slots)
{
	u32 i;

	memset(log, 0, sizeof(*log));
	memset(slot, 0, nr_slots * sizeof(*slot));
	log->slot = slot;
	log->head = head;
	log->nr_slots = nr_slots;
	log->hash_bits = rblk_actlog_hash_bits(nr_slots);
	log->vacant = NIL;
	log->pending = NIL;
	for (i = 0; i < 1U << log->hash_bits; i++)
		head[i] = NIL;
	for (i = nr_slots; i--;)
		make_vacant(log, i);
	rblk_actlog_begin(log);
}

void rblk_actlog_begin(struct rblk_actlog *log)
{
	log->to_restate = log->nr_slots;
}

/* Return: its slot, or NIL. */
static u16 enter_one(struct rblk_actlog *log, u32 extent)
{
	u16 i = find(log, extent);

	if (i == NIL) {
		i = log->vacant;
		if (i == NIL)
			return NIL;
		log->vacant = log->slot[i].link;
		log->nr_vacant--;
		log->slot[i].extent = extent;
		hash_in(log, i);
		make_pending(log, i);
	}
	log->slot[i].users++;
	log->slot[i].recent = true;
	return i;
}

static void leave_one(struct rblk_actlog *log, u32 extent)
{
	struct rblk_actlog_slot *slot = &log->slot[find(log, extent)];

	slot->users--;
	slot->epoch = log->flush_begun;
}

enum rblk_actlog_answer rblk_actlog_enter(struct rblk_actlog *log, u32 first,
					  u32 last)
{
	u32 extent;

	for (extent = first; extent <= last; extent++) {
		if (enter_one(log, extent) != NIL)
			continue;
		while (extent-- > first)
			leave_one(log, extent);
		return log->failed ? RBLK_ACTLOG_FAILED : RBLK_ACTLOG_FULL;
	}
	/* What failed before it came is tried again for it. */
	if (rblk_actlog_ask(log, first, last) == RBLK_ACTLOG_GO)
		return RBLK_ACTLOG_GO;
	return RBLK_ACTLOG_WAIT;
}

enum rblk_actlog_answer rblk_actlog_ask(const struct rblk_actlog *log,
					u32 first, u32 last)
{
	bool active = !log->to_restate;
	u32 extent;

	for (extent = first; extent <= last; extent++)
		active &= log->slot[find(log, extent)].state == ACTIVE;
	if (active)
		return RBLK_ACTLOG_GO;
	return log->failed ? RBLK_ACTLOG_FAILED : RBLK_ACTLOG_WAIT;
}

void rblk_actlog_leave(struct rblk_actlog *log, u32 first, u32 last)
{
	u32 extent;

	for (extent = first; extent <= last; extent++)
		leave_one(log, extent);
}

bool rblk_actlog_is_short(const struct rblk_actlog *log)
{
	return log->nr_vacant < log->nr_slots / 8;
}

u64 rblk_actlog_flush_begin(struct rblk_actlog *log)
{
	return ++log->flush_begun;
}

void rblk_actlog_flushed(struct rblk_actlog *log, u64 flush)
{
	log->flush_done = max(log->flush_done, flush);
}

u32 rblk_actlog_vacate(struct rblk_actlog *log,
		       bool (*may_leave)(void *arg, u32 extent), void *arg,
		       u32 looks)
{
	u32 vacated = 0;

	while (looks--) {
		u16 i = log->hand;
		struct rblk_actlog_slot *slot = &log->slot[i];

		log->hand = i + 1U < log->nr_slots ? i + 1U : 0;
		if (slot->state != ACTIVE || slot->users ||
		    slot->epoch >= log->flush_done)
			continue;
		if (slot->recent) {
			slot->recent = false;
			continue;
		}
		if (!may_leave(arg, slot->extent))
			continue;
		hash_out(log, i);
		make_vacant(log, i);
		vacated++;
	}
	return vacated;
}

bool rblk_actlog_prepare(struct rblk_actlog *log, struct rblk_transaction *tx)
{
	u32 i;

	if (log->pending == NIL && !log->to_restate)
		return false;
	memset(tx, 0, sizeof(*tx));
	tx->serial = log->serial + 1;
	tx->nr_slots = log->nr_slots;
	while (log->pending != NIL && tx->nr_updates < RBLK_ONDISK_UPDATES) {
		struct rblk_update *update = &tx->update[tx->nr_updates++];

		update->slot = log->pending;
		update->extent = log->slot[log->pending].extent;
		log->slot[log->pending].state = WRITING;
		log->pending = log->slot[log->pending].link;
	}
	/* A pending one may be stated early: nobody counts on what it replaces. */
	tx->context_first = log->restate;
	tx->nr_context = min(log->nr_slots - log->restate, RBLK_ONDISK_CONTEXT);
	for (i = 0; i < tx->nr_context; i++)
		tx->context[i] = log->slot[log->restate + i].extent;
	log->window = log->restate + i < log->nr_slots ? log->restate + i : 0;
	log->writing = true;
	return true;
}

void rblk_actlog_written(struct rblk_actlog *log,
			 const struct rblk_transaction *tx, bool ok)
{
	u32 i;

	log->writing = false;
	log->failed = !ok;
	for (i = 0; i < tx->nr_updates; i++) {
		if (ok)
			log->slot[tx->update[i].slot].state = ACTIVE;
		else
			make_pending(log, tx->update[i].slot);
	}
	if (!ok)
		return;
	log->serial = tx->serial;
	log->restate = log->window;
	log->to_restate -= min_t(u32, log->to_restate, tx->nr_context);
}

bool rblk_actlog_saw(struct rblk_seen *seen, u64 gen, u64 serial)
{
	if (!serial || gen < seen->gen ||
	    (gen == seen->gen && serial <= seen->serial))
		return false;
	seen->gen = gen;
	seen->serial = serial;
	return true;
}

void rblk_actlog_next_term(struct rblk_actlog_terms *terms, u64 gen, u64 serial)
{
	if (terms->now.gen) {
		memmove(terms->past + 1, terms->past,
			sizeof(terms->past) - sizeof(terms->past[0]));
		terms->past[0] = terms->now;
		terms->past[0].serial = serial;
	}
	terms->now.gen = gen;
	terms->now.serial = serial;
}

bool rblk_actlog_is_set_back(const struct rblk_actlog_terms *terms,
			     const struct rblk_seen *seen)
{
	u32 i;

	if (!seen->serial)
		return false;
	if (seen->gen == terms->now.gen)
		return seen->serial > terms->now.serial;
	for (i = 0; i < RBLK_ONDISK_PAST; i++)
		if (seen->gen == terms->past[i].gen)
			return seen->serial > terms->past[i].serial;
	return true;
}

bool rblk_actlog_run(const u64 *serial, u32 nr_blocks, u64 *first, u64 *last)
{
	u64 newest = 0;
	u32 i;

	for (i = 0; i < nr_blocks; i++)
		if (serial[i] != RBLK_ACTLOG_DAMAGED)
			newest = max(newest, serial[i]);
	*last = newest;
	*first = newest;
	while (*first > 1 && newest - (*first - 1) < nr_blocks &&
	       serial[(*first - 1) % nr_blocks] == *first - 1)
		--*first;
	for (i = 0; i < nr_blocks; i++)
		if (serial[i] == RBLK_ACTLOG_DAMAGED &&
		    i != (newest + 1) % nr_blocks)
			return false;
	return true;
}

static void restate(struct rblk_actlog *log, u32 i, u32 extent)
{
	log->slot[i].extent = extent;
	log->slot[i].stated = true;
}

static bool is_extent(u32 extent, u32 nr_extents)
{
	return extent < nr_extents || extent == RBLK_ONDISK_NO_EXTENT;
}

bool rblk_actlog_replay(struct rblk_actlog *log,
			const struct rblk_transaction *tx, u32 nr_extents)
{
	u32 i;

	if (tx->nr_slots != log->nr_slots)
		return false;
	for (i = 0; i < tx->nr_updates; i++)
		if (!is_extent(tx->update[i].extent, nr_extents))
			return false;
	for (i = 0; i < tx->nr_context; i++)
		if (!is_extent(tx->context[i], nr_extents))
			return false;
	for (i = 0; i < tx->nr_updates; i++)
		restate(log, tx->update[i].slot, tx->update[i].extent);
	for (i = 0; i < tx->nr_context; i++)
		restate(log, tx->context_first + i, tx->context[i]);
	return true;
}

bool rblk_actlog_replayed(struct rblk_actlog *log, u64 first, u64 last)
{
	/* From the very first one on: what was not said is vacant. */
	bool complete = true;
	u32 i;

	log->serial = last;
	log->vacant = NIL;
	log->nr_vacant = 0;
	for (i = log->nr_slots; i--;) {
		struct rblk_actlog_slot *slot = &log->slot[i];

		complete &= slot->stated || first <= 1;
		if (slot->extent == RBLK_ONDISK_NO_EXTENT ||
		    find(log, slot->extent) != NIL) {
			make_vacant(log, i);
			continue;
		}
		slot->state = ACTIVE;
		hash_in(log, i);
	}
	return complete;
}

u32 rblk_actlog_next(const struct rblk_actlog *log, u32 *slot)
{
	while (*slot < log->nr_slots) {
		u32 extent = log->slot[(*slot)++].extent;

		if (extent != RBLK_ONDISK_NO_EXTENT)
			return extent;
	}
	return RBLK_ONDISK_NO_EXTENT;
}

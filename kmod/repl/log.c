// SPDX-License-Identifier: GPL-2.0
/*
 * log.c - the replication log: order, cursors, trimming.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "log.h"
#include "active.h"
#include "../fault.h"
#include "write.h"
#include "../store/pressure.h"
#include "../volume.h"

int rblk_log_init(struct rblk_log *log, u32 size, u64 max_bytes)
{
	log->ring = kvcalloc(size, sizeof(*log->ring), GFP_KERNEL);
	if (!log->ring)
		return -ENOMEM;
	spin_lock_init(&log->lock);
	log->size = size;
	log->max_bytes = max_bytes;
	log->first = 1;
	log->read_node = RBLK_MAX_NODES;
	INIT_LIST_HEAD(&log->held);
	INIT_LIST_HEAD(&log->uncopied);
	INIT_LIST_HEAD(&log->flushes);
	INIT_LIST_HEAD(&log->held_reads);
	log->gate.until_ns = RBLK_GATE_NO_LEASE_NEEDED;
	init_waitqueue_head(&log->idle);
	return 0;
}

void rblk_log_exit(struct rblk_log *log)
{
	if (log->ring)
		WARN_ON_ONCE(log->first != log->last + 1);
	kvfree(log->ring);
	log->ring = NULL;
}

void rblk_log_restart(struct rblk_log *log, u64 seq, u64 gen)
{
	lockdep_assert_held(&log->lock);
	WARN_ON_ONCE(log->first != log->last + 1);
	log->first = seq + 1;
	log->last = seq;
	log->reported = seq;
	log->gen = gen;
}

bool rblk_log_has_room(const struct rblk_log *log)
{
	lockdep_assert_held(&log->lock);
	return log->last + 1 - log->first < log->size &&
	       log->copied_bytes < log->max_bytes;
}

/* The peers that have everything up to @seq for good. */
static u16 durable_at(const struct rblk_log *log, u64 seq)
{
	unsigned long streaming = log->streaming;
	u16 peers = 0;
	int node;

	for_each_set_bit(node, &streaming, RBLK_MAX_NODES)
		if (log->cursor[node].durable >= seq)
			peers |= BIT(node);
	return peers;
}

void rblk_log_append(struct rblk_log *log, struct rblk_write *write)
{
	lockdep_assert_held(&log->lock);
	write->seq = ++log->last;
	write->dep = log->reported;
	write->gen = log->gen;
	write->admit_ns = ktime_get_ns();
	log->ring[write->seq & (log->size - 1)] = write;
	log->nr_incomplete++;
	if (write->op == RBLK_OP_FLUSH) {
		write->state.covered = durable_at(log, write->dep);
		list_add_tail(&write->flush_link, &log->flushes);
	}
}

struct rblk_write *rblk_log_find(const struct rblk_log *log, u64 seq)
{
	lockdep_assert_held(&log->lock);
	if (seq < log->first || seq > log->last)
		return NULL;
	return log->ring[seq & (log->size - 1)];
}

struct rblk_write *rblk_log_next(struct rblk_log *log, u8 node, u64 *dep)
{
	struct rblk_cursor *cursor = &log->cursor[node];
	struct rblk_write *write;

	lockdep_assert_held(&log->lock);
	if (!(log->streaming & BIT(node)))
		return NULL;
	write = rblk_log_find(log, cursor->next);
	if (!write)
		return NULL;
	cursor->next++;
	cursor->sent_bytes += write->iter.bi_size;
	/* What the peer has applied already need not be waited for there. */
	*dep = min(write->dep, cursor->missed);
	if (rblk_fault(RBLK_FAULT_NO_DEP_SENT))
		*dep = 0;
	return write;
}

u16 rblk_log_idle_peers(const struct rblk_log *log)
{
	unsigned long waited = log->policy.wait_received |
			       log->policy.wait_applied;
	u16 idle = 0;
	int node;

	lockdep_assert_held(&log->lock);
	waited &= log->streaming;
	for_each_set_bit(node, &waited, RBLK_MAX_NODES) {
		if (log->cursor[node].received + 1 == log->cursor[node].next)
			idle |= BIT(node);
	}
	return idle;
}

/* The lowest seq that some handshake still needs. */
static u64 retained_from(const struct rblk_log *log)
{
	u64 seq = U64_MAX;
	int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (log->cursor[i].retain)
			seq = min(seq, log->cursor[i].retain);
	return seq;
}

/* Whom completions wait for follows from who streams and how. */
static void update_must_copy(struct rblk_log *log)
{
	u16 retaining = 0;
	int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (log->cursor[i].retain)
			retaining |= BIT(i);
	log->must_copy = retaining || log->keeping ||
		(log->stable_data && log->streaming) ||
		rblk_ackpolicy_must_copy(&log->policy, log->streaming);
	if (rblk_fault(RBLK_FAULT_NO_COPY))
		log->must_copy = false;
}

/* Who is waited for, and whether those are enough for new writes. */
static void choose(struct rblk_log *log)
{
	rblk_ackpolicy_choose(&log->policy, &log->peers);
	if (rblk_fault(RBLK_FAULT_NO_WAIT)) {
		log->policy.wait_received = 0;
		log->policy.wait_applied = 0;
	}
	log->gate.too_few = rblk_ackpolicy_is_too_few(&log->policy);
	update_must_copy(log);
}

static void stop_keeping(struct rblk_log *log, u16 peers)
{
	unsigned long mask = peers;
	int node;

	for_each_set_bit(node, &mask, RBLK_MAX_NODES)
		log->cursor[node].keep = 0;
	log->keeping &= ~peers;
	update_must_copy(log);
}

/* The data is ours, not the application's. */
static bool has_data(const struct rblk_write *write)
{
	return write->op != RBLK_OP_WRITE || write->copy || write->kept;
}

u64 rblk_log_holds_from(const struct rblk_log *log)
{
	u64 seq = log->last + 1;

	lockdep_assert_held(&log->lock);
	while (seq > log->first && has_data(rblk_log_find(log, seq - 1)))
		seq--;
	return seq;
}

void rblk_log_keep(struct rblk_log *log, u8 node, u64 seq)
{
	struct rblk_cursor *cursor = &log->cursor[node];
	u64 from = max(seq, rblk_log_holds_from(log));

	lockdep_assert_held(&log->lock);
	/* What it received it will have applied, unless it crashes. */
	if (log->gate.draining || rblk_pressure_is_on() ||
	    from > max(seq, cursor->received + 1))
		return;
	cursor->keep = from;
	log->keeping |= BIT(node);
	update_must_copy(log);
}

void rblk_log_set_protocol(struct rblk_log *log, u8 node, u8 protocol)
{
	u16 bit = BIT(node);

	lockdep_assert_held(&log->lock);
	log->peers.sent &= ~bit;
	log->peers.received &= ~bit;
	log->peers.applied &= ~bit;
	if (protocol == 'A')
		log->peers.sent |= bit;
	else if (protocol == 'B')
		log->peers.received |= bit;
	else if (protocol == 'C')
		log->peers.applied |= bit;
	choose(log);
}

void rblk_log_set_in_sync(struct rblk_log *log, u16 nodes)
{
	lockdep_assert_held(&log->lock);
	log->peers.in_sync = nodes;
	choose(log);
}

void rblk_log_set_min_in_sync(struct rblk_log *log, u8 min)
{
	lockdep_assert_held(&log->lock);
	log->policy.min = min;
	choose(log);
}

void rblk_log_know(struct rblk_log *log, u8 node, struct rblk_lack *lack)
{
	lockdep_assert_held(&log->lock);
	log->lack[node] = lack;
	if (lack) {
		log->known |= BIT(node);
		/* Entries that are in the log now will be remembered. */
		if (log->gate.primary)
			rblk_lack_forget(lack, log->first - 1);
	} else {
		log->known &= ~BIT(node);
		log->peers.copied &= ~BIT(node);
		rblk_log_set_protocol(log, node, 0);
		stop_keeping(log, BIT(node));
		memset(&log->cursor[node], 0, sizeof(log->cursor[node]));
	}
}

void rblk_log_forget(struct rblk_log *log)
{
	lockdep_assert_held(&log->lock);
	stop_keeping(log, log->keeping);
}

void rblk_log_remember_rest(struct rblk_log *log, u8 node, u64 seq)
{
	const struct rblk_extent *extent;
	u64 i;

	lockdep_assert_held(&log->lock);
	for (i = max(log->first, seq + 1); i <= log->last; i++) {
		struct rblk_write *write = rblk_log_find(log, i);

		extent = &write->range.extent;
		rblk_lack_missed(log->lack[node], write->volume->id,
				 extent->sector, extent->nr_sects, i);
	}
}

/* Who streams may use at least half of the log. */
static bool is_crowded(const struct rblk_log *log)
{
	return log->last + 1 - log->first > log->size / 2 ||
	       log->copied_bytes > log->max_bytes / 2;
}

/* The peers, of those that are away, that @seq is kept for. */
static u16 kept_for(const struct rblk_log *log, u64 seq)
{
	unsigned long keeping = log->keeping;
	u16 peers = 0;
	int node;

	for_each_set_bit(node, &keeping, RBLK_MAX_NODES)
		if (log->cursor[node].keep <= seq)
			peers |= BIT(node);
	return peers;
}

/* An entry leaves: remember which peers may not have it, or may lose it. */
static void remember(struct rblk_log *log, const struct rblk_write *write)
{
	const struct rblk_extent *extent = &write->range.extent;
	unsigned long known = log->known;
	int node;

	for_each_set_bit(node, &known, RBLK_MAX_NODES) {
		if (write->state.applied & BIT(node))
			rblk_lack_applied(log->lack[node], write->volume->id,
					  extent->sector, extent->nr_sects,
					  write->seq);
		else
			rblk_lack_missed(log->lack[node], write->volume->id,
					 extent->sector, extent->nr_sects,
					 write->seq);
	}
}

static void note_recorded(struct rblk_log *log)
{
	unsigned long streaming = log->streaming & log->known;
	int node;

	for_each_set_bit(node, &streaming, RBLK_MAX_NODES)
		rblk_lack_recorded(log->lack[node],
				   log->cursor[node].recorded);
}

bool rblk_log_trim(struct rblk_log *log, struct list_head *freed)
{
	u64 was = log->first;
	u64 retained = retained_from(log);
	struct rblk_write *write;
	u16 kept;

	lockdep_assert_held(&log->lock);
	note_recorded(log);
	while (log->first <= log->last && log->first < retained) {
		write = log->ring[log->first & (log->size - 1)];
		if (!write->reported || log->streaming & ~write->state.applied)
			break;
		kept = kept_for(log, log->first);
		if (kept && !is_crowded(log))
			break;
		if (kept)
			stop_keeping(log, kept);
		remember(log, write);
		rblk_active_leave(write);
		log->ring[log->first & (log->size - 1)] = NULL;
		log->first++;
		if (write->reserved)
			log->copied_bytes -= write->iter.bi_size;
		/* What a device still has is freed when it ends. */
		write->left = write->orphan;
		if (!write->left)
			list_add_tail(&write->link, freed);
	}
	return log->first != was;
}

u64 rblk_log_retain(struct rblk_log *log, u8 node)
{
	lockdep_assert_held(&log->lock);
	log->cursor[node].retain = log->last + 1;
	update_must_copy(log);
	return log->last;
}

void rblk_log_release(struct rblk_log *log, u8 node)
{
	lockdep_assert_held(&log->lock);
	log->cursor[node].retain = 0;
	update_must_copy(log);
}

void rblk_log_set_acks(struct rblk_log *log, u8 acks)
{
	lockdep_assert_held(&log->lock);
	log->policy.acks = acks;
	update_must_copy(log);
}

void rblk_log_stream(struct rblk_log *log, u8 node, u64 seq)
{
	struct rblk_cursor *cursor = &log->cursor[node];
	struct rblk_write *write;
	u64 i;

	lockdep_assert_held(&log->lock);
	cursor->next = seq + 1;
	WRITE_ONCE(cursor->handed, seq);
	cursor->received = seq;
	cursor->applied = seq;
	cursor->durable = 0; /* its first acknowledgment says */
	cursor->recorded = 0;
	/* Whatever was reported meanwhile, this peer does not have yet. */
	cursor->missed = log->reported;
	cursor->retain = 0;
	cursor->keep = 0;
	log->keeping &= ~BIT(node);
	cursor->sent_bytes = 0;
	cursor->acked_bytes = 0;
	/* What it had of the others before, it may have lost since. */
	for (i = log->first; i <= log->last; i++) {
		write = rblk_log_find(log, i);
		write->state.received &= ~BIT(node);
		write->state.applied &= ~BIT(node);
		write->state.covered &= ~BIT(node);
		if (i > seq)
			continue;
		write->state.received |= BIT(node);
		write->state.applied |= BIT(node);
	}
	log->streaming |= BIT(node);
	log->policy.level &= ~BIT(node);
	log->peers.joined &= ~BIT(node);
	choose(log);
}

void rblk_log_join(struct rblk_log *log, u8 node)
{
	lockdep_assert_held(&log->lock);
	WARN_ON_ONCE(!(log->streaming & BIT(node)));
	log->peers.joined |= BIT(node);
	log->peers.copied &= ~BIT(node);
	choose(log);
}

bool rblk_log_has_joined(const struct rblk_log *log, u8 node)
{
	lockdep_assert_held(&log->lock);
	return log->peers.joined & BIT(node);
}

void rblk_log_copy(struct rblk_log *log, u8 node)
{
	lockdep_assert_held(&log->lock);
	log->peers.copied |= BIT(node);
	choose(log);
}

void rblk_log_is_consistent(struct rblk_log *log, u8 node)
{
	lockdep_assert_held(&log->lock);
	log->peers.copied &= ~BIT(node);
	choose(log);
}

bool rblk_log_has_all(const struct rblk_log *log, u8 node)
{
	const struct rblk_cursor *cursor = &log->cursor[node];
	bool in_memory = log->peers.received & BIT(node);

	lockdep_assert_held(&log->lock);
	if (log->policy.acks &&
	    log->policy.acks + 1U < rblk_ackpolicy_nodes(&log->policy))
		return true;
	return (in_memory ? cursor->received : cursor->applied) >=
	       cursor->missed;
}

void rblk_log_set_level(struct rblk_log *log, u8 node)
{
	lockdep_assert_held(&log->lock);
	WARN_ON_ONCE(!(log->streaming & BIT(node)));
	log->policy.level |= BIT(node);
}

void rblk_log_unstream(struct rblk_log *log, u8 node)
{
	lockdep_assert_held(&log->lock);
	log->streaming &= ~BIT(node);
	log->policy.level &= ~BIT(node);
	log->cursor[node].retain = 0;
	log->peers.joined &= ~BIT(node);
	choose(log);
}

void rblk_log_set_stable_data(struct rblk_log *log, bool stable)
{
	lockdep_assert_held(&log->lock);
	log->stable_data = stable;
	update_must_copy(log);
}

/* Operations whose local leg has ended, and that only @by lets be reported. */
static u64 count_unreported(const struct rblk_log *log, bool leased,
			    enum rblk_held_by *by)
{
	u16 waited = log->policy.wait_received | log->policy.wait_applied;
	bool absent = waited & ~log->streaming;
	const struct rblk_write *write;
	u64 count = 0, seq;

	*by = !leased ? RBLK_HELD_BY_LEASE :
	      log->gate.too_few ? RBLK_HELD_BY_MIN_IN_SYNC :
				  RBLK_HELD_BY_IN_SYNC;
	if (leased && !absent && !log->gate.too_few)
		return 0;
	for (seq = log->first; seq <= log->last; seq++) {
		write = rblk_log_find(log, seq);
		if (write->reported)
			continue;
		if (leased ? rblk_ackpolicy_is_stuck(&log->policy,
						     &write->state,
						     log->streaming) :
			     write->state.local != RBLK_LOCAL_PENDING)
			count++;
	}
	return count;
}

u64 rblk_log_held(const struct rblk_log *log, enum rblk_held_by *by)
{
	bool leased = rblk_log_lease(log) == RBLK_GATE_PASS;
	u64 unreported = count_unreported(log, leased, by);

	lockdep_assert_held(&log->lock);
	if (log->gate.suspended)
		*by = RBLK_HELD_BY_SUSPEND;
	else if (log->gate.settling)
		*by = RBLK_HELD_BY_PROMOTION;
	else if (!leased || unreported)
		; /* see count_unreported() */
	else if (log->gate.too_few)
		*by = RBLK_HELD_BY_MIN_IN_SYNC;
	else if (!rblk_log_has_room(log))
		*by = RBLK_HELD_BY_LOG;
	else if (list_empty(&log->held))
		*by = RBLK_HELD_BY_RANGE; /* they are in that range's list */
	else
		*by = RBLK_HELD_BY_ACTIVITY;
	return log->nr_held + unreported;
}

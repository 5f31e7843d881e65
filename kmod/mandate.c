// SPDX-License-Identifier: GPL-2.0
/*
 * mandate.c - what user space lets a primary do: its lease and its in-sync set.
 */
#include <linux/netlink.h>

#include "peer.h"
#include "resource.h"
#include "mandate.h"
#include "repl/lease.h"
#include "repl/link.h"
#include "repl/write.h"

void rblk_mandate_get_locked(const struct rblk_resource *res,
			     struct rblk_mandate *mandate)
{
	const struct rblk_log *log = &res->log;

	lockdep_assert_held(&log->lock);
	*mandate = (struct rblk_mandate){
		.leased = log->gate.leased,
		.lease_error = log->gate.lease_error,
		.min_in_sync = log->policy.min,
		.min_in_sync_error = log->gate.too_few_error,
		.lease_ns = log->gate.lease_ns,
		.in_sync = log->peers.in_sync,
	};
}

void rblk_mandate_get(struct rblk_resource *res, struct rblk_mandate *mandate)
{
	lockdep_assert_held(&res->conf);
	spin_lock_irq(&res->log.lock);
	rblk_mandate_get_locked(res, mandate);
	spin_unlock_irq(&res->log.lock);
}

int rblk_mandate_check(const struct rblk_resource *res,
		       const struct rblk_mandate *mandate,
		       struct netlink_ext_ack *extack)
{
	int i;

	lockdep_assert_held(&res->conf);
	if (!mandate->in_sync)
		return 0;
	if (!(mandate->in_sync & BIT(res->node_id))) {
		NL_SET_ERR_MSG(extack, "the in-sync set lacks this node");
		return -EINVAL;
	}
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		if (!(mandate->in_sync & BIT(i)) || i == res->node_id ||
		    res->peer[i])
			continue;
		NL_SET_ERR_MSG(extack, "a node of the in-sync set is no peer");
		return -EINVAL;
	}
	return 0;
}

static void set_until_locked(struct rblk_resource *res)
{
	struct rblk_gate *gate = &res->log.gate;

	lockdep_assert_held(&res->log.lock);
	WRITE_ONCE(gate->until_ns, rblk_gate_needs_until(gate));
}

void rblk_mandate_init_locked(struct rblk_resource *res,
			      const struct rblk_mandate *mandate)
{
	struct rblk_log *log = &res->log;

	lockdep_assert_held(&log->lock);
	log->gate.leased = mandate->leased;
	WRITE_ONCE(log->gate.lease_error, mandate->lease_error);
	log->gate.lease_ns = mandate->lease_ns;
	log->gate.too_few_error = mandate->min_in_sync_error;
	set_until_locked(res);
	rblk_log_set_in_sync(log, mandate->in_sync);
	rblk_log_set_min_in_sync(log, mandate->min_in_sync);
}

/*
 * Of nodes that were taken out of the set, those that an operation cannot end
 * without: its pages are the application's, and on their way to them.
 */
static u16 find_holders_locked(struct rblk_log *log, u16 left)
{
	const struct rblk_write *write;
	u16 holders = 0;
	u64 seq;

	lockdep_assert_held(&log->lock);
	left &= log->streaming;
	for (seq = log->first; left && seq <= log->last; seq++) {
		write = rblk_log_find(log, seq);
		if (!write->reported && write->op == RBLK_OP_WRITE &&
		    !write->copy)
			holders |= left & ~write->state.received;
	}
	return holders;
}

/* Writes were reported without them: with these they are up to date. */
static void catch_up_locked(struct rblk_resource *res, u16 added)
{
	struct rblk_log *log = &res->log;
	unsigned long nodes = added & log->streaming;
	struct rblk_peer *peer;
	int node;

	lockdep_assert_held(&log->lock);
	for_each_set_bit(node, &nodes, RBLK_MAX_NODES) {
		peer = res->peer[node];
		if (!rblk_log_has_joined(log, node) || peer->resync.active ||
		    rblk_log_has_all(log, node))
			continue;
		peer->repl = RBLK_REPL_CATCHUP;
		WRITE_ONCE(peer->join_seq, log->cursor[node].missed);
	}
}

static void end_links(struct rblk_resource *res, u16 peers)
{
	unsigned long nodes = peers;
	int node;

	for_each_set_bit(node, &nodes, RBLK_MAX_NODES)
		rblk_link_fail(res->peer[node],
			       "taken out of the in-sync set with writes on their way");
}

/* Is it news? A renewal of the lease is none. */
static bool differs(const struct rblk_mandate *a, const struct rblk_mandate *b)
{
	return a->leased != b->leased || a->lease_error != b->lease_error ||
	       a->min_in_sync != b->min_in_sync ||
	       a->min_in_sync_error != b->min_in_sync_error ||
	       a->in_sync != b->in_sync;
}

void rblk_mandate_set(struct rblk_resource *res,
		      const struct rblk_mandate *mandate)
{
	struct rblk_log *log = &res->log;
	struct rblk_mandate was;
	bool changed, resumed;
	u16 holders = 0;
	u64 until_ns;

	lockdep_assert_held(&res->conf);
	rblk_mandate_get(res, &was);
	spin_lock_irq(&log->lock);
	until_ns = log->gate.until_ns;
	rblk_mandate_init_locked(res, mandate);
	resumed = log->lease_missed && rblk_log_lease(log) == RBLK_GATE_PASS;
	if (resumed)
		log->lease_missed = false;
	if (mandate->in_sync) {
		catch_up_locked(res, mandate->in_sync & ~was.in_sync);
		holders = find_holders_locked(log,
					      was.in_sync & ~mandate->in_sync);
	}
	spin_unlock_irq(&log->lock);

	changed = differs(&was, mandate);
	if (changed || resumed) {
		rblk_write_rejudge(res);
		queue_work(res->wq, &res->read_work);
	}
	end_links(res, holders);
	if (log->gate.until_ns < until_ns)
		rblk_lease_sync();
	if (resumed)
		res->notify->resource(res, "a new lease: requests go on");
	else if (changed)
		res->notify->resource(res, "in-sync set or lease changed");
}

void rblk_mandate_begin_locked(struct rblk_resource *res,
			       const struct rblk_mandate *mandate)
{
	struct rblk_log *log = &res->log;

	lockdep_assert_held(&log->lock);
	log->gate.primary = true;
	log->peers.copied = 0;
	log->lease_missed = false;
	log->first_write_ns = 0;
	rblk_mandate_init_locked(res, mandate);
}

void rblk_mandate_end_locked(struct rblk_resource *res)
{
	struct rblk_log *log = &res->log;

	lockdep_assert_held(&log->lock);
	log->gate.primary = false;
	log->gate.draining = false;
	log->gate.forced = false;
	log->gate.suspended = false;
	log->gate.lease_ns = 0;
	set_until_locked(res);
	rblk_log_set_in_sync(log, 0);
}

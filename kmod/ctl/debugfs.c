// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs.c - the answer to "why does my write hang?".
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "debugfs.h"
#include "../peer.h"
#include "../resource.h"
#include "../stats.h"
#include "../volume.h"
#include "../repl/write.h"

#define SHOWN_MAX	128	/* operations in one listing: the oldest */

static struct dentry *top;

static const char * const op_names[__RBLK_OP_END] = {
	[RBLK_OP_WRITE] = "write",
	[RBLK_OP_DISCARD] = "discard",
	[RBLK_OP_WRITE_ZEROES] = "zeroes",
	[RBLK_OP_FLUSH] = "flush",
};

static const char * const stage_names[RBLK_NR_STAGES] = {
	[RBLK_STAGE_LOCAL] = "local",
	[RBLK_STAGE_SENT] = "sent",
	[RBLK_STAGE_RECEIVED] = "received",
	[RBLK_STAGE_APPLIED] = "applied",
	[RBLK_STAGE_COMPLETE] = "complete",
};

/* An operation at one moment. */
struct shown {
	u64 seq;
	u64 sector;
	u64 age_ns;
	u32 bytes;
	u32 blocked;
	u16 awaited;
	u8 volume;
	u8 op;
	bool local;
	bool reported;
};

/* The peers that @write waits for: to report it, or then to forget it. */
static u16 awaited_peers(const struct rblk_log *log,
			 const struct rblk_write *write)
{
	u16 applied = log->policy.wait_applied;
	u16 received = log->policy.wait_received;

	if (write->reported)
		return log->streaming & ~write->state.applied;
	if (write->state.durable) {
		applied |= received;
		received = 0;
	}
	return (applied & ~(write->state.applied | write->state.covered)) |
	       (received & ~write->state.received);
}

static void show_one_locked(const struct rblk_log *log,
			    const struct rblk_write *write, struct shown *shown)
{
	const struct list_head *waiter;

	shown->seq = write->seq;
	shown->sector = write->iter.bi_sector;
	shown->bytes = write->iter.bi_size;
	shown->age_ns = ktime_get_ns() - write->admit_ns;
	shown->volume = write->volume->id;
	shown->op = write->op;
	shown->local = write->state.local == RBLK_LOCAL_PENDING;
	shown->reported = write->reported;
	shown->awaited = awaited_peers(log, write);
	shown->blocked = 0;
	list_for_each(waiter, &write->range.waiters)
		shown->blocked++;
}

static void print_one(struct seq_file *m, struct rblk_resource *res,
		      const struct shown *shown)
{
	unsigned long awaited = shown->awaited;
	struct rblk_peer *peer;
	int node;

	seq_printf(m, "seq %llu volume %u %s sector %llu bytes %u age_us %llu waits for:",
		   shown->seq, shown->volume, op_names[shown->op],
		   shown->sector, shown->bytes,
		   div_u64(shown->age_ns, NSEC_PER_USEC));
	if (shown->local)
		seq_puts(m, " local-disk");
	rcu_read_lock();
	for_each_set_bit(node, &awaited, RBLK_MAX_NODES) {
		peer = READ_ONCE(res->peer[node]);
		if (peer)
			seq_printf(m, " %s", peer->name);
	}
	rcu_read_unlock();
	if (shown->reported)
		seq_puts(m, " (complete; kept for them)");
	if (shown->blocked)
		seq_printf(m, " (holds %u behind it: same blocks)",
			   shown->blocked);
	seq_putc(m, '\n');
}

static const char * const held_by[] = {
	[RBLK_HELD_BY_SUSPEND] = "I/O is suspended",
	[RBLK_HELD_BY_PROMOTION] = "a promotion waits for its peers",
	[RBLK_HELD_BY_LOG] = "the log is full",
	[RBLK_HELD_BY_RANGE] = "the same blocks are in flight",
	[RBLK_HELD_BY_ACTIVITY] = "the activity log is written first",
	[RBLK_HELD_BY_LEASE] = "the lease has run out",
	[RBLK_HELD_BY_IN_SYNC] = "a node of the in-sync set is away",
	[RBLK_HELD_BY_MIN_IN_SYNC] = "too few nodes are in sync",
};

static int in_flight_show(struct seq_file *m, void *unused)
{
	struct rblk_resource *res = m->private;
	struct rblk_log *log = &res->log;
	struct shown *shown;
	enum rblk_held_by reason;
	u32 i, n = 0, ops;
	u64 held, seq;

	shown = kcalloc(SHOWN_MAX, sizeof(*shown), GFP_KERNEL);
	if (!shown)
		return -ENOMEM;
	spin_lock_irq(&log->lock);
	ops = log->last + 1 - log->first;
	held = rblk_log_held(log, &reason);
	for (seq = log->first; seq <= log->last && n < SHOWN_MAX; seq++)
		show_one_locked(log, rblk_log_find(log, seq), &shown[n++]);
	spin_unlock_irq(&log->lock);

	seq_printf(m, "in the log: %u, held: %llu", ops, held);
	if (held)
		seq_printf(m, " (%s)", held_by[reason]);
	seq_putc(m, '\n');
	for (i = 0; i < n; i++)
		print_one(m, res, &shown[i]);
	if (ops > n)
		seq_printf(m, "and %u younger ones\n", ops - n);
	kfree(shown);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(in_flight);

static int latency_show(struct seq_file *m, void *unused)
{
	struct rblk_resource *res = m->private;
	u64 sum[RBLK_LATENCY_BUCKETS];
	int stage, bucket, used;

	seq_puts(m, "# stage below_ns count: since admission, in powers of two\n");
	for (stage = 0; stage < RBLK_NR_STAGES; stage++) {
		used = rblk_latency_sum(res->latency, stage, sum);
		for (bucket = 0; bucket < used; bucket++)
			if (sum[bucket])
				seq_printf(m, "%s %llu %llu\n",
					   stage_names[stage], 1ULL << bucket,
					   sum[bucket]);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

void rblk_debugfs_init(void)
{
	top = debugfs_create_dir("rblk", NULL);
}

void rblk_debugfs_exit(void)
{
	debugfs_remove_recursive(top);
}

void rblk_debugfs_add(struct rblk_resource *res)
{
	char name[RBLK_NAME_SIZE + 12];

	/* Resources of two namespaces may have one name. */
	snprintf(name, sizeof(name), "%u-%s", res->net->ns.inum, res->name);
	res->debugfs = debugfs_create_dir(name, top);
	debugfs_create_file("in_flight", 0400, res->debugfs, res,
			    &in_flight_fops);
	debugfs_create_file("latency", 0400, res->debugfs, res, &latency_fops);
}

void rblk_debugfs_remove(struct rblk_resource *res)
{
	debugfs_remove_recursive(res->debugfs);
	res->debugfs = NULL;
}

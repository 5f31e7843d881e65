// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_safe.c - can this failover be safe, and will it ever happen
 */
#include "config_build.h"

#include "text.h"

#include <string.h>

/* Nodes that a write waits for when they are backups. */
static uint16_t synchronous(const struct rblk_config_resource *r)
{
	uint16_t nodes = 0;
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if ((r->members & (1U << i)) && r->protocol[i] != 'A')
			nodes |= 1U << i;
	return nodes;
}

/*
 * Of two voters neither is more than half: one can go on alone only if it knows
 * that the other is off.
 */
static void check_two(struct rblk_config *c,
		      const struct rblk_config_resource *r)
{
	size_t i;

	for (i = 0; i < c->nodes_n; i++) {
		const struct rblk_config_node *n = &c->nodes[i];

		if (!(r->members & (1U << n->id)) || n->fences_n)
			continue;
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &r->failover.pos,
			       "failover = auto is not safe with two nodes of which none can be sure that the other is off: add a node with 'witness = yes', or a fence section to node \"%s\" (agent = manual: a person confirms)",
			       n->name);
		return;
	}
}

/* With fewer than all, copies are counted: of those that a write waits for. */
static void check_acks(struct rblk_config *c, const struct rblk_config_resource *r)
{
	int backups = __builtin_popcount(synchronous(r)) - 1;

	if (!r->acks || r->acks >= backups)
		return;
	if (synchronous(r) != r->members)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &r->acks_pos,
			       "failover = auto with acks = %u counts the nodes that have a write, and protocol A towards some of resource \"%s\" has it wait for none of them; use acks = all, or protocol B or C towards all",
			       r->acks, r->name);
	else if (r->failover.min_in_sync > r->acks + 1)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &r->failover.min_in_sync_pos,
			       "min-in-sync = %u with acks = %u: a write would be on fewer nodes, this one and %u more; resource \"%s\" needs acks = all, or %u at least",
			       r->failover.min_in_sync, r->acks, r->acks, r->name,
			       r->failover.min_in_sync - 1);
}

static void check_voters(struct rblk_config *c,
			 const struct rblk_config_resource *r)
{
	unsigned int data = __builtin_popcount(r->members);
	unsigned int voters = __builtin_popcount(r->members | r->witnesses);

	if (data < 2) {
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &r->failover.pos,
			       "failover = auto needs two nodes with the data; resource \"%s\" has %u",
			       r->name, data);
		return;
	}
	check_acks(c, r);
	if (!synchronous(r))
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &r->failover.pos,
			       "failover = auto with protocol A alone would lose acknowledged writes; use B or C, towards one node at least");
	if (voters == 2 && r->failover.arbiter == RBLK_CONFIG_BUILTIN)
		check_two(c, r);
}

/*
 * A lease that outlasts the detection delays the failover by as much; one that
 * a lost heartbeat ends stops a primary that is well.
 */
static void check_lease(struct rblk_config *c,
			const struct rblk_config_failover *f)
{
	uint32_t detect = rblk_config_detect_ms(c);
	char lease[24], margin[24], found[24], two[24];

	rblk_text_config_duration(lease, sizeof(lease), f->lease_ms);
	rblk_text_config_duration(margin, sizeof(margin), f->margin_ms);
	rblk_text_config_duration(found, sizeof(found), detect);
	rblk_text_config_duration(two, sizeof(two), 2 * c->beat_ms);
	if (f->lease_ms + f->margin_ms > detect)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &f->lease_pos,
			       "a lease of %s and its margin of %s outlast the %s (interval x misses of heartbeat) in which a failure is found: nobody could be promoted then; shorten the lease, or find failures later",
			       lease, margin, found);
	else if (f->lease_ms < 2 * c->beat_ms)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &f->lease_pos,
			       "a lease of %s ends when one heartbeat is lost; it needs two intervals at least, %s",
			       lease, two);
	if (f->margin_ms < f->lease_ms / 100)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &f->margin_pos,
			       "two clocks may part by more than a lease-margin of %s in a lease of %s; it needs a hundredth of that at least, and should have a fifth",
			       margin, lease);
}

static void check_min_in_sync(struct rblk_config *c,
			      const struct rblk_config_resource *r)
{
	unsigned int data = __builtin_popcount(r->members);
	unsigned int most = __builtin_popcount(synchronous(r));

	if (r->failover.min_in_sync > data)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR,
			       &r->failover.min_in_sync_pos,
			       "min-in-sync = %u needs that many nodes with the data; resource \"%s\" has %u",
			       r->failover.min_in_sync, r->name, data);
	else if (r->failover.min_in_sync > (most ? most : 1))
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR,
			       &r->failover.min_in_sync_pos,
			       "min-in-sync = %u needs that many nodes of protocol B or C; resource \"%s\" has %u",
			       r->failover.min_in_sync, r->name, most);
}

static void check_successors(struct rblk_config *c,
			     const struct rblk_config_resource *r)
{
	const struct rblk_config_failover *f = &r->failover;
	uint16_t seen = 0;
	size_t i;

	for (i = 0; i < f->successors_n; i++) {
		unsigned int id = f->successors[i];
		const struct rblk_config_node *n = rblk_config_node_by_id(c, id);
		const char *wrong = NULL;

		if (n->witness)
			wrong = "is a witness: it holds no data";
		else if (!(r->members & (1U << id)))
			wrong = "is not among the nodes of this resource";
		else if (r->protocol[id] == 'A')
			wrong = "gets its data by protocol A: it may lack acknowledged writes";
		else if (seen & (1U << id))
			wrong = "is in the list twice";
		if (wrong)
			rblk_diags_add(&c->diags, RBLK_DIAG_ERROR,
				       &f->successors_pos[i],
				       "successor \"%s\" %s", n->name, wrong);
		seen |= 1U << id;
	}
}

/* Two networks are so only where both ends have them. A witness may have one. */
static void check_networks(struct rblk_config *c)
{
	bool used = false;
	size_t i;

	for (i = 0; i < c->nodes_n; i++)
		used |= c->nodes[i].address2 != NULL;
	for (i = 0; used && i < c->nodes_n; i++)
		if (!c->nodes[i].address2 && !c->nodes[i].witness)
			rblk_diags_add(&c->diags, RBLK_DIAG_WARNING,
				       &c->nodes[i].pos,
				       "node \"%s\" has no address-2: heartbeats to it use one network",
				       c->nodes[i].name);
}

static void check_etcd(struct rblk_config *c)
{
	bool used = false;
	size_t i;

	for (i = 0; i < c->resources_n; i++) {
		const struct rblk_config_failover *f = &c->resources[i].failover;

		if (!f->automatic || f->arbiter != RBLK_CONFIG_ETCD)
			continue;
		used = true;
		if (!c->etcd.endpoints_n)
			rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &f->arbiter_pos,
				       "arbiter = etcd needs to know where it is (such as: etcd { endpoints = { \"https://10.0.0.5:2379\" } })");
	}
	if (!used && c->etcd.endpoints_n)
		rblk_diags_add(&c->diags, RBLK_DIAG_WARNING, &c->etcd.pos,
			       "etcd is of no use: no resource has arbiter = etcd");
}

/*
 * Others wait for a lease and its margin from when it was asked for last, which is
 * up to an interval before the watchdog last got a sign of life. Of the resources
 * that the node may be primary of the shortest counts.
 */
uint32_t rblk_config_watchdog_seconds(const struct rblk_config *c,
				      const struct rblk_config_node *n)
{
	uint32_t ms = 0, left;
	size_t i;

	for (i = 0; i < c->resources_n; i++) {
		const struct rblk_config_resource *r = &c->resources[i];

		if (!rblk_config_decides(r) || !(r->members & (1U << n->id)))
			continue;
		left = r->failover.lease_ms + r->failover.margin_ms - c->beat_ms;
		if (!ms || left < ms)
			ms = left;
	}
	return ms / 1000;
}

static void check_watchdog(struct rblk_config *c, const struct rblk_config_node *n)
{
	bool leased = false;
	size_t i;

	for (i = 0; i < c->resources_n; i++)
		leased |= rblk_config_decides(&c->resources[i]) &&
			  c->resources[i].members & (1U << n->id);
	if (!leased)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &n->watchdog_pos,
			       "'watchdog' does nothing on node \"%s\": no resource there has a lease (failover = auto, and not arbiter = external)",
			       n->name);
	else if (!rblk_config_watchdog_seconds(c, n))
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &n->watchdog_pos,
			       "a watchdog counts in seconds, and another node may be promoted earlier: 'watchdog' needs lease and lease-margin together one second longer than the heartbeat's interval");
}

void rblk_config_check_failover(struct rblk_config *config)
{
	size_t i;

	check_networks(config);
	check_etcd(config);
	for (i = 0; i < config->nodes_n; i++)
		if (config->nodes[i].watchdog)
			check_watchdog(config, &config->nodes[i]);
	for (i = 0; i < config->resources_n; i++) {
		const struct rblk_config_resource *r = &config->resources[i];

		if (!r->failover.automatic)
			continue;
		/* whoever decides: a node that may lack writes must not be promoted */
		check_voters(config, r);
		if (!rblk_config_decides(r))
			continue;
		check_lease(config, &r->failover);
		check_min_in_sync(config, r);
		check_successors(config, r);
	}
}

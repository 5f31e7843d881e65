// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel.c - what the simulator takes for the module: who may complete what when, which
 * operations a node has, and what a connection leads to
 *
 * Whether a request may come in and may be reported the module's own core decides
 * (kmod/core: gate.h, ackpolicy.c).
 *
 * A node's data is the list of the writes that it holds, in their order. A power cut
 * cuts the list off, but not below what was flushed.
 */
#include "sim.h"

#include "ackpolicy.h"
#include "gate.h"

#include <string.h>

/* A broken TCP connection is noticed after that. */
#define LINK_TIMEOUT	(250 * MS)

static struct kernel *kernel_of(struct world *w, uint8_t node)
{
	return &w->node[node].kernel;
}

static uint64_t wire(struct world *w)
{
	return 100 + random_below(w, 900);
}

static uint64_t wire_to(struct world *w, uint8_t from, uint8_t to)
{
	return wire(w) + (w->slow[from][to] ? random_below(w, 150 * MS) : 0);
}

static uint64_t disk(struct world *w, uint8_t node)
{
	if (w->now < w->node[node].slow_until)
		return random_below(w, 900 * MS);
	return 50 + random_below(w, 2 * MS);
}

/* The module's gate, as it stands there. */
static struct rblk_gate gate_of(const struct world *w, uint8_t node)
{
	const struct kernel *k = &w->node[node].kernel;
	struct rblk_gate gate = {
		.primary = k->primary, .leased = k->leased,
		.lease_ns = k->lease_until_ms * 1000000,
		.too_few = __builtin_popcount(k->in_sync & ~k->copied) < w->min_in_sync,
	};

	gate.until_ns = rblk_gate_needs_until(&gate);
	return gate;
}

static bool has_lease(const struct world *w, uint8_t node)
{
	struct rblk_gate gate = gate_of(w, node);

	return rblk_gate_lease(&gate, local_ms(w, node) * 1000000) == RBLK_GATE_PASS;
}

/* Would a read or write that is all done be reported now? */
bool kernel_completes(const struct world *w, uint8_t node)
{
	const struct kernel *k = &w->node[node].kernel;

	return k->up && k->primary && has_lease(w, node);
}

/* ---- the writes of the application */

/* The module's own decision, from what the peers are and what they acknowledged. */
static bool has_peers(const struct world *w, uint8_t node, const struct io *io)
{
	const struct kernel *k = &w->node[node].kernel;
	struct rblk_ack_peers peers = {
		.applied = w->data & ~w->asynchronous & ~BIT(node),
		.sent = w->asynchronous & ~BIT(node),
		.in_sync = k->in_sync,
		.copied = k->copied,
	};
	struct rblk_ack_state state = {
		.local = RBLK_LOCAL_DONE, .durable = io->kind == IO_FLUSH,
	};
	struct rblk_ack_policy policy = {
		.acks = k->acks, .min = SIM_RULE(MIN_UNDER_WAY) ? w->min_in_sync : 0,
	};
	uint8_t i;

	for (i = 0; i < w->nodes; i++) {
		const struct link *l = &k->link[i];

		if (l->up && l->up_to_date)
			peers.joined |= BIT(i);
		if ((io->kind == IO_FLUSH ? l->durable_acked : l->acked) >= io->need)
			state.applied |= BIT(i);
		if (!SIM_RULE(WAIT_FOR_IN_SYNC) && !l->up)
			peers.in_sync &= ~BIT(i);
	}
	rblk_ackpolicy_choose(&policy, &peers);
	return rblk_ackpolicy_verdict(&policy, &state) == RBLK_VERDICT_COMPLETE;
}

static void complete(struct world *w, uint8_t node)
{
	struct kernel *k = kernel_of(w, node);
	unsigned int i;

	for (i = 0; i < IOS; i++) {
		struct io *io = &k->io[i];

		if (!io->used || !io->admitted || !io->local || !k->primary)
			continue;
		if (SIM_RULE(LEASE_AT_COMPLETION) && !has_lease(w, node))
			continue;
		if (io->kind != IO_READ && !has_peers(w, node, io))
			continue;
		check_acked(w, node, io);
		io->used = false;
	}
}

static void send_ops(struct world *w, uint8_t node, uint8_t peer)
{
	struct kernel *k = kernel_of(w, node);
	struct link *l = &k->link[peer];
	struct event *e;

	if (!l->up || !l->following || l->sent >= k->len)
		return;
	l->busy_until = (l->busy_until > w->now ? l->busy_until : w->now) +
			wire_to(w, node, peer);
	e = post(w, l->busy_until, EV_FRAME, peer);
	e->peer = node;
	e->epoch = l->epoch;
	e->a = l->sent;
	e->b = k->len;
	l->sent = k->len;
}

static void send_flush(struct world *w, uint8_t node, uint8_t peer)
{
	struct link *l = &kernel_of(w, node)->link[peer];
	struct event *e;

	if (!l->up || !l->following)
		return;
	l->busy_until = (l->busy_until > w->now ? l->busy_until : w->now) +
			wire_to(w, node, peer);
	e = post(w, l->busy_until, EV_FLUSH, peer);
	e->peer = node;
	e->epoch = l->epoch;
	e->a = l->sent;
}

static void admit(struct world *w, uint8_t node, unsigned int slot)
{
	struct kernel *k = kernel_of(w, node);
	struct rblk_gate gate = gate_of(w, node);
	struct io *io = &k->io[slot];
	struct event *e;
	uint8_t i;

	if (!k->primary || !has_lease(w, node))
		return;
	if (io->kind == IO_WRITE) {
		if (k->len == OPS_MAX ||
		    rblk_gate_write(&gate, local_ms(w, node) * 1000000) != RBLK_GATE_PASS)
			return;
		k->data[k->len++] = (struct op){ k->gen, ++w->next_id };
	}
	io->admitted = true;
	io->since = w->now;
	io->need = k->len;
	io->acked_before = w->nr_acked;
	e = post(w, w->now + disk(w, node), EV_LOCAL, node);
	e->epoch = k->epoch;
	e->a = slot;
	for (i = 0; i < w->nodes; i++) {
		if (i == node)
			continue;
		send_ops(w, node, i);
		if (io->kind == IO_FLUSH)
			send_flush(w, node, i);
	}
}

/* The application: has some requests under way as long as it is primary. */
void kernel_app(struct world *w, uint8_t node)
{
	struct kernel *k = kernel_of(w, node);
	unsigned int i;

	if (!k->up || !k->primary)
		return;
	for (i = 0; i < IOS; i++) {
		struct io *io = &k->io[i];

		if (!io->used) {
			if (!chance(w, 12))
				continue;
			memset(io, 0, sizeof(*io));
			io->used = true;
			io->kind = chance(w, 25) ? IO_READ :
				   chance(w, 25) ? IO_FLUSH : IO_WRITE;
		}
		if (!io->admitted)
			admit(w, node, i);
	}
	complete(w, node);
}

/* ---- links */

static void link_down(struct world *w, uint8_t node, uint8_t peer)
{
	struct link *l = &kernel_of(w, node)->link[peer];

	if (l->up)
		say(w, node, "link to %c is down", 'A' + peer);
	l->up = l->following = l->up_to_date = l->diverged = false;
	l->syncing = l->primary_there = false;
	l->acked = l->durable_acked;
	l->epoch++;
	l->busy_until = 0;
}

void kernel_cut_link(struct world *w, uint8_t node, uint8_t peer)
{
	if (kernel_of(w, node)->link[peer].up)
		link_down(w, node, peer);
}

static uint32_t common(const struct kernel *a, const struct kernel *b)
{
	uint32_t n = 0;

	while (n < a->len && n < b->len && a->data[n].id == b->data[n].id)
		n++;
	return n;
}

static void sync_peer(struct world *w, uint8_t node, uint8_t peer)
{
	struct kernel *mine = kernel_of(w, node), *its = kernel_of(w, peer);
	struct link *l = &mine->link[peer];
	uint32_t same = common(mine, its);
	struct event *e;

	/* What it lacks is what is remembered; the disk may have lost more. */
	if (l->forgotten > same && !its->inconsistent) {
		broken(w, "I7: it was forgotten that a peer lacks operations",
		       "%c has %u in common, %c forgot up to %u", 'A' + peer, same,
		       'A' + node, l->forgotten);
		return;
	}
	say(w, node, "brings %c level from %u to %u%s", 'A' + peer, same, mine->len,
	    its->inconsistent ? " by copying" : "");
	l->syncing = true;
	if (chance(w, 30))
		its->inconsistent = true;
	if (its->inconsistent)
		mine->copied |= BIT(peer);
	e = post(w, w->now + 5 * MS + random_below(w, 150 * MS), EV_SYNCED, node);
	e->peer = peer;
	e->epoch = l->epoch;
}

/* @node is primary, @peer is not. */
static void shake_hands(struct world *w, uint8_t node, uint8_t peer)
{
	struct kernel *mine = kernel_of(w, node), *its = kernel_of(w, peer);
	struct link *l = &mine->link[peer], *back = &its->link[node];
	uint32_t same;

	if (!(w->data & BIT(peer)))
		return;
	if (its->gen > mine->gen && SIM_RULE(GENERATION)) {
		link_down(w, node, peer);
		link_down(w, peer, node);
		return;
	}
	if (its->gen < mine->gen)
		its->gen = mine->gen;
	back->primary_there = true;
	same = common(mine, its);
	l->diverged = back->diverged = same < its->len && !its->inconsistent;
	if (l->diverged) {
		say(w, node, "%c has %u operations that are not here", 'A' + peer,
		    its->len - same);
		return;
	}
	sync_peer(w, node, peer);
}

static void link_up(struct world *w, uint8_t a, uint8_t b)
{
	struct kernel *ka = kernel_of(w, a), *kb = kernel_of(w, b);

	/* It is the daemons who open a connection. */
	if ((ka->primary && kb->primary) || !w->node[a].daemon.up ||
	    !w->node[b].daemon.up || w->node[a].daemon.shun & BIT(b) ||
	    w->node[b].daemon.shun & BIT(a))
		return;
	ka->link[b].up = kb->link[a].up = true;
	ka->link[b].primary_there = kb->primary;
	kb->link[a].primary_there = ka->primary;
	if (ka->primary)
		shake_hands(w, a, b);
	else if (kb->primary)
		shake_hands(w, b, a);
	if (ka->link[b].up)
		say(w, a, "link to %c is up", 'A' + b);
	if (w->node[a].daemon.up)
		daemon_look(w, a);
	if (w->node[b].daemon.up)
		daemon_look(w, b);
}

/* A packet of the connection gets lost for so long that it breaks. */
static bool is_dead(const struct world *w, uint8_t a, uint8_t b)
{
	if (net_is_cut(w, a, b) && w->now - w->cut_since[a][b] > LINK_TIMEOUT)
		return true;
	return net_is_cut(w, b, a) && w->now - w->cut_since[b][a] > LINK_TIMEOUT;
}

void kernel_net(struct world *w)
{
	uint8_t a, b;

	for (a = 0; a < w->nodes; a++) {
		if (w->now >= w->node[a].paused_until)
			kernel_app(w, a);
		for (b = 0; b < w->nodes; b++) {
			struct kernel *ka = kernel_of(w, a), *kb = kernel_of(w, b);

			if (a == b || !ka->up || w->now < w->node[a].paused_until)
				continue;
			if (ka->link[b].up && (is_dead(w, a, b) || !kb->up ||
					       !kb->link[a].up)) {
				link_down(w, a, b);
				if (w->node[a].daemon.up)
					daemon_look(w, a);
				continue;
			}
			if (a < b && !ka->link[b].up && kb->up && !kb->link[a].up &&
			    w->now >= w->node[b].paused_until &&
			    !net_is_cut(w, a, b) && !net_is_cut(w, b, a) &&
			    chance(w, 30))
				link_up(w, a, b);
		}
	}
}

/* ---- events */

static bool is_of_link(struct world *w, uint8_t primary, uint8_t peer, uint32_t epoch)
{
	const struct link *l = &kernel_of(w, primary)->link[peer];

	return kernel_of(w, primary)->up && kernel_of(w, peer)->up && l->up &&
	       l->epoch == epoch && kernel_of(w, peer)->link[primary].up;
}

static void send_ack(struct world *w, uint8_t node, uint8_t primary, uint32_t epoch)
{
	struct event *e = post(w, w->now + wire(w), EV_ACK, primary);

	e->peer = node;
	e->epoch = epoch;
	e->a = kernel_of(w, node)->len;
	e->b = kernel_of(w, node)->durable;
}

/* What the network holds up comes later, or the connection breaks first. */
static void again(struct world *w, const struct event *e)
{
	struct event *later = post(w, w->now + 20 * MS, e->kind, e->node);

	later->peer = e->peer;
	later->epoch = e->epoch;
	later->a = e->a;
	later->b = e->b;
}

static void frame(struct world *w, const struct event *e)
{
	struct kernel *k = kernel_of(w, e->node), *from = kernel_of(w, e->peer);

	if (!is_of_link(w, e->peer, e->node, e->epoch) || k->primary)
		return;
	/* Nor does it overtake what was held up. */
	if (net_is_cut(w, e->peer, e->node) || e->a > k->len) {
		again(w, e);
		return;
	}
	if (k->gen > from->gen && SIM_RULE(GENERATION))
		return;
	check_applies(w, e->node, e->peer);
	if (e->kind == EV_FLUSH) {
		k->durable = k->len;
	} else {
		/* Some of it may be here already. */
		if (e->b > from->len)
			return;
		for (; k->len < e->b; k->len++)
			k->data[k->len] = from->data[k->len];
	}
	send_ack(w, e->node, e->peer, e->epoch);
}

static void ack(struct world *w, const struct event *e)
{
	struct kernel *k = kernel_of(w, e->node);
	struct link *l = &k->link[e->peer];

	if (!is_of_link(w, e->node, e->peer, e->epoch) || !k->primary)
		return;
	if (net_is_cut(w, e->peer, e->node)) {
		again(w, e);
		return;
	}
	if (l->acked < e->a)
		l->acked = e->a;
	if (l->durable_acked < e->b)
		l->durable_acked = e->b;
	l->forgotten = SIM_RULE(DURABLE_BEFORE_FORGET) ? l->durable_acked : l->acked;
	complete(w, e->node);
}

static void synced(struct world *w, const struct event *e)
{
	struct kernel *k = kernel_of(w, e->node), *its = kernel_of(w, e->peer);
	struct link *l = &k->link[e->peer];
	uint32_t kept;

	if (!is_of_link(w, e->node, e->peer, e->epoch) || !k->primary || its->primary)
		return;
	if (net_is_cut(w, e->peer, e->node) || net_is_cut(w, e->node, e->peer)) {
		again(w, e);
		return;
	}
	if (its->gen > k->gen && SIM_RULE(GENERATION))
		return;
	check_applies(w, e->peer, e->node);
	kept = common(k, its);
	/* Flushes are among what it missed, and a copy ends with one. */
	its->durable = k->durable;
	memcpy(its->data, k->data, sizeof(k->data[0]) * k->len);
	its->len = k->len;
	its->inconsistent = its->unclean = false;
	l->syncing = false;
	k->copied &= ~BIT(e->peer);
	l->following = l->up_to_date = true;
	l->sent = k->len;
	l->acked = kept;
	l->durable_acked = its->durable;
	its->link[e->node].up_to_date = true;
	send_ack(w, e->peer, e->node, l->epoch);
	/* So is one that is under way. */
	send_flush(w, e->node, e->peer);
	say(w, e->node, "%c is level", 'A' + e->peer);
	if (w->node[e->node].daemon.up)
		daemon_look(w, e->node);
	if (w->node[e->peer].daemon.up)
		daemon_look(w, e->peer);
}

void kernel_event(struct world *w, const struct event *e)
{
	struct kernel *k = kernel_of(w, e->node);

	if (e->kind == EV_FRAME || e->kind == EV_FLUSH) {
		frame(w, e);
	} else if (e->kind == EV_ACK) {
		ack(w, e);
	} else if (e->kind == EV_SYNCED) {
		synced(w, e);
	} else if (e->kind == EV_LOCAL && k->up && k->epoch == e->epoch) {
		if (k->io[e->a].kind == IO_FLUSH && k->durable < k->io[e->a].need)
			k->durable = k->io[e->a].need;
		k->io[e->a].local = true;
		complete(w, e->node);
	}
}

/* ---- what the daemon asks for */

void kernel_boot(struct world *w, uint8_t node)
{
	kernel_of(w, node)->up = true;
	kernel_of(w, node)->acks = w->node[node].acks;
}

void kernel_stop(struct world *w, uint8_t node)
{
	struct kernel *k = kernel_of(w, node);
	uint8_t i;

	k->up = k->primary = k->leased = false;
	k->in_sync = 0;
	k->lease_until_ms = 0;
	k->epoch++;
	memset(k->io, 0, sizeof(k->io));
	for (i = 0; i < w->nodes; i++) {
		uint32_t epoch = k->link[i].epoch;

		memset(&k->link[i], 0, sizeof(k->link[i]));
		k->link[i].epoch = epoch + 1;
	}
}

void kernel_set_lease(struct world *w, uint8_t node, uint64_t until_ms)
{
	struct kernel *k = kernel_of(w, node);

	k->leased = true;
	if (k->lease_until_ms != until_ms && !until_ms)
		say(w, node, "the kernel stops");
	k->lease_until_ms = until_ms;
	kernel_app(w, node);
}

static bool promote(struct world *w, uint8_t node, const struct rblk_policy_out *job)
{
	struct kernel *k = kernel_of(w, node);
	uint8_t i;

	for (i = 0; i < w->nodes; i++)
		if (i != node && k->link[i].up && k->link[i].primary_there)
			return false;
	if (k->inconsistent || k->primary || job->generation <= k->gen)
		return false;
	/* The lineage is written behind a flush: keep_promotion(). */
	k->durable = k->len;
	k->primary = true;
	k->gen = job->generation;
	k->in_sync = job->in_sync;
	k->unclean = false;
	k->leased = true;
	k->lease_until_ms = 0;
	memset(k->io, 0, sizeof(k->io));
	say(w, node, "the kernel is primary, with %u operations, in sync %x", k->len,
	    k->in_sync);
	w->failovers++;
	w->of_asynchronous += !!(w->asynchronous & BIT(node));
	k->copied = 0;
	k->checked = false;
	check_excused(w, node);
	for (i = 0; i < w->nodes; i++) {
		k->link[i].forgotten = 0;
		k->link[i].acked = k->link[i].durable_acked = 0;
		if (i != node && k->link[i].up)
			shake_hands(w, node, i);
	}
	return true;
}

static bool demote(struct world *w, uint8_t node, bool force)
{
	struct kernel *k = kernel_of(w, node);
	unsigned int i;

	for (i = 0; i < IOS && !force; i++)
		if (k->io[i].used && k->io[i].admitted)
			return false;
	/* Whoever is connected gets all. */
	for (i = 0; i < w->nodes && !force; i++)
		if (k->link[i].following && k->link[i].acked < k->len)
			return false;
	say(w, node, "the kernel is backup%s", force ? ", by force" : "");
	k->primary = false;
	k->in_sync = 0;
	memset(k->io, 0, sizeof(k->io));
	k->epoch++;
	for (i = 0; i < w->nodes; i++) {
		struct link *l = &k->link[i];

		l->following = l->up_to_date = l->diverged = l->syncing = false;
		l->forgotten = 0;
		l->epoch++;
		if (i != node && l->up)
			kernel_of(w, i)->link[node].primary_there = false;
		if (i != node)
			kernel_of(w, i)->link[node].up_to_date = false;
	}
	return true;
}

static bool give_up(struct world *w, uint8_t node, uint8_t to)
{
	struct kernel *k = kernel_of(w, node);

	if (k->primary || !k->link[to].up || !k->link[to].diverged)
		return false;
	say(w, node, "gives its branch up, %u operations", k->len);
	check_gives_up(w, node);
	k->inconsistent = true;
	k->link[to].diverged = false;
	kernel_of(w, to)->link[node].diverged = false;
	sync_peer(w, to, node);
	return true;
}

/* False: it failed. */
bool kernel_job(struct world *w, uint8_t node, const struct rblk_policy_out *job)
{
	struct kernel *k = kernel_of(w, node);

	switch (job->kernel) {
	case RBLK_POLICY_KERNEL_NONE:
		break;
	case RBLK_POLICY_KERNEL_PROMOTE:
		return promote(w, node, job);
	case RBLK_POLICY_KERNEL_DEMOTE:
		return demote(w, node, false);
	case RBLK_POLICY_KERNEL_DEMOTE_FORCE:
		return demote(w, node, true);
	case RBLK_POLICY_KERNEL_IN_SYNC:
		if (!k->primary)
			return false;
		if (k->in_sync != job->in_sync)
			say(w, node, "writes wait for %x", job->in_sync);
		k->in_sync = job->in_sync;
		complete(w, node);
		break;
	case RBLK_POLICY_KERNEL_ACKS:
		if (k->acks != job->acks)
			say(w, node, "writes wait for %u", job->acks);
		k->acks = job->acks;
		complete(w, node);
		break;
	case RBLK_POLICY_KERNEL_DISCARD:
		return give_up(w, node, job->peer);
	}
	return true;
}

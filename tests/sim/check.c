// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * check.c - what must hold after every event, and what must hold in the end
 *
 * The observer sees all nodes at once and the true time.
 */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void broken(struct world *w, const char *what, const char *format, ...)
{
	va_list args;

	if (w->broken)
		return;
	w->broken = what;
	va_start(args, format);
	vsnprintf(w->why, sizeof(w->why), format, args);
	va_end(args);
	say(w, -1, "BROKEN: %s: %s", what, w->why);
}

static bool same(const struct rblk_arbiter_record *a, const struct rblk_arbiter_record *b)
{
	return a->version == b->version && a->gen == b->gen && a->term == b->term &&
	       a->primary == b->primary && a->idle == b->idle &&
	       a->insync == b->insync && a->fenced == b->fenced &&
	       a->voters == b->voters && a->voters_before == b->voters_before &&
	       a->acks == b->acks && a->holder == b->holder;
}

static bool has(const struct kernel *k, const struct acked *a)
{
	return a->index < k->len && k->data[a->index].id == a->id;
}

/* Not flushed, and the disk lost its cache since, perhaps with it. */
static bool lost_it(const struct node *n, const struct acked *a)
{
	return !a->flushed && n->lost_at >= a->since;
}

/*
 * What a record claims: each acknowledged write is on so many nodes in sync. Who is copied
 * to lacks it and counts for nobody, and who lost it with its cache had it.
 */
static void check_claim(struct world *w, const struct rblk_arbiter_record *r)
{
	int lacking, may_lack = __builtin_popcount(r->insync) - rblk_arbiter_copies(r);
	uint32_t i;
	uint8_t n;

	for (i = 0; i < w->nr_acked; i++) {
		const struct acked *a = &w->acked[i];

		for (n = 0, lacking = 0; n < w->nodes; n++)
			lacking += r->insync & BIT(n) && !w->node[n].kernel.inconsistent &&
				   !has(&w->node[n].kernel, a) && !lost_it(&w->node[n], a);
		if (a->excused || lacking <= may_lack)
			continue;
		broken(w, "I1: an acknowledged write is on fewer nodes in sync than the record says",
		       "write %u, %d of %x lack it", a->id, lacking, r->insync);
		return;
	}
}

void check_learned(struct world *w, uint8_t node, const struct rblk_arbiter_record *r)
{
	struct rblk_arbiter_record *known;
	const struct rblk_arbiter_record *before;

	if (r->version >= VERSIONS)
		return;
	known = &w->chosen[r->version];
	if (!known->version) {
		*known = *r;
		say(w, node, "chosen: version %u, generation %u, primary %c, in sync %x%s, acks %u, holder %c",
		    (unsigned int)r->version, (unsigned int)r->gen,
		    r->primary < NODES ? 'A' + r->primary : '-', r->insync,
		    r->fenced ? ", fenced" : "", r->acks, 'A' + r->holder);
		check_claim(w, r);
	} else if (!same(known, r)) {
		broken(w, "two values were chosen for one version", "version %u",
		       (unsigned int)r->version);
	}
	before = &w->chosen[r->version - 1];
	if (!before->version)
		return;
	if (r->gen < before->gen)
		broken(w, "the generation went back", "%u", (unsigned int)r->gen);
	if (r->gen > before->gen && !(before->insync & BIT(r->primary)))
		broken(w, "I5: a node was promoted that is not in sync", "%c, of %x",
		       'A' + r->primary, before->insync);
}

const struct rblk_arbiter_record *check_newest(const struct world *w)
{
	unsigned int i;

	for (i = VERSIONS - 1; i; i--)
		if (w->chosen[i].version)
			return &w->chosen[i];
	return &w->chosen[1];
}

/*
 * The chosen primary lacks what a power cut took. Others are made to lack it, too, whether
 * or not it ever has a lease.
 */
void check_excused(struct world *w, uint8_t node)
{
	const struct node *n = &w->node[node];
	uint32_t i;

	if (check_newest(w)->primary != node)
		return;
	for (i = 0; i < w->nr_acked; i++)
		if (!has(&n->kernel, &w->acked[i]) && lost_it(n, &w->acked[i]))
			w->acked[i].excused = true;
}

/* What it lacks was acknowledged, and no power cut may have taken it. */
static void check_data(struct world *w, uint8_t node, const char *what, uint32_t nr)
{
	const struct node *n = &w->node[node];
	uint32_t i;

	for (i = 0; i < nr; i++) {
		struct acked *a = &w->acked[i];

		if (a->excused || has(&n->kernel, a))
			continue;
		if (lost_it(n, a)) {
			a->excused = true;
			continue;
		}
		broken(w, what, "%c lacks write %u at %u, acknowledged at %.3f s%s",
		       'A' + node, a->id, a->index, a->at / 1e6,
		       a->flushed ? " and flushed" : "");
		return;
	}
}

static void check_promoted(struct world *w, uint8_t node)
{
	check_data(w, node, "I1: a new primary lacks an acknowledged write", w->nr_acked);
}

/* By how many nodes is it held? A power cut may have taken it since. */
static int holders(const struct world *w, uint32_t index, const struct io *io,
		   uint32_t id)
{
	int n = 0;
	uint8_t i;

	for (i = 0; i < w->nodes; i++) {
		const struct node *at = &w->node[i];

		n += (index < at->kernel.len && at->kernel.data[index].id == id) ||
		     (w->data & BIT(i) && at->lost_at >= io->since);
	}
	return n;
}

void check_acked(struct world *w, uint8_t node, const struct io *io)
{
	struct kernel *k = &w->node[node].kernel;
	uint32_t i;

	w->completed++;
	if (k->gen < w->completed_gen)
		broken(w, "I2: something is completed in a generation that is over",
		       "%c", 'A' + node);
	w->completed_gen = k->gen;
	check_data(w, node, io->kind == IO_READ ?
		   "I2: a read lacks a write that was acknowledged before" :
		   "I2: a write is acknowledged by a node that lacks another",
		   io->acked_before);
	if (io->kind == IO_FLUSH) {
		for (i = 0; i < w->nr_acked; i++)
			if (w->acked[i].index < io->need && i < io->acked_before)
				w->acked[i].flushed = true;
	} else if (io->kind == IO_WRITE && w->nr_acked < OPS_MAX) {
		if (holders(w, io->need - 1, io, k->data[io->need - 1].id) <
		    w->min_in_sync)
			broken(w, "I1: a write is acknowledged by fewer nodes than min-in-sync",
			       "%c", 'A' + node);
		w->acked[w->nr_acked++] = (struct acked){
			.id = k->data[io->need - 1].id, .index = io->need - 1,
			.since = io->since, .at = w->now,
		};
	}
}

void check_applies(struct world *w, uint8_t node, uint8_t primary)
{
	if (w->node[primary].kernel.gen < w->node[node].kernel.gen)
		broken(w, "I2: what a primary of a generation that is over sent was applied",
		       "%c, from %c", 'A' + node, 'A' + primary);
}

/* One that has just begun a session comes back: its beats follow. Clocks may differ. */
void check_fences(struct world *w, uint8_t node, uint8_t target)
{
	uint64_t met = w->node[node].daemon.met_at[target];

	if (SIM_RULE(MARGIN) && met && w->now - met < INTERVAL_MS * MISSES * MS * 9 / 10)
		broken(w, "a node that comes back is switched off", "%c, by %c",
		       'A' + target, 'A' + node);
}

void check_gives_up(struct world *w, uint8_t node)
{
	if (check_newest(w)->insync & BIT(node))
		broken(w, "I5: a node in sync gives up what only it may have", "%c",
		       'A' + node);
}

void check_all(struct world *w)
{
	uint8_t i, who = 0;
	int able = 0;

	for (i = 0; i < w->nodes; i++) {
		if (!kernel_completes(w, i))
			continue;
		/* A kernel may be promoted late: what counts is its first lease. */
		if (!w->node[i].kernel.checked)
			check_promoted(w, i);
		w->node[i].kernel.checked = true;
		if (able++)
			broken(w, "I2: two nodes may complete as primary", "%c and %c",
			       'A' + who, 'A' + i);
		who = i;
	}
}

static bool is_prefix(const struct kernel *of, const struct kernel *k)
{
	uint32_t i;

	if (of->len > k->len)
		return false;
	for (i = 0; i < of->len; i++)
		if (of->data[i].id != k->data[i].id || of->data[i].gen != k->data[i].gen)
			return false;
	return true;
}

/* Who is not to be waited for is no member, but for the primary. */
static uint16_t in_sync_at_best(const struct world *w, uint8_t primary)
{
	return (w->data & ~w->asynchronous) | (primary < NODES ? BIT(primary) : 0);
}

/* Is there a primary that works, with everybody in sync who may be? */
bool check_well(struct world *w)
{
	const struct rblk_arbiter_record *r = check_newest(w);
	const struct kernel *k;
	uint8_t i;

	if (r->primary >= NODES || r->insync != in_sync_at_best(w, r->primary) ||
	    r->voters != BIT(w->nodes) - 1 || !kernel_completes(w, r->primary))
		return false;
	k = &w->node[r->primary].kernel;
	if (k->in_sync != r->insync)
		return false;
	for (i = 0; i < w->nodes; i++) {
		if (!w->node[i].on || !w->node[i].daemon.up ||
		    w->node[i].daemon.arbiter.mute)
			return false;
		if (i == r->primary || !(w->data & BIT(i)))
			continue;
		if (!k->link[i].up || !k->link[i].up_to_date ||
		    w->node[i].kernel.primary || w->node[i].kernel.inconsistent)
			return false;
		/* I4: what both have is the same. */
		if (!is_prefix(&w->node[i].kernel, k))
			broken(w, "I4: replicas differ", "%c and %c", 'A' + i,
			       'A' + r->primary);
	}
	check_data(w, r->primary, "I1: an acknowledged write is gone", w->nr_acked);
	return true;
}

void check_end(struct world *w)
{
	const struct rblk_arbiter_record *r = check_newest(w);
	uint8_t i;

	if (check_well(w)) {
		w->well = true;
		return;
	}
	for (i = 0; i < w->nodes; i++) {
		const struct daemon *d = &w->node[i].daemon;

		say(w, i, "leads %d, kernel primary %d, in sync %x, its arbiter's version %u",
		    d->arbiter.lead_term != 0, w->node[i].kernel.primary,
		    w->node[i].kernel.in_sync, (unsigned int)d->arbiter.known.version);
	}
	broken(w, "I9: all faults ended, and not all is well",
	       "version %u, primary %c, in sync %x of %x", (unsigned int)r->version,
	       r->primary < NODES ? 'A' + r->primary : '-', r->insync,
	       in_sync_at_best(w, r->primary));
}

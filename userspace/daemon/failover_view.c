// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover_view.c - what the policy is to see: the module, the detector, the admin
 */
#include "failover.h"

#include "text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS	1000000ULL
/*
 * The module tells what changes, but not of writes; ask all the same. Soon after a
 * promotion its record waits for the first of them.
 */
#define CALM_MS		30000
#define CALM_AFTER_MS	5000
#define SOON_MS		60000

static bool disks_are_well(const struct rblk_kstate *s)
{
	size_t i;

	for (i = 0; i < s->volumes_n; i++)
		if (s->volumes[i].disk_state != RBLK_DISK_OK)
			return false;
	return s->volumes_n > 0;
}

/* New data is as good as any when the admin says so with a first promotion. */
static bool data_is_good(const struct rblk_failover *f,
			 const struct rblk_kstate *s)
{
	switch ((enum rblk_data)s->resource.data) {
	case RBLK_DATA_CONSISTENT:
	case RBLK_DATA_UNCLEAN:
		return disks_are_well(s);
	case RBLK_DATA_NEW:
		return disks_are_well(s) &&
		       f->request.want == RBLK_POLICY_WANT_PROMOTE &&
		       f->request.flags;
	case RBLK_DATA_INCONSISTENT:
		break;
	}
	return false;
}

static void see_peer(const struct rblk_kstate *s, const struct rblk_kpeer *k,
		     struct rblk_policy_peer *p)
{
	bool i_lead = s->resource.role == RBLK_ROLE_PRIMARY;
	bool is_up = k->conn == RBLK_CONN_UP;

	p->connected = k->conn != RBLK_CONN_DOWN;
	p->is_primary = is_up && k->role == RBLK_ROLE_PRIMARY;
	p->up_to_date = is_up && k->repl == RBLK_REPL_UPTODATE &&
			(i_lead || p->is_primary) &&
			s->resource.data != RBLK_DATA_INCONSISTENT;
	p->diverged = k->repl == RBLK_REPL_DIVERGED;
	p->acked_seq = k->protocol == 'B' ? k->received_seq : k->applied_seq;
}

static void see_kernel(struct rblk_failover *f, const struct rblk_kstate *s)
{
	struct rblk_policy_view *v = &f->view;
	size_t i;

	v->primary = s->resource.role == RBLK_ROLE_PRIMARY;
	/* promoted by hand, before it was automatic: nothing happens to that */
	v->up = !v->primary || s->resource.leased;
	if (!v->up)
		rblk_text_format(f->failure, sizeof(f->failure),
				 "it was promoted while failover was manual: 'rblk demote %s', 'rblk adjust %s', then promote it again",
				 f->name, f->name);
	v->data_good = data_is_good(f, s);
	v->exact = s->resource.data == RBLK_DATA_CONSISTENT &&
		   s->resource.seq == s->resource.received_seq;
	v->acks = s->resource.acks;
	v->opened = s->resource.openers > 0 && !rblk_failover_forces(f);
	v->leased = s->resource.leased;
	v->in_sync = s->resource.in_sync;
	v->data_gen = s->resource.seq_generation;
	v->data_seq = s->resource.seq;
	v->last_seq = s->resource.seq;
	f->behind = 0;
	f->linked = 0;
	for (i = 0; i < s->peers_n; i++) {
		const struct rblk_kpeer *k = &s->peers[i];

		see_peer(s, k, &v->peer[k->node_id]);
		if (k->conn == RBLK_CONN_UP)
			f->linked |= 1U << k->node_id;
		if (k->conn == RBLK_CONN_UP && k->repl == RBLK_REPL_BEHIND)
			f->behind |= 1U << k->node_id;
		if (v->primary && k->applied_seq + k->lag_ops > v->last_seq)
			v->last_seq = k->applied_seq + k->lag_ops;
	}
}

static void forget_kernel(struct rblk_failover *f)
{
	struct rblk_policy_view *v = &f->view;
	unsigned int i;

	f->behind = 0;
	f->linked = 0;
	v->up = false;
	v->primary = false;
	v->data_good = false;
	v->exact = false;
	v->opened = false;
	v->leased = false;
	v->in_sync = 0;
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		struct rblk_policy_peer *p = &v->peer[i];

		p->connected = false;
		p->up_to_date = false;
		p->is_primary = false;
		p->diverged = false;
		p->acked_seq = 0;
	}
}

/* A daemon that starts above a kernel that leads: what it was told before. */
static void take_lease(struct rblk_failover *f, const struct rblk_kstate *s)
{
	uint64_t until = s->resource.lease_until_ns / NS_PER_MS;

	if (f->lease_set_ms || !until)
		return;
	f->view.lease_until_ms = until;
	f->lease_set_ms = until;
}

static void ask_kernel(struct rblk_failover *f, struct rblk_engine *e)
{
	struct rblk_kstate *s;
	struct rblk_genl_error err;
	const struct rblk_engine_resource *r = rblk_engine_find(e, f->name);
	unsigned int i;

	forget_kernel(f);
	if (!r)
		return;
	s = rblk_xcalloc(1, sizeof(*s));
	if (e->ops->get(e->ctx, f->name, s, &err) == 0) {
		see_kernel(f, s);
		for (i = 0; i < RBLK_MAX_NODES; i++)
			f->view.peer[i].connected |= r->attach[i] != 0;
		take_lease(f, s);
		if (f->view.primary && s->resource.first_write_ns)
			rblk_failover_first_write(f, e,
						  s->resource.first_write_ns);
	}
	free(s);
}

/* Whatever is under way may move without an event. */
static bool is_calm(const struct rblk_failover *f)
{
	return !f->is_stale && !f->busy && !f->policy.joining &&
	       f->request.want == RBLK_POLICY_WANT_NOTHING &&
	       f->waits == RBLK_POLICY_FINE;
}

static uint64_t calm_ms(const struct rblk_failover *f, const struct rblk_engine *e)
{
	const struct rblk_history_record *r = &f->record;

	return r->promoted_ms && !r->first_write_ms &&
	       e->ops->realtime_ms(e->ctx) - r->promoted_ms < SOON_MS ?
	       CALM_AFTER_MS : CALM_MS;
}

static void see_nodes(struct rblk_failover *f, struct rblk_engine *e)
{
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++) {
		struct rblk_policy_peer *p = &f->view.peer[i];
		enum rblk_detector_state state;

		if (i == f->arbiter.self || !(f->voters & (1U << i)))
			continue;
		state = rblk_cluster_state(&e->cluster, i);
		p->alive = state == RBLK_DETECTOR_ALIVE;
		p->failed = state == RBLK_DETECTOR_FAILED;
		if (!p->alive) {
			memset(&p->told, 0, sizeof(p->told));
			f->told_nodes &= ~(1U << i);
		}
		if (!p->failed)
			continue;
		/* TCP takes longer to find that out, and it is not to be waited for */
		p->connected = false;
		p->up_to_date = false;
		p->is_primary = false;
	}
}

void rblk_failover_look(struct rblk_failover *f, struct rblk_engine *e,
			uint64_t now_ms)
{
	struct rblk_policy_view *v = &f->view;

	if (!is_calm(f) || now_ms >= f->look_ms + calm_ms(f, e)) {
		ask_kernel(f, e);
		f->look_ms = now_ms;
		v->looked_ms = now_ms;
		f->is_stale = false;
	}
	see_nodes(f, e);
	v->arbiter = &f->arbiter;
	v->busy = f->busy;
	v->request = f->request.want;
	v->random = rblk_engine_random(e);
}

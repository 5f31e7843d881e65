// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover_kernel.c - what the module is asked for, and the lease
 *
 * A lease goes past the jobs of its resource: those may wait for minutes.
 */
#include "failover.h"

#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS	1000000ULL
#define COPY_AFTER_MS	1000	/* most of those who are behind catch up unasked */
#define COPY_AGAIN_MS	10000

/* ---- the lease ---- */

static void remember_lease(struct rblk_failover *f, uint64_t until_ms)
{
	f->view.lease_until_ms = until_ms;
	if (until_ms > f->lease_set_ms)
		f->lease_set_ms = until_ms;
}

void rblk_failover_set_lease(struct rblk_failover *f, struct rblk_engine *e,
			     uint64_t until_ms)
{
	remember_lease(f, until_ms);
	e->ops->set_lease(e->ctx, f->name, until_ms);
}

void rblk_failover_stop_kernel(struct rblk_failover *f, struct rblk_engine *e)
{
	/* a witness, or a lease that has run out: there is nothing to stop */
	if (f->lease_set_ms <= e->ops->boottime_us(e->ctx) / 1000)
		return;
	f->stopping = true;
	f->run_ms = 0;
	rblk_failover_set_lease(f, e, 0);
}

void rblk_failover_lease_set(struct rblk_engine *e, const char *name,
			     uint64_t until_ms, int rc)
{
	struct rblk_failover *f = rblk_failover_find(e, name);

	if (!f)
		return;
	if (rc < 0 && rc != -ENOENT) {
		/* EPERM: it is no primary any more */
		rblk_log(rc == -EPERM ? RBLK_LOG_DEBUG : RBLK_LOG_WARNING, name,
			 NULL, "lease: %s", strerror(-rc));
		f->is_stale = true;
	}
	/*
	 * A promotion that is under way brings a lease of its own, after this. If
	 * the module did not take it the lease has to run out.
	 */
	if (until_ms || !f->stopping || f->promoting ||
	    (rc < 0 && rc != -ENOENT))
		return;
	f->stopping = false;
	f->lease_set_ms = 0;
	rblk_failover_settle(f, e);
	f->is_due = true;
}

/* ---- links ---- */

bool rblk_failover_shuns(struct rblk_engine *e, const char *name, uint8_t node)
{
	const struct rblk_failover *f = rblk_failover_find(e, name);

	return f && f->shun & (1U << node);
}

/* None begins (rblk_engine_link_authenticated()), and what there is ends. */
void rblk_failover_shun(struct rblk_failover *f, struct rblk_engine *e,
			uint16_t nodes)
{
	struct rblk_kreq req = {
		.cmd = RBLK_CMD_LINK_DETACH, .nest = RBLK_A_PEER,
		.peer = { .has = RBLK_HAS(RBLK_PEER_NODE_ID) },
	};
	unsigned int i;

	f->shun = nodes;
	f->detaching &= nodes;
	rblk_text_copy(req.name, sizeof(req.name), f->name);
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		if (!(f->linked & (1U << i)))
			f->detaching &= ~(1U << i);
		else if (nodes & ~f->detaching & (1U << i)) {
			rblk_log(RBLK_LOG_INFO, f->name,
				 rblk_engine_peer_name(e, i),
				 "link ended: it may be primary, and is not to be");
			f->detaching |= 1U << i;
			f->is_stale = true;
			req.peer.node_id = i;
			rblk_engine_submit(e, &req, 1, NULL, NULL);
		}
	}
}

/* ---- actions ---- */

static void promoted(struct rblk_failover *f, struct rblk_engine *e, bool ok)
{
	f->promoting = false;
	if (!ok)
		rblk_engine_take_back(e, f->name, f->promoted_to,
				      f->promised_before);
	if (f->stopping)
		rblk_failover_set_lease(f, e, 0);
}

static void acted(struct rblk_engine *e, struct rblk_job *job)
{
	const struct rblk_kreq *req = &job->reqs[0];
	struct rblk_failover *f = rblk_failover_find(e, req->name);
	bool ok = job->failed == job->n;

	if (!f || !f->busy)
		return;
	f->busy = false;
	f->is_stale = true;
	f->is_due = true;
	if (req->cmd == RBLK_CMD_PROMOTE)
		promoted(f, e, ok);
	if (ok) {
		f->failure[0] = '\0';
		return;
	}
	f->view.failures++;
	rblk_text_copy(f->failure, sizeof(f->failure), job->err.text);
	rblk_log(RBLK_LOG_WARNING, f->name, NULL, "the module refuses: %s",
		 job->err.text);
}

static void fill_promotion(struct rblk_failover *f,
			   const struct rblk_policy_out *out,
			   struct rblk_kreq *req)
{
	req->cmd = RBLK_CMD_PROMOTE;
	req->has = RBLK_HAS(RBLK_A_GENERATION);
	req->generation = out->generation;
	if (f->request.want == RBLK_POLICY_WANT_PROMOTE && f->request.flags) {
		req->has |= RBLK_HAS(RBLK_A_FLAGS);
		req->flags = f->request.flags;
	}
	req->nest = RBLK_A_RESOURCE;
	req->resource.has = RBLK_HAS(RBLK_RES_LEASED) |
			    RBLK_HAS(RBLK_RES_LEASE_UNTIL_NS) |
			    RBLK_HAS(RBLK_RES_IN_SYNC);
	req->resource.leased = 1;
	req->resource.lease_until_ns = out->lease_until_ms * NS_PER_MS;
	req->resource.in_sync = out->in_sync;
	f->promoted_to = out->generation;
	f->promoting = true;
	remember_lease(f, out->lease_until_ms);
}

static void fill_request(struct rblk_failover *f, const struct rblk_policy_out *out,
			 struct rblk_kreq *req)
{
	switch (out->kernel) {
	case RBLK_POLICY_KERNEL_PROMOTE:
		fill_promotion(f, out, req);
		break;
	case RBLK_POLICY_KERNEL_DEMOTE:
	case RBLK_POLICY_KERNEL_DEMOTE_FORCE:
		req->cmd = RBLK_CMD_DEMOTE;
		if (out->kernel == RBLK_POLICY_KERNEL_DEMOTE_FORCE ||
		    rblk_failover_forces(f)) {
			req->has = RBLK_HAS(RBLK_A_FLAGS);
			req->flags = RBLK_FLAG_FORCE;
		}
		break;
	case RBLK_POLICY_KERNEL_IN_SYNC:
		req->cmd = RBLK_CMD_RESOURCE_SET;
		req->nest = RBLK_A_RESOURCE;
		req->resource.has = RBLK_HAS(RBLK_RES_IN_SYNC);
		req->resource.in_sync = out->in_sync;
		break;
	case RBLK_POLICY_KERNEL_ACKS:
		req->cmd = RBLK_CMD_RESOURCE_SET;
		req->nest = RBLK_A_RESOURCE;
		req->resource.has = RBLK_HAS(RBLK_RES_ACKS);
		req->resource.acks = out->acks;
		break;
	case RBLK_POLICY_KERNEL_DISCARD:
		req->cmd = RBLK_CMD_DISCARD;
		req->nest = RBLK_A_PEER;
		req->peer.has = RBLK_HAS(RBLK_PEER_NODE_ID);
		req->peer.node_id = out->peer;
		break;
	case RBLK_POLICY_KERNEL_NONE:
		break;
	}
}

void rblk_failover_act(struct rblk_failover *f, struct rblk_engine *e,
		       const struct rblk_policy_out *out)
{
	struct rblk_engine_resource *r;
	struct rblk_kreq req = { .cmd = 0 };

	if (out->kernel == RBLK_POLICY_KERNEL_NONE)
		return;
	r = rblk_engine_find(e, f->name);
	if (!r) {
		f->view.failures++;
		return;
	}
	fill_request(f, out, &req);
	rblk_text_copy(req.name, sizeof(req.name), f->name);
	f->busy = true;
	f->promised_before = r->record.generation;
	rblk_engine_submit_promise(e, r, req.generation, &req, 1, acted);
}

/* ---- peers that were passed over */

/* Where they may differ is not known: then everywhere is looked. */
static void copied_where_known(struct rblk_engine *e, struct rblk_job *job)
{
	struct rblk_kreq req = job->reqs[0];

	if (job->failed == job->n)
		return;
	rblk_log(job->err.code == ENODATA ? RBLK_LOG_INFO : RBLK_LOG_WARNING,
		 req.name, rblk_engine_peer_name(e, req.peer.node_id),
		 "cannot copy only what differs: %s", job->err.text);
	if (job->err.code != ENODATA)
		return;
	req.has = 0;
	req.flags = 0;
	rblk_engine_submit(e, &req, 1, NULL, NULL);
}

static void copy_to(struct rblk_failover *f, struct rblk_engine *e, uint8_t node)
{
	struct rblk_kreq req = {
		.cmd = RBLK_CMD_RESYNC, .has = RBLK_HAS(RBLK_A_FLAGS),
		.flags = RBLK_FLAG_KNOWN, .nest = RBLK_A_PEER,
		.peer = { .has = RBLK_HAS(RBLK_PEER_NODE_ID), .node_id = node },
	};

	rblk_log(RBLK_LOG_INFO, f->name, rblk_engine_peer_name(e, node),
		 "was passed over: what it may have of its own is overwritten");
	rblk_text_copy(req.name, sizeof(req.name), f->name);
	rblk_engine_submit(e, &req, 1, copied_where_known, NULL);
}

/*
 * A former primary that crashed may hold what this node never got. The module leaves
 * that to an admin. Here the register has decided: it is not in sync, so nothing that
 * it has alone was ever acknowledged.
 */
void rblk_failover_copy_over(struct rblk_failover *f, struct rblk_engine *e,
			     uint64_t now_ms)
{
	bool may = f->arbiter.lead_term && f->arbiter.learned && f->view.primary;
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++) {
		if (!may || !(f->behind & f->data & (1U << i)) ||
		    f->arbiter.insync & (1U << i)) {
			f->behind_ms[i] = 0;
		} else if (!f->behind_ms[i]) {
			f->behind_ms[i] = now_ms;
		} else if (now_ms >= f->behind_ms[i] + COPY_AFTER_MS) {
			f->behind_ms[i] = now_ms + COPY_AGAIN_MS;
			copy_to(f, e, i);
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover_ballot.c - the arbiter builtin: its events, its store and messages
 *
 * What the arbiter says goes through a pipe with three gates: the kernel has
 * stopped, the store is durable, and only then messages leave. While anything is in
 * the pipe the policy does not look: what is not durable has not happened.
 */
#include "failover.h"

#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MS	5000	/* to look for a store that was not there */

bool rblk_failover_is_settled(const struct rblk_failover *f)
{
	return !f->stopping && !f->writing && !f->dirty;
}

/* ---- messages ---- */

static void send_all(struct rblk_failover *f, struct rblk_engine *e,
		     struct rblk_failover_queue *q)
{
	struct rblk_beat_body body = { .type = RBLK_BEAT_ARBITER };
	size_t i;

	memcpy(body.uuid, f->uuid, sizeof(body.uuid));
	for (i = 0; i < q->n; i++) {
		body.arbiter = q->msg[i];
		rblk_cluster_put(&e->cluster, body.arbiter.to, &body);
	}
	q->n = 0;
}

static void enqueue(struct rblk_failover_queue *q,
		    const struct rblk_arbiter_out *out)
{
	uint8_t i;

	for (i = 0; i < out->nr && q->n < RBLK_FAILOVER_QUEUE; i++)
		q->msg[q->n++] = out->msg[i];
}

/* ---- the store ---- */

static struct rblk_ballot_place place_of(const struct rblk_failover *f,
					 const struct rblk_engine *e)
{
	struct rblk_ballot_place p = {
		.state_dir = e->state_dir, .outside_dir = e->instance_dir,
		.node = f->arbiter.self,
	};

	rblk_text_copy(p.resource, sizeof(p.resource), f->name);
	memcpy(p.uuid, f->uuid, sizeof(p.uuid));
	return p;
}

void rblk_failover_ballot_work(struct rblk_ballot_job *job)
{
	int rc;

	if (job->store->fd < 0) {
		job->ok = rblk_ballot_create(job->store, &job->place, &job->keep,
					     job->why, sizeof(job->why));
		return;
	}
	rc = rblk_ballot_write(job->store, &job->keep);
	job->ok = rc == 0;
	if (rc < 0)
		rblk_text_format(job->why, sizeof(job->why),
				 "writing %s/%s.arbiter failed: %s",
				 job->place.state_dir, job->place.resource,
				 strerror(-rc));
}

static void start_write(struct rblk_failover *f, struct rblk_engine *e)
{
	struct rblk_ballot_job *job = rblk_xcalloc(1, sizeof(*job));

	job->place = place_of(f, e);
	job->store = f->store;
	job->keep = f->arbiter.store;
	f->writing = job;
	f->dirty = false;
	f->now = f->then;
	f->then.n = 0;
	e->ops->write_ballot(e->ctx, job);
}

void rblk_failover_settle(struct rblk_failover *f, struct rblk_engine *e)
{
	if (!f->stopping)
		f->keeper->settle(f, e);
}

static void settle(struct rblk_failover *f, struct rblk_engine *e)
{
	if (f->writing)
		return;
	if (f->dirty)
		start_write(f, e);
	else
		send_all(f, e, &f->then);
}

static void become_mute(struct rblk_failover *f, const char *why)
{
	f->arbiter.mute = true;
	rblk_text_copy(f->mute_why, sizeof(f->mute_why), why);
	rblk_log(RBLK_LOG_ERROR, f->name, NULL, "this node does not vote: %s", why);
}

/*
 * What could not be written was not said to anybody. It may be on the disk all the
 * same, or half of it: from here on this node says nothing until it starts anew.
 */
static void write_failed(struct rblk_failover *f, const char *why)
{
	char text[640];

	f->dirty = false;
	f->now.n = 0;
	f->then.n = 0;
	rblk_text_format(text, sizeof(text), "%s: mend that, then restart rblkd",
			 why);
	become_mute(f, text);
	f->retry_ms = UINT64_MAX;
}

void rblk_failover_written(struct rblk_engine *e, struct rblk_ballot_job *job)
{
	struct rblk_failover *f = rblk_failover_find(e, job->place.resource);

	if (!f || f->writing != job) {
		/* the resource has gone meanwhile */
		rblk_ballot_close(job->store);
		free(job->store);
		free(job);
		return;
	}
	f->writing = NULL;
	if (job->ok) {
		send_all(f, e, &f->now);
		rblk_failover_settle(f, e);
	} else {
		write_failed(f, job->why);
	}
	free(job);
	f->is_due = true;
}

static void open_store(struct rblk_failover *f, struct rblk_engine *e)
{
	struct rblk_ballot_place place = place_of(f, e);
	uint64_t now = e->ops->boottime_us(e->ctx) / 1000;
	struct rblk_arbiter_store kept;
	char why[sizeof(f->mute_why)];
	bool ok, fresh;

	rblk_ballot_close(f->store);
	ok = rblk_ballot_open(f->store, &place, &kept, why, sizeof(why));
	fresh = ok && kept.promised == 0;
	rblk_arbiter_start(&f->arbiter, place.node, ok && !fresh ? &kept : NULL,
			   f->lease_ms, f->margin_ms, now);
	f->fresh = false;
	f->retry_ms = UINT64_MAX;
	if (fresh)
		rblk_failover_begin_fresh(f, e, &kept);
	else if (ok)
		f->mute_why[0] = '\0';
	if (ok)
		return;
	if (strcmp(f->mute_why, why) != 0)
		become_mute(f, why);
	f->retry_ms = now + RETRY_MS;
}

/* Of many resources that are created one after the other, only those that are. */
static void open_again(struct rblk_failover *f, struct rblk_engine *e)
{
	struct rblk_ballot_place place = place_of(f, e);

	if (f->retry_ms == UINT64_MAX || !rblk_ballot_exists(&place))
		return;
	open_store(f, e);
	f->is_due = true;
}

/* ---- what the arbiter says ---- */

static const char *nodes_text(const struct rblk_engine *e, uint16_t nodes,
			      char *buf, size_t size)
{
	size_t len = 0;
	unsigned int i;

	buf[0] = '\0';
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		if (!(nodes & (1U << i)))
			continue;
		rblk_text_format(buf + len, size - len, "%s%s", len ? ", " : "",
				 rblk_engine_peer_name(e, i));
		len = strlen(buf);
	}
	return len ? buf : "nobody";
}

void rblk_failover_log_record(struct rblk_failover *f, struct rblk_engine *e,
			      const struct rblk_arbiter_record *r)
{
	bool votes = f->keeper == &rblk_failover_builtin;
	char in_sync[256], voters[256];

	if (r->version <= f->shown)
		return;
	f->shown = r->version;
	rblk_log(RBLK_LOG_INFO, f->name, NULL,
		 "register %llu: generation %llu, primary %s, in sync %s%s%s",
		 (unsigned long long)r->version, (unsigned long long)r->gen,
		 r->primary == RBLK_ARBITER_NOBODY ? "nobody" :
		 rblk_engine_peer_name(e, r->primary),
		 nodes_text(e, r->insync, in_sync, sizeof(in_sync)),
		 votes ? ", voters " : "",
		 votes ? nodes_text(e, r->voters, voters, sizeof(voters)) : "");
}

void rblk_failover_obey(struct rblk_failover *f, struct rblk_engine *e,
			const struct rblk_arbiter_out *out)
{
	uint8_t i;

	if (out->stop)
		rblk_failover_stop_kernel(f, e);
	if (out->persist)
		f->dirty = true;
	for (i = 0; i < out->nr_learned; i++)
		rblk_failover_log_record(f, e, &out->learned[i]);
	enqueue(&f->then, out);
	rblk_failover_settle(f, e);
	if (out->stop || out->persist || out->nr_learned ||
	    out->result != RBLK_ARBITER_NONE)
		f->is_due = true;
}

/* ---- the arbiter as the policy asks for it ---- */

static void propose(struct rblk_failover *f, struct rblk_engine *e,
		    enum rblk_arbiter_change change, uint16_t mask)
{
	struct rblk_arbiter_out said;

	rblk_arbiter_propose(&f->arbiter, change, mask,
			     e->ops->boottime_us(e->ctx) / 1000, &said);
	rblk_failover_obey(f, e, &said);
}

static void renew(struct rblk_failover *f, struct rblk_engine *e)
{
	struct rblk_arbiter_out said;

	rblk_arbiter_renew(&f->arbiter, e->ops->boottime_us(e->ctx) / 1000, &said);
	rblk_failover_obey(f, e, &said);
}

static void receive(struct rblk_failover *f, struct rblk_engine *e,
		    const struct rblk_arbiter_msg *msg)
{
	struct rblk_arbiter_out out;

	if (rblk_failover_is_about_fresh(f, e, msg))
		return;
	rblk_arbiter_receive(&f->arbiter, msg, e->ops->boottime_us(e->ctx) / 1000,
			     &out);
	rblk_failover_obey(f, e, &out);
	if (!f->arbiter.mute) {
		f->fresh = false;
		f->mute_why[0] = '\0';
	}
	if (msg->type == RBLK_ARBITER_GRANT)
		f->is_due = true;
}

/* Only what its arbiter says counts as contact. */
static void heard(struct rblk_failover *f, uint8_t node)
{
	(void)f;
	(void)node;
}

/* This node votes: it knew of a new primary before that one did. */
static uint16_t shun(struct rblk_failover *f, struct rblk_engine *e, uint16_t nodes)
{
	(void)f;
	(void)e;
	return nodes;
}

/* A store that was not there may have come. */
static uint64_t pass_time(struct rblk_failover *f, struct rblk_engine *e, uint64_t now)
{
	if (f->arbiter.mute && now >= f->retry_ms && !f->writing) {
		open_store(f, e);
		f->is_due = true;
	}
	return f->arbiter.mute ? f->retry_ms : UINT64_MAX;
}

const struct rblk_failover_arbiter rblk_failover_builtin = {
	.name = "builtin",
	.open = open_store,
	.open_again = open_again,
	.propose = propose,
	.renew = renew,
	.settle = settle,
	.receive = receive,
	.heard = heard,
	.shun = shun,
	.pass_time = pass_time,
};

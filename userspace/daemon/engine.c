// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * engine.c - reports in, decisions out
 */
#include "engine.h"

#include "failover.h"
#include "fork.h"
#include "ident.h"
#include "log.h"
#include "nodename.h"
#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* @i: unsigned int */
#define FOR_EACH_PEER(r, i) \
	for (i = next_peer(r, 0); i < RBLK_MAX_NODES; i = next_peer(r, i + 1))

static unsigned int next_peer(const struct rblk_engine_resource *r, unsigned int from)
{
	unsigned int left = r->peers >> from;

	return left ? from + __builtin_ctz(left) : RBLK_MAX_NODES;
}

const char *rblk_engine_peer_name(const struct rblk_engine *e, unsigned int id)
{
	static const char *const by_id[] = {
		"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12",
		"13", "14", "15",
	};
	const struct rblk_config_node *n = rblk_config_node_by_id(e->config, id);

	return n ? n->name : id < sizeof(by_id) / sizeof(by_id[0]) ? by_id[id] : "?";
}

uint64_t rblk_engine_now_ms(const struct rblk_engine *e)
{
	return e->ops->now_ms(e->ctx);
}

uint32_t rblk_engine_random(const struct rblk_engine *e)
{
	return e->ops->random(e->ctx);
}

struct rblk_engine_resource *rblk_engine_find(struct rblk_engine *e,
					      const char *name)
{
	struct rblk_engine_resource *r = e->resources;

	while (r && strcmp(r->name, name) != 0)
		r = r->next;
	return r;
}

static struct rblk_link_id id_of(const struct rblk_engine_resource *r,
				 unsigned int peer)
{
	struct rblk_link_id id = { .peer = peer };

	rblk_text_copy(id.resource, sizeof(id.resource), r->name);
	return id;
}

void rblk_engine_submit(struct rblk_engine *e, const struct rblk_kreq *reqs,
			size_t n,
			void (*done)(struct rblk_engine *e,
				     struct rblk_job *job), void *data)
{
	struct rblk_job *job = rblk_xcalloc(1, sizeof(*job));

	job->reqs = rblk_xcalloc(n, sizeof(*reqs));
	memcpy(job->reqs, reqs, n * sizeof(*reqs));
	job->n = n;
	job->done = done;
	job->data = data;
	e->ops->submit(e->ctx, job);
}

void rblk_engine_submit_promise(struct rblk_engine *e,
				struct rblk_engine_resource *r, uint64_t generation,
				const struct rblk_kreq *req, size_t n,
				void (*done)(struct rblk_engine *e,
					     struct rblk_job *job))
{
	struct rblk_job *job = rblk_xcalloc(1, sizeof(*job));

	if (generation > r->record.generation) {
		job->promise = r->record;
		job->promised_before = r->record.generation;
		job->promise.generation = generation;
		r->record.generation = generation;
	}
	job->reqs = rblk_xcalloc(1, sizeof(*req));
	job->reqs[0] = *req;
	job->n = n;
	job->done = done;
	e->ops->submit(e->ctx, job);
}

void rblk_job_keep_promise(struct rblk_job *job,
			   int (*save)(void *ctx, const char *resource,
				       const struct rblk_store_record *record),
			   void *ctx)
{
	int rc = 0;

	if (job->promise.generation)
		rc = save(ctx, job->reqs[0].name, &job->promise);
	job->promised = rc == 0;
	if (job->promised)
		return;
	job->err.code = -rc;
	rblk_text_format(job->err.text, sizeof(job->err.text),
			 "cannot store generation %llu: %s",
			 (unsigned long long)job->promise.generation, strerror(-rc));
}

/* What could not be stored is news again. */
static void forget_promise(struct rblk_engine *e, const struct rblk_job *job)
{
	struct rblk_engine_resource *r = rblk_engine_find(e, job->reqs[0].name);

	if (r && r->record.generation == job->promise.generation)
		r->record.generation = job->promised_before;
	rblk_log(RBLK_LOG_ERROR, job->reqs[0].name, NULL, "%s", job->err.text);
}

void rblk_job_done(struct rblk_engine *e, struct rblk_job *job)
{
	if (job->promise.generation && !job->promised)
		forget_promise(e, job);
	if (job->done)
		job->done(e, job);
	else if (job->failed < job->n)
		rblk_log(RBLK_LOG_DEBUG, job->reqs[0].name, NULL, "%s",
			 job->err.text);
	free(job->reqs);
	free(job);
	rblk_engine_run(e);
}

static bool load_key(struct rblk_engine *e, const struct rblk_config *config,
		     char **why)
{
	unsigned char key[RBLK_MAX_KEY_BYTES];
	char text[512];
	size_t len = rblk_config_read_key(config->key_file, key, text,
					  sizeof(text));

	if (len) {
		memcpy(e->key, key, len);
		e->key_len = len;
	} else {
		*why = rblk_xasprintf("%s:%d:%d: error: %s\n",
				      config->key_file_pos.file,
				      config->key_file_pos.line,
				      config->key_file_pos.col, text);
	}
	explicit_bzero(key, sizeof(key));
	return len > 0;
}

static bool check_config(struct rblk_engine *e, struct rblk_config *config,
			 char **why)
{
	char *nodes;

	if (config->diags.errors) {
		*why = rblk_diags_format(&config->diags);
		return false;
	}
	rblk_nodename_choose(config, e->wanted_node, e->node_name);
	if (!rblk_config_node(config, e->node_name)) {
		nodes = rblk_config_node_list(config);
		*why = rblk_xasprintf("%s: error: this node is \"%s\", which is not among the nodes (%s); say who it is with --node\n",
				      e->config_path, e->node_name, nodes);
		free(nodes);
		return false;
	}
	return load_key(e, config, why);
}

bool rblk_engine_load(struct rblk_engine *e, char **why)
{
	struct rblk_config *config = rblk_config_load(e->config_path);
	struct sockaddr_storage old = { 0 };

	if (!check_config(e, config, why)) {
		rblk_config_free(config);
		return false;
	}
	if (e->node)
		old = e->node->addr;
	rblk_config_free(e->config);
	e->config = config;
	e->node = rblk_config_node(config, e->node_name);
	if (old.ss_family && memcmp(&old, &e->node->addr, sizeof(old)) != 0)
		e->ops->listen(e->ctx, &e->node->addr);
	if (e->started)
		rblk_engine_follow(e);
	return true;
}

struct rblk_auth_identity rblk_engine_identity(const struct rblk_engine *e)
{
	return (struct rblk_auth_identity){
		.cluster = e->config->cluster, .node_id = e->node->id,
		.key = e->key, .key_len = e->key_len,
	};
}

static int store_generation(struct rblk_engine *e,
			    struct rblk_engine_resource *r, uint64_t generation)
{
	struct rblk_store_record record = r->record;
	int rc;

	record.generation = generation;
	rc = e->ops->save_record(e->ctx, r->name, &record);
	if (rc == 0)
		r->record = record;
	else
		rblk_log(RBLK_LOG_ERROR, r->name, NULL,
			 "cannot store generation %llu: %s",
			 (unsigned long long)generation, strerror(-rc));
	return rc;
}

int rblk_engine_promise(struct rblk_engine *e, struct rblk_engine_resource *r,
			uint64_t generation)
{
	if (generation <= r->record.generation)
		return 0;
	return store_generation(e, r, generation);
}

void rblk_engine_take_back(struct rblk_engine *e, const char *name,
			   uint64_t generation, uint64_t before)
{
	struct rblk_engine_resource *r = rblk_engine_find(e, name);
	struct rblk_kstate *state = rblk_xcalloc(1, sizeof(*state));
	struct rblk_genl_error err;

	/* Only the module knows for certain that it does not use it. */
	if (r && r->record.generation == generation &&
	    e->ops->get(e->ctx, name, state, &err) == 0 &&
	    state->resource.generation < generation)
		store_generation(e, r, state->resource.generation > before ?
				       state->resource.generation : before);
	free(state);
}

uint64_t
rblk_engine_highest_generation(const struct rblk_engine_resource *r)
{
	uint64_t highest = r->record.generation;
	unsigned int i;

	FOR_EACH_PEER(r, i)
		if (r->peer_generation[i] > highest)
			highest = r->peer_generation[i];
	return highest;
}

static void dial(struct rblk_engine *e, struct rblk_engine_resource *r,
		 unsigned int peer)
{
	const struct rblk_config_node *n = rblk_config_node_by_id(e->config,
								  peer);
	struct rblk_link_id id = id_of(r, peer);

	if (!n) {
		rblk_link_failed(&r->links[peer], rblk_engine_now_ms(e), rblk_engine_random(e),
				 true, "not in the configuration any more");
		return;
	}
	rblk_link_tried(&r->links[peer]);
	e->ops->dial(e->ctx, &id, &n->addr, rblk_engine_highest_generation(r));
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When rblk_engine_run() is due, by the clock of timers. */
static uint64_t run_ms(struct rblk_engine *e)
{
	uint64_t now_us;

	if (!e->wake_us || e->wake_us == UINT64_MAX)
		return UINT64_MAX;
	now_us = e->ops->boottime_us(e->ctx);
	return rblk_engine_now_ms(e) +
	       (e->wake_us > now_us ? (e->wake_us - now_us + 999) / 1000 : 0);
}

void rblk_engine_schedule(struct rblk_engine *e)
{
	struct rblk_engine_resource *r;
	uint64_t next = UINT64_MAX;
	unsigned int i;

	for (r = e->resources; r; r = r->next)
		FOR_EACH_PEER(r, i)
			if ((r->links[i].state == RBLK_LINK_WAIT ||
			     r->links[i].state == RBLK_LINK_IDLE) &&
			    r->links[i].due_ms < next)
				next = r->links[i].due_ms;
	next = min_u64(next, run_ms(e));
	if (next != UINT64_MAX)
		e->ops->wake_at(e->ctx, next);
}

void rblk_engine_tick(struct rblk_engine *e)
{
	struct rblk_engine_resource *r;
	unsigned int i;

	for (r = e->resources; r; r = r->next)
		FOR_EACH_PEER(r, i)
			if (rblk_link_is_due(&r->links[i], rblk_engine_now_ms(e)))
				dial(e, r, i);
	rblk_engine_run(e);
	rblk_engine_schedule(e);
}

/* Compare the kernel's view of one link with ours. */
static void observe(struct rblk_engine *e, struct rblk_engine_resource *r,
		    const struct rblk_kpeer *k)
{
	struct rblk_link *link = &r->links[k->node_id];
	enum rblk_link_state before = link->state;
	const char *reason = k->reason[0] ? k->reason : "the connection ended";
	char text[RBLK_FORK_SIZE];

	rblk_link_observed(link, rblk_engine_now_ms(e), rblk_engine_random(e),
			   k->conn, reason);
	if (link->state == before)
		return;
	if (link->state == RBLK_LINK_UP)
		rblk_log(RBLK_LOG_INFO, r->name, rblk_engine_peer_name(e, k->node_id),
			 "connected");
	else if (before >= RBLK_LINK_ATTACHED &&
		 (rblk_link_is_news(link) || before == RBLK_LINK_UP))
		rblk_log(RBLK_LOG_WARNING, r->name, rblk_engine_peer_name(e, k->node_id),
			 "%s: %s", before == RBLK_LINK_UP ? "lost" :
			 "not connected",
			 rblk_fork_explain(text, sizeof(text), e->node_name, k,
					   link->reason));
}

/*
 * What the module promised is kept here as well. With many resources that fail over at
 * a time that must not hold up heartbeats.
 */
static void keep_up(struct rblk_engine *e, struct rblk_engine_resource *r,
		    uint64_t generation)
{
	struct rblk_kreq req = { .cmd = 0 };

	if (generation <= r->record.generation)
		return;
	if (!rblk_failover_find(e, r->name)) {
		rblk_engine_promise(e, r, generation);
		return;
	}
	rblk_text_copy(req.name, sizeof(req.name), r->name);
	rblk_engine_submit_promise(e, r, generation, &req, 0, NULL);
}

static void observe_all(struct rblk_engine *e, struct rblk_engine_resource *r,
			const struct rblk_kstate *state)
{
	size_t i;

	for (i = 0; i < state->peers_n; i++)
		if (r->peers & (1U << state->peers[i].node_id))
			observe(e, r, &state->peers[i]);
	keep_up(e, r, state->resource.generation);
}

/* The peers that the kernel has are those we connect. */
static void take_peers(struct rblk_engine *e, struct rblk_engine_resource *r,
		       const struct rblk_kstate *state)
{
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++) {
		bool there = rblk_kstate_peer(state, i);
		struct rblk_link_id id = id_of(r, i);

		if (there == !!(r->peers & (1U << i)))
			continue;
		r->peers ^= 1U << i;
		if (!there) {
			e->ops->hang_up(e->ctx, &id);
			e->ops->mark_off(e->ctx, &id, false);
			continue;
		}
		rblk_link_init(&r->links[i], e->node->id < i,
			       rblk_engine_now_ms(e));
		if (e->ops->is_marked_off(e->ctx, &id))
			rblk_link_disable(&r->links[i]);
	}
}

static struct rblk_engine_resource *
add_resource(struct rblk_engine *e, const struct rblk_kstate *state)
{
	struct rblk_engine_resource *r = rblk_xcalloc(1, sizeof(*r));

	rblk_text_copy(r->name, sizeof(r->name), state->name);
	memcpy(r->record.uuid, state->resource.uuid, sizeof(r->record.uuid));
	/* a damaged record was refused at "up"; the kernel's word is as good */
	(void)e->ops->load_record(e->ctx, r->name, &r->record);
	r->next = e->resources;
	e->resources = r;
	return r;
}

struct rblk_engine_resource *
rblk_engine_adopt(struct rblk_engine *e, const struct rblk_kstate *state)
{
	const struct rblk_config_resource *c;
	struct rblk_engine_resource *r = rblk_engine_find(e, state->name);
	uint8_t uuid[RBLK_UUID_SIZE];

	if (!r) {
		c = rblk_config_resource(e->config, state->name);
		rblk_ident_uuid(e->config->cluster, state->name, uuid);
		if (!c || state->resource.node_id != e->node->id ||
		    memcmp(uuid, state->resource.uuid, sizeof(uuid)) != 0) {
			rblk_log(RBLK_LOG_WARNING, state->name, NULL,
				 "is up in the kernel but not in the configuration of this node: left alone");
			return NULL;
		}
		r = add_resource(e, state);
	}
	take_peers(e, r, state);
	observe_all(e, r, state);
	rblk_failover_due(e, r->name);
	return r;
}

void rblk_engine_forget(struct rblk_engine *e, const char *name)
{
	struct rblk_engine_resource **at = &e->resources;
	struct rblk_engine_resource *r;
	unsigned int i;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	r = *at;
	if (!r)
		return;
	FOR_EACH_PEER(r, i) {
		struct rblk_link_id id = id_of(r, i);

		e->ops->hang_up(e->ctx, &id);
		e->ops->mark_off(e->ctx, &id, false);
	}
	*at = r->next;
	free(r);
	rblk_failover_due(e, name);
}

/* Bring our list in line with a complete one of the kernel. */
static int synchronise(struct rblk_engine *e, struct rblk_genl_error *err)
{
	struct rblk_engine_resource *r, *next;
	struct rblk_kstate *states;
	size_t n, i;
	int rc = e->ops->dump(e->ctx, &states, &n, err);

	if (rc < 0)
		return rc;
	for (r = e->resources; r; r = next) {
		next = r->next;
		for (i = 0; i < n && strcmp(states[i].name, r->name) != 0; i++)
			;
		if (i == n)
			rblk_engine_forget(e, r->name);
	}
	for (i = 0; i < n; i++)
		rblk_engine_adopt(e, &states[i]);
	free(states);
	rblk_engine_schedule(e);
	return 0;
}

int rblk_engine_start(struct rblk_engine *e, struct rblk_genl_error *err)
{
	int rc = synchronise(e, err);

	e->started = rc == 0;
	if (e->started)
		rblk_engine_follow(e);
	return rc;
}

void rblk_engine_stop(struct rblk_engine *e)
{
	struct rblk_engine_resource *r;

	while ((r = e->resources)) {
		e->resources = r->next;
		free(r);
	}
	rblk_failover_stop(e);
	rblk_cluster_stop(&e->cluster);
	rblk_config_free(e->config);
	e->config = NULL;
	explicit_bzero(e->key, sizeof(e->key));
}

/*
 * An event says that something changed, some time ago. What is true now is
 * asked for: a late "down" must not end a link that is being set up anew.
 */
void rblk_engine_refresh(struct rblk_engine *e, const char *name)
{
	struct rblk_kstate *state = rblk_xcalloc(1, sizeof(*state));
	struct rblk_genl_error err;
	int rc = e->ops->get(e->ctx, name, state, &err);

	if (rc == 0)
		rblk_engine_adopt(e, state);
	else if (rc == -ENOENT)
		rblk_engine_forget(e, name);
	free(state);
}

void rblk_engine_kernel_event(struct rblk_engine *e,
			      const struct rblk_kevent *event)
{
	struct rblk_engine_resource *r = rblk_engine_find(e, event->name);

	if (!r) {
		if (event->nest == RBLK_A_RESOURCE &&
		    event->info.kind == RBLK_EVENT_CREATED)
			rblk_engine_refresh(e, event->name);
	} else if (event->nest == RBLK_A_PEER &&
		   event->peer.conn == RBLK_CONN_UP) {
		/* may be over by now, but it tells a loss from a refusal */
		if (r->peers & (1U << event->peer.node_id))
			observe(e, r, &event->peer);
		rblk_engine_refresh(e, event->name);
	} else if (event->nest != RBLK_A_VOLUME) {
		rblk_engine_refresh(e, event->name);
	} else {
		rblk_failover_due(e, event->name);
	}
	rblk_engine_run(e);
	rblk_engine_schedule(e);
}

void rblk_engine_kernel_lost(struct rblk_engine *e)
{
	struct rblk_genl_error err;

	rblk_log(RBLK_LOG_INFO, NULL, NULL, "events were lost: asking again");
	if (synchronise(e, &err) < 0)
		rblk_log(RBLK_LOG_ERROR, NULL, NULL,
			 "cannot list resources: %s", err.text);
	rblk_engine_run(e);
}

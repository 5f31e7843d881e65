// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * verbs.c - what the command asks the daemon to do
 *
 * Request:  {"schema": "rblk.control/1", "verb": "up", "resource": "r0", …}
 * Answer:   {"schema": "rblk.control/1", "code": 0, "text": "…",
 *            "results": [{"resource": "r0", "code": 0, "text": "up"}]}
 * The code of the answer is the highest of its results.
 */
#include "ctlproto.h"
#include "engine.h"
#include "exitcode.h"
#include "lineage.h"
#include "log.h"
#include "text.h"
#include "verbs.h"
#include "xalloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rblk_outcome rblk_outcome_say(int code, const char *fmt, ...)
{
	struct rblk_outcome out = { .code = code };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out.text, sizeof(out.text), fmt, ap);
	va_end(ap);
	return out;
}

struct rblk_outcome rblk_outcome_error(const struct rblk_genl_error *err)
{
	return rblk_outcome_say(rblk_exit_from_refusal(err->code,
						       err->is_said), "%s",
				err->text);
}

static struct rblk_outcome not_up(const struct rblk_engine *e,
				  const char *name)
{
	if (rblk_config_resource(e->config, name))
		return rblk_outcome_say(RBLK_EXIT_NOT_FOUND,
					"is not up: run 'rblk up %s'", name);
	return rblk_outcome_say(RBLK_EXIT_NOT_FOUND, "no such resource");
}

/* ---- calls ---- */

struct rblk_call {
	rblk_reply_fn reply;
	void *ctx;
	unsigned int holds;
	json_t *results;
	char *text;
	int code;
};

/* The outcome is not known yet: whoever holds the call will say. */
static const struct rblk_outcome later = { .code = -1 };

void rblk_call_hold(struct rblk_call *call)
{
	call->holds++;
}

void rblk_call_release(struct rblk_call *call)
{
	if (--call->holds)
		return;
	call->reply(call->ctx, rblk_ctl_answer(call->code, call->text,
					       call->results));
	free(call->text);
	free(call);
}

void rblk_call_result(struct rblk_call *call, const char *resource,
		      const struct rblk_outcome *out)
{
	json_t *result;

	if (out->code == later.code)
		return;
	result = json_pack("{s:s,s:i,s:s}", "resource", resource, "code",
			   out->code, "text", out->text);
	if (result)
		json_array_append_new(call->results, result);
	if (out->code > call->code)
		call->code = out->code;
}

void rblk_call_add(struct rblk_call *call, json_t *result)
{
	json_array_append_new(call->results, result);
}

static void fail_call(struct rblk_call *call, int code, const char *text)
{
	call->code = code;
	free(call->text);
	call->text = rblk_xstrdup(text);
}

/* ---- promote ---- */

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

struct promotion {
	struct rblk_call *call;
	uint64_t generation;
	uint64_t before;
};

static void promotion_done(struct rblk_engine *e, struct rblk_job *job)
{
	struct promotion *p = job->data;
	unsigned long long generation = p->generation;
	const char *name = job->reqs[0].name;
	struct rblk_outcome out;

	if (job->failed == job->n) {
		rblk_log(RBLK_LOG_INFO, name, NULL, "primary, generation %llu",
			 generation);
		out = rblk_outcome_say(RBLK_EXIT_OK, "primary, generation %llu",
				       generation);
	} else if (job->err.code == EALREADY) {
		out = rblk_outcome_say(RBLK_EXIT_OK, "already primary");
	} else {
		rblk_engine_take_back(e, name, p->generation, p->before);
		out = rblk_outcome_error(&job->err);
	}
	rblk_call_result(p->call, name, &out);
	rblk_call_release(p->call);
	free(p);
}

static struct rblk_outcome promote_to(struct rblk_engine *e,
				      struct rblk_engine_resource *r,
				      uint64_t generation, uint32_t flags,
				      struct rblk_call *call)
{
	struct rblk_kreq req = {
		.cmd = RBLK_CMD_PROMOTE, .generation = generation,
		.has = RBLK_HAS(RBLK_A_GENERATION) |
		       (flags ? RBLK_HAS(RBLK_A_FLAGS) : 0),
		.flags = flags,
	};
	uint64_t before = r->record.generation;
	struct promotion *p;
	int rc;

	rc = rblk_engine_promise(e, r, generation);
	if (rc < 0)
		return rblk_outcome_say(RBLK_EXIT_REFUSED,
					"cannot store generation %llu: %s",
					(unsigned long long)generation,
					strerror(-rc));
	rblk_text_copy(req.name, sizeof(req.name), r->name);
	p = rblk_xcalloc(1, sizeof(*p));
	p->call = call;
	p->generation = generation;
	p->before = before;
	rblk_call_hold(call);
	rblk_engine_submit(e, &req, 1, promotion_done, p);
	return later;
}

/*
 * A node of which there are two, or that was set back with all that it keeps, does
 * not know which generations were its own: by chance it takes another one. Small
 * against RBLK_GEN_LEAP, which a node that was away must still believe.
 */
static uint64_t leap(const struct rblk_engine *e)
{
	return (uint64_t)(rblk_engine_random(e) >> 12) * RBLK_MAX_NODES;
}

static struct rblk_outcome promote(struct rblk_engine *e, const char *name,
				   const json_t *request,
				   struct rblk_call *call)
{
	struct rblk_engine_resource *r = rblk_engine_find(e, name);
	struct rblk_kstate *state;
	struct rblk_genl_error err;
	struct rblk_outcome out;
	uint64_t generation;
	uint32_t flags = 0;
	unsigned int i;

	if (!r)
		return not_up(e, name);
	if (json_is_true(json_object_get(request, "force")))
		flags |= RBLK_FLAG_FORCE;
	if (json_is_true(json_object_get(request, "assume_clean")))
		flags |= RBLK_FLAG_ASSUME_CLEAN;
	state = rblk_xcalloc(1, sizeof(*state));
	if (e->ops->get(e->ctx, name, state, &err) < 0) {
		out = rblk_outcome_error(&err);
	} else if (state->resource.role == RBLK_ROLE_PRIMARY) {
		out = rblk_outcome_say(RBLK_EXIT_OK, "already primary");
	} else {
		generation = max_u64(state->resource.generation,
				     r->record.generation);
		for (i = 0; i < RBLK_MAX_NODES; i++)
			generation = max_u64(generation, r->peer_generation[i]);
		generation = rblk_lineage_next_gen(generation + leap(e),
						   e->node->id);
		out = promote_to(e, r, generation, flags, call);
	}
	free(state);
	return out;
}

/* ---- links ---- */

typedef void (*link_fn)(struct rblk_engine *e, struct rblk_engine_resource *r,
			const struct rblk_link_id *id, struct rblk_call *call);

static void connect_link(struct rblk_engine *e, struct rblk_engine_resource *r,
			 const struct rblk_link_id *id, struct rblk_call *call)
{
	(void)call;
	e->ops->mark_off(e->ctx, id, false);
	rblk_link_enable(&r->links[id->peer], e->ops->now_ms(e->ctx));
}

static void detached(struct rblk_engine *e, struct rblk_job *job)
{
	(void)e;
	if (job->failed < job->n)
		rblk_log(RBLK_LOG_WARNING, job->reqs[0].name, NULL,
			 "detach: %s", job->err.text);
	rblk_call_release(job->data);
}

static void disconnect_link(struct rblk_engine *e,
			    struct rblk_engine_resource *r,
			    const struct rblk_link_id *id,
			    struct rblk_call *call)
{
	struct rblk_kreq req = {
		.cmd = RBLK_CMD_LINK_DETACH, .nest = RBLK_A_PEER,
		.peer = { .has = RBLK_HAS(RBLK_PEER_NODE_ID),
			  .node_id = id->peer },
	};

	e->ops->mark_off(e->ctx, id, true);
	rblk_link_disable(&r->links[id->peer]);
	e->ops->hang_up(e->ctx, id);
	rblk_text_copy(req.name, sizeof(req.name), id->resource);
	/* the answer comes when the links are down */
	rblk_call_hold(call);
	rblk_engine_submit(e, &req, 1, detached, call);
}

static struct rblk_outcome for_links(struct rblk_engine *e, const char *name,
				     const json_t *request, link_fn fn,
				     struct rblk_call *call, const char *done)
{
	const char *peer = json_string_value(json_object_get(request, "peer"));
	struct rblk_engine_resource *r = rblk_engine_find(e, name);
	struct rblk_link_id id = { .peer = 0 };
	unsigned int i, n = 0;

	if (!r)
		return not_up(e, name);
	rblk_text_copy(id.resource, sizeof(id.resource), name);
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		const struct rblk_config_node *node =
			rblk_config_node_by_id(e->config, i);

		if (!(r->peers & (1U << i)) ||
		    (peer && (!node || strcmp(node->name, peer) != 0)))
			continue;
		id.peer = i;
		fn(e, r, &id, call);
		n++;
	}
	rblk_engine_tick(e);
	if (n == 0 && peer)
		return rblk_outcome_say(RBLK_EXIT_NOT_FOUND, "has no peer %s",
					peer);
	return rblk_outcome_say(RBLK_EXIT_OK, "%s", done);
}

/* ---- verbs ---- */

static void verb_promote(struct rblk_engine *e, const char *name,
			 const json_t *request, struct rblk_call *call)
{
	struct rblk_outcome out;

	if (rblk_verb_promote_automatic(e, name, request, call))
		return;
	out = promote(e, name, request, call);
	rblk_call_result(call, name, &out);
}

static void verb_connect(struct rblk_engine *e, const char *name,
			 const json_t *request, struct rblk_call *call)
{
	struct rblk_outcome out = for_links(e, name, request, connect_link,
					    call, "connecting");

	rblk_call_result(call, name, &out);
}

static void verb_disconnect(struct rblk_engine *e, const char *name,
			    const json_t *request, struct rblk_call *call)
{
	struct rblk_outcome out = for_links(e, name, request, disconnect_link,
					    call, "disconnected");

	rblk_call_result(call, name, &out);
}

/* The command has taken it down; do not wait for the event. */
static void verb_down(struct rblk_engine *e, const char *name,
		      const json_t *request, struct rblk_call *call)
{
	struct rblk_outcome out = rblk_outcome_say(RBLK_EXIT_OK, "down");
	struct rblk_kstate *state = rblk_xcalloc(1, sizeof(*state));
	struct rblk_genl_error err;

	(void)request;
	if (e->ops->get(e->ctx, name, state, &err) == -ENOENT)
		rblk_engine_forget(e, name);
	free(state);
	rblk_call_result(call, name, &out);
}

static void list_links(struct rblk_engine *e, const json_t *request,
		       struct rblk_call *call)
{
	struct rblk_engine_resource *r;
	unsigned int i;

	(void)request;
	for (r = e->resources; r; r = r->next) {
		for (i = 0; i < RBLK_MAX_NODES; i++) {
			const struct rblk_link *l = &r->links[i];
			uint64_t now = e->ops->now_ms(e->ctx);

			if (!(r->peers & (1U << i)))
				continue;
			rblk_call_add(call, json_pack(
				"{s:s,s:i,s:s,s:s,s:o}", "resource", r->name,
				"peer_id", (int)i, "state",
				rblk_link_state_name(l->state), "reason",
				l->reason, "retry_in_ms",
				l->state != RBLK_LINK_WAIT ? json_null() :
				json_integer(l->due_ms > now ?
					     (json_int_t)(l->due_ms - now) : 0)));
		}
	}
}

/* ---- requests ---- */

static void show_cluster(struct rblk_engine *e, const json_t *request,
			 struct rblk_call *call)
{
	(void)request;
	rblk_call_add(call, rblk_cluster_show(&e->cluster));
}

struct verb {
	const char *name;
	rblk_verb_fn fn;		/* for each resource that is meant */
	bool reloads;			/* reads the configuration first */
	/* instead of @fn: it is about no resource */
	void (*whole)(struct rblk_engine *e, const json_t *request,
		      struct rblk_call *call);
};

static const struct verb verbs[] = {
	{ "up", rblk_verb_up, true, NULL },
	{ "adjust", rblk_verb_adjust, true, NULL },
	{ "down", verb_down, false, NULL },
	{ "promote", verb_promote, false, NULL },
	{ "demote", rblk_verb_demote, false, NULL },
	{ "connect", verb_connect, false, NULL },
	{ "disconnect", verb_disconnect, false, NULL },
	{ "failover", rblk_verb_failover, false, NULL },
	{ "readmit", rblk_verb_readmit, false, NULL },
	{ "dismiss", rblk_verb_dismiss, false, NULL },
	{ "history", rblk_verb_history, false, NULL },
	{ "links", NULL, false, list_links },
	{ "cluster", NULL, false, show_cluster },
	{ "evict", NULL, false, rblk_verb_evict },
	{ "fence", NULL, false, rblk_verb_fence },
	{ "reload", NULL, true, NULL },
	{ NULL, NULL, false, NULL },
};

static void run(struct rblk_engine *e, const struct verb *verb,
		const json_t *request, struct rblk_call *call)
{
	const char *name = json_string_value(json_object_get(request,
							     "resource"));
	size_t i;

	if (!verb->fn) {
		if (verb->whole)
			verb->whole(e, request, call);
		return;
	}
	if (name) {
		verb->fn(e, name, request, call);
		return;
	}
	if (!json_is_true(json_object_get(request, "all"))) {
		fail_call(call, RBLK_EXIT_USAGE, "which resource?");
		return;
	}
	for (i = 0; i < e->config->resources_n; i++) {
		const struct rblk_config_resource *r = &e->config->resources[i];

		if ((r->members | r->witnesses) & (1U << e->node->id))
			verb->fn(e, r->name, request, call);
	}
}

static void control(struct rblk_engine *e, const json_t *request,
		    struct rblk_call *call)
{
	const char *schema = json_string_value(json_object_get(request,
							       "schema"));
	const char *name = json_string_value(json_object_get(request, "verb"));
	const struct verb *verb = verbs;
	char *why = NULL;

	while (verb->name && (!name || strcmp(verb->name, name) != 0))
		verb++;
	if (!schema || strcmp(schema, RBLK_CTL_SCHEMA) != 0)
		fail_call(call, RBLK_EXIT_USAGE,
			  "the request is not of schema " RBLK_CTL_SCHEMA);
	else if (!verb->name)
		fail_call(call, RBLK_EXIT_USAGE, "unknown verb");
	else if (verb->reloads && !rblk_engine_load(e, &why))
		fail_call(call, RBLK_EXIT_CONFIG, why);
	else
		run(e, verb, request, call);
	free(why);
}

void rblk_engine_control(struct rblk_engine *e, const json_t *request,
			 rblk_reply_fn reply, void *ctx)
{
	struct rblk_call *call = rblk_xcalloc(1, sizeof(*call));

	call->reply = reply;
	call->ctx = ctx;
	call->results = json_array();
	call->text = rblk_xstrdup("");
	rblk_call_hold(call);
	control(e, request, call);
	rblk_call_release(call);
	rblk_engine_run(e);
}

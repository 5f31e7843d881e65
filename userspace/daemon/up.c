// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * up.c - bring a resource up: all of it or nothing
 */
#include "exitcode.h"
#include "log.h"
#include "plan.h"
#include "text.h"
#include "verbs.h"
#include "xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum wish { UP, ADJUST, TELL };

/* A resource on its way to what is configured. */
struct wanted {
	struct rblk_call *call;
	char name[RBLK_NAME_SIZE];
	enum wish wish;
	struct rblk_plan plan;
	struct rblk_plan todo;		/* of adjust */
	char what[512];			/* and in words */
	struct rblk_outcome out;
};

/* It is over: answer and forget it. */
static void conclude(struct rblk_engine *e, struct wanted *w,
		     struct rblk_outcome out)
{
	rblk_call_result(w->call, w->name, &out);
	rblk_call_release(w->call);
	rblk_plan_free(&w->plan);
	rblk_plan_free(&w->todo);
	free(w);
	rblk_engine_schedule(e);
}

static const char *describe(const struct rblk_kreq *req, char *buf, size_t size)
{
	if (req->nest == RBLK_A_VOLUME)
		return rblk_text_format(buf, size, "volume %u (%s): ",
					req->volume.id, req->volume.disk);
	if (req->nest == RBLK_A_PEER)
		return rblk_text_format(buf, size, "peer %s: ",
					req->peer.node_name);
	return "";
}

/* Why @job ended early. */
static struct rblk_outcome refusal(const struct rblk_job *job)
{
	char what[RBLK_DISK_SIZE + 64];

	return rblk_outcome_say(rblk_exit_from_refusal(job->err.code,
							job->err.is_said),
				"%s%s", describe(&job->reqs[job->failed], what,
						 sizeof(what)), job->err.text);
}

/* Take over what the kernel has now; @done is what to say of it. */
static struct rblk_outcome adopt(struct rblk_engine *e, const char *name,
				 struct rblk_outcome done)
{
	struct rblk_kstate *state = rblk_xcalloc(1, sizeof(*state));
	struct rblk_genl_error err;

	if (e->ops->get(e->ctx, name, state, &err) < 0)
		done = rblk_outcome_error(&err);
	else
		rblk_engine_adopt(e, state);
	free(state);
	/* whether it fails over by itself is known to the module now */
	if (e->started)
		rblk_engine_follow(e);
	return done;
}

/* ---- up ---- */

static void undone(struct rblk_engine *e, struct rblk_job *job)
{
	struct wanted *w = job->data;

	if (job->failed < job->n)
		rblk_log(RBLK_LOG_ERROR, w->name, NULL,
			 "cannot take back what failed half-way: %s",
			 job->err.text);
	conclude(e, w, w->out);
}

static void brought_up(struct rblk_engine *e, struct rblk_job *job)
{
	struct rblk_kreq undo = {
		.cmd = RBLK_CMD_RESOURCE_DEL,
		.has = RBLK_HAS(RBLK_A_FLAGS), .flags = RBLK_FLAG_FORCE,
	};
	struct wanted *w = job->data;

	if (job->failed == job->n) {
		rblk_log(RBLK_LOG_INFO, w->name, NULL, "up");
		conclude(e, w, adopt(e, w->name,
				     rblk_outcome_say(RBLK_EXIT_OK, "up")));
		return;
	}
	w->out = refusal(job);
	if (job->failed == 0) {
		conclude(e, w, w->out);
		return;
	}
	rblk_text_copy(undo.name, sizeof(undo.name), w->name);
	rblk_engine_submit(e, &undo, 1, undone, w);
}

/* ---- adjust ---- */

/* Take back the peers that the first requests of @job added. */
static void take_back(struct rblk_engine *e, const struct rblk_job *job,
		      struct wanted *w)
{
	struct rblk_kreq *undo = rblk_xcalloc(job->failed, sizeof(*undo));
	size_t i;

	for (i = 0; i < job->failed; i++) {
		undo[i] = job->reqs[i];
		undo[i].cmd = RBLK_CMD_PEER_DEL;
		undo[i].peer.has = RBLK_HAS(RBLK_PEER_NODE_ID);
	}
	rblk_engine_submit(e, undo, job->failed, undone, w);
	free(undo);
}

static void adjusted(struct rblk_engine *e, struct rblk_job *job)
{
	struct wanted *w = job->data;

	if (job->failed == job->n) {
		rblk_log(RBLK_LOG_INFO, w->name, NULL, "adjusted: %s", w->what);
		conclude(e, w, adopt(e, w->name,
				     rblk_outcome_say(RBLK_EXIT_OK,
						      "adjusted: %s",
						      w->what)));
		return;
	}
	w->out = refusal(job);
	if (job->failed && job->reqs[job->failed].cmd == RBLK_CMD_PEER_NEW)
		take_back(e, job, w);
	else
		conclude(e, w, w->out);
}

/* It is up: make it as configured, or say what differs. */
static void adjust(struct rblk_engine *e, struct wanted *w,
		   const struct rblk_kstate *state)
{
	if (!rblk_plan_may_adjust(&w->plan, state, w->what, sizeof(w->what))) {
		conclude(e, w, rblk_outcome_say(RBLK_EXIT_REFUSED,
			 "is up with another configuration (%s): that is fixed while it is up; run 'rblk down %s', then 'rblk up %s'",
			 w->what, w->name, w->name));
		return;
	}
	rblk_plan_adjust(&w->todo, &w->plan, state, w->what, sizeof(w->what));
	if (w->todo.n == 0) {
		rblk_engine_adopt(e, state);
		conclude(e, w, rblk_outcome_say(RBLK_EXIT_OK, "%s",
			 w->wish == UP ? "already up" : "as configured"));
	} else if (w->wish == UP) {
		conclude(e, w, rblk_outcome_say(RBLK_EXIT_REFUSED,
			 "is up with another configuration (%s): run 'rblk adjust %s'",
			 w->what, w->name));
	} else if (w->wish == TELL) {
		conclude(e, w, rblk_outcome_say(RBLK_EXIT_OK,
						"would change: %s", w->what));
	} else {
		rblk_engine_submit(e, w->todo.reqs, w->todo.n, adjusted, w);
	}
}

/* ---- both ---- */

static struct rblk_outcome check_record(const char *name, int rc)
{
	if (rc == 0 || rc == -ENOENT)
		return rblk_outcome_say(RBLK_EXIT_OK, "%s", "");
	if (rc == -EBADMSG)
		return rblk_outcome_say(RBLK_EXIT_REFUSED,
			"the stored generation (%s.state in the state directory) is damaged; remove that file if another node has been primary since it was last good, else restore it",
			name);
	if (rc == -ESTALE)
		return rblk_outcome_say(RBLK_EXIT_REFUSED,
			"the stored generation (%s.state in the state directory) is of another cluster; move that file away",
			name);
	return rblk_outcome_say(RBLK_EXIT_REFUSED,
				"cannot read the stored generation: %s",
				strerror(-rc));
}

static void start(struct rblk_engine *e, struct wanted *w)
{
	struct rblk_kstate *state = rblk_xcalloc(1, sizeof(*state));
	struct rblk_genl_error err;
	int rc = e->ops->get(e->ctx, w->name, state, &err);

	if (rc == 0)
		adjust(e, w, state);
	else if (rc != -ENOENT)
		conclude(e, w, rblk_outcome_error(&err));
	else if (w->wish == TELL)
		conclude(e, w, rblk_outcome_say(RBLK_EXIT_OK,
						"would be brought up"));
	else
		rblk_engine_submit(e, w->plan.reqs, w->plan.n, brought_up, w);
	free(state);
}

static void as_configured(struct rblk_engine *e, const char *name,
			  enum wish wish, struct rblk_call *call)
{
	const struct rblk_config_resource *c = rblk_config_resource(e->config,
								    name);
	struct wanted *w = rblk_xcalloc(1, sizeof(*w));
	struct rblk_store_record record;
	struct rblk_outcome out;

	w->call = call;
	w->wish = wish;
	rblk_text_copy(w->name, sizeof(w->name), name);
	rblk_call_hold(call);
	if (!c) {
		conclude(e, w, rblk_outcome_say(RBLK_EXIT_NOT_FOUND,
			 "no such resource in the configuration"));
		return;
	}
	if (c->witnesses & (1U << e->node->id)) {
		conclude(e, w, rblk_outcome_say(RBLK_EXIT_OK,
			 "this node is a witness: it votes while rblkd runs, and holds no data"));
		return;
	}
	if (!(c->members & (1U << e->node->id))) {
		conclude(e, w, rblk_outcome_say(RBLK_EXIT_REFUSED,
			 "is not configured on this node (%s)", e->node_name));
		return;
	}
	rblk_plan_up(&w->plan, e->config, e->node, c, 0);
	memcpy(record.uuid, w->plan.reqs[0].resource.uuid, sizeof(record.uuid));
	out = check_record(name, e->ops->load_record(e->ctx, name, &record));
	if (out.code) {
		conclude(e, w, out);
		return;
	}
	w->plan.reqs[0].resource.generation = record.generation;
	start(e, w);
}

void rblk_verb_up(struct rblk_engine *e, const char *name,
		  const json_t *request, struct rblk_call *call)
{
	(void)request;
	as_configured(e, name, UP, call);
}

void rblk_verb_adjust(struct rblk_engine *e, const char *name,
		      const json_t *request, struct rblk_call *call)
{
	bool tell = json_is_true(json_object_get(request, "dry_run"));

	as_configured(e, name, tell ? TELL : ADJUST, call);
}

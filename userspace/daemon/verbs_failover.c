// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * verbs_failover.c - requests about resources that fail over by themselves
 */
#include "failover.h"

#include "exitcode.h"
#include "history.h"
#include "verbs.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_MS	60000	/* of a promotion or demotion that was asked for */

static bool is_set(const json_t *request, const char *key)
{
	return json_is_true(json_object_get(request, key));
}

/* Flags are for data without a history; else they would overrule the register. */
static bool may_have_flags(struct rblk_engine *e, const char *name,
			   struct rblk_outcome *out)
{
	struct rblk_kstate *state = rblk_xcalloc(1, sizeof(*state));
	struct rblk_genl_error err;
	bool ok = false;

	if (e->ops->get(e->ctx, name, state, &err) < 0)
		*out = rblk_outcome_error(&err);
	else if (state->resource.data != RBLK_DATA_NEW)
		*out = rblk_outcome_say(RBLK_EXIT_REFUSED,
			"fails over automatically: its register says who may be primary, and force would make two; to decide by hand set failover = manual on all nodes, then 'rblk adjust %s'",
			name);
	else
		ok = true;
	free(state);
	return ok;
}

bool rblk_verb_promote_automatic(struct rblk_engine *e, const char *name,
				 const json_t *request, struct rblk_call *call)
{
	struct rblk_failover *f = rblk_failover_find(e, name);
	struct rblk_outcome out;
	uint32_t flags = 0;

	if (!f)
		return false;
	if (is_set(request, "force"))
		flags |= RBLK_FLAG_FORCE;
	if (is_set(request, "assume_clean"))
		flags |= RBLK_FLAG_ASSUME_CLEAN;
	if (!(f->data & (1U << e->node->id))) {
		out = rblk_outcome_say(RBLK_EXIT_REFUSED,
			"this node holds no data of it: promote it on one that does");
		rblk_call_result(call, name, &out);
	} else if (!rblk_engine_find(e, name)) {
		out = rblk_outcome_say(RBLK_EXIT_NOT_FOUND,
				       "is not up: run 'rblk up %s'", name);
		rblk_call_result(call, name, &out);
	} else if (flags && !may_have_flags(e, name, &out)) {
		rblk_call_result(call, name, &out);
	} else {
		rblk_failover_ask(f, e, RBLK_POLICY_WANT_PROMOTE, flags, LIMIT_MS,
				  call);
	}
	return true;
}

void rblk_verb_demote(struct rblk_engine *e, const char *name,
		      const json_t *request, struct rblk_call *call)
{
	struct rblk_failover *f = rblk_failover_find(e, name);
	struct rblk_outcome out;

	if (f) {
		rblk_failover_ask(f, e, RBLK_POLICY_WANT_DEMOTE,
				  is_set(request, "force") ? RBLK_FLAG_FORCE : 0,
				  LIMIT_MS, call);
		return;
	}
	out = rblk_outcome_say(RBLK_EXIT_REFUSED, "does not fail over automatically");
	rblk_call_result(call, name, &out);
}

void rblk_verb_failover(struct rblk_engine *e, const char *name,
			const json_t *request, struct rblk_call *call)
{
	struct rblk_failover *f = rblk_failover_find(e, name);

	(void)request;
	if (f)
		rblk_call_add(call, rblk_failover_show(f, e));
}

/* Return: its id; RBLK_MAX_NODES: there is none. One without a name has its number. */
static unsigned int node_named(struct rblk_engine *e, const char *name)
{
	unsigned int id = 0;

	while (id < RBLK_MAX_NODES &&
	       !(name && strcmp(rblk_engine_peer_name(e, id), name) == 0))
		id++;
	return id;
}

static void change_voter(struct rblk_engine *e, const char *name,
			 const json_t *request, bool joins,
			 struct rblk_call *call)
{
	const char *node = json_string_value(json_object_get(request, "node"));
	struct rblk_failover *f = rblk_failover_find(e, name);
	unsigned int id = node_named(e, node);
	struct rblk_outcome out;

	if (f && id < RBLK_MAX_NODES) {
		rblk_failover_change_voter(f, e, id, joins, call);
		return;
	}
	out = rblk_outcome_say(RBLK_EXIT_NOT_FOUND, f ? "no such node" :
			       "does not fail over automatically");
	rblk_call_result(call, name, &out);
}

void rblk_verb_readmit(struct rblk_engine *e, const char *name,
		       const json_t *request, struct rblk_call *call)
{
	change_voter(e, name, request, true, call);
}

void rblk_verb_dismiss(struct rblk_engine *e, const char *name,
		       const json_t *request, struct rblk_call *call)
{
	change_voter(e, name, request, false, call);
}

void rblk_verb_history(struct rblk_engine *e, const char *name,
		       const json_t *request, struct rblk_call *call)
{
	json_t *records = rblk_history_read(e->state_dir, name), *r;
	size_t i;

	(void)request;
	json_array_foreach(records, i, r)
		rblk_call_add(call, json_incref(r));
	json_decref(records);
}

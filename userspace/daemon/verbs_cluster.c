// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * verbs_cluster.c - requests about a node: evict, fence
 */
#include "failover.h"

#include "exitcode.h"
#include "verbs.h"
#include "xalloc.h"

#include <stdlib.h>

#define LIMIT_MS	60000	/* of each move */

/* The node that a request is about, or NULL after a result. */
static const struct rblk_config_node *node_of(struct rblk_engine *e,
					      const json_t *request,
					      struct rblk_call *call)
{
	const char *name = json_string_value(json_object_get(request, "peer"));
	const struct rblk_config_node *n = name ?
		rblk_config_node(e->config, name) : NULL;
	struct rblk_outcome out;
	char *all;

	if (n)
		return n;
	all = rblk_config_node_list(e->config);
	out = rblk_outcome_say(RBLK_EXIT_NOT_FOUND,
			       "no such node in the configuration (%s)", all);
	rblk_call_result(call, name ? name : "?", &out);
	free(all);
	return NULL;
}

/* ---- evict */

static bool is_primary_here(struct rblk_engine *e, const char *name)
{
	struct rblk_kstate *state = rblk_xcalloc(1, sizeof(*state));
	struct rblk_genl_error err;
	bool yes = e->ops->get(e->ctx, name, state, &err) == 0 &&
		   state->resource.role == RBLK_ROLE_PRIMARY;

	free(state);
	return yes;
}

/* Off this node: to whoever is best. Else to this node, if it holds the data. */
static bool move(struct rblk_engine *e, struct rblk_failover *f,
		 const struct rblk_config_node *from, struct rblk_call *call)
{
	struct rblk_outcome out;

	if (rblk_failover_newest(f)->primary != from->id)
		return false;
	if (from == e->node) {
		rblk_failover_ask(f, e, RBLK_POLICY_WANT_AWAY, 0, LIMIT_MS, call);
	} else if (f->data & (1U << e->node->id)) {
		rblk_failover_ask(f, e, RBLK_POLICY_WANT_PROMOTE, 0, LIMIT_MS,
				  call);
	} else {
		out = rblk_outcome_say(RBLK_EXIT_REFUSED,
			"this node holds no data of it: run 'rblk evict %s' on one that does, or on %s",
			from->name, from->name);
		rblk_call_result(call, f->name, &out);
	}
	return true;
}

void rblk_verb_evict(struct rblk_engine *e, const json_t *request,
		     struct rblk_call *call)
{
	const struct rblk_config_node *n = node_of(e, request, call);
	struct rblk_outcome out;
	bool any = false;
	size_t i;

	for (i = 0; n && i < e->config->resources_n; i++) {
		const char *name = e->config->resources[i].name;
		struct rblk_failover *f = rblk_failover_find(e, name);

		if (f) {
			any |= move(e, f, n, call);
		} else if (n == e->node && is_primary_here(e, name)) {
			out = rblk_outcome_say(RBLK_EXIT_REFUSED,
				"does not fail over automatically: run 'rblk demote %s' here, then 'rblk promote %s' on another node",
				name, name);
			rblk_call_result(call, name, &out);
			any = true;
		}
	}
	if (!n || any)
		return;
	out = rblk_outcome_say(RBLK_EXIT_OK,
			       "is primary of nothing that could be moved");
	rblk_call_result(call, n->name, &out);
}

/* ---- fence */

static struct rblk_outcome confirm(struct rblk_engine *e,
				   const struct rblk_config_node *n)
{
	struct rblk_failover *f = e->failovers;

	while (f && !(f->voters & (1U << n->id)))
		f = f->next;
	if (!f)
		return rblk_outcome_say(RBLK_EXIT_REFUSED,
			"votes on nothing that fails over automatically: there is nobody to be told");
	if (rblk_cluster_state(&e->cluster, n->id) == RBLK_DETECTOR_ALIVE)
		return rblk_outcome_say(RBLK_EXIT_REFUSED,
			"is heard of right now: it is not off");
	rblk_failover_fence_confirmed(e, n->id);
	return rblk_outcome_say(RBLK_EXIT_OK,
		"counts as off, until it is heard of again");
}

void rblk_verb_fence(struct rblk_engine *e, const json_t *request,
		     struct rblk_call *call)
{
	const struct rblk_config_node *n = node_of(e, request, call);
	struct rblk_outcome out;

	if (!n)
		return;
	if (n == e->node) {
		out = rblk_outcome_say(RBLK_EXIT_REFUSED,
				       "is this node; it cannot do that to itself");
	} else if (json_is_true(json_object_get(request, "confirm"))) {
		out = confirm(e, n);
	} else if (n->fences_n == 0) {
		out = rblk_outcome_say(RBLK_EXIT_REFUSED,
			"has no fence section: switch it off by hand, then 'rblk fence --confirm %s'",
			n->name);
	} else if (e->fence[n->id].call) {
		out = rblk_outcome_say(RBLK_EXIT_REFUSED,
				       "is being switched off for somebody else already");
	} else {
		rblk_failover_fence_for(e, n->id, call);
		return;
	}
	rblk_call_result(call, n->name, &out);
}

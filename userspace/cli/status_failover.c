// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * status_failover.c - what the daemon says of failover, for people
 *
 * It comes as JSON (verbs "failover" and "cluster"). A member that is not there, or
 * of another kind, is not printed: the daemon may be of another version.
 */
#include "view.h"

#include <string.h>

static const char *word_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

const json_t *rblk_view_failover(const struct rblk_view *view,
				 const char *resource)
{
	size_t i;

	for (i = 0; i < json_array_size(view->failover); i++) {
		const json_t *f = json_array_get(view->failover, i);
		const char *name = word_of(f, "resource");

		if (name && strcmp(name, resource) == 0)
			return f;
	}
	return NULL;
}

enum rblk_health rblk_view_worst(const struct rblk_view *view,
				 const struct rblk_kstate *s)
{
	const json_t *f = rblk_view_failover(view, s->name);
	enum rblk_health health = rblk_view_health(s);

	if (health == RBLK_HEALTHY &&
	    (word_of(f, "mute") || json_is_object(json_object_get(f, "waiting"))))
		return RBLK_DEGRADED;
	return health;
}

bool rblk_view_is_witness(const struct rblk_view *view, const char *resource)
{
	return json_is_true(json_object_get(rblk_view_failover(view, resource),
					    "witness"));
}

enum rblk_health rblk_view_worst_witness(const struct rblk_view *view,
					 const char *only)
{
	size_t i;

	for (i = 0; i < json_array_size(view->failover); i++) {
		const json_t *f = json_array_get(view->failover, i);
		const char *name = word_of(f, "resource");

		if (name && json_is_true(json_object_get(f, "witness")) &&
		    (!only || strcmp(only, name) == 0) &&
		    (word_of(f, "mute") ||
		     json_is_object(json_object_get(f, "waiting"))))
			return RBLK_DEGRADED;
	}
	return RBLK_HEALTHY;
}

/* "  in sync alpha, bravo" */
static void print_names(const char *what, const json_t *names, FILE *to)
{
	size_t i, n = json_array_size(names);

	if (!json_is_array(names))
		return;
	fprintf(to, "  %s %s", what, n ? "" : "nobody");
	for (i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		fprintf(to, "%s%s", i ? ", " : "", name ? name : "?");
	}
}

static void print_register(const json_t *r, FILE *to)
{
	const char *primary = word_of(r, "primary");

	fprintf(to, "  register %lld  primary %s",
		(long long)json_integer_value(json_object_get(r, "version")),
		primary ? primary : "nobody");
	print_names("in sync", json_object_get(r, "in_sync"), to);
	print_names("voters", json_object_get(r, "voters"), to);
	if (json_is_integer(json_object_get(r, "acks")))
		fprintf(to, "  acks %lld, all on %s", (long long)
			json_integer_value(json_object_get(r, "acks")),
			word_of(r, "holder") ? word_of(r, "holder") : "?");
	if (json_array_size(json_object_get(r, "fenced")))
		print_names("switched off", json_object_get(r, "fenced"), to);
	if (json_integer_value(json_object_get(r, "term")))
		fprintf(to, "  term %lld", (long long)
			json_integer_value(json_object_get(r, "term")));
}

/* What a voter is bound by; of the node that leads its own lease tells. */
static void print_confirmed(const json_t *f, FILE *to)
{
	const json_t *c = json_object_get(f, "confirmed");
	const char *node = word_of(c, "node");

	if (!node || json_is_true(json_object_get(f, "leads")))
		return;
	fprintf(to, "  lease of %s for %lld ms", node,
		(long long)json_integer_value(json_object_get(c, "left_ms")));
}

static bool is_among(const json_t *names, const char *name)
{
	const json_t *other;
	size_t i;

	json_array_foreach(names, i, other)
		if (json_is_string(other) && strcmp(json_string_value(other), name) == 0)
			return true;
	return false;
}

/* Those in one list that are not in the other */
static void advise_voters(const json_t *these, const json_t *others,
			  const char *what, const char *verb,
			  const char *resource, FILE *to)
{
	const json_t *node;
	size_t i;

	if (!json_is_array(these) || !json_is_array(others))
		return;
	json_array_foreach(these, i, node) {
		const char *name = json_string_value(node);

		if (name && !is_among(others, name))
			fprintf(to, "  -> %s %s: run 'rblk %s %s %s' on the primary\n",
				name, what, verb, resource, name);
	}
}

void rblk_view_print_failover(const struct rblk_view *view,
			      const char *resource, FILE *to)
{
	const json_t *f = rblk_view_failover(view, resource);
	const json_t *left = json_object_get(f, "lease_left_ms");
	const json_t *waiting = json_object_get(f, "waiting");
	const char *mute = word_of(f, "mute"), *what = word_of(waiting, "what");
	const char *said = word_of(f, "module_said");
	const char *arbiter = word_of(f, "arbiter");
	const json_t *configured = json_object_get(f, "voters_configured");
	const json_t *voters = json_object_get(json_object_get(f, "register"),
					       "voters");

	if (json_is_object(json_object_get(f, "register"))) {
		print_register(json_object_get(f, "register"), to);
		if (json_is_integer(left))
			fprintf(to, "  lease %lld ms",
				(long long)json_integer_value(left));
		print_confirmed(f, to);
		fputc('\n', to);
	}
	advise_voters(voters, configured,
		      "votes, but is not in the configuration", "dismiss",
		      resource, to);
	advise_voters(configured, voters,
		      "is in the configuration, but does not vote", "readmit",
		      resource, to);
	if (mute)
		fprintf(to, "  -> %s: %s\n", arbiter && strcmp(arbiter, "etcd") == 0 ?
			"etcd" : "it does not vote", mute);
	if (what) {
		const json_t *needed = json_object_get(waiting, "copies_needed");

		fprintf(to, "  waits: %s", what);
		if (json_is_integer(needed))
			fprintf(to, ": %lld of %lld have answered", (long long)
				json_integer_value(json_object_get(waiting, "copies")),
				(long long)json_integer_value(needed));
		if (json_array_size(json_object_get(waiting, "nodes")))
			print_names("for", json_object_get(waiting, "nodes"), to);
		fputc('\n', to);
	}
	if (said)
		fprintf(to, "  -> the module refused: %s\n", said);
}

/* Resources on which this node only votes. */
void rblk_view_print_witness(const struct rblk_view *view, const char *only,
			     FILE *to)
{
	bool first = view->n == 0;
	size_t i;

	for (i = 0; i < json_array_size(view->failover); i++) {
		const json_t *f = json_array_get(view->failover, i);
		const char *name = word_of(f, "resource");

		if (!name || !json_is_true(json_object_get(f, "witness")) ||
		    (only && strcmp(only, name) != 0))
			continue;
		fprintf(to, "%s%s  witness\n", first ? "" : "\n", name);
		rblk_view_print_failover(view, name, to);
		first = false;
	}
}

static void print_path(const json_t *p, FILE *to)
{
	const json_t *rtt = json_object_get(p, "rtt_us");
	double loss = json_integer_value(json_object_get(p, "loss_permille"));

	fprintf(to, "  network %lld: ",
		(long long)json_integer_value(json_object_get(p, "network")));
	if (!json_is_true(json_object_get(p, "works"))) {
		fputs("silent", to);
		return;
	}
	if (json_is_integer(rtt))
		fprintf(to, "%.2f ms, ", json_integer_value(rtt) / 1000.0);
	fprintf(to, "%.1f%% lost", loss / 10);
	if (json_is_true(json_object_get(p, "degraded")))
		fputs(", degraded", to);
}

void rblk_view_print_cluster(const struct rblk_view *view, FILE *to)
{
	const json_t *nodes = json_object_get(view->cluster, "nodes");
	int width = 0;
	size_t i, j;

	if (!json_is_true(json_object_get(view->cluster, "on")) ||
	    json_array_size(nodes) == 0)
		return;
	fprintf(to, "\nheartbeats  every %lld ms, failed after %lld\n",
		(long long)json_integer_value(json_object_get(view->cluster,
							      "interval_ms")),
		(long long)json_integer_value(json_object_get(view->cluster,
							      "misses")));
	for (i = 0; i < json_array_size(nodes); i++) {
		const char *name = word_of(json_array_get(nodes, i), "node");

		if (name && (int)strlen(name) > width)
			width = strlen(name);
	}
	for (i = 0; i < json_array_size(nodes); i++) {
		const json_t *n = json_array_get(nodes, i);
		const json_t *paths = json_object_get(n, "paths");
		const char *name = word_of(n, "node"), *state = word_of(n, "state");

		fprintf(to, "  %-*s  %s", width, name ? name : "?",
			state ? state : "?");
		for (j = 0; j < json_array_size(paths); j++)
			print_path(json_array_get(paths, j), to);
		fputc('\n', to);
	}
}

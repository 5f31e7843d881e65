// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_status.c - rblk status
 */
#include "cli.h"
#include "view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
	bool json;
	bool check;
	const char *resource;		/* NULL: all */
};

/* A node without data need not have the module: rblkd alone has something to say. */
static bool only_votes(struct rblk_cli *cli)
{
	struct rblk_config *config = rblk_cli_config_quiet(cli);
	const struct rblk_config_node *node = config ?
		rblk_cli_node(cli, config) : NULL;
	bool only = node && !rblk_config_holds_data(config, node);

	rblk_config_free(config);
	return only;
}

static int ask_kernel(struct rblk_genl *g, struct rblk_cli *cli,
		      const struct request *req, struct rblk_view *view)
{
	struct rblk_genl_error err;

	if (req->resource) {
		view->states = calloc(1, sizeof(*view->states));
		if (!view->states)
			return RBLK_EXIT_REFUSED;
		view->n = 1;
		return rblk_cli_get(g, cli, req->resource, view->states);
	}
	if (rblk_genl_dump(g, &view->states, &view->n, &err) < 0)
		return rblk_cli_fail(rblk_exit_from_errno(err.code), NULL,
				     "%s", err.text);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct rblk_kstate *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool has_module(void)
{
	struct rblk_genl_error err;
	struct rblk_genl g;

	if (rblk_genl_open(&g, &err) == -ENOENT)
		return false;
	rblk_genl_close(&g);
	return true;
}

static int fetch(struct rblk_cli *cli, const struct request *req,
		 struct rblk_view *view)
{
	struct rblk_genl g;
	int rc;

	if (req->resource && rblk_view_is_witness(view, req->resource))
		return 0;
	if (only_votes(cli) && !has_module()) {
		if (view->daemon_unknown || !view->daemon_runs)
			return rblk_cli_fail(RBLK_EXIT_NO_DAEMON, NULL,
				"this node holds no data, and rblkd %s",
				view->daemon_unknown ? "can be asked by root only" :
				"is not running: systemctl start rblkd");
		return req->resource ? rblk_cli_fail(RBLK_EXIT_NOT_FOUND,
				req->resource, "no such resource") : 0;
	}
	rc = rblk_cli_open_kernel(&g);
	if (rc)
		return rc;
	rc = ask_kernel(&g, cli, req, view);
	rblk_genl_close(&g);
	return rc;
}

/* What the configuration has for this node that is not up. */
static size_t print_missing(struct rblk_cli *cli, const struct rblk_view *view,
			    bool quiet)
{
	struct rblk_config *config = rblk_cli_config_quiet(cli);
	const struct rblk_config_node *node;
	size_t i, j, missing = 0;

	node = config ? rblk_cli_node(cli, config) : NULL;
	for (i = 0; node && i < config->resources_n; i++) {
		const struct rblk_config_resource *r = &config->resources[i];

		for (j = 0; j < view->n; j++)
			if (strcmp(view->states[j].name, r->name) == 0)
				break;
		if (j < view->n || !(r->members & (1U << node->id)))
			continue;
		if (!quiet)
			printf("%s%s  not up\n  -> 'rblk up %s'\n",
			       view->n || missing ? "\n" : "", r->name,
			       r->name);
		missing++;
	}
	rblk_config_free(config);
	return missing;
}

static int show(struct rblk_cli *cli, const struct request *req,
		const struct rblk_view *view)
{
	enum rblk_health worst = RBLK_HEALTHY;
	size_t i, missing = 0;

	if (view->n > 1)
		qsort(view->states, view->n, sizeof(*view->states), by_name);
	if (req->json) {
		json_t *json = rblk_view_json(view);

		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(json);
	} else {
		rblk_view_print(view, stdout);
		rblk_view_print_witness(view, req->resource, stdout);
	}
	if (!req->resource)
		missing = print_missing(cli, view, req->json);
	if (!req->json && !req->resource)
		rblk_view_print_cluster(view, stdout);
	if (!req->json && view->n == 0 && missing == 0 &&
	    json_array_size(view->failover) == 0)
		puts("no resource is up, and none is configured for this node");
	if (!req->check)
		return RBLK_EXIT_OK;
	worst = rblk_view_worst_witness(view, req->resource);
	for (i = 0; i < view->n; i++)
		if (rblk_view_worst(view, &view->states[i]) > worst)
			worst = rblk_view_worst(view, &view->states[i]);
	return missing ? RBLK_FAILED : worst;
}

static int parse(struct request *req, int *argc, char ***argv)
{
	const struct rblk_cli_option options[] = {
		{ "json", &req->json, NULL }, { "check", &req->check, NULL },
		{ NULL, NULL, NULL },
	};
	int rc = rblk_cli_options("status", options, argc, argv);

	if (rc)
		return rc;
	if (*argc > 1)
		return rblk_cli_usage("status");
	req->resource = *argc ? (*argv)[0] : NULL;
	return 0;
}

/* What was asked of the daemon; each NULL if it did not answer. */
struct answers {
	json_t *links;
	json_t *failover;
	json_t *cluster;
};

static const json_t *results_of(const json_t *answer)
{
	bool good = json_integer_value(json_object_get(answer, "code")) == 0;

	return good ? json_object_get(answer, "results") : NULL;
}

static void ask(struct rblk_view *view, struct answers *a)
{
	json_t *request;
	int daemon;

	a->links = rblk_cli_try_daemon(rblk_cli_new_request("links", NULL),
				       &daemon);
	view->daemon_runs = a->links != NULL;
	/* who may not ask cannot know */
	view->daemon_unknown = daemon == -EACCES;
	view->links = json_object_get(a->links, "results");
	if (!a->links)
		return;
	request = rblk_cli_new_request("failover", NULL);
	json_object_set_new(request, "all", json_true());
	a->failover = rblk_cli_try_daemon(request, NULL);
	view->failover = results_of(a->failover);
	a->cluster = rblk_cli_try_daemon(rblk_cli_new_request("cluster", NULL),
					 NULL);
	view->cluster = json_array_get(results_of(a->cluster), 0);
}

int rblk_cmd_status(struct rblk_cli *cli, int argc, char **argv)
{
	struct rblk_view view = { 0 };
	struct answers answers = { 0 };
	struct request req = { 0 };
	int rc = parse(&req, &argc, &argv);

	if (rc)
		return rc;
	ask(&view, &answers);
	rc = fetch(cli, &req, &view);
	if (rc == 0)
		rc = show(cli, &req, &view);
	json_decref(answers.links);
	json_decref(answers.failover);
	json_decref(answers.cluster);
	free(view.states);
	return rc;
}

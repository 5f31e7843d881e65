// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_top.c - rblk top
 */
#include "cli.h"
#include "text.h"
#include "top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_INTERVAL_S	3600
#define MAX_COUNT	1000000000

/* One look at everything. */
struct look {
	struct rblk_kstate *states;
	size_t n;
	struct timespec at;
};

struct request {
	bool json;
	bool once;
	uint64_t interval_s;
	uint64_t count;			/* 0: until interrupted */
	const char *resource;		/* NULL: all */
};

static int by_name(const void *a, const void *b)
{
	const struct rblk_kstate *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int look(struct rblk_genl *g, struct rblk_cli *cli,
		const struct request *req, struct look *l)
{
	struct rblk_genl_error err;

	clock_gettime(CLOCK_MONOTONIC, &l->at);
	if (req->resource) {
		l->states = calloc(1, sizeof(*l->states));
		l->n = 1;
		return l->states ? rblk_cli_get(g, cli, req->resource,
						l->states) :
				   RBLK_EXIT_REFUSED;
	}
	if (rblk_genl_dump(g, &l->states, &l->n, &err) < 0)
		return rblk_cli_fail(rblk_exit_from_errno(err.code), NULL,
				     "%s", err.text);
	if (l->n > 1)
		qsort(l->states, l->n, sizeof(*l->states), by_name);
	return 0;
}

static double seconds_between(const struct timespec *a,
			      const struct timespec *b)
{
	return (b->tv_sec - a->tv_sec) + (b->tv_nsec - a->tv_nsec) / 1e9;
}

static const struct rblk_kstate *find(const struct look *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->states[i].name, name) == 0)
			return &l->states[i];
	return NULL;
}

static void show(const struct request *req, const struct look *before,
		 const struct look *now)
{
	double seconds = seconds_between(&before->at, &now->at);
	bool screen = !req->json && isatty(STDOUT_FILENO);
	struct rblk_top *top = malloc(sizeof(*top));
	json_t *list = json_array(), *all;
	size_t i;

	if (!top)
		abort();
	if (screen && !req->once)
		fputs("\033[H\033[J", stdout);
	for (i = 0; i < now->n; i++) {
		const struct rblk_kstate *state = &now->states[i];

		rblk_top_compare(top, find(before, state->name), state,
				 seconds);
		if (req->json)
			json_array_append_new(list, rblk_top_json(top));
		else
			rblk_top_print(top, stdout);
	}
	free(top);
	if (req->json) {
		all = json_pack("{s:s,s:O}", "schema", "rblk.top/1",
				"resources", list);
		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(all);
	} else if (now->n == 0) {
		puts("no resource is up");
	} else if (!screen && !req->once) {
		putchar('\n');
	}
	json_decref(list);
	fflush(stdout);
}

static int watch(struct rblk_genl *g, struct rblk_cli *cli,
		 const struct request *req)
{
	struct timespec pause = { .tv_sec = req->interval_s };
	struct look before = { 0 }, now = { 0 };
	uint64_t left = req->count;
	int rc = look(g, cli, req, &before);

	while (rc == 0) {
		nanosleep(&pause, NULL);
		rc = look(g, cli, req, &now);
		if (rc == 0)
			show(req, &before, &now);
		free(before.states);
		before = now;
		now = (struct look){ 0 };
		if (ferror(stdout) || (req->count && --left == 0))
			break;
	}
	free(before.states);
	return rc;
}

static int take_number(const char *option, const char *text, uint64_t max,
		       uint64_t *value)
{
	if (!text)
		return 0;
	if (rblk_text_parse_number(text, max, value) && *value > 0)
		return 0;
	return rblk_cli_fail(RBLK_EXIT_USAGE, NULL,
			     "bad %s '%s' (allowed: 1 to %llu)", option, text,
			     (unsigned long long)max);
}

static int parse(struct request *req, int *argc, char ***argv)
{
	const char *interval = NULL, *count = NULL;
	const struct rblk_cli_option options[] = {
		{ "json", &req->json, NULL }, { "once", &req->once, NULL },
		{ "interval", NULL, &interval }, { "count", NULL, &count },
		{ NULL, NULL, NULL },
	};
	static char count_option[] = "--count";
	int i, rc;

	/* the short form that top(1) has */
	for (i = 1; i < *argc; i++)
		if (strcmp((*argv)[i], "-n") == 0)
			(*argv)[i] = count_option;
	rc = rblk_cli_options("top", options, argc, argv);
	if (rc == 0)
		rc = take_number("--interval", interval, MAX_INTERVAL_S,
				 &req->interval_s);
	if (rc == 0)
		rc = take_number("--count", count, MAX_COUNT, &req->count);
	if (rc)
		return rc;
	if (*argc > 1)
		return rblk_cli_usage("top");
	if (req->once)
		req->count = 1;
	req->resource = *argc ? (*argv)[0] : NULL;
	return 0;
}

int rblk_cmd_top(struct rblk_cli *cli, int argc, char **argv)
{
	struct request req = { .interval_s = 2 };
	struct rblk_genl g;
	int rc = parse(&req, &argc, &argv);

	if (rc == 0)
		rc = rblk_cli_open_kernel(&g);
	if (rc)
		return rc;
	rc = watch(&g, cli, &req);
	rblk_genl_close(&g);
	return rc;
}

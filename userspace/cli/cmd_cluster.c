// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_cluster.c - history, evict, fence
 */
#include "cli.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- history */

static const char *word_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static void print_history(const json_t *records, bool json)
{
	json_t *all;
	size_t i;

	if (json) {
		all = json_pack("{s:s,s:O}", "schema", "rblk.history/1",
				"records", records);
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(all);
		return;
	}
	for (i = 0; i < json_array_size(records); i++)
		rblk_view_print_record(json_array_get(records, i), stdout);
	if (i == 0)
		puts("this node was not promoted, nor tried to be, as far as is remembered");
}

int rblk_cmd_history(struct rblk_cli *cli, int argc, char **argv)
{
	bool json = false;
	const struct rblk_cli_option options[] = {
		{ "json", &json, NULL }, { NULL, NULL, NULL },
	};
	int rc = rblk_cli_options("history", options, &argc, &argv);
	json_t *request, *answer;

	(void)cli;
	if (rc)
		return rc;
	if (argc > 1)
		return rblk_cli_usage("history");
	request = rblk_cli_new_request("history", argc ? argv[0] : NULL);
	if (!argc)
		json_object_set_new(request, "all", json_true());
	answer = rblk_cli_call_daemon(request, &rc);
	if (!answer)
		return rc;
	rc = json_integer_value(json_object_get(answer, "code"));
	if (rc)
		rblk_cli_fail(rc, argc ? argv[0] : NULL, "%s",
			      word_of(answer, "text"));
	else
		print_history(json_object_get(answer, "results"), json);
	json_decref(answer);
	return rc;
}

/* ---- evict */

int rblk_cmd_evict(struct rblk_cli *cli, int argc, char **argv)
{
	const struct rblk_cli_option options[] = { { NULL, NULL, NULL } };
	int rc = rblk_cli_options("evict", options, &argc, &argv);
	json_t *request;

	(void)cli;
	if (rc)
		return rc;
	if (argc != 1)
		return rblk_cli_usage("evict");
	request = rblk_cli_new_request("evict", NULL);
	json_object_set_new(request, "peer", json_string(argv[0]));
	json_object_set_new(request, "all", json_true());
	return rblk_cli_ask_daemon(request);
}

/* ---- fence */

/* 0, or an exit code: nobody said yes. */
static int ask_first(const char *node, bool confirm)
{
	char line[16];

	if (confirm)
		printf("Is %s off? What it has not sent is given up, and if it still runs, two nodes will write at once.\n"
		       "Look at the machine itself. Type yes: ", node);
	else
		printf("%s will be switched off, now. Type yes: ", node);
	fflush(stdout);
	if (!isatty(STDIN_FILENO)) {
		putchar('\n');
		return rblk_cli_fail(RBLK_EXIT_REFUSED, node,
				     "nothing done: nobody is there to be asked; scripts use --force");
	}
	if (!fgets(line, sizeof(line), stdin) || strcmp(line, "yes\n") != 0)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, node, "nothing done");
	return 0;
}

int rblk_cmd_fence(struct rblk_cli *cli, int argc, char **argv)
{
	bool confirm = false, force = false;
	const struct rblk_cli_option options[] = {
		{ "confirm", &confirm, NULL }, { "force", &force, NULL },
		{ NULL, NULL, NULL },
	};
	int rc = rblk_cli_options("fence", options, &argc, &argv);
	json_t *request;

	(void)cli;
	if (rc)
		return rc;
	if (argc != 1)
		return rblk_cli_usage("fence");
	if (!force)
		rc = ask_first(argv[0], confirm);
	if (rc)
		return rc;
	request = rblk_cli_new_request("fence", NULL);
	json_object_set_new(request, "peer", json_string(argv[0]));
	json_object_set_new(request, "confirm", json_boolean(confirm));
	return rblk_cli_ask_daemon(request);
}

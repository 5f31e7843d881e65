// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_updown.c - up, down, connect, disconnect
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int rblk_cmd_up(struct rblk_cli *cli, int argc, char **argv)
{
	bool all = false;
	const struct rblk_cli_option options[] = {
		{ "all", &all, NULL }, { NULL, NULL, NULL },
	};
	int rc = rblk_cli_options("up", options, &argc, &argv);
	json_t *request;

	(void)cli;
	if (rc)
		return rc;
	if (argc != !all)
		return rblk_cli_usage("up");
	request = rblk_cli_new_request("up", all ? NULL : argv[0]);
	if (all)
		json_object_set_new(request, "all", json_true());
	return rblk_cli_ask_daemon(request);
}

int rblk_cmd_adjust(struct rblk_cli *cli, int argc, char **argv)
{
	bool all = false, dry = false;
	const struct rblk_cli_option options[] = {
		{ "all", &all, NULL }, { "dry-run", &dry, NULL },
		{ NULL, NULL, NULL },
	};
	int rc = rblk_cli_options("adjust", options, &argc, &argv);
	json_t *request;

	(void)cli;
	if (rc)
		return rc;
	if (argc != !all)
		return rblk_cli_usage("adjust");
	request = rblk_cli_new_request("adjust", all ? NULL : argv[0]);
	if (all)
		json_object_set_new(request, "all", json_true());
	if (dry)
		json_object_set_new(request, "dry_run", json_true());
	return rblk_cli_ask_daemon(request);
}

/* The daemon learns it by an event anyway; told, it has heard when we return. */
static void tell_daemon_down(const char *name)
{
	json_decref(rblk_cli_try_daemon(rblk_cli_new_request("down", name),
					NULL));
}

static int take_down(struct rblk_genl *g, const char *name, bool force)
{
	struct rblk_kreq req = rblk_cli_req(RBLK_CMD_RESOURCE_DEL, name);
	struct rblk_genl_error err;
	int rc;

	if (force) {
		req.has = RBLK_HAS(RBLK_A_FLAGS);
		req.flags = RBLK_FLAG_FORCE;
	}
	rc = rblk_genl_request(g, &req, &err);
	/* it is down in any case; the text says what is left and how it ends */
	if (rc == 0 || rc == -EINPROGRESS)
		tell_daemon_down(name);
	if (rc == -EINPROGRESS)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, name,
				     "taken down, but %s", err.text);
	if (rc)
		return rblk_cli_refused(&req, &err, force ? NULL :
					"see 'findmnt' and 'fuser -v /dev/rblk*'; --force fails outstanding I/O");
	printf("%s: down\n", name);
	return 0;
}

static int take_all_down(struct rblk_genl *g, bool force)
{
	struct rblk_kstate *states;
	struct rblk_genl_error err;
	size_t n, i;
	int worst = 0;

	if (rblk_genl_dump(g, &states, &n, &err) < 0)
		return rblk_cli_fail(rblk_exit_from_errno(err.code), NULL,
				     "%s", err.text);
	for (i = 0; i < n; i++) {
		int rc = take_down(g, states[i].name, force);

		worst = rc > worst ? rc : worst;
	}
	free(states);
	return worst;
}

static int take_one_down(struct rblk_genl *g, struct rblk_cli *cli,
			 const char *name, bool force)
{
	struct rblk_kstate *state = calloc(1, sizeof(*state));
	struct rblk_config *config;
	struct rblk_genl_error err;
	bool known;
	int rc;

	if (!state)
		return RBLK_EXIT_REFUSED;
	rc = rblk_genl_get(g, name, state, &err);
	free(state);
	if (rc == 0)
		return take_down(g, name, force);
	/* down is idempotent, but a slip of the pen should not look like success */
	config = rblk_cli_config_quiet(cli);
	known = config && rblk_config_resource(config, name);
	rblk_config_free(config);
	if (err.code != ENOENT)
		return rblk_cli_fail(rblk_exit_from_errno(err.code), name,
				     "%s", err.text);
	if (!known)
		return rblk_cli_fail(RBLK_EXIT_NOT_FOUND, name,
				     "no such resource");
	printf("%s: already down\n", name);
	return 0;
}

int rblk_cmd_down(struct rblk_cli *cli, int argc, char **argv)
{
	bool all = false, force = false;
	const struct rblk_cli_option options[] = {
		{ "all", &all, NULL }, { "force", &force, NULL },
		{ NULL, NULL, NULL },
	};
	struct rblk_genl g;
	int rc = rblk_cli_options("down", options, &argc, &argv);

	if (rc)
		return rc;
	if (argc != !all)
		return rblk_cli_usage("down");
	rc = rblk_cli_open_kernel(&g);
	if (rc)
		return rc;
	rc = all ? take_all_down(&g, force) :
		   take_one_down(&g, cli, argv[0], force);
	rblk_genl_close(&g);
	return rc;
}

static int link_verb(const char *verb, int argc, char **argv)
{
	const struct rblk_cli_option options[] = { { NULL, NULL, NULL } };
	int rc = rblk_cli_options(verb, options, &argc, &argv);
	json_t *request;

	if (rc)
		return rc;
	if (argc < 1 || argc > 2)
		return rblk_cli_usage(verb);
	request = rblk_cli_new_request(verb, argv[0]);
	if (argc == 2)
		json_object_set_new(request, "peer", json_string(argv[1]));
	return rblk_cli_ask_daemon(request);
}

int rblk_cmd_connect(struct rblk_cli *cli, int argc, char **argv)
{
	(void)cli;
	return link_verb("connect", argc, argv);
}

int rblk_cmd_disconnect(struct rblk_cli *cli, int argc, char **argv)
{
	(void)cli;
	return link_verb("disconnect", argc, argv);
}

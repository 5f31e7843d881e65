// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_config.c - rblk config check, rblk config show
 */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A key that is there must be good; one that is elsewhere is not our matter. */
static int check_key(const struct rblk_config *config)
{
	unsigned char key[RBLK_MAX_KEY_BYTES];
	char why[512];
	bool there = access(config->key_file, R_OK) == 0;
	size_t len = rblk_config_read_key(config->key_file, key, why,
					  sizeof(why));

	explicit_bzero(key, sizeof(key));
	if (len)
		return 0;
	fprintf(stderr, "%s:%d:%d: %s: %s\n", config->key_file_pos.file,
		config->key_file_pos.line, config->key_file_pos.col,
		there ? "error" : "warning", why);
	return there ? RBLK_EXIT_CONFIG : 0;
}

static int check(struct rblk_cli *cli, int argc, char **argv)
{
	struct rblk_cli named = *cli;
	struct rblk_config *config;
	int rc;

	if (argc > 1)
		return rblk_cli_usage("config");
	if (argc == 1)
		named.config_path = argv[0];
	config = rblk_config_load(named.config_path);
	if (config->diags.errors == 0)
		rblk_config_check_agents(config, rblk_cli_node(&named, config));
	rblk_diags_print(&config->diags, stderr);
	if (config->diags.errors) {
		rblk_config_free(config);
		return RBLK_EXIT_CONFIG;
	}
	rc = check_key(config);
	if (cli->node && !rblk_cli_node(cli, config)) {
		char *nodes = rblk_config_node_list(config);

		rc = rblk_cli_fail(RBLK_EXIT_CONFIG, NULL,
				   "node \"%s\" is not in %s (nodes: %s)",
				   cli->node, named.config_path, nodes);
		free(nodes);
	}
	if (rc == 0)
		printf("%s: ok\n", named.config_path);
	rblk_config_free(config);
	return rc;
}

static int show(struct rblk_cli *cli, int argc, char **argv)
{
	bool json = argc == 1 && strcmp(argv[0], "--json") == 0;
	struct rblk_config *config;

	if (argc != json)
		return rblk_cli_usage("config");
	config = rblk_cli_config(cli);
	if (!config)
		return RBLK_EXIT_CONFIG;
	if (json) {
		char *text = rblk_config_show_json(config);

		puts(text ? text : "{}");
		free(text);
	} else {
		rblk_config_show(config, stdout);
	}
	rblk_config_free(config);
	return RBLK_EXIT_OK;
}

int rblk_cmd_config(struct rblk_cli *cli, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "check") == 0)
		return check(cli, argc - 2, argv + 2);
	if (argc >= 2 && strcmp(argv[1], "show") == 0)
		return show(cli, argc - 2, argv + 2);
	return rblk_cli_usage("config");
}

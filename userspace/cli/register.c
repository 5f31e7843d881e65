// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * register.c - what this node votes with: rblk create, rblk readmit
 */
#include "cli.h"

#include "ballot_store.h"
#include "ctlproto.h"
#include "ident.h"
#include "text.h"

#include <stdio.h>

static struct rblk_ballot_place place_of(const struct rblk_config *config,
					 const struct rblk_config_resource *resource,
					 const struct rblk_config_node *node)
{
	struct rblk_ballot_place p = {
		.state_dir = rblk_ctl_state_dir(),
		.outside_dir = rblk_ballot_outside_dir(), .node = node->id,
	};

	rblk_text_copy(p.resource, sizeof(p.resource), resource->name);
	rblk_ident_uuid(config->cluster, resource->name, p.uuid);
	return p;
}

int rblk_cli_create_register(const struct rblk_config *config,
			     const struct rblk_config_resource *resource,
			     const struct rblk_config_node *node)
{
	uint16_t voters = resource->members | resource->witnesses;
	const struct rblk_arbiter_store first = {
		.record = { .version = 1, .primary = RBLK_ARBITER_NOBODY, .idle = true,
			    .insync = resource->members, .voters = voters,
			    .voters_before = voters },
	};
	struct rblk_ballot_place place = place_of(config, resource, node);
	struct rblk_ballot_store store;
	char why[1024];

	if (!resource->failover.automatic ||
	    resource->failover.arbiter != RBLK_CONFIG_BUILTIN)
		return 0;
	if (rblk_ballot_exists(&place)) {
		printf("%s: its register stays as it is\n", resource->name);
		return 0;
	}
	if (!rblk_ballot_create(&store, &place, &first, why, sizeof(why)))
		return rblk_cli_fail(RBLK_EXIT_REFUSED, resource->name,
				     "its register: %s", why);
	rblk_ballot_close(&store);
	printf("%s: register created\n", resource->name);
	/* rblkd looks for it every few seconds; told, it has it when we return */
	json_decref(rblk_cli_try_daemon(rblk_cli_new_request("reload", NULL),
					NULL));
	return 0;
}

int rblk_cmd_readmit(struct rblk_cli *cli, int argc, char **argv)
{
	const struct rblk_cli_option options[] = { { NULL, NULL, NULL } };
	int rc = rblk_cli_options("readmit", options, &argc, &argv);
	json_t *request;

	(void)cli;
	if (rc)
		return rc;
	if (argc != 2)
		return rblk_cli_usage("readmit");
	request = rblk_cli_new_request("readmit", argv[0]);
	json_object_set_new(request, "node", json_string(argv[1]));
	return rblk_cli_ask_daemon(request);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_disk.c - detach, attach: a volume's disk goes, another one comes
 */
#include "cli.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The volume that is meant, or -1 after a message. */
static int choose(const struct rblk_kstate *state, const char *word)
{
	uint64_t id;
	size_t i;

	if (!word && state->volumes_n == 1)
		return state->volumes[0].id;
	if (!word) {
		rblk_cli_fail(0, state->name,
			      "has %zu volumes: say which one (its number)",
			      state->volumes_n);
		return -1;
	}
	if (rblk_text_parse_number(word, RBLK_MAX_VOLUMES - 1, &id))
		for (i = 0; i < state->volumes_n; i++)
			if (state->volumes[i].id == id)
				return id;
	rblk_cli_fail(0, state->name, "has no volume '%s'", word);
	return -1;
}

/* Where the configuration says that the disk of @req is now. 0 or exit code. */
static int find_disk(struct rblk_cli *cli, struct rblk_kreq *req)
{
	struct rblk_config *config = rblk_cli_config(cli);
	const struct rblk_config_resource *r;
	const struct rblk_config_node *node;
	struct rblk_kvolume *k = &req->volume;
	int rc = RBLK_EXIT_NOT_FOUND;
	size_t i;

	if (!config)
		return RBLK_EXIT_CONFIG;
	r = rblk_config_resource(config, req->name);
	node = rblk_cli_node(cli, config);
	for (i = 0; r && node && i < r->volumes_n; i++) {
		const struct rblk_config_place *p = &r->volumes[i].on[node->id];

		if (r->volumes[i].id != k->id ||
		    !(r->members & (1U << node->id)))
			continue;
		k->has |= RBLK_HAS(RBLK_VOL_DISK) | RBLK_HAS(RBLK_VOL_METADATA);
		rblk_text_copy(k->disk, sizeof(k->disk), p->disk);
		k->metadata = p->metadata;
		if (p->metadata == RBLK_METADATA_APART) {
			k->has |= RBLK_HAS(RBLK_VOL_METADATA_DISK);
			rblk_text_copy(k->metadata_disk,
				       sizeof(k->metadata_disk),
				       p->metadata_disk);
		}
		rc = 0;
	}
	if (rc)
		rblk_cli_fail(0, req->name,
			      "volume %u is not in the configuration of this node",
			      k->id);
	rblk_config_free(config);
	return rc;
}

static int change(struct rblk_cli *cli, const char *verb, uint8_t cmd, int argc,
		  char **argv)
{
	const struct rblk_cli_option options[] = { { NULL, NULL, NULL } };
	int rc = rblk_cli_options(verb, options, &argc, &argv);
	struct rblk_kstate *state;
	struct rblk_kreq req;
	struct rblk_genl g;
	int id;

	if (rc)
		return rc;
	if (argc < 1 || argc > 2)
		return rblk_cli_usage(verb);
	rc = rblk_cli_open_kernel(&g);
	if (rc)
		return rc;
	req = rblk_cli_req(cmd, argv[0]);
	state = calloc(1, sizeof(*state));
	rc = state ? rblk_cli_get(&g, cli, argv[0], state) : RBLK_EXIT_REFUSED;
	id = rc ? -1 : choose(state, argc > 1 ? argv[1] : NULL);
	free(state);
	if (rc == 0 && id < 0)
		rc = RBLK_EXIT_NOT_FOUND;
	req.nest = RBLK_A_VOLUME;
	req.volume.has = RBLK_HAS(RBLK_VOL_ID);
	req.volume.id = id;
	if (rc == 0 && cmd == RBLK_CMD_DISK_ATTACH)
		rc = find_disk(cli, &req);
	if (rc == 0)
		rc = rblk_cli_request(&g, &req, NULL);
	if (rc == 0)
		printf("%s: volume %d: %sed%s%s\n", argv[0], id, verb,
		       *req.volume.disk ? " " : "", req.volume.disk);
	rblk_genl_close(&g);
	return rc;
}

int rblk_cmd_detach(struct rblk_cli *cli, int argc, char **argv)
{
	return change(cli, "detach", RBLK_CMD_DISK_DETACH, argc, argv);
}

int rblk_cmd_attach(struct rblk_cli *cli, int argc, char **argv)
{
	return change(cli, "attach", RBLK_CMD_DISK_ATTACH, argc, argv);
}

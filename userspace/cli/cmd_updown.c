// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_updown.c - up, down, connect, disconnect
 */
#include "cli.h"
#include "save.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

#define DISCARD_TRIES	75	/* of 200 ms: for the link to come up */

/* The primary that is connected, or the peer that was named; NULL: not yet. */
static const struct rblk_kpeer *find_winner(const struct rblk_kstate *state,
					    const char *peer)
{
	size_t i;

	for (i = 0; i < state->peers_n; i++) {
		const struct rblk_kpeer *p = &state->peers[i];

		if (p->conn == RBLK_CONN_UP &&
		    (peer ? rblk_cli_peer_id(state, peer) == p->node_id :
			    p->role == RBLK_ROLE_PRIMARY))
			return p;
	}
	return NULL;
}

/* Wait for a link on which the fork shows. 0, or an exit code. */
static int await_winner(struct rblk_genl *g, struct rblk_cli *cli,
			const char *name, const char *peer,
			struct rblk_kstate *state,
			const struct rblk_kpeer **winner)
{
	unsigned int tries = DISCARD_TRIES;
	int rc;

	do {
		rc = rblk_cli_get(g, cli, name, state);
		if (rc)
			return rc;
		if (state->resource.role == RBLK_ROLE_PRIMARY)
			return rblk_cli_fail(RBLK_EXIT_REFUSED, name,
					     "nothing discarded: this node is primary; 'rblk demote %s' first",
					     name);
		if (peer && rblk_cli_peer_id(state, peer) < 0)
			return rblk_cli_fail(RBLK_EXIT_NOT_FOUND, name,
					     "has no peer %s", peer);
		*winner = find_winner(state, peer);
		if (*winner)
			return 0;
		usleep(200 * 1000);
	} while (--tries);
	return rblk_cli_fail(RBLK_EXIT_REFUSED, name,
			     "nothing discarded: no link to %s within %d s; see 'rblk status %s'",
			     peer ? peer : "a primary", DISCARD_TRIES / 5,
			     name);
}

/* Is this still the data that was saved? */
static bool is_unchanged(const struct rblk_kresource *before,
			 const struct rblk_kresource *now)
{
	return before->seq == now->seq && before->data == now->data &&
	       before->seq_generation == now->seq_generation;
}

/*
 * Write all that this node holds to @file. The link may be lost meanwhile: then
 * @state and @winner are those of the next one. 0, or an exit code.
 */
static int save_mine(struct rblk_genl *g, struct rblk_cli *cli,
		     const char *name, const char *file, const char *peer,
		     struct rblk_kstate *state,
		     const struct rblk_kpeer **winner)
{
	const struct rblk_kresource before = state->resource;
	int rc;

	if ((*winner)->repl != RBLK_REPL_DIVERGED)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, name,
				     "nothing saved, nothing discarded: there is no fork between %s and this node%s%s",
				     (*winner)->node_name,
				     *(*winner)->reason ? "; " : "",
				     (*winner)->reason);
	rc = rblk_save(state, *winner, file);
	if (rc)
		return rc;
	rc = await_winner(g, cli, name, peer, state, winner);
	if (rc == 0 && !is_unchanged(&before, &state->resource))
		rc = rblk_cli_fail(RBLK_EXIT_REFUSED, name,
				   "nothing discarded: the data here changed while it was saved");
	if (rc) {
		unlink(file);
		fprintf(stderr, "  %s was removed again\n", file);
	}
	return rc;
}

static int request_discard(struct rblk_genl *g, const char *name,
			   const struct rblk_kpeer *winner, const char *file)
{
	struct rblk_kreq req = rblk_cli_req(RBLK_CMD_DISCARD, name);
	int rc;

	req.nest = RBLK_A_PEER;
	req.peer.has = RBLK_HAS(RBLK_PEER_NODE_ID);
	req.peer.node_id = winner->node_id;
	rc = rblk_cli_request(g, &req, "nothing was discarded");
	/* Perhaps it was carried out, and only the answer was lost. */
	if (rc && file)
		fprintf(stderr, "  %s is kept: remove it before the next attempt\n",
			file);
	if (rc == 0)
		printf("%s: what only this node has is given up; %s copies over what differs\n",
		       name, winner->node_name);
	return rc;
}

/* @file: where to save it first, or NULL. */
static int discard_mine(struct rblk_cli *cli, const char *name,
			const char *peer, const char *file)
{
	struct rblk_kstate *state = calloc(1, sizeof(*state));
	const struct rblk_kpeer *winner;
	struct rblk_genl g;
	int rc = state ? rblk_cli_open_kernel(&g) : RBLK_EXIT_REFUSED;

	if (rc) {
		free(state);
		return rc;
	}
	rc = await_winner(&g, cli, name, peer, state, &winner);
	if (rc == 0 && file)
		rc = save_mine(&g, cli, name, file, peer, state, &winner);
	if (rc == 0)
		rc = request_discard(&g, name, winner, file);
	rblk_genl_close(&g);
	free(state);
	return rc;
}

/* RES and perhaps PEER are left in @argv. */
static int link_verb(const char *verb, int argc, char **argv)
{
	json_t *request;

	if (argc < 1 || argc > 2)
		return rblk_cli_usage(verb);
	request = rblk_cli_new_request(verb, argv[0]);
	if (argc == 2)
		json_object_set_new(request, "peer", json_string(argv[1]));
	return rblk_cli_ask_daemon(request);
}

int rblk_cmd_connect(struct rblk_cli *cli, int argc, char **argv)
{
	bool discard = false;
	const char *file = NULL;
	const struct rblk_cli_option options[] = {
		{ "discard-mine", &discard, NULL }, { "save", NULL, &file },
		{ NULL, NULL, NULL },
	};
	int rc = rblk_cli_options("connect", options, &argc, &argv);

	if (rc == 0 && file && !discard)
		return rblk_cli_fail(RBLK_EXIT_USAGE, NULL,
				     "--save goes with --discard-mine: nothing else gives up data");
	if (rc == 0)
		rc = link_verb("connect", argc, argv);
	return rc || !discard ? rc : discard_mine(cli, argv[0], argc == 2 ?
						  argv[1] : NULL, file);
}

int rblk_cmd_disconnect(struct rblk_cli *cli, int argc, char **argv)
{
	const struct rblk_cli_option options[] = { { NULL, NULL, NULL } };
	int rc = rblk_cli_options("disconnect", options, &argc, &argv);

	(void)cli;
	return rc ? rc : link_verb("disconnect", argc, argv);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_role.c - promote, demote, suspend, resume, resync
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int rblk_cmd_promote(struct rblk_cli *cli, int argc, char **argv)
{
	bool force = false, clean = false;
	const struct rblk_cli_option options[] = {
		{ "force", &force, NULL },
		{ "assume-clean", &clean, NULL },
		{ NULL, NULL, NULL },
	};
	int rc = rblk_cli_options("promote", options, &argc, &argv);
	json_t *request;

	(void)cli;
	if (rc)
		return rc;
	if (argc != 1)
		return rblk_cli_usage("promote");
	request = rblk_cli_new_request("promote", argv[0]);
	if (force)
		json_object_set_new(request, "force", json_true());
	if (clean)
		json_object_set_new(request, "assume_clean", json_true());
	return rblk_cli_ask_daemon(request);
}

static int ask_to_demote(const char *name, bool force)
{
	json_t *request = rblk_cli_new_request("demote", name);

	if (force)
		json_object_set_new(request, "force", json_true());
	return rblk_cli_ask_daemon(request);
}

/* Send one command that takes a resource and perhaps FORCE. */
static int simple(struct rblk_cli *cli, uint8_t cmd, const char *name,
		  bool force, const char *hint, const char *done)
{
	struct rblk_kreq req = rblk_cli_req(cmd, name);
	struct rblk_kstate *state;
	struct rblk_genl g;
	bool leased;
	int rc = rblk_cli_open_kernel(&g);

	if (rc)
		return rc;
	state = calloc(1, sizeof(*state));
	rc = state ? rblk_cli_get(&g, cli, name, state) : RBLK_EXIT_REFUSED;
	leased = rc == 0 && state->resource.leased;
	free(state);
	/* rblkd gives the lease up and tells the others; force does without it */
	if (leased && cmd == RBLK_CMD_DEMOTE) {
		rc = ask_to_demote(name, force);
		if (!force || rc != RBLK_EXIT_NO_DAEMON) {
			rblk_genl_close(&g);
			return rc;
		}
		rc = 0;
	}
	if (rc == 0) {
		if (force) {
			req.has = RBLK_HAS(RBLK_A_FLAGS);
			req.flags = RBLK_FLAG_FORCE;
		}
		rc = rblk_cli_request(&g, &req, hint);
	}
	if (rc == 0)
		printf("%s: %s\n", name, done);
	rblk_genl_close(&g);
	return rc;
}

int rblk_cmd_demote(struct rblk_cli *cli, int argc, char **argv)
{
	bool force = false;
	const struct rblk_cli_option options[] = {
		{ "force", &force, NULL }, { NULL, NULL, NULL },
	};
	int rc = rblk_cli_options("demote", options, &argc, &argv);

	if (rc)
		return rc;
	if (argc != 1)
		return rblk_cli_usage("demote");
	return simple(cli, RBLK_CMD_DEMOTE, argv[0], force, force ? NULL :
		      "see 'findmnt' and 'fuser -v /dev/rblk*'; --force fails outstanding I/O",
		      "backup");
}

static int suspend_or_resume(struct rblk_cli *cli, const char *verb, int argc,
			     char **argv, uint8_t cmd, const char *done)
{
	const struct rblk_cli_option options[] = { { NULL, NULL, NULL } };
	int rc = rblk_cli_options(verb, options, &argc, &argv);

	if (rc)
		return rc;
	if (argc != 1)
		return rblk_cli_usage(verb);
	return simple(cli, cmd, argv[0], false, NULL, done);
}

int rblk_cmd_suspend(struct rblk_cli *cli, int argc, char **argv)
{
	return suspend_or_resume(cli, "suspend", argc, argv, RBLK_CMD_SUSPEND,
				 "suspended");
}

int rblk_cmd_resume(struct rblk_cli *cli, int argc, char **argv)
{
	return suspend_or_resume(cli, "resume", argc, argv, RBLK_CMD_RESUME,
				 "resumed");
}

/* What a resync verb asks of each peer, and what it says then. */
struct resync_verb {
	uint8_t cmd;
	uint64_t has;
	uint8_t paused;
	bool force;
	uint32_t flags;
	const char *done;
};

/* What only @peer has would be lost: may it? 0, or an exit code. */
static int may_overwrite(const struct rblk_kstate *state,
			 const struct rblk_kpeer *peer)
{
	const char *name = state->name, *node = peer->node_name;
	char line[16];

	printf("%s: %s diverged%s%s\n", name, node,
	       *peer->reason ? ": " : "", peer->reason);
	printf("    what only %s has will be LOST; to keep it in a file: 'rblk connect --discard-mine --save FILE %s' on %s\n",
	       node, name, node);
	fflush(stdout);
	if (!isatty(STDIN_FILENO))
		return rblk_cli_fail(RBLK_EXIT_REFUSED, name,
				     "nothing copied: nobody is there to be asked; scripts use --force");
	printf("Overwrite %s? Type yes: ", node);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin) || strcmp(line, "yes\n") != 0)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, name, "nothing copied");
	return 0;
}

static int resync_peer(struct rblk_genl *g, const struct resync_verb *verb,
		       const struct rblk_kstate *state,
		       const struct rblk_kpeer *peer)
{
	struct rblk_kreq req = rblk_cli_req(verb->cmd, state->name);
	struct rblk_genl_error err;
	int rc;

	req.flags = verb->flags | (verb->force ? RBLK_FLAG_FORCE : 0);
	if (req.flags)
		req.has = RBLK_HAS(RBLK_A_FLAGS);
	req.nest = RBLK_A_PEER;
	req.peer.has = RBLK_HAS(RBLK_PEER_NODE_ID) | verb->has;
	req.peer.node_id = peer->node_id;
	req.peer.resync_paused = verb->paused;
	rc = rblk_genl_request(g, &req, &err);
	/* The module is the judge; it names no other reason for such a peer. */
	if (rc && !verb->force && err.code == EPERM && err.is_said &&
	    state->resource.role == RBLK_ROLE_PRIMARY &&
	    peer->repl == RBLK_REPL_DIVERGED) {
		rc = may_overwrite(state, peer);
		if (rc)
			return rc;
		req.has = RBLK_HAS(RBLK_A_FLAGS);
		req.flags = verb->flags | RBLK_FLAG_FORCE;
		rc = rblk_genl_request(g, &req, &err);
	}
	if (rc)
		rc = rblk_cli_refused(&req, &err, NULL);
	else
		printf("%s: %s %s\n", state->name, verb->done,
		       peer->node_name);
	return rc;
}

/* @peer NULL: all of them. */
static int resync(struct rblk_genl *g, struct rblk_cli *cli,
		  const struct resync_verb *verb, const char *name,
		  const char *peer)
{
	struct rblk_kstate *state = calloc(1, sizeof(*state));
	int rc = state ? rblk_cli_get(g, cli, name, state) : RBLK_EXIT_REFUSED;
	int id = rc || !peer ? 0 : rblk_cli_peer_id(state, peer);
	size_t i;

	if (rc == 0 && id < 0)
		rc = rblk_cli_fail(RBLK_EXIT_NOT_FOUND, name,
				   "has no peer %s", peer);
	for (i = 0; rc == 0 && i < state->peers_n; i++)
		if (!peer || state->peers[i].node_id == id)
			rc = resync_peer(g, verb, state, &state->peers[i]);
	free(state);
	return rc;
}

int rblk_cmd_resync(struct rblk_cli *cli, int argc, char **argv)
{
	bool full = false, pause = false, resume = false, force = false;
	const struct rblk_cli_option options[] = {
		{ "full", &full, NULL }, { "pause", &pause, NULL },
		{ "resume", &resume, NULL }, { "force", &force, NULL },
		{ NULL, NULL, NULL },
	};
	struct resync_verb verb = { RBLK_CMD_RESYNC, 0, 0, false, 0,
				    "copying to" };
	struct rblk_genl g;
	int rc = rblk_cli_options("resync", options, &argc, &argv);

	if (rc)
		return rc;
	if (argc < 1 || argc > 2 || full + pause + resume > 1 ||
	    (force && (pause || resume)) || (argc == 1 && !pause && !resume))
		return rblk_cli_usage("resync");
	if (!full && !pause && !resume)
		verb.flags = RBLK_FLAG_KNOWN;
	verb.force = force;
	if (pause || resume) {
		verb.cmd = RBLK_CMD_PEER_SET;
		verb.has = RBLK_HAS(RBLK_PEER_RESYNC_PAUSED);
		verb.paused = pause;
		verb.done = pause ? "paused the resync to" :
				    "going on with the resync to";
	}
	rc = rblk_cli_open_kernel(&g);
	if (rc)
		return rc;
	rc = resync(&g, cli, &verb, argv[0], argc > 1 ? argv[1] : NULL);
	rblk_genl_close(&g);
	return rc;
}

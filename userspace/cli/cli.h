/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.h - what the verbs of rblk share
 */
#ifndef RBLK_CLI_H
#define RBLK_CLI_H

#include "config.h"
#include "exitcode.h"
#include "genl.h"

#include <jansson.h>
#include <stdbool.h>

struct rblk_cli {
	const char *config_path;
	const char *node;		/* NULL: the host's name */
};

typedef int (*rblk_command_fn)(struct rblk_cli *cli, int argc, char **argv);

/* One verb. Help, completion and the manual page come from this table. */
struct rblk_command {
	const char *name;
	rblk_command_fn fn;
	const char *args;
	const char *summary;
	const char *help;		/* paragraphs; lines of at most 72 */
	const char *options;		/* for completion, by blanks */
	bool takes_resource;
	bool hidden;
};

extern const struct rblk_command rblk_commands[];
const struct rblk_command *rblk_command_find(const char *name);

int rblk_cmd_status(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_top(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_up(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_adjust(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_down(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_promote(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_demote(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_readmit(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_dismiss(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_connect(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_disconnect(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_resync(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_suspend(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_resume(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_events(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_wait(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_create(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_divergence(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_md(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_detach(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_attach(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_history(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_evict(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_fence(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_config(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_help(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_complete(struct rblk_cli *cli, int argc, char **argv);
int rblk_cmd_man(struct rblk_cli *cli, int argc, char **argv);

/*
 * What this node votes with in a resource that fails over automatically, unless it
 * has that already. @has_data: and in etcd no other node is in sync. 0, or the exit
 * code after a message (register.c).
 */
int rblk_cli_create_register(const struct rblk_config *config,
			     const struct rblk_config_resource *resource,
			     const struct rblk_config_node *node, bool has_data);

/* ---- shared chores (common.c) ---- */

/* "rblk: r0: text" on stderr; @resource may be NULL. Returns @code. */
int rblk_cli_fail(int code, const char *resource, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int rblk_cli_usage(const char *verb);

/*
 * Options of a verb: --NAME flags set *flag, --NAME VALUE sets *value. What
 * remains are argc/argv of the operands. 0, or the exit code after a message.
 */
struct rblk_cli_option {
	const char *name;		/* without the dashes; NULL ends */
	bool *flag;
	const char **value;
};
int rblk_cli_options(const char *verb, const struct rblk_cli_option *options,
		     int *argc, char ***argv);

/* The kernel, or the exit code after a message. */
int rblk_cli_open_kernel(struct rblk_genl *g);
/* Run @req; print the kernel's refusal and, if given, what to do. */
int rblk_cli_request(struct rblk_genl *g, const struct rblk_kreq *req,
		     const char *hint);
/* Print such a refusal; returns the exit code. */
int rblk_cli_refused(const struct rblk_kreq *req,
		     const struct rblk_genl_error *err, const char *hint);
struct rblk_kreq rblk_cli_req(uint8_t cmd, const char *resource);

/*
 * Ask the daemon. @resource NULL with "all" in the request: every one. Prints
 * each result; returns the exit code.
 */
int rblk_cli_ask_daemon(json_t *request);
/* The answer, or NULL after a message with the exit code in *code. */
json_t *rblk_cli_call_daemon(json_t *request, int *code);
/* The answer, or NULL with a negative errno in *rc, unless rc is NULL. */
json_t *rblk_cli_try_daemon(json_t *request, int *rc);
json_t *rblk_cli_new_request(const char *verb, const char *resource);

/* The checked configuration, or NULL after printing what is wrong with it. */
struct rblk_config *rblk_cli_config(const struct rblk_cli *cli);
/* The same without a word: for suggestions only. */
struct rblk_config *rblk_cli_config_quiet(const struct rblk_cli *cli);
const struct rblk_config_node *rblk_cli_node(const struct rblk_cli *cli,
					     const struct rblk_config *config);

/* Node id of @peer as the kernel or a number names it; -1: no such peer. */
int rblk_cli_peer_id(const struct rblk_kstate *state, const char *peer);

/* The state of one resource, or the exit code after a message. */
int rblk_cli_get(struct rblk_genl *g, struct rblk_cli *cli, const char *name,
		 struct rblk_kstate *state);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * common.c - what the verbs of rblk share
 */
#include "cli.h"

#include "ctlproto.h"
#include "nodename.h"
#include "text.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OPTIONS	8

int rblk_cli_fail(int code, const char *resource, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "rblk: %s%s%s\n", resource ? resource : "",
		resource ? ": " : "", text);
	return code;
}

int rblk_cli_usage(const char *verb)
{
	const struct rblk_command *c = rblk_command_find(verb);

	fprintf(stderr, "usage: rblk %s %s\nSee 'rblk help %s'.\n", c->name,
		c->args, c->name);
	return RBLK_EXIT_USAGE;
}

static int report_option(const char *verb,
			 const struct rblk_cli_option *options, char **argv,
			 int rc)
{
	const char *names[MAX_OPTIONS + 1] = { NULL };
	const char *word = argv[optind - 1];
	const char *guess;
	int i;

	for (i = 0; i < MAX_OPTIONS && options[i].name; i++)
		names[i] = options[i].name;
	guess = rblk_text_suggest(word + strspn(word, "-"), names);
	if (rc == ':')
		fprintf(stderr, "rblk: %s needs a value\n", word);
	else
		fprintf(stderr, "rblk: unknown option '%s'%s%s%s\n", word,
			guess ? "; did you mean '--" : "", guess ? guess : "",
			guess ? "'?" : "");
	return rblk_cli_usage(verb);
}

int rblk_cli_options(const char *verb, const struct rblk_cli_option *options,
		     int *argc, char ***argv)
{
	struct option longs[MAX_OPTIONS + 1] = { 0 };
	int i, rc;

	for (i = 0; i < MAX_OPTIONS && options[i].name; i++) {
		longs[i].name = options[i].name;
		longs[i].has_arg = options[i].value ? required_argument :
						      no_argument;
		longs[i].val = i + 1;
	}
	optind = 0;
	opterr = 0;
	while ((rc = getopt_long(*argc, *argv, ":", longs, NULL)) != -1) {
		if (rc == '?' || rc == ':')
			return report_option(verb, options, *argv, rc);
		if (options[rc - 1].value)
			*options[rc - 1].value = optarg;
		else
			*options[rc - 1].flag = true;
	}
	*argc -= optind;
	*argv += optind;
	return 0;
}

int rblk_cli_open_kernel(struct rblk_genl *g)
{
	struct rblk_genl_error err;
	int rc = rblk_genl_open(g, &err);

	if (rc == 0) {
		rblk_genl_wait_long(g);
		return 0;
	}
	return rblk_cli_fail(rc == -ENOENT || rc == -EPROTO ?
			     RBLK_EXIT_NO_MODULE :
			     (int)rblk_exit_from_errno(-rc), NULL, "%s",
			     err.text);
}

int rblk_cli_request(struct rblk_genl *g, const struct rblk_kreq *req,
		     const char *hint)
{
	struct rblk_genl_error err;

	if (rblk_genl_request(g, req, &err) == 0)
		return 0;
	return rblk_cli_refused(req, &err, hint);
}

struct rblk_kreq rblk_cli_req(uint8_t cmd, const char *resource)
{
	struct rblk_kreq req = { .cmd = cmd };

	rblk_text_copy(req.name, sizeof(req.name), resource);
	return req;
}

int rblk_cli_refused(const struct rblk_kreq *req,
		     const struct rblk_genl_error *err, const char *hint)
{
	int code = rblk_exit_from_refusal(err->code, err->is_said);

	if (code == RBLK_EXIT_NOT_PERMITTED)
		hint = NULL;
	return rblk_cli_fail(code, req->name, "%s%s%s%s", err->text,
			     code == RBLK_EXIT_NOT_PERMITTED && geteuid() ?
			     "; run it as root" : "", hint ? "\n  " : "",
			     hint ? hint : "");
}

json_t *rblk_cli_new_request(const char *verb, const char *resource)
{
	json_t *request = json_pack("{s:s,s:s}", "schema", RBLK_CTL_SCHEMA,
				    "verb", verb);

	if (resource)
		json_object_set_new(request, "resource", json_string(resource));
	return request;
}

static int fail_connect(int rc)
{
	if (rc == -EACCES)
		return rblk_cli_fail(RBLK_EXIT_NOT_PERMITTED, NULL,
				     "not permitted to talk to rblkd%s",
				     geteuid() ? "; run it as root" : "");
	if (rc == -ENOENT || rc == -ECONNREFUSED)
		return rblk_cli_fail(RBLK_EXIT_NO_DAEMON, NULL,
				     "rblkd is not running: systemctl start rblkd");
	return rblk_cli_fail(RBLK_EXIT_NO_DAEMON, NULL,
			     "cannot talk to rblkd: %s", strerror(-rc));
}

static int print_result(const json_t *result)
{
	const char *resource = json_string_value(json_object_get(result,
								 "resource"));
	const char *text = json_string_value(json_object_get(result, "text"));
	int code = json_integer_value(json_object_get(result, "code"));

	if (code)
		return rblk_cli_fail(code, resource, "%s", text ? text : "?");
	printf("%s: %s\n", resource ? resource : "?", text ? text : "?");
	return 0;
}

static int print_answer(const json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "text"));
	int code = json_integer_value(json_object_get(answer, "code"));
	const json_t *results = json_object_get(answer, "results");
	size_t i;

	if (text && *text) {
		if (code == RBLK_EXIT_CONFIG)
			fputs(text, stderr);
		else
			rblk_cli_fail(code, NULL, "%s", text);
	}
	for (i = 0; i < json_array_size(results); i++)
		print_result(json_array_get(results, i));
	return code;
}

json_t *rblk_cli_call_daemon(json_t *request, int *code)
{
	int fd = rblk_ctl_connect(rblk_ctl_run_dir());
	const char *why;
	json_t *answer;

	if (fd < 0) {
		json_decref(request);
		*code = fail_connect(fd);
		return NULL;
	}
	answer = rblk_ctl_call(fd, request, &why);
	json_decref(request);
	close(fd);
	*code = answer ? 0 :
		rblk_cli_fail(RBLK_EXIT_NO_DAEMON, NULL, "%s", why);
	return answer;
}

int rblk_cli_ask_daemon(json_t *request)
{
	int code;
	json_t *answer = rblk_cli_call_daemon(request, &code);

	if (!answer)
		return code;
	code = print_answer(answer);
	json_decref(answer);
	return code;
}

json_t *rblk_cli_try_daemon(json_t *request, int *rc)
{
	int fd = rblk_ctl_connect(rblk_ctl_run_dir());
	json_t *answer = NULL;
	const char *why;

	if (rc)
		*rc = fd < 0 ? fd : 0;
	if (fd >= 0) {
		answer = rblk_ctl_call(fd, request, &why);
		close(fd);
	}
	json_decref(request);
	return answer;
}

struct rblk_config *rblk_cli_config_quiet(const struct rblk_cli *cli)
{
	struct rblk_config *config = rblk_config_load(cli->config_path);

	if (config->diags.errors == 0)
		return config;
	rblk_config_free(config);
	return NULL;
}

struct rblk_config *rblk_cli_config(const struct rblk_cli *cli)
{
	struct rblk_config *config = rblk_config_load(cli->config_path);

	rblk_diags_print(&config->diags, stderr);
	if (config->diags.errors == 0)
		return config;
	rblk_config_free(config);
	return NULL;
}

const struct rblk_config_node *rblk_cli_node(const struct rblk_cli *cli,
					     const struct rblk_config *config)
{
	char name[RBLK_NAME_SIZE];

	rblk_nodename_choose(config, cli->node, name);
	return rblk_config_node(config, name);
}

int rblk_cli_peer_id(const struct rblk_kstate *state, const char *peer)
{
	uint64_t id;
	size_t i;

	for (i = 0; i < state->peers_n; i++)
		if (strcmp(state->peers[i].node_name, peer) == 0)
			return state->peers[i].node_id;
	if (rblk_text_parse_number(peer, RBLK_MAX_NODES - 1, &id) &&
	    rblk_kstate_peer(state, id))
		return id;
	return -1;
}

static bool only_votes(const struct rblk_cli *cli,
		       const struct rblk_config *config, const char *name)
{
	const struct rblk_config_resource *r = rblk_config_resource(config, name);
	const struct rblk_config_node *node = rblk_cli_node(cli, config);

	return r && node && r->witnesses & (1U << node->id);
}

int rblk_cli_get(struct rblk_genl *g, struct rblk_cli *cli, const char *name,
		 struct rblk_kstate *state)
{
	struct rblk_config *config;
	struct rblk_genl_error err;
	int rc;

	if (!rblk_text_name_is_valid(name))
		return rblk_cli_fail(RBLK_EXIT_NOT_FOUND, NULL,
				     "'%s' cannot be the name of a resource",
				     name);
	rc = rblk_genl_get(g, name, state, &err);
	if (rc == 0)
		return 0;
	if (rc != -ENOENT)
		return rblk_cli_fail(rblk_exit_from_errno(-rc), name, "%s",
				     err.text);
	config = rblk_cli_config_quiet(cli);
	if (config && only_votes(cli, config, name))
		rblk_cli_fail(0, name, "this node holds no data of it: it only votes");
	else if (config && rblk_config_resource(config, name))
		rblk_cli_fail(0, name, "is not up: run 'rblk up %s'", name);
	else
		rblk_cli_fail(0, name, "no such resource");
	rblk_config_free(config);
	return RBLK_EXIT_NOT_FOUND;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_help.c - help, completion and manual page from the table of verbs
 */
#include "cli.h"

#include "version.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const exit_codes[][2] = {
	{ "0", "done" },
	{ "1", "refused: the state does not allow it" },
	{ "2", "usage" },
	{ "3", "the configuration is wrong" },
	{ "4", "no such resource, peer or device" },
	{ "5", "not permitted" },
	{ "6", "the time is over" },
	{ "7", "the kernel module is not loaded, or of another version" },
	{ "8", "rblkd is not running" },
};

static int help_one(const struct rblk_command *c)
{
	printf("rblk %s %s\n\n%s\n", c->name, c->args, c->summary);
	if (*c->help)
		printf("\n%s\n", c->help);
	return RBLK_EXIT_OK;
}

int rblk_cmd_help(struct rblk_cli *cli, int argc, char **argv)
{
	const struct rblk_command *c;
	size_t i;

	(void)cli;
	if (argc == 2) {
		c = rblk_command_find(argv[1]);
		if (c)
			return help_one(c);
		return rblk_cli_fail(RBLK_EXIT_USAGE, NULL,
				     "unknown verb '%s'; see 'rblk help'",
				     argv[1]);
	}
	puts("usage: rblk [-c FILE] [--node NAME] [VERB …]\n");
	for (c = rblk_commands; c->name; c++)
		if (!c->hidden)
			printf("  %-11s %s\n", c->name, c->summary);
	puts("\nexit codes:");
	for (i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++)
		printf("  %s  %s\n", exit_codes[i][0], exit_codes[i][1]);
	puts("\n'rblk help VERB' says more; so does rblk(8).");
	return RBLK_EXIT_OK;
}

/* ---- completion: WORD… are the words after "rblk", the last one begun ---- */

static void print_resources(struct rblk_cli *cli)
{
	struct rblk_config *config = rblk_cli_config_quiet(cli);
	size_t i;

	for (i = 0; config && i < config->resources_n; i++)
		puts(config->resources[i].name);
	rblk_config_free(config);
}

static void print_nodes(struct rblk_cli *cli)
{
	struct rblk_config *config = rblk_cli_config_quiet(cli);
	size_t i;

	for (i = 0; config && i < config->nodes_n; i++)
		puts(config->nodes[i].name);
	rblk_config_free(config);
}

static void print_words(const char *words)
{
	for (; *words; words++)
		putchar(*words == ' ' ? '\n' : *words);
	putchar('\n');
}

static bool takes_peer(const char *verb)
{
	return strcmp(verb, "connect") == 0 || strcmp(verb, "resync") == 0 ||
	       strcmp(verb, "disconnect") == 0;
}

static bool takes_node(const char *verb)
{
	return strcmp(verb, "evict") == 0 || strcmp(verb, "fence") == 0;
}

int rblk_cmd_complete(struct rblk_cli *cli, int argc, char **argv)
{
	const struct rblk_command *c = argc > 2 ? rblk_command_find(argv[1]) :
						  NULL;
	const char *before = argc > 2 ? argv[argc - 2] : "";
	int i, operands = 0;

	if (argc <= 2 || strcmp(argv[1], "help") == 0) {
		for (c = rblk_commands; c->name; c++)
			if (!c->hidden)
				puts(c->name);
		return RBLK_EXIT_OK;
	}
	if (!c)
		return RBLK_EXIT_OK;
	if (strcmp(before, "--for") == 0) {
		puts("connected\nuptodate");
		return RBLK_EXIT_OK;
	}
	for (i = 2; i < argc - 1; i++)
		operands += argv[i][0] != '-';
	if (*c->options)
		print_words(c->options);
	if (c->takes_resource && operands == 0)
		print_resources(cli);
	else if ((takes_peer(c->name) && operands == 1) ||
		 (takes_node(c->name) && operands == 0))
		print_nodes(cli);
	return RBLK_EXIT_OK;
}

/* ---- rblk(8) ---- */

/* Text for roff: a leading '.' or '\'' and every '-' and '\' need care. */
static void put_roff(const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\'')
			fputs("\\(aq", stdout);
		else
			putchar(*text);
	}
}

static void put_verb(const struct rblk_command *c)
{
	fputs(".TP\n.BR \"rblk ", stdout);
	put_roff(c->name);
	fputs("\" \" ", stdout);
	put_roff(c->args);
	fputs("\"\n", stdout);
	putchar(toupper((unsigned char)c->summary[0]));
	put_roff(c->summary + 1);
	fputs(".\n", stdout);
	if (*c->help) {
		put_roff(c->help);
		putchar('\n');
	}
}

static const char man_head[] =
	".SH NAME\nrblk \\- replicate block devices between machines\n"
	".SH SYNOPSIS\n.B rblk\n[\\fB\\-c\\fR \\fIFILE\\fR] [\\fB\\-\\-node\\fR \\fINAME\\fR] [\\fIVERB\\fR ...]\n"
	".SH DESCRIPTION\n"
	"A resource is one or more block devices that a primary node writes and\n"
	"its backups receive. The kernel module replicates,\n.BR rblkd (8)\n"
	"sets up the connections, and this command drives both.\n"
	"Without a verb it shows the status.\n";

static const char man_tail[] =
	".SH OPTIONS\n"
	".TP\n.BR \\-c \", \" \\-\\-config \" \\fIFILE\\fR\"\nThe configuration (default: $RBLK_CONFIG, or /etc/rblk/rblk.conf).\n"
	".TP\n.BR \\-\\-node \" \\fINAME\\fR\"\nWhich node this is (default: $RBLK_NODE, or the host name).\n"
	".TP\n.B \\-\\-version\nPrint the version.\n";

static const char man_end[] =
	"With\n.B status \\-\\-check\nthe code is 0 healthy, 1 degraded, 2 failed.\n"
	".SH ENVIRONMENT\n"
	".TP\n.B RBLK_CONFIG\nThe configuration.\n"
	".TP\n.B RBLK_NODE\nThe name of this node.\n"
	".TP\n.B RBLK_RUN_DIR\nWhere the control socket of rblkd is (default: /run/rblk).\n"
	".SH FILES\n.TP\n.I /etc/rblk/rblk.conf\nThe configuration, see\n.BR rblk.conf (5).\n"
	".SH SEE ALSO\n.BR rblkd (8),\n.BR rblk.conf (5)\n";

int rblk_cmd_man(struct rblk_cli *cli, int argc, char **argv)
{
	const struct rblk_command *c;
	size_t i;

	(void)cli;
	(void)argc;
	(void)argv;
	puts(".\\\" SPDX-License-Identifier: GPL-2.0-or-later");
	puts(".TH RBLK 8 \"\" \"rblk " RBLK_VERSION "\" \"System Administration\"");
	fputs(man_head, stdout);
	puts(".SH VERBS");
	for (c = rblk_commands; c->name; c++)
		if (!c->hidden)
			put_verb(c);
	fputs(man_tail, stdout);
	puts(".SH EXIT STATUS");
	for (i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++) {
		printf(".TP\n.B %s\n", exit_codes[i][0]);
		put_roff(exit_codes[i][1]);
		putchar('\n');
	}
	fputs(man_end, stdout);
	return RBLK_EXIT_OK;
}

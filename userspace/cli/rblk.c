// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rblk.c - the table of verbs, and main
 */
#include "cli.h"

#include "text.h"
#include "version.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct rblk_command rblk_commands[] = {
	{
		"status", rblk_cmd_status, "[--json] [--check] [RES]",
		"show resources, volumes and peers; the default verb",
		"Works without the daemon. What needs attention ends with a line\n"
		"that says what to do. With --check the exit code is 0 healthy,\n"
		"1 degraded, 2 failed or not up. --json prints schema\n"
		"rblk.status/1: units are part of the keys, null is unknown.",
		"--json --check", true, false,
	}, {
		"top", rblk_cmd_top,
		"[--interval SECONDS] [--once | -n COUNT] [--json] [RES]",
		"show rates, latencies and lag, again and again",
		"Per resource: operations and bytes per second, operations in\n"
		"flight, requests held and why, how full the log is, and how long\n"
		"writes took from admission to each stage (median and 99th\n"
		"percentile, in powers of two). Per peer: what it applies, what is\n"
		"sent and received, its lag in operations, bytes and seconds. All\n"
		"of it over the last interval (default: 2 seconds). --once and\n"
		"-n COUNT end after so many. --json prints one object of schema\n"
		"rblk.top/1 per line. Works without a terminal and without the\n"
		"daemon.",
		"--interval --once --count --json", true, false,
	}, {
		"create", rblk_cmd_create,
		"[--adopt] [--force] [--size SIZE] [--volume N] RES | --register RES",
		"write the metadata of this node's volumes, once",
		"Shows what is on each disk and asks; --force does not ask. With\n"
		"metadata = start what the disk holds is lost. --adopt keeps it\n"
		"(metadata = end, or a device of its own) and refuses when it\n"
		"leaves no room, saying by how much to shrink it. --size makes the\n"
		"volume smaller than the disk: all nodes need the same. Of a\n"
		"resource with failover = auto also what this node votes with,\n"
		"unless it has that; on a witness only that. --register: only that,\n"
		"with arbiter = etcd, for a resource that has data: first on the node\n"
		"whose data is to count, which alone is in sync then.",
		"--adopt --force --size --volume --register", true, false,
	}, {
		"md", rblk_cmd_md,
		"examine | dump | restore | wipe [--force] [--exact] DEVICE",
		"look at metadata, save it, put it back, remove it",
		"On devices and on files; needs no configuration, no daemon, no\n"
		"module. examine prints it; exit code 4: there is none, 1: damaged.\n"
		"dump prints JSON that restore reads from standard input. What is\n"
		"restored counts as inconsistent, because nobody knows what was\n"
		"written since; --exact: nothing was. wipe asks, unless --force.",
		"examine dump restore wipe --force --exact --udev", false, false,
	}, {
		"up", rblk_cmd_up, "RES | --all",
		"bring a resource up as a backup and connect it",
		"Reads the configuration again, claims the backing disks, creates\n"
		"/dev/rblkN and starts connecting. All or nothing: what fails\n"
		"half-way is undone. Bringing up what is up changes nothing.",
		"--all", true, false,
	}, {
		"adjust", rblk_cmd_adjust, "[--dry-run] RES | --all",
		"apply a changed configuration, while I/O runs",
		"Reads the configuration again and changes what differs: protocol\n"
		"to each peer, acks, log-size, data-crc, zero-detect,\n"
		"on-disk-error, disk-timeout, read-from-backup, and which nodes are peers.\n"
		"Operations in flight complete by what is then set. Refused, with\n"
		"nothing changed, when something differs that is fixed while a resource is up (its\n"
		"volumes, their disks and minors, this node's id): 'down' and 'up'\n"
		"apply that. What is not up is brought up. On this node only: run\n"
		"it on each. --dry-run: say what would change.",
		"--all --dry-run", true, false,
	}, {
		"down", rblk_cmd_down, "[--force] RES | --all",
		"disconnect a resource and release its disks",
		"Refused while a volume is open, unless --force: then outstanding\n"
		"I/O fails. Works without the daemon.",
		"--all --force", true, false,
	}, {
		"promote", rblk_cmd_promote, "[--assume-clean] [--force] RES",
		"make this node the primary: its volumes become writable",
		"The next generation is stored on disk first, so that no two\n"
		"primaries ever share one. --assume-clean: the disks of all nodes\n"
		"hold the same data (blank ones do); needed once for a new\n"
		"resource. --force: although a connected peer is primary, or the\n"
		"data here is inconsistent; writes that only the old primary had\n"
		"may be lost. Or, the first time, where only this node's disks hold\n"
		"the data: the others then need 'rblk resync --full'. With\n"
		"failover = auto the primary hands over first, if it is not in use;\n"
		"both options are for the first time only.",
		"--assume-clean --force", true, false,
	}, {
		"demote", rblk_cmd_demote, "[--force] RES",
		"make this node a backup again",
		"Refused while a volume is open for writing, unless --force: then\n"
		"outstanding I/O fails. Works without the daemon. With\n"
		"failover = auto rblkd does it, and no node is promoted until\n"
		"somebody asks for it.",
		"--force", true, false,
	}, {
		"readmit", rblk_cmd_readmit, "RES NODE",
		"have a node vote that is new, or lost its register",
		"With failover = auto, on the primary: NODE, which says that it does\n"
		"not vote, is removed from the voters, if it is one, and added. A\n"
		"majority of the others has to be there, and at least two.",
		"", true, false,
	}, {
		"dismiss", rblk_cmd_dismiss, "RES NODE",
		"have a node not vote any more, as it goes for good",
		"With failover = auto, on the primary, before NODE is taken out of\n"
		"the configuration: else it counts as a voter that never answers.\n"
		"Refused while NODE is in sync, and where it is one of two voters.\n"
		"One that is not in the configuration any more goes by its id.",
		"", true, false,
	}, {
		"connect", rblk_cmd_connect,
		"[--discard-mine [--save FILE]] RES [PEER]",
		"connect to the peers, now and whenever a link is lost",
		"This is the state after 'up'. Ends a 'disconnect', and does not\n"
		"wait for the next automatic attempt. --discard-mine: after a split\n"
		"brain, on the node whose data is to go, demoted: what only this node\n"
		"has is given up, once, and the primary copies over what differs.\n"
		"Refused, with nothing changed, where there is no fork. --save: first\n"
		"all that this node holds, but zeroes, is written to FILE, which must\n"
		"not exist; if that fails, nothing is discarded. 'rblk divergence'\n"
		"reads it.",
		"--discard-mine --save", true, false,
	}, {
		"divergence", rblk_cmd_divergence,
		"list FILE… | show FILE | export [--volume N] FILE IMAGE",
		"look into what 'connect --discard-mine --save' has saved",
		"list says whose data a file holds, where it parted, and how much\n"
		"there is; show prints the volume, offset and length of what is not\n"
		"zero, in bytes; export makes an image of a volume as the node had\n"
		"it, to be mounted by a loop device, say. Each checks the whole file\n"
		"first or as it goes, and uses nothing of a damaged one. Needs no\n"
		"root, no daemon, no module.",
		"list show export --volume", false, false,
	}, {
		"disconnect", rblk_cmd_disconnect, "RES [PEER]",
		"drop the links to the peers and keep them down",
		"Lasts until 'connect' or 'down'. Peers see the reason.",
		"", true, false,
	}, {
		"resync", rblk_cmd_resync,
		"[--full] [--force] RES PEER | --pause | --resume RES [PEER]",
		"copy to a peer that cannot follow, or pause and resume copying",
		"On the primary only. What differs on the peer is overwritten. With\n"
		"--full all is compared; without, only where the two may differ, as\n"
		"far as both know that: of a primary that crashed, mostly. The peer's\n"
		"data is inconsistent until the copy is complete; watch it with\n"
		"'rblk status'. If the peer diverged, what only it has is lost: it\n"
		"asks before, unless --force.\n"
		"--pause: no block is copied, whatever the link does, until --resume\n"
		"or 'down'; writes still go to the peer. Without PEER: to all of\n"
		"them.",
		"--full --force --pause --resume", true, false,
	}, {
		"detach", rblk_cmd_detach, "RES [VOLUME]",
		"stop using a volume's disk, and give it back",
		"While the resource is up, on a primary too: it reads and writes\n"
		"through its peers then, and is refused when no connected one has\n"
		"all data. VOLUME may be left out if there is only one. Works\n"
		"without the daemon.",
		"", true, false,
	}, {
		"attach", rblk_cmd_attach, "RES [VOLUME]",
		"use a new disk for a volume whose disk failed or was detached",
		"The disk that the configuration names now, after 'rblk create\n"
		"--volume' on it (not with metadata = none), of the volume's size.\n"
		"While the resource is up: what it holds is LOST, and every block\n"
		"is copied to it. A backup's data is inconsistent until then; a\n"
		"primary reads from its peers until then. Any other disk is\n"
		"refused, and nothing has changed. Works without the daemon.",
		"", true, false,
	}, {
		"suspend", rblk_cmd_suspend, "RES",
		"hold application I/O until 'resume'",
		"Returns when what was in flight is complete. Works without the\n"
		"daemon.",
		"", true, false,
	}, {
		"resume", rblk_cmd_resume, "RES",
		"let held I/O go on", "Works without the daemon.",
		"", true, false,
	}, {
		"events", rblk_cmd_events, "[--json] [--now]",
		"print changes as they happen, until interrupted",
		"Begins with one line per object that exists. --now: ends after\n"
		"these. --json: one object of schema rblk.event/1 per line.",
		"--json --now", false, false,
	}, {
		"wait", rblk_cmd_wait,
		"--for connected|uptodate [--timeout SECONDS] RES",
		"wait until a resource is in a state",
		"connected: every peer is connected. uptodate: and holds, or is\n"
		"being sent, every write. Exit code 6 when the time is over.",
		"--for --timeout", true, false,
	}, {
		"history", rblk_cmd_history, "[--json] [RES]",
		"show when and why this node became primary",
		"For each attempt to make this node the primary, the oldest first:\n"
		"whose place it took, why, and when the failure was found, the\n"
		"promotion decided, the old primary switched off, the arbiter's\n"
		"verdict there, this node promoted, and the first write done. Kept\n"
		"on the node that was promoted. --json prints schema\n"
		"rblk.history/1, with times in milliseconds since 1970.",
		"--json", true, false,
	}, {
		"evict", rblk_cmd_evict, "NODE",
		"move what NODE is primary of to other nodes",
		"Before maintenance of NODE. Only resources with failover = auto. On\n"
		"NODE itself, each goes to whoever is best; elsewhere, to the node\n"
		"where this is typed. Refused for a volume that is open: stop who\n"
		"uses it first.",
		"", false, false,
	}, {
		"fence", rblk_cmd_fence, "[--confirm] [--force] NODE",
		"switch NODE off, or say that it is off",
		"Runs the fence agents that the configuration has for NODE, and\n"
		"ends when it is off, or when none of them could do it. --confirm\n"
		"runs nothing: you have made sure that NODE is off, because it has\n"
		"no agent, or its agent lost power with it. If it is not off, two\n"
		"nodes may write at once, and nothing can find that. Asks before,\n"
		"unless --force.",
		"--confirm --force", false, false,
	}, {
		"config", rblk_cmd_config, "check [FILE] | show [--json]",
		"check or print the configuration",
		"check prints FILE:LINE:COLUMN: error: … for each mistake; exit\n"
		"code 3 when there is one. It also looks for the fence agents that\n"
		"this node would run. show prints what the configuration\n"
		"means, in full and in canonical form; it never shows the key.",
		"check show --json", false, false,
	}, {
		"help", rblk_cmd_help, "[VERB]",
		"explain a verb, or list all", "", "", false, false,
	}, {
		"_complete", rblk_cmd_complete, "WORD…",
		"words for the shell's completion", "", "", false, true,
	}, {
		"_man", rblk_cmd_man, "", "the manual page", "", "", false, true,
	},
	{ NULL, NULL, NULL, NULL, NULL, NULL, false, false },
};

const struct rblk_command *rblk_command_find(const char *name)
{
	const struct rblk_command *c = rblk_commands;

	while (c->name && strcmp(c->name, name) != 0)
		c++;
	return c->name ? c : NULL;
}

static int unknown_verb(const char *word)
{
	const char *names[64] = { NULL };
	const char *guess;
	size_t i, n = 0;

	for (i = 0; rblk_commands[i].name && n < 63; i++)
		if (!rblk_commands[i].hidden)
			names[n++] = rblk_commands[i].name;
	guess = rblk_text_suggest(word, names);
	if (guess)
		rblk_cli_fail(0, NULL, "unknown verb '%s'; did you mean '%s'?",
			      word, guess);
	else
		rblk_cli_fail(0, NULL, "unknown verb '%s'; see 'rblk help'",
			      word);
	return RBLK_EXIT_USAGE;
}

/* Options before the verb; -1: go on. */
static int parse_globals(struct rblk_cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "node", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+c:h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			cli->config_path = optarg;
			break;
		case 'n':
			cli->node = optarg;
			break;
		case 'V':
			puts("rblk " RBLK_VERSION);
			return RBLK_EXIT_OK;
		case 'h':
			return rblk_cmd_help(cli, 1, argv);
		default:
			fputs("usage: rblk [-c FILE] [--node NAME] VERB …; see 'rblk help'\n",
			      stderr);
			return RBLK_EXIT_USAGE;
		}
	}
	return -1;
}

int main(int argc, char **argv)
{
	static char *status[] = { "status", NULL };
	const char *config = getenv("RBLK_CONFIG");
	struct rblk_cli cli = {
		.config_path = config && *config ? config : RBLK_CONFIG_PATH,
	};
	const struct rblk_command *command;
	int rc = parse_globals(&cli, argc, argv);

	if (rc >= 0)
		return rc;
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return rblk_cmd_status(&cli, 1, status);
	command = rblk_command_find(argv[0]);
	if (!command)
		return unknown_verb(argv[0]);
	rc = command->fn(&cli, argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout))
		return rc ? rc : RBLK_EXIT_REFUSED;
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_wait.c - rblk wait
 */
#include "cli.h"

#include "text.h"
#include "view.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Events wake us; this is for what makes none, and for lost ones. */
#define LOOK_EVERY_MS	1000

typedef bool (*condition_fn)(const struct rblk_kstate *s);

static bool is_connected(const struct rblk_kstate *s)
{
	size_t i;

	for (i = 0; i < s->peers_n; i++)
		if (s->peers[i].conn != RBLK_CONN_UP)
			return false;
	return true;
}

/* The primary knows its backups' data; a backup knows its own. */
static bool is_uptodate(const struct rblk_kstate *s)
{
	bool primary_there = false;
	size_t i;

	if (s->resource.data != RBLK_DATA_CONSISTENT)
		return false;
	if (s->resource.role != RBLK_ROLE_PRIMARY) {
		for (i = 0; i < s->peers_n; i++)
			primary_there |= s->peers[i].conn == RBLK_CONN_UP &&
					 s->peers[i].role == RBLK_ROLE_PRIMARY;
		return primary_there;
	}
	for (i = 0; i < s->peers_n; i++)
		if (s->peers[i].conn != RBLK_CONN_UP ||
		    s->peers[i].repl != RBLK_REPL_UPTODATE)
			return false;
	return true;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static void ignore_event(void *data, const struct rblk_kevent *e)
{
	(void)data;
	(void)e;
}

/* Peers that are being copied to, on one line of a terminal. */
static void show_progress(const struct rblk_kstate *s)
{
	enum { WIDTH = 24 };
	bool first = true;
	size_t i;

	fputs("\r\033[K", stderr);
	for (i = 0; i < s->peers_n; i++) {
		const struct rblk_kpeer *p = &s->peers[i];
		uint64_t total = p->resync_total_bytes;
		uint64_t left = p->lacks_bytes < total ? p->lacks_bytes : total;
		int filled;

		if (!(p->has & RBLK_HAS(RBLK_PEER_RESYNC_TOTAL_BYTES)) || !total)
			continue;
		filled = WIDTH * (1 - (double)left / total);
		fprintf(stderr, "%s%s [%.*s%.*s] %3.0f%%  ",
			first ? "" : "   ", p->node_name,
			filled, "########################",
			WIDTH - filled, "------------------------",
			100 * (1 - (double)left / total));
		rblk_view_print_rate(p, stderr);
		first = false;
	}
	fflush(stderr);
}

static int wait_for(struct rblk_cli *cli, struct rblk_genl *g,
		    struct rblk_genl *events, const char *name,
		    condition_fn condition, uint64_t end_ms)
{
	struct pollfd fd = { .fd = rblk_genl_fd(events), .events = POLLIN };
	struct rblk_kstate *state = calloc(1, sizeof(*state));
	int rc = state ? 0 : RBLK_EXIT_REFUSED;
	bool tty = isatty(STDERR_FILENO);

	while (rc == 0) {
		uint64_t now = now_ms();
		uint64_t left = end_ms > now ? end_ms - now : 0;

		rc = rblk_cli_get(g, cli, name, state);
		if (rc || condition(state))
			break;
		if (left == 0) {
			rc = RBLK_EXIT_TIMEOUT;
			break;
		}
		if (tty)
			show_progress(state);
		poll(&fd, 1, left < LOOK_EVERY_MS ? left : LOOK_EVERY_MS);
		(void)rblk_genl_read_events(events, ignore_event, NULL);
	}
	if (tty)
		fputs("\r\033[K", stderr);
	free(state);
	return rc;
}

static int run(struct rblk_cli *cli, const char *name, const char *what,
	       condition_fn condition, uint64_t end_ms)
{
	struct rblk_genl g, events;
	struct rblk_genl_error err;
	int rc = rblk_cli_open_kernel(&g);

	if (rc)
		return rc;
	rc = rblk_cli_open_kernel(&events);
	if (rc == 0) {
		if (rblk_genl_subscribe(&events, &err) < 0)
			rc = rblk_cli_fail(RBLK_EXIT_REFUSED, NULL,
					   "cannot listen to events: %s",
					   err.text);
		else
			rc = wait_for(cli, &g, &events, name, condition,
				      end_ms);
		rblk_genl_close(&events);
	}
	rblk_genl_close(&g);
	if (rc == 0)
		printf("%s: %s\n", name, what);
	else if (rc == RBLK_EXIT_TIMEOUT)
		rblk_cli_fail(rc, name,
			      "not %s in time; 'rblk status %s' says why",
			      what, name);
	return rc;
}

int rblk_cmd_wait(struct rblk_cli *cli, int argc, char **argv)
{
	const char *what = NULL, *timeout = NULL;
	const struct rblk_cli_option options[] = {
		{ "for", NULL, &what }, { "timeout", NULL, &timeout },
		{ NULL, NULL, NULL },
	};
	uint64_t end_ms = UINT64_MAX, limit_ms;
	condition_fn condition = NULL;
	int rc = rblk_cli_options("wait", options, &argc, &argv);

	if (rc)
		return rc;
	if (what && strcmp(what, "connected") == 0)
		condition = is_connected;
	else if (what && strcmp(what, "uptodate") == 0)
		condition = is_uptodate;
	if (argc != 1 || !condition)
		return rblk_cli_usage("wait");
	if (timeout) {
		if (rblk_text_parse_number(timeout, 1000000, &limit_ms))
			limit_ms *= 1000;
		else if (!rblk_text_parse_duration(timeout, &limit_ms))
			return rblk_cli_fail(RBLK_EXIT_USAGE, NULL,
					     "bad --timeout '%s' (seconds, or such as 500ms)",
					     timeout);
		end_ms = now_ms() + limit_ms;
	}
	return run(cli, argv[0], what, condition, end_ms);
}

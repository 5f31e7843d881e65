// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_events.c - rblk events, rblk wait
 */
#include "cli.h"
#include "view.h"

#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct printer {
	bool json;
};

static const char *object_name(const struct rblk_kevent *e)
{
	return e->nest == RBLK_A_RESOURCE ? "resource" :
	       e->nest == RBLK_A_VOLUME ? "volume" : "peer";
}

static void wall_time(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	rblk_text_format(buf + n, size - n, ".%03ldZ", now.tv_nsec / 1000000);
}

static void print_json(const struct rblk_kevent *e, const char *kind)
{
	json_t *object, *line;
	char wall[40];

	if (e->nest == RBLK_A_RESOURCE)
		object = rblk_json_resource(&e->resource);
	else if (e->nest == RBLK_A_VOLUME)
		object = rblk_json_volume(&e->volume);
	else
		object = rblk_json_peer(&e->peer);
	wall_time(wall, sizeof(wall));
	line = json_pack("{s:s,s:o,s:o,s:s,s:s,s:s,s:s,s:o,s:o}",
		"schema", "rblk.event/1",
		"serial", e->info.has & RBLK_HAS(RBLK_EV_SERIAL) ?
			json_integer((json_int_t)e->info.serial) : json_null(),
		"boottime_ns", e->info.has & RBLK_HAS(RBLK_EV_TIME_NS) ?
			json_integer((json_int_t)e->info.time_ns) : json_null(),
		"seen_at", wall, "event", kind, "resource", e->name,
		"object", object_name(e),
		"reason", e->info.has & RBLK_HAS(RBLK_EV_REASON) ?
			json_string(e->info.reason) : json_null(),
		"state", object);
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void print_object(const struct rblk_kevent *e)
{
	if (e->nest == RBLK_A_RESOURCE) {
		const struct rblk_kresource *r = &e->resource;

		printf("resource role:%s data:%s generation:%" PRIu64 " seq:%" PRIu64 "%s",
		       rblk_kmsg_role(r->role), rblk_kmsg_data(r->data),
		       r->generation, r->seq,
		       r->suspended ? " suspended" : "");
	} else if (e->nest == RBLK_A_VOLUME) {
		const struct rblk_kvolume *v = &e->volume;

		printf("volume %u minor:%u disk:%s state:%s", v->id, v->minor,
		       v->disk, rblk_kmsg_disk(v->disk_state));
	} else {
		const struct rblk_kpeer *p = &e->peer;

		printf("peer %s connection:%s replication:%s", p->node_name,
		       rblk_kmsg_conn(p->conn), p->repl == RBLK_REPL_UPTODATE ?
		       "uptodate" : rblk_kmsg_repl(p->repl));
		if (p->has & RBLK_HAS(RBLK_PEER_ROLE))
			printf(" role:%s", rblk_kmsg_role(p->role));
		if (p->reason[0])
			printf(" reason:\"%s\"", p->reason);
	}
}

static void print_text(const struct rblk_kevent *e, const char *kind)
{
	char wall[40];

	wall_time(wall, sizeof(wall));
	printf("%s %s %s ", wall, e->name, kind);
	print_object(e);
	if (e->info.reason[0] && !(e->nest == RBLK_A_PEER && e->peer.reason[0]))
		printf(" reason:\"%s\"", e->info.reason);
	putchar('\n');
}

static void print_event(const struct printer *p, const struct rblk_kevent *e,
			const char *kind)
{
	if (p->json)
		print_json(e, kind);
	else
		print_text(e, kind);
}

static void event_came(void *data, const struct rblk_kevent *e)
{
	print_event(data, e, rblk_kmsg_event_kind(e->info.kind));
}

/* What exists, in the shape of events. */
static void print_state(const struct printer *p, const struct rblk_kstate *s)
{
	struct rblk_kevent e = { .nest = RBLK_A_RESOURCE };
	size_t i;

	rblk_text_copy(e.name, sizeof(e.name), s->name);
	e.resource = s->resource;
	print_event(p, &e, "exists");
	e.nest = RBLK_A_VOLUME;
	for (i = 0; i < s->volumes_n; i++) {
		e.volume = s->volumes[i];
		print_event(p, &e, "exists");
	}
	e.nest = RBLK_A_PEER;
	for (i = 0; i < s->peers_n; i++) {
		e.peer = s->peers[i];
		print_event(p, &e, "exists");
	}
}

static int print_all(const struct printer *p)
{
	struct rblk_kstate *states;
	struct rblk_genl_error err;
	struct rblk_genl g;
	size_t n, i;
	int rc = rblk_cli_open_kernel(&g);

	if (rc)
		return rc;
	rc = rblk_genl_dump(&g, &states, &n, &err);
	rblk_genl_close(&g);
	if (rc < 0)
		return rblk_cli_fail(rblk_exit_from_errno(-rc), NULL, "%s",
				     err.text);
	for (i = 0; i < n; i++)
		print_state(p, &states[i]);
	free(states);
	fflush(stdout);
	return 0;
}

static int subscribe(struct rblk_genl *g)
{
	struct rblk_genl_error err;
	int rc = rblk_cli_open_kernel(g);

	if (rc == 0 && rblk_genl_subscribe(g, &err) < 0) {
		rc = rblk_cli_fail(rblk_exit_from_errno(err.code), NULL,
				   "cannot listen to events: %s", err.text);
		rblk_genl_close(g);
	}
	return rc;
}

static int follow(struct rblk_genl *g, const struct printer *p)
{
	struct pollfd fd = { .fd = rblk_genl_fd(g), .events = POLLIN };
	int rc;

	while (!ferror(stdout)) {
		poll(&fd, 1, -1);
		rc = rblk_genl_read_events(g, event_came, (void *)p);
		fflush(stdout);
		if (rc == -ENOBUFS) {
			fputs("rblk: events were lost; what exists now follows\n",
			      stderr);
			rc = print_all(p);
			if (rc)
				return rc;
		} else if (rc < 0) {
			return rblk_cli_fail(RBLK_EXIT_REFUSED, NULL,
					     "reading events: %s",
					     strerror(-rc));
		}
	}
	return RBLK_EXIT_OK;
}

int rblk_cmd_events(struct rblk_cli *cli, int argc, char **argv)
{
	bool json = false, now = false;
	const struct rblk_cli_option options[] = {
		{ "json", &json, NULL }, { "now", &now, NULL },
		{ NULL, NULL, NULL },
	};
	struct printer p;
	struct rblk_genl g;
	int rc = rblk_cli_options("events", options, &argc, &argv);

	(void)cli;
	if (rc)
		return rc;
	if (argc)
		return rblk_cli_usage("events");
	p.json = json;
	if (now)
		return print_all(&p);
	/* subscribe first: nothing is lost between the list and the changes */
	rc = subscribe(&g);
	if (rc)
		return rc;
	rc = print_all(&p);
	if (rc == 0)
		rc = follow(&g, &p);
	rblk_genl_close(&g);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * health.c - is a resource well, and what would help
 */
#include "view.h"

#include "fork.h"
#include "text.h"

#include <stdarg.h>
#include <string.h>

const char *rblk_health_name(enum rblk_health health)
{
	static const char *const names[] = { "healthy", "degraded", "failed" };

	return names[health];
}

static bool has_failed_disk(const struct rblk_kstate *s)
{
	size_t i;

	for (i = 0; i < s->volumes_n; i++)
		if (s->volumes[i].disk_state == RBLK_DISK_FAILED ||
		    s->volumes[i].disk_state == RBLK_DISK_DETACHED)
			return true;
	return false;
}

static bool has_filling_disk(const struct rblk_kstate *s)
{
	size_t i;

	for (i = 0; i < s->volumes_n; i++)
		if (s->volumes[i].disk_state == RBLK_DISK_FILLING)
			return true;
	return false;
}

static bool peer_is_well(const struct rblk_kstate *s,
			 const struct rblk_kpeer *p)
{
	if (p->conn != RBLK_CONN_UP)
		return false;
	if (s->resource.role != RBLK_ROLE_PRIMARY)
		return true;	/* only the primary knows more */
	return p->repl == RBLK_REPL_UPTODATE;
}

enum rblk_health rblk_view_health(const struct rblk_kstate *s)
{
	enum rblk_health health = RBLK_HEALTHY;
	size_t i;

	if (has_failed_disk(s) || s->resource.data != RBLK_DATA_CONSISTENT)
		return RBLK_FAILED;
	if (s->resource.suspended || has_filling_disk(s))
		health = RBLK_DEGRADED;
	for (i = 0; i < s->peers_n; i++) {
		if (s->peers[i].repl == RBLK_REPL_DIVERGED)
			return RBLK_FAILED;
		if (!peer_is_well(s, &s->peers[i]))
			health = RBLK_DEGRADED;
	}
	return health;
}

const json_t *rblk_view_link(const struct rblk_view *view,
			     const char *resource, unsigned int peer)
{
	size_t i;

	for (i = 0; i < json_array_size(view->links); i++) {
		const json_t *l = json_array_get(view->links, i);
		const char *name = json_string_value(json_object_get(l,
							"resource"));

		if (name && strcmp(name, resource) == 0 &&
		    json_integer_value(json_object_get(l, "peer_id")) ==
		    (json_int_t)peer)
			return l;
	}
	return NULL;
}

static void add(struct rblk_advice *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct rblk_advice *a, const char *fmt, ...)
{
	va_list ap;

	if (a->n == RBLK_MAX_ADVICE)
		return;
	va_start(ap, fmt);
	vsnprintf(a->text[a->n++], sizeof(a->text[0]), fmt, ap);
	va_end(ap);
}

/* Or may have: who is not connected may be primary. */
static bool has_primary(const struct rblk_kstate *s)
{
	size_t i;

	if (s->resource.role == RBLK_ROLE_PRIMARY)
		return true;
	for (i = 0; i < s->peers_n; i++)
		if (s->peers[i].conn != RBLK_CONN_UP ||
		    ((s->peers[i].has & RBLK_HAS(RBLK_PEER_ROLE)) &&
		     s->peers[i].role == RBLK_ROLE_PRIMARY))
			return true;
	return false;
}

static void advise_data(const struct rblk_kstate *s, struct rblk_advice *a)
{
	if (s->resource.data == RBLK_DATA_INCONSISTENT)
		add(a, "the data here is in the middle of a full copy: let it finish, or start it again on the primary with 'rblk resync --full %s NODE'",
		    s->name);
	else if (!has_primary(s) && s->resource.data == RBLK_DATA_NEW)
		add(a, "never used yet: 'rblk promote --assume-clean %s' on one node, if the disks of all nodes hold the same data (blank ones do)",
		    s->name);
	else if (!has_primary(s) && s->resource.data == RBLK_DATA_UNCLEAN)
		add(a, "this node ended without notice: what it holds is as after a power cut; if no other node has newer data: 'rblk promote %s'",
		    s->name);
	else if (!has_primary(s))
		add(a, "no primary: 'rblk promote %s' on the node that shall use it",
		    s->name);
}

static void explain(const struct rblk_kstate *s, const struct rblk_kpeer *p,
		    struct rblk_advice *a)
{
	char text[RBLK_FORK_SIZE];

	if (*p->reason)
		add(a, "%s: %s", p->node_name,
		    rblk_fork_explain(text, sizeof(text),
				      s->resource.node_name, p, p->reason));
}

static void advise_diverged(const struct rblk_kstate *s,
			    const struct rblk_kpeer *p, struct rblk_advice *a)
{
	explain(s, p, a);
	if (s->resource.role == RBLK_ROLE_PRIMARY)
		add(a, "to keep this node's data: 'rblk connect --discard-mine %s %s' on %s; --save FILE archives there what is given up",
		    s->name, s->resource.node_name, p->node_name);
	else if (p->role == RBLK_ROLE_PRIMARY)
		add(a, "to keep %s's data: 'rblk connect --discard-mine %s %s' here; --save FILE archives what is given up",
		    p->node_name, s->name, p->node_name);
	else
		add(a, "choose whose data is to stay: 'rblk promote %s' there, then 'rblk connect --discard-mine %s' on the other node",
		    s->name, s->name);
}

static void advise_peer(const struct rblk_view *view,
			const struct rblk_kstate *s, const struct rblk_kpeer *p,
			struct rblk_advice *a)
{
	const json_t *link = rblk_view_link(view, s->name, p->node_id);
	const char *state = json_string_value(json_object_get(link, "state"));
	bool primary = s->resource.role == RBLK_ROLE_PRIMARY;

	if (p->conn == RBLK_CONN_DOWN && state && strcmp(state, "off") == 0)
		add(a, "%s was disconnected by hand: 'rblk connect %s %s'",
		    p->node_name, s->name, p->node_name);
	if (p->repl == RBLK_REPL_DIVERGED)
		advise_diverged(s, p, a);
	if (p->conn == RBLK_CONN_DOWN && strstr(p->reason, "two primaries")) {
		explain(s, p, a);
		add(a, "choose whose data is to stay: on the other node 'rblk demote %s', then 'rblk connect --discard-mine %s'; --save FILE archives what is given up",
		    s->name, s->name);
	}
	if (p->conn == RBLK_CONN_DOWN &&
	    strstr(p->reason, "promised to follow a higher generation")) {
		explain(s, p, a);
		add(a, "connect %s to the node that it followed, or 'rblk demote %s' and 'rblk promote %s' on the primary",
		    primary ? p->node_name : "this node", s->name, s->name);
	}
	if (p->repl == RBLK_REPL_RESYNC && *p->reason)
		add(a, "%s: %s; it gets a copy of all", p->node_name, p->reason);
	if (p->resync_paused)
		add(a, "the resync to %s is paused: 'rblk resync --resume %s %s'",
		    p->node_name, s->name, p->node_name);
	if (p->repl == RBLK_REPL_BEHIND && primary && p->conn == RBLK_CONN_UP)
		add(a, "%s is behind (%s): 'rblk resync --full %s %s'",
		    p->node_name, *p->reason ? p->reason : "it missed writes",
		    s->name, p->node_name);
}

void rblk_view_advise(const struct rblk_view *view,
		      const struct rblk_kstate *s, struct rblk_advice *a)
{
	bool down = false;
	size_t i;

	a->n = 0;
	if (has_failed_disk(s))
		add(a, "a disk failed or is detached, and what is on it cannot be trusted any more: replace it, 'rblk create --volume N %s' unless its metadata is none, then 'rblk attach %s'",
		    s->name, s->name);
	if (s->resource.suspended)
		add(a, "I/O is suspended: 'rblk resume %s'", s->name);
	advise_data(s, a);
	for (i = 0; i < s->peers_n; i++) {
		advise_peer(view, s, &s->peers[i], a);
		down |= s->peers[i].conn == RBLK_CONN_DOWN;
	}
	if (down && !view->daemon_runs && !view->daemon_unknown)
		add(a, "links are not set up: rblkd is not running ('systemctl start rblkd')");
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * status_text.c - a view for people
 */
#include "view.h"

#include "text.h"

#include <inttypes.h>
#include <string.h>

/* Its lease and its in-sync set, where a primary has them. */
static void print_mandate(const struct rblk_kstate *s, FILE *to)
{
	const struct rblk_kresource *r = &s->resource;
	const struct rblk_kpeer *p;
	unsigned int i;

	if (r->role != RBLK_ROLE_PRIMARY)
		return;
	if (r->leased)
		fputs(r->lease_until_ns ? "  leased" : "  no lease", to);
	if (!r->in_sync)
		return;
	fputs("  in sync", to);
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		if (!(r->in_sync >> i & 1))
			continue;
		p = rblk_kstate_peer(s, i);
		fprintf(to, " %s", p ? p->node_name : r->node_name);
	}
}

static void print_head(const struct rblk_kstate *s, FILE *to)
{
	const struct rblk_kresource *r = &s->resource;

	fprintf(to, "%s  %s", s->name, rblk_kmsg_role(r->role));
	if (r->generation)
		fprintf(to, "  generation %" PRIu64, r->generation);
	if (r->has & RBLK_HAS(RBLK_RES_SEQ))
		fprintf(to, "  seq %" PRIu64, r->seq);
	if (r->data != RBLK_DATA_CONSISTENT)
		fprintf(to, "  data %s", rblk_kmsg_data(r->data));
	if (r->suspended)
		fputs("  suspended", to);
	if (r->held)
		fprintf(to, "  held %" PRIu64, r->held);
	if (r->held && r->has & RBLK_HAS(RBLK_RES_HELD_BY))
		fprintf(to, " (%s)", rblk_kmsg_held_by(r->held_by));
	print_mandate(s, to);
	fputc('\n', to);
}

static int widest(int have, const char *text)
{
	int len = strlen(text);

	return len > have ? len : have;
}

static void print_volumes(const struct rblk_kstate *s, FILE *to)
{
	char device[32], size[32];
	int wdev = 0, wdisk = 0, wsize = 0;
	size_t i;

	for (i = 0; i < s->volumes_n; i++) {
		const struct rblk_kvolume *v = &s->volumes[i];

		wdev = widest(wdev, rblk_text_format(device, sizeof(device),
						     "/dev/rblk%u", v->minor));
		wdisk = widest(wdisk, v->disk);
		wsize = widest(wsize, rblk_text_bytes(size, sizeof(size),
						      v->size_bytes));
	}
	for (i = 0; i < s->volumes_n; i++) {
		const struct rblk_kvolume *v = &s->volumes[i];

		rblk_text_format(device, sizeof(device), "/dev/rblk%u",
				 v->minor);
		rblk_text_bytes(size, sizeof(size), v->size_bytes);
		fprintf(to, "  %-3u %-*s   %-*s   %*s   %s", v->id, wdev,
			device, wdisk, v->disk, wsize, size,
			rblk_kmsg_disk(v->disk_state));
		if (v->openers)
			fprintf(to, "   open %u", v->openers);
		if (v->errors)
			fprintf(to, "   errors %" PRIu64, v->errors);
		fputc('\n', to);
	}
}

static const char *number_of(const struct rblk_kpeer *p, char *buf, size_t size)
{
	char bytes[32];

	if (p->lag_ops == 0)
		return rblk_text_format(buf, size, "lag 0");
	return rblk_text_format(buf, size, "lag %s, %" PRIu64 " ops, %" PRIu64 " ms",
				rblk_text_bytes(bytes, sizeof(bytes),
						p->lag_bytes),
				p->lag_ops, p->lag_ms);
}

bool rblk_view_eta(const struct rblk_kpeer *p, uint64_t *seconds)
{
	if (!(p->has & RBLK_HAS(RBLK_PEER_RESYNC_RATE)) || !p->resync_rate)
		return false;
	*seconds = (p->lacks_bytes + p->resync_rate - 1) / p->resync_rate;
	return true;
}

void rblk_view_print_rate(const struct rblk_kpeer *p, FILE *to)
{
	char left[32], rate[32];
	uint64_t seconds;

	fprintf(to, "%s left", rblk_text_bytes(left, sizeof(left),
					       p->lacks_bytes));
	if (p->resync_paused)
		fputs(", paused", to);
	else if (rblk_view_eta(p, &seconds))
		fprintf(to, ", %s/s, %" PRIu64 ":%02u:%02u to go",
			rblk_text_bytes(rate, sizeof(rate), p->resync_rate),
			seconds / 3600, (unsigned int)(seconds / 60 % 60),
			(unsigned int)(seconds % 60));
}

static void print_resync(const struct rblk_kpeer *p, FILE *to)
{
	char done[32], total[32];

	if (!(p->has & RBLK_HAS(RBLK_PEER_RESYNC_TOTAL_BYTES)))
		return;
	fprintf(to, "  %s of %s (%.1f%%)",
		rblk_text_bytes(done, sizeof(done), p->resync_done_bytes),
		rblk_text_bytes(total, sizeof(total), p->resync_total_bytes),
		p->resync_total_bytes ? 100.0 * p->resync_done_bytes /
					p->resync_total_bytes : 100.0);
	fputs(", ", to);
	rblk_view_print_rate(p, to);
}

/* Why a link is down: the daemon tried last, so it knows best. */
static void print_reason(const struct rblk_view *view,
			 const struct rblk_kstate *s,
			 const struct rblk_kpeer *p, FILE *to)
{
	const json_t *link = rblk_view_link(view, s->name, p->node_id);
	const char *reason = json_string_value(json_object_get(link, "reason"));
	const json_t *retry = json_object_get(link, "retry_in_ms");

	if (!reason || !*reason)
		reason = p->reason;
	if (*reason)
		fprintf(to, "  (%s)", reason);
	if (json_is_integer(retry))
		fprintf(to, "  next try in %.1f s",
			json_integer_value(retry) / 1000.0);
}

static void print_peer(const struct rblk_view *view,
		       const struct rblk_kstate *s, const struct rblk_kpeer *p,
		       int width, FILE *to)
{
	bool primary = s->resource.role == RBLK_ROLE_PRIMARY;
	char lag[96];

	fprintf(to, "  %-*s  %s", width, p->node_name, rblk_kmsg_conn(p->conn));
	if (p->has & RBLK_HAS(RBLK_PEER_ROLE))
		fprintf(to, "  %s", rblk_kmsg_role(p->role));
	if (p->repl != RBLK_REPL_UNKNOWN)
		fprintf(to, "  %s", rblk_kmsg_repl(p->repl));
	print_resync(p, to);
	if (p->lacks_bytes && p->repl != RBLK_REPL_RESYNC)
		fprintf(to, "  lacks %s", rblk_text_bytes(lag, sizeof(lag),
							  p->lacks_bytes));
	if (p->conn == RBLK_CONN_UP) {
		fprintf(to, "  protocol %c", p->protocol);
		if (primary && (p->repl == RBLK_REPL_UPTODATE ||
				p->repl == RBLK_REPL_CATCHUP ||
				p->repl == RBLK_REPL_RESYNC))
			fprintf(to, "  %s", number_of(p, lag, sizeof(lag)));
	} else {
		print_reason(view, s, p, to);
	}
	fputc('\n', to);
}

static void print_resource(const struct rblk_view *view,
			   const struct rblk_kstate *s, FILE *to)
{
	struct rblk_advice advice;
	int width = 0;
	size_t i;

	print_head(s, to);
	print_volumes(s, to);
	for (i = 0; i < s->peers_n; i++)
		width = widest(width, s->peers[i].node_name);
	for (i = 0; i < s->peers_n; i++)
		print_peer(view, s, &s->peers[i], width, to);
	rblk_view_print_failover(view, s->name, to);
	rblk_view_advise(view, s, &advice);
	for (i = 0; i < advice.n; i++)
		fprintf(to, "  -> %s\n", advice.text[i]);
}

void rblk_view_print(const struct rblk_view *view, FILE *to)
{
	size_t i;

	for (i = 0; i < view->n; i++) {
		if (i)
			fputc('\n', to);
		print_resource(view, &view->states[i], to);
	}
}

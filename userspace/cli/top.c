// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * top.c - what happened between two looks at a resource
 */
#include "top.h"

#include "latency.h"
#include "text.h"
#include "view.h"

#include <inttypes.h>
#include <string.h>

/* Counters only grow, but for an object that was made anew. */
static double rate(uint64_t before, uint64_t now, double seconds)
{
	return seconds > 0 && now > before ? (now - before) / seconds : 0;
}

static const struct rblk_kvolume *
find_volume(const struct rblk_kstate *state, uint8_t id)
{
	size_t i;

	for (i = 0; i < state->volumes_n; i++)
		if (state->volumes[i].id == id)
			return &state->volumes[i];
	return NULL;
}

static void add_volume(struct rblk_top *top, const struct rblk_kvolume *before,
		       const struct rblk_kvolume *now)
{
	struct rblk_top_volumes *t = &top->volumes;
	double s = top->seconds;

	t->read_ops += rate(before->read_ops, now->read_ops, s);
	t->read_bytes += rate(before->read_bytes, now->read_bytes, s);
	t->write_ops += rate(before->write_ops, now->write_ops, s);
	t->write_bytes += rate(before->write_bytes, now->write_bytes, s);
	t->flush_ops += rate(before->flush_ops, now->flush_ops, s);
}

static void add_peer(struct rblk_top_peer *t, const struct rblk_kpeer *before,
		     const struct rblk_kpeer *now, double s)
{
	t->now = now;
	if (!before)
		return;
	t->sent_bytes = rate(before->sent_bytes, now->sent_bytes, s);
	t->received_bytes = rate(before->received_bytes, now->received_bytes,
				 s);
	/* cursors begin anew with each link: 0 before the first */
	if (before->applied_seq)
		t->applied_ops = rate(before->applied_seq, now->applied_seq, s);
}

void rblk_top_compare(struct rblk_top *top, const struct rblk_kstate *before,
		      const struct rblk_kstate *now, double seconds)
{
	static const struct rblk_kstate nothing;
	unsigned int stage, bucket;
	size_t i;

	*top = (struct rblk_top){ .now = now, .seconds = seconds };
	if (!before)
		before = &nothing;
	for (i = 0; i < now->volumes_n; i++) {
		const struct rblk_kvolume *b = find_volume(before,
							now->volumes[i].id);

		if (b)
			add_volume(top, b, &now->volumes[i]);
	}
	for (i = 0; i < now->peers_n; i++)
		add_peer(&top->peers[i],
			 rblk_kstate_peer(before, now->peers[i].node_id),
			 &now->peers[i], seconds);
	for (stage = 0; stage <= RBLK_LAT_MAX; stage++)
		for (bucket = 0; bucket < RBLK_LATENCY_BUCKETS; bucket++) {
			uint64_t n = now->latency[stage][bucket];
			uint64_t b = before->latency[stage][bucket];

			top->latency[stage][bucket] = n > b ? n - b : 0;
		}
}

/* ---- for people ---- */

static const char *microseconds(char *buf, size_t size, double us)
{
	if (us < 0)
		return "-";
	if (us < 1000)
		return rblk_text_format(buf, size, "%.0fus", us);
	if (us < 1000000)
		return rblk_text_format(buf, size, "%.1fms", us / 1000);
	return rblk_text_format(buf, size, "%.1fs", us / 1000000);
}

static void print_flow(const char *what, double ops, double bytes, FILE *to)
{
	char text[32];

	fprintf(to, "  %s %.0f/s %s/s", what, ops,
		rblk_text_bytes(text, sizeof(text), (uint64_t)bytes));
}

static void print_log(const struct rblk_kresource *r, FILE *to)
{
	char used[32], max[32];

	fprintf(to, "  in flight %u", r->in_flight);
	if (r->held)
		fprintf(to, "  held %" PRIu64 " (%s)", r->held,
			r->has & RBLK_HAS(RBLK_RES_HELD_BY) ?
			rblk_kmsg_held_by(r->held_by) : "?");
	fprintf(to, "  log %u of %u ops, %s of %s", r->log_ops_used, r->log_ops,
		rblk_text_bytes(used, sizeof(used), r->log_bytes_used),
		rblk_text_bytes(max, sizeof(max), r->log_bytes));
}

static void print_latency(const struct rblk_top *top, FILE *to)
{
	char p50[32], p99[32];
	unsigned int stage;

	fputs("  p50/p99", to);
	for (stage = 1; stage <= RBLK_LAT_MAX; stage++) {
		const uint64_t *counts = top->latency[stage];

		fprintf(to, "  %s %s/%s", rblk_kmsg_stage(stage),
			microseconds(p50, sizeof(p50),
				     rblk_latency_percentile_us(counts, 50)),
			microseconds(p99, sizeof(p99),
				     rblk_latency_percentile_us(counts, 99)));
	}
	fputc('\n', to);
}

static void print_peer(const struct rblk_top_peer *p, bool primary, FILE *to)
{
	char bytes[32];

	fprintf(to, "  %s  %s  protocol %c", p->now->node_name,
		rblk_kmsg_conn(p->now->conn), p->now->protocol);
	if (primary)
		fprintf(to, "  applied %.0f/s", p->applied_ops);
	fprintf(to, "  sent %s/s", rblk_text_bytes(bytes, sizeof(bytes),
						   (uint64_t)p->sent_bytes));
	fprintf(to, "  received %s/s",
		rblk_text_bytes(bytes, sizeof(bytes),
				(uint64_t)p->received_bytes));
	if (primary)
		fprintf(to, "  lag %" PRIu64 " ops, %s, %.1f s", p->now->lag_ops,
			rblk_text_bytes(bytes, sizeof(bytes),
					p->now->lag_bytes),
			p->now->lag_ms / 1000.0);
	fputc('\n', to);
}

void rblk_top_print(const struct rblk_top *top, FILE *to)
{
	const struct rblk_top_volumes *v = &top->volumes;
	const struct rblk_kresource *r = &top->now->resource;
	bool primary = r->role == RBLK_ROLE_PRIMARY;
	size_t i;

	fprintf(to, "%s  %s", top->now->name, rblk_kmsg_role(r->role));
	print_flow("write", v->write_ops, v->write_bytes, to);
	print_flow("read", v->read_ops, v->read_bytes, to);
	fprintf(to, "  flush %.0f/s", v->flush_ops);
	print_log(r, to);
	fputc('\n', to);
	if (primary && top->now->has_latency)
		print_latency(top, to);
	for (i = 0; i < top->now->peers_n; i++)
		print_peer(&top->peers[i], primary, to);
}

/* ---- for programs ---- */

static json_t *peer_json(const struct rblk_top_peer *p)
{
	json_t *o = rblk_json_peer(p->now);

	json_object_set_new(o, "applied_ops_per_s", json_real(p->applied_ops));
	json_object_set_new(o, "sent_bytes_per_s", json_real(p->sent_bytes));
	json_object_set_new(o, "received_bytes_per_s",
			    json_real(p->received_bytes));
	return o;
}

json_t *rblk_top_json(const struct rblk_top *top)
{
	const struct rblk_top_volumes *v = &top->volumes;
	json_t *o = json_pack("{s:s,s:f}", "name", top->now->name,
			      "interval_s", top->seconds);
	json_t *rest = rblk_json_resource(&top->now->resource);
	json_t *peers = json_array();
	size_t i;

	json_object_update(o, rest);
	json_decref(rest);
	rest = json_pack("{s:f,s:f,s:f,s:f,s:f}",
			 "read_ops_per_s", v->read_ops,
			 "read_bytes_per_s", v->read_bytes,
			 "write_ops_per_s", v->write_ops,
			 "write_bytes_per_s", v->write_bytes,
			 "flush_ops_per_s", v->flush_ops);
	json_object_update(o, rest);
	json_decref(rest);
	for (i = 0; i < top->now->peers_n; i++)
		json_array_append_new(peers, peer_json(&top->peers[i]));
	json_object_set_new(o, "peers", peers);
	json_object_set_new(o, "latency", top->now->has_latency ?
			    rblk_json_latency(top->latency) : json_null());
	return o;
}

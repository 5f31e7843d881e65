// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * status_json.c - a view for programs: schema rblk.status/1
 *
 * Units are in the keys. What the kernel did not say is null, never 0.
 */
#include "view.h"

#include "ident.h"
#include "latency.h"
#include "text.h"

static json_t *number(uint64_t has, unsigned int attr, uint64_t value)
{
	return has & RBLK_HAS(attr) ? json_integer((json_int_t)value) :
				      json_null();
}

static json_t *word(uint64_t has, unsigned int attr, const char *value)
{
	return has & RBLK_HAS(attr) ? json_string(value) : json_null();
}

static json_t *flag(uint64_t has, unsigned int attr, bool value)
{
	return has & RBLK_HAS(attr) ? json_boolean(value) : json_null();
}

/* The word of an enum as a JSON value: "up to date" -> "uptodate". */
static json_t *repl_word(const struct rblk_kpeer *p)
{
	if (p->repl == RBLK_REPL_UPTODATE)
		return word(p->has, RBLK_PEER_REPL, "uptodate");
	return word(p->has, RBLK_PEER_REPL, rblk_kmsg_repl(p->repl));
}

static void set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

/* Node ids; null: there is no set. */
static json_t *nodes_json(uint64_t h, uint32_t nodes)
{
	json_t *ids;
	int i;

	if (!(h & RBLK_HAS(RBLK_RES_IN_SYNC)) || !nodes)
		return json_null();
	ids = json_array();
	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (nodes >> i & 1)
			json_array_append_new(ids, json_integer(i));
	return ids;
}

json_t *rblk_json_resource(const struct rblk_kresource *r)
{
	char hex[2 * RBLK_UUID_SIZE + 1];
	json_t *o = json_object();
	uint64_t h = r->has;

	rblk_ident_hex(r->uuid, sizeof(r->uuid), hex);
	set(o, "node_id", number(h, RBLK_RES_NODE_ID, r->node_id));
	set(o, "node", word(h, RBLK_RES_NODE_NAME, r->node_name));
	set(o, "uuid", word(h, RBLK_RES_UUID, hex));
	set(o, "role", word(h, RBLK_RES_ROLE, rblk_kmsg_role(r->role)));
	set(o, "data", word(h, RBLK_RES_DATA, rblk_kmsg_data(r->data)));
	set(o, "suspended", h & RBLK_HAS(RBLK_RES_SUSPENDED) ?
			    json_boolean(r->suspended) : json_null());
	set(o, "generation", number(h, RBLK_RES_GENERATION, r->generation));
	set(o, "seq", number(h, RBLK_RES_SEQ, r->seq));
	set(o, "seq_generation",
	    number(h, RBLK_RES_SEQ_GENERATION, r->seq_generation));
	set(o, "acks", h & RBLK_HAS(RBLK_RES_ACKS) && !r->acks ?
		       json_string("all") : number(h, RBLK_RES_ACKS, r->acks));
	set(o, "log_bytes", number(h, RBLK_RES_LOG_BYTES, r->log_bytes));
	set(o, "log_ops", number(h, RBLK_RES_LOG_OPS, r->log_ops));
	set(o, "log_used_bytes",
	    number(h, RBLK_RES_LOG_BYTES_USED, r->log_bytes_used));
	set(o, "log_used_ops",
	    number(h, RBLK_RES_LOG_OPS_USED, r->log_ops_used));
	set(o, "held_requests", number(h, RBLK_RES_HELD, r->held));
	set(o, "held_by",
	    word(h, RBLK_RES_HELD_BY, rblk_kmsg_held_by(r->held_by)));
	set(o, "in_flight_ops", number(h, RBLK_RES_IN_FLIGHT, r->in_flight));
	set(o, "openers", number(h, RBLK_RES_OPENERS, r->openers));
	set(o, "read_from_backup",
	    flag(h, RBLK_RES_READ_FROM_BACKUP, r->read_from_backup));
	set(o, "data_crc", flag(h, RBLK_RES_DATA_CRC, r->data_crc));
	set(o, "zero_detect", flag(h, RBLK_RES_ZERO_DETECT, r->zero_detect));
	set(o, "on_disk_error",
	    word(h, RBLK_RES_PASS_DISK_ERRORS,
		 rblk_kmsg_on_disk_error(r->pass_disk_errors)));
	set(o, "disk_timeout_ms",
	    number(h, RBLK_RES_DISK_TIMEOUT_MS, r->disk_timeout_ms));
	set(o, "leased", flag(h, RBLK_RES_LEASED, r->leased));
	set(o, "lease_until_ns",
	    number(h, RBLK_RES_LEASE_UNTIL_NS, r->lease_until_ns));
	set(o, "lease_error", flag(h, RBLK_RES_LEASE_ERROR, r->lease_error));
	set(o, "in_sync", nodes_json(h, r->in_sync));
	set(o, "min_in_sync", number(h, RBLK_RES_MIN_IN_SYNC, r->min_in_sync));
	set(o, "min_in_sync_error",
	    flag(h, RBLK_RES_MIN_IN_SYNC_ERROR, r->min_in_sync_error));
	set(o, "first_write_ns",
	    number(h, RBLK_RES_FIRST_WRITE_NS, r->first_write_ns));
	set(o, "received_seq", number(h, RBLK_RES_RECEIVED_SEQ, r->received_seq));
	return o;
}

json_t *rblk_json_volume(const struct rblk_kvolume *v)
{
	json_t *o = json_object();
	uint64_t h = v->has;
	char device[32];

	rblk_text_format(device, sizeof(device), "/dev/rblk%u", v->minor);
	set(o, "volume", number(h, RBLK_VOL_ID, v->id));
	set(o, "minor", number(h, RBLK_VOL_MINOR, v->minor));
	set(o, "device", word(h, RBLK_VOL_MINOR, device));
	set(o, "disk", word(h, RBLK_VOL_DISK, v->disk));
	set(o, "disk_state",
	    word(h, RBLK_VOL_DISK_STATE, rblk_kmsg_disk(v->disk_state)));
	set(o, "size_bytes", number(h, RBLK_VOL_SIZE_BYTES, v->size_bytes));
	set(o, "block_size_bytes",
	    number(h, RBLK_VOL_BLOCK_SIZE, v->block_bytes));
	set(o, "openers", number(h, RBLK_VOL_OPENERS, v->openers));
	set(o, "read_ops", number(h, RBLK_VOL_READ_OPS, v->read_ops));
	set(o, "read_bytes", number(h, RBLK_VOL_READ_BYTES, v->read_bytes));
	set(o, "write_ops", number(h, RBLK_VOL_WRITE_OPS, v->write_ops));
	set(o, "write_bytes", number(h, RBLK_VOL_WRITE_BYTES, v->write_bytes));
	set(o, "flush_ops", number(h, RBLK_VOL_FLUSH_OPS, v->flush_ops));
	set(o, "disk_errors", number(h, RBLK_VOL_ERRORS, v->errors));
	return o;
}

json_t *rblk_json_peer(const struct rblk_kpeer *p)
{
	char protocol[2] = { p->protocol, '\0' };
	json_t *o = json_object();
	uint64_t h = p->has, eta;

	set(o, "node_id", number(h, RBLK_PEER_NODE_ID, p->node_id));
	set(o, "node", word(h, RBLK_PEER_NODE_NAME, p->node_name));
	set(o, "protocol", word(h, RBLK_PEER_PROTOCOL, protocol));
	set(o, "connection", word(h, RBLK_PEER_CONN, rblk_kmsg_conn(p->conn)));
	set(o, "reason", word(h, RBLK_PEER_REASON, p->reason));
	set(o, "role", word(h, RBLK_PEER_ROLE, rblk_kmsg_role(p->role)));
	set(o, "replication", repl_word(p));
	set(o, "sent_seq", number(h, RBLK_PEER_SENT_SEQ, p->sent_seq));
	set(o, "received_seq",
	    number(h, RBLK_PEER_RECEIVED_SEQ, p->received_seq));
	set(o, "applied_seq", number(h, RBLK_PEER_APPLIED_SEQ, p->applied_seq));
	set(o, "durable_seq", number(h, RBLK_PEER_DURABLE_SEQ, p->durable_seq));
	set(o, "lag_ops", number(h, RBLK_PEER_LAG_OPS, p->lag_ops));
	set(o, "lag_bytes", number(h, RBLK_PEER_LAG_BYTES, p->lag_bytes));
	set(o, "lag_ms", number(h, RBLK_PEER_LAG_MS, p->lag_ms));
	set(o, "sent_bytes", number(h, RBLK_PEER_SENT_BYTES, p->sent_bytes));
	set(o, "received_bytes",
	    number(h, RBLK_PEER_RECEIVED_BYTES, p->received_bytes));
	set(o, "resync_done_bytes",
	    number(h, RBLK_PEER_RESYNC_DONE_BYTES, p->resync_done_bytes));
	set(o, "resync_total_bytes",
	    number(h, RBLK_PEER_RESYNC_TOTAL_BYTES, p->resync_total_bytes));
	set(o, "resync_bytes_per_second",
	    number(h, RBLK_PEER_RESYNC_RATE, p->resync_rate));
	set(o, "resync_left_seconds", rblk_view_eta(p, &eta) ?
				      json_integer((json_int_t)eta) :
				      json_null());
	set(o, "resync_paused",
	    flag(h, RBLK_PEER_RESYNC_PAUSED, p->resync_paused));
	set(o, "lacks_bytes", number(h, RBLK_PEER_LACKS_BYTES, p->lacks_bytes));
	set(o, "undurable_bytes",
	    number(h, RBLK_PEER_UNDURABLE_BYTES, p->undurable_bytes));
	set(o, "fork_seq", number(h, RBLK_PEER_FORK_SEQ, p->fork_seq));
	set(o, "fork_generation",
	    number(h, RBLK_PEER_FORK_GENERATION, p->fork_generation));
	set(o, "fork_mine_ops",
	    number(h, RBLK_PEER_FORK_MINE_OPS, p->fork_mine_ops));
	set(o, "fork_theirs_ops",
	    number(h, RBLK_PEER_FORK_THEIRS_OPS, p->fork_theirs_ops));
	set(o, "memory_bytes",
	    number(h, RBLK_PEER_MEMORY_BYTES, p->memory_bytes));
	set(o, "fork_mine_since_s",
	    number(h, RBLK_PEER_FORK_MINE_SINCE_S, p->fork_mine_since_s));
	set(o, "fork_theirs_since_s",
	    number(h, RBLK_PEER_FORK_THEIRS_SINCE_S, p->fork_theirs_since_s));
	return o;
}

static json_t *microseconds(const uint64_t *counts, double percent)
{
	double us = rblk_latency_percentile_us(counts, percent);

	return us < 0 ? json_null() : json_real(us);
}

json_t *rblk_json_latency(const uint64_t (*counts)[RBLK_LATENCY_BUCKETS])
{
	json_t *o = json_object();
	unsigned int stage;

	for (stage = 1; stage <= RBLK_LAT_MAX; stage++)
		set(o, rblk_kmsg_stage(stage), json_pack("{s:I,s:o,s:o}",
		    "count", (json_int_t)rblk_latency_count(counts[stage]),
		    "p50_us", microseconds(counts[stage], 50),
		    "p99_us", microseconds(counts[stage], 99)));
	return o;
}

/* As the daemon said it; null: it said nothing. */
static json_t *copy_of(const json_t *value)
{
	return value ? json_deep_copy(value) : json_null();
}

/* The daemon's half of a link; null without a daemon. */
static json_t *link_json(const json_t *link)
{
	if (!link)
		return json_null();
	return json_pack("{s:O,s:O,s:O}",
			 "state", json_object_get(link, "state"),
			 "reason", json_object_get(link, "reason"),
			 "retry_in_ms", json_object_get(link, "retry_in_ms"));
}

static json_t *state_json(const struct rblk_view *view,
			  const struct rblk_kstate *s)
{
	json_t *o = json_pack("{s:s}", "name", s->name);
	json_t *rest = rblk_json_resource(&s->resource);
	json_t *volumes = json_array(), *peers = json_array();
	json_t *advice = json_array();
	struct rblk_advice a;
	size_t i;

	json_object_update(o, rest);
	json_decref(rest);
	set(o, "health", json_string(rblk_health_name(rblk_view_worst(view, s))));
	for (i = 0; i < s->volumes_n; i++)
		json_array_append_new(volumes, rblk_json_volume(&s->volumes[i]));
	for (i = 0; i < s->peers_n; i++) {
		json_t *peer = rblk_json_peer(&s->peers[i]);

		set(peer, "link", link_json(rblk_view_link(view, s->name,
					    s->peers[i].node_id)));
		json_array_append_new(peers, peer);
	}
	rblk_view_advise(view, s, &a);
	for (i = 0; i < a.n; i++)
		json_array_append_new(advice, json_string(a.text[i]));
	set(o, "volumes", volumes);
	set(o, "peers", peers);
	set(o, "latency", s->has_latency ? rblk_json_latency(s->latency) :
					   json_null());
	set(o, "failover", copy_of(rblk_view_failover(view, s->name)));
	set(o, "advice", advice);
	return o;
}

json_t *rblk_view_json(const struct rblk_view *view)
{
	json_t *resources = json_array(), *votes = json_array();
	size_t i;

	for (i = 0; i < view->n; i++)
		json_array_append_new(resources,
				      state_json(view, &view->states[i]));
	for (i = 0; i < json_array_size(view->failover); i++) {
		const json_t *f = json_array_get(view->failover, i);

		if (json_is_true(json_object_get(f, "witness")))
			json_array_append_new(votes, copy_of(f));
	}
	return json_pack("{s:s,s:o,s:o,s:o,s:o}", "schema", "rblk.status/1",
			 "daemon_running", view->daemon_unknown ? json_null() :
			 json_boolean(view->daemon_runs),
			 "resources", resources, "witness_of", votes,
			 "heartbeats", copy_of(view->cluster));
}

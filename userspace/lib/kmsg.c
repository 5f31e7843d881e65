// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kmsg.c - encode and decode the netlink messages of the rblk family
 */
#include "kmsg.h"

#include "text.h"

#include <linux/genetlink.h>
#include <string.h>

enum field_type { F_U8, F_U32, F_U64, F_STRING, F_BYTES };

/* One attribute: where its value lives in the struct of its nest. */
struct field {
	uint16_t attr;
	uint8_t type;
	uint16_t offset;
	uint16_t size;
};

#define FIELD(a, t, s, m) \
	{ a, t, offsetof(struct s, m), sizeof(((struct s *)0)->m) }
#define END { 0, 0, 0, 0 }

static const struct field resource_fields[] = {
	FIELD(RBLK_RES_NODE_ID, F_U8, rblk_kresource, node_id),
	FIELD(RBLK_RES_NODE_NAME, F_STRING, rblk_kresource, node_name),
	FIELD(RBLK_RES_UUID, F_BYTES, rblk_kresource, uuid),
	FIELD(RBLK_RES_GENERATION, F_U64, rblk_kresource, generation),
	FIELD(RBLK_RES_ACKS, F_U8, rblk_kresource, acks),
	FIELD(RBLK_RES_LOG_BYTES, F_U64, rblk_kresource, log_bytes),
	FIELD(RBLK_RES_LOG_OPS, F_U32, rblk_kresource, log_ops),
	FIELD(RBLK_RES_ROLE, F_U8, rblk_kresource, role),
	FIELD(RBLK_RES_DATA, F_U8, rblk_kresource, data),
	FIELD(RBLK_RES_SUSPENDED, F_U8, rblk_kresource, suspended),
	FIELD(RBLK_RES_SEQ, F_U64, rblk_kresource, seq),
	FIELD(RBLK_RES_SEQ_GENERATION, F_U64, rblk_kresource, seq_generation),
	FIELD(RBLK_RES_LOG_OPS_USED, F_U32, rblk_kresource, log_ops_used),
	FIELD(RBLK_RES_LOG_BYTES_USED, F_U64, rblk_kresource, log_bytes_used),
	FIELD(RBLK_RES_HELD, F_U64, rblk_kresource, held),
	FIELD(RBLK_RES_OPENERS, F_U32, rblk_kresource, openers),
	FIELD(RBLK_RES_READ_FROM_BACKUP, F_U8, rblk_kresource,
	      read_from_backup),
	FIELD(RBLK_RES_DATA_CRC, F_U8, rblk_kresource, data_crc),
	FIELD(RBLK_RES_ZERO_DETECT, F_U8, rblk_kresource, zero_detect),
	FIELD(RBLK_RES_IN_FLIGHT, F_U32, rblk_kresource, in_flight),
	FIELD(RBLK_RES_HELD_BY, F_U8, rblk_kresource, held_by),
	FIELD(RBLK_RES_PASS_DISK_ERRORS, F_U8, rblk_kresource,
	      pass_disk_errors),
	FIELD(RBLK_RES_DISK_TIMEOUT_MS, F_U32, rblk_kresource,
	      disk_timeout_ms),
	FIELD(RBLK_RES_LEASED, F_U8, rblk_kresource, leased),
	FIELD(RBLK_RES_LEASE_UNTIL_NS, F_U64, rblk_kresource, lease_until_ns),
	FIELD(RBLK_RES_LEASE_ERROR, F_U8, rblk_kresource, lease_error),
	FIELD(RBLK_RES_IN_SYNC, F_U32, rblk_kresource, in_sync),
	FIELD(RBLK_RES_MIN_IN_SYNC, F_U8, rblk_kresource, min_in_sync),
	FIELD(RBLK_RES_MIN_IN_SYNC_ERROR, F_U8, rblk_kresource,
	      min_in_sync_error),
	FIELD(RBLK_RES_FIRST_WRITE_NS, F_U64, rblk_kresource, first_write_ns),
	FIELD(RBLK_RES_RECEIVED_SEQ, F_U64, rblk_kresource, received_seq),
	END
};

static const struct field volume_fields[] = {
	FIELD(RBLK_VOL_ID, F_U8, rblk_kvolume, id),
	FIELD(RBLK_VOL_MINOR, F_U32, rblk_kvolume, minor),
	FIELD(RBLK_VOL_DISK, F_STRING, rblk_kvolume, disk),
	FIELD(RBLK_VOL_METADATA, F_U8, rblk_kvolume, metadata),
	FIELD(RBLK_VOL_METADATA_DISK, F_STRING, rblk_kvolume, metadata_disk),
	FIELD(RBLK_VOL_SIZE_BYTES, F_U64, rblk_kvolume, size_bytes),
	FIELD(RBLK_VOL_DISK_STATE, F_U8, rblk_kvolume, disk_state),
	FIELD(RBLK_VOL_OPENERS, F_U32, rblk_kvolume, openers),
	FIELD(RBLK_VOL_READ_OPS, F_U64, rblk_kvolume, read_ops),
	FIELD(RBLK_VOL_READ_BYTES, F_U64, rblk_kvolume, read_bytes),
	FIELD(RBLK_VOL_WRITE_OPS, F_U64, rblk_kvolume, write_ops),
	FIELD(RBLK_VOL_WRITE_BYTES, F_U64, rblk_kvolume, write_bytes),
	FIELD(RBLK_VOL_FLUSH_OPS, F_U64, rblk_kvolume, flush_ops),
	FIELD(RBLK_VOL_ERRORS, F_U64, rblk_kvolume, errors),
	FIELD(RBLK_VOL_BLOCK_SIZE, F_U32, rblk_kvolume, block_bytes),
	END
};

static const struct field peer_fields[] = {
	FIELD(RBLK_PEER_NODE_ID, F_U8, rblk_kpeer, node_id),
	FIELD(RBLK_PEER_NODE_NAME, F_STRING, rblk_kpeer, node_name),
	FIELD(RBLK_PEER_PROTOCOL, F_U8, rblk_kpeer, protocol),
	FIELD(RBLK_PEER_SOCKET, F_U32, rblk_kpeer, socket),
	FIELD(RBLK_PEER_CONN, F_U8, rblk_kpeer, conn),
	FIELD(RBLK_PEER_REPL, F_U8, rblk_kpeer, repl),
	FIELD(RBLK_PEER_ROLE, F_U8, rblk_kpeer, role),
	FIELD(RBLK_PEER_REASON, F_STRING, rblk_kpeer, reason),
	FIELD(RBLK_PEER_SENT_SEQ, F_U64, rblk_kpeer, sent_seq),
	FIELD(RBLK_PEER_RECEIVED_SEQ, F_U64, rblk_kpeer, received_seq),
	FIELD(RBLK_PEER_APPLIED_SEQ, F_U64, rblk_kpeer, applied_seq),
	FIELD(RBLK_PEER_DURABLE_SEQ, F_U64, rblk_kpeer, durable_seq),
	FIELD(RBLK_PEER_LAG_OPS, F_U64, rblk_kpeer, lag_ops),
	FIELD(RBLK_PEER_LAG_BYTES, F_U64, rblk_kpeer, lag_bytes),
	FIELD(RBLK_PEER_LAG_MS, F_U64, rblk_kpeer, lag_ms),
	FIELD(RBLK_PEER_SENT_BYTES, F_U64, rblk_kpeer, sent_bytes),
	FIELD(RBLK_PEER_RECEIVED_BYTES, F_U64, rblk_kpeer, received_bytes),
	FIELD(RBLK_PEER_RESYNC_DONE_BYTES, F_U64, rblk_kpeer,
	      resync_done_bytes),
	FIELD(RBLK_PEER_RESYNC_TOTAL_BYTES, F_U64, rblk_kpeer,
	      resync_total_bytes),
	FIELD(RBLK_PEER_LACKS_BYTES, F_U64, rblk_kpeer, lacks_bytes),
	FIELD(RBLK_PEER_RESYNC_RATE, F_U64, rblk_kpeer, resync_rate),
	FIELD(RBLK_PEER_RESYNC_PAUSED, F_U8, rblk_kpeer, resync_paused),
	FIELD(RBLK_PEER_FORK_SEQ, F_U64, rblk_kpeer, fork_seq),
	FIELD(RBLK_PEER_FORK_GENERATION, F_U64, rblk_kpeer, fork_generation),
	FIELD(RBLK_PEER_FORK_MINE_OPS, F_U64, rblk_kpeer, fork_mine_ops),
	FIELD(RBLK_PEER_FORK_THEIRS_OPS, F_U64, rblk_kpeer, fork_theirs_ops),
	FIELD(RBLK_PEER_MEMORY_BYTES, F_U64, rblk_kpeer, memory_bytes),
	FIELD(RBLK_PEER_UNDURABLE_BYTES, F_U64, rblk_kpeer, undurable_bytes),
	FIELD(RBLK_PEER_FORK_MINE_SINCE_S, F_U64, rblk_kpeer,
	      fork_mine_since_s),
	FIELD(RBLK_PEER_FORK_THEIRS_SINCE_S, F_U64, rblk_kpeer,
	      fork_theirs_since_s),
	END
};

static const struct field event_fields[] = {
	FIELD(RBLK_EV_SERIAL, F_U64, rblk_kevent_info, serial),
	FIELD(RBLK_EV_KIND, F_U8, rblk_kevent_info, kind),
	FIELD(RBLK_EV_REASON, F_STRING, rblk_kevent_info, reason),
	FIELD(RBLK_EV_TIME_NS, F_U64, rblk_kevent_info, time_ns),
	END
};

static void put_fields(struct nlmsghdr *nlh, const struct field *f,
		       uint64_t has, const void *from)
{
	const char *base = from;

	for (; f->attr; f++) {
		const void *value = base + f->offset;

		if (!(has & RBLK_HAS(f->attr)))
			continue;
		if (f->type == F_STRING)
			mnl_attr_put_strz(nlh, f->attr, value);
		else
			mnl_attr_put(nlh, f->attr, f->size, value);
	}
}

/* Store one attribute; false: its length is wrong. */
static bool get_field(const struct nlattr *attr, const struct field *f,
		      void *to)
{
	const char *payload = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	char *value = (char *)to + f->offset;

	if (f->type != F_STRING) {
		if (len != f->size)
			return false;
		memcpy(value, payload, len);
		return true;
	}
	len = strnlen(payload, len);
	if (len >= f->size)
		return false;
	memcpy(value, payload, len);
	value[len] = '\0';
	rblk_text_sanitize(value);
	return true;
}

/* The attributes of a nest; those this build does not know are skipped. */
static bool get_fields(const struct nlattr *nest, const struct field *fields,
		       uint64_t *has, void *to)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		const struct field *f = fields;
		uint16_t type = mnl_attr_get_type(attr);

		while (f->attr && f->attr != type)
			f++;
		if (!f->attr)
			continue;
		if (!get_field(attr, f, to))
			return false;
		*has |= RBLK_HAS(type);
	}
	return true;
}

void rblk_kmsg_put(struct nlmsghdr *nlh, const struct rblk_kreq *req)
{
	struct nlattr *nest;

	if (req->name[0])
		mnl_attr_put_strz(nlh, RBLK_A_NAME, req->name);
	if (req->has & RBLK_HAS(RBLK_A_FLAGS))
		mnl_attr_put_u32(nlh, RBLK_A_FLAGS, req->flags);
	if (req->has & RBLK_HAS(RBLK_A_GENERATION))
		mnl_attr_put_u64(nlh, RBLK_A_GENERATION, req->generation);
	if (!req->nest)
		return;
	nest = mnl_attr_nest_start(nlh, req->nest);
	if (req->nest == RBLK_A_RESOURCE)
		put_fields(nlh, resource_fields, req->resource.has,
			   &req->resource);
	else if (req->nest == RBLK_A_VOLUME)
		put_fields(nlh, volume_fields, req->volume.has, &req->volume);
	else
		put_fields(nlh, peer_fields, req->peer.has, &req->peer);
	mnl_attr_nest_end(nlh, nest);
}

static bool get_name(const struct nlattr *attr, char name[RBLK_NAME_SIZE])
{
	const char *text = mnl_attr_get_payload(attr);
	size_t len = strnlen(text, mnl_attr_get_payload_len(attr));

	if (len >= RBLK_NAME_SIZE)
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	return rblk_text_name_is_valid(name);
}

static bool get_volumes(const struct nlattr *nest, struct rblk_kstate *state)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		struct rblk_kvolume *v = &state->volumes[state->volumes_n];

		if (mnl_attr_get_type(attr) != RBLK_A_VOLUME)
			continue;
		if (state->volumes_n == RBLK_MAX_VOLUMES ||
		    !get_fields(attr, volume_fields, &v->has, v))
			return false;
		state->volumes_n++;
	}
	return true;
}

static bool get_peers(const struct nlattr *nest, struct rblk_kstate *state)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		struct rblk_kpeer *p = &state->peers[state->peers_n];

		if (mnl_attr_get_type(attr) != RBLK_A_PEER)
			continue;
		if (state->peers_n == RBLK_MAX_NODES ||
		    !get_fields(attr, peer_fields, &p->has, p) ||
		    p->node_id >= RBLK_MAX_NODES)
			return false;
		state->peers_n++;
	}
	return true;
}

/* Histograms; stages and buckets that this build does not know are skipped. */
static bool get_latency(const struct nlattr *nest, struct rblk_kstate *state)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		unsigned int stage = mnl_attr_get_type(attr);
		size_t len = mnl_attr_get_payload_len(attr);

		if (len % sizeof(uint64_t))
			return false;
		if (stage < 1 || stage > RBLK_LAT_MAX)
			continue;
		if (len > sizeof(state->latency[stage]))
			len = sizeof(state->latency[stage]);
		memcpy(state->latency[stage], mnl_attr_get_payload(attr), len);
	}
	state->has_latency = true;
	return true;
}

bool rblk_kmsg_get_state(const struct nlmsghdr *nlh, struct rblk_kstate *state)
{
	const struct nlattr *attr;
	bool ok = true;

	*state = (struct rblk_kstate){ 0 };
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case RBLK_A_NAME:
			ok = get_name(attr, state->name);
			break;
		case RBLK_A_RESOURCE:
			ok = get_fields(attr, resource_fields,
					&state->resource.has, &state->resource);
			break;
		case RBLK_A_VOLUMES:
			ok = get_volumes(attr, state);
			break;
		case RBLK_A_PEERS:
			ok = get_peers(attr, state);
			break;
		case RBLK_A_LATENCY:
			ok = get_latency(attr, state);
			break;
		}
		if (!ok)
			return false;
	}
	return state->name[0];
}

bool rblk_kmsg_get_event(const struct nlmsghdr *nlh, struct rblk_kevent *e)
{
	const struct nlattr *attr;
	bool ok = true;

	*e = (struct rblk_kevent){ 0 };
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == RBLK_A_NAME)
			ok = get_name(attr, e->name);
		else if (type == RBLK_A_EVENT)
			ok = get_fields(attr, event_fields, &e->info.has,
					&e->info);
		else if (type == RBLK_A_RESOURCE)
			ok = get_fields(attr, resource_fields,
					&e->resource.has, &e->resource);
		else if (type == RBLK_A_VOLUME)
			ok = get_fields(attr, volume_fields, &e->volume.has,
					&e->volume);
		else if (type == RBLK_A_PEER)
			ok = get_fields(attr, peer_fields, &e->peer.has,
					&e->peer) &&
			     e->peer.node_id < RBLK_MAX_NODES;
		if (!ok)
			return false;
		if (type == RBLK_A_RESOURCE || type == RBLK_A_VOLUME ||
		    type == RBLK_A_PEER)
			e->nest = type;
	}
	return e->name[0] && e->nest;
}

const struct rblk_kpeer *rblk_kstate_peer(const struct rblk_kstate *state,
					  unsigned int node_id)
{
	size_t i;

	for (i = 0; i < state->peers_n; i++)
		if (state->peers[i].node_id == node_id)
			return &state->peers[i];
	return NULL;
}

#define WORD(names, value) \
	((value) < sizeof(names) / sizeof((names)[0]) ? (names)[value] : "?")

const char *rblk_kmsg_role(unsigned int role)
{
	static const char *const names[] = { "backup", "primary" };

	return WORD(names, role);
}

const char *rblk_kmsg_data(unsigned int data)
{
	static const char *const names[] = {
		"new", "consistent", "inconsistent", "unclean"
	};

	return WORD(names, data);
}

const char *rblk_kmsg_disk(unsigned int disk)
{
	static const char *const names[] = {
		"ok", "failed", "detached", "filling"
	};

	return WORD(names, disk);
}

const char *rblk_kmsg_on_disk_error(unsigned int pass)
{
	static const char *const names[] = { "detach", "pass" };

	return WORD(names, pass);
}

const char *rblk_kmsg_conn(unsigned int conn)
{
	static const char *const names[] = {
		"down", "negotiating", "connected"
	};

	return WORD(names, conn);
}

const char *rblk_kmsg_repl(unsigned int repl)
{
	static const char *const names[] = {
		"unknown", "up to date", "behind", "resync", "diverged",
		"catchup"
	};

	return WORD(names, repl);
}

const char *rblk_kmsg_event_kind(unsigned int kind)
{
	static const char *const names[] = { "created", "changed", "removed" };

	return WORD(names, kind);
}

const char *rblk_kmsg_held_by(unsigned int held_by)
{
	static const char *const names[] = {
		"suspended", "promotion", "log full", "same blocks",
		"activity log", "lease", "in-sync set", "min-in-sync",
	};

	return WORD(names, held_by);
}

const char *rblk_kmsg_stage(unsigned int attr)
{
	static const char *const names[] = {
		"?", "local", "sent", "received", "applied", "complete"
	};

	return WORD(names, attr);
}

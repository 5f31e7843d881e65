// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * beat.c - the datagrams between daemons, as bytes
 */
#include "beat.h"

#include "rblk_shim.h"

#define MAGIC	0x74626c62724b5648ULL
#define VERSION	1

struct msg_header {
	__le64 magic;
	u8 version;
	u8 from;
	u8 to;
	u8 reserved;
	__le16 bytes;		/* of the datagram, without the MAC */
	__le16 reserved2;
	__le64 cluster;
	__le64 from_token;
	__le64 to_token;
	__le64 counter;
} __packed;

struct msg_body {
	u8 type;
	u8 reserved;
	__le16 bytes;		/* that follow */
} __packed;

struct msg_beat {
	u8 path;
	u8 reserved;
	__le16 silent;
	__le32 interval_ms;
	__le32 seq;
	__le32 echo;
	__le64 sent_us;
	__le64 echo_us;
	__le32 held_us;
} __packed;

struct msg_resource {
	u8 uuid[RBLK_BEAT_UUID_BYTES];
	u8 flags;
	u8 primary;
	__le16 reserved;
	__le64 version;
	__le64 term;
	__le64 data_gen;
	__le64 data_seq;
} __packed;

struct msg_arbiter {
	u8 uuid[RBLK_BEAT_UUID_BYTES];
	u8 type;
	u8 primary;
	u8 idle;
	u8 reserved;
	__le64 ballot;
	__le64 other;
	__le64 version;
	__le64 gen;
	__le64 term;
	__le16 insync;
	__le16 fenced;
	__le16 voters;
	__le16 voters_before;
} __packed;

/* The same, of a record with @acks: who does not know that must not accept it. */
struct msg_arbiter_acks {
	struct msg_arbiter arbiter;
	u8 acks;
	u8 holder;
	__le16 reserved;
} __packed;

/* Many resources' leases, or grants, that were asked for at the same time. */
struct msg_leases {
	u8 type;
	u8 reserved[3];
	__le32 lease;
	__le64 sent;
} __packed;

struct msg_lease {
	u8 uuid[RBLK_BEAT_UUID_BYTES];
	__le64 term;
} __packed;

struct msg_handover {
	u8 uuid[RBLK_BEAT_UUID_BYTES];
	u8 what;
	u8 reason;
	__le16 reserved;
} __packed;

static_assert(sizeof(struct msg_header) == RBLK_BEAT_HEADER_BYTES);
static_assert(sizeof(struct msg_beat) == 36);
static_assert(sizeof(struct msg_resource) == 52);
static_assert(sizeof(struct msg_arbiter) == 68);
static_assert(sizeof(struct msg_arbiter_acks) == 72);
static_assert(sizeof(struct msg_lease) == 24);

struct msg_held {
	__le64 sum;
} __packed;

/* What enum rblk_beat_type says, and two that only the bytes have. */
#define LEASES	5
#define ACKS	7
#define TYPES	8

#define ROOM	(RBLK_BEAT_MAX_BYTES - RBLK_BEAT_MAC_BYTES)

static bool is_lease(const struct rblk_arbiter_msg *msg)
{
	return msg->type == RBLK_ARBITER_LEASE || msg->type == RBLK_ARBITER_GRANT;
}

/* ---- writing */

void rblk_beat_begin(struct rblk_beat_writer *w, uint64_t cluster,
		     const struct rblk_session_header *h)
{
	struct msg_header head = {
		.magic = cpu_to_le64(MAGIC),
		.version = VERSION,
		.from = h->from,
		.to = h->to,
		.cluster = cpu_to_le64(cluster),
		.from_token = cpu_to_le64(h->from_token),
		.to_token = cpu_to_le64(h->to_token),
		.counter = cpu_to_le64(h->counter),
	};

	memset(w, 0, sizeof(*w));
	memcpy(w->bytes, &head, sizeof(head));
	w->nr = sizeof(head);
}

static bool append(struct rblk_beat_writer *w, u8 type, const void *content, size_t size)
{
	struct msg_body body = { .type = type, .bytes = cpu_to_le16(size) };

	if (w->nr + sizeof(body) + size > ROOM)
		return false;
	memcpy(w->bytes + w->nr, &body, sizeof(body));
	memcpy(w->bytes + w->nr + sizeof(body), content, size);
	w->nr += sizeof(body) + size;
	return true;
}

static bool add_beat(struct rblk_beat_writer *w, const struct rblk_detector_beat *beat)
{
	struct msg_beat msg = {
		.path = beat->path,
		.silent = cpu_to_le16(beat->silent),
		.interval_ms = cpu_to_le32(beat->interval_ms),
		.seq = cpu_to_le32(beat->seq),
		.echo = cpu_to_le32(beat->echo),
		.sent_us = cpu_to_le64(beat->sent_us),
		.echo_us = cpu_to_le64(beat->echo_us),
		.held_us = cpu_to_le32(beat->held_us),
	};

	return append(w, RBLK_BEAT_BEAT, &msg, sizeof(msg));
}

static struct msg_resource put_told(const uint8_t uuid[RBLK_BEAT_UUID_BYTES],
				    const struct rblk_policy_told *told)
{
	struct msg_resource msg = {
		.flags = told->flags,
		.primary = told->primary,
		.version = cpu_to_le64(told->version),
		.term = cpu_to_le64(told->term),
		.data_gen = cpu_to_le64(told->data_gen),
		.data_seq = cpu_to_le64(told->data_seq),
	};

	memcpy(msg.uuid, uuid, sizeof(msg.uuid));
	return msg;
}

static bool add_told(struct rblk_beat_writer *w, const struct rblk_beat_body *body)
{
	struct msg_resource msg = put_told(body->uuid, &body->told);

	return append(w, RBLK_BEAT_RESOURCE, &msg, sizeof(msg));
}

static bool add_held(struct rblk_beat_writer *w, const struct rblk_beat_body *body)
{
	struct msg_held msg = { .sum = cpu_to_le64(body->held) };

	return append(w, RBLK_BEAT_HELD, &msg, sizeof(msg));
}

/* Each word is mixed into all bits (the end of splitmix64); the same on all nodes. */
uint64_t rblk_beat_hash(const uint8_t uuid[RBLK_BEAT_UUID_BYTES],
			const struct rblk_policy_told *told)
{
	struct msg_resource msg = put_told(uuid, told);
	uint64_t h = 0, word;
	size_t at, n;

	for (at = 0; at < sizeof(msg); at += n) {
		__le64 raw = 0;

		n = sizeof(msg) - at < sizeof(raw) ? sizeof(msg) - at : sizeof(raw);
		memcpy(&raw, (const uint8_t *)&msg + at, n);
		word = le64_to_cpu(raw);
		h = (h ^ word) + 0x9e3779b97f4a7c15;
		h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
		h = (h ^ (h >> 27)) * 0x94d049bb133111eb;
		h ^= h >> 31;
	}
	return h;
}

static bool add_arbiter(struct rblk_beat_writer *w, const struct rblk_beat_body *body)
{
	const struct rblk_arbiter_msg *a = &body->arbiter;
	const struct rblk_arbiter_record *r = &a->record;
	struct msg_arbiter_acks msg = {
		.arbiter = {
			.type = a->type,
			.primary = r->primary,
			.idle = r->idle,
			.ballot = cpu_to_le64(a->ballot),
			.other = cpu_to_le64(a->other),
			.version = cpu_to_le64(r->version),
			.gen = cpu_to_le64(r->gen),
			.term = cpu_to_le64(r->term),
			.insync = cpu_to_le16(r->insync),
			.fenced = cpu_to_le16(r->fenced),
			.voters = cpu_to_le16(r->voters),
			.voters_before = cpu_to_le16(r->voters_before),
		},
		.acks = r->acks,
		.holder = r->holder,
	};

	memcpy(msg.arbiter.uuid, body->uuid, sizeof(msg.arbiter.uuid));
	return r->acks ? append(w, ACKS, &msg, sizeof(msg)) :
			 append(w, RBLK_BEAT_ARBITER, &msg.arbiter, sizeof(msg.arbiter));
}

static bool add_lease(struct rblk_beat_writer *w, const struct rblk_beat_body *body)
{
	struct msg_leases head = {
		.type = body->arbiter.type,
		.lease = cpu_to_le32(body->arbiter.lease),
		.sent = cpu_to_le64(body->arbiter.sent),
	};
	struct msg_lease lease = { .term = cpu_to_le64(body->arbiter.other) };
	struct msg_body *batch = (void *)(w->bytes + w->batch);
	size_t before = w->nr;

	memcpy(lease.uuid, body->uuid, sizeof(lease.uuid));
	if (!w->batch || memcmp(batch + 1, &head, sizeof(head))) {
		if (!append(w, LEASES, &head, sizeof(head)))
			return false;
		batch = (void *)(w->bytes + before);
	}
	if (w->nr + sizeof(lease) > ROOM) {
		w->nr = before;
		return false;
	}
	memcpy(w->bytes + w->nr, &lease, sizeof(lease));
	w->nr += sizeof(lease);
	batch->bytes = cpu_to_le16(le16_to_cpu(batch->bytes) + sizeof(lease));
	w->batch = (uint8_t *)batch - w->bytes;
	return true;
}

static bool add_handover(struct rblk_beat_writer *w, const struct rblk_beat_body *body)
{
	struct msg_handover msg = {
		.what = body->handover.what,
		.reason = body->handover.reason,
	};

	memcpy(msg.uuid, body->uuid, sizeof(msg.uuid));
	return append(w, RBLK_BEAT_HANDOVER, &msg, sizeof(msg));
}

bool rblk_beat_add(struct rblk_beat_writer *w, const struct rblk_beat_body *body)
{
	bool fits = false;

	if (body->type == RBLK_BEAT_ARBITER && is_lease(&body->arbiter))
		return add_lease(w, body);
	switch ((enum rblk_beat_type)body->type) {
	case RBLK_BEAT_BEAT:
		fits = add_beat(w, &body->beat);
		break;
	case RBLK_BEAT_RESOURCE:
		fits = add_told(w, body);
		break;
	case RBLK_BEAT_ARBITER:
		fits = add_arbiter(w, body);
		break;
	case RBLK_BEAT_HANDOVER:
		fits = add_handover(w, body);
		break;
	case RBLK_BEAT_HELD:
		fits = add_held(w, body);
		break;
	}
	if (fits)
		w->batch = 0;
	return fits;
}

size_t rblk_beat_end(struct rblk_beat_writer *w)
{
	struct msg_header *head = (void *)w->bytes;

	head->bytes = cpu_to_le16(w->nr);
	return w->nr;
}

/* ---- reading */

enum rblk_beat_error rblk_beat_open(struct rblk_beat_reader *r, const uint8_t *bytes,
				    size_t nr, uint64_t cluster)
{
	struct msg_header head;

	memset(r, 0, sizeof(*r));
	if (nr < sizeof(head) + RBLK_BEAT_MAC_BYTES || nr > RBLK_BEAT_MAX_BYTES)
		return RBLK_BEAT_SIZE;
	memcpy(&head, bytes, sizeof(head));
	if (le64_to_cpu(head.magic) != MAGIC)
		return RBLK_BEAT_MAGIC;
	if (head.version != VERSION)
		return RBLK_BEAT_VERSION;
	if (le64_to_cpu(head.cluster) != cluster)
		return RBLK_BEAT_CLUSTER;
	if (le16_to_cpu(head.bytes) != nr - RBLK_BEAT_MAC_BYTES)
		return RBLK_BEAT_SIZE;
	if (head.from >= RBLK_ARBITER_NODES || head.to >= RBLK_ARBITER_NODES ||
	    head.from == head.to)
		return RBLK_BEAT_NODE;
	r->bytes = bytes;
	r->nr = nr - RBLK_BEAT_MAC_BYTES;
	r->at = sizeof(head);
	r->h.from = head.from;
	r->h.to = head.to;
	r->h.from_token = le64_to_cpu(head.from_token);
	r->h.to_token = le64_to_cpu(head.to_token);
	r->h.counter = le64_to_cpu(head.counter);
	return RBLK_BEAT_OK;
}

static bool get_beat(const uint8_t *at, struct rblk_detector_beat *beat)
{
	struct msg_beat msg;

	memcpy(&msg, at, sizeof(msg));
	beat->path = msg.path;
	beat->silent = le16_to_cpu(msg.silent);
	beat->interval_ms = le32_to_cpu(msg.interval_ms);
	beat->seq = le32_to_cpu(msg.seq);
	beat->echo = le32_to_cpu(msg.echo);
	beat->sent_us = le64_to_cpu(msg.sent_us);
	beat->echo_us = le64_to_cpu(msg.echo_us);
	beat->held_us = le32_to_cpu(msg.held_us);
	return beat->path < RBLK_DETECTOR_PATHS && beat->seq;
}

static bool get_told(const uint8_t *at, struct rblk_beat_body *body)
{
	struct msg_resource msg;

	memcpy(&msg, at, sizeof(msg));
	memcpy(body->uuid, msg.uuid, sizeof(body->uuid));
	body->told.flags = msg.flags;
	body->told.primary = msg.primary;
	body->told.version = le64_to_cpu(msg.version);
	body->told.term = le64_to_cpu(msg.term);
	body->told.data_gen = le64_to_cpu(msg.data_gen);
	body->told.data_seq = le64_to_cpu(msg.data_seq);
	return true;
}

static bool get_arbiter(const struct rblk_beat_reader *r, const uint8_t *at,
			struct rblk_beat_body *body)
{
	struct rblk_arbiter_msg *a = &body->arbiter;
	struct msg_arbiter msg;

	memcpy(&msg, at, sizeof(msg));
	memcpy(body->uuid, msg.uuid, sizeof(body->uuid));
	a->type = msg.type;
	a->from = r->h.from;
	a->to = r->h.to;
	a->ballot = le64_to_cpu(msg.ballot);
	a->other = le64_to_cpu(msg.other);
	a->record.version = le64_to_cpu(msg.version);
	a->record.gen = le64_to_cpu(msg.gen);
	a->record.term = le64_to_cpu(msg.term);
	a->record.primary = msg.primary;
	a->record.idle = msg.idle;
	a->record.insync = le16_to_cpu(msg.insync);
	a->record.fenced = le16_to_cpu(msg.fenced);
	a->record.voters = le16_to_cpu(msg.voters);
	a->record.voters_before = le16_to_cpu(msg.voters_before);
	return a->type >= RBLK_ARBITER_PREPARE && a->type <= RBLK_ARBITER_REFUSED &&
	       msg.idle <= 1;
}

static bool get_acks(const struct rblk_beat_reader *r, const uint8_t *at,
		     struct rblk_beat_body *body)
{
	struct rblk_arbiter_record *record = &body->arbiter.record;
	struct msg_arbiter_acks msg;

	memcpy(&msg, at, sizeof(msg));
	body->type = RBLK_BEAT_ARBITER;
	record->acks = msg.acks;
	record->holder = msg.holder;
	return get_arbiter(r, at, body) && msg.acks && msg.acks < RBLK_ARBITER_NODES &&
	       msg.holder < RBLK_ARBITER_NODES;
}

/* An entry of a batch is as if it had come alone. */
static bool get_lease(const struct rblk_beat_reader *r, const uint8_t *at,
		      uint16_t entry, struct rblk_beat_body *body)
{
	struct rblk_arbiter_msg *a = &body->arbiter;
	struct msg_leases head;
	struct msg_lease lease;

	memcpy(&head, at, sizeof(head));
	memcpy(&lease, at + sizeof(head) + entry * sizeof(lease), sizeof(lease));
	memcpy(body->uuid, lease.uuid, sizeof(body->uuid));
	body->type = RBLK_BEAT_ARBITER;
	a->type = head.type;
	a->from = r->h.from;
	a->to = r->h.to;
	a->other = le64_to_cpu(lease.term);
	a->sent = le64_to_cpu(head.sent);
	a->lease = le32_to_cpu(head.lease);
	return is_lease(a);
}

static bool get_handover(const uint8_t *at, struct rblk_beat_body *body)
{
	struct msg_handover msg;

	memcpy(&msg, at, sizeof(msg));
	memcpy(body->uuid, msg.uuid, sizeof(body->uuid));
	body->handover.what = msg.what;
	body->handover.reason = msg.reason;
	return msg.what > RBLK_POLICY_HANDOVER_NONE &&
	       msg.what <= RBLK_POLICY_HANDOVER_REFUSED &&
	       msg.reason < __RBLK_POLICY_REASON_END;
}

static bool get_held(const uint8_t *at, struct rblk_beat_body *body)
{
	struct msg_held msg;

	memcpy(&msg, at, sizeof(msg));
	body->held = le64_to_cpu(msg.sum);
	return true;
}

static const size_t sizes[TYPES] = {
	[RBLK_BEAT_BEAT] = sizeof(struct msg_beat),
	[RBLK_BEAT_RESOURCE] = sizeof(struct msg_resource),
	[RBLK_BEAT_ARBITER] = sizeof(struct msg_arbiter),
	[RBLK_BEAT_HANDOVER] = sizeof(struct msg_handover),
	[LEASES] = sizeof(struct msg_leases),
	[RBLK_BEAT_HELD] = sizeof(struct msg_held),
	[ACKS] = sizeof(struct msg_arbiter_acks),
};

static bool has_size(u8 type, size_t size)
{
	if (type != LEASES)
		return size == sizes[type];
	return size > sizes[LEASES] &&
	       !((size - sizes[LEASES]) % sizeof(struct msg_lease));
}

/* 1: a body, 0: none is left, -1: it cannot be. */
static int next(struct rblk_beat_reader *r, struct rblk_beat_body *body)
{
	struct msg_body head;
	const uint8_t *at;
	size_t size;
	bool good;

	for (;;) {
		if (r->at == r->nr)
			return 0;
		if (r->nr - r->at < sizeof(head))
			return -1;
		memcpy(&head, r->bytes + r->at, sizeof(head));
		size = le16_to_cpu(head.bytes);
		if (r->nr - r->at - sizeof(head) < size)
			return -1;
		if (head.type && head.type < TYPES)
			break;
		r->at += sizeof(head) + size;
	}
	if (!has_size(head.type, size))
		return -1;
	at = r->bytes + r->at + sizeof(head);
	memset(body, 0, sizeof(*body));
	body->type = head.type;
	if (head.type == LEASES) {
		good = get_lease(r, at, r->entry, body);
		r->entry++;
		if (sizes[LEASES] + r->entry * sizeof(struct msg_lease) < size)
			return good ? 1 : -1;
		r->entry = 0;
	} else if (head.type == RBLK_BEAT_BEAT) {
		good = get_beat(at, &body->beat);
	} else if (head.type == RBLK_BEAT_RESOURCE) {
		good = get_told(at, body);
	} else if (head.type == RBLK_BEAT_ARBITER) {
		good = get_arbiter(r, at, body);
	} else if (head.type == RBLK_BEAT_HELD) {
		good = get_held(at, body);
	} else if (head.type == ACKS) {
		good = get_acks(r, at, body);
	} else {
		good = get_handover(at, body);
	}
	r->at += sizeof(head) + size;
	return good ? 1 : -1;
}

enum rblk_beat_error rblk_beat_check(const struct rblk_beat_reader *r)
{
	struct rblk_beat_reader copy = *r;
	struct rblk_beat_body body;
	int got;

	do {
		got = next(&copy, &body);
	} while (got > 0);
	return got ? RBLK_BEAT_BODY : RBLK_BEAT_OK;
}

bool rblk_beat_next(struct rblk_beat_reader *r, struct rblk_beat_body *body)
{
	return next(r, body) > 0;
}

static const char *const errors[__RBLK_BEAT_END] = {
	[RBLK_BEAT_OK] = "good",
	[RBLK_BEAT_SIZE] = "too short, too long, or cut off",
	[RBLK_BEAT_MAGIC] = "not from rblk",
	[RBLK_BEAT_VERSION] = "of a version that this one does not know",
	[RBLK_BEAT_CLUSTER] = "of another cluster",
	[RBLK_BEAT_NODE] = "from or to a node that cannot be",
	[RBLK_BEAT_BODY] = "with contents that cannot be",
};

const char *rblk_beat_strerror(enum rblk_beat_error err)
{
	return err < __RBLK_BEAT_END ? errors[err] : "?";
}

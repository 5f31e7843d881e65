// SPDX-License-Identifier: GPL-2.0
/*
 * wire.c - the frames of a link, as bytes and as native values.
 */
#include "wire.h"

#define SECT_SHIFT		9
#define DATA_SECTS_MAX		(RBLK_WIRE_DATA_MAX >> SECT_SHIFT)
#define CLEAR_SECTS_MAX		(1U << (31 - SECT_SHIFT))	/* 2 GiB */
#define VOLUME_SECTS_MAX	(1ULL << 53)	/* bytes fit in 62 bits */
#define SHIFT_MIN		9
#define SHIFT_MAX		16

/*
 * The payloads on the wire. HELLO is struct rblk_msg_hello, struct
 * rblk_msg_self, its terms, the volumes. STATE is struct rblk_msg_self and its
 * terms. ACK is struct rblk_msg_ack and its ranges.
 */
struct rblk_msg_hello {
	__le16 version_min;
	__le16 version_max;
	u8 from;
	u8 to;
	u8 nr_volumes;
	u8 reserved;
	__le64 features;
	u8 uuid[RBLK_UUID_SIZE];
} __packed;

#define SELF_ASSUME_CLEAN	(1U << 0)	/* STATE only */
#define SELF_RESYNC		(1U << 1)	/* STATE only */
#define SELF_CATCHUP		(1U << 2)	/* STATE only */
#define SELF_NO_DISK		(1U << 3)
#define SELF_TIMES		(1U << 4)	/* a time for each term follows */
#define SELF_FLAGS		(SELF_ASSUME_CLEAN | SELF_RESYNC | SELF_CATCHUP)

struct rblk_msg_self {
	u8 role;
	u8 data;
	u8 nr_terms;
	u8 flags;
	__le32 reserved;
	__le64 promised;
	__le64 seq;
} __packed;

struct rblk_msg_term {
	__le64 gen;
	__le64 first_seq;
} __packed;

struct rblk_msg_time {
	__le64 since_s;
} __packed;

struct rblk_msg_volume {
	u8 id;
	u8 logical_shift;
	u8 physical_shift;
	u8 logged_high;
	__le32 logged;
	__le64 size_sects;
	__le64 stored;
} __packed;

struct rblk_msg_ack {
	__le64 received;
	__le64 applied;
	__le64 durable;
	__le64 recorded;
} __packed;

struct rblk_msg_span {
	__le64 sector;
	__le64 nr_sects;
} __packed;

struct rblk_msg_range {
	__le64 first;
	__le64 last;
} __packed;

#define SELF_MAX	(sizeof(struct rblk_msg_self) + \
			 RBLK_LINEAGE_MAX * (sizeof(struct rblk_msg_term) + \
					     sizeof(struct rblk_msg_time)))
#define HELLO_MIN	offsetofend(struct rblk_msg_hello, version_max)
#define HELLO_MAX	(sizeof(struct rblk_msg_hello) + SELF_MAX + \
			 RBLK_MAX_VOLUMES * sizeof(struct rblk_msg_volume))

static_assert(sizeof(struct rblk_msg_hdr) == 64);
static_assert(offsetof(struct rblk_msg_hdr, hdr_crc) == 60);
static_assert(sizeof(struct rblk_msg_hello) == 32);
static_assert(sizeof(struct rblk_msg_self) == 24);
static_assert(sizeof(struct rblk_msg_term) == 16);
static_assert(sizeof(struct rblk_msg_time) == 8);
static_assert(sizeof(struct rblk_msg_volume) == 24);
static_assert(sizeof(struct rblk_msg_ack) == 32);
static_assert(sizeof(struct rblk_msg_range) == 16);
static_assert(HELLO_MAX <= RBLK_WIRE_HELLO_MAX);
static_assert(SELF_MAX <= RBLK_WIRE_STATE_MAX);
static_assert(RBLK_WIRE_DIGESTS_MAX * RBLK_WIRE_DIGESTED_SECTS ==
	      DATA_SECTS_MAX);
static_assert(RBLK_WIRE_DIGESTS_MAX * RBLK_WIRE_DIGEST_BYTES <=
	      RBLK_WIRE_CTRL_MAX);
static_assert(sizeof(struct rblk_msg_span) == RBLK_WIRE_SPAN_BYTES);
static_assert(RBLK_WIRE_SPANS_MAX * RBLK_WIRE_SPAN_BYTES <= RBLK_WIRE_CTRL_MAX);
static_assert(RBLK_WIRE_TEXT_MAX <= RBLK_WIRE_CTRL_MAX);

/* Header fields that a frame uses; the others must be zero. */
#define USES_ORDER	(1U << 0)	/* gen, seq, dep */
#define USES_VOLUME	(1U << 1)
#define USES_DATA	(1U << 2)	/* the payload is nr_sects sectors */
#define USES_DIGESTS	(1U << 3)	/* the payload is their digests */
#define USES_SEQ	(1U << 4)	/* seq, without the rest of the order */
#define USES_DEP	(1U << 5)	/* likewise */
#define USES_NO_DATA	(1U << 6)	/* USES_DATA, or no payload */
#define USES_LOGGED	(1U << 7)
#define USES_STORED	(1U << 8)	/* logged, with FLUSH */

/* What a type, or an op of the type OP, demands of its frames. */
struct spec {
	u16 flags;		/* that may be set */
	u16 uses;
	u32 sects_max;		/* 0: no range */
	u32 length_min;		/* without USES_DATA */
	u32 length_max;
};

#define WANT_FLAGS	(RBLK_FRAME_WANT_RECEIVED | RBLK_FRAME_WANT_APPLIED)

static const struct spec types[__RBLK_MSG_END] = {
	[RBLK_MSG_HELLO] = {
		.flags = RBLK_FRAME_DATA_CRC,
		.length_min = HELLO_MIN,
		.length_max = RBLK_WIRE_HELLO_MAX,	/* of any version */
	},
	[RBLK_MSG_ACK] = {
		.flags = RBLK_FRAME_DATA_CRC,
		.length_min = sizeof(struct rblk_msg_ack),
		.length_max = RBLK_WIRE_ACK_MAX,
	},
	[RBLK_MSG_STATE] = {
		.flags = RBLK_FRAME_DATA_CRC,
		.length_min = sizeof(struct rblk_msg_self),
		.length_max = SELF_MAX,
	},
	[RBLK_MSG_RESYNC] = {
		.flags = RBLK_FRAME_DATA_CRC | RBLK_FRAME_LAST |
			 RBLK_FRAME_FLUSH | RBLK_FRAME_ZEROES,
		.uses = USES_VOLUME | USES_DATA | USES_LOGGED,
		.sects_max = DATA_SECTS_MAX,
	},
	[RBLK_MSG_RESYNC_ACK] = {
		.flags = RBLK_FRAME_LAST | RBLK_FRAME_FLUSH,
		.uses = USES_VOLUME | USES_STORED,
		.sects_max = DATA_SECTS_MAX,
	},
	[RBLK_MSG_DIGEST] = {
		.flags = RBLK_FRAME_DATA_CRC,
		.uses = USES_VOLUME | USES_DIGESTS,
		.sects_max = DATA_SECTS_MAX,
	},
	[RBLK_MSG_DIFF] = {
		.flags = RBLK_FRAME_DATA_CRC,
		.uses = USES_VOLUME,
		.sects_max = DATA_SECTS_MAX,
		.length_min = sizeof(__le64),
		.length_max = sizeof(__le64),
	},
	[RBLK_MSG_READ] = {
		.uses = USES_SEQ | USES_DEP | USES_VOLUME,
		.sects_max = DATA_SECTS_MAX,
	},
	[RBLK_MSG_READ_REPLY] = {
		.flags = RBLK_FRAME_DATA_CRC,
		.uses = USES_SEQ | USES_VOLUME | USES_DATA | USES_NO_DATA,
		.sects_max = DATA_SECTS_MAX,
	},
	[RBLK_MSG_ACTIVE] = {
		.flags = RBLK_FRAME_DATA_CRC | RBLK_FRAME_LAST,
		.uses = USES_SEQ | USES_VOLUME | USES_LOGGED,
		.length_max = RBLK_WIRE_SPANS_MAX * RBLK_WIRE_SPAN_BYTES,
	},
	[RBLK_MSG_BYE] = {
		.flags = RBLK_FRAME_DATA_CRC,
		.length_max = RBLK_WIRE_TEXT_MAX - 1,
	},
};

static const struct spec ops[__RBLK_OP_END] = {
	[RBLK_OP_WRITE] = {
		.flags = WANT_FLAGS | RBLK_FRAME_DATA_CRC | RBLK_FRAME_FUA |
			 RBLK_FRAME_PREFLUSH,
		.uses = USES_ORDER | USES_VOLUME | USES_DATA | USES_LOGGED,
		.sects_max = DATA_SECTS_MAX,
	},
	[RBLK_OP_DISCARD] = {
		.flags = WANT_FLAGS,
		.uses = USES_ORDER | USES_VOLUME | USES_LOGGED,
		.sects_max = CLEAR_SECTS_MAX,
	},
	[RBLK_OP_WRITE_ZEROES] = {
		.flags = WANT_FLAGS | RBLK_FRAME_ZEROES_NOUNMAP,
		.uses = USES_ORDER | USES_VOLUME | USES_LOGGED,
		.sects_max = CLEAR_SECTS_MAX,
	},
	[RBLK_OP_FLUSH] = {
		.flags = WANT_FLAGS,
		.uses = USES_ORDER | USES_VOLUME | USES_LOGGED,
	},
};

static const char * const errors[__RBLK_WIRE_ERROR_END] = {
	[RBLK_WIRE_OK] = "no error",
	[RBLK_WIRE_BAD_MAGIC] = "not an rblk frame",
	[RBLK_WIRE_BAD_HEADER_CRC] = "damaged frame header",
	[RBLK_WIRE_BAD_TYPE] = "unknown frame type",
	[RBLK_WIRE_BAD_FLAGS] = "flag not allowed in this frame",
	[RBLK_WIRE_BAD_RESERVED] = "unused header field is not zero",
	[RBLK_WIRE_BAD_LENGTH] = "payload length does not fit the frame",
	[RBLK_WIRE_BAD_OP] = "unknown operation",
	[RBLK_WIRE_BAD_VOLUME] = "volume id out of range",
	[RBLK_WIRE_BAD_RANGE] = "sector range empty, too long or out of bounds",
	[RBLK_WIRE_BAD_PAYLOAD] = "payload field out of bounds",
	[RBLK_WIRE_BAD_VERSION] = "no protocol version in common",
};

/* Header */

static u32 hdr_crc(const struct rblk_msg_hdr *hdr)
{
	return ~crc32c(~0U, hdr, offsetof(struct rblk_msg_hdr, hdr_crc));
}

static const struct spec *spec_of(const struct rblk_frame *frame)
{
	if (frame->type == RBLK_MSG_OP)
		return &ops[frame->op];
	return &types[frame->type];
}

static bool uses_logged(const struct rblk_frame *frame, const struct spec *spec)
{
	return spec->uses & USES_LOGGED ||
	       (spec->uses & USES_STORED && frame->flags & RBLK_FRAME_FLUSH);
}

static enum rblk_wire_error check_unused(const struct rblk_frame *frame,
					 const struct spec *spec)
{
	if (!(spec->uses & USES_ORDER) && frame->gen)
		return RBLK_WIRE_BAD_RESERVED;
	if (!(spec->uses & (USES_ORDER | USES_SEQ)) && frame->seq)
		return RBLK_WIRE_BAD_RESERVED;
	if (!(spec->uses & (USES_ORDER | USES_DEP)) && frame->dep)
		return RBLK_WIRE_BAD_RESERVED;
	if (!(spec->uses & USES_VOLUME) && frame->volume)
		return RBLK_WIRE_BAD_RESERVED;
	if (!uses_logged(frame, spec) && frame->logged)
		return RBLK_WIRE_BAD_RESERVED;
	if (!spec->sects_max && (frame->sector || frame->nr_sects))
		return RBLK_WIRE_BAD_RESERVED;
	if (!(frame->flags & RBLK_FRAME_DATA_CRC) && frame->data_crc)
		return RBLK_WIRE_BAD_RESERVED;
	return RBLK_WIRE_OK;
}

static enum rblk_wire_error check_range(const struct rblk_frame *frame,
					const struct spec *spec)
{
	if (!spec->sects_max)
		return RBLK_WIRE_OK;
	if (frame->flags & (RBLK_FRAME_LAST | RBLK_FRAME_FLUSH) &&
	    !frame->nr_sects)
		return frame->sector ? RBLK_WIRE_BAD_RANGE : RBLK_WIRE_OK;
	if (!frame->nr_sects || frame->nr_sects > spec->sects_max ||
	    frame->sector > VOLUME_SECTS_MAX - frame->nr_sects)
		return RBLK_WIRE_BAD_RANGE;
	return RBLK_WIRE_OK;
}

static enum rblk_wire_error check_length(const struct rblk_frame *frame,
					 const struct spec *spec)
{
	u32 length_min = spec->length_min;
	u32 length_max = spec->length_max;

	if (spec->uses & USES_DATA && !(frame->flags & RBLK_FRAME_ZEROES) &&
	    (frame->length || !(spec->uses & USES_NO_DATA))) {
		length_min = frame->nr_sects << SECT_SHIFT;
		length_max = length_min;
	}
	if (spec->uses & USES_DIGESTS) {
		length_min = rblk_wire_nr_digests(frame->nr_sects) *
			     RBLK_WIRE_DIGEST_BYTES;
		length_max = length_min;
	}
	if (frame->length < length_min || frame->length > length_max)
		return RBLK_WIRE_BAD_LENGTH;
	if ((frame->flags & RBLK_FRAME_DATA_CRC) && !frame->length)
		return RBLK_WIRE_BAD_FLAGS;
	return RBLK_WIRE_OK;
}

static enum rblk_wire_error check_frame(const struct rblk_frame *frame)
{
	enum rblk_wire_error err;
	const struct spec *spec;

	if (!frame->type || frame->type >= __RBLK_MSG_END)
		return RBLK_WIRE_BAD_TYPE;
	if (frame->type == RBLK_MSG_OP ?
	    !frame->op || frame->op >= __RBLK_OP_END : frame->op)
		return RBLK_WIRE_BAD_OP;

	spec = spec_of(frame);
	if (frame->flags & ~spec->flags)
		return RBLK_WIRE_BAD_FLAGS;
	if (frame->flags & RBLK_FRAME_FLUSH &&
	    (frame->flags & RBLK_FRAME_LAST || frame->nr_sects))
		return RBLK_WIRE_BAD_FLAGS;
	if (frame->flags & RBLK_FRAME_ZEROES &&
	    (frame->flags & RBLK_FRAME_LAST || !frame->nr_sects ||
	     frame->length))
		return RBLK_WIRE_BAD_FLAGS;
	err = check_unused(frame, spec);
	if (err)
		return err;
	if (frame->volume >= RBLK_MAX_VOLUMES)
		return RBLK_WIRE_BAD_VOLUME;
	err = check_range(frame, spec);
	if (err)
		return err;
	return check_length(frame, spec);
}

const char *rblk_wire_strerror(enum rblk_wire_error err)
{
	if ((unsigned int)err >= __RBLK_WIRE_ERROR_END)
		return "unknown error";
	return errors[err];
}

int rblk_wire_pick_version(u16 min, u16 max)
{
	if (min > max || min > RBLK_WIRE_VERSION_MAX ||
	    max < RBLK_WIRE_VERSION_MIN)
		return -EPROTONOSUPPORT;
	return max < RBLK_WIRE_VERSION_MAX ? max : RBLK_WIRE_VERSION_MAX;
}

/* A number that is too large is not told. */
static u64 told(u64 logged)
{
	return logged <= RBLK_WIRE_LOGGED_MAX ? logged : 0;
}

static u64 get_logged(u8 high, __le32 low)
{
	return (u64)high << 32 | le32_to_cpu(low);
}

void rblk_wire_put_hdr(struct rblk_msg_hdr *hdr, const struct rblk_frame *frame)
{
	*hdr = (struct rblk_msg_hdr) {
		.magic = cpu_to_le32(RBLK_WIRE_MAGIC),
		.type = frame->type,
		.op = frame->op,
		.flags = cpu_to_le16(frame->flags),
		.length = cpu_to_le32(frame->length),
		.data_crc = cpu_to_le32(frame->data_crc),
		.gen = cpu_to_le64(frame->gen),
		.seq = cpu_to_le64(frame->seq),
		.dep = cpu_to_le64(frame->dep),
		.sector = cpu_to_le64(frame->sector),
		.nr_sects = cpu_to_le32(frame->nr_sects),
		.volume = frame->volume,
		.logged_high = told(frame->logged) >> 32,
		.logged = cpu_to_le32(told(frame->logged)),
	};
	hdr->hdr_crc = cpu_to_le32(hdr_crc(hdr));
}

enum rblk_wire_error rblk_wire_get_hdr(const struct rblk_msg_hdr *hdr,
				       struct rblk_frame *frame)
{
	if (le32_to_cpu(hdr->magic) != RBLK_WIRE_MAGIC)
		return RBLK_WIRE_BAD_MAGIC;
	if (le32_to_cpu(hdr->hdr_crc) != hdr_crc(hdr))
		return RBLK_WIRE_BAD_HEADER_CRC;
	if (hdr->reserved[0] || hdr->reserved[1])
		return RBLK_WIRE_BAD_RESERVED;

	*frame = (struct rblk_frame) {
		.type = hdr->type,
		.op = hdr->op,
		.flags = le16_to_cpu(hdr->flags),
		.length = le32_to_cpu(hdr->length),
		.data_crc = le32_to_cpu(hdr->data_crc),
		.gen = le64_to_cpu(hdr->gen),
		.seq = le64_to_cpu(hdr->seq),
		.dep = le64_to_cpu(hdr->dep),
		.sector = le64_to_cpu(hdr->sector),
		.nr_sects = le32_to_cpu(hdr->nr_sects),
		.volume = hdr->volume,
		.logged = get_logged(hdr->logged_high, hdr->logged),
	};
	return check_frame(frame);
}

/* What HELLO and STATE say of the sender */

static u32 put_self(void *buf, const struct rblk_self *self, u8 flags)
{
	const struct rblk_lineage *lineage = &self->lineage;
	struct rblk_msg_self *msg = buf;
	struct rblk_msg_term *term = buf + sizeof(*msg);
	struct rblk_msg_time *since = (void *)&term[lineage->nr_terms];
	bool times = false;
	u32 i;

	for (i = 0; i < lineage->nr_terms; i++)
		times |= lineage->term[i].since_s != 0;

	*msg = (struct rblk_msg_self) {
		.role = self->role,
		.data = self->data,
		.nr_terms = lineage->nr_terms,
		.flags = flags | (self->no_disk ? SELF_NO_DISK : 0) |
			 (times ? SELF_TIMES : 0),
		.promised = cpu_to_le64(self->promised),
		.seq = cpu_to_le64(lineage->seq),
	};
	for (i = 0; i < lineage->nr_terms; i++) {
		term[i].gen = cpu_to_le64(lineage->term[i].gen);
		term[i].first_seq = cpu_to_le64(lineage->term[i].first_seq);
		if (times)
			since[i].since_s =
				cpu_to_le64(lineage->term[i].since_s);
	}
	return sizeof(*msg) + i * (sizeof(*term) +
				   (times ? sizeof(*since) : 0));
}

/*
 * Takes the front of @buf; @used says how much, once lengths are checked. @flags
 * are those that are no part of @self.
 */
static enum rblk_wire_error get_self(const void *buf, u32 length,
				     struct rblk_self *self, u8 *flags,
				     u32 *used)
{
	const struct rblk_msg_self *msg = buf;
	const struct rblk_msg_term *term = buf + sizeof(*msg);
	struct rblk_lineage *lineage = &self->lineage;
	const struct rblk_msg_time *since;
	bool times;
	u32 i;

	if (length < sizeof(*msg))
		return RBLK_WIRE_BAD_LENGTH;
	if (msg->nr_terms > RBLK_LINEAGE_MAX)
		return RBLK_WIRE_BAD_PAYLOAD;
	times = msg->flags & SELF_TIMES;
	since = (const void *)&term[msg->nr_terms];
	*used = sizeof(*msg) + msg->nr_terms *
		(sizeof(*term) + (times ? sizeof(*since) : 0));
	if (length < *used)
		return RBLK_WIRE_BAD_LENGTH;
	if (msg->role > RBLK_ROLE_PRIMARY || msg->reserved ||
	    (times && !msg->nr_terms) ||
	    msg->data > RBLK_DATA_UNCLEAN)
		return RBLK_WIRE_BAD_PAYLOAD;

	memset(self, 0, sizeof(*self));
	self->role = msg->role;
	self->data = msg->data;
	self->promised = le64_to_cpu(msg->promised);
	lineage->nr_terms = msg->nr_terms;
	lineage->seq = le64_to_cpu(msg->seq);
	for (i = 0; i < lineage->nr_terms; i++) {
		lineage->term[i].gen = le64_to_cpu(term[i].gen);
		lineage->term[i].first_seq = le64_to_cpu(term[i].first_seq);
		if (times)
			lineage->term[i].since_s =
				le64_to_cpu(since[i].since_s);
	}
	self->no_disk = msg->flags & SELF_NO_DISK;
	*flags = msg->flags & ~(SELF_NO_DISK | SELF_TIMES);
	return rblk_lineage_is_valid(lineage) ? RBLK_WIRE_OK :
						RBLK_WIRE_BAD_PAYLOAD;
}

/* HELLO */

static enum rblk_wire_error get_hello_fixed(const struct rblk_msg_hello *msg,
					    u32 length,
					    struct rblk_hello *hello)
{
	if (length < HELLO_MIN)
		return RBLK_WIRE_BAD_LENGTH;
	hello->version_min = le16_to_cpu(msg->version_min);
	hello->version_max = le16_to_cpu(msg->version_max);
	if (hello->version_min > hello->version_max)
		return RBLK_WIRE_BAD_PAYLOAD;
	/* Another version may lay out what follows differently. */
	if (rblk_wire_pick_version(hello->version_min, hello->version_max) < 0)
		return RBLK_WIRE_BAD_VERSION;

	if (length < sizeof(*msg))
		return RBLK_WIRE_BAD_LENGTH;
	if (msg->from >= RBLK_MAX_NODES || msg->to >= RBLK_MAX_NODES ||
	    msg->from == msg->to || msg->nr_volumes > RBLK_MAX_VOLUMES ||
	    msg->reserved)
		return RBLK_WIRE_BAD_PAYLOAD;
	hello->from = msg->from;
	hello->to = msg->to;
	hello->nr_volumes = msg->nr_volumes;
	hello->features = le64_to_cpu(msg->features);
	memcpy(hello->uuid, msg->uuid, sizeof(hello->uuid));
	return RBLK_WIRE_OK;
}

static enum rblk_wire_error get_volume(const struct rblk_msg_volume *msg,
				       struct rblk_hello_volume *volume)
{
	volume->id = msg->id;
	volume->logical_shift = msg->logical_shift;
	volume->physical_shift = msg->physical_shift;
	volume->size_sects = le64_to_cpu(msg->size_sects);
	volume->logged = get_logged(msg->logged_high, msg->logged);
	volume->stored = le64_to_cpu(msg->stored);

	if (volume->id >= RBLK_MAX_VOLUMES)
		return RBLK_WIRE_BAD_PAYLOAD;
	if (volume->logical_shift < SHIFT_MIN ||
	    volume->physical_shift < volume->logical_shift ||
	    volume->physical_shift > SHIFT_MAX)
		return RBLK_WIRE_BAD_PAYLOAD;
	if (!volume->size_sects || volume->size_sects > VOLUME_SECTS_MAX)
		return RBLK_WIRE_BAD_PAYLOAD;
	return RBLK_WIRE_OK;
}

u32 rblk_wire_put_hello(void *buf, const struct rblk_hello *hello)
{
	struct rblk_msg_hello *msg = buf;
	struct rblk_msg_volume *volume;
	u32 used = sizeof(*msg);
	u32 i;

	*msg = (struct rblk_msg_hello) {
		.version_min = cpu_to_le16(hello->version_min),
		.version_max = cpu_to_le16(hello->version_max),
		.from = hello->from,
		.to = hello->to,
		.nr_volumes = hello->nr_volumes,
		.features = cpu_to_le64(hello->features),
	};
	memcpy(msg->uuid, hello->uuid, sizeof(msg->uuid));
	used += put_self(buf + used, &hello->self, 0);

	volume = buf + used;
	for (i = 0; i < hello->nr_volumes; i++) {
		volume[i] = (struct rblk_msg_volume) {
			.id = hello->volume[i].id,
			.logical_shift = hello->volume[i].logical_shift,
			.physical_shift = hello->volume[i].physical_shift,
			.size_sects = cpu_to_le64(hello->volume[i].size_sects),
			.logged_high = told(hello->volume[i].logged) >> 32,
			.logged = cpu_to_le32(told(hello->volume[i].logged)),
			.stored = cpu_to_le64(hello->volume[i].stored),
		};
	}
	return used + i * sizeof(*volume);
}

enum rblk_wire_error rblk_wire_get_hello(const void *buf, u32 length,
					 struct rblk_hello *hello)
{
	const struct rblk_msg_hello *msg = buf;
	const struct rblk_msg_volume *volume;
	enum rblk_wire_error err;
	u32 used, i;
	u8 flags;

	memset(hello, 0, sizeof(*hello));
	err = get_hello_fixed(msg, length, hello);
	if (err)
		return err;

	buf += sizeof(*msg);
	length -= sizeof(*msg);
	err = get_self(buf, length, &hello->self, &flags, &used);
	if (err)
		return err;
	if (flags)
		return RBLK_WIRE_BAD_PAYLOAD;

	volume = buf + used;
	if (length - used != hello->nr_volumes * sizeof(*volume))
		return RBLK_WIRE_BAD_LENGTH;
	for (i = 0; i < hello->nr_volumes; i++) {
		err = get_volume(&volume[i], &hello->volume[i]);
		if (err)
			return err;
		if (i && volume[i].id <= volume[i - 1].id)
			return RBLK_WIRE_BAD_PAYLOAD;
	}
	return RBLK_WIRE_OK;
}

/* ACK */

u32 rblk_wire_put_ack(void *buf, const struct rblk_ack *ack)
{
	struct rblk_msg_ack *msg = buf;
	struct rblk_msg_range *range = buf + sizeof(*msg);
	u32 i;

	msg->received = cpu_to_le64(ack->received);
	msg->applied = cpu_to_le64(ack->applied);
	msg->durable = cpu_to_le64(ack->durable);
	msg->recorded = cpu_to_le64(ack->recorded);
	for (i = 0; i < ack->nr_ranges; i++) {
		range[i].first = cpu_to_le64(ack->range[i].first);
		range[i].last = cpu_to_le64(ack->range[i].last);
	}
	return sizeof(*msg) + i * sizeof(*range);
}

enum rblk_wire_error rblk_wire_get_ack(const void *buf, u32 length,
				       struct rblk_ack *ack)
{
	const struct rblk_msg_ack *msg = buf;
	const struct rblk_msg_range *range = buf + sizeof(*msg);
	u64 below;
	u32 i;

	if (length < sizeof(*msg) || length > RBLK_WIRE_ACK_MAX ||
	    (length - sizeof(*msg)) % sizeof(*range))
		return RBLK_WIRE_BAD_LENGTH;

	ack->received = le64_to_cpu(msg->received);
	ack->applied = le64_to_cpu(msg->applied);
	ack->durable = le64_to_cpu(msg->durable);
	ack->recorded = le64_to_cpu(msg->recorded);
	ack->nr_ranges = (length - sizeof(*msg)) / sizeof(*range);
	if (ack->applied > ack->received || ack->durable > ack->applied ||
	    ack->recorded > ack->durable)
		return RBLK_WIRE_BAD_PAYLOAD;

	below = ack->applied;
	for (i = 0; i < ack->nr_ranges; i++) {
		ack->range[i].first = le64_to_cpu(range[i].first);
		ack->range[i].last = le64_to_cpu(range[i].last);
		if (ack->range[i].first <= below ||
		    ack->range[i].last < ack->range[i].first ||
		    ack->range[i].last > ack->received)
			return RBLK_WIRE_BAD_PAYLOAD;
		below = ack->range[i].last;
	}
	return RBLK_WIRE_OK;
}

/* STATE */

u32 rblk_wire_put_state(void *buf, const struct rblk_state *state)
{
	u8 flags = 0;

	if (state->assume_clean)
		flags |= SELF_ASSUME_CLEAN;
	if (state->resync)
		flags |= SELF_RESYNC;
	if (state->catchup)
		flags |= SELF_CATCHUP;
	return put_self(buf, &state->self, flags);
}

enum rblk_wire_error rblk_wire_get_state(const void *buf, u32 length,
					 struct rblk_state *state)
{
	enum rblk_wire_error err;
	u32 used;
	u8 flags;

	err = get_self(buf, length, &state->self, &flags, &used);
	if (err)
		return err;
	if (length != used)
		return RBLK_WIRE_BAD_LENGTH;
	if (flags & ~SELF_FLAGS || flags & (flags - 1))
		return RBLK_WIRE_BAD_PAYLOAD;
	state->assume_clean = flags & SELF_ASSUME_CLEAN;
	state->resync = flags & SELF_RESYNC;
	state->catchup = flags & SELF_CATCHUP;
	return RBLK_WIRE_OK;
}

/* ACTIVE */

u32 rblk_wire_put_spans(void *buf, const struct rblk_span *span, u32 nr_spans)
{
	struct rblk_msg_span *msg = buf;
	u32 i;

	for (i = 0; i < nr_spans; i++) {
		msg[i].sector = cpu_to_le64(span[i].sector);
		msg[i].nr_sects = cpu_to_le64(span[i].nr_sects);
	}
	return nr_spans * sizeof(*msg);
}

enum rblk_wire_error rblk_wire_get_span(const void *buf, u32 length, u32 index,
					struct rblk_span *span)
{
	const struct rblk_msg_span *msg = buf;

	if (length % sizeof(*msg) || index >= length / sizeof(*msg))
		return RBLK_WIRE_BAD_LENGTH;
	span->sector = le64_to_cpu(msg[index].sector);
	span->nr_sects = le64_to_cpu(msg[index].nr_sects);
	if (!span->nr_sects || span->nr_sects > RBLK_WIRE_SPAN_SECTS_MAX ||
	    span->sector > VOLUME_SECTS_MAX - span->nr_sects)
		return RBLK_WIRE_BAD_PAYLOAD;
	return RBLK_WIRE_OK;
}

/* DIFF */

u32 rblk_wire_put_diff(void *buf, u64 differ)
{
	__le64 *bits = buf;

	*bits = cpu_to_le64(differ);
	return sizeof(*bits);
}

enum rblk_wire_error rblk_wire_get_diff(const void *buf, u32 length,
					u32 nr_sects, u64 *differ)
{
	u32 nr_blocks = rblk_wire_nr_digests(nr_sects);
	__le64 bits;

	if (length != sizeof(bits))
		return RBLK_WIRE_BAD_LENGTH;
	memcpy(&bits, buf, sizeof(bits));
	*differ = le64_to_cpu(bits);
	if (nr_blocks < RBLK_WIRE_DIGESTS_MAX && *differ >> nr_blocks)
		return RBLK_WIRE_BAD_PAYLOAD;
	return RBLK_WIRE_OK;
}

/* BYE */

static bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

u32 rblk_wire_put_bye(void *buf, const char *reason)
{
	char *text = buf;
	u32 i;

	for (i = 0; i < RBLK_WIRE_TEXT_MAX - 1 && reason[i]; i++)
		text[i] = is_printable(reason[i]) ? reason[i] : '?';
	return i;
}

enum rblk_wire_error rblk_wire_get_bye(const void *buf, u32 length, char *text)
{
	const char *from = buf;
	u32 i;

	text[0] = '\0';
	if (length >= RBLK_WIRE_TEXT_MAX)
		return RBLK_WIRE_BAD_LENGTH;
	for (i = 0; i < length; i++) {
		if (!is_printable(from[i]))
			return RBLK_WIRE_BAD_PAYLOAD;
	}
	memcpy(text, buf, length);
	text[length] = '\0';
	return RBLK_WIRE_OK;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wire.h - the frames of a link, as bytes and as native values.
 *
 * A frame is a 64-byte header, little-endian, and length payload bytes. Wire
 * structs stop here: everything else sees struct rblk_frame and the decoded
 * payloads. Documentation/wire.rst describes the format.
 */
#ifndef RBLK_CORE_WIRE_H
#define RBLK_CORE_WIRE_H

#include "env.h"
#include "order.h"
#include "plan.h"

#define RBLK_WIRE_MAGIC		0x4b4c4272	/* "rBLK" */
#define RBLK_WIRE_VERSION_MIN	1
#define RBLK_WIRE_VERSION_MAX	1
#define RBLK_WIRE_DATA_MAX	(1U << 20)	/* bytes of one operation */
#define RBLK_WIRE_DIGEST_BYTES	32
#define RBLK_WIRE_DIGESTED_SECTS 32		/* 16 KiB under one digest */
#define RBLK_WIRE_DIGESTS_MAX	64		/* of one frame: bits of a DIFF */
#define RBLK_WIRE_RANGES_MAX	32		/* selective acks in one ACK */
#define RBLK_WIRE_READS_MAX	32		/* READs not yet answered */
#define RBLK_WIRE_SPANS_MAX	255		/* of one ACTIVE */
#define RBLK_WIRE_TEXT_MAX	128		/* bytes of a BYE reason, with NUL */
#define RBLK_WIRE_LOGGED_MAX	((1ULL << 40) - 1)	/* above, nothing is told */

enum rblk_msg_type {
	RBLK_MSG_HELLO = 1,
	RBLK_MSG_OP,		/* header: gen seq dep volume op sector nr_sects */
	RBLK_MSG_ACK,
	RBLK_MSG_STATE,
	RBLK_MSG_RESYNC,	/* data outside the sequence: volume sector nr_sects */
	RBLK_MSG_RESYNC_ACK,	/* volume sector nr_sects, LAST of a RESYNC applied */
	RBLK_MSG_BYE,
	RBLK_MSG_DIGEST,	/* RESYNC: what the primary has: volume sector nr_sects */
	RBLK_MSG_DIFF,		/* which of these blocks differ there */
	RBLK_MSG_READ,		/* send this range: seq dep volume sector nr_sects */
	RBLK_MSG_READ_REPLY,	/* it: seq volume sector nr_sects; no payload: failed */
	RBLK_MSG_ACTIVE,	/* where the sender may differ: seq volume logged */
	__RBLK_MSG_END,
};

enum rblk_op {
	RBLK_OP_WRITE = 1,	/* nr_sects * 512 payload bytes */
	RBLK_OP_DISCARD,
	RBLK_OP_WRITE_ZEROES,
	RBLK_OP_FLUSH,		/* no range */
	__RBLK_OP_END,
};

/* HELLO's features: what the sender can do */
#define RBLK_FEATURE_ZEROES	(1ULL << 0)	/* all its devices zero by themselves */
#define RBLK_FEATURE_LOGGED	(1ULL << 1)	/* may be told of the activity log */
#define RBLK_FEATURE_ACTIVE	(1ULL << 2)	/* may be sent ACTIVE */

/* frame flags */
#define RBLK_FRAME_DATA_CRC	(1U << 0)	/* data_crc is valid */
#define RBLK_FRAME_FUA		(1U << 1)	/* OP: durable before it is applied */
#define RBLK_FRAME_PREFLUSH	(1U << 2)	/* OP: flush first */
#define RBLK_FRAME_WANT_RECEIVED (1U << 3)	/* OP: ack at once when received */
#define RBLK_FRAME_WANT_APPLIED	(1U << 4)	/* OP: ack at once when applied */
#define RBLK_FRAME_ZEROES_NOUNMAP (1U << 5)	/* WRITE_ZEROES: keep allocated */
#define RBLK_FRAME_LAST		(1U << 6)	/* RESYNC, ACTIVE: complete; it may be empty */
#define RBLK_FRAME_FLUSH	(1U << 7)	/* RESYNC: make durable what was acknowledged */
#define RBLK_FRAME_ZEROES	(1U << 8)	/* RESYNC: the range is zeroes: no payload */
#define RBLK_FRAME_FLAGS_ALL	((1U << 9) - 1)

/**
 * struct rblk_msg_hdr - the header on the wire, 64 bytes
 * @magic: RBLK_WIRE_MAGIC
 * @type: enum rblk_msg_type
 * @op: enum rblk_op for OP, else 0
 * @flags: RBLK_FRAME_*
 * @length: payload bytes that follow
 * @data_crc: crc32c of the payload, 0 without RBLK_FRAME_DATA_CRC
 * @gen: generation of the operation
 * @seq: of the operation
 * @dep: of the operation
 * @sector: in 512-byte sectors
 * @nr_sects: length of the range
 * @volume: id of the volume
 * @logged_high: bits 32 to 39 of @logged
 * @reserved: 0
 * @logged: of the sender's activity log, bits 0 to 31
 * @hdr_crc: crc32c (seed ~0, final xor ~0) of the 60 bytes before it
 */
struct rblk_msg_hdr {
	__le32 magic;
	u8 type;
	u8 op;
	__le16 flags;
	__le32 length;
	__le32 data_crc;
	__le64 gen;
	__le64 seq;
	__le64 dep;
	__le64 sector;
	__le32 nr_sects;
	u8 volume;
	u8 logged_high;
	u8 reserved[2];
	__le32 logged;
	__le32 hdr_crc;
} __packed;

/**
 * struct rblk_frame - a header in native form
 * @type: enum rblk_msg_type
 * @op: enum rblk_op for OP, else 0
 * @flags: RBLK_FRAME_*
 * @length: payload bytes that follow
 * @data_crc: crc32c of the payload, 0 without RBLK_FRAME_DATA_CRC
 * @gen: generation of the operation
 * @seq: of the operation; READ: its name, which the answer repeats; ACTIVE: the
 *	position that the receiver must have for it
 * @dep: the highest seq that must be applied before it starts
 * @sector: in 512-byte sectors
 * @nr_sects: length of the range
 * @volume: id of the volume
 * @logged: the newest transaction of the sender's activity log of that volume
 *	that was durable when this was sent; 0: not told. RESYNC_ACK with FLUSH:
 *	serial of the position record that says so; 0: no metadata
 */
struct rblk_frame {
	u8 type;
	u8 op;
	u16 flags;
	u32 length;
	u32 data_crc;
	u64 gen;
	u64 seq;
	u64 dep;
	u64 sector;
	u32 nr_sects;
	u8 volume;
	u64 logged;
};

/**
 * struct rblk_hello_volume - what a node says of one volume
 * @id: of the volume
 * @logical_shift: log2 of the logical block size, 9..16
 * @physical_shift: log2 of the physical block size, @logical_shift..16
 * @size_sects: in 512-byte sectors, 1..2^53
 * @logged: the newest transaction that the primary of its data's last term told
 *	it of (see struct rblk_frame); 0: of none
 * @stored: position records written to its disk so far; 0: it has no metadata
 */
struct rblk_hello_volume {
	u8 id;
	u8 logical_shift;
	u8 physical_shift;
	u64 size_sects;
	u64 logged;
	u64 stored;
};

/**
 * struct rblk_hello - the first payload in each direction
 * @version_min: oldest protocol version spoken
 * @version_max: newest protocol version spoken
 * @features: RBLK_FEATURE_*; unknown bits are ignored
 * @uuid: of the resource
 * @from: node id of the sender
 * @to: node id of the node it means to talk to
 * @self: role, data, promised generation, lineage with position
 * @nr_volumes: how many volumes it has
 * @volume: ascending by id
 *
 * Too large for the kernel's stack.
 */
struct rblk_hello {
	u16 version_min;
	u16 version_max;
	u64 features;
	u8 uuid[RBLK_UUID_SIZE];
	u8 from;
	u8 to;
	struct rblk_self self;
	u32 nr_volumes;
	struct rblk_hello_volume volume[RBLK_MAX_VOLUMES];
};

/**
 * struct rblk_ack - four positions and what was applied above them
 * @received: highest seq received
 * @applied: highest seq up to which all is applied, <= @received
 * @durable: highest seq up to which all is durable, <= @applied
 * @recorded: what its metadata says of that, <= @durable: as far as it would know of
 *	itself after a crash
 * @nr_ranges: how many ranges follow
 * @range: ascending, disjoint, above @applied, up to @received
 */
struct rblk_ack {
	u64 received;
	u64 applied;
	u64 durable;
	u64 recorded;
	u32 nr_ranges;
	struct rblk_seq_range range[RBLK_WIRE_RANGES_MAX];
};

/**
 * struct rblk_state - a change of the sender after HELLO
 * @self: as in HELLO
 * @assume_clean: a first promotion: the peers' new data is declared the same
 * @resync: follow from here; the data is inconsistent until RESYNC LAST
 * @catchup: follow from the receiver's own position: all after it will be sent
 */
struct rblk_state {
	struct rblk_self self;
	bool assume_clean;
	bool resync;
	bool catchup;
};

/**
 * struct rblk_span - a range of a volume, as ACTIVE names it
 * @sector: the first
 * @nr_sects: 1 to RBLK_WIRE_SPAN_SECTS_MAX; it ends at 2^53 at most
 */
struct rblk_span {
	u64 sector;
	u64 nr_sects;
};

#define RBLK_WIRE_SPAN_BYTES	16
#define RBLK_WIRE_SPAN_SECTS_MAX	(1U << 21)	/* 1 GiB: the largest extent */

enum rblk_wire_error {
	RBLK_WIRE_OK,
	RBLK_WIRE_BAD_MAGIC,
	RBLK_WIRE_BAD_HEADER_CRC,
	RBLK_WIRE_BAD_TYPE,
	RBLK_WIRE_BAD_FLAGS,
	RBLK_WIRE_BAD_RESERVED,
	RBLK_WIRE_BAD_LENGTH,	/* not what the type and op demand */
	RBLK_WIRE_BAD_OP,
	RBLK_WIRE_BAD_VOLUME,
	RBLK_WIRE_BAD_RANGE,	/* sector + nr_sects wraps, is empty or too long */
	RBLK_WIRE_BAD_PAYLOAD,	/* a field of HELLO, ACK, STATE or BYE */
	RBLK_WIRE_BAD_VERSION,	/* HELLO: no protocol version in common */
	__RBLK_WIRE_ERROR_END,
};

/**
 * rblk_wire_strerror - constant text for an error
 * @err: any value
 *
 * Return: the text.
 */
const char *rblk_wire_strerror(enum rblk_wire_error err);

/**
 * rblk_wire_pick_version - the protocol version to speak with a peer
 * @min: oldest version that the peer speaks
 * @max: newest version that the peer speaks
 *
 * Return: the newest in common, or -EPROTONOSUPPORT.
 */
int rblk_wire_pick_version(u16 min, u16 max);

/**
 * rblk_wire_put_hdr - encode a header, its crc included
 * @hdr: to send
 * @frame: what it says; not checked
 */
void rblk_wire_put_hdr(struct rblk_msg_hdr *hdr, const struct rblk_frame *frame);

/**
 * rblk_wire_get_hdr - decode and check a header of an untrusted peer
 * @hdr: as received
 * @frame: what it says; meaningless on error
 *
 * Fields that a type does not use must be zero. After OK, the payload is
 * nr_sects sectors for RESYNC and OP WRITE (at most RBLK_WIRE_DATA_MAX bytes),
 * that or nothing for READ_REPLY, else at most RBLK_WIRE_CTRL_MAX bytes, and a
 * range ends below sector 2^53.
 * seq, dep and gen are not checked: rblk_order_receive() does that for the
 * first two. data_crc is the caller's to compare.
 *
 * Return: RBLK_WIRE_OK, or what is wrong.
 */
enum rblk_wire_error rblk_wire_get_hdr(const struct rblk_msg_hdr *hdr,
				       struct rblk_frame *frame);

/* Digests of a range, and the bytes of their payload. */
static inline u32 rblk_wire_nr_digests(u32 nr_sects)
{
	return (nr_sects + RBLK_WIRE_DIGESTED_SECTS - 1) /
	       RBLK_WIRE_DIGESTED_SECTS;
}

/* Largest payloads, so that buffers can be fixed. */
#define RBLK_WIRE_HELLO_MAX	4096
#define RBLK_WIRE_ACK_MAX	(32 + 16 * RBLK_WIRE_RANGES_MAX)
#define RBLK_WIRE_STATE_MAX	1024
#define RBLK_WIRE_CTRL_MAX	RBLK_WIRE_HELLO_MAX	/* any payload but data */

/*
 * Payload encoders return the number of bytes put into @buf, which holds the
 * type's maximum. They check nothing: counts must be in bounds. Decoders check
 * every field, lengths first; what they decoded is meaningless on error, but
 * for the two versions when HELLO is refused with RBLK_WIRE_BAD_VERSION.
 * Neither needs @buf to be aligned.
 */
u32 rblk_wire_put_hello(void *buf, const struct rblk_hello *hello);
enum rblk_wire_error rblk_wire_get_hello(const void *buf, u32 length,
					 struct rblk_hello *hello);
u32 rblk_wire_put_ack(void *buf, const struct rblk_ack *ack);
enum rblk_wire_error rblk_wire_get_ack(const void *buf, u32 length,
				       struct rblk_ack *ack);
u32 rblk_wire_put_state(void *buf, const struct rblk_state *state);
enum rblk_wire_error rblk_wire_get_state(const void *buf, u32 length,
					 struct rblk_state *state);
/* @index: below @length / RBLK_WIRE_SPAN_BYTES. */
u32 rblk_wire_put_spans(void *buf, const struct rblk_span *span, u32 nr_spans);
enum rblk_wire_error rblk_wire_get_span(const void *buf, u32 length, u32 index,
					struct rblk_span *span);
/* @differ: bit i is set when block i of the range differs; none beyond it. */
u32 rblk_wire_put_diff(void *buf, u64 differ);
enum rblk_wire_error rblk_wire_get_diff(const void *buf, u32 length,
					u32 nr_sects, u64 *differ);
u32 rblk_wire_put_bye(void *buf, const char *reason);
/* @text gets at most RBLK_WIRE_TEXT_MAX bytes, printable, with NUL (on error: ""). */
enum rblk_wire_error rblk_wire_get_bye(const void *buf, u32 length, char *text);

#endif /* RBLK_CORE_WIRE_H */

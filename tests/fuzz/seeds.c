// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes the first inputs of the fuzzers: one good piece of each kind, and
 * streams as two nodes would exchange them. What fuzzing found is kept beside.
 */
#include <sys/stat.h>
#include "fuzz.h"
#include "ondisk.h"
#include "wire.h"

static const struct rblk_span spans[] = { { 8192, 8192 }, { 1 << 30, 5 } };

static const char *directory;
static uint8_t stream[16384];
static size_t stream_size;

static void save(const char *kind, const char *name, const void *data,
		 size_t size)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, kind);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", directory, kind, name);
	file = fopen(path, "wb");
	MUST(file && fwrite(data, 1, size, file) == size && !fclose(file));
}

/* A piece for fuzz_wire: the byte that chooses it, then its bytes. */
static void save_piece(uint8_t choice, const char *name, const void *data,
		       size_t size)
{
	uint8_t *piece = malloc(size + 1);

	piece[0] = choice;
	memcpy(piece + 1, data, size);
	save("wire", name, piece, size + 1);
	free(piece);
}

static void add_frame(struct rblk_frame frame, const void *payload)
{
	struct rblk_msg_hdr hdr;

	rblk_wire_put_hdr(&hdr, &frame);
	memcpy(stream + stream_size, &hdr, sizeof(hdr));
	stream_size += sizeof(hdr);
	if (payload && frame.length) {
		memcpy(stream + stream_size, payload, frame.length);
		stream_size += frame.length;
	}
}

static void save_stream(const char *name)
{
	save("stream", name, stream, stream_size);
	stream_size = 0;
}

static void save_header(const char *name, struct rblk_frame frame)
{
	struct rblk_msg_hdr hdr;

	rblk_wire_put_hdr(&hdr, &frame);
	save_piece(0, name, &hdr, sizeof(hdr));
}

static struct rblk_self some_self(enum rblk_role role)
{
	return (struct rblk_self) {
		.role = role,
		.data = RBLK_DATA_CONSISTENT,
		.promised = 4,
		.lineage = { 2, 20, { { 1, 1 }, { 4, 11 } } },
	};
}

static u32 some_hello(void *buf, u32 nr_volumes, enum rblk_role role)
{
	struct rblk_hello *hello = calloc(1, sizeof(*hello));
	u32 i, length;

	hello->version_min = 1;
	hello->version_max = 1;
	memcpy(hello->uuid, "0123456789abcdef", 16);
	hello->from = 1;
	hello->to = 2;
	hello->self = some_self(role);
	hello->nr_volumes = nr_volumes;
	for (i = 0; i < nr_volumes; i++)
		hello->volume[i] = (struct rblk_hello_volume) {
			i, 9, 12, 1 << 21, i ? 0x1122334455 : 0,
			i * 7 };
	length = rblk_wire_put_hello(buf, hello);
	free(hello);
	return length;
}

static struct rblk_frame some_op(u8 op, u64 seq, u64 dep, u32 nr_sects)
{
	return (struct rblk_frame) {
		.type = RBLK_MSG_OP, .op = op, .gen = 4, .seq = seq,
		.dep = dep, .sector = seq * 9, .nr_sects = nr_sects,
		.length = op == RBLK_OP_WRITE ? nr_sects * 512 : 0,
		.logged = seq & 1 ? 0x1122334455 : 7,
	};
}

static void save_headers(void)
{
	struct rblk_frame fua = some_op(RBLK_OP_WRITE, 22, 20, 2048);
	struct rblk_frame keep = some_op(RBLK_OP_WRITE_ZEROES, 23, 0, 1 << 22);
	struct rblk_frame flush = some_op(RBLK_OP_FLUSH, 24, 3, 0);

	fua.flags = RBLK_FRAME_DATA_CRC | RBLK_FRAME_FUA | RBLK_FRAME_PREFLUSH |
		    RBLK_FRAME_WANT_APPLIED | RBLK_FRAME_WANT_RECEIVED;
	keep.flags = RBLK_FRAME_ZEROES_NOUNMAP;
	flush.sector = 0;
	save_header("header-write", some_op(RBLK_OP_WRITE, 21, 20, 8));
	save_header("header-fua", fua);
	save_header("header-zeroes", keep);
	save_header("header-flush", flush);
	save_header("header-resync-last", (struct rblk_frame) {
			.type = RBLK_MSG_RESYNC, .flags = RBLK_FRAME_LAST });
	save_header("header-resync-flush", (struct rblk_frame) {
			.type = RBLK_MSG_RESYNC, .volume = 1,
			.flags = RBLK_FRAME_FLUSH });
	save_header("header-digest", (struct rblk_frame) {
			.type = RBLK_MSG_DIGEST, .nr_sects = 512, .length = 512 });
	save_header("header-diff", (struct rblk_frame) {
			.type = RBLK_MSG_DIFF, .nr_sects = 512, .length = 8 });
	save_header("header-read", (struct rblk_frame) {
			.type = RBLK_MSG_READ, .seq = 5, .dep = 20,
			.sector = 8, .nr_sects = 16 });
	save_header("header-read-reply", (struct rblk_frame) {
			.type = RBLK_MSG_READ_REPLY, .seq = 5, .sector = 8,
			.nr_sects = 16, .length = 8192 });
	save_header("header-bye", (struct rblk_frame) {
			.type = RBLK_MSG_BYE, .length = 127 });
}

static void save_payloads(void)
{
	struct rblk_ack ack = { 30, 20, 10, 9, 2, { { 22, 23 }, { 25, 30 } } };
	struct rblk_state state = { .self = some_self(RBLK_ROLE_PRIMARY),
				    .assume_clean = true };
	uint8_t buf[RBLK_WIRE_CTRL_MAX];

	save_piece(1, "hello-0", buf, some_hello(buf, 0, RBLK_ROLE_BACKUP));
	save_piece(1, "hello-64", buf, some_hello(buf, 64, RBLK_ROLE_PRIMARY));
	save_piece(2, "ack", buf, rblk_wire_put_ack(buf, &ack));
	save_piece(3, "state", buf, rblk_wire_put_state(buf, &state));
	state.assume_clean = false;
	state.catchup = true;
	save_piece(3, "state-catchup", buf, rblk_wire_put_state(buf, &state));
	save_piece(4, "bye", buf, rblk_wire_put_bye(buf, "this node is going down"));
	save_piece(5, "spans", buf, rblk_wire_put_spans(buf, spans, 2));
}

static void save_streams(void)
{
	struct rblk_state state = { .self = some_self(RBLK_ROLE_PRIMARY) };
	struct rblk_ack ack = { 24, 20, 20, 20, 1, { { 22, 24 } } };
	uint8_t buf[RBLK_WIRE_CTRL_MAX];
	struct rblk_frame control = { .type = RBLK_MSG_HELLO };
	u64 seq;

	control.length = some_hello(buf, 2, RBLK_ROLE_PRIMARY);
	add_frame(control, buf);
	for (seq = 21; seq < 45; seq++)
		add_frame(some_op(1 + seq % 3, seq, seq % 4 ? 0 : 20, 1), NULL);
	save_stream("operations");

	control.length = some_hello(buf, 1, RBLK_ROLE_BACKUP);
	add_frame(control, buf);
	control.type = RBLK_MSG_STATE;
	control.length = rblk_wire_put_state(buf, &state);
	add_frame(control, buf);
	control.type = RBLK_MSG_ACK;
	control.length = rblk_wire_put_ack(buf, &ack);
	add_frame(control, buf);
	control.type = RBLK_MSG_BYE;
	control.length = rblk_wire_put_bye(buf, "demoted");
	add_frame(control, buf);
	save_stream("promotion");

	control.type = RBLK_MSG_HELLO;
	control.length = some_hello(buf, 1, RBLK_ROLE_PRIMARY);
	add_frame(control, buf);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_RESYNC,
			.nr_sects = 8, .length = 4096 }, NULL);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_RESYNC,
			.nr_sects = 8, .flags = RBLK_FRAME_ZEROES }, NULL);
	memset(buf, 0, 32);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_DIGEST,
			.nr_sects = 8, .length = 32 }, buf);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_DIFF, .nr_sects = 8,
			.length = rblk_wire_put_diff(buf, 1) }, buf);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_RESYNC,
			.flags = RBLK_FRAME_FLUSH }, NULL);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_RESYNC,
			.flags = RBLK_FRAME_LAST }, NULL);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_RESYNC_ACK,
			.flags = RBLK_FRAME_LAST }, NULL);
	save_stream("resync");

	control.type = RBLK_MSG_HELLO;
	control.length = some_hello(buf, 1, RBLK_ROLE_PRIMARY);
	add_frame(control, buf);
	add_frame(some_op(RBLK_OP_WRITE, 21, 20, 8), NULL);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_READ, .seq = 1,
			.dep = 21, .nr_sects = 8 }, NULL);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_READ_REPLY, .seq = 1,
			.nr_sects = 8, .length = 4096 }, NULL);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_READ_REPLY, .seq = 2,
			.nr_sects = 8 }, NULL);
	save_stream("reads");

	control.type = RBLK_MSG_HELLO;
	control.length = some_hello(buf, 1, RBLK_ROLE_BACKUP);
	add_frame(control, buf);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_ACTIVE, .seq = 20,
			.length = rblk_wire_put_spans(buf, spans, 2) }, buf);
	add_frame((struct rblk_frame) { .type = RBLK_MSG_ACTIVE, .seq = 20,
			.flags = RBLK_FRAME_LAST }, NULL);
	save_stream("active");
}

/* For fuzz_ondisk: the kind, a shift and a place, and the block. */
static void save_block(uint8_t kind, const char *name, u64 place,
		       const uint8_t *block)
{
	uint8_t piece[10 + RBLK_ONDISK_BLOCK] = { kind };
	size_t size = RBLK_ONDISK_BLOCK;
	__le64 at = cpu_to_le64(place);
	char again[64];

	memcpy(piece + 2, &at, sizeof(at));
	memcpy(piece + 10, block, RBLK_ONDISK_BLOCK);
	while (size && !block[size - 1])
		size--;
	save("ondisk", name, piece, 10 + size);
	/* and again, to be changed and put right */
	piece[0] |= 0x80;
	snprintf(again, sizeof(again), "%s-fixed", name);
	save("ondisk", again, piece, 10 + size);
}

static void save_super(const char *name, u8 layout, u64 bytes)
{
	struct rblk_ondisk_super super = {
		.set = "0123456789abcdef", .member = "fedcba9876543210",
		.name = "r0", .node_id = 1, .created_s = 1700000000,
		.geo = {
			.layout = layout,
			.bit_shift = RBLK_ONDISK_BIT_SHIFT,
			.extent_shift = RBLK_ONDISK_EXTENT_SHIFT,
			.ring_blocks = RBLK_ONDISK_RING,
			.disk_bytes = bytes, .meta_bytes = bytes,
		},
		.record = {
			.serial = 7, .promised = 4,
			.data = RBLK_DATA_CONSISTENT, .clean = true,
			.lineage = { 2, 20, { { 1, 1 }, { 4, 11 } } },
		},
		.slot = { { 0, RBLK_SLOT_BITS }, { 2, RBLK_SLOT_FULL } },
	};
	uint8_t block[RBLK_ONDISK_BLOCK];

	MUST(!rblk_ondisk_lay_out(&super.geo));
	rblk_ondisk_put_super(block, &super, 0);
	save_block(0, name, super.geo.head_at, block);
}

static void save_blocks(void)
{
	static const u8 member[RBLK_UUID_SIZE] = "fedcba9876543210";
	static const u8 bits[RBLK_ONDISK_BODY] = { 0x81, 0, 7 };
	struct rblk_position position = { 3, 7, 20, { 4, 9 } };
	struct rblk_transaction tx = {
		.serial = 12, .nr_slots = 100, .context_first = 90,
		.nr_updates = 2, .nr_context = 10,
		.gen = 17, .base = { [1] = 4711, [15] = U64_MAX },
		.past = { { 1, 7 } },
		.update = { { 99, 999 }, { 3, RBLK_ONDISK_NO_EXTENT } },
		.context = { 5, 6, RBLK_ONDISK_NO_EXTENT },
	};
	uint8_t block[RBLK_ONDISK_BLOCK];

	save_super("super-start", RBLK_METADATA_START, 1ULL << 30);
	save_super("super-end", RBLK_METADATA_END, 1ULL << 30);
	save_super("super-apart", RBLK_METADATA_APART, 1ULL << 40);
	rblk_ondisk_put_position(block, 4096, member, &position);
	save_block(1, "position", 4096, block);
	rblk_ondisk_put_transaction(block, 131072, member, &tx);
	save_block(2, "transaction", 131072, block);
	rblk_ondisk_put_bits(block, 397312, member, RBLK_BITS_MAP, bits);
	save_block(3, "bits", 397312, block);
}

int main(int argc, char **argv)
{
	MUST(argc == 2);
	directory = argv[1];
	mkdir(directory, 0777);
	save_headers();
	save_payloads();
	save_streams();
	save_blocks();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Headers of frames: exact bytes, round trips, and everything that must be
 * refused. What they carry: test_messages.c.
 */
#include "cmocka_all.h"
#include "prng.h"
#include "wire.h"

#define BIG	(1ULL << 53)	/* sectors: where ranges and volumes end */
#define GIB2	(1U << 22)	/* 2 GiB in sectors */

/* One good frame of each kind. */
static const struct rblk_frame frames[] = {
	{ .type = RBLK_MSG_HELLO, .length = 56 },
	{ .type = RBLK_MSG_HELLO, .length = 4096, .data_crc = 7,
	  .flags = RBLK_FRAME_DATA_CRC },
	{ .type = RBLK_MSG_OP, .op = RBLK_OP_WRITE, .length = 4096, .gen = 3,
	  .seq = 9, .dep = 8, .sector = 16, .nr_sects = 8, .volume = 63 },
	{ .type = RBLK_MSG_OP, .op = RBLK_OP_WRITE, .length = 1 << 20, .gen = 3,
	  .seq = 9, .dep = 8, .sector = BIG - 2048, .nr_sects = 2048,
	  .data_crc = 1, .flags = RBLK_FRAME_DATA_CRC | RBLK_FRAME_FUA |
	  RBLK_FRAME_PREFLUSH | RBLK_FRAME_WANT_RECEIVED |
	  RBLK_FRAME_WANT_APPLIED },
	{ .type = RBLK_MSG_OP, .op = RBLK_OP_DISCARD, .gen = 3, .seq = 9,
	  .sector = 5, .nr_sects = GIB2, .flags = RBLK_FRAME_WANT_APPLIED },
	{ .type = RBLK_MSG_OP, .op = RBLK_OP_WRITE_ZEROES, .gen = 3, .seq = 9,
	  .nr_sects = 1, .flags = RBLK_FRAME_ZEROES_NOUNMAP |
	  RBLK_FRAME_WANT_RECEIVED },
	{ .type = RBLK_MSG_OP, .op = RBLK_OP_FLUSH, .gen = 3, .seq = 9,
	  .dep = 1, .volume = 2 },
	{ .type = RBLK_MSG_ACK, .length = 32 + 16 },
	{ .type = RBLK_MSG_STATE, .length = 24 },
	{ .type = RBLK_MSG_RESYNC, .length = 512, .sector = 77, .nr_sects = 1,
	  .volume = 1, .flags = RBLK_FRAME_LAST },
	{ .type = RBLK_MSG_RESYNC, .length = 1024, .nr_sects = 2,
	  .logged = RBLK_WIRE_LOGGED_MAX },
	{ .type = RBLK_MSG_RESYNC, .volume = 5, .flags = RBLK_FRAME_LAST },
	{ .type = RBLK_MSG_RESYNC_ACK, .sector = 4, .nr_sects = 2048 },
	{ .type = RBLK_MSG_RESYNC_ACK, .volume = 5, .flags = RBLK_FRAME_LAST },
	{ .type = RBLK_MSG_RESYNC, .volume = 6, .flags = RBLK_FRAME_FLUSH },
	{ .type = RBLK_MSG_RESYNC_ACK, .volume = 6, .flags = RBLK_FRAME_FLUSH },
	{ .type = RBLK_MSG_DIGEST, .length = 2048, .sector = 8, .nr_sects = 2048 },
	{ .type = RBLK_MSG_DIGEST, .length = 64, .nr_sects = 33, .volume = 9 },
	{ .type = RBLK_MSG_RESYNC, .nr_sects = 8, .flags = RBLK_FRAME_ZEROES },
	{ .type = RBLK_MSG_DIFF, .length = 8, .sector = 8, .nr_sects = 2048 },
	{ .type = RBLK_MSG_READ, .seq = 7, .dep = 20, .sector = 8,
	  .nr_sects = 2048, .volume = 3 },
	{ .type = RBLK_MSG_READ_REPLY, .seq = 7, .length = 4096, .sector = 8,
	  .nr_sects = 8, .volume = 3 },
	{ .type = RBLK_MSG_READ_REPLY, .seq = 7, .sector = 8, .nr_sects = 8 },
	{ .type = RBLK_MSG_ACTIVE, .length = 4080, .seq = 7, .volume = 3 },
	{ .type = RBLK_MSG_ACTIVE, .seq = 7, .flags = RBLK_FRAME_LAST },
	{ .type = RBLK_MSG_BYE, .length = 127 },
	{ .type = RBLK_MSG_BYE },
};

static enum rblk_wire_error reread(const struct rblk_frame *frame,
				   struct rblk_frame *got)
{
	struct rblk_msg_hdr hdr;

	rblk_wire_put_hdr(&hdr, frame);
	memset(got, 0xee, sizeof(*got));
	return rblk_wire_get_hdr(&hdr, got);
}

static void assert_same_frame(const struct rblk_frame *a,
			      const struct rblk_frame *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->op, b->op);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->data_crc, b->data_crc);
	assert_true(a->gen == b->gen);
	assert_true(a->seq == b->seq);
	assert_true(a->dep == b->dep);
	assert_true(a->sector == b->sector);
	assert_int_equal(a->nr_sects, b->nr_sects);
	assert_int_equal(a->volume, b->volume);
	assert_true(a->logged == b->logged);
}

static void test_checksum(void **state)
{
	(void)state;
	assert_int_equal(~crc32c(~0U, "123456789", 9), 0xe3069283);
}

/* The bytes themselves, so that encoder and decoder cannot err together. */
static void test_header_bytes(void **state)
{
	static const u8 bytes[64] = {
		0x72, 0x42, 0x4c, 0x4b, 2, 1, 0x05, 0x00,
		0x00, 0x10, 0x00, 0x00, 0xdd, 0xcc, 0xbb, 0xaa,
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
		0x09, 0, 0, 0, 0, 0, 0, 0x01,
		0x08, 0, 0, 0, 0, 0, 0, 0x01,
		0x10, 0x32, 0x54, 0x76, 0x98, 0, 0, 0,
		0x08, 0, 0, 0, 0x21, 0x11, 0, 0,
		0x55, 0x44, 0x33, 0x22,
	};
	struct rblk_frame frame = {
		.type = RBLK_MSG_OP, .op = RBLK_OP_WRITE,
		.flags = RBLK_FRAME_DATA_CRC | RBLK_FRAME_PREFLUSH,
		.length = 4096, .data_crc = 0xaabbccdd,
		.gen = 0x1122334455667788, .seq = 0x0100000000000009,
		.dep = 0x0100000000000008, .sector = 0x9876543210,
		.nr_sects = 8, .volume = 33, .logged = 0x1122334455,
	};
	struct rblk_frame got;
	struct rblk_msg_hdr hdr;
	u32 crc = ~crc32c(~0U, bytes, 60);

	(void)state;
	assert_int_equal(sizeof(hdr), 64);
	memset(&hdr, 0xee, sizeof(hdr));
	rblk_wire_put_hdr(&hdr, &frame);
	assert_memory_equal(&hdr, bytes, 60);
	assert_int_equal(((u8 *)&hdr)[60], crc & 0xff);
	assert_int_equal(((u8 *)&hdr)[63], crc >> 24);
	assert_int_equal(rblk_wire_get_hdr(&hdr, &got), RBLK_WIRE_OK);
	assert_same_frame(&frame, &got);
}

static void test_header_round_trip(void **state)
{
	struct rblk_frame got;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		if (reread(&frames[i], &got))
			fail_msg("frame %u is refused", i);
		assert_same_frame(&frames[i], &got);
	}
}

static void test_flipped_bits(void **state)
{
	struct rblk_frame got;
	u32 i, one, two;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		struct rblk_msg_hdr hdr;
		u8 *byte = (u8 *)&hdr;

		rblk_wire_put_hdr(&hdr, &frames[i]);
		for (one = 0; one < 512; one++) {
			byte[one / 8] ^= 1 << one % 8;
			assert_int_not_equal(rblk_wire_get_hdr(&hdr, &got),
					     RBLK_WIRE_OK);
			for (two = 0; i == 2 && two < one; two++) {
				byte[two / 8] ^= 1 << two % 8;
				assert_int_not_equal(rblk_wire_get_hdr(&hdr, &got),
						     RBLK_WIRE_OK);
				byte[two / 8] ^= 1 << two % 8;
			}
			byte[one / 8] ^= 1 << one % 8;
		}
		assert_int_equal(rblk_wire_get_hdr(&hdr, &got), RBLK_WIRE_OK);
	}
}

static void reseal(struct rblk_msg_hdr *hdr)
{
	hdr->hdr_crc = cpu_to_le32(~crc32c(~0U, hdr, 60));
}

/*
 * What is sent after a transaction of the activity log tells its number, and a flush
 * of a resync that of its record.
 */
static bool is_logged(const struct rblk_frame *frame)
{
	return frame->type == RBLK_MSG_OP || frame->type == RBLK_MSG_RESYNC ||
	       frame->type == RBLK_MSG_ACTIVE ||
	       (frame->type == RBLK_MSG_RESYNC_ACK &&
		frame->flags & RBLK_FRAME_FLUSH);
}

static void test_logged(void **state)
{
	struct rblk_frame got, frame;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		frame = frames[i];
		frame.logged = RBLK_WIRE_LOGGED_MAX;
		assert_int_equal(reread(&frame, &got), is_logged(&frame) ?
				 RBLK_WIRE_OK : RBLK_WIRE_BAD_RESERVED);
		/* Too large to be told. */
		frame.logged++;
		assert_int_equal(reread(&frame, &got), RBLK_WIRE_OK);
		assert_true(!got.logged);
	}
}

static void test_magic_and_reserved(void **state)
{
	struct rblk_frame got;
	u32 i, at;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		struct rblk_msg_hdr hdr;
		u8 *byte = (u8 *)&hdr;

		rblk_wire_put_hdr(&hdr, &frames[i]);
		for (at = 0; at < 4; at++) {
			byte[at]++;
			reseal(&hdr);
			assert_int_equal(rblk_wire_get_hdr(&hdr, &got),
					 RBLK_WIRE_BAD_MAGIC);
			byte[at]--;
		}
		for (at = 53; at < 60; at++) {
			if (is_logged(&frames[i]) && at != 54 && at != 55)
				continue;
			byte[at] = 0x80;
			reseal(&hdr);
			assert_int_equal(rblk_wire_get_hdr(&hdr, &got),
					 RBLK_WIRE_BAD_RESERVED);
			byte[at] = 0;
		}
		reseal(&hdr);
		assert_int_equal(rblk_wire_get_hdr(&hdr, &got), RBLK_WIRE_OK);
		hdr.hdr_crc ^= cpu_to_le32(1);
		assert_int_equal(rblk_wire_get_hdr(&hdr, &got),
				 RBLK_WIRE_BAD_HEADER_CRC);
	}
}

/* Expect @err after a change of a copy of the good frame that is meant. */
#define REFUSED(good, change, err) do {					\
		struct rblk_frame f = good, refused_got;		\
		change;							\
		assert_int_equal(reread(&f, &refused_got), err);	\
	} while (0)

static void test_type_and_op(void **state)
{
	u32 type, op, i;

	(void)state;
	for (type = 0; type < 256; type++) {
		if (type == 0 || type > RBLK_MSG_ACTIVE)
			REFUSED(frames[0], f.type = type, RBLK_WIRE_BAD_TYPE);
	}
	for (op = 0; op < 256; op++) {
		if (op == 0 || op > RBLK_OP_FLUSH)
			REFUSED(frames[2], f.op = op, RBLK_WIRE_BAD_OP);
	}
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		if (frames[i].type != RBLK_MSG_OP)
			REFUSED(frames[i], f.op = RBLK_OP_WRITE, RBLK_WIRE_BAD_OP);
	}
}

/* Every flag on every kind, against the documentation's table. */
static u16 flags_by_the_book(const struct rblk_frame *frame)
{
	u16 want = RBLK_FRAME_WANT_RECEIVED | RBLK_FRAME_WANT_APPLIED;
	u16 crc = frame->length ? RBLK_FRAME_DATA_CRC : 0;

	/* What makes up for data that is not there stands alone. */
	if (frame->flags & (RBLK_FRAME_FLUSH | RBLK_FRAME_ZEROES))
		return frame->flags;

	switch (frame->type) {
	case RBLK_MSG_OP:
		if (frame->op == RBLK_OP_WRITE)
			return want | crc | RBLK_FRAME_FUA | RBLK_FRAME_PREFLUSH;
		if (frame->op == RBLK_OP_WRITE_ZEROES)
			return want | RBLK_FRAME_ZEROES_NOUNMAP;
		return want;
	case RBLK_MSG_RESYNC:
	case RBLK_MSG_ACTIVE:
		return crc | RBLK_FRAME_LAST;
	case RBLK_MSG_RESYNC_ACK:
		return RBLK_FRAME_LAST;
	default:
		return crc;
	}
}

static void test_flags(void **state)
{
	struct rblk_frame got;
	u32 i, bit;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		for (bit = 0; bit < 16; bit++) {
			struct rblk_frame f = frames[i];
			bool allowed = flags_by_the_book(&f) >> bit & 1;
			u16 keep = f.flags & (RBLK_FRAME_LAST | RBLK_FRAME_FLUSH);

			if (f.nr_sects)
				keep = f.flags & RBLK_FRAME_ZEROES;
			f.flags = 1U << bit | keep;
			f.data_crc = 0;
			assert_int_equal(reread(&f, &got), allowed ?
					 RBLK_WIRE_OK : RBLK_WIRE_BAD_FLAGS);
		}
	}
}

static void test_crc_only_with_flag(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frames); i++)
		REFUSED(frames[i], (f.data_crc = 1,
				    f.flags &= ~RBLK_FRAME_DATA_CRC),
			RBLK_WIRE_BAD_RESERVED);
}

static void test_unused_fields(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		const struct rblk_frame *good = &frames[i];
		bool op = good->type == RBLK_MSG_OP;
		bool resync = good->type == RBLK_MSG_RESYNC ||
			      good->type == RBLK_MSG_RESYNC_ACK ||
			      good->type == RBLK_MSG_DIGEST ||
			      good->type == RBLK_MSG_DIFF ||
			      good->type == RBLK_MSG_READ ||
			      good->type == RBLK_MSG_READ_REPLY;
		bool active = good->type == RBLK_MSG_ACTIVE;

		if (!op)
			REFUSED(*good, f.gen = 1, RBLK_WIRE_BAD_RESERVED);
		if (!op && !active && good->type != RBLK_MSG_READ &&
		    good->type != RBLK_MSG_READ_REPLY)
			REFUSED(*good, f.seq = 1, RBLK_WIRE_BAD_RESERVED);
		if (!op && good->type != RBLK_MSG_READ)
			REFUSED(*good, f.dep = 1, RBLK_WIRE_BAD_RESERVED);
		if (!op && !resync && !active)
			REFUSED(*good, f.volume = 1, RBLK_WIRE_BAD_RESERVED);
		if ((op && good->op == RBLK_OP_FLUSH) || (!op && !resync)) {
			REFUSED(*good, f.sector = 1, RBLK_WIRE_BAD_RESERVED);
			REFUSED(*good, f.nr_sects = 1, RBLK_WIRE_BAD_RESERVED);
		}
		if (op || resync || active) {
			REFUSED(*good, f.volume = 64, RBLK_WIRE_BAD_VOLUME);
			REFUSED(*good, f.volume = 255, RBLK_WIRE_BAD_VOLUME);
		}
	}
}

/* A frame whose payload is its range, with both made to agree. */
static struct rblk_frame with_range(struct rblk_frame frame, u64 sector,
				    u32 nr_sects)
{
	if (frame.type == RBLK_MSG_DIGEST)
		frame.length = rblk_wire_nr_digests(nr_sects) * 32;
	else if (frame.length && frame.type != RBLK_MSG_DIFF)
		frame.length = nr_sects * 512;
	frame.sector = sector;
	frame.nr_sects = nr_sects;
	return frame;
}

static void test_ranges(void **state)
{
	struct rblk_frame got;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		const struct rblk_frame *good = &frames[i];
		bool clear = good->op == RBLK_OP_DISCARD ||
			     good->op == RBLK_OP_WRITE_ZEROES;
		u32 most = clear ? GIB2 : 2048;

		if (!good->nr_sects)
			continue;
#define RANGE(sector, nr_sects, err) do {				\
		struct rblk_frame f = with_range(*good, sector, nr_sects); \
		assert_int_equal(reread(&f, &got), err);		\
	} while (0)
		RANGE(0, most, RBLK_WIRE_OK);
		RANGE(BIG - most, most, RBLK_WIRE_OK);
		RANGE(BIG - 1, 1, RBLK_WIRE_OK);
		RANGE(0, most + 1, RBLK_WIRE_BAD_RANGE);
		RANGE(0, U32_MAX, RBLK_WIRE_BAD_RANGE);
		RANGE(BIG - most + 1, most, RBLK_WIRE_BAD_RANGE);
		RANGE(BIG, 1, RBLK_WIRE_BAD_RANGE);
		RANGE(U64_MAX, 1, RBLK_WIRE_BAD_RANGE);
		RANGE(U64_MAX - 7, 8, RBLK_WIRE_BAD_RANGE);
		RANGE(1ULL << 63, 8, RBLK_WIRE_BAD_RANGE);
		if (good->flags & RBLK_FRAME_ZEROES)
			continue; /* without a range that is a false flag */
		RANGE(7, 0, RBLK_WIRE_BAD_RANGE);
		if (!(good->flags & (RBLK_FRAME_LAST | RBLK_FRAME_FLUSH)))
			RANGE(0, 0, RBLK_WIRE_BAD_RANGE);
#undef RANGE
	}
}

static void test_length_is_the_range(void **state)
{
	static const u32 off[] = { 0, 1, 511, 512, 513, 4095, 4097, 4608,
				   1 << 20, (1 << 20) + 512, U32_MAX };
	u32 i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		bool data = frames[i].op == RBLK_OP_WRITE ||
			    frames[i].type == RBLK_MSG_RESYNC ||
			    frames[i].type == RBLK_MSG_DIGEST ||
			    frames[i].type == RBLK_MSG_DIFF;
		bool answer = frames[i].type == RBLK_MSG_READ_REPLY;

		if (frames[i].flags & RBLK_FRAME_ZEROES)
			continue; /* a length is a false flag then */
		bool none = frames[i].op > RBLK_OP_WRITE ||
			    frames[i].type == RBLK_MSG_RESYNC_ACK ||
			    frames[i].type == RBLK_MSG_READ;

		for (j = 0; (data || none || answer) && j < ARRAY_SIZE(off); j++) {
			if (off[j] != frames[i].length && !(answer && !off[j]))
				REFUSED(frames[i], f.length = off[j],
					RBLK_WIRE_BAD_LENGTH);
		}
	}
}

static void check_bounds(u8 type, u32 least, u32 most)
{
	struct rblk_frame f = { .type = type }, got;
	u32 length;

	for (length = 0; length < 5000; length++) {
		bool good = length >= least && length <= most;

		f.length = length;
		assert_int_equal(reread(&f, &got), good ? RBLK_WIRE_OK :
							  RBLK_WIRE_BAD_LENGTH);
	}
	f.length = U32_MAX;
	assert_int_equal(reread(&f, &got), RBLK_WIRE_BAD_LENGTH);
}

static void test_control_lengths(void **state)
{
	(void)state;
	check_bounds(RBLK_MSG_HELLO, 4, RBLK_WIRE_HELLO_MAX);
	check_bounds(RBLK_MSG_ACK, 32, RBLK_WIRE_ACK_MAX);
	check_bounds(RBLK_MSG_STATE, 24, 24 + 24 * RBLK_LINEAGE_MAX);
	check_bounds(RBLK_MSG_ACTIVE, 0, 16 * RBLK_WIRE_SPANS_MAX);
	check_bounds(RBLK_MSG_BYE, 0, RBLK_WIRE_TEXT_MAX - 1);
}

/* Random fields: what is accepted says the same when it is written again. */
static void test_random_headers(void **state)
{
	struct rblk_msg_hdr hdr, again;
	struct rblk_frame got;
	u32 round, accepted = 0, i;
	u64 rnd = 1;

	(void)state;
	for (round = 0; round < 200000; round++) {
		rblk_wire_put_hdr(&hdr, &frames[round % ARRAY_SIZE(frames)]);
		for (i = prng_below(&rnd, 4); i; i--) {
			u8 *byte = (u8 *)&hdr + prng_below(&rnd, 60);

			*byte = prng_below(&rnd, 2) ? prng_next(&rnd) :
				*byte ^ 1U << prng_below(&rnd, 8);
		}
		reseal(&hdr);
		if (rblk_wire_get_hdr(&hdr, &got))
			continue;
		accepted++;
		rblk_wire_put_hdr(&again, &got);
		assert_memory_equal(&hdr, &again, sizeof(hdr));
	}
	assert_in_range(accepted, 50000, 199000);
}

static void test_strerror(void **state)
{
	u32 i, j;

	(void)state;
	for (i = 0; i < __RBLK_WIRE_ERROR_END; i++) {
		const char *text = rblk_wire_strerror(i);

		assert_true(strlen(text) > 5);
		assert_true(strlen(text) < RBLK_WIRE_TEXT_MAX);
		for (j = 0; j < i; j++)
			assert_string_not_equal(text, rblk_wire_strerror(j));
	}
	assert_string_equal(rblk_wire_strerror(i), "unknown error");
	assert_string_equal(rblk_wire_strerror(-1), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_header_bytes),
		cmocka_unit_test(test_header_round_trip),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_magic_and_reserved),
		cmocka_unit_test(test_logged),
		cmocka_unit_test(test_type_and_op),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_crc_only_with_flag),
		cmocka_unit_test(test_unused_fields),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_length_is_the_range),
		cmocka_unit_test(test_control_lengths),
		cmocka_unit_test(test_random_headers),
		cmocka_unit_test(test_strerror),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}

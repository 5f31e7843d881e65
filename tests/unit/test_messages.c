// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What frames carry: exact bytes, round trips, and everything that must be
 * refused. Their headers: test_wire.c.
 */
#include "cmocka_all.h"
#include "prng.h"
#include "wire.h"

#define BIG	(1ULL << 53)	/* sectors: where volumes end */

/* Decoders get exactly the bytes there are, so that ASan sees a step beyond. */
static void *exactly(const void *buf, u32 length)
{
	void *copy = malloc(length ? length : 1);

	memcpy(copy, buf, length);
	return copy;
}

static void fill_lineage(struct rblk_lineage *lineage, u32 nr_terms)
{
	u32 i;

	lineage->nr_terms = nr_terms;
	lineage->seq = nr_terms ? nr_terms * 1000 : 0;
	for (i = 0; i < nr_terms; i++) {
		lineage->term[i].gen = (i + 1) * 3;
		lineage->term[i].first_seq = i * 1000 + 1;
	}
}

static void fill_hello(struct rblk_hello *hello, u32 nr_terms, u32 nr_volumes)
{
	u32 i;

	memset(hello, 0, sizeof(*hello));
	hello->version_min = 1;
	hello->version_max = 3;
	hello->features = 0x8000000000000001;
	for (i = 0; i < RBLK_UUID_SIZE; i++)
		hello->uuid[i] = 0xf0 + i;
	hello->from = 15;
	hello->to = 2;
	hello->self.role = RBLK_ROLE_PRIMARY;
	hello->self.data = RBLK_DATA_CONSISTENT;
	hello->self.promised = 99;
	fill_lineage(&hello->self.lineage, nr_terms);
	hello->nr_volumes = nr_volumes;
	for (i = 0; i < nr_volumes; i++) {
		hello->volume[i].id = 64 - nr_volumes + i;
		hello->volume[i].logical_shift = 9 + i % 4;
		hello->volume[i].physical_shift = 12 + i % 5;
		hello->volume[i].size_sects = i ? BIG : 1;
		hello->volume[i].logged = i ? 0 : 0x1122334455;
		hello->volume[i].stored = i ? i : 0x66778899;
	}
}

static void test_hello_bytes(void **state)
{
	static const u8 bytes[] = {
		1, 0, 3, 0, 15, 2, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0x80,
		0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
		0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff,
		/* role, data, terms, flags, reserved, promised, seq */
		1, 1, 2, 0, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0,
		0xd0, 0x07, 0, 0, 0, 0, 0, 0,
		3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
		6, 0, 0, 0, 0, 0, 0, 0, 0xe9, 0x03, 0, 0, 0, 0, 0, 0,
		/* id, logical, physical, logged, size, stored */
		63, 9, 12, 0x11, 0x55, 0x44, 0x33, 0x22, 1, 0, 0, 0, 0, 0, 0, 0,
		0x99, 0x88, 0x77, 0x66, 0, 0, 0, 0,
	};
	struct rblk_hello *hello = malloc(sizeof(*hello));
	u8 buf[RBLK_WIRE_HELLO_MAX];

	(void)state;
	fill_hello(hello, 2, 1);
	memset(buf, 0xee, sizeof(buf));
	assert_int_equal(rblk_wire_put_hello(buf, hello), sizeof(bytes));
	assert_memory_equal(buf, bytes, sizeof(bytes));
	free(hello);
}

static enum rblk_wire_error read_hello(const void *buf, u32 length,
				       struct rblk_hello *hello)
{
	void *copy = exactly(buf, length);
	enum rblk_wire_error err = rblk_wire_get_hello(copy, length, hello);

	free(copy);
	return err;
}

/* Where one time is known, there is one for each term, behind them. */
static void test_times(void **state)
{
	struct rblk_hello *hello = malloc(sizeof(*hello));
	struct rblk_hello *got = malloc(sizeof(*got));
	u8 buf[RBLK_WIRE_HELLO_MAX];
	u32 used, length;

	(void)state;
	fill_hello(hello, 3, 2);
	hello->self.lineage.term[1].since_s = 0x1122334455;
	memset(buf, 0xee, sizeof(buf));
	used = rblk_wire_put_hello(buf, hello);
	assert_int_equal(used, 56 + 16 * 3 + 24 * 2 + 8 * 3);
	assert_int_equal(buf[32 + 3], 16);
	assert_int_equal(buf[32 + 24 + 3 * 16], 0);
	assert_int_equal(buf[32 + 24 + 3 * 16 + 8], 0x55);
	for (length = 0; length <= used + 40; length++)
		assert_int_equal(read_hello(buf, length, got),
				 length == used ? RBLK_WIRE_OK :
				 RBLK_WIRE_BAD_LENGTH);
	assert_int_equal(read_hello(buf, used, got), RBLK_WIRE_OK);
	assert_memory_equal(got, hello, sizeof(*got));
	free(hello);
	free(got);
}

/* All numbers of terms and volumes; every length but the right one fails. */
static void test_hello_round_trip(void **state)
{
	struct rblk_hello *hello = malloc(sizeof(*hello));
	struct rblk_hello *got = malloc(sizeof(*got));
	u8 buf[RBLK_WIRE_HELLO_MAX];
	u32 terms, volumes, length, used;

	(void)state;
	for (terms = 0; terms <= RBLK_LINEAGE_MAX; terms += 8) {
		for (volumes = 0; volumes <= RBLK_MAX_VOLUMES; volumes += 16) {
			fill_hello(hello, terms, volumes);
			memset(buf, 0, sizeof(buf));
			used = rblk_wire_put_hello(buf, hello);
			assert_int_equal(used, 56 + 16 * terms + 24 * volumes);
			for (length = 0; length <= used + 40; length++) {
				memset(got, 0xee, sizeof(*got));
				assert_int_equal(read_hello(buf, length, got),
						 length == used ? RBLK_WIRE_OK :
						 RBLK_WIRE_BAD_LENGTH);
				if (length == used)
					assert_memory_equal(got, hello,
							    sizeof(*got));
			}
		}
	}
	free(hello);
	free(got);
}

/* Expect a refusal after a change of struct rblk_hello *h. */
#define HELLO_REFUSED(change, err) do {				\
		fill_hello(h, 3, 3);				\
		change;						\
		used = rblk_wire_put_hello(buf, h);		\
		assert_int_equal(read_hello(buf, used, got), err); \
	} while (0)

static void test_hello_fields(void **state)
{
	struct rblk_hello *h = malloc(sizeof(*h));
	struct rblk_hello *got = malloc(sizeof(*got));
	u8 buf[RBLK_WIRE_HELLO_MAX];
	u32 used;

	(void)state;
	HELLO_REFUSED(h->version_min = 4, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->from = 16, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->to = 16, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->to = 15, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->self.role = 2, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->self.data = 4, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->self.lineage.seq = 2, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->self.lineage.seq = U64_MAX, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->self.lineage.term[1].gen = 3, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->self.lineage.term[2].first_seq = 7,
		      RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->volume[0].id = 62, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->volume[0].id = 63, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->volume[2].id = 64, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->volume[1].logical_shift = 8, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->volume[1].logical_shift = 14, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->volume[1].physical_shift = 9, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->volume[1].physical_shift = 17, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->volume[1].size_sects = 0, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->volume[1].size_sects = BIG + 1, RBLK_WIRE_BAD_PAYLOAD);
	HELLO_REFUSED(h->features = U64_MAX, RBLK_WIRE_OK);
	free(h);
	free(got);
}

/* What an encoder cannot write: counts out of bounds, reserved bytes. */
static void test_hello_raw_fields(void **state)
{
	static const u8 reserved[] = { 7, 35, 36, 37, 38, 39 };
	struct rblk_hello *h = malloc(sizeof(*h));
	struct rblk_hello *got = malloc(sizeof(*got));
	u8 buf[RBLK_WIRE_HELLO_MAX] = { 0 };
	u32 used, i;

	(void)state;
	fill_hello(h, 3, 3);
	used = rblk_wire_put_hello(buf, h);
	for (i = 0; i < ARRAY_SIZE(reserved); i++) {
		buf[reserved[i]] = 1;
		assert_int_equal(read_hello(buf, used, got),
				 RBLK_WIRE_BAD_PAYLOAD);
		buf[reserved[i]] = 0;
	}
	assert_int_equal(read_hello(buf, used, got), RBLK_WIRE_OK);

	buf[6] = 65;
	assert_int_equal(read_hello(buf, sizeof(buf), got),
			 RBLK_WIRE_BAD_PAYLOAD);
	buf[6] = 3;
	for (i = RBLK_LINEAGE_MAX + 1; i < 256; i++) {
		buf[34] = i;
		assert_int_equal(read_hello(buf, sizeof(buf), got),
				 RBLK_WIRE_BAD_PAYLOAD);
	}
	free(h);
	free(got);
}

/* A newer node is refused by its version, whatever else it sends. */
static void test_hello_of_another_version(void **state)
{
	struct rblk_hello *got = malloc(sizeof(*got));
	u8 buf[RBLK_WIRE_HELLO_MAX];
	u32 length;

	(void)state;
	memset(buf, 0xff, sizeof(buf));
	buf[0] = 2;
	buf[1] = 0;
	for (length = 0; length <= sizeof(buf); length += 1 + length / 8) {
		assert_int_equal(read_hello(buf, length, got), length < 4 ?
				 RBLK_WIRE_BAD_LENGTH : RBLK_WIRE_BAD_VERSION);
		if (length >= 4) {
			assert_int_equal(got->version_min, 2);
			assert_int_equal(got->version_max, 0xffff);
		}
	}
	free(got);
}

static void test_pick_version(void **state)
{
	u32 low, high;

	(void)state;
	for (low = 0; low < 5; low++) {
		for (high = 0; high < 5; high++)
			assert_int_equal(rblk_wire_pick_version(low, high),
					 low <= 1 && high >= 1 && low <= high ?
					 1 : -EPROTONOSUPPORT);
	}
	assert_int_equal(rblk_wire_pick_version(0, U16_MAX), 1);
}

static enum rblk_wire_error read_ack(const void *buf, u32 length,
				     struct rblk_ack *ack)
{
	void *copy = exactly(buf, length);
	enum rblk_wire_error err = rblk_wire_get_ack(copy, length, ack);

	free(copy);
	return err;
}

static void test_ack_bytes(void **state)
{
	static const u8 bytes[] = {
		0x20, 1, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0, 0, 0, 0, 0,
		0x0f, 1, 0, 0, 0, 0, 0, 0, 0x0e, 1, 0, 0, 0, 0, 0, 0,
		0x12, 1, 0, 0, 0, 0, 0, 0, 0x13, 1, 0, 0, 0, 0, 0, 0,
	};
	struct rblk_ack ack = { 0x120, 0x110, 0x10f, 0x10e, 1,
				{ { 0x112, 0x113 } } };
	u8 buf[RBLK_WIRE_ACK_MAX];

	(void)state;
	assert_int_equal(rblk_wire_put_ack(buf, &ack), sizeof(bytes));
	assert_memory_equal(buf, bytes, sizeof(bytes));
}

static void test_ack_round_trip(void **state)
{
	struct rblk_ack ack = { .received = 1000, .applied = 100, .durable = 9,
				.recorded = 8 };
	struct rblk_ack got;
	u8 buf[RBLK_WIRE_ACK_MAX + 64] = { 0 };
	u32 length, used, i;

	(void)state;
	for (i = 0; i < RBLK_WIRE_RANGES_MAX; i++) {
		ack.range[i].first = 102 + i * 2;
		ack.range[i].last = 102 + i * 2 + (i == 31 ? 836 : 0);
	}
	for (i = 0; i <= RBLK_WIRE_RANGES_MAX; i++) {
		ack.nr_ranges = i;
		used = rblk_wire_put_ack(buf, &ack);
		assert_int_equal(used, 32 + 16 * i);
		memset(&got, 0, sizeof(got));
		assert_int_equal(read_ack(buf, used, &got), RBLK_WIRE_OK);
		assert_int_equal(got.nr_ranges, i);
		assert_memory_equal(&got, &ack, offsetof(struct rblk_ack, range) +
				    i * sizeof(ack.range[0]));
	}
	for (length = 0; length <= sizeof(buf); length++) {
		if (length % 16 || length < 32 || length > 32 + 16 * 32)
			assert_int_equal(read_ack(buf, length, &got),
					 RBLK_WIRE_BAD_LENGTH);
	}
}

#define ACK_READS(expected, received, applied, durable, ...) do {	\
		struct rblk_seq_range r[] = { __VA_ARGS__ };		\
		struct rblk_ack a = { received, applied, durable, 0,	\
				      ARRAY_SIZE(r), { { 0, 0 } } };	\
		memcpy(a.range, r, sizeof(r));				\
		used = rblk_wire_put_ack(buf, &a);			\
		assert_int_equal(read_ack(buf, used, &got), expected);	\
	} while (0)

static void test_ack_fields(void **state)
{
	struct rblk_ack ahead = { .received = 20, .applied = 21 };
	struct rblk_ack recorded = { 20, 20, 10, 10, 0, { { 0, 0 } } };
	u8 buf[RBLK_WIRE_ACK_MAX];
	struct rblk_ack got;
	u32 used;

	(void)state;
	used = rblk_wire_put_ack(buf, &ahead);
	assert_int_equal(read_ack(buf, used, &got), RBLK_WIRE_BAD_PAYLOAD);
	used = rblk_wire_put_ack(buf, &recorded);
	assert_int_equal(read_ack(buf, used, &got), RBLK_WIRE_OK);
	recorded.recorded++;
	used = rblk_wire_put_ack(buf, &recorded);
	assert_int_equal(read_ack(buf, used, &got), RBLK_WIRE_BAD_PAYLOAD);
	ACK_READS(RBLK_WIRE_OK, 20, 10, 5, { 12, 13 }, { 15, 20 });
	ACK_READS(RBLK_WIRE_OK, 20, 10, 10, { 12, 13 }, { 14, 14 });
	ACK_READS(RBLK_WIRE_OK, 20, 10, 0, { 12, 12 });
	ACK_READS(RBLK_WIRE_BAD_PAYLOAD, 20, 21, 5, { 22, 23 });
	ACK_READS(RBLK_WIRE_BAD_PAYLOAD, 20, 10, 11, { 12, 13 });
	ACK_READS(RBLK_WIRE_BAD_PAYLOAD, 20, 10, 5, { 10, 13 });
	ACK_READS(RBLK_WIRE_BAD_PAYLOAD, 20, 10, 5, { 0, 13 });
	ACK_READS(RBLK_WIRE_BAD_PAYLOAD, 20, 10, 5, { 13, 12 });
	ACK_READS(RBLK_WIRE_BAD_PAYLOAD, 20, 10, 5, { 12, 21 });
	ACK_READS(RBLK_WIRE_BAD_PAYLOAD, 20, 10, 5, { 12, U64_MAX });
	ACK_READS(RBLK_WIRE_BAD_PAYLOAD, 20, 10, 5, { 15, 16 }, { 12, 13 });
	ACK_READS(RBLK_WIRE_BAD_PAYLOAD, 20, 10, 5, { 12, 15 }, { 15, 16 });
	ACK_READS(RBLK_WIRE_BAD_PAYLOAD, 20, 10, 5, { 12, 13 }, { 12, 13 });
}

static enum rblk_wire_error read_state(const void *buf, u32 length,
				       struct rblk_state *got)
{
	void *copy = exactly(buf, length);
	enum rblk_wire_error err = rblk_wire_get_state(copy, length, got);

	free(copy);
	return err;
}

static void test_state_round_trip(void **state)
{
	struct rblk_state st, got;
	u8 buf[RBLK_WIRE_STATE_MAX];
	u32 terms, length, used;

	(void)state;
	for (terms = 0; terms <= RBLK_LINEAGE_MAX; terms++) {
		memset(&st, 0, sizeof(st));
		st.self.data = terms % 4;
		st.self.promised = U64_MAX;
		st.assume_clean = terms % 3 == 1 && terms % 7 != 6;
		st.resync = terms % 3 == 2 && terms % 7 != 6;
		st.catchup = terms % 7 == 6;
		st.self.no_disk = terms % 5 == 4;
		fill_lineage(&st.self.lineage, terms);
		memset(buf, 0, sizeof(buf));
		used = rblk_wire_put_state(buf, &st);
		assert_int_equal(used, 24 + 16 * terms);
		assert_int_equal(buf[3], (st.catchup ? 4 : terms % 3) +
					 (st.self.no_disk ? 8 : 0));
		for (length = 0; length < used + 40; length++) {
			memset(&got, 0, sizeof(got));
			assert_int_equal(read_state(buf, length, &got),
					 length == used ? RBLK_WIRE_OK :
							  RBLK_WIRE_BAD_LENGTH);
			if (length == used)
				assert_memory_equal(&got, &st, sizeof(got));
		}
	}
}

static void test_state_fields(void **state)
{
	/* Clean, to be resynced, to catch up: one of them at most. */
	static const u8 bad[][2] = { { 0, 2 }, { 1, 4 }, { 3, 3 }, { 3, 5 },
				     { 3, 6 }, { 3, 7 }, { 3, 16 }, { 3, 15 }, { 3, 0x80 }, { 4, 1 }, { 7, 1 }, { 16, 1 }, { 23, 0xff } };
	struct rblk_state st = { .assume_clean = true }, got;
	u8 buf[RBLK_WIRE_STATE_MAX];
	u32 used = rblk_wire_put_state(buf, &st);
	u32 i;

	(void)state;
	assert_int_equal(read_state(buf, used, &got), RBLK_WIRE_OK);
	assert_true(got.assume_clean);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		u8 good = buf[bad[i][0]];

		buf[bad[i][0]] = bad[i][1];
		assert_int_equal(read_state(buf, used, &got),
				 RBLK_WIRE_BAD_PAYLOAD);
		buf[bad[i][0]] = good;
	}
}

static void test_diff(void **state)
{
	u64 differ;
	u8 buf[8];

	(void)state;
	assert_int_equal(rblk_wire_put_diff(buf, 0x8000000000000001ULL), 8);
	assert_int_equal(rblk_wire_get_diff(buf, 8, 2048, &differ),
			 RBLK_WIRE_OK);
	assert_true(differ == 0x8000000000000001ULL);
	assert_int_equal(rblk_wire_get_diff(buf, 7, 2048, &differ),
			 RBLK_WIRE_BAD_LENGTH);
	assert_int_equal(rblk_wire_get_diff(buf, 8, 2016, &differ),
			 RBLK_WIRE_BAD_PAYLOAD);
	rblk_wire_put_diff(buf, 3);
	assert_int_equal(rblk_wire_get_diff(buf, 8, 33, &differ), RBLK_WIRE_OK);
	assert_int_equal(rblk_wire_get_diff(buf, 8, 32, &differ),
			 RBLK_WIRE_BAD_PAYLOAD);
}

static void test_spans(void **state)
{
	static const u8 bytes[] = {
		0x55, 0x44, 0x33, 0x22, 0x11, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0xe0, 0xff, 0xff, 0xff, 0x1f, 0, 0, 0, 0x20, 0, 0, 0, 0, 0,
	};
	struct rblk_span span[2] = { { 0x1122334455, 9 }, { BIG - (1 << 21), 1 << 21 } }, got;
	u8 buf[sizeof(bytes)];

	(void)state;
	assert_int_equal(rblk_wire_put_spans(buf, span, 2), sizeof(bytes));
	assert_memory_equal(buf, bytes, sizeof(bytes));
	assert_int_equal(rblk_wire_get_span(buf, 32, 1, &got), RBLK_WIRE_OK);
	assert_true(got.sector == BIG - (1 << 21) && got.nr_sects == 1 << 21);
	assert_int_equal(rblk_wire_get_span(buf, 32, 2, &got),
			 RBLK_WIRE_BAD_LENGTH);
	assert_int_equal(rblk_wire_get_span(buf, 31, 0, &got),
			 RBLK_WIRE_BAD_LENGTH);
	buf[16]++;
	assert_int_equal(rblk_wire_get_span(buf, 32, 1, &got),
			 RBLK_WIRE_BAD_PAYLOAD);
	memset(buf + 8, 0, 8);
	assert_int_equal(rblk_wire_get_span(buf, 32, 0, &got),
			 RBLK_WIRE_BAD_PAYLOAD);
}

static void test_bye(void **state)
{
	char text[RBLK_WIRE_TEXT_MAX], buf[RBLK_WIRE_TEXT_MAX], *copy;
	char longest[300];
	int c;

	(void)state;
	assert_int_equal(rblk_wire_put_bye(buf, ""), 0);
	copy = exactly(buf, 0);
	assert_int_equal(rblk_wire_get_bye(copy, 0, text), RBLK_WIRE_OK);
	assert_string_equal(text, "");
	free(copy);

	assert_int_equal(rblk_wire_put_bye(buf, "too\nmuch \xc3\xa9"), 11);
	assert_memory_equal(buf, "too?much ??", 11);
	copy = exactly(buf, 11);
	assert_int_equal(rblk_wire_get_bye(copy, 11, text), RBLK_WIRE_OK);
	assert_string_equal(text, "too?much ??");
	free(copy);

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(rblk_wire_put_bye(buf, longest), 127);
	assert_int_equal(rblk_wire_get_bye(longest, 127, text), RBLK_WIRE_OK);
	assert_int_equal(strlen(text), 127);
	assert_int_equal(rblk_wire_get_bye(longest, 128, text),
			 RBLK_WIRE_BAD_LENGTH);
	assert_string_equal(text, "");

	for (c = 0; c < 256; c++) {
		buf[0] = 'a';
		buf[1] = c;
		assert_int_equal(rblk_wire_get_bye(buf, 2, text),
				 c >= 32 && c < 127 ? RBLK_WIRE_OK :
						      RBLK_WIRE_BAD_PAYLOAD);
		assert_int_equal(strlen(text), c >= 32 && c < 127 ? 2 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello_bytes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_hello_round_trip),
		cmocka_unit_test(test_hello_fields),
		cmocka_unit_test(test_hello_raw_fields),
		cmocka_unit_test(test_hello_of_another_version),
		cmocka_unit_test(test_pick_version),
		cmocka_unit_test(test_ack_bytes),
		cmocka_unit_test(test_ack_round_trip),
		cmocka_unit_test(test_ack_fields),
		cmocka_unit_test(test_state_round_trip),
		cmocka_unit_test(test_state_fields),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_bye),
	};

	return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}

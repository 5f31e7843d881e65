// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_beat.c - the datagrams between daemons, as bytes
 */
#include "test.h"

#include "beat.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTER	0x1122334455667788ULL
#define MAC	RBLK_BEAT_MAC_BYTES

static const struct rblk_session_header header = {
	.from = 2, .to = 5, .from_token = 0x0102030405060708ULL,
	.to_token = 0x1112131415161718ULL, .counter = 77,
};

/* In a block of exactly its size, so that the sanitizer sees what is read beyond. */
static uint8_t *exact(const uint8_t *bytes, size_t nr)
{
	uint8_t *copy = malloc(nr ? nr : 1);

	memcpy(copy, bytes, nr);
	return copy;
}

static struct rblk_beat_body lease(uint8_t type, uint8_t resource, uint64_t sent)
{
	struct rblk_beat_body b = { .type = RBLK_BEAT_ARBITER };

	b.uuid[3] = resource;
	b.arbiter.type = type;
	b.arbiter.from = header.from;
	b.arbiter.to = header.to;
	b.arbiter.other = 0x900 + resource;
	b.arbiter.sent = sent;
	b.arbiter.lease = 5000;
	return b;
}

#define HELD	9	/* the last one */

static struct rblk_beat_body something(int i)
{
	struct rblk_beat_body b = { .type = RBLK_BEAT_BEAT };

	if (i == 0) {
		b.beat = (struct rblk_detector_beat){ 1, 0x8001, 100, 3, 1ULL << 40,
						      2, 1ULL << 41, 77 };
		return b;
	}
	memcpy(b.uuid, "0123456789abcdef", 16);
	if (i == 1) {
		b.type = RBLK_BEAT_RESOURCE;
		b.told = (struct rblk_policy_told){ RBLK_POLICY_LEADS, 2, 9, 0x802,
						    1ULL << 33, 1ULL << 50 };
	} else if (i == 2) {
		b.type = RBLK_BEAT_ARBITER;
		b.arbiter = (struct rblk_arbiter_msg){
			.type = RBLK_ARBITER_PROMISE, .from = 2, .to = 5,
			.ballot = 0x1205, .other = 0x1102,
			.record = { 9, 7, 0x902, RBLK_ARBITER_NOBODY, true, 6, 8, 10, 14 },
		};
	} else if (i == 3) {
		b.type = RBLK_BEAT_HANDOVER;
		b.handover.what = RBLK_POLICY_HANDOVER_REFUSED;
		b.handover.reason = RBLK_POLICY_IN_USE;
	} else if (i == HELD) {
		memset(b.uuid, 0, sizeof(b.uuid));
		b.type = RBLK_BEAT_HELD;
		b.held = 0x123456789abcdef0;
	} else if (i == 4) {
		return lease(RBLK_ARBITER_LEASE, 1, 4711);
	} else if (i == 5) {
		return lease(RBLK_ARBITER_LEASE, 2, 4711);
	} else if (i == 6) {
		return lease(RBLK_ARBITER_GRANT, 3, 4711);
	} else if (i == 7) {
		return lease(RBLK_ARBITER_GRANT, 3, 4712);
	} else {
		b.type = RBLK_BEAT_ARBITER;
		b.arbiter = (struct rblk_arbiter_msg){
			.type = RBLK_ARBITER_ACCEPT, .from = 2, .to = 5,
			.ballot = 0x1205,
			.record = { 9, 7, 0x902, 1, false, 6, 8, 10, 14, 3, 2 },
		};
	}
	return b;
}

#define ALL	(HELD + 1)

static size_t write_all(struct rblk_beat_writer *w)
{
	int i;

	rblk_beat_begin(w, CLUSTER, &header);
	for (i = 0; i < ALL; i++) {
		struct rblk_beat_body b = something(i);

		assert_true(rblk_beat_add(w, &b));
	}
	return rblk_beat_end(w) + MAC;
}

/* A voter that does not know what acks are skips it: it is a body of another type. */
static void acks_are_another_type(void **state)
{
	struct rblk_beat_body plain = something(2), acks = something(8);
	struct rblk_beat_writer w;

	(void)state;
	rblk_beat_begin(&w, CLUSTER, &header);
	assert_true(rblk_beat_add(&w, &plain));
	assert_true(rblk_beat_add(&w, &acks));
	assert_memory_equal(w.bytes + 48, "\3\0\104\0", 4);
	assert_memory_equal(w.bytes + 48 + 4 + 68, "\7\0\110\0", 4);
	assert_memory_equal(w.bytes + 48 + 4 + 68 + 4 + 68, "\3\2\0\0", 4);
}

static enum rblk_beat_error read(const uint8_t *bytes, size_t nr)
{
	uint8_t *copy = exact(bytes, nr);
	struct rblk_beat_reader r;
	enum rblk_beat_error err = rblk_beat_open(&r, copy, nr, CLUSTER);

	if (err == RBLK_BEAT_OK)
		err = rblk_beat_check(&r);
	free(copy);
	return err;
}

static void comes_back(void **state)
{
	struct rblk_beat_writer w;
	struct rblk_beat_reader r;
	struct rblk_beat_body b, want;
	size_t nr = write_all(&w);
	int i;

	(void)state;
	assert_int_equal(rblk_beat_open(&r, w.bytes, nr, CLUSTER), RBLK_BEAT_OK);
	assert_int_equal(r.h.from, 2);
	assert_int_equal(r.h.to, 5);
	assert_int_equal(r.h.from_token, header.from_token);
	assert_int_equal(r.h.to_token, header.to_token);
	assert_int_equal(r.h.counter, 77);
	assert_int_equal(rblk_beat_check(&r), RBLK_BEAT_OK);
	for (i = 0; i < ALL; i++) {
		assert_true(rblk_beat_next(&r, &b));
		want = something(i);
		assert_int_equal(b.type, want.type);
		assert_memory_equal(b.uuid, want.uuid, 16);
		if (b.type == RBLK_BEAT_BEAT) {
			assert_int_equal(b.beat.path, 1);
			assert_int_equal(b.beat.silent, 0x8001);
			assert_int_equal(b.beat.interval_ms, 100);
			assert_int_equal(b.beat.seq, 3);
			assert_int_equal(b.beat.sent_us, 1ULL << 40);
			assert_int_equal(b.beat.echo, 2);
			assert_int_equal(b.beat.echo_us, 1ULL << 41);
			assert_int_equal(b.beat.held_us, 77);
		} else if (b.type == RBLK_BEAT_RESOURCE) {
			assert_int_equal(b.told.flags, RBLK_POLICY_LEADS);
			assert_int_equal(b.told.primary, 2);
			assert_int_equal(b.told.version, 9);
			assert_int_equal(b.told.term, 0x802);
			assert_int_equal(b.told.data_gen, 1ULL << 33);
			assert_int_equal(b.told.data_seq, 1ULL << 50);
		} else if (b.type == RBLK_BEAT_HANDOVER) {
			assert_int_equal(b.handover.what, want.handover.what);
			assert_int_equal(b.handover.reason, want.handover.reason);
		} else if (b.type == RBLK_BEAT_HELD) {
			assert_int_equal(b.held, want.held);
		} else {
			assert_memory_equal(&b.arbiter, &want.arbiter,
					    sizeof(b.arbiter));
		}
	}
	assert_false(rblk_beat_next(&r, &b));
}

static void leases_share_their_head(void **state)
{
	struct rblk_beat_writer w;
	struct rblk_beat_body b;
	struct rblk_beat_reader r;
	unsigned int n = 0, seen = 0;

	(void)state;
	rblk_beat_begin(&w, CLUSTER, &header);
	for (;; n++) {
		b = lease(RBLK_ARBITER_LEASE, n, 99);
		if (!rblk_beat_add(&w, &b))
			break;
	}
	assert_true(n > 50);
	assert_int_equal(w.nr, 48 + 4 + 16 + n * 24);
	assert_int_equal(rblk_beat_open(&r, w.bytes, rblk_beat_end(&w) + MAC, CLUSTER),
			 RBLK_BEAT_OK);
	assert_int_equal(rblk_beat_check(&r), RBLK_BEAT_OK);
	while (rblk_beat_next(&r, &b)) {
		assert_int_equal(b.uuid[3], seen);
		assert_int_equal(b.arbiter.other, 0x900 + seen);
		seen++;
	}
	assert_int_equal(seen, n);
}

/* What does not fit changes nothing: neither alone nor as the first of a batch. */
static void full(void **state)
{
	struct rblk_beat_writer w;
	struct rblk_beat_body b;
	size_t nr;
	int i;

	(void)state;
	rblk_beat_begin(&w, CLUSTER, &header);
	b = something(1);
	while (rblk_beat_add(&w, &b))
		;
	for (i = 0; i < ALL; i++) {
		nr = w.nr;
		b = something(i);
		if (!rblk_beat_add(&w, &b))
			assert_int_equal(w.nr, nr);
	}
	nr = rblk_beat_end(&w) + MAC;
	assert_true(nr <= RBLK_BEAT_MAX_BYTES);
	assert_int_equal(read(w.bytes, nr), RBLK_BEAT_OK);
}

static void each_length(void **state)
{
	struct rblk_beat_writer w;
	size_t nr = write_all(&w), n;

	(void)state;
	for (n = 0; n < nr; n++)
		assert_int_equal(read(w.bytes, n), RBLK_BEAT_SIZE);
	assert_int_equal(read(w.bytes, nr), RBLK_BEAT_OK);
	assert_int_equal(read(w.bytes, nr + 1), RBLK_BEAT_SIZE);
	/* cut anywhere, with a length that says so */
	for (n = 48; n < nr - MAC; n++) {
		w.bytes[12] = n;
		w.bytes[13] = n >> 8;
		assert_int_not_equal(read(w.bytes, n + MAC), RBLK_BEAT_SIZE);
	}
}

static void not_ours(void **state)
{
	static const struct {
		int at;
		uint8_t value;
		enum rblk_beat_error err;
	} change[] = {
		{ 0, 0, RBLK_BEAT_MAGIC },
		{ 8, 2, RBLK_BEAT_VERSION },
		{ 9, 16, RBLK_BEAT_NODE },
		{ 10, 16, RBLK_BEAT_NODE },
		{ 10, 2, RBLK_BEAT_NODE },	/* from itself */
		{ 16, 0, RBLK_BEAT_CLUSTER },
		{ 48 + 4, 2, RBLK_BEAT_BODY },	/* no such path */
		{ 48 + 2, 35, RBLK_BEAT_BODY },	/* a body of a wrong size */
	};
	struct rblk_beat_writer w;
	size_t i, nr;

	(void)state;
	for (i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		nr = write_all(&w);
		w.bytes[change[i].at] = change[i].value;
		assert_int_equal(read(w.bytes, nr), change[i].err);
	}
	/* a type of a later version is skipped */
	nr = write_all(&w);
	w.bytes[48] = 200;
	assert_int_equal(read(w.bytes, nr), RBLK_BEAT_OK);
}

/* Whatever differs in what is sent differs in the hash; and nothing else does. */
static void hash_tells_apart(void **state)
{
	struct rblk_beat_body a = something(1), b;
	uint64_t hash = rblk_beat_hash(a.uuid, &a.told);
	unsigned int i;

	(void)state;
	b = a;
	assert_true(rblk_beat_hash(b.uuid, &b.told) == hash);
	for (i = 0; i < 16; i++) {
		b = a;
		b.uuid[i] ^= 0x40;
		assert_true(rblk_beat_hash(b.uuid, &b.told) != hash);
	}
	for (i = 0; i < 6; i++) {
		b = a;
		b.told.flags ^= i == 0 ? RBLK_POLICY_LEADS : 0;
		b.told.primary ^= i == 1;
		b.told.version ^= i == 2 ? 1ULL << 63 : 0;
		b.told.term ^= i == 3;
		b.told.data_gen ^= i == 4 ? 1ULL << 63 : 0;
		b.told.data_seq ^= i == 5;
		assert_true(rblk_beat_hash(b.uuid, &b.told) != hash);
	}
	/* what is the same in two fields does not cancel itself out */
	b = a;
	b.told.data_gen ^= 2;
	b.told.data_seq ^= 2;
	assert_true(rblk_beat_hash(b.uuid, &b.told) != hash);
}

static void every_error_has_words(void **state)
{
	int err;

	(void)state;
	for (err = 0; err < __RBLK_BEAT_END; err++)
		assert_true(strlen(rblk_beat_strerror(err)) > 3);
	assert_string_equal(rblk_beat_strerror(err), "?");
	for (err = 0; err < __RBLK_POLICY_REASON_END; err++)
		assert_true(strlen(rblk_policy_reason_text(err)) > 3);
	assert_string_equal(rblk_policy_reason_text(err), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(acks_are_another_type),
		cmocka_unit_test(leases_share_their_head),
		cmocka_unit_test(full),
		cmocka_unit_test(each_length),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(hash_tells_apart),
		cmocka_unit_test(every_error_has_words),
	};

	return RUN(tests);
}

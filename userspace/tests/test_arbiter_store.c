// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_arbiter_store.c - what a voter keeps, and when it must not trust it
 */
#include "test.h"

#include "arbiter_store.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOT	RBLK_ARBITER_SLOT_BYTES

static const struct rblk_arbiter_owner owner = {
	.instance = "instance of now",
	.instance_before = "instance of now",
	.resource = "resource 0",
	.node = 3,
};

static struct rblk_arbiter_store something(uint64_t version)
{
	return (struct rblk_arbiter_store){
		.promised = 0x1203,
		.accepted = 0x1103,
		.record = {
			.version = version,
			.gen = 7,
			.term = 0x0903,
			.primary = 3,
			.insync = 1 << 3 | 1 << 15,
			.fenced = 1 << 1,
			.voters = 0x800a,
			.voters_before = 0x800e,
		},
	};
}

static enum rblk_arbiter_slot get(const uint8_t *slot, size_t bytes,
				  struct rblk_arbiter_store *store)
{
	uint8_t *exact = malloc(bytes ? bytes : 1);
	enum rblk_arbiter_slot err;
	uint64_t serial;

	memcpy(exact, slot, bytes);
	err = rblk_arbiter_slot_get(exact, bytes, &owner, &serial, store);
	free(exact);
	return err;
}

static void comes_back(void **state)
{
	struct rblk_arbiter_store in = something(9), out;
	uint8_t slot[SLOT];
	uint64_t serial = 0;

	(void)state;
	memset(&out, 0, sizeof(out));
	rblk_arbiter_slot_put(slot, &owner, 41, &in);
	assert_int_equal(rblk_arbiter_slot_get(slot, SLOT, &owner, &serial, &out),
			 RBLK_ARBITER_SLOT_OK);
	assert_int_equal(serial, 41);
	assert_int_equal(out.promised, in.promised);
	assert_int_equal(out.accepted, in.accepted);
	assert_int_equal(out.record.version, 9);
	assert_int_equal(out.record.gen, 7);
	assert_int_equal(out.record.term, 0x0903);
	assert_int_equal(out.record.primary, 3);
	assert_int_equal(out.record.insync, in.record.insync);
	assert_int_equal(out.record.fenced, in.record.fenced);
	assert_int_equal(out.record.voters, in.record.voters);
	assert_int_equal(out.record.voters_before, in.record.voters_before);
}

/* Nobody is primary: because an admin wants it so, or not. */
static void vacant_comes_back(void **state)
{
	struct rblk_arbiter_store in = something(9), out;
	uint8_t slot[SLOT];
	int idle;

	(void)state;
	in.record.primary = RBLK_ARBITER_NOBODY;
	for (idle = 0; idle < 2; idle++) {
		in.record.idle = idle;
		rblk_arbiter_slot_put(slot, &owner, 41, &in);
		assert_int_equal(slot[104], idle);
		assert_int_equal(get(slot, SLOT, &out), RBLK_ARBITER_SLOT_OK);
		assert_int_equal(out.record.primary, RBLK_ARBITER_NOBODY);
		assert_int_equal(out.record.idle, idle);
	}
}

/* The bytes are a promise to other versions and implementations. */
static void bytes_are_as_written_down(void **state)
{
	struct rblk_arbiter_store in = something(9);
	uint8_t slot[SLOT];

	(void)state;
	rblk_arbiter_slot_put(slot, &owner, 41, &in);
	assert_memory_equal(slot, "rblkvote\1\0\3\3\0\0\0\0\51\0\0\0\0\0\0\0", 24);
	assert_memory_equal(slot + 24, owner.instance, 16);
	assert_memory_equal(slot + 40, owner.resource, 16);
	assert_memory_equal(slot + 56, "\3\22\0\0\0\0\0\0\3\21\0\0\0\0\0\0", 16);
	assert_memory_equal(slot + 72, "\11\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0", 16);
	assert_memory_equal(slot + 88, "\3\11\0\0\0\0\0\0", 8);
	assert_memory_equal(slot + 96, "\10\200\2\0\12\200\16\200\0\0", 10);
}

/* Whoever does not know what acks means must not vote on it: another format. */
static void acks_are_another_format(void **state)
{
	struct rblk_arbiter_store in = something(9), out;
	uint8_t slot[SLOT];

	(void)state;
	in.record.acks = 2;
	in.record.holder = 15;
	rblk_arbiter_slot_put(slot, &owner, 41, &in);
	assert_memory_equal(slot, "rblkvote\2\0", 10);
	assert_memory_equal(slot + 104, "\0\2\17\0", 4);
	assert_int_equal(get(slot, SLOT, &out), RBLK_ARBITER_SLOT_OK);
	assert_int_equal(out.record.acks, 2);
	assert_int_equal(out.record.holder, 15);
	in.record.acks = 0;
	in.record.holder = 0;
	rblk_arbiter_slot_put(slot, &owner, 41, &in);
	assert_memory_equal(slot, "rblkvote\1\0", 10);
}

static void each_bit_counts(void **state)
{
	struct rblk_arbiter_store in = something(9), out;
	uint8_t slot[SLOT];
	unsigned int bit;

	(void)state;
	rblk_arbiter_slot_put(slot, &owner, 41, &in);
	for (bit = 0; bit < 8 * SLOT; bit++) {
		slot[bit / 8] ^= 1 << bit % 8;
		assert_int_not_equal(get(slot, SLOT, &out), RBLK_ARBITER_SLOT_OK);
		slot[bit / 8] ^= 1 << bit % 8;
	}
	assert_int_equal(get(slot, SLOT, &out), RBLK_ARBITER_SLOT_OK);
}

static void each_byte_counts(void **state)
{
	struct rblk_arbiter_store in = something(9), out;
	uint8_t slot[SLOT];
	size_t bytes;

	(void)state;
	rblk_arbiter_slot_put(slot, &owner, 41, &in);
	for (bytes = 0; bytes < SLOT; bytes++)
		assert_int_equal(get(slot, bytes, &out),
				 RBLK_ARBITER_SLOT_ABSENT);
}

static void of_somebody_else(void **state)
{
	struct rblk_arbiter_owner other[3] = { owner, owner, owner };
	struct rblk_arbiter_store in = something(9), out;
	uint8_t slot[SLOT];
	int i;

	(void)state;
	other[0].instance[15] ^= 1;
	other[1].resource[0] ^= 1;
	other[2].node = 4;
	for (i = 0; i < 3; i++) {
		rblk_arbiter_slot_put(slot, &other[i], 41, &in);
		assert_int_equal(get(slot, SLOT, &out),
				 RBLK_ARBITER_SLOT_FOREIGN);
	}
}

/* A start that was interrupted: one slot of each instance. */
static void of_two_instances(void **state)
{
	struct rblk_arbiter_owner next = owner;
	struct rblk_arbiter_store old = something(9), new = something(10), out;
	uint8_t slots[2 * SLOT];
	uint64_t serial;

	(void)state;
	memcpy(next.instance, "instance of then", 16);
	rblk_arbiter_slot_put(slots + SLOT, &owner, 41, &old);
	rblk_arbiter_slot_put(slots, &next, 42, &new);
	assert_int_equal(rblk_arbiter_store_get(slots, sizeof(slots), &owner,
						&serial, &out),
			 RBLK_ARBITER_SLOT_FOREIGN);
	assert_int_equal(rblk_arbiter_store_get(slots, sizeof(slots), &next,
						&serial, &out),
			 RBLK_ARBITER_SLOT_OK);
	assert_int_equal(out.record.version, 10);
}

static void newer_one_rules(void **state)
{
	struct rblk_arbiter_store old = something(9), new = something(10), out;
	uint8_t slots[2 * SLOT];
	uint64_t serial;

	(void)state;
	rblk_arbiter_slot_put(slots + SLOT, &owner, 41, &old);
	rblk_arbiter_slot_put(slots, &owner, 42, &new);
	assert_int_equal(rblk_arbiter_store_get(slots, sizeof(slots), &owner,
						&serial, &out),
			 RBLK_ARBITER_SLOT_OK);
	assert_int_equal(serial, 42);
	assert_int_equal(out.record.version, 10);
	/* torn: nobody was told of it */
	memset(slots + 256, 0xee, 256);
	assert_int_equal(rblk_arbiter_store_get(slots, sizeof(slots), &owner,
						&serial, &out),
			 RBLK_ARBITER_SLOT_OK);
	assert_int_equal(serial, 41);
	assert_int_equal(out.record.version, 9);
	/* and cut short */
	assert_int_equal(rblk_arbiter_store_get(slots, SLOT + 17, &owner,
						&serial, &out),
			 RBLK_ARBITER_SLOT_DAMAGED);
	assert_int_equal(rblk_arbiter_store_get(slots, 0, &owner, &serial, &out),
			 RBLK_ARBITER_SLOT_ABSENT);
}

/* One slot of an old copy beside one of its own is no crash. */
static void mixed_is_not_used(void **state)
{
	struct rblk_arbiter_owner other = owner;
	struct rblk_arbiter_store in = something(9), out;
	uint8_t slots[2 * SLOT];
	uint64_t serial;

	(void)state;
	other.instance[0] ^= 1;
	rblk_arbiter_slot_put(slots, &other, 40, &in);
	rblk_arbiter_slot_put(slots + SLOT, &owner, 41, &in);
	assert_int_equal(rblk_arbiter_store_get(slots, sizeof(slots), &owner,
						&serial, &out),
			 RBLK_ARBITER_SLOT_FOREIGN);
	/* and neither is a slot in the place of the other */
	rblk_arbiter_slot_put(slots, &owner, 43, &in);
	assert_int_equal(rblk_arbiter_store_get(slots, sizeof(slots), &owner,
						&serial, &out),
			 RBLK_ARBITER_SLOT_INVALID);
}

static void impossible(void **state)
{
	struct rblk_arbiter_store in[10], out;
	uint8_t slot[SLOT];
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		in[i] = something(9);
	in[0].accepted = in[0].promised + 1;
	in[1].record.voters = 0;
	in[2].record.voters_before = 0x8000;	/* two at once */
	in[3].record.fenced |= 1 << 3;		/* in sync as well */
	in[4].record.primary = 2;		/* not in sync */
	in[5].record.primary = 16;
	in[6].record.idle = true;	/* though there is a primary */
	in[7].record.acks = 16;
	in[7].record.holder = 3;
	in[8].record.acks = 1;		/* and the holder, 0, is not in sync */
	in[9].record.holder = 3;	/* of what all have */
	for (i = 0; i < 10; i++) {
		rblk_arbiter_slot_put(slot, &owner, 41, &in[i]);
		assert_int_equal(get(slot, SLOT, &out),
				 RBLK_ARBITER_SLOT_INVALID);
	}
}

static void every_error_has_words(void **state)
{
	int err;

	(void)state;
	for (err = 0; err < __RBLK_ARBITER_SLOT_END; err++)
		assert_true(strlen(rblk_arbiter_slot_strerror(err)) > 3);
	assert_string_equal(rblk_arbiter_slot_strerror(err), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(vacant_comes_back),
		cmocka_unit_test(bytes_are_as_written_down),
		cmocka_unit_test(acks_are_another_format),
		cmocka_unit_test(each_bit_counts),
		cmocka_unit_test(each_byte_counts),
		cmocka_unit_test(of_somebody_else),
		cmocka_unit_test(of_two_instances),
		cmocka_unit_test(newer_one_rules),
		cmocka_unit_test(mixed_is_not_used),
		cmocka_unit_test(impossible),
		cmocka_unit_test(every_error_has_words),
	};

	return RUN(tests);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Metadata blocks: exact bytes, every flipped bit, every torn write. */
#include "cmocka_all.h"
#include "prng.h"
#include "ondisk.h"

#include <stdlib.h>

#define MIB	(1ULL << 20)
#define GIB	(1ULL << 30)
#define TIB	(1ULL << 40)
#define SECTORS	(RBLK_ONDISK_BLOCK / 512)

static struct rblk_geometry geometry(u8 layout, u64 disk, u64 meta)
{
	return (struct rblk_geometry) {
		.layout = layout, .bit_shift = RBLK_ONDISK_BIT_SHIFT,
		.extent_shift = RBLK_ONDISK_EXTENT_SHIFT,
		.ring_blocks = RBLK_ONDISK_RING,
		.disk_bytes = disk, .meta_bytes = meta,
	};
}

static struct rblk_ondisk_super some_super(u8 layout, u64 serial)
{
	struct rblk_ondisk_super super = {
		.set = "0123456789abcdef", .member = "fedcba9876543210",
		.name = "r0.data", .node_id = 3, .volume = 7,
		.created_s = 1700000000,
		.geo = geometry(layout, 64 * MIB, 64 * MIB),
		.record = {
			.serial = serial, .promised = 9,
			.data = RBLK_DATA_CONSISTENT, .clean = true,
			.in_sync = RBLK_IN_SYNC_YES,
			.lineage = { 2, 500 + serial, { { 2, 1 }, { 9, 101, 1700000001 } } },
		},
		.slot = { { 1, RBLK_SLOT_BITS }, { 0, RBLK_SLOT_FULL },
			  { 15, RBLK_SLOT_CLEAN } },
		.seen = { 9, 1ULL << 33 },
	};

	assert_int_equal(rblk_ondisk_lay_out(&super.geo), RBLK_ONDISK_OK);
	return super;
}

static void assert_same_super(const struct rblk_ondisk_super *a,
			      const struct rblk_ondisk_super *b)
{
	u8 one[RBLK_ONDISK_BLOCK], other[RBLK_ONDISK_BLOCK];

	rblk_ondisk_put_super(one, a, 0);
	rblk_ondisk_put_super(other, b, 0);
	assert_memory_equal(one, other, sizeof(one));
}

/* ---- geometry */

struct span {
	u64 from, to;
};

static void assert_apart(const struct span *spans, u32 n, u64 size)
{
	u32 i, j;

	for (i = 0; i < n; i++) {
		assert_true(spans[i].from <= spans[i].to);
		assert_true(spans[i].to <= size);
		assert_true(spans[i].from % RBLK_ONDISK_BLOCK == 0);
		for (j = 0; j < i; j++)
			assert_true(spans[i].to <= spans[j].from ||
				    spans[j].to <= spans[i].from);
	}
}

/* No area touches another, all lie on their device, whatever the sizes. */
static void check_geometry(const struct rblk_geometry *geo)
{
	struct span spans[4] = {
		{ geo->head_at, geo->head_at + RBLK_ONDISK_HEAD_BYTES },
		{ geo->ring_at, geo->ring_at + geo->ring_blocks *
			RBLK_ONDISK_BLOCK },
		{ geo->bitmap_at, geo->bitmap_at +
			RBLK_ONDISK_SLOTS * geo->slot_bytes },
		{ geo->data_at, geo->data_at + geo->data_bytes },
	};
	bool apart = geo->layout == RBLK_METADATA_APART;
	u64 bits = geo->slot_bytes / RBLK_ONDISK_BLOCK * RBLK_ONDISK_BODY_BITS;

	assert_apart(spans, apart ? 3 : 4, geo->meta_bytes);
	assert_true(geo->data_at + geo->data_bytes <= geo->disk_bytes);
	assert_true(geo->data_bytes > 0);
	assert_true(bits << geo->bit_shift >= geo->data_bytes ||
		    bits >> (64 - geo->bit_shift));
	assert_true(geo->head_at == rblk_ondisk_head_at(geo->layout,
							geo->meta_bytes));
	if (geo->layout == RBLK_METADATA_START)
		assert_true(geo->data_at % RBLK_ONDISK_ALIGN == 0);
	else
		assert_true(geo->data_at == 0);
}

static void test_geometry(void **state)
{
	struct rblk_geometry geo, again;
	u64 seed = 1;
	u32 i, good = 0;

	(void)state;
	for (i = 0; i < 20000; i++) {
		u64 size = prng_next(&seed) >> prng_next(&seed) % 50 & ~511ULL;

		geo = geometry(1 + prng_next(&seed) % 3, size, size);
		geo.bit_shift = 12 + prng_next(&seed) % 9;
		geo.extent_shift = 20 + prng_next(&seed) % 11;
		geo.ring_blocks = 32 + prng_next(&seed) % 4000;
		if (geo.layout == RBLK_METADATA_APART)
			geo.meta_bytes = prng_next(&seed) >> prng_next(&seed) % 50;
		if (rblk_ondisk_lay_out(&geo))
			continue;
		good++;
		check_geometry(&geo);
		/* What is stored leads to itself; a smaller volume to the same. */
		again = geo;
		assert_int_equal(rblk_ondisk_lay_out(&again), RBLK_ONDISK_OK);
		assert_memory_equal(&geo, &again, sizeof(geo));
		again.data_bytes -= min(again.data_bytes - 4096, 4096ULL * 9);
		assert_int_equal(rblk_ondisk_lay_out(&again), RBLK_ONDISK_OK);
		assert_true(again.bitmap_at == geo.bitmap_at &&
			    again.data_at == geo.data_at);
		again.data_bytes = geo.data_bytes + 4096;
		assert_int_equal(rblk_ondisk_lay_out(&again),
				 RBLK_ONDISK_TOO_SMALL);
	}
	assert_true(good > 5000);
}

static void test_extent_size(void **state)
{
	(void)state;
	assert_int_equal(rblk_ondisk_extent_shift(4096), 22);
	assert_int_equal(rblk_ondisk_extent_shift(64 * GIB), 22);
	assert_int_equal(rblk_ondisk_extent_shift(64 * GIB + 1), 23);
	assert_int_equal(rblk_ondisk_extent_shift(128 * GIB), 23);
	assert_int_equal(rblk_ondisk_extent_shift(256 * GIB), 24);
	assert_int_equal(rblk_ondisk_extent_shift(100 * TIB), 24);
}

static void test_geometry_known(void **state)
{
	struct rblk_geometry geo = geometry(RBLK_METADATA_START, TIB, TIB);

	(void)state;
	/* 2^24 bits: 521 blocks and one of index per slot, 15 slots */
	assert_int_equal(rblk_ondisk_lay_out(&geo), RBLK_ONDISK_OK);
	assert_true(geo.slot_bytes == 522 * 4096);
	assert_true(geo.ring_at == 128 << 10);
	assert_true(geo.bitmap_at == 384 << 10);
	assert_true(geo.data_at == 31 * MIB);
	assert_true(geo.data_bytes == TIB - 31 * MIB);

	geo = geometry(RBLK_METADATA_END, 64 * MIB + 512, 64 * MIB + 512);
	assert_int_equal(rblk_ondisk_lay_out(&geo), RBLK_ONDISK_OK);
	assert_true(geo.head_at == 64 * MIB - (128 << 10));
	assert_true(geo.ring_at == geo.head_at - (256 << 10));
	assert_true(geo.bitmap_at == geo.ring_at - 15 * 8192);
	assert_true(geo.data_at == 0 && geo.data_bytes == geo.bitmap_at);
}

static void test_geometry_refused(void **state)
{
	static const struct {
		u8 layout, bit_shift, extent_shift;
		u32 ring;
		u64 disk, meta, data;
		enum rblk_ondisk_error err;
	} rows[] = {
		{ 0, 16, 22, 64, GIB, GIB, 0, RBLK_ONDISK_INVALID },
		{ 4, 16, 22, 64, GIB, GIB, 0, RBLK_ONDISK_INVALID },
		{ 1, 11, 22, 64, GIB, GIB, 0, RBLK_ONDISK_INVALID },
		{ 1, 21, 22, 64, GIB, GIB, 0, RBLK_ONDISK_INVALID },
		{ 1, 16, 19, 64, GIB, GIB, 0, RBLK_ONDISK_INVALID },
		{ 1, 16, 31, 64, GIB, GIB, 0, RBLK_ONDISK_INVALID },
		{ 1, 16, 22, 31, GIB, GIB, 0, RBLK_ONDISK_INVALID },
		{ 1, 16, 22, 4097, GIB, GIB, 0, RBLK_ONDISK_INVALID },
		{ 1, 16, 22, 64, GIB, GIB + 1, 0, RBLK_ONDISK_INVALID },
		{ 1, 16, 22, 64, 1ULL << 63, 1ULL << 63, 0, RBLK_ONDISK_INVALID },
		/* extents that 32 bits do not number */
		{ 1, 16, 20, 64, 1ULL << 52, 1ULL << 52, 0, RBLK_ONDISK_INVALID },
		{ 1, 16, 22, 64, GIB, GIB, 512, RBLK_ONDISK_INVALID },
		{ 1, 16, 22, 64, MIB, MIB, 0, RBLK_ONDISK_TOO_SMALL },
		{ 2, 16, 22, 64, 0, 0, 0, RBLK_ONDISK_TOO_SMALL },
		{ 3, 16, 22, 64, GIB, 4096, 0, RBLK_ONDISK_TOO_SMALL },
		{ 3, 16, 22, 64, 4095, GIB, 0, RBLK_ONDISK_TOO_SMALL },
		{ 1, 16, 22, 64, GIB, GIB, GIB, RBLK_ONDISK_TOO_SMALL },
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rblk_geometry geo = {
			.layout = rows[i].layout, .bit_shift = rows[i].bit_shift,
			.extent_shift = rows[i].extent_shift,
			.ring_blocks = rows[i].ring,
			.disk_bytes = rows[i].disk, .meta_bytes = rows[i].meta,
			.data_bytes = rows[i].data,
		};

		if (rblk_ondisk_lay_out(&geo) != rows[i].err)
			fail_msg("row %u", i);
	}
}

/* ---- superblocks */

/* The bytes themselves, so that encoder and decoder cannot err together. */
static void test_super_bytes(void **state)
{
	struct rblk_ondisk_super super = some_super(RBLK_METADATA_START, 5);
	u8 block[RBLK_ONDISK_BLOCK];
	u32 crc;

	(void)state;
	memset(block, 0xee, sizeof(block));
	rblk_ondisk_put_super(block, &super, 1);
	assert_memory_equal(block, "rblkmeta\1\0\1\0\0\0\0\0\5\0\0\0\0\0\0\0", 24);
	assert_memory_equal(block + 24, "\0\0\1\0\0\0\0\0fedcba9876543210", 24);
	crc = crc32c(crc32c(~0U, block, 60), block + 64, 4032);
	assert_int_equal(block[60] | block[61] << 8 | block[62] << 16 |
			 (u32)block[63] << 24, ~crc);
	assert_memory_equal(block + 64, "0123456789abcdefr0.data\0", 24);
	/* node 3, volume 7, layout 1, consistent, in sync, 64 KiB, 4 MiB */
	assert_memory_equal(block + 144, "\3\7\1\1\1\20\26\0\1\0\0\0\2\0\0\0", 16);
	assert_memory_equal(block + 160, "\11\0\0\0\0\0\0\0\371\1\0\0\0\0\0\0", 16);
	assert_memory_equal(block + 248, "\1\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0", 16);
	assert_memory_equal(block + 368, "\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 16);
	assert_memory_equal(block + 384, "\11\0\0\0\0\0\0\0\145\0\0\0\0\0\0\0", 16);
	assert_memory_equal(block + 896, "\0\0\0\0\0\0\0\0\1\361\123\145\0\0\0\0", 16);
}

static void test_super_round_trip(void **state)
{
	struct rblk_ondisk_super got, super;
	u8 block[RBLK_ONDISK_BLOCK];
	unsigned int layout, copy;
	u64 place;

	(void)state;
	for (layout = 1; layout <= 3; layout++) {
		for (copy = 0; copy < 2; copy++) {
			super = some_super(layout, 1 + copy);
			place = rblk_ondisk_super_at(super.geo.head_at, copy);
			rblk_ondisk_put_super(block, &super, copy);
			assert_int_equal(rblk_ondisk_get_super(block, place,
							       &got),
					 RBLK_ONDISK_OK);
			assert_same_super(&super, &got);
			assert_int_equal(rblk_ondisk_get_super(block,
							       place + 4096,
							       &got),
					 RBLK_ONDISK_MISPLACED);
		}
	}
}

typedef enum rblk_ondisk_error (*reader)(const u8 *block);

static enum rblk_ondisk_error read_super(const u8 *block)
{
	struct rblk_ondisk_super super;

	return rblk_ondisk_get_super(block, 0, &super);
}

static enum rblk_ondisk_error read_position(const u8 *block)
{
	struct rblk_position position;

	return rblk_ondisk_get_position(block, 4096,
					(const u8 *)"fedcba9876543210",
					&position);
}

static enum rblk_ondisk_error read_transaction(const u8 *block)
{
	struct rblk_transaction tx;

	return rblk_ondisk_get_transaction(block, 8192,
					   (const u8 *)"fedcba9876543210", &tx);
}

static enum rblk_ondisk_error read_map(const u8 *block)
{
	u8 bits[RBLK_ONDISK_BODY];

	return rblk_ondisk_get_bits(block, 12288,
				    (const u8 *)"fedcba9876543210",
				    RBLK_BITS_MAP, bits);
}

static void put_all(u8 block[4][RBLK_ONDISK_BLOCK])
{
	struct rblk_ondisk_super super = some_super(RBLK_METADATA_START, 5);
	struct rblk_position position = { 3, 5, 777, { 19, 44 } };
	struct rblk_transaction tx = {
		.serial = 12, .nr_slots = 100, .context_first = 40,
		.nr_updates = 2, .nr_context = 60,
		.gen = 17, .base = { [1] = 4711, [15] = U64_MAX },
		.past = { { 16, 11 }, [15] = { 1, 2 } },
		.update = { { 99, 1000 }, { 3, RBLK_ONDISK_NO_EXTENT } },
		.context = { 5, 6, RBLK_ONDISK_NO_EXTENT },
	};
	u8 bits[RBLK_ONDISK_BODY] = { 1, 2, 3 };

	rblk_ondisk_put_super(block[0], &super, 0);
	rblk_ondisk_put_position(block[1], 4096, super.member, &position);
	rblk_ondisk_put_transaction(block[2], 8192, super.member, &tx);
	rblk_ondisk_put_bits(block[3], 12288, super.member, RBLK_BITS_MAP,
			     bits);
}

static const reader readers[4] = {
	read_super, read_position, read_transaction, read_map,
};

/* No flipped bit, anywhere in any kind of block, goes unnoticed. */
static void test_every_bit_flip(void **state)
{
	u8 block[4][RBLK_ONDISK_BLOCK];
	u32 i, bit;

	(void)state;
	put_all(block);
	for (i = 0; i < 4; i++) {
		assert_int_equal(readers[i](block[i]), RBLK_ONDISK_OK);
		for (bit = 0; bit < RBLK_ONDISK_BLOCK * 8; bit++) {
			block[i][bit / 8] ^= 1 << bit % 8;
			if (!readers[i](block[i]))
				fail_msg("block %u, bit %u", i, bit);
			block[i][bit / 8] ^= 1 << bit % 8;
		}
	}
}

/* Nor any block that is one thing in its first sectors, another in the rest. */
static void test_every_tear(void **state)
{
	u8 block[4][RBLK_ONDISK_BLOCK], torn[RBLK_ONDISK_BLOCK];
	struct rblk_ondisk_super old = some_super(RBLK_METADATA_START, 4);
	u32 i, mask;

	(void)state;
	put_all(block);
	for (i = 0; i < 4; i++) {
		u8 before[RBLK_ONDISK_BLOCK] = { 0 };

		if (i == 0)
			rblk_ondisk_put_super(before, &old, 0);
		for (mask = 0; mask < 1 << SECTORS; mask++) {
			enum rblk_ondisk_error err;
			u32 sector;

			for (sector = 0; sector < SECTORS; sector++)
				memcpy(torn + sector * 512,
				       (mask >> sector & 1 ? block[i] : before) +
				       sector * 512, 512);
			err = readers[i](torn);
			/* Sectors that are the same in both tear nothing. */
			if (!memcmp(torn, block[i], sizeof(torn)))
				assert_int_equal(err, RBLK_ONDISK_OK);
			else if (memcmp(torn, before, sizeof(torn)) && !err)
				fail_msg("block %u, sectors %02x", i, mask);
		}
	}
}

static void set_crc(u8 *block)
{
	u32 crc = ~crc32c(crc32c(~0U, block, 60), block + 64, 4032);
	u32 i;

	for (i = 0; i < 4; i++)
		block[60 + i] = crc >> 8 * i;
}

/* A good checksum over content that cannot be. */
static void test_super_invalid(void **state)
{
	static const struct {
		u16 at;
		u8 byte;
		enum rblk_ondisk_error err;
	} rows[] = {
		{ 0, 'R', RBLK_ONDISK_ABSENT },
		{ 8, 2, RBLK_ONDISK_VERSION_UNKNOWN },
		{ 10, 2, RBLK_ONDISK_FOREIGN },		/* kind */
		{ 12, 1, RBLK_ONDISK_INVALID },		/* reserved */
		{ 16, 0, RBLK_ONDISK_INVALID },		/* serial 0 */
		{ 24, 1, RBLK_ONDISK_MISPLACED },
		{ 50, 1, RBLK_ONDISK_INVALID },		/* reserved */
		{ 80, 0, RBLK_ONDISK_INVALID },		/* no name */
		{ 80, '-', RBLK_ONDISK_INVALID },
		{ 81, '/', RBLK_ONDISK_INVALID },
		{ 90, 'x', RBLK_ONDISK_INVALID },	/* after the name's end */
		{ 144, 16, RBLK_ONDISK_INVALID },	/* node id */
		{ 144, 15, RBLK_ONDISK_INVALID },	/* its own slot */
		{ 145, 64, RBLK_ONDISK_INVALID },	/* volume */
		{ 146, 0, RBLK_ONDISK_INVALID },	/* layout */
		{ 146, 2, RBLK_ONDISK_INVALID },	/* not what is stored */
		{ 147, 3, RBLK_ONDISK_INVALID },	/* unclean is no data */
		{ 147, 0, RBLK_ONDISK_INVALID },	/* new with a history */
		{ 148, 3, RBLK_ONDISK_INVALID },	/* in sync */
		{ 149, 11, RBLK_ONDISK_INVALID },	/* bits too small */
		{ 150, 31, RBLK_ONDISK_INVALID },
		{ 151, 1, RBLK_ONDISK_INVALID },
		{ 152, 4, RBLK_ONDISK_INVALID },	/* unknown flag */
		{ 156, 33, RBLK_ONDISK_INVALID },	/* terms */
		{ 156, 1, RBLK_ONDISK_INVALID },	/* a term too many */
		{ 160, 8, RBLK_ONDISK_INVALID },	/* promised below lineage */
		{ 177, 1, RBLK_ONDISK_INVALID },	/* disk size */
		{ 201, 1, RBLK_ONDISK_INVALID },	/* data size */
		{ 210, 1, RBLK_ONDISK_INVALID },	/* ring */
		{ 236, 1, RBLK_ONDISK_INVALID },
		{ 248, 0, RBLK_ONDISK_INVALID },	/* node 0 twice */
		{ 249, 4, RBLK_ONDISK_INVALID },	/* slot state */
		{ 249, 0, RBLK_ONDISK_INVALID },	/* free, of node 1 */
		{ 250, 1, RBLK_ONDISK_INVALID },
		{ 400, 1, RBLK_ONDISK_INVALID },	/* beyond the last term */
		{ 1144, 1, RBLK_ONDISK_INVALID },	/* its time */
		{ 4095, 1, RBLK_ONDISK_INVALID },
	};
	struct rblk_ondisk_super super = some_super(RBLK_METADATA_START, 5), got;
	u8 good[RBLK_ONDISK_BLOCK], block[RBLK_ONDISK_BLOCK];
	u32 i;

	(void)state;
	rblk_ondisk_put_super(good, &super, 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(block, good, sizeof(block));
		block[rows[i].at] = rows[i].byte;
		set_crc(block);
		if (rblk_ondisk_get_super(block, 0, &got) != rows[i].err)
			fail_msg("row %u: %s", i, rblk_ondisk_strerror(
				 rblk_ondisk_get_super(block, 0, &got)));
	}
}

static void test_other_blocks_invalid(void **state)
{
	static const struct {
		u8 which;
		u16 at;
		u8 byte;
		enum rblk_ondisk_error err;
	} rows[] = {
		{ 1, 16, 0, RBLK_ONDISK_INVALID },
		{ 1, 32, 'x', RBLK_ONDISK_FOREIGN },
		{ 1, 10, 1, RBLK_ONDISK_FOREIGN },
		{ 1, 80, 0, RBLK_ONDISK_INVALID },	/* seen, of nobody */
		{ 1, 96, 1, RBLK_ONDISK_INVALID },
		{ 2, 64, 0, RBLK_ONDISK_INVALID },	/* slots below the context */
		{ 2, 65, 0x41, RBLK_ONDISK_INVALID },	/* slots above the maximum */
		{ 2, 66, 41, RBLK_ONDISK_INVALID },	/* context beyond the slots */
		{ 2, 68, 65, RBLK_ONDISK_INVALID },
		{ 2, 68, 1, RBLK_ONDISK_INVALID },	/* an update too many */
		{ 2, 71, 9, RBLK_ONDISK_INVALID },
		{ 2, 70, 1, RBLK_ONDISK_INVALID },	/* context too many */
		{ 2, 72, 100, RBLK_ONDISK_INVALID },	/* slot out of range */
		{ 2, 74, 1, RBLK_ONDISK_INVALID },
		{ 2, 4090, 1, RBLK_ONDISK_INVALID },
		{ 3, 10, 4, RBLK_ONDISK_FOREIGN },	/* an index */
		{ 3, 16, 1, RBLK_ONDISK_INVALID },
	};
	u8 block[4][RBLK_ONDISK_BLOCK];
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 *it = block[rows[i].which];

		put_all(block);
		it[rows[i].at] = rows[i].byte;
		set_crc(it);
		if (readers[rows[i].which](it) != rows[i].err)
			fail_msg("row %u: %s", i, rblk_ondisk_strerror(
				 readers[rows[i].which](it)));
	}
}

static void test_round_trips(void **state)
{
	u8 block[4][RBLK_ONDISK_BLOCK], bits[RBLK_ONDISK_BODY];
	struct rblk_position position;
	struct rblk_transaction tx;
	const u8 *member = (const u8 *)"fedcba9876543210";

	(void)state;
	put_all(block);
	assert_int_equal(rblk_ondisk_get_position(block[1], 4096, member,
						  &position), RBLK_ONDISK_OK);
	assert_true(position.serial == 3 && position.base == 5 &&
		    position.seq == 777 && position.seen.gen == 19 &&
		    position.seen.serial == 44);
	assert_int_equal(rblk_ondisk_get_transaction(block[2], 8192, member,
						     &tx), RBLK_ONDISK_OK);
	assert_true(tx.serial == 12 && tx.nr_slots == 100 &&
		    tx.context_first == 40 && tx.nr_updates == 2 &&
		    tx.nr_context == 60 && tx.update[0].slot == 99 &&
		    tx.update[0].extent == 1000 && tx.context[1] == 6 &&
		    tx.update[1].extent == RBLK_ONDISK_NO_EXTENT);
	assert_true(tx.past[0].gen == 16 && tx.past[0].serial == 11 &&
		    !tx.past[1].gen && tx.past[15].serial == 2);
	assert_true(tx.gen == 17 && tx.base[0] == 0 && tx.base[1] == 4711 &&
		    tx.base[15] == U64_MAX);
	assert_int_equal(rblk_ondisk_get_bits(block[3], 12288, member,
					      RBLK_BITS_MAP, bits),
			 RBLK_ONDISK_OK);
	assert_true(bits[0] == 1 && bits[2] == 3 && bits[3] == 0);
	assert_int_equal(rblk_ondisk_get_bits(block[3], 12288, member,
					      RBLK_BITS_INDEX, bits),
			 RBLK_ONDISK_FOREIGN);
}

/* ---- the two copies */

struct disk {
	u8 copy[2][RBLK_ONDISK_BLOCK];
};

static enum rblk_ondisk_error pick(const struct disk *disk,
				   struct rblk_ondisk_super *picked)
{
	struct rblk_ondisk_super super[2];
	const struct rblk_ondisk_super *both[2] = { &super[0], &super[1] };
	enum rblk_ondisk_error err[2];
	unsigned int i, which = 9;

	for (i = 0; i < 2; i++)
		err[i] = rblk_ondisk_get_super(disk->copy[i],
					       rblk_ondisk_super_at(0, i),
					       &super[i]);
	err[0] = rblk_ondisk_pick_super(err, both, &which);
	if (!err[0])
		*picked = super[which];
	return err[0];
}

static void put_both(struct disk *disk, u64 serial)
{
	struct rblk_ondisk_super super = some_super(RBLK_METADATA_START, serial);
	unsigned int i;

	for (i = 0; i < 2; i++)
		rblk_ondisk_put_super(disk->copy[i], &super, i);
}

/*
 * A power cut anywhere in ten changes: after any number of whole writes, and
 * with the write then under way torn in every way that sectors allow. What is
 * read afterwards is never older than the last change that was complete, and
 * never one that was not begun. Then damage to either copy on top of it, where
 * both were whole: still nothing older.
 */
static void test_power_cuts(void **state)
{
	struct disk disk, cut, damaged;
	struct rblk_ondisk_super got;
	u64 serial;
	u32 step, mask, sector, victim;

	(void)state;
	put_both(&disk, 1);
	for (serial = 2; serial < 12; serial++) {
		struct rblk_ondisk_super next = some_super(RBLK_METADATA_START,
							   serial);
		u8 block[RBLK_ONDISK_BLOCK];

		for (step = 0; step < 2; step++) {
			rblk_ondisk_put_super(block, &next, step);
			for (mask = 0; mask < 1 << SECTORS; mask++) {
				cut = disk;
				for (sector = 0; sector < SECTORS; sector++)
					if (mask >> sector & 1)
						memcpy(cut.copy[step] + sector * 512,
						       block + sector * 512, 512);
				assert_int_equal(pick(&cut, &got),
						 RBLK_ONDISK_OK);
				assert_true(got.record.serial == serial ||
					    got.record.serial == serial - 1);
			}
			memcpy(disk.copy[step], block, sizeof(block));
		}
		for (victim = 0; victim < 2; victim++) {
			damaged = disk;
			damaged.copy[victim][100] ^= 4;
			assert_int_equal(pick(&damaged, &got), RBLK_ONDISK_OK);
			assert_true(got.record.serial == serial);
		}
		assert_int_equal(pick(&disk, &got), RBLK_ONDISK_OK);
		assert_true(got.record.serial == serial);
	}
}

static void test_copies_that_say_nothing(void **state)
{
	struct rblk_ondisk_super got, other;
	struct disk disk, good;

	(void)state;
	put_both(&good, 4);
	memset(&disk, 0, sizeof(disk));
	assert_int_equal(pick(&disk, &got), RBLK_ONDISK_ABSENT);

	disk = good;
	disk.copy[0][70] ^= 1;
	disk.copy[1][90] ^= 1;
	assert_int_equal(pick(&disk, &got), RBLK_ONDISK_DAMAGED);

	/* one overwritten by something else, the other damaged */
	disk = good;
	memset(disk.copy[0], 0, sizeof(disk.copy[0]));
	disk.copy[1][90] ^= 1;
	assert_int_equal(pick(&disk, &got), RBLK_ONDISK_DAMAGED);

	/* one overwritten: the other is good */
	memcpy(disk.copy[1], good.copy[1], sizeof(disk.copy[1]));
	assert_int_equal(pick(&disk, &got), RBLK_ONDISK_OK);
	assert_true(got.record.serial == 4);

	/* a newer rblk has begun to write */
	disk = good;
	disk.copy[1][8] = 2;
	assert_int_equal(pick(&disk, &got), RBLK_ONDISK_VERSION_UNKNOWN);

	/* the same serial, another content */
	other = some_super(RBLK_METADATA_START, 4);
	other.record.clean = false;
	disk = good;
	rblk_ondisk_put_super(disk.copy[1], &other, 1);
	assert_int_equal(pick(&disk, &got), RBLK_ONDISK_CLASH);

	/* a half-written "create" of another life */
	other = some_super(RBLK_METADATA_START, 1);
	other.member[0] ^= 1;
	rblk_ondisk_put_super(disk.copy[1], &other, 1);
	assert_int_equal(pick(&disk, &got), RBLK_ONDISK_CLASH);
}

static void test_strerror(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < __RBLK_ONDISK_END; i++)
		assert_true(strlen(rblk_ondisk_strerror(i)) > 3);
	assert_string_equal(rblk_ondisk_strerror(99), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_geometry),
		cmocka_unit_test(test_geometry_known),
		cmocka_unit_test(test_extent_size),
		cmocka_unit_test(test_geometry_refused),
		cmocka_unit_test(test_super_bytes),
		cmocka_unit_test(test_super_round_trip),
		cmocka_unit_test(test_every_bit_flip),
		cmocka_unit_test(test_every_tear),
		cmocka_unit_test(test_super_invalid),
		cmocka_unit_test(test_other_blocks_invalid),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_power_cuts),
		cmocka_unit_test(test_copies_that_say_nothing),
		cmocka_unit_test(test_strerror),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

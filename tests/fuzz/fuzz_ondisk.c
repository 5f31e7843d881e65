// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decoders of metadata blocks. The first byte chooses the kind, and whether
 * magic and checksum, which no fuzzer guesses, are put right; the second is a
 * shift that makes a place of the next eight. Then come the block's bytes. What
 * is accepted must be written again as the same bytes, and must be usable.
 */
#include "fuzz.h"
#include "actlog.h"
#include "record.h"

static const u8 member[RBLK_UUID_SIZE] = "fedcba9876543210";

static void put_right(uint8_t *block, u64 place)
{
	u32 crc, i;

	memcpy(block, "rblkmeta\1\0", 10);
	for (i = 0; i < 8; i++)
		block[24 + i] = place >> 8 * i;
	memcpy(block + 32, member, sizeof(member));
	crc = ~crc32c(crc32c(~0U, block, 60), block + 64, 4032);
	for (i = 0; i < 4; i++)
		block[60 + i] = crc >> 8 * i;
}

static void try_super(const uint8_t *block, u64 place)
{
	struct rblk_ondisk_super *super = malloc(sizeof(*super));
	uint8_t again[RBLK_ONDISK_BLOCK];
	struct rblk_geometry geo;
	const struct rblk_record *one = &super->record;
	struct rblk_record sum;

	if (!rblk_ondisk_get_super(block, place, super)) {
		rblk_ondisk_put_super(again, super,
				      place != super->geo.head_at);
		MUST(!memcmp(block, again, sizeof(again)));
		geo = super->geo;
		MUST(!rblk_ondisk_lay_out(&geo));
		MUST(geo.data_at + geo.data_bytes <= geo.disk_bytes);
		MUST(geo.bitmap_at + RBLK_ONDISK_SLOTS * geo.slot_bytes <=
		     geo.meta_bytes);
		MUST(super->node_id < RBLK_MAX_NODES);
		MUST(super->volume < RBLK_MAX_VOLUMES);
		MUST(strlen(super->name) < RBLK_NAME_SIZE);
		MUST(rblk_record_merge(&one, 1, &sum) == RBLK_RECORD_EQUAL);
		MUST(rblk_lineage_is_valid(&sum.lineage));
		MUST(sum.data != RBLK_DATA_CONSISTENT || sum.lineage.nr_terms);
		rblk_record_promote(&sum.lineage, rblk_record_data(&sum),
				    sum.led, sum.promised + 1);
		MUST(rblk_lineage_is_valid(&sum.lineage));
	}
	free(super);
}

static void try_position(const uint8_t *block, u64 place)
{
	uint8_t again[RBLK_ONDISK_BLOCK];
	struct rblk_position position;

	if (rblk_ondisk_get_position(block, place, member, &position))
		return;
	rblk_ondisk_put_position(again, place, member, &position);
	MUST(!memcmp(block, again, sizeof(again)));
}

/* A ring of this block alone: what it names is what is active. */
static void try_replay(const struct rblk_transaction *tx)
{
	static struct rblk_actlog_slot slot[RBLK_ONDISK_ACTIVE_MAX];
	static u16 head[RBLK_ONDISK_ACTIVE_MAX];
	const u32 nr_extents = 1000;
	struct rblk_actlog log;
	u32 extent, at = 0, nr = 0;

	if (tx->nr_slots < 2)
		return;
	rblk_actlog_init(&log, slot, head, tx->nr_slots);
	if (!rblk_actlog_replay(&log, tx, nr_extents))
		return;
	rblk_actlog_replayed(&log, tx->serial, tx->serial);
	while ((extent = rblk_actlog_next(&log, &at)) != RBLK_ONDISK_NO_EXTENT) {
		MUST(extent < nr_extents);
		nr++;
	}
	MUST(nr + log.nr_vacant == tx->nr_slots);
	MUST(nr <= tx->nr_updates + tx->nr_context);
}

static void try_transaction(const uint8_t *block, u64 place)
{
	struct rblk_transaction *tx = malloc(sizeof(*tx));
	uint8_t again[RBLK_ONDISK_BLOCK];
	u32 i;

	if (!rblk_ondisk_get_transaction(block, place, member, tx)) {
		rblk_ondisk_put_transaction(again, place, member, tx);
		MUST(!memcmp(block, again, sizeof(again)));
		MUST(tx->context_first + tx->nr_context <= tx->nr_slots);
		for (i = 0; i < tx->nr_updates; i++)
			MUST(tx->update[i].slot < tx->nr_slots);
		try_replay(tx);
	}
	free(tx);
}

static void try_bits(const uint8_t *block, u64 place)
{
	uint8_t again[RBLK_ONDISK_BLOCK], bits[RBLK_ONDISK_BODY];
	unsigned int kind;

	for (kind = RBLK_BITS_INDEX; kind <= RBLK_BITS_MAP; kind++) {
		if (rblk_ondisk_get_bits(block, place, member, kind, bits))
			continue;
		rblk_ondisk_put_bits(again, place, member, kind, bits);
		MUST(!memcmp(block, again, sizeof(again)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(const uint8_t *block, u64 place) = {
		try_super, try_position, try_transaction, try_bits,
	};
	uint8_t *block;
	u64 place;

	if (size < 10)
		return 0;
	/* Exactly a block; what the input lacks is zero. */
	block = calloc(1, RBLK_ONDISK_BLOCK);
	memcpy(&place, data + 2, sizeof(place));
	place = data[1] < 64 ? le64_to_cpu((__le64)place) >> data[1] : 0;
	memcpy(block, data + 10, min(size - 10, (size_t)RBLK_ONDISK_BLOCK));
	if (data[0] & 0x80)
		put_right(block, place);
	kinds[data[0] % ARRAY_SIZE(kinds)](block, place);
	free(block);
	return 0;
}

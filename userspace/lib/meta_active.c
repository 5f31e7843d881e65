// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the activity log in a volume's metadata says.
 */
#include "meta.h"
#include "text.h"
#include "xalloc.h"

#include <stdlib.h>

#include "actlog.h"

static u64 read_block(const struct rblk_meta_dev *dev,
		      const struct rblk_ondisk_super *super, u64 n,
		      struct rblk_transaction *tx)
{
	u64 at = super->geo.ring_at +
		 n % super->geo.ring_blocks * RBLK_ONDISK_BLOCK;
	uint8_t block[RBLK_ONDISK_BLOCK];
	enum rblk_ondisk_error err;

	if (rblk_meta_read(dev, at, block, sizeof(block)) < 0)
		return RBLK_ACTLOG_DAMAGED;
	err = rblk_ondisk_get_transaction(block, at, super->member, tx);
	if (err == RBLK_ONDISK_ABSENT || err == RBLK_ONDISK_FOREIGN)
		return 0;
	return err || (tx->serial - n) % super->geo.ring_blocks ?
	       RBLK_ACTLOG_DAMAGED : tx->serial;
}

static void show_set(const struct rblk_actlog *log,
		     const struct rblk_geometry *geo,
		     const struct rblk_transaction *tx, FILE *to)
{
	uint32_t slot = 0, nr = 0;
	unsigned int i;
	char text[32];

	while (rblk_actlog_next(log, &slot) != RBLK_ONDISK_NO_EXTENT)
		nr++;
	fprintf(to, "%-12s %u extents (%s), transaction %llu, generation %llu\n",
		"active", nr,
		rblk_text_bytes(text, sizeof(text),
				(u64)nr << geo->extent_shift),
		tx->serial, tx->gen);
	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (tx->base[i] != U64_MAX)
			fprintf(to, "%-12s for node %u, if it has all up to %llu\n",
				"", i, tx->base[i]);
}

void rblk_meta_show_active(const struct rblk_meta_dev *dev,
			   const struct rblk_ondisk_super *super, FILE *to)
{
	const struct rblk_geometry *geo = &super->geo;
	u64 extents = (geo->data_bytes + (1ULL << geo->extent_shift) - 1) >>
		      geo->extent_shift;
	u32 nr_slots = rblk_actlog_nr_slots(extents), i;
	struct rblk_actlog_slot *slot = rblk_xcalloc(nr_slots, sizeof(*slot));
	u16 *head = rblk_xcalloc(1U << rblk_actlog_hash_bits(nr_slots),
				 sizeof(*head));
	u64 *serial = rblk_xcalloc(geo->ring_blocks, sizeof(*serial));
	struct rblk_transaction *tx = rblk_xcalloc(1, sizeof(*tx));
	struct rblk_actlog log;
	u64 first, last, n;
	bool good;

	for (i = 0; i < geo->ring_blocks; i++)
		serial[i] = read_block(dev, super, i, tx);
	rblk_actlog_init(&log, slot, head, nr_slots);
	good = rblk_actlog_run(serial, geo->ring_blocks, &first, &last);
	for (n = first; last && n <= last; n++)
		good &= read_block(dev, super, n, tx) == n &&
			rblk_actlog_replay(&log, tx, extents);
	good &= rblk_actlog_replayed(&log, first, last);
	if (!last && good)
		fprintf(to, "%-12s nothing was written yet\n", "active");
	else if (!good)
		fprintf(to, "%-12s unknown, the log is damaged: after a crash everything is compared\n",
			"active");
	else
		show_set(&log, geo, tx, to);
	free(tx);
	free(serial);
	free(head);
	free(slot);
}

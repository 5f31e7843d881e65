// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_arbiter_store.c - any bytes as an arbiter's store. What is taken for good
 * must be written again as the same bytes.
 */
#include "arbiter_store.h"

#include "rblk_shim.h"

#include <stdlib.h>

#define SLOT	RBLK_ARBITER_SLOT_BYTES

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rblk_arbiter_owner owner = { .node = 1 };
	struct rblk_arbiter_store store;
	uint8_t again[SLOT], *exact;
	uint64_t serial;
	size_t at;

	if (size > 4096)
		return 0;
	exact = malloc(size ? size : 1);
	if (!exact)
		abort();
	memcpy(exact, data, size);
	/* No fuzzer guesses these. */
	for (at = 0; at + SLOT <= size && at < 2 * SLOT; at += SLOT) {
		__le32 crc = cpu_to_le32(~crc32c(~0U, exact + at, SLOT - 4));

		memcpy(exact + at + SLOT - 4, &crc, 4);
	}
	if (rblk_arbiter_store_get(exact, size, &owner, &serial, &store) ==
	    RBLK_ARBITER_SLOT_OK) {
		if (!rblk_arbiter_record_is_valid(&store.record))
			abort();
		rblk_arbiter_slot_put(again, &owner, serial, &store);
		if (memcmp(again, exact + serial % 2 * SLOT, SLOT))
			abort();
	}
	free(exact);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_archive.c - any bytes as a divergence archive: as they are, then with
 * checksums that are right, so that what is behind them is reached
 */
#include "archive.h"
#include "crc32c.h"

#include <stdlib.h>
#include <string.h>

#define HEAD		RBLK_ARCHIVE_HEAD_BYTES
#define RECORD		RBLK_ARCHIVE_RECORD_BYTES

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_crc(uint8_t *to, uint32_t crc)
{
	int i;

	for (i = 0; i < 4; i++)
		to[i] = crc >> 8 * i;
}

/* What was accepted must be inside its volume, and its bytes inside the file. */
static void check(const struct rblk_archive *a,
		  const struct rblk_archive_record *r)
{
	const struct rblk_archive_head *h = &a->head;
	unsigned int i;

	for (i = 0; i < h->volumes_n; i++)
		if (h->volumes[i].id == r->volume &&
		    r->offset < h->volumes[i].bytes &&
		    r->bytes <= h->volumes[i].bytes - r->offset)
			return;
	abort();
}

static void walk(uint8_t *bytes, size_t size, bool mend)
{
	struct rblk_archive_record r = { .is_end = false };
	struct rblk_archive a;
	size_t at = HEAD;

	if (mend)
		put_crc(bytes + 12, ~rblk_crc32c(rblk_crc32c(~0U, bytes, 12),
						 bytes + 16, HEAD - 16));
	if (rblk_archive_get_head(&a, bytes))
		return;
	while (!r.is_end && size - at >= RECORD) {
		if (mend)
			put_crc(bytes + at + 28,
				~rblk_crc32c(a.seed, bytes + at, 28));
		if (rblk_archive_get_record(&a, bytes + at, &r))
			return;
		at += RECORD;
		if (r.is_end)
			return;
		check(&a, &r);
		if (size - at < r.bytes)
			return;
		(void)rblk_archive_is_good(&r, bytes + at);
		at += r.bytes;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t whole = size < HEAD ? HEAD : size;
	uint8_t *copy = calloc(1, whole);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	walk(copy, whole, false);
	/* a head without a first part would hardly ever be guessed */
	memcpy(copy, "rblkfork\1\0", 10);
	walk(copy, whole, true);
	free(copy);
	return 0;
}

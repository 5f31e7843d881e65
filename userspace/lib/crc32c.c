// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crc32c.c - the checksum of everything that rblk writes, for much data
 */
#include "crc32c.h"

#define POLYNOMIAL	0x82f63b78U	/* reflected */

static uint32_t table[256];

static void fill_table(void)
{
	uint32_t i, crc;
	int bit;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[i] = crc;
	}
}

uint32_t rblk_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	const uint8_t *byte = data;

	if (!table[255])
		fill_table();
	while (bytes--)
		crc = crc >> 8 ^ table[(crc ^ *byte++) & 0xff];
	return crc;
}

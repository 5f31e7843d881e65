// SPDX-License-Identifier: GPL-2.0-or-later
/* crc32c, eight bytes at a time. */
#include "stamp.h"

static uint32_t table[8][256];

static __attribute__((constructor)) void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78 : 0);
		table[0][i] = c;
	}
	for (int k = 1; k < 8; k++)
		for (uint32_t i = 0; i < 256; i++)
			table[k][i] = table[k - 1][i] >> 8 ^
				      table[0][table[k - 1][i] & 0xff];
}

uint32_t crc32c(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t c = ~0U;

	for (; len >= 8; p += 8, len -= 8) {
		uint64_t w;

		memcpy(&w, p, 8);
		w ^= c;
		c = table[7][w & 0xff] ^ table[6][w >> 8 & 0xff] ^
		    table[5][w >> 16 & 0xff] ^ table[4][w >> 24 & 0xff] ^
		    table[3][w >> 32 & 0xff] ^ table[2][w >> 40 & 0xff] ^
		    table[1][w >> 48 & 0xff] ^ table[0][w >> 56];
	}
	for (; len; p++, len--)
		c = c >> 8 ^ table[0][(c ^ *p) & 0xff];
	return ~c;
}

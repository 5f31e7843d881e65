// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bytes.c - big-endian fields into and out of a buffer
 */
#include "bytes.h"

#include "text.h"

#include <endian.h>
#include <string.h>

void rblk_bytes_put(struct rblk_bytes *b, const void *bytes, size_t n)
{
	if (n > b->left) {
		b->bad = true;
		return;
	}
	memcpy(b->at, bytes, n);
	b->at += n;
	b->left -= n;
}

void rblk_bytes_put_u8(struct rblk_bytes *b, uint8_t v)
{
	rblk_bytes_put(b, &v, sizeof(v));
}

void rblk_bytes_put_u16(struct rblk_bytes *b, uint16_t v)
{
	v = htobe16(v);
	rblk_bytes_put(b, &v, sizeof(v));
}

void rblk_bytes_put_u32(struct rblk_bytes *b, uint32_t v)
{
	v = htobe32(v);
	rblk_bytes_put(b, &v, sizeof(v));
}

void rblk_bytes_put_u64(struct rblk_bytes *b, uint64_t v)
{
	v = htobe64(v);
	rblk_bytes_put(b, &v, sizeof(v));
}

void rblk_bytes_put_name(struct rblk_bytes *b, const char *name)
{
	rblk_bytes_put_u8(b, strlen(name));
	rblk_bytes_put(b, name, strlen(name));
}

void rblk_bytes_get(struct rblk_bytes *b, void *bytes, size_t n)
{
	if (n > b->left) {
		b->bad = true;
		memset(bytes, 0, n);
		return;
	}
	memcpy(bytes, b->at, n);
	b->at += n;
	b->left -= n;
}

uint8_t rblk_bytes_get_u8(struct rblk_bytes *b)
{
	uint8_t v;

	rblk_bytes_get(b, &v, sizeof(v));
	return v;
}

uint16_t rblk_bytes_get_u16(struct rblk_bytes *b)
{
	uint16_t v;

	rblk_bytes_get(b, &v, sizeof(v));
	return be16toh(v);
}

uint32_t rblk_bytes_get_u32(struct rblk_bytes *b)
{
	uint32_t v;

	rblk_bytes_get(b, &v, sizeof(v));
	return be32toh(v);
}

uint64_t rblk_bytes_get_u64(struct rblk_bytes *b)
{
	uint64_t v;

	rblk_bytes_get(b, &v, sizeof(v));
	return be64toh(v);
}

void rblk_bytes_get_name(struct rblk_bytes *b, char name[RBLK_NAME_SIZE])
{
	size_t len = rblk_bytes_get_u8(b);

	name[0] = '\0';
	if (len >= RBLK_NAME_SIZE || len > b->left) {
		b->bad = true;
		return;
	}
	rblk_bytes_get(b, name, len);
	name[len] = '\0';
	if (!rblk_text_name_is_valid(name))
		b->bad = true;
}

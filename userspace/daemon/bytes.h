/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bytes.h - big-endian fields into and out of a buffer, never past its end
 */
#ifndef RBLK_BYTES_H
#define RBLK_BYTES_H

#include <rblk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place in a buffer; what does not fit any more sets bad. */
struct rblk_bytes {
	uint8_t *at;
	size_t left;
	bool bad;
};

void rblk_bytes_put(struct rblk_bytes *b, const void *bytes, size_t n);
void rblk_bytes_put_u8(struct rblk_bytes *b, uint8_t v);
void rblk_bytes_put_u16(struct rblk_bytes *b, uint16_t v);
void rblk_bytes_put_u32(struct rblk_bytes *b, uint32_t v);
void rblk_bytes_put_u64(struct rblk_bytes *b, uint64_t v);
void rblk_bytes_put_name(struct rblk_bytes *b, const char *name);

/* Past the end these give zeroes. */
void rblk_bytes_get(struct rblk_bytes *b, void *bytes, size_t n);
uint8_t rblk_bytes_get_u8(struct rblk_bytes *b);
uint16_t rblk_bytes_get_u16(struct rblk_bytes *b);
uint32_t rblk_bytes_get_u32(struct rblk_bytes *b);
uint64_t rblk_bytes_get_u64(struct rblk_bytes *b);
/* A length byte and a valid name; else "" and bad. */
void rblk_bytes_get_name(struct rblk_bytes *b, char name[RBLK_NAME_SIZE]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the writer puts into every sector, and what it tells the outside about
 * every operation.
 */
#ifndef RBLK_CRASH_STAMP_H
#define RBLK_CRASH_STAMP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	SECTOR = 512,
	BLOCK = 4096,
	SECTORS_PER_BLOCK = BLOCK / SECTOR,
	MAX_DEVS = 2,
};

#define STAMP_MAGIC  UINT64_C(0x706d7461736b6c62)	/* "blkstamp" */
#define RECORD_MAGIC UINT32_C(0x64726365)		/* "ecrd" */

/*
 * @lba: where this sector belongs, in sectors from the start of the device
 * @seq: of the write; one sequence for all devices
 * @issue_ns: when the write was issued (CLOCK_MONOTONIC)
 * @floor: all writes up to this one had completed by then
 * @crc: crc32c of the sector, with this field zero
 */
struct stamp {
	uint64_t magic;
	uint64_t lba;
	uint64_t seq;
	uint64_t issue_ns;
	uint64_t floor;
	uint32_t epoch;
	uint32_t writer;
	uint16_t sector;
	uint16_t dev;
	uint16_t nr_blocks;
	uint16_t flags;
	uint32_t reserved;
	uint32_t crc;
	uint8_t filler[SECTOR - 64];
};
_Static_assert(sizeof(struct stamp) == SECTOR, "a stamp fills its sector");

enum record_op {
	OP_OPEN = 1,	/* the device was opened; block: how many there are */
	OP_WRITE,
	OP_ZERO,	/* the blocks read as zeroes afterwards */
	OP_FLUSH,
	OP_READ,	/* of one block; seq: what was found there */
	OP_CLOSE,
};

enum {
	REC_ISSUED	= 1 << 0,	/* about to be issued; else: completed */
	REC_FUA		= 1 << 1,
	REC_TORN	= 1 << 2,	/* read: two versions, a write was in flight */
	REC_BAD		= 1 << 3,	/* read: what must never be found */
	REC_CHAIN	= 1 << 4,	/* of a numbered chain */
};

/* Times are of CLOCK_MONOTONIC; complete is 0 while nothing is known. */
struct record {
	uint32_t magic;
	uint8_t op;
	uint8_t dev;
	uint8_t node;
	uint8_t flags;
	uint64_t seq;
	uint64_t block;
	uint64_t issue;
	uint64_t complete;
	uint32_t nr_blocks;
	int32_t result;
	uint32_t epoch;
	uint32_t crc;	/* crc32c of what is before it */
};
_Static_assert(sizeof(struct record) == 56, "records have no padding");

uint32_t crc32c(const void *data, size_t len);

/* splitmix64 */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint64_t random_below(uint64_t *state, uint64_t limit)
{
	return random_next(state) % limit;
}

/* Fill one sector; @s holds everything but lba, sector, filler and crc. */
static inline void stamp_sector(struct stamp *out, const struct stamp *s,
				uint64_t block, unsigned int sector)
{
	uint64_t state, word;

	memcpy(out, s, offsetof(struct stamp, filler));
	out->magic = STAMP_MAGIC;
	out->lba = block * SECTORS_PER_BLOCK + sector;
	out->sector = sector;
	state = out->seq * 31 + out->lba;
	for (size_t i = 0; i < sizeof(out->filler); i += sizeof(word)) {
		word = state += UINT64_C(0x9e3779b97f4a7c15);
		memcpy(out->filler + i, &word, sizeof(word));
	}
	out->crc = 0;
	out->crc = crc32c(out, sizeof(*out));
}

enum sector_kind {
	SECTOR_ZERO,
	SECTOR_STAMP,
	SECTOR_GARBAGE,		/* neither zeroes nor a whole stamp */
	SECTOR_MISPLACED,	/* a whole stamp that belongs elsewhere */
};

static inline enum sector_kind read_sector(const void *data, unsigned int dev,
					   uint64_t block, unsigned int sector,
					   struct stamp *out)
{
	static const uint8_t zeroes[SECTOR];
	uint32_t crc;

	if (!memcmp(data, zeroes, SECTOR))
		return SECTOR_ZERO;
	memcpy(out, data, SECTOR);
	crc = out->crc;
	out->crc = 0;
	if (out->magic != STAMP_MAGIC || crc != crc32c(out, SECTOR))
		return SECTOR_GARBAGE;
	if (out->dev != dev || out->sector != sector ||
	    out->lba != block * SECTORS_PER_BLOCK + sector)
		return SECTOR_MISPLACED;
	return SECTOR_STAMP;
}

/*
 * The chain of --dependent: where number @seq (1, 2, ...) is written. The
 * steps go through all blocks of all devices before one is written again.
 */
static inline uint64_t chain_place(uint64_t seq, unsigned int nr_devs,
				   uint64_t nr_blocks, unsigned int *dev)
{
	uint64_t n = seq - 1, step = 0;

	*dev = n % nr_devs;
	/* an odd step is coprime to a power of two; others go one by one */
	step = nr_blocks & (nr_blocks - 1) ? 1 : nr_blocks / 2 + 37;
	step |= 1;
	return n / nr_devs * step % nr_blocks;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * archive.h - the divergence archive: what a node held before its branch was
 * given up. Documentation/divergence.rst is the format.
 *
 * Pure: bytes in, values out. Who reads calls get_head(), then get_record() for
 * each record in turn until the end record; a file that ends before is not whole.
 * Nothing of what these refuse is ever used.
 */
#ifndef RBLK_ARCHIVE_H
#define RBLK_ARCHIVE_H

#include <rblk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RBLK_ARCHIVE_VERSION		1
#define RBLK_ARCHIVE_HEAD_BYTES		4096U
#define RBLK_ARCHIVE_RECORD_BYTES	32U
#define RBLK_ARCHIVE_DATA_MAX		(1U << 20)	/* of one record */
#define RBLK_ARCHIVE_BLOCK		4096U	/* what is all zero is left out */
#define RBLK_ARCHIVE_UNKNOWN		UINT64_MAX

enum rblk_archive_error {
	RBLK_ARCHIVE_OK,
	RBLK_ARCHIVE_NONE,		/* no archive at all */
	RBLK_ARCHIVE_NEWER,		/* of another version */
	RBLK_ARCHIVE_DAMAGED,		/* a checksum differs */
	RBLK_ARCHIVE_IMPOSSIBLE,	/* good checksums, impossible content */
	RBLK_ARCHIVE_SHORT,		/* it ends before its end record */
	RBLK_ARCHIVE_LONGER,		/* something follows the end record */
};

const char *rblk_archive_strerror(enum rblk_archive_error error);

/* One volume; those of an archive ascend by id. */
struct rblk_archive_volume {
	uint8_t id;
	uint64_t bytes;
};

/* Whose data it is, and where the two branches parted. */
struct rblk_archive_head {
	uint8_t set[RBLK_UUID_SIZE];		/* the resource's uuid */
	char resource[RBLK_NAME_SIZE];
	char node[RBLK_NAME_SIZE];		/* whose data this was */
	char winner[RBLK_NAME_SIZE];		/* whose data replaced it */
	uint8_t node_id;
	uint8_t winner_id;
	uint64_t saved_s;			/* seconds since 1970 */
	uint64_t fork_seq;			/* or RBLK_ARCHIVE_UNKNOWN */
	uint64_t fork_generation;		/* 0: unknown */
	uint64_t seq;				/* of the data in here */
	uint64_t generation;			/* of that operation */
	unsigned int volumes_n;
	struct rblk_archive_volume volumes[RBLK_MAX_VOLUMES];
};

/* Bytes of a volume that follow in the file; or the end. */
struct rblk_archive_record {
	bool is_end;
	uint8_t volume;
	uint32_t bytes;
	uint64_t offset;
	uint32_t data_crc;
};

/* Where somebody is in an archive, reading or writing. */
struct rblk_archive {
	struct rblk_archive_head head;
	uint32_t seed;			/* ties records to their head */
	uint64_t records;		/* so far */
	uint64_t bytes;			/* data so far */
	unsigned int at;		/* index of the volume */
	uint64_t next;			/* lowest offset in it that may follow */
};

/* ---- writing */

/* Begin with @a->head, which is valid. @buf: RBLK_ARCHIVE_HEAD_BYTES. */
void rblk_archive_put_head(struct rblk_archive *a, void *buf);
/* @buf: RBLK_ARCHIVE_RECORD_BYTES, to be followed by @bytes of @data. */
void rblk_archive_put_data(struct rblk_archive *a, void *buf, uint8_t volume,
			   uint64_t offset, const void *data, uint32_t bytes);
void rblk_archive_put_end(struct rblk_archive *a, void *buf);

/*
 * The next run of blocks of @data that are not all zero, from *at on: true with
 * *at and *bytes, or false. The last block may be shorter.
 */
bool rblk_archive_next_run(const uint8_t *data, uint32_t size, uint32_t *at,
			   uint32_t *bytes);

/* ---- reading */

/* Any RBLK_ARCHIVE_HEAD_BYTES; fills all of @a. */
enum rblk_archive_error rblk_archive_get_head(struct rblk_archive *a,
					      const void *buf);
/* Any RBLK_ARCHIVE_RECORD_BYTES; fills @record. */
enum rblk_archive_error
rblk_archive_get_record(struct rblk_archive *a, const void *buf,
			struct rblk_archive_record *record);
/* Are the bytes that follow it those that were written? */
bool rblk_archive_is_good(const struct rblk_archive_record *record,
			  const void *data);

#endif

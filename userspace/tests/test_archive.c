// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_archive.c - what is archived comes back, and damage is noticed
 */
#include "test.h"

#include "archive.h"
#include "crc32c.h"
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK	RBLK_ARCHIVE_BLOCK

static const struct rblk_archive_head head = {
	.set = { 0xa5, 1, 2 }, .resource = "r0", .node = "alpha",
	.winner = "bravo", .node_id = 0, .winner_id = 1,
	.saved_s = 1700000000, .fork_seq = 64, .fork_generation = 16,
	.seq = 96, .generation = 32, .volumes_n = 2,
	.volumes = { { 0, 16 * BLOCK }, { 7, 3 * 512 } },
};

/* An archive in memory. */
struct image {
	uint8_t bytes[64 << 10];
	size_t size;
};

static void add(struct image *i, const void *data, size_t bytes)
{
	assert_true(i->size + bytes <= sizeof(i->bytes));
	memcpy(i->bytes + i->size, data, bytes);
	i->size += bytes;
}

static void add_data(struct image *i, struct rblk_archive *a, uint8_t volume,
		     uint64_t offset, const void *data, uint32_t bytes)
{
	uint8_t record[RBLK_ARCHIVE_RECORD_BYTES];

	rblk_archive_put_data(a, record, volume, offset, data, bytes);
	add(i, record, sizeof(record));
	add(i, data, bytes);
}

static void begin(struct image *i, struct rblk_archive *a)
{
	uint8_t buf[RBLK_ARCHIVE_HEAD_BYTES];

	i->size = 0;
	*a = (struct rblk_archive){ .head = head };
	rblk_archive_put_head(a, buf);
	add(i, buf, sizeof(buf));
}

static void end(struct image *i, struct rblk_archive *a)
{
	uint8_t record[RBLK_ARCHIVE_RECORD_BYTES];

	rblk_archive_put_end(a, record);
	add(i, record, sizeof(record));
}

static void make(struct image *i)
{
	struct rblk_archive a;
	uint8_t data[2 * BLOCK];

	begin(i, &a);
	memset(data, 'a', sizeof(data));
	add_data(i, &a, 0, 2 * BLOCK, data, 2 * BLOCK);
	add_data(i, &a, 0, 15 * BLOCK, data, BLOCK);
	add_data(i, &a, 7, 0, data, 3 * 512);
	end(i, &a);
}

/* As a reader does: everything, in turn. */
static enum rblk_archive_error read_all(const struct image *i, uint64_t *bytes)
{
	struct rblk_archive_record r = { .is_end = false };
	enum rblk_archive_error error;
	struct rblk_archive a;
	size_t at = RBLK_ARCHIVE_HEAD_BYTES;

	if (i->size < at)
		return RBLK_ARCHIVE_NONE;
	error = rblk_archive_get_head(&a, i->bytes);
	while (!error && !r.is_end) {
		if (i->size - at < RBLK_ARCHIVE_RECORD_BYTES)
			return RBLK_ARCHIVE_SHORT;
		error = rblk_archive_get_record(&a, i->bytes + at, &r);
		at += RBLK_ARCHIVE_RECORD_BYTES;
		if (error)
			break;
		if (i->size - at < r.bytes)
			return RBLK_ARCHIVE_SHORT;
		if (!r.is_end && !rblk_archive_is_good(&r, i->bytes + at))
			return RBLK_ARCHIVE_DAMAGED;
		at += r.bytes;
	}
	if (!error && at != i->size)
		return RBLK_ARCHIVE_LONGER;
	*bytes = a.bytes;
	return error;
}

static void written_is_read(void **state)
{
	static struct image i;
	struct rblk_archive a;
	uint64_t bytes = 0;

	(void)state;
	make(&i);
	assert_int_equal(read_all(&i, &bytes), RBLK_ARCHIVE_OK);
	assert_int_equal(bytes, 3 * BLOCK + 3 * 512);
	assert_int_equal(rblk_archive_get_head(&a, i.bytes), RBLK_ARCHIVE_OK);
	assert_memory_equal(&a.head, &head, sizeof(head));
	/* the checksum of everything else here: of "123456789" */
	assert_int_equal(~rblk_crc32c(~0U, "123456789", 9), 0xe3069283);
}

/* Every shorter file, and every flipped bit, is refused by name. */
static void torn_and_flipped(void **state)
{
	static struct image i;
	uint64_t bytes;
	size_t at, whole;

	(void)state;
	make(&i);
	whole = i.size;
	for (i.size = 0; i.size < whole; i.size++)
		assert_int_equal(read_all(&i, &bytes),
				 i.size < RBLK_ARCHIVE_HEAD_BYTES ?
				 RBLK_ARCHIVE_NONE : RBLK_ARCHIVE_SHORT);
	for (at = 0; at < whole; at++) {
		i.bytes[at] ^= 1 << at % 8;
		assert_int_equal(read_all(&i, &bytes),
				 at < 8 ? RBLK_ARCHIVE_NONE :
				 at < 10 ? RBLK_ARCHIVE_NEWER :
				 RBLK_ARCHIVE_DAMAGED);
		i.bytes[at] ^= 1 << at % 8;
	}
	add(&i, "x", 1);
	assert_int_equal(read_all(&i, &bytes), RBLK_ARCHIVE_LONGER);
}

/* Records of one archive are not those of another. */
static void mixed_up(void **state)
{
	static struct image i, other;
	struct rblk_archive a = { .head = head };
	uint64_t bytes;

	(void)state;
	make(&i);
	make(&other);
	a.head.saved_s++;
	rblk_archive_put_head(&a, other.bytes);
	assert_int_equal(read_all(&other, &bytes), RBLK_ARCHIVE_DAMAGED);
	/* one left out: all numbers behind it are wrong */
	memmove(i.bytes + RBLK_ARCHIVE_HEAD_BYTES,
		i.bytes + RBLK_ARCHIVE_HEAD_BYTES + RBLK_ARCHIVE_RECORD_BYTES +
		2 * BLOCK, i.size - RBLK_ARCHIVE_HEAD_BYTES -
		RBLK_ARCHIVE_RECORD_BYTES - 2 * BLOCK);
	i.size -= RBLK_ARCHIVE_RECORD_BYTES + 2 * BLOCK;
	assert_int_equal(read_all(&i, &bytes), RBLK_ARCHIVE_IMPOSSIBLE);
}

static void impossible_records(void **state)
{
	static const struct {
		uint8_t volume;
		uint64_t offset;
		uint32_t bytes;
	} bad[] = {
		{ 1, 0, BLOCK },		/* no such volume */
		{ 0, 0, BLOCK },		/* before the one before */
		{ 0, 2 * BLOCK, BLOCK },	/* on top of it */
		{ 0, 15 * BLOCK, 2 * BLOCK },	/* beyond the end */
		{ 0, UINT64_MAX - 511, 512 },
		{ 0, 4 * BLOCK, 0 },
		{ 0, 4 * BLOCK, 100 },
		{ 0, 4 * BLOCK + 1, 512 },
		{ 0, 4 * BLOCK, 2 << 20 },
	};
	static struct image i;
	static uint8_t data[2 << 20];
	struct rblk_archive_record r;
	struct rblk_archive a, reader;
	uint8_t record[RBLK_ARCHIVE_RECORD_BYTES];
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		begin(&i, &a);
		assert_int_equal(rblk_archive_get_head(&reader, i.bytes), 0);
		rblk_archive_put_data(&a, record, 0, BLOCK, data, 2 * BLOCK);
		assert_int_equal(rblk_archive_get_record(&reader, record, &r),
				 0);
		rblk_archive_put_data(&a, record, bad[n].volume, bad[n].offset,
				      data, bad[n].bytes);
		assert_int_equal(rblk_archive_get_record(&reader, record, &r),
				 RBLK_ARCHIVE_IMPOSSIBLE);
	}
	/* an end that knows of other data */
	begin(&i, &a);
	assert_int_equal(rblk_archive_get_head(&reader, i.bytes), 0);
	a.bytes = 512;
	rblk_archive_put_end(&a, record);
	assert_int_equal(rblk_archive_get_record(&reader, record, &r),
			 RBLK_ARCHIVE_IMPOSSIBLE);
}

static void impossible_heads(void **state)
{
	static uint8_t buf[RBLK_ARCHIVE_HEAD_BYTES];
	struct rblk_archive a;
	int n;

	(void)state;
	for (n = 0; n < 7; n++) {
		a = (struct rblk_archive){ .head = head };
		if (n == 0)
			a.head.volumes_n = 0;
		else if (n == 1)
			a.head.volumes[1].id = 0;
		else if (n == 2)
			a.head.volumes[0].bytes = 0;
		else if (n == 3)
			a.head.volumes[0].bytes = 513;
		else if (n == 4)
			strcpy(a.head.node, "a/b");
		else if (n == 5)
			a.head.winner_id = a.head.node_id;
		else
			a.head.node_id = 16;
		rblk_archive_put_head(&a, buf);
		assert_int_equal(rblk_archive_get_head(&a, buf),
				 RBLK_ARCHIVE_IMPOSSIBLE);
	}
}

static void zeroes_are_left_out(void **state)
{
	static uint8_t data[5 * BLOCK + 512];
	uint32_t at = 0, bytes;

	(void)state;
	assert_false(rblk_archive_next_run(data, sizeof(data), &at, &bytes));
	data[BLOCK] = 1;
	data[3 * BLOCK - 1] = 1;
	data[5 * BLOCK + 511] = 1;
	at = 0;
	assert_true(rblk_archive_next_run(data, sizeof(data), &at, &bytes));
	assert_int_equal(at, BLOCK);
	assert_int_equal(bytes, 2 * BLOCK);
	at += bytes;
	assert_true(rblk_archive_next_run(data, sizeof(data), &at, &bytes));
	assert_int_equal(at, 5 * BLOCK);
	assert_int_equal(bytes, 512);
	at += bytes;
	assert_false(rblk_archive_next_run(data, sizeof(data), &at, &bytes));
}

/* Whole or not at all, and never in place of something. */
static void files_appear_whole(void **state)
{
	char dir[] = "/tmp/rblk-outfile-XXXXXX", path[64], command[96];
	struct rblk_outfile f;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	assert_true(rblk_outfile_open(&f, path));
	assert_true(rblk_outfile_write(&f, "abc", 3));
	assert_int_not_equal(stat(path, &st), 0);
	rblk_outfile_close(&f);
	assert_int_not_equal(stat(path, &st), 0);
	assert_int_equal(rmdir(dir), 0);	/* nothing is left */

	assert_int_equal(mkdir(dir, 0700), 0);
	assert_true(rblk_outfile_open(&f, path));
	assert_true(rblk_outfile_resize(&f, 10));
	assert_true(rblk_outfile_write_at(&f, 5, "abc", 3));
	/* somebody was faster */
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_false(rblk_outfile_commit(&f));
	assert_int_equal(errno, EEXIST);
	unlink(path);
	assert_true(rblk_outfile_commit(&f));
	rblk_outfile_close(&f);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 10);
	assert_false(rblk_outfile_open(&f, path));
	assert_int_equal(errno, EEXIST);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_is_read),
		cmocka_unit_test(torn_and_flipped),
		cmocka_unit_test(mixed_up),
		cmocka_unit_test(impossible_records),
		cmocka_unit_test(impossible_heads),
		cmocka_unit_test(zeroes_are_left_out),
		cmocka_unit_test(files_appear_whole),
	};

	return RUN(tests);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_store.c - generations survive, and damage is noticed
 */
#include "test.h"

#include "store.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/rblk-store-XXXXXX";

static struct rblk_store_record record(uint64_t generation)
{
	struct rblk_store_record r = { .generation = generation };

	memset(r.uuid, 0xa5, sizeof(r.uuid));
	return r;
}

static void saved_is_loaded(void **state)
{
	struct rblk_store_record out = record(0), in;
	uint64_t generations[] = { 1, 2, UINT64_MAX };
	size_t i;

	(void)state;
	assert_int_equal(rblk_store_load(dir, "r0", &out), -ENOENT);
	for (i = 0; i < 3; i++) {
		in = record(generations[i]);
		assert_int_equal(rblk_store_save(dir, "r0", &in), 0);
		assert_int_equal(rblk_store_load(dir, "r0", &out), 0);
		assert_int_equal(out.generation, generations[i]);
	}
}

static size_t read_state(char *text, size_t size)
{
	char *path = rblk_xasprintf("%s/r1.state", dir);
	FILE *f = fopen(path, "r");
	size_t n = fread(text, 1, size, f);

	fclose(f);
	free(path);
	return n;
}

static void write_state(const char *text, size_t len)
{
	char *path = rblk_xasprintf("%s/r1.state", dir);
	FILE *f = fopen(path, "w");

	fwrite(text, 1, len, f);
	fclose(f);
	free(path);
}

/* Every shorter file, and every flipped bit, is damage. */
static void torn_and_flipped(void **state)
{
	struct rblk_store_record in = record(41), out = record(0);
	char text[512];
	size_t len, i;

	(void)state;
	assert_int_equal(rblk_store_save(dir, "r1", &in), 0);
	len = read_state(text, sizeof(text));
	for (i = 0; i < len; i++) {
		write_state(text, i);
		assert_int_equal(rblk_store_load(dir, "r1", &out), -EBADMSG);
		assert_int_equal(out.generation, 0);
	}
	for (i = 0; i < len * 8; i++) {
		text[i / 8] ^= 1 << i % 8;
		write_state(text, len);
		assert_int_equal(rblk_store_load(dir, "r1", &out), -EBADMSG);
		text[i / 8] ^= 1 << i % 8;
	}
	write_state(text, len);
	assert_int_equal(rblk_store_load(dir, "r1", &out), 0);
	assert_int_equal(out.generation, 41);
}

static void of_another(void **state)
{
	struct rblk_store_record in = record(5), out = record(0);
	char text[512];
	size_t len;

	(void)state;
	assert_int_equal(rblk_store_save(dir, "r1", &in), 0);
	out.uuid[0] ^= 1;
	assert_int_equal(rblk_store_load(dir, "r1", &out), -ESTALE);
	/* a file copied under another name is not taken either */
	assert_int_equal(rblk_store_save(dir, "r2", &in), 0);
	len = read_state(text, sizeof(text));
	write_state(text, len);
	out = record(0);
	{
		char *from = rblk_xasprintf("%s/r2.state", dir);
		char *to = rblk_xasprintf("%s/r1.state", dir);

		assert_int_equal(rename(from, to), 0);
		free(from);
		free(to);
	}
	assert_int_equal(rblk_store_load(dir, "r1", &out), -EBADMSG);
}

static void failed_save_keeps_the_old(void **state)
{
	struct rblk_store_record in = record(8), out = record(0);
	char *block = rblk_xasprintf("%s/.r3.state.new", dir);

	(void)state;
	assert_int_equal(rblk_store_save(dir, "r3", &in), 0);
	assert_int_equal(mkdir(block, 0700), 0);	/* nobody can open it */
	in.generation = 9;
	assert_int_not_equal(rblk_store_save(dir, "r3", &in), 0);
	assert_int_equal(rblk_store_load(dir, "r3", &out), 0);
	assert_int_equal(out.generation, 8);
	rmdir(block);
	free(block);
	assert_int_equal(rblk_store_save("/nonexistent", "r3", &in), -ENOENT);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char *command = rblk_xasprintf("rm -rf %s", dir);
	int rc = system(command);

	(void)state;
	free(command);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saved_is_loaded),
		cmocka_unit_test(torn_and_flipped),
		cmocka_unit_test(of_another),
		cmocka_unit_test(failed_save_keeps_the_old),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_history.c - records of failovers are kept, whatever a crash did to the file
 */
#include "test.h"

#include "history.h"
#include "log.h"
#include "xalloc.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/rblk-history-XXXXXX";

static char *path_of(const char *name)
{
	return rblk_xasprintf("%s/%s", dir, name);
}

static void add(const char *resource, uint64_t generation)
{
	struct rblk_history_record r = {
		.kind = "failover", .generation = generation,
		.decided_ms = 1000 * generation, .reason = "alpha failed",
	};

	assert_int_equal(rblk_history_add(dir, resource, &r, "alpha", "bravo"), 0);
}

/* How many are read; what is logged meanwhile is in the file "log". */
static size_t read_all(const char *resource)
{
	char *path = path_of("log");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), old = dup(2);
	json_t *records;
	size_t n;

	fflush(stderr);
	dup2(fd, 2);
	records = rblk_history_read(dir, resource);
	fflush(stderr);
	dup2(old, 2);
	close(old);
	close(fd);
	n = json_array_size(records);
	json_decref(records);
	free(path);
	return n;
}

static bool was_logged(const char *what)
{
	char *path = path_of("log"), text[1024] = "";
	FILE *f = fopen(path, "r");
	size_t n = fread(text, 1, sizeof(text) - 1, f);

	text[n] = '\0';
	fclose(f);
	free(path);
	return strstr(text, what);
}

static off_t size_of(const char *name, off_t cut)
{
	char *path = path_of(name);
	int fd = open(path, O_RDWR);
	off_t size = lseek(fd, 0, SEEK_END);

	assert_int_equal(ftruncate(fd, size - cut), 0);
	close(fd);
	free(path);
	return size;
}

static void kept(void **state)
{
	(void)state;
	assert_int_equal(read_all("none"), 0);
	add("r0", 1);
	add("r0", 2);
	add("r0", 2);	/* the same one, with more to say */
	assert_int_equal(read_all("r0"), 2);
	assert_false(was_logged("damaged"));
}

/* Wherever the last line was torn: the next record is whole, and the reader says so. */
static void torn_line_spoils_nothing_else(void **state)
{
	off_t before, after, cut;

	(void)state;
	add("r1", 1);
	before = size_of("r1.history", 0);
	add("r1", 2);
	after = size_of("r1.history", 0);
	for (cut = 1; cut < after - before; cut++) {
		size_of("r1.history", cut);
		/* without the newline alone it is whole */
		assert_int_equal(read_all("r1"), cut == 1 ? 2 : 1);
		assert_int_equal(was_logged("r1: line 2 of its history is damaged"),
				 cut > 1);
		add("r1", 3);
		assert_int_equal(read_all("r1"), cut == 1 ? 3 : 2);
		size_of("r1.history", size_of("r1.history", 0) - before);
		add("r1", 2);
		assert_int_equal(size_of("r1.history", 0), after);
	}
}

static void bounded(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 1; i < 2000; i++)
		add("r2", i);
	assert_true(size_of("r2.history", 0) <= RBLK_HISTORY_MAX_BYTES + 1024);
	assert_in_range(read_all("r2"), 100, 1000);
	assert_false(was_logged("damaged"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept),
		cmocka_unit_test(torn_line_spoils_nothing_else),
		cmocka_unit_test(bounded),
	};
	char *command;
	int rc;

	rblk_log_init(RBLK_LOG_INFO, 0);
	if (!mkdtemp(dir))
		return 1;
	rc = RUN(tests);
	command = rblk_xasprintf("rm -r %s", dir);
	if (system(command) != 0)
		rc = 1;
	free(command);
	return rc;
}

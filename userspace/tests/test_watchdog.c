// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_watchdog.c - the daemon's signs of life, above a file instead of a device
 */
#include "test.h"

#include "log.h"
#include "watchdog.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uv_loop_t loop;
static struct rblk_watchdog w;
static char path[64], why[512];
static int set_to, makes, fails;	/* seconds; what the device makes of them */
static unsigned int signs;
static bool well;

static int set_timeout(int fd, int *seconds)
{
	assert_true(fd >= 0);
	set_to = *seconds;
	if (makes)
		*seconds = makes;
	return fails;
}

static int keep_alive(int fd)
{
	assert_true(fd >= 0);
	signs++;
	return 0;
}

static const struct rblk_watchdog_ops ops = {
	.set_timeout = set_timeout, .keep_alive = keep_alive,
};

static bool is_well(void *ctx)
{
	assert_ptr_equal(ctx, &loop);
	return well;
}

static int begin(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/rblk-watchdog.XXXXXX");
	fd = mkstemp(path);
	close(fd);
	makes = 0;
	fails = 0;
	signs = 0;
	well = true;
	uv_loop_init(&loop);
	rblk_watchdog_init(&w, &loop, &ops, is_well, &loop);
	return fd < 0;
}

static int end(void **state)
{
	(void)state;
	uv_run(&loop, UV_RUN_DEFAULT);
	unlink(path);
	return uv_loop_close(&loop);
}

/* What was written to the device: "V" stops it. */
static bool was_stopped(void)
{
	char text[4] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text));

	close(fd);
	return n == 1 && text[0] == 'V';
}

static void signs_while_well(void **state)
{
	unsigned int before;

	(void)state;
	assert_true(rblk_watchdog_use(&w, path, 2, 5, why, sizeof(why)));
	assert_int_equal(set_to, 2);
	while (signs < 3)
		uv_run(&loop, UV_RUN_ONCE);
	before = signs;
	well = false;
	while (!w.is_silent)
		uv_run(&loop, UV_RUN_ONCE);
	uv_run(&loop, UV_RUN_ONCE);
	uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(signs, before);
	well = true;
	while (signs == before)
		uv_run(&loop, UV_RUN_ONCE);
	assert_false(was_stopped());
	rblk_watchdog_close(&w, true);
	assert_true(was_stopped());
}

/* Something is primary: the device goes on, and resets unless somebody is in time. */
static void not_stopped(void **state)
{
	(void)state;
	assert_true(rblk_watchdog_use(&w, path, 1, 5, why, sizeof(why)));
	rblk_watchdog_close(&w, false);
	assert_false(was_stopped());
}

static void refused(void **state)
{
	char *want;

	(void)state;
	makes = 30;
	assert_false(rblk_watchdog_use(&w, path, 4, 1000, why, sizeof(why)));
	want = rblk_xasprintf("watchdog %s makes 30 s of a timeout of 4 s: another node would be promoted before; use another device, or a longer lease",
			      path);
	assert_string_equal(why, want);
	free(want);
	/* and it is not left running */
	assert_true(was_stopped());
	makes = 0;
	fails = -EINVAL;
	assert_false(rblk_watchdog_use(&w, path, 4, 1000, why, sizeof(why)));
	assert_non_null(strstr(why, "a timeout of 4 s cannot be set: Invalid argument"));
	assert_false(rblk_watchdog_use(&w, "/dev/null/none", 4, 1000, why, sizeof(why)));
	assert_string_equal(why, "watchdog /dev/null/none: Not a directory");
	rblk_watchdog_close(&w, true);
}

/* A device may be quicker than asked for. Another one takes its place, or none. */
static void changed(void **state)
{
	(void)state;
	makes = 1;
	assert_true(rblk_watchdog_use(&w, path, 4, 1000, why, sizeof(why)));
	assert_true(rblk_watchdog_use(&w, path, 3, 1000, why, sizeof(why)));
	assert_int_equal(set_to, 3);
	assert_false(was_stopped());
	assert_true(rblk_watchdog_use(&w, "/dev/null", 3, 1000, why, sizeof(why)));
	assert_true(was_stopped());
	assert_true(rblk_watchdog_use(&w, NULL, 0, 1000, why, sizeof(why)));
	assert_null(w.path);
	rblk_watchdog_close(&w, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(signs_while_well, begin, end),
		cmocka_unit_test_setup_teardown(not_stopped, begin, end),
		cmocka_unit_test_setup_teardown(refused, begin, end),
		cmocka_unit_test_setup_teardown(changed, begin, end),
	};

	return RUN(tests);
}

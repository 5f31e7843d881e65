// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_ballot_store.c - a register survives starts, and is nobody else's
 */
#include "test.h"

#include "ballot_store.h"
#include "text.h"
#include "xalloc.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[] = "/tmp/rblk-ballot-XXXXXX";
static char state_dir[64], outside_dir[64];

static const struct rblk_arbiter_store first = {
	.record = { .version = 1, .primary = RBLK_ARBITER_NOBODY, .insync = 3,
		    .voters = 7, .voters_before = 7 },
};

static struct rblk_ballot_place place(const char *resource)
{
	struct rblk_ballot_place p = {
		.state_dir = state_dir, .outside_dir = outside_dir, .node = 1,
	};

	rblk_text_copy(p.resource, sizeof(p.resource), resource);
	memset(p.uuid, 0x5a, sizeof(p.uuid));
	return p;
}

static void run(const char *fmt, const char *a, const char *b)
{
	char *command;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	command = rblk_xasprintf(fmt, a, b);
#pragma GCC diagnostic pop
	assert_int_equal(system(command), 0);
	free(command);
}

static void create(const struct rblk_ballot_place *p)
{
	struct rblk_ballot_store s;
	char why[1024];

	assert_true(rblk_ballot_create(&s, p, &first, why, sizeof(why)));
	rblk_ballot_close(&s);
}

/* A start, and a promise made after it. */
static void start_and_promise(const struct rblk_ballot_place *p,
			      uint64_t before, uint64_t promised)
{
	struct rblk_arbiter_store kept;
	struct rblk_ballot_store s;
	char why[1024] = "";

	if (!rblk_ballot_open(&s, p, &kept, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(kept.promised, before);
	kept.promised = promised;
	assert_int_equal(rblk_ballot_write(&s, &kept), 0);
	rblk_ballot_close(&s);
}

static void must_be_mute(const struct rblk_ballot_place *p, const char *words)
{
	struct rblk_arbiter_store kept;
	struct rblk_ballot_store s;
	char why[1024] = "";

	assert_false(rblk_ballot_open(&s, p, &kept, why, sizeof(why)));
	assert_int_equal(s.fd, -1);
	if (!strstr(why, words))
		fail_msg("\"%s\" does not say \"%s\"", why, words);
}

static void survives_starts(void **state)
{
	struct rblk_ballot_place p = place("r0");
	uint64_t i;

	(void)state;
	assert_false(rblk_ballot_exists(&p));
	must_be_mute(&p, "rblk create r0");
	create(&p);
	assert_true(rblk_ballot_exists(&p));
	for (i = 0; i < 5; i++)
		start_and_promise(&p, i * 256, (i + 1) * 256);
}

static void one_process_has_it(void **state)
{
	struct rblk_ballot_place p = place("r1");
	struct rblk_arbiter_store kept;
	struct rblk_ballot_store s, t;
	char why[1024];

	(void)state;
	create(&p);
	assert_true(rblk_ballot_open(&s, &p, &kept, why, sizeof(why)));
	must_be_mute(&p, "another process has it");
	assert_false(rblk_ballot_create(&t, &p, &first, why, sizeof(why)));
	assert_non_null(strstr(why, "rblkd uses it"));
	rblk_ballot_close(&s);
	start_and_promise(&p, 0, 256);
}

/* A copy from before the last start is recognised. */
static void old_copy_is_mute(void **state)
{
	struct rblk_ballot_place p = place("r2");

	(void)state;
	create(&p);
	start_and_promise(&p, 0, 256);
	run("cp %s/r2.arbiter %s/r2.saved", state_dir, top);
	start_and_promise(&p, 256, 512);
	run("cp %2$s/r2.saved %1$s/r2.arbiter", state_dir, top);
	must_be_mute(&p, "another");
}

static void lost_or_moved_is_mute(void **state)
{
	struct rblk_ballot_place p = place("r3"), other;

	(void)state;
	create(&p);
	start_and_promise(&p, 0, 256);
	/* the same directories, as another node or resource */
	other = p;
	other.node = 2;
	must_be_mute(&other, "another node or resource");
	other = p;
	other.uuid[0] ^= 1;
	must_be_mute(&other, "another node or resource");
	run("mv %s/r3.arbiter %s/r3.saved", state_dir, top);
	must_be_mute(&p, "No such file");
	assert_true(rblk_ballot_exists(&p));
	run("mv %2$s/r3.saved %1$s/r3.arbiter", state_dir, top);
	start_and_promise(&p, 256, 512);
	run("mv %s/r3.instance %s/r3.saved", outside_dir, top);
	must_be_mute(&p, "No such file");
	run("sed s/^machine.*/machine\\ 0123/ %2$s/r3.saved >%1$s/r3.instance",
	    outside_dir, top);
	must_be_mute(&p, "damaged");
	run("mv %2$s/r3.saved %1$s/r3.instance", outside_dir, top);
	start_and_promise(&p, 512, 768);
}

static void set_bytes(const char *path, off_t at)
{
	char junk[16];
	int fd = open(path, O_WRONLY);

	memset(junk, 0xee, sizeof(junk));
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
	close(fd);
}

static void damage_is_noticed(void **state)
{
	struct rblk_ballot_place p = place("r4");
	char path[PATH_MAX];

	(void)state;
	create(&p);
	start_and_promise(&p, 0, 256);
	rblk_text_format(path, sizeof(path), "%s/r4.arbiter", state_dir);
	/* serials: 2 by create, 2 by the start, 1 by the promise: slot 1 */
	set_bytes(path, 40);
	start_and_promise(&p, 256, 512);
	set_bytes(path, 40);
	set_bytes(path, RBLK_ARBITER_SLOT_BYTES + 40);
	must_be_mute(&p, "checksum");
}

/*
 * A start may be cut off anywhere: outside {x, y} with slots of x, of one each, of
 * y. The next start takes each of these over, and what was promised with it.
 */
static void start_that_was_cut_off(void **state)
{
	static const char *const slots[] = {
		"cp %s/r5.x %s/r5.arbiter",
		"(head -c 512 %1$s/r5.y; tail -c 512 %1$s/r5.x) >%2$s/r5.arbiter",
		"(head -c 512 %1$s/r5.x; tail -c 512 %1$s/r5.y) >%2$s/r5.arbiter",
		"cp %s/r5.y %s/r5.arbiter",
	};
	struct rblk_ballot_place p = place("r5");
	struct rblk_arbiter_store kept;
	struct rblk_ballot_store s;
	char why[1024];
	size_t i;

	(void)state;
	create(&p);
	start_and_promise(&p, 0, 256);
	run("cp %2$s/r5.arbiter %1$s/r5.x", top, state_dir);
	run("cp %2$s/r5.instance %1$s/r5.xx", top, outside_dir);
	assert_true(rblk_ballot_open(&s, &p, &kept, why, sizeof(why)));
	rblk_ballot_close(&s);
	run("cp %2$s/r5.arbiter %1$s/r5.y", top, state_dir);
	/* {y, y}: slots of x are not taken */
	run("cp %s/r5.x %s/r5.arbiter", top, state_dir);
	must_be_mute(&p, "another");
	run("(head -6 %1$s/r5.xx; sed -n 's/^instance/next/p' %2$s/r5.instance) >%1$s/r5.xy",
	    top, outside_dir);
	run("echo sha256 $(sha256sum <%1$s/r5.xy | head -c 64) >>%1$s/r5.xy%2$s",
	    top, "");
	for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		run("cp %s/r5.xy %s/r5.instance", top, outside_dir);
		run(slots[i], top, state_dir);
		start_and_promise(&p, 256, 256);
		/* it is finished: the former ones count no more */
		run("cp %s/r5.x %s/r5.arbiter", top, state_dir);
		must_be_mute(&p, "another");
	}
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	rblk_text_format(state_dir, sizeof(state_dir), "%s/state", top);
	rblk_text_format(outside_dir, sizeof(outside_dir), "%s/outside", top);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	run("rm -rf %s%s", top, "");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_starts),
		cmocka_unit_test(one_process_has_it),
		cmocka_unit_test(old_copy_is_mute),
		cmocka_unit_test(lost_or_moved_is_mute),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(start_that_was_cut_off),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

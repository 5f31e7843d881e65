// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_fence.c - real programs as fence agents: one that works, and all others
 *
 * The agents are shell scripts that switch a file off. The node is off exactly when
 * that file says so; what an agent says is another matter.
 */
#include "test.h"

#include "agent.h"
#include "fence.h"
#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/rblk-test-XXXXXX";

/* What all agents begin with: each name=value becomes $o_name; what was read is kept. */
#define READ_OPTIONS \
	"#!/bin/sh\ncd \"$(dirname \"$0\")\"\n" \
	"while IFS= read -r l; do echo \"$l\" >> read\n" \
	"case $l in action=*) a=${l#action=};; esac; done\n"

static const char works[] = READ_OPTIONS
"case $a in off) echo off > state;; status) grep -q off state && exit 2; exit 0;; esac\n";

struct world {
	uv_loop_t loop;
	struct rblk_fences fences;
	struct rblk_config_node node;
	struct rblk_config_fence fence[4];
	int done;
	bool off;
	int asked, wanted;		/* so often it is */
	uint8_t id;
	char text[700];
};

static void done(void *ctx, uint8_t node, bool off, const char *text)
{
	struct world *w = ctx;

	w->done++;
	w->off = off;
	w->id = node;
	rblk_text_copy(w->text, sizeof(w->text), text);
}

static bool wanted(void *ctx, uint8_t node)
{
	struct world *w = ctx;

	assert_int_equal(node, 3);
	return w->asked++ < w->wanted;
}

static char *path_of(const char *name)
{
	static char path[4][128];
	static int n;

	return rblk_text_format(path[++n % 4], sizeof(path[0]), "%s/%s", dir, name);
}

static void put(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path_of(name), mode);
}

static const char *get(const char *name)
{
	static char text[4096];
	int fd = open(path_of(name), O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

static void add(struct world *w, const char *name, const char *script,
		unsigned int level)
{
	struct rblk_config_fence *f = &w->fence[w->node.fences_n++];

	*f = (struct rblk_config_fence){ .level = level, .timeout_ms = 5000 };
	rblk_text_copy(f->name, sizeof(f->name), name);
	if (!script)
		return;
	put(name, script, 0755);
	f->agent = rblk_xstrdup(path_of(name));
}

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	uv_loop_init(&w->loop);
	rblk_fences_init(&w->fences, &w->loop, done, wanted, w);
	w->node.id = 3;
	w->wanted = 1000;
	w->node.fences = w->fence;
	rblk_text_copy(w->node.name, sizeof(w->node.name), "delta");
	put("state", "on\n", 0644);
	unlink(path_of("read"));
	unlink(path_of("tries"));
}

static void world_exit(struct world *w)
{
	size_t i;

	rblk_fences_close(&w->fences);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	for (i = 0; i < w->node.fences_n; i++)
		free(w->fence[i].agent);
}

/* To the end; then nothing is left: no handle, no child that was not reaped. */
static void run(struct world *w)
{
	rblk_fences_start(&w->fences, &w->node);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(w->done, 1);
	assert_int_equal(w->id, 3);
	assert_null(w->fences.runs);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void one_that_works(void **state)
{
	char *options[] = { "ip=10.0.9.1", "plug=a b" };
	struct world w;

	(void)state;
	world_init(&w);
	add(&w, "ipmi", works, 1);
	put("secrets", "# not for all\npassword=xyzzy\n", 0600);
	w.fence[0].options = options;
	w.fence[0].options_n = 2;
	w.fence[0].options_file = path_of("secrets");
	run(&w);
	assert_true(w.off);
	assert_string_equal(w.text, "by ipmi");
	assert_string_equal(get("state"), "off\n");
	assert_string_equal(get("read"),
			    "ip=10.0.9.1\nplug=a b\npassword=xyzzy\naction=off\n"
			    "ip=10.0.9.1\nplug=a b\npassword=xyzzy\naction=status\n");
	w.fence[0].options = NULL;
	world_exit(&w);
}

/* name: script, what is said then */
static const struct {
	const char *name, *script, *text;
} bad[] = {
	{ "fails", READ_OPTIONS "echo 'one line' >&2; echo 'Failed: no route' >&2; exit 1\n",
	  "fails: off failed, exit code 1: Failed: no route" },
	{ "lies", READ_OPTIONS "exit 0\n",
	  "lies: it said that the node was switched off, and then that it is on" },
	{ "unsure", READ_OPTIONS "test $a = off\n",
	  "unsure: status failed, exit code 1" },
	{ "always-two", READ_OPTIONS "exit 2\n",
	  "always-two: off failed, exit code 2" },
	{ "dies", READ_OPTIONS "kill -9 $$\n",
	  "dies: ended by signal 9 at off" },
	{ "dies-late", READ_OPTIONS "test $a = off || kill -15 $$\n",
	  "dies-late: ended by signal 15 at status" },
	{ "no-program", "#!/nonexistent/interpreter\n",
	  "no-program: cannot be run: No such file or directory" },
	{ "deaf", "#!/bin/sh\nexec <&-\nexit 3\n", "deaf: off failed, exit code 3" },
};

static void bad_ones(void **state)
{
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		world_init(&w);
		add(&w, bad[i].name, bad[i].script, 1);
		run(&w);
		assert_false(w.off);
		assert_string_equal(w.text, bad[i].text);
		world_exit(&w);
	}
}

static void not_there(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	add(&w, "gone", works, 1);
	unlink(path_of("gone"));
	run(&w);
	assert_false(w.off);
	assert_non_null(strstr(w.text, "gone: fence agent "));
	assert_non_null(strstr(w.text, "No such file"));
	world_exit(&w);
	world_init(&w);
	add(&w, "opts", works, 1);
	w.fence[0].options_file = "/nonexistent";
	run(&w);
	assert_false(w.off);
	assert_non_null(strstr(w.text, "cannot read options file"));
	assert_string_equal(get("read"), "");
	world_exit(&w);
	world_init(&w);
	run(&w);
	assert_false(w.off);
	assert_string_equal(w.text, "there is no fence section for it");
	world_exit(&w);
}

static bool is_alive(const char *file)
{
	pid_t pid = atoi(get(file));
	char path[64];

	assert_true(pid > 1);
	rblk_text_format(path, sizeof(path), "/proc/%d/stat", pid);
	/* a zombie that init has not reaped yet is dead */
	if (access(path, F_OK) == 0) {
		char text[256] = "";
		FILE *f = fopen(path, "r");

		if (f && fgets(text, sizeof(text), f) && !strstr(text, ") Z"))
			return fclose(f) == 0;
		if (f)
			fclose(f);
	}
	return false;
}

/* With its children, at its timeout, and not later. */
static void one_that_hangs(void **state)
{
	struct world w;
	uint64_t began;

	(void)state;
	world_init(&w);
	add(&w, "hangs", READ_OPTIONS
	    "echo 'connecting' >&2; sleep 100 & echo $! > child; echo $$ > self; wait\n", 1);
	w.fence[0].timeout_ms = 400;
	began = uv_hrtime();
	run(&w);
	assert_true(uv_hrtime() - began < 5000000000ULL);
	assert_false(w.off);
	assert_string_equal(w.text, "hangs: no answer to off within 400 ms: connecting");
	usleep(100000);
	assert_false(is_alive("self"));
	assert_false(is_alive("child"));
	world_exit(&w);
}

/* Left behind by an agent that has ended: nobody waits for it. */
static void one_that_leaves_somebody(void **state)
{
	struct world w;
	uint64_t began;

	(void)state;
	world_init(&w);
	add(&w, "leaves", READ_OPTIONS
	    "(while sleep 0.05; do echo noise; done) &\necho $! > child\n"
	    "case $a in off) echo off > state;; status) exit 2;; esac\n", 1);
	began = uv_hrtime();
	run(&w);
	assert_true(uv_hrtime() - began < 4000000000ULL);
	assert_true(w.off);
	kill(atoi(get("child")), SIGKILL);
	world_exit(&w);
}

static void one_that_is_slow(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	add(&w, "slow", READ_OPTIONS
	    "sleep 0.4; case $a in off) echo off > state;; status) exit 2;; esac\n", 1);
	run(&w);
	assert_true(w.off);
	world_exit(&w);
}

/* Refuses the first time. */
static void again(void **state)
{
	static const char flaky[] = READ_OPTIONS
		"echo x >> tries; test $(wc -l < tries) -gt 1 || exit 1\n"
		"case $a in off) ;; status) exit 2;; esac\n";
	struct world w;

	(void)state;
	world_init(&w);
	add(&w, "flaky", flaky, 1);
	run(&w);
	assert_false(w.off);
	world_exit(&w);
	world_init(&w);
	add(&w, "flaky", flaky, 1);
	w.fence[0].retries = 1;
	run(&w);
	assert_true(w.off);
	assert_string_equal(w.text, "by flaky");
	assert_string_equal(get("tries"), "x\nx\nx\n");
	world_exit(&w);
	/* a status that is wrong is not asked for again: off is */
	world_init(&w);
	add(&w, "lies", READ_OPTIONS "exit 0\n", 1);
	w.fence[0].retries = 1;
	run(&w);
	assert_false(w.off);
	assert_string_equal(get("read"), "action=off\naction=status\naction=off\naction=status\n");
	world_exit(&w);
}

static const char fails[] = READ_OPTIONS "echo fails >> tries; exit 1\n";
static const char second[] = READ_OPTIONS "echo second >> tries; test $a = off || exit 2\n";

static void levels(void **state)
{
	struct world w;

	(void)state;
	/* the second is tried when the first failed */
	world_init(&w);
	add(&w, "ipmi", fails, 1);
	add(&w, "pdu", second, 2);
	run(&w);
	assert_true(w.off);
	assert_string_equal(w.text, "by pdu");
	world_exit(&w);
	/* and not when it worked */
	world_init(&w);
	add(&w, "ipmi", works, 1);
	add(&w, "pdu", second, 2);
	run(&w);
	assert_true(w.off);
	assert_string_equal(get("tries"), "");
	world_exit(&w);
	/* of one level all are needed: what follows one that failed is left out */
	world_init(&w);
	add(&w, "pdu-a", fails, 1);
	add(&w, "pdu-b", second, 1);
	add(&w, "hand", NULL, 2);
	run(&w);
	assert_false(w.off);
	assert_string_equal(w.text, "pdu-a: off failed, exit code 1; hand: make sure that it is off, then say 'rblk fence --confirm delta'");
	assert_string_equal(get("tries"), "fails\n");
	world_exit(&w);
	world_init(&w);
	add(&w, "pdu-a", second, 1);
	add(&w, "pdu-b", fails, 1);
	run(&w);
	assert_false(w.off);
	assert_string_equal(w.text, "pdu-b: off failed, exit code 1");
	world_exit(&w);
	world_init(&w);
	add(&w, "ipmi", fails, 1);
	add(&w, "pdu-a", second, 2);
	add(&w, "pdu-b", second, 2);
	run(&w);
	assert_true(w.off);
	assert_string_equal(w.text, "by pdu-a, pdu-b");
	world_exit(&w);
}

/* A person is none who says yes by himself. */
static void by_hand(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	add(&w, "pdu-a", second, 1);
	add(&w, "hand", NULL, 1);
	run(&w);
	assert_false(w.off);
	assert_non_null(strstr(w.text, "hand: make sure"));
	world_exit(&w);
}

/* Nothing of the daemon's: no environment, no descriptors. */
static void clean(void **state)
{
	struct world w;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	setenv("RBLK_SECRET", "1", 1);
	world_init(&w);
	add(&w, "clean", READ_OPTIONS
	    "env | cut -d= -f1 | grep -v PWD | sort > env; ls /proc/self/fd | wc -l > fds\n"
	    "cat /proc/$$/stat | awk '{ print ($1 == $6) }' > leads; cat /dev/stdin; exit 1\n", 1);
	run(&w);
	assert_string_equal(get("env"), "HOME\nLC_ALL\nPATH\n");
	assert_string_equal(get("fds"), "4\n");		/* 0, 1, 2 and the directory */
	assert_string_equal(get("leads"), "1\n");
	assert_string_equal(w.text, "clean: off failed, exit code 1");
	close(fd);
	world_exit(&w);
}

static void end_it(uv_timer_t *timer)
{
	struct world *w = timer->data;

	rblk_fences_close(&w->fences);
	uv_close((uv_handle_t *)timer, NULL);
}

static void close_kills(void **state)
{
	static const unsigned int delays[] = { 0, 10000 };
	struct world w;
	uv_timer_t timer;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		uint64_t began = uv_hrtime();

		world_init(&w);
		unlink(path_of("self"));
		add(&w, "hangs", READ_OPTIONS "echo $$ > self; sleep 100\n", 1);
		w.node.fence_delay_ms = delays[i];
		uv_timer_init(&w.loop, &timer);
		timer.data = &w;
		uv_timer_start(&timer, end_it, 500, 0);
		rblk_fences_start(&w.fences, &w.node);
		rblk_fences_start(&w.fences, &w.node);	/* is the same one */
		uv_run(&w.loop, UV_RUN_DEFAULT);
		assert_int_equal(w.done, 0);
		assert_true(uv_hrtime() - began < 5000000000ULL);
		usleep(100000);
		if (i == 0)
			assert_false(is_alive("self"));
		else
			assert_string_equal(get("self"), "");
		world_exit(&w);
	}
}

static void delay(void **state)
{
	uint64_t began = uv_hrtime();
	struct world w;

	(void)state;
	world_init(&w);
	add(&w, "ipmi", works, 1);
	w.node.fence_delay_ms = 500;
	run(&w);
	assert_true(w.off);
	assert_true(uv_hrtime() - began >= 490000000ULL);
	world_exit(&w);
}

/* It came back meanwhile: whoever has not been told yet is not told. */
static void not_wanted(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	add(&w, "ipmi", works, 1);
	w.wanted = 0;
	run(&w);
	assert_false(w.off);
	assert_string_equal(w.text, "left alone, as it was heard of again");
	assert_string_equal(get("state"), "on\n");
	world_exit(&w);
	world_init(&w);
	add(&w, "ipmi", fails, 1);
	add(&w, "pdu", works, 2);
	w.wanted = 1;
	run(&w);
	assert_false(w.off);
	assert_string_equal(w.text, "ipmi: off failed, exit code 1; left alone, as it was heard of again");
	assert_string_equal(get("state"), "on\n");
	world_exit(&w);
}

/* ---- the agent by itself */

static void agent_done(void *ctx, const struct rblk_agent_result *result)
{
	*(struct rblk_agent_result *)ctx = *result;
}

static void long_input(void **state)
{
	char *input = rblk_xcalloc(1, RBLK_AGENT_MAX_INPUT + 2);
	struct rblk_agent_result r = { .code = -1 };
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	memset(input, 'x', RBLK_AGENT_MAX_INPUT);
	put("counts", "#!/bin/sh\nwc -c\nprintf '\\001 \\n\\n'\nprintf 'the \\033 end'\n", 0755);
	rblk_agent_start(&loop, path_of("counts"), input, 5000, agent_done, &r);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.end, RBLK_AGENT_EXITED);
	assert_int_equal(r.code, 0);
	assert_string_equal(r.text, "the ? end");
	put("counts", "#!/bin/sh\nwc -c\n", 0755);
	rblk_agent_start(&loop, path_of("counts"), input, 5000, agent_done, &r);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_string_equal(r.text, "32768");
	input[RBLK_AGENT_MAX_INPUT] = 'x';
	rblk_agent_start(&loop, path_of("counts"), input, 5000, agent_done, &r);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.end, RBLK_AGENT_NOT_RUN);
	assert_int_equal(r.code, E2BIG);
	assert_int_equal(uv_loop_close(&loop), 0);
	free(input);
}

/* Output without end does not fill anything, and lines are cut. */
static void long_output(void **state)
{
	struct rblk_agent_result r = { .code = -1 };
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	put("talks", "#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' a; echo; head -c 1000 /dev/zero | tr '\\0' b\n", 0755);
	rblk_agent_start(&loop, path_of("talks"), "", 20000, agent_done, &r);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.end, RBLK_AGENT_EXITED);
	assert_int_equal(strlen(r.text), 255);
	assert_int_equal(r.text[0], 'b');
	assert_int_equal(uv_loop_close(&loop), 0);
}

static int make_dir(void **state)
{
	(void)state;
	rblk_log_init(RBLK_LOG_ERROR, false);
	/* what the caller left open is not the daemon's */
	close_range(3, ~0U, 0);
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
		cmocka_unit_test(one_that_works),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(not_there),
		cmocka_unit_test(one_that_hangs),
		cmocka_unit_test(one_that_leaves_somebody),
		cmocka_unit_test(one_that_is_slow),
		cmocka_unit_test(again),
		cmocka_unit_test(levels),
		cmocka_unit_test(by_hand),
		cmocka_unit_test(clean),
		cmocka_unit_test(close_kills),
		cmocka_unit_test(delay),
		cmocka_unit_test(not_wanted),
		cmocka_unit_test(long_input),
		cmocka_unit_test(long_output),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

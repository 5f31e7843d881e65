// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_engine.c - the daemon's decisions, against a module of a few structs
 */
#include "test.h"

#include "exitcode.h"
#include "fake.h"
#include "log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ASK(verb, rest) \
	"{\"schema\":\"rblk.control/1\",\"verb\":\"" verb "\"" rest "}"
#define R0	",\"resource\":\"r0\""

static void up_runs_the_plan(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	f.saved = 4;
	assert_int_equal(fake_ask(&f, ASK("up", R0)), 0);
	assert_string_equal(f.log,
			    "new r0 gen 4\nvolume /dev/vdb\nvolume /dev/vdc\n"
			    "peer bravo C\npeer charlie C\n");
	rblk_engine_tick(&f.engine);
	assert_non_null(strstr(f.log, "dial r0 1 gen 4\ndial r0 2 gen 4\n"));
	/* again: nothing changes */
	f.log[0] = '\0';
	assert_int_equal(fake_ask(&f, ASK("up", R0)), 0);
	assert_non_null(strstr(fake_answer, "already up"));
	assert_string_equal(f.log, "");
	fake_exit(&f);
}

static void failed_up_leaves_nothing(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	f.bad_disk = "/dev/vdc";
	assert_int_equal(fake_ask(&f, ASK("up", R0)), RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer,
			"volume 1 (/dev/vdc): backing device is in use"));
	assert_string_equal(f.log,
			    "new r0 gen 0\nvolume /dev/vdb\ndel r0 force\n");
	assert_int_equal(f.states_n, 0);
	assert_null(f.engine.resources);
	fake_exit(&f);
}

static void up_of_what_is_not(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	assert_int_equal(fake_ask(&f, ASK("up", ",\"resource\":\"r9\"")),
			 RBLK_EXIT_NOT_FOUND);
	assert_int_equal(fake_ask(&f, ASK("up", ",\"resource\":\"r1\"")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "not configured on this node"));
	assert_int_equal(fake_ask(&f, ASK("up", "")), RBLK_EXIT_USAGE);
	/* --all: what is on this node */
	assert_int_equal(fake_ask(&f, ASK("up", ",\"all\":true")), 0);
	assert_int_equal(f.states_n, 1);
	fake_exit(&f);
}

static void damaged_record_stops_up(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	f.load_result = -EBADMSG;
	assert_int_equal(fake_ask(&f, ASK("up", R0)), RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "is damaged"));
	assert_string_equal(f.log, "");
	fake_exit(&f);
}

static void changed_configuration(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "bravo", fake_config);
	assert_int_equal(fake_ask(&f, ASK("up", ",\"resource\":\"r1\"")), 0);
	fake_configure(&f,
		"cluster \"demo\" { key-file = \"%s/key\" }\n"
		"node \"bravo\" { id = 1  address = \"127.0.0.1:17795\" }\n"
		"node \"charlie\" { id = 2  address = \"127.0.0.1:17792\" }\n"
		"resource \"r1\" { volume 0 { minor = 3 disk = \"/dev/vdd\" } }\n");
	assert_int_equal(fake_ask(&f, ASK("up", ",\"resource\":\"r1\"")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer,
			       "volume 0 is minor 2, configured 3"));
	assert_non_null(strstr(f.log, "listen\n"));	/* the port changed */
	/* a broken file: the old one stays in use, the message has the place */
	fake_configure(&f, "cluser \"demo\" { key-file = \"%s/key\" }\n");
	assert_int_equal(fake_ask(&f, ASK("up", ",\"resource\":\"r1\"")),
			 RBLK_EXIT_CONFIG);
	assert_non_null(strstr(fake_answer,
			       ":1:1: error: unknown option 'cluser'"));
	assert_string_equal(f.engine.config->cluster, "demo");
	fake_exit(&f);
}

static const char adjusted_config[] =
"cluster \"demo\" { key-file = \"%s/key\" }\n"
"node \"alpha\" { id = 0  address = \"127.0.0.1:17790\" }\n"
"node \"bravo\" { id = 1  address = \"127.0.0.1:17791\" }\n"
"node \"delta\" { id = 3  address = \"127.0.0.1:17793\" }\n"
"resource \"r0\" { acks = 1  data-crc = yes\n"
"  volume 0 { minor = 0  disk = \"/dev/vdb\" }\n"
"  volume 1 { minor = 1  disk = \"/dev/vdc\" }\n"
"  on \"bravo\" { protocol = A }\n"
"}\n";

static void adjust_changes_what_differs(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	assert_int_equal(fake_ask(&f, ASK("up", R0)), 0);
	assert_int_equal(fake_ask(&f, ASK("adjust", R0)), 0);
	assert_non_null(strstr(fake_answer, "as configured"));
	fake_configure(&f, adjusted_config);
	f.log[0] = '\0';
	/* up does not do it, but says how */
	assert_int_equal(fake_ask(&f, ASK("up", R0)), RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "acks all -> 1"));
	assert_non_null(strstr(fake_answer, "rblk adjust r0"));
	assert_int_equal(fake_ask(&f, ASK("adjust", R0 ",\"dry_run\":true")),
			 0);
	assert_non_null(strstr(fake_answer,
			"would change: peer delta added, acks all -> 1, data-crc no -> yes, protocol to bravo C -> A, peer charlie removed"));
	assert_string_equal(f.log, "");
	assert_int_equal(fake_ask(&f, ASK("adjust", R0)), 0);
	assert_string_equal(f.log, "peer delta C\nset acks 1 data-crc 1\n"
			    "protocol 1 A\nunpeer 2\n");
	assert_int_equal(f.engine.resources->peers, 1 << 1 | 1 << 3);
	assert_int_equal(fake_ask(&f, ASK("up", R0)), 0);
	/* what is fixed is named, and nothing changes */
	f.log[0] = '\0';
	fake_configure(&f, fake_config);
	fake_find(&f, "r0")->volumes[1].minor = 9;
	assert_int_equal(fake_ask(&f, ASK("adjust", R0)), RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "volume 1 is minor 9, configured 1"));
	assert_string_equal(f.log, "");
	fake_exit(&f);
}

/* While the module takes its time, others are served. */
static void slow_promotion(void **state)
{
	struct rblk_link_id id = { .resource = "r0", .peer = 1 };
	int fds[2];
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	assert_int_equal(fake_ask(&f, ASK("up", R0)), 0);
	rblk_engine_tick(&f.engine);
	f.hold_jobs = true;
	assert_int_equal(fake_ask(&f, ASK("promote", R0)), FAKE_LATER);
	assert_int_equal(fake_ask(&f, ASK("links", "")), 0);
	/* two sockets wait behind it: the older one does not stay */
	assert_int_equal(pipe(fds), 0);
	f.log[0] = '\0';
	rblk_engine_link_authenticated(&f.engine, &id, fds[0], 0);
	rblk_engine_link_authenticated(&f.engine, &id, fds[1], 0);
	assert_string_equal(f.log, "");
	assert_int_equal(f.engine.resources->links[1].state,
			 RBLK_LINK_TRYING);
	fake_release(&f);
	assert_int_equal(f.code, 0);
	assert_string_equal(f.log, "promote gen 16 flags 0\nattach 1\n"
			    "detach 1\nattach 1\n");
	assert_int_equal(f.engine.resources->links[1].state,
			 RBLK_LINK_ATTACHED);
	assert_int_equal(f.engine.resources->attach[1], 0);
	fake_exit(&f);
}

static void generation_is_stored_first(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	fake_ask(&f, ASK("up", R0));
	f.log[0] = '\0';
	assert_int_equal(fake_ask(&f, ASK("promote", R0 ",\"assume_clean\":true")),
			 0);
	assert_string_equal(f.log, "save gen 16\npromote gen 16 flags 2\n");
	f.log[0] = '\0';
	assert_int_equal(fake_ask(&f, ASK("promote", R0)), 0);
	assert_non_null(strstr(fake_answer, "already primary"));
	assert_string_equal(f.log, "");
	fake_exit(&f);
}

static void no_promotion_without_storing(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	fake_ask(&f, ASK("up", R0));
	f.log[0] = '\0';
	f.fail_save = true;
	assert_int_equal(fake_ask(&f, ASK("promote", R0)), RBLK_EXIT_REFUSED);
	assert_string_equal(f.log, "save gen 16\n");
	fake_exit(&f);
}

/*
 * Above the kernel's, the stored one and every peer's. One that was refused is no
 * promise: it is not given to the kernel by the next "up".
 */
static void next_generation(void **state)
{
	struct rblk_link_id id = { "r0", 1 };
	struct fake f;
	int fds[2];

	(void)state;
	fake_init(&f, "alpha", fake_config);
	f.saved = 5;
	fake_ask(&f, ASK("up", R0));
	fake_find(&f, "r0")->resource.generation = 6;
	assert_int_equal(pipe(fds), 0);
	rblk_engine_tick(&f.engine);
	rblk_engine_link_authenticated(&f.engine, &id, fds[0], 9);
	close(fds[1]);
	f.log[0] = '\0';
	f.refuse_promote = true;
	assert_int_equal(fake_ask(&f, ASK("promote", R0)), RBLK_EXIT_REFUSED);
	assert_string_equal(f.log, "save gen 16\npromote gen 16 flags 0\nsave gen 6\n");
	f.refuse_promote = false;
	assert_int_equal(fake_ask(&f, ASK("promote", R0 ",\"force\":true")), 0);
	assert_non_null(strstr(f.log, "save gen 16\npromote gen 16 flags 1\n"));
	/* by how much is left to chance, but whose it is shows */
	f.random = 0x00003fff;
	fake_find(&f, "r0")->resource.role = RBLK_ROLE_BACKUP;
	fake_find(&f, "r0")->resource.generation = 16;
	f.log[0] = '\0';
	assert_int_equal(fake_ask(&f, ASK("promote", R0)), 0);
	assert_non_null(strstr(f.log, "promote gen 80 flags 0\n"));
	fake_exit(&f);
}

/* What a primary elsewhere made this node promise is kept as well. */
static void promise_is_stored(void **state)
{
	struct rblk_kevent e = { .name = "r0", .nest = RBLK_A_RESOURCE };
	struct fake f;

	(void)state;
	fake_init(&f, "bravo", fake_config);
	fake_ask(&f, ASK("up", R0));
	fake_find(&f, "r0")->resource.generation = 3;
	e.info.kind = RBLK_EVENT_CHANGED;
	rblk_engine_kernel_event(&f.engine, &e);
	assert_int_equal(f.saved, 3);
	fake_exit(&f);
}

static struct rblk_auth_answer ask_link(struct fake *f, const char *resource,
					uint8_t from)
{
	struct rblk_auth_question q = { .from = from };

	strcpy(q.resource, resource);
	return rblk_engine_decide(&f->engine, &q);
}

static void who_may_connect(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "bravo", fake_config);
	assert_int_equal(ask_link(&f, "r0", 0).code, RBLK_AUTH_NOT_UP);
	f.saved = 7;
	fake_ask(&f, ASK("up", R0));
	fake_ask(&f, ASK("up", ",\"resource\":\"r1\""));
	assert_int_equal(ask_link(&f, "r0", 0).code, RBLK_AUTH_OK);
	assert_int_equal(ask_link(&f, "r0", 0).generation, 7);
	assert_int_equal(ask_link(&f, "r0", 2).code, RBLK_AUTH_WILL_CALL);
	assert_int_equal(ask_link(&f, "r9", 0).code,
			 RBLK_AUTH_UNKNOWN_RESOURCE);
	assert_int_equal(ask_link(&f, "r1", 0).code, RBLK_AUTH_UNKNOWN_NODE);
	assert_int_equal(ask_link(&f, "r0", 9).code, RBLK_AUTH_UNKNOWN_NODE);
	fake_ask(&f, ASK("disconnect", R0 ",\"peer\":\"alpha\""));
	assert_int_equal(ask_link(&f, "r0", 0).code, RBLK_AUTH_DISCONNECTED);
	fake_exit(&f);
}

/* A peer that calls again has lost its end: ours is taken from the kernel. */
static void new_call_replaces_old(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "bravo", fake_config);
	fake_ask(&f, ASK("up", R0));
	fake_conn(&f, "r0", 0, RBLK_CONN_UP, "");
	f.log[0] = '\0';
	assert_int_equal(ask_link(&f, "r0", 0).code, RBLK_AUTH_OK);
	assert_string_equal(f.log, "detach 0\n");
	fake_exit(&f);
}

static void knock_makes_us_dial(void **state)
{
	struct rblk_link_id id = { "r0", 1 };
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	fake_ask(&f, ASK("up", R0));
	rblk_engine_tick(&f.engine);
	rblk_engine_link_failed(&f.engine, &id, true, "not up");
	f.log[0] = '\0';
	rblk_engine_tick(&f.engine);
	assert_string_equal(f.log, "");
	assert_int_equal(ask_link(&f, "r0", 1).code, RBLK_AUTH_WILL_CALL);
	assert_int_equal(f.wake_ms, f.now_ms);
	rblk_engine_tick(&f.engine);
	assert_string_equal(f.log, "dial r0 1 gen 0\n");
	fake_exit(&f);
}

/* Strangers change nothing but a line of status on the side that waits. */
static void strangers_change_nothing(void **state)
{
	struct rblk_link_id waits_for = { "r0", 0 }, dials = { "r0", 2 };
	struct rblk_link_id nobody = { "r0", 99 };
	struct fake f;
	uint64_t due;

	(void)state;
	fake_init(&f, "bravo", fake_config);
	fake_ask(&f, ASK("up", R0));
	due = f.engine.resources->links[2].due_ms;
	assert_true(rblk_engine_caller_failed(&f.engine, &waits_for,
					      "called from x: wrong key"));
	assert_false(rblk_engine_caller_failed(&f.engine, &dials, "x"));
	assert_false(rblk_engine_caller_failed(&f.engine, &nobody, "x"));
	assert_int_equal(f.engine.resources->links[2].due_ms, due);
	fake_ask(&f, ASK("links", ""));
	assert_non_null(strstr(fake_answer, "called from x: wrong key"));
	fake_exit(&f);
}

static void disconnect_and_connect(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	fake_ask(&f, ASK("up", R0));
	rblk_engine_tick(&f.engine);
	fake_conn(&f, "r0", 1, RBLK_CONN_UP, "");
	f.log[0] = '\0';
	assert_int_equal(fake_ask(&f, ASK("disconnect", R0 ",\"peer\":\"bravo\"")),
			 0);
	assert_string_equal(f.log, "detach 1\n");
	assert_true(f.off[1]);
	fake_conn(&f, "r0", 1, RBLK_CONN_DOWN, "disconnected");
	f.now_ms += 100000;
	f.log[0] = '\0';
	rblk_engine_tick(&f.engine);
	assert_string_equal(f.log, "");
	assert_int_equal(fake_ask(&f, ASK("connect", R0)), 0);
	assert_non_null(strstr(f.log, "dial r0 1"));
	assert_false(f.off[1]);
	assert_int_equal(fake_ask(&f, ASK("connect", R0 ",\"peer\":\"zulu\"")),
			 RBLK_EXIT_NOT_FOUND);
	fake_exit(&f);
}

static void lost_link_is_dialled_again(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	fake_ask(&f, ASK("up", R0));
	rblk_engine_tick(&f.engine);
	fake_conn(&f, "r0", 1, RBLK_CONN_HELLO, "");
	fake_conn(&f, "r0", 1, RBLK_CONN_UP, "");
	f.log[0] = '\0';
	fake_conn(&f, "r0", 1, RBLK_CONN_DOWN, "receiving failed");
	assert_int_equal(f.wake_ms, f.now_ms + 150);
	f.now_ms = f.wake_ms;
	rblk_engine_tick(&f.engine);
	assert_string_equal(f.log, "dial r0 1 gen 0\n");
	fake_exit(&f);
}

/* A new daemon finds what is up, and keeps what was disconnected so. */
static void adopts(void **state)
{
	struct fake f;
	struct rblk_genl_error err;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	fake_ask(&f, ASK("up", R0));
	rblk_engine_forget(&f.engine, "r0");
	f.off[2] = true;
	f.log[0] = '\0';
	assert_int_equal(rblk_engine_start(&f.engine, &err), 0);
	rblk_engine_tick(&f.engine);
	assert_string_equal(f.log, "dial r0 1 gen 0\n");
	/* lost events: the resource has gone meanwhile */
	free(f.states[0]);
	f.states_n = 0;
	rblk_engine_kernel_lost(&f.engine);
	assert_null(f.engine.resources);
	fake_exit(&f);
}

static void odd_requests(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f, "alpha", fake_config);
	assert_int_equal(fake_ask(&f, "{}"), RBLK_EXIT_USAGE);
	assert_int_equal(fake_ask(&f, "{\"schema\":\"rblk.control/2\",\"verb\":\"up\"}"),
			 RBLK_EXIT_USAGE);
	assert_int_equal(fake_ask(&f, ASK("fly", "")), RBLK_EXIT_USAGE);
	assert_int_equal(fake_ask(&f, ASK("promote", ",\"resource\":7")),
			 RBLK_EXIT_USAGE);
	assert_int_equal(fake_ask(&f, ASK("promote", R0)),
			 RBLK_EXIT_NOT_FOUND);
	assert_non_null(strstr(fake_answer, "is not up: run 'rblk up r0'"));
	assert_int_equal(fake_ask(&f, ASK("connect", R0)),
			 RBLK_EXIT_NOT_FOUND);
	fake_exit(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_runs_the_plan),
		cmocka_unit_test(failed_up_leaves_nothing),
		cmocka_unit_test(up_of_what_is_not),
		cmocka_unit_test(damaged_record_stops_up),
		cmocka_unit_test(changed_configuration),
		cmocka_unit_test(adjust_changes_what_differs),
		cmocka_unit_test(slow_promotion),
		cmocka_unit_test(generation_is_stored_first),
		cmocka_unit_test(no_promotion_without_storing),
		cmocka_unit_test(next_generation),
		cmocka_unit_test(promise_is_stored),
		cmocka_unit_test(who_may_connect),
		cmocka_unit_test(new_call_replaces_old),
		cmocka_unit_test(knock_makes_us_dial),
		cmocka_unit_test(strangers_change_nothing),
		cmocka_unit_test(disconnect_and_connect),
		cmocka_unit_test(lost_link_is_dialled_again),
		cmocka_unit_test(adopts),
		cmocka_unit_test(odd_requests),
	};

	rblk_log_init(RBLK_LOG_ERROR, 0);
	return RUN(tests);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_failover.c - three daemons, each above a module of a few structs: two with
 * data, one witness. Datagrams, links and the clock are the test's.
 */
#include "test.h"

#include "exitcode.h"
#include "failover.h"
#include "fake.h"
#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODES		3
#define MAX_FLYING	256
#define ASK(verb, rest) \
	"{\"schema\":\"rblk.control/1\",\"verb\":\"" verb "\",\"resource\":\"r0\"" rest "}"

static const char config[] =
"cluster \"demo\" { key-file = \"%s/key\" }\n"
"heartbeat { interval = 100ms  misses = 5 }\n"
"node \"alpha\" { id = 0  address = \"127.0.0.1:17790\" }\n"
"node \"bravo\" { id = 1  address = \"127.0.0.1:17791\" }\n"
"node \"judge\" { id = 2  address = \"127.0.0.1:17792\"  witness = yes }\n"
"resource \"r0\" { failover = auto\n"
"  volume 0 { minor = 0  disk = \"/dev/vdb\" }\n"
"}\n";

struct flying {
	uint8_t to;
	size_t n;
	uint8_t bytes[RBLK_BEAT_MAX_BYTES];
};

static struct world {
	struct fake f[NODES];
	bool dead[NODES];
	bool slow_tcp;			/* finds nothing out */
	bool behind;			/* until a primary copies to it */
	bool cut[NODES][NODES];		/* nothing arrives there from here */
	struct flying flying[MAX_FLYING];
	size_t n;
} w;

static const char *const names[NODES] = { "alpha", "bravo", "judge" };

static unsigned int number_of(const struct fake *f)
{
	return f - w.f;
}

static bool send_it(struct fake *f, unsigned int path,
		    const struct sockaddr_storage *addr, const uint8_t *bytes,
		    size_t n)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	unsigned int to = ntohs(in->sin_port) - 17790;

	assert_int_equal(path, 0);
	assert_true(to < NODES);
	if (w.dead[to] || w.cut[number_of(f)][to] || w.n == MAX_FLYING)
		return true;
	w.flying[w.n].to = to;
	w.flying[w.n].n = n;
	memcpy(w.flying[w.n++].bytes, bytes, n);
	return true;
}

static struct rblk_kstate *module_of(unsigned int i)
{
	return fake_find(&w.f[i], "r0");
}

static bool is_primary(unsigned int i)
{
	return !w.dead[i] && module_of(i) &&
	       module_of(i)->resource.role == RBLK_ROLE_PRIMARY;
}

/* May complete what an application asks for, now. */
static bool serves(unsigned int i)
{
	return is_primary(i) && module_of(i)->resource.lease_until_ns / 1000000 >
				w.f[i].now_ms;
}

/* The link between the two modules: up where nothing is cut. */
static void join_modules(void)
{
	bool up = w.slow_tcp || (!w.dead[0] && !w.dead[1] && !w.cut[0][1] &&
				 !w.cut[1][0]);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct rblk_kstate *s = module_of(i), *other = module_of(1 - i);
		struct rblk_kpeer *p;

		if (w.dead[i] || !s || !s->peers_n)
			continue;
		p = &s->peers[0];
		p->repl = w.behind && !w.f[i].resyncs ? RBLK_REPL_BEHIND :
			  RBLK_REPL_UPTODATE;
		if (up && other)
			p->role = other->resource.role;
		if (p->conn != (up && other ? RBLK_CONN_UP : RBLK_CONN_DOWN))
			fake_conn(&w.f[i], "r0", p->node_id, up && other ?
				  RBLK_CONN_UP : RBLK_CONN_DOWN, "");
	}
}

static void run(uint64_t ms)
{
	unsigned int i;

	while (ms--) {
		for (i = 0; i < NODES; i++)
			w.f[i].now_ms++;
		join_modules();
		for (i = 0; i < NODES; i++)
			if (!w.dead[i] && w.f[i].wake_ms &&
			    w.f[i].now_ms >= w.f[i].wake_ms)
				rblk_engine_tick(&w.f[i].engine);
		while (w.n) {
			struct flying f = w.flying[0];

			memmove(&w.flying[0], &w.flying[1],
				--w.n * sizeof(w.flying[0]));
			if (!w.dead[f.to])
				rblk_engine_datagram(&w.f[f.to].engine, f.bytes,
						     f.n);
		}
		/* what it is all about */
		assert_false(serves(0) && serves(1));
	}
}

static void start_daemon(unsigned int i)
{
	struct rblk_genl_error err;

	/* a new process remembers nothing */
	memset(&w.f[i].engine.cluster, 0, sizeof(w.f[i].engine.cluster));
	assert_int_equal(rblk_engine_start(&w.f[i].engine, &err), 0);
}

/* As 'rblk create' does. */
static void create_register(unsigned int i)
{
	const struct rblk_arbiter_store first = {
		.record = { .version = 1, .primary = RBLK_ARBITER_NOBODY, .idle = true,
			    .insync = 3, .voters = 7, .voters_before = 7 },
	};
	struct rblk_ballot_place p = {
		.state_dir = w.f[i].dir, .outside_dir = w.f[i].instance_dir,
		.resource = "r0", .node = i,
	};
	struct rblk_ballot_store s;
	char why[512];

	memcpy(p.uuid, rblk_failover_find(&w.f[i].engine, "r0")->uuid,
	       sizeof(p.uuid));
	assert_true(rblk_ballot_create(&s, &p, &first, why, sizeof(why)));
	rblk_ballot_close(&s);
	fake_ask(&w.f[i], "{\"schema\":\"rblk.control/1\",\"verb\":\"reload\"}");
}

static void start(void)
{
	unsigned int i;

	memset(&w, 0, sizeof(w));
	for (i = 0; i < NODES; i++) {
		fake_init(&w.f[i], names[i], config);
		w.f[i].send = send_it;
		w.f[i].random = 77 * i;
		w.f[i].token = i << 20;
		start_daemon(i);
		assert_int_equal(fake_ask(&w.f[i], ASK("up", "")), 0);
	}
}

static void stop(void)
{
	unsigned int i;

	for (i = 0; i < NODES; i++)
		fake_exit(&w.f[i]);
}

static struct rblk_failover *failover(unsigned int i)
{
	return rblk_failover_find(&w.f[i].engine, "r0");
}

static void start_with_primary(void)
{
	unsigned int i;

	start();
	for (i = 0; i < NODES; i++)
		create_register(i);
	run(1000);
	for (i = 0; i < NODES; i++)
		assert_false(failover(i)->arbiter.mute);
	assert_false(is_primary(0) || is_primary(1));
	assert_int_equal(fake_ask(&w.f[0], ASK("promote", ",\"assume_clean\":true")),
			 FAKE_LATER);
	module_of(1)->resource.data = RBLK_DATA_CONSISTENT;
	run(1000);
	if (w.f[0].code)
		fail_msg("%s", fake_answer);
	assert_true(serves(0));
	assert_int_equal(module_of(0)->resource.in_sync, 3);
}

static void first_promotion(void **state)
{
	(void)state;
	start_with_primary();
	/* the lease is renewed */
	run(5000);
	assert_true(serves(0));
	assert_int_equal(fake_ask(&w.f[0], ASK("promote", ",\"force\":true")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "force would make two"));
	stop();
}

/* Dead, and then back: it follows, and is in sync again. */
static void primary_dies(void **state)
{
	unsigned int ms = 0;

	(void)state;
	start_with_primary();
	w.dead[0] = true;
	while (!serves(1) && ms++ < 5000)
		run(1);
	assert_in_range(ms, 100, 2000);
	/* alone with the witness: it goes on without the other */
	run(1000);
	assert_int_equal(module_of(1)->resource.in_sync, 2);
	assert_int_equal(fake_ask(&w.f[1], ASK("history", "")), 0);
	assert_non_null(strstr(fake_answer, "\"kind\":\"failover\""));
	assert_non_null(strstr(fake_answer, "\"from\":\"alpha\""));
	assert_null(strstr(fake_answer, "\"detected_ms\":null"));
	assert_null(strstr(fake_answer, "\"promoted_ms\":null"));
	/* a machine that comes up: no role, a daemon that knows what it kept */
	rblk_failover_stop(&w.f[0].engine);
	w.dead[0] = false;
	module_of(0)->resource.role = RBLK_ROLE_BACKUP;
	module_of(0)->resource.in_sync = 0;
	/* it may have something of its own; where, nobody knows */
	w.behind = true;
	w.f[1].knows_nothing = true;
	start_daemon(0);
	run(500);
	assert_int_equal(w.f[1].resyncs, 0);
	run(3000);
	assert_int_equal(w.f[1].resyncs, 1);
	assert_non_null(strstr(w.f[1].log, "resync 0 flags 4\nresync 0 flags 0\n"));
	assert_true(serves(1));
	assert_false(is_primary(0));
	assert_int_equal(module_of(1)->resource.in_sync, 3);
	assert_int_equal(failover(0)->arbiter.store.record.insync, 3);
	stop();
}

/* Cut off, it stops before the other begins; run() looks at each millisecond. */
static void primary_is_cut_off(void **state)
{
	(void)state;
	start_with_primary();
	w.cut[0][1] = w.cut[1][0] = w.cut[0][2] = w.cut[2][0] = true;
	run(4000);
	assert_true(serves(1));
	assert_false(serves(0));
	/* back: it learns that it was passed over */
	memset(w.cut, 0, sizeof(w.cut));
	run(3000);
	assert_true(serves(1));
	assert_false(is_primary(0));
	stop();
}

/* The module still believes in its link: the old primary is passed over all the same. */
static void link_seems_up(void **state)
{
	(void)state;
	start_with_primary();
	w.slow_tcp = true;
	w.cut[0][1] = w.cut[1][0] = w.cut[0][2] = w.cut[2][0] = true;
	run(2000);
	assert_true(serves(1));
	assert_int_equal(module_of(1)->resource.in_sync, 2);
	/* and its link was ended first */
	assert_non_null(strstr(w.f[1].log, "detach 0\n"));
	assert_true(strstr(w.f[1].log, "detach 0\n") <
		    strstr(w.f[1].log, "promote gen"));
	stop();
}

static void backup_dies(void **state)
{
	(void)state;
	start_with_primary();
	w.dead[1] = true;
	run(2000);
	assert_true(serves(0));
	assert_int_equal(module_of(0)->resource.in_sync, 1);
	stop();
}

/* It has no module to ask, and says all the same who leads and by whose lease. */
static void witness_tells(void **state)
{
	const json_t *one, *confirmed;
	json_t *answer;

	(void)state;
	start_with_primary();
	assert_int_equal(fake_ask(&w.f[2], ASK("failover", "")), 0);
	answer = json_loads(fake_answer, 0, NULL);
	one = json_array_get(json_object_get(answer, "results"), 0);
	assert_true(json_is_true(json_object_get(one, "witness")));
	assert_string_equal(json_string_value(json_object_get(
		json_object_get(one, "register"), "primary")), "alpha");
	assert_int_equal(json_integer_value(json_object_get(
		json_object_get(one, "register"), "term")),
		failover(0)->arbiter.lead_term);
	confirmed = json_object_get(one, "confirmed");
	assert_string_equal(json_string_value(json_object_get(confirmed, "node")),
			    "alpha");
	assert_in_range(json_integer_value(json_object_get(confirmed, "left_ms")), 1,
			failover(2)->lease_ms + failover(2)->margin_ms);
	json_decref(answer);
	assert_int_equal(fake_ask(&w.f[2], ASK("promote", "")), RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "this node holds no data of it"));
	w.dead[0] = w.dead[1] = true;
	run(1000);
	assert_int_equal(fake_ask(&w.f[2], ASK("failover", "")), 0);
	assert_non_null(strstr(fake_answer, "\"confirmed\":null"));
	stop();
}

static void witness_dies(void **state)
{
	(void)state;
	start_with_primary();
	w.dead[2] = true;
	run(3000);
	assert_true(serves(0));
	assert_int_equal(module_of(0)->resource.in_sync, 3);
	stop();
}

/* The kernel goes on while the daemon starts anew. */
static void daemon_restarts(void **state)
{
	unsigned int i;

	(void)state;
	start_with_primary();
	rblk_failover_stop(&w.f[0].engine);
	start_daemon(0);
	for (i = 0; i < 3000; i++) {
		run(1);
		assert_true(is_primary(0));
		assert_false(is_primary(1));
	}
	assert_true(serves(0));
	stop();
}

static void switchover(void **state)
{
	(void)state;
	start_with_primary();
	/* in use: refused, and who says so */
	module_of(0)->resource.openers = 1;
	assert_int_equal(fake_ask(&w.f[1], ASK("promote", "")), FAKE_LATER);
	run(500);
	assert_int_equal(w.f[1].code, RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "alpha is primary"));
	assert_true(serves(0));
	module_of(0)->resource.openers = 0;
	assert_int_equal(fake_ask(&w.f[1], ASK("promote", "")), FAKE_LATER);
	run(500);
	if (w.f[1].code)
		fail_msg("%d %s", w.f[1].code, fake_answer);
	assert_true(serves(1));
	assert_false(is_primary(0));
	assert_int_equal(fake_ask(&w.f[1], ASK("history", "")), 0);
	assert_non_null(strstr(fake_answer, "switchover"));
	stop();
}

/* There and back and there again: each is recorded where it led to. */
static void every_switchover_is_recorded(void **state)
{
	unsigned int i, to;
	json_t *records;

	(void)state;
	start_with_primary();
	for (i = 0; i < 4; i++) {
		to = !(i % 2);
		assert_int_equal(fake_ask(&w.f[to], ASK("promote", "")), FAKE_LATER);
		run(1000);
		assert_int_equal(w.f[to].code, 0);
		assert_true(serves(to));
	}
	for (i = 0; i < 2; i++) {
		records = rblk_history_read(w.f[i].dir, "r0");
		/* alpha's first was the promotion of all */
		assert_int_equal(json_array_size(records), i ? 2 : 3);
		json_decref(records);
	}
	stop();
}

static const char *member(const json_t *records, size_t i, const char *key)
{
	const char *text = json_string_value(json_object_get(json_array_get(records, i),
							     key));

	return text ? text : "";
}

/* The module refuses, and takes it the next time: two records that say so. */
static void refused_and_tried_again(void **state)
{
	json_t *records;
	unsigned int i;

	(void)state;
	start_with_primary();
	w.f[1].refuse_promote = true;
	w.dead[0] = true;
	for (i = 0; i < 3000 && !failover(1)->record.given_up_ms; i++)
		run(1);
	assert_false(is_primary(1));
	w.f[1].refuse_promote = false;
	run(6000);
	assert_true(serves(1));
	records = rblk_history_read(w.f[1].dir, "r0");
	assert_int_equal(json_array_size(records), 2);
	for (i = 0; i < 2; i++) {
		assert_string_equal(member(records, i, "kind"), "failover");
		assert_string_equal(member(records, i, "from"), "alpha");
		assert_false(json_is_null(json_object_get(json_array_get(records, i),
							  "detected_ms")));
	}
	assert_string_equal(member(records, 0, "reason"),
			    "alpha failed: it was not heard of; the module refused: another node is primary");
	assert_string_equal(member(records, 1, "reason"),
			    "tried again, as the module had refused");
	json_decref(records);
	stop();
}

/* It was heard of again before anything was done: that is no failover. */
static void false_alarm_is_not_recorded(void **state)
{
	json_t *records;
	unsigned int i;

	(void)state;
	start_with_primary();
	w.cut[0][1] = true;
	w.dead[2] = true;
	for (i = 0; i < 2000 && !failover(1)->record.kind; i++)
		run(1);
	assert_non_null(failover(1)->record.kind);
	w.dead[2] = false;
	memset(w.cut, 0, sizeof(w.cut));
	run(2000);
	assert_true(serves(0));
	assert_int_equal(fake_ask(&w.f[1], ASK("promote", "")), FAKE_LATER);
	run(1000);
	assert_true(serves(1));
	records = rblk_history_read(w.f[1].dir, "r0");
	assert_int_equal(json_array_size(records), 1);
	assert_string_equal(member(records, 0, "kind"), "switchover");
	assert_true(json_is_null(json_object_get(json_array_get(records, 0),
						 "detected_ms")));
	json_decref(records);
	stop();
}

static void demotion(void **state)
{
	(void)state;
	start_with_primary();
	fake_ask(&w.f[1], ASK("demote", ""));
	run(100);
	assert_int_equal(w.f[1].code, RBLK_EXIT_REFUSED);
	assert_int_equal(fake_ask(&w.f[0], ASK("demote", "")), FAKE_LATER);
	run(1000);
	assert_int_equal(w.f[0].code, 0);
	/* nobody is, until somebody asks */
	run(5000);
	assert_false(is_primary(0) || is_primary(1));
	assert_int_equal(fake_ask(&w.f[1], ASK("promote", "")), FAKE_LATER);
	run(1000);
	assert_int_equal(w.f[1].code, 0);
	assert_true(serves(1));
	stop();
}

/* A register that was never created, and one that was created again. */
static void new_registers(void **state)
{
	(void)state;
	start();
	create_register(0);
	create_register(1);
	run(1000);
	assert_true(failover(0)->arbiter.mute);
	assert_non_null(strstr(failover(0)->mute_why, "missing: judge"));
	assert_non_null(strstr(failover(2)->mute_why, "rblk create r0"));
	fake_ask(&w.f[0], ASK("promote", ",\"assume_clean\":true"));
	run(100);
	assert_int_equal(w.f[0].code, RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "missing: judge"));
	create_register(2);
	run(1000);
	assert_false(failover(0)->arbiter.mute);
	assert_false(failover(1)->arbiter.mute);
	assert_false(failover(2)->arbiter.mute);
	stop();
}

static void reinstalled_votes_again(void **state)
{
	char *command;

	(void)state;
	start_with_primary();
	w.dead[2] = true;
	rblk_failover_stop(&w.f[2].engine);
	command = rblk_xasprintf("rm -r %s/r0.arbiter %s", w.f[2].dir,
				 w.f[2].instance_dir);
	assert_int_equal(system(command), 0);
	free(command);
	w.dead[2] = false;
	start_daemon(2);
	create_register(2);
	run(2000);
	assert_true(failover(2)->arbiter.mute);
	assert_non_null(strstr(failover(2)->mute_why, "others have voted"));
	assert_true(serves(0));
	/* the primary has it vote again */
	assert_int_equal(fake_ask(&w.f[1], ASK("readmit", ",\"node\":\"judge\"")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "alpha"));
	assert_int_equal(fake_ask(&w.f[0], ASK("readmit", ",\"node\":\"judge\"")),
			 FAKE_LATER);
	run(2000);
	if (w.f[0].code)
		fail_msg("%d %s", w.f[0].code, fake_answer);
	assert_false(failover(2)->arbiter.mute);
	assert_int_equal(failover(0)->arbiter.known.voters, 7);
	assert_true(serves(0));
	w.dead[0] = true;
	run(3000);
	assert_true(serves(1));
	stop();
}

static void no_majority_no_primary(void **state)
{
	(void)state;
	start_with_primary();
	w.dead[2] = true;
	run(500);
	w.dead[0] = true;
	run(5000);
	assert_false(is_primary(1));
	stop();
}

/* What a voter says is on its disk before it leaves; so is what a leader does. */
static void durable_comes_first(void **state)
{
	(void)state;
	start_with_primary();
	w.f[2].hold_ballots = true;
	w.dead[0] = true;
	run(3000);
	assert_false(is_primary(1));
	assert_false(failover(1)->arbiter.votes & 1 << 2);
	w.f[1].hold_ballots = true;
	fake_write_ballots(&w.f[2]);
	run(3000);
	assert_false(is_primary(1));
	assert_int_not_equal(failover(2)->arbiter.store.record.primary, 1);
	fake_write_ballots(&w.f[1]);
	run(3000);
	assert_true(serves(1));
	stop();
}

/* A module that does not take the end of its lease: it has to run out first. */
static void stop_comes_first(void **state)
{
	uint64_t ends;

	(void)state;
	start_with_primary();
	w.f[0].hold_leases = true;
	run(10);
	/* a round that the arbiter stops the kernel for */
	rblk_failover_stop_kernel(failover(0), &w.f[0].engine);
	ends = failover(0)->lease_set_ms;
	assert_true(ends > w.f[0].now_ms);
	assert_int_equal(w.f[0].told_lease_ms, 0);
	while (w.f[0].now_ms < ends) {
		assert_false(rblk_failover_is_settled(failover(0)));
		run(1);
	}
	run(10);
	assert_true(rblk_failover_is_settled(failover(0)));
	w.f[0].hold_leases = false;
	run(1000);
	assert_true(serves(0));
	stop();
}

/* A disk that fails: the node says nothing any more, and why. */
static void failed_write_is_mute(void **state)
{
	char why[256];

	(void)state;
	start_with_primary();
	close(failover(2)->store->fd);
	failover(2)->store->fd = open("/dev/full", O_RDWR);
	w.dead[0] = true;
	run(4000);
	assert_false(is_primary(1));
	assert_true(failover(2)->arbiter.mute);
	rblk_text_copy(why, sizeof(why), failover(2)->mute_why);
	assert_non_null(strstr(why, "restart rblkd"));
	/* time alone does not heal it */
	run(10000);
	assert_true(failover(2)->arbiter.mute);
	stop();
}

/* The same configuration, read again and again. */
static void reload_disturbs_nothing(void **state)
{
	unsigned int i;
	char *at;

	(void)state;
	start_with_primary();
	for (i = 0; i < 20; i++) {
		fake_ask(&w.f[i % 3],
			 "{\"schema\":\"rblk.control/1\",\"verb\":\"reload\"}");
		run(50);
		assert_true(serves(0));
	}
	at = strstr(w.f[0].log, "udp 0 on");
	assert_non_null(at);
	assert_null(strstr(at + 1, "udp 0 on"));
	stop();
}

#define ABOUT(verb, node, rest) \
	"{\"schema\":\"rblk.control/1\",\"verb\":\"" verb "\",\"peer\":\"" node "\"" rest "}"

/* From the node itself, from the one that takes over, and from who cannot. */
static void eviction(void **state)
{
	(void)state;
	start_with_primary();
	assert_int_equal(fake_ask(&w.f[2], ABOUT("evict", "alpha", "")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "holds no data of it"));
	assert_int_equal(fake_ask(&w.f[0], ABOUT("evict", "zulu", "")),
			 RBLK_EXIT_NOT_FOUND);
	assert_int_equal(fake_ask(&w.f[0], ABOUT("evict", "bravo", "")), 0);
	assert_non_null(strstr(fake_answer, "is primary of nothing"));
	/* in use */
	module_of(0)->resource.openers = 1;
	assert_int_equal(fake_ask(&w.f[0], ABOUT("evict", "alpha", "")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "a volume is open"));
	run(1000);
	assert_true(serves(0));
	module_of(0)->resource.openers = 0;
	assert_int_equal(fake_ask(&w.f[0], ABOUT("evict", "alpha", "")), FAKE_LATER);
	run(2000);
	if (w.f[0].code)
		fail_msg("%s", fake_answer);
	assert_true(serves(1));
	assert_int_equal(fake_ask(&w.f[0], ABOUT("evict", "bravo", "")), FAKE_LATER);
	run(2000);
	if (w.f[0].code)
		fail_msg("%s", fake_answer);
	assert_true(serves(0));
	stop();
}

static void off_by_hand(void **state)
{
	(void)state;
	start_with_primary();
	assert_int_equal(fake_ask(&w.f[1], ABOUT("fence", "zulu", "")),
			 RBLK_EXIT_NOT_FOUND);
	assert_int_equal(fake_ask(&w.f[1], ABOUT("fence", "bravo", "")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "is this node"));
	assert_int_equal(fake_ask(&w.f[1], ABOUT("fence", "alpha", "")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "has no fence section"));
	/* it says itself that it is not */
	assert_int_equal(fake_ask(&w.f[1], ABOUT("fence", "alpha", ",\"confirm\":true")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "it is not off"));
	assert_int_equal(failover(1)->arbiter.fenced, 0);
	w.dead[0] = w.dead[2] = true;
	run(2000);
	assert_int_equal(fake_ask(&w.f[1], ABOUT("fence", "alpha", ",\"confirm\":true")), 0);
	assert_int_equal(failover(1)->arbiter.fenced, 1);
	/* of three voters one that is off is still no vote */
	run(3000);
	assert_false(is_primary(1));
	w.dead[2] = false;
	run(3000);
	assert_true(serves(1));
	/* until it is heard of */
	rblk_failover_stop(&w.f[0].engine);
	w.dead[0] = false;
	module_of(0)->resource.role = RBLK_ROLE_BACKUP;
	module_of(0)->resource.in_sync = 0;
	start_daemon(0);
	run(2000);
	assert_int_equal(failover(1)->arbiter.fenced, 0);
	stop();
}

static void fence_by_agent(void **state)
{
	static const char from[] = "address = \"127.0.0.1:17790\"";
	const char *at = strstr(config, from);
	char *fenced = rblk_xasprintf("%.*s%s fence \"ipmi\" { agent = \"/opt/agent\" } %s",
				      (int)(at - config), config, from,
				      at + strlen(from));
	struct rblk_engine *e = &w.f[1].engine;

	(void)state;
	start_with_primary();
	fake_configure(&w.f[1], fenced);
	free(fenced);
	assert_int_equal(fake_ask(&w.f[1], "{\"schema\":\"rblk.control/1\",\"verb\":\"reload\"}"), 0);
	/* asked for by the policy, and heard of since: leave it alone */
	rblk_failover_fence(failover(1), e, 1);
	assert_non_null(strstr(w.f[1].log, "fence alpha"));
	assert_true(rblk_failover_fence_is_wanted(e, 0));
	run(300);
	assert_false(rblk_failover_fence_is_wanted(e, 0));
	rblk_failover_fence_ended(e, 0, true, "by mistake");
	assert_int_equal(failover(1)->arbiter.fenced, 0);
	/* asked for by an admin: also if it is alive */
	assert_int_equal(fake_ask(&w.f[1], ABOUT("fence", "alpha", "")), FAKE_LATER);
	run(300);
	assert_true(rblk_failover_fence_is_wanted(e, 0));
	assert_int_equal(fake_ask(&w.f[1], ABOUT("fence", "alpha", "")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "somebody else already"));
	rblk_failover_fence_ended(e, 0, false, "ipmi: no route");
	assert_int_equal(w.f[1].code, RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "could not be switched off: ipmi: no route"));
	assert_false(rblk_failover_fence_is_wanted(e, 0));
	/* it dies of it */
	assert_int_equal(fake_ask(&w.f[1], ABOUT("fence", "alpha", "")), FAKE_LATER);
	w.dead[0] = true;
	run(1);
	rblk_failover_fence_ended(e, 0, true, "by ipmi");
	assert_int_equal(w.f[1].code, 0);
	assert_non_null(strstr(fake_answer, "switched off by ipmi"));
	run(3000);
	assert_true(serves(1));
	stop();
}

static void configure(bool automatic)
{
	static char text[sizeof(config)];
	char *at;
	unsigned int i;

	memcpy(text, config, sizeof(config));
	if (!automatic) {
		at = strstr(text, "failover = auto");
		memset(at, ' ', strlen("failover = auto"));
	}
	for (i = 0; i < NODES; i++)
		fake_configure(&w.f[i], text);
}

/* Made manual: it goes on as it is until it is adjusted, and then without leases. */
static void automatic_no_more(void **state)
{
	unsigned int i;

	(void)state;
	start_with_primary();
	configure(false);
	for (i = 0; i < NODES; i++)
		fake_ask(&w.f[i], "{\"schema\":\"rblk.control/1\",\"verb\":\"reload\"}");
	/* the witness has nothing to adjust: it does not vote any more */
	run(3000);
	assert_true(serves(0));
	/* two could be primary if only this node's module knew */
	assert_int_equal(fake_ask(&w.f[0], ASK("adjust", "")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "rblk demote"));
	fake_ask(&w.f[0], ASK("demote", ""));
	run(1000);
	assert_int_equal(w.f[0].code, 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(fake_ask(&w.f[i], ASK("adjust", "")), 0);
	run(3000);
	assert_int_equal(module_of(0)->resource.leased, 0);
	assert_null(failover(0));
	stop();
}

/* Made automatic while it is primary: nobody touches it. */
static void automatic_too_late(void **state)
{
	unsigned int i;

	(void)state;
	start();
	module_of(0)->resource.role = RBLK_ROLE_PRIMARY;
	module_of(0)->resource.leased = 0;
	module_of(0)->resource.data = RBLK_DATA_CONSISTENT;
	module_of(1)->resource.data = RBLK_DATA_CONSISTENT;
	for (i = 0; i < NODES; i++)
		create_register(i);
	run(5000);
	assert_true(is_primary(0));
	assert_false(is_primary(1));
	assert_non_null(strstr(failover(0)->failure, "while failover was manual"));
	assert_int_equal(fake_ask(&w.f[0], ASK("adjust", "")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "rblk demote"));
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_promotion),
		cmocka_unit_test(primary_dies),
		cmocka_unit_test(primary_is_cut_off),
		cmocka_unit_test(link_seems_up),
		cmocka_unit_test(backup_dies),
		cmocka_unit_test(witness_tells),
		cmocka_unit_test(witness_dies),
		cmocka_unit_test(daemon_restarts),
		cmocka_unit_test(switchover),
		cmocka_unit_test(every_switchover_is_recorded),
		cmocka_unit_test(refused_and_tried_again),
		cmocka_unit_test(false_alarm_is_not_recorded),
		cmocka_unit_test(demotion),
		cmocka_unit_test(new_registers),
		cmocka_unit_test(reinstalled_votes_again),
		cmocka_unit_test(no_majority_no_primary),
		cmocka_unit_test(durable_comes_first),
		cmocka_unit_test(stop_comes_first),
		cmocka_unit_test(failed_write_is_mute),
		cmocka_unit_test(automatic_no_more),
		cmocka_unit_test(automatic_too_late),
		cmocka_unit_test(reload_disturbs_nothing),
		cmocka_unit_test(eviction),
		cmocka_unit_test(off_by_hand),
		cmocka_unit_test(fence_by_agent),
	};

	rblk_log_init(getenv("RBLK_TEST_LOG") ? RBLK_LOG_DEBUG : RBLK_LOG_ERROR,
		      0);
	return RUN(tests);
}

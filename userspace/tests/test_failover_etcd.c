// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_failover_etcd.c - two daemons whose arbiter is an etcd, each above a module of
 * a few structs. Datagrams, links, the clock and the etcd are the test's.
 */
#include "test.h"

#include "etcd_call.h"
#include "exitcode.h"
#include "failover.h"
#include "fake.h"
#include "text.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#define NODES		2
#define MAX_FLYING	256
#define MAX_CALLS	16
#define TIMEOUT_MS	100
#define ASK(verb, rest) \
	"{\"schema\":\"rblk.control/1\",\"verb\":\"" verb "\",\"resource\":\"r0\"" rest "}"

static const char config[] =
"cluster \"demo\" { key-file = \"%s/key\" }\n"
"heartbeat { interval = 100ms  misses = 5 }\n"
"etcd { endpoints = { \"http://127.0.0.1:1\", \"http://127.0.0.1:2\" } }\n"
"node \"alpha\" { id = 0  address = \"127.0.0.1:17790\" }\n"
"node \"bravo\" { id = 1  address = \"127.0.0.1:17791\" }\n"
"resource \"r0\" { failover = auto  arbiter = etcd\n"
"  volume 0 { minor = 0  disk = \"/dev/vdb\" }\n"
"}\n";

struct flying {
	uint8_t to;
	size_t n;
	uint8_t bytes[RBLK_BEAT_MAX_BYTES];
};

/* A request to the etcd: when it is answered, or given up. */
struct waiting {
	struct rblk_etcd_call *call;
	unsigned int from;
	uint64_t at;
	bool lost;
};

static struct world {
	struct fake f[NODES];
	uint64_t now;
	bool dead[NODES];
	bool cut;			/* the two do not hear each other */
	bool no_etcd[NODES];		/* it does not reach it */
	bool dead_endpoint;		/* the first one */
	unsigned int lose_answers;	/* so many: what is asked is done all the same */
	const char *garbage;		/* what every answer is */
	bool has_value;
	char *value;			/* base64 */
	uint64_t revision;
	uint64_t cluster;
	unsigned int swaps;
	struct waiting waiting[MAX_CALLS];
	struct flying flying[MAX_FLYING];
	size_t n;
} w;

static const char *const names[NODES] = { "alpha", "bravo" };

static unsigned int number_of(const struct fake *f)
{
	return f - w.f;
}

/* ---- the etcd ---- */

static void put(const char *value)
{
	free(w.value);
	w.value = rblk_xstrdup(value);
	w.revision++;
	w.has_value = true;
}

static json_t *range(const char *key)
{
	if (!w.has_value)
		return json_object();
	return json_pack("{s:[{s:s,s:o,s:s}]}", "kvs", "key", key, "mod_revision",
			 json_sprintf("%llu", (unsigned long long)w.revision),
			 "value", w.value);
}

static json_t *swap(const json_t *body)
{
	const char *wanted, *value, *key;
	json_t *b = (json_t *)body;

	assert_int_equal(json_unpack(b, "{s:[{s:s}],s:[{s:{s:s,s:s}}]}", "compare",
				     "mod_revision", &wanted, "success", "request_put",
				     "key", &key, "value", &value), 0);
	if (strtoull(wanted, NULL, 10) != (w.has_value ? w.revision : 0))
		return json_pack("{s:[{s:o}]}", "responses", "response_range",
				 range(key));
	w.swaps++;
	put(value);
	return json_pack("{s:b,s:[{s:{}}]}", "succeeded", 1, "responses",
			 "response_put");
}

static void serve(struct rblk_etcd_call *call)
{
	json_t *body = json_loads(call->body, 0, NULL), *top;
	bool swaps = strstr(call->url, "/v3/kv/txn");

	assert_non_null(body);
	top = swaps ? swap(body) :
	      range(json_string_value(json_object_get(body, "key")));
	json_object_set_new(top, "header", json_pack("{s:o,s:o}", "cluster_id",
		json_sprintf("%llu", (unsigned long long)w.cluster), "revision",
		json_sprintf("%llu", (unsigned long long)w.revision + 1)));
	/* the revision of a write is that of its header */
	if (json_is_true(json_object_get(top, "succeeded")))
		json_object_set_new(json_object_get(top, "header"), "revision",
			json_sprintf("%llu", (unsigned long long)w.revision));
	call->answer = w.garbage ? rblk_xstrdup(w.garbage) :
				   json_dumps(top, JSON_COMPACT);
	call->length = strlen(call->answer);
	call->ok = true;
	json_decref(top);
	json_decref(body);
}

static void ask_etcd(struct fake *f, struct rblk_etcd_call *call)
{
	unsigned int i = 0;

	while (w.waiting[i].call)
		assert_true(++i < MAX_CALLS);
	w.waiting[i] = (struct waiting){
		.call = call, .from = number_of(f), .at = w.now + 3,
	};
	assert_int_equal(call->timeout_ms, TIMEOUT_MS);
	if (w.no_etcd[number_of(f)] ||
	    (w.dead_endpoint && strstr(call->url, ":1/"))) {
		w.waiting[i].lost = true;
		w.waiting[i].at = w.now + TIMEOUT_MS;
	} else if (w.lose_answers) {
		w.lose_answers--;
		serve(call);
		call->ok = false;
		w.waiting[i].lost = true;
		w.waiting[i].at = w.now + TIMEOUT_MS;
	}
}

static void run_etcd(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CALLS; i++) {
		struct waiting got = w.waiting[i];

		if (!got.call || w.now < got.at)
			continue;
		w.waiting[i].call = NULL;
		if (w.dead[got.from]) {
			rblk_etcd_free_call(got.call);
			continue;
		}
		if (got.lost)
			rblk_text_copy(got.call->why, sizeof(got.call->why),
				       "nobody answers");
		else
			serve(got.call);
		rblk_failover_etcd_answered(&w.f[got.from].engine, got.call);
		rblk_engine_run(&w.f[got.from].engine);
	}
}

/* ---- the world ---- */

static bool send_it(struct fake *f, unsigned int path,
		    const struct sockaddr_storage *addr, const uint8_t *bytes,
		    size_t n)
{
	unsigned int to = ntohs(((const struct sockaddr_in *)addr)->sin_port) - 17790;

	(void)f;
	assert_int_equal(path, 0);
	if (w.dead[to] || w.cut || w.n == MAX_FLYING)
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

static struct rblk_failover *failover(unsigned int i)
{
	return rblk_failover_find(&w.f[i].engine, "r0");
}

static bool is_primary(unsigned int i)
{
	return !w.dead[i] && module_of(i) &&
	       module_of(i)->resource.role == RBLK_ROLE_PRIMARY;
}

static bool serves(unsigned int i)
{
	return is_primary(i) && module_of(i)->resource.lease_until_ns / 1000000 >
				w.f[i].now_ms;
}

static void join_modules(void)
{
	bool up = !w.dead[0] && !w.dead[1] && !w.cut &&
		  !rblk_failover_shuns(&w.f[0].engine, "r0", 1) &&
		  !rblk_failover_shuns(&w.f[1].engine, "r0", 0);
	unsigned int i;

	for (i = 0; i < NODES; i++) {
		struct rblk_kstate *s = module_of(i), *other = module_of(1 - i);
		struct rblk_kpeer *p;

		if (w.dead[i] || !s || !s->peers_n)
			continue;
		p = &s->peers[0];
		p->repl = RBLK_REPL_UPTODATE;
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
		w.now++;
		for (i = 0; i < NODES; i++)
			w.f[i].now_ms++;
		join_modules();
		run_etcd();
		for (i = 0; i < NODES; i++)
			if (!w.dead[i] && w.f[i].wake_ms &&
			    w.f[i].now_ms >= w.f[i].wake_ms)
				rblk_engine_tick(&w.f[i].engine);
		while (w.n) {
			struct flying f = w.flying[0];

			memmove(&w.flying[0], &w.flying[1],
				--w.n * sizeof(w.flying[0]));
			if (!w.dead[f.to])
				rblk_engine_datagram(&w.f[f.to].engine, f.bytes, f.n);
		}
		/* what it is all about */
		assert_false(serves(0) && serves(1));
	}
}

static void start_daemon(unsigned int i)
{
	struct rblk_genl_error err;

	rblk_cluster_stop(&w.f[i].engine.cluster);
	memset(&w.f[i].engine.cluster, 0, sizeof(w.f[i].engine.cluster));
	memset(w.f[i].engine.held, 0, sizeof(w.f[i].engine.held));
	assert_int_equal(rblk_engine_start(&w.f[i].engine, &err), 0);
}

/* As 'rblk create' does. */
static void create_register(uint64_t gen)
{
	struct rblk_shared_value v = {
		.store.record = { .version = 1, .gen = gen, .primary = RBLK_ARBITER_NOBODY,
				  .idle = true, .insync = 3, .voters = 3,
				  .voters_before = 3 },
		.serial = 1,
	};
	uint8_t bytes[RBLK_SHARED_BYTES];
	gnutls_datum_t in = { bytes, sizeof(bytes) }, out;
	char *text;

	rblk_shared_put(bytes, failover(0)->uuid, &v);
	gnutls_base64_encode2(&in, &out);
	text = rblk_xasprintf("%.*s", (int)out.size, out.data);
	put(text);
	free(text);
	gnutls_free(out.data);
}

static void start(void)
{
	unsigned int i;

	memset(&w, 0, sizeof(w));
	w.cluster = 0xe7cd;
	w.revision = 40;
	for (i = 0; i < NODES; i++) {
		fake_init(&w.f[i], names[i], config);
		w.f[i].send = send_it;
		w.f[i].ask_etcd = ask_etcd;
		w.f[i].random = 77 * i;
		w.f[i].token = i << 20;
		w.now = w.f[i].now_ms;
		start_daemon(i);
		assert_int_equal(fake_ask(&w.f[i], ASK("up", "")), 0);
	}
}

static void start_with_primary(void)
{
	start();
	run(200);
	assert_true(failover(0)->arbiter.mute);
	assert_string_equal(failover(0)->mute_why,
			    "it has no register: run 'rblk create r0', or 'rblk create --register r0' if there is data");
	create_register(0);
	run(500);
	assert_false(failover(0)->arbiter.mute);
	assert_false(failover(1)->arbiter.mute);
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

static void stop(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CALLS; i++)
		rblk_etcd_free_call(w.waiting[i].call);
	for (i = 0; i < NODES; i++)
		fake_exit(&w.f[i]);
	free(w.value);
}

/* ---- tests ---- */

static void lease_is_renewed(void **state)
{
	unsigned int ms;

	(void)state;
	start_with_primary();
	for (ms = 0; ms < 5000; ms++) {
		run(1);
		assert_true(serves(0));
	}
	assert_in_range(w.swaps, 45, 80);
	/* its backup was told late of the new primary, and did not end the link */
	assert_null(strstr(w.f[1].log, "detach"));
	assert_int_equal(fake_ask(&w.f[0], ASK("failover", "")), 0);
	assert_non_null(strstr(fake_answer, "\"arbiter\":\"etcd\""));
	assert_non_null(strstr(fake_answer, "\"voters\":null"));
	stop();
}

static void primary_dies(void **state)
{
	unsigned int ms = 0;

	(void)state;
	start_with_primary();
	w.dead[0] = true;
	while (!serves(1) && ms++ < 5000)
		run(1);
	assert_in_range(ms, 400, 1500);
	run(1000);
	assert_true(serves(1));
	assert_int_equal(module_of(1)->resource.in_sync, 2);
	/* back, as a machine that comes up */
	rblk_failover_stop(&w.f[0].engine);
	w.dead[0] = false;
	module_of(0)->resource.role = RBLK_ROLE_BACKUP;
	module_of(0)->resource.in_sync = 0;
	start_daemon(0);
	run(3000);
	assert_true(serves(1));
	assert_false(is_primary(0));
	assert_int_equal(module_of(1)->resource.in_sync, 3);
	assert_int_equal(failover(0)->arbiter.known.insync, 3);
	stop();
}

/* Both reach the etcd, not each other: the primary goes on alone. */
static void cut_from_each_other(void **state)
{
	unsigned int ms;

	(void)state;
	start_with_primary();
	w.cut = true;
	for (ms = 0; ms < 5000; ms++) {
		run(1);
		assert_true(serves(0));
	}
	assert_int_equal(module_of(0)->resource.in_sync, 1);
	assert_int_equal(failover(1)->arbiter.known.insync, 1);
	w.cut = false;
	run(3000);
	assert_int_equal(module_of(0)->resource.in_sync, 3);
	stop();
}

/* Cut from all: it stops before the other begins; run() looks at each millisecond. */
static void primary_is_cut_off(void **state)
{
	(void)state;
	start_with_primary();
	w.cut = true;
	w.no_etcd[0] = true;
	run(2000);
	assert_true(serves(1));
	assert_false(serves(0));
	w.cut = false;
	w.no_etcd[0] = false;
	run(3000);
	assert_true(serves(1));
	assert_false(is_primary(0));
	stop();
}

/* Only the primary has no etcd: it cannot go on, the other can. */
static void primary_has_no_etcd(void **state)
{
	(void)state;
	start_with_primary();
	w.no_etcd[0] = true;
	run(700);
	assert_false(serves(0));
	assert_non_null(strstr(failover(0)->mute_why, "nobody answers"));
	run(4000);
	assert_true(serves(1));
	stop();
}

/* It is away: the lease runs out, nobody is promoted. It is back: all is well. */
static void etcd_is_away(void **state)
{
	(void)state;
	start_with_primary();
	w.no_etcd[0] = w.no_etcd[1] = true;
	run(700);
	assert_false(serves(0));
	run(10000);
	assert_false(serves(0) || serves(1));
	fake_ask(&w.f[1], ASK("promote", ""));
	run(100);
	assert_int_equal(w.f[1].code, RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "its arbiter cannot be asked: nobody answers"));
	w.no_etcd[0] = w.no_etcd[1] = false;
	run(3000);
	assert_true(serves(0) || serves(1));
	assert_int_equal(failover(0)->arbiter.known.insync, 3);
	stop();
}

/* So is one endpoint of two: a blink, and no more. */
static void endpoint_dies(void **state)
{
	unsigned int ms;

	(void)state;
	start_with_primary();
	w.dead_endpoint = true;
	for (ms = 0; ms < 3000; ms++) {
		run(1);
		assert_true(serves(0));
	}
	w.dead[0] = true;
	run(2000);
	assert_true(serves(1));
	stop();
}

/* What was asked is done, and nobody hears of it: each kind of change, each time. */
static void answers_are_lost(void **state)
{
	unsigned int n;

	(void)state;
	for (n = 1; n < 6; n++) {
		start_with_primary();
		w.lose_answers = n;
		w.dead[0] = true;
		run(3000);
		assert_true(serves(1));
		assert_int_equal(failover(1)->arbiter.known.insync, 2);
		w.lose_answers = n;
		run(1000);
		assert_true(serves(1));
		stop();
	}
}

static void switchover(void **state)
{
	(void)state;
	start_with_primary();
	assert_int_equal(fake_ask(&w.f[1], ASK("promote", "")), FAKE_LATER);
	run(1000);
	if (w.f[1].code)
		fail_msg("%d %s", w.f[1].code, fake_answer);
	assert_true(serves(1));
	assert_false(is_primary(0));
	assert_null(strstr(w.f[0].log, "detach"));
	/* and away again: nobody shall be */
	assert_int_equal(fake_ask(&w.f[1], ASK("demote", "")), FAKE_LATER);
	run(3000);
	assert_int_equal(w.f[1].code, 0);
	assert_false(is_primary(0) || is_primary(1));
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

static void garbage(void **state)
{
	static const char *const answers[] = {
		"", "{}", "[]", "null", "{\"header\":{}}", "<html>", "{\"header\":1}",
		"{\"header\":{\"cluster_id\":\"59341\",\"revision\":\"99\"},\"succeeded\":true}",
		"{\"header\":{\"cluster_id\":\"59341\",\"revision\":\"99\"},\"kvs\":[{\"value\":\"AAAA\"}]}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		start_with_primary();
		w.garbage = answers[i];
		run(3000);
		assert_false(serves(0) || serves(1));
		assert_true(failover(0)->arbiter.mute);
		w.garbage = NULL;
		run(3000);
		assert_true(serves(0) || serves(1));
		stop();
	}
}

/* Restored from a backup, by another cluster, by hand: nobody is promoted by it. */
static void etcd_forgot(void **state)
{
	(void)state;
	start_with_primary();
	create_register(0);
	run(5000);
	assert_false(serves(0) || serves(1));
	assert_non_null(strstr(failover(0)->mute_why, "restored from a backup?"));
	assert_non_null(strstr(failover(1)->mute_why, "restored from a backup?"));
	/* a start remembers no revision, but what its module promised */
	rblk_failover_stop(&w.f[0].engine);
	start_daemon(0);
	w.dead[1] = true;
	run(3000);
	assert_false(serves(0));
	assert_non_null(strstr(failover(0)->mute_why, "older than this node's data"));
	stop();
}

/* As the documentation says: down, another register, up. */
static void register_is_written_anew(void **state)
{
	unsigned int i;

	(void)state;
	start_with_primary();
	fake_ask(&w.f[0], ASK("demote", ""));
	run(1000);
	/* 'rblk down' does that itself, then tells the daemon */
	for (i = 0; i < NODES; i++) {
		free(w.f[i].states[--w.f[i].states_n]);
		assert_int_equal(fake_ask(&w.f[i], ASK("down", "")), 0);
	}
	create_register(1);
	run(1000);
	assert_non_null(strstr(failover(1)->mute_why, "restored from a backup?"));
	for (i = 0; i < NODES; i++)
		fake_ask(&w.f[i], "{\"schema\":\"rblk.control/1\",\"verb\":\"reload\"}");
	run(300);
	for (i = 0; i < NODES; i++) {
		if (failover(i)->arbiter.mute)
			fail_msg("%s", failover(i)->mute_why);
		assert_int_equal(fake_ask(&w.f[i], ASK("up", "")), 0);
	}
	module_of(0)->resource.data = RBLK_DATA_CONSISTENT;
	module_of(1)->resource.data = RBLK_DATA_CONSISTENT;
	run(1000);
	assert_false(is_primary(0) || is_primary(1));
	fake_ask(&w.f[0], ASK("promote", ""));
	run(1000);
	assert_true(serves(0));
	assert_int_equal(failover(0)->arbiter.known.gen, 2);
	stop();
}

static void another_cluster(void **state)
{
	(void)state;
	start_with_primary();
	w.cluster++;
	run(3000);
	assert_false(serves(0) || serves(1));
	assert_non_null(strstr(failover(1)->mute_why, "is of etcd cluster e7ce"));
	stop();
}

/* Another node writes between two renewals: the next one is not lost by that. */
static void written_in_between(void **state)
{
	unsigned int ms;

	(void)state;
	start_with_primary();
	for (ms = 0; ms < 2000; ms++) {
		char *same = rblk_xstrdup(w.value);

		if (ms % 90 == 0)
			put(same);
		free(same);
		run(1);
		assert_true(serves(0));
	}
	stop();
}

static int get_fails(void *ctx, const char *name, struct rblk_kstate *state,
		     struct rblk_genl_error *err)
{
	(void)ctx;
	(void)name;
	(void)state;
	(void)err;
	return -EIO;
}

/* The watchdog: a lease, or a module that says it has stopped. */
static void signs_of_life(void **state)
{
	(void)state;
	start_with_primary();
	assert_true(rblk_failover_is_well(&w.f[0].engine));
	assert_true(rblk_failover_has_primary(&w.f[0].engine));
	assert_false(rblk_failover_has_primary(&w.f[1].engine));
	w.no_etcd[0] = w.no_etcd[1] = true;
	run(1000);
	assert_false(serves(0));
	assert_true(rblk_failover_is_well(&w.f[0].engine));
	/* the module has a lease that nobody gave it, or does not answer */
	module_of(0)->resource.lease_until_ns = (w.now + 100) * 1000000;
	assert_false(rblk_failover_is_well(&w.f[0].engine));
	module_of(0)->resource.lease_until_ns = 0;
	assert_true(rblk_failover_is_well(&w.f[0].engine));
	w.f[0].ops.get = get_fails;
	assert_false(rblk_failover_is_well(&w.f[0].engine));
	stop();
}

static void has_no_voters(void **state)
{
	(void)state;
	start_with_primary();
	assert_int_equal(fake_ask(&w.f[0], ASK("readmit", ",\"node\":\"bravo\"")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "has no voters: etcd keeps its register"));
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lease_is_renewed),
		cmocka_unit_test(primary_dies),
		cmocka_unit_test(cut_from_each_other),
		cmocka_unit_test(primary_is_cut_off),
		cmocka_unit_test(primary_has_no_etcd),
		cmocka_unit_test(etcd_is_away),
		cmocka_unit_test(endpoint_dies),
		cmocka_unit_test(answers_are_lost),
		cmocka_unit_test(switchover),
		cmocka_unit_test(daemon_restarts),
		cmocka_unit_test(garbage),
		cmocka_unit_test(etcd_forgot),
		cmocka_unit_test(register_is_written_anew),
		cmocka_unit_test(another_cluster),
		cmocka_unit_test(written_in_between),
		cmocka_unit_test(signs_of_life),
		cmocka_unit_test(has_no_voters),
	};

	return RUN(tests);
}

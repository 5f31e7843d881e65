// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_etcd.c - requests to a real etcd, and answers that no etcd gives
 *
 * The etcd is Debian's, started here on the loopback interface with a fresh directory.
 * Garbage comes from a small server that answers everything with the same bytes.
 */
#include "test.h"

#include "cli.h"
#include "etcd.h"
#include "ident.h"
#include "policy.h"
#include "shared.h"
#include "store.h"
#include "text.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY		"rblk/demo/r0"
#define START_TRIES	100

static struct env {
	uv_loop_t loop;
	struct rblk_etcds etcds;
	char dir[64];
	unsigned int port;
	pid_t pid;
	bool tls;			/* the etcd wants certificates */
	const char *ca, *cert;		/* files in dir, or NULL: what is shown to it */
	struct rblk_etcd_call *got;
	unsigned int answers;
} env;

static const char *endpoint(unsigned int port)
{
	static char text[64];

	return rblk_text_format(text, sizeof(text), "http%s://127.0.0.1:%u",
				env.tls ? "s" : "", port);
}

static unsigned int free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	close(fd);
	return ntohs(addr.sin_port);
}

/* ---- calls ---- */

static void answered(void *ctx, struct rblk_etcd_call *call)
{
	(void)ctx;
	env.answers++;
	rblk_etcd_free_call(env.got);
	env.got = call;
	uv_stop(&env.loop);
}

static struct rblk_etcd_call *new_call(unsigned int port, uint32_t timeout_ms)
{
	char *endpoints[] = { (char *)endpoint(port) }, files[3][96];
	struct rblk_config_etcd etcd = { .endpoints = endpoints, .endpoints_n = 1 };

	if (env.ca)
		etcd.ca_file = (char *)rblk_text_format(files[0], sizeof(files[0]),
							"%s/%s.pem", env.dir, env.ca);
	if (env.cert) {
		etcd.cert_file = (char *)rblk_text_format(files[1], sizeof(files[1]),
							  "%s/%s.pem", env.dir,
							  env.cert);
		etcd.key_file = (char *)rblk_text_format(files[2], sizeof(files[2]),
							 "%s/%s.key", env.dir,
							 env.cert);
	}
	return rblk_etcd_new_call(&etcd, 0, timeout_ms);
}

static struct rblk_etcd_call *wait_for(struct rblk_etcd_call *call)
{
	unsigned int before = env.answers;

	rblk_etcds_start(&env.etcds, call);
	assert_int_equal(env.answers, before);	/* never within start */
	while (env.answers == before)
		uv_run(&env.loop, UV_RUN_DEFAULT);
	assert_ptr_equal(env.got, call);
	return call;
}

static const char *reply_of(struct rblk_etcd_call *call, bool swap,
			    struct rblk_etcd_reply *reply)
{
	if (!call->ok)
		return call->why;
	return rblk_etcd_parse(call->answer, call->length, KEY, swap, reply);
}

static const char *read_it(struct rblk_etcd_reply *reply)
{
	struct rblk_etcd_call *call = new_call(env.port, 5000);

	rblk_etcd_ask_to_read(call, KEY);
	return reply_of(wait_for(call), false, reply);
}

static const char *swap_it(uint64_t revision, const char *value,
			   struct rblk_etcd_reply *reply)
{
	struct rblk_etcd_call *call = new_call(env.port, 5000);

	rblk_etcd_ask_to_swap(call, KEY, revision, (const uint8_t *)value,
			      strlen(value));
	return reply_of(wait_for(call), true, reply);
}

/* ---- the etcd ---- */

static void run_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run_shell(const char *format, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* A certificate of "127.0.0.1", signed by @ca. */
static void sign(const char *name, const char *ca)
{
	run_shell("cd %s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%s -keyout %s.key -out %s.csr 2>/dev/null",
		  env.dir, name, name, name);
	run_shell("cd %s && echo subjectAltName=IP:127.0.0.1 >san && openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key -CAcreateserial -days 2 -extfile san -out %s.pem 2>/dev/null",
		  env.dir, name, ca, ca, name);
}

static void new_ca(const char *name)
{
	run_shell("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=%s -keyout %s.key -out %s.pem 2>/dev/null",
		  env.dir, name, name, name);
}

static void start_etcd(void)
{
	unsigned int peers = free_port(), tries;
	struct rblk_etcd_reply reply;
	char urls[2][64], name[80], ca[80], cert[80], key[80];
	const char *wrong = "";

	rblk_text_copy(urls[0], sizeof(urls[0]), endpoint(env.port));
	rblk_text_format(ca, sizeof(ca), "%s/ca.pem", env.dir);
	rblk_text_format(cert, sizeof(cert), "%s/server.pem", env.dir);
	rblk_text_format(key, sizeof(key), "%s/server.key", env.dir);
	rblk_text_format(urls[1], sizeof(urls[1]), "http://127.0.0.1:%u", peers);
	rblk_text_format(name, sizeof(name), "%s/data", env.dir);
	env.pid = fork();
	if (env.pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		execlp("etcd", "etcd", "--data-dir", name, "--listen-client-urls",
		       urls[0], "--advertise-client-urls", urls[0],
		       "--listen-peer-urls", urls[1],
		       env.tls ? "--client-cert-auth" : NULL, "--trusted-ca-file",
		       ca, "--cert-file", cert, "--key-file", key, NULL);
		_exit(127);
	}
	for (tries = 0; wrong && tries < START_TRIES; tries++) {
		usleep(100 * 1000);
		wrong = read_it(&reply);
	}
	if (wrong)
		fail_msg("etcd does not start (package etcd-server): %s", wrong);
}

static void kill_etcd(void)
{
	kill(env.pid, SIGKILL);
	waitpid(env.pid, NULL, 0);
}

static int begin(void **state)
{
	(void)state;
	memset(&env, 0, sizeof(env));
	signal(SIGPIPE, SIG_IGN);
	rblk_text_copy(env.dir, sizeof(env.dir), "/tmp/rblk-etcd-XXXXXX");
	if (!mkdtemp(env.dir))
		return -1;
	env.port = free_port();
	uv_loop_init(&env.loop);
	rblk_etcds_open(&env.etcds, &env.loop, answered, NULL);
	return 0;
}

static int end(void **state)
{
	char *command = rblk_xasprintf("rm -rf %s", env.dir);
	int rc;

	(void)state;
	kill_etcd();
	rblk_etcds_close(&env.etcds);
	uv_run(&env.loop, UV_RUN_DEFAULT);
	rblk_etcd_free_call(env.got);
	rc = system(command);
	free(command);
	return uv_loop_close(&env.loop) < 0 ? -1 : rc;
}

/* ---- tests, in this order ---- */

/* Nothing has loaded it yet, and nothing can: there is no file descriptor left. */
static void no_libcurl(void **state)
{
	struct rblk_etcd_call *call = new_call(env.port, 5000);
	struct rlimit some, none;

	(void)state;
	rblk_etcd_ask_to_read(call, KEY);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &some), 0);
	none = some;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	wait_for(call);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &some), 0);
	assert_false(call->ok);
	assert_non_null(strstr(call->why, "libcurl3-gnutls"));
}

static void two_compare_and_one_swaps(void **state)
{
	struct rblk_etcd_reply a, b;

	(void)state;
	start_etcd();
	assert_null(read_it(&a));
	assert_false(a.found);
	assert_int_not_equal(a.cluster, 0);
	/* both begin with nothing */
	assert_null(swap_it(0, "alpha", &a));
	assert_true(a.swapped);
	assert_null(swap_it(0, "bravo", &b));
	assert_false(b.swapped);
	assert_true(b.found);
	assert_int_equal(b.revision, a.revision);
	assert_int_equal(b.n, 5);
	assert_memory_equal(b.value, "alpha", 5);
	/* and with the same revision */
	assert_null(swap_it(b.revision, "bravo", &b));
	assert_true(b.swapped);
	assert_true(b.revision > a.revision);
	assert_null(swap_it(a.revision, "alpha again", &a));
	assert_false(a.swapped);
	assert_int_equal(a.revision, b.revision);
	assert_memory_equal(a.value, "bravo", 5);
	assert_null(read_it(&a));
	assert_int_equal(a.revision, b.revision);
}

/* What it said is done is there when it was killed and starts anew. */
static void killed_and_started_again(void **state)
{
	struct rblk_etcd_reply before, after;
	const char *wrong;

	(void)state;
	assert_null(read_it(&before));
	assert_null(swap_it(before.revision, "kept", &before));
	kill_etcd();
	wrong = read_it(&after);
	assert_non_null(wrong);
	assert_non_null(strstr(wrong, "connect"));
	start_etcd();
	assert_null(read_it(&after));
	assert_int_equal(after.revision, before.revision);
	assert_int_equal(after.cluster, before.cluster);
	assert_memory_equal(after.value, "kept", 4);
	assert_null(swap_it(before.revision, "goes on", &after));
	assert_true(after.swapped);
}

/* It stands still: the request ends when its time is over, and is done later. */
static void stands_still(void **state)
{
	struct rblk_etcd_call *call = new_call(env.port, 300);
	struct rblk_etcd_reply was, is;

	(void)state;
	assert_null(read_it(&was));
	kill(env.pid, SIGSTOP);
	assert_int_equal(waitpid(env.pid, NULL, WUNTRACED), env.pid);
	rblk_etcd_ask_to_swap(call, KEY, was.revision, (const uint8_t *)"late", 4);
	wait_for(call);
	assert_false(call->ok);
	assert_non_null(strstr(call->why, "Timeout was reached"));
	kill(env.pid, SIGCONT);
	/* done or not: a write above it decides */
	assert_null(swap_it(was.revision, "newer", &is));
	if (!is.swapped) {
		assert_memory_equal(is.value, "late", 4);
		assert_null(swap_it(is.revision, "newer", &is));
	}
	assert_true(is.swapped);
	assert_null(read_it(&is));
	assert_memory_equal(is.value, "newer", 5);
}

static void many_at_once(void **state)
{
	unsigned int i, n = 20, before = env.answers;

	(void)state;
	for (i = 0; i < n; i++) {
		struct rblk_etcd_call *call = new_call(env.port, 5000);

		rblk_etcd_ask_to_read(call, KEY);
		rblk_etcds_start(&env.etcds, call);
	}
	while (env.answers < before + n) {
		uv_run(&env.loop, UV_RUN_DEFAULT);
		assert_true(env.got->ok);
	}
}

/* The table of verbs is beside rblk's main(), which is not here. */
const struct rblk_command *rblk_command_find(const char *name)
{
	fail_msg("asked for the verb %s", name);
	return NULL;
}

static struct rblk_shared_value register_of(const char *resource)
{
	struct rblk_etcd_call *call = new_call(env.port, 5000);
	char *key = rblk_etcd_key("demo", resource);
	struct rblk_shared_value value;
	struct rblk_etcd_reply reply;
	uint8_t uuid[RBLK_UUID_SIZE];

	rblk_etcd_ask_to_read(call, key);
	wait_for(call);
	assert_true(call->ok);
	assert_null(rblk_etcd_parse(call->answer, call->length, key, false, &reply));
	assert_true(reply.found);
	rblk_ident_uuid("demo", resource, uuid);
	assert_int_equal(rblk_shared_get(reply.value, reply.n, uuid, &value),
			 RBLK_ARBITER_SLOT_OK);
	free(key);
	return value;
}

/* 'rblk create' on two nodes: the first one writes it, the other leaves it alone. */
static void create_registers(void **state)
{
	char *text = rblk_xasprintf("cluster \"demo\" { key-file = \"/k\" }\n"
		"etcd { endpoints = { \"http://127.0.0.1:1\", \"%s\" } }\n"
		"node \"alpha\" { id = 0  address = \"10.0.0.1\" }\n"
		"node \"bravo\" { id = 1  address = \"10.0.0.2\" }\n"
		"resource \"r1\" { failover = auto arbiter = etcd volume 0 { minor = 0 disk = \"/dev/x\" } }\n"
		"resource \"r2\" { failover = auto arbiter = etcd volume 0 { minor = 1 disk = \"/dev/y\" } }\n",
		endpoint(env.port));
	struct rblk_config *c = rblk_config_parse("f", text, strlen(text));
	struct rblk_store_record promised;
	struct rblk_shared_value v, again;

	(void)state;
	assert_int_equal(c->diags.errors, 0);
	setenv("RBLK_STATE_DIR", env.dir, 1);
	setenv("RBLK_RUN_DIR", env.dir, 1);
	assert_int_equal(rblk_cli_create_register(c, &c->resources[0], &c->nodes[0],
						  false), 0);
	v = register_of("r1");
	assert_int_equal(v.store.record.version, 1);
	assert_int_equal(v.store.record.gen, 0);
	assert_int_equal(v.store.record.primary, RBLK_ARBITER_NOBODY);
	assert_true(v.store.record.idle);
	assert_int_equal(v.store.record.insync, 3);
	assert_int_equal(v.lease, c->resources[0].failover.lease_ms);
	assert_int_equal(rblk_cli_create_register(c, &c->resources[0], &c->nodes[1],
						  false), 0);
	again = register_of("r1");
	assert_memory_equal(again.nonce, v.nonce, sizeof(v.nonce));
	/* there is data, and generations that were used */
	rblk_ident_uuid("demo", "r2", promised.uuid);
	promised.generation = rblk_policy_generation(7, 1, 1);
	assert_int_equal(rblk_store_save(env.dir, "r2", &promised), 0);
	assert_int_equal(rblk_cli_create_register(c, &c->resources[1], &c->nodes[1],
						  true), 0);
	v = register_of("r2");
	assert_int_equal(v.store.record.gen, 7);
	assert_int_equal(v.store.record.insync, 2);
	rblk_config_free(c);
	free(text);
}

/* It believes whom its authority signed, and so does this side. */
static void certificates(void **state)
{
	struct rblk_etcd_reply reply;
	const char *wrong;

	(void)state;
	kill_etcd();
	new_ca("ca");
	new_ca("other-ca");
	sign("server", "ca");
	sign("node", "ca");
	sign("stranger", "other-ca");
	env.tls = true;
	env.ca = "ca";
	env.cert = "node";
	start_etcd();
	assert_null(read_it(&reply));
	assert_true(reply.found);
	env.cert = NULL;
	assert_non_null(read_it(&reply));
	env.cert = "stranger";
	assert_non_null(read_it(&reply));
	env.cert = "node";
	env.ca = "other-ca";
	wrong = read_it(&reply);
	assert_non_null(wrong);
	assert_non_null(strstr(wrong, "SSL peer certificate"));
	env.ca = "ca";
	assert_null(read_it(&reply));
	env.tls = false;
	env.ca = env.cert = NULL;
}

/* ---- what no etcd says ---- */

struct server {
	pid_t pid;
	unsigned int port;
};

static struct server serve(const char *bytes, size_t n, unsigned int times)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct server s;
	char in[4096];

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	listen(fd, 4);
	s.port = ntohs(addr.sin_port);
	s.pid = fork();
	if (s.pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		for (;;) {
			int to = accept(fd, NULL, NULL);
			unsigned int i;

			if (read(to, in, sizeof(in)) < 0)
				_exit(1);
			for (i = 0; i < times && write(to, bytes, n) > 0; i++)
				;
			close(to);
		}
	}
	close(fd);
	return s;
}

static void nonsense_on_the_wire(void **state)
{
	static const struct {
		const char *bytes, *why;
		unsigned int times;
	} cases[] = {
		{ "", "", 1 },
		{ "rblk\n", "", 1 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "", 1 },
		{ "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwait", "status 503: wait", 1 },
		{ "HTTP/1.1 302 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "status 302", 1 },
		{ "HTTP/1.1 200 OK\r\n\r\n", "no JSON", 1 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
		  "0123456789012345678901234567890123456789012345678901234567890123456789",
		  "its answer is too long", 2000 },
	};
	struct rblk_etcd_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct server s = serve(cases[i].bytes, strlen(cases[i].bytes),
					cases[i].times);
		struct rblk_etcd_call *call = new_call(s.port, 5000);
		const char *wrong;

		rblk_etcd_ask_to_read(call, KEY);
		wrong = reply_of(wait_for(call), false, &reply);
		kill(s.pid, SIGKILL);
		waitpid(s.pid, NULL, 0);
		assert_non_null(wrong);
		if (!strstr(wrong, cases[i].why))
			fail_msg("%zu: \"%s\" lacks \"%s\"", i, wrong, cases[i].why);
	}
}

#define HEADER	"\"header\":{\"cluster_id\":\"7\",\"revision\":\"9\"}"
#define KEY64	"cmJsay9kZW1vL3Iw"

static void nonsense_in_json(void **state)
{
	static const struct {
		const char *text;
		bool swap;
		const char *why;
	} cases[] = {
		{ "{" HEADER "}", false, NULL },
		{ "{" HEADER ",\"kvs\":[{\"key\":\"" KEY64 "\",\"mod_revision\":\"9\",\"value\":\"YWE=\"}]}", false, NULL },
		{ "{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_put\":{}}]}", true, NULL },
		{ "{" HEADER ",\"responses\":[{\"response_range\":{}}]}", true, NULL },
		{ "[1]", false, "no JSON object" },
		{ "{\"a\":1,\"a\":2}", false, "no JSON object" },
		{ "{\"header\":{\"revision\":\"9\"}}", false, "no header" },
		{ "{\"header\":{\"cluster_id\":\"7\",\"revision\":\"-9\"}}", false, "no header" },
		{ "{\"header\":{\"cluster_id\":\"7\",\"revision\":\"99999999999999999999999\"}}", false, "no header" },
		{ "{" HEADER ",\"kvs\":5}", false, "not about the key" },
		{ "{" HEADER ",\"kvs\":[{},{}]}", false, "not about the key" },
		{ "{" HEADER ",\"kvs\":[{\"key\":\"YWE=\",\"mod_revision\":\"9\",\"value\":\"YWE=\"}]}", false, "not about the key" },
		{ "{" HEADER ",\"kvs\":[{\"key\":\"" KEY64 "\",\"mod_revision\":\"10\",\"value\":\"YWE=\"}]}", false, "mod_revision" },
		{ "{" HEADER ",\"kvs\":[{\"key\":\"" KEY64 "\",\"value\":\"YWE=\"}]}", false, "mod_revision" },
		{ "{" HEADER ",\"kvs\":[{\"key\":\"" KEY64 "\",\"mod_revision\":\"9\",\"value\":\"=?\"}]}", false, "its value" },
		{ "{" HEADER ",\"kvs\":[{\"key\":\"" KEY64 "\",\"mod_revision\":\"9\"}]}", false, "its value" },
		{ "{" HEADER "}", true, "what became of the write" },
		{ "{" HEADER ",\"succeeded\":true}", true, "what became of the write" },
		{ "{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_range\":{}}]}", true, "what became of the write" },
		{ "{" HEADER ",\"succeeded\":\"true\",\"responses\":[{\"response_put\":{}}]}", true, "what became of the write" },
		{ "{" HEADER ",\"responses\":[{\"response_put\":{}}]}", true, "what became of the write" },
	};
	struct rblk_etcd_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *wrong = rblk_etcd_parse(cases[i].text,
						    strlen(cases[i].text), KEY,
						    cases[i].swap, &reply);

		if (!wrong != !cases[i].why ||
		    (wrong && !strstr(wrong, cases[i].why)))
			fail_msg("%s: %s", cases[i].text, wrong ? wrong : "taken");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_libcurl),
		cmocka_unit_test(two_compare_and_one_swaps),
		cmocka_unit_test(killed_and_started_again),
		cmocka_unit_test(stands_still),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(create_registers),
		cmocka_unit_test(certificates),
		cmocka_unit_test(nonsense_on_the_wire),
		cmocka_unit_test(nonsense_in_json),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

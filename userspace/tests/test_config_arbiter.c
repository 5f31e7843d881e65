// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_config_arbiter.c - arbiter = etcd or external, and the watchdog, in the
 * configuration: what is taken, shown and refused
 */
#include "test.h"

#include "config.h"
#include "xalloc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char base[] =
"cluster \"demo\" { key-file = \"/k\" }\n"					/* 1 */
"etcd { endpoints = { \"https://10.0.0.5:2379\", \"https://etcd-2\" }\n"	/* 2 */
"    ca-file = \"/ca\"  cert-file = \"/cert\"  key-file = \"/key\" }\n"		/* 3 */
"node \"alpha\" { id = 0  address = \"10.0.0.1\"\n"			/* 4 */
"    watchdog = \"/dev/watchdog\" }\n"					/* 5 */
"node \"bravo\" { id = 1  address = \"10.0.0.2\" }\n"			/* 6 */
"resource \"r0\" {\n"							/* 7 */
"    failover = auto  arbiter = etcd\n"					/* 8 */
"    volume 0 { minor = 0  disk = \"/dev/vdb\" }\n"			/* 9 */
"}\n";

static char *edit_of(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	return rblk_xasprintf("%.*s%s%s", (int)(at - text), text, to,
			      at + strlen(from));
}

static struct rblk_config *parse(const char *text)
{
	return rblk_config_parse("f", text, strlen(text));
}

/* Two nodes, no fence, no witness: the etcd is what makes them safe. */
static void etcd(void **state)
{
	struct rblk_config *c = parse(base);

	(void)state;
	assert_int_equal(c->diags.n, 0);
	assert_int_equal(c->resources[0].failover.arbiter, RBLK_CONFIG_ETCD);
	assert_int_equal(c->resources[0].failover.lease_ms, 4167);
	assert_int_equal(c->resources[0].witnesses, 0);
	assert_int_equal(c->etcd.endpoints_n, 2);
	assert_string_equal(c->etcd.endpoints[1], "https://etcd-2");
	assert_string_equal(c->etcd.ca_file, "/ca");
	assert_string_equal(c->etcd.cert_file, "/cert");
	assert_string_equal(c->etcd.key_file, "/key");
	assert_true(rblk_config_decides(&c->resources[0]));
	rblk_config_free(c);
}

static void endpoints(void **state)
{
	static const char *const good[] = {
		"http://127.0.0.1:2379", "http://localhost", "http://[::1]:1",
		"https://[fd00::5]:2379", "https://a.b-c.example",
	};
	static const char *const bad[] = {
		"10.0.0.5:2379", "ftp://x:1", "https://", "https://:2379",
		"https://x:", "https://x:0", "https://x:70000", "https://x:1/",
		"https://me:pw@x:1", "https://x y", "https://[::1", "https://[]:1",
		"https://x:1?a=b",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char *text = edit_of(base, "https://etcd-2", good[i]);
		struct rblk_config *c = parse(text);

		assert_int_equal(c->diags.n, 0);
		rblk_config_free(c);
		free(text);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *text = edit_of(base, "https://etcd-2", bad[i]);
		char *want = rblk_xasprintf("f:2:47: error: bad endpoint \"%s\" (allowed: https:// or http://, a host, a port, such as \"https://10.0.0.5:2379\")\n",
					    bad[i]);
		struct rblk_config *c = parse(text);
		char *said = rblk_diags_format(&c->diags);

		assert_string_equal(said, want);
		free(said);
		free(want);
		rblk_config_free(c);
		free(text);
	}
}

static void shown_is_readable(void **state)
{
	struct rblk_config *c = parse(base), *again;
	char *text, *json, *json2;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	rblk_config_show(c, f);
	fclose(f);
	assert_non_null(strstr(text, "arbiter = etcd"));
	again = parse(text);
	assert_int_equal(again->diags.n, 0);
	json = rblk_config_show_json(c);
	json2 = rblk_config_show_json(again);
	assert_string_equal(json, json2);
	assert_non_null(strstr(json, "\"watchdog\": \"/dev/watchdog\""));
	assert_non_null(strstr(json, "https://etcd-2"));
	free(json);
	free(json2);
	free(text);
	rblk_config_free(again);
	rblk_config_free(c);
}

/* Less an interval, in whole seconds: others wait for lease and margin. */
static void watchdog_seconds(void **state)
{
	static const struct {
		const char *beats;
		uint32_t seconds;
	} cases[] = {
		{ "", 4 },
		{ "heartbeat { interval = 500ms misses = 5 }", 2 },
		{ "heartbeat { interval = 400ms misses = 4 }", 1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = rblk_xasprintf("%s%s", base, cases[i].beats);
		struct rblk_config *c = parse(text);

		assert_int_equal(c->diags.n, 0);
		assert_int_equal(rblk_config_watchdog_seconds(c, &c->nodes[0]),
				 cases[i].seconds);
		rblk_config_free(c);
		free(text);
	}
}

struct mistake {
	const char *from, *to, *message;
};

static const struct mistake mistakes[] = {
	{ "endpoints = { \"https://10.0.0.5:2379\", \"https://etcd-2\" }", "",
	  "f:2:1: error: etcd lacks 'endpoints' (such as: endpoints = { \"https://10.0.0.5:2379\" })\n" },
	{ "\"https://etcd-2\"", "\"https://10.0.0.5:2379\"",
	  "f:2:47: error: endpoint \"https://10.0.0.5:2379\" is in the list twice\n" },
	{ "https://etcd-2", "http://10.0.0.6:2379",
	  "f:2:47: warning: endpoint \"http://10.0.0.6:2379\" is neither encrypted nor authenticated: whoever is on that network can make two primaries; use https\n" },
	{ "{ \"https://10.0.0.5:2379\", \"https://etcd-2\" }", "{ \"http://127.0.0.1:2379\" }",
	  "f:3:15: error: files for TLS do nothing without an https endpoint\n" },
	{ "cert-file = \"/cert\"", "",
	  "f:3:35: error: cert-file and key-file go together: one is missing\n" },
	{ "key-file = \"/key\"", "",
	  "f:3:34: error: cert-file and key-file go together: one is missing\n" },
	{ "\"/ca\"", "ca",
	  "f:3:15: error: bad ca-file \"ca\" (allowed: an absolute path)\n" },
	{ "ca-file", "cafile",
	  "f:3:5: error: unknown option 'cafile' in etcd; did you mean 'ca-file'?\n" },
	{ "arbiter = etcd", "",
	  "f:2:1: warning: etcd is of no use: no resource has arbiter = etcd\n"
	  "f:8:16: error: failover = auto is not safe with two nodes of which none can be sure that the other is off: add a node with 'witness = yes', or a fence section to node \"alpha\" (agent = manual: a person confirms)\n" },
	{ "arbiter = etcd", "arbiter = etcd protocol = A",
	  "f:8:16: error: failover = auto with protocol A alone would lose acknowledged writes; use B or C, towards one node at least\n" },
	{ "arbiter = etcd", "arbiter = etcd nodes = { alpha }",
	  "f:8:16: error: failover = auto needs two nodes with the data; resource \"r0\" has 1\n"
	  "f:6:6: warning: node \"bravo\" is in no resource\n" },
	{ "arbiter = etcd", "arbiter = etcd lease = 10s",
	  "f:8:45: error: a lease of 10s and its margin of 2s outlast the 5s (interval x misses of heartbeat) in which a failure is found: nobody could be promoted then; shorten the lease, or find failures later\n" },
	/* external */
	{ "arbiter = etcd", "arbiter = external",
	  "f:2:1: warning: etcd is of no use: no resource has arbiter = etcd\n"
	  "f:5:16: error: 'watchdog' does nothing on node \"alpha\": no resource there has a lease (failover = auto, and not arbiter = external)\n" },
	{ "arbiter = etcd", "arbiter = external on-lease-expiry = error",
	  "f:8:59: error: 'on-lease-expiry' does nothing with arbiter = external\n" },
	{ "arbiter = etcd", "arbiter = external protocol = A",
	  "f:2:1: warning: etcd is of no use: no resource has arbiter = etcd\n"
	  "f:5:16: error: 'watchdog' does nothing on node \"alpha\": no resource there has a lease (failover = auto, and not arbiter = external)\n"
	  "f:8:16: error: failover = auto with protocol A alone would lose acknowledged writes; use B or C, towards one node at least\n" },
	{ "node \"bravo\"", "node \"eve\" { id = 2  address = \"10.0.0.3\" witness = yes } node \"bravo\"",
	  "f:6:6: warning: witness \"eve\" is of no use: no resource is voted on (failover = auto, arbiter = builtin)\n" },
	/* watchdog */
	{ "\"/dev/watchdog\"", "watchdog",
	  "f:5:16: error: bad watchdog \"watchdog\" (allowed: the absolute path of a device, such as /dev/watchdog)\n" },
	{ "node \"bravo\"", "heartbeat { interval = 250ms misses = 4 } node \"bravo\"",
	  "f:5:16: error: a watchdog counts in seconds, and another node may be promoted earlier: 'watchdog' needs lease and lease-margin together one second longer than the heartbeat's interval\n" },
	{ "failover = auto  arbiter = etcd", "failover = manual",
	  "f:2:1: warning: etcd is of no use: no resource has arbiter = etcd\n"
	  "f:5:16: error: 'watchdog' does nothing on node \"alpha\": no resource there has a lease (failover = auto, and not arbiter = external)\n" },
};

static void each_mistake(void **state)
{
	size_t i, wrong = 0;

	(void)state;
	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		char *text = edit_of(base, mistakes[i].from, mistakes[i].to);
		struct rblk_config *c = parse(text);
		char *said = rblk_diags_format(&c->diags);

		if (strcmp(said, mistakes[i].message) != 0) {
			print_error("%zu: \"%s\" -> \"%s\"\nwanted:\n%sgot:\n%s",
				    i, mistakes[i].from, mistakes[i].to,
				    mistakes[i].message, said);
			wrong++;
		}
		free(said);
		rblk_config_free(c);
		free(text);
	}
	assert_int_equal(wrong, 0);
}

/* arbiter = etcd needs the section. */
static void no_section(void **state)
{
	char *one = edit_of(base, "etcd { endpoints = { \"https://10.0.0.5:2379\", \"https://etcd-2\" }\n", "");
	char *text = edit_of(one, "    ca-file = \"/ca\"  cert-file = \"/cert\"  key-file = \"/key\" }\n", "");
	struct rblk_config *c = parse(text);
	char *said = rblk_diags_format(&c->diags);

	(void)state;
	assert_string_equal(said, "f:6:32: error: arbiter = etcd needs to know where it is (such as: etcd { endpoints = { \"https://10.0.0.5:2379\" } })\n");
	free(said);
	rblk_config_free(c);
	free(text);
	free(one);
}

/* What is missing is found before three in the morning. */
static void files_are_looked_for(void **state)
{
	char *one = edit_of(base, "\"/dev/watchdog\"", "\"/dev/null/none\"");
	char *two = edit_of(one, "\"/ca\"", "\"/etc/passwd\"");
	char *text = edit_of(two, "\"/cert\"", "\"/etc\"");
	char key[] = "/tmp/rblk-key.XXXXXX", *last, *said, *want;
	struct rblk_config *c;
	int fd = mkstemp(key);

	(void)state;
	fchmod(fd, 0644);
	close(fd);
	last = edit_of(text, "/key", key);
	c = parse(last);
	assert_int_equal(c->diags.n, 0);
	rblk_config_check_agents(c, rblk_config_node(c, "alpha"));
	said = rblk_diags_format(&c->diags);
	want = rblk_xasprintf("f:3:42: error: cert-file /etc is not a file\n"
			      "f:3:61: error: key-file %s has mode 0644: others could read it; run 'chmod 0600 %s'\n"
			      "f:5:16: error: watchdog /dev/null/none: Not a directory\n",
			      key, key);
	assert_string_equal(said, want);
	free(want);
	free(said);
	rblk_config_free(c);
	/* another machine has no such files: it only says so */
	c = parse(last);
	rblk_config_check_agents(c, NULL);
	assert_int_equal(c->diags.errors, 0);
	assert_int_equal(c->diags.warnings, 2);
	rblk_config_free(c);
	unlink(key);
	free(last);
	free(text);
	free(two);
	free(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(etcd),
		cmocka_unit_test(endpoints),
		cmocka_unit_test(shown_is_readable),
		cmocka_unit_test(watchdog_seconds),
		cmocka_unit_test(each_mistake),
		cmocka_unit_test(no_section),
		cmocka_unit_test(files_are_looked_for),
	};

	return RUN(tests);
}

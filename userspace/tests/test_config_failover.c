// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_config_failover.c - heartbeats, fencing and failover in the configuration,
 * and everything that is refused because it could not be safe
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

/* Two with data, each with fencing, and a witness. */
static const char base[] =
"cluster \"demo\" { key-file = \"/k\" }\n"					/* 1 */
"heartbeat { interval = 1s  misses = 5 }\n"				/* 2 */
"node \"alpha\" { id = 0  address = \"10.0.0.1\"\n"			/* 3 */
"    fence \"ipmi\" { agent = fence_ipmilan  options = { \"ip=10.0.9.1\" } }\n" /* 4 */
"    fence \"pdu\" { agent = \"/opt/pdu\"  timeout = 5s }\n"		/* 5 */
"}\n"
"node \"bravo\" { id = 1  address = \"10.0.0.2\"\n"			/* 7 */
"    fence \"ipmi\" { agent = fence_ipmilan  options-file = \"/f\" }\n"	/* 8 */
"}\n"
"node \"eve\" { id = 2  address = \"10.0.0.3\"  witness = yes }\n"	/* 10 */
"resource \"r0\" {\n"							/* 11 */
"    failover = auto\n"							/* 12 */
"    volume 0 { minor = 0  disk = \"/dev/vdb\" }\n"			/* 13 */
"}\n";

static const char eve[] =
"node \"eve\" { id = 2  address = \"10.0.0.3\"  witness = yes }\n";

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

/* base with one change, which must be fine. */
static struct rblk_config *good(const char *from, const char *to)
{
	char *text = edit_of(base, from, to);
	struct rblk_config *c = parse(text);
	char *said = rblk_diags_format(&c->diags);

	assert_string_equal(said, "");
	free(said);
	free(text);
	return c;
}

static void auto_alone_is_enough(void **state)
{
	struct rblk_config *c = good("heartbeat { interval = 1s  misses = 5 }",
				     "");
	const struct rblk_config_failover *f = &c->resources[0].failover;

	(void)state;
	assert_int_equal(c->beat_ms, 1000);
	assert_int_equal(c->beat_misses, 5);
	assert_int_equal(rblk_config_detect_ms(c), 5000);
	assert_true(f->automatic);
	assert_int_equal(f->arbiter, RBLK_CONFIG_BUILTIN);
	assert_int_equal(f->margin_ms, 833);
	assert_int_equal(f->lease_ms, 4167);
	assert_false(f->lease_error);
	assert_int_equal(f->min_in_sync, 0);
	assert_int_equal(f->promotion, RBLK_CONFIG_MOST_UP_TO_DATE);
	assert_int_equal(c->resources[0].members, 3);
	assert_int_equal(c->resources[0].witnesses, 4);
	rblk_config_free(c);
}

/* The fastest that is allowed has a lease that is, too. */
static void tuned(void **state)
{
	struct rblk_config *c = good("interval = 1s  misses = 5",
				     "interval = 100ms  misses = 3");

	(void)state;
	assert_int_equal(c->resources[0].failover.lease_ms, 250);
	assert_int_equal(c->resources[0].failover.margin_ms, 50);
	rblk_config_free(c);
}

static void manual_is_the_default(void **state)
{
	static const char *const to[] = { "", "failover = manual" };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		char *one = edit_of(base, "failover = auto", to[i]);
		char *text = edit_of(one, eve, "");
		struct rblk_config *c = parse(text);

		assert_int_equal(c->diags.n, 0);
		assert_false(c->resources[0].failover.automatic);
		assert_int_equal(c->resources[0].witnesses, 0);
		rblk_config_free(c);
		free(text);
		free(one);
	}
}

static void options(void **state)
{
	struct rblk_config *c = good("failover = auto",
		"failover = auto arbiter = builtin lease = 3s lease-margin = 1s on-lease-expiry = error min-in-sync = 2 below-min-in-sync = error successor = { bravo, alpha }");
	const struct rblk_config_failover *f = &c->resources[0].failover;

	(void)state;
	assert_int_equal(f->lease_ms, 3000);
	assert_int_equal(f->margin_ms, 1000);
	assert_true(f->lease_error);
	assert_int_equal(f->min_in_sync, 2);
	assert_true(f->min_in_sync_error);
	assert_int_equal(f->promotion, RBLK_CONFIG_SUCCESSOR);
	assert_int_equal(f->successors_n, 2);
	assert_int_equal(f->successors[0], 1);
	assert_int_equal(f->successors[1], 0);
	rblk_config_free(c);
	c = good("failover = auto", "failover = auto lease = 2s promotion = election");
	assert_int_equal(c->resources[0].failover.margin_ms, 400);
	assert_int_equal(c->resources[0].failover.promotion,
			 RBLK_CONFIG_ELECTION);
	rblk_config_free(c);
	c = good("failover = auto", "failover = auto lease-margin = 1s");
	assert_int_equal(c->resources[0].failover.lease_ms, 4000);
	rblk_config_free(c);
}

/* Who decides elsewhere also fences elsewhere. */
static void external(void **state)
{
	char *one = edit_of(base, eve, "");
	char *two = edit_of(one, "    fence \"ipmi\" { agent = fence_ipmilan  options-file = \"/f\" }\n", "");
	char *text = edit_of(two, "failover = auto",
			     "failover = auto arbiter = external");
	struct rblk_config *c = parse(text);

	(void)state;
	assert_int_equal(c->diags.n, 0);
	assert_int_equal(c->resources[0].failover.arbiter, RBLK_CONFIG_EXTERNAL);
	rblk_config_free(c);
	free(text);
	free(two);
	free(one);
}

static void fences(void **state)
{
	struct rblk_config *c = good("fence \"pdu\" { agent = \"/opt/pdu\"  timeout = 5s }",
		"fence \"pdu-a\" { agent = fence_apc retries = 3 }\n"
		"fence \"pdu-b\" { agent = fence_apc level = 2 timeout = 5s }\n"
		"fence \"hand\" { agent = manual }");
	const struct rblk_config_node *n = rblk_config_node(c, "alpha");

	(void)state;
	assert_int_equal(n->fences_n, 4);
	assert_string_equal(n->fences[0].agent, "fence_ipmilan");
	assert_int_equal(n->fences[0].level, 1);
	assert_int_equal(n->fences[0].options_n, 1);
	assert_string_equal(n->fences[0].options[0], "ip=10.0.9.1");
	assert_int_equal(n->fences[0].timeout_ms, 20000);
	assert_int_equal(n->fences[0].retries, 1);
	assert_int_equal(n->fences[1].level, 2);
	assert_int_equal(n->fences[1].retries, 3);
	assert_int_equal(n->fences[2].level, 2);
	assert_int_equal(n->fences[2].timeout_ms, 5000);
	assert_int_equal(n->fences[3].level, 3);
	assert_null(n->fences[3].agent);
	assert_string_equal(rblk_config_node(c, "bravo")->fences[0].options_file,
			    "/f");
	rblk_config_free(c);
}

/* Two nodes and no witness: fencing is enough, and a person counts as such. */
static void two_with_fencing(void **state)
{
	char *two = edit_of(base, eve, "");
	char *by_hand = edit_of(two, "agent = fence_ipmilan  options-file = \"/f\"",
				"agent = manual");
	struct rblk_config *c = parse(two);

	(void)state;
	assert_int_equal(c->diags.n, 0);
	rblk_config_free(c);
	c = parse(by_hand);
	assert_int_equal(c->diags.n, 0);
	rblk_config_free(c);
	free(by_hand);
	free(two);
}

static void second_network(void **state)
{
	char *one = edit_of(base, "\"10.0.0.1\"", "\"10.0.0.1\" address-2 = \"10.1.0.1:99\"");
	char *both = edit_of(one, "\"10.0.0.2\"", "\"10.0.0.2\" address-2 = \"10.1.0.2\"");
	struct rblk_config *c = parse(one);
	char *said = rblk_diags_format(&c->diags);

	(void)state;
	assert_string_equal(said, "f:7:6: warning: node \"bravo\" has no address-2: heartbeats to it use one network\n");
	free(said);
	rblk_config_free(c);
	c = parse(both);
	assert_int_equal(c->diags.n, 0);
	assert_string_equal(c->nodes[0].address2, "10.1.0.1:99");
	assert_null(c->nodes[2].address2);
	rblk_config_free(c);
	free(both);
	free(one);
}

static void witness_of_nothing(void **state)
{
	char *text = edit_of(base, "failover = auto", "");
	struct rblk_config *c = parse(text);
	char *said = rblk_diags_format(&c->diags);

	(void)state;
	assert_string_equal(said, "f:10:6: warning: witness \"eve\" is of no use: no resource is voted on (failover = auto, arbiter = builtin)\n");
	free(said);
	rblk_config_free(c);
	free(text);
}

static void shown_is_readable(void **state)
{
	static const char *const to[] = {
		"failover = auto",
		"failover = auto arbiter = external",
		"failover = auto lease = 3s on-lease-expiry = error min-in-sync = 2 below-min-in-sync = error successor = { bravo }",
	};
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		char *one = edit_of(base, "failover = auto", to[i]);
		char *original = edit_of(one, "\"ip=10.0.9.1\"",
					 "\"ip=10.0.9.1\", 'q=a\"b\\\\c'");
		struct rblk_config *c = parse(original), *again;
		char *text, *json, *json2;
		FILE *f = open_memstream(&text, &size);

		rblk_config_show(c, f);
		fclose(f);
		again = parse(text);
		assert_int_equal(again->diags.errors, 0);
		json = rblk_config_show_json(c);
		json2 = rblk_config_show_json(again);
		assert_non_null(json);
		assert_string_equal(json, json2);
		free(json);
		free(json2);
		free(text);
		rblk_config_free(again);
		rblk_config_free(c);
		free(original);
		free(one);
	}
}

/* ---- mistakes ---- */

struct mistake {
	const char *from, *to, *message;
};

static const struct mistake mistakes[] = {
	/* values */
	{ "interval = 1s", "interval = 50ms",
	  "f:2:24: error: bad interval \"50ms\" (allowed: 100ms to 10s, a number with ms or s, such as 1s)\n" },
	{ "misses = 5", "misses = 2",
	  "f:2:37: error: bad misses \"2\" (allowed: 3 to 60)\n" },
	{ "misses = 5", "beats = 5",
	  "f:2:28: error: unknown option 'beats' in heartbeat (allowed: interval, misses)\n" },
	{ "witness = yes", "witness = 1",
	  "f:10:54: error: bad witness \"1\" (allowed: yes, no)\n" },
	{ "witness = yes", "fence-delay = 2min",
	  "f:10:58: error: bad fence-delay \"2min\" (allowed: 0s to 60s, a number with ms or s, such as 5s)\n" },
	{ "witness = yes", "address-2 = \"eve\"",
	  "f:10:56: error: bad address-2 \"eve\" (allowed: a numeric address with or without port, such as \"10.0.0.1:7790\" or \"[fd00::1]:7790\")\n" },
	{ "failover = auto", "failover = yes",
	  "f:12:16: error: bad failover \"yes\" (allowed: manual, auto)\n" },
	{ "failover = auto", "failover = auto arbiter = zookeeper",
	  "f:12:31: error: bad arbiter \"zookeeper\" (allowed: builtin, etcd, external)\n" },
	{ "failover = auto", "failover = auto lease = 100ms",
	  "f:12:29: error: bad lease \"100ms\" (allowed: 200ms to 10min, a number with ms, s or min, such as 4s)\n" },
	{ "failover = auto", "failover = auto lease-margin = 5",
	  "f:12:36: error: bad lease-margin \"5\" (allowed: 10ms to 10min, a number with ms, s or min, such as 800ms)\n" },
	{ "failover = auto", "failover = auto on-lease-expiry = hold",
	  "f:12:39: error: bad on-lease-expiry \"hold\" (allowed: suspend, error)\n" },
	{ "failover = auto", "failover = auto min-in-sync = 17",
	  "f:12:35: error: bad min-in-sync \"17\" (allowed: 1 to 16)\n" },
	{ "failover = auto", "failover = auto min-in-sync = 2 below-min-in-sync = fail",
	  "f:12:57: error: bad below-min-in-sync \"fail\" (allowed: suspend, error)\n" },
	{ "failover = auto", "failover = auto promotion = best",
	  "f:12:33: error: bad promotion \"best\" (allowed: most-up-to-date, successor, election)\n" },
	/* fencing */
	{ "agent = fence_ipmilan  options-file", "options-file",
	  "f:8:11: error: fence \"ipmi\" lacks 'agent' (such as: agent = fence_ipmilan)\n" },
	{ "agent = fence_ipmilan", "agent = \"../fence_ipmilan\"",
	  "f:4:28: error: bad agent \"../fence_ipmilan\" (allowed: the name of a program in /usr/sbin, an absolute path, or manual)\n" },
	{ "agent = fence_ipmilan", "agent = manual",
	  "f:4:28: error: a person takes no options: agent = manual waits for 'rblk fence --confirm NODE'\n" },
	{ "ip=10.0.9.1", "10.0.9.1",
	  "f:4:55: error: this fence option is not of the form name=value\n" },
	{ "ip=10.0.9.1", "=10.0.9.1",
	  "f:4:55: error: this fence option is not of the form name=value\n" },
	{ "ip=10.0.9.1", "action=reboot",
	  "f:4:55: error: this fence option is rblkd's to choose: it runs 'off', then 'status'\n" },
	{ "ip=10.0.9.1", "password=xyzzy",
	  "f:4:55: error: this fence option is a secret: put it into the file that options-file names, with mode 0600\n" },
	{ "ip=10.0.9.1", "snmp_priv_passwd=xyzzy",
	  "f:4:55: error: this fence option is a secret: put it into the file that options-file names, with mode 0600\n" },
	{ "options-file = \"/f\"", "options-file = f",
	  "f:8:58: error: bad options-file \"f\" (allowed: an absolute path)\n" },
	{ "timeout = 5s", "timeout = 5",
	  "f:5:49: error: bad timeout \"5\" (allowed: 1s to 10min, a number with ms, s or min, such as 20s)\n" },
	{ "timeout = 5s", "retries = 10",
	  "f:5:49: error: bad retries \"10\" (allowed: 0 to 9)\n" },
	{ "timeout = 5s", "level = 0",
	  "f:5:47: error: bad level \"0\" (allowed: 1 to 16)\n" },
	{ "fence \"ipmi\" { agent = fence_ipmilan  options =",
	  "fence \"ipmi\" { agent = fence_ipmilan level = 3 } fence \"b\" { agent = a level = 2 options =",
	  "f:4:84: error: level 2 comes after level 3; write them in the order in which they are tried\n" },
	{ "fence \"pdu\"", "fence \"ipmi\"",
	  "f:5:11: error: fence \"ipmi\" is defined twice\n"
	  "f:4:11: note: first defined here\n" },
	{ "timeout = 5s", "tmeout = 5s",
	  "f:5:39: error: unknown option 'tmeout' in fence \"pdu\"; did you mean 'timeout'?\n" },
	{ "witness = yes", "witness = yes fence \"x\" { agent = manual }",
	  "f:10:64: error: node \"eve\" is a witness: it is never switched off, so it has no fence\n" },
	/* a witness holds no data */
	{ "failover = auto", "failover = auto nodes = { alpha, eve }",
	  "f:12:38: error: node \"eve\" is a witness: it holds no data, and votes without being listed\n" },
	{ "failover = auto", "failover = auto on eve { volume 0 { minor = 1 } }",
	  "f:12:24: error: node \"eve\" is a witness: it holds no data, so it has no volumes and no 'on'\n" },
	/* what does nothing */
	{ "failover = auto", "lease = 4s min-in-sync = 1",
	  "f:12:13: error: 'lease' does nothing without failover = auto\n"
	  "f:12:30: error: 'min-in-sync' does nothing without failover = auto\n" },
	{ "failover = auto", "failover = manual successor = { alpha }",
	  "f:12:37: error: 'successor' does nothing without failover = auto\n" },
	{ "failover = auto", "failover = manual arbiter = external",
	  "f:12:33: error: 'arbiter' does nothing without failover = auto\n" },
	{ "failover = auto", "failover = auto arbiter = external lease = 4s",
	  "f:12:48: error: 'lease' does nothing with arbiter = external\n" },
	{ "failover = auto", "failover = auto below-min-in-sync = error",
	  "f:12:41: error: 'below-min-in-sync' does nothing without min-in-sync\n" },
	{ "failover = auto", "failover = auto promotion = election successor = { alpha }",
	  "f:12:33: error: a list of successors is of no use with this promotion\n" },
	{ "failover = auto", "failover = auto promotion = successor",
	  "f:12:33: error: promotion = successor needs a list (such as: successor = { alpha, bravo })\n" },
	/* what cannot be safe, or cannot be */
	{ "failover = auto", "failover = auto nodes = { alpha }",
	  "f:12:16: error: failover = auto needs two nodes with the data; resource \"r0\" has 1\n"
	  "f:7:6: warning: node \"bravo\" is in no resource\n" },
	{ "failover = auto", "failover = auto protocol = A",
	  "f:12:16: error: failover = auto with protocol A alone would lose acknowledged writes; use B or C, towards one node at least\n" },
	{ "failover = auto", "failover = auto lease = 4500ms lease-margin = 600ms",
	  "f:12:29: error: a lease of 4500ms and its margin of 600ms outlast the 5s (interval x misses of heartbeat) in which a failure is found: nobody could be promoted then; shorten the lease, or find failures later\n" },
	{ "failover = auto", "failover = auto lease = 10min",
	  "f:12:29: error: a lease of 10min and its margin of 2min outlast the 5s (interval x misses of heartbeat) in which a failure is found: nobody could be promoted then; shorten the lease, or find failures later\n" },
	{ "failover = auto", "failover = auto lease-margin = 5s",
	  "f:12:36: error: a lease of 0ms ends when one heartbeat is lost; it needs two intervals at least, 2s\n" },
	{ "failover = auto", "failover = auto lease = 1900ms",
	  "f:12:29: error: a lease of 1900ms ends when one heartbeat is lost; it needs two intervals at least, 2s\n" },
	{ "failover = auto", "failover = auto lease = 4s lease-margin = 39ms",
	  "f:12:47: error: two clocks may part by more than a lease-margin of 39ms in a lease of 4s; it needs a hundredth of that at least, and should have a fifth\n" },
	{ "failover = auto", "failover = auto min-in-sync = 3",
	  "f:12:35: error: min-in-sync = 3 needs that many nodes with the data; resource \"r0\" has 2\n" },
	{ "failover = auto", "failover = auto min-in-sync = 2 on bravo { protocol = A }",
	  "f:12:35: error: min-in-sync = 2 needs that many nodes of protocol B or C; resource \"r0\" has 1\n" },
	{ "failover = auto", "failover = auto successor = { alpha, eve }",
	  "f:12:42: error: successor \"eve\" is a witness: it holds no data\n" },
	{ "failover = auto", "failover = auto successor = { alpha, zulu }",
	  "f:12:42: error: unknown node \"zulu\" (defined: alpha, bravo, eve)\n" },
	{ "failover = auto", "failover = auto successor = { alpha, alpha }",
	  "f:12:42: error: successor \"alpha\" is in the list twice\n" },
	{ "failover = auto", "failover = auto successor = { bravo } on bravo { protocol = A }",
	  "f:12:35: error: successor \"bravo\" gets its data by protocol A: it may lack acknowledged writes\n" },
	/* addresses */
	{ "\"10.0.0.3\"", "\"10.0.0.3\" address-2 = \"10.0.0.1:7790\"",
	  "f:10:55: error: address 10.0.0.1:7790 of \"eve\" is also that of \"alpha\"\n"
	  "f:3:34: note: first used here\n"
	  "f:3:6: warning: node \"alpha\" has no address-2: heartbeats to it use one network\n"
	  "f:7:6: warning: node \"bravo\" has no address-2: heartbeats to it use one network\n" },
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
		/* not even a wrong secret is repeated */
		if (strstr(said, "xyzzy"))
			wrong++;
		free(said);
		rblk_config_free(c);
		free(text);
	}
	assert_int_equal(wrong, 0);
}

/* Neither fencing of both nor a witness. */
static void two_without(void **state)
{
	static const char one[] = "    fence \"ipmi\" { agent = fence_ipmilan  options-file = \"/f\" }\n";
	char *two = edit_of(base, eve, "");
	char *text = edit_of(two, one, "");
	struct rblk_config *c = parse(text);
	char *said = rblk_diags_format(&c->diags);

	(void)state;
	assert_string_equal(said, "f:10:16: error: failover = auto is not safe with two nodes of which none can be sure that the other is off: add a node with 'witness = yes', or a fence section to node \"bravo\" (agent = manual: a person confirms)\n");
	free(said);
	rblk_config_free(c);
	free(text);
	free(two);
}

/* With three nodes acks = 1 leaves one that may lack a write: then copies are counted. */
static void fewer_acks(void **state)
{
	static const char three[] =
		"node \"eve\" { id = 2  address = \"10.0.0.3\" }\n";
	static const struct {
		const char *options, *said;
	} cases[] = {
		{ "failover = auto acks = 2", "" },
		{ "failover = auto acks = 1 on eve { protocol = A }", "" },
		{ "failover = manual acks = 1", "" },
		{ "failover = auto acks = 1", "" },
		{ "failover = auto acks = 1 min-in-sync = 2", "" },
		{ "failover = auto acks = 1 min-in-sync = 3",
		  "f:12:44: error: min-in-sync = 3 with acks = 1: a write would be on fewer nodes, this one and 1 more; resource \"r0\" needs acks = all, or 2 at least\n" },
	};
	char *all = edit_of(base, eve, three);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = edit_of(all, "failover = auto", cases[i].options);
		struct rblk_config *c = parse(text);
		char *said = rblk_diags_format(&c->diags);

		assert_string_equal(said, cases[i].said);
		free(said);
		rblk_config_free(c);
		free(text);
	}
	free(all);
}

/* Of four nodes one is replicated to by protocol A: it is none of those that count. */
static void fewer_acks_than_count(void **state)
{
	static const char four[] =
		"node \"eve\" { id = 2  address = \"10.0.0.3\" }\n"
		"node \"dan\" { id = 3  address = \"10.0.0.4\" }\n";
	char *all = edit_of(base, eve, four);
	char *text = edit_of(all, "failover = auto",
			     "failover = auto acks = 1 on eve { protocol = A }");
	struct rblk_config *c = parse(text);
	char *said = rblk_diags_format(&c->diags);

	(void)state;
	assert_string_equal(said, "f:13:28: error: failover = auto with acks = 1 counts the nodes that have a write, and protocol A towards some of resource \"r0\" has it wait for none of them; use acks = all, or protocol B or C towards all\n");
	free(said);
	rblk_config_free(c);
	free(text);
	free(all);
}

/* ---- agents ---- */

static char dir[] = "/tmp/rblk-test-XXXXXX";

static char *write_file(const char *name, const char *text, mode_t mode)
{
	char *path = rblk_xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
	return path;
}

static void finds_agents(void **state)
{
	char *path = write_file("agent", "#!/bin/sh\n", 0755);
	struct rblk_config_fence f = { .agent = path };
	char found[256], why[512];

	(void)state;
	assert_true(rblk_config_find_agent(&f, found, sizeof(found), why,
					   sizeof(why)));
	assert_string_equal(found, path);
	chmod(path, 0644);
	assert_false(rblk_config_find_agent(&f, found, sizeof(found), why,
					    sizeof(why)));
	assert_non_null(strstr(why, "is not an executable file"));
	chmod(path, 0757);
	assert_false(rblk_config_find_agent(&f, found, sizeof(found), why,
					    sizeof(why)));
	assert_non_null(strstr(why, "has mode 0757: others could change what rblkd runs"));
	unlink(path);
	assert_false(rblk_config_find_agent(&f, found, sizeof(found), why,
					    sizeof(why)));
	assert_non_null(strstr(why, "No such file"));
	free(path);
	f.agent = "fence_nobody_has_this";
	assert_false(rblk_config_find_agent(&f, found, sizeof(found), why,
					    sizeof(why)));
	assert_non_null(strstr(why, "fence agent /usr/sbin/fence_nobody_has_this: No such file"));
	f.agent = dir;
	assert_false(rblk_config_find_agent(&f, found, sizeof(found), why,
					    sizeof(why)));
	f.agent = NULL;
	assert_false(rblk_config_find_agent(&f, found, sizeof(found), why,
					    sizeof(why)));
	assert_string_equal(why, "");
}

static void reads_options(void **state)
{
	char *path = write_file("options", "# of alpha\n\n  password=a b=c \n\tlanplus=1", 0600);
	struct rblk_config_fence f = { .options_file = path };
	char why[512];
	char *text = rblk_config_read_fence_options(&f, why, sizeof(why));

	(void)state;
	assert_non_null(text);
	assert_string_equal(text, "password=a b=c \nlanplus=1\n");
	free(text);
	chmod(path, 0640);
	assert_null(rblk_config_read_fence_options(&f, why, sizeof(why)));
	assert_non_null(strstr(why, "has mode 0640: others could read it"));
	free(path);
	f.options_file = path = write_file("bad", "ip=1\nsecret xyzzy\n", 0600);
	assert_null(rblk_config_read_fence_options(&f, why, sizeof(why)));
	assert_non_null(strstr(why, "/bad:2: this line is not of the form name=value"));
	assert_null(strstr(why, "xyzzy"));
	free(path);
	f.options_file = path = write_file("action", "action=on\n", 0600);
	assert_null(rblk_config_read_fence_options(&f, why, sizeof(why)));
	assert_non_null(strstr(why, "is rblkd's to choose"));
	free(path);
	f.options_file = "/nonexistent";
	assert_null(rblk_config_read_fence_options(&f, why, sizeof(why)));
	assert_non_null(strstr(why, "No such file"));
	f.options_file = NULL;
	text = rblk_config_read_fence_options(&f, why, sizeof(why));
	assert_string_equal(text, "");
	free(text);
}

/* An error for who would run it, a warning for others. */
static void checks_agents(void **state)
{
	static const struct {
		const char *self;
		size_t errors, warnings;
	} cases[] = {
		{ "alpha", 2, 0 },	/* bravo's agent and its options */
		{ "bravo", 2, 0 },	/* two of alpha */
		{ "eve", 0, 4 }, { NULL, 0, 4 },
	};
	char *one = edit_of(base, "agent = fence_ipmilan", "agent = fence_gone");
	char *text = edit_of(one, "agent = fence_ipmilan", "agent = fence_gone");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rblk_config *c = parse(text);

		rblk_config_check_agents(c, cases[i].self ?
			rblk_config_node(c, cases[i].self) : NULL);
		/* the options file is a warning for who is not root */
		if (geteuid() == 0 || i != 0) {
			assert_int_equal(c->diags.errors, cases[i].errors);
			assert_int_equal(c->diags.warnings, cases[i].warnings);
		}
		rblk_config_free(c);
	}
	free(text);
	free(one);
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
		cmocka_unit_test(auto_alone_is_enough),
		cmocka_unit_test(tuned),
		cmocka_unit_test(manual_is_the_default),
		cmocka_unit_test(options),
		cmocka_unit_test(external),
		cmocka_unit_test(fences),
		cmocka_unit_test(two_with_fencing),
		cmocka_unit_test(second_network),
		cmocka_unit_test(witness_of_nothing),
		cmocka_unit_test(shown_is_readable),
		cmocka_unit_test(each_mistake),
		cmocka_unit_test(two_without),
		cmocka_unit_test(fewer_acks),
		cmocka_unit_test(fewer_acks_than_count),
		cmocka_unit_test(finds_agents),
		cmocka_unit_test(reads_options),
		cmocka_unit_test(checks_agents),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_config.c - good configurations, and every mistake with its message
 *
 * Each bad case is a small edit of one good text, so the place in the
 * message can be checked by eye.
 */
#include "test.h"

#include "config.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char good[] =
"cluster \"demo\" { key-file = \"/etc/rblk/cluster.key\" }\n"		/* 1 */
"node \"alpha\" { id = 0  address = \"10.0.0.1:7790\" }\n"		/* 2 */
"node \"bravo\" { id = 1  address = \"[fd00::2]\" }\n"			/* 3 */
"resource \"r0\" {\n"							/* 4 */
"    protocol = C\n"							/* 5 */
"    acks = all\n"							/* 6 */
"    log-size = 64MiB\n"						/* 7 */
"    volume 0 { minor = 0  disk = \"/dev/vdb\" }\n"			/* 8 */
"    on \"bravo\" { volume 0 { minor = 1 } }\n"				/* 9 */
"}\n";

/* @text with the first @from replaced by @to. */
static char *edit_of(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	return rblk_xasprintf("%.*s%s%s", (int)(at - text), text, to,
			      at + strlen(from));
}

static char *edit(const char *from, const char *to)
{
	return edit_of(good, from, to);
}

static char *diagnose(const char *text)
{
	struct rblk_config *c = rblk_config_parse("f", text, strlen(text));
	char *all = rblk_diags_format(&c->diags);

	rblk_config_free(c);
	return all;
}

static void good_one(void **state)
{
	struct rblk_config *c = rblk_config_parse("f", good, strlen(good));
	const struct rblk_config_resource *r;
	const struct sockaddr_in6 *a6;

	(void)state;
	assert_int_equal(c->diags.n, 0);
	assert_string_equal(c->cluster, "demo");
	assert_int_equal(c->timeout_ms, 6000);
	assert_int_equal(c->nodes_n, 2);
	a6 = (const void *)&c->nodes[1].addr;
	assert_int_equal(a6->sin6_family, AF_INET6);
	assert_int_equal(ntohs(a6->sin6_port), 7790);
	r = rblk_config_resource(c, "r0");
	assert_non_null(r);
	assert_int_equal(r->members, 3);
	assert_int_equal(r->protocol[1], 'C');
	assert_int_equal(r->log_bytes, 64 << 20);
	assert_int_equal(r->volumes_n, 1);
	assert_int_equal(r->volumes[0].on[0].minor, 0);
	assert_int_equal(r->volumes[0].on[1].minor, 1);
	assert_string_equal(r->volumes[0].on[1].disk, "/dev/vdb");
	rblk_config_free(c);
}

/* What is shown can be read again and means the same. */
static void show_and_read(const char *original)
{
	struct rblk_config *c = rblk_config_parse("f", original,
						  strlen(original));
	struct rblk_config *again;
	char *text, *text2;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(c->diags.errors, 0);
	rblk_config_show(c, f);
	fclose(f);
	again = rblk_config_parse("f", text, strlen(text));
	assert_int_equal(again->diags.n, 0);
	text2 = rblk_config_show_json(c);
	free(text);
	text = rblk_config_show_json(again);
	assert_string_equal(text, text2);
	free(text);
	free(text2);
	rblk_config_free(again);
	rblk_config_free(c);
}

static void shown_is_readable(void **state)
{
	char *quotes = edit("/dev/vdb", "/dev/a\\\"b\\\\c");

	(void)state;
	show_and_read(good);
	show_and_read(quotes);
	free(quotes);
}

struct mistake {
	const char *from, *to, *message;
};

static const struct mistake mistakes[] = {
	/* words */
	{ "protocol =", "protocl =",
	  "f:5:5: error: unknown option 'protocl' in resource \"r0\"; did you mean 'protocol'?\n" },
	{ "acks = all", "quorum = all",
	  "f:6:5: error: unknown option 'quorum' in resource \"r0\" (allowed: protocol, acks, log-size, data-crc, zero-detect, read-from-backup, on-disk-error, disk-timeout, failover, arbiter, lease, lease-margin, on-lease-expiry, min-in-sync, below-min-in-sync, promotion, successor, nodes, volume, on)\n" },
	{ "node \"alpha\"", "nod \"alpha\"",
	  "f:2:1: error: unknown option 'nod'; did you mean 'node'?\n" },
	{ "id = 0  add", "id = 0  port = 1  add",
	  "f:2:24: error: unknown option 'port' in node \"alpha\" (allowed: id, address, address-2, witness, fence-delay, watchdog, fence)\n" },
	/* values */
	{ "protocol = C", "protocol = D",
	  "f:5:16: error: bad protocol \"D\" (allowed: A, B, C)\n" },
	{ "acks = all", "acks = some",
	  "f:6:12: error: bad acks \"some\" (allowed: all, or 1 to 15)\n" },
	{ "acks = all", "acks = 2",
	  "f:6:12: error: acks = 2 needs that many peers; resource \"r0\" has 1\n" },
	{ "acks = all", "data-crc = 1",
	  "f:6:16: error: bad data-crc \"1\" (allowed: yes, no)\n" },
	{ "64MiB", "64MB",
	  "f:7:16: error: bad log-size \"64MB\" (allowed: 1MiB to 64GiB, a number with B, KiB, MiB or GiB, such as 64MiB)\n" },
	{ "64MiB", "1KiB",
	  "f:7:16: error: bad log-size \"1KiB\" (allowed: 1MiB to 64GiB, a number with B, KiB, MiB or GiB, such as 64MiB)\n" },
	{ "id = 1", "id = 16", "f:3:21: error: bad id \"16\" (allowed: 0 to 15)\n" },
	{ "id = 1", "id = -1", "f:3:21: error: bad id \"-1\" (allowed: 0 to 15)\n" },
	{ "10.0.0.1:7790", "alpha.example:7790",
	  "f:2:34: error: bad address \"alpha.example:7790\" (allowed: a numeric address with or without port, such as \"10.0.0.1:7790\" or \"[fd00::1]:7790\")\n" },
	{ "10.0.0.1:7790", "10.0.0.1:0",
	  "f:2:34: error: bad address \"10.0.0.1:0\" (allowed: a numeric address with or without port, such as \"10.0.0.1:7790\" or \"[fd00::1]:7790\")\n" },
	{ "10.0.0.1:7790", "fd00::1",
	  "f:2:34: error: bad address \"fd00::1\" (allowed: a numeric address with or without port, such as \"10.0.0.1:7790\" or \"[fd00::1]:7790\")\n" },
	{ "volume 0 {", "volume 64 {",
	  "f:8:12: error: bad volume number \"64\" (allowed: 0 to 63)\n" },
	{ "minor = 0", "minor = 1048576",
	  "f:8:24: error: bad minor \"1048576\" (allowed: 0 to 1048575)\n" },
	{ "minor = 0", "minor = 0 block-size = 3KiB",
	  "f:8:39: error: bad block-size \"3KiB\" (allowed: 512B, 1KiB, 2KiB, 4KiB)\n" },
	{ "/dev/vdb", "vdb",
	  "f:8:34: error: bad disk \"vdb\" (allowed: the absolute path of a block device, below 256 bytes)\n" },
	{ "/etc/rblk/cluster.key", "cluster.key",
	  "f:1:29: error: bad key-file \"cluster.key\" (allowed: an absolute path)\n" },
	{ "resource \"r0\"", "resource \"r/0\"",
	  "f:4:10: error: bad resource name \"r/0\" (allowed: 1 to 63 of A-Z a-z 0-9 . _ -, not starting with '.' or '-')\n" },
	{ "cluster \"demo\"", "net { timeout = 6 } cluster \"demo\"",
	  "f:1:17: error: bad timeout \"6\" (allowed: 500ms to 10min, a number with ms, s or min, such as 6s)\n" },
	/* missing */
	{ "id = 1", "", "f:3:6: error: node \"bravo\" lacks 'id' (such as: id = 0)\n" },
	{ "address = \"[fd00::2]\"", "",
	  "f:3:6: error: node \"bravo\" lacks 'address' (such as: address = \"10.0.0.1:7790\")\n" },
	{ "key-file = \"/etc/rblk/cluster.key\"", "",
	  "f:1:9: error: cluster \"demo\" lacks 'key-file' (such as: key-file = \"/etc/rblk/cluster.key\")\n" },
	{ "minor = 0  disk = \"/dev/vdb\"", "minor = 0",
	  "f:8:12: error: volume 0 of \"r0\" has no disk on node \"alpha\"\n"
	  "f:8:12: error: volume 0 of \"r0\" has no disk on node \"bravo\"\n" },
	{ "volume 0 { minor = 0  disk = \"/dev/vdb\" }", "",
	  "f:9:25: error: volume 0 of \"r0\" has no disk on node \"alpha\"\n"
	  "f:9:25: error: volume 0 of \"r0\" has no minor on node \"alpha\"\n"
	  "f:9:25: error: volume 0 of \"r0\" has no disk on node \"bravo\"\n" },
	{ "on \"bravo\" {", "on \"charlie\" {",
	  "f:9:8: error: unknown node \"charlie\" (defined: alpha, bravo)\n" },
	{ "acks = all", "nodes = { alpha, charlie }",
	  "f:6:22: error: unknown node \"charlie\" (defined: alpha, bravo)\n"
	  "f:9:8: error: node \"bravo\" is not among the nodes of resource \"r0\"\n" },
	/* twice */
	{ "acks = all", "protocol = A",
	  "f:6:5: error: 'protocol' is given twice\n"
	  "f:5:16: note: first given here\n" },
	{ "node \"bravo\"", "node \"alpha\"",
	  "f:3:6: error: node \"alpha\" is defined twice\n"
	  "f:2:6: note: first defined here\n" },
	{ "id = 1", "id = 0",
	  "f:3:21: error: node id 0 of \"bravo\" is also that of \"alpha\"\n"
	  "f:2:21: note: first used here\n" },
	{ "[fd00::2]", "10.0.0.1",
	  "f:3:34: error: address 10.0.0.1 of \"bravo\" is also that of \"alpha\"\n"
	  "f:2:34: note: first used here\n" },
	{ "volume 0 {", "volume 0 { minor = 7 disk = \"/d\" }\nvolume 0 {",
	  "f:9:8: error: volume \"0\" is defined twice\n"
	  "f:8:12: note: first defined here\n" },
	{ "volume 0 {", "volume 1 { minor = 0 disk = \"/dev/vdc\" }\nvolume 0 {",
	  "f:8:24: error: minor 0 on node \"alpha\" is used by volume 0 of \"r0\" and volume 1 of \"r0\"\n"
	  "f:9:20: note: first used here\n" },
	{ "volume 0 {", "volume 1 { minor = 9 disk = \"/dev/vdb\" }\nvolume 0 {",
	  "f:8:33: error: disk /dev/vdb on node \"alpha\" is used by volume 0 of \"r0\" and volume 1 of \"r0\"\n"
	  "f:9:30: note: first used here\n" },
	{ "cluster \"demo\" {", "cluster \"b\" { key-file = \"/k\" } cluster \"demo\" {",
	  "f:1:41: error: a second cluster; one file describes one\n"
	  "f:1:9: note: the first is here\n" },
	{ "cluster \"demo\"", "net { timeout = 6s } net { } cluster \"demo\"",
	  "f:1:22: error: section 'net' is given twice\n"
	  "f:1:1: note: first given here\n" },
	/* shape */
	{ "acks = all", "acks all", "f:6:10: error: expected '=' after 'acks', got 'all'\n" },
	{ "acks = all", "acks =", "f:7:14: error: unexpected '='\n" },
	{ "acks = all", "acks = ,", "f:6:12: error: expected a value after '=', got ','\n" },
	{ "node \"bravo\" {", "node {", "f:3:6: error: expected a name after 'node', got '{'\n" },
	{ "node \"bravo\" {", "node \"bravo\" id {", "f:3:14: error: expected '{' after 'bravo', got 'id'\n" },
	{ "volume 0 { minor = 1 } }\n}", "volume 0 { minor = 1 } }\n",
	  "f:4:15: error: this '{' is never closed\n" },
	{ "node \"alpha\"", "} node \"alpha\"", "f:2:1: error: this '}' closes nothing\n" },
	{ "/dev/vdb\"", "/dev/vdb", "f:8:34: error: this string is not closed on its line\n" },
	{ "protocol = C", "/* protocol = C", "f:5:5: error: this comment is never closed by */\n" },
	{ "protocol = C", "protocol = C;", "f:5:17: error: unexpected character ';'\n" },
	{ "\"demo\"", "\"de\\mo\"", "f:1:12: error: unknown escape (allowed: \\\\ \\\" \\')\n" },
	{ "acks = all", "include \"x\"", "f:6:5: error: unknown option 'include' in resource \"r0\" (allowed: protocol, acks, log-size, data-crc, zero-detect, read-from-backup, on-disk-error, disk-timeout, failover, arbiter, lease, lease-margin, on-lease-expiry, min-in-sync, below-min-in-sync, promotion, successor, nodes, volume, on)\n" },
};

static void make_mistakes(const char *base, const struct mistake *list,
			  size_t n)
{
	size_t i, wrong = 0;

	for (i = 0; i < n; i++) {
		char *text = edit_of(base, list[i].from, list[i].to);
		char *said = diagnose(text);

		if (strcmp(said, list[i].message) != 0) {
			print_error("%zu: \"%s\" -> \"%s\"\nwanted:\n%sgot:\n%s",
				    i, list[i].from, list[i].to,
				    list[i].message, said);
			wrong++;
		}
		free(said);
		free(text);
	}
	assert_int_equal(wrong, 0);
}

static void each_mistake(void **state)
{
	(void)state;
	make_mistakes(good, mistakes, sizeof(mistakes) / sizeof(mistakes[0]));
}

static void empty_ones(void **state)
{
	char *said = diagnose("");

	(void)state;
	assert_non_null(strstr(said, "f:1:1: error: there is no cluster section"));
	free(said);
	said = diagnose("cluster \"demo\" { key-file = \"/k\" }");
	assert_non_null(strstr(said, "f:1:9: error: there is no node"));
	free(said);
}

static void unused_node(void **state)
{
	char *text = edit("acks = all", "nodes = { bravo }");
	char *said = diagnose(text);

	(void)state;
	assert_string_equal(said,
			    "f:2:6: warning: node \"alpha\" is in no resource\n");
	free(said);
	free(text);
}

static void protocol_of_a_node(void **state)
{
	char *text = edit("on \"bravo\" {", "on \"bravo\" { protocol = A");
	struct rblk_config *c = rblk_config_parse("f", text, strlen(text));

	(void)state;
	assert_int_equal(c->diags.n, 0);
	assert_int_equal(c->resources[0].protocol[0], 'C');
	assert_int_equal(c->resources[0].protocol[1], 'A');
	rblk_config_free(c);
	free(text);
}

static void options(void **state)
{
	char *text = edit("acks = all",
			  "data-crc = yes zero-detect = yes read-from-backup = yes on-disk-error = pass disk-timeout = 10s");
	struct rblk_config *c = rblk_config_parse("f", text, strlen(text));

	(void)state;
	assert_int_equal(c->diags.n, 0);
	assert_true(c->resources[0].data_crc);
	assert_true(c->resources[0].zero_detect);
	assert_true(c->resources[0].pass_disk_errors);
	assert_int_equal(c->resources[0].disk_timeout_ms, 10000);
	assert_int_equal(c->resources[0].read_from_backup & 3, 3);
	rblk_config_free(c);
	free(text);
	text = edit("on \"bravo\" {", "on \"bravo\" { read-from-backup = yes");
	c = rblk_config_parse("f", text, strlen(text));
	assert_int_equal(c->diags.n, 0);
	assert_false(c->resources[0].data_crc);
	assert_int_equal(c->resources[0].read_from_backup & 3, 2);
	rblk_config_free(c);
	free(text);
}

/* ---- files ---- */

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

static void includes(void **state)
{
	char *text = rblk_xasprintf("%sinclude \"res.d/*.conf\"\ninclude 'more.*'\n", good);
	char *main_file = write_file("rblk.conf", text, 0644);
	char *sub = rblk_xasprintf("%s/res.d", dir);
	struct rblk_config *c;
	char *said, *want, *a;

	(void)state;
	mkdir(sub, 0755);
	a = write_file("res.d/a.conf",
		       "resource \"r1\" {\n  volume 0 { minor = 0 disk = \"/dev/vdz\" }\n}\n",
		       0644);
	c = rblk_config_load(main_file);
	said = rblk_diags_format(&c->diags);
	want = rblk_xasprintf(
		"%s:12:9: warning: include \"%s/more.*\": no file matches\n"
		"%s:2:22: error: minor 0 on node \"alpha\" is used by volume 0 of \"r0\" and volume 0 of \"r1\"\n"
		"%s:8:24: note: first used here\n",
		main_file, dir, a, main_file);
	assert_string_equal(said, want);
	rblk_config_free(c);
	free(said);
	free(want);
	free(a);
	free(sub);
	free(main_file);
	free(text);
}

static void include_of_itself(void **state)
{
	char *path = write_file("loop.conf", "include \"loop.conf\"\n", 0644);
	struct rblk_config *c = rblk_config_load(path);
	char *said = rblk_diags_format(&c->diags);

	(void)state;
	assert_non_null(strstr(said, "does a file include itself?"));
	assert_int_equal(c->diags.errors, 1);
	rblk_config_free(c);
	free(said);
	free(path);
}

static void missing_files(void **state)
{
	char *path = write_file("m.conf", "include \"nowhere.conf\"\n", 0644);
	struct rblk_config *c = rblk_config_load(path);
	char *said = rblk_diags_format(&c->diags);

	(void)state;
	assert_non_null(strstr(said, "m.conf:1:9: error: include"));
	assert_non_null(strstr(said, "nowhere.conf\": no such file"));
	rblk_config_free(c);
	free(said);
	c = rblk_config_load("/nonexistent/rblk.conf");
	said = rblk_diags_format(&c->diags);
	assert_string_equal(said,
		"rblk: error: cannot read \"/nonexistent/rblk.conf\": No such file or directory\n");
	rblk_config_free(c);
	free(said);
	c = rblk_config_load(dir);
	said = rblk_diags_format(&c->diags);
	assert_non_null(strstr(said, "Is a directory"));
	rblk_config_free(c);
	free(said);
	free(path);
}

static void keys(void **state)
{
	unsigned char key[RBLK_MAX_KEY_BYTES];
	char why[512];
	char *path = write_file("key", "0123456789abcdef0123456789abcdef", 0600);

	(void)state;
	assert_int_equal(rblk_config_read_key(path, key, why, sizeof(why)), 32);
	chmod(path, 0400);
	assert_int_equal(rblk_config_read_key(path, key, why, sizeof(why)), 32);
	chmod(path, 0640);
	assert_int_equal(rblk_config_read_key(path, key, why, sizeof(why)), 0);
	assert_non_null(strstr(why, "has mode 0640"));
	assert_non_null(strstr(why, "chmod 0600"));
	free(path);
	path = write_file("short", "0123456789abcdef0123456789abcde", 0600);
	assert_int_equal(rblk_config_read_key(path, key, why, sizeof(why)), 0);
	assert_non_null(strstr(why, "has 31 bytes (allowed: 32 to 4096)"));
	free(path);
	assert_int_equal(rblk_config_read_key("/nonexistent", key, why,
					      sizeof(why)), 0);
	assert_non_null(strstr(why, "No such file"));
	assert_int_equal(rblk_config_read_key("/dev/zero", key, why,
					      sizeof(why)), 0);
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

static void who_holds_data(void **state)
{
	static const char text[] =
		"cluster \"demo\" { key-file = \"/etc/rblk/cluster.key\" }\n"
		"node \"alpha\" { id = 0  address = \"10.0.0.1\" }\n"
		"node \"bravo\" { id = 1  address = \"10.0.0.2\" }\n"
		"node \"judge\" { id = 2  address = \"10.0.0.3\"  witness = yes }\n"
		"resource \"r0\" { failover = auto  volume 0 { minor = 0  disk = \"/dev/vdb\" } }\n";
	struct rblk_config *c = rblk_config_parse("f", text, strlen(text));

	(void)state;
	assert_int_equal(c->diags.errors, 0);
	assert_true(rblk_config_holds_data(c, rblk_config_node(c, "alpha")));
	assert_true(rblk_config_holds_data(c, rblk_config_node(c, "bravo")));
	assert_false(rblk_config_holds_data(c, rblk_config_node(c, "judge")));
	rblk_config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_one),
		cmocka_unit_test(shown_is_readable),
		cmocka_unit_test(each_mistake),
		cmocka_unit_test(empty_ones),
		cmocka_unit_test(unused_node),
		cmocka_unit_test(protocol_of_a_node),
		cmocka_unit_test(options),
		cmocka_unit_test(includes),
		cmocka_unit_test(include_of_itself),
		cmocka_unit_test(missing_files),
		cmocka_unit_test(keys),
		cmocka_unit_test(who_holds_data),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_text.c - names, sizes, durations, suggestions
 */
#include "test.h"

#include "fork.h"
#include "text.h"

#include <string.h>

static void names(void **state)
{
	char longest[65];

	(void)state;
	memset(longest, 'a', 64);
	longest[64] = '\0';
	assert_false(rblk_text_name_is_valid(longest));
	longest[63] = '\0';
	assert_true(rblk_text_name_is_valid(longest));
	assert_true(rblk_text_name_is_valid("r0.Web_1-x"));
	assert_false(rblk_text_name_is_valid(""));
	assert_false(rblk_text_name_is_valid(".r0"));
	assert_false(rblk_text_name_is_valid("-r0"));
	assert_false(rblk_text_name_is_valid("a/b"));
	assert_false(rblk_text_name_is_valid("a b"));
	assert_false(rblk_text_name_is_valid("\xc3\xa4"));
}

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;		/* 0: refused */
	} cases[] = {
		{ "1B", 1 }, { "64MiB", 64 << 20 }, { "1TiB", 1ULL << 40 },
		{ "64MB", 0 }, { "64", 0 }, { "MiB", 0 }, { "-1MiB", 0 },
		{ " 1MiB", 0 }, { "1 MiB", 0 }, { "1MiBx", 0 },
		{ "99999999999999999999B", 0 }, { "99999999TiB", 0 },
	};
	uint64_t bytes;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool ok = rblk_text_parse_size(cases[i].text, &bytes);

		assert_int_equal(ok, cases[i].bytes != 0);
		if (ok)
			assert_int_equal(bytes, cases[i].bytes);
	}
}

static void durations(void **state)
{
	uint64_t ms;

	(void)state;
	assert_true(rblk_text_parse_duration("6s", &ms));
	assert_int_equal(ms, 6000);
	assert_true(rblk_text_parse_duration("500ms", &ms));
	assert_int_equal(ms, 500);
	assert_true(rblk_text_parse_duration("2min", &ms));
	assert_int_equal(ms, 120000);
	assert_false(rblk_text_parse_duration("6", &ms));
	assert_false(rblk_text_parse_duration("6 s", &ms));
	assert_false(rblk_text_parse_duration("6.5s", &ms));
}

static void bytes_for_people(void **state)
{
	char b[32];

	(void)state;
	assert_string_equal(rblk_text_bytes(b, sizeof(b), 0), "0 B");
	assert_string_equal(rblk_text_bytes(b, sizeof(b), 1023), "1023 B");
	assert_string_equal(rblk_text_bytes(b, sizeof(b), 256 << 20),
			    "256 MiB");
	assert_string_equal(rblk_text_bytes(b, sizeof(b), 3 << 29), "1.5 GiB");
	assert_string_equal(rblk_text_bytes(b, sizeof(b), UINT64_MAX),
			    "16777215.9 TiB");
	assert_string_equal(rblk_text_config_size(b, sizeof(b), 64 << 20),
			    "64MiB");
	assert_string_equal(rblk_text_config_size(b, sizeof(b), 1025), "1025B");
}

static void suggestions(void **state)
{
	static const char *const words[] = {
		"protocol", "acks", "log-size", "volume", NULL
	};

	(void)state;
	assert_string_equal(rblk_text_suggest("protocl", words), "protocol");
	assert_string_equal(rblk_text_suggest("porotcol", words), "protocol");
	assert_string_equal(rblk_text_suggest("logsize", words), "log-size");
	assert_string_equal(rblk_text_suggest("ack", words), "acks");
	assert_null(rblk_text_suggest("timeout", words));
	assert_null(rblk_text_suggest("", words));
}

static void times(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(rblk_text_time(buf, sizeof(buf), 0), "");
	assert_string_equal(rblk_text_time(buf, sizeof(buf), 1700000000),
			    "2023-11-14 22:13:20 UTC");
	assert_string_equal(rblk_text_time(buf, sizeof(buf), UINT64_MAX), "?");
	/* a year of five digits */
	rblk_text_time(buf, sizeof(buf), 1ULL << 40);
}

static void forks(void **state)
{
	struct rblk_kpeer p = {
		.node_name = "bravo", .fork_seq = 64, .fork_mine_ops = 3,
		.fork_theirs_ops = 4, .fork_theirs_since_s = 1700000000,
	};
	const char *reason = "two primaries: demote it; after seq 64 a";
	char buf[RBLK_FORK_SIZE];

	(void)state;
	/* an older module, or no fork */
	assert_string_equal(rblk_fork_explain(buf, sizeof(buf), "alpha", &p,
					      reason), reason);
	p.has = RBLK_HAS(RBLK_PEER_FORK_SEQ);
	assert_string_equal(rblk_fork_explain(buf, sizeof(buf), "alpha", &p,
					      reason),
		"two primaries: demote it; after seq 64 alpha has 3 operations of its own, bravo 4 (primary since 2023-11-14 22:13:20 UTC)");
	/* the link ended for another reason since */
	assert_string_equal(rblk_fork_explain(buf, sizeof(buf), "alpha", &p,
					      "reset by peer"),
			    "reset by peer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names), cmocka_unit_test(sizes),
		cmocka_unit_test(durations), cmocka_unit_test(bytes_for_people),
		cmocka_unit_test(suggestions),
		cmocka_unit_test(times),
		cmocka_unit_test(forks),
	};

	return RUN(tests);
}

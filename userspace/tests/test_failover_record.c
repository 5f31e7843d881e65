// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_failover_record.c - what is told of a failover: its record, a witness's status
 */
#include "failover_world.h"

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

static struct flying *kept;

/* The first long one for bravo is held back, all else goes. */
static bool keep_one(struct fake *f, unsigned int path,
		     const struct sockaddr_storage *addr, const uint8_t *bytes, size_t n)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;

	if (kept->n || ntohs(in->sin_port) != 17791 || n < 130)
		return send_it(f, path, addr, bytes, n);
	kept->n = n;
	memcpy(kept->bytes, bytes, n);
	return true;
}

/* What a node said earlier does not replace what it said later. */
static void overtaken_is_not_believed(void **state)
{
	static struct flying old;
	unsigned int i;

	(void)state;
	start_with_primary();
	/* a beat of alpha's for bravo, on its way for long */
	w.f[0].send = keep_one;
	kept = &old;
	run(200);
	w.f[0].send = send_it;
	assert_true(old.n > 0);
	assert_int_equal(fake_ask(&w.f[1], ASK("promote", "")), FAKE_LATER);
	run(500);
	assert_true(serves(1));
	assert_int_equal(failover(1)->view.peer[0].told.flags & RBLK_POLICY_LEADS, 0);
	rblk_engine_datagram(&w.f[1].engine, old.bytes, old.n);
	assert_int_equal(failover(1)->view.peer[0].told.flags & RBLK_POLICY_LEADS, 0);
	for (i = 0; i < NODES; i++)
		assert_int_equal(w.f[i].engine.cluster.dropped[RBLK_CLUSTER_REPEATED], 0);
	stop();
}

/* The last record of alpha's: a promotion of that generation, for that reason. */
static void expect_again(size_t records_n, json_int_t generation, const char *reason)
{
	json_t *records = rblk_history_read(w.f[0].dir, "r0"), *last;

	assert_true(serves(0));
	assert_int_equal(json_array_size(records), records_n);
	last = json_array_get(records, records_n - 1);
	assert_string_equal(member(records, records_n - 1, "kind"), "promotion");
	assert_string_equal(member(records, records_n - 1, "reason"), reason);
	assert_int_equal(json_integer_value(json_object_get(last, "register_generation")),
			 generation);
	assert_true(json_is_integer(json_object_get(last, "chosen_ms")));
	assert_true(json_is_integer(json_object_get(last, "promoted_ms")));
	json_decref(records);
}

/* Who is promoted anew: its daemon alone had gone, or its machine, or neither. */
static void promoted_anew(void **state)
{
	struct rblk_arbiter_out out;

	(void)state;
	start_with_primary();
	rblk_failover_stop(&w.f[0].engine);
	start_daemon(0);
	run(3000);
	expect_again(2, 2, "its daemon started anew, the module had gone on");
	rblk_arbiter_propose(&failover(0)->arbiter, RBLK_ARBITER_PROMOTE, 3, w.f[0].now_ms,
			     &out);
	rblk_failover_obey(failover(0), &w.f[0].engine, &out);
	failover(0)->arbiter.phase = RBLK_ARBITER_IDLE;
	run(3000);
	expect_again(3, 3, "its term had ended, and nobody took its place");
	rblk_failover_stop(&w.f[0].engine);
	module_of(0)->resource.role = RBLK_ROLE_BACKUP;
	module_of(0)->resource.in_sync = 0;
	start_daemon(0);
	run(3000);
	expect_again(4, 4, "it came back, and nobody had taken its place");
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_switchover_is_recorded),
		cmocka_unit_test(refused_and_tried_again),
		cmocka_unit_test(false_alarm_is_not_recorded),
		cmocka_unit_test(promoted_anew),
		cmocka_unit_test(witness_tells),
		cmocka_unit_test(overtaken_is_not_believed),
	};

	rblk_log_init(getenv("RBLK_TEST_LOG") ? RBLK_LOG_DEBUG : RBLK_LOG_ERROR,
		      0);
	return RUN(tests);
}

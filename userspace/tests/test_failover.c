// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_failover.c - three daemons fail over, by themselves and when asked
 */
#include "failover_world.h"

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

/*
 * Deaf, it still asks for leases that it never gets. Nobody's word is given anew to
 * a node that does not hear: that would keep the other from beginning, for ever.
 */
static void primary_is_deaf(void **state)
{
	unsigned int ms = 0;

	(void)state;
	start_with_primary();
	w.cut[1][0] = w.cut[2][0] = true;
	while (!serves(1) && ms++ < 5000)
		run(1);
	assert_in_range(ms, 100, 1500);
	assert_false(serves(0));
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
	const char *second;

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
	/* there and back, and each is on record */
	assert_int_equal(fake_ask(&w.f[0], ASK("promote", "")), FAKE_LATER);
	run(500);
	assert_true(serves(0));
	assert_int_equal(fake_ask(&w.f[1], ASK("promote", "")), FAKE_LATER);
	run(500);
	assert_true(serves(1));
	assert_int_equal(fake_ask(&w.f[1], ASK("history", "")), 0);
	second = strstr(fake_answer, "switchover");
	assert_non_null(second);
	assert_non_null(strstr(second + 1, "switchover"));
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

/* A witness that died for good is no voter any more: one vote less is needed. */
static void dead_for_good_is_dismissed(void **state)
{
	(void)state;
	start_with_primary();
	w.dead[2] = true;
	run(1000);
	assert_int_equal(fake_ask(&w.f[1], ASK("dismiss", ",\"node\":\"judge\"")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "only the primary can do that: here it is alpha"));
	assert_int_equal(fake_ask(&w.f[0], ASK("dismiss", ",\"node\":\"bravo\"")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "run 'rblk down r0' on it first"));
	assert_int_equal(fake_ask(&w.f[0], ASK("dismiss", ",\"node\":\"alpha\"")),
			 RBLK_EXIT_REFUSED);
	assert_int_equal(fake_ask(&w.f[0], ASK("dismiss", ",\"node\":\"2\"")),
			 RBLK_EXIT_NOT_FOUND);
	assert_int_equal(failover(0)->arbiter.known.voters, 7);
	assert_int_equal(fake_ask(&w.f[0], ASK("dismiss", ",\"node\":\"judge\"")),
			 FAKE_LATER);
	run(2000);
	if (w.f[0].code)
		fail_msg("%d %s", w.f[0].code, fake_answer);
	assert_non_null(strstr(fake_answer, "judge does not vote any more"));
	assert_int_equal(failover(0)->arbiter.known.voters, 3);
	assert_int_equal(failover(0)->arbiter.known.voters_before, 3);
	assert_true(serves(0));
	assert_int_equal(fake_ask(&w.f[0], ASK("dismiss", ",\"node\":\"judge\"")),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "judge is not another voter of it"));
	/* back, it does not count; nor does a majority of those before */
	w.dead[2] = false;
	w.dead[1] = true;
	run(3000);
	assert_false(serves(0));
	assert_int_equal(failover(0)->arbiter.known.voters, 3);
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
/* Generations are stored beside the loop, and before the module has them. */
static void promises_are_kept(void **state)
{
	uint64_t generation;

	(void)state;
	start_with_primary();
	generation = module_of(0)->resource.generation;
	w.f[1].hold_jobs = true;
	module_of(1)->resource.generation = generation;
	fake_conn(&w.f[1], "r0", 0, RBLK_CONN_UP, "");
	assert_true(w.f[1].saved < generation);
	fake_release(&w.f[1]);
	assert_true(w.f[1].saved == generation);
	/* no promise, no promotion */
	w.f[1].fail_save = true;
	w.dead[0] = true;
	run(3000);
	assert_false(is_primary(1));
	fake_ask(&w.f[1], ASK("failover", ""));
	assert_non_null(strstr(fake_answer, "cannot store generation"));
	w.f[1].fail_save = false;
	run(10000);
	assert_true(serves(1));
	stop();
}

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
	/* no timer that is due again as soon as it was: a daemon would do nothing else */
	for (i = 0; i < NODES; i++) {
		w.f[i].wake_ms = 0;
		rblk_engine_tick(&w.f[i].engine);
		assert_true(!w.f[i].wake_ms || w.f[i].wake_ms > w.f[i].now_ms);
	}
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
		cmocka_unit_test(primary_is_deaf),
		cmocka_unit_test(link_seems_up),
		cmocka_unit_test(backup_dies),
		cmocka_unit_test(witness_dies),
		cmocka_unit_test(daemon_restarts),
		cmocka_unit_test(switchover),
		cmocka_unit_test(demotion),
		cmocka_unit_test(new_registers),
		cmocka_unit_test(reinstalled_votes_again),
		cmocka_unit_test(dead_for_good_is_dismissed),
		cmocka_unit_test(no_majority_no_primary),
		cmocka_unit_test(durable_comes_first),
		cmocka_unit_test(stop_comes_first),
		cmocka_unit_test(promises_are_kept),
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

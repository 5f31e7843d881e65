// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_external.c - arbiter = external: a cluster manager decides, the daemon does
 * what it is told and nothing else, whatever happens to the other node
 */
#include "test.h"

#include "exitcode.h"
#include "failover.h"
#include "fake.h"

#include <string.h>

#define ASK(verb, rest) \
	"{\"schema\":\"rblk.control/1\",\"verb\":\"" verb "\",\"resource\":\"r0\"" rest "}"

static const char config[] =
"cluster \"demo\" { key-file = \"%s/key\" }\n"
"heartbeat { interval = 100ms  misses = 5 }\n"
"node \"alpha\" { id = 0  address = \"127.0.0.1:17790\"  fence \"x\" { agent = \"/bin/true\" } }\n"
"node \"bravo\" { id = 1  address = \"127.0.0.1:17791\"  fence \"x\" { agent = \"/bin/true\" } }\n"
"resource \"r0\" { failover = auto  arbiter = external\n"
"  volume 0 { minor = 0  disk = \"/dev/vdb\" }\n"
"}\n";

static struct fake f;

static bool send_nowhere(struct fake *fake, unsigned int path,
			 const struct sockaddr_storage *addr, const uint8_t *bytes,
			 size_t n)
{
	(void)fake;
	(void)path;
	(void)addr;
	(void)bytes;
	(void)n;
	return true;
}

static void start(void)
{
	struct rblk_genl_error err;

	fake_init(&f, "alpha", config);
	f.send = send_nowhere;
	assert_int_equal(rblk_engine_start(&f.engine, &err), 0);
	assert_int_equal(fake_ask(&f, ASK("up", "")), 0);
}

static void run(uint64_t ms)
{
	while (ms--) {
		f.now_ms++;
		if (f.wake_ms && f.now_ms >= f.wake_ms)
			rblk_engine_tick(&f.engine);
	}
}

static enum rblk_role role(void)
{
	return fake_find(&f, "r0")->resource.role;
}

/* The other node is gone, or never was there: nobody is promoted, nobody fenced. */
static void backup_stays_backup(void **state)
{
	(void)state;
	start();
	fake_conn(&f, "r0", 1, RBLK_CONN_UP, "");
	run(1000);
	fake_conn(&f, "r0", 1, RBLK_CONN_DOWN, "it ended");
	run(20000);
	assert_int_equal(role(), RBLK_ROLE_BACKUP);
	assert_null(strstr(f.log, "promote"));
	assert_null(strstr(f.log, "fence"));
	assert_null(rblk_failover_find(&f.engine, "r0"));
	fake_exit(&f);
}

/* As the manager says; and it needs no lease, which nobody would renew. */
static void promoted_when_told(void **state)
{
	(void)state;
	start();
	fake_find(&f, "r0")->resource.data = RBLK_DATA_CONSISTENT;
	assert_int_equal(fake_ask(&f, ASK("promote", "")), 0);
	assert_int_equal(role(), RBLK_ROLE_PRIMARY);
	assert_false(fake_find(&f, "r0")->resource.leased);
	run(20000);
	assert_int_equal(role(), RBLK_ROLE_PRIMARY);
	assert_int_equal(f.told_lease_ms, 0);
	/* what only an arbiter can do is refused */
	assert_int_equal(fake_ask(&f, "{\"schema\":\"rblk.control/1\",\"verb\":\"evict\",\"peer\":\"alpha\"}"),
			 RBLK_EXIT_REFUSED);
	assert_non_null(strstr(fake_answer, "does not fail over automatically"));
	assert_int_equal(fake_ask(&f, "{\"schema\":\"rblk.control/1\",\"verb\":\"fence\",\"peer\":\"bravo\",\"confirm\":true}"),
			 RBLK_EXIT_REFUSED);
	fake_exit(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backup_stays_backup),
		cmocka_unit_test(promoted_when_told),
	};

	return RUN(tests);
}

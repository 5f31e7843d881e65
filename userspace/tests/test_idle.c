// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_idle.c - what daemons do while nothing happens: three nodes with data, many
 * resources, each node primary of a third of them
 */
#include "test.h"

#include "failover.h"
#include "fake.h"
#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES		3
#ifndef RESOURCES
#define RESOURCES	30
#endif
#define MAX_FLYING	4096
#define INTERVAL_MS	1000
#define LONG_BYTES	450	/* more than leases or grants of a third of them */

struct flying {
	uint8_t to;
	size_t n;
	uint8_t bytes[RBLK_BEAT_MAX_BYTES];
};

/* What was asked of the world outside. */
struct counts {
	unsigned int runs;		/* of the engine, woken by timer or datagram */
	unsigned int datagrams;
	unsigned int bytes;
	unsigned int looks;		/* the module was asked how a resource is */
	unsigned int leases;		/* the module was told of one */
	unsigned int stores;
};

static struct world {
	struct fake f[NODES];
	struct counts count[NODES];
	struct flying flying[MAX_FLYING];
	size_t n;
	unsigned int lose;		/* so many long ones */
	unsigned int lose_from;
	bool dead[NODES];
	/* what the fakes do */
	struct rblk_engine_ops ops;
} w;

static const char *const names[NODES] = { "alpha", "bravo", "charlie" };

static unsigned int number_of(const struct fake *f)
{
	return f - w.f;
}

static struct counts *counts_of(void *ctx)
{
	return &w.count[number_of(ctx)];
}

static bool send_it(struct fake *f, unsigned int path,
		    const struct sockaddr_storage *addr, const uint8_t *bytes,
		    size_t n)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	struct flying *fly;

	assert_int_equal(path, 0);
	if (w.dead[number_of(f)] || w.dead[ntohs(in->sin_port) - 17790])
		return true;
	if (w.lose && number_of(f) == w.lose_from && n > LONG_BYTES) {
		w.lose--;
		return true;
	}
	fly = &w.flying[w.n++];
	assert_true(w.n < MAX_FLYING);
	fly->to = ntohs(in->sin_port) - 17790;
	fly->n = n;
	memcpy(fly->bytes, bytes, n);
	counts_of(f)->datagrams++;
	counts_of(f)->bytes += n;
	return true;
}

static int count_get(void *ctx, const char *name, struct rblk_kstate *state,
		     struct rblk_genl_error *err)
{
	counts_of(ctx)->looks++;
	return w.ops.get(ctx, name, state, err);
}

static void count_lease(void *ctx, const char *name, uint64_t until_ms)
{
	counts_of(ctx)->leases++;
	w.ops.set_lease(ctx, name, until_ms);
}

static void count_store(void *ctx, struct rblk_ballot_job *job)
{
	counts_of(ctx)->stores++;
	w.ops.write_ballot(ctx, job);
}

static void deliver(void)
{
	struct flying f;
	size_t i;

	/* more may come meanwhile */
	for (i = 0; i < w.n; i++) {
		f = w.flying[i];
		counts_of(&w.f[f.to])->runs++;
		rblk_engine_datagram(&w.f[f.to].engine, f.bytes, f.n);
	}
	w.n = 0;
}

static void run(uint64_t ms)
{
	unsigned int i;

	while (ms--) {
		for (i = 0; i < NODES; i++) {
			w.f[i].now_ms++;
			if (w.dead[i] || !w.f[i].wake_ms ||
			    w.f[i].now_ms < w.f[i].wake_ms)
				continue;
			counts_of(&w.f[i])->runs++;
			rblk_engine_tick(&w.f[i].engine);
		}
		deliver();
	}
}

/* Of all resources but one. */
static char *make_config(unsigned int without)
{
	char *text = rblk_xasprintf("cluster \"demo\" { key-file = \"%%s/key\" }\n"
				    "heartbeat { interval = %dms  misses = 5 }\n",
				    INTERVAL_MS), *longer;
	unsigned int i;

	for (i = 0; i < NODES; i++) {
		longer = rblk_xasprintf("%snode \"%s\" { id = %u  address = \"127.0.0.1:%u\" }\n",
					text, names[i], i, 17790 + i);
		free(text);
		text = longer;
	}
	for (i = 0; i < RESOURCES; i++) {
		if (i == without)
			continue;
		longer = rblk_xasprintf("%sresource \"r%u\" { failover = auto\n"
					"  volume 0 { minor = %u  disk = \"/dev/vd%u\" } }\n",
					text, i, i, i);
		free(text);
		text = longer;
	}
	return text;
}

static void create_registers(unsigned int node)
{
	const struct rblk_arbiter_store first = {
		.record = { .version = 1, .primary = RBLK_ARBITER_NOBODY, .idle = true,
			    .insync = 7, .voters = 7, .voters_before = 7 },
	};
	struct rblk_ballot_place p = {
		.state_dir = w.f[node].dir, .outside_dir = w.f[node].instance_dir,
		.node = node,
	};
	struct rblk_ballot_store s;
	struct rblk_failover *f;
	char why[512];

	for (f = w.f[node].engine.failovers; f; f = f->next) {
		rblk_text_copy(p.resource, sizeof(p.resource), f->name);
		memcpy(p.uuid, f->uuid, sizeof(p.uuid));
		if (!rblk_ballot_create(&s, &p, &first, why, sizeof(why)))
			fail_msg("%s", why);
		rblk_ballot_close(&s);
	}
	fake_ask(&w.f[node], "{\"schema\":\"rblk.control/1\",\"verb\":\"reload\"}");
}

static struct rblk_kstate *module_of(unsigned int node, unsigned int resource)
{
	char name[RBLK_NAME_SIZE];

	rblk_text_format(name, sizeof(name), "r%u", resource);
	return fake_find(&w.f[node], name);
}

/* Connected, level, and they know who is primary. */
static void join_modules(unsigned int resource)
{
	unsigned int i, p;

	for (i = 0; i < NODES; i++) {
		struct rblk_kstate *s = module_of(i, resource);

		s->resource.data = RBLK_DATA_CONSISTENT;
		for (p = 0; p < s->peers_n; p++) {
			struct rblk_kpeer *k = &s->peers[p];

			k->repl = RBLK_REPL_UPTODATE;
			k->role = module_of(k->node_id, resource)->resource.role;
			fake_conn(&w.f[i], s->name, k->node_id, RBLK_CONN_UP, "");
		}
	}
}

static void ask(unsigned int node, const char *verb, unsigned int resource,
		const char *rest)
{
	char *text = rblk_xasprintf("{\"schema\":\"rblk.control/1\",\"verb\":\"%s\",\"resource\":\"r%u\"%s}",
				    verb, resource, rest);

	fake_ask(&w.f[node], text);
	free(text);
}

static void start(void)
{
	char *config = make_config(RESOURCES);
	struct rblk_genl_error err;
	unsigned int i, r;

	memset(&w, 0, sizeof(w));
	for (i = 0; i < NODES; i++) {
		fake_init(&w.f[i], names[i], config);
		w.ops = w.f[i].ops;
		w.f[i].ops.get = count_get;
		w.f[i].ops.set_lease = count_lease;
		w.f[i].ops.write_ballot = count_store;
		w.f[i].send = send_it;
		w.f[i].random = 77 * i;
		w.f[i].token = i << 20;
	}
	free(config);
	/* their beats do not coincide */
	for (i = 0; i < NODES; i++) {
		assert_int_equal(rblk_engine_start(&w.f[i].engine, &err), 0);
		for (r = 0; r < RESOURCES; r++)
			ask(i, "up", r, "");
		run(INTERVAL_MS / NODES);
	}
	for (i = 0; i < NODES; i++)
		create_registers(i);
	run(5 * INTERVAL_MS);
	for (r = 0; r < RESOURCES; r++) {
		ask(r % NODES, "promote", r, ",\"assume_clean\":true");
		join_modules(r);
	}
	for (i = 0; i < 4; i++) {
		run(INTERVAL_MS);
		for (r = 0; r < RESOURCES; r++)
			join_modules(r);
	}
	/* the first write of each is looked for */
	run(60 * 1000);
}

static void stop(void)
{
	unsigned int i;

	for (i = 0; i < NODES; i++)
		fake_exit(&w.f[i]);
}

static void check_leases(void)
{
	unsigned int i, r;

	for (r = 0; r < RESOURCES; r++)
		for (i = 0; i < NODES; i++) {
			struct rblk_kresource *k = &module_of(i, r)->resource;

			if (i != r % NODES) {
				assert_int_equal(k->role, RBLK_ROLE_BACKUP);
				continue;
			}
			assert_int_equal(k->role, RBLK_ROLE_PRIMARY);
			assert_int_equal(k->in_sync, 7);
			assert_true(k->lease_until_ns / 1000000 > w.f[i].now_ms);
		}
}

/* For a profiler: callgrind --toggle-collect=measured */
static __attribute__((noipa)) void measured(unsigned int seconds)
{
	run(1000 * seconds);
}

/* What @node knows of the others is what they said last. */
static bool knows(unsigned int node, unsigned int from)
{
	struct rblk_failover *there, *here;

	for (there = w.f[from].engine.failovers; there; there = there->next) {
		here = rblk_failover_find(&w.f[node].engine, there->name);
		if (rblk_beat_hash(here->uuid, &here->view.peer[from].told) !=
		    there->told_hash)
			return false;
	}
	return true;
}

/* One write more on all that alpha leads. */
static void write_some(void)
{
	unsigned int r;

	for (r = 0; r < RESOURCES; r += NODES)
		module_of(0, r)->resource.seq++;
	rblk_failover_due(&w.f[0].engine, NULL);
	rblk_engine_run(&w.f[0].engine);
}

/* What got lost, all of it or some, is said again an interval later. */
static void lost_is_said_again(void **state)
{
	unsigned int lost;

	(void)state;
	start();
	assert_true(knows(1, 0) && knows(2, 0));
	for (lost = 1; lost < NODES; lost++) {
		write_some();
		w.lose_from = 0;
		w.lose = lost;
		run(INTERVAL_MS);
		assert_int_equal(w.lose, 0);
		assert_false(knows(1, 0) && knows(2, 0));
		run(INTERVAL_MS);
		assert_true(knows(1, 0) && knows(2, 0));
	}
	stop();
}

/* A node that starts anew is told all, by nodes that have nothing new. */
static void newcomer_is_told(void **state)
{
	struct rblk_genl_error err;

	(void)state;
	start();
	rblk_failover_stop(&w.f[1].engine);
	rblk_cluster_stop(&w.f[1].engine.cluster);
	memset(&w.f[1].engine.cluster, 0, sizeof(w.f[1].engine.cluster));
	memset(w.f[1].engine.held, 0, sizeof(w.f[1].engine.held));
	assert_int_equal(rblk_engine_start(&w.f[1].engine, &err), 0);
	assert_false(knows(1, 0));
	run(3 * INTERVAL_MS);
	assert_true(knows(1, 0) && knows(1, 2));
	assert_true(knows(0, 1) && knows(2, 1));
	stop();
}

static bool has_lease(unsigned int node, unsigned int resource)
{
	return module_of(node, resource)->resource.lease_until_ns / 1000000 >
	       w.f[node].now_ms;
}

/*
 * Leases of many resources leave in one datagram. The only voter that is left does not
 * know one of them any more: it confirms all others.
 */
static void one_lease_is_not_confirmed(void **state)
{
	char *config = make_config(3);
	unsigned int r;

	(void)state;
	start();
	w.dead[2] = true;
	fake_configure(&w.f[1], config);
	free(config);
	fake_ask(&w.f[1], "{\"schema\":\"rblk.control/1\",\"verb\":\"reload\"}");
	assert_null(rblk_failover_find(&w.f[1].engine, "r3"));
	run(20 * INTERVAL_MS);
	memset(w.count, 0, sizeof(w.count));
	run(10 * INTERVAL_MS);
	for (r = 0; r < RESOURCES; r++)
		if (r % NODES != 2)
			assert_int_equal(has_lease(r % NODES, r), r != 3);
	/* not one for each: so many lease, and what else there is to say */
	assert_in_range(w.count[0].datagrams, 1, 10 * 8);
	stop();
}

/* The configuration is read for each resource that is created: that disturbs no other. */
static void reload_looks_at_nothing(void **state)
{
	unsigned int i;

	(void)state;
	start();
	memset(w.count, 0, sizeof(w.count));
	for (i = 0; i < 5; i++)
		fake_ask(&w.f[0], "{\"schema\":\"rblk.control/1\",\"verb\":\"reload\"}");
	assert_int_equal(w.count[0].looks, 0);
	check_leases();
	stop();
}

/*
 * What idling may cost, for each node: two datagrams with leases or grants to and from
 * each of the others, a lease of each resource that it leads per interval, and a look at
 * the module now and then.
 */
static void idle(void **state)
{
	const unsigned int seconds = 30, led = RESOURCES / NODES + 1;
	unsigned int i;

	(void)state;
	start();
	check_leases();
	memset(w.count, 0, sizeof(w.count));
	measured(seconds);
	check_leases();
	for (i = 0; i < NODES; i++) {
		const struct counts *c = &w.count[i];

		print_message("%s: %u runs, %u datagrams, %u bytes, %u looks, %u leases\n",
			      names[i], c->runs, c->datagrams, c->bytes, c->looks,
			      c->leases);
		assert_in_range(c->leases, (led - 1) * (seconds - 1), led * (seconds + 1));
		assert_in_range(c->looks, 0, 2 * RESOURCES);
		/* a beat, leases and grants to each of the others */
		assert_in_range(c->datagrams, 1, 3 * (NODES - 1) * (seconds + 1));
		assert_int_equal(c->stores, 0);
	}
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle),
		cmocka_unit_test(one_lease_is_not_confirmed),
		cmocka_unit_test(reload_looks_at_nothing),
		cmocka_unit_test(lost_is_said_again),
		cmocka_unit_test(newcomer_is_told),
	};

	rblk_log_init(RBLK_LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failover_world.h - three daemons, each above a module of a few structs: two with
 * data, one witness. Datagrams, links and the clock are the test's.
 */
#ifndef RBLK_FAILOVER_WORLD_H
#define RBLK_FAILOVER_WORLD_H

#include "test.h"

#include "exitcode.h"
#include "failover.h"
#include "fake.h"
#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODES		3
#define MAX_FLYING	256
#define ASK(verb, rest) \
	"{\"schema\":\"rblk.control/1\",\"verb\":\"" verb "\",\"resource\":\"r0\"" rest "}"

static const char config[] =
"cluster \"demo\" { key-file = \"%s/key\" }\n"
"heartbeat { interval = 100ms  misses = 5 }\n"
"node \"alpha\" { id = 0  address = \"127.0.0.1:17790\" }\n"
"node \"bravo\" { id = 1  address = \"127.0.0.1:17791\" }\n"
"node \"judge\" { id = 2  address = \"127.0.0.1:17792\"  witness = yes }\n"
"resource \"r0\" { failover = auto\n"
"  volume 0 { minor = 0  disk = \"/dev/vdb\" }\n"
"}\n";

struct flying {
	uint8_t to;
	size_t n;
	uint8_t bytes[RBLK_BEAT_MAX_BYTES];
};

static struct world {
	struct fake f[NODES];
	bool dead[NODES];
	bool slow_tcp;			/* finds nothing out */
	bool behind;			/* until a primary copies to it */
	bool cut[NODES][NODES];		/* nothing arrives there from here */
	struct flying flying[MAX_FLYING];
	size_t n;
} w;

static const char *const names[NODES] = { "alpha", "bravo", "judge" };

static inline unsigned int number_of(const struct fake *f)
{
	return f - w.f;
}

static inline bool send_it(struct fake *f, unsigned int path,
		    const struct sockaddr_storage *addr, const uint8_t *bytes,
		    size_t n)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	unsigned int to = ntohs(in->sin_port) - 17790;

	assert_int_equal(path, 0);
	assert_true(to < NODES);
	if (w.dead[to] || w.cut[number_of(f)][to] || w.n == MAX_FLYING)
		return true;
	w.flying[w.n].to = to;
	w.flying[w.n].n = n;
	memcpy(w.flying[w.n++].bytes, bytes, n);
	return true;
}

static inline struct rblk_kstate *module_of(unsigned int i)
{
	return fake_find(&w.f[i], "r0");
}

static inline bool is_primary(unsigned int i)
{
	return !w.dead[i] && module_of(i) &&
	       module_of(i)->resource.role == RBLK_ROLE_PRIMARY;
}

/* May complete what an application asks for, now. */
static inline bool serves(unsigned int i)
{
	return is_primary(i) && module_of(i)->resource.lease_until_ns / 1000000 >
				w.f[i].now_ms;
}

/* The link between the two modules: up where nothing is cut. */
static inline void join_modules(void)
{
	bool up = w.slow_tcp || (!w.dead[0] && !w.dead[1] && !w.cut[0][1] &&
				 !w.cut[1][0]);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct rblk_kstate *s = module_of(i), *other = module_of(1 - i);
		struct rblk_kpeer *p;

		if (w.dead[i] || !s || !s->peers_n)
			continue;
		p = &s->peers[0];
		p->repl = w.behind && !w.f[i].resyncs ? RBLK_REPL_BEHIND :
			  RBLK_REPL_UPTODATE;
		if (up && other)
			p->role = other->resource.role;
		if (p->conn != (up && other ? RBLK_CONN_UP : RBLK_CONN_DOWN))
			fake_conn(&w.f[i], "r0", p->node_id, up && other ?
				  RBLK_CONN_UP : RBLK_CONN_DOWN, "");
	}
}

static inline void run(uint64_t ms)
{
	unsigned int i;

	while (ms--) {
		for (i = 0; i < NODES; i++)
			w.f[i].now_ms++;
		join_modules();
		for (i = 0; i < NODES; i++)
			if (!w.dead[i] && w.f[i].wake_ms &&
			    w.f[i].now_ms >= w.f[i].wake_ms)
				rblk_engine_tick(&w.f[i].engine);
		while (w.n) {
			struct flying f = w.flying[0];

			memmove(&w.flying[0], &w.flying[1],
				--w.n * sizeof(w.flying[0]));
			if (!w.dead[f.to])
				rblk_engine_datagram(&w.f[f.to].engine, f.bytes,
						     f.n);
		}
		/* what it is all about */
		assert_false(serves(0) && serves(1));
	}
}

static inline void start_daemon(unsigned int i)
{
	struct rblk_genl_error err;

	/* a new process remembers nothing */
	rblk_cluster_stop(&w.f[i].engine.cluster);
	memset(&w.f[i].engine.cluster, 0, sizeof(w.f[i].engine.cluster));
	memset(w.f[i].engine.held, 0, sizeof(w.f[i].engine.held));
	assert_int_equal(rblk_engine_start(&w.f[i].engine, &err), 0);
}

/* As 'rblk create' does. */
static inline void create_register(unsigned int i)
{
	const struct rblk_arbiter_store first = {
		.record = { .version = 1, .primary = RBLK_ARBITER_NOBODY, .idle = true,
			    .insync = 3, .voters = 7, .voters_before = 7 },
	};
	struct rblk_ballot_place p = {
		.state_dir = w.f[i].dir, .outside_dir = w.f[i].instance_dir,
		.resource = "r0", .node = i,
	};
	struct rblk_ballot_store s;
	char why[512];

	memcpy(p.uuid, rblk_failover_find(&w.f[i].engine, "r0")->uuid,
	       sizeof(p.uuid));
	assert_true(rblk_ballot_create(&s, &p, &first, why, sizeof(why)));
	rblk_ballot_close(&s);
	fake_ask(&w.f[i], "{\"schema\":\"rblk.control/1\",\"verb\":\"reload\"}");
}

static inline void start(void)
{
	unsigned int i;

	memset(&w, 0, sizeof(w));
	for (i = 0; i < NODES; i++) {
		fake_init(&w.f[i], names[i], config);
		w.f[i].send = send_it;
		w.f[i].random = 77 * i;
		w.f[i].token = i << 20;
		start_daemon(i);
		assert_int_equal(fake_ask(&w.f[i], ASK("up", "")), 0);
	}
}

static inline void stop(void)
{
	unsigned int i;

	for (i = 0; i < NODES; i++)
		fake_exit(&w.f[i]);
}

static inline struct rblk_failover *failover(unsigned int i)
{
	return rblk_failover_find(&w.f[i].engine, "r0");
}

static inline void start_with_primary(void)
{
	unsigned int i;

	start();
	for (i = 0; i < NODES; i++)
		create_register(i);
	run(1000);
	for (i = 0; i < NODES; i++)
		assert_false(failover(i)->arbiter.mute);
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

#endif /* RBLK_FAILOVER_WORLD_H */

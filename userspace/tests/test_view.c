// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_view.c - what status prints, in words and in JSON
 */
#include "test.h"

#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rblk_kstate one;

static struct rblk_view healthy(void)
{
	struct rblk_view view = { .states = &one, .n = 1, .daemon_runs = true };
	struct rblk_kpeer *p = &one.peers[0];

	memset(&one, 0, sizeof(one));
	strcpy(one.name, "r0");
	one.resource = (struct rblk_kresource){
		.has = ~0ULL, .node_name = "alpha", .role = RBLK_ROLE_PRIMARY,
		.data = RBLK_DATA_CONSISTENT, .generation = 3, .seq = 1234,
	};
	one.volumes_n = 1;
	one.volumes[0] = (struct rblk_kvolume){
		.has = ~0ULL, .disk = "/dev/vdb", .size_bytes = 256 << 20,
		.openers = 1,
	};
	one.peers_n = 1;
	*p = (struct rblk_kpeer){
		.has = ~(RBLK_HAS(RBLK_PEER_REASON) |
			 RBLK_HAS(RBLK_PEER_RESYNC_DONE_BYTES) |
			 RBLK_HAS(RBLK_PEER_RESYNC_TOTAL_BYTES)),
		.node_id = 1, .node_name = "bravo", .protocol = 'C',
		.conn = RBLK_CONN_UP, .repl = RBLK_REPL_UPTODATE,
	};
	return view;
}

static void check_text(const struct rblk_view *view, const char *want)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	rblk_view_print(view, f);
	fclose(f);
	assert_string_equal(text, want);
	free(text);
}

static void all_is_well(void **state)
{
	struct rblk_view view = healthy();

	(void)state;
	check_text(&view,
		"r0  primary  generation 3  seq 1234\n"
		"  0   /dev/rblk0   /dev/vdb   256 MiB   ok   open 1\n"
		"  bravo  connected  backup  up to date  protocol C  lag 0\n");
	assert_int_equal(rblk_view_health(&one), RBLK_HEALTHY);
}

static void peer_is_gone(void **state)
{
	struct rblk_view view = healthy();
	json_t *links = json_pack("[{s:s,s:i,s:s,s:s,s:i}]", "resource", "r0",
				  "peer_id", 1, "state", "waiting", "reason",
				  "10.0.0.2:7790: Connection refused",
				  "retry_in_ms", 1234);

	(void)state;
	one.peers[0].conn = RBLK_CONN_DOWN;
	one.peers[0].repl = RBLK_REPL_BEHIND;
	one.peers[0].has &= ~RBLK_HAS(RBLK_PEER_ROLE);
	view.links = links;
	check_text(&view,
		"r0  primary  generation 3  seq 1234\n"
		"  0   /dev/rblk0   /dev/vdb   256 MiB   ok   open 1\n"
		"  bravo  down  behind  (10.0.0.2:7790: Connection refused)  next try in 1.2 s\n");
	assert_int_equal(rblk_view_health(&one), RBLK_DEGRADED);
	json_decref(links);
}

/* What rblkd answers to "failover" and "cluster". */
static const char failover_json[] =
"[{'resource':'r0','register':{'version':12,'generation':3,'primary':'alpha',"
" 'in_sync':['alpha','bravo'],'fenced':[],'voters':['alpha','bravo','eve']},"
" 'mute':null,'witness':false,'leads':true,'lease_left_ms':231,'waiting':null},"
" {'resource':'r1','register':{'version':3,'primary':null,'in_sync':[],"
" 'fenced':['bravo'],'voters':['alpha'],'term':1283},'mute':null,'witness':true,"
" 'confirmed':{'node':'bravo','left_ms':450},"
" 'lease_left_ms':null,'waiting':{'what':'the voters\\' answers','nodes':['bravo','eve']}},"
" {'resource':'r2','register':null,'mute':'its store is gone: do this','witness':true},"
" {'resource':7,'witness':true}, {'resource':'r3','register':'?','waiting':[1],'mute':2}, 5]";

static const char cluster_json[] =
"{'on':true,'interval_ms':100,'misses':3,'nodes':["
" {'id':1,'node':'bravo','state':'alive','paths':["
"  {'network':1,'works':true,'degraded':false,'rtt_us':312,'loss_permille':0},"
"  {'network':2,'works':true,'degraded':true,'rtt_us':null,'loss_permille':125}]},"
" {'id':2,'node':'eve','state':'failed','paths':[{'network':1,'works':false}]}, 3]}";

static json_t *load(const char *text)
{
	char *copy = strdup(text), *c;
	json_error_t err;
	json_t *o;

	for (c = copy; *c; c++)
		if (*c == '\\' && c[1] == '\'')
			memmove(c, c + 1, strlen(c));
		else if (*c == '\'')
			*c = '"';
	o = json_loads(copy, 0, &err);
	assert_non_null(o);
	free(copy);
	return o;
}

static void failover(void **state)
{
	struct rblk_view view = healthy();
	json_t *f = load(failover_json), *json;

	(void)state;
	view.failover = f;
	check_text(&view,
		"r0  primary  generation 3  seq 1234\n"
		"  0   /dev/rblk0   /dev/vdb   256 MiB   ok   open 1\n"
		"  bravo  connected  backup  up to date  protocol C  lag 0\n"
		"  register 12  primary alpha  in sync alpha, bravo  voters alpha, bravo, eve  lease 231 ms\n");
	assert_int_equal(rblk_view_worst(&view, &one), RBLK_HEALTHY);
	json = rblk_view_json(&view);
	assert_int_equal(json_array_size(json_object_get(json, "witness_of")), 3);
	assert_true(json_equal(json_array_get(f, 0), json_object_get(
		json_array_get(json_object_get(json, "resources"), 0), "failover")));
	assert_true(json_is_null(json_object_get(json, "heartbeats")));
	json_decref(json);
	/* of what it waits for, or that it does not vote, health tells */
	strcpy(one.name, "r1");
	assert_int_equal(rblk_view_worst(&view, &one), RBLK_DEGRADED);
	strcpy(one.name, "r2");
	assert_int_equal(rblk_view_worst(&view, &one), RBLK_DEGRADED);
	/* nonsense is not printed */
	strcpy(one.name, "r3");
	check_text(&view,
		"r3  primary  generation 3  seq 1234\n"
		"  0   /dev/rblk0   /dev/vdb   256 MiB   ok   open 1\n"
		"  bravo  connected  backup  up to date  protocol C  lag 0\n");
	json_decref(f);
}

static char *print_all(const struct rblk_view *view)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	rblk_view_print_witness(view, NULL, f);
	rblk_view_print_cluster(view, f);
	fclose(f);
	return text;
}

static void witness_and_heartbeats(void **state)
{
	json_t *f = load(failover_json), *c = load(cluster_json);
	struct rblk_view view = { .failover = f, .cluster = c };
	char *text = print_all(&view);

	(void)state;
	assert_string_equal(text,
		"r1  witness\n"
		"  register 3  primary nobody  in sync nobody  voters alpha  switched off bravo  term 1283  lease of bravo for 450 ms\n"
		"  waits: the voters' answers  for bravo, eve\n"
		"\n"
		"r2  witness\n"
		"  -> it does not vote: its store is gone: do this\n"
		"\n"
		"heartbeats  every 100 ms, failed after 3\n"
		"  bravo  alive  network 1: 0.31 ms, 0.0% lost  network 2: 12.5% lost, degraded\n"
		"  eve    failed  network 1: silent\n"
		"  ?      ?\n");
	free(text);
	assert_true(rblk_view_is_witness(&view, "r1"));
	assert_false(rblk_view_is_witness(&view, "r0"));
	assert_false(rblk_view_is_witness(&view, "r9"));
	assert_int_equal(rblk_view_worst_witness(&view, NULL), RBLK_DEGRADED);
	assert_int_equal(rblk_view_worst_witness(&view, "r2"), RBLK_DEGRADED);
	assert_int_equal(rblk_view_worst_witness(&view, "r0"), RBLK_HEALTHY);
	json_object_set_new(c, "on", json_false());
	json_decref(f);
	view.failover = NULL;
	text = print_all(&view);
	assert_string_equal(text, "");
	free(text);
	json_decref(c);
}

static void history(void **state)
{
	json_t *o = load(
		"{'resource':'r0','kind':'failover','register_generation':7,'from':'alpha',"
		"'to':'bravo','reason':'alpha failed','detected_ms':1764409263100,"
		"'decided_ms':1764409263103,'fenced_ms':null,'chosen_ms':1764409263115,"
		"'promoted_ms':1764409263131,'first_write_ms':1764409264140,'given_up_ms':null}");
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	rblk_view_print_record(o, f);
	json_decref(o);
	o = load("{'resource':'r0','kind':'promotion','register_generation':0,'from':null,"
		 "'to':'bravo','reason':'nobody was primary','decided_ms':1764409263103,"
		 "'given_up_ms':1764409270103}");
	rblk_view_print_record(o, f);
	json_decref(o);
	o = load("{}");
	rblk_view_print_record(o, f);
	json_decref(o);
	fclose(f);
	assert_string_equal(text,
		"r0  2025-11-29 09:41:03 UTC  failover  alpha -> bravo  register's generation 7\n"
		"    alpha failed\n"
		"    detected, decided +0.003 s, chosen +0.015 s, promoted +0.031 s, first write +1.040 s\n"
		"r0  2025-11-29 09:41:03 UTC  promotion  bravo  not done\n"
		"    nobody was primary\n"
		"    decided, given up +7.000 s\n"
		"  ?    \n"
		"    \n");
	free(text);
}

static void what_to_do(void **state)
{
	struct rblk_view view = healthy();
	struct rblk_advice a;

	(void)state;
	one.resource.suspended = 1;
	one.volumes[0].disk_state = RBLK_DISK_FAILED;
	one.peers[0].repl = RBLK_REPL_BEHIND;
	rblk_view_advise(&view, &one, &a);
	assert_int_equal(a.n, 3);
	assert_non_null(strstr(a.text[0], "a disk failed"));
	assert_non_null(strstr(a.text[1], "'rblk resume r0'"));
	assert_non_null(strstr(a.text[2], "'rblk resync --full r0 bravo'"));
	assert_int_equal(rblk_view_health(&one), RBLK_FAILED);

	view = healthy();
	one.resource.role = RBLK_ROLE_BACKUP;
	one.resource.data = RBLK_DATA_NEW;
	rblk_view_advise(&view, &one, &a);
	assert_int_equal(a.n, 1);
	assert_non_null(strstr(a.text[0], "'rblk promote --assume-clean r0'"));

	/* who is not connected may be the primary: no advice to promote */
	one.peers[0].conn = RBLK_CONN_DOWN;
	view.daemon_runs = false;
	rblk_view_advise(&view, &one, &a);
	assert_int_equal(a.n, 1);
	assert_non_null(strstr(a.text[0], "rblkd is not running"));
}

static void resync_progress(void **state)
{
	struct rblk_view view = healthy();

	(void)state;
	one.peers[0].repl = RBLK_REPL_RESYNC;
	one.peers[0].has = ~0ULL;
	one.peers[0].resync_done_bytes = 64 << 20;
	one.peers[0].resync_total_bytes = 256 << 20;
	one.peers[0].lacks_bytes = 192 << 20;
	one.peers[0].resync_rate = 2 << 20;
	check_text(&view,
		"r0  primary  generation 3  seq 1234\n"
		"  0   /dev/rblk0   /dev/vdb   256 MiB   ok   open 1\n"
		"  bravo  connected  backup  resync  64 MiB of 256 MiB (25.0%), 192 MiB left, 2 MiB/s, 0:01:36 to go  protocol C  lag 0\n");
	one.peers[0].resync_paused = 1;
	check_text(&view,
		"r0  primary  generation 3  seq 1234\n"
		"  0   /dev/rblk0   /dev/vdb   256 MiB   ok   open 1\n"
		"  bravo  connected  backup  resync  64 MiB of 256 MiB (25.0%), 192 MiB left, paused  protocol C  lag 0\n"
		"  -> the resync to bravo is paused: 'rblk resync --resume r0 bravo'\n");
	one.peers[0].resync_paused = 0;
	one.peers[0].resync_rate = 0;
	check_text(&view,
		"r0  primary  generation 3  seq 1234\n"
		"  0   /dev/rblk0   /dev/vdb   256 MiB   ok   open 1\n"
		"  bravo  connected  backup  resync  64 MiB of 256 MiB (25.0%), 192 MiB left  protocol C  lag 0\n");
	assert_int_equal(rblk_view_health(&one), RBLK_DEGRADED);
}

/* What a primary may do, and what it waits for, in one line. */
static void primary_with_a_lease(void **state)
{
	struct rblk_view view = healthy();
	json_t *json, *r;

	(void)state;
	one.resource.leased = 1;
	one.resource.in_sync = 1U << one.resource.node_id |
			       1U << one.peers[0].node_id;
	one.resource.held = 2;
	one.resource.held_by = RBLK_HELD_BY_LEASE;
	one.resource.has |= RBLK_HAS(RBLK_RES_HELD_BY) |
			    RBLK_HAS(RBLK_RES_LEASED) |
			    RBLK_HAS(RBLK_RES_IN_SYNC);
	check_text(&view,
		"r0  primary  generation 3  seq 1234  held 2 (lease)  no lease  in sync alpha bravo\n"
		"  0   /dev/rblk0   /dev/vdb   256 MiB   ok   open 1\n"
		"  bravo  connected  backup  up to date  protocol C  lag 0\n");
	json = rblk_view_json(&view);
	r = json_array_get(json_object_get(json, "resources"), 0);
	assert_int_equal(json_array_size(json_object_get(r, "in_sync")), 2);
	assert_true(json_is_true(json_object_get(r, "leased")));
	json_decref(json);
}

/* Every key is there whatever is known; unknown is null; keys have units. */
static void json_shape(void **state)
{
	static const char *const resource_keys[] = {
		"name", "node_id", "node", "uuid", "role", "data", "suspended",
		"generation", "seq", "seq_generation", "acks", "log_bytes",
		"log_ops", "log_used_bytes", "log_used_ops", "held_requests",
		"held_by", "in_flight_ops", "openers", "read_from_backup",
		"data_crc", "zero_detect", "on_disk_error", "disk_timeout_ms", "leased",
		"lease_until_ns", "lease_error", "in_sync", "min_in_sync",
		"min_in_sync_error", "first_write_ns", "received_seq", "health", "volumes",
		"peers", "latency", "failover", "advice",
	};
	static const char *const peer_keys[] = {
		"node_id", "node", "protocol", "connection", "reason", "role",
		"replication", "sent_seq", "received_seq", "applied_seq",
		"durable_seq", "lag_ops", "lag_bytes", "lag_ms", "sent_bytes",
		"received_bytes", "resync_done_bytes", "resync_total_bytes",
		"resync_bytes_per_second", "resync_left_seconds",
		"resync_paused", "lacks_bytes", "undurable_bytes",
		"fork_seq", "fork_generation",
		"fork_mine_ops", "fork_theirs_ops", "fork_mine_since_s",
		"fork_theirs_since_s", "memory_bytes", "link",
	};
	struct rblk_view view = healthy();
	json_t *json, *r, *p;
	size_t i;

	(void)state;
	one.resource.has &= ~RBLK_HAS(RBLK_RES_SEQ);
	json = rblk_view_json(&view);
	assert_string_equal(json_string_value(json_object_get(json, "schema")),
			    "rblk.status/1");
	r = json_array_get(json_object_get(json, "resources"), 0);
	assert_int_equal(json_object_size(r),
			 sizeof(resource_keys) / sizeof(resource_keys[0]));
	for (i = 0; i < sizeof(resource_keys) / sizeof(resource_keys[0]); i++)
		assert_non_null(json_object_get(r, resource_keys[i]));
	assert_true(json_is_null(json_object_get(r, "seq")));
	assert_string_equal(json_string_value(json_object_get(r, "acks")),
			    "all");
	assert_string_equal(json_string_value(json_object_get(r, "health")),
			    "healthy");
	p = json_array_get(json_object_get(r, "peers"), 0);
	assert_int_equal(json_object_size(p),
			 sizeof(peer_keys) / sizeof(peer_keys[0]));
	for (i = 0; i < sizeof(peer_keys) / sizeof(peer_keys[0]); i++)
		assert_non_null(json_object_get(p, peer_keys[i]));
	assert_string_equal(json_string_value(json_object_get(p,
						"replication")), "uptodate");
	assert_true(json_is_null(json_object_get(p, "resync_done_bytes")));
	assert_true(json_is_null(json_object_get(r, "latency")));
	p = json_array_get(json_object_get(r, "volumes"), 0);
	assert_int_equal(json_integer_value(json_object_get(p, "size_bytes")),
			 256 << 20);
	json_decref(json);
}

static void json_latency(void **state)
{
	struct rblk_view view = healthy();
	json_t *json, *l;

	(void)state;
	one.has_latency = true;
	one.latency[RBLK_LAT_LOCAL][11] = 100;
	json = rblk_view_json(&view);
	l = json_object_get(json_array_get(json_object_get(json, "resources"),
					   0), "latency");
	assert_int_equal(json_integer_value(json_object_get(
			 json_object_get(l, "local"), "count")), 100);
	assert_true(json_real_value(json_object_get(
		    json_object_get(l, "local"), "p50_us")) == 1.536);
	assert_true(json_is_null(json_object_get(
		    json_object_get(l, "applied"), "p99_us")));
	json_decref(json);
	one.has_latency = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(peer_is_gone),
		cmocka_unit_test(failover),
		cmocka_unit_test(witness_and_heartbeats),
		cmocka_unit_test(history),
		cmocka_unit_test(what_to_do),
		cmocka_unit_test(resync_progress),
		cmocka_unit_test(primary_with_a_lease),
		cmocka_unit_test(json_shape),
		cmocka_unit_test(json_latency),
	};

	return RUN(tests);
}

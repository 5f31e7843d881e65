// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_top.c - rates between two looks
 */
#include "test.h"

#include "top.h"

#include <stdlib.h>
#include <string.h>

static struct rblk_kstate before, now;
static struct rblk_top top;

static void two_looks(void)
{
	before = (struct rblk_kstate){
		.name = "r0", .volumes_n = 1, .peers_n = 1,
		.resource = { .has = ~0ULL, .role = RBLK_ROLE_PRIMARY,
			      .log_ops = 8192, .log_bytes = 64 << 20 },
		.volumes = { { .has = ~0ULL, .write_ops = 100,
			       .write_bytes = 409600 } },
		.peers = { { .has = ~0ULL, .node_id = 1, .node_name = "bravo",
			     .protocol = 'C', .conn = RBLK_CONN_UP,
			     .applied_seq = 100, .sent_bytes = 1000 } },
		.has_latency = true,
	};
	before.latency[RBLK_LAT_LOCAL][11] = 100;
	now = before;
	now.volumes[0].write_ops += 200;
	now.volumes[0].write_bytes += 200 * 4096;
	now.peers[0].applied_seq += 190;
	now.peers[0].sent_bytes += 2 << 20;
	now.peers[0].lag_ops = 10;
	now.peers[0].lag_bytes = 40960;
	now.peers[0].lag_ms = 1500;
	now.latency[RBLK_LAT_LOCAL][21] += 200;
}

static void rates(void **state)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	two_looks();
	rblk_top_compare(&top, &before, &now, 2);
	rblk_top_print(&top, f);
	fclose(f);
	assert_string_equal(text,
		"r0  primary  write 100/s 400 KiB/s  read 0/s 0 B/s  flush 0/s  in flight 0  log 0 of 8192 ops, 0 B of 64 MiB\n"
		"  p50/p99  local 1.6ms/2.1ms  sent -/-  received -/-  applied -/-  complete -/-\n"
		"  bravo  connected  protocol C  applied 95/s  sent 1 MiB/s  received 0 B/s  lag 10 ops, 40 KiB, 1.5 s\n");
	free(text);
}

static void as_json(void **state)
{
	json_t *json, *peer;

	(void)state;
	two_looks();
	rblk_top_compare(&top, &before, &now, 2);
	json = rblk_top_json(&top);
	assert_true(json_real_value(json_object_get(json, "write_ops_per_s")) ==
		    100);
	peer = json_array_get(json_object_get(json, "peers"), 0);
	assert_true(json_real_value(json_object_get(peer,
						"applied_ops_per_s")) == 95);
	assert_int_equal(json_integer_value(json_object_get(peer, "lag_ms")),
			 1500);
	json_decref(json);
}

/* Taken down and brought up between the looks: it counts from 0 again. */
static void made_anew(void **state)
{
	(void)state;
	two_looks();
	rblk_top_compare(&top, &now, &before, 2);
	assert_true(top.volumes.write_ops == 0);
	assert_true(top.peers[0].applied_ops == 0);
	rblk_top_compare(&top, NULL, &now, 2);
	assert_true(top.volumes.write_ops == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(as_json),
		cmocka_unit_test(made_anew),
	};

	return RUN(tests);
}

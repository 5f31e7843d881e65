// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_cluster.c - datagrams between two nodes, and from others
 */
#include "test.h"

#include "cluster.h"
#include "log.h"
#include "text.h"

#include <string.h>

#define KEY		"a key of at least thirty-two bytes, as it must be"
#define MAX_FLYING	64

struct flying {
	uint8_t to;
	unsigned int path;
	size_t n;
	uint8_t bytes[RBLK_BEAT_MAX_BYTES];
};

/* Two nodes and the networks between them. */
struct world {
	struct rblk_config config;
	struct rblk_cluster c[2];
	bool on;
	uint64_t now_us;
	uint64_t token;
	struct flying flying[MAX_FLYING];
	size_t n;
	uint8_t lost_paths;		/* datagrams there get lost */
	struct flying kept[MAX_FLYING];	/* what somebody recorded */
	size_t kept_n;
	unsigned int told;
	uint64_t held;
	unsigned int met;
	struct rblk_beat_body last;
};

struct end {
	struct world *w;
	uint8_t self;
};

static struct end ends[2];

static uint64_t now_us(void *ctx)
{
	return ((struct end *)ctx)->w->now_us;
}

static uint64_t random_token(void *ctx)
{
	return ++((struct end *)ctx)->w->token * 0x9e3779b97f4a7c15;
}

static bool send_it(void *ctx, uint8_t node, unsigned int path,
		    const uint8_t *bytes, size_t n)
{
	struct world *w = ((struct end *)ctx)->w;
	struct flying *f = &w->flying[w->n];

	if (w->lost_paths & (1U << path) || w->n == MAX_FLYING)
		return true;
	w->n++;
	f->to = node;
	f->path = path;
	f->n = n;
	assert_true(n <= sizeof(f->bytes));
	memcpy(f->bytes, bytes, n);
	if (w->kept_n < MAX_FLYING)
		w->kept[w->kept_n++] = *f;
	return true;
}

static void told(void *ctx, uint8_t node, const struct rblk_beat_body *body)
{
	struct world *w = ((struct end *)ctx)->w;

	assert_int_equal(node, 1 - ((struct end *)ctx)->self);
	if (body->type == RBLK_BEAT_HELD) {
		w->held = body->held;
		return;
	}
	w->told++;
	w->last = *body;
}

static void met(void *ctx, uint8_t node)
{
	(void)node;
	((struct end *)ctx)->w->met++;
}

static uint64_t held(void *ctx, uint8_t node)
{
	(void)ctx;
	return 4711 + node;
}

static const struct rblk_cluster_ops ops = {
	.now_us = now_us, .random = random_token, .send = send_it, .told = told,
	.met = met, .held = held,
};

static void start_node(struct world *w, uint8_t self, const char *key)
{
	struct rblk_cluster *c = &w->c[self];

	ends[self] = (struct end){ w, self };
	rblk_cluster_stop(c);
	*c = (struct rblk_cluster){ .ops = &ops, .ctx = &ends[self] };
	rblk_cluster_configure(c, &w->config, &w->config.nodes[self],
			       (const unsigned char *)key, strlen(key), w->on);
}

static void start(struct world *w)
{
	unsigned int i;

	memset(w, 0, sizeof(*w));
	w->now_us = 1000000000;
	rblk_text_copy(w->config.cluster, sizeof(w->config.cluster), "demo");
	w->config.beat_ms = 1000;
	w->config.beat_misses = 3;
	w->config.nodes_n = 2;
	w->on = true;
	for (i = 0; i < 2; i++) {
		w->config.nodes[i].id = i;
		w->config.nodes[i].address2 = "there is one";
		rblk_text_copy(w->config.nodes[i].name, RBLK_NAME_SIZE,
			       i ? "bravo" : "alpha");
	}
	start_node(w, 0, KEY);
	start_node(w, 1, KEY);
}

static void stop(struct world *w)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		rblk_cluster_stop(&w->c[i]);
}

/* What flies takes 2 ms. */
static void deliver(struct world *w)
{
	while (w->n) {
		struct flying f = w->flying[0];

		memmove(&w->flying[0], &w->flying[1],
			--w->n * sizeof(w->flying[0]));
		w->now_us += 2000;
		rblk_cluster_receive(&w->c[f.to], f.bytes, f.n);
	}
}

static void run_beats(struct world *w, unsigned int beats, uint8_t who)
{
	while (beats--) {
		if (who & 1)
			rblk_cluster_tick(&w->c[0]);
		if (who & 2)
			rblk_cluster_tick(&w->c[1]);
		deliver(w);
		w->now_us += 1000000;
	}
}

static void two_nodes_meet(void **state)
{
	static struct world w;
	struct rblk_detector_health h;
	unsigned int path;

	(void)state;
	start(&w);
	assert_int_equal(rblk_cluster_state(&w.c[0], 1), RBLK_DETECTOR_UNKNOWN);
	run_beats(&w, 6, 3);
	assert_int_equal(rblk_cluster_state(&w.c[0], 1), RBLK_DETECTOR_ALIVE);
	assert_int_equal(rblk_cluster_state(&w.c[1], 0), RBLK_DETECTOR_ALIVE);
	assert_int_equal(w.met, 2);
	for (path = 0; path < 2; path++) {
		rblk_detector_health(&w.c[0].detector, 1, path, w.now_us, &h);
		assert_true(h.works);
		assert_in_range(h.rtt_us, 1000, 100000);
		assert_int_equal(h.loss_permille, 0);
	}
	stop(&w);
}

static void silence_is_failure(void **state)
{
	static struct world w;

	(void)state;
	start(&w);
	run_beats(&w, 6, 3);
	run_beats(&w, 5, 1);
	assert_int_equal(rblk_cluster_state(&w.c[0], 1), RBLK_DETECTOR_FAILED);
	run_beats(&w, 4, 3);
	assert_int_equal(rblk_cluster_state(&w.c[0], 1), RBLK_DETECTOR_ALIVE);
	/* one network is enough */
	w.lost_paths = 1;
	run_beats(&w, 8, 3);
	assert_int_equal(rblk_cluster_state(&w.c[0], 1), RBLK_DETECTOR_ALIVE);
	w.lost_paths = 3;
	run_beats(&w, 8, 3);
	assert_int_equal(rblk_cluster_state(&w.c[0], 1), RBLK_DETECTOR_FAILED);
	stop(&w);
}

/* Others wait for what this node says of it: they hear at once, not with the next beat. */
static void loss_is_told_at_once(void **state)
{
	static struct world w;
	unsigned int beats = 0;
	uint64_t wake;

	(void)state;
	start(&w);
	run_beats(&w, 6, 3);
	/* its own beats go on; that it lost the other falls between two of them */
	while ((wake = rblk_cluster_tick(&w.c[0])) == w.c[0].beat_us) {
		assert_in_range(++beats, 1, 5);
		w.now_us = wake;
	}
	w.n = 0;
	w.now_us = wake;
	assert_int_equal(rblk_cluster_state(&w.c[0], 1), RBLK_DETECTOR_FAILED);
	rblk_cluster_tick(&w.c[0]);
	assert_int_equal(w.n, 2);		/* one per network */
	w.n = 0;
	w.now_us += 1000;
	rblk_cluster_tick(&w.c[0]);
	assert_int_equal(w.n, 0);
	stop(&w);
}

static uint64_t dropped(const struct rblk_cluster *c)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < __RBLK_CLUSTER_DROPS; i++)
		n += c->dropped[i];
	return n;
}

/* Each bit of a datagram counts, and each byte of its length. */
static void changed_is_dropped(void **state)
{
	static struct world w;
	uint8_t bytes[RBLK_BEAT_MAX_BYTES + 1];
	struct flying f;
	uint64_t before;
	size_t i;

	(void)state;
	start(&w);
	run_beats(&w, 6, 3);
	w.n = 0;
	rblk_cluster_tick(&w.c[0]);
	assert_true(w.n > 0);
	f = w.flying[0];
	w.n = 0;
	before = dropped(&w.c[1]);
	for (i = 0; i < f.n * 8; i++) {
		f.bytes[i / 8] ^= 1 << i % 8;
		rblk_cluster_receive(&w.c[1], f.bytes, f.n);
		f.bytes[i / 8] ^= 1 << i % 8;
	}
	assert_int_equal(w.c[1].dropped[RBLK_CLUSTER_FORGED], f.n * 8);
	for (i = 0; i < f.n; i++)
		rblk_cluster_receive(&w.c[1], f.bytes, i);
	assert_true(w.c[1].dropped[RBLK_CLUSTER_TRUNCATED] > 0);
	assert_int_equal(dropped(&w.c[1]), before + f.n * 9);
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, f.bytes, f.n);
	rblk_cluster_receive(&w.c[1], bytes, sizeof(bytes));
	assert_int_equal(w.c[1].dropped[RBLK_CLUSTER_OVERSIZED], 1);
	/* and as it was, it is taken: once */
	before = dropped(&w.c[1]);
	rblk_cluster_receive(&w.c[1], f.bytes, f.n);
	assert_int_equal(dropped(&w.c[1]), before);
	rblk_cluster_receive(&w.c[1], f.bytes, f.n);
	assert_int_equal(dropped(&w.c[1]), before + 1);
	assert_int_equal(w.n, 0);
	stop(&w);
}

static void other_key_is_forged(void **state)
{
	static struct world w;

	(void)state;
	start(&w);
	start_node(&w, 1, KEY " but not this");
	run_beats(&w, 8, 3);
	assert_int_equal(rblk_cluster_state(&w.c[0], 1), RBLK_DETECTOR_FAILED);
	assert_true(w.c[0].dropped[RBLK_CLUSTER_FORGED] > 0);
	assert_int_equal(w.met, 0);
	stop(&w);
}

/* All that was ever sent, played to a node that has started since. */
static void recorded_means_nothing(void **state)
{
	static struct world w;
	unsigned int said, i;

	(void)state;
	start(&w);
	run_beats(&w, 4, 3);
	for (i = 0; i < 4; i++) {
		rblk_cluster_put(&w.c[0], 1, &(struct rblk_beat_body){
			.type = RBLK_BEAT_HANDOVER, .handover = { .what = 1 } });
		rblk_cluster_flush(&w.c[0]);
		deliver(&w);
	}
	/* on two networks, taken once */
	assert_int_equal(w.told, 4);
	assert_int_equal(w.last.type, RBLK_BEAT_HANDOVER);
	said = w.told;
	start_node(&w, 1, KEY);
	for (i = 0; i < w.kept_n; i++)
		if (w.kept[i].to == 1)
			rblk_cluster_receive(&w.c[1], w.kept[i].bytes,
					     w.kept[i].n);
	assert_int_equal(w.told, said);
	assert_int_not_equal(rblk_cluster_state(&w.c[1], 0),
			     RBLK_DETECTOR_ALIVE);
	/* a few answers, not one each */
	assert_in_range(w.n, 1, 8);
	w.n = 0;
	run_beats(&w, 6, 3);
	assert_int_equal(rblk_cluster_state(&w.c[1], 0), RBLK_DETECTOR_ALIVE);
	assert_int_equal(rblk_cluster_state(&w.c[0], 1), RBLK_DETECTOR_ALIVE);
	stop(&w);
}

static void many_bodies_many_datagrams(void **state)
{
	static struct world w;
	struct rblk_beat_body body = { .type = RBLK_BEAT_RESOURCE };
	unsigned int i;

	(void)state;
	start(&w);
	run_beats(&w, 4, 3);
	w.told = 0;
	for (i = 0; i < 100; i++) {
		body.uuid[0] = i;
		rblk_cluster_put(&w.c[0], 1, &body);
	}
	rblk_cluster_flush(&w.c[0]);
	deliver(&w);
	assert_int_equal(w.told, 100);
	assert_int_equal(w.last.uuid[0], 99);
	/* nobody is there: nothing happens */
	rblk_cluster_put(&w.c[0], 5, &body);
	rblk_cluster_flush(&w.c[0]);
	assert_int_equal(w.n, 0);
	stop(&w);
}

static void manual_is_silent(void **state)
{
	static struct world w;

	(void)state;
	start(&w);
	w.on = false;
	start_node(&w, 0, KEY);
	assert_int_equal(rblk_cluster_tick(&w.c[0]), UINT64_MAX);
	assert_int_equal(w.n, 0);
	run_beats(&w, 2, 2);
	assert_true(w.c[0].dropped[RBLK_CLUSTER_STRANGER] > 0);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_nodes_meet),
		cmocka_unit_test(silence_is_failure),
		cmocka_unit_test(loss_is_told_at_once),
		cmocka_unit_test(changed_is_dropped),
		cmocka_unit_test(other_key_is_forged),
		cmocka_unit_test(recorded_means_nothing),
		cmocka_unit_test(many_bodies_many_datagrams),
		cmocka_unit_test(manual_is_silent),
	};

	rblk_log_init(RBLK_LOG_ERROR, 0);
	return RUN(tests);
}

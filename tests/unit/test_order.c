// SPDX-License-Identifier: GPL-2.0-or-later
/* The window of received operations, against an array of flags. */
#include "cmocka_all.h"
#include "order.h"
#include "prng.h"

#define STEPS	20000

struct window {
	struct rblk_order order;
	unsigned long *done;
};

static void start(struct window *win, u32 window, u64 seq)
{
	size_t bytes = BITS_TO_LONGS(window) * sizeof(long);

	win->done = malloc(bytes);
	memset(win->done, 0xff, bytes);
	rblk_order_init(&win->order, win->done, window, seq);
}

static void test_receive_in_order_only(void **state)
{
	struct window win;

	(void)state;
	start(&win, 8, 100);
	assert_int_equal(rblk_order_receive(&win.order, 100, 0), -EINVAL);
	assert_int_equal(rblk_order_receive(&win.order, 102, 0), -EINVAL);
	assert_int_equal(rblk_order_receive(&win.order, 0, 0), -EINVAL);
	assert_int_equal(rblk_order_receive(&win.order, 101, 101), -EINVAL);
	assert_int_equal(rblk_order_receive(&win.order, 101, U64_MAX), -EINVAL);
	assert_int_equal(win.order.received, 100);
	assert_int_equal(rblk_order_receive(&win.order, 101, 100), 0);
	assert_int_equal(rblk_order_receive(&win.order, 101, 100), -EINVAL);
	assert_int_equal(rblk_order_receive(&win.order, 102, 0), 0);
	assert_int_equal(win.order.received, 102);
	assert_int_equal(win.order.applied, 100);
	free(win.done);
}

static void test_window_full(void **state)
{
	u32 window;

	(void)state;
	for (window = 1; window <= 256; window *= 2) {
		struct window win;
		u64 seq;

		start(&win, window, 5);
		for (seq = 6; seq < 6 + window; seq++)
			assert_int_equal(rblk_order_receive(&win.order, seq, 5), 0);
		assert_int_equal(rblk_order_receive(&win.order, seq, 5), -ENOSPC);
		assert_int_equal(win.order.received, seq - 1);
		if (window > 1) {
			assert_false(rblk_order_applied(&win.order, 7));
			assert_int_equal(rblk_order_receive(&win.order, seq, 5),
					 -ENOSPC);
		}
		assert_true(rblk_order_applied(&win.order, 6));
		assert_int_equal(win.order.applied, window > 1 ? 7 : 6);
		assert_int_equal(rblk_order_receive(&win.order, seq, 5), 0);
		free(win.done);
	}
}

static void test_applied_ignores_nonsense(void **state)
{
	struct rblk_seq_range range;
	struct window win;
	u64 seq;

	(void)state;
	start(&win, 4, 10);
	assert_int_equal(rblk_order_receive(&win.order, 11, 0), 0);
	assert_int_equal(rblk_order_receive(&win.order, 12, 0), 0);
	assert_false(rblk_order_applied(&win.order, 10));
	assert_false(rblk_order_applied(&win.order, 13));
	assert_false(rblk_order_applied(&win.order, 0));
	assert_false(rblk_order_applied(&win.order, U64_MAX));
	assert_false(rblk_order_applied(&win.order, 12));
	assert_false(rblk_order_applied(&win.order, 12));
	assert_int_equal(win.order.applied, 10);
	assert_true(rblk_order_applied(&win.order, 11));
	assert_int_equal(win.order.applied, 12);
	assert_false(rblk_order_applied(&win.order, 12));
	assert_int_equal(win.order.applied, 12);

	/* Nor does it leave a mark that a later operation would find. */
	assert_false(rblk_order_applied(&win.order, 13));
	for (seq = 13; seq <= 16; seq++)
		assert_int_equal(rblk_order_receive(&win.order, seq, 0), 0);
	assert_int_equal(rblk_order_selective(&win.order, &range, 1), 0);
	assert_true(rblk_order_applied(&win.order, 13));
	assert_int_equal(win.order.applied, 13);
	free(win.done);
}

static void test_may_start_needs_all_below(void **state)
{
	struct window win;

	(void)state;
	start(&win, 8, 0);
	assert_true(rblk_order_may_start(&win.order, 0));
	assert_false(rblk_order_may_start(&win.order, 1));
	assert_int_equal(rblk_order_receive(&win.order, 1, 0), 0);
	assert_int_equal(rblk_order_receive(&win.order, 2, 0), 0);
	assert_int_equal(rblk_order_receive(&win.order, 3, 2), 0);
	rblk_order_applied(&win.order, 2);
	assert_false(rblk_order_may_start(&win.order, 2));
	rblk_order_applied(&win.order, 1);
	assert_true(rblk_order_may_start(&win.order, 2));
	free(win.done);
}

static void test_end_of_numbers(void **state)
{
	struct window win;
	struct rblk_seq_range range[4];

	(void)state;
	start(&win, 4, U64_MAX - 3);
	assert_int_equal(rblk_order_receive(&win.order, U64_MAX - 2, 0), 0);
	assert_int_equal(rblk_order_receive(&win.order, U64_MAX - 1, 0), 0);
	assert_int_equal(rblk_order_receive(&win.order, U64_MAX, 0), -EINVAL);
	assert_false(rblk_order_applied(&win.order, U64_MAX - 1));
	assert_int_equal(rblk_order_selective(&win.order, range, 4), 1);
	assert_true(range[0].first == U64_MAX - 1);
	assert_true(range[0].last == U64_MAX - 1);
	assert_true(rblk_order_applied(&win.order, U64_MAX - 2));
	assert_true(win.order.applied == U64_MAX - 1);
	free(win.done);
}

/* The model: flags by seq - base, of everything ever received. */
struct model {
	bool done[STEPS + 1];
	u64 base, received, applied;
};

static bool model_all_done(const struct model *model, u64 last)
{
	u64 seq;

	for (seq = model->applied + 1; seq <= last; seq++) {
		if (seq > model->received || !model->done[seq - model->base])
			return false;
	}
	return true;
}

static u32 model_ranges(const struct model *model, struct rblk_seq_range *range,
			u32 max)
{
	bool inside = false;
	u32 nr = 0;
	u64 seq;

	for (seq = model->applied + 1; seq <= model->received; seq++) {
		bool done = model->done[seq - model->base];

		if (done && !inside && nr == max)
			break;
		if (done && !inside)
			range[nr++].first = seq;
		if (done)
			range[nr - 1].last = seq;
		inside = done;
	}
	return nr;
}

static void compare(const struct window *win, const struct model *model, u64 *rnd)
{
	struct rblk_seq_range want[40], got[40];
	u32 max = prng_below(rnd, 8) ? prng_below(rnd, 40) : 0;
	u32 nr = model_ranges(model, want, max);
	u64 dep = model->applied + prng_below(rnd, 5) - 2;

	assert_true(win->order.received == model->received);
	assert_true(win->order.applied == model->applied);
	memset(got, 0xee, sizeof(got));
	assert_int_equal(rblk_order_selective(&win->order, got, max), nr);
	assert_memory_equal(got, want, nr * sizeof(want[0]));
	if (dep <= model->received)
		assert_int_equal(rblk_order_may_start(&win->order, dep),
				 model_all_done(model, dep));
}

static void model_apply(struct window *win, struct model *model, u64 seq)
{
	u64 before = model->applied;

	model->done[seq - model->base] = true;
	while (model->applied < model->received &&
	       model->done[model->applied + 1 - model->base])
		model->applied++;
	assert_int_equal(rblk_order_applied(&win->order, seq),
			 model->applied != before);
}

static void model_apply_nonsense(struct window *win, const struct model *model,
				 u64 *rnd)
{
	u64 off = prng_below(rnd, 2ULL * win->order.window);

	assert_false(rblk_order_applied(&win->order, model->applied - off));
	assert_false(rblk_order_applied(&win->order, model->received + 1 + off));
}

static void run_random(u64 seed, u32 window, u64 base, u32 pressure)
{
	struct model *model = calloc(1, sizeof(*model));
	struct window win;
	u64 rnd = seed;
	u32 step;

	start(&win, window, base);
	model->base = model->received = model->applied = base;
	for (step = 0; step < STEPS / 4; step++) {
		u64 in_flight = model->received - model->applied;

		if (prng_below(&rnd, 100) < pressure) {
			u64 seq = model->received + 1;
			u64 dep = seq - 1 - prng_below(&rnd, min(seq, 2ULL * window));
			int want = in_flight == window ? -ENOSPC : 0;

			assert_int_equal(rblk_order_receive(&win.order, seq, dep),
					 want);
			if (!want)
				model->received = seq;
		} else if (in_flight) {
			bool oldest = prng_below(&rnd, 3) == 0;

			model_apply(&win, model, model->applied + 1 +
				    (oldest ? 0 : prng_below(&rnd, in_flight)));
		}
		if (prng_below(&rnd, 4) == 0)
			model_apply_nonsense(&win, model, &rnd);
		compare(&win, model, &rnd);
	}
	assert_true(model->applied > base + window);
	free(win.done);
	free(model);
}

static void test_random_against_flags(void **state)
{
	static const u64 bases[] = { 0, 1, 63, 4095, 1ULL << 32,
				     U64_MAX - 2 * STEPS };
	u32 window, i;

	(void)state;
	for (window = 1; window <= 512; window *= 2) {
		for (i = 0; i < ARRAY_SIZE(bases); i++) {
			run_random(i + 1, window, bases[i], 50);
			run_random(i + 7, window, bases[i], 75);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receive_in_order_only),
		cmocka_unit_test(test_window_full),
		cmocka_unit_test(test_applied_ignores_nonsense),
		cmocka_unit_test(test_may_start_needs_all_below),
		cmocka_unit_test(test_end_of_numbers),
		cmocka_unit_test(test_random_against_flags),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}

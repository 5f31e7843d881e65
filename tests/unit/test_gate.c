// SPDX-License-Identifier: GPL-2.0-or-later
/* What may come in and what may end, against the words of the contract. */
#include "cmocka_all.h"
#include "gate.h"

#define NOW	1000

typedef void each_fn(const struct rblk_gate *gate);

static void for_each_gate(each_fn *each)
{
	static const u64 leases[] = { 0, 1, NOW - 1, NOW, NOW + 1 };
	u32 bits, i;

	for (bits = 0; bits < 1U << 10; bits++)
		for (i = 0; i < ARRAY_SIZE(leases); i++) {
			struct rblk_gate gate = {
				.primary = bits & 1,
				.settling = bits & 2,
				.suspended = bits & 4,
				.draining = bits & 8,
				.forced = bits & 16,
				.dead = bits & 32,
				.too_few = bits & 64,
				.too_few_error = bits & 128,
				.leased = bits & 256,
				.lease_error = bits & 512,
				.lease_ns = leases[i],
			};

			gate.until_ns = rblk_gate_needs_until(&gate);
			each(&gate);
		}
}

/* A primary that needs a lease and has none completes nothing well. */
static void check_lease(const struct rblk_gate *gate)
{
	bool without = gate->primary && gate->leased && gate->lease_ns <= NOW;
	enum rblk_gate_verdict end = rblk_gate_lease(gate, NOW);

	if (!without)
		assert_int_equal(end, RBLK_GATE_PASS);
	else if (gate->lease_error || gate->dead || gate->forced)
		assert_int_equal(end, RBLK_GATE_FAIL);
	else
		assert_int_equal(end, RBLK_GATE_HOLD);
}

static void test_lease(void **state)
{
	(void)state;
	for_each_gate(check_lease);
}

static void check_write(const struct rblk_gate *gate)
{
	enum rblk_gate_verdict in = rblk_gate_write(gate, NOW);
	enum rblk_gate_verdict end = rblk_gate_lease(gate, NOW);
	bool never = gate->dead || !gate->primary || gate->draining;
	bool fails = end == RBLK_GATE_FAIL ||
		     (gate->too_few && gate->too_few_error);
	bool waits = gate->settling || gate->suspended || gate->too_few ||
		     end == RBLK_GATE_HOLD;

	assert_int_equal(in, never || fails ? RBLK_GATE_FAIL :
			     waits ? RBLK_GATE_HOLD : RBLK_GATE_PASS);
	/* what could not end does not begin */
	if (end != RBLK_GATE_PASS)
		assert_int_not_equal(in, RBLK_GATE_PASS);
}

static void test_write(void **state)
{
	(void)state;
	for_each_gate(check_write);
}

/* Where no lease is needed nobody has to ask what time it is. */
static void check_no_clock(const struct rblk_gate *gate)
{
	if (gate->until_ns != RBLK_GATE_NO_LEASE_NEEDED)
		return;
	assert_int_equal(rblk_gate_lease(gate, 0), RBLK_GATE_PASS);
	assert_int_equal(rblk_gate_write(gate, 0), rblk_gate_write(gate, NOW));
}

static void test_no_clock(void **state)
{
	(void)state;
	for_each_gate(check_no_clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_no_clock),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}

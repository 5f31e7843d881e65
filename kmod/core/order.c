// SPDX-License-Identifier: GPL-2.0
/*
 * order.c - which received operations a backup may start, and what it may
 * claim to have.
 *
 * The bits of @done are a ring. Only seqs in (applied, received] have a bit
 * that means something; all others are clear, so a bit needs no cleaning when
 * its place in the ring is taken by the next seq.
 */
#include "order.h"

static u32 bit_of(const struct rblk_order *order, u64 seq)
{
	return seq & (order->window - 1);
}

/* @seq + @steps, at most received + 1. */
static u64 forward(const struct rblk_order *order, u64 seq, u32 steps)
{
	return seq + min_t(u64, steps, order->received + 1 - seq);
}

/* First seq >= @seq whose bit is set, at most received + 1. */
static u64 next_done(const struct rblk_order *order, u64 seq)
{
	u32 from = bit_of(order, seq);
	u32 bit = find_next_bit(order->done, order->window, from);

	if (bit == order->window)
		bit += find_next_bit(order->done, order->window, 0);
	return forward(order, seq, bit - from);
}

/* First seq >= @seq whose bit is clear, at most received + 1. */
static u64 next_undone(const struct rblk_order *order, u64 seq)
{
	u32 from = bit_of(order, seq);
	u32 bit = find_next_zero_bit(order->done, order->window, from);

	if (bit == order->window)
		bit += find_next_zero_bit(order->done, order->window, 0);
	return forward(order, seq, bit - from);
}

void rblk_order_init(struct rblk_order *order, unsigned long *done, u32 window,
		     u64 seq)
{
	order->received = seq;
	order->applied = seq;
	order->done = done;
	order->window = window;
	bitmap_zero(done, window);
}

int rblk_order_receive(struct rblk_order *order, u64 seq, u64 dep)
{
	if (seq != order->received + 1 || seq == U64_MAX || dep >= seq)
		return -EINVAL;
	if (order->received - order->applied >= order->window)
		return -ENOSPC;
	order->received = seq;
	return 0;
}

bool rblk_order_may_start(const struct rblk_order *order, u64 dep)
{
	return dep <= order->applied;
}

bool rblk_order_applied(struct rblk_order *order, u64 seq)
{
	if (seq <= order->applied || seq > order->received)
		return false;

	__set_bit(bit_of(order, seq), order->done);
	if (seq != order->applied + 1)
		return false;

	while (test_bit(bit_of(order, order->applied + 1), order->done)) {
		order->applied++;
		__clear_bit(bit_of(order, order->applied), order->done);
	}
	return true;
}

u32 rblk_order_selective(const struct rblk_order *order,
			 struct rblk_seq_range *ranges, u32 max)
{
	u64 seq = order->applied + 1;
	u32 nr = 0;

	while (nr < max) {
		seq = next_done(order, seq);
		if (seq > order->received)
			break;
		ranges[nr].first = seq;
		seq = next_undone(order, seq);
		ranges[nr].last = seq - 1;
		nr++;
	}
	return nr;
}

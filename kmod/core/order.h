/* SPDX-License-Identifier: GPL-2.0 */
/*
 * order.h - which received operations a backup may start, and what it may
 * claim to have.
 *
 * Operations arrive in seq order without gaps. Operation n may start when
 * every operation <= its dep is applied. They may finish in any order; the
 * position "applied" is the highest seq up to which all have. What finished
 * above it is a bit in a window, from which selective acks are made.
 *
 * No locks: the caller serializes.
 */
#ifndef RBLK_CORE_ORDER_H
#define RBLK_CORE_ORDER_H

#include "env.h"

/**
 * struct rblk_seq_range - some consecutive operations
 * @first: the lowest seq
 * @last: the highest seq, included
 */
struct rblk_seq_range {
	u64 first;
	u64 last;
};

/**
 * struct rblk_order - the window of operations between applied and received
 * @received: highest seq received; all below it were too
 * @applied: highest seq up to which every operation is applied
 * @done: bit (seq % @window) is set when seq > @applied is applied
 * @window: bits in @done, a power of two: the most operations that may be
 *	received and not yet below @applied
 */
struct rblk_order {
	u64 received;
	u64 applied;
	unsigned long *done;
	u32 window;
};

/**
 * rblk_order_init - start, with nothing in flight
 * @order: what to set up
 * @done: BITS_TO_LONGS(@window) words, owned by the caller
 * @window: a power of two
 * @seq: the position; the next operation is @seq + 1
 */
void rblk_order_init(struct rblk_order *order, unsigned long *done, u32 window,
		     u64 seq);

/**
 * rblk_order_receive - admit an operation
 * @order: the window
 * @seq: its seq
 * @dep: its dependency
 *
 * Return: 0; -EINVAL when @seq is not the next one or @dep >= @seq;
 * -ENOSPC when the window is full (the peer sent more than it was allowed).
 */
int rblk_order_receive(struct rblk_order *order, u64 seq, u64 dep);

/**
 * rblk_order_may_start - may an operation start?
 * @order: the window
 * @dep: the operation's dependency
 *
 * Return: true when everything <= @dep is applied.
 */
bool rblk_order_may_start(const struct rblk_order *order, u64 dep);

/**
 * rblk_order_applied - an operation has been applied
 * @order: the window
 * @seq: the operation
 *
 * Return: true when the position @order->applied advanced. A seq outside
 * (applied, received] or already applied changes nothing.
 */
bool rblk_order_applied(struct rblk_order *order, u64 seq);

/**
 * rblk_order_selective - what is applied above the position
 * @order: the window
 * @ranges: filled in ascending order
 * @max: most ranges wanted; the lowest ones are reported, each as long as it
 *	can be: none touches the position or the next range
 *
 * Return: number of ranges filled.
 */
u32 rblk_order_selective(const struct rblk_order *order,
			 struct rblk_seq_range *ranges, u32 max);

#endif /* RBLK_CORE_ORDER_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pressure.h - what is kept for later gives way to what is needed now.
 *
 * A log keeps operations for peers that are away. Their memory comes from the
 * same pools as that of new writes, and it comes back when a peer does: nobody
 * may wait for that. So whoever is about to wait for a pool says so first, and
 * until it has what it waits for nothing is kept.
 *
 *   try without waiting -> rblk_pressure_begin() -> wait -> rblk_pressure_end()
 */
#ifndef RBLK_STORE_PRESSURE_H
#define RBLK_STORE_PRESSURE_H

#include <linux/list.h>
#include <linux/types.h>

/**
 * struct rblk_keeper - somebody who keeps memory that could be given back
 * @link: in the list of all
 * @give_way: give it back; what is taken while rblk_pressure_is_on() is given
 *	back, or refused, by the keeper itself. Does not wait for memory.
 */
struct rblk_keeper {
	struct list_head link;
	void (*give_way)(struct rblk_keeper *keeper);
};

/**
 * rblk_pressure_add - know a keeper
 * @keeper: its @give_way is set
 */
void rblk_pressure_add(struct rblk_keeper *keeper);

/**
 * rblk_pressure_remove - know it no longer
 * @keeper: known, or all zeroes
 */
void rblk_pressure_remove(struct rblk_keeper *keeper);

/**
 * rblk_pressure_begin - make everybody give way, and go on doing so
 *
 * Context: process; may sleep, does not wait for memory.
 */
void rblk_pressure_begin(void);

/** rblk_pressure_end - undo one rblk_pressure_begin() */
void rblk_pressure_end(void);

/**
 * rblk_pressure_is_on - may nothing be kept now?
 *
 * A keeper asks under the lock that its @give_way takes: either it sees the
 * pressure, or what it keeps is seen.
 */
bool rblk_pressure_is_on(void);

#endif /* RBLK_STORE_PRESSURE_H */

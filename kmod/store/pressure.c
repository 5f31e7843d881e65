// SPDX-License-Identifier: GPL-2.0
/*
 * pressure.c - what is kept for later gives way to what is needed now.
 */
#include <linux/atomic.h>
#include <linux/mutex.h>

#include "pressure.h"

static DEFINE_MUTEX(keepers_lock); /* protects the list, held while it is walked */
static LIST_HEAD(keepers);

static atomic_t nr_waiting = ATOMIC_INIT(0);

void rblk_pressure_add(struct rblk_keeper *keeper)
{
	mutex_lock(&keepers_lock);
	list_add_tail(&keeper->link, &keepers);
	mutex_unlock(&keepers_lock);
}

void rblk_pressure_remove(struct rblk_keeper *keeper)
{
	if (!keeper->link.next)
		return;
	mutex_lock(&keepers_lock);
	list_del_init(&keeper->link);
	mutex_unlock(&keepers_lock);
}

void rblk_pressure_begin(void)
{
	struct rblk_keeper *keeper;

	atomic_inc(&nr_waiting);
	mutex_lock(&keepers_lock);
	list_for_each_entry(keeper, &keepers, link)
		keeper->give_way(keeper);
	mutex_unlock(&keepers_lock);
}

void rblk_pressure_end(void)
{
	atomic_dec(&nr_waiting);
}

bool rblk_pressure_is_on(void)
{
	return atomic_read(&nr_waiting);
}

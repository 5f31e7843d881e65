// SPDX-License-Identifier: GPL-2.0
/*
 * lease.c - what the end of a primary's lease means beside the gate.
 */
#include <linux/rcupdate.h>

#include "lease.h"
#include "../resource.h"

void rblk_lease_miss_locked(struct rblk_resource *res)
{
	lockdep_assert_held(&res->log.lock);
	if (res->log.lease_missed)
		return;
	res->log.lease_missed = true;
	queue_work(res->wq, &res->lease_work);
}

void rblk_lease_work(struct work_struct *work)
{
	struct rblk_resource *res = container_of(work, struct rblk_resource,
						 lease_work);

	if (rblk_log_lease(&res->log) == RBLK_GATE_PASS)
		return;
	res->notify->resource(res, READ_ONCE(res->log.gate.lease_error) ?
			      "no lease: requests fail" :
			      "no lease: requests are held");
}

void rblk_lease_sync(void)
{
	synchronize_rcu_expedited();
}

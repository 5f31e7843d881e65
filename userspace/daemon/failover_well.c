// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failover_well.c - may the watchdog get a sign of life
 */
#include "failover.h"

#include "xalloc.h"

#include <errno.h>
#include <stdlib.h>

#define NS_PER_MS	1000000ULL

/* The lease has run out here. Does the module say so, too? */
static bool has_stopped(const struct rblk_failover *f, struct rblk_engine *e,
			uint64_t now_ms)
{
	struct rblk_kstate *s = rblk_xcalloc(1, sizeof(*s));
	struct rblk_genl_error err;
	int rc = e->ops->get(e->ctx, f->name, s, &err);
	bool stopped = rc == -ENOENT ||
		       (rc == 0 && (s->resource.role != RBLK_ROLE_PRIMARY ||
				    !s->resource.leased ||
				    s->resource.lease_until_ns / NS_PER_MS <= now_ms));

	free(s);
	return stopped;
}

bool rblk_failover_is_well(struct rblk_engine *e)
{
	uint64_t now_ms = e->ops->boottime_us(e->ctx) / 1000;
	const struct rblk_failover *f;

	for (f = e->failovers; f; f = f->next)
		if (f->view.primary && f->view.up &&
		    f->view.lease_until_ms <= now_ms && !has_stopped(f, e, now_ms))
			return false;
	return true;
}

bool rblk_failover_has_primary(const struct rblk_engine *e)
{
	const struct rblk_failover *f;

	for (f = e->failovers; f; f = f->next)
		if (f->view.primary || f->promoting)
			return true;
	return false;
}

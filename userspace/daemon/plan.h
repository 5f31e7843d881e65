/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan.h - what the configuration asks of the kernel for one resource on one
 * node: the list of requests that bring it up. Pure.
 */
#ifndef RBLK_PLAN_H
#define RBLK_PLAN_H

#include "config.h"
#include "kmsg.h"

struct rblk_plan {
	struct rblk_kreq *reqs;		/* [0] is RESOURCE_NEW */
	size_t n;
};

void rblk_plan_up(struct rblk_plan *plan, const struct rblk_config *config,
		  const struct rblk_config_node *node,
		  const struct rblk_config_resource *resource,
		  uint64_t generation);
void rblk_plan_free(struct rblk_plan *plan);

/*
 * Could what is there become what is planned without taking it down? Else @why
 * names the first difference that is fixed.
 */
bool rblk_plan_may_adjust(const struct rblk_plan *plan,
			  const struct rblk_kstate *state, char *why,
			  size_t size);

/*
 * The requests that make it so; none when it is. @what gets them in words.
 * What can fail comes first: new peers.
 */
void rblk_plan_adjust(struct rblk_plan *todo, const struct rblk_plan *plan,
		      const struct rblk_kstate *state, char *what, size_t size);

#endif

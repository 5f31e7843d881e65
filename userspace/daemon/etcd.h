/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * etcd.h - requests to an etcd, beside the loop: curl waits, the loop tells it when
 *
 * A shell: it knows nothing of what is asked. Connections are kept and used again.
 */
#ifndef RBLK_ETCD_H
#define RBLK_ETCD_H

#include "etcd_call.h"

#include <uv.h>

/* Called once for each call; it belongs to whoever is called. */
typedef void (*rblk_etcds_fn)(void *ctx, struct rblk_etcd_call *call);

struct rblk_etcds {
	uv_loop_t *loop;
	uv_timer_t timer;
	const struct rblk_curl *curl; /* and @multi: NULL until the first call */
	CURLM *multi;
	struct rblk_etcd_call *failed;
	rblk_etcds_fn answered;
	void *ctx;
};

/**
 * rblk_etcds_open - ready for calls
 * @etcds: filled in
 * @loop: which waits
 * @answered: gets each call when it is over
 * @ctx: for it
 */
void rblk_etcds_open(struct rblk_etcds *etcds, uv_loop_t *loop,
		     rblk_etcds_fn answered, void *ctx);

/**
 * rblk_etcds_start - begin a call
 * @etcds: which
 * @call: its own until it is answered; never within this function
 */
void rblk_etcds_start(struct rblk_etcds *etcds, struct rblk_etcd_call *call);

/**
 * rblk_etcds_close - abandon all
 * @etcds: the calls end with it, unanswered
 */
void rblk_etcds_close(struct rblk_etcds *etcds);

#endif

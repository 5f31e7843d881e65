// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel.c - the shell towards the module
 */
#include "kernel.h"

#include "log.h"

#include <errno.h>
#include <string.h>

static void event_read(void *data, const struct rblk_kevent *event)
{
	struct rblk_kernel *k = data;

	rblk_engine_kernel_event(k->engine, event);
}

static void events_ready(uv_poll_t *poll, int status, int events)
{
	struct rblk_kernel *k = poll->data;
	int rc;

	(void)events;
	if (status < 0) {
		rblk_log(RBLK_LOG_ERROR, NULL, NULL, "event socket: %s",
			 uv_strerror(status));
		return;
	}
	rc = rblk_genl_read_events(&k->events, event_read, k);
	if (rc == -ENOBUFS)
		rblk_engine_kernel_lost(k->engine);
	else if (rc < 0)
		rblk_log(RBLK_LOG_ERROR, NULL, NULL, "reading events: %s",
			 strerror(-rc));
}

int rblk_kernel_open(struct rblk_kernel *k, uv_loop_t *loop,
		     struct rblk_engine *engine, struct rblk_genl_error *err)
{
	int rc;

	if (k->is_open)
		return 0;
	k->engine = engine;
	rc = rblk_genl_open(&k->requests, err);
	if (rc < 0)
		return rc;
	rc = rblk_genl_open(&k->events, err);
	if (rc < 0)
		goto err_close_requests;
	rc = rblk_genl_subscribe(&k->events, err);
	if (rc < 0)
		goto err_close_events;
	k->poll.data = k;
	uv_poll_init(loop, &k->poll, rblk_genl_fd(&k->events));
	uv_poll_start(&k->poll, UV_READABLE, events_ready);
	k->is_open = true;
	return 0;

err_close_events:
	rblk_genl_close(&k->events);
err_close_requests:
	rblk_genl_close(&k->requests);
	return rc;
}

void rblk_kernel_close(struct rblk_kernel *k)
{
	if (!k->is_open)
		return;
	k->is_open = false;
	uv_poll_stop(&k->poll);
	uv_close((uv_handle_t *)&k->poll, NULL);
	rblk_genl_close(&k->events);
	rblk_genl_close(&k->requests);
}

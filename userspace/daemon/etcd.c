// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * etcd.c - requests to an etcd, beside the loop: curl waits, the loop tells it when
 */
#include "etcd.h"

#include "xalloc.h"

#include <stdlib.h>

/* To one endpoint, for all resources; the others wait their turn. */
#define HOST_CONNECTIONS	16L

/* A socket of curl's. */
struct watch {
	uv_poll_t poll;
	struct rblk_etcds *etcds;
	curl_socket_t fd;
};

/* What is over. */
static void collect(struct rblk_etcds *etcds)
{
	struct rblk_etcd_call *call;
	CURLMsg *msg;
	CURLcode code;
	CURL *curl;
	int left;

	while ((msg = etcds->curl->multi_info_read(etcds->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		curl = msg->easy_handle;
		code = msg->data.result;
		etcds->curl->easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&call);
		etcds->curl->multi_remove_handle(etcds->multi, curl);
		rblk_etcd_end(call, curl, code);
		etcds->answered(etcds->ctx, call);
	}
}

/* Those that had no curl; who is told so may try again. */
static void answer_failed(struct rblk_etcds *etcds)
{
	struct rblk_etcd_call *call = etcds->failed, *next;

	etcds->failed = NULL;
	for (; call; call = next) {
		next = call->next;
		etcds->answered(etcds->ctx, call);
	}
}

static void timer_fired(uv_timer_t *timer)
{
	struct rblk_etcds *etcds = timer->data;
	int running;

	answer_failed(etcds);
	if (!etcds->multi)
		return;
	etcds->curl->multi_socket_action(etcds->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(etcds);
}

/* Not from within curl: a timeout of 0 is for the next turn of the loop. */
static int timer_is(CURLM *multi, long ms, void *ctx)
{
	struct rblk_etcds *etcds = ctx;

	(void)multi;
	if (ms < 0)
		uv_timer_stop(&etcds->timer);
	else
		uv_timer_start(&etcds->timer, timer_fired, ms, 0);
	return 0;
}

static void socket_moved(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	struct rblk_etcds *etcds = w->etcds;
	int what = 0, running;

	if (status < 0)
		what = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	/* @w may be gone after this */
	etcds->curl->multi_socket_action(etcds->multi, w->fd, what, &running);
	collect(etcds);
}

static void watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static int socket_is(CURL *curl, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
	struct rblk_etcds *etcds = ctx;
	struct watch *w = of_socket;
	int events = 0;

	(void)curl;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			uv_poll_stop(&w->poll);
			uv_close((uv_handle_t *)&w->poll, watch_closed);
			etcds->curl->multi_assign(etcds->multi, fd, NULL);
		}
		return 0;
	}
	if (!w) {
		w = rblk_xcalloc(1, sizeof(*w));
		w->etcds = etcds;
		w->fd = fd;
		w->poll.data = w;
		if (uv_poll_init_socket(etcds->loop, &w->poll, fd) < 0) {
			free(w);
			return -1;
		}
		etcds->curl->multi_assign(etcds->multi, fd, w);
	}
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	uv_poll_start(&w->poll, events, socket_moved);
	return 0;
}

void rblk_etcds_open(struct rblk_etcds *etcds, uv_loop_t *loop,
		     rblk_etcds_fn answered, void *ctx)
{
	etcds->loop = loop;
	etcds->answered = answered;
	etcds->ctx = ctx;
	uv_timer_init(loop, &etcds->timer);
	etcds->timer.data = etcds;
}

static void begin(struct rblk_etcds *etcds)
{
	etcds->curl = rblk_curl(NULL, 0);
	etcds->multi = etcds->curl->multi_init();
	if (!etcds->multi)
		abort();
	etcds->curl->multi_setopt(etcds->multi, CURLMOPT_SOCKETFUNCTION, socket_is);
	etcds->curl->multi_setopt(etcds->multi, CURLMOPT_SOCKETDATA, etcds);
	etcds->curl->multi_setopt(etcds->multi, CURLMOPT_MAX_HOST_CONNECTIONS, HOST_CONNECTIONS);
	etcds->curl->multi_setopt(etcds->multi, CURLMOPT_TIMERFUNCTION, timer_is);
	etcds->curl->multi_setopt(etcds->multi, CURLMOPT_TIMERDATA, etcds);
}

void rblk_etcds_start(struct rblk_etcds *etcds, struct rblk_etcd_call *call)
{
	CURL *curl = rblk_etcd_begin(call);

	if (!curl) {
		call->next = etcds->failed;
		etcds->failed = call;
		uv_timer_start(&etcds->timer, timer_fired, 0, 0);
		return;
	}
	if (!etcds->multi)
		begin(etcds);
	etcds->curl->multi_add_handle(etcds->multi, curl);
}

void rblk_etcds_close(struct rblk_etcds *etcds)
{
	if (!etcds->loop)
		return;
	uv_timer_stop(&etcds->timer);
	uv_close((uv_handle_t *)&etcds->timer, NULL);
	if (etcds->multi)
		etcds->curl->multi_cleanup(etcds->multi);
	etcds->multi = NULL;
	etcds->loop = NULL;
}

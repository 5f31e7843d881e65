// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * handshake.c - sockets around the authentication
 */
#include "handshake.h"

#include "log.h"
#include "sockopt.h"
#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_INCOMING		64
#define COMPLAIN_EVERY_MS	10000

struct rblk_handshake {
	struct rblk_handshakes *all;
	struct rblk_handshake *next;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int handles;		/* not yet closed by libuv */
	int fd;
	bool outgoing;
	bool connecting;
	bool draining;		/* told the peer why; waits for it to close */
	uint64_t generation;
	struct rblk_link_id id;		/* outgoing */
	struct rblk_auth auth;
	char remote[80];
};

static void handle_closed(uv_handle_t *handle)
{
	struct rblk_handshake *hs = handle->data;

	if (--hs->handles == 0)
		free(hs);
}

/* Unlink, stop, close; the caller may have taken hs->fd. */
static void destroy(struct rblk_handshake *hs)
{
	struct rblk_handshake **at = &hs->all->first;

	while (*at != hs)
		at = &(*at)->next;
	*at = hs->next;
	if (!hs->outgoing)
		hs->all->incoming--;
	uv_poll_stop(&hs->poll);
	uv_close((uv_handle_t *)&hs->poll, handle_closed);
	uv_close((uv_handle_t *)&hs->timer, handle_closed);
	if (hs->fd >= 0)
		close(hs->fd);
}

/* Strangers may connect as often as they like; the log must not grow so. */
static void complain(struct rblk_handshake *hs, const char *reason)
{
	uint64_t now = uv_now(hs->all->loop);

	if (hs->all->complained_ms &&
	    now - hs->all->complained_ms < COMPLAIN_EVERY_MS)
		return;
	hs->all->complained_ms = now ? now : 1;
	rblk_log(RBLK_LOG_WARNING, NULL, NULL, "connection from %s: %s",
		 hs->remote, reason);
}

static void report_failure(struct rblk_handshake *hs, const char *reason)
{
	struct rblk_link_id id = hs->id;
	char text[RBLK_REASON_SIZE];

	if (hs->outgoing) {
		rblk_engine_link_failed(hs->all->engine, &id,
					hs->auth.by_peer ||
					hs->auth.status == RBLK_AUTH_FAILED,
					rblk_text_format(text, sizeof(text),
							 "%s: %s", hs->remote,
							 reason));
		return;
	}
	rblk_text_copy(id.resource, sizeof(id.resource), hs->auth.resource);
	id.peer = hs->auth.peer_id;
	rblk_text_format(text, sizeof(text), "called from %s: %s", hs->remote,
			 reason);
	if (!rblk_engine_caller_failed(hs->all->engine, &id, text))
		complain(hs, reason);
}

static void fail(struct rblk_handshake *hs, const char *reason)
{
	if (!hs->draining)
		report_failure(hs, reason);
	destroy(hs);
}

static void timed_out(uv_timer_t *timer)
{
	fail(timer->data, "no answer within 5 s");
}

static void succeed(struct rblk_handshake *hs)
{
	struct rblk_engine *engine = hs->all->engine;
	struct rblk_link_id id = hs->id;
	uint64_t generation = hs->auth.peer_generation;
	int fd = hs->fd;

	if (!hs->outgoing) {
		rblk_text_copy(id.resource, sizeof(id.resource),
			       hs->auth.resource);
		id.peer = hs->auth.peer_id;
	}
	hs->fd = -1;
	destroy(hs);
	rblk_engine_link_authenticated(engine, &id, fd, generation);
}

/*
 * Refused: say so, and keep reading so that no reset overtakes the words.
 * False: the handshake is gone.
 */
static bool end_refused(struct rblk_handshake *hs)
{
	char text[128];

	rblk_auth_reason(&hs->auth, text, sizeof(text));
	if (hs->outgoing && hs->auth.code == RBLK_AUTH_WILL_CALL) {
		rblk_engine_will_be_called(hs->all->engine, &hs->id);
		destroy(hs);
		return false;
	}
	if (hs->outgoing) {
		fail(hs, text);
		return false;
	}
	if (hs->auth.code != RBLK_AUTH_WILL_CALL)
		report_failure(hs, text);
	hs->draining = true;
	shutdown(hs->fd, SHUT_WR);
	return true;
}

/* true: everything is written; false: wait, or the handshake is gone. */
static bool flush(struct rblk_handshake *hs, bool *gone)
{
	struct rblk_auth *a = &hs->auth;

	while (a->out_len) {
		ssize_t n = send(hs->fd, a->out, a->out_len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0) {
			fail(hs, strerror(errno));
			*gone = true;
			return false;
		}
		a->out_len -= n;
		memmove(a->out, a->out + n, a->out_len);
	}
	return true;
}

/* true: bytes came; false: none yet, or the handshake is gone. */
static bool fill(struct rblk_handshake *hs, bool *gone)
{
	unsigned char buf[RBLK_AUTH_MAX_BYTES];
	size_t want = hs->draining ? sizeof(buf) : rblk_auth_want(&hs->auth);
	ssize_t n = recv(hs->fd, buf, want, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		*gone = true;
		fail(hs, n == 0 ? "the peer closed the connection" :
				  strerror(errno));
		return false;
	}
	if (!hs->draining)
		rblk_auth_feed(&hs->auth, buf, n);
	return true;
}

/* recursion: by way of the loop */
static void ready(uv_poll_t *poll, int status, int events);

static void pump(struct rblk_handshake *hs)
{
	bool gone = false;

	for (;;) {
		if (!flush(hs, &gone)) {
			if (!gone)
				uv_poll_start(&hs->poll,
					      UV_WRITABLE | UV_READABLE, ready);
			return;
		}
		if (hs->auth.status == RBLK_AUTH_DONE) {
			succeed(hs);
			return;
		}
		if (hs->auth.status == RBLK_AUTH_FAILED && !hs->draining &&
		    !end_refused(hs))
			return;
		if (!fill(hs, &gone)) {
			if (!gone)
				uv_poll_start(&hs->poll, UV_READABLE, ready);
			return;
		}
	}
}

static void start_initiator(struct rblk_handshake *hs)
{
	struct rblk_auth_identity self = rblk_engine_identity(hs->all->engine);
	uint8_t nonce[RBLK_AUTH_NONCE_BYTES];

	hs->connecting = false;
	if (gnutls_rnd(GNUTLS_RND_NONCE, nonce, sizeof(nonce)) < 0) {
		fail(hs, "no randomness");
		return;
	}
	rblk_auth_start_initiator(&hs->auth, &self, hs->id.resource,
				  hs->id.peer, hs->generation, nonce);
	pump(hs);
}

static void ready(uv_poll_t *poll, int status, int events)
{
	struct rblk_handshake *hs = poll->data;
	socklen_t len = sizeof(int);
	int error = 0;

	(void)events;
	if (hs->connecting) {
		getsockopt(hs->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error)
			fail(hs, strerror(error));
		else
			start_initiator(hs);
		return;
	}
	if (status < 0)
		fail(hs, uv_strerror(status));
	else
		pump(hs);
}

static struct rblk_handshake *create(struct rblk_handshakes *h, int fd,
				     const struct sockaddr_storage *addr,
				     socklen_t len)
{
	struct rblk_handshake *hs = rblk_xcalloc(1, sizeof(*hs));

	hs->all = h;
	hs->fd = fd;
	rblk_sockopt_name(addr, len, hs->remote, sizeof(hs->remote));
	uv_poll_init(h->loop, &hs->poll, fd);
	uv_timer_init(h->loop, &hs->timer);
	hs->handles = 2;
	hs->poll.data = hs;
	hs->timer.data = hs;
	uv_timer_start(&hs->timer, timed_out, RBLK_AUTH_LIMIT_MS, 0);
	hs->next = h->first;
	h->first = hs;
	return hs;
}

void rblk_handshakes_dial(struct rblk_handshakes *h,
			  const struct rblk_link_id *id,
			  const struct sockaddr_storage *addr,
			  uint64_t generation)
{
	int fd = socket(addr->ss_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = rblk_sockopt_len(addr);
	struct rblk_handshake *hs;

	rblk_handshakes_hang_up(h, id);
	if (fd < 0) {
		rblk_engine_link_failed(h->engine, id, false, strerror(errno));
		return;
	}
	hs = create(h, fd, addr, len);
	hs->outgoing = true;
	hs->connecting = true;
	hs->id = *id;
	hs->generation = generation;
	if (connect(fd, (const struct sockaddr *)addr, len) < 0 &&
	    errno != EINPROGRESS)
		fail(hs, strerror(errno));
	else
		uv_poll_start(&hs->poll, UV_WRITABLE, ready);
}

/* The oldest unproven connection makes room for a new one. */
static void drop_oldest_incoming(struct rblk_handshakes *h)
{
	struct rblk_handshake *hs, *oldest = NULL;

	for (hs = h->first; hs; hs = hs->next)
		if (!hs->outgoing)
			oldest = hs;
	if (oldest) {
		complain(oldest, "too many connections at once: dropped");
		destroy(oldest);
	}
}

static void start_responder(struct rblk_handshakes *h, int fd,
			    const struct sockaddr_storage *addr, socklen_t len)
{
	struct rblk_auth_identity self = rblk_engine_identity(h->engine);
	uint8_t nonce[RBLK_AUTH_NONCE_BYTES];
	struct rblk_handshake *hs;

	if (h->incoming >= MAX_INCOMING)
		drop_oldest_incoming(h);
	hs = create(h, fd, addr, len);
	h->incoming++;
	if (gnutls_rnd(GNUTLS_RND_NONCE, nonce, sizeof(nonce)) < 0) {
		fail(hs, "no randomness");
		return;
	}
	rblk_auth_start_responder(&hs->auth, &self, nonce, rblk_engine_decide,
				  h->engine);
	uv_poll_start(&hs->poll, UV_READABLE, ready);
}

static void caller_waits(uv_poll_t *poll, int status, int events)
{
	struct rblk_handshakes *h = poll->data;
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	int fd;

	(void)events;
	if (status < 0)
		return;
	fd = accept4(h->listen_fd, (struct sockaddr *)&addr, &len,
		     SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		start_responder(h, fd, &addr, len);
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void stop_listening(struct rblk_handshakes *h)
{
	if (!h->listener)
		return;
	uv_poll_stop(h->listener);
	uv_close((uv_handle_t *)h->listener, free_handle);
	close(h->listen_fd);
	h->listener = NULL;
}

void rblk_handshakes_init(struct rblk_handshakes *h, uv_loop_t *loop,
			  struct rblk_engine *engine)
{
	*h = (struct rblk_handshakes){ .loop = loop, .engine = engine };
}

int rblk_handshakes_listen(struct rblk_handshakes *h,
			   const struct sockaddr_storage *addr)
{
	int fd = rblk_sockopt_listen(addr);

	if (fd < 0)
		return fd;
	stop_listening(h);
	h->listener = rblk_xcalloc(1, sizeof(*h->listener));
	h->listen_fd = fd;
	uv_poll_init(h->loop, h->listener, fd);
	h->listener->data = h;
	uv_poll_start(h->listener, UV_READABLE, caller_waits);
	return 0;
}

void rblk_handshakes_hang_up(struct rblk_handshakes *h,
			     const struct rblk_link_id *id)
{
	struct rblk_handshake *hs, *next;

	for (hs = h->first; hs; hs = next) {
		next = hs->next;
		if (hs->outgoing && hs->id.peer == id->peer &&
		    strcmp(hs->id.resource, id->resource) == 0)
			destroy(hs);
	}
}

void rblk_handshakes_close(struct rblk_handshakes *h)
{
	stop_listening(h);
	while (h->first)
		destroy(h->first);
}

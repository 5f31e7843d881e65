// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * udp.c - the shell for datagrams between daemons
 */
#include "udp.h"

#include "xalloc.h"

#include <stdlib.h>

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct rblk_udp_socket *s = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)s->buffer, sizeof(s->buffer));
}

static void datagram_came(uv_udp_t *handle, ssize_t n, const uv_buf_t *buf,
			  const struct sockaddr *from, unsigned int flags)
{
	struct rblk_udp_socket *s = handle->data;

	(void)flags;	/* what does not fit fills the buffer: long enough to tell */
	/* neither an error nor the end of what there was to read */
	if (n >= 0 && from)
		s->udp->receive(s->udp->ctx, s->path, (uint8_t *)buf->base, n);
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void close_socket(struct rblk_udp_socket *s)
{
	if (s->handle)
		uv_close((uv_handle_t *)s->handle, free_handle);
	s->handle = NULL;
}

void rblk_udp_init(struct rblk_udp *u, uv_loop_t *loop,
		   rblk_udp_receive_fn receive, void *ctx)
{
	unsigned int i;

	*u = (struct rblk_udp){ .loop = loop, .receive = receive, .ctx = ctx };
	for (i = 0; i < RBLK_DETECTOR_PATHS; i++) {
		u->socket[i].udp = u;
		u->socket[i].path = i;
	}
}

int rblk_udp_listen(struct rblk_udp *u, unsigned int path,
		    const struct sockaddr_storage *addr)
{
	struct rblk_udp_socket *s = &u->socket[path];
	uv_udp_t *handle;
	int rc;

	if (!addr) {
		close_socket(s);
		return 0;
	}
	handle = rblk_xcalloc(1, sizeof(*handle));
	rc = uv_udp_init(u->loop, handle);
	if (rc < 0) {
		free(handle);
		return rc;
	}
	handle->data = s;
	rc = uv_udp_bind(handle, (const struct sockaddr *)addr, 0);
	if (rc == 0)
		rc = uv_udp_recv_start(handle, give_buffer, datagram_came);
	if (rc < 0) {
		uv_close((uv_handle_t *)handle, free_handle);
		return rc;
	}
	close_socket(s);
	s->handle = handle;
	return 0;
}

bool rblk_udp_send(struct rblk_udp *u, unsigned int path,
		   const struct sockaddr_storage *addr, const uint8_t *bytes,
		   size_t n)
{
	uv_buf_t buf = uv_buf_init((char *)bytes, n);

	return u->socket[path].handle &&
	       uv_udp_try_send(u->socket[path].handle, &buf, 1,
			       (const struct sockaddr *)addr) >= 0;
}

void rblk_udp_close(struct rblk_udp *u)
{
	unsigned int i;

	for (i = 0; i < RBLK_DETECTOR_PATHS; i++)
		close_socket(&u->socket[i]);
}

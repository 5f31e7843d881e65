/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handshake.h - the shell towards other nodes: connect, accept, authenticate
 *
 * A connection lives here until both ends have proven themselves (auth.h) or
 * five seconds are over; then its socket goes to the engine. Never more is
 * read than auth asks for: the next byte is the kernel's.
 */
#ifndef RBLK_HANDSHAKE_H
#define RBLK_HANDSHAKE_H

#include "engine.h"

#include <uv.h>

struct rblk_handshakes {
	uv_loop_t *loop;
	struct rblk_engine *engine;
	uv_poll_t *listener;		/* NULL: not listening */
	int listen_fd;
	struct rblk_handshake *first;	/* the newest */
	unsigned int incoming;
	uint64_t complained_ms;		/* last line about a stranger */
};

void rblk_handshakes_init(struct rblk_handshakes *h, uv_loop_t *loop,
			  struct rblk_engine *engine);
int rblk_handshakes_listen(struct rblk_handshakes *h,
			   const struct sockaddr_storage *addr);
void rblk_handshakes_dial(struct rblk_handshakes *h,
			  const struct rblk_link_id *id,
			  const struct sockaddr_storage *addr,
			  uint64_t generation);
void rblk_handshakes_hang_up(struct rblk_handshakes *h,
			     const struct rblk_link_id *id);
void rblk_handshakes_close(struct rblk_handshakes *h);

#endif

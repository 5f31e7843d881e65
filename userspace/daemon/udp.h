/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp.h - the shell for datagrams between daemons: one socket per network
 */
#ifndef RBLK_UDP_H
#define RBLK_UDP_H

#include "detector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#define RBLK_UDP_BUFFER	2048	/* more than any datagram: a longer one shows */

struct rblk_udp;

/**
 * typedef rblk_udp_receive_fn - a datagram came
 * @ctx: of who opened it
 * @path: on which network
 * @bytes: it
 * @n: how many; RBLK_UDP_BUFFER or more: it was longer than that
 */
typedef void (*rblk_udp_receive_fn)(void *ctx, unsigned int path,
				    const uint8_t *bytes, size_t n);

/**
 * struct rblk_udp_socket - one of them
 * @udp: whose
 * @path: number of the network
 * @handle: libuv's; NULL: not open
 * @buffer: a datagram that comes
 */
struct rblk_udp_socket {
	struct rblk_udp *udp;
	unsigned int path;
	uv_udp_t *handle;
	uint8_t buffer[RBLK_UDP_BUFFER];
};

/**
 * struct rblk_udp - all of them
 * @loop: libuv's
 * @receive: called for each datagram
 * @ctx: its argument
 * @socket: by number of the network
 */
struct rblk_udp {
	uv_loop_t *loop;
	rblk_udp_receive_fn receive;
	void *ctx;
	struct rblk_udp_socket socket[RBLK_DETECTOR_PATHS];
};

/**
 * rblk_udp_init - none is open
 * @u: filled in
 * @loop: libuv's
 * @receive: called for each datagram
 * @ctx: its argument
 */
void rblk_udp_init(struct rblk_udp *u, uv_loop_t *loop,
		   rblk_udp_receive_fn receive, void *ctx);

/**
 * rblk_udp_listen - receive there instead of where it did
 * @u: the sockets
 * @path: which of them
 * @addr: address and port; NULL: nowhere
 *
 * Return: 0, or a negative errno: then it is where it was.
 */
int rblk_udp_listen(struct rblk_udp *u, unsigned int path,
		    const struct sockaddr_storage *addr);

/**
 * rblk_udp_send - send a datagram, now or never
 * @u: the sockets
 * @path: on which network
 * @addr: to whom
 * @bytes: it
 * @n: how many
 *
 * Return: whether it left.
 */
bool rblk_udp_send(struct rblk_udp *u, unsigned int path,
		   const struct sockaddr_storage *addr, const uint8_t *bytes,
		   size_t n);

/**
 * rblk_udp_close - close them all
 * @u: the sockets
 */
void rblk_udp_close(struct rblk_udp *u);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockopt.h - plain socket chores
 */
#ifndef RBLK_SOCKOPT_H
#define RBLK_SOCKOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

socklen_t rblk_sockopt_len(const struct sockaddr_storage *addr);

/* "10.0.0.1:7790", "[fd00::1]:7790" */
const char *rblk_sockopt_name(const struct sockaddr_storage *addr,
			      socklen_t len, char *buf, size_t size);

/* The address at the other end of a connection, in figures; false: it has none. */
bool rblk_sockopt_peer_host(int fd, char *buf, size_t size);

/* A nonblocking listening socket, or a negative errno. */
int rblk_sockopt_listen(const struct sockaddr_storage *addr);

/*
 * What a link needs: no delay, keepalive while idle, an end to unanswered
 * data after @timeout_ms, and blocking mode.
 */
void rblk_sockopt_prepare_link(int fd, uint32_t timeout_ms);

#endif

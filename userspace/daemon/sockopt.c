// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sockopt.c - plain socket chores
 */
#include "sockopt.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define BACKLOG		64
#define KEEPALIVE_PROBES	3

socklen_t rblk_sockopt_len(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					     sizeof(struct sockaddr_in);
}

const char *rblk_sockopt_name(const struct sockaddr_storage *addr,
			      socklen_t len, char *buf, size_t size)
{
	char host[64], port[8];

	if (getnameinfo((const struct sockaddr *)addr, len, host, sizeof(host),
			port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		return rblk_text_format(buf, size, "?");
	return rblk_text_format(buf, size, addr->ss_family == AF_INET6 ?
				"[%s]:%s" : "%s:%s", host, port);
}

bool rblk_sockopt_peer_host(int fd, char *buf, size_t size)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	return !getpeername(fd, (struct sockaddr *)&addr, &len) &&
	       !getnameinfo((struct sockaddr *)&addr, len, buf, size, NULL, 0,
			    NI_NUMERICHOST);
}

int rblk_sockopt_listen(const struct sockaddr_storage *addr)
{
	int fd = socket(addr->ss_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;
	int rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (addr->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)addr, rblk_sockopt_len(addr)) ||
	    listen(fd, BACKLOG)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static void set_tcp(int fd, int option, int value)
{
	/* each is an improvement, none a necessity */
	(void)setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value));
}

void rblk_sockopt_prepare_link(int fd, uint32_t timeout_ms)
{
	int seconds = (timeout_ms + 999) / 1000;
	int probe = seconds / (KEEPALIVE_PROBES + 1);
	int one = 1;

	if (probe < 1)
		probe = 1;
	set_tcp(fd, TCP_NODELAY, 1);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	set_tcp(fd, TCP_KEEPIDLE, probe);
	set_tcp(fd, TCP_KEEPINTVL, probe);
	set_tcp(fd, TCP_KEEPCNT, KEEPALIVE_PROBES);
	set_tcp(fd, TCP_USER_TIMEOUT, timeout_ms);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

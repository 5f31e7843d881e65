// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mitm.c - stand between two TCP ends and damage what passes
 *
 *   mitm LISTEN-ADDR PORT TO-ADDR PORT
 *
 * Passes on both ways whatever arrives, for any number of connections. After
 * SIGUSR1 it flips one bit in the middle of the next piece of at least 8 KiB
 * that goes from the caller to the called, once, and says so.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PAIRS	64
#define PIECE		65536
#define LONG		8192

static volatile sig_atomic_t armed;

/* [0] called us, [1] is called by us; -1: free */
static int pair[MAX_PAIRS][2];

static void arm(int signum)
{
	(void)signum;
	armed = 1;
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(atoi(port)),
	};

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1) {
		fprintf(stderr, "mitm: bad address %s\n", host);
		exit(2);
	}
	return a;
}

static int checked(int rc, const char *what)
{
	if (rc < 0) {
		perror(what);
		exit(1);
	}
	return rc;
}

static void hang_up(int i)
{
	close(pair[i][0]);
	close(pair[i][1]);
	pair[i][0] = pair[i][1] = -1;
}

static void take_call(int listener, const struct sockaddr_in *to)
{
	int caller = checked(accept(listener, NULL, NULL), "accept");
	int called = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	int i = 0;

	while (i < MAX_PAIRS && pair[i][0] >= 0)
		i++;
	if (i == MAX_PAIRS ||
	    connect(called, (const struct sockaddr *)to, sizeof(*to)) < 0) {
		close(caller);
		close(called);
		return;
	}
	pair[i][0] = caller;
	pair[i][1] = called;
}

static int pass_on(int from, int to, int may_damage)
{
	static char buf[PIECE];
	ssize_t done = 0, n = recv(from, buf, sizeof(buf), 0);

	if (n <= 0)
		return -1;
	if (may_damage && armed && n >= LONG) {
		buf[n / 2] ^= 0x10;
		armed = 0;
		puts("damaged");
		fflush(stdout);
	}
	while (done < n) {
		ssize_t sent = send(to, buf + done, n - done, MSG_NOSIGNAL);

		if (sent < 0)
			return -1;
		done += sent;
	}
	return 0;
}

static void serve(int listener, const struct sockaddr_in *to)
{
	struct pollfd fds[1 + 2 * MAX_PAIRS];
	int i, side;

	fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
	for (i = 0; i < 2 * MAX_PAIRS; i++)
		fds[1 + i] = (struct pollfd){
			.fd = pair[i / 2][i % 2], .events = POLLIN,
		};
	if (poll(fds, 1 + 2 * MAX_PAIRS, -1) < 0) {
		if (errno != EINTR)
			checked(-1, "poll");
		return;
	}
	for (i = 0; i < MAX_PAIRS; i++)
		for (side = 0; side < 2 && pair[i][0] >= 0; side++)
			if (fds[1 + 2 * i + side].revents &&
			    pass_on(pair[i][side], pair[i][!side],
				    side == 0) < 0)
				hang_up(i);
	if (fds[0].revents)
		take_call(listener, to);
}

int main(int argc, char **argv)
{
	struct sigaction on_usr1 = { .sa_handler = arm };
	struct sockaddr_in from, to;
	int listener, one = 1;

	if (argc != 5) {
		fputs("usage: mitm LISTEN-ADDR PORT TO-ADDR PORT\n", stderr);
		return 2;
	}
	from = address(argv[1], argv[2]);
	to = address(argv[3], argv[4]);
	memset(pair, -1, sizeof(pair));
	sigaction(SIGUSR1, &on_usr1, NULL);
	listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	checked(bind(listener, (struct sockaddr *)&from, sizeof(from)), "bind");
	checked(listen(listener, 8), "listen");
	for (;;)
		serve(listener, &to);
}

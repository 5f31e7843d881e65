// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mitm.c - stand between two TCP ends and damage what passes
 *
 *   mitm LISTEN-ADDR PORT TO-ADDR PORT [ORDER-FILE]
 *
 * Passes on both ways whatever arrives, for any number of connections. After
 * SIGUSR1 it flips one bit in the middle of the next piece of at least 8 KiB
 * that goes from the caller to the called, once, and says so.
 *
 * After SIGUSR2 it reads "TYPE SIDE NTH [FLAGS] [hold]" from ORDER-FILE: the Nth
 * message of that type, which has all these flags, from the caller (0) or from the
 * called (1) is not passed on, nor is anything after it: both ends are hung up on. Or,
 * with "hold", nothing is passed on until SIGUSR1; then all is. It says so, once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PAIRS	64
#define PIECE		65536
#define LONG		8192
#define ANSWER_MS	5000	/* what is not answered for so long is a lost end */

static volatile sig_atomic_t armed;

/* [0] called us, [1] is called by us; -1: free */
static int pair[MAX_PAIRS][2];

static volatile sig_atomic_t has_orders;
static const char *order_path;
static struct {
	unsigned int type, side, nth, flags;	/* nth 0: none */
	bool hold;
} order;

/* A header of the protocol (Documentation/wire.rst), and what to skip to the next. */
#define HEADER		64
static const unsigned char magic[4] = { 'r', 'B', 'L', 'K' };

/* Where one direction of a pair is; before the first header: the daemons' words. */
static struct stream {
	unsigned char head[HEADER];
	unsigned int got;
	uint32_t payload;
} stream[MAX_PAIRS][2];

static void arm(int signum)
{
	if (signum == SIGUSR1)
		armed = 1;
	else
		has_orders = 1;
}

static void take_orders(void)
{
	FILE *f = fopen(order_path, "r");
	char word[8] = "";

	has_orders = 0;
	order.flags = 0;
	if (!f || fscanf(f, "%u %u %u %u %7s", &order.type, &order.side,
			 &order.nth, &order.flags, word) < 3) {
		fprintf(stderr, "mitm: no orders in %s\n", order_path);
		exit(1);
	}
	fclose(f);
	order.hold = !strcmp(word, "hold");
	puts("ready");
	fflush(stdout);
}

static bool is_ordered(const struct stream *s, unsigned int side)
{
	uint16_t flags;

	memcpy(&flags, s->head + 6, sizeof(flags));
	return order.nth && s->head[4] == order.type && side == order.side &&
	       (flags & order.flags) == order.flags && !--order.nth;
}

/* Return: how many of the @n bytes are before the message that was ordered. */
static ssize_t before_ordered(struct stream *s, unsigned int side,
			      const unsigned char *buf, ssize_t n)
{
	ssize_t before = n;

	for (ssize_t i = 0; i < n; i++) {
		if (s->payload) {
			s->payload--;
			continue;
		}
		s->head[s->got] = buf[i];
		if (s->got < sizeof(magic) && buf[i] != magic[s->got]) {
			s->got = buf[i] == magic[0];
			continue;
		}
		if (++s->got < HEADER)
			continue;
		s->got = 0;
		memcpy(&s->payload, s->head + 8, sizeof(s->payload));
		if (is_ordered(s, side))
			before = i + 1 < HEADER ? 0 : i + 1 - HEADER;
	}
	return before;
}

/* Until SIGUSR1, which is then no order to damage anything. */
static void hold(void)
{
	armed = 0;
	printf("held %u\n", order.type);
	fflush(stdout);
	while (!armed)
		poll(NULL, 0, 20);
	armed = 0;
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

/* Else a link that is cut would hold up who calls again. */
static void expect_answers(int fd)
{
	unsigned int ms = ANSWER_MS;

	checked(setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms)),
		"TCP_USER_TIMEOUT");
}

static void take_call(int listener, const struct sockaddr_in *to)
{
	int caller = checked(accept(listener, NULL, NULL), "accept");
	int called = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	int i = 0;

	expect_answers(caller);
	expect_answers(called);
	while (i < MAX_PAIRS && pair[i][0] >= 0)
		i++;
	if (i == MAX_PAIRS ||
	    connect(called, (const struct sockaddr *)to, sizeof(*to)) < 0) {
		close(caller);
		close(called);
		return;
	}
	memset(stream[i], 0, sizeof(stream[i]));
	pair[i][0] = caller;
	pair[i][1] = called;
}

static bool send_all(int to, const char *buf, ssize_t n)
{
	ssize_t done = 0;

	while (done < n) {
		ssize_t sent = send(to, buf + done, n - done, MSG_NOSIGNAL);

		if (sent < 0)
			return false;
		done += sent;
	}
	return true;
}

static int pass_on(int i, int side)
{
	int from = pair[i][side], to = pair[i][!side], may_damage = !side;
	static char buf[PIECE];
	ssize_t n = recv(from, buf, sizeof(buf), 0), first;

	if (n <= 0)
		return -1;
	first = before_ordered(&stream[i][side], side, (unsigned char *)buf, n);
	if (may_damage && armed && first >= LONG) {
		buf[first / 2] ^= 0x10;
		armed = 0;
		puts("damaged");
		fflush(stdout);
	}
	if (!send_all(to, buf, first))
		return -1;
	if (first == n)
		return 0;
	if (order.hold) {
		hold();
		return send_all(to, buf + first, n - first) ? 0 : -1;
	}
	printf("dropped %u\n", order.type);
	fflush(stdout);
	return -1;
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
			    pass_on(i, side) < 0)
				hang_up(i);
	if (fds[0].revents)
		take_call(listener, to);
}

int main(int argc, char **argv)
{
	struct sigaction on_signal = { .sa_handler = arm };
	struct sockaddr_in from, to;
	int listener, one = 1;

	if (argc != 5 && argc != 6) {
		fputs("usage: mitm LISTEN-ADDR PORT TO-ADDR PORT [ORDER-FILE]\n",
		      stderr);
		return 2;
	}
	from = address(argv[1], argv[2]);
	to = address(argv[3], argv[4]);
	memset(pair, -1, sizeof(pair));
	sigaction(SIGUSR1, &on_signal, NULL);
	order_path = argv[5];
	if (order_path)
		sigaction(SIGUSR2, &on_signal, NULL);
	listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	checked(bind(listener, (struct sockaddr *)&from, sizeof(from)), "bind");
	checked(listen(listener, 8), "listen");
	for (;;) {
		if (has_orders)
			take_orders();
		serve(listener, &to);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What TCP alone can do between two nodes: the limit for a replicated write.
 *
 *   tcplimit serve ADDR PORT
 *   tcplimit pingpong ADDR PORT SECONDS REQUEST REPLY
 *       send REQUEST bytes, wait for REPLY bytes, again and again
 *       prints: round trips/s, their mean, median and 99th percentile in us
 *   tcplimit stream ADDR PORT SECONDS CHUNK
 *       send chunks, until the other side has read them all
 *       prints: MB/s (10^6 bytes)
 *   tcplimit quiet MILLISECONDS FILE...
 *       wait until no device of these files, /proc/PID/net/dev, has carried a
 *       byte for that time
 *
 * One connection at a time, TCP_NODELAY, no other options.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What the client announces; then it talks. reply 0: count, do not answer. */
struct plan {
	uint32_t request;
	uint32_t reply;
};

enum { CHUNK_MAX = 1 << 20, SAMPLES_MAX = 1 << 20 };

static char buf[CHUNK_MAX];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Return: 0, or -1 at the end of the stream. */
static int read_exact(int fd, size_t len)
{
	while (len) {
		ssize_t n = recv(fd, buf, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("recv");
		if (n == 0)
			return -1;
		len -= n;
	}
	return 0;
}

static void write_exact(int fd, const void *from, size_t len)
{
	while (len) {
		ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			die("send");
		if (n > 0)
			len -= n;
	}
}

static struct sockaddr_in address(char **argv)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(argv[1])),
	};

	if (inet_pton(AF_INET, argv[0], &sa.sin_addr) != 1) {
		fprintf(stderr, "no address: %s\n", argv[0]);
		exit(2);
	}
	return sa;
}

static void serve_one(int fd)
{
	struct plan plan;
	ssize_t n;

	if (recv(fd, &plan, sizeof(plan), MSG_WAITALL) != sizeof(plan))
		return;
	if (plan.request > CHUNK_MAX || plan.reply > CHUNK_MAX)
		return;
	if (plan.reply) {
		while (read_exact(fd, plan.request) == 0)
			write_exact(fd, buf, plan.reply);
		return;
	}
	/* the end of the stream is what gets the one answer */
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		;
	write_exact(fd, buf, 1);
}

static int serve(char **argv)
{
	struct sockaddr_in sa = address(argv);
	int one = 1, fd, lfd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(lfd, (void *)&sa, sizeof(sa)) || listen(lfd, 4))
		die("bind");
	while ((fd = accept(lfd, NULL, NULL)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		serve_one(fd);
		close(fd);
	}
	die("accept");
	return 1;
}

static int call(char **argv, struct plan plan)
{
	struct sockaddr_in sa = address(argv);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (void *)&sa, sizeof(sa)))
		die("connect");
	write_exact(fd, &plan, sizeof(plan));
	return fd;
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static int pingpong(char **argv)
{
	struct plan plan = { .request = atoi(argv[3]), .reply = atoi(argv[4]) };
	double begin, end, before, after = 0;
	static float us[SAMPLES_MAX];
	int fd, n = 0;

	if (plan.request > CHUNK_MAX || !plan.reply || plan.reply > CHUNK_MAX)
		return 2;
	fd = call(argv, plan);
	/* past slow start and cold caches */
	for (int i = 0; i < 10; i++) {
		write_exact(fd, buf, plan.request);
		read_exact(fd, plan.reply);
	}
	begin = before = now();
	end = begin + atof(argv[2]);
	while (before < end && n < SAMPLES_MAX) {
		write_exact(fd, buf, plan.request);
		if (read_exact(fd, plan.reply))
			return 1;
		after = now();
		us[n++] = (after - before) * 1e6;
		before = after;
	}
	qsort(us, n, sizeof(*us), ascending);
	printf("%.1f %.1f %.1f %.1f\n", n / (after - begin),
	       (after - begin) * 1e6 / n, us[n / 2], us[n * 99L / 100]);
	return 0;
}

static int stream(char **argv)
{
	struct plan plan = { .request = atoi(argv[3]) };
	double begin, end, bytes = 0;
	int fd;

	if (!plan.request || plan.request > CHUNK_MAX)
		return 2;
	fd = call(argv, plan);
	begin = now();
	end = begin + atof(argv[2]);
	while (now() < end) {
		write_exact(fd, buf, plan.request);
		bytes += plan.request;
	}
	shutdown(fd, SHUT_WR);
	if (read_exact(fd, 1))
		return 1;
	printf("%.2f\n", bytes / (now() - begin) / 1e6);
	return 0;
}

/* The bytes that all devices of a /proc/PID/net/dev received and sent. */
static unsigned long long bytes_of(const char *path)
{
	unsigned long long rx, tx, sum = 0;
	char line[512], *numbers;
	FILE *f = fopen(path, "r");

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		numbers = strchr(line, ':');
		if (numbers && sscanf(numbers + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu",
				      &rx, &tx) == 2)
			sum += rx + tx;
	}
	fclose(f);
	return sum;
}

static int quiet(int argc, char **argv)
{
	unsigned long long sum, before = -1ULL;

	for (;; before = sum) {
		sum = 0;
		for (int i = 1; i < argc; i++)
			sum += bytes_of(argv[i]);
		if (sum == before)
			return 0;
		usleep(atoi(argv[0]) * 1000);
	}
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "serve"))
		return serve(argv + 2);
	if (argc == 7 && !strcmp(argv[1], "pingpong"))
		return pingpong(argv + 2);
	if (argc == 6 && !strcmp(argv[1], "stream"))
		return stream(argv + 2);
	if (argc >= 4 && !strcmp(argv[1], "quiet"))
		return quiet(argc - 2, argv + 2);
	fprintf(stderr, "usage: tcplimit serve|pingpong|stream ADDR PORT ...\n"
			"       tcplimit quiet MILLISECONDS FILE...\n");
	return 2;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's side of a guest.
 *
 *   host run DIR PID COMMAND    run a shell command in the guest, exit as it does
 *   host qmp SOCKET JSON        one command to QEMU's control socket
 *   host now                    this machine's time since boot, in nanoseconds
 *   host clock DIR              answer a guest that asks for that time, as long as
 *                               the guest lives
 *
 * DIR holds the pipes cmdN.in and cmdN.out of the command channel; PID is
 * QEMU's. Exit status 255: the guest is gone.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "channel.h"

enum { CHANNELS = 8, GONE = 255 };

static pid_t qemu;
static int in = -1, out = -1;
static char busy[4096];

static void gone(void)
{
	unlink(busy);
	exit(GONE);
}

/* Read exactly len bytes, or give up when QEMU has ended. */
static void from_guest(void *data, size_t len)
{
	char *p = data;

	while (len) {
		struct pollfd pfd = { .fd = out, .events = POLLIN };
		ssize_t n;

		if (poll(&pfd, 1, 200) == 0) {
			if (kill(qemu, 0))
				gone();
			continue;
		}
		n = read(out, p, len);
		if (n == 0 && kill(qemu, 0))
			gone();
		if (n == 0) {
			usleep(20000);	/* QEMU has not opened it yet */
			continue;
		}
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			gone();
		p += n;
		len -= n;
	}
}

/*
 * Take a channel that nobody uses. One whose command was abandoned stays
 * marked busy: its agent may be stuck for ever.
 */
static int take_channel(const char *dir)
{
	char path[4096];

	for (int i = 0; i < CHANNELS; i++) {
		int fd;

		snprintf(busy, sizeof(busy), "%s/cmd%d.busy", dir, i);
		fd = open(busy, O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (fd < 0)
			continue;
		close(fd);
		snprintf(path, sizeof(path), "%s/cmd%d.in", dir, i);
		in = open(path, O_RDWR);
		snprintf(path, sizeof(path), "%s/cmd%d.out", dir, i);
		out = open(path, O_RDONLY | O_NONBLOCK);
		if (in < 0 || out < 0) {
			perror(path);
			return -1;
		}
		return 0;
	}
	fprintf(stderr, "%s: every command channel is busy\n", dir);
	return -1;
}

static int run(const char *dir, const char *command)
{
	static char buf[65536];
	struct request r = { .len = strlen(command) };
	struct timespec now;
	struct answer a;
	int32_t code;

	if (take_channel(dir))
		return GONE;
	clock_gettime(CLOCK_MONOTONIC, &now);
	r.id = (uint32_t)getpid() ^ (uint32_t)now.tv_nsec;
	if (write_all(in, &r, sizeof(r)) || write_all(in, command, r.len))
		gone();

	for (;;) {
		from_guest(&a, sizeof(a));
		if (a.len > sizeof(buf)) {
			fprintf(stderr, "%s: the channel is out of step\n", dir);
			return GONE;
		}
		from_guest(buf, a.len);
		if (a.id != r.id)
			continue;
		if (a.type == ANSWER_EXIT)
			break;
		write_all(a.type == ANSWER_STDERR ? 2 : 1, buf, a.len);
	}
	unlink(busy);
	memcpy(&code, buf, sizeof(code));
	return code;
}

static int qmp(const char *path, const char *command)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char line[65536];
	FILE *f;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		perror(path);
		return 1;
	}
	f = fdopen(fd, "r+");
	if (!f || !fgets(line, sizeof(line), f))
		return 1;
	dprintf(fd, "{\"execute\":\"qmp_capabilities\"}\n%s\n", command);
	for (int replies = 0; replies < 2 && fgets(line, sizeof(line), f);) {
		if (strstr(line, "\"error\"")) {
			fputs(line, stderr);
			return 1;
		}
		replies += !strncmp(line, "{\"return\"", 9);
	}
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Guests have clocks of their own; what they do is compared by this one. */
static int serve_clock(const char *dir)
{
	char path[4096], question;
	uint64_t now;

	snprintf(path, sizeof(path), "%s/clock.in", dir);
	in = open(path, O_RDWR);
	snprintf(path, sizeof(path), "%s/clock.out", dir);
	out = open(path, O_RDONLY);
	if (in < 0 || out < 0) {
		perror(path);
		return 1;
	}
	while (read(out, &question, 1) == 1) {
		now = now_ns();
		if (write_all(in, &now, sizeof(now)))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "run")) {
		qemu = atoi(argv[3]);
		return run(argv[2], argv[4]);
	}
	if (argc == 4 && !strcmp(argv[1], "qmp"))
		return qmp(argv[2], argv[3]);
	if (argc == 2 && !strcmp(argv[1], "now")) {
		printf("%" PRIu64 "\n", now_ns());
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "clock"))
		return serve_clock(argv[2]);
	fprintf(stderr, "usage: host run DIR PID COMMAND | qmp SOCKET JSON | now | clock DIR\n");
	return 2;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an application sees of a change of the primary, for scripts/bench-failover.
 *
 *   takeover await DEVICE RECORD
 *	try to open and write DEVICE, around the page cache, until that is
 *	acknowledged; then append a line to RECORD
 *   takeover kill PID RECORD SECONDS
 *	kill -9 PID; print how many milliseconds later RECORD has grown
 *   takeover move FROM TO RUN_DIR RESOURCE
 *	write to FROM for a while, let go of it, ask the daemon of RUN_DIR to be
 *	primary, and try to write to TO; print the milliseconds from the last write
 *	that was acknowledged before to the first one after, and, of them, when the
 *	daemon answered; exit code 3 if it refused
 *
 * All times are of CLOCK_BOOTTIME.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES	4096
#define RETRY_US	2000
#define LOOK_US		1000
#define BEFORE_NS	200000000ULL
#define MOVE_S		60		/* after which it is a failure */
#define REFUSED		3		/* what it ends with */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double ms_between(uint64_t from_ns, uint64_t to_ns)
{
	return (double)(int64_t)(to_ns - from_ns) / 1e6;
}

static bool write_block(int fd)
{
	static char block[BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));

	return pwrite(fd, block, sizeof(block), 0) == sizeof(block);
}

/* The moment of the first write that was acknowledged. */
static uint64_t first_write_ns(const char *device)
{
	bool done;
	int fd;

	for (;;) {
		fd = open(device, O_RDWR | O_DIRECT);
		if (fd >= 0) {
			done = write_block(fd);
			close(fd);
			if (done)
				return now_ns();
		}
		usleep(RETRY_US);
	}
}

static int await(const char *device, const char *record)
{
	int out = open(record, O_WRONLY | O_APPEND);
	char line[32];
	int n;

	if (out < 0)
		die(record);
	n = snprintf(line, sizeof(line), "%" PRIu64 "\n", first_write_ns(device));
	return write(out, line, n) != n;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

static int kill_and_wait(pid_t pid, const char *record, unsigned int seconds)
{
	off_t before = size_of(record);
	uint64_t killed;

	if (kill(pid, SIGKILL) < 0)
		die("kill");
	killed = now_ns();
	while (size_of(record) == before) {
		if (now_ns() - killed > seconds * 1000000000ULL) {
			fprintf(stderr, "no write in %u s\n", seconds);
			return 1;
		}
		usleep(LOOK_US);
	}
	printf("%.1f\n", ms_between(killed, now_ns()));
	return 0;
}

static int ask_to_promote(const char *run_dir, const char *resource)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char text[256];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int n;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/control.sock", run_dir);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die(addr.sun_path);
	n = snprintf(text, sizeof(text),
		     "{\"schema\":\"rblk.control/1\",\"verb\":\"promote\",\"resource\":\"%s\"}\n",
		     resource);
	if (write(fd, text, n) != n)
		die("asking");
	return fd;
}

struct answer {
	int fd;
	uint64_t came_ns;
	char text[512];
};

static void *await_answer(void *data)
{
	struct answer *a = data;
	ssize_t n = read(a->fd, a->text, sizeof(a->text) - 1);

	a->came_ns = now_ns();
	a->text[n > 0 ? n : 0] = '\0';
	if (!strstr(a->text, "\"code\":0")) {
		fputs(a->text, stderr);
		exit(REFUSED);
	}
	return NULL;
}

static int move(const char *from, const char *to, const char *run_dir,
		const char *resource)
{
	struct answer answer = { .fd = -1 };
	uint64_t begun = now_ns(), last = 0, first;
	int fd = open(from, O_RDWR | O_DIRECT);
	pthread_t thread;

	if (fd < 0)
		die(from);
	while (now_ns() - begun < BEFORE_NS) {
		if (!write_block(fd))
			die(from);
		last = now_ns();
	}
	close(fd);
	alarm(MOVE_S);
	answer.fd = ask_to_promote(run_dir, resource);
	if (pthread_create(&thread, NULL, await_answer, &answer))
		return 1;
	first = first_write_ns(to);
	pthread_join(thread, NULL);
	printf("%.1f %.1f\n", ms_between(last, first), ms_between(last, answer.came_ns));
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "await") && argc == 4)
		return await(argv[2], argv[3]);
	if (!strcmp(what, "kill") && argc == 5)
		return kill_and_wait(atoi(argv[2]), argv[3], atoi(argv[4]));
	if (!strcmp(what, "move") && argc == 6)
		return move(argv[2], argv[3], argv[4], argv[5]);
	fputs("usage: see the head of takeover.c\n", stderr);
	return 2;
}

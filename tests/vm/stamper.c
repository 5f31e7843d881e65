// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An application that says when it was served. It writes and reads one block, in
 * turn, around the page cache, and appends a line per operation that succeeded:
 *
 *   stamper DEVICE FILE [BLOCK [r|w|rw [CLOCK]]]	r or w: only reads, only writes
 *
 *   "w 123456789 123460000 17"  what, begun and ended (CLOCK_BOOTTIME, ns), number
 *
 * A primary that is cut off waits for its peers with each write, but reads for as long as
 * it may. With CLOCK, a guest's /dev/clock, the times are the host's: the operation came
 * after the first and had succeeded before the second.
 *
 * A device that cannot be opened, or fails, is tried again, for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"

#define BLOCK_BYTES	4096
#define PAUSE_US	5000
#define CLOSED_US	50000	/* each attempt to open is a line in the kernel's log */

static int host_clock = -1;

static uint64_t now_ns(void)
{
	struct timespec now;
	uint64_t host_ns;

	if (host_clock >= 0) {
		if (write(host_clock, "?", 1) != 1 ||
		    read_all(host_clock, &host_ns, sizeof(host_ns)))
			exit(1);
		return host_ns;
	}
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void say(int out, char what, uint64_t begun, uint64_t number)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "%c %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			 what, begun, now_ns(), number);

	if (write(out, line, n) != n)
		exit(1);
}

static bool write_one(int fd, int out, off_t at, uint64_t *block, uint64_t number)
{
	uint64_t begun = now_ns();

	block[0] = number;
	if (pwrite(fd, block, BLOCK_BYTES, at) != BLOCK_BYTES)
		return false;
	say(out, 'w', begun, number);
	return true;
}

static bool read_one(int fd, int out, off_t at, uint64_t *block)
{
	uint64_t begun = now_ns();

	if (pread(fd, block, BLOCK_BYTES, at) != BLOCK_BYTES)
		return false;
	say(out, 'r', begun, block[0]);
	return true;
}

/* Until it fails. */
static void use(int fd, int out, off_t at, uint64_t *block, uint64_t *number, char only)
{
	for (;;) {
		if (only != 'r' && !write_one(fd, out, at, block, ++*number))
			return;
		if (only != 'w' && !read_one(fd, out, at, block))
			return;
		usleep(PAUSE_US);
	}
}

int main(int argc, char **argv)
{
	off_t at = argc > 3 ? atoll(argv[3]) * BLOCK_BYTES : 0;
	char only = argc > 4 && !argv[4][1] ? argv[4][0] : '\0';
	uint64_t *block, number;
	int fd, out;

	if (argc < 3)
		return 2;
	if (argc > 5) {
		host_clock = open(argv[5], O_RDWR);
		if (host_clock < 0) {
			perror(argv[5]);
			return 1;
		}
	}
	out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
	block = aligned_alloc(BLOCK_BYTES, BLOCK_BYTES);
	if (out < 0 || !block)
		return 1;
	memset(block, 0, BLOCK_BYTES);
	number = now_ns();
	for (;;) {
		fd = open(argv[1], O_RDWR | O_DIRECT);
		if (fd >= 0) {
			use(fd, out, at, block, &number, only);
			close(fd);
		}
		usleep(CLOSED_US);
	}
}

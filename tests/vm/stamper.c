// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An application that says when it was served. It writes and reads one block, in
 * turn, around the page cache, and appends a line per operation that succeeded:
 *
 *   stamper DEVICE FILE [BLOCK]
 *
 *   "w 123456789 123460000 17"  what, begun and ended (CLOCK_BOOTTIME, ns), number
 *
 * A device that cannot be opened, or fails, is tried again, for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES	4096
#define PAUSE_US	5000
#define CLOSED_US	50000	/* each attempt to open is a line in the kernel's log */

static uint64_t now_ns(void)
{
	struct timespec now;

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

/* Until it fails. */
static void use(int fd, int out, off_t at, uint64_t *block, uint64_t *number)
{
	uint64_t begun;

	for (;;) {
		begun = now_ns();
		block[0] = ++*number;
		if (pwrite(fd, block, BLOCK_BYTES, at) != BLOCK_BYTES)
			return;
		say(out, 'w', begun, *number);
		begun = now_ns();
		if (pread(fd, block, BLOCK_BYTES, at) != BLOCK_BYTES)
			return;
		say(out, 'r', begun, block[0]);
		usleep(PAUSE_US);
	}
}

int main(int argc, char **argv)
{
	off_t at = argc > 3 ? atoll(argv[3]) * BLOCK_BYTES : 0;
	uint64_t *block, number = now_ns();
	int fd, out;

	if (argc < 3)
		return 2;
	out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
	block = aligned_alloc(BLOCK_BYTES, BLOCK_BYTES);
	if (out < 0 || !block)
		return 1;
	memset(block, 0, BLOCK_BYTES);
	for (;;) {
		fd = open(argv[1], O_RDWR | O_DIRECT);
		if (fd >= 0) {
			use(fd, out, at, block, &number);
			close(fd);
		}
		usleep(CLOSED_US);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An application that changes its data while they are being written.
 *
 *   rewriter direct DEVICE COUNT    O_DIRECT writes of 64 KiB from one buffer
 *   rewriter mmap FILE COUNT        a shared mapping, and msync() of all of it
 *
 * A second thread rewrites the buffer, or the mapping, all the time.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECE = 64 << 10, AREA = 2 << 20 };

static volatile uint64_t *data;
static size_t words;
static atomic_bool stop;
static atomic_ulong rounds;

static void die(const char *what)
{
	fprintf(stderr, "rewriter: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *rewrite(void *unused)
{
	(void)unused;
	for (uint64_t n = 1; !atomic_load(&stop); n++) {
		for (size_t i = 0; i < words; i += 16)
			data[i] = n;
		atomic_fetch_add(&rounds, 1);
	}
	return NULL;
}

static void write_direct(int fd, unsigned long count)
{
	for (unsigned long n = 0; n < count; n++)
		if (pwrite(fd, (void *)data, PIECE, n % (AREA / PIECE) * PIECE) != PIECE)
			die("write");
}

static void write_mapping(unsigned long count)
{
	for (unsigned long n = 0; n < count; n++)
		if (msync((void *)data, AREA, MS_SYNC))
			die("msync");
}

int main(int argc, char **argv)
{
	int mapped = argc == 4 && !strcmp(argv[1], "mmap"), fd;
	unsigned long count;
	pthread_t thread;

	if (argc != 4 || (!mapped && strcmp(argv[1], "direct"))) {
		fprintf(stderr, "usage: rewriter direct|mmap PATH COUNT\n");
		return 2;
	}
	count = strtoul(argv[3], NULL, 0);
	fd = open(argv[2], O_RDWR | (mapped ? 0 : O_DIRECT));
	if (fd < 0)
		die(argv[2]);
	data = mmap(NULL, mapped ? AREA : PIECE, PROT_READ | PROT_WRITE,
		    mapped ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, mapped ? fd : -1, 0);
	if (data == MAP_FAILED)
		die("mmap");
	words = (mapped ? AREA : PIECE) / sizeof(*data);
	if (pthread_create(&thread, NULL, rewrite, NULL))
		die("thread");
	if (mapped)
		write_mapping(count);
	else
		write_direct(fd, count);
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	if (mapped)
		write_mapping(1);
	if (fsync(fd))
		die("fsync");
	printf("%lu writes, %lu times rewritten\n", count, atomic_load(&rounds));
	return 0;
}

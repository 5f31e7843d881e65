// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests that seldom occur, around the page cache of a block device: empty
 * flushes, single sectors, 4 MiB at once, hundreds of odd pieces in one call,
 * pages used in part, FUA, zeroing and discards of odd ranges. What is read
 * back must be what a model in memory holds.
 *
 *   oddwriter DEVICE SEED COUNT      exit status 0, or 1 and what differs
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SECTOR = 512, PAGE = 4096, BIG = 4 << 20, MAX_PIECES = 512 };

static const char *device;
static uint64_t seed;
static int fd;
static uint64_t size;
static unsigned char *model, *buf;
static bool can_discard;

static uint64_t random_below(uint64_t limit)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % limit;
}

static void die(const char *what)
{
	fprintf(stderr, "oddwriter: %s: %s: %s\n", device, what, strerror(errno));
	exit(1);
}

static void fill(unsigned char *p, uint64_t len)
{
	uint64_t word = random_below(UINT64_MAX);

	for (uint64_t i = 0; i < len; i += sizeof(word)) {
		word = word * UINT64_C(6364136223846793005) + 1442695040888963407;
		memcpy(p + i, &word, sizeof(word));
	}
}

/* A multiple of the sector size, so that [start, start + len) is inside. */
static uint64_t place(uint64_t len)
{
	return random_below((size - len) / SECTOR + 1) * SECTOR;
}

static void write_pieces(struct iovec *iov, int nr, bool fua)
{
	uint64_t len = 0, start, at;
	ssize_t n;

	for (int i = 0; i < nr; i++) {
		fill(iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	start = at = place(len);
	for (int i = 0; i < nr; i++) {
		memcpy(model + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	n = pwritev2(fd, iov, nr, start, fua ? RWF_DSYNC : 0);
	if (n != (ssize_t)len)
		die(n < 0 ? "write" : "a short write");
}

static void write_one(uint64_t offset, uint64_t len, bool fua)
{
	struct iovec iov = { buf + offset, len };

	write_pieces(&iov, 1, fua);
}

/* Each piece has a page of its own, begins somewhere in it, ends somewhere. */
static void write_odd(bool fua)
{
	struct iovec iov[MAX_PIECES];
	int nr = 1 + random_below(MAX_PIECES);

	for (int i = 0; i < nr; i++) {
		uint64_t first = random_below(PAGE / SECTOR);

		iov[i].iov_base = buf + i * PAGE + first * SECTOR;
		iov[i].iov_len = (1 + random_below(PAGE / SECTOR - first)) * SECTOR;
	}
	write_pieces(iov, nr, fua);
}

static void zero(bool discard)
{
	uint64_t len = (1 + random_below(4096)) * SECTOR;
	uint64_t range[2] = { place(len), len };

	if (discard && !can_discard)
		return;
	if (ioctl(fd, discard ? BLKDISCARD : BLKZEROOUT, range))
		die(discard ? "discard" : "zeroing");
	memset(model + range[0], 0, len);
}

static void step(void)
{
	bool fua = random_below(4) == 0;

	switch (random_below(9)) {
	case 0:
		if (fdatasync(fd))
			die("flush");
		break;
	case 1: write_one(0, SECTOR, fua); break;
	case 2: write_one(SECTOR * random_below(8), 3 * SECTOR, fua); break;
	case 3: write_one(0, BIG, fua); break;
	case 4: write_one(0, (1 << 20) + SECTOR, fua); break;
	case 5: write_one(7 * SECTOR, (1 << 20) - SECTOR, fua); break;
	case 6: write_odd(fua); break;
	case 7: zero(false); break;
	case 8: zero(true); break;
	}
}

static void compare(void)
{
	for (uint64_t at = 0; at < size; at += BIG) {
		uint64_t len = size - at < BIG ? size - at : BIG;

		if (pread(fd, buf, len, at) != (ssize_t)len)
			die("read");
		for (uint64_t i = 0; i < len; i += SECTOR) {
			if (!memcmp(buf + i, model + at + i, SECTOR))
				continue;
			fprintf(stderr, "oddwriter: sector %" PRIu64 " is not as written\n",
				(at + i) / SECTOR);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	uint64_t count, range[2] = { 0, 0 };

	if (argc != 4) {
		fprintf(stderr, "usage: oddwriter DEVICE SEED COUNT\n");
		return 2;
	}
	device = argv[1];
	seed = strtoull(argv[2], NULL, 0);
	count = strtoull(argv[3], NULL, 0);
	fd = open(device, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size))
		die("open");
	model = calloc(1, size);
	if (!model || size < BIG || posix_memalign((void **)&buf, PAGE, 2 * BIG))
		die("memory");
	range[1] = size;
	can_discard = !ioctl(fd, BLKDISCARD, range);
	if (ioctl(fd, BLKZEROOUT, range))
		die("zeroing");
	for (uint64_t i = 0; i < count; i++)
		step();
	compare();
	if (fsync(fd))
		die("flush");
	printf("%" PRIu64 " requests%s\n", count, can_discard ? ", with discards" : "");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A small database, as far as durability goes: it appends numbered records and
 * tells the number of each to somebody outside the machine, once fsync() has
 * said that the record is safe.
 *
 *   ackwriter write FILE ACKS [COUNT]   append; numbers go to ACKS, a line each
 *   ackwriter check FILE LAST           records 1..LAST must be there, intact
 *
 * Each 512-byte piece of a record says which record and which piece it is, so
 * a lost, stale, torn or misplaced sector shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECES = 4, WORDS = 512 / sizeof(uint64_t) };

#define MAGIC UINT64_C(0x72626c6b2d61636b)	/* "rblk-ack" */

struct record {
	struct piece {
		uint64_t magic;
		uint64_t number;
		uint64_t index;
		uint64_t pattern[WORDS - 3];
	} piece[PIECES];
};

/* splitmix64: every word of every record differs */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void make_record(struct record *r, uint64_t number)
{
	for (uint64_t i = 0; i < PIECES; i++) {
		struct piece *p = &r->piece[i];

		p->magic = MAGIC;
		p->number = number;
		p->index = i;
		for (uint64_t w = 0; w < WORDS - 3; w++)
			p->pattern[w] = mix((number * PIECES + i) * WORDS + w);
	}
}

static int do_write(const char *path, const char *acks_path, uint64_t count)
{
	int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	int acks = open(acks_path, O_WRONLY);
	struct record r;

	if (file < 0 || acks < 0) {
		fprintf(stderr, "%s: %s\n", file < 0 ? path : acks_path, strerror(errno));
		return 1;
	}
	for (uint64_t n = 1; n <= count; n++) {
		char line[32];
		int len = snprintf(line, sizeof(line), "%" PRIu64 "\n", n);

		make_record(&r, n);
		if (write(file, &r, sizeof(r)) != sizeof(r) || fsync(file)) {
			fprintf(stderr, "record %" PRIu64 ": %s\n", n, strerror(errno));
			return 1;
		}
		if (write(acks, line, len) != len)
			return 1;
	}
	return 0;
}

static int do_check(const char *path, uint64_t last)
{
	struct record want, got;
	uint64_t n, bad = 0, whole = 0;
	FILE *f = fopen(path, "r");

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	for (n = 1; fread(&got, sizeof(got), 1, f) == 1; n++) {
		make_record(&want, n);
		if (!memcmp(&want, &got, sizeof(got))) {
			whole++;
			continue;
		}
		/* nobody was told that a later one is safe */
		if (n > last)
			break;
		fprintf(stderr, "record %" PRIu64 " is damaged\n", n);
		bad++;
	}
	fclose(f);
	if (n <= last)
		fprintf(stderr, "records %" PRIu64 " to %" PRIu64 " are missing\n", n, last);
	printf("%" PRIu64 " acknowledged, %" PRIu64 " found intact\n", last, whole);
	return bad || n <= last;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && argc <= 5 && !strcmp(argv[1], "write"))
		return do_write(argv[2], argv[3],
				argc == 5 ? strtoull(argv[4], NULL, 10) : UINT64_MAX);
	if (argc == 4 && !strcmp(argv[1], "check"))
		return do_check(argv[2], strtoull(argv[3], NULL, 10));
	fprintf(stderr, "usage: ackwriter write FILE ACKS [COUNT] | check FILE LAST\n");
	return 2;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Take memory.
 *
 *   hog hold MEGABYTES     and keep it in memory until killed; says "held"
 *   hog check MEGABYTES    write all of it, then look at it from the end to the
 *                          beginning, so that what went to swap last comes back
 *                          last; exit status 1 when a page is not as written
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, STEP = 64 };

static uint64_t pattern(uint64_t page, uint64_t word)
{
	return (page << 16 ^ word) * UINT64_C(0x9e3779b97f4a7c15);
}

static void *take(uint64_t pages)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("hog: mmap");
		exit(1);
	}
	return p;
}

static int hold(uint64_t pages)
{
	void *p = take(pages);

	if (mlock(p, pages * PAGE)) {
		perror("hog: mlock");
		return 1;
	}
	puts("held");
	fflush(stdout);
	pause();
	return 0;
}

static int check(uint64_t pages)
{
	volatile uint64_t *p = take(pages);
	uint64_t i, word, bad = 0;

	for (i = 0; i < pages; i++)
		for (word = 0; word < PAGE / 8; word += STEP)
			p[i * PAGE / 8 + word] = pattern(i, word);
	for (i = pages; i-- > 0; )
		for (word = 0; word < PAGE / 8; word += STEP)
			bad += p[i * PAGE / 8 + word] != pattern(i, word);
	printf("%" PRIu64 " pages, %" PRIu64 " wrong\n", pages, bad);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	uint64_t pages = argc == 3 ? strtoull(argv[2], NULL, 0) * 256 : 0;

	if (pages && !strcmp(argv[1], "hold"))
		return hold(pages);
	if (pages && !strcmp(argv[1], "check"))
		return check(pages);
	fprintf(stderr, "usage: hog hold|check MEGABYTES\n");
	return 2;
}

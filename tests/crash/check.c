// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Judge what crash-writer left behind.
 *
 *   crash-check image HISTORY... --image PATH [--image PATH] [OPTION...]
 *   crash-check history HISTORY...          only what was read while it ran
 *   crash-check chain --blocks N --image PATH [--image PATH] [--first-seq N]
 *   crash-check watch --blocks N --seconds N --image PATH [--image PATH]
 *                                           the chain, on disks in use
 *   crash-check same PATH PATH [--blocks N]
 *   crash-check next-seq HISTORY...         the first number that is free
 *
 *   --policy A|B|C  what an acknowledgment promises of this image (C)
 *   --died          its machine lost power: unacknowledged writes may be torn
 *   --cache-lost    so did its disk: only what was flushed is promised
 *   --offset BYTES  where the data begins in the image
 *   --acks-until BYTES  what the last history says after that is no promise
 *
 * Histories are given in the order of their epochs; an image of each device.
 * Exit status: 0 as promised, 1 violations, 2 it could not be judged.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "verify.h"

static struct {
	const char *image[MAX_DEVS];
	unsigned int nr_images;
	char policy;
	bool died;
	bool cache_lost;
	uint64_t offset;
	uint64_t blocks;
	uint64_t first_seq;
	uint64_t acks_until;
	uint64_t seconds;
} opt = { .policy = 'C', .first_seq = 1, .acks_until = NEVER, .seconds = 10 };

static struct history history;
static struct verdict verdict;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "crash-check: %s: %s\n", what, why);
	exit(2);
}

static void usage(void)
{
	fprintf(stderr, "usage: crash-check image|history|chain|watch|same|next-seq ...\n");
	exit(2);
}

static int open_image(const char *path)
{
	/* around the page cache, where that is possible */
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0 && errno == EINVAL)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path, strerror(errno));
	return fd;
}

enum { CHUNK = 256 };

static size_t read_chunk(int fd, const char *path, void *buf, uint64_t block,
			 uint64_t nr)
{
	size_t want = (nr < CHUNK ? nr : CHUNK) * BLOCK, have = 0;

	while (have < want) {
		ssize_t n = pread(fd, (char *)buf + have, want - have,
				  opt.offset + block * BLOCK + have);

		if (n < 0)
			die(path, strerror(errno));
		if (n == 0)
			die(path, "is too short");
		have += n;
	}
	return want / BLOCK;
}

static void *buffer(void)
{
	void *buf;

	if (posix_memalign(&buf, BLOCK, CHUNK * BLOCK))
		die("memory", "none");
	return buf;
}

static struct seen *read_images(uint64_t blocks)
{
	struct seen *seen = calloc(opt.nr_images * blocks, sizeof(*seen));
	unsigned char *buf = buffer();

	if (!seen)
		die("memory", "none");
	for (unsigned int d = 0; d < opt.nr_images; d++) {
		int fd = open_image(opt.image[d]);
		uint64_t b = 0;

		while (b < blocks) {
			size_t n = read_chunk(fd, opt.image[d], buf, b, blocks - b);

			for (size_t i = 0; i < n; i++, b++)
				see_block(&seen[d * blocks + b], buf + i * BLOCK, d, b);
		}
		close(fd);
	}
	free(buf);
	return seen;
}

static void load(char **paths, int n)
{
	if (!n)
		usage();
	for (int i = 0; i < n; i++) {
		FILE *f = fopen(paths[i], "r");
		const char *error;

		if (!f)
			die(paths[i], strerror(errno));
		error = history_load(&history, f, i == n - 1 ? opt.acks_until : NEVER);
		if (error)
			die(paths[i], error);
		fclose(f);
	}
	history_finish(&history);
	verdict.out = stdout;
	verdict.start = history.opening[0].when;
}

static int conclude(void)
{
	unsigned int sum = history.bad_reads;

	if (history.bad_reads)
		printf("VIOLATION read: the writer read %u blocks that are no version of theirs\n",
		       history.bad_reads);
	for (int i = 0; i < NR_KINDS; i++) {
		sum += verdict.count[i];
		if (verdict.count[i])
			printf("%s: %u violations\n", kind_name[i], verdict.count[i]);
	}
	printf("%u violations\n", sum);
	return sum ? 1 : 0;
}

static void tell_history(void)
{
	size_t acked = 0;

	for (size_t i = 0; i < history.nr_versions; i++)
		acked += history.version[i].complete != NEVER;
	printf("%zu blocks written, %zu of them acknowledged; %zu read, %zu flushes, %zu openings\n",
	       history.nr_versions, acked, history.nr_reads, history.nr_flushes,
	       history.nr_openings);
}

static int check_image(void)
{
	bool cache_lost = opt.cache_lost || (opt.died && opt.policy == 'B');
	struct seen *seen;
	struct loss loss;

	if (opt.nr_images != history.nr_devs)
		die("--image", "one of each device is needed");
	seen = read_images(history.blocks);
	tell_history();
	if (opt.policy != 'A') {
		if (!cache_lost)
			verify_lost(&verdict, &history, seen);
		verify_flushed(&verdict, &history, seen);
	}
	verify_order(&verdict, &history, seen, cache_lost);
	verify_foreign(&verdict, &history, seen);
	verify_torn(&verdict, &history, seen, opt.died || cache_lost, cache_lost);
	verify_register(&verdict, &history, opt.policy != 'A');
	if (history.chain_first)
		verify_chain(&verdict, history.nr_devs, history.blocks,
			     history.chain_first, seen);
	loss = measure_loss(&history, seen);
	printf("acknowledged and not there: %" PRIu64 " writes, %.1f ms\n",
	       loss.writes, loss.ms);
	free(seen);
	return conclude();
}

static int check_chain(void)
{
	struct seen *seen;
	uint64_t newest = 0;

	if (!opt.blocks || !opt.nr_images)
		usage();
	seen = read_images(opt.blocks);
	verdict.out = stdout;
	verify_chain(&verdict, opt.nr_images, opt.blocks, opt.first_seq, seen);
	for (uint64_t p = 0; p < opt.nr_images * opt.blocks; p++)
		if (seen[p].hi > newest)
			newest = seen[p].hi;
	printf("the newest number is %" PRIu64 "\n", newest);
	free(seen);
	return conclude();
}

static void shuffle(uint64_t *order, uint64_t n, uint64_t *rnd)
{
	for (uint64_t i = n; i > 1; i--) {
		uint64_t k = random_below(rnd, i), was = order[i - 1];

		order[i - 1] = order[k];
		order[k] = was;
	}
}

/*
 * Blocks are read one after the other while they are written. What a stamp
 * says had completed before must be there from then on, so each block is
 * judged by the stamps that were seen before it was read.
 */
static int watch(void)
{
	uint64_t places = opt.nr_images * opt.blocks, floor = 0, scans = 0, reads = 0;
	uint64_t rnd = time(NULL), *order = calloc(places + 1, sizeof(*order));
	unsigned char *buf = buffer();
	struct history h = { .nr_devs = opt.nr_images, .blocks = opt.blocks };
	time_t end = time(NULL) + opt.seconds;
	int fd[MAX_DEVS];

	if (!places || !order)
		usage();
	for (unsigned int d = 0; d < opt.nr_images; d++)
		fd[d] = open_image(opt.image[d]);
	for (uint64_t i = 0; i < places; i++)
		order[i] = i;
	verdict.out = stdout;
	for (; time(NULL) < end; scans++) {
		shuffle(order, places, &rnd);
		for (uint64_t i = 0; i < places; i++) {
			uint64_t dev = order[i] / opt.blocks, block = order[i] % opt.blocks;
			struct seen seen;

			read_chunk(fd[dev], opt.image[dev], buf, block, 1);
			see_block(&seen, buf, dev, block);
			reads++;
			if (!verify_chain_place(&verdict, &h, order[i], &seen, floor))
				goto out;
			if (seen.stamped && seen.floor > floor)
				floor = seen.floor;
		}
	}
out:
	printf("%" PRIu64 " scans, %" PRIu64 " blocks read, up to number %" PRIu64 "\n",
	       scans, reads, floor);
	for (unsigned int d = 0; d < opt.nr_images; d++)
		close(fd[d]);
	free(order);
	free(buf);
	return conclude();
}

static int check_same(const char *a, const char *b)
{
	int fa = open_image(a), fb = open_image(b);
	unsigned char *pa = buffer(), *pb = buffer();
	uint64_t differ = 0, end = opt.blocks, block = 0;

	if (!end) {
		off_t size = lseek(fa, 0, SEEK_END);

		if (size != lseek(fb, 0, SEEK_END))
			die(b, "has another size");
		end = (size - opt.offset) / BLOCK;
	}
	while (block < end) {
		size_t n = read_chunk(fa, a, pa, block, end - block);

		read_chunk(fb, b, pb, block, end - block);
		for (size_t i = 0; i < n; i++) {
			struct seen x, y;

			if (!memcmp(pa + i * BLOCK, pb + i * BLOCK, BLOCK) ||
			    differ++ >= 8)
				continue;
			see_block(&x, pa + i * BLOCK, 0, block + i);
			see_block(&y, pb + i * BLOCK, 0, block + i);
			printf("VIOLATION differs: block %" PRIu64 ": seq %" PRIu64
			       " and seq %" PRIu64 "\n", block + i, x.hi, y.hi);
		}
		block += n;
	}
	free(pa);
	free(pb);
	printf("%" PRIu64 " violations\n", differ);
	return differ ? 1 : 0;
}

static int next_seq(void)
{
	uint64_t last = 0;

	for (size_t i = 0; i < history.nr_versions; i++)
		if (history.version[i].seq > last)
			last = history.version[i].seq;
	printf("%" PRIu64 "\n", last + 1);
	return 0;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "image", 1, 0, 'i' }, { "policy", 1, 0, 'p' }, { "died", 0, 0, 'd' },
		{ "cache-lost", 0, 0, 'l' }, { "offset", 1, 0, 'o' },
		{ "blocks", 1, 0, 'b' }, { "first-seq", 1, 0, 'f' },
		{ "acks-until", 1, 0, 'a' }, { "seconds", 1, 0, 't' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'i':
			if (opt.nr_images == MAX_DEVS)
				usage();
			opt.image[opt.nr_images++] = optarg;
			break;
		case 'p':
			if (optarg[0] < 'A' || optarg[0] > 'C' || optarg[1])
				usage();
			opt.policy = optarg[0];
			break;
		case 'd': opt.died = true; break;
		case 'l': opt.cache_lost = true; break;
		case 'o': opt.offset = strtoull(optarg, NULL, 0); break;
		case 'b': opt.blocks = strtoull(optarg, NULL, 0); break;
		case 'a': opt.acks_until = strtoull(optarg, NULL, 0); break;
		case 't': opt.seconds = strtoull(optarg, NULL, 0); break;
		case 'f': opt.first_seq = strtoull(optarg, NULL, 0); break;
		default: usage();
		}
	}
}

int main(int argc, char **argv)
{
	const char *verb;
	int rc = 2;

	parse(argc, argv);
	if (optind >= argc)
		usage();
	verb = argv[optind++];
	argv += optind;
	argc -= optind;
	if (!strcmp(verb, "chain") && !argc)
		return check_chain();
	if (!strcmp(verb, "watch") && !argc)
		return watch();
	if (!strcmp(verb, "same") && argc == 2)
		return check_same(argv[0], argv[1]);
	if (strcmp(verb, "image") && strcmp(verb, "history") && strcmp(verb, "next-seq"))
		usage();
	load(argv, argc);
	if (!strcmp(verb, "image")) {
		rc = check_image();
	} else if (!strcmp(verb, "next-seq")) {
		rc = next_seq();
	} else {
		tell_history();
		verify_register(&verdict, &history, opt.policy != 'A');
		rc = conclude();
	}
	history_free(&history);
	return rc;
}

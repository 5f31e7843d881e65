// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Write to one or two block devices so that afterwards, whatever happened,
 * crash-check can tell what may be there and what must be.
 *
 *   crash-writer --dev PATH [--dev PATH] --out PATH [OPTION...]
 *
 *   --blocks N      blocks of 4 KiB that are used of each device (4096)
 *   --depth N       operations in flight (16)
 *   --seed N        same seed, same choices
 *   --count N       end after so many operations (0: never)
 *   --seconds N     end after that time
 *   --mix W,R,F,U,Z shares of write, read, flush, FUA and zeroes (70,20,5,3,2)
 *   --max-blocks N  of one write (16)
 *   --discard       half of the zeroes are discards: only where those zero
 *   --dependent     a numbered chain of writes instead of the mix
 *   --epoch N, --node N, --first-seq N    for the records
 *
 * Every operation has a record in --out before it is issued and another once
 * it is complete; the second must be written before anything that could depend
 * on it is issued. No block ever has two writes in flight.
 *
 * Exit status: 0 done, 1 what was read is wrong, 2 usage, 3 an I/O error.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stamp.h"

enum { MAX_DEPTH = 256, MAX_BLOCKS = 64, SHARES = 5 };

struct slot {
	struct iocb iocb;
	struct record record;
	unsigned char *buf;
	uint64_t version[MAX_BLOCKS];	/* of reads: when they were issued */
	bool busy;
	bool fua;
};

static struct {
	const char *path[MAX_DEVS];
	int fd[MAX_DEVS];
	bool is_bdev[MAX_DEVS];
	unsigned int nr_devs;
	uint64_t blocks;
	unsigned int depth;
	uint64_t seed;
	uint64_t count;
	uint64_t seconds;
	unsigned int share[SHARES];
	unsigned int max_blocks;
	bool discard;
	bool dependent;
	uint32_t epoch;
	uint8_t node;
	uint64_t first_seq;
} opt = {
	.blocks = 4096, .depth = 16, .seed = 1, .max_blocks = 16, .epoch = 1,
	.first_seq = 1, .share = { 70, 20, 5, 3, 2 },
};

static struct slot slots[MAX_DEPTH];
static unsigned int in_flight;
static aio_context_t aio;
static int wake_fd = -1;
static uint64_t next_seq, done_floor;
static bool *writing[MAX_DEVS];		/* a write of this block is in flight */
static uint64_t *version[MAX_DEVS];	/* writes of this block, begun or ended */
static int wrong, failed;
static volatile sig_atomic_t stop;

/* ---- records */

static int out_fd = -1;
static struct record out_buf[4 * MAX_DEPTH];
static unsigned int out_used;

static void die(const char *what)
{
	fprintf(stderr, "crash-writer: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void records_leave(void)
{
	const char *p = (const char *)out_buf;
	size_t len = out_used * sizeof(*out_buf);

	while (len) {
		size_t part = len < 16384 ? len : 16384;
		ssize_t n = write(out_fd, p, part);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("records");
		p += n;
		len -= n;
	}
	out_used = 0;
}

static void record(struct record r)
{
	if (out_used == sizeof(out_buf) / sizeof(*out_buf))
		records_leave();
	r.magic = RECORD_MAGIC;
	r.epoch = opt.epoch;
	r.node = opt.node;
	r.crc = crc32c(&r, offsetof(struct record, crc));
	out_buf[out_used++] = r;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* ---- zeroing has no asynchronous call: a thread of its own does it */

static struct slot *_Atomic zero_todo, *_Atomic zero_done;
static int zero_wake = -1;
static struct slot *zero_slot;

static void *zero_thread(void *unused)
{
	uint64_t n;

	(void)unused;
	while (read(zero_wake, &n, sizeof(n)) == sizeof(n)) {
		struct slot *s = atomic_load(&zero_todo);
		int fd = opt.fd[s->record.dev];
		uint64_t range[2] = { s->record.block * BLOCK,
				      (uint64_t)s->record.nr_blocks * BLOCK };
		int err;

		if (!opt.is_bdev[s->record.dev])
			err = fallocate(fd, FALLOC_FL_PUNCH_HOLE |
					FALLOC_FL_KEEP_SIZE, range[0], range[1]);
		else if (opt.discard && s->record.seq & 1)
			err = ioctl(fd, BLKDISCARD, range);
		else
			err = ioctl(fd, BLKZEROOUT, range);
		s->record.result = err ? -errno : 0;
		atomic_store(&zero_done, s);
		n = 1;
		if (write(wake_fd, &n, sizeof(n)) != sizeof(n))
			break;
	}
	return NULL;
}

/* ---- operations */

static bool has_data(uint8_t op)
{
	return op == OP_WRITE || op == OP_ZERO;
}

static void mark_blocks(const struct record *r, bool begun)
{
	for (uint64_t b = r->block; b < r->block + r->nr_blocks; b++) {
		writing[r->dev][b] = begun;
		version[r->dev][b]++;
	}
}

static void prepare(struct slot *s)
{
	struct record *r = &s->record;
	struct iocb *io = &s->iocb;

	memset(io, 0, sizeof(*io));
	io->aio_data = (uintptr_t)s;
	io->aio_fildes = opt.fd[r->dev];
	io->aio_buf = (uintptr_t)s->buf;
	io->aio_nbytes = (uint64_t)r->nr_blocks * BLOCK;
	io->aio_offset = r->block * BLOCK;
	io->aio_flags = IOCB_FLAG_RESFD;
	io->aio_resfd = wake_fd;
	r->issue = now();
	r->complete = 0;
	if (r->op == OP_WRITE) {
		struct stamp st = {
			.seq = r->seq, .issue_ns = r->issue,
			.floor = done_floor, .epoch = opt.epoch,
			.writer = opt.node, .dev = r->dev,
			.nr_blocks = r->nr_blocks, .flags = r->flags & REC_CHAIN,
		};

		for (unsigned int i = 0; i < r->nr_blocks * SECTORS_PER_BLOCK; i++)
			stamp_sector((struct stamp *)(s->buf + i * SECTOR), &st,
				     r->block + i / SECTORS_PER_BLOCK,
				     i % SECTORS_PER_BLOCK);
		io->aio_lio_opcode = IOCB_CMD_PWRITE;
		io->aio_rw_flags = s->fua ? RWF_DSYNC : 0;
	} else if (r->op == OP_READ) {
		io->aio_lio_opcode = IOCB_CMD_PREAD;
		for (unsigned int i = 0; i < r->nr_blocks; i++)
			s->version[i] = version[r->dev][r->block + i];
	} else {
		io->aio_lio_opcode = IOCB_CMD_FDSYNC;
		io->aio_buf = io->aio_nbytes = io->aio_offset = 0;
	}
	if (has_data(r->op))
		mark_blocks(r, true);
	s->busy = true;
	in_flight++;
	if (r->op != OP_READ) {
		r->flags |= REC_ISSUED;
		record(*r);
		r->flags &= ~REC_ISSUED;
	}
}

/* A violation, sector by sector: what it is shows where it came from. */
static void report_bad(const unsigned char *block, const struct record *r)
{
	static const char *const kinds[] = { "zeroes", "whole", "garbage", "misplaced" };

	fprintf(stderr, "crash-writer: VIOLATION: dev %u block %" PRIu64
		" was read as no single version of it, after %" PRIu64 " writes:",
		r->dev, r->block, next_seq - 1);
	for (unsigned int k = 0; k < SECTORS_PER_BLOCK; k++) {
		const unsigned char *p = block + k * SECTOR;
		enum sector_kind kind = read_sector(p, r->dev, r->block, k, &(struct stamp){});
		struct stamp st;

		memcpy(&st, p, sizeof(st));
		fprintf(stderr, " %s", kinds[kind]);
		if (kind != SECTOR_ZERO)
			fprintf(stderr, " (seq %" PRIu64 " of sector %" PRIu64 ")",
				st.seq, st.lba);
	}
	fprintf(stderr, "; issued at %" PRIu64 ", now %" PRIu64 "\n", r->issue, now());
}

/* What was read, a record for each block. */
static void judge_read(struct slot *s)
{
	struct record r = s->record;

	r.nr_blocks = 1;
	for (unsigned int i = 0; i < s->record.nr_blocks; i++) {
		const unsigned char *p = s->buf + i * BLOCK;
		uint64_t b = s->record.block + i;
		bool raced = writing[r.dev][b] || version[r.dev][b] != s->version[i];
		struct stamp st;

		r.flags = 0;
		r.block = b;
		for (unsigned int k = 0; k < SECTORS_PER_BLOCK; k++) {
			enum sector_kind kind = read_sector(p + k * SECTOR, r.dev,
							    b, k, &st);
			uint64_t seq = kind == SECTOR_STAMP ? st.seq : 0;

			/*
			 * A memory's sector is not atomic: what is read while it
			 * is written may be a part of each.
			 */
			if (kind == SECTOR_MISPLACED)
				r.flags |= REC_BAD;
			else if (kind == SECTOR_GARBAGE || (k && seq != r.seq))
				r.flags |= raced ? REC_TORN : REC_BAD;
			r.seq = seq;
		}
		if (r.flags & REC_BAD) {
			report_bad(p, &r);
			wrong = 1;
		}
		record(r);
	}
}

static bool seq_in_flight(uint64_t seq)
{
	for (unsigned int i = 0; i < opt.depth; i++)
		if (slots[i].busy && has_data(slots[i].record.op) &&
		    slots[i].record.seq == seq)
			return true;
	return false;
}

static void complete(struct slot *s, int64_t result, uint64_t when)
{
	struct record *r = &s->record;

	r->complete = when;
	r->result = result;
	s->busy = false;
	in_flight--;
	if (has_data(r->op)) {
		mark_blocks(r, false);
		/* a failed write may or may not be there: never pass it */
		while (!failed && done_floor + 1 < next_seq &&
		       !seq_in_flight(done_floor + 1))
			done_floor++;
	}
	if (result < 0) {
		fprintf(stderr, "crash-writer: operation %u, dev %u block %"
			PRIu64 ": %s\n", r->op, r->dev, r->block, strerror(-result));
		failed = 1;
		record(*r);
	} else if (r->op == OP_READ) {
		judge_read(s);
	} else {
		r->result = 0;
		record(*r);
	}
}

static void reap(void)
{
	struct io_event ev[MAX_DEPTH];
	struct slot *zeroed;
	uint64_t n, when;
	long got;

	if (read(wake_fd, &n, sizeof(n)) != sizeof(n)) {
		if (errno == EINTR)
			return;
		die("eventfd");
	}
	got = syscall(SYS_io_getevents, aio, 0, MAX_DEPTH, ev, NULL);
	if (got < 0)
		die("io_getevents");
	zeroed = atomic_exchange(&zero_done, NULL);
	when = now();
	for (long i = 0; i < got; i++) {
		struct slot *s = (struct slot *)(uintptr_t)ev[i].data;
		int64_t want = s->iocb.aio_nbytes;

		complete(s, ev[i].res >= 0 && ev[i].res != want ? -EIO :
			 ev[i].res, when);
	}
	if (zeroed) {
		zero_slot = NULL;
		complete(zeroed, zeroed->record.result, when);
	}
	records_leave();
}

/* ---- what to do next */

static bool is_free(unsigned int dev, uint64_t block, unsigned int n)
{
	while (n--)
		if (writing[dev][block + n])
			return false;
	return true;
}

static uint64_t choose_block(uint64_t *rnd, uint64_t limit)
{
	uint64_t x = random_below(rnd, limit), k;

	/* phases: all over the device, or mostly on a few blocks */
	if (next_seq / 1024 % 2)
		for (k = 0; k < 3; k++)
			x = random_below(rnd, x + 1);
	return x;
}

static bool choose_mixed(struct record *r, bool *fua, uint64_t *rnd)
{
	static const uint8_t ops[SHARES] = { OP_WRITE, OP_READ, OP_FLUSH,
					     OP_WRITE, OP_ZERO };
	unsigned int total = 0, kind = 0, n = 1;
	uint64_t x;

	for (int i = 0; i < SHARES; i++)
		total += opt.share[i];
	x = random_below(rnd, total);
	while (x >= opt.share[kind])
		x -= opt.share[kind++];
	r->op = ops[kind];
	r->dev = random_below(rnd, opt.nr_devs);
	*fua = kind == 3;
	if (r->op == OP_FLUSH)
		return true;
	if (r->op == OP_ZERO && zero_slot)
		return false;
	if (random_below(rnd, 3) == 0)
		n = 1 + random_below(rnd, opt.max_blocks);
	for (int tries = 0; tries < 8; tries++) {
		r->nr_blocks = n;
		r->block = choose_block(rnd, opt.blocks - n + 1);
		if (r->op == OP_READ || is_free(r->dev, r->block, n))
			return true;
	}
	return false;
}

static bool choose(struct record *r, bool *fua, uint64_t *rnd)
{
	unsigned int dev;

	memset(r, 0, sizeof(*r));
	*fua = false;
	if (opt.dependent) {
		r->op = OP_WRITE;
		r->flags = REC_CHAIN;
		r->nr_blocks = 1;
		r->block = chain_place(next_seq, opt.nr_devs, opt.blocks, &dev);
		r->dev = dev;
		return is_free(r->dev, r->block, 1);
	}
	return choose_mixed(r, fua, rnd);
}

static struct slot *free_slot(void)
{
	for (unsigned int i = 0; i < opt.depth; i++)
		if (!slots[i].busy)
			return &slots[i];
	return NULL;
}

static void issue(struct slot *batch[], unsigned int n)
{
	struct iocb *io[MAX_DEPTH];
	unsigned int nr = 0, sent = 0;
	uint64_t one = 1;

	records_leave();
	for (unsigned int i = 0; i < n; i++) {
		if (batch[i]->record.op != OP_ZERO) {
			io[nr++] = &batch[i]->iocb;
			continue;
		}
		atomic_store(&zero_todo, batch[i]);
		if (write(zero_wake, &one, sizeof(one)) != sizeof(one))
			die("eventfd");
	}
	while (sent < nr) {
		long got = syscall(SYS_io_submit, aio, (long)(nr - sent), io + sent);

		if (got < 0 && errno != EAGAIN && errno != EINTR)
			die("io_submit");
		if (got > 0)
			sent += got;
	}
}

static void run(void)
{
	uint64_t rnd = opt.seed, count = 0;
	uint64_t end = opt.seconds ? now() + opt.seconds * UINT64_C(1000000000) : 0;

	while (!stop && !failed && !wrong) {
		struct slot *batch[MAX_DEPTH], *s;
		unsigned int n = 0, misses = 0;
		/* now and then let the queue run low: depths of all kinds */
		unsigned int depth = count % 512 < 64 ? 1 + opt.depth / 4 : opt.depth;

		if ((opt.count && count >= opt.count) || (end && now() >= end))
			break;
		while (in_flight < depth && misses < 4 && (s = free_slot())) {
			if (!choose(&s->record, &s->fua, &rnd)) {
				misses++;
				if (opt.dependent)
					break;
				continue;
			}
			if (has_data(s->record.op))
				s->record.seq = next_seq++;
			if (s->fua)
				s->record.flags |= REC_FUA;
			if (s->record.op == OP_ZERO)
				zero_slot = s;
			prepare(s);
			batch[n++] = s;
			count++;
		}
		if (n)
			issue(batch, n);
		if (in_flight)
			reap();
	}
	while (in_flight)
		reap();
}

/* ---- start */

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void usage(void)
{
	fprintf(stderr, "usage: crash-writer --dev PATH [--dev PATH] --out PATH [OPTION...]\n");
	exit(2);
}

static void open_devices(void)
{
	for (unsigned int d = 0; d < opt.nr_devs; d++) {
		struct stat st;

		opt.fd[d] = open(opt.path[d], O_RDWR | O_DIRECT | O_CLOEXEC);
		if (opt.fd[d] < 0 && errno == EINVAL)
			opt.fd[d] = open(opt.path[d], O_RDWR | O_CLOEXEC);
		if (opt.fd[d] < 0 || fstat(opt.fd[d], &st))
			die(opt.path[d]);
		opt.is_bdev[d] = S_ISBLK(st.st_mode);
		if (lseek(opt.fd[d], 0, SEEK_END) < (off_t)(opt.blocks * BLOCK)) {
			fprintf(stderr, "crash-writer: %s is smaller than %" PRIu64
				" blocks\n", opt.path[d], opt.blocks);
			exit(2);
		}
		writing[d] = calloc(opt.blocks, sizeof(**writing));
		version[d] = calloc(opt.blocks, sizeof(**version));
		if (!writing[d] || !version[d])
			die("memory");
		record((struct record){ .op = OP_OPEN, .dev = d, .issue = now(),
					.block = opt.blocks, .seq = next_seq });
	}
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dev", 1, 0, 'd' }, { "out", 1, 0, 'o' }, { "blocks", 1, 0, 'b' },
		{ "depth", 1, 0, 'q' }, { "seed", 1, 0, 's' }, { "count", 1, 0, 'c' },
		{ "seconds", 1, 0, 't' }, { "mix", 1, 0, 'm' },
		{ "max-blocks", 1, 0, 'x' }, { "discard", 0, 0, 'D' },
		{ "dependent", 0, 0, 'p' }, { "epoch", 1, 0, 'e' },
		{ "node", 1, 0, 'n' }, { "first-seq", 1, 0, 'f' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint64_t n = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (c) {
		case 'd':
			if (opt.nr_devs == MAX_DEVS)
				usage();
			opt.path[opt.nr_devs++] = optarg;
			break;
		case 'o':
			out_fd = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
			if (out_fd < 0)
				die(optarg);
			break;
		case 'b': opt.blocks = n; break;
		case 'q': opt.depth = n; break;
		case 's': opt.seed = n; break;
		case 'c': opt.count = n; break;
		case 't': opt.seconds = n; break;
		case 'm':
			if (sscanf(optarg, "%u,%u,%u,%u,%u", opt.share, opt.share + 1,
				   opt.share + 2, opt.share + 3, opt.share + 4) != SHARES)
				usage();
			break;
		case 'x': opt.max_blocks = n; break;
		case 'D': opt.discard = true; break;
		case 'p': opt.dependent = true; break;
		case 'e': opt.epoch = n; break;
		case 'n': opt.node = n; break;
		case 'f': opt.first_seq = n; break;
		default: usage();
		}
	}
	if (optind != argc || !opt.nr_devs || out_fd < 0 || !opt.first_seq ||
	    !opt.depth || opt.depth > MAX_DEPTH || !opt.max_blocks ||
	    opt.max_blocks > MAX_BLOCKS || opt.blocks < opt.max_blocks)
		usage();
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pthread_t thread;

	parse(argc, argv);
	next_seq = opt.first_seq;
	done_floor = next_seq - 1;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	wake_fd = eventfd(0, EFD_CLOEXEC);
	zero_wake = eventfd(0, EFD_CLOEXEC);
	if (wake_fd < 0 || zero_wake < 0 ||
	    syscall(SYS_io_setup, MAX_DEPTH, &aio))
		die("io_setup");
	for (unsigned int i = 0; i < opt.depth; i++)
		if (posix_memalign((void **)&slots[i].buf, BLOCK,
				   (size_t)opt.max_blocks * BLOCK))
			die("memory");
	if (pthread_create(&thread, NULL, zero_thread, NULL))
		die("thread");
	open_devices();
	records_leave();
	run();
	record((struct record){ .op = OP_CLOSE, .issue = now(), .seq = next_seq });
	records_leave();
	printf("seed %" PRIu64 ": writes %" PRIu64 " to %" PRIu64 "%s\n", opt.seed,
	       opt.first_seq, next_seq - 1,
	       wrong ? ", WRONG data was read" : failed ? ", an operation failed" : "");
	return wrong ? 1 : failed ? 3 : 0;
}

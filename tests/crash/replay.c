// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replay what dm-log-writes logged, up to any point.
 *
 *   replay-log list LOG                  "NUMBER KIND [MARK]", a line per entry;
 *                                        KIND: write, flush, fua, discard, mark
 *   replay-log apply LOG IMAGE FROM TO   entries FROM to TO, without TO
 *
 * The log is in the order of what was durable: what was written and not flushed is
 * not in it before the flush is. So after each entry that is a flush or has FUA
 * the image is what a disk without its cache would have been at that moment; as long
 * as no FUA write goes where an older write is not flushed: that one comes later here.
 *
 * The format (little-endian): sector 0 holds magic, version and the number of
 * entries (u64 each), then the bytes of a sector (u32), the unit of all that
 * follows. An entry is a sector with the first sector, the number of sectors, flags
 * and the length of a mark (u64 each) and the mark's text, and then the data, unless
 * it is a discard.
 *
 * Exit status: 0, 1 the log is no log or not complete, 2 usage, 3 an I/O error.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC	UINT64_C(0x6a736677736872)
#define END	"dm-log-writes-end"

enum {
	FLUSH = 1 << 0, FUA = 1 << 1, DISCARD = 1 << 2, MARK = 1 << 3,
	MAX_SECTOR = 4096,
};

struct entry {
	uint64_t sector, nr_sectors, flags, text_len;
	char text[MAX_SECTOR - 32 + 1];
	uint64_t data;		/* where it is in the log, in bytes */
};

static const char *log_path;
static int log_fd;
static uint64_t nr_entries, next;	/* @next: where the next entry is */
static uint32_t unit;

static void die(const char *what, const char *why, int rc)
{
	fprintf(stderr, "replay-log: %s: %s\n", what, why);
	exit(rc);
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		die(path, strerror(errno), 3);
	return fd;
}

static void read_log(void *buf, size_t len, uint64_t at)
{
	ssize_t n = pread(log_fd, buf, len, at);

	if (n < 0)
		die(log_path, strerror(errno), 3);
	if (n != (ssize_t)len)
		die(log_path, "ends in the middle of an entry", 1);
}

static void open_log(const char *path)
{
	uint64_t head[4];

	log_path = path;
	log_fd = open_or_die(path, O_RDONLY);
	read_log(head, sizeof(head), 0);
	if (le64toh(head[0]) != MAGIC || le64toh(head[1]) != 1)
		die(path, "no log of dm-log-writes", 1);
	nr_entries = le64toh(head[2]);
	unit = le64toh(head[3]);
	if (unit < 512 || unit > MAX_SECTOR)
		die(path, "has sectors of an unknown size", 1);
	next = unit;
}

static void next_entry(struct entry *e)
{
	uint64_t raw[MAX_SECTOR / 8];

	read_log(raw, unit, next);
	e->sector = le64toh(raw[0]);
	e->nr_sectors = le64toh(raw[1]);
	e->flags = le64toh(raw[2]);
	e->text_len = le64toh(raw[3]);
	if (e->text_len > unit - 32)
		die(log_path, "has a mark that is too long", 1);
	memcpy(e->text, raw + 4, e->text_len);
	e->text[e->text_len] = '\0';
	e->data = next + unit;
	next = e->data + (e->flags & DISCARD ? 0 : e->nr_sectors * unit);
}

static const char *kind_of(const struct entry *e)
{
	return e->flags & MARK ? "mark" : e->flags & DISCARD ? "discard" :
	       e->flags & FUA ? "fua" : e->flags & FLUSH ? "flush" : "write";
}

static int list(void)
{
	struct entry e = { .flags = 0 };

	for (uint64_t i = 0; i < nr_entries; i++) {
		next_entry(&e);
		printf("%" PRIu64 " %s%s%s\n", i, kind_of(&e),
		       e.flags & MARK ? " " : "", e.flags & MARK ? e.text : "");
	}
	/* a full log device, for one, ends it early */
	if (!(e.flags & MARK) || strcmp(e.text, END))
		die(log_path, "is not complete", 1);
	return 0;
}

static void copy(int to, const char *path, const struct entry *e)
{
	uint64_t len = e->nr_sectors * unit;
	char *buf = calloc(1, len);

	if (!buf)
		die("memory", "none", 3);
	if (!(e->flags & DISCARD))
		read_log(buf, len, e->data);
	if (pwrite(to, buf, len, e->sector * unit) != (ssize_t)len)
		die(path, "cannot be written", 3);
	free(buf);
}

static int apply(const char *path, uint64_t from, uint64_t to)
{
	int fd = open_or_die(path, O_WRONLY);
	struct entry e;

	if (from > to || to > nr_entries)
		die(log_path, "has fewer entries", 1);
	for (uint64_t i = 0; i < to; i++) {
		next_entry(&e);
		if (i >= from && e.nr_sectors)
			copy(fd, path, &e);
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool lists = argc == 3 && !strcmp(argv[1], "list");

	if (!lists && (argc != 6 || strcmp(argv[1], "apply"))) {
		fputs("usage: replay-log list LOG | apply LOG IMAGE FROM TO\n", stderr);
		return 2;
	}
	open_log(argv[2]);
	return lists ? list() : apply(argv[3], strtoull(argv[4], NULL, 0),
				      strtoull(argv[5], NULL, 0));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A disk whose write cache really loses what was not flushed: an nbdkit plugin.
 *
 *   nbdkit -U SOCKET volatile-disk.so file=IMAGE [seed=N] [keep=PERCENT] [log=FILE]
 *
 * What is written stays in memory, every version of each 512-byte sector, until
 * a FLUSH (or FUA) puts it into IMAGE. SIGUSR2 is the power cut: each sector
 * that was not flushed keeps its newest version, an older one, or none, at
 * random, and the process ends. SIGTERM ends it without keeping anything.
 * SIGUSR1 tells what a power cut would leave: it is put into IMAGE.cut, and the
 * disk goes on.
 *
 * A power cut that can be survived: SIGRTMIN loses the cache as SIGUSR2 does, and
 * from then on every request fails, until SIGRTMIN+1. While the file IMAGE.dead is
 * there, so it is. If IMAGE.after holds a number, it happens at the write after
 * so many more, which is torn: any of its sectors may be there, with FUA as well.
 *
 * The image file holds what is durable and nothing else, at all times.
 */
#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_ALL_REQUESTS

enum { SECTOR = 512 };

struct version {
	struct version *older;
	unsigned char data[SECTOR];
};

static char *path, *log_path;
static uint64_t seed = 1;
static int keep = 50;
static int image = -1;
static int64_t size;
static uint64_t nr_sectors;
static struct version **pending;	/* of each sector, the newest first */
static uint64_t nr_pending, nr_writes, nr_flushes, nr_fua;
static bool dead;
static int64_t writes_left = -1;	/* until the power is cut; -1: for ever */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int configure(const char *key, const char *value)
{
	if (!strcmp(key, "file"))
		path = nbdkit_realpath(value);
	else if (!strcmp(key, "log"))
		log_path = nbdkit_absolute_path(value);
	else if (!strcmp(key, "seed"))
		seed = strtoull(value, NULL, 0);
	else if (!strcmp(key, "keep"))
		keep = atoi(value);
	else
		return nbdkit_error("no such parameter: %s", key), -1;
	return 0;
}

static int configured(void)
{
	if (!path)
		return nbdkit_error("file=IMAGE is needed"), -1;
	return 0;
}

static uint64_t random_next(void)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void forget(uint64_t sector)
{
	struct version *v = pending[sector], *older;

	for (; v; v = older) {
		older = v->older;
		free(v);
		nr_pending--;
	}
	pending[sector] = NULL;
}

static bool put_into(int fd, uint64_t sector, const void *data, size_t len)
{
	return pwrite(fd, data, len, sector * SECTOR) == (ssize_t)len;
}

static bool put(uint64_t sector, const void *data, size_t len)
{
	return put_into(image, sector, data, len);
}

/* What survives of the cache goes into @fd. */
static void lose_cache(int fd)
{
	uint64_t newest = 0, older = 0, lost = 0;
	FILE *log = log_path ? fopen(log_path, "a") : stderr;

	for (uint64_t s = 0; s < nr_sectors; s++) {
		struct version *v = pending[s];

		while (v && random_next() % 100 >= (uint64_t)keep)
			v = v->older;
		if (v && put_into(fd, s, v->data, SECTOR))
			v == pending[s] ? newest++ : older++;
		else if (pending[s])
			lost++;
	}
	fsync(fd);
	if (log)
		fprintf(log, "power cut after %" PRIu64 " writes, %" PRIu64 " flushes, %"
			PRIu64 " FUA; sectors not flushed: %" PRIu64 " kept, %" PRIu64
			" older, %" PRIu64 " lost\n", nr_writes, nr_flushes, nr_fua,
			newest, older, lost);
	if (log && log != stderr)
		fclose(log);
}

static bool copy_image(int to)
{
	static char buf[1 << 16];

	for (int64_t at = 0; at < size; at += sizeof(buf)) {
		ssize_t n = pread(image, buf, sizeof(buf), at);

		if (n <= 0 || pwrite(to, buf, n, at) != n)
			return false;
	}
	return true;
}

static void tell_cut(void)
{
	char *name = NULL, *unfinished = NULL;
	int fd;

	if (asprintf(&name, "%s.cut", path) < 0 ||
	    asprintf(&unfinished, "%s.cut.new", path) < 0)
		abort();
	fd = open(unfinished, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0 && copy_image(fd)) {
		lose_cache(fd);
		rename(unfinished, name);
	} else {
		nbdkit_error("%s: %m", unfinished);
	}
	close(fd);
	free(name);
	free(unfinished);
}

static char *beside_image(const char *suffix)
{
	char *name = NULL;

	if (asprintf(&name, "%s.%s", path, suffix) < 0)
		abort();
	return name;
}

/* Who waits for the file knows that the image is as it will stay. */
static void power_off(void)
{
	char *name = beside_image("dead");
	int fd;

	lose_cache(image);
	for (uint64_t s = 0; s < nr_sectors && nr_pending; s++)
		forget(s);
	dead = true;
	writes_left = -1;
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		nbdkit_error("%s: %m", name);
	close(fd);
	free(name);
}

static void power_off_soon(void)
{
	char *name = beside_image("after");
	FILE *f = fopen(name, "r");

	if (!f || fscanf(f, "%" SCNi64, &writes_left) != 1)
		power_off();
	if (f)
		fclose(f);
	unlink(name);
	free(name);
}

static void power_on(void)
{
	char *name = beside_image("dead");

	dead = false;
	writes_left = -1;
	unlink(name);
	free(name);
}

static void waited_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
	sigaddset(set, SIGRTMIN);
	sigaddset(set, SIGRTMIN + 1);
}

static void *wait_for_cut(void *unused)
{
	sigset_t set;
	int sig;

	(void)unused;
	waited_signals(&set);
	for (;;) {
		if (sigwait(&set, &sig))
			continue;
		pthread_mutex_lock(&lock);
		if (sig == SIGUSR2) {
			lose_cache(image);
			_exit(0);
		}
		if (sig == SIGUSR1)
			tell_cut();
		else if (sig == SIGRTMIN)
			power_off_soon();
		else
			power_on();
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static int get_ready(void)
{
	sigset_t set;

	image = open(path, O_RDWR | O_CLOEXEC);
	if (image < 0) {
		nbdkit_error("%s: %m", path);
		return -1;
	}
	size = lseek(image, 0, SEEK_END);
	nr_sectors = size / SECTOR;
	pending = calloc(nr_sectors, sizeof(*pending));
	if (!pending) {
		nbdkit_error("out of memory");
		return -1;
	}
	/* every thread that nbdkit starts from now on inherits this */
	waited_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return 0;
}

static int after_fork(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, wait_for_cut, NULL) ? -1 : 0;
}

static void *open_disk(int readonly)
{
	(void)readonly;
	return NBDKIT_HANDLE_NOT_NEEDED;
}

static int64_t get_size(void *handle)
{
	(void)handle;
	return size;
}

static int yes(void *handle)
{
	(void)handle;
	return 1;
}

static int can_fua(void *handle)
{
	(void)handle;
	return NBDKIT_FUA_NATIVE;
}

static int block_size(void *handle, uint32_t *minimum, uint32_t *preferred,
		      uint32_t *maximum)
{
	(void)handle;
	*minimum = SECTOR;
	*preferred = 4096;
	*maximum = 32 << 20;
	return 0;
}

/* The lock is held, and dropped. */
static int no_power(void)
{
	pthread_mutex_unlock(&lock);
	nbdkit_set_error(EIO);
	return -1;
}

static int read_disk(void *handle, void *buf, uint32_t count, uint64_t offset,
		     uint32_t flags)
{
	(void)handle;
	(void)flags;
	pthread_mutex_lock(&lock);
	if (dead)
		return no_power();
	if (pread(image, buf, count, offset) != (ssize_t)count) {
		pthread_mutex_unlock(&lock);
		nbdkit_error("read: %m");
		return -1;
	}
	for (uint32_t i = 0; i < count / SECTOR; i++) {
		const struct version *v = pending[offset / SECTOR + i];

		if (v)
			memcpy((char *)buf + (size_t)i * SECTOR, v->data, SECTOR);
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

static int write_through(const void *buf, uint32_t count, uint64_t offset)
{
	if (!put(offset / SECTOR, buf, count)) {
		nbdkit_error("write: %m");
		return -1;
	}
	nr_fua++;
	for (uint32_t i = 0; i < count / SECTOR; i++)
		forget(offset / SECTOR + i);
	return 0;
}

static int write_disk(void *handle, const void *buf, uint32_t count,
		      uint64_t offset, uint32_t flags)
{
	bool last = false;
	int rc = 0;

	(void)handle;
	pthread_mutex_lock(&lock);
	if (dead)
		return no_power();
	nr_writes++;
	if (writes_left >= 0)
		last = writes_left-- == 0;
	if (flags & NBDKIT_FLAG_FUA && !last) {
		rc = write_through(buf, count, offset);
		goto out;
	}
	for (uint32_t i = 0; i < count / SECTOR; i++) {
		struct version **head = &pending[offset / SECTOR + i];
		struct version *v = malloc(sizeof(*v));

		if (!v) {
			nbdkit_error("out of memory");
			rc = -1;
			break;
		}
		memcpy(v->data, (const char *)buf + (size_t)i * SECTOR, SECTOR);
		v->older = *head;
		*head = v;
		nr_pending++;
	}
	if (last) {
		power_off();
		return no_power();
	}
out:
	pthread_mutex_unlock(&lock);
	return rc;
}

static int flush_disk(void *handle, uint32_t flags)
{
	int rc = 0;

	(void)handle;
	(void)flags;
	pthread_mutex_lock(&lock);
	if (dead)
		return no_power();
	nr_flushes++;
	for (uint64_t s = 0; s < nr_sectors && nr_pending; s++) {
		if (!pending[s])
			continue;
		if (!put(s, pending[s]->data, SECTOR)) {
			nbdkit_error("flush: %m");
			rc = -1;
			break;
		}
		forget(s);
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

static struct nbdkit_plugin plugin = {
	.name = "volatile-disk",
	.longname = "disk with a volatile write cache",
	.config = configure,
	.config_complete = configured,
	.get_ready = get_ready,
	.after_fork = after_fork,
	.open = open_disk,
	.get_size = get_size,
	.can_write = yes,
	.can_flush = yes,
	.can_fua = can_fua,
	.can_multi_conn = yes,
	.block_size = block_size,
	.pread = read_disk,
	.pwrite = write_disk,
	.flush = flush_disk,
};

NBDKIT_REGISTER_PLUGIN(plugin)

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * outfile.c - a file that appears whole and durable, or not at all
 */
#include "outfile.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP };

/* Of the one that is being written; "" when none is. */
static char temp[PATH_MAX];

static void remove_unfinished(int sig)
{
	unlink(temp);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_signals(void (*handler)(int))
{
	size_t i;

	for (i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		if (signal(ending_signals[i], handler) == SIG_IGN)
			signal(ending_signals[i], SIG_IGN);
}

bool rblk_outfile_open(struct rblk_outfile *f, const char *path)
{
	struct stat st;

	*f = (struct rblk_outfile){ .fd = -1, .path = path };
	if (lstat(path, &st) == 0) {
		errno = EEXIST;
		return false;
	}
	if (strlen(path) + sizeof(".XXXXXX") > sizeof(temp)) {
		errno = ENAMETOOLONG;
		return false;
	}
	rblk_text_format(temp, sizeof(temp), "%s.XXXXXX", path);
	f->fd = mkostemp(temp, O_CLOEXEC);
	if (f->fd < 0)
		return false;
	catch_signals(remove_unfinished);
	return true;
}

bool rblk_outfile_write(struct rblk_outfile *f, const void *data, size_t bytes)
{
	const char *from = data;
	ssize_t n;

	while (bytes) {
		n = write(f->fd, from, bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : ENOSPC;
			return false;
		}
		from += n;
		bytes -= n;
	}
	return true;
}

bool rblk_outfile_write_at(struct rblk_outfile *f, uint64_t at,
			   const void *data, size_t bytes)
{
	return lseek(f->fd, at, SEEK_SET) >= 0 &&
	       rblk_outfile_write(f, data, bytes);
}

bool rblk_outfile_resize(struct rblk_outfile *f, uint64_t bytes)
{
	return ftruncate(f->fd, bytes) == 0;
}

static bool sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd, err = ENOMEM;
	bool ok = false;

	if (copy) {
		fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ok = fd >= 0 && fsync(fd) == 0;
		err = errno;
		if (fd >= 0)
			close(fd);
		free(copy);
	}
	errno = err;
	return ok;
}

/* Without replacing anything; a file system may not know how. */
static bool give_name(const char *path)
{
	if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	if (link(temp, path) < 0)
		return false;
	unlink(temp);
	return true;
}

bool rblk_outfile_commit(struct rblk_outfile *f)
{
	int err;

	if (fsync(f->fd) < 0 || !give_name(f->path))
		return false;
	f->committed = true;
	if (sync_directory(f->path))
		return true;
	err = errno;
	unlink(f->path);
	errno = err;
	return false;
}

void rblk_outfile_close(struct rblk_outfile *f)
{
	if (f->fd < 0)
		return;
	if (!f->committed)
		unlink(temp);
	catch_signals(SIG_DFL);
	temp[0] = '\0';
	close(f->fd);
	f->fd = -1;
}

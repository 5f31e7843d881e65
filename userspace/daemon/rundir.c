// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rundir.c - lock and marks in the run directory
 */
#include "rundir.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool rblk_rundir_create(const char *dir, char *why, size_t size)
{
	if (mkdir(dir, 0755) == 0 || errno == EEXIST)
		return true;
	rblk_text_format(why, size, "cannot create %s: %s", dir,
			 strerror(errno));
	return false;
}

bool rblk_rundir_open(const char *dir, char *why, size_t size)
{
	char path[PATH_MAX];
	int fd;

	if (!rblk_rundir_create(dir, why, size))
		return false;
	rblk_text_format(path, sizeof(path), "%s/off", dir);
	if (!rblk_rundir_create(path, why, size))
		return false;
	rblk_text_format(path, sizeof(path), "%s/rblkd.lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		rblk_text_format(why, size, "cannot lock %s: %s", path,
				 errno == EWOULDBLOCK ?
				 "another rblkd is running" : strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	return true;	/* fd stays open, and locked, for as long as we live */
}

static char *off_path(const char *dir, const char *resource, uint8_t peer,
		      char path[PATH_MAX])
{
	return rblk_text_format(path, PATH_MAX, "%s/off/%s.%u", dir, resource,
				peer);
}

bool rblk_rundir_is_off(const char *dir, const char *resource, uint8_t peer)
{
	char path[PATH_MAX];

	return access(off_path(dir, resource, peer, path), F_OK) == 0;
}

void rblk_rundir_mark_off(const char *dir, const char *resource, uint8_t peer,
			  bool off)
{
	char path[PATH_MAX];
	int fd;

	off_path(dir, resource, peer, path);
	if (!off) {
		unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

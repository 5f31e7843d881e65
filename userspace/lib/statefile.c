// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * statefile.c - small files that survive a crash whole
 */
#include "statefile.h"

#include "ident.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <unistd.h>

static int write_synced(int dirfd, const char *name, const void *bytes,
			size_t len)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);
	ssize_t n;
	int rc = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, bytes, len);
	if (n < 0)
		rc = -errno;
	else if ((size_t)n != len)
		rc = -ENOSPC;
	else if (fsync(fd) < 0)
		rc = -errno;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

int rblk_statefile_replace(const char *dir, const char *name, const void *bytes,
			 size_t len)
{
	char temp[NAME_MAX + 1];
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (dirfd < 0)
		return -errno;
	rblk_text_format(temp, sizeof(temp), ".%s.new", name);
	rc = write_synced(dirfd, temp, bytes, len);
	if (rc == 0 && renameat(dirfd, temp, dirfd, name) < 0)
		rc = -errno;
	if (rc == 0 && fsync(dirfd) < 0)
		rc = -errno;
	if (rc < 0)
		unlinkat(dirfd, temp, 0);
	close(dirfd);
	return rc;
}

ssize_t rblk_statefile_read(const char *dir, const char *name, void *bytes,
			  size_t size)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	rblk_text_format(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, bytes, size);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

size_t rblk_statefile_seal(char *text, size_t len, size_t size)
{
	char hex[2 * SHA256_DIGEST_SIZE + 1];
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx h;

	sha256_init(&h);
	sha256_update(&h, len, (const uint8_t *)text);
	sha256_digest(&h, sizeof(digest), digest);
	rblk_ident_hex(digest, sizeof(digest), hex);
	return len + snprintf(text + len, size - len, "sha256 %s\n", hex);
}

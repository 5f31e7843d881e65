// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store.c - durable generation numbers
 */
#include "store.h"

#include "ident.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_BYTES	512
#define FORMAT		"rblk-state 1\nresource %s\nuuid %s\ngeneration %" PRIu64 "\n"
#define DIGEST_BYTES	32

static size_t format_record(const char *resource,
			    const struct rblk_store_record *record,
			    char text[MAX_BYTES])
{
	char uuid[2 * RBLK_UUID_SIZE + 1], hex[2 * DIGEST_BYTES + 1];
	uint8_t digest[DIGEST_BYTES];
	size_t len;

	rblk_ident_hex(record->uuid, sizeof(record->uuid), uuid);
	len = snprintf(text, MAX_BYTES, FORMAT, resource, uuid,
		       record->generation);
	gnutls_hash_fast(GNUTLS_DIG_SHA256, text, len, digest);
	rblk_ident_hex(digest, sizeof(digest), hex);
	len += snprintf(text + len, MAX_BYTES - len, "sha256 %s\n", hex);
	return len;
}

/* Ours and whole exactly when writing it again gives the same bytes. */
static int parse_record(const char *resource, const char *text,
			struct rblk_store_record *record)
{
	struct rblk_store_record found = { .generation = 0 };
	char name[RBLK_NAME_SIZE], uuid[2 * RBLK_UUID_SIZE + 1];
	char again[MAX_BYTES];
	size_t i;

	if (sscanf(text, "rblk-state 1\nresource %63s\nuuid %32s\ngeneration %" SCNu64 "\n",
		   name, uuid, &found.generation) != 3 ||
	    strcmp(name, resource) != 0 || strlen(uuid) != 32)
		return -EBADMSG;
	for (i = 0; i < RBLK_UUID_SIZE; i++)
		if (sscanf(uuid + 2 * i, "%2hhx", &found.uuid[i]) != 1)
			return -EBADMSG;
	format_record(resource, &found, again);
	if (strcmp(again, text) != 0)
		return -EBADMSG;
	if (memcmp(found.uuid, record->uuid, sizeof(found.uuid)) != 0)
		return -ESTALE;
	record->generation = found.generation;
	return 0;
}

int rblk_store_load(const char *dir, const char *resource,
		    struct rblk_store_record *record)
{
	char path[PATH_MAX], text[MAX_BYTES];
	ssize_t n;
	int fd;

	record->generation = 0;
	rblk_text_format(path, sizeof(path), "%s/%s.state", dir, resource);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	text[n] = '\0';
	return parse_record(resource, text, record);
}

static int write_synced(int dirfd, const char *name, const char *text,
			size_t len)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);
	ssize_t n;
	int rc = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
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

int rblk_store_save(const char *dir, const char *resource,
		    const struct rblk_store_record *record)
{
	char text[MAX_BYTES], name[RBLK_NAME_SIZE + 16];
	char temp[RBLK_NAME_SIZE + 16];
	size_t len = format_record(resource, record, text);
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (dirfd < 0)
		return -errno;
	rblk_text_format(name, sizeof(name), "%s.state", resource);
	rblk_text_format(temp, sizeof(temp), ".%s.new", resource);
	rc = write_synced(dirfd, temp, text, len);
	if (rc == 0 && renameat(dirfd, temp, dirfd, name) < 0)
		rc = -errno;
	if (rc == 0 && fsync(dirfd) < 0)
		rc = -errno;
	if (rc < 0)
		unlinkat(dirfd, temp, 0);
	close(dirfd);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * history.c - every change of the primary that this node made, kept
 */
#include "history.h"

#include "log.h"
#include "statefile.h"
#include "text.h"
#include "xalloc.h"

#include <rblk.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name_of(const char *resource, char *buf, size_t size)
{
	return rblk_text_format(buf, size, "%s.history", resource);
}

static void put_time(json_t *o, const char *key, uint64_t ms)
{
	json_object_set_new(o, key, ms ? json_integer(ms) : json_null());
}

static json_t *encode(const char *resource, const struct rblk_history_record *r,
		      const char *from, const char *to)
{
	json_t *o = json_pack("{s:s,s:s,s:I,s:s?,s:s,s:s}", "resource", resource,
			      "kind", r->kind, "register_generation",
			      (json_int_t)r->generation, "from", from, "to", to,
			      "reason", r->reason);

	if (!o)
		return NULL;
	put_time(o, "detected_ms", r->detected_ms);
	put_time(o, "decided_ms", r->decided_ms);
	put_time(o, "fenced_ms", r->fenced_ms);
	put_time(o, "chosen_ms", r->chosen_ms);
	put_time(o, "promoted_ms", r->promoted_ms);
	put_time(o, "first_write_ms", r->first_write_ms);
	put_time(o, "given_up_ms", r->given_up_ms);
	return o;
}

/* All lines; NULL: there is no such file, or it cannot be read. */
static char *read_all(const char *dir, const char *resource)
{
	char name[RBLK_NAME_SIZE + 16];
	size_t size = 2 * RBLK_HISTORY_MAX_BYTES;
	char *text = rblk_xcalloc(1, size);
	ssize_t n = rblk_statefile_read(dir, name_of(resource, name, sizeof(name)),
				      text, size - 1);

	if (n >= 0)
		return text;
	free(text);
	return NULL;
}

/* It was called otherwise once. */
static const json_t *generation_of(const json_t *o)
{
	const json_t *generation = json_object_get(o, "register_generation");

	return generation ? generation : json_object_get(o, "generation");
}

/* The later of two records of one attempt tells more: it takes the place. */
static void merge(json_t *records, json_t *o)
{
	size_t n = json_array_size(records);
	json_t *last = n ? json_array_get(records, n - 1) : NULL;

	if (last && json_equal(generation_of(last), generation_of(o)) &&
	    json_equal(json_object_get(last, "decided_ms"),
		       json_object_get(o, "decided_ms")))
		json_array_set_new(records, n - 1, o);
	else
		json_array_append_new(records, o);
}

json_t *rblk_history_read(const char *dir, const char *resource)
{
	char *text = read_all(dir, resource), *line, *rest = text;
	json_t *records = json_array(), *o;
	unsigned int nr = 0;
	json_error_t err;

	while (text && (line = strsep(&rest, "\n"))) {
		nr++;
		if (!*line)
			continue;
		o = json_loads(line, JSON_REJECT_DUPLICATES, &err);
		if (json_is_object(o)) {
			merge(records, o);
			continue;
		}
		rblk_log(RBLK_LOG_WARNING, resource, NULL,
			 "line %u of its history is damaged and left out: %s",
			 nr, o ? "not an object" : err.text);
		json_decref(o);
	}
	free(text);
	return records;
}

/* Write again what fits into half of the bound, the newest. */
static int shrink(const char *dir, const char *resource)
{
	char name[RBLK_NAME_SIZE + 16];
	char *text = read_all(dir, resource), *keep;
	size_t len;
	int rc = 0;

	if (!text)
		return 0;
	len = strlen(text);
	if (len > RBLK_HISTORY_MAX_BYTES / 2) {
		keep = strchr(text + len - RBLK_HISTORY_MAX_BYTES / 2, '\n');
		keep = keep ? keep + 1 : text + len;
		rc = rblk_statefile_replace(dir, name_of(resource, name,
						       sizeof(name)), keep,
					  strlen(keep));
	}
	free(text);
	return rc;
}

/* A crash, or a full disk, may have torn the last line. */
static bool is_torn(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last;

	return end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
}

static int append(const char *path, const char *text)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	char *line;
	size_t len;
	ssize_t n;
	int rc = 0;

	if (fd < 0)
		return -errno;
	line = rblk_xasprintf("%s%s\n", is_torn(fd) ? "\n" : "", text);
	len = strlen(line);
	n = write(fd, line, len);
	free(line);
	if (n != (ssize_t)len)
		rc = n < 0 ? -errno : -ENOSPC;
	close(fd);
	return rc;
}

int rblk_history_add(const char *dir, const char *resource,
		     const struct rblk_history_record *r, const char *from,
		     const char *to)
{
	char path[PATH_MAX], name[RBLK_NAME_SIZE + 16];
	json_t *o = encode(resource, r, from, to);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	struct stat st;
	int rc = text ? 0 : -EINVAL;

	rblk_text_format(path, sizeof(path), "%s/%s", dir,
			 name_of(resource, name, sizeof(name)));
	if (rc == 0 && stat(path, &st) == 0 &&
	    st.st_size > RBLK_HISTORY_MAX_BYTES)
		rc = shrink(dir, resource);
	if (rc == 0)
		rc = append(path, text);
	free(text);
	json_decref(o);
	return rc;
}

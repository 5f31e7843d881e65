// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store.c - durable generation numbers
 */
#include "store.h"

#include "ident.h"
#include "statefile.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_BYTES	512
#define FORMAT		"rblk-state 1\nresource %s\nuuid %s\ngeneration %" PRIu64 "\n"

static size_t format_record(const char *resource,
			    const struct rblk_store_record *record,
			    char text[MAX_BYTES])
{
	char uuid[2 * RBLK_UUID_SIZE + 1];
	size_t len;

	rblk_ident_hex(record->uuid, sizeof(record->uuid), uuid);
	len = snprintf(text, MAX_BYTES, FORMAT, resource, uuid,
		       record->generation);
	return rblk_statefile_seal(text, len, MAX_BYTES);
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

static const char *name_of(const char *resource, char *buf, size_t size)
{
	return rblk_text_format(buf, size, "%s.state", resource);
}

int rblk_store_load(const char *dir, const char *resource,
		    struct rblk_store_record *record)
{
	char name[RBLK_NAME_SIZE + 16], text[MAX_BYTES];
	ssize_t n;

	record->generation = 0;
	n = rblk_statefile_read(dir, name_of(resource, name, sizeof(name)), text,
			      sizeof(text) - 1);
	if (n < 0)
		return n;
	text[n] = '\0';
	return parse_record(resource, text, record);
}

int rblk_store_save(const char *dir, const char *resource,
		    const struct rblk_store_record *record)
{
	char name[RBLK_NAME_SIZE + 16], text[MAX_BYTES];
	size_t len = format_record(resource, record, text);

	return rblk_statefile_replace(dir, name_of(resource, name, sizeof(name)),
				    text, len);
}

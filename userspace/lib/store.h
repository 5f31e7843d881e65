/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - the highest generation this node ever promised, per resource
 *
 * DIR/RESOURCE.state is replaced as a whole: written beside, synced, renamed,
 * directory synced. After a crash it is the old one or the new one. A
 * generation is stored before the kernel hears of it, so none is used twice.
 */
#ifndef RBLK_STORE_H
#define RBLK_STORE_H

#include <rblk.h>
#include <stddef.h>
#include <stdint.h>

struct rblk_store_record {
	uint8_t uuid[RBLK_UUID_SIZE];
	uint64_t generation;
};

/*
 * 0; -ENOENT: never stored; -EBADMSG: damaged, or not one of ours; -ESTALE:
 * of a resource with another uuid; or another negative errno. @record->uuid
 * says which uuid is expected.
 */
int rblk_store_load(const char *dir, const char *resource,
		    struct rblk_store_record *record);

/* 0 once it is durable, or a negative errno. */
int rblk_store_save(const char *dir, const char *resource,
		    const struct rblk_store_record *record);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meta.h - the metadata on a device or in a file
 *
 * The format is the module's own code (kmod/core/ondisk.c). Nothing here needs
 * root, only the right to read or write the file.
 */
#ifndef RBLK_META_H
#define RBLK_META_H

#include "ondisk.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* An open device or file. */
struct rblk_meta_dev {
	int fd;
	const char *path;
	uint64_t bytes;
	bool is_block;
};

/* What was found at one of the two places where metadata may begin. */
struct rblk_meta_found {
	uint64_t head_at;
	enum rblk_ondisk_error err[2];		/* of each copy */
	struct rblk_ondisk_super super[2];
	enum rblk_ondisk_error verdict;		/* of both */
	unsigned int pick;			/* when the verdict is good */
	enum rblk_ondisk_error position_err[2];
	struct rblk_position position[2];
	uint64_t seq;				/* durable position on this disk */
};

/*
 * Open @path; for writing also exclusively, when it is a block device. 0, or
 * a negative errno with the reason in @why.
 */
int rblk_meta_open(struct rblk_meta_dev *dev, const char *path, bool write,
		   char *why, size_t why_size);
void rblk_meta_close(struct rblk_meta_dev *dev);

/* All of @bytes at @at, or a negative errno. */
int rblk_meta_read(const struct rblk_meta_dev *dev, uint64_t at, void *buf,
		   size_t bytes);
int rblk_meta_write(const struct rblk_meta_dev *dev, uint64_t at,
		    const void *buf, size_t bytes);
int rblk_meta_zero(const struct rblk_meta_dev *dev, uint64_t at,
		   uint64_t bytes);
int rblk_meta_sync(const struct rblk_meta_dev *dev);

/*
 * Look at the start of the device, then at its end. 0 with what was found;
 * @found->verdict is ABSENT when there is none at either. A negative errno
 * when the device cannot be read.
 */
int rblk_meta_find(const struct rblk_meta_dev *dev,
		   struct rblk_meta_found *found);

/* The superblock that holds, when the verdict is good. */
static inline const struct rblk_ondisk_super *
rblk_meta_super(const struct rblk_meta_found *found)
{
	return &found->super[found->pick];
}

/*
 * Write @super as new: what was in its area becomes unreadable first, then
 * both copies are written. Durable when it returns 0.
 */
int rblk_meta_create(const struct rblk_meta_dev *dev,
		     const struct rblk_ondisk_super *super);

/* Make superblocks and positions unreadable, durably. */
int rblk_meta_wipe(const struct rblk_meta_dev *dev, uint64_t head_at);

/*
 * Whose metadata a device holds, in words. A negative errno when it holds none
 * that is good.
 */
int rblk_meta_tell_whose(const char *path, char *buf, size_t size);

/* 16 random bytes. */
void rblk_meta_new_member(uint8_t member[RBLK_UUID_SIZE]);

const char *rblk_meta_layout_name(unsigned int layout);

/* The superblock as text, one line each, and as an object that comes back. */
void rblk_meta_show(const struct rblk_meta_found *found, FILE *to);
/* What its activity log says, on one line or a few. */
void rblk_meta_show_active(const struct rblk_meta_dev *dev,
			   const struct rblk_ondisk_super *super, FILE *to);
json_t *rblk_meta_to_json(const struct rblk_ondisk_super *super);
/* NULL, or what is wrong with @top. */
const char *rblk_meta_from_json(const json_t *top,
				struct rblk_ondisk_super *super);

#endif

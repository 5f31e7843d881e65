/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outfile.h - a file that appears whole and durable, or not at all
 *
 * It is written beside its place and gets its name last. What exists is never
 * replaced. One at a time: a signal that ends the process removes what is
 * unfinished.
 */
#ifndef RBLK_OUTFILE_H
#define RBLK_OUTFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rblk_outfile {
	int fd;
	const char *path;
	bool committed;
};

/* All false with errno; EEXIST: @path exists. @path stays the caller's. */
bool rblk_outfile_open(struct rblk_outfile *f, const char *path);
bool rblk_outfile_write(struct rblk_outfile *f, const void *data, size_t bytes);
/* Leaves a hole up to @at, where the next write goes. */
bool rblk_outfile_write_at(struct rblk_outfile *f, uint64_t at,
			   const void *data, size_t bytes);
bool rblk_outfile_resize(struct rblk_outfile *f, uint64_t bytes);
/* Durable, under its name. */
bool rblk_outfile_commit(struct rblk_outfile *f);
/* What was not committed is gone. */
void rblk_outfile_close(struct rblk_outfile *f);

#endif

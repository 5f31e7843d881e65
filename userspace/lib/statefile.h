/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * statefile.h - small files that survive a crash whole
 */
#ifndef RBLK_STATEFILE_H
#define RBLK_STATEFILE_H

#include <stddef.h>
#include <sys/types.h>

/**
 * rblk_statefile_replace - give a file another content
 * @dir: directory
 * @name: name in it
 * @bytes: the new content
 * @len: of @bytes
 *
 * Written beside it, synced, renamed, directory synced: after a crash it is the
 * old content or the new one.
 *
 * Return: 0 once it is durable, or a negative errno.
 */
int rblk_statefile_replace(const char *dir, const char *name, const void *bytes,
			 size_t len);

/**
 * rblk_statefile_read - read a small file
 * @dir: directory
 * @name: name in it
 * @bytes: filled in
 * @size: of @bytes; what is beyond is not read
 *
 * Return: how much was read, or a negative errno.
 */
ssize_t rblk_statefile_read(const char *dir, const char *name, void *bytes,
			  size_t size);

/**
 * rblk_statefile_seal - end a text with the line that tells whether it is whole
 * @text: lines; gets "sha256 HEX", of what it was
 * @len: of it
 * @size: of the array
 *
 * Return: the new length.
 */
size_t rblk_statefile_seal(char *text, size_t len, size_t size);

#endif

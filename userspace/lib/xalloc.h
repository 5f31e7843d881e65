/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xalloc.h - allocation that ends the process when memory has run out; the
 * kernel keeps replicating without the daemon, so that is the safe answer.
 */
#ifndef RBLK_XALLOC_H
#define RBLK_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *rblk_xcalloc(size_t n, size_t size);
void *rblk_xrealloc(void *old, size_t size);
char *rblk_xstrdup(const char *s);
char *rblk_xvasprintf(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0)));
char *rblk_xasprintf(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xalloc.c - allocation that cannot fail
 */
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *p)
{
	if (p)
		return p;
	fputs("rblk: out of memory\n", stderr);
	abort();
}

void *rblk_xcalloc(size_t n, size_t size)
{
	return check(calloc(n ? n : 1, size ? size : 1));
}

void *rblk_xrealloc(void *old, size_t size)
{
	return check(realloc(old, size));
}

char *rblk_xstrdup(const char *s)
{
	return check(strdup(s));
}

char *rblk_xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	return check(s);
}

char *rblk_xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = rblk_xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

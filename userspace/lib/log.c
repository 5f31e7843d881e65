// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * log.c - one line per event on stderr
 */
#include "log.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>

static enum rblk_log_level max_level = RBLK_LOG_INFO;
static int show_priority;

void rblk_log_init(enum rblk_log_level most, int with_priority)
{
	max_level = most;
	show_priority = with_priority;
}

void rblk_log(enum rblk_log_level level, const char *resource,
	      const char *peer, const char *fmt, ...)
{
	static const char *const priorities[] = { "<3>", "<4>", "<6>", "<7>" };
	char text[1024];
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rblk_text_sanitize(text);
	fprintf(stderr, "%srblkd:%s%s%s%s%s %s\n",
		show_priority ? priorities[level] : "",
		resource || peer ? " " : "", resource ? resource : "",
		resource && peer ? " " : "", peer ? peer : "",
		resource || peer ? ":" : "", text);
}

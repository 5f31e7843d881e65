/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - the daemon's log: one line per event on stderr
 *
 *   rblkd: r0 bravo: connected
 */
#ifndef RBLK_LOG_H
#define RBLK_LOG_H

enum rblk_log_level {
	RBLK_LOG_ERROR,
	RBLK_LOG_WARNING,
	RBLK_LOG_INFO,
	RBLK_LOG_DEBUG,
};

/* Prefix each line with its syslog priority, as the journal understands it. */
void rblk_log_init(enum rblk_log_level most, int with_priority);

/* @resource and @peer may be NULL. */
void rblk_log(enum rblk_log_level level, const char *resource,
	      const char *peer, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif

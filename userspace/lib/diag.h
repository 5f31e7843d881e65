/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diag.h - what is wrong with a configuration, and where
 */
#ifndef RBLK_DIAG_H
#define RBLK_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A place in a configuration file; line and column start at 1. */
struct rblk_pos {
	const char *file;
	int line;
	int col;
};

enum rblk_severity {
	RBLK_DIAG_ERROR,
	RBLK_DIAG_WARNING,
	RBLK_DIAG_NOTE,		/* belongs to the one before it */
};

struct rblk_diag {
	enum rblk_severity severity;
	struct rblk_pos pos;
	char *text;
};

struct rblk_diags {
	struct rblk_diag *v;
	size_t n;
	size_t errors;
	size_t warnings;
};

void rblk_diags_add(struct rblk_diags *diags, enum rblk_severity severity,
		    const struct rblk_pos *pos, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* "file:line:col: error: text", one line each. */
void rblk_diags_print(const struct rblk_diags *diags, FILE *to);

/* The same as a string the caller frees. */
char *rblk_diags_format(const struct rblk_diags *diags);

void rblk_diags_free(struct rblk_diags *diags);

#endif

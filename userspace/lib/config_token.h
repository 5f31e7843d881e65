/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_token.h - configuration files as one list of tokens
 *
 * libconfuse knows lines, not columns, and its own include knows no globs.
 * So files are cut here, includes are followed here, and libconfuse gets the
 * tokens written back one per line: its line number is then the number of a
 * token, and every token knows its file, line and column.
 */
#ifndef RBLK_CONFIG_TOKEN_H
#define RBLK_CONFIG_TOKEN_H

#include "config.h"

enum rblk_token_type {
	RBLK_TOKEN_WORD,		/* bare or quoted */
	RBLK_TOKEN_PUNCT,		/* one of = { } , */
	RBLK_TOKEN_END,
};

struct rblk_token {
	enum rblk_token_type type;
	bool quoted;
	char *text;
	struct rblk_pos pos;
};

struct rblk_tokens {
	struct rblk_token *v;		/* the last one is RBLK_TOKEN_END */
	size_t n;
};

/* Both report to config->diags; true when there was no error. */
bool rblk_config_scan_file(struct rblk_config *config,
			   struct rblk_tokens *tokens, const char *path);
bool rblk_config_scan_text(struct rblk_config *config,
			   struct rblk_tokens *tokens, const char *name,
			   const char *text, size_t len);
void rblk_tokens_free(struct rblk_tokens *tokens);

/* One token per line, quoted for libconfuse. The caller frees it. */
char *rblk_tokens_render(const struct rblk_tokens *tokens);

#endif

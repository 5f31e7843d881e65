/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_parse.h - tokens to libconfuse sections, with places kept
 */
#ifndef RBLK_CONFIG_PARSE_H
#define RBLK_CONFIG_PARSE_H

#include "config_token.h"

#include <confuse.h>

/* Where an option's value (key: cfg_opt_t) or a section's title (key: cfg_t) is. */
struct rblk_mark {
	const void *key;
	size_t token;
};

struct rblk_parse {
	struct rblk_config *config;
	struct rblk_tokens tokens;
	cfg_t *cfg;
	struct rblk_mark *marks;
	size_t marks_n;
};

/* Parse p->tokens into p->cfg; false: p->config->diags says why. */
bool rblk_parse_run(struct rblk_parse *p);
void rblk_parse_free(struct rblk_parse *p);

const struct rblk_pos *rblk_parse_section_pos(const struct rblk_parse *p,
					      const cfg_t *section);
/* Of the @i-th value of @name; of the section when it is not given. */
const struct rblk_pos *rblk_parse_value_pos(const struct rblk_parse *p,
					    cfg_t *section, const char *name,
					    unsigned int i);

/* "resource \"r0\"", in a static buffer; "" at top level. */
const char *rblk_parse_section_name(const cfg_t *section);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_build.h - sections to a struct rblk_config, and its cross checks
 */
#ifndef RBLK_CONFIG_BUILD_H
#define RBLK_CONFIG_BUILD_H

#include "config_parse.h"

/* Words to numbers; every wrong value is one error at that value. */
void rblk_config_build(struct rblk_config *config, const struct rblk_parse *p);

/* Everything that takes two places to be wrong. */
void rblk_config_check(struct rblk_config *config);

#endif

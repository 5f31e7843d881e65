/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nodename.h - which node of the configuration this machine is
 */
#ifndef RBLK_NODENAME_H
#define RBLK_NODENAME_H

#include "config.h"

/*
 * @wanted, else $RBLK_NODE, else the host's name: as it is when it is a node
 * of @config, else without its domain. @config may be NULL.
 */
void rblk_nodename_choose(const struct rblk_config *config, const char *wanted,
			  char name[RBLK_NAME_SIZE]);

#endif

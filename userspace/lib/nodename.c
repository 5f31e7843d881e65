// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nodename.c - which node this machine is
 */
#include "nodename.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void rblk_nodename_choose(const struct rblk_config *config, const char *wanted,
			  char name[RBLK_NAME_SIZE])
{
	char host[256] = "";

	if (!wanted || !*wanted)
		wanted = getenv("RBLK_NODE");
	if (wanted && *wanted) {
		rblk_text_copy(name, RBLK_NAME_SIZE, wanted);
		return;
	}
	gethostname(host, sizeof(host) - 1);
	if (!config || !rblk_config_node(config, host))
		host[strcspn(host, ".")] = '\0';
	rblk_text_copy(name, RBLK_NAME_SIZE, host);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_config.c - any bytes as a configuration
 *
 * What is accepted must also survive being shown and read again.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rblk_config *again;
	struct rblk_config *c = rblk_config_parse("fuzz", (const char *)data,
						  size);
	char *text = rblk_diags_format(&c->diags);
	FILE *f;

	free(text);
	if (c->diags.errors == 0) {
		f = open_memstream(&text, &size);
		rblk_config_show(c, f);
		fclose(f);
		again = rblk_config_parse("again", text, strlen(text));
		if (again->diags.errors)
			abort();
		rblk_config_free(again);
		free(text);
		free(rblk_config_show_json(c));
	}
	rblk_config_free(c);
	return 0;
}

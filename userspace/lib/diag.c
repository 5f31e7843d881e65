// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * diag.c - a list of errors and warnings with their places
 */
#include "diag.h"

#include "xalloc.h"

#include <stdarg.h>
#include <stdlib.h>

static const char *const severity_names[] = {
	[RBLK_DIAG_ERROR] = "error",
	[RBLK_DIAG_WARNING] = "warning",
	[RBLK_DIAG_NOTE] = "note",
};

void rblk_diags_add(struct rblk_diags *diags, enum rblk_severity severity,
		    const struct rblk_pos *pos, const char *fmt, ...)
{
	struct rblk_diag *d;
	va_list ap;

	diags->v = rblk_xrealloc(diags->v, (diags->n + 1) * sizeof(*diags->v));
	d = &diags->v[diags->n++];
	d->severity = severity;
	d->pos = *pos;
	va_start(ap, fmt);
	d->text = rblk_xvasprintf(fmt, ap);
	va_end(ap);
	diags->errors += severity == RBLK_DIAG_ERROR;
	diags->warnings += severity == RBLK_DIAG_WARNING;
}

void rblk_diags_print(const struct rblk_diags *diags, FILE *to)
{
	size_t i;

	for (i = 0; i < diags->n; i++) {
		const struct rblk_diag *d = &diags->v[i];

		if (d->pos.file)
			fprintf(to, "%s:", d->pos.file);
		if (d->pos.line)
			fprintf(to, "%d:%d:", d->pos.line, d->pos.col);
		fprintf(to, " %s: %s\n", severity_names[d->severity], d->text);
	}
}

char *rblk_diags_format(const struct rblk_diags *diags)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	rblk_diags_print(diags, f);
	fclose(f);
	return text;
}

void rblk_diags_free(struct rblk_diags *diags)
{
	size_t i;

	for (i = 0; i < diags->n; i++)
		free(diags->v[i].text);
	free(diags->v);
	*diags = (struct rblk_diags){ 0 };
}

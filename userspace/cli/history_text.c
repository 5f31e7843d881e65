// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * history_text.c - a record of a failover for people
 */
#include "view.h"

#include "text.h"

#include <string.h>

static const char *word_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* The moments of a record in their order, each after the first one. */
static void print_moments(const json_t *record, FILE *to)
{
	static const struct {
		const char *key, *word;
	} moments[] = {
		{ "detected_ms", "detected" }, { "decided_ms", "decided" },
		{ "fenced_ms", "fenced" }, { "chosen_ms", "chosen" },
		{ "promoted_ms", "promoted" },
		{ "first_write_ms", "first write" },
		{ "given_up_ms", "given up" },
	};
	const char *separator = "   ";
	json_int_t first = 0;
	size_t i;

	for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		const json_t *ms = json_object_get(record, moments[i].key);

		if (!json_is_integer(ms))
			continue;
		if (!first) {
			fprintf(to, "%s %s", separator, moments[i].word);
			first = json_integer_value(ms);
		} else {
			fprintf(to, "%s %s %+.3f s", separator, moments[i].word,
				(json_integer_value(ms) - first) / 1000.0);
		}
		separator = ",";
	}
	if (first)
		fputc('\n', to);
}

/* When it began. */
static json_int_t start_of(const json_t *record)
{
	static const char *const keys[] = { "detected_ms", "decided_ms",
					    "chosen_ms", "promoted_ms" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_is_integer(json_object_get(record, keys[i])))
			return json_integer_value(json_object_get(record,
								  keys[i]));
	return 0;
}

void rblk_view_print_record(const json_t *record, FILE *to)
{
	const char *from = word_of(record, "from"), *to_node = word_of(record, "to");
	json_int_t ms = start_of(record);
	json_int_t generation =
		json_integer_value(json_object_get(record, "register_generation"));
	char time[40];

	rblk_text_time(time, sizeof(time), ms / 1000);
	fprintf(to, "%s  %s  %s  ", word_of(record, "resource"),
		*time ? time : "?", word_of(record, "kind"));
	if (*from && strcmp(from, to_node) != 0)
		fprintf(to, "%s -> ", from);
	fprintf(to, "%s", to_node);
	/* not the module's, which the status shows */
	if (generation)
		fprintf(to, "  register's generation %lld", (long long)generation);
	if (json_is_integer(json_object_get(record, "given_up_ms")))
		fputs("  not done", to);
	fprintf(to, "\n    %s\n", word_of(record, "reason"));
	print_moments(record, to);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * text.c - names, sizes, durations and suggestions
 */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_MAX_LEN	63
#define SUGGEST_MAX_LEN	32

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool rblk_text_name_is_valid(const char *name)
{
	size_t len = strlen(name);
	size_t i;

	if (len < 1 || len > NAME_MAX_LEN || name[0] == '.' || name[0] == '-')
		return false;
	for (i = 0; i < len; i++)
		if (!is_name_char(name[i]))
			return false;
	return true;
}

/* Digits at @text; *end is what follows them. */
static bool parse_digits(const char *text, uint64_t *value, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoull(text, &stop, 10);
	*end = stop;
	return errno == 0;
}

bool rblk_text_parse_number(const char *text, uint64_t max, uint64_t *value)
{
	const char *end;

	return parse_digits(text, value, &end) && *end == '\0' && *value <= max;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{ "B", 1 },
	{ "KiB", 1ULL << 10 },
	{ "MiB", 1ULL << 20 },
	{ "GiB", 1ULL << 30 },
	{ "TiB", 1ULL << 40 },
	{ NULL, 0 },
};

static const struct unit time_units[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "min", 60 * 1000 },
	{ "h", 3600 * 1000 },
	{ NULL, 0 },
};

static bool parse_unit(const char *text, const struct unit *units,
		       uint64_t *value)
{
	const char *end;

	if (!parse_digits(text, value, &end))
		return false;
	for (; units->name; units++) {
		if (strcmp(end, units->name) != 0)
			continue;
		return !__builtin_mul_overflow(*value, units->factor, value);
	}
	return false;
}

bool rblk_text_parse_size(const char *text, uint64_t *bytes)
{
	return parse_unit(text, size_units, bytes);
}

bool rblk_text_parse_duration(const char *text, uint64_t *ms)
{
	return parse_unit(text, time_units, ms);
}

const char *rblk_text_bytes(char *buf, size_t size, uint64_t bytes)
{
	int i = 0;
	uint64_t tenths;

	while (i < 4 && bytes >= size_units[i + 1].factor)
		i++;
	if (bytes % size_units[i].factor == 0)
		return rblk_text_format(buf, size, "%" PRIu64 " %s",
					bytes / size_units[i].factor,
					size_units[i].name);
	tenths = bytes / (size_units[i].factor / 16) * 10 / 16;
	return rblk_text_format(buf, size, "%" PRIu64 ".%u %s", tenths / 10,
				(unsigned int)(tenths % 10),
				size_units[i].name);
}

const char *rblk_text_config_size(char *buf, size_t size, uint64_t bytes)
{
	int i = 4;

	while (i > 0 && (bytes == 0 || bytes % size_units[i].factor))
		i--;
	return rblk_text_format(buf, size, "%" PRIu64 "%s",
				bytes / size_units[i].factor,
				size_units[i].name);
}

const char *rblk_text_config_duration(char *buf, size_t size, uint64_t ms)
{
	int i = 3;

	while (i > 0 && (ms == 0 || ms % time_units[i].factor))
		i--;
	return rblk_text_format(buf, size, "%" PRIu64 "%s",
				ms / time_units[i].factor, time_units[i].name);
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Edits (insert, delete, replace, swap of neighbours) from @a to @b. */
static unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int d[SUGGEST_MAX_LEN + 1][SUGGEST_MAX_LEN + 1];
	size_t la = strlen(a), lb = strlen(b), i, j;

	if (la > SUGGEST_MAX_LEN || lb > SUGGEST_MAX_LEN)
		return SUGGEST_MAX_LEN;
	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

const char *rblk_text_suggest(const char *word, const char *const *words)
{
	unsigned int limit = strlen(word) < 4 ? 1 : strlen(word) < 8 ? 2 : 3;
	const char *best = NULL;

	for (; *words; words++) {
		unsigned int n = edit_distance(word, *words);

		if (n <= limit) {
			best = *words;
			limit = n ? n - 1 : 0;
			if (n == 0)
				break;
		}
		if (limit == 0)
			break;
	}
	return best;
}

char *rblk_text_format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return buf;
}

void rblk_text_copy(char *to, size_t size, const char *from)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}

void rblk_text_sanitize(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

const char *rblk_text_time(char *buf, size_t size, uint64_t seconds)
{
	time_t when = seconds;
	struct tm tm;

	if (!seconds)
		buf[0] = '\0';
	else if (when < 0 || !gmtime_r(&when, &tm) ||
		 !strftime(buf, size, "%Y-%m-%d %H:%M:%S UTC", &tm))
		rblk_text_copy(buf, size, "?");
	return buf;
}

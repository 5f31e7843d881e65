/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h - names, sizes, durations and suggestions: strings to values and
 * back. Pure.
 */
#ifndef RBLK_TEXT_H
#define RBLK_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 1..63 of [A-Za-z0-9._-], no leading '.' or '-'. */
bool rblk_text_name_is_valid(const char *name);

/* "64MiB" to bytes, "500ms" to milliseconds; false: not of that form. */
bool rblk_text_parse_size(const char *text, uint64_t *bytes);
bool rblk_text_parse_duration(const char *text, uint64_t *ms);
bool rblk_text_parse_number(const char *text, uint64_t max, uint64_t *value);

/* "256 MiB", "1.5 GiB", "17 B"; exact where it is a whole number of units. */
const char *rblk_text_bytes(char *buf, size_t size, uint64_t bytes);

/* "64MiB", as the configuration wants it: the largest unit that is exact. */
const char *rblk_text_config_size(char *buf, size_t size, uint64_t bytes);

/* "5s", "250ms": likewise. */
const char *rblk_text_config_duration(char *buf, size_t size, uint64_t ms);

/* "2026-01-31 12:00:00 UTC" of seconds since 1970; "" of 0. */
const char *rblk_text_time(char *buf, size_t size, uint64_t seconds);

/* The one of @words (NULL at the end) that @word was probably meant to be. */
const char *rblk_text_suggest(const char *word, const char *const *words);

/* snprintf that returns its buffer; longer text is cut. */
char *rblk_text_format(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Copy what fits, always terminated. */
void rblk_text_copy(char *to, size_t size, const char *from);

/* Replace what a terminal or a log must not see by '?'. */
void rblk_text_sanitize(char *text);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.h - every change of the primary that this node made, kept
 *
 * STATE/RES.history, one JSON object per line, the oldest first. It is bounded:
 * when it has grown large its older half goes.
 */
#ifndef RBLK_HISTORY_H
#define RBLK_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RBLK_HISTORY_MAX_BYTES	(128 * 1024)

/**
 * struct rblk_history_record - one failover; times are ms since 1970, 0: never
 * @kind: "failover", "switchover", "promotion"
 * @generation: of the arbiter's record
 * @from: id of the primary before, 0xff: there was none
 * @to: id of the new one
 * @detected_ms: the primary was found to have failed
 * @decided_ms: this node began to try to be promoted
 * @fenced_ms: the primary was confirmed to be off
 * @chosen_ms: the arbiter promoted this node
 * @promoted_ms: so did the kernel, under a lease
 * @first_write_ms: the first write was reported to the application
 * @given_up_ms: another node is primary, or the kernel refused
 * @reason: why, in words
 */
struct rblk_history_record {
	const char *kind;
	uint64_t generation;
	uint8_t from;
	uint8_t to;
	uint64_t detected_ms;
	uint64_t decided_ms;
	uint64_t fenced_ms;
	uint64_t chosen_ms;
	uint64_t promoted_ms;
	uint64_t first_write_ms;
	uint64_t given_up_ms;
	char reason[160];
};

/**
 * rblk_history_add - keep a record
 * @dir: state directory
 * @resource: of which resource
 * @r: the record; one of a generation that is kept already replaces it
 * @from: name of that node, NULL: nobody
 * @to: name of that node
 *
 * Return: 0 or a negative errno.
 */
int rblk_history_add(const char *dir, const char *resource,
		     const struct rblk_history_record *r, const char *from,
		     const char *to);

/**
 * rblk_history_read - all that is kept
 * @dir: state directory
 * @resource: of which resource
 *
 * Lines that are damaged are left out, and the log says so.
 *
 * Return: a new array, the oldest record first.
 */
json_t *rblk_history_read(const char *dir, const char *resource);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backoff.h - how long to wait before the next attempt. Pure: the caller
 * brings the randomness.
 */
#ifndef RBLK_BACKOFF_H
#define RBLK_BACKOFF_H

#include <stdint.h>

#define RBLK_BACKOFF_MIN_MS	200
#define RBLK_BACKOFF_MAX_MS	5000

struct rblk_backoff {
	unsigned int failures;
};

void rblk_backoff_reset(struct rblk_backoff *b);

/* 200 ms, 400 ms, … 5 s, each within a quarter of that either way. */
uint32_t rblk_backoff_next_ms(struct rblk_backoff *b, uint32_t random);

/* The longest wait at once: trying again soon is known to be pointless. */
uint32_t rblk_backoff_long_ms(struct rblk_backoff *b, uint32_t random);

#endif

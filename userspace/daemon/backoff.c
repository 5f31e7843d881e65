// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * backoff.c - exponential, bounded, with jitter
 */
#include "backoff.h"

static uint32_t jitter(uint32_t ms, uint32_t random)
{
	uint32_t quarter = ms / 4;

	return ms - quarter + random % (2 * quarter + 1);
}

void rblk_backoff_reset(struct rblk_backoff *b)
{
	b->failures = 0;
}

uint32_t rblk_backoff_next_ms(struct rblk_backoff *b, uint32_t random)
{
	uint32_t ms = RBLK_BACKOFF_MIN_MS;
	unsigned int i;

	for (i = 0; i < b->failures && ms < RBLK_BACKOFF_MAX_MS; i++)
		ms *= 2;
	if (ms >= RBLK_BACKOFF_MAX_MS)
		ms = RBLK_BACKOFF_MAX_MS;
	else
		b->failures++;
	return jitter(ms, random);
}

uint32_t rblk_backoff_long_ms(struct rblk_backoff *b, uint32_t random)
{
	while (RBLK_BACKOFF_MIN_MS << b->failures < RBLK_BACKOFF_MAX_MS)
		b->failures++;
	return jitter(RBLK_BACKOFF_MAX_MS, random);
}

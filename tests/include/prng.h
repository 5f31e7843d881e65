/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prng.h - repeatable randomness for tests: splitmix64. */
#ifndef RBLK_PRNG_H
#define RBLK_PRNG_H

#include <linux/types.h>

static inline __u64 prng_next(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* 0 .. limit - 1 */
static inline __u64 prng_below(__u64 *state, __u64 limit)
{
	return prng_next(state) % limit;
}

#endif /* RBLK_PRNG_H */

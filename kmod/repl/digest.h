/* SPDX-License-Identifier: GPL-2.0 */
/*
 * digest.h - which blocks of a range are the same on two nodes.
 *
 * BLAKE2s with 256 bits: what it calls equal may be left uncopied.
 */
#ifndef RBLK_REPL_DIGEST_H
#define RBLK_REPL_DIGEST_H

#include <linux/bio.h>

#include "../core/wire.h"

/**
 * rblk_digest_blocks - digests of the blocks of a bio's data
 * @bio: of at most RBLK_WIRE_DIGESTS_MAX blocks; the last may be a short one
 * @digests: RBLK_WIRE_DIGEST_BYTES for each
 *
 * Context: any; takes a while.
 */
void rblk_digest_blocks(struct bio *bio, u8 *digests);

/**
 * rblk_digest_compare - which blocks of a bio's data differ from these
 * @bio: as above
 * @digests: of the other node's blocks
 *
 * Return: bit i is set when block i differs.
 */
u64 rblk_digest_compare(struct bio *bio, const u8 *digests);

/**
 * rblk_digest_is_zero - is all of a bio's data zero?
 * @bio: any
 */
bool rblk_digest_is_zero(struct bio *bio);

#endif /* RBLK_REPL_DIGEST_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * digest.c - which blocks of a range are the same on two nodes.
 */
#include <crypto/blake2s.h>
#include <linux/highmem.h>

#include "digest.h"

static_assert(RBLK_WIRE_DIGEST_BYTES == BLAKE2S_HASH_SIZE);

/* Call @each with the digest of each block. */
static void digest_all(struct bio *bio,
		       void (*each)(void *context, u32 block, const u8 *digest),
		       void *context)
{
	u8 digest[RBLK_WIRE_DIGEST_BYTES];
	struct blake2s_state state;
	struct bvec_iter_all iter;
	u32 filled = 0, block = 0;
	struct bio_vec *bv;

	/* Pages of our own: none reaches over the end of a block. */
	bio_for_each_segment_all(bv, bio, iter) {
		void *data = bvec_kmap_local(bv);

		if (!filled)
			blake2s_init(&state, sizeof(digest));
		blake2s_update(&state, data, bv->bv_len);
		kunmap_local(data);
		filled += bv->bv_len;
		if (filled < RBLK_WIRE_DIGESTED_SECTS << SECTOR_SHIFT)
			continue;
		blake2s_final(&state, digest);
		each(context, block++, digest);
		filled = 0;
	}
	if (!filled)
		return;
	blake2s_final(&state, digest);
	each(context, block, digest);
}

static void store(void *context, u32 block, const u8 *digest)
{
	memcpy(context + block * RBLK_WIRE_DIGEST_BYTES, digest,
	       RBLK_WIRE_DIGEST_BYTES);
}

void rblk_digest_blocks(struct bio *bio, u8 *digests)
{
	digest_all(bio, store, digests);
}

struct comparison {
	const u8 *digests;
	u64 differ;
};

static void compare(void *context, u32 block, const u8 *digest)
{
	struct comparison *comparison = context;

	if (memcmp(comparison->digests + block * RBLK_WIRE_DIGEST_BYTES, digest,
		   RBLK_WIRE_DIGEST_BYTES))
		comparison->differ |= BIT_ULL(block);
}

u64 rblk_digest_compare(struct bio *bio, const u8 *digests)
{
	struct comparison comparison = { .digests = digests };

	digest_all(bio, compare, &comparison);
	return comparison.differ;
}

bool rblk_digest_is_zero(struct bio *bio)
{
	struct bvec_iter_all iter;
	struct bio_vec *bv;
	bool zero = true;

	bio_for_each_segment_all(bv, bio, iter) {
		void *data = bvec_kmap_local(bv);

		zero = zero && !memchr_inv(data, 0, bv->bv_len);
		kunmap_local(data);
	}
	return zero;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * payload.c - looking at the data of an operation.
 */
#include <linux/bio.h>
#include <linux/crc32c.h>
#include <linux/highmem.h>
#include <linux/string.h>

#include "payload.h"

u32 rblk_payload_crc(const struct bio_vec *bvec, struct bvec_iter iter)
{
	u32 crc = ~0U;

	while (iter.bi_size) {
		struct bio_vec bv = bvec_iter_bvec(bvec, iter);
		void *data = bvec_kmap_local(&bv);

		crc = crc32c(crc, data, bv.bv_len);
		kunmap_local(data);
		bvec_iter_advance_single(bvec, &iter, bv.bv_len);
	}
	return ~crc;
}

bool rblk_payload_is_zero(const struct bio_vec *bvec, struct bvec_iter iter)
{
	while (iter.bi_size) {
		struct bio_vec bv = bvec_iter_bvec(bvec, iter);
		void *data = bvec_kmap_local(&bv);
		bool zero = !memchr_inv(data, 0, bv.bv_len);

		kunmap_local(data);
		if (!zero)
			return false;
		bvec_iter_advance_single(bvec, &iter, bv.bv_len);
	}
	return true;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * payload.h - looking at the data of an operation.
 */
#ifndef RBLK_REPL_PAYLOAD_H
#define RBLK_REPL_PAYLOAD_H

#include <linux/bvec.h>

/**
 * rblk_payload_crc - crc32c of data, as a frame carries it
 * @bvec: its pages
 * @iter: its place in them
 *
 * Return: the checksum (seed ~0, final xor ~0).
 */
u32 rblk_payload_crc(const struct bio_vec *bvec, struct bvec_iter iter);

/**
 * rblk_payload_is_zero - does data hold nothing but zeroes?
 * @bvec: its pages
 * @iter: its place in them
 *
 * Return: true when it does; data that does not mostly shows it at once.
 */
bool rblk_payload_is_zero(const struct bio_vec *bvec, struct bvec_iter iter);

#endif /* RBLK_REPL_PAYLOAD_H */

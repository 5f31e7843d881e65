/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crc32c.h - the checksum of everything that rblk writes, for much data
 */
#ifndef RBLK_CRC32C_H
#define RBLK_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * Go on from @crc over @bytes of @data. As in iSCSI it begins with ~0 and is
 * inverted at the end, both by the caller.
 */
uint32_t rblk_crc32c(uint32_t crc, const void *data, size_t bytes);

#endif

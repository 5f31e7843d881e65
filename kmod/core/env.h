/* SPDX-License-Identifier: GPL-2.0 */
/*
 * env.h - what core/ takes from its surroundings, in the kernel and outside.
 *
 * core/ compiles as part of the module and, unchanged, as a user-space program
 * for unit tests, fuzzers and simulators. There the few kernel facilities it
 * uses come from tests/include/rblk_shim.h.
 */
#ifndef RBLK_CORE_ENV_H
#define RBLK_CORE_ENV_H

#ifdef __KERNEL__

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>

#else

#include "rblk_shim.h"

#endif

#endif /* RBLK_CORE_ENV_H */

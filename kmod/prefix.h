/* SPDX-License-Identifier: GPL-2.0 */
/*
 * prefix.h - included before everything else: every line of ours in the kernel's
 * log starts alike.
 */
#undef pr_fmt
#define pr_fmt(fmt) "rblk: " fmt

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - newer kernels remember a trace string's source by themselves.
 */
#ifndef RBLK_COMPAT_TRACE_H
#define RBLK_COMPAT_TRACE_H

#ifdef RBLK_HAVE_ASSIGN_STR_1
#define rblk_assign_str(dst, src) __assign_str(dst)
#else
#define rblk_assign_str(dst, src) __assign_str(dst, src)
#endif

#endif /* RBLK_COMPAT_TRACE_H */

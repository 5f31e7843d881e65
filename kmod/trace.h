/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - tracepoints: the life of a write, of a link.
 *
 * A write is named by its resource and seq on both sides, so traces of a
 * primary and a backup can be laid side by side.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM rblk

#if !defined(RBLK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define RBLK_TRACE_H

#include <linux/tracepoint.h>

#include "compat/trace.h"
#include "core/wire.h"

TRACE_DEFINE_ENUM(RBLK_OP_WRITE);
TRACE_DEFINE_ENUM(RBLK_OP_DISCARD);
TRACE_DEFINE_ENUM(RBLK_OP_WRITE_ZEROES);
TRACE_DEFINE_ENUM(RBLK_OP_FLUSH);

#define rblk_show_op(op) __print_symbolic(op,		\
	{ RBLK_OP_WRITE, "write" },			\
	{ RBLK_OP_DISCARD, "discard" },			\
	{ RBLK_OP_WRITE_ZEROES, "zeroes" },		\
	{ RBLK_OP_FLUSH, "flush" })

/* What happens to an operation on the node where it was submitted. */
DECLARE_EVENT_CLASS(rblk_write,
	TP_PROTO(const char *res, u8 volume, u64 seq, u8 op, u64 sector,
		 u32 bytes, int arg),
	TP_ARGS(res, volume, seq, op, sector, bytes, arg),
	TP_STRUCT__entry(
		__string(res, res)
		__field(u64, seq)
		__field(u64, sector)
		__field(u32, bytes)
		__field(int, arg)
		__field(u8, volume)
		__field(u8, op)
	),
	TP_fast_assign(
		rblk_assign_str(res, res);
		__entry->seq = seq;
		__entry->sector = sector;
		__entry->bytes = bytes;
		__entry->arg = arg;
		__entry->volume = volume;
		__entry->op = op;
	),
	TP_printk("%s/%u seq %llu %s sector %llu bytes %u arg %d",
		  __get_str(res), __entry->volume, __entry->seq,
		  rblk_show_op(__entry->op), __entry->sector, __entry->bytes,
		  __entry->arg)
);

#define RBLK_WRITE_EVENT(name)						\
DEFINE_EVENT(rblk_write, name,						\
	TP_PROTO(const char *res, u8 volume, u64 seq, u8 op,		\
		 u64 sector, u32 bytes, int arg),			\
	TP_ARGS(res, volume, seq, op, sector, bytes, arg))

RBLK_WRITE_EVENT(rblk_write_admit);	/* arg: operations in the log */
RBLK_WRITE_EVENT(rblk_write_local);	/* arg: status of the local leg */
RBLK_WRITE_EVENT(rblk_write_send);	/* arg: to this node */
RBLK_WRITE_EVENT(rblk_write_received);	/* arg: by this node */
RBLK_WRITE_EVENT(rblk_write_applied);	/* arg: by this node */
RBLK_WRITE_EVENT(rblk_write_report);	/* arg: status */
RBLK_WRITE_EVENT(rblk_apply_start);	/* arg: operations not finished */
RBLK_WRITE_EVENT(rblk_apply_end);	/* arg: status */

TRACE_EVENT(rblk_link,
	TP_PROTO(const char *res, const char *peer, const char *from,
		 const char *to, const char *reason),
	TP_ARGS(res, peer, from, to, reason),
	TP_STRUCT__entry(
		__string(res, res)
		__string(peer, peer)
		__string(from, from)
		__string(to, to)
		__string(reason, reason)
	),
	TP_fast_assign(
		rblk_assign_str(res, res);
		rblk_assign_str(peer, peer);
		rblk_assign_str(from, from);
		rblk_assign_str(to, to);
		rblk_assign_str(reason, reason);
	),
	TP_printk("%s %s %s -> %s %s", __get_str(res), __get_str(peer),
		  __get_str(from), __get_str(to), __get_str(reason))
);

#endif /* RBLK_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

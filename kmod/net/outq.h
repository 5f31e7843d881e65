/* SPDX-License-Identifier: GPL-2.0 */
/*
 * outq.h - control frames waiting to be sent on a link: HELLO, STATE, BYE and
 * the like. Operations never pass through here.
 */
#ifndef RBLK_NET_OUTQ_H
#define RBLK_NET_OUTQ_H

#include <linux/list.h>
#include <linux/spinlock.h>

#include "../core/wire.h"

/**
 * struct rblk_outq - a short queue of whole frames
 * @lock: protects the others; innermost, taken with interrupts off
 * @frames: of struct rblk_outq_frame
 * @count: of @frames
 */
struct rblk_outq {
	spinlock_t lock; /* protects @frames and @count */
	struct list_head frames;
	u32 count;
};

/* More than this waits only for a peer that asks and does not listen. */
#define RBLK_OUTQ_MAX	1024

/**
 * rblk_outq_is_full - is it time to end the link?
 * @outq: of a link
 */
static inline bool rblk_outq_is_full(const struct rblk_outq *outq)
{
	return READ_ONCE(outq->count) > RBLK_OUTQ_MAX;
}

/**
 * struct rblk_outq_frame - one encoded frame
 * @link: in the queue or in a batch
 * @length: bytes at @bytes
 * @bytes: header and payload
 */
struct rblk_outq_frame {
	struct list_head link;
	u32 length;
	u8 bytes[];
};

/** rblk_outq_init - an empty queue */
void rblk_outq_init(struct rblk_outq *outq);

/**
 * rblk_outq_alloc - a frame with room for @payload bytes after its header
 * @payload: at most RBLK_WIRE_CTRL_MAX
 * @gfp: of the allocation
 *
 * Return: the frame, or NULL.
 */
struct rblk_outq_frame *rblk_outq_alloc(u32 payload, gfp_t gfp);

/**
 * rblk_outq_encode - put a header into a frame, to be queued later
 * @frame: its payload of @head->length bytes is in place behind the header
 * @head: header, native
 */
void rblk_outq_encode(struct rblk_outq_frame *frame,
		      const struct rblk_frame *head);

/**
 * rblk_outq_put_encoded - queue a frame; any context
 * @outq: of a link
 * @frame: encoded
 */
void rblk_outq_put_encoded(struct rblk_outq *outq,
			   struct rblk_outq_frame *frame);

/**
 * rblk_outq_put - encode the header and queue the frame
 * @outq: of a link
 * @frame: its payload of @head->length bytes is in place behind the header
 * @head: header, native
 */
void rblk_outq_put(struct rblk_outq *outq, struct rblk_outq_frame *frame,
		   const struct rblk_frame *head);

/** rblk_outq_pop - the oldest frame, or NULL */
struct rblk_outq_frame *rblk_outq_pop(struct rblk_outq *outq);

/** rblk_outq_free_list - free frames linked in @frames */
void rblk_outq_free_list(struct list_head *frames);

/** rblk_outq_purge - drop what is queued */
void rblk_outq_purge(struct rblk_outq *outq);

#endif /* RBLK_NET_OUTQ_H */

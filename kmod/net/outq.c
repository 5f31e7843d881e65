// SPDX-License-Identifier: GPL-2.0
/*
 * outq.c - control frames waiting to be sent on a link.
 */
#include <linux/slab.h>

#include "outq.h"

void rblk_outq_init(struct rblk_outq *outq)
{
	spin_lock_init(&outq->lock);
	INIT_LIST_HEAD(&outq->frames);
}

struct rblk_outq_frame *rblk_outq_alloc(u32 payload, gfp_t gfp)
{
	struct rblk_outq_frame *frame;
	size_t bytes = sizeof(struct rblk_msg_hdr) + payload;

	return kzalloc(struct_size(frame, bytes, bytes), gfp);
}

void rblk_outq_encode(struct rblk_outq_frame *frame,
		      const struct rblk_frame *head)
{
	rblk_wire_put_hdr((struct rblk_msg_hdr *)frame->bytes, head);
	frame->length = sizeof(struct rblk_msg_hdr) + head->length;
}

void rblk_outq_put_encoded(struct rblk_outq *outq,
			   struct rblk_outq_frame *frame)
{
	unsigned long irq;

	spin_lock_irqsave(&outq->lock, irq);
	list_add_tail(&frame->link, &outq->frames);
	WRITE_ONCE(outq->count, outq->count + 1);
	spin_unlock_irqrestore(&outq->lock, irq);
}

void rblk_outq_put(struct rblk_outq *outq, struct rblk_outq_frame *frame,
		   const struct rblk_frame *head)
{
	rblk_outq_encode(frame, head);
	rblk_outq_put_encoded(outq, frame);
}

struct rblk_outq_frame *rblk_outq_pop(struct rblk_outq *outq)
{
	struct rblk_outq_frame *frame;
	unsigned long irq;

	if (list_empty_careful(&outq->frames))
		return NULL;
	spin_lock_irqsave(&outq->lock, irq);
	frame = list_first_entry_or_null(&outq->frames, struct rblk_outq_frame,
					 link);
	if (frame) {
		list_del(&frame->link);
		WRITE_ONCE(outq->count, outq->count - 1);
	}
	spin_unlock_irqrestore(&outq->lock, irq);
	return frame;
}

void rblk_outq_free_list(struct list_head *frames)
{
	struct rblk_outq_frame *frame, *tmp;

	list_for_each_entry_safe(frame, tmp, frames, link)
		kfree(frame);
	INIT_LIST_HEAD(frames);
}

void rblk_outq_purge(struct rblk_outq *outq)
{
	struct rblk_outq_frame *frame;

	while ((frame = rblk_outq_pop(outq)))
		kfree(frame);
}

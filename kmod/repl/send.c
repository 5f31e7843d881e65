// SPDX-License-Identifier: GPL-2.0
/*
 * send.c - the sending pump of a link.
 *
 * A pump builds a batch, hands it to the socket, and goes on until nothing is
 * left or the socket is full. A batch is, in this order: control frames, one
 * acknowledgment, the answer to a READ or resync data, operations, READs. Small
 * data is copied into the socket together with the headers in one call; data of
 * PAGES_MIN bytes or more ends the batch and is sent from its pages.
 *
 * Whoever has something to send runs the pump (mostly the submitter of the
 * write: no thread is woken for an idle link). If somebody else is at it, that
 * one sees the new work before it leaves.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/srcu.h>

#include "active.h"
#include "disk.h"
#include "link.h"
#include "payload.h"
#include "send.h"
#include "write.h"
#include "../peer.h"
#include "../resource.h"
#include "../stats.h"
#include "../trace.h"
#include "../volume.h"

#define PAGES_MIN	(16U << 10)	/* below, copying is cheaper */
#define BATCH_BYTES	(64U << 10)	/* copied bytes, roughly */
#define NO_MEMORY_MS	20		/* until sending is tried again */
#define ACK_ROOM	(sizeof(struct rblk_msg_hdr) + RBLK_WIRE_ACK_MAX)

/* Whoever sends to a peer that it found in its resource. */
DEFINE_STATIC_SRCU(kickers);

/* The page holds an ack, then headers. */
static_assert(ACK_ROOM + RBLK_TX_FRAMES * sizeof(struct rblk_msg_hdr) <=
	      PAGE_SIZE);

static void add_vec(struct rblk_tx *tx, struct page *page, u32 len, u32 offset)
{
	struct bio_vec *bv = &tx->bvec[tx->vecs++];

	bv->bv_page = page;
	bv->bv_len = len;
	bv->bv_offset = offset;
}

static void add_buffer(struct rblk_tx *tx, void *buf, u32 len)
{
	add_vec(tx, virt_to_page(buf), len, offset_in_page(buf));
}

/* Encode a header into the batch. */
static void add_header(struct rblk_tx *tx, const struct rblk_frame *frame)
{
	void *at = page_address(tx->page) + ACK_ROOM +
		   tx->frames++ * sizeof(struct rblk_msg_hdr);

	rblk_wire_put_hdr(at, frame);
	add_buffer(tx, at, sizeof(struct rblk_msg_hdr));
}

static u32 add_controls(struct rblk_peer *peer)
{
	struct rblk_tx *tx = &peer->tx;
	struct rblk_outq_frame *frame;
	u32 bytes = 0;

	while (tx->vecs < RBLK_TX_FRAMES) {
		frame = rblk_outq_pop(&peer->outq);
		if (!frame)
			break;
		list_add_tail(&frame->link, &tx->sent);
		/* At most two pages, physically contiguous: kmalloc memory. */
		add_buffer(tx, frame->bytes, frame->length);
		bytes += frame->length;
	}
	return bytes;
}

static u32 add_ack(struct rblk_peer *peer)
{
	struct rblk_frame head = { .type = RBLK_MSG_ACK };
	void *at = page_address(peer->tx.page);
	struct rblk_ack ack;

	if (!READ_ONCE(peer->ack_due))
		return 0;
	/* Cleared first: what happens from now on makes it due again. */
	WRITE_ONCE(peer->ack_due, false);
	smp_mb(); /* pairs with the one in rblk_recv_progress() */
	rblk_applier_fill_ack(&peer->res->applier, &ack);
	head.length = rblk_wire_put_ack(at + sizeof(struct rblk_msg_hdr), &ack);
	rblk_wire_put_hdr(at, &head);
	add_buffer(&peer->tx, at, sizeof(struct rblk_msg_hdr) + head.length);
	WRITE_ONCE(peer->acked_applied, ack.applied);
	return sizeof(struct rblk_msg_hdr) + head.length;
}

/* What a peer is told of the activity log with what it gets of a volume. */
static u64 logged(const struct rblk_peer *peer,
		  const struct rblk_volume *volume)
{
	lockdep_assert_held(&peer->res->log.lock);
	return peer->takes_logged ? rblk_active_serial(volume) : 0;
}

/* By what is @peer to acknowledge this one? */
static u8 protocol_of(const struct rblk_write *write,
		      const struct rblk_peer *peer)
{
	u16 bit = BIT(peer->node_id);

	lockdep_assert_held(&peer->res->log.lock);
	if (write->state.covered & bit)
		return 'A';
	if (peer->protocol == 'A' && peer->res->log.policy.wait_received & bit)
		return 'B';
	return peer->protocol;
}

static void describe_op(const struct rblk_write *write, u64 dep,
			const struct rblk_peer *peer, struct rblk_frame *frame)
{
	u8 protocol = protocol_of(write, peer);

	memset(frame, 0, sizeof(*frame));
	frame->type = RBLK_MSG_OP;
	frame->op = write->op;
	frame->flags = write->flags;
	if (protocol == 'C' || (protocol == 'B' && write->state.durable) ||
	    rblk_disk_is_away(write->volume))
		frame->flags |= RBLK_FRAME_WANT_APPLIED;
	else if (protocol == 'B')
		frame->flags |= RBLK_FRAME_WANT_RECEIVED;
	frame->gen = write->gen;
	frame->seq = write->seq;
	frame->dep = dep;
	frame->volume = write->volume->id;
	frame->logged = logged(peer, write->volume);
	if (write->op == RBLK_OP_FLUSH)
		return;
	frame->sector = write->iter.bi_sector;
	frame->nr_sects = write->iter.bi_size >> SECTOR_SHIFT;
	if (write->op == RBLK_OP_WRITE)
		frame->length = write->iter.bi_size;
}

/* Where its data is: a kept copy outlives the application's pages. */
static const struct bio_vec *data_of(const struct rblk_write *write,
				     struct bvec_iter *iter)
{
	const struct bio *kept = READ_ONCE(write->kept);

	*iter = kept ? kept->bi_iter : write->iter;
	return kept ? kept->bi_io_vec : write->bvec;
}

static void add_data(struct rblk_tx *tx, const struct rblk_write *write)
{
	struct bvec_iter iter;
	const struct bio_vec *bvec = data_of(write, &iter);
	struct bio_vec bv;

	while (iter.bi_size) {
		bv = mp_bvec_iter_bvec(bvec, iter);
		add_vec(tx, bv.bv_page, bv.bv_len, bv.bv_offset);
		bvec_iter_advance(bvec, &iter, bv.bv_len);
	}
}

static void add_crc(struct rblk_frame *frame, const struct bio_vec *bvec,
		    struct bvec_iter iter)
{
	frame->flags |= RBLK_FRAME_DATA_CRC;
	frame->data_crc = rblk_payload_crc(bvec, iter);
}

/* The data of @frame is all that @bio has. */
static void treat_pages(struct rblk_peer *peer, struct rblk_frame *frame,
			const struct bio *bio)
{
	struct bvec_iter all = { .bi_size = frame->length };

	if (frame->length && READ_ONCE(peer->res->data_crc))
		add_crc(frame, bio->bi_io_vec, all);
}

static void add_bio(struct rblk_tx *tx, struct bio *bio)
{
	struct bvec_iter_all iter;
	struct bio_vec *bv;

	bio_for_each_segment_all(bv, bio, iter)
		add_vec(tx, bv->bv_page, bv->bv_len, bv->bv_offset);
}

/*
 * What the options make of an operation's data. A checksum needs data that the
 * application cannot change any more: a copy.
 */
static void treat_data(struct rblk_peer *peer, const struct rblk_write *write,
		       struct rblk_frame *frame)
{
	const u16 durable = RBLK_FRAME_FUA | RBLK_FRAME_PREFLUSH;
	const struct bio_vec *bvec;
	struct bvec_iter iter;

	if (!frame->length)
		return;
	bvec = data_of(write, &iter);
	if (READ_ONCE(peer->res->zero_detect) && peer->takes_zeroes &&
	    !(frame->flags & durable) &&
	    rblk_payload_is_zero(bvec, iter)) {
		frame->op = RBLK_OP_WRITE_ZEROES;
		frame->length = 0;
	} else if (READ_ONCE(peer->res->data_crc) && write->copy) {
		add_crc(frame, bvec, iter);
	}
}

/* The next operation for this peer that fits into the batch. */
static struct rblk_write *next_op(struct rblk_peer *peer,
				  struct rblk_frame *frame)
{
	struct rblk_log *log = &peer->res->log;
	struct rblk_write *write;
	unsigned long irq;
	u64 dep;

	spin_lock_irqsave(&log->lock, irq);
	/* No operation overtakes a chunk whose range was unlocked before it. */
	write = list_empty(&peer->resync.ready) ?
		rblk_log_next(log, peer->node_id, &dep) : NULL;
	if (write) {
		describe_op(write, dep, peer, frame);
		rblk_latency_add(peer->res->latency, RBLK_STAGE_SENT,
				 write->admit_ns);
		trace_rblk_write_send(peer->res->name, frame->volume,
				      write->seq, write->op, frame->sector,
				      frame->length, peer->node_id);
	}
	spin_unlock_irqrestore(&log->lock, irq);
	return write;
}

/* End the batch with data that is sent from its pages. */
static void end_with_pages(struct rblk_tx *tx, u32 first, u32 bytes)
{
	iov_iter_bvec(&tx->data, ITER_SOURCE, tx->bvec + first,
		      tx->vecs - first, bytes);
}

/* One resync chunk, if there is one, ends the batch: its data is long. */
static u32 add_resync(struct rblk_peer *peer, u32 *pages)
{
	struct rblk_frame head = { .type = RBLK_MSG_RESYNC };
	struct rblk_log *log = &peer->res->log;
	struct rblk_tx *tx = &peer->tx;
	struct rblk_resync_chunk *chunk;
	unsigned long irq;
	u32 first;

	spin_lock_irqsave(&log->lock, irq);
	chunk = rblk_resync_next(peer);
	if (chunk)
		head.logged = logged(peer, chunk->volume);
	spin_unlock_irqrestore(&log->lock, irq);
	if (!chunk)
		return 0;
	head.volume = chunk->volume->id;
	head.sector = chunk->range.extent.sector;
	head.nr_sects = chunk->range.extent.nr_sects;
	if (chunk->zeroes)
		head.flags = RBLK_FRAME_ZEROES;
	else
		head.length = head.nr_sects << SECTOR_SHIFT;
	treat_pages(peer, &head, &chunk->bio);
	add_header(tx, &head);
	if (chunk->zeroes)
		return sizeof(struct rblk_msg_hdr);
	first = tx->vecs;
	add_bio(tx, &chunk->bio);
	end_with_pages(tx, first, head.length);
	*pages = head.length;
	return sizeof(struct rblk_msg_hdr);
}

/*
 * Return: bytes added to be copied, behind @before others; *@pages is set to
 * those sent from pages.
 */
static u32 add_ops(struct rblk_peer *peer, u32 before, u32 *pages)
{
	struct rblk_tx *tx = &peer->tx;
	struct rblk_write *write;
	struct rblk_frame frame;
	u32 first, bytes = 0;

	/* Room for the longest operation's vectors must be left. */
	while (tx->frames < RBLK_TX_FRAMES && bytes < BATCH_BYTES &&
	       tx->vecs + 1 + BIO_MAX_VECS <= RBLK_TX_VECS) {
		write = next_op(peer, &frame);
		if (!write)
			break;
		treat_data(peer, write, &frame);
		add_header(tx, &frame);
		bytes += sizeof(struct rblk_msg_hdr);
		tx->op[tx->ops].seq = frame.seq;
		tx->op[tx->ops++].end = before + bytes + frame.length;
		if (frame.length >= PAGES_MIN) {
			*pages = frame.length;
			first = tx->vecs;
			add_data(tx, write);
			end_with_pages(tx, first, frame.length);
			break;
		}
		if (frame.length)
			add_data(tx, write);
		bytes += frame.length;
	}
	return bytes;
}

/*
 * The data of one READ, if there is one. It is copied: its pages go back to
 * where the next operations get theirs, whatever TCP still holds.
 */
static u32 add_answer(struct rblk_peer *peer)
{
	struct rblk_frame head = { .type = RBLK_MSG_READ_REPLY };
	struct rblk_log *log = &peer->res->log;
	struct rblk_tx *tx = &peer->tx;
	struct rblk_apply *apply;
	unsigned long irq;

	if (list_empty_careful(&peer->answers))
		return 0;
	spin_lock_irqsave(&log->lock, irq);
	apply = list_first_entry_or_null(&peer->answers, struct rblk_apply,
					 link);
	if (apply)
		list_del(&apply->link);
	spin_unlock_irqrestore(&log->lock, irq);
	if (!apply)
		return 0;
	tx->answer = apply;
	head.seq = apply->read_id;
	head.volume = apply->volume->id;
	head.sector = apply->extent.sector;
	head.nr_sects = apply->extent.nr_sects;
	if (!apply->bio.bi_status)
		head.length = head.nr_sects << SECTOR_SHIFT;
	treat_pages(peer, &head, &apply->bio);
	add_header(tx, &head);
	if (!head.length)
		return sizeof(struct rblk_msg_hdr);
	add_bio(tx, &apply->bio);
	return sizeof(struct rblk_msg_hdr) + head.length;
}

static u32 add_reads(struct rblk_peer *peer)
{
	struct rblk_tx *tx = &peer->tx;
	struct rblk_frame frame;
	u32 bytes = 0;

	while (tx->frames < RBLK_TX_FRAMES && tx->vecs < RBLK_TX_VECS &&
	       rblk_read_next(peer, &frame)) {
		add_header(tx, &frame);
		bytes += sizeof(struct rblk_msg_hdr);
	}
	return bytes;
}

/* Return: false when there is nothing to send. */
static bool build_batch(struct rblk_peer *peer)
{
	struct rblk_tx *tx = &peer->tx;
	u32 bytes, pages = 0;

	rblk_outq_free_list(&tx->sent);
	rblk_link_free_answer(peer);
	tx->frames = 0;
	tx->vecs = 0;
	tx->ops = 0;
	tx->ops_handed = 0;
	bytes = add_controls(peer);
	bytes += add_ack(peer);
	bytes += add_answer(peer);
	/* A backup, which answers, has nothing else to send. */
	if (!tx->answer)
		bytes += add_resync(peer, &pages);
	if (!tx->answer && !pages)
		bytes += add_ops(peer, bytes, &pages);
	if (!tx->answer && !pages)
		bytes += add_reads(peer);
	tx->bytes = bytes + pages;
	if (!bytes)
		return false;
	if (tx->frames)
		rblk_link_expect(peer);
	iov_iter_bvec(&tx->head, ITER_SOURCE, tx->bvec, tx->vecs, bytes);
	if (!pages)
		iov_iter_bvec(&tx->data, ITER_SOURCE, tx->bvec, 0, 0);
	return true;
}

/* Return: 0 when the batch is through, -EAGAIN, or an error. */
static int push_batch(struct rblk_peer *peer)
{
	struct rblk_tx *tx = &peer->tx;
	int ret;

	while (iov_iter_count(&tx->head)) {
		ret = rblk_sock_send(&peer->sock, &tx->head,
				     iov_iter_count(&tx->data) != 0);
		if (ret <= 0)
			return ret ?: -EPIPE;
		peer->sent_bytes += ret;
	}
	while (iov_iter_count(&tx->data)) {
		ret = rblk_sock_send_pages(&peer->sock, &tx->data, false);
		if (ret <= 0)
			return ret ?: -EPIPE;
		peer->sent_bytes += ret;
	}
	return 0;
}

/*
 * What is entirely in the socket may be acknowledged from now on, and then be
 * forgotten: nothing reads its pages any more but TCP, which has references.
 */
static void note_handed(struct rblk_peer *peer)
{
	struct rblk_cursor *cursor = &peer->res->log.cursor[peer->node_id];
	struct rblk_tx *tx = &peer->tx;
	u32 left = iov_iter_count(&tx->head) + iov_iter_count(&tx->data);
	u64 handed = 0;

	lockdep_assert_held(&tx->mutex);
	for (; tx->ops_handed < tx->ops; tx->ops_handed++) {
		if (tx->op[tx->ops_handed].end > tx->bytes - left)
			break;
		handed = tx->op[tx->ops_handed].seq;
	}
	if (handed)
		WRITE_ONCE(cursor->handed, handed);
	if (!left && !list_empty_careful(&peer->resync.sending))
		rblk_resync_handed(peer);
}

/*
 * The socket announces room when something was acknowledged. That there is
 * memory again nobody announces, and on an idle link nothing is on its way.
 */
static void await_room(struct rblk_peer *peer)
{
	if (rblk_sock_has_room(&peer->sock))
		queue_delayed_work(peer->res->wq, &peer->again_work,
				   msecs_to_jiffies(NO_MEMORY_MS));
}

/* Under tx.mutex. Return: false when the socket is full. */
static bool pump(struct rblk_peer *peer)
{
	int err;

	do {
		if (!rblk_link_is_usable(peer))
			return true;
		err = push_batch(peer);
		note_handed(peer);
		if (err == -EAGAIN) {
			await_room(peer);
			return false;
		}
		if (err) {
			rblk_link_fail(peer, "sending failed: error %d", -err);
			return true;
		}
	} while (build_batch(peer));
	return true;
}

static bool may_send_read(struct rblk_peer *peer)
{
	struct rblk_log *log = &peer->res->log;
	unsigned long irq;
	bool may;

	if (likely(list_empty_careful(&peer->reads.queued)))
		return false;
	spin_lock_irqsave(&log->lock, irq);
	may = rblk_read_may_send(peer);
	spin_unlock_irqrestore(&log->lock, irq);
	return may;
}

static bool has_work(struct rblk_peer *peer)
{
	struct rblk_log *log = &peer->res->log;

	if (!rblk_link_is_usable(peer))
		return false;
	if (READ_ONCE(peer->ack_due) || may_send_read(peer) ||
	    !list_empty_careful(&peer->answers) ||
	    !list_empty_careful(&peer->outq.frames) ||
	    !list_empty_careful(&peer->resync.ready))
		return true;
	return READ_ONCE(log->streaming) & BIT(peer->node_id) &&
	       READ_ONCE(log->cursor[peer->node_id].next) <=
	       READ_ONCE(log->last);
}

static void send_now(struct rblk_peer *peer)
{
	bool room;

	do {
		/* Whoever holds it checks for work again after letting go. */
		smp_mb(); /* our work is visible before we look at the mutex */
		if (!mutex_trylock(&peer->tx.mutex))
			return;
		room = pump(peer);
		mutex_unlock(&peer->tx.mutex);
		smp_mb(); /* the mutex is free before we look for work */
	} while (room && has_work(peer));
}

void rblk_send_kick(struct rblk_resource *res, u16 peers)
{
	unsigned long mask = peers;
	struct rblk_peer *peer;
	int node, srcu;

	srcu = srcu_read_lock(&kickers);
	for_each_set_bit(node, &mask, RBLK_MAX_NODES) {
		peer = READ_ONCE(res->peer[node]);
		if (peer)
			send_now(peer);
	}
	srcu_read_unlock(&kickers, srcu);
}

void rblk_send_settle(struct rblk_peer *peer)
{
	mutex_lock(&peer->tx.mutex);
	mutex_unlock(&peer->tx.mutex);
}

/* @soon: unless something is sent before the next tick, and takes it along. */
static void send_later(struct rblk_resource *res, u16 peers, bool soon)
{
	unsigned long mask = peers;
	struct rblk_peer *peer;
	int node;

	rcu_read_lock();
	for_each_set_bit(node, &mask, RBLK_MAX_NODES) {
		peer = READ_ONCE(res->peer[node]);
		if (peer && soon)
			queue_delayed_work(res->wq, &peer->again_work, 1);
		else if (peer)
			queue_work(res->send_wq, &peer->send_work);
	}
	rcu_read_unlock();
}

static void send_some(struct rblk_resource *res, u16 peers, u16 idle)
{
	if (idle)
		rblk_send_kick(res, idle);
	if (peers & ~idle)
		send_later(res, peers & ~idle, false);
}

/* What a task that submits under a plug has to send. */
struct send_plug {
	struct blk_plug_cb cb; /* first: whose callback frees it */
	u16 peers;
	u16 idle;
};

static void unplug(struct blk_plug_cb *cb, bool from_schedule)
{
	struct send_plug *plug = container_of(cb, struct send_plug, cb);
	struct rblk_resource *res = cb->data;

	/* A task that is about to sleep must not sleep in the socket. */
	send_some(res, plug->peers, from_schedule ? 0 : plug->idle);
	res->put(res);
	kfree(plug);
}

/* Return: false when there is no plug, or no memory for our part of it. */
static bool send_when_unplugged(struct rblk_resource *res, u16 peers, u16 idle)
{
	struct blk_plug_cb *cb;
	struct send_plug *plug;

	cb = blk_check_plugged(unplug, res, sizeof(*plug));
	if (!cb)
		return false;
	plug = container_of(cb, struct send_plug, cb);
	if (!plug->peers)
		kref_get(&res->ref);
	plug->peers |= peers;
	plug->idle |= idle;
	return true;
}

void rblk_send_admitted(struct rblk_resource *res, u16 peers, u16 idle,
			u16 soon)
{
	if (soon)
		send_later(res, soon, true);
	if (peers && !send_when_unplugged(res, peers, idle))
		send_some(res, peers, idle);
}

void rblk_send_sync(void)
{
	synchronize_srcu(&kickers);
}

void rblk_send_work(struct work_struct *work)
{
	send_now(container_of(work, struct rblk_peer, send_work));
}

void rblk_send_again_work(struct work_struct *work)
{
	send_now(container_of(to_delayed_work(work), struct rblk_peer,
			      again_work));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * recv.c - the receiving pump of a link.
 *
 * A small machine reads exact frames from the stream: header, then payload
 * into a fixed buffer or, for data, into the pages of the operation itself.
 * Lengths are bounded by the header's decoder before anything is allocated.
 * What is short is read ahead, many frames in one call, and copied from there.
 * Whatever is wrong ends this link, with its name, and nothing else.
 */
#include <linux/blkdev.h>
#include <linux/crc32c.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "digest.h"
#include "disk.h"
#include "handshake.h"
#include "link.h"
#include "payload.h"
#include "recv.h"
#include "send.h"
#include "tell.h"
#include "write.h"
#include "../fault.h"
#include "../peer.h"
#include "../resource.h"
#include "../volume.h"

#define QUOTA_FRAMES	64	/* then others on this CPU get their turn */

static void expect_ctrl(struct rblk_rx *rx)
{
	rx->state = RBLK_RX_CTRL;
	rx->vec.iov_base = rx->buf;
	rx->vec.iov_len = rx->frame.length;
	iov_iter_kvec(&rx->iter, ITER_DEST, &rx->vec, 1, rx->frame.length);
}

/*
 * Acknowledge: at once when the frame asked for it, else when enough has
 * piled up or nothing is left to do.
 */
static void ack(struct rblk_peer *peer, bool now)
{
	struct rblk_applier *applier = &peer->res->applier;
	u64 applied = READ_ONCE(applier->order.applied);

	if (now || rblk_applier_is_idle(applier) ||
	    applied - READ_ONCE(peer->acked_applied) >= RBLK_WIRE_RANGES_MAX)
		WRITE_ONCE(peer->ack_due, true);
}

static void progress(struct rblk_peer *peer)
{
	ack(peer, READ_ONCE(peer->want_applied));
	smp_mb(); /* pairs with the one in add_ack() */
	/* The receiving pump sends it when it is through with its batch. */
	if (READ_ONCE(peer->ack_due) && !READ_ONCE(peer->receiving))
		queue_work(peer->res->wq, &peer->send_work);
}

void rblk_recv_progress(void *owner)
{
	struct rblk_resource *res = owner;
	struct rblk_peer *peer;
	int i;

	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		peer = READ_ONCE(res->peer[i]);
		if (peer && READ_ONCE(peer->following))
			progress(peer);
	}
	rcu_read_unlock();
}

void rblk_recv_room(void *owner)
{
	struct rblk_resource *res = owner;
	struct rblk_peer *peer;
	int i;

	smp_mb(); /* pairs with the one in may_receive() */
	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		peer = READ_ONCE(res->peer[i]);
		if (peer && READ_ONCE(peer->rx_waits))
			queue_work(res->wq, &peer->recv_work);
	}
	rcu_read_unlock();
}

void rblk_recv_copied(void *owner, void *token)
{
	struct rblk_resource *res = owner;
	struct rblk_outq_frame *frame = token;
	struct rblk_peer *peer;
	int i;

	rcu_read_lock();
	for (i = 0; i < RBLK_MAX_NODES && frame; i++) {
		peer = READ_ONCE(res->peer[i]);
		if (!peer || !READ_ONCE(peer->following))
			continue;
		rblk_outq_put_encoded(&peer->outq, frame);
		queue_work(res->wq, &peer->send_work);
		frame = NULL;
	}
	rcu_read_unlock();
	kfree(frame);
}

void rblk_recv_answer(void *owner, struct rblk_apply *apply)
{
	struct rblk_resource *res = owner;
	struct rblk_log *log = &res->log;
	struct rblk_peer *peer;
	unsigned long irq;
	int i;

	spin_lock_irqsave(&log->lock, irq);
	for (i = 0; i < RBLK_MAX_NODES && apply; i++) {
		peer = res->peer[i];
		if (!peer || !peer->following || peer->epoch != apply->epoch)
			continue;
		list_add_tail(&apply->link, &peer->answers);
		queue_work(res->wq, &peer->send_work);
		apply = NULL;
	}
	spin_unlock_irqrestore(&log->lock, irq);
	if (apply)
		rblk_apply_free(apply);
}

static u32 data_crc(const struct rblk_rx *rx)
{
	struct bvec_iter_all iter;
	struct bio_vec *bv;
	u32 crc = ~0U;

	if (rx->state == RBLK_RX_CTRL)
		return ~crc32c(crc, rx->buf, rx->frame.length);
	if (rx->read)
		return rblk_payload_crc(rx->read->bio->bi_io_vec,
					rx->read->iter);
	bio_for_each_segment_all(bv, &rx->apply->bio, iter) {
		void *data = bvec_kmap_local(bv);

		crc = crc32c(crc, data, bv->bv_len);
		kunmap_local(data);
	}
	return ~crc;
}

static bool is_damaged(const struct rblk_rx *rx)
{
	return rx->frame.flags & RBLK_FRAME_DATA_CRC &&
	       data_crc(rx) != rx->frame.data_crc;
}

/* Return: NULL, or what is wrong with an operation's header. */
static const char *check_op(struct rblk_peer *peer)
{
	const struct rblk_frame *frame = &peer->rx.frame;
	struct rblk_resource *res = peer->res;
	struct rblk_volume *volume = res->volume[frame->volume];

	if (!peer->following)
		return "protocol error: an operation from a node that is not the primary";
	if (frame->type == RBLK_MSG_READ) {
		if (peer->copied_to)
			return "protocol error: asks for data that is not complete";
		if (frame->dep > READ_ONCE(res->applier.order.received))
			return "protocol error: a READ overtook what it depends on";
		if (READ_ONCE(peer->nr_owed) >= RBLK_WIRE_READS_MAX)
			return "protocol error: more READs unanswered than agreed";
	} else if (frame->type != RBLK_MSG_OP) {
		if (!peer->copied_to)
			return "protocol error: resync data that was not announced";
		if (frame->flags & RBLK_FRAME_LAST)
			return "protocol error: resync data that is the end as well";
	} else if (!rblk_fault(RBLK_FAULT_OLD_GENERATION)) {
		if (peer->theirs.promised < res->promised)
			return "an operation of an old generation";
		if (frame->gen != rblk_lineage_last_gen(&peer->theirs.lineage))
			return "protocol error: an operation of an unknown generation";
	}
	if (!volume)
		return "protocol error: an operation for an unknown volume";
	if (frame->sector + frame->nr_sects > volume->backing.size_sects)
		return "protocol error: an operation beyond the end of the volume";
	return NULL;
}

static const char *submit_op(struct rblk_peer *peer)
{
	struct rblk_apply *apply = peer->rx.apply;
	bool wants_applied = peer->rx.frame.flags & RBLK_FRAME_WANT_APPLIED;
	bool wants_received = peer->rx.frame.flags & RBLK_FRAME_WANT_RECEIVED;

	peer->rx.apply = NULL;
	if (apply->seq)
		WRITE_ONCE(peer->want_applied, wants_applied);
	switch (rblk_apply_submit(apply)) {
	case 0:
		if (wants_received || rblk_fault(RBLK_FAULT_ACK_RECEIVED))
			WRITE_ONCE(peer->ack_due, true);
		return NULL;
	case -ESTALE:
		return "an operation of a primary that is followed no longer";
	case -ENOSPC:
		return "protocol error: more operations in flight than agreed";
	default:
		return "protocol error: an operation out of order";
	}
}

/* What was copied is durable: say by which record. */
static void tell_stored(struct rblk_apply *apply)
{
	struct rblk_frame head = {
		.type = RBLK_MSG_RESYNC_ACK,
		.flags = RBLK_FRAME_FLUSH,
		.volume = apply->volume->id,
		.logged = apply->flush.serial,
	};

	rblk_outq_encode(apply->token, &head);
}

/* The frame that will acknowledge resync data, made before it is applied. */
static bool prepare_copied(struct rblk_apply *apply,
			   const struct rblk_frame *frame)
{
	struct rblk_frame head = {
		.type = RBLK_MSG_RESYNC_ACK,
		.flags = frame->flags & RBLK_FRAME_FLUSH,
		.volume = frame->volume,
		.sector = frame->sector,
		.nr_sects = frame->nr_sects,
	};
	struct rblk_outq_frame *reply = rblk_outq_alloc(0, GFP_NOIO);

	if (!reply)
		return false;
	rblk_outq_encode(reply, &head);
	apply->token = reply;
	apply->recorded = tell_stored;
	return true;
}

static u8 resync_op(const struct rblk_frame *frame)
{
	if (frame->flags & RBLK_FRAME_FLUSH)
		return RBLK_OP_FLUSH;
	if (frame->flags & RBLK_FRAME_ZEROES)
		return RBLK_OP_WRITE_ZEROES;
	return RBLK_OP_WRITE;
}

/* The data is read: say in what the primary's differs. */
static void compare_digests(struct rblk_apply *apply)
{
	struct rblk_outq_frame *reply = apply->token;
	void *payload = reply->bytes + sizeof(struct rblk_msg_hdr);
	struct rblk_frame head = {
		.type = RBLK_MSG_DIFF,
		.volume = apply->volume->id,
		.sector = apply->extent.sector,
		.nr_sects = apply->extent.nr_sects,
	};

	head.length = rblk_wire_put_diff(payload,
					 rblk_digest_compare(&apply->bio,
							     payload));
	rblk_outq_encode(reply, &head);
}

/* Return: NULL, or why the link must end. */
static const char *got_digests(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;
	struct rblk_frame frame = peer->rx.frame;
	const char *reason = check_op(peer);
	struct rblk_outq_frame *reply;
	struct rblk_apply *apply;

	if (reason)
		return reason;
	/* The digests wait where the answer will be. */
	reply = rblk_outq_alloc(frame.length, GFP_NOIO);
	if (!reply)
		return "out of memory";
	memcpy(reply->bytes + sizeof(struct rblk_msg_hdr), peer->rx.buf,
	       frame.length);
	frame.op = RBLK_OP_WRITE;
	frame.flags = 0;
	frame.length = frame.nr_sects << SECTOR_SHIFT;
	apply = rblk_apply_alloc(&res->applier, res->volume[frame.volume],
				 &frame, peer->epoch);
	apply->inspect = compare_digests;
	apply->token = reply;
	if (rblk_apply_submit(apply))
		return "an operation of a primary that is followed no longer";
	return NULL;
}

/* Return: NULL, or why the link must end. */
static const char *got_read(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;
	struct rblk_frame frame = peer->rx.frame;
	const char *reason = check_op(peer);
	struct rblk_apply *apply;

	if (reason)
		return reason;
	frame.op = RBLK_OP_WRITE; /* as one it needs pages */
	frame.length = frame.nr_sects << SECTOR_SHIFT;
	frame.seq = 0;
	apply = rblk_apply_alloc(&res->applier, res->volume[frame.volume],
				 &frame, peer->epoch);
	apply->is_read = true;
	apply->read_id = peer->rx.frame.seq;
	spin_lock_irq(&res->log.lock);
	peer->nr_owed++;
	spin_unlock_irq(&res->log.lock);
	if (rblk_apply_submit(apply))
		return "a READ of a primary that is followed no longer";
	return NULL;
}

/* Return: NULL, or why the link must end. */
static const char *begin_answer(struct rblk_peer *peer)
{
	struct rblk_rx *rx = &peer->rx;
	struct rblk_read *read = rblk_read_answered(peer, &rx->frame);

	if (!read)
		return "protocol error: answers a READ that was not sent";
	if (!rx->frame.length) {
		rblk_rx_expect_header(rx);
		rblk_read_elsewhere(read, peer->node_id);
		return NULL;
	}
	rx->read = read;
	rx->state = RBLK_RX_DATA;
	rblk_read_fill(read, &rx->iter);
	return NULL;
}

static void end_answer(struct rblk_rx *rx)
{
	struct rblk_read *read = rx->read;

	rx->read = NULL;
	rblk_read_end(read);
}

static const char *got_diff(struct rblk_peer *peer)
{
	enum rblk_wire_error err;
	u64 differ;

	err = rblk_wire_get_diff(peer->rx.buf, peer->rx.frame.length,
				 peer->rx.frame.nr_sects, &differ);
	if (err)
		return rblk_wire_strerror(err);
	return rblk_resync_compared(peer, &peer->rx.frame, differ);
}

/* Return: NULL, or why the link must end. */
static const char *begin_op(struct rblk_peer *peer)
{
	struct rblk_rx *rx = &peer->rx;
	const char *reason = check_op(peer);

	if (reason)
		return reason;
	if (rx->frame.type == RBLK_MSG_RESYNC) {
		rx->frame.op = resync_op(&rx->frame);
		rx->frame.gen = rblk_lineage_last_gen(&peer->theirs.lineage);
	}
	rx->apply = rblk_apply_alloc(&peer->res->applier,
				     peer->res->volume[rx->frame.volume],
				     &rx->frame, peer->epoch);
	if (rx->frame.type == RBLK_MSG_RESYNC &&
	    !prepare_copied(rx->apply, &rx->frame))
		return "out of memory";
	if (!rx->frame.length) {
		rblk_rx_expect_header(rx);
		return submit_op(peer);
	}
	rx->state = RBLK_RX_DATA;
	iov_iter_bvec(&rx->iter, ITER_DEST, rx->apply->bio.bi_io_vec,
		      rx->apply->bio.bi_vcnt, rx->frame.length);
	return NULL;
}

static const char *got_header(struct rblk_peer *peer)
{
	struct rblk_rx *rx = &peer->rx;
	enum rblk_wire_error err;

	err = rblk_wire_get_hdr(&rx->hdr, &rx->frame);
	if (err)
		return rblk_wire_strerror(err);
	if (!peer->greeted && rx->frame.type != RBLK_MSG_HELLO &&
	    rx->frame.type != RBLK_MSG_BYE)
		return "protocol error: the first frame is no HELLO";
	if (rx->frame.type == RBLK_MSG_OP ||
	    (rx->frame.type == RBLK_MSG_RESYNC &&
	     (rx->frame.length ||
	      rx->frame.flags & (RBLK_FRAME_FLUSH | RBLK_FRAME_ZEROES))))
		return begin_op(peer);
	if (rx->frame.type == RBLK_MSG_READ_REPLY)
		return begin_answer(peer);
	expect_ctrl(rx);
	return NULL;
}

static const char *got_hello(struct rblk_peer *peer)
{
	struct rblk_hello *hello;
	enum rblk_wire_error err;
	const char *reason;

	hello = kmalloc(sizeof(*hello), GFP_NOIO);
	if (!hello)
		return "out of memory";
	err = rblk_wire_get_hello(peer->rx.buf, peer->rx.frame.length, hello);
	reason = err ? rblk_wire_strerror(err) : rblk_handshake_hello(peer, hello);
	kfree(hello);
	return reason;
}

static const char *got_state(struct rblk_peer *peer)
{
	struct rblk_state *state;
	enum rblk_wire_error err;
	const char *reason;

	state = kmalloc(sizeof(*state), GFP_NOIO);
	if (!state)
		return "out of memory";
	err = rblk_wire_get_state(peer->rx.buf, peer->rx.frame.length, state);
	reason = err ? rblk_wire_strerror(err) : rblk_handshake_state(peer, state);
	kfree(state);
	return reason;
}

static const char *got_ack(struct rblk_peer *peer)
{
	enum rblk_wire_error err;
	struct rblk_ack ack;
	const char *lie;

	err = rblk_wire_get_ack(peer->rx.buf, peer->rx.frame.length, &ack);
	if (err)
		return rblk_wire_strerror(err);
	if (ack.received >
	    READ_ONCE(peer->res->log.cursor[peer->node_id].handed))
		rblk_send_settle(peer);
	lie = rblk_write_acked(peer->res, peer->node_id, &ack);
	rblk_resync_advance(peer);
	return lie;
}

static const char *got_resync_ack(struct rblk_peer *peer)
{
	if (!list_empty_careful(&peer->resync.sending))
		rblk_send_settle(peer);
	return rblk_resync_acked(peer, &peer->rx.frame);
}

static const char *got_bye(struct rblk_peer *peer)
{
	char text[RBLK_WIRE_TEXT_MAX];
	enum rblk_wire_error err;

	err = rblk_wire_get_bye(peer->rx.buf, peer->rx.frame.length, text);
	if (err)
		return rblk_wire_strerror(err);
	rblk_link_fail(peer, "%s says: %s", peer->name, text);
	return NULL;
}

static const char *got_ctrl(struct rblk_peer *peer)
{
	switch ((enum rblk_msg_type)peer->rx.frame.type) {
	case RBLK_MSG_HELLO:
		return got_hello(peer);
	case RBLK_MSG_STATE:
		return got_state(peer);
	case RBLK_MSG_ACK:
		return got_ack(peer);
	case RBLK_MSG_BYE:
		return got_bye(peer);
	case RBLK_MSG_RESYNC:
		return rblk_handshake_copied(peer);
	case RBLK_MSG_RESYNC_ACK:
		return got_resync_ack(peer);
	case RBLK_MSG_DIGEST:
		return got_digests(peer);
	case RBLK_MSG_DIFF:
		return got_diff(peer);
	case RBLK_MSG_READ:
		return got_read(peer);
	case RBLK_MSG_ACTIVE:
		return rblk_tell_heard(peer);
	case RBLK_MSG_OP:
	case RBLK_MSG_READ_REPLY:
	case __RBLK_MSG_END:
		break;
	}
	return "protocol error: a frame of a type that was not agreed on";
}

/* A complete piece is in. Return: NULL, or why the link must end. */
static const char *got_piece(struct rblk_peer *peer)
{
	struct rblk_rx *rx = &peer->rx;
	const char *reason;

	switch (rx->state) {
	case RBLK_RX_HEADER:
		return got_header(peer);
	case RBLK_RX_DATA:
		if (is_damaged(rx))
			return "damaged data: its checksum differs";
		rblk_rx_expect_header(rx);
		if (rx->read) {
			end_answer(rx);
			return NULL;
		}
		return submit_op(peer);
	case RBLK_RX_CTRL:
		if (is_damaged(rx))
			return "damaged payload: its checksum differs";
		break;
	case RBLK_RX_PAUSED:
		break;
	}
	/* A change of roles is about what is applied: let it be applied. */
	if (rx->frame.type == RBLK_MSG_STATE &&
	    !rblk_applier_is_idle(&peer->res->applier)) {
		rx->state = RBLK_RX_PAUSED;
		return NULL;
	}
	reason = got_ctrl(peer);
	rblk_rx_expect_header(rx);
	return reason;
}

/* Return: false when the pump must wait for the applier. */
static bool may_receive(struct rblk_peer *peer)
{
	struct rblk_applier *applier = &peer->res->applier;
	bool may;

	WRITE_ONCE(peer->rx_waits, true);
	smp_mb(); /* who makes room sees that we wait, or we see the room */
	if (peer->rx.state == RBLK_RX_PAUSED)
		may = rblk_applier_is_idle(applier);
	else
		may = rblk_applier_has_room(applier);
	if (may)
		WRITE_ONCE(peer->rx_waits, false);
	return may;
}

/* Return: false when nothing of what was read ahead is left. */
static bool take_ahead(struct rblk_rx *rx)
{
	u32 left = rx->ahead_end - rx->ahead_at;

	if (!left)
		return false;
	rx->ahead_at += copy_to_iter(rx->ahead + rx->ahead_at, left, &rx->iter);
	return true;
}

/* Return: bytes read, into the piece itself when it is long, or as the socket. */
static int read_socket(struct rblk_peer *peer)
{
	struct rblk_rx *rx = &peer->rx;
	struct iov_iter iter;
	struct kvec vec = { rx->ahead, RBLK_RX_AHEAD };
	int ret;

	if (iov_iter_count(&rx->iter) >= RBLK_RX_AHEAD / 2)
		return rblk_sock_recv(&peer->sock, &rx->iter);
	/* What came since is announced: this work runs again. */
	if (rx->drained)
		return -EAGAIN;
	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, vec.iov_len);
	ret = rblk_sock_recv(&peer->sock, &iter);
	rx->ahead_at = 0;
	rx->ahead_end = max(ret, 0);
	rx->drained = ret < (int)RBLK_RX_AHEAD;
	return ret;
}

/* Return: > 0 go on, 0 nothing to read now, < 0 the link ended. */
static int receive_piece(struct rblk_peer *peer)
{
	struct rblk_rx *rx = &peer->rx;
	const char *reason;
	int ret;

	while (rx->state != RBLK_RX_PAUSED && iov_iter_count(&rx->iter)) {
		if (take_ahead(rx))
			continue;
		ret = read_socket(peer);
		if (ret == -EAGAIN)
			return 0;
		if (!ret) {
			rblk_link_fail(peer, "%s closed the connection",
				       peer->name);
			return -EPIPE;
		}
		if (ret < 0) {
			rblk_link_fail(peer, "receiving failed: error %d", -ret);
			return ret;
		}
		peer->received_bytes += ret;
	}
	reason = got_piece(peer);
	if (!reason && rblk_outq_is_full(&peer->outq))
		reason = "protocol error: asks and does not read the answers";
	if (reason) {
		rblk_link_refuse(peer, reason);
		return -EPROTO;
	}
	return 1;
}

/* Why this node cannot go on applying, in @text. */
static const char *disk_reason(struct rblk_resource *res, char *text,
			       size_t size)
{
	int i;

	strscpy(text, "a backing device failed", size);
	spin_lock_irq(&res->log.lock);
	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i] && !rblk_disk_is_good(res->volume[i]))
			strscpy(text, res->volume[i]->disk_reason, size);
	spin_unlock_irq(&res->log.lock);
	return text;
}

void rblk_recv_work(struct work_struct *work)
{
	struct rblk_peer *peer = container_of(work, struct rblk_peer,
					      recv_work);
	struct rblk_resource *res = peer->res;
	int quota = QUOTA_FRAMES * 2;
	char text[RBLK_WIRE_TEXT_MAX];
	struct blk_plug plug;
	int ret = 1;

	if (!rblk_link_is_usable(peer))
		return;
	if (READ_ONCE(peer->following) && READ_ONCE(res->applier.failed)) {
		rblk_link_refuse(peer, disk_reason(res, text, sizeof(text)));
		return;
	}
	WRITE_ONCE(peer->receiving, true);
	peer->rx.drained = false;
	/* The backing device gets what came together in one go. */
	blk_start_plug(&plug);
	while (quota-- > 0 && ret > 0 && may_receive(peer) &&
	       rblk_link_is_usable(peer))
		ret = receive_piece(peer);
	blk_finish_plug(&plug);
	WRITE_ONCE(peer->receiving, false);
	smp_mb(); /* from here on progress queues send_work itself */
	peer->res->kick(peer->res, BIT(peer->node_id));
	if (ret > 0 && quota < 0)
		queue_work(peer->res->wq, work);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * link.c - the state of a link, and its end.
 */
#include <linux/netlink.h>
#include <linux/slab.h>

#include "link.h"
#include "write.h"
#include "../resource.h"
#include "../trace.h"

static const char * const conn_names[] = {
	[RBLK_CONN_DOWN] = "down",
	[RBLK_CONN_HELLO] = "hello",
	[RBLK_CONN_UP] = "up",
};

void rblk_link_set_conn_locked(struct rblk_peer *peer, enum rblk_conn_state conn)
{
	lockdep_assert_held(&peer->res->log.lock);
	WARN_ON_ONCE(conn == RBLK_CONN_HELLO && peer->conn != RBLK_CONN_DOWN);
	WARN_ON_ONCE(conn == RBLK_CONN_UP && peer->conn == RBLK_CONN_DOWN);
	trace_rblk_link(peer->res->name, peer->name, conn_names[peer->conn],
			conn_names[conn], peer->reason);
	if (peer->conn != conn)
		pr_info("%s %s: link( %s -> %s ) %s\n", peer->res->name,
			peer->name, conn_names[peer->conn], conn_names[conn],
			peer->reason);
	WRITE_ONCE(peer->conn, conn);
}

void rblk_link_fail(struct rblk_peer *peer, const char *fmt, ...)
{
	struct rblk_resource *res = peer->res;
	unsigned long irq;
	bool first;
	va_list args;

	spin_lock_irqsave(&res->log.lock, irq);
	first = peer->conn != RBLK_CONN_DOWN && !peer->failing;
	if (first) {
		WRITE_ONCE(peer->failing, true);
		va_start(args, fmt);
		vscnprintf(peer->reason, sizeof(peer->reason), fmt, args);
		va_end(args);
	}
	spin_unlock_irqrestore(&res->log.lock, irq);
	if (first)
		queue_work(res->wq, &peer->down_work);
}

static void put_bye(struct rblk_peer *peer, const char *reason)
{
	struct rblk_frame head = { .type = RBLK_MSG_BYE };
	struct rblk_outq_frame *frame;

	frame = rblk_outq_alloc(RBLK_WIRE_TEXT_MAX, GFP_NOIO);
	if (!frame)
		return; /* a courtesy: the link ends all the same */
	head.length = rblk_wire_put_bye(frame->bytes +
					sizeof(struct rblk_msg_hdr), reason);
	rblk_outq_put(&peer->outq, frame, &head);
}

void rblk_link_refuse(struct rblk_peer *peer, const char *reason)
{
	if (rblk_link_is_usable(peer)) {
		put_bye(peer, reason);
		peer->res->kick(peer->res, BIT(peer->node_id));
	}
	rblk_link_fail(peer, "%s", reason);
}

void rblk_link_close(struct rblk_peer *peer, const char *reason)
{
	lockdep_assert_held(&peer->res->conf);
	rblk_link_refuse(peer, reason);
	/* Ends: down_work waits for nothing but the pumps, which never wait. */
	wait_event(peer->res->settled, rblk_link_is_down(peer));
	flush_work(&peer->down_work);
}

void rblk_link_expect(struct rblk_peer *peer)
{
	if (delayed_work_pending(&peer->stall_work))
		return;
	WRITE_ONCE(peer->agreeing, false);
	WRITE_ONCE(peer->last_progress,
		   READ_ONCE(peer->res->log.cursor[peer->node_id].progress));
	queue_delayed_work(peer->res->wq, &peer->stall_work,
			   msecs_to_jiffies(RBLK_STALL_TIMEOUT_MS));
}

void rblk_link_expect_agreement(struct rblk_peer *peer)
{
	WRITE_ONCE(peer->agreeing, true);
	mod_delayed_work(peer->res->wq, &peer->stall_work,
			 msecs_to_jiffies(RBLK_HELLO_TIMEOUT_MS));
}

void rblk_link_stall_work(struct work_struct *work)
{
	struct rblk_peer *peer = container_of(to_delayed_work(work),
					      struct rblk_peer, stall_work);
	struct rblk_log *log = &peer->res->log;
	struct rblk_cursor *cursor = &log->cursor[peer->node_id];
	bool disagreeing, owing, stalled;

	if (!rblk_link_is_usable(peer))
		return;
	spin_lock_irq(&log->lock);
	disagreeing = peer->agreeing &&
		      (peer->conn == RBLK_CONN_HELLO || peer->negotiating);
	owing = log->streaming & BIT(peer->node_id) &&
		(cursor->applied + 1 < cursor->next || peer->resync.in_flight ||
		 peer->reads.nr_sent);
	/* A timer that was set to watch an agreement says nothing of acks. */
	stalled = !peer->agreeing && cursor->progress == peer->last_progress;
	spin_unlock_irq(&log->lock);

	if (disagreeing)
		rblk_link_fail(peer, "no agreement within %d s",
			       RBLK_HELLO_TIMEOUT_MS / 1000);
	else if (owing && stalled)
		rblk_link_fail(peer, "no acknowledgment within %d s",
			       RBLK_STALL_TIMEOUT_MS / 1000);
	else if (owing)
		rblk_link_expect(peer);
}

int rblk_link_pause_resync(struct rblk_peer *peer, bool pause,
			   struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&peer->res->conf);
	if (pause && !READ_ONCE(peer->res->log.gate.primary)) {
		NL_SET_ERR_MSG(extack, "only the primary copies: pause it there");
		return -EPERM;
	}
	rblk_resync_pause(peer, pause);
	peer->res->notify->peer(peer, pause ? "resync paused" :
					      "resync goes on");
	return 0;
}

void rblk_link_free_answer(struct rblk_peer *peer)
{
	struct rblk_log *log = &peer->res->log;
	unsigned long irq;

	lockdep_assert_held(&peer->tx.mutex);
	if (likely(!peer->tx.answer))
		return;
	rblk_apply_free(peer->tx.answer);
	peer->tx.answer = NULL;
	spin_lock_irqsave(&log->lock, irq);
	peer->nr_owed--;
	spin_unlock_irqrestore(&log->lock, irq);
}

/* Answers that nobody waits for any more. */
static void drop_answers(struct rblk_peer *peer)
{
	struct rblk_log *log = &peer->res->log;
	struct rblk_apply *apply, *tmp;
	LIST_HEAD(answers);

	spin_lock_irq(&log->lock);
	list_splice_init(&peer->answers, &answers);
	spin_unlock_irq(&log->lock);
	list_for_each_entry_safe(apply, tmp, &answers, link)
		rblk_apply_free(apply);
}

/* Drop what the sending half holds. Return: true when sent data is unacked. */
static bool reset_tx(struct rblk_peer *peer)
{
	struct rblk_tx *tx = &peer->tx;
	struct rblk_cursor *cursor = &peer->res->log.cursor[peer->node_id];

	lockdep_assert_held(&tx->mutex);
	rblk_outq_free_list(&tx->sent);
	rblk_link_free_answer(peer);
	iov_iter_bvec(&tx->head, ITER_SOURCE, tx->bvec, 0, 0);
	iov_iter_bvec(&tx->data, ITER_SOURCE, tx->bvec, 0, 0);
	tx->frames = 0;
	tx->vecs = 0;
	tx->bytes = 0;
	tx->ops = 0;
	tx->ops_handed = 0;
	return READ_ONCE(peer->resync.in_flight) ||
	       READ_ONCE(peer->reads.nr_sent) ||
	       (peer->res->log.streaming & BIT(peer->node_id) &&
		cursor->applied + 1 < cursor->next);
}

static void reset_rx(struct rblk_peer *peer)
{
	if (peer->rx.apply)
		rblk_apply_free(peer->rx.apply);
	peer->rx.apply = NULL;
	if (peer->rx.read)
		rblk_read_elsewhere(peer->rx.read, peer->node_id);
	peer->rx.read = NULL;
	peer->rx.ahead_at = 0;
	peer->rx.ahead_end = 0;
	rblk_rx_expect_header(&peer->rx);
}

void rblk_link_down_work(struct work_struct *work)
{
	struct rblk_peer *peer = container_of(work, struct rblk_peer,
					      down_work);
	struct rblk_resource *res = peer->res;
	bool abort;

	/* From here on nothing calls us, and the pumps see @failing and leave. */
	rblk_sock_unbind(&peer->sock);
	cancel_delayed_work_sync(&peer->stall_work);
	cancel_work_sync(&peer->recv_work);
	cancel_work_sync(&peer->send_work);
	cancel_delayed_work_sync(&peer->again_work);
	mutex_lock(&peer->tx.mutex);
	abort = reset_tx(peer);
	rblk_sock_release(&peer->sock, abort);
	mutex_unlock(&peer->tx.mutex);
	rblk_outq_purge(&peer->outq);
	reset_rx(peer);

	if (res->log.streaming & BIT(peer->node_id) && !peer->resync.active)
		rblk_write_keep(res, peer->node_id);
	spin_lock_irq(&res->log.lock);
	rblk_log_unstream(&res->log, peer->node_id);
	peer->negotiating = false;
	peer->following = false;
	peer->offer = RBLK_SYNC_NONE;
	WRITE_ONCE(peer->join_seq, 0);
	spin_unlock_irq(&res->log.lock);
	rblk_write_rejudge(res);
	rblk_read_unstreamed(peer, true);
	drop_answers(peer);
	rblk_resync_stop(peer);

	spin_lock_irq(&res->log.lock);
	if (peer->repl == RBLK_REPL_RESYNC || peer->repl == RBLK_REPL_CATCHUP)
		peer->repl = RBLK_REPL_BEHIND;
	rblk_link_set_conn_locked(peer, RBLK_CONN_DOWN);
	spin_unlock_irq(&res->log.lock);
	res->notify->peer(peer, peer->reason);
	wake_up_all(&res->settled);
}

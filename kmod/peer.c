// SPDX-License-Identifier: GPL-2.0
/*
 * peer.c - create and destroy a peer; here its pumps are bound together.
 */
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "peer.h"
#include "resource.h"
#include "repl/link.h"
#include "repl/recv.h"
#include "repl/send.h"
#include "repl/write.h"
#include "store/bitmap.h"
#include "volume.h"

static void sock_event_recv(void *owner)
{
	struct rblk_peer *peer = owner;

	queue_work(peer->res->wq, &peer->recv_work);
}

static void sock_event_send(void *owner)
{
	struct rblk_peer *peer = owner;

	queue_work(peer->res->wq, &peer->send_work);
}

static const struct rblk_sock_ops sock_ops = {
	.readable = sock_event_recv,
	.writable = sock_event_send,
	/* What arrived before the end is still read, up to the end. */
	.closing = sock_event_recv,
};

static void fail_link(struct rblk_peer *peer, const char *reason)
{
	rblk_link_fail(peer, "%s", reason);
}

/* Nobody knows the peer any more, or not yet. */
static void free_bitmaps(struct rblk_peer *peer)
{
	struct rblk_bitmap *maps[RBLK_BITMAPS_OF_PEER] = { NULL };
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		rblk_bitmap_swap_all(&peer->lack, i, maps);
		rblk_bitmap_destroy_all(maps);
	}
}

static int add_bitmaps(struct rblk_peer *peer, u8 volume, u64 size_sects)
{
	struct rblk_bitmap *maps[RBLK_BITMAPS_OF_PEER];
	struct rblk_resource *res = peer->res;
	int err;

	err = rblk_bitmap_create_all(maps, size_sects);
	if (err)
		return err;
	spin_lock_irq(&res->log.lock);
	rblk_bitmap_swap_all(&peer->lack, volume, maps);
	/* Nobody can say what the peer has on a volume that comes later. */
	if (res->data != RBLK_DATA_NEW)
		rblk_bitmap_set_all(peer->lack.lacks[volume]);
	spin_unlock_irq(&res->log.lock);
	return 0;
}

static int add_all_bitmaps(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;
	int i, err;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++) {
		if (!res->volume[i])
			continue;
		err = add_bitmaps(peer, i, res->volume[i]->backing.size_sects);
		if (err)
			return err;
	}
	return 0;
}

void rblk_peer_remove_volume(struct rblk_resource *res, u8 volume)
{
	struct rblk_bitmap *maps[RBLK_BITMAPS_OF_PEER] = { NULL };
	int i;

	lockdep_assert_held(&res->conf);
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		if (!res->peer[i])
			continue;
		spin_lock_irq(&res->log.lock);
		rblk_bitmap_swap_all(&res->peer[i]->lack, volume, maps);
		spin_unlock_irq(&res->log.lock);
		rblk_bitmap_destroy_all(maps);
	}
}

int rblk_peer_add_volume(struct rblk_resource *res, u8 volume, u64 size_sects)
{
	int i, err;

	lockdep_assert_held(&res->conf);
	for (i = 0; i < RBLK_MAX_NODES; i++) {
		if (!res->peer[i])
			continue;
		err = add_bitmaps(res->peer[i], volume, size_sects);
		if (err) {
			rblk_peer_remove_volume(res, volume);
			return err;
		}
	}
	return 0;
}

static void free_peer(struct rblk_peer *peer)
{
	free_bitmaps(peer);
	kfree(peer->resync.applied);
	kvfree(peer->rx.ahead);
	kfree(peer->rx.buf);
	kfree(peer->tx.bvec);
	if (peer->tx.page)
		__free_page(peer->tx.page);
	mutex_destroy(&peer->tx.mutex);
	kfree(peer);
}

static struct rblk_peer *alloc_peer(void)
{
	struct rblk_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL);

	if (!peer)
		return NULL;
	mutex_init(&peer->tx.mutex);
	INIT_LIST_HEAD(&peer->tx.sent);
	peer->tx.page = alloc_page(GFP_KERNEL);
	peer->tx.bvec = kcalloc(RBLK_TX_VECS, sizeof(struct bio_vec),
				GFP_KERNEL);
	peer->rx.buf = kmalloc(RBLK_WIRE_CTRL_MAX, GFP_KERNEL);
	peer->rx.ahead = kvmalloc(RBLK_RX_AHEAD, GFP_KERNEL);
	peer->resync.applied = kcalloc(RBLK_RESYNC_UNCONFIRMED,
				       sizeof(*peer->resync.applied),
				       GFP_KERNEL);
	rblk_lack_init(&peer->lack);
	if (!peer->tx.page || !peer->tx.bvec || !peer->rx.buf ||
	    !peer->rx.ahead || !peer->resync.applied) {
		free_peer(peer);
		return NULL;
	}
	iov_iter_bvec(&peer->tx.head, ITER_SOURCE, peer->tx.bvec, 0, 0);
	iov_iter_bvec(&peer->tx.data, ITER_SOURCE, peer->tx.bvec, 0, 0);
	rblk_reads_init(&peer->reads);
	INIT_LIST_HEAD(&peer->answers);
	rblk_rx_expect_header(&peer->rx);
	rblk_outq_init(&peer->outq);
	INIT_WORK(&peer->send_work, rblk_send_work);
	INIT_DELAYED_WORK(&peer->again_work, rblk_send_again_work);
	INIT_WORK(&peer->recv_work, rblk_recv_work);
	rblk_resync_setup(&peer->resync, fail_link);
	INIT_WORK(&peer->down_work, rblk_link_down_work);
	INIT_DELAYED_WORK(&peer->stall_work, rblk_link_stall_work);
	peer->binding.ops = &sock_ops;
	return peer;
}

static bool has_peers(const struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (res->peer[i])
			return true;
	return false;
}

int rblk_peer_create(struct rblk_resource *res, u8 node_id, const char *name,
		     u8 protocol, struct netlink_ext_ack *extack)
{
	struct rblk_peer *peer;
	int err;

	lockdep_assert_held(&res->conf);
	if (node_id == res->node_id) {
		NL_SET_ERR_MSG(extack, "a peer has this node's own id");
		return -EINVAL;
	}
	if (res->peer[node_id]) {
		NL_SET_ERR_MSG(extack, "a peer with this node id exists already");
		return -EEXIST;
	}
	peer = alloc_peer();
	if (!peer)
		return -ENOMEM;
	peer->res = res;
	peer->node_id = node_id;
	peer->protocol = protocol;
	peer->repl = RBLK_REPL_UNKNOWN;
	if (name && *name)
		strscpy(peer->name, name, sizeof(peer->name));
	else
		snprintf(peer->name, sizeof(peer->name), "node-%u", node_id);
	err = add_all_bitmaps(peer);
	/* With a third node there are two backups, of which one may take over. */
	if (!err && has_peers(res))
		err = rblk_applier_remember(&res->applier);
	if (err) {
		free_peer(peer);
		return err;
	}
	spin_lock_irq(&res->log.lock);
	WRITE_ONCE(res->peer[node_id], peer);
	rblk_log_know(&res->log, node_id, &peer->lack);
	rblk_log_set_protocol(&res->log, node_id, protocol);
	spin_unlock_irq(&res->log.lock);
	return 0;
}

void rblk_peer_destroy(struct rblk_peer *peer, const char *reason)
{
	struct rblk_resource *res = peer->res;

	lockdep_assert_held(&res->conf);
	rblk_link_close(peer, reason);
	spin_lock_irq(&res->log.lock);
	WRITE_ONCE(res->peer[peer->node_id], NULL);
	rblk_log_know(&res->log, peer->node_id, NULL);
	spin_unlock_irq(&res->log.lock);
	rblk_write_rejudge(res); /* what was kept for it may leave */
	rblk_send_sync();
	synchronize_rcu();
	cancel_work_sync(&peer->recv_work);
	cancel_work_sync(&peer->send_work);
	cancel_delayed_work_sync(&peer->again_work);
	cancel_delayed_work_sync(&peer->stall_work);
	rblk_outq_purge(&peer->outq);
	free_peer(peer);
}

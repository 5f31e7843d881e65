/* SPDX-License-Identifier: GPL-2.0 */
/*
 * send.h - the sending pump of a link.
 */
#ifndef RBLK_REPL_SEND_H
#define RBLK_REPL_SEND_H

#include <linux/types.h>

struct rblk_peer;
struct rblk_resource;
struct work_struct;

/**
 * rblk_send_kick - send what there is, now if nobody else does
 * @res: the resource
 * @peers: to whom, by node id
 *
 * Context: process. Never waits: what the socket does not take goes out later.
 */
void rblk_send_kick(struct rblk_resource *res, u16 peers);

/**
 * rblk_send_settle - wait until whoever sends has noted what is in the socket
 * @peer: of whom an acknowledgment came sooner than that
 *
 * Context: recv_work, which sends before it leaves: work that somebody else
 * left to the holder of tx.mutex is not forgotten.
 */
void rblk_send_settle(struct rblk_peer *peer);

/**
 * rblk_send_admitted - operations were admitted: let them be sent
 * @res: the resource
 * @peers: bit per node id: to whom
 * @idle: of them, those whose link carried nothing before, and for whom
 *	somebody waits
 * @soon: to whom it may go with what comes next, as nobody waits for it there
 *
 * To an idle peer the caller sends by itself: no wake-up is quicker. For the
 * others a worker sends, many operations at once. Who submits under a plug sends
 * when it is pulled. If nothing comes next, what may wait for it goes a tick later.
 *
 * Context: process, as ->submit_bio.
 */
void rblk_send_admitted(struct rblk_resource *res, u16 peers, u16 idle,
			u16 soon);

/**
 * rblk_send_sync - wait until nobody sends to a peer that was taken out of its
 * resource
 */
void rblk_send_sync(void);

/** rblk_send_work - bound as a peer's send_work */
void rblk_send_work(struct work_struct *work);

/** rblk_send_again_work - bound as a peer's again_work */
void rblk_send_again_work(struct work_struct *work);

#endif /* RBLK_REPL_SEND_H */

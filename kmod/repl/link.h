/* SPDX-License-Identifier: GPL-2.0 */
/*
 * link.h - the state of a link, and its end.
 *
 *   DOWN --start--> HELLO --both said HELLO, plan agreed--> UP
 *    ^                 |                                     |
 *    +---- down_work --+--------- any failure ---------------+
 *
 * handshake.h leads from one to the next, and any failure ends it here.
 */
#ifndef RBLK_REPL_LINK_H
#define RBLK_REPL_LINK_H

#include "../peer.h"

#define RBLK_HELLO_TIMEOUT_MS	5000	/* to agree */
#define RBLK_STALL_TIMEOUT_MS	30000	/* for a peer to acknowledge anything */

/**
 * rblk_link_fail - end the link; the first reason wins
 * @peer: any state
 * @fmt: the reason, for the log, the status and the events
 *
 * Context: any.
 */
__printf(2, 3)
void rblk_link_fail(struct rblk_peer *peer, const char *fmt, ...);

/**
 * rblk_link_refuse - as rblk_link_fail(), and tell the peer why
 * @peer: any state
 * @reason: for both sides
 *
 * Context: process.
 */
void rblk_link_refuse(struct rblk_peer *peer, const char *reason);

/**
 * rblk_link_close - end the link and wait until it has ended
 * @peer: its resource's configuration lock is held
 * @reason: for both sides
 */
void rblk_link_close(struct rblk_peer *peer, const char *reason);

/**
 * rblk_link_is_usable - may the pumps use the socket?
 * @peer: any state
 */
static inline bool rblk_link_is_usable(struct rblk_peer *peer)
{
	return READ_ONCE(peer->conn) != RBLK_CONN_DOWN &&
	       !READ_ONCE(peer->failing);
}

/**
 * rblk_link_is_down - is there no link?
 * @peer: any state
 */
static inline bool rblk_link_is_down(struct rblk_peer *peer)
{
	return READ_ONCE(peer->conn) == RBLK_CONN_DOWN;
}

/**
 * rblk_link_set_conn_locked - the link's state, told to log and tracepoint
 * @peer: its resource's log lock is held
 * @conn: the next one
 */
void rblk_link_set_conn_locked(struct rblk_peer *peer, enum rblk_conn_state conn);

/**
 * rblk_link_expect_agreement - this node described itself: an answer is due
 * @peer: with a link; the answer has a time of its own
 */
void rblk_link_expect_agreement(struct rblk_peer *peer);

/**
 * rblk_link_expect - acknowledgments are due from the peer: watch for them
 * @peer: with a link; costs next to nothing when it is watched already
 */
void rblk_link_expect(struct rblk_peer *peer);

/**
 * rblk_link_free_answer - the answer to a READ is entirely in the socket
 * @peer: its tx.mutex is held; harmless when there is none
 */
void rblk_link_free_answer(struct rblk_peer *peer);

/**
 * rblk_link_pause_resync - stop copying to a peer, or go on
 * @peer: its resource's configuration lock is held; a resync need not run
 * @pause: stop
 * @extack: gets the reason of a refusal
 *
 * Return: 0 or -EPERM.
 */
int rblk_link_pause_resync(struct rblk_peer *peer, bool pause,
			   struct netlink_ext_ack *extack);

/** rblk_link_down_work - the end of a link, bound as down_work */
void rblk_link_down_work(struct work_struct *work);

/** rblk_link_stall_work - watches for what is due, bound as stall_work */
void rblk_link_stall_work(struct work_struct *work);

#endif /* RBLK_REPL_LINK_H */

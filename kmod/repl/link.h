/* SPDX-License-Identifier: GPL-2.0 */
/*
 * link.h - the life of a link: attach, agree, fail, end.
 *
 *   DOWN --attach--> HELLO --both said HELLO, plan agreed--> UP
 *    ^                 |                                      |
 *    +---- down_work --+--------- any failure ----------------+
 *
 * Agreement: each side says what it is (role, data, promised generation,
 * lineage with position), both feed both descriptions to rblk_plan_handshake()
 * and come to matching answers. A promotion or demotion repeats this on the
 * live link with STATE frames: whoever changed sends one, the other answers.
 */
#ifndef RBLK_REPL_LINK_H
#define RBLK_REPL_LINK_H

#include "../peer.h"

#define RBLK_HELLO_TIMEOUT_MS	5000	/* to agree */
#define RBLK_STALL_TIMEOUT_MS	30000	/* for a peer to acknowledge anything */

/**
 * rblk_link_attach - take over a socket and start the handshake
 * @peer: its resource's configuration lock is held
 * @fd: of the calling task
 * @extack: gets the reason of a refusal
 *
 * Return: 0; -EALREADY (the link is up); -EBUSY; or what adopting gave.
 */
int rblk_link_attach(struct rblk_peer *peer, int fd,
		     struct netlink_ext_ack *extack);

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
 * rblk_link_expect - acknowledgments are due from the peer: watch for them
 * @peer: with a link; costs next to nothing when it is watched already
 */
void rblk_link_expect(struct rblk_peer *peer);

/**
 * rblk_link_hello - the peer introduced itself
 * @peer: in state HELLO, or the peer breaks the protocol
 * @hello: decoded
 *
 * Context: recv_work. Return: NULL, or why the link must end.
 */
const char *rblk_link_hello(struct rblk_peer *peer,
			    const struct rblk_hello *hello);

/**
 * rblk_link_state - the peer's role or data changed, or it answers
 * @peer: greeted
 * @state: decoded
 *
 * Context: recv_work, applier idle. Return: NULL, or why the link must end.
 */
const char *rblk_link_state(struct rblk_peer *peer,
			    const struct rblk_state *state);

/**
 * rblk_link_renegotiate - tell the peer what this node is now
 * @peer: its resource's configuration lock is held
 *
 * A link that is not up yet is ended: its handshake is about the past.
 */
void rblk_link_renegotiate(struct rblk_peer *peer);

/**
 * rblk_link_copied - the primary says that its copy to this node is complete
 * @peer: the primary
 *
 * Context: recv_work. Return: NULL, or why the link must end.
 */
const char *rblk_link_copied(struct rblk_peer *peer);

/**
 * rblk_link_resync - copy to a peer that cannot follow
 * @peer: its resource's configuration lock is held
 * @flags: RBLK_FLAG_FORCE: although it diverged: what only it has is lost;
 *	RBLK_FLAG_KNOWN: only where the two may differ, instead of everything
 * @extack: gets the reason of a refusal
 *
 * Return: 0; -EPERM (not primary; diverged), -ENOTCONN, -EALREADY, -EBUSY,
 * -ENOMEM, -ENODATA (KNOWN, and it is not).
 */
int rblk_link_resync(struct rblk_peer *peer, u32 flags,
		     struct netlink_ext_ack *extack);

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

/**
 * rblk_link_discard - give up what this node wrote by itself since a fork
 * @peer: the primary whose data replaces it; its resource's configuration lock
 *	is held
 * @extack: gets the reason of a refusal
 *
 * From here on this node's data is inconsistent, on its disks too, until the
 * primary has copied what differs.
 *
 * Return: 0, -EPERM or an error of its disks; then nothing has changed.
 */
int rblk_link_discard(struct rblk_peer *peer, struct netlink_ext_ack *extack);

/** rblk_link_down_work - the end of a link, bound as down_work */
void rblk_link_down_work(struct work_struct *work);

/** rblk_link_stall_work - watches for what is due, bound as stall_work */
void rblk_link_stall_work(struct work_struct *work);

#endif /* RBLK_REPL_LINK_H */

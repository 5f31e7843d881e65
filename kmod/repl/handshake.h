/* SPDX-License-Identifier: GPL-2.0 */
/*
 * handshake.h - two nodes describe themselves and agree on what they do.
 *
 * Each side says what it is (role, data, promised generation, lineage with
 * position), both feed both descriptions to rblk_plan_handshake() and come to
 * matching answers. A promotion or demotion repeats this on the live link with
 * STATE frames: whoever changed sends one, the other answers. So does who
 * offers a resync, or gives up what only it has.
 */
#ifndef RBLK_REPL_HANDSHAKE_H
#define RBLK_REPL_HANDSHAKE_H

#include "../peer.h"

/**
 * rblk_handshake_start - take over a socket and start the handshake
 * @peer: its resource's configuration lock is held
 * @fd: of the calling task
 * @extack: gets the reason of a refusal
 *
 * Return: 0; -EALREADY (the link is up); -EBUSY; or what adopting gave.
 */
int rblk_handshake_start(struct rblk_peer *peer, int fd,
			 struct netlink_ext_ack *extack);

/**
 * rblk_handshake_hello - the peer introduced itself
 * @peer: in state HELLO, or the peer breaks the protocol
 * @hello: decoded
 *
 * Context: recv_work. Return: NULL, or why the link must end.
 */
const char *rblk_handshake_hello(struct rblk_peer *peer,
				 const struct rblk_hello *hello);

/**
 * rblk_handshake_state - the peer's role or data changed, or it answers
 * @peer: greeted
 * @state: decoded
 *
 * Context: recv_work, applier idle. Return: NULL, or why the link must end.
 */
const char *rblk_handshake_state(struct rblk_peer *peer,
				 const struct rblk_state *state);

/**
 * rblk_handshake_again - tell the peer what this node is now
 * @peer: its resource's configuration lock is held
 *
 * A link that is not up yet is ended: its handshake is about the past.
 */
void rblk_handshake_again(struct rblk_peer *peer);

/**
 * rblk_handshake_copied - the primary says that its copy to this node is complete
 * @peer: the primary
 *
 * Context: recv_work. Return: NULL, or why the link must end.
 */
const char *rblk_handshake_copied(struct rblk_peer *peer);

/**
 * rblk_handshake_resync - copy to a peer that cannot follow
 * @peer: its resource's configuration lock is held
 * @flags: RBLK_FLAG_FORCE: although it diverged: what only it has is lost;
 *	RBLK_FLAG_KNOWN: only where the two may differ, instead of everything
 * @extack: gets the reason of a refusal
 *
 * Return: 0; -EPERM (not primary; diverged), -ENOTCONN, -EALREADY, -EBUSY,
 * -ENOMEM, -ENODATA (KNOWN, and it is not).
 */
int rblk_handshake_resync(struct rblk_peer *peer, u32 flags,
			  struct netlink_ext_ack *extack);

/**
 * rblk_handshake_discard - give up what this node wrote by itself since a fork
 * @peer: the primary whose data replaces it; its resource's configuration lock
 *	is held
 * @extack: gets the reason of a refusal
 *
 * From here on this node's data is inconsistent, on its disks too, until the
 * primary has copied what differs.
 *
 * Return: 0, -EPERM or an error of its disks; then nothing has changed.
 */
int rblk_handshake_discard(struct rblk_peer *peer, struct netlink_ext_ack *extack);

#endif /* RBLK_REPL_HANDSHAKE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * agree.h - what two nodes that described themselves to each other do.
 *
 * core/plan.h decides; here it is done: stream, follow, stay idle. A primary that
 * finds a peer behind offers to bring it level: with the operations that the
 * log still has, or by writing over the blocks that the peer lacks.
 *
 * All of it under the log's lock of the peer's resource, but where it says so.
 */
#ifndef RBLK_REPL_AGREE_H
#define RBLK_REPL_AGREE_H

#include "../peer.h"

/**
 * rblk_agree_describe - describe this node to a peer, and keep what follows
 * @peer: its @mine is filled; an answer is awaited from now on
 */
void rblk_agree_describe(struct rblk_peer *peer);

/**
 * rblk_agree_is_set_back - did the peer see more of this node's activity log?
 * @peer: that described itself
 * @hello: how
 *
 * Then a disk here was set back while it was a primary's, and does not say where
 * the two may differ: what it remembered of the peer is forgotten.
 */
bool rblk_agree_is_set_back(struct rblk_peer *peer,
			    const struct rblk_hello *hello);

/**
 * rblk_agree_note_stored - has the peer what it confirmed of a resync?
 * @peer: that described itself
 * @hello: how
 *
 * A copy does not move its position, but its disk counts records. With fewer than
 * it told of, its disk was set back in the middle of the copy: what it confirmed
 * is forgotten.
 */
void rblk_agree_note_stored(struct rblk_peer *peer,
			    const struct rblk_hello *hello);

/**
 * rblk_agree_progress - something was applied: unclean data may be whole now
 * @res: not locked
 *
 * Context: any.
 */
void rblk_agree_progress(struct rblk_resource *res);

/**
 * rblk_agree_announced - what a STATE frame says beside the description
 * @peer: who sent it; its @theirs is what the frame says
 * @state: the frame
 *
 * Return: NULL, or why it cannot be.
 */
const char *rblk_agree_announced(struct rblk_peer *peer,
				 const struct rblk_state *state);

/**
 * rblk_agree_may_declare_clean - may a new peer take part from the start?
 * @peer: described, as this node is
 */
bool rblk_agree_may_declare_clean(struct rblk_peer *peer);

/**
 * rblk_agree_settle - start doing what both descriptions lead to
 * @peer: both described
 *
 * Return: NULL, or why the link must end.
 */
const char *rblk_agree_settle(struct rblk_peer *peer);

/**
 * rblk_agree_begin_offer - this node is going to bring the peer level
 * @peer: settled; described to it again
 * @offer: how; the caller sends STATE
 */
void rblk_agree_begin_offer(struct rblk_peer *peer, enum rblk_sync offer);

/**
 * rblk_agree_offer - begin an offer if the peer needs one, once
 * @peer: just settled
 *
 * Return: how; the caller sends STATE.
 */
enum rblk_sync rblk_agree_offer(struct rblk_peer *peer);

/**
 * rblk_agree_refuse_discard - may this node's branch be given up to a peer?
 * @peer: whose data would replace it
 *
 * Return: NULL, or why not.
 */
const char *rblk_agree_refuse_discard(struct rblk_peer *peer);

#endif /* RBLK_REPL_AGREE_H */

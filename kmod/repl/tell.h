/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tell.h - who has what a new primary lacks tells where its data may differ.
 *
 * Of a former primary its disks say it (repl/active.h), for a peer that had everything
 * up to a position. Another backup got more than the one that took over, and
 * remembers where that went (core/recent.h). If the peer, which is primary now,
 * had that, then both may differ only there and where the peer has written since:
 * see core/plan.h. What is told is added to what the peer, as this node sees it,
 * lacks; whether anything is copied is another question.
 */
#ifndef RBLK_REPL_TELL_H
#define RBLK_REPL_TELL_H

#include "../peer.h"

/**
 * rblk_tell - tell the peer, if it is primary and there is something to tell
 * @peer: just settled; its resource's log is not locked
 *
 * Context: process. Without memory nothing is told.
 */
void rblk_tell(struct rblk_peer *peer);

/**
 * rblk_tell_heard - an ACTIVE frame came
 * @peer: who sent it; the frame is in its @rx
 *
 * Return: NULL, or why the link must end.
 */
const char *rblk_tell_heard(struct rblk_peer *peer);

/**
 * rblk_tell_counts - is it known where the peer may differ?
 * @peer: described; its resource's log is locked
 *
 * Return: the position from which on this node's memory of it holds; 0: it is
 * not known.
 */
u64 rblk_tell_counts(const struct rblk_peer *peer);

#endif /* RBLK_REPL_TELL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recv.h - the receiving pump of a link.
 */
#ifndef RBLK_REPL_RECV_H
#define RBLK_REPL_RECV_H

struct rblk_apply;
struct rblk_resource;
struct work_struct;

/** rblk_recv_work - bound as a peer's recv_work */
void rblk_recv_work(struct work_struct *work);

/**
 * rblk_recv_progress - the applier received or applied something
 * @owner: the resource; bound in its applier's ops; any context
 */
void rblk_recv_progress(void *owner);

/**
 * rblk_recv_room - the applier takes data again
 * @owner: the resource; bound in its applier's ops; any context
 */
void rblk_recv_room(void *owner);

/**
 * rblk_recv_copied - the applier applied resync data
 * @owner: the resource; bound in its applier's ops; any context
 * @token: the frame that acknowledges it
 */
void rblk_recv_copied(void *owner, void *token);

/**
 * rblk_recv_answer - the applier carried out a READ
 * @owner: the resource; bound in its applier's ops; any context
 * @apply: it, with its data; sent, or freed when who asked is gone
 */
void rblk_recv_answer(void *owner, struct rblk_apply *apply);

#endif /* RBLK_REPL_RECV_H */

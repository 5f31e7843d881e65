/* SPDX-License-Identifier: GPL-2.0 */
/*
 * plan.h - what a handshake leads to: one table.
 *
 * Both nodes feed the same two descriptions, each with itself as "mine", and
 * must come to matching answers (tested over all rows).
 */
#ifndef RBLK_CORE_PLAN_H
#define RBLK_CORE_PLAN_H

#include "env.h"
#include "lineage.h"
#include "../uapi/rblk.h"

/**
 * struct rblk_self - what a node says of itself in HELLO and STATE
 * @role: of the node in the resource
 * @data: what it can say of its own data
 * @no_disk: a disk of it failed: it can hold no data
 * @promised: the highest generation it promised to follow; as primary its own
 * @lineage: of its data
 */
struct rblk_self {
	enum rblk_role role;
	enum rblk_data data;
	bool no_disk;
	u64 promised;
	struct rblk_lineage lineage;
};

enum rblk_plan_action {
	RBLK_PLAN_REFUSE,	/* close the link with @reason */
	RBLK_PLAN_IDLE,		/* keep it; no operations flow */
	RBLK_PLAN_STREAM,	/* I am primary: send operations after my seq */
	RBLK_PLAN_FOLLOW,	/* peer is primary: apply what it sends */
};

/**
 * struct rblk_plan - the answer
 * @action: what to do with the link
 * @repl: what to say of the peer's data: never RBLK_REPL_RESYNC or _CATCHUP
 * @reason: constant text for the log and the status; "" when all is well
 */
struct rblk_plan {
	enum rblk_plan_action action;
	enum rblk_repl repl;
	const char *reason;
};

/**
 * rblk_plan_handshake - decide from both descriptions
 * @mine: what this node says of itself; its lineage is valid
 * @peer: what the peer says of itself; its lineage is valid
 * @plan: the answer
 *
 * Two primaries: refuse, the reason tells the one of the lower generation to
 * demote. A primary whose generation is below what the peer promised: refuse.
 * Primary and backup with the same lineage, both consistent: stream/follow.
 * Primary and a backup that is new, inconsistent, behind: idle, behind.
 * Primary and a backup that is ahead, forked or unrelated: idle, diverged; also
 * a primary (promoted by force) that is not consistent, and a backup that is.
 * The backup says of the primary: up to date, unknown (this node is behind it)
 * or diverged.
 * Two backups: idle; up to date when the same, else behind (peer behind me),
 * unknown (peer ahead of me, both new), diverged (forked, unrelated).
 *
 * Data that is new, inconsistent, or consistent without any lineage is never
 * compared, and so never up to date. A refused peer is unknown.
 *
 * A backup without a disk: idle, behind. A primary without one streams as any:
 * its position is that of its peers' data.
 *
 * Unclean data has at least what its position says. It is treated as consistent
 * only by the primary of the very generation that wrote it last: everything
 * above that position was sent by this primary, which remembers it. Anyone
 * else's may differ, however equal the positions: idle, behind.
 */
void rblk_plan_handshake(const struct rblk_self *mine,
			 const struct rblk_self *peer, struct rblk_plan *plan);

/**
 * rblk_plan_binds - does what a node promised bind others, too?
 * @self: the node
 * @node_id: of it
 *
 * A node that was promoted keeps the generation, even if the promotion came to
 * nothing. Who is a backup again serves nobody in it, and what it wrote is in its
 * history: a primary of a lower generation that meets the node may take one
 * above. A promise to another node is a fence until that one says so.
 *
 * Return: false if a backup promised its own generation.
 */
bool rblk_plan_binds(const struct rblk_self *self, u8 node_id);

/* How a primary brings a peer level that is behind. */
enum rblk_sync {
	RBLK_SYNC_NONE,		/* not by itself, or it need not */
	RBLK_SYNC_LOG,		/* the operations that it missed, in order */
	RBLK_SYNC_BITMAP,	/* the blocks that it lacks, out of order */
	RBLK_SYNC_FULL,		/* every block */
};

/**
 * struct rblk_memory - what a primary remembers of a peer
 * @log_from: the log holds every operation from this seq on, with its data
 * @base: from this position on it is known what the peer lacks
 * @partial_gen: the generation in which this node began to overwrite the peer's data,
 *	if that is why it is inconsistent, and it is known what is left; or 0
 * @told: the peer told where it may differ: see rblk_plan_parted()
 */
struct rblk_memory {
	u64 log_from;
	u64 base;
	u64 partial_gen;
	bool told;
};

/**
 * rblk_plan_sync - how to bring the peer level, without asking anybody
 * @mine: this node, the primary
 * @peer: a backup that the handshake did not make follow
 * @memory: what is remembered of it
 *
 * Data that the primary never had is not overwritten, nor a disk without any
 * history: that is for an admin to say. A prefix of the primary's data has
 * nothing to lose, and neither has data that is inconsistent already; whose copy it
 * is in the middle of, its last term says. Unclean
 * data that another primary wrote may hold what was acknowledged to somebody.
 * A primary without a disk has nothing to send but what its log holds, and a
 * backup without one takes nothing.
 *
 * Return: how.
 */
enum rblk_sync rblk_plan_sync(const struct rblk_self *mine,
			      const struct rblk_self *peer,
			      const struct rblk_memory *memory);

/**
 * rblk_plan_parted - up to where did this node have all that the peer had?
 * @mine: this node, the primary
 * @peer: led in its last term, and may have written more than it can say
 *
 * Beyond, the two may differ where the peer's activity log says, if it counts for
 * who has everything up to there, and where this node wrote since.
 *
 * Return: the position, in both histories; 0 if there is none.
 */
u64 rblk_plan_parted(const struct rblk_self *mine,
		     const struct rblk_self *peer);

/**
 * rblk_plan_refuse_discard - may this node's own branch be given up?
 * @mine: this node
 * @peer: whose data is to replace it
 *
 * Only where the two have forked, or this node has more: then the primary copies
 * over it as soon as this node's data is inconsistent.
 *
 * Return: NULL, or why not.
 */
const char *rblk_plan_refuse_discard(const struct rblk_self *mine,
				     const struct rblk_self *peer);

/**
 * rblk_plan_was_set_back - does the peer have less than it had recorded?
 * @mine: this node
 * @peer: what it says of itself now
 * @recorded: what it had said to be recorded while this node was primary, or 0
 *
 * No crash does that to a disk that keeps its promises: the peer shows a
 * snapshot, a clone or another disk.
 *
 * Return: true if so.
 */
bool rblk_plan_was_set_back(const struct rblk_self *mine,
			    const struct rblk_self *peer, u64 recorded);

/**
 * rblk_plan_is_vague - may a node hold what nobody knows of?
 * @self: the node
 * @other: who would have to know
 *
 * Return: true for unclean data, unless @other is the primary that wrote it.
 */
bool rblk_plan_is_vague(const struct rblk_self *self,
			const struct rblk_self *other);

#endif /* RBLK_CORE_PLAN_H */

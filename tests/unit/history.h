/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.h - a model of three nodes, their disks and what happens to them.
 *
 * Promotions, demotions, writes, flushes that leave the position on a backup's disk and
 * flushes that do not, power cuts in the middle of them that
 * keep any part of what was not flushed, lost links, replaced disks and disks that
 * were set back, interrupted copies. The nodes decide with what the kernel decides
 * with: core/lineage.c, record.c, plan.c. The model knows what is truly on each
 * disk. Whenever two nodes meet:
 *
 *   - data that is called up to date is the same;
 *   - nothing is overwritten, unless an admin says so, that was acknowledged
 *     and that the primary does not have;
 *   - what is brought level is level.
 *
 * One acknowledged write may go: that a primary wrote itself and did not flush,
 * which its own power cut took from it, and without which it is promoted again.
 * A lone disk does the same.
 */
#ifndef RBLK_TESTS_HISTORY_H
#define RBLK_TESTS_HISTORY_H

#include "cmocka_all.h"
#include "plan.h"
#include "record.h"

#define NODES		3
#define OPS_MAX		5
#define TERMS_MAX	5
#define CRASHES_MAX	3
#define STEPS_MAX	16
#define FIRST_GEN	16

enum broken {
	NOTHING_BROKEN,
	COMPARES_POSITIONS_ONLY,
	TAKES_UNCLEAN_FOR_EXACT,
	PROMOTES_UNCLEAN_AS_EXACT,
	PROMOTES_FOLLOWER_AS_LEADER,
	PROMOTES_BEFORE_THE_DISK_SAYS_SO,
	FOLLOWS_BEFORE_THE_DISK_SAYS_SO,
	COPIES_BEFORE_THE_DISK_SAYS_SO,
	TRUSTS_OLD_MEMORY,
	CATCHING_UP_IS_WHOLE,
	USES_A_GENERATION_TWICE,
	RESUMES_ANY_COPY,
	RESUMES_WHAT_IT_GAVE_UP,
	BELIEVES_A_DISK_THAT_WAS_SET_BACK,
	NR_BROKEN,
};

/* A lineage, short. */
struct past {
	u64 seq;
	struct rblk_term term[TERMS_MAX];
	u32 nr_terms;
};

/* What a superblock and a position record say. */
struct disk {
	struct past past;
	u8 promised, data;
	bool clean, led;
	u8 held;		/* operations whose data is there, whatever is said */
	u8 copier;		/* whose copy into it was not finished; 0: none */
	u8 serial;		/* of the newest position record: a copy moves nothing else */
};

/* What a primary remembers of a peer. */
struct memory {
	u64 base, recorded;
	u64 partial_gen;
	u8 partial;		/* names the copy that was not finished */
	u8 serial;		/* that was told when part of it was durable */
};

struct node {
	bool up, primary, clean, led, followed;
	u8 data, promised;
	struct past past;
	struct memory memory[NODES];
	u64 log_from;
	u64 whole_at;		/* unclean data is consistent when it is applied */
	u8 held;		/* on the disk and in its cache */
	u8 copier;
	struct disk disk;
};

struct world {
	struct node node[NODES];
	u8 link[NODES][NODES];	/* 0 none, 1 idle, 2 the first streams to the second */
	u8 promotions, nr_ops, crashes, copies;
	u8 acked;		/* operations */
	u8 stored[NODES];	/* highest generation that each daemon knows of */
	u8 author[OPS_MAX];
	u64 seq[OPS_MAX];
	struct disk image;	/* an old copy of a disk */
	u8 image_of;		/* node + 1; 0: there is none */
};

enum kind {
	CONNECT, DISCONNECT, WRITE, WRITE_CRASH, FLUSH, FLUSH_UNRECORDED, CRASH,
	BOOT, PROMOTE, DEMOTE, DOWN, LOSE, SAVE_IMAGE, SET_BACK, COPY, NR_KINDS,
};

/* Where a link is lost while a node is brought level: the mask of CONNECT. */
enum cut {
	NOT_CUT,
	CUT_IN_THE_MIDDLE,
	CUT_UNHEARD,		/* the backup agreed, and the primary did not hear it */
	NR_CUTS,
};

struct step {
	u8 kind, a, b, mask;
};

extern enum broken broken;	/* the rule that is not followed */
extern const char *wrong;	/* what the world has come to */
extern u32 seen_plan[4], seen_sync[4], seen_lost_in_cache, seen_outbid;

/* One node was promoted, and the others follow it; nothing is written yet. */
void begin(struct world *w);

/* Return: false when it cannot happen, or changes nothing. */
bool take_step(struct world *w, const struct step *step);

#endif /* RBLK_TESTS_HISTORY_H */

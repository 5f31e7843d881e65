/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was done to the devices, what is on one of them now, and whether the
 * two go together.
 *
 * A place is a block of a device. A place has one write in flight at most, so
 * its versions have a total order, that of their numbers (seq). A place that
 * reads as zeroes may hold its first state, version 0, or any of its versions
 * that zeroed it: a check accuses only when none of them would do.
 */
#ifndef RBLK_CRASH_VERIFY_H
#define RBLK_CRASH_VERIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "stamp.h"

#define NEVER UINT64_MAX

struct version {
	uint64_t seq;
	uint64_t issue;
	uint64_t complete;	/* NEVER: not acknowledged */
	uint64_t durable;	/* when a flush after it had completed */
	uint32_t place;
	uint32_t epoch;
	bool zero;
	bool fua;
};

struct read {
	uint64_t seq;		/* 0: zeroes */
	uint64_t issue;
	uint64_t complete;
	uint32_t place;
	uint32_t epoch;
};

struct flush {
	uint64_t issue;
	uint64_t complete;
	uint32_t dev;
};

/* When a new primary was first used. */
struct opening {
	uint64_t when;
	uint32_t epoch;
};

struct history {
	unsigned int nr_devs;
	uint64_t blocks;	/* of each device; place = dev * blocks + block */
	uint32_t nr_places;

	struct version *version;	/* by place, then by seq */
	size_t nr_versions;
	size_t *first;			/* of each place; nr_places + 1 of them */
	struct read *read;		/* by place, then by issue */
	size_t nr_reads;
	size_t *first_read;
	struct flush *flush;
	size_t nr_flushes;
	struct opening *opening;	/* by epoch */
	size_t nr_openings;

	uint64_t promised;	/* what completed before this must be kept */
	unsigned int bad_reads;		/* that the writer itself found */
	uint64_t chain_first;		/* number of the last chain; 0: none */
};

/* Add to these four, then call history_finish() once. */
struct version *history_add_version(struct history *h);
struct read *history_add_read(struct history *h);
struct flush *history_add_flush(struct history *h);
struct opening *history_add_opening(struct history *h);
void history_finish(struct history *h);
void history_free(struct history *h);

/*
 * Records, as crash-writer wrote them; what completed later than the first
 * @acks_until bytes say is no promise. Returns NULL or what is wrong.
 */
const char *history_load(struct history *h, FILE *f, uint64_t acks_until);

/* What one place of an image holds; only one of two versions when torn. */
struct seen {
	uint64_t lo, hi;	/* of the sectors that are stamped */
	uint64_t hi_issue;	/* as the stamp says */
	uint64_t floor;		/* likewise, the highest */
	bool stamped, zero;	/* some sectors are */
	bool garbage, misplaced;
};

void see_block(struct seen *seen, const void *data, unsigned int dev,
	       uint64_t block);

enum kind {
	LOST,		/* acknowledged, and gone */
	UNFLUSHED,	/* flushed, and gone */
	ORDER,		/* there, without what it was based on */
	FOREIGN,	/* nobody wrote that there */
	TORN,		/* half old, half new */
	REGISTER,	/* reads that no order of operations explains */
	NR_KINDS
};

extern const char *const kind_name[NR_KINDS];

struct verdict {
	FILE *out;		/* the first few of each kind are told here */
	uint64_t start;		/* that times are told from */
	unsigned int count[NR_KINDS];
};

/*
 * The rules, each over all places; each returns true when it found nothing.
 *
 * verify_lost: what was acknowledged is there (D1; D3 for each survivor).
 * verify_flushed: what was acknowledged before a flush was issued that was
 *	acknowledged too, is there; so is an acknowledged FUA write (D2).
 * verify_order: nothing is there without everything that had completed before
 *	it was issued, or, with @flushes_only, had been flushed before it.
 * verify_foreign: all that is there was written there.
 * verify_torn: a place holds one version. @may_tear: the machine died, so a
 *	write that was not acknowledged (@cache_lost: not flushed) may be torn.
 * verify_register: the reads of each place are those of an atomic register.
 *	@keeps_acked: what was acknowledged survives a change of the primary.
 */
bool verify_lost(struct verdict *v, const struct history *h,
		 const struct seen *seen);
bool verify_flushed(struct verdict *v, const struct history *h,
		    const struct seen *seen);
bool verify_order(struct verdict *v, const struct history *h,
		  const struct seen *seen, bool flushes_only);
bool verify_foreign(struct verdict *v, const struct history *h,
		    const struct seen *seen);
bool verify_torn(struct verdict *v, const struct history *h,
		 const struct seen *seen, bool may_tear, bool cache_lost);
bool verify_register(struct verdict *v, const struct history *h,
		     bool keeps_acked);

/*
 * The chain alone, without a history: some stamp says that all numbers up to
 * its floor had completed, so they are there.
 */
bool verify_chain(struct verdict *v, unsigned int nr_devs, uint64_t blocks,
		  uint64_t first_seq, const struct seen *seen);

/* One place of it, which was read when @floor was known to have completed. */
bool verify_chain_place(struct verdict *v, const struct history *h,
			uint32_t place, const struct seen *seen, uint64_t floor);

struct loss {
	uint64_t writes;	/* acknowledged, and not there */
	double ms;		/* from the first of them to the last acknowledgment */
};

struct loss measure_loss(const struct history *h, const struct seen *seen);

#endif

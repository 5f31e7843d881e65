// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "verify.h"

enum { TOLD = 8 };

const char *const kind_name[NR_KINDS] = {
	[LOST] = "lost", [UNFLUSHED] = "flushed-but-lost", [ORDER] = "order",
	[FOREIGN] = "foreign", [TORN] = "torn", [REGISTER] = "register",
};

static __attribute__((format(printf, 5, 6)))
void accuse(struct verdict *v, enum kind kind, const struct history *h,
	    uint32_t place, const char *format, ...)
{
	va_list args;

	if (v->count[kind]++ >= TOLD || !v->out)
		return;
	fprintf(v->out, "VIOLATION %s: dev %u block %u: ", kind_name[kind],
		(unsigned int)(place / h->blocks),
		(unsigned int)(place % h->blocks));
	va_start(args, format);
	vfprintf(v->out, format, args);
	va_end(args);
	fputc('\n', v->out);
}

static double seconds(const struct verdict *v, uint64_t t)
{
	return ((double)t - (double)v->start) / 1e9;
}

void see_block(struct seen *seen, const void *data, unsigned int dev,
	       uint64_t block)
{
	struct stamp st;

	memset(seen, 0, sizeof(*seen));
	for (unsigned int k = 0; k < SECTORS_PER_BLOCK; k++) {
		switch (read_sector((const char *)data + k * SECTOR, dev, block,
				    k, &st)) {
		case SECTOR_ZERO:
			seen->zero = true;
			break;
		case SECTOR_GARBAGE:
			seen->garbage = true;
			break;
		case SECTOR_MISPLACED:
			seen->misplaced = true;
			break;
		case SECTOR_STAMP:
			if (!seen->stamped || st.seq < seen->lo)
				seen->lo = st.seq;
			if (!seen->stamped || st.seq > seen->hi) {
				seen->hi = st.seq;
				seen->hi_issue = st.issue_ns;
			}
			if (st.floor > seen->floor)
				seen->floor = st.floor;
			seen->stamped = true;
			break;
		}
	}
}

static const struct version *find(const struct history *h, uint32_t place,
				  uint64_t seq)
{
	size_t lo = h->first[place], hi = h->first[place + 1];

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (h->version[mid].seq < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < h->first[place + 1] && h->version[lo].seq == seq ?
	       &h->version[lo] : NULL;
}

/* The last version of @place that is complete, or durable, before @time. */
static const struct version *last_before(const struct history *h,
					 uint32_t place, uint64_t time,
					 bool durable)
{
	for (size_t i = h->first[place + 1]; i-- > h->first[place];) {
		const struct version *w = &h->version[i];

		if ((durable ? w->durable : w->complete) < time)
			return w;
	}
	return NULL;
}

/* The first version from @seq on that zeroed @place; NULL: none. */
static const struct version *zero_from(const struct history *h, uint32_t place,
				       uint64_t seq)
{
	for (size_t i = h->first[place]; i < h->first[place + 1]; i++)
		if (h->version[i].zero && h->version[i].seq >= seq)
			return &h->version[i];
	return NULL;
}

/* Does @seen hold @w, or something newer, in every sector? */
static bool has(const struct history *h, uint32_t place,
		const struct seen *seen, const struct version *w)
{
	if (!w)
		return true;
	if (seen->stamped && seen->lo < w->seq)
		return false;
	return !seen->zero || zero_from(h, place, w->seq);
}

static void tell_missing(struct verdict *v, enum kind kind,
			 const struct history *h, const struct version *w,
			 const struct seen *seen, const char *why)
{
	char found[64] = "nothing readable";

	if (seen->stamped)
		snprintf(found, sizeof(found), "seq %" PRIu64, seen->lo);
	else if (seen->zero)
		snprintf(found, sizeof(found), "zeroes");
	accuse(v, kind, h, w->place,
	       "seq %" PRIu64 " (issued %.6f, acknowledged %.6f) is not there but %s; %s",
	       w->seq, seconds(v, w->issue), seconds(v, w->complete), found, why);
}

static bool verify_kept(struct verdict *v, const struct history *h,
			const struct seen *seen, enum kind kind)
{
	const char *why = kind == LOST ? "it was acknowledged" :
			  "a flush after it was acknowledged";
	unsigned int was = v->count[kind];

	for (uint32_t p = 0; p < h->nr_places; p++) {
		const struct version *w = last_before(h, p, h->promised,
						       kind != LOST);

		if (!has(h, p, &seen[p], w))
			tell_missing(v, kind, h, w, &seen[p], why);
	}
	return v->count[kind] == was;
}

bool verify_lost(struct verdict *v, const struct history *h,
		 const struct seen *seen)
{
	return verify_kept(v, h, seen, LOST);
}

bool verify_flushed(struct verdict *v, const struct history *h,
		    const struct seen *seen)
{
	return verify_kept(v, h, seen, UNFLUSHED);
}

/*
 * The visible writes are closed under "completed before it was issued" exactly
 * if every place holds at least what had completed at the time @latest, when
 * the last of the visible ones was issued. Zeroes say only that one of several
 * writes is visible: take the oldest that will do, which may move @latest.
 */
bool verify_order(struct verdict *v, const struct history *h,
		  const struct seen *seen, bool flushes_only)
{
	unsigned int was = v->count[ORDER];
	const struct version *w, *z, *newest = NULL;
	uint64_t latest = 0;
	bool moved;
	uint32_t p;

	for (p = 0; p < h->nr_places; p++) {
		w = seen[p].stamped ? find(h, p, seen[p].hi) : NULL;
		if (w && w->issue >= latest) {
			latest = w->issue;
			newest = w;
		}
	}
	do {
		moved = false;
		for (p = 0; p < h->nr_places; p++) {
			if (!seen[p].zero)
				continue;
			w = last_before(h, p, latest, flushes_only);
			z = w ? zero_from(h, p, w->seq) : NULL;
			if (z && z->issue > latest) {
				latest = z->issue;
				newest = z;
				moved = true;
			}
		}
	} while (moved);

	for (p = 0; p < h->nr_places; p++) {
		char why[160];

		w = last_before(h, p, latest, flushes_only);
		if (has(h, p, &seen[p], w))
			continue;
		snprintf(why, sizeof(why), "seq %" PRIu64 " of dev %u block %u, "
			 "issued later (%.6f), is", newest->seq,
			 (unsigned int)(newest->place / h->blocks),
			 (unsigned int)(newest->place % h->blocks),
			 seconds(v, newest->issue));
		tell_missing(v, ORDER, h, w, &seen[p], why);
	}
	return v->count[ORDER] == was;
}

bool verify_foreign(struct verdict *v, const struct history *h,
		    const struct seen *seen)
{
	unsigned int was = v->count[FOREIGN];

	for (uint32_t p = 0; p < h->nr_places; p++) {
		const struct seen *s = &seen[p];
		const struct version *w = NULL;

		if (s->garbage)
			accuse(v, FOREIGN, h, p, "bytes that nobody wrote");
		if (s->misplaced)
			accuse(v, FOREIGN, h, p, "a sector of another place");
		if (!s->stamped)
			continue;
		w = find(h, p, s->hi);
		if (!w || w->zero || w->issue != s->hi_issue)
			accuse(v, FOREIGN, h, p,
			       "seq %" PRIu64 " was never written there", s->hi);
		w = find(h, p, s->lo);
		if (s->lo != s->hi && (!w || w->zero))
			accuse(v, FOREIGN, h, p,
			       "seq %" PRIu64 " was never written there", s->lo);
	}
	return v->count[FOREIGN] == was;
}

static bool is_loose(const struct history *h, const struct version *w,
		     bool cache_lost)
{
	return (cache_lost ? w->durable : w->complete) >= h->promised;
}

static bool tearing_is_allowed(const struct history *h, uint32_t place,
			       const struct seen *seen, bool cache_lost)
{
	const struct version *hi = find(h, place, seen->hi);

	if (hi && is_loose(h, hi, cache_lost))
		return true;
	/* or the newest version is a zeroing one, of which the rest lacks */
	for (size_t i = h->first[place]; seen->zero && i < h->first[place + 1]; i++)
		if (h->version[i].zero && h->version[i].seq > seen->hi &&
		    is_loose(h, &h->version[i], cache_lost))
			return true;
	return false;
}

bool verify_torn(struct verdict *v, const struct history *h,
		 const struct seen *seen, bool may_tear, bool cache_lost)
{
	unsigned int was = v->count[TORN];

	for (uint32_t p = 0; p < h->nr_places; p++) {
		const struct seen *s = &seen[p];

		if (!s->stamped || (s->lo == s->hi && !s->zero))
			continue;
		if (may_tear && tearing_is_allowed(h, p, s, cache_lost))
			continue;
		accuse(v, TORN, h, p, "sectors of seq %" PRIu64 " beside %s%" PRIu64,
		       s->hi, s->zero ? "zeroes and seq " : "seq ", s->lo);
	}
	return v->count[TORN] == was;
}

/* ---- atomic register */

struct place_run {
	const struct history *h;
	uint32_t place;
	bool keeps_acked;
	uint64_t *assigned;		/* seq of each read of this place */
	const struct read *culprit;
};

/*
 * A read belongs to the last epoch that was open when it was issued, so that a
 * primary that was deposed may not answer with what is no longer true.
 */
static uint32_t epoch_of(const struct history *h, const struct read *r)
{
	uint32_t epoch = r->epoch;

	for (size_t i = 0; i < h->nr_openings; i++)
		if (h->opening[i].epoch > epoch && h->opening[i].when < r->issue)
			epoch = h->opening[i].epoch;
	return epoch;
}

static bool is_zero_version(const struct history *h, uint32_t place, uint64_t seq)
{
	const struct version *w = seq ? find(h, place, seq) : NULL;

	return !seq || (w && w->zero);
}

/*
 * Give each read of @epoch the oldest version that it may have returned; the
 * place held @base when the epoch began. Later reads only profit from that.
 */
static bool epoch_is_atomic(struct place_run *run, uint32_t epoch, uint64_t base)
{
	const struct history *h = run->h;
	size_t first = h->first_read[run->place], nr = h->first_read[run->place + 1];

	for (size_t i = first; i < nr; i++) {
		const struct read *r = &h->read[i];
		uint64_t bound = base, best = NEVER;

		if (epoch_of(h, r) != epoch)
			continue;
		for (size_t k = first; k < i; k++)
			if (epoch_of(h, &h->read[k]) == epoch &&
			    h->read[k].complete < r->issue &&
			    run->assigned[k - first] > bound)
				bound = run->assigned[k - first];
		for (size_t k = h->first[run->place]; k < h->first[run->place + 1]; k++) {
			const struct version *w = &h->version[k];

			if (w->epoch == epoch && w->complete < r->issue &&
			    w->seq > bound)
				bound = w->seq;
		}
		if (bound == base && (r->seq ? r->seq == base :
				      is_zero_version(h, run->place, base)))
			best = base;
		for (size_t k = h->first[run->place];
		     best == NEVER && k < h->first[run->place + 1]; k++) {
			const struct version *w = &h->version[k];

			if (w->epoch == epoch && w->seq >= bound &&
			    w->issue <= r->complete &&
			    (r->seq ? w->seq == r->seq && !w->zero : w->zero))
				best = w->seq;
		}
		if (best == NEVER) {
			run->culprit = r;
			return false;
		}
		run->assigned[i - first] = best;
	}
	return true;
}

/*
 * Try what the place may have held when epoch number @n began: the last
 * acknowledged version, or the one after it that was never acknowledged.
 */
static bool epochs_are_atomic(struct place_run *run, size_t n, uint64_t base)
{
	const struct history *h = run->h;
	uint32_t epoch;
	uint64_t acked = base;
	size_t k;

	if (n == h->nr_openings)
		return true;
	epoch = h->opening[n].epoch;
	if (!epoch_is_atomic(run, epoch, base))
		return false;
	if (n + 1 == h->nr_openings)
		return true;
	for (k = h->first[run->place]; k < h->first[run->place + 1]; k++) {
		const struct version *w = &h->version[k];

		if (w->epoch == epoch && w->complete != NEVER)
			acked = w->seq;
	}
	if (epochs_are_atomic(run, n + 1, acked))
		return true;
	for (k = h->first[run->place]; k < h->first[run->place + 1]; k++) {
		const struct version *w = &h->version[k];

		if (run->keeps_acked ? w->epoch == epoch && w->seq > acked :
				       w->epoch <= epoch && w->seq != acked)
			if (epochs_are_atomic(run, n + 1, w->seq))
				return true;
	}
	return !run->keeps_acked && acked && epochs_are_atomic(run, n + 1, 0);
}

bool verify_register(struct verdict *v, const struct history *h,
		     bool keeps_acked)
{
	unsigned int was = v->count[REGISTER];
	struct place_run run = { .h = h, .keeps_acked = keeps_acked };

	run.assigned = calloc(h->nr_reads + 1, sizeof(*run.assigned));
	if (!run.assigned)
		exit(2);
	for (uint32_t p = 0; p < h->nr_places; p++) {
		for (size_t i = h->first[p]; i + 1 < h->first[p + 1]; i++)
			if (h->version[i].epoch == h->version[i + 1].epoch &&
			    h->version[i].complete > h->version[i + 1].issue)
				accuse(v, REGISTER, h, p, "the history has two writes in flight, seq %"
				       PRIu64 " and %" PRIu64, h->version[i].seq,
				       h->version[i + 1].seq);
		run.place = p;
		if (h->first_read[p] == h->first_read[p + 1] ||
		    epochs_are_atomic(&run, 0, 0))
			continue;
		accuse(v, REGISTER, h, p, "a read (%.6f to %.6f) returned seq %" PRIu64
		       ", which was not there then", seconds(v, run.culprit->issue),
		       seconds(v, run.culprit->complete), run.culprit->seq);
	}
	free(run.assigned);
	return v->count[REGISTER] == was;
}

/* ---- chain, loss */

/* The last number up to @floor that is written at @place; 0: none. */
static uint64_t chain_last(const struct history *h, uint32_t place, uint64_t floor)
{
	uint64_t places = h->nr_devs * h->blocks, seq = floor;
	unsigned int dev;

	for (; seq && seq + places > floor; seq--)
		if (chain_place(seq, h->nr_devs, h->blocks, &dev) + dev * h->blocks == place)
			return seq;
	return 0;
}

bool verify_chain_place(struct verdict *v, const struct history *h,
			uint32_t place, const struct seen *seen, uint64_t floor)
{
	uint64_t seq = chain_last(h, place, floor);

	/* a block that is just being written may be seen in pieces */
	if (!seq || seen->garbage || (seen->stamped && !seen->zero && seen->lo >= seq))
		return true;
	accuse(v, ORDER, h, place, "number %" PRIu64 " is not there but %" PRIu64
	       "; a later one says that all up to %" PRIu64 " had completed",
	       seq, seen->lo, floor);
	return false;
}

bool verify_chain(struct verdict *v, unsigned int nr_devs, uint64_t blocks,
		  uint64_t first_seq, const struct seen *seen)
{
	const struct history h = { .nr_devs = nr_devs, .blocks = blocks };
	uint64_t floor = 0, places = nr_devs * blocks;
	uint64_t seq, block;
	unsigned int was = v->count[ORDER], dev;

	for (uint64_t p = 0; p < places; p++)
		if (seen[p].stamped && seen[p].floor > floor)
			floor = seen[p].floor;
	/* the last number of each place up to the floor */
	seq = floor > places ? floor - places + 1 : 1;
	if (seq < first_seq)
		seq = first_seq;
	for (; seq <= floor; seq++) {
		const struct seen *s;

		block = chain_place(seq, nr_devs, blocks, &dev);
		s = &seen[dev * blocks + block];
		if (!s->stamped || s->zero || s->lo < seq)
			accuse(v, ORDER, &h, dev * blocks + block, "number %" PRIu64
			       " is not there; a later one says that all up to %"
			       PRIu64 " had completed", seq, floor);
	}
	return v->count[ORDER] == was;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct loss measure_loss(const struct history *h, const struct seen *seen)
{
	uint64_t oldest = NEVER, last = 0, *seq;
	struct loss loss = { 0 };
	size_t n = 0;

	seq = calloc(h->nr_versions + 1, sizeof(*seq));
	if (!seq)
		exit(2);
	for (size_t i = 0; i < h->nr_versions; i++) {
		const struct version *w = &h->version[i];

		if (w->complete == NEVER)
			continue;
		if (w->complete > last)
			last = w->complete;
		if (has(h, w->place, &seen[w->place], w))
			continue;
		if (w->issue < oldest)
			oldest = w->issue;
		seq[n++] = w->seq;
	}
	/* a write of several blocks is one */
	qsort(seq, n, sizeof(*seq), by_value);
	for (size_t i = 0; i < n; i++)
		loss.writes += !i || seq[i] != seq[i - 1];
	if (n)
		loss.ms = (double)(last - oldest) / 1e6;
	free(seq);
	return loss;
}

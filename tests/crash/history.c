// SPDX-License-Identifier: GPL-2.0-or-later
/* Collect a history, from records or piece by piece. */
#include <stdlib.h>

#include "verify.h"

static void *grow(void *array, size_t n, size_t size)
{
	/* doubled whenever n is a power of two */
	if (n & (n - 1))
		return array;
	array = realloc(array, (n ? 2 * n : 1) * size);
	if (!array) {
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
	return array;
}

#define ADD(array, nr) \
	(array = grow(array, nr, sizeof(*array)), \
	 memset(&array[nr], 0, sizeof(*array)), &array[nr++])

struct version *history_add_version(struct history *h)
{
	return ADD(h->version, h->nr_versions);
}

struct read *history_add_read(struct history *h)
{
	return ADD(h->read, h->nr_reads);
}

struct flush *history_add_flush(struct history *h)
{
	return ADD(h->flush, h->nr_flushes);
}

struct opening *history_add_opening(struct history *h)
{
	return ADD(h->opening, h->nr_openings);
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_place_and_seq(const void *a, const void *b)
{
	const struct version *x = a, *y = b;

	return compare(x->place, y->place) ?: compare(x->seq, y->seq);
}

static int by_place_and_issue(const void *a, const void *b)
{
	const struct read *x = a, *y = b;

	return compare(x->place, y->place) ?: compare(x->issue, y->issue);
}

static int by_dev_and_issue(const void *a, const void *b)
{
	const struct flush *x = a, *y = b;

	return compare(x->dev, y->dev) ?: compare(x->issue, y->issue);
}

static int by_epoch(const void *a, const void *b)
{
	const struct opening *x = a, *y = b;

	return compare(x->epoch, y->epoch) ?: compare(x->when, y->when);
}

static void sort(void *array, size_t n, size_t size,
		 int (*order)(const void *, const void *))
{
	if (n)
		qsort(array, n, size, order);
}

/* For each version the first moment at which a flush had made it durable. */
static void find_durable(struct history *h)
{
	uint64_t *soonest = calloc(h->nr_flushes + 1, sizeof(*soonest));

	if (!soonest)
		exit(2);
	/* of the flushes of a device issued at or after this one */
	for (size_t i = h->nr_flushes; i--;) {
		soonest[i] = h->flush[i].complete;
		if (i + 1 < h->nr_flushes && h->flush[i + 1].dev == h->flush[i].dev &&
		    soonest[i + 1] < soonest[i])
			soonest[i] = soonest[i + 1];
	}
	for (size_t i = 0; i < h->nr_versions; i++) {
		struct version *w = &h->version[i];
		uint32_t dev = w->place / h->blocks;
		size_t lo = 0, hi = h->nr_flushes;

		w->durable = w->fua ? w->complete : NEVER;
		if (w->complete == NEVER)
			continue;
		while (lo < hi) {
			size_t mid = (lo + hi) / 2;
			const struct flush *f = &h->flush[mid];

			if (f->dev < dev || (f->dev == dev && f->issue <= w->complete))
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo < h->nr_flushes && h->flush[lo].dev == dev &&
		    soonest[lo] < w->durable)
			w->durable = soonest[lo];
	}
	free(soonest);
}

void history_finish(struct history *h)
{
	size_t i, p;

	h->nr_places = h->nr_devs * h->blocks;
	if (!h->promised)
		h->promised = NEVER;
	sort(h->version, h->nr_versions, sizeof(*h->version), by_place_and_seq);
	sort(h->read, h->nr_reads, sizeof(*h->read), by_place_and_issue);
	sort(h->flush, h->nr_flushes, sizeof(*h->flush), by_dev_and_issue);
	sort(h->opening, h->nr_openings, sizeof(*h->opening), by_epoch);
	h->first = calloc(h->nr_places + 1, sizeof(*h->first));
	h->first_read = calloc(h->nr_places + 1, sizeof(*h->first_read));
	if (!h->first || !h->first_read)
		exit(2);
	for (p = 0, i = 0; p <= h->nr_places; p++) {
		while (i < h->nr_versions && h->version[i].place < p)
			i++;
		h->first[p] = i;
	}
	for (p = 0, i = 0; p <= h->nr_places; p++) {
		while (i < h->nr_reads && h->read[i].place < p)
			i++;
		h->first_read[p] = i;
	}
	find_durable(h);
}

void history_free(struct history *h)
{
	free(h->version);
	free(h->first);
	free(h->read);
	free(h->first_read);
	free(h->flush);
	free(h->opening);
	memset(h, 0, sizeof(*h));
}

/* ---- records */

struct writes {
	struct record *record;	/* those that were issued, by their order */
	size_t nr;
	size_t cap;
	uint64_t first_seq;
};

static const char *load_write(struct history *h, struct writes *w,
			      const struct record *r)
{
	uint64_t n;

	if (!w->nr)
		w->first_seq = r->seq;
	n = r->seq - w->first_seq;
	if (r->flags & REC_ISSUED) {
		if (!w->nr)
			h->chain_first = r->flags & REC_CHAIN ? r->seq : 0;
		if (n != w->nr)
			return "writes are not numbered one by one";
		*ADD(w->record, w->nr) = *r;
		return NULL;
	}
	if (n >= w->nr || w->record[n].block != r->block ||
	    w->record[n].dev != r->dev || w->record[n].complete)
		return "a write completed that was not issued";
	if (r->result >= 0)
		w->record[n].complete = r->complete;
	return NULL;
}

static const char *load_open(struct history *h, const struct record *r)
{
	if (r->dev >= MAX_DEVS || !r->block || r->block > UINT32_MAX / MAX_DEVS)
		return "no such device";
	if (h->blocks && h->blocks != r->block)
		return "histories of different devices";
	h->blocks = r->block;
	if (h->nr_devs <= r->dev)
		h->nr_devs = r->dev + 1;
	if (r->dev == 0)
		*history_add_opening(h) =
			(struct opening){ .when = r->issue, .epoch = r->epoch };
	return NULL;
}

static const char *load_one(struct history *h, struct writes *w,
			    const struct record *r)
{
	if (r->op == OP_OPEN)
		return load_open(h, r);
	if (r->op == OP_CLOSE)
		return NULL;
	if (r->dev >= h->nr_devs || r->block + r->nr_blocks > h->blocks)
		return "a place beyond the end";
	switch (r->op) {
	case OP_WRITE:
	case OP_ZERO:
		return load_write(h, w, r);
	case OP_FLUSH:
		if (!(r->flags & REC_ISSUED) && r->result >= 0)
			*history_add_flush(h) = (struct flush){
				.dev = r->dev, .issue = r->issue,
				.complete = r->complete,
			};
		return NULL;
	case OP_READ:
		h->bad_reads += !!(r->flags & REC_BAD);
		if (!(r->flags & (REC_BAD | REC_TORN)) && r->result >= 0)
			*history_add_read(h) = (struct read){
				.place = r->dev * h->blocks + r->block,
				.epoch = r->epoch, .seq = r->seq,
				.issue = r->issue, .complete = r->complete,
			};
		return NULL;
	}
	return "an unknown operation";
}

static bool is_intact(const struct record *r)
{
	return r->magic == RECORD_MAGIC &&
	       r->crc == crc32c(r, offsetof(struct record, crc));
}

const char *history_load(struct history *h, FILE *f, uint64_t acks_until)
{
	struct writes w = { 0 };
	const char *error = NULL;
	uint64_t bytes = 0;
	struct record r;
	size_t n;

	/* nothing yet, beyond what is known of earlier ones; 0 would be all */
	if (!h->promised)
		h->promised = 1;
	/* the last record may be in pieces: it does not count */
	while (!error && fread(&r, sizeof(r), 1, f) == 1) {
		if (!is_intact(&r))
			error = "a damaged record";
		else
			error = load_one(h, &w, &r);
		bytes += sizeof(r);
		if (bytes <= acks_until && r.complete >= h->promised)
			h->promised = r.complete + 1;
	}
	if (!error && !h->blocks)
		error = "no device was opened";
	for (n = 0; !error && n < w.nr; n++) {
		const struct record *x = &w.record[n];

		for (uint64_t b = x->block; b < x->block + x->nr_blocks; b++)
			*history_add_version(h) = (struct version){
				.place = x->dev * h->blocks + b,
				.seq = x->seq, .epoch = x->epoch,
				.issue = x->issue,
				.complete = x->complete ?: NEVER,
				.zero = x->op == OP_ZERO,
				.fua = x->flags & REC_FUA,
			};
	}
	free(w.record);
	return error;
}

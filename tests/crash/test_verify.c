// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each rule against a search through everything that could have happened, on
 * many small random histories; and each kind of damage, planted.
 *
 *   test_verify [HISTORIES [SEED]]
 */
#include <inttypes.h>
#include <stdlib.h>

#include "verify.h"

static uint64_t rnd;
static unsigned int passed, failed;

static uint64_t below(uint64_t n)
{
	return random_below(&rnd, n);
}

static void result(const char *name, bool ok, const char *detail)
{
	printf("%s %s%s%s\n", ok ? "ok" : "FAIL", name, *detail ? ": " : "", detail);
	ok ? passed++ : failed++;
}

/* ---- small histories */

enum { SMALL_WRITES = 6 };

struct small {
	struct history h;
	unsigned int nr_sectors;
	unsigned int nr_elements;	/* versions times sectors: bits of a set */
};

/* Let operations begin and end at random; times may be equal. */
static void make_small(struct small *s, unsigned int sectors)
{
	unsigned int writes = 1 + below(sectors > 1 ? 4 : SMALL_WRITES), steps = 40;
	struct open_op { bool busy, flush, fua, zero; uint64_t seq, issue; uint32_t place, span, dev; } op[4];
	uint64_t time = 10, seq = 1, budget = sectors > 1 ? 5 : 9;
	struct history *h = &s->h;

	memset(s, 0, sizeof(*s));
	memset(op, 0, sizeof(op));
	h->nr_devs = 1 + below(2);
	h->blocks = 1 + below(2);
	h->nr_places = h->nr_devs * h->blocks;
	*history_add_opening(h) = (struct opening){ .when = 1, .epoch = 1 };
	while (steps--) {
		struct open_op *o = &op[below(4)];

		time += below(3);
		if (o->busy) {
			/* some never end */
			if (below(12) == 0)
				continue;
			if (o->flush) {
				*history_add_flush(h) = (struct flush){ .dev = o->dev, .issue = o->issue, .complete = time };
			} else {
				for (size_t i = 0; i < h->nr_versions; i++)
					if (h->version[i].seq == o->seq)
						h->version[i].complete = time;
			}
			o->busy = false;
			continue;
		}
		memset(o, 0, sizeof(*o));
		o->issue = time;
		o->dev = below(h->nr_devs);
		if (below(4) == 0) {
			o->busy = o->flush = true;
			continue;
		}
		if (seq > writes)
			continue;
		o->span = 1 + (below(3) == 0 && h->blocks > 1);
		o->place = o->dev * h->blocks + below(h->blocks - o->span + 1);
		if (h->nr_versions + o->span > budget)
			continue;
		for (size_t i = 0; i < h->nr_versions; i++)
			if (h->version[i].place >= o->place && h->version[i].place < o->place + o->span &&
			    h->version[i].complete == NEVER)
				goto taken;
		o->busy = true;
		o->seq = seq++;
		o->zero = below(4) == 0;
		o->fua = !o->zero && below(5) == 0;
		for (uint32_t p = o->place; p < o->place + o->span; p++)
			*history_add_version(h) = (struct version){
				.seq = o->seq, .issue = o->issue, .complete = NEVER,
				.place = p, .epoch = 1, .zero = o->zero, .fua = o->fua,
			};
taken:
		;
	}
	history_finish(h);
	s->nr_sectors = sectors;
	s->nr_elements = h->nr_versions * sectors;
}

/* What the places hold when exactly the writes in @set have arrived. */
static void see_set(const struct small *s, uint32_t set, struct seen *seen)
{
	const struct history *h = &s->h;

	memset(seen, 0, h->nr_places * sizeof(*seen));
	for (uint32_t p = 0; p < h->nr_places; p++) {
		for (unsigned int k = 0; k < s->nr_sectors; k++) {
			const struct version *w = NULL;
			struct seen *x = &seen[p];

			for (size_t i = h->first[p]; i < h->first[p + 1]; i++)
				if (set & 1U << (i * s->nr_sectors + k))
					w = &h->version[i];
			if (!w || w->zero) {
				x->zero = true;
				continue;
			}
			if (!x->stamped || w->seq < x->lo)
				x->lo = w->seq;
			if (!x->stamped || w->seq > x->hi) {
				x->hi = w->seq;
				x->hi_issue = w->issue;
			}
			x->stamped = true;
		}
	}
}

static bool same_seen(const struct seen *a, const struct seen *b, uint32_t n)
{
	for (uint32_t p = 0; p < n; p++)
		if (a[p].stamped != b[p].stamped || a[p].zero != b[p].zero ||
		    (a[p].stamped && (a[p].lo != b[p].lo || a[p].hi != b[p].hi)))
			return false;
	return true;
}

/* The definition, not the short cut of history_finish(). */
static bool durable_before(const struct history *h, const struct version *w,
			   uint64_t time)
{
	if (w->fua && w->complete < time)
		return true;
	for (size_t i = 0; i < h->nr_flushes; i++)
		if (h->flush[i].dev == w->place / h->blocks &&
		    w->complete < h->flush[i].issue && h->flush[i].complete < time)
			return true;
	return false;
}

enum rule { RULE_LOST, RULE_FLUSHED, RULE_ORDER, RULE_FLUSH_ORDER, RULE_TORN,
	    RULE_TORN_CACHE, NR_RULES };

static bool needed(const struct history *h, enum rule rule,
		   const struct version *w, const struct version *because)
{
	switch (rule) {
	case RULE_LOST:
		return w->complete != NEVER;
	case RULE_FLUSHED:
		return durable_before(h, w, NEVER);
	case RULE_ORDER:
		return w->complete < because->issue;
	default:
		return durable_before(h, w, because->issue);
	}
}

static bool set_is_allowed(const struct small *s, enum rule rule, uint32_t set)
{
	const struct history *h = &s->h;
	uint32_t all = (1U << s->nr_sectors) - 1;

	for (size_t i = 0; i < h->nr_versions; i++) {
		const struct version *w = &h->version[i];
		uint32_t part = set >> (i * s->nr_sectors) & all;

		if (part == all)
			continue;
		if (rule == RULE_TORN || rule == RULE_TORN_CACHE) {
			if (part && (rule == RULE_TORN ? w->complete != NEVER :
				     durable_before(h, w, NEVER)))
				return false;
			continue;
		}
		if (rule == RULE_LOST || rule == RULE_FLUSHED) {
			if (needed(h, rule, w, NULL))
				return false;
			continue;
		}
		for (size_t k = 0; k < h->nr_versions; k++)
			if (set >> (k * s->nr_sectors) & all &&
			    needed(h, rule, w, &h->version[k]))
				return false;
	}
	return true;
}

static bool brute(const struct small *s, enum rule rule, const struct seen *seen)
{
	struct seen other[8];

	for (uint32_t set = 0; set < 1U << s->nr_elements; set++) {
		see_set(s, set, other);
		if (same_seen(seen, other, s->h.nr_places) &&
		    set_is_allowed(s, rule, set))
			return true;
	}
	return false;
}

static bool fast(const struct small *s, enum rule rule, const struct seen *seen)
{
	struct verdict v = { 0 };

	switch (rule) {
	case RULE_LOST:
		return verify_lost(&v, &s->h, seen);
	case RULE_FLUSHED:
		return verify_flushed(&v, &s->h, seen);
	case RULE_ORDER:
		return verify_order(&v, &s->h, seen, false);
	case RULE_FLUSH_ORDER:
		return verify_order(&v, &s->h, seen, true);
	case RULE_TORN:
		return verify_torn(&v, &s->h, seen, true, false);
	default:
		return verify_torn(&v, &s->h, seen, true, true);
	}
}

static void compare_rule(const char *name, enum rule rule, unsigned int histories)
{
	unsigned int differ = 0, bad = 0;
	char detail[120];

	for (unsigned int n = 0; n < histories; n++) {
		struct seen seen[8];
		struct small s;
		uint32_t set, all;
		bool a, b;

		make_small(&s, rule >= RULE_TORN || n % 4 == 0 ? 2 : 1);
		all = (1U << s.nr_elements) - 1;
		set = random_next(&rnd) & all;
		/* mostly full, mostly empty, or half */
		if (below(2))
			set |= random_next(&rnd) & all;
		else if (below(4) == 0)
			set &= random_next(&rnd);
		if (below(2) && s.nr_elements)
			set |= all >> below(s.nr_elements);
		see_set(&s, set, seen);
		a = brute(&s, rule, seen);
		b = fast(&s, rule, seen);
		differ += a != b;
		bad += !a;
		history_free(&s.h);
	}
	snprintf(detail, sizeof(detail), "%u histories, %u of them bad, %u disagreements",
		 histories, bad, differ);
	result(name, !differ && bad > histories / 50 && bad < histories / 50 * 49, detail);
}

/* ---- atomic register: one place, a few epochs */

struct reg {
	struct history h;
	bool keeps_acked;
};

static void make_register(struct reg *g)
{
	struct history *h = &g->h;
	uint64_t time = 1, seq = 1, past[16], nr_past = 0;
	unsigned int epochs = 1 + below(3);
	uint64_t value = 0;
	bool value_is_zero = true;

	memset(g, 0, sizeof(*g));
	g->keeps_acked = below(3);
	h->nr_devs = h->blocks = 1;
	past[nr_past++] = 0;
	for (unsigned int e = 1; e <= epochs; e++) {
		uint64_t write_issue = 0, read_issue[2] = { 0 };
		struct version *w = NULL;
		uint64_t before = value;
		bool before_is_zero = value_is_zero;

		*history_add_opening(h) = (struct opening){ .when = time++, .epoch = e };
		for (unsigned int steps = 3 + below(6); steps--;) {
			unsigned int who = below(3);

			time += below(2);
			if (who == 2) {
				if (w) {
					/* the next write of the place comes after it */
					w->complete = time++;
					w = NULL;
				} else if (seq < 5) {
					write_issue = time;
					w = history_add_version(h);
					*w = (struct version){ .seq = seq, .issue = write_issue, .complete = NEVER,
							       .epoch = e, .zero = below(4) == 0 };
					before = value;
					before_is_zero = value_is_zero;
					value = seq++;
					value_is_zero = w->zero;
					past[nr_past++] = w->zero ? 0 : w->seq;
				}
			} else if (!read_issue[who]) {
				read_issue[who] = time ?: 1;
			} else if (h->nr_reads < 6) {
				uint64_t got = value_is_zero ? 0 : value;

				if (w && below(2))
					got = before_is_zero ? 0 : before;
				if (below(6) == 0)
					got = past[below(nr_past)];
				*history_add_read(h) = (struct read){
					.seq = got, .issue = read_issue[who], .complete = time,
					.epoch = e > 1 && below(8) == 0 ? e - 1 : e,
				};
				read_issue[who] = 0;
			}
		}
		/* what was not acknowledged may be gone, and anything may be with A */
		if (w && below(2)) {
			value = before;
			value_is_zero = before_is_zero;
		}
		if (!g->keeps_acked && below(3) == 0) {
			value = past[below(nr_past)];
			value_is_zero = !value;
		}
		time += 2;
	}
	history_finish(h);
}

struct search {
	const struct reg *g;
	uint32_t done;		/* versions, then reads */
	size_t epoch;		/* index of the opening that is current */
	uint64_t value;		/* of the place; seq */
	uint64_t base;		/* when the epoch began */
};

static const struct version *version_of(const struct history *h, uint64_t seq)
{
	for (size_t i = 0; i < h->nr_versions; i++)
		if (h->version[i].seq == seq)
			return &h->version[i];
	return NULL;
}

static bool search(struct search s);

/* A new primary takes over: what may it find? */
static bool search_crash(const struct search *s)
{
	const struct history *h = &s->g->h;
	uint32_t epoch = h->opening[s->epoch].epoch;
	uint64_t acked = s->base;
	struct search next = *s;

	next.epoch++;
	for (size_t i = 0; i < h->nr_versions; i++)
		if (h->version[i].epoch == epoch && h->version[i].complete != NEVER)
			acked = h->version[i].seq;
	next.value = next.base = acked;
	if (search(next))
		return true;
	for (size_t i = 0; i < h->nr_versions; i++) {
		const struct version *w = &h->version[i];

		if (s->g->keeps_acked ? w->epoch == epoch && w->complete == NEVER :
					w->epoch <= epoch) {
			next.value = next.base = w->seq;
			if (search(next))
				return true;
		}
	}
	next.value = next.base = 0;
	return !s->g->keeps_acked && search(next);
}

/* Try every next operation that no unfinished one must precede. */
static bool search(struct search s)
{
	const struct history *h = &s.g->h;
	uint32_t epoch = h->opening[s.epoch].epoch;
	uint64_t until = s.epoch + 1 < h->nr_openings ? h->opening[s.epoch + 1].when : NEVER;
	size_t nr = h->nr_versions + h->nr_reads;
	uint64_t first_end = NEVER;
	bool all_done = true;

	for (size_t i = 0; i < nr; i++) {
		bool write = i < h->nr_versions;
		const struct read *r = write ? NULL : &h->read[i - h->nr_versions];
		uint64_t end = write ? h->version[i].complete : r->complete;

		if (s.done & 1U << i)
			continue;
		if (write ? h->version[i].epoch != epoch : r->issue > until || r->epoch > epoch)
			continue;
		if (end < first_end)
			first_end = end;
		if (!write || end != NEVER)
			all_done = false;
	}
	if (all_done)
		return s.epoch + 1 == h->nr_openings || search_crash(&s);
	for (size_t i = 0; i < nr; i++) {
		bool write = i < h->nr_versions;
		const struct read *r = write ? NULL : &h->read[i - h->nr_versions];
		const struct version *v;
		struct search next = s;

		if (s.done & 1U << i)
			continue;
		if (write ? h->version[i].epoch != epoch : r->issue > until || r->epoch > epoch)
			continue;
		if ((write ? h->version[i].issue : r->issue) > first_end)
			continue;
		next.done |= 1U << i;
		if (write) {
			next.value = h->version[i].seq;
		} else {
			v = version_of(h, s.value);
			if (r->seq != (v && !v->zero ? s.value : 0))
				continue;
		}
		if (search(next))
			return true;
	}
	return false;
}

static void compare_register(unsigned int histories)
{
	unsigned int differ = 0, bad = 0;
	char detail[120];

	for (unsigned int n = 0; n < histories; n++) {
		struct verdict v = { 0 };
		struct reg g;
		bool a, b;

		make_register(&g);
		a = search((struct search){ .g = &g });
		b = verify_register(&v, &g.h, g.keeps_acked);
		differ += a != b;
		bad += !a;
		history_free(&g.h);
	}
	snprintf(detail, sizeof(detail), "%u histories, %u of them bad, %u disagreements",
		 histories, bad, differ);
	result("brute-register", !differ && bad > histories / 50 && bad < histories / 50 * 49, detail);
}

/* ---- planted damage: a run on two imaginary disks, with real bytes */

enum { RUN_BLOCKS = 64, RUN_DEVS = 2, RUN_WRITES = 600, PLACES = RUN_DEVS * RUN_BLOCKS };

struct run {
	struct record record[4096];
	size_t nr;
	unsigned char disk[PLACES][BLOCK];
	unsigned char before[PLACES][BLOCK];	/* its last version */
	uint64_t seq[PLACES], issue[PLACES];
	struct history h;
	struct seen seen[PLACES];
};

static struct run run;

static void note(struct record r)
{
	r.magic = RECORD_MAGIC;
	r.epoch = 1;
	r.crc = crc32c(&r, offsetof(struct record, crc));
	run.record[run.nr++] = r;
}

static void write_block(unsigned char *out, uint32_t place, uint64_t seq, uint64_t issue)
{
	struct stamp s = { .seq = seq, .issue_ns = issue, .floor = seq - 1,
			   .dev = place / RUN_BLOCKS, .epoch = 1 };

	for (unsigned int k = 0; k < SECTORS_PER_BLOCK; k++)
		stamp_sector((struct stamp *)(out + k * SECTOR), &s, place % RUN_BLOCKS, k);
}

/* One write at a time; @acked_until: later ones have no acknowledgment. */
static void simulate(uint64_t acked_until, bool chain)
{
	uint64_t time = 1000;

	memset(&run.nr, 0, sizeof(run) - offsetof(struct run, nr));
	for (unsigned int d = 0; d < RUN_DEVS; d++)
		note((struct record){ .op = OP_OPEN, .dev = d, .block = RUN_BLOCKS, .issue = 1 });
	for (uint64_t seq = 1; seq <= RUN_WRITES; seq++) {
		unsigned int dev;
		uint64_t block = chain_place(seq, RUN_DEVS, RUN_BLOCKS, &dev);
		struct record r = { .op = OP_WRITE, .dev = dev, .block = block, .nr_blocks = 1,
				    .seq = seq, .issue = time, .flags = REC_ISSUED | (chain ? REC_CHAIN : 0) };
		uint32_t p = dev * RUN_BLOCKS + block;

		note(r);
		memcpy(run.before[p], run.disk[p], BLOCK);
		write_block(run.disk[p], p, seq, time);
		run.seq[p] = seq;
		run.issue[p] = time;
		r.flags = r.flags & REC_CHAIN;
		r.complete = time + 5;
		time += 10;
		if (seq <= acked_until)
			note(r);
		if (seq % 100 == 50 && seq <= acked_until) {
			for (unsigned int d = 0; d < RUN_DEVS; d++)
				note((struct record){ .op = OP_FLUSH, .dev = d, .issue = time, .complete = time + 5 });
			time += 10;
		}
		if (seq == 400 || seq == 410)
			note((struct record){ .op = OP_READ, .dev = dev, .block = block, .nr_blocks = 1,
					      .seq = seq, .issue = time, .complete = time + 2 });
		time += 10;
	}
}

static void load_run(size_t bytes)
{
	FILE *f = fmemopen(run.record, bytes, "r");
	const char *error;

	memset(&run.h, 0, sizeof(run.h));
	error = history_load(&run.h, f, NEVER);
	if (error) {
		printf("%s\n", error);
		exit(1);
	}
	fclose(f);
	history_finish(&run.h);
	for (uint32_t p = 0; p < PLACES; p++)
		see_block(&run.seen[p], run.disk[p], p / RUN_BLOCKS, p % RUN_BLOCKS);
}

enum { ANY_LOST = 1 << LOST, ANY_UNFLUSHED = 1 << UNFLUSHED, ANY_ORDER = 1 << ORDER,
       ANY_FOREIGN = 1 << FOREIGN, ANY_TORN = 1 << TORN, ANY_REGISTER = 1 << REGISTER };

/* The run as damaged must give exactly the verdicts @want. */
static void planted(const char *name, unsigned int want, bool died, bool cache_lost)
{
	struct verdict v = { .start = 0 };
	unsigned int got = 0;
	char detail[80];

	load_run(run.nr * sizeof(*run.record));
	if (!cache_lost)
		verify_lost(&v, &run.h, run.seen);
	verify_flushed(&v, &run.h, run.seen);
	verify_order(&v, &run.h, run.seen, cache_lost);
	verify_foreign(&v, &run.h, run.seen);
	verify_torn(&v, &run.h, run.seen, died, cache_lost);
	verify_register(&v, &run.h, true);
	for (int i = 0; i < NR_KINDS; i++)
		if (v.count[i])
			got |= 1 << i;
	snprintf(detail, sizeof(detail), got == want ? "" : "verdicts %#x instead of %#x", got, want);
	result(name, got == want, detail);
	history_free(&run.h);
}

static uint32_t place_of(uint64_t seq)
{
	unsigned int dev;
	uint64_t block = chain_place(seq, RUN_DEVS, RUN_BLOCKS, &dev);

	return dev * RUN_BLOCKS + block;
}

static void plant_all(void)
{
	const uint64_t end = RUN_WRITES;
	struct record r;
	uint32_t p, q;

	simulate(end, false);
	planted("planted-nothing", 0, false, false);

	/* 560: after the last flush, which follows 550 */
	simulate(end, false);
	p = place_of(560);
	memcpy(run.disk[p], run.before[p], BLOCK);
	planted("planted-lost", ANY_LOST | ANY_ORDER, false, false);
	planted("planted-lost-unflushed-cache", 0, true, true);

	simulate(end, false);
	p = place_of(end);
	memcpy(run.disk[p], run.before[p], BLOCK);
	planted("planted-lost-last", ANY_LOST, false, false);

	simulate(end - 1, false);
	memcpy(run.disk[p], run.before[p], BLOCK);
	planted("planted-unacknowledged-gone", 0, false, false);

	simulate(end, false);
	p = place_of(540);
	memcpy(run.disk[p], run.before[p], BLOCK);
	planted("planted-lost-flushed", ANY_LOST | ANY_UNFLUSHED | ANY_ORDER, false, false);
	planted("planted-lost-flushed-cache", ANY_UNFLUSHED | ANY_ORDER, true, true);

	/* nothing is acknowledged to us after 300, but order stays */
	simulate(end, false);
	for (uint64_t s = 580; s <= end; s++) {
		p = place_of(s);
		memcpy(run.disk[p], run.before[p], BLOCK);
	}
	planted("planted-old-state", ANY_LOST, false, false);
	p = place_of(590);
	write_block(run.disk[p], p, 590, run.issue[p]);
	planted("planted-swapped", ANY_LOST | ANY_ORDER, false, false);
	/* the last one on each device: only a common order sees it */
	simulate(end, false);
	p = place_of(end - 1);
	memcpy(run.disk[p], run.before[p], BLOCK);
	planted("planted-swapped-across-devices", ANY_LOST | ANY_ORDER, false, false);

	simulate(end, false);
	run.disk[7][5 * SECTOR + 300] ^= 4;
	planted("planted-bit", ANY_FOREIGN, false, false);
	simulate(end, false);
	memset(run.disk[9] + SECTOR, 0x5a, SECTOR);
	planted("planted-garbage", ANY_FOREIGN, false, false);
	simulate(end, false);
	p = place_of(600);
	q = place_of(599);
	memcpy(run.disk[q], run.disk[p], BLOCK);
	planted("planted-misdirected", ANY_FOREIGN, false, false);
	simulate(end, false);
	memcpy(run.disk[p], run.disk[p ^ 1], SECTOR);
	planted("planted-misdirected-sector", ANY_FOREIGN, false, false);
	simulate(end, false);
	write_block(run.disk[p], p, 601, 99999999);
	planted("planted-never-issued", ANY_FOREIGN, false, false);
	simulate(end, false);
	write_block(run.disk[p], p, 600, run.issue[p] + 1);
	planted("planted-other-run", ANY_FOREIGN, false, false);

	simulate(end, false);
	memcpy(run.disk[p], run.before[p], 3 * SECTOR);
	planted("planted-torn", ANY_LOST | ANY_TORN, true, false);
	planted("planted-torn-cache", 0, true, true);
	simulate(end - 1, false);
	memcpy(run.disk[p], run.before[p], 3 * SECTOR);
	planted("planted-torn-unacknowledged", 0, true, false);
	planted("planted-torn-nobody-died", ANY_TORN, false, false);
	simulate(end, false);
	memset(run.disk[p] + 2 * SECTOR, 0, SECTOR);
	planted("planted-zeroed-sector", ANY_LOST | ANY_UNFLUSHED | ANY_ORDER | ANY_TORN, true, false);
	simulate(end, false);
	memset(run.disk[place_of(500)], 0, BLOCK);
	planted("planted-zeroed-block", ANY_LOST | ANY_UNFLUSHED | ANY_ORDER, false, false);

	/* reads: too old, from the future, of nobody's data */
	simulate(end, false);
	for (size_t i = 0; i < run.nr; i++) {
		if (run.record[i].op != OP_READ || run.record[i].seq != 400)
			continue;
		r = run.record[i];
		r.seq = 400 - PLACES;
		run.nr--;
		memmove(&run.record[i], &run.record[i + 1], (run.nr - i) * sizeof(r));
		note(r);
		break;
	}
	planted("planted-stale-read", ANY_REGISTER, false, false);
	run.nr--;
	r.seq = 400 + PLACES;
	note(r);
	planted("planted-read-from-the-future", ANY_REGISTER, false, false);
	run.nr--;
	r.seq = 0;
	note(r);
	planted("planted-read-zeroes", ANY_REGISTER, false, false);
}

static void plant_chain(void)
{
	struct verdict v = { 0 };

	simulate(0, true);
	load_run(run.nr * sizeof(*run.record));
	result("chain-whole", verify_chain(&v, RUN_DEVS, RUN_BLOCKS, 1, run.seen), "");
	history_free(&run.h);
	memcpy(run.disk[place_of(598)], run.before[place_of(598)], BLOCK);
	load_run(run.nr * sizeof(*run.record));
	result("chain-missing", !verify_chain(&v, RUN_DEVS, RUN_BLOCKS, 1, run.seen), "");
	history_free(&run.h);
	memcpy(run.disk[place_of(598)], run.before[place_of(598)], BLOCK);
	simulate(0, true);
	for (uint64_t s = 300; s <= RUN_WRITES; s++)
		if (s > RUN_WRITES - PLACES)
			memcpy(run.disk[place_of(s)], run.before[place_of(s)], BLOCK);
	load_run(run.nr * sizeof(*run.record));
	result("chain-earlier-state", verify_chain(&v, RUN_DEVS, RUN_BLOCKS, 1, run.seen), "");
	history_free(&run.h);
}

static const char *load_error(size_t bytes)
{
	struct history h = { 0 };
	FILE *f = fmemopen(run.record, bytes, "r");
	const char *error = history_load(&h, f, NEVER);

	fclose(f);
	history_free(&h);
	return error;
}

static void histories(void)
{
	size_t all;

	simulate(RUN_WRITES, false);
	all = run.nr * sizeof(*run.record);
	result("history-cut-short", !load_error(all - 20), "");
	run.record[17].block ^= 1;
	result("history-damaged", load_error(all), "");
	simulate(RUN_WRITES, false);
	memmove(&run.record[10], &run.record[12], all - 12 * sizeof(*run.record));
	result("history-with-a-gap", load_error(all - 2 * sizeof(*run.record)), "");
	result("history-empty", load_error(sizeof(*run.record) - 1), "");
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? strtoul(argv[1], NULL, 0) : 10000;

	rnd = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	result("crc32c", crc32c("123456789", 9) == 0xe3069283, "");
	compare_rule("brute-lost", RULE_LOST, n);
	compare_rule("brute-flushed", RULE_FLUSHED, n);
	compare_rule("brute-order", RULE_ORDER, n);
	compare_rule("brute-flush-order", RULE_FLUSH_ORDER, n);
	compare_rule("brute-torn", RULE_TORN, n);
	compare_rule("brute-torn-cache", RULE_TORN_CACHE, n);
	compare_register(2 * n);
	plant_all();
	plant_chain();
	histories();
	printf("%u passed, %u failed\n", passed, failed);
	return failed ? 1 : 0;
}

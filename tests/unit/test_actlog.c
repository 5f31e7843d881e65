// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The activity log, against a model: a disk that loses or tears the block that
 * is being written, a cache that holds writes until a flush that began after
 * them, peers that need some extents longer. After every step of a random
 * history the power goes, in each way that it can; what replay yields must
 * hold every extent that may differ. And now and then the disk is copied: if it is
 * put back later, a peer that got a write elsewhere knows.
 */
#include "cmocka_all.h"
#include "actlog.h"

#define NR_EXTENTS	4096
#define SLOTS_MAX	1700
#define RING		32
#define OPS		48

struct op {
	enum { FREE, WAITS, SUBMITTED } state;
	u32 first, last;
};

struct block {
	bool damaged;
	struct rblk_transaction tx;	/* serial 0: never written */
};

/* A copy of the disk. */
struct image {
	struct rblk_actlog_terms terms;
	bool active[NR_EXTENTS + 1];
	bool outside;		/* something else was written since */
};

struct model {
	struct rblk_actlog log;
	struct rblk_actlog_slot slot[SLOTS_MAX];
	u16 head[2048];
	struct block ring[RING];
	struct rblk_transaction tx;
	struct op op[OPS];
	u32 submitted[NR_EXTENTS];	/* operations on the way to the disk */
	u64 dirty_at[NR_EXTENTS];	/* the last of them ended; 0: flushed */
	bool needed[NR_EXTENTS];	/* by a peer */
	u64 now, flush_at, flush;	/* @flush: number of the one under way */
	u64 nr_tx, nr_flushes;
	struct rblk_actlog_terms terms;
	struct rblk_seen seen;		/* by a peer that gets every write */
	struct image image;
};

static u32 seed;
static u64 nr_set_back;

static u32 draw(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

static bool may_leave(void *arg, u32 extent)
{
	struct model *m = arg;

	return !m->needed[extent];
}

static bool may_differ(const struct model *m, u32 extent)
{
	return m->submitted[extent] || m->dirty_at[extent] || m->needed[extent];
}

/* Read the ring into a log of its own. Return: did it say everything? */
static bool replay(const struct block *ring, u32 nr_slots, struct rblk_actlog *log,
		   struct rblk_actlog_slot *slot, u16 *head)
{
	u64 serial[RING], first, last, n;
	bool good;
	u32 i;

	for (i = 0; i < RING; i++)
		serial[i] = ring[i].damaged ? RBLK_ACTLOG_DAMAGED :
					      ring[i].tx.serial;
	rblk_actlog_init(log, slot, head, nr_slots);
	good = rblk_actlog_run(serial, RING, &first, &last);
	for (n = first; last && n <= last; n++)
		assert_true(rblk_actlog_replay(log, &ring[n % RING].tx,
					       NR_EXTENTS));
	return rblk_actlog_replayed(log, first, last) && good;
}

static void check_ring(const struct model *m, const struct block *ring)
{
	static struct rblk_actlog_slot slot[SLOTS_MAX];
	static u16 head[2048];
	static bool active[NR_EXTENTS];
	struct rblk_actlog log;
	u32 extent, at = 0;

	assert_true(replay(ring, m->log.nr_slots, &log, slot, head));
	/* Nobody saw more than is there after a crash. */
	assert_true(m->seen.gen != m->terms.now.gen ||
		    m->seen.serial <= log.serial);
	memset(active, 0, sizeof(active));
	while ((extent = rblk_actlog_next(&log, &at)) != RBLK_ONDISK_NO_EXTENT)
		active[extent] = true;
	for (extent = 0; extent < NR_EXTENTS; extent++)
		if (may_differ(m, extent) && !active[extent])
			fail_msg("extent %u may differ and is not active",
				 extent);
}

/* The power goes now: the block under way is old, torn or new. */
static void check_crash(struct model *m)
{
	struct block *block = &m->ring[m->tx.serial % RING];
	struct block was = *block;

	check_ring(m, m->ring);
	if (!m->log.writing)
		return;
	block->damaged = true;
	check_ring(m, m->ring);
	*block = (struct block) { false, m->tx };
	check_ring(m, m->ring);
	*block = was;
}

static void take_image(struct model *m)
{
	static struct rblk_actlog_slot slot[SLOTS_MAX];
	static u16 head[2048];
	struct rblk_actlog log;
	u32 extent, at = 0;

	memset(&m->image, 0, sizeof(m->image));
	assert_true(replay(m->ring, m->log.nr_slots, &log, slot, head));
	/* A write that failed and is there comes again, with the same number. */
	if (log.serial > m->log.serial) {
		memset(m->image.active, true, sizeof(m->image.active));
		return;
	}
	m->image.terms = m->terms;
	m->image.terms.now.serial = log.serial;
	while ((extent = rblk_actlog_next(&log, &at)) != RBLK_ONDISK_NO_EXTENT)
		m->image.active[extent] = true;
}

/* The image is put back: is it noticed, also after one more term? */
static void check_image(struct model *m)
{
	struct rblk_actlog_terms terms = m->image.terms;
	u32 i;

	if (!m->image.outside)
		return;
	nr_set_back++;
	for (i = 0; i < 3; i++) {
		assert_true(rblk_actlog_is_set_back(&terms, &m->seen));
		rblk_actlog_next_term(&terms, m->terms.now.gen + 100 + i,
				      terms.now.serial + 5000 * i);
	}
}

static void submit(struct model *m, struct op *op)
{
	u32 e;

	op->state = SUBMITTED;
	for (e = op->first; e <= op->last; e++) {
		m->submitted[e]++;
		m->image.outside |= !m->image.active[e];
	}
	rblk_actlog_saw(&m->seen, m->terms.now.gen, m->log.serial);
	check_image(m);
}

static void end_op(struct model *m, struct op *op)
{
	u32 e;

	if (op->state == SUBMITTED) {
		for (e = op->first; e <= op->last; e++) {
			m->submitted[e]--;
			m->dirty_at[e] = m->now;
			m->needed[e] |= !draw(6);
		}
	}
	op->state = FREE;
	rblk_actlog_leave(&m->log, op->first, op->last);
}

static void begin_op(struct model *m, struct op *op, u32 extents)
{
	op->first = draw(4) ? draw(extents) : draw(3);
	op->last = op->first + !draw(5);
	switch (rblk_actlog_enter(&m->log, op->first, op->last)) {
	case RBLK_ACTLOG_GO:
		submit(m, op);
		break;
	case RBLK_ACTLOG_WAIT:
		op->state = WAITS;
		break;
	case RBLK_ACTLOG_FULL:
	case RBLK_ACTLOG_FAILED:
		break;
	}
}

static void ask_op(struct model *m, struct op *op)
{
	switch (rblk_actlog_ask(&m->log, op->first, op->last)) {
	case RBLK_ACTLOG_GO:
		submit(m, op);
		break;
	case RBLK_ACTLOG_FAILED:
		end_op(m, op);
		break;
	case RBLK_ACTLOG_WAIT:
	case RBLK_ACTLOG_FULL:
		break;
	}
}

static void step_op(struct model *m, u32 extents)
{
	struct op *op = &m->op[draw(OPS)];

	if (op->state == FREE)
		begin_op(m, op, extents);
	else if (op->state == WAITS)
		ask_op(m, op);
	else
		end_op(m, op);
}

static void step_tx(struct model *m, bool errors)
{
	struct block *block = &m->ring[m->tx.serial % RING];
	bool ok = !errors || draw(8);

	if (!m->log.writing) {
		m->log.failed = false;
		if (rblk_actlog_prepare(&m->log, &m->tx))
			m->nr_tx++;
		return;
	}
	if (ok || !draw(3))
		*block = (struct block) { false, m->tx };
	else if (!draw(2))
		block->damaged = true;
	rblk_actlog_written(&m->log, &m->tx, ok);
}

static void step_flush(struct model *m, bool errors)
{
	u32 e;

	if (!m->flush) {
		m->flush = rblk_actlog_flush_begin(&m->log);
		m->flush_at = m->now;
		m->nr_flushes++;
		return;
	}
	if (!errors || draw(8)) {
		for (e = 0; e < NR_EXTENTS; e++)
			if (m->dirty_at[e] && m->dirty_at[e] < m->flush_at)
				m->dirty_at[e] = 0;
		rblk_actlog_flushed(&m->log, m->flush);
	}
	m->flush = 0;
}

/* The power goes and comes back; what may differ may differ still. */
static void restart(struct model *m)
{
	u32 nr_slots = m->log.nr_slots, i, e;
	enum rblk_actlog_answer answer;
	struct block *block = &m->ring[m->tx.serial % RING];

	if (m->log.writing && draw(3)) {
		block->damaged = draw(2);
		block->tx = m->tx;
	}
	for (i = 0; i < OPS; i++) {
		if (m->op[i].state == SUBMITTED)
			for (e = m->op[i].first; e <= m->op[i].last; e++) {
				m->submitted[e]--;
				m->dirty_at[e] = m->now;
			}
		m->op[i].state = FREE;
	}
	m->flush = 0;
	assert_true(replay(m->ring, nr_slots, &m->log, m->slot, m->head));
	rblk_actlog_begin(&m->log);
	rblk_actlog_next_term(&m->terms, m->terms.now.gen + 16, m->log.serial);
	take_image(m);
	answer = rblk_actlog_enter(&m->log, 0, 0);
	assert_int_not_equal(answer, RBLK_ACTLOG_GO);
	if (answer == RBLK_ACTLOG_WAIT)
		rblk_actlog_leave(&m->log, 0, 0);
}

static struct model *new_model(u32 nr_slots)
{
	struct model *m = calloc(1, sizeof(*m));

	rblk_actlog_init(&m->log, m->slot, m->head, nr_slots);
	m->now = 1;
	rblk_actlog_next_term(&m->terms, 16, 0);
	return m;
}

/* All that waits and all that runs ends, and then every slot can be vacated. */
static void check_end(struct model *m)
{
	u32 i;

	memset(m->needed, 0, sizeof(m->needed));
	do {
		step_tx(m, false);
	} while (m->log.writing || m->log.pending != U16_MAX ||
		 m->log.to_restate);
	for (i = 0; i < OPS; i++) {
		if (m->op[i].state == WAITS)
			ask_op(m, &m->op[i]);
		assert_true(m->op[i].state != WAITS);
		if (m->op[i].state == SUBMITTED)
			end_op(m, &m->op[i]);
	}
	memset(m->needed, 0, sizeof(m->needed));
	m->flush = 0;
	m->now++;
	step_flush(m, false);
	step_flush(m, false);
	rblk_actlog_vacate(&m->log, may_leave, m, 2 * m->log.nr_slots);
	assert_int_equal(m->log.nr_vacant, m->log.nr_slots);
}

static void live(u32 nr_slots, u32 extents, u32 steps, bool errors)
{
	struct model *m = new_model(nr_slots);

	for (; m->now < steps; m->now++) {
		switch (draw(8)) {
		case 0:
		case 1:
			step_tx(m, errors);
			break;
		case 2:
			step_flush(m, errors);
			break;
		case 3:
			m->needed[draw(extents)] = false;
			rblk_actlog_vacate(&m->log, may_leave, m,
					   draw(nr_slots) + 1);
			break;
		default:
			step_op(m, extents);
		}
		check_crash(m);
		if (!draw(400))
			restart(m);
		if (!draw(100))
			take_image(m);
	}
	check_end(m);
	free(m);
}

static void test_crash_anywhere(void **state)
{
	u32 i;

	(void)state;
	for (i = 1; i <= 12; i++) {
		seed = i;
		live(1 + draw(6), 40, 2500, i & 1);
		live(60, 300, 2500, i & 1);
	}
	live(SLOTS_MAX, NR_EXTENTS - 1, 4000, false);
	live(800, NR_EXTENTS - 1, 4000, true);
	assert_true(nr_set_back > 1000);
}

/* One that is damaged elsewhere than where the next one belongs. */
static void test_damage(void **state)
{
	struct model *m = new_model(1700);
	static struct rblk_actlog_slot slot[SLOTS_MAX];
	static u16 head[2048];
	struct rblk_actlog log;
	u32 i;

	(void)state;
	for (i = 0; i < 200; i++)
		step_tx(m, false);
	assert_int_equal(m->log.serial, 3); /* all restated: no more to say */
	for (i = 0; i < 40; i++) {
		rblk_actlog_enter(&m->log, i, i);
		step_tx(m, false);
		step_tx(m, false);
	}
	assert_int_equal(m->log.serial, 43);
	for (i = 0; i < RING; i++) {
		m->ring[i].damaged = true;
		assert_true(replay(m->ring, 1700, &log, slot, head) ==
			    (i == 43 % RING || i == 44 % RING));
		m->ring[i].damaged = false;
	}
	/* the last of which nobody can tell whether somebody counted on it */
	m->ring[43 % RING].damaged = true;
	m->ring[42 % RING].damaged = true;
	assert_false(replay(m->ring, 1700, &log, slot, head));
	m->ring[43 % RING].damaged = false;
	m->ring[42 % RING].damaged = false;

	/* a gap: what came before it does not count, and too little came after */
	m->ring[42 % RING].tx.serial = 0;
	assert_false(replay(m->ring, 1700, &log, slot, head));
	free(m);
}

static void test_of_another_size(void **state)
{
	struct rblk_transaction tx = { .serial = 1, .nr_slots = 60,
				       .nr_updates = 1, .nr_context = 1 };
	struct model *m = new_model(60);

	(void)state;
	assert_true(rblk_actlog_replay(&m->log, &tx, 10));
	tx.update[0].extent = 10;
	assert_false(rblk_actlog_replay(&m->log, &tx, 10));
	tx.update[0].extent = 0;
	tx.context[0] = 10;
	assert_false(rblk_actlog_replay(&m->log, &tx, 10));
	tx.context[0] = RBLK_ONDISK_NO_EXTENT;
	assert_true(rblk_actlog_replay(&m->log, &tx, 10));
	tx.nr_slots = 61;
	assert_false(rblk_actlog_replay(&m->log, &tx, 10));
	free(m);
}

/*
 * Random writes, 32 at a time, over far more than it covers: transactions are
 * shared, and flushes are as rare as slots are many. Extents written all the
 * time stay.
 */
static void test_no_cliff(void **state)
{
	struct model *m = new_model(1024);
	u32 round, i, hot_waits = 0;

	(void)state;
	seed = 7;
	for (round = 0; round < 2000; round++) {
		m->now++;
		if (rblk_actlog_is_short(&m->log)) {
			step_flush(m, false);
			step_flush(m, false);
			rblk_actlog_vacate(&m->log, may_leave, m, 1024);
		}
		for (i = 0; i < 32; i++) {
			struct op *op = &m->op[i];

			op->first = i < 4 ? i : 4 + draw(NR_EXTENTS - 4);
			op->last = op->first;
			switch (rblk_actlog_enter(&m->log, op->first,
						  op->last)) {
			case RBLK_ACTLOG_GO:
				submit(m, op);
				break;
			case RBLK_ACTLOG_WAIT:
				op->state = WAITS;
				hot_waits += i < 4;
				break;
			case RBLK_ACTLOG_FULL:
			case RBLK_ACTLOG_FAILED:
				fail_msg("no room in round %u", round);
			}
		}
		while (m->log.pending != U16_MAX || m->log.writing ||
		       m->log.to_restate)
			step_tx(m, false);
		for (i = 0; i < 32; i++) {
			if (m->op[i].state == WAITS)
				ask_op(m, &m->op[i]);
			assert_int_equal(m->op[i].state, SUBMITTED);
			end_op(m, &m->op[i]);
		}
		memset(m->needed, 0, sizeof(m->needed));
	}
	assert_true(m->nr_tx <= 2000 + 2);
	assert_true(m->nr_flushes <= 2000 * 32 / (1024 / 8) + 1);
	assert_true(hot_waits <= 8);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash_anywhere),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_of_another_size),
		cmocka_unit_test(test_no_cliff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

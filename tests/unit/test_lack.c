// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a peer lacks: a model of a primary, its log and one backup whose cache
 * is volatile. Writes, acknowledgments, flushes, lost links and crashes come in
 * random order; the backup comes back again and again, is caught up from the
 * log or by its bitmap as rblk_plan_sync() says, and is interrupted in the
 * middle of it.
 *
 * At each return: no block differs that is neither known to be lacking nor
 * going to be sent. In the end: both hold the same.
 *
 * Broken rules can be switched on, to see that the checks would notice.
 */
#include "cmocka_all.h"
#include "lack.h"
#include "plan.h"
#include "prng.h"

#define BLOCKS	48
#define OPS	400
#define CAPACITY 16		/* entries; half of them for who is away */
#define SECTS	(1ULL << RBLK_BITMAP_SHIFT)

enum broken {
	NOTHING_BROKEN,
	CLEARS_WITHOUT_FLUSH,
	FORGETS_UNDURABLE,
	FORGETS_WHAT_IS_IN_THE_LOG,
	TRUSTS_ANY_POSITION,
	CALLS_DURABLE_WHAT_IS_APPLIED,
};

struct op {
	u32 first, count;	/* blocks */
	bool applied;		/* as the primary knows */
};

struct sim {
	u64 rnd;
	enum broken broken;
	/* the primary */
	struct op op[OPS + 1];
	u64 image[BLOCKS];	/* last write to each block */
	u64 first, last;	/* the log */
	u64 reported;		/* to the application */
	u64 keep;
	struct rblk_lack lack;
	bool streaming, resync;
	u64 next, acked;
	bool copied[BLOCKS];
	u64 end_seq;
	/* the backup */
	u64 cache[BLOCKS], disk[BLOCKS];
	u64 applied, durable;
	bool consistent;
	/* what was seen */
	u32 unexplained, differ, logs, bitmaps, fulls, partials, same;
};

static u32 refuse_one_in;
static u64 mem_rnd;

static void *alloc_page(void)
{
	if (refuse_one_in && prng_below(&mem_rnd, refuse_one_in) == 0)
		return NULL;
	return calloc(1, RBLK_BITMAP_PAGE_BYTES);
}

static const struct rblk_bitmap_mem mem = { alloc_page, free };

static struct rblk_bitmap *new_map(void)
{
	struct rblk_bitmap *map = calloc(1, sizeof(*map));

	rblk_bitmap_init(map, calloc(1, sizeof(void *)),
			 calloc(1, sizeof(long)), BLOCKS * SECTS,
			 RBLK_BITMAP_SHIFT, &mem);
	return map;
}

static void free_map(struct rblk_bitmap *map)
{
	rblk_bitmap_clear_all(map);
	free(map->page);
	free(map->changed);
	free(map);
}

static bool is_lacking(const struct sim *sim, u32 block)
{
	u64 nr_sects;

	return rblk_bitmap_next(sim->lack.lacks[0], block * SECTS, SECTS,
				&nr_sects) == block * SECTS;
}

static void remember(struct sim *sim, u64 seq)
{
	const struct op *op = &sim->op[seq];

	if (op->applied)
		rblk_lack_applied(&sim->lack, 0, op->first * SECTS,
				  op->count * SECTS, seq);
	else
		rblk_lack_missed(&sim->lack, 0, op->first * SECTS,
				 op->count * SECTS, seq);
}

static void trim(struct sim *sim)
{
	while (sim->first <= sim->reported) {
		if (sim->streaming && !sim->op[sim->first].applied)
			break;
		if (!sim->streaming && sim->keep && sim->keep <= sim->first) {
			if (sim->last + 1 - sim->first <= CAPACITY / 2)
				break;
			sim->keep = 0;
		}
		remember(sim, sim->first++);
	}
}

static void write_one(struct sim *sim)
{
	struct op *op = &sim->op[sim->last + 1];
	u32 i;

	if (sim->last == OPS || sim->last + 1 - sim->first >= CAPACITY)
		return;
	op->count = 1 + prng_below(&sim->rnd, 3);
	op->first = prng_below(&sim->rnd, BLOCKS - op->count);
	sim->last++;
	for (i = 0; i < op->count; i++)
		sim->image[op->first + i] = sim->last;
	trim(sim);
}

static void report(struct sim *sim)
{
	sim->reported += prng_below(&sim->rnd, sim->last + 1 - sim->reported);
	if (prng_below(&sim->rnd, 4) == 0)
		sim->reported = sim->last;
	trim(sim);
}

static void apply_one(struct sim *sim)
{
	const struct op *op = &sim->op[sim->next];
	u32 i;

	if (!sim->streaming || sim->next > sim->last)
		return;
	for (i = 0; i < op->count; i++)
		sim->cache[op->first + i] = sim->next;
	sim->applied = sim->next++;
}

static void flush(struct sim *sim)
{
	memcpy(sim->disk, sim->cache, sizeof(sim->disk));
	sim->durable = sim->applied;
}

static void ack(struct sim *sim)
{
	u64 durable = sim->durable;

	if (!sim->streaming)
		return;
	if (sim->broken == CALLS_DURABLE_WHAT_IS_APPLIED)
		durable = sim->applied;
	while (sim->acked < sim->applied)
		sim->op[++sim->acked].applied = true;
	rblk_lack_recorded(&sim->lack, durable);
	trim(sim);
	/* It costs nothing to lose the cache of who has flushed all of it. */
	if (sim->first - 1 <= durable)
		assert_int_equal(rblk_lack_undurable_sects(&sim->lack), 0);
}

static void copy_one(struct sim *sim)
{
	u32 block = prng_below(&sim->rnd, BLOCKS);

	if (!sim->resync || !is_lacking(sim, block) || sim->copied[block])
		return;
	sim->cache[block] = sim->image[block];
	sim->copied[block] = true;
}

static void confirm(struct sim *sim)
{
	u32 block;

	if (!sim->resync)
		return;
	if (sim->broken != CLEARS_WITHOUT_FLUSH)
		flush(sim);
	for (block = 0; block < BLOCKS; block++) {
		if (sim->copied[block])
			rblk_lack_confirmed(&sim->lack, 0, block * SECTS,
					    SECTS);
		sim->copied[block] = false;
	}
	if (rblk_lack_sects(&sim->lack))
		return;
	if (!sim->end_seq)
		sim->end_seq = sim->last;
	if (sim->acked < sim->end_seq)
		return;
	flush(sim);
	sim->consistent = true;
	sim->resync = false;
	rblk_lack_end(&sim->lack);
}

static void lose_link(struct sim *sim)
{
	if (!sim->streaming)
		return;
	sim->streaming = false;
	if (!sim->resync)
		sim->keep = sim->acked + 1;
	sim->resync = false;
	trim(sim);
}

/* Its machine dies: of what was in the cache, some of it is there. */
static void crash(struct sim *sim)
{
	u32 block;

	lose_link(sim);
	for (block = 0; block < BLOCKS; block++)
		if (prng_below(&sim->rnd, 2))
			sim->cache[block] = sim->disk[block];
	memcpy(sim->disk, sim->cache, sizeof(sim->disk));
	sim->applied = sim->durable;
}

static bool is_going_to_be_sent(const struct sim *sim, u32 block, u64 above)
{
	u64 seq;

	for (seq = above + 1; seq <= sim->last; seq++)
		if (block >= sim->op[seq].first &&
		    block < sim->op[seq].first + sim->op[seq].count)
			return true;
	return false;
}

static void check_explained(struct sim *sim, bool by_bitmap, u64 above)
{
	u32 block;

	for (block = 0; block < BLOCKS; block++) {
		if (sim->cache[block] == sim->image[block] ||
		    (by_bitmap && is_lacking(sim, block)) ||
		    is_going_to_be_sent(sim, block, above))
			continue;
		sim->unexplained++;
	}
}

static void stream(struct sim *sim, u64 seq)
{
	u64 i;

	for (i = sim->first; i <= sim->last; i++)
		sim->op[i].applied = i <= seq;
	sim->streaming = true;
	sim->keep = 0;
	sim->next = seq + 1;
	sim->acked = seq;
}

static void begin_resync(struct sim *sim, bool everything)
{
	u64 seq;

	if (!everything) {
		if (sim->broken == FORGETS_UNDURABLE) {
			rblk_bitmap_clear_all(sim->lack.undurable[0][0]);
			rblk_bitmap_clear_all(sim->lack.undurable[1][0]);
		}
		rblk_lack_returned(&sim->lack, sim->applied, false);
		for (seq = max(sim->first, sim->applied + 1);
		     seq <= sim->last &&
		     sim->broken != FORGETS_WHAT_IS_IN_THE_LOG; seq++)
			rblk_lack_missed(&sim->lack, 0,
					 sim->op[seq].first * SECTS,
					 sim->op[seq].count * SECTS, seq);
	}
	rblk_lack_begin(&sim->lack, sim->last, 1, everything);
	check_explained(sim, true, sim->last);
	sim->consistent = false;
	sim->applied = sim->last;
	sim->durable = sim->last;
	sim->resync = true;
	sim->end_seq = 0;
	memset(sim->copied, 0, sizeof(sim->copied));
	stream(sim, sim->last);
}

static void describe(struct rblk_self *self, enum rblk_role role, u64 seq,
		     bool consistent)
{
	memset(self, 0, sizeof(*self));
	self->role = role;
	self->data = consistent ? RBLK_DATA_CONSISTENT : RBLK_DATA_INCONSISTENT;
	self->promised = 1;
	self->lineage.nr_terms = 1;
	self->lineage.seq = seq;
	self->lineage.term[0] = (struct rblk_term) { 1, 1 };
}

static void come_back(struct sim *sim)
{
	struct rblk_memory memory = {
		.log_from = sim->first,
		.base = rblk_lack_base(&sim->lack),
		.partial_gen = sim->lack.partial_gen,
	};
	struct rblk_self mine, theirs;

	if (sim->streaming)
		return;
	if (sim->broken == TRUSTS_ANY_POSITION)
		memory.base = 0;
	sim->partials += !sim->consistent;
	describe(&mine, RBLK_ROLE_PRIMARY, sim->last, true);
	describe(&theirs, RBLK_ROLE_BACKUP, sim->applied, sim->consistent);
	switch (rblk_plan_sync(&mine, &theirs, &memory)) {
	case RBLK_SYNC_NONE:	/* it is level */
		sim->same++;
		assert_true(sim->applied == sim->last && sim->consistent);
		check_explained(sim, false, sim->last);
		rblk_lack_returned(&sim->lack, sim->applied, true);
		stream(sim, sim->applied);
		break;
	case RBLK_SYNC_LOG:
		sim->logs++;
		check_explained(sim, false, sim->applied);
		rblk_lack_returned(&sim->lack, sim->applied, true);
		stream(sim, sim->applied);
		break;
	case RBLK_SYNC_BITMAP:
		sim->bitmaps++;
		begin_resync(sim, false);
		break;
	case RBLK_SYNC_FULL:
		sim->fulls++;
		begin_resync(sim, true);
		break;
	}
}

static void one_event(struct sim *sim)
{
	switch (prng_below(&sim->rnd, 64)) {
	case 0:
		lose_link(sim);
		break;
	case 1:
		crash(sim);
		break;
	case 2:
	case 3:
		come_back(sim);
		break;
	case 4:
		flush(sim);
		break;
	case 5:
		confirm(sim);
		break;
	case 6 ... 25:
		apply_one(sim);
		report(sim);
		break;
	case 26 ... 35:
		ack(sim);
		break;
	case 36 ... 50:
		copy_one(sim);
		break;
	default:
		write_one(sim);
		break;
	}
}

static bool is_at_rest(const struct sim *sim)
{
	return sim->last == OPS && sim->streaming && !sim->resync &&
	       sim->acked == OPS;
}

static void run_one(struct sim *sim, u64 seed, enum broken broken)
{
	u32 block, steps = 0;

	memset(sim, 0, sizeof(*sim));
	sim->rnd = seed;
	mem_rnd = seed;
	sim->broken = broken;
	sim->first = 1;
	sim->next = 1;
	sim->streaming = true;
	sim->consistent = true;
	rblk_lack_init(&sim->lack);
	rblk_lack_forget(&sim->lack, 0);
	sim->lack.lacks[0] = new_map();
	sim->lack.undurable[0][0] = new_map();
	sim->lack.undurable[1][0] = new_map();
	while (!is_at_rest(sim) && steps++ < 100000)
		one_event(sim);
	if (!is_at_rest(sim))
		fail_msg("seed %llu: stuck", seed);
	for (block = 0; block < BLOCKS; block++)
		sim->differ += sim->cache[block] != sim->image[block];
	free_map(sim->lack.lacks[0]);
	free_map(sim->lack.undurable[0][0]);
	free_map(sim->lack.undurable[1][0]);
}

static void run(struct sim *sum, u64 seeds, enum broken broken)
{
	struct sim *sim = malloc(sizeof(*sim));
	u64 seed;

	memset(sum, 0, sizeof(*sum));
	for (seed = 1; seed <= seeds; seed++) {
		run_one(sim, seed, broken);
		sum->unexplained += sim->unexplained;
		sum->differ += sim->differ;
		sum->logs += sim->logs;
		sum->bitmaps += sim->bitmaps;
		sum->fulls += sim->fulls;
		sum->partials += sim->partials;
		sum->same += sim->same;
	}
	free(sim);
}

static void check_rules_hold(void)
{
	struct sim *sum = malloc(sizeof(*sum));

	run(sum, 400, NOTHING_BROKEN);
	assert_int_equal(sum->unexplained, 0);
	assert_int_equal(sum->differ, 0);
	/* it never lost what it called durable: there is always a base */
	assert_int_equal(sum->fulls, 0);
	/* and were put to the test */
	assert_true(sum->logs > 200);
	assert_true(sum->bitmaps > 200);
	assert_true(sum->partials > 200);
	assert_true(sum->same > 20);
	free(sum);
}

static void test_rules_hold(void **state)
{
	(void)state;
	refuse_one_in = 0;
	check_rules_hold();
}

static void test_without_memory_too(void **state)
{
	(void)state;
	refuse_one_in = 2;
	check_rules_hold();
	refuse_one_in = 0;
}

static void assert_noticed(enum broken broken)
{
	struct sim *sum = malloc(sizeof(*sum));

	run(sum, 200, broken);
	if (!sum->unexplained)
		fail_msg("broken rule %d is not noticed", broken);
	if (!sum->differ)
		fail_msg("broken rule %d does no harm", broken);
	free(sum);
}

static void test_broken_rules_are_noticed(void **state)
{
	(void)state;
	assert_noticed(CLEARS_WITHOUT_FLUSH);
	assert_noticed(FORGETS_UNDURABLE);
	assert_noticed(FORGETS_WHAT_IS_IN_THE_LOG);
	assert_noticed(CALLS_DURABLE_WHAT_IS_APPLIED);
}

/* A backup that comes back without what it had called durable. */
static void roll_back(struct sim *sim)
{
	memset(sim->cache, 0, sizeof(sim->cache));
	memset(sim->disk, 0, sizeof(sim->disk));
	sim->applied = 0;
	sim->durable = 0;
	sim->consistent = true;
}

static void test_another_disk_needs_everything(void **state)
{
	struct sim *sim = malloc(sizeof(*sim));
	u64 seed;
	int i;

	(void)state;
	for (seed = 1; seed <= 50; seed++) {
		for (i = 0; i < 2; i++) {
			run_one(sim, seed, i ? TRUSTS_ANY_POSITION :
					       NOTHING_BROKEN);
			sim->lack.lacks[0] = new_map();
			sim->lack.undurable[0][0] = new_map();
			sim->lack.undurable[1][0] = new_map();
			lose_link(sim);
			roll_back(sim);
			sim->unexplained = 0;
			sim->fulls = 0;
			come_back(sim);
			assert_int_equal(sim->fulls, !i);
			assert_int_equal(sim->unexplained > 0, i);
			free_map(sim->lack.lacks[0]);
			free_map(sim->lack.undurable[0][0]);
			free_map(sim->lack.undurable[1][0]);
		}
	}
	free(sim);
}

/* What disks remembered: coarse, complete from a position on. */
static void test_restored(void **state)
{
	struct rblk_lack lack = { .lacks = { new_map() } };
	int i;

	(void)state;
	lack.undurable[0][0] = new_map();
	lack.undurable[1][0] = new_map();
	rblk_lack_init(&lack);
	rblk_lack_forget(&lack, 10);
	assert_false(rblk_lack_touches(&lack, 0, 0, BLOCKS * SECTS));
	/* whichever of the sets it is in, it is there */
	for (i = 0; i < 3; i++) {
		if (i)
			rblk_lack_applied(&lack, 0, 3 * SECTS, SECTS, 10 + i);
		else
			rblk_lack_missed(&lack, 0, 3 * SECTS, SECTS, 11);
		assert_true(rblk_lack_touches(&lack, 0, 0, 4 * SECTS));
		assert_false(rblk_lack_touches(&lack, 0, 0, 3 * SECTS));
		assert_false(rblk_lack_touches(&lack, 0, 4 * SECTS, SECTS));
		assert_false(rblk_lack_touches(&lack, 1, 0, 4 * SECTS));
		lack.young = !lack.young;
		rblk_lack_restore(&lack, 20 + i);
		assert_false(rblk_lack_touches(&lack, 0, 0, BLOCKS * SECTS));
		assert_true(lack.coarse && rblk_lack_base(&lack) == 20U + i);
	}
	/* at an equal position it has them, and may lose them again */
	rblk_lack_missed(&lack, 0, 5 * SECTS, SECTS, 30);
	rblk_lack_returned(&lack, 30, true);
	assert_int_equal(rblk_lack_sects(&lack), 0);
	assert_true(rblk_lack_touches(&lack, 0, 5 * SECTS, SECTS));
	/* below it lacks them, until the end of a resync */
	rblk_lack_restore(&lack, 20);
	rblk_lack_missed(&lack, 0, 5 * SECTS, SECTS, 30);
	rblk_lack_returned(&lack, 29, true);
	assert_int_equal(rblk_lack_sects(&lack), SECTS);
	rblk_lack_begin(&lack, 30, 1, false);
	assert_true(lack.coarse);
	assert_true(rblk_lack_confirmed(&lack, 0, 5 * SECTS, SECTS));
	rblk_lack_end(&lack);
	assert_false(lack.coarse);
	rblk_lack_forget(&lack, 0);
	free_map(lack.lacks[0]);
	free_map(lack.undurable[0][0]);
	free_map(lack.undurable[1][0]);
}

/* Who crashed may still have it: compared. Who was away never had it: sent. */
static void test_what_was_there_is_compared(void **state)
{
	struct rblk_lack lack = { .lacks = { new_map() } };

	(void)state;
	lack.undurable[0][0] = new_map();
	lack.undurable[1][0] = new_map();
	rblk_lack_init(&lack);
	rblk_lack_forget(&lack, 10);
	rblk_lack_applied(&lack, 0, 3 * SECTS, 8, 11);
	assert_int_equal(rblk_lack_undurable_sects(&lack), SECTS);
	rblk_lack_missed(&lack, 0, 5 * SECTS, SECTS, 12);
	rblk_lack_returned(&lack, 11, true);
	assert_false(lack.coarse);
	assert_int_equal(rblk_lack_sects(&lack), SECTS);
	rblk_lack_returned(&lack, 10, true);
	assert_true(lack.coarse);
	assert_int_equal(rblk_lack_sects(&lack), 2 * SECTS);
	assert_int_equal(rblk_lack_undurable_sects(&lack), 0);
	rblk_lack_begin(&lack, 12, 1, false);
	assert_true(lack.coarse);
	rblk_lack_end(&lack);
	assert_false(lack.coarse);
	/* what it has and may lose is compared if that is most of it */
	rblk_lack_forget(&lack, 12);
	rblk_lack_applied(&lack, 0, 3 * SECTS, 2 * SECTS, 13);
	rblk_lack_missed(&lack, 0, 7 * SECTS, SECTS, 14);
	rblk_lack_begin(&lack, 14, 1, false);
	assert_true(lack.coarse);
	assert_int_equal(rblk_lack_sects(&lack), 3 * SECTS);
	rblk_lack_forget(&lack, 14);
	rblk_lack_applied(&lack, 0, 3 * SECTS, SECTS, 15);
	rblk_lack_missed(&lack, 0, 7 * SECTS, SECTS, 16);
	rblk_lack_begin(&lack, 16, 1, false);
	assert_false(lack.coarse);
	assert_int_equal(rblk_lack_sects(&lack), 2 * SECTS);
	/* a copy of everything, also the rest of it after an interruption */
	rblk_lack_begin(&lack, 20, 1, true);
	rblk_lack_returned(&lack, 20, false);
	rblk_lack_begin(&lack, 20, 1, false);
	assert_true(lack.coarse && lack.partial_gen == 1);
	assert_int_equal(rblk_lack_sects(&lack), BLOCKS * SECTS);
	rblk_lack_forget(&lack, 0);
	free_map(lack.lacks[0]);
	free_map(lack.undurable[0][0]);
	free_map(lack.undurable[1][0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_hold),
		cmocka_unit_test(test_without_memory_too),
		cmocka_unit_test(test_broken_rules_are_noticed),
		cmocka_unit_test(test_another_disk_needs_everything),
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_what_was_there_is_compared),
	};

	return cmocka_run_group_tests_name("lack", tests, NULL, NULL);
}

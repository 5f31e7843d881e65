// SPDX-License-Identifier: GPL-2.0-or-later
/* history.c - what nodes do, and what must never come of it: see history.h. */
#include "history.h"

enum broken broken;
const char *wrong;
u32 seen_plan[4], seen_sync[4], seen_lost_in_cache, seen_outbid;

static void expand(const struct past *past, struct rblk_lineage *lineage)
{
	memset(lineage, 0, sizeof(*lineage));
	lineage->nr_terms = past->nr_terms;
	lineage->seq = past->seq;
	memcpy(lineage->term, past->term, sizeof(past->term));
}

static void shorten(const struct rblk_lineage *lineage, struct past *past)
{
	assert_true(lineage->nr_terms <= TERMS_MAX);
	memset(past, 0, sizeof(*past));
	past->nr_terms = lineage->nr_terms;
	past->seq = lineage->seq;
	memcpy(past->term, lineage->term,
	       lineage->nr_terms * sizeof(past->term[0]));
}

static void describe(const struct node *node, struct rblk_self *self)
{
	memset(self, 0, sizeof(*self));
	self->role = node->primary ? RBLK_ROLE_PRIMARY : RBLK_ROLE_BACKUP;
	self->data = node->data;
	self->promised = node->promised;
	expand(&node->past, &self->lineage);
	rblk_lineage_truncate(&self->lineage);
	if (broken == COMPARES_POSITIONS_ONLY && self->lineage.nr_terms) {
		self->lineage.nr_terms = 1;
		self->lineage.term[0].gen = 1;
		self->lineage.term[0].first_seq = 1;
	}
	if (broken == TAKES_UNCLEAN_FOR_EXACT &&
	    self->data == RBLK_DATA_UNCLEAN)
		self->data = RBLK_DATA_CONSISTENT;
}

/* The last write to each block: operation n writes block n % 2. */
static bool same_content(const struct node *a, const struct node *b, u8 block)
{
	u8 mine = a->held & (block ? 0xaa : 0x55);
	u8 theirs = b->held & (block ? 0xaa : 0x55);

	/* Both have a highest bit, and it is the same. */
	return mine == theirs || ((mine ^ theirs) < (mine & theirs));
}

static bool same_data(const struct node *a, const struct node *b)
{
	return !a->copier && !b->copier && same_content(a, b, 0) &&
	       same_content(a, b, 1);
}

/* A change of the record: after a flush of what was written before. */
static void save(struct node *node)
{
	struct disk *disk = &node->disk;
	u64 seq = disk->past.seq;

	disk->held = node->held;
	disk->copier = node->copier;
	disk->promised = node->promised;
	disk->data = node->data == RBLK_DATA_UNCLEAN ? RBLK_DATA_CONSISTENT :
						       node->data;
	disk->clean = node->clean && node->data == RBLK_DATA_CONSISTENT;
	disk->led = node->led;
	disk->past = node->past;
	/* As primary the position at which it began: it is a lower bound. */
	if (node->primary)
		disk->past.seq = seq;
}

static void cut_links(struct world *w, int a)
{
	for (int b = 0; b < NODES; b++)
		w->link[a][b] = w->link[b][a] = 0;
}

/* Acknowledged, there and not here. */
static bool is_precious(const struct world *w, int p, int q)
{
	return w->node[q].data != RBLK_DATA_INCONSISTENT &&
	       w->acked & w->node[q].held & ~w->node[p].held;
}

/* Who was primary is it again, without what its cache lost: see above. */
static void give_up_unflushed(struct world *w, int a)
{
	u8 lost = w->acked & ~w->node[a].held;

	for (int i = 0; i < w->nr_ops; i++) {
		if (lost >> i & 1 && w->author[i] == a) {
			w->acked &= ~(1 << i);
			seen_lost_in_cache++;
		}
	}
}

/* What was sent again covers what an unclean end may have left. */
static void note_whole(struct node *node)
{
	if (node->data == RBLK_DATA_UNCLEAN && node->past.seq >= node->whole_at)
		node->data = RBLK_DATA_CONSISTENT;
}

static void follow(struct world *w, int p, int q, u64 seq)
{
	struct node *node = &w->node[q];

	node->followed = true;
	node->clean = false;
	node->led = false;
	node->past = w->node[p].past;
	node->whole_at = node->past.seq;
	if (broken == CATCHING_UP_IS_WHOLE)
		node->whole_at = 0;
	node->past.seq = seq;
	note_whole(node);
	if (broken != FOLLOWS_BEFORE_THE_DISK_SAYS_SO)
		save(node);
	w->link[p][q] = 2;
}

/* Operations of the primary's own term come from its log. */
static void catch_up(struct world *w, int p, int q)
{
	struct node *lead = &w->node[p], *node = &w->node[q];

	for (int i = 0; i < w->nr_ops; i++)
		if (lead->held >> i & 1 && w->author[i] == p &&
		    w->seq[i] > node->past.seq && w->seq[i] >= lead->log_from)
			node->held |= 1 << i;
	follow(w, p, q, node->past.seq);
	node->past.seq = lead->past.seq;
	note_whole(node);
	if (!same_data(lead, node))
		wrong = "a peer that caught up from the log is not level";
}

/* What the primary knows to be missing covers what differs. */
static bool is_covered(const struct world *w, int p, int q, u64 from)
{
	const struct node *lead = &w->node[p];

	for (int block = 0; block < 2; block++) {
		bool known = false;

		if (same_content(lead, &w->node[q], block))
			continue;
		for (int i = block; i < w->nr_ops; i += 2)
			known |= lead->held >> i & 1 && w->author[i] == p &&
				 w->seq[i] > from;
		if (!known)
			return false;
	}
	return true;
}

static void copy(struct world *w, int p, int q, bool full, enum cut cut)
{
	struct node *lead = &w->node[p], *node = &w->node[q];
	struct memory *memory = &lead->memory[q];
	u8 partial = memory->partial;

	if (!full && node->copier && node->copier != partial)
		wrong = "another's unfinished copy is taken for its own";
	if (!full && !node->copier &&
	    !is_covered(w, p, q, max(memory->base, memory->recorded)))
		wrong = "what differs is not all known";
	if (full)
		memory->recorded = memory->serial = 0;
	if (full && broken != RESUMES_WHAT_IT_GAVE_UP)
		memory->partial_gen = 0;

	node->data = RBLK_DATA_INCONSISTENT;
	node->followed = true;
	node->clean = false;
	node->led = false;
	node->past = lead->past;
	if (cut != CUT_UNHEARD) {
		if (full || !partial)
			partial = ++w->copies;
		memory->base = lead->past.seq;
		memory->partial = partial;
		memory->partial_gen = lead->past.term[lead->past.nr_terms - 1].gen;
		memory->serial = ++node->disk.serial;
		node->copier = partial;
	}
	if (broken != COPIES_BEFORE_THE_DISK_SAYS_SO)
		save(node);
	else
		node->disk.copier = node->copier;
	if (cut)
		return;
	node->held = lead->held;
	node->copier = 0;
	node->data = RBLK_DATA_CONSISTENT;
	save(node);
	memory->partial_gen = 0;
	w->link[p][q] = 2;
}

static void bring_level(struct world *w, int p, int q, enum cut cut)
{
	struct rblk_self mine, peer;
	struct node *lead = &w->node[p];
	struct rblk_memory memory = {
		.log_from = lead->log_from,
		.base = max(lead->memory[q].base, lead->memory[q].recorded),
		.partial_gen = lead->memory[q].partial_gen,
	};
	enum rblk_sync sync;

	describe(lead, &mine);
	describe(&w->node[q], &peer);
	if (broken == RESUMES_ANY_COPY && memory.partial_gen)
		memory.partial_gen = rblk_lineage_last_gen(&peer.lineage);
	sync = rblk_plan_sync(&mine, &peer, &memory);
	seen_sync[sync]++;
	if (sync != RBLK_SYNC_NONE && is_precious(w, p, q))
		wrong = "an acknowledged write is overwritten";
	switch (sync) {
	case RBLK_SYNC_NONE:
		break;
	case RBLK_SYNC_LOG:
		if (!cut)
			catch_up(w, p, q);
		else
			follow(w, p, q, w->node[q].past.seq);
		w->link[p][q] = cut ? 0 : 2;
		break;
	case RBLK_SYNC_BITMAP:
	case RBLK_SYNC_FULL:
		copy(w, p, q, sync == RBLK_SYNC_FULL, cut);
		break;
	}
}

/* Where a copy was interrupted, the disk says how far it had come. */
static void note_set_back(struct world *w, int p, int q)
{
	struct memory *memory = &w->node[p].memory[q];

	if (w->node[q].data != RBLK_DATA_INCONSISTENT ||
	    w->node[q].disk.serial >= memory->serial ||
	    broken == BELIEVES_A_DISK_THAT_WAS_SET_BACK)
		return;
	memset(memory, 0, sizeof(*memory));
	memory->base = w->node[p].past.seq;
}

/* Its disk says so, and whoever leads in a lower generation is left. */
static void promise(struct world *w, int a, u8 gen)
{
	struct node *node = &w->node[a];

	if (node->promised >= gen)
		return;
	node->promised = gen;
	w->stored[a] = max(w->stored[a], gen);
	save(node);
	for (int p = 0; p < NODES; p++)
		if (w->node[p].primary && w->node[p].promised < gen)
			w->link[p][a] = w->link[a][p] = 0;
}

/* A promotion of @q came to nothing: the primary goes on above it. */
static bool outbid(struct world *w, int p, int q)
{
	struct node *lead = &w->node[p];
	struct rblk_self peer;

	describe(&w->node[q], &peer);
	if (!lead->primary || lead->promised >= peer.promised ||
	    rblk_plan_binds(&peer, q))
		return false;
	seen_outbid++;
	promise(w, p, rblk_lineage_next_gen(peer.promised, p));
	return true;
}

static bool meet(struct world *w, int a, int b, enum cut cut)
{
	struct rblk_self mine, peer;
	struct rblk_plan plan, theirs;
	u8 gen;

	if (!w->node[a].up || !w->node[b].up || w->link[a][b] || w->link[b][a])
		return false;
	note_set_back(w, a, b);
	note_set_back(w, b, a);
	describe(&w->node[a], &mine);
	describe(&w->node[b], &peer);
	rblk_plan_handshake(&mine, &peer, &plan);
	rblk_plan_handshake(&peer, &mine, &theirs);
	seen_plan[plan.action]++;
	if ((plan.repl == RBLK_REPL_UPTODATE ||
	     theirs.repl == RBLK_REPL_UPTODATE) &&
	    !same_data(&w->node[a], &w->node[b]))
		wrong = "data that differs is called up to date";
	if (plan.action == RBLK_PLAN_REFUSE)
		return outbid(w, a, b) || outbid(w, b, a);
	w->link[a][b] = 1;
	gen = rblk_plan_binds(&mine, a) ? mine.promised : 0;
	if (rblk_plan_binds(&peer, b))
		promise(w, a, peer.promised);
	promise(w, b, gen);
	if (plan.action == RBLK_PLAN_IDLE) {
		if (w->node[a].primary)
			bring_level(w, a, b, cut);
		else if (w->node[b].primary)
			bring_level(w, b, a, cut);
		if (w->link[b][a])
			w->link[a][b] = 0;
		return true;
	}
	if (cut)
		return false;
	if (plan.action == RBLK_PLAN_FOLLOW) {
		int c = a;

		w->link[a][b] = 0;
		a = b;
		b = c;
	}
	if (is_precious(w, a, b))
		wrong = "a node with an acknowledged write follows who lacks it";
	w->node[a].memory[b].partial_gen = 0;
	follow(w, a, b, w->node[b].past.seq);
	return true;
}

/* The first in @mask get it; the links of the others are lost. */
static bool write_op(struct world *w, int p, u8 mask)
{
	struct node *lead = &w->node[p];
	u8 op = 1 << w->nr_ops;

	if (!lead->up || !lead->primary || w->nr_ops == OPS_MAX)
		return false;
	for (int q = 0; q < NODES; q++)
		if (mask >> q & 1 && w->link[p][q] != 2)
			return false;
	w->author[w->nr_ops] = p;
	w->seq[w->nr_ops++] = ++lead->past.seq;
	lead->held |= op;
	for (int q = 0; q < NODES; q++) {
		if (w->link[p][q] != 2)
			continue;
		if (mask >> q & 1) {
			w->node[q].held |= op;
			w->node[q].past.seq = lead->past.seq;
		} else {
			w->link[p][q] = 0;
		}
	}
	return true;
}

/* Those in @mask say that they did; the links of the others are lost. */
static bool flush(struct world *w, int p, u8 mask, bool recorded)
{
	struct node *lead = &w->node[p];

	if (!lead->up || !lead->primary)
		return false;
	for (int q = 0; q < NODES; q++)
		if (mask >> q & 1 && w->link[p][q] != 2)
			return false;
	for (int q = 0; q < NODES; q++) {
		struct node *node = &w->node[q];

		if (w->link[p][q] != 2)
			continue;
		node->disk.held = node->held;
		if (recorded)
			node->disk.past.seq = node->past.seq;
		if (!(mask >> q & 1))
			w->link[p][q] = 0;
		else if (recorded)
			lead->memory[q].recorded = node->past.seq;
	}
	lead->disk.held = lead->held;
	return true;
}

/* Of what was not flushed, @survivors is there afterwards. */
static bool crash(struct world *w, int a, u8 survivors)
{
	struct node *node = &w->node[a];
	u8 loose = node->held & ~node->disk.held;

	if (!node->up || survivors & ~loose || w->crashes == CRASHES_MAX)
		return false;
	w->crashes++;
	node->disk.held |= survivors;
	cut_links(w, a);
	node->up = false;
	return true;
}

static bool boot(struct node *node)
{
	struct disk *disk = &node->disk;
	struct rblk_record record = {
		.serial = 1, .promised = disk->promised, .data = disk->data,
		.clean = disk->clean, .led = disk->led,
	}, sum;
	const struct rblk_record *volume = &record;

	if (node->up)
		return false;
	expand(&disk->past, &record.lineage);
	rblk_record_merge(&volume, 1, &sum);
	memset(node, 0, offsetof(struct node, disk));
	node->up = true;
	node->data = rblk_record_data(&sum);
	node->promised = sum.promised;
	node->clean = sum.clean;
	node->led = sum.led;
	shorten(&sum.lineage, &node->past);
	for (int i = 0; i < NODES; i++)
		node->memory[i].base = U64_MAX;
	node->held = disk->held;
	node->copier = disk->copier;
	return true;
}

static bool promote(struct world *w, int a)
{
	struct node *node = &w->node[a];
	u8 data = node->data;
	bool led = node->led;
	struct rblk_lineage lineage;
	u64 gen;

	if (!node->up || node->primary || w->promotions == TERMS_MAX ||
	    (data != RBLK_DATA_CONSISTENT && data != RBLK_DATA_UNCLEAN))
		return false;
	expand(&node->past, &lineage);
	rblk_lineage_truncate(&lineage);
	if (broken == PROMOTES_UNCLEAN_AS_EXACT)
		data = RBLK_DATA_CONSISTENT;
	if (broken == PROMOTES_FOLLOWER_AS_LEADER)
		led = true;
	gen = rblk_lineage_next_gen(max(node->promised, w->stored[a]), a);
	if (broken == USES_A_GENERATION_TWICE)
		gen = node->promised + 1;
	if (rblk_record_promote(&lineage, data, led, gen))
		return false;
	cut_links(w, a);
	if (node->data == RBLK_DATA_UNCLEAN && node->led)
		give_up_unflushed(w, a);
	w->promotions++;
	w->stored[a] = gen;
	node->promised = gen;
	node->data = RBLK_DATA_CONSISTENT;
	node->clean = false;
	node->led = true;
	shorten(&lineage, &node->past);
	if (broken != PROMOTES_BEFORE_THE_DISK_SAYS_SO)
		save(node);
	node->primary = true;
	node->log_from = lineage.seq + 1;
	for (int i = 0; i < NODES; i++) {
		struct memory *memory = &node->memory[i];

		if (broken == TRUSTS_OLD_MEMORY && memory->base != U64_MAX)
			continue;
		if (node->followed || memory->base == U64_MAX)
			*memory = (struct memory) { .base = lineage.seq };
	}
	node->followed = false;
	return true;
}

static bool end_clean(struct world *w, int a, bool primary)
{
	struct node *node = &w->node[a];

	if (!node->up || node->primary != primary)
		return false;
	cut_links(w, a);
	node->primary = false;
	if (node->data == RBLK_DATA_CONSISTENT) {
		node->clean = true;
		save(node);
	}
	node->up = primary;
	return true;
}

/* What only the other had is given up, and that was said. */
static bool admins_copy(struct world *w, int p, int q)
{
	if (w->link[p][q] != 1 && w->link[q][p] != 1)
		return false;
	if (!w->node[p].primary)
		return false;
	w->acked &= ~(w->node[q].held & ~w->node[p].held);
	w->link[q][p] = 0;
	copy(w, p, q, true, NOT_CUT);
	return true;
}

static bool change_disk(struct world *w, const struct step *step)
{
	struct node *node = &w->node[step->a];

	if (node->up)
		return false;
	if (step->kind == LOSE) {
		memset(&node->disk, 0, sizeof(node->disk));
	} else if (step->kind == SAVE_IMAGE) {
		if (w->image_of)
			return false;
		w->image = node->disk;
		w->image_of = step->a + 1;
	} else {
		if (w->image_of != step->a + 1)
			return false;
		node->disk = w->image;
	}
	return true;
}

bool take_step(struct world *w, const struct step *step)
{
	int a = step->a;

	switch ((enum kind)step->kind) {
	case CONNECT:
		return meet(w, a, step->b, step->mask);
	case DISCONNECT:
		if (!w->link[a][step->b])
			return false;
		w->link[a][step->b] = 0;
		return true;
	case WRITE:
		if (!write_op(w, a, step->mask))
			return false;
		w->acked |= 1 << (w->nr_ops - 1);
		return true;
	case WRITE_CRASH: /* the bit of its own: its disk has it */
		return write_op(w, a, step->mask & ~(1 << a)) &&
		       crash(w, a, step->mask >> a & 1 ?
			     1 << (w->nr_ops - 1) : 0);
	case FLUSH:
		return flush(w, a, step->mask, true);
	case FLUSH_UNRECORDED:
		return flush(w, a, step->mask, false);
	case CRASH:
		return crash(w, a, step->mask);
	case BOOT:
		return boot(&w->node[a]);
	case PROMOTE:
		return promote(w, a);
	case DEMOTE:
		return end_clean(w, a, true);
	case DOWN:
		return end_clean(w, a, false);
	case LOSE:
	case SAVE_IMAGE:
	case SET_BACK:
		return change_disk(w, step);
	case COPY:
		return admins_copy(w, a, step->b);
	case NR_KINDS:
		break;
	}
	return false;
}

void begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	for (int i = 0; i < NODES; i++) {
		struct node *node = &w->node[i];

		node->up = true;
		node->data = RBLK_DATA_CONSISTENT;
		node->promised = FIRST_GEN;
		w->stored[i] = FIRST_GEN;
		node->past.nr_terms = 1;
		node->past.term[0] = (struct rblk_term) { FIRST_GEN, 1 };
		node->led = !i;
		node->followed = i;
		node->log_from = 1;
		for (int j = 0; j < NODES; j++)
			node->memory[j].base = i ? U64_MAX : 0;
		save(node);
	}
	w->node[0].primary = true;
	w->promotions = 1;
	w->link[0][1] = 2;
	w->link[0][2] = 2;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * tell.c - who has what a new primary lacks tells where its data may differ.
 */
#include <linux/slab.h>

#include "active.h"
#include "tell.h"
#include "../resource.h"
#include "../volume.h"

#define FRAMES_MAX	(RBLK_OUTQ_MAX / 2)

/* A frame about to be sent, and what goes into it. */
struct telling {
	struct rblk_peer *peer;
	u64 base;
	u64 logged;
	u32 nr_spans;
	struct rblk_span span[RBLK_WIRE_SPANS_MAX];
};

enum source {
	SOURCE_NONE,
	SOURCE_ACTIVE,	/* its activity log: it led, and may not know what it wrote */
	SOURCE_RECENT,	/* what it got last: it followed, and got more than the peer */
};

/*
 * Does this node have something to tell the peer? What is a prefix of the peer's data
 * is brought level from the peer's own memory.
 */
static enum source source_locked(const struct rblk_peer *peer, u64 *base)
{
	struct rblk_resource *res = peer->res;
	bool diverged = peer->repl == RBLK_REPL_DIVERGED;

	lockdep_assert_held(&res->log.lock);
	if (!peer->takes_active || peer->following || res->log.gate.primary ||
	    peer->theirs.role != RBLK_ROLE_PRIMARY)
		return SOURCE_NONE;
	if (diverged || peer->mine.data == RBLK_DATA_UNCLEAN) {
		*base = rblk_active_base(res, peer->node_id);
		if (*base != U64_MAX)
			return SOURCE_ACTIVE;
	}
	*base = peer->fork.seq;
	return diverged && peer->fork.known &&
	       rblk_applier_remembers(&res->applier, peer->fork.seq,
				      peer->mine.lineage.seq) ?
	       SOURCE_RECENT : SOURCE_NONE;
}

static u32 nr_frames(const struct rblk_resource *res)
{
	u32 i, nr = 0;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i] && res->volume[i]->active)
			nr += rblk_active_nr(res->volume[i]) /
			      RBLK_WIRE_SPANS_MAX + 1;
	return nr;
}

/* Return: 0 or -ENOMEM. */
static int put_frame(struct telling *t, u8 volume, bool last)
{
	struct rblk_frame head = {
		.type = RBLK_MSG_ACTIVE,
		.flags = last ? RBLK_FRAME_LAST : 0,
		.seq = t->base,
		.volume = volume,
		.logged = t->logged,
		.length = t->nr_spans * RBLK_WIRE_SPAN_BYTES,
	};
	struct rblk_outq_frame *frame = rblk_outq_alloc(head.length, GFP_NOIO);

	if (!frame)
		return -ENOMEM;
	rblk_wire_put_spans(frame->bytes + sizeof(struct rblk_msg_hdr),
			    t->span, t->nr_spans);
	rblk_outq_put(&t->peer->outq, frame, &head);
	t->nr_spans = 0;
	return 0;
}

static int tell_active(struct telling *t, struct rblk_volume *volume)
{
	u32 slot = 0;
	int err = 0;

	if (!volume->active)
		return 0;
	do {
		spin_lock_irq(&volume->res->log.lock);
		t->logged = rblk_active_found(volume);
		t->nr_spans = rblk_active_spans(volume, &slot, t->span,
						RBLK_WIRE_SPANS_MAX);
		spin_unlock_irq(&volume->res->log.lock);
		err = put_frame(t, volume->id, false);
	} while (!err && slot < rblk_active_slots(volume));
	return err;
}

/* No log says it: none can have been set back. */
static int tell_recent(struct telling *t, struct rblk_volume *volume)
{
	u64 seq = t->base;
	int nr, err;

	t->logged = RBLK_WIRE_LOGGED_MAX;
	do {
		nr = rblk_applier_spans(&volume->res->applier, volume->id, &seq,
					t->span, RBLK_WIRE_SPANS_MAX);
		if (nr < 0)
			return nr;
		t->nr_spans = nr;
		err = put_frame(t, volume->id, false);
	} while (!err && nr == RBLK_WIRE_SPANS_MAX);
	return err;
}

void rblk_tell(struct rblk_peer *peer)
{
	struct rblk_resource *res = peer->res;
	enum source source;
	struct telling *t;
	int i, err = 0;
	u64 base;

	spin_lock_irq(&res->log.lock);
	source = source_locked(peer, &base);
	spin_unlock_irq(&res->log.lock);
	if (source == SOURCE_NONE ||
	    (source == SOURCE_ACTIVE && nr_frames(res) > FRAMES_MAX))
		return;
	t = kzalloc(sizeof(*t), GFP_NOIO);
	if (!t)
		return;
	t->peer = peer;
	t->base = base;
	for (i = 0; i < RBLK_MAX_VOLUMES && !err; i++)
		if (res->volume[i])
			err = source == SOURCE_ACTIVE ?
			      tell_active(t, res->volume[i]) :
			      tell_recent(t, res->volume[i]);
	t->logged = 0;
	if (!err)
		put_frame(t, 0, true);
	kfree(t);
	res->kick(res, BIT(peer->node_id));
}

/* Its log is older than what this node saw of it: what it tells is not all. */
static bool is_set_back(const struct rblk_peer *peer, struct rblk_volume *volume,
			u64 logged)
{
	u64 saw = rblk_active_saw(volume, &peer->theirs.lineage);

	if (saw <= logged)
		return false;
	pr_warn("%s/%u: a disk of %s was set back: this node saw transaction %llu of its activity log, it tells of %llu. Where the two differ is not known\n",
		peer->res->name, volume->id, peer->name, saw, logged);
	return true;
}

static const char *add_spans_locked(struct rblk_peer *peer,
				    const struct rblk_volume *volume)
{
	const struct rblk_frame *frame = &peer->rx.frame;
	struct rblk_span span;
	u32 i;

	lockdep_assert_held(&peer->res->log.lock);
	for (i = 0; i < frame->length / RBLK_WIRE_SPAN_BYTES; i++) {
		if (rblk_wire_get_span(peer->rx.buf, frame->length, i, &span) ||
		    span.sector + span.nr_sects > volume->backing.size_sects)
			return "protocol error: it may differ in an unknown place";
		rblk_lack_missed(&peer->lack, volume->id, span.sector,
				 span.nr_sects, peer->res->log.last);
	}
	peer->lack.coarse = true;
	peer->told_volumes |= BIT_ULL(volume->id);
	return NULL;
}

/* All was told: of each volume? */
static void end_telling_locked(struct rblk_peer *peer)
{
	int i;

	peer->told = true;
	peer->told_base = peer->rx.frame.seq;
	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (peer->res->volume[i] &&
		    !(peer->told_volumes & BIT_ULL(i)))
			peer->told = false;
	peer->told_volumes = 0;
}

const char *rblk_tell_heard(struct rblk_peer *peer)
{
	const struct rblk_frame *frame = &peer->rx.frame;
	struct rblk_resource *res = peer->res;
	struct rblk_volume *volume = res->volume[frame->volume];
	bool last = frame->flags & RBLK_FRAME_LAST;
	const char *lie = NULL;
	bool told;

	if (frame->length % RBLK_WIRE_SPAN_BYTES || (!last && !volume) ||
	    (last && frame->length))
		return "protocol error: it may differ in an unknown place";
	if (!last && is_set_back(peer, volume, frame->logged))
		return NULL;
	spin_lock_irq(&res->log.lock);
	/* What this node's role has made pointless is no news. */
	if (res->log.gate.primary && !peer->negotiating &&
	    !(res->log.streaming & BIT(peer->node_id))) {
		if (last)
			end_telling_locked(peer);
		else
			lie = add_spans_locked(peer, volume);
	}
	told = last && peer->told;
	spin_unlock_irq(&res->log.lock);
	if (told)
		res->notify->peer(peer, "it told where it may differ");
	return lie;
}

u64 rblk_tell_counts(const struct rblk_peer *peer)
{
	u64 parted;

	lockdep_assert_held(&peer->res->log.lock);
	if (!peer->told)
		return 0;
	parted = rblk_plan_parted(&peer->mine, &peer->theirs);
	return peer->told_base <= parted &&
	       rblk_lack_base(&peer->lack) <= parted ? parted : 0;
}

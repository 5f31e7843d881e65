// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A whole link: frames one after the other, as a receiver takes them, up to
 * the first that it refuses. Operations go through the window, in which the
 * input also decides what ends when; HELLO and STATE through the plan.
 *
 * A frame's magic and checksum are put right first: no fuzzer guesses them.
 */
#include "fuzz.h"
#include "wire.h"

#define WINDOW	16

struct stream {
	const uint8_t *data;
	size_t left;
	bool greeted;
	struct rblk_self mine, theirs;
	struct rblk_order order;
	unsigned long done[BITS_TO_LONGS(WINDOW)];
};

/* Both ends must come to answers that fit. */
static void check_plan(const struct stream *stream)
{
	struct rblk_plan here, there;

	rblk_plan_handshake(&stream->mine, &stream->theirs, &here);
	rblk_plan_handshake(&stream->theirs, &stream->mine, &there);
	MUST((here.action == RBLK_PLAN_STREAM) ==
	     (there.action == RBLK_PLAN_FOLLOW));
	MUST((here.action == RBLK_PLAN_FOLLOW) ==
	     (there.action == RBLK_PLAN_STREAM));
	MUST((here.action == RBLK_PLAN_REFUSE) ==
	     (there.action == RBLK_PLAN_REFUSE));
	MUST((here.repl == RBLK_REPL_UPTODATE) ==
	     (there.repl == RBLK_REPL_UPTODATE));
	MUST((here.reason[0] == '\0') == (here.repl == RBLK_REPL_UPTODATE));
	if (here.action == RBLK_PLAN_STREAM || here.action == RBLK_PLAN_FOLLOW)
		MUST(stream->mine.lineage.seq == stream->theirs.lineage.seq);
}

/* What this node would acknowledge now is a valid ack. */
static void check_ack(const struct stream *stream)
{
	uint8_t buf[RBLK_WIRE_ACK_MAX];
	struct rblk_ack ack = {
		.received = stream->order.received,
		.applied = stream->order.applied,
	};
	struct rblk_ack again;
	u32 i, length;

	ack.nr_ranges = rblk_order_selective(&stream->order, ack.range,
					     RBLK_WIRE_RANGES_MAX);
	length = rblk_wire_put_ack(buf, &ack);
	MUST(rblk_wire_get_ack(buf, length, &again) == RBLK_WIRE_OK);
	MUST(again.received - again.applied <= WINDOW);
	for (i = 0; i < again.nr_ranges; i++)
		MUST(again.range[i].first > again.applied + 1);
}

static bool take_op(struct stream *stream, const struct rblk_frame *frame)
{
	struct rblk_order *order = &stream->order;
	u64 before = order->applied;
	bool moved;

	if (rblk_order_receive(order, frame->seq, frame->dep))
		return false;
	MUST(order->received == frame->seq && frame->dep < frame->seq);
	MUST(rblk_order_may_start(order, frame->dep) ==
	     (frame->dep <= before));
	/* Some field says which operation ends now, any number at all. */
	moved = rblk_order_applied(order, frame->sector % 4 ?
				   before + frame->sector % 32 : frame->gen);
	MUST(moved == (order->applied > before));
	MUST(order->applied <= order->received);
	check_ack(stream);
	return true;
}

static bool take_hello(struct stream *stream, const uint8_t *payload,
		       u32 length)
{
	struct rblk_hello *hello = malloc(sizeof(*hello));
	bool good = !stream->greeted &&
		    !rblk_wire_get_hello(payload, length, hello);

	if (good) {
		stream->greeted = true;
		stream->theirs = hello->self;
		check_plan(stream);
		rblk_order_init(&stream->order, stream->done, WINDOW,
				hello->self.lineage.seq);
	}
	free(hello);
	return good;
}

static bool take_state(struct stream *stream, const uint8_t *payload,
		       u32 length)
{
	struct rblk_state state;

	if (rblk_wire_get_state(payload, length, &state))
		return false;
	/* The next one is compared with this one. */
	stream->mine = stream->theirs;
	stream->theirs = state.self;
	check_plan(stream);
	return true;
}

static bool take_payload(struct stream *stream, const struct rblk_frame *frame,
			 const uint8_t *payload)
{
	char text[RBLK_WIRE_TEXT_MAX];
	struct rblk_span span;
	struct rblk_ack ack;
	u64 differ;

	if (!stream->greeted && frame->type != RBLK_MSG_HELLO)
		return false;
	switch (frame->type) {
	case RBLK_MSG_HELLO:
		return take_hello(stream, payload, frame->length);
	case RBLK_MSG_OP:
		return take_op(stream, frame);
	case RBLK_MSG_ACK:
		return !rblk_wire_get_ack(payload, frame->length, &ack);
	case RBLK_MSG_STATE:
		return take_state(stream, payload, frame->length);
	case RBLK_MSG_DIFF:
		if (rblk_wire_get_diff(payload, frame->length, frame->nr_sects,
				       &differ))
			return false;
		MUST(frame->nr_sects > 2016 ||
		     !(differ >> ((frame->nr_sects + 31) / 32)));
		return true;
	case RBLK_MSG_ACTIVE:
		return !frame->length ||
		       !rblk_wire_get_span(payload, frame->length,
					   frame->length / RBLK_WIRE_SPAN_BYTES - 1,
					   &span);
	case RBLK_MSG_BYE:
		rblk_wire_get_bye(payload, frame->length, text);
		return false;
	}
	return true;
}

static bool take_frame(struct stream *stream)
{
	struct rblk_msg_hdr hdr;
	struct rblk_frame frame;
	bool more;
	uint8_t *payload;

	if (stream->left < sizeof(hdr))
		return false;
	memcpy(&hdr, stream->data, sizeof(hdr));
	hdr.magic = cpu_to_le32(RBLK_WIRE_MAGIC);
	hdr.hdr_crc = cpu_to_le32(~crc32c(~0U, &hdr, 60));
	stream->data += sizeof(hdr);
	stream->left -= sizeof(hdr);
	if (rblk_wire_get_hdr(&hdr, &frame))
		return false;
	/* Data is not in the input: a megabyte says no more than none. */
	if (frame.type == RBLK_MSG_RESYNC || frame.type == RBLK_MSG_OP)
		return take_payload(stream, &frame, NULL);
	if (frame.length > stream->left)
		return false;
	payload = malloc(frame.length ? frame.length : 1);
	memcpy(payload, stream->data, frame.length);
	stream->data += frame.length;
	stream->left -= frame.length;
	more = take_payload(stream, &frame, payload);
	free(payload);
	return more;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream stream = {
		.data = data,
		.left = size,
		.mine = {
			.data = RBLK_DATA_CONSISTENT,
			.promised = 4,
			.lineage = { 2, 20, { { 1, 1 }, { 4, 11 } } },
		},
	};

	rblk_order_init(&stream.order, stream.done, WINDOW, 0);
	while (take_frame(&stream))
		;
	return 0;
}

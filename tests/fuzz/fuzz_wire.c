// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decoders of single pieces. The first byte chooses the piece, the rest is
 * its bytes. What is accepted must be written again as the same bytes: no two
 * encodings mean the same, and nothing is dropped.
 */
#include "fuzz.h"
#include "wire.h"

static void try_header(const uint8_t *data, size_t size)
{
	struct rblk_msg_hdr hdr, again;
	struct rblk_frame frame;

	if (size < sizeof(hdr))
		return;
	memcpy(&hdr, data, sizeof(hdr));
	if (data[1] & 1)
		hdr.length = cpu_to_le32(le32_to_cpu(hdr.nr_sects) * 512);
	if (!(data[0] & 1)) {
		/* No fuzzer guesses these. */
		hdr.magic = cpu_to_le32(RBLK_WIRE_MAGIC);
		hdr.hdr_crc = cpu_to_le32(~crc32c(~0U, &hdr, 60));
	}
	if (rblk_wire_get_hdr(&hdr, &frame))
		return;
	rblk_wire_put_hdr(&again, &frame);
	MUST(!memcmp(&hdr, &again, sizeof(hdr)));
	if (frame.flags & RBLK_FRAME_ZEROES) {
		MUST(frame.type == RBLK_MSG_RESYNC && !frame.length);
	} else if (frame.type == RBLK_MSG_RESYNC ||
	    (frame.type == RBLK_MSG_OP && frame.op == RBLK_OP_WRITE)) {
		MUST(frame.length == frame.nr_sects * 512);
		MUST(frame.length <= RBLK_WIRE_DATA_MAX);
	} else if (frame.type == RBLK_MSG_READ_REPLY && frame.length) {
		MUST(frame.length == frame.nr_sects * 512);
		MUST(frame.length <= RBLK_WIRE_DATA_MAX);
	} else {
		MUST(frame.length <= RBLK_WIRE_CTRL_MAX);
	}
	MUST(frame.volume < RBLK_MAX_VOLUMES);
	MUST(frame.sector + frame.nr_sects <= 1ULL << 53);
}

static void try_hello(const uint8_t *data, size_t size)
{
	struct rblk_hello *hello = malloc(sizeof(*hello));
	uint8_t again[RBLK_WIRE_HELLO_MAX];
	u32 i;

	if (!rblk_wire_get_hello(data, size, hello)) {
		MUST(rblk_wire_put_hello(again, hello) == size);
		MUST(!memcmp(data, again, size));
		MUST(rblk_lineage_is_valid(&hello->self.lineage));
		MUST(rblk_wire_pick_version(hello->version_min,
					    hello->version_max) > 0);
		MUST(hello->nr_volumes <= RBLK_MAX_VOLUMES);
		for (i = 0; i < hello->nr_volumes; i++)
			MUST(hello->volume[i].id < RBLK_MAX_VOLUMES);
	}
	free(hello);
}

static void try_ack(const uint8_t *data, size_t size)
{
	uint8_t again[RBLK_WIRE_ACK_MAX];
	struct rblk_ack ack;
	u32 i;

	if (rblk_wire_get_ack(data, size, &ack))
		return;
	MUST(rblk_wire_put_ack(again, &ack) == size);
	MUST(!memcmp(data, again, size));
	MUST(ack.recorded <= ack.durable && ack.durable <= ack.applied &&
	     ack.applied <= ack.received);
	for (i = 0; i < ack.nr_ranges; i++) {
		MUST(ack.range[i].first <= ack.range[i].last);
		MUST(ack.range[i].first > ack.applied);
		MUST(ack.range[i].last <= ack.received);
	}
}

static void try_state(const uint8_t *data, size_t size)
{
	uint8_t again[RBLK_WIRE_STATE_MAX];
	struct rblk_state state;

	if (rblk_wire_get_state(data, size, &state))
		return;
	MUST(rblk_wire_put_state(again, &state) == size);
	MUST(!memcmp(data, again, size));
	MUST(rblk_lineage_is_valid(&state.self.lineage));
}

static void try_bye(const uint8_t *data, size_t size)
{
	uint8_t again[RBLK_WIRE_TEXT_MAX];
	char text[RBLK_WIRE_TEXT_MAX];

	if (rblk_wire_get_bye(data, size, text))
		return;
	MUST(strlen(text) == size);
	MUST(rblk_wire_put_bye(again, text) == size);
	MUST(!memcmp(data, again, size));
}

static void try_spans(const uint8_t *data, size_t size)
{
	uint8_t again[RBLK_WIRE_SPAN_BYTES];
	struct rblk_span span;
	u32 i;

	for (i = 0; !rblk_wire_get_span(data, size, i, &span); i++) {
		MUST(span.nr_sects && span.sector + span.nr_sects <= 1ULL << 53);
		MUST(rblk_wire_put_spans(again, &span, 1) == sizeof(again));
		MUST(!memcmp(data + i * sizeof(again), again, sizeof(again)));
	}
	MUST(i <= size / sizeof(again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const pieces[])(const uint8_t *data, size_t size) = {
		try_header, try_hello, try_ack, try_state, try_bye,
		try_spans,
	};
	uint8_t *exact;

	if (size < 1)
		return 0;
	/* Exactly the bytes there are, and not aligned. */
	exact = malloc(size);
	memcpy(exact, data, size);
	pieces[exact[0] % ARRAY_SIZE(pieces)](exact + 1, size - 1);
	free(exact);
	return 0;
}

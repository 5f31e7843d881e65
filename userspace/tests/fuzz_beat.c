// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_beat.c - any bytes as a datagram of another daemon, and what it says to the
 * detector. What is taken for good must come back when it is written again.
 */
#include "beat.h"

#include <stdlib.h>
#include <string.h>

#define CLUSTER	7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No fuzzer guesses the length and the cluster. */
static void help(uint8_t *bytes, size_t size)
{
	struct rblk_session_header h = { .from = 1, .to = 2 };
	struct rblk_beat_writer w;
	size_t nr = size - RBLK_BEAT_MAC_BYTES;

	rblk_beat_begin(&w, CLUSTER, &h);
	memcpy(bytes, w.bytes, 8);
	memcpy(bytes + 16, w.bytes + 16, 8);
	bytes[8] = 1;
	bytes[12] = nr;
	bytes[13] = nr >> 8;
}

static void again(const struct rblk_beat_body *body, const struct rblk_session_header *h)
{
	struct rblk_beat_writer w;
	struct rblk_beat_reader r;
	struct rblk_beat_body back;

	rblk_beat_begin(&w, CLUSTER, h);
	if (!rblk_beat_add(&w, body))
		abort();
	if (rblk_beat_open(&r, w.bytes, rblk_beat_end(&w) + RBLK_BEAT_MAC_BYTES,
			   CLUSTER) != RBLK_BEAT_OK ||
	    rblk_beat_check(&r) != RBLK_BEAT_OK || !rblk_beat_next(&r, &back) ||
	    memcmp(&back, body, sizeof(back)) || rblk_beat_next(&r, &back))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rblk_detector_health health;
	struct rblk_beat_reader r;
	struct rblk_beat_body body;
	struct rblk_detector d;
	uint8_t *exact;

	if (size > 2 * RBLK_BEAT_MAX_BYTES)
		return 0;
	exact = malloc(size ? size : 1);
	if (!exact)
		abort();
	memcpy(exact, data, size);
	if (size >= RBLK_BEAT_HEADER_BYTES + RBLK_BEAT_MAC_BYTES && exact[0] & 1)
		help(exact, size);
	rblk_detector_start(&d, 2, 100, 3);
	rblk_detector_watch(&d, 1, 3, 1000000);
	if (rblk_beat_open(&r, exact, size, CLUSTER) == RBLK_BEAT_OK &&
	    rblk_beat_check(&r) == RBLK_BEAT_OK) {
		while (rblk_beat_next(&r, &body)) {
			again(&body, &r.h);
			if (body.type != RBLK_BEAT_BEAT)
				continue;
			rblk_detector_receive(&d, 1, &body.beat, 2000000);
			rblk_detector_health(&d, 1, body.beat.path, 2000001, &health);
		}
	}
	free(exact);
	return 0;
}

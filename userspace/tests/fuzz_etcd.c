// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_etcd.c - any bytes as an answer of an etcd, and its value as a register. What
 * is taken for good must come back when it is written again.
 */
#include "etcd_call.h"
#include "shared.h"

#include <stdlib.h>
#include <string.h>

#define KEY	"rblk/demo/r0"

static const uint8_t uuid[RBLK_ARBITER_ID_BYTES] = "resource";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct rblk_shared_value *value)
{
	uint8_t bytes[RBLK_SHARED_BYTES];
	struct rblk_shared_value back;

	rblk_shared_put(bytes, uuid, value);
	if (rblk_shared_get(bytes, sizeof(bytes), uuid, &back) != RBLK_ARBITER_SLOT_OK ||
	    back.serial != value->serial || back.lease != value->lease ||
	    back.store.record.version != value->store.record.version)
		abort();
}

static void take(const uint8_t *bytes, size_t n)
{
	struct rblk_shared_value value;

	if (rblk_shared_get(bytes, n, uuid, &value) == RBLK_ARBITER_SLOT_OK)
		again(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rblk_etcd_reply reply;
	bool swap;

	for (swap = false;; swap = true) {
		if (!rblk_etcd_parse((const char *)data, size, KEY, swap, &reply)) {
			if (!reply.cluster || reply.n > sizeof(reply.value) ||
			    (reply.found && reply.swapped))
				abort();
			take(reply.value, reply.n);
		}
		if (swap)
			break;
	}
	take(data, size);
	return 0;
}

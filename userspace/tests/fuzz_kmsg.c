// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_kmsg.c - any bytes as the attributes of a netlink message
 */
#include "kmsg.h"

#include <linux/genetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES	32768

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t head = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct genlmsghdr));
	struct rblk_kstate *state;
	struct rblk_kevent event;
	struct nlmsghdr *nlh;

	if (size > MAX_BYTES)
		return 0;
	/* as the kernel sends it: whole words */
	nlh = calloc(1, head + MNL_ALIGN(size));
	state = malloc(sizeof(*state));
	if (!nlh || !state)
		abort();
	nlh->nlmsg_len = head + size;
	memcpy((char *)nlh + head, data, size);
	rblk_kmsg_get_state(nlh, state);
	rblk_kmsg_get_event(nlh, &event);
	free(state);
	free(nlh);
	return 0;
}

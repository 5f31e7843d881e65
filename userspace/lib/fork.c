// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fork.c - how two nodes' data parted, in words
 */
#include "fork.h"

#include "text.h"

#include <inttypes.h>
#include <string.h>

/* With these the kernel says so in fewer words, at the end; it may be cut. */
#define KERNELS_WORDS	"; after seq "

static const char *since(char *buf, size_t size, uint64_t seconds)
{
	char when[32];

	if (!seconds)
		return "";
	return rblk_text_format(buf, size, " (primary since %s)",
				rblk_text_time(when, sizeof(when), seconds));
}

const char *rblk_fork_explain(char *buf, size_t size, const char *me,
			      const struct rblk_kpeer *p, const char *reason)
{
	const char *theirs = strstr(reason, KERNELS_WORDS);
	char mine_since[64], theirs_since[64];

	if (!theirs || !(p->has & RBLK_HAS(RBLK_PEER_FORK_SEQ))) {
		rblk_text_copy(buf, size, reason);
		return buf;
	}
	return rblk_text_format(buf, size,
		"%.*s" KERNELS_WORDS "%" PRIu64 " %s has %" PRIu64
		" operations of its own%s, %s %" PRIu64 "%s",
		(int)(theirs - reason), reason,
		p->fork_seq, me, p->fork_mine_ops,
		since(mine_since, sizeof(mine_since), p->fork_mine_since_s),
		p->node_name, p->fork_theirs_ops,
		since(theirs_since, sizeof(theirs_since),
		      p->fork_theirs_since_s));
}

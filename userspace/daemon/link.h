/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link.h - when to try to connect one resource to one peer. Pure: time and
 * randomness are arguments.
 *
 * Of two nodes the one with the lower id connects ("active") and the other
 * one listens: a link then never has two candidates that must be told apart.
 * The listening side may knock, though: it connects, proves itself, is told
 * that it will be called, and is called at once instead of at the end of a
 * backoff. It does so once after it came up and once after a loss.
 *
 *   OFF       the administrator disconnected it
 *   IDLE      listening side: waits to be called; knocks at due_ms
 *   WAIT      connecting side: tries again at due_ms
 *   TRYING    a handshake (or knock) of ours is under way
 *   ATTACHED  the kernel has the socket; the two modules negotiate
 *   UP        they agreed
 */
#ifndef RBLK_LINK_H
#define RBLK_LINK_H

#include "backoff.h"

#include <rblk.h>
#include <stdbool.h>
#include <stddef.h>

enum rblk_link_state {
	RBLK_LINK_OFF,
	RBLK_LINK_IDLE,
	RBLK_LINK_WAIT,
	RBLK_LINK_TRYING,
	RBLK_LINK_ATTACHED,
	RBLK_LINK_UP,
};

#define RBLK_LINK_NEVER		UINT64_MAX

struct rblk_link {
	enum rblk_link_state state;
	bool active;
	struct rblk_backoff backoff;
	uint64_t due_ms;		/* in WAIT and IDLE; RBLK_LINK_NEVER */
	uint64_t attached_ms;		/* when the kernel took the socket */
	char host[64];			/* that it came from; "": none yet */
	uint64_t told_ms;		/* when it was said that there are two */
	char reason[RBLK_REASON_SIZE];	/* why it is not up; "" when it is */
	char said[RBLK_REASON_SIZE];	/* the gist of what was logged last */
};

void rblk_link_init(struct rblk_link *link, bool active, uint64_t now_ms);
const char *rblk_link_state_name(enum rblk_link_state state);

/* The administrator's word. */
void rblk_link_enable(struct rblk_link *link, uint64_t now_ms);
void rblk_link_disable(struct rblk_link *link);

bool rblk_link_is_due(const struct rblk_link *link, uint64_t now_ms);

/* A handshake that this side started: begun, failed. @refused: by the peer. */
void rblk_link_tried(struct rblk_link *link);
void rblk_link_failed(struct rblk_link *link, uint64_t now_ms, uint32_t random,
		      bool refused, const char *reason);

/* The listening side knocked and will be called. */
void rblk_link_will_be_called(struct rblk_link *link);

/*
 * The peer knocked. True: it has no connection although we have one, so that
 * one is dead. A connection made just now is not: the knock was under way.
 */
bool rblk_link_knocked(struct rblk_link *link, uint64_t now_ms);

/* The kernel took the socket of a handshake, whoever started it. */
/*
 * A proven socket came from @host. True when a line is due: another host had the
 * link moments ago, under the same name and with the same key.
 */
bool rblk_link_came_from(struct rblk_link *link, uint64_t now_ms,
			 const char *host, char *other, size_t size);

void rblk_link_attached(struct rblk_link *link, uint64_t now_ms);

/* What the kernel says of the link now. */
void rblk_link_observed(struct rblk_link *link, uint64_t now_ms,
			uint32_t random, enum rblk_conn_state conn,
			const char *reason);

/*
 * Is the reason another one than when this was asked last, since the link was
 * up? Each attempt meets the same refusal: it is worth one line. Counters behind
 * a semicolon, and which of two primaries says it, make no difference.
 */
bool rblk_link_is_news(struct rblk_link *link);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * link.c - the life of one link as the daemon sees it
 */
#include "link.h"

#include "text.h"

#include <string.h>

static void set_reason(struct rblk_link *link, const char *reason)
{
	rblk_text_copy(link->reason, sizeof(link->reason), reason ? reason : "");
	rblk_text_sanitize(link->reason);
}

/* The module's words: core/plan.c. */
#define RBLK_LINK_TWO_PRIMARIES	"two primaries"

/* Long enough for the peer to call by itself after a loss. */
#define KNOCK_AFTER_MS	1000
/* A link that the kernel has had for longer has been there before a knock. */
#define FRESH_MS	2000
/* Nobody moves to another address and calls again that fast. */
#define MOMENTS_MS	10000
#define TELL_AGAIN_MS	60000

static void wait_until(struct rblk_link *link, uint64_t due_ms)
{
	link->state = link->active ? RBLK_LINK_WAIT : RBLK_LINK_IDLE;
	link->due_ms = due_ms;
}

void rblk_link_init(struct rblk_link *link, bool active, uint64_t now_ms)
{
	*link = (struct rblk_link){ .active = active };
	wait_until(link, now_ms);
	set_reason(link, active ? "" : "waiting for the peer to connect");
}

const char *rblk_link_state_name(enum rblk_link_state state)
{
	static const char *const names[] = {
		[RBLK_LINK_OFF] = "off",
		[RBLK_LINK_IDLE] = "listening",
		[RBLK_LINK_WAIT] = "waiting",
		[RBLK_LINK_TRYING] = "trying",
		[RBLK_LINK_ATTACHED] = "attached",
		[RBLK_LINK_UP] = "up",
	};

	return names[state];
}

void rblk_link_enable(struct rblk_link *link, uint64_t now_ms)
{
	if (link->state == RBLK_LINK_ATTACHED || link->state == RBLK_LINK_UP ||
	    link->state == RBLK_LINK_TRYING)
		return;
	if (link->state == RBLK_LINK_OFF)
		set_reason(link, link->active ? "" :
				 "waiting for the peer to connect");
	rblk_backoff_reset(&link->backoff);
	wait_until(link, now_ms);
}

void rblk_link_disable(struct rblk_link *link)
{
	link->state = RBLK_LINK_OFF;
	set_reason(link, "disconnected by the administrator");
}

bool rblk_link_is_due(const struct rblk_link *link, uint64_t now_ms)
{
	return (link->state == RBLK_LINK_WAIT ||
		link->state == RBLK_LINK_IDLE) && now_ms >= link->due_ms;
}

void rblk_link_tried(struct rblk_link *link)
{
	if (link->state == RBLK_LINK_WAIT || link->state == RBLK_LINK_IDLE)
		link->state = RBLK_LINK_TRYING;
}

void rblk_link_failed(struct rblk_link *link, uint64_t now_ms, uint32_t random,
		      bool refused, const char *reason)
{
	uint32_t wait_ms;

	if (link->state == RBLK_LINK_OFF || link->state == RBLK_LINK_ATTACHED ||
	    link->state == RBLK_LINK_UP)
		return;
	set_reason(link, reason);
	if (!link->active) {
		wait_until(link, RBLK_LINK_NEVER);
		return;
	}
	wait_ms = refused ? rblk_backoff_long_ms(&link->backoff, random) :
			    rblk_backoff_next_ms(&link->backoff, random);
	wait_until(link, now_ms + wait_ms);
}

void rblk_link_will_be_called(struct rblk_link *link)
{
	if (link->state != RBLK_LINK_TRYING)
		return;
	set_reason(link, "waiting for the peer to connect");
	wait_until(link, RBLK_LINK_NEVER);
}

bool rblk_link_knocked(struct rblk_link *link, uint64_t now_ms)
{
	if (link->state == RBLK_LINK_WAIT) {
		rblk_backoff_reset(&link->backoff);
		wait_until(link, now_ms);
	}
	return link->state >= RBLK_LINK_ATTACHED &&
	       now_ms - link->attached_ms > FRESH_MS;
}

bool rblk_link_came_from(struct rblk_link *link, uint64_t now_ms,
			 const char *host, char *other, size_t size)
{
	bool both = *link->host && strcmp(link->host, host) != 0 &&
		    now_ms - link->attached_ms < MOMENTS_MS;
	bool due = both && (!link->told_ms ||
			    now_ms - link->told_ms > TELL_AGAIN_MS);

	rblk_text_copy(other, size, link->host);
	rblk_text_copy(link->host, sizeof(link->host), host);
	if (due)
		link->told_ms = now_ms;
	return due;
}

void rblk_link_attached(struct rblk_link *link, uint64_t now_ms)
{
	if (link->state == RBLK_LINK_OFF)
		return;
	link->state = RBLK_LINK_ATTACHED;
	link->attached_ms = now_ms;
}

static void went_down(struct rblk_link *link, uint64_t now_ms, uint32_t random,
		      const char *reason)
{
	uint32_t wait_ms;

	/* An agreement never reached will hardly be reached in a moment. */
	if (!link->active) {
		wait_ms = KNOCK_AFTER_MS;
	} else if (link->state == RBLK_LINK_ATTACHED) {
		wait_ms = rblk_backoff_long_ms(&link->backoff, random);
	} else {
		rblk_backoff_reset(&link->backoff);
		wait_ms = rblk_backoff_next_ms(&link->backoff, random);
	}
	set_reason(link, reason);
	wait_until(link, now_ms + wait_ms);
}

void rblk_link_observed(struct rblk_link *link, uint64_t now_ms,
			uint32_t random, enum rblk_conn_state conn,
			const char *reason)
{
	if (link->state == RBLK_LINK_OFF)
		return;
	switch (conn) {
	case RBLK_CONN_DOWN:
		if (link->state == RBLK_LINK_ATTACHED ||
		    link->state == RBLK_LINK_UP)
			went_down(link, now_ms, random, reason);
		break;
	case RBLK_CONN_HELLO:
		link->state = RBLK_LINK_ATTACHED;
		break;
	case RBLK_CONN_UP:
		link->state = RBLK_LINK_UP;
		rblk_backoff_reset(&link->backoff);
		set_reason(link, "");
		link->said[0] = '\0';
		break;
	}
}

bool rblk_link_is_news(struct rblk_link *link)
{
	char gist[RBLK_REASON_SIZE];

	rblk_text_copy(gist, sizeof(gist),
		       strstr(link->reason, RBLK_LINK_TWO_PRIMARIES) ?
		       RBLK_LINK_TWO_PRIMARIES : link->reason);
	gist[strcspn(gist, ";")] = '\0';
	if (strcmp(gist, link->said) == 0)
		return false;
	rblk_text_copy(link->said, sizeof(link->said), gist);
	return true;
}

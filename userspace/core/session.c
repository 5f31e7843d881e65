// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * session.c - nothing that was recorded earlier is acted upon
 */
#include "session.h"

#include <string.h>

#define WINDOW	64

/* 0 means none. */
static uint64_t token(uint64_t random)
{
	return random + !random;
}

void rblk_session_start(struct rblk_session *s, uint64_t random)
{
	memset(s, 0, sizeof(*s));
	s->next = token(random);
}

bool rblk_session_is_open(const struct rblk_session *s)
{
	return s->theirs;
}

static void stamp(struct rblk_session *s, uint8_t from, uint8_t to,
		  struct rblk_session_header *h)
{
	h->from = from;
	h->to = to;
	h->counter = ++s->sent;
}

void rblk_session_stamp(struct rblk_session *s, uint8_t from, uint8_t to,
			struct rblk_session_header *h)
{
	stamp(s, from, to, h);
	h->from_token = s->mine;
	h->to_token = s->theirs;
}

void rblk_session_hello(struct rblk_session *s, uint8_t from, uint8_t to,
			struct rblk_session_header *h)
{
	stamp(s, from, to, h);
	h->from_token = s->next ? s->next : s->mine;
	h->to_token = s->next ? s->next_theirs : s->theirs;
}

static bool is_new(struct rblk_session *s, uint64_t counter)
{
	uint64_t ahead, behind;

	if (counter > s->highest) {
		ahead = counter - s->highest;
		s->window = ahead < WINDOW ? s->window << ahead | 1 : 1;
		s->highest = counter;
		return true;
	}
	behind = s->highest - counter;
	if (behind >= WINDOW || s->window >> behind & 1)
		return false;
	s->window |= 1ULL << behind;
	return true;
}

enum rblk_session_verdict rblk_session_receive(struct rblk_session *s,
					       const struct rblk_session_header *h,
					       uint64_t random)
{
	if (!h->from_token || !h->counter)
		return RBLK_SESSION_REPLAYED;
	if (s->theirs && h->from_token == s->theirs && h->to_token == s->mine)
		return is_new(s, h->counter) ? RBLK_SESSION_OK :
					       RBLK_SESSION_REPLAYED;
	if (s->next && h->to_token == s->next) {
		s->former = s->mine;
		s->mine = s->next;
		s->theirs = h->from_token;
		s->next = 0;
		s->next_theirs = 0;
		s->highest = h->counter;
		s->window = 1;
		return RBLK_SESSION_NEW;
	}
	if (s->former && h->to_token == s->former)
		return RBLK_SESSION_REPLAYED;
	/*
	 * The token that waits to be named stays: else whoever replays old
	 * datagrams often enough would keep a session from ever beginning.
	 */
	if (!s->next)
		s->next = token(random);
	s->next_theirs = h->from_token;
	return RBLK_SESSION_UNKNOWN;
}

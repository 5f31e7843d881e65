/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h - nothing that was recorded earlier is acted upon
 *
 * A datagram's MAC says who wrote it, not when. So each node draws a random token for
 * each peer when it starts, and believes only what names that token: that was
 * written after the start. Within a session a counter finds what came before.
 *
 * A datagram of a session that is not known is not acted upon. It is answered with
 * a HELLO: a datagram without bodies, which carries a new token. The session begins with
 * the first datagram that names that one; until then the former one goes on. What is
 * on its way from the former one then is dropped and not answered: else two nodes
 * could begin sessions in turns, for ever. So a replay can cause a HELLO and nothing else.
 *
 * Pure: no I/O, clock or allocation; randomness is an argument.
 */
#ifndef RBLK_SESSION_H
#define RBLK_SESSION_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct rblk_session_header - what each datagram says of its session
 * @from: node that sent it
 * @to: node that it is for
 * @from_token: the sender's, for the receiver
 * @to_token: the receiver's, as the sender knows it; 0: it knows none
 * @counter: raised by the sender with each datagram
 */
struct rblk_session_header {
	uint8_t from;
	uint8_t to;
	uint64_t from_token;
	uint64_t to_token;
	uint64_t counter;
};

/**
 * struct rblk_session - with one peer
 * @mine: token that the peer must name
 * @theirs: the peer's; 0: no session yet
 * @former: @mine of the session before, 0: none
 * @next: token that will begin a new session, 0: none is about to begin
 * @next_theirs: the peer's token that was seen last without a session
 * @sent: counter of the last datagram sent
 * @highest: highest counter that came
 * @window: which of the 64 up to it came, bit 0 is @highest
 */
struct rblk_session {
	uint64_t mine;
	uint64_t theirs;
	uint64_t former;
	uint64_t next;
	uint64_t next_theirs;
	uint64_t sent;
	uint64_t highest;
	uint64_t window;
};

enum rblk_session_verdict {
	RBLK_SESSION_OK,	/* act upon it */
	/*
	 * Act upon it: it is the first of a new session. Send a HELLO, for the peer
	 * may still use the former one.
	 */
	RBLK_SESSION_NEW,
	RBLK_SESSION_REPLAYED,	/* drop it */
	RBLK_SESSION_UNKNOWN,	/* drop it, and send a HELLO */
};

/**
 * rblk_session_start - no session with a peer yet
 * @s: filled in
 * @random: from a good source; a token
 */
void rblk_session_start(struct rblk_session *s, uint64_t random);

/**
 * rblk_session_is_open - may bodies be sent
 * @s: the session
 *
 * Return: false until the first datagram of a session came. Then a HELLO is sent
 * in place of each beat.
 */
bool rblk_session_is_open(const struct rblk_session *s);

/**
 * rblk_session_stamp - the header of the next datagram with bodies
 * @s: the session; it is open
 * @from: this node
 * @to: the peer
 * @h: filled in
 */
void rblk_session_stamp(struct rblk_session *s, uint8_t from, uint8_t to,
			struct rblk_session_header *h);

/**
 * rblk_session_hello - the header of a HELLO
 * @s: the session
 * @from: this node
 * @to: the peer
 * @h: filled in; the datagram has no bodies
 */
void rblk_session_hello(struct rblk_session *s, uint8_t from, uint8_t to,
			struct rblk_session_header *h);

/**
 * rblk_session_receive - a datagram came, with the right MAC
 * @s: the session with its sender
 * @h: its header
 * @random: from a good source; a token, if a new one is needed
 *
 * Return: what to do with it. Whoever answers UNKNOWN with a HELLO does so at most a
 * few times per beat interval, as two nodes might do it in turns.
 */
enum rblk_session_verdict rblk_session_receive(struct rblk_session *s,
					       const struct rblk_session_header *h,
					       uint64_t random);

#endif /* RBLK_SESSION_H */

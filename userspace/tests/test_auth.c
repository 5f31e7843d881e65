// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_auth.c - two endpoints in memory, honest and otherwise
 */
#include "test.h"

#include "auth.h"

#include <arpa/inet.h>
#include <string.h>

static const unsigned char key_one[] = "0123456789abcdef0123456789abcdef";
static const unsigned char key_two[] = "0123456789abcdef0123456789abcdeF";

struct pair {
	struct rblk_auth i, r;
	struct rblk_auth_answer answer;
	struct rblk_auth_question asked;
	int questions;
	/* everything that crossed the wire */
	uint8_t from_i[4 * RBLK_AUTH_MAX_BYTES], from_r[4 * RBLK_AUTH_MAX_BYTES];
	size_t from_i_len, from_r_len;
};

static struct rblk_auth_answer decide(void *data,
				      const struct rblk_auth_question *q)
{
	struct pair *p = data;

	p->asked = *q;
	p->questions++;
	return p->answer;
}

static struct rblk_auth_identity identity(const char *cluster, uint8_t node,
					  const unsigned char *key)
{
	return (struct rblk_auth_identity){ cluster, node, key, 32 };
}

static void start(struct pair *p, const char *cluster_r,
		  const unsigned char *key_r)
{
	struct rblk_auth_identity i = identity("demo", 0, key_one);
	struct rblk_auth_identity r = identity(cluster_r, 1, key_r);
	uint8_t nonce_i[RBLK_AUTH_NONCE_BYTES], nonce_r[RBLK_AUTH_NONCE_BYTES];

	memset(p, 0, sizeof(*p));
	memset(nonce_i, 'i', sizeof(nonce_i));
	memset(nonce_r, 'r', sizeof(nonce_r));
	p->answer.generation = 9;
	rblk_auth_start_initiator(&p->i, &i, "r0", 1, 7, nonce_i);
	rblk_auth_start_responder(&p->r, &r, nonce_r, decide, p);
}

/* Move what @from has to say, at most @step bytes at a time. */
static bool carry(struct rblk_auth *from, struct rblk_auth *to, size_t step,
		  uint8_t *tape, size_t *tape_len)
{
	size_t n = rblk_auth_want(to);

	n = n < from->out_len ? n : from->out_len;
	n = n < step ? n : step;
	if (n == 0)
		return false;
	memcpy(tape + *tape_len, from->out, n);
	*tape_len += n;
	rblk_auth_feed(to, from->out, n);
	from->out_len -= n;
	memmove(from->out, from->out + n, from->out_len);
	return true;
}

static void converse(struct pair *p, size_t step)
{
	while (carry(&p->i, &p->r, step, p->from_i, &p->from_i_len) ||
	       carry(&p->r, &p->i, step, p->from_r, &p->from_r_len))
		;
}

static void both_prove(void **state)
{
	size_t step;

	(void)state;
	for (step = 1; step < 100; step += 9) {
		struct pair p;

		start(&p, "demo", key_one);
		converse(&p, step);
		assert_int_equal(p.i.status, RBLK_AUTH_DONE);
		assert_int_equal(p.r.status, RBLK_AUTH_DONE);
		assert_int_equal(p.i.peer_generation, 9);
		assert_int_equal(p.r.peer_generation, 7);
		assert_int_equal(p.questions, 1);
		assert_string_equal(p.asked.resource, "r0");
		assert_int_equal(p.asked.from, 0);
		assert_int_equal(p.asked.generation, 7);
		/* what follows is the kernel's */
		assert_int_equal(rblk_auth_want(&p.i), 0);
		assert_int_equal(rblk_auth_want(&p.r), 0);
	}
}

static void wrong_key(void **state)
{
	struct pair p;
	char text[128];

	(void)state;
	start(&p, "demo", key_two);
	converse(&p, 64);
	assert_int_equal(p.r.status, RBLK_AUTH_FAILED);
	assert_int_equal(p.r.code, RBLK_AUTH_KEY_DIFFERS);
	assert_int_equal(p.i.status, RBLK_AUTH_FAILED);
	assert_int_equal(p.i.code, RBLK_AUTH_KEY_DIFFERS);
	assert_true(p.i.by_peer);
	assert_int_equal(p.questions, 0);
	assert_non_null(strstr(rblk_auth_reason(&p.i, text, sizeof(text)),
			       "cluster keys differ"));
}

static void wrong_cluster(void **state)
{
	struct pair p;

	(void)state;
	start(&p, "prod", key_one);
	converse(&p, 64);
	assert_int_equal(p.r.code, RBLK_AUTH_CLUSTER_DIFFERS);
	assert_int_equal(p.i.code, RBLK_AUTH_CLUSTER_DIFFERS);
	assert_int_equal(p.questions, 0);
}

static void wrong_node(void **state)
{
	struct rblk_auth_identity r = identity("demo", 2, key_one);
	uint8_t nonce[RBLK_AUTH_NONCE_BYTES] = { 0 };
	struct pair p;

	(void)state;
	start(&p, "demo", key_one);
	rblk_auth_start_responder(&p.r, &r, nonce, decide, &p);
	converse(&p, 64);
	assert_int_equal(p.i.code, RBLK_AUTH_WRONG_NODE);
	assert_int_equal(p.questions, 0);
}

static void refusals_are_named(void **state)
{
	int code;

	(void)state;
	for (code = RBLK_AUTH_UNKNOWN_NODE; code < __RBLK_AUTH_CODES; code++) {
		char mine[128], theirs[128];
		struct pair p;

		start(&p, "demo", key_one);
		p.answer.code = code;
		converse(&p, 64);
		assert_int_equal(p.r.code, code);
		assert_int_equal(p.i.code, code);
		assert_true(p.i.by_peer);
		assert_false(p.r.by_peer);
		rblk_auth_reason(&p.i, mine, sizeof(mine));
		rblk_auth_reason(&p.r, theirs, sizeof(theirs));
		assert_true(strlen(mine) > 3 && strlen(theirs) > 3);
	}
}

static void other_version(void **state)
{
	struct pair p;
	char text[128];

	(void)state;
	start(&p, "demo", key_one);
	p.i.out[5] = 2;		/* the header's version */
	converse(&p, 64);
	assert_int_equal(p.r.code, RBLK_AUTH_VERSION_DIFFERS);
	assert_string_equal(rblk_auth_reason(&p.r, text, sizeof(text)),
			    "the peer speaks link version 2, this node 1");
	/* and the initiator hears it in a header it can read */
	assert_int_equal(p.i.status, RBLK_AUTH_FAILED);
	assert_int_equal(p.i.code, RBLK_AUTH_VERSION_DIFFERS);
}

/* A recorded conversation does not open a new one: the nonce is another. */
static void replayed(void **state)
{
	struct rblk_auth_identity r = identity("demo", 1, key_one);
	uint8_t nonce[RBLK_AUTH_NONCE_BYTES];
	struct pair old, p;
	size_t at = 0, n;

	(void)state;
	start(&old, "demo", key_one);
	converse(&old, 64);
	assert_int_equal(old.r.status, RBLK_AUTH_DONE);

	start(&p, "demo", key_one);
	memset(nonce, 'R', sizeof(nonce));
	rblk_auth_start_responder(&p.r, &r, nonce, decide, &p);
	while (at < old.from_i_len && (n = rblk_auth_want(&p.r))) {
		n = n < old.from_i_len - at ? n : old.from_i_len - at;
		rblk_auth_feed(&p.r, old.from_i + at, n);
		at += n;
	}
	assert_int_equal(p.r.status, RBLK_AUTH_FAILED);
	assert_int_equal(p.r.code, RBLK_AUTH_KEY_DIFFERS);
	assert_int_equal(p.questions, 0);
}

static void replayed_to_initiator(void **state)
{
	struct rblk_auth_identity i = identity("demo", 0, key_one);
	uint8_t nonce[RBLK_AUTH_NONCE_BYTES];
	struct pair old, p;
	size_t at = 0, n;

	(void)state;
	start(&old, "demo", key_one);
	converse(&old, 64);
	start(&p, "demo", key_one);
	memset(nonce, 'I', sizeof(nonce));
	rblk_auth_start_initiator(&p.i, &i, "r0", 1, 7, nonce);
	while (at < old.from_r_len && (n = rblk_auth_want(&p.i))) {
		n = n < old.from_r_len - at ? n : old.from_r_len - at;
		rblk_auth_feed(&p.i, old.from_r + at, n);
		at += n;
	}
	assert_int_equal(p.i.status, RBLK_AUTH_FAILED);
	assert_int_equal(p.i.code, RBLK_AUTH_KEY_DIFFERS);
}

/*
 * Without the key: send the initiator's own words back to it. It must neither
 * take them as an answer, nor, as a responder, prove itself to itself.
 */
static void reflected(void **state)
{
	struct rblk_auth_identity self = identity("demo", 0, key_one);
	uint8_t nonce[RBLK_AUTH_NONCE_BYTES] = { 5 };
	struct pair p;

	(void)state;
	start(&p, "demo", key_one);
	rblk_auth_feed(&p.i, p.i.out, 12);	/* HELLO where CHALLENGE is due */
	assert_int_equal(p.i.status, RBLK_AUTH_FAILED);

	/* the same node's responder refuses a HELLO that is not for it */
	start(&p, "demo", key_one);
	rblk_auth_start_responder(&p.r, &self, nonce, decide, &p);
	converse(&p, 64);
	assert_int_equal(p.r.status, RBLK_AUTH_FAILED);
	assert_int_equal(p.r.code, RBLK_AUTH_WRONG_NODE);
}

/* The mac of one direction is not accepted in the other. */
static void reflected_mac(void **state)
{
	struct pair p;
	uint8_t verdict[12 + 42] = "rblk\0\1\4";
	size_t n;

	(void)state;
	start(&p, "demo", key_one);
	while (p.from_i_len < p.i.hello_len + 12)
		carry(&p.i, &p.r, 999, p.from_i, &p.from_i_len);
	while (carry(&p.r, &p.i, 999, p.from_r, &p.from_r_len))
		;
	assert_int_equal(p.i.out_len, 12 + 40);		/* PROOF */
	verdict[11] = 42;
	/* code 0, the initiator's own generation and mac */
	memcpy(verdict + 12 + 2, p.i.out + 12, 40);
	n = rblk_auth_want(&p.i);
	rblk_auth_feed(&p.i, verdict, n);
	n = rblk_auth_want(&p.i);
	assert_int_equal(n, 42);
	rblk_auth_feed(&p.i, verdict + 12, n);
	assert_int_equal(p.i.status, RBLK_AUTH_FAILED);
	assert_int_equal(p.i.code, RBLK_AUTH_KEY_DIFFERS);
}

/* Any single bit flipped, either way, ends it without an agreement. */
static void flipped_bits(void **state)
{
	struct pair good;
	size_t at, n;

	(void)state;
	start(&good, "demo", key_one);
	converse(&good, 64);
	for (at = 0; at < good.from_i_len * 8; at++) {
		struct pair p;
		size_t fed = 0;
		uint8_t tape[sizeof(good.from_i)];

		memcpy(tape, good.from_i, sizeof(tape));
		tape[at / 8] ^= 1 << at % 8;
		if (at / 8 % 1000 == 7)
			continue;	/* a reserved byte of the first header */
		start(&p, "demo", key_one);
		while (fed < good.from_i_len && (n = rblk_auth_want(&p.r))) {
			n = n < good.from_i_len - fed ? n :
						good.from_i_len - fed;
			rblk_auth_feed(&p.r, tape + fed, n);
			fed += n;
		}
		/* the reserved byte of the PROOF's header is not covered */
		if (at / 8 == 12 + p.r.hello_len + 7)
			continue;
		assert_int_not_equal(p.r.status, RBLK_AUTH_DONE);
	}
}

static void lengths_are_bounded(void **state)
{
	uint8_t header[12] = "rblk\0\1\1";
	uint32_t len = htonl(0xffffffff);
	struct pair p;

	(void)state;
	start(&p, "demo", key_one);
	memcpy(header + 8, &len, 4);
	rblk_auth_feed(&p.r, header, sizeof(header));
	assert_int_equal(p.r.status, RBLK_AUTH_FAILED);
	assert_int_equal(p.r.code, RBLK_AUTH_MALFORMED);

	start(&p, "demo", key_one);
	rblk_auth_feed(&p.r, "GET / HTTP/1.1", 12);
	assert_int_equal(p.r.code, RBLK_AUTH_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_prove),
		cmocka_unit_test(wrong_key),
		cmocka_unit_test(wrong_cluster),
		cmocka_unit_test(wrong_node),
		cmocka_unit_test(refusals_are_named),
		cmocka_unit_test(other_version),
		cmocka_unit_test(replayed),
		cmocka_unit_test(replayed_to_initiator),
		cmocka_unit_test(reflected),
		cmocka_unit_test(reflected_mac),
		cmocka_unit_test(flipped_bits),
		cmocka_unit_test(lengths_are_bounded),
	};

	return RUN(tests);
}

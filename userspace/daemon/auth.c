// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * auth.c - mutual challenge and response, as a pure state machine
 */
#include "auth.h"

#include "bytes.h"
#include "text.h"

#include <endian.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define HEADER_BYTES	12
#define MAGIC		"rblk"

enum frame_type {
	FRAME_HELLO = 1,
	FRAME_CHALLENGE,
	FRAME_PROOF,
	FRAME_VERDICT,
	FRAME_ERROR,
};

/* Append one frame of @len bytes to the output. */
static void send_frame(struct rblk_auth *a, enum frame_type type,
		       const void *payload, size_t len)
{
	struct rblk_bytes c = { a->out + a->out_len,
			    sizeof(a->out) - a->out_len, false };

	rblk_bytes_put(&c, MAGIC, 4);
	rblk_bytes_put_u16(&c, RBLK_AUTH_VERSION);
	rblk_bytes_put_u8(&c, type);
	rblk_bytes_put_u8(&c, 0);
	rblk_bytes_put_u32(&c, len);
	rblk_bytes_put(&c, payload, len);
	if (!c.bad)
		a->out_len = sizeof(a->out) - c.left;
}

static void fail(struct rblk_auth *a, enum rblk_auth_code code, bool by_peer)
{
	a->status = RBLK_AUTH_FAILED;
	a->code = code;
	a->by_peer = by_peer;
}

/* Fail, and tell the peer the code and nothing else. */
static void fail_aloud(struct rblk_auth *a, enum rblk_auth_code code)
{
	uint16_t wire = htobe16(code);

	send_frame(a, FRAME_ERROR, &wire, sizeof(wire));
	fail(a, code, false);
}

/* What both sides must have seen alike. */
static void mac_begin(const struct rblk_auth *a, gnutls_hmac_hd_t *h,
		      const char *label)
{
	uint32_t len = htobe32(a->hello_len);

	if (gnutls_hmac_init(h, GNUTLS_MAC_SHA256, a->self.key,
			     a->self.key_len) < 0)
		__builtin_trap();
	gnutls_hmac(*h, label, strlen(label) + 1);
	gnutls_hmac(*h, &len, sizeof(len));
	gnutls_hmac(*h, a->hello, a->hello_len);
	gnutls_hmac(*h, a->nonce, sizeof(a->nonce));
}

static void mac_initiator(const struct rblk_auth *a, uint64_t generation,
			  uint8_t mac[RBLK_AUTH_MAC_BYTES])
{
	uint64_t gen = htobe64(generation);
	gnutls_hmac_hd_t h;

	mac_begin(a, &h, "rblk link 1 initiator");
	gnutls_hmac(h, &gen, sizeof(gen));
	gnutls_hmac_deinit(h, mac);
}

static void mac_responder(const struct rblk_auth *a, uint16_t code,
			  uint64_t generation, uint8_t mac[RBLK_AUTH_MAC_BYTES])
{
	uint64_t theirs = htobe64(a->initiator ? a->generation :
						 a->peer_generation);
	uint64_t gen = htobe64(generation);
	gnutls_hmac_hd_t h;

	code = htobe16(code);
	mac_begin(a, &h, "rblk link 1 responder");
	gnutls_hmac(h, &theirs, sizeof(theirs));
	gnutls_hmac(h, &code, sizeof(code));
	gnutls_hmac(h, &gen, sizeof(gen));
	gnutls_hmac_deinit(h, mac);
}

static bool macs_are_equal(const uint8_t *a, const uint8_t *b)
{
	return gnutls_memcmp(a, b, RBLK_AUTH_MAC_BYTES) == 0;
}

void rblk_auth_start_initiator(struct rblk_auth *a,
			       const struct rblk_auth_identity *self,
			       const char *resource, uint8_t peer_id,
			       uint64_t generation, const uint8_t *nonce)
{
	struct rblk_bytes c = { a->hello, sizeof(a->hello), false };

	*a = (struct rblk_auth){
		.self = *self, .initiator = true, .peer_id = peer_id,
		.expect = FRAME_CHALLENGE, .generation = generation,
	};
	rblk_text_copy(a->resource, sizeof(a->resource), resource);
	rblk_bytes_put_u8(&c, self->node_id);
	rblk_bytes_put_u8(&c, peer_id);
	rblk_bytes_put_name(&c, self->cluster);
	rblk_bytes_put_name(&c, resource);
	rblk_bytes_put(&c, nonce, RBLK_AUTH_NONCE_BYTES);
	a->hello_len = sizeof(a->hello) - c.left;
	send_frame(a, FRAME_HELLO, a->hello, a->hello_len);
}

void rblk_auth_start_responder(struct rblk_auth *a,
			       const struct rblk_auth_identity *self,
			       const uint8_t *nonce,
			       rblk_auth_decide_fn decide, void *data)
{
	*a = (struct rblk_auth){
		.self = *self, .expect = FRAME_HELLO,
		.decide = decide, .decide_data = data,
	};
	memcpy(a->nonce, nonce, sizeof(a->nonce));
}

static void take_hello(struct rblk_auth *a, struct rblk_bytes *c)
{
	char cluster[RBLK_NAME_SIZE];
	uint8_t nonce[RBLK_AUTH_NONCE_BYTES];
	uint8_t to;

	a->hello_len = c->left;
	memcpy(a->hello, c->at, c->left);
	a->peer_id = rblk_bytes_get_u8(c);
	to = rblk_bytes_get_u8(c);
	rblk_bytes_get_name(c, cluster);
	rblk_bytes_get_name(c, a->resource);
	rblk_bytes_get(c, nonce, sizeof(nonce));
	if (c->bad || c->left || a->peer_id >= RBLK_MAX_NODES) {
		fail_aloud(a, RBLK_AUTH_MALFORMED);
	} else if (strcmp(cluster, a->self.cluster) != 0) {
		fail_aloud(a, RBLK_AUTH_CLUSTER_DIFFERS);
	} else if (to != a->self.node_id || a->peer_id == to) {
		fail_aloud(a, RBLK_AUTH_WRONG_NODE);
	} else {
		send_frame(a, FRAME_CHALLENGE, a->nonce, sizeof(a->nonce));
		a->expect = FRAME_PROOF;
	}
}

static void take_challenge(struct rblk_auth *a, struct rblk_bytes *c)
{
	uint8_t payload[8 + RBLK_AUTH_MAC_BYTES];
	struct rblk_bytes out = { payload, sizeof(payload), false };
	uint8_t mac[RBLK_AUTH_MAC_BYTES];

	rblk_bytes_get(c, a->nonce, sizeof(a->nonce));
	if (c->bad || c->left) {
		fail_aloud(a, RBLK_AUTH_MALFORMED);
		return;
	}
	mac_initiator(a, a->generation, mac);
	rblk_bytes_put_u64(&out, a->generation);
	rblk_bytes_put(&out, mac, sizeof(mac));
	send_frame(a, FRAME_PROOF, payload, sizeof(payload));
	a->expect = FRAME_VERDICT;
}

static void send_verdict(struct rblk_auth *a, struct rblk_auth_answer answer)
{
	uint8_t payload[2 + 8 + RBLK_AUTH_MAC_BYTES];
	struct rblk_bytes out = { payload, sizeof(payload), false };
	uint8_t mac[RBLK_AUTH_MAC_BYTES];

	mac_responder(a, answer.code, answer.generation, mac);
	rblk_bytes_put_u16(&out, answer.code);
	rblk_bytes_put_u64(&out, answer.generation);
	rblk_bytes_put(&out, mac, sizeof(mac));
	send_frame(a, FRAME_VERDICT, payload, sizeof(payload));
	a->generation = answer.generation;
	if (answer.code == RBLK_AUTH_OK)
		a->status = RBLK_AUTH_DONE;
	else
		fail(a, answer.code, false);
}

static void take_proof(struct rblk_auth *a, struct rblk_bytes *c)
{
	struct rblk_auth_question question = { .from = a->peer_id };
	uint8_t mac[RBLK_AUTH_MAC_BYTES], want[RBLK_AUTH_MAC_BYTES];

	a->peer_generation = rblk_bytes_get_u64(c);
	rblk_bytes_get(c, mac, sizeof(mac));
	if (c->bad || c->left) {
		fail_aloud(a, RBLK_AUTH_MALFORMED);
		return;
	}
	mac_initiator(a, a->peer_generation, want);
	if (!macs_are_equal(mac, want)) {
		fail_aloud(a, RBLK_AUTH_KEY_DIFFERS);
		return;
	}
	question.generation = a->peer_generation;
	rblk_text_copy(question.resource, sizeof(question.resource),
		       a->resource);
	send_verdict(a, a->decide(a->decide_data, &question));
}

static void take_verdict(struct rblk_auth *a, struct rblk_bytes *c)
{
	uint8_t mac[RBLK_AUTH_MAC_BYTES], want[RBLK_AUTH_MAC_BYTES];
	uint16_t code = rblk_bytes_get_u16(c);
	uint64_t generation = rblk_bytes_get_u64(c);

	rblk_bytes_get(c, mac, sizeof(mac));
	if (c->bad || c->left || code >= __RBLK_AUTH_CODES) {
		fail(a, RBLK_AUTH_MALFORMED, false);
		return;
	}
	mac_responder(a, code, generation, want);
	if (!macs_are_equal(mac, want)) {
		fail(a, RBLK_AUTH_KEY_DIFFERS, false);
		return;
	}
	a->peer_generation = generation;
	if (code == RBLK_AUTH_OK)
		a->status = RBLK_AUTH_DONE;
	else
		fail(a, code, true);
}

static void take_error(struct rblk_auth *a, struct rblk_bytes *c)
{
	uint16_t code = rblk_bytes_get_u16(c);

	if (c->bad || c->left || code == RBLK_AUTH_OK ||
	    code >= __RBLK_AUTH_CODES)
		code = RBLK_AUTH_MALFORMED;
	fail(a, code, true);
}

/* Magic, version and length, as soon as there is a header. */
static size_t check_header(struct rblk_auth *a, uint8_t *type)
{
	struct rblk_bytes c = { a->in, a->in_len, false };
	char magic[4];
	uint32_t len;

	rblk_bytes_get(&c, magic, sizeof(magic));
	a->peer_version = rblk_bytes_get_u16(&c);
	*type = rblk_bytes_get_u8(&c);
	rblk_bytes_get_u8(&c);
	len = rblk_bytes_get_u32(&c);
	if (memcmp(magic, MAGIC, 4) != 0)
		fail(a, RBLK_AUTH_MALFORMED, false);
	else if (a->peer_version != RBLK_AUTH_VERSION && *type == FRAME_ERROR)
		fail(a, RBLK_AUTH_VERSION_DIFFERS, true);
	else if (a->peer_version != RBLK_AUTH_VERSION)
		fail_aloud(a, RBLK_AUTH_VERSION_DIFFERS);
	else if ((*type != a->expect && *type != FRAME_ERROR) ||
		 len > sizeof(a->in) - HEADER_BYTES)
		fail_aloud(a, RBLK_AUTH_MALFORMED);
	return len;
}

size_t rblk_auth_want(const struct rblk_auth *a)
{
	uint32_t len;

	if (a->status != RBLK_AUTH_RUNNING)
		return 0;
	if (a->in_len < HEADER_BYTES)
		return HEADER_BYTES - a->in_len;
	memcpy(&len, a->in + 8, sizeof(len));
	return HEADER_BYTES + be32toh(len) - a->in_len;
}

static void take_frame(struct rblk_auth *a, uint8_t type)
{
	struct rblk_bytes c = { a->in + HEADER_BYTES, a->in_len - HEADER_BYTES,
			    false };

	a->in_len = 0;
	switch (type) {
	case FRAME_HELLO:
		take_hello(a, &c);
		break;
	case FRAME_CHALLENGE:
		take_challenge(a, &c);
		break;
	case FRAME_PROOF:
		take_proof(a, &c);
		break;
	case FRAME_VERDICT:
		take_verdict(a, &c);
		break;
	case FRAME_ERROR:
		take_error(a, &c);
		break;
	}
}

void rblk_auth_feed(struct rblk_auth *a, const void *bytes, size_t n)
{
	uint8_t type;
	size_t len;

	if (n == 0 || n > rblk_auth_want(a))
		return;
	memcpy(a->in + a->in_len, bytes, n);
	a->in_len += n;
	if (a->in_len < HEADER_BYTES)
		return;
	len = check_header(a, &type);
	if (a->status == RBLK_AUTH_RUNNING && a->in_len == HEADER_BYTES + len)
		take_frame(a, type);
}

/* As said of a refusal by the peer, and of one by this node. */
static const char *const reasons[__RBLK_AUTH_CODES][2] = {
	[RBLK_AUTH_OK] = { "accepted", "accepted" },
	[RBLK_AUTH_CLUSTER_DIFFERS] = {
		"the peer is in a cluster of another name",
		"the peer is in a cluster of another name" },
	[RBLK_AUTH_KEY_DIFFERS] = {
		"the cluster keys differ: compare the key files (sha256sum)",
		"the cluster keys differ: compare the key files (sha256sum)" },
	[RBLK_AUTH_MALFORMED] = {
		"the peer does not understand this node",
		"the other end does not speak rblk's protocol" },
	[RBLK_AUTH_WRONG_NODE] = {
		"a node of another id answers at that address",
		"the peer expects a node of another id at this address" },
	[RBLK_AUTH_UNKNOWN_NODE] = {
		"this node is not in the peer's configuration of the resource",
		"the peer is not in the configuration of the resource here" },
	[RBLK_AUTH_UNKNOWN_RESOURCE] = {
		"the peer's configuration has no such resource",
		"the configuration here has no such resource" },
	[RBLK_AUTH_NOT_UP] = {
		"the resource is not up on the peer",
		"the resource is not up here" },
	[RBLK_AUTH_DISCONNECTED] = {
		"disconnected by the administrator of the peer",
		"disconnected by the administrator" },
	[RBLK_AUTH_WILL_CALL] = { "the peer will connect", "will connect" },
	[RBLK_AUTH_BUSY] = { "the peer is busy with this link", "busy" },
};

const char *rblk_auth_reason(const struct rblk_auth *a, char *buf, size_t size)
{
	if (a->code == RBLK_AUTH_VERSION_DIFFERS)
		return rblk_text_format(buf, size,
					"the peer speaks link version %u, this node %u",
					a->peer_version, RBLK_AUTH_VERSION);
	return rblk_text_format(buf, size, "%s", reasons[a->code][!a->by_peer]);
}

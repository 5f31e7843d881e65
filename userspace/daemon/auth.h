/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auth.h - two nodes prove to each other that they hold the cluster key
 *
 * Four frames cross a fresh TCP connection before the kernel gets it:
 *
 *   initiator                                 responder
 *     HELLO   ids, cluster, resource, nonce ->
 *                                          <- CHALLENGE  nonce
 *     PROOF   generation, mac               ->
 *                                          <- VERDICT    code, text,
 *                                                        generation, mac
 *
 * A mac is HMAC-SHA256 with the cluster key over a label that names the
 * direction, the whole HELLO, the responder's nonce and the other fields of
 * its frame: nothing recorded earlier and nothing sent back fits. Until the
 * PROOF has been checked the responder says no more than ERROR and a code,
 * and of those only that the version or the cluster is another one.
 *
 * A frame is magic "rblk", version, type, length and that many bytes. This
 * file does no I/O: the shell reads exactly rblk_auth_want() bytes, because
 * what follows VERDICT belongs to the kernel.
 */
#ifndef RBLK_AUTH_H
#define RBLK_AUTH_H

#include <rblk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RBLK_AUTH_VERSION	1
#define RBLK_AUTH_NONCE_BYTES	32
#define RBLK_AUTH_MAC_BYTES	32
#define RBLK_AUTH_MAX_BYTES	512	/* of one frame, header included */
#define RBLK_AUTH_LIMIT_MS	5000	/* for the whole exchange */

enum rblk_auth_code {
	RBLK_AUTH_OK,
	RBLK_AUTH_VERSION_DIFFERS,
	RBLK_AUTH_CLUSTER_DIFFERS,
	RBLK_AUTH_KEY_DIFFERS,
	RBLK_AUTH_MALFORMED,
	RBLK_AUTH_WRONG_NODE,		/* the address belongs to another node */
	RBLK_AUTH_UNKNOWN_NODE,
	RBLK_AUTH_UNKNOWN_RESOURCE,
	RBLK_AUTH_NOT_UP,
	RBLK_AUTH_DISCONNECTED,
	RBLK_AUTH_WILL_CALL,		/* the lower id connects; it will now */
	RBLK_AUTH_BUSY,
	__RBLK_AUTH_CODES,
};

enum rblk_auth_status {
	RBLK_AUTH_RUNNING,
	RBLK_AUTH_DONE,		/* hand over, once the output is written */
	RBLK_AUTH_FAILED,	/* close, once the output is written */
};

struct rblk_auth_identity {
	const char *cluster;
	uint8_t node_id;
	const unsigned char *key;
	size_t key_len;
};

/* The responder's question to its owner, once the initiator is proven. */
struct rblk_auth_question {
	char resource[RBLK_NAME_SIZE];
	uint8_t from;
	uint64_t generation;		/* the initiator's highest */
};

struct rblk_auth_answer {
	enum rblk_auth_code code;
	uint64_t generation;		/* this node's highest */
};

typedef struct rblk_auth_answer
(*rblk_auth_decide_fn)(void *data, const struct rblk_auth_question *question);

struct rblk_auth {
	struct rblk_auth_identity self;
	bool initiator;
	uint8_t expect;			/* frame type to come */
	enum rblk_auth_status status;
	enum rblk_auth_code code;	/* why it failed */
	bool by_peer;			/* the other side said so */
	uint16_t peer_version;

	char resource[RBLK_NAME_SIZE];
	uint8_t peer_id;		/* responder: valid after HELLO */
	uint64_t generation;
	uint64_t peer_generation;	/* proven, valid when DONE */

	uint8_t hello[RBLK_AUTH_MAX_BYTES];
	size_t hello_len;
	uint8_t nonce[RBLK_AUTH_NONCE_BYTES];	/* the responder's */
	rblk_auth_decide_fn decide;
	void *decide_data;

	uint8_t in[RBLK_AUTH_MAX_BYTES];
	size_t in_len;
	uint8_t out[RBLK_AUTH_MAX_BYTES];
	size_t out_len;
};

/* @nonce: RBLK_AUTH_NONCE_BYTES fresh random bytes. */
void rblk_auth_start_initiator(struct rblk_auth *a,
			       const struct rblk_auth_identity *self,
			       const char *resource, uint8_t peer_id,
			       uint64_t generation, const uint8_t *nonce);
void rblk_auth_start_responder(struct rblk_auth *a,
			       const struct rblk_auth_identity *self,
			       const uint8_t *nonce,
			       rblk_auth_decide_fn decide, void *data);

/* How many bytes may be read now; 0 when it is over. */
size_t rblk_auth_want(const struct rblk_auth *a);

/* Take at most rblk_auth_want() bytes. New output may be in a->out. */
void rblk_auth_feed(struct rblk_auth *a, const void *bytes, size_t n);

/*
 * One clause for logs and status of this node, such as "the cluster keys
 * differ"; who refused matters for some.
 */
const char *rblk_auth_reason(const struct rblk_auth *a, char *buf, size_t size);

#endif

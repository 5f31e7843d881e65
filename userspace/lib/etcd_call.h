/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * etcd_call.h - one key in an etcd: requests, and what is made of the answers
 *
 * By etcd's JSON gateway: a POST to /v3/kv/range or /v3/kv/txn. Both are
 * linearizable: an answer tells what held at a moment between question and answer.
 * Who sends them decides how: rblkd beside its loop, rblk by waiting.
 */
#ifndef RBLK_ETCD_CALL_H
#define RBLK_ETCD_CALL_H

#include "config.h"
#include "curl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RBLK_ETCD_VALUE_BYTES	1024	/* more is none of ours */
#define RBLK_ETCD_ANSWER_BYTES	65536

/**
 * struct rblk_etcd_call - a request on its way
 * @resource: whose register it is about
 * @id: for the caller, to know it again
 * @url: where to
 * @ca_file: of an https URL; NULL: the system's
 * @cert_file: of this node, or NULL
 * @key_file: of that
 * @body: what to send
 * @timeout_ms: connection, request and answer together
 * @ok: there is an answer, with status 200
 * @answer: it; a string
 * @length: of it
 * @why: else why there is none
 * @next: for whoever has it
 */
struct rblk_etcd_call {
	char resource[RBLK_NAME_SIZE];
	uint32_t id;
	char *url;
	char *ca_file;
	char *cert_file;
	char *key_file;
	char *body;
	uint32_t timeout_ms;
	bool ok;
	char *answer;
	size_t length;
	char why[512];
	struct rblk_etcd_call *next;
};

/**
 * struct rblk_etcd_reply - an answer that makes sense
 * @cluster: number of the etcd cluster
 * @swapped: a write was made, with @revision; there is no value then
 * @found: there is a value
 * @revision: of it
 * @value: it
 * @n: bytes of it
 */
struct rblk_etcd_reply {
	uint64_t cluster;
	bool swapped;
	bool found;
	uint64_t revision;
	uint8_t value[RBLK_ETCD_VALUE_BYTES];
	size_t n;
};

/**
 * rblk_etcd_key - where a register is
 * @cluster: of rblk
 * @resource: whose
 *
 * Return: to be freed.
 */
char *rblk_etcd_key(const char *cluster, const char *resource);

/**
 * rblk_etcd_new_call - for one endpoint
 * @etcd: as configured
 * @endpoint: index; any number is one
 * @timeout_ms: see struct rblk_etcd_call
 *
 * Return: a call without a request.
 */
struct rblk_etcd_call *rblk_etcd_new_call(const struct rblk_config_etcd *etcd,
					  unsigned int endpoint,
					  uint32_t timeout_ms);

/**
 * rblk_etcd_free_call - and what belongs to it
 * @call: a call, or NULL
 */
void rblk_etcd_free_call(struct rblk_etcd_call *call);

/**
 * rblk_etcd_ask_to_read - what is there
 * @call: gets the request
 * @key: which
 */
void rblk_etcd_ask_to_read(struct rblk_etcd_call *call, const char *key);

/**
 * rblk_etcd_ask_to_swap - write if it is still that revision; else what is there
 * @call: gets the request
 * @key: which
 * @revision: 0: if there is none
 * @value: to write
 * @n: bytes of it
 */
void rblk_etcd_ask_to_swap(struct rblk_etcd_call *call, const char *key,
			   uint64_t revision, const uint8_t *value, size_t n);

/**
 * rblk_etcd_begin - a transfer of that call
 * @call: what to send; must stay until the transfer is over
 *
 * Return: for curl to perform, then for rblk_etcd_end(); NULL when there is no
 * curl: the call has failed.
 */
CURL *rblk_etcd_begin(struct rblk_etcd_call *call);

/**
 * rblk_etcd_end - a transfer is over
 * @call: gets @ok, or @why not
 * @curl: of rblk_etcd_begin()
 * @code: how it ended
 */
void rblk_etcd_end(struct rblk_etcd_call *call, CURL *curl, CURLcode code);

/**
 * rblk_etcd_parse - what an answer says
 * @text: the answer
 * @length: of it
 * @key: that was asked for
 * @swap: it was a write
 * @reply: filled in
 *
 * Return: NULL, or what is wrong with it.
 */
const char *rblk_etcd_parse(const char *text, size_t length, const char *key,
			    bool swap, struct rblk_etcd_reply *reply);

#endif

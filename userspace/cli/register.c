// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * register.c - what nodes vote with, and who votes: rblk create, readmit, dismiss
 */
#include "cli.h"

#include "ballot_store.h"
#include "ctlproto.h"
#include "etcd_call.h"
#include "ident.h"
#include "policy.h"
#include "shared.h"
#include "store.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ETCD_MS		5000	/* for one endpoint */

static struct rblk_ballot_place place_of(const struct rblk_config *config,
					 const struct rblk_config_resource *resource,
					 const struct rblk_config_node *node)
{
	struct rblk_ballot_place p = {
		.state_dir = rblk_ctl_state_dir(),
		.outside_dir = rblk_ballot_outside_dir(), .node = node->id,
	};

	rblk_text_copy(p.resource, sizeof(p.resource), resource->name);
	rblk_ident_uuid(config->cluster, resource->name, p.uuid);
	return p;
}

static struct rblk_arbiter_store first_of(const struct rblk_config_resource *r)
{
	uint16_t voters = r->members | r->witnesses;

	return (struct rblk_arbiter_store){
		.record = { .version = 1, .primary = RBLK_ARBITER_NOBODY, .idle = true,
			    .insync = r->members, .voters = voters,
			    .voters_before = voters },
	};
}

/* rblkd looks for it every now and then; told, it has it when we return. */
static void tell_daemon(void)
{
	json_decref(rblk_cli_try_daemon(rblk_cli_new_request("reload", NULL),
					NULL));
}

/* Returns what is wrong, or NULL. An endpoint that was silent may have written it. */
static const char *swap_in(const struct rblk_config *config, unsigned int endpoint,
			   const char *key, const uint8_t *bytes,
			   struct rblk_etcd_reply *reply, char *why, size_t why_size)
{
	struct rblk_etcd_call *call = rblk_etcd_new_call(&config->etcd, endpoint,
							 ETCD_MS);
	const char *wrong;
	CURL *curl;

	rblk_etcd_ask_to_swap(call, key, 0, bytes, RBLK_SHARED_BYTES);
	curl = rblk_etcd_begin(call);
	if (curl)
		rblk_etcd_end(call, curl, rblk_curl(NULL, 0)->easy_perform(curl));
	if (call->ok) {
		wrong = rblk_etcd_parse(call->answer, call->length, key, true, reply);
		if (wrong)
			rblk_text_format(why, why_size, "%s: bad answer: %s",
					 call->url, wrong);
	} else {
		rblk_text_copy(why, why_size, call->why);
		wrong = why;
	}
	rblk_etcd_free_call(call);
	return wrong ? why : NULL;
}

/* What this node promised before there was this register: the next one is above it. */
static uint64_t promised_here(const char *resource, const uint8_t *uuid)
{
	struct rblk_store_record record = { .generation = 0 };

	memcpy(record.uuid, uuid, sizeof(record.uuid));
	return rblk_store_load(rblk_ctl_state_dir(), resource, &record) < 0 ? 0 :
	       rblk_policy_gen_of(record.generation);
}

/* All nodes do this; whoever is first creates it. */
static int create_in_etcd(const struct rblk_config *config,
			  const struct rblk_config_resource *resource,
			  const struct rblk_config_node *node, bool has_data)
{
	struct rblk_shared_value value = {
		.store = first_of(resource), .serial = 1,
		.lease = resource->failover.lease_ms,
	};
	char *key = rblk_etcd_key(config->cluster, resource->name);
	uint8_t bytes[RBLK_SHARED_BYTES], uuid[RBLK_UUID_SIZE];
	const char *wrong = "there is no endpoint";
	struct rblk_etcd_reply reply;
	char why[1024];
	unsigned int i;

	rblk_ident_uuid(config->cluster, resource->name, uuid);
	value.store.record.gen = promised_here(resource->name, uuid);
	if (has_data)
		value.store.record.insync = 1U << node->id;
	if (getrandom(value.nonce, sizeof(value.nonce), 0) != sizeof(value.nonce))
		abort();
	rblk_shared_put(bytes, uuid, &value);
	for (i = 0; wrong && i < config->etcd.endpoints_n; i++)
		wrong = swap_in(config, i, key, bytes, &reply, why, sizeof(why));
	free(key);
	if (wrong)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, resource->name,
				     "its register: etcd: %s", wrong);
	printf(reply.swapped ? "%s: register created in etcd\n" :
			       "%s: its register in etcd stays as it is\n",
	       resource->name);
	tell_daemon();
	return 0;
}

int rblk_cli_create_register(const struct rblk_config *config,
			     const struct rblk_config_resource *resource,
			     const struct rblk_config_node *node, bool has_data)
{
	const struct rblk_arbiter_store first = first_of(resource);
	struct rblk_ballot_place place = place_of(config, resource, node);
	struct rblk_ballot_store store;
	char why[1024];

	if (!rblk_config_decides(resource))
		return 0;
	if (resource->failover.arbiter == RBLK_CONFIG_ETCD)
		return create_in_etcd(config, resource, node, has_data);
	if (rblk_ballot_exists(&place)) {
		printf("%s: its register stays as it is\n", resource->name);
		return 0;
	}
	if (!rblk_ballot_create(&store, &place, &first, why, sizeof(why)))
		return rblk_cli_fail(RBLK_EXIT_REFUSED, resource->name,
				     "its register: %s", why);
	rblk_ballot_close(&store);
	printf("%s: register created\n", resource->name);
	tell_daemon();
	return 0;
}

static int change_voter(const char *verb, int argc, char **argv)
{
	const struct rblk_cli_option options[] = { { NULL, NULL, NULL } };
	int rc = rblk_cli_options(verb, options, &argc, &argv);
	json_t *request;

	if (rc)
		return rc;
	if (argc != 2)
		return rblk_cli_usage(verb);
	request = rblk_cli_new_request(verb, argv[0]);
	json_object_set_new(request, "node", json_string(argv[1]));
	return rblk_cli_ask_daemon(request);
}

int rblk_cmd_readmit(struct rblk_cli *cli, int argc, char **argv)
{
	(void)cli;
	return change_voter("readmit", argc, argv);
}

int rblk_cmd_dismiss(struct rblk_cli *cli, int argc, char **argv)
{
	(void)cli;
	return change_voter("dismiss", argc, argv);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * plan.c - configuration to netlink requests
 */
#include "plan.h"

#include "ident.h"
#include "text.h"
#include "xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rblk_kreq *add(struct rblk_plan *plan, uint8_t cmd,
			     const char *name, enum rblk_attr nest)
{
	struct rblk_kreq *req;

	plan->reqs = rblk_xrealloc(plan->reqs,
				   (plan->n + 1) * sizeof(*plan->reqs));
	req = &plan->reqs[plan->n++];
	*req = (struct rblk_kreq){ .cmd = cmd, .nest = nest };
	rblk_text_copy(req->name, sizeof(req->name), name);
	return req;
}

/* From the beginning: who promotes by hand meanwhile has no lease either. */
static void add_failover(struct rblk_kresource *k,
			 const struct rblk_config_failover *f)
{
	if (!f->automatic || f->arbiter == RBLK_CONFIG_EXTERNAL)
		return;
	k->has |= RBLK_HAS(RBLK_RES_LEASED) | RBLK_HAS(RBLK_RES_LEASE_ERROR) |
		  RBLK_HAS(RBLK_RES_MIN_IN_SYNC) |
		  RBLK_HAS(RBLK_RES_MIN_IN_SYNC_ERROR);
	k->leased = 1;
	k->lease_error = f->lease_error;
	k->min_in_sync = f->min_in_sync;
	k->min_in_sync_error = f->min_in_sync_error;
}

static void add_resource(struct rblk_plan *plan, const struct rblk_config *c,
			 const struct rblk_config_node *node,
			 const struct rblk_config_resource *r,
			 uint64_t generation)
{
	struct rblk_kresource *k = &add(plan, RBLK_CMD_RESOURCE_NEW, r->name,
					RBLK_A_RESOURCE)->resource;

	k->has = RBLK_HAS(RBLK_RES_NODE_ID) | RBLK_HAS(RBLK_RES_NODE_NAME) |
		 RBLK_HAS(RBLK_RES_UUID) | RBLK_HAS(RBLK_RES_GENERATION) |
		 RBLK_HAS(RBLK_RES_ACKS) | RBLK_HAS(RBLK_RES_DATA_CRC) |
		 RBLK_HAS(RBLK_RES_ZERO_DETECT) |
		 RBLK_HAS(RBLK_RES_PASS_DISK_ERRORS) |
		 RBLK_HAS(RBLK_RES_DISK_TIMEOUT_MS) |
		 RBLK_HAS(RBLK_RES_READ_FROM_BACKUP);
	k->node_id = node->id;
	rblk_text_copy(k->node_name, sizeof(k->node_name), node->name);
	rblk_ident_uuid(c->cluster, r->name, k->uuid);
	k->generation = generation;
	k->acks = r->acks;
	k->data_crc = r->data_crc;
	k->zero_detect = r->zero_detect;
	k->pass_disk_errors = r->pass_disk_errors;
	k->disk_timeout_ms = r->disk_timeout_ms;
	k->read_from_backup = !!(r->read_from_backup & (1U << node->id));
	add_failover(k, &r->failover);
	if (r->log_bytes) {
		k->has |= RBLK_HAS(RBLK_RES_LOG_BYTES);
		k->log_bytes = r->log_bytes;
	}
}

static void add_volume(struct rblk_plan *plan,
		       const struct rblk_config_resource *r,
		       const struct rblk_config_volume *v, unsigned int node)
{
	struct rblk_kvolume *k = &add(plan, RBLK_CMD_VOLUME_NEW, r->name,
				      RBLK_A_VOLUME)->volume;

	k->has = RBLK_HAS(RBLK_VOL_ID) | RBLK_HAS(RBLK_VOL_MINOR) |
		 RBLK_HAS(RBLK_VOL_DISK);
	k->id = v->id;
	k->minor = v->on[node].minor;
	rblk_text_copy(k->disk, sizeof(k->disk), v->on[node].disk);
	if (v->on[node].block_bytes) {
		k->has |= RBLK_HAS(RBLK_VOL_BLOCK_SIZE);
		k->block_bytes = v->on[node].block_bytes;
	}
	if (v->on[node].metadata == RBLK_METADATA_NONE)
		return;
	k->has |= RBLK_HAS(RBLK_VOL_METADATA);
	k->metadata = v->on[node].metadata;
	if (k->metadata != RBLK_METADATA_APART)
		return;
	k->has |= RBLK_HAS(RBLK_VOL_METADATA_DISK);
	rblk_text_copy(k->metadata_disk, sizeof(k->metadata_disk),
		       v->on[node].metadata_disk);
}

static void add_peer(struct rblk_plan *plan,
		     const struct rblk_config_resource *r,
		     const struct rblk_config_node *peer)
{
	struct rblk_kpeer *k = &add(plan, RBLK_CMD_PEER_NEW, r->name,
				    RBLK_A_PEER)->peer;

	k->has = RBLK_HAS(RBLK_PEER_NODE_ID) | RBLK_HAS(RBLK_PEER_NODE_NAME) |
		 RBLK_HAS(RBLK_PEER_PROTOCOL);
	k->node_id = peer->id;
	rblk_text_copy(k->node_name, sizeof(k->node_name), peer->name);
	k->protocol = r->protocol[peer->id];
}

void rblk_plan_up(struct rblk_plan *plan, const struct rblk_config *config,
		  const struct rblk_config_node *node,
		  const struct rblk_config_resource *resource,
		  uint64_t generation)
{
	size_t i;

	*plan = (struct rblk_plan){ NULL, 0 };
	add_resource(plan, config, node, resource, generation);
	for (i = 0; i < resource->volumes_n; i++)
		add_volume(plan, resource, &resource->volumes[i], node->id);
	for (i = 0; i < config->nodes_n; i++)
		if (&config->nodes[i] != node &&
		    (resource->members & (1U << config->nodes[i].id)))
			add_peer(plan, resource, &config->nodes[i]);
}

void rblk_plan_free(struct rblk_plan *plan)
{
	free(plan->reqs);
	*plan = (struct rblk_plan){ NULL, 0 };
}

static const struct rblk_kvolume *find_volume(const struct rblk_kstate *state,
					      uint8_t id)
{
	size_t i;

	for (i = 0; i < state->volumes_n; i++)
		if (state->volumes[i].id == id)
			return &state->volumes[i];
	return NULL;
}

/* What is fixed from "up" to "down". */
static bool same_resource(const struct rblk_kresource *want,
			  const struct rblk_kresource *have, char *why,
			  size_t size)
{
	if (want->node_id != have->node_id)
		rblk_text_format(why, size, "this node is %u, configured %u",
				 have->node_id, want->node_id);
	else if (memcmp(want->uuid, have->uuid, sizeof(want->uuid)) != 0)
		rblk_text_format(why, size, "it belongs to another cluster");
	else if (want->leased != have->leased && have->role == RBLK_ROLE_PRIMARY)
		/* the others go by the register, or do not, at another time */
		rblk_text_format(why, size,
				 "it is primary, and failover changes between manual and auto: 'rblk demote' comes first");
	else
		return true;
	return false;
}

static bool same_volume(const struct rblk_kvolume *want,
			const struct rblk_kvolume *have, char *why, size_t size)
{
	if (!have)
		rblk_text_format(why, size, "volume %u is not there", want->id);
	else if (have->minor != want->minor)
		rblk_text_format(why, size,
				 "volume %u is minor %u, configured %u",
				 want->id, have->minor, want->minor);
	else if (strcmp(have->disk, want->disk) != 0)
		rblk_text_format(why, size,
				 "volume %u is on %.80s, configured %.80s",
				 want->id, have->disk, want->disk);
	else if ((want->has & have->has & RBLK_HAS(RBLK_VOL_BLOCK_SIZE)) &&
		 have->block_bytes != want->block_bytes)
		rblk_text_format(why, size,
				 "volume %u has blocks of %u bytes, configured %u",
				 want->id, have->block_bytes,
				 want->block_bytes);
	else if (have->metadata != want->metadata ||
		 strcmp(have->metadata_disk, want->metadata_disk) != 0)
		rblk_text_format(why, size,
				 "the metadata of volume %u is elsewhere",
				 want->id);
	else
		return true;
	return false;
}

bool rblk_plan_may_adjust(const struct rblk_plan *plan,
			  const struct rblk_kstate *state, char *why,
			  size_t size)
{
	size_t i, volumes = 0;
	bool same = true;

	for (i = 0; i < plan->n && same; i++) {
		const struct rblk_kreq *req = &plan->reqs[i];

		if (req->nest == RBLK_A_RESOURCE) {
			same = same_resource(&req->resource, &state->resource,
					     why, size);
		} else if (req->nest == RBLK_A_VOLUME) {
			same = same_volume(&req->volume,
					   find_volume(state, req->volume.id),
					   why, size);
			volumes++;
		}
	}
	if (same && volumes != state->volumes_n) {
		rblk_text_format(why, size, "it has %zu volumes, configured %zu",
				 state->volumes_n, volumes);
		same = false;
	}
	return same;
}

/* The text of a list of changes. */
struct words {
	char *buf;
	size_t size;
};

static void say(struct words *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct words *w, const char *fmt, ...)
{
	size_t len = strlen(w->buf);
	va_list ap;

	va_start(ap, fmt);
	if (len && len + 2 < w->size) {
		rblk_text_copy(w->buf + len, w->size - len, ", ");
		len += 2;
	}
	vsnprintf(w->buf + len, w->size - len, fmt, ap);
	va_end(ap);
}

static const char *acks_word(uint8_t acks, char buf[8])
{
	return acks ? rblk_text_format(buf, 8, "%u", acks) : "all";
}

static const char *yes_no(uint8_t value)
{
	return value ? "yes" : "no";
}

/* One option of a resource: differs it, and is it said? */
#define DIFFERS(attr, member) \
	((want->has & have->has & RBLK_HAS(attr)) && \
	 want->member != have->member)

/* The same where not to be configured is a wish, too: the default. */
#define CHANGED(attr, member) \
	((have->has & RBLK_HAS(attr)) && want->member != have->member)

static void change_failover(struct rblk_kresource *set,
			    const struct rblk_kresource *want,
			    const struct rblk_kresource *have, struct words *w)
{
	static const char *const words[] = { "suspend", "error" };

	if (CHANGED(RBLK_RES_LEASED, leased)) {
		set->has |= RBLK_HAS(RBLK_RES_LEASED);
		say(w, "leased %s -> %s", yes_no(have->leased),
		    yes_no(want->leased));
	}
	if (CHANGED(RBLK_RES_LEASE_ERROR, lease_error)) {
		set->has |= RBLK_HAS(RBLK_RES_LEASE_ERROR);
		say(w, "on-lease-expiry %s -> %s", words[!!have->lease_error],
		    words[!!want->lease_error]);
	}
	if (CHANGED(RBLK_RES_MIN_IN_SYNC, min_in_sync)) {
		set->has |= RBLK_HAS(RBLK_RES_MIN_IN_SYNC);
		say(w, "min-in-sync %u -> %u", have->min_in_sync,
		    want->min_in_sync);
	}
	if (CHANGED(RBLK_RES_MIN_IN_SYNC_ERROR, min_in_sync_error)) {
		set->has |= RBLK_HAS(RBLK_RES_MIN_IN_SYNC_ERROR);
		say(w, "below-min-in-sync %s -> %s",
		    words[!!have->min_in_sync_error],
		    words[!!want->min_in_sync_error]);
	}
}

static void change_resource(struct rblk_plan *todo, const char *name,
			    const struct rblk_kresource *want,
			    const struct rblk_kresource *have, struct words *w)
{
	struct rblk_kresource set = *want;
	char from[8], to[8];

	set.has = 0;
	/* Where leases are needed it is changed when the voters agreed: by the policy. */
	if (DIFFERS(RBLK_RES_ACKS, acks) && !want->leased) {
		set.has |= RBLK_HAS(RBLK_RES_ACKS);
		say(w, "acks %s -> %s", acks_word(have->acks, from),
		    acks_word(want->acks, to));
	}
	if (DIFFERS(RBLK_RES_LOG_BYTES, log_bytes)) {
		set.has |= RBLK_HAS(RBLK_RES_LOG_BYTES);
		say(w, "log-size %lluB -> %lluB",
		    (unsigned long long)have->log_bytes,
		    (unsigned long long)want->log_bytes);
	}
	if (DIFFERS(RBLK_RES_DATA_CRC, data_crc)) {
		set.has |= RBLK_HAS(RBLK_RES_DATA_CRC);
		say(w, "data-crc %s -> %s", yes_no(have->data_crc),
		    yes_no(want->data_crc));
	}
	if (DIFFERS(RBLK_RES_ZERO_DETECT, zero_detect)) {
		set.has |= RBLK_HAS(RBLK_RES_ZERO_DETECT);
		say(w, "zero-detect %s -> %s", yes_no(have->zero_detect),
		    yes_no(want->zero_detect));
	}
	if (DIFFERS(RBLK_RES_PASS_DISK_ERRORS, pass_disk_errors)) {
		set.has |= RBLK_HAS(RBLK_RES_PASS_DISK_ERRORS);
		say(w, "on-disk-error %s -> %s",
		    rblk_kmsg_on_disk_error(have->pass_disk_errors),
		    rblk_kmsg_on_disk_error(want->pass_disk_errors));
	}
	if (DIFFERS(RBLK_RES_DISK_TIMEOUT_MS, disk_timeout_ms)) {
		set.has |= RBLK_HAS(RBLK_RES_DISK_TIMEOUT_MS);
		say(w, "disk-timeout %ums -> %ums", have->disk_timeout_ms,
		    want->disk_timeout_ms);
	}
	if (DIFFERS(RBLK_RES_READ_FROM_BACKUP, read_from_backup)) {
		set.has |= RBLK_HAS(RBLK_RES_READ_FROM_BACKUP);
		say(w, "read-from-backup %s -> %s",
		    yes_no(have->read_from_backup),
		    yes_no(want->read_from_backup));
	}
	change_failover(&set, want, have, w);
	if (set.has)
		add(todo, RBLK_CMD_RESOURCE_SET, name, RBLK_A_RESOURCE)
			->resource = set;
}

static void set_protocol(struct rblk_plan *todo, const char *name,
			 const struct rblk_kpeer *want)
{
	struct rblk_kpeer *peer = &add(todo, RBLK_CMD_PEER_SET, name,
				       RBLK_A_PEER)->peer;

	peer->has = RBLK_HAS(RBLK_PEER_NODE_ID) | RBLK_HAS(RBLK_PEER_PROTOCOL);
	peer->node_id = want->node_id;
	peer->protocol = want->protocol;
}

static void drop_peer(struct rblk_plan *todo, const char *name, uint8_t node_id)
{
	struct rblk_kpeer *peer = &add(todo, RBLK_CMD_PEER_DEL, name,
				       RBLK_A_PEER)->peer;

	peer->has = RBLK_HAS(RBLK_PEER_NODE_ID);
	peer->node_id = node_id;
}

/* Peers that are new, then, in a second round, those that differ. */
static void change_peers(struct rblk_plan *todo, const struct rblk_plan *plan,
			 const struct rblk_kstate *state, bool added,
			 struct words *w)
{
	size_t i;

	for (i = 0; i < plan->n; i++) {
		const struct rblk_kreq *req = &plan->reqs[i];
		const struct rblk_kpeer *have, *want = &req->peer;

		if (req->nest != RBLK_A_PEER)
			continue;
		have = rblk_kstate_peer(state, want->node_id);
		if (added && !have) {
			add(todo, RBLK_CMD_PEER_NEW, state->name,
			    RBLK_A_PEER)->peer = *want;
			say(w, "peer %s added", want->node_name);
		} else if (!added && have && have->protocol != want->protocol) {
			set_protocol(todo, state->name, want);
			say(w, "protocol to %s %c -> %c", want->node_name,
			    have->protocol, want->protocol);
		}
	}
}

static bool plan_has_peer(const struct rblk_plan *plan, uint8_t node_id)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		if (plan->reqs[i].nest == RBLK_A_PEER &&
		    plan->reqs[i].peer.node_id == node_id)
			return true;
	return false;
}

void rblk_plan_adjust(struct rblk_plan *todo, const struct rblk_plan *plan,
		      const struct rblk_kstate *state, char *what, size_t size)
{
	struct words w = { .buf = what, .size = size };
	size_t i;

	*todo = (struct rblk_plan){ NULL, 0 };
	what[0] = '\0';
	/* Only additions can fail: they come first. */
	change_peers(todo, plan, state, true, &w);
	change_resource(todo, state->name, &plan->reqs[0].resource,
			&state->resource, &w);
	change_peers(todo, plan, state, false, &w);
	for (i = 0; i < state->peers_n; i++) {
		if (plan_has_peer(plan, state->peers[i].node_id))
			continue;
		drop_peer(todo, state->name, state->peers[i].node_id);
		say(&w, "peer %s removed", state->peers[i].node_name);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ballot_store.h - where a voter keeps its register, and whose it is
 *
 *   STATE/RES.arbiter      two slots (arbiter_store.h), written in turn
 *   OUTSIDE/RES.instance   whose they are: machine, instance, next instance
 *
 * The second directory is to be in another place than the first one, so that a
 * state directory that is put back from a backup is not taken for the present
 * one. Documentation/arbiter.rst, "Whose store it is".
 */
#ifndef RBLK_BALLOT_STORE_H
#define RBLK_BALLOT_STORE_H

#include "arbiter_store.h"

#include <rblk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RBLK_INSTANCE_DIR	"/etc/rblk/instance.d"

/**
 * struct rblk_ballot_place - which register
 * @state_dir: directory of the slots
 * @outside_dir: directory of the instance
 * @resource: its name
 * @uuid: and uuid
 * @node: id of this node
 */
struct rblk_ballot_place {
	const char *state_dir;
	const char *outside_dir;
	char resource[RBLK_NAME_SIZE];
	uint8_t uuid[RBLK_UUID_SIZE];
	uint8_t node;
};

/**
 * struct rblk_ballot_store - an open one
 * @fd: of the slots, locked; -1: not open
 * @owner: whose it is
 * @serial: of the newest slot
 */
struct rblk_ballot_store {
	int fd;
	struct rblk_arbiter_owner owner;
	uint64_t serial;
};

/**
 * rblk_ballot_outside_dir - where instances are
 *
 * Return: $RBLK_INSTANCE_DIR, or RBLK_INSTANCE_DIR.
 */
const char *rblk_ballot_outside_dir(void);

/**
 * rblk_ballot_open - a start of the node: draw a new instance, read what it kept
 * @s: filled in
 * @place: which register
 * @kept: what it kept
 * @why: when it has to be mute: why, and what to do
 * @size: of @why
 *
 * Return: true, or false: the node is mute, and @s is closed.
 */
bool rblk_ballot_open(struct rblk_ballot_store *s,
		      const struct rblk_ballot_place *place,
		      struct rblk_arbiter_store *kept, char *why, size_t size);

/**
 * rblk_ballot_create - a store for a voter that never had one, or lost it
 * @s: filled in; open
 * @place: which register
 * @first: what to keep
 * @why: when it fails
 * @size: of @why
 *
 * Whatever was there is gone. Only for the first record of a new resource, and
 * for a node that a change of members takes in.
 *
 * Return: whether it is durable.
 */
bool rblk_ballot_create(struct rblk_ballot_store *s,
			const struct rblk_ballot_place *place,
			const struct rblk_arbiter_store *first, char *why,
			size_t size);

/**
 * rblk_ballot_exists - was there ever a store of that register on this node
 * @place: which register
 *
 * Return: true when there is a trace of one.
 */
bool rblk_ballot_exists(const struct rblk_ballot_place *place);

/**
 * rblk_ballot_write - keep it
 * @s: an open one
 * @keep: what
 *
 * Return: 0 once it is durable, or a negative errno: then this node may not say
 * anything any more that depends on it.
 */
int rblk_ballot_write(struct rblk_ballot_store *s,
		      const struct rblk_arbiter_store *keep);

/**
 * rblk_ballot_close - let go of it
 * @s: open or not
 */
void rblk_ballot_close(struct rblk_ballot_store *s);

#endif

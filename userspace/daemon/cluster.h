/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cluster.h - the other nodes' daemons: datagrams to and from them
 *
 * Authentication, sessions and heartbeats, per node. What a datagram says of a
 * resource goes to whoever asked for it. Sends by a function that it is given, so
 * it does no I/O itself.
 */
#ifndef RBLK_CLUSTER_H
#define RBLK_CLUSTER_H

#include "beat.h"
#include "config.h"
#include "detector.h"
#include "session.h"

#include <gnutls/crypto.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a datagram was not acted upon. */
enum rblk_cluster_drop {
	RBLK_CLUSTER_TRUNCATED,
	RBLK_CLUSTER_OVERSIZED,
	RBLK_CLUSTER_FORGED,	/* whoever sent it does not hold the key */
	RBLK_CLUSTER_MALFORMED,
	RBLK_CLUSTER_STRANGER,	/* from or to a node that is not configured */
	RBLK_CLUSTER_REPEATED,	/* a replay, or the copy of the other network */
	RBLK_CLUSTER_NO_SESSION,
	__RBLK_CLUSTER_DROPS,
};

/**
 * struct rblk_cluster_ops - what it can have done
 * @now_us: CLOCK_BOOTTIME
 * @random: 64 bits that nobody can guess
 * @send: a datagram to a node, now or never
 * @told: a body came from a node; any but RBLK_BEAT_BEAT
 * @met: a new session with a node begins: it started, or this one did
 * @held: what RBLK_BEAT_HELD is to say to a node, with its beats
 */
struct rblk_cluster_ops {
	uint64_t (*now_us)(void *ctx);
	uint64_t (*random)(void *ctx);
	bool (*send)(void *ctx, uint8_t node, unsigned int path,
		     const uint8_t *bytes, size_t n);
	void (*told)(void *ctx, uint8_t node, const struct rblk_beat_body *body);
	void (*met)(void *ctx, uint8_t node);
	uint64_t (*held)(void *ctx, uint8_t node);
};

/**
 * struct rblk_cluster_node - one of the others
 * @paths: bit mask of the networks that it has in common with this node
 * @session: with it
 * @out: bodies that are to be sent to it
 * @has_out: there are any
 * @hellos: answers to datagrams of unknown sessions since the last beat
 * @state: that was logged last
 * @degraded: paths that were logged as degraded
 * @counter: of the datagram that is being taken, or was last
 */
struct rblk_cluster_node {
	uint8_t paths;
	struct rblk_session session;
	struct rblk_beat_writer out;
	bool has_out;
	unsigned int hellos;
	enum rblk_detector_state state;
	uint8_t degraded;
	uint64_t counter;
};

/**
 * struct rblk_cluster - all of them
 * @ops: what it can have done
 * @ctx: argument of those
 * @on: it is configured to send heartbeats
 * @self: this node
 * @number: tells this cluster from others
 * @key: of the MACs
 * @mac: the same, ready for use
 * @beat_us: when the next beat is due
 * @changed: the state of a node did, in rblk_cluster_tick()
 * @detector: who is heard of
 * @node: by id
 * @dropped: datagrams, by enum rblk_cluster_drop
 * @unsent: datagrams that the network did not take
 * @name: of nodes, for the log
 */
struct rblk_cluster {
	const struct rblk_cluster_ops *ops;
	void *ctx;
	bool on;
	uint8_t self;
	uint64_t number;
	uint8_t key[RBLK_BEAT_MAC_BYTES];
	gnutls_hmac_hd_t mac;
	uint64_t beat_us;
	bool changed;
	struct rblk_detector detector;
	struct rblk_cluster_node node[RBLK_MAX_NODES];
	uint64_t dropped[__RBLK_CLUSTER_DROPS];
	uint64_t unsent;
	char name[RBLK_MAX_NODES][RBLK_NAME_SIZE];
};

/**
 * rblk_cluster_configure - follow the configuration
 * @c: zeroed but for @ops and @ctx, or configured before
 * @config: the configuration
 * @self: this node, in it
 * @key: the cluster's
 * @key_len: bytes of it
 * @on: heartbeats are wanted
 *
 * Sessions and what is known of nodes that stay are kept.
 */
void rblk_cluster_configure(struct rblk_cluster *c,
			    const struct rblk_config *config,
			    const struct rblk_config_node *self,
			    const unsigned char *key, size_t key_len, bool on);

/**
 * rblk_cluster_stop - forget the key
 * @c: the cluster
 */
void rblk_cluster_stop(struct rblk_cluster *c);

/**
 * rblk_cluster_tick - send beats that are due
 * @c: the cluster
 *
 * Return: when to call it again, in its microseconds; UINT64_MAX: never.
 */
uint64_t rblk_cluster_tick(struct rblk_cluster *c);

/**
 * rblk_cluster_receive - a datagram came from anybody
 * @c: the cluster
 * @bytes: it
 * @n: how many
 */
void rblk_cluster_receive(struct rblk_cluster *c, const uint8_t *bytes, size_t n);

/**
 * rblk_cluster_put - say something to a node
 * @c: the cluster
 * @node: to whom
 * @body: what; leaves at rblk_cluster_flush()
 *
 * Lost if there is no session.
 */
void rblk_cluster_put(struct rblk_cluster *c, uint8_t node,
		      const struct rblk_beat_body *body);

/**
 * rblk_cluster_flush - send what was put
 * @c: the cluster
 */
void rblk_cluster_flush(struct rblk_cluster *c);

/**
 * rblk_cluster_state - what is thought of a node now
 * @c: the cluster
 * @node: its id
 *
 * Return: as the detector says.
 */
enum rblk_detector_state rblk_cluster_state(const struct rblk_cluster *c,
					    uint8_t node);

/**
 * rblk_cluster_drop_name - in words
 * @drop: why a datagram was not acted upon
 *
 * Return: a constant text.
 */
const char *rblk_cluster_drop_name(enum rblk_cluster_drop drop);

/**
 * rblk_cluster_show - nodes and paths, for status
 * @c: the cluster
 *
 * Return: a new object.
 */
json_t *rblk_cluster_show(const struct rblk_cluster *c);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ackpolicy.h - the one place that decides when a write is complete.
 *
 * Peers are bits: 1 << node id. Protocol A peers are waited for by nobody unless
 * they are in the in-sync set. A peer of protocol B is satisfied when it has
 * received the operation, one of protocol C when it has applied it. For an
 * operation that promises durability (FLUSH, FUA) both are satisfied only by
 * "durable", which a peer reports by "applied" for such an operation: it
 * completes there when its flush did. A FLUSH need not be waited for where all
 * that it is about, what had been reported when it was admitted, was durable
 * anyway: there it is covered.
 *
 * A disk that is gone stores nothing, and what a write's acknowledgment claims
 * must be true without it: then only what is applied counts, by one peer more
 * when not all are waited for, and by one that has all that came before.
 *
 * Whom a completion waits for is chosen from what the peers are now. Without an
 * in-sync set: those that are connected and have all. With one: its members, also
 * while they are away, because a node that has every acknowledged write is what
 * somebody may promote. One of protocol A is waited for like one of protocol B, until
 * it is out of the set. A member that is being copied to, out of order, promised
 * durably that its data is inconsistent: nobody promotes it, and it is not
 * waited for until it has all. While too few nodes are left all that is under way waits,
 * and not only what is new.
 */
#ifndef RBLK_CORE_ACKPOLICY_H
#define RBLK_CORE_ACKPOLICY_H

#include "env.h"

enum rblk_local {
	RBLK_LOCAL_PENDING,	/* submitted to the backing device */
	RBLK_LOCAL_DONE,
	RBLK_LOCAL_FAILED,	/* the application is to know */
	RBLK_LOCAL_GONE,	/* no disk: the peers have to do */
};

enum rblk_verdict {
	RBLK_VERDICT_WAIT,
	RBLK_VERDICT_COMPLETE,
	RBLK_VERDICT_FAIL,
};

/**
 * struct rblk_ack_peers - what the peers are, from which the policy follows
 * @received: those of protocol B
 * @applied: those of protocol C
 * @sent: those of protocol A
 * @joined: connected, and they have all, or have what comes from now on
 * @in_sync: the in-sync set, of nodes; 0: there is none
 * @copied: began to be copied to and have not joined since
 */
struct rblk_ack_peers {
	u16 received;
	u16 applied;
	u16 sent;
	u16 joined;
	u16 in_sync;
	u16 copied;
};

/**
 * struct rblk_ack_policy - what a resource waits for now
 * @wait_received: peers of protocol B, or A, that are waited for
 * @wait_applied: peers of protocol C that are waited for
 * @level: peers, of any protocol, that have or are being sent every operation
 * @acks: 0: all of them; N: any N of them (all, when they are fewer)
 * @min: fewer nodes that are waited for, this one included, are too few to complete
 *	anything; 0: any number will do
 */
struct rblk_ack_policy {
	u16 wait_received;
	u16 wait_applied;
	u16 level;
	u8 acks;
	u8 min;
};

/**
 * struct rblk_ack_state - how far one operation is
 * @local: on this node's own device
 * @durable: the operation promises durability (FLUSH, or FUA)
 * @received: peers that have it in memory
 * @applied: peers that have it on their device (durable, if @durable)
 * @covered: a FLUSH: peers that said that they are durable up to its dep
 */
struct rblk_ack_state {
	enum rblk_local local;
	bool durable;
	u16 received;
	u16 applied;
	u16 covered;
};

/**
 * rblk_ackpolicy_choose - whom completions wait for
 * @policy: its @wait_received and @wait_applied are set
 * @peers: what the peers are
 */
void rblk_ackpolicy_choose(struct rblk_ack_policy *policy,
			   const struct rblk_ack_peers *peers);

/**
 * rblk_ackpolicy_nodes - how many nodes store what is acknowledged
 * @policy: what is waited for
 *
 * Return: the peers that are waited for, and this node.
 */
unsigned int rblk_ackpolicy_nodes(const struct rblk_ack_policy *policy);

/**
 * rblk_ackpolicy_is_too_few - do fewer nodes store it than must?
 * @policy: what is waited for
 *
 * Return: true while nothing may complete.
 */
bool rblk_ackpolicy_is_too_few(const struct rblk_ack_policy *policy);

/**
 * rblk_ackpolicy_verdict - may the operation be reported upwards?
 * @policy: what is waited for
 * @state: how far the operation is
 *
 * A failed local write fails the operation only once the peers are through
 * with it, so that its buffers are no longer in use. Without a disk and without
 * a peer that is level it fails as well.
 *
 * Return: what to do with it now.
 */
enum rblk_verdict rblk_ackpolicy_verdict(const struct rblk_ack_policy *policy,
					 const struct rblk_ack_state *state);

/**
 * rblk_ackpolicy_is_stuck - does an operation wait for who is not there?
 * @policy: what is waited for
 * @state: how far the operation is
 * @streaming: all peers that are being sent operations
 *
 * Return: true when its local leg has ended, and it would still have to wait if
 * all that are there had it.
 */
bool rblk_ackpolicy_is_stuck(const struct rblk_ack_policy *policy,
			     const struct rblk_ack_state *state,
			     u16 streaming);

/**
 * rblk_ackpolicy_must_copy - may an operation complete before every streaming
 * peer was sent its data?
 * @policy: what is waited for
 * @streaming: all peers that are being sent operations, protocol A included
 *
 * Return: true when its data must be copied before it is sent.
 */
bool rblk_ackpolicy_must_copy(const struct rblk_ack_policy *policy,
			      u16 streaming);

#endif /* RBLK_CORE_ACKPOLICY_H */

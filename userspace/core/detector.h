/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * detector.h - which nodes are heard of, and how well
 *
 * Per node, not per resource. Each node sends each other one a beat per interval
 * and path (network). A beat says which beat of the receiver came last: so a path
 * counts only if it works in both directions, and a node that can speak but not
 * hear is not taken for alive.
 *
 * Pure: no I/O, clock or allocation. Times are microseconds of CLOCK_BOOTTIME.
 */
#ifndef RBLK_DETECTOR_H
#define RBLK_DETECTOR_H

#include <stdbool.h>
#include <stdint.h>

#define RBLK_DETECTOR_NODES	16
#define RBLK_DETECTOR_PATHS	2
#define RBLK_DETECTOR_WINDOW	64	/* beats that the loss is taken from */

/**
 * struct rblk_detector_beat - what a beat says
 * @path: which network it was sent on
 * @silent: nodes that the sender does not hear
 * @interval_ms: how often the sender sends
 * @seq: number of this beat on this path, from 1
 * @sent_us: the sender's time
 * @echo: number of the last beat that came from the receiver on this path, 0: none
 * @echo_us: its @sent_us
 * @held_us: how long ago it came
 */
struct rblk_detector_beat {
	uint8_t path;
	uint16_t silent;
	uint32_t interval_ms;
	uint32_t seq;
	uint64_t sent_us;
	uint32_t echo;
	uint64_t echo_us;
	uint32_t held_us;
};

enum rblk_detector_state {
	RBLK_DETECTOR_UNKNOWN,	/* not heard of yet, nor for long enough not */
	RBLK_DETECTOR_ALIVE,	/* heard of, and it hears this node */
	RBLK_DETECTOR_SUSPECT,	/* not heard of for @misses intervals */
	RBLK_DETECTOR_FAILED,	/* and most of those who are alive say the same */
};

/**
 * struct rblk_detector_path - a way to a node
 * @used: it is configured
 * @seq: number of the beat sent last
 * @sent_us: when each of the last beats was sent, by number modulo the window
 * @heard: number of the highest beat that came, 0: none
 * @heard_sent_us: its time of sending
 * @heard_us: when it came
 * @both_us: when a beat came last that shows that the path works both ways; 0: never
 * @came: which of the last RBLK_DETECTOR_WINDOW beats came, bit 0 is @heard
 * @nr_came: how many of those bits mean something
 * @rtt_us: round-trip time, smoothed; 0: not known
 * @best_rtt_us: the lowest that was measured
 * @jitter_us: how much it changes, smoothed
 * @degraded: it was when a beat was sent last
 */
struct rblk_detector_path {
	bool used;
	uint32_t seq;
	uint64_t sent_us[RBLK_DETECTOR_WINDOW];
	uint32_t heard;
	uint64_t heard_sent_us;
	uint64_t heard_us;
	uint64_t both_us;
	uint64_t came;
	uint8_t nr_came;
	uint32_t rtt_us;
	uint32_t best_rtt_us;
	uint32_t jitter_us;
	bool degraded;
};

/**
 * struct rblk_detector_peer - a node
 * @since_us: from when on it may be missed: it is watched, or a session began
 * @silent: nodes that it did not hear when it was heard of last
 * @interval_ms: how often it sends, 0: not known
 * @path: ways to it
 */
struct rblk_detector_peer {
	uint64_t since_us;
	uint16_t silent;
	uint32_t interval_ms;
	struct rblk_detector_path path[RBLK_DETECTOR_PATHS];
};

/**
 * struct rblk_detector - all nodes as seen from one
 * @self: its id
 * @nodes: the others that are configured
 * @interval_ms: how often a beat is sent
 * @misses: how many may be missed in a row
 * @peer: by node id
 */
struct rblk_detector {
	uint8_t self;
	uint16_t nodes;
	uint32_t interval_ms;
	uint32_t misses;
	struct rblk_detector_peer peer[RBLK_DETECTOR_NODES];
};

/**
 * struct rblk_detector_health - of a path, for status and metrics
 * @works: in both directions
 * @degraded: it loses beats, takes much longer than it did, or works no more while
 *	the node's other path does. It stays so until it is clearly better
 * @rtt_us: 0: not known
 * @jitter_us: how much that changes
 * @loss_permille: of the last beats
 */
struct rblk_detector_health {
	bool works;
	bool degraded;
	uint32_t rtt_us;
	uint32_t jitter_us;
	uint32_t loss_permille;
};

/**
 * rblk_detector_start - nobody has been heard of
 * @d: filled in
 * @self: this node
 * @interval_ms: how often a beat is sent
 * @misses: how many may be missed in a row
 */
void rblk_detector_start(struct rblk_detector *d, uint8_t self, uint32_t interval_ms,
			 uint32_t misses);

/**
 * rblk_detector_watch - a node is configured
 * @d: the detector
 * @node: its id; nothing happens if it is this one
 * @paths: bit mask of the networks that it has; 0: it is not watched any more
 * @now_us: the time
 *
 * A node that is watched already keeps what is known of the paths that stay.
 */
void rblk_detector_watch(struct rblk_detector *d, uint8_t node, uint8_t paths,
			 uint64_t now_us);

/**
 * rblk_detector_restarted - a new session with a node began
 * @d: the detector
 * @node: which; it numbers its beats from 1
 * @now_us: the time
 */
void rblk_detector_restarted(struct rblk_detector *d, uint8_t node, uint64_t now_us);

/**
 * rblk_detector_send - the next beat
 * @d: the detector
 * @node: to whom; watched
 * @path: on which network, one of the node's
 * @now_us: the time
 * @beat: filled in; to be sent at once
 */
void rblk_detector_send(struct rblk_detector *d, uint8_t node, uint8_t path,
			uint64_t now_us, struct rblk_detector_beat *beat);

/**
 * rblk_detector_receive - a beat came, authenticated and not replayed
 * @d: the detector
 * @node: from whom
 * @beat: it; any values
 * @now_us: the time
 */
void rblk_detector_receive(struct rblk_detector *d, uint8_t node,
			   const struct rblk_detector_beat *beat, uint64_t now_us);

/**
 * rblk_detector_state - what is thought of a node
 * @d: the detector
 * @node: which
 * @now_us: the time
 *
 * FAILED: this node suspects it, and so do more than half of the nodes that are
 * alive here, this one included. A partition's smaller side calls the others failed as
 * well: what follows from it is for the arbiter to say.
 *
 * Return: its state; this node itself is alive, one not watched unknown.
 */
enum rblk_detector_state rblk_detector_state(const struct rblk_detector *d,
					     uint8_t node, uint64_t now_us);

/**
 * rblk_detector_wake_us - when a state may change though nothing comes
 * @d: the detector
 * @now_us: the time
 *
 * Return: a time after @now_us, UINT64_MAX if none.
 */
uint64_t rblk_detector_wake_us(const struct rblk_detector *d, uint64_t now_us);

/**
 * rblk_detector_health - how good a path is
 * @d: the detector
 * @node: to whom
 * @path: on which network
 * @now_us: the time
 * @health: filled in
 */
void rblk_detector_health(const struct rblk_detector *d, uint8_t node, uint8_t path,
			  uint64_t now_us, struct rblk_detector_health *health);

#endif /* RBLK_DETECTOR_H */

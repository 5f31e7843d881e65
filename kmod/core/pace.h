/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pace.h - how much of a resync may be on its way.
 *
 * Two limits. The pipe (the disks and the wire): twice what it delivers during
 * its shortest round trip; more would only queue. While nothing else limits,
 * that doubles with each round trip until the rate does not rise any more.
 * The application: once more than one of 128 of its writes takes longer than
 * half again its own level, the rate is halved; it rises by a quarter while all
 * is well, and doubles while the application is idle.
 *
 * That level is the 99th percentile of writes that no resync delays. It is
 * learned while there is none, and in the first eighth of a second of each
 * period of 2^33 ns (8.6 s): then every resync on the node rests if the
 * application is busy. A period begins with an empty pipe, so that the shortest
 * round trip is measured anew.
 *
 * Times are of one monotonic clock, in nanoseconds.
 */
#ifndef RBLK_CORE_PACE_H
#define RBLK_CORE_PACE_H

#include "env.h"

#define RBLK_PACE_FOREVER	U64_MAX
#define RBLK_PACE_MIN_BYTES	(512ULL << 10)	/* window */
#define RBLK_PACE_FLOOR		(1ULL << 20)	/* bytes per second: it ends */
#define RBLK_PACE_QUIET_NS	(1ULL << 27)
#define RBLK_PACE_SLOTS		8

/**
 * struct rblk_pace_app - what an application's writes take
 * @resyncs: under way
 * @level_ns: its 99th percentile without any
 * @learned: writes that @level_ns rests on, as far as that matters
 * @last_ns: when the last write ended; 0: none yet
 * @writes: that ended while a resync was under way
 * @slow: of them, those that were slower than that allows
 */
struct rblk_pace_app {
	u32 resyncs;
	u32 learned;
	u64 level_ns;
	u64 last_ns;
	u64 writes;
	u64 slow;
};

/**
 * rblk_pace_wrote - a write of the application ended
 * @app: whose
 * @start_ns: when it came
 * @now_ns: now
 */
void rblk_pace_wrote(struct rblk_pace_app *app, u64 start_ns, u64 now_ns);

/**
 * struct rblk_pace - one resync
 * @period: of the last look
 * @emptying: a period began: nothing starts until nothing is in flight
 * @in_flight: bytes
 * @delivered: bytes, so far
 * @fastest: bytes per second, in this period
 * @fastest_before: in the one before
 * @trip_ns: shortest round trip in this period; RBLK_PACE_FOREVER: none yet
 * @window: bytes that may be in flight
 * @allowed: bytes per second that the application lets;
 *	RBLK_PACE_FOREVER: no limit
 * @next_ns: not before this
 * @judged_ns: when @allowed was last changed, or confirmed
 * @judged_delivered: @delivered then
 * @judged_writes: of the application then
 * @judged_slow: of the application then
 */
struct rblk_pace {
	u64 period;
	bool emptying;
	u64 in_flight;
	u64 delivered;
	u64 fastest;
	u64 fastest_before;
	u64 trip_ns;
	u64 window;
	u64 allowed;
	u64 next_ns;
	u64 judged_ns;
	u64 judged_delivered;
	u64 judged_writes;
	u64 judged_slow;
};

/**
 * struct rblk_pace_trip - a piece on its way
 * @start_ns: since when
 * @delivered: by others then
 * @bytes: its length
 */
struct rblk_pace_trip {
	u64 start_ns;
	u64 delivered;
	u32 bytes;
};

/**
 * rblk_pace_begin - a resync begins
 * @pace: anything
 * @app: of the same node
 * @now_ns: now
 */
void rblk_pace_begin(struct rblk_pace *pace, const struct rblk_pace_app *app,
		     u64 now_ns);

/**
 * rblk_pace_wait - may one more piece start?
 * @pace: of the resync
 * @app: of the same node
 * @now_ns: now
 *
 * Return: 0: yes; else in how many nanoseconds to ask again, or
 * RBLK_PACE_FOREVER: when a piece in flight came back.
 */
u64 rblk_pace_wait(struct rblk_pace *pace, const struct rblk_pace_app *app,
		   u64 now_ns);

/**
 * rblk_pace_start - a piece starts
 * @pace: of the resync
 * @trip: to be kept with the piece
 * @bytes: its length
 * @now_ns: now
 */
void rblk_pace_start(struct rblk_pace *pace, struct rblk_pace_trip *trip,
		     u32 bytes, u64 now_ns);

/**
 * rblk_pace_cancel - a piece that was to start does not
 * @pace: of the resync
 * @trip: as rblk_pace_start() made it
 */
void rblk_pace_cancel(struct rblk_pace *pace,
		      const struct rblk_pace_trip *trip);

/**
 * rblk_pace_back - the peer has a piece
 * @pace: of the resync
 * @trip: as rblk_pace_start() made it
 * @now_ns: now
 */
void rblk_pace_back(struct rblk_pace *pace, const struct rblk_pace_trip *trip,
		    u64 now_ns);

/**
 * struct rblk_pace_rate - how fast something goes, over the last 4 seconds
 * @begin_ns: counted since
 * @slot: the last that was counted in, each of 2^29 ns
 * @bytes: of the last slots
 */
struct rblk_pace_rate {
	u64 begin_ns;
	u64 slot;
	u64 bytes[RBLK_PACE_SLOTS];
};

/**
 * rblk_pace_rate_begin - count from now on
 * @rate: anything
 * @now_ns: now
 */
void rblk_pace_rate_begin(struct rblk_pace_rate *rate, u64 now_ns);

/**
 * rblk_pace_rate_add - so much more is done
 * @rate: where
 * @bytes: how much
 * @now_ns: now
 */
void rblk_pace_rate_add(struct rblk_pace_rate *rate, u64 bytes, u64 now_ns);

/**
 * rblk_pace_rate_get - the rate
 * @rate: of what
 * @now_ns: now
 *
 * Return: bytes per second.
 */
u64 rblk_pace_rate_get(struct rblk_pace_rate *rate, u64 now_ns);

#endif /* RBLK_CORE_PACE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * pace.c - how much of a resync may be on its way.
 */
#include "pace.h"

#define PERIOD_SHIFT	33
#define SETTLE_NS	(1ULL << 25)	/* of a quiet time: what is late ends */
#define BUSY_NS		(1ULL << 29)	/* after the application's last write */
#define CUT_NS		(1ULL << 25)	/* until a cut can be seen */
#define RISE_NS		(1ULL << 27)
#define BURST_NS	(1ULL << 23)	/* timers are no finer than this */
#define LEARN_WRITES	100
#define RISE_WRITES	256
#define SLOW_MIN	3		/* fewer say nothing */
#define SLOW_SHARE	128
#define SLOT_SHIFT	29

/* Seconds in units of 1024 ns: products of bytes and times fit. */
#define UNITS_PER_SEC	976563ULL

static u64 units(u64 ns)
{
	return (ns >> 10) + 1;
}

static u64 rate_of(u64 bytes, u64 ns)
{
	return div64_u64(bytes * UNITS_PER_SEC, units(ns));
}

static u64 into_period(u64 now_ns)
{
	return now_ns & ((1ULL << PERIOD_SHIFT) - 1);
}

static bool is_busy(const struct rblk_pace_app *app, u64 now_ns)
{
	return app->last_ns && now_ns - app->last_ns < BUSY_NS;
}

/* One of 100 is above: each of these steps up what 99 step down. */
static void learn(struct rblk_pace_app *app, u64 ns)
{
	if (app->learned < LEARN_WRITES) {
		app->learned++;
		app->level_ns = max(app->level_ns, ns);
	} else if (ns > app->level_ns) {
		app->level_ns += app->level_ns / 16 + 1;
	} else {
		app->level_ns -= app->level_ns / (16 * 99);
	}
}

void rblk_pace_wrote(struct rblk_pace_app *app, u64 start_ns, u64 now_ns)
{
	u64 ns = now_ns - start_ns;

	app->last_ns = now_ns;
	if (!app->resyncs ||
	    (into_period(now_ns) < RBLK_PACE_QUIET_NS &&
	     into_period(now_ns) >= SETTLE_NS + ns)) {
		learn(app, ns);
		return;
	}
	app->writes++;
	if (app->learned == LEARN_WRITES && ns > app->level_ns * 3 / 2)
		app->slow++;
}

static void note_judged(struct rblk_pace *pace, const struct rblk_pace_app *app,
			u64 now_ns)
{
	pace->judged_ns = now_ns;
	pace->judged_delivered = pace->delivered;
	pace->judged_writes = app->writes;
	pace->judged_slow = app->slow;
}

void rblk_pace_begin(struct rblk_pace *pace, const struct rblk_pace_app *app,
		     u64 now_ns)
{
	memset(pace, 0, sizeof(*pace));
	pace->period = now_ns >> PERIOD_SHIFT;
	pace->trip_ns = RBLK_PACE_FOREVER;
	pace->window = RBLK_PACE_MIN_BYTES;
	pace->allowed = RBLK_PACE_FOREVER;
	note_judged(pace, app, now_ns);
}

static void cut(struct rblk_pace *pace, u64 now_ns)
{
	u64 rate = rate_of(pace->delivered - pace->judged_delivered,
			   now_ns - pace->judged_ns);

	pace->allowed = max(min(rate, pace->allowed) / 2, RBLK_PACE_FLOOR);
}

static void rise(struct rblk_pace *pace, bool busy)
{
	if (pace->allowed == RBLK_PACE_FOREVER)
		return;
	pace->allowed += busy ? pace->allowed / 4 : pace->allowed;
	/* The pipe is the limit. */
	if (pace->allowed / 4 > max(pace->fastest, pace->fastest_before))
		pace->allowed = RBLK_PACE_FOREVER;
}

/* What do the application's writes say? */
static void judge(struct rblk_pace *pace, const struct rblk_pace_app *app,
		  u64 now_ns)
{
	u64 writes = app->writes - pace->judged_writes;
	u64 slow = app->slow - pace->judged_slow;
	u64 ns = now_ns - pace->judged_ns;
	bool busy = is_busy(app, now_ns);

	if (slow >= SLOW_MIN && slow * SLOW_SHARE > writes && ns >= CUT_NS)
		cut(pace, now_ns);
	else if (ns >= RISE_NS && (writes >= RISE_WRITES || !busy))
		rise(pace, busy);
	else
		return;
	note_judged(pace, app, now_ns);
}

static void enter_period(struct rblk_pace *pace, u64 period)
{
	pace->period = period;
	pace->emptying = true;
	pace->fastest_before = pace->fastest;
	pace->fastest = 0;
}

u64 rblk_pace_wait(struct rblk_pace *pace, const struct rblk_pace_app *app,
		   u64 now_ns)
{
	if (now_ns >> PERIOD_SHIFT != pace->period)
		enter_period(pace, now_ns >> PERIOD_SHIFT);
	judge(pace, app, now_ns);
	if (pace->emptying && pace->in_flight)
		return RBLK_PACE_FOREVER;
	if (pace->emptying) {
		pace->emptying = false;
		pace->trip_ns = RBLK_PACE_FOREVER;
	}
	if (is_busy(app, now_ns) && into_period(now_ns) < RBLK_PACE_QUIET_NS)
		return RBLK_PACE_QUIET_NS - into_period(now_ns);
	if (pace->in_flight >= pace->window)
		return RBLK_PACE_FOREVER;
	if (pace->next_ns > now_ns + BURST_NS)
		return pace->next_ns - now_ns - BURST_NS;
	return 0;
}

void rblk_pace_start(struct rblk_pace *pace, struct rblk_pace_trip *trip,
		     u32 bytes, u64 now_ns)
{
	trip->start_ns = now_ns;
	trip->delivered = pace->delivered;
	trip->bytes = bytes;
	pace->in_flight += bytes;
	if (pace->allowed != RBLK_PACE_FOREVER)
		pace->next_ns = max(pace->next_ns, now_ns) +
				div64_u64(bytes * 1000000000ULL, pace->allowed);
}

void rblk_pace_cancel(struct rblk_pace *pace, const struct rblk_pace_trip *trip)
{
	pace->in_flight -= trip->bytes;
}

void rblk_pace_back(struct rblk_pace *pace, const struct rblk_pace_trip *trip,
		    u64 now_ns)
{
	u64 ns = now_ns - trip->start_ns;
	u64 fastest;

	pace->in_flight -= trip->bytes;
	pace->delivered += trip->bytes;
	pace->trip_ns = min(pace->trip_ns, ns);
	pace->fastest = max(pace->fastest,
			    rate_of(pace->delivered - trip->delivered, ns));
	fastest = max(pace->fastest, pace->fastest_before);
	pace->window = max(div64_u64(2 * fastest * units(pace->trip_ns),
				     UNITS_PER_SEC), RBLK_PACE_MIN_BYTES);
}

void rblk_pace_rate_begin(struct rblk_pace_rate *rate, u64 now_ns)
{
	memset(rate, 0, sizeof(*rate));
	rate->begin_ns = now_ns;
	rate->slot = now_ns >> SLOT_SHIFT;
}

/* Forget what is older than all slots. */
static void rate_to(struct rblk_pace_rate *rate, u64 now_ns)
{
	u64 slot = now_ns >> SLOT_SHIFT;

	if (slot >= rate->slot + RBLK_PACE_SLOTS)
		memset(rate->bytes, 0, sizeof(rate->bytes));
	else
		while (rate->slot < slot)
			rate->bytes[++rate->slot % RBLK_PACE_SLOTS] = 0;
	rate->slot = max(rate->slot, slot);
}

void rblk_pace_rate_add(struct rblk_pace_rate *rate, u64 bytes, u64 now_ns)
{
	rate_to(rate, now_ns);
	rate->bytes[rate->slot % RBLK_PACE_SLOTS] += bytes;
}

u64 rblk_pace_rate_get(struct rblk_pace_rate *rate, u64 now_ns)
{
	u64 first_ns, sum = 0;
	int i;

	rate_to(rate, now_ns);
	for (i = 0; i < RBLK_PACE_SLOTS; i++)
		sum += rate->bytes[i];
	first_ns = rate->slot < RBLK_PACE_SLOTS ? 0 :
		   (rate->slot - RBLK_PACE_SLOTS + 1) << SLOT_SHIFT;
	return rate_of(sum, now_ns - max(rate->begin_ns, first_ns));
}

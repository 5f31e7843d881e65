/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim.h - a cluster in one process: the daemons' core as it is, and around it a
 * network, clocks, disks, kernels and fence agents that fail as a seed says.
 *
 * Time is in microseconds. Each node has a clock of its own, with an offset and a
 * rate. What happens is an event in a queue; after each, check.c looks at all nodes.
 */
#ifndef RBLK_SIM_H
#define RBLK_SIM_H

#include "rules.h"

#include "arbiter.h"
#include "beat.h"
#include "detector.h"
#include "policy.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODES		3
#define OPS_MAX		1024
#define IOS		3
#define FAULTS_MAX	24
#define VERSIONS	512

#define MS		1000ULL
#define SECOND		(1000 * MS)

/* As configured: a tuned cluster. */
#define INTERVAL_MS	100
#define MISSES		3
#define LEASE_MS	600
#define MARGIN_MS	100
#define GRACE_MS	300
#define BEYOND_MARGIN	0.25	/* a rate that no margin allows for */

/* Faults end here, and so long later all must be well. */
#define FAULTS_END	(9 * SECOND)
#define WELL_WITHIN	(20 * SECOND)

#define BIT(n)		(1U << (n))

/* ---- what happens by itself: a schedule is a list of these */

enum fault_kind {
	FAULT_CRASH,		/* a: machine; it comes back after @us */
	FAULT_POWER,		/* the same, and what was not flushed may be lost */
	FAULT_DAEMON,		/* a: the daemon dies, the kernel does not */
	FAULT_PAUSE,		/* a: stands still, but for its clock */
	FAULT_CUT,		/* a and b, or a and all (b == a): nothing comes through */
	FAULT_ONE_WAY,		/* nothing from a to b, or to all */
	FAULT_FLAP,		/* as CUT, on and off */
	FAULT_LOSSY,		/* datagrams are lost, doubled, late, out of order */
	FAULT_SLOW_DISK,	/* a */
	FAULT_STORE,		/* crash of a, and its register is lost or an old one */
	FAULT_AGENT,		/* fence agents of a: b says how they fail */
	FAULT_ASK_PROMOTE,	/* a: an admin wants it to be primary */
	FAULT_ASK_AWAY,		/* a: an admin wants it not to be primary */
	FAULT_SLOW_LINK,	/* what a as primary sends to b takes long */
	FAULT_ACKS,		/* a: has another number configured, b */
	FAULT_KINDS,
};

struct fault {
	enum fault_kind kind;
	uint8_t a, b;
	uint64_t at;
	uint64_t us;
	bool off;		/* taken out while shrinking */
};

enum agent_mode {
	AGENT_WORKS, AGENT_FAILS, AGENT_HANGS,
	AGENT_LATE,		/* says that it failed, and does it after all */
	AGENT_SLOW,		/* says that it is done when it may be long over */
	AGENT_MODES
};

/* ---- the kernel's model (kernel.c) */

struct op {
	uint64_t gen;
	uint32_t id;		/* of the write; never used twice */
};

enum io_kind { IO_READ, IO_WRITE, IO_FLUSH };

struct io {
	bool used;
	enum io_kind kind;
	bool admitted;
	bool local;		/* its own disk is done */
	uint32_t need;		/* operations that must be there: its own, or all before */
	uint64_t since;		/* when it was admitted */
	uint32_t acked_before;	/* how many acknowledged writes there were then */
};

struct link {
	bool up;
	uint32_t epoch;		/* of the connection */
	bool primary_there;
	bool following;		/* the stream flows, from the primary's point of view */
	bool up_to_date;
	bool diverged;
	bool syncing;
	uint32_t sent;		/* operations */
	uint32_t acked;
	uint32_t durable_acked;
	uint32_t forgotten;	/* up to where it is forgotten what the peer lacks */
	uint64_t busy_until;	/* frames come in order */
};

struct kernel {
	bool up;
	uint32_t epoch;
	bool primary;
	bool leased;
	uint64_t lease_until_ms;
	uint16_t in_sync;
	uint16_t copied;	/* began to be copied to and have not joined since */
	uint8_t acks;
	bool checked;		/* its data, since it was promoted */
	struct link link[NODES];
	struct io io[IOS];
	/* on disk */
	uint64_t gen;
	bool inconsistent;
	bool unclean;		/* it crashed, and may hold more than it can say */
	uint32_t len;
	uint32_t durable;
	struct op data[OPS_MAX];
};

/* ---- a daemon (daemon.c) */

struct daemon {
	bool up;
	uint32_t epoch;
	uint64_t started;
	struct rblk_arbiter arbiter;
	struct rblk_policy policy;
	struct rblk_detector detector;
	struct rblk_session session[NODES];
	struct rblk_policy_told told[NODES];
	uint64_t told_by[NODES];	/* counter of the datagram that it came with */
	uint64_t told_hash;		/* of what it said of itself last */
	uint64_t holds[NODES];		/* what others said that they have of that */
	uint64_t holds_by[NODES];
	bool holds_is_new[NODES];	/* since the last beat */
	uint64_t met_at[NODES];		/* when the session began; 0: there was none */
	struct rblk_policy_view view;
	enum rblk_policy_fence fence[NODES];
	uint64_t wake_at;
	uint32_t failures;
	bool busy;
	bool beats;		/* now */
	uint8_t asked_by;
	uint16_t shun;
	enum rblk_policy_request request;
	uint64_t hello_at[NODES];
	uint32_t writes;		/* of the store, under way */
	struct rblk_arbiter_store writing;
	unsigned int nr_held;		/* messages that wait for it */
	struct rblk_arbiter_msg held[32];
	unsigned int nr_learned;	/* records likewise */
	struct rblk_arbiter_record learned[32];
};

struct node {
	double rate;
	uint64_t offset;
	bool on;			/* the machine */
	uint64_t paused_until;
	uint64_t slow_until;
	enum agent_mode agent;
	uint8_t acks;			/* as configured there */
	bool has_store;
	struct rblk_arbiter_store disk;
	struct kernel kernel;
	struct daemon daemon;
	/* what an observer knows */
	uint64_t lost_at;		/* a power cut took what was not flushed */
};

enum event_kind {
	EV_FAULT, EV_FAULT_ENDS, EV_PACKET, EV_BEAT, EV_WAKE, EV_STORED,
	EV_JOB, EV_FENCE_DO, EV_FENCE_SAY, EV_BOOT, EV_DAEMON_START, EV_APP, EV_LOCAL,
	EV_FRAME, EV_ACK, EV_FLUSH, EV_SYNCED, EV_NET, EV_END,
};

struct event {
	uint64_t at;
	uint64_t order;
	enum event_kind kind;
	uint8_t node, peer;
	uint32_t epoch;			/* of the daemon, kernel or link that it is for */
	uint32_t a, b;
	uint64_t sent_at;
	struct rblk_policy_out *job;
	uint8_t *bytes;
	size_t nr;
};

struct acked {
	uint32_t id;
	uint32_t index;
	uint64_t since;		/* when it was admitted */
	uint64_t at;
	bool flushed;
	bool excused;
};

struct world {
	uint64_t now, order, random;
	uint8_t nodes;
	uint16_t data, fenceable;
	uint16_t asynchronous;	/* of protocol A: no write waits for it, unless it is in sync */
	uint8_t min_in_sync;
	uint8_t acks;
	bool trace;
	struct node node[NODES];
	uint8_t cut[NODES][NODES];	/* how many faults cut it */
	uint64_t cut_since[NODES][NODES];
	uint8_t slow[NODES][NODES];
	unsigned int lossy;
	bool lost_a_store;
	struct rblk_arbiter_store first;
	struct fault fault[FAULTS_MAX];
	unsigned int nr_faults;
	struct event *queue;
	size_t nr_events, max_events;
	/* what an observer outside knows */
	struct rblk_arbiter_record chosen[VERSIONS];
	uint32_t next_id;
	uint32_t nr_acked;
	struct acked acked[OPS_MAX];
	uint64_t completed_gen;
	bool well;
	const char *broken;
	char why[160];
	uint64_t failovers, completed;
	uint64_t of_asynchronous;	/* promotions of these */
};

/* world.c */
uint64_t random_below(struct world *w, uint64_t limit);
bool chance(struct world *w, unsigned int percent);
struct event *post(struct world *w, uint64_t at, enum event_kind kind, uint8_t node);
uint64_t local_us(const struct world *w, uint8_t node);
uint64_t local_ms(const struct world *w, uint8_t node);
uint64_t global_of_ms(const struct world *w, uint8_t node, uint64_t ms);
void say(const struct world *w, int node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool net_is_cut(const struct world *w, uint8_t from, uint8_t to);
void machine_off(struct world *w, uint8_t node, bool power, uint64_t back_at);
void world_plan(struct world *w, uint64_t seed);
void world_run(struct world *w, uint64_t seed);
void fault_text(const struct fault *f, char *text, size_t size);

/* directed.c: schedules for one rule each; the last one has no plan */
struct directed {
	enum sim_rule rule;
	void (*plan)(struct world *w);
};

extern const struct directed directed[];

/* kernel.c */
void kernel_boot(struct world *w, uint8_t node);
void kernel_stop(struct world *w, uint8_t node);
bool kernel_job(struct world *w, uint8_t node, const struct rblk_policy_out *job);
void kernel_set_lease(struct world *w, uint8_t node, uint64_t until_ms);
void kernel_event(struct world *w, const struct event *e);
void kernel_net(struct world *w);
void kernel_cut_link(struct world *w, uint8_t node, uint8_t peer);
void kernel_app(struct world *w, uint8_t node);
bool kernel_completes(const struct world *w, uint8_t node);

/* daemon.c */
void daemon_start(struct world *w, uint8_t node);
void daemon_stop(struct world *w, uint8_t node);
void daemon_event(struct world *w, const struct event *e);
void daemon_look(struct world *w, uint8_t node);

/* check.c */
void broken(struct world *w, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void check_learned(struct world *w, uint8_t node, const struct rblk_arbiter_record *r);
void check_excused(struct world *w, uint8_t node);
void check_fences(struct world *w, uint8_t node, uint8_t target);
void check_gives_up(struct world *w, uint8_t node);
void check_applies(struct world *w, uint8_t node, uint8_t primary);
void check_acked(struct world *w, uint8_t node, const struct io *io);
const struct rblk_arbiter_record *check_newest(const struct world *w);
void check_all(struct world *w);
bool check_well(struct world *w);
void check_end(struct world *w);

#endif /* RBLK_SIM_H */

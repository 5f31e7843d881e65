/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake.h - a node for tests: a real engine, a module made of a few structs,
 * and a log of what the engine had done.
 */
#ifndef RBLK_FAKE_H
#define RBLK_FAKE_H

#include "engine.h"

#define FAKE_MAX	128
#define FAKE_LATER	-1		/* not answered yet */

struct fake {
	struct rblk_engine engine;
	struct rblk_engine_ops ops;
	uint64_t now_ms;
	uint64_t wake_ms;
	char log[8192];			/* one line per operation */

	struct rblk_kstate *states[FAKE_MAX];
	size_t states_n;
	const char *bad_disk;		/* VOLUME_NEW of it is refused */
	bool refuse_promote;
	bool fail_save;
	bool knows_nothing;		/* RESYNC with KNOWN is refused */
	unsigned int resyncs;		/* that were not */
	int load_result;		/* of load_record when nothing is saved */
	uint64_t saved;			/* generation; 0: none */
	uint32_t random;		/* every number is this one */
	bool off[RBLK_MAX_NODES];
	int socket;			/* of the last LINK_ATTACH, dup'ed; or -1 */
	void (*attached)(struct fake *f, int fd);

	bool hold_jobs;			/* until fake_release() */
	struct rblk_job *held;
	int code;			/* of the last answer */

	uint64_t token;
	bool (*send)(struct fake *f, unsigned int path,
		     const struct sockaddr_storage *addr, const uint8_t *bytes,
		     size_t n);

	bool hold_ballots;		/* until fake_write_ballots() */
	struct rblk_ballot_job *ballots[FAKE_MAX];
	size_t ballots_n;
	bool hold_leases;		/* the module is not told, until that is false */
	uint64_t told_lease_ms;		/* the last that it was to be told */

	void (*ask_etcd)(struct fake *f, struct rblk_etcd_call *call);

	char dir[64];
	char instance_dir[96];
	char config[128];
	void *data;
};

/* Write the configuration and a key below a fresh directory, load it. */
void fake_init(struct fake *f, const char *node, const char *config);
void fake_exit(struct fake *f);
/* Replace the configuration file. */
void fake_configure(struct fake *f, const char *config);

struct rblk_kstate *fake_find(struct fake *f, const char *name);

/* Ask; returns the code of the answer and keeps its JSON in a static string. */
int fake_ask(struct fake *f, const char *request);
extern char *fake_answer;

/* What was to be written is durable now; hold no more. */
void fake_write_ballots(struct fake *f);

/* Do the jobs that were held, and hold no more. */
void fake_release(struct fake *f);

/* The module says: the link to @peer of @name is now @conn. */
void fake_conn(struct fake *f, const char *name, unsigned int peer,
	       enum rblk_conn_state conn, const char *reason);

extern const char fake_config[];

#endif

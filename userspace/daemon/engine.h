/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h - the daemon's decisions
 *
 * The engine is the middle of a star. The shells around it (kernel,
 * handshake, control, main's loop) report what happened by calling its
 * functions; it acts through the table of operations that main bound. No
 * shell knows another, and a test can stand in for all of them.
 */
#ifndef RBLK_ENGINE_H
#define RBLK_ENGINE_H

#include "auth.h"
#include "cluster.h"
#include "config.h"
#include "genl.h"
#include "link.h"
#include "store.h"

#include <jansson.h>
#include <sys/socket.h>

/* Which link a handshake is for. */
struct rblk_link_id {
	char resource[RBLK_NAME_SIZE];
	uint8_t peer;
};

struct rblk_engine;
struct rblk_call;
struct rblk_ballot_job;
struct rblk_etcd_call;
struct rblk_failover;

/*
 * Requests to the module that may wait: done one after the other until one is
 * refused, beside the loop, in the order in which jobs of one resource are
 * submitted. All requests of a job are about one resource, which the first names
 * even where there are none to be done.
 *
 * @promise, if its generation is not 0, is stored durably before them; if that
 * fails nothing is asked.
 */
struct rblk_job {
	struct rblk_store_record promise;
	uint64_t promised_before;
	bool promised;			/* @promise is stored */
	struct rblk_kreq *reqs;
	size_t n;
	size_t failed;			/* index of the refused one; n: none */
	struct rblk_genl_error err;	/* of that one */
	void (*done)(struct rblk_engine *e, struct rblk_job *job);
	void *data;
	struct rblk_job *next;		/* of who does it */
};

/* What the engine can have done. All return 0 or a negative errno. */
struct rblk_engine_ops {
	uint64_t (*now_ms)(void *ctx);
	uint32_t (*random)(void *ctx);
	/* call rblk_engine_tick() at that time, instead of any set before */
	void (*wake_at)(void *ctx, uint64_t ms);

	/* ends in rblk_job_done() */
	void (*submit)(void *ctx, struct rblk_job *job);
	/* these two never wait */
	int (*get)(void *ctx, const char *name, struct rblk_kstate *state,
		   struct rblk_genl_error *err);
	int (*dump)(void *ctx, struct rblk_kstate **states, size_t *n,
		    struct rblk_genl_error *err);

	/* start a handshake; ends in rblk_engine_link_{authenticated,failed} */
	void (*dial)(void *ctx, const struct rblk_link_id *id,
		     const struct sockaddr_storage *addr, uint64_t generation);
	/* abandon handshakes for that link without a report */
	void (*hang_up)(void *ctx, const struct rblk_link_id *id);
	/* make fd fit for the kernel: options and blocking mode */
	void (*prepare_socket)(void *ctx, int fd, uint32_t timeout_ms);
	/* listen there instead of where it did */
	int (*listen)(void *ctx, const struct sockaddr_storage *addr);

	int (*load_record)(void *ctx, const char *resource,
			   struct rblk_store_record *record);
	int (*save_record)(void *ctx, const char *resource,
			   const struct rblk_store_record *record);
	/* links that the administrator disconnected, until reboot or down */
	bool (*is_marked_off)(void *ctx, const struct rblk_link_id *id);
	void (*mark_off)(void *ctx, const struct rblk_link_id *id, bool off);

	/* microseconds of CLOCK_BOOTTIME; milliseconds since 1970 */
	uint64_t (*boottime_us)(void *ctx);
	uint64_t (*realtime_ms)(void *ctx);
	/* nobody can guess it */
	uint64_t (*token)(void *ctx);
	/* receive datagrams of that network there; NULL: nowhere */
	int (*listen_udp)(void *ctx, unsigned int path,
			  const struct sockaddr_storage *addr);
	bool (*send)(void *ctx, unsigned int path,
		     const struct sockaddr_storage *addr, const uint8_t *bytes,
		     size_t n);
	/* tell the module at once; ends in rblk_failover_lease_set() */
	void (*set_lease)(void *ctx, const char *name, uint64_t until_ms);
	/* beside the loop; ends in rblk_failover_written() */
	void (*write_ballot)(void *ctx, struct rblk_ballot_job *job);
	/* ends in rblk_failover_etcd_answered(), never within this call */
	void (*ask_etcd)(void *ctx, struct rblk_etcd_call *call);
	/* switch it off, while rblk_failover_fence_is_wanted(); ends in _ended() */
	void (*fence)(void *ctx, const struct rblk_config_node *node);
};

/* A node that is to be switched off: one run of its agents is for all resources. */
struct rblk_engine_fence {
	bool runs;
	uint32_t run;			/* number of the last one that began */
	char text[256];			/* how that failed; "" before */
	struct rblk_call *call;		/* of an admin who waits for it, or NULL */
};

/* What another node said that it knows of this one's resources (RBLK_BEAT_HELD). */
struct rblk_engine_held {
	uint64_t sum;
	uint64_t counter;		/* of the datagram */
	bool is_new;			/* it came since this node's last beat */
};

/* A resource that is up in the kernel. */
struct rblk_engine_resource {
	char name[RBLK_NAME_SIZE];
	struct rblk_store_record record;
	uint16_t peers;				/* bit per node id */
	struct rblk_link links[RBLK_MAX_NODES];	/* by node id */
	uint64_t peer_generation[RBLK_MAX_NODES];
	uint32_t attach[RBLK_MAX_NODES];	/* the attach under way; 0: none */
	struct rblk_engine_resource *next;
};

struct rblk_engine {
	const struct rblk_engine_ops *ops;
	void *ctx;
	const char *config_path;
	const char *wanted_node;		/* NULL: the host's name */
	char node_name[RBLK_NAME_SIZE];
	struct rblk_config *config;
	const struct rblk_config_node *node;	/* this one, in config */
	unsigned char key[RBLK_MAX_KEY_BYTES];
	size_t key_len;
	struct rblk_engine_resource *resources;
	uint32_t attaches;			/* so far */
	const char *state_dir;			/* both for stores of the arbiter */
	const char *instance_dir;
	struct rblk_cluster cluster;
	struct sockaddr_storage udp_addr[RBLK_DETECTOR_PATHS];	/* where it listens */
	struct rblk_failover *failovers;
	struct rblk_engine_held held[RBLK_MAX_NODES];
	struct rblk_failover *found_last;	/* the one after that; or NULL */
	uint32_t etcd_calls;			/* so far */
	struct rblk_engine_fence fence[RBLK_MAX_NODES];
	bool started;
	bool is_running;			/* rblk_engine_run() */
	bool run_again;
	uint64_t wake_us;			/* when to run again, boottime */
};

/*
 * Load the configuration and the key; on a reload keep the old ones when the
 * new are wrong. The caller frees *why, which is set when false is returned.
 */
bool rblk_engine_load(struct rblk_engine *e, char **why);

/* Take over what the kernel already has, and start connecting. */
int rblk_engine_start(struct rblk_engine *e, struct rblk_genl_error *err);
void rblk_engine_stop(struct rblk_engine *e);

/* For handshakes: who this node is. */
struct rblk_auth_identity rblk_engine_identity(const struct rblk_engine *e);
struct rblk_auth_answer
rblk_engine_decide(void *engine, const struct rblk_auth_question *question);

/* Reports. fd: the engine owns it from here. */
void rblk_engine_tick(struct rblk_engine *e);
void rblk_engine_link_authenticated(struct rblk_engine *e,
				    const struct rblk_link_id *id, int fd,
				    uint64_t peer_generation);
void rblk_engine_link_failed(struct rblk_engine *e,
			     const struct rblk_link_id *id, bool refused,
			     const char *reason);
/*
 * Somebody who says to be that peer called in vain. It may be anybody, so it
 * changes nothing but what is shown while we wait for that call. False: we do
 * not.
 */
bool rblk_engine_caller_failed(struct rblk_engine *e,
			       const struct rblk_link_id *id,
			       const char *reason);
void rblk_engine_will_be_called(struct rblk_engine *e,
				const struct rblk_link_id *id);
void rblk_engine_kernel_event(struct rblk_engine *e,
			      const struct rblk_kevent *event);
void rblk_engine_kernel_lost(struct rblk_engine *e);
void rblk_engine_datagram(struct rblk_engine *e, const uint8_t *bytes, size_t n);

/*
 * One control request (verbs.c). Its answer goes to @reply, once, perhaps
 * later, and belongs to it.
 */
typedef void (*rblk_reply_fn)(void *ctx, json_t *answer);
void rblk_engine_control(struct rblk_engine *e, const json_t *request,
			 rblk_reply_fn reply, void *ctx);

/* What a shell does with a job, beside the loop. */
void rblk_job_keep_promise(struct rblk_job *job,
			   int (*save)(void *ctx, const char *resource,
				       const struct rblk_store_record *record),
			   void *ctx);

/* A job of copies of @reqs; it frees itself after @done, which may be NULL. */
void rblk_engine_submit(struct rblk_engine *e, const struct rblk_kreq *reqs,
			size_t n,
			void (*done)(struct rblk_engine *e,
				     struct rblk_job *job), void *data);
void rblk_job_done(struct rblk_engine *e, struct rblk_job *job);

/* Shared by engine.c, calls.c, verbs.c and up.c. */
const char *rblk_engine_peer_name(const struct rblk_engine *e, unsigned int id);
uint64_t rblk_engine_now_ms(const struct rblk_engine *e);
uint32_t rblk_engine_random(const struct rblk_engine *e);
uint64_t
rblk_engine_highest_generation(const struct rblk_engine_resource *r);
struct rblk_engine_resource *rblk_engine_find(struct rblk_engine *e,
					      const char *name);
struct rblk_engine_resource *
rblk_engine_adopt(struct rblk_engine *e, const struct rblk_kstate *state);
void rblk_engine_forget(struct rblk_engine *e, const char *name);
void rblk_engine_schedule(struct rblk_engine *e);
/* Heartbeats and automatic resources: follow the configuration; go on (run.c). */
void rblk_engine_follow(struct rblk_engine *e);
void rblk_engine_run(struct rblk_engine *e);
/* Ask the module how that resource is now. */
void rblk_engine_refresh(struct rblk_engine *e, const char *name);
/* Remember @generation durably if it is news; 0 or a negative errno. Waits. */
int rblk_engine_promise(struct rblk_engine *e, struct rblk_engine_resource *r,
			uint64_t generation);
/*
 * As rblk_engine_submit(), but first @generation is stored durably, in the same
 * job, if it is news. @n may be 0: then @req only names the resource.
 */
void rblk_engine_submit_promise(struct rblk_engine *e,
				struct rblk_engine_resource *r, uint64_t generation,
				const struct rblk_kreq *req, size_t n,
				void (*done)(struct rblk_engine *e,
					     struct rblk_job *job));
/*
 * A promotion to @generation was refused: nobody was told of it, and as a
 * promise it would only keep this node from following. Back to @before, or to
 * what the module promised.
 */
void rblk_engine_take_back(struct rblk_engine *e, const char *name,
			   uint64_t generation, uint64_t before);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verbs.h - what came of a request of the command, for one resource
 */
#ifndef RBLK_VERBS_H
#define RBLK_VERBS_H

#include "engine.h"

struct rblk_outcome {
	int code;			/* enum rblk_exit */
	char text[768];
};

/*
 * A request that is being answered: it holds the results so far, and replies
 * when nobody holds it any more.
 */
struct rblk_call;

void rblk_call_hold(struct rblk_call *call);
void rblk_call_release(struct rblk_call *call);
void rblk_call_result(struct rblk_call *call, const char *resource,
		      const struct rblk_outcome *out);

/* A result that is more than a code and a text; takes over @result. */
void rblk_call_add(struct rblk_call *call, json_t *result);

/* Adds one result, now or, holding @call, later. */
typedef void (*rblk_verb_fn)(struct rblk_engine *e, const char *resource,
			     const json_t *request, struct rblk_call *call);

struct rblk_outcome rblk_outcome_say(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
struct rblk_outcome rblk_outcome_error(const struct rblk_genl_error *err);

void rblk_verb_up(struct rblk_engine *e, const char *name,
		  const json_t *request, struct rblk_call *call);
void rblk_verb_adjust(struct rblk_engine *e, const char *name,
		      const json_t *request, struct rblk_call *call);

/* Of resources with failover = auto (verbs_failover.c). False: it is none. */
bool rblk_verb_promote_automatic(struct rblk_engine *e, const char *name,
				 const json_t *request, struct rblk_call *call);
void rblk_verb_demote(struct rblk_engine *e, const char *name,
		      const json_t *request, struct rblk_call *call);
void rblk_verb_failover(struct rblk_engine *e, const char *name,
			const json_t *request, struct rblk_call *call);
void rblk_verb_readmit(struct rblk_engine *e, const char *name,
		       const json_t *request, struct rblk_call *call);
void rblk_verb_dismiss(struct rblk_engine *e, const char *name,
		       const json_t *request, struct rblk_call *call);
/* About the node that "peer" names (verbs_cluster.c). */
void rblk_verb_evict(struct rblk_engine *e, const json_t *request,
		     struct rblk_call *call);
void rblk_verb_fence(struct rblk_engine *e, const json_t *request,
		     struct rblk_call *call);

void rblk_verb_history(struct rblk_engine *e, const char *name,
		       const json_t *request, struct rblk_call *call);

#endif

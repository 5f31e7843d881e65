// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * calls.c - decisions on handshakes: who may connect, what comes of it
 */
#include "engine.h"
#include "failover.h"

#include "log.h"
#include "sockopt.h"
#include "text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rblk_link *find_link(struct rblk_engine *e,
				   const struct rblk_link_id *id,
				   struct rblk_engine_resource **r)
{
	*r = rblk_engine_find(e, id->resource);
	if (!*r || !((*r)->peers & (1U << id->peer)))
		return NULL;
	return &(*r)->links[id->peer];
}

/* Take an old socket from the kernel: its peer has come with a new one. */
static void detach_old(struct rblk_engine *e, const struct rblk_link_id *id)
{
	struct rblk_kreq req = {
		.cmd = RBLK_CMD_LINK_DETACH, .nest = RBLK_A_PEER,
		.peer = { .has = RBLK_HAS(RBLK_PEER_NODE_ID),
			  .node_id = id->peer },
	};

	rblk_text_copy(req.name, sizeof(req.name), id->resource);
	rblk_engine_submit(e, &req, 1, NULL, NULL);
}

static enum rblk_auth_code judge(struct rblk_engine *e,
				 const struct rblk_auth_question *q,
				 struct rblk_engine_resource **r)
{
	const struct rblk_config_resource *c =
		rblk_config_resource(e->config, q->resource);

	*r = rblk_engine_find(e, q->resource);
	if (!c || !(c->members & (1U << e->node->id)))
		return RBLK_AUTH_UNKNOWN_RESOURCE;
	if (!(c->members & (1U << q->from)))
		return RBLK_AUTH_UNKNOWN_NODE;
	if (!*r || !((*r)->peers & (1U << q->from)))
		return RBLK_AUTH_NOT_UP;
	if ((*r)->links[q->from].state == RBLK_LINK_OFF)
		return RBLK_AUTH_DISCONNECTED;
	if (q->from > e->node->id)
		return RBLK_AUTH_WILL_CALL;
	return RBLK_AUTH_OK;
}

struct rblk_auth_answer
rblk_engine_decide(void *engine, const struct rblk_auth_question *question)
{
	struct rblk_engine *e = engine;
	struct rblk_link_id id = { .peer = question->from };
	struct rblk_auth_answer answer = { 0 };
	struct rblk_engine_resource *r;

	answer.code = judge(e, question, &r);
	if (answer.code != RBLK_AUTH_OK && answer.code != RBLK_AUTH_WILL_CALL)
		return answer;
	rblk_text_copy(id.resource, sizeof(id.resource), question->resource);
	if (answer.code == RBLK_AUTH_WILL_CALL) {
		if (rblk_link_knocked(&r->links[id.peer], rblk_engine_now_ms(e)))
			detach_old(e, &id);
		rblk_engine_schedule(e);
	} else if (r->links[id.peer].state >= RBLK_LINK_ATTACHED) {
		detach_old(e, &id);
	}
	answer.generation = rblk_engine_highest_generation(r);
	return answer;
}

/* A socket on its way to the kernel. */
struct attach {
	struct rblk_link_id id;
	uint32_t serial;
	int fd;
};

static void attach_done(struct rblk_engine *e, struct rblk_job *job)
{
	struct attach *a = job->data;
	struct rblk_engine_resource *r;
	struct rblk_link *link = find_link(e, &a->id, &r);
	const char *peer = rblk_engine_peer_name(e, a->id.peer);

	close(a->fd);
	/* else the peer has come with a newer one, or nobody wants it any more */
	if (link && r->attach[a->id.peer] == a->serial) {
		r->attach[a->id.peer] = 0;
		if (job->failed == job->n) {
			e->ops->hang_up(e->ctx, &a->id);	/* a knock of ours */
			/* events may have told more already */
			if (link->state < RBLK_LINK_ATTACHED)
				rblk_link_attached(link, rblk_engine_now_ms(e));
			rblk_log(RBLK_LOG_DEBUG, r->name, peer,
				 "authenticated, socket handed over");
			rblk_engine_refresh(e, a->id.resource);
		} else {
			rblk_log(RBLK_LOG_ERROR, r->name, peer,
				 "the kernel refuses the link: %s",
				 job->err.text);
			rblk_link_failed(link, rblk_engine_now_ms(e),
					 rblk_engine_random(e), true,
					 job->err.text);
		}
		rblk_engine_schedule(e);
	}
	free(a);
}

/* One name that calls from two places is two machines, a clone perhaps. */
static void note_caller(struct rblk_engine *e, const struct rblk_link_id *id,
			struct rblk_link *link, int fd)
{
	char host[64], other[64];

	if (rblk_sockopt_peer_host(fd, host, sizeof(host)) &&
	    rblk_link_came_from(link, rblk_engine_now_ms(e), host, other,
				sizeof(other)))
		rblk_log(RBLK_LOG_ERROR, id->resource,
			 rblk_engine_peer_name(e, id->peer),
			 "two machines say that they are this node, %s and %s: a clone? Stop one of them",
			 other, host);
}

void rblk_engine_link_failed(struct rblk_engine *e,
			     const struct rblk_link_id *id, bool refused,
			     const char *reason)
{
	struct rblk_engine_resource *r;
	struct rblk_link *link = find_link(e, id, &r);

	if (!link)
		return;
	if (strcmp(link->reason, reason) != 0)
		rblk_log(refused ? RBLK_LOG_WARNING : RBLK_LOG_INFO, r->name,
			 rblk_engine_peer_name(e, id->peer), "not connected: %s", reason);
	rblk_link_failed(link, rblk_engine_now_ms(e), rblk_engine_random(e),
			 refused, reason);
	rblk_engine_schedule(e);
}

void rblk_engine_link_authenticated(struct rblk_engine *e,
				    const struct rblk_link_id *id, int fd,
				    uint64_t peer_generation)
{
	struct rblk_kreq reqs[2] = {
		{ .cmd = RBLK_CMD_LINK_DETACH, .nest = RBLK_A_PEER,
		  .peer = { .has = RBLK_HAS(RBLK_PEER_NODE_ID),
			    .node_id = id->peer } },
		{ .cmd = RBLK_CMD_LINK_ATTACH, .nest = RBLK_A_PEER,
		  .peer = { .has = RBLK_HAS(RBLK_PEER_NODE_ID) |
				   RBLK_HAS(RBLK_PEER_SOCKET),
			    .node_id = id->peer, .socket = fd } },
	};
	struct rblk_engine_resource *r;
	struct rblk_link *link = find_link(e, id, &r);
	struct attach *a;
	bool waiting;

	if (!link || link->state == RBLK_LINK_OFF) {
		close(fd);
		return;
	}
	if (rblk_failover_shuns(e, id->resource, id->peer)) {
		close(fd);
		rblk_engine_link_failed(e, id, false,
					"it may be primary, and is not to be");
		return;
	}
	if (peer_generation > r->peer_generation[id->peer])
		r->peer_generation[id->peer] = peer_generation;
	note_caller(e, id, link, fd);
	e->ops->prepare_socket(e->ctx, fd, e->config->timeout_ms);
	rblk_text_copy(reqs[0].name, sizeof(reqs[0].name), id->resource);
	rblk_text_copy(reqs[1].name, sizeof(reqs[1].name), id->resource);
	a = rblk_xcalloc(1, sizeof(*a));
	a->id = *id;
	a->fd = fd;
	a->serial = ++e->attaches;
	/* an older socket that waits to be attached is dead: drop it again */
	waiting = r->attach[id->peer] != 0;
	r->attach[id->peer] = a->serial;
	rblk_engine_submit(e, waiting ? reqs : &reqs[1], waiting ? 2 : 1,
			   attach_done, a);
}

bool rblk_engine_caller_failed(struct rblk_engine *e,
			       const struct rblk_link_id *id,
			       const char *reason)
{
	struct rblk_engine_resource *r;
	struct rblk_link *link = id->peer < RBLK_MAX_NODES ?
				 find_link(e, id, &r) : NULL;
	const char *text = strstr(reason, ": ");

	if (!link || link->state != RBLK_LINK_IDLE)
		return false;
	/* it calls from another port each time */
	if (!text || !strstr(link->reason, text))
		rblk_log(RBLK_LOG_WARNING, r->name, rblk_engine_peer_name(e, id->peer),
			 "not connected: %s", reason);
	rblk_text_copy(link->reason, sizeof(link->reason), reason);
	return true;
}

void rblk_engine_will_be_called(struct rblk_engine *e,
				const struct rblk_link_id *id)
{
	struct rblk_engine_resource *r;
	struct rblk_link *link = find_link(e, id, &r);

	if (link)
		rblk_link_will_be_called(link);
}

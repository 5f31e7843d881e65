// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lease.c - the shell that tells the module of leases
 */
#include "lease.h"

#include "failover.h"
#include "text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS	1000000ULL

struct rblk_lease_item {
	struct rblk_lease_item *next;
	char resource[RBLK_NAME_SIZE];
	uint64_t until_ms;
	int rc;
};

static void append(struct rblk_lease_item **list, struct rblk_lease_item *items)
{
	while (*list)
		list = &(*list)->next;
	*list = items;
}

static size_t count(const struct rblk_lease_item *item)
{
	size_t n = 0;

	for (; item; item = item->next)
		n++;
	return n;
}

/* All of the list, in few messages: what they cost counts with many resources. */
static void tell(struct rblk_genl *g, struct rblk_lease_item *list)
{
	size_t n = count(list), i = 0;
	struct rblk_kreq *reqs = rblk_xcalloc(n, sizeof(*reqs));
	int *rc = rblk_xcalloc(n, sizeof(*rc));
	struct rblk_lease_item *item;

	for (item = list; item; item = item->next, i++) {
		reqs[i].cmd = RBLK_CMD_RESOURCE_SET;
		reqs[i].nest = RBLK_A_RESOURCE;
		reqs[i].resource.has = RBLK_HAS(RBLK_RES_LEASE_UNTIL_NS);
		reqs[i].resource.lease_until_ns = item->until_ms * NS_PER_MS;
		rblk_text_copy(reqs[i].name, sizeof(reqs[i].name), item->resource);
	}
	rblk_genl_request_all(g, reqs, n, rc);
	for (item = list, i = 0; item; item = item->next, i++)
		item->rc = rc[i];
	free(reqs);
	free(rc);
}

static void fail(struct rblk_lease_item *list, int rc)
{
	for (; list; list = list->next)
		list->rc = rc;
}

/* All there is, or NULL at the end. */
static struct rblk_lease_item *next_items(struct rblk_leases *l)
{
	struct rblk_lease_item *list;

	uv_mutex_lock(&l->mutex);
	while (!l->todo && !l->stop)
		uv_cond_wait(&l->wanted, &l->mutex);
	list = l->stop ? NULL : l->todo;
	if (list)
		l->todo = NULL;
	uv_mutex_unlock(&l->mutex);
	return list;
}

static void work(void *data)
{
	struct rblk_leases *l = data;
	struct rblk_lease_item *list;
	struct rblk_genl_error err;
	struct rblk_genl g;
	int rc = rblk_genl_open(&g, &err);

	if (rc == 0)
		rblk_genl_wait_long(&g);
	while ((list = next_items(l))) {
		if (rc == 0)
			tell(&g, list);
		else
			fail(list, rc);
		uv_mutex_lock(&l->mutex);
		append(&l->done, list);
		uv_mutex_unlock(&l->mutex);
		uv_async_send(&l->ended);
	}
	if (rc == 0)
		rblk_genl_close(&g);
}

static void ended(uv_async_t *async)
{
	struct rblk_leases *l = async->data;
	struct rblk_lease_item *item, *done;

	uv_mutex_lock(&l->mutex);
	done = l->done;
	l->done = NULL;
	uv_mutex_unlock(&l->mutex);
	while ((item = done)) {
		done = item->next;
		rblk_failover_lease_set(l->engine, item->resource,
					item->until_ms, item->rc);
		free(item);
	}
	rblk_engine_run(l->engine);
}

int rblk_leases_open(struct rblk_leases *l, uv_loop_t *loop,
		     struct rblk_engine *engine)
{
	int rc;

	*l = (struct rblk_leases){ .engine = engine };
	l->ended.data = l;
	l->turn_ends.data = l;
	uv_mutex_init(&l->mutex);
	uv_cond_init(&l->wanted);
	uv_prepare_init(loop, &l->turn_ends);
	rc = uv_async_init(loop, &l->ended, ended);
	return rc < 0 ? rc : uv_thread_create(&l->thread, work, l);
}

/* The loop has done all that was due, and would wait now. */
static void turn_ends(uv_prepare_t *prepare)
{
	struct rblk_leases *l = prepare->data;

	uv_prepare_stop(prepare);
	uv_mutex_lock(&l->mutex);
	uv_cond_signal(&l->wanted);
	uv_mutex_unlock(&l->mutex);
}

void rblk_leases_set(struct rblk_leases *l, const char *resource,
		     uint64_t until_ms)
{
	struct rblk_lease_item *item;

	uv_mutex_lock(&l->mutex);
	item = l->todo;
	while (item && strcmp(item->resource, resource) != 0)
		item = item->next;
	if (!item) {
		item = rblk_xcalloc(1, sizeof(*item));
		rblk_text_copy(item->resource, sizeof(item->resource), resource);
		append(&l->todo, item);
	}
	item->until_ms = until_ms;
	/* a primary that is to stop does not wait until the others are renewed, too */
	if (!until_ms)
		uv_cond_signal(&l->wanted);
	uv_mutex_unlock(&l->mutex);
	uv_prepare_start(&l->turn_ends, turn_ends);
}

static void free_items(struct rblk_lease_item *item)
{
	struct rblk_lease_item *next;

	for (; item; item = next) {
		next = item->next;
		free(item);
	}
}

void rblk_leases_close(struct rblk_leases *l)
{
	uv_mutex_lock(&l->mutex);
	l->stop = true;
	uv_cond_signal(&l->wanted);
	uv_mutex_unlock(&l->mutex);
	uv_thread_join(&l->thread);
	uv_close((uv_handle_t *)&l->ended, NULL);
	uv_close((uv_handle_t *)&l->turn_ends, NULL);
	free_items(l->todo);
	free_items(l->done);
}

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

static void append(struct rblk_lease_item **list, struct rblk_lease_item *item)
{
	while (*list)
		list = &(*list)->next;
	item->next = NULL;
	*list = item;
}

static void tell(struct rblk_genl *g, struct rblk_lease_item *item)
{
	struct rblk_kreq req = {
		.cmd = RBLK_CMD_RESOURCE_SET, .nest = RBLK_A_RESOURCE,
		.resource = { .has = RBLK_HAS(RBLK_RES_LEASE_UNTIL_NS),
			      .lease_until_ns = item->until_ms * NS_PER_MS },
	};
	struct rblk_genl_error err;

	rblk_text_copy(req.name, sizeof(req.name), item->resource);
	item->rc = rblk_genl_request(g, &req, &err);
}

/* The next one, or NULL at the end. */
static struct rblk_lease_item *next_item(struct rblk_leases *l)
{
	struct rblk_lease_item *item;

	uv_mutex_lock(&l->mutex);
	while (!l->todo && !l->stop)
		uv_cond_wait(&l->wanted, &l->mutex);
	item = l->stop ? NULL : l->todo;
	if (item)
		l->todo = item->next;
	uv_mutex_unlock(&l->mutex);
	return item;
}

static void work(void *data)
{
	struct rblk_leases *l = data;
	struct rblk_lease_item *item;
	struct rblk_genl_error err;
	struct rblk_genl g;
	int rc = rblk_genl_open(&g, &err);

	if (rc == 0)
		rblk_genl_wait_long(&g);
	while ((item = next_item(l))) {
		if (rc == 0)
			tell(&g, item);
		else
			item->rc = rc;
		uv_mutex_lock(&l->mutex);
		append(&l->done, item);
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
	uv_mutex_init(&l->mutex);
	uv_cond_init(&l->wanted);
	rc = uv_async_init(loop, &l->ended, ended);
	return rc < 0 ? rc : uv_thread_create(&l->thread, work, l);
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
	uv_cond_signal(&l->wanted);
	uv_mutex_unlock(&l->mutex);
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
	free_items(l->todo);
	free_items(l->done);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * jobs.c - requests to the module that may wait, beside the loop
 */
#include "jobs.h"

#include "meta.h"
#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rblk_jobs_queue {
	struct rblk_jobs *jobs;
	struct rblk_jobs_queue *next;
	char resource[RBLK_NAME_SIZE];
	struct rblk_job *first;
	uv_thread_t thread;
	bool is_over;			/* the thread takes nothing more */
};

/* The kernel refuses metadata that is not of this volume: tell whose it is. */
static void tell_whose(const struct rblk_kreq *req, struct rblk_genl_error *err)
{
	bool apart = req->volume.metadata == RBLK_METADATA_APART;
	const char *path = apart ? req->volume.metadata_disk : req->volume.disk;
	char whose[160];
	size_t used = strlen(err->text);

	if (err->code != EMEDIUMTYPE || req->nest != RBLK_A_VOLUME ||
	    rblk_meta_tell_whose(path, whose, sizeof(whose)) < 0)
		return;
	snprintf(err->text + used, sizeof(err->text) - used, " (%s)", whose);
}

static int save(void *ctx, const char *resource,
		const struct rblk_store_record *record)
{
	const struct rblk_jobs *jobs = ctx;

	return rblk_store_save(jobs->engine->state_dir, resource, record);
}

static void run_job(struct rblk_jobs *jobs, struct rblk_genl *g, struct rblk_job *job)
{
	rblk_job_keep_promise(job, save, jobs);
	while (job->promised && job->failed < job->n) {
		const struct rblk_kreq *req = &job->reqs[job->failed];

		if (rblk_genl_request(g, req, &job->err) < 0) {
			tell_whose(req, &job->err);
			return;
		}
		job->failed++;
	}
}

/* The next one, or NULL at the end of the thread. */
static struct rblk_job *next_job(struct rblk_jobs_queue *q)
{
	struct rblk_job *job;

	uv_mutex_lock(&q->jobs->mutex);
	job = q->first;
	if (job)
		q->first = job->next;
	else
		q->is_over = true;
	uv_mutex_unlock(&q->jobs->mutex);
	return job;
}

static void work(void *data)
{
	struct rblk_jobs_queue *q = data;
	struct rblk_genl_error err;
	struct rblk_job *job;
	struct rblk_genl g;
	int rc = rblk_genl_open(&g, &err);

	if (rc == 0)
		rblk_genl_wait_long(&g);
	while ((job = next_job(q))) {
		if (rc == 0)
			run_job(q->jobs, &g, job);
		else
			job->err = err;
		uv_mutex_lock(&q->jobs->mutex);
		job->next = q->jobs->done;
		q->jobs->done = job;
		uv_mutex_unlock(&q->jobs->mutex);
		uv_async_send(&q->jobs->ended);
	}
	if (rc == 0)
		rblk_genl_close(&g);
	uv_async_send(&q->jobs->ended);
}

/* Join the threads that are over. */
static void reap(struct rblk_jobs *jobs)
{
	struct rblk_jobs_queue *over = NULL, *q, **at = &jobs->queues;

	uv_mutex_lock(&jobs->mutex);
	while ((q = *at)) {
		if (!q->is_over) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		q->next = over;
		over = q;
	}
	uv_mutex_unlock(&jobs->mutex);
	while ((q = over)) {
		over = q->next;
		uv_thread_join(&q->thread);
		free(q);
	}
}

static void ended(uv_async_t *async)
{
	struct rblk_jobs *jobs = async->data;
	struct rblk_job *done, *job, *oldest = NULL;

	uv_mutex_lock(&jobs->mutex);
	done = jobs->done;
	jobs->done = NULL;
	uv_mutex_unlock(&jobs->mutex);
	while ((job = done)) {
		done = job->next;
		job->next = oldest;
		oldest = job;
	}
	reap(jobs);
	while ((job = oldest)) {
		oldest = job->next;
		rblk_job_done(jobs->engine, job);
	}
}

int rblk_jobs_open(struct rblk_jobs *jobs, uv_loop_t *loop,
		   struct rblk_engine *engine)
{
	*jobs = (struct rblk_jobs){ .engine = engine };
	jobs->ended.data = jobs;
	uv_mutex_init(&jobs->mutex);
	return uv_async_init(loop, &jobs->ended, ended);
}

static struct rblk_jobs_queue *find_queue(struct rblk_jobs *jobs,
					  const char *resource)
{
	struct rblk_jobs_queue *q = jobs->queues;

	while (q && (q->is_over || strcmp(q->resource, resource) != 0))
		q = q->next;
	return q;
}

static void append(struct rblk_jobs_queue *q, struct rblk_job *job)
{
	struct rblk_job **at = &q->first;

	while (*at)
		at = &(*at)->next;
	*at = job;
}

void rblk_jobs_submit(struct rblk_jobs *jobs, struct rblk_job *job)
{
	struct rblk_jobs_queue *q;
	bool is_new;

	uv_mutex_lock(&jobs->mutex);
	q = find_queue(jobs, job->reqs[0].name);
	is_new = !q;
	if (is_new) {
		q = rblk_xcalloc(1, sizeof(*q));
		q->jobs = jobs;
		rblk_text_copy(q->resource, sizeof(q->resource),
			       job->reqs[0].name);
		q->next = jobs->queues;
		jobs->queues = q;
	}
	append(q, job);
	/* before anybody can see the queue end */
	if (is_new && uv_thread_create(&q->thread, work, q) != 0)
		abort();
	uv_mutex_unlock(&jobs->mutex);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fence.c - switch nodes off: levels, attempts, off and then status
 */
#include "fence.h"

#include "agent.h"
#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * One node. It always waits for exactly one thing: @timer, or @agent.
 */
struct rblk_fence_run {
	struct rblk_fences *owner;
	struct rblk_fence_run *next;
	struct rblk_config_node node;	/* name, id, delay, fences */
	size_t at;			/* in node.fences */
	unsigned int attempts;		/* of that one, that failed */
	bool asks_status;		/* else it is told off */
	struct rblk_agent *agent;
	uv_timer_t timer;
	char text[640];			/* what failed, or by what it is off */
};

/* ---- life of a run */

static void run_closed(uv_handle_t *timer)
{
	struct rblk_fence_run *run = timer->data;

	rblk_config_free_fences(&run->node);
	free(run);
}

static void drop(struct rblk_fence_run *run)
{
	struct rblk_fence_run **at = &run->owner->runs;

	while (*at != run)
		at = &(*at)->next;
	*at = run->next;
	if (run->agent)
		rblk_agent_kill(run->agent);
	uv_close((uv_handle_t *)&run->timer, run_closed);
}

static void finish(struct rblk_fence_run *run, bool off)
{
	struct rblk_fences *f = run->owner;
	uint8_t node = run->node.id;
	char text[sizeof(run->text)];

	rblk_text_copy(text, sizeof(text), run->text);
	drop(run);
	f->done(f->ctx, node, off, text);
}

static void add_text(struct rblk_fence_run *run, const char *separator,
		     const char *text)
{
	size_t used = strlen(run->text);

	rblk_text_format(run->text + used, sizeof(run->text) - used, "%s%s",
			 used ? separator : "", text);
}

/* ---- levels and attempts */

static const struct rblk_config_fence *now(const struct rblk_fence_run *run)
{
	return &run->node.fences[run->at];
}

/* What comes next may fail at once, and lead to what comes next. */
static void time_came(uv_timer_t *timer);

static void go_on_after(struct rblk_fence_run *run, uint64_t ms)
{
	uv_timer_start(&run->timer, time_came, ms, 0);
}

/* The next section, or the first one of another level. */
static bool next_section(struct rblk_fence_run *run, bool same_level)
{
	unsigned int level = now(run)->level;

	run->attempts = 0;
	run->asks_status = false;
	while (++run->at < run->node.fences_n)
		if (same_level || now(run)->level != level)
			break;
	return run->at < run->node.fences_n &&
	       (now(run)->level == level) == same_level;
}

static void section_failed(struct rblk_fence_run *run, const char *why)
{
	char text[400];

	rblk_text_format(text, sizeof(text), "%s: %s", now(run)->name, why);
	rblk_log(RBLK_LOG_DEBUG, NULL, run->node.name, "fence %s", text);
	add_text(run, "; ", text);
	if (next_section(run, false))
		go_on_after(run, 0);
	else
		finish(run, false);
}

static void section_worked(struct rblk_fence_run *run)
{
	unsigned int level = now(run)->level;
	char text[sizeof(run->text)] = "by ";
	size_t i, used = strlen(text);

	if (next_section(run, true)) {
		go_on_after(run, 0);
		return;
	}
	for (i = 0; i < run->node.fences_n; i++) {
		if (run->node.fences[i].level != level)
			continue;
		rblk_text_format(text + used, sizeof(text) - used, "%s%s",
				 used > 3 ? ", " : "", run->node.fences[i].name);
		used = strlen(text);
	}
	rblk_text_copy(run->text, sizeof(run->text), text);
	finish(run, true);
}

static void attempt_failed(struct rblk_fence_run *run, const char *why)
{
	run->asks_status = false;
	if (run->attempts++ < now(run)->retries)
		go_on_after(run, RBLK_FENCE_PAUSE_MS);
	else
		section_failed(run, why);
}

static const char *explain(const struct rblk_fence_run *run,
			   const struct rblk_agent_result *r, char *buf,
			   size_t size)
{
	const char *action = run->asks_status ? "status" : "off";
	const char *colon = r->text[0] ? ": " : "";

	switch (r->end) {
	case RBLK_AGENT_TIMED_OUT:
		return rblk_text_format(buf, size,
					"no answer to %s within %u ms%s%s",
					action, now(run)->timeout_ms, colon,
					r->text);
	case RBLK_AGENT_NOT_RUN:
		return rblk_text_format(buf, size, "cannot be run: %s",
					strerror(r->code));
	case RBLK_AGENT_KILLED:
		return rblk_text_format(buf, size, "ended by signal %d at %s%s%s",
					r->code, action, colon, r->text);
	case RBLK_AGENT_EXITED:
		break;
	}
	if (run->asks_status && r->code == 0)
		return "it said that the node was switched off, and then that it is on";
	return rblk_text_format(buf, size, "%s failed, exit code %d%s%s", action,
				r->code, colon, r->text);
}

#define EXIT_OFF	2	/* of a status */

/* An answer leads to the next question, and that to an answer. */
static void ask(struct rblk_fence_run *run);

static void answered(void *ctx, const struct rblk_agent_result *result)
{
	struct rblk_fence_run *run = ctx;
	bool exited = result->end == RBLK_AGENT_EXITED;
	char why[400];

	run->agent = NULL;
	if (run->asks_status && exited && result->code == EXIT_OFF) {
		section_worked(run);
	} else if (!run->asks_status && exited && result->code == 0) {
		run->asks_status = true;
		ask(run);
	} else {
		attempt_failed(run, explain(run, result, why, sizeof(why)));
	}
}

/* What the agent reads; NULL and @why: that cannot be said. */
static char *compose(const struct rblk_fence_run *run, char *why,
		     size_t why_size)
{
	const struct rblk_config_fence *f = now(run);
	char *secret = rblk_config_read_fence_options(f, why, why_size);
	char *text = NULL;
	size_t size, i;
	FILE *to;

	if (!secret)
		return NULL;
	to = open_memstream(&text, &size);
	if (!to)
		abort();
	for (i = 0; i < f->options_n; i++)
		fprintf(to, "%s\n", f->options[i]);
	fprintf(to, "%saction=%s\n", secret, run->asks_status ? "status" : "off");
	fclose(to);
	explicit_bzero(secret, strlen(secret));
	free(secret);
	return text;
}

static void ask(struct rblk_fence_run *run)
{
	const struct rblk_config_fence *f = now(run);
	char path[PATH_MAX], why[PATH_MAX + 256];
	char *input;

	if (!f->agent) {
		rblk_text_format(why, sizeof(why),
				 "make sure that it is off, then say 'rblk fence --confirm %s'",
				 run->node.name);
		section_failed(run, why);
		return;
	}
	if (!rblk_config_find_agent(f, path, sizeof(path), why, sizeof(why))) {
		section_failed(run, why);
		return;
	}
	input = compose(run, why, sizeof(why));
	if (!input) {
		section_failed(run, why);
		return;
	}
	run->agent = rblk_agent_start(run->owner->loop, path, input,
				      f->timeout_ms, answered, run);
	explicit_bzero(input, strlen(input));
	free(input);
}

static void time_came(uv_timer_t *timer)
{
	struct rblk_fence_run *run = timer->data;
	struct rblk_fences *f = run->owner;

	if (f->wanted && !f->wanted(f->ctx, run->node.id))
		add_text(run, "; ", "left alone, as it was heard of again");
	else if (run->node.fences_n == 0)
		add_text(run, "", "there is no fence section for it");
	else {
		ask(run);
		return;
	}
	finish(run, false);
}

/* ---- all of them */

void rblk_fences_init(struct rblk_fences *f, uv_loop_t *loop,
		      rblk_fence_done_fn done, rblk_fence_wanted_fn wanted,
		      void *ctx)
{
	*f = (struct rblk_fences){
		.loop = loop, .done = done, .wanted = wanted, .ctx = ctx,
	};
}

static struct rblk_fence_run *find(struct rblk_fences *f, uint8_t node)
{
	struct rblk_fence_run *run = f->runs;

	while (run && run->node.id != node)
		run = run->next;
	return run;
}

void rblk_fences_start(struct rblk_fences *f,
		       const struct rblk_config_node *node)
{
	struct rblk_fence_run *run;

	if (find(f, node->id))
		return;
	run = rblk_xcalloc(1, sizeof(*run));
	run->owner = f;
	/* a copy: the configuration may change meanwhile */
	rblk_config_copy_fences(&run->node, node);
	run->next = f->runs;
	f->runs = run;
	uv_timer_init(f->loop, &run->timer);
	run->timer.data = run;
	go_on_after(run, node->fence_delay_ms);
}

void rblk_fences_close(struct rblk_fences *f)
{
	while (f->runs)
		drop(f->runs);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent.h - run a program, feed it, and wait for it no longer than so long
 */
#ifndef RBLK_AGENT_H
#define RBLK_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define RBLK_AGENT_MAX_INPUT	(32 * 1024)

enum rblk_agent_end {
	RBLK_AGENT_EXITED,	/* by itself, with an exit code */
	RBLK_AGENT_KILLED,	/* by a signal that was not ours */
	RBLK_AGENT_TIMED_OUT,
	RBLK_AGENT_NOT_RUN,
};

/**
 * struct rblk_agent_result - what became of it
 * @end: how it ended
 * @code: exit code, signal, or (not run) a positive errno
 * @text: the last line that it printed, "" if there is none
 */
struct rblk_agent_result {
	enum rblk_agent_end end;
	int code;
	char text[256];
};

typedef void (*rblk_agent_done_fn)(void *ctx,
				   const struct rblk_agent_result *result);

struct rblk_agent;

/**
 * rblk_agent_start - run a program
 * @loop: of the daemon
 * @path: absolute; run without arguments and without a shell, in a session of its
 *	own, in /, with an environment that holds nothing of the daemon's
 * @input: for its standard input, at most RBLK_AGENT_MAX_INPUT bytes
 * @timeout_ms: after that it and all of its process group are killed
 * @done: called once, later, from the loop
 * @ctx: for @done
 *
 * Return: valid until @done, or until it is killed.
 */
struct rblk_agent *rblk_agent_start(uv_loop_t *loop, const char *path,
				    const char *input, uint32_t timeout_ms,
				    rblk_agent_done_fn done, void *ctx);

/**
 * rblk_agent_kill - end it, without a report
 * @agent: its process group is killed
 */
void rblk_agent_kill(struct rblk_agent *agent);

#endif

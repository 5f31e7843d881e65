// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * agent.c - run a program, feed it, and wait for it no longer than so long
 *
 * Standard input is a pipe that holds all of the input before the program starts,
 * so there is nothing to be written later. (A socket, which libuv would make, cannot
 * be opened as /dev/stdin.) What is printed goes to one pipe.
 */
#include "agent.h"

#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINE	256

struct rblk_agent {
	uv_process_t process;
	uv_pipe_t output;
	uv_timer_t timer;
	unsigned int open;		/* handles that are not closed yet */
	bool has_process;		/* libuv knows of it */
	bool runs;
	rblk_agent_done_fn done;	/* NULL: reported, or nobody wants it */
	void *ctx;
	struct rblk_agent_result result;
	char buf[MAX_LINE];
	char line[MAX_LINE];		/* being printed */
	size_t len;
};

static void handle_closed(uv_handle_t *handle)
{
	struct rblk_agent *a = handle->data;

	if (--a->open == 0)
		free(a);
}

static void close_handle(void *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, handle_closed);
}

/* The process keeps its handle until it has ended: else nobody would reap it. */
static void let_go(struct rblk_agent *a)
{
	close_handle(&a->output);
	close_handle(&a->timer);
	if (a->has_process && !a->runs)
		close_handle(&a->process);
}

static void end_line(struct rblk_agent *a)
{
	a->line[a->len] = '\0';
	rblk_text_sanitize(a->line);
	if (a->line[strspn(a->line, " ?")])
		rblk_text_copy(a->result.text, sizeof(a->result.text), a->line);
	a->len = 0;
}

static void report(struct rblk_agent *a, enum rblk_agent_end end, int code)
{
	rblk_agent_done_fn done = a->done;
	struct rblk_agent_result result;

	end_line(a);
	a->result.end = end;
	a->result.code = code;
	result = a->result;
	a->done = NULL;
	let_go(a);
	if (done)
		done(a->ctx, &result);
}

static void take_output(struct rblk_agent *a, const char *bytes, size_t n)
{
	for (; n; n--, bytes++) {
		if (*bytes == '\n')
			end_line(a);
		else if (a->len < sizeof(a->line) - 1)
			a->line[a->len++] = *bytes;
	}
}

/* What it printed last may still be in the pipe when its end is reported. */
static void drain(struct rblk_agent *a)
{
	int fd, i;
	ssize_t n;

	if (uv_is_closing((uv_handle_t *)&a->output) ||
	    uv_fileno((uv_handle_t *)&a->output, &fd) < 0)
		return;
	/* not for ever: it may have left somebody behind who prints */
	for (i = 0; i < 1024; i++) {
		n = read(fd, a->buf, sizeof(a->buf));
		if (n <= 0)
			break;
		take_output(a, a->buf, n);
	}
}

static void ended(uv_process_t *process, int64_t status, int signal)
{
	struct rblk_agent *a = process->data;

	a->runs = false;
	drain(a);
	report(a, signal ? RBLK_AGENT_KILLED : RBLK_AGENT_EXITED,
	       signal ? signal : (int)status);
}

/* It leads a process group: those it started go as well. */
static void kill_group(struct rblk_agent *a)
{
	if (a->runs)
		kill(-a->process.pid, SIGKILL);
}

static void time_is_over(uv_timer_t *timer)
{
	struct rblk_agent *a = timer->data;

	if (!a->runs) {
		report(a, RBLK_AGENT_NOT_RUN, a->result.code);
		return;
	}
	kill_group(a);
	drain(a);
	/* not when it is gone: who hangs in the kernel does not go */
	report(a, RBLK_AGENT_TIMED_OUT, SIGKILL);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct rblk_agent *a = handle->data;

	(void)suggested;
	*buf = uv_buf_init(a->buf, sizeof(a->buf));
}

static void output_came(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	if (n > 0)
		take_output(stream->data, buf->base, n);
	else if (n < 0)
		uv_read_stop(stream);
}

/* A pipe that holds @input and ends there. Its reading end, or a negative errno. */
static int filled_pipe(const char *input)
{
	size_t len = strlen(input);
	int fds[2];
	ssize_t n;

	if (len > RBLK_AGENT_MAX_INPUT)
		return -E2BIG;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	n = write(fds[1], input, len);
	close(fds[1]);
	if (n == (ssize_t)len && fcntl(fds[0], F_SETFL, 0) == 0)
		return fds[0];
	close(fds[0]);
	return -EIO;
}

/* 0 or a negative errno. */
static int spawn(struct rblk_agent *a, uv_loop_t *loop, const char *path,
		 int input, int output)
{
	char *args[] = { (char *)path, NULL };
	char *env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LC_ALL=C", "HOME=/", NULL
	};
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_INHERIT_FD, .data.fd = input },
		{ .flags = UV_INHERIT_FD, .data.fd = output },
		{ .flags = UV_INHERIT_FD, .data.fd = output },
	};
	uv_process_options_t options = {
		.exit_cb = ended, .file = path, .args = args, .env = env,
		.cwd = "/", .flags = UV_PROCESS_DETACHED,
		.stdio_count = 3, .stdio = stdio,
	};

	a->has_process = true;
	a->open++;
	return uv_spawn(loop, &a->process, &options);
}

static int run(struct rblk_agent *a, uv_loop_t *loop, const char *path,
	       const char *input)
{
	int in = filled_pipe(input), out[2], rc;

	if (in < 0)
		return in;
	if (pipe2(out, O_CLOEXEC) < 0) {
		rc = -errno;
		close(in);
		return rc;
	}
	rc = spawn(a, loop, path, in, out[1]);
	close(in);
	close(out[1]);
	if (rc == 0 && uv_pipe_open(&a->output, out[0]) == 0)
		uv_read_start((uv_stream_t *)&a->output, give_buffer,
			      output_came);
	else
		close(out[0]);
	return rc;
}

struct rblk_agent *rblk_agent_start(uv_loop_t *loop, const char *path,
				    const char *input, uint32_t timeout_ms,
				    rblk_agent_done_fn done, void *ctx)
{
	struct rblk_agent *a = rblk_xcalloc(1, sizeof(*a));
	int rc;

	a->done = done;
	a->ctx = ctx;
	uv_pipe_init(loop, &a->output, 0);
	uv_timer_init(loop, &a->timer);
	a->open = 2;
	a->process.data = a->output.data = a->timer.data = a;
	rc = run(a, loop, path, input);
	a->runs = rc == 0;
	a->result.code = -rc;
	/* what never ran is reported from the loop as well */
	uv_timer_start(&a->timer, time_is_over, a->runs ? timeout_ms : 0, 0);
	return a;
}

void rblk_agent_kill(struct rblk_agent *agent)
{
	kill_group(agent);
	agent->done = NULL;
	let_go(agent);
}

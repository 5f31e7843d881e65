// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * control.c - accept, read lines, let the engine answer, write lines
 */
#include "control.h"

#include "ctlproto.h"
#include "exitcode.h"
#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_CLIENTS	32

struct rblk_control_client {
	uv_pipe_t pipe;
	struct rblk_control *control;
	struct rblk_control_client *next;
	bool waits;		/* for the answer to a request */
	bool taking;
	bool closed;
	size_t len;
	char line[RBLK_CTL_MAX_REQUEST];
};

struct answer {
	uv_write_t write;
	char *text;
};

static void client_closed(uv_handle_t *handle)
{
	struct rblk_control_client *c = handle->data;

	c->closed = true;
	if (!c->waits)
		free(c);
}

static void close_client(struct rblk_control_client *c)
{
	struct rblk_control_client **at = &c->control->first;

	if (uv_is_closing((uv_handle_t *)&c->pipe))
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->control->clients--;
	uv_close((uv_handle_t *)&c->pipe, client_closed);
}

static void answer_written(uv_write_t *write, int status)
{
	struct answer *a = write->data;
	struct rblk_control_client *c = write->handle->data;

	free(a->text);
	free(a);
	if (status < 0)
		close_client(c);
}

static void send_answer(struct rblk_control_client *c, json_t *json)
{
	struct answer *a = rblk_xcalloc(1, sizeof(*a));
	char *text = json_dumps(json, JSON_COMPACT);
	uv_buf_t buf;

	json_decref(json);
	a->text = rblk_xasprintf("%s\n", text ? text : "{}");
	free(text);
	a->write.data = a;
	buf = uv_buf_init(a->text, strlen(a->text));
	if (uv_write(&a->write, (uv_stream_t *)&c->pipe, &buf, 1,
		     answer_written) < 0) {
		free(a->text);
		free(a);
		close_client(c);
	}
}

/* A request may be answered while it is taken: these two call each other. */
static void take_lines(struct rblk_control_client *c);

static void answer_came(void *ctx, json_t *answer)
{
	struct rblk_control_client *c = ctx;

	c->waits = false;
	if (c->closed || uv_is_closing((uv_handle_t *)&c->pipe)) {
		json_decref(answer);
		if (c->closed)
			free(c);
		return;
	}
	send_answer(c, answer);
	take_lines(c);
}

static void take_line(struct rblk_control_client *c, const char *line,
		      size_t len)
{
	json_error_t err;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &err);

	c->waits = true;
	if (json_is_object(request))
		rblk_engine_control(c->control->engine, request, answer_came,
				    c);
	else
		answer_came(c, rblk_ctl_answer(RBLK_EXIT_USAGE,
			    "the request is not a JSON object", NULL));
	json_decref(request);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct rblk_control_client *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init(c->line + c->len, sizeof(c->line) - c->len);
}

static void bytes_came(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct rblk_control_client *c = stream->data;

	(void)buf;
	if (n < 0) {		/* UV_ENOBUFS: the line is too long */
		close_client(c);
		return;
	}
	c->len += n;
	take_lines(c);
}

/* One after the other: while a request is not answered, nothing is read. */
static void take_lines(struct rblk_control_client *c)
{
	uv_stream_t *stream = (uv_stream_t *)&c->pipe;
	char *end;

	if (c->taking)
		return;
	c->taking = true;
	while (!c->waits && !uv_is_closing((uv_handle_t *)stream) &&
	       (end = memchr(c->line, '\n', c->len))) {
		take_line(c, c->line, end - c->line);
		c->len -= end + 1 - c->line;
		memmove(c->line, end + 1, c->len);
	}
	c->taking = false;
	if (uv_is_closing((uv_handle_t *)stream))
		return;
	if (c->waits)
		uv_read_stop(stream);
	else if (!uv_is_active((uv_handle_t *)stream) &&
		 uv_read_start(stream, give_buffer, bytes_came) < 0)
		close_client(c);
}

static void client_came(uv_stream_t *server, int status)
{
	struct rblk_control *control = server->data;
	struct rblk_control_client *c;

	if (status < 0)
		return;
	c = rblk_xcalloc(1, sizeof(*c));
	c->control = control;
	uv_pipe_init(control->loop, &c->pipe, 0);
	c->pipe.data = c;
	c->next = control->first;
	control->first = c;
	control->clients++;
	if (uv_accept(server, (uv_stream_t *)&c->pipe) < 0 ||
	    control->clients > MAX_CLIENTS)
		close_client(c);
	else
		take_lines(c);
}

int rblk_control_open(struct rblk_control *c, uv_loop_t *loop,
		      struct rblk_engine *engine, const char *run_dir)
{
	char path[108];
	mode_t mask;
	int rc;

	*c = (struct rblk_control){ .loop = loop, .engine = engine };
	if (strlen(run_dir) + sizeof(RBLK_CTL_SOCKET) + 1 > sizeof(path))
		return UV_ENAMETOOLONG;
	rblk_text_format(path, sizeof(path), "%s/%s", run_dir,
			 RBLK_CTL_SOCKET);
	/* main holds the lock of the directory: what is there is a leftover */
	unlink(path);
	uv_pipe_init(loop, &c->server, 0);
	c->server.data = c;
	c->open = true;
	mask = umask(0177);
	rc = uv_pipe_bind(&c->server, path);
	umask(mask);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&c->server, MAX_CLIENTS,
			       client_came);
	return rc;
}

void rblk_control_close(struct rblk_control *c)
{
	if (!c->open)
		return;
	while (c->first)
		close_client(c->first);
	uv_close((uv_handle_t *)&c->server, NULL);
	c->open = false;
}

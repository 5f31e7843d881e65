// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ctlproto.c - the client's half of the control protocol
 */
#include "ctlproto.h"

#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_SECONDS	600	/* a promotion waits for a backlog */

static const char *from_env(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}

const char *rblk_ctl_run_dir(void)
{
	return from_env("RBLK_RUN_DIR", RBLK_RUN_DIR);
}

const char *rblk_ctl_state_dir(void)
{
	return from_env("RBLK_STATE_DIR", RBLK_STATE_DIR);
}

json_t *rblk_ctl_answer(int code, const char *text, json_t *results)
{
	json_t *answer;

	if (!results)
		results = json_array();
	answer = json_pack("{s:s,s:i,s:s,s:O}", "schema", RBLK_CTL_SCHEMA,
			   "code", code, "text", text, "results", results);
	if (!answer)	/* @text is not UTF-8 */
		answer = json_pack("{s:s,s:i,s:s,s:O}", "schema",
				   RBLK_CTL_SCHEMA, "code", code, "text",
				   "(unprintable)", "results", results);
	json_decref(results);
	return answer;
}

int rblk_ctl_connect(const char *run_dir)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	int fd;

	if (strlen(run_dir) + sizeof(RBLK_CTL_SOCKET) + 1 >
	    sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	rblk_text_format(addr.sun_path, sizeof(addr.sun_path), "%s/%s",
			 run_dir, RBLK_CTL_SOCKET);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static int send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= n;
	}
	return 0;
}

/* One line, without its newline; NULL when the other side is gone. */
static char *receive_line(int fd)
{
	size_t len = 0, size = 4096;
	char *line = rblk_xcalloc(1, size);

	while (len < RBLK_CTL_MAX_ANSWER) {
		ssize_t n = recv(fd, line + len, size - len - 1, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += n;
		line[len] = '\0';
		if (line[len - 1] == '\n')
			return line;
		if (len == size - 1)
			line = rblk_xrealloc(line, size *= 2);
	}
	free(line);
	return NULL;
}

json_t *rblk_ctl_call(int fd, const json_t *request, const char **why)
{
	char *line = json_dumps(request, JSON_COMPACT);
	json_t *answer = NULL;
	json_error_t ignored;
	int rc;

	*why = "the request cannot be encoded";
	if (!line)
		return NULL;
	rc = send_all(fd, line, strlen(line));
	if (rc == 0)
		rc = send_all(fd, "\n", 1);
	free(line);
	*why = "rblkd closed the connection or did not answer";
	if (rc < 0)
		return NULL;
	line = receive_line(fd);
	if (!line)
		return NULL;
	*why = "rblkd's answer is not understood; is it of this release?";
	answer = json_loads(line, 0, &ignored);
	free(line);
	return answer;
}

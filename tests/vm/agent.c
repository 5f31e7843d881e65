// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest's end of the command channel: runs shell commands that the host
 * sends over virtio-serial ports, and returns their output and exit status.
 *
 *   agent /dev/vport2p1 ...      one process serves each port
 *
 * A request is struct request and the text of the command. The answer is any
 * number of struct answer headers, each with its bytes; ANSWER_EXIT is last.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"

static int port;
static uint32_t current;

static void answer(uint32_t type, const void *data, uint32_t len)
{
	struct answer a = { .id = current, .type = type, .len = len };

	if (write_all(port, &a, sizeof(a)) || write_all(port, data, len))
		exit(1);
}

static pid_t start(const char *command, int out[2], int err[2])
{
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		exit(1);
	pid = fork();
	if (pid)
		return pid;

	setsid();
	close(0);
	open("/dev/null", O_RDONLY);
	dup2(out[1], 1);
	dup2(err[1], 2);
	execl("/bin/bash", "bash", "-c", command, NULL);
	_exit(127);
}

/* Pass on what is there; returns 0 once the pipe is at its end or empty. */
static int relay(struct pollfd *p, uint32_t type)
{
	char buf[16384];
	ssize_t n = read(p->fd, buf, sizeof(buf));

	if (n > 0)
		answer(type, buf, n);
	else if (n == 0)
		p->fd = -1;
	return n > 0;
}

/*
 * The command is over when its shell is: a daemon that it left behind keeps
 * the pipes open and must not keep the channel busy.
 */
static void run(const char *command)
{
	int out[2], err[2], status = 0;
	int32_t code;
	pid_t pid = start(command, out, err), ended = 0;
	struct pollfd p[2];

	close(out[1]);
	close(err[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	p[0] = (struct pollfd){ .fd = out[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = err[0], .events = POLLIN };

	while (!ended) {
		if (p[0].fd < 0 && p[1].fd < 0) {
			ended = waitpid(pid, &status, 0);
			break;
		}
		poll(p, 2, 20);
		ended = waitpid(pid, &status, WNOHANG);
		if (p[0].revents)
			relay(&p[0], ANSWER_STDOUT);
		if (p[1].revents)
			relay(&p[1], ANSWER_STDERR);
	}
	while (p[0].fd >= 0 && relay(&p[0], ANSWER_STDOUT))
		;
	while (p[1].fd >= 0 && relay(&p[1], ANSWER_STDERR))
		;
	close(out[0]);
	close(err[0]);
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	answer(ANSWER_EXIT, &code, sizeof(code));
}

static void serve(const char *path)
{
	struct request r;
	char *command;

	port = open(path, O_RDWR | O_CLOEXEC);
	if (port < 0) {
		perror(path);
		exit(1);
	}
	for (;;) {
		if (read_all(port, &r, sizeof(r)))
			exit(1);
		command = calloc(1, r.len + 1);
		if (!command || read_all(port, command, r.len))
			exit(1);
		current = r.id;
		run(command);
		free(command);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (fork() == 0)
			serve(argv[i]);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return 0;
}

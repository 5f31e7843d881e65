// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * within.c - run a command in a network namespace
 *
 *   within FILE COMMAND [ARG...]
 *
 * As nsenter --net does. That one has shared libraries, which cost an emulated
 * processor a good part of what most commands do, and tests call it most of all.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd;

	if (argc < 3)
		errx(125, "usage: within FILE COMMAND [ARG...]");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		err(125, "%s", argv[1]);
	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}

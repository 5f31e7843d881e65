/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What agent.c (in the guest) and host.c say to each other. */
#ifndef RBLK_TEST_CHANNEL_H
#define RBLK_TEST_CHANNEL_H

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

struct request {
	uint32_t id;	/* an answer with another id is left over: skip it */
	uint32_t len;
};

enum { ANSWER_STDOUT = 1, ANSWER_STDERR, ANSWER_EXIT };

struct answer {
	uint32_t id;
	uint32_t type;
	uint32_t len;	/* ANSWER_EXIT: the status as int32_t */
};

static inline int read_all(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

static inline int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

#endif

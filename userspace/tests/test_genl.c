// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_genl.c - many requests in few messages, to a module that is a thread
 */
#include "test.h"

#include "genl.h"
#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY	300

/* The module: r<gone> and r<gone_too> do not exist, r<deaf> ends it all. */
struct module {
	int fd;
	int gone, gone_too;
	int deaf;
	unsigned int messages;		/* that came */
	unsigned int answers;
	uint64_t lease[MANY];
};

static void acknowledge(struct module *m, const struct nlmsghdr *to, int code)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr err;
	} answer = {
		.head = { .nlmsg_len = sizeof(answer), .nlmsg_type = NLMSG_ERROR,
			  .nlmsg_flags = NLM_F_CAPPED, .nlmsg_seq = to->nlmsg_seq },
		.err = { .error = -code, .msg = *to },
	};

	m->answers++;
	assert_int_equal(send(m->fd, &answer, sizeof(answer), 0), sizeof(answer));
}

static int set(struct module *m, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr, *in;
	int number = -1;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == RBLK_A_NAME)
			number = atoi(mnl_attr_get_str(attr) + 1);
		if (mnl_attr_get_type(attr) != RBLK_A_RESOURCE)
			continue;
		assert_in_range(number, 0, MANY - 1);
		if (number == m->gone || number == m->gone_too)
			return ENOENT;
		mnl_attr_for_each_nested(in, attr)
			if (mnl_attr_get_type(in) == RBLK_RES_LEASE_UNTIL_NS)
				m->lease[number] = mnl_attr_get_u64(in);
	}
	return 0;
}

/* As netlink_rcv_skb() does. */
static void *serve(void *arg)
{
	static char buf[65536];
	struct module *m = arg;
	ssize_t got;
	int left, rc;

	while ((got = recv(m->fd, buf, sizeof(buf), 0)) > 0) {
		const struct nlmsghdr *nlh = (const void *)buf;

		m->messages++;
		left = got;
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			rc = set(m, nlh);
			if (m->deaf >= 0 && m->lease[m->deaf]) {
				close(m->fd);
				return NULL;
			}
			if (rc || nlh->nlmsg_flags & NLM_F_ACK)
				acknowledge(m, nlh, rc);
		}
	}
	close(m->fd);
	return NULL;
}

static void ask(struct module *m, size_t n, int *rc)
{
	struct rblk_kreq *reqs = rblk_xcalloc(n, sizeof(*reqs));
	struct rblk_genl g = { .family = 77, .seq = UINT32_MAX - 3 };
	pthread_t thread;
	int fds[2];
	size_t i;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	g.nl = mnl_socket_fdopen(fds[0]);
	assert_non_null(g.nl);
	m->fd = fds[1];
	assert_int_equal(pthread_create(&thread, NULL, serve, m), 0);
	for (i = 0; i < n; i++) {
		reqs[i].cmd = RBLK_CMD_RESOURCE_SET;
		reqs[i].nest = RBLK_A_RESOURCE;
		reqs[i].resource.has = RBLK_HAS(RBLK_RES_LEASE_UNTIL_NS);
		reqs[i].resource.lease_until_ns = 1000 + i;
		rblk_text_format(reqs[i].name, sizeof(reqs[i].name), "r%zu", i);
	}
	rblk_genl_request_all(&g, reqs, n, rc);
	rblk_genl_close(&g);
	pthread_join(thread, NULL);
	free(reqs);
}

/* A third of a hundred resources: one message, one answer. */
static void one_message(void **state)
{
	struct module m = { .gone = -1, .gone_too = -1, .deaf = -1 };
	int rc[34], i;

	(void)state;
	ask(&m, 34, rc);
	assert_int_equal(m.messages, 1);
	assert_int_equal(m.answers, 1);
	for (i = 0; i < 34; i++) {
		assert_int_equal(rc[i], 0);
		assert_int_equal(m.lease[i], 1000 + i);
	}
}

/* Some of them were taken down: the others are renewed all the same. */
static void some_are_gone(void **state)
{
	static const int which[][2] = { { 0, -1 }, { 7, 20 }, { 33, 8 } };
	unsigned int t;
	int rc[34], i;

	(void)state;
	for (t = 0; t < 3; t++) {
		struct module m = { .gone = which[t][0], .deaf = -1,
				    .gone_too = which[t][1] };

		ask(&m, 34, rc);
		assert_int_equal(m.messages, 1);
		for (i = 0; i < 34; i++) {
			bool gone = i == m.gone || i == m.gone_too;

			assert_int_equal(rc[i], gone ? -ENOENT : 0);
			assert_int_equal(m.lease[i], gone ? 0 : 1000 + i);
		}
	}
}

static void more_than_fit(void **state)
{
	struct module m = { .gone = 299, .gone_too = 8, .deaf = -1 };
	int rc[MANY], i;

	(void)state;
	ask(&m, MANY, rc);
	assert_in_range(m.messages, 2, 8);
	for (i = 0; i < MANY; i++) {
		bool gone = i == m.gone || i == m.gone_too;

		assert_int_equal(rc[i], gone ? -ENOENT : 0);
		assert_int_equal(m.lease[i], gone ? 0 : 1000 + i);
	}
}

/* Of what is not known to be done nobody is told that it is. */
static void module_goes(void **state)
{
	struct module m = { .gone = 3, .gone_too = 3, .deaf = 10 };
	int rc[MANY], i;

	(void)state;
	ask(&m, MANY, rc);
	assert_int_equal(rc[3], -ENOENT);
	for (i = 0; i < MANY; i++)
		assert_true(rc[i] < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_message),
		cmocka_unit_test(some_are_gone),
		cmocka_unit_test(more_than_fit),
		cmocka_unit_test(module_goes),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

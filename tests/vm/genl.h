/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rblk family of generic netlink, for tests that speak to it themselves. */
#ifndef RBLK_TEST_GENL_H
#define RBLK_TEST_GENL_H

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../kmod/uapi/rblk.h"

static struct mnl_socket *nl;
static uint16_t family;
static uint32_t seq;
static char explanation[256];	/* the last extended acknowledgment */
static bool answer_lost;	/* the kernel could not even answer */

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	exit(1);
}

static void open_socket(void)
{
	int one = 1;

	nl = mnl_socket_open(NETLINK_GENERIC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		die("netlink: %s", strerror(errno));
	mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &one, sizeof(one));
}

static struct nlmsghdr *begin(void *buf, uint16_t type, uint8_t cmd,
			      uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 1;
	return nlh;
}

static void note_explanation(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*err);
	const struct nlattr *attr;

	explanation[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += err->msg.nlmsg_len - sizeof(struct nlmsghdr);
	mnl_attr_for_each(attr, nlh, offset)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(explanation, sizeof(explanation), "%s",
				 mnl_attr_get_str(attr));
}

/* Wait for the acknowledgment, calling @cb for what comes first. */
static int answer(void (*cb)(const struct nlmsghdr *nlh))
{
	static char buf[65536 * 2];

	for (;;) {
		const struct nlmsghdr *nlh = (void *)buf;
		int left = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		if (left < 0 && errno == EINTR)
			continue;
		answer_lost = left < 0;
		if (answer_lost)
			return errno;
		for (; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq != seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				const struct nlmsgerr *err =
					mnl_nlmsg_get_payload(nlh);

				note_explanation(nlh);
				return -err->error;
			}
			if (cb)
				cb(nlh);
		}
	}
}

/* Return: 0 or the errno that the kernel answered with. */
static int ask(struct nlmsghdr *nlh, void (*cb)(const struct nlmsghdr *nlh))
{
	nlh->nlmsg_seq = ++seq;
	nlh->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return errno;
	return answer(cb);
}

static void got_family(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			family = mnl_attr_get_u16(attr);
}

static void find_family(void)
{
	char buf[256];
	struct nlmsghdr *nlh = begin(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, RBLK_GENL_NAME);
	family = 0;
	if (ask(nlh, got_family) || !family)
		die("no rblk family: is the module loaded?");
}

#endif

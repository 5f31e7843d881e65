// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * genl.c - requests, dumps and events over generic netlink
 */
#include "genl.h"

#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define SEND_BYTES	8192
#define RECV_BYTES	65536
#define EVENT_BUFFER	(1 << 20)
#define REQUEST_SECONDS	60
#define DUMP_TRIES	5

static int set_error(struct rblk_genl_error *err, int code, const char *text)
{
	err->code = code;
	err->is_said = text;
	rblk_text_copy(err->text, sizeof(err->text),
		       text ? text : strerror(code));
	rblk_text_sanitize(err->text);
	return -code;
}

/* The extended acknowledgement's message after @skip bytes of payload. */
static const char *find_message(const struct nlmsghdr *nlh, size_t skip)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (mnl_nlmsg_get_payload_len(nlh) < skip)
		return NULL;
	mnl_attr_for_each(attr, nlh, skip) {
		const char *text = mnl_attr_get_payload(attr);
		size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && len > 0 &&
		    text[len - 1] == '\0')
			return text;
	}
	return NULL;
}

/* 0 for an acknowledgement, else the negative errno of a refusal. */
static int parse_ack(const struct nlmsghdr *nlh, struct rblk_genl_error *err)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*e);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return set_error(err, EBADMSG, NULL);
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	if (e->error == 0)
		return 0;
	return set_error(err, -e->error, find_message(nlh, skip));
}

static int parse_done(const struct nlmsghdr *nlh, struct rblk_genl_error *err)
{
	const int *code = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*code) || *code >= 0)
		return 0;
	return set_error(err, -*code, find_message(nlh, sizeof(*code)));
}

typedef int (*answer_fn)(const struct nlmsghdr *nlh, void *data);

/* 1: more to come; 0: the end; negative: refused or unreadable. */
static int handle_datagram(const char *buf, int len, uint32_t seq,
			   answer_fn fn, void *data, bool *interrupted,
			   struct rblk_genl_error *err)
{
	const struct nlmsghdr *nlh = (const void *)buf;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return parse_ack(nlh, err);
		if (nlh->nlmsg_type == NLMSG_DONE)
			return parse_done(nlh, err);
		if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		if (!fn || mnl_nlmsg_get_payload_len(nlh) <
			   sizeof(struct genlmsghdr) || fn(nlh, data) < 0)
			return set_error(err, EBADMSG,
					 "unexpected answer from the module");
	}
	return 1;
}

/* The length of a datagram in @g->buf, or a negative errno. */
static ssize_t receive(struct rblk_genl *g, struct rblk_genl_error *err)
{
	ssize_t n;

	if (!g->buf)
		g->buf = rblk_xcalloc(1, RECV_BYTES);
	do {
		n = recv(rblk_genl_fd(g), g->buf, RECV_BYTES, MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	if (n > RECV_BYTES)
		return set_error(err, ENOSPC, NULL);
	if (n > 0)
		return n;
	if (n == 0)
		return set_error(err, EPIPE, NULL);
	return set_error(err, errno == EAGAIN ? ETIMEDOUT : errno,
			 errno == EAGAIN ? "the module does not answer" : NULL);
}

static int transact(struct rblk_genl *g, struct nlmsghdr *nlh, answer_fn fn,
		    void *data, bool *interrupted, struct rblk_genl_error *err)
{
	ssize_t n;
	int rc;

	nlh->nlmsg_seq = ++g->seq;
	if (mnl_socket_sendto(g->nl, nlh, nlh->nlmsg_len) < 0)
		return set_error(err, errno, NULL);
	do {
		n = receive(g, err);
		rc = n < 0 ? (int)n : handle_datagram(g->buf, n, g->seq, fn, data,
						      interrupted, err);
	} while (rc > 0);
	return rc;
}

static struct nlmsghdr *begin(char *buf, uint16_t family, uint16_t flags,
			      uint8_t cmd, uint8_t version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

static void parse_group(const struct nlattr *nest, struct rblk_genl *g)
{
	const struct nlattr *attr;
	const char *name = "";
	uint32_t id = 0;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
			name = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
			id = mnl_attr_get_u32(attr);
	}
	if (strcmp(name, RBLK_GENL_GROUP_EVENTS) == 0)
		g->group = id;
}

struct family_answer {
	struct rblk_genl *g;
	uint32_t version;
};

static int parse_family(const struct nlmsghdr *nlh, void *data)
{
	struct family_answer *answer = data;
	const struct nlattr *attr, *group;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_FAMILY_ID:
			answer->g->family = mnl_attr_get_u16(attr);
			break;
		case CTRL_ATTR_VERSION:
			answer->version = mnl_attr_get_u32(attr);
			break;
		case CTRL_ATTR_MCAST_GROUPS:
			mnl_attr_for_each_nested(group, attr)
				parse_group(group, answer->g);
			break;
		}
	}
	return 0;
}

static int find_family(struct rblk_genl *g, struct rblk_genl_error *err)
{
	struct family_answer answer = { .g = g };
	char buf[SEND_BYTES];
	struct nlmsghdr *nlh = begin(buf, GENL_ID_CTRL, NLM_F_ACK,
				     CTRL_CMD_GETFAMILY, 1);
	bool ignored;
	int rc;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, RBLK_GENL_NAME);
	rc = transact(g, nlh, parse_family, &answer, &ignored, err);
	if (rc == -ENOENT)
		return set_error(err, ENOENT,
				 "the rblk module is not loaded: run 'modprobe rblk'");
	if (rc < 0)
		return rc;
	if (answer.version != RBLK_GENL_VERSION)
		return set_error(err, EPROTO, rblk_text_format(buf, sizeof(buf),
				 "the loaded rblk module speaks version %u, this program version %u: load the module of this release",
				 answer.version, RBLK_GENL_VERSION));
	return 0;
}

static void set_option(struct rblk_genl *g, int option)
{
	int one = 1;

	/* best effort: without it a refusal is only an errno */
	(void)mnl_socket_setsockopt(g->nl, option, &one, sizeof(one));
}

int rblk_genl_open(struct rblk_genl *g, struct rblk_genl_error *err)
{
	struct timeval limit = { .tv_sec = REQUEST_SECONDS };
	int rc;

	*g = (struct rblk_genl){ 0 };
	g->nl = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!g->nl)
		return set_error(err, errno, NULL);
	if (mnl_socket_bind(g->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		rc = set_error(err, errno, NULL);
		goto err_close;
	}
	set_option(g, NETLINK_EXT_ACK);
	set_option(g, NETLINK_CAP_ACK);
	setsockopt(rblk_genl_fd(g), SOL_SOCKET, SO_RCVTIMEO, &limit,
		   sizeof(limit));
	rc = find_family(g, err);
	if (rc < 0)
		goto err_close;
	return 0;

err_close:
	rblk_genl_close(g);
	return rc;
}

void rblk_genl_wait_long(struct rblk_genl *g)
{
	struct timeval none = { 0 };

	setsockopt(rblk_genl_fd(g), SOL_SOCKET, SO_RCVTIMEO, &none,
		   sizeof(none));
}

void rblk_genl_close(struct rblk_genl *g)
{
	if (g->nl)
		mnl_socket_close(g->nl);
	g->nl = NULL;
	free(g->buf);
	g->buf = NULL;
}

int rblk_genl_fd(const struct rblk_genl *g)
{
	return mnl_socket_get_fd(g->nl);
}

int rblk_genl_request(struct rblk_genl *g, const struct rblk_kreq *req,
		      struct rblk_genl_error *err)
{
	char buf[SEND_BYTES];
	struct nlmsghdr *nlh = begin(buf, g->family, NLM_F_ACK, req->cmd,
				     RBLK_GENL_VERSION);
	bool ignored;

	rblk_kmsg_put(nlh, req);
	return transact(g, nlh, NULL, NULL, &ignored, err);
}

/* ---- many at a time */

/* No request is longer: what is in one, and a head for each attribute. */
#define MANY_BYTES	1024
_Static_assert(sizeof(struct rblk_kreq) + 256 <= MANY_BYTES, "a request fits");

/*
 * Put as many of @reqs into @buf as fit, numbered from @g->seq + 1 on. All that are
 * refused are answered, of those that are done only the last. Returns how many.
 */
static size_t put_many(struct rblk_genl *g, const struct rblk_kreq *reqs, size_t n,
		       char *buf, size_t *len)
{
	struct nlmsghdr *nlh = NULL;
	size_t i;

	*len = 0;
	for (i = 0; i < n && *len + MANY_BYTES <= SEND_BYTES; i++) {
		nlh = begin(buf + *len, g->family, 0, reqs[i].cmd, RBLK_GENL_VERSION);
		rblk_kmsg_put(nlh, &reqs[i]);
		nlh->nlmsg_seq = g->seq + 1 + i;
		*len += MNL_ALIGN(nlh->nlmsg_len);
	}
	if (nlh)
		nlh->nlmsg_flags |= NLM_F_ACK;
	return i;
}

/* Answers to requests @first, @first + 1 ...: true once the last one's was there. */
static bool take_answers(const char *buf, int len, uint32_t first, size_t n, int *rc)
{
	const struct nlmsghdr *nlh = (const void *)buf;
	struct rblk_genl_error err;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		uint32_t i = nlh->nlmsg_seq - first;

		if (nlh->nlmsg_type != NLMSG_ERROR || i >= n)
			continue;
		rc[i] = parse_ack(nlh, &err);
		if (i == n - 1)
			return true;
	}
	return false;
}

static void request_some(struct rblk_genl *g, const char *buf, size_t len, size_t n,
			 int *rc)
{
	uint32_t first = g->seq + 1;
	struct rblk_genl_error err;
	ssize_t got;
	size_t i;

	g->seq += n;
	got = mnl_socket_sendto(g->nl, buf, len) < 0 ? set_error(&err, errno, NULL) : 0;
	while (got >= 0) {
		got = receive(g, &err);
		if (got >= 0 && take_answers(g->buf, got, first, n, rc))
			return;
	}
	/* whether they were done is not known */
	for (i = 0; i < n; i++)
		rc[i] = rc[i] ? rc[i] : (int)got;
}

void rblk_genl_request_all(struct rblk_genl *g, const struct rblk_kreq *reqs, size_t n,
			   int *rc)
{
	char buf[SEND_BYTES];
	size_t some, len;

	memset(rc, 0, n * sizeof(*rc));
	for (; n; n -= some, reqs += some, rc += some) {
		some = put_many(g, reqs, n, buf, &len);
		request_some(g, buf, len, some, rc);
	}
}

static int parse_one_state(const struct nlmsghdr *nlh, void *data)
{
	return rblk_kmsg_get_state(nlh, data) ? 0 : -1;
}

int rblk_genl_get(struct rblk_genl *g, const char *name,
		  struct rblk_kstate *state, struct rblk_genl_error *err)
{
	struct rblk_kreq req = { .cmd = RBLK_CMD_GET };
	char buf[SEND_BYTES];
	struct nlmsghdr *nlh = begin(buf, g->family, NLM_F_ACK, RBLK_CMD_GET,
				     RBLK_GENL_VERSION);
	bool ignored;

	rblk_text_copy(req.name, sizeof(req.name), name);
	rblk_kmsg_put(nlh, &req);
	return transact(g, nlh, parse_one_state, state, &ignored, err);
}

struct state_list {
	struct rblk_kstate *v;
	size_t n;
};

static int parse_states(const struct nlmsghdr *nlh, void *data)
{
	struct state_list *list = data;

	list->v = rblk_xrealloc(list->v, (list->n + 1) * sizeof(*list->v));
	if (!rblk_kmsg_get_state(nlh, &list->v[list->n]))
		return -1;
	list->n++;
	return 0;
}

int rblk_genl_dump(struct rblk_genl *g, struct rblk_kstate **states,
		   size_t *n, struct rblk_genl_error *err)
{
	int tries = DUMP_TRIES;
	bool interrupted;
	char buf[SEND_BYTES];
	int rc;

	do {
		struct state_list list = { NULL, 0 };
		struct nlmsghdr *nlh = begin(buf, g->family, NLM_F_DUMP,
					     RBLK_CMD_GET, RBLK_GENL_VERSION);

		interrupted = false;
		rc = transact(g, nlh, parse_states, &list, &interrupted, err);
		*states = list.v;
		*n = list.n;
		if (rc < 0 || (interrupted && tries > 1)) {
			free(list.v);
			*states = NULL;
			*n = 0;
		}
	} while (rc == 0 && interrupted && --tries > 0);
	return rc;
}

int rblk_genl_subscribe(struct rblk_genl *g, struct rblk_genl_error *err)
{
	int bytes = EVENT_BUFFER;
	int group = g->group;

	if (!group)
		return set_error(err, EPROTO,
				 "the rblk module offers no events");
	/* best effort: SO_RCVBUFFORCE needs a capability */
	if (setsockopt(rblk_genl_fd(g), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		       sizeof(bytes)) < 0)
		setsockopt(rblk_genl_fd(g), SOL_SOCKET, SO_RCVBUF, &bytes,
			   sizeof(bytes));
	if (mnl_socket_setsockopt(g->nl, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)) < 0)
		return set_error(err, errno, NULL);
	return 0;
}

int rblk_genl_read_events(struct rblk_genl *g, rblk_genl_event_fn fn,
			  void *data)
{
	static char buf[RECV_BYTES];
	struct rblk_kevent event;
	int count = 0;

	for (;;) {
		ssize_t n = recv(rblk_genl_fd(g), buf, sizeof(buf),
				 MSG_DONTWAIT);
		const struct nlmsghdr *nlh = (const void *)buf;
		int left = n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? count : -errno;
		count++;
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			const struct genlmsghdr *genl =
				mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_type == g->family &&
			    mnl_nlmsg_get_payload_len(nlh) >= sizeof(*genl) &&
			    genl->cmd == RBLK_CMD_EVENT &&
			    rblk_kmsg_get_event(nlh, &event))
				fn(data, &event);
		}
	}
}

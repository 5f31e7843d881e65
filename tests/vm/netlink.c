// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a hostile or unlucky caller sends to the module's netlink family. It
 * needs no daemon: it makes a resource of its own, "hostile".
 *
 *   netlink denied               every command but GET is refused with EPERM
 *   netlink abuse DISK [SEED]    every command, every attribute that the
 *                                kernel's own policy names, in every wrong way;
 *                                what is refused must have changed nothing
 *   netlink nth DISK             fail the first, second, ... allocation of
 *                                every command (needs fault injection)
 *   netlink storm DISK SECONDS   anything at all, while others do the same;
 *                                only the kernel judges
 *   netlink deaf SECONDS         listen to the events, never read one
 *
 * What attributes there are, and their bounds, the kernel says by itself
 * (CTRL_CMD_GETPOLICY).
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "genl.h"

#define RESOURCE	"hostile"
#define MINOR		900
#define POLICIES_MAX	512

static char state[65536 * 2];	/* the last answer to GET */
static size_t state_len;
static int sockets[2] = { -1, -1 };
static uint64_t generation = 1;
static const char *disk;

/* ---- the state, to be compared */

static void got_state(const struct nlmsghdr *nlh)
{
	state_len = mnl_nlmsg_get_payload_len(nlh);
	memcpy(state, mnl_nlmsg_get_payload(nlh), state_len);
}

static void read_state(void)
{
	char buf[256];
	struct nlmsghdr *nlh = begin(buf, family, RBLK_CMD_GET, 0);

	mnl_attr_put_strz(nlh, RBLK_A_NAME, RESOURCE);
	state_len = 0;
	ask(nlh, got_state);
}

/* Return: whether the state is as in @before. */
static bool same_state(const char *before, size_t len)
{
	read_state();
	return state_len == len && !memcmp(before, state, len);
}

/* ---- good values */

static void pair_of_sockets(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	close(sockets[0]);
	close(sockets[1]);
	sockets[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&addr, &len) ||
	    connect(sockets[0], (void *)&addr, len))
		die("loopback: %s", strerror(errno));
	sockets[1] = accept(listener, NULL, NULL);
	close(listener);
}

static void put_peer(struct nlmsghdr *nlh, bool all, bool socket)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, RBLK_A_PEER);

	mnl_attr_put_u8(nlh, RBLK_PEER_NODE_ID, 1);
	if (all) {
		mnl_attr_put_strz(nlh, RBLK_PEER_NODE_NAME, "victim");
		mnl_attr_put_u8(nlh, RBLK_PEER_PROTOCOL, 'C');
	}
	if (socket)
		mnl_attr_put_u32(nlh, RBLK_PEER_SOCKET, sockets[0]);
	mnl_attr_nest_end(nlh, nest);
}

static void put_volume(struct nlmsghdr *nlh, bool all)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, RBLK_A_VOLUME);

	mnl_attr_put_u8(nlh, RBLK_VOL_ID, 0);
	if (all) {
		mnl_attr_put_u32(nlh, RBLK_VOL_MINOR, MINOR);
		mnl_attr_put_strz(nlh, RBLK_VOL_DISK, disk);
	}
	mnl_attr_nest_end(nlh, nest);
}

static void put_resource(struct nlmsghdr *nlh, bool all)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, RBLK_A_RESOURCE);

	if (all) {
		mnl_attr_put_u8(nlh, RBLK_RES_NODE_ID, 0);
		mnl_attr_put(nlh, RBLK_RES_UUID, 16, "0123456789abcdef");
		mnl_attr_put_strz(nlh, RBLK_RES_NODE_NAME, "me");
		mnl_attr_put_u64(nlh, RBLK_RES_GENERATION, generation);
		mnl_attr_put_u64(nlh, RBLK_RES_LOG_BYTES, RBLK_LOG_BYTES_MIN);
		mnl_attr_put_u32(nlh, RBLK_RES_LOG_OPS, 1024);
	}
	mnl_attr_put_u8(nlh, RBLK_RES_ACKS, 1);
	mnl_attr_nest_end(nlh, nest);
}

/* A request as the daemon would send it. */
static struct nlmsghdr *good(void *buf, uint8_t cmd, uint32_t flags)
{
	struct nlmsghdr *nlh = begin(buf, family, cmd, 0);

	mnl_attr_put_strz(nlh, RBLK_A_NAME, RESOURCE);
	switch (cmd) {
	case RBLK_CMD_RESOURCE_NEW:
	case RBLK_CMD_RESOURCE_SET:
		put_resource(nlh, cmd == RBLK_CMD_RESOURCE_NEW);
		break;
	case RBLK_CMD_VOLUME_NEW:
	case RBLK_CMD_VOLUME_DEL:
		put_volume(nlh, cmd == RBLK_CMD_VOLUME_NEW);
		break;
	case RBLK_CMD_PEER_NEW:
	case RBLK_CMD_PEER_SET:
	case RBLK_CMD_PEER_DEL:
	case RBLK_CMD_LINK_ATTACH:
	case RBLK_CMD_LINK_DETACH:
	case RBLK_CMD_RESYNC:
	case RBLK_CMD_DISCARD:
		put_peer(nlh, cmd == RBLK_CMD_PEER_NEW || cmd == RBLK_CMD_PEER_SET,
			 cmd == RBLK_CMD_LINK_ATTACH);
		break;
	case RBLK_CMD_PROMOTE:
		mnl_attr_put_u64(nlh, RBLK_A_GENERATION, ++generation);
		break;
	}
	if (flags)
		mnl_attr_put_u32(nlh, RBLK_A_FLAGS, flags);
	return nlh;
}

/* Return: 0 or an errno. */
static int command(uint8_t cmd, uint32_t flags)
{
	char buf[1024];

	if (cmd == RBLK_CMD_LINK_ATTACH)
		pair_of_sockets();
	return ask(good(buf, cmd, flags), NULL);
}

static void must(uint8_t cmd, uint32_t flags)
{
	int err = command(cmd, flags);

	if (err)
		die("command %u: %s: %s", cmd, strerror(err), explanation);
}

/* A backup with a volume and a peer, whatever there was before. */
static void fresh_resource(void)
{
	command(RBLK_CMD_RESOURCE_DEL, RBLK_FLAG_FORCE);
	must(RBLK_CMD_RESOURCE_NEW, 0);
	must(RBLK_CMD_VOLUME_NEW, 0);
	must(RBLK_CMD_PEER_NEW, 0);
}

/* ---- denied */

static int denied(void)
{
	int cmd, err, bad = 0;
	char buf[1024];

	for (cmd = RBLK_CMD_UNSPEC + 1; cmd < RBLK_CMD_GET; cmd++) {
		err = ask(good(buf, cmd, 0), NULL);
		if (err != EPERM)
			printf("command %d: %s instead of EPERM\n", cmd,
			       strerror(err));
		bad |= err != EPERM;
	}
	return bad;
}

/* ---- abuse: the kernel's policy */

struct policy {
	uint32_t set, attr, type, nested;
	uint32_t min_len, max_len;
	uint64_t min, max;
	bool has_len, has_range;
};

static struct policy policies[POLICIES_MAX];
static int nr_policies;

static uint64_t number(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) == 8 ? mnl_attr_get_u64(attr) :
						     mnl_attr_get_u32(attr);
}

static void got_one(uint32_t set, const struct nlattr *of)
{
	struct policy *p = &policies[nr_policies++];
	const struct nlattr *attr;

	if (nr_policies == POLICIES_MAX)
		die("more than %d policies", POLICIES_MAX);
	p->set = set;
	p->attr = mnl_attr_get_type(of);
	mnl_attr_for_each_nested(attr, of) {
		switch (mnl_attr_get_type(attr)) {
		case NL_POLICY_TYPE_ATTR_TYPE:
			p->type = number(attr);
			break;
		case NL_POLICY_TYPE_ATTR_POLICY_IDX:
			p->nested = number(attr);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_LENGTH:
			p->min_len = number(attr);
			p->has_len = true;
			break;
		case NL_POLICY_TYPE_ATTR_MAX_LENGTH:
			p->max_len = number(attr);
			p->has_len = true;
			break;
		case NL_POLICY_TYPE_ATTR_MIN_VALUE_U:
			p->min = number(attr);
			p->has_range = true;
			break;
		case NL_POLICY_TYPE_ATTR_MAX_VALUE_U:
			p->max = number(attr);
			p->has_range = true;
			break;
		}
	}
}

static void got_policy(const struct nlmsghdr *nlh)
{
	const struct nlattr *top, *set, *attr;

	mnl_attr_for_each(top, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(top) != CTRL_ATTR_POLICY)
			continue;
		mnl_attr_for_each_nested(set, top)
			mnl_attr_for_each_nested(attr, set)
				got_one(mnl_attr_get_type(set), attr);
	}
}

static void read_policy(void)
{
	char buf[256];
	struct nlmsghdr *nlh = begin(buf, GENL_ID_CTRL, CTRL_CMD_GETPOLICY,
				     NLM_F_DUMP);

	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, family);
	nr_policies = 0;
	if (ask(nlh, got_policy) || nr_policies < 10)
		die("the kernel does not tell its policy");
}

/* ---- abuse: wrong attributes */

enum wrong {
	WRONG_NONE,		/* as it should be, but not asked for */
	WRONG_EMPTY,
	WRONG_SHORT,
	WRONG_LONG,
	WRONG_HUGE,
	WRONG_BELOW,		/* numbers: out of their bounds */
	WRONG_ABOVE,
	WRONG_ONES,
	WRONG_NESTED,		/* said to be a nest, or not to be one */
	WRONG_GARBAGE,
	WRONG_HEADER,		/* an attribute whose length is a lie */
	WRONG_END,
};

static uint32_t width(const struct policy *p)
{
	switch (p->type) {
	case NL_ATTR_TYPE_U8:
		return 1;
	case NL_ATTR_TYPE_U16:
		return 2;
	case NL_ATTR_TYPE_U32:
	case NL_ATTR_TYPE_BITFIELD32:
		return 4;
	case NL_ATTR_TYPE_U64:
		return 8;
	default:
		return 0;
	}
}

static void put_number(struct nlmsghdr *nlh, const struct policy *p, uint64_t v)
{
	mnl_attr_put(nlh, p->attr, width(p), &v);
}

/* Return: whether the kernel must refuse it, whatever the command. */
static bool put_wrong(struct nlmsghdr *nlh, const struct policy *p,
		      enum wrong wrong)
{
	static const char junk[4096] = { [0 ... 4095] = (char)0xa5 };
	uint32_t bytes = width(p);
	struct nlattr *attr = mnl_nlmsg_get_payload_tail(nlh);
	uint64_t ones = ~0ULL >> (64 - 8 * (bytes ?: 8));

	switch (wrong) {
	case WRONG_NONE:
		if (!bytes)
			return false;
		put_number(nlh, p, p->has_range ? p->min : 1);
		return false;
	case WRONG_EMPTY:
		mnl_attr_put(nlh, p->attr, 0, "");
		return bytes || p->type == NL_ATTR_TYPE_NUL_STRING;
	case WRONG_SHORT:
		mnl_attr_put(nlh, p->attr, bytes ? bytes - 1 : 1, junk);
		return true;
	case WRONG_LONG:
		mnl_attr_put(nlh, p->attr, bytes ? bytes + 1 : p->max_len + 1,
			     junk);
		return true;
	case WRONG_HUGE:
		mnl_attr_put(nlh, p->attr, sizeof(junk), junk);
		return true;
	case WRONG_BELOW:
		if (!bytes || !p->has_range || !p->min)
			return false;
		put_number(nlh, p, p->min - 1);
		return true;
	case WRONG_ABOVE:
		if (!bytes || !p->has_range || p->max >= ones)
			return false;
		put_number(nlh, p, p->max + 1);
		return true;
	case WRONG_ONES:
		if (!bytes)
			return false;
		put_number(nlh, p, ones);
		return p->has_range && p->max < ones;
	case WRONG_NESTED:
		mnl_attr_put(nlh, p->attr, bytes ?: 8, junk);
		attr->nla_type |= p->type == NL_ATTR_TYPE_NESTED ? 0 :
								   NLA_F_NESTED;
		return true;
	case WRONG_GARBAGE:
		mnl_attr_put(nlh, p->attr, 60, junk);
		if (p->type == NL_ATTR_TYPE_NESTED)
			attr->nla_type |= NLA_F_NESTED;
		return true;
	case WRONG_HEADER:
		mnl_attr_put(nlh, p->attr, bytes ?: 8, junk);
		attr->nla_len = bytes & 1 ? 3 : 0x7fff;
		return false; /* the rest of the message is not looked at */
	case WRONG_END:
		break;
	}
	return false;
}

/* Return: the attribute of the top level whose nest has the policy @set, or 0. */
static uint32_t nest_of(uint32_t set)
{
	int i;

	for (i = 0; i < nr_policies; i++)
		if (policies[i].type == NL_ATTR_TYPE_NESTED &&
		    policies[i].nested == set && set)
			return policies[i].attr;
	return 0;
}

static unsigned long nr_sent, nr_refused, nr_silent;

/* Send it. What is refused has changed nothing, and says why. */
static void try(struct nlmsghdr *nlh, bool must_fail, const char *what, ...)
{
	static char before[sizeof(state)];
	size_t len = state_len;
	char text[160];
	va_list args;
	int err;

	memcpy(before, state, len);
	err = ask(nlh, NULL);
	nr_sent++;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	if (!err) {
		if (must_fail)
			die("accepted: %s", text);
		if (!same_state(before, len)) {
			fresh_resource();
			read_state();
		}
		return;
	}
	nr_refused++;
	if (!explanation[0]) {
		nr_silent++;
		printf("refused with %s, without a word: %s\n", strerror(err),
		       text);
	}
	if (!same_state(before, len))
		die("refused with %s, and yet the state changed: %s",
		    strerror(err), text);
}

/* @p in the wrong way @wrong, in a request that is right otherwise. */
static void abuse_one(uint8_t cmd, const struct policy *p, enum wrong wrong)
{
	uint32_t nest_attr = nest_of(p->set);
	struct nlattr *nest = NULL;
	char buf[16384];
	struct nlmsghdr *nlh = good(buf, cmd, 0);
	bool must_fail;

	if (nest_attr)
		nest = mnl_attr_nest_start(nlh, nest_attr);
	must_fail = put_wrong(nlh, p, wrong);
	if (nest)
		mnl_attr_nest_end(nlh, nest);
	try(nlh, must_fail, "command %u, set %u, attribute %u, way %u",
	    cmd, p->set, p->attr, wrong);
}

static void abuse_unknown(uint8_t cmd)
{
	static const uint16_t types[] = { 0, RBLK_A_PAD, RBLK_A_VOLUMES,
		RBLK_A_PEERS, RBLK_A_EVENT, RBLK_A_MAX + 1, 0x3fff };
	struct nlattr *nest;
	char buf[2048];
	struct nlmsghdr *nlh;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		nlh = good(buf, cmd, 0);
		mnl_attr_put_u64(nlh, types[i], 1);
		try(nlh, true, "command %u, unknown attribute %u", cmd, types[i]);
	}
	for (i = RBLK_A_RESOURCE; i <= RBLK_A_PEER; i++) {
		nlh = good(buf, cmd, 0);
		nest = mnl_attr_nest_start(nlh, i);
		mnl_attr_put_u64(nlh, 200, 1);
		mnl_attr_nest_end(nlh, nest);
		try(nlh, false, "command %u, unknown attribute in nest %zu", cmd, i);
	}
	/* nothing, an empty name, and each nest alone */
	nlh = begin(buf, family, cmd, 0);
	try(nlh, true, "command %u without anything", cmd);
	nlh = begin(buf, family, cmd, 0);
	mnl_attr_put_strz(nlh, RBLK_A_NAME, "");
	try(nlh, true, "command %u with an empty name", cmd);
	nlh = begin(buf, family, cmd, 0);
	mnl_attr_put_strz(nlh, RBLK_A_NAME, "no-such-resource");
	try(nlh, true, "command %u for no resource", cmd);
}

/* Requests with single bits changed. Whoever names another resource makes it. */
static void abuse_bits(uint8_t cmd, int times)
{
	char buf[2048];
	struct nlmsghdr *nlh;
	char *bytes;
	size_t at, from = NLMSG_HDRLEN;

	while (times--) {
		nlh = good(buf, cmd, 0);
		bytes = buf;
		at = from + random() % (nlh->nlmsg_len - from);
		bytes[at] ^= 1 << random() % 8;
		/* another command, or version: as good as another request */
		if (at < NLMSG_HDRLEN + 2)
			continue;
		try(nlh, false, "command %u, a bit of byte %zu", cmd, at);
	}
}

static int abuse(void)
{
	int i, wrong;
	uint8_t cmd;

	read_policy();
	pair_of_sockets();
	fresh_resource();
	read_state();
	for (cmd = RBLK_CMD_UNSPEC + 1; cmd < RBLK_CMD_GET; cmd++) {
		for (i = 0; i < nr_policies; i++)
			for (wrong = 0; wrong < WRONG_END; wrong++)
				abuse_one(cmd, &policies[i], wrong);
		abuse_unknown(cmd);
		abuse_bits(cmd, 60);
	}
	command(RBLK_CMD_RESOURCE_DEL, RBLK_FLAG_FORCE);
	printf("%lu requests, %lu refused, %lu of them without a word\n",
	       nr_sent, nr_refused, nr_silent);
	return nr_silent != 0;
}

/* ---- nth: the n-th allocation fails */

static int fail_nth = -1;

static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_nth, text, len, 0) != len)
		die("fail-nth: %s", strerror(errno));
}

/* Return: whether the fault that was armed came to happen; disarms. */
static bool disarm(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 0)
		die("fail-nth: %s", strerror(errno));
	arm(0);
	return atoi(text) == 0;
}

/* Refuse @cmd as often as it allocates; @undo takes back what went through. */
static void fail_each(const char *name, uint8_t cmd, uint32_t flags,
		      void (*undo)(void))
{
	static char before[sizeof(state)];
	unsigned int n, refused = 0;
	size_t len;
	char buf[1024];
	struct nlmsghdr *nlh;
	bool happened = true;
	int err = 0;

	for (n = 1; happened; n++) {
		if (n > 1 && !err)
			undo();
		if (cmd == RBLK_CMD_LINK_ATTACH)
			pair_of_sockets();
		nlh = good(buf, cmd, flags);
		nlh->nlmsg_seq = ++seq;
		nlh->nlmsg_flags |= NLM_F_ACK;
		read_state();
		len = state_len;
		memcpy(before, state, len);
		nlh->nlmsg_seq = ++seq;
		arm(n);
		err = mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0 ? errno : 0;
		happened = disarm();
		if (!err)
			err = answer(NULL);
		/* The answer itself could not be allocated. */
		if (answer_lost && !same_state(before, len))
			err = 0;
		if (err && !happened)
			die("%s: %s: %s", name, strerror(err), explanation);
		if (err && !same_state(before, len))
			die("%s: refused at allocation %u, and yet the state changed",
			    name, n);
		refused += err != 0;
	}
	printf("%s: %u allocations, %u refusals\n", name, n - 2, refused);
}

static void undo_resource_new(void) { must(RBLK_CMD_RESOURCE_DEL, 0); }
static void undo_volume_new(void) { must(RBLK_CMD_VOLUME_DEL, 0); }
static void undo_peer_new(void) { must(RBLK_CMD_PEER_DEL, 0); }
static void undo_attach(void) { must(RBLK_CMD_LINK_DETACH, 0); }
static void undo_promote(void) { must(RBLK_CMD_DEMOTE, 0); }
static void undo_demote(void) { must(RBLK_CMD_PROMOTE, 0); }
static void undo_suspend(void) { must(RBLK_CMD_RESUME, 0); }
static void undo_resume(void) { must(RBLK_CMD_SUSPEND, 0); }
static void undo_detach(void) { must(RBLK_CMD_LINK_ATTACH, 0); }
static void undo_peer_del(void) { must(RBLK_CMD_PEER_NEW, 0); }
static void undo_volume_del(void) { must(RBLK_CMD_VOLUME_NEW, 0); }
static void undo_resource_del(void) { must(RBLK_CMD_RESOURCE_NEW, 0); }
static void undo_nothing(void) { }

static int nth(void)
{
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	if (fail_nth < 0)
		die("no fault injection in this kernel");
	fail_each("new resource", RBLK_CMD_RESOURCE_NEW, 0, undo_resource_new);
	fail_each("new volume", RBLK_CMD_VOLUME_NEW, 0, undo_volume_new);
	fail_each("new peer", RBLK_CMD_PEER_NEW, 0, undo_peer_new);
	fail_each("set peer", RBLK_CMD_PEER_SET, 0, undo_nothing);
	fail_each("set resource", RBLK_CMD_RESOURCE_SET, 0, undo_nothing);
	fail_each("promote", RBLK_CMD_PROMOTE, RBLK_FLAG_ASSUME_CLEAN,
		  undo_promote);
	fail_each("attach", RBLK_CMD_LINK_ATTACH, 0, undo_attach);
	fail_each("detach", RBLK_CMD_LINK_DETACH, 0, undo_detach);
	fail_each("suspend", RBLK_CMD_SUSPEND, 0, undo_suspend);
	fail_each("resume", RBLK_CMD_RESUME, 0, undo_resume);
	fail_each("demote", RBLK_CMD_DEMOTE, 0, undo_demote);
	fail_each("delete peer", RBLK_CMD_PEER_DEL, 0, undo_peer_del);
	fail_each("delete volume", RBLK_CMD_VOLUME_DEL, 0, undo_volume_del);
	fail_each("delete resource", RBLK_CMD_RESOURCE_DEL, 0,
		  undo_resource_del);
	return 0;
}

/* ---- storm, deaf */

static int storm(int seconds)
{
	time_t end = time(NULL) + seconds;
	char buf[1024];

	srandom(getpid());
	pair_of_sockets();
	while (time(NULL) < end) {
		uint8_t cmd = 1 + random() % RBLK_CMD_GET;
		struct nlmsghdr *nlh = good(buf, cmd, random() % 4);

		if (cmd == RBLK_CMD_LINK_ATTACH && random() % 2)
			pair_of_sockets();
		/* the module may be gone, or another one be there */
		if (ask(nlh, NULL) == ENOENT && random() % 8 == 0) {
			nlh = begin(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
			mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME,
					  RBLK_GENL_NAME);
			ask(nlh, got_family);
		}
	}
	command(RBLK_CMD_RESOURCE_DEL, RBLK_FLAG_FORCE);
	return 0;
}

static uint32_t group;

static void got_group(const struct nlmsghdr *nlh)
{
	const struct nlattr *top, *one, *attr;

	mnl_attr_for_each(top, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(top) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		mnl_attr_for_each_nested(one, top)
			mnl_attr_for_each_nested(attr, one)
				if (mnl_attr_get_type(attr) ==
				    CTRL_ATTR_MCAST_GRP_ID)
					group = mnl_attr_get_u32(attr);
	}
}

static int deaf(int seconds)
{
	char buf[256];
	struct nlmsghdr *nlh = begin(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	int bytes = 2048;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, RBLK_GENL_NAME);
	if (ask(nlh, got_group) || !group)
		die("no group of events");
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUF, &bytes,
		   sizeof(bytes));
	if (mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)))
		die("joining the events: %s", strerror(errno));
	sleep(seconds);
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	disk = argc > 2 ? argv[2] : "/dev/ram0";
	open_socket();
	find_family();
	if (!strcmp(mode, "denied"))
		return denied();
	if (!strcmp(mode, "abuse") && argc > 2) {
		srandom(argc > 3 ? atoi(argv[3]) : 1);
		return abuse();
	}
	if (!strcmp(mode, "nth") && argc > 2)
		return nth();
	if (!strcmp(mode, "storm") && argc > 3)
		return storm(atoi(argv[3]));
	if (!strcmp(mode, "deaf") && argc > 2)
		return deaf(atoi(argv[2]));
	die("usage: see the comment at the top of netlink.c");
}

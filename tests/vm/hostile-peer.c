// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A peer that misbehaves. Run in the network namespace of its victim, it hands
 * one end of a TCP connection to the module, as a daemon does with a peer that
 * it authenticated, and says at the other end what no peer should.
 *
 *   hostile-peer RESOURCE ID [CORPUS-FILE...]
 *
 * RESOURCE has a peer with the node id ID, whose link is down. After each case
 * that link must have ended, within its time, with a reason; each prints it.
 * Files are sent as they are and with every header put right, and so are
 * changes of good frames (SEED= repeats them). Where the victim is primary
 * somebody should be writing meanwhile. CASE= chooses one case, QUICK=yes leaves
 * out those that wait, MUTANTS= says how many frames to change.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "genl.h"
#include "wire.h"

#define FRAME_MAX	(sizeof(struct rblk_msg_hdr) + RBLK_WIRE_CTRL_MAX)

static const char *resource;
static int id;
static int fd = -1;		/* our end */
static struct rblk_hello theirs;
static struct rblk_self me;

/* What the module says of itself and of the link. */
static struct {
	int conn;
	char reason[RBLK_REASON_SIZE];
	uint64_t last_seq;
	int role;
} victim;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* ---- the module's side */

static void got_peer(const struct nlattr *peer)
{
	const struct nlattr *attr;
	bool mine = false;

	mnl_attr_for_each_nested(attr, peer)
		if (mnl_attr_get_type(attr) == RBLK_PEER_NODE_ID)
			mine = mnl_attr_get_u8(attr) == id;
	if (!mine)
		return;
	victim.reason[0] = '\0';
	mnl_attr_for_each_nested(attr, peer) {
		if (mnl_attr_get_type(attr) == RBLK_PEER_CONN)
			victim.conn = mnl_attr_get_u8(attr);
		if (mnl_attr_get_type(attr) == RBLK_PEER_REASON)
			snprintf(victim.reason, sizeof(victim.reason), "%s",
				 mnl_attr_get_str(attr));
	}
}

static void got_state(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr, *in;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == RBLK_A_PEERS)
			mnl_attr_for_each_nested(in, attr)
				got_peer(in);
		if (mnl_attr_get_type(attr) != RBLK_A_RESOURCE)
			continue;
		mnl_attr_for_each_nested(in, attr) {
			if (mnl_attr_get_type(in) == RBLK_RES_SEQ)
				victim.last_seq = mnl_attr_get_u64(in);
			if (mnl_attr_get_type(in) == RBLK_RES_ROLE)
				victim.role = mnl_attr_get_u8(in);
		}
	}
}

static void look(void)
{
	char buf[256];
	struct nlmsghdr *nlh = begin(buf, family, RBLK_CMD_GET, 0);

	mnl_attr_put_strz(nlh, RBLK_A_NAME, resource);
	victim.conn = -1;
	if (ask(nlh, got_state) || victim.conn < 0)
		die("no peer %d in %s", id, resource);
}

static int hand_over(int sock)
{
	char buf[256];
	struct nlmsghdr *nlh = begin(buf, family, RBLK_CMD_LINK_ATTACH, 0);
	struct nlattr *nest;

	mnl_attr_put_strz(nlh, RBLK_A_NAME, resource);
	nest = mnl_attr_nest_start(nlh, RBLK_A_PEER);
	mnl_attr_put_u8(nlh, RBLK_PEER_NODE_ID, id);
	mnl_attr_put_u32(nlh, RBLK_PEER_SOCKET, sock);
	mnl_attr_nest_end(nlh, nest);
	return ask(nlh, NULL);
}

static void attach(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int their_end = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);
	double end = now() + 60;
	int err, one = 1, bytes = 65536;

	/* small, so that it is soon full of what nobody reads */
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(their_end, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (bind(listener, (void *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&addr, &len) ||
	    connect(their_end, (void *)&addr, len))
		die("loopback: %s", strerror(errno));
	fd = accept(listener, NULL, NULL);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	do {
		err = hand_over(their_end);
		if (err)
			usleep(20000);
	} while ((err == EALREADY || err == EBUSY) && now() < end);
	if (err)
		die("attach: %s: %s", strerror(err), explanation);
	close(their_end);
	close(listener);
}

/* ---- frames */

static bool put_bytes(const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void seal(struct rblk_msg_hdr *hdr)
{
	hdr->hdr_crc = cpu_to_le32(~crc32c(~0U, hdr, 60));
}

static bool put_frame(struct rblk_frame *frame, const void *payload)
{
	struct rblk_msg_hdr hdr;

	rblk_wire_put_hdr(&hdr, frame);
	return put_bytes(&hdr, sizeof(hdr)) &&
	       (!frame->length || !payload || put_bytes(payload, frame->length));
}

/* Return: false at the end of the stream or of @seconds. */
static bool get_bytes(void *data, size_t len, double seconds)
{
	double end = now() + seconds;
	char *to = data;

	while (len) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&poll_fd, 1, (end - now()) * 1000) <= 0)
			return false;
		n = recv(fd, to, len, 0);
		if (n <= 0)
			return false;
		to += n;
		len -= n;
	}
	return true;
}

static bool get_frame(struct rblk_frame *frame, void *payload)
{
	struct rblk_msg_hdr hdr;

	if (!get_bytes(&hdr, sizeof(hdr), 30))
		return false;
	if (rblk_wire_get_hdr(&hdr, frame))
		die("the module sent a bad header");
	return get_bytes(payload, frame->length, 30);
}

static void put_state(const struct rblk_self *self, bool resync)
{
	struct rblk_state state = { .self = *self, .resync = resync };
	char payload[RBLK_WIRE_STATE_MAX];
	struct rblk_frame frame = { .type = RBLK_MSG_STATE };

	frame.length = rblk_wire_put_state(payload, &state);
	put_frame(&frame, payload);
}

static void put_ack_of(u64 received, u64 applied, u64 durable, u64 recorded,
		       u32 ranges, u64 first)
{
	struct rblk_ack ack = { .received = received, .applied = applied,
		.durable = durable, .recorded = recorded, .nr_ranges = ranges };
	char payload[RBLK_WIRE_ACK_MAX];
	struct rblk_frame frame = { .type = RBLK_MSG_ACK };
	u32 i;

	for (i = 0; i < ranges; i++)
		ack.range[i].first = ack.range[i].last = first + i;
	frame.length = rblk_wire_put_ack(payload, &ack);
	put_frame(&frame, payload);
}

static void put_ack(u64 received, u64 applied, u64 durable, u32 ranges,
		    u64 first)
{
	put_ack_of(received, applied, durable, durable, ranges, first);
}

static void put_op(u8 op, u64 gen, u64 op_seq, u64 dep, u8 volume, u64 sector,
		   u32 nr_sects)
{
	static char data[RBLK_WIRE_DATA_MAX];
	struct rblk_frame frame = { .type = RBLK_MSG_OP, .op = op, .gen = gen,
		.seq = op_seq, .dep = dep, .volume = volume, .sector = sector,
		.nr_sects = nr_sects };

	memset(data, 0xee, sizeof(data));
	if (op == RBLK_OP_WRITE)
		frame.length = nr_sects * 512;
	put_frame(&frame, data);
}

static void read_hello(void)
{
	static char payload[RBLK_WIRE_DATA_MAX];
	struct rblk_frame frame;

	if (!get_frame(&frame, payload) || frame.type != RBLK_MSG_HELLO ||
	    rblk_wire_get_hello(payload, frame.length, &theirs))
		die("the module does not say HELLO");
	me = theirs.self;
	me.role = RBLK_ROLE_BACKUP;
}

static u32 make_hello(void *payload)
{
	struct rblk_hello hello = theirs;

	hello.from = theirs.to;
	hello.to = theirs.from;
	hello.self = me;
	return rblk_wire_put_hello(payload, &hello);
}

/* Say what an honest backup with the same data would. */
static void greet(void)
{
	char payload[RBLK_WIRE_HELLO_MAX];
	struct rblk_frame frame = { .type = RBLK_MSG_HELLO };
	double end = now() + 20;

	read_hello();
	frame.length = make_hello(payload);
	if (!put_frame(&frame, payload))
		die("the link ended too soon");
	do
		look();
	while (victim.conn == RBLK_CONN_HELLO && now() < end &&
	       !usleep(10000));
}

/* ---- the cases: some before the greeting, some after it */

static struct rblk_msg_hdr good_header(void)
{
	struct rblk_frame frame = { .type = RBLK_MSG_ACK, .length = 24 };
	struct rblk_msg_hdr hdr;

	rblk_wire_put_hdr(&hdr, &frame);
	return hdr;
}

#define HEADER(name, change)						\
static void name(void)							\
{									\
	struct rblk_msg_hdr hdr = good_header();			\
									\
	change;								\
	seal(&hdr);							\
	put_bytes(&hdr, sizeof(hdr));					\
}

HEADER(bad_magic, hdr.magic = cpu_to_le32(0x12345678))
HEADER(bad_type, hdr.type = 0)
HEADER(unknown_type, hdr.type = 255)
HEADER(unknown_flags, hdr.flags = cpu_to_le16(0xffff))
HEADER(reserved_bits, hdr.reserved[1] = 1)
HEADER(huge_length, hdr.length = cpu_to_le32(0xffffffff))
HEADER(long_control, hdr.length = cpu_to_le32(RBLK_WIRE_CTRL_MAX + 1))
HEADER(no_payload, hdr.length = 0)
HEADER(wrapping_range, hdr.type = RBLK_MSG_OP; hdr.op = RBLK_OP_DISCARD;
       hdr.length = 0; hdr.sector = cpu_to_le64(~0ULL);
       hdr.nr_sects = cpu_to_le32(8))
HEADER(more_than_a_megabyte, hdr.type = RBLK_MSG_OP; hdr.op = RBLK_OP_WRITE;
       hdr.nr_sects = cpu_to_le32(4096); hdr.length = cpu_to_le32(4096 * 512))
HEADER(unknown_operation, hdr.type = RBLK_MSG_OP; hdr.op = 77; hdr.length = 0)

static void bad_checksum(void)
{
	struct rblk_msg_hdr hdr = good_header();

	hdr.hdr_crc = cpu_to_le32(0);
	put_bytes(&hdr, sizeof(hdr));
}

static void closed_at_once(void) { shutdown(fd, SHUT_RDWR); }
static void closed_in_a_header(void) { put_bytes("rBLK", 3); shutdown(fd, SHUT_WR); }
static void silence(void) { }
static void half_a_header(void) { put_bytes("rBLK", 4); }
static void ack_first(void) { put_ack(0, 0, 0, 0, 0); }
static void state_first(void) { read_hello(); put_state(&me, false); }
static void operation_first(void) { put_op(RBLK_OP_WRITE, 1, 1, 0, 0, 0, 8); }

static void reset(void)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
	fd = -1;
}

/* A HELLO with something wrong in it. */
static void wrong_hello(void (*change)(struct rblk_hello *hello))
{
	char payload[RBLK_WIRE_HELLO_MAX];
	struct rblk_frame frame = { .type = RBLK_MSG_HELLO };
	struct rblk_hello hello;

	read_hello();
	hello = theirs;
	hello.from = theirs.to;
	hello.to = theirs.from;
	hello.self = me;
	change(&hello);
	frame.length = rblk_wire_put_hello(payload, &hello);
	put_frame(&frame, payload);
}

#define HELLO(name, what)						\
static void name##_change(struct rblk_hello *hello) { what; }		\
static void name(void) { wrong_hello(name##_change); }

HELLO(future_version, hello->version_min = 99; hello->version_max = 100)
HELLO(inverted_versions, hello->version_min = 5; hello->version_max = 1)
HELLO(other_uuid, hello->uuid[3] ^= 1)
HELLO(other_ids, hello->from = hello->to)
HELLO(no_volumes, hello->nr_volumes = 0)
HELLO(more_volumes, hello->volume[hello->nr_volumes] = hello->volume[0];
      hello->volume[hello->nr_volumes++].id = 63)
HELLO(other_size, hello->volume[0].size_sects++)
HELLO(no_size, hello->volume[0].size_sects = 0)
HELLO(other_blocks, hello->volume[0].logical_shift = 13;
      hello->volume[0].physical_shift = 13)
HELLO(bad_lineage, hello->self.lineage.nr_terms = 2;
      hello->self.lineage.term[0].gen = 9; hello->self.lineage.term[1].gen = 3)
HELLO(also_primary, hello->self.role = RBLK_ROLE_PRIMARY)
HELLO(last_promise, hello->self.promised = ~0ULL)
HELLO(last_term, hello->self.lineage.nr_terms = 1; hello->self.lineage.seq = 9;
      hello->self.lineage.term[0].gen = ~0ULL;
      hello->self.lineage.term[0].first_seq = 1)

static void second_hello(void)
{
	char payload[RBLK_WIRE_HELLO_MAX];
	struct rblk_frame frame = { .type = RBLK_MSG_HELLO };

	frame.length = make_hello(payload);
	put_frame(&frame, payload);
}

static void ack_of_the_future(void) { put_ack(~0ULL - 1, ~0ULL - 1, 0, 0, 0); }
static void ack_out_of_range(void) { put_ack(5, 9, 0, 0, 0); }
static void durable_before_applied(void) { put_ack(9, 5, 9, 0, 0); }
static void recorded_before_durable(void) { put_ack_of(9, 9, 5, 9, 0, 0); }
static void ack_ranges_beyond(void) { put_ack(5, 4, 4, 32, 6); }

static void ack_taken_back(void)
{
	u64 at = me.lineage.seq;

	put_ack(at, at, at, 0, 0);
	put_ack(at ? at - 1 : 0, 0, 0, 0, 0);
	put_ack(~0ULL - 1, 0, 0, 0, 0); /* at 0 nothing can be taken back */
}

/*
 * The sockets are full, and the writer waits for what is in them: the module is
 * still about to send what this one says it has.
 */
static void ack_before_it_is_sent(void)
{
	double end = now() + 20, since = now();
	uint64_t last = 0;

	while (now() < since + 1) {
		look();
		if (victim.last_seq != last)
			since = now();
		last = victim.last_seq;
		if (now() > end)
			die("what is in flight has no end");
		usleep(10000);
	}
	if (last < me.lineage.seq + 8)
		die("only %llu writes are in flight: too few to fill the sockets",
		    (unsigned long long)(last - me.lineage.seq));
	put_ack(last, last, last, 0, 0);
}

static void resync_ack(u16 flags, u64 sector)
{
	struct rblk_frame frame = { .type = RBLK_MSG_RESYNC_ACK, .flags = flags,
		.sector = sector, .nr_sects = flags ? 0 : 512 };

	put_frame(&frame, NULL);
}

static void resync_ack_of_nothing(void) { resync_ack(0, 0); }
static void resync_end_of_nothing(void) { resync_ack(RBLK_FRAME_LAST, 0); }

static void resync_unasked(void)
{
	static char data[512 * 8];
	struct rblk_frame frame = { .type = RBLK_MSG_RESYNC, .nr_sects = 8,
		.length = sizeof(data) };

	put_frame(&frame, data);
}

static void resync_over_unasked(void)
{
	struct rblk_frame frame = { .type = RBLK_MSG_RESYNC,
		.flags = RBLK_FRAME_LAST };

	put_frame(&frame, NULL);
}

static void read_by_a_backup(void)
{
	struct rblk_frame frame = { .type = RBLK_MSG_READ, .seq = 1,
		.nr_sects = 8 };

	put_frame(&frame, NULL);
}

static void read_reply_unasked(void)
{
	static char data[512 * 8];
	struct rblk_frame frame = { .type = RBLK_MSG_READ_REPLY, .seq = 1,
		.nr_sects = 8, .length = sizeof(data) };

	put_frame(&frame, data);
}

static void read_failure_unasked(void)
{
	struct rblk_frame frame = { .type = RBLK_MSG_READ_REPLY, .seq = 1,
		.nr_sects = 8 };

	put_frame(&frame, NULL);
}

static void operation_unasked(void)
{
	put_op(RBLK_OP_WRITE, me.promised, me.lineage.seq + 1, 0, 0, 0, 8);
}

static void discard_unasked(void)
{
	put_op(RBLK_OP_DISCARD, me.promised, me.lineage.seq + 1, 0, 0, 0, 2048);
}

static void primary_of_old(void)
{
	struct rblk_self self = me;

	self.role = RBLK_ROLE_PRIMARY;
	self.promised = self.promised ? self.promised - 1 : 0;
	put_state(&self, true);
	operation_unasked();
}

static void last_promise_later(void)
{
	struct rblk_self self = me;

	self.role = RBLK_ROLE_PRIMARY;
	self.promised = ~0ULL;
	put_state(&self, false);
}

static void state_out_of_turn(void)
{
	put_state(&me, false);
	operation_unasked();
}

static void bye(void)
{
	struct rblk_frame frame = { .type = RBLK_MSG_BYE, .length = 7 };

	put_frame(&frame, "so long");
}

static void bye_of_junk(void)
{
	struct rblk_frame frame = { .type = RBLK_MSG_BYE, .length = 8 };

	put_frame(&frame, "\033[2J\n\r\0\1");
}

static void damaged_payload(void)
{
	struct rblk_frame frame = { .type = RBLK_MSG_BYE, .length = 4,
		.flags = RBLK_FRAME_DATA_CRC, .data_crc = 1 };

	put_frame(&frame, "oops");
}

static void closed_in_a_frame(void)
{
	struct rblk_msg_hdr hdr = good_header();

	put_bytes(&hdr, sizeof(hdr));
	put_bytes("some", 4);
	shutdown(fd, SHUT_RDWR);
}

/* The same again and again, as fast as it goes; then the end. */
static void flood(void)
{
	u64 at = me.lineage.seq;
	int i;

	for (i = 0; i < 20000; i++)
		put_ack(at, at, at, 0, 0);
	bye();
}

/* What it is sent fills the sockets; nothing is ever acknowledged. */
static void never_reads(void) { }

/* Each wants an answer, which nobody reads: they must not pile up. */
static void questions_unread(void)
{
	int i;

	for (i = 0; i < 50000; i++)
		put_state(&me, false);
}

/* Byte by byte: not wrong at all. */
static void dribble(void)
{
	struct rblk_frame frame = { .type = RBLK_MSG_BYE, .length = 7 };
	char bytes[sizeof(struct rblk_msg_hdr) + 7];
	size_t i;

	rblk_wire_put_hdr((void *)bytes, &frame);
	memcpy(bytes + sizeof(struct rblk_msg_hdr), "dribble", 7);
	for (i = 0; i < sizeof(bytes); i++) {
		put_bytes(bytes + i, 1);
		usleep(1000);
	}
}

/* STREAM: only a primary can tell that it is wrong, and only while it writes. */
enum stage { RAW, GREETED, STREAM };

static const struct {
	const char *name;
	void (*act)(void);
	enum stage stage;
	const char *reason;	/* words that it must have */
	bool slow;
} cases[] = {
#define RAW_CASE(act)		{ #act, act, RAW, "", false },
#define GREETED_CASE(act)	{ #act, act, GREETED, "", false },
#define STREAM_CASE(act)	{ #act, act, STREAM, "", false },
	RAW_CASE(bad_magic) RAW_CASE(bad_type) RAW_CASE(unknown_type)
	RAW_CASE(unknown_flags) RAW_CASE(reserved_bits) RAW_CASE(huge_length)
	RAW_CASE(long_control) RAW_CASE(no_payload) RAW_CASE(wrapping_range)
	RAW_CASE(more_than_a_megabyte) RAW_CASE(unknown_operation)
	RAW_CASE(bad_checksum) RAW_CASE(closed_at_once)
	RAW_CASE(closed_in_a_header)
	{ "silence", silence, RAW, "no agreement", true },
	{ "half_a_header", half_a_header, RAW, "no agreement", true },
	RAW_CASE(ack_first) RAW_CASE(state_first) RAW_CASE(operation_first)
	RAW_CASE(reset) RAW_CASE(future_version) RAW_CASE(inverted_versions)
	RAW_CASE(other_uuid) RAW_CASE(other_ids) RAW_CASE(no_volumes)
	RAW_CASE(more_volumes) RAW_CASE(other_size) RAW_CASE(no_size)
	RAW_CASE(other_blocks) RAW_CASE(bad_lineage) RAW_CASE(also_primary)
	{ "last_promise", last_promise, RAW, "generation", false },
	{ "last_term", last_term, RAW, "generation", false },
	{ "last_promise_later", last_promise_later, GREETED, "generation", false },
	GREETED_CASE(bad_magic) GREETED_CASE(huge_length)
	GREETED_CASE(more_than_a_megabyte) GREETED_CASE(second_hello)
	STREAM_CASE(ack_of_the_future) GREETED_CASE(ack_out_of_range)
	GREETED_CASE(durable_before_applied) GREETED_CASE(ack_ranges_beyond)
	GREETED_CASE(recorded_before_durable)
	STREAM_CASE(ack_taken_back)
	{ "ack_before_it_is_sent", ack_before_it_is_sent, STREAM, "not sent", false },
	GREETED_CASE(resync_ack_of_nothing) GREETED_CASE(resync_end_of_nothing)
	GREETED_CASE(resync_unasked) GREETED_CASE(resync_over_unasked)
	GREETED_CASE(read_by_a_backup) GREETED_CASE(read_reply_unasked)
	STREAM_CASE(read_failure_unasked)
	GREETED_CASE(operation_unasked) GREETED_CASE(discard_unasked)
	{ "primary_of_old", primary_of_old, GREETED, "generation", false },
	GREETED_CASE(state_out_of_turn)
	GREETED_CASE(bye) GREETED_CASE(bye_of_junk)
	GREETED_CASE(damaged_payload) GREETED_CASE(closed_in_a_frame)
	GREETED_CASE(reset) GREETED_CASE(flood)
	GREETED_CASE(questions_unread) GREETED_CASE(dribble)
	{ "never_reads", never_reads, STREAM, "no acknowledgment", true },
};

/* The link must end by itself, and say why. */
static void expect_end(const char *name, const char *reason)
{
	double begin = now();

	do {
		look();
		if (victim.conn == RBLK_CONN_DOWN)
			break;
		usleep(5000);
	} while (now() < begin + 120);
	if (victim.conn != RBLK_CONN_DOWN)
		die("%s: the link did not end", name);
	if (!victim.reason[0])
		die("%s: the link ended without a reason", name);
	if (!strstr(victim.reason, reason))
		die("%s: the link ended for another reason: %s", name,
		    victim.reason);
	if (name[0] != '/')
		printf("%s: %s\n", name, victim.reason);
	close(fd);
	fd = -1;
}

/* ---- whatever bytes */

static void send_bytes(const char *name, char *bytes, size_t len, bool right,
		       enum stage stage)
{
	size_t at = 0;

	attach();
	if (stage == GREETED)
		greet();
	/* Put the headers right, as far as the lengths in them lead. */
	while (right && at + sizeof(struct rblk_msg_hdr) <= len) {
		struct rblk_msg_hdr *hdr = (void *)(bytes + at);

		hdr->magic = cpu_to_le32(RBLK_WIRE_MAGIC);
		seal(hdr);
		at += sizeof(*hdr) + le32_to_cpu(hdr->length);
	}
	put_bytes(bytes, len);
	shutdown(fd, SHUT_WR);
	expect_end(name, "");
}

static void send_file(const char *path)
{
	char bytes[65536];
	int file = open(path, O_RDONLY);
	ssize_t len = read(file, bytes, sizeof(bytes));

	close(file);
	if (len <= 0)
		die("%s: %s", path, strerror(errno));
	send_bytes("/file", bytes, len, random() & 1, random() & 1 ? RAW : GREETED);
}

/* A frame as it might be, then some of its bytes changed. */
static void send_mutant(void)
{
	struct rblk_frame frame = { .type = 1 + random() % RBLK_MSG_ACTIVE,
		.volume = random() % 2, .seq = random() % 64,
		.dep = random() % 64, .gen = random() % 8 };
	static char bytes[FRAME_MAX];
	int times = random() % 4;

	frame.length = random() % 2 ? 24 : random() % 600;
	if (frame.type == RBLK_MSG_OP)
		frame.op = 1 + random() % RBLK_OP_FLUSH;
	if (random() % 2) {
		frame.sector = random() % 65536;
		frame.nr_sects = random() % 64;
	}
	memset(bytes, random() & 1 ? 0 : random(), sizeof(bytes));
	rblk_wire_put_hdr((void *)bytes, &frame);
	while (times--)
		bytes[random() % 64] = random();
	send_bytes("/mutant", bytes, sizeof(struct rblk_msg_hdr) + frame.length,
		   random() % 8, random() % 4 ? GREETED : RAW);
}

int main(int argc, char **argv)
{
	const char *only = getenv("CASE"), *seed = getenv("SEED");
	int mutants = getenv("MUTANTS") ? atoi(getenv("MUTANTS")) : 100;
	unsigned int random_seed = time(NULL);
	size_t i;
	int arg;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc < 3)
		die("usage: hostile-peer RESOURCE ID [CORPUS-FILE...]");
	resource = argv[1];
	id = atoi(argv[2]);
	if (seed)
		random_seed = atoi(seed);
	printf("SEED=%u\n", random_seed);
	srandom(random_seed);
	open_socket();
	find_family();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (only ? strcmp(only, cases[i].name) != 0 :
			   cases[i].slow && getenv("QUICK"))
			continue;
		look();
		if (cases[i].stage == STREAM && victim.role != RBLK_ROLE_PRIMARY)
			continue;
		attach();
		if (cases[i].stage != RAW)
			greet();
		cases[i].act();
		expect_end(cases[i].name, cases[i].reason);
	}
	for (arg = 3; arg < argc; arg++)
		send_file(argv[arg]);
	while (mutants-- > 0)
		send_mutant();
	printf("%zu cases, %d files\n", ARRAY_SIZE(cases), argc - 3);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_kmsg.c - messages built and taken apart
 */
#include "test.h"

#include "kmsg.h"

#include <linux/genetlink.h>
#include <string.h>

static char buf[65536];

static struct nlmsghdr *begin(void)
{
	struct nlmsghdr *nlh;

	memset(buf, 0, sizeof(buf));
	nlh = mnl_nlmsg_put_header(buf);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	return nlh;
}

/* The attribute @type at top level, or in @nest. */
static const struct nlattr *find(const struct nlmsghdr *nlh,
				 const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr;

	if (nest) {
		mnl_attr_for_each_nested(attr, nest)
			if (mnl_attr_get_type(attr) == type)
				return attr;
	} else {
		mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
			if (mnl_attr_get_type(attr) == type)
				return attr;
	}
	return NULL;
}

static void volume_request(void **state)
{
	struct rblk_kreq req = {
		.cmd = RBLK_CMD_VOLUME_NEW, .name = "r0",
		.nest = RBLK_A_VOLUME,
		.volume = { .has = RBLK_HAS(RBLK_VOL_ID) |
				   RBLK_HAS(RBLK_VOL_MINOR) |
				   RBLK_HAS(RBLK_VOL_DISK),
			    .id = 3, .minor = 70000, .disk = "/dev/vdb" },
	};
	struct nlmsghdr *nlh = begin();
	const struct nlattr *nest, *a;

	(void)state;
	rblk_kmsg_put(nlh, &req);
	assert_string_equal(mnl_attr_get_str(find(nlh, NULL, RBLK_A_NAME)),
			    "r0");
	assert_null(find(nlh, NULL, RBLK_A_FLAGS));
	nest = find(nlh, NULL, RBLK_A_VOLUME);
	assert_true(nest->nla_type & NLA_F_NESTED);
	a = find(nlh, nest, RBLK_VOL_ID);
	assert_int_equal(mnl_attr_get_payload_len(a), 1);
	assert_int_equal(mnl_attr_get_u8(a), 3);
	a = find(nlh, nest, RBLK_VOL_MINOR);
	assert_int_equal(mnl_attr_get_payload_len(a), 4);
	assert_int_equal(mnl_attr_get_u32(a), 70000);
	a = find(nlh, nest, RBLK_VOL_DISK);
	assert_int_equal(mnl_attr_get_payload_len(a), sizeof("/dev/vdb"));
	assert_null(find(nlh, nest, RBLK_VOL_SIZE_BYTES));
}

static void promote_request(void **state)
{
	struct rblk_kreq req = {
		.cmd = RBLK_CMD_PROMOTE, .name = "r0",
		.has = RBLK_HAS(RBLK_A_FLAGS) | RBLK_HAS(RBLK_A_GENERATION),
		.flags = RBLK_FLAG_FORCE, .generation = 1ULL << 40,
	};
	struct nlmsghdr *nlh = begin();

	(void)state;
	rblk_kmsg_put(nlh, &req);
	assert_int_equal(mnl_attr_get_u32(find(nlh, NULL, RBLK_A_FLAGS)), 1);
	assert_int_equal(mnl_attr_get_u64(find(nlh, NULL, RBLK_A_GENERATION)),
			 1ULL << 40);
	assert_null(find(nlh, NULL, RBLK_A_RESOURCE));
}

/* A promotion, its lease and its in-sync set are one request. */
static void promote_request_with_lease(void **state)
{
	struct rblk_kreq req = {
		.cmd = RBLK_CMD_PROMOTE, .name = "r0",
		.has = RBLK_HAS(RBLK_A_GENERATION), .generation = 9,
		.nest = RBLK_A_RESOURCE,
		.resource = { .has = RBLK_HAS(RBLK_RES_LEASE_UNTIL_NS) |
				     RBLK_HAS(RBLK_RES_IN_SYNC) |
				     RBLK_HAS(RBLK_RES_LEASED),
			      .lease_until_ns = 1ULL << 41, .in_sync = 0x8001,
			      .leased = 1 },
	};
	struct nlmsghdr *nlh = begin();
	const struct nlattr *nest, *a;

	(void)state;
	rblk_kmsg_put(nlh, &req);
	nest = find(nlh, NULL, RBLK_A_RESOURCE);
	assert_non_null(nest);
	a = find(nlh, nest, RBLK_RES_LEASE_UNTIL_NS);
	assert_int_equal(mnl_attr_get_payload_len(a), 8);
	assert_true(mnl_attr_get_u64(a) == 1ULL << 41);
	a = find(nlh, nest, RBLK_RES_IN_SYNC);
	assert_int_equal(mnl_attr_get_payload_len(a), 4);
	assert_int_equal(mnl_attr_get_u32(a), 0x8001);
	assert_int_equal(mnl_attr_get_u8(find(nlh, nest, RBLK_RES_LEASED)), 1);
	assert_null(find(nlh, nest, RBLK_RES_MIN_IN_SYNC));
}

/* A resource with two volumes and a peer, as the module answers. */
static struct nlmsghdr *make_state(void)
{
	struct nlmsghdr *nlh = begin();
	struct nlattr *list, *one;
	int i;

	mnl_attr_put_strz(nlh, RBLK_A_NAME, "r0");
	one = mnl_attr_nest_start(nlh, RBLK_A_RESOURCE);
	mnl_attr_put_u64(nlh, RBLK_RES_GENERATION, 7);
	mnl_attr_put_u8(nlh, RBLK_RES_ROLE, RBLK_ROLE_PRIMARY);
	mnl_attr_put_u32(nlh, 200, 1);		/* from a later release */
	mnl_attr_nest_end(nlh, one);
	list = mnl_attr_nest_start(nlh, RBLK_A_VOLUMES);
	for (i = 0; i < 2; i++) {
		one = mnl_attr_nest_start(nlh, RBLK_A_VOLUME);
		mnl_attr_put_u8(nlh, RBLK_VOL_ID, i);
		mnl_attr_put_strz(nlh, RBLK_VOL_DISK, "/dev/v\nb");
		mnl_attr_nest_end(nlh, one);
	}
	mnl_attr_nest_end(nlh, list);
	list = mnl_attr_nest_start(nlh, RBLK_A_PEERS);
	one = mnl_attr_nest_start(nlh, RBLK_A_PEER);
	mnl_attr_put_u8(nlh, RBLK_PEER_NODE_ID, 5);
	mnl_attr_put_u64(nlh, RBLK_PEER_LAG_BYTES, 4096);
	mnl_attr_nest_end(nlh, one);
	mnl_attr_nest_end(nlh, list);
	return nlh;
}

static void state_answer(void **unused)
{
	static struct rblk_kstate s;

	(void)unused;
	assert_true(rblk_kmsg_get_state(make_state(), &s));
	assert_string_equal(s.name, "r0");
	assert_int_equal(s.resource.generation, 7);
	assert_true(s.resource.has & RBLK_HAS(RBLK_RES_ROLE));
	assert_false(s.resource.has & RBLK_HAS(RBLK_RES_SEQ));
	assert_int_equal(s.volumes_n, 2);
	assert_int_equal(s.volumes[1].id, 1);
	/* what goes to a terminal is harmless */
	assert_string_equal(s.volumes[0].disk, "/dev/v?b");
	assert_int_equal(rblk_kstate_peer(&s, 5)->lag_bytes, 4096);
	assert_null(rblk_kstate_peer(&s, 0));
}

static void wrong_lengths(void **unused)
{
	static struct rblk_kstate s;
	struct nlmsghdr *nlh = begin();
	struct nlattr *nest;

	(void)unused;
	mnl_attr_put_strz(nlh, RBLK_A_NAME, "r0");
	nest = mnl_attr_nest_start(nlh, RBLK_A_RESOURCE);
	mnl_attr_put_u32(nlh, RBLK_RES_GENERATION, 7);	/* is a u64 */
	mnl_attr_nest_end(nlh, nest);
	assert_false(rblk_kmsg_get_state(nlh, &s));

	nlh = begin();
	mnl_attr_put_strz(nlh, RBLK_A_NAME, "../r0");
	assert_false(rblk_kmsg_get_state(nlh, &s));

	nlh = begin();
	assert_false(rblk_kmsg_get_state(nlh, &s));	/* no name */

	nlh = begin();
	mnl_attr_put_strz(nlh, RBLK_A_NAME, "r0");
	memset(buf + 4096, 'x', 200);
	nest = mnl_attr_nest_start(nlh, RBLK_A_RESOURCE);
	mnl_attr_put(nlh, RBLK_RES_NODE_NAME, 200, buf + 4096);
	mnl_attr_nest_end(nlh, nest);
	assert_false(rblk_kmsg_get_state(nlh, &s));
}

static void too_many(void **unused)
{
	static struct rblk_kstate s;
	struct nlmsghdr *nlh = begin();
	struct nlattr *list, *one;
	int i;

	(void)unused;
	mnl_attr_put_strz(nlh, RBLK_A_NAME, "r0");
	list = mnl_attr_nest_start(nlh, RBLK_A_VOLUMES);
	for (i = 0; i <= RBLK_MAX_VOLUMES; i++) {
		one = mnl_attr_nest_start(nlh, RBLK_A_VOLUME);
		mnl_attr_put_u8(nlh, RBLK_VOL_ID, i);
		mnl_attr_nest_end(nlh, one);
	}
	mnl_attr_nest_end(nlh, list);
	assert_false(rblk_kmsg_get_state(nlh, &s));
}

static void events(void **unused)
{
	struct nlmsghdr *nlh = begin();
	struct rblk_kevent e;
	struct nlattr *nest;

	(void)unused;
	mnl_attr_put_strz(nlh, RBLK_A_NAME, "r0");
	nest = mnl_attr_nest_start(nlh, RBLK_A_EVENT);
	mnl_attr_put_u64(nlh, RBLK_EV_SERIAL, 12);
	mnl_attr_put_u8(nlh, RBLK_EV_KIND, RBLK_EVENT_CHANGED);
	mnl_attr_put_strz(nlh, RBLK_EV_REASON, "sizes differ");
	mnl_attr_nest_end(nlh, nest);
	assert_false(rblk_kmsg_get_event(nlh, &e));	/* of what? */
	nest = mnl_attr_nest_start(nlh, RBLK_A_PEER);
	mnl_attr_put_u8(nlh, RBLK_PEER_NODE_ID, 1);
	mnl_attr_nest_end(nlh, nest);
	assert_true(rblk_kmsg_get_event(nlh, &e));
	assert_int_equal(e.nest, RBLK_A_PEER);
	assert_int_equal(e.info.serial, 12);
	assert_string_equal(e.info.reason, "sizes differ");
	nest = mnl_attr_nest_start(nlh, RBLK_A_PEER);
	mnl_attr_put_u8(nlh, RBLK_PEER_NODE_ID, 16);	/* there is no such id */
	mnl_attr_nest_end(nlh, nest);
	assert_false(rblk_kmsg_get_event(nlh, &e));
}

static void words(void **unused)
{
	(void)unused;
	assert_string_equal(rblk_kmsg_role(RBLK_ROLE_PRIMARY), "primary");
	assert_string_equal(rblk_kmsg_data(RBLK_DATA_NEW), "new");
	assert_string_equal(rblk_kmsg_conn(RBLK_CONN_UP), "connected");
	assert_string_equal(rblk_kmsg_repl(RBLK_REPL_DIVERGED), "diverged");
	assert_string_equal(rblk_kmsg_repl(200), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volume_request),
		cmocka_unit_test(promote_request),
		cmocka_unit_test(promote_request_with_lease),
		cmocka_unit_test(state_answer),
		cmocka_unit_test(wrong_lengths),
		cmocka_unit_test(too_many),
		cmocka_unit_test(events),
		cmocka_unit_test(words),
	};

	return RUN(tests);
}

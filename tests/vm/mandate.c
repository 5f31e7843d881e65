// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the daemon of an automatic failover tells the module about its primary:
 * a lease and an in-sync set. Tests say it in its place.
 *
 *   mandate set RESOURCE KEY=VALUE...
 *   mandate promote RESOURCE GENERATION KEY=VALUE...
 *   mandate del-peer RESOURCE NODE
 *   mandate demote RESOURCE force
 *
 *   leased=0|1  lease-error=0|1  min=N  min-error=0|1  in-sync=MASK
 *   lease=MS    from now on; 0: none
 *
 * A promotion says ASSUME_CLEAN: the data may be new. It prints how many
 * milliseconds the module took.
 */
#include <time.h>

#include "genl.h"

static uint64_t boottime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static uint64_t until(uint64_t ms)
{
	return ms ? boottime() + ms * 1000000 : 0;
}

static void put(struct nlmsghdr *nlh, const char *key, uint64_t value)
{
	static const struct {
		const char *key;
		uint16_t attr;
		uint8_t bytes;
	} keys[] = {
		{ "leased", RBLK_RES_LEASED, 1 },
		{ "lease-error", RBLK_RES_LEASE_ERROR, 1 },
		{ "lease", RBLK_RES_LEASE_UNTIL_NS, 8 },
		{ "in-sync", RBLK_RES_IN_SYNC, 4 },
		{ "min", RBLK_RES_MIN_IN_SYNC, 1 },
		{ "min-error", RBLK_RES_MIN_IN_SYNC_ERROR, 1 },
		{ "acks", RBLK_RES_ACKS, 1 },
	};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i].key, key))
			continue;
		if (keys[i].attr == RBLK_RES_LEASE_UNTIL_NS)
			value = until(value);
		mnl_attr_put(nlh, keys[i].attr, keys[i].bytes, &value);
		return;
	}
	die("no such key: %s", key);
}

static void put_all(struct nlmsghdr *nlh, char **words)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, RBLK_A_RESOURCE);

	for (; *words; words++) {
		char *value = strchr(*words, '=');

		if (!value)
			die("no value: %s", *words);
		*value++ = '\0';
		put(nlh, *words, strtoull(value, NULL, 0));
	}
	mnl_attr_nest_end(nlh, nest);
}

int main(int argc, char **argv)
{
	struct nlattr *nest;
	struct nlmsghdr *nlh;
	uint64_t began;
	char buf[1024];
	int err;

	if (argc < 4)
		die("usage: see mandate.c");
	open_socket();
	find_family();
	if (!strcmp(argv[1], "set")) {
		nlh = begin(buf, family, RBLK_CMD_RESOURCE_SET, 0);
		put_all(nlh, argv + 3);
	} else if (!strcmp(argv[1], "promote")) {
		nlh = begin(buf, family, RBLK_CMD_PROMOTE, 0);
		mnl_attr_put_u64(nlh, RBLK_A_GENERATION,
				 strtoull(argv[3], NULL, 0));
		mnl_attr_put_u32(nlh, RBLK_A_FLAGS, RBLK_FLAG_ASSUME_CLEAN);
		put_all(nlh, argv + 4);
	} else if (!strcmp(argv[1], "del-peer")) {
		nlh = begin(buf, family, RBLK_CMD_PEER_DEL, 0);
		nest = mnl_attr_nest_start(nlh, RBLK_A_PEER);
		mnl_attr_put_u8(nlh, RBLK_PEER_NODE_ID, atoi(argv[3]));
		mnl_attr_nest_end(nlh, nest);
	} else if (!strcmp(argv[1], "demote") && !strcmp(argv[3], "force")) {
		nlh = begin(buf, family, RBLK_CMD_DEMOTE, 0);
		mnl_attr_put_u32(nlh, RBLK_A_FLAGS, RBLK_FLAG_FORCE);
	} else {
		die("what?");
	}
	mnl_attr_put_strz(nlh, RBLK_A_NAME, argv[2]);
	began = boottime();
	err = ask(nlh, NULL);
	if (err)
		die("%s: %s", strerror(err), explanation);
	if (!strcmp(argv[1], "promote"))
		printf("%llu\n", (unsigned long long)(boottime() - began) / 1000000);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * options.c - what requests may say of a resource.
 */
#include "options.h"
#include "../resource.h"

static struct netlink_range_validation log_ops_range = {
	.min = RBLK_LOG_OPS_MIN, .max = RBLK_LOG_OPS_MAX,
};

static struct netlink_range_validation log_bytes_range = {
	.min = RBLK_LOG_BYTES_MIN, .max = RBLK_LOG_BYTES_MAX,
};

static struct netlink_range_validation disk_timeout_range = {
	.max = RBLK_DISK_TIMEOUT_MS_MAX,
};

/* The last value says that no lease is needed. */
static struct netlink_range_validation lease_range = {
	.max = S64_MAX,
};

const struct nla_policy rblk_options_policy[RBLK_RES_MAX + 1] = {
	[RBLK_RES_NODE_ID] = NLA_POLICY_MAX(NLA_U8, RBLK_MAX_NODES - 1),
	[RBLK_RES_NODE_NAME] = { .type = NLA_NUL_STRING,
				 .len = RBLK_NAME_SIZE - 1 },
	[RBLK_RES_UUID] = NLA_POLICY_EXACT_LEN(RBLK_UUID_SIZE),
	[RBLK_RES_GENERATION] = { .type = NLA_U64 },
	[RBLK_RES_ACKS] = NLA_POLICY_MAX(NLA_U8, RBLK_MAX_NODES - 1),
	[RBLK_RES_LOG_BYTES] = NLA_POLICY_FULL_RANGE(NLA_U64, &log_bytes_range),
	[RBLK_RES_LOG_OPS] = NLA_POLICY_FULL_RANGE(NLA_U32, &log_ops_range),
	[RBLK_RES_READ_FROM_BACKUP] = NLA_POLICY_MAX(NLA_U8, 1),
	[RBLK_RES_DATA_CRC] = NLA_POLICY_MAX(NLA_U8, 1),
	[RBLK_RES_ZERO_DETECT] = NLA_POLICY_MAX(NLA_U8, 1),
	[RBLK_RES_PASS_DISK_ERRORS] = NLA_POLICY_MAX(NLA_U8, 1),
	[RBLK_RES_DISK_TIMEOUT_MS] = NLA_POLICY_FULL_RANGE(NLA_U32,
							   &disk_timeout_range),
	[RBLK_RES_LEASED] = NLA_POLICY_MAX(NLA_U8, 1),
	[RBLK_RES_LEASE_UNTIL_NS] = NLA_POLICY_FULL_RANGE(NLA_U64,
							  &lease_range),
	[RBLK_RES_LEASE_ERROR] = NLA_POLICY_MAX(NLA_U8, 1),
	[RBLK_RES_IN_SYNC] = NLA_POLICY_MASK(NLA_U32,
					     BIT(RBLK_MAX_NODES) - 1),
	[RBLK_RES_MIN_IN_SYNC] = NLA_POLICY_MAX(NLA_U8, RBLK_MAX_NODES),
	[RBLK_RES_MIN_IN_SYNC_ERROR] = NLA_POLICY_MAX(NLA_U8, 1),
};

int rblk_options_check(struct nlattr **tb, struct netlink_ext_ack *extack)
{
	static const u8 fixed[] = {
		RBLK_RES_NODE_ID, RBLK_RES_NODE_NAME, RBLK_RES_UUID,
		RBLK_RES_GENERATION, RBLK_RES_LOG_OPS,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (!tb[fixed[i]])
			continue;
		NL_SET_ERR_MSG_ATTR(extack, tb[fixed[i]],
				    "this is fixed when the resource is created");
		return -EINVAL;
	}
	return 0;
}

void rblk_options_current(struct rblk_resource *res,
			  struct rblk_resource_config *config)
{
	lockdep_assert_held(&res->conf);
	*config = (struct rblk_resource_config){
		.acks = res->log.policy.acks,
		.log_bytes = res->log.max_bytes,
		.read_from_backup = res->read_from_backup,
		.data_crc = res->data_crc,
		.zero_detect = res->zero_detect,
		.pass_disk_errors = res->pass_disk_errors,
		.disk_timeout_ms = res->disk_timeout_ms,
	};
	rblk_mandate_get(res, &config->mandate);
}

/* Of these attributes, is any there? */
static bool any_of(struct nlattr **tb, const u8 *attrs, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (tb[attrs[i]])
			return true;
	return false;
}

static const u8 options[] = {
	RBLK_RES_ACKS, RBLK_RES_LOG_BYTES, RBLK_RES_READ_FROM_BACKUP,
	RBLK_RES_DATA_CRC, RBLK_RES_ZERO_DETECT, RBLK_RES_PASS_DISK_ERRORS,
	RBLK_RES_DISK_TIMEOUT_MS,
};

static const u8 of_mandate[] = {
	RBLK_RES_LEASED, RBLK_RES_LEASE_UNTIL_NS, RBLK_RES_LEASE_ERROR,
	RBLK_RES_IN_SYNC, RBLK_RES_MIN_IN_SYNC, RBLK_RES_MIN_IN_SYNC_ERROR,
};

int rblk_options_check_promotion(struct nlattr **tb,
				 struct netlink_ext_ack *extack)
{
	int err = rblk_options_check(tb, extack);

	if (err || !any_of(tb, options, ARRAY_SIZE(options)))
		return err;
	NL_SET_ERR_MSG(extack, "a promotion takes a lease and an in-sync set, no other options");
	return -EINVAL;
}

bool rblk_options_parse(struct nlattr **tb,
			struct rblk_resource_config *config)
{
	if (tb[RBLK_RES_ACKS])
		config->acks = nla_get_u8(tb[RBLK_RES_ACKS]);
	if (tb[RBLK_RES_LOG_BYTES])
		config->log_bytes = nla_get_u64(tb[RBLK_RES_LOG_BYTES]);
	if (tb[RBLK_RES_READ_FROM_BACKUP])
		config->read_from_backup =
			nla_get_u8(tb[RBLK_RES_READ_FROM_BACKUP]);
	if (tb[RBLK_RES_DATA_CRC])
		config->data_crc = nla_get_u8(tb[RBLK_RES_DATA_CRC]);
	if (tb[RBLK_RES_ZERO_DETECT])
		config->zero_detect = nla_get_u8(tb[RBLK_RES_ZERO_DETECT]);
	if (tb[RBLK_RES_PASS_DISK_ERRORS])
		config->pass_disk_errors =
			nla_get_u8(tb[RBLK_RES_PASS_DISK_ERRORS]);
	if (tb[RBLK_RES_DISK_TIMEOUT_MS])
		config->disk_timeout_ms =
			nla_get_u32(tb[RBLK_RES_DISK_TIMEOUT_MS]);
	return any_of(tb, options, ARRAY_SIZE(options));
}

bool rblk_options_parse_mandate(struct nlattr **tb,
				struct rblk_mandate *mandate)
{
	if (tb[RBLK_RES_LEASED])
		mandate->leased = nla_get_u8(tb[RBLK_RES_LEASED]);
	if (tb[RBLK_RES_LEASE_UNTIL_NS])
		mandate->lease_ns = nla_get_u64(tb[RBLK_RES_LEASE_UNTIL_NS]);
	if (tb[RBLK_RES_LEASE_ERROR])
		mandate->lease_error = nla_get_u8(tb[RBLK_RES_LEASE_ERROR]);
	if (tb[RBLK_RES_IN_SYNC])
		mandate->in_sync = nla_get_u32(tb[RBLK_RES_IN_SYNC]);
	if (tb[RBLK_RES_MIN_IN_SYNC])
		mandate->min_in_sync = nla_get_u8(tb[RBLK_RES_MIN_IN_SYNC]);
	if (tb[RBLK_RES_MIN_IN_SYNC_ERROR])
		mandate->min_in_sync_error =
			nla_get_u8(tb[RBLK_RES_MIN_IN_SYNC_ERROR]);
	return any_of(tb, of_mandate, ARRAY_SIZE(of_mandate));
}

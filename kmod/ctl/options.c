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

void rblk_options_current(const struct rblk_resource *res,
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
}

void rblk_options_parse(struct nlattr **tb,
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
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options.h - what requests may say of a resource.
 */
#ifndef RBLK_CTL_OPTIONS_H
#define RBLK_CTL_OPTIONS_H

#include <net/netlink.h>

#include "../uapi/rblk.h"

struct rblk_resource;
struct rblk_resource_config;
struct rblk_mandate;

/* The bounds of each attribute of a RESOURCE nest. */
extern const struct nla_policy rblk_options_policy[RBLK_RES_MAX + 1];

/**
 * rblk_options_check - may these attributes change what is up?
 * @tb: of a RESOURCE nest
 * @extack: gets the reason of a refusal
 *
 * Return: 0 or -EINVAL.
 */
int rblk_options_check(struct nlattr **tb, struct netlink_ext_ack *extack);

/**
 * rblk_options_check_promotion - may a promotion set these attributes?
 * @tb: of a RESOURCE nest
 * @extack: gets the reason of a refusal
 *
 * Return: 0 or -EINVAL.
 */
int rblk_options_check_promotion(struct nlattr **tb,
				 struct netlink_ext_ack *extack);

/**
 * rblk_options_current - the options as they are set now
 * @res: its configuration lock is held
 * @config: filled; what cannot change is left empty
 */
void rblk_options_current(struct rblk_resource *res,
			  struct rblk_resource_config *config);

/**
 * rblk_options_parse - the options that a request names
 * @tb: of a RESOURCE nest
 * @config: what is not named stays as it is here, as does its @mandate
 *
 * Return: whether any is named.
 */
bool rblk_options_parse(struct nlattr **tb,
			struct rblk_resource_config *config);

/**
 * rblk_options_parse_mandate - what a request says of lease and in-sync set
 * @tb: of a RESOURCE nest
 * @mandate: what is not named stays as it is here
 *
 * Return: whether anything is named.
 */
bool rblk_options_parse_mandate(struct nlattr **tb,
				struct rblk_mandate *mandate);

#endif /* RBLK_CTL_OPTIONS_H */

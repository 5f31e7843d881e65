/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_build.h - sections to a struct rblk_config, and its cross checks
 *
 * config_build.c has nodes, resources and volumes, config_failover.c what
 * heartbeats, fencing and failover need, config_etcd.c where an etcd is;
 * config_check.c and config_safe.c compare in the same way.
 */
#ifndef RBLK_CONFIG_BUILD_H
#define RBLK_CONFIG_BUILD_H

#include "config_parse.h"

/* Words to numbers; every wrong value is one error at that value. */
void rblk_config_build(struct rblk_config *config, const struct rblk_parse *p);

/* Everything that takes two places to be wrong. */
void rblk_config_check(struct rblk_config *config);
/* The part of it that is about failover. */
void rblk_config_check_failover(struct rblk_config *config);

struct rblk_builder {
	struct rblk_config *config;
	const struct rblk_parse *parse;
};

/* NULL: not given. */
const char *rblk_build_value(cfg_t *sec, const char *name);
/* "bad NAME "value" (allowed: ...)", at the value. */
void rblk_build_fail(const struct rblk_builder *b, cfg_t *sec, const char *name,
		     const char *allowed);
void rblk_build_fail_missing(const struct rblk_builder *b, cfg_t *sec,
			     const char *name, const char *example);
bool rblk_build_name(const struct rblk_builder *b, cfg_t *sec,
		     char name[RBLK_NAME_SIZE]);
bool rblk_build_yes(const struct rblk_builder *b, cfg_t *sec, const char *name,
		    bool fallback);
/* The index in @words, which ends with NULL; @allowed are the same words. */
unsigned int rblk_build_choice(const struct rblk_builder *b, cfg_t *sec,
			       const char *name, const char *const *words,
			       const char *allowed);
void rblk_build_number(const struct rblk_builder *b, cfg_t *sec,
		       const char *name, unsigned int min, unsigned int max,
		       uint8_t *value);
/* False: it is not given, or wrong; then *ms is what it was. */
bool rblk_build_duration(const struct rblk_builder *b, cfg_t *sec,
			 const char *name, const uint32_t range[2],
			 const char *allowed, uint32_t *ms);
void rblk_build_address(const struct rblk_builder *b, cfg_t *sec,
			const char *name, char **text,
			struct sockaddr_storage *addr);
/* An unknown one is an error at @pos, and NULL. */
const struct rblk_config_node *
rblk_build_node_called(const struct rblk_builder *b, const char *name,
		       const struct rblk_pos *pos);

/* NULL, or what is wrong with "name=value" as an option for a fence agent. */
const char *rblk_config_judge_option(const char *text, bool may_be_secret);

void rblk_build_heartbeat(const struct rblk_builder *b, cfg_t *top);
/* Of a node: address-2, witness, fence-delay and fence sections. */
void rblk_build_node_cluster(const struct rblk_builder *b, cfg_t *sec,
			     struct rblk_config_node *n);
void rblk_build_etcd(const struct rblk_builder *b, cfg_t *top);
void rblk_config_check_etcd_files(struct rblk_config *c, enum rblk_severity severity);
void rblk_config_free_etcd(struct rblk_config_etcd *etcd);
void rblk_build_failover(const struct rblk_builder *b, cfg_t *sec,
			 struct rblk_config_resource *r);

#endif

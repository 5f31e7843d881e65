/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.h - the configuration of a cluster, checked
 *
 * A file is read in four steps: config_token cuts it and what it includes
 * into tokens that know their places; libconfuse parses them (config_parse);
 * config_build turns words into numbers; config_check compares everything
 * with everything else. Each step reports to one list of diagnostics; the
 * result is usable when that list holds no error.
 */
#ifndef RBLK_CONFIG_H
#define RBLK_CONFIG_H

#include "diag.h"

#include <netinet/in.h>
#include <rblk.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define RBLK_CONFIG_PATH	"/etc/rblk/rblk.conf"
#define RBLK_DEFAULT_PORT	7790
#define RBLK_MIN_KEY_BYTES	32
#define RBLK_MAX_KEY_BYTES	4096

struct rblk_config_node {
	char name[RBLK_NAME_SIZE];
	uint8_t id;
	char *address;			/* as written */
	struct sockaddr_storage addr;
	struct rblk_pos pos;		/* of the name */
	struct rblk_pos id_pos;
	struct rblk_pos address_pos;
};

/* A volume as one node has it. */
struct rblk_config_place {
	bool has_minor;
	uint32_t minor;
	char *disk;			/* NULL: not given */
	uint32_t block_bytes;		/* 0: as the disk has them */
	enum rblk_metadata metadata;
	char *metadata_disk;		/* of RBLK_METADATA_APART */
	struct rblk_pos minor_pos;
	struct rblk_pos disk_pos;
	struct rblk_pos metadata_pos;
};

struct rblk_config_volume {
	uint8_t id;
	struct rblk_pos pos;
	struct rblk_config_place on[RBLK_MAX_NODES];	/* by node id */
};

struct rblk_config_resource {
	char name[RBLK_NAME_SIZE];
	uint16_t members;		/* bit per node id */
	char protocol[RBLK_MAX_NODES];	/* by the node id it replicates to */
	uint8_t acks;			/* 0: all */
	uint64_t log_bytes;		/* 0: the module's default */
	bool data_crc;
	bool zero_detect;
	bool pass_disk_errors;
	uint32_t disk_timeout_ms;	/* 0: off */
	uint16_t read_from_backup;	/* bit per node id */
	struct rblk_config_volume *volumes;	/* ascending id */
	size_t volumes_n;
	struct rblk_pos pos;
	struct rblk_pos acks_pos;
};

struct rblk_config {
	char cluster[RBLK_NAME_SIZE];
	char *key_file;
	struct rblk_pos cluster_pos;
	struct rblk_pos key_file_pos;
	uint32_t timeout_ms;		/* of a link whose peer is silent */
	struct rblk_config_node nodes[RBLK_MAX_NODES];
	size_t nodes_n;
	struct rblk_config_resource *resources;
	size_t resources_n;

	struct rblk_diags diags;
	char **files;			/* the names that positions point to */
	size_t files_n;
};

/* Read and check @path. Never NULL; look at diags.errors. */
struct rblk_config *rblk_config_load(const char *path);

/* The same for @len bytes of text called @name, which may not include. */
struct rblk_config *rblk_config_parse(const char *name, const char *text,
				      size_t len);

void rblk_config_free(struct rblk_config *config);

const struct rblk_config_node *
rblk_config_node(const struct rblk_config *config, const char *name);
const struct rblk_config_node *
rblk_config_node_by_id(const struct rblk_config *config, unsigned int id);
const struct rblk_config_resource *
rblk_config_resource(const struct rblk_config *config, const char *name);

/* "alpha, bravo" */
char *rblk_config_node_list(const struct rblk_config *config);

/*
 * Read the cluster key: at least RBLK_MIN_KEY_BYTES, readable by its owner
 * alone. Returns its length, or 0 with the reason in @why.
 */
size_t rblk_config_read_key(const char *path,
			    unsigned char key[RBLK_MAX_KEY_BYTES],
			    char *why, size_t why_size);

/* The checked configuration in canonical form; never holds the key. */
void rblk_config_show(const struct rblk_config *config, FILE *to);
char *rblk_config_show_json(const struct rblk_config *config);

#endif

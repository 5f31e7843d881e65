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
#define RBLK_AGENT_DIR		"/usr/sbin"

/*
 * One way to switch a node off. Those of one level are all needed (a machine
 * with two power supplies); a level is tried when the one before it failed.
 */
struct rblk_config_fence {
	char name[RBLK_NAME_SIZE];
	char *agent;			/* a name, a path; NULL: a person does it */
	char **options;			/* "name=value", for the agent */
	size_t options_n;
	char *options_file;		/* NULL, or more of them, one per line */
	uint8_t level;			/* from 1, ascending in the list */
	uint8_t retries;		/* after the first attempt */
	uint32_t timeout_ms;		/* of one run of the agent */
	struct rblk_pos pos;
	struct rblk_pos agent_pos;
	struct rblk_pos options_file_pos;
};

struct rblk_config_node {
	char name[RBLK_NAME_SIZE];
	uint8_t id;
	char *address;			/* as written */
	struct sockaddr_storage addr;
	char *address2;			/* NULL: there is no second network */
	struct sockaddr_storage addr2;
	bool witness;			/* votes, holds no data */
	char *watchdog;			/* NULL: it has none */
	uint32_t fence_delay_ms;	/* others wait, then switch it off */
	struct rblk_config_fence *fences;	/* in the order they are tried */
	size_t fences_n;
	struct rblk_pos pos;		/* of the name */
	struct rblk_pos id_pos;
	struct rblk_pos address_pos;
	struct rblk_pos address2_pos;
	struct rblk_pos watchdog_pos;
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

enum rblk_config_arbiter {
	RBLK_CONFIG_BUILTIN,
	RBLK_CONFIG_ETCD,		/* it keeps the register */
	RBLK_CONFIG_EXTERNAL,		/* a cluster manager decides */
};

enum rblk_config_promotion {
	RBLK_CONFIG_MOST_UP_TO_DATE,
	RBLK_CONFIG_SUCCESSOR,
	RBLK_CONFIG_ELECTION,
};

/* Who becomes primary when the primary is lost. Nothing but @automatic counts without it. */
struct rblk_config_failover {
	bool automatic;
	enum rblk_config_arbiter arbiter;
	uint32_t lease_ms;		/* never 0, but with an external arbiter */
	uint32_t margin_ms;		/* likewise */
	bool lease_error;		/* expired: fail I/O, else hold it */
	uint8_t min_in_sync;		/* nodes, this one included; 0: no bound */
	bool min_in_sync_error;		/* below it fail writes, else hold them */
	enum rblk_config_promotion promotion;
	uint8_t successors[RBLK_MAX_NODES];	/* node ids, the first one first */
	size_t successors_n;
	struct rblk_pos pos;		/* of the value of "failover" */
	struct rblk_pos arbiter_pos;
	struct rblk_pos lease_pos;	/* of what it comes from */
	struct rblk_pos margin_pos;
	struct rblk_pos min_in_sync_pos;
	struct rblk_pos successors_pos[RBLK_MAX_NODES];
};

struct rblk_config_resource {
	char name[RBLK_NAME_SIZE];
	uint16_t members;		/* who holds the data: bit per node id */
	uint16_t witnesses;		/* who votes besides them */
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
	struct rblk_config_failover failover;
	struct rblk_pos pos;
	struct rblk_pos acks_pos;
};

/* Where it is that keeps registers with arbiter = etcd. */
struct rblk_config_etcd {
	char **endpoints;		/* "https://host:port" */
	size_t endpoints_n;		/* 0: there is none */
	char *ca_file;			/* NULL: those that the system trusts */
	char *cert_file;		/* of this node; both or none */
	char *key_file;
	struct rblk_pos pos;
	struct rblk_pos ca_file_pos;
	struct rblk_pos cert_file_pos;
	struct rblk_pos key_file_pos;
};

struct rblk_config {
	char cluster[RBLK_NAME_SIZE];
	char *key_file;
	struct rblk_pos cluster_pos;
	struct rblk_pos key_file_pos;
	uint32_t timeout_ms;		/* of a link whose peer is silent */
	uint32_t beat_ms;		/* from one heartbeat to the next */
	uint8_t beat_misses;		/* so many in a row: it failed */
	struct rblk_config_etcd etcd;
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
/* Has it volumes of any resource? Else it is a witness, or idle: it needs no module. */
bool rblk_config_holds_data(const struct rblk_config *config,
			    const struct rblk_config_node *node);
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

/* How long it takes to find that a node failed. */
uint32_t rblk_config_detect_ms(const struct rblk_config *config);

/* Do the policy and an arbiter of rblkd's decide who is primary? */
static inline bool rblk_config_decides(const struct rblk_config_resource *r)
{
	return r->failover.automatic &&
	       r->failover.arbiter != RBLK_CONFIG_EXTERNAL;
}

/*
 * After how many seconds without a sign of life the watchdog of @n resets the
 * machine: before anybody else is promoted. 0: that cannot be.
 */
uint32_t rblk_config_watchdog_seconds(const struct rblk_config *config,
				      const struct rblk_config_node *n);

/*
 * The program of @fence: itself if it is a path, else in RBLK_AGENT_DIR. False,
 * with the reason in @why, when it is not there or cannot be run; false with
 * an empty @why for a fence that a person does.
 */
bool rblk_config_find_agent(const struct rblk_config_fence *fence, char *path,
			    size_t path_size, char *why, size_t why_size);

/* How @from is switched off, by name, id and the rest: for who needs it longer. */
void rblk_config_copy_fences(struct rblk_config_node *to,
			     const struct rblk_config_node *from);
void rblk_config_free_fences(struct rblk_config_node *n);

/*
 * Read the options file of @fence, which nobody but its owner may read: lines
 * of name=value, comments that begin with #. NULL with the reason in @why, or
 * the text, as an agent reads it, for the caller to clear and free.
 */
char *rblk_config_read_fence_options(const struct rblk_config_fence *fence,
				     char *why, size_t why_size);

/*
 * Look at the agents and options files of all nodes but @self (a node never
 * switches itself off), at @self's watchdog and at what etcd takes. What is
 * wrong is an error, or a warning if @self is NULL: then this machine is none of
 * the nodes.
 */
void rblk_config_check_agents(struct rblk_config *config,
			      const struct rblk_config_node *self);

/* The checked configuration in canonical form; never holds the key. */
void rblk_config_show(const struct rblk_config *config, FILE *to);
char *rblk_config_show_json(const struct rblk_config *config);

#endif

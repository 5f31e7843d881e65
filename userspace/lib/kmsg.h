/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmsg.h - the messages of <rblk.h> as structs
 *
 * Each nest of attributes is one struct; its `has` holds one bit per
 * attribute that is present. The same tables encode requests and decode
 * answers. Nothing here does I/O.
 */
#ifndef RBLK_KMSG_H
#define RBLK_KMSG_H

#include <libmnl/libmnl.h>
#include <rblk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RBLK_HAS(attr)		(1ULL << (attr))

struct rblk_kresource {
	uint64_t has;
	uint8_t node_id;
	char node_name[RBLK_NAME_SIZE];
	uint8_t uuid[RBLK_UUID_SIZE];
	uint64_t generation;
	uint8_t acks;
	uint64_t log_bytes;
	uint32_t log_ops;
	uint8_t role;
	uint8_t data;
	uint8_t suspended;
	uint64_t seq;
	uint64_t seq_generation;
	uint32_t log_ops_used;
	uint64_t log_bytes_used;
	uint64_t held;
	uint32_t openers;
	uint8_t read_from_backup;
	uint8_t data_crc;
	uint8_t zero_detect;
	uint32_t in_flight;
	uint8_t held_by;
	uint8_t pass_disk_errors;
	uint32_t disk_timeout_ms;
	uint8_t leased;
	uint64_t lease_until_ns;
	uint8_t lease_error;
	uint32_t in_sync;
	uint8_t min_in_sync;
	uint8_t min_in_sync_error;
	uint64_t first_write_ns;
	uint64_t received_seq;
};

struct rblk_kvolume {
	uint64_t has;
	uint8_t id;
	uint32_t minor;
	char disk[RBLK_DISK_SIZE];
	uint8_t metadata;
	char metadata_disk[RBLK_DISK_SIZE];
	uint64_t size_bytes;
	uint8_t disk_state;
	uint32_t openers;
	uint64_t read_ops;
	uint64_t read_bytes;
	uint64_t write_ops;
	uint64_t write_bytes;
	uint64_t flush_ops;
	uint64_t errors;
	uint32_t block_bytes;
};

struct rblk_kpeer {
	uint64_t has;
	uint8_t node_id;
	char node_name[RBLK_NAME_SIZE];
	uint8_t protocol;
	uint32_t socket;
	uint8_t conn;
	uint8_t repl;
	uint8_t role;
	char reason[RBLK_REASON_SIZE];
	uint64_t sent_seq;
	uint64_t received_seq;
	uint64_t applied_seq;
	uint64_t durable_seq;
	uint64_t lag_ops;
	uint64_t lag_bytes;
	uint64_t lag_ms;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t resync_done_bytes;
	uint64_t resync_total_bytes;
	uint64_t lacks_bytes;
	uint64_t resync_rate;
	uint8_t resync_paused;
	uint64_t fork_seq;
	uint64_t fork_generation;
	uint64_t fork_mine_ops;
	uint64_t fork_theirs_ops;
	uint64_t memory_bytes;
	uint64_t undurable_bytes;
	uint64_t fork_mine_since_s;
	uint64_t fork_theirs_since_s;
};

struct rblk_kevent_info {
	uint64_t has;
	uint64_t serial;
	uint8_t kind;
	char reason[RBLK_REASON_SIZE];
	uint64_t time_ns;
};

/* A request: the command, and one nest where the command takes one. */
struct rblk_kreq {
	uint8_t cmd;
	uint64_t has;			/* of RBLK_A_FLAGS and RBLK_A_GENERATION */
	char name[RBLK_NAME_SIZE];
	uint32_t flags;
	uint64_t generation;
	enum rblk_attr nest;		/* RBLK_A_RESOURCE, _VOLUME, _PEER or 0 */
	union {
		struct rblk_kresource resource;
		struct rblk_kvolume volume;
		struct rblk_kpeer peer;
	};
};

/* Everything the kernel says about one resource. */
struct rblk_kstate {
	char name[RBLK_NAME_SIZE];
	struct rblk_kresource resource;
	struct rblk_kvolume volumes[RBLK_MAX_VOLUMES];
	size_t volumes_n;
	struct rblk_kpeer peers[RBLK_MAX_NODES];
	size_t peers_n;
	bool has_latency;
	uint64_t latency[RBLK_LAT_MAX + 1][RBLK_LATENCY_BUCKETS];
};

struct rblk_kevent {
	char name[RBLK_NAME_SIZE];
	struct rblk_kevent_info info;
	enum rblk_attr nest;
	union {
		struct rblk_kresource resource;
		struct rblk_kvolume volume;
		struct rblk_kpeer peer;
	};
};

/* Append @req's attributes after the generic netlink header of @nlh. */
void rblk_kmsg_put(struct nlmsghdr *nlh, const struct rblk_kreq *req);

/* Parse the attributes after the header; false: malformed. */
bool rblk_kmsg_get_state(const struct nlmsghdr *nlh, struct rblk_kstate *state);
bool rblk_kmsg_get_event(const struct nlmsghdr *nlh, struct rblk_kevent *event);

const struct rblk_kpeer *rblk_kstate_peer(const struct rblk_kstate *state,
					  unsigned int node_id);

/* Words for enum values; "?" for what this build does not know. */
const char *rblk_kmsg_role(unsigned int role);
const char *rblk_kmsg_data(unsigned int data);
const char *rblk_kmsg_disk(unsigned int disk);
const char *rblk_kmsg_on_disk_error(unsigned int pass);
const char *rblk_kmsg_conn(unsigned int conn);
const char *rblk_kmsg_repl(unsigned int repl);
const char *rblk_kmsg_event_kind(unsigned int kind);
const char *rblk_kmsg_held_by(unsigned int held_by);
const char *rblk_kmsg_stage(unsigned int attr);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * resource.h - one replicated stream: volumes under one order, and peers.
 */
#ifndef RBLK_RESOURCE_H
#define RBLK_RESOURCE_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "mandate.h"
#include "core/plan.h"
#include "repl/apply.h"
#include "repl/keep.h"
#include "repl/log.h"
#include "store/pressure.h"

struct dentry;
struct net;
struct netlink_ext_ack;
struct rblk_latency;
struct rblk_peer;
struct rblk_resource;
struct rblk_volume;

/**
 * struct rblk_notify - how lower layers report upwards; set once at creation
 * @resource: role, data or gate changed
 * @volume: the disk of a volume changed
 * @peer: link or knowledge of a peer changed
 *
 * Context: process.
 */
struct rblk_notify {
	void (*resource)(struct rblk_resource *res, const char *reason);
	void (*volume)(struct rblk_volume *volume, const char *reason);
	void (*peer)(struct rblk_peer *peer, const char *reason);
};

/**
 * struct rblk_resource - see above
 * @node: in its namespace's list
 * @ref: the list's, and one per disk that somebody may still have open
 * @net: its namespace; it holds no reference: the namespace's exit ends it
 * @name: of the resource
 * @node_name: of this node
 * @uuid: the same on all nodes
 * @node_id: of this node
 * @notify: reports upwards
 * @kick: sends what there is to these peers, now if it can; set at creation
 * @send: as rblk_send_admitted(); set at creation
 * @put: drops a reference, for those below; set at creation
 * @conf: serializes configuration: volumes, peers, role, links. Taken before
 *	the log's lock; never in the I/O path or a work of a peer.
 * @volume: by id; changes under @conf while no I/O can run
 * @peer: by node id; changes under @conf and the log's lock
 * @log: and its lock, which also protects what follows @keeper, up to @followed
 * @keeper: through which what the log keeps gives way when memory is short
 * @data: what this node can say of its data
 * @promised: highest generation promised
 * @lineage: of the data; its seq is current while nothing is in flight
 * @clean_start: promoted with ASSUME_CLEAN and nothing written yet
 * @followed: another node was primary since this one was
 * @whole_at: unclean data is consistent when this is applied; U64_MAX: never
 * @read_from_backup: as a backup its volumes may be opened read-only
 * @data_crc: data is sent with its checksum
 * @zero_detect: writes of zeroes are sent as such
 * @pass_disk_errors: the application gets a disk's errors, and not its peers
 *	its requests
 * @disk_timeout_ms: a disk that takes longer counts as failed; 0: it never
 *	does. Options change under @conf
 *	and are read without a lock.
 * @keep: what of this is on the disks
 * @applier: this node as a backup
 * @latency: how long writes take, per CPU
 * @debugfs: its directory there
 * @settled: woken when a negotiation or a link ends
 * @wq: for its works; all resources share it
 * @send_wq: for sending what was admitted, beside whoever submits
 * @copy_wq: for @copy_work alone
 * @resync_wq: for resyncs' works alone
 * @retry_work: admits what was held
 * @copy_work: copies what was held; it may wait for memory
 * @read_work: goes on with reads that were held
 * @lease_work: tells that requests met no lease
 * @hang_work: looks for a disk that does not answer
 * @free_work: frees it, after the last reference is gone
 */
struct rblk_resource {
	struct list_head node;
	struct kref ref;
	struct net *net;
	char name[RBLK_NAME_SIZE];
	char node_name[RBLK_NAME_SIZE];
	u8 uuid[RBLK_UUID_SIZE];
	u8 node_id;
	const struct rblk_notify *notify;
	void (*kick)(struct rblk_resource *res, u16 peers);
	void (*send)(struct rblk_resource *res, u16 peers, u16 idle, u16 soon);
	void (*put)(struct rblk_resource *res);

	struct mutex conf; /* see @conf above */
	struct rblk_volume *volume[RBLK_MAX_VOLUMES];
	struct rblk_peer *peer[RBLK_MAX_NODES];

	struct rblk_log log;
	struct rblk_keeper keeper;
	enum rblk_data data;
	u64 promised;
	struct rblk_lineage lineage;
	bool clean_start;
	bool followed;
	u64 whole_at;
	bool read_from_backup;
	bool data_crc;
	bool zero_detect;
	bool pass_disk_errors;
	u32 disk_timeout_ms;
	struct rblk_keep keep;

	struct rblk_applier applier;
	struct rblk_latency __percpu *latency;
	struct dentry *debugfs;
	wait_queue_head_t settled;
	struct workqueue_struct *wq;
	struct workqueue_struct *send_wq;
	struct workqueue_struct *copy_wq;
	struct workqueue_struct *resync_wq;
	struct work_struct retry_work;
	struct work_struct copy_work;
	struct work_struct read_work;
	struct work_struct lease_work;
	struct delayed_work hang_work;
	struct work_struct free_work;
};

/** rblk_resource_init - the module's work queue; Return: 0 or -ENOMEM */
int rblk_resource_init(void);

/** rblk_resource_exit - no resource exists any more */
void rblk_resource_exit(void);

/** struct rblk_resource_config - what RESOURCE_NEW says */
struct rblk_resource_config {
	const char *name;
	const char *node_name;
	const u8 *uuid;
	u8 node_id;
	u8 acks;
	u64 generation;
	u64 log_bytes;
	u32 log_ops;
	bool read_from_backup;
	bool data_crc;
	bool zero_detect;
	bool pass_disk_errors;
	u32 disk_timeout_ms;
	struct rblk_mandate mandate;
};

/**
 * rblk_resource_create - a backup without volumes and peers
 * @net: its namespace
 * @config: checked
 * @notify: lives as long as the module
 *
 * Return: the resource or an ERR_PTR.
 */
struct rblk_resource *
rblk_resource_create(struct net *net, const struct rblk_resource_config *config,
		     const struct rblk_notify *notify);

/**
 * rblk_resource_destroy - end its links, remove its volumes, free it
 * @res: out of its namespace's list, so that nobody else finds it
 *
 * Outstanding I/O fails. Waits for the backing devices.
 */
void rblk_resource_destroy(struct rblk_resource *res);

/**
 * rblk_resource_configure - set what may change at any time
 * @res: its configuration lock is held
 * @config: acks, log_bytes and the options; neither the rest nor @mandate is
 *	looked at
 *
 * Operations in flight complete by what is set now.
 */
void rblk_resource_configure(struct rblk_resource *res,
			     const struct rblk_resource_config *config);

/** rblk_resource_put - drop a reference: a volume's disk holds one */
void rblk_resource_put(struct rblk_resource *res);

/**
 * rblk_resource_promote - become primary
 * @res: its configuration lock is held
 * @gen: the new generation
 * @flags: RBLK_FLAG_*
 * @mandate: checked; what holds from the first request on
 * @extack: gets the reason of a refusal
 *
 * Return: 0; -EINVAL (generation), -EBUSY (another primary), -EALREADY,
 * -EUCLEAN (data new, inconsistent or failed), -ENODEV (no volume),
 * -ETIMEDOUT.
 */
int rblk_resource_promote(struct rblk_resource *res, u64 gen, u32 flags,
			  const struct rblk_mandate *mandate,
			  struct netlink_ext_ack *extack);

/**
 * rblk_resource_demote - become a backup
 * @res: its configuration lock is held
 * @flags: RBLK_FLAG_FORCE: fail outstanding I/O
 * @extack: gets the reason of a refusal
 *
 * Return: 0; -EALREADY, -EBUSY (open), -ETIMEDOUT.
 */
int rblk_resource_demote(struct rblk_resource *res, u32 flags,
			 struct netlink_ext_ack *extack);

/**
 * rblk_resource_suspend - hold application I/O, wait for what is in flight
 * @res: its configuration lock is held
 * @extack: gets the reason of a refusal
 *
 * Return: 0, -EALREADY, -ETIMEDOUT (and not suspended).
 */
int rblk_resource_suspend(struct rblk_resource *res,
			  struct netlink_ext_ack *extack);

/**
 * rblk_resource_resume - let application I/O go on
 * @res: its configuration lock is held
 */
void rblk_resource_resume(struct rblk_resource *res);

#endif /* RBLK_RESOURCE_H */

/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * rblk.h - the generic netlink contract between the rblk module and user space.
 *
 * Family "rblk", version 1. Every command but GET needs CAP_NET_ADMIN in the
 * initial user namespace. A resource lives in the network namespace of the
 * socket that created it; a request sees only the resources of its own.
 * A refused request changes nothing and carries an extended-ack message that
 * names what was refused and why.
 *
 * Grammar ("*" any number of, "?" optional; [n] is a nest):
 *
 *   RESOURCE_NEW   NAME RESOURCE[ NODE_ID NODE_NAME? UUID GENERATION?
 *                  ACKS? LOG_BYTES? LOG_OPS? READ_FROM_BACKUP? DATA_CRC?
 *                  ZERO_DETECT? PASS_DISK_ERRORS? DISK_TIMEOUT_MS? LEASED?
 *                  LEASE_ERROR? MIN_IN_SYNC? MIN_IN_SYNC_ERROR? ]
 *                  Creates a backup with no volume and no peer. GENERATION is
 *                  the highest generation this node ever promised (0: none).
 *   RESOURCE_SET   NAME RESOURCE[ ACKS? LOG_BYTES? READ_FROM_BACKUP? DATA_CRC?
 *                  ZERO_DETECT? PASS_DISK_ERRORS? DISK_TIMEOUT_MS? LEASED?
 *                  LEASE_ERROR? MIN_IN_SYNC? MIN_IN_SYNC_ERROR?
 *                  LEASE_UNTIL_NS? IN_SYNC? ]
 *                  Takes effect at once, operations in flight included.
 *                  LEASE_UNTIL_NS and IN_SYNC are of a term, from a promotion
 *                  to a demotion: -EPERM on a backup, unless they are 0.
 *   RESOURCE_DEL   NAME FLAGS?
 *                  Drops links, removes volumes. -EBUSY while a volume is
 *                  open, unless FLAGS has FORCE: then outstanding I/O fails.
 *   VOLUME_NEW     NAME VOLUME[ ID MINOR DISK BLOCK_SIZE?
 *                               METADATA? METADATA_DISK? ]
 *                  Claims the block device DISK for itself and creates
 *                  /dev/rblk<MINOR>. Only while no link is up. METADATA says
 *                  where the metadata is that "rblk create" wrote, and that the
 *                  resource then keeps; without it, nothing outlives the
 *                  module. All volumes of a resource or none.
 *   VOLUME_DEL     NAME FLAGS? VOLUME[ ID ]
 *   DISK_DETACH    NAME VOLUME[ ID ]
 *                  The volume's disk is not used any more, and given back. On
 *                  the primary only while a peer has all data.
 *   DISK_ATTACH    NAME VOLUME[ ID DISK METADATA? METADATA_DISK? ]
 *                  Another disk for a volume whose disk failed or was detached.
 *                  What it holds does not count: it gets every block anew.
 *   PEER_NEW       NAME PEER[ NODE_ID NODE_NAME PROTOCOL? ]
 *   PEER_SET       NAME PEER[ NODE_ID PROTOCOL? RESYNC_PAUSED? ]
 *                  RESYNC_PAUSED 1 only on the primary.
 *   PEER_DEL       NAME PEER[ NODE_ID ]
 *                  -EBUSY while it is in IN_SYNC.
 *   LINK_ATTACH    NAME PEER[ NODE_ID SOCKET ]
 *                  SOCKET is a file descriptor of an established TCP
 *                  connection to that peer, which user space authenticated.
 *                  The module takes its own reference. The request returns
 *                  once the socket is taken; PEER events tell the rest.
 *   LINK_DETACH    NAME PEER[ NODE_ID ]
 *   PROMOTE        NAME GENERATION FLAGS? RESOURCE[ LEASED? LEASE_ERROR?
 *                  MIN_IN_SYNC? MIN_IN_SYNC_ERROR? LEASE_UNTIL_NS? IN_SYNC? ]?
 *                  GENERATION must be above every generation seen. What the
 *                  nest says holds from the first request on. With IN_SYNC,
 *                  peers outside of it are passed over: the link of one that is
 *                  primary is ended, and no write waits until they answered.
 *                  FLAGS ASSUME_CLEAN: the data of the volumes is the same on
 *                  all nodes (blank disks); needed once for a new resource.
 *                  FLAGS FORCE: although a connected peer is primary, or data
 *                  is inconsistent; or new, and other nodes have to be copied
 *                  to.
 *   DEMOTE         NAME FLAGS?
 *                  -EBUSY while a volume is open for writing, unless FORCE.
 *   SUSPEND        NAME       Holds application I/O; -ETIMEDOUT when what is
 *                             in flight does not end.
 *   RESUME         NAME
 *   RESYNC         NAME FLAGS? PEER[ NODE_ID ]
 *                  Primary only: copies every volume in full to that peer.
 *                  -EPERM if that peer diverged, unless FLAGS has FORCE: what
 *                  only it has is lost. FLAGS KNOWN: only where the two may
 *                  differ; -ENODATA when that is not known.
 *   DISCARD        NAME PEER[ NODE_ID ]
 *                  Backup only, connected to that peer, a primary, after a fork:
 *                  what this node wrote by itself is given up, and the primary
 *                  copies over it. -EPERM otherwise, and nothing has changed.
 *   GET            NAME       Answers with one STATE message.
 *   GET (dump)                One STATE message per resource.
 *
 *   STATE answer   NAME RESOURCE[ .. ] VOLUMES[ VOLUME[ .. ]* ]
 *                  PEERS[ PEER[ .. ]* ] LATENCY[ .. ]
 *   EVENT          multicast group "events":
 *                  EVENT[ SERIAL KIND REASON? TIME_NS ] NAME and one of
 *                  RESOURCE[ .. ], VOLUME[ .. ], PEER[ .. ] as in STATE.
 */
#ifndef _UAPI_RBLK_H
#define _UAPI_RBLK_H

#include <linux/types.h>

#define RBLK_GENL_NAME		"rblk"
#define RBLK_GENL_VERSION	1
#define RBLK_GENL_GROUP_EVENTS	"events"

/* Limits. The names' lengths count the terminating NUL. */
#define RBLK_NAME_SIZE		64
#define RBLK_DISK_SIZE		256
#define RBLK_UUID_SIZE		16
#define RBLK_REASON_SIZE	160
#define RBLK_MAX_NODES		16	/* node ids 0..15 */
#define RBLK_MAX_VOLUMES	64	/* volume ids 0..63 */
#define RBLK_MAX_MINOR		1048575
#define RBLK_DISK_TIMEOUT_MS_MIN	1000
#define RBLK_DISK_TIMEOUT_MS_MAX	3600000
#define RBLK_LOG_BYTES_MIN	(1ULL << 20)	/* the longest operation */
#define RBLK_LOG_BYTES_MAX	(1ULL << 36)

enum rblk_cmd {
	RBLK_CMD_UNSPEC,
	RBLK_CMD_RESOURCE_NEW,
	RBLK_CMD_RESOURCE_SET,
	RBLK_CMD_RESOURCE_DEL,
	RBLK_CMD_VOLUME_NEW,
	RBLK_CMD_VOLUME_DEL,
	RBLK_CMD_PEER_NEW,
	RBLK_CMD_PEER_SET,
	RBLK_CMD_PEER_DEL,
	RBLK_CMD_LINK_ATTACH,
	RBLK_CMD_LINK_DETACH,
	RBLK_CMD_PROMOTE,
	RBLK_CMD_DEMOTE,
	RBLK_CMD_SUSPEND,
	RBLK_CMD_RESUME,
	RBLK_CMD_RESYNC,
	RBLK_CMD_GET,
	RBLK_CMD_STATE,		/* answer to GET */
	RBLK_CMD_EVENT,		/* multicast */
	RBLK_CMD_DISCARD,
	RBLK_CMD_DISK_DETACH,
	RBLK_CMD_DISK_ATTACH,
	__RBLK_CMD_MAX,
};

#define RBLK_CMD_MAX (__RBLK_CMD_MAX - 1)

/* FLAGS, u32 */
#define RBLK_FLAG_FORCE		(1U << 0)
#define RBLK_FLAG_ASSUME_CLEAN	(1U << 1)
#define RBLK_FLAG_KNOWN		(1U << 2)
#define RBLK_FLAG_ALL		(RBLK_FLAG_FORCE | RBLK_FLAG_ASSUME_CLEAN | \
				 RBLK_FLAG_KNOWN)

enum rblk_attr {
	RBLK_A_UNSPEC,
	RBLK_A_PAD,
	RBLK_A_NAME,		/* string: 1..63 of [A-Za-z0-9._-], first not . - */
	RBLK_A_FLAGS,		/* u32: RBLK_FLAG_* */
	RBLK_A_GENERATION,	/* u64 */
	RBLK_A_RESOURCE,	/* nest of rblk_attr_resource */
	RBLK_A_VOLUME,		/* nest of rblk_attr_volume */
	RBLK_A_PEER,		/* nest of rblk_attr_peer */
	RBLK_A_VOLUMES,		/* nest: RBLK_A_VOLUME, repeated */
	RBLK_A_PEERS,		/* nest: RBLK_A_PEER, repeated */
	RBLK_A_EVENT,		/* nest of rblk_attr_event */
	RBLK_A_LATENCY,		/* nest of rblk_attr_latency */
	__RBLK_A_MAX,
};

#define RBLK_A_MAX (__RBLK_A_MAX - 1)

enum rblk_attr_resource {
	RBLK_RES_UNSPEC,
	RBLK_RES_PAD,
	RBLK_RES_NODE_ID,	/* u8: this node */
	RBLK_RES_NODE_NAME,	/* string: this node's name, for the log */
	RBLK_RES_UUID,		/* 16 bytes: the same on all nodes of the resource */
	RBLK_RES_GENERATION,	/* u64: highest promised */
	RBLK_RES_ACKS,		/* u8: 0 all synchronous peers, N any N of them */
	RBLK_RES_LOG_BYTES,	/* u64: bound of copied data in the log */
	RBLK_RES_LOG_OPS,	/* u32: bound of operations in the log, a power of two */
	/* answers only: */
	RBLK_RES_ROLE,		/* u8: enum rblk_role */
	RBLK_RES_DATA,		/* u8: enum rblk_data */
	RBLK_RES_SUSPENDED,	/* u8: 0, 1 */
	RBLK_RES_SEQ,		/* u64: position: highest seq that is complete here */
	RBLK_RES_SEQ_GENERATION,/* u64: generation of that operation */
	RBLK_RES_LOG_OPS_USED,	/* u32 */
	RBLK_RES_LOG_BYTES_USED,/* u64 */
	RBLK_RES_HELD,		/* u64: requests held now, for whatever reason */
	RBLK_RES_OPENERS,	/* u32: times a volume of it is open */
	/* also settable: */
	RBLK_RES_READ_FROM_BACKUP, /* u8: 0, 1: a backup may be opened read-only */
	RBLK_RES_DATA_CRC,	/* u8: 0, 1: data is sent with its crc32c */
	RBLK_RES_ZERO_DETECT,	/* u8: 0, 1: zeroes are sent as WRITE_ZEROES */
	/* answers only: */
	RBLK_RES_IN_FLIGHT,	/* u32: operations not yet reported */
	RBLK_RES_HELD_BY,	/* u8: enum rblk_held_by; absent while none is held */
	/* also settable: */
	/*
	 * u8: 0: a disk of the primary that fails is not used any more, if a
	 * peer has all data; 1: the application gets its errors
	 */
	RBLK_RES_PASS_DISK_ERRORS,
	RBLK_RES_DISK_TIMEOUT_MS, /* u32: a disk that takes longer failed; 0: never */
	/*
	 * u8: 1: a primary completes a read or a write only while it has a lease:
	 * checked when it comes in, and when it ends. 0, the default: without
	 */
	RBLK_RES_LEASED,
	/*
	 * u64, CLOCK_BOOTTIME: the lease ends here; 0: there is none. It may be
	 * set back: once the request is answered, nothing more completes. Gone
	 * with a demotion
	 */
	RBLK_RES_LEASE_UNTIL_NS,
	/*
	 * u8: without a lease, 0: requests are held until there is one, or a
	 * demotion or removal by force; 1: they fail
	 */
	RBLK_RES_LEASE_ERROR,
	/*
	 * u32: bits 1 << node id, this node's among them: a write is reported
	 * once every synchronous (B, C) peer of these has it, connected or not,
	 * and others are not waited for; with ACKS N, N of these. 0, the default:
	 * the peers that are connected. Gone with a demotion. A node that is
	 * taken out may lose its link; one that is added is UPTODATE when it has
	 * all that was reported without it. One that is copied to out of order,
	 * and so can not be promoted, is not waited for until that is complete
	 */
	RBLK_RES_IN_SYNC,
	/*
	 * u8: writes need so many nodes, this one included, that they are waited
	 * for from; 0: any number
	 */
	RBLK_RES_MIN_IN_SYNC,
	RBLK_RES_MIN_IN_SYNC_ERROR, /* u8: with fewer new writes 0: are held; 1: fail */
	/* answers only: */
	/*
	 * u64, CLOCK_BOOTTIME: the first write (no flush) since the promotion was
	 * reported; 0: none
	 */
	RBLK_RES_FIRST_WRITE_NS,
	/*
	 * u64: highest seq that is here, all below it as well: what of it is not
	 * complete yet will be, also if the link is lost that it came from
	 */
	RBLK_RES_RECEIVED_SEQ,
	__RBLK_RES_MAX,
};

#define RBLK_RES_MAX (__RBLK_RES_MAX - 1)

enum rblk_attr_volume {
	RBLK_VOL_UNSPEC,
	RBLK_VOL_PAD,
	RBLK_VOL_ID,		/* u8: 0..63 */
	RBLK_VOL_MINOR,		/* u32: N of /dev/rblkN, chosen by the caller */
	RBLK_VOL_DISK,		/* string: path of the backing device */
	RBLK_VOL_METADATA,	/* u8: enum rblk_metadata; default NONE */
	RBLK_VOL_METADATA_DISK,	/* string: with RBLK_METADATA_APART */
	/* answers only: */
	RBLK_VOL_SIZE_BYTES,	/* u64 */
	RBLK_VOL_DISK_STATE,	/* u8: enum rblk_disk */
	RBLK_VOL_OPENERS,	/* u32 */
	RBLK_VOL_READ_OPS,	/* u64 */
	RBLK_VOL_READ_BYTES,	/* u64 */
	RBLK_VOL_WRITE_OPS,	/* u64 */
	RBLK_VOL_WRITE_BYTES,	/* u64 */
	RBLK_VOL_FLUSH_OPS,	/* u64 */
	RBLK_VOL_ERRORS,	/* u64: failed requests to the backing device */
	/* also in VOLUME_NEW: */
	/*
	 * u32: logical block size in bytes, a power of two, 512..4096, at least
	 * the backing device's, which is the default; the same on all nodes
	 */
	RBLK_VOL_BLOCK_SIZE,
	__RBLK_VOL_MAX,
};

#define RBLK_VOL_MAX (__RBLK_VOL_MAX - 1)

enum rblk_attr_peer {
	RBLK_PEER_UNSPEC,
	RBLK_PEER_PAD,
	RBLK_PEER_NODE_ID,	/* u8: 0..15, not this node's */
	RBLK_PEER_NODE_NAME,	/* string */
	RBLK_PEER_PROTOCOL,	/* u8: 'A', 'B' or 'C'; default 'C' */
	RBLK_PEER_SOCKET,	/* u32: file descriptor */
	/* answers only: */
	RBLK_PEER_CONN,		/* u8: enum rblk_conn_state */
	RBLK_PEER_REPL,		/* u8: enum rblk_repl: what this node knows of the peer's data */
	RBLK_PEER_ROLE,		/* u8: enum rblk_role; absent while not connected */
	RBLK_PEER_REASON,	/* string: why it is not connected */
	RBLK_PEER_SENT_SEQ,	/* u64 */
	RBLK_PEER_RECEIVED_SEQ,	/* u64 */
	RBLK_PEER_APPLIED_SEQ,	/* u64 */
	RBLK_PEER_DURABLE_SEQ,	/* u64 */
	RBLK_PEER_LAG_OPS,	/* u64: operations it has not applied */
	RBLK_PEER_LAG_BYTES,	/* u64: their data */
	RBLK_PEER_LAG_MS,	/* u64: age of the oldest of them */
	RBLK_PEER_SENT_BYTES,	/* u64: since PEER_NEW */
	RBLK_PEER_RECEIVED_BYTES,/* u64: since PEER_NEW */
	RBLK_PEER_RESYNC_DONE_BYTES,	/* u64: present while a resync runs */
	RBLK_PEER_RESYNC_TOTAL_BYTES,	/* u64: present while a resync runs */
	RBLK_PEER_LACKS_BYTES,	/* u64: blocks that it lacks, as far as known; primary only */
	RBLK_PEER_RESYNC_RATE,	/* u64: bytes per second, of the last 4 s; while one runs */
	/* also settable: */
	RBLK_PEER_RESYNC_PAUSED,/* u8: 0, 1: no block is copied; outlasts links */
	/* answers only; present when the last handshake found a fork: */
	RBLK_PEER_FORK_SEQ,	/* u64: the last operation that both nodes have */
	RBLK_PEER_FORK_GENERATION, /* u64: its generation; 0: forgotten */
	RBLK_PEER_FORK_MINE_OPS,/* u64: operations after it that only this node has */
	RBLK_PEER_FORK_THEIRS_OPS, /* u64: that only the peer has */
	/*
	 * u64, seconds since 1970: when the primary that wrote the first of
	 * these was promoted, by its clock; absent: unknown
	 */
	RBLK_PEER_FORK_MINE_SINCE_S,
	RBLK_PEER_FORK_THEIRS_SINCE_S,
	/* answers only: */
	RBLK_PEER_MEMORY_BYTES,	/* u64: that the sets of what it lacks take here */
	/*
	 * u64: blocks that it has and would lack if its disk lost its cache, at
	 * most; primary only
	 */
	RBLK_PEER_UNDURABLE_BYTES,
	__RBLK_PEER_MAX,
};

#define RBLK_PEER_MAX (__RBLK_PEER_MAX - 1)

enum rblk_attr_event {
	RBLK_EV_UNSPEC,
	RBLK_EV_PAD,
	RBLK_EV_SERIAL,		/* u64: counts up by one per event of this namespace */
	RBLK_EV_KIND,		/* u8: enum rblk_event_kind */
	RBLK_EV_REASON,		/* string */
	RBLK_EV_TIME_NS,	/* u64: CLOCK_BOOTTIME */
	__RBLK_EV_MAX,
};

#define RBLK_EV_MAX (__RBLK_EV_MAX - 1)

/*
 * How long writes took, by stage, since RESOURCE_NEW: each a histogram of u64
 * counts. Bucket 0 counts 0 ns, bucket n those of 2^(n-1) .. 2^n - 1 ns, the
 * last one (RBLK_LATENCY_BUCKETS - 1) whatever took longer. Buckets after the
 * last that is not 0 are left out.
 */
#define RBLK_LATENCY_BUCKETS	36

enum rblk_attr_latency {
	RBLK_LAT_UNSPEC,
	/* from admission until ... */
	RBLK_LAT_LOCAL,		/* the local leg ended */
	RBLK_LAT_SENT,		/* a peer's sender took it up */
	RBLK_LAT_RECEIVED,	/* a peer said that it has it */
	RBLK_LAT_APPLIED,	/* a peer said that it is on its device */
	RBLK_LAT_COMPLETE,	/* it was reported to the application */
	__RBLK_LAT_MAX,
};

#define RBLK_LAT_MAX (__RBLK_LAT_MAX - 1)

/* What held requests wait for. */
enum rblk_held_by {
	RBLK_HELD_BY_SUSPEND,	/* the admin */
	RBLK_HELD_BY_PROMOTION,	/* until the peers have answered it */
	RBLK_HELD_BY_LOG,	/* room in the log */
	RBLK_HELD_BY_RANGE,	/* the same blocks are in flight */
	RBLK_HELD_BY_ACTIVITY,	/* a transaction of the activity log */
	RBLK_HELD_BY_LEASE,	/* a lease: the last one has run out */
	RBLK_HELD_BY_IN_SYNC,	/* a node of IN_SYNC that is away */
	RBLK_HELD_BY_MIN_IN_SYNC, /* more nodes in sync */
};

enum rblk_event_kind {
	RBLK_EVENT_CREATED,
	RBLK_EVENT_CHANGED,
	RBLK_EVENT_REMOVED,
};

enum rblk_role {
	RBLK_ROLE_BACKUP,
	RBLK_ROLE_PRIMARY,
};

/* What a node can say of its own data. */
enum rblk_data {
	RBLK_DATA_NEW,		/* no history: nothing is known of it */
	RBLK_DATA_CONSISTENT,	/* a state that a primary had */
	RBLK_DATA_INCONSISTENT,	/* in the middle of a full copy */
	RBLK_DATA_UNCLEAN,	/* as consistent; its position is a lower bound */
};

/* Where a volume's metadata is. */
enum rblk_metadata {
	RBLK_METADATA_NONE,	/* nowhere: nothing outlives the module */
	RBLK_METADATA_START,	/* at the start of the disk, the data behind it */
	RBLK_METADATA_END,	/* at its end */
	RBLK_METADATA_APART,	/* on another device */
};

enum rblk_disk {
	RBLK_DISK_OK,
	RBLK_DISK_FAILED,	/* it failed: its data cannot be trusted */
	RBLK_DISK_DETACHED,	/* there is none */
	RBLK_DISK_FILLING,	/* of a primary: gets every block from a peer */
};

/* The link to a peer. */
enum rblk_conn_state {
	RBLK_CONN_DOWN,		/* no socket; REASON says why */
	RBLK_CONN_HELLO,	/* socket taken, HELLO not yet answered */
	RBLK_CONN_UP,		/* both sides agreed */
};

/* What this node knows of a peer's data. */
enum rblk_repl {
	RBLK_REPL_UNKNOWN,	/* not connected since PEER_NEW */
	RBLK_REPL_UPTODATE,	/* has, or is being sent, every write */
	RBLK_REPL_BEHIND,	/* missed writes */
	RBLK_REPL_RESYNC,	/* is being copied to, out of order */
	RBLK_REPL_DIVERGED,	/* holds writes that this node never had */
	RBLK_REPL_CATCHUP,	/* is being sent what it missed, in order */
};

#endif /* _UAPI_RBLK_H */

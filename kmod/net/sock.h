/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sock.h - the TCP connection of a link, as the pumps use it: never waiting.
 */
#ifndef RBLK_NET_SOCK_H
#define RBLK_NET_SOCK_H

#include <linux/net.h>
#include <linux/uio.h>
#include <net/sock.h>

struct netlink_ext_ack;

/**
 * struct rblk_sock - an adopted socket and the callbacks it had
 * @socket: NULL while there is none
 * @saved_data_ready: restored on release
 * @saved_write_space: restored on release
 * @saved_state_change: restored on release
 */
struct rblk_sock {
	struct socket *socket;
	void (*saved_data_ready)(struct sock *sk);
	void (*saved_write_space)(struct sock *sk);
	void (*saved_state_change)(struct sock *sk);
};

/**
 * struct rblk_sock_ops - what the owner wants to hear, in softirq context
 * @readable: bytes or end of stream can be read
 * @writable: room in the send buffer again
 * @closing: the connection is no longer established
 */
struct rblk_sock_ops {
	void (*readable)(void *owner);
	void (*writable)(void *owner);
	void (*closing)(void *owner);
};

/**
 * struct rblk_sock_binding - how callbacks find their owner
 * @owner: passed to the ops
 * @ops: what to call
 * @sock: whose saved callbacks are chained to
 */
struct rblk_sock_binding {
	void *owner;
	const struct rblk_sock_ops *ops;
	struct rblk_sock *sock;
};

/** rblk_sock_init - what all links share; Return: 0 or a negative errno */
int rblk_sock_init(void);

/** rblk_sock_exit - there are no links any more */
void rblk_sock_exit(void);

/**
 * rblk_sock_adopt - take a connected socket over from user space
 * @sock: filled on success
 * @fd: descriptor of the calling task
 * @binding: marks the socket as taken, before it is bound
 * @extack: gets the reason of a refusal
 *
 * Takes its own reference: the caller may close @fd.
 *
 * Return: 0; -EBADF, -ENOTSOCK, -EPROTONOSUPPORT (no TCP stream), -ENOTCONN,
 * -EBUSY (another link or the like has it).
 */
int rblk_sock_adopt(struct rblk_sock *sock, int fd,
		    struct rblk_sock_binding *binding,
		    struct netlink_ext_ack *extack);

/**
 * rblk_sock_bind - install the callbacks
 * @sock: adopted
 * @binding: lives until rblk_sock_unbind() returned
 *
 * What arrived before is not announced: the owner looks once by itself.
 */
void rblk_sock_bind(struct rblk_sock *sock, struct rblk_sock_binding *binding);

/**
 * rblk_sock_unbind - put the old callbacks back; none of ours runs afterwards
 * @sock: adopted; bound or not
 */
void rblk_sock_unbind(struct rblk_sock *sock);

/**
 * rblk_sock_release - end the connection and drop the socket
 * @sock: unbound; harmless when there is none
 * @abort: throw away what was not yet sent (the buffers it refers to may
 *	change from now on), instead of letting TCP deliver it
 */
void rblk_sock_release(struct rblk_sock *sock, bool abort);

/**
 * rblk_sock_recv - read what is there
 * @sock: adopted
 * @iter: destination, advanced
 *
 * Return: bytes read, > 0; 0 end of stream; -EAGAIN; another errno.
 */
int rblk_sock_recv(struct rblk_sock *sock, struct iov_iter *iter);

/**
 * rblk_sock_send - send, copying
 * @sock: adopted
 * @iter: source, advanced
 * @more: further bytes follow at once
 *
 * Return: bytes taken, > 0; -EAGAIN when the buffer is full, or memory is;
 * another errno.
 */
int rblk_sock_send(struct rblk_sock *sock, struct iov_iter *iter, bool more);

/**
 * rblk_sock_has_room - after -EAGAIN: may one try again at once?
 * @sock: adopted
 *
 * Return: true when not the buffer was full but there was no memory, which
 * nobody announces the end of.
 */
bool rblk_sock_has_room(const struct rblk_sock *sock);

/**
 * rblk_sock_send_pages - as rblk_sock_send(), from the pages of a bvec
 * iterator themselves
 * @sock: adopted
 * @iter: source, advanced
 * @more: further bytes follow at once
 *
 * Return: as rblk_sock_send().
 */
int rblk_sock_send_pages(struct rblk_sock *sock, struct iov_iter *iter,
			 bool more);

#endif /* RBLK_NET_SOCK_H */

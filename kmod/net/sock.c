// SPDX-License-Identifier: GPL-2.0
/*
 * sock.c - adopting a socket, and non-blocking exact I/O on it.
 *
 * User space connects and authenticates; the module takes the established
 * socket over by its descriptor, as nbd does. Everything here is non-blocking:
 * a full or empty socket is announced by its callbacks.
 */
#include <linux/err.h>
#include <linux/netlink.h>
#include <linux/sched/mm.h>
#include <linux/tcp.h>
#include <net/inet_common.h>
#include <net/tcp.h>

#include "sock.h"
#include "../compat/sock.h"

/*
 * The callbacks run under read_lock of sk_callback_lock. Unbind takes it for
 * writing, so once it returned, none of ours runs.
 */
static void sock_readable(struct sock *sk)
{
	struct rblk_sock_binding *binding;

	read_lock_bh(&sk->sk_callback_lock);
	binding = sk->sk_user_data;
	if (binding)
		binding->ops->readable(binding->owner);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void sock_writable(struct sock *sk)
{
	struct rblk_sock_binding *binding;

	read_lock_bh(&sk->sk_callback_lock);
	binding = sk->sk_user_data;
	if (binding && sk_stream_is_writeable(sk)) {
		clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		binding->ops->writable(binding->owner);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

static void sock_closing(struct sock *sk)
{
	struct rblk_sock_binding *binding;

	read_lock_bh(&sk->sk_callback_lock);
	binding = sk->sk_user_data;
	if (binding && sk->sk_state != TCP_ESTABLISHED)
		binding->ops->closing(binding->owner);
	read_unlock_bh(&sk->sk_callback_lock);
}

/*
 * The first of all memalloc sockets and the last switch a static key: every
 * processor is interrupted while code of the network is patched. This one keeps
 * it on, so that links which come and go do not.
 */
static struct socket *keeper;

int rblk_sock_init(void)
{
	int err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM,
				   IPPROTO_TCP, &keeper);

	if (!err)
		sk_set_memalloc(keeper->sk);
	return err;
}

void rblk_sock_exit(void)
{
	sk_clear_memalloc(keeper->sk);
	sock_release(keeper);
}

/* Nobody else in the kernel may use the socket, nor begin to: mark it. */
static bool claim(struct sock *sk, struct rblk_sock_binding *binding)
{
	bool free;

	write_lock_bh(&sk->sk_callback_lock);
	free = !sk->sk_user_data;
	if (free)
		sk->sk_user_data = binding;
	write_unlock_bh(&sk->sk_callback_lock);
	return free;
}

int rblk_sock_adopt(struct rblk_sock *sock, int fd,
		    struct rblk_sock_binding *binding,
		    struct netlink_ext_ack *extack)
{
	struct socket *socket;
	struct sock *sk;
	int err;

	socket = sockfd_lookup(fd, &err);
	if (!socket) {
		NL_SET_ERR_MSG(extack, "file descriptor is not a socket");
		return err;
	}
	sk = socket->sk;
	if (!sk_is_tcp(sk)) {
		NL_SET_ERR_MSG(extack, "socket is not a TCP stream");
		err = -EPROTONOSUPPORT;
		goto err_put;
	}
	if (sk->sk_state != TCP_ESTABLISHED) {
		NL_SET_ERR_MSG(extack, "socket is not connected");
		err = -ENOTCONN;
		goto err_put;
	}
	if (!claim(sk, binding)) {
		NL_SET_ERR_MSG(extack, "socket is in use by the kernel already");
		err = -EBUSY;
		goto err_put;
	}
	/* Under reclaim our own writes must go out: never wait for other I/O. */
	sk->sk_allocation = GFP_NOIO;
	sk->sk_use_task_frag = false;
	sk_set_memalloc(sk);
	tcp_sock_set_nodelay(sk);
	sock->socket = socket;
	return 0;

err_put:
	sockfd_put(socket);
	return err;
}

void rblk_sock_bind(struct rblk_sock *sock, struct rblk_sock_binding *binding)
{
	struct sock *sk = sock->socket->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sock->saved_data_ready = sk->sk_data_ready;
	sock->saved_write_space = sk->sk_write_space;
	sock->saved_state_change = sk->sk_state_change;
	binding->sock = sock;
	sk->sk_data_ready = sock_readable;
	sk->sk_write_space = sock_writable;
	sk->sk_state_change = sock_closing;
	write_unlock_bh(&sk->sk_callback_lock);
}

void rblk_sock_unbind(struct rblk_sock *sock)
{
	struct sock *sk;

	if (!sock->socket || !sock->saved_data_ready)
		return;
	sk = sock->socket->sk;
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	sk->sk_data_ready = sock->saved_data_ready;
	sk->sk_write_space = sock->saved_write_space;
	sk->sk_state_change = sock->saved_state_change;
	sock->saved_data_ready = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
}

void rblk_sock_release(struct rblk_sock *sock, bool abort)
{
	struct socket *socket = sock->socket;
	struct sock *sk;

	if (!socket)
		return;
	sk = socket->sk;
	if (abort) {
		/* Purges the write queue: nothing may go out late, changed. */
		lock_sock(sk);
		sk->sk_prot->disconnect(sk, O_NONBLOCK);
		release_sock(sk);
	} else {
		kernel_sock_shutdown(socket, SHUT_RDWR);
	}
	sk_clear_memalloc(sk);
	sockfd_put(socket);
	sock->socket = NULL;
}

int rblk_sock_recv(struct rblk_sock *sock, struct iov_iter *iter)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	int ret;

	msg.msg_iter = *iter;
	ret = sock_recvmsg(sock->socket, &msg, msg.msg_flags);
	if (ret > 0)
		iov_iter_advance(iter, ret);
	return ret;
}

int rblk_sock_send(struct rblk_sock *sock, struct iov_iter *iter, bool more)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	unsigned int reclaim;
	int ret;

	if (more)
		msg.msg_flags |= MSG_MORE;
	msg.msg_iter = *iter;
	/* What is sent frees memory: all that the network needs may be taken. */
	reclaim = memalloc_noreclaim_save();
	ret = sock_sendmsg(sock->socket, &msg);
	memalloc_noreclaim_restore(reclaim);
	if (ret > 0)
		iov_iter_advance(iter, ret);
	return ret;
}

int rblk_sock_send_pages(struct rblk_sock *sock, struct iov_iter *iter,
			 bool more)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	unsigned int reclaim;
	int ret;

	if (more)
		msg.msg_flags |= MSG_MORE;
	msg.msg_iter = *iter;
	reclaim = memalloc_noreclaim_save();
	ret = rblk_compat_send_pages(sock->socket, &msg);
	memalloc_noreclaim_restore(reclaim);
	if (ret > 0)
		iov_iter_advance(iter, ret);
	return ret;
}

bool rblk_sock_has_room(const struct rblk_sock *sock)
{
	return sk_stream_is_writeable(sock->socket->sk);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sock.h - send pages without copying them, on either kernel.
 */
#ifndef RBLK_COMPAT_SOCK_H
#define RBLK_COMPAT_SOCK_H

#include <linux/net.h>
#include <linux/socket.h>
#include <linux/bvec.h>
#include <linux/uio.h>

/**
 * rblk_compat_send_pages - send from the pages themselves
 * @sock: connected
 * @msg: its iterator is a bvec iterator; advanced by what was sent
 *
 * The pages must not change until the other side acknowledged them. Pages
 * that may not be referenced from a socket buffer (slab) are copied.
 *
 * Return: bytes sent, > 0, or a negative errno.
 */
static inline int rblk_compat_send_pages(struct socket *sock, struct msghdr *msg)
{
#ifdef RBLK_HAVE_SENDPAGE
	const struct bio_vec *bv = msg->msg_iter.bvec;
	size_t skip = msg->msg_iter.iov_offset;
	unsigned int offset = bv->bv_offset + skip;
	struct page *page = bv->bv_page + offset / PAGE_SIZE;
	int flags = msg->msg_flags;
	size_t len;
	int ret;

	offset %= PAGE_SIZE;
	len = min_t(size_t, bv->bv_len - skip, PAGE_SIZE - offset);
	len = min(len, iov_iter_count(&msg->msg_iter));
	if (len < iov_iter_count(&msg->msg_iter))
		flags |= MSG_MORE | MSG_SENDPAGE_NOTLAST;
	if (sendpage_ok(page))
		ret = kernel_sendpage(sock, page, offset, len, flags);
	else
		ret = sock_no_sendpage(sock, page, offset, len, flags);
	if (ret > 0)
		iov_iter_advance(&msg->msg_iter, ret);
	return ret;
#else
	msg->msg_flags |= MSG_SPLICE_PAGES;
	return sock_sendmsg(sock, msg);
#endif
}

#endif /* RBLK_COMPAT_SOCK_H */

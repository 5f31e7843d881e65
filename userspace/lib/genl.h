/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * genl.h - talk to the rblk module over generic netlink
 */
#ifndef RBLK_GENL_H
#define RBLK_GENL_H

#include "kmsg.h"

/* Why a request failed: errno, and the kernel's own words where it has some. */
struct rblk_genl_error {
	int code;
	bool is_said;			/* the text is the kernel's */
	char text[256];
};

struct rblk_genl {
	struct mnl_socket *nl;
	uint16_t family;
	uint32_t group;
	uint32_t seq;
	char *buf;			/* what the module answers, of the last request */
};

/*
 * Open a socket and find the family. Returns 0 or a negative errno with
 * @err filled; -ENOENT: the module is not loaded, -EPROTO: it speaks another
 * version.
 */
int rblk_genl_open(struct rblk_genl *g, struct rblk_genl_error *err);
void rblk_genl_close(struct rblk_genl *g);
int rblk_genl_fd(const struct rblk_genl *g);

/* Send @req and wait for its acknowledgement. */
int rblk_genl_request(struct rblk_genl *g, const struct rblk_kreq *req,
		      struct rblk_genl_error *err);

/*
 * Send all @n of @reqs, few datagrams for many, and wait until they are done. One that
 * is refused does not keep the others from being done: @rc says of each 0 or a
 * negative errno.
 */
void rblk_genl_request_all(struct rblk_genl *g, const struct rblk_kreq *reqs, size_t n,
			   int *rc);

/* Requests end by themselves, but may take minutes: wait for them. */
void rblk_genl_wait_long(struct rblk_genl *g);

/* One resource; -ENOENT when there is none of that name. */
int rblk_genl_get(struct rblk_genl *g, const char *name,
		  struct rblk_kstate *state, struct rblk_genl_error *err);

/* All resources of this network namespace; the caller frees *states. */
int rblk_genl_dump(struct rblk_genl *g, struct rblk_kstate **states,
		   size_t *n, struct rblk_genl_error *err);

/* Join the multicast group; rblk_genl_fd() turns readable on events. */
int rblk_genl_subscribe(struct rblk_genl *g, struct rblk_genl_error *err);

typedef void (*rblk_genl_event_fn)(void *data, const struct rblk_kevent *event);

/*
 * Read what is there without waiting. Returns the number of datagrams read,
 * or a negative errno; -ENOBUFS: events were lost, dump again.
 */
int rblk_genl_read_events(struct rblk_genl *g, rblk_genl_event_fn fn,
			  void *data);

#endif

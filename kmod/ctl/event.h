/* SPDX-License-Identifier: GPL-2.0 */
/*
 * event.h - tell user space what happened.
 */
#ifndef RBLK_CTL_EVENT_H
#define RBLK_CTL_EVENT_H

#include "../resource.h"
#include "../uapi/rblk.h"

struct genl_family;

extern const struct rblk_notify rblk_event_notify;

/**
 * rblk_event_enable - send events from now on
 * @family: registered; NULL: send no more
 */
void rblk_event_enable(struct genl_family *family);

/**
 * rblk_event_resource - a resource was created, changed or removed
 * @res: the resource
 * @kind: which of them
 * @reason: for people; may be empty
 */
void rblk_event_resource(struct rblk_resource *res, enum rblk_event_kind kind,
			 const char *reason);

/** rblk_event_volume - the same for a volume; its resource is locked */
void rblk_event_volume(struct rblk_volume *volume, enum rblk_event_kind kind,
		       const char *reason);

/** rblk_event_peer - the same for a peer, which cannot go away meanwhile */
void rblk_event_peer(struct rblk_peer *peer, enum rblk_event_kind kind,
		     const char *reason);

#endif /* RBLK_CTL_EVENT_H */

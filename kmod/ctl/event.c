// SPDX-License-Identifier: GPL-2.0
/*
 * event.c - tell user space what happened.
 *
 * Events are hints: a listener that lost some (its socket buffer was full)
 * asks for the state. They are sent from process context, by whoever made the
 * change, after it is visible. That may be a work which acknowledgments wait for,
 * or a command that holds I/O: memory for an event must not wait for I/O.
 */
#include <linux/ktime.h>
#include <net/genetlink.h>

#include "event.h"
#include "fill.h"
#include "net.h"
#include "../peer.h"
#include "../volume.h"

static struct genl_family *event_family;

void rblk_event_enable(struct genl_family *family)
{
	WRITE_ONCE(event_family, family);
}

/* The largest nest is a resource's or a peer's: well below this. */
#define EVENT_BYTES	1024

static int put_event(struct sk_buff *skb, struct rblk_resource *res,
		     enum rblk_event_kind kind, const char *reason)
{
	u64 serial = atomic64_inc_return(&rblk_net_of(res->net)->serial);
	struct nlattr *nest = nla_nest_start(skb, RBLK_A_EVENT);

	if (!nest ||
	    nla_put_u64_64bit(skb, RBLK_EV_SERIAL, serial, RBLK_EV_PAD) ||
	    nla_put_u8(skb, RBLK_EV_KIND, kind) ||
	    nla_put_u64_64bit(skb, RBLK_EV_TIME_NS, ktime_get_boottime_ns(),
			      RBLK_EV_PAD) ||
	    (reason && *reason &&
	     nla_put_string(skb, RBLK_EV_REASON, reason)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return nla_put_string(skb, RBLK_A_NAME, res->name);
}

/* One of @volume and @peer may be given; with neither, the resource is meant. */
static void send_event(struct rblk_resource *res, struct rblk_volume *volume,
		       struct rblk_peer *peer, enum rblk_event_kind kind,
		       const char *reason)
{
	struct genl_family *family = READ_ONCE(event_family);
	struct sk_buff *skb;
	void *head;
	int err;

	if (!family || !genl_has_listeners(family, res->net, 0))
		return;
	skb = genlmsg_new(EVENT_BYTES, GFP_NOIO);
	if (!skb)
		return;
	head = genlmsg_put(skb, 0, 0, family, 0, RBLK_CMD_EVENT);
	err = head ? put_event(skb, res, kind, reason) : -EMSGSIZE;
	if (!err) {
		if (peer)
			err = rblk_fill_peer(skb, peer);
		else if (volume)
			err = rblk_fill_volume(skb, volume);
		else
			err = rblk_fill_resource(skb, res);
	}
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, head);
	genlmsg_multicast_netns(family, res->net, skb, 0, 0, GFP_NOIO);
}

void rblk_event_resource(struct rblk_resource *res, enum rblk_event_kind kind,
			 const char *reason)
{
	send_event(res, NULL, NULL, kind, reason);
}

void rblk_event_volume(struct rblk_volume *volume, enum rblk_event_kind kind,
		       const char *reason)
{
	send_event(volume->res, volume, NULL, kind, reason);
}

void rblk_event_peer(struct rblk_peer *peer, enum rblk_event_kind kind,
		     const char *reason)
{
	send_event(peer->res, NULL, peer, kind, reason);
}

static void notify_resource(struct rblk_resource *res, const char *reason)
{
	rblk_event_resource(res, RBLK_EVENT_CHANGED, reason);
}

static void notify_volume(struct rblk_volume *volume, const char *reason)
{
	rblk_event_volume(volume, RBLK_EVENT_CHANGED, reason);
}

static void notify_peer(struct rblk_peer *peer, const char *reason)
{
	rblk_event_peer(peer, RBLK_EVENT_CHANGED, reason);
}

const struct rblk_notify rblk_event_notify = {
	.resource = notify_resource,
	.volume = notify_volume,
	.peer = notify_peer,
};

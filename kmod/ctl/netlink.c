// SPDX-License-Identifier: GPL-2.0
/*
 * netlink.c - requests: parse, check, call down.
 *
 * The policies bound every attribute before a handler runs; handlers check
 * what spans several of them. A refused request has changed nothing.
 */
#include <linux/ctype.h>
#include <linux/log2.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "debugfs.h"
#include "ending.h"
#include "event.h"
#include "fill.h"
#include "net.h"
#include "netlink.h"
#include "options.h"
#include "../peer.h"
#include "../resource.h"
#include "../swap.h"
#include "../volume.h"
#include "../repl/handshake.h"
#include "../repl/link.h"
#include "../repl/write.h"

static struct genl_family family;

static struct netlink_range_validation minor_range = {
	.max = RBLK_MAX_MINOR,
};

static struct netlink_range_validation block_range = {
	.min = SECTOR_SIZE, .max = PAGE_SIZE,
};

static const struct nla_policy volume_policy[RBLK_VOL_MAX + 1] = {
	[RBLK_VOL_ID] = NLA_POLICY_MAX(NLA_U8, RBLK_MAX_VOLUMES - 1),
	[RBLK_VOL_MINOR] = NLA_POLICY_FULL_RANGE(NLA_U32, &minor_range),
	[RBLK_VOL_DISK] = { .type = NLA_NUL_STRING,
			    .len = RBLK_DISK_SIZE - 1 },
	[RBLK_VOL_BLOCK_SIZE] = NLA_POLICY_FULL_RANGE(NLA_U32, &block_range),
	[RBLK_VOL_METADATA] = NLA_POLICY_MAX(NLA_U8, RBLK_METADATA_APART),
	[RBLK_VOL_METADATA_DISK] = { .type = NLA_NUL_STRING,
				     .len = RBLK_DISK_SIZE - 1 },
};

static const struct nla_policy peer_policy[RBLK_PEER_MAX + 1] = {
	[RBLK_PEER_NODE_ID] = NLA_POLICY_MAX(NLA_U8, RBLK_MAX_NODES - 1),
	[RBLK_PEER_NODE_NAME] = { .type = NLA_NUL_STRING,
				  .len = RBLK_NAME_SIZE - 1 },
	[RBLK_PEER_PROTOCOL] = NLA_POLICY_RANGE(NLA_U8, 'A', 'C'),
	[RBLK_PEER_SOCKET] = { .type = NLA_U32 },
	[RBLK_PEER_RESYNC_PAUSED] = NLA_POLICY_MAX(NLA_U8, 1),
};

static const struct nla_policy policy[RBLK_A_MAX + 1] = {
	[RBLK_A_NAME] = { .type = NLA_NUL_STRING, .len = RBLK_NAME_SIZE - 1 },
	[RBLK_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, RBLK_FLAG_ALL),
	[RBLK_A_GENERATION] = NLA_POLICY_MIN(NLA_U64, 1),
	[RBLK_A_RESOURCE] = NLA_POLICY_NESTED(rblk_options_policy),
	[RBLK_A_VOLUME] = NLA_POLICY_NESTED(volume_policy),
	[RBLK_A_PEER] = NLA_POLICY_NESTED(peer_policy),
};

#define NEST_MAX RBLK_RES_MAX	/* of all nests' attributes */

/**
 * struct request - what every handler starts from
 * @info: the message
 * @res: looked up, referenced, its configuration lock held; or NULL
 * @tb: the nest that the command wants
 */
struct request {
	struct genl_info *info;
	struct rblk_resource *res;
	struct nlattr *tb[NEST_MAX + 1];
};

static_assert(RBLK_PEER_MAX <= NEST_MAX && RBLK_VOL_MAX <= NEST_MAX);

#define missing(info, text) ({					\
	GENL_SET_ERR_MSG((info), "request lacks " text);	\
	-EINVAL;						\
})

static bool is_valid_name(const char *name)
{
	const char *c;

	if (!*name || *name == '.' || *name == '-')
		return false;
	for (c = name; *c; c++)
		if (!isalnum(*c) && !strchr("._-", *c))
			return false;
	return true;
}

static struct rblk_resource *find_locked(struct rblk_net *rnet,
					 const char *name)
{
	struct rblk_resource *res;

	lockdep_assert_held(&rnet->lock);
	list_for_each_entry(res, &rnet->resources, node)
		if (!strcmp(res->name, name))
			return res;
	return NULL;
}

static struct rblk_resource *find_resource(struct genl_info *info)
{
	struct rblk_net *rnet = rblk_net_of(genl_info_net(info));
	struct rblk_resource *res;

	mutex_lock(&rnet->lock);
	res = find_locked(rnet, nla_data(info->attrs[RBLK_A_NAME]));
	if (res)
		kref_get(&res->ref);
	mutex_unlock(&rnet->lock);
	if (!res)
		GENL_SET_ERR_MSG(info, "no such resource");
	return res;
}

/* Find the resource and lock its configuration. */
static int begin(struct request *req, struct genl_info *info)
{
	memset(req, 0, sizeof(*req));
	req->info = info;
	if (!info->attrs[RBLK_A_NAME])
		return missing(info, "a resource name");
	req->res = find_resource(info);
	if (!req->res)
		return -ENOENT;
	if (mutex_lock_interruptible(&req->res->conf)) {
		rblk_resource_put(req->res);
		return -EINTR;
	}
	if (req->res->log.gate.dead) {
		mutex_unlock(&req->res->conf);
		rblk_resource_put(req->res);
		GENL_SET_ERR_MSG(info, "the resource is being removed");
		return -ENOENT;
	}
	return 0;
}

static int end(struct request *req, int err)
{
	mutex_unlock(&req->res->conf);
	rblk_resource_put(req->res);
	return err;
}

static int parse_nest(struct request *req, int attr, int max,
		      const struct nla_policy *nest_policy)
{
	struct nlattr *nest = req->info->attrs[attr];

	if (!nest)
		return missing(req->info, "its nested attributes");
	return nla_parse_nested(req->tb, max, nest, nest_policy,
				req->info->extack);
}

static u32 flags_of(struct genl_info *info)
{
	struct nlattr *attr = info->attrs[RBLK_A_FLAGS];

	return attr ? nla_get_u32(attr) : 0;
}

static int parse_resource(struct request *req,
			  struct rblk_resource_config *config)
{
	struct genl_info *info = req->info;
	struct nlattr **tb = req->tb;
	int err;

	if (!info->attrs[RBLK_A_NAME])
		return missing(info, "a resource name");
	config->name = nla_data(info->attrs[RBLK_A_NAME]);
	if (!is_valid_name(config->name)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[RBLK_A_NAME],
				    "bad resource name: allowed are A-Za-z0-9._-, not first . or -");
		return -EINVAL;
	}
	err = parse_nest(req, RBLK_A_RESOURCE, RBLK_RES_MAX,
			 rblk_options_policy);
	if (err)
		return err;
	if (!tb[RBLK_RES_NODE_ID] || !tb[RBLK_RES_UUID])
		return missing(info, "the node id or the resource's uuid");
	config->node_id = nla_get_u8(tb[RBLK_RES_NODE_ID]);
	config->uuid = nla_data(tb[RBLK_RES_UUID]);
	config->node_name = tb[RBLK_RES_NODE_NAME] ?
			    nla_data(tb[RBLK_RES_NODE_NAME]) : "this node";
	if (tb[RBLK_RES_LEASE_UNTIL_NS] || tb[RBLK_RES_IN_SYNC]) {
		GENL_SET_ERR_MSG(info, "a lease or an in-sync set is for a primary");
		return -EINVAL;
	}
	rblk_options_parse(tb, config);
	rblk_options_parse_mandate(tb, &config->mandate);
	if (tb[RBLK_RES_GENERATION])
		config->generation = nla_get_u64(tb[RBLK_RES_GENERATION]);
	if (tb[RBLK_RES_LOG_OPS])
		config->log_ops = nla_get_u32(tb[RBLK_RES_LOG_OPS]);
	if (!is_power_of_2(config->log_ops)) {
		GENL_SET_ERR_MSG(info, "the log's operations must be a power of two");
		return -ERANGE;
	}
	return 0;
}

static int resource_new(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_net *rnet = rblk_net_of(genl_info_net(info));
	struct rblk_resource_config config = {
		.log_bytes = RBLK_LOG_BYTES_DEFAULT,
		.log_ops = RBLK_LOG_OPS_DEFAULT,
	};
	struct request req = { .info = info };
	struct rblk_resource *res;
	int err;

	err = parse_resource(&req, &config);
	if (err)
		return err;
	mutex_lock(&rnet->lock);
	if (find_locked(rnet, config.name)) {
		GENL_SET_ERR_MSG(info, "the resource exists already");
		err = -EEXIST;
		goto out_unlock;
	}
	res = rblk_resource_create(genl_info_net(info), &config,
				   &rblk_event_notify);
	if (IS_ERR(res)) {
		err = PTR_ERR(res);
		goto out_unlock;
	}
	list_add_tail(&res->node, &rnet->resources);
	rblk_debugfs_add(res);
	rblk_event_resource(res, RBLK_EVENT_CREATED, NULL);
out_unlock:
	mutex_unlock(&rnet->lock);
	return err;
}

/* What is of a term only a primary has. */
static int check_mandate(struct request *req)
{
	struct genl_info *info = req->info;
	struct rblk_mandate mandate;

	rblk_mandate_get(req->res, &mandate);
	rblk_options_parse_mandate(req->tb, &mandate);
	if (!req->res->log.gate.primary && (mandate.lease_ns || mandate.in_sync)) {
		GENL_SET_ERR_MSG(info, "a lease, an in-sync set: this is a backup, not a primary");
		return -EPERM;
	}
	return rblk_mandate_check(req->res, &mandate, info->extack);
}

static int resource_set(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_resource_config config;
	struct request req;
	int err = begin(&req, info);

	if (err)
		return err;
	err = parse_nest(&req, RBLK_A_RESOURCE, RBLK_RES_MAX,
			 rblk_options_policy);
	if (!err)
		err = rblk_options_check(req.tb, info->extack);
	if (!err)
		err = check_mandate(&req);
	if (err)
		return end(&req, err);
	rblk_options_current(req.res, &config);
	if (rblk_options_parse(req.tb, &config))
		rblk_resource_configure(req.res, &config);
	if (rblk_options_parse_mandate(req.tb, &config.mandate))
		rblk_mandate_set(req.res, &config.mandate);
	return end(&req, 0);
}

static int resource_del(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_net *rnet = rblk_net_of(genl_info_net(info));
	struct request req;
	bool force = flags_of(info) & RBLK_FLAG_FORCE;
	int err = begin(&req, info);

	if (err)
		return err;
	/* Its peers learn that there is no primary any more, and from where. */
	if (req.res->log.gate.primary) {
		err = rblk_resource_demote(req.res, flags_of(info),
					   info->extack);
		if (err && !force)
			return end(&req, err);
	}
	spin_lock_irq(&req.res->log.lock);
	req.res->log.gate.dead = true;
	spin_unlock_irq(&req.res->log.lock);
	mutex_unlock(&req.res->conf);

	mutex_lock(&rnet->lock);
	list_del(&req.res->node);
	mutex_unlock(&rnet->lock);
	rblk_event_resource(req.res, RBLK_EVENT_REMOVED, NULL);
	rblk_debugfs_remove(req.res);
	return rblk_ending_begin(req.res, info->extack);
}

static bool has_link(struct rblk_resource *res)
{
	int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (res->peer[i] && res->peer[i]->conn != RBLK_CONN_DOWN)
			return true;
	return false;
}

static int begin_volume(struct request *req, struct genl_info *info)
{
	int err = begin(req, info);

	if (err)
		return err;
	err = parse_nest(req, RBLK_A_VOLUME, RBLK_VOL_MAX, volume_policy);
	if (!err && !req->tb[RBLK_VOL_ID])
		err = missing(info, "the volume's id");
	if (!err && (has_link(req->res) || req->res->log.gate.primary)) {
		GENL_SET_ERR_MSG(info, "volumes change only on a backup without links");
		err = -EBUSY;
	}
	return err ? end(req, err) : 0;
}

/* Where a disk and its metadata are. */
static int parse_disk(struct request *req, struct rblk_volume_config *config)
{
	struct nlattr **tb = req->tb;

	config->path = nla_data(tb[RBLK_VOL_DISK]);
	if (tb[RBLK_VOL_METADATA])
		config->metadata = nla_get_u8(tb[RBLK_VOL_METADATA]);
	if (config->metadata != RBLK_METADATA_APART)
		return 0;
	if (!tb[RBLK_VOL_METADATA_DISK])
		return missing(req->info, "the metadata's disk");
	config->metadata_path = nla_data(tb[RBLK_VOL_METADATA_DISK]);
	return 0;
}

static int volume_new(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_volume_config config = { };
	struct request req;
	int err = begin_volume(&req, info);
	struct nlattr **tb = req.tb;

	if (err)
		return err;
	if (!tb[RBLK_VOL_MINOR] || !tb[RBLK_VOL_DISK])
		return end(&req, missing(info, "the volume's minor or disk"));
	config.id = nla_get_u8(tb[RBLK_VOL_ID]);
	config.minor = nla_get_u32(tb[RBLK_VOL_MINOR]);
	if (tb[RBLK_VOL_BLOCK_SIZE])
		config.block_bytes = nla_get_u32(tb[RBLK_VOL_BLOCK_SIZE]);
	err = parse_disk(&req, &config);
	if (!err)
		err = rblk_volume_create(req.res, &config, info->extack);
	if (!err)
		rblk_event_volume(req.res->volume[config.id],
				  RBLK_EVENT_CREATED, NULL);
	return end(&req, err);
}

static int volume_del(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_volume *volume;
	struct request req;
	int err = begin_volume(&req, info);

	if (err)
		return err;
	volume = req.res->volume[nla_get_u8(req.tb[RBLK_VOL_ID])];
	if (!volume) {
		GENL_SET_ERR_MSG(info, "no such volume");
		return end(&req, -ENOENT);
	}
	rblk_event_volume(volume, RBLK_EVENT_REMOVED, NULL);
	rblk_volume_destroy(volume);
	return end(&req, 0);
}

static int begin_disk(struct request *req, struct genl_info *info,
		      struct rblk_volume **volume)
{
	int err = begin(req, info);

	if (err)
		return err;
	err = parse_nest(req, RBLK_A_VOLUME, RBLK_VOL_MAX, volume_policy);
	if (!err && !req->tb[RBLK_VOL_ID])
		err = missing(info, "the volume's id");
	if (err)
		return end(req, err);
	*volume = req->res->volume[nla_get_u8(req->tb[RBLK_VOL_ID])];
	if (*volume)
		return 0;
	GENL_SET_ERR_MSG(info, "no such volume");
	return end(req, -ENOENT);
}

static int disk_detach(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_volume *volume;
	struct request req;
	int err = begin_disk(&req, info, &volume);

	return err ? err : end(&req, rblk_swap_detach(volume, info->extack));
}

static int disk_attach(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_volume_config config = { };
	struct rblk_volume *volume;
	struct request req;
	int err = begin_disk(&req, info, &volume);

	if (err)
		return err;
	if (!req.tb[RBLK_VOL_DISK])
		return end(&req, missing(info, "the volume's disk"));
	err = parse_disk(&req, &config);
	if (!err)
		err = rblk_swap_attach(volume, &config, info->extack);
	return end(&req, err);
}

static int begin_peer(struct request *req, struct genl_info *info)
{
	int err = begin(req, info);

	if (err)
		return err;
	err = parse_nest(req, RBLK_A_PEER, RBLK_PEER_MAX, peer_policy);
	if (!err && !req->tb[RBLK_PEER_NODE_ID])
		err = missing(info, "the peer's node id");
	return err ? end(req, err) : 0;
}

/* As begin_peer(), for a peer that exists. */
static int begin_known_peer(struct request *req, struct genl_info *info,
			    struct rblk_peer **peer)
{
	int err = begin_peer(req, info);

	if (err)
		return err;
	*peer = req->res->peer[nla_get_u8(req->tb[RBLK_PEER_NODE_ID])];
	if (*peer)
		return 0;
	GENL_SET_ERR_MSG(info, "no peer with this node id");
	return end(req, -ENOENT);
}

static int peer_new(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin_peer(&req, info);
	struct nlattr **tb = req.tb;
	u8 id;

	if (err)
		return err;
	id = nla_get_u8(tb[RBLK_PEER_NODE_ID]);
	err = rblk_peer_create(req.res, id,
			       tb[RBLK_PEER_NODE_NAME] ?
			       nla_data(tb[RBLK_PEER_NODE_NAME]) : "",
			       tb[RBLK_PEER_PROTOCOL] ?
			       nla_get_u8(tb[RBLK_PEER_PROTOCOL]) : 'C',
			       info->extack);
	if (!err)
		rblk_event_peer(req.res->peer[id], RBLK_EVENT_CREATED, NULL);
	return end(&req, err);
}

static int peer_set(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_peer *peer;
	struct nlattr *paused;
	struct request req;
	int err = begin_known_peer(&req, info, &peer);

	if (err)
		return err;
	paused = req.tb[RBLK_PEER_RESYNC_PAUSED];
	if (paused)
		err = rblk_link_pause_resync(peer, nla_get_u8(paused),
					     info->extack);
	if (err || !req.tb[RBLK_PEER_PROTOCOL])
		return end(&req, err);
	spin_lock_irq(&req.res->log.lock);
	peer->protocol = nla_get_u8(req.tb[RBLK_PEER_PROTOCOL]);
	rblk_log_set_protocol(&req.res->log, peer->node_id, peer->protocol);
	spin_unlock_irq(&req.res->log.lock);
	rblk_write_rejudge(req.res);
	rblk_event_peer(peer, RBLK_EVENT_CHANGED, "protocol changed");
	return end(&req, 0);
}

static int peer_del(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_peer *peer;
	struct request req;
	int err = begin_known_peer(&req, info, &peer);

	if (err)
		return err;
	if (req.res->log.peers.in_sync & BIT(peer->node_id)) {
		GENL_SET_ERR_MSG(info, "the node is in the in-sync set: take it out first");
		return end(&req, -EBUSY);
	}
	rblk_event_peer(peer, RBLK_EVENT_REMOVED, NULL);
	rblk_peer_destroy(peer, "the node was removed from the resource");
	return end(&req, 0);
}

static int link_attach(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_peer *peer;
	struct request req;
	int err = begin_known_peer(&req, info, &peer);

	if (err)
		return err;
	if (!req.tb[RBLK_PEER_SOCKET])
		return end(&req, missing(info, "the socket"));
	err = rblk_handshake_start(peer, nla_get_u32(req.tb[RBLK_PEER_SOCKET]),
				   info->extack);
	return end(&req, err);
}

static int link_detach(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_peer *peer;
	struct request req;
	int err = begin_known_peer(&req, info, &peer);

	if (err)
		return err;
	rblk_link_close(peer, "disconnected by the admin");
	return end(&req, 0);
}

static int resync(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_peer *peer;
	struct request req;
	int err = begin_known_peer(&req, info, &peer);

	if (err)
		return err;
	return end(&req, rblk_handshake_resync(peer, flags_of(info),
					       info->extack));
}

static int discard(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_peer *peer;
	struct request req;
	int err = begin_known_peer(&req, info, &peer);

	return err ? err : end(&req, rblk_handshake_discard(peer, info->extack));
}

static int promote(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_mandate mandate;
	struct request req;
	int err = begin(&req, info);

	if (err)
		return err;
	if (!info->attrs[RBLK_A_GENERATION])
		return end(&req, missing(info, "the generation"));
	rblk_mandate_get(req.res, &mandate);
	if (info->attrs[RBLK_A_RESOURCE]) {
		err = parse_nest(&req, RBLK_A_RESOURCE, RBLK_RES_MAX,
				 rblk_options_policy);
		if (!err)
			err = rblk_options_check_promotion(req.tb,
							   info->extack);
		if (err)
			return end(&req, err);
		rblk_options_parse_mandate(req.tb, &mandate);
	}
	err = rblk_mandate_check(req.res, &mandate, info->extack);
	if (!err)
		err = rblk_resource_promote(req.res,
					    nla_get_u64(info->attrs[RBLK_A_GENERATION]),
					    flags_of(info), &mandate, info->extack);
	return end(&req, err);
}

static int demote(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, info);

	if (err)
		return err;
	return end(&req, rblk_resource_demote(req.res, flags_of(info),
					      info->extack));
}

static int suspend(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, info);

	if (err)
		return err;
	return end(&req, rblk_resource_suspend(req.res, info->extack));
}

static int resume(struct sk_buff *skb, struct genl_info *info)
{
	struct request req;
	int err = begin(&req, info);

	if (err)
		return err;
	rblk_resource_resume(req.res);
	return end(&req, 0);
}

/* Bytes that the state of a full resource can take. */
#define STATE_BYTES (64 << 10)

static int fill_state(struct sk_buff *skb, struct rblk_resource *res,
		      u32 portid, u32 seq, int flags)
{
	void *head = genlmsg_put(skb, portid, seq, &family, flags,
				 RBLK_CMD_STATE);
	int err;

	if (!head)
		return -EMSGSIZE;
	err = rblk_fill_all(skb, res);
	if (err)
		genlmsg_cancel(skb, head);
	else
		genlmsg_end(skb, head);
	return err;
}

static int get(struct sk_buff *skb, struct genl_info *info)
{
	struct rblk_resource *res;
	struct sk_buff *answer;
	int err;

	if (!info->attrs[RBLK_A_NAME])
		return missing(info, "a resource name");
	res = find_resource(info);
	if (!res)
		return -ENOENT;
	answer = genlmsg_new(STATE_BYTES, GFP_KERNEL);
	if (!answer) {
		rblk_resource_put(res);
		return -ENOMEM;
	}
	err = fill_state(answer, res, info->snd_portid, info->snd_seq, 0);
	rblk_resource_put(res);
	if (err) {
		nlmsg_free(answer);
		return err;
	}
	return genlmsg_reply(answer, info);
}

static int dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rblk_net *rnet = rblk_net_of(sock_net(skb->sk));
	struct rblk_resource *res;
	long at = 0;
	int err = 0;

	mutex_lock(&rnet->lock);
	list_for_each_entry(res, &rnet->resources, node) {
		if (at++ < cb->args[0])
			continue;
		err = fill_state(skb, res, NETLINK_CB(cb->skb).portid,
				 cb->nlh->nlmsg_seq, NLM_F_MULTI);
		if (err)
			break;
		cb->args[0]++;
	}
	mutex_unlock(&rnet->lock);
	/* What did not fit into a message that holds some comes in the next. */
	return skb->len ?: err;
}

#define RBLK_OP(_cmd, _doit) { .cmd = RBLK_CMD_##_cmd, .doit = (_doit), \
			       .flags = GENL_ADMIN_PERM }

static const struct genl_small_ops ops[] = {
	RBLK_OP(RESOURCE_NEW, resource_new),
	RBLK_OP(RESOURCE_SET, resource_set),
	RBLK_OP(RESOURCE_DEL, resource_del),
	RBLK_OP(VOLUME_NEW, volume_new),
	RBLK_OP(VOLUME_DEL, volume_del),
	RBLK_OP(PEER_NEW, peer_new),
	RBLK_OP(PEER_SET, peer_set),
	RBLK_OP(PEER_DEL, peer_del),
	RBLK_OP(LINK_ATTACH, link_attach),
	RBLK_OP(LINK_DETACH, link_detach),
	RBLK_OP(PROMOTE, promote),
	RBLK_OP(DEMOTE, demote),
	RBLK_OP(SUSPEND, suspend),
	RBLK_OP(RESUME, resume),
	RBLK_OP(RESYNC, resync),
	RBLK_OP(DISCARD, discard),
	RBLK_OP(DISK_DETACH, disk_detach),
	RBLK_OP(DISK_ATTACH, disk_attach),
	{ .cmd = RBLK_CMD_GET, .doit = get, .dumpit = dump },
};

static const struct genl_multicast_group groups[] = {
	{ .name = RBLK_GENL_GROUP_EVENTS },
};

static struct genl_family family __ro_after_init = {
	.name = RBLK_GENL_NAME,
	.version = RBLK_GENL_VERSION,
	.maxattr = RBLK_A_MAX,
	.policy = policy,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.small_ops = ops,
	.n_small_ops = ARRAY_SIZE(ops),
	.resv_start_op = RBLK_CMD_UNSPEC + 1,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

int __init rblk_netlink_init(void)
{
	int err = genl_register_family(&family);

	if (!err)
		rblk_event_enable(&family);
	return err;
}

void rblk_netlink_exit(void)
{
	rblk_event_enable(NULL);
	genl_unregister_family(&family);
}

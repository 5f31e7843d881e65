// SPDX-License-Identifier: GPL-2.0
/*
 * ending.c - the end of a resource, which a disk may hold up.
 *
 * Nothing bounds the time that a backing device takes for a request, so what
 * waits for that is a thread of its own.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "ending.h"
#include "../resource.h"

#define END_TIMEOUT_MS	10000	/* for backing devices to answer */

enum { ENDING_AWAITED, ENDING_LEFT, ENDING_OVER };

/**
 * struct ending - a resource that is being taken down
 * @res: out of its namespace's list; this holds a reference
 * @net: its namespace, held: events still go there
 * @state: ENDING_*: who asked gave up waiting, or the end came first
 * @ended: nothing is left of it
 *
 * Freed by who asked, or by the thread if it was left alone.
 */
struct ending {
	struct rblk_resource *res;
	struct net *net;
	atomic_t state;
	struct completion ended;
};

static void end_now(struct ending *ending)
{
	rblk_resource_destroy(ending->res);
	rblk_resource_put(ending->res);
	put_net(ending->net);
}

static int end_thread(void *data)
{
	struct ending *ending = data;

	end_now(ending);
	if (atomic_cmpxchg(&ending->state, ENDING_AWAITED, ENDING_OVER) ==
	    ENDING_AWAITED)
		kthread_complete_and_exit(&ending->ended, 0);
	kfree(ending);
	module_put_and_kthread_exit(0);
}

/* Return: false when the thread goes on alone; it keeps the module then. */
static bool await_end(struct ending *ending)
{
	bool keeps;

	if (wait_for_completion_timeout(&ending->ended,
					msecs_to_jiffies(END_TIMEOUT_MS)))
		return true;
	/* Not while it is unloaded, which waits for this request to end. */
	keeps = try_module_get(THIS_MODULE);
	if (keeps && atomic_cmpxchg(&ending->state, ENDING_AWAITED,
				    ENDING_LEFT) == ENDING_AWAITED)
		return false;
	if (keeps)
		module_put(THIS_MODULE);
	wait_for_completion(&ending->ended); /* it is leaving */
	return true;
}

int rblk_ending_begin(struct rblk_resource *res,
		      struct netlink_ext_ack *extack)
{
	struct ending *ending = kzalloc(sizeof(*ending),
					GFP_KERNEL | __GFP_NOFAIL);
	struct task_struct *thread;

	ending->res = res;
	ending->net = get_net(res->net);
	init_completion(&ending->ended);
	thread = kthread_run(end_thread, ending, "rblk-end");
	if (IS_ERR(thread)) {
		end_now(ending);
	} else if (!await_end(ending)) {
		NL_SET_ERR_MSG(extack, "no end in 10 s, as when a disk hangs: it stays claimed");
		return -EINPROGRESS;
	}
	kfree(ending);
	return 0;
}

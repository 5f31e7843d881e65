// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * watchdog.c - the machine resets when the daemon shows no sign of life any more
 */
#include "watchdog.h"

#include "log.h"
#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int set_timeout(int fd, int *seconds)
{
	if (ioctl(fd, WDIOC_SETTIMEOUT, seconds) < 0)
		return -errno;
	return ioctl(fd, WDIOC_GETTIMEOUT, seconds) < 0 ? -errno : 0;
}

static int keep_alive(int fd)
{
	return ioctl(fd, WDIOC_KEEPALIVE, 0) < 0 ? -errno : 0;
}

static const struct rblk_watchdog_ops linux_ops = {
	.set_timeout = set_timeout,
	.keep_alive = keep_alive,
};

static void show_life(uv_timer_t *timer)
{
	struct rblk_watchdog *w = timer->data;
	bool is_well = w->is_well(w->ctx);
	int rc = 0;

	if (is_well)
		rc = w->ops->keep_alive(w->fd);
	if (!w->is_silent && (!is_well || rc < 0))
		rblk_log(RBLK_LOG_ERROR, NULL, NULL,
			 "watchdog %s gets no sign of life: %s", w->path,
			 rc < 0 ? strerror(-rc) :
			 "this node is primary without a lease, and the module does not confirm that it has stopped");
	w->is_silent = !is_well || rc < 0;
}

void rblk_watchdog_init(struct rblk_watchdog *w, uv_loop_t *loop,
			const struct rblk_watchdog_ops *ops, bool (*is_well)(void *ctx),
			void *ctx)
{
	*w = (struct rblk_watchdog){
		.ops = ops ? ops : &linux_ops, .is_well = is_well, .ctx = ctx,
		.fd = -1,
	};
	uv_timer_init(loop, &w->timer);
	w->timer.data = w;
}

/* The kernel takes this letter for "I mean it". */
static void let_go(struct rblk_watchdog *w, bool stop)
{
	if (!w->path)
		return;
	uv_timer_stop(&w->timer);
	if (stop && write(w->fd, "V", 1) != 1)
		rblk_log(RBLK_LOG_ERROR, NULL, NULL, "watchdog %s cannot be stopped: %s",
			 w->path, strerror(errno));
	close(w->fd);
	w->fd = -1;
	free(w->path);
	w->path = NULL;
}

static bool set_up(struct rblk_watchdog *w, unsigned int seconds, char *why,
		   size_t why_size)
{
	int got = seconds, rc = w->ops->set_timeout(w->fd, &got);

	if (rc == 0 && got > 0 && got <= (int)seconds)
		return true;
	if (rc < 0)
		rblk_text_format(why, why_size,
				 "watchdog %s: a timeout of %u s cannot be set: %s",
				 w->path, seconds, strerror(-rc));
	else
		rblk_text_format(why, why_size,
				 "watchdog %s makes %d s of a timeout of %u s: another node would be promoted before; use another device, or a longer lease",
				 w->path, got, seconds);
	return false;
}

bool rblk_watchdog_use(struct rblk_watchdog *w, const char *path, unsigned int seconds,
		       unsigned int interval_ms, char *why, size_t why_size)
{
	if (w->path && (!path || strcmp(w->path, path) != 0))
		let_go(w, true);
	if (!path)
		return true;
	if (!w->path) {
		w->fd = open(path, O_WRONLY | O_CLOEXEC);
		if (w->fd < 0) {
			rblk_text_format(why, why_size, "watchdog %s: %s%s", path,
					 strerror(errno), errno == EBUSY ?
					 "; another program uses it" : "");
			return false;
		}
		w->path = rblk_xstrdup(path);
	}
	if (!set_up(w, seconds, why, why_size)) {
		let_go(w, true);
		return false;
	}
	if (interval_ms > seconds * 1000 / 2)
		interval_ms = seconds * 1000 / 2;
	rblk_log(RBLK_LOG_INFO, NULL, NULL,
		 "watchdog %s resets this machine after %u s without rblkd", path,
		 seconds);
	uv_timer_start(&w->timer, show_life, 0, interval_ms);
	return true;
}

void rblk_watchdog_close(struct rblk_watchdog *w, bool stop)
{
	let_go(w, stop);
	uv_close((uv_handle_t *)&w->timer, NULL);
}

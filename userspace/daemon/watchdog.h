/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watchdog.h - the machine resets when the daemon shows no sign of life any more
 *
 * A backstop behind the lease: the module stops by itself when its lease runs out;
 * this is for the case that it does not.
 */
#ifndef RBLK_WATCHDOG_H
#define RBLK_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/* What Linux offers for it; tests have their own. Both return 0 or a negative errno. */
struct rblk_watchdog_ops {
	/* @seconds: wanted, then what the device makes of it */
	int (*set_timeout)(int fd, int *seconds);
	int (*keep_alive)(int fd);
};

struct rblk_watchdog {
	uv_timer_t timer;
	const struct rblk_watchdog_ops *ops;
	bool (*is_well)(void *ctx);
	void *ctx;
	char *path;			/* NULL: none is used */
	int fd;
	bool is_silent;			/* it was said that it gets no sign of life */
};

/**
 * rblk_watchdog_init - none is used yet
 * @w: filled in
 * @loop: whose life is shown
 * @ops: NULL: Linux's
 * @is_well: may a sign of life be given
 * @ctx: for that
 */
void rblk_watchdog_init(struct rblk_watchdog *w, uv_loop_t *loop,
			const struct rblk_watchdog_ops *ops, bool (*is_well)(void *ctx),
			void *ctx);

/**
 * rblk_watchdog_use - use that one from now on
 * @w: the watchdog
 * @path: of the device; NULL: none
 * @seconds: without a sign of life after which it resets the machine; fewer are fine
 * @interval_ms: from one sign to the next
 * @why: set when false is returned
 * @why_size: room there
 *
 * The one that was used before is told to stop, if it is another one.
 *
 * Return: false when the device cannot be used like that.
 */
bool rblk_watchdog_use(struct rblk_watchdog *w, const char *path, unsigned int seconds,
		       unsigned int interval_ms, char *why, size_t why_size);

/**
 * rblk_watchdog_close - the daemon ends
 * @w: the watchdog
 * @stop: it is not to reset the machine; else it does, unless the next daemon is in time
 */
void rblk_watchdog_close(struct rblk_watchdog *w, bool stop);

#endif

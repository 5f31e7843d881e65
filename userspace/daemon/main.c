// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main.c - rblkd: options, binding of the shells to the engine, the loop
 */
#include "ballot_store.h"
#include "control.h"
#include "ctlproto.h"
#include "engine.h"
#include "etcd.h"
#include "exitcode.h"
#include "failover.h"
#include "fence.h"
#include "handshake.h"
#include "jobs.h"
#include "kernel.h"
#include "lease.h"
#include "log.h"
#include "notify.h"
#include "rundir.h"
#include "sockopt.h"
#include "text.h"
#include "udp.h"
#include "version.h"
#include "watchdog.h"
#include "xalloc.h"

#include <errno.h>
#include <getopt.h>
#include <gnutls/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct daemon {
	uv_loop_t loop;
	struct rblk_engine engine;
	struct rblk_kernel kernel;
	struct rblk_jobs jobs;
	struct rblk_leases leases;
	struct rblk_handshakes handshakes;
	struct rblk_udp udp;
	struct rblk_fences fences;
	struct rblk_etcds etcds;
	struct rblk_watchdog watchdog;
	struct rblk_control control;
	uv_timer_t timer;
	uv_signal_t signals[3];
	uint64_t random;
	const char *run_dir;
	const char *state_dir;
};

struct options {
	const char *config;
	const char *node;
	bool check;
	bool debug;
};

/* ---- the engine's operations ---- */

static uint64_t op_now_ms(void *ctx)
{
	struct daemon *d = ctx;

	uv_update_time(&d->loop);
	return uv_now(&d->loop);
}

/* What nodes do at different times, no secret: splitmix64. */
static uint32_t op_random(void *ctx)
{
	struct daemon *d = ctx;
	uint64_t z;

	if (!d->random)
		(void)gnutls_rnd(GNUTLS_RND_NONCE, &d->random, sizeof(d->random));
	d->random += 0x9e3779b97f4a7c15;
	z = d->random;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) >> 32;
}

static void timer_fired(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	rblk_engine_tick(&d->engine);
}

static void op_wake_at(void *ctx, uint64_t ms)
{
	struct daemon *d = ctx;
	uint64_t now = uv_now(&d->loop);

	uv_timer_start(&d->timer, timer_fired, ms > now ? ms - now : 0, 0);
}

static void op_submit(void *ctx, struct rblk_job *job)
{
	struct daemon *d = ctx;

	rblk_jobs_submit(&d->jobs, job);
}

static int op_get(void *ctx, const char *name, struct rblk_kstate *state,
		  struct rblk_genl_error *err)
{
	struct daemon *d = ctx;
	int rc = rblk_kernel_open(&d->kernel, &d->loop, &d->engine, err);

	return rc < 0 ? rc :
	       rblk_genl_get(&d->kernel.requests, name, state, err);
}

static int op_dump(void *ctx, struct rblk_kstate **states, size_t *n,
		   struct rblk_genl_error *err)
{
	struct daemon *d = ctx;

	/* a node that only votes: see start_kernel() */
	if (!d->kernel.is_open) {
		*states = NULL;
		*n = 0;
		return 0;
	}
	return rblk_genl_dump(&d->kernel.requests, states, n, err);
}

static void op_dial(void *ctx, const struct rblk_link_id *id,
		    const struct sockaddr_storage *addr, uint64_t generation)
{
	struct daemon *d = ctx;

	rblk_handshakes_dial(&d->handshakes, id, addr, generation);
}

static void op_hang_up(void *ctx, const struct rblk_link_id *id)
{
	struct daemon *d = ctx;

	rblk_handshakes_hang_up(&d->handshakes, id);
}

static void op_prepare_socket(void *ctx, int fd, uint32_t timeout_ms)
{
	(void)ctx;
	rblk_sockopt_prepare_link(fd, timeout_ms);
}

static int op_listen(void *ctx, const struct sockaddr_storage *addr)
{
	struct daemon *d = ctx;
	char name[80];
	int rc = rblk_handshakes_listen(&d->handshakes, addr);

	rblk_sockopt_name(addr, rblk_sockopt_len(addr), name, sizeof(name));
	if (rc == -EADDRNOTAVAIL)
		rblk_log(RBLK_LOG_ERROR, NULL, NULL,
			 "cannot listen on %s: not an address of this machine; is this node \"%s\"? (see --node)",
			 name, d->engine.node_name);
	else if (rc < 0)
		rblk_log(RBLK_LOG_ERROR, NULL, NULL, "cannot listen on %s: %s%s",
			 name, strerror(-rc), rc == -EADDRINUSE ?
			 "; see who has it with 'ss -ltnp'" : "");
	return rc;
}

static int op_load_record(void *ctx, const char *resource,
			  struct rblk_store_record *record)
{
	struct daemon *d = ctx;

	return rblk_store_load(d->state_dir, resource, record);
}

static int op_save_record(void *ctx, const char *resource,
			  const struct rblk_store_record *record)
{
	struct daemon *d = ctx;

	return rblk_store_save(d->state_dir, resource, record);
}

static bool op_is_marked_off(void *ctx, const struct rblk_link_id *id)
{
	struct daemon *d = ctx;

	return rblk_rundir_is_off(d->run_dir, id->resource, id->peer);
}

static void op_mark_off(void *ctx, const struct rblk_link_id *id, bool off)
{
	struct daemon *d = ctx;

	rblk_rundir_mark_off(d->run_dir, id->resource, id->peer, off);
}

static uint64_t clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint64_t op_boottime_us(void *ctx)
{
	(void)ctx;
	return clock_us(CLOCK_BOOTTIME);
}

static uint64_t op_realtime_ms(void *ctx)
{
	(void)ctx;
	return clock_us(CLOCK_REALTIME) / 1000;
}

/* Never 0, and never a number that somebody could know. */
static uint64_t op_token(void *ctx)
{
	uint64_t value = 0;

	(void)ctx;
	if (gnutls_rnd(GNUTLS_RND_RANDOM, &value, sizeof(value)) < 0)
		abort();
	return value ? value : 1;
}

static int op_listen_udp(void *ctx, unsigned int path,
			 const struct sockaddr_storage *addr)
{
	struct daemon *d = ctx;

	return rblk_udp_listen(&d->udp, path, addr);
}

static bool op_send(void *ctx, unsigned int path,
		    const struct sockaddr_storage *addr, const uint8_t *bytes,
		    size_t n)
{
	struct daemon *d = ctx;

	return rblk_udp_send(&d->udp, path, addr, bytes, n);
}

static void datagram_came(void *ctx, unsigned int path, const uint8_t *bytes,
			  size_t n)
{
	struct daemon *d = ctx;

	(void)path;
	rblk_engine_datagram(&d->engine, bytes, n);
}

static void op_set_lease(void *ctx, const char *name, uint64_t until_ms)
{
	struct daemon *d = ctx;

	rblk_leases_set(&d->leases, name, until_ms);
}

/* A job of the arbiter's store, in libuv's pool of threads. */
struct ballot_work {
	uv_work_t work;
	struct daemon *daemon;
	struct rblk_ballot_job *job;
};

static void write_ballot(uv_work_t *work)
{
	struct ballot_work *w = work->data;

	rblk_failover_ballot_work(w->job);
}

static void ballot_written(uv_work_t *work, int status)
{
	struct ballot_work *w = work->data;

	(void)status;
	rblk_failover_written(&w->daemon->engine, w->job);
	rblk_engine_run(&w->daemon->engine);
	free(w);
}

static void op_write_ballot(void *ctx, struct rblk_ballot_job *job)
{
	struct ballot_work *w = rblk_xcalloc(1, sizeof(*w));

	w->daemon = ctx;
	w->job = job;
	w->work.data = w;
	uv_queue_work(&w->daemon->loop, &w->work, write_ballot, ballot_written);
}

static void op_fence(void *ctx, const struct rblk_config_node *node)
{
	struct daemon *d = ctx;

	rblk_fences_start(&d->fences, node);
}

static void op_ask_etcd(void *ctx, struct rblk_etcd_call *call)
{
	struct daemon *d = ctx;

	rblk_etcds_start(&d->etcds, call);
}

static void etcd_answered(void *ctx, struct rblk_etcd_call *call)
{
	struct daemon *d = ctx;

	rblk_failover_etcd_answered(&d->engine, call);
	rblk_engine_run(&d->engine);
}

static bool is_well(void *ctx)
{
	struct daemon *d = ctx;

	return rblk_failover_is_well(&d->engine);
}

static bool use_watchdog(struct daemon *d, char *why, size_t why_size)
{
	const struct rblk_config_node *node = d->engine.node;

	return rblk_watchdog_use(&d->watchdog, node->watchdog,
				 rblk_config_watchdog_seconds(d->engine.config, node),
				 d->engine.config->beat_ms, why, why_size);
}

static bool fence_is_wanted(void *ctx, uint8_t node)
{
	struct daemon *d = ctx;

	return rblk_failover_fence_is_wanted(&d->engine, node);
}

static void fence_ended(void *ctx, uint8_t node, bool off, const char *text)
{
	struct daemon *d = ctx;

	rblk_failover_fence_ended(&d->engine, node, off, text);
	rblk_engine_run(&d->engine);
}

static const struct rblk_engine_ops engine_ops = {
	.now_ms = op_now_ms,
	.random = op_random,
	.wake_at = op_wake_at,
	.submit = op_submit,
	.get = op_get,
	.dump = op_dump,
	.dial = op_dial,
	.hang_up = op_hang_up,
	.prepare_socket = op_prepare_socket,
	.listen = op_listen,
	.load_record = op_load_record,
	.save_record = op_save_record,
	.is_marked_off = op_is_marked_off,
	.mark_off = op_mark_off,
	.boottime_us = op_boottime_us,
	.realtime_ms = op_realtime_ms,
	.token = op_token,
	.listen_udp = op_listen_udp,
	.send = op_send,
	.set_lease = op_set_lease,
	.write_ballot = op_write_ballot,
	.ask_etcd = op_ask_etcd,
	.fence = op_fence,
};

/* ---- life of the process ---- */

/* What is found here is not found at three in the morning. It stops nobody. */
static bool check_agents(struct daemon *d)
{
	struct rblk_config *config = d->engine.config;

	rblk_config_check_agents(config, d->engine.node);
	rblk_diags_print(&config->diags, stderr);
	return config->diags.errors == 0;
}

static void signal_came(uv_signal_t *handle, int signum)
{
	struct daemon *d = handle->data;
	char *why = NULL, text[512];

	if (signum != SIGHUP) {
		uv_stop(&d->loop);
		return;
	}
	if (rblk_engine_load(&d->engine, &why)) {
		rblk_log(RBLK_LOG_INFO, NULL, NULL, "configuration read again");
		check_agents(d);
		if (!use_watchdog(d, text, sizeof(text)))
			rblk_log(RBLK_LOG_ERROR, NULL, NULL, "%s", text);
		return;
	}
	rblk_log(RBLK_LOG_ERROR, NULL, NULL,
		 "the new configuration is not used: %s", why);
	free(why);
}

static void catch_signals(struct daemon *d)
{
	static const int signums[3] = { SIGTERM, SIGINT, SIGHUP };
	int i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < 3; i++) {
		uv_signal_init(&d->loop, &d->signals[i]);
		d->signals[i].data = d;
		uv_signal_start(&d->signals[i], signal_came, signums[i]);
	}
}

/* A witness has nothing for the module to do. If it comes later, it is found then. */
static int start_kernel(struct daemon *d)
{
	struct rblk_genl_error err;
	int rc = rblk_kernel_open(&d->kernel, &d->loop, &d->engine, &err);

	if (rc == 0)
		return RBLK_EXIT_OK;
	if (rc == -ENOENT &&
	    !rblk_config_holds_data(d->engine.config, d->engine.node)) {
		rblk_log(RBLK_LOG_INFO, NULL, NULL,
			 "the module is not loaded, and not needed: this node holds no data");
		return RBLK_EXIT_OK;
	}
	rblk_log(RBLK_LOG_ERROR, NULL, NULL, "%s", err.text);
	return rc == -ENOENT ? RBLK_EXIT_NO_MODULE :
			       (int)rblk_exit_from_errno(-rc);
}

static int start_shells(struct daemon *d)
{
	struct rblk_genl_error err;
	char why[512];
	int rc = start_kernel(d);

	if (rc)
		return rc;
	rc = rblk_jobs_open(&d->jobs, &d->loop, &d->engine);
	if (rc < 0) {
		rblk_log(RBLK_LOG_ERROR, NULL, NULL, "%s", uv_strerror(rc));
		return RBLK_EXIT_REFUSED;
	}
	rc = rblk_leases_open(&d->leases, &d->loop, &d->engine);
	if (rc < 0) {
		rblk_log(RBLK_LOG_ERROR, NULL, NULL, "%s", uv_strerror(rc));
		return RBLK_EXIT_REFUSED;
	}
	rblk_etcds_open(&d->etcds, &d->loop, etcd_answered, d);
	rblk_fences_init(&d->fences, &d->loop, fence_ended, fence_is_wanted, d);
	rblk_udp_init(&d->udp, &d->loop, datagram_came, d);
	rblk_handshakes_init(&d->handshakes, &d->loop, &d->engine);
	if (op_listen(d, &d->engine.node->addr) < 0)
		return RBLK_EXIT_REFUSED;
	rc = rblk_control_open(&d->control, &d->loop, &d->engine, d->run_dir);
	if (rc < 0) {
		rblk_log(RBLK_LOG_ERROR, NULL, NULL,
			 "cannot listen in %s: %s", d->run_dir,
			 uv_strerror(rc));
		return RBLK_EXIT_REFUSED;
	}
	rblk_watchdog_init(&d->watchdog, &d->loop, NULL, is_well, d);
	if (!use_watchdog(d, why, sizeof(why))) {
		rblk_log(RBLK_LOG_ERROR, NULL, NULL, "%s", why);
		return RBLK_EXIT_REFUSED;
	}
	if (rblk_engine_start(&d->engine, &err) < 0) {
		rblk_log(RBLK_LOG_ERROR, NULL, NULL,
			 "cannot list resources: %s", err.text);
		return rblk_exit_from_errno(err.code);
	}
	return RBLK_EXIT_OK;
}

static int run(struct daemon *d)
{
	char why[512];
	int code;

	d->run_dir = rblk_ctl_run_dir();
	d->state_dir = rblk_ctl_state_dir();
	if (!rblk_rundir_open(d->run_dir, why, sizeof(why)) ||
	    !rblk_rundir_create(d->state_dir, why, sizeof(why))) {
		rblk_log(RBLK_LOG_ERROR, NULL, NULL, "%s", why);
		return RBLK_EXIT_REFUSED;
	}
	d->engine.state_dir = d->state_dir;
	d->engine.instance_dir = rblk_ballot_outside_dir();
	uv_loop_init(&d->loop);
	uv_timer_init(&d->loop, &d->timer);
	d->timer.data = d;
	catch_signals(d);
	code = start_shells(d);
	if (code)
		return code;
	rblk_log(RBLK_LOG_INFO, NULL, NULL, "node %s of cluster %s, %s",
		 d->engine.node_name, d->engine.config->cluster,
		 d->engine.node->address);
	rblk_notify("READY=1");
	uv_run(&d->loop, UV_RUN_DEFAULT);
	rblk_notify("STOPPING=1");
	/* The kernel goes on by itself: nothing is taken down. */
	rblk_watchdog_close(&d->watchdog, !rblk_failover_has_primary(&d->engine));
	rblk_control_close(&d->control);
	rblk_handshakes_close(&d->handshakes);
	rblk_fences_close(&d->fences);
	rblk_etcds_close(&d->etcds);
	rblk_udp_close(&d->udp);
	rblk_leases_close(&d->leases);
	rblk_kernel_close(&d->kernel);
	rblk_engine_stop(&d->engine);
	return RBLK_EXIT_OK;
}

static void usage(FILE *to)
{
	fputs("usage: rblkd [-c FILE] [--node NAME] [--check] [--debug] [--foreground]\n"
	      "\n"
	      "  -c, --config FILE  configuration (default " RBLK_CONFIG_PATH ", or $RBLK_CONFIG)\n"
	      "  --node NAME        who this machine is (default: its host name, or $RBLK_NODE)\n"
	      "  --check            check configuration and key, then exit\n"
	      "  --debug            log more\n"
	      "  --foreground       stay in the foreground (it always does)\n"
	      "  --version, --help\n", to);
}

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "node", required_argument, NULL, 'n' },
		{ "check", no_argument, NULL, 'k' },
		{ "debug", no_argument, NULL, 'd' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'n':
			o->node = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 'd':
			o->debug = true;
			break;
		case 'f':
			break;
		case 'V':
			puts("rblkd " RBLK_VERSION);
			exit(RBLK_EXIT_OK);
		case 'h':
			usage(stdout);
			exit(RBLK_EXIT_OK);
		default:
			return -1;
		}
	}
	return optind == argc ? 0 : -1;
}

static const char *from_env(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}

int main(int argc, char **argv)
{
	static struct daemon d;
	struct options o = { NULL, NULL, false, false };
	char *why = NULL;
	bool agents;

	if (parse_options(argc, argv, &o) < 0) {
		usage(stderr);
		return RBLK_EXIT_USAGE;
	}
	rblk_log_init(o.debug ? RBLK_LOG_DEBUG : RBLK_LOG_INFO,
		      getenv("JOURNAL_STREAM") != NULL);
	d.engine.ops = &engine_ops;
	d.engine.ctx = &d;
	d.engine.config_path = o.config ? o.config :
			       from_env("RBLK_CONFIG", RBLK_CONFIG_PATH);
	d.engine.wanted_node = o.node;
	if (!rblk_engine_load(&d.engine, &why)) {
		fputs(why, stderr);
		free(why);
		return RBLK_EXIT_CONFIG;
	}
	agents = check_agents(&d);
	if (o.check) {
		if (agents)
			printf("%s: ok (node %s)\n", d.engine.config_path,
			       d.engine.node_name);
		rblk_engine_stop(&d.engine);
		return agents ? RBLK_EXIT_OK : RBLK_EXIT_CONFIG;
	}
	return run(&d);
}

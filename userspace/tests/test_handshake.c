// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_handshake.c - two nodes in one process, over real sockets
 *
 * Each "module" writes to its socket the moment it gets it, as the real one
 * does; the other end must find those bytes, all of them, and nothing else.
 */
#include "test.h"

#include "fake.h"
#include "handshake.h"
#include "log.h"
#include "sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GREETING	"this belongs to the module"

struct node {
	struct fake fake;
	struct rblk_handshakes handshakes;
	uv_loop_t *loop;
};

static void dial(void *ctx, const struct rblk_link_id *id,
		 const struct sockaddr_storage *addr, uint64_t generation)
{
	struct node *n = ((struct fake *)ctx)->data;

	rblk_handshakes_dial(&n->handshakes, id, addr, generation);
}

static int listen_op(void *ctx, const struct sockaddr_storage *addr)
{
	struct node *n = ((struct fake *)ctx)->data;

	return rblk_handshakes_listen(&n->handshakes, addr);
}

static void prepare(void *ctx, int fd, uint32_t timeout_ms)
{
	(void)ctx;
	rblk_sockopt_prepare_link(fd, timeout_ms);
}

static void attached(struct fake *f, int fd)
{
	(void)f;
	assert_int_equal(write(fd, GREETING, sizeof(GREETING)),
			 sizeof(GREETING));
}

static void node_init(struct node *n, uv_loop_t *loop, const char *name)
{
	fake_init(&n->fake, name, fake_config);
	n->loop = loop;
	n->fake.data = n;
	n->fake.attached = attached;
	n->fake.ops.dial = dial;
	n->fake.ops.listen = listen_op;
	n->fake.ops.prepare_socket = prepare;
	rblk_handshakes_init(&n->handshakes, loop, &n->fake.engine);
	assert_int_equal(rblk_handshakes_listen(&n->handshakes,
						&n->fake.engine.node->addr), 0);
}

static void node_exit(struct node *n)
{
	rblk_handshakes_close(&n->handshakes);
	uv_run(n->loop, UV_RUN_NOWAIT);
	fake_exit(&n->fake);
}

static void up(struct node *n)
{
	assert_int_equal(fake_ask(&n->fake,
		"{\"schema\":\"rblk.control/1\",\"verb\":\"up\",\"resource\":\"r0\"}"),
		0);
}

static void stop(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/* Let both run until @done or for @ms. */
static void run(uv_loop_t *loop, const int *fd1, const int *fd2, unsigned int ms)
{
	bool over = false;
	uv_timer_t timer;

	uv_timer_init(loop, &timer);
	timer.data = &over;
	uv_timer_start(&timer, stop, ms, 0);
	while (!over && !(fd1 && *fd1 >= 0 && *fd2 >= 0))
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}

static void check_greeting(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char got[2 * sizeof(GREETING)];
	int user_timeout = 0;
	socklen_t len = sizeof(user_timeout);

	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_int_equal(read(fd, got, sizeof(got)), sizeof(GREETING));
	assert_string_equal(got, GREETING);
	getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, &len);
	assert_int_equal(user_timeout, 6000);
}

static void both_get_a_socket(void **state)
{
	struct node a, b;
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	node_init(&a, &loop, "alpha");
	node_init(&b, &loop, "bravo");
	up(&b);
	up(&a);
	rblk_engine_tick(&a.fake.engine);
	run(&loop, &a.fake.socket, &b.fake.socket, 4000);
	assert_true(a.fake.socket >= 0 && b.fake.socket >= 0);
	check_greeting(a.fake.socket);
	check_greeting(b.fake.socket);
	node_exit(&a);
	node_exit(&b);
	uv_loop_close(&loop);
}

static void knock_over_the_wire(void **state)
{
	struct node a, b;
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	node_init(&a, &loop, "alpha");
	node_init(&b, &loop, "bravo");
	up(&a);
	rblk_engine_tick(&a.fake.engine);
	run(&loop, NULL, NULL, 200);	/* refused: not up on bravo */
	assert_string_equal(a.fake.engine.resources->links[1].reason,
		"127.0.0.1:17791: the resource is not up on the peer");
	up(&b);
	rblk_engine_tick(&b.fake.engine);	/* knocks */
	run(&loop, NULL, NULL, 100);
	rblk_engine_tick(&a.fake.engine);	/* as the timer would */
	run(&loop, &a.fake.socket, &b.fake.socket, 4000);
	check_greeting(a.fake.socket);
	check_greeting(b.fake.socket);
	node_exit(&a);
	node_exit(&b);
	uv_loop_close(&loop);
}

static void wrong_key_is_named_on_both_sides(void **state)
{
	struct node a, b;
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	node_init(&a, &loop, "alpha");
	node_init(&b, &loop, "bravo");
	up(&b);
	up(&a);
	b.fake.engine.key[0] ^= 1;
	rblk_engine_tick(&a.fake.engine);
	run(&loop, NULL, NULL, 300);
	assert_int_equal(a.fake.socket, -1);
	assert_int_equal(b.fake.socket, -1);
	assert_non_null(strstr(a.fake.engine.resources->links[1].reason,
			       "the cluster keys differ"));
	assert_non_null(strstr(b.fake.engine.resources->links[0].reason,
			       "the cluster keys differ"));
	/* refused: not tried again for long */
	assert_true(a.fake.engine.resources->links[1].due_ms >=
		    a.fake.now_ms + 3750);
	node_exit(&a);
	node_exit(&b);
	uv_loop_close(&loop);
}

/* More strangers than there is room for, who say nothing or nonsense. */
static void strangers(void **state)
{
	struct sockaddr_storage *addr;
	struct node b;
	uv_loop_t loop;
	int fds[80], i;

	(void)state;
	uv_loop_init(&loop);
	node_init(&b, &loop, "bravo");
	addr = (void *)&b.fake.engine.node->addr;
	for (i = 0; i < 80; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(fds[i], (void *)addr,
					 rblk_sockopt_len(addr)), 0);
		if (i % 2)
			assert_int_equal(write(fds[i], "GET / HTTP/1.1\r\n\r\n",
					       18), 18);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	run(&loop, NULL, NULL, 200);
	assert_true(b.handshakes.incoming <= 64);
	for (i = 0; i < 80; i++)
		close(fds[i]);
	run(&loop, NULL, NULL, 200);
	assert_int_equal(b.handshakes.incoming, 0);
	node_exit(&b);
	uv_loop_close(&loop);
}

static void silence_is_limited(void **state)
{
	struct sockaddr_storage *addr;
	struct node b;
	uv_loop_t loop;
	char byte;
	int fd;

	(void)state;
	uv_loop_init(&loop);
	node_init(&b, &loop, "bravo");
	addr = (void *)&b.fake.engine.node->addr;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (void *)addr, rblk_sockopt_len(addr)), 0);
	assert_int_equal(write(fd, "rblk", 4), 4);
	run(&loop, NULL, NULL, RBLK_AUTH_LIMIT_MS - 500);
	assert_int_equal(b.handshakes.incoming, 1);
	run(&loop, NULL, NULL, 700);
	assert_int_equal(b.handshakes.incoming, 0);
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
	node_exit(&b);
	uv_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_get_a_socket),
		cmocka_unit_test(knock_over_the_wire),
		cmocka_unit_test(wrong_key_is_named_on_both_sides),
		cmocka_unit_test(strangers),
		cmocka_unit_test(silence_is_limited),
	};

	rblk_log_init(RBLK_LOG_ERROR, 0);
	return RUN(tests);
}

/*
 * The worker's end of the socket pair: messages of the guardian that do not fit are refused one by
 * one, and what the engine asks for arrives as the message it should be.
 */
#include "daemon/worker_state.h"

#include "conf/load.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define GENERATION 7

static const char file[] = "vrrp_instance VI_1 {\n"
			   "    interface eth1\n"
			   "    virtual_router_id 100\n"
			   "    virtual_ipaddress {\n"
			   "        10.0.0.10/24\n"
			   "    }\n"
			   "}\n"
			   "listen web\n"
			   "    bind *:80\n"
			   "    server s 10.0.0.21:80\n";

struct fixture {
	struct worker w;
	struct ipc guardian; /* the other end */
	struct ipc_message last;
	unsigned received;
};

static void
ignore_send(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to,
	    const void *pdu, size_t len)
{
}

static void
ignore_drain(void *ctx)
{
}

static void
ignore_transition(void *ctx, const struct vrrp_transition_note *note)
{
}

static const struct vrrp_ops ops = {
	.send = ignore_send,
	.claim = worker_claim,
	.release = worker_release,
	.announce = worker_announce,
	.lodge_will = worker_lodge_will,
	.drain = ignore_drain,
	.transition = ignore_transition,
};

static void
on_request(struct ipc *ipc, struct ipc_message *m)
{
	struct fixture *f = ipc->ctx;

	f->last = *m;
	f->received++;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct conf_source source = { "test.conf", file, sizeof file - 1 };
	const struct conf_options options = { .node = "lb1" };
	struct conf_report report = { 0 };
	struct worker *w = &f->w;
	int fds[2];

	w->generation = GENERATION;
	w->arena = arena_new();
	w->conf = conf_load(w->arena, &source, 1, &options, &report);
	assert_int_equal(report.errors, 0);
	assert_int_equal(loop_init(&w->loop), 0);
	w->loop.max_wait_ns = NS_PER_MS;
	assert_int_equal(health_board_init(&w->board, 1, (uint32_t)w->conf->proxies_n), 0);
	w->vrrp = vrrp_new(w->conf, &w->board, &w->loop.timers, &ops, w);
	assert_int_equal(vrrp_io_init(&w->io, &w->loop, w->conf, w->vrrp), 0);
	assert_int_equal(ipc_pair(fds), 0);
	assert_int_equal(ipc_init(&w->ipc, &w->loop, fds[0], worker_on_message, NULL, w), 0);
	assert_int_equal(ipc_init(&f->guardian, &w->loop, fds[1], on_request, NULL, f), 0);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	struct worker *w = &f->w;

	ipc_fini(&w->ipc);
	ipc_fini(&f->guardian);
	control_fini(&w->control);
	for (size_t i = 0; i < w->listeners_n; i++)
		close(w->listeners[i].fd);
	free(w->listeners);
	vrrp_io_fini(&w->io);
	vrrp_free(w->vrrp);
	health_board_fini(&w->board);
	loop_fini(&w->loop);
	arena_free(w->arena);
	free(f);
	return 0;
}

/* Sends as the guardian and lets it arrive; `fd` -1 = none.  How many were refused because of it. */
static uint64_t
say(struct fixture *f, uint32_t type, const void *payload, size_t len, int fd)
{
	uint64_t before = f->w.requests_refused;

	assert_int_equal(ipc_send(&f->guardian, type, payload, len, &fd, fd >= 0), 0);
	loop_turn(&f->w.loop);
	return f->w.requests_refused - before;
}

static void
misfits_are_refused(void **state)
{
	struct fixture *f = *state;
	const struct req_none none = { GENERATION }, old = { GENERATION - 1 };
	const struct ans_link link = { GENERATION, 99 };
	const struct ans_instance answer = { GENERATION, 99 };
	const struct req_instance ask = { GENERATION, 99 };
	const struct ans_vrrp_socket no_fd = { GENERATION, 0 };
	const struct ans_listener no_such = { GENERATION, 0, 99 };

	assert_int_equal(say(f, REQUEST_N, &none, sizeof none, -1), 1);
	assert_int_equal(say(f, UINT32_MAX, &none, sizeof none, -1), 1);
	assert_int_equal(say(f, REQUEST_STOP, NULL, 0, -1), 1);
	assert_int_equal(say(f, REQUEST_STOP, &answer, sizeof answer, -1), 1);
	assert_int_equal(say(f, REQUEST_STOP, &old, sizeof old, -1), 1);
	assert_int_equal(say(f, REQUEST_CLAIM, &ask, sizeof ask, -1), 1);
	assert_int_equal(say(f, REQUEST_LINK, &link, sizeof link, -1), 1);
	assert_int_equal(say(f, REQUEST_RENEWED, &answer, sizeof answer, -1), 1);
	assert_int_equal(say(f, REQUEST_ASK_CONFIRM, &ask, sizeof ask, -1), 1);
	assert_int_equal(say(f, REQUEST_VRRP_SOCKET, &no_fd, sizeof no_fd, -1), 1);
	assert_int_equal(say(f, REQUEST_CONTROL, &none, sizeof none, -1), 1);
	assert_int_equal(say(f, REQUEST_LISTENER, &no_such, sizeof no_such, STDIN_FILENO), 1);
	assert_int_equal(f->w.phase, WORKER_COLLECTING);
	assert_int_equal(f->received, 0);
}

static void
listeners_are_collected(void **state)
{
	struct fixture *f = *state;
	const struct ans_listener listener = { GENERATION, 0, 0 };

	assert_int_equal(say(f, REQUEST_LISTENER, &listener, sizeof listener, STDIN_FILENO), 0);
	assert_int_equal(say(f, REQUEST_LISTENER, &listener, sizeof listener, STDIN_FILENO), 0);
	assert_int_equal(f->w.listeners_n, 2);
	assert_int_not_equal(f->w.listeners[0].fd, f->w.listeners[1].fd);
	assert_true(fcntl(f->w.listeners[1].fd, F_GETFD) >= 0);

	/* Too late. */
	f->w.phase = WORKER_RUNNING;
	assert_int_equal(say(f, REQUEST_LISTENER, &listener, sizeof listener, STDIN_FILENO), 1);
	assert_int_equal(f->w.listeners_n, 2);
}

/* A refused message must not leave its descriptor open. */
static void
descriptors_of_refused_messages_are_closed(void **state)
{
	struct fixture *f = *state;
	const struct req_none none = { GENERATION };
	int fds[2];
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(say(f, REQUEST_STOP, &none, 0, fds[1]), 1);
	close(fds[1]);
	/* With its last descriptor gone the other end sees the end. */
	assert_int_equal(recv(fds[0], &byte, 1, 0), 0);
	close(fds[0]);
}

static void
engine_asks_by_index(void **state)
{
	struct fixture *f = *state;
	const struct req_instance *one = (const void *)f->last.payload;
	const struct req_lodged *lodged = (const void *)f->last.payload;

	worker_claim(&f->w, 0);
	loop_turn(&f->w.loop);
	assert_int_equal(f->last.type, REQUEST_CLAIM);
	assert_int_equal(f->last.len, sizeof *one);
	assert_int_equal(one->generation, GENERATION);
	assert_int_equal(one->instance, 0);

	worker_lodge_will(&f->w, 0, true);
	loop_turn(&f->w.loop);
	assert_int_equal(f->last.type, REQUEST_WILL);
	assert_int_equal(f->last.len, sizeof *lodged);
	assert_int_equal(lodged->lodged, 1);

	worker_release(&f->w, 0);
	worker_announce(&f->w, 0);
	worker_tell(&f->w, REQUEST_STOPPED);
	loop_turn(&f->w.loop);
	assert_int_equal(f->received, 5);
	assert_int_equal(f->last.type, REQUEST_STOPPED);
	assert_int_equal(f->last.len, sizeof(struct req_none));
}

/* A backup answers no: the guardian may not renew for it. */
static void
confirmation_is_answered(void **state)
{
	struct fixture *f = *state;
	const struct req_instance ask = { GENERATION, 0 };
	const struct req_confirm *answer = (const void *)f->last.payload;

	f->w.phase = WORKER_RUNNING;
	assert_int_equal(say(f, REQUEST_ASK_CONFIRM, &ask, sizeof ask, -1), 0);
	loop_turn(&f->w.loop);
	assert_int_equal(f->last.type, REQUEST_CONFIRM);
	assert_int_equal(answer->instance, 0);
	assert_int_equal(answer->master, 0);
}

static void
stop_before_start_ends_the_loop(void **state)
{
	struct fixture *f = *state;
	const struct req_none none = { GENERATION };

	assert_int_equal(say(f, REQUEST_STOP, &none, sizeof none, -1), 0);
	assert_int_equal(f->w.phase, WORKER_STOPPING);
	assert_true(f->w.loop.stop);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(misfits_are_refused),
		TEST(listeners_are_collected),
		TEST(descriptors_of_refused_messages_are_closed),
		TEST(engine_asks_by_index),
		TEST(confirmation_is_answered),
		TEST(stop_before_start_ends_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

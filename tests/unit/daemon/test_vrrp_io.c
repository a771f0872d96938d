/*
 * What arrives on a socket reaches the engine, in batches and on demand.  Datagrams of a socket pair
 * stand for the raw socket; the engine refuses them by name, and the test counts that.
 */
#include "daemon/vrrp_io.h"

#include "conf/load.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char file[] = "vrrp_instance VI_1 {\n"
			   "    interface eth1\n"
			   "    virtual_router_id 100\n"
			   "    virtual_ipaddress {\n"
			   "        10.0.0.10/24\n"
			   "    }\n"
			   "}\n";

struct fixture {
	struct arena *arena;
	struct conf *conf;
	struct health_board board;
	struct loop loop;
	struct vrrp *vrrp;
	struct vrrp_io io;
	int far; /* the other end of the "raw socket" */
};

static void
no_send(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to, const void *pdu,
	size_t len)
{
}

static void
no_instance(void *ctx, uint32_t instance)
{
}

static void
no_will(void *ctx, uint32_t instance, bool lodged)
{
}

static void
drain(void *ctx)
{
	struct fixture *f = ctx;

	vrrp_io_drain(&f->io);
}

static void
no_transition(void *ctx, const struct vrrp_transition_note *note)
{
}

static const struct vrrp_ops ops = {
	.send = no_send,
	.claim = no_instance,
	.release = no_instance,
	.announce = no_instance,
	.lodge_will = no_will,
	.drain = drain,
	.transition = no_transition,
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct conf_source source = { "test.conf", file, sizeof file - 1 };
	const struct conf_options options = { .node = "lb1" };
	struct conf_report report = { 0 };
	int fds[2];

	f->arena = arena_new();
	f->conf = conf_load(f->arena, &source, 1, &options, &report);
	assert_int_equal(report.errors, 0);
	assert_int_equal(health_board_init(&f->board, 0, 0), 0);
	assert_int_equal(loop_init(&f->loop), 0);
	f->loop.max_wait_ns = NS_PER_MS;
	f->vrrp = vrrp_new(f->conf, &f->board, &f->loop.timers, &ops, f);
	assert_int_equal(vrrp_io_init(&f->io, &f->loop, f->conf, f->vrrp), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(vrrp_io_add(&f->io, 0, AF_INET, fds[0]), 0);
	assert_int_equal(vrrp_io_begin(&f->io), 0);
	f->far = fds[1];
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->far);
	vrrp_io_fini(&f->io);
	vrrp_free(f->vrrp);
	loop_fini(&f->loop);
	health_board_fini(&f->board);
	arena_free(f->arena);
	free(f);
	return 0;
}

static uint64_t
refused(struct fixture *f)
{
	struct vrrp_view view;

	vrrp_view(f->vrrp, 0, f->loop.now, &view);
	return view.drops[VRRP_DROP_IP_HEADER];
}

static void
packets_reach_the_engine(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send(f->far, "x", 1, 0), 1);
	loop_turn(&f->loop);
	assert_int_equal(f->io.received, 1);
	assert_int_equal(refused(f), 1);
}

/* More than one batch, without a turn of the loop; and longer than any buffer. */
static void
drain_takes_everything(void **state)
{
	struct fixture *f = *state;
	static const char huge[8192];
	uint64_t sent = 0;

	while (sent < 5 && send(f->far, huge, sizeof huge, 0) > 0)
		sent++;
	while (send(f->far, "xyz", 3, 0) == 3)
		sent++;
	assert_int_equal(errno, EAGAIN);
	vrrp_io_drain(&f->io);
	assert_int_equal(f->io.received, sent);
	assert_int_equal(refused(f), sent);
}

/* The guardian keeps a duplicate of the old socket: it must not be heard any more. */
static void
a_new_socket_replaces_the_old(void **state)
{
	struct fixture *f = *state;
	int fds[2], duplicate = dup(f->far);

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(vrrp_io_add(&f->io, 0, AF_INET, fds[0]), 0);
	assert_true(send(duplicate, "x", 1, MSG_NOSIGNAL) < 0);
	assert_int_equal(send(fds[1], "x", 1, 0), 1);
	loop_turn(&f->loop);
	assert_int_equal(f->io.received, 1);
	close(duplicate);
	close(fds[1]);
}

static void
sending_without_a_socket_is_counted(void **state)
{
	struct fixture *f = *state;
	const struct ip source = { .family = AF_INET }, to = { .family = AF_INET };

	vrrp_io_fini(&f->io);
	assert_int_equal(vrrp_io_init(&f->io, &f->loop, f->conf, f->vrrp), 0);
	vrrp_wake(f->vrrp, mono_now());
	vrrp_io_send(&f->io, 0, &source, &to, "pdu", 3);
	vrrp_io_send(&f->io, 0, &source, &to, "pdu", 3);
	assert_int_equal(f->io.send_errors, 2);
	assert_int_equal(f->io.sent, 0);
}

/* The thread was interrupted within its turn, for longer than peers wait. */
static void
nothing_leaves_late(void **state)
{
	struct fixture *f = *state;
	const struct ip source = { .family = AF_INET }, to = { .family = AF_INET };
	struct vrrp_view view;
	char byte;

	vrrp_wake(f->vrrp, mono_add_ms(mono_now(), -3700));
	vrrp_io_send(&f->io, 0, &source, &to, "pdu", 3);
	assert_int_equal(recv(f->far, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(f->io.sent + f->io.send_errors, 0);
	vrrp_view(f->vrrp, 0, mono_now(), &view);
	assert_int_equal(view.overdue, 1);
}

/* An IPv6 socket's messages have no header; without what the kernel tells beside them they are
 * nobody's. */
static void
families_have_sockets_of_their_own(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(vrrp_io_add(&f->io, 0, AF_INET6, fds[0]), 0);
	assert_int_equal(send(f->far, "x", 1, 0), 1);
	assert_int_equal(send(fds[1], "y", 1, 0), 1);
	vrrp_io_drain(&f->io);
	assert_int_equal(f->io.received, 2);
	assert_int_equal(refused(f), 2);
	close(fds[1]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_reach_the_engine),      TEST(drain_takes_everything),
		TEST(a_new_socket_replaces_the_old), TEST(sending_without_a_socket_is_counted),
		TEST(nothing_leaves_late),           TEST(families_have_sockets_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

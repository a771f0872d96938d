/*
 * test_ipc.c - two ends in one process, and a raw end that misbehaves.
 */
#include "common/ipc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop loop;
static struct ipc left, right;
static int raw = -1; /* the other end of `right` where a test speaks for itself */

static uint32_t got_type[20000];
static struct ipc_message last;
static int got_n, closed_n, kept[IPC_FDS_MAX];
static bool keep_first, end_in_handler, echo;

static void
on_message(struct ipc *ipc, struct ipc_message *m)
{
	assert_true(got_n < 20000);
	got_type[got_n++] = m->type;
	last = *m;
	for (uint32_t i = 0; i < m->fds_n; i++)
		assert_true(fcntl(m->fds[i], F_GETFD) == FD_CLOEXEC);
	if (keep_first && m->fds_n) {
		kept[0] = m->fds[0];
		m->fds[0] = -1;
	}
	if (echo)
		assert_int_equal(ipc_send(ipc, m->type, m->payload, m->len, NULL, 0), 0);
	if (end_in_handler)
		ipc_fini(ipc);
}

static void
on_closed(struct ipc *ipc)
{
	closed_n++;
}

static int
open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void
reset(void)
{
	got_n = closed_n = 0;
	keep_first = end_in_handler = echo = false;
	memset(&last, 0, sizeof last);
}

static int
setup(void **state)
{
	int fds[2];

	reset();
	assert_int_equal(loop_init(&loop), 0);
	loop.max_wait_ns = 1; /* a turn without events ends */
	assert_int_equal(ipc_pair(fds), 0);
	assert_int_equal(ipc_init(&left, &loop, fds[0], on_message, on_closed, NULL), 0);
	assert_int_equal(ipc_init(&right, &loop, fds[1], on_message, on_closed, NULL), 0);
	return 0;
}

static int
setup_raw(void **state)
{
	int fds[2];

	reset();
	assert_int_equal(loop_init(&loop), 0);
	loop.max_wait_ns = 1;
	assert_int_equal(ipc_pair(fds), 0);
	raw = fds[0];
	assert_int_equal(ipc_init(&right, &loop, fds[1], on_message, on_closed, NULL), 0);
	return 0;
}

static int
teardown(void **state)
{
	ipc_fini(&left);
	ipc_fini(&right);
	if (raw >= 0)
		close(raw);
	raw = -1;
	memset(&left, 0, sizeof left);
	loop_fini(&loop);
	return 0;
}

/* Sends bytes as they are, with the descriptor 0 or 1 `fds_n` times beside them. */
static void
raw_send(const void *data, size_t len, size_t fds_n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(200 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fds_n) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof control);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(fds_n * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fds_n * sizeof(int));
		for (size_t i = 0; i < fds_n; i++)
			memcpy(CMSG_DATA(c) + i * sizeof raw, &raw, sizeof raw);
	}
	assert_int_equal(sendmsg(raw, &msg, MSG_NOSIGNAL), (int)len);
}

struct wire {
	uint32_t type, len, fds_n;
	unsigned char payload[8192];
};

static void
raw_message(uint32_t type, uint32_t len)
{
	struct wire w = { type, len, 0, { 0 } };

	raw_send(&w, 12 + len, 0);
}

static void
test_both_ways(void **state)
{
	unsigned char big[IPC_PAYLOAD_MAX];

	memset(big, 0x5a, sizeof big);
	echo = true;
	assert_int_equal(ipc_send(&left, 7, "hello", 6, NULL, 0), 0);
	loop_turn(&loop);
	echo = false;
	loop_turn(&loop);
	assert_int_equal(got_n, 2);
	assert_int_equal(last.type, 7);
	assert_int_equal(last.len, 6);
	assert_string_equal((char *)last.payload, "hello");

	assert_int_equal(ipc_send(&right, 8, NULL, 0, NULL, 0), 0);
	loop_turn(&loop);
	assert_int_equal(last.type, 8);
	assert_int_equal(last.len, 0);

	assert_int_equal(ipc_send(&right, 9, big, sizeof big, NULL, 0), 0);
	loop_turn(&loop);
	assert_int_equal(last.len, sizeof big);
	assert_memory_equal(last.payload, big, sizeof big);

	assert_int_equal(ipc_send(&right, 9, big, sizeof big + 1, NULL, 0), -EMSGSIZE);
	assert_int_equal(ipc_send(&right, 9, big, 0, (int *)big, IPC_FDS_MAX + 1), -EMSGSIZE);
	assert_int_equal(ipc_send(&right, 9, NULL, 0, (int[]){ 9999 }, 1), -EBADF);
}

static void
test_fds(void **state)
{
	int before, p[2], many[IPC_FDS_MAX];
	char c = 0;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	before = open_fds();
	keep_first = true;
	assert_int_equal(ipc_send(&left, 1, "x", 1, (int[]){ p[1], p[0] }, 2), 0);
	assert_int_equal(open_fds(), before);
	loop_turn(&loop);
	assert_int_equal(last.fds_n, 2);
	/* The one that was kept works, the other was closed after the handler. */
	assert_int_equal(open_fds(), before + 1);
	assert_int_equal(fcntl(last.fds[1], F_GETFD), -1);
	assert_int_equal(write(kept[0], "!", 1), 1);
	assert_int_equal(read(p[0], &c, 1), 1);
	assert_int_equal(c, '!');
	close(kept[0]);

	for (int i = 0; i < IPC_FDS_MAX; i++)
		many[i] = p[0];
	keep_first = false;
	assert_int_equal(ipc_send(&left, 1, NULL, 0, many, IPC_FDS_MAX), 0);
	loop_turn(&loop);
	assert_int_equal(last.fds_n, IPC_FDS_MAX);
	assert_int_equal(open_fds(), before);
	close(p[0]);
	close(p[1]);
}

static bool
idle(void)
{
	struct epoll_event ev;

	return epoll_wait(loop.epoll_fd, &ev, 1, 0) == 0;
}

/* More than the socket holds, a descriptor among them whose original is closed meanwhile. */
static void
test_queue(void **state)
{
	unsigned char big[IPC_PAYLOAD_MAX] = { 0 };
	int n = 0, p[2], before = open_fds();
	char c = 0;

	while (left.pending_n < 100) {
		memcpy(big, &n, sizeof n);
		assert_int_equal(ipc_send(&left, (uint32_t)n++, big, sizeof big, NULL, 0), 0);
	}
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(ipc_send(&left, (uint32_t)n++, "fd", 2, &p[1], 1), 0);
	close(p[1]);
	while (left.pending_n < 200)
		assert_int_equal(ipc_send(&left, (uint32_t)n++, NULL, 0, NULL, 0), 0);
	assert_int_equal(got_n, 0);
	/* The socket has room again, but one sent now must not overtake those that wait. */
	ipc_drain(&right);
	assert_int_equal(got_n, n - 200);
	assert_int_equal(ipc_send(&left, (uint32_t)n++, NULL, 0, NULL, 0), 0);

	/* All of it arrives in order: a turn that reads, or one that refills the socket. */
	keep_first = true;
	while (got_n < n) {
		int was = got_n;

		loop_turn(&loop);
		loop_turn(&loop);
		assert_true(got_n > was);
	}
	for (int i = 0; i < n; i++)
		assert_int_equal(got_type[i], i);
	assert_int_equal(left.pending_n, 0);
	assert_null(left.first);
	loop_turn(&loop);
	assert_true(idle()); /* nobody asks for EPOLLOUT any more */

	assert_int_equal(write(kept[0], "?", 1), 1);
	assert_int_equal(read(p[0], &c, 1), 1);
	close(kept[0]);
	close(p[0]);
	assert_int_equal(open_fds(), before);

	/* And the direct way is open again. */
	assert_int_equal(ipc_send(&left, 4711, NULL, 0, NULL, 0), 0);
	assert_int_equal(left.pending_n, 0);
	loop_turn(&loop);
	assert_int_equal(last.type, 4711);
}

/* What was queued does not leak when the connection ends first. */
static void
test_queue_freed(void **state)
{
	int before = open_fds();

	while (left.pending_n < 50)
		assert_int_equal(ipc_send(&left, 1, NULL, 0, (int[]){ 1 }, left.pending_n > 0), 0);
	assert_true(open_fds() > before);
	ipc_fini(&left);
	ipc_fini(&right);
	assert_int_equal(open_fds(), before - 2);
	assert_int_equal(closed_n, 0);
	assert_int_equal(ipc_send(&left, 1, NULL, 0, NULL, 0), -EPIPE);
}

/* A peer that never reads is given up, from the loop and not from within ipc_send. */
static void
test_queue_limit(void **state)
{
	int r;

	while ((r = ipc_send(&left, 1, NULL, 0, NULL, 0)) == 0)
		assert_true(left.pending_n <= IPC_PENDING_MAX);
	assert_int_equal(r, -EPIPE);
	assert_int_equal(left.pending_n, IPC_PENDING_MAX);
	assert_int_equal(closed_n, 0);
	for (int i = 0; i < 100 && closed_n < 2; i++)
		loop_turn(&loop);
	assert_int_equal(closed_n, 2); /* both ends */
	assert_int_equal(left.pending_n, 0);
}

static void
test_closed_once(void **state)
{
	assert_int_equal(ipc_send(&left, 1, NULL, 0, NULL, 0), 0);
	assert_int_equal(ipc_send(&left, 2, NULL, 0, NULL, 0), 0);
	ipc_fini(&left);
	for (int i = 0; i < 5; i++)
		loop_turn(&loop);
	/* The last words come before the notice. */
	assert_int_equal(got_n, 2);
	assert_int_equal(closed_n, 1);
	assert_int_equal(right.socket.fd, -1);
	assert_int_equal(ipc_send(&right, 1, NULL, 0, NULL, 0), -EPIPE);
	ipc_drain(&right);
	assert_int_equal(closed_n, 1);
}

/* A peer that dies with our messages unread gives ECONNRESET first; its last words still count. */
static void
test_closed_with_unread(void **state)
{
	assert_int_equal(ipc_send(&right, 9, NULL, 0, NULL, 0), 0);
	raw_message(1, 10);
	raw_message(2, 0);
	close(raw);
	raw = -1;
	ipc_drain(&right);
	assert_int_equal(got_n, 2);
	assert_int_equal(closed_n, 1);
}

static void
test_send_to_dead(void **state)
{
	close(raw);
	raw = -1;
	assert_int_equal(ipc_send(&right, 9, NULL, 0, NULL, 0), -EPIPE);
	assert_int_equal(closed_n, 0);
	loop_turn(&loop);
	assert_int_equal(closed_n, 1);
}

static void
test_bad_datagrams(void **state)
{
	static const struct {
		size_t size; /* of the datagram */
		uint32_t len, fds_n;
		size_t fds_sent;
		bool good;
	} row[] = {
		{ 0, 0, 0, 0, false },
		{ 0, 0, 0, 3, false },
		{ 1, 0, 0, 0, false },
		{ 11, 0, 0, 0, false },
		{ 11, 0, 1, 1, false },
		{ 12, 1, 0, 0, false },
		{ 13, 0, 0, 0, false },
		{ 20, UINT32_MAX, 0, 0, false },
		{ 12 + IPC_PAYLOAD_MAX + 1, IPC_PAYLOAD_MAX + 1, 0, 2, false },
		{ 12 + IPC_PAYLOAD_MAX + 1, IPC_PAYLOAD_MAX, 0, 0, false },
		{ 20, 8, 0, 1, false },
		{ 20, 8, 1, 0, false },
		{ 20, 8, 3, 2, false },
		{ 20, 8, IPC_FDS_MAX, IPC_FDS_MAX + 6, false },
		{ 20, 8, IPC_FDS_MAX + 6, IPC_FDS_MAX + 6, false },
		{ 12, 0, 0, 0, true },
		{ 20, 8, 2, 2, true },
		{ 12 + IPC_PAYLOAD_MAX, IPC_PAYLOAD_MAX, IPC_FDS_MAX, IPC_FDS_MAX, true },
	};
	int before = open_fds();

	/* Each alone, with a good one behind it that must come through. */
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct wire w = { 100, row[i].len, row[i].fds_n, { 0 } };

		got_n = 0;
		raw_send(&w, row[i].size, row[i].fds_sent);
		raw_message(200, 4);
		loop_turn(&loop);
		assert_int_equal(got_n, row[i].good ? 2 : 1);
		assert_int_equal(got_type[got_n - 1], 200);
		assert_int_equal(closed_n, 0);
		assert_int_equal(open_fds(), before);
	}
	/* An empty one right before the end does not swallow what is between. */
	raw_send("", 0, 0);
	raw_message(300, 0);
	close(raw);
	raw = -1;
	ipc_drain(&right);
	assert_int_equal(last.type, 300);
	assert_int_equal(closed_n, 1);
}

/* Our own descriptor table is full: the message is dropped, not delivered without descriptors. */
static void
test_table_full(void **state)
{
	struct wire w = { 1, 0, 2, { 0 } };
	int filler[4096], n = 0;

	raw_send(&w, 12, 2);
	while (n < 4096 && (filler[n] = fcntl(1, F_DUPFD_CLOEXEC, 0)) >= 0)
		n++;
	if (n < 4096) {
		close(filler[--n]); /* room for one of the two */
		ipc_drain(&right);
		assert_int_equal(got_n, 0);
		assert_true((filler[n] = fcntl(1, F_DUPFD_CLOEXEC, 0)) >= 0);
		n++;
	}
	while (n > 0)
		close(filler[--n]);
	raw_message(2, 0);
	ipc_drain(&right);
	assert_int_equal(last.type, 2);
}

/* One turn does not serve a flood for ever; nothing is lost by that. */
static void
test_bounded_turn(void **state)
{
	for (uint32_t i = 0; i < 150; i++)
		raw_message(i, 0);
	loop_turn(&loop);
	assert_in_range(got_n, 1, 149);
	ipc_drain(&right);
	assert_int_equal(got_n, 150);
}

static void
test_fini_in_handler(void **state)
{
	int before = open_fds();

	raw_send(&(struct wire){ 1, 0, 2, { 0 } }, 12, 2);
	raw_message(2, 0);
	end_in_handler = true;
	loop_turn(&loop);
	loop_turn(&loop);
	assert_int_equal(got_n, 1);
	assert_int_equal(closed_n, 0); /* it ended it itself */
	assert_int_equal(open_fds(), before - 1);
	ipc_fini(&right);
}

static void
test_init_fails(void **state)
{
	struct ipc ipc, zeroed = { 0 };

	assert_int_equal(ipc_init(&ipc, &loop, -1, on_message, on_closed, NULL), -EBADF);
	ipc_fini(&ipc);
	assert_true(fcntl(0, F_GETFD) >= 0 || dup2(1, 0) == 0);
	ipc_fini(&zeroed);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

#define PAIR_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define RAW_TEST(f)  cmocka_unit_test_setup_teardown(f, setup_raw, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(test_both_ways),
		PAIR_TEST(test_fds),
		PAIR_TEST(test_queue),
		PAIR_TEST(test_queue_freed),
		PAIR_TEST(test_queue_limit),
		PAIR_TEST(test_closed_once),
		RAW_TEST(test_closed_with_unread),
		RAW_TEST(test_send_to_dead),
		RAW_TEST(test_bad_datagrams),
		RAW_TEST(test_table_full),
		RAW_TEST(test_bounded_turn),
		RAW_TEST(test_fini_in_handler),
		RAW_TEST(test_init_fails),
	};

	log_init(&(struct log_setup){ .ident = "test", .level = LOG_EMERG });
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_health.c - what the board says for every combination of two threads, and the ring.
 */
#include "common/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define STUCK_NS (2 * NS_PER_S)

static const struct mono now = { 100 * NS_PER_S };

enum kind { NEW, BEATING, READY, LOST, SILENT, NEW_SILENT, READY_NEVER_BEAT, KINDS };

static void
set(struct health_thread *t, enum kind kind)
{
	bool silent = kind == SILENT || kind == NEW_SILENT;
	bool never = kind == NEW || kind == READY_NEVER_BEAT;

	t->beat_ns = never ? 0 : now.ns - (silent ? STUCK_NS + 1 : STUCK_NS);
	t->ready = kind != NEW && kind != BEATING && kind != NEW_SILENT;
	t->lost = kind == LOST || kind == SILENT || kind == NEW ? 1 : 0;
	t->listening = 3;
}

static enum health_proxy
alone(enum kind kind)
{
	static const enum health_proxy worth[KINDS] = {
		[NEW] = HEALTH_PROXY_STARTING,           [BEATING] = HEALTH_PROXY_STARTING,
		[READY] = HEALTH_PROXY_SERVING,          [LOST] = HEALTH_PROXY_LISTENER_LOST,
		[SILENT] = HEALTH_PROXY_STUCK,           [NEW_SILENT] = HEALTH_PROXY_STUCK,
		[READY_NEVER_BEAT] = HEALTH_PROXY_STUCK,
	};

	return worth[kind];
}

static int
rank(enum health_proxy state)
{
	static const int ranks[] = {
		[HEALTH_PROXY_SERVING] = 0,
		[HEALTH_PROXY_LISTENER_LOST] = 1,
		[HEALTH_PROXY_STARTING] = 2,
		[HEALTH_PROXY_STUCK] = 3,
	};

	return ranks[state];
}

static void
test_states(void **state)
{
	struct health_board board;

	assert_int_equal(health_board_init(&board, 2, 0), 0);
	for (enum kind a = 0; a < KINDS; a++)
		for (enum kind b = 0; b < KINDS; b++) {
			enum health_proxy want =
				rank(alone(a)) > rank(alone(b)) ? alone(a) : alone(b);

			set(&board.threads[0], a);
			set(&board.threads[1], b);
			assert_int_equal(health_proxy_state(&board, now, STUCK_NS), want);
		}
	health_board_fini(&board);
}

static void
test_beat(void **state)
{
	struct health_board board;

	assert_int_equal(health_board_init(&board, 1, 0), 0);
	assert_int_equal(health_proxy_state(&board, now, STUCK_NS), HEALTH_PROXY_STARTING);
	health_beat(&board, 0, now);
	board.threads[0].ready = true;
	assert_int_equal(health_proxy_state(&board, now, STUCK_NS), HEALTH_PROXY_SERVING);
	assert_int_equal(health_proxy_state(&board, mono_add_ns(now, STUCK_NS), STUCK_NS),
			 HEALTH_PROXY_SERVING);
	assert_int_equal(health_proxy_state(&board, mono_add_ns(now, STUCK_NS + 1), STUCK_NS),
			 HEALTH_PROXY_STUCK);
	/* A beat after the reader took its time is no silence. */
	assert_int_equal(health_proxy_state(&board, mono_add_ms(now, -5000), STUCK_NS),
			 HEALTH_PROXY_SERVING);
	health_board_fini(&board);
}

static void
test_board(void **state)
{
	struct health_board board, zeroed = { 0 };

	/* VRRP alone. */
	assert_int_equal(health_board_init(&board, 0, 0), 0);
	assert_int_equal(health_proxy_state(&board, now, STUCK_NS), HEALTH_PROXY_SERVING);
	health_board_fini(&board);
	health_board_fini(&board);

	assert_int_equal(health_board_init(&board, 3, 2), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal((uintptr_t)&board.threads[i] % 64, 0);
	assert_int_equal(board.backends[1].usable, 0);
	assert_false(board.backends[1].settled);
	health_board_fini(&board);

	/* Nothing of a board that never was is closed: its wake_fd reads 0. */
	assert_true(fcntl(0, F_GETFD) >= 0 || dup2(1, 0) == 0);
	health_board_fini(&zeroed);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

static bool
readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

static void
test_ring(void **state)
{
	struct health_board board;
	uint64_t n;

	assert_int_equal(health_board_init(&board, 1, 0), 0);
	assert_false(readable(board.wake_fd));
	health_ring(&board);
	health_ring(&board);
	assert_true(readable(board.wake_fd));
	assert_int_equal(read(board.wake_fd, &n, sizeof n), sizeof n);
	assert_int_equal(n, 2);
	assert_false(readable(board.wake_fd));
	/* A full counter does not block. */
	n = UINT64_MAX - 1;
	assert_int_equal(write(board.wake_fd, &n, sizeof n), sizeof n);
	health_ring(&board);
	health_board_fini(&board);
}

static void
test_names(void **state)
{
	assert_string_equal(health_proxy_name(HEALTH_PROXY_SERVING), "serving");
	assert_string_equal(health_proxy_name(HEALTH_PROXY_STARTING), "starting");
	assert_string_equal(health_proxy_name(HEALTH_PROXY_LISTENER_LOST), "listener lost");
	assert_string_equal(health_proxy_name(HEALTH_PROXY_STUCK), "thread stuck");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states), cmocka_unit_test(test_beat),
		cmocka_unit_test(test_board),  cmocka_unit_test(test_ring),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The control socket over a real unix socket, driven turn by turn: answers, bounds, slow clients.
 */
#include "daemon/control.h"

#include "common/addr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct loop loop;
	struct control control;
	struct sock_addr address;
	size_t answer_len; /* 0: echo the line */
};

static char *
answer(void *ctx, const char *line, size_t *len)
{
	struct fixture *f = ctx;
	char *text;

	if (strcmp(line, "nothing") == 0)
		return NULL;
	if (f->answer_len) {
		text = malloc(f->answer_len);
		memset(text, 'a', f->answer_len);
		*len = f->answer_len;
		return text;
	}
	*len = strlen(line);
	return strdup(line);
}

static int
set_up(void **state)
{
	static unsigned n;
	struct fixture *f = calloc(1, sizeof *f);
	char name[64];
	int fd;

	snprintf(name, sizeof name, "@tandem-test-control-%d-%u", (int)getpid(), n++);
	f->address = sock_addr_unix(name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, &f->address.any, f->address.len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(loop_init(&f->loop), 0);
	f->loop.max_wait_ns = NS_PER_MS;
	assert_int_equal(control_init(&f->control, &f->loop, fd, answer, f), 0);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	control_fini(&f->control);
	loop_fini(&f->loop);
	free(f);
	return 0;
}

static int
connect_client(struct fixture *f)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, &f->address.any, f->address.len), 0);
	return fd;
}

static void
turns(struct fixture *f, unsigned n)
{
	while (n--)
		loop_turn(&f->loop);
}

/* What arrives until the server closes, over at most `n` turns; -1 if it did not close. */
static ssize_t
read_all(struct fixture *f, int fd, char *buf, size_t size, unsigned n)
{
	size_t got = 0;

	while (n--) {
		ssize_t r;

		loop_turn(&f->loop);
		while ((r = recv(fd, buf + got, size - got, 0)) > 0)
			got += (size_t)r;
		if (r == 0 || errno == ECONNRESET)
			return (ssize_t)got;
	}
	return -1;
}

static void
answers_a_line_and_closes(void **state)
{
	struct fixture *f = *state;
	char buf[64];
	int fd = connect_client(f);

	assert_int_equal(send(fd, "status\r\n", 8, 0), 8);
	assert_int_equal(read_all(f, fd, buf, sizeof buf, 10), 6);
	assert_memory_equal(buf, "status", 6);
	assert_int_equal(f->control.served, 1);
	close(fd);
}

static void
a_line_may_come_in_pieces(void **state)
{
	struct fixture *f = *state;
	char buf[64];
	int fd = connect_client(f);

	assert_int_equal(send(fd, "sta", 3, 0), 3);
	turns(f, 3);
	assert_int_equal(send(fd, "tus\nmore", 8, 0), 8);
	assert_int_equal(read_all(f, fd, buf, sizeof buf, 10), 6);
	close(fd);
}

static void
too_long_a_line_is_refused(void **state)
{
	struct fixture *f = *state;
	char line[CONTROL_LINE_MAX], buf[8];
	int fd = connect_client(f);

	memset(line, 'x', sizeof line);
	assert_int_equal(send(fd, line, sizeof line, 0), sizeof line);
	assert_int_equal(read_all(f, fd, buf, sizeof buf, 10), 0);
	assert_int_equal(f->control.refused, 1);
	close(fd);
}

static void
no_answer_closes(void **state)
{
	struct fixture *f = *state;
	char buf[8];
	int fd = connect_client(f);

	assert_int_equal(send(fd, "nothing\n", 8, 0), 8);
	assert_int_equal(read_all(f, fd, buf, sizeof buf, 10), 0);
	assert_int_equal(f->control.refused, 1);
	close(fd);
}

/* An answer far above the socket's buffer leaves as the client reads. */
static void
a_long_answer_waits_for_the_reader(void **state)
{
	struct fixture *f = *state;
	size_t len = 4U << 20;
	char *buf = malloc(len + 1);
	int fd = connect_client(f);

	f->answer_len = len;
	assert_int_equal(send(fd, "x\n", 2, 0), 2);
	turns(f, 5);
	assert_int_equal(f->control.served, 0);
	assert_int_equal(read_all(f, fd, buf, len + 1, 10000), (ssize_t)len);
	assert_int_equal(f->control.served, 1);
	close(fd);
	free(buf);
}

static void
clients_beyond_the_bound_are_told_so(void **state)
{
	struct fixture *f = *state;
	int fds[CONTROL_CLIENTS_MAX], more;
	char buf[64];

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		fds[i] = connect_client(f);
		turns(f, 1);
	}
	more = connect_client(f);
	assert_true(read_all(f, more, buf, sizeof buf, 10) > 0);
	assert_int_equal(f->control.refused, 1);
	close(more);

	/* One leaves, and there is room again. */
	close(fds[3]);
	turns(f, 2);
	more = connect_client(f);
	assert_int_equal(send(more, "hello\n", 6, 0), 6);
	assert_int_equal(read_all(f, more, buf, sizeof buf, 10), 5);
	close(more);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (i != 3)
			close(fds[i]);
}

/* The deadline fires by the timers' own time: no waiting here. */
static void
a_silent_client_is_cut_off(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);
	char c;

	turns(f, 2);
	timer_heap_run(&f->loop.timers, mono_add_ms(f->loop.now, CONTROL_TIMEOUT_MS - 100));
	assert_int_equal(f->control.refused, 0);
	timer_heap_run(&f->loop.timers, mono_add_ms(f->loop.now, CONTROL_TIMEOUT_MS + 1));
	assert_int_equal(f->control.refused, 1);
	assert_int_equal(recv(fd, &c, 1, 0), 0);
	close(fd);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_a_line_and_closes),
		TEST(a_line_may_come_in_pieces),
		TEST(too_long_a_line_is_refused),
		TEST(no_answer_closes),
		TEST(a_long_answer_waits_for_the_reader),
		TEST(clients_beyond_the_bound_are_told_so),
		TEST(a_silent_client_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_deathwatch.c - a process that holds the pulse's mutex dies, and the loop hears of it; one
 * that spoils its page does not keep the guardian waiting.
 */
#include "common/loop.h"
#include "daemon/deathwatch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct loop loop;
	struct pulse *pulse;
	int fd;
	pid_t pid;
	struct deathwatch watch;
	unsigned deaths;
};

static void
on_death(void *ctx)
{
	((struct fixture *)ctx)->deaths++;
}

/* A child that adopts the pulse, says so on the pipe, does `also` and then waits to be killed. */
static void
begin(struct fixture *f, void (*also)(struct pulse *pulse))
{
	int ready[2];
	char byte;

	*f = (struct fixture){ .watch = { 0 } };
	assert_int_equal(loop_init(&f->loop), 0);
	f->fd = pulse_create(&f->pulse);
	assert_true(f->fd >= 0);
	assert_int_equal(pipe(ready), 0);
	f->pid = fork();
	if (f->pid == 0) {
		struct pulse *mine;

		if (pulse_adopt(f->fd, &mine) < 0)
			_exit(1);
		pulse_beat(mine);
		if (also)
			also(mine);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(atomic_load(&f->pulse->locked), 1);
	assert_int_equal(atomic_load(&f->pulse->beats), 1);
	assert_int_equal(deathwatch_start(&f->watch, &f->loop, f->pulse, on_death, f), 0);
}

static void
end(struct fixture *f)
{
	deathwatch_stop(&f->watch);
	deathwatch_stop(&f->watch); /* harmless */
	pulse_unmap(f->pulse);
	close(f->fd);
	loop_fini(&f->loop);
}

static void
test_death_is_heard(void **state)
{
	struct fixture f;

	begin(&f, NULL);
	kill(f.pid, SIGKILL);
	f.loop.max_wait_ns = 5 * NS_PER_S;
	loop_turn(&f.loop);
	assert_int_equal(f.deaths, 1);
	waitpid(f.pid, NULL, 0);
	end(&f);
}

static void
unlock(struct pulse *pulse)
{
	pthread_mutex_unlock(&pulse->alive);
}

static void
test_letting_go_is_death(void **state)
{
	struct fixture f;

	begin(&f, unlock);
	f.loop.max_wait_ns = 5 * NS_PER_S;
	loop_turn(&f.loop);
	assert_int_equal(f.deaths, 1);
	kill(f.pid, SIGKILL);
	waitpid(f.pid, NULL, 0);
	end(&f);
}

/* Overwrites the whole mutex, its list pointers included, with a lock of somebody else's. */
static void
spoil(struct pulse *pulse)
{
	memset(&pulse->alive, 0x11, sizeof pulse->alive);
}

static void
test_a_spoilt_page_ends_all_the_same(void **state)
{
	struct fixture f;

	begin(&f, spoil);
	kill(f.pid, SIGKILL);
	waitpid(f.pid, NULL, 0);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_death_is_heard),
		cmocka_unit_test(test_letting_go_is_death),
		cmocka_unit_test(test_a_spoilt_page_ends_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

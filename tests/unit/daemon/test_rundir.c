/*
 * test_rundir.c - one instance per run directory, and what it leaves behind.
 */
#include "daemon/rundir.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_one_instance(void **state)
{
	char parent[] = "/tmp/tandem-test-XXXXXX", dir[64], path[96];
	struct rundir first, second;
	struct stat st;

	assert_non_null(mkdtemp(parent));
	snprintf(dir, sizeof dir, "%s/run", parent);
	assert_int_equal(rundir_init(&first, dir), 0);
	assert_int_equal(rundir_publish(&first, dir, NULL), 0);
	assert_int_equal(stat(first.control, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);

	assert_int_equal(rundir_init(&second, dir), -EWOULDBLOCK);
	rundir_fini(&second);
	assert_int_equal(stat(first.control, &st), 0);

	rundir_fini(&first);
	snprintf(path, sizeof path, "%s/" RUNDIR_CONTROL, dir);
	assert_int_equal(stat(path, &st), -1);
	snprintf(path, sizeof path, "%s/" RUNDIR_PIDFILE, dir);
	assert_int_equal(stat(path, &st), -1);

	/* Again, over a socket that somebody died on, with a pid file of its own. */
	snprintf(path, sizeof path, "%s/own.pid", parent);
	assert_int_equal(rundir_init(&first, dir), 0);
	assert_int_equal(rundir_publish(&first, dir, path), 0);
	close(first.control_fd);
	close(first.lock_fd);
	assert_int_equal(rundir_init(&second, dir), 0);
	assert_int_equal(rundir_publish(&second, dir, path), 0);
	assert_int_equal(stat(path, &st), 0);
	rundir_fini(&second);
	assert_int_equal(stat(path, &st), -1);

	snprintf(path, sizeof path, "%s/" RUNDIR_LOCK, dir);
	unlink(path);
	rmdir(dir);
	rmdir(parent);
}

static void
test_no_directory(void **state)
{
	struct rundir r;

	assert_int_equal(rundir_init(&r, "/proc/nowhere/run"), -ENOENT);
	rundir_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_instance),
		cmocka_unit_test(test_no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

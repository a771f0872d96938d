/*
 * Who the worker becomes; and, run as root, that nothing is left of root afterwards.
 */
#include "daemon/realtime.h"
#include "daemon/sandbox.h"

#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
names_are_resolved(void **state)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct sandbox_identity id;
	char error[128] = "";
	uid_t uid;
	gid_t gid;

	assert_non_null(nobody);
	uid = nobody->pw_uid;
	gid = nobody->pw_gid;
	assert_int_equal(sandbox_resolve("nobody", NULL, &id, error, sizeof error), 0);
	assert_int_equal(id.uid, uid);
	assert_int_equal(id.gid, gid);
	assert_int_equal(sandbox_resolve("nobody", "root", &id, error, sizeof error), 0);
	assert_int_equal(id.uid, uid);
	assert_int_equal(id.gid, 0);
	assert_string_equal(error, "");
}

static void
default_is_never_root(void **state)
{
	struct sandbox_identity id;
	char error[128];

	assert_int_equal(sandbox_resolve(NULL, NULL, &id, error, sizeof error), 0);
	assert_int_not_equal(id.uid, 0);
	assert_int_not_equal(id.gid, 0);
}

static void
unknown_names_are_refused_by_name(void **state)
{
	struct sandbox_identity id = { 1, 2 };
	char error[128];

	assert_true(sandbox_resolve("no-such-user", NULL, &id, error, sizeof error) < 0);
	assert_string_equal(error, "user no-such-user does not exist");
	assert_true(sandbox_resolve(NULL, "no-such-group", &id, error, sizeof error) < 0);
	assert_string_equal(error, "group no-such-group does not exist");
	assert_int_equal(id.uid, 1);
}

/* The value behind a name in /proc/self/status, copied. */
static void
status_field(const char *name, char *value, size_t size)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	value[0] = '\0';
	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		snprintf(value, size, "%s", line + strlen(name) + 2);
		value[strcspn(value, "\n")] = '\0';
	}
	if (f)
		fclose(f);
}

static bool
field_is(const char *name, const char *expected)
{
	char value[256];

	status_field(name, value, sizeof value);
	if (strcmp(value, expected) == 0)
		return true;
	fprintf(stderr, "%s is \"%s\", not \"%s\"\n", name, value, expected);
	return false;
}

/* In the child: which check failed, 0 = none. */
static int
confined(void)
{
	const struct sandbox_identity id = { 4711, 4712 };
	struct rlimit core;

	/* debug: else the child could not read its own /proc entry. */
	sandbox_limits(false);
	if (sandbox_enter(&id, true) < 0)
		return 1;
	if (getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_max != 0)
		return 2;
	if (!field_is("Uid", "4711\t4711\t4711\t4711") ||
	    !field_is("Gid", "4712\t4712\t4712\t4712"))
		return 3;
	if (!field_is("CapEff", "0000000000000000") || !field_is("CapPrm", "0000000000000000") ||
	    !field_is("CapInh", "0000000000000000") || !field_is("CapBnd", "0000000000000000"))
		return 4;
	if (!field_is("NoNewPrivs", "1") || getgroups(0, NULL) != 0)
		return 5;
	if (setuid(0) == 0 || setgid(0) == 0)
		return 6;
	return 0;
}

static int
undumpable(void)
{
	const struct sandbox_identity id = { 4711, 4712 };

	return sandbox_enter(&id, false) == 0 ? prctl(PR_GET_DUMPABLE) : 9;
}

/* `user root` is allowed, but without capabilities root is nobody. */
static int
powerless_root(void)
{
	const struct sandbox_identity id = { 0, 0 };

	if (sandbox_enter(&id, true) < 0 || !field_is("CapEff", "0000000000000000"))
		return 1;
	return setgid(4712) == 0;
}

static int
in_child(int (*function)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(function());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
nothing_is_left_of_root(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(confined), 0);
	assert_int_equal(in_child(powerless_root), 0);
	assert_int_equal(in_child(undumpable), SANDBOX_LEAK_CHECKED);
}

static int
limits(void)
{
	struct rlimit files;
	size_t n = sandbox_limits(true);

	return getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur != files.rlim_max ||
	       n != files.rlim_cur;
}

static void
descriptors_are_raised_to_the_limit(void **state)
{
	assert_int_equal(in_child(limits), 0);
}

/* Where it is allowed at all, what is forked has no real-time priority. */
static int
scheduler(void)
{
	return sched_getscheduler(0) == SCHED_OTHER ? 0 : 2;
}

static int
realtime(void)
{
	if (realtime_thread() < 0)
		return 0;
	if ((sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) != SCHED_RR)
		return 1;
	return in_child(scheduler);
}

static void
realtime_is_for_one_thread(void **state)
{
	assert_int_equal(in_child(realtime), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_resolved),
		cmocka_unit_test(default_is_never_root),
		cmocka_unit_test(unknown_names_are_refused_by_name),
		cmocka_unit_test(nothing_is_left_of_root),
		cmocka_unit_test(descriptors_are_raised_to_the_limit),
		cmocka_unit_test(realtime_is_for_one_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

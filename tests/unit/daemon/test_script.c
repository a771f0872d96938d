/*
 * test_script.c - scripts with real children: what they are given, how they are ended, what checks
 * find, and that nothing is left of them.
 *
 * Each test turns a loop until the end it waits for is there, with a bound.
 */
#include "daemon/check_script.h"
#include "lab.h"
#include "scratch.h"
#include "tests/unit/margin.h"

#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop loop;
static struct script_end last;
static unsigned ends;

/* ------------------------------------------------------------------ small things */

static size_t
open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Not even a zombie counts, which may wait for whoever inherits it. */
static bool
is_alive(pid_t pid)
{
	char path[64], state = 'Z';
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	if (f)
		fclose(f);
	return state != 'Z' && state != 'X';
}

static bool
is_gone(void *ctx)
{
	return !is_alive(*(pid_t *)ctx);
}

static struct script_program __attribute__((format(printf, 1, 2))) program(const char *format, ...)
{
	struct conf_command command;
	struct script_owner owner = { .uid = geteuid(), .gid = getegid() };
	struct script_program made;
	char text[512], line[600], error[256] = "";
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	snprintf(line, sizeof line, "/bin/sh -c '%s' sh 'one word' two", text);
	command = (struct conf_command){ .line = line };
	assert_int_equal(script_program_init(&made, &command, &owner, error, sizeof error), 0);
	return made;
}

static void
on_done(struct script_run *run, const struct script_end *end)
{
	last = *end;
	ends++;
}

static bool
has_ended(void *ctx)
{
	return !script_running(ctx);
}

/* Runs it to its end. */
static void
run(const char *const *more, int64_t limit_ms, bool alone, struct script_program made)
{
	struct script_run r;

	script_run_init(&r, &loop, on_done, NULL);
	ends = 0;
	assert_int_equal(script_start(&r, &made, more, limit_ms, alone), 0);
	assert_true(lab_turn_until(&loop, has_ended, &r, WAIT_MS));
	assert_int_equal(ends, 1);
	script_run_fini(&r);
	script_program_fini(&made);
	assert_no_children();
}

/* ------------------------------------------------------------------ one child */

static void
test_arguments_and_status(void **state)
{
	static const char *const more[] = { "INSTANCE", "VI 1", "MASTER", "100", NULL };

	run(more, 0, false,
	    program("printf \"%%s\\\\n\" \"$@\" > %s; exit 3", scratch_path("args")));
	assert_string_equal(scratch_text("args"), "one word\ntwo\nINSTANCE\nVI 1\nMASTER\n100\n");
	assert_int_equal(last.status, 3);
	assert_int_equal(last.signal, 0);
	assert_false(last.timed_out);
	scratch_forget("args");
	run(NULL, 0, false, program("kill -KILL $$"));
	assert_int_equal(last.status, -1);
	assert_int_equal(last.signal, SIGKILL);
}

/* Own session and group, three streams and no more, nothing blocked or ignored, the environment. */
static void
test_surroundings(void **state)
{
	int fd = open("/dev/null", O_RDONLY); /* not close-on-exec */

	setenv("TANDEM_TEST", "yes", 1);
	signal(SIGHUP, SIG_IGN);
	run(NULL, 0, false,
	    program("set -- $(cat /proc/$$/stat); echo $(($1 == $5)) $(($1 == $6)) > %s;"
		    "ls /proc/$$/fd | tr \"\\\\n\" \" \" >> %s; grep -c \"Sig[BI].*:.0*$\" "
		    "/proc/self/status >> %s; echo $TANDEM_TEST $(umask) >> %s",
		    scratch_path("seen"), scratch_path("seen"), scratch_path("seen"),
		    scratch_path("seen")));
	signal(SIGHUP, SIG_DFL);
	close(fd);
	/* 3: what the shell itself opens for its redirection.  The signals are those of grep: the
	 * shell blocks some for moments while it waits. */
	assert_int_equal(strncmp(scratch_text("seen"), "1 1\n0 1 2 ", 10), 0);
	assert_non_null(strstr(scratch_text("seen"), "\n"));
	assert_string_equal(strrchr(scratch_text("seen"), 'y'), "yes 0177\n");
	assert_non_null(strstr(scratch_text("seen"), "2\nyes"));
	scratch_forget("seen");
}

static void
test_one_that_hangs(void **state)
{
	run(NULL, 50, true, program("sleep 1000 & wait"));
	assert_true(last.timed_out);
	assert_int_equal(last.signal, SIGTERM);
}

/* Neither does its child: the group is killed, SCRIPT_TERM_MS later. */
static void
test_one_that_ignores_sigterm(void **state)
{
	pid_t child;

	/* By then it has said so. */
	run(NULL, 1000, false,
	    program("trap \"\" TERM; sleep 1000 & echo $! > %s; while :; do wait; done",
		    scratch_path("pid")));
	assert_true(last.timed_out);
	assert_int_equal(last.signal, SIGKILL);
	assert_true(last.took_ms >= SCRIPT_TERM_MS);
	child = (pid_t)atoi(scratch_text("pid"));
	assert_true(child > 1);
	assert_true(lab_turn_until(&loop, is_gone, &child, WAIT_MS));
	scratch_forget("pid");
}

/* A check leaves nothing behind; one that is told may start a daemon. */
static void
test_children_left_behind(void **state)
{
	pid_t child;

	for (int alone = 0; alone < 2; alone++) {
		run(NULL, 0, alone, program("sleep 1000 & echo $! > %s", scratch_path("pid")));
		assert_int_equal(last.status, 0);
		child = (pid_t)atoi(scratch_text("pid"));
		assert_true(child > 1);
		if (!alone) {
			assert_true(is_alive(child));
			kill(child, SIGKILL);
		}
		assert_true(lab_turn_until(&loop, is_gone, &child, WAIT_MS));
		scratch_forget("pid");
	}
}

/* The first process of a container inherits them, and must not collect zombies. */
static void
test_strays_are_reaped(void **state)
{
	struct script_program quick = program("exit 0");
	struct script_run r;
	siginfo_t info = { 0 };

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	script_run_init(&r, &loop, on_done, NULL);
	for (int i = 0; i < 3; i++) {
		struct script_program made = program(
			"(while test -e %s; do sleep 0.01; done) & exit 0", scratch_path("wait"));

		scratch_touch("wait");
		assert_int_equal(script_start(&r, &made, NULL, 0, false), 0);
		assert_true(lab_turn_until(&loop, has_ended, &r, WAIT_MS));
		scratch_forget("wait");
		script_program_fini(&made);
	}
	/* Three of them will be there; none is left when the next script has ended. */
	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0) {
		assert_int_equal(script_start(&r, &quick, NULL, 0, false), 0);
		assert_true(lab_turn_until(&loop, has_ended, &r, WAIT_MS));
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	script_program_fini(&quick);
	assert_no_children();
}

static void
test_flood(void **state)
{
	run(NULL, 0, true, program("head -c 50000000 /dev/zero; head -c 50000000 /dev/zero >&2"));
	assert_int_equal(last.status, 0);
}

static void
test_nothing_leaks(void **state)
{
	size_t before = open_files();

	for (int i = 0; i < 50; i++)
		run(NULL, 1000, i % 2, program("exit %d", i % 3));
	assert_int_equal(open_files(), before);
}

static void
test_what_cannot_run(void **state)
{
	static const struct script_owner owner;
	static const char *const lines[] = {
		"/no/such/file", "no-such-program-anywhere", "/tmp", "/etc/passwd", "''", ""
	};
	struct script_program made;
	char error[256];

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		const struct conf_command command = { .line = lines[i] };

		assert_int_equal(script_program_init(&made, &command, &owner, error, sizeof error),
				 -1);
		assert_null(made.words);
	}
}

/* ------------------------------------------------------------------ who may change it */

static void
test_unsafe_files(void **state)
{
	struct script_program made = { .owner = { .uid = 0 } };
	const char *path = scratch_path("script");
	int fd = open(path, O_WRONLY | O_CREAT, 0700);

	close(fd);
	if (geteuid() != 0)
		skip();
	made.path = strdup(path);
	chmod(scratch_directory(), 0755); /* above it is a sticky directory, which is fine */
	assert_false(script_program_unsafe(&made));
	chmod(path, 0722);
	assert_true(script_program_unsafe(&made));
	chmod(path, 0700);
	chmod(scratch_directory(), 0777);
	assert_true(script_program_unsafe(&made));
	chmod(scratch_directory(), 0700);
	assert_int_equal(chown(path, 65534, 0), 0);
	assert_true(script_program_unsafe(&made));
	made.owner.uid = 65534;
	assert_false(script_program_unsafe(&made));
	free(made.path);
	scratch_forget("script");
}

/* ------------------------------------------------------------------ checks */

static enum script_state states[64];
static size_t states_n;

static void
keep_result(void *ctx, const struct ans_script *result)
{
	if (states_n < 64)
		states[states_n++] = (enum script_state)result->state;
	last.status = result->status;
}

static bool
has_state(void *ctx)
{
	return states_n > 0 && states[states_n - 1] == *(enum script_state *)ctx;
}

static void
wait_for_state(enum script_state wanted)
{
	assert_true(lab_turn_until(&loop, has_state, &wanted, WAIT_MS));
}

static void
test_check(void **state)
{
	char good[256];
	struct conf_track tracks[] = { { .index = 0 }, { .index = 1 }, { .index = 2 } };
	struct conf_instance instance = { .name = "VI_1",
					  .track[CONF_TRACK_SCRIPT].at = tracks,
					  .track[CONF_TRACK_SCRIPT].n = 2 };
	struct conf_script scripts[] = {
		{ .name = "chk",
		  .command = good,
		  .interval_ms = 40,
		  .rise = 2,
		  .fall = 2,
		  .timeout_ms = WAIT_MS },
		{ .name = "none",
		  .command = "/no/such/file",
		  .interval_ms = 10,
		  .rise = 1,
		  .fall = 1 },
		{ .name = "untracked", .command = good, .interval_ms = 10, .rise = 1, .fall = 1 },
	};
	struct conf conf = {
		.instances = &instance, .instances_n = 1, .scripts = scripts, .scripts_n = 3
	};
	struct check_scripts checks;

	snprintf(good, sizeof good, "test -e %s", scratch_path("good"));
	states_n = 0;
	assert_int_equal(check_scripts_init(&checks, &loop, &conf, NULL, keep_result, NULL), 0);
	check_scripts_retell(&checks); /* the untracked one is not told */
	assert_int_equal(states_n, 2);
	assert_int_equal(states[0], SCRIPT_STATE_UNKNOWN);
	assert_int_equal(states[1], SCRIPT_STATE_DISABLED);
	wait_for_state(SCRIPT_STATE_FAILED); /* the first counts at once */
	assert_int_equal(states_n, 3);
	scratch_touch("good");
	wait_for_state(SCRIPT_STATE_OK);
	scratch_forget("good");
	wait_for_state(SCRIPT_STATE_FAILED);
	assert_int_equal(last.status, 1);
	check_scripts_fini(&checks);
}

static void
test_check_that_hangs(void **state)
{
	struct conf_track track = { .index = 0 };
	struct conf_instance instance = { .name = "VI_1",
					  .track[CONF_TRACK_SCRIPT].at = &track,
					  .track[CONF_TRACK_SCRIPT].n = 1 };
	struct conf_script script = {
		.name = "chk", .command = "sleep 1000", .interval_ms = 60, .rise = 1, .fall = 1
	};
	struct conf conf = {
		.instances = &instance, .instances_n = 1, .scripts = &script, .scripts_n = 1
	};
	struct check_scripts checks;

	states_n = 0;
	assert_int_equal(check_scripts_init(&checks, &loop, &conf, NULL, keep_result, NULL), 0);
	wait_for_state(SCRIPT_STATE_FAILED);
	assert_int_equal(last.status, -1);
	check_scripts_fini(&checks);
}

static int
set_up(void **state)
{
	static const struct log_setup log = { .ident = "test", .to_stderr = true, .level = 0 };

	log_init(&log);
	return scratch_make() == 0 && loop_init(&loop) == 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
	loop_fini(&loop);
	return scratch_remove();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments_and_status),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_one_that_hangs),
		cmocka_unit_test(test_one_that_ignores_sigterm),
		cmocka_unit_test(test_children_left_behind),
		cmocka_unit_test(test_strays_are_reaped),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_nothing_leaks),
		cmocka_unit_test(test_what_cannot_run),
		cmocka_unit_test(test_unsafe_files),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_that_hangs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

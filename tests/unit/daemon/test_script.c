/*
 * test_script.c - scripts with real children: what they are given, how they are ended, in which order
 * they are told, and that nothing is left of them.
 *
 * Each test turns a loop until the end it waits for is there, with a bound.
 */
#include "daemon/check_script.h"
#include "daemon/notify.h"
#include "lab.h"

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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BOUND_MS 10000

static struct loop loop;
static char directory[] = "/tmp/tandem-script-XXXXXX";
static struct script_end last;
static unsigned ends;

/* ------------------------------------------------------------------ small things */

static const char *
in_directory(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", directory, name);
	return p;
}

/* The file's text; empty if there is none. */
static const char *
text_of(const char *name)
{
	static char text[8192];
	FILE *f = fopen(in_directory(name), "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static void
forget(const char *name)
{
	unlink(in_directory(name));
}

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

static void
assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static bool
is_alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static struct script_program program(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A shell with this text; "%s" of the format are usually paths. */
static struct script_program
program(const char *format, ...)
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
	assert_true(lab_turn_until(&loop, has_ended, &r, BOUND_MS));
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
	    program("printf \"%%s\\\\n\" \"$@\" > %s; exit 3", in_directory("args")));
	assert_string_equal(text_of("args"), "one word\ntwo\nINSTANCE\nVI 1\nMASTER\n100\n");
	assert_int_equal(last.status, 3);
	assert_int_equal(last.signal, 0);
	assert_false(last.timed_out);
	forget("args");
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
		    "/proc/$$/status >> %s; echo $TANDEM_TEST $(umask) >> %s",
		    in_directory("seen"), in_directory("seen"), in_directory("seen"),
		    in_directory("seen")));
	signal(SIGHUP, SIG_DFL);
	close(fd);
	/* 3: what the shell itself opens for its redirection. */
	assert_int_equal(strncmp(text_of("seen"), "1 1\n0 1 2 ", 10), 0);
	assert_non_null(strstr(text_of("seen"), "\n"));
	assert_string_equal(strrchr(text_of("seen"), 'y'), "yes 0177\n");
	assert_non_null(strstr(text_of("seen"), "2\nyes"));
	forget("seen");
}

static void
test_one_that_hangs(void **state)
{
	run(NULL, 50, true, program("sleep 1000 & wait"));
	assert_true(last.timed_out);
	assert_int_equal(last.signal, SIGTERM);
	assert_true(last.took_ms < SCRIPT_TERM_MS);
}

/* Neither does its child: the group is killed, SCRIPT_TERM_MS later. */
static void
test_one_that_ignores_sigterm(void **state)
{
	pid_t child;

	run(NULL, 50, false,
	    program("trap \"\" TERM; sleep 1000 & echo $! > %s; while :; do wait; done",
		    in_directory("pid")));
	assert_true(last.timed_out);
	assert_int_equal(last.signal, SIGKILL);
	assert_true(last.took_ms >= SCRIPT_TERM_MS);
	child = (pid_t)atoi(text_of("pid"));
	assert_true(child > 1);
	assert_false(is_alive(child) && getpgid(child) > 0 && last.signal != SIGKILL);
	forget("pid");
}

static bool
is_gone(void *ctx)
{
	return !is_alive(*(pid_t *)ctx);
}

/* A check leaves nothing behind; one that is told may start a daemon. */
static void
test_children_left_behind(void **state)
{
	pid_t child;

	for (int alone = 0; alone < 2; alone++) {
		run(NULL, 0, alone, program("sleep 1000 & echo $! > %s", in_directory("pid")));
		assert_int_equal(last.status, 0);
		child = (pid_t)atoi(text_of("pid"));
		assert_true(child > 1);
		if (!alone) {
			assert_true(is_alive(child));
			kill(child, SIGKILL);
		}
		assert_true(lab_turn_until(&loop, is_gone, &child, BOUND_MS));
		forget("pid");
	}
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
	const char *path = in_directory("script");
	int fd = open(path, O_WRONLY | O_CREAT, 0700);

	close(fd);
	if (geteuid() != 0)
		skip();
	made.path = strdup(path);
	chmod(directory, 0755); /* above it is a sticky directory, which is fine */
	assert_false(script_program_unsafe(&made));
	chmod(path, 0722);
	assert_true(script_program_unsafe(&made));
	chmod(path, 0700);
	chmod(directory, 0777);
	assert_true(script_program_unsafe(&made));
	chmod(directory, 0700);
	assert_int_equal(chown(path, 65534, 0), 0);
	assert_true(script_program_unsafe(&made));
	made.owner.uid = 65534;
	assert_false(script_program_unsafe(&made));
	free(made.path);
	forget("script");
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
	assert_true(lab_turn_until(&loop, has_state, &wanted, BOUND_MS));
}

static void
test_check(void **state)
{
	char good[256];
	struct conf_track_script tracks[] = { { .script = 0 }, { .script = 1 }, { .script = 2 } };
	struct conf_instance instance = { .name = "VI_1",
					  .track_scripts = tracks,
					  .track_scripts_n = 2 };
	struct conf_script scripts[] = {
		{ .name = "chk",
		  .command = good,
		  .interval_ms = 40,
		  .rise = 2,
		  .fall = 2,
		  .timeout_ms = 2000 },
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

	snprintf(good, sizeof good, "test -e %s", in_directory("good"));
	states_n = 0;
	assert_int_equal(check_scripts_init(&checks, &loop, &conf, keep_result, NULL), 0);
	check_scripts_retell(&checks); /* the untracked one is not told */
	assert_int_equal(states_n, 2);
	assert_int_equal(states[0], SCRIPT_STATE_UNKNOWN);
	assert_int_equal(states[1], SCRIPT_STATE_DISABLED);
	wait_for_state(SCRIPT_STATE_FAILED); /* the first counts at once */
	assert_int_equal(states_n, 3);
	close(open(in_directory("good"), O_WRONLY | O_CREAT, 0600));
	wait_for_state(SCRIPT_STATE_OK);
	forget("good");
	wait_for_state(SCRIPT_STATE_FAILED);
	assert_int_equal(last.status, 1);
	check_scripts_fini(&checks);
}

static void
test_check_that_hangs(void **state)
{
	struct conf_track_script track = { .script = 0 };
	struct conf_instance instance = { .name = "VI_1",
					  .track_scripts = &track,
					  .track_scripts_n = 1 };
	struct conf_script script = {
		.name = "chk", .command = "sleep 1000", .interval_ms = 60, .rise = 1, .fall = 1
	};
	struct conf conf = {
		.instances = &instance, .instances_n = 1, .scripts = &script, .scripts_n = 1
	};
	struct check_scripts checks;

	states_n = 0;
	assert_int_equal(check_scripts_init(&checks, &loop, &conf, keep_result, NULL), 0);
	wait_for_state(SCRIPT_STATE_FAILED);
	assert_int_equal(last.status, -1);
	check_scripts_fini(&checks);
}

/* ------------------------------------------------------------------ notify */

static bool told_all;

static void
on_idle(void *ctx)
{
	told_all = true;
}

static bool
is_told(void *ctx)
{
	return told_all;
}

static void
finish(struct notifier *notifier, int64_t limit_ms)
{
	told_all = notifier_stop(notifier, limit_ms);
	assert_true(lab_turn_until(&loop, is_told, NULL, BOUND_MS));
	notifier_fini(notifier);
	waitpid(-1, NULL, WNOHANG);
	assert_no_children();
}

/* Slow ones are not overtaken, and STOP is told although nobody asked. */
static void
test_order(void **state)
{
	char slow[256], quick[256], any[256];
	struct conf_instance instance = { .name = "VI_1",
					  .notify = { .master = { .line = slow },
						      .backup = { .line = quick },
						      .any = { .line = any } } };
	struct conf conf = { .instances = &instance, .instances_n = 1 };
	struct notifier notifier;

	snprintf(slow, sizeof slow, "/bin/sh -c 'sleep 0.2; echo slow >> %s'",
		 in_directory("told"));
	snprintf(quick, sizeof quick, "/bin/sh -c 'echo quick >> %s'", in_directory("told"));
	snprintf(any, sizeof any, "/bin/sh -c 'echo \"$@\" >> %s' sh", in_directory("told"));
	assert_int_equal(notifier_init(&notifier, &loop, &conf, on_idle, NULL), 0);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_MASTER, 100);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_BACKUP, 90);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_FAULT, 90);
	finish(&notifier, 5000);
	assert_string_equal(text_of("told"), "slow\nINSTANCE VI_1 MASTER 100\n"
					     "quick\nINSTANCE VI_1 BACKUP 90\n"
					     "INSTANCE VI_1 FAULT 90\nINSTANCE VI_1 STOP 90\n");
	forget("told");
}

/* One that never ends does not keep the rest from hearing of the stop. */
static void
test_stop_behind_one_that_hangs(void **state)
{
	char stop[256];
	struct conf_instance instance = { .name = "VI_1",
					  .notify = { .master = { .line = "sleep 1000" },
						      .stop = { .line = stop } } };
	struct conf conf = { .instances = &instance, .instances_n = 1 };
	struct notifier notifier;

	snprintf(stop, sizeof stop, "/bin/sh -c 'echo stop > %s'", in_directory("told"));
	assert_int_equal(notifier_init(&notifier, &loop, &conf, on_idle, NULL), 0);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_MASTER, 100);
	finish(&notifier, 200);
	assert_string_equal(text_of("told"), "stop\n");
	forget("told");
}

/* The last state gets through, whatever is left out before it. */
static void
test_too_many(void **state)
{
	char any[256];
	struct conf_instance instance = { .name = "VI_1", .notify = { .any = { .line = any } } };
	struct conf conf = { .instances = &instance, .instances_n = 1 };
	struct notifier notifier;
	size_t lines = 0;

	snprintf(any, sizeof any, "/bin/sh -c 'echo $3 >> %s' sh", in_directory("told"));
	assert_int_equal(notifier_init(&notifier, &loop, &conf, on_idle, NULL), 0);
	for (int i = 0; i < 3 * NOTIFY_QUEUE; i++)
		notifier_tell(&notifier, 0, i % 2 ? NOTIFY_EVENT_BACKUP : NOTIFY_EVENT_MASTER, 1);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_STOP, 1);
	finish(&notifier, 5000);
	for (const char *c = text_of("told"); *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, NOTIFY_QUEUE);
	assert_string_equal(text_of("told") + strlen(text_of("told")) - 5, "STOP\n");
	forget("told");
}

/* The reader gets the path last, every line, and the end. */
static void
test_fifo(void **state)
{
	char script[256], path[128], path2[128], lines[256];
	struct conf_instance instance = { .name = "VI_1" };
	struct conf conf = { .instances = &instance,
			     .instances_n = 1,
			     .notify_fifo = { .path = path, .script = { .line = script } },
			     .vrrp_notify_fifo = { .path = path2 } };
	struct notifier notifier;
	struct stat st;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s", in_directory("fifo"));
	snprintf(path2, sizeof path2, "%s", in_directory("fifo2"));
	snprintf(script, sizeof script, "/bin/sh -c 'echo $1 > %s; cat $2 >> %s' sh arg",
		 in_directory("told"), in_directory("told"));
	assert_int_equal(mkfifo(path2, 0600), 0);
	assert_int_equal(notifier_init(&notifier, &loop, &conf, on_idle, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	notifier_tell(&notifier, 0, NOTIFY_EVENT_MASTER, 100);
	/* Nobody reads the other one: the pipe keeps what it can, and nothing waits. */
	fd = open(path2, O_RDONLY | O_NONBLOCK);
	n = read(fd, lines, sizeof lines - 1);
	lines[n > 0 ? n : 0] = '\0';
	assert_string_equal(lines, "INSTANCE \"VI_1\" MASTER 100\n");
	close(fd);
	for (int i = 0; i < 5000; i++)
		notify_fifo_write(&notifier.fifos[1], "INSTANCE \"VI_1\" BACKUP 100\n");
	assert_true(notifier.fifos[1].dropped > 0);
	assert_true(notifier.fifos[1].fd >= 0);
	finish(&notifier, 5000);
	assert_string_equal(text_of("told"), "arg\nINSTANCE \"VI_1\" MASTER 100\n"
					     "INSTANCE \"VI_1\" STOP 100\n");
	assert_int_equal(stat(path, &st), -1); /* ours is removed, the other stays */
	assert_int_equal(stat(path2, &st), 0);
	unlink(path2);
	forget("told");
}

/* A plain file is never written to. */
static void
test_no_fifo(void **state)
{
	char path[128];
	struct conf_instance instance = { .name = "VI_1" };
	struct conf conf = { .instances = &instance,
			     .instances_n = 1,
			     .notify_fifo = { .path = path } };
	struct notifier notifier;

	snprintf(path, sizeof path, "%s", in_directory("plain"));
	close(open(path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(notifier_init(&notifier, &loop, &conf, on_idle, NULL), 0);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_MASTER, 100);
	finish(&notifier, 1000);
	assert_string_equal(text_of("plain"), "");
	assert_int_equal(access(path, F_OK), 0);
	forget("plain");
}

static int
set_up(void **state)
{
	static const struct log_setup log = { .ident = "test", .to_stderr = true, .level = 0 };

	log_init(&log);
	return mkdtemp(directory) && loop_init(&loop) == 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
	loop_fini(&loop);
	return rmdir(directory);
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
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_nothing_leaks),
		cmocka_unit_test(test_what_cannot_run),
		cmocka_unit_test(test_unsafe_files),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_that_hangs),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_stop_behind_one_that_hangs),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_no_fifo),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

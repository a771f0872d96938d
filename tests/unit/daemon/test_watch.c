/*
 * test_watch.c - tracked files and processes: what a number is and who matches, and the watchers as
 * real children that report.
 */
#include "daemon/process_match.h"
#include "daemon/track_file.h"
#include "daemon/watchers.h"
#include "lab.h"
#include "scratch.h"
#include "tests/unit/margin.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ------------------------------------------------------------------ pure */

/* As keepalived 2.2.7 was seen to read them. */
static void
test_numbers(void **state)
{
	static const struct {
		const char *text;
		int32_t value;
	} table[] = {
		{ "5\n", 5 },
		{ "0x10\n", 16 },
		{ "  7 \n", 7 },
		{ "7 abc\n", 7 },
		{ "abc", 0 },
		{ "", 0 },
		{ "-3", -3 },
		{ "010\n", 8 },
		{ "+4", 4 },
		{ "1.5", 1 },
		{ "2147483647", INT32_MAX },
		{ "-2147483648", INT32_MIN },
	};
	int32_t value;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		value = 99;
		assert_int_equal(track_file_value(table[i].text, strlen(table[i].text), &value), 0);
		assert_int_equal(value, table[i].value);
	}
	value = 99;
	assert_int_equal(track_file_value("99999999999\n", 12, &value), -ERANGE);
	assert_int_equal(track_file_value("2147483648", 10, &value), -ERANGE);
	assert_int_equal(value, 99);
	assert_int_equal(track_file_value("12345", 2, &value), 0); /* no NUL at the end */
	assert_int_equal(value, 12);
}

#define WORDS(...)                \
	(const char *[])          \
	{                         \
		__VA_ARGS__, NULL \
	}

/* The counts of keepalived 2.2.7 for these command lines. */
static void
test_matches(void **state)
{
	static const struct {
		const char *name, *line;
		size_t len;
	} processes[] = {
		{ "sleep",
		  "sleep\0"
		  "7771\0"
		  "7772",
		  16 },
		{ "sleep",
		  "/usr/bin/sleep\0"
		  "7773",
		  20 },
		{ "sleep",
		  "sleep\0"
		  "7774",
		  11 },
		{ "script.sh",
		  "/bin/sh\0/d/script.sh\0"
		  "7775",
		  26 },
		{ "a_name_of_more_",
		  "d/a_name_of_more_than_fifteen\0"
		  "33",
		  33 },
	};
	const struct {
		struct conf_track_process conf;
		const char *matched; /* a letter for each process, 1 or 0 */
	} table[] = {
		{ { .words = WORDS("sleep"), .words_n = 1 }, "11100" },
		{ { .words = WORDS("/usr/bin/sleep"), .words_n = 1 }, "00000" },
		{ { .words = WORDS("sleep 7771"), .words_n = 1, .full_command = true }, "00000" },
		{ { .words = WORDS("sleep", "7771", "7772"), .words_n = 3 }, "10000" },
		{ { .words = WORDS("sleep", "7771"), .words_n = 2 }, "00000" },
		{ { .words = WORDS("sleep", "7771"), .words_n = 2, .match = CONF_PARAM_PARTIAL },
		  "10000" },
		{ { .words = WORDS("sleep", "777"), .words_n = 2, .match = CONF_PARAM_INITIAL },
		  "10100" },
		{ { .words = WORDS("sleep", "7771", "77"),
		    .words_n = 3,
		    .match = CONF_PARAM_INITIAL },
		  "10000" },
		{ { .words = WORDS("sleep", "7771", "77"),
		    .words_n = 3,
		    .match = CONF_PARAM_PARTIAL },
		  "00000" },
		{ { .words = WORDS("/usr/bin/sleep", "7773"), .words_n = 2 }, "01000" },
		{ { .words = WORDS("sleep"), .words_n = 1, .full_command = true }, "10100" },
		{ { .words = WORDS("sleep"), .words_n = 1, .match = CONF_PARAM_PARTIAL }, "10100" },
		{ { .words = WORDS("sleep", "7774"), .words_n = 2 }, "00100" },
		{ { .words = WORDS("/bin/sh", "/d/script.sh", "7775"), .words_n = 3 }, "00010" },
		{ { .words = WORDS("script.sh"), .words_n = 1 }, "00010" },
		{ { .words = WORDS("a_name_of_more_"), .words_n = 1 }, "00001" },
		{ { .words = WORDS("a_name_of_more_than_fifteen"), .words_n = 1 }, "00000" },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (size_t j = 0; j < 5; j++)
			assert_int_equal(process_match(&table[i].conf, processes[j].name,
						       processes[j].line, processes[j].len),
					 table[i].matched[j] == '1');
}

/* A process may have no command line at all, or one of nothing but ends of words. */
static void
test_odd_lines(void **state)
{
	const struct conf_track_process conf = { .words = WORDS("a", "b"), .words_n = 2 };
	const struct conf_track_process empty = { .words = WORDS("", ""), .words_n = 2 };

	assert_false(process_match(&conf, "a", NULL, 0));
	assert_false(process_match(&conf, "a", "\0\0\0", 3));
	assert_false(process_match(&conf, "a", "a", 1));
	assert_true(process_match(&conf, "x", "a\0b", 3));
	assert_true(process_match(&conf, "x", "a\0b\0", 4));
	assert_false(process_match(&conf, "x", "a\0b\0\0", 5));
	assert_true(process_match(&empty, "x", "\0\0", 2));
}

/* ------------------------------------------------------------------ children */

static struct loop loop;
static struct watchers watchers;
static char file_path[256];
static struct conf_track_file files[2];
static struct conf_track_process processes[1];
static struct conf_track file_tracks[1], process_tracks[1];
static struct conf_instance instance;
static struct conf conf;
static struct ans_watched last[2]; /* by kind */
static unsigned told_n;

static void
on_watched(void *ctx, const struct ans_watched *watched)
{
	assert_true(watched->kind <= WATCH_KIND_PROCESS);
	last[watched->kind] = *watched;
	told_n++;
}

/* A name that no other process has. */
static void
be_called(const char *name)
{
	prctl(PR_SET_NAME, name);
}

static int
setup(void **state)
{
	static char name[16];
	static const char *words[2];

	assert_int_equal(loop_init(&loop), 0);
	snprintf(file_path, sizeof file_path, "%s", scratch_path("value"));
	snprintf(name, sizeof name, "tdw%d", (int)getpid());
	words[0] = name;
	files[0] = (struct conf_track_file){ .name = "f", .path = file_path, .weight = 1 };
	files[1] = (struct conf_track_file){ .name = "untracked", .path = "/nowhere", .weight = 1 };
	processes[0] = (struct conf_track_process){
		.name = "p", .words = words, .words_n = 1, .quorum = 1, .quorum_max = UINT32_MAX
	};
	file_tracks[0] = process_tracks[0] = (struct conf_track){ .weight = 1 };
	instance = (struct conf_instance){
		.track[CONF_TRACK_FILE] = { file_tracks, 1 },
		.track[CONF_TRACK_PROCESS] = { process_tracks, 1 },
	};
	conf = (struct conf){
		.instances = &instance,
		.instances_n = 1,
		.track_files = files,
		.track_files_n = 2,
		.track_processes = processes,
		.track_processes_n = 1,
	};
	memset(last, 0xff, sizeof last);
	told_n = 0;
	return 0;
}

static int
teardown(void **state)
{
	watchers_fini(&watchers);
	loop_fini(&loop);
	scratch_forget("value");
	/* watchers_fini has ended them, but waits for a moment only. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	assert_no_children();
	return 0;
}

static int
make_scratch(void **state)
{
	return scratch_make();
}

static int
remove_scratch(void **state)
{
	return scratch_remove();
}

static void
begin(bool again)
{
	assert_int_equal(watchers_init(&watchers, &loop, &conf, again, on_watched, NULL), 0);
}

static bool
has_value(void *ctx)
{
	const struct ans_watched *wanted = ctx;

	return last[wanted->kind].kind == wanted->kind && last[wanted->kind].value == wanted->value;
}

static void
wait_for(enum watch_kind kind, int32_t value)
{
	struct ans_watched wanted = { .kind = kind, .value = value };

	assert_true(lab_turn_until(&loop, has_value, &wanted, WAIT_MS));
	assert_int_equal(last[kind].index, 0);
}

static void
write_value(const char *text)
{
	FILE *f = fopen(file_path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Written, replaced, removed, and back. */
static void
test_file(void **state)
{
	char other[300];

	begin(false);
	wait_for(WATCH_KIND_FILE, 0);
	write_value("5\n");
	wait_for(WATCH_KIND_FILE, 5);
	write_value("99999999999"); /* too large: the last one holds */
	write_value("-7");
	wait_for(WATCH_KIND_FILE, -7);
	snprintf(other, sizeof other, "%s.new", file_path);
	assert_int_equal(rename(file_path, other), 0);
	wait_for(WATCH_KIND_FILE, 0);
	assert_int_equal(rename(other, file_path), 0);
	wait_for(WATCH_KIND_FILE, -7);
	assert_int_equal(unlink(file_path), 0);
	wait_for(WATCH_KIND_FILE, 0);
}

/* init_file writes once: neither over what is there, nor again after a reload. */
static void
test_init_file(void **state)
{
	files[0].init = true;
	files[0].init_value = 42;
	begin(false);
	wait_for(WATCH_KIND_FILE, 42);
	assert_string_equal(scratch_text("value"), "42\n");
	watchers_fini(&watchers);
	write_value("1");
	begin(false);
	wait_for(WATCH_KIND_FILE, 1);
	watchers_fini(&watchers);
	files[0].overwrite = true;
	begin(true);
	wait_for(WATCH_KIND_FILE, 1);
	watchers_fini(&watchers);
	begin(false);
	wait_for(WATCH_KIND_FILE, 42);
}

static pid_t
start_process(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_called(processes[0].words[0]);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void
end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
test_processes(void **state)
{
	pid_t first = start_process(), second;

	begin(false);
	wait_for(WATCH_KIND_PROCESS, 1);
	second = start_process();
	wait_for(WATCH_KIND_PROCESS, 2);
	end_process(first);
	wait_for(WATCH_KIND_PROCESS, 1);
	end_process(second);
	wait_for(WATCH_KIND_PROCESS, 0);
	print_message("processes are watched by %s\n", watchers.events ? "events" : "polling");
}

/* A worker that is new hears what is known. */
static void
test_retell(void **state)
{
	write_value("3");
	begin(false);
	wait_for(WATCH_KIND_FILE, 3);
	wait_for(WATCH_KIND_PROCESS, 0);
	memset(last, 0xff, sizeof last);
	told_n = 0;
	watchers_retell(&watchers);
	assert_int_equal(told_n, 2);
	assert_int_equal(last[WATCH_KIND_FILE].value, 3);
	assert_int_equal(last[WATCH_KIND_PROCESS].value, 0);
}

/* One that is killed is started again, and reports what has happened meanwhile. */
static void
test_watcher_returns(void **state)
{
	begin(false);
	wait_for(WATCH_KIND_FILE, 0);
	kill(watchers.files.pid, SIGKILL);
	write_value("8");
	wait_for(WATCH_KIND_FILE, 8);
}

/* Nothing that is tracked, nobody that watches. */
static void
test_nothing_to_watch(void **state)
{
	instance.track[CONF_TRACK_FILE].n = instance.track[CONF_TRACK_PROCESS].n = 0;
	begin(false);
	assert_int_equal(watchers.files.pid, 0);
	assert_int_equal(watchers.processes.pid, 0);
}

#define CHILD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_odd_lines),
		CHILD(test_file),
		CHILD(test_init_file),
		CHILD(test_processes),
		CHILD(test_retell),
		CHILD(test_watcher_returns),
		CHILD(test_nothing_to_watch),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}

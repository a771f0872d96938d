/*
 * test_notify.c - notify scripts and FIFOs with real children: in which order they are told, and that
 * a stop is told in any case.
 */
#include "daemon/notify.h"
#include "lab.h"
#include "scratch.h"
#include "tests/unit/margin.h"

#include "common/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop loop;
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
	assert_true(lab_turn_until(&loop, is_told, NULL, WAIT_MS));
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
		 scratch_path("told"));
	snprintf(quick, sizeof quick, "/bin/sh -c 'echo quick >> %s'", scratch_path("told"));
	snprintf(any, sizeof any, "/bin/sh -c 'echo \"$@\" >> %s' sh", scratch_path("told"));
	assert_int_equal(notifier_init(&notifier, &loop, &conf, NULL, on_idle, NULL), 0);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_MASTER, 100);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_BACKUP, 90);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_FAULT, 90);
	finish(&notifier, WAIT_MS);
	assert_string_equal(scratch_text("told"),
			    "slow\nINSTANCE VI_1 MASTER 100\n"
			    "quick\nINSTANCE VI_1 BACKUP 90\n"
			    "INSTANCE VI_1 FAULT 90\nINSTANCE VI_1 STOP 90\n");
	scratch_forget("told");
}

/* Whoever believes to be master learns that the worker is gone; nobody else does. */
static void
test_orphans(void **state)
{
	char any[256];
	struct conf_instance instance = { .name = "A", .notify = { .any = { .line = any } } };
	struct conf conf = { .instances = &instance, .instances_n = 1 };
	struct notifier notifier;

	snprintf(any, sizeof any, "/bin/sh -c 'echo $2 $3 >> %s' sh", scratch_path("told"));
	assert_int_equal(notifier_init(&notifier, &loop, &conf, NULL, on_idle, NULL), 0);
	notifier_orphan(&notifier);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_MASTER, 100);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_MASTER_RX_LOWER_PRI, 100);
	notifier_orphan(&notifier);
	notifier_orphan(&notifier);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_BACKUP, 100);
	notifier_orphan(&notifier);
	finish(&notifier, WAIT_MS);
	assert_string_equal(scratch_text("told"), "A MASTER\nA FAULT\nA BACKUP\nA STOP\n");
	scratch_forget("told");
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

	snprintf(stop, sizeof stop, "/bin/sh -c 'echo stop > %s'", scratch_path("told"));
	assert_int_equal(notifier_init(&notifier, &loop, &conf, NULL, on_idle, NULL), 0);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_MASTER, 100);
	finish(&notifier, 200);
	assert_string_equal(scratch_text("told"), "stop\n");
	scratch_forget("told");
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

	snprintf(any, sizeof any, "/bin/sh -c 'echo $3 >> %s' sh", scratch_path("told"));
	assert_int_equal(notifier_init(&notifier, &loop, &conf, NULL, on_idle, NULL), 0);
	for (int i = 0; i < 3 * NOTIFY_QUEUE; i++)
		notifier_tell(&notifier, 0, i % 2 ? NOTIFY_EVENT_BACKUP : NOTIFY_EVENT_MASTER, 1);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_STOP, 1);
	finish(&notifier, WAIT_MS);
	for (const char *c = scratch_text("told"); *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, NOTIFY_QUEUE);
	assert_string_equal(scratch_text("told") + strlen(scratch_text("told")) - 5, "STOP\n");
	scratch_forget("told");
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

	snprintf(path, sizeof path, "%s", scratch_path("fifo"));
	snprintf(path2, sizeof path2, "%s", scratch_path("fifo2"));
	snprintf(script, sizeof script, "/bin/sh -c 'echo $1 > %s; cat $2 >> %s' sh arg",
		 scratch_path("told"), scratch_path("told"));
	assert_int_equal(mkfifo(path2, 0600), 0);
	assert_int_equal(notifier_init(&notifier, &loop, &conf, NULL, on_idle, NULL), 0);
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
		notify_fifo_write(notifier.fifos[1], "INSTANCE \"VI_1\" BACKUP 100\n");
	assert_true(notifier.fifos[1]->dropped > 0);
	assert_true(notifier.fifos[1]->fd >= 0);
	finish(&notifier, WAIT_MS);
	assert_string_equal(scratch_text("told"), "arg\nINSTANCE \"VI_1\" MASTER 100\n"
						  "INSTANCE \"VI_1\" STOP 100\n");
	assert_int_equal(stat(path, &st), -1); /* ours is removed, the other stays */
	assert_int_equal(stat(path2, &st), 0);
	unlink(path2);
	scratch_forget("told");
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

	snprintf(path, sizeof path, "%s", scratch_path("plain"));
	scratch_touch("plain");
	assert_int_equal(notifier_init(&notifier, &loop, &conf, NULL, on_idle, NULL), 0);
	notifier_tell(&notifier, 0, NOTIFY_EVENT_MASTER, 100);
	finish(&notifier, WAIT_MS);
	assert_string_equal(scratch_text("plain"), "");
	assert_int_equal(access(path, F_OK), 0);
	scratch_forget("plain");
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
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_orphans),
		cmocka_unit_test(test_stop_behind_one_that_hangs),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_no_fifo),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

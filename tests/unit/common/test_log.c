/*
 * test_log.c - the lines as they arrive on stderr and at a syslog socket of our own.
 */
#include "common/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/addr.h"
#include "common/log_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STAMP "[A-Z][a-z][a-z] [ 123][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]"

/* stderr becomes a pipe for the time of a test. */
static int real_stderr = -1, pipe_fd[2];

static void
capture(void)
{
	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK), 0);
	/* The writing end must be able to block, so that not blocking is our merit. */
	assert_int_equal(fcntl(pipe_fd[1], F_SETFL, 0), 0);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	assert_true(real_stderr >= 0);
	assert_int_equal(dup2(pipe_fd[1], STDERR_FILENO), STDERR_FILENO);
}

static int
release(void **state)
{
	if (real_stderr >= 0) {
		dup2(real_stderr, STDERR_FILENO);
		close(real_stderr);
		close(pipe_fd[0]);
		close(pipe_fd[1]);
		real_stderr = -1;
	}
	log_set_role(NULL);
	return 0;
}

static const char *
captured(void)
{
	static char buf[65536 + 1];
	ssize_t n = read(pipe_fd[0], buf, sizeof buf - 1);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void
assert_match(const char *s, const char *pattern)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&re, s, 0, NULL, 0) != 0)
		fail_msg("'%s' does not match '%s'", s, pattern);
	regfree(&re);
}

static void
use_stderr(int level)
{
	log_init(&(struct log_setup){
		.ident = "tandem", .to_stderr = true, .facility = LOG_DAEMON, .level = level });
}

static void
test_stderr(void **state)
{
	capture();
	use_stderr(LOG_INFO);
	log_notice("(%s) Entering %s STATE", "VI_1", "MASTER");
	assert_match(captured(),
		     "^" STAMP "\\.[0-9]{3} tandem: \\(VI_1\\) Entering MASTER STATE\n$");
	log_set_role("worker");
	errno = ENOENT;
	log_error("open: %m\n");
	assert_int_equal(errno, ENOENT);
	assert_match(captured(), " tandem\\[worker\\]: open: No such file or directory\n$");
}

static void
test_level(void **state)
{
	capture();
	use_stderr(LOG_INFO);
	log_debug("hidden");
	assert_string_equal(captured(), "");
	log_info("seen");
	assert_match(captured(), "seen\n$");
	use_stderr(LOG_DEBUG);
	log_debug("seen too");
	assert_match(captured(), "seen too\n$");
}

static void
test_sanitised(void **state)
{
	capture();
	use_stderr(LOG_INFO);
	log_info("%s", "a\nNov 20 forged\r\x1b[2Jb\tc\x7f \xc3\xa9");
	assert_match(captured(), ": a\\?Nov 20 forged\\?\\?\\[2Jb c\\? \xc3\xa9\n$");
}

static void
test_long(void **state)
{
	char *big = malloc(10000);
	const char *line;

	memset(big, 'z', 9999);
	big[9999] = '\0';
	capture();
	use_stderr(LOG_INFO);
	log_info("%s", big);
	line = captured();
	assert_in_range(strlen(line), 1000, 4096);
	assert_match(line, "z\\.\\.\\.\n$");
	free(big);
}

/* Nobody reads: lines are dropped and counted, and the caller goes on. */
static void
test_full_stderr(void **state)
{
	uint64_t before = log_dropped();

	capture();
	use_stderr(LOG_INFO);
	for (int i = 0; i < 3000; i++)
		log_info("line %d of those that fill a pipe of 64 KiB", i);
	assert_in_range(log_dropped() - before, 1, 2999);
	captured();
	before = log_dropped();
	log_info("room again");
	assert_int_equal(log_dropped(), before);
}

/* Room for a part of it, as for somebody whose room another has taken meanwhile: this returns, or it
 * hangs. */
static void
test_no_room_after_all(void **state)
{
	char pages[3 * 4096];

	memset(pages, 'x', sizeof pages);
	capture();
	assert_int_equal(fcntl(pipe_fd[1], F_SETPIPE_SZ, 4096), 4096);
	use_stderr(LOG_INFO);
	assert_false(log_stream_write(STDERR_FILENO, pages, sizeof pages));
	assert_int_equal(strlen(captured()), 4096);
	/* What comes next is on a line of its own. */
	assert_true(log_stream_write(STDERR_FILENO, "next\n", 5));
	assert_true(log_stream_write(STDERR_FILENO, "one\n", 4));
	assert_string_equal(captured(), "\nnext\none\n");
}

/* More than a pipe takes in one piece: whole where there is room, whoever opened the pipe. */
static void
test_longer_than_a_piece(void **state)
{
	char line[20000];

	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\n';
	capture();
	use_stderr(LOG_INFO);
	assert_true(log_stream_write(STDERR_FILENO, line, sizeof line));
	assert_int_equal(strlen(captured()), sizeof line);
}

/* As systemd has it: standard error is a socket, and nobody reads. */
static void
test_full_socket(void **state)
{
	uint64_t before = log_dropped();
	int fds[2];

	capture();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	use_stderr(LOG_INFO);
	for (int i = 0; i < 20000; i++)
		log_info("line %d of those that fill a socket", i);
	assert_in_range(log_dropped() - before, 1, 19999);
	close(fds[0]);
	close(fds[1]);
}

static void
test_silenced(void **state)
{
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0), nowhere = open("/dev/null", O_WRONLY);
	uint64_t before = log_dropped();
	bool both;

	capture();
	use_stderr(LOG_INFO);
	log_info("before");
	log_streams_silence(nowhere);
	log_info("after");
	both = log_stream_write(STDOUT_FILENO, "after\n", 6);
	dup2(out, STDOUT_FILENO); /* what cmocka says goes there */
	close(out);
	close(nowhere);
	assert_match(captured(), ": before\n$");
	assert_true(both);
	assert_int_equal(log_dropped(), before);
}

static void *
log_lines(void *arg)
{
	for (int i = 0; i < 100; i++)
		log_info("<%s %03d abcdefghijklmnopqrstuvwxyz>", (const char *)arg, i);
	return NULL;
}

static void
test_threads(void **state)
{
	char name[4][2] = { "a", "b", "c", "d" };
	pthread_t thread[4];
	int lines = 0;

	capture();
	use_stderr(LOG_INFO);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, log_lines, name[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (const char *p = captured(), *end; (end = strchr(p, '\n')); p = end + 1, lines++) {
		char line[200];

		assert_true(end - p < 200);
		memcpy(line, p, (size_t)(end - p));
		line[end - p] = '\0';
		assert_match(line, "^" STAMP "\\.[0-9]{3} tandem: <[abcd] [0-9]{3} "
				   "abcdefghijklmnopqrstuvwxyz>$");
	}
	assert_int_equal(lines, 400);
}

/* ---- syslog ---- */

static char dir[] = "/tmp/tandem-test-log-XXXXXX", path[64];

static int
serve(void)
{
	struct sock_addr sa = sock_addr_unix(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, &sa.any, sa.len), 0);
	return fd;
}

static void
use_syslog(void)
{
	log_init(&(struct log_setup){ .ident = "tandem",
				      .to_syslog = true,
				      .facility = LOG_LOCAL3,
				      .level = LOG_INFO,
				      .syslog_path = path });
}

static const char *
datagram(int fd)
{
	static char buf[8192];
	ssize_t n = recv(fd, buf, sizeof buf - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static int
syslog_setup(void **state)
{
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/log", dir);
	return 0;
}

static int
syslog_teardown(void **state)
{
	unlink(path);
	return rmdir(dir);
}

static void
test_syslog(void **state)
{
	char pattern[200];
	uint64_t before;
	int fd = serve(), n;

	use_syslog();
	log_set_role("guardian");
	log_warning("line\n");
	/* local3 = 19, warning = 4: 19 * 8 + 4 */
	snprintf(pattern, sizeof pattern, "^<156>" STAMP " tandem\\[%d\\]: line$", (int)getpid());
	assert_match(datagram(fd), pattern);
	log_set_role(NULL);
	log_alert("x");
	assert_match(datagram(fd), "^<153>.*\\]: x$");

	/* A daemon that does not read: no line blocks. */
	before = log_dropped();
	for (int i = 0; i < 5000; i++)
		log_info("flood");
	assert_in_range(log_dropped() - before, 1, 4999);
	for (n = 0; *datagram(fd); n++)
		;
	assert_int_equal(n + (int)(log_dropped() - before), 5000);

	/* A new one in its place is found by the next line. */
	close(fd);
	unlink(path);
	fd = serve();
	before = log_dropped();
	log_info("after the restart");
	assert_match(datagram(fd), "after the restart$");
	assert_int_equal(log_dropped(), before);
	close(fd);
	unlink(path);

	/* None at all: dropped, and found when it comes (the first attempt is not rate limited). */
	use_syslog();
	log_info("nobody listens");
	assert_int_equal(log_dropped(), before + 1);
	fd = serve();
	use_syslog();
	log_info("somebody does");
	assert_match(datagram(fd), "somebody does$");
	close(fd);
	unlink(path);
}

/* What another connects, with no way to the path left. */
static void
test_adopted_socket(void **state)
{
	const struct sock_addr *address;
	int fd = serve(), ours = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sock_addr where = sock_addr_unix(path);

	use_syslog();
	assert_true(log_socket(&address) >= 0);
	assert_true(sock_addr_equal(address, &where));
	log_adopt_socket(ours);
	close(fd);
	unlink(path);
	log_info("nobody listens");
	fd = serve();
	assert_int_equal(connect(ours, &where.any, where.len), 0);
	close(ours);
	log_info("through the adopted one");
	assert_match(datagram(fd), "through the adopted one$");
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_stderr, release),
		cmocka_unit_test_teardown(test_level, release),
		cmocka_unit_test_teardown(test_sanitised, release),
		cmocka_unit_test_teardown(test_long, release),
		cmocka_unit_test_teardown(test_full_stderr, release),
		cmocka_unit_test_teardown(test_no_room_after_all, release),
		cmocka_unit_test_teardown(test_longer_than_a_piece, release),
		cmocka_unit_test_teardown(test_full_socket, release),
		cmocka_unit_test_teardown(test_silenced, release),
		cmocka_unit_test_teardown(test_threads, release),
		cmocka_unit_test_setup(test_syslog, syslog_setup),
		cmocka_unit_test_teardown(test_adopted_socket, syslog_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Sockets towards log daemons: each path once, connected as soon as somebody listens and again when
 * somebody else does; what was handed out before goes on to work.
 */
#include "daemon/log_sockets.h"

#include "conf/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/tandem-test-logs-XXXXXX", paths[2][64];

static const struct conf *
load(struct arena *arena)
{
	const char *text = arena_printf(arena,
					"global\n\tlog %s local0\n\tlog 127.0.0.1 local0\n"
					"\tlog abns@name local0\n"
					"listen a\n\tlog global\n\tlog unix@%s local1\n"
					"\tlog %s local2\n\tbind :1\n\tserver s 127.0.0.1:2\n",
					paths[0], paths[0], paths[1]);
	const struct conf_source source = { "test", text, strlen(text) };
	const struct conf_options options = { .node = "lb1" };
	struct conf_report report = { 0 };
	const struct conf *conf = conf_load(arena, &source, 1, &options, &report);

	assert_int_equal(report.errors, 0);
	return conf;
}

static int
serve(const char *path)
{
	struct sock_addr address = sock_addr_unix(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, &address.any, address.len), 0);
	return fd;
}

static void
end(int fd, const char *path)
{
	close(fd);
	unlink(path);
}

static void
each_path_is_there_once(void **state)
{
	struct arena *arena = arena_new();
	struct sock_addr list[LOG_SOCKETS_MAX];
	char shown[SOCK_ADDR_STRLEN];

	assert_int_equal(log_sockets_list(load(arena), list), 3);
	assert_int_equal(list[LOG_SOCKET_OWN].len, 0);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(sock_addr_format(&list[i + 1], shown) + strlen("unix:"),
				    paths[i]);
	arena_free(arena);
}

static void
they_come_and_go(void **state)
{
	struct arena *arena = arena_new();
	struct sock_addr own = sock_addr_unix(paths[1]);
	int own_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int server = serve(paths[0]), handed;
	struct log_sockets sockets;
	struct mono now = { 100 * NS_PER_S };
	char buf[8];

	log_sockets_init(&sockets, load(arena), own_fd, &own);
	log_sockets_refresh(&sockets, now);
	assert_int_equal(sockets.n, 3);
	assert_int_equal(sockets.at[LOG_SOCKET_OWN].fd, own_fd);
	handed = dup(sockets.at[1].fd);
	assert_int_equal(send(handed, "one", 3, 0), 3);
	assert_int_equal(recv(server, buf, sizeof buf, 0), 3);

	/* The daemon is restarted: within a second nobody looks, then the same socket leads on. */
	end(server, paths[0]);
	assert_int_equal(send(handed, "two", 3, MSG_NOSIGNAL), -1);
	server = serve(paths[0]);
	log_sockets_refresh(&sockets, mono_add_ms(now, 999));
	assert_int_equal(send(handed, "three", 5, MSG_NOSIGNAL), -1);
	log_sockets_refresh(&sockets, mono_add_ms(now, 1000));
	assert_int_equal(send(handed, "four", 4, 0), 4);
	assert_int_equal(recv(server, buf, sizeof buf, 0), 4);
	end(server, paths[0]);

	/* One that was never there, and that of our own messages. */
	assert_int_equal(send(sockets.at[2].fd, "five", 4, MSG_NOSIGNAL), -1);
	server = serve(paths[1]);
	log_sockets_refresh(&sockets, mono_add_ms(now, 2000));
	assert_int_equal(send(sockets.at[2].fd, "five", 4, 0), 4);
	assert_int_equal(send(own_fd, "six", 3, 0), 3);
	assert_int_equal(recv(server, buf, sizeof buf, 0), 4);
	assert_int_equal(recv(server, buf, sizeof buf, 0), 3);
	end(server, paths[1]);

	log_sockets_fini(&sockets);
	assert_int_equal(close(own_fd), 0); /* not ours to close */
	close(handed);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_path_is_there_once),
		cmocka_unit_test(they_come_and_go),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	for (int i = 0; i < 2; i++)
		snprintf(paths[i], sizeof paths[i], "%s/log%d", dir, i);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}

/*
 * test_proxy_check_talk.c - how the conversation of a check ends, when it ends in another way than
 * by what the server says.
 */
#include "proxy/runtime.h"
#include "tests/unit/proxy/check_conf.h"
#include "tests/unit/proxy/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n";

/* A server that the test plays itself. */
struct own {
	int listen_fd;
	uint16_t port;
};

static void
own_start(struct own *own)
{
	const struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	own->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(own->listen_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	assert_int_equal(bind(own->listen_fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(own->listen_fd, 64), 0);
	getsockname(own->listen_fd, (struct sockaddr *)&at, &len);
	own->port = ntohs(at.sin_port);
}

/* The next connection that asks something. */
static int
own_asked(const struct own *own)
{
	const struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	char heard[512];
	int fd = accept(own->listen_fd, NULL, NULL);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	assert_true(recv(fd, heard, sizeof heard, 0) > 0);
	return fd;
}

static void
own_answer(int fd)
{
	assert_int_equal(send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL), sizeof answer - 1);
}

static bool
status_is(const struct site *site, uint32_t server, const char *name)
{
	const char *status = site_server(site, server).check_status;

	return strcmp(status, name) == 0;
}

/* 0 = FIN, else the error the server meets. */
static int
how_it_ends(const char *lines)
{
	struct arena *arena = arena_new();
	struct site site;
	struct own own;
	char byte;
	int fd, error;

	own_start(&own);
	site_init(&site);
	site_add_server(&site, "s", own.port)->check = true;
	site.proxies[1].health = *check_conf(arena, lines);
	site_start(&site, 1);
	fd = own_asked(&own);
	own_answer(fd);
	error = recv(fd, &byte, 1, 0) == 0 ? 0 : errno;
	close(fd);
	close(own.listen_fd);
	site_stop(&site);
	arena_free(arena);
	return error;
}

/* With RST, which leaves no TIME_WAIT, unless the file wants a proper end. */
static void
ends_with_a_reset_unless_it_lingers(void **state)
{
	assert_int_equal(how_it_ends("\toption httpchk"), ECONNRESET);
	assert_int_equal(how_it_ends("\toption httpchk\n\thttp-check connect linger\n"
				     "\thttp-check send meth GET uri /"),
			 0);
}

/* Where this host has no descriptor left, that is what the result says. */
static void
names_its_own_want(void **state)
{
	struct rlimit limit, none;
	struct site site;
	struct own own;

	own_start(&own);
	site_init(&site);
	site_add_server(&site, "s", own.port)->check = true;
	site.servers[0].inter_ms = 50;
	site_start(&site, 1);
	WAIT_UNTIL(status_is(&site, 0, "L4OK"));
	getrlimit(RLIMIT_NOFILE, &limit);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	WAIT_UNTIL(status_is(&site, 0, "SOCKERR"));
	assert_string_equal(site_server(&site, 0).check_detail, strerror(EMFILE));
	setrlimit(RLIMIT_NOFILE, &limit);
	WAIT_UNTIL(status_is(&site, 0, "L4OK"));
	site_stop(&site);
	close(own.listen_fd);
}

/* More than the loop takes in at a time. */
#define CLIENTS 300

/*
 * The thread is held up, by a lock here, while many clients say something, then a server answers its
 * check, then that check's time goes by: the answer came in time all the same.
 */
static void
a_thread_that_was_held_up_does_not_blame_the_server(void **state)
{
	const uint32_t limit_ms = 4000;
	struct arena *arena = arena_new();
	struct own waits, holds_up;
	struct backend *backend;
	struct mono began;
	struct site site;
	int waiting_fd, other_fd, clients[CLIENTS];

	own_start(&waits);
	own_start(&holds_up);
	site_init(&site);
	site_add_server(&site, "waits", waits.port);
	site_add_server(&site, "holds-up", holds_up.port);
	for (int i = 0; i < 2; i++) {
		site.servers[i].check = true;
		site.servers[i].inter_ms = 4 * WAIT_MS;
	}
	site.proxies[1].health = *check_conf(arena, "\toption httpchk");
	site.proxies[1].timeout_check_ms = limit_ms;
	site.bind.accept_proxy = true;
	site_start(&site, 1);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = site_connect(&site);
	WAIT_UNTIL(proxy_sessions(site.proxy) == CLIENTS);
	backend = &site.proxy->backends[1];
	waiting_fd = own_asked(&waits);
	began = mono_now();
	other_fd = own_asked(&holds_up);
	pthread_mutex_lock(&backend->lock);
	own_answer(other_fd);
	while (mono_since_ms(mono_now(), began) < limit_ms / 2)
		nap();
	for (int i = 0; i < CLIENTS; i++)
		assert_int_equal(send(clients[i], "P", 1, MSG_NOSIGNAL), 1);
	own_answer(waiting_fd);
	while (mono_since_ms(mono_now(), began) < limit_ms + limit_ms / 4)
		nap();
	pthread_mutex_unlock(&backend->lock);
	WAIT_UNTIL(!status_is(&site, 0, "INI") && !status_is(&site, 0, "UNK"));
	assert_string_equal(site_server(&site, 0).check_status, "L7OK");
	site_stop(&site);
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
	close(waiting_fd);
	close(other_fd);
	close(waits.listen_fd);
	close(holds_up.listen_fd);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_with_a_reset_unless_it_lingers),
		cmocka_unit_test(names_its_own_want),
		cmocka_unit_test(a_thread_that_was_held_up_does_not_blame_the_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

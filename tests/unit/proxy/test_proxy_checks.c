/*
 * test_proxy_checks.c - checks that speak a protocol, in a whole proxy: small servers answer by
 * script, a cluster like Vault's changes its leader.
 */
#include "tests/unit/proxy/check_conf.h"
#include "tests/unit/proxy/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNS 64

/*
 * A server: says `greeting`, answers what begins with "GET /v1/sys/health" or with `ask` by
 * `answer` and closes; a connection that says anything else is held and told `name`.
 */
struct actor {
	const char *greeting, *ask;
	_Atomic(const char *) answer; /* NULL = stays silent */
	char name;
	bool hold; /* answers without closing */
	int listen_fd, stop_fd;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	char heard[256]; /* the first bytes of the first connection */
};

static bool
actor_read(struct actor *a, int fd)
{
	char data[512];
	ssize_t n = recv(fd, data, sizeof data - 1, 0);
	const char *answer = atomic_load(&a->answer);

	if (n <= 0)
		return false;
	data[n] = '\0';
	pthread_mutex_lock(&a->lock);
	if (!a->heard[0])
		snprintf(a->heard, sizeof a->heard, "%.255s", data);
	pthread_mutex_unlock(&a->lock);
	if (strncmp(data, a->ask, strlen(a->ask)) != 0)
		return send(fd, &a->name, 1, MSG_NOSIGNAL) == 1;
	if (!answer)
		return true;
	send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	return a->hold;
}

static void *
actor_main(void *arg)
{
	struct actor *a = arg;
	struct pollfd set[CONNS];
	nfds_t n = 2;

	set[0] = (struct pollfd){ .fd = a->stop_fd, .events = POLLIN };
	set[1] = (struct pollfd){ .fd = a->listen_fd, .events = POLLIN };
	while (poll(set, n, -1) >= 0 && !set[0].revents) {
		for (nfds_t i = 2; i < n; i++) {
			if (!set[i].revents || actor_read(a, set[i].fd))
				continue;
			close(set[i].fd);
			set[i--] = set[--n];
		}
		if (set[1].revents && n < CONNS) {
			int fd = accept(a->listen_fd, NULL, NULL);

			if (fd >= 0 && a->greeting)
				send(fd, a->greeting, strlen(a->greeting), MSG_NOSIGNAL);
			if (fd >= 0)
				set[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		}
	}
	for (nfds_t i = 2; i < n; i++)
		close(set[i].fd);
	return NULL;
}

static void
actor_start(struct actor *a, const char *ask, const char *answer)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a->ask = ask;
	atomic_store(&a->answer, answer);
	pthread_mutex_init(&a->lock, NULL);
	a->stop_fd = eventfd(0, EFD_CLOEXEC);
	a->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(a->listen_fd, (struct sockaddr *)&at, len) < 0 || listen(a->listen_fd, 64) < 0)
		abort();
	getsockname(a->listen_fd, (struct sockaddr *)&at, &len);
	a->port = ntohs(at.sin_port);
	if (pthread_create(&a->thread, NULL, actor_main, a))
		abort();
}

static void
actor_stop(struct actor *a)
{
	eventfd_write(a->stop_fd, 1);
	pthread_join(a->thread, NULL);
	close(a->stop_fd);
	close(a->listen_fd);
	pthread_mutex_destroy(&a->lock);
}

static bool
status_is(const struct site *site, uint32_t server, const char *name)
{
	const char *status = site_server(site, server).check_status;

	return strcmp(status, name) == 0;
}

/* One server, its checks and how they end. */
struct scene {
	const char *lines, *greeting, *ask, *answer;
	bool hold;
	const char *status, *detail;
	enum server_state state;
	const char *heard; /* NULL = no matter */
};

static const struct scene scenes[] = {
	{ "\toption httpchk GET /x", NULL, "GET", "HTTP/1.0 200 OK\r\n\r\n", false, "L7OK",
	  "Layer7 check passed", SERVER_UP, "GET /x HTTP/1.0\r\n\r\n" },
	{ "\toption httpchk", NULL, "OPT", "HTTP/1.0 503 Busy\r\n\r\n", true, "L7STS", "Busy",
	  SERVER_DOWN, NULL },
	{ "\toption httpchk", NULL, "OPT", "", false, "L7RSP", "Layer7 invalid response",
	  SERVER_DOWN, NULL },
	{ "\toption httpchk", NULL, "OPT", NULL, true, "L7TOUT", "Layer7 timeout", SERVER_DOWN,
	  NULL },
	{ "\toption httpchk\n\thttp-check disable-on-404", NULL, "OPT", "HTTP/1.0 404 No\r\n\r\n",
	  false, "L7OKC", "Layer7 check conditionally passed", SERVER_STOPPING, NULL },
	{ "\toption tcp-check", NULL, "", NULL, true, "L4OK", "Layer4 check passed", SERVER_UP,
	  NULL },
	{ "\toption tcp-check\n\ttcp-check send a\n\ttcp-check send b", NULL, "", NULL, true,
	  "L7OK", "(tcp-check)", SERVER_UP, NULL },
	{ "\toption tcp-check\n\ttcp-check expect string 220\n\ttcp-check send QUIT\n"
	  "\ttcp-check expect string bye",
	  "220 hi", "QUIT", "bye", true, "L7OK", "(tcp-check)", SERVER_UP, "QUIT" },
	{ "\toption tcp-check\n\ttcp-check expect string 221", "220 hi", "", NULL, true, "L7TOUT",
	  " at step 1 of tcp-check (expect string '221')", SERVER_DOWN, NULL },
	{ "\toption redis-check", NULL, "PING", "+PONG\r\n", true, "L7OK", "Redis server is ok",
	  SERVER_UP, "PING\r\n" },
	{ "\toption smtpchk", "554 go away\r\n", "HELO", NULL, true, "L7STS", "go away",
	  SERVER_DOWN, NULL },
	{ "\toption ssl-hello-chk", NULL, "\x16", "SSH-2.0", false, "L6RSP",
	  "Layer6 invalid response", SERVER_DOWN, NULL },
	{ "\toption ssl-hello-chk", NULL, "\x16", "\x15\3\1\2\2\2", false, "L6OK",
	  "Layer6 check passed", SERVER_UP, NULL },
};

static void
every_kind_of_check(void **state)
{
	for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
		const struct scene *scene = &scenes[i];
		struct actor actor = { .greeting = scene->greeting, .hold = scene->hold };
		struct arena *arena = arena_new();
		struct server_view view;
		struct site site;

		actor_start(&actor, scene->ask, scene->answer);
		site_init(&site);
		site_add_server(&site, "s", actor.port)->check = true;
		site.proxies[1].health = *check_conf(arena, scene->lines);
		if (strstr(scene->status, "TOUT"))
			site.proxies[1].timeout_check_ms = 200;
		site_start(&site, 1);
		WAIT_UNTIL(site_server(&site, 0).state == scene->state &&
			   status_is(&site, 0, scene->status));
		view = site_server(&site, 0);
		if (strncmp(view.check_detail, scene->detail, sizeof view.check_detail - 1) != 0)
			fail_msg("%s: \"%s\"", scene->lines, view.check_detail);
		pthread_mutex_lock(&actor.lock);
		if (scene->heard)
			assert_string_equal(actor.heard, scene->heard);
		pthread_mutex_unlock(&actor.lock);
		site_stop(&site);
		actor_stop(&actor);
		arena_free(arena);
	}
}

/* A server that gets well again, through a connection to another port. */
static void
asks_at_another_port_with_a_proxy_line(void **state)
{
	struct actor health = { 0 }, data = { .name = 'a' };
	struct arena *arena = arena_new();
	struct conf_server *server;
	struct site site;

	actor_start(&health, "PROXY TCP4 127.0.0.1 127.0.0.1 ", "HTTP/1.0 500 No\r\n\r\n");
	actor_start(&data, "nobody asks", NULL);
	site_init(&site);
	server = site_add_server(&site, "s", data.port);
	server->check = server->check_send_proxy = true;
	server->check_port = health.port;
	site.proxies[1].health = *check_conf(arena, "\toption httpchk");
	site_start(&site, 2);
	WAIT_UNTIL(site_server(&site, 0).state == SERVER_DOWN);
	atomic_store(&health.answer, "HTTP/1.0 200 OK\r\n\r\n");
	WAIT_UNTIL(site_server(&site, 0).state == SERVER_UP);
	site_stop(&site);
	actor_stop(&health);
	actor_stop(&data);
	arena_free(arena);
}

/* Back again, it gets its share little by little; at the start it has all of it. */
static void
comes_back_slowly(void **state)
{
	struct actor actor = { .name = 'a' };
	struct arena *arena = arena_new();
	struct conf_server *server;
	struct server_view view;
	uint32_t steps = 0, last = 0;
	struct site site;
	struct mono since;

	actor_start(&actor, "GET", "HTTP/1.0 200 OK\r\n\r\n");
	site_init(&site);
	server = site_add_server(&site, "s", actor.port);
	server->check = true;
	server->weight = 10;
	server->maxconn = 100;
	server->slowstart_ms = 2000;
	server->init_state = CONF_INIT_DOWN;
	site.proxies[1].health = *check_conf(arena, "\toption httpchk GET /");
	site_start(&site, 2);
	WAIT_UNTIL(site_server(&site, 0).state == SERVER_UP);
	assert_int_equal(site_server(&site, 0).weight, 160);
	assert_int_equal(site_server(&site, 0).limit, 100);
	atomic_store(&actor.answer, "HTTP/1.0 500 No\r\n\r\n");
	WAIT_UNTIL(site_server(&site, 0).state == SERVER_DOWN);
	atomic_store(&actor.answer, "HTTP/1.0 200 OK\r\n\r\n");
	WAIT_UNTIL(site_server(&site, 0).state == SERVER_UP);
	since = mono_now();
	do {
		nap();
		view = site_server(&site, 0);
		assert_true(view.limit >= last && view.limit <= 100);
		steps += view.limit > last;
		last = view.limit;
		/* It is no warmer than time has passed. */
		assert_true(last <= 1 + mono_since_ms(mono_now(), view.changed) / 20);
	} while (last < 100 && mono_since_ms(mono_now(), since) < WAIT_MS);
	assert_int_equal(site_server(&site, 0).weight, 160);
	assert_true(steps > 2);
	site_stop(&site);
	actor_stop(&actor);
	arena_free(arena);
}

/* ------------------------------------------------------------------ Vault */

/* Its documented answers to GET /v1/sys/health. */
static const char leader[] = "HTTP/1.1 200 OK\r\n\r\n{\"sealed\":false,\"standby\":false}";
static const char *const others[] = {
	"HTTP/1.1 429 Too Many Requests\r\n\r\n{\"standby\":true}",
	"HTTP/1.1 472 status code 472\r\n\r\n{\"replication_dr_mode\":\"secondary\"}",
	"HTTP/1.1 473 status code 473\r\n\r\n{\"performance_standby\":true}",
	"HTTP/1.1 501 Not Implemented\r\n\r\n{\"initialized\":false}",
	"HTTP/1.1 503 Service Unavailable\r\n\r\n{\"sealed\":true}",
};
#define OTHERS_N (sizeof others / sizeof others[0])

static bool
led_by(const struct site *site, uint32_t server)
{
	for (uint32_t i = 0; i < 3; i++)
		if (site_server(site, i).state != (i == server ? SERVER_UP : SERVER_DOWN))
			return false;
	return true;
}

/* Whoever connects reaches the leader; whoever was connected to the former one is cut off. */
static void
follows_the_leader(void **state)
{
	struct actor vaults[3] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' } };
	struct arena *arena = arena_new();
	struct site site;
	char got;

	site_init(&site);
	for (int i = 0; i < 3; i++) {
		struct conf_server *server;

		actor_start(&vaults[i], "GET /v1/sys/health HTTP/1.1\r\n",
			    i == 0 ? leader : others[i]);
		server = site_add_server(&site, "vault", vaults[i].port);
		server->check = server->shutdown_on_down = true;
	}
	site.proxies[1].health = *check_conf(arena, "\toption httpchk GET /v1/sys/health HTTP/1.1\n"
						    "\thttp-check expect status 200");
	site_start(&site, 2);
	for (uint32_t round = 0; round < OTHERS_N; round++) {
		uint32_t now = round % 3, next = (round + 1) % 3;
		struct mono since;
		int fd;

		WAIT_UNTIL(led_by(&site, now));
		fd = site_connect(&site);
		assert_int_equal(send(fd, "hello", 5, 0), 5);
		assert_int_equal(recv(fd, &got, 1, 0), 1);
		assert_int_equal(got, vaults[now].name);

		atomic_store(&vaults[now].answer, others[round]);
		atomic_store(&vaults[next].answer, leader);
		since = mono_now();
		assert_true(recv(fd, &got, 1, 0) <= 0);
		close(fd);
		WAIT_UNTIL(led_by(&site, next));
		/* (max(fall, rise) + 1) x inter. */
		assert_true(mono_since_ms(mono_now(), since) < MARGIN_MS(4 * 50));
	}
	site_stop(&site);
	for (int i = 0; i < 3; i++)
		actor_stop(&vaults[i]);
	arena_free(arena);
}

/* Sessions on the backup server end when a real one is back. */
static void
returns_from_the_backup(void **state)
{
	struct actor main_one = { .name = 'a' }, spare = { .name = 'b' };
	struct arena *arena = arena_new();
	struct conf_server *server;
	struct site site;
	char got;
	int fd;

	actor_start(&main_one, "GET", others[0]);
	actor_start(&spare, "GET", leader);
	site_init(&site);
	server = site_add_server(&site, "s1", main_one.port);
	server->check = server->shutdown_backups_on_up = true;
	server = site_add_server(&site, "s2", spare.port);
	server->check = server->backup = true;
	site.proxies[1].health = *check_conf(arena, "\toption httpchk GET /");
	site_start(&site, 1);
	WAIT_UNTIL(site_server(&site, 0).state == SERVER_DOWN);
	fd = site_connect(&site);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	assert_int_equal(recv(fd, &got, 1, 0), 1);
	assert_int_equal(got, 'b');
	atomic_store(&main_one.answer, leader);
	assert_true(recv(fd, &got, 1, 0) <= 0);
	close(fd);
	site_stop(&site);
	actor_stop(&main_one);
	actor_stop(&spare);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_check),
		cmocka_unit_test(asks_at_another_port_with_a_proxy_line),
		cmocka_unit_test(comes_back_slowly),
		cmocka_unit_test(follows_the_leader),
		cmocka_unit_test(returns_from_the_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_proxy_limits.c - places and slots that several threads compete for: none may stay free while
 * somebody waits for it; and sessions whose time-outs move from one side to the other.
 */
#include "tests/unit/proxy/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* As many at once as there are places: nobody has to wait until one of the others goes. */
static void
every_place_is_given(void **state)
{
	struct origin holder;
	struct site site;
	char name[8];

	origin_start(&holder, ORIGIN_HOLD, "h", 0);
	site_init(&site);
	site_add_server(&site, "s", holder.port);
	site.proxies[0].maxconn = 4;
	site_start(&site, 4);
	for (int round = 0; round < 8000; round++) {
		int fds[4];

		for (int i = 0; i < 4; i++)
			fds[i] = site_connect(&site);
		for (int i = 0; i < 4; i++)
			assert_int_equal(recv(fds[i], name, sizeof name, 0), 1);
		for (int i = 0; i < 4; i++)
			close(fds[i]);
	}
	site_stop(&site);
	origin_stop(&holder);
}

static int64_t
cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / NS_PER_MS;
}

static void
join(const struct site *site, int fd)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(site->port) };
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
}

/*
 * Out of descriptors, who connects waits in the kernel's queue.  Meanwhile the thread rests: the
 * queue would tell it of them without end.
 */
static void
rests_without_descriptors(void **state)
{
	struct origin holder;
	struct site site;
	struct rlimit limit, low;
	struct mono began;
	int64_t spent_ms;
	char name[8];
	int fds[8];

	origin_start(&holder, ORIGIN_HOLD, "h", 0);
	site_init(&site);
	site_add_server(&site, "s", holder.port);
	site_start(&site, 1);
	/* Connections can be made, for these sockets are there already; not accepted. */
	for (int i = 0; i < 8; i++)
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	/* Three are open from the start.  With fewer the origin's poll of two would fail, poll(2). */
	low = (struct rlimit){ .rlim_cur = 3, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (int i = 0; i < 8; i++)
		join(&site, fds[i]);
	began = mono_now();
	spent_ms = cpu_ms();
	while (mono_since_ms(mono_now(), began) < 1000)
		poll(NULL, 0, 50);
	spent_ms = cpu_ms() - spent_ms;
	print_message("%d ms of CPU in a second without descriptors\n", (int)spent_ms);
	assert_true(spent_ms < 100);
	for (int i = 0; i < 8; i++)
		assert_int_equal(recv(fds[i], name, sizeof name, MSG_DONTWAIT), -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(recv(fds[i], name, sizeof name, 0), 1);
		close(fds[i]);
	}
	site_stop(&site);
	origin_stop(&holder);
}

/* Connects from 127.0.0.`last`. */
static int
connect_from(const struct site *site, uint32_t last)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	from.sin_addr.s_addr = htonl(0x7f000000 | last);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
	join(site, fd);
	return fd;
}

/* Who waits for the slot of a certain server gets it, although somebody else waits longer for
 * another's, and on whichever threads the two are. */
static void
freed_slot_finds_its_waiter(void **state)
{
	struct origin a, b;
	struct site site;
	char name[8];

	origin_start(&a, ORIGIN_HOLD, "a", 0);
	origin_start(&b, ORIGIN_HOLD, "b", 0);
	site_init(&site);
	site_add_server(&site, "s1", a.port)->maxconn = 1;
	site_add_server(&site, "s2", b.port)->maxconn = 1;
	site.proxies[1].balance = CONF_BALANCE_SOURCE;
	site.proxies[1].timeout_queue_ms = 60000;
	site_start(&site, 4);
	for (int round = 0; round < 20; round++) {
		int held[2], waiting[2];

		for (uint32_t i = 0; i < 2; i++) {
			held[i] = connect_from(&site, 2 + i);
			assert_int_equal(recv(held[i], name, sizeof name, 0), 1);
		}
		for (uint32_t i = 0; i < 2; i++) {
			waiting[i] = connect_from(&site, 2 + i);
			WAIT_UNTIL(site_backend(&site).queued == i + 1);
		}
		close(held[1]);
		assert_int_equal(recv(waiting[1], name, sizeof name, 0), 1);
		close(held[0]);
		assert_int_equal(recv(waiting[0], name, sizeof name, 0), 1);
		close(waiting[0]);
		close(waiting[1]);
		WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	}
	site_stop(&site);
	origin_stop(&a);
	origin_stop(&b);
}

/* Sends until nothing is taken any more for 300 ms; the number of bytes. */
static size_t
fill(int fd)
{
	static char data[65536];
	size_t sent = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (int idle = 0; idle < 300;) {
		ssize_t n = send(fd, data, sizeof data, MSG_NOSIGNAL);

		if (n > 0) {
			sent += (size_t)n;
			idle = 0;
		} else {
			nap();
			idle++;
		}
	}
	return sent;
}

/*
 * The server does not take what the client sends: the server is waited for, and has no time-out.
 * Then it takes it and goes on in silence: now it is the client that is waited for.
 */
static void
waiting_comes_back_to_the_client(void **state)
{
	int listener, server, client;
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	uint16_t port = unused_port();
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct site site;
	struct mono until;
	static char data[65536];

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(listener, 1), 0);
	site_init(&site);
	site_add_server(&site, "s", port);
	site.proxies[0].timeout_client_ms = 500;
	site.proxies[1].timeout_server_ms = 0;
	site_start(&site, 1);
	client = site_connect(&site);
	server = accept(listener, NULL, NULL);
	setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	fill(client);
	/* Longer than the client's time-out: the timer looks, and finds no deadline. */
	until = mono_add_ms(mono_now(), 1000);
	while (mono_before(mono_now(), until))
		nap();
	assert_int_equal(proxy_sessions(site.proxy), 1);
	while (recv(server, data, sizeof data, 0) > 0)
		continue;
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	close(client);
	close(server);
	close(listener);
	site_stop(&site);
}

/* Over the rate connections wait in the kernel: all are served, and no faster than that. */
static void
sessions_come_at_a_rate(void **state)
{
	enum { RATE = 40, N = 100 };
	struct origin a;
	struct site site;
	struct mono since;
	int fds[N];
	char name[8];

	origin_start(&a, ORIGIN_NAME, "a", 0);
	site_init(&site);
	site_add_server(&site, "s", a.port);
	site.proxies[0].rate_limit = RATE;
	site_start(&site, 2);
	since = mono_now();
	for (int i = 0; i < N; i++)
		fds[i] = site_connect(&site);
	for (int i = 0; i < N; i++) {
		assert_int_equal(recv(fds[i], name, sizeof name, 0), 1);
		close(fds[i]);
	}
	/* At once RATE of them, and then no more than RATE a second. */
	assert_true(mono_since_ms(mono_now(), since) >= 1000);
	WAIT_UNTIL(proxy_sessions(site.proxy) == 0);
	assert_int_equal(site_server(&site, 0).sessions_total, N);
	site_stop(&site);
	origin_stop(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_place_is_given),
		cmocka_unit_test(rests_without_descriptors),
		cmocka_unit_test(freed_slot_finds_its_waiter),
		cmocka_unit_test(waiting_comes_back_to_the_client),
		cmocka_unit_test(sessions_come_at_a_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

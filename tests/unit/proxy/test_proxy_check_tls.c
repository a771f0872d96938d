/*
 * test_proxy_check_tls.c - checks through TLS, in a whole proxy: whom they believe, and what they
 * resume.
 */
#include "proxy/check.h"
#include "tests/unit/proxy/check_conf.h"
#include "tests/unit/proxy/fixture.h"
#include "tests/unit/proxy/papers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static bool
status_is(const struct site *site, uint32_t server, const char *name)
{
	const char *status = site_server(site, server).check_status;

	return strcmp(status, name) == 0;
}

/* A server of TLS's name is checked through it; `check-ssl` does so where connections are plain. */
static void
checks_go_through_tls(void **state)
{
	struct arena *arena = arena_new();
	struct conf_file certificate;
	struct conf_server *server;
	struct papers papers;
	struct origin origin;
	struct site front, back;

	papers_init(&papers);
	papers_issue(&papers, "a", "DNS:a.example.org");
	certificate = papers_file(&papers, "a.pem");
	origin_start(&origin, ORIGIN_NAME, "hello", 0);
	site_init(&front);
	front.bind.tls = (struct conf_tls){ .on = true, .certs = &certificate, .certs_n = 1 };
	site_add_server(&front, "plain", origin.port);
	front.tls = papers_tls(&papers, &front.conf);
	site_start(&front, 1);

	site_init(&back);
	server = site_add_server(&back, "tls", front.port);
	server->check = true;
	server->check_sni = "a.example.org";
	server->tls = (struct conf_tls){ .on = true, .ca = papers_file(&papers, "ca.pem") };
	server = site_add_server(&back, "passed-through", front.port);
	server->check = server->check_ssl = true;
	server->tls.verify = CONF_TLS_VERIFY_NONE;
	server = site_add_server(&back, "another", front.port);
	server->check = server->check_ssl = true;
	server->check_sni = "b.example.org";
	server->tls.ca = papers_file(&papers, "ca.pem");
	server = site_add_server(&back, "no-tls", origin.port);
	server->check = server->check_ssl = true;
	server->tls.verify = CONF_TLS_VERIFY_NONE;
	server = site_add_server(&back, "plain-check", origin.port);
	server->check = server->no_check_ssl = true;
	server->tls = (struct conf_tls){ .on = true, .verify = CONF_TLS_VERIFY_NONE };
	back.proxies[1].health =
		*check_conf(arena, "\toption tcp-check\n\ttcp-check expect string hello");
	back.tls = papers_tls(&papers, &back.conf);
	site_start(&back, 1);
	WAIT_UNTIL(status_is(&back, 0, "L7OK"));
	WAIT_UNTIL(status_is(&back, 1, "L7OK"));
	WAIT_UNTIL(status_is(&back, 2, "L6RSP"));
	WAIT_UNTIL(status_is(&back, 3, "L6RSP"));
	WAIT_UNTIL(status_is(&back, 4, "L7OK"));
	site_stop(&back);
	site_stop(&front);
	origin_stop(&origin);
	papers_fini(&papers);
	arena_free(arena);
}

/* ------------------------------------------------------------------ resumption */

/* A server that counts handshakes and says to those who ask that all is well, or says nothing. */
struct counter {
	SSL_CTX *ctx;
	int listen_fd, stop_fd;
	int held_fd; /* the last one that was told nothing */
	uint16_t port;
	pthread_t thread;
	_Atomic bool silent;
	_Atomic uint32_t whole, resumed;
};

static void
counter_serve(struct counter *counter, int fd)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n";
	const struct timeval limit = { .tv_sec = 10 };
	char heard[512];
	SSL *ssl = SSL_new(counter->ctx);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		atomic_fetch_add(SSL_session_reused(ssl) ? &counter->resumed : &counter->whole, 1);
		if (SSL_read(ssl, heard, sizeof heard) > 0)
			SSL_write(ssl, answer, sizeof answer - 1);
	}
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(ssl);
}

static void *
counter_main(void *arg)
{
	struct counter *counter = arg;
	struct pollfd set[] = {
		{ .fd = counter->listen_fd, .events = POLLIN },
		{ .fd = counter->stop_fd, .events = POLLIN },
	};

	while (poll(set, 2, -1) >= 0 && !set[1].revents) {
		int fd = accept(counter->listen_fd, NULL, NULL);

		if (fd < 0)
			continue;
		if (!atomic_load(&counter->silent)) {
			counter_serve(counter, fd);
			close(fd);
			continue;
		}
		close(counter->held_fd);
		counter->held_fd = fd;
	}
	close(counter->held_fd);
	return NULL;
}

static void
counter_start(struct counter *counter, const struct papers *papers, int version)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	const char *file = papers_path(papers, "a.pem");

	*counter = (struct counter){ .ctx = SSL_CTX_new(TLS_server_method()), .held_fd = -1 };
	if (SSL_CTX_use_certificate_chain_file(counter->ctx, file) != 1 ||
	    SSL_CTX_use_PrivateKey_file(counter->ctx, file, SSL_FILETYPE_PEM) != 1)
		abort();
	SSL_CTX_set_max_proto_version(counter->ctx, version);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	counter->stop_fd = eventfd(0, EFD_CLOEXEC);
	counter->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(counter->listen_fd, (struct sockaddr *)&at, len) < 0 ||
	    listen(counter->listen_fd, 64) < 0)
		abort();
	getsockname(counter->listen_fd, (struct sockaddr *)&at, &len);
	counter->port = ntohs(at.sin_port);
	if (pthread_create(&counter->thread, NULL, counter_main, counter))
		abort();
}

static void
counter_stop(struct counter *counter)
{
	eventfd_write(counter->stop_fd, 1);
	pthread_join(counter->thread, NULL);
	close(counter->stop_fd);
	close(counter->listen_fd);
	SSL_CTX_free(counter->ctx);
}

struct resuming {
	struct arena *arena;
	struct papers papers;
	struct counter counter;
	struct site site;
	struct conf_server *server;
};

static void
resuming_start(struct resuming *r, int version, const char *lines, bool reuse)
{
	r->arena = arena_new();
	papers_init(&r->papers);
	papers_issue(&r->papers, "a", "DNS:a.example.org");
	counter_start(&r->counter, &r->papers, version);
	site_init(&r->site);
	r->server = site_add_server(&r->site, "s", r->counter.port);
	r->server->check = true;
	r->server->inter_ms = 300;
	r->server->check_sni = "a.example.org";
	r->server->tls = (struct conf_tls){
		.on = true,
		.ca = papers_file(&r->papers, "ca.pem"),
		.no_reuse = !reuse,
	};
	r->site.proxies[1].health = *check_conf(r->arena, lines);
	r->site.tls = papers_tls(&r->papers, &r->site.conf);
	site_start(&r->site, 1);
}

static void
resuming_stop(struct resuming *r)
{
	site_stop(&r->site);
	counter_stop(&r->counter);
	papers_fini(&r->papers);
	arena_free(r->arena);
}

static void
expect_resumption(int version, const char *lines, const char *status)
{
	struct resuming r;
	uint32_t whole;

	resuming_start(&r, version, lines, true);
	WAIT_UNTIL(atomic_load(&r.counter.resumed) >= 1);
	whole = atomic_load(&r.counter.whole);
	WAIT_UNTIL(atomic_load(&r.counter.resumed) >= 4);
	assert_int_equal(atomic_load(&r.counter.whole), whole);
	assert_true(status_is(&r.site, 0, status));
	resuming_stop(&r);
}

/* TLS 1.3 gives the means to it after the handshake, with the answer. */
static void
a_check_resumes_the_last_ones_session(void **state)
{
	expect_resumption(TLS1_2_VERSION, "\toption tcp-check", "L6OK");
	expect_resumption(TLS1_2_VERSION, "\toption httpchk", "L7OK");
	expect_resumption(TLS1_3_VERSION, "\toption httpchk", "L7OK");
}

static void
without_reuse_nothing_is_resumed(void **state)
{
	struct resuming r;

	resuming_start(&r, TLS1_2_VERSION, "\toption tcp-check", false);
	WAIT_UNTIL(atomic_load(&r.counter.whole) >= 3);
	assert_int_equal(atomic_load(&r.counter.resumed), 0);
	resuming_stop(&r);
}

/* Whatever kept a server from answering, the next handshake asks for nothing special. */
static void
after_a_failure_the_handshake_is_whole(void **state)
{
	struct resuming r;

	resuming_start(&r, TLS1_2_VERSION, "\toption tcp-check", true);
	WAIT_UNTIL(atomic_load(&r.counter.resumed) >= 1);
	atomic_store(&r.counter.silent, true);
	WAIT_UNTIL(status_is(&r.site, 0, "L6TOUT"));
	atomic_store(&r.counter.whole, 0);
	atomic_store(&r.counter.resumed, 0);
	atomic_store(&r.counter.silent, false);
	WAIT_UNTIL(atomic_load(&r.counter.whole) + atomic_load(&r.counter.resumed) > 0);
	assert_in_range(atomic_load(&r.counter.whole), 1, UINT32_MAX);
	WAIT_UNTIL(status_is(&r.site, 0, "L6OK"));
	resuming_stop(&r);
}

static void
sessions_are_of_their_step_and_grow_old(void **state)
{
	SSL_SESSION *session = SSL_SESSION_new();
	struct mono now = { 5000 * NS_PER_S };
	struct check c = { .session = session, .step = 2, .session_step = 2, .session_since = now };

	assert_true(check_may_resume(&c, now));
	assert_true(check_may_resume(&c, mono_add_ms(now, CHECK_RESUME_MS - 1)));
	assert_false(check_may_resume(&c, mono_add_ms(now, CHECK_RESUME_MS)));
	c.step = 1;
	assert_false(check_may_resume(&c, now));
	c = (struct check){ .session_since = now };
	assert_false(check_may_resume(&c, now));
	SSL_SESSION_free(session);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_go_through_tls),
		cmocka_unit_test(a_check_resumes_the_last_ones_session),
		cmocka_unit_test(without_reuse_nothing_is_resumed),
		cmocka_unit_test(after_a_failure_the_handshake_is_whole),
		cmocka_unit_test(sessions_are_of_their_step_and_grow_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

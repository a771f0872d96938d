/*
 * test_proxy_rules.c - sessions that go through rules: where they go, how they end, what is logged.
 */
#include "tests/unit/proxy/logged.h"

#include "proxy/runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Gives the site the rules that these lines of frontend `main` and backend `app` say. */
static void
take_rules(struct logged *l, const char *front, const char *back)
{
	const struct conf *conf = lines_conf(
		l->formats,
		arena_printf(l->formats,
			     "frontend main\n bind :1\n%s\n default_backend app\nbackend app\n%s\n"
			     " server s1 127.0.0.1:1\n server s2 127.0.0.1:1\n",
			     front, back));

	for (size_t i = 0; i < 2; i++) {
		struct conf_proxy *to = &l->site.proxies[i];
		const struct conf_proxy *from = &conf->proxies[i];

		if (from->log_format)
			to->log_format = from->log_format;
		to->acls = from->acls;
		to->acls_n = from->acls_n;
		to->connection_rules = from->connection_rules;
		to->session_rules = from->session_rules;
		to->request_rules = from->request_rules;
		to->response_rules = from->response_rules;
		to->request_captures = from->request_captures;
		to->response_captures = from->response_captures;
		to->inspect_request_ms = from->inspect_request_ms;
		to->inspect_response_ms = from->inspect_response_ms;
		to->use_backends = from->use_backends;
		to->use_backends_n = from->use_backends_n;
		to->use_servers = from->use_servers;
		to->use_servers_n = from->use_servers_n;
	}
	l->site.conf.regexes = conf->regexes;
	l->site.conf.regexes_n = conf->regexes_n;
	l->site.conf.variables = conf->variables;
	l->site.conf.variables_n = conf->variables_n;
}

static void
begin(struct logged *l, enum origin_mode mode, const char *front, const char *back)
{
	logged_init(l, mode);
	site_add_server(&l->site, "s1", l->origin.port);
	take_rules(l, front, back);
	site_start(&l->site, 1);
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
hear(int fd, const char *expected)
{
	char text[64] = "";

	assert_int_equal(recv(fd, text, strlen(expected), MSG_WAITALL), strlen(expected));
	assert_string_equal(text, expected);
}

/* Closed by the other side, one way or the other. */
static void
is_over(int fd)
{
	char c;

	assert_true(recv(fd, &c, 1, 0) <= 0);
	close(fd);
}

/* ------------------------------------------------------------------ the client's side */

static void
rejected_by_content(void **state)
{
	struct logged l;
	int fd;

	begin(&l, ORIGIN_ECHO,
	      " tcp-request inspect-delay 10s\n"
	      " tcp-request content reject if { req.len gt 2 } { req.payload(0,2) -m str no }\n"
	      " tcp-request content accept if { req.len gt 2 }",
	      "");
	fd = site_connect(&l.site);

	say(fd, "no!");
	is_over(fd);
	assert_string_equal(logged_end(&l), "main/<NOSRV> 0 PR 1/1/0/0/0 0/0");
	fd = site_connect(&l.site);
	say(fd, "y");
	say(fd, "es");
	hear(fd, "yes");
	close(fd);
	assert_string_equal(logged_end(&l), "app/s1 3 -- 1/1/0/0/0 0/0");
	assert_int_equal(l.origin.accepted, 1);
	logged_fini(&l);
}

/* Nothing is logged of who was not let in. */
static void
rejected_before_content(void **state)
{
	static const char *const kinds[] = { "connection", "session" };

	for (size_t i = 0; i < 2; i++) {
		struct proxy_view view;
		struct logged l;
		char rules[128];

		snprintf(rules, sizeof rules,
			 " acl mine src 10.0.0.0/8\n tcp-request %s reject unless mine", kinds[i]);
		begin(&l, ORIGIN_ECHO, rules, "");
		is_over(site_connect(&l.site));
		proxy_view(l.site.proxy, 0, &view);
		assert_int_equal(view.denied, 1);
		assert_int_equal(l.origin.accepted, 0);
		assert_true(recv(l.fd, rules, sizeof rules, MSG_DONTWAIT) < 0);
		logged_fini(&l);
	}
}

static void
dropped_in_silence(void **state)
{
	struct logged l;
	int fd;

	begin(&l, ORIGIN_ECHO,
	      " tcp-request inspect-delay 10s\n"
	      " tcp-request content silent-drop if { req.len gt 0 }",
	      "");
	fd = site_connect(&l.site);
	say(fd, "x");
	assert_string_equal(logged_end(&l), "main/<NOSRV> 0 PR 1/1/0/0/0 0/0");
	close(fd);
	logged_fini(&l);
}

/* What nobody waits for any longer decides by what there is. */
static void
delay_passes(void **state)
{
	struct logged l;
	int fd;

	begin(&l, ORIGIN_HOLD,
	      " tcp-request inspect-delay 50ms\n tcp-request content reject if { req.len gt 5 }\n"
	      " tcp-request content accept if WAIT_END",
	      "");
	fd = site_connect(&l.site);
	hear(fd, "hello");
	close(fd);
	assert_string_equal(logged_end(&l), "app/s1 5 -- 1/1/0/0/0 0/0");
	logged_fini(&l);
}

static void
buffer_fills(void **state)
{
	static char sent[2 * BUFFER_SIZE], back[sizeof sent];
	struct logged l;
	int fd;

	begin(&l, ORIGIN_ECHO,
	      " tcp-request inspect-delay 10s\n"
	      " tcp-request content accept if { req.len gt 10000000 }",
	      "");
	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (char)(i * 7);
	fd = site_connect(&l.site);
	assert_int_equal(send(fd, sent, sizeof sent, MSG_NOSIGNAL), sizeof sent);
	assert_int_equal(recv(fd, back, sizeof back, MSG_WAITALL), sizeof back);
	assert_memory_equal(sent, back, sizeof sent);
	close(fd);
	logged_fini(&l);
}

static void
client_leaves_early(void **state)
{
	struct logged l;
	int fd;

	begin(&l, ORIGIN_ECHO,
	      " tcp-request inspect-delay 10s\n tcp-request content accept if { req.len gt 5 }",
	      "");
	/* Having said all it has to say, it is judged by that. */
	fd = site_connect(&l.site);
	say(fd, "abc");
	shutdown(fd, SHUT_WR);
	hear(fd, "abc");
	is_over(fd);
	assert_string_equal(logged_end(&l), "app/s1 3 -- 1/1/0/0/0 0/0");
	fd = site_connect(&l.site);
	WAIT_UNTIL(proxy_sessions(l.site.proxy) == 1);
	logged_reset(fd);
	assert_string_equal(logged_end(&l), "app/<NOSRV> 0 CR 1/1/0/0/0 0/0");
	logged_fini(&l);
}

static void
client_says_nothing(void **state)
{
	struct logged l;
	int fd;

	logged_init(&l, ORIGIN_ECHO);
	site_add_server(&l.site, "s1", l.origin.port);
	take_rules(
		&l,
		" tcp-request inspect-delay 10s\n tcp-request content accept if { req.len gt 5 }",
		"");
	l.site.proxies[0].timeout_client_ms = 50;
	site_start(&l.site, 1);
	fd = site_connect(&l.site);
	is_over(fd);
	assert_string_equal(logged_end(&l), "app/<NOSRV> 0 cR 1/1/0/0/0 0/0");
	logged_fini(&l);
}

/* ------------------------------------------------------------------ the server's side */

static void
answers_are_judged(void **state)
{
	struct logged l;
	int fd;

	begin(&l, ORIGIN_ECHO, "",
	      " tcp-response inspect-delay 10s\n"
	      " tcp-response content reject if { res.payload(0,3) -m str bad }\n"
	      " tcp-response content accept if { res.len ge 3 }");
	fd = site_connect(&l.site);
	say(fd, "b");
	WAIT_UNTIL(l.origin.received == 1);
	say(fd, "ad");
	is_over(fd);
	assert_string_equal(logged_end(&l), "app/s1 0 PD 1/1/0/0/0 0/0");
	fd = site_connect(&l.site);
	say(fd, "go");
	say(fd, "od");
	hear(fd, "good");
	shutdown(fd, SHUT_WR);
	is_over(fd);
	assert_string_equal(logged_end(&l), "app/s1 4 -- 1/1/0/0/0 0/0");
	/* It ends with less than was waited for: that is all there is. */
	fd = site_connect(&l.site);
	say(fd, "x");
	shutdown(fd, SHUT_WR);
	hear(fd, "x");
	is_over(fd);
	assert_string_equal(logged_end(&l), "app/s1 1 -- 1/1/0/0/0 0/0");
	logged_fini(&l);
}

static void
use_server(void **state)
{
	struct origin other;
	struct logged l;
	char text[16];

	logged_init(&l, ORIGIN_NAME);
	origin_start(&other, ORIGIN_NAME, "other", 0);
	site_add_server(&l.site, "s1", l.origin.port);
	site_add_server(&l.site, "s2", other.port);
	take_rules(&l, "", " use-server s2 if { src 127.0.0.1 }");
	site_start(&l.site, 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(site_fetch(&l.site, text, sizeof text), 5);
		assert_string_equal(text, "other");
		assert_string_equal(logged_end(&l), "app/s2 5 -- 1/1/0/0/0 0/0");
	}
	/* It refuses: balancing has the others. */
	origin_stop(&other);
	assert_int_equal(site_fetch(&l.site, text, sizeof text), 5);
	assert_string_equal(text, "hello");
	logged_fini(&l);
}

/* ------------------------------------------------------------------ the log */

static void
what_rules_say_is_logged(void **state)
{
	struct logged l;
	char text[16];

	begin(&l, ORIGIN_NAME,
	      " log-format '%ci:%cp %fi:%fp %[var(sess.n)] %[var(txn.x)] %[var(txn.gone)] %s'\n"
	      " tcp-request connection set-src str(192.0.2.7)\n"
	      " tcp-request session set-src-port int(77)\n"
	      " tcp-request session set-dst str(2001:db8::1)\n"
	      " tcp-request content set-dst-port int(88)\n"
	      " tcp-request connection set-var(sess.n) int(41),add(1)\n"
	      " tcp-request content set-var-fmt(txn.x) %[src]-%[var(sess.n),mul(2)]\n"
	      " tcp-request content set-var(txn.gone) str(x)\n"
	      " tcp-request content unset-var(txn.gone)",
	      "");
	assert_int_equal(site_fetch(&l.site, text, sizeof text), 5);
	assert_string_equal(logged_line(&l), "192.0.2.7:77 2001:db8::1:88 42 192.0.2.7-84 - s1");
	logged_fini(&l);
}

/* Which of these are set?  All cells are compared with HAProxy's in tests/netns. */
static void
variables_are_set_on_conditions(void **state)
{
	struct logged l;
	char text[16];

	begin(&l, ORIGIN_NAME,
	      " log-format '%[var(sess.a)] %[var(sess.b)] %[var(sess.c)] %[var(sess.d)] %[var(sess.e)] "
	      "%[str(x),set-var(sess.b,ifempty)] %[int(3),set-var(sess.a,ifset,ifgt)] %[var(sess.a)]'\n"
	      " tcp-request connection set-var(sess.a) int(5)\n"
	      " tcp-request connection set-var(sess.a,ifgt) int(9)\n"
	      " tcp-request connection set-var(sess.a,ifset,ifgt) int(4)\n"
	      " tcp-request connection set-var(sess.b,ifexists) int(1)\n"
	      " tcp-request connection set-var(sess.c,ifset) int(1)\n"
	      " tcp-request connection set-var(sess.c,ifexists) int(2)\n"
	      " tcp-request connection set-var-fmt(sess.d,ifnotempty,ifnotset) x%[var(sess.a)]\n"
	      " tcp-request connection set-var-fmt(sess.d,ifnotexists) never\n"
	      " tcp-request connection set-var(sess.e) int(1)\n"
	      " tcp-request connection unset-var(sess.e)\n"
	      " tcp-request connection set-var(sess.e,ifexists) int(2)",
	      "");
	assert_int_equal(site_fetch(&l.site, text, sizeof text), 5);
	assert_string_equal(logged_line(&l), "4 - 2 x4 - - 3 3");
	logged_fini(&l);
}

/* In places that are counted in the order of the lines; backends fill them, too. */
static void
texts_are_captured(void **state)
{
	struct logged l;
	char text[16];

	begin(&l, ORIGIN_NAME,
	      " log-format '%hr %{+Q}hr %hrl %hs %{+Q}hsl %[capture.req.hdr(2)] %[capture.res.hdr(0)]'\n"
	      " declare capture request len 3\n"
	      " tcp-request content capture str(rule) len 9\n"
	      " declare capture request len 9\n"
	      " declare capture request len 9\n"
	      " declare capture response len 2\n"
	      " tcp-request content set-var(txn.x) str(request),capture-req(0)\n"
	      " tcp-request content set-var(txn.x) var(txn.x),capture-req(4)",
	      " tcp-request content set-var(txn.y) bin(7b227c),capture-req(2)\n"
	      " tcp-response content set-var(txn.y) str(answer),capture-res(0)");
	assert_int_equal(site_fetch(&l.site, text, sizeof text), 5);
	assert_string_equal(logged_line(&l),
			    "{req|rule|#7B#22#7C|} \"{req|rule|#7B#22#7C|}\" req rule #7B#22#7C - "
			    "{an} \"an\" {\"| an");
	logged_fini(&l);
}

static void
levels(void **state)
{
	char line[256];
	struct logged l;
	ssize_t n;
	int fd;

	begin(&l, ORIGIN_ECHO,
	      " tcp-request inspect-delay 10s\n"
	      " tcp-request content set-log-level silent if { req.payload(0,1) -m str s }\n"
	      " tcp-request content set-log-level crit if { req.payload(0,1) -m str c }\n"
	      " tcp-request content reject if { req.payload(0,1) -m str r }\n"
	      " tcp-request content accept if { req.len gt 0 }",
	      "");
	site_stop(&l.site);
	l.site.proxies[0].log_separate_errors = true;
	site_start(&l.site, 1);
	for (const char *c = "scrx"; *c; c++) {
		fd = site_connect(&l.site);
		assert_int_equal(send(fd, c, 1, MSG_NOSIGNAL), 1);
		shutdown(fd, SHUT_WR);
		recv(fd, line, sizeof line, MSG_WAITALL);
		close(fd);
	}
	/* Facility 16; nothing of the first. */
	for (size_t i = 0; i < 3; i++) {
		static const char *const priorities[] = { "<130>", "<131>", "<134>" };

		n = recv(l.fd, line, sizeof line - 1, 0);
		assert_true(n > 5);
		assert_memory_equal(line, priorities[i], 5);
	}
	logged_fini(&l);
}

static void
ended_from_without(void **state)
{
	struct logged l;
	int fd;

	begin(&l, ORIGIN_HOLD, "", "");
	for (size_t i = 0; i < 2; i++) {
		fd = site_connect(&l.site);
		hear(fd, "hello");
		proxy_shutdown_sessions(&l.site.proxy->backends[1].servers[0], i ? 'U' : 'D');
		is_over(fd);
		assert_string_equal(logged_end(&l),
				    i ? "app/s1 5 U- 1/1/0/0/0 0/0" : "app/s1 5 D- 1/1/0/0/0 0/0");
	}
	fd = site_connect(&l.site);
	hear(fd, "hello");
	site_stop(&l.site);
	is_over(fd);
	assert_string_equal(logged_end(&l), "app/s1 5 K- 1/1/0/0/0 0/0");
	site_start(&l.site, 1);
	logged_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejected_by_content),
		cmocka_unit_test(rejected_before_content),
		cmocka_unit_test(dropped_in_silence),
		cmocka_unit_test(delay_passes),
		cmocka_unit_test(buffer_fills),
		cmocka_unit_test(client_leaves_early),
		cmocka_unit_test(client_says_nothing),
		cmocka_unit_test(answers_are_judged),
		cmocka_unit_test(use_server),
		cmocka_unit_test(what_rules_say_is_logged),
		cmocka_unit_test(variables_are_set_on_conditions),
		cmocka_unit_test(texts_are_captured),
		cmocka_unit_test(levels),
		cmocka_unit_test(ended_from_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

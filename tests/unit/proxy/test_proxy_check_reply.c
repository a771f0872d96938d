/*
 * test_proxy_check_reply.c - answers to checks and what HAProxy 2.6 says to each: statuses, codes and
 * texts are those of its log for the same bytes.
 */
#include "tests/unit/proxy/check_conf.h"

#include "proxy/check_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

struct answer {
	const char *lines, *data;
	size_t len;
	bool last;
	enum check_outcome outcome;
	enum check_status status;
	int code;
	const char *info;
};

#define MORE                         CHECK_OUTCOME_MORE, CHECK_STATUS_UNKNOWN, 0, ""
#define PASSED                       CHECK_OUTCOME_NEXT, CHECK_STATUS_L7OK
#define FAILED                       CHECK_OUTCOME_OVER
#define BYTES(s)                     s, sizeof(s) - 1
#define HTTP(line)                   "\toption httpchk\n\thttp-check " line
#define TCP(line)                    "\toption tcp-check\n\ttcp-check " line
#define REPLY(status, headers, body) "HTTP/1.1 " status "\r\n" headers "\r\n" body

static const struct answer answers[] = {
	/* ------------------------------------------------ HTTP: status */
	{ "\toption httpchk", BYTES(REPLY("200 OK", "", "")), false, PASSED, 200, "" },
	{ "\toption httpchk", BYTES(REPLY("302 Found", "", "")), false, PASSED, 302, "" },
	{ "\toption httpchk", BYTES("HTTP/1.0 200\n\n"), false, PASSED, 200, "" },
	{ "\toption httpchk", BYTES(REPLY("503 Service Unavailable", "", "")), false, FAILED,
	  CHECK_STATUS_L7STS, 503, "Service Unavailable" },
	{ "\toption httpchk", BYTES("HTTP/1.1 100 Continue\r\n\r\n" REPLY("204 No", "", "")), false,
	  PASSED, 204, "" },
	{ "\toption httpchk", BYTES("HTTP/1.1 200 OK\r\nA: b\r\n"), false, MORE },
	{ "\toption httpchk", BYTES("HTTP/1.1 200 OK\r\nA: b\r\n"), true, FAILED,
	  CHECK_STATUS_L7RSP, 0, "" },
	{ "\toption httpchk", BYTES("HT"), false, MORE },
	{ "\toption httpchk", BYTES(""), true, FAILED, CHECK_STATUS_L7RSP, 0, "" },
	{ "\toption httpchk", BYTES("garbage\r\n\r\n"), false, FAILED, CHECK_STATUS_L7RSP, 0, "" },
	{ "\toption httpchk", BYTES("HTTP/1.1 2x0 OK\r\n\r\n"), false, FAILED, CHECK_STATUS_L7RSP,
	  0, "" },
	{ HTTP("expect status 200,429-473"), BYTES(REPLY("472 Odd", "", "")), false, PASSED, 472,
	  "" },
	{ HTTP("expect status 200"), BYTES(REPLY("429 Standby", "", "")), false, FAILED,
	  CHECK_STATUS_L7STS, 429, "Standby" },
	{ HTTP("expect ! status 200"), BYTES(REPLY("200 OK", "", "")), false, FAILED,
	  CHECK_STATUS_L7STS, 200, "OK" },
	{ HTTP("expect !status 500-599"), BYTES(REPLY("200 OK", "", "")), false, PASSED, 200, "" },
	{ HTTP("expect rstatus ^[23]"), BYTES(REPLY("301 Moved", "", "")), false, PASSED, 301, "" },
	{ HTTP("expect rstatus ^5"), BYTES(REPLY("200 OK", "", "")), false, FAILED,
	  CHECK_STATUS_L7STS, 200, "OK" },
	{ HTTP("expect comment mine status 200"), BYTES(REPLY("503 No", "", "")), false, FAILED,
	  CHECK_STATUS_L7STS, 503, "No comment: mine" },
	{ HTTP("comment asking\n\thttp-check expect status 200"), BYTES(REPLY("503 No", "", "")),
	  false, FAILED, CHECK_STATUS_L7STS, 503, "No comment: asking" },
	{ HTTP("expect on-error bad\\ 100%% error-status L4CON status 200"),
	  BYTES(REPLY("503 No", "", "")), false, FAILED, CHECK_STATUS_L4CON, 503, "bad 100%" },
	{ HTTP("expect ok-status L7OKC on-success fine status 200"), BYTES(REPLY("200 OK", "", "")),
	  false, CHECK_OUTCOME_NEXT, CHECK_STATUS_L7OKC, 200, "fine" },
	{ HTTP("disable-on-404"), BYTES(REPLY("404 Not Found", "", "")), false, FAILED,
	  CHECK_STATUS_L7OKC, 404, "" },
	/* ------------------------------------------------ HTTP: headers */
	{ HTTP("expect hdr name x-role value leader"),
	  BYTES(REPLY("200 OK", "X-Role: a, leader ,b\r\n", "")), false, PASSED, 200, "" },
	{ HTTP("expect fhdr name X-Role value leader"),
	  BYTES(REPLY("200 OK", "X-Role: a, leader ,b\r\n", "")), false, FAILED, CHECK_STATUS_L7STS,
	  200, "OK" },
	{ HTTP("expect fhdr name X-Role value -m sub leader"),
	  BYTES(REPLY("200 OK", "X-Role: a, leader ,b\r\n", "")), false, PASSED, 200, "" },
	{ HTTP("expect hdr name -m beg x-r value -m reg ^l.*r$"),
	  BYTES(REPLY("200 OK", "A: b\r\nX-Role: leader\r\n", "")), false, PASSED, 200, "" },
	{ HTTP("expect hdr name -m end -role value -m end er"),
	  BYTES(REPLY("200 OK", "X-Role:leader\r\n", "")), false, PASSED, 200, "" },
	{ HTTP("expect hdr name X-Role"), BYTES(REPLY("200 OK", "A: b\r\n", "")), false, FAILED,
	  CHECK_STATUS_L7STS, 200, "OK" },
	/* ------------------------------------------------ HTTP: body */
	{ HTTP("expect string hello"), BYTES(REPLY("200 OK", "", "say hello")), false, PASSED, 200,
	  "" },
	{ HTTP("expect string hello"), BYTES(REPLY("200 OK", "", "say hel")), false,
	  CHECK_OUTCOME_MORE, CHECK_STATUS_UNKNOWN, 200, "" },
	{ HTTP("expect string hello"), BYTES(REPLY("200 OK", "Content-Length: 3\r\n", "say hello")),
	  false, FAILED, CHECK_STATUS_L7RSP, 200, "HTTP content check did not match" },
	{ HTTP("expect string hello"),
	  BYTES(REPLY("200 OK", "Transfer-Encoding: chunked\r\n",
		      "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")),
	  false, PASSED, 200, "" },
	{ HTTP("expect string hello"),
	  BYTES(REPLY("200 OK", "Transfer-Encoding: chunked\r\n", "3\r\nhex\r\n0\r\n\r\n")), false,
	  FAILED, CHECK_STATUS_L7RSP, 200, "HTTP content check did not match" },
	{ HTTP("expect string hello"),
	  BYTES(REPLY("200 OK", "Transfer-Encoding: chunked\r\n", "zz\r\n")), false, FAILED,
	  CHECK_STATUS_L7RSP, 200, "" },
	{ HTTP("expect string x"), BYTES(REPLY("503 No", "Content-Length: 0\r\n", "")), false,
	  FAILED, CHECK_STATUS_L7RSP, 503, "HTTP content check could not find a response body" },
	{ HTTP("expect rstring ^hel+o"), BYTES(REPLY("200 OK", "", "hello")), false, PASSED, 200,
	  "" },
	{ HTTP("expect ! rstring hel+o"), BYTES(REPLY("200 OK", "", "hello")), false, FAILED,
	  CHECK_STATUS_L7RSP, 200, "HTTP check matched unwanted content" },
	{ HTTP("expect ! string x"), BYTES(REPLY("200 OK", "", "hello")), true, PASSED, 200, "" },
	/* ------------------------------------------------ tcp-check */
	{ TCP("expect string +PONG"), BYTES("+PONG\r\n"), false, PASSED, 0, "(tcp-check)" },
	{ TCP("expect string +PONG"), BYTES("-NOAUTH\r\n"), false, MORE },
	{ TCP("expect string +PONG"), BYTES("-NOAUTH\r\n"), true, FAILED, CHECK_STATUS_L7RSP, 0,
	  "TCPCHK did not match content '+PONG' at step 1" },
	{ TCP("connect\n\ttcp-check send x\n\ttcp-check expect rstring ^b comment it"),
	  BYTES("abc"), true, FAILED, CHECK_STATUS_L7RSP, 0,
	  "TCPCHK did not match content (regex) at step 3 comment: it" },
	{ TCP("expect ! string OpenSSH"), BYTES("SSH-2.0-OpenSSH"), false, FAILED,
	  CHECK_STATUS_L7RSP, 0, "TCPCHK matched unwanted content 'OpenSSH' at step 1" },
	{ TCP("expect string a comment it"), BYTES(""), true, FAILED, CHECK_STATUS_L7RSP, 0,
	  "TCPCHK got an empty response at step 1 comment: 'it'" },
	{ TCP("expect error-status L7STS min-recv 3 string 220"), BYTES("554 no"), false, FAILED,
	  CHECK_STATUS_L7STS, 0, "TCPCHK did not match content '220' at step 1" },
	{ TCP("expect min-recv 5 rstring ^a"), BYTES("a"), false, MORE },
	{ TCP("expect binary 2b504f4e47"), BYTES("+PONG"), false, PASSED, 0, "(tcp-check)" },
	{ TCP("expect binary 00ff"), BYTES("a\0b"), true, FAILED, CHECK_STATUS_L7RSP, 0,
	  "TCPCHK did not match content (binary) at step 1" },
	{ TCP("expect rbinary ^2B50"), BYTES("+P"), false, PASSED, 0, "(tcp-check)" },
	{ TCP("expect ! rbinary ^2B50"), BYTES("+P"), false, FAILED, CHECK_STATUS_L7RSP, 0,
	  "TCPCHK matched unwanted content (binary regex) at step 1" },
	/* ------------------------------------------------ other protocols */
	{ "\toption redis-check", BYTES("+PONG\r\n"), false, PASSED, 0, "Redis server is ok" },
	{ "\toption redis-check", BYTES("-NO"), false, MORE },
	{ "\toption redis-check", BYTES(""), true, FAILED, CHECK_STATUS_L7STS, 0,
	  "TCPCHK got an empty response at step 2" },
	{ "\toption ssl-hello-chk", BYTES("\x16\3\1\0\x30\2"), false, CHECK_OUTCOME_NEXT,
	  CHECK_STATUS_L6OK, 0, "" },
	{ "\toption ssl-hello-chk", BYTES("\x15\3\1\0\2\2\x28"), false, CHECK_OUTCOME_NEXT,
	  CHECK_STATUS_L6OK, 0, "" },
	{ "\toption ssl-hello-chk", BYTES("SSH-2.0-OpenSSH\r\n"), false, FAILED, CHECK_STATUS_L6RSP,
	  0, "" },
	{ "\toption smtpchk", BYTES("220 mail ready\r\n"), false, PASSED, 220, "mail ready" },
	{ "\toption smtpchk", BYTES("554 go away\r\n"), false, FAILED, CHECK_STATUS_L7STS, 554,
	  "go away" },
	{ "\toption smtpchk", BYTES("SSH-2.0-OpenSSH\r\n"), false, FAILED, CHECK_STATUS_L7RSP, 0,
	  "SSH-2.0-OpenSSH" },
	{ "\toption pgsql-check user u", BYTES("R\0\0\0\x08\0\0\0\0"), false, PASSED, 0,
	  "PostgreSQL server is ok" },
	{ "\toption pgsql-check user u", BYTES("R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"), false,
	  PASSED, 0, "PostgreSQL server is ok" },
	{ "\toption pgsql-check user u", BYTES("E\0\0\0\x08SFATAL\0"), false, FAILED,
	  CHECK_STATUS_L7RSP, 0, "FATAL" },
	{ "\toption pgsql-check user u", BYTES("SSH-2.0-OpenSSH\r\n"), false, FAILED,
	  CHECK_STATUS_L7STS, 0, "PostgreSQL unknown error" },
	{ "\toption ldap-check", BYTES("\x30\x0c\2\1\1\x61\7\x0a\1\0\4\0\4\0"), false, PASSED, 0,
	  "Success" },
	{ "\toption ldap-check", BYTES("\x30\x84\0\0\0\x10\2\1\1\x61\x84\0\0\0\7\x0a\1\0\4\0\4\0"),
	  false, PASSED, 0, "Success" },
	{ "\toption ldap-check", BYTES("\x30\x0c\2\1\1\x61\7\x0a\1\x31\4\0\4\0"), false, FAILED,
	  CHECK_STATUS_L7STS, 49, "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9" },
	{ "\toption ldap-check", BYTES("SSH-2.0-OpenSSH\r\n"), false, FAILED, CHECK_STATUS_L7RSP, 0,
	  "Not LDAPv3 protocol" },
	{ "\toption mysql-check",
	  BYTES("\x0a\0\0\0\x0a"
		"8.0.30\0xx"),
	  false, PASSED, 0, "8.0.30" },
	{ "\toption mysql-check user u",
	  BYTES("\x0a\0\0\0\x0a"
		"8.0.30\0xx\7\0\0\2\0\0\0\2\0\0\0"),
	  false, PASSED, 0, "8.0.30" },
	{ "\toption mysql-check user u",
	  BYTES("\x0a\0\0\0\x0a"
		"8.0.30\0xx"),
	  true, FAILED, CHECK_STATUS_L7RSP, 0, "" },
	{ "\toption mysql-check", BYTES("\x12\0\0\0\xff\x6a\4Host is blocked"), false, FAILED,
	  CHECK_STATUS_L7STS, 1130, "Host is blocked" },
	{ "\toption mysql-check", BYTES("SSH-2.0-OpenSSH\r\n"), false, MORE },
};

static void
judges_as_haproxy_does(void **state)
{
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		const struct answer *a = &answers[i];
		struct arena *arena = arena_new();
		struct check_program *program = check_program_new(check_conf(arena, a->lines));
		struct check_result result = { 0 };
		enum check_outcome outcome =
			check_judge_all(program, a->data, a->len, a->last, true, &result);

		if (outcome != a->outcome || result.status != a->status || result.code != a->code ||
		    strcmp(result.info, a->info) != 0)
			fail_msg("%s\n%s\noutcome %d, status %s, code %d, info \"%s\"", a->lines,
				 a->data, outcome, check_status_name(result.status), result.code,
				 result.info);
		check_program_free(program);
		arena_free(arena);
	}
}

/* Every prefix of an answer is either waited on or judged, byte by byte, without an end. */
static void
waits_for_pieces(void **state)
{
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		const struct answer *a = &answers[i];
		struct arena *arena = arena_new();
		struct check_program *program = check_program_new(check_conf(arena, a->lines));
		struct check_result result = { 0 };
		enum check_outcome outcome = CHECK_OUTCOME_MORE;

		for (size_t len = 1; len <= a->len && outcome == CHECK_OUTCOME_MORE; len++) {
			char *piece = malloc(len);

			memcpy(piece, a->data, len);
			memset(&result, 0, sizeof result);
			outcome = check_judge_all(program, piece, len, a->last && len == a->len,
						  true, &result);
			free(piece);
		}
		/* What passes whole passes in pieces. */
		if (a->len && check_grade(a->status) == CHECK_GRADE_PASSED)
			assert_int_equal(check_grade(result.status), CHECK_GRADE_PASSED);
		check_program_free(program);
		arena_free(arena);
	}
}

/* A 404 spares a server that is up; one that is down stays down. */
static void
spares_on_404_only_what_is_up(void **state)
{
	struct arena *arena = arena_new();
	struct check_program *program =
		check_program_new(check_conf(arena, HTTP("disable-on-404")));
	static const char gone[] = REPLY("404 Not Found", "", "");
	struct check_result result = { 0 };

	check_judge_all(program, gone, sizeof gone - 1, false, false, &result);
	assert_int_equal(result.status, CHECK_STATUS_L7STS);
	check_program_free(program);
	arena_free(arena);
}

static const struct conf_step *
sent(struct arena *arena, const char *lines)
{
	const struct conf_health *health = check_conf(arena, lines);

	for (size_t i = 0; i < health->steps_n; i++)
		if (health->steps[i].kind == CONF_STEP_SEND)
			return &health->steps[i];
	fail();
	return NULL;
}

/* The bytes that HAProxy 2.6 sends for the same lines. */
static void
asks_as_haproxy_does(void **state)
{
	static const struct {
		const char *lines, *data;
		size_t len;
	} requests[] = {
		{ "\toption httpchk", BYTES("OPTIONS / HTTP/1.0\r\n\r\n") },
		{ "\toption httpchk /x", BYTES("OPTIONS /x HTTP/1.0\r\n\r\n") },
		{ "\toption httpchk GET /health HTTP/1.1\\r\\nHost:\\ example",
		  BYTES("GET /health HTTP/1.1\r\nhost: example\r\nconnection: close\r\n\r\n") },
		{ HTTP("send meth GET uri /x ver HTTP/1.1 hdr Host foo hdr X-Y z body hi"),
		  BYTES("GET /x HTTP/1.1\r\nhost: foo\r\nx-y: z\r\ncontent-length: 2\r\n"
			"connection: close\r\n\r\nhi") },
		{ "\toption httpchk HEAD /zz HTTP/1.1\n\thttp-check send hdr Host foo",
		  BYTES("HEAD /zz HTTP/1.1\r\nhost: foo\r\nconnection: close\r\n\r\n") },
		{ "\toption redis-check", BYTES("PING\r\n") },
		{ "\toption smtpchk", BYTES("HELO localhost\r\n") },
		{ "\toption smtpchk EHLO me.example", BYTES("EHLO me.example\r\n") },
		{ "\toption pgsql-check user haproxy",
		  BYTES("\0\0\0\x16\0\3\0\0user\0haproxy\0\0") },
		{ "\toption mysql-check user haproxy",
		  BYTES("\x29\0\0\1\0\x82\0\0\0\x80\0\1\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
			"\0\0\0\0haproxy\0\0\1\0\0\0\1") },
		{ "\toption mysql-check user haproxy pre-41",
		  BYTES("\x0e\0\0\1\0\x80\0\0\1haproxy\0\0\1\0\0\0\1") },
		{ "\toption ldap-check", BYTES("\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0") },
		{ TCP("send-binary 00ffA1"), BYTES("\0\xff\xa1") },
		{ TCP("send PING\\r\\n comment hello"), BYTES("PING\r\n") },
	};

	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		struct arena *arena = arena_new();
		const struct conf_step *step = sent(arena, requests[i].lines);

		assert_int_equal(step->data_len, requests[i].len);
		assert_memory_equal(step->data, requests[i].data, requests[i].len);
		arena_free(arena);
	}
}

static void
describes_as_haproxy_does(void **state)
{
	struct check_result result = { .status = CHECK_STATUS_L4CON, .error = 111 };
	char text[512];

	check_result_describe(&result, text, sizeof text);
	assert_string_equal(text, "reason: Layer4 connection problem, info: \"Connection "
				  "refused\", check duration: 0ms");
	strcpy(result.info, " at initial connection step of tcp-check");
	check_result_describe(&result, text, sizeof text);
	assert_string_equal(text, "reason: Layer4 connection problem, info: \"Connection refused "
				  "at initial connection step of tcp-check\", check duration: 0ms");
	result = (struct check_result){
		.status = CHECK_STATUS_L7STS, .code = 503, .info = "a\n\"b\"\x80#", .duration_ms = 7
	};
	check_result_describe(&result, text, sizeof text);
	assert_string_equal(text, "reason: Layer7 wrong status, code: 503, info: "
				  "\"a#0A#22b#22#80#23\", check duration: 7ms");
	check_result_detail(&result, text, 4);
	assert_string_equal(text, "a#0");
	/* Every status has its words. */
	for (int i = CHECK_STATUS_UNKNOWN; i < CHECK_STATUS_N; i++) {
		assert_non_null(check_status_name((enum check_status)i));
		assert_non_null(check_status_text((enum check_status)i));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_as_haproxy_does),
		cmocka_unit_test(waits_for_pieces),
		cmocka_unit_test(spares_on_404_only_what_is_up),
		cmocka_unit_test(asks_as_haproxy_does),
		cmocka_unit_test(describes_as_haproxy_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

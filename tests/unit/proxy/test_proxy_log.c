/*
 * test_proxy_log.c - the bytes of the traffic log: the tcplog line and the formats of targets; and
 * the buffer pool, which is as small.
 */
#include "conf/expr_words.h"
#include "proxy/access_log.h"
#include "proxy/log_target.h"
#include "proxy/pool.h"
#include "tests/unit/proxy/format_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct access_record
record(void)
{
	struct access_record r = {
		.client_port = 33313,
		.accepted_ms = 1233922332443,
		.frontend = "fnt",
		.backend = "bck",
		.server = "srv1",
		.total_ms = 5007,
		.bytes = 212,
		.bytes_up = 17,
		.cause = '-',
		.phase = '-',
		.retries = 3,
		.pid = 14389,
		.hostname = "lb1",
		.log_counter = 5,
		.request_counter = 26,
	};

	ip_parse("10.0.1.2", &r.client_ip);
	return r;
}

/* The line that a frontend with these words in it would log. */
static const char *
line_of(const char *words, const struct access_record *record)
{
	static char line[512];
	struct arena *arena = arena_new();
	const struct conf_proxy *px = format_conf(arena, words);
	struct access_record r = *record;

	r.unique_id = px->unique_id_format;
	log_format_line(px->log_format, &r, line, sizeof line);
	arena_free(arena);
	return line;
}

static void
tcplog_line(void **state)
{
	struct access_record r = record();

	assert_string_equal(line_of("option tcplog", &r),
			    "10.0.1.2:33313 [06/Feb/2009:12:12:12.443] fnt bck/srv1 0/0/5007 "
			    "212 -- 0/0/0/0/3 0/0");
}

static void
tcplog_of_a_failure(void **state)
{
	struct access_record r = record();

	r.server = NULL;
	r.queue_ms = r.connect_ms = -1;
	r.cause = 'S';
	r.phase = 'C';
	r.redispatched = true;
	r.actconn = 1;
	r.feconn = 2;
	r.beconn = 3;
	r.srvconn = 4;
	r.server_queue = 5;
	r.backend_queue = 6;
	assert_string_equal(line_of("option tcplog", &r),
			    "10.0.1.2:33313 [06/Feb/2009:12:12:12.443] fnt bck/<NOSRV> "
			    "-1/-1/5007 212 SC 1/2/3/4/+3 5/6");
}

static void
tcplog_early(void **state)
{
	struct access_record r = record();

	r.early = true;
	r.tls = true;
	r.handshake_ms = 2;
	r.queue_ms = 5;
	r.connect_ms = 9;
	assert_string_equal(line_of("option tcplog", &r),
			    "10.0.1.2:33313 [06/Feb/2009:12:12:12.443] fnt~ bck/srv1 3/4/+5007 "
			    "+212 -- 0/0/0/0/3 0/0");
}

/* As HAProxy 2.6 prints them. */
static void
fields(void **state)
{
	struct access_record r = record();

	assert_string_equal(line_of("log-format '%ci:%cp %{+X}ci:%{+X}cp %{+Q}s %{+Q,+E}b'", &r),
			    "10.0.1.2:33313 0A000102:8221 \"srv1\" \"bck\"");
	assert_string_equal(line_of("log-format '%ST %tsc %lc %rt %{+X}rt %pid %{+X}pid'", &r),
			    "0 ---- 5 26 001A 14389 3835");
	assert_string_equal(line_of("log-format '%T|%Tl|%ms|%Ts|%{+X}Ts|%t'", &r),
			    "06/Feb/2009:12:12:12 +0000|06/Feb/2009:12:12:12 +0000|443|1233922332|"
			    "498C291C|06/Feb/2009:12:12:12.443");
	assert_string_equal(line_of("log-format '%Th %Tw %Tc %Td %Tt %Tu %B %U %H'", &r),
			    "0 0 0 5007 5007 5007 212 17 lb1");
	assert_string_equal(line_of("log-format '%si:%sp %bi:%bp %fi:%fp %sslc %sslv %ID'", &r),
			    "-:- -:- -:- - - -");
	assert_string_equal(line_of("log-format '100%% %{+Q}o %s   %{-Q}b'", &r),
			    "100% \"srv1\" bck");
	assert_string_equal(line_of("log-format x%ID\n\tunique-id-format %{+X}o%ci_%rt", &r),
			    "x0A000102_001A");
	r.client_ip.family = AF_UNSPEC;
	r.client_port = 1;
	assert_string_equal(line_of("log-format %ci:%cp", &r), "unix:1");
}

/* What finds no room is cut; the line ends all the same. */
static void
line_is_cut(void **state)
{
	struct conf_format_part part = { .field = CONF_FIELD_TEXT, .text = { "0123456789", 10 } };
	const struct conf_format format = { .parts = &part, .parts_n = 1 };
	struct access_record r = record();
	char line[8];

	assert_int_equal(log_format_line(&format, &r, line, sizeof line), 7);
	assert_string_equal(line, "0123456");
	part.field = CONF_FIELD_TIMESTAMP;
	assert_int_equal(log_format_line(&format, &r, line, sizeof line), 7);
	assert_string_equal(line, "1233922");
}

static const char *
format(enum conf_log_format kind, const char *hostname, uint32_t length)
{
	static char out[256];
	struct conf_log target = { .format = kind, .length = length, .facility = 16 };
	struct log_stamp stamp = { .tag = "tandem", .hostname = hostname, .pid = 14389 };

	stamp.now.tv_sec = 1233922332;
	stamp.now.tv_usec = 443123;
	out[log_target_format(&target, &stamp, 6, "hello", out, sizeof out)] = '\0';
	return out;
}

static void
target_formats(void **state)
{
	assert_string_equal(format(CONF_LOG_RAW, NULL, 0), "hello");
	assert_string_equal(format(CONF_LOG_RFC3164, NULL, 0),
			    "<134>Feb  6 12:12:12 tandem[14389]: hello");
	assert_string_equal(format(CONF_LOG_RFC3164, "lb1", 0),
			    "<134>Feb  6 12:12:12 lb1 tandem[14389]: hello");
	assert_string_equal(format(CONF_LOG_RFC5424, "lb1", 0),
			    "<134>1 2009-02-06T12:12:12.443123+00:00 lb1 tandem 14389 - - hello");
	assert_string_equal(format(CONF_LOG_SHORT, NULL, 0), "<6>hello");
	assert_string_equal(format(CONF_LOG_TIMED, NULL, 0),
			    "<6>2009-02-06T12:12:12.443123+00:00 hello");
	assert_string_equal(format(CONF_LOG_RAW, NULL, 3), "hel");
}

/* One message to several targets: what HAProxy sends to each with these values of `len`. */
static void
each_target_has_its_length(void **state)
{
	static char message[70000], structured[] = "[x@1]", got[70000];
	static const struct {
		uint32_t length;
		size_t len, sent; /* of the message, and of what arrives */
	} cells[] = {
		{ 80, 6000, 81 },        { 1024, 6000, 1025 },    { 8192, 6000, 6001 },
		{ 8192, 9000, 8193 },    { 65507, 65505, 65506 }, { 65507, 65506, 65507 },
		{ 65507, 65507, 65507 }, { 65535, 69999, 65507 },
	};
	enum { N = sizeof cells / sizeof cells[0] };
	struct conf_log logs[N];
	struct conf conf = { .logs = logs, .logs_n = N };
	struct conf_log global = { .global = true };
	struct conf_proxy px = { .logs = &global, .logs_n = 1 };
	struct log_sender sender;
	struct ip loopback;
	int fds[N];

	ip_parse("127.0.0.1", &loopback);
	for (size_t i = 0; i < N; i++) {
		logs[i] = (struct conf_log){ .address = sock_addr_from_ip(&loopback, 0),
					     .fd = -1,
					     .format = CONF_LOG_RAW,
					     .level = LOG_DEBUG,
					     .length = cells[i].length };
		fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fds[i], &logs[i].address.any, logs[i].address.len), 0);
		getsockname(fds[i], &logs[i].address.any, &logs[i].address.len);
	}
	assert_int_equal(log_sender_init(&sender, &conf), 0);
	for (size_t i = 0; i < N; i++) {
		memset(message, 'm', cells[i].len);
		message[cells[i].len] = '\0';
		log_target_send(&sender, &conf, &px, LOG_INFO, message, structured);
		for (size_t k = 0; k < N; k++) {
			ssize_t n = recv(fds[k], got, sizeof got, 0);

			assert_true(n > 1 && got[n - 1] == '\n' && got[n - 2] == 'm');
			if (k == i)
				assert_int_equal(n, cells[i].sent);
		}
	}
	assert_int_equal(sender.dropped, 0);
	log_sender_fini(&sender);
	for (size_t i = 0; i < N; i++)
		close(fds[i]);
}

static void
levels(void **state)
{
	struct conf_log global = { .level = 5, .fd = -1 }, own = { .global = true };
	struct conf conf = { .logs = &global, .logs_n = 1 };
	struct conf_proxy px = { .logs = &own, .logs_n = 1 };

	assert_true(log_target_wanted(&conf, &px, LOG_NOTICE));
	assert_false(log_target_wanted(&conf, &px, LOG_INFO));
	global.level = 7;
	assert_true(log_target_wanted(&conf, &px, LOG_INFO));
	px.logs_n = 0;
	assert_false(log_target_wanted(&conf, &px, LOG_EMERG));
}

static void
pool_keeps_the_warm_ones(void **state)
{
	struct pool pool;
	void *a, *b, *c;

	pool_init(&pool, 64, 2);
	a = pool_get(&pool);
	b = pool_get(&pool);
	c = pool_get(&pool);
	pool_put(&pool, a);
	pool_put(&pool, b);
	pool_put(&pool, c); /* one too many: back to the allocator */
	assert_int_equal(pool.kept_n, 2);
	assert_ptr_equal(pool_get(&pool), b);
	assert_ptr_equal(pool_get(&pool), a);
	assert_int_equal(pool.kept_n, 0);
	pool_put(&pool, a);
	free(b);
	pool_fini(&pool);
	assert_null(pool.first);
}

/* What an idle connection costs is a promise of the README. */
static void
sessions_are_small(void **state)
{
	assert_true(sizeof(struct session) <= 700);
	assert_true(sizeof(struct buffer) == BUFFER_SIZE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcplog_line),
		cmocka_unit_test(tcplog_of_a_failure),
		cmocka_unit_test(tcplog_early),
		cmocka_unit_test(fields),
		cmocka_unit_test(line_is_cut),
		cmocka_unit_test(target_formats),
		cmocka_unit_test(each_target_has_its_length),
		cmocka_unit_test(levels),
		cmocka_unit_test(pool_keeps_the_warm_ones),
		cmocka_unit_test(sessions_are_small),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_proxy_convert.c - expressions of constants: what HAProxy 2.6 makes of the same ones.
 */
#include "proxy/conn_fault.h"
#include "proxy/sample.h"
#include "tests/unit/proxy/format_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

struct cell {
	const char *expr;
	const char *value; /* as text; NULL = there is none */
};

static void
check_cells(const struct cell *cells, size_t n)
{
	struct sample_room room = { .turn = 0 };
	const struct sample_ctx ctx = { .final = true, .room = &room };
	struct arena *arena = arena_new();

	for (size_t i = 0; i < n; i++) {
		const char *words = arena_printf(arena, "acl a %s -m found", cells[i].expr);
		const struct conf_acl *acl = format_conf(arena, words)->acls;
		struct sample sample = { 0 };
		bool found = sample_eval(&ctx, acl->lines[0].expr, 0, &sample) == SAMPLE_FOUND &&
			     sample_cast(&sample, SAMPLE_STR, &room);
		const char *value = cells[i].value;

		if (found != (value != NULL))
			fail_msg("%s: there is %s value", cells[i].expr, found ? "a" : "no");
		if (found &&
		    (sample.len != strlen(value) || memcmp(sample.data, value, sample.len)))
			fail_msg("%s: %.*s, not %s", cells[i].expr, (int)sample.len, sample.data,
				 value);
	}
	arena_free(arena);
}

static void
json(void **state)
{
	static const struct cell cells[] = {
		{ "bin(22612f625c63),json", "\\\"a\\/b\\\\c" },
		{ "bin(080c0a0d09017f),json(utf8)", "\\b\\f\\n\\r\\t\\u0001\\u007f" },
		{ "bin(41004242),json(utf8)", "A" }, /* a text ends there */
		{ "bin(c3a9),json", "\\u00c3\\u00a9" },
		{ "bin(c3a9),json(ascii)", "\\u00c3\\u00a9" },
		{ "bin(c3a9),json(utf8)", "\\u00e9" },
		{ "bin(e282ac),json(utf8)", "\\u20ac" },
		{ "bin(41f09f988042),json(utf8)", NULL },
		{ "bin(41f09f988042),json(utf8s)", "AB" },
		{ "bin(41f09f988042),json(utf8ps)", "AB" },
		{ "bin(41c08042),json(utf8)", NULL },
		{ "bin(41c08042),json(utf8s)", "AB" },
		{ "bin(41c08042),json(utf8p)", "A\\u0000B" },
		{ "bin(41c3),json(utf8p)", NULL },
		{ "bin(41c3),json(utf8s)", "A" },
		{ "bin(41e2824242),json(utf8s)", "ABB" },
		{ "bin(41eda08042),json(utf8s)", "AB" },
		{ "bin(41efbfbf42),json(utf8p)", NULL },
		{ "bin(41ff8042),json(utf8ps)", "AB" },
		{ "bin(41ff42),json", "A\\u00ffB" },
	};

	check_cells(cells, sizeof cells / sizeof *cells);
}

#define CONNECT "bin(101100044d5154540402003c0005636c69656e)"
#define CONNACK "bin(200a01000712000261622401)"

static void
mqtt(void **state)
{
	static const struct cell cells[] = {
		{ CONNECT ",mqtt_is_valid", "1" },
		{ CONNECT ",mqtt_field_value(connect,client_identifier)", "clien" },
		{ CONNECT ",mqtt_field_value(1,KeepAlive)", "60" },
		{ CONNECT ",mqtt_field_value(connect,protocol_version)", "4" },
		{ CONNECT ",mqtt_field_value(connect,username)", NULL },
		{ CONNECT ",mqtt_field_value(connect,17)", NULL },
		{ CONNECT ",mqtt_field_value(connack,flags)", NULL },
		{ "bin(101100044d51545404),mqtt_is_valid", NULL },
		{ "bin(101100044d5154540403003c0005636c69656e),mqtt_is_valid", "0" },
		{ "bin(20020000),mqtt_is_valid", "1" },
		{ "bin(20020005),mqtt_field_value(connack,reason_code)", "5" },
		{ CONNACK ",mqtt_field_value(connack,18)", "ab" },
		{ CONNACK ",mqtt_field_value(connack,36)", "1" },
		{ CONNACK ",mqtt_field_value(connack,19)", "0" },
		{ CONNACK ",mqtt_field_value(2,protocol_version)", "5" },
		{ "bin(200a01000712000261622402),mqtt_is_valid", "0" },
		{ "bin(30020000),mqtt_is_valid", "0" },
		{ "str(),mqtt_is_valid", NULL },
	};

	check_cells(cells, sizeof cells / sizeof *cells);
}

/* The last character that has room, and the first that has none. */
static void
json_that_is_too_long(void **state)
{
	static char quotes[SAMPLE_ROOM];
	static char out[SAMPLE_ROOM];
	struct sample sample;

	memset(quotes, '"', sizeof quotes);
	sample_text(&sample, SAMPLE_STR, quotes, SAMPLE_ROOM / 2 - 2);
	assert_true(sample_to_json(&sample, CONF_JSON_ASCII, out));
	assert_int_equal(sample.len, SAMPLE_ROOM - 4);
	sample_text(&sample, SAMPLE_STR, quotes, SAMPLE_ROOM / 2);
	assert_false(sample_to_json(&sample, CONF_JSON_ASCII, out));
}

static void
faults(void **state)
{
	static const struct {
		int error;
		bool tls;
		enum conn_fault fault;
	} cells[] = {
		{ ECONNREFUSED, false, 0 }, { ETIMEDOUT, false, 0 },     { ETIMEDOUT, true, 0 },
		{ ECONNABORTED, true, 0 },  { EPROTO, true, 34 },        { ECONNRESET, true, 34 },
		{ ECONNRESET, false, 0 },   { EADDRNOTAVAIL, false, 8 }, { EADDRINUSE, false, 7 },
		{ EMFILE, false, 2 },       { ENFILE, false, 3 },        { ENOBUFS, false, 4 },
	};

	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		assert_int_equal(conn_fault_of(cells[i].error, cells[i].tls), cells[i].fault);
	assert_string_equal(conn_fault_words(CONN_FAULT_NONE), "Success");
	assert_string_equal(conn_fault_words(CONN_FAULT_TLS_FAILED), "SSL handshake failure");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(json_that_is_too_long),
		cmocka_unit_test(mqtt),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_proxy_hello.c - first bytes of connections, cut at every length.  The messages are composed
 * here, field by field.
 */
#include "proxy/hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

struct message {
	unsigned char data[512];
	size_t len;
};

static void
add(struct message *m, const void *data, size_t len)
{
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

static void
add_number(struct message *m, unsigned bytes, size_t number)
{
	while (bytes-- > 0)
		m->data[m->len++] = (unsigned char)(number >> 8 * bytes);
}

static void
add_extension(struct message *m, unsigned type, const void *data, size_t len)
{
	add_number(m, 2, type);
	add_number(m, 2, len);
	add(m, data, len);
}

/* A ClientHello with these extensions. */
static struct message
client_hello(const struct message *extensions)
{
	struct message m = { .len = 0 };
	size_t body = 2 + 32 + 1 + 4 + 2 + 2 + extensions->len;

	add_number(&m, 1, 0x16);
	add_number(&m, 2, 0x0301);
	add_number(&m, 2, body + 4);
	add_number(&m, 1, 1);
	add_number(&m, 3, body);
	add_number(&m, 2, 0x0303);
	m.len += 32;
	add_number(&m, 1, 0);
	add_number(&m, 2, 2);
	add_number(&m, 2, 0x1301);
	add_number(&m, 1, 1);
	add_number(&m, 1, 0);
	add_number(&m, 2, extensions->len);
	add(&m, extensions->data, extensions->len);
	return m;
}

static struct message
usual_hello(void)
{
	struct message e = { .len = 0 }, host = { .len = 0 }, alpn = { .len = 0 };

	add_number(&host, 2, 3 + 11);
	add_number(&host, 1, 0);
	add_number(&host, 2, 11);
	add(&host, "a.example.c", 11);
	add_number(&alpn, 2, 3 + 9);
	add_number(&alpn, 1, 2);
	add(&alpn, "h2", 2);
	add_number(&alpn, 1, 8);
	add(&alpn, "http/1.1", 8);
	add_extension(&e, 10, "\0\2\0\x17", 4);
	add_extension(&e, 0, host.data, host.len);
	add_extension(&e, 16, alpn.data, alpn.len);
	add_extension(&e, 35, "", 0);
	return client_hello(&e);
}

static void
every_cut(void **state)
{
	const struct message m = usual_hello();
	struct hello_text text;
	int64_t number;

	for (size_t len = 0; len <= m.len; len++) {
		enum hello_result expected = len < m.len ? HELLO_WAIT : HELLO_FOUND;

		assert_int_equal(hello_type(m.data, len, &number), expected);
		assert_int_equal(hello_version(m.data, len, &number), expected);
		assert_int_equal(hello_host(m.data, len, &text), expected);
		assert_int_equal(hello_alpn(m.data, len, 1, &text), expected);
		assert_int_equal(hello_curves(m.data, len), expected);
		assert_int_equal(hello_ticket(m.data, len, &number), expected);
	}
}

static void
what_it_says(void **state)
{
	const struct message m = usual_hello();
	struct hello_text text;
	int64_t number;

	hello_type(m.data, m.len, &number);
	assert_int_equal(number, 1);
	hello_version(m.data, m.len, &number);
	assert_int_equal(number, 3 << 16 | 3);
	hello_ticket(m.data, m.len, &number);
	assert_int_equal(number, 1);
	hello_host(m.data, m.len, &text);
	assert_int_equal(text.len, 11);
	assert_memory_equal(text.data, "a.example.c", 11);
	hello_alpn(m.data, m.len, 0, &text);
	assert_int_equal(text.len, 2);
	assert_memory_equal(text.data, "h2", 2);
	hello_alpn(m.data, m.len, 1, &text);
	assert_memory_equal(text.data, "http/1.1", 8);
	assert_int_equal(hello_alpn(m.data, m.len, 2, &text), HELLO_NONE);
}

static void
what_is_missing(void **state)
{
	const struct message none = { .len = 0 }, m = client_hello(&none);
	struct hello_text text;
	int64_t number;

	assert_int_equal(hello_host(m.data, m.len, &text), HELLO_NONE);
	assert_int_equal(hello_alpn(m.data, m.len, 0, &text), HELLO_NONE);
	assert_int_equal(hello_curves(m.data, m.len), HELLO_NONE);
	assert_int_equal(hello_ticket(m.data, m.len, &number), HELLO_FOUND);
	assert_int_equal(number, 0);
}

/* Each length, one byte too long. */
static void
lengths_that_lie(void **state)
{
	const struct message m = usual_hello();
	struct hello_text text;

	for (size_t at = 9; at < m.len; at++) {
		struct message lie = m;

		lie.data[at]++;
		/* Whatever it makes of it, what it finds is within. */
		if (hello_host(lie.data, lie.len, &text) == HELLO_FOUND)
			assert_true((const unsigned char *)text.data + text.len <=
				    lie.data + lie.len);
	}
}

static void
something_else(void **state)
{
	static const char *const all[] = { "GET / HTTP/1.0\r\n\r\n", "SSH-2.0-x\r\n",
					   "\x80\x2e\x01", "\0\0\0\0",
					   "\x13\x03\x01\0\5\1\0\0\1\0" };
	struct hello_text text;
	int64_t number;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_int_equal(hello_type(all[i], 10, &number), HELLO_NONE);
		assert_int_equal(hello_version(all[i], 10, &number), HELLO_NONE);
		assert_int_equal(hello_host(all[i], 10, &text), HELLO_NONE);
	}
	/* An alert is TLS, but says nothing of a host. */
	assert_int_equal(hello_host("\x15\3\1\0\2\2\x28\0\0\0", 10, &text), HELLO_NONE);
	/* SSLv2's version in SSLv3's clothes. */
	assert_int_equal(hello_type("\x16\2\0\0\x10\1\0\0\0\0", 10, &number), HELLO_NONE);
}

static void
rdp(void **state)
{
	static const char request[] = "\3\0\0\x27\x22\xe0\0\0\0\0\0Cookie: mstshash=user one\r\n"
				      "\1\0\x08\0";
	static const struct hello_text any = { "", 0 }, hash = { "MSTSHASH", 8 },
				       other = { "msts", 4 };
	size_t len = 0x27;
	struct hello_text value;

	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(hello_rdp_cookie(request, cut, &any, &value), HELLO_WAIT);
	assert_int_equal(hello_rdp_cookie(request, len, &any, &value), HELLO_FOUND);
	assert_int_equal(value.len, 8);
	assert_memory_equal(value.data, "user one", 8);
	assert_int_equal(hello_rdp_cookie(request, len, &hash, &value), HELLO_FOUND);
	assert_int_equal(hello_rdp_cookie(request, len, &other, &value), HELLO_NONE);
	assert_int_equal(hello_rdp_cookie("\3\1\0\x27", 4, &any, &value), HELLO_NONE);
	assert_int_equal(hello_rdp_cookie("\3\0\0\x0c\7\xd0\0\0\0\0\0\0", 12, &any, &value),
			 HELLO_NONE);
}

static void
http(void **state)
{
	static const char request[] = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";

	for (size_t cut = 0; cut < sizeof request - 1; cut++)
		assert_int_equal(hello_http(request, cut), HELLO_WAIT);
	assert_int_equal(hello_http(request, sizeof request - 1), HELLO_FOUND);
	assert_int_equal(hello_http("GET / HTTP/1.0\n\n", 16), HELLO_FOUND);
	assert_int_equal(hello_http("GET /\r\n", 7), HELLO_NONE);
	assert_int_equal(hello_http("get / HTTP/1.1\r\n\r\n", 18), HELLO_NONE);
	assert_int_equal(hello_http("\x16\3\1", 3), HELLO_NONE);
	assert_int_equal(hello_http(" / HTTP/1.1\r\n\r\n", 15), HELLO_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut),
		cmocka_unit_test(what_it_says),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(something_else),
		cmocka_unit_test(rdp),
		cmocka_unit_test(http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

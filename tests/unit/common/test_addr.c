/*
 * test_addr.c - parsing and formatting tables, order, prefixes, socket addresses.
 */
#include "common/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct ip
ip(const char *s)
{
	struct ip addr;

	assert_int_equal(ip_parse(s, &addr), 0);
	return addr;
}

static void
test_parse(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL = refused */
		int family;
	} row[] = {
		{ "192.0.2.1", "192.0.2.1", AF_INET },
		{ "0.0.0.0", "0.0.0.0", AF_INET },
		{ "255.255.255.255", "255.255.255.255", AF_INET },
		{ "2001:DB8:0:0::1", "2001:db8::1", AF_INET6 },
		{ "::", "::", AF_INET6 },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1", AF_INET6 },
		{ "fe80::1", "fe80::1", AF_INET6 },
		{ "", NULL, 0 },
		{ " 192.0.2.1", NULL, 0 },
		{ "192.0.2.1 ", NULL, 0 },
		{ "192.0.2", NULL, 0 },
		{ "192.0.2.256", NULL, 0 },
		{ "192.0.2.1.5", NULL, 0 },
		{ "192.0.2.1/24", NULL, 0 },
		{ "0x7f.1", NULL, 0 },
		{ "localhost", NULL, 0 },
		{ "2001:db8::1::2", NULL, 0 },
		{ "12345::", NULL, 0 },
		{ "[::1]", NULL, 0 },
		{ "*", NULL, 0 },
	};
	char buf[IP_STRLEN];

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct ip addr, untouched;

		memset(&addr, 0xa5, sizeof addr);
		untouched = addr;
		if (!row[i].out) {
			assert_int_equal(ip_parse(row[i].in, &addr), -EINVAL);
			assert_memory_equal(&addr, &untouched, sizeof addr);
			continue;
		}
		assert_int_equal(ip_parse(row[i].in, &addr), 0);
		assert_int_equal(addr.family, row[i].family);
		assert_int_equal(ip_len(&addr), addr.family == AF_INET ? 4 : 16);
		assert_string_equal(ip_format(&addr, buf), row[i].out);
	}
	assert_string_equal(ip_format(&(struct ip){ 0 }, buf), "none");
}

static void
test_parse_prefix(void **state)
{
	static const struct {
		const char *in;
		int len; /* -1 = refused */
		bool given;
	} row[] = {
		{ "192.0.2.0/24", 24, true },
		{ "192.0.2.1", 32, false },
		{ "192.0.2.1/32", 32, true },
		{ "0.0.0.0/0", 0, true },
		{ "2001:db8::/64", 64, true },
		{ "2001:db8::1", 128, false },
		{ "::/128", 128, true },
		{ "0000:0000:0000:0000:0000:ffff:192.168.100.200/96", 96, true },
		{ "192.0.2.0/33", -1, false },
		{ "2001:db8::/129", -1, false },
		{ "192.0.2.0/", -1, false },
		{ "192.0.2.0/-1", -1, false },
		{ "192.0.2.0/+8", -1, false },
		{ "192.0.2.0/ 8", -1, false },
		{ "192.0.2.0/8 ", -1, false },
		{ "192.0.2.0/8/8", -1, false },
		{ "192.0.2.0/0024", -1, false },
		{ "192.0.2.0/4294967304", -1, false },
		{ "/24", -1, false },
		{ "", -1, false },
		{ "name/24", -1, false },
		{ "2001:db8:2001:db8:2001:db8:2001:db8:2001:db8:2001:db8/64", -1, false },
	};

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct ip addr = { 0 };
		uint8_t len = 77;
		bool given = !row[i].given;
		int r = ip_parse_prefix(row[i].in, &addr, &len, &given);

		if (row[i].len < 0) {
			assert_int_equal(r, -EINVAL);
			assert_int_equal(len, 77);
			assert_int_equal(addr.family, AF_UNSPEC);
		} else {
			assert_int_equal(r, 0);
			assert_int_equal(len, row[i].len);
			assert_int_equal(given, row[i].given);
		}
	}
}

static void
test_order(void **state)
{
	/* Ascending; byte-wise, not as little-endian integers. */
	static const char *const sorted[] = { "0.0.0.1",    "1.0.0.0",         "10.0.0.2",
					      "10.0.0.10",  "192.0.2.1",       "::1",
					      "2001:db8::", "2001:db8::1:0:0", "fe80::1" };
	struct ip none = { 0 }, garbage = { 0 };
	size_t n = sizeof sorted / sizeof *sorted;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			struct ip a = ip(sorted[i]), b = ip(sorted[j]);
			int c = ip_cmp(&a, &b);

			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
			assert_int_equal(ip_equal(&a, &b), i == j);
		}

	/* Bytes beyond an address do not count. */
	memset(garbage.bytes, 0xff, sizeof garbage.bytes);
	assert_true(ip_equal(&none, &garbage));
	garbage.family = AF_INET;
	memcpy(garbage.bytes, "\xc0\x00\x02\x01", 4);
	assert_true(ip_equal(&garbage, &(struct ip[]){ ip("192.0.2.1") }[0]));
}

static void
test_in_prefix(void **state)
{
	static const struct {
		const char *ip, *net;
		int len;
		bool in;
	} row[] = {
		{ "192.0.2.255", "192.0.2.0", 24, true },
		{ "192.0.3.0", "192.0.2.0", 24, false },
		{ "192.0.3.255", "192.0.2.0", 23, true },
		{ "192.0.4.0", "192.0.2.0", 23, false },
		{ "10.128.0.0", "10.0.0.0", 9, false },
		{ "10.127.255.255", "10.0.0.0", 9, true },
		{ "203.0.113.9", "0.0.0.0", 0, true },
		{ "192.0.2.1", "192.0.2.1", 32, true },
		{ "192.0.2.0", "192.0.2.1", 32, false },
		{ "192.0.2.1", "192.0.2.1", 33, false },
		{ "::1", "0.0.0.0", 0, false },
		{ "2001:db8::ffff", "2001:db8::", 64, true },
		{ "2001:db8:0:1::", "2001:db8::", 64, false },
		{ "2001:db8::2", "2001:db8::3", 127, true },
		{ "2001:db8::4", "2001:db8::3", 127, false },
		{ "::1", "::1", 128, true },
		{ "::1", "::1", 129, false },
	};

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct ip a = ip(row[i].ip), net = ip(row[i].net);

		assert_int_equal(ip_in_prefix(&a, &net, (uint8_t)row[i].len), row[i].in);
	}
	assert_false(ip_in_prefix(&(struct ip){ 0 }, &(struct ip){ 0 }, 0));
}

static void
test_any(void **state)
{
	assert_true(ip_is_any(&(struct ip[]){ ip("0.0.0.0") }[0]));
	assert_true(ip_is_any(&(struct ip[]){ ip("::") }[0]));
	assert_false(ip_is_any(&(struct ip[]){ ip("0.0.0.1") }[0]));
	assert_false(ip_is_any(&(struct ip[]){ ip("::1") }[0]));
	assert_false(ip_is_any(&(struct ip){ 0 }));
}

static void
test_sock_addr_ip(void **state)
{
	struct ip v4 = ip("192.0.2.1"), v6 = ip("2001:db8::1"), back;
	struct sock_addr a = sock_addr_from_ip(&v4, 8080), b = sock_addr_from_ip(&v6, 443), c;
	char buf[SOCK_ADDR_STRLEN];

	assert_int_equal(a.len, sizeof(struct sockaddr_in));
	assert_int_equal(a.in.sin_port, htons(8080));
	assert_int_equal(sock_addr_port(&a), 8080);
	assert_string_equal(sock_addr_format(&a, buf), "192.0.2.1:8080");
	back = sock_addr_ip(&a);
	assert_true(ip_equal(&back, &v4));

	assert_int_equal(b.len, sizeof(struct sockaddr_in6));
	assert_int_equal(sock_addr_port(&b), 443);
	assert_string_equal(sock_addr_format(&b, buf), "[2001:db8::1]:443");
	back = sock_addr_ip(&b);
	assert_true(ip_equal(&back, &v6));

	c = b;
	assert_true(sock_addr_equal(&b, &c));
	sock_addr_set_port(&c, 444);
	assert_int_equal(sock_addr_port(&c), 444);
	assert_false(sock_addr_equal(&b, &c));
	c = b;
	c.in6.sin6_scope_id = 2; /* the same link-local address on another link */
	assert_false(sock_addr_equal(&b, &c));
	assert_false(sock_addr_equal(&a, &b));

	c = sock_addr_from_ip(&(struct ip){ 0 }, 80);
	assert_int_equal(c.len, 0);
	assert_int_equal(sock_addr_port(&c), 0);
	assert_string_equal(sock_addr_format(&c, buf), "none");
	assert_true(sock_addr_equal(&c, &(struct sock_addr){ 0 }));
	assert_false(sock_addr_equal(&c, &a));
}

static void
test_sock_addr_unix(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL = none */
		size_t name_len;      /* bytes of sun_path */
		bool abstract;
	} row[] = {
		{ "/run/t.sock", "unix:/run/t.sock", 12, false },
		{ "relative", "unix:relative", 9, false },
		{ "@name", "unix:@name", 5, true },
		{ "abnsz@name", "unix:@name", 5, true },
		{ "abns@name", "abns@name", 108, true },
		{ "", NULL, 0, false },
		{ "@", NULL, 0, false },
		{ "abns@", NULL, 0, false },
	};
	char path[110], buf[SOCK_ADDR_STRLEN];
	struct sock_addr a, b, c;

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		a = sock_addr_unix(row[i].in);
		assert_int_equal(sock_addr_ip(&a).family, AF_UNSPEC);
		assert_int_equal(sock_addr_port(&a), 0);
		if (!row[i].out) {
			assert_int_equal(a.len, 0);
			continue;
		}
		assert_int_equal(a.any.sa_family, AF_UNIX);
		assert_int_equal(a.len, offsetof(struct sockaddr_un, sun_path) + row[i].name_len);
		assert_int_equal(a.un.sun_path[0] == '\0', row[i].abstract);
		assert_string_equal(sock_addr_format(&a, buf), row[i].out);
		b = sock_addr_unix(row[i].in);
		assert_true(sock_addr_equal(&a, &b));
	}

	/* The longest path, and one byte more. */
	memset(path, 'x', sizeof path);
	path[107] = '\0';
	a = sock_addr_unix(path);
	assert_int_equal(a.len, sizeof(struct sockaddr_un));
	assert_int_equal(strlen(sock_addr_format(&a, buf)), 5 + 107);
	path[107] = 'x';
	path[108] = '\0';
	assert_int_equal(sock_addr_unix(path).len, 0);

	a = sock_addr_unix("@name");
	b = sock_addr_unix("abns@name"); /* another name: zero bytes count */
	c = sock_addr_unix("name");
	assert_false(sock_addr_equal(&a, &b));
	assert_false(sock_addr_equal(&a, &c));
	/* The NUL of a path does not. */
	a = c;
	a.len--;
	assert_true(sock_addr_equal(&a, &c));
}

/* What the kernel returns for a bound socket compares equal to what it was bound to. */
static void
test_kernel_agrees(void **state)
{
	const char *const names[] = { "@tandem-test-addr", "abns@tandem-test-addr" };

	for (size_t i = 0; i < 2; i++) {
		struct sock_addr a = sock_addr_unix(names[i]), got = { .len = sizeof got.storage };
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

		assert_int_equal(bind(fd, &a.any, a.len), 0);
		assert_int_equal(getsockname(fd, &got.any, &got.len), 0);
		assert_true(sock_addr_equal(&a, &got));
		close(fd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_prefix),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_in_prefix),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_sock_addr_ip),
		cmocka_unit_test(test_sock_addr_unix),
		cmocka_unit_test(test_kernel_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

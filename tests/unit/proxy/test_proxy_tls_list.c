/*
 * test_proxy_tls_list.c - lines of a crt-list.
 */
#include "proxy/tls_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const struct conf_tls bind_tls = { .alpn = "http/1.1", .min_version = CONF_TLS_1_1 };

static char text[256];

static const char *
read_line(const char *line, struct tls_list_line *out, const char **at)
{
	snprintf(text, sizeof text, "%s", line);
	return tls_list_read(text, &bind_tls, out, at);
}

static void
lines(void **state)
{
	static const struct {
		const char *line, *path, *filters;
	} cases[] = {
		{ "", NULL, NULL },
		{ "  \t\r", NULL, NULL },
		{ "# a.pem", NULL, NULL },
		{ "  # a.pem", NULL, NULL },
		{ "a.pem", "a.pem", "" },
		{ "\ta.pem \r", "a.pem", "" },
		{ "a.pem b.org !c.org", "a.pem", "b.org !c.org" },
		{ "a#b.pem *.b.org", "a#b.pem", "*.b.org" },
	};
	struct tls_list_line out;
	const char *at;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_null(read_line(cases[i].line, &out, &at));
		assert_false(out.tuned);
		if (!cases[i].path) {
			assert_null(out.path);
			continue;
		}
		assert_string_equal(out.path, cases[i].path);
		assert_string_equal(out.filters, cases[i].filters);
	}
}

static void
parameters(void **state)
{
	struct tls_list_line out;
	const char *at;

	assert_null(
		read_line("a.pem [alpn h2 ssl-min-ver TLSv1.2  ssl-max-ver TLSv1.3 verify optional "
			  "ca-file ca.pem crl-file c.pem no-ca-names curves P-256 ciphers X "
			  "ciphersuites Y] b.org c.org",
			  &out, &at));
	assert_true(out.tuned);
	assert_string_equal(out.path, "a.pem");
	assert_string_equal(out.filters, "b.org c.org");
	assert_string_equal(out.tls.alpn, "h2");
	assert_int_equal(out.tls.min_version, CONF_TLS_1_2);
	assert_int_equal(out.tls.max_version, CONF_TLS_1_3);
	assert_int_equal(out.tls.verify, CONF_TLS_VERIFY_OPTIONAL);
	assert_string_equal(out.tls.ca.path, "ca.pem");
	assert_string_equal(out.tls.crl.path, "c.pem");
	assert_string_equal(out.tls.curves, "P-256");
	assert_string_equal(out.tls.ciphers, "X");
	assert_string_equal(out.tls.ciphersuites, "Y");

	/* What is not said is the bind's. */
	assert_null(read_line("a.pem [ ]", &out, &at));
	assert_true(out.tuned);
	assert_string_equal(out.filters, "");
	assert_string_equal(out.tls.alpn, "http/1.1");
	assert_int_equal(out.tls.min_version, CONF_TLS_1_1);
}

static void
refused(void **state)
{
	static const struct {
		const char *line, *at, *why;
	} cases[] = {
		{ "a.pem [alpn h2", "a.pem", "its bracket is not closed" },
		{ "a.pem [alpn]", "alpn", "a value is missing" },
		{ "a.pem [verify]", "verify", "it has no such value" },
		{ "a.pem [verify never]", "verify", "it has no such value" },
		{ "a.pem [ssl-min-ver SSLv3]", "ssl-min-ver", "it has no such value" },
		{ "a.pem [crt b.pem]", "crt", "it is no parameter of a certificate" },
		{ "a.pem [alpn h2 allow-0rtt]", "allow-0rtt", "it comes with a later version" },
		{ "a.pem [ca-verify-file x]", "ca-verify-file", "it comes with a later version" },
	};
	struct tls_list_line out;
	const char *at;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *why = read_line(cases[i].line, &out, &at);

		assert_non_null(why);
		assert_string_equal(why, cases[i].why);
		assert_memory_equal(at, cases[i].at, strlen(cases[i].at));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(parameters),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

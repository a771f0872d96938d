/* tls_names: which certificate is for which host. */
#include "proxy/tls_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
add(struct tls_names *names, const char *name, uint32_t certificate)
{
	tls_names_add(names, name, strlen(name), certificate);
}

static void
exact_comes_before_wildcard(void **state)
{
	struct tls_names names = { 0 };

	add(&names, "*.example.org", 1);
	add(&names, "www.example.org", 2);
	add(&names, "Example.ORG", 3);
	tls_names_sort(&names);
	assert_int_equal(tls_names_find(&names, "www.example.org"), 2);
	assert_int_equal(tls_names_find(&names, "WWW.Example.Org"), 2);
	assert_int_equal(tls_names_find(&names, "www.example.org."), 2);
	assert_int_equal(tls_names_find(&names, "mail.example.org"), 1);
	assert_int_equal(tls_names_find(&names, "example.org"), 3);
	tls_names_fini(&names);
}

static void
a_wildcard_is_one_label(void **state)
{
	struct tls_names names = { 0 };

	add(&names, "*.example.org", 1);
	tls_names_sort(&names);
	assert_int_equal(tls_names_find(&names, "a.b.example.org"), TLS_NAMES_NONE);
	assert_int_equal(tls_names_find(&names, "example.org"), TLS_NAMES_NONE);
	assert_int_equal(tls_names_find(&names, ".example.org"), TLS_NAMES_NONE);
	assert_int_equal(tls_names_find(&names, "*.example.org"), 1);
	assert_int_equal(tls_names_find(&names, "a.example.com"), TLS_NAMES_NONE);
	tls_names_fini(&names);
}

static void
the_first_of_equals_counts(void **state)
{
	struct tls_names names = { 0 };

	for (uint32_t i = 0; i < 100; i++)
		add(&names, i % 2 ? "*.example.org" : "a.example.org", i);
	tls_names_sort(&names);
	assert_int_equal(tls_names_find(&names, "a.example.org"), 0);
	assert_int_equal(tls_names_find(&names, "b.example.org"), 1);
	tls_names_fini(&names);
}

static void
an_exclusion_leaves_the_next_one(void **state)
{
	struct tls_names names = { 0 };

	add(&names, "*.example.org", 1);
	add(&names, "!not.example.org", 1);
	tls_names_sort(&names);
	assert_int_equal(tls_names_find(&names, "is.example.org"), 1);
	assert_int_equal(tls_names_find(&names, "not.example.org"), TLS_NAMES_NONE);
	tls_names_fini(&names);

	add(&names, "*.example.org", 1);
	add(&names, "!not.example.org", 1);
	add(&names, "*.example.org", 2);
	tls_names_sort(&names);
	assert_int_equal(tls_names_find(&names, "not.example.org"), 2);
	tls_names_fini(&names);
}

static void
odd_hosts_find_nothing(void **state)
{
	struct tls_names names = { 0 };
	char long_host[400];

	assert_int_equal(tls_names_find(&names, "a"), TLS_NAMES_NONE);
	add(&names, "a", 0);
	tls_names_sort(&names);
	memset(long_host, 'a', sizeof long_host - 1);
	long_host[sizeof long_host - 1] = '\0';
	assert_int_equal(tls_names_find(&names, "a"), 0);
	assert_int_equal(tls_names_find(&names, ""), TLS_NAMES_NONE);
	assert_int_equal(tls_names_find(&names, "."), TLS_NAMES_NONE);
	assert_int_equal(tls_names_find(&names, long_host), TLS_NAMES_NONE);
	tls_names_fini(&names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_comes_before_wildcard),
		cmocka_unit_test(a_wildcard_is_one_label),
		cmocka_unit_test(the_first_of_equals_counts),
		cmocka_unit_test(an_exclusion_leaves_the_next_one),
		cmocka_unit_test(odd_hosts_find_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

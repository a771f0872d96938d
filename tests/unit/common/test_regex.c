/*
 * test_regex.c - what is replaced, and what there is no room for.
 */
#include "common/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

static void
substitutes(void **state)
{
	static const struct {
		const char *pattern, *text, *by;
		bool all;
		const char *expected;
	} cases[] = {
		{ "b", "abab", "x", false, "axab" },
		{ "b", "abab", "x", true, "axax" },
		{ "z", "abab", "x", true, "abab" },
		{ "", "ab", "-", true, "-a-b-" },
		{ "", "ab", "-", false, "-ab" },
		{ "b*", "abbc", "-", true, "-a--c-" },
		{ "(a)(b)?", "aab", "[\\1\\2\\0]", true, "[aa][abab]" },
		{ "a", "a", "\\9\\\\1", false, "\\1" },
		{ "^a", "aaa", "", true, "aa" },
		{ "a", "ab", "\\x41\\xg\\x4", false, "Axgx4b" },
		{ "a$", "", "x", true, "" },
	};
	char error[REGEX_ERRORLEN], out[64];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct regex *re = regex_new(cases[i].pattern, error);
		ssize_t len;

		assert_non_null(re);
		len = regex_substitute(re, cases[i].text, strlen(cases[i].text), cases[i].by,
				       cases[i].all, out, sizeof out - 1);
		assert_true(len >= 0);
		out[len] = '\0';
		assert_string_equal(out, cases[i].expected);
		regex_free(re);
	}
}

static void
no_room(void **state)
{
	char error[REGEX_ERRORLEN], out[4];
	struct regex *re = regex_new("a", error);

	assert_int_equal(regex_expand(re, "bab", 3, "x\\0y", out, 3), 3);
	assert_memory_equal(out, "xay", 3);
	assert_int_equal(regex_expand(re, "bab", 3, "x\\0y", out, 2), -1);
	assert_int_equal(regex_expand(re, "bb", 2, "x", out, sizeof out), -1);
	assert_int_equal(regex_substitute(re, "bab", 3, "xx", true, out, 4), 4);
	assert_int_equal(regex_substitute(re, "bab", 3, "xxx", true, out, 4), -1);
	assert_int_equal(regex_substitute(re, "bbbbb", 5, "", true, out, 4), -1);
	regex_free(re);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(substitutes),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_conf_value.c - numbers, times, sizes, and which word is nearest.
 */
#include "conf/nearest.h"
#include "conf/value.h"

#include "cm.h"

#include <errno.h>

static void
integers(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "255", 0, 255 },
		{ "-253", 0, -253 },
		{ "+7", 0, 7 },
		{ "007", 0, 7 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-", -EINVAL, 0 },
		{ "1x", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t value = 77;

		assert_int_equal(value_int(rows[i].text, &value), rows[i].result);
		assert_int_equal(value, rows[i].result ? 77 : rows[i].value);
	}
}

static void
seconds(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t us;
	} rows[] = {
		{ "1", 0, 1000000 },
		{ "0.92", 0, 920000 },
		{ ".5", 0, 500000 },
		{ "1.", 0, 1000000 },
		{ "0.0000019", 0, 1 },
		{ "40.95", 0, 40950000 },
		{ "10000000000000", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ "1.2.3", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1s", -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t us = 77;

		assert_int_equal(value_seconds(rows[i].text, &us), rows[i].result);
		assert_int_equal(us, rows[i].result ? 77 : rows[i].us);
	}
}

static void
times(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t ms;
	} rows[] = {
		{ "5000", 0, 5000 },
		{ "5s", 0, 5000 },
		{ "2m", 0, 120000 },
		{ "1h", 0, 3600000 },
		{ "1d", 0, 86400000 },
		{ "100ms", 0, 100 },
		{ "1us", 0, 1 },
		{ "1500us", 0, 2 },
		{ "0", 0, 0 },
		{ "9223372036854775807", -ERANGE, 0 },
		{ "1000000000000d", -ERANGE, 0 },
		{ "5 s", -EINVAL, 0 },
		{ "5S", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ms = 77;

		assert_int_equal(value_time(rows[i].text, 1000, &ms), rows[i].result);
		assert_int_equal(ms, rows[i].result ? 77 : rows[i].ms);
	}
}

static void
sizes(void **state)
{
	int64_t bytes = 0;

	assert_int_equal(value_size("10", &bytes), 0);
	assert_int_equal(bytes, 10);
	assert_int_equal(value_size("2k", &bytes), 0);
	assert_int_equal(bytes, 2048);
	assert_int_equal(value_size("3M", &bytes), 0);
	assert_int_equal(bytes, 3 * 1024 * 1024);
	assert_int_equal(value_size("1g", &bytes), 0);
	assert_int_equal(bytes, 1 << 30);
	assert_int_equal(value_size("1x", &bytes), -EINVAL);
	assert_int_equal(value_size("1kb", &bytes), -EINVAL);
	assert_int_equal(value_size("9000000000000000g", &bytes), -ERANGE);
}

/* What is printed is read back as the same. */
static void
formats(void **state)
{
	static const int64_t values[] = { 0, 1, 999, 1000, 1500, 60000, 61000, 3600000, 86400000 };
	char buf[VALUE_STRLEN];
	int64_t back;

	for (size_t i = 0; i < COUNT(values); i++) {
		assert_int_equal(
			value_seconds(value_format_seconds((uint64_t)values[i], buf), &back), 0);
		assert_int_equal(back, values[i] * 1000);
		assert_int_equal(
			value_time(value_format_time((uint64_t)values[i], buf), 1000, &back), 0);
		assert_int_equal(back, values[i]);
	}
	assert_string_equal(value_format_seconds(920, buf), "0.92");
	assert_string_equal(value_format_seconds(1000, buf), "1");
	assert_string_equal(value_format_time(60000, buf), "1m");
	assert_string_equal(value_format_time(1500, buf), "1500ms");
}

static void
distances(void **state)
{
	assert_int_equal(nearest_distance("", "", 20), 0);
	assert_int_equal(nearest_distance("bind", "bind", 20), 0);
	assert_int_equal(nearest_distance("bind", "BIND", 20), 0);
	assert_int_equal(nearest_distance("", "bind", 20), 4);
	assert_int_equal(nearest_distance("bnid", "bind", 20), 1);
	assert_int_equal(nearest_distance("bindd", "bind", 20), 1);
	assert_int_equal(nearest_distance("bid", "bind", 20), 1);
	assert_int_equal(nearest_distance("bond", "bind", 20), 1);
	assert_int_equal(nearest_distance("priority", "interface", 20), 8);
	/* Up to the limit it is exact, beyond it is just that, by whichever way it is told. */
	for (unsigned limit = 0; limit < 12; limit++) {
		unsigned beyond = limit + 1;

		assert_int_equal(nearest_distance("bnidd", "bind", limit), beyond < 2 ? beyond : 2);
		assert_int_equal(nearest_distance("", "bind", limit), beyond < 4 ? beyond : 4);
		assert_int_equal(nearest_distance("abcdefgh", "hgfedcba", limit),
				 beyond < 7 ? beyond : 7);
		assert_int_equal(nearest_distance("priority", "interface", limit),
				 beyond < 8 ? beyond : 8);
	}
}

static const char *
nearest_of(const char *word)
{
	static const char *const words[] = { "priority", "interface", "state", "bind", "log" };
	struct nearest nearest = nearest_init(word);

	for (size_t i = 0; i < COUNT(words); i++)
		nearest_offer(&nearest, words[i]);
	return nearest.best;
}

static void
nearest_words(void **state)
{
	char long_word[400];

	assert_string_equal(nearest_of("priorty"), "priority");
	assert_string_equal(nearest_of("Prioirty"), "priority");
	assert_string_equal(nearest_of("interfaces"), "interface");
	assert_string_equal(nearest_of("lg"), "log");
	assert_null(nearest_of("virtual"));
	assert_null(nearest_of("x"));
	assert_null(nearest_of(""));
	for (size_t i = 0; i < sizeof long_word; i++)
		long_word[i] = 'x';
	long_word[sizeof long_word - 1] = '\0';
	assert_null(nearest_of(long_word));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),      cmocka_unit_test(seconds),
		cmocka_unit_test(times),         cmocka_unit_test(sizes),
		cmocka_unit_test(formats),       cmocka_unit_test(distances),
		cmocka_unit_test(nearest_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * value.c - numbers, times and sizes.  Pure; no locale, no floating point.
 */
#include "conf/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Digits at *s, which is moved behind them. */
static int
read_digits(const char **s, int64_t *value)
{
	int64_t n = 0;
	const char *p = *s;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
			return -ERANGE;
	*s = p;
	*value = n;
	return 0;
}

int
value_int(const char *s, int64_t *value)
{
	bool negative = *s == '-';
	int64_t n;
	int r;

	if (*s == '-' || *s == '+')
		s++;
	r = read_digits(&s, &n);
	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	*value = negative ? -n : n;
	return 0;
}

int
value_seconds(const char *s, int64_t *us)
{
	int64_t whole = 0, fraction = 0, unit = 100000;
	int r;

	if (*s != '.') {
		r = read_digits(&s, &whole);
		if (r < 0)
			return r;
	} else if (s[1] < '0' || s[1] > '9') {
		return -EINVAL;
	}
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, unit /= 10)
			fraction += (*s - '0') * unit;
	if (*s)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, 1000000, &whole) ||
	    __builtin_add_overflow(whole, fraction, &whole))
		return -ERANGE;
	*us = whole;
	return 0;
}

static const struct {
	const char *suffix;
	int64_t us;
} time_units[] = {
	{ "d", INT64_C(86400000000) },
	{ "h", INT64_C(3600000000) },
	{ "m", 60000000 },
	{ "s", 1000000 },
	{ "ms", 1000 },
	{ "us", 1 },
};

int
value_time(const char *s, int64_t unit_us, int64_t *ms)
{
	int64_t n;
	int r = read_digits(&s, &n);

	if (r < 0)
		return r;
	if (*s) {
		unit_us = 0;
		for (size_t i = 0; i < sizeof time_units / sizeof *time_units; i++)
			if (strcmp(s, time_units[i].suffix) == 0)
				unit_us = time_units[i].us;
	}
	if (unit_us == 0)
		return -EINVAL;
	if (__builtin_mul_overflow(n, unit_us, &n) || __builtin_add_overflow(n, 999, &n))
		return -ERANGE;
	*ms = n / 1000;
	return 0;
}

int
value_size(const char *s, int64_t *bytes)
{
	static const char suffixes[] = "kmg";
	int64_t n;
	int r = read_digits(&s, &n);

	if (r < 0)
		return r;
	if (*s) {
		const char *suffix = strchr(suffixes, *s | 0x20);

		if (!suffix || s[1])
			return -EINVAL;
		if (__builtin_mul_overflow(n, INT64_C(1) << 10 * (suffix - suffixes + 1), &n))
			return -ERANGE;
	}
	*bytes = n;
	return 0;
}

const char *
value_format_seconds(uint64_t ms, char buf[VALUE_STRLEN])
{
	int len = snprintf(buf, VALUE_STRLEN, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));

	while (buf[len - 1] == '0')
		buf[--len] = '\0';
	if (buf[len - 1] == '.')
		buf[len - 1] = '\0';
	return buf;
}

const char *
value_format_time(uint64_t ms, char buf[VALUE_STRLEN])
{
	for (size_t i = 0; i < 4; i++) {
		uint64_t unit_ms = (uint64_t)time_units[i].us / 1000;

		if (ms && ms % unit_ms == 0) {
			snprintf(buf, VALUE_STRLEN, "%" PRIu64 "%s", ms / unit_ms,
				 time_units[i].suffix);
			return buf;
		}
	}
	snprintf(buf, VALUE_STRLEN, ms ? "%" PRIu64 "ms" : "%" PRIu64, ms);
	return buf;
}

/*
 * test_proxy_check_beat.c - when checks are due: the first ones, all of an interval, and those of a
 * thread that was held up.
 */
#include "proxy/check_beat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define INTER_NS (2 * NS_PER_S)

static const struct mono start = { 12345678901 };

static int64_t
first_ns(uint32_t place, uint32_t of, int64_t inter_ns)
{
	struct check_beat b;

	return mono_since(check_beat_start(&b, start, inter_ns, place, of), start);
}

static void
first_ones_come_soon(void **state)
{
	static const struct {
		uint32_t of;
		int64_t inter_ms, within_ms;
	} cases[] = {
		{ 1, 2000, 200 },       { 2000, 2000, 200 }, { 10000, 2000, 1000 },
		{ 100000, 2000, 2000 }, { 5, 50, 50 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t inter_ns = cases[i].inter_ms * NS_PER_MS;
		int64_t last_ns = first_ns(cases[i].of - 1, cases[i].of, inter_ns);
		int64_t within_ns = cases[i].within_ms * NS_PER_MS;

		assert_in_range(first_ns(0, cases[i].of, inter_ns), 0, NS_PER_MS);
		assert_in_range(last_ns, within_ns - within_ns / cases[i].of,
				within_ns + NS_PER_MS);
	}
}

/* After its first one each has a place of its own, and none has waited longer than an interval. */
static void
spread_over_the_interval(void **state)
{
	enum { N = 10000 };
	uint32_t per_tick[CHECK_TICKS + 1] = { 0 };

	for (uint32_t i = 0; i < N; i++) {
		struct check_beat b;
		struct mono first = check_beat_start(&b, start, INTER_NS, i, N), second;

		second = check_beat_next(&b, first, INTER_NS);
		assert_int_equal(mono_since(b.due, start) % INTER_NS,
				 INTER_NS / N * (i + 1) % INTER_NS);
		assert_true(mono_since(second, first) <= INTER_NS + INTER_NS / CHECK_TICKS);
		assert_int_equal(second.ns % (INTER_NS / CHECK_TICKS), 0);
		per_tick[mono_since(second, start) / (INTER_NS / CHECK_TICKS)]++;
	}
	for (uint32_t i = 1; i < CHECK_TICKS; i++)
		assert_in_range(per_tick[i], N / CHECK_TICKS - 1, N / CHECK_TICKS + 1);
}

/* Whatever the lateness of each, up to an interval: no drift, and never early. */
static void
keeps_its_beat(void **state)
{
	for (int64_t inter_ms = 1; inter_ms <= 100000; inter_ms *= 7) {
		int64_t inter_ns = inter_ms * NS_PER_MS;
		struct check_beat b;
		struct mono now = check_beat_start(&b, start, inter_ns, 0, 1), second;

		now = check_beat_next(&b, now, inter_ns);
		second = b.due;
		for (int64_t i = 1; i < 1000; i++) {
			now.ns += inter_ns * (i % 10) / 11;
			now = check_beat_next(&b, now, inter_ns);
			assert_int_equal(b.due.ns, second.ns + i * inter_ns);
			assert_in_range(mono_since(now, b.due), 0, inter_ns / CHECK_TICKS);
		}
	}
}

static void
leaves_beats_out(void **state)
{
	struct check_beat b;
	struct mono now = check_beat_start(&b, start, INTER_NS, 3, 7), due;

	check_beat_next(&b, now, INTER_NS);
	due = b.due;
	check_beat_next(&b, mono_add_ns(due, 7 * INTER_NS / 2), INTER_NS);
	assert_int_equal(mono_since(b.due, due), 4 * INTER_NS);
	check_beat_next(&b, mono_add_ns(b.due, INTER_NS), INTER_NS);
	assert_int_equal(mono_since(b.due, due), 6 * INTER_NS);
}

/* The end of a check may call for another interval: counted from its beat, but not into the past. */
static void
changes_the_interval(void **state)
{
	struct check_beat b;
	struct mono now = check_beat_start(&b, start, INTER_NS, 1, 2), made;

	check_beat_next(&b, now, INTER_NS);
	check_beat_again(&b, now, 2 * INTER_NS);
	assert_int_equal(mono_since(b.due, start), 2 * INTER_NS);
	made = b.due;
	check_beat_next(&b, made, INTER_NS);
	now = check_beat_again(&b, mono_add_ms(made, 10), 100 * NS_PER_MS);
	assert_int_equal(mono_since(b.due, made), 100 * NS_PER_MS);
	assert_in_range(mono_since(now, b.due), 0, 100 * NS_PER_MS / CHECK_TICKS);
	check_beat_again(&b, mono_add_ms(made, 300), 100 * NS_PER_MS);
	assert_int_equal(mono_since(b.due, made), 300 * NS_PER_MS);
}

static void
moves(void **state)
{
	struct check_beat b;
	struct mono now = check_beat_start(&b, start, INTER_NS, 0, 1), soon;

	now = check_beat_next(&b, now, INTER_NS);
	soon = mono_add_ms(start, 300);
	now = check_beat_move(&b, soon);
	assert_in_range(mono_since(now, soon), 0, NS_PER_MS);
	check_beat_next(&b, now, INTER_NS);
	assert_int_equal(mono_since(b.due, soon), INTER_NS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_ones_come_soon), cmocka_unit_test(spread_over_the_interval),
		cmocka_unit_test(keeps_its_beat),       cmocka_unit_test(leaves_beats_out),
		cmocka_unit_test(changes_the_interval), cmocka_unit_test(moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

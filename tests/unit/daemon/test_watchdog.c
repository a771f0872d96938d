/*
 * test_watchdog.c - the accounting of silence, and the back-off after a worker's end; invented time.
 */
#include "daemon/backoff.h"
#include "daemon/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct mono birth = { 1000 * NS_PER_S };

static void
test_silence_ends_at_its_limit(void **state)
{
	struct watchdog dog;
	struct mono now = birth;
	int ticks = 0;

	watchdog_init(&dog, 500, 0, now);
	assert_int_equal(dog.tick_ns, 50 * NS_PER_MS);
	do {
		now = mono_add_ns(now, dog.tick_ns);
		ticks++;
	} while (!watchdog_tick(&dog, 0, now));
	assert_int_equal(ticks, 10);
}

static void
test_a_beat_starts_anew(void **state)
{
	struct watchdog dog;
	struct mono now = birth;

	watchdog_init(&dog, 500, 0, now);
	for (uint64_t beat = 0; beat < 50; beat++)
		for (int i = 0; i < 8; i++) {
			now = mono_add_ns(now, dog.tick_ns);
			assert_false(watchdog_tick(&dog, beat, now));
		}
}

/* The guardian comes back after five seconds: neither the worker's silence nor its own absence may
 * be held against the worker for more than two ticks. */
static void
test_own_lateness_is_discounted(void **state)
{
	struct watchdog dog;
	struct mono now = birth;

	watchdog_init(&dog, 500, 0, now);
	now = mono_add_ms(now, 5000);
	assert_false(watchdog_tick(&dog, 0, now));
	assert_int_equal(dog.silent_ns, 2 * dog.tick_ns);
	assert_true(watchdog_beating(&dog));
}

static void
test_beating_ends_halfway(void **state)
{
	struct watchdog dog;
	struct mono now = birth;

	watchdog_init(&dog, 500, 0, now);
	for (int i = 0; i < 5; i++) {
		now = mono_add_ns(now, dog.tick_ns);
		watchdog_tick(&dog, 0, now);
	}
	assert_true(watchdog_beating(&dog));
	now = mono_add_ns(now, dog.tick_ns);
	watchdog_tick(&dog, 0, now);
	assert_false(watchdog_beating(&dog));
}

static void
test_backoff_doubles_and_forgets(void **state)
{
	static const uint32_t wanted[] = { 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };
	struct backoff backoff = { 0 };

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		assert_int_equal(backoff_delay_ms(&backoff, 50), wanted[i]);
	assert_int_equal(backoff_delay_ms(&backoff, BACKOFF_HEALTHY_MS), 100);
	assert_int_equal(backoff_delay_ms(&backoff, 50), 200);
}

static void
test_probation(void **state)
{
	static const uint32_t wanted_s[] = { 0,   0,   0,   0,    30,   60,  120,
					     240, 480, 960, 1920, 3600, 3600 };
	struct backoff backoff = { 0 };

	assert_int_equal(backoff_probation_ms(&backoff), 0);
	for (size_t i = 0; i < sizeof wanted_s / sizeof *wanted_s; i++) {
		backoff_delay_ms(&backoff, 50);
		assert_int_equal(backoff_probation_ms(&backoff), wanted_s[i] * 1000);
	}
	backoff_delay_ms(&backoff, BACKOFF_HEALTHY_MS);
	assert_int_equal(backoff_probation_ms(&backoff), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silence_ends_at_its_limit),
		cmocka_unit_test(test_a_beat_starts_anew),
		cmocka_unit_test(test_own_lateness_is_discounted),
		cmocka_unit_test(test_beating_ends_halfway),
		cmocka_unit_test(test_backoff_doubles_and_forgets),
		cmocka_unit_test(test_probation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

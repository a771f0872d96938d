/*
 * test_proxy_rate_gate.c - `rate-limit sessions`: the count over a simulated time.
 */
#include "proxy/rate_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECONDS 20

static struct mono
at_ms(uint64_t ms)
{
	return (struct mono){ .ns = (int64_t)(ms * NS_PER_MS) };
}

/* Somebody asks every millisecond: as many as may come do, and hardly more in any second. */
static void
keeps_to_the_rate(void **state)
{
	static const uint32_t limits[] = { 1, 2, 10, 333, 999 };

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		struct rate_gate gate = { 0 };
		uint32_t limit = limits[i], sum = 0, in_second[SECONDS] = { 0 };

		for (uint64_t ms = 0; ms < SECONDS * 1000; ms++) {
			if (rate_gate_enter(&gate, limit, at_ms(5500 + ms)))
				continue;
			in_second[ms / 1000]++;
			sum++;
		}
		for (int s = 0; s < SECONDS; s++)
			assert_in_range(in_second[s], 1, limit + limit / 2 + 1);
		assert_in_range(sum, limit * SECONDS * 3 / 4, limit * (SECONDS + 1));
	}
}

/* Whoever waits as long as he was told gets in then, or has to wait a shorter while again; and not a
 * millisecond earlier. */
static void
tells_how_long_to_wait(void **state)
{
	for (uint32_t limit = 1; limit <= 50; limit++) {
		struct rate_gate gate = { 0 };
		uint64_t ms = 7300;
		uint32_t wait_ms, rounds;

		for (int n = 0; n < 200; n++) {
			for (rounds = 0; (wait_ms = rate_gate_enter(&gate, limit, at_ms(ms)));
			     rounds++) {
				assert_in_range(wait_ms, 1, 1000);
				if (wait_ms > 1)
					assert_int_not_equal(
						rate_gate_enter(&gate, limit,
								at_ms(ms + wait_ms - 2)),
						0);
				ms += wait_ms;
			}
			assert_in_range(rounds, 0, 4);
		}
	}
}

static void
forgets(void **state)
{
	struct rate_gate gate = { 0 };

	for (int i = 0; i < 10; i++)
		assert_int_equal(rate_gate_enter(&gate, 10, at_ms(1000)), 0);
	assert_int_not_equal(rate_gate_enter(&gate, 10, at_ms(1000)), 0);
	rate_gate_leave(&gate, at_ms(1000));
	assert_int_equal(rate_gate_enter(&gate, 10, at_ms(1500)), 0);
	assert_int_not_equal(rate_gate_enter(&gate, 10, at_ms(1999)), 0);
	/* A thread whose clock is behind changes nothing. */
	assert_int_equal(rate_gate_enter(&gate, 11, at_ms(1999)), 0);
	assert_int_not_equal(rate_gate_enter(&gate, 10, at_ms(2000)), 0);
	assert_int_equal(rate_gate_enter(&gate, 10, at_ms(2999)), 0);
	rate_gate_leave(&gate, at_ms(1000));
	/* After a pause all are let in at once. */
	for (int i = 0; i < 10; i++)
		assert_int_equal(rate_gate_enter(&gate, 10, at_ms(9999)), 0);
	assert_int_not_equal(rate_gate_enter(&gate, 10, at_ms(9999)), 0);
}

/* The largest rate fills its bits and no others. */
static void
counts_to_the_maximum(void **state)
{
	struct rate_gate gate = { 0 };

	for (uint32_t i = 0; i < RATE_GATE_MAX; i++)
		assert_int_equal(rate_gate_enter(&gate, RATE_GATE_MAX, at_ms(3000)), 0);
	assert_int_equal(rate_gate_enter(&gate, RATE_GATE_MAX, at_ms(3000)), 1000);
	assert_int_not_equal(rate_gate_enter(&gate, RATE_GATE_MAX, at_ms(4000)), 0);
	assert_int_equal(rate_gate_enter(&gate, RATE_GATE_MAX, at_ms(4500)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_to_the_rate),
		cmocka_unit_test(tells_how_long_to_wait),
		cmocka_unit_test(forgets),
		cmocka_unit_test(counts_to_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

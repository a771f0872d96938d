/*
 * test_timing.c - skew and down intervals, against figures worked out by hand.
 */
#include "common/clock.h"
#include "vrrpd/timing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* v2: 156/256 s at priority 100, whatever the interval. */
static void
test_v2(void **state)
{
	assert_int_equal(vrrp_skew_ns(2, 100, 100), 609375000);
	assert_int_equal(vrrp_skew_ns(2, 100, 500), 609375000);
	assert_int_equal(vrrp_down_ns(2, 100, 100, 3), 3609375000);
	assert_int_equal(vrrp_down_ns(2, 100, 500, 3), 15609375000);
	assert_int_equal(vrrp_skew_ns(2, 255, 100), 3906250);
	assert_int_equal(vrrp_skew_ns(2, 1, 100), 996093750);
}

/* v3: the same share of the interval; 10 ms and the longest one keep every nanosecond. */
static void
test_v3(void **state)
{
	assert_int_equal(vrrp_skew_ns(3, 100, 100), 609375000);
	assert_int_equal(vrrp_skew_ns(3, 100, 1), 6093750);
	assert_int_equal(vrrp_down_ns(3, 100, 1, 3), 36093750);
	assert_int_equal(vrrp_skew_ns(3, 255, 1), 39062);
	assert_int_equal(vrrp_down_ns(3, 1, 4095, 3), 3 * 40950 * NS_PER_MS + 40790039062);
}

/* down_timer_adverts counts intervals; the skew is added to any number of them. */
static void
test_adverts(void **state)
{
	assert_int_equal(vrrp_down_ns(2, 100, 100, 1), 1609375000);
	assert_int_equal(vrrp_down_ns(3, 100, 1, 10), 106093750);
	assert_int_equal(vrrp_down_ns(3, 1, 4095, 100), 100 * 40950 * NS_PER_MS + 40790039062);
}

/* Of any two backups the better one is due first. */
static void
test_order(void **state)
{
	for (int priority = 2; priority <= 255; priority++)
		for (int version = 2; version <= 3; version++)
			assert_true(
				vrrp_down_ns((uint8_t)version, (uint8_t)priority, 100, 3) <
				vrrp_down_ns((uint8_t)version, (uint8_t)(priority - 1), 100, 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_v3),
		cmocka_unit_test(test_adverts),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

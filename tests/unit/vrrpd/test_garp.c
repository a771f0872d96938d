/*
 * test_garp.c - the schedule of announcements, moment by moment.
 */
#include "vrrpd/garp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#define SPAN_MS 3000

static struct conf_instance conf;
static struct vrrp_garp garp;

static int
setup(void **state)
{
	conf = (struct conf_instance){
		.garp_master_delay_ms = 5000,
		.garp_master_repeat = 5,
		.garp_master_refresh_repeat = 1,
		.garp_lower_prio_delay_ms = 5000,
		.garp_lower_prio_repeat = 5,
	};
	return 0;
}

static struct mono
at_ms(int64_t ms)
{
	return (struct mono){ 1000 * NS_PER_S + ms * NS_PER_MS };
}

/* What is sent from now on until `until_ms`, as "MS:ROUNDS MS:ROUNDS …", asked exactly when the
 * schedule says so. */
static const char *
sent_until(int64_t until_ms)
{
	static char text[1024];
	size_t len = 0;

	text[0] = '\0';
	for (;;) {
		struct mono next = vrrp_garp_next(&garp);
		uint32_t rounds;

		if (next.ns == 0 || mono_before(at_ms(until_ms), next))
			return text;
		rounds = vrrp_garp_due(&garp, &conf, next);
		assert_int_not_equal(rounds, 0);
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%lld:%u", len ? " " : "",
					(long long)mono_since_ms(next, at_ms(0)), rounds);
	}
}

/* keepalived's figures, by default: five more after five seconds. */
static void
test_plain(void **state)
{
	vrrp_garp_begin(&garp, &conf, 0, at_ms(0));
	assert_string_equal(sent_until(60000), "5000:5");
}

/* While somebody else's lease may last: one every half second, the last after it has ended. */
static void
test_lease(void **state)
{
	vrrp_garp_begin(&garp, &conf, SPAN_MS * NS_PER_MS, at_ms(0));
	assert_string_equal(sent_until(60000),
			    "500:1 1000:1 1500:1 2000:1 2500:1 3000:1 3500:1 5000:5");
}

/* The old master may just have answered from the MAC we share. */
static void
test_virtual_mac(void **state)
{
	conf.use_vmac = true;
	vrrp_garp_begin(&garp, &conf, 1000 * NS_PER_MS, at_ms(0));
	assert_string_equal(sent_until(60000), "50:1 550:1 1050:1 5000:5");
	vrrp_garp_begin(&garp, &conf, 0, at_ms(0));
	assert_string_equal(sent_until(60000), "5000:5");
}

static void
test_refresh(void **state)
{
	conf.garp_master_delay_ms = 2000;
	conf.garp_master_repeat = 3;
	conf.garp_master_refresh_ms = 2000;
	conf.garp_master_refresh_repeat = 2;
	vrrp_garp_begin(&garp, &conf, 0, at_ms(0));
	assert_string_equal(sent_until(6000), "2000:5 4000:2 6000:2");
}

/* No delay means no second time. */
static void
test_no_delay(void **state)
{
	conf.garp_master_delay_ms = conf.garp_lower_prio_delay_ms = 0;
	vrrp_garp_begin(&garp, &conf, 0, at_ms(0));
	assert_int_equal(vrrp_garp_next(&garp).ns, 0);
	assert_int_equal(vrrp_garp_lower(&garp, &conf, 0, at_ms(100)), 5);
	assert_int_equal(vrrp_garp_next(&garp).ns, 0);
}

static void
test_lower(void **state)
{
	conf.garp_lower_prio_delay_ms = 3000;
	conf.garp_lower_prio_repeat = 2;
	vrrp_garp_begin(&garp, &conf, 0, at_ms(0));
	assert_string_equal(sent_until(10000), "5000:5");
	assert_int_equal(vrrp_garp_lower(&garp, &conf, 0, at_ms(10000)), 2);
	/* within a second it is the same occasion */
	assert_int_equal(vrrp_garp_lower(&garp, &conf, 0, at_ms(10999)), 0);
	assert_string_equal(sent_until(60000), "13000:2");
	assert_int_equal(vrrp_garp_lower(&garp, &conf, 1000 * NS_PER_MS, at_ms(60000)), 2);
	assert_string_equal(sent_until(90000), "60050:1 60550:1 61050:1 63000:2");
}

static void
test_lower_none(void **state)
{
	conf.garp_lower_prio_repeat = 0;
	vrrp_garp_begin(&garp, &conf, 0, at_ms(0));
	assert_int_equal(vrrp_garp_lower(&garp, &conf, SPAN_MS * NS_PER_MS, at_ms(100)), 0);
	assert_string_equal(sent_until(60000), "5000:5");
}

/* The guardian has announced what it put back; one more, and rounds. */
static void
test_restored(void **state)
{
	conf.garp_master_delay_ms = 0;
	vrrp_garp_begin(&garp, &conf, 0, at_ms(0));
	assert_int_equal(vrrp_garp_restored(&garp, 1000 * NS_PER_MS, at_ms(0)), 1);
	assert_int_equal(vrrp_garp_restored(&garp, 1000 * NS_PER_MS, at_ms(999)), 0);
	assert_string_equal(sent_until(60000), "500:1 1000:1 1500:1");
}

/* Who is late makes up for nothing: what is due is sent once. */
static void
test_late(void **state)
{
	conf.garp_master_refresh_ms = 1000;
	vrrp_garp_begin(&garp, &conf, SPAN_MS * NS_PER_MS, at_ms(0));
	assert_int_equal(vrrp_garp_due(&garp, &conf, at_ms(20000)), 1 + 1 + 5);
	assert_string_equal(sent_until(21000), "21000:1");
}

/* One every 20 ms; lateness beyond 10 ms is not made up for. */
static void
test_pace(void **state)
{
	struct vrrp_pace pace = { 0 };
	const int64_t interval_ns = 20 * NS_PER_MS;

	assert_true(vrrp_pace_take(&pace, interval_ns, at_ms(0)));
	assert_false(vrrp_pace_take(&pace, interval_ns, at_ms(19)));
	assert_true(vrrp_pace_take(&pace, interval_ns, at_ms(24)));
	assert_int_equal(mono_since_ms(pace.next, at_ms(0)), 40);
	assert_true(vrrp_pace_take(&pace, interval_ns, at_ms(51)));
	assert_int_equal(mono_since_ms(pace.next, at_ms(0)), 71);
}

/* A microsecond, asked once a millisecond: a thousand each time, on average. */
static void
test_pace_short(void **state)
{
	struct vrrp_pace pace = { 0 };
	unsigned n = 0;

	for (int64_t ms = 0; ms <= 10; ms++)
		while (vrrp_pace_take(&pace, NS_PER_MS / 1000, at_ms(ms)))
			n++;
	assert_int_equal(n, 10001);
}

static void
test_no_pace(void **state)
{
	struct vrrp_pace pace = { 0 };

	for (int i = 0; i < 1000; i++)
		assert_true(vrrp_pace_take(&pace, 0, at_ms(0)));
	assert_int_equal(pace.next.ns, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain, setup),
		cmocka_unit_test_setup(test_lease, setup),
		cmocka_unit_test_setup(test_virtual_mac, setup),
		cmocka_unit_test_setup(test_refresh, setup),
		cmocka_unit_test_setup(test_no_delay, setup),
		cmocka_unit_test_setup(test_lower, setup),
		cmocka_unit_test_setup(test_lower_none, setup),
		cmocka_unit_test_setup(test_restored, setup),
		cmocka_unit_test_setup(test_late, setup),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_pace_short),
		cmocka_unit_test(test_no_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_watched.c - what must last before it counts: links and processes, seen by a group.
 */
#include "grouped.h"

/* An interface that only trackers name: here one that appears later. */
static void
test_tracked_interface_appears(void **state)
{
	track = (struct conf_track){ .index = 2 };
	for (int i = 0; i < 2; i++)
		instances[i].track[CONF_TRACK_INTERFACE] = (struct conf_track_list){ &track, 1 };
	grouped_start();
	expect("1F 2F GF");
	why_is(0, "interface wg0 does not exist");
	link_is(2, false);
	why_is(0, "link wg0 is down");
	link_is(2, true);
	expect("1B 2B GB");
}

/* interface_up_down_delays: what does not last does not count. */
static void
test_link_delays(void **state)
{
	interfaces[1].down_delay_ms = 100;
	interfaces[1].up_delay_ms = 150;
	grouped_become_master();
	link_is(1, false);
	run_ms(99);
	link_is(1, true);
	run_ms(200);
	expect("");
	link_is(1, false);
	run_ms(99);
	expect("");
	run_ms(2);
	expect("20 2r 2F 10 1r 1F GF");
	link_is(1, true);
	run_ms(149);
	expect("");
	run_ms(2);
	expect("2B 1B GB");
}

/* However long the file says, a backup must know of its dead link before it takes the silence for a
 * dead master. */
static void
test_link_delay_is_bounded(void **state)
{
	interfaces[0].down_delay_ms = 60000;
	grouped_start();
	trace[0] = '\0';
	hear_both_ms(100, 150, 150);
	link_is(0, false);
	run_ms(195);
	expect("1F 2F GF");
}

/* Enough processes, and not too many, each for as long as the file says. */
static void
test_process_delays(void **state)
{
	process.fork_delay_ms = 50;
	process.terminate_delay_ms = 100;
	track = (struct conf_track){ 0 };
	instances[0].track[CONF_TRACK_PROCESS] = (struct conf_track_list){ &track, 1 };
	grouped_start();
	vrrp_process_count(vrrp, 0, 2, now); /* the first look counts at once */
	expect("GB 1B 2B");
	vrrp_process_count(vrrp, 0, 1, now);
	run_ms(99);
	vrrp_process_count(vrrp, 0, 3, now);
	run_ms(100);
	expect("");
	vrrp_process_count(vrrp, 0, 4, now); /* too many */
	run_ms(60);
	vrrp_process_count(vrrp, 0, 1, now); /* too few: it goes on */
	run_ms(39);
	expect("");
	run_ms(2);
	expect("1F 2F GF");
	why_is(1, "group G: VI_1 is FAULT: process web: 1 running");
	vrrp_process_count(vrrp, 0, 2, now);
	run_ms(49);
	expect("");
	run_ms(2);
	expect("1B 2B GB");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GROUPED(test_tracked_interface_appears),
		GROUPED(test_link_delays),
		GROUPED(test_link_delay_is_bounded),
		GROUPED(test_process_delays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

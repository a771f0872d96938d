/*
 * test_sync.c - one node with two instances in a group, on two interfaces: in which order what
 * happens to one becomes what happens to both.
 */
#include "grouped.h"

#include <errno.h>
#include <string.h>

/* keepalived's order: the first BACKUP of the group is told before its members', later states after
 * them. */
static void
test_silence_on_both(void **state)
{
	grouped_start();
	expect("GB 1B 2B");
	run_ms(DOWN_MS);
	assert_true(strcmp(trace, "1c 1M 2c 2M GM") == 0 || strcmp(trace, "2c 2M 1c 1M GM") == 0);
}

/* One link's master is silent, the other's is not: nobody moves, and status says who holds it up. */
static void
test_waits_for_the_others(void **state)
{
	grouped_start();
	trace[0] = '\0';
	for (int i = 0; i < 20; i++) {
		hear(1, 150);
		run_ms(50);
	}
	expect("");
	why_is(0, "group G waits for VI_2");
	run_ms(DOWN_MS);
	expect("2c 2M 1c 1M GM");
}

/* Ready is not for ever: a master that is heard again takes it back. */
static void
test_ready_is_taken_back(void **state)
{
	grouped_start();
	trace[0] = '\0';
	for (int i = 0; i < 20; i++) {
		hear(1, 150);
		run_ms(50);
	}
	why_is(0, "group G waits for VI_2");
	for (int i = 0; i < 20; i++) {
		hear(0, 150);
		run_ms(50);
	}
	expect("");
	why_is(1, "group G waits for VI_1");
	hear_both_ms(500, 150, 150);
	expect("");
}

/* A priority 0 on one link is no priority 0 on the other. */
static void
test_resignation_of_one(void **state)
{
	grouped_start();
	trace[0] = '\0';
	hear_both_ms(200, 150, 150);
	hear(0, 0);
	for (int i = 0; i < 20; i++) {
		hear(1, 150);
		run_ms(50);
	}
	expect("");
	hear(1, 0);
	run_ms(100);
	expect("2c 2M 1c 1M GM");
}

/* The only peer resigns on both links: the take-over needs no skew, and comes with the second. */
static void
test_lone_peer_quits(void **state)
{
	for (int i = 0; i < 2; i++) {
		static struct conf_peer one[2];

		one[i].ip = peers[i];
		instances[i].unicast_peers = &one[i];
		instances[i].unicast_peers_n = 1;
	}
	grouped_start();
	trace[0] = '\0';
	hear_both_ms(200, 150, 150);
	hear(0, 0);
	run_ms(1);
	expect("");
	hear(1, 0);
	run_ms(1);
	expect("2c 2M 1c 1M GM");
}

/* One is outranked: all give way, and only the one that heard it has a master to name. */
static void
test_yields_as_one(void **state)
{
	grouped_become_master();
	hear(1, 150);
	expect("2r 2B 1r 1B GB");
	hear_both_ms(1000, 150, 150);
	expect("");
}

static void
yield_both(bool yield)
{
	for (uint32_t i = 0; i < 2; i++)
		vrrp_yield(vrrp, i, yield, now);
}

/* Told to resign, each keeps its addresses until somebody else advertises on its link; told to resume,
 * they come back together. */
static void
test_resigns_as_one(void **state)
{
	grouped_become_master();
	yield_both(true);
	expect("10 1X 20 2X");
	hear(0, 50);
	expect("1r 1B");
	hear(1, 50);
	expect("2r 2B GB");
	hear_both_ms(1000, 50, 50);
	expect("");
	yield_both(false);
	hear_both_ms(2000, 50, 50);
	expect("2c 2M 1c 1M GM");
}

/* Nobody wants the addresses of either: better this node than none. */
static void
test_resigns_in_vain(void **state)
{
	grouped_become_master();
	yield_both(true);
	run_ms(2000);
	expect("10 1X 20 2X 1M 2M");
}

/* Priorities that disagree leave the group where it is, on either node. */
static void
test_disagreement_stays(void **state)
{
	instances[0].priority = 150;
	instances[1].priority = 50;
	grouped_start();
	trace[0] = '\0';
	hear_both_ms(2000, 100, 100);
	expect("");
	why_is(0, "group G waits for VI_2");
}

static void
test_link_down_takes_all(void **state)
{
	grouped_become_master();
	link_is(1, false);
	expect("20 2r 2F 10 1r 1F GF");
	why_is(0, "group G: VI_2 is FAULT: link eth2 is down");
	why_is(1, "link eth2 is down");
	hear(0, 50);
	run_ms(1000);
	expect("");
	link_is(1, true);
	expect("2B 1B GB");
	run_ms(DOWN_MS);
	assert_non_null(strstr(trace, "GM"));
}

static void
test_both_links_down(void **state)
{
	grouped_become_master();
	link_is(0, false);
	expect("10 1r 1F 20 2r 2F GF");
	link_is(1, false);
	link_is(0, true);
	expect("");
	why_is(0, "group G: VI_2 is FAULT: link eth2 is down");
	link_is(1, true);
	expect("2B 1B GB");
}

/* At the start, too; and FAULT is told after the members'. */
static void
test_starts_broken(void **state)
{
	grouped_new();
	link_is(0, true);
	vrrp_start(vrrp, now);
	expect("2F 1F GF");
	link_is(1, true);
	expect("2B 1B GB");
}

/* The guardian cannot add one member's VIPs: none of the group's stay. */
static void
test_claim_fails(void **state)
{
	grouped_become_master();
	vrrp_claimed(vrrp, 0, -ENODEV, now);
	expect("10 1r 1F 20 2r 2F GF");
}

/* A script that one member tracks is everybody's FAULT. */
static void
test_script_of_one(void **state)
{
	instances[0].track[CONF_TRACK_SCRIPT] = (struct conf_track_list){ &track, 1 };
	track = (struct conf_track){ 0 };
	grouped_start();
	expect(""); /* both wait for its first result */
	why_is(1, "group G: VI_1: waiting for the first result of script chk");
	vrrp_script_result(vrrp, 0, true, now);
	expect("GB 1B 2B");
	vrrp_script_result(vrrp, 0, false, now);
	expect("1F 2F GF");
	why_is(1, "group G: VI_1 is FAULT: script chk fails");
	vrrp_script_result(vrrp, 0, true, now);
	expect("1B 2B GB");
}

/* What is known before the start waits for it. */
static void
test_nothing_before_the_start(void **state)
{
	conf.startup_delay_ms = 100;
	instances[0].track[CONF_TRACK_SCRIPT] = (struct conf_track_list){ &track, 1 };
	track = (struct conf_track){ 0 };
	grouped_start();
	vrrp_script_result(vrrp, 0, false, now);
	vrrp_health(vrrp, now);
	expect("");
	run_ms(101);
	expect("1F 2F GF");
}

/* Tracked by all with a weight: all fall below the other node, which takes over on both links. */
static void
test_weight_moves_all(void **state)
{
	for (int i = 0; i < 2; i++)
		instances[i].track[CONF_TRACK_SCRIPT] = (struct conf_track_list){ &track, 1 };
	track = (struct conf_track){ .weight = -30, .implied = true };
	grouped_become_master();
	vrrp_script_result(vrrp, 0, false, now);
	hear(0, 90);
	expect("1r 1B 2r 2B GB");
	hear_both_ms(1000, 90, 90);
	vrrp_script_result(vrrp, 0, true, now);
	hear_both_ms(DOWN_MS, 90, 90);
	assert_non_null(strstr(trace, "GM"));
}

/* nopreempt of one member holds all back; without a master left they take over. */
static void
test_nopreempt_of_one(void **state)
{
	instances[1].nopreempt = CONF_NOPREEMPT;
	grouped_start();
	trace[0] = '\0';
	hear_both_ms(2000, 50, 50);
	expect("");
	why_is(0, "group G waits for VI_2");
	run_ms(DOWN_MS);
	assert_non_null(strstr(trace, "GM"));
}

/* An owner among others waits for them; owners alone wait for nobody. */
static void
test_owners(void **state)
{
	instances[0].priority = 255;
	grouped_start();
	expect("GB 1B 2B");
	why_is(0, "group G waits for VI_2");
	run_ms(DOWN_MS);
	expect("2c 2M 1c 1M GM");
	vrrp_free(vrrp);
	instances[1].priority = 255;
	grouped_start();
	expect("GB 1B 2B 1c 1M 2c 2M GM");
}

/* Every member resigns; the group has stopped when the last has let go. */
static void
test_stop(void **state)
{
	grouped_become_master();
	vrrp_stop(vrrp, now, "stop");
	expect("10 1X 20 2X");
	hear(0, 50);
	expect("1r 1I");
	hear(1, 50);
	expect("2r 2I GI");
	assert_true(vrrp_stopped(vrrp));
}

/* A thread that was away: nothing is sent, and silence counts from now for all. */
static void
test_fence(void **state)
{
	grouped_become_master();
	now = mono_add_ms(now, 5000);
	vrrp_wake(vrrp, now);
	expect("1r 1B 2r 2B GB");
	now = mono_add_ms(now, 5000);
	vrrp_wake(vrrp, now);
	timer_heap_run(&timers, now);
	expect("");
	run_ms(100);
	expect("");
	run_ms(DOWN_MS);
	assert_non_null(strstr(trace, "GM"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GROUPED(test_silence_on_both),
		GROUPED(test_waits_for_the_others),
		GROUPED(test_ready_is_taken_back),
		GROUPED(test_resignation_of_one),
		GROUPED(test_lone_peer_quits),
		GROUPED(test_yields_as_one),
		GROUPED(test_resigns_as_one),
		GROUPED(test_resigns_in_vain),
		GROUPED(test_disagreement_stays),
		GROUPED(test_link_down_takes_all),
		GROUPED(test_both_links_down),
		GROUPED(test_starts_broken),
		GROUPED(test_claim_fails),
		GROUPED(test_script_of_one),
		GROUPED(test_nothing_before_the_start),
		GROUPED(test_weight_moves_all),
		GROUPED(test_nopreempt_of_one),
		GROUPED(test_owners),
		GROUPED(test_stop),
		GROUPED(test_fence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

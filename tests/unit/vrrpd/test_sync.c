/*
 * test_sync.c - one node with two instances in a group, on two interfaces: in which order what
 * happens to one becomes what happens to both.
 *
 * What the node does is a trace of words: the instance, then a letter as in world.h; "G" and a letter
 * for the group as a whole.
 */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOWN_MS 400 /* longer than the down interval at 100 ms */

static struct conf_interface interfaces[3];
static struct conf_vip vips[2];
static struct ip peers[2];
static struct conf_script script;
static struct conf_track track;
static struct conf_instance instances[2];
static struct conf_group group;
static uint32_t members[2];
static struct conf conf;
static struct health_board board;
static struct timer_heap timers;
static struct vrrp *vrrp;
static struct mono now;
static char trace[8192];

static void
note(char who, char what)
{
	size_t len = strlen(trace);

	assert_true(len + 4 < sizeof trace);
	snprintf(trace + len, sizeof trace - len, "%s%c%c", len ? " " : "", who, what);
}

static void
op_send(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to, const void *pdu,
	size_t len)
{
	if (((const uint8_t *)pdu)[2] == 0)
		note((char)('1' + instance), '0');
}

static void
op_claim(void *ctx, uint32_t instance)
{
	note((char)('1' + instance), 'c');
}

static void
op_release(void *ctx, uint32_t instance)
{
	note((char)('1' + instance), 'r');
}

static void
op_nothing(void *ctx, uint32_t instance)
{
}

static void
op_will(void *ctx, uint32_t instance, bool lodged)
{
}

static void
op_drain(void *ctx)
{
}

static const char letters[VRRP_STATE_N] = "IBMFX";

static void
op_transition(void *ctx, const struct vrrp_transition_note *n)
{
	note((char)('1' + n->instance), letters[n->to]);
}

static void
op_group(void *ctx, uint32_t index, enum vrrp_state state)
{
	note('G', letters[state]);
}

static const struct vrrp_ops ops = {
	.send = op_send,
	.claim = op_claim,
	.release = op_release,
	.announce = op_nothing,
	.lodge_will = op_will,
	.drain = op_drain,
	.transition = op_transition,
	.group = op_group,
};

static int
setup(void **state)
{
	memset(interfaces, 0, sizeof interfaces);
	interfaces[0].name = "eth1";
	interfaces[1].name = "eth2";
	interfaces[2].name = "wg0";
	script = (struct conf_script){ .name = "chk" };
	group = (struct conf_group){ .name = "G", .members = members, .members_n = 2 };
	for (uint32_t i = 0; i < 2; i++) {
		char vip[IP_STRLEN], peer[IP_STRLEN];

		snprintf(vip, sizeof vip, "10.0.%u.10", i + 1);
		snprintf(peer, sizeof peer, "10.0.%u.12", i + 1);
		peers[i] = ip4(peer);
		vips[i] = (struct conf_vip){ .ip = ip4(vip), .prefix_len = 32, .interface = i };
		members[i] = i;
		instances[i] = (struct conf_instance){
			.name = i ? "VI_2" : "VI_1",
			.interface = i,
			.vrid = (uint8_t)(51 + i),
			.priority = 100,
			.family = AF_INET,
			.version = 3,
			.advert_int_cs = 10,
			.vips = &vips[i],
			.vips_n = 1,
			.group = &group,
		};
	}
	conf = (struct conf){
		.mcast_group4 = ip4("224.0.0.18"),
		.interfaces = interfaces,
		.interfaces_n = 3,
		.scripts = &script,
		.scripts_n = 1,
		.instances = instances,
		.instances_n = 2,
		.groups = &group,
		.groups_n = 1,
	};
	board = (struct health_board){ 0 };
	timers = (struct timer_heap){ 0 };
	now = (struct mono){ NS_PER_S };
	trace[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	vrrp_free(vrrp);
	vrrp = NULL;
	timer_heap_fini(&timers);
	return 0;
}

static void
link_is(uint32_t interface, bool up)
{
	char address[IP_STRLEN];
	struct vrrp_link link = { .present = true, .up = up, .mtu = 1500 };

	snprintf(address, sizeof address, "10.0.%u.11", interface + 1);
	link.primary = ip4(address);
	vrrp_link(vrrp, interface, &link, now);
}

static void
start(void)
{
	vrrp = vrrp_new(&conf, &board, &timers, &ops, NULL);
	assert_non_null(vrrp);
	link_is(0, true);
	link_is(1, true);
	vrrp_start(vrrp, now);
	/* no proxy thread: nothing serves, and nothing is asked of it */
}

static void
run_ms(int64_t ms)
{
	for (struct mono end = mono_add_ms(now, ms); mono_before(now, end);) {
		now = mono_add_ms(now, 1);
		vrrp_wake(vrrp, now);
		timer_heap_run(&timers, now);
	}
}

/* An advertisement from .12 on the instance's link. */
static void
hear(uint32_t instance, uint8_t priority)
{
	uint8_t pdu[VRRP_PDU_MAX], packet[256];
	struct ip to = conf.mcast_group4;
	int len = vrrp_packet_build(&instances[instance], &peers[instance], &to, priority, 10, pdu,
				    sizeof pdu);

	assert_true(len > 0);
	vrrp_receive(vrrp, instances[instance].interface, packet,
		     datagram_make(&peers[instance], &to, VRRP_TTL, pdu, (size_t)len, packet), now);
}

/* Both links' master advertises for a while. */
static void
hear_both_ms(int64_t ms, uint8_t first, uint8_t second)
{
	for (; ms > 0; ms -= 50) {
		hear(0, first);
		hear(1, second);
		run_ms(50);
	}
}

static void
expect(const char *expected)
{
	assert_string_equal(trace, expected);
	trace[0] = '\0';
}

static void
why_is(uint32_t instance, const char *expected)
{
	struct vrrp_view view;

	vrrp_view(vrrp, instance, now, &view);
	assert_string_equal(view.why, expected);
}

static void
become_master(void)
{
	start();
	run_ms(DOWN_MS);
	trace[0] = '\0';
}

/* keepalived's order: the first BACKUP of the group is told before its members', later states after
 * them. */
static void
test_silence_on_both(void **state)
{
	start();
	expect("GB 1B 2B");
	run_ms(DOWN_MS);
	assert_true(strcmp(trace, "1c 1M 2c 2M GM") == 0 || strcmp(trace, "2c 2M 1c 1M GM") == 0);
}

/* One link's master is silent, the other's is not: nobody moves, and status says who holds it up. */
static void
test_waits_for_the_others(void **state)
{
	start();
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
	start();
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
	start();
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
	start();
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
	become_master();
	hear(1, 150);
	expect("2r 2B 1r 1B GB");
	hear_both_ms(1000, 150, 150);
	expect("");
}

/* Priorities that disagree leave the group where it is, on either node. */
static void
test_disagreement_stays(void **state)
{
	instances[0].priority = 150;
	instances[1].priority = 50;
	start();
	trace[0] = '\0';
	hear_both_ms(2000, 100, 100);
	expect("");
	why_is(0, "group G waits for VI_2");
}

static void
test_link_down_takes_all(void **state)
{
	become_master();
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
	become_master();
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
	vrrp = vrrp_new(&conf, &board, &timers, &ops, NULL);
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
	become_master();
	vrrp_claimed(vrrp, 0, -ENODEV, now);
	expect("10 1r 1F 20 2r 2F GF");
}

/* A script that one member tracks is everybody's FAULT. */
static void
test_script_of_one(void **state)
{
	instances[0].track[CONF_TRACK_SCRIPT] = (struct conf_track_list){ &track, 1 };
	track = (struct conf_track){ 0 };
	start();
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
	start();
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
	track = (struct conf_track){ .weight = -30, .of_group = true };
	become_master();
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
	start();
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
	start();
	expect("GB 1B 2B");
	why_is(0, "group G waits for VI_2");
	run_ms(DOWN_MS);
	expect("2c 2M 1c 1M GM");
	vrrp_free(vrrp);
	instances[1].priority = 255;
	start();
	expect("GB 1B 2B 1c 1M 2c 2M GM");
}

/* Every member resigns; the group has stopped when the last has let go. */
static void
test_stop(void **state)
{
	become_master();
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
	become_master();
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

/* An interface that only trackers name: here one that appears later. */
static void
test_tracked_interface_appears(void **state)
{
	track = (struct conf_track){ .index = 2 };
	for (int i = 0; i < 2; i++)
		instances[i].track[CONF_TRACK_INTERFACE] = (struct conf_track_list){ &track, 1 };
	start();
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
	become_master();
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
	start();
	trace[0] = '\0';
	hear_both_ms(100, 150, 150);
	link_is(0, false);
	run_ms(195);
	expect("1F 2F GF");
}

#define SYNC(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SYNC(test_silence_on_both),
		SYNC(test_waits_for_the_others),
		SYNC(test_ready_is_taken_back),
		SYNC(test_resignation_of_one),
		SYNC(test_lone_peer_quits),
		SYNC(test_yields_as_one),
		SYNC(test_disagreement_stays),
		SYNC(test_link_down_takes_all),
		SYNC(test_both_links_down),
		SYNC(test_starts_broken),
		SYNC(test_claim_fails),
		SYNC(test_script_of_one),
		SYNC(test_nothing_before_the_start),
		SYNC(test_weight_moves_all),
		SYNC(test_nopreempt_of_one),
		SYNC(test_owners),
		SYNC(test_stop),
		SYNC(test_fence),
		SYNC(test_tracked_interface_appears),
		SYNC(test_link_delays),
		SYNC(test_link_delay_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

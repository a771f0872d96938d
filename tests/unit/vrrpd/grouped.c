/*
 * grouped.c - see grouped.h.
 */
#include "grouped.h"

#include <stdio.h>
#include <string.h>

struct conf_interface interfaces[3];
static struct conf_vip vips[2];
struct ip peers[2];
struct conf_script script;
struct conf_track track;
struct conf_track_process process;
struct conf_instance instances[2];
static struct conf_group group;
static uint32_t members[2];
struct conf conf;
static struct health_board board;
struct timer_heap timers;
struct vrrp *vrrp;
struct mono now;
char trace[8192];

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

int
grouped_setup(void **state)
{
	memset(interfaces, 0, sizeof interfaces);
	interfaces[0].name = "eth1";
	interfaces[1].name = "eth2";
	interfaces[2].name = "wg0";
	script = (struct conf_script){ .name = "chk" };
	process = (struct conf_track_process){ .name = "web", .quorum = 2, .quorum_max = 3 };
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
		.track_processes = &process,
		.track_processes_n = 1,
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

int
grouped_teardown(void **state)
{
	vrrp_free(vrrp);
	vrrp = NULL;
	timer_heap_fini(&timers);
	return 0;
}

void
link_is(uint32_t interface, bool up)
{
	char address[IP_STRLEN];
	struct vrrp_link link = { .present = true, .up = up, .mtu = 1500 };

	snprintf(address, sizeof address, "10.0.%u.11", interface + 1);
	link.primary = ip4(address);
	vrrp_link(vrrp, interface, &link, now);
}

void
grouped_new(void)
{
	vrrp = vrrp_new(&conf, &board, &timers, &ops, NULL);
	assert_non_null(vrrp);
}

void
grouped_start(void)
{
	grouped_new();
	link_is(0, true);
	link_is(1, true);
	vrrp_start(vrrp, now);
	/* no proxy thread: nothing serves, and nothing is asked of it */
}

void
run_ms(int64_t ms)
{
	for (struct mono end = mono_add_ms(now, ms); mono_before(now, end);) {
		now = mono_add_ms(now, 1);
		vrrp_wake(vrrp, now);
		timer_heap_run(&timers, now);
	}
}

/* An advertisement from .12 on the instance's link. */
void
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
void
hear_both_ms(int64_t ms, uint8_t first, uint8_t second)
{
	for (; ms > 0; ms -= 50) {
		hear(0, first);
		hear(1, second);
		run_ms(50);
	}
}

void
expect(const char *expected)
{
	assert_string_equal(trace, expected);
	trace[0] = '\0';
}

void
why_is(uint32_t instance, const char *expected)
{
	struct vrrp_view view;

	vrrp_view(vrrp, instance, now, &view);
	assert_string_equal(view.why, expected);
}

void
grouped_become_master(void)
{
	grouped_start();
	run_ms(DOWN_MS);
	trace[0] = '\0';
}

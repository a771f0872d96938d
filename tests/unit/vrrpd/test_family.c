/*
 * test_family.c - IPv4 and IPv6 side by side: one VRID on one interface means two virtual routers.
 */
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { V4, V6, INSTANCES };

struct family_world {
	struct conf_interface interface;
	struct conf_vip vips[INSTANCES];
	struct conf_instance instances[INSTANCES];
	struct conf conf;
	struct health_board board;
	struct timer_heap timers;
	struct vrrp *vrrp;
	struct mono now;
	unsigned sent[INSTANCES];
	struct ip source, to; /* of the last advertisement */
};

static void
op_send(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to, const void *pdu,
	size_t len)
{
	struct family_world *w = ctx;

	w->sent[instance]++;
	w->source = *source;
	w->to = *to;
}

static void
op_instance(void *ctx, uint32_t instance)
{
}

static void
op_lodge_will(void *ctx, uint32_t instance, bool lodged)
{
}

static void
op_drain(void *ctx)
{
}

static void
op_transition(void *ctx, const struct vrrp_transition_note *note)
{
}

static const struct vrrp_ops ops = {
	.send = op_send,
	.claim = op_instance,
	.release = op_instance,
	.announce = op_instance,
	.lodge_will = op_lodge_will,
	.drain = op_drain,
	.transition = op_transition,
};

static void
tell_link(struct family_world *w, const char *primary, const char *primary6)
{
	struct vrrp_link link = { .present = true, .up = true, .mtu = 1500 };

	if (primary)
		link.primary = ip4(primary);
	if (primary6)
		link.primary6 = ip4(primary6);
	vrrp_link(w->vrrp, 0, &link, w->now);
}

static int
set_up(void **state)
{
	struct family_world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->now.ns = 1000 * NS_PER_S;
	w->interface.name = "eth1";
	w->vips[V4].ip = ip4("10.0.0.10");
	w->vips[V6].ip = ip4("fe80::10");
	for (unsigned i = 0; i < INSTANCES; i++)
		w->instances[i] = (struct conf_instance){
			.name = i == V4 ? "VI_4" : "VI_6",
			.vrid = 51,
			.priority = 100,
			.family = i == V4 ? AF_INET : AF_INET6,
			.version = 3,
			.advert_int_cs = 100,
			.vips = &w->vips[i],
			.vips_n = 1,
			.garp_master_repeat = 1,
		};
	w->conf = (struct conf){
		.interfaces = &w->interface,
		.interfaces_n = 1,
		.instances = w->instances,
		.instances_n = INSTANCES,
		.mcast_group4 = ip4("224.0.0.18"),
		.mcast_group6 = ip4("ff02::12"),
	};
	w->vrrp = vrrp_new(&w->conf, &w->board, &w->timers, &ops, w);
	assert_non_null(w->vrrp);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct family_world *w = *state;

	vrrp_free(w->vrrp);
	assert_int_equal(w->timers.n, 0);
	timer_heap_fini(&w->timers);
	free(w);
	return 0;
}

static struct vrrp_view
view(const struct family_world *w, uint32_t instance)
{
	struct vrrp_view v;

	vrrp_view(w->vrrp, instance, w->now, &v);
	return v;
}

/* One turn of the loop, `ms` later. */
static void
pass(struct family_world *w, int64_t ms)
{
	w->now = mono_add_ms(w->now, ms);
	vrrp_wake(w->vrrp, w->now);
	timer_heap_run(&w->timers, w->now);
}

static void
become_masters(struct family_world *w)
{
	tell_link(w, "10.0.0.11", "fe80::11");
	vrrp_start(w->vrrp, w->now);
	for (unsigned i = 0; i < 40; i++)
		pass(w, 100);
	assert_int_equal(view(w, V4).state, VRRP_STATE_MASTER);
	assert_int_equal(view(w, V6).state, VRRP_STATE_MASTER);
}

static void
hear(struct family_world *w, const char *from, uint8_t priority)
{
	struct ip source = ip4(from);
	uint32_t i = source.family == AF_INET6 ? V6 : V4;
	const struct ip *to = conf_group(&w->conf, &w->instances[i]);
	uint8_t pdu[VRRP_PDU_MAX], bytes[96];
	struct vrrp_datagram d = { .source = source, .destination = *to, .hop_limit = VRRP_TTL };
	int len = vrrp_packet_build(&w->instances[i], &source, to, priority, 100, pdu, sizeof pdu);

	assert_true(len > 0);
	d.pdu = pdu;
	d.pdu_len = (size_t)len;
	if (i == V6)
		vrrp_receive6(w->vrrp, 0, &d, w->now);
	else
		vrrp_receive(w->vrrp, 0, bytes,
			     datagram_make(&source, to, VRRP_TTL, pdu, d.pdu_len, bytes), w->now);
}

static void
advertisements_reach_their_family(void **state)
{
	struct family_world *w = *state;

	become_masters(w);
	hear(w, "fe80::12", 200);
	assert_int_equal(view(w, V6).state, VRRP_STATE_BACKUP);
	assert_int_equal(view(w, V4).state, VRRP_STATE_MASTER);
	hear(w, "10.0.0.12", 200);
	assert_int_equal(view(w, V4).state, VRRP_STATE_BACKUP);
	assert_int_equal(view(w, V6).adverts_received, 1);
	assert_int_equal(view(w, V4).adverts_received, 1);
}

/* RFC 9568 section 6.4.3: of equal priorities the higher source address stays, as a number. */
static void
a_tie_is_settled_by_address(void **state)
{
	struct family_world *w = *state;

	become_masters(w);
	hear(w, "fe80::9", 100);
	assert_int_equal(view(w, V6).state, VRRP_STATE_MASTER);
	hear(w, "fe80:0:0:0:1::9", 100);
	assert_int_equal(view(w, V6).state, VRRP_STATE_BACKUP);
}

static void
sources_and_groups_are_of_the_family(void **state)
{
	struct family_world *w = *state;
	struct ip source = ip4("fe80::11"), group = ip4("ff02::12");

	w->instances[V4].priority = 1; /* the IPv6 one speaks first … */
	vrrp_free(w->vrrp);
	w->instances[V4].version = 2; /* … and alone */
	w->instances[V4].advert_int_cs = 25500;
	w->vrrp = vrrp_new(&w->conf, &w->board, &w->timers, &ops, w);
	tell_link(w, "10.0.0.11", "fe80::11");
	vrrp_start(w->vrrp, w->now);
	for (unsigned i = 0; i < 40; i++)
		pass(w, 100);
	assert_int_equal(w->sent[V4], 0);
	assert_true(w->sent[V6] > 0);
	assert_true(ip_equal(&w->source, &source));
	assert_true(ip_equal(&w->to, &group));
}

/* Each family needs an address of its own; a last resignation still comes from the lost one. */
static void
an_address_is_missed_by_its_family(void **state)
{
	struct family_world *w = *state;
	struct ip source = ip4("fe80::11");

	become_masters(w);
	tell_link(w, "10.0.0.11", NULL);
	assert_int_equal(view(w, V6).state, VRRP_STATE_FAULT);
	assert_string_equal(view(w, V6).why,
			    "interface eth1 has no link-local address to speak from");
	assert_int_equal(view(w, V4).state, VRRP_STATE_MASTER);
	assert_true(ip_equal(&w->source, &source));
	tell_link(w, "10.0.0.11", "fe80::11");
	assert_int_equal(view(w, V6).state, VRRP_STATE_BACKUP);
	tell_link(w, NULL, "fe80::11");
	assert_int_equal(view(w, V4).state, VRRP_STATE_FAULT);
	assert_int_equal(view(w, V6).state, VRRP_STATE_BACKUP);
}

/* What no instance of the family has is unknown, even where the other family has that VRID. */
static void
a_vrid_of_the_other_family_is_unknown(void **state)
{
	struct family_world *w = *state;

	vrrp_free(w->vrrp);
	w->conf.instances_n = 1; /* V4 */
	w->vrrp = vrrp_new(&w->conf, &w->board, &w->timers, &ops, w);
	tell_link(w, "10.0.0.11", "fe80::11");
	vrrp_start(w->vrrp, w->now);
	hear(w, "fe80::12", 200);
	assert_int_equal(view(w, V4).adverts_received, 0);
	assert_int_equal(view(w, V4).drops[VRRP_DROP_VRID], 1);
}

/* A turn that lasts for longer than the down interval must not end with an advertisement. */
static void
a_late_turn_is_overdue(void **state)
{
	struct family_world *w = *state;
	int64_t down_ns;

	become_masters(w);
	down_ns = view(w, V4).down_ns;
	pass(w, mono_since_ms(view(w, V4).next, w->now) + 1); /* it advertises … */
	pass(w, 500);                                         /* … half an interval ago */
	assert_false(vrrp_overdue(w->vrrp, V4, mono_add_ns(w->now, down_ns - 500 * NS_PER_MS)));
	assert_int_equal(view(w, V4).overdue, 0);
	assert_true(vrrp_overdue(w->vrrp, V4, mono_add_ns(w->now, down_ns - 499 * NS_PER_MS)));
	assert_int_equal(view(w, V4).overdue, 1);
	assert_int_equal(view(w, V6).overdue, 0);
	/* and not a second time either, though the engine takes the first for sent */
	assert_true(vrrp_overdue(w->vrrp, V4, w->now));
	pass(w, 1); /* whatever it believed to have sent has not left */
	assert_int_equal(view(w, V4).state, VRRP_STATE_BACKUP);
	assert_int_equal(view(w, V4).fenced, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(advertisements_reach_their_family),
		TEST(a_tie_is_settled_by_address),
		TEST(sources_and_groups_are_of_the_family),
		TEST(an_address_is_missed_by_its_family),
		TEST(a_vrid_of_the_other_family_is_unknown),
		TEST(a_late_turn_is_overdue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * fuzz_vrrp_packet.c - advertisements of any shape, at any time, into an engine.
 *
 * The input is a series of steps: one octet that says how, one that says how long after the last
 * step, one with a length, and that many octets of datagram.  Bit 0 of the first has the checksums
 * mended, without which hardly an input would come past the codec; the other bits choose what happens
 * beside it.  A datagram whose first octet says so is IPv6: source and hop limit follow, then the
 * message, as a raw socket delivers them apart.  The engine has one instance of each kind; what must
 * hold for all of them is checked after each step.
 */
#include "common/checksum.h"
#include "common/log.h"
#include "vrrpd/packet.h"
#include "vrrpd/vrrp.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define INSTANCES 5
#define IPV6      4 /* the instance of that family */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct conf_interface interface;
	struct conf_vip vips[2], vip6;
	struct conf_instance instances[INSTANCES];
	struct conf_peer peer;
	struct conf conf;
	struct health_board board;
	struct timer_heap timers;
	struct vrrp *vrrp;
	struct mono now;
	bool held[INSTANCES], willed[INSTANCES];
	bool waking;            /* nothing may be sent before a fenced master has stepped down */
	const uint8_t *waiting; /* the step's datagram, while in the receive queue */
	size_t waiting_len;
	bool mended;
};

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* ------------------------------------------------------------------ operations */

static void
op_send(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to, const void *pdu,
	size_t len)
{
	struct world *world = ctx;

	require(instance < INSTANCES && len >= VRRP_HEADER_LEN && len <= VRRP_PDU_MAX);
	require(world->held[instance]);
	require(!world->waking);
}

static void
op_claim(void *ctx, uint32_t instance)
{
	struct world *world = ctx;

	require(!world->held[instance]);
	world->held[instance] = true;
}

static void
op_release(void *ctx, uint32_t instance)
{
	struct world *world = ctx;

	require(world->held[instance] && !world->willed[instance]);
	world->held[instance] = false;
}

static void
op_announce(void *ctx, uint32_t instance)
{
	struct world *world = ctx;

	require(world->held[instance]);
}

static void
op_lodge_will(void *ctx, uint32_t instance, bool lodged)
{
	struct world *world = ctx;

	require(world->held[instance] && world->willed[instance] != lodged);
	world->willed[instance] = lodged;
}

static void
op_transition(void *ctx, const struct vrrp_transition_note *note)
{
	require(note->from != note->to && note->reason != NULL);
}

/* ------------------------------------------------------------------ the world */

static void
world_init(struct world *world)
{
	*world = (struct world){ .now = { 1000 * NS_PER_S }, .interface.name = "eth1" };
	ip_parse("10.0.0.10", &world->vips[0].ip);
	ip_parse("10.0.0.9", &world->vips[1].ip);
	ip_parse("10.0.0.12", &world->peer.ip);
	for (uint8_t i = 0; i < INSTANCES; i++)
		world->instances[i] = (struct conf_instance){
			.name = "VI",
			.vrid = (uint8_t)(51 + i),
			.priority = i == 3 ? 255 : 100,
			.version = i < 2 ? 2 : 3,
			.advert_int_cs = i < 3 ? 100 : 1,
			.vips = world->vips,
			.vips_n = 2,
			.garp_master_delay_ms = 5000,
			.garp_master_repeat = 5,
		};
	ip_parse("fe80::10", &world->vip6.ip);
	world->instances[IPV6].family = AF_INET6;
	world->instances[IPV6].vrid = 51;
	world->instances[IPV6].vips = &world->vip6;
	world->instances[IPV6].vips_n = 1;
	world->instances[0].auth = CONF_AUTH_PASS;
	memcpy(world->instances[0].auth_data, "secret", 6);
	world->instances[1].nopreempt = CONF_NOPREEMPT;
	world->instances[2].unicast_peers = &world->peer;
	world->instances[2].unicast_peers_n = 1;
	world->instances[2].preempt_delay_ms = 2000;
	world->conf = (struct conf){
		.interfaces = &world->interface,
		.interfaces_n = 1,
		.instances = world->instances,
		.instances_n = INSTANCES,
		.vip_lease_s = 3,
	};
	ip_parse("224.0.0.18", &world->conf.mcast_group4);
	ip_parse("ff02::12", &world->conf.mcast_group6);
}

/* Both checksums, in a copy; the IP header's own is the kernel's to check. */
static void
mend(uint8_t *packet, size_t len)
{
	size_t header = (size_t)(packet[0] & 15) * 4, pdu_len;
	uint16_t sum;

	if (len < 20 || header < 20 || header + VRRP_HEADER_LEN > len)
		return;
	packet[0] = (uint8_t)(0x40 | (packet[0] & 15));
	packet[2] = (uint8_t)(len >> 8);
	packet[3] = (uint8_t)len;
	packet[6] &= 0xc0;
	packet[7] = 0;
	packet[9] = VRRP_PROTOCOL;
	pdu_len = VRRP_HEADER_LEN + 4u * packet[header + 3] +
		  (packet[header] >> 4 == 2 ? VRRP_AUTH_LEN : 0);
	if (header + pdu_len > len)
		return;
	memset(packet + header + 6, 0, 2);
	sum = checksum_finish(checksum_add(0, packet + header, pdu_len));
	memcpy(packet + header + 6, &sum, sizeof sum);
}

static void
mend6(uint8_t *pdu, const struct vrrp_datagram *d)
{
	const uint32_t tail_be[2] = { htobe32((uint32_t)d->pdu_len), htobe32(VRRP_PROTOCOL) };
	uint32_t sum = checksum_add(0, d->source.bytes, 16);
	uint16_t field;

	if (d->pdu_len < VRRP_HEADER_LEN)
		return;
	sum = checksum_add(sum, d->destination.bytes, 16);
	sum = checksum_add(sum, tail_be, sizeof tail_be);
	memset(pdu + 6, 0, 2);
	field = checksum_finish(checksum_add(sum, pdu, d->pdu_len));
	memcpy(pdu + 6, &field, sizeof field);
}

/* 0x60, the last octet of the source, hop limit (low bit: to the group), message. */
static void
deliver6(struct world *world, uint8_t *bytes, size_t len)
{
	struct vrrp_datagram d = {
		.source = world->vip6.ip,
		.destination = bytes[2] & 1 ? world->conf.mcast_group6 : world->vip6.ip,
		.hop_limit = bytes[2],
		.pdu = bytes + 3,
		.pdu_len = len - 3,
	};
	struct vrrp_advert ad;

	d.source.bytes[15] = bytes[1];
	if (world->mended)
		mend6(bytes + 3, &d);
	if (vrrp_packet_parse6(&d, &ad) == VRRP_DROP_N) {
		require(ad.version == 3 && ad.auth == NULL);
		require(ad.addresses + 16 * ad.addresses_n <= bytes + len);
	}
	vrrp_receive6(world->vrrp, 0, &d, world->now);
}

/* Delivers what waits, once. */
static void
op_drain(void *ctx)
{
	struct world *world = ctx;
	size_t len = world->waiting_len;
	struct vrrp_advert ad;
	uint8_t *copy;

	world->waking = false;
	if (world->waiting == NULL)
		return;
	copy = malloc(len + !len);
	require(copy != NULL);
	memcpy(copy, world->waiting, len);
	world->waiting = NULL;
	if (len >= 3 && copy[0] == 0x60) {
		deliver6(world, copy, len);
		free(copy);
		return;
	}
	if (world->mended && len > 0)
		mend(copy, len);
	if (vrrp_packet_parse(copy, len, &ad) == VRRP_DROP_N) {
		require(ad.addresses >= copy && ad.addresses + 4 * ad.addresses_n <= copy + len);
		require(ad.auth == NULL || ad.auth_type == VRRP_AUTH_TYPE_CISCO ||
			ad.auth + VRRP_AUTH_LEN <= copy + len);
	}
	vrrp_receive(world->vrrp, 0, copy, len, world->now);
	free(copy);
}

static const struct vrrp_ops ops = {
	.send = op_send,
	.claim = op_claim,
	.release = op_release,
	.announce = op_announce,
	.lodge_will = op_lodge_will,
	.drain = op_drain,
	.transition = op_transition,
};

static void
wake(struct world *world)
{
	world->waking = true;
	vrrp_wake(world->vrrp, world->now);
	world->waking = false;
}

/* A lease is renewed, a link goes up and down, a claim fails. */
static void
facts(struct world *world, uint8_t how)
{
	struct vrrp_link link = { true, !(how & 8), world->vips[0].ip, 1500, world->vip6.ip };
	uint32_t instance = how >> 6;

	link.primary.bytes[3] = 11;
	link.primary6.bytes[15] = 11;
	if (how & 2)
		vrrp_renewed(world->vrrp, instance, world->now);
	if (how & 4)
		vrrp_link(world->vrrp, 0, &link, world->now);
	if (how & 16)
		vrrp_claimed(world->vrrp, instance, how & 32 ? -1 : 0, world->now);
}

static void
check(struct world *world)
{
	struct vrrp_view view;

	for (uint32_t i = 0; i < INSTANCES; i++) {
		vrrp_view(world->vrrp, i, world->now, &view);
		require(view.vips_held == world->held[i] && view.will_lodged == world->willed[i]);
		require(vrrp_state_holds(view.state) == view.vips_held);
		require(view.why[0] != '\0');
		/* a state that lives by a timer has one armed */
		require((view.next.ns != 0) == (view.state == VRRP_STATE_BACKUP || view.vips_held));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world;

	log_init(&(struct log_setup){ .ident = "fuzz", .level = LOG_EMERG });
	world_init(&world);
	world.vrrp = vrrp_new(&world.conf, &world.board, &world.timers, &ops, &world);
	require(world.vrrp != NULL);
	facts(&world, 4);
	vrrp_start(world.vrrp, world.now);
	while (size >= 3) {
		uint8_t how = data[0];
		size_t len = data[2] < size - 3 ? data[2] : size - 3;

		world.now = mono_add_ms(world.now, data[1] < 200 ? data[1] : data[1] * 20);
		world.waiting = data + 3;
		world.waiting_len = len;
		world.mended = how & 1;
		wake(&world);
		timer_heap_run(&world.timers, world.now);
		facts(&world, how);
		op_drain(&world);
		check(&world);
		data += 3 + len;
		size -= 3 + len;
	}
	vrrp_stop(world.vrrp, world.now, "the input ends");
	timer_heap_run(&world.timers, mono_add_ms(world.now, 1000));
	require(vrrp_stopped(world.vrrp));
	vrrp_free(world.vrrp);
	timer_heap_fini(&world.timers);
	return 0;
}

/*
 * fuzz_vrrp_packet.c - advertisements of any shape, at any time, into an engine.
 *
 * The first octet of the input chooses whether and how the instances have auth_hmac, and who signs.
 * A series of steps follows: one octet that says how, one that says how long after the last step, one
 * with a length, and that many octets of datagram.  Bit 0 of the first has the checksums mended, and
 * signatures, if there are any, made good: without that hardly an input would come past the codec; the
 * other bits choose what happens beside it.  A datagram whose first octet says so is IPv6: source and
 * hop limit follow, then the message, as a raw socket delivers them apart.  The engine has one
 * instance of each kind; what must hold for all of them is checked after each step.
 */
#include "common/checksum.h"
#include "common/log.h"
#include "vrrpd/auth_hmac.h"
#include "vrrpd/packet.h"
#include "vrrpd/vrrp.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define INSTANCES 6
#define IPV6      4 /* the instances of that family: to the group … */
#define IPV6_PEER 5 /* … and with a peer */

/* Bits of the first octet. */
#define SIGNED     3 /* 0 = no auth_hmac, else its mode */
#define MONOTONIC  4
#define SECOND_KEY 8  /* peers sign with this one */
#define STRANGER   16 /* … or with one that is not ours, under the number of one that is */

#define WALL_NS (INT64_C(1800000000) * NS_PER_S)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct conf_interface interface;
	struct conf_vip vips[2], vip6;
	struct conf_instance instances[INSTANCES];
	struct conf_peer peer, peer6;
	struct conf conf;
	struct health_board board;
	struct timer_heap timers;
	struct conf_hmac_key keys[2];
	struct conf_hmac hmac, peer_hmac;
	struct vrrp_hmac *peer_signer;
	struct vrrp *vrrp;
	struct mono now;
	uint64_t signed_last[INSTANCES];
	uint64_t heard; /* advertisements taken, by all instances */
	bool held[INSTANCES], willed[INSTANCES];
	bool waking;            /* nothing may be sent before a fenced master has stepped down */
	const uint8_t *waiting; /* the step's datagram, while in the receive queue */
	size_t waiting_len;
	bool mended, genuine; /* the datagram was signed by a peer */
};

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* ------------------------------------------------------------------ operations */

/* No two of an instance's have the same sequence. */
static void
check_sent(struct world *world, uint32_t instance, const uint8_t *pdu, size_t len)
{
	struct vrrp_hmac_stamp stamp;

	require(len >= VRRP_HEADER_LEN + VRRP_HMAC_TRAILER_LEN);
	stamp = vrrp_hmac_stamp(pdu + len - VRRP_HMAC_TRAILER_LEN);
	require(stamp.key == world->hmac.active_key);
	require(stamp.sequence > world->signed_last[instance]);
	world->signed_last[instance] = stamp.sequence;
}

static void
op_send(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to, const void *pdu,
	size_t len)
{
	struct world *world = ctx;

	require(instance < INSTANCES && len >= VRRP_HEADER_LEN && len <= VRRP_PDU_MAX);
	require(world->held[instance]);
	require(!world->waking);
	if (world->instances[instance].hmac && world->hmac.mode != CONF_HMAC_RECEIVE_ONLY)
		check_sent(world, instance, pdu, len);
}

static int64_t
op_wall_ns(void *ctx)
{
	const struct world *world = ctx;

	return WALL_NS + world->now.ns;
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
init_hmac(struct world *world, uint8_t how)
{
	static const enum conf_hmac_mode modes[] = { CONF_HMAC_ENFORCE, CONF_HMAC_ENFORCE,
						     CONF_HMAC_PERMISSIVE, CONF_HMAC_RECEIVE_ONLY };
	static struct conf_hmac_key stranger;

	for (uint8_t k = 0; k < 2; k++) {
		world->keys[k] = (struct conf_hmac_key){ .id = (uint8_t)(k + 1), .len = 32 };
		memset(world->keys[k].bytes, 'a' + k, 32);
	}
	stranger = (struct conf_hmac_key){ .id = 1, .len = 64 };
	world->hmac = (struct conf_hmac){
		.keys = world->keys,
		.keys_n = 2,
		.active_key = 1,
		.anti_replay = how & MONOTONIC ? CONF_HMAC_MONOTONIC : CONF_HMAC_TIME,
		.time_window_s = 5,
		.mode = modes[how & SIGNED],
	};
	world->peer_hmac = world->hmac;
	if (how & SECOND_KEY)
		world->peer_hmac.active_key = 2;
	if (how & STRANGER)
		world->peer_hmac =
			(struct conf_hmac){ .keys = &stranger, .keys_n = 1, .active_key = 1 };
	if (!(how & SIGNED))
		return;
	for (unsigned i = 0; i < INSTANCES; i++)
		world->instances[i].hmac = &world->hmac;
	world->peer_signer = vrrp_hmac_new(&world->peer_hmac);
	require(world->peer_signer != NULL);
}

static void
world_init(struct world *world, uint8_t how)
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
	for (unsigned i = IPV6; i <= IPV6_PEER; i++) {
		world->instances[i].family = AF_INET6;
		world->instances[i].vrid = (uint8_t)(51 + i - IPV6);
		world->instances[i].vips = &world->vip6;
		world->instances[i].vips_n = 1;
	}
	ip_parse("fe80::12", &world->peer6.ip);
	world->instances[IPV6_PEER].unicast_peers = &world->peer6;
	world->instances[IPV6_PEER].unicast_peers_n = 1;
	world->instances[0].auth = CONF_AUTH_PASS;
	memcpy(world->instances[0].auth_data, "secret", 6);
	world->instances[1].nopreempt = CONF_NOPREEMPT;
	world->instances[2].unicast_peers = &world->peer;
	world->instances[2].unicast_peers_n = 1;
	world->instances[2].preempt_delay_ms = 2000;
	init_hmac(world, how);
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

/* Signs what is as long as a signed message; the sequence is not far from the time of day. */
static void
sign(struct world *world, const struct ip *source, uint8_t *pdu, size_t pdu_len, size_t len)
{
	uint8_t *trailer = pdu + pdu_len;
	uint64_t sequence = vrrp_hmac_clock(op_wall_ns(world));

	if (world->peer_signer == NULL || len != pdu_len + VRRP_HMAC_TRAILER_LEN)
		return;
	sequence += (uint64_t)((int64_t)(int8_t)trailer[4] * (1 << 30)) + trailer[5];
	vrrp_hmac_sign(world->peer_signer, source, sequence, pdu, pdu_len);
	world->genuine = world->peer_hmac.keys == world->keys;
}

/* Both checksums, in a copy; the IP header's own is the kernel's to check. */
static void
mend(struct world *world, uint8_t *packet, size_t len)
{
	size_t header = (size_t)(packet[0] & 15) * 4, pdu_len;
	struct ip source = { .family = AF_INET };
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
	memcpy(source.bytes, packet + 12, 4);
	sign(world, &source, packet + header, pdu_len, len - header);
	memset(packet + header + 6, 0, 2);
	sum = checksum_finish(checksum_add(0, packet + header, pdu_len));
	memcpy(packet + header + 6, &sum, sizeof sum);
}

static void
mend6(struct world *world, uint8_t *pdu, const struct vrrp_datagram *d)
{
	const uint32_t tail_be[2] = { htobe32((uint32_t)d->pdu_len), htobe32(VRRP_PROTOCOL) };
	uint32_t sum = checksum_add(0, d->source.bytes, 16);
	uint16_t field;

	if (d->pdu_len < VRRP_HEADER_LEN)
		return;
	sign(world, &d->source, pdu, VRRP_HEADER_LEN + 16u * pdu[3], d->pdu_len);
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
		mend6(world, bytes + 3, &d);
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
		mend(world, copy, len);
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
	.wall_ns = op_wall_ns,
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
	bool enforced = world->instances[0].hmac && world->hmac.mode == CONF_HMAC_ENFORCE;
	uint64_t heard = 0;
	struct vrrp_view view;

	for (uint32_t i = 0; i < INSTANCES; i++) {
		vrrp_view(world->vrrp, i, world->now, &view);
		require(view.vips_held == world->held[i] && view.will_lodged == world->willed[i]);
		require(vrrp_state_holds(view.state) == view.vips_held);
		require(view.why[0] != '\0');
		/* a state that lives by a timer has one armed */
		require((view.next.ns != 0) == (view.state == VRRP_STATE_BACKUP || view.vips_held));
		heard += view.adverts_received;
	}
	/* Nobody is listened to who has no key. */
	require(!enforced || world->genuine || heard == world->heard);
	world->heard = heard;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world;

	if (size == 0)
		return 0;
	log_init(&(struct log_setup){ .ident = "fuzz", .level = LOG_EMERG });
	world_init(&world, data[0]);
	data++;
	size--;
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
		world.genuine = false;
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
	vrrp_hmac_free(world.peer_signer);
	timer_heap_fini(&world.timers);
	return 0;
}

/*
 * world.c - the invented network of world.h.
 */
#include "world.h"

#include <endian.h>
#include <linux/ip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY_NS (100 * NS_PER_US)

struct ip
ip4(const char *text)
{
	struct ip ip = { 0 };

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

static struct ip
host(unsigned last)
{
	char text[IP_STRLEN];

	snprintf(text, sizeof text, "10.0.0.%u", last);
	return ip4(text);
}

size_t
datagram_make(const struct ip *source, const struct ip *destination, uint8_t ttl, const void *pdu,
	      size_t pdu_len, uint8_t *out)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = ttl,
		.protocol = VRRP_PROTOCOL,
		.tot_len = htobe16((uint16_t)(sizeof ip + pdu_len)),
		.saddr = source->v4.s_addr,
		.daddr = destination->v4.s_addr,
	};

	memcpy(out, &ip, sizeof ip);
	memcpy(out + sizeof ip, pdu, pdu_len);
	return sizeof ip + pdu_len;
}

/* ------------------------------------------------------------------ operations */

static void
trace(struct node *node, char letter)
{
	assert_true(node->trace_len < TRACE_MAX - 1);
	node->trace[node->trace_len++] = letter;
	node->trace[node->trace_len] = '\0';
}

static void
enqueue(struct node *node, const uint8_t *bytes, size_t len, struct mono arrives)
{
	struct datagram *d = &node->queue[(node->queue_first + node->queue_n) % QUEUE_MAX];

	assert_true(node->queue_n < QUEUE_MAX && len <= sizeof d->bytes);
	node->queue_n++;
	d->arrives = arrives;
	d->len = len;
	memcpy(d->bytes, bytes, len);
}

static void
op_send(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to, const void *pdu,
	size_t len)
{
	struct node *node = ctx;
	struct world *world = node->world;
	uint8_t bytes[96];
	size_t n = datagram_make(source, to, VRRP_TTL, pdu, len, bytes);
	bool multicast = ip_equal(to, &node->conf.mcast_group4);

	node->sent_priority = ((const uint8_t *)pdu)[2];
	node->sent_interval_cs = (((const uint8_t *)pdu)[4] & 15) << 8 | ((const uint8_t *)pdu)[5];
	node->sent = world->now;
	node->sent_n++;
	assert_true(len <= sizeof node->sent_pdu);
	memcpy(node->sent_pdu, pdu, len);
	node->sent_len = len;
	trace(node, node->sent_priority ? 's' : '0');
	for (unsigned i = 0; i < world->nodes_n; i++) {
		struct node *other = &world->nodes[i];

		if (other == node || node->cut || other->cut || !other->vrrp)
			continue;
		if (multicast || ip_equal(to, &other->address))
			enqueue(other, bytes, n, mono_add_ns(world->now, LATENCY_NS));
	}
}

static void
op_claim(void *ctx, uint32_t instance)
{
	struct node *node = ctx;

	trace(node, 'c');
	node->wants = WANTS_CLAIM;
}

static void
op_release(void *ctx, uint32_t instance)
{
	struct node *node = ctx;

	trace(node, 'r');
	node->wants = WANTS_RELEASE;
}

static void
op_announce(void *ctx, uint32_t instance)
{
	trace(ctx, 'a');
}

static void
op_lodge_will(void *ctx, uint32_t instance, bool lodged)
{
	trace(ctx, lodged ? 'w' : 'u');
}

static int64_t
op_wall_ns(void *ctx)
{
	const struct node *node = ctx;

	return node->world->now.ns + node->wall_ns;
}

static void
deliver(struct node *node)
{
	struct world *world = node->world;

	while (node->queue_n && !mono_before(world->now, node->queue[node->queue_first].arrives)) {
		struct datagram *d = &node->queue[node->queue_first];

		node->queue_first = (node->queue_first + 1) % QUEUE_MAX;
		node->queue_n--;
		vrrp_receive(node->vrrp, 0, d->bytes, d->len, world->now);
	}
}

static void
op_drain(void *ctx)
{
	struct node *node = ctx;

	trace(node, 'd');
	deliver(node);
}

static void
op_transition(void *ctx, const struct vrrp_transition_note *note)
{
	struct node *node = ctx;

	assert_int_equal(note->to, node_state(node));
	trace(node, "IBMFX"[note->to]);
	node->note = *note;
	snprintf(node->reason, sizeof node->reason, "%s", note->reason);
}

static void
op_aside(void *ctx, uint32_t instance, enum vrrp_aside aside, uint8_t priority)
{
	struct node *node = ctx;

	assert_int_equal(priority, node_view(node).priority);
	/* The last place stays NUL; whoever asks has not heard that many. */
	if (node->asides_n < sizeof node->asides - 1)
		node->asides[node->asides_n++] = "lmb"[aside];
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
	.aside = op_aside,
};

/* ------------------------------------------------------------------ configuration */

struct node *
world_add(struct world *world, uint8_t priority)
{
	unsigned index = world->nodes_n++;
	struct node *node = &world->nodes[index];

	assert_true(index < NODES_MAX);
	if (world->now.ns == 0)
		world->now = (struct mono){ 1000 * NS_PER_S };
	*node = (struct node){
		.world = world,
		.interface.name = "eth1",
		.address = host(11 + index),
		.vip = { .ip = host(10), .prefix_len = 32 },
		.link = { true, true, host(11 + index), 1500 },
		.instance = {
			.name = "VI_1",
			.vrid = 51,
			.priority = priority,
			.version = 2,
			.advert_int_cs = 100,
			.garp_master_delay_ms = 5000,
			.garp_master_repeat = 5,
			.garp_master_refresh_repeat = 1,
			.garp_lower_prio_repeat = 1,
			.vips_n = 1,
		},
	};
	node->conf = (struct conf){
		.interfaces_n = 1,
		.instances_n = 1,
		.mcast_group4 = ip4("224.0.0.18"),
	};
	return node;
}

void
world_unicast(struct world *world)
{
	for (unsigned i = 0; i < world->nodes_n; i++) {
		struct node *node = &world->nodes[i];

		node->instance.unicast_src = node->address;
		node->instance.unicast_peers = node->peers;
		for (unsigned j = 0; j < world->nodes_n; j++)
			if (j != i)
				node->peers[node->instance.unicast_peers_n++].ip =
					world->nodes[j].address;
	}
}

void
world_v3(struct world *world, uint32_t interval_cs)
{
	for (unsigned i = 0; i < world->nodes_n; i++) {
		world->nodes[i].instance.version = 3;
		world->nodes[i].instance.advert_int_cs = interval_cs;
	}
}

void
node_track_backend(struct node *node, int32_t weight)
{
	node->proxy.name = "app";
	node->conf.proxies = &node->proxy;
	node->conf.proxies_n = 1;
	node->track_backend = (struct conf_track_backend){ .weight = weight, .min = 1 };
	node->instance.track_backends.at = &node->track_backend;
	node->instance.track_backends.n = 1;
	node->board.backends = &node->backend;
	node->board.backends_n = 1;
}

void
node_backend(struct node *node, uint32_t usable, uint32_t in_transition, bool settled)
{
	atomic_store(&node->backend.usable, usable);
	atomic_store(&node->backend.in_transition, in_transition);
	atomic_store(&node->backend.settled, settled);
	if (node->vrrp)
		vrrp_health(node->vrrp, node->world->now);
}

void
node_with_proxy(struct node *node)
{
	node->board.threads = &node->thread;
	node->board.threads_n = 1;
	atomic_store(&node->thread.beat_ns, node->world->now.ns);
}

void
node_start(struct node *node)
{
	node->instance.vips = &node->vip;
	node->conf.interfaces = &node->interface;
	node->conf.instances = &node->instance;
	node->vrrp = vrrp_new(&node->conf, &node->board, &node->timers, &ops, node);
	assert_non_null(node->vrrp);
	node->running = true;
	vrrp_link(node->vrrp, 0, &node->link, node->world->now);
	vrrp_start(node->vrrp, node->world->now);
}

bool
node_reload(struct node *node, void (*change)(unsigned char *saved, size_t *len, size_t n),
	    size_t n)
{
	struct vrrp *former = node->vrrp;
	unsigned char saved[VRRP_SAVED_MAX];
	size_t len;
	bool understood;

	vrrp_freeze(former);
	len = vrrp_save(former, 0, saved);
	if (change)
		change(saved, &len, n);
	node->vrrp = vrrp_new(&node->conf, &node->board, &node->timers, &ops, node);
	assert_non_null(node->vrrp);
	vrrp_link(node->vrrp, 0, &node->link, node->world->now);
	if (node->renewed_meanwhile.ns != 0)
		vrrp_renewed(node->vrrp, 0, node->renewed_meanwhile);
	understood = vrrp_restore(node->vrrp, 0, saved, len);
	vrrp_resume(node->vrrp, node->world->now);
	vrrp_free(former);
	return understood;
}

void
world_start(struct world *world)
{
	for (unsigned i = 0; i < world->nodes_n; i++)
		node_start(&world->nodes[i]);
}

void
world_free(struct world *world)
{
	for (unsigned i = 0; i < world->nodes_n; i++) {
		struct node *node = &world->nodes[i];

		vrrp_free(node->vrrp);
		assert_int_equal(node->timers.n, 0); /* nothing stays armed behind */
		timer_heap_fini(&node->timers);
	}
	free(world);
}

/* ------------------------------------------------------------------ time */

/* A live guardian does at once what was asked last, and renews every half lease. */
static void
guardian_turn(struct node *node)
{
	struct mono now = node->world->now;
	int64_t half_ns = node->conf.vip_lease_s * NS_PER_S / 2;

	if (node->guardian_deaf)
		return;
	switch (node->wants) {
	case WANTS_NOTHING:
		break;
	case WANTS_CLAIM:
		node->wants = WANTS_NOTHING;
		node->holds = node->claim_error == 0;
		if (node->holds && half_ns)
			node->renewal = mono_add_ns(now, half_ns);
		vrrp_claimed(node->vrrp, 0, node->claim_error, now);
		break;
	case WANTS_RELEASE:
		node->wants = WANTS_NOTHING;
		node->holds = false;
		node->renewal = (struct mono){ 0 };
		vrrp_released(node->vrrp, 0, now);
		break;
	}
	if (node->renewal.ns && !mono_before(now, node->renewal)) {
		node->renewal = mono_add_ns(now, half_ns);
		vrrp_renewed(node->vrrp, 0, now);
	}
}

static void
node_turn(struct node *node)
{
	if (!node->running)
		return;
	vrrp_wake(node->vrrp, node->world->now);
	guardian_turn(node);
	deliver(node);
	timer_heap_run(&node->timers, node->world->now);
}

void
world_step(struct world *world)
{
	struct mono next = mono_add_ms(world->now, 1);

	for (unsigned i = 0; i < world->nodes_n; i++) {
		struct node *node = &world->nodes[i];
		struct timer *first = timer_heap_first(&node->timers);

		if (!node->running)
			continue;
		if (first && mono_before(first->when, next))
			next = first->when;
		if (node->queue_n && mono_before(node->queue[node->queue_first].arrives, next))
			next = node->queue[node->queue_first].arrives;
	}
	if (mono_before(world->now, next))
		world->now = next;
	for (unsigned i = 0; i < world->nodes_n; i++)
		node_turn(&world->nodes[i]);
}

void
world_run_ms(struct world *world, int64_t ms)
{
	struct mono end = mono_add_ms(world->now, ms);

	while (mono_before(world->now, end))
		world_step(world);
}

/* ------------------------------------------------------------------ one node */

void
node_link(struct node *node, bool up)
{
	node->link.up = up;
	vrrp_link(node->vrrp, 0, &node->link, node->world->now);
}

struct vrrp_view
node_view(const struct node *node)
{
	struct vrrp_view view;

	vrrp_view(node->vrrp, 0, node->world->now, &view);
	return view;
}

enum vrrp_state
node_state(const struct node *node)
{
	return node_view(node).state;
}

void
node_forget(struct node *node)
{
	node->trace_len = 0;
	node->trace[0] = '\0';
	node->sent_n = 0;
}

void
node_hear_from(struct node *node, const struct conf_instance *from, uint8_t last, uint8_t priority,
	       uint32_t interval_cs)
{
	struct ip source = host(last);
	const struct ip *to =
		node->instance.unicast_peers_n ? &node->address : &node->conf.mcast_group4;
	uint8_t pdu[VRRP_PDU_MAX], bytes[96];
	int len = vrrp_packet_build(from, &source, to, priority, (uint16_t)interval_cs, pdu,
				    sizeof pdu);

	assert_true(len > 0);
	vrrp_receive(node->vrrp, 0, bytes,
		     datagram_make(&source, to, VRRP_TTL, pdu, (size_t)len, bytes),
		     node->world->now);
}

void
node_hear(struct node *node, uint8_t last, uint8_t priority)
{
	node_hear_from(node, &node->instance, last, priority, node->instance.advert_int_cs);
}

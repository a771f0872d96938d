/*
 * wire.c - the network between the nodes, and what is in flight on it.
 */
#include "sim.h"

#include <string.h>

void
wire_init(struct wire *wire)
{
	wire->n = wire->splits_n = 0;
	wire->sent = 0;
	wire->next_ns = NEVER_NS;
	wire->deaf = wire->mute = 0;
	wire->loss = wire->duplicate = 0;
	wire->whole_ns = 0;
}

void
wire_judge(struct sim *sim)
{
	struct wire *wire = &sim->wire;
	bool whole = wire->splits_n == 0 && !wire->deaf && !wire->mute && wire->loss == 0;

	for (unsigned i = 0; i < sim->plan.nodes_n; i++)
		whole = whole && sim->nodes[i].kernel.link_up && sim->nodes[i].suspension.n == 0;
	if (!whole)
		wire->whole_ns = NEVER_NS;
	else if (wire->whole_ns == NEVER_NS)
		wire->whole_ns = sim->now_ns;
}

static bool
passes(struct sim *sim, unsigned from, unsigned to)
{
	const struct wire *wire = &sim->wire;

	if (wire->mute & 1u << from || wire->deaf & 1u << to)
		return false;
	if (!sim->nodes[from].kernel.link_up || !sim->nodes[to].kernel.link_up)
		return false;
	for (unsigned i = 0; i < wire->splits_n; i++)
		if (!(wire->splits[i] & 1u << from) != !(wire->splits[i] & 1u << to))
			return false;
	return !dice_percent(&sim->dice, wire->loss);
}

static void
put(struct sim *sim, unsigned from, unsigned node, const struct ip *source, const struct ip *to,
    const void *pdu, size_t len, int64_t ahead_ns)
{
	struct wire *wire = &sim->wire;
	struct packet *packet = &wire->at[wire->n];

	if (wire->n == WIRE_MAX || len > PDU_MAX) {
		sim_fail(sim, "the simulation has no room for a packet of %zu octets", len);
		return;
	}
	wire->n++;
	packet->leaves_ns = sim->now_ns + ahead_ns;
	packet->arrives_ns = packet->leaves_ns + dice_between(&sim->dice, sim->plan.delay_min_ns,
							      sim->plan.delay_max_ns);
	packet->number = wire->sent++;
	packet->from = from;
	packet->node = node;
	packet->source = *source;
	packet->to = *to;
	packet->len = (uint16_t)len;
	memcpy(packet->pdu, pdu, len);
	if (packet->arrives_ns < wire->next_ns)
		wire->next_ns = packet->arrives_ns;
}

void
wire_send(struct sim *sim, unsigned from, const struct ip *source, const struct ip *to,
	  const void *pdu, size_t len, int64_t ahead_ns)
{
	const struct node *sender = &sim->nodes[from];
	bool multicast = ip_equal(to, conf_group(&sender->conf, &sender->instance));

	for (unsigned i = 0; i < sim->plan.nodes_n; i++) {
		if (i == from || (!multicast && !ip_equal(to, &sim->nodes[i].address)) ||
		    !passes(sim, from, i))
			continue;
		put(sim, from, i, source, to, pdu, len, ahead_ns);
		if (dice_percent(&sim->dice, sim->wire.duplicate))
			put(sim, from, i, source, to, pdu, len, ahead_ns);
	}
}

/* A suspended machine: half of the time somebody keeps what comes in, else it is lost. */
static void
receive(struct sim *sim, const struct packet *packet)
{
	struct node *node = &sim->nodes[packet->node];
	struct kernel *kernel = &node->kernel;

	if (!kernel->link_up || kernel->n == QUEUE_MAX)
		return;
	if (!node->guardian.alive && !worker_exists(&node->worker)) /* no socket */
		return;
	if (node->suspension.n && sim->plan.seed % 2)
		return;
	kernel->queue[(kernel->first + kernel->n) % QUEUE_MAX] = *packet;
	kernel->n++;
}

/* The earliest; of those that arrive together, the one that was sent first. */
static struct packet *
first(struct wire *wire)
{
	struct packet *best = NULL;

	for (unsigned i = 0; i < wire->n; i++) {
		struct packet *packet = &wire->at[i];

		if (!best || packet->arrives_ns < best->arrives_ns ||
		    (packet->arrives_ns == best->arrives_ns && packet->number < best->number))
			best = packet;
	}
	return best;
}

void
wire_forget(struct sim *sim, unsigned from)
{
	struct wire *wire = &sim->wire;
	const struct packet *packet;

	for (unsigned i = 0; i < wire->n;)
		if (wire->at[i].from == from && wire->at[i].leaves_ns > sim->now_ns)
			wire->at[i] = wire->at[--wire->n];
		else
			i++;
	packet = first(wire);
	wire->next_ns = packet ? packet->arrives_ns : NEVER_NS;
}

void
wire_deliver(struct sim *sim)
{
	struct wire *wire = &sim->wire;
	struct packet *packet;

	while (wire->next_ns <= sim->now_ns) {
		packet = first(wire);
		receive(sim, packet);
		*packet = wire->at[--wire->n];
		packet = first(wire);
		wire->next_ns = packet ? packet->arrives_ns : NEVER_NS;
	}
}

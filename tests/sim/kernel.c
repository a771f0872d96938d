/*
 * kernel.c - what a node's kernel does: an address with a lifetime, and the leases' operations on it.
 *
 * Measured on Linux: an address of N seconds is gone after N + 0.01 to 0.42 s.  Its timers stand
 * still with the machine.
 */
#include "sim.h"

#include <errno.h>

#define LATE_MIN_NS (10 * NS_PER_MS)
#define LATE_MAX_NS (420 * NS_PER_MS)

static int
put(void *ctx, uint32_t instance, bool quiet)
{
	struct node *node = ctx;
	struct sim *sim = node->sim;
	struct kernel *kernel = &node->kernel;
	int64_t lease_ns = conf_lease_s(&node->conf, &node->instance) * NS_PER_S;

	if (kernel->refuses)
		return -ENOBUFS;
	rules_put(node, !quiet && !node->guardian.leases.at[instance].claimed);
	kernel->vip = true;
	kernel->put = node_clock(node);
	kernel->lapses.ns = NEVER_NS;
	if (lease_ns && mutant != MUTANT_IMMORTAL)
		kernel->lapses = mono_add_ns(
			kernel->put, lease_ns + dice_between(&sim->dice, LATE_MIN_NS, LATE_MAX_NS));
	return 0;
}

static int
take(void *ctx, uint32_t instance, size_t first, size_t n)
{
	struct node *node = ctx;

	if (first == 0 && mutant != MUTANT_UNRELEASED)
		node->kernel.vip = false;
	return 0;
}

static uint32_t
missing(void *ctx, uint32_t instance)
{
	const struct node *node = ctx;

	return !node->kernel.vip;
}

static void
sweep(void *ctx, const struct leases *leases)
{
	struct node *node = ctx;

	if (leases_claimed(leases) == 0 && mutant != MUTANT_UNRELEASED)
		node->kernel.vip = false;
}

static void
announce(void *ctx, uint32_t instance, uint32_t rounds)
{
}

static void
join(void *ctx, uint32_t instance, bool join)
{
}

static size_t
resign(void *ctx, uint32_t instance)
{
	struct node *node = ctx;
	const struct conf_instance *c = &node->instance;
	const struct ip *group = conf_group(&node->conf, c);
	size_t n = c->unicast_peers_n ? c->unicast_peers_n : 1;
	uint8_t pdu[VRRP_PDU_MAX];

	if (mutant == MUTANT_UNWILLING)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct ip *to = c->unicast_peers_n ? &c->unicast_peers[i].ip : group;
		int len = vrrp_packet_build(c, &node->address, to, 0, (uint16_t)c->advert_int_cs,
					    pdu, sizeof pdu);

		if (node->guardian.signer)
			len = vrrp_packet_sign(node->guardian.signer, node->marks,
					       vrrp_hmac_clock(node_wall_ns(node)), &node->address,
					       to, pdu, (size_t)len, sizeof pdu);
		wire_send(node->sim, node->index, &node->address, to, pdu, (size_t)len, 0);
	}
	sim_trace(node->sim, "lb%u executes its worker's will", node->index + 1);
	return n;
}

const struct lease_ops kernel_ops = {
	.put = put,
	.take = take,
	.missing = missing,
	.sweep = sweep,
	.announce = announce,
	.join = join,
	.resign = resign,
};

int64_t
kernel_due_ns(const struct node *node)
{
	if (!node->kernel.vip || node->suspension.n)
		return NEVER_NS;
	return node_real_ns(node, node->kernel.lapses);
}

void
kernel_lapse(struct node *node)
{
	sim_trace(node->sim, "lb%u: the lease of the VIP ends", node->index + 1);
	node->kernel.vip = false;
	node->kernel.changed = true;
}

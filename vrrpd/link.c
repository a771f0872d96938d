/*
 * link.c - what the links of this host mean to instances: source addresses, faults, other MACs, and
 * the delays of interface_up_down_delays.  Runs on the VRRP thread.
 */
#include "common/list.h"
#include "conf/behaviour.h"
#include "vrrpd/engine.h"
#include "vrrpd/tenure.h"
#include "vrrpd/timing.h"

#include <assert.h>
#include <string.h>

#define DELAY_MARGIN_NS (10 * NS_PER_MS)

/* A source that vanished is forgotten last: the resignation it causes is still sent from it. */
static void
take_link(struct vrrp_instance *inst, const struct vrrp_link *link, struct mono now)
{
	bool chosen = inst->conf->unicast_src.family != AF_UNSPEC;
	const struct ip *primary = vrrp_link_primary(link, inst->conf->family);

	if (!chosen && primary->family != AF_UNSPEC)
		inst->source = *primary;
	vrrp_tenure_guardian_alive(inst);
	vrrp_instance_on_fact(inst, now);
	if (!chosen)
		inst->source = *primary;
}

static bool
has_vip_on(const struct conf_instance *conf, uint32_t interface)
{
	for (size_t i = 0; i < conf->vips_n; i++)
		if (conf->vips[i].interface == interface)
			return true;
	return false;
}

/* A bond that fails over may change its address: the neighbours have the old one. */
static void
take_mac(struct vrrp_interface *iface, struct mono now)
{
	struct vrrp *vrrp = iface->vrrp;

	for (size_t i = 0; i < vrrp->conf->instances_n && !vrrp->frozen; i++)
		if (vrrp->instances[i].state == VRRP_STATE_MASTER &&
		    has_vip_on(vrrp->instances[i].conf, iface->index))
			vrrp_tenure_reannounce(&vrrp->instances[i], now);
}

static void
take(struct vrrp_interface *iface, const struct vrrp_link *link, struct mono now)
{
	struct vrrp *vrrp = iface->vrrp;
	struct vrrp_link before = vrrp->world.links[iface->index];

	vrrp->world.links[iface->index] = *link;
	for (size_t i = 0; i < vrrp->conf->instances_n; i++)
		if (vrrp->instances[i].conf->interface == iface->index)
			take_link(&vrrp->instances[i], link, now);
		else if (vrrp->instances[i].conf->use_vmac &&
			 vrrp->instances[i].conf->vmac == iface->index)
			vrrp_instance_on_fact(&vrrp->instances[i], now);
	if (iface->tracked)
		vrrp_on_facts(vrrp, now);
	if (before.present && link->present && memcmp(before.mac, link->mac, sizeof link->mac) != 0)
		take_mac(iface, now);
}

/*
 * How long a change of the link must last before it counts.  Less than the silence after which an
 * instance here would take a dead link for a dead master.
 */
static int64_t
delay_ns(const struct vrrp_interface *iface, bool up)
{
	const struct vrrp *vrrp = iface->vrrp;
	const struct conf_interface *conf = &vrrp->conf->interfaces[iface->index];
	int64_t ns = (up ? conf->up_delay_ms : conf->down_delay_ms) * NS_PER_MS;

	for (size_t i = 0; ns > 0 && i < vrrp->conf->instances_n; i++) {
		const struct vrrp_instance *inst = &vrrp->instances[i];
		int64_t most =
			(conf_down_adverts(inst->conf) - 1) * vrrp_interval_ns(inst->active_cs) -
			DELAY_MARGIN_NS;

		if (inst->conf->interface == iface->index && ns > most)
			ns = most;
	}
	return ns;
}

static void
on_settled(struct timer *t, struct mono now)
{
	struct vrrp_interface *iface = CONTAINER_OF(t, struct vrrp_interface, settle);

	take(iface, &iface->told, now);
}

void
vrrp_link(struct vrrp *vrrp, uint32_t interface, const struct vrrp_link *link, struct mono now)
{
	struct vrrp_interface *iface = &vrrp->interfaces[interface];
	struct vrrp_link *present = &vrrp->world.links[interface], early = *link;
	int64_t wait_ns = 0;

	assert(interface < vrrp->conf->interfaces_n);
	iface->told = *link;
	if (vrrp->begun && link->present && present->present && link->up != present->up)
		wait_ns = delay_ns(iface, link->up);
	if (wait_ns <= 0) {
		timer_disarm(vrrp->timers, &iface->settle);
	} else {
		early.up = present->up;
		if (!timer_armed(&iface->settle))
			timer_arm(vrrp->timers, &iface->settle, mono_add_ns(now, wait_ns));
	}
	take(iface, &early, now);
}

void
vrrp_interface_init(struct vrrp_interface *iface, struct vrrp *vrrp, uint32_t index)
{
	const struct conf *conf = vrrp->conf;

	iface->vrrp = vrrp;
	iface->index = index;
	iface->settle.fire = on_settled;
	for (size_t i = 0; i < conf->instances_n; i++) {
		const struct conf_track_list *list =
			&conf->instances[i].track[CONF_TRACK_INTERFACE];

		for (size_t j = 0; j < list->n; j++)
			iface->tracked |= list->at[j].index == index;
	}
}

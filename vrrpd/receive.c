/*
 * receive.c - from a datagram to the instance it is for, or to the counter of why not.
 *
 * Runs on the VRRP thread.  RFC 9568 section 7.1 in the order of enum vrrp_drop: what the codec can
 * tell, then the VRID, then what the instance's configuration demands.
 */
#include "common/log.h"
#include "vrrpd/engine.h"

bool
vrrp_log_due(struct mono *logged, struct mono now)
{
	if (logged->ns != 0 && mono_since(now, *logged) < VRRP_LOG_PACE_NS)
		return false;
	*logged = now;
	return true;
}

static void
count_drop(uint64_t drops[VRRP_DROP_N], struct mono logged[VRRP_DROP_N], enum vrrp_drop drop,
	   const char *who, const struct vrrp_advert *ad, struct mono now)
{
	char source[IP_STRLEN];

	drops[drop]++;
	/* Other routers on the same link are nobody's fault. */
	if (drop == VRRP_DROP_VRID || !vrrp_log_due(&logged[drop], now))
		return;
	log_warning("(%s) dropped an advertisement from %s: %s (%llu so far)", who,
		    ip_format(&ad->source, source), vrrp_drop_name(drop),
		    (unsigned long long)drops[drop]);
}

/* Neither is a reason to drop (and two masters over a rolling change of VIPs): count and say so. */
static void
note_differences(struct vrrp_instance *inst, const struct vrrp_advert *ad, struct mono now)
{
	char source[IP_STRLEN];

	if (ad->version == 3 && ad->interval_cs != inst->conf->advert_int_cs) {
		inst->interval_differs++;
		if (vrrp_log_due(&inst->interval_logged, now))
			log_notice("(%s) %s advertises every %u ms, we have %u ms",
				   inst->conf->name, ip_format(&ad->source, source),
				   ad->interval_cs * 10u, inst->conf->advert_int_cs * 10u);
	}
	/* Of the same sender it was compared before, if so wished. */
	if (inst->conf->skip_check_adv_addr && ip_equal(&inst->peer, &ad->source))
		return;
	if (!vrrp_packet_same_addresses(inst->conf, ad)) {
		inst->list_differs++;
		if (vrrp_log_due(&inst->list_logged, now))
			log_notice("(%s) %s advertises another list of addresses than ours",
				   inst->conf->name, ip_format(&ad->source, source));
	}
}

/* What the codec made of a message; `drop` says why it refused it. */
static void
deliver(struct vrrp *vrrp, uint32_t interface, enum vrrp_drop drop, const struct vrrp_advert *ad,
	struct mono now)
{
	struct vrrp_interface *iface = &vrrp->interfaces[interface];
	struct vrrp_instance *inst = NULL;

	if (drop == VRRP_DROP_N)
		inst = iface->by_vrid[ip_family_index(ad->source.family)][ad->vrid];
	if (inst == NULL) {
		count_drop(iface->drops, iface->drop_logged,
			   drop == VRRP_DROP_N ? VRRP_DROP_VRID : drop,
			   vrrp->conf->interfaces[interface].name, ad, now);
		return;
	}
	drop = vrrp_packet_check(inst->conf, &inst->source, ad);
	if (drop != VRRP_DROP_N) {
		count_drop(inst->drops, inst->drop_logged, drop, inst->conf->name, ad, now);
		return;
	}
	note_differences(inst, ad, now);
	vrrp_instance_on_advert(inst, ad, now);
}

void
vrrp_receive(struct vrrp *vrrp, uint32_t interface, const void *packet, size_t len, struct mono now)
{
	struct vrrp_advert ad;
	enum vrrp_drop drop = vrrp_packet_parse(packet, len, &ad);

	deliver(vrrp, interface, drop, &ad, now);
}

void
vrrp_receive6(struct vrrp *vrrp, uint32_t interface, const struct vrrp_datagram *datagram,
	      struct mono now)
{
	struct vrrp_advert ad;
	enum vrrp_drop drop = vrrp_packet_parse6(datagram, &ad);

	deliver(vrrp, interface, drop, &ad, now);
}

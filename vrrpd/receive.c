/*
 * receive.c - from a datagram to the instance it is for, or to the counter of why not.
 *
 * Runs on the VRRP thread.  RFC 9568 section 7.1 in the order of enum vrrp_drop: what the codec can
 * tell, then the VRID, then what the instance's configuration demands, a signature last: what it
 * costs is spent only on what would be taken otherwise.
 */
#include "common/log.h"
#include "vrrpd/auth_hmac.h"
#include "vrrpd/engine.h"

#include <stdlib.h>

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

/* What can be said of a signature (or none) that was taken, before it is too late for an answer. */
static void
note_signature(struct vrrp_instance *inst, const struct vrrp_advert *ad, uint64_t clock,
	       struct mono now)
{
	const struct conf_hmac *conf = inst->conf->hmac;
	struct vrrp_hmac_stamp stamp;
	char source[IP_STRLEN];
	int32_t ahead_s;

	if (ad->trailer == NULL) {
		inst->unsigned_taken++;
		/* Once for each time that a peer begins: at a step to signatures it may go on for long. */
		if (!inst->unsigned_told && vrrp_log_due(&inst->unsigned_logged, now))
			log_notice("(%s) %s does not sign what it sends", inst->conf->name,
				   ip_format(&ad->source, source));
		inst->unsigned_told = true;
		return;
	}
	inst->unsigned_told = false;
	stamp = vrrp_hmac_stamp(ad->trailer);
	ahead_s = vrrp_hmac_ahead_s(stamp.sequence, clock);
	inst->peer_key = stamp.key;
	inst->peer_ahead_s = ahead_s;
	if (conf->anti_replay == CONF_HMAC_TIME && 2 * abs(ahead_s) > conf->time_window_s &&
	    vrrp_log_due(&inst->clock_logged, now))
		log_warning("(%s) the clock of %s is %d s %s ours: beyond %u s nothing of it is "
			    "taken",
			    inst->conf->name, ip_format(&ad->source, source), abs(ahead_s),
			    ahead_s < 0 ? "behind" : "ahead of", conf->time_window_s);
}

static enum vrrp_drop
check_signature(struct vrrp_instance *inst, const struct vrrp_advert *ad, struct mono now)
{
	enum vrrp_drop drop;
	uint64_t clock;

	if (inst->hmac == NULL)
		return VRRP_DROP_N;
	clock = vrrp_hmac_clock(inst->vrrp->ops->wall_ns(inst->vrrp->ctx));
	drop = vrrp_hmac_check(inst->hmac, inst->conf, inst->marks, ad, clock);
	if (drop == VRRP_DROP_N)
		note_signature(inst, ad, clock, now);
	return drop;
}

/* RFC 9568 section 7.1, RFC 3768 section 7.1.  One that resigns still waits for its successor. */
static bool
is_deaf(const struct vrrp_instance *inst)
{
	return inst->conf->owner_ignore_adverts && inst->conf->priority == 255 &&
	       inst->state == VRRP_STATE_MASTER;
}

static enum vrrp_drop
check(struct vrrp_instance *inst, const struct vrrp_advert *ad, struct mono now)
{
	enum vrrp_drop drop;

	if (is_deaf(inst))
		return VRRP_DROP_OWNER;
	drop = vrrp_packet_check(inst->conf, &inst->source, ad);
	return drop == VRRP_DROP_N ? check_signature(inst, ad, now) : drop;
}

/* In a group that another instance on this link is in, somebody else's routers have ids of theirs. */
static bool
is_elsewhere(const struct vrrp_instance *inst, const struct vrrp_advert *ad)
{
	return ip_is_multicast(&ad->destination) && inst->conf->unicast_peers_n == 0 &&
	       !ip_equal(&ad->destination, conf_group(inst->vrrp->conf, inst->conf));
}

static bool
hears(const struct vrrp_instance *inst, const struct vrrp_advert *ad)
{
	const struct conf_instance *conf = inst->conf;

	if (ip_is_multicast(&ad->destination))
		return conf->unicast_peers_n == 0 && !is_elsewhere(inst, ad);
	for (size_t i = 0; i < conf->unicast_peers_n; i++)
		if (ip_equal(&conf->unicast_peers[i].ip, &ad->source))
			return true;
	return false;
}

/* Instances that share an id have no peer in common: who sends, or where to, says which is meant. */
static struct vrrp_instance *
addressee(const struct vrrp_interface *iface, const struct vrrp_advert *ad)
{
	struct vrrp_instance *any = iface->by_vrid[ip_family_index(ad->source.family)][ad->vrid];

	if (any == NULL || any->namesake == NULL)
		return any == NULL || is_elsewhere(any, ad) ? NULL : any;
	for (struct vrrp_instance *inst = any; inst; inst = inst->namesake)
		if (hears(inst, ad))
			return inst;
	return NULL;
}

/* What the codec made of a message; `drop` says why it refused it. */
static void
deliver(struct vrrp *vrrp, uint32_t interface, enum vrrp_drop drop, const struct vrrp_advert *ad,
	struct mono now)
{
	struct vrrp_interface *iface = &vrrp->interfaces[interface];
	struct vrrp_instance *inst = NULL;

	if (drop == VRRP_DROP_N)
		inst = addressee(iface, ad);
	if (inst == NULL) {
		count_drop(iface->drops, iface->drop_logged,
			   drop == VRRP_DROP_N ? VRRP_DROP_VRID : drop,
			   vrrp->conf->interfaces[interface].name, ad, now);
		return;
	}
	drop = check(inst, ad, now);
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

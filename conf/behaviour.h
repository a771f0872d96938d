/*
 * behaviour.h - what the directives of a vrrp_instance come to, where that takes more than one.  Pure.
 */
#pragma once

#include "conf/model.h"

/* The interface that advertisements leave from. */
static inline uint32_t
conf_xmit(const struct conf_instance *instance)
{
	return instance->use_vmac && !instance->vmac_xmit_base ? instance->vmac
							       : instance->interface;
}

/* The interface of the system's that a VIP's is, or is on. */
static inline uint32_t
conf_base(const struct conf *conf, uint32_t interface)
{
	return interface != CONF_NONE && conf->interfaces[interface].vmac
		       ? conf->interfaces[interface].base
		       : interface;
}

/* So many intervals without an advertisement, and the master is gone. */
static inline uint32_t
conf_down_adverts(const struct conf_instance *instance)
{
	return instance->down_timer_adverts ? instance->down_timer_adverts : 3;
}

/* Does a master answer an advertisement of lower priority?  RFC 3768 section 6.4.3 discards it, RFC
 * 9568 section 6.4.3 answers at once. */
static inline bool
conf_answers_lower(const struct conf_instance *instance)
{
	if (instance->lower_prio_no_advert == CONF_UNSET)
		return instance->version != 2;
	return instance->lower_prio_no_advert == CONF_OFF;
}

/* Does a master that loses advertise once more?  After a split the winner may not have heard us yet,
 * and so would not announce itself to neighbours that hold our address.  With a MAC in common they hold
 * the right one, and our frame would draw the switches' attention from the winner. */
static inline bool
conf_has_last_word(const struct conf_instance *instance)
{
	if (instance->higher_prio_send_advert == CONF_UNSET)
		return conf_xmit(instance) == instance->interface;
	return instance->higher_prio_send_advert == CONF_ON;
}

/* Accept_Mode (RFC 9568 section 6.1): on unless switched off, and always for the owner. */
static inline bool
conf_accepts(const struct conf_instance *instance)
{
	return instance->priority == 255 || instance->accept != CONF_OFF;
}

/* What advertisements leave with; 0 = 255, as multicast ones must (RFC 9568 section 5.1.1.3). */
static inline uint8_t
conf_ttl(const struct conf_instance *instance)
{
	return instance->unicast_peers_n > 0 ? instance->unicast_ttl : 0;
}

/*
 * resolve_vmac.c - use_vmac and its kin: which virtual interfaces there are to be, how they are
 * called, and which of the virtual addresses live on them.
 *
 * A virtual interface is one more of conf->interfaces, told by its base and its MAC: instances and
 * addresses with both in common share it.  Names are keepalived's: vrrp.VRID, vrrp6.VRID for IPv6,
 * with a number before the dot where that is taken.
 */
#include "conf/parser.h"

#include <net/if.h>
#include <string.h>

/* RFC 9568 section 7.3. */
static void
virtual_mac(uint8_t mac[6], uint8_t family, uint8_t vrid)
{
	const uint8_t standard[6] = { 0, 0, 0x5e, 0, family == AF_INET6 ? 2 : 1, vrid };

	memcpy(mac, standard, sizeof standard);
}

static uint32_t
find_vmac(const struct conf *conf, uint32_t base, const uint8_t mac[6])
{
	for (uint32_t i = 0; i < conf->interfaces_n; i++) {
		const struct conf_interface *interface = &conf->interfaces[i];

		if (interface->vmac && interface->base == base &&
		    memcmp(interface->mac, mac, sizeof interface->mac) == 0)
			return i;
	}
	return CONF_NONE;
}

static const char *
make_up_name(struct conf_parser *p, const char *prefix, uint8_t family, uint8_t vrid)
{
	const char *number = family == AF_INET6 ? "6" : "";
	const char *name = arena_printf(p->arena, "%s%s.%u", prefix, number, vrid);

	for (unsigned n = 1; names_find(&p->names, NAME_INTERFACE, 0, name); n++)
		name = arena_printf(p->arena, "%s%u.%u", prefix, n, vrid);
	return name;
}

/* The virtual interface with this MAC on `base`, made if there is none; CONF_NONE after an error.
 * `name`: NULL = made up from `prefix`. */
static uint32_t
need_vmac(struct conf_parser *p, uint32_t base, const struct conf_instance *instance,
	  uint8_t family, const uint8_t mac[6], const char *name, const char *prefix)
{
	uint32_t index = find_vmac(p->conf, base, mac);
	struct conf_interface *vmac;

	if (index != CONF_NONE)
		return index;
	if (!name)
		name = make_up_name(p, prefix, family, instance->vrid);
	if (strlen(name) >= IFNAMSIZ) {
		conf_error(&p->reporter, instance->pos,
			   "`%.60s` is too long for the name of a virtual interface", name);
		return CONF_NONE;
	}
	if (names_find(&p->names, NAME_INTERFACE, 0, name)) {
		conf_error(&p->reporter, instance->pos,
			   "the virtual interface of vrrp_instance `%.60s` cannot be called "
			   "`%s`: that is another interface of this file",
			   instance->name, name);
		return CONF_NONE;
	}
	index = parser_interface(p, name);
	vmac = &p->conf->interfaces[index];
	vmac->vmac = true;
	vmac->base = base;
	memcpy(vmac->mac, mac, sizeof vmac->mac);
	return index;
}

static void
resolve_own(struct conf_parser *p, struct conf_instance *instance,
	    const struct instance_draft *draft)
{
	const struct conf_pos *pos = parser_given(p, draft->given, "use_vmac");
	uint8_t mac[6];

	if (instance->unicast_peers_n > 0 && !instance->vmac_xmit_base) {
		conf_warning(&p->reporter, pos ? *pos : instance->pos,
			     "unicast beside `use_vmac` needs `vmac_xmit_base`, which is set");
		instance->vmac_xmit_base = true;
	}
	virtual_mac(mac, instance->family, instance->vrid);
	if (instance->vmac_mac_n > 0)
		memcpy(mac, instance->vmac_mac, instance->vmac_mac_n);
	instance->vmac = need_vmac(p, instance->interface, instance, instance->family, mac,
				   instance->vmac_name, p->conf->vmac_prefix);
	instance->use_vmac = instance->vmac != CONF_NONE;
}

/*
 * What is written without `dev` goes to the instance's own virtual interface, of whatever family,
 * unless use_vmac_addr wants each to have the MAC of its family.
 */
static void
resolve_vip(struct conf_parser *p, const struct conf_instance *instance, struct conf_vip *vip)
{
	bool wanted = instance->use_vmac_addr || vip->use_vmac;
	bool own = instance->use_vmac && vip->interface == instance->interface;
	uint8_t mac[6];
	uint32_t vmac;

	if (own && (vip->ip.family == instance->family || !wanted)) {
		vip->interface = instance->vmac;
		return;
	}
	if (!wanted)
		return;
	virtual_mac(mac, vip->ip.family, instance->vrid);
	vmac = need_vmac(p, vip->interface, instance, vip->ip.family, mac, NULL,
			 p->conf->vmac_addr_prefix ? p->conf->vmac_addr_prefix
						   : p->conf->vmac_prefix);
	if (vmac != CONF_NONE)
		vip->interface = vmac;
}

void
resolve_vmacs(struct conf_parser *p)
{
	struct conf *conf = p->conf;

	for (size_t i = 0; i < conf->instances_n; i++)
		if (conf->instances[i].use_vmac && conf->instances[i].interface != CONF_NONE)
			resolve_own(p, &conf->instances[i], &p->instances[i]);
	for (size_t i = 0; i < conf->instances_n; i++)
		for (size_t v = 0; v < conf->instances[i].vips_n; v++)
			if (conf->instances[i].vips[v].interface != CONF_NONE)
				resolve_vip(p, &conf->instances[i], &conf->instances[i].vips[v]);
}

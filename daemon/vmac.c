/*
 * vmac.c - see vmac.h.  Runs on the guardian's loop.
 *
 * A macvlan in bridge mode: a frame of the other node's, from the very same MAC, then reaches the
 * base, where advertisements are received (in private mode, keepalived's, the kernel would give it to
 * the macvlan alone).  So the macvlan needs to join no group, and a backup never sends a frame from
 * the virtual MAC, which would draw the switches' attention away from the master.
 *
 * Which interface speaks for which address is the other half.  Both see each broadcast: arp_ignore
 * makes each answer for its own addresses only, arp_announce ask for itself only; a VIP without a network of its own
 * passes no reverse path filter; IPv6 must not make up a link-local address of the virtual MAC.
 */
#include "daemon/vmac.h"

#include "common/log.h"
#include "daemon/estate.h"
#include "daemon/sysctl.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/macvlan.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_interface *
interface_of(const struct vmacs *vmacs, uint32_t interface)
{
	return &vmacs->conf->interfaces[interface];
}

/* ---- settings ---- */

struct setting {
	const char *family, *name;
	int value;
};

static void
apply(const char *interface, const struct setting *settings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = sysctl_set(settings[i].family, interface, settings[i].name,
				   settings[i].value);

		if (r < 0 && r != -ENOENT) /* a kernel without IPv6 */
			log_warning("net.%s.conf.%s.%s cannot be set to %d: %s", settings[i].family,
				    interface, settings[i].name, settings[i].value, strerror(-r));
	}
}

static void
configure(const char *name)
{
	static const struct setting settings[] = {
		{ "ipv4", "arp_ignore", 1 }, { "ipv4", "accept_local", 1 },
		{ "ipv4", "rp_filter", 0 },  { "ipv4", "promote_secondaries", 1 },
		{ "ipv6", "accept_ra", 0 },  { "ipv6", "autoconf", 0 },
		{ "ipv6", "accept_dad", 0 },
	};
	int all = 0;

	apply(name, settings, sizeof settings / sizeof *settings);
	sysctl_get("ipv4", "all", "rp_filter", &all);
	if (all == 1)
		log_warning("net.ipv4.conf.all.rp_filter is 1, which holds for %s, too: the kernel "
			    "will drop what is sent to its addresses (set it to 0 or 2)",
			    name);
}

/* On an interface that has a virtual one: answers for its own addresses only, and asks in no other
 * name, or the neighbours would learn the VIP at the MAC of the base. */
static const struct setting base_settings[VMAC_BASE_SETTINGS] = {
	{ "ipv4", "arp_ignore", 1 },
	{ "ipv4", "arp_filter", 1 },
	{ "ipv4", "arp_announce", 2 },
};

static void
prepare_base(struct vmacs *vmacs, uint32_t interface)
{
	const char *name = interface_of(vmacs, interface)->name;
	uint32_t ifindex = netwatch_link(vmacs->watch, interface)->ifindex;
	struct vmac_base *base = &vmacs->bases[interface];

	if (base->ifindex == ifindex)
		return;
	base->ifindex = ifindex;
	for (unsigned i = 0; i < VMAC_BASE_SETTINGS; i++)
		sysctl_get(base_settings[i].family, name, base_settings[i].name, &base->before[i]);
	apply(name, base_settings, VMAC_BASE_SETTINGS);
}

static void
restore_base(struct vmacs *vmacs, uint32_t interface)
{
	struct vmac_base *base = &vmacs->bases[interface];
	struct setting before[VMAC_BASE_SETTINGS];

	memcpy(before, base_settings, sizeof before);
	for (unsigned i = 0; i < VMAC_BASE_SETTINGS; i++)
		before[i].value = base->before[i];
	if (base->ifindex && netwatch_link(vmacs->watch, interface)->ifindex == base->ifindex)
		apply(interface_of(vmacs, interface)->name, before, VMAC_BASE_SETTINGS);
	base->ifindex = 0;
}

/* ---- links ---- */

static struct nl_addr *
mac_of(const struct conf_interface *vmac)
{
	return nl_addr_build(AF_LLC, vmac->mac, sizeof vmac->mac);
}

/* Is it what we would have made? */
static bool
is_ours(const struct conf_interface *vmac, uint32_t base, struct rtnl_link *link)
{
	struct nl_addr *mac = rtnl_link_get_addr(link);

	return rtnl_link_is_macvlan(link) && (uint32_t)rtnl_link_get_link(link) == base &&
	       rtnl_link_macvlan_get_mode(link) == MACVLAN_MODE_BRIDGE && mac &&
	       nl_addr_get_len(mac) == sizeof vmac->mac &&
	       memcmp(nl_addr_get_binary_addr(mac), vmac->mac, sizeof vmac->mac) == 0;
}

/* 0, or libnl's error. */
static int
add_link(struct vmacs *vmacs, const struct conf_interface *vmac, uint32_t base)
{
	struct rtnl_link *link = rtnl_link_macvlan_alloc();
	struct nl_addr *mac = mac_of(vmac);
	int r = -NLE_NOMEM;

	if (link && mac) {
		rtnl_link_set_name(link, vmac->name);
		rtnl_link_set_link(link, (int)base);
		rtnl_link_set_addr(link, mac);
		rtnl_link_macvlan_set_mode(link, MACVLAN_MODE_BRIDGE);
		r = rtnl_link_add(vmacs->netlink, link, NLM_F_CREATE | NLM_F_EXCL);
	}
	nl_addr_put(mac);
	rtnl_link_put(link);
	return r;
}

static int
change_link(struct vmacs *vmacs, const char *name, struct rtnl_link *change)
{
	struct rtnl_link *link = NULL;
	int r = rtnl_link_get_kernel(vmacs->netlink, 0, name, &link);

	if (r == 0)
		r = rtnl_link_change(vmacs->netlink, link, change, 0);
	rtnl_link_put(link);
	return r;
}

/* No address of its own first, then up. */
static int
raise_link(struct vmacs *vmacs, const char *name)
{
	struct rtnl_link *quiet = rtnl_link_alloc(), *up = rtnl_link_alloc();
	int r = -NLE_NOMEM;

	if (quiet && up) {
		rtnl_link_inet6_set_addr_gen_mode(quiet, IN6_ADDR_GEN_MODE_NONE);
		change_link(vmacs, name, quiet); /* fails without IPv6 */
		configure(name);
		rtnl_link_set_flags(up, IFF_UP);
		r = change_link(vmacs, name, up);
	}
	rtnl_link_put(quiet);
	rtnl_link_put(up);
	return r;
}

static void
remove_link(struct vmacs *vmacs, const char *name)
{
	struct rtnl_link *link = rtnl_link_alloc();

	/* Read from an estate, and with its base gone: there is nothing to remove. */
	if (link && vmacs->netlink) {
		rtnl_link_set_name(link, name);
		rtnl_link_delete(vmacs->netlink, link);
	}
	rtnl_link_put(link);
}

/* What stands in the way under its name; false if that is to stay. */
static bool
clear_name(struct vmacs *vmacs, uint32_t interface, uint32_t base, bool *usable)
{
	const struct conf_interface *vmac = interface_of(vmacs, interface);
	struct rtnl_link *link = NULL;
	bool cleared = true;

	*usable = false;
	if (rtnl_link_get_kernel(vmacs->netlink, 0, vmac->name, &link) < 0)
		return true;
	if (is_ours(vmac, base, link)) {
		*usable = true;
	} else if (rtnl_link_is_macvlan(link)) {
		log_notice("%s is left from an earlier program: it is made anew", vmac->name);
		remove_link(vmacs, vmac->name);
	} else {
		if (!vmacs->at[interface].refused)
			log_error("%s is no virtual interface, and in the way of one", vmac->name);
		vmacs->at[interface].refused = true;
		cleared = false;
	}
	rtnl_link_put(link);
	return cleared;
}

/* True if it was made or taken over. */
static bool
make(struct vmacs *vmacs, uint32_t interface)
{
	const struct conf_interface *vmac = interface_of(vmacs, interface);
	uint32_t base = netwatch_link(vmacs->watch, vmac->base)->ifindex;
	bool usable;
	int r = 0;

	if (!clear_name(vmacs, interface, base, &usable))
		return false;
	prepare_base(vmacs, vmac->base);
	if (!usable)
		r = add_link(vmacs, vmac, base);
	if (r == 0)
		r = raise_link(vmacs, vmac->name);
	if (r < 0) {
		log_error("cannot make the virtual interface %s on %s: %s", vmac->name,
			  interface_of(vmacs, vmac->base)->name, nl_geterror(r));
		return false;
	}
	log_info("made the virtual interface %s on %s", vmac->name,
		 interface_of(vmacs, vmac->base)->name);
	vmacs->at[interface] = (struct vmac){ .ours = true };
	return true;
}

bool
vmacs_refresh(struct vmacs *vmacs)
{
	bool any = false;

	for (uint32_t i = 0; i < vmacs->conf->interfaces_n; i++) {
		const struct conf_interface *interface = interface_of(vmacs, i);

		if (!interface->vmac || !netwatch_link(vmacs->watch, interface->base)->present)
			continue;
		if (!netwatch_link(vmacs->watch, i)->present || !vmacs->at[i].ours)
			any |= make(vmacs, i);
	}
	return any;
}

/* ---- beginning and end ---- */

int
vmacs_init(struct vmacs *vmacs, const struct conf *conf, const struct netwatch *watch)
{
	*vmacs = (struct vmacs){
		.conf = conf,
		.watch = watch,
		.netlink = nl_socket_alloc(),
		.at = calloc(conf->interfaces_n + 1, sizeof *vmacs->at),
		.bases = calloc(conf->interfaces_n + 1, sizeof *vmacs->bases),
	};
	if (!vmacs->netlink || !vmacs->at || !vmacs->bases)
		return -ENOMEM;
	if (nl_connect(vmacs->netlink, NETLINK_ROUTE) < 0)
		return -EIO;
	vmacs_refresh(vmacs);
	return 0;
}

void
vmacs_hand_over(struct vmacs *vmacs, struct vmacs *successor)
{
	for (uint32_t i = 0; i < vmacs->conf->interfaces_n; i++)
		for (uint32_t j = 0; j < successor->conf->interfaces_n; j++) {
			if (strcmp(interface_of(vmacs, i)->name, interface_of(successor, j)->name))
				continue;
			vmacs->at[i].ours &= !successor->at[j].ours;
			if (vmacs->bases[i].ifindex && successor->bases[j].ifindex) {
				successor->bases[j] = vmacs->bases[i];
				vmacs->bases[i].ifindex = 0;
			}
		}
}

void
vmacs_leave_to(struct vmacs *vmacs, const struct vmacs *other)
{
	for (uint32_t i = 0; i < vmacs->conf->interfaces_n; i++)
		for (uint32_t j = 0; j < other->conf->interfaces_n; j++) {
			if (strcmp(interface_of(vmacs, i)->name, interface_of(other, j)->name))
				continue;
			vmacs->at[i].ours &= !other->at[j].ours;
			if (other->bases[j].ifindex)
				vmacs->bases[i].ifindex = 0;
		}
}

void
vmacs_fini(struct vmacs *vmacs)
{
	for (uint32_t i = 0; vmacs->at && vmacs->bases && i < vmacs->conf->interfaces_n; i++) {
		if (vmacs->at[i].ours)
			remove_link(vmacs, interface_of(vmacs, i)->name);
		restore_base(vmacs, i);
	}
	nl_socket_free(vmacs->netlink);
	free(vmacs->at);
	free(vmacs->bases);
	*vmacs = (struct vmacs){ 0 };
}

void
vmacs_estate(struct vmacs *vmacs, const struct conf *conf, const struct netwatch *watch,
	     struct estate *e)
{
	estate_section(e, "virtual interfaces");
	if (!e->writing) {
		*vmacs = (struct vmacs){ .watch = watch };
		vmacs->at = calloc(conf->interfaces_n + 1, sizeof *vmacs->at);
		vmacs->bases = calloc(conf->interfaces_n + 1, sizeof *vmacs->bases);
		if (!vmacs->at || !vmacs->bases) {
			estate_fail(e, "out of memory");
			return;
		}
		vmacs->conf = conf;
	}
	estate_expect(e, conf->interfaces_n);
	for (size_t i = 0; i < conf->interfaces_n; i++) {
		estate_bool(e, &vmacs->at[i].ours);
		estate_bool(e, &vmacs->at[i].refused);
		estate_u32(e, &vmacs->bases[i].ifindex, INT32_MAX);
		for (unsigned k = 0; k < VMAC_BASE_SETTINGS; k++)
			estate_int(e, &vmacs->bases[i].before[k], INT_MIN, INT_MAX);
	}
}

/*
 * lease_kernel.c - see lease_kernel.h.  Runs on the guardian's loop.
 */
#include "daemon/lease_kernel.h"

#include "common/log.h"
#include "conf/behaviour.h"
#include "daemon/will.h"

#include <net/if.h>
#include <string.h>

static int
put(void *kernel, uint32_t instance, bool quiet)
{
	struct lease_kernel *k = kernel;
	int error;

	firewall_close(k->firewall, instance);
	error = quiet ? vip_renew(k->vips, instance) : vip_add(k->vips, instance);

	/* Their sources and routers may be reached only now. */
	paths_put(k->paths, instance);
	return error;
}

static int
take(void *kernel, uint32_t instance, size_t first, size_t n)
{
	struct lease_kernel *k = kernel;
	bool last = n >= k->conf->instances[instance].vips_n;
	int error;

	if (last)
		paths_take(k->paths, instance);
	error = vip_remove(k->vips, instance, first, n);
	if (last)
		firewall_open(k->firewall, instance);
	return error;
}

/* With its interface a VIP is gone for good: no one removed it, and there is nothing to put it on. */
static uint32_t
missing(void *kernel, uint32_t instance)
{
	const struct lease_kernel *k = kernel;
	const struct conf_instance *c = &k->conf->instances[instance];
	uint32_t missing_n = 0;

	for (uint32_t v = 0; v < c->vips_n; v++) {
		const struct netwatch_vip *vip = netwatch_vip(k->watch, instance, v);

		missing_n += !vip->present && !vip->native &&
			     netwatch_link(k->watch, c->vips[v].interface)->present;
	}
	return missing_n;
}

/* ---- addresses that must not be there ---- */

/* May this address be on the host?  Yes if an instance that holds it is claimed, or owns it. */
static bool
is_allowed(const struct lease_kernel *k, const struct leases *leases,
	   const struct netwatch_found *found)
{
	const struct netwatch_vip *v = netwatch_find(k->watch, &found->ip);
	const struct netwatch_vip *end = k->watch->vips + k->watch->vips_n;

	for (; v && v < end && ip_equal(&v->ip, &found->ip); v++)
		if (netwatch_is(k->watch, v, found) &&
		    (leases->at[v->instance].claimed || v->native))
			return true;
	return false;
}

static void
remove_stray(struct lease_kernel *k, const struct netwatch_found *found)
{
	char text[IP_STRLEN], interface[IF_NAMESIZE] = "?";
	const struct netwatch_vip *v = netwatch_find(k->watch, &found->ip);
	const char *name = k->conf->instances[v->instance].name;
	int error = vip_remove_found(k->vips, found);

	if_indextoname(found->ifindex, interface);
	if (error < 0)
		log_error("(%s) cannot remove %s/%u from %s: %s", name, ip_format(&found->ip, text),
			  found->prefix_len, interface, strerror(-error));
	else
		log_warning("(%s) removed %s/%u from %s: it is ours, and we are not MASTER", name,
			    ip_format(&found->ip, text), found->prefix_len, interface);
}

static void
sweep(void *kernel, const struct leases *leases)
{
	struct lease_kernel *k = kernel;

	for (size_t i = 0; i < k->watch->found_n; i++)
		if (!is_allowed(k, leases, &k->watch->found[i]))
			remove_stray(k, &k->watch->found[i]);
}

/* ---- what others are told ---- */

static void
announce(void *kernel, uint32_t instance, uint32_t rounds)
{
	struct lease_kernel *k = kernel;

	const struct conf_instance *c = &k->conf->instances[instance];

	announce_rounds(k->announcer, instance, rounds);
	solicit_peers(k->solicitor, c, mono_now());
	solicit_awaited(k->solicitor, c->interface, mono_now());
}

static void
join(void *kernel, uint32_t instance, bool join)
{
	struct lease_kernel *k = kernel;

	announce_hold(k->announcer, instance, join);
	announce_groups(k->announcer, &k->conf->instances[instance], join);
}

static size_t
resign(void *kernel, uint32_t instance)
{
	struct lease_kernel *k = kernel;
	const struct conf_instance *c = &k->conf->instances[instance];
	const struct netwatch_link *link = netwatch_link(k->watch, c->interface);
	const struct ip *source = &c->unicast_src;
	uint32_t xmit = conf_xmit(c);
	int fd = vrrp_socket(k->sockets, xmit, c->family)->fd;

	if (source->family == AF_UNSPEC)
		source = c->family == AF_INET6 ? &link->primary6 : &link->primary;
	if (fd < 0 || source->family == AF_UNSPEC)
		return 0;
	return will_send(k->conf, instance, fd, netwatch_link(k->watch, xmit)->ifindex, source,
			 k->ledger);
}

const struct lease_ops lease_kernel_ops = {
	.put = put,
	.take = take,
	.missing = missing,
	.sweep = sweep,
	.announce = announce,
	.join = join,
	.resign = resign,
};

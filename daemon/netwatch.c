/*
 * netwatch.c - see netwatch.h.  Runs on the guardian's loop.
 *
 * The one event that is told apart is the echo of a renewal: it comes for every VIP every half lease
 * and changes nothing.
 */
#include "daemon/netwatch.h"

#include "common/list.h"
#include "common/log.h"
#include "daemon/estate.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVE_BUFFER (4 * 1024 * 1024)
#define TURN_MAX       8192 /* datagrams looked at in one turn */

/* libnl's errors as errno, as near as matters here. */
static int
nl_errno(int r)
{
	switch (-r) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return -ENODEV;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AGAIN:
		return -EAGAIN;
	}
	return -EIO;
}

/* ---- the VIPs of the file, sorted by address ---- */

static int
compare_vips(const void *a, const void *b)
{
	const struct netwatch_vip *x = a, *y = b;
	int r = ip_cmp(&x->ip, &y->ip);

	if (r == 0)
		r = (x->instance > y->instance) - (x->instance < y->instance);
	return r ? r : (x->vip > y->vip) - (x->vip < y->vip);
}

static int
index_vips(struct netwatch *watch)
{
	const struct conf *conf = watch->conf;
	size_t n = 0;

	for (size_t i = 0; i < conf->instances_n; i++)
		n += conf->instances[i].vips_n;
	watch->vips = calloc(n + 1, sizeof *watch->vips);
	if (!watch->vips)
		return -ENOMEM;
	for (uint32_t i = 0; i < conf->instances_n; i++)
		for (uint32_t v = 0; v < conf->instances[i].vips_n; v++)
			watch->vips[watch->vips_n++] = (struct netwatch_vip){
				.ip = conf->instances[i].vips[v].ip,
				.instance = i,
				.vip = v,
			};
	qsort(watch->vips, watch->vips_n, sizeof *watch->vips, compare_vips);
	return 0;
}

struct netwatch_vip *
netwatch_find(const struct netwatch *watch, const struct ip *ip)
{
	size_t low = 0, high = watch->vips_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ip_cmp(&watch->vips[middle].ip, ip) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < watch->vips_n && ip_equal(&watch->vips[low].ip, ip))
		return &watch->vips[low];
	return NULL;
}

static bool
is_last(const struct netwatch *watch, const struct netwatch_vip *v)
{
	return v == watch->vips + watch->vips_n;
}

static const struct conf_vip *
conf_of(const struct netwatch *watch, const struct netwatch_vip *v)
{
	return &watch->conf->instances[v->instance].vips[v->vip];
}

/* Is an address (ifindex, prefix_len) the place that the file gives this VIP? */
static bool
in_place(const struct netwatch *watch, const struct netwatch_vip *v, uint32_t ifindex,
	 uint8_t prefix_len)
{
	const struct conf_vip *cv = conf_of(watch, v);

	return cv->prefix_len == prefix_len && watch->links[cv->interface].present &&
	       watch->links[cv->interface].ifindex == ifindex;
}

bool
netwatch_is(const struct netwatch *watch, const struct netwatch_vip *vip,
	    const struct netwatch_found *found)
{
	const struct netwatch_link *link = &watch->links[conf_of(watch, vip)->interface];

	if (!ip_equal(&vip->ip, &found->ip))
		return false;
	return !ip_is_link_local(&found->ip) || (link->present && link->ifindex == found->ifindex);
}

/* The first VIP that an address belongs to, or NULL. */
static struct netwatch_vip *
find_of(const struct netwatch *watch, const struct netwatch_found *f)
{
	struct netwatch_vip *v = netwatch_find(watch, &f->ip);

	for (; v && !is_last(watch, v) && ip_equal(&v->ip, &f->ip); v++)
		if (netwatch_is(watch, v, f))
			return v;
	return NULL;
}

const struct netwatch_vip *
netwatch_vip(const struct netwatch *watch, uint32_t instance, uint32_t vip)
{
	const struct netwatch_vip *v =
		netwatch_find(watch, &watch->conf->instances[instance].vips[vip].ip);

	while (v->instance != instance || v->vip != vip)
		v++;
	return v;
}

/* ---- reading the state ---- */

static int
read_link(struct netwatch *watch, uint32_t interface)
{
	struct netwatch_link *link = &watch->links[interface];
	struct rtnl_link *l = NULL;
	struct nl_addr *mac;
	unsigned flags;
	int r = rtnl_link_get_kernel(watch->query, 0, watch->conf->interfaces[interface].name, &l);

	if (r < 0 && nl_errno(r) != -ENODEV)
		return nl_errno(r);
	*link = (struct netwatch_link){ 0 };
	if (r < 0)
		return 0;
	flags = rtnl_link_get_flags(l);
	link->present = true;
	link->up = (flags & IFF_UP) && (flags & IFF_RUNNING);
	link->ifindex = (uint32_t)rtnl_link_get_ifindex(l);
	link->mtu = rtnl_link_get_mtu(l);
	mac = rtnl_link_get_addr(l);
	if (mac && nl_addr_get_len(mac) == sizeof link->mac) {
		memcpy(link->mac, nl_addr_get_binary_addr(mac), sizeof link->mac);
		link->arp = rtnl_link_get_arptype(l) == ARPHRD_ETHER && !(flags & IFF_NOARP);
	}
	rtnl_link_put(l);
	return 0;
}

static int
add_found(struct netwatch *watch, const struct netwatch_found *f)
{
	if (watch->found_n == watch->found_size) {
		size_t size = watch->found_size ? watch->found_size * 2 : 64;
		void *more = realloc(watch->found, size * sizeof *watch->found);

		if (!more)
			return -ENOMEM;
		watch->found = more;
		watch->found_size = size;
	}
	watch->found[watch->found_n++] = *f;
	return 0;
}

static void
note_primary(struct netwatch *watch, const struct netwatch_found *f)
{
	if (f->ip.family == AF_INET6 && !ip_is_link_local(&f->ip))
		return;
	for (size_t i = 0; i < watch->conf->interfaces_n; i++) {
		struct netwatch_link *link = &watch->links[i];
		struct ip *primary = f->ip.family == AF_INET6 ? &link->primary6 : &link->primary;

		if (link->present && link->ifindex == f->ifindex && primary->family == AF_UNSPEC)
			*primary = f->ip;
	}
}

/* Advertisements cannot leave from an address that this host does not have. */
static void
expect_sources(struct netwatch *watch)
{
	for (size_t i = 0; i < watch->conf->instances_n; i++) {
		const struct conf_instance *c = &watch->conf->instances[i];

		if (c->unicast_src.family != AF_UNSPEC)
			watch->links[c->interface].sources_lost |=
				conf_instance_bit(watch->conf, c);
	}
}

static void
note_source(struct netwatch *watch, const struct ip *ip)
{
	for (size_t i = 0; i < watch->conf->instances_n; i++) {
		const struct conf_instance *c = &watch->conf->instances[i];

		if (ip_equal(&c->unicast_src, ip))
			watch->links[c->interface].sources_lost &=
				~conf_instance_bit(watch->conf, c);
	}
}

static int
note_address(struct netwatch *watch, const struct netwatch_found *f)
{
	struct netwatch_vip *v = find_of(watch, f);
	bool is_vip = v, own = !v;

	for (; v && !is_last(watch, v) && ip_equal(&v->ip, &f->ip); v++) {
		own |= v->native;
		if (in_place(watch, v, f->ifindex, f->prefix_len) &&
		    ip_equal(&conf_of(watch, v)->peer, &f->peer))
			v->present = true;
	}
	if (own && f->usable)
		note_primary(watch, f);
	note_source(watch, &f->ip);
	return is_vip ? add_found(watch, f) : 0;
}

/* False for what is neither IPv4 nor IPv6. */
static bool
ip_from_libnl(const struct nl_addr *address, struct ip *ip)
{
	ip->family = (uint8_t)nl_addr_get_family(address);
	if ((ip->family != AF_INET && ip->family != AF_INET6) ||
	    nl_addr_get_len(address) != ip_len(ip))
		return false;
	memcpy(ip->bytes, nl_addr_get_binary_addr(address), ip_len(ip));
	return true;
}

/* The address as ours; false as above. */
static bool
from_libnl(struct rtnl_addr *a, struct netwatch_found *f)
{
	const struct nl_addr *local = rtnl_addr_get_local(a), *peer = rtnl_addr_get_peer(a);

	*f = (struct netwatch_found){
		.ifindex = (uint32_t)rtnl_addr_get_ifindex(a),
		.prefix_len = (uint8_t)rtnl_addr_get_prefixlen(a),
		.usable = !(rtnl_addr_get_flags(a) & (IFA_F_TENTATIVE | IFA_F_DADFAILED)),
		.lifetime_s = rtnl_addr_get_valid_lifetime(a),
	};
	return local && ip_from_libnl(local, &f->ip) && (!peer || ip_from_libnl(peer, &f->peer));
}

static int
read_addresses(struct netwatch *watch)
{
	struct nl_cache *cache = NULL;
	int r = rtnl_addr_alloc_cache(watch->query, &cache);

	if (r < 0)
		return nl_errno(r);
	watch->found_n = 0;
	for (size_t i = 0; i < watch->vips_n; i++)
		watch->vips[i].present = false;
	expect_sources(watch);
	for (struct nl_object *o = nl_cache_get_first(cache); o && r == 0;
	     o = nl_cache_get_next(o)) {
		struct netwatch_found f;

		if (from_libnl((struct rtnl_addr *)o, &f))
			r = note_address(watch, &f);
	}
	nl_cache_free(cache);
	return r;
}

int
netwatch_sync(struct netwatch *watch)
{
	int r = 0;

	for (uint32_t i = 0; i < watch->conf->interfaces_n && r == 0; i++)
		r = read_link(watch, i);
	if (r == 0)
		r = read_addresses(watch);
	watch->dirty = r < 0;
	return r;
}

/* ---- events ---- */

static bool
is_ours(const struct netwatch *watch, uint32_t ifindex)
{
	for (size_t i = 0; i < watch->conf->interfaces_n; i++)
		if (watch->links[i].present && watch->links[i].ifindex == ifindex)
			return true;
	return false;
}

static bool
concerns_link(const struct netwatch *watch, struct nlmsghdr *nlh)
{
	struct nlattr *name = nlmsg_find_attr(nlh, sizeof(struct ifinfomsg), IFLA_IFNAME);
	const struct ifinfomsg *ifi = nlmsg_data(nlh);

	if (is_ours(watch, (uint32_t)ifi->ifi_index))
		return true;
	for (size_t i = 0; name && i < watch->conf->interfaces_n; i++)
		if (nla_strcmp(name, watch->conf->interfaces[i].name) == 0)
			return true;
	return false;
}

/* The echo of a renewal: a VIP that was there, and is. */
static bool
is_renewal(const struct netwatch *watch, const struct netwatch_vip *v, struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = nlmsg_data(nlh);
	const struct ip *ip = &v->ip;

	if (nlh->nlmsg_type != RTM_NEWADDR)
		return false;
	for (; !is_last(watch, v) && ip_equal(&v->ip, ip); v++)
		if (v->present && in_place(watch, v, ifa->ifa_index, ifa->ifa_prefixlen))
			return true;
	return false;
}

static bool
concerns_address(const struct netwatch *watch, struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = nlmsg_data(nlh);
	struct nlattr *local = nlmsg_find_attr(nlh, sizeof *ifa, IFA_LOCAL);
	const struct netwatch_vip *v;
	struct ip ip = { .family = ifa->ifa_family };

	if (!local)
		local = nlmsg_find_attr(nlh, sizeof *ifa, IFA_ADDRESS);
	if (!local || (ip.family != AF_INET && ip.family != AF_INET6) ||
	    nla_len(local) < (int)ip_len(&ip))
		return false;
	memcpy(ip.bytes, nla_data(local), ip_len(&ip));
	v = netwatch_find(watch, &ip);
	if (v && is_renewal(watch, v, nlh))
		return false;
	return is_ours(watch, ifa->ifa_index) || (v && !ip_is_link_local(&ip));
}

static int
on_event(struct nl_msg *msg, void *arg)
{
	struct netwatch *watch = arg;
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	if (watch->dirty)
		return NL_OK;
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		watch->dirty = nlmsg_datalen(nlh) >= (int)sizeof(struct ifinfomsg) &&
			       concerns_link(watch, nlh);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		watch->dirty = nlmsg_datalen(nlh) >= (int)sizeof(struct ifaddrmsg) &&
			       concerns_address(watch, nlh);
		break;
	}
	return NL_OK;
}

static void
on_ready(struct loop_fd *lf, uint32_t events)
{
	struct netwatch *watch = CONTAINER_OF(lf, struct netwatch, ready);
	int r = 0;

	for (unsigned i = 0; i < TURN_MAX && r >= 0; i++)
		r = nl_recvmsgs_default(watch->events);
	if (r < 0 && r != -NLE_AGAIN) {
		/* Above all an overrun of the queue: what was lost is unknown. */
		log_notice("events about links and addresses were lost (%s): reading everything "
			   "anew",
			   r == -NLE_NOMEM ? "the queue overran" : nl_geterror(r));
		watch->dirty = true;
	}
	if (!watch->dirty)
		return;
	r = netwatch_sync(watch);
	if (r < 0)
		log_error("cannot read links and addresses: %s", strerror(-r));
	else
		watch->on_change(watch->ctx);
}

/* ---- life ---- */

static int
subscribe(struct netwatch *watch)
{
	int size = RECEIVE_BUFFER, fd, r;

	nl_socket_disable_seq_check(watch->events);
	nl_socket_modify_cb(watch->events, NL_CB_VALID, NL_CB_CUSTOM, on_event, watch);
	r = nl_connect(watch->events, NETLINK_ROUTE);
	if (r == 0)
		r = nl_socket_add_memberships(watch->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
					      RTNLGRP_IPV6_IFADDR, 0);
	if (r == 0)
		r = nl_socket_set_nonblocking(watch->events);
	if (r < 0)
		return nl_errno(r);
	fd = nl_socket_get_fd(watch->events);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	watch->ready.fd = fd;
	watch->ready.ready = on_ready;
	return loop_add(watch->loop, &watch->ready, EPOLLIN);
}

/*
 * An owner's VIPs are its own addresses by definition (RFC 9568 section 1.7): those that are there
 * when we come stay when we go.  But not what ends within a lease: that one a predecessor left, and
 * nobody else renews it.
 */
static bool
mark_native(struct netwatch *watch, const struct netwatch *from)
{
	bool any = false;

	for (size_t i = 0; i < watch->found_n; i++) {
		const struct netwatch_found *f = &watch->found[i];

		for (struct netwatch_vip *v = netwatch_find(watch, &f->ip);
		     !is_last(watch, v) && ip_equal(&v->ip, &f->ip); v++) {
			const struct conf_instance *c = &watch->conf->instances[v->instance];

			if (netwatch_is(watch, v, f))
				v->native =
					c->priority == 255 &&
					(from && netwatch_find(from, &f->ip)
						 ? netwatch_is_native(from, &f->ip)
						 : f->lifetime_s > conf_lease_s(watch->conf, c));
			any |= v->native;
		}
	}
	return any;
}

bool
netwatch_is_native(const struct netwatch *watch, const struct ip *ip)
{
	const struct netwatch_vip *v = netwatch_find(watch, ip);

	for (; v && !is_last(watch, v) && ip_equal(&v->ip, ip); v++)
		if (v->native)
			return true;
	return false;
}

int
netwatch_init(struct netwatch *watch, struct loop *loop, const struct conf *conf,
	      const struct netwatch *from, void (*on_change)(void *ctx), void *ctx)
{
	int r;

	*watch = (struct netwatch){
		.conf = conf,
		.loop = loop,
		.ready = { .fd = -1 },
		.on_change = on_change,
		.ctx = ctx,
	};
	watch->links = calloc(conf->interfaces_n + 1, sizeof *watch->links);
	watch->events = nl_socket_alloc();
	watch->query = nl_socket_alloc();
	r = watch->links && watch->events && watch->query ? index_vips(watch) : -ENOMEM;
	if (r == 0)
		r = nl_connect(watch->query, NETLINK_ROUTE) < 0 ? -EIO : subscribe(watch);
	if (r == 0)
		r = netwatch_sync(watch);
	/* Once more: they may be the only addresses of their interface. */
	if (r == 0 && mark_native(watch, from))
		r = netwatch_sync(watch);
	if (r < 0)
		netwatch_fini(watch);
	return r;
}

void
netwatch_fini(struct netwatch *watch)
{
	if (watch->loop)
		loop_remove(watch->loop, &watch->ready);
	nl_socket_free(watch->events);
	nl_socket_free(watch->query);
	free(watch->links);
	free(watch->vips);
	free(watch->found);
	*watch = (struct netwatch){ .ready = { .fd = -1 } };
}

void
netwatch_estate(struct netwatch *watch, const struct conf *conf, struct estate *e)
{
	estate_section(e, "addresses");
	if (!e->writing) {
		*watch = (struct netwatch){ .conf = conf, .ready = { .fd = -1 } };
		watch->links = calloc(conf->interfaces_n + 1, sizeof *watch->links);
		if (!watch->links || index_vips(watch) < 0)
			estate_fail(e, "out of memory");
	}
	estate_expect(e, watch->vips_n);
	for (size_t i = 0; i < watch->vips_n; i++)
		estate_bool(e, &watch->vips[i].native);
}

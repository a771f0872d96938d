/*
 * resolve_vip.c - the lists of virtual addresses: their order, how many are advertised, and how long
 * their leases are.
 */
#include "conf/parser.h"

/* Their count is one octet (RFC 9568 section 5.2.5); of IPv6 addresses a packet of 1,500 octets
 * holds fewer. */
static size_t
vips_max(const struct conf_instance *instance)
{
	if (instance->family != AF_INET6)
		return CONF_ADVERTISED_MAX;
	return instance->hmac ? CONF_ADVERTISED6_SIGNED_MAX : CONF_ADVERTISED6_MAX;
}

/* The order in which VIPs are kept: RFC 9568 section 5.2.9 wants the link-local address first. */
enum { RANK_LINK_LOCAL, RANK_ADVERTISED, RANK_EXCLUDED, RANK_N };

static int
rank_of(const struct conf_vip *vip)
{
	if (vip->excluded)
		return RANK_EXCLUDED;
	return ip_is_link_local(&vip->ip) ? RANK_LINK_LOCAL : RANK_ADVERTISED;
}

/* Advertised addresses first, and no more of them than an advertisement holds. */
void
resolve_vips(struct conf_parser *p, struct conf_instance *instance)
{
	struct conf_vip *vips =
		arena_alloc(p->arena, (instance->vips_n + 1) * sizeof *instance->vips);
	size_t advertised = 0, n = 0;

	for (size_t i = 0; i < instance->vips_n; i++) {
		struct conf_vip *vip = &instance->vips[i];

		if (vip->interface == CONF_NONE)
			vip->interface = instance->interface;
		if (vip->excluded)
			continue;
		if (++advertised == vips_max(instance) + 1)
			conf_notice(
				&p->reporter, vip->pos,
				"an advertisement has room for %zu addresses: from here on they "
				"count as virtual_ipaddress_excluded",
				vips_max(instance));
		vip->excluded = advertised > vips_max(instance);
	}
	for (int rank = 0; rank < RANK_N; rank++)
		for (size_t i = 0; i < instance->vips_n; i++)
			if (rank_of(&instance->vips[i]) == rank)
				vips[n++] = instance->vips[i];
	instance->vips = vips;
}

/*
 * To renew an IPv6 address costs the kernel up to 0.3 ms, an IPv4 address a few microseconds.
 * Where this node may come to hold many, their leases are longer, in proportion: renewal then takes
 * less than one percent of a core.
 */
#define LEASE6_VIPS 64 /* so many for each LEASE6_S seconds */
#define LEASE6_S    4

static size_t
count_vips6(const struct conf_instance *instance)
{
	size_t n = 0;

	for (size_t i = 0; i < instance->vips_n; i++)
		n += instance->vips[i].ip.family == AF_INET6;
	return n;
}

void
resolve_leases(struct conf_parser *p)
{
	struct conf *conf = p->conf;
	size_t n = 0;
	uint32_t lease_s;
	const struct conf_pos *pos;

	for (size_t i = 0; i < conf->instances_n; i++)
		n += count_vips6(&conf->instances[i]);
	lease_s = (uint32_t)((n * LEASE6_S + LEASE6_VIPS - 1) / LEASE6_VIPS);
	if (n <= LEASE6_VIPS || conf->vip_lease_s == 0 || lease_s <= conf->vip_lease_s)
		return;
	for (size_t i = 0; i < conf->instances_n; i++)
		if (count_vips6(&conf->instances[i]) > 0)
			conf->instances[i].lease_s = lease_s;
	pos = parser_given(p, p->global_defs_given, "vip_lease");
	conf_notice(&p->reporter, pos ? *pos : conf->instances[0].pos,
		    "renewing %zu IPv6 addresses is work for the kernel: instances with such have "
		    "a lease of %u s",
		    n, lease_s);
}

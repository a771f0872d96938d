/*
 * resolve_paths.c - what routes, rules and static addresses mean: families, scopes, interfaces that
 * were not written; and what about them cannot be.
 */
#include "conf/parser.h"

#include <linux/fib_rules.h>
#include <net/if.h>
#include <string.h>

static const char *
family_name(uint8_t family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

/* "default" is of the route's family. */
static void
settle_prefix(struct conf_prefix *prefix, uint8_t family)
{
	if (prefix->ip.family == AF_UNSPEC)
		prefix->ip = (struct ip){ .family = family };
}

/* The kernel takes no destination with bits behind its prefix length. */
static void
clear_host_bits(struct conf_parser *p, struct conf_pos pos, struct conf_prefix *prefix)
{
	struct ip written = prefix->ip;
	char buf[IP_STRLEN], clear[IP_STRLEN];

	for (unsigned bit = prefix->len; bit < ip_len(&prefix->ip) * 8; bit++)
		prefix->ip.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	if (!ip_equal(&written, &prefix->ip))
		conf_warning(&p->reporter, pos, "%s/%u counts as %s/%u", ip_format(&written, buf),
			     prefix->len, ip_format(&prefix->ip, clear), prefix->len);
}

/* ------------------------------------------------------------------ routes */

static uint8_t
family_of_route(const struct conf_route *route)
{
	if (route->to.ip.family != AF_UNSPEC)
		return route->to.ip.family;
	if (route->family)
		return route->family;
	if (route->from.ip.family != AF_UNSPEC)
		return route->from.ip.family;
	if (route->source.family != AF_UNSPEC)
		return route->source.family;
	for (size_t i = 0; i < route->hops_n; i++)
		if (route->hops[i].via.family != AF_UNSPEC)
			return route->hops[i].via.family;
	return AF_INET;
}

static bool
goes_nowhere(const struct conf_route *route)
{
	return route->type == RTN_BLACKHOLE || route->type == RTN_UNREACHABLE ||
	       route->type == RTN_PROHIBIT || route->type == RTN_THROW;
}

/* As `ip route` has it; the kernel gives IPv6 routes none. */
static uint8_t
scope_of(const struct conf_route *route)
{
	bool routed = goes_nowhere(route);

	if (route->scope_given)
		return route->scope;
	for (size_t i = 0; i < route->hops_n; i++)
		routed |= route->hops[i].via.family != AF_UNSPEC;
	if (route->type == RTN_LOCAL)
		return RT_SCOPE_HOST;
	return routed || route->family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
}

/* `interface`: where a route without a way leads; CONF_NONE = there is no such. */
static void
resolve_hops(struct conf_parser *p, struct conf_route *route, uint32_t interface)
{
	if (route->hops_n > CONF_HOPS_MAX)
		conf_error(&p->reporter, route->pos, "a route has at most %d ways", CONF_HOPS_MAX);
	if (goes_nowhere(route) && route->hops_n > 0)
		conf_error(&p->reporter, route->pos,
			   "a route whose packets go nowhere has no `via` and no `dev`");
	if (goes_nowhere(route) || route->hops_n > 0)
		return;
	if (interface == CONF_NONE)
		conf_error(&p->reporter, route->pos, "a route needs `via` or `dev`");
	else
		*ARENA_PUSH(p->arena, route->hops, route->hops_n) =
			(struct conf_hop){ .interface = interface, .weight = 1 };
}

static void
check_route(struct conf_parser *p, const struct conf_route *route)
{
	bool same = route->to.ip.family == route->family;
	char buf[IP_STRLEN];

	if (route->from.ip.family != AF_UNSPEC && route->family == AF_INET)
		conf_error(&p->reporter, route->pos,
			   "`from` is possible in IPv6 routes only: for IPv4 write a rule");
	same &= route->from.ip.family == AF_UNSPEC || route->from.ip.family == route->family;
	same &= route->source.family == AF_UNSPEC || route->source.family == route->family;
	for (size_t i = 0; i < route->hops_n; i++) {
		const struct conf_hop *hop = &route->hops[i];

		same &= hop->via.family == AF_UNSPEC || hop->via.family == route->family;
		if (ip_is_link_local(&hop->via) && hop->interface == CONF_NONE)
			conf_error(&p->reporter, route->pos,
				   "%s is link-local: the route needs `dev`",
				   ip_format(&hop->via, buf));
		if (hop->via.family == AF_UNSPEC && hop->interface == CONF_NONE)
			conf_error(&p->reporter, route->pos, "a way needs `via` or `dev`");
	}
	if (!same)
		conf_error(&p->reporter, route->pos, "an %s route has %s addresses only",
			   family_name(route->family), family_name(route->family));
}

static void
resolve_route(struct conf_parser *p, struct conf_route *route, uint32_t interface)
{
	route->family = family_of_route(route);
	settle_prefix(&route->to, route->family);
	clear_host_bits(p, route->pos, &route->to);
	resolve_hops(p, route, interface);
	route->scope = scope_of(route);
	check_route(p, route);
}

/* ------------------------------------------------------------------ rules */

static void
check_interface(struct conf_parser *p, const struct conf_rule *rule, const char *name)
{
	if (name && (!*name || strlen(name) >= IFNAMSIZ))
		conf_error(&p->reporter, rule->pos,
			   "`%.60s` cannot be an interface: a name has 1 to 15 characters", name);
}

static void
resolve_rule(struct conf_parser *p, struct conf_rule *rule, bool stays)
{
	uint8_t family = rule->from.ip.family ? rule->from.ip.family : rule->to.ip.family;

	if (family)
		rule->family = family;
	else if (!rule->family)
		rule->family = AF_INET;
	if (rule->from.ip.family && rule->to.ip.family &&
	    rule->from.ip.family != rule->to.ip.family)
		conf_error(&p->reporter, rule->pos, "an %s rule has %s addresses only",
			   family_name(rule->family), family_name(rule->family));
	if (rule->l3mdev && rule->action == FR_ACT_UNSPEC)
		rule->action = FR_ACT_TO_TBL;
	else if (rule->action == FR_ACT_UNSPEC)
		conf_error(&p->reporter, rule->pos,
			   "a rule needs a `table`, or what else it does (goto, blackhole, "
			   "unreachable, prohibit, nop)");
	check_interface(p, rule, rule->iif);
	check_interface(p, rule, rule->oif);
	if (!rule->preference && !stays)
		conf_notice(&p->reporter, rule->pos,
			    "without a `preference` a rule comes before those there are: in which "
			    "order depends on who became master when");
}

/* ------------------------------------------------------------------ all of them */

static void
resolve_lists(struct conf_parser *p, struct conf_paths *paths, uint32_t interface)
{
	for (size_t i = 0; i < paths->routes_n; i++)
		resolve_route(p, &paths->routes[i], interface);
	for (size_t i = 0; i < paths->rules_n; i++)
		resolve_rule(p, &paths->rules[i], interface == CONF_NONE);
}

/* An address that stays cannot be one that moves. */
static void
check_static(struct conf_parser *p, const struct conf_vip *address)
{
	char buf[IP_STRLEN];
	size_t n;
	const struct conf_held *held = parser_held(p, &address->ip, &n);

	if (held)
		conf_error(&p->reporter, address->pos, "%s is a virtual address of `%.60s`, too",
			   ip_format(&address->ip, buf), p->conf->instances[held->instance].name);
}

void
resolve_paths(struct conf_parser *p)
{
	struct conf *conf = p->conf;
	const char *usual = conf->default_interface ? conf->default_interface : "eth0";

	for (size_t i = 0; i < conf->static_vips_n; i++) {
		struct conf_vip *address = &conf->static_vips[i];

		if (address->interface == CONF_NONE)
			address->interface = parser_interface(p, usual);
		check_static(p, address);
	}
	resolve_lists(p, &conf->static_paths, CONF_NONE);
	for (size_t i = 0; i < conf->instances_n; i++)
		resolve_lists(p, &conf->instances[i].paths, conf->instances[i].interface);
}

/*
 * check_vrrp.c - cross-checks of instances and scripts: what each directive alone cannot see.
 */
#include "conf/behaviour.h"
#include "conf/parser.h"
#include "conf/value.h"

#include <string.h>

static struct conf_pos
at(const struct conf_parser *p, size_t index, const char *name)
{
	const struct conf_pos *pos = parser_given(p, p->instances[index].given, name);

	return pos ? *pos : p->conf->instances[index].pos;
}

static bool
same_router(const struct conf_instance *a, const struct conf_instance *b)
{
	return a->interface == b->interface && a->vrid == b->vrid && a->family == b->family;
}

static bool
shares_peer(const struct conf *conf, const struct conf_instance *a, const struct conf_instance *b)
{
	/* Multicast reaches whoever is in the group; unicast only the peers named. */
	if (a->unicast_peers_n == 0 || b->unicast_peers_n == 0)
		return a->unicast_peers_n == b->unicast_peers_n &&
		       ip_equal(conf_group(conf, a), conf_group(conf, b));
	for (size_t i = 0; i < a->unicast_peers_n; i++)
		for (size_t j = 0; j < b->unicast_peers_n; j++)
			if (ip_equal(&a->unicast_peers[i].ip, &b->unicast_peers[j].ip))
				return true;
	return false;
}

static void
check_identity(struct conf_parser *p, size_t index)
{
	const struct conf_instance *instance = &p->conf->instances[index];
	const struct conf_name *first;
	struct conf_pos pos = at(p, index, "virtual_router_id");

	if (instance->interface == CONF_NONE &&
	    !parser_given(p, p->instances[index].given, "interface"))
		conf_error(&p->reporter, instance->pos, "vrrp_instance `%.60s` has no `interface`",
			   instance->name);
	if (instance->vrid == 0 && !parser_given(p, p->instances[index].given, "virtual_router_id"))
		conf_error(&p->reporter, instance->pos,
			   "vrrp_instance `%.60s` has no `virtual_router_id`", instance->name);
	if (instance->interface == CONF_NONE || instance->vrid == 0)
		return;
	/* RFC 9568 section 1.2: IPv4 and IPv6 are counted apart. */
	first = names_add(&p->names, NAME_VRID, instance->interface,
			  arena_printf(p->arena, "%u/%u", instance->vrid, instance->family),
			  (uint32_t)index, pos);
	/* There may be several already, of which none shares a peer with another. */
	for (size_t i = first ? first->index : index; i < index; i++) {
		const struct conf_instance *other = &p->conf->instances[i];

		if (!same_router(instance, other) || !shares_peer(p->conf, instance, other))
			continue;
		conf_error(&p->reporter, pos,
			   "virtual_router_id %u is taken on %s by vrrp_instance `%.60s` (%s)",
			   instance->vrid, p->conf->interfaces[instance->interface].name,
			   other->name,
			   conf_place(&p->reporter, pos, at(p, i, "virtual_router_id")));
		break;
	}
}

static const char *
family_name(uint8_t family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

/* An advertisement holds addresses of one family and travels in packets of the same. */
static void
check_family(struct conf_parser *p, size_t index)
{
	const struct conf_instance *instance = &p->conf->instances[index];
	const char *ours = family_name(instance->family);
	char buf[IP_STRLEN];

	for (size_t i = 0; i < instance->vips_n; i++) {
		const struct conf_vip *vip = &instance->vips[i];

		if (!vip->excluded && vip->ip.family != instance->family)
			conf_error(&p->reporter, vip->pos,
				   "an %s instance cannot advertise an %s address: write it in "
				   "`virtual_ipaddress_excluded`",
				   ours, family_name(vip->ip.family));
	}
	if (instance->family == AF_INET6 && instance->unicast_peers_n == 0 &&
	    instance->vips_n > 0 && !instance->vips[0].excluded &&
	    !ip_is_link_local(&instance->vips[0].ip))
		conf_notice(&p->reporter, instance->vips[0].pos,
			    "the first address of an IPv6 advertisement should be link-local (RFC "
			    "9568): routers other than keepalived and this one may insist");
	if (instance->unicast_src.family != AF_UNSPEC &&
	    instance->unicast_src.family != instance->family)
		conf_error(&p->reporter, at(p, index, "unicast_src_ip"),
			   "an %s instance needs an %s `unicast_src_ip`", ours, ours);
	for (size_t i = 0; i < instance->unicast_peers_n; i++) {
		const struct ip *peer = &instance->unicast_peers[i].ip;

		if (peer->family != instance->family)
			conf_error(&p->reporter, at(p, index, "unicast_peer"),
				   "an %s instance needs %s peers, not %s", ours, ours,
				   ip_format(peer, buf));
		else if (instance->unicast_src.family == AF_UNSPEC && peer->family == AF_INET6 &&
			 !ip_is_link_local(peer)) {
			conf_warning(&p->reporter, at(p, index, "unicast_peer"),
				     "without `unicast_src_ip` advertisements come from the "
				     "interface's link-local address, and a peer that expects "
				     "another refuses them");
			break;
		}
	}
}

/* With a prefix length the address brings its network along. */
static void
check_network(struct conf_parser *p, const struct conf_vip *vip)
{
	const char *name;
	char buf[IP_STRLEN];

	if (!p->options->is_foreign || vip->interface == CONF_NONE ||
	    vip->peer.family != AF_UNSPEC ||
	    vip->prefix_len != (vip->ip.family == AF_INET ? 32 : 128))
		return;
	name = p->conf->interfaces[conf_base(p->conf, vip->interface)].name;
	if (p->options->is_foreign(name, &vip->ip))
		conf_warning(&p->reporter, vip->pos,
			     "%s is in none of the networks of %s: nobody there will ask for it",
			     ip_format(&vip->ip, buf), name);
}

static void
check_addresses(struct conf_parser *p, size_t index)
{
	const struct conf_instance *instance = &p->conf->instances[index];
	char buf[IP_STRLEN];

	if (instance->vips_n == 0 && p->sound)
		conf_warning(&p->reporter, instance->pos,
			     "vrrp_instance `%.60s` has no virtual address", instance->name);
	for (size_t i = 0; i < instance->vips_n; i++) {
		const struct conf_vip *vip = &instance->vips[i];
		const struct conf_name *first =
			names_add(&p->names, NAME_VIP, vip->interface,
				  arena_strdup(p->arena, ip_format(&vip->ip, buf)), (uint32_t)index,
				  vip->pos);

		if (first)
			conf_warning(&p->reporter, vip->pos, "%s stands at %s already", buf,
				     conf_place(&p->reporter, vip->pos, first->pos));
		if (instance->unicast_src.family != AF_UNSPEC &&
		    ip_equal(&vip->ip, &instance->unicast_src))
			conf_error(&p->reporter, vip->pos,
				   "%s is the instance's `unicast_src_ip`, too: it would disappear "
				   "when the node is not master",
				   buf);
		check_network(p, vip);
		if (ip_is_any(&vip->ip) || ip_is_multicast(&vip->ip))
			conf_error(&p->reporter, vip->pos, "%s cannot be an interface's address",
				   buf);
	}
	for (size_t i = 0; p->options->is_local && i < instance->unicast_peers_n; i++)
		if (p->options->is_local(&instance->unicast_peers[i].ip))
			conf_warning(&p->reporter, at(p, index, "unicast_peer"),
				     "`unicast_peer` names %s, which is this host's own address",
				     ip_format(&instance->unicast_peers[i].ip, buf));
	if (instance->unicast_peers_n == 0 && p->sound && !p->instances[index].own_peer_told &&
	    parser_given(p, p->instances[index].given, "unicast_peer"))
		conf_warning(&p->reporter, at(p, index, "unicast_peer"),
			     "`unicast_peer` is empty: the instance uses multicast");
}

/* A weight that moves nothing, given what the protocol allows between 1 and 254. */
static bool
moves(uint8_t priority, int32_t weight)
{
	return weight < 0 ? priority > 1 : priority < 254;
}

/* What a file says has either sign, and may be a fault. */
static void
check_weights(struct conf_parser *p, const struct conf_instance *instance,
	      enum conf_track_kind kind)
{
	static const char *const what[CONF_TRACK_N] = {
		[CONF_TRACK_SCRIPT] = "script",
		[CONF_TRACK_INTERFACE] = "interface",
		[CONF_TRACK_PROCESS] = "process",
	};
	const struct conf_track_list *list = &instance->track[kind];

	for (size_t i = 0; what[kind] && i < list->n; i++) {
		const struct conf_track *track = &list->at[i];
		int32_t change = track->reverse ? -track->weight : track->weight;

		if (change && (instance->priority == 255 || !moves(instance->priority, change)))
			conf_warning(&p->reporter, track->pos,
				     "a weight of %d changes nothing at priority %u: this %s can "
				     "cause no fail-over",
				     track->weight, instance->priority, what[kind]);
	}
}

static void
check_priority(struct conf_parser *p, size_t index)
{
	const struct conf_instance *instance = &p->conf->instances[index];
	bool tracked = false;

	for (int kind = 0; kind < CONF_TRACK_N; kind++)
		check_weights(p, instance, (enum conf_track_kind)kind);
	for (size_t i = 0; i < instance->track_backends.n; i++) {
		const struct conf_track_backend *track = &instance->track_backends.at[i];

		if (track->weight &&
		    (instance->priority == 255 || !moves(instance->priority, track->weight)))
			conf_warning(&p->reporter, track->pos,
				     "a weight of %d changes nothing at priority %u: this backend "
				     "can cause no fail-over",
				     track->weight, instance->priority);
		tracked = tracked || track->weight == 0;
	}
	if (tracked && instance->priority == 255)
		conf_warning(&p->reporter, at(p, index, "priority"),
			     "the owner of the addresses (priority 255) never steps back: losing "
			     "all servers causes no fail-over");
	else if (tracked && instance->priority <= 16)
		conf_warning(&p->reporter, at(p, index, "priority"),
			     "priority %u is within the range that a node without usable servers "
			     "falls to (up to 16): such a peer might win; use more than 16 on both",
			     instance->priority);
}

/* A backup that is cut off must not take the silence for a dead master (vrrpd/link.c). */
static void
check_link_delays(struct conf_parser *p, size_t index)
{
	const struct conf_instance *instance = &p->conf->instances[index];
	uint32_t most_ms = (conf_down_adverts(instance) - 1) * 10 * instance->advert_int_cs;
	const struct conf_interface *interface;
	char buf[VALUE_STRLEN];

	if (instance->interface == CONF_NONE)
		return;
	interface = &p->conf->interfaces[instance->interface];
	if (interface->down_delay_ms >= most_ms || interface->up_delay_ms >= most_ms)
		conf_warning(&p->reporter, at(p, index, "interface"),
			     "`interface_up_down_delays` of %s count as less than %s s: else this "
			     "instance would become master before it has noticed its own link",
			     interface->name, value_format_seconds(most_ms, buf));
}

static void
check_behaviour(struct conf_parser *p, size_t index)
{
	const struct conf *conf = p->conf;
	const struct conf_instance *instance = &conf->instances[index];
	struct conf_range given = p->instances[index].given;
	uint32_t down_ms = conf_down_adverts(instance) * 10 * instance->advert_int_cs;

	if (instance->nopreempt != CONF_PREEMPT && instance->state == CONF_STATE_MASTER &&
	    instance->priority != 255)
		conf_warning(&p->reporter, at(p, index, "nopreempt"),
			     "keepalived drops `nopreempt` beside `state MASTER`; here it holds: "
			     "write `state BACKUP` on both nodes");
	if (instance->nopreempt != CONF_PREEMPT && instance->priority == 255)
		conf_warning(&p->reporter, at(p, index, "nopreempt"),
			     "the owner of the addresses (priority 255) always preempts");
	if (instance->nopreempt != CONF_PREEMPT && instance->preempt_delay_ms)
		conf_warning(&p->reporter, at(p, index, "preempt_delay"),
			     "`preempt_delay` has no effect beside `nopreempt`");
	if (parser_given(p, given, "auth_pass") && !parser_given(p, given, "auth_type"))
		conf_warning(&p->reporter, at(p, index, "auth_pass"),
			     "`auth_pass` without `auth_type PASS`: there is no authentication");
	if (conf->watchdog_ms >= down_ms && down_ms >= 30)
		conf_warning(
			&p->reporter, at(p, index, "advert_int"),
			"peers give up after %u ms, before the watchdog (%u ms) notices a hung "
			"worker: set `watchdog` below that in global_defs",
			down_ms, conf->watchdog_ms);
}

static void
check_scripts(struct conf_parser *p)
{
	const struct conf *conf = p->conf;
	bool *used = arena_alloc(p->arena, conf->scripts_n + 1);

	for (size_t i = 0; i < conf->instances_n; i++) {
		const struct conf_track_list *list = &conf->instances[i].track[CONF_TRACK_SCRIPT];

		for (size_t j = 0; j < list->n; j++)
			if (list->at[j].index != CONF_NONE)
				used[list->at[j].index] = true;
	}
	for (size_t i = 0; i < conf->scripts_n; i++) {
		if (!used[i] && p->sound)
			conf_warning(&p->reporter, conf->scripts[i].pos,
				     "no instance tracks vrrp_script `%.60s`: it does not run",
				     conf->scripts[i].name);
	}
}

/* A program that reads a FIFO needs one. */
static void
check_fifo(struct conf_parser *p, const struct conf_fifo *fifo, const char *word)
{
	const struct conf_pos *pos = parser_given(p, p->global_defs_given, word);

	if (pos && fifo->script.line && !fifo->path)
		conf_warning(&p->reporter, *pos, "`%s` without its FIFO does not run", word);
}

static void
check_fifos(struct conf_parser *p)
{
	const struct conf *conf = p->conf;
	const char *a = conf->notify_fifo.path, *b = conf->vrrp_notify_fifo.path;
	const struct conf_pos *pos = parser_given(p, p->global_defs_given, "vrrp_notify_fifo");

	check_fifo(p, &conf->notify_fifo, "notify_fifo_script");
	check_fifo(p, &conf->vrrp_notify_fifo, "vrrp_notify_fifo_script");
	if (pos && a && b && strcmp(a, b) == 0)
		conf_error(&p->reporter, *pos, "`notify_fifo` is the same FIFO");
}

static bool
is_group(const struct ip *ip)
{
	return ip->family == AF_INET6 ? IN6_IS_ADDR_MC_LINKLOCAL(&ip->v6) : ip_is_multicast(ip);
}

static void
check_groups(struct conf_parser *p)
{
	const struct ip *group4 = &p->conf->mcast_group4, *group6 = &p->conf->mcast_group6;
	const struct conf_pos *pos4 = parser_given(p, p->global_defs_given, "vrrp_mcast_group4");
	const struct conf_pos *pos6 = parser_given(p, p->global_defs_given, "vrrp_mcast_group6");

	if (pos4 && (group4->family != AF_INET || !is_group(group4)))
		conf_error(&p->reporter, *pos4,
			   "`vrrp_mcast_group4` needs an IPv4 multicast address");
	if (pos6 && (group6->family != AF_INET6 || !is_group(group6)))
		conf_error(&p->reporter, *pos6,
			   "`vrrp_mcast_group6` needs a link-local IPv6 multicast address, such as "
			   "ff02::12");
}

static void
check_own_group(struct conf_parser *p, size_t index)
{
	const struct conf_instance *instance = &p->conf->instances[index];
	const struct ip *group = &instance->mcast_group;

	if (group->family == AF_UNSPEC)
		return;
	if (group->family != instance->family || !is_group(group))
		conf_error(&p->reporter, at(p, index, "mcast_dst_ip"),
			   "an %s instance needs %s multicast address as its `mcast_dst_ip`",
			   family_name(instance->family),
			   instance->family == AF_INET6 ? "a link-local IPv6" : "an IPv4");
	else if (instance->unicast_peers_n > 0)
		conf_warning(&p->reporter, at(p, index, "mcast_dst_ip"),
			     "`mcast_dst_ip` has no effect beside `unicast_peer`");
}

void
check_vrrp(struct conf_parser *p)
{
	check_groups(p);
	check_fifos(p);
	for (size_t i = 0; i < p->conf->instances_n; i++) {
		check_identity(p, i);
		check_family(p, i);
		check_own_group(p, i);
		check_addresses(p, i);
		check_priority(p, i);
		check_link_delays(p, i);
		check_behaviour(p, i);
	}
	check_scripts(p);
}

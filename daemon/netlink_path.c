/*
 * netlink_path.c - see netlink_path.h.  Runs on the guardian's loop.
 */
#include "daemon/netlink_path.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

static struct nlmsghdr *
put_header(void *buffer, uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	return nlh;
}

static void
put_ip(struct nlmsghdr *nlh, uint16_t attribute, const struct ip *ip)
{
	if (ip->family != AF_UNSPEC)
		mnl_attr_put(nlh, attribute, ip_len(ip), ip->bytes);
}

/* ---- routes ---- */

static void
put_hops(struct nlmsghdr *nlh, const struct conf_route *route, const uint32_t *ifindexes)
{
	struct nlattr *list = mnl_attr_nest_start(nlh, RTA_MULTIPATH);

	for (size_t i = 0; i < route->hops_n; i++) {
		const struct conf_hop *hop = &route->hops[i];
		struct rtnexthop *next = mnl_nlmsg_put_extra_header(nlh, sizeof *next);

		next->rtnh_hops = (uint8_t)(hop->weight - 1);
		next->rtnh_flags = hop->onlink ? RTNH_F_ONLINK : 0;
		next->rtnh_ifindex = (int)ifindexes[i];
		put_ip(nlh, RTA_GATEWAY, &hop->via);
		next->rtnh_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(nlh) - (char *)next);
	}
	mnl_attr_nest_end(nlh, list);
}

static void
put_hop(struct nlmsghdr *nlh, const struct conf_hop *hop, uint32_t ifindex)
{
	put_ip(nlh, RTA_GATEWAY, &hop->via);
	if (ifindex)
		mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
}

static void
put_metrics(struct nlmsghdr *nlh, const struct conf_route *route)
{
	struct nlattr *list = NULL;

	for (uint16_t i = 1; i <= RTAX_MAX; i++) {
		if (route->metrics[i] == 0)
			continue;
		if (!list)
			list = mnl_attr_nest_start(nlh, RTA_METRICS);
		mnl_attr_put_u32(nlh, i, route->metrics[i]);
	}
	if (list)
		mnl_attr_nest_end(nlh, list);
}

struct nlmsghdr *
netlink_encode_route(void *buffer, enum netlink_verb verb, const struct conf_route *route,
		     const uint32_t ifindexes[CONF_HOPS_MAX], uint32_t lease_s)
{
	bool remove = verb == NETLINK_REMOVE;
	struct nlmsghdr *nlh = put_header(buffer, remove ? RTM_DELROUTE : RTM_NEWROUTE);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);

	/* Without NLM_F_EXCL the kernel puts it before equal routes of others. */
	if (!remove)
		nlh->nlmsg_flags |= NLM_F_CREATE | (route->append ? NLM_F_APPEND : 0);
	rtm->rtm_family = route->family;
	rtm->rtm_dst_len = route->to.len;
	rtm->rtm_src_len = route->from.len;
	rtm->rtm_tos = route->tos;
	rtm->rtm_table = route->table < 256 ? (uint8_t)route->table : RT_TABLE_UNSPEC;
	rtm->rtm_protocol = NETLINK_PROTO;
	rtm->rtm_scope = route->scope;
	rtm->rtm_type = route->type;

	if (route->to.len > 0)
		put_ip(nlh, RTA_DST, &route->to.ip);
	if (route->from.len > 0)
		put_ip(nlh, RTA_SRC, &route->from.ip);
	put_ip(nlh, RTA_PREFSRC, &route->source);
	mnl_attr_put_u32(nlh, RTA_TABLE, route->table);
	if (route->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	put_metrics(nlh, route);
	if (route->hops_n > 1) {
		put_hops(nlh, route, ifindexes);
	} else if (route->hops_n == 1) {
		put_hop(nlh, &route->hops[0], ifindexes[0]);
		rtm->rtm_flags = route->hops[0].onlink ? RTNH_F_ONLINK : 0;
	}
	if (!remove && lease_s && route->family == AF_INET6 && route->hops_n <= 1)
		mnl_attr_put_u32(nlh, RTA_EXPIRES, lease_s);
	return nlh;
}

/* ---- rules ---- */

static void
put_range(struct nlmsghdr *nlh, uint16_t attribute, uint16_t from, uint16_t to)
{
	struct fib_rule_port_range range = { from, to };

	if (to)
		mnl_attr_put(nlh, attribute, sizeof range, &range);
}

static void
put_matches(struct nlmsghdr *nlh, const struct conf_rule *rule)
{
	struct fib_rule_uid_range uids = { rule->uid_from, rule->uid_to };

	if (rule->from.len > 0)
		put_ip(nlh, FRA_SRC, &rule->from.ip);
	if (rule->to.len > 0)
		put_ip(nlh, FRA_DST, &rule->to.ip);
	if (rule->iif)
		mnl_attr_put_strz(nlh, FRA_IIFNAME, rule->iif);
	if (rule->oif)
		mnl_attr_put_strz(nlh, FRA_OIFNAME, rule->oif);
	if (rule->fwmark_given) {
		mnl_attr_put_u32(nlh, FRA_FWMARK, rule->fwmark);
		mnl_attr_put_u32(nlh, FRA_FWMASK, rule->fwmask);
	}
	if (rule->uid_given)
		mnl_attr_put(nlh, FRA_UID_RANGE, sizeof uids, &uids);
	if (rule->ip_proto)
		mnl_attr_put_u8(nlh, FRA_IP_PROTO, rule->ip_proto);
	put_range(nlh, FRA_SPORT_RANGE, rule->sport_from, rule->sport_to);
	put_range(nlh, FRA_DPORT_RANGE, rule->dport_from, rule->dport_to);
}

struct nlmsghdr *
netlink_encode_rule(void *buffer, enum netlink_verb verb, const struct conf_rule *rule)
{
	bool remove = verb == NETLINK_REMOVE;
	struct nlmsghdr *nlh = put_header(buffer, remove ? RTM_DELRULE : RTM_NEWRULE);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof *frh);

	/* Without NLM_F_EXCL the kernel keeps the same rule twice. */
	if (!remove)
		nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	frh->family = rule->family;
	frh->src_len = rule->from.len;
	frh->dst_len = rule->to.len;
	frh->tos = rule->tos;
	frh->table = rule->table < 256 ? (uint8_t)rule->table : RT_TABLE_UNSPEC;
	frh->action = rule->action;
	frh->flags = rule->invert ? FIB_RULE_INVERT : 0;

	put_matches(nlh, rule);
	if (rule->preference)
		mnl_attr_put_u32(nlh, FRA_PRIORITY, rule->preference);
	if (rule->table)
		mnl_attr_put_u32(nlh, FRA_TABLE, rule->table);
	if (rule->action == FR_ACT_GOTO)
		mnl_attr_put_u32(nlh, FRA_GOTO, rule->target);
	if (rule->l3mdev)
		mnl_attr_put_u8(nlh, FRA_L3MDEV, 1);
	if (rule->suppress_prefix_len >= 0)
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, (uint32_t)rule->suppress_prefix_len);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, NETLINK_PROTO);
	return nlh;
}

/* ---- what is there already ---- */

static int
note_protocol(const struct nlattr *attr, void *data)
{
	uint8_t *protocol = data;

	if (mnl_attr_get_type(attr) == FRA_PROTOCOL && mnl_attr_get_payload_len(attr) > 0)
		*protocol = mnl_attr_get_u8(attr);
	return MNL_CB_OK;
}

static uint8_t
protocol_of(const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	uint8_t protocol = 0;

	/* struct fib_rule_hdr has the same size. */
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof *rtm)
		return 0;
	if (nlh->nlmsg_type == RTM_NEWROUTE || nlh->nlmsg_type == RTM_DELROUTE)
		return rtm->rtm_protocol;
	mnl_attr_parse(nlh, sizeof(struct fib_rule_hdr), note_protocol, &protocol);
	return protocol;
}

struct nlmsghdr *
netlink_encode_removal(void *buffer, size_t size, const struct nlmsghdr *found)
{
	struct nlmsghdr *nlh = buffer;

	if ((found->nlmsg_type != RTM_NEWROUTE && found->nlmsg_type != RTM_NEWRULE) ||
	    protocol_of(found) != NETLINK_PROTO || found->nlmsg_len > size)
		return NULL;
	memcpy(buffer, found, found->nlmsg_len);
	nlh->nlmsg_type = found->nlmsg_type == RTM_NEWROUTE ? RTM_DELROUTE : RTM_DELRULE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_pid = 0;
	return nlh;
}

bool
netlink_path_lost(const struct nlmsghdr *event)
{
	switch (event->nlmsg_type) {
	case RTM_DELROUTE:
	case RTM_DELRULE:
		return protocol_of(event) == NETLINK_PROTO;
	case RTM_NEWROUTE:
		return (event->nlmsg_flags & NLM_F_REPLACE) && protocol_of(event) != NETLINK_PROTO;
	}
	return false;
}

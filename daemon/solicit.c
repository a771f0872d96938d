/*
 * solicit.c - see solicit.h.  Runs on the guardian's loop.
 */
#include "daemon/solicit.h"

#include "common/checksum.h"
#include "conf/behaviour.h"
#include "daemon/neighbours.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4861 section 4.3, with the source's link-layer address. */
struct solicitation {
	struct nd_neighbor_solicit head;
	struct nd_opt_hdr option;
	uint8_t mac[ETH_ALEN];
};

_Static_assert(sizeof(struct ether_header) + sizeof(struct ether_arp) == SOLICIT_ARP_LEN,
	       "an ARP frame has 42 octets");
_Static_assert(sizeof(struct ether_header) + sizeof(struct ip6_hdr) + sizeof(struct solicitation) ==
		       SOLICIT_NS_LEN,
	       "a neighbour solicitation has 86 octets");

static struct solicited *
find(const struct solicitor *solicitor, uint32_t interface, const struct ip *ip)
{
	for (size_t i = 0; i < solicitor->peers_n; i++)
		if (solicitor->peers[i].interface == interface &&
		    ip_equal(&solicitor->peers[i].ip, ip))
			return &solicitor->peers[i];
	return NULL;
}

int
solicitor_init(struct solicitor *solicitor, const struct conf *conf, const struct netwatch *watch,
	       int fd)
{
	size_t n = 0;

	*solicitor = (struct solicitor){ .fd = fd, .watch = watch };
	for (size_t i = 0; i < conf->instances_n; i++)
		n += conf->instances[i].unicast_peers_n;
	solicitor->peers = calloc(n + 1, sizeof *solicitor->peers);
	solicitor->looked = calloc(conf->interfaces_n + 1, sizeof *solicitor->looked);
	if (!solicitor->peers || !solicitor->looked) {
		solicitor_fini(solicitor);
		return -ENOMEM;
	}
	for (size_t i = 0; i < conf->instances_n; i++) {
		const struct conf_instance *c = &conf->instances[i];

		for (size_t p = 0; p < c->unicast_peers_n; p++)
			if (!find(solicitor, conf_xmit(c), &c->unicast_peers[p].ip))
				solicitor->peers[solicitor->peers_n++] = (struct solicited){
					.ip = c->unicast_peers[p].ip,
					.interface = conf_xmit(c),
				};
	}
	return 0;
}

void
solicitor_fini(struct solicitor *solicitor)
{
	free(solicitor->peers);
	free(solicitor->looked);
	*solicitor = (struct solicitor){ .fd = -1 };
}

static size_t
make_arp(uint8_t *frame, const uint8_t mac[6], const struct ip *source, const struct ip *peer)
{
	struct ether_header eth = { .ether_type = htons(ETHERTYPE_ARP) };
	struct ether_arp arp = { 0 };

	memset(eth.ether_dhost, 0xff, ETH_ALEN);
	memcpy(eth.ether_shost, mac, ETH_ALEN);
	arp.arp_hrd = htons(ARPHRD_ETHER);
	arp.arp_pro = htons(ETHERTYPE_IP);
	arp.arp_hln = ETH_ALEN;
	arp.arp_pln = 4;
	arp.arp_op = htons(ARPOP_REQUEST);
	memcpy(arp.arp_sha, mac, ETH_ALEN);
	memcpy(arp.arp_spa, source->bytes, 4);
	memcpy(arp.arp_tpa, peer->bytes, 4);
	memcpy(frame, &eth, sizeof eth);
	memcpy(frame + sizeof eth, &arp, sizeof arp);
	return SOLICIT_ARP_LEN;
}

/* To the peer's solicited-node group (RFC 4291 section 2.7.1), as the kernel asks. */
static size_t
make_solicitation(uint8_t *frame, const uint8_t mac[6], const struct ip *source,
		  const struct ip *peer)
{
	struct ether_header eth = { .ether_dhost = { 0x33, 0x33, 0xff },
				    .ether_type = htons(ETHERTYPE_IPV6) };
	struct solicitation ns = {
		.head = { .nd_ns_type = ND_NEIGHBOR_SOLICIT, .nd_ns_target = peer->v6 },
		.option = { .nd_opt_type = ND_OPT_SOURCE_LINKADDR, .nd_opt_len = 1 },
	};
	struct ip6_hdr ip = { .ip6_flow = htonl(6U << 28),
			      .ip6_plen = htons(sizeof ns),
			      .ip6_nxt = IPPROTO_ICMPV6,
			      .ip6_hlim = 255,
			      .ip6_src = source->v6,
			      .ip6_dst = { { { 0xff, 2, [11] = 1, [12] = 0xff } } } };
	const uint32_t tail_be[2] = { htonl(sizeof ns), htonl(IPPROTO_ICMPV6) };
	uint32_t sum;

	memcpy(eth.ether_dhost + 3, peer->bytes + 13, 3);
	memcpy(eth.ether_shost, mac, ETH_ALEN);
	memcpy(ip.ip6_dst.s6_addr + 13, peer->bytes + 13, 3);
	memcpy(ns.mac, mac, ETH_ALEN);
	sum = checksum_add(0, &ip.ip6_src, sizeof ip.ip6_src + sizeof ip.ip6_dst);
	sum = checksum_add(sum, tail_be, sizeof tail_be);
	ns.head.nd_ns_cksum = checksum_finish(checksum_add(sum, &ns, sizeof ns));
	memcpy(frame, &eth, sizeof eth);
	memcpy(frame + sizeof eth, &ip, sizeof ip);
	memcpy(frame + sizeof eth + sizeof ip, &ns, sizeof ns);
	return SOLICIT_NS_LEN;
}

size_t
solicit_frame(uint8_t frame[SOLICIT_FRAME_MAX], const uint8_t mac[6], const struct ip *source,
	      const struct ip *peer)
{
	return peer->family == AF_INET6 ? make_solicitation(frame, mac, source, peer)
					: make_arp(frame, mac, source, peer);
}

static void
ask(const struct solicitor *solicitor, const struct netwatch_link *link, const struct ip *source,
    const struct ip *peer)
{
	uint8_t frame[SOLICIT_FRAME_MAX];
	size_t len = solicit_frame(frame, link->mac, source, peer);
	struct ether_header eth;
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)link->ifindex,
				  .sll_halen = ETH_ALEN };

	memcpy(&eth, frame, sizeof eth);
	to.sll_protocol = eth.ether_type;
	memcpy(to.sll_addr, eth.ether_dhost, ETH_ALEN);
	/* The kernel asks, too, if later: what does not go out is no loss. */
	sendto(solicitor->fd, frame, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
}

static bool
is_soon(struct mono now, struct mono last)
{
	return last.ns && mono_since_ms(now, last) < SOLICIT_PAUSE_MS;
}

void
solicit_peers(struct solicitor *solicitor, const struct conf_instance *instance, struct mono now)
{
	uint32_t interface = conf_xmit(instance);
	const struct netwatch_link *link = netwatch_link(solicitor->watch, interface);
	const struct netwatch_link *base = netwatch_link(solicitor->watch, instance->interface);
	const struct ip *source = &instance->unicast_src;

	if (source->family == AF_UNSPEC)
		source = instance->family == AF_INET6 ? &base->primary6 : &base->primary;
	if (solicitor->fd < 0 || !link->present || !link->arp || source->family == AF_UNSPEC)
		return;
	for (size_t i = 0; i < instance->unicast_peers_n; i++) {
		const struct ip *peer = &instance->unicast_peers[i].ip;
		struct solicited *known = find(solicitor, interface, peer);

		if (is_soon(now, known->asked))
			continue;
		known->asked = now;
		ask(solicitor, link, source, peer);
	}
}

struct asker {
	const struct solicitor *solicitor;
	const struct netwatch_link *link;
};

static void
ask_awaited(void *ctx, const struct ip *ip)
{
	const struct asker *asker = ctx;
	const struct netwatch_link *link = asker->link;
	const struct ip *source = ip->family == AF_INET6 ? &link->primary6 : &link->primary;

	if (source->family != AF_UNSPEC)
		ask(asker->solicitor, link, source, ip);
}

void
solicit_awaited(struct solicitor *solicitor, uint32_t interface, struct mono now)
{
	struct asker asker = { solicitor, netwatch_link(solicitor->watch, interface) };

	if (solicitor->fd < 0 || !asker.link->present || !asker.link->arp ||
	    is_soon(now, solicitor->looked[interface]))
		return;
	solicitor->looked[interface] = now;
	/* Without an answer it goes as it does without us. */
	neighbours_awaited(asker.link->ifindex, ask_awaited, &asker);
}

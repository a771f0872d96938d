/*
 * announce.c - see announce.h.  Runs on the guardian's loop.
 *
 * A gratuitous ARP is a broadcast request for the VIP itself, with the VIP as the sender too: both
 * hosts that cache on requests and hosts that cache on any packet then know the new owner.
 *
 * An unsolicited neighbour advertisement goes from the VIP to all nodes, as a router's, overriding
 * what they know (R and O set, S not: RFC 9568 section 6.4.2).  Whoever then solicits must reach us
 * through a switch that snoops, too: the VIP's solicited-node group is joined before.  The kernel
 * does the same for each address, but some time after it has added it.
 */
#include "daemon/announce.h"

#include "common/checksum.h"
#include "common/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>
#include <unistd.h>

#define BATCH 64

/* RFC 4861 section 4.4, with the target's link-layer address. */
struct advertisement {
	struct nd_neighbor_advert head;
	struct nd_opt_hdr option;
	uint8_t mac[ETH_ALEN];
};

_Static_assert(sizeof(struct ether_header) + sizeof(struct ether_arp) == ANNOUNCE_ARP_LEN,
	       "an ARP frame has 42 octets");
_Static_assert(sizeof(struct ether_header) + sizeof(struct ip6_hdr) +
			       sizeof(struct advertisement) ==
		       ANNOUNCE_NA_LEN,
	       "a neighbour advertisement has 86 octets");

static const struct in6_addr all_nodes = { { { 0xff, 2, [15] = 1 } } };

int
announcer_init(struct announcer *announcer, const struct netwatch *watch)
{
	announcer->watch = watch;
	/* Without IPv6 in the kernel there is nothing to join. */
	announcer->groups_fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Protocol 0: nothing is received. */
	announcer->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return announcer->fd < 0 ? -errno : 0;
}

void
announcer_fini(struct announcer *announcer)
{
	if (announcer->fd >= 0)
		close(announcer->fd);
	if (announcer->groups_fd >= 0)
		close(announcer->groups_fd);
	announcer->fd = announcer->groups_fd = -1;
}

static size_t
make_arp(uint8_t *frame, const uint8_t mac[6], const struct ip *vip)
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
	memcpy(arp.arp_spa, vip->bytes, 4);
	memset(arp.arp_tha, 0xff, ETH_ALEN);
	memcpy(arp.arp_tpa, vip->bytes, 4);
	memcpy(frame, &eth, sizeof eth);
	memcpy(frame + sizeof eth, &arp, sizeof arp);
	return ANNOUNCE_ARP_LEN;
}

static size_t
make_advertisement(uint8_t *frame, const uint8_t mac[6], const struct ip *vip)
{
	struct ether_header eth = { .ether_dhost = { 0x33, 0x33, 0, 0, 0, 1 },
				    .ether_type = htons(ETHERTYPE_IPV6) };
	struct advertisement na = {
		.head = { .nd_na_type = ND_NEIGHBOR_ADVERT,
			  .nd_na_flags_reserved = ND_NA_FLAG_ROUTER | ND_NA_FLAG_OVERRIDE,
			  .nd_na_target = vip->v6 },
		.option = { .nd_opt_type = ND_OPT_TARGET_LINKADDR, .nd_opt_len = 1 },
	};
	struct ip6_hdr ip = { .ip6_flow = htonl(6U << 28),
			      .ip6_plen = htons(sizeof na),
			      .ip6_nxt = IPPROTO_ICMPV6,
			      .ip6_hlim = 255,
			      .ip6_src = vip->v6,
			      .ip6_dst = all_nodes };
	const uint32_t tail_be[2] = { htonl(sizeof na), htonl(IPPROTO_ICMPV6) };
	uint32_t sum;

	memcpy(eth.ether_shost, mac, ETH_ALEN);
	memcpy(na.mac, mac, ETH_ALEN);
	sum = checksum_add(0, &ip.ip6_src, sizeof ip.ip6_src + sizeof ip.ip6_dst);
	sum = checksum_add(sum, tail_be, sizeof tail_be);
	na.head.nd_na_cksum = checksum_finish(checksum_add(sum, &na, sizeof na));
	memcpy(frame, &eth, sizeof eth);
	memcpy(frame + sizeof eth, &ip, sizeof ip);
	memcpy(frame + sizeof eth + sizeof ip, &na, sizeof na);
	return ANNOUNCE_NA_LEN;
}

size_t
announce_frame(uint8_t frame[ANNOUNCE_FRAME_MAX], const uint8_t mac[6], const struct ip *vip)
{
	return vip->family == AF_INET6 ? make_advertisement(frame, mac, vip)
				       : make_arp(frame, mac, vip);
}

struct round {
	uint8_t frames[BATCH][ANNOUNCE_FRAME_MAX];
	struct sockaddr_ll to[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH];
	unsigned n;
	size_t lost;
	int error; /* of the last one lost */
};

static void
flush(struct announcer *announcer, struct round *round)
{
	unsigned sent = 0;

	while (sent < round->n) {
		int r = sendmmsg(announcer->fd, round->messages + sent, round->n - sent,
				 MSG_DONTWAIT);

		if (r > 0) {
			sent += (unsigned)r;
			continue;
		}
		if (r < 0 && errno == EINTR)
			continue;
		/* The first of the rest was refused; the others may have another interface. */
		round->error = errno;
		round->lost++;
		sent++;
	}
	round->n = 0;
}

static void
add(struct round *round, const struct netwatch_link *link, const struct conf_vip *vip)
{
	unsigned i = round->n++;
	size_t len = announce_frame(round->frames[i], link->mac, &vip->ip);
	struct ether_header eth;

	memcpy(&eth, round->frames[i], sizeof eth);
	round->to[i] = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = eth.ether_type,
		.sll_ifindex = (int)link->ifindex,
		.sll_halen = ETH_ALEN,
	};
	memcpy(round->to[i].sll_addr, eth.ether_dhost, ETH_ALEN);
	round->iov[i] = (struct iovec){ round->frames[i], len };
	round->messages[i].msg_hdr = (struct msghdr){
		.msg_name = &round->to[i],
		.msg_namelen = sizeof round->to[i],
		.msg_iov = &round->iov[i],
		.msg_iovlen = 1,
	};
}

void
announce_round(struct announcer *announcer, const struct conf_instance *instance)
{
	struct round round;

	round.n = 0;
	round.lost = 0;
	for (size_t i = 0; i < instance->vips_n; i++) {
		const struct conf_vip *vip = &instance->vips[i];
		const struct netwatch_link *link = netwatch_link(announcer->watch, vip->interface);

		if (!link->present || !link->arp)
			continue;
		add(&round, link, vip);
		if (round.n == BATCH)
			flush(announcer, &round);
	}
	flush(announcer, &round);
	if (round.lost)
		log_warning("(%s) %zu announcements not sent: %s", instance->name, round.lost,
			    strerror(round.error));
}

/* RFC 4291 section 2.7.1. */
static struct in6_addr
solicited_node(const struct ip *vip)
{
	struct in6_addr group = { { { 0xff, 2, [11] = 1, [12] = 0xff } } };

	memcpy(group.s6_addr + 13, vip->bytes + 13, 3);
	return group;
}

void
announce_groups(struct announcer *announcer, const struct conf_instance *instance, bool join)
{
	for (size_t i = 0; i < instance->vips_n; i++) {
		const struct conf_vip *vip = &instance->vips[i];
		const struct netwatch_link *link = netwatch_link(announcer->watch, vip->interface);
		struct ipv6_mreq mreq = { .ipv6mr_interface = link->ifindex };

		if (vip->ip.family != AF_INET6 || !link->present)
			continue;
		mreq.ipv6mr_multiaddr = solicited_node(&vip->ip);
		/* Joined twice, or more than a socket may join: the kernel's own membership does. */
		setsockopt(announcer->groups_fd, IPPROTO_IPV6,
			   join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &mreq, sizeof mreq);
	}
}

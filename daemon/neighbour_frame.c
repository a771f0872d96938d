/*
 * neighbour_frame.c - see neighbour_frame.h.  ARP (RFC 826) and neighbour discovery (RFC 4861
 * sections 4.3 and 4.4).
 */
#include "daemon/neighbour_frame.h"

#include "common/checksum.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>

/* A solicitation or an advertisement, with the sender's link-layer address. */
struct message {
	struct icmp6_hdr head;
	struct in6_addr target;
	struct nd_opt_hdr option;
	uint8_t mac[ETH_ALEN];
};

_Static_assert(sizeof(struct ether_header) + sizeof(struct ether_arp) == NEIGHBOUR_ARP_LEN,
	       "an ARP frame has 42 octets");
_Static_assert(sizeof(struct ether_header) + sizeof(struct ip6_hdr) + sizeof(struct message) ==
		       NEIGHBOUR_ND_LEN,
	       "a frame of neighbour discovery has 86 octets");

static const uint8_t nowhere[ETH_ALEN], everywhere[ETH_ALEN] = { 255, 255, 255, 255, 255, 255 };

static size_t
make_arp(uint8_t *frame, const uint8_t mac[6], const struct ip *source, const struct ip *target,
	 const uint8_t *target_mac)
{
	struct ether_header eth = { .ether_type = htons(ETHERTYPE_ARP) };
	struct ether_arp arp = { 0 };

	memcpy(eth.ether_dhost, everywhere, ETH_ALEN);
	memcpy(eth.ether_shost, mac, ETH_ALEN);
	arp.arp_hrd = htons(ARPHRD_ETHER);
	arp.arp_pro = htons(ETHERTYPE_IP);
	arp.arp_hln = ETH_ALEN;
	arp.arp_pln = 4;
	arp.arp_op = htons(ARPOP_REQUEST);
	memcpy(arp.arp_sha, mac, ETH_ALEN);
	memcpy(arp.arp_spa, source->bytes, 4);
	memcpy(arp.arp_tha, target_mac, ETH_ALEN);
	memcpy(arp.arp_tpa, target->bytes, 4);
	memcpy(frame, &eth, sizeof eth);
	memcpy(frame + sizeof eth, &arp, sizeof arp);
	return NEIGHBOUR_ARP_LEN;
}

/* The message with its checksum, from `source` to a multicast group and its MAC (RFC 2464). */
static size_t
make_nd(uint8_t *frame, const uint8_t mac[6], const struct ip *source, const struct in6_addr *group,
	struct message message)
{
	struct ether_header eth = { .ether_dhost = { 0x33, 0x33 },
				    .ether_type = htons(ETHERTYPE_IPV6) };
	struct ip6_hdr ip = { .ip6_flow = htonl(6U << 28),
			      .ip6_plen = htons(sizeof message),
			      .ip6_nxt = IPPROTO_ICMPV6,
			      .ip6_hlim = 255,
			      .ip6_src = source->v6,
			      .ip6_dst = *group };
	const uint32_t tail_be[2] = { htonl(sizeof message), htonl(IPPROTO_ICMPV6) };
	uint32_t sum;

	memcpy(eth.ether_dhost + 2, group->s6_addr + 12, 4);
	memcpy(eth.ether_shost, mac, ETH_ALEN);
	memcpy(message.mac, mac, ETH_ALEN);
	sum = checksum_add(0, &ip.ip6_src, sizeof ip.ip6_src + sizeof ip.ip6_dst);
	sum = checksum_add(sum, tail_be, sizeof tail_be);
	message.head.icmp6_cksum = checksum_finish(checksum_add(sum, &message, sizeof message));
	memcpy(frame, &eth, sizeof eth);
	memcpy(frame + sizeof eth, &ip, sizeof ip);
	memcpy(frame + sizeof eth + sizeof ip, &message, sizeof message);
	return NEIGHBOUR_ND_LEN;
}

size_t
neighbour_frame_ask(uint8_t frame[NEIGHBOUR_FRAME_MAX], const uint8_t mac[6],
		    const struct ip *source, const struct ip *target)
{
	/* The target's solicited-node group (RFC 4291 section 2.7.1), as the kernel asks. */
	struct in6_addr group = { { { 0xff, 2, [11] = 1, [12] = 0xff } } };

	if (target->family != AF_INET6)
		return make_arp(frame, mac, source, target, nowhere);
	memcpy(group.s6_addr + 13, target->bytes + 13, 3);
	return make_nd(frame, mac, source, &group,
		       (struct message){
			       .head = { .icmp6_type = ND_NEIGHBOR_SOLICIT },
			       .target = target->v6,
			       .option = { .nd_opt_type = ND_OPT_SOURCE_LINKADDR, .nd_opt_len = 1 },
		       });
}

size_t
neighbour_frame_tell(uint8_t frame[NEIGHBOUR_FRAME_MAX], const uint8_t mac[6], const struct ip *vip)
{
	static const struct in6_addr all_nodes = { { { 0xff, 2, [15] = 1 } } };

	if (vip->family != AF_INET6)
		return make_arp(frame, mac, vip, vip, everywhere);
	return make_nd(frame, mac, vip, &all_nodes,
		       (struct message){
			       .head = { .icmp6_type = ND_NEIGHBOR_ADVERT,
					 .icmp6_dataun.icmp6_un_data32[0] =
						 ND_NA_FLAG_ROUTER | ND_NA_FLAG_OVERRIDE },
			       .target = vip->v6,
			       .option = { .nd_opt_type = ND_OPT_TARGET_LINKADDR, .nd_opt_len = 1 },
		       });
}

struct sockaddr_ll
neighbour_frame_to(const uint8_t *frame, uint32_t ifindex)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)ifindex,
				  .sll_halen = ETH_ALEN };
	struct ether_header eth;

	memcpy(&eth, frame, sizeof eth);
	to.sll_protocol = eth.ether_type;
	memcpy(to.sll_addr, eth.ether_dhost, ETH_ALEN);
	return to;
}

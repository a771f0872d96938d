/*
 * neighbour_frame.h - Ethernet frames about who has an address: asking for a neighbour, and telling
 * all of them whose a virtual address is.  Pure.
 */
#pragma once

#include "common/addr.h"

#include <linux/if_packet.h>

#define NEIGHBOUR_ARP_LEN   42
#define NEIGHBOUR_ND_LEN    86
#define NEIGHBOUR_FRAME_MAX NEIGHBOUR_ND_LEN

/* Writes the frame in which `source` at `mac` asks for `target` (both of one family); its length. */
size_t neighbour_frame_ask(uint8_t frame[NEIGHBOUR_FRAME_MAX], const uint8_t mac[6],
			   const struct ip *source, const struct ip *target);

/*
 * Writes the frame that says `vip` is at `mac`; its length.  RFC 9568 section 6.4.2.
 *
 * IPv4: a gratuitous ARP, which is a broadcast request for the VIP itself, with the VIP as the
 * sender too: both hosts that cache on requests and hosts that cache on any packet then know the new
 * owner.  IPv6: an unsolicited advertisement from the VIP to all nodes, as a router's, overriding
 * what they know (R and O set, S not).
 */
size_t neighbour_frame_tell(uint8_t frame[NEIGHBOUR_FRAME_MAX], const uint8_t mac[6],
			    const struct ip *vip);

/* Where a packet socket sends a frame that was written here. */
struct sockaddr_ll neighbour_frame_to(const uint8_t *frame, uint32_t ifindex);

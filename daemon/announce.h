/*
 * announce.h - telling the neighbours whose the VIPs are: gratuitous ARP and unsolicited neighbour
 * advertisements, RFC 9568 section 6.4.
 */
#pragma once

#include "conf/model.h"
#include "daemon/netwatch.h"

#define ANNOUNCE_ARP_LEN   42
#define ANNOUNCE_NA_LEN    86
#define ANNOUNCE_FRAME_MAX ANNOUNCE_NA_LEN

struct announcer {
	int fd;        /* packet socket that sends only; -1 = not open */
	int groups_fd; /* holds memberships of solicited-node groups */
	const struct netwatch *watch;
};

/* 0 or -errno. */
int announcer_init(struct announcer *announcer, const struct netwatch *watch);
void announcer_fini(struct announcer *announcer);

/* Writes the Ethernet frame that announces one VIP; its length.  Pure. */
size_t announce_frame(uint8_t frame[ANNOUNCE_FRAME_MAX], const uint8_t mac[6],
		      const struct ip *vip);

/* Joins (before the first round) or leaves the solicited-node groups of the IPv6 VIPs. */
void announce_groups(struct announcer *announcer, const struct conf_instance *instance, bool join);

/* One round: a frame for each VIP of the instance, on the VIP's own interface.  Never waits;
 * frames that could not be sent are logged once, as a number. */
void announce_round(struct announcer *announcer, const struct conf_instance *instance);

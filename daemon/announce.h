/*
 * announce.h - telling the neighbours whose the VIPs are: gratuitous ARP and unsolicited neighbour
 * advertisements, RFC 9568 section 6.4.
 */
#pragma once

#include "conf/model.h"
#include "daemon/netwatch.h"
#include "vrrpd/garp.h"

struct announcer {
	int fd;        /* packet socket that sends only; -1 = not open */
	int groups_fd; /* holds memberships of solicited-node groups */
	const struct netwatch *watch;
	/* With pauses (vrrp_garp_interval, vrrp_gna_interval) or garp_extra_if: what is still to be
	 * sent by each instance, and when the next may leave from each interface. */
	bool pauses;
	struct announce_job *jobs;
	struct vrrp_pace (*paces)[IP_FAMILIES];
	struct timer timer;
};

/* From the VIP on, so many rounds, the one that has begun among them. */
struct announce_job {
	uint32_t rounds;
	size_t vip;
	bool held;
	struct vrrp_pace extra; /* garp_extra_if */
};

/* 0 or -errno. */
int announcer_init(struct announcer *announcer, const struct netwatch *watch);
void announcer_fini(struct announcer *announcer);

/* Joins (before the first round) or leaves the solicited-node groups of the IPv6 VIPs. */
void announce_groups(struct announcer *announcer, const struct conf_instance *instance, bool join);

/* Rounds: a frame for each VIP of the instance, on the VIP's own interface; at once, or with the
 * pauses that are wished for.  Never waits; frames that could not be sent are logged once, as a
 * number. */
void announce_rounds(struct announcer *announcer, uint32_t instance, uint32_t rounds);

/* The instance has its VIPs, which garp_extra_if goes on announcing; or they are gone, and so is what
 * was still to be sent. */
void announce_hold(struct announcer *announcer, uint32_t instance, bool held);

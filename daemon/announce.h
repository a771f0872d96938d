/*
 * announce.h - telling the neighbours whose the VIPs are: gratuitous ARP, RFC 9568 section 6.4.
 */
#pragma once

#include "conf/model.h"
#include "daemon/netwatch.h"

#define ANNOUNCE_FRAME_LEN 42

struct announcer {
	int fd; /* packet socket that sends only; -1 = not open */
	const struct netwatch *watch;
};

/* 0 or -errno. */
int announcer_init(struct announcer *announcer, const struct netwatch *watch);
void announcer_fini(struct announcer *announcer);

/* Writes the Ethernet frame of one gratuitous ARP request.  Pure. */
void announce_frame(uint8_t frame[ANNOUNCE_FRAME_LEN], const uint8_t mac[6], const struct ip *vip);

/* One round: a frame for each IPv4 VIP of the instance, on the VIP's own interface.  Never waits;
 * frames that could not be sent are logged once, as a number. */
void announce_round(struct announcer *announcer, const struct conf_instance *instance);

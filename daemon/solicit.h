/*
 * solicit.h - asking neighbours for their link-layer addresses, when a master announces its own: an
 * ARP request or a neighbour solicitation, whose answer the kernel takes as its own.
 *
 * What the kernel has asked while the link was down it asks again a second later, and until then
 * holds everything back.  With intervals of 10 ms that is a second of two masters, if it is about the
 * peer, and of a master that reaches no server, if it is about those.
 */
#pragma once

#include "conf/model.h"
#include "daemon/netwatch.h"

/* No peer is asked more often, however many instances it has. */
#define SOLICIT_PAUSE_MS 100

struct solicited {
	struct ip ip;
	uint32_t interface;
	struct mono asked;
};

/* Neither is the kernel asked more often for whom it waits. */
struct solicitor {
	int fd; /* packet socket that sends only; somebody else's */
	const struct netwatch *watch;
	struct solicited *peers; /* each once for an interface */
	size_t peers_n;
	struct mono *looked; /* for each interface: when the kernel was asked */
};

/* 0 or -ENOMEM.  fd may be -1: then nobody is asked. */
int solicitor_init(struct solicitor *solicitor, const struct conf *conf,
		   const struct netwatch *watch, int fd);
void solicitor_fini(struct solicitor *solicitor);

/* Asks for the instance's unicast peers.  Never waits. */
void solicit_peers(struct solicitor *solicitor, const struct conf_instance *instance,
		   struct mono now);

/* Asks for whomever the kernel awaits an answer from on this link: servers, gateways, clients. */
void solicit_awaited(struct solicitor *solicitor, uint32_t interface, struct mono now);

/*
 * announce.c - see announce.h.  Runs on the guardian's loop.
 *
 * A gratuitous ARP is a broadcast request for the VIP itself, with the VIP as the sender too: both
 * hosts that cache on requests and hosts that cache on any packet then know the new owner.
 */
#include "daemon/announce.h"

#include "common/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <string.h>
#include <unistd.h>

#define BATCH 64

_Static_assert(sizeof(struct ether_header) + sizeof(struct ether_arp) == ANNOUNCE_FRAME_LEN,
	       "an ARP frame has 42 octets");

int
announcer_init(struct announcer *announcer, const struct netwatch *watch)
{
	announcer->watch = watch;
	/* Protocol 0: nothing is received. */
	announcer->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return announcer->fd < 0 ? -errno : 0;
}

void
announcer_fini(struct announcer *announcer)
{
	if (announcer->fd >= 0)
		close(announcer->fd);
	announcer->fd = -1;
}

void
announce_frame(uint8_t frame[ANNOUNCE_FRAME_LEN], const uint8_t mac[6], const struct ip *vip)
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
}

struct round {
	uint8_t frames[BATCH][ANNOUNCE_FRAME_LEN];
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

	announce_frame(round->frames[i], link->mac, &vip->ip);
	round->to[i] = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETHERTYPE_ARP),
		.sll_ifindex = (int)link->ifindex,
		.sll_halen = ETH_ALEN,
		.sll_addr = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};
	round->iov[i] = (struct iovec){ round->frames[i], ANNOUNCE_FRAME_LEN };
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

		if (vip->ip.family != AF_INET || !link->present || !link->arp)
			continue;
		add(&round, link, vip);
		if (round.n == BATCH)
			flush(announcer, &round);
	}
	flush(announcer, &round);
	if (round.lost)
		log_warning("(%s) %zu gratuitous ARP not sent: %s", instance->name, round.lost,
			    strerror(round.error));
}

/*
 * solicit.c - see solicit.h.  Runs on the guardian's loop.
 */
#include "daemon/solicit.h"

#include "conf/behaviour.h"
#include "daemon/neighbour_frame.h"
#include "daemon/neighbours.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static void
ask(const struct solicitor *solicitor, const struct netwatch_link *link, const struct ip *source,
    const struct ip *peer)
{
	uint8_t frame[NEIGHBOUR_FRAME_MAX];
	size_t len = neighbour_frame_ask(frame, link->mac, source, peer);
	struct sockaddr_ll to = neighbour_frame_to(frame, link->ifindex);

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

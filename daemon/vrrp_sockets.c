/*
 * vrrp_sockets.c - see vrrp_sockets.h.  Runs on the guardian's loop, which never reads a packet:
 * what is thrown away is not looked at.
 */
#include "daemon/vrrp_sockets.h"

#include "common/log.h"
#include "vrrpd/packet.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VRRP_TOS       0xc0 /* internetwork control */
#define VRRP_PRIORITY  6    /* the matching queue of the interface: TC_PRIO_INTERACTIVE */
#define RECEIVE_BUFFER (1024 * 1024)
#define DISCARD_MAX    65536

bool
vrrp_sockets_wanted(const struct conf *conf, uint32_t interface)
{
	for (size_t i = 0; i < conf->instances_n; i++)
		if (conf->instances[i].interface == interface)
			return true;
	return false;
}

static bool
is_multicast(const struct conf *conf, uint32_t interface)
{
	for (size_t i = 0; i < conf->instances_n; i++)
		if (conf->instances[i].interface == interface &&
		    conf->instances[i].unicast_peers_n == 0)
			return true;
	return false;
}

struct option {
	int level, name, value;
};

static int
set_options(int fd, const struct option *options, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			       sizeof options[i].value) < 0)
			return -errno;
	return 0;
}

static int
set_common(int fd, const char *interface)
{
	static const struct option options[] = {
		{ IPPROTO_IP, IP_TTL, VRRP_TTL },
		{ IPPROTO_IP, IP_MULTICAST_TTL, VRRP_TTL },
		{ IPPROTO_IP, IP_MULTICAST_LOOP, 0 },
		{ IPPROTO_IP, IP_MULTICAST_ALL, 0 },
		{ IPPROTO_IP, IP_TOS, VRRP_TOS },
		{ IPPROTO_IP, IP_FREEBIND, 1 },
		{ SOL_SOCKET, SO_PRIORITY, VRRP_PRIORITY },
	};
	int size = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
		       (socklen_t)strlen(interface) + 1) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	return set_options(fd, options, sizeof options / sizeof *options);
}

static int
join(int fd, const struct ip *group, uint32_t ifindex)
{
	struct ip_mreqn mreq = { .imr_multiaddr = group->v4, .imr_ifindex = (int)ifindex };

	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof mreq) < 0)
		return -errno;
	return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreq, sizeof mreq) < 0 ? -errno : 0;
}

static int
open_socket(struct vrrp_sockets *sockets, uint32_t interface)
{
	const struct conf *conf = sockets->conf;
	struct vrrp_socket *s = &sockets->at[interface];
	uint32_t ifindex = netwatch_link(sockets->watch, interface)->ifindex;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, VRRP_PROTOCOL);
	int r;

	if (fd < 0)
		return -errno;
	r = set_common(fd, conf->interfaces[interface].name);
	if (r == 0 && is_multicast(conf, interface))
		r = join(fd, &conf->mcast_group4, ifindex);
	if (r < 0) {
		close(fd);
		return r;
	}
	s->fd = fd;
	s->ifindex = ifindex;
	return 0;
}

bool
vrrp_sockets_refresh(struct vrrp_sockets *sockets, uint32_t interface)
{
	const struct netwatch_link *link = netwatch_link(sockets->watch, interface);
	struct vrrp_socket *s = &sockets->at[interface];
	int r;

	if (!vrrp_sockets_wanted(sockets->conf, interface) || !link->present)
		return false;
	if (s->fd >= 0 && s->ifindex == link->ifindex)
		return false;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	r = open_socket(sockets, interface);
	if (r < 0)
		log_error("cannot open a VRRP socket on %s: %s",
			  sockets->conf->interfaces[interface].name, strerror(-r));
	return r == 0;
}

int
vrrp_sockets_init(struct vrrp_sockets *sockets, const struct conf *conf,
		  const struct netwatch *watch)
{
	int r = 0;

	*sockets = (struct vrrp_sockets){ .conf = conf, .watch = watch };
	sockets->at = calloc(conf->interfaces_n + 1, sizeof *sockets->at);
	if (!sockets->at)
		return -ENOMEM;
	for (uint32_t i = 0; i < conf->interfaces_n; i++)
		sockets->at[i].fd = -1;
	for (uint32_t i = 0; i < conf->interfaces_n; i++)
		if (vrrp_sockets_wanted(conf, i) && netwatch_link(watch, i)->present &&
		    !vrrp_sockets_refresh(sockets, i))
			r = -EIO;
	return r;
}

void
vrrp_sockets_fini(struct vrrp_sockets *sockets)
{
	for (size_t i = 0; sockets->at && i < sockets->conf->interfaces_n; i++)
		if (sockets->at[i].fd >= 0)
			close(sockets->at[i].fd);
	free(sockets->at);
	sockets->at = NULL;
}

void
vrrp_sockets_discard(struct vrrp_sockets *sockets)
{
	for (size_t i = 0; i < sockets->conf->interfaces_n; i++) {
		char byte;

		for (unsigned n = 0; sockets->at[i].fd >= 0 && n < DISCARD_MAX; n++)
			if (recv(sockets->at[i].fd, &byte, sizeof byte, MSG_DONTWAIT | MSG_TRUNC) <
				    0 &&
			    errno != EINTR)
				break;
	}
}

/*
 * vrrp_sockets.c - see vrrp_sockets.h.  Runs on the guardian's loop, which never reads a packet:
 * what is thrown away is not looked at.
 */
#include "daemon/vrrp_sockets.h"

#include "common/log.h"
#include "conf/behaviour.h"
#include "daemon/estate.h"
#include "vrrpd/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Linux 4.20 and 4.15; older headers lack them. */
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

#define VRRP_TOS       0xc0 /* internetwork control */
#define VRRP_PRIORITY  6    /* the matching queue of the interface: TC_PRIO_INTERACTIVE */
#define RECEIVE_BUFFER (1024 * 1024)
#define DISCARD_MAX    65536

static const uint8_t families[IP_FAMILIES] = { AF_INET, AF_INET6 };

bool
vrrp_sockets_wanted(const struct conf *conf, uint32_t interface, uint8_t family)
{
	for (size_t i = 0; i < conf->instances_n; i++)
		if (conf->instances[i].family == family &&
		    (conf->instances[i].interface == interface ||
		     conf_xmit(&conf->instances[i]) == interface))
			return true;
	return false;
}

/* The multicast group that an instance listens to here; NULL = none.  From a virtual interface is
 * only sent. */
static const struct ip *
group_of(const struct conf *conf, size_t instance, uint32_t interface, uint8_t family)
{
	const struct conf_instance *c = &conf->instances[instance];

	if (c->interface != interface || c->family != family || c->unicast_peers_n > 0)
		return NULL;
	return conf_group(conf, c);
}

static bool
listens(const struct conf *conf, uint32_t interface, uint8_t family, const struct ip *group)
{
	for (size_t i = 0; i < conf->instances_n; i++) {
		const struct ip *other = group_of(conf, i, interface, family);

		if (other && ip_equal(group, other))
			return true;
	}
	return false;
}

/* Is whatever is to be heard on interface `a` heard on `b` as well? */
static bool
covers(const struct conf *of_b, uint32_t b, const struct conf *of_a, uint32_t a, uint8_t family)
{
	for (size_t i = 0; i < of_a->instances_n; i++) {
		const struct ip *group = group_of(of_a, i, a, family);

		if (group && !listens(of_b, b, family, group))
			return false;
	}
	return true;
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

static const struct option options4[] = {
	{ IPPROTO_IP, IP_TTL, VRRP_TTL },           { IPPROTO_IP, IP_MULTICAST_TTL, VRRP_TTL },
	{ IPPROTO_IP, IP_MULTICAST_LOOP, 0 },       { IPPROTO_IP, IP_MULTICAST_ALL, 0 },
	{ IPPROTO_IP, IP_TOS, VRRP_TOS },           { IPPROTO_IP, IP_FREEBIND, 1 },
	{ SOL_SOCKET, SO_PRIORITY, VRRP_PRIORITY },
};

/* A raw IPv6 socket shows no header: what has to be checked of it comes beside each message.  The
 * checksum is the codec's business in both directions (IPV6_CHECKSUM would have the kernel throw
 * away silently what has to be counted). */
static const struct option options6[] = {
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS, VRRP_TTL },
	{ IPPROTO_IPV6, IPV6_MULTICAST_HOPS, VRRP_TTL },
	{ IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0 },
	{ IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0 },
	{ IPPROTO_IPV6, IPV6_TCLASS, VRRP_TOS },
	{ IPPROTO_IPV6, IPV6_FREEBIND, 1 },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1 },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, 1 },
	{ SOL_SOCKET, SO_PRIORITY, VRRP_PRIORITY },
};

static int
set_common(int fd, const char *interface, uint8_t family)
{
	int size = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
		       (socklen_t)strlen(interface) + 1) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (family == AF_INET6)
		return set_options(fd, options6, sizeof options6 / sizeof *options6);
	return set_options(fd, options4, sizeof options4 / sizeof *options4);
}

static int
join4(int fd, const struct ip *group, uint32_t ifindex)
{
	struct ip_mreqn mreq = { .imr_multiaddr = group->v4, .imr_ifindex = (int)ifindex };

	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof mreq) < 0)
		return -errno;
	return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreq, sizeof mreq) < 0 ? -errno : 0;
}

static int
join6(int fd, const struct ip *group, uint32_t ifindex)
{
	struct ipv6_mreq mreq = { .ipv6mr_multiaddr = group->v6, .ipv6mr_interface = ifindex };
	const struct option from = { IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)ifindex };

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, sizeof mreq) < 0)
		return -errno;
	return set_options(fd, &from, 1);
}

/* Each group once. */
static int
join_all(int fd, const struct conf *conf, uint32_t interface, uint8_t family, uint32_t ifindex)
{
	for (size_t i = 0; i < conf->instances_n; i++) {
		const struct ip *group = group_of(conf, i, interface, family);
		int r = 0;

		if (group)
			r = family == AF_INET6 ? join6(fd, group, ifindex)
					       : join4(fd, group, ifindex);
		if (r < 0 && r != -EADDRINUSE)
			return r;
	}
	return 0;
}

static int
open_socket(struct vrrp_sockets *sockets, uint32_t interface, uint8_t family)
{
	const struct conf *conf = sockets->conf;
	struct vrrp_socket *s = vrrp_socket(sockets, interface, family);
	uint32_t ifindex = netwatch_link(sockets->watch, interface)->ifindex;
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, VRRP_PROTOCOL);
	int r;

	if (fd < 0)
		return -errno;
	r = set_common(fd, conf->interfaces[interface].name, family);
	if (r == 0)
		r = join_all(fd, conf, interface, family, ifindex);
	if (r < 0) {
		close(fd);
		return r;
	}
	s->fd = fd;
	s->ifindex = ifindex;
	return 0;
}

bool
vrrp_sockets_refresh(struct vrrp_sockets *sockets, uint32_t interface, uint8_t family)
{
	const struct netwatch_link *link = netwatch_link(sockets->watch, interface);
	struct vrrp_socket *s = vrrp_socket(sockets, interface, family);
	int r;

	if (!vrrp_sockets_wanted(sockets->conf, interface, family) || !link->present)
		return false;
	if (s->fd >= 0 && s->ifindex == link->ifindex)
		return false;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	r = open_socket(sockets, interface, family);
	if (r < 0)
		log_error("cannot open an %s VRRP socket on %s: %s",
			  family == AF_INET6 ? "IPv6" : "IPv4",
			  sockets->conf->interfaces[interface].name, strerror(-r));
	return r == 0;
}

/* The interface's socket of a former configuration, if it serves this one as well. */
static const struct vrrp_socket *
find_same(const struct vrrp_sockets *sockets, const struct vrrp_sockets *from, uint32_t interface,
	  unsigned f)
{
	const struct conf *conf = sockets->conf, *old = from ? from->conf : NULL;
	const char *name = conf->interfaces[interface].name;
	uint32_t ifindex = netwatch_link(sockets->watch, interface)->ifindex;

	for (uint32_t i = 0; from && i < old->interfaces_n; i++) {
		if (strcmp(old->interfaces[i].name, name) != 0 || from->at[i][f].fd < 0 ||
		    from->at[i][f].ifindex != ifindex)
			continue;
		return covers(conf, interface, old, i, families[f]) &&
				       covers(old, i, conf, interface, families[f])
			       ? &from->at[i][f]
			       : NULL;
	}
	return NULL;
}

static bool
open_or_adopt(struct vrrp_sockets *sockets, const struct vrrp_sockets *from, uint32_t interface,
	      unsigned f)
{
	const struct vrrp_socket *same = find_same(sockets, from, interface, f);
	struct vrrp_socket *s = &sockets->at[interface][f];

	if (!same)
		return vrrp_sockets_refresh(sockets, interface, families[f]);
	*s = (struct vrrp_socket){ fcntl(same->fd, F_DUPFD_CLOEXEC, 0), same->ifindex };
	return s->fd >= 0;
}

int
vrrp_sockets_init(struct vrrp_sockets *sockets, const struct conf *conf,
		  const struct netwatch *watch, const struct vrrp_sockets *from)
{
	int r = 0;

	*sockets = (struct vrrp_sockets){ .conf = conf, .watch = watch };
	sockets->at = calloc(conf->interfaces_n + 1, sizeof *sockets->at);
	if (!sockets->at)
		return -ENOMEM;
	for (uint32_t i = 0; i < conf->interfaces_n; i++)
		for (unsigned f = 0; f < IP_FAMILIES; f++)
			sockets->at[i][f].fd = -1;
	for (uint32_t i = 0; i < conf->interfaces_n; i++)
		for (unsigned f = 0; f < IP_FAMILIES; f++)
			if (vrrp_sockets_wanted(conf, i, families[f]) &&
			    netwatch_link(watch, i)->present && !open_or_adopt(sockets, from, i, f))
				r = -EIO;
	return r;
}

void
vrrp_sockets_fini(struct vrrp_sockets *sockets)
{
	for (size_t i = 0; sockets->at && i < sockets->conf->interfaces_n; i++)
		for (unsigned f = 0; f < IP_FAMILIES; f++)
			if (sockets->at[i][f].fd >= 0)
				close(sockets->at[i][f].fd);
	free(sockets->at);
	sockets->at = NULL;
}

static void
discard(int fd)
{
	char byte;

	for (unsigned n = 0; n < DISCARD_MAX; n++)
		if (recv(fd, &byte, sizeof byte, MSG_DONTWAIT | MSG_TRUNC) < 0 && errno != EINTR)
			break;
}

void
vrrp_sockets_discard(struct vrrp_sockets *sockets)
{
	for (size_t i = 0; i < sockets->conf->interfaces_n; i++)
		for (unsigned f = 0; f < IP_FAMILIES; f++)
			if (sockets->at[i][f].fd >= 0)
				discard(sockets->at[i][f].fd);
}

void
vrrp_sockets_estate(struct vrrp_sockets *sockets, const struct conf *conf, struct estate *e)
{
	estate_section(e, "VRRP sockets");
	if (!e->writing) {
		*sockets = (struct vrrp_sockets){ .conf = conf };
		sockets->at = calloc(conf->interfaces_n + 1, sizeof *sockets->at);
		if (!sockets->at) {
			estate_fail(e, "out of memory");
			return;
		}
	}
	estate_expect(e, conf->interfaces_n);
	for (size_t i = 0; i < conf->interfaces_n; i++)
		for (unsigned f = 0; f < IP_FAMILIES; f++) {
			estate_fd(e, &sockets->at[i][f].fd);
			estate_u32(e, &sockets->at[i][f].ifindex, INT32_MAX);
		}
}

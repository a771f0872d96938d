/*
 * vrrp_sockets.h - one raw socket (protocol 112) per interface and family that an instance uses.
 *
 * The guardian opens them, passes a duplicate to each worker and keeps its own for the wills.
 */
#pragma once

#include "conf/model.h"
#include "daemon/netwatch.h"

struct estate;

struct vrrp_socket {
	int fd;           /* -1 = not open */
	uint32_t ifindex; /* it is bound to */
};

struct vrrp_sockets {
	const struct conf *conf;
	const struct netwatch *watch;
	struct vrrp_socket (*at)[IP_FAMILIES]; /* by interface index of the configuration */
};

static inline struct vrrp_socket *
vrrp_socket(const struct vrrp_sockets *sockets, uint32_t interface, uint8_t family)
{
	return &sockets->at[interface][ip_family_index(family)];
}

/* Does an instance of this family send or receive on this interface? */
bool vrrp_sockets_wanted(const struct conf *conf, uint32_t interface, uint8_t family);

/* Opens those whose interface is there, or duplicates the equal one of `from` (NULL = none), which
 * keeps what waits in its queue; a failure is logged by name.  0 or -errno of the last. */
int vrrp_sockets_init(struct vrrp_sockets *sockets, const struct conf *conf,
		      const struct netwatch *watch, const struct vrrp_sockets *from);
void vrrp_sockets_fini(struct vrrp_sockets *sockets);

/* After a change of links: opens the socket of an interface that (re)appeared.  True if there is a
 * new one for the worker. */
bool vrrp_sockets_refresh(struct vrrp_sockets *sockets, uint32_t interface, uint8_t family);

/* Throws away what has queued up while nobody was reading. */
void vrrp_sockets_discard(struct vrrp_sockets *sockets);

/* Both ways (estate.h).  Read, they are good as `from` of vrrp_sockets_init. */
void vrrp_sockets_estate(struct vrrp_sockets *sockets, const struct conf *conf, struct estate *e);

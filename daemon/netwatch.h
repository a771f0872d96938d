/*
 * netwatch.h - what the kernel says of links and addresses, through libnl.
 *
 * Events only ring: whatever concerns the file's interfaces or VIPs makes the present state be read
 * anew, once per turn of the loop and after everything queued has been looked at.  So there are no
 * stale events to act on, and a receive queue that overran is one more reason to look.
 */
#pragma once

#include "common/loop.h"
#include "conf/model.h"

struct estate;
struct nl_sock;

struct netwatch_link {
	bool present, up; /* up: IFF_UP and IFF_RUNNING */
	bool arp;         /* Ethernet, and neighbours are resolved: announcements make sense */
	uint32_t ifindex;
	uint32_t mtu;
	uint8_t mac[6];
	struct ip primary;     /* first IPv4 address that is the host's own; AF_UNSPEC = none */
	struct ip primary6;    /* first link-local one likewise, once it can be used */
	uint64_t sources_lost; /* conf_instance_bit of those here whose unicast_src is missing */
};

/* One VIP of the file, by address; the array is sorted. */
struct netwatch_vip {
	struct ip ip;
	uint32_t instance, vip; /* indexes */
	bool present;           /* on its own interface with its own prefix length */
	bool native;            /* the owner's (priority 255), on this host before we came */
};

/* An address of this host that equals a VIP of the file, wherever and at whatever length. */
struct netwatch_found {
	struct ip ip;
	struct ip peer; /* of a point-to-point address; AF_UNSPEC = it has none */
	uint32_t ifindex;
	uint8_t prefix_len;
	bool usable;         /* no duplicate, and not being probed for one */
	uint32_t lifetime_s; /* what is left of it; UINT32_MAX = for ever */
};

struct netwatch {
	const struct conf *conf;
	struct loop *loop;
	struct nl_sock *events, *query;
	struct loop_fd ready;
	bool dirty;
	struct netwatch_link *links; /* by interface index of the configuration */
	struct netwatch_vip *vips;
	size_t vips_n;
	struct netwatch_found *found;
	size_t found_n, found_size;
	void (*on_change)(void *ctx); /* the state was read anew */
	void *ctx;
};

/* Subscribes and reads the state for the first time (without on_change).  `from` (NULL = none) is the
 * watch of a former configuration: it knows which VIPs are an owner's, and which are there because
 * we put them there.  0 or -errno. */
int netwatch_init(struct netwatch *watch, struct loop *loop, const struct conf *conf,
		  const struct netwatch *from, void (*on_change)(void *ctx), void *ctx);
void netwatch_fini(struct netwatch *watch);

/* Reads links and addresses now.  0 or -errno; the old state stays then. */
int netwatch_sync(struct netwatch *watch);

/* The first of the VIPs (there may be equal ones) with this address, or NULL. */
struct netwatch_vip *netwatch_find(const struct netwatch *watch, const struct ip *ip);

/* Does the address that was found belong to this VIP?  A link-local one does only on the VIP's own
 * interface: elsewhere it is another address. */
bool netwatch_is(const struct netwatch *watch, const struct netwatch_vip *vip,
		 const struct netwatch_found *found);

/* Is the address a VIP of the file that this host has natively? */
bool netwatch_is_native(const struct netwatch *watch, const struct ip *ip);

static inline const struct netwatch_link *
netwatch_link(const struct netwatch *watch, uint32_t interface)
{
	return &watch->links[interface];
}

/* VIP number `vip` of `instance`. */
const struct netwatch_vip *netwatch_vip(const struct netwatch *watch, uint32_t instance,
					uint32_t vip);

/* Both ways (estate.h): which VIPs are an owner's.  Read, it is good as `from` of netwatch_init. */
void netwatch_estate(struct netwatch *watch, const struct conf *conf, struct estate *e);

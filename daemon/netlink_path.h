/*
 * netlink_path.h - routes and rules of the file as netlink messages.  Pure.
 *
 * Both carry Tandem's own protocol number (NETLINK_PROTO).  The kernel compares it when it removes,
 * so that what others made of the same kind stays.
 */
#pragma once

#include "conf/route.h"
#include "daemon/netlink_write.h"

/* Room that one message takes at most. */
#define NETLINK_PATH_SIZE 1536

/*
 * ifindexes[i] is that of the interface of hop i; 0 = none.  lease_s: what the kernel is to forget
 * by itself, 0 = nothing; it can with IPv6 only, and of routes with several hops it cannot.
 *
 * NETLINK_CREATE of a route that is there gives -EEXIST, and sets its lease anew; equal ones of
 * others stay behind it.
 */
struct nlmsghdr *netlink_encode_route(void *buffer, enum netlink_verb verb,
				      const struct conf_route *route,
				      const uint32_t ifindexes[CONF_HOPS_MAX], uint32_t lease_s);

struct nlmsghdr *netlink_encode_rule(void *buffer, enum netlink_verb verb,
				     const struct conf_rule *rule);

/* A message of a dump turned into the request to remove what it is about, if that is ours; NULL if
 * it is not, or does not fit `size` bytes of `buffer`. */
struct nlmsghdr *netlink_encode_removal(void *buffer, size_t size, const struct nlmsghdr *found);

/* Does an event mean that something of ours may be missing: it was removed, or somebody replaced a
 * route? */
bool netlink_path_lost(const struct nlmsghdr *event);

/*
 * vrrp_send.h - one advertisement out of a raw socket, for the worker and for the wills.
 */
#pragma once

#include "common/addr.h"

#include <stddef.h>

/*
 * Sends `len` octets of PDU from `source` to `to` (of one family).  The source goes beside the packet
 * (IP_PKTINFO): the socket is shared by the instances of an interface and bound to none of their
 * addresses.  So does a TTL (or hop limit) other than the socket's own (0).  ifindex: 0 = the
 * interface the socket is bound to.  Never waits.  0 or -errno.
 */
int vrrp_send(int fd, uint32_t ifindex, const struct ip *source, const struct ip *to, uint8_t ttl,
	      const void *pdu, size_t len);

/*
 * outbound.h - the sockets on which servers are connected to: by sessions and by checks alike.
 */
#pragma once

#include "proxy/backend.h"

/*
 * A socket that has begun to connect to `to` as the server's `source`, `interface`, `tcp-ut` and
 * `tfo` want it, or -errno.  EADDRNOTAVAIL: the source address is not this host's, as a virtual one
 * of a backup.  `random` chooses among source ports.
 */
int outbound_connect(const struct server *server, const struct sock_addr *to, uint64_t random);

/* Why outbound_connect failed, if there is more to say than errno does; NULL = nothing. */
const char *outbound_reason(const struct server *server, int error);

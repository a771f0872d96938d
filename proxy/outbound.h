/*
 * outbound.h - the sockets on which servers are connected to: by sessions and by checks alike.
 */
#pragma once

#include "proxy/backend.h"

/*
 * A socket that has begun to connect to `to` as the server's `source`, `interface`, `tcp-ut` and
 * `tfo` want it, or -errno.  EADDRNOTAVAIL: the source address is not this host's, as a virtual one
 * of a backup.  `random` chooses among source ports.  With `patient` the ACK that completes the
 * handshake waits for what this side says next; a close without a word spares the server the
 * connection.  Not for who waits to be greeted: that ACK is what the server waits for, up to 40 ms.
 */
int outbound_connect(const struct server *server, const struct sock_addr *to, uint64_t random,
		     bool patient);

/* Why outbound_connect failed, if there is more to say than errno does; NULL = nothing. */
const char *outbound_reason(const struct server *server, int error);

/*
 * outbound.h - the sockets on which servers are connected to: by sessions and by checks alike.
 */
#pragma once

#include "proxy/backend.h"

/* For whom. */
struct outbound_ask {
	uint64_t random; /* chooses among source ports */
	bool patient;    /* see below */
	struct stock *
		stock; /* the thread's; NULL = a check, which never comes from a client's address */
	struct ip client; /* AF_UNSPEC = one without */
	uint16_t client_port;
};

/*
 * A socket that has begun to connect to `to` as the server's `source`, `interface`, `tcp-ut` and
 * `tfo` want it, or -errno.  EADDRNOTAVAIL: the source address is not this host's, as a virtual one
 * of a backup; EADDRINUSE: no port of its range is free; ENOBUFS: there is no socket in stock for `usesrc`;
 * EAFNOSUPPORT: `usesrc`, and client and server are of two families.  When `patient`, the ACK that
 * completes the handshake waits for what this side says next; a close without a word spares the server
 * the connection.  Not for who waits to be greeted: that ACK is what the server waits for, up to 40 ms.
 */
int outbound_connect(const struct server *server, const struct sock_addr *to,
		     const struct outbound_ask *ask);

/* Why outbound_connect failed, if there is more to say than errno does; NULL = nothing. */
const char *outbound_reason(const struct server *server, int error);

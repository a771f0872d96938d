/*
 * tls_conn.h - TLS between a conn's socket and what reads and writes it.
 *
 * A conn gets TLS before anything is read from it.  Until tls_handshake says so, nobody else may
 * read or write; from then on conn_ops do, and relay, timeouts and closing know nothing of it.
 */
#pragma once

#include "proxy/conn.h"

#include <openssl/ssl.h>

/* Once in a process, before contexts are made.  Repeating it is harmless. */
void tls_conn_init(void);

/* What every context needs for its conns. */
void tls_conn_prepare(SSL_CTX *ctx);

/* We are the server.  0 or -ENOMEM. */
int tls_accept(struct conn *c, SSL_CTX *ctx);

struct tls_asked {
	const char *sni;    /* host to ask for; NULL = none */
	const char *alpn;   /* "h2,http/1.1"; NULL = what the context offers */
	const char *verify; /* name or address the certificate must have; NULL = any */
	/* Of the calling thread: the session to resume, replaced by a newer one.  NULL = none. */
	SSL_SESSION **session;
};

/* We are the client, and the socket is connected.  0 or -ENOMEM. */
int tls_connect(struct conn *c, SSL_CTX *ctx, const struct tls_asked *asked);

/*
 * Goes on with the handshake as far as the socket allows: 1 done, 0 waits for an edge, or -errno:
 * -EPROTO if it was refused by either side, -ECONNRESET if the peer has gone.
 */
int tls_handshake(struct conn *c);

/* The host that a client has asked for, or NULL. */
const char *tls_host_asked(const struct conn *c);

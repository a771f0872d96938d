/*
 * tls.h - TLS for the clients of a bench.  One context; certificates are not checked, since what a
 * client thinks of them costs the proxy nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ssl_st;

/* Before the first connection.  `resume`: connections after the first one offer its session. */
void tls_begin(bool resume);

/* TLS on a socket that may still be connecting. */
struct ssl_st *tls_open(int fd);
void tls_close(struct ssl_st *ssl);

/* As send and recv; the handshake is part of the first. */
ssize_t tls_send(struct ssl_st *ssl, const void *data, size_t len);
ssize_t tls_recv(struct ssl_st *ssl, void *data, size_t len);

/* Handshakes that resumed a session. */
unsigned long long tls_resumed(void);

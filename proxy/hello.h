/*
 * hello.h - what a connection's first bytes say: TLS hellos (RFC 8446 section 4, RFC 6066 section 3,
 * RFC 7301), RDP's connection request, the beginning of HTTP.  Pure: no I/O, no allocation; every
 * byte comes from outside.
 *
 * The functions return HELLO_WAIT while more bytes could make the answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hello_result {
	HELLO_NONE, /* it is something else, or does not have what is asked for */
	HELLO_WAIT,
	HELLO_FOUND,
};

struct hello_text {
	const char *data; /* within the bytes that were given */
	size_t len;
};

/* The type of the first handshake message, once it is all there. */
enum hello_result hello_type(const void *data, size_t len, int64_t *type);

/* The version that a ClientHello offers in its own field: major << 16 | minor. */
enum hello_result hello_version(const void *data, size_t len, int64_t *version);

/* The host a ClientHello asks for. */
enum hello_result hello_host(const void *data, size_t len, struct hello_text *host);

/* Its `index`th application protocol. */
enum hello_result hello_alpn(const void *data, size_t len, unsigned index, struct hello_text *name);

/* Does it have the extension of elliptic curves (HELLO_FOUND)? */
enum hello_result hello_curves(const void *data, size_t len);

/* 0: no session ticket extension; 1: an empty one; 2: with a ticket. */
enum hello_result hello_ticket(const void *data, size_t len, int64_t *state);

/* The value of an RDP cookie; of any, with `name` empty. */
enum hello_result hello_rdp_cookie(const void *data, size_t len, const struct hello_text *name,
				   struct hello_text *value);

/* Is it a complete HTTP/1 request head? */
enum hello_result hello_http(const void *data, size_t len);

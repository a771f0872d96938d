/*
 * alpn.h - protocols to be agreed on within TLS (RFC 7301 section 3.1).
 */
#pragma once

#include <stddef.h>

#define ALPN_WIRE_MAX 256

/* "h2,http/1.1" as it goes over the wire; its length, or -1 if it is no such list or does not fit. */
int alpn_wire(const char *text, unsigned char *wire, size_t size);

/*
 * tls_facts.h - what a finished handshake with a client has agreed on, for servers that are told.
 */
#pragma once

#include "proxy/conn.h"

#include <stddef.h>

struct tls_facts {
	const char *version, *cipher, *host; /* host: NULL = none asked for */
	const char *alpn;                    /* not terminated; NULL = none */
	size_t alpn_len;
	bool client_cert, resumed;
	uint32_t verify;         /* OpenSSL's result; 0 = verified, or nobody asked */
	char common_name[128];   /* of the client's certificate; "" = none */
	char cert_signature[64]; /* of our certificate: "ecdsa-with-SHA256" */
	char cert_key[16];       /* "EC256", "RSA2048" */
};

/* Pointers are valid as long as the connection; false: it has no TLS. */
bool tls_facts(const struct conn *c, struct tls_facts *facts);

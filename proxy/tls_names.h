/*
 * tls_names.h - which certificate is for the host a client asks for.  Pure.
 *
 * Names are added in the order of the file and sorted once; of equal ones the first counts.  An
 * exact name comes before a wildcard; a wildcard stands for one label (RFC 6125, section 6.4.3).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_NAMES_NONE UINT32_MAX

struct tls_name {
	char *name; /* lower case; of a wildcard what follows the star: ".example.com" */
	uint32_t certificate;
	uint32_t order;
	bool excluded; /* "!name" of a crt-list: not by this certificate's wildcard */
};

struct tls_names {
	struct tls_name *at;
	size_t n;
};

/* `name`: a host, "*.example.com" or, excluded from wildcards, "!host".  Out of memory aborts. */
void tls_names_add(struct tls_names *names, const char *name, size_t len, uint32_t certificate);

/* After the last was added. */
void tls_names_sort(struct tls_names *names);

/* The certificate for `host`, or TLS_NAMES_NONE.  A trailing dot does not count. */
uint32_t tls_names_find(const struct tls_names *names, const char *host);

void tls_names_fini(struct tls_names *names);

/*
 * tls_pem.h - from the bytes of a file to what OpenSSL keeps.
 *
 * Each function returns NULL, or why it cannot be: the end of a sentence about the file, in memory
 * of the calling thread that the next call overwrites.
 */
#pragma once

#include "proxy/tls_files.h"

#include <openssl/ssl.h>

/*
 * Certificate, chain and key in any order; the first certificate is the one shown.  Without a key
 * in the file it is in PATH.key.  An answer of the authority in PATH.ocsp is checked for its form.
 */
const char *tls_pem_identity(SSL_CTX *ctx, struct tls_files *files, const char *path);

/*
 * The authorities of `ca`, and what those of `crl` (NULL = none) have revoked; a directory means
 * all of its files.  *failed: the path it is about.  The store is the caller's.
 */
const char *tls_pem_authorities(X509_STORE **store, struct tls_files *files, const char *ca,
				const char *crl, const char **failed);

/* "it says why" from OpenSSL's last error, which is cleared. */
const char *tls_pem_reason(const char *what);

/*
 * tls_context.h - the parts contexts are made of.  Private to tls*.c.
 *
 * What is wrong is reported at the word of the configuration that it comes from.
 */
#pragma once

#include "conf/report.h"
#include "proxy/tls_files.h"

#include <openssl/ssl.h>

struct tls_maker {
	const struct conf *conf;
	struct tls_files *files;
	struct reporter *reporter;
	struct tls_store *stores; /* of authorities, each made once */
};

/* A path of the file, below `base` (NULL = none) unless it is absolute; in `buffer` if joined. */
const char *tls_path(const char *base, const char *path, char *buffer, size_t size);

/* Versions, ciphers, curves and modes; `defaults` are those of the global section. */
void tls_context_options(struct tls_maker *m, SSL_CTX *ctx, const struct conf_tls *tls,
			 const struct conf_tls *defaults, struct conf_pos pos);

/* ca-file and crl-file; a server's (`ask`) also tells clients whom it believes. */
void tls_context_authorities(struct tls_maker *m, SSL_CTX *ctx, const struct conf_tls *tls,
			     bool ask);
void tls_maker_fini(struct tls_maker *m);

/* tls_front.c: the certificates of a bind.  NULL after an error. */
struct tls_front;
struct tls_front *tls_front_new(struct tls_maker *m, const struct conf_bind *bind);
SSL_CTX *tls_front_context(const struct tls_front *front);
void tls_front_free(struct tls_front *front);

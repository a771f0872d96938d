/*
 * tls.h - all TLS contexts of a configuration.
 *
 * Made twice from the same files: by the guardian, to tell what is wrong with them before anything
 * starts, and by the worker, to use them.  Contexts are shared by all threads, and with them the
 * keys of tickets and the cache of sessions; they do not change while the proxy runs.
 */
#pragma once

#include "conf/report.h"
#include "proxy/tls_files.h"

#include <openssl/ssl.h>

struct tls;

/* Does anything in the configuration speak TLS? */
bool tls_wanted(const struct conf *conf);

/* Everything that is wrong goes to the reporter; with an error the result may only be freed. */
struct tls *tls_new(const struct conf *conf, struct tls_files *files, struct reporter *reporter);
void tls_free(struct tls *tls); /* NULL is fine */

/* The context of a bind or a server, by its indexes in the configuration; NULL = plain. */
SSL_CTX *tls_of_bind(const struct tls *tls, uint32_t proxy, uint32_t bind);
SSL_CTX *tls_of_server(const struct tls *tls, uint32_t proxy, uint32_t server);

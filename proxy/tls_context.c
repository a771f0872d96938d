/*
 * tls_context.c - see tls_context.h.  Runs where contexts are made, on one thread.
 */
#include "proxy/tls_context.h"

#include "proxy/tls_conn.h"
#include "proxy/tls_pem.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

/* Authorities are read once, however many servers believe them. */
struct tls_store {
	struct tls_store *next;
	X509_STORE *store;
	char *ca, *crl; /* crl: NULL = none */
};

const char *
tls_path(const char *base, const char *path, char *buffer, size_t size)
{
	if (strcmp(path, "@system-ca") == 0)
		return SYSTEM_CA;
	if (*path == '/' || !base)
		return path;
	snprintf(buffer, size, "%s/%s", base, path);
	return buffer;
}

/* ------------------------------------------------------------------ options */

static void
set_versions(struct tls_maker *m, SSL_CTX *ctx, const struct conf_tls *tls,
	     const struct conf_tls *defaults, struct conf_pos pos)
{
	static const int numbers[] = {
		[CONF_TLS_ANY] = 0,
		[CONF_TLS_1_0] = TLS1_VERSION,
		[CONF_TLS_1_1] = TLS1_1_VERSION,
		[CONF_TLS_1_2] = TLS1_2_VERSION,
		[CONF_TLS_1_3] = TLS1_3_VERSION,
	};
	enum conf_tls_version min = tls->min_version ? tls->min_version : defaults->min_version;
	enum conf_tls_version max = tls->max_version ? tls->max_version : defaults->max_version;
	const bool without[] = {
		[CONF_TLS_1_0] = tls->no_tlsv10 || defaults->no_tlsv10,
		[CONF_TLS_1_1] = tls->no_tlsv11 || defaults->no_tlsv11,
		[CONF_TLS_1_2] = tls->no_tlsv12 || defaults->no_tlsv12,
		[CONF_TLS_1_3] = tls->no_tlsv13 || defaults->no_tlsv13,
	};
	static const uint64_t options[] = {
		[CONF_TLS_1_0] = SSL_OP_NO_TLSv1,
		[CONF_TLS_1_1] = SSL_OP_NO_TLSv1_1,
		[CONF_TLS_1_2] = SSL_OP_NO_TLSv1_2,
		[CONF_TLS_1_3] = SSL_OP_NO_TLSv1_3,
	};
	bool any = false;

	/* HAProxy's default; who wants older ones says so. */
	if (!min)
		min = max && max < CONF_TLS_1_2 ? max : CONF_TLS_1_2;
	SSL_CTX_set_min_proto_version(ctx, numbers[min]);
	SSL_CTX_set_max_proto_version(ctx, numbers[max]);
	for (int v = CONF_TLS_1_0; v <= CONF_TLS_1_3; v++) {
		if (without[v])
			SSL_CTX_set_options(ctx, options[v]);
		else if (v >= (int)min && (!max || v <= (int)max))
			any = true;
	}
	if (!any)
		conf_error(m->reporter, pos, "no version of TLS is left to be spoken");
}

static const char *
first_given(const char *own, const char *general)
{
	return own ? own : general;
}

void
tls_context_options(struct tls_maker *m, SSL_CTX *ctx, const struct conf_tls *tls,
		    const struct conf_tls *defaults, struct conf_pos pos)
{
	const char *ciphers = first_given(tls->ciphers, defaults->ciphers);
	const char *suites = first_given(tls->ciphersuites, defaults->ciphersuites);
	const char *curves = first_given(tls->curves, defaults->curves);

	tls_conn_prepare(ctx);
	/* A FIN without close_notify is an end like any other to those behind a proxy. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
					 SSL_OP_NO_COMPRESSION);
	if (!tls->client_ciphers && !defaults->client_ciphers)
		SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	if (tls->no_tickets || defaults->no_tickets)
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_dh_auto(ctx, 1);
	set_versions(m, ctx, tls, defaults, pos);
	ERR_clear_error();
	if (ciphers && SSL_CTX_set_cipher_list(ctx, ciphers) != 1)
		conf_error(m->reporter, pos, "`ciphers %.80s`: %s", ciphers,
			   tls_pem_reason("OpenSSL knows none of them"));
	if (suites && SSL_CTX_set_ciphersuites(ctx, suites) != 1)
		conf_error(m->reporter, pos, "`ciphersuites %.80s`: %s", suites,
			   tls_pem_reason("OpenSSL does not know them"));
	if (curves && SSL_CTX_set1_curves_list(ctx, curves) != 1)
		conf_error(m->reporter, pos, "`curves %.80s`: %s", curves,
			   tls_pem_reason("OpenSSL does not know them"));
	ERR_clear_error();
}

/* ------------------------------------------------------------------ authorities */

static bool
same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static X509_STORE *
find_store(struct tls_maker *m, const char *ca, const char *crl, struct conf_pos pos)
{
	struct tls_store *s;
	X509_STORE *store;
	const char *why, *failed;

	for (s = m->stores; s; s = s->next)
		if (same(s->ca, ca) && same(s->crl, crl))
			return s->store;
	why = tls_pem_authorities(&store, m->files, ca, crl, &failed);
	if (why) {
		conf_error(m->reporter, pos, "cannot use %.200s: %s", failed, why);
		return NULL;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		abort();
	*s = (struct tls_store){ m->stores, store, strdup(ca), crl ? strdup(crl) : NULL };
	if (!s->ca || (crl && !s->crl))
		abort();
	m->stores = s;
	return store;
}

/* The names of the authorities, for a client to choose its certificate by. */
static void
tell_names(SSL_CTX *ctx, X509_STORE *store)
{
	STACK_OF(X509) *all = X509_STORE_get1_all_certs(store);

	for (int i = 0; i < sk_X509_num(all); i++)
		SSL_CTX_add_client_CA(ctx, sk_X509_value(all, i));
	sk_X509_pop_free(all, X509_free);
}

void
tls_context_authorities(struct tls_maker *m, SSL_CTX *ctx, const struct conf_tls *tls, bool ask)
{
	char ca_buffer[4096], crl_buffer[4096];
	const char *base = m->conf->ca_base, *ca, *crl;
	X509_STORE *store;

	if (!tls->ca.path)
		return;
	ca = tls_path(base, tls->ca.path, ca_buffer, sizeof ca_buffer);
	crl = tls->crl.path ? tls_path(base, tls->crl.path, crl_buffer, sizeof crl_buffer) : NULL;
	store = find_store(m, ca, crl, tls->ca.pos);
	if (!store)
		return;
	SSL_CTX_set1_cert_store(ctx, store);
	if (ask)
		tell_names(ctx, store);
}

void
tls_maker_fini(struct tls_maker *m)
{
	while (m->stores) {
		struct tls_store *s = m->stores;

		m->stores = s->next;
		X509_STORE_free(s->store);
		free(s->ca);
		free(s->crl);
		free(s);
	}
}

/*
 * tls.c - see tls.h.  Made and freed on one thread, read by all.
 */
#include "proxy/tls.h"

#include "conf/alpn.h"

#include "proxy/tls_conn.h"
#include "proxy/tls_context.h"
#include "proxy/tls_pem.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* By index in the proxy. */
struct tls_proxy {
	struct tls_front **binds; /* those of one line are one, several times */
	SSL_CTX **servers;
};

struct tls {
	const struct conf *conf;
	struct tls_proxy *proxies;
};

bool
tls_wanted(const struct conf *conf)
{
	for (size_t i = 0; i < conf->proxies_n; i++) {
		const struct conf_proxy *px = &conf->proxies[i];

		for (size_t k = 0; k < px->binds_n; k++)
			if (px->binds[k].tls.on)
				return true;
		for (size_t k = 0; k < px->servers_n; k++)
			if (conf_server_wants_tls(px, &px->servers[k]))
				return true;
	}
	return false;
}

/* ------------------------------------------------------------------ servers */

static bool
same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_certificate(const struct conf_tls *a, const struct conf_tls *b)
{
	return a->certs_n == b->certs_n &&
	       (a->certs_n == 0 || same(a->certs[0].path, b->certs[0].path));
}

/* May two servers share a context?  Hosts and sessions are not part of it. */
static bool
alike(const struct conf_tls *a, const struct conf_tls *b)
{
	return same(a->ca.path, b->ca.path) && same(a->crl.path, b->crl.path) &&
	       same_certificate(a, b) && a->verify == b->verify &&
	       a->min_version == b->min_version && a->max_version == b->max_version &&
	       a->no_tlsv10 == b->no_tlsv10 && a->no_tlsv11 == b->no_tlsv11 &&
	       a->no_tlsv12 == b->no_tlsv12 && a->no_tlsv13 == b->no_tlsv13 &&
	       a->no_tickets == b->no_tickets && same(a->ciphers, b->ciphers) &&
	       same(a->ciphersuites, b->ciphersuites) && same(a->curves, b->curves) &&
	       same(a->alpn, b->alpn);
}

static SSL_CTX *
make_server(struct tls_maker *m, const struct conf_server *server)
{
	const struct conf *conf = m->conf;
	const struct conf_tls *tls = &server->tls;
	enum conf_tls_verify verify = tls->verify ? tls->verify : conf->tls_server.verify;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	unsigned char wire[ALPN_WIRE_MAX];
	char buffer[4096];
	const char *path, *why;
	int len;

	if (!ctx)
		abort();
	tls_context_options(m, ctx, tls, &conf->tls_server, server->pos);
	tls_context_authorities(m, ctx, tls, false);
	SSL_CTX_set_verify(ctx, verify == CONF_TLS_VERIFY_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
			   NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	if (tls->certs_n) {
		path = tls_path(conf->crt_base, tls->certs[0].path, buffer, sizeof buffer);
		why = tls_pem_identity(ctx, m->files, path);
		if (why)
			conf_error(m->reporter, tls->certs[0].pos, "cannot use %.200s: %s", path,
				   why);
	}
	if (tls->alpn) {
		len = alpn_wire(tls->alpn, wire, sizeof wire);
		if (len < 0)
			conf_error(m->reporter, server->pos,
				   "`alpn %.80s` is no list of protocols such as h2,http/1.1",
				   tls->alpn);
		else
			SSL_CTX_set_alpn_protos(ctx, wire, (unsigned)len);
	}
	return ctx;
}

static void
make_servers(struct tls_maker *m, const struct conf_proxy *px, struct tls_proxy *made)
{
	const struct conf_tls *last = NULL;
	SSL_CTX *ctx = NULL;

	for (size_t i = 0; i < px->servers_n; i++) {
		const struct conf_tls *tls = &px->servers[i].tls;

		if (!conf_server_wants_tls(px, &px->servers[i]))
			continue;
		if (last && alike(last, tls)) {
			SSL_CTX_up_ref(ctx);
		} else {
			ctx = make_server(m, &px->servers[i]);
			last = tls;
		}
		made->servers[i] = ctx;
	}
}

/* ------------------------------------------------------------------ binds */

/* A line with several addresses or a range of ports is many binds with the same words. */
static bool
same_line(const struct conf_bind *a, const struct conf_bind *b)
{
	return a->tls.on && b->tls.on && a->tls.certs == b->tls.certs;
}

static void
make_binds(struct tls_maker *m, const struct conf_proxy *px, struct tls_proxy *made)
{
	for (size_t i = 0; i < px->binds_n; i++) {
		if (!px->binds[i].tls.on)
			continue;
		if (i > 0 && same_line(&px->binds[i - 1], &px->binds[i]))
			made->binds[i] = made->binds[i - 1];
		else
			made->binds[i] = tls_front_new(m, &px->binds[i]);
	}
}

struct tls *
tls_new(const struct conf *conf, struct tls_files *files, struct reporter *reporter)
{
	struct tls_maker maker = { .conf = conf, .files = files, .reporter = reporter };
	struct tls *tls = calloc(1, sizeof *tls);

	tls_conn_init();
	if (tls)
		tls->proxies = calloc(conf->proxies_n + 1, sizeof *tls->proxies);
	if (!tls || !tls->proxies)
		abort();
	tls->conf = conf;
	for (size_t i = 0; i < conf->proxies_n; i++) {
		const struct conf_proxy *px = &conf->proxies[i];
		struct tls_proxy *made = &tls->proxies[i];

		made->binds = calloc(px->binds_n + 1, sizeof(struct tls_front *));
		made->servers = calloc(px->servers_n + 1, sizeof(SSL_CTX *));
		if (!made->binds || !made->servers)
			abort();
		make_binds(&maker, px, made);
		make_servers(&maker, px, made);
	}
	tls_maker_fini(&maker);
	return tls;
}

void
tls_free(struct tls *tls)
{
	if (!tls)
		return;
	for (size_t i = 0; i < tls->conf->proxies_n; i++) {
		const struct conf_proxy *px = &tls->conf->proxies[i];
		struct tls_proxy *made = &tls->proxies[i];

		for (size_t k = 0; k < px->binds_n; k++)
			if (k == 0 || made->binds[k] != made->binds[k - 1])
				tls_front_free(made->binds[k]);
		for (size_t k = 0; k < px->servers_n; k++)
			SSL_CTX_free(made->servers[k]);
		free(made->binds);
		free(made->servers);
	}
	free(tls->proxies);
	free(tls);
}

SSL_CTX *
tls_of_bind(const struct tls *tls, uint32_t proxy, uint32_t bind)
{
	const struct tls_front *front = tls ? tls->proxies[proxy].binds[bind] : NULL;

	return front ? tls_front_context(front) : NULL;
}

SSL_CTX *
tls_of_server(const struct tls *tls, uint32_t proxy, uint32_t server)
{
	return tls ? tls->proxies[proxy].servers[server] : NULL;
}

/*
 * tls_front.c - the certificates of a `bind`, and which of them a client is shown.
 *
 * Each certificate has a context of its own.  A handshake begins with the first one's, which also
 * has the keys of tickets and the cache of sessions; when the client has named a host, it goes on
 * with the certificate of that name.  Where a crt-list gives certificates parameters of their own
 * the choice comes before anything else is negotiated.  It runs on the session's thread and only
 * reads.
 */
#include "proxy/tls_context.h"

#include "proxy/tls_list.h"
#include "proxy/tls_names.h"
#include "proxy/tls_pem.h"

#include "conf/alpn.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALPN_MAX 256
#define HOST_MAX 255

/* Of OpenSSL, in its order: for a certificate without `curves` beside one that has them. */
#define ANY_CURVE "X25519:P-256:X448:P-521:P-384"

struct alpn {
	int len;
	unsigned char wire[ALPN_MAX];
};

struct certificate {
	SSL_CTX *ctx;
	struct tls_front *front;
	unsigned char *ocsp; /* stapled; NULL = none */
	long ocsp_len;
	struct alpn *alpn; /* its own; NULL = the bind's */
	char *curves;
};

struct tls_front {
	struct certificate **at;
	uint32_t n;
	struct tls_names names;
	bool strict_sni;
	bool tuned; /* some certificates have parameters of their own */
	struct alpn alpn;
};

/* ------------------------------------------------------------------ while a handshake runs */

/* Goes on with another context.  What OpenSSL has copied from the first one is set anew. */
static void
adopt(SSL *ssl, const struct certificate *certificate)
{
	SSL_CTX *ctx = certificate->ctx;

	SSL_set_SSL_CTX(ssl, ctx);
	if (!certificate->front->tuned)
		return;
	SSL_set_verify(ssl, SSL_CTX_get_verify_mode(ctx), NULL);
	SSL_set_min_proto_version(ssl, (int)SSL_CTX_get_min_proto_version(ctx));
	SSL_set_max_proto_version(ssl, (int)SSL_CTX_get_max_proto_version(ctx));
	SSL_set1_curves_list(ssl, certificate->curves ? certificate->curves : ANY_CURVE);
}

/* The host that a ClientHello names (RFC 6066, section 3); what is malformed OpenSSL refuses. */
static bool
read_host(SSL *ssl, char host[HOST_MAX + 1])
{
	const unsigned char *p;
	size_t len, host_len;

	if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &len) || len < 5 ||
	    p[2] != TLSEXT_NAMETYPE_host_name)
		return false;
	host_len = (size_t)(p[3] << 8 | p[4]);
	if (host_len > len - 5 || host_len > HOST_MAX)
		return false;
	memcpy(host, p + 5, host_len);
	host[host_len] = '\0';
	return true;
}

/* Before versions and everything else are agreed on. */
static int
greet(SSL *ssl, int *alert, void *arg)
{
	const struct tls_front *front = arg;
	char host[HOST_MAX + 1];
	uint32_t found =
		read_host(ssl, host) ? tls_names_find(&front->names, host) : TLS_NAMES_NONE;

	if (found != TLS_NAMES_NONE)
		adopt(ssl, front->at[found]);
	return SSL_CLIENT_HELLO_SUCCESS;
}

static int
choose_certificate(SSL *ssl, int *alert, void *arg)
{
	const struct tls_front *front = arg;
	const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	uint32_t found = host ? tls_names_find(&front->names, host) : TLS_NAMES_NONE;

	if (found != TLS_NAMES_NONE) {
		if (!front->tuned)
			adopt(ssl, front->at[found]);
		return SSL_TLSEXT_ERR_OK;
	}
	if (!front->strict_sni)
		return SSL_TLSEXT_ERR_NOACK;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		const unsigned char *in, unsigned int in_len, void *arg)
{
	const struct alpn *alpn = arg;
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, out_len, alpn->wire, (unsigned)alpn->len, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int
staple(SSL *ssl, void *arg)
{
	const struct certificate *certificate = arg;
	unsigned char *copy;

	if (!certificate->ocsp)
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(certificate->ocsp, (size_t)certificate->ocsp_len);
	if (!copy)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_tlsext_status_ocsp_resp(ssl, copy, certificate->ocsp_len);
	return SSL_TLSEXT_ERR_OK;
}

/* ------------------------------------------------------------------ while contexts are made */

/* What a bind is being made from. */
struct making {
	struct tls_maker *m;
	const struct conf_bind *bind;
	struct tls_front *front;
	bool bad; /* the words of the bind are wrong, and that has been said */
};

static void
set_verification(SSL_CTX *ctx, enum conf_tls_verify verify)
{
	int mode = SSL_VERIFY_NONE;

	if (verify == CONF_TLS_VERIFY_OPTIONAL)
		mode = SSL_VERIFY_PEER;
	else if (verify == CONF_TLS_VERIFY_REQUIRED)
		mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(ctx, mode, NULL);
}

/* A session is resumed by the bind that made it, with the parameters it was made with: cache and keys
 * are the bind's, the name is of the certificate where that has parameters of its own. */
static void
name_sessions(const struct certificate *certificate, bool tuned)
{
	unsigned char name[6 + sizeof(uint32_t)] = "tandem";

	if (tuned)
		memcpy(name + 6, &certificate->front->n, sizeof(uint32_t));
	SSL_CTX_set_session_id_context(certificate->ctx, name, tuned ? sizeof name : 6);
}

static void
read_alpn(struct making *k, const char *text, struct alpn *alpn, struct conf_pos pos)
{
	alpn->len = alpn_wire(text, alpn->wire, ALPN_MAX);
	if (alpn->len >= 0)
		return;
	alpn->len = 0;
	conf_error(k->m->reporter, pos, "`alpn %.80s` is no list of protocols such as h2,http/1.1",
		   text);
}

/* What only a certificate with parameters of its own has. */
static void
tune(struct making *k, struct certificate *certificate, const struct conf_tls *tls,
     struct conf_pos pos)
{
	const char *curves = tls->curves ? tls->curves : k->m->conf->tls_bind.curves;

	k->front->tuned = true;
	if (tls->verify > CONF_TLS_VERIFY_NONE && !tls->ca.path)
		conf_error(k->m->reporter, pos, "`verify` needs a `ca-file`");
	if (tls->alpn != k->bind->tls.alpn) {
		certificate->alpn = calloc(1, sizeof *certificate->alpn);
		if (!certificate->alpn)
			abort();
		read_alpn(k, tls->alpn, certificate->alpn, pos);
	}
	certificate->curves = curves ? strdup(curves) : NULL;
}

/* Contexts of a bind are equal but for the certificate and what a crt-list says of it. */
static void
configure(struct making *k, struct certificate *certificate, const struct conf_tls *tls,
	  struct conf_pos pos)
{
	const struct conf *conf = k->m->conf;
	SSL_CTX *ctx = certificate->ctx;
	struct tls_front *front = k->front;
	size_t errors = k->m->reporter->report->errors;
	bool tuned = tls != &k->bind->tls;
	struct alpn *alpn;

	if (k->bad)
		return;
	tls_context_options(k->m, ctx, tls, &conf->tls_bind, tuned ? pos : k->bind->pos);
	tls_context_authorities(k->m, ctx, tls, true);
	k->bad = !tuned && k->m->reporter->report->errors != errors;
	set_verification(ctx, tls->verify);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	SSL_CTX_sess_set_cache_size(ctx, conf->tls_cache_n);
	SSL_CTX_set_timeout(ctx, conf->tls_lifetime_s ? conf->tls_lifetime_s : 300);
	name_sessions(certificate, tuned);
	if (tuned)
		tune(k, certificate, tls, pos);
	SSL_CTX_set_tlsext_servername_callback(ctx, choose_certificate);
	SSL_CTX_set_tlsext_servername_arg(ctx, front);
	SSL_CTX_set_tlsext_status_cb(ctx, staple);
	SSL_CTX_set_tlsext_status_arg(ctx, certificate);
	alpn = certificate->alpn ? certificate->alpn : &front->alpn;
	if (alpn->len)
		SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, alpn);
}

static void
add_asn1_name(struct tls_front *front, const ASN1_STRING *name)
{
	tls_names_add(&front->names, (const char *)ASN1_STRING_get0_data(name),
		      (size_t)ASN1_STRING_length(name), front->n - 1);
}

/* The hosts of a certificate: its alternative names and, as HAProxy has it, its common name. */
static void
add_own_names(struct tls_front *front, X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	X509_NAME *subject = X509_get_subject_name(x);
	int at = -1;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			add_asn1_name(front, name->d.dNSName);
	}
	GENERAL_NAMES_free(names);
	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
		add_asn1_name(front, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

static void
keep_ocsp(struct making *k, struct certificate *certificate, const char *path)
{
	const struct tls_file *file;
	char name[4096];

	snprintf(name, sizeof name, "%s.ocsp", path);
	file = tls_files_get(k->m->files, name);
	if (file->error || file->len == 0)
		return;
	certificate->ocsp = OPENSSL_memdup(file->data, file->len);
	certificate->ocsp_len = certificate->ocsp ? (long)file->len : 0;
}

/* A certificate that is shown for `filters` (NULL or none: for its own names). */
static void
add_certificate(struct making *k, const char *path, const struct conf_tls *tls, char *filters,
		struct conf_pos pos)
{
	struct tls_front *front = k->front;
	struct certificate *new = calloc(1, sizeof *new), **at;
	const char *why;
	char *rest = NULL;
	bool own = true;

	if (!new)
		abort();
	new->ctx = SSL_CTX_new(TLS_server_method());
	if (!new->ctx)
		abort();
	at = reallocarray(front->at, front->n + 1, sizeof(struct certificate *));
	if (!at)
		abort();
	front->at = at;
	at[front->n++] = new;
	new->front = front;
	why = tls_pem_identity(new->ctx, k->m->files, path);
	if (why) {
		conf_error(k->m->reporter, pos, "cannot use %.200s: %s", path, why);
		return;
	}
	configure(k, new, tls, pos);
	keep_ocsp(k, new, path);
	for (char *word = filters ? strtok_r(filters, " \t\r", &rest) : NULL; word;
	     word = strtok_r(NULL, " \t\r", &rest)) {
		tls_names_add(&front->names, word, strlen(word), front->n - 1);
		own = false;
	}
	if (own)
		add_own_names(front, SSL_CTX_get0_certificate(new->ctx));
}

static void
add_directory(struct making *k, const struct tls_file *directory, struct conf_pos pos)
{
	for (const char *name = directory->data; name < directory->data + directory->len;
	     name += strlen(name) + 1) {
		char path[4096];

		snprintf(path, sizeof path, "%s/%s", directory->path, name);
		/* A directory within is not looked into. */
		if (!tls_files_get(k->m->files, path)->directory)
			add_certificate(k, path, &k->bind->tls, NULL, pos);
	}
}

static void
add_path(struct making *k, const char *path, struct conf_pos pos)
{
	const struct tls_file *file = tls_files_get(k->m->files, path);
	uint32_t before = k->front->n;

	if (file->directory)
		add_directory(k, file, pos);
	else
		add_certificate(k, path, &k->bind->tls, NULL, pos);
	if (k->front->n == before)
		conf_error(k->m->reporter, pos, "there is no certificate in %.200s", path);
}

static void
add_list_line(struct making *k, const char *list, unsigned number, char *line, struct conf_pos pos)
{
	struct tls_list_line read;
	char buffer[4096];
	const char *path, *at, *why = tls_list_read(line, &k->bind->tls, &read, &at);

	if (why) {
		conf_error(k->m->reporter, pos, "%.200s:%u: `%.80s`: %s", list, number, at, why);
		return;
	}
	if (!read.path)
		return;
	read.tls.ca.pos = pos;
	path = tls_path(k->m->conf->crt_base, read.path, buffer, sizeof buffer);
	if (!tls_files_get(k->m->files, path)->directory)
		add_certificate(k, path, read.tuned ? &read.tls : &k->bind->tls, read.filters, pos);
	else if (read.tuned)
		conf_error(k->m->reporter, pos, "%.200s:%u: a directory has no parameters", list,
			   number);
	else
		add_path(k, path, pos);
}

static void
add_list(struct making *k, const char *path, struct conf_pos pos)
{
	const struct tls_file *file = tls_files_get(k->m->files, path);
	char *text, *next;
	size_t errors = k->m->reporter->report->errors;
	unsigned number = 1;

	if (file->error || file->directory) {
		conf_error(k->m->reporter, pos, "cannot use %.200s: %s", path,
			   file->error ? strerror(file->error) : "it is a directory");
		return;
	}
	text = strndup(file->data, file->len);
	if (!text)
		abort();
	for (char *line = text; line; line = next, number++) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		add_list_line(k, path, number, line, pos);
	}
	free(text);
	if (k->front->n == 0 && k->m->reporter->report->errors == errors)
		conf_error(k->m->reporter, pos, "there is no certificate in %.200s", path);
}

struct tls_front *
tls_front_new(struct tls_maker *m, const struct conf_bind *bind)
{
	const struct conf_tls *tls = &bind->tls;
	struct making k = { m, bind, calloc(1, sizeof *k.front), false };
	size_t errors = m->reporter->report->errors;
	char buffer[4096];

	if (!k.front)
		abort();
	k.front->strict_sni = tls->strict_sni || m->conf->tls_bind.strict_sni;
	if (tls->alpn)
		read_alpn(&k, tls->alpn, &k.front->alpn, bind->pos);
	for (size_t i = 0; i < tls->certs_n; i++) {
		const struct conf_file *file = &tls->certs[i];
		const char *path = tls_path(m->conf->crt_base, file->path, buffer, sizeof buffer);

		if (file->list)
			add_list(&k, path, file->pos);
		else
			add_path(&k, path, file->pos);
	}
	tls_names_sort(&k.front->names);
	if (k.front->tuned)
		SSL_CTX_set_client_hello_cb(k.front->at[0]->ctx, greet, k.front);
	if (m->reporter->report->errors == errors && k.front->n > 0)
		return k.front;
	tls_front_free(k.front);
	return NULL;
}

SSL_CTX *
tls_front_context(const struct tls_front *front)
{
	return front->at[0]->ctx;
}

void
tls_front_free(struct tls_front *front)
{
	if (!front)
		return;
	for (uint32_t i = 0; i < front->n; i++) {
		SSL_CTX_free(front->at[i]->ctx);
		OPENSSL_free(front->at[i]->ocsp);
		free(front->at[i]->alpn);
		free(front->at[i]->curves);
		free(front->at[i]);
	}
	free(front->at);
	tls_names_fini(&front->names);
	free(front);
}

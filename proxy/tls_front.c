/*
 * tls_front.c - the certificates of a `bind`, and which of them a client is shown.
 *
 * Each certificate has a context of its own.  A handshake begins with the first one's, which also
 * has the keys of tickets and the cache of sessions; when the client has named a host, it goes on
 * with the certificate of that name.  The choice runs on the session's thread and only reads.
 */
#include "proxy/tls_context.h"

#include "proxy/tls_names.h"
#include "proxy/tls_pem.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALPN_MAX 256

struct certificate {
	SSL_CTX *ctx;
	unsigned char *ocsp; /* stapled; NULL = none */
	long ocsp_len;
};

struct tls_front {
	struct certificate **at;
	uint32_t n;
	struct tls_names names;
	bool strict_sni;
	unsigned char alpn[ALPN_MAX];
	int alpn_len;
};

/* ------------------------------------------------------------------ while a handshake runs */

static int
choose_certificate(SSL *ssl, int *alert, void *arg)
{
	const struct tls_front *front = arg;
	const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	uint32_t found = host ? tls_names_find(&front->names, host) : TLS_NAMES_NONE;

	if (found != TLS_NAMES_NONE) {
		SSL_set_SSL_CTX(ssl, front->at[found]->ctx);
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
	const struct tls_front *front = arg;
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, out_len, front->alpn, (unsigned)front->alpn_len, in,
				  in_len) != OPENSSL_NPN_NEGOTIATED)
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

/* All contexts of a bind are equal but for the certificate. */
static void
configure(struct making *k, struct certificate *certificate)
{
	const struct conf *conf = k->m->conf;
	SSL_CTX *ctx = certificate->ctx;
	struct tls_front *front = k->front;
	size_t errors = k->m->reporter->report->errors;

	if (k->bad)
		return;
	tls_context_options(k->m, ctx, &k->bind->tls, &conf->tls_bind, k->bind->pos);
	tls_context_authorities(k->m, ctx, &k->bind->tls, true);
	k->bad = k->m->reporter->report->errors != errors;
	set_verification(ctx, k->bind->tls.verify);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	SSL_CTX_sess_set_cache_size(ctx, conf->tls_cache_n);
	SSL_CTX_set_timeout(ctx, conf->tls_lifetime_s ? conf->tls_lifetime_s : 300);
	/* A session is resumed by the bind that made it: the cache and the keys are its own. */
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"tandem", 6);
	SSL_CTX_set_tlsext_servername_callback(ctx, choose_certificate);
	SSL_CTX_set_tlsext_servername_arg(ctx, front);
	SSL_CTX_set_tlsext_status_cb(ctx, staple);
	SSL_CTX_set_tlsext_status_arg(ctx, certificate);
	if (front->alpn_len)
		SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, front);
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

/* A certificate that is shown for `filters` (NULL: for its own names). */
static void
add_certificate(struct making *k, const char *path, char *filters, struct conf_pos pos)
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
	why = tls_pem_identity(new->ctx, k->m->files, path);
	if (why) {
		conf_error(k->m->reporter, pos, "cannot use %.200s: %s", path, why);
		return;
	}
	configure(k, new);
	keep_ocsp(k, new, path);
	for (char *word = filters ? strtok_r(filters, " \t\r", &rest) : NULL; word;
	     word = strtok_r(NULL, " \t\r", &rest)) {
		tls_names_add(&front->names, word, strlen(word), front->n - 1);
		own = own && *word == '!';
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
			add_certificate(k, path, NULL, pos);
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
		add_certificate(k, path, NULL, pos);
	if (k->front->n == before)
		conf_error(k->m->reporter, pos, "there is no certificate in %.200s", path);
}

/* "FILE [PARAMETERS] HOST…"; the parameters in brackets are refused. */
static void
add_list_line(struct making *k, const char *list, unsigned number, char *line, struct conf_pos pos)
{
	char buffer[4096], *path, *rest;
	const char *base = k->m->conf->crt_base;

	line[strcspn(line, "#")] = '\0';
	path = strtok_r(line, " \t\r", &rest);
	if (!path)
		return;
	rest += strspn(rest, " \t");
	if (*rest == '[') {
		conf_error(k->m->reporter, pos,
			   "%.200s:%u: parameters in brackets come with a later version", list,
			   number);
		return;
	}
	path = (char *)(uintptr_t)tls_path(base, path, buffer, sizeof buffer);
	if (tls_files_get(k->m->files, path)->directory)
		add_path(k, path, pos);
	else
		add_certificate(k, path, rest, pos);
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
	if (tls->alpn) {
		k.front->alpn_len = tls_alpn_wire(tls->alpn, k.front->alpn, ALPN_MAX);
		if (k.front->alpn_len < 0)
			conf_error(m->reporter, bind->pos,
				   "`alpn %.80s` is no list of protocols such as h2,http/1.1",
				   tls->alpn);
	}
	for (size_t i = 0; i < tls->certs_n; i++) {
		const struct conf_file *file = &tls->certs[i];
		const char *path = tls_path(m->conf->crt_base, file->path, buffer, sizeof buffer);

		if (file->list)
			add_list(&k, path, file->pos);
		else
			add_path(&k, path, file->pos);
	}
	tls_names_sort(&k.front->names);
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
		free(front->at[i]);
	}
	free(front->at);
	tls_names_fini(&front->names);
	free(front);
}

/*
 * sample_tls.c - fetches that ask about TLS on either side and about certificates.  Run by the
 * session's thread, while the connection stands.
 */
#include "proxy/sample.h"

#include "proxy/session.h"
#include "proxy/tls_conn.h"

#include "conf/expr_words.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static enum sample_result
text(struct sample *sample, const char *s)
{
	return s ? sample_text(sample, SAMPLE_STR, s, strlen(s)) : SAMPLE_NONE;
}

/* ------------------------------------------------------------------ the connection */

static enum sample_result
fetch_alpn(SSL *ssl, struct sample *sample)
{
	const unsigned char *name = NULL;
	unsigned len = 0;

	SSL_get0_alpn_selected(ssl, &name, &len);
	return len ? sample_text(sample, SAMPLE_STR, (const char *)name, len) : SAMPLE_NONE;
}

static enum sample_result
fetch_keysize(SSL *ssl, bool used, struct sample *sample)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	int bits, algorithm_bits = 0;

	if (!cipher)
		return SAMPLE_NONE;
	bits = SSL_CIPHER_get_bits(cipher, &algorithm_bits);
	return sample_number(sample, SAMPLE_INT, used ? bits : algorithm_bits);
}

static enum sample_result
fetch_session_id(SSL *ssl, struct sample *sample)
{
	const SSL_SESSION *session = SSL_get_session(ssl);
	const unsigned char *id;
	unsigned len = 0;

	if (!session)
		return SAMPLE_NONE;
	id = SSL_SESSION_get_id(session, &len);
	return sample_text(sample, SAMPLE_BIN, (const char *)id, len);
}

static enum sample_result
fetch_session_key(SSL *ssl, char *out, struct sample *sample)
{
	const SSL_SESSION *session = SSL_get_session(ssl);

	if (!session)
		return SAMPLE_NONE;
	return sample_text(sample, SAMPLE_BIN, out,
			   SSL_SESSION_get_master_key(session, (unsigned char *)out, SAMPLE_ROOM));
}

/* RFC 5929 section 3: the first Finished, the client's unless a session was resumed. */
static enum sample_result
fetch_unique_id(SSL *ssl, char *out, struct sample *sample)
{
	bool ours = SSL_is_server(ssl) == SSL_session_reused(ssl);
	size_t len = ours ? SSL_get_finished(ssl, out, SAMPLE_ROOM)
			  : SSL_get_peer_finished(ssl, out, SAMPLE_ROOM);

	return len ? sample_text(sample, SAMPLE_BIN, out, len) : SAMPLE_NONE;
}

/* `fetch` by the name that it has on the client's side. */
static enum sample_result
fetch_connection(SSL *ssl, unsigned fetch, char *out, struct sample *sample)
{
	unsigned char *bytes = (unsigned char *)out;

	switch (fetch) {
	case CONF_FETCH_SSL_FC_ALPN:
		return fetch_alpn(ssl, sample);
	case CONF_FETCH_SSL_FC_PROTOCOL:
		return text(sample, SSL_get_version(ssl));
	case CONF_FETCH_SSL_FC_CIPHER:
		return text(sample, SSL_get_cipher_name(ssl));
	case CONF_FETCH_SSL_FC_ALG_KEYSIZE:
	case CONF_FETCH_SSL_FC_USE_KEYSIZE:
		return fetch_keysize(ssl, fetch == CONF_FETCH_SSL_FC_USE_KEYSIZE, sample);
	case CONF_FETCH_SSL_FC_SESSION_ID:
		return fetch_session_id(ssl, sample);
	case CONF_FETCH_SSL_FC_SESSION_KEY:
		return fetch_session_key(ssl, out, sample);
	case CONF_FETCH_SSL_FC_CLIENT_RANDOM:
		return sample_text(sample, SAMPLE_BIN, out,
				   SSL_get_client_random(ssl, bytes, SSL3_RANDOM_SIZE));
	case CONF_FETCH_SSL_FC_SERVER_RANDOM:
		return sample_text(sample, SAMPLE_BIN, out,
				   SSL_get_server_random(ssl, bytes, SSL3_RANDOM_SIZE));
	case CONF_FETCH_SSL_FC_UNIQUE_ID:
		return fetch_unique_id(ssl, out, sample);
	}
	return sample_number(sample, SAMPLE_BOOL, SSL_session_reused(ssl));
}

/* ------------------------------------------------------------------ the certificate */

static enum sample_result
fetch_time(const ASN1_TIME *time, struct sample *sample)
{
	const char *data = (const char *)ASN1_STRING_get0_data(time);
	size_t len = (size_t)ASN1_STRING_length(time);

	/* Of a year with four digits the last two. */
	if (ASN1_STRING_type(time) == V_ASN1_GENERALIZEDTIME && len > 2) {
		data += 2;
		len -= 2;
	}
	return sample_text(sample, SAMPLE_STR, data, len);
}

/* "/C=FR/CN=name" */
static enum sample_result
format_name(const X509_NAME *name, char *out, struct sample *sample)
{
	size_t len = 0;

	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
		const char *key = nid == NID_undef ? NULL : OBJ_nid2sn(nid);
		size_t key_len = key ? strlen(key) : 0;
		size_t value_len = (size_t)ASN1_STRING_length(value);

		if (!key || len + key_len + value_len + 2 > SAMPLE_ROOM)
			break;
		out[len++] = '/';
		memcpy(out + len, key, key_len);
		len += key_len;
		out[len++] = '=';
		memcpy(out + len, ASN1_STRING_get0_data(value), value_len);
		len += value_len;
	}
	return sample_text(sample, SAMPLE_STR, out, len);
}

/* All of a name; or the value of one entry, counted from its beginning or, below zero, its end. */
static enum sample_result
fetch_name(const X509_NAME *name, const struct conf_arg *args, char *out, struct sample *sample)
{
	int64_t nth = args[1].given ? args[1].number : 1, step = nth < 0 ? -1 : 1;
	int n = X509_NAME_entry_count(name), i = nth < 0 ? n - 1 : 0;

	if (!args[0].given)
		return format_name(name, out, sample);
	for (; i >= 0 && i < n; i += (int)step) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
		const char *key = nid == NID_undef ? "" : OBJ_nid2sn(nid);

		if (strcmp(key, args[0].text.data) != 0)
			continue;
		nth -= step;
		if (nth == 0)
			return sample_text(sample, SAMPLE_STR,
					   (const char *)ASN1_STRING_get0_data(value),
					   (size_t)ASN1_STRING_length(value));
	}
	return SAMPLE_NONE;
}

static enum sample_result
fetch_der(X509 *cert, char *out, struct sample *sample)
{
	unsigned char *at = (unsigned char *)out;
	int len = i2d_X509(cert, NULL);

	if (len <= 0 || len > SAMPLE_ROOM)
		return SAMPLE_NONE;
	return sample_text(sample, SAMPLE_BIN, out, (size_t)i2d_X509(cert, &at));
}

/* The key's algorithm: "id-ecPublicKey". */
static enum sample_result
fetch_key_algorithm(const X509 *cert, struct sample *sample)
{
	ASN1_OBJECT *algorithm = NULL;

	X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, X509_get_X509_PUBKEY(cert));
	return text(sample, OBJ_nid2sn(OBJ_obj2nid(algorithm)));
}

/* `fetch` by the name that it has for a client's certificate. */
static enum sample_result
fetch_certificate(X509 *cert, unsigned fetch, const struct conf_arg *args, char *out,
		  struct sample *sample)
{
	const ASN1_INTEGER *serial;
	unsigned len = 0;

	switch (fetch) {
	case CONF_FETCH_SSL_C_VERSION:
		return sample_number(sample, SAMPLE_INT, X509_get_version(cert) + 1);
	case CONF_FETCH_SSL_C_SERIAL:
		serial = X509_get0_serialNumber(cert);
		return sample_text(sample, SAMPLE_BIN, (const char *)ASN1_STRING_get0_data(serial),
				   (size_t)ASN1_STRING_length(serial));
	case CONF_FETCH_SSL_C_SHA1:
		X509_digest(cert, EVP_sha1(), (unsigned char *)out, &len);
		return sample_text(sample, SAMPLE_BIN, out, len);
	case CONF_FETCH_SSL_C_DER:
		return fetch_der(cert, out, sample);
	case CONF_FETCH_SSL_C_S_DN:
		return fetch_name(X509_get_subject_name(cert), args, out, sample);
	case CONF_FETCH_SSL_C_I_DN:
		return fetch_name(X509_get_issuer_name(cert), args, out, sample);
	case CONF_FETCH_SSL_C_NOTBEFORE:
		return fetch_time(X509_get0_notBefore(cert), sample);
	case CONF_FETCH_SSL_C_NOTAFTER:
		return fetch_time(X509_get0_notAfter(cert), sample);
	case CONF_FETCH_SSL_C_KEY_ALG:
		return fetch_key_algorithm(cert, sample);
	}
	return text(sample, OBJ_nid2sn(X509_get_signature_nid(cert)));
}

static enum sample_result
fetch_server_side(SSL *ssl, const struct conf_expr *expr, char *out, struct sample *sample)
{
	X509 *cert;

	if (expr->fetch == CONF_FETCH_SSL_BC)
		return sample_number(sample, SAMPLE_BOOL, ssl != NULL);
	if (!ssl)
		return SAMPLE_NONE;
	if (expr->fetch < CONF_FETCH_SSL_BC)
		return fetch_connection(
			ssl, expr->fetch - CONF_FETCH_SSL_BC_ALPN + CONF_FETCH_SSL_FC_ALPN, out,
			sample);
	cert = SSL_get0_peer_certificate(ssl);
	if (!cert)
		return SAMPLE_NONE;
	return fetch_certificate(cert,
				 expr->fetch - CONF_FETCH_SSL_S_VERSION + CONF_FETCH_SSL_C_VERSION,
				 expr->args, out, sample);
}

static enum sample_result
fetch_client_side(const struct conn *client, const struct conf_expr *expr, char *out,
		  struct sample *sample)
{
	SSL *ssl = client->layer;
	X509 *cert;

	if (expr->fetch == CONF_FETCH_SSL_FC)
		return sample_number(sample, SAMPLE_BOOL, ssl != NULL);
	if (!ssl)
		return SAMPLE_NONE;
	cert = SSL_get0_peer_certificate(ssl);
	switch (expr->fetch) {
	case CONF_FETCH_SSL_FC_SNI:
		return text(sample, tls_host_asked(client));
	case CONF_FETCH_SSL_FC_HAS_SNI:
		return sample_number(sample, SAMPLE_BOOL, tls_host_asked(client) != NULL);
	case CONF_FETCH_SSL_FC_HAS_CRT:
		return sample_number(sample, SAMPLE_BOOL, cert && !SSL_session_reused(ssl));
	case CONF_FETCH_SSL_C_USED:
		return sample_number(sample, SAMPLE_BOOL, cert != NULL);
	case CONF_FETCH_SSL_C_VERIFY:
		return sample_number(sample, SAMPLE_INT, SSL_get_verify_result(ssl));
	}
	if (expr->fetch <= CONF_FETCH_SSL_FC_IS_RESUMED)
		return fetch_connection(ssl, expr->fetch, out, sample);
	if (expr->fetch >= CONF_FETCH_SSL_F_VERSION)
		return fetch_certificate(SSL_get_certificate(ssl),
					 expr->fetch - CONF_FETCH_SSL_F_VERSION +
						 CONF_FETCH_SSL_C_VERSION,
					 expr->args, out, sample);
	return cert ? fetch_certificate(cert, expr->fetch, expr->args, out, sample) : SAMPLE_NONE;
}

enum sample_result
sample_fetch_tls(const struct sample_ctx *ctx, const struct conf_expr *expr, struct sample *sample)
{
	const struct session *s = ctx->session;
	char *out = sample_room(ctx->room);
	bool of_server =
		expr->fetch >= CONF_FETCH_SSL_S_VERSION ||
		(expr->fetch >= CONF_FETCH_SSL_BC_ALPN && expr->fetch <= CONF_FETCH_SSL_BC);

	return of_server ? fetch_server_side(s->server.layer, expr, out, sample)
			 : fetch_client_side(&s->client, expr, out, sample);
}

/*
 * tls_pem.c - see tls_pem.h.  Runs where contexts are made: in the guardian to check the files, in
 * the worker's first thread to use them.
 */
#include "proxy/tls_pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char sentence[512];

const char *
tls_pem_reason(const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	snprintf(sentence, sizeof sentence, "%s%s%s", what, reason ? ": " : "",
		 reason ? reason : "");
	ERR_clear_error();
	return sentence;
}

/* NULL if the file was read. */
static const char *
unread(const struct tls_file *file)
{
	if (file->error)
		return strerror(file->error);
	return file->directory ? "it is a directory" : NULL;
}

static BIO *
open_text(const struct tls_file *file)
{
	return BIO_new_mem_buf(file->data, (int)file->len);
}

/* The end of the blocks, rather than a broken one? */
static bool
at_end(void)
{
	bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

	if (end)
		ERR_clear_error();
	return end;
}

static int
no_password(char *buffer, int size, int writing, void *ctx)
{
	bool *asked = ctx;

	if (asked)
		*asked = true;
	return -1;
}

/* ------------------------------------------------------------------ certificate and key */

static const char *
use_certificates(SSL_CTX *ctx, const struct tls_file *file)
{
	BIO *bio = open_text(file);
	const char *why = NULL;
	bool first = true;
	X509 *x;

	while (bio && !why && (x = PEM_read_bio_X509_AUX(bio, NULL, no_password, NULL))) {
		if (first) {
			if (SSL_CTX_use_certificate(ctx, x) != 1)
				why = tls_pem_reason("its certificate cannot be used");
			X509_free(x);
		} else if (SSL_CTX_add0_chain_cert(ctx, x) != 1) {
			X509_free(x);
			why = tls_pem_reason("its chain cannot be used");
		}
		first = false;
	}
	BIO_free(bio);
	if (why)
		return why;
	if (!at_end())
		return tls_pem_reason("a certificate in it is broken");
	return first ? "there is no certificate in it" : NULL;
}

/* Sets *key if there is one. */
static const char *
read_key(const struct tls_file *file, EVP_PKEY **key)
{
	static const char mark[] = "PRIVATE KEY-----";
	bool asked = false;
	BIO *bio;

	*key = NULL;
	/* OpenSSL's words for a file without any are the same as for one it does not understand. */
	if (!memmem(file->data, file->len, mark, sizeof mark - 1))
		return NULL;
	bio = open_text(file);
	*key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked) : NULL;
	BIO_free(bio);
	if (!*key)
		return tls_pem_reason(asked ? "its key is encrypted" : "its key is broken");
	return NULL;
}

static const char *
use_key(SSL_CTX *ctx, EVP_PKEY *key)
{
	if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) != 1) {
		ERR_clear_error();
		return "its key belongs to another certificate";
	}
	if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
		return tls_pem_reason("its key cannot be used");
	return NULL;
}

static const struct tls_file *
beside(struct tls_files *files, const char *path, const char *suffix)
{
	char name[4096];

	snprintf(name, sizeof name, "%s%s", path, suffix);
	return tls_files_get(files, name);
}

static const char *
add_key(SSL_CTX *ctx, struct tls_files *files, const struct tls_file *file)
{
	const struct tls_file *other;
	EVP_PKEY *key;
	const char *why = read_key(file, &key);

	if (!why && !key) {
		other = beside(files, file->path, ".key");
		if (other->error == ENOENT)
			return "there is no key, neither in it nor in a .key file beside it";
		if (other->error) {
			snprintf(sentence, sizeof sentence, "its .key file: %s",
				 strerror(other->error));
			return sentence;
		}
		why = read_key(other, &key);
		if (!why && !key)
			why = "there is no key in the .key file beside it";
	}
	if (!why)
		why = use_key(ctx, key);
	EVP_PKEY_free(key);
	return why;
}

static const char *
check_ocsp(const struct tls_file *file)
{
	const unsigned char *at = (const unsigned char *)file->data;
	OCSP_RESPONSE *response;

	if (file->error == ENOENT)
		return NULL;
	response = file->error ? NULL : d2i_OCSP_RESPONSE(NULL, &at, (long)file->len);
	OCSP_RESPONSE_free(response);
	return response ? NULL : tls_pem_reason("its .ocsp file is no OCSP response");
}

const char *
tls_pem_identity(SSL_CTX *ctx, struct tls_files *files, const char *path)
{
	const struct tls_file *file = tls_files_get(files, path);
	const char *why = unread(file);

	ERR_clear_error();
	if (!why)
		why = use_certificates(ctx, file);
	if (!why)
		why = add_key(ctx, files, file);
	if (!why)
		why = check_ocsp(beside(files, path, ".ocsp"));
	return why;
}

/* ------------------------------------------------------------------ authorities */

/* Adds what the file has of the one or the other; *n counts. */
static const char *
add_blocks(X509_STORE *store, const struct tls_file *file, bool crls, unsigned *n)
{
	BIO *bio = open_text(file);
	X509_CRL *crl;
	X509 *x;

	while (bio && !crls && (x = PEM_read_bio_X509_AUX(bio, NULL, no_password, NULL))) {
		X509_STORE_add_cert(store, x);
		X509_free(x);
		(*n)++;
	}
	while (bio && crls && (crl = PEM_read_bio_X509_CRL(bio, NULL, no_password, NULL))) {
		X509_STORE_add_crl(store, crl);
		X509_CRL_free(crl);
		(*n)++;
	}
	BIO_free(bio);
	return at_end() ? NULL : tls_pem_reason("it is broken");
}

static const char *
add_path(X509_STORE *store, struct tls_files *files, const char *path, bool crls,
	 const char **failed)
{
	const struct tls_file *file = tls_files_get(files, path);
	const char *why = file->error ? strerror(file->error) : NULL;
	unsigned n = 0;

	*failed = path;
	for (const char *name = file->data;
	     !why && file->directory && name < file->data + file->len; name += strlen(name) + 1) {
		const struct tls_file *inner;
		char inner_path[4096];

		snprintf(inner_path, sizeof inner_path, "%s/%s", path, name);
		inner = tls_files_get(files, inner_path);
		*failed = inner->path;
		why = unread(inner);
		if (!why)
			why = add_blocks(store, inner, crls, &n);
	}
	if (why)
		return why;
	*failed = path;
	if (!file->directory)
		why = add_blocks(store, file, crls, &n);
	if (!why && n == 0)
		why = crls ? "there is no revocation list in it" : "there is no certificate in it";
	return why;
}

const char *
tls_pem_authorities(X509_STORE **store, struct tls_files *files, const char *ca, const char *crl,
		    const char **failed)
{
	X509_STORE *made = X509_STORE_new();
	const char *why;

	*failed = ca;
	ERR_clear_error();
	why = made ? add_path(made, files, ca, false, failed) : "out of memory";
	if (!why && crl) {
		why = add_path(made, files, crl, true, failed);
		X509_STORE_set_flags(made, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	}
	ERR_clear_error(); /* of certificates that were there already */
	if (why) {
		X509_STORE_free(made);
		return why;
	}
	*store = made;
	return NULL;
}

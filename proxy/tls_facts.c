/*
 * tls_facts.c - see tls_facts.h.  Run by the session's thread.
 */
#include "proxy/tls_facts.h"

#include "proxy/tls_conn.h"

#include <openssl/x509.h>
#include <stdio.h>

static void
note_own_certificate(SSL *ssl, struct tls_facts *facts)
{
	X509 *cert = SSL_get_certificate(ssl);
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;
	const char *kind = "";

	if (!cert)
		return;
	snprintf(facts->cert_signature, sizeof facts->cert_signature, "%s",
		 OBJ_nid2sn(X509_get_signature_nid(cert)));
	if (!key)
		return;
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		kind = "RSA";
		break;
	case EVP_PKEY_EC:
		kind = "EC";
		break;
	case EVP_PKEY_DSA:
		kind = "DSA";
		break;
	}
	snprintf(facts->cert_key, sizeof facts->cert_key, "%s%d", kind, EVP_PKEY_get_bits(key));
}

bool
tls_facts(const struct conn *c, struct tls_facts *facts)
{
	SSL *ssl = c->layer;
	const unsigned char *alpn;
	unsigned alpn_len;
	X509 *cert;

	*facts = (struct tls_facts){ 0 };
	if (!ssl)
		return false;
	facts->version = SSL_get_version(ssl);
	facts->cipher = SSL_get_cipher_name(ssl);
	facts->host = tls_host_asked(c);
	SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
	facts->alpn = (const char *)alpn;
	facts->alpn_len = alpn_len;
	facts->resumed = SSL_session_reused(ssl);
	facts->verify = (uint32_t)SSL_get_verify_result(ssl);
	cert = SSL_get0_peer_certificate(ssl);
	facts->client_cert = cert != NULL;
	if (cert)
		X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
					  facts->common_name, sizeof facts->common_name);
	note_own_certificate(ssl, facts);
	return true;
}

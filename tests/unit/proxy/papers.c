/*
 * papers.c - see papers.h.
 */
#include "tests/unit/proxy/papers.h"

#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static X509 *
make(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key, const char *hosts)
{
	static long serial;
	X509 *x = X509_new();
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
	X509_set_pubkey(x, key);
	X509V3_set_ctx(&ctx, issuer ? issuer : x, x, NULL, NULL, 0);
	extension = hosts ? X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, hosts)
			  : X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints, "CA:TRUE");
	if (!extension || !X509_add_ext(x, extension, -1) ||
	    !X509_sign(x, issuer_key ? issuer_key : key, EVP_sha256()))
		abort();
	X509_EXTENSION_free(extension);
	return x;
}

char *
papers_path(const struct papers *p, const char *name)
{
	return arena_printf(p->arena, "%s/%s", p->dir, name);
}

struct conf_file
papers_file(const struct papers *p, const char *name)
{
	return (struct conf_file){ .path = papers_path(p, name) };
}

void
papers_write(const struct papers *p, const char *name, const char *text, size_t len)
{
	FILE *f = fopen(papers_path(p, name), "we");

	if (!f || fwrite(text, 1, len, f) != len || fclose(f) != 0)
		abort();
}

char *
papers_read(const struct papers *p, const char *name)
{
	FILE *f = fopen(papers_path(p, name), "re");
	char *text = arena_alloc(p->arena, 16 << 10);

	if (!f || fread(text, 1, (16 << 10) - 1, f) == 0)
		abort();
	fclose(f);
	return text;
}

static void
write_pem(const struct papers *p, const char *name, X509 *x, EVP_PKEY *key)
{
	FILE *f = fopen(papers_path(p, name), "we");

	if (!f || !PEM_write_X509(f, x) ||
	    (key && !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL)) || fclose(f) != 0)
		abort();
}

void
papers_init(struct papers *p)
{
	*p = (struct papers){ .dir = "/tmp/tandem-papers-XXXXXX", .arena = arena_new() };
	if (!mkdtemp(p->dir))
		abort();
	p->ca_key = EVP_EC_gen("P-256");
	p->ca = make(p->ca_key, "authority", NULL, NULL, NULL);
	write_pem(p, "ca.pem", p->ca, NULL);
}

void
papers_issue(struct papers *p, const char *name, const char *hosts)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = make(key, name, p->ca, p->ca_key, hosts);

	write_pem(p, arena_printf(p->arena, "%s.pem", name), x, key);
	X509_free(x);
	EVP_PKEY_free(key);
}

void
papers_fini(struct papers *p)
{
	DIR *dir = opendir(p->dir);

	for (struct dirent *e; dir && (e = readdir(dir));)
		unlinkat(dirfd(dir), e->d_name, 0);
	closedir(dir);
	rmdir(p->dir);
	X509_free(p->ca);
	EVP_PKEY_free(p->ca_key);
	arena_free(p->arena);
}

struct tls *
papers_tls(struct papers *p, struct conf *conf)
{
	struct reporter reporter = { .arena = p->arena, .conf = conf, .report = &p->report };
	struct tls_files *files = tls_files_new();
	struct tls *tls;
	void *block;
	size_t len;

	p->report = (struct conf_report){ 0 };
	tls_free(tls_new(conf, files, &reporter));
	block = tls_files_pack(files, &len);
	tls_files_free(files);
	files = tls_files_unpack(block, len);
	tls_files_wipe(block, len);
	if (!files)
		abort();
	if (p->report.errors) {
		tls_files_free(files);
		return NULL;
	}
	tls = tls_new(conf, files, &reporter);
	tls_files_free(files);
	if (p->report.errors)
		abort();
	return tls;
}

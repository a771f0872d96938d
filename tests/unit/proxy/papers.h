/*
 * papers.h - certificates for tests, made when they run: EC keys on P-256, in a folder of their own.
 */
#pragma once

#include "proxy/tls.h"

struct papers {
	char dir[64];
	EVP_PKEY *ca_key;
	X509 *ca;
	struct arena *arena;
	struct conf_report report; /* of papers_tls */
};

/* A folder with ca.pem. */
void papers_init(struct papers *p);
void papers_fini(struct papers *p);

/* DIR/NAME.pem: certificate and key for `hosts` ("DNS:a,DNS:b"), signed by the authority. */
void papers_issue(struct papers *p, const char *name, const char *hosts);

/* Writes DIR/NAME. */
void papers_write(const struct papers *p, const char *name, const char *text, size_t len);

/* The text of DIR/NAME, in the arena. */
char *papers_read(const struct papers *p, const char *name);

/* The path of DIR/NAME, in the arena. */
char *papers_path(const struct papers *p, const char *name);

/* As a word of the configuration: DIR/NAME. */
struct conf_file papers_file(const struct papers *p, const char *name);

/* As the daemon does it: read by the guardian, packed, unpacked and made by the worker.  NULL after
 * errors, which are in the report. */
struct tls *papers_tls(struct papers *p, struct conf *conf);

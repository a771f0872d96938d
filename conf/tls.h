/*
 * tls.h - TLS of a bind, a server or all of them, as the configuration has it.  Plain structs, part of
 * the model; files are only named here.
 */
#pragma once

#include "conf/pos.h"

#include <stdbool.h>
#include <stddef.h>

/* A file the configuration names.  `list`: a crt-list. */
struct conf_file {
	struct conf_pos pos;
	const char *path; /* as written; NULL = none */
	bool list;
};

enum conf_tls_version {
	CONF_TLS_ANY, /* whatever the library speaks */
	CONF_TLS_1_0,
	CONF_TLS_1_1,
	CONF_TLS_1_2,
	CONF_TLS_1_3
};

enum conf_tls_verify {
	CONF_TLS_VERIFY_DEFAULT, /* bind: none; server: ssl-server-verify, else required */
	CONF_TLS_VERIFY_NONE,
	CONF_TLS_VERIFY_OPTIONAL, /* bind only */
	CONF_TLS_VERIFY_REQUIRED
};

/* TLS of a bind or a server, or what is said of all of them (conf->tls_bind, tls_server). */
struct conf_tls {
	bool on;
	struct conf_file *certs; /* bind: the first is shown to who asks for no name; server: one */
	size_t certs_n;
	struct conf_file ca, crl;
	enum conf_tls_verify verify;
	enum conf_tls_version min_version, max_version;
	bool no_tlsv10, no_tlsv11, no_tlsv12, no_tlsv13;
	const char *ciphers, *ciphersuites, *curves; /* NULL = the library's */
	const char *alpn;                            /* "h2,http/1.1"; NULL = none */
	bool no_tickets, strict_sni, client_ciphers; /* bind */
	const char *sni, *verifyhost;                /* server; NULL = none */
	bool sni_of_client;                          /* what the client has asked for */
	bool no_reuse;
};

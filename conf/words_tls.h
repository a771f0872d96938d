/*
 * words_tls.h - the words of TLS, which stand after `bind` and `server` and in the global section.
 *
 * `object` is the struct that a table describes, `member` its struct conf_tls.
 */
#pragma once

#include "conf/table.h"

extern const struct conf_choice tls_versions[];
extern const struct conf_choice tls_verify_client[];
extern const struct conf_choice tls_verify_server[];

/* These find their struct conf_tls, or conf_file, at the row's offset. */
void parse_tls_off(struct conf_call *call);
void parse_tls_force(struct conf_call *call);
void parse_tls_file(struct conf_call *call);
void print_tls_file(const struct conf_printer *pr, const struct conf_row *row, const void *object);
void parse_tls_certs(struct conf_call *call);
void print_tls_certs(const struct conf_printer *pr, const struct conf_row *row, const void *object);
void parse_tls_sni(struct conf_call *call);
void print_tls_sni(const struct conf_printer *pr, const struct conf_row *row, const void *object);

/* ssl-default-bind-options and ssl-default-server-options */
void parse_tls_options(struct conf_call *call);
void print_tls_options(const struct conf_printer *pr, const struct conf_row *row,
		       const void *object);
extern const struct conf_table table_tls_bind_options, table_tls_server_options;

/* tune.ssl.lifetime: seconds unless it has a unit. */
void parse_tls_lifetime(struct conf_call *call);
void print_tls_lifetime(const struct conf_printer *pr, const struct conf_row *row,
			const void *object);

#define TLS_AT(object, member) .offset = offsetof(struct object, member)

/* clang-format off */
#define TLS_CIPHER_ROWS(object, member, prefix)                                                    \
	{ prefix "ciphers", CONF_TYPE_STRING, ROW_FIELD(object, member.ciphers),                   \
	  .doc = "ciphers up to TLS 1.2, as OpenSSL writes them" },                                \
	{ prefix "ciphersuites", CONF_TYPE_STRING, ROW_FIELD(object, member.ciphersuites),         \
	  .doc = "the same for TLS 1.3" },                                                         \
	{ prefix "curves", CONF_TYPE_STRING, ROW_FIELD(object, member.curves),                     \
	  .doc = "groups of the key exchange, as OpenSSL writes them" }

#define TLS_VERSION_ROWS(object, member)                                                           \
	{ "ssl-min-ver", CONF_TYPE_CHOICE, ROW_FIELD(object, member.min_version),                  \
	  .choices = tls_versions, .doc = "the oldest version spoken" },                           \
	{ "ssl-max-ver", CONF_TYPE_CHOICE, ROW_FIELD(object, member.max_version),                  \
	  .choices = tls_versions, .doc = "the newest version spoken" },                           \
	{ "force-tlsv10", CONF_TYPE_CALL, TLS_AT(object, member), .parse = parse_tls_force,        \
	  .doc = "this version only" },                                                            \
	{ "force-tlsv11", CONF_TYPE_CALL, TLS_AT(object, member), .parse = parse_tls_force,        \
	  .doc = "this version only" },                                                            \
	{ "force-tlsv12", CONF_TYPE_CALL, TLS_AT(object, member), .parse = parse_tls_force,        \
	  .doc = "this version only" },                                                            \
	{ "force-tlsv13", CONF_TYPE_CALL, TLS_AT(object, member), .parse = parse_tls_force,        \
	  .doc = "this version only" },                                                            \
	{ "no-sslv3", CONF_TYPE_NOTICE, .doc = "SSLv3 is never spoken" },                          \
	{ "no-tlsv10", CONF_TYPE_FLAG, ROW_FIELD(object, member.no_tlsv10),                        \
	  .doc = "without TLS 1.0" },                                                              \
	{ "no-tlsv11", CONF_TYPE_FLAG, ROW_FIELD(object, member.no_tlsv11),                        \
	  .doc = "without TLS 1.1" },                                                              \
	{ "no-tlsv12", CONF_TYPE_FLAG, ROW_FIELD(object, member.no_tlsv12),                        \
	  .doc = "without TLS 1.2" },                                                              \
	{ "no-tlsv13", CONF_TYPE_FLAG, ROW_FIELD(object, member.no_tlsv13),                        \
	  .doc = "without TLS 1.3" },                                                              \
	{ "no-tls-tickets", CONF_TYPE_FLAG, ROW_FIELD(object, member.no_tickets),                  \
	  .doc = "sessions are resumed by the cache, not by tickets" }

#define TLS_FILE_ROWS(object, member)                                                              \
	{ "ca-file", CONF_TYPE_CALL, TLS_AT(object, member.ca), .parse = parse_tls_file,           \
	  .print = print_tls_file, .doc = "who may have signed the other side's certificate" },    \
	{ "crl-file", CONF_TYPE_CALL, TLS_AT(object, member.crl), .parse = parse_tls_file,         \
	  .print = print_tls_file, .doc = "certificates revoked by these" }

#define TLS_BIND_ROWS                                                                              \
	{ "ssl", CONF_TYPE_FLAG, ROW_FIELD(conf_bind, tls.on), .doc = "connections are TLS" },     \
	{ "crt", CONF_TYPE_CALL, TLS_AT(conf_bind, tls), .parse = parse_tls_certs,                 \
	  .print = print_tls_certs,                                                                \
	  .doc = "a file with certificate, chain and key (or FILE.key beside it), or a directory" }, \
	{ "crt-list", CONF_TYPE_CALL, TLS_AT(conf_bind, tls), .parse = parse_tls_certs,            \
	  .doc = "a file that names certificates and the hosts they are for" },                    \
	{ "verify", CONF_TYPE_CHOICE, ROW_FIELD(conf_bind, tls.verify),                            \
	  .choices = tls_verify_client, .doc = "must clients show a certificate?" },               \
	{ "alpn", CONF_TYPE_STRING, ROW_FIELD(conf_bind, tls.alpn),                                \
	  .doc = "protocols offered, the preferred one first: h2,http/1.1" },                      \
	{ "strict-sni", CONF_TYPE_FLAG, ROW_FIELD(conf_bind, tls.strict_sni),                      \
	  .doc = "without a certificate for the host that is asked for: no connection" },          \
	{ "prefer-client-ciphers", CONF_TYPE_FLAG, ROW_FIELD(conf_bind, tls.client_ciphers),       \
	  .doc = "the client's order of ciphers counts" },                                         \
	TLS_FILE_ROWS(conf_bind, tls), TLS_VERSION_ROWS(conf_bind, tls),                           \
	TLS_CIPHER_ROWS(conf_bind, tls, "")

#define TLS_SERVER_ROWS                                                                            \
	{ "ssl", CONF_TYPE_FLAG, ROW_FIELD(conf_server, tls.on), .doc = "connections are TLS" },   \
	{ "no-ssl", CONF_TYPE_CALL, TLS_AT(conf_server, tls), .parse = parse_tls_off,              \
	  .doc = "takes back `ssl`" },                                                             \
	{ "crt", CONF_TYPE_CALL, TLS_AT(conf_server, tls), .parse = parse_tls_certs,               \
	  .print = print_tls_certs, .doc = "the certificate that is shown to the server" },        \
	{ "verify", CONF_TYPE_CHOICE, ROW_FIELD(conf_server, tls.verify),                          \
	  .choices = tls_verify_server, .doc = "is the server's certificate checked? required" },  \
	{ "verifyhost", CONF_TYPE_STRING, ROW_FIELD(conf_server, tls.verifyhost),                  \
	  .doc = "the name the certificate must have; that of `sni`" },                            \
	{ "sni", CONF_TYPE_CALL, TLS_AT(conf_server, tls), .parse = parse_tls_sni,                 \
	  .print = print_tls_sni, .doc = "the host asked for: str(NAME) or ssl_fc_sni" },          \
	{ "alpn", CONF_TYPE_STRING, ROW_FIELD(conf_server, tls.alpn),                              \
	  .doc = "protocols offered: h2,http/1.1" },                                               \
	{ "no-ssl-reuse", CONF_TYPE_FLAG, ROW_FIELD(conf_server, tls.no_reuse),                    \
	  .doc = "no session is resumed" },                                                        \
	{ "ssl-reuse", CONF_TYPE_CALL, TLS_AT(conf_server, tls), .parse = parse_tls_off,           \
	  .doc = "takes back `no-ssl-reuse`" },                                                    \
	TLS_FILE_ROWS(conf_server, tls), TLS_VERSION_ROWS(conf_server, tls),                       \
	TLS_CIPHER_ROWS(conf_server, tls, "")

#define TLS_GLOBAL_ROWS                                                                            \
	{ "ca-base", CONF_TYPE_STRING, ROW_FIELD(conf, ca_base),                                   \
	  .doc = "the directory of `ca-file` and `crl-file`" },                                    \
	{ "crt-base", CONF_TYPE_STRING, ROW_FIELD(conf, crt_base),                                 \
	  .doc = "the directory of `crt` and `crt-list`" },                                        \
	{ "ssl-server-verify", CONF_TYPE_CHOICE, ROW_FIELD(conf, tls_server.verify),               \
	  .choices = tls_verify_server, .doc = "`verify` of servers that do not say; required" },  \
	{ "ssl-default-bind-options", CONF_TYPE_CALL, TLS_AT(conf, tls_bind),                      \
	  .inside = &table_tls_bind_options, .parse = parse_tls_options,                           \
	  .print = print_tls_options, .doc = "TLS parameters of all `bind` lines" },               \
	{ "ssl-default-server-options", CONF_TYPE_CALL, TLS_AT(conf, tls_server),                  \
	  .inside = &table_tls_server_options, .parse = parse_tls_options,                         \
	  .print = print_tls_options, .doc = "TLS parameters of all `server` lines" },             \
	{ "tune.ssl.cachesize", CONF_TYPE_INT, ROW_FIELD(conf, tls_cache_n), .max = 10000000,      \
	  .def = "20000", .doc = "sessions kept for resumption" },                                 \
	{ "tune.ssl.lifetime", CONF_TYPE_CALL, ROW_FIELD(conf, tls_lifetime_s), .min = 1,          \
	  .parse = parse_tls_lifetime, .print = print_tls_lifetime,                                \
	  .doc = "how long a session can be resumed; 300 s" },                                     \
	TLS_CIPHER_ROWS(conf, tls_bind, "ssl-default-bind-"),                                      \
	TLS_CIPHER_ROWS(conf, tls_server, "ssl-default-server-")
/* clang-format on */

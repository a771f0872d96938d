/*
 * expr_table.c - which fetches and converters there are, and why others are not; as a manual, too.
 * Pure.
 */
#include "conf/expr_reader.h"

#include "conf/document.h"
#include "conf/nearest.h"

#include <ctype.h>
#include <string.h>

static const struct fetch_row fetches[] = {
#define CONF_NEEDS_0 0
#define FETCH(id, name, type, needs, args) \
	{ name, CONF_FETCH_##id, SAMPLE_##type, CONF_NEEDS_##needs, args },
	CONF_FETCHES(FETCH)
#undef FETCH
};

static const struct {
	const char *name;
	enum conf_fetch id;
} aliases[] = {
#define ALIAS(name, id) { name, CONF_FETCH_##id },
	CONF_FETCH_ALIASES(ALIAS)
#undef ALIAS
};

static const struct convert_row converters[] = {
#define CONVERT(id, name, takes, gives, args) \
	{ name, CONF_CONVERT_##id, SAMPLE_##takes, SAMPLE_##gives, args },
	CONF_CONVERTERS(CONVERT)
#undef CONVERT
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char why_http[] = "needs mode http, which this version does not have";
static const char why_tables[] = "stick tables come with a later version";
static const char why_failed[] = "what failed is said in the log, in words";
static const char why_later[] = "comes with a later version";

/* Names that begin so, and why they are none here. */
static const struct {
	const char *beginning, *why;
} absent_fetches[] = {
	{ "path", why_http },
	{ "url", why_http },
	{ "hdr", why_http },
	{ "shdr", why_http },
	{ "req.hdr", why_http },
	{ "res.hdr", why_http },
	{ "req.fhdr", why_http },
	{ "res.fhdr", why_http },
	{ "req.cook", why_http },
	{ "res.cook", why_http },
	{ "req.body", why_http },
	{ "res.body", why_http },
	{ "req.ver", why_http },
	{ "res.ver", why_http },
	{ "req_ver", why_http },
	{ "resp_ver", why_http },
	{ "cook", why_http },
	{ "scook", why_http },
	{ "method", why_http },
	{ "query", why_http },
	{ "base", why_http },
	{ "capture.", why_http },
	{ "http_", why_http },
	{ "status", why_http },
	{ "set-cookie", why_http },
	{ "unique-id", why_http },
	{ "txn.", why_http },
	{ "fe_req_rate", why_http },
	{ "res.cache_", why_http },
	{ "res.comp", why_http },
	{ "fcgi.", why_http },
	{ "fhdr", why_http },
	{ "sc_", why_tables },
	{ "sc0_", why_tables },
	{ "sc1_", why_tables },
	{ "sc2_", why_tables },
	{ "src_", why_tables },
	{ "table_", why_tables },
	{ "ssl_fc_has_early", "there is no early data" },
	{ "ssl_fc_npn", "OpenSSL has no NPN any more" },
	{ "ssl_bc_npn", "OpenSSL has no NPN any more" },
	{ "ssl_fc_err", why_failed },
	{ "ssl_fc_hsk_err", why_failed },
	{ "ssl_bc_err", why_failed },
	{ "ssl_bc_hsk_err", why_failed },
	{ "ssl_", why_later },
	{ "fc_", why_later },
	{ "bc_", why_later },
	{ "req.ssl_", why_later },
	{ "distcc_", "distcc's protocol is not read" },
	{ "prio_", why_later },
	{ "lua.", "there is no Lua" },
	{ "internal.", "it is HAProxy's own" },
	{ "lat_ns", "it is HAProxy's own" },
	{ "cpu_", "it is HAProxy's own" },
	{ "fc.debug_str", "it is HAProxy's own" },
	{ "bc.debug_str", "it is HAProxy's own" },
	{ "term_events", "it is HAProxy's own" },
	{ "fs.", "it is HAProxy's own" },
	{ "bs.", "it is HAProxy's own" },
	{ "req.timer.", why_http },
	{ "res.timer.", why_http },
	{ "fc.timer.", why_later },
	{ "bc.timer.", why_later },
	{ "accept_date", why_later },
	{ "request_date", why_http },
	{ "bytes_", why_later },
	{ "acl", "name the ACL itself" },
	{ "pid", why_later },
	{ "uptime", why_later },
	{ "quic_enabled", "there is no QUIC" },
	{ "51d.", "devices are not recognised" },
	{ "da-csv", "devices are not recognised" },
	{ "wurfl-", "devices are not recognised" },
};

static const struct {
	const char *beginning, *why;
} absent_converters[] = {
	{ "table_", why_tables },
	{ "in_table", why_tables },
	{ "http_date", why_http },
	{ "json_query", "JSON is not read" },
	{ "jwt_", why_later },
	{ "fix_", why_later },
	{ "protobuf", why_later },
	{ "ungrpc", why_later },
	{ "aes_", why_later },
	{ "host_only", why_http },
	{ "port_only", why_http },
	{ "language", why_http },
	{ "param", why_later },
	{ "debug", why_later },
	{ "le2dec", why_later },
	{ "base2", why_later },
	{ "ms_", why_later },
	{ "us_", why_later },
	{ "rfc7239_", why_http },
	{ "ip.fp", why_later },
	{ "when", why_later },
	{ "reverse_dom", why_later },
	{ "x509_v_err_str", why_later },
	{ "51d.", "devices are not recognised" },
	{ "da-csv", "devices are not recognised" },
	{ "lua.", "there is no Lua" },
};

static bool
is_name(const char *row, const char *name, size_t len)
{
	return strlen(row) == len && memcmp(row, name, len) == 0;
}

const struct fetch_row *
fetch_find(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(fetches); i++)
		if (is_name(fetches[i].name, name, len))
			return &fetches[i];
	for (size_t i = 0; i < COUNT(aliases); i++)
		if (is_name(aliases[i].name, name, len))
			return &fetches[aliases[i].id];
	return NULL;
}

const struct convert_row *
convert_find(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(converters); i++)
		if (is_name(converters[i].name, name, len))
			return &converters[i];
	return map_is_name(name, len) ? &converters[CONF_CONVERT_MAP] : NULL;
}

unsigned
when_find(const char *name)
{
	/* In the order of CONF_IF_*. */
	static const char *const names[] = { "ifexists", "ifnotexists", "ifempty", "ifnotempty",
					     "ifset",    "ifnotset",    "ifgt",    "iflt" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return 1U << i;
	return 0;
}

const char *
fetch_why_not(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(absent_fetches); i++) {
		size_t begins = strlen(absent_fetches[i].beginning);

		if (len >= begins && memcmp(name, absent_fetches[i].beginning, begins) == 0)
			return absent_fetches[i].why;
	}
	return NULL;
}

const char *
convert_why_not(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(absent_converters); i++) {
		size_t begins = strlen(absent_converters[i].beginning);

		if (len >= begins && memcmp(name, absent_converters[i].beginning, begins) == 0)
			return absent_converters[i].why;
	}
	return NULL;
}

const char *
fetch_nearest(const char *name)
{
	struct nearest nearest = nearest_init(name);

	for (size_t i = 0; i < COUNT(fetches); i++)
		nearest_offer(&nearest, fetches[i].name);
	return nearest.best;
}

const char *
convert_nearest(const char *name)
{
	struct nearest nearest = nearest_init(name);

	for (size_t i = 0; i < COUNT(converters); i++)
		nearest_offer(&nearest, converters[i].name);
	return nearest.best;
}

/* ------------------------------------------------------------------ the manual */

/* "name(number,[backend])" */
static void
document_call(FILE *out, const char *name, const char *args)
{
	static const struct {
		char kind;
		const char *name;
	} kinds[] = {
		{ 'i', "number" },       { 's', "text" },       { 'x', "bytes" },
		{ 'a', "address" },      { 'f', "frontend" },   { 'b', "backend" },
		{ 'r', "server" },       { 'v', "variable" },   { 'm', "number|variable" },
		{ 'k', "key|variable" }, { 'c', "conditions" },
	};

	fputs(name, out);
	for (size_t i = 0; args[i]; i++) {
		bool optional = isupper((unsigned char)args[i]);

		fputs(i ? "," : "(", out);
		for (size_t k = 0; k < COUNT(kinds); k++)
			if (kinds[k].kind == tolower((unsigned char)args[i]))
				fprintf(out, optional ? "[%s]" : "%s", kinds[k].name);
	}
	fputs(*args ? ")\n" : "\n", out);
}

void
document_print_expressions(FILE *out)
{
	static const char *const names[] = {
#define FIELD(id, name) name,
		CONF_FIELDS(FIELD)
#undef FIELD
	};

	fputs(".TP\n.I fetches\n", out);
	for (size_t i = 0; i < COUNT(fetches); i++)
		document_call(out, fetches[i].name, fetches[i].args);
	fputs(".TP\n.I converters\n", out);
	for (size_t i = 0; i < COUNT(converters); i++)
		document_call(out, converters[i].name, converters[i].args);
	fputs("map_METHOD and map_METHOD_TYPE (str, int, ip) as map\n", out);
	fputs(".TP\n.I fields of log formats\n", out);
	for (size_t i = 0; i < COUNT(names); i++)
		fprintf(out, "%%%s\n", names[i]);
}

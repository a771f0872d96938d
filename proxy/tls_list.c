/*
 * tls_list.c - see tls_list.h.
 */
#include "proxy/tls_list.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r"

static const char unknown_value[] = "it has no such value";

static const char *
read_version(const char *value, enum conf_tls_version *version)
{
	static const char *const names[] = {
		[CONF_TLS_1_0] = "TLSv1.0",
		[CONF_TLS_1_1] = "TLSv1.1",
		[CONF_TLS_1_2] = "TLSv1.2",
		[CONF_TLS_1_3] = "TLSv1.3",
	};

	for (int v = CONF_TLS_1_0; v <= CONF_TLS_1_3; v++) {
		if (strcmp(value, names[v]) == 0) {
			*version = (enum conf_tls_version)v;
			return NULL;
		}
	}
	return unknown_value;
}

static const char *
read_verify(const char *value, enum conf_tls_verify *verify)
{
	if (strcmp(value, "none") == 0)
		*verify = CONF_TLS_VERIFY_NONE;
	else if (strcmp(value, "optional") == 0)
		*verify = CONF_TLS_VERIFY_OPTIONAL;
	else if (strcmp(value, "required") == 0)
		*verify = CONF_TLS_VERIFY_REQUIRED;
	else
		return unknown_value;
	return NULL;
}

/* One parameter and what follows it. */
static const char *
set(struct conf_tls *tls, const char *name, const char *value)
{
	const struct {
		const char *name, **text;
	} texts[] = {
		{ "alpn", &tls->alpn },
		{ "ciphers", &tls->ciphers },
		{ "ciphersuites", &tls->ciphersuites },
		{ "curves", &tls->curves },
		{ "ca-file", &tls->ca.path },
		{ "crl-file", &tls->crl.path },
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (strcmp(name, texts[i].name) == 0) {
			*texts[i].text = value;
			return NULL;
		}
	}
	if (strcmp(name, "verify") == 0)
		return read_verify(value, &tls->verify);
	if (strcmp(name, "ssl-min-ver") == 0)
		return read_version(value, &tls->min_version);
	if (strcmp(name, "ssl-max-ver") == 0)
		return read_version(value, &tls->max_version);
	return "it is no parameter of a certificate";
}

static const char *
read_parameters(char *text, struct conf_tls *tls, const char **at)
{
	char *rest = NULL;

	for (char *name = strtok_r(text, BLANKS, &rest); name;
	     name = strtok_r(NULL, BLANKS, &rest)) {
		const char *value, *why;

		*at = name;
		if (strcmp(name, "no-ca-names") == 0)
			continue;
		if (strcmp(name, "allow-0rtt") == 0 || strcmp(name, "npn") == 0 ||
		    strcmp(name, "ecdhe") == 0 || strcmp(name, "ca-verify-file") == 0)
			return "it comes with a later version";
		value = strtok_r(NULL, BLANKS, &rest);
		why = set(tls, name, value ? value : "");
		if (why)
			return why;
		if (!value)
			return "a value is missing";
	}
	return NULL;
}

const char *
tls_list_read(char *line, const struct conf_tls *bind, struct tls_list_line *out, const char **at)
{
	char *end;

	*out = (struct tls_list_line){ .tls = *bind };
	*at = line;
	line += strspn(line, BLANKS);
	if (!*line || *line == '#')
		return NULL;
	end = line + strcspn(line, BLANKS);
	out->path = line;
	out->filters = end + strspn(end, BLANKS);
	if (*out->filters == '[') {
		char *inner = out->filters + 1, *close = strchr(inner, ']');

		if (!close)
			return "its bracket is not closed";
		*close = '\0';
		out->filters = close + 1 + strspn(close + 1, BLANKS);
		*end = '\0';
		out->tuned = true;
		return read_parameters(inner, &out->tls, at);
	}
	*end = '\0';
	return NULL;
}

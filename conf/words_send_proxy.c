/*
 * words_send_proxy.c - the PROXY protocol towards a server: `send-proxy` and its kin.
 */
#include "conf/parser.h"
#include "conf/words_proxies.h"

#include <string.h>

/* The forms there are; the last that applies is how it is printed. */
static const struct {
	const char *name;
	enum conf_send_proxy version;
	uint32_t options;
} forms[] = {
	{ "send-proxy", CONF_SEND_PROXY_V1, 0 },
	{ "send-proxy-v2", CONF_SEND_PROXY_V2, 0 },
	{ "send-proxy-v2-ssl", CONF_SEND_PROXY_V2, CONF_PROXY_SSL },
	{ "send-proxy-v2-ssl-cn", CONF_SEND_PROXY_V2, CONF_PROXY_SSL | CONF_PROXY_CERT_CN },
};

static const struct {
	const char *name;
	uint32_t bits;
	const char *refused;
} options[] = {
	{ "ssl", CONF_PROXY_SSL, NULL },
	{ "cert-cn", CONF_PROXY_SSL | CONF_PROXY_CERT_CN, NULL },
	{ "ssl-cipher", CONF_PROXY_SSL | CONF_PROXY_SSL_CIPHER, NULL },
	{ "cert-sig", CONF_PROXY_SSL | CONF_PROXY_CERT_SIG, NULL },
	{ "cert-key", CONF_PROXY_SSL | CONF_PROXY_CERT_KEY, NULL },
	{ "authority", CONF_PROXY_AUTHORITY, NULL },
	{ "crc32c", CONF_PROXY_CRC32C, NULL },
	{ "unique-id", 0, "needs mode http, which this version does not have" },
};
#define OPTIONS_N (sizeof options / sizeof *options)

void
parse_send_proxy(struct conf_call *call)
{
	struct conf_server *server = call->object;

	call->used = 1;
	if (strncmp(call->row->name, "no-", 3) == 0) {
		server->send_proxy = CONF_SEND_PROXY_NONE;
		return;
	}
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (strcmp(call->row->name, forms[i].name) != 0)
			continue;
		server->send_proxy = forms[i].version;
		server->proxy_options |= forms[i].options;
	}
}

/* By the row whose form it is; what the form does not say `proxy-v2-options` does. */
void
print_send_proxy(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_server *server = object;

	if ((server->send_proxy == CONF_SEND_PROXY_V1 && strcmp(row->name, "send-proxy") == 0) ||
	    (server->send_proxy == CONF_SEND_PROXY_V2 && strcmp(row->name, "send-proxy-v2") == 0))
		print_name(pr, row->name);
}

/* "proxy-v2-options NAME[,NAME…]": version 2 is meant. */
void
parse_proxy_options(struct conf_call *call)
{
	struct conf_server *server = call->object;
	const struct conf_word *word = call_word(call, 1, "a list of options");
	const char *at = word ? word->text : "";

	call->used = 2;
	while (*at) {
		size_t len = strcspn(at, ","), i = 0;

		while (i < OPTIONS_N &&
		       (strlen(options[i].name) != len || strncmp(options[i].name, at, len) != 0))
			i++;
		if (i == OPTIONS_N)
			conf_error(&call->p->reporter, word->pos,
				   "`%.*s` is none of what the PROXY protocol can tell", (int)len,
				   at);
		else if (options[i].refused)
			call_refuse(call, word->pos, "`proxy-v2-options %s`: %s", options[i].name,
				    options[i].refused);
		else
			server->proxy_options |= options[i].bits;
		at += len + (at[len] == ',');
	}
	server->send_proxy = CONF_SEND_PROXY_V2;
}

void
print_proxy_options(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_server *server = object;
	const char *comma = "";

	if (!server->proxy_options)
		return;
	print_name(pr, row->name);
	putc(' ', pr->out);
	for (size_t i = 0; i < OPTIONS_N; i++) {
		/* `ssl` goes without saying where another implies it. */
		if (!options[i].bits ||
		    (server->proxy_options & options[i].bits) != options[i].bits ||
		    (options[i].bits == CONF_PROXY_SSL &&
		     (server->proxy_options & (CONF_PROXY_CERT_CN | CONF_PROXY_SSL_CIPHER |
					       CONF_PROXY_CERT_SIG | CONF_PROXY_CERT_KEY))))
			continue;
		fprintf(pr->out, "%s%s", comma, options[i].name);
		comma = ",";
	}
}

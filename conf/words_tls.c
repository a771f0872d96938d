/*
 * words_tls.c - reading and printing the words of TLS.  Files are only named here: who reads them is
 * proxy/tls_files.c.
 */
#include "conf/words_tls.h"

#include "conf/parser.h"
#include "conf/value.h"

#include <string.h>

const struct conf_choice tls_versions[] = {
	{ "TLSv1.0", CONF_TLS_1_0, NULL },
	{ "TLSv1.1", CONF_TLS_1_1, NULL },
	{ "TLSv1.2", CONF_TLS_1_2, NULL },
	{ "TLSv1.3", CONF_TLS_1_3, NULL },
	{ "SSLv3", CONF_TLS_ANY, "it is broken, and never spoken" },
	{ NULL, 0, NULL },
};

const struct conf_choice tls_verify_client[] = {
	{ "none", CONF_TLS_VERIFY_NONE, NULL },
	{ "optional", CONF_TLS_VERIFY_OPTIONAL, NULL },
	{ "required", CONF_TLS_VERIFY_REQUIRED, NULL },
	{ NULL, 0, NULL },
};

const struct conf_choice tls_verify_server[] = {
	{ "none", CONF_TLS_VERIFY_NONE, NULL },
	{ "required", CONF_TLS_VERIFY_REQUIRED, NULL },
	{ NULL, 0, NULL },
};

static struct conf_tls *
tls_of(struct conf_call *call)
{
	return (struct conf_tls *)((char *)call->object + call->row->offset);
}

/* What takes a flag back: no-ssl, ssl-reuse. */
void
parse_tls_off(struct conf_call *call)
{
	struct conf_tls *tls = tls_of(call);

	call->used = 1;
	if (strcmp(call->row->name, "no-ssl") == 0)
		tls->on = false;
	else
		tls->no_reuse = false;
}

/* force-tlsv12 */
void
parse_tls_force(struct conf_call *call)
{
	struct conf_tls *tls = tls_of(call);
	int minor = call->row->name[strlen(call->row->name) - 1] - '0';

	call->used = 1;
	tls->min_version = tls->max_version = (enum conf_tls_version)(CONF_TLS_1_0 + minor);
}

static bool
read_file(struct conf_call *call, struct conf_file *file)
{
	const struct conf_word *word = call_word(call, 1, "a file");

	call->used = 2;
	if (!word)
		return false;
	*file = (struct conf_file){
		.pos = word->pos,
		.path = haproxy_expand(&call->p->lexer, word),
	};
	if (*file->path)
		return true;
	conf_error(&call->p->reporter, word->pos, "`%s` needs a file", call->row->name);
	return false;
}

void
parse_tls_file(struct conf_call *call)
{
	read_file(call, (struct conf_file *)((char *)call->object + call->row->offset));
}

void
print_tls_file(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_file *file = (const void *)((const char *)object + row->offset);

	if (!file->path)
		return;
	print_name(pr, row->name);
	print_word(pr, file->path);
}

void
parse_tls_certs(struct conf_call *call)
{
	struct conf_tls *tls = tls_of(call);
	struct conf_file file;

	if (!read_file(call, &file))
		return;
	file.list = strcmp(call->row->name, "crt-list") == 0;
	/* A server shows one certificate; default-server's is not to be added to. */
	if (call->table == &table_server) {
		tls->certs = NULL;
		tls->certs_n = 0;
	}
	*ARENA_PUSH(call->p->arena, tls->certs, tls->certs_n) = file;
}

void
print_tls_certs(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_tls *tls = (const void *)((const char *)object + row->offset);

	for (size_t i = 0; i < tls->certs_n; i++) {
		print_name(pr, tls->certs[i].list ? "crt-list" : "crt");
		print_word(pr, tls->certs[i].path);
	}
}

/* HAProxy takes any sample expression; of these, two say something before HTTP is read. */
void
parse_tls_sni(struct conf_call *call)
{
	struct conf_tls *tls = tls_of(call);
	const struct conf_word *word = call_word(call, 1, "str(NAME) or ssl_fc_sni");
	size_t len;

	call->used = 2;
	if (!word)
		return;
	len = strlen(word->text);
	tls->sni = NULL;
	tls->sni_of_client = strcmp(word->text, "ssl_fc_sni") == 0;
	if (tls->sni_of_client)
		return;
	if (len > 5 && strncmp(word->text, "str(", 4) == 0 && word->text[len - 1] == ')')
		tls->sni = arena_strndup(call->p->arena, word->text + 4, len - 5);
	else
		conf_error(&call->p->reporter, word->pos,
			   "`sni %.60s`: str(NAME) and ssl_fc_sni are known, others come with a "
			   "later version",
			   word->text);
}

void
print_tls_sni(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_tls *tls = (const void *)((const char *)object + row->offset);

	if (!tls->sni && !tls->sni_of_client)
		return;
	print_name(pr, row->name);
	if (tls->sni_of_client) {
		print_word(pr, "ssl_fc_sni");
		return;
	}
	fputs(" str(", pr->out);
	print_bare(pr, tls->sni);
	putc(')', pr->out);
}

static const struct conf_row bind_options[] = {
	TLS_VERSION_ROWS(conf, tls_bind),
	{ "strict-sni", CONF_TYPE_FLAG, ROW_FIELD(conf, tls_bind.strict_sni),
	  .doc = "as of a `bind` line" },
	{ "prefer-client-ciphers", CONF_TYPE_FLAG, ROW_FIELD(conf, tls_bind.client_ciphers),
	  .doc = "as of a `bind` line" },
};

static const struct conf_row server_options[] = {
	TLS_VERSION_ROWS(conf, tls_server),
};

const struct conf_table table_tls_bind_options = {
	.name = "`ssl-default-bind-options`",
	.dialect = CONF_HAPROXY,
	.parameters = true,
	.object_size = sizeof(struct conf),
	TABLE_ROWS(bind_options),
};

const struct conf_table table_tls_server_options = {
	.name = "`ssl-default-server-options`",
	.dialect = CONF_HAPROXY,
	.parameters = true,
	.object_size = sizeof(struct conf),
	TABLE_ROWS(server_options),
};

void
parse_tls_options(struct conf_call *call)
{
	if (call_word(call, 1, "parameters"))
		table_read(call->p, call->row->inside, call->object, call->words + 1,
			   call->words_n - 1, call->end, false);
	call->used = call->words_n;
}

void
print_tls_options(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_tls *tls = (const void *)((const char *)object + row->offset);
	struct conf_printer inner = *pr;

	if (!tls->min_version && !tls->max_version && !tls->no_tlsv10 && !tls->no_tlsv11 &&
	    !tls->no_tlsv12 && !tls->no_tlsv13 && !tls->no_tickets && !tls->strict_sni &&
	    !tls->client_ciphers)
		return;
	print_name(pr, row->name);
	inner.parameters = true;
	table_print(&inner, row->inside, object);
	print_end(pr);
}

void
parse_tls_lifetime(struct conf_call *call)
{
	struct conf *conf = call->object;
	const struct conf_word *word = call_word(call, 1, "a time such as 300 or 5m");
	int64_t value_ms;

	call->used = 2;
	if (!word)
		return;
	if (value_time(word->text, 1000000, &value_ms) == 0 && value_ms >= 1000 &&
	    value_ms / 1000 <= INT32_MAX)
		conf->tls_lifetime_s = (uint32_t)(value_ms / 1000);
	else
		conf_error(&call->p->reporter, word->pos,
			   "`%s` needs a time of at least a second, not `%.40s`", call->row->name,
			   word->text);
}

void
print_tls_lifetime(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf *conf = object;

	if (!conf->tls_lifetime_s)
		return;
	print_name(pr, row->name);
	fprintf(pr->out, " %u", conf->tls_lifetime_s);
	print_end(pr);
}

/*
 * haproxy.c - the section structure of the HAProxy dialect.
 *
 * A section runs to the next line that begins with a section's word, of either dialect.  Proxies
 * start as a copy of the `defaults` they follow (haproxy_defaults.c), less what concerns a side
 * they do not have.
 */
#include "conf/parser.h"

#include <string.h>

/* At the first character of a line: does a section begin, or a $definition? */
static bool
section_begins(struct conf_parser *p)
{
	const char *word;
	size_t len = lexer_peek(&p->lexer, &word);

	return len > 0 &&
	       (*word == '$' || keepalived_section(word, len) || haproxy_section(word, len));
}

static void
read_lines(struct conf_parser *p, const struct conf_table *table, void *object)
{
	struct conf_line line;

	while (lexer_next_line(&p->lexer) && !section_begins(p)) {
		if (*p->lexer.at == '.') {
			condition_read(p);
			continue;
		}
		haproxy_read_words(&p->lexer, &line);
		if (line.words_n > 0)
			table_read(p, table, object, line.words, line.words_n, line.end, false);
	}
}

void
haproxy_skip_section(struct conf_parser *p)
{
	while (lexer_next_line(&p->lexer) && !section_begins(p)) {
		if (*p->lexer.at == '.')
			condition_read(p);
		else
			lexer_skip_line(&p->lexer);
	}
}

static void
read_global(struct conf_call *call)
{
	call->p->given_from = call->p->given_n;
	read_lines(call->p, &table_global, call->p->conf);
}

void
haproxy_check_name(struct conf_parser *p, const struct conf_word *name)
{
	size_t len = strspn(name->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					"0123456789-_.:");

	if (name->text[len] || !len)
		conf_error(&p->reporter, name->pos,
			   "a name has letters, digits and - _ . : only, not `%.60s`", name->text);
}

/* The words behind a section's name: "from NAME", or an address (`old`, if not NULL). */
static struct proxy_draft *
read_heading(struct conf_call *call, size_t at, const struct conf_word **old)
{
	struct conf_parser *p = call->p;
	struct proxy_draft *from = NULL;
	const struct conf_word *name;

	for (; at < call->words_n; at++) {
		if (strcmp(call->words[at].text, "from") == 0) {
			name = call_word(call, ++at,
					 "the name of a `defaults` section after `from`");
			from = name ? defaults_find(p, name) : NULL;
		} else if (old && !*old) {
			*old = &call->words[at];
		} else {
			conf_error(&p->reporter, call->words[at].pos,
				   "`%.60s` is more than `%s` takes", call->words[at].text,
				   call->row->name);
		}
	}
	return from;
}

static void
drop_other_side(struct proxy_draft *draft)
{
	for (size_t i = 0; i < table_proxy.rows_n; i++) {
		const struct conf_row *row = &table_proxy.rows[i];
		uint8_t caps = (row->flags & ROW_FRONT ? CONF_CAP_FRONT : 0) |
			       (row->flags & ROW_BACK ? CONF_CAP_BACK : 0);

		if (caps && !(caps & draft->proxy.caps))
			table_reset(row, &draft->proxy);
	}
	if (!(draft->proxy.caps & CONF_CAP_FRONT))
		draft->default_backend = NULL;
}

/* In mode http it is the mode that is refused (check_proxy.c), not each of its words. */
static void
tell_refused(struct conf_parser *p, const struct proxy_draft *draft)
{
	for (size_t i = 0; i < p->refused_n && draft->proxy.mode != CONF_MODE_HTTP; i++)
		conf_error(&p->reporter, p->refused[i].pos, "%s", p->refused[i].text);
}

static void
read_defaults(struct conf_call *call)
{
	struct conf_parser *p = call->p;
	bool named = call->words_n > 1 && strcmp(call->words[1].text, "from") != 0;
	struct proxy_draft *from = read_heading(call, named ? 2 : 1, NULL);
	struct proxy_draft *draft = defaults_draft(p, from);

	p->refused_n = 0;
	draft->kind = "defaults";
	draft->proxy.name = named ? call->words[1].text : NULL;
	draft->proxy.pos = call->words[0].pos;
	draft->proxy.caps = 0;
	defaults_follow(p, draft, from, true);
	draft->scope = CONF_SCOPE_DEFAULTS + (uint32_t)p->named_defaults_n;
	p->given_from = draft->given.from = p->given_n;
	p->draft = draft;
	read_lines(p, &table_proxy, &draft->proxy);
	p->draft = NULL;
	tell_refused(p, draft);
	draft->given.to = p->given_n;
	p->defaults = draft;
	if (named)
		defaults_name(p, draft);
}

/* A frontend and a backend may share a name, a listen section is both.  Who has it already? */
static const struct conf_name *
claim_name(struct conf_parser *p, uint8_t caps, const struct conf_word *name)
{
	const struct conf_name *first = NULL, *other;

	for (uint8_t side = CONF_CAP_FRONT; side <= CONF_CAP_BACK; side++) {
		if (!(caps & side))
			continue;
		other = names_add(&p->names, NAME_PROXY, side, name->text,
				  (uint32_t)p->conf->proxies_n, name->pos);
		first = first ? first : other;
	}
	return first;
}

static void
read_proxy(struct conf_call *call, uint8_t caps)
{
	struct conf_parser *p = call->p;
	const struct conf_word *name = call_word(call, 1, "a name"), *old = NULL;
	struct proxy_draft *named = read_heading(call, 2, caps & CONF_CAP_FRONT ? &old : NULL);
	struct proxy_draft *from = named ? named : p->defaults;
	struct proxy_draft *draft = defaults_draft(p, from);
	const struct conf_name *first;

	p->refused_n = 0;
	draft->kind = call->row->name;
	draft->proxy.name = name ? name->text : "";
	draft->proxy.pos = name ? name->pos : call->words[0].pos;
	draft->proxy.caps = caps;
	defaults_follow(p, draft, from, named != NULL);
	draft->scope = (uint32_t)p->conf->proxies_n;
	drop_other_side(draft);
	p->given_from = draft->given.from = p->given_n;
	p->draft = draft;
	if (name)
		haproxy_check_name(p, name);
	if (old) {
		const struct conf_word bind[2] = {
			{ .text = "bind", .pos = old->pos, .raw = old->raw },
			*old,
		};

		conf_warning(&p->reporter, old->pos,
			     "an address in the `%s` line is an old form: write `bind %.60s`",
			     draft->kind, old->text);
		table_read(p, &table_proxy, &draft->proxy, bind, 2, call->end, false);
	}
	read_lines(p, &table_proxy, &draft->proxy);
	compile_log_formats(p, draft);
	p->draft = NULL;
	tell_refused(p, draft);
	draft->given.to = p->given_n;
	first = name ? claim_name(p, caps, name) : NULL;
	if (first)
		conf_error(&p->reporter, name->pos, "there is a %s `%s` already, at %s",
			   p->proxies[first->index].kind, name->text,
			   conf_place(&p->reporter, name->pos, first->pos));
	*ARENA_PUSH(p->arena, p->proxies, p->proxies_n) = *draft;
	*ARENA_PUSH(p->arena, p->conf->proxies, p->conf->proxies_n) = draft->proxy;
}

static void
read_frontend(struct conf_call *call)
{
	read_proxy(call, CONF_CAP_FRONT);
}

static void
read_backend(struct conf_call *call)
{
	read_proxy(call, CONF_CAP_BACK);
}

static void
read_listen(struct conf_call *call)
{
	read_proxy(call, CONF_CAP_FRONT | CONF_CAP_BACK);
}

static const char no_http[] = "only HTTP mode uses it, which this version does not have";

#define NOTICE(word, reason)                                                \
	{                                                                   \
		word, CONF_TYPE_NOTICE, .flags = ROW_REPEATS, .doc = reason \
	}
#define WARNED(word, reason)                                                           \
	{                                                                              \
		word, CONF_TYPE_NOTICE, .flags = ROW_REPEATS | ROW_LOUD, .doc = reason \
	}
#define REFUSED(word, reason)                                                \
	{                                                                    \
		word, CONF_TYPE_REFUSED, .flags = ROW_REPEATS, .doc = reason \
	}

static const struct conf_row rows[] = {
	{ "global", CONF_TYPE_CALL, .inside = &table_global, .parse = read_global,
	  .flags = ROW_REPEATS, .doc = "settings of the whole process" },
	{ "defaults", CONF_TYPE_CALL, .inside = &table_proxy, .parse = read_defaults,
	  .flags = ROW_REPEATS,
	  .doc = "settings for the sections below; if it has a name, rules, too, before those of the "
		 "frontends or of the backends that follow" },
	{ "frontend", CONF_TYPE_CALL, .inside = &table_proxy, .parse = read_frontend,
	  .flags = ROW_REPEATS, .doc = "where clients connect" },
	{ "backend", CONF_TYPE_CALL, .inside = &table_proxy, .parse = read_backend,
	  .flags = ROW_REPEATS, .doc = "the servers that do the work" },
	{ "listen", CONF_TYPE_CALL, .inside = &table_proxy, .parse = read_listen,
	  .flags = ROW_REPEATS, .doc = "a frontend and its backend in one" },
	NOTICE("peers", "stick tables are not shared between the nodes"),
	WARNED("resolvers", "host names are resolved once, at the start, by the system's resolver"),
	NOTICE("userlist", no_http),
	NOTICE("http-errors", no_http),
	NOTICE("cache", no_http),
	NOTICE("fcgi-app", no_http),
	NOTICE("mailers", "no mail is sent"),
	NOTICE("crt-store", "certificates are named where they are used"),
	NOTICE("ring", "logs go to their target at once"),
	NOTICE("traces", "-d shows what goes on"),
	NOTICE("log-profile", "the lines are those of `option tcplog`"),
	REFUSED("log-forward", "logs of others are not received: use a syslog daemon"),
	WARNED("acme", "certificates are not fetched: name them with `crt`"),
	WARNED("program", "other programs are the service manager's task: it is not started"),
};

const struct conf_table haproxy_sections = {
	.name = "the top level",
	.dialect = CONF_HAPROXY,
	.object_size = sizeof(struct conf),
	TABLE_ROWS(rows),
};

const struct conf_row *
haproxy_section(const char *word, size_t len)
{
	for (size_t i = 0; i < haproxy_sections.rows_n; i++) {
		const struct conf_row *row = &haproxy_sections.rows[i];

		if (strlen(row->name) == len && memcmp(row->name, word, len) == 0)
			return row;
	}
	return NULL;
}

void
haproxy_read(struct conf_parser *p)
{
	struct conf_line line;
	const char *word;
	size_t len = lexer_peek(&p->lexer, &word);
	const struct conf_row *row = haproxy_section(word, len);

	haproxy_read_words(&p->lexer, &line);
	if (line.words_n > 0)
		table_read(p, &haproxy_sections, p->conf, line.words, line.words_n, line.end,
			   false);
	if (!row || row->type == CONF_TYPE_REFUSED || row->type == CONF_TYPE_NOTICE)
		haproxy_skip_section(p);
}

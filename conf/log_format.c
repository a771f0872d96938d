/*
 * log_format.c - log formats: text, %name and %[expression], with flags.  Runs in whichever thread
 * loads a configuration.
 */
#include "conf/expr_reader.h"
#include "conf/words_conditional.h"

#include <ctype.h>
#include <string.h>

static const struct {
	const char *name;
	enum conf_field field;
} fields[] = {
#define FIELD(id, name) { name, CONF_FIELD_##id },
	CONF_FIELDS(FIELD)
#undef FIELD
};

static const char *const http_fields[] = { "CC", "CS", "HM", "HP", "HPO", "HQ", "HU",  "HV", "Ta",
					   "Ti", "Tq", "TR", "Tr", "r",   "tr", "trg", "trl" };

struct format_reader {
	struct conf_call *call;
	struct conf_pos pos;
	struct conf_format *format;
	struct conf_text text; /* plain characters so far */
	const char *at;
	unsigned flags; /* of all that follows: %o */
	unsigned offers;
};

static void
flush_text(struct format_reader *r)
{
	struct arena *arena = r->call->p->arena;

	if (r->text.len == 0)
		return;
	*ARENA_PUSH(arena, r->format->parts, r->format->parts_n) = (struct conf_format_part){
		.field = CONF_FIELD_TEXT,
		.text = { r->text.s, r->text.len },
	};
	r->text = (struct conf_text){ .arena = arena };
}

static void
add_part(struct format_reader *r, struct conf_format_part part)
{
	flush_text(r);
	*ARENA_PUSH(r->call->p->arena, r->format->parts, r->format->parts_n) = part;
}

/* "{+Q,-E}" changes *flags.  false after an error. */
static bool
read_flags(struct format_reader *r, unsigned *flags)
{
	for (r->at++; *r->at && *r->at != '}';) {
		char sign = *r->at;
		unsigned flag;

		if (sign == ',' || sign == ' ') {
			r->at++;
			continue;
		}
		flag = sign != '+' && sign != '-' ? 0
		       : r->at[1] == 'Q'          ? CONF_FORMAT_QUOTE
		       : r->at[1] == 'X'          ? CONF_FORMAT_HEX
		       : r->at[1] == 'E'          ? CONF_FORMAT_ESCAPE
		       : r->at[1] == 'M'          ? CONF_FORMAT_MANDATORY
						  : 0;
		if (!flag)
			break;
		*flags = sign == '+' ? *flags | flag : *flags & ~flag;
		r->at += 2;
	}
	if (*r->at == '}') {
		r->at++;
		return true;
	}
	call_refuse(r->call, r->pos,
		    "flags of a log format are +Q, +X, +E and +M in braces, not `%.20s`", r->at);
	return false;
}

static bool
read_expression(struct format_reader *r, unsigned flags)
{
	const char *end;
	struct conf_expr *expr = expr_read(r->call, r->pos, r->at + 1, &end);

	if (!expr)
		return false;
	if (*end != ']') {
		call_refuse(r->call, r->pos, "`]` is missing after the expression `%.60s`", r->at);
		return false;
	}
	if (expr->needs & ~r->offers)
		conf_warning(&r->call->p->reporter, r->pos,
			     "`%%%.*s` is not there yet or no longer in `%s`",
			     (int)(end + 1 - r->at), r->at, r->call->row->name);
	r->at = end + 1;
	r->format->needs |= expr->needs;
	add_part(r, (struct conf_format_part){ CONF_FIELD_EXPR, flags, { 0 }, expr });
	return true;
}

static bool
read_field(struct format_reader *r, unsigned flags)
{
	size_t len = 0;

	while (isalpha((unsigned char)r->at[len]))
		len++;
	if (len == 1 && *r->at == 'o') {
		r->flags = flags;
		r->at++;
		return true;
	}
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (strlen(fields[i].name) == len && strncmp(fields[i].name, r->at, len) == 0) {
			r->at += len;
			add_part(r,
				 (struct conf_format_part){ fields[i].field, flags, { 0 }, NULL });
			return true;
		}
	}
	for (size_t i = 0; i < sizeof http_fields / sizeof *http_fields; i++) {
		if (strlen(http_fields[i]) == len && strncmp(http_fields[i], r->at, len) == 0) {
			call_refuse(r->call, r->pos,
				    "`%%%s` needs mode http, which this version does not have",
				    http_fields[i]);
			return false;
		}
	}
	call_refuse(r->call, r->pos, "`%%%.*s` stands for nothing: a single `%%` is written `%%%%`",
		    len ? (int)len : 1, r->at);
	return false;
}

/* At "%". */
static bool
read_percent(struct format_reader *r)
{
	unsigned flags = r->flags;

	if (*++r->at == '%') {
		text_add(&r->text, r->at++, 1);
		return true;
	}
	if (*r->at == '{' && !read_flags(r, &flags))
		return false;
	return *r->at == '[' ? read_expression(r, flags) : read_field(r, flags);
}

struct conf_format *
format_read(struct conf_call *call, struct conf_pos pos, const char *text, unsigned flags,
	    unsigned offers)
{
	struct arena *arena = call->p->arena;
	struct format_reader r = {
		.call = call,
		.pos = pos,
		.format = arena_alloc(arena, sizeof *r.format),
		.text = { .arena = arena },
		.at = text,
		.flags = flags,
		.offers = offers,
	};

	while (*r.at) {
		if (*r.at == '%') {
			if (!read_percent(&r))
				return NULL;
		} else if (*r.at == ' ') {
			/* Blanks in a row are one, across a %o, too. */
			if (r.text.len == 0 || r.text.s[r.text.len - 1] != ' ')
				text_add(&r.text, " ", 1);
			r.at += strspn(r.at, " ");
		} else {
			text_add(&r.text, r.at++, 1);
		}
	}
	flush_text(&r);
	return r.format;
}

/* ------------------------------------------------------------------ the directives */

#define TCPLOG "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"

/* Which of a draft's formats the word names. */
static struct format_draft *
draft_of(struct conf_call *call)
{
	struct proxy_draft *draft = call->p->draft;
	const char *name = call->row->name;

	return strcmp(name, "log-format") == 0         ? &draft->log_format
	       : strcmp(name, "log-format-sd") == 0    ? &draft->log_format_sd
	       : strcmp(name, "error-log-format") == 0 ? &draft->error_log_format
						       : &draft->unique_id_format;
}

/* Kept as it is: in a `defaults` section it is not known yet whose it will be. */
void
parse_log_format(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	struct format_draft *draft = draft_of(call);
	const struct conf_word *word = NULL;

	call->used = call->negated ? 1 : 2;
	if (!call->negated) {
		word = call_word(call, 1,
				 "a format (blanks in it are quoted, or have a backslash)");
		if (!word)
			return;
		if (draft == &call->p->draft->log_format)
			proxy->tcplog = false;
	}
	*draft = (struct format_draft){ .row = call->row };
	if (word) {
		draft->text = word->text;
		draft->pos = word->pos;
	}
	*(const char **)((char *)proxy + call->row->offset) = draft->text;
}

void
parse_tcplog(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;

	call->used = call->words_n;
	if (strcmp(call->row->name, "option tcplog") == 0)
		call->used = 1;
	proxy->tcplog = !call->negated;
	proxy->log_format_text = NULL;
	call->p->draft->log_format = (struct format_draft){ 0 };
	if (!call->negated && strcmp(call->row->name, "option httplog") == 0)
		call_notice(call);
}

void
print_tcplog(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	if (!proxy->tcplog)
		return;
	print_name(pr, row->name);
	print_end(pr);
}

void
print_log_format(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const char *text = *(const char *const *)((const char *)object + row->offset);

	if (!text)
		return;
	print_name(pr, row->name);
	print_word(pr, text);
	print_end(pr);
}

static void
compile(struct conf_parser *p, struct conf_proxy *proxy, const struct format_draft *draft,
	unsigned flags, const struct conf_format **format)
{
	struct conf_call call = {
		.p = p, .table = &table_proxy, .row = draft->row, .object = proxy
	};

	if (draft->text)
		*format = format_read(&call, draft->pos, draft->text, flags,
				      CONF_NEEDS_CLIENT | CONF_NEEDS_SESSION | CONF_NEEDS_SERVER);
}

void
compile_log_formats(struct conf_parser *p, struct proxy_draft *draft)
{
	static const struct conf_row row = { .name = "option tcplog" };
	struct format_draft tcplog = { .text = TCPLOG, .row = &row };
	struct conf_proxy *proxy = &draft->proxy;

	if (!(proxy->caps & CONF_CAP_FRONT))
		return;
	compile(p, proxy, &draft->unique_id_format, 0, &proxy->unique_id_format);
	compile(p, proxy, &draft->error_log_format, 0, &proxy->error_log_format);
	compile(p, proxy, &draft->log_format_sd, CONF_FORMAT_SD, &proxy->log_format_sd);
	compile(p, proxy, proxy->tcplog ? &tcplog : &draft->log_format, 0, &proxy->log_format);
}

/*
 * table_read.c - reading directives by their rows.  Runs in whichever thread loads a configuration.
 *
 * keepalived's dialect forgives (a stricter reader would refuse files that work today), HAProxy's
 * does not: what is an error in the one is a warning in the other, see wrong().
 */
#include "conf/nearest.h"
#include "conf/parser.h"
#include "conf/table_row.h"
#include "conf/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* An error, or in keepalived's dialect a warning. */
#define wrong(call, pos, ...)                                                 \
	do {                                                                  \
		if ((call)->table->dialect == CONF_KEEPALIVED)                \
			conf_warning(&(call)->p->reporter, pos, __VA_ARGS__); \
		else                                                          \
			conf_error(&(call)->p->reporter, pos, __VA_ARGS__);   \
	} while (0)

static void
unknown(struct conf_call *call)
{
	const struct conf_word *words = call->words;
	const char *joined = words[0].text;
	bool first_word_known = false;
	struct nearest nearest;

	for (size_t i = 0; i < call->table->rows_n; i++) {
		const char *name = call->table->rows[i].name;
		size_t len = strcspn(name, " ");

		if (name[len] == ' ' && strncmp(name, words[0].text, len) == 0 &&
		    !words[0].text[len])
			first_word_known = true;
	}
	if (first_word_known && call->words_n > 1)
		joined = arena_printf(call->p->arena, "%s %.100s", words[0].text, words[1].text);

	if (first_word_known && call->words_n == 1)
		wrong(call, call->end, "a word is missing after `%s`", joined);
	else
		wrong(call, words[0].pos, "unknown word `%.100s` %s%s", joined,
		      call->table->parameters ? "after " : "in ", call->table->name);

	if (!call->p->reporter.kept)
		return;
	nearest = nearest_init(joined);
	for (size_t i = 0; i < call->table->rows_n; i++)
		nearest_offer(&nearest, call->table->rows[i].name);
	if (!nearest.best && !first_word_known && call->words_n > 1) {
		/* "timeot client": the first of two words is misspelt. */
		nearest = nearest_init(
			arena_printf(call->p->arena, "%.40s %.40s", words[0].text, words[1].text));
		for (size_t i = 0; i < call->table->rows_n; i++)
			if (strchr(call->table->rows[i].name, ' '))
				nearest_offer(&nearest, call->table->rows[i].name);
	}
	conf_hint_nearest(&call->p->reporter, &nearest);
}

const struct conf_word *
call_word(struct conf_call *call, size_t index, const char *what)
{
	if (index < call->words_n)
		return &call->words[index];
	conf_error(&call->p->reporter, call->end, "`%s` needs %s", call->row->name, what);
	return NULL;
}

bool
call_int(struct conf_call *call, const struct conf_word *word, int64_t min, int64_t max,
	 int64_t *value)
{
	if (value_int(word->text, value) == 0 && *value >= min && *value <= max)
		return true;
	conf_error(&call->p->reporter, word->pos,
		   "`%s` needs a number from %lld to %lld, not `%.40s`", call->row->name,
		   (long long)min, (long long)max, word->text);
	return false;
}

const char *
call_command(struct conf_call *call, size_t index)
{
	const struct conf_word *first = &call->words[index],
			       *last = &call->words[call->words_n - 1];
	char *command;

	if (first == last)
		return first->text;
	command = arena_strndup(call->p->arena, first->raw,
				(size_t)(last->raw + last->raw_len - first->raw));
	if (call->table->dialect == CONF_KEEPALIVED)
		command = keepalived_expand(&call->p->lexer, command, false);
	for (char *c = command; *c; c++) {
		if (*c == '\\' && (c[1] == '\n' || c[1] == '\r'))
			*c = ' ';
		else if (*c == '\n' || *c == '\r' || *c == '\t')
			*c = ' ';
	}
	return command;
}

static void
bad_number(struct conf_call *call, const struct conf_word *word)
{
	const struct conf_row *row = call->row;
	char min[VALUE_STRLEN], max[VALUE_STRLEN];

	if (row->type == CONF_TYPE_INT)
		conf_error(&call->p->reporter, word->pos,
			   "`%s` needs a number from %lld to %lld, not `%.40s`", row->name,
			   (long long)row->min, (long long)row_max(row), word->text);
	else if (row->type == CONF_TYPE_SECONDS)
		conf_error(&call->p->reporter, word->pos,
			   "`%s` needs seconds from %s to %s (0.92 is possible), not `%.40s`",
			   row->name, value_format_seconds((uint64_t)row->min, min),
			   value_format_seconds((uint64_t)row_max(row), max), word->text);
	else
		conf_error(
			&call->p->reporter, word->pos,
			"`%s` needs a time such as 500ms, 10s or 1m, at least %s and at most %s, "
			"not `%.40s`",
			row->name, value_format_time((uint64_t)row->min, min),
			value_format_time((uint64_t)row_max(row), max), word->text);
}

void
choice_error(struct conf_call *call, const struct conf_word *word,
	     const struct conf_choice *choices)
{
	struct nearest nearest = nearest_init(word->text);

	conf_error(&call->p->reporter, word->pos, "`%.40s` is no value of `%s`", word->text,
		   call->row->name);
	for (; choices->name; choices++)
		nearest_offer(&nearest, choices->name);
	conf_hint_nearest(&call->p->reporter, &nearest);
}

static void
read_choice(struct conf_call *call, const struct conf_word *word)
{
	const struct conf_choice *choice = row_choice(call->row, word->text);

	if (!choice)
		choice_error(call, word, call->row->choices);
	else if (choice->refused)
		call_refuse(call, word->pos, "`%s %s`: %s", call->row->name, choice->name,
			    choice->refused);
	else
		row_store(row_field(call->row, call->object), call->row->size, choice->value);
}

/* keepalived's flags may be followed by a boolean.  How many words were used? */
bool
call_flag(struct conf_call *call)
{
	static const char *const words[] = { "off", "false", "no", "on", "true", "yes" };
	bool value = !call->negated;

	call->used = 1;
	for (size_t i = 0; i < 6 && call->table->dialect == CONF_KEEPALIVED; i++) {
		if (call->words_n > 1 && strcasecmp(call->words[1].text, words[i]) == 0) {
			value = i >= 3;
			call->used = 2;
		}
	}
	return value;
}

static void
read_flag(struct conf_call *call)
{
	bool value = call_flag(call);

	memcpy(row_field(call->row, call->object), &value, sizeof value);
}

static void
read_value(struct conf_call *call)
{
	const struct conf_row *row = call->row;
	const struct conf_word *word;
	void *field = row_field(row, call->object);
	int64_t value;

	if (call->negated) {
		call->used = 1;
		table_reset(row, call->object);
		return;
	}
	word = call_word(call, 1, "a value");
	call->used = word ? 2 : 1;
	if (!word)
		return;
	if (row_is_number(row->type)) {
		if (row_number(row, word->text, &value) == 0)
			row_store(field, row->size, value);
		else
			bad_number(call, word);
	} else if (row->type == CONF_TYPE_CHOICE) {
		read_choice(call, word);
	} else if (row->type == CONF_TYPE_IP) {
		if (ip_parse(word->text, field) < 0)
			conf_error(&call->p->reporter, word->pos,
				   "`%s` needs an IP address, not `%.60s`", row->name, word->text);
	} else if (row->type == CONF_TYPE_COMMAND) {
		const char *command = call_command(call, 1);

		memcpy(field, &command, sizeof command);
		call->used = call->words_n;
	} else {
		memcpy(field, &word->text, sizeof word->text);
	}
}

void
call_notice(struct conf_call *call)
{
	/* Once is enough: the same word may stand in every section. */
	if (names_add(&call->p->names, NAME_NOTICE, 0, call->row->name, 0, call->pos))
		return;
	if (call->row->flags & ROW_LOUD)
		conf_warning(&call->p->reporter, call->pos, "`%s` has no effect: %s",
			     call->row->name, call->row->doc);
	else
		conf_notice(&call->p->reporter, call->pos, "`%s` does nothing here: %s",
			    call->row->name, call->row->doc);
}

void
call_refuse(struct conf_call *call, struct conf_pos pos, const char *format, ...)
{
	struct conf_parser *p = call->p;
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (p->draft)
		*ARENA_PUSH(p->arena, p->refused, p->refused_n) =
			(struct conf_refusal){ pos, arena_strdup(p->arena, text) };
	else
		conf_error(&p->reporter, pos, "%s", text);
}

/* For those who want to see what became of each word. */
static void
tell_class(const struct conf_call *call)
{
	const struct conf_options *options = call->p->options;
	enum conf_class class = CONF_CLASS_WORKS;

	if (!options->tell_class)
		return;
	if (!call->row)
		class = CONF_CLASS_UNKNOWN;
	else if (call->row->type == CONF_TYPE_REFUSED)
		class = CONF_CLASS_REFUSED;
	else if (call->row->type == CONF_TYPE_NOTICE)
		class = call->row->flags & ROW_LOUD ? CONF_CLASS_WARNED : CONF_CLASS_NOTICED;
	else if (call->row->flags & ROW_OLD)
		class = CONF_CLASS_OLD;
	options->tell_class(options->tell_ctx, class, call->table->name,
			    call->row ? call->row->name : call->words[0].text, call->pos);
}

/* A parameter without effect takes itself and `min` words; a directive takes its line. */
static size_t
ignored_words(const struct conf_call *call)
{
	size_t words = 1 + (size_t)call->row->min;

	return call->table->parameters && words < call->words_n ? words : call->words_n;
}

/* May the row stand in the proxy section being read? */
static bool
fits_section(struct conf_call *call)
{
	const struct proxy_draft *draft = call->p->draft;
	unsigned flags = call->row->flags;
	unsigned caps =
		(flags & ROW_FRONT ? CONF_CAP_FRONT : 0) | (flags & ROW_BACK ? CONF_CAP_BACK : 0);

	if (call->table != &table_proxy || !draft)
		return true;
	if (draft->proxy.caps == 0 && (flags & ROW_NAMED)) {
		conf_error(&call->p->reporter, call->pos,
			   "`%s` cannot stand in a `defaults` section", call->row->name);
		return false;
	}
	if (draft->proxy.caps == 0 && (flags & ROW_RULE) && !draft->proxy.name) {
		conf_error(&call->p->reporter, call->pos,
			   "`%s` can stand in a `defaults` section only if that has a name",
			   call->row->name);
		return false;
	}
	if (caps == 0 || draft->proxy.caps == 0 || (draft->proxy.caps & caps))
		return true;
	if (flags & (ROW_NAMED | ROW_RULE))
		conf_error(&call->p->reporter, call->pos, "`%s` cannot stand in a %s",
			   call->row->name, draft->kind);
	else
		conf_warning(&call->p->reporter, call->pos, "`%s` has no effect in a %s",
			     call->row->name, draft->kind);
	return false;
}

/* Where the directive was given before, in this section or in `defaults` it follows. */
static const struct conf_pos *
given_before(const struct conf_call *call)
{
	const struct conf_parser *p = call->p;
	struct conf_range here = { p->given_from, p->given_n };
	const struct conf_pos *pos = parser_given(p, here, call->row->name);

	for (const struct proxy_draft *from = p->draft->from; from && !pos; from = from->from)
		pos = parser_given(p, from->given, call->row->name);
	return pos;
}

/* Is it one of which the first counts, and not that? */
static bool
comes_late(struct conf_call *call)
{
	const struct conf_pos *first;
	uint32_t value;

	if (!(call->row->flags & ROW_FIRST))
		return false;
	memcpy(&value, row_field(call->row, call->object), sizeof value);
	if (value == 0)
		return false;
	first = given_before(call);
	conf_warning(&call->p->reporter, call->pos, "`%s` has no effect: the one at %s counts",
		     call->row->name, conf_place(&call->p->reporter, call->pos, *first));
	return true;
}

static void
note_given(struct conf_call *call)
{
	struct conf_parser *p = call->p;

	if (call->table->parameters || call->row->type == CONF_TYPE_NOTICE ||
	    call->row->type == CONF_TYPE_REFUSED)
		return;
	for (size_t i = p->given_from; i < p->given_n; i++) {
		if (p->given[i].row != call->row)
			continue;
		if (call->row->flags & ROW_REPEATS)
			return;
		conf_warning(&p->reporter, call->pos, "`%s` overrides %s", call->row->name,
			     conf_place(&p->reporter, call->pos, p->given[i].pos));
		p->given[i].pos = call->pos;
		return;
	}
	*ARENA_PUSH(p->arena, p->given, p->given_n) = (struct conf_given){ call->row, call->pos };
}

/* One directive.  call->used is set; call->open is cleared if the block was read. */
static void
read_one(struct conf_call *call)
{
	size_t matched, before = 0;

	call->pos = call->words[0].pos;
	if (call->table->dialect == CONF_HAPROXY && !call->table->parameters && call->words_n > 1 &&
	    strcmp(call->words[0].text, "no") == 0) {
		call->negated = true;
		call->words++;
		call->words_n--;
		before = 1;
	}
	call->used = call->words_n;
	call->row = table_find(call->table, call->words, call->words_n, &matched);
	tell_class(call);
	if (!call->row) {
		unknown(call);
		call->used += before;
		return;
	}
	if (call->negated && !(call->row->flags & ROW_NO)) {
		conf_error(&call->p->reporter, call->pos, "`no` cannot stand before `%s`",
			   call->row->name);
		call->used += before;
		return;
	}
	before += matched - 1;
	call->words += matched - 1;
	call->words_n -= matched - 1;
	call->used = call->words_n;
	if (call->row->flags & ROW_OLD)
		conf_warning(&call->p->reporter, call->pos, "`%s` is an old word: write `%s`",
			     call->row->name, call->row->doc);
	if (!fits_section(call) || comes_late(call)) {
		call->used += before;
		return;
	}
	note_given(call);
	switch (call->row->type) {
	case CONF_TYPE_FLAG:
		read_flag(call);
		break;
	case CONF_TYPE_INT:
	case CONF_TYPE_SECONDS:
	case CONF_TYPE_TIME:
	case CONF_TYPE_STRING:
	case CONF_TYPE_COMMAND:
	case CONF_TYPE_CHOICE:
	case CONF_TYPE_IP:
		read_value(call);
		break;
	case CONF_TYPE_BLOCK:
		if (!call->open)
			call->open = keepalived_read_open(&call->p->lexer);
		if (!call->open) {
			conf_error(&call->p->reporter, call->end,
				   "`%s` needs a block: `{` is missing", call->row->name);
			break;
		}
		call->row->parse(call);
		call->open = false;
		break;
	case CONF_TYPE_CALL:
		call->row->parse(call);
		break;
	case CONF_TYPE_NOTICE:
		call_notice(call);
		call->used = ignored_words(call);
		break;
	case CONF_TYPE_REFUSED:
		call->used = ignored_words(call);
		call_refuse(call, call->pos, "`%s`: %s", call->row->name, call->row->doc);
		break;
	}
	call->used += before;
}

/* Words behind a complete directive: another one, or too many? */
static bool
goes_on(struct conf_parser *p, const struct conf_table *table, const struct conf_row *row,
	const struct conf_word *rest, size_t rest_n)
{
	struct conf_call call = { .p = p, .table = table };
	size_t matched;

	if (rest_n == 0 || table->parameters)
		return rest_n > 0;
	if (table->dialect == CONF_KEEPALIVED && table_find(table, rest, rest_n, &matched))
		return true;
	if (row && (row->flags & ROW_SECRET))
		wrong(&call, rest->pos, "more words than `%s` takes", row->name);
	else if (row)
		wrong(&call, rest->pos, "`%.60s` is more than `%s` takes", rest->text, row->name);
	return false;
}

void
table_read(struct conf_parser *p, const struct conf_table *table, void *object,
	   const struct conf_word *words, size_t words_n, struct conf_pos end, bool open)
{
	struct conf_call call;
	size_t used;

	for (;;) {
		call = (struct conf_call){
			.p = p,
			.table = table,
			.object = object,
			.words = words,
			.words_n = words_n,
			.end = end,
			.open = open,
		};
		read_one(&call);
		open = call.open;
		/* A value that was missing has not been consumed. */
		used = call.used < words_n ? call.used : words_n;
		words += used;
		words_n -= used;
		if (!goes_on(p, table, call.row, words, words_n))
			break;
	}
	/* The block of a word that has none, or that is unknown or without effect. */
	if (!open && table->dialect == CONF_KEEPALIVED &&
	    (!call.row || call.row->type == CONF_TYPE_NOTICE ||
	     call.row->type == CONF_TYPE_REFUSED))
		open = keepalived_read_open(&p->lexer);
	else if (open && call.row && call.row->type != CONF_TYPE_NOTICE &&
		 call.row->type != CONF_TYPE_REFUSED)
		conf_warning(&p->reporter, end, "`%s` takes no block", call.row->name);
	if (open)
		keepalived_skip_block(p, end);
}

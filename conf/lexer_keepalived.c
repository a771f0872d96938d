/*
 * lexer_keepalived.c - words, braces, quotes and $definitions of the keepalived dialect.
 *
 * As keepalived reads them: a brace ends a word wherever it stands outside quotes, a word in
 * double quotes ends at its closing quote whatever follows (so """x y""" is three words, the first
 * and the last of them empty), "#" and "!" begin a comment even inside a word unless a backslash
 * stands before them, and a backslash at the end of a line joins the next one to it.
 */
#include "conf/lexer.h"

#include <ctype.h>
#include <string.h>

static bool
at_newline(const struct conf_lexer *lx, const char *p)
{
	return p < lx->end && (*p == '\n' || (*p == '\r' && p + 1 < lx->end && p[1] == '\n'));
}

/* Blanks and joined lines. */
static void
skip_blanks(struct conf_lexer *lx)
{
	while (lx->at < lx->end) {
		if (*lx->at == '\\' && at_newline(lx, lx->at + 1)) {
			lx->at = (const char *)memchr(lx->at, '\n', (size_t)(lx->end - lx->at)) + 1;
			lx->line++;
			lx->line_start = lx->at;
		} else if (*lx->at != '\n' && (isspace((unsigned char)*lx->at) || !*lx->at)) {
			lx->at++;
		} else {
			return;
		}
	}
}

static struct conf_variable *
find_variable(const struct conf_lexer *lx, const char *name, size_t len)
{
	for (size_t i = 0; i < lx->variables_n; i++) {
		struct conf_variable *v = &lx->variables[i];

		if (strlen(v->name) == len && memcmp(v->name, name, len) == 0)
			return v;
	}
	return NULL;
}

/* ${_PWD} and its kin. */
static const char *
predefined(const struct conf_lexer *lx, const char *name, size_t len)
{
	const struct conf *conf = lx->reporter->conf;
	const char *source, *slash;

	if (len == 5 && memcmp(name, "_HASH", len) == 0)
		return "#";
	if (len == 5 && memcmp(name, "_BANG", len) == 0)
		return "!";
	if (len == 9 && memcmp(name, "_INSTANCE", len) == 0)
		return lx->node;
	if (len != 4 || memcmp(name, "_PWD", len) != 0 || lx->source >= conf->sources_n)
		return NULL;
	source = conf->sources[lx->source].name;
	slash = strrchr(source, '/');
	return slash ? arena_strndup(lx->arena, source, (size_t)(slash - source)) : ".";
}

const char *
keepalived_variable(const struct conf_lexer *lx, const char *name, size_t len)
{
	const struct conf_variable *variable = find_variable(lx, name, len);

	return variable ? variable->value : predefined(lx, name, len);
}

/* At "$": the variable's name, and where the text goes on; 0 = it is none. */
static size_t
reference_len(const char *at, const char *end, const char **name, const char **after)
{
	bool braced = at + 1 < end && at[1] == '{';
	size_t len;

	*name = at + 1 + braced;
	len = lexer_name_len(*name, end);
	if (len == 0 || (braced && (*name + len == end || (*name)[len] != '}')))
		return 0;
	*after = *name + len + braced;
	return len;
}

/*
 * What a value's own references mean is decided where it is used, not where it was defined.  One that
 * is made of itself has no value: false after that error, or when it is all too much.
 */
static bool
add_value(struct conf_lexer *lx, struct conf_text *text, const char *value, unsigned depth)
{
	const char *end = value + strlen(value), *name, *after, *inner;

	if (depth == CONF_FRAMES_MAX)
		return lexer_too_deep(lx, lexer_pos(lx));
	if (depth > 0 && !lexer_charge(lx, CONF_NESTED_COST))
		return false;
	while (*value) {
		size_t plain = strcspn(value, "$"), len;
		char *part;

		if (plain > 0) {
			part = arena_strndup(lx->arena, value, plain);
			text_add_value(lx, text, part);
			value += plain;
			continue;
		}
		len = reference_len(value, end, &name, &after);
		inner = len ? keepalived_variable(lx, name, len) : NULL;
		if (!inner) {
			text_add(text, value++, 1);
			continue;
		}
		if (!add_value(lx, text, inner, depth + 1))
			return false;
		value = after;
	}
	return true;
}

/* At "$": appends the variable's value, or the very text if there is no such variable. */
static void
add_variable(struct conf_lexer *lx, struct conf_text *text)
{
	const char *from = lx->at, *name, *after, *value;
	size_t len = reference_len(from, lx->end, &name, &after);

	if (len == 0) {
		text_add(text, lx->at++, 1);
		return;
	}
	lx->at = after;
	value = keepalived_variable(lx, name, len);
	if (value)
		add_value(lx, text, value, 0);
	else
		text_add(text, from, (size_t)(lx->at - from));
}

/* At a double quote, or at a single one that is closed on the same line. */
static void
read_quoted(struct conf_lexer *lx, struct conf_text *text)
{
	struct conf_pos open = lexer_pos(lx);
	char quote = *lx->at++;

	while (lx->at < lx->end && *lx->at != '\n') {
		if (*lx->at == quote) {
			lx->at++;
			return;
		}
		if (quote == '"' && *lx->at == '\\' && lx->at + 1 < lx->end &&
		    (lx->at[1] == '"' || lx->at[1] == '\\'))
			lx->at++;
		else if (quote == '"' && *lx->at == '$') {
			add_variable(lx, text);
			continue;
		}
		if (*lx->at && *lx->at != '\r')
			text_add(text, lx->at, 1);
		lx->at++;
	}
	conf_error(lx->reporter, open, "the quote is not closed before the end of the line");
}

static bool
closed_quote(const struct conf_lexer *lx)
{
	for (const char *p = lx->at + 1; p < lx->end && *p != '\n'; p++)
		if (*p == '\'')
			return true;
	return false;
}

static void
read_plain(struct conf_lexer *lx, struct conf_text *text)
{
	while (lx->at < lx->end && *lx->at && !isspace((unsigned char)*lx->at)) {
		switch (*lx->at) {
		case '{':
		case '}':
		case '#':
		case '!':
		case '"':
			return;
		case '$':
			add_variable(lx, text);
			continue;
		case '\\':
			if (at_newline(lx, lx->at + 1))
				return;
			if (lx->at + 1 < lx->end && (lx->at[1] == '#' || lx->at[1] == '!'))
				lx->at++;
			break;
		}
		text_add(text, lx->at++, 1);
	}
}

static void
read_word(struct conf_lexer *lx, struct conf_line *line)
{
	struct conf_word word = { .pos = lexer_pos(lx), .raw = lx->at };
	struct conf_text text = { .arena = lx->arena };

	text_add(&text, "", 0);
	word.quoted = *lx->at == '"' || (*lx->at == '\'' && closed_quote(lx));
	if (word.quoted)
		read_quoted(lx, &text);
	else
		read_plain(lx, &text);
	word.text = text.s;
	word.raw_len = (size_t)(lx->at - word.raw);
	*ARENA_PUSH(lx->arena, line->words, line->words_n) = word;
}

enum conf_mark
keepalived_read_words(struct conf_lexer *lx, struct conf_line *line)
{
	*line = (struct conf_line){ 0 };
	for (;;) {
		skip_blanks(lx);
		line->end = lexer_pos(lx);
		if (lx->at == lx->end)
			return line->words_n ? CONF_MARK_LINE : CONF_MARK_END;
		switch (*lx->at) {
		case '\n':
			return CONF_MARK_LINE;
		case '#':
		case '!':
			lexer_skip_line(lx);
			return CONF_MARK_LINE;
		case '{':
			lx->at++;
			return CONF_MARK_OPEN;
		case '}':
			if (line->words_n)
				return CONF_MARK_LINE;
			lx->at++;
			return CONF_MARK_CLOSE;
		default:
			read_word(lx, line);
		}
	}
}

bool
keepalived_read_open(struct conf_lexer *lx)
{
	struct conf_lexer before = *lx;

	if (lexer_next_line(lx) && *lx->at == '{') {
		lx->at++;
		return true;
	}
	*lx = before;
	return false;
}

static void
define(struct conf_lexer *lx, const char *name, const char *value)
{
	struct conf_variable *known = find_variable(lx, name, strlen(name));

	if (known)
		known->value = value;
	else if (lx->variables_n == CONF_VARIABLES_MAX)
		conf_error(lx->reporter, lexer_pos(lx), "more than %d definitions",
			   CONF_VARIABLES_MAX);
	else
		*ARENA_PUSH(lx->arena, lx->variables, lx->variables_n) =
			(struct conf_variable){ name, value };
}

/* "$NAME= \" and lines that end with a backslash, the last one without: they keep their ends. */
static const char *
read_lines(struct conf_lexer *lx)
{
	struct conf_text text = { .arena = lx->arena };
	bool more = true;

	text_add(&text, "", 0);
	while (more && lx->at < lx->end) {
		const char *stop;

		/* The end of the line before. */
		lx->at++;
		lx->line++;
		lx->line_start = lx->at;
		stop = memchr(lx->at, '\n', (size_t)(lx->end - lx->at));
		stop = stop ? stop : lx->end;
		lx->at = stop;
		while (stop > lx->line_start && isspace((unsigned char)stop[-1]))
			stop--;
		more = stop > lx->line_start && stop[-1] == '\\';
		text_add(&text, lx->line_start, (size_t)(stop - more - lx->line_start));
		text_add(&text, "\n", 1);
	}
	return text.s;
}

bool
keepalived_read_definition(struct conf_lexer *lx)
{
	const char *name = lx->at + 1, *value, *stop;
	size_t len;

	if (lx->at == lx->end || *lx->at != '$')
		return false;
	len = lexer_name_len(name, lx->end);
	value = name + len;
	while (value < lx->end && (*value == ' ' || *value == '\t'))
		value++;
	if (len == 0 || value == lx->end || *value != '=')
		return false;
	name = arena_strndup(lx->arena, name, len);
	value++;
	while (value < lx->end && (*value == ' ' || *value == '\t'))
		value++;
	if (value < lx->end && *value == '\\' && at_newline(lx, value + 1)) {
		lexer_skip_line(lx);
		define(lx, name, read_lines(lx));
		return true;
	}
	stop = value;
	while (stop < lx->end && *stop != '\n' && *stop != '#' && *stop != '!')
		stop++;
	lx->at = stop;
	while (stop > value && isspace((unsigned char)stop[-1]))
		stop--;
	/* Quotes around the whole value hold it together; they are not part of it. */
	if (stop - value >= 2 && *value == '"' && stop[-1] == '"') {
		value++;
		stop--;
	}
	define(lx, name, arena_strndup(lx->arena, value, (size_t)(stop - value)));
	lexer_skip_line(lx);
	return true;
}

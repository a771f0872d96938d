/*
 * lexer_keepalived.c - words, braces, quotes and $definitions of the keepalived dialect.
 *
 * As keepalived reads them: a brace ends a word wherever it stands outside quotes, a word in
 * double quotes ends at its closing quote whatever follows (so """x y""" is three words, the first
 * and the last of them empty), references are replaced within quotes of either kind, "#" and "!"
 * begin a comment even inside a word unless a backslash stands before them, and a backslash at the end
 * of a line joins the next one to it.
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

#define RANDOM     "_RANDOM"
#define RANDOM_MAX 32767 /* unless it is said */

static bool
is_random(const char *name, size_t len)
{
	return len == sizeof RANDOM - 1 && memcmp(name, RANDOM, len) == 0;
}

/* A number and the blanks before it; *n stays as it is if there is none. */
static const char *
read_number(const char *s, const char *end, uint32_t *n)
{
	uint64_t value = 0;

	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	if (s == end || !isdigit((unsigned char)*s))
		return s;
	for (; s < end && isdigit((unsigned char)*s); s++)
		value = value > UINT32_MAX ? value : value * 10 + (uint64_t)(*s - '0');
	*n = value > INT32_MAX ? INT32_MAX : (uint32_t)value;
	return s;
}

/* Behind "${_RANDOM": up to the "}" that ends "[MIN [MAX]]"; NULL if something else stands there. */
static const char *
random_end(const char *s, const char *end, uint32_t *min, uint32_t *max)
{
	*min = 0;
	*max = RANDOM_MAX;
	s = read_number(read_number(s, end, min), end, max);
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	return s < end && *s == '}' ? s : NULL;
}

/*
 * Guardian and worker read the same text and must understand the same, and so must a later reading
 * of it: the numbers follow from random_seed, else from the node's name.  (xorshift64*)
 */
static const char *
random_number(struct conf_lexer *lx, const char *after)
{
	uint32_t min, max;

	if (!random_end(after, after + strcspn(after, "}") + 1, &min, &max) || max < min)
		max = min;
	if (!lx->random) {
		lx->random = UINT64_C(14695981039346656037);
		for (const char *c = lx->node; *c; c++)
			lx->random = (lx->random ^ (unsigned char)*c) * UINT64_C(1099511628211);
	}
	lx->random |= !lx->random;
	lx->random ^= lx->random >> 12;
	lx->random ^= lx->random << 25;
	lx->random ^= lx->random >> 27;
	return arena_printf(lx->arena, "%u",
			    min + (uint32_t)((lx->random * UINT64_C(2685821657736338717) >> 33) %
					     ((uint64_t)max - min + 1)));
}

/* ${_PWD} and its kin. */
static const char *
predefined(struct conf_lexer *lx, const char *name, size_t len)
{
	const struct conf *conf = lx->reporter->conf;
	const char *source, *slash;

	if (is_random(name, len))
		return random_number(lx, name + len);
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
keepalived_variable(struct conf_lexer *lx, const char *name, size_t len)
{
	const struct conf_variable *variable = find_variable(lx, name, len);

	return variable ? variable->value : predefined(lx, name, len);
}

/* At "${NAME}", or at "$NAME" before a blank: the name, and where the text goes on; 0 = neither.  What
 * follows the text's end is a blank, too, unless it is `closed` by a quote. */
static size_t
reference_len(const char *at, const char *end, bool closed, const char **name, const char **after)
{
	bool braced = at + 1 < end && at[1] == '{';
	uint32_t min, max;
	size_t len;

	*name = at + 1 + braced;
	len = lexer_name_len(*name, end);
	*after = *name + len + braced;
	if (len == 0)
		return 0;
	if (braced && is_random(*name, len)) {
		const char *close = random_end(*name + len, end, &min, &max);

		*after = close ? close + 1 : NULL;
		return close ? len : 0;
	}
	if (braced)
		return *name + len < end && (*name)[len] == '}' ? len : 0;
	if (*after == end)
		return closed ? 0 : len;
	return isspace((unsigned char)**after) ? len : 0;
}

/* The text with each reference replaced, but not what its value refers to; NULL = there is none. */
static char *
expand_once(struct conf_lexer *lx, const char *s, bool closed)
{
	struct conf_text text = { .arena = lx->arena };
	const char *end = s + strlen(s), *name, *after, *value;
	bool any = false;

	text_add(&text, "", 0);
	while (s < end) {
		size_t plain = strcspn(s, "$"), len;

		text_add(&text, s, plain);
		s += plain;
		if (s == end)
			break;
		len = reference_len(s, end, closed, &name, &after);
		value = len ? keepalived_variable(lx, name, len) : NULL;
		if (!value) {
			text_add(&text, s++, 1);
			continue;
		}
		text_add_value(lx, &text, value);
		any = true;
		s = after;
	}
	return any ? text.s : NULL;
}

/* What a value's own references mean is decided where it is used, not where it was defined; and what
 * it makes together with the text around it may be a reference, too. */
char *
keepalived_expand(struct conf_lexer *lx, char *s, bool closed)
{
	for (unsigned depth = 0; depth < CONF_FRAMES_MAX && strlen(s) < CONF_TEXT_MAX; depth++) {
		char *next =
			!lx->expanded_told && strchr(s, '$') ? expand_once(lx, s, closed) : NULL;

		if (!next)
			return s;
		s = next;
	}
	lexer_too_deep(lx, lexer_pos(lx));
	return s;
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
	const char *name, *after;

	while (lx->at < lx->end && *lx->at && !isspace((unsigned char)*lx->at)) {
		switch (*lx->at) {
		case '{':
		case '}':
		case '#':
		case '!':
		case '"':
			return;
		case '$':
			if (reference_len(lx->at, lx->end, false, &name, &after) == 0)
				break;
			text_add(text, lx->at, (size_t)(after - lx->at));
			lx->at = after;
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
	word.text = keepalived_expand(lx, text.s, word.quoted);
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

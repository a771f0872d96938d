/*
 * lexer_haproxy.c - words, quotes, escapes and variables of the HAProxy dialect (section 2.2 and
 * 2.3 of its manual).
 *
 * A backslash before a blank, quote, backslash, "#" or "$" takes it as it is; \n, \r, \t and \xHH have
 * their C meaning; before anything else it stands for itself, as regular expressions need it.  "…"
 * expands $VAR, ${VAR}, ${VAR-default} and ${VAR[*]} from the environment, the last one into
 * several words; '…' expands nothing; "#" outside quotes ends the line.
 */
#include "conf/lexer.h"

#include <ctype.h>
#include <string.h>

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* At a backslash. */
static void
read_escape(struct conf_lexer *lx, struct conf_text *text)
{
	char c;

	if (++lx->at == lx->end) {
		text_add(text, "\\", 1);
		return;
	}
	c = *lx->at++;
	switch (c) {
	case 'n':
		c = '\n';
		break;
	case 'r':
		c = '\r';
		break;
	case 't':
		c = '\t';
		break;
	case 'x':
		if (lx->end - lx->at >= 2 && hex_digit(lx->at[0]) >= 0 &&
		    hex_digit(lx->at[1]) >= 0) {
			c = (char)(hex_digit(lx->at[0]) << 4 | hex_digit(lx->at[1]));
			lx->at += 2;
		} else {
			struct conf_pos pos = lexer_pos(lx);

			pos.column -= 2;
			conf_error(lx->reporter, pos, "\\x needs two hexadecimal digits");
		}
		break;
	case '\n':
		lx->line++;
		lx->line_start = lx->at;
		return;
	case ' ':
	case '"':
	case '\'':
	case '\\':
	case '#':
	case '$':
		break;
	default:
		text_add(text, "\\", 1);
		break;
	}
	if (c)
		text_add(text, &c, 1);
}

/* What a variable reference stands for. */
struct reference {
	const char *value;
	const char *after; /* where the text goes on */
	bool split;        /* ${VAR[*]}: its words are words */
};

/* At "$": true if it is a reference.  What is not ("$5", "${a b}") stands for itself. */
static bool
read_reference(struct conf_lexer *lx, const char *s, const char *end, struct reference *ref)
{
	const char *name = s + 1, *p, *close;
	size_t len;
	bool braced = name < end && *name == '{';
	char *variable;

	name += braced;
	len = lexer_name_len(name, end);
	if (len == 0)
		return false;
	variable = arena_strndup(lx->arena, name, len);
	*ref = (struct reference){ .value = lexer_environment(lx, variable), .after = name + len };
	if (!braced)
		return true;
	p = name + len;
	if (end - p >= 3 && memcmp(p, "[*]", 3) == 0) {
		ref->split = true;
		p += 3;
	}
	close = p < end ? memchr(p, '}', (size_t)(end - p)) : NULL;
	if (!close || (p != close && *p != '-') || memchr(p, '\n', (size_t)(close - p)))
		return false;
	if (!ref->value && *p == '-')
		ref->value = arena_strndup(lx->arena, p + 1, (size_t)(close - p - 1));
	ref->after = close + 1;
	return true;
}

struct line_reader {
	struct conf_lexer *lx;
	struct conf_line *line;
	struct conf_word word;
	struct conf_text text;
	size_t expanded;  /* characters that came out of variables on this line */
	bool empty_words; /* the word is made of empty ${VAR[*]} only: it is none */
};

static void
begin_word(struct line_reader *r)
{
	r->word = (struct conf_word){ .pos = lexer_pos(r->lx),
				      .raw = r->lx->at,
				      .quoted = *r->lx->at == '"' || *r->lx->at == '\'' };
	r->text = (struct conf_text){ .arena = r->lx->arena };
	text_add(&r->text, "", 0);
	r->empty_words = false;
}

static void
end_word(struct line_reader *r)
{
	if (r->empty_words && r->text.len == 0)
		return;
	r->word.text = r->text.s;
	r->word.raw_len = (size_t)(r->lx->at - r->word.raw);
	*ARENA_PUSH(r->lx->arena, r->line->words, r->line->words_n) = r->word;
	r->text = (struct conf_text){ .arena = r->lx->arena };
	text_add(&r->text, "", 0);
}

static void
add_reference(struct line_reader *r)
{
	struct reference ref;
	const char *s;

	if (!read_reference(r->lx, r->lx->at, r->lx->end, &ref)) {
		text_add(&r->text, r->lx->at++, 1);
		return;
	}
	r->lx->at = ref.after;
	s = ref.value ? ref.value : "";
	/* A line of references to one huge variable must not eat the memory. */
	r->expanded += strlen(s);
	if (r->expanded > CONF_TEXT_MAX)
		return;
	if (!ref.split) {
		text_add_value(r->lx, &r->text, s);
		return;
	}
	r->empty_words = r->text.len == 0;
	for (s += strspn(s, " \t\n"); *s; s += strspn(s, " \t\n")) {
		size_t len = strcspn(s, " \t\n");

		text_add(&r->text, s, len);
		s += len;
		if (s[strspn(s, " \t\n")])
			end_word(r);
	}
}

static void
read_quoted(struct line_reader *r)
{
	struct conf_lexer *lx = r->lx;
	struct conf_pos open = lexer_pos(lx);
	char quote = *lx->at++;

	while (lx->at < lx->end && *lx->at != '\n') {
		if (*lx->at == quote) {
			lx->at++;
			return;
		}
		if (quote == '"' && *lx->at == '\\' && lx->at + 1 < lx->end &&
		    strchr("\"\\$ ", lx->at[1])) {
			read_escape(lx, &r->text);
		} else if (quote == '"' && *lx->at == '$') {
			add_reference(r);
		} else {
			if (*lx->at && *lx->at != '\r')
				text_add(&r->text, lx->at, 1);
			lx->at++;
		}
	}
	conf_error(lx->reporter, open, "the quote is not closed before the end of the line");
}

static void
read_word(struct line_reader *r)
{
	struct conf_lexer *lx = r->lx;

	begin_word(r);
	while (lx->at < lx->end && *lx->at && !isspace((unsigned char)*lx->at) && *lx->at != '#') {
		if (*lx->at == '\\') {
			/* A line that goes on after the word ends the word. */
			if (lx->at + 1 < lx->end && (lx->at[1] == '\n' || lx->at[1] == '\r'))
				break;
			read_escape(lx, &r->text);
		} else if (*lx->at == '"' || *lx->at == '\'') {
			read_quoted(r);
		} else {
			text_add(&r->text, lx->at++, 1);
		}
	}
	end_word(r);
}

void
haproxy_read_words(struct conf_lexer *lx, struct conf_line *line)
{
	struct line_reader reader = { .lx = lx, .line = line };

	*line = (struct conf_line){ 0 };
	for (;;) {
		line->end = lexer_pos(lx);
		if (lx->at == lx->end || *lx->at == '\n')
			break;
		if (isspace((unsigned char)*lx->at) || !*lx->at) {
			lx->at++;
		} else if (*lx->at == '#') {
			lexer_skip_line(lx);
			break;
		} else if (*lx->at == '\\' && lx->at + 1 < lx->end &&
			   (lx->at[1] == '\n' || lx->at[1] == '\r')) {
			lexer_skip_line(lx);
			if (lx->at < lx->end) {
				lx->at++;
				lx->line++;
				lx->line_start = lx->at;
			}
		} else {
			read_word(&reader);
		}
	}
	if (reader.expanded > CONF_TEXT_MAX)
		conf_error(lx->reporter, line->words_n ? line->words[0].pos : line->end,
			   "the line is too long once its variables are expanded");
}

const char *
haproxy_expand(struct conf_lexer *lx, const struct conf_word *word)
{
	const char *s = word->text, *end = s + strlen(s);
	struct conf_text text = { .arena = lx->arena };
	struct reference ref;

	if (word->quoted || !strchr(s, '$'))
		return s;
	text_add(&text, "", 0);
	while (s < end) {
		if (*s == '$' && read_reference(lx, s, end, &ref)) {
			if (ref.value)
				text_add_value(lx, &text, ref.value);
			s = ref.after;
		} else {
			text_add(&text, s++, 1);
		}
	}
	return text.s;
}

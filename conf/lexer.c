/*
 * lexer.c - the cursor both dialects share: lines, places, comment lines and @node lines.  Runs
 * in whichever thread loads a configuration; reads only the source's text.
 *
 * A NUL byte counts as a blank: words are C strings.
 */
#include "conf/lexer.h"

#include <ctype.h>
#include <string.h>

void
lexer_open(struct conf_lexer *lx, const struct conf_source *source, uint32_t index)
{
	lx->at = lx->line_start = source->text;
	lx->end = source->text + source->len;
	lx->source = index;
	lx->line = 1;
	lx->fixed = (struct conf_pos){ 0 };
	lx->frames_n = 0;
	/* Editors of another system put a mark before the first line. */
	if (source->len >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0)
		lx->at = lx->line_start += 3;
}

struct conf_pos
lexer_pos(const struct conf_lexer *lx)
{
	if (lx->fixed.line)
		return lx->fixed;
	return (struct conf_pos){ lx->source, lx->line, (uint32_t)(lx->at - lx->line_start) + 1 };
}

static void
skip_blanks(struct conf_lexer *lx)
{
	while (lx->at < lx->end && *lx->at != '\n' && (isspace((unsigned char)*lx->at) || !*lx->at))
		lx->at++;
}

void
lexer_skip_line(struct conf_lexer *lx)
{
	const char *newline = memchr(lx->at, '\n', (size_t)(lx->end - lx->at));

	lx->at = newline ? newline : lx->end;
}

/* At "@": consumes the node's name.  Is the rest of the line ours? */
static bool
node_matches(struct conf_lexer *lx)
{
	const char *name = lx->at + 1;
	bool other = name < lx->end && *name == '^';
	size_t len = 0;

	name += other;
	while (name + len < lx->end && name[len] && !isspace((unsigned char)name[len]))
		len++;
	lx->at = name + len;
	return (strlen(lx->node) == len && memcmp(lx->node, name, len) == 0) != other;
}

bool
lexer_next_line(struct conf_lexer *lx)
{
	for (;;) {
		skip_blanks(lx);
		if (lx->at == lx->end) {
			if (!lexer_leave(lx))
				return false;
			continue;
		}
		switch (*lx->at) {
		case '\n':
			lx->at++;
			lx->line++;
			lx->line_start = lx->at;
			break;
		case '#':
		case '!':
			lexer_skip_line(lx);
			break;
		case '@':
			if (!node_matches(lx))
				lexer_skip_line(lx);
			break;
		case 'i':
		case '~':
		case '$':
			if (!lexer_enter(lx))
				return true;
			break;
		default:
			return true;
		}
	}
}

size_t
lexer_peek(const struct conf_lexer *lx, const char **word)
{
	size_t len = 0;

	*word = lx->at;
	while (lx->at + len < lx->end && lx->at[len] && !isspace((unsigned char)lx->at[len]) &&
	       lx->at[len] != '{' && lx->at[len] != '}')
		len++;
	return len;
}

void
text_add(struct conf_text *text, const char *s, size_t len)
{
	if (len > CONF_TEXT_MAX - text->len)
		len = CONF_TEXT_MAX - text->len;
	if (text->len + len + 1 > text->size) {
		size_t size = text->size ? text->size : 24;
		char *grown;

		while (size < text->len + len + 1)
			size *= 2;
		grown = arena_alloc(text->arena, size);
		memcpy(grown, text->s ? text->s : "", text->len);
		text->s = grown;
		text->size = size;
	}
	memcpy(text->s + text->len, s, len);
	text->len += len;
	text->s[text->len] = '\0';
}

bool
lexer_charge(struct conf_lexer *lx, size_t len)
{
	if (!lx->expanded_told && len > CONF_EXPANDED_MAX - lx->expanded) {
		conf_error(lx->reporter, lexer_pos(lx), "the variables' values are too much");
		lx->expanded_told = true;
	}
	if (lx->expanded_told)
		return false;
	lx->expanded += len;
	return true;
}

bool
lexer_too_deep(struct conf_lexer *lx, struct conf_pos pos)
{
	if (lexer_charge(lx, CONF_EXPANDED_MAX / 8))
		conf_error(lx->reporter, pos, "files and definitions are nested too deeply");
	return false;
}

void
text_add_value(struct conf_lexer *lx, struct conf_text *text, const char *value)
{
	size_t len = strlen(value);

	if (lexer_charge(lx, len))
		text_add(text, value, len);
}

size_t
lexer_name_len(const char *s, const char *end)
{
	size_t len = 0;

	if (s == end || !(isalpha((unsigned char)*s) || *s == '_'))
		return 0;
	while (s + len < end && (isalnum((unsigned char)s[len]) || s[len] == '_'))
		len++;
	return len;
}

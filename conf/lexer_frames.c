/*
 * lexer_frames.c - text that is read in the place of a line: included files, the lines that a
 * variable of keepalived's holds, and its sequences (~SEQ, ~LST).  Runs in whichever thread loads a
 * configuration; opens no file: what is included was read before (read.c).
 *
 * A sequence becomes lines of its own, "$VAR=1", the rest, "$VAR=2", the rest …, so that whatever
 * stands in the rest, another sequence too, needs no rule of its own.
 */
#include "conf/lexer.h"
#include "conf/value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than any network has addresses for; less than what would take long. */
#define SEQUENCE_MAX 65536

static bool
push(struct conf_lexer *lx, struct conf_pos pos)
{
	if (lx->frames_n == CONF_FRAMES_MAX)
		return lexer_too_deep(lx, pos);
	lx->frames[lx->frames_n++] = (struct conf_frame){ lx->at,     lx->end,  lx->line_start,
							  lx->source, lx->line, lx->fixed };
	return true;
}

/* The first source from `from` on that the line included; CONF_NONE = there is no more. */
static uint32_t
find_included(const struct conf_lexer *lx, uint32_t from, uint32_t includer, uint32_t line)
{
	const struct conf *conf = lx->reporter->conf;

	for (uint32_t i = from; i < conf->sources_n; i++)
		if (conf->sources[i].include_line == line && conf->sources[i].includer == includer)
			return i;
	return CONF_NONE;
}

static void
enter_source(struct conf_lexer *lx, uint32_t index)
{
	const struct conf_source *source = &lx->reporter->conf->sources[index];

	lx->fixed = (struct conf_pos){ 0 };
	lx->at = lx->line_start = source->text;
	lx->end = source->text + source->len;
	lx->source = index;
	lx->line = 1;
}

bool
lexer_leave(struct conf_lexer *lx)
{
	const struct conf_frame *frame;
	const struct conf_source *source;
	uint32_t next;

	if (lx->frames_n == 0)
		return false;
	source = &lx->reporter->conf->sources[lx->source];
	next = lx->fixed.line || !source->include_line
		       ? CONF_NONE
		       : find_included(lx, lx->source + 1, source->includer, source->include_line);
	if (next != CONF_NONE) {
		enter_source(lx, next);
		return true;
	}
	frame = &lx->frames[--lx->frames_n];
	lx->at = frame->at;
	lx->end = frame->end;
	lx->line_start = frame->line_start;
	lx->source = frame->source;
	lx->line = frame->line;
	lx->fixed = frame->fixed;
	return true;
}

/* Reads `text` next, as if it all stood at `pos`. */
static void
enter_text(struct conf_lexer *lx, struct conf_pos pos, const char *text)
{
	size_t len = strlen(text);

	if (!lexer_charge(lx, len + CONF_LINES_COST) || !push(lx, pos))
		return;
	lx->fixed = pos;
	lx->at = lx->line_start = text;
	lx->end = text + len;
}

/* ------------------------------------------------------------------ include */

/* What must be there, by the letter behind "include". */
static bool
must_match(char letter, const char *pattern)
{
	bool wildcard = strpbrk(pattern, "*?[") != NULL;

	return letter == 'a' || letter == 'w' || (letter == 'm' && !wildcard) ||
	       (letter == 'b' && strchr(pattern, '{'));
}

static void
enter_files(struct conf_lexer *lx, struct conf_pos pos, char letter, const char *pattern)
{
	uint32_t first = find_included(lx, 0, lx->source, lx->line);

	if (first != CONF_NONE && !lx->fixed.line) {
		if (push(lx, pos))
			enter_source(lx, first);
		return;
	}
	if (must_match(letter, pattern))
		conf_error(lx->reporter, pos, "no file can be read for `%.100s`", pattern);
	else
		conf_warning(lx->reporter, pos, "no file can be read for `%.100s`", pattern);
}

/* "include PATTERN" and its kin. */
static bool
enter_include(struct conf_lexer *lx, const char *word, size_t len)
{
	struct conf_pos pos = lexer_pos(lx);
	const char *from, *to;
	char letter = '\0';

	if (len < 7 || len > 8 || memcmp(word, "include", 7) != 0)
		return false;
	if (len == 8 && !strchr("rmwba", word[7]))
		return false;
	if (len == 8)
		letter = word[7];
	/* Braces belong to the pattern. */
	for (from = word + len; from < lx->end && strchr(" \t\"'", *from) && *from;)
		from++;
	for (to = from; to < lx->end && *to && !strchr(" \t\r\n\"'#!", *to);)
		to++;
	lexer_skip_line(lx);
	if (from == to)
		conf_error(lx->reporter, pos, "`include` needs a file's name");
	else
		enter_files(lx, pos, letter, arena_strndup(lx->arena, from, (size_t)(to - from)));
	return true;
}

/* ------------------------------------------------------------------ lines in variables */

/* "$NAME …" where the value is lines, or begins like a line that is not simply a directive. */
static bool
enter_variable(struct conf_lexer *lx)
{
	const char *name = lx->at + 1, *value, *rest;
	struct conf_pos pos = lexer_pos(lx);
	struct conf_text text = { .arena = lx->arena };
	bool braced = name < lx->end && *name == '{';
	size_t len = lexer_name_len(name + braced, lx->end);

	rest = name + braced + len + braced;
	if (len == 0 || rest > lx->end || (braced && rest[-1] != '}') ||
	    (rest < lx->end && *rest && !isspace((unsigned char)*rest)))
		return false;
	value = keepalived_variable(lx, name + braced, len);
	if (!value || !(strchr(value, '\n') || *value == '@' || *value == '~'))
		return false;
	text_add(&text, value, strlen(value));
	lexer_skip_line(lx);
	if (!strchr(value, '\n'))
		text_add(&text, rest, (size_t)(lx->at - rest));
	text_add(&text, "\n", 1);
	enter_text(lx, pos, text.s);
	return true;
}

/* ------------------------------------------------------------------ sequences */

/* What stands between the parentheses, split at commas outside braces; blanks around are gone. */
#define ARGUMENTS_MAX 1024

struct arguments {
	const char *text[ARGUMENTS_MAX];
	size_t n;
};

static void
add_argument(struct conf_lexer *lx, struct arguments *args, const char *from, const char *to)
{
	while (from < to && isspace((unsigned char)*from))
		from++;
	while (from < to && isspace((unsigned char)to[-1]))
		to--;
	if (args->n < ARGUMENTS_MAX)
		args->text[args->n++] = arena_strndup(lx->arena, from, (size_t)(to - from));
}

/* At "(": the arguments; where the line goes on, or NULL if there is no ")" on it. */
static const char *
read_arguments(struct conf_lexer *lx, const char *at, const char *end, struct arguments *args)
{
	const char *from = at + 1;
	bool braces = false;

	args->n = 0;
	for (at = from; at < end && *at != '\n'; at++) {
		if (*at == '{' || *at == '}') {
			braces = *at == '{';
		} else if ((*at == ',' && !braces) || *at == ')') {
			add_argument(lx, args, from, at);
			from = at + 1;
			if (*at == ')')
				return at + 1;
		}
	}
	return NULL;
}

static bool
number(const char *text, int64_t *value)
{
	char *end;

	if (strncmp(text, "0x", 2) == 0 || strncmp(text, "-0x", 3) == 0) {
		*value = strtoll(text, &end, 16);
		return *end == '\0' && *value > INT32_MIN && *value < INT32_MAX;
	}
	return value_int(text, value) == 0 && *value > INT32_MIN && *value < INT32_MAX;
}

static void
add_definition(struct conf_text *text, const char *name, const char *value)
{
	text_add(text, "$", 1);
	text_add(text, name, strlen(name));
	text_add(text, "=", 1);
	text_add(text, value, strlen(value));
	text_add(text, "\n", 1);
}

static void
add_line(struct conf_lexer *lx, struct conf_text *text, const char *line)
{
	lexer_charge(lx, CONF_SEQUENCE_COST);
	text_add(text, line, strlen(line));
	text_add(text, "\n", 1);
}

/* ~SEQ(var, [start, [step,]] end): NULL, or what is wrong. */
static const char *
expand_sequence(struct conf_lexer *lx, const struct arguments *args, bool hex, const char *rest,
		struct conf_text *text)
{
	int64_t end = 0, start, step, n = 0;
	char value[24];

	if (args->n < 2 || args->n > 4)
		return "a sequence is ~SEQ(NAME, START, STEP, END)";
	if (!number(args->text[args->n - 1], &end))
		return "a sequence needs whole numbers";
	start = end > 0 ? 1 : -1;
	if (args->n > 2 && !number(args->text[1], &start))
		return "a sequence needs whole numbers";
	step = end >= start ? 1 : -1;
	if (args->n > 3 && (!number(args->text[2], &step) || step == 0))
		return "a sequence needs a step that is a whole number, not 0";
	for (int64_t i = start; step > 0 ? i <= end : i >= end; i += step) {
		if (++n > SEQUENCE_MAX)
			return "the sequence is too long";
		snprintf(value, sizeof value, hex ? "%llx" : "%lld", (long long)i);
		add_definition(text, args->text[0], value);
		add_line(lx, text, rest);
	}
	return NULL;
}

/* The names or values of one element: "X" or "{X, Y}". */
static size_t
split_element(struct conf_lexer *lx, const char *element, struct arguments *parts)
{
	size_t len = strlen(element);

	parts->n = 0;
	if (len < 2 || *element != '{' || element[len - 1] != '}') {
		add_argument(lx, parts, element, element + len);
		return parts->n;
	}
	for (const char *from = element + 1;; from++) {
		const char *to = from + strcspn(from, ",}");

		add_argument(lx, parts, from, to);
		if (*to != ',')
			return parts->n;
		from = to;
	}
}

/* ~LST(var, a, b, …) or ~LST({x, y}, {1, 2}, …): NULL, or what is wrong. */
static const char *
expand_list(struct conf_lexer *lx, const struct arguments *args, const char *rest,
	    struct conf_text *text)
{
	struct arguments *names, *values;

	if (args->n < 2)
		return "a list is ~LST(NAME, VALUE, …)";
	names = arena_alloc(lx->arena, 2 * sizeof *names);
	values = names + 1;
	split_element(lx, args->text[0], names);
	for (size_t i = 1; i < args->n; i++) {
		if (split_element(lx, args->text[i], values) != names->n)
			return "each value of a list has as many parts as it has names";
		for (size_t j = 0; j < names->n; j++)
			add_definition(text, names->text[j], values->text[j]);
		add_line(lx, text, rest);
	}
	return NULL;
}

/* At "~". */
static bool
enter_sequence(struct conf_lexer *lx)
{
	struct conf_pos pos = lexer_pos(lx);
	struct conf_text text = { .arena = lx->arena };
	const char *word, *open, *rest, *wrong;
	size_t len = lexer_peek(lx, &word);
	struct arguments *args;

	open = memchr(word, '(', len);
	if (!open || !((open - word == 4 &&
			(memcmp(word, "~SEQ", 4) == 0 || memcmp(word, "~LST", 4) == 0)) ||
		       (open - word == 5 && memcmp(word, "~SEQx", 5) == 0)))
		return false;
	args = arena_alloc(lx->arena, sizeof *args);
	rest = read_arguments(lx, open, lx->end, args);
	lexer_skip_line(lx);
	text_add(&text, "", 0);
	if (!rest) {
		wrong = "`)` is missing";
	} else {
		rest = arena_strndup(lx->arena, rest, (size_t)(lx->at - rest));
		wrong = word[1] == 'S' ? expand_sequence(lx, args, word[4] == 'x', rest, &text)
				       : expand_list(lx, args, rest, &text);
	}
	if (wrong)
		conf_error(lx->reporter, pos, "%s", wrong);
	else if (text.len == CONF_TEXT_MAX)
		conf_error(lx->reporter, pos, "the sequence makes too many lines");
	else
		enter_text(lx, pos, text.s);
	return true;
}

bool
lexer_enter(struct conf_lexer *lx)
{
	const char *word;
	size_t len;

	if (*lx->at == '$')
		return enter_variable(lx);
	if (*lx->at == '~')
		return enter_sequence(lx);
	len = lexer_peek(lx, &word);
	return enter_include(lx, word, len);
}

/* ------------------------------------------------------------------ the environment */

static struct conf_variable *
find_environment(struct conf_lexer *lx, const char *name)
{
	for (size_t i = 0; i < lx->environment_n; i++)
		if (strcmp(lx->environment[i].name, name) == 0)
			return &lx->environment[i];
	return NULL;
}

const char *
lexer_environment(struct conf_lexer *lx, const char *name)
{
	const struct conf_variable *variable = find_environment(lx, name);
	const char *value;

	if (variable || lx->environment_reset)
		return variable ? variable->value : NULL;
	/* The process's own is not ours to point into. */
	value = getenv(name);
	return value ? arena_strdup(lx->arena, value) : NULL;
}

void
lexer_set_environment(struct conf_lexer *lx, const char *name, const char *value)
{
	struct conf_variable *variable = find_environment(lx, name);

	if (variable)
		variable->value = value;
	else
		*ARENA_PUSH(lx->arena, lx->environment, lx->environment_n) =
			(struct conf_variable){ name, value };
}

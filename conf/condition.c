/*
 * condition.c - HAProxy's lines that begin with a dot: .if and its branches, and messages to
 * whoever loads the file (section 2.4 of its manual).
 *
 * A branch that holds is simply read on; the rest is passed over here, whichever section it stands
 * in.  Both keepalived's and HAProxy's top level come here, so that an .if may enclose blocks of
 * either dialect.
 */
#include "conf/condition_eval.h"
#include "conf/nearest.h"
#include "conf/parser.h"

#include <string.h>

/* All words behind the first, blanks between them. */
static const char *
join(struct conf_parser *p, const struct conf_line *line)
{
	struct conf_text text = { .arena = p->arena };

	text_add(&text, "", 0);
	for (size_t i = 1; i < line->words_n; i++) {
		text_add(&text, " ", i > 1);
		text_add(&text, line->words[i].text, strlen(line->words[i].text));
	}
	return text.s;
}

static bool
holds(struct conf_parser *p, const struct conf_line *line)
{
	bool result;
	const char *wrong = condition_eval(&p->lexer, join(p, line), &result);

	if (wrong)
		conf_error(&p->reporter, line->words_n > 1 ? line->words[1].pos : line->end, "%s",
			   wrong);
	return result;
}

/* A message of .notice and its kin. */
static void
say(struct conf_parser *p, const struct conf_line *line, const char *word)
{
	const char *text = join(p, line);
	struct conf_pos pos = line->words[0].pos;

	if (strcmp(word, ".alert") == 0)
		conf_error(&p->reporter, pos, "%.400s", text);
	else if (strcmp(word, ".warning") == 0)
		conf_warning(&p->reporter, pos, "%.400s", text);
	else if (strcmp(word, ".notice") == 0)
		conf_notice(&p->reporter, pos, "%.400s", text);
}

static bool
is_word(const char *word, size_t len, const char *expected)
{
	return strlen(expected) == len && memcmp(word, expected, len) == 0;
}

/* Passes over lines up to the next .elif, .else or .endif of the innermost .if. */
static void
skip_branch(struct conf_parser *p)
{
	size_t depth = 0, len;
	const char *word;

	while (lexer_next_line(&p->lexer)) {
		len = lexer_peek(&p->lexer, &word);
		if (is_word(word, len, ".if"))
			depth++;
		else if (depth == 0 &&
			 (is_word(word, len, ".elif") || is_word(word, len, ".else") ||
			  is_word(word, len, ".endif")))
			return;
		else if (is_word(word, len, ".endif"))
			depth--;
		lexer_skip_line(&p->lexer);
	}
}

static void
open_branch(struct conf_parser *p, const struct conf_line *line)
{
	struct conf_branch *branch;

	if (p->branches_n == CONF_BRANCHES_MAX) {
		conf_error(&p->reporter, line->words[0].pos, "`.if` is nested too deeply");
		return;
	}
	branch = &p->branches[p->branches_n++];
	*branch = (struct conf_branch){ .pos = line->words[0].pos, .held = holds(p, line) };
	if (!branch->held)
		skip_branch(p);
}

/* .elif and .else */
static void
next_branch(struct conf_parser *p, const struct conf_line *line, bool otherwise)
{
	struct conf_branch *branch = &p->branches[p->branches_n - 1];

	if (branch->else_seen)
		conf_error(&p->reporter, line->words[0].pos,
			   "`%s` after the `.else` of the `.if` at %s", line->words[0].text,
			   conf_place(&p->reporter, line->words[0].pos, branch->pos));
	branch->else_seen = branch->else_seen || otherwise;
	if (branch->held) {
		skip_branch(p);
		return;
	}
	branch->held = otherwise || holds(p, line);
	if (!branch->held)
		skip_branch(p);
}

static void
unknown(struct conf_parser *p, const struct conf_word *word)
{
	static const char *const known[] = { ".if",     ".elif",    ".else",  ".endif",
					     ".notice", ".warning", ".alert", ".diag" };
	struct nearest nearest = nearest_init(word->text);

	conf_error(&p->reporter, word->pos, "unknown word `%.60s`", word->text);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		nearest_offer(&nearest, known[i]);
	conf_hint_nearest(&p->reporter, &nearest);
}

void
condition_read(struct conf_parser *p)
{
	struct conf_line line;
	const char *word;

	haproxy_read_words(&p->lexer, &line);
	if (line.words_n == 0)
		return;
	word = line.words[0].text;
	if (strcmp(word, ".if") == 0) {
		open_branch(p, &line);
	} else if (strcmp(word, ".elif") == 0 || strcmp(word, ".else") == 0 ||
		   strcmp(word, ".endif") == 0) {
		if (p->branches_n == 0)
			conf_error(&p->reporter, line.words[0].pos, "`%s` without an `.if`", word);
		else if (strcmp(word, ".endif") == 0)
			p->branches_n--;
		else
			next_branch(p, &line, strcmp(word, ".else") == 0);
	} else if (strcmp(word, ".notice") == 0 || strcmp(word, ".warning") == 0 ||
		   strcmp(word, ".alert") == 0 || strcmp(word, ".diag") == 0) {
		say(p, &line, word);
	} else {
		unknown(p, &line.words[0]);
	}
}

void
condition_end(struct conf_parser *p)
{
	for (; p->branches_n > 0; p->branches_n--)
		conf_error(&p->reporter, p->branches[p->branches_n - 1].pos,
			   "the `.if` that stands here is not closed: `.endif` is missing");
}

/*
 * lexer.h - from characters to words with places.
 *
 * Two lexers share one cursor, because both dialects may stand in one file: whoever reads the
 * file asks for the first word of a line (lexer_next_line, lexer_peek) and lets the dialect's own
 * lexer read on from there.  Nothing here knows a keyword.
 */
#pragma once

#include "conf/report.h"

/* A word as its dialect understands it: quotes and escapes are gone. */
struct conf_word {
	const char *text; /* NUL-terminated, in the arena */
	const char *raw;  /* where it begins in the source, quotes included */
	size_t raw_len;
	struct conf_pos pos;
	bool quoted; /* began with a quote: never a brace, never a keyword's prefix */
};

/* The words of one directive.  With words_n 0, `end` is where the next one would have stood. */
struct conf_line {
	struct conf_word *words;
	size_t words_n;
	struct conf_pos end;
};

/* $NAME=value of the keepalived dialect. */
struct conf_variable {
	const char *name, *value;
};

/* Where reading goes on at the end of an included file or of lines that a variable holds. */
struct conf_frame {
	const char *at, *end, *line_start;
	uint32_t source, line;
	struct conf_pos fixed;
};

#define CONF_FRAMES_MAX 16

struct conf_lexer {
	struct arena *arena;
	struct reporter *reporter;
	const char *node;     /* whom @node lines are for */
	const char *at, *end; /* the cursor */
	const char *line_start;
	uint32_t source, line;
	/* The lines being read stand in no file: this is where they were asked for.  line 0: no. */
	struct conf_pos fixed;
	struct conf_frame frames[CONF_FRAMES_MAX];
	size_t frames_n;
	struct conf_variable *variables;
	size_t variables_n;
	struct conf_variable *environment; /* set by the file; value NULL = unset */
	size_t environment_n;
	bool environment_reset; /* the process's own no longer counts */
	uint64_t random;        /* state behind ${_RANDOM}; 0 = not seeded yet */
	size_t expanded;        /* characters that came out of variables so far */
	bool expanded_told;     /* too much: nothing is expanded any more */
};

/* Bounds on what variables can make of a small file. */
#define CONF_VARIABLES_MAX 1000
#define CONF_EXPANDED_MAX  ((size_t)16 * 1024 * 1024)
/* What lines of variables cost beside their characters, and those of a sequence, any of which may
 * begin a section. */
#define CONF_LINES_COST    32
#define CONF_SEQUENCE_COST 128

/* Which of keepalived's marks stopped a keepalived_read_words. */
enum conf_mark { CONF_MARK_LINE, CONF_MARK_OPEN, CONF_MARK_CLOSE, CONF_MARK_END };

void lexer_open(struct conf_lexer *lx, const struct conf_source *source, uint32_t index);

struct conf_pos lexer_pos(const struct conf_lexer *lx);

/*
 * Moves to the first character of the next line that says something: blank lines, comment lines
 * (# and !) and @node lines for other nodes are passed over; an "@node" that holds is removed.
 * Within a line (after a brace) it stays there if something follows.  false at the end.
 */
bool lexer_next_line(struct conf_lexer *lx);

/* The characters up to the next blank or brace, not consumed. */
size_t lexer_peek(const struct conf_lexer *lx, const char **word);

/* To the end of the line, not beyond. */
void lexer_skip_line(struct conf_lexer *lx);

/*
 * keepalived's words up to the end of the line or a brace, which is consumed and returned.  At
 * least one of words and mark is there.
 */
enum conf_mark keepalived_read_words(struct conf_lexer *lx, struct conf_line *line);

/* Consumes a "{" if it is the next thing in the file, maybe some lines further. */
bool keepalived_read_open(struct conf_lexer *lx);

/* "$NAME=value" at the cursor: remembered and consumed, true. */
bool keepalived_read_definition(struct conf_lexer *lx);

/* The value of one, as it is written; NULL = there is none. */
const char *keepalived_variable(struct conf_lexer *lx, const char *name, size_t len);

/* Text with values in the places of its references, `s` itself if there are none.  `closed`: a quote
 * follows it. */
char *keepalived_expand(struct conf_lexer *lx, char *s, bool closed);

/*
 * lexer_frames.c: at the first word of a line.  An "include", a sequence (~SEQ, ~LST) or a variable
 * that holds lines is consumed, and what it stands for is read next: true.
 */
bool lexer_enter(struct conf_lexer *lx);

/* At the end of what was entered: back to where it was asked for.  false: there is nothing left. */
bool lexer_leave(struct conf_lexer *lx);

/* A variable of the environment as the file has it; NULL = not set.  Lives as long as the arena. */
const char *lexer_environment(struct conf_lexer *lx, const char *name);
/* NULL unsets it. */
void lexer_set_environment(struct conf_lexer *lx, const char *name, const char *value);

/* HAProxy's words up to the end of the line. */
void haproxy_read_words(struct conf_lexer *lx, struct conf_line *line);

/* HAProxy's unquoted addresses expand variables, too ("fd@${NAME}"). */
const char *haproxy_expand(struct conf_lexer *lx, const struct conf_word *word);

/* Text that grows in an arena. */
struct conf_text {
	struct arena *arena;
	char *s;
	size_t len, size;
};

#define CONF_TEXT_MAX ((size_t)64 * 1024)

/* Past CONF_TEXT_MAX characters are dropped: no directive is that long. */
void text_add(struct conf_text *text, const char *s, size_t len);

/* Accounts for what variables make, within CONF_EXPANDED_MAX for all sources; false: too much. */
bool lexer_charge(struct conf_lexer *lx, size_t len);

/*
 * An error: what stands at `pos` leads to itself, or goes too far.  Charged so much that a file of such
 * comes to an end.  Always false.
 */
bool lexer_too_deep(struct conf_lexer *lx, struct conf_pos pos);

/* Appends a variable's value. */
void text_add_value(struct conf_lexer *lx, struct conf_text *text, const char *value);

/* The variable's name at `s` (after the "$", maybe in braces): its length, 0 if there is none. */
size_t lexer_name_len(const char *s, const char *end);

/*
 * table.h - keyword tables: the language as data.
 *
 * A row says how a word is called, what may follow it, where its value goes and what it is for.
 * The same rows drive parsing, defaults, -dump, suggestions for misspelt words, and documentation.
 * Adding a directive is adding a row and, where it has a meaning, a field in model.h.
 */
#pragma once

#include "conf/lexer.h"

enum conf_type {
	CONF_TYPE_FLAG,    /* nothing (keepalived: maybe on/off); bool */
	CONF_TYPE_INT,     /* a whole number; any integer field, min…max */
	CONF_TYPE_SECONDS, /* keepalived's seconds with decimals; uint32_t milliseconds */
	CONF_TYPE_TIME,    /* HAProxy's time, default unit ms; uint32_t milliseconds */
	CONF_TYPE_STRING,  /* one word; const char * */
	CONF_TYPE_COMMAND, /* the rest of the line as one command; const char * */
	CONF_TYPE_CHOICE,  /* one of `choices`; an enum */
	CONF_TYPE_IP,      /* an address; struct ip */
	CONF_TYPE_CALL,    /* what `parse` makes of it */
	CONF_TYPE_BLOCK,   /* keepalived: words, then { … }, which `parse` reads */
	CONF_TYPE_NOTICE,  /* accepted without effect; doc says why, once (ROW_LOUD: a warning) */
	CONF_TYPE_REFUSED, /* an error; doc says why */
};

enum {
	ROW_NO = 1 << 0,      /* "no NAME" takes it back */
	ROW_FRONT = 1 << 1,   /* only in sections with a client side … */
	ROW_BACK = 1 << 2,    /* … or only in those with a server side (neither bit: in both) */
	ROW_NAMED = 1 << 3,   /* not in `defaults` */
	ROW_SECRET = 1 << 4,  /* what follows must never be shown */
	ROW_REPEATS = 1 << 5, /* may be given several times */
	ROW_OLD = 1 << 6,  /* another row's old name: warns, `doc` is the modern form; not dumped */
	ROW_LOUD = 1 << 7, /* NOTICE: its absence shows from outside, so it is a warning */
	ROW_GLOBAL = 1 << 8, /* vrrp_NAME in global_defs holds where an instance says nothing */
	ROW_RULE = 1 << 9,   /* in `defaults`: not without a name */
	ROW_FIRST = 1 << 10, /* TIME: the first one counts, in `defaults` or here, unless it is 0 */
};

struct conf_choice {
	const char *name;
	int value;
	const char *refused; /* a value of later versions: why it is none yet */
};

struct conf_call;
struct conf_printer;
struct conf_table;

struct conf_row {
	const char *name; /* one word or two ("timeout connect") */
	enum conf_type type;
	unsigned flags;
	size_t offset, size; /* ROW_FIELD */
	int64_t min, max;    /* of numbers and times, in the field's unit; max 0 = the type's */
	const char *def;     /* as one would write it; NULL = zero */
	const char *doc;
	const struct conf_choice *choices;
	const struct conf_table *inside; /* the words that stand in it or after it: the manual */
	void (*parse)(struct conf_call *call);
	void (*print)(const struct conf_printer *pr, const struct conf_row *row,
		      const void *object);
};

#define ROW_FIELD(type, member) \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)

enum conf_dialect { CONF_KEEPALIVED, CONF_HAPROXY };

struct conf_table {
	const char *name; /* as in "unknown word in a vrrp_instance" */
	enum conf_dialect dialect;
	bool parameters; /* one after another on a line (bind, server) */
	size_t object_size;
	const struct conf_row *rows;
	size_t rows_n;
};

#define TABLE_ROWS(array) .rows = (array), .rows_n = sizeof(array) / sizeof *(array)

/* One directive being read, handed to a row's `parse`. */
struct conf_call {
	struct conf_parser *p;
	const struct conf_table *table;
	const struct conf_row *row;
	void *object;                  /* what `offset` counts from */
	const struct conf_word *words; /* [0] is the keyword's last word */
	size_t words_n;
	struct conf_pos pos; /* of the directive */
	struct conf_pos end; /* where a missing word would have stood */
	bool negated;        /* "no …" */
	bool open;           /* a "{" was consumed after the words */
	size_t used;         /* words consumed; preset to all of them */
};

struct conf_printer {
	FILE *out;
	const struct conf *conf;
	enum conf_dialect dialect;
	bool parameters;
	const char *indent;
	uint8_t caps; /* of the proxy printed: which rows apply */
	size_t place; /* of a server in its list */
};

/* The row that the words begin with; *matched = how many of them are its name.  NULL = none. */
const struct conf_row *table_find(const struct conf_table *table, const struct conf_word *words,
				  size_t words_n, size_t *matched);

/*
 * Reads the directives on a line (HAProxy: one; keepalived and parameters: as many as stand
 * there).  `open`: the line ended with a "{", consumed; it is read to its "}" in any case.
 */
void table_read(struct conf_parser *p, const struct conf_table *table, void *object,
		const struct conf_word *words, size_t words_n, struct conf_pos end, bool open);

/* Gives the fields of all rows their defaults; a row's for one. */
void table_set_defaults(const struct conf_table *table, void *object);
void table_reset(const struct conf_row *row, void *object);

/* Prints what differs from the defaults. */
void table_print(const struct conf_printer *pr, const struct conf_table *table, const void *object);

/* Does the word precede a secret (ROW_SECRET), maybe misspelt? */
bool table_announces_secret(const char *word);

/* ------------------------------------------------------------------ for `parse` functions */

/* The word after the keyword, or NULL after an error that says what is missing. */
const struct conf_word *call_word(struct conf_call *call, size_t index, const char *what);

/* "does nothing here", once for each word. */
void call_notice(struct conf_call *call);

/*
 * An error, unless the section turns out to be in mode http: then the mode is refused, not each of
 * its words.
 */
void call_refuse(struct conf_call *call, struct conf_pos pos, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What CONF_TYPE_FLAG takes: nothing, or on/off; sets call->used. */
bool call_flag(struct conf_call *call);

/* A whole number min…max; false after an error. */
bool call_int(struct conf_call *call, const struct conf_word *word, int64_t min, int64_t max,
	      int64_t *value);

/* "`x` is no value of …", with the nearest of the choices. */
void choice_error(struct conf_call *call, const struct conf_word *word,
		  const struct conf_choice *choices);

/* The rest of the words, from `index`, as one command. */
const char *call_command(struct conf_call *call, size_t index);

/* ------------------------------------------------------------------ for `print` functions */

/* "  name " or " name ", then values, then end. */
void print_name(const struct conf_printer *pr, const char *name);
void print_word(const struct conf_printer *pr, const char *word);
void print_end(const struct conf_printer *pr);
/* A word, quoted as its dialect needs it, without the blank before it. */
void print_bare(const struct conf_printer *pr, const char *word);

/*
 * expr_reader.h - reading expressions, patterns, conditions and log formats, between the files that
 * do it.  Private to conf/; runs in whichever thread loads a configuration.
 *
 * What is wrong is told through call_refuse: in a section of mode http it is the mode that is
 * refused, not each word that needs it.
 */
#pragma once

#include "conf/expr.h"
#include "conf/expr_words.h"
#include "conf/parser.h"

/* ---------------------------------------------------------------- expr.c */

/*
 * The expression that `text` begins with; *end = what follows it.  With `end` NULL nothing may.
 * NULL after an error at `pos`.
 */
struct conf_expr *expr_read(struct conf_call *call, struct conf_pos pos, const char *text,
			    const char **end);

/* The place of "scope.name", or CONF_NONE after an error. */
uint32_t expr_variable(struct conf_call *call, struct conf_pos pos, const char *name);

/* Adds a condition of set-var to *when; false after an error. */
bool expr_when(struct conf_call *call, struct conf_pos pos, const char *name, unsigned *when);

/* The variable of what a frontend captures in this order, from 0, of requests or of responses. */
uint32_t expr_capture(struct conf_parser *p, struct conf_pos pos, bool response, int64_t order);

const char *sample_type_name(enum sample_type type);

/* ---------------------------------------------------------------- expr_table.c */

struct fetch_row {
	const char *name;
	enum conf_fetch id;
	enum sample_type type;
	unsigned needs;
	const char *args;
};

struct convert_row {
	const char *name;
	enum conf_converter id;
	enum sample_type takes, gives;
	const char *args;
};

const struct fetch_row *fetch_find(const char *name, size_t len);
const struct convert_row *convert_find(const char *name, size_t len);

/* One of CONF_IF_*; 0 = no condition of set-var is called so. */
unsigned when_find(const char *name);

/* Why there is no such fetch or converter: it needs HTTP, or stick tables.  NULL = it is unknown. */
const char *fetch_why_not(const char *name, size_t len);
const char *convert_why_not(const char *name, size_t len);

/* The known name that is nearest, or NULL. */
const char *fetch_nearest(const char *name);
const char *convert_nearest(const char *name);

/* ---------------------------------------------------------------- pattern.c */

/* Can a sample of this type be compared by this method? */
bool pattern_fits(enum sample_type type, enum conf_method method);

/* What is compared with a type if nothing is said; CONF_METHOD_FOUND = nothing fits. */
enum conf_method pattern_method_of(enum sample_type type);

/* The method called so; -1 = none. */
int pattern_method(const char *name);
const char *pattern_method_name(enum conf_method method);

enum pattern_operator { PATTERN_EQ, PATTERN_GE, PATTERN_GT, PATTERN_LE, PATTERN_LT };

/* eq, ge, gt, le, lt; -1 = none. */
int pattern_operator(const char *word);

/* Adds one value as it is written.  NULL, or what is wrong with it.  `dotted`: versions like 3.1. */
const char *pattern_add(struct conf_parser *p, struct conf_patterns *patterns, const char *value,
			enum pattern_operator op, bool dotted);

/* Puts what was added into its final order. */
void pattern_finish(struct conf_patterns *patterns);

/* ---------------------------------------------------------------- map.c */

/* map, map_METHOD, map_METHOD_TYPE or map_regm? */
bool map_is_name(const char *name, size_t len);

/* A converter of that name, whose arguments have been read: reads its file.  false after an error. */
bool map_read(struct conf_call *call, struct conf_pos pos, const char *name, size_t len,
	      struct conf_convert *convert);

/* ---------------------------------------------------------------- expr_args.c */

/* What the name stands for becomes the argument's number.  NULL, or what is wrong. */
const char *expr_read_json(struct conf_arg *arg);

/* The same for `mqtt_field_value`: a packet, and what is in it. */
const char *expr_read_mqtt(struct conf_arg args[2]);

/* ---------------------------------------------------------------- acl.c */

/* `acl NAME …` and its like, from the words [from, to).  false after an error. */
bool acl_read_line(struct conf_call *call, struct conf_acl *acl, size_t from, size_t to);

/*
 * The "if …" or "unless …" that begins at words[at]; NULL = an error was told.  `offers`: CONF_NEEDS_*
 * that are met where it stands.
 */
struct conf_condition *condition_of(struct conf_call *call, size_t at, unsigned offers);

/* ---------------------------------------------------------------- log_format.c */

/* A format out of one word; NULL after an error.  `offers`: what there is where it is used. */
struct conf_format *format_read(struct conf_call *call, struct conf_pos pos, const char *text,
				unsigned flags, unsigned offers);

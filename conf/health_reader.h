/*
 * health_reader.h - reading the words of one check step, between health_steps.c and health_expect.c.
 * Private to them.
 */
#pragma once

#include "conf/table.h"

struct conf_step;

struct step_reader {
	struct conf_call *call;
	struct conf_step *step;
	size_t at; /* the next word */
	bool http, failed;
};

/* A word that may stand in a step. */
struct step_word {
	const char *name;
	void (*read)(struct step_reader *r);
	const char *refused; /* why it has no meaning here, or NULL */
};

extern const char step_no_format[];

/* An error at the word, or at the end of the line. */
void step_fail(struct step_reader *r, const struct conf_word *word, const char *problem);

/* The next word, or NULL after an error. */
const struct conf_word *step_take(struct step_reader *r, const char *what);

/* A text that could be an expression: NULL after an error. */
const char *step_take_format(struct step_reader *r, const char *what);

/* A number in this range; `min` after an error. */
int64_t step_take_number(struct step_reader *r, int64_t min, int64_t max);

/* Bytes for step->data. */
void step_take_hex(struct step_reader *r);
void step_take_string(struct step_reader *r);

/* All that is left on the line. */
void step_read_words(struct step_reader *r, const struct step_word *words);
void step_read_comment(struct step_reader *r);
void step_read_expect(struct step_reader *r);

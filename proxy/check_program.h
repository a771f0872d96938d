/*
 * check_program.h - a backend's check steps, ready to run: the configuration's list with its regular
 * expressions compiled.  Immutable once made: all threads share it.
 */
#pragma once

#include "common/regex.h"
#include "conf/health.h"

#include <stdint.h>

struct check_step {
	const struct conf_step *conf;
	struct regex *pattern, *header, *value; /* NULL = none needed */
	uint32_t number;                        /* in messages; 0 = the connection nobody wrote */
	const char *comment;                    /* its own, or of the comment before it */
};

struct check_program {
	enum conf_health_type type;
	bool disable_on_404;
	uint32_t weight;   /* agents: the file's, of which they give per cents … */
	bool fixed_weight; /* … and only 0 or all of it makes sense to the algorithm */
	struct check_step *steps;
	uint32_t steps_n; /* >= 1; the first one that is no comment connects */
};

/* `health` outlives it.  NULL when out of memory.  Free with check_program_free. */
struct check_program *check_program_new(const struct conf_health *health);
void check_program_free(struct check_program *program); /* NULL is fine */

/*
 * check_program.c - makes programs of check steps.  Run before the threads start.
 */
#include "proxy/check_program.h"

#include <stdlib.h>

static bool
prepare(struct check_step *step, const struct conf_step *conf)
{
	char error[REGEX_ERRORLEN];
	bool whole =
		conf->kind == CONF_STEP_EXPECT &&
		(conf->match == CONF_MATCH_REGEX || conf->match == CONF_MATCH_BINARY_REGEX ||
		 conf->match == CONF_MATCH_STATUS_REGEX || conf->match == CONF_MATCH_BODY_REGEX);

	step->conf = conf;
	if (whole && !(step->pattern = regex_new(conf->pattern, error)))
		return false;
	if (conf->header && conf->header_compare == CONF_COMPARE_REGEX &&
	    !(step->header = regex_new(conf->header, error)))
		return false;
	if (conf->value && conf->value_compare == CONF_COMPARE_REGEX &&
	    !(step->value = regex_new(conf->value, error)))
		return false;
	return true;
}

struct check_program *
check_program_new(const struct conf_health *health)
{
	static const struct conf_step connect = { .kind = CONF_STEP_CONNECT, .implied = true };
	const struct conf_step *steps = health->steps_n ? health->steps : &connect;
	size_t n = health->steps_n ? health->steps_n : 1;
	struct check_program *program = calloc(1, sizeof *program);
	/* Steps are counted from one; a connection nobody wrote does not count. */
	uint32_t number = steps[0].kind == CONF_STEP_CONNECT && steps[0].implied ? 0 : 1;

	if (!program)
		return NULL;
	program->type = health->type;
	program->disable_on_404 = health->disable_on_404;
	program->steps = calloc(n, sizeof *program->steps);
	if (!program->steps) {
		free(program);
		return NULL;
	}
	program->steps_n = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		struct check_step *step = &program->steps[i];

		if (!prepare(step, &steps[i])) {
			check_program_free(program);
			return NULL;
		}
		step->number = number++;
		step->comment = steps[i].comment;
		if (!step->comment && i > 0 && steps[i - 1].kind == CONF_STEP_COMMENT)
			step->comment = steps[i - 1].comment;
	}
	return program;
}

void
check_program_free(struct check_program *program)
{
	if (!program)
		return;
	for (uint32_t i = 0; i < program->steps_n; i++) {
		regex_free(program->steps[i].pattern);
		regex_free(program->steps[i].header);
		regex_free(program->steps[i].value);
	}
	free(program->steps);
	free(program);
}

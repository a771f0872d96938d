/*
 * check_conf.h - check steps out of a few lines of configuration, for tests and fuzzing.
 */
#pragma once

#include "conf/load.h"
#include "proxy/check_reply.h"

#include <stdlib.h>
#include <string.h>

/* The checks of a backend with these lines, in `arena`; aborts if they are wrong. */
static inline const struct conf_health *
check_conf(struct arena *arena, const char *lines)
{
	const char *text =
		arena_printf(arena, "backend app\n%s\n\tserver s 127.0.0.1:1 check\n", lines);
	const struct conf_source source = { "test", text, strlen(text) };
	const struct conf_options options = { .node = "lb1" };
	struct conf_report report;
	const struct conf *conf = conf_load(arena, &source, 1, &options, &report);

	if (report.errors) {
		conf_report_print(stderr, conf, &report, true);
		abort();
	}
	return &conf->proxies[0].health;
}

/* Judges all expectations of a program by one and the same answer. */
static inline enum check_outcome
check_judge_all(const struct check_program *program, const void *data, size_t len, bool last,
		bool up, struct check_result *result)
{
	enum check_outcome outcome = CHECK_OUTCOME_NEXT;

	for (uint32_t i = 0; i < program->steps_n && outcome == CHECK_OUTCOME_NEXT; i++)
		if (program->steps[i].conf->kind == CONF_STEP_EXPECT)
			outcome = check_reply_judge(program, i, data, len, last, up, result);
	return outcome;
}

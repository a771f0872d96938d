/*
 * fuzz_conf_condition.c - the expressions behind HAProxy's .if: any text is evaluated, without
 * reading past its end, and says whether it holds or what is wrong with it.
 */
#include "conf/condition_eval.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct conf conf = { .arena = arena };
	struct conf_report report = { 0 };
	struct reporter reporter = { .arena = arena, .conf = &conf, .report = &report };
	struct conf_lexer lexer = { .arena = arena, .reporter = &reporter, .node = "lb1" };
	const char *text = arena_strndup(arena, (const char *)data, size), *negated, *wrong;
	bool holds, opposite;

	lexer_set_environment(&lexer, "A", "b");
	wrong = condition_eval(&lexer, text, &holds);
	assert(!wrong || !holds);
	/* What is sound holds, or its opposite does. */
	negated = arena_printf(arena, "!(%s)", text);
	if (!wrong && text[strspn(text, " \t\n\v\f\r")]) {
		wrong = condition_eval(&lexer, negated, &opposite);
		assert(wrong || opposite != holds);
	}
	arena_free(arena);
	return 0;
}

/*
 * words_environment.c - setenv, presetenv, unsetenv and resetenv of the global section.
 *
 * They hold for the rest of the configuration, in the order of its lines, and touch no process's
 * environment.
 */
#include "conf/parser.h"
#include "conf/words_proxies.h"

#include <string.h>

/* "setenv NAME VALUE", "presetenv NAME VALUE": the second only if it is not set. */
void
parse_setenv(struct conf_call *call)
{
	const struct conf_word *name = call_word(call, 1, "a name and a value");
	const struct conf_word *value = name ? call_word(call, 2, "a value") : NULL;
	struct conf_lexer *lx = &call->p->lexer;

	call->used = 3;
	if (!value)
		return;
	if (strcmp(call->row->name, "setenv") == 0 || !lexer_environment(lx, name->text))
		lexer_set_environment(lx, name->text, value->text);
}

void
parse_unsetenv(struct conf_call *call)
{
	if (!call_word(call, 1, "a name"))
		return;
	for (size_t i = 1; i < call->words_n; i++)
		lexer_set_environment(&call->p->lexer, call->words[i].text, NULL);
}

/* "resetenv [NAME…]": only these stay. */
void
parse_resetenv(struct conf_call *call)
{
	struct conf_lexer *lx = &call->p->lexer;
	struct conf_variable *kept = NULL;
	size_t kept_n = 0;

	for (size_t i = 1; i < call->words_n; i++) {
		const char *name = call->words[i].text;

		*ARENA_PUSH(call->p->arena, kept, kept_n) =
			(struct conf_variable){ name, lexer_environment(lx, name) };
	}
	lx->environment = kept;
	lx->environment_n = kept_n;
	lx->environment_reset = true;
}

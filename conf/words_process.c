/*
 * words_process.c - set-var and set-var-fmt of the global section: variables of the whole process.
 * Runs in whichever thread loads a configuration.
 *
 * They are set when a worker begins, before there is any session, so an expression may only ask for
 * what needs none.
 */
#include "conf/expr_reader.h"
#include "conf/words_conditional.h"
#include "conf/words_proxies.h"

#include <string.h>

static bool
is_process_variable(const struct conf_parser *p, const struct conf_arg *arg)
{
	return !arg->variable || p->conf->variables[arg->number].process;
}

/* Does it ask for nothing that a session or a proxy has? */
static bool
needs_nobody(const struct conf_parser *p, const struct conf_expr *expr)
{
	if (expr->fetch > CONF_FETCH_VAR)
		return false;
	for (size_t i = 0; i < CONF_ARGS_MAX; i++)
		if (!is_process_variable(p, &expr->args[i]))
			return false;
	for (size_t k = 0; k < expr->converts_n; k++) {
		const struct conf_convert *convert = &expr->converts[k];

		if (convert->id == CONF_CONVERT_NBSRV || convert->id == CONF_CONVERT_SRV_QUEUE ||
		    convert->id == CONF_CONVERT_CAPTURE_REQ ||
		    convert->id == CONF_CONVERT_CAPTURE_RES)
			return false;
		for (size_t i = 0; i < CONF_ARGS_MAX; i++)
			if (!is_process_variable(p, &convert->args[i]))
				return false;
	}
	return true;
}

static bool
part_needs_nobody(const struct conf_parser *p, const struct conf_format_part *part)
{
	switch (part->field) {
	case CONF_FIELD_TEXT:
	case CONF_FIELD_DATE:
	case CONF_FIELD_DATE_GMT:
	case CONF_FIELD_DATE_LOCAL:
	case CONF_FIELD_TIMESTAMP:
	case CONF_FIELD_MILLISECONDS:
	case CONF_FIELD_PID:
		return true;
	case CONF_FIELD_EXPR:
		return needs_nobody(p, part->expr);
	}
	return false;
}

/* The value; false after an error. */
static bool
read_value(struct conf_call *call, const struct conf_word *word, struct conf_process_set *set)
{
	struct conf_parser *p = call->p;
	bool fits = true;

	if (strcmp(call->row->name, "set-var") == 0) {
		set->expr = expr_read(call, word->pos, word->text, NULL);
		if (!set->expr)
			return false;
		fits = needs_nobody(p, set->expr);
	} else {
		set->format = format_read(call, word->pos, word->text, 0, 0);
		if (!set->format)
			return false;
		for (size_t i = 0; i < set->format->parts_n; i++)
			fits = fits && part_needs_nobody(p, &set->format->parts[i]);
	}
	if (!fits)
		conf_error(&p->reporter, word->pos,
			   "`%.60s` asks for what is not there when the process begins",
			   word->text);
	return fits;
}

/* "set-var proc.NAME EXPRESSION", "set-var-fmt proc.NAME FORMAT" */
void
parse_process_set(struct conf_call *call)
{
	struct conf_parser *p = call->p;
	const struct conf_word *name = call_word(call, 1, "a variable such as proc.name");
	const struct conf_word *value = name ? call_word(call, 2, "a value") : NULL;
	struct conf_process_set set = { 0 };

	call->used = 3;
	if (!value)
		return;
	if (strncmp(name->text, "proc.", 5) != 0) {
		conf_error(&p->reporter, name->pos,
			   "a variable of the whole process is called proc.NAME, not `%.60s`",
			   name->text);
		return;
	}
	set.variable = expr_variable(call, name->pos, name->text);
	if (set.variable == CONF_NONE || !read_value(call, value, &set))
		return;
	set.words = rule_keep_words(call, 1, 3, &set.words_n);
	*ARENA_PUSH(p->arena, p->conf->process_sets, p->conf->process_sets_n) = set;
}

/* Both words in one place, since the order counts. */
void
print_process_sets(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf *conf = object;

	for (size_t i = 0; i < conf->process_sets_n; i++) {
		const struct conf_process_set *set = &conf->process_sets[i];

		print_name(pr, set->format ? "set-var-fmt" : "set-var");
		rule_print_words(pr, set->words, set->words_n);
	}
}

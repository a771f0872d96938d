/*
 * words_capture.c - `declare capture` and rules that capture.  Runs in whichever thread loads a
 * configuration.
 *
 * What a frontend captures is known by its place among all that capture, so both kinds of lines
 * are printed in the order of these places.
 */
#include "conf/expr_reader.h"
#include "conf/words_conditional.h"

#include <string.h>

#define CAPTURE_MAX 16384 /* bytes of one */

/* The next place; its variable. */
static uint32_t
add(struct conf_call *call, bool response, int64_t len, bool declared)
{
	struct conf_parser *p = call->p;
	struct conf_proxy *proxy = call->object;
	struct conf_captures *captures =
		response ? &proxy->response_captures : &proxy->request_captures;
	struct conf_capture capture = {
		.len = (uint32_t)len,
		.variable = expr_capture(p, call->pos, response, (int64_t)captures->n),
		.declared = declared,
	};

	*ARENA_PUSH(p->arena, captures->list, captures->n) = capture;
	return capture.variable;
}

/* "len LENGTH" at words[at]. */
static bool
read_len(struct conf_call *call, size_t at, int64_t *len)
{
	const struct conf_word *word = call_word(call, at, "`len` and a length");

	if (!word)
		return false;
	if (strcmp(word->text, "len") != 0) {
		conf_error(&call->p->reporter, word->pos, "`len` must stand here, not `%.40s`",
			   word->text);
		return false;
	}
	word = call_word(call, at + 1, "a length");
	return word && call_int(call, word, 1, CAPTURE_MAX, len);
}

/* "declare capture request|response len LENGTH" */
void
parse_declare_capture(struct conf_call *call)
{
	const struct conf_word *side = call_word(call, 1, "`request` or `response`");
	int64_t len;

	if (!side)
		return;
	if (strcmp(side->text, "request") != 0 && strcmp(side->text, "response") != 0) {
		conf_error(&call->p->reporter, side->pos,
			   "`request` or `response` must stand here, not `%.40s`", side->text);
		return;
	}
	if (!read_len(call, 2, &len))
		return;
	call->used = 4;
	add(call, strcmp(side->text, "response") == 0, len, true);
}

bool
capture_read(struct conf_call *call, struct conf_tcp_rule *rule, size_t *at)
{
	const struct conf_proxy *proxy = call->object;
	int64_t len;

	if (proxy->caps && !(proxy->caps & CONF_CAP_FRONT)) {
		conf_error(&call->p->reporter, call->pos, "only a frontend captures");
		return false;
	}
	if (!read_len(call, *at, &len))
		return false;
	*at += 2;
	rule->level = (int)len;
	rule->variable = add(call, false, len, false);
	return true;
}

static void
print_declared(const struct conf_printer *pr, const char *side, const struct conf_capture *capture)
{
	print_name(pr, "declare capture");
	print_word(pr, side);
	fprintf(pr->out, " len %u", capture->len);
	print_end(pr);
}

void
print_declared_responses(const struct conf_printer *pr, const struct conf_row *row,
			 const void *object)
{
	const struct conf_captures *captures =
		&((const struct conf_proxy *)object)->response_captures;

	for (size_t i = 0; i < captures->n; i++)
		print_declared(pr, "response", &captures->list[i]);
}

/* What is declared from `place` to the next that a rule captures: where that is. */
static size_t
print_up_to_rule(const struct conf_printer *pr, const struct conf_captures *captures, size_t place)
{
	for (; place < captures->n && captures->list[place].declared; place++)
		print_declared(pr, "request", &captures->list[place]);
	return place;
}

void
capture_print_rules(const struct conf_printer *pr, const struct conf_row *row,
		    const struct conf_proxy *proxy)
{
	size_t place = 0;

	for (size_t i = 0; i < proxy->request_rules.n; i++) {
		const struct conf_tcp_rule *rule = &proxy->request_rules.list[i];

		if (rule->action == CONF_ACTION_CAPTURE)
			place = print_up_to_rule(pr, &proxy->request_captures, place) + 1;
		rule_print(pr, row, rule);
	}
	print_up_to_rule(pr, &proxy->request_captures, place);
}

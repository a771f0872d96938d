/*
 * words_script.c - the directives of a vrrp_script block.
 */
#include "conf/parser.h"
#include "conf/words_command.h"

#include <string.h>

/* "weight N [reverse]" */
static void
parse_weight(struct conf_call *call)
{
	struct conf_script *script = call->object;
	const struct conf_word *word = call_word(call, 1, "a number from -253 to 253");
	int64_t weight;

	call->used = 2;
	if (!word || !call_int(call, word, -253, 253, &weight))
		return;
	script->weight = (int32_t)weight;
	if (call->words_n > 2 && strcmp(call->words[2].text, "reverse") == 0) {
		script->reverse = true;
		call->used = 3;
	}
}

static void
print_weight(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_script *script = object;

	if (script->weight == 0 && !script->reverse)
		return;
	print_name(pr, row->name);
	fprintf(pr->out, " %d%s", script->weight, script->reverse ? " reverse" : "");
	print_end(pr);
}

/* "script COMMAND"; quoted, a user and a group may follow it. */
static void
parse_script(struct conf_call *call)
{
	struct conf_script *script = call->object;
	struct conf_command command = { 0 };

	if (!parse_command(call, COMMAND_PLAIN, &command))
		return;
	script->command = command.line;
	if (command.user) {
		script->user = command.user;
		script->group = command.group;
	}
}

static void
print_script(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_script *script = object;

	if (!script->command)
		return;
	print_name(pr, row->name);
	print_word(pr, script->command);
	print_end(pr);
}

/* "user NAME [GROUP]" */
static void
parse_user(struct conf_call *call)
{
	struct conf_script *script = call->object;

	parse_user_group(call, 1, &script->user, &script->group);
}

static void
print_user(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_script *script = object;

	print_user_group(pr, row, script->user, script->group);
}

static const struct conf_row rows[] = {
	{ "script", CONF_TYPE_CALL, .parse = parse_script, .print = print_script,
	  .doc = "the command, run without a shell; exit status 0 is success" },
	{ "interval", CONF_TYPE_SECONDS, ROW_FIELD(conf_script, interval_ms), .min = 10,
	  .max = 86400000, .def = "1", .doc = "seconds between two runs" },
	{ "timeout", CONF_TYPE_SECONDS, ROW_FIELD(conf_script, timeout_ms), .min = 10,
	  .max = 86400000,
	  .doc = "seconds after which a run has failed and is ended; the interval" },
	{ "weight", CONF_TYPE_CALL, .parse = parse_weight, .print = print_weight,
	  .doc = "added to the priority: on success if positive, on failure if negative; "
		 "0 = failure is FAULT" },
	{ "rise", CONF_TYPE_INT, ROW_FIELD(conf_script, rise), .min = 1, .max = 1000000, .def = "1",
	  .doc = "successes in a row that make it good" },
	{ "fall", CONF_TYPE_INT, ROW_FIELD(conf_script, fall), .min = 1, .max = 1000000, .def = "1",
	  .doc = "failures in a row that make it bad" },
	{ "user", CONF_TYPE_CALL, .parse = parse_user, .print = print_user,
	  .doc = "the user, and maybe group, it runs as; script_user" },
	{ "init_fail", CONF_TYPE_FLAG, ROW_FIELD(conf_script, init_fail),
	  .doc = "counts as failed until the first run succeeds" },
};

const struct conf_table table_script = {
	.name = "a vrrp_script",
	.dialect = CONF_KEEPALIVED,
	.object_size = sizeof(struct conf_script),
	TABLE_ROWS(rows),
};

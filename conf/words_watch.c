/*
 * words_watch.c - the directives of the track_file and vrrp_track_process blocks.  Runs in whichever
 * process loads a configuration.
 */
#include "conf/parser.h"
#include "conf/value.h"

#include <string.h>

#define DELAY_MAX_MS 3600000

/* "weight N [reverse]" */
static bool
read_weight(struct conf_call *call, int64_t max, int32_t *weight, bool *reverse)
{
	const struct conf_word *word = call_word(call, 1, "a number");
	int64_t value;

	call->used = 2;
	if (!word || !call_int(call, word, -max, max, &value))
		return false;
	*weight = (int32_t)value;
	*reverse = call->words_n > 2 && strcmp(call->words[2].text, "reverse") == 0;
	call->used += *reverse;
	return true;
}

static void
print_weight(const struct conf_printer *pr, const struct conf_row *row, int32_t weight,
	     bool reverse)
{
	if (weight == 1 && !reverse)
		return;
	print_name(pr, row->name);
	fprintf(pr->out, " %d%s", weight, reverse ? " reverse" : "");
	print_end(pr);
}

/* ------------------------------------------------------------------ track_file */

static void
parse_file(struct conf_call *call)
{
	struct conf_track_file *file = call->object;
	const struct conf_word *path = call_word(call, 1, "a path");

	call->used = 2;
	if (!path)
		return;
	if (path->text[0] != '/')
		conf_error(&call->p->reporter, path->pos,
			   "`file` needs a path that begins with `/`");
	file->path = path->text;
}

static void
print_file(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_track_file *file = object;

	if (!file->path)
		return;
	print_name(pr, row->name);
	print_word(pr, file->path);
	print_end(pr);
}

static void
parse_file_weight(struct conf_call *call)
{
	struct conf_track_file *file = call->object;

	read_weight(call, INT32_MAX, &file->weight, &file->reverse);
}

static void
print_file_weight(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_track_file *file = object;

	print_weight(pr, row, file->weight, file->reverse);
}

/* "init_file [VALUE] [overwrite]" */
static void
parse_init_file(struct conf_call *call)
{
	struct conf_track_file *file = call->object;
	int64_t value;

	file->init = true;
	call->used = 1;
	if (call->used < call->words_n && value_int(call->words[1].text, &value) == 0) {
		if (call_int(call, &call->words[1], INT32_MIN, INT32_MAX, &value))
			file->init_value = (int32_t)value;
		call->used++;
	}
	if (call->used < call->words_n && strcmp(call->words[call->used].text, "overwrite") == 0) {
		file->overwrite = true;
		call->used++;
	}
}

static void
print_init_file(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_track_file *file = object;

	if (!file->init)
		return;
	print_name(pr, row->name);
	if (file->init_value)
		fprintf(pr->out, " %d", file->init_value);
	if (file->overwrite)
		print_word(pr, "overwrite");
	print_end(pr);
}

static const struct conf_row file_rows[] = {
	{ "file", CONF_TYPE_CALL, .parse = parse_file, .print = print_file,
	  .doc = "the file; the number in it counts, and a missing file as 0" },
	{ "weight", CONF_TYPE_CALL, .parse = parse_file_weight, .print = print_file_weight,
	  .doc = "times that number is added to the priority; a sum below -253 is FAULT; 0 = any "
		 "number but 0 is FAULT; 1" },
	{ "init_file", CONF_TYPE_CALL, .parse = parse_init_file, .print = print_init_file,
	  .doc = "write a number at the start, if there is no such file or with `overwrite`" },
};

const struct conf_table table_track_file = {
	.name = "a track_file",
	.dialect = CONF_KEEPALIVED,
	.object_size = sizeof(struct conf_track_file),
	TABLE_ROWS(file_rows),
};

/* ------------------------------------------------------------------ vrrp_track_process */

/* "process NAME [PARAMETER...]": what is quoted is one word. */
static void
parse_process(struct conf_call *call)
{
	struct conf_track_process *process = call->object;

	if (!call_word(call, 1, "a process' name"))
		return;
	process->words_n = call->words_n - 1;
	process->words = arena_alloc(call->p->arena, process->words_n * sizeof *process->words);
	for (size_t i = 0; i < process->words_n; i++)
		process->words[i] = call->words[i + 1].text;
}

static void
print_process(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_track_process *process = object;

	if (process->words_n == 0)
		return;
	print_name(pr, row->name);
	for (size_t i = 0; i < process->words_n; i++)
		print_word(pr, process->words[i]);
	print_end(pr);
}

static void
parse_process_weight(struct conf_call *call)
{
	struct conf_track_process *process = call->object;

	read_weight(call, 254, &process->weight, &process->reverse);
}

static void
print_process_weight(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_track_process *process = object;

	print_weight(pr, row, process->weight, process->reverse);
}

static const struct conf_choice matches[] = {
	{ "partial", CONF_PARAM_PARTIAL, NULL },
	{ "initial", CONF_PARAM_INITIAL, NULL },
	{ NULL, 0, NULL },
};

static void
parse_delay(struct conf_call *call)
{
	struct conf_track_process *process = call->object;
	const struct conf_word *word = call_word(call, 1, "seconds");
	int64_t us;

	call->used = 2;
	if (!word)
		return;
	if (value_seconds(word->text, &us) < 0 || us > DELAY_MAX_MS * INT64_C(1000)) {
		conf_error(&call->p->reporter, word->pos,
			   "`delay` needs seconds from 0 to 3600, not `%.40s`", word->text);
		return;
	}
	process->fork_delay_ms = process->terminate_delay_ms = (uint32_t)((us + 999) / 1000);
}

static const struct conf_row process_rows[] = {
	{ "process", CONF_TYPE_CALL, .parse = parse_process, .print = print_process,
	  .doc = "its name as `ps -o comm` has it; with parameters, its command line" },
	{ "param_match", CONF_TYPE_CHOICE, ROW_FIELD(conf_track_process, match), .choices = matches,
	  .doc = "the parameters are the first ones (partial), the last may go on (initial)" },
	{ "full_command", CONF_TYPE_FLAG, ROW_FIELD(conf_track_process, full_command),
	  .doc = "by the first word of the command line, whatever the parameters" },
	{ "weight", CONF_TYPE_CALL, .parse = parse_process_weight, .print = print_process_weight,
	  .doc = "added to the priority: while enough run if positive, while not if negative; 0 = "
		 "not enough is FAULT; 1" },
	{ "quorum", CONF_TYPE_INT, ROW_FIELD(conf_track_process, quorum), .max = 65535, .def = "1",
	  .doc = "how many there must be" },
	{ "quorum_max", CONF_TYPE_INT, ROW_FIELD(conf_track_process, quorum_max), .max = UINT32_MAX,
	  .def = "4294967295", .doc = "how many there may be" },
	{ "fork_delay", CONF_TYPE_SECONDS, ROW_FIELD(conf_track_process, fork_delay_ms),
	  .max = DELAY_MAX_MS, .doc = "seconds there must be enough before that counts" },
	{ "terminate_delay", CONF_TYPE_SECONDS, ROW_FIELD(conf_track_process, terminate_delay_ms),
	  .max = DELAY_MAX_MS, .doc = "seconds there must not be enough before that counts" },
	{ "delay", CONF_TYPE_CALL, .parse = parse_delay, .doc = "both" },
};

const struct conf_table table_track_process = {
	.name = "a vrrp_track_process",
	.dialect = CONF_KEEPALIVED,
	.object_size = sizeof(struct conf_track_process),
	TABLE_ROWS(process_rows),
};

/*
 * words_track.c - what a vrrp_instance or a vrrp_sync_group tracks: scripts, interfaces, files,
 * processes, the proxy, backends; and how long a link must have changed before that counts.  Runs in whichever process
 * loads a configuration.
 */
#include "conf/parser.h"
#include "conf/value.h"
#include "conf/words_lists.h"

#include <string.h>

#define WEIGHT_MAX        253
#define LINK_DELAY_MAX_US 255000000

/* The options behind a tracked thing's name. */
struct options {
	int64_t weight, min;
	bool weight_given, reverse;
};

static struct options
read_options(struct conf_call *call, const struct conf_word *words, size_t words_n,
	     struct conf_pos end, bool backend, int64_t weight_max)
{
	struct options options = { .min = 1 };
	struct conf_call inner = *call;

	inner.words = words;
	inner.words_n = words_n;
	inner.end = end;
	for (size_t i = 1; i < words_n; i++) {
		const char *text = words[i].text;
		const struct conf_word *value;

		if (strcmp(text, "weight") == 0 || (backend && strcmp(text, "min") == 0)) {
			bool weight = *text == 'w';

			value = call_word(&inner, ++i,
					  weight ? "a number after `weight`"
						 : "a number after `min`");
			if (value && weight)
				options.weight_given = call_int(&inner, value, -weight_max,
								weight_max, &options.weight);
			else if (value && !call_int(&inner, value, 1, 65535, &options.min))
				options.min = 1;
		} else if (!backend && strcmp(text, "reverse") == 0) {
			options.reverse = true;
		} else if (backend || (strcmp(text, "no_reverse") && strcmp(text, "noreverse"))) {
			conf_error(&call->p->reporter, words[i].pos,
				   "`%.60s` is no option of `%s`: after the name come %s", text,
				   call->row->name,
				   backend ? "weight N and min N" : "weight N and reverse");
			break;
		}
	}
	return options;
}

/* ------------------------------------------------------------------ what is tracked by its name */

static struct conf_track_list *
list_of(const struct conf_row *row, const void *object)
{
	return (struct conf_track_list *)((char *)object + row->offset);
}

/* A row's word, what it refers to, and the most a weight may be. */
static const struct kind {
	const char *word;
	enum conf_track_kind kind;
	enum conf_ref_kind ref;
	int64_t weight_max;
} kinds[] = {
	{ "track_script", CONF_TRACK_SCRIPT, CONF_REF_SCRIPT, 253 },
	{ "track_interface", CONF_TRACK_INTERFACE, CONF_REF_SCRIPT, 253 },
	{ "track_file", CONF_TRACK_FILE, CONF_REF_FILE, 254 },
	{ "track_process", CONF_TRACK_PROCESS, CONF_REF_PROCESS, 254 },
};

static const struct kind *
kind_of(const struct conf_row *row)
{
	const struct kind *kind = kinds;

	while (strcmp(kind->word, row->name) != 0)
		kind++;
	return kind;
}

static void
read_track(struct conf_call *call, const struct conf_line *line)
{
	struct conf_track_list *list = list_of(call->row, call->object);
	const struct kind *kind = kind_of(call->row);
	const struct conf_word *name = &line->words[0];
	struct options options =
		read_options(call, line->words, line->words_n, line->end, false, kind->weight_max);
	struct conf_track track = {
		.pos = name->pos,
		.index = CONF_NONE,
		.weight = (int32_t)options.weight,
		.weight_given = options.weight_given,
		.reverse = options.reverse,
	};

	if (kind->kind != CONF_TRACK_INTERFACE)
		parser_refer_listed(call, kind->ref, name, list->n);
	else if (parse_interface_name(call, name))
		track.index = parser_interface(call->p, name->text);
	*ARENA_PUSH(call->p->arena, list->at, list->n) = track;
}

void
parse_track(struct conf_call *call)
{
	keepalived_read_list(call, read_track);
}

static void
print_one(const struct conf_printer *pr, const struct conf_row *row, const struct conf_track *track)
{
	fprintf(pr->out, "%s\t", pr->indent);
	print_bare(pr, conf_track_name(pr->conf, kind_of(row)->kind, track->index));
	if (track->weight_given)
		fprintf(pr->out, " weight %d", track->weight);
	fputs(track->weight_given && track->reverse ? " reverse\n" : "\n", pr->out);
}

void
print_track(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_track_list *list = list_of(row, object);
	bool any = false;

	for (size_t i = 0; i < list->n; i++) {
		if (list->at[i].implied)
			continue;
		if (!any)
			fprintf(pr->out, "%s%s {\n", pr->indent, row->name);
		any = true;
		print_one(pr, row, &list->at[i]);
	}
	if (any)
		fprintf(pr->out, "%s}\n", pr->indent);
}

/* ------------------------------------------------------------------ interface_up_down_delays */

static bool
read_delay(struct conf_call *call, const struct conf_word *word, uint32_t *ms)
{
	int64_t us;

	if (value_seconds(word->text, &us) < 0 || us > LINK_DELAY_MAX_US) {
		conf_error(&call->p->reporter, word->pos,
			   "a delay is seconds from 0 to 255, not `%.40s`", word->text);
		return false;
	}
	*ms = (uint32_t)((us + 999) / 1000);
	return true;
}

/* "NAME DOWN [UP]": up is as long as down unless given. */
static void
read_link_delay(struct conf_call *call, const struct conf_line *line)
{
	struct conf_call inner = *call;
	const struct conf_word *down;
	struct conf_interface *interface;
	uint32_t index;

	inner.words = line->words;
	inner.words_n = line->words_n;
	inner.end = line->end;
	down = call_word(&inner, 1, "seconds");
	if (!down || !parse_interface_name(call, &line->words[0]))
		return;
	index = parser_interface(call->p, line->words[0].text);
	interface = &call->p->conf->interfaces[index];
	if (!read_delay(call, down, &interface->down_delay_ms))
		return;
	interface->up_delay_ms = interface->down_delay_ms;
	if (line->words_n > 2)
		read_delay(call, &line->words[2], &interface->up_delay_ms);
}

void
parse_link_delays(struct conf_call *call)
{
	keepalived_read_list(call, read_link_delay);
}

void
print_link_delays(const struct conf_printer *pr)
{
	char down[VALUE_STRLEN], up[VALUE_STRLEN];
	bool any = false;

	for (size_t i = 0; i < pr->conf->interfaces_n; i++) {
		const struct conf_interface *interface = &pr->conf->interfaces[i];

		if (!interface->down_delay_ms && !interface->up_delay_ms)
			continue;
		fputs(any ? "\t" : "interface_up_down_delays {\n\t", pr->out);
		any = true;
		print_bare(pr, interface->name);
		fprintf(pr->out, " %s %s\n", value_format_seconds(interface->down_delay_ms, down),
			value_format_seconds(interface->up_delay_ms, up));
	}
	if (any)
		fputs("}\n\n", pr->out);
}

/* ------------------------------------------------------------------ track_proxy, track_backend */

void
parse_track_proxy(struct conf_call *call)
{
	struct conf_instance *instance = call->object;

	instance->no_track_proxy = false;
	call->used = 1;
}

static struct conf_track_backend_list *
backends_of(const struct conf_row *row, const void *object)
{
	return (struct conf_track_backend_list *)((char *)object + row->offset);
}

static void
add_track_backend(struct conf_call *call, const struct conf_word *words, size_t words_n,
		  struct conf_pos end)
{
	struct conf_track_backend_list *list = backends_of(call->row, call->object);
	struct options options = read_options(call, words, words_n, end, true, WEIGHT_MAX);

	parser_refer_listed(call, CONF_REF_BACKEND, &words[0], list->n);
	*ARENA_PUSH(call->p->arena, list->at, list->n) = (struct conf_track_backend){
		.pos = words[0].pos,
		.backend = CONF_NONE,
		.weight = (int32_t)options.weight,
		.min = (uint32_t)options.min,
	};
}

static void
read_track_backend(struct conf_call *call, const struct conf_line *line)
{
	add_track_backend(call, line->words, line->words_n, line->end);
}

void
parse_track_backend(struct conf_call *call)
{
	if (call->open || (call->words_n == 1 && keepalived_read_open(&call->p->lexer))) {
		keepalived_read_list(call, read_track_backend);
		call->open = false;
	} else if (call_word(call, 1, "a backend's name")) {
		add_track_backend(call, call->words + 1, call->words_n - 1, call->end);
	}
}

void
print_track_backend(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_track_backend_list *list = backends_of(row, object);

	for (size_t i = 0; i < list->n; i++) {
		const struct conf_track_backend *track = &list->at[i];

		if (track->implied)
			continue;
		print_name(pr, row->name);
		print_word(pr, pr->conf->proxies[track->backend].name);
		if (track->weight)
			fprintf(pr->out, " weight %d", track->weight);
		if (track->min != 1)
			fprintf(pr->out, " min %u", track->min);
		print_end(pr);
	}
}

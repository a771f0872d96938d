/*
 * words_track.c - what a vrrp_instance tracks: scripts, the proxy, backends.
 */
#include "conf/parser.h"
#include "conf/words_lists.h"

#include <string.h>

/* The options behind a tracked thing's name. */
struct options {
	int64_t weight, min;
	bool weight_given, reverse;
};

static struct options
read_options(struct conf_call *call, const struct conf_word *words, size_t words_n,
	     struct conf_pos end, bool backend)
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
				options.weight_given =
					call_int(&inner, value, -253, 253, &options.weight);
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

/* ------------------------------------------------------------------ track_script */

static void
read_track_script(struct conf_call *call, const struct conf_line *line)
{
	struct conf_instance *instance = call->object;
	struct conf_track_list *list = &instance->track[CONF_TRACK_SCRIPT];
	struct conf_parser *p = call->p;
	struct options options = read_options(call, line->words, line->words_n, line->end, false);

	parser_refer(p, CONF_REF_SCRIPT, &line->words[0], (uint32_t)p->conf->instances_n, list->n);
	*ARENA_PUSH(p->arena, list->at, list->n) = (struct conf_track){
		.pos = line->words[0].pos,
		.index = CONF_NONE,
		.weight = (int32_t)options.weight,
		.weight_given = options.weight_given,
		.reverse = options.reverse,
	};
}

void
parse_track_script(struct conf_call *call)
{
	keepalived_read_list(call, read_track_script);
}

void
print_track_script(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;
	const struct conf_track_list *list = &instance->track[CONF_TRACK_SCRIPT];

	if (list->n == 0)
		return;
	fprintf(pr->out, "%s%s {\n", pr->indent, row->name);
	for (size_t i = 0; i < list->n; i++) {
		const struct conf_track *track = &list->at[i];

		fprintf(pr->out, "%s\t", pr->indent);
		print_bare(pr, pr->conf->scripts[track->index].name);
		if (track->weight_given)
			fprintf(pr->out, " weight %d%s", track->weight,
				track->reverse ? " reverse" : "");
		fputc('\n', pr->out);
	}
	fprintf(pr->out, "%s}\n", pr->indent);
}

/* ------------------------------------------------------------------ track_proxy, track_backend */

void
parse_track_proxy(struct conf_call *call)
{
	struct conf_instance *instance = call->object;

	instance->no_track_proxy = false;
	call->used = 1;
}

static void
add_track_backend(struct conf_call *call, const struct conf_word *words, size_t words_n,
		  struct conf_pos end)
{
	struct conf_instance *instance = call->object;
	struct conf_parser *p = call->p;
	struct options options = read_options(call, words, words_n, end, true);

	parser_refer(p, CONF_REF_BACKEND, &words[0], (uint32_t)p->conf->instances_n,
		     instance->track_backends_n);
	*ARENA_PUSH(p->arena, instance->track_backends, instance->track_backends_n) =
		(struct conf_track_backend){
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
	const struct conf_instance *instance = object;

	for (size_t i = 0; i < instance->track_backends_n; i++) {
		const struct conf_track_backend *track = &instance->track_backends[i];

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

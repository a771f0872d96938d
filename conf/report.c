/*
 * report.c - messages with places.  Runs in whichever thread loads a configuration.
 *
 * A message shows its line, and a line may hold a secret: what follows a word that announces one
 * (or is misspelt like one) is printed as <hidden>.
 */
#include "conf/report.h"

#include "conf/nearest.h"
#include "conf/table.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SHOWN_MAX 2048

static void __attribute__((format(printf, 4, 0)))
add(struct reporter *r, enum conf_severity severity, struct conf_pos pos, const char *format,
    va_list ap)
{
	struct conf_report *report = r->report;
	char text[512];

	switch (severity) {
	case CONF_ERROR:
		report->errors++;
		break;
	case CONF_WARNING:
		report->warnings++;
		break;
	case CONF_NOTICE:
		report->notices++;
		break;
	}
	r->kept = report->messages_n < CONF_MESSAGES_MAX;
	if (!r->kept)
		return;
	vsnprintf(text, sizeof text, format, ap);
	/* Words of the file are quoted in here: nothing of them may move a terminal's cursor. */
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	*ARENA_PUSH(r->arena, report->messages, report->messages_n) = (struct conf_message){
		.severity = severity,
		.pos = pos,
		.text = arena_strdup(r->arena, text),
	};
}

void
conf_error(struct reporter *r, struct conf_pos pos, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(r, CONF_ERROR, pos, format, ap);
	va_end(ap);
}

void
conf_warning(struct reporter *r, struct conf_pos pos, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(r, CONF_WARNING, pos, format, ap);
	va_end(ap);
}

void
conf_notice(struct reporter *r, struct conf_pos pos, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(r, CONF_NOTICE, pos, format, ap);
	va_end(ap);
}

void
conf_hint(struct reporter *r, const char *format, ...)
{
	char text[256];
	va_list ap;

	if (!r->kept)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	r->report->messages[r->report->messages_n - 1].hint = arena_strdup(r->arena, text);
}

void
conf_hint_nearest(struct reporter *r, const struct nearest *nearest)
{
	if (nearest->best)
		conf_hint(r, "did you mean `%s`?", nearest->best);
}

const char *
conf_place(struct reporter *r, struct conf_pos here, struct conf_pos there)
{
	if (here.source == there.source || there.source >= r->conf->sources_n)
		return arena_printf(r->arena, "line %u", there.line);
	return arena_printf(r->arena, "%s:%u", r->conf->sources[there.source].name, there.line);
}

/* Where a message was before sorting decides between equals: qsort is not stable. */
struct sorted {
	struct conf_message message;
	size_t before;
};

static int
compare(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	if (x->message.pos.source != y->message.pos.source)
		return x->message.pos.source < y->message.pos.source ? -1 : 1;
	if (x->message.pos.line != y->message.pos.line)
		return x->message.pos.line < y->message.pos.line ? -1 : 1;
	if (x->message.pos.column != y->message.pos.column)
		return x->message.pos.column < y->message.pos.column ? -1 : 1;
	return x->before < y->before ? -1 : 1;
}

void
conf_report_sort(struct conf_report *report)
{
	struct sorted *sorted = calloc(report->messages_n + 1, sizeof *sorted);

	/* Without memory to sort with, the messages come in the order they came up. */
	if (!sorted)
		return;
	for (size_t i = 0; i < report->messages_n; i++)
		sorted[i] = (struct sorted){ report->messages[i], i };
	qsort(sorted, report->messages_n, sizeof *sorted, compare);
	for (size_t i = 0; i < report->messages_n; i++)
		report->messages[i] = sorted[i].message;
	free(sorted);
}

/* Where the last message's line was: messages are sorted, so the next one is found from there. */
struct line_finder {
	const struct conf_source *source;
	const char *at;
	uint32_t line;
};

/* The text of a source's line; its length in *len. */
static const char *
find_line(struct line_finder *f, const struct conf_source *source, uint32_t line, size_t *len)
{
	const char *end = source->text + source->len, *newline;

	if (f->source != source || f->line > line)
		*f = (struct line_finder){ source, source->text, 1 };
	while (f->line < line && (newline = memchr(f->at, '\n', (size_t)(end - f->at)))) {
		f->at = newline + 1;
		f->line++;
	}
	newline = memchr(f->at, '\n', (size_t)(end - f->at));
	*len = (size_t)((newline ? newline : end) - f->at);
	return f->at;
}

/* How much of the line may be shown: up to the blank before a secret. */
static size_t
shown_len(const char *line, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t start, word_len;
		char word[NEAREST_LEN + 1];

		while (i < len && isspace((unsigned char)line[i]))
			i++;
		for (start = i; i < len && !isspace((unsigned char)line[i]) && line[i] != '{';)
			i++;
		word_len = i - start;
		if (i < len && line[i] == '{')
			i++;
		if (word_len == 0 || word_len > NEAREST_LEN || i == len)
			continue;
		memcpy(word, line + start, word_len);
		word[word_len] = '\0';
		if (table_announces_secret(word))
			return start + word_len + 1;
	}
	return len;
}

static void
print_line(FILE *out, struct line_finder *finder, const struct conf_source *source,
	   struct conf_pos pos)
{
	size_t len, shown, column = pos.column - 1;
	const char *line = find_line(finder, source, pos.line, &len);

	/* Nobody reads that, and looking for secrets in it would take its time. */
	if (len > LINE_SHOWN_MAX)
		return;

	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	shown = shown_len(line, len);
	fputs("  ", out);
	/* Only what cannot move a terminal's cursor; blanks stay what they are, for the caret. */
	for (size_t i = 0; i < shown; i++)
		putc(line[i] == '\t' || (unsigned char)line[i] >= ' ' ? line[i] : '?', out);
	fputs(shown < len ? "<hidden>\n  " : "\n  ", out);
	if (column > shown)
		column = shown;
	for (size_t i = 0; i < column; i++) {
		/* A character of several bytes takes one place. */
		if (((unsigned char)line[i] & 0xc0) != 0x80)
			putc(line[i] == '\t' ? '\t' : ' ', out);
	}
	fputs("^\n", out);
}

void
conf_report_print(FILE *out, const struct conf *conf, const struct conf_report *report, bool quiet)
{
	static const char *const names[] = {
		[CONF_ERROR] = "error",
		[CONF_WARNING] = "warning",
		[CONF_NOTICE] = "notice",
	};
	struct line_finder finder = { 0 };

	for (size_t i = 0; i < report->messages_n; i++) {
		const struct conf_message *m = &report->messages[i];
		const struct conf_source *source =
			m->pos.source < conf->sources_n ? &conf->sources[m->pos.source] : NULL;

		if (quiet && m->severity != CONF_ERROR)
			continue;
		if (source && m->pos.line)
			fprintf(out, "%s:%u:%u: ", source->name, m->pos.line, m->pos.column);
		fprintf(out, "%s: %s", names[m->severity], m->text);
		if (m->hint)
			fprintf(out, " (%s)", m->hint);
		putc('\n', out);
		if (source && m->pos.line)
			print_line(out, &finder, source, m->pos);
	}
	if (report->messages_n == CONF_MESSAGES_MAX)
		fprintf(out, "(only the first %d messages are shown)\n", CONF_MESSAGES_MAX);
}

/*
 * client_page.c - see client_page.h.  Runs in the client only.
 */
#include "daemon/client_page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
client_colour(FILE *out)
{
	const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(fileno(out)) && !(refused && *refused) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

enum client_paint
client_paint_of(const char *state)
{
	static const struct {
		const char *state;
		enum client_paint paint;
	} paints[] = {
		{ "MASTER", PAINT_GOOD },       { "OPEN", PAINT_GOOD },
		{ "UP", PAINT_GOOD },           { "serving", PAINT_GOOD },
		{ "ok", PAINT_GOOD },           { "INIT", PAINT_WARN },
		{ "RESIGNED", PAINT_WARN },     { "starting", PAINT_WARN },
		{ "MAINT", PAINT_WARN },        { "NOLB", PAINT_WARN },
		{ "disabled", PAINT_WARN },     { "STOP", PAINT_WARN },
		{ "FAULT", PAINT_BAD },         { "DOWN", PAINT_BAD },
		{ "UNRESOLVED", PAINT_BAD },    { "failed", PAINT_BAD },
		{ "listener lost", PAINT_BAD }, { "thread stuck", PAINT_BAD },
	};

	for (size_t i = 0; i < sizeof paints / sizeof *paints; i++)
		if (strcmp(paints[i].state, state) == 0)
			return paints[i].paint;
	return PAINT_NONE;
}

/* ECMA-48, "select graphic rendition". */
static const char *
begin(const struct client_page *page, enum client_paint paint)
{
	static const char *const codes[] = {
		[PAINT_NONE] = "",         [PAINT_HEAD] = "\033[1m",   [PAINT_GOOD] = "\033[32m",
		[PAINT_WARN] = "\033[33m", [PAINT_BAD] = "\033[1;31m",
	};

	return page->colour ? codes[paint] : "";
}

static const char *
end(const struct client_page *page, enum client_paint paint)
{
	return page->colour && paint != PAINT_NONE ? "\033[0m" : "";
}

void
client_print(const struct client_page *page, enum client_paint paint, const char *text)
{
	fprintf(page->out, "%s%s%s", begin(page, paint), text, end(page, paint));
}

/* ------------------------------------------------------------------ tables */

/* A character of several bytes takes one place. */
static int
places(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void
client_table_add(struct client_table *table)
{
	struct client_row *more = reallocarray(table->rows, table->rows_n + 1, sizeof *table->rows);

	if (!more) {
		fprintf(stderr, "tandem: out of memory\n");
		exit(1);
	}
	table->rows = more;
	memset(&table->rows[table->rows_n++], 0, sizeof *table->rows);
}

void
client_table_set(struct client_table *table, size_t column, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(table->rows[table->rows_n - 1].text[column], CLIENT_CELL, format, ap);
	va_end(ap);
}

void
client_table_paint(struct client_table *table, size_t column, enum client_paint paint)
{
	table->rows[table->rows_n - 1].paint[column] = paint;
}

void
client_table_head(struct client_table *table, const char *const *names)
{
	client_table_add(table);
	for (size_t c = 0; names[c]; c++) {
		client_table_set(table, c, "%s", names[c]);
		client_table_paint(table, c, PAINT_HEAD);
	}
}

static void
print_row(const struct client_page *page, const struct client_row *row, const int *width)
{
	size_t last = CLIENT_COLUMNS;

	while (last > 1 && !row->text[last - 1][0])
		last--;
	for (size_t c = 0; c < last; c++) {
		int padding = c + 1 < last ? width[c] - places(row->text[c]) : 0;

		fputs("  ", page->out);
		client_print(page, row->paint[c], row->text[c]);
		fprintf(page->out, "%*s", padding, "");
	}
	fputc('\n', page->out);
}

void
client_table_print(const struct client_page *page, struct client_table *table)
{
	int width[CLIENT_COLUMNS] = { 0 };

	for (size_t r = 0; r < table->rows_n; r++)
		for (size_t c = 0; c < CLIENT_COLUMNS; c++)
			if (places(table->rows[r].text[c]) > width[c])
				width[c] = places(table->rows[r].text[c]);
	for (size_t r = 0; r < table->rows_n; r++)
		print_row(page, &table->rows[r], width);
	free(table->rows);
	*table = (struct client_table){ 0 };
}

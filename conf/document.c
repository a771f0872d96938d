/*
 * document.c - the keyword tables as a manual page.  Runs while Tandem is built, in the program
 * that makes the pages; the daemon does not use it.
 *
 * What a row is for stands in the row, so a word cannot be added, changed or refused without the
 * manual saying so.  Rows of one class that share a reason share a paragraph.
 */
#include "conf/document.h"

#include "conf/parser.h"
#include "conf/table_row.h"
#include "conf/value.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* A word of the language: hyphens that are meant as such, no roff command by accident. */
static void
print_literal(FILE *out, const char *word)
{
	if (*word == '.' || *word == '\'')
		fputs("\\&", out);
	for (; *word; word++) {
		if (*word == '-')
			fputs("\\-", out);
		else if (*word == '\\')
			fputs("\\e", out);
		else if (*word == '\'')
			fputs("\\(aq", out);
		else
			putc(*word, out);
	}
}

static void
print_bold(FILE *out, const char *word)
{
	fputs("\\fB", out);
	print_literal(out, word);
	fputs("\\fR", out);
}

/* A sentence of a row: what stands between back quotes is a word of the language. */
static void
print_sentence(FILE *out, const char *text)
{
	bool bold = false;

	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '`') {
			bold = !bold;
			fputs(bold ? "\\fB" : "\\fR", out);
		} else if (*text == '\\') {
			fputs("\\e", out);
		} else if (*text == '\'') {
			fputs("\\(aq", out);
		} else if (*text == '-' && bold) {
			fputs("\\-", out);
		} else {
			putc(*text, out);
		}
	}
	if (bold)
		fputs("\\fR", out);
}

/* A question has its mark already. */
static void
print_stop(FILE *out, const char *sentence)
{
	fputs(sentence[strlen(sentence) - 1] == '?' ? "\n" : ".\n", out);
}

static bool
is_without_effect(const struct conf_row *row)
{
	return row->type == CONF_TYPE_NOTICE || row->type == CONF_TYPE_REFUSED;
}

/* What follows the word; NULL = nothing, or the row's sentence says it. */
static const char *
placeholder(const struct conf_row *row)
{
	switch (row->type) {
	case CONF_TYPE_INT:
		return "NUMBER";
	case CONF_TYPE_SECONDS:
		return "SECONDS";
	case CONF_TYPE_TIME:
		return "TIME";
	case CONF_TYPE_STRING:
		return "WORD";
	case CONF_TYPE_COMMAND:
		return "COMMAND";
	case CONF_TYPE_IP:
		return "ADDRESS";
	case CONF_TYPE_BLOCK:
		return "{ … }";
	case CONF_TYPE_FLAG:
	case CONF_TYPE_CHOICE:
	case CONF_TYPE_CALL:
	case CONF_TYPE_NOTICE:
	case CONF_TYPE_REFUSED:
		break;
	}
	return NULL;
}

static void
print_choices(FILE *out, const struct conf_row *row)
{
	bool first = true;

	for (const struct conf_choice *c = row->choices; c->name; c++) {
		if (c->refused)
			continue;
		fputs(first ? " " : " | ", out);
		print_literal(out, c->name);
		first = false;
	}
}

static void
print_range(FILE *out, const struct conf_row *row)
{
	char min[VALUE_STRLEN], max[VALUE_STRLEN];
	bool bounded = row->max != 0;

	if (row->type == CONF_TYPE_INT) {
		snprintf(min, sizeof min, "%" PRId64, row->min);
		snprintf(max, sizeof max, "%" PRId64, row_max(row));
		bounded = row_max(row) < INT32_MAX;
	} else if (row->type == CONF_TYPE_SECONDS) {
		value_format_seconds((uint64_t)row->min, min);
		value_format_seconds((uint64_t)row_max(row), max);
	} else {
		value_format_time((uint64_t)row->min, min);
		value_format_time((uint64_t)row_max(row), max);
	}
	if (bounded)
		fprintf(out, "From %s to %s.\n", min, max);
	else if (row->min != 0)
		fprintf(out, "At least %s.\n", min);
}

/* Which of the sections that share a table of proxies' words take this one? */
static void
print_place(FILE *out, const struct conf_row *row)
{
	const char *defaults = row->flags & ROW_NAMED ? "" : ", or for them in \\fBdefaults\\fR";

	if (row->flags & ROW_FRONT)
		fprintf(out, "In \\fBfrontend\\fR and \\fBlisten\\fR%s.\n", defaults);
	if (row->flags & ROW_BACK)
		fprintf(out, "In \\fBbackend\\fR and \\fBlisten\\fR%s.\n", defaults);
	if (row->flags & ROW_RULE)
		fputs("A \\fBdefaults\\fR section takes it only if it has a name.\n", out);
}

static void
print_default(FILE *out, const struct conf_row *row)
{
	if (!row->def)
		return;
	fputs("Default: ", out);
	print_literal(out, row->def);
	fputs(".\n", out);
}

static void
print_row(FILE *out, const struct conf_row *row)
{
	const char *value = placeholder(row);

	fputs(".TP\n", out);
	print_bold(out, row->name);
	if (value)
		fprintf(out, " \\fI%s\\fR", value);
	if (row->type == CONF_TYPE_CHOICE)
		print_choices(out, row);
	putc('\n', out);
	if (row->flags & ROW_OLD) {
		fputs("The old word for ", out);
		print_bold(out, row->doc);
		fputs("; accepted with a warning.\n", out);
		return;
	}
	print_sentence(out, row->doc);
	print_stop(out, row->doc);
	if (row_is_number(row->type))
		print_range(out, row);
	print_default(out, row);
	print_place(out, row);
	if (row->flags & ROW_REPEATS)
		fputs("May be given several times.\n", out);
	if (row->flags & ROW_FIRST)
		fputs("If it is given again, in \\fBdefaults\\fR and in a section that follows, the first one counts.\n",
		      out);
	if (row->flags & ROW_NO)
		fputs("\\fBno\\fR before it takes it back.\n", out);
}

static bool
is_of_class(const struct conf_row *row, enum conf_type type, bool loud)
{
	return row->type == type && !(row->flags & ROW_LOUD) == !loud;
}

/* The words of one class, those with the same reason together. */
static void
print_class(FILE *out, const struct conf_table *table, enum conf_type type, bool loud,
	    const char *heading)
{
	bool any = false;

	for (size_t i = 0; i < table->rows_n; i++) {
		const struct conf_row *row = &table->rows[i], *other;
		bool told = false;

		if (!is_of_class(row, type, loud))
			continue;
		for (other = table->rows; other < row && !told; other++)
			told = is_of_class(other, type, loud) && strcmp(other->doc, row->doc) == 0;
		if (told)
			continue;
		if (!any)
			fprintf(out, ".PP\n%s\n", heading);
		any = true;
		fputs(".IP \\(bu 2\n", out);
		print_bold(out, row->name);
		for (other = row + 1; other < table->rows + table->rows_n; other++) {
			if (!is_of_class(other, type, loud) || strcmp(other->doc, row->doc) != 0)
				continue;
			fputs(",\n", out);
			print_bold(out, other->name);
		}
		fputs(":\n", out);
		print_sentence(out, row->doc);
		print_stop(out, row->doc);
	}
}

static void
print_table(FILE *out, const struct conf_table *table)
{
	fprintf(out, ".SS \"%s ", table->parameters ? "After" : "In");
	print_sentence(out, table->name);
	fputs("\"\n", out);
	for (size_t i = 0; i < table->rows_n; i++)
		if (!is_without_effect(&table->rows[i]))
			print_row(out, &table->rows[i]);
	print_class(out, table, CONF_TYPE_NOTICE, false,
		    "Accepted with a notice, nothing to do here:");
	print_class(out, table, CONF_TYPE_NOTICE, true,
		    "Accepted with a warning, because what is missing can be seen from outside:");
	print_class(out, table, CONF_TYPE_REFUSED, false, "Refused:");
}

static bool
is_known(const struct conf_table *const *tables, size_t n, const struct conf_table *table)
{
	for (size_t i = 0; i < n; i++)
		if (tables[i] == table)
			return true;
	return false;
}

size_t
document_tables(enum conf_dialect dialect, const struct conf_table *tables[DOCUMENT_TABLES_MAX])
{
	size_t n = 0;

	tables[n++] = dialect == CONF_KEEPALIVED ? &keepalived_sections : &haproxy_sections;
	for (size_t i = 0; i < n; i++) {
		for (size_t r = 0; r < tables[i]->rows_n; r++) {
			const struct conf_table *inside = tables[i]->rows[r].inside;

			if (!inside || is_known(tables, n, inside))
				continue;
			assert(n < DOCUMENT_TABLES_MAX);
			tables[n++] = inside;
		}
	}
	return n;
}

void
document_print(FILE *out, enum conf_dialect dialect)
{
	const struct conf_table *tables[DOCUMENT_TABLES_MAX];
	size_t n = document_tables(dialect, tables);

	for (size_t i = 0; i < n; i++)
		print_table(out, tables[i]);
}

/*
 * print.c - printing by rows: the counterpart of table.c.  What is printed is read back as the same
 * value, except secrets.
 */
#include "conf/table.h"

#include "conf/model.h"
#include "conf/value.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

void
print_name(const struct conf_printer *pr, const char *name)
{
	fprintf(pr->out, "%s%s", pr->parameters ? " " : pr->indent, name);
}

void
print_end(const struct conf_printer *pr)
{
	if (!pr->parameters)
		putc('\n', pr->out);
}

static void
print_keepalived_word(FILE *out, const char *word)
{
	if (*word && !word[strcspn(word, " \t\v\f\r\n\"'\\#!{}$@")]) {
		fputs(word, out);
		return;
	}
	putc('"', out);
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			putc('\\', out);
		putc(*word, out);
	}
	putc('"', out);
}

/* Would a `$` in it be taken for a variable, where variables are read outside of quotes, too? */
static bool
has_reference(const char *word)
{
	while ((word = strchr(word, '$'))) {
		word++;
		if (isalpha((unsigned char)*word) || *word == '_' || *word == '{')
			return true;
	}
	return false;
}

/* A word that begins with a quote keeps its `$`: haproxy_expand. */
static void
print_haproxy_word(FILE *out, const char *word)
{
	const char *c;

	for (c = word; *c && isgraph((unsigned char)*c) && !strchr("\"'\\#$", *c);)
		c++;
	if (*word && !*c) {
		fputs(word, out);
		return;
	}
	if (!*word || has_reference(word))
		fputs("''", out);
	for (c = word; *c; c++) {
		if (strchr("\"'\\#$ ", *c))
			fprintf(out, "\\%c", *c);
		else if (isgraph((unsigned char)*c))
			putc(*c, out);
		else
			fprintf(out, "\\x%02x", (unsigned char)*c);
	}
}

void
print_bare(const struct conf_printer *pr, const char *word)
{
	if (pr->dialect == CONF_KEEPALIVED)
		print_keepalived_word(pr->out, word);
	else
		print_haproxy_word(pr->out, word);
}

void
print_word(const struct conf_printer *pr, const char *word)
{
	putc(' ', pr->out);
	print_bare(pr, word);
}

static int64_t
load_int(const struct conf_row *row, const void *field)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;

	switch (row->size) {
	case sizeof u8:
		memcpy(&u8, field, sizeof u8);
		return u8;
	case sizeof u16:
		memcpy(&u16, field, sizeof u16);
		return u16;
	default:
		memcpy(&u32, field, sizeof u32);
		return row->min < 0 ? (int32_t)u32 : (int64_t)u32;
	}
}

static void
print_value(const struct conf_printer *pr, const struct conf_row *row, const void *field)
{
	char buf[VALUE_STRLEN], ip[IP_STRLEN];
	const char *string;

	switch (row->type) {
	case CONF_TYPE_INT:
		fprintf(pr->out, " %" PRId64, load_int(row, field));
		break;
	case CONF_TYPE_SECONDS:
		fprintf(pr->out, " %s", value_format_seconds((uint64_t)load_int(row, field), buf));
		break;
	case CONF_TYPE_TIME:
		fprintf(pr->out, " %s", value_format_time((uint64_t)load_int(row, field), buf));
		break;
	case CONF_TYPE_STRING:
	case CONF_TYPE_COMMAND:
		memcpy(&string, field, sizeof string);
		print_word(pr, string);
		break;
	case CONF_TYPE_CHOICE:
		for (const struct conf_choice *c = row->choices; c->name; c++) {
			if (c->value == load_int(row, field) && !c->refused) {
				print_word(pr, c->name);
				break;
			}
		}
		break;
	case CONF_TYPE_IP:
		print_word(pr, ip_format(field, ip));
		break;
	case CONF_TYPE_FLAG:
	case CONF_TYPE_CALL:
	case CONF_TYPE_BLOCK:
	case CONF_TYPE_NOTICE:
	case CONF_TYPE_REFUSED:
		break;
	}
}

static bool
same_string(const void *a, const void *b)
{
	const char *s, *t;

	memcpy(&s, a, sizeof s);
	memcpy(&t, b, sizeof t);
	return s == t || (s && t && strcmp(s, t) == 0);
}

/* Is the field at its row's default? */
static bool
is_default(const struct conf_table *table, const struct conf_row *row, const void *object)
{
	_Alignas(max_align_t) unsigned char blank[table->object_size];
	const char *field = (const char *)object + row->offset;

	memset(blank, 0, sizeof blank);
	table_reset(row, blank);
	if (row->type == CONF_TYPE_STRING || row->type == CONF_TYPE_COMMAND)
		return same_string(field, blank + row->offset);
	return memcmp(field, blank + row->offset, row->size) == 0;
}

void
table_print(const struct conf_printer *pr, const struct conf_table *table, const void *object)
{
	for (size_t i = 0; i < table->rows_n; i++) {
		const struct conf_row *row = &table->rows[i];
		uint8_t caps = (row->flags & ROW_FRONT ? CONF_CAP_FRONT : 0) |
			       (row->flags & ROW_BACK ? CONF_CAP_BACK : 0);

		if ((row->flags & ROW_OLD) || (caps && !(caps & pr->caps)))
			continue;
		if (row->print) {
			row->print(pr, row, object);
		} else if (row->size && !is_default(table, row, object)) {
			print_name(pr, row->name);
			print_value(pr, row, (const char *)object + row->offset);
			print_end(pr);
		}
	}
}

/*
 * table.c - the rows themselves: finding them, their values and defaults.  Runs in whichever thread
 * loads a configuration.
 */
#include "conf/table_row.h"

#include "conf/nearest.h"
#include "conf/parser.h"
#include "conf/value.h"

#include <errno.h>
#include <string.h>

void *
row_field(const struct conf_row *row, void *object)
{
	return (char *)object + row->offset;
}

bool
row_is_number(enum conf_type type)
{
	return type == CONF_TYPE_INT || type == CONF_TYPE_SECONDS || type == CONF_TYPE_TIME;
}

void
row_store(void *field, size_t size, int64_t value)
{
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	if (size == sizeof u8)
		memcpy(field, &u8, size);
	else if (size == sizeof u16)
		memcpy(field, &u16, size);
	else if (size == sizeof u32)
		memcpy(field, &u32, size);
	else
		memcpy(field, &value, sizeof value);
}

int64_t
row_max(const struct conf_row *row)
{
	if (row->max)
		return row->max;
	return row->type != CONF_TYPE_INT || row->size >= sizeof(uint32_t)
		       ? INT32_MAX
		       : (INT64_C(1) << 8 * row->size) - 1;
}

int
row_number(const struct conf_row *row, const char *text, int64_t *value)
{
	int r = -EINVAL;

	switch (row->type) {
	case CONF_TYPE_INT:
		r = value_int(text, value);
		break;
	case CONF_TYPE_SECONDS:
		r = value_seconds(text, value);
		*value = r == 0 ? *value / 1000 : 0;
		break;
	case CONF_TYPE_TIME:
		r = value_time(text, 1000, value);
		break;
	case CONF_TYPE_FLAG:
	case CONF_TYPE_STRING:
	case CONF_TYPE_COMMAND:
	case CONF_TYPE_CHOICE:
	case CONF_TYPE_IP:
	case CONF_TYPE_CALL:
	case CONF_TYPE_BLOCK:
	case CONF_TYPE_NOTICE:
	case CONF_TYPE_REFUSED:
		break;
	}
	if (r == 0 && (*value < row->min || *value > row_max(row)))
		r = -ERANGE;
	return r;
}

const struct conf_choice *
row_choice(const struct conf_row *row, const char *name)
{
	for (const struct conf_choice *c = row->choices; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

void
table_reset(const struct conf_row *row, void *object)
{
	void *field = row_field(row, object);
	int64_t value = 0;

	if (row->size == 0 || (row->flags & ROW_OLD))
		return;
	memset(field, 0, row->size);
	if (!row->def)
		return;
	if (row_is_number(row->type)) {
		row_number(row, row->def, &value);
		row_store(field, row->size, value);
	} else if (row->type == CONF_TYPE_CHOICE) {
		row_store(field, row->size, row_choice(row, row->def)->value);
	} else if (row->type == CONF_TYPE_IP) {
		ip_parse(row->def, field);
	} else if (row->type == CONF_TYPE_STRING) {
		memcpy(field, &row->def, sizeof row->def);
	}
}

void
table_set_defaults(const struct conf_table *table, void *object)
{
	for (size_t i = 0; i < table->rows_n; i++)
		table_reset(&table->rows[i], object);
}

/* How many of the words the name consists of; 0 = it is another one. */
static size_t
match_name(const char *name, const struct conf_word *words, size_t words_n)
{
	size_t n = 0;

	/* Nearly all rows end here: a large file has this done many million times. */
	if (*name != *words[0].text)
		return 0;
	while (n < words_n) {
		const char *word = words[n].text;
		size_t len = strcspn(word, "("); /* what stands in parentheses is its argument */

		if (strncmp(name, word, len) != 0)
			return 0;
		n++;
		if (name[len] == word[len])
			return n;
		if (word[len])
			return 0;
		if (name[len] != ' ')
			return 0;
		name += len + 1;
	}
	return 0;
}

const struct conf_row *
table_find(const struct conf_table *table, const struct conf_word *words, size_t words_n,
	   size_t *matched)
{
	const struct conf_row *best = NULL;

	*matched = 0;
	for (size_t i = 0; i < table->rows_n; i++) {
		size_t n = match_name(table->rows[i].name, words, words_n);

		if (n > *matched) {
			*matched = n;
			best = &table->rows[i];
		}
	}
	return best;
}

bool
table_announces_secret(const char *word)
{
	static const struct conf_table *const tables[] = { &table_auth, &table_hmac,
							   &table_global };

	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
		for (size_t i = 0; i < tables[t]->rows_n; i++) {
			const struct conf_row *row = &tables[t]->rows[i];
			unsigned limit;

			if (!(row->flags & ROW_SECRET))
				continue;
			/* A short one misspelt twice would be any word. */
			limit = strlen(row->name) < 6 ? 1 : 2;
			if (nearest_distance(word, row->name, limit) <= limit)
				return true;
		}
	}
	return false;
}

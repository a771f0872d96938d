/*
 * words_paths.c - what routes and rules have in common: prefixes, tables, types of service.
 */
#include "conf/words_paths.h"

#include "conf/value.h"

#include <stdlib.h>
#include <string.h>

int
path_prefix(const char *text, struct conf_prefix *prefix)
{
	bool given;

	if (strcmp(text, "default") == 0 || strcmp(text, "all") == 0 || strcmp(text, "any") == 0) {
		*prefix = (struct conf_prefix){ .ip = { .family = AF_UNSPEC } };
		return 0;
	}
	return ip_parse_prefix(text, &prefix->ip, &prefix->len, &given);
}

void
path_read_prefix(struct conf_call *call, struct conf_prefix *prefix)
{
	const struct conf_word *word = call_word(call, 1, "an address with its prefix length");

	call->used = 2;
	if (!word || path_prefix(word->text, prefix) == 0)
		return;
	conf_warning(
		&call->p->reporter, word->pos,
		"`%s` needs an address such as 192.0.2.0/24, not `%.60s`: the line is left out, "
		"as with keepalived",
		call->row->name, word->text);
	call->p->path_bad = true;
}

/* Names besides the kernel's own are the host's, as `ip route` knows them. */
static bool
host_table(const char *name, uint32_t *table)
{
	static const char *const paths[] = { "/etc/iproute2/rt_tables",
					     "/usr/share/iproute2/rt_tables" };
	char line[256], found[64];
	unsigned number;
	bool known = false;

	for (size_t i = 0; i < sizeof paths / sizeof *paths && !known; i++) {
		FILE *file = fopen(paths[i], "re");

		while (file && !known && fgets(line, sizeof line, file)) {
			known = sscanf(line, "%u %63[^ \t\n]", &number, found) == 2 &&
				strcmp(found, name) == 0;
			if (known)
				*table = number;
		}
		if (file)
			fclose(file);
	}
	return known;
}

void
path_read_table(struct conf_call *call, uint32_t *table)
{
	const struct conf_word *word = call_word(call, 1, "a table's number or name");
	int64_t number;

	call->used = 2;
	if (!word)
		return;
	if (value_int(word->text, &number) == 0 && number > 0 && number < UINT32_MAX)
		*table = (uint32_t)number;
	else if (strcmp(word->text, "main") == 0)
		*table = RT_TABLE_MAIN;
	else if (strcmp(word->text, "local") == 0)
		*table = RT_TABLE_LOCAL;
	else if (strcmp(word->text, "default") == 0)
		*table = RT_TABLE_DEFAULT;
	else if (!host_table(word->text, table))
		conf_error(&call->p->reporter, word->pos,
			   "`%.60s` is no table: a number from 1, main, local, default, or a name "
			   "in /etc/iproute2/rt_tables",
			   word->text);
}

void
path_read_tos(struct conf_call *call, uint8_t *tos)
{
	const struct conf_word *word = call_word(call, 1, "a number");
	char *end;
	unsigned long number;

	call->used = 2;
	if (!word)
		return;
	number = strtoul(word->text, &end, 0); /* 0x10 is as usual as 16 */
	if (!*word->text || *end || number > 255)
		conf_error(&call->p->reporter, word->pos,
			   "`%s` needs a number from 0 to 255, not `%.40s`", call->row->name,
			   word->text);
	else
		*tos = (uint8_t)number;
}

void
path_print_prefix(const struct conf_printer *pr, const struct conf_prefix *prefix)
{
	char buf[IP_STRLEN];

	fprintf(pr->out, "%s/%u", ip_format(&prefix->ip, buf), prefix->len);
}

void
path_print_table(const struct conf_printer *pr, uint32_t table)
{
	fputs(" table", pr->out);
	if (table == RT_TABLE_MAIN)
		fputs(" main", pr->out);
	else if (table == RT_TABLE_LOCAL)
		fputs(" local", pr->out);
	else if (table == RT_TABLE_DEFAULT)
		fputs(" default", pr->out);
	else
		fprintf(pr->out, " %u", table);
}

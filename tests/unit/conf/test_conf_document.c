/*
 * test_conf_document.c - the manual says something about every word, and nothing that man(7) would
 * take for a command.
 */
#include "conf/document.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cm.h"

static char *
page(enum conf_dialect dialect)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	document_print(f, dialect);
	fclose(f);
	return text;
}

/* A word as the page has it. */
static const char *
as_printed(const char *word, char buf[256])
{
	char *at = buf;

	at += sprintf(at, "\\fB");
	for (; *word; word++) {
		if (*word == '-')
			*at++ = '\\';
		*at++ = *word;
	}
	sprintf(at, "\\fR");
	return buf;
}

/* A sentence that goes on into the full stop the page adds. */
static void
check_doc(const struct conf_table *table, const struct conf_row *row)
{
	const char *doc = row->doc;

	if (!doc || !*doc)
		fail_msg("`%s` in %s has no doc", row->name, table->name);
	if (strpbrk(doc, "\n\t") || doc[strlen(doc) - 1] == '.' || isspace((unsigned char)*doc))
		fail_msg("the doc of `%s` in %s is no bare sentence: %s", row->name, table->name,
			 doc);
}

static void
check_dialect(enum conf_dialect dialect)
{
	const struct conf_table *tables[DOCUMENT_TABLES_MAX];
	size_t tables_n = document_tables(dialect, tables);
	char *text = page(dialect), buf[256];

	assert_true(tables_n > 3);
	for (size_t t = 0; t < tables_n; t++) {
		assert_int_equal(tables[t]->dialect, dialect);
		for (size_t i = 0; i < tables[t]->rows_n; i++) {
			const struct conf_row *row = &tables[t]->rows[i];

			check_doc(tables[t], row);
			if (!strstr(text, as_printed(row->name, buf)))
				fail_msg("`%s` of %s is not in the manual", row->name,
					 tables[t]->name);
		}
	}
	free(text);
}

static void
test_keepalived(void **state)
{
	check_dialect(CONF_KEEPALIVED);
}

static void
test_haproxy(void **state)
{
	check_dialect(CONF_HAPROXY);
}

/* Every line is text or one of the few requests in use. */
static void
test_requests(void **state)
{
	static const char *const requests[] = { ".SS \"", ".TP", ".PP", ".IP \\(bu 2" };

	for (int dialect = 0; dialect <= CONF_HAPROXY; dialect++) {
		char *text = page((enum conf_dialect)dialect), *rest = text, *line;

		while ((line = strsep(&rest, "\n"))) {
			bool known = *line != '.' && *line != '\'';

			for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
				if (strncmp(line, requests[i], strlen(requests[i])) == 0)
					known = true;
			if (!known)
				fail_msg("not for man(7): %s", line);
		}
		free(text);
	}
}

static bool
has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* A word that works shows value, range, default and place; others their class. */
static void
test_classes(void **state)
{
	char *keepalived = page(CONF_KEEPALIVED), *haproxy = page(CONF_HAPROXY);

	assert_true(has(keepalived, "\\fBvirtual_router_id\\fR \\fINUMBER\\fR\n"));
	assert_true(has(keepalived, "From 1 to 255.\nDefault: 100.\n"));
	assert_true(has(keepalived, ".SS \"In authentication\"\n"));
	assert_true(has(keepalived, "Accepted with a notice, nothing to do here:\n"));
	assert_true(has(haproxy, ".SS \"After \\fBserver\\fR\"\n"));
	assert_true(has(haproxy, "\\fBtimeout connect\\fR \\fITIME\\fR\n"));
	assert_true(has(haproxy, "The old word for \\fBtimeout client\\fR"));
	assert_true(has(haproxy, "Refused:\n"));
	free(keepalived);
	free(haproxy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keepalived),
		cmocka_unit_test(test_haproxy),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

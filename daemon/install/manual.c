/*
 * manual.c - makes the manual pages while Tandem is built: copies a page from standard input to
 * standard output and fills in what the program itself knows, so that no page can drift.
 *
 *     @KEEPALIVED@, @HAPROXY@   the keyword tables of a dialect
 *     @EXPRESSIONS@             what may stand in conditions and log formats
 *     @HELP@                    the page behind --help
 *     @VERSION@                 (anywhere in a line) the version
 */
#include "conf/document.h"
#include "daemon/options.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Text in which a hyphen may be that of an option. */
static void
print_text(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '\'')
			fputs("\\(aq", stdout);
		else if (*text == '`')
			fputs("\\(ga", stdout);
		else
			putchar(*text);
	}
}

/* What the line before was. */
enum before { BEFORE_HEADING, BEFORE_SYNOPSIS, BEFORE_TEXT, BEFORE_BLANK, BEFORE_ENTRY };

/* Where the help has what an option does. */
#define HELP_COLUMN 15

/* Of "    word       what it does" the latter, after ending the former; NULL = a line of text. */
static char *
find_explanation(char *line)
{
	char *text = line + strspn(line, " "), *gap = strstr(text, "  ");

	/* An option may fill its column or more; text may have two blanks behind a full stop. */
	if (*text == '-' && !gap && strlen(line) > HELP_COLUMN && line[HELP_COLUMN - 1] == ' ')
		gap = line + HELP_COLUMN - 1;
	if (!gap || (*text != '-' && gap + strspn(gap, " ") != line + HELP_COLUMN))
		return NULL;
	*gap++ = '\0';
	return gap + strspn(gap, " ");
}

/* A line of the help: a heading at the margin, an entry, the rest of an entry, or text. */
static enum before
print_help_line(char *line, enum before before, bool *synopsis)
{
	size_t indent = strspn(line, " ");
	char *text = line + indent, *explanation;

	if (!*text)
		return before == BEFORE_HEADING ? before : BEFORE_BLANK;
	if (indent == 0) {
		*synopsis = strcmp(text, "SYNOPSIS") == 0;
		printf(".SH %s\n", text);
		return BEFORE_HEADING;
	}
	if (indent == HELP_COLUMN && before == BEFORE_ENTRY) {
		print_text(text);
		putchar('\n');
		return BEFORE_ENTRY;
	}
	explanation = *synopsis ? NULL : find_explanation(line);
	if (explanation) {
		fputs(".TP\n\\fB", stdout);
		print_text(text);
		fputs("\\fR\n", stdout);
		print_text(explanation);
		putchar('\n');
		return BEFORE_ENTRY;
	}
	if (before == BEFORE_BLANK || before == BEFORE_ENTRY)
		puts(".PP");
	if (*synopsis && before == BEFORE_SYNOPSIS)
		puts(".br");
	print_text(text);
	putchar('\n');
	return *synopsis ? BEFORE_SYNOPSIS : BEFORE_TEXT;
}

static void
print_help(void)
{
	char *text = NULL, *line, *rest;
	size_t size;
	enum before before = BEFORE_HEADING;
	bool synopsis = false;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	options_help(f);
	fclose(f);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line || rest)
			before = print_help_line(line, before, &synopsis);
	free(text);
}

static void
print_line(const char *line)
{
	static const char version[] = "@VERSION@";
	const char *at = strstr(line, version);

	if (at)
		printf("%.*s%s%s", (int)(at - line), line, TANDEM_VERSION, at + strlen(version));
	else
		fputs(line, stdout);
}

int
main(void)
{
	char line[1024];

	while (fgets(line, sizeof line, stdin)) {
		if (strcmp(line, "@KEEPALIVED@\n") == 0)
			document_print(stdout, CONF_KEEPALIVED);
		else if (strcmp(line, "@HAPROXY@\n") == 0)
			document_print(stdout, CONF_HAPROXY);
		else if (strcmp(line, "@EXPRESSIONS@\n") == 0)
			document_print_expressions(stdout);
		else if (strcmp(line, "@HELP@\n") == 0)
			print_help();
		else
			print_line(line);
	}
	return ferror(stdin) || fflush(stdout) != 0;
}

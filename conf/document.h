/*
 * document.h - the language as a manual: what the keyword tables say, written as roff.
 */
#pragma once

#include "conf/table.h"

/* No more tables than this hang below the words of the two dialects. */
#define DOCUMENT_TABLES_MAX 64

/*
 * Every table that a top-level word of the dialect leads to (conf_row.inside), the top level first,
 * each once.  Returns how many.
 */
size_t document_tables(enum conf_dialect dialect,
		       const struct conf_table *tables[DOCUMENT_TABLES_MAX]);

/* expr_table.c: the names of fetches, converters and fields of log formats, as tagged paragraphs. */
void document_print_expressions(FILE *out);

/* All of a dialect's tables as subsections of a page for man(7). */
void document_print(FILE *out, enum conf_dialect dialect);

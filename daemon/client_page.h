/*
 * client_page.h - what `tandem status` and `tandem history` write on: text with a few colours where
 * a terminal shows them, and tables whose columns are aligned.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct client_page {
	FILE *out;
	bool colour;
};

/* Is `out` a terminal that shows colours, and whose owner wants them (NO_COLOR is not set)? */
bool client_colour(FILE *out);

enum client_paint { PAINT_NONE, PAINT_HEAD, PAINT_GOOD, PAINT_WARN, PAINT_BAD };

/* How the name of a state is painted, be it an instance's, a frontend's, a server's or a script's. */
enum client_paint client_paint_of(const char *state);

/* The text in its paint. */
void client_print(const struct client_page *page, enum client_paint paint, const char *text);

#define CLIENT_COLUMNS 8
#define CLIENT_CELL    160

struct client_row {
	char text[CLIENT_COLUMNS][CLIENT_CELL];
	enum client_paint paint[CLIENT_COLUMNS];
};

/* Zeroed is empty. */
struct client_table {
	struct client_row *rows;
	size_t rows_n;
};

/* A row with the names of the columns, NULL-terminated. */
void client_table_head(struct client_table *table, const char *const *names);
/* An empty row; the cells of the latest are set and painted. */
void client_table_add(struct client_table *table);
void client_table_set(struct client_table *table, size_t column, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void client_table_paint(struct client_table *table, size_t column, enum client_paint paint);

/* Two spaces before each column, nothing behind the last; frees the rows. */
void client_table_print(const struct client_page *page, struct client_table *table);

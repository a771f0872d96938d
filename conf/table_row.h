/*
 * table_row.h - the values of rows, between the files that implement tables.  Private to them.
 */
#pragma once

#include "conf/table.h"

/* Where the row's value is. */
void *row_field(const struct conf_row *row, void *object);

/* Is it one of the types with a range? */
bool row_is_number(enum conf_type type);
int64_t row_max(const struct conf_row *row);

/* 0, -EINVAL or -ERANGE, as in value.h. */
int row_number(const struct conf_row *row, const char *text, int64_t *value);

/* An integer field of 1, 2, 4 or 8 bytes. */
void row_store(void *field, size_t size, int64_t value);

const struct conf_choice *row_choice(const struct conf_row *row, const char *name);

/*
 * tls_list.h - a line of a crt-list: "FILE [PARAMETERS] HOST…".  No I/O here.
 */
#pragma once

#include "conf/tls.h"

struct tls_list_line {
	char *path;          /* NULL = the line says nothing */
	char *filters;       /* what follows, separated by blanks; "" = its own names count */
	bool tuned;          /* `tls` is not the bind's */
	struct conf_tls tls; /* the bind's, but for what stands in brackets */
};

/*
 * Reads a line, which is cut up: all strings are parts of it.  NULL, or why it is refused; then *at
 * is the word that is meant.
 */
const char *tls_list_read(char *line, const struct conf_tls *bind, struct tls_list_line *out,
			  const char **at);

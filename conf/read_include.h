/*
 * read_include.h - finding and reading what keepalived's `include` lines name.
 */
#pragma once

#include "conf/load.h"

/* Reads one file as one more source: 0 or -errno. */
typedef int read_file_fn(struct arena *arena, const char *path, struct conf_source **sources,
			 size_t *sources_n);

/*
 * Appends what the sources include, and what these include.  What cannot be read is left out: the
 * parser, which comes to the line, finds nothing for it and says so.
 */
void read_includes(struct arena *arena, read_file_fn *read_file, struct conf_source **sources,
		   size_t *sources_n);

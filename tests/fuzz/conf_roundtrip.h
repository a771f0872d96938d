/*
 * conf_roundtrip.h - what both dialects' fuzz targets do with their bytes: load them, and if they
 * are a configuration, print it, load that, and print again.  The two must be the same.
 */
#pragma once

#include "conf/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Loads and dumps; *text is NULL for a broken configuration, else the caller frees it. */
static inline void
conf_roundtrip_dump(const struct conf_source *sources, size_t sources_n, char **text, size_t *len)
{
	struct arena *arena = arena_new();
	struct conf_options options = { .node = "lb1" };
	struct conf_report report;
	struct conf *conf = conf_load(arena, sources, sources_n, &options, &report);
	char *messages = NULL;
	size_t messages_len;
	FILE *out = open_memstream(&messages, &messages_len);

	conf_report_print(out, conf, &report, false);
	fclose(out);
	free(messages);
	*text = NULL;
	if (report.errors == 0) {
		out = open_memstream(text, len);
		conf_dump(out, conf);
		fclose(out);
	}
	arena_free(arena);
}

static inline void
conf_roundtrip(const struct conf_source *sources, size_t sources_n)
{
	char *first, *second;
	size_t first_len, second_len;
	struct conf_source dumped = { .name = "dump" };

	conf_roundtrip_dump(sources, sources_n, &first, &first_len);
	if (!first)
		return;
	dumped.text = first;
	dumped.len = first_len;
	conf_roundtrip_dump(&dumped, 1, &second, &second_len);
	if (!second || first_len != second_len || memcmp(first, second, first_len) != 0) {
		fprintf(stderr, "not the same:\n%s\n----\n%s\n", first,
			second ? second : "(refused)");
		abort();
	}
	free(first);
	free(second);
}

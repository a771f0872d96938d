/*
 * read_include.c - see read_include.h.  The guardian runs it, as part of conf_read_files.
 *
 * As keepalived has it: a pattern is relative to the folder of the file it stands in, may have
 * wildcards and braces, and is taken as it is written, without conditions and variables.
 */
#include "conf/read_include.h"

#include "conf/lexer.h"

#include <glob.h>
#include <string.h>

#define INCLUDED_MAX 1000

/* The pattern of a line "include PATTERN" (or includer, includem, …), or NULL. */
static const char *
pattern_of(struct arena *arena, const char *line, size_t len)
{
	const char *end = line + len, *from;

	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	if (end - line < 9 || memcmp(line, "include", 7) != 0)
		return NULL;
	line += 7;
	if (strchr("rmwba", *line))
		line++;
	if (line == end || (*line != ' ' && *line != '\t'))
		return NULL;
	while (line < end && strchr(" \t\"'", *line))
		line++;
	for (from = line; line < end && !strchr(" \t\r\"'#!", *line);)
		line++;
	return line > from ? arena_strndup(arena, from, (size_t)(line - from)) : NULL;
}

/* How many includes lead to this source: a file that includes itself must come to an end. */
static unsigned
depth_of(const struct conf_source *sources, size_t index)
{
	unsigned depth = 0;

	for (; sources[index].include_line; index = sources[index].includer)
		depth++;
	return depth;
}

static void
read_matches(struct arena *arena, read_file_fn *read_file, const char *pattern, uint32_t includer,
	     uint32_t line, struct conf_source **sources, size_t *sources_n)
{
	const char *slash = strrchr((*sources)[includer].name, '/');
	glob_t found;

	if (*pattern != '/' && slash)
		pattern = arena_printf(arena, "%.*s/%s", (int)(slash - (*sources)[includer].name),
				       (*sources)[includer].name, pattern);
	if (glob(pattern, GLOB_BRACE, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (*sources_n < INCLUDED_MAX &&
		    read_file(arena, found.gl_pathv[i], sources, sources_n) == 0) {
			(*sources)[*sources_n - 1].includer = includer;
			(*sources)[*sources_n - 1].include_line = line;
		}
	}
	globfree(&found);
}

void
read_includes(struct arena *arena, read_file_fn *read_file, struct conf_source **sources,
	      size_t *sources_n)
{
	for (uint32_t i = 0; i < *sources_n; i++) {
		const char *text = (*sources)[i].text, *end = text + (*sources)[i].len;
		bool deep = depth_of(*sources, i) > CONF_FRAMES_MAX;

		for (uint32_t line = 1; !deep && text < end; line++) {
			const char *stop = memchr(text, '\n', (size_t)(end - text)), *pattern;

			stop = stop ? stop : end;
			pattern = pattern_of(arena, text, (size_t)(stop - text));
			if (pattern)
				read_matches(arena, read_file, pattern, i, line, sources,
					     sources_n);
			text = stop + 1;
		}
	}
}

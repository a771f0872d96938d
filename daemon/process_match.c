/*
 * process_match.c - see process_match.h.
 */
#include "daemon/process_match.h"

#include <string.h>

bool
process_match_needs_line(const struct conf_track_process *conf)
{
	return conf->words_n > 1 || conf->full_command || conf->match != CONF_PARAM_EXACT;
}

/* The next word of a command line; NULL at its end.  A last one may lack its NUL. */
static const char *
next_word(const char **line, size_t *left, size_t *len)
{
	const char *word = *line;
	size_t used;

	if (*left == 0)
		return NULL;
	*len = strnlen(word, *left);
	used = *len < *left ? *len + 1 : *len;
	*line += used;
	*left -= used;
	return word;
}

bool
process_match(const struct conf_track_process *conf, const char *name, const char *line,
	      size_t line_len)
{
	if (!process_match_needs_line(conf))
		return strcmp(name, conf->words[0]) == 0;
	for (size_t i = 0; i < conf->words_n; i++) {
		size_t len = 0, wanted = strlen(conf->words[i]);
		const char *word = next_word(&line, &line_len, &len);
		bool begins = conf->match == CONF_PARAM_INITIAL && i > 0 && i == conf->words_n - 1;

		if (!word || (begins ? len < wanted : len != wanted) ||
		    memcmp(word, conf->words[i], wanted) != 0)
			return false;
	}
	return line_len == 0 || conf->match != CONF_PARAM_EXACT || conf->words_n == 1;
}

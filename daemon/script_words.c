/*
 * script_words.c - see script_words.h.  keepalived.conf(5), "Quoted strings".
 */
#include "daemon/script_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int
hex_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* At the character behind a backslash: the character meant; moves past it. */
static char
read_escape(const char **at)
{
	static const char names[] = "abEfnrtv", values[] = "\a\b\033\f\n\r\t\v";
	const char *p = *at;
	const char *name = *p ? strchr(names, *p) : NULL;
	unsigned value = 0;

	if (name) {
		*at = p + 1;
		return values[name - names];
	}
	if (*p == 'c' && p[1]) {
		*at = p + 2;
		return (char)(p[1] & 0x1f);
	}
	if (*p == 'x' && hex_value(p[1]) >= 0) {
		for (p++; hex_value(*p) >= 0; p++)
			value = value << 4 | (unsigned)hex_value(*p);
		*at = p;
		return (char)(unsigned char)value;
	}
	if (*p >= '0' && *p <= '7') {
		for (int i = 0; i < 3 && *p >= '0' && *p <= '7'; i++)
			value = value << 3 | (unsigned)(*p++ - '0');
		*at = p;
		return (char)(unsigned char)value;
	}
	*at = *p ? p + 1 : p;
	return *p;
}

/* One word from `*at` on to `out`, which has room; moves past it. */
static char *
read_word(const char **at, char *out)
{
	const char *p = *at;
	char quote = '\0';

	while (*p && (quote || !isspace((unsigned char)*p))) {
		if (*p == '\\' && p[1]) {
			p++;
			*out++ = read_escape(&p);
		} else if (quote ? *p == quote : *p == '"' || *p == '\'') {
			quote = quote ? '\0' : *p;
			p++;
		} else {
			*out++ = *p++;
		}
	}
	*out++ = '\0';
	*at = p;
	return out;
}

char **
script_words(const char *line)
{
	/* A word is never longer than its text, and has a separator for its NUL. */
	size_t table_len = (SCRIPT_WORDS_MAX + 1) * sizeof(char *);
	char **words = malloc(table_len + strlen(line) + 1);
	char *out;
	size_t n = 0;

	if (!words)
		return NULL;
	out = (char *)words + table_len;
	for (;;) {
		line += strspn(line, " \t\n\v\f\r");
		if (!*line)
			break;
		if (n == SCRIPT_WORDS_MAX) {
			free(words);
			return NULL;
		}
		words[n++] = out;
		out = read_word(&line, out);
	}
	words[n] = NULL;
	if (n == 0) {
		free(words);
		return NULL;
	}
	return words;
}
